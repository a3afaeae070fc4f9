package recency_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/recency"
	"github.com/acquaint/acquaint/internal/script"
)

func TestScripts(t *testing.T) {
	script.Run(t, "testdata/*.txt", func(q script.Question) ([]string, error) {
		timeline, err := script.Timeline(q.Load)
		if err != nil {
			return nil, err
		}
		asOf, err := script.Time(q.Ask.Option("asOf"))
		if err != nil {
			return nil, err
		}
		sel := insight.AnyInbound()
		if types := q.Ask.Option("types"); types != "" {
			sel.Types = strings.Split(types, ",")
		}
		if q.Ask.Words[0] != "recency" {
			return askAll(q.Ask, people(q.Load, timeline), sel, asOf)
		}
		var options recency.Options
		if text := q.Ask.Option("population"); text == "everyone" {
			options.Habit = habit(people(q.Load, timeline), recency.HabitOptions{Event: sel, AsOf: asOf})
		} else if text != "" {
			wire, err := insight.ParseDuration(text)
			if err != nil {
				return nil, err
			}
			options.PopulationTripWire = &wire
		}
		if who := q.Ask.Option("who"); who != "" {
			timeline = slices.DeleteFunc(timeline, func(x *insight.Interaction) bool { return !strings.Contains(string(x.Properties), `"who":"`+who+`"`) })
		}
		return tell(recency.Of(timeline, sel, asOf, options)), nil
	})
}

func tell(r recency.Result) []string {
	first := fmt.Sprintf("last %s, elapsed %s, count %d", r.LastAt.Format(time.RFC3339), insight.FormatDuration(r.Elapsed), r.Count)
	if r.Count == 0 {
		first = "last never, count 0"
	}
	lines := []string{first, fmt.Sprintf("median gap %s, trip wire %s, %s", span(r.MedianGap), span(r.TripWire), map[bool]string{true: "overdue", false: "on time"}[r.Overdue])}
	if r.Percentile != nil {
		lines = append(lines, fmt.Sprintf("more recent than %.3g of all", *r.Percentile))
	}
	return lines
}

func span(d *time.Duration) string {
	if d == nil {
		return "none"
	}
	return insight.FormatDuration(*d)
}

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func timeline(t *rapid.T) insight.Timeline {
	var all insight.Timeline
	for i := range rapid.IntRange(0, 12).Draw(t, "interactions") {
		all = append(all, &insight.Interaction{
			ID: uuid.UUID{15: byte(i)}, Type: rapid.SampledFrom([]string{"page", "purchase"}).Draw(t, "type"), Direction: insight.Inbound,
			OccurredAt: start.Add(time.Duration(rapid.IntRange(0, 1_000).Draw(t, "minute")) * time.Minute),
		})
	}
	return all
}

var purchases = insight.Selector{Types: []string{"purchase"}}

// Neither the order of arrival, nor repetition, nor what comes later, nor what
// does not match changes the answer; and it is what the definition says.
func TestLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := timeline(t)
		asOf := start.Add(time.Duration(rapid.IntRange(-10, 1_100).Draw(t, "asOf")) * time.Minute)
		population := time.Duration(rapid.IntRange(0, 500).Draw(t, "population")) * time.Minute
		options := recency.Options{PopulationTripWire: &population}
		got := recency.Of(all, purchases, asOf, options)

		shuffled := append(slices.Clone(all), all[:rapid.IntRange(0, len(all)).Draw(t, "repeated")]...)
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if diff := cmp.Diff(got, recency.Of(shuffled, purchases, asOf, options)); diff != "" {
			t.Fatalf("arrival matters:\n%s", diff)
		}
		known := slices.DeleteFunc(slices.Clone(all), func(x *insight.Interaction) bool { return x.OccurredAt.After(asOf) || x.Type != "purchase" })
		if diff := cmp.Diff(got, recency.Of(known, insight.Selector{}, asOf, options)); diff != "" {
			t.Fatalf("the later or the other matters:\n%s", diff)
		}
		define(t, got, known, asOf, population)
	})
}

func define(t *rapid.T, got recency.Result, known insight.Timeline, asOf time.Time, population time.Duration) {
	minutes := make([]int, len(known))
	for i, x := range known {
		minutes[i] = int(x.OccurredAt.Sub(start) / time.Minute)
	}
	slices.Sort(minutes)
	if got.Count != len(minutes) {
		t.Fatalf("count %d of %d", got.Count, len(minutes))
	}
	if len(minutes) == 0 {
		if diff := cmp.Diff(got, recency.Result{}); diff != "" {
			t.Fatalf("nothing is something:\n%s", diff)
		}
		return
	}
	last := start.Add(time.Duration(minutes[len(minutes)-1]) * time.Minute)
	if !got.LastAt.Equal(last) || got.Elapsed != asOf.Sub(last) {
		t.Fatalf("last %v, elapsed %v; want %v", got.LastAt, got.Elapsed, last)
	}
	gaps := make([]float64, 0, len(minutes))
	for i := 1; i < len(minutes); i++ {
		gaps = append(gaps, float64(minutes[i]-minutes[i-1]))
	}
	slices.Sort(gaps)
	wire := population
	if n := len(gaps); n == 0 {
		if got.MedianGap != nil {
			t.Fatalf("a gap of %v between one and nothing", *got.MedianGap)
		}
	} else {
		median := time.Duration((gaps[(n-1)/2] + gaps[n/2]) / 2 * float64(time.Minute))
		if got.MedianGap == nil || *got.MedianGap != median {
			t.Fatalf("median gap %v of %v", got.MedianGap, gaps)
		}
		if n >= recency.OwnGaps {
			wire = median
		}
	}
	if got.TripWire == nil || *got.TripWire != wire || got.Overdue != (got.Elapsed > wire) {
		t.Fatalf("trip wire %v, overdue %v; want %v after %v", got.TripWire, got.Overdue, wire, got.Elapsed)
	}
}

// Gaps of 292 years do not add up to something negative.
func TestLongGaps(t *testing.T) {
	var all insight.Timeline
	for i, year := range []int{1, 2500, 5000, 7500, 9998} {
		all = append(all, &insight.Interaction{ID: uuid.UUID{15: byte(i)}, OccurredAt: time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)})
	}
	r := recency.Of(all, insight.Selector{}, time.Date(9998, 6, 1, 0, 0, 0, 0, time.UTC), recency.Options{})
	if r.Count != 5 || *r.MedianGap != 1<<63-1 || r.Overdue {
		t.Errorf("%+v, median gap %v", r, *r.MedianGap)
	}
}

func BenchmarkOf(b *testing.B) {
	var all insight.Timeline
	for i := range 200 {
		all = append(all, &insight.Interaction{ID: uuid.UUID{14: byte(i >> 8), 15: byte(i)}, Type: "purchase", OccurredAt: start.Add(time.Duration(i*i) * time.Minute)})
	}
	asOf := start.Add(insight.Year)
	b.ReportAllocs()
	for b.Loop() {
		recency.Of(all, purchases, asOf, recency.Options{})
	}
}
