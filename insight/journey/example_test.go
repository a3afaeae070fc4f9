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
