package recency_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/recency"
)

func TestGrid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all, asOf := population(t), drawAsOf(t)
		o := recency.GridOptions{Event: purchases, AsOf: asOf, RecencyBounds: drawBounds(t)}
		o.FrequencyBounds = rapid.SliceOfNDistinct(rapid.IntRange(2, 8), 1, 4, rapid.ID[int]).Draw(t, "frequency")
		slices.Sort(o.FrequencyBounds)
		if rapid.Bool().Draw(t, "compared") {
			o.ComparedTo = asOf.Add(-time.Duration(rapid.IntRange(0, 40).Draw(t, "since")) * 12 * time.Hour)
		}
		fresh := func() *recency.GridTally { return recency.NewGridTally(o) }
		r := lawful(t, all, asOf, fresh, (*recency.GridTally).Report)

		within := func(c *recency.Cell, one insight.Timeline, at time.Time) bool {
			known := did(one, at)
			n := len(known)
			if n == 0 || n < c.FrequencyFrom || c.FrequencyTo != nil && n >= *c.FrequencyTo {
				return false
			}
			elapsed := at.Sub(known[n-1].OccurredAt)
			return elapsed >= c.RecencyFrom && (c.RecencyTo == nil || elapsed < *c.RecencyTo)
		}
		sum := 0
		for i := range r.Cells {
			c := &r.Cells[i]
			var spent []int
			before := 0
			for _, one := range all {
				if within(c, one, asOf) {
					spent = append(spent, cents(did(one, asOf)))
				}
				if !o.ComparedTo.IsZero() && within(c, one, o.ComparedTo) {
					before++
				}
			}
			sum += c.Individuals
			if c.Individuals != len(spent) || c.Before != before || c.Worth != worthOf(spent) {
				t.Fatalf("%+v; want %d, before %d, %+v", c, len(spent), before, worthOf(spent))
			}
			if (c.Change == nil) != o.ComparedTo.IsZero() || c.Change != nil && *c.Change != len(spent)-before {
				t.Fatalf("change %v of %d to %d", c.Change, before, len(spent))
			}
		}
		whole := 0
		for _, one := range all {
			if len(did(one, asOf)) > 0 {
				whole++
			}
		}
		if sum != whole || r.Individuals != whole || r.Population != len(all) || len(r.Cells) != (len(o.RecencyBounds)+1)*(len(o.FrequencyBounds)+1) {
			t.Fatalf("%d in %d cells of %d", sum, len(r.Cells), whole)
		}
		again(t, all, asOf, fresh, r)
	})
}

// again: one who does it again leaves one cell for another, or stays.
func again(t *rapid.T, all []insight.Timeline, asOf time.Time, fresh func() *recency.GridTally, r recency.GridReport) {
	if len(all) == 0 {
		return
	}
	more := slices.Clone(all)
	who := rapid.IntRange(0, len(all)-1).Draw(t, "who")
	more[who] = append(slices.Clone(more[who]), &insight.Interaction{ID: uuid.UUID{1}, Type: "purchase", OccurredAt: asOf}).Ordered()
	left, came := 0, 0
	for i, c := range addAll(fresh(), more).Report().Cells {
		switch c.Individuals - r.Cells[i].Individuals {
		case 0:
		case -1:
			left++
		case 1:
			came++
		default:
			t.Fatalf("cell %d went from %d to %d", i, r.Cells[i].Individuals, c.Individuals)
		}
	}
	if was := len(did(all[who], asOf)); came > 1 || was > 0 && left != came || was == 0 && (left != 0 || came != 1) {
		t.Fatalf("%d left, %d came", left, came)
	}
}

func TestGridOptions(t *testing.T) {
	good := recency.GridOptions{AsOf: start, ComparedTo: start, RecencyBounds: recency.DefaultBands(), FrequencyBounds: recency.DefaultFrequencyBands()}
	refuses(t, good, map[string]func(*recency.GridOptions){
		"asOf":              func(o *recency.GridOptions) { o.AsOf = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) },
		"event.types":       func(o *recency.GridOptions) { o.Event.Types = []string{} },
		"comparedTo":        func(o *recency.GridOptions) { o.ComparedTo = start.Add(1) },
		"recencyBands":      func(o *recency.GridOptions) { o.RecencyBounds = nil },
		"recencyBands[0]":   func(o *recency.GridOptions) { o.RecencyBounds = []time.Duration{-1} },
		"frequencyBands":    func(o *recency.GridOptions) { o.FrequencyBounds = make([]int, recency.MaxBounds+1) },
		"frequencyBands[0]": func(o *recency.GridOptions) { o.FrequencyBounds = []int{1, 2} },
		"frequencyBands[1]": func(o *recency.GridOptions) { o.FrequencyBounds = []int{2, 2} },
	})
}

func BenchmarkGrid(b *testing.B) {
	asOf := start.Add(insight.Year)
	o := recency.GridOptions{Event: purchases, AsOf: asOf, ComparedTo: asOf.Add(-recency.DefaultPeriod), RecencyBounds: recency.DefaultBands(), FrequencyBounds: recency.DefaultFrequencyBands()}
	benchmark(b, func() *recency.GridTally { return recency.NewGridTally(o) })
}
