package recency_test

import (
	"math"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/recency"
)

// TestMoney: sums are those of the numbers as they are written, and never infinite.
func TestMoney(t *testing.T) {
	sum := func(values ...float64) float64 {
		var one insight.Timeline
		for i := range values {
			one = append(one, &insight.Interaction{ID: uuid.UUID{15: byte(i)}, OccurredAt: start, Value: &values[i]})
		}
		x, _ := recency.RFMOf(one, insight.Selector{}, start, recency.Cuts{})
		return x.Monetary
	}
	for _, c := range []struct {
		want   float64
		values []float64
	}{
		{0.3, []float64{0.1, 0.2}},
		{0.1, []float64{1e17, 0.1, -1e17}},
		{-0.7, []float64{-1, 0.3}},
		{19.99, []float64{19.99}},
		{8_589_934_592.01, []float64{8_589_934_592, 0.01}},
		{20_000_000_000.5, []float64{20_000_000_000.25, 0.25}},
		{-20_000_000_000.5, []float64{-20_000_000_000.25, -0.25}},
		{1e18, []float64{math.Inf(1)}},
		{-2e18, []float64{math.Inf(-1), -math.MaxFloat64}},
		{1, []float64{1, math.NaN()}},
		{0, []float64{math.Copysign(0, -1), 1e-7}},
	} {
		if got := sum(c.values...); got != c.want || math.Signbit(got) != math.Signbit(c.want) {
			t.Errorf("%v make %v, not %v", c.values, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		written := rapid.SliceOfN(rapid.Int64Range(-1e13, 1e13), 0, 20).Draw(t, "cents")
		values, whole := make([]float64, len(written)), int64(0)
		for i, c := range written {
			values[i] = float64(c) / 100
			whole += c
		}
		if got := sum(append(values, 0)...); math.Round(got*100) != float64(whole) {
			t.Fatalf("%v, not %d cents", got, whole)
		}
	})
}
