package relationship_test

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/relationship"
)

func ExampleOf() {
	h := &insight.History{}
	for _, day := range []int{1, 8, 18, 22} {
		h.Timeline = append(h.Timeline, &insight.Interaction{
			ID: uuid.UUID{byte(day)}, Type: "purchase", Direction: insight.Inbound, OccurredAt: time.Date(2026, 1, day, 0, 0, 0, 0, time.UTC),
		})
	}
	o := relationship.Options{AsOf: time.Date(2026, 1, 29, 0, 0, 0, 0, time.UTC)}
	fmt.Println(relationship.Of(h, o).Status)
	next, _ := relationship.NextChange(h, o)
	fmt.Println("until", next.Format(time.RFC3339Nano))

	o.AsOf = time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	r := relationship.Of(h, o)
	fmt.Println(r.Status, "since", r.Since.Format(time.DateOnly))
	for _, fact := range r.Evidence {
		fmt.Println("-", fact)
	}
	fmt.Println(r.Outreach.Advised, r.Outreach.Reason)
	// Output:
	// ACTIVE
	// until 2026-01-29T00:00:00.000001Z
	// COOLING since 2026-01-29
	// - silent for 10 days, longer than the trip wire, which tripped on 2026-01-29
	// - they came 4 times, first on 2026-01-01, last on 2026-01-22
	// - their median gap between visits is 7 days
	// true they are overdue: act once, with something of use to them
}

// Whoever has fewer than three gaps is measured by the population's habit, which a
// first pass has found.
func ExampleTally() {
	habit := map[int]time.Duration{1: 10 * insight.Day, 2: 8 * insight.Day, 3: 8 * insight.Day}
	t := relationship.NewTally(relationship.Options{
		AsOf:     time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC),
		TripWire: func(count int) (time.Duration, bool) { wire, ok := habit[count]; return wire, ok },
	})
	for _, day := range []int{5, 25} {
		t.Add(&insight.History{Timeline: insight.Timeline{
			{ID: uuid.UUID{byte(day)}, Type: "purchase", Direction: insight.Inbound, OccurredAt: time.Date(2026, 1, day, 0, 0, 0, 0, time.UTC)},
		}})
	}
	r := t.Report()
	for _, c := range r.Counts {
		if c.Individuals > 0 {
			fmt.Println(c.Individuals, "of", r.Population, c.Status)
		}
	}
	// Output:
	// 1 of 2 NEW
	// 1 of 2 COOLING
}
