package recency

import (
	"errors"
	"slices"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/smallgroup"
)

// DefaultPeriod is how long before asOf a grid is compared with when nobody says.
const DefaultPeriod = insight.Month

// DefaultFrequencyBands are the inner bounds of Jim Novo's bands 1, 2, 3, 4, 5 and
// more.
func DefaultFrequencyBands() []int { return []int{2, 3, 4, 5, 6} }

// GridOptions are what a lifecycle grid depends on beside the individuals.
type GridOptions struct {
	Event insight.Selector // what they did; who is told nothing sets insight.AnyInbound
	AsOf  time.Time        // later interactions do not exist
	// ComparedTo is the moment since which movement is told, at AsOf or before it.
	// Who is told nothing sets AsOf minus [DefaultPeriod]; zero: none is told.
	ComparedTo      time.Time
	RecencyBounds   []time.Duration // where one band ends and the next begins; who is told nothing sets DefaultBands
	FrequencyBounds []int           // likewise, of how often they did it, from 2; who is told nothing sets DefaultFrequencyBands
}

// Validate refuses options that cannot be meant. It joins one insight.Invalid
// error for each fault, whose subject is the argument's name: recencyBands,
// frequencyBands, comparedTo, asOf, or a path that starts with event.
func (o GridOptions) Validate() error {
	errs := append(checkEvent(&o.Event, o.AsOf),
		checkBounds("recencyBands", o.RecencyBounds, 1, "longer than nothing"),
		checkBounds("frequencyBands", o.FrequencyBounds, 2, "above 1, where the first band begins"))
	if !o.ComparedTo.IsZero() {
		if err := insight.CheckTime("comparedTo", o.ComparedTo); err != nil {
			errs = append(errs, err)
		}
		if o.ComparedTo.After(o.AsOf) {
			errs = append(errs, insight.NewError(insight.Invalid, "comparedTo", "it is after asOf"))
		}
	}
	return errors.Join(errs...)
}

// GridTally gathers a lifecycle grid, one individual at a time, in memory that does
// not grow with the population.
type GridTally struct {
	options     GridOptions
	matches     func(*insight.Interaction) bool
	population  int
	individuals int
	cells       []cell // by recency, then frequency
}

type cell struct {
	individuals, before int
	worth               worth
}

// NewGridTally returns a tally that has seen nobody. The options are ones that
// [GridOptions.Validate] accepts.
func NewGridTally(o GridOptions) *GridTally {
	o.RecencyBounds, o.FrequencyBounds = slices.Clone(o.RecencyBounds), slices.Clone(o.FrequencyBounds)
	return &GridTally{options: o, matches: o.Event.Matcher(), cells: make([]cell, (len(o.RecencyBounds)+1)*(len(o.FrequencyBounds)+1))}
}

// Add takes in one individual.
func (t *GridTally) Add(h *insight.History) {
	t.population++
	compared := t.compared()
	var last, lastBefore time.Time
	var value amount
	count, countBefore := 0, 0
	for _, x := range h.Timeline.AsOf(t.options.AsOf) {
		if !t.matches(x) {
			continue
		}
		count++
		if last = x.OccurredAt; compared && !last.After(t.options.ComparedTo) {
			lastBefore, countBefore = last, count
		}
		value = value.plus(valueOf(x))
	}
	if count == 0 {
		return
	}
	t.individuals++
	now := t.cell(t.options.AsOf.Sub(last), count)
	now.individuals++
	now.worth.add(value)
	if countBefore > 0 {
		t.cell(t.options.ComparedTo.Sub(lastBefore), countBefore).before++
	}
}

func (t *GridTally) compared() bool { return !t.options.ComparedTo.IsZero() }

func (t *GridTally) cell(elapsed time.Duration, count int) *cell {
	return &t.cells[bandOf(t.options.RecencyBounds, elapsed)*(len(t.options.FrequencyBounds)+1)+bandOf(t.options.FrequencyBounds, count)]
}

// Merge takes in everyone whom o has seen, a tally of the same options, which stays
// as it is.
func (t *GridTally) Merge(o *GridTally) {
	t.population += o.population
	t.individuals += o.individuals
	for i := range t.cells {
		t.cells[i].individuals += o.cells[i].individuals
		t.cells[i].before += o.cells[i].before
		t.cells[i].worth.merge(&o.cells[i].worth)
	}
}

// GridReport is a population by how recently and how often they did something.
type GridReport struct {
	Population  int       // everyone, also who never did it
	Individuals int       // who did it at all: each is in one cell
	AsOf        time.Time // the moment that is looked back from
	ComparedTo  time.Time // the moment since which movement is told; zero: it is not
	Cells       []Cell    // the most recent band first, and in it the least frequent
}

// Cell is those whose recency and frequency are in a range each.
type Cell struct {
	RecencyFrom   time.Duration    // inclusive
	RecencyTo     *time.Duration   // exclusive; nil: open
	FrequencyFrom int              // inclusive
	FrequencyTo   *int             // exclusive: from 2 to 3 is twice; nil: open
	Individuals   int              // who are in it
	Before        int              // who were in it at ComparedTo, by what had happened then; 0 without one
	Change        *int             // Individuals minus Before; nil without ComparedTo
	Worth         smallgroup.Worth // of all that those who are in it did until AsOf
}

// Report is the grid of everyone seen so far.
func (t *GridTally) Report() GridReport {
	o := &t.options
	r := GridReport{Population: t.population, Individuals: t.individuals, AsOf: o.AsOf, ComparedTo: o.ComparedTo, Cells: make([]Cell, 0, len(t.cells))}
	for recent := range len(o.RecencyBounds) + 1 {
		for frequent := range len(o.FrequencyBounds) + 1 {
			of := &t.cells[len(r.Cells)]
			told := Cell{Individuals: of.individuals, Before: of.before, Worth: of.worth.report()}
			told.RecencyFrom, told.RecencyTo = ends(o.RecencyBounds, 0, recent)
			told.FrequencyFrom, told.FrequencyTo = ends(o.FrequencyBounds, 1, frequent)
			if t.compared() {
				change := of.individuals - of.before
				told.Change = &change
			}
			r.Cells = append(r.Cells, told)
		}
	}
	return r
}
