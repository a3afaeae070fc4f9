package attribution

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/acquaint/acquaint/insight"
)

// Model is how the credit for a conversion is shared. The text is the API's.
type Model string

// The models; the package's documentation has their rules.
const (
	First         Model = "FIRST"
	Last          Model = "LAST"
	LastNonDirect Model = "LAST_NON_DIRECT"
	Linear        Model = "LINEAR"
	Position      Model = "POSITION"
	TimeDecay     Model = "TIME_DECAY"
	Markov        Model = "MARKOV"
	Shapley       Model = "SHAPLEY"
)

// Models lists every model, in the API's order.
var Models = []Model{First, Last, LastNonDirect, Linear, Position, TimeDecay, Markov, Shapley}

// What is meant when nobody says.
const (
	DefaultLookback = 30 * insight.Day
	DefaultOrder    = 1 // of [Markov]
)

// MaxOrder is the most channels that a state of [Markov] remembers.
const MaxOrder = 4

// HalfLife is the difference of age that halves a touch's weight in [TimeDecay].
const HalfLife = 7 * insight.Day

const maxLookback = 100 * insight.Year

// Options are what an answer depends on beside the individuals.
type Options struct {
	Conversion insight.Selector // what converts
	Touch      insight.Selector // what else may be credited; the zero value: every interaction of either direction
	Model      Model
	Lookback   time.Duration // the longest gap within a journey
	Order      int           // of [Markov], 1 to [MaxOrder]; 0 for the others
	AsOf       time.Time     // later interactions do not exist
}

// Validate refuses options that cannot be meant. It joins one insight.Invalid error
// for each fault, whose subject is the argument's name: model, lookback, order, asOf,
// or a path that starts with conversion or touch. It refuses the zero Lookback, and
// the zero Order of [Markov]: one who was told nothing sets [DefaultLookback] and
// [DefaultOrder] first.
func (o Options) Validate() error {
	var errs []error
	invalid := func(subject, message string) {
		errs = append(errs, insight.NewError(insight.Invalid, subject, message))
	}
	if err := o.Conversion.Validate("conversion"); err != nil {
		errs = append(errs, err)
	}
	if !slices.Contains(Models, o.Model) {
		invalid("model", "there is no such model")
	}
	if err := o.Touch.Validate("touch"); err != nil {
		errs = append(errs, err)
	}
	if o.Lookback <= 0 || o.Lookback > maxLookback {
		invalid("lookback", "it is not between a moment and 100 years, such as P30D")
	}
	switch {
	case o.Model != Markov && o.Order != 0:
		invalid("order", "only MARKOV has an order")
	case o.Model == Markov && (o.Order < 1 || o.Order > MaxOrder):
		invalid("order", fmt.Sprintf("it is not between 1 and %d", MaxOrder))
	}
	if err := insight.CheckTime("asOf", o.AsOf); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
