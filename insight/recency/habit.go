package recency

import (
	"errors"
	"slices"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/median"
)

// HabitOptions are what the habit of a population depends on beside the
// individuals.
type HabitOptions struct {
	Event insight.Selector // what they did; who is told nothing sets insight.AnyInbound
	AsOf  time.Time        // later interactions do not exist
	// Quiet is the longest silence within a visit: matches that follow within Quiet of
	// the one before, and exactly at it too, go on with it, and count as one time.
	// Zero: each counts by itself, also at the same moment.
	Quiet time.Duration
}

// Validate refuses options that cannot be meant. It joins one insight.Invalid
// error for each fault, whose subject is the argument's name: asOf, quiet, or a path
// that starts with event.
func (o HabitOptions) Validate() error {
	errs := checkEvent(&o.Event, o.AsOf)
	if o.Quiet < 0 {
		errs = append(errs, insight.NewError(insight.Invalid, "quiet", "it must not be negative"))
	}
	return errors.Join(errs...)
}

func checkEvent(event *insight.Selector, asOf time.Time) []error {
	var errs []error
	if err := event.Validate("event"); err != nil {
		errs = append(errs, err)
	}
	if err := insight.CheckTime("asOf", asOf); err != nil {
		errs = append(errs, err)
	}
	return errs
}

// HabitTally gathers the habit of a population, one individual at a time. It holds
// 8 bytes for each individual who did it at all, and the gaps of the first
// [OwnGaps] steps: median.Spans keeps up to median.Exact of each step and counts
// more in buckets.
type HabitTally struct {
	matches func(*insight.Interaction) bool
	asOf    time.Time
	quiet   time.Duration // negative: nothing is within it
	lasts   []int64       // microseconds since 1970
	steps   [OwnGaps]median.Spans
}

// NewHabitTally returns a tally that has seen nobody. The options are ones that
// [HabitOptions.Validate] accepts.
func NewHabitTally(o HabitOptions) *HabitTally {
	t := &HabitTally{matches: o.Event.Matcher(), asOf: o.AsOf, quiet: o.Quiet}
	if t.quiet == 0 {
		t.quiet = -1
	}
	return t
}

// Add takes in one individual.
func (t *HabitTally) Add(h *insight.History) {
	known := h.Timeline.AsOf(t.asOf)
	n := 0
	var previous time.Time
	for _, x := range known {
		if !t.matches(x) {
			continue
		}
		silence := x.OccurredAt.Sub(previous)
		previous = x.OccurredAt
		if n > 0 {
			if silence <= t.quiet {
				continue
			}
			t.steps[n-1].Add(silence)
		}
		if n++; n > OwnGaps {
			break
		}
	}
	if n == 0 {
		return
	}
	// Of a long timeline only its two ends are read, unless it is a few long visits.
	for _, x := range slices.Backward(known) {
		if t.matches(x) {
			t.lasts = append(t.lasts, x.OccurredAt.UnixMicro())
			return
		}
	}
}

// Merge takes in everyone whom o has seen, a tally of the same options, which stays
// as it is.
func (t *HabitTally) Merge(o *HabitTally) {
	t.lasts = append(t.lasts, o.lasts...)
	for i := range t.steps {
		t.steps[i].Merge(&o.steps[i])
	}
}

// Habit is the habit of everyone seen so far. What is added later does not change
// it.
func (t *HabitTally) Habit() *Habit {
	h := &Habit{lasts: slices.Clone(t.lasts)}
	slices.Sort(h.lasts)
	for i := range t.steps {
		if wire, ok := t.steps[i].Median(); ok {
			h.steps[i] = &wire
		}
	}
	return h
}

// Habit is what one individual's recency is compared with: when each individual of
// a population last did the thing, and how long each of the first steps took them.
// It never changes, and is safe for concurrent use. The zero value is that of a
// population that never did it.
type Habit struct {
	lasts []int64 // in order
	steps [OwnGaps]*time.Duration
}

// Individuals is how many did it at all.
func (h *Habit) Individuals() int { return len(h.lasts) }

// Percentile is the share of those who did it at all who are less recent than
// somebody who did it last at a moment: strictly, and with that somebody, who is
// among them, in the whole. It is 0 for the least recent and never reaches 1 for
// one of them; it does for a stranger who is more recent than all of them. It is
// false where nobody did it.
func (h *Habit) Percentile(last time.Time) (float64, bool) {
	if len(h.lasts) == 0 {
		return 0, false
	}
	earlier, _ := slices.BinarySearch(h.lasts, last.UnixMicro())
	return float64(earlier) / float64(len(h.lasts)), true
}

// TripWire is the population's trip wire for somebody who did it count times: the
// median latency of step count, from the count-th to the next, and with a Quiet from
// the end of a visit to the beginning of the next. It is false where
// nobody made that step, and where count is over [OwnGaps], since who has as many
// gaps has a trip wire of their own.
func (h *Habit) TripWire(count int) (time.Duration, bool) {
	if count < 1 || count > OwnGaps || h.steps[count-1] == nil {
		return 0, false
	}
	return *h.steps[count-1], true
}
