package cohort_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/cohort"
	"github.com/acquaint/acquaint/insight/median"
)

// funnels are of steps that may be alike or overlap, and of exclusions that may be
// steps too.
func funnels(t *rapid.T) cohort.FunnelOptions {
	selector := rapid.SampledFrom([]insight.Selector{*only("a"), *only("b"), *only("c"), *only("a", "b"), *only("b", "c"), {}})
	o := cohort.FunnelOptions{
		Steps:  rapid.SliceOfN(selector, 2, 4).Draw(t, "steps"),
		Window: time.Duration(rapid.IntRange(1, 12).Draw(t, "window")) * time.Minute,
		Order:  rapid.SampledFrom([]cohort.Order{cohort.Ordered, cohort.Strict, cohort.Unordered}).Draw(t, "order"),
		AsOf:   day.Add(time.Duration(rapid.IntRange(5, 14).Draw(t, "asOf")) * time.Minute),
	}
	for range rapid.IntRange(0, 2).Draw(t, "exclusions") {
		e := cohort.Exclusion{Event: *only(rapid.SampledFrom([]string{"x", "a", "c"}).Draw(t, "excluded")), AfterStep: 1, BeforeStep: len(o.Steps)}
		if o.Order != cohort.Unordered {
			e.AfterStep = rapid.IntRange(1, len(o.Steps)-1).Draw(t, "afterStep")
			e.BeforeStep = rapid.IntRange(e.AfterStep+1, len(o.Steps)).Draw(t, "beforeStep")
		}
		o.Exclusions = append(o.Exclusions, e)
	}
	return o
}

var day = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// attempts tries every choice of interactions, given by their places.
func attempts(o *cohort.FunnelOptions, t insight.Timeline) [][]int {
	var all [][]int
	var places, taken []int
	var try func()
	try = func() {
		if len(places) > 0 {
			if !allowed(o, t, places) {
				return
			}
			all = append(all, slices.Clone(places))
		}
		next := 0
		if len(places) > 0 {
			next = places[len(places)-1] + 1
		}
		for i := next; i < len(t); i++ {
			for k := range o.Steps {
				if o.Order != cohort.Unordered && k != len(places) || slices.Contains(taken, k) || !o.Steps[k].Matches(t[i]) {
					continue
				}
				places, taken = append(places, i), append(taken, k)
				try()
				places, taken = places[:len(places)-1], taken[:len(taken)-1]
			}
		}
	}
	try()
	return all
}

// allowed says the definition of an attempt over.
func allowed(o *cohort.FunnelOptions, t insight.Timeline, places []int) bool {
	n := len(places)
	if t[places[n-1]].OccurredAt.Sub(t[places[0]].OccurredAt) > o.Window {
		return false
	}
	for _, e := range o.Exclusions {
		if n <= e.AfterStep {
			continue
		}
		for i := places[e.AfterStep-1] + 1; i < places[min(n, e.BeforeStep)-1]; i++ {
			if e.Event.Matches(t[i]) {
				return false
			}
		}
	}
	for i := places[0]; i < places[n-1] && o.Order == cohort.Strict; i++ {
		if t[i].Direction == insight.Inbound && !slices.Contains(places, i) {
			return false
		}
	}
	return true
}

// chosen is the attempt that tells about an individual.
func chosen(all [][]int) []int {
	var best []int
	for _, a := range all {
		if best == nil {
			best = a
			continue
		}
		n, m := len(a), len(best)
		switch {
		case n != m:
			if n > m {
				best = a
			}
		case a[n-1] != best[n-1]:
			if a[n-1] < best[n-1] {
				best = a
			}
		case a[0] != best[0]:
			if a[0] > best[0] {
				best = a
			}
		case slices.Compare(a, best) < 0:
			best = a
		}
	}
	return best
}

func report(o *cohort.FunnelOptions, people []*insight.History) cohort.FunnelReport {
	f := cohort.NewFunnel(*o)
	for _, h := range people {
		f.Add(h)
	}
	return f.Report()
}

func TestFunnelLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := funnels(t)
		if err := o.Validate(); err != nil {
			t.Fatal(err)
		}
		people := population(t, day, 15*time.Minute, 9)
		got := laws(t, people, o.AsOf, func() *cohort.Funnel { return cohort.NewFunnel(o) }, (*cohort.Funnel).Add, (*cohort.Funnel).Merge, (*cohort.Funnel).Report)

		want := cohort.FunnelReport{Population: len(people), Steps: make([]cohort.FunnelStep, len(o.Steps))}
		spans := make([][]time.Duration, len(o.Steps))
		for _, h := range people {
			best := chosen(attempts(&o, h.Timeline.AsOf(o.AsOf)))
			for k, place := range best {
				want.Steps[k].Individuals++
				if k > 0 {
					spans[k] = append(spans[k], h.Timeline[place].OccurredAt.Sub(h.Timeline[best[k-1]].OccurredAt))
				}
			}
		}
		for k := range want.Steps {
			s := &want.Steps[k]
			s.Step = k + 1
			if first := want.Steps[0].Individuals; first > 0 {
				share := float64(s.Individuals) / float64(first)
				s.Conversion = &share
			}
			if len(spans[k]) > 0 {
				var sum time.Duration
				for _, d := range spans[k] {
					sum += d
				}
				mean, middle := sum/time.Duration(len(spans[k])), median.Of(spans[k])
				s.AverageFromPrevious, s.MedianFromPrevious = &mean, &middle
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("it is not as defined:\n%s", diff)
		}
	})
}

