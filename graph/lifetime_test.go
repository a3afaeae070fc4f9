package graph_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// shoppers are a hundred individuals who buy at random, at rates of their own, until
// they are gone; some write before.
func (a *api) shoppers() {
	a.t.Helper()
	r := rand.New(rand.NewPCG(4, 2))
	n := 0
	for i := range 100 {
		var all []map[string]any
		tell := func(kind, channel string, at time.Time, value float64) {
			n++
			all = append(all, map[string]any{
				"messageId": fmt.Sprintf("s-%d", n), "userId": fmt.Sprintf("shopper-%d", i), "type": kind, "channel": channel,
				"occurredAt": at.Format(time.RFC3339), "value": value, "currency": "EUR",
			})
		}
		rate, leaves := r.ExpFloat64()/20, r.Float64()*r.Float64()*0.6
		at := now().Add(-insight.Year + time.Duration(r.Float64()*200*float64(insight.Day)))
		for {
			if r.IntN(3) == 0 {
				tell("page", "email", at.Add(-time.Hour), 0)
			}
			tell("buys", "web", at, 1+10*r.ExpFloat64())
			at = at.Add(time.Duration(r.ExpFloat64() / rate * float64(insight.Day)))
			if at.After(now()) || r.Float64() < leaves {
				break
			}
		}
		for len(all) > 0 {
			some := all[:min(len(all), 500)]
			a.record(some...)
			all = all[len(some):]
		}
	}
}

// TestLifetimesAddUp: what is expected of each is, together, what is expected of
// everyone.
func TestLifetimesAddUp(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		a := newAPI(t, o)
		a.shoppers()
		all := a.must(`{ insights { lifetime(event: {types: ["buys"]}, horizon: "P90D") { expectedCount expectedValue probabilityAlive { individuals } } } }`, nil)
		each := a.must(`{ individuals(first: 100) { nodes { lifetime(event: {types: ["buys"]}, horizon: "P90D") { probabilityAlive expectedCount expectedValue } } } }`, nil)
		var count, value float64
		bands := make([]float64, 10)
		for n := range 100 {
			of := func(field string) float64 {
				x, ok := dig(t, each, fmt.Sprintf("individuals.nodes.%d.lifetime.%s", n, field)).(float64)
				if !ok {
					t.Fatalf("individual %d has no %s", n, field)
				}
				return x
			}
			count += of("expectedCount")
			value += of("expectedValue")
			bands[min(int(of("probabilityAlive")*10), 9)]++
		}
		for field, got := range map[string]float64{"expectedCount": count, "expectedValue": value} {
			if want, ok := dig(t, all, "insights.lifetime."+field).(float64); !ok || math.Abs(got-want) > 1e-9*want {
				t.Errorf("%s of each is %v together, of all it is %v", field, got, want)
			}
		}
		for n, got := range bands {
			if want := dig(t, all, fmt.Sprintf("insights.lifetime.probabilityAlive.%d.individuals", n)); got != want {
				t.Errorf("%v individuals are in band %d, the report has %v", got, n, want)
			}
		}
	})
}

// TestModelsAreShared: what individuals are compared with is read once, however many
// they are.
func TestModelsAreShared(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		a := newAPI(t, o)
		a.shoppers()
		const query = `query($n: Int!) { individuals(first: $n) { nodes {
			lifetime(event: {types: ["buys"]}) { expectedCount }
			then: lifetime(event: {types: ["buys"]}, asOf: "2026-03-01T00:00:00Z") { expectedCount }
			journey { nextChannels { channel { key } lift } }
			before: journey(lookback: "P90D", asOf: "2026-03-01T00:00:00Z") { nextChannels { channel { key } lift } }
		} } }`
		a.must(query, map[string]any{"n": 100})
		a.counter.Take()
		a.must(query, map[string]any{"n": 1})
		one := a.counter.Take()
		a.must(query, map[string]any{"n": 100})
		if got := a.counter.Take(); got != one {
			t.Errorf("a hundred individuals take %d statements, one takes %d", got, one)
		}
	})
}
