package lifetime

import (
	"errors"
	"time"

	"github.com/acquaint/acquaint/insight"
)

// Model is how buying and ceasing to buy are understood. The text is the API's.
type Model string

// The models. In both everybody buys at random, at a rate of their own, for as long
// as they are a customer. BGNBD lets them cease after each purchase with a chance
// of their own; ParetoNBD at any moment.
const (
	BGNBD     Model = "BG_NBD"
	ParetoNBD Model = "PARETO_NBD"
)

// What is meant when nobody says.
const (
	DefaultModel   = BGNBD
	DefaultHorizon = insight.Year
)

const maxHorizon = 100 * insight.Year

// Options are what an answer depends on beside the individuals. Which selector is
// meant when nobody says is the caller's to fill in: [insight.AnyInbound].
type Options struct {
	Event   insight.Selector // what is a purchase
	Model   Model
	AsOf    time.Time      // later interactions do not exist
	Horizon time.Duration  // how far ahead the report looks
	Zone    *time.Location // whose days the days of purchase are
}

// Validate refuses options that cannot be meant. It joins one insight.Invalid
// error for each fault, whose subject is the argument's name: model, asOf, horizon,
// timeZone, or a path that starts with event. It also refuses what is missing, so
// that a caller who was told PT0S does not answer with the default.
func (o *Options) Validate() error {
	var errs []error
	if err := o.Event.Validate("event"); err != nil {
		errs = append(errs, err)
	}
	if o.Model != BGNBD && o.Model != ParetoNBD {
		errs = append(errs, insight.NewError(insight.Invalid, "model", "there is no such model; there are BG_NBD and PARETO_NBD"))
	}
	if err := insight.CheckTime("asOf", o.AsOf); err != nil {
		errs = append(errs, err)
	}
	if o.Horizon <= 0 || o.Horizon > maxHorizon {
		errs = append(errs, insight.NewError(insight.Invalid, "horizon", "it is not between a moment and 100 years, such as P365D"))
	}
	if o.Zone == nil {
		errs = append(errs, insight.NewError(insight.Invalid, "timeZone", "it is missing; without one, UTC is meant"))
	}
	return errors.Join(errs...)
}
