package attribution_test

import (
	"encoding/csv"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/attribution"
)

const published = "../../../shared/data/attribution"

// table reads a published file, without its header; absent, the test is skipped.
func table(t testing.TB, name string) [][]string {
	file, err := os.Open(filepath.Join(published, name))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("the published data is not here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

// of makes a tally of a model without anybody.
func of(model attribution.Model, order int) *attribution.Tally {
	return attribution.NewTally(attribution.Options{
		Conversion: purchases, Model: model, Order: order, Lookback: attribution.DefaultLookback, AsOf: start.Add(insight.Year),
	})
}

var purchases = insight.Selector{Types: []string{"purchase"}}

// named answers always with the same channel for the same key.
type named map[string]*insight.Channel

func (n named) path(keys ...string) []*insight.Channel {
	path := make([]*insight.Channel, len(keys))
	for i, key := range keys {
		if n[key] == nil {
			n[key] = &insight.Channel{Key: key}
		}
		path[i] = n[key]
	}
	return path
}

func number(t testing.TB, text string) float64 {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// failer is what testing and rapid have in common.
type failer interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

func answer(t failer, tally *attribution.Tally) attribution.Report {
	t.Helper()
	report, err := tally.Report()
	if err != nil {
		t.Fatalf("%v", err)
	}
	return report
}

func near(a, b, within float64) bool { return math.Abs(a-b) <= within*max(1, math.Abs(b)) }

// The demonstration data of the R package ChannelAttribution 2.2.4.
func TestPublished(t *testing.T) {
	paths := table(t, "pathdata.csv")
	expected := table(t, "pathdata_heuristic_expected.csv")
	column := map[attribution.Model]int{attribution.First: 1, attribution.Last: 3, attribution.Linear: 5}
	for _, model := range attribution.Models {
		highest := 0
		if model == attribution.Markov {
			highest = attribution.MaxOrder
		}
		for order := min(1, highest); order <= highest; order++ {
			tally, channels := of(model, order), named{}
			for _, row := range paths {
				tally.AddPath(channels.path(strings.Split(row[0], " > ")...), int64(number(t, row[1])), number(t, row[2]), int64(number(t, row[3])))
			}
			r := answer(t, tally)
			if r.Conversions != 19_785 || r.Nulls != 68_602 || !near(r.Value, 74_802.9716, 1e-8) || r.Population != 10_000 || len(r.Channels) != 12 {
				t.Errorf("%s: %d conversions worth %v, %d nulls, %d channels", model, r.Conversions, r.Value, r.Nulls, len(r.Channels))
			}
			whole(t, r)
			if order == 1 {
				if p := float64(r.Conversions) / float64(r.Journeys); !near(p, .223845136, 1e-9) {
					t.Errorf("P(conversion) %v", p)
				}
			}
			at, ok := column[model]
			if !ok {
				continue
			}
			got := map[string]attribution.Credit{}
			for _, c := range r.Channels {
				got[c.Channel.Key] = c
			}
			for _, row := range expected {
				c := got[row[0]]
				if !near(c.Conversions, number(t, row[at]), 1e-6) || !near(c.Value, number(t, row[at+1]), 1e-6) {
					t.Errorf("%s of %s: %v worth %v, want %s worth %s", row[0], model, c.Conversions, c.Value, row[at], row[at+1])
				}
			}
		}
	}
}

// The chain of the published paths, solved here once more from the transitions, by
// plain elimination.
func TestPublishedChain(t *testing.T) {
	paths := table(t, "pathdata.csv")
	for order := 1; order <= 2; order++ {
		tally, channels := of(attribution.Markov, order), named{}
		var all []path
		for _, row := range paths {
			keys := strings.Split(row[0], " > ")
			conversions, value, nulls := number(t, row[1]), number(t, row[2]), number(t, row[3])
			tally.AddPath(channels.path(keys...), int64(conversions), value, int64(nulls))
			all = append(all, path{keys: keys, conversions: conversions, value: value, nulls: nulls})
		}
		r := answer(t, tally)
		want := markov(all, order)
		for _, c := range r.Channels {
			w := want[c.Channel.Key]
			if !near(*c.RemovalEffect, w.removal, 1e-12) || !near(c.Conversions, w.conversions, 1e-11) || !near(c.Value, w.value, 1e-11) {
				t.Errorf("order %d, %s: %v (%v) worth %v, want %+v", order, c.Channel.Key, c.Conversions, *c.RemovalEffect, c.Value, w)
			}
			t.Logf("order %d %-8s removal %.9f credit %.4f worth %.4f", order, c.Channel.Key, *c.RemovalEffect, c.Conversions, c.Value)
		}
	}
}

func TestSmallChain(t *testing.T) {
	tally, channels := of(attribution.Markov, 1), named{}
	tally.AddPath(channels.path("g"), 2, 0, 1)
	tally.AddPath(channels.path("m"), 1, 0, 0)
	tally.AddPath(channels.path("g", "m"), 1, 0, 0)
	r := answer(t, tally)
	g, m := r.Channels[0], r.Channels[1]
	if p := float64(r.Conversions) / float64(r.Journeys); p != .8 {
		t.Errorf("P(conversion) %v", p)
	}
	if !near(*g.RemovalEffect, .75, 1e-15) || !near(*m.RemovalEffect, .5, 1e-15) || !near(g.Conversions, 2.4, 1e-15) || !near(m.Conversions, 1.6, 1e-15) {
		t.Errorf("%v %v, %v %v", *g.RemovalEffect, g.Conversions, *m.RemovalEffect, m.Conversions)
	}
}
