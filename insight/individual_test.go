package insight_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
)

// TestBestTraitsInAnyOrder: which trait is shown does not depend on the order in which
// they are read, not even of two that one source told at one moment of two identifiers.
func TestBestTraitsInAnyOrder(t *testing.T) {
	moment := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) insight.Trait {
			return insight.Trait{
				Key: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "key"), Value: json.RawMessage(rapid.SampledFrom([]string{"1", "2", "null"}).Draw(t, "value")),
				Provenance: insight.Provenance(rapid.IntRange(1, 2).Draw(t, "provenance")), Sensitivity: insight.Sensitivity(rapid.IntRange(1, 2).Draw(t, "sensitivity")),
				Confidence: rapid.SampledFrom([]float64{0.5, 1}).Draw(t, "confidence"), Source: rapid.SampledFrom([]string{"shop", "crm"}).Draw(t, "source"),
				ObservedAt: moment.Add(time.Duration(rapid.IntRange(0, 1).Draw(t, "at")) * time.Hour),
			}
		}), 0, 6).Draw(t, "traits")
		best := insight.BestTraits(all)
		if diff := cmp.Diff(best, insight.BestTraits(rapid.Permutation(all).Draw(t, "order"))); diff != "" {
			t.Fatal(diff)
		}
		for _, b := range best {
			for _, other := range all {
				if other.Key == b.Key && other.Confidence > b.Confidence {
					t.Fatalf("%+v is shown, though %+v is surer", b, other)
				}
			}
		}
	})
}
