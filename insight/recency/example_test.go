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
