package relationship

import (
	"time"

	"github.com/acquaint/acquaint/insight"
)

// Status is where an individual stands with the business. The text is the API's.
type Status string

// The statuses. doc.go has the table that decides.
const (
	Stranger     Status = "STRANGER"
	New          Status = "NEW"
	Active       Status = "ACTIVE"
	Cooling      Status = "COOLING"
	Lapsed       Status = "LAPSED"
	Returning    Status = "RETURNING"
	Unresponsive Status = "UNRESPONSIVE"
	OptedOut     Status = "OPTED_OUT"
)

// Statuses are all of them, in the order in which reports list them.
var Statuses = []Status{Stranger, New, Active, Cooling, Lapsed, Returning, Unresponsive, OptedOut}

// Unanswered is how many outbound touches without an answer make UNRESPONSIVE.
const Unanswered = 5

// Quiet is the longest silence within a visit: an inbound interaction that follows
// within it, and exactly at it too, goes on with the visit of the one before. It is
// what ends a session where a source says nothing else; a source's own timeout does
// not matter here, since a visit is the individual's and may be seen by several.
const Quiet = insight.DefaultSessionTimeout

// Options are what an answer depends on beside the individual.
type Options struct {
	// AsOf is the moment that is asked about, cut to the microsecond.
	AsOf time.Time
	// TripWire is the population's median gap from the visits-th visit to the next,
	// for individuals with fewer than recency.OwnGaps gaps; it is asked for visits from
	// 1 to recency.OwnGaps only. It is that of a recency.Habit of any inbound
	// interaction whose options have this package's Quiet. False, a negative span and a
	// nil function mean that it is not known.
	TripWire func(visits int) (time.Duration, bool)
}

// Validate refuses an asOf outside the years that insight.CheckTime takes, with an
// insight.Invalid error whose subject is asOf.
func (o Options) Validate() error { return insight.CheckTime("asOf", o.AsOf) }

// Result is where an individual stands.
type Result struct {
	Status Status
	// Since is the first moment at which the status held without a break until
	// AsOf; zero for a stranger to whom nothing had happened.
	Since    time.Time
	Evidence []string // in plain words, about this individual alone; never empty
	Outreach Outreach
}

// Outreach is whether it serves the customer to be approached now.
type Outreach struct {
	Advised bool
	Reason  string
}

// Of answers for one individual. The timeline may be in any order and repeat
// itself; the history is not changed. The options are ones that
// [Options.Validate] accepts.
func Of(h *insight.History, o Options) Result {
	f := newFold(o)
	f.timeline(h.Timeline.Ordered().AsOf(f.asOf))
	s := f.stand(h.Refusals)
	return Result{Status: s.status, Since: s.since, Evidence: f.evidence(&s), Outreach: f.outreach(s.status)}
}

// NextChange is the first moment after AsOf at which the status changes although
// nothing new happens, and false when it stays as it is: interactions after AsOf
// do not exist. A refusal that starts or ends after AsOf is taken as recorded
// ahead.
func NextChange(h *insight.History, o Options) (time.Time, bool) {
	f := newFold(o)
	f.timeline(h.Timeline.Ordered().AsOf(f.asOf))
	next, ok := f.nextChange(h.Refusals)
	if !ok || insight.CheckTime("", next) != nil {
		return time.Time{}, false
	}
	return next, true
}
