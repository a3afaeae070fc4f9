package attribution

import (
	"slices"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/exact"
)

// AddPath takes in one individual's path with as many conversions, of a value
// together, and as many nulls as are given.
func (t *Tally) AddPath(channels []*insight.Channel, conversions int64, value float64, nulls int64) {
	t.population++
	for _, times := range []struct{ conversions, nulls int64 }{{0, nulls}, {conversions, 0}} {
		t.path.clear()
		for _, c := range channels {
			t.touch(c, time.Time{})
		}
		if times.nulls > 0 {
			t.lapse(times.nulls)
		}
		if times.conversions > 0 {
			t.convert(times.conversions, value)
			t.converters++
		}
	}
	t.path.clear()
}

// Total adds up exactly: each part by itself, and the parts' sums.
func Total(parts ...[]float64) float64 {
	var all exact.Sum
	for _, part := range parts {
		var s exact.Sum
		for _, x := range part {
			s.Add(x)
		}
		all.Merge(&s)
	}
	return all.Float64()
}

// Size is how large the chain is.
func (t *Tally) Size() (states, steps int) { return len(t.chain.states), len(t.chain.steps) }

// SolveWithin solves the chain without one channel, within a budget of steps.
func (t *Tally) SolveWithin(budget float64) error {
	rank := make([]int32, len(t.accounts))
	for i := range rank {
		rank[i] = int32(i)
	}
	return newSystem(&t.chain, rank).solution().without(slices.Max(rank), budget)
}
