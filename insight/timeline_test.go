package insight_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
)

func timelines() *rapid.Generator[insight.Timeline] {
	one := rapid.Custom(func(t *rapid.T) *insight.Interaction {
		return &insight.Interaction{
			ID:         uuid.UUID{15: byte(rapid.IntRange(0, 20).Draw(t, "id"))},
			OccurredAt: noon.Add(time.Duration(rapid.IntRange(0, 10).Draw(t, "hours")) * time.Hour),
		}
	})
	return rapid.Custom(func(t *rapid.T) insight.Timeline { return rapid.SliceOfN(one, 0, 20).Draw(t, "interactions") })
}

func TestOrdered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		came := timelines().Draw(t, "timeline")
		before := slices.Clone(came)
		ordered := came.Ordered()
		if !slices.Equal(came, before) {
			t.Fatal("the timeline itself was changed")
		}
		ids := map[uuid.UUID]time.Time{}
		for _, x := range came {
			if at, known := ids[x.ID]; !known || x.OccurredAt.Before(at) {
				ids[x.ID] = x.OccurredAt
			}
		}
		if len(ordered) != len(ids) {
			t.Fatalf("%d interactions of %d ids", len(ordered), len(ids))
		}
		for i, x := range ordered {
			if i > 0 && !ordered[i-1].Before(x) {
				t.Fatalf("number %d is out of order", i)
			}
			if !ids[x.ID].Equal(x.OccurredAt) {
				t.Fatalf("of the repeated id %v not the earliest stayed", x.ID)
			}
		}
		if again := ordered.Ordered(); len(again) > 0 && &again[0] != &ordered[0] {
			t.Fatal("an ordered timeline was copied")
		}
		moment := noon.Add(time.Duration(rapid.IntRange(-1, 11).Draw(t, "moment")) * time.Hour)
		for i, x := range ordered {
			if in := i < len(ordered.AsOf(moment)); in == x.OccurredAt.After(moment) {
				t.Fatalf("as of %v: %v is in: %v", moment, x.OccurredAt, in)
			}
		}
	})
}
