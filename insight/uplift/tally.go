package uplift

import (
	"math"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/exact"
)

// Assignment is the first decision about an individual that put them in an arm.
type Assignment struct {
	Holdout bool // else treated
	At      time.Time
}

// Tally compares treated with held out.
type Tally struct {
	matches func(*insight.Interaction) bool
	window  time.Duration
	asOf    time.Time
	share   *float64
	groups  []group
}

// group is what is known of one group; the first one is everyone.
type group struct {
	name             string
	treated, holdout arm
	pending          int
}

// arm is what is known of one arm of a group.
type arm struct {
	individuals int
	responders  int // who have the outcome
	sum         exact.Sum
	squares     exact.Sum // of the individuals' values
	largest     float64   // of the individuals' values, without its sign
}

// NewTally makes a tally of nobody. The options are such that Validate accepts.
func NewTally(o Options) *Tally {
	if o.Outcome.Direction == 0 {
		o.Outcome.Direction = insight.Inbound
	}
	t := &Tally{matches: o.Outcome.Matcher(), window: o.Window, asOf: o.AsOf, share: o.Holdout, groups: make([]group, 1+len(o.Groups))}
	t.groups[0].name = Everyone
	for i, name := range o.Groups {
		t.groups[i+1].name = name
	}
	return t
}

// Add takes in one individual, by their history, their assignment, and for each group
// of the options whether they were in it by the moment before the assignment.
func (t *Tally) Add(h *insight.History, a Assignment, in []bool) {
	if a.At.After(t.asOf) {
		return
	}
	end := a.At.Add(t.window)
	pending := end.After(t.asOf)
	var value float64
	responds := false
	if !pending {
		value, responds = t.outcome(h.Timeline, a.At, end)
	}
	for i := range t.groups {
		g := &t.groups[i]
		switch {
		case i > 0 && !in[i-1]: //nolint:gosec // in has one flag less than there are groups
		case pending:
			g.pending++
		case a.Holdout:
			g.holdout.add(value, responds)
		default:
			g.treated.add(value, responds)
		}
	}
}

// outcome is what one did after a moment, until another one.
func (t *Tally) outcome(timeline insight.Timeline, after, until time.Time) (value float64, responds bool) {
	var sum exact.Sum
	timeline = timeline.AsOf(until)
	for _, x := range timeline[len(timeline.AsOf(after)):] {
		if !t.matches(x) {
			continue
		}
		responds = true
		if x.Value != nil {
			sum.Add(*x.Value)
		}
	}
	if !responds {
		return 0, false
	}
	return sum.Float64(), true
}

func (a *arm) add(value float64, responds bool) {
	a.individuals++
	if responds {
		a.responders++
	}
	// A square is its nearest float64 and what that lacks.
	square := value * value
	a.sum.Add(value)
	a.squares.Add(square)
	a.squares.Add(math.FMA(value, value, -square))
	a.largest = max(a.largest, math.Abs(value))
}

// Merge takes in all that another tally of the same options holds, which stays as it
// is: of individuals that are not in t.
func (t *Tally) Merge(o *Tally) {
	for i := range t.groups {
		g, other := &t.groups[i], &o.groups[i]
		g.pending += other.pending
		g.treated.merge(&other.treated)
		g.holdout.merge(&other.holdout)
	}
}

func (a *arm) merge(o *arm) {
	a.individuals += o.individuals
	a.responders += o.responders
	a.sum.Merge(&o.sum)
	a.squares.Merge(&o.squares)
	a.largest = max(a.largest, o.largest)
}
