package attribution_test

import (
	"fmt"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/attribution"
)

func ExampleTally() {
	g, m := &insight.Channel{Key: "g"}, &insight.Channel{Key: "m"}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	tally := attribution.NewTally(attribution.Options{
		Conversion: insight.Selector{Types: []string{"purchase"}}, Model: attribution.Markov, Order: attribution.DefaultOrder,
		Lookback: attribution.DefaultLookback, AsOf: at.Add(insight.Day),
	})
	for _, way := range [][]*insight.Channel{{g, nil}, {g, nil}, {m, nil}, {g, m, nil}, {g}} {
		var h insight.History
		for i, channel := range way {
			x := &insight.Interaction{Type: "visit", Channel: channel, OccurredAt: at.Add(time.Duration(i) * time.Hour)}
			if channel == nil {
				x.Type = "purchase"
			}
			h.Timeline = append(h.Timeline, x)
		}
		tally.Add(&h)
	}
	report, err := tally.Report()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(report.Conversions, "of", report.Journeys)
	for _, c := range report.Channels {
		fmt.Printf("%s removal effect %.2f, credit %.1f\n", c.Channel.Key, *c.RemovalEffect, c.Conversions)
	}
	// Output:
	// 4 of 5
	// g removal effect 0.75, credit 2.4
	// m removal effect 0.50, credit 1.6
}
