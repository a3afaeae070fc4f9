package recency_test

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/recency"
)

func ExampleOf() {
	var timeline insight.Timeline
	for _, day := range []int{1, 8, 18, 22} {
		timeline = append(timeline, &insight.Interaction{
			ID: uuid.UUID{byte(day)}, Type: "purchase", Direction: insight.Inbound, OccurredAt: time.Date(2026, 1, day, 0, 0, 0, 0, time.UTC),
		})
	}
	r := recency.Of(timeline, insight.AnyInbound(), time.Date(2026, 1, 30, 0, 0, 0, 0, time.UTC), recency.Options{})
	fmt.Println(insight.FormatDuration(r.Elapsed), "since the last of", r.Count)
	fmt.Println("trip wire", insight.FormatDuration(*r.TripWire), "overdue", r.Overdue)
	// Output:
	// P8D since the last of 4
	// trip wire P7D overdue true
}

func ExampleHabit() {
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	asOf := day(30)
	tally := recency.NewHabitTally(recency.HabitOptions{Event: insight.AnyInbound(), AsOf: asOf})
	var last insight.Timeline
	for who, days := range [][]int{{1, 5}, {2, 10}, {3, 9}, {12}} {
		var timeline insight.Timeline
		for _, n := range days {
			timeline = append(timeline, &insight.Interaction{ID: uuid.UUID{byte(who), byte(n)}, Type: "purchase", Direction: insight.Inbound, OccurredAt: day(n)})
		}
		tally.Add(&insight.History{Timeline: timeline})
		last = timeline
	}
	r := recency.Of(last, insight.AnyInbound(), asOf, recency.Options{Habit: tally.Habit()})
	fmt.Println("more recent than", *r.Percentile, "of all")
	fmt.Println("trip wire", insight.FormatDuration(*r.TripWire), "overdue", r.Overdue)
	// Output:
	// more recent than 0.75 of all
	// trip wire P6D overdue true
}

func ExampleBandTally() {
	asOf := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	tally := recency.NewBandTally(recency.BandOptions{
		Event: insight.AnyInbound(), AsOf: asOf, Bounds: []time.Duration{insight.Week, insight.Month}, Horizon: insight.Week,
	})
	for who, days := range [][]int{{3}, {2, 9}, {8}, {40, 20}} {
		var timeline insight.Timeline
		for _, ago := range days {
			timeline = append(timeline, &insight.Interaction{
				ID: uuid.UUID{byte(who), byte(ago)}, Direction: insight.Inbound, OccurredAt: asOf.Add(-time.Duration(ago) * insight.Day),
			})
		}
		tally.Add(&insight.History{Timeline: timeline.Ordered()})
	}
	for _, b := range tally.Report().Bands {
		fmt.Println("from", insight.FormatDuration(b.From), "are", b.Individuals, "and", b.Responded, "of", b.Before, "responded")
	}
	// Output:
	// from PT0S are 2 and 1 of 2 responded
	// from P7D are 2 and 0 of 1 responded
	// from P30D are 0 and 0 of 0 responded
}

func ExampleRFMOf() {
	asOf := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	price := 40.0
	tally := recency.NewRFMTally(recency.RFMOptions{Event: insight.AnyInbound(), AsOf: asOf})
	var best insight.Timeline
	for times := range 5 {
		var timeline insight.Timeline
		for n := range times + 1 {
			timeline = append(timeline, &insight.Interaction{
				ID: uuid.UUID{byte(n)}, Direction: insight.Inbound, Value: &price, OccurredAt: asOf.Add(time.Duration(n-2*times-2) * insight.Day),
			})
		}
		tally.Add(&insight.History{Timeline: timeline})
		best = timeline
	}
	cuts, _ := tally.Cuts()
	r, _ := recency.RFMOf(best, insight.AnyInbound(), asOf, cuts)
	fmt.Println(r.RecencyDays, "days,", r.Frequency, "times,", r.Monetary)
	fmt.Println(r.Score, r.Segment)
	// Output:
	// 6 days, 5 times, 200
	// 245 Loyal Customers
}
