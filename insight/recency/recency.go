package recency

import (
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/median"
)

// OwnGaps is how many gaps of their own an individual needs for a trip wire of
// their own.
const OwnGaps = 3

// Options are what an answer depends on beside the individual.
type Options struct {
	// PopulationTripWire is the trip wire of an individual who has fewer than
	// [OwnGaps] gaps but has been seen: the population's median latency at their
	// step. Nil: Habit tells it, and where that does not either, they have none.
	PopulationTripWire *time.Duration
	// Habit is the population's. Nil when it is not known; there is then no
	// percentile.
	Habit *Habit
}

// Result is how recently and how regularly an individual did something.
type Result struct {
	LastAt     time.Time      // of the last matching interaction; zero when there is none
	Elapsed    time.Duration  // asOf minus LastAt; 0 when there is none
	Count      int            // of matching interactions
	MedianGap  *time.Duration // between consecutive ones; nil with fewer than two
	TripWire   *time.Duration // the silence from which they are overdue; nil when there is none
	Overdue    bool           // whether Elapsed is over TripWire
	Percentile *float64       // share of individuals less recent, see Habit.Percentile; nil when it is not known
}

// Of answers for one individual as of a moment. The timeline may be in any order
// and repeat itself; it is not changed.
func Of(t insight.Timeline, sel insight.Selector, asOf time.Time, options Options) Result {
	matches := sel.Matcher()
	var r Result
	var gaps []time.Duration
	for _, x := range t.Ordered().AsOf(asOf) {
		if !matches(x) {
			continue
		}
		if r.Count > 0 {
			gaps = append(gaps, x.OccurredAt.Sub(r.LastAt))
		}
		r.Count++
		r.LastAt = x.OccurredAt
	}
	if r.Count == 0 {
		return r
	}
	r.Elapsed = asOf.Sub(r.LastAt)
	r.TripWire = options.PopulationTripWire
	if habit := options.Habit; habit != nil {
		if wire, ok := habit.TripWire(r.Count); ok && r.TripWire == nil {
			r.TripWire = &wire
		}
		if share, ok := habit.Percentile(r.LastAt); ok {
			r.Percentile = &share
		}
	}
	if len(gaps) > 0 {
		usual := median.Of(gaps)
		r.MedianGap = &usual
		if len(gaps) >= OwnGaps {
			r.TripWire = &usual
		}
	}
	r.Overdue = r.TripWire != nil && r.Elapsed > *r.TripWire
	return r
}
