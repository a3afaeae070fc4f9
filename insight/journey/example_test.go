package journey_test

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/journey"
)

func ExampleOf() {
	web, store := &insight.Channel{Key: "web"}, &insight.Channel{Key: "store"}
	day := func(n int) time.Time { return time.Date(2026, 3, n, 0, 0, 0, 0, time.UTC) }
	timeline := insight.Timeline{
		{ID: uuid.UUID{1}, Type: "page", Channel: web, OccurredAt: day(1)},
		{ID: uuid.UUID{2}, Type: "product", Channel: web, OccurredAt: day(2)},
		{ID: uuid.UUID{3}, Type: "purchase", Channel: store, OccurredAt: day(5)},
	}
	j := journey.Of(timeline, journey.Options{
		Conversion: &insight.Selector{Types: []string{"purchase"}}, Lookback: journey.DefaultLookback, AsOf: day(10),
	})
	for _, p := range j.Touchpoints {
		fmt.Println(p.Channel.Key, p.Interactions, p.Types, insight.FormatDuration(p.SincePrevious))
	}
	fmt.Println("converted", j.Converted, j.EndedAt.Format(time.DateOnly))
	// Output:
	// web 2 [page product] PT0S
	// store 1 [purchase] P3D
	// converted true 2026-03-05
}

func ExampleTransitions() {
	web, email, store := &insight.Channel{Key: "web"}, &insight.Channel{Key: "email"}, &insight.Channel{Key: "store"}
	came := func(channels ...*insight.Channel) *insight.History {
		h := new(insight.History)
		for n, channel := range channels {
			h.Timeline = append(h.Timeline, &insight.Interaction{ID: uuid.UUID{byte(n)}, Channel: channel, OccurredAt: time.Date(2026, 3, 1+n, 0, 0, 0, 0, time.UTC)})
		}
		return h
	}
	tally := journey.NewTransitions(journey.TransitionOptions{Lookback: journey.DefaultLookback, AsOf: time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)})
	tally.Add(came(email, web, web, store))
	tally.Add(came(email, web))
	tally.Add(came(store, email, store))
	tally.Add(came(web))
	report := tally.Report()
	for _, next := range report.Next("email") {
		fmt.Printf("%s %.2f of the time, lift %.2f, usually after %s\n", next.To, next.Probability, next.Lift, insight.FormatDuration(next.MedianTime))
	}
	// Output:
	// web 0.67 of the time, lift 1.33, usually after P1D
	// store 0.33 of the time, lift 0.67, usually after P1D
}

func ExamplePaths() {
	web, email := &insight.Channel{Key: "web"}, &insight.Channel{Key: "email"}
	day := func(n int) time.Time { return time.Date(2026, 3, n, 0, 0, 0, 0, time.UTC) }
	tally := journey.NewPaths(journey.PathOptions{
		Conversion: &insight.Selector{Types: []string{"purchase"}}, Lookback: journey.DefaultLookback,
		MaxLength: journey.DefaultMaxLength, Top: journey.DefaultTop, AsOf: day(10),
	})
	for _, value := range []float64{10, 20} {
		tally.Add(&insight.History{Timeline: insight.Timeline{
			{Type: "mailing", Channel: email, OccurredAt: day(1)}, {Type: "purchase", Channel: web, OccurredAt: day(2), Value: &value},
		}})
	}
	tally.Add(&insight.History{Timeline: insight.Timeline{{Type: "mailing", Channel: email, OccurredAt: day(1)}, {Type: "page", Channel: web, OccurredAt: day(3)}}})
	tally.Add(&insight.History{Timeline: insight.Timeline{{Type: "mailing", Channel: email, OccurredAt: day(1)}}})
	for _, p := range tally.Report().Paths {
		fmt.Println(p.Channels, p.Journeys, "journeys,", p.Conversions, "converted, worth", *p.Value)
	}
	// Output:
	// [email web] 3 journeys, 2 converted, worth 30
	// [email] 1 journeys, 0 converted, worth 0
}