// reach is how many reach each step.
func reach(o *cohort.FunnelOptions, people []*insight.History) []int {
	var all []int
	for _, s := range report(o, people).Steps {
		all = append(all, s.Individuals)
	}
	return all
}

// nowhereOver reports whether no step of one has more than that of the other.
func nowhereOver(one, other []int) bool {
	for k := range one {
		if one[k] > other[k] {
			return false
		}
	}
	return true
}

// No step has more than the one before, a longer window lowers none, and what is
// stricter reaches no further.
func TestFunnelOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := funnels(t)
		o.AsOf = day.Add(insight.Day)
		people := population(t, day, 30*time.Minute, 40)
		counts := reach(&o, people)
		for k := 1; k < len(counts); k++ {
			if counts[k] > counts[k-1] {
				t.Fatalf("%v rises", counts)
			}
		}
		longer := o
		longer.Window += time.Duration(rapid.IntRange(0, 20).Draw(t, "longer")) * time.Minute
		if more := reach(&longer, people); !nowhereOver(counts, more) {
			t.Fatalf("a longer window lowers %v to %v", counts, more)
		}
		for i := range o.Exclusions {
			o.Exclusions[i].AfterStep, o.Exclusions[i].BeforeStep = 1, len(o.Steps)
		}
		byOrder := map[cohort.Order][]int{}
		for _, order := range []cohort.Order{cohort.Strict, cohort.Ordered, cohort.Unordered} {
			o.Order = order
			byOrder[order] = reach(&o, people)
		}
		if !nowhereOver(byOrder[cohort.Strict], byOrder[cohort.Ordered]) || !nowhereOver(byOrder[cohort.Ordered], byOrder[cohort.Unordered]) {
			t.Fatalf("%v", byOrder)
		}
		free := o
		free.Exclusions = nil
		if with, without := reach(&o, people), reach(&free, people); !nowhereOver(with, without) {
			t.Fatalf("an exclusion raises %v to %v", without, with)
		}
	})
}

// The window includes its end, to the microsecond.
func TestWindowIncludesItsEnd(t *testing.T) {
	for over, want := range map[time.Duration]int{0: 1, time.Microsecond: 0} {
		h := &insight.History{Timeline: insight.Timeline{interaction(1, "a", day), interaction(2, "b", day.Add(insight.Week+over))}}
		for _, order := range []cohort.Order{cohort.Ordered, cohort.Strict, cohort.Unordered} {
			o := cohort.FunnelOptions{Steps: []insight.Selector{*only("a"), *only("b")}, Window: insight.Week, Order: order, AsOf: day.Add(insight.Year)}
			if got := reach(&o, []*insight.History{h}); got[1] != want {
				t.Errorf("%s, %v over: %v", order, over, got)
			}
		}
	}
}

// long is one individual's timeline of nearly a year and many interactions, with
// which nobody gets to the end of a funnel.
func long(n int) *insight.History {
	t := make(insight.Timeline, n)
	for i := range t {
		t[i] = interaction(i, []string{"a", "b", "c", "page", "page", "page"}[i*i%6], day.Add(time.Duration(5*i)*time.Minute))
	}
	return &insight.History{Timeline: t}
}

func benchmark(b *testing.B, add func(*insight.History)) {
	const n = 100_000
	h := long(n)
	b.ReportAllocs()
	for b.Loop() {
		add(h)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/interaction")
}

func BenchmarkFunnel(b *testing.B) {
	for _, order := range []cohort.Order{cohort.Ordered, cohort.Strict, cohort.Unordered} {
		for name, steps := range map[string]int{"4 steps": 4, "20 steps": 20} {
			o := cohort.FunnelOptions{Window: insight.Week, Order: order, AsOf: day.AddDate(50, 0, 0)}
			for i := range steps - 1 {
				o.Steps = append(o.Steps, *only([]string{"a", "b", "c"}[i%3]))
			}
			o.Steps = append(o.Steps, *only("never"))
			b.Run(string(order)+"/"+name, func(b *testing.B) { benchmark(b, cohort.NewFunnel(o).Add) })
		}
	}
}

func BenchmarkBuckets(b *testing.B) {
	c := cohort.Calendar{Interval: cohort.Day, WeekStart: cohort.Monday, Zone: zone("Europe/Vienna")}
	to, asOf := day.AddDate(0, 0, 360), day.AddDate(50, 0, 0)
	b.Run("lifecycle", func(b *testing.B) {
		benchmark(b, cohort.NewLifecycle(cohort.ActivityOptions{Calendar: c, From: day, To: to, AsOf: asOf}).Add)
	})
	b.Run("stickiness", func(b *testing.B) {
		benchmark(b, cohort.NewStickiness(cohort.ActivityOptions{Calendar: c, From: day, To: to, AsOf: asOf}).Add)
	})
	b.Run("retention", func(b *testing.B) {
		benchmark(b, cohort.NewRetention(cohort.RetentionOptions{Calendar: c, From: day, Buckets: 360, Mode: cohort.Recurring, AsOf: asOf}).Add)
	})
}
