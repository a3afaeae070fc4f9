package recency

import (
	"errors"
	"fmt"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/median"
)

// How many steps a latency report has.
const (
	DefaultSteps = 10
	MaxSteps     = 50
)

// LatencyOptions are what the latency of a population depends on beside the
// individuals.
type LatencyOptions struct {
	Event insight.Selector // what they did; who is told nothing sets insight.AnyInbound
	AsOf  time.Time        // later interactions do not exist
	Steps int              // how many; who is told nothing sets DefaultSteps
}

// Validate refuses options that cannot be meant. It joins one insight.Invalid
// error for each fault, whose subject is the argument's name: steps, asOf, or a
// path that starts with event.
func (o LatencyOptions) Validate() error {
	errs := checkEvent(&o.Event, o.AsOf)
	if o.Steps < 1 || o.Steps > MaxSteps {
		errs = append(errs, insight.NewError(insight.Invalid, "steps", fmt.Sprintf("it is not between 1 and %d", MaxSteps)))
	}
	return errors.Join(errs...)
}

// LatencyTally gathers how long each step takes a population, one individual at a
// time. Whether an individual without a trip wire of their own is overdue is known
// only once everyone has been seen, so it holds 8 bytes for each of them, and beside
// that for each step what median.Spans holds.
type LatencyTally struct {
	matches     func(*insight.Interaction) bool
	asOf        time.Time
	population  int
	individuals int
	steps       []step
	waiting     [OwnGaps][]time.Duration // who has fewer than OwnGaps gaps: the time since, by the step they stand at
	gaps        []time.Duration          // of the individual in hand
}

type step struct {
	made              median.Spans
	standing, overdue int // overdue: of those with a trip wire of their own
}

// NewLatencyTally returns a tally that has seen nobody. The options are ones that
// [LatencyOptions.Validate] accepts.
func NewLatencyTally(o LatencyOptions) *LatencyTally {
	return &LatencyTally{matches: o.Event.Matcher(), asOf: o.AsOf, steps: make([]step, o.Steps)}
}

// Add takes in one individual.
func (t *LatencyTally) Add(h *insight.History) {
	t.population++
	t.gaps = t.gaps[:0]
	count := 0
	var last time.Time
	for _, x := range h.Timeline.AsOf(t.asOf) {
		if !t.matches(x) {
			continue
		}
		if count > 0 {
			gap := x.OccurredAt.Sub(last)
			t.gaps = append(t.gaps, gap)
			t.steps[count-1].made.Add(gap)
		}
		last = x.OccurredAt
		if count++; count > len(t.steps) {
			t.individuals++
			return // they stand at a step that nobody asked for
		}
	}
	if count == 0 {
		return
	}
	t.individuals++
	at, elapsed := &t.steps[count-1], t.asOf.Sub(last)
	at.standing++
	switch {
	case len(t.gaps) < OwnGaps:
		t.waiting[count-1] = append(t.waiting[count-1], elapsed)
	case elapsed > median.Of(t.gaps):
		at.overdue++
	}
}

// Merge takes in everyone whom o has seen, a tally of the same options, which stays
// as it is.
func (t *LatencyTally) Merge(o *LatencyTally) {
	t.population += o.population
	t.individuals += o.individuals
	for i := range t.steps {
		mine, theirs := &t.steps[i], &o.steps[i]
		mine.made.Merge(&theirs.made)
		mine.standing += theirs.standing
		mine.overdue += theirs.overdue
	}
	for i := range t.waiting {
		t.waiting[i] = append(t.waiting[i], o.waiting[i]...)
	}
}

// LatencyReport is how long each step takes a population.
type LatencyReport struct {
	Population  int       // everyone, also who never did it
	Individuals int       // who did it at all
	AsOf        time.Time // the moment that is looked back from
	Steps       []Step    // the first step first
}

// Step is the way from the n-th time to the next.
type Step struct {
	Step        int            // n, from 1
	Individuals int            // who made it
	Mean        *time.Duration // of their gaps, cut off below the nanosecond; nil when nobody made it
	Median      *time.Duration // as median.Spans has it; nil when nobody made it
	Standing    int            // who did it n times and stand before it
	Overdue     int            // of those, who are past their trip wire, as [Of] has it
}

// Report is how long each step took everyone seen so far.
func (t *LatencyTally) Report() LatencyReport {
	r := LatencyReport{Population: t.population, Individuals: t.individuals, AsOf: t.asOf, Steps: make([]Step, len(t.steps))}
	for i := range t.steps {
		s := &t.steps[i]
		told := Step{Step: i + 1, Individuals: s.made.Len(), Standing: s.standing, Overdue: s.overdue}
		if mean, ok := s.made.Mean(); ok {
			told.Mean = &mean
		}
		if wire, ok := s.made.Median(); ok {
			told.Median = &wire
			if i < OwnGaps {
				for _, elapsed := range t.waiting[i] {
					if elapsed > wire {
						told.Overdue++
					}
				}
			}
		}
		r.Steps[i] = told
	}
	return r
}
