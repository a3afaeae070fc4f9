package uplift

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/acquaint/acquaint/insight"
)

// Everyone is the name of the first group, which all are in.
const Everyone = "everyone"

// MaxGroups is how many groups are taken beside [Everyone].
const MaxGroups = 50

const (
	maxWindow = 10 * insight.Year
	maxName   = 100 // characters
)

// Options are what an answer depends on beside the individuals.
type Options struct {
	Outcome insight.Selector // what the experience is for; of no direction: inbound
	Window  time.Duration    // how long after the assignment an outcome counts, its end included
	AsOf    time.Time        // later assignments and interactions do not exist
	Holdout *float64         // the declared share that is held out, at least 0 and below 1; nil: not known, or it changed
	Groups  []string         // names of the groups beside Everyone
}

// Validate refuses options that cannot be meant. It joins one insight.Invalid error
// for each fault, whose subject is the argument's name: window, asOf, holdout, by, or a
// path that starts with outcome or by, such as by[1].name.
func (o Options) Validate() error {
	errs := []error{o.Outcome.Validate("outcome")}
	bad := func(subject, message string) {
		errs = append(errs, insight.NewError(insight.Invalid, subject, message))
	}
	if o.Window <= 0 || o.Window > maxWindow {
		bad("window", "it is not between a moment and 10 years, such as P14D")
	}
	if err := insight.CheckTime("asOf", o.AsOf); err != nil {
		errs = append(errs, err)
	}
	if o.Holdout != nil && !(*o.Holdout >= 0 && *o.Holdout < 1) {
		bad("holdout", "a share is at least 0 and below 1")
	}
	if n := len(o.Groups); n > MaxGroups {
		bad("by", fmt.Sprintf("there are %d groups; at most %d are taken", n, MaxGroups))
		return errors.Join(errs...)
	}
	seen := map[string]bool{Everyone: true}
	for i, name := range o.Groups {
		subject := fmt.Sprintf("by[%d].name", i)
		switch {
		case strings.TrimSpace(name) == "" || utf8.RuneCountInString(name) > maxName || !utf8.ValidString(name) || strings.IndexByte(name, 0) >= 0:
			bad(subject, fmt.Sprintf("it is not 1 to %d characters", maxName))
		case name == Everyone:
			bad(subject, "the group everyone is there without asking")
		case seen[name]:
			bad(subject, "another group has this name")
		}
		seen[name] = true
	}
	return errors.Join(errs...)
}
