package recency

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/smallgroup"
)

// DefaultHorizon is how long a response is waited for when nobody says.
const DefaultHorizon = insight.Month

// MaxBounds is how many inner bounds bands may have.
const MaxBounds = 50

const maxHorizon = 100 * insight.Year

// DefaultBands are the inner bounds of Jim Novo's bands, in days 0-6, 7-14, 15-19,
// 20-45, 46-80 and more. A day counts until it is over: day 6 ends at seven days.
func DefaultBands() []time.Duration {
	return []time.Duration{7 * insight.Day, 15 * insight.Day, 20 * insight.Day, 46 * insight.Day, 81 * insight.Day}
}

// BandOptions are what the bands of a population depend on beside the individuals.
type BandOptions struct {
	Event   insight.Selector // what they did; who is told nothing sets insight.AnyInbound
	AsOf    time.Time        // later interactions do not exist
	Bounds  []time.Duration  // where one band ends and the next begins; who is told nothing sets DefaultBands
	Horizon time.Duration    // how long a response is waited for; who is told nothing sets DefaultHorizon
}

// Validate refuses options that cannot be meant. It joins one insight.Invalid
// error for each fault, whose subject is the argument's name: bands, horizon, asOf,
// or a path that starts with event.
func (o BandOptions) Validate() error {
	errs := append(checkEvent(&o.Event, o.AsOf), checkBounds("bands", o.Bounds, 1, "longer than nothing"))
	if o.Horizon <= 0 || o.Horizon > maxHorizon {
		errs = append(errs, insight.NewError(insight.Invalid, "horizon", "it is not between a moment and 100 years, such as P30D"))
	}
	return errors.Join(errs...)
}

// checkBounds wants one to MaxBounds of them, from least on, ascending.
func checkBounds[T cmp.Ordered](subject string, bounds []T, least T, positive string) error {
	if len(bounds) == 0 || len(bounds) > MaxBounds {
		return insight.NewError(insight.Invalid, subject, fmt.Sprintf("there are %d bounds; 1 to %d are taken", len(bounds), MaxBounds))
	}
	for i, bound := range bounds {
		at := fmt.Sprintf("%s[%d]", subject, i)
		switch {
		case bound < least:
			return insight.NewError(insight.Invalid, at, "it is not "+positive)
		case i > 0 && bound <= bounds[i-1]:
			return insight.NewError(insight.Invalid, at, "it is not above the one before it")
		}
	}
	return nil
}

// bandOf is which band x is in, from 0: one that begins at a bound holds it, and of
// several that begin there the last.
func bandOf[T cmp.Ordered](bounds []T, x T) int {
	i := 0
	for i < len(bounds) && bounds[i] <= x {
		i++
	}
	return i
}

// ends are where band i begins and, exclusively, ends; nil: it does not.
func ends[T cmp.Ordered](bounds []T, first T, i int) (from T, to *T) {
	if from = first; i > 0 {
		from = bounds[i-1]
	}
	if i < len(bounds) {
		end := bounds[i]
		to = &end
	}
	return from, to
}

// BandTally gathers how recent a population is, one individual at a time, in memory
// that does not grow with it.
type BandTally struct {
	options     BandOptions
	matches     func(*insight.Interaction) bool
	population  int
	individuals int
	bands       []band
}

type band struct {
	individuals, before, responded int
	worth                          worth
}

// NewBandTally returns a tally that has seen nobody. The options are ones that
// [BandOptions.Validate] accepts.
func NewBandTally(o BandOptions) *BandTally {
	o.Bounds = slices.Clone(o.Bounds)
	return &BandTally{options: o, matches: o.Event.Matcher(), bands: make([]band, len(o.Bounds)+1)}
}

// Add takes in one individual.
func (t *BandTally) Add(h *insight.History) {
	t.population++
	then := t.options.AsOf.Add(-t.options.Horizon)
	var last, before time.Time
	var value amount
	seen, seenBefore := false, false
	for _, x := range h.Timeline.AsOf(t.options.AsOf) {
		if !t.matches(x) {
			continue
		}
		if last, seen = x.OccurredAt, true; !last.After(then) {
			before, seenBefore = last, true
		}
		value = value.plus(valueOf(x))
	}
	if !seen {
		return
	}
	t.individuals++
	now := &t.bands[bandOf(t.options.Bounds, t.options.AsOf.Sub(last))]
	now.individuals++
	now.worth.add(value)
	if seenBefore {
		was := &t.bands[bandOf(t.options.Bounds, then.Sub(before))]
		was.before++
		if last.After(then) {
			was.responded++
		}
	}
}

// Merge takes in everyone whom o has seen, a tally of the same options, which stays
// as it is.
func (t *BandTally) Merge(o *BandTally) {
	t.population += o.population
	t.individuals += o.individuals
	for i := range t.bands {
		mine, theirs := &t.bands[i], &o.bands[i]
		mine.individuals += theirs.individuals
		mine.before += theirs.before
		mine.responded += theirs.responded
		mine.worth.merge(&theirs.worth)
	}
}

// BandReport is how recent a population is.
type BandReport struct {
	Population  int       // everyone, also who never did it
	Individuals int       // who did it at all: each is in one band
	AsOf        time.Time // the moment that is looked back from
	Bands       []Band    // the most recent first
}

// Band is those whose recency is in a range.
type Band struct {
	From        time.Duration    // inclusive
	To          *time.Duration   // exclusive; nil: open
	Individuals int              // whose recency it is
	Share       *float64         // of those who did it at all; nil when nobody did
	Worth       smallgroup.Worth // of all that they did until AsOf
	// Before is how many were in this band a horizon before AsOf, by what had
	// happened then; Responded is how many of them did it in the horizon that
	// followed, which AsOf belongs to and its beginning does not.
	Before, Responded int
	RespondedNext     *float64 // Responded of Before; nil when there was nobody
}

// Report is how recent everyone seen so far is.
func (t *BandTally) Report() BandReport {
	r := BandReport{Population: t.population, Individuals: t.individuals, AsOf: t.options.AsOf, Bands: make([]Band, len(t.bands))}
	for i := range t.bands {
		b := &t.bands[i]
		from, to := ends(t.options.Bounds, 0, i)
		r.Bands[i] = Band{
			From: from, To: to, Individuals: b.individuals, Share: share(b.individuals, t.individuals), Worth: b.worth.report(),
			Before: b.before, Responded: b.responded, RespondedNext: share(b.responded, b.before),
		}
	}
	return r
}

func share(part, whole int) *float64 {
	if whole == 0 {
		return nil
	}
	of := float64(part) / float64(whole)
	return &of
}
