package cohort

import (
	"errors"
	"fmt"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/median"
)

// Order is in which order the steps of a funnel are done. The text is the API's.
type Order string

// The orders.
const (
	Ordered   Order = "ORDERED"   // in order, whatever comes between
	Strict    Order = "STRICT"    // in order, and nothing else inbound between
	Unordered Order = "UNORDERED" // in any order
)

// DefaultOrder is the order when nobody says.
const DefaultOrder = Ordered

// Bounds of a funnel.
const (
	MinSteps = 2
	MaxSteps = 20

	maxExclusions = 20
	maxWindow     = 100 * insight.Year
)

// Exclusion is what must not happen between two steps, which are counted from 1.
type Exclusion struct {
	Event      insight.Selector
	AfterStep  int
	BeforeStep int // after AfterStep
}

// FunnelOptions are what a funnel depends on beside the individuals.
type FunnelOptions struct {
	Steps      []insight.Selector // from MinSteps to MaxSteps
	Window     time.Duration      // the longest from the first interaction of an attempt to its last one
	Order      Order
	Exclusions []Exclusion
	AsOf       time.Time // later interactions do not exist
}

// Validate refuses options that cannot be meant. It joins one insight.Invalid error
// for each fault, whose subject is the argument's name or a path that starts with
// it, such as exclusions[0].afterStep.
func (o FunnelOptions) Validate() error {
	errs := []error{checkAsOf(o.AsOf)}
	bad := func(subject, message string) {
		errs = append(errs, insight.NewError(insight.Invalid, subject, message))
	}
	if n := len(o.Steps); n < MinSteps || n > MaxSteps {
		bad("steps", fmt.Sprintf("there are %d; a funnel has %d to %d", n, MinSteps, MaxSteps))
	} else {
		for i := range o.Steps {
			errs = append(errs, o.Steps[i].Validate(fmt.Sprintf("steps[%d]", i)))
		}
	}
	if o.Window <= 0 || o.Window > maxWindow {
		bad("window", "it is not between a moment and 100 years, such as P7D")
	}
	if o.Order != Ordered && o.Order != Strict && o.Order != Unordered {
		bad("order", "it is none of ORDERED, STRICT, UNORDERED")
	}
	if len(o.Exclusions) > maxExclusions {
		bad("exclusions", fmt.Sprintf("there are %d; at most %d are taken", len(o.Exclusions), maxExclusions))
		return errors.Join(errs...)
	}
	for i := range o.Exclusions {
		e, subject := &o.Exclusions[i], fmt.Sprintf("exclusions[%d]", i)
		errs = append(errs, e.Event.Validate(subject+".event"))
		switch {
		case e.AfterStep < 1 || e.AfterStep >= len(o.Steps):
			bad(subject+".afterStep", "it is not a step that another one follows; they are counted from 1")
		case e.BeforeStep <= e.AfterStep || e.BeforeStep > len(o.Steps):
			bad(subject+".beforeStep", "it is not a step that comes after afterStep; they are counted from 1")
		case o.Order == Unordered && (e.AfterStep != 1 || e.BeforeStep != len(o.Steps)):
			bad(subject, "UNORDERED takes exclusions from the first step to the last only")
		}
	}
	return errors.Join(errs...)
}

// Funnel counts who gets how far on a way of several steps.
type Funnel struct {
	way        way
	asOf       time.Time
	reached    []int // by step: whose furthest it is; the first is of those who did none
	spans      []median.Spans
	population int
}

// FunnelReport is the funnel of a population.
type FunnelReport struct {
	Population int // individuals, also those who did no step
	Steps      []FunnelStep
}

// FunnelStep is how many got to a step, and how long it took them.
type FunnelStep struct {
	Step                int // from 1
	Individuals         int
	Conversion          *float64       // their share of those who did the first step; nil when nobody did
	AverageFromPrevious *time.Duration // nil for the first step, and when nobody got here
	MedianFromPrevious  *time.Duration // the same
}

// NewFunnel makes a tally of nobody. The options are such that Validate accepts.
func NewFunnel(o FunnelOptions) *Funnel {
	n := len(o.Steps)
	f := &Funnel{asOf: o.AsOf, reached: make([]int, n+1), spans: make([]median.Spans, n+1)}
	f.way = way{window: o.Window.Microseconds(), order: o.Order}
	for i := range o.Steps {
		f.way.steps = append(f.way.steps, o.Steps[i].Matcher())
	}
	for i := range o.Exclusions {
		e := &o.Exclusions[i]
		f.way.exclusions = append(f.way.exclusions, exclusion{
			matches: e.Event.Matcher(),
			after:   steps(e.AfterStep, e.BeforeStep), within: steps(e.AfterStep+1, e.BeforeStep),
		})
	}
	return f
}

// Add takes in one individual.
func (f *Funnel) Add(h *insight.History) {
	f.population++
	best := f.way.furthest(h.Timeline.AsOf(f.asOf))
	f.reached[best.reached]++
	for k := 2; k <= best.reached; k++ {
		f.spans[k].Add(time.Duration(best.at[k-1]-best.at[k-2]) * time.Microsecond)
	}
}

// Merge takes in all that another tally of the same options holds.
func (f *Funnel) Merge(other *Funnel) {
	f.population += other.population
	for k := range f.reached {
		f.reached[k] += other.reached[k]
		f.spans[k].Merge(&other.spans[k])
	}
}

// Report is the answer about all who were taken in.
func (f *Funnel) Report() FunnelReport {
	r := FunnelReport{Population: f.population, Steps: make([]FunnelStep, len(f.way.steps))}
	individuals := 0
	for k := len(r.Steps); k > 0; k-- {
		individuals += f.reached[k]
		s := FunnelStep{Step: k, Individuals: individuals}
		if mean, ok := f.spans[k].Mean(); ok {
			s.AverageFromPrevious = &mean
		}
		if middle, ok := f.spans[k].Median(); ok {
			s.MedianFromPrevious = &middle
		}
		r.Steps[k-1] = s
	}
	if individuals == 0 {
		return r
	}
	for k := range r.Steps {
		conversion := float64(r.Steps[k].Individuals) / float64(individuals)
		r.Steps[k].Conversion = &conversion
	}
	return r
}
