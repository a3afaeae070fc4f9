package journey

import (
	"errors"
	"slices"
	"time"

	"github.com/acquaint/acquaint/insight"
)

// DefaultLookback is how long a silence a journey outlasts when nobody says.
const DefaultLookback = 30 * insight.Day

const maxLookback = 100 * insight.Year

// Options are what an answer depends on beside the individual.
type Options struct {
	Conversion *insight.Selector // what ends a journey; nil: only silence does
	Lookback   time.Duration     // the longest gap within a journey; zero: [DefaultLookback]
	AsOf       time.Time         // later interactions do not exist; at the zero time none do
}

// Validate refuses options that cannot be meant. It joins one insight.Invalid
// error for each fault, whose subject is the argument's name: lookback, asOf, or a
// path that starts with conversion. It also refuses the zero Lookback, so that a
// caller who was told PT0S does not answer with the default: one who was told
// nothing sets DefaultLookback first.
func (o Options) Validate() error {
	var errs []error
	if o.Lookback <= 0 || o.Lookback > maxLookback {
		errs = append(errs, insight.NewError(insight.Invalid, "lookback", "it is not between a moment and 100 years, such as P30D"))
	}
	if err := insight.CheckTime("asOf", o.AsOf); err != nil {
		errs = append(errs, err)
	}
	if o.Conversion != nil {
		if err := o.Conversion.Validate("conversion"); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Touchpoint is a run of consecutive interactions on one channel.
type Touchpoint struct {
	Channel       *insight.Channel
	FirstAt       time.Time
	LastAt        time.Time
	Interactions  int
	Types         []string      // distinct, in the order of their first appearance
	SincePrevious time.Duration // FirstAt minus the previous touchpoint's LastAt; 0 for the journey's first
}

// Journey is one individual's way along channels. The zero value is nobody's: it
// has no touchpoints.
type Journey struct {
	Touchpoints []Touchpoint // in order, no two neighbours on the same channel
	Converted   bool         // whether it ends with a conversion
	StartedAt   time.Time    // of its first interaction
	EndedAt     time.Time    // of the conversion, or of the last interaction before the silence; zero while it is open
}

// Interactions counts the interactions of all touchpoints.
func (j *Journey) Interactions() int {
	n := 0
	for i := range j.Touchpoints {
		n += j.Touchpoints[i].Interactions
	}
	return n
}

// Of answers with an individual's current journey: the latest as of options.AsOf,
// or the zero Journey when there is none. The timeline may be in any order and
// repeat itself; it is not changed.
func Of(t insight.Timeline, options Options) Journey {
	all := All(t, options)
	if len(all) == 0 {
		return Journey{}
	}
	return all[len(all)-1]
}

// All answers with every journey of an individual, the earliest first. Each
// interaction until options.AsOf belongs to exactly one of them.
func All(t insight.Timeline, options Options) []Journey {
	lookback := options.Lookback
	if lookback <= 0 {
		lookback = DefaultLookback
	}
	converts := func(*insight.Interaction) bool { return false }
	if options.Conversion != nil {
		converts = options.Conversion.Matcher()
	}
	var all []Journey
	way := trail{lookback: lookback}
	for _, x := range t.Ordered().AsOf(options.AsOf) {
		last := way.last // where the journey before ended, if this is another one
		if way.step(x) == newJourney {
			if n := len(all); n > 0 {
				all[n-1].EndedAt = last
			}
			all = append(all, Journey{StartedAt: x.OccurredAt})
		}
		current := &all[len(all)-1]
		current.add(x)
		if converts(x) {
			current.Converted, current.EndedAt = true, x.OccurredAt
			way.convert()
		}
	}
	if way.quiet(options.AsOf) {
		all[len(all)-1].EndedAt = way.last
	}
	return all
}

func (j *Journey) add(x *insight.Interaction) {
	n := len(j.Touchpoints)
	if n > 0 && sameChannel(j.Touchpoints[n-1].Channel, x.Channel) {
		p := &j.Touchpoints[n-1]
		p.LastAt = x.OccurredAt
		p.Interactions++
		if !slices.Contains(p.Types, x.Type) {
			p.Types = append(p.Types, x.Type)
		}
		return
	}
	p := Touchpoint{Channel: x.Channel, FirstAt: x.OccurredAt, LastAt: x.OccurredAt, Interactions: 1, Types: []string{x.Type}}
	if n > 0 {
		p.SincePrevious = x.OccurredAt.Sub(j.Touchpoints[n-1].LastAt)
	}
	j.Touchpoints = append(j.Touchpoints, p)
}
