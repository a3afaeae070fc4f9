package graph_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// regulars records sixty individuals, of whom some come often and some once, some are
// written to and one in seven says no.
func (a *api) regulars() {
	a.t.Helper()
	var all []map[string]any
	tell := func(who, n int, at time.Duration, more map[string]any) {
		x := map[string]any{"userId": fmt.Sprintf("u-%d", who), "occurredAt": noon.Add(at).Format(time.RFC3339), "messageId": fmt.Sprintf("m-%d-%d", who, n), "value": float64(n), "currency": "EUR"}
		for k, v := range more {
			x[k] = v
		}
		all = append(all, visit(0, x))
	}
	for who := range 60 {
		start, gap := time.Duration(who%9)*insight.Day, time.Duration(1+who%5)*17*time.Hour
		for n := range 1 + who%6 {
			tell(who, n, start+time.Duration(n)*gap+time.Duration(n*n*who)*time.Minute, nil)
		}
		for n := range who % 7 {
			tell(who, 10+n, start+time.Duration(n+10)*insight.Day, map[string]any{"type": "Email Sent", "direction": "OUTBOUND"})
		}
	}
	a.record(all...)
	for who := 3; who < 60; who += 7 {
		a.must(`mutation($u: String!) { recordConsents(input: {individual: {userId: $u}, consents: [{purpose: "marketing", decision: DENIED, effectiveAt: "2026-03-20T00:00:00Z"}]}) { consents { id } } }`,
			map[string]any{"u": fmt.Sprintf("u-%d", who)})
	}
}

// TestOneByOne: what is told of everyone is what is told of each, added up, now and of
// an earlier moment.
func TestOneByOne(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		a := newAPI(t, o)
		a.regulars()
		for _, asOf := range []any{nil, "2026-03-21T09:00:00Z"} {
			answer := map[string]any{}
			for name, query := range map[string]string{
				"each":          `individuals(first: 100) { nodes { recency(asOf: $t) { count overdue } rfm(asOf: $t) { segment frequency monetary } relationship(asOf: $t) { status } } }`,
				"latency":       `insights { latency(asOf: $t, steps: 6) { steps { step overdue } } }`,
				"rfm":           `insights { rfm(asOf: $t) { population segments { name individuals interactions value } } }`,
				"relationships": `insights { relationships(asOf: $t) { population counts { status individuals } } }`,
			} {
				answer[name] = a.must("query($t: Time) { "+query+" }", map[string]any{"t": asOf})
			}
			one, all := map[string]float64{}, map[string]float64{}
			for _, x := range dig(t, answer, "each.individuals.nodes").([]any) {
				one["population"]++
				if r := dig(t, x, "recency"); dig(t, r, "overdue") == true {
					one[fmt.Sprintf("overdue %v", dig(t, r, "count"))]++
				}
				one[fmt.Sprint(dig(t, x, "relationship.status"))]++
				if scores := dig(t, x, "rfm"); scores != nil {
					segment := fmt.Sprint(dig(t, scores, "segment"))
					one[segment]++
					one[segment+" interactions"] += dig(t, scores, "frequency").(float64)
					one[segment+" value"] += dig(t, scores, "monetary").(float64)
				}
			}
			add := func(list, name string, numbers map[string]string) {
				for _, x := range dig(t, answer, list).([]any) {
					for field, suffix := range numbers {
						if n := dig(t, x, field).(float64); n != 0 {
							all[fmt.Sprint(dig(t, x, name))+suffix] = n
						}
					}
				}
			}
			add("rfm.insights.rfm.segments", "name", map[string]string{"individuals": "", "interactions": " interactions", "value": " value"})
			add("relationships.insights.relationships.counts", "status", map[string]string{"individuals": ""})
			for _, x := range dig(t, answer, "latency.insights.latency.steps").([]any) {
				if n := dig(t, x, "overdue").(float64); n != 0 {
					all[fmt.Sprintf("overdue %v", dig(t, x, "step"))] = n
				}
			}
			all["population"] = dig(t, answer, "relationships.insights.relationships.population").(float64)
			for name := range one {
				if one[name] == 0 {
					delete(one, name)
				}
			}
			if fmt.Sprint(one) != fmt.Sprint(all) {
				t.Errorf("as of %v\none by one %v\ntogether   %v", asOf, one, all)
			}
			if len(one) < 15 {
				t.Errorf("as of %v there is little to compare: %v", asOf, one)
			}
		}
	})
}

// TestComparingTakesNoMoreStatements: what each of many individuals is compared with is
// made for all of them at once.
func TestComparingTakesNoMoreStatements(t *testing.T) {
	const compared = `query($n: Int!, $t: Time) { individuals(first: $n) { nodes {
		recency(asOf: $t) { percentile } bought: recency(asOf: $t, event: {types: ["page"]}) { tripWire } rfm(asOf: $t) { score } relationship(asOf: $t) { status }
	} } }`
	testdb.Each(t, func(t *testing.T, o store.Options) {
		a := newAPI(t, o)
		a.regulars()
		for n, asOf := range []string{"2026-03-21T09:00:00Z", "2026-03-22T09:00:00Z"} {
			a.must(compared, map[string]any{"n": 60, "t": fmt.Sprintf("2026-03-0%dT09:00:00Z", n+1)}) // prepares the statements, fills the directory
			a.counter.Take()
			a.must(compared, map[string]any{"n": 1, "t": asOf})
			one := a.counter.Take()
			later := asOf[:len(asOf)-1] + ".5Z" // another moment, so that nothing is made already
			a.must(compared, map[string]any{"n": 60, "t": later})
			if got := a.counter.Take(); got != one {
				t.Errorf("sixty individuals take %d statements, one takes %d", got, one)
			}
		}
	})
}
