package segment

import (
	"slices"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/relationship"
)

// Rule says whom a segment holds. Exactly one of its members is set: All, Any and Not
// combine rules, and every other is a leaf.
type Rule struct {
	All          []*Rule // all of these hold
	Any          []*Rule // at least one of these holds
	Not          *Rule   // this does not hold
	Trait        *insight.TraitRule
	Event        *Event
	Recency      *Recency
	Monetary     *Monetary
	Sequence     *Sequence
	RFM          *RFM
	Relationship []relationship.Status // any of these
	Lifetime     *Lifetime
	Consent      string // key of a purpose that must be permitted too
	Segment      string // key of another segment, whose rule holds
	Everyone     bool
}

// Event says how often something happened. With neither bound it is at least once.
type Event struct {
	Event   insight.Selector
	AtLeast *int
	AtMost  *int
	Within  time.Duration // what is this old or older does not count; 0: ever
}

// Recency says how long ago something happened last. All that is given holds; none of
// it does where it never happened.
type Recency struct {
	Event   *insight.Selector // nil: any inbound interaction
	AtLeast *time.Duration    // since the last one; exactly this long holds
	AtMost  *time.Duration    // as AtLeast
	Overdue *bool             // whether the silence is longer than the trip wire of package recency
}

// Monetary says what the values of interactions add up to, whatever their currencies.
// What has no value counts 0, and so do no interactions.
type Monetary struct {
	Event   insight.Selector
	AtLeast *float64
	AtMost  *float64
	Within  time.Duration // what is this old or older does not count; 0: ever
}

// Sequence says that interactions happened in this order, each later in the timeline
// than the one before it, whatever else happened between them. Once it has happened,
// it has happened.
type Sequence struct {
	Steps  []insight.Selector
	Within time.Duration // from the first to the last it takes less than this; 0: however long
}

// RFM says what the scores of package recency over any inbound interaction are. All
// that is given holds.
type RFM struct {
	R, F, M  []int    // any of these scores, 1 to 5
	Segments []string // any of recency.RFMSegments
}

// Lifetime says what package lifetime expects of somebody whose days with an inbound
// interaction are days of purchase, counted in UTC. All that is given holds; none of it
// does where there is no such day.
type Lifetime struct {
	ProbabilityAliveAtLeast *float64
	ProbabilityAliveAtMost  *float64
	ExpectedValueAtLeast    *float64 // within lifetime.DefaultHorizon
}

// References lists the keys of the other segments that the rule names, sorted, each
// once.
func (r *Rule) References() []string {
	var keys []string
	r.walk(func(leaf *Rule) {
		if leaf.Segment != "" {
			keys = append(keys, leaf.Segment)
		}
	})
	slices.Sort(keys)
	return slices.Compact(keys)
}

// walk visits the leaves in order.
func (r *Rule) walk(visit func(leaf *Rule)) {
	switch {
	case r == nil:
	case r.All != nil || r.Any != nil:
		for _, of := range r.All {
			of.walk(visit)
		}
		for _, of := range r.Any {
			of.walk(visit)
		}
	case r.Not != nil:
		r.Not.walk(visit)
	default:
		visit(r)
	}
}
