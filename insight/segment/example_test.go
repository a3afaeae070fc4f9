package segment_test

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/insight/segment"
)

// The example of the package: two purchases within 30 days, for marketing.
func ExampleProgram_Over() {
	day := func(month time.Month, day int) time.Time { return time.Date(2026, month, day, 0, 0, 0, 0, time.UTC) }
	rule, err := segment.Read([]byte(`{"event": {"event": {"types": ["purchase"]}, "atLeast": 2, "within": "P30D"}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	marketing := &insight.Purpose{Key: "marketing", Bit: 3, LegalBasis: insight.BasisConsent}
	book := segment.NewBook([]*insight.Purpose{marketing}, nil)
	regulars, err := book.Compile(&segment.Definition{Key: "regulars", Purpose: marketing, Rule: rule}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}

	ann := &segment.Facts{Coverage: []consent.Span{{}, {From: day(1, 15), Set: marketing.Set()}}}
	for _, n := range []int{1, 10, 20} {
		ann.Timeline = append(ann.Timeline, &insight.Interaction{ID: uuid.UUID{15: byte(n)}, Type: "purchase", Direction: insight.Inbound, OccurredAt: day(1, n)})
	}
	subject := book.Subject(ann)
	course := regulars.Over(subject, day(1, 1), day(1, 31))
	fmt.Println(course.Holds, course.Changes[0].Format(time.DateOnly), "until", course.Next.Format(time.DateOnly))
	for _, reason := range regulars.Why(subject, day(1, 31)) {
		fmt.Println(reason.Holds, reason.Rule)
		for _, fact := range reason.Facts {
			fmt.Println("-", fact)
		}
	}
	// Output:
	// false 2026-01-15 until 2026-02-09
	// true purpose: marketing covers them
	// - marketing covers them since 2026-01-15T00:00:00Z
	// true rule: purchase at least 2 times within P30D
	// - 2 interactions
	// - purchase at 2026-01-10T00:00:00Z
	// - purchase at 2026-01-20T00:00:00Z
}
