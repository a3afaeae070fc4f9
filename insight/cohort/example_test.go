package cohort_test

import (
	"fmt"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/cohort"
)

func visits(days ...int) *insight.History {
	h := &insight.History{}
	for i, day := range days {
		h.Timeline = append(h.Timeline, interaction(i, "page", time.Date(2026, 1, day, 12, 0, 0, 0, time.UTC)))
	}
	return h
}

func ExampleLifecycle() {
	l := cohort.NewLifecycle(cohort.ActivityOptions{
		Calendar: cohort.Calendar{Interval: cohort.Day, WeekStart: cohort.DefaultWeekStart, Zone: time.UTC},
		From:     time.Date(2026, 1, 12, 0, 0, 0, 0, time.UTC),
		To:       time.Date(2026, 1, 15, 0, 0, 0, 0, time.UTC),
		AsOf:     time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC),
	})
	l.Add(visits(11, 12, 13, 15))
	l.Add(visits(13))
	for _, b := range l.Report().Buckets {
		fmt.Println(b.From.Format(time.DateOnly), b.New, b.Returning, b.Resurrecting, b.Dormant)
	}
	// Output:
	// 2026-01-12 0 1 0 0
	// 2026-01-13 1 1 0 0
	// 2026-01-14 0 0 0 -2
	// 2026-01-15 0 0 1 0
}

func ExampleRetention() {
	r := cohort.NewRetention(cohort.RetentionOptions{
		Calendar: cohort.Calendar{Interval: cohort.Day, WeekStart: cohort.DefaultWeekStart, Zone: time.UTC},
		From:     time.Date(2026, 1, 11, 0, 0, 0, 0, time.UTC),
		Buckets:  3,
		Mode:     cohort.DefaultMode,
		AsOf:     time.Date(2026, 1, 14, 18, 0, 0, 0, time.UTC),
	})
	r.Add(visits(11, 12, 13, 15))
	r.Add(visits(11, 13))
	for _, c := range r.Report().Cohorts {
		fmt.Println(c.From.Format(time.DateOnly), c.Counts)
	}
	// Output:
	// 2026-01-11 [2 1 2]
	// 2026-01-12 [1 1 0]
	// 2026-01-13 [2 0]
}

func ExampleStickiness() {
	s := cohort.NewStickiness(cohort.ActivityOptions{
		Calendar: cohort.Calendar{Interval: cohort.Week, WeekStart: cohort.Monday, Zone: time.UTC},
		From:     time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC),
		To:       time.Date(2026, 1, 18, 0, 0, 0, 0, time.UTC),
		AsOf:     time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC),
	})
	s.Add(visits(6, 7, 13))
	s.Add(visits(13, 14, 15))
	for _, n := range s.Report().Counts {
		fmt.Println(n.Individuals, "in", n.ActiveBuckets)
	}
	// Output:
	// 1 in 1
	// 1 in 2
}

func ExampleFunnel() {
	f := cohort.NewFunnel(cohort.FunnelOptions{
		Steps:  []insight.Selector{{Types: []string{"sign up"}}, {Types: []string{"buy"}}},
		Window: insight.Week,
		Order:  cohort.DefaultOrder,
		AsOf:   time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC),
	})
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	f.Add(&insight.History{Timeline: insight.Timeline{interaction(1, "sign up", start), interaction(2, "page", start), interaction(3, "buy", start.Add(time.Hour))}})
	f.Add(&insight.History{Timeline: insight.Timeline{interaction(1, "sign up", start)}})
	r := f.Report()
	fmt.Println(r.Steps[0].Individuals, "sign up")
	fmt.Println(r.Steps[1].Individuals, "buys,", *r.Steps[1].Conversion, "of them, after", *r.Steps[1].MedianFromPrevious)
	// Output:
	// 2 sign up
	// 1 buys, 0.5 of them, after 1h0m0s
}
