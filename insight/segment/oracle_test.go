package segment_test

import (
	"math/big"
	"slices"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/insight/lifetime"
	"github.com/acquaint/acquaint/insight/recency"
	"github.com/acquaint/acquaint/insight/relationship"
	"github.com/acquaint/acquaint/insight/segment"
)

// world is everything that a membership depends on.
type world struct {
	facts    segment.Facts
	purposes []*insight.Purpose
	segments map[string]*segment.Definition
	models   *segment.Models
}

// member is the definition in plain loops: whether the segment holds them at a moment.
func (w *world) member(d *segment.Definition, at time.Time) bool {
	return consent.At(w.facts.Coverage, at)&d.Purpose.Set() != 0 && w.holds(d.Rule, d.MinConfidence, at, true)
}

// holds evaluates a rule at a moment; wanted is false beneath a not, where what is not
// known holds so that its opposite does not.
func (w *world) holds(r *segment.Rule, least float64, at time.Time, wanted bool) bool {
	known := w.facts.Timeline.AsOf(at)
	switch {
	case r.All != nil:
		for _, of := range r.All {
			if !w.holds(of, least, at, wanted) {
				return false
			}
		}
		return true
	case r.Any != nil:
		for _, of := range r.Any {
			if w.holds(of, least, at, wanted) {
				return true
			}
		}
		return false
	case r.Not != nil:
		return !w.holds(r.Not, least, at, !wanted)
	case r.Segment != "":
		other := w.segments[r.Segment]
		return w.holds(other.Rule, other.MinConfidence, at, wanted)
	case r.Trait != nil:
		rule := *r.Trait
		rule.MinConfidence = max(rule.MinConfidence, least)
		var observed []insight.Trait
		for _, t := range w.facts.Traits {
			if !t.ObservedAt.After(at) {
				observed = append(observed, t)
			}
		}
		return rule.Matches(observed)
	case r.Event != nil:
		n := len(counted(known, &r.Event.Event, r.Event.Within, at))
		if r.Event.AtLeast == nil && r.Event.AtMost == nil {
			return n >= 1
		}
		return (r.Event.AtLeast == nil || n >= *r.Event.AtLeast) && (r.Event.AtMost == nil || n <= *r.Event.AtMost)
	case r.Monetary != nil:
		sum := new(big.Float).SetPrec(3000)
		for _, x := range counted(known, &r.Monetary.Event, r.Monetary.Within, at) {
			if x.Value != nil {
				sum.Add(sum, big.NewFloat(*x.Value))
			}
		}
		total, _ := sum.Float64()
		return (r.Monetary.AtLeast == nil || total >= *r.Monetary.AtLeast) && (r.Monetary.AtMost == nil || total <= *r.Monetary.AtMost)
	case r.Recency != nil:
		return w.recency(r.Recency, known, at, wanted)
	case r.Sequence != nil:
		return slices.ContainsFunc(starts(known), func(from insight.Timeline) bool { return walks(from, from[0], r.Sequence.Steps, r.Sequence.Within) })
	case r.Relationship != nil:
		if w.models == nil || w.models.Visits == nil {
			return !wanted
		}
		wire := func(n int) (time.Duration, bool) {
			if step := w.models.Visits[n-1]; step != nil {
				return *step, true
			}
			return 0, false
		}
		h := &insight.History{Timeline: w.facts.Timeline, Refusals: w.facts.Refusals}
		return slices.Contains(r.Relationship, relationship.Of(h, relationship.Options{AsOf: at, TripWire: wire}).Status)
	case r.RFM != nil:
		if w.models == nil || w.models.Cuts == nil {
			return !wanted
		}
		s, ok := recency.RFMOf(known, insight.AnyInbound(), at, *w.models.Cuts)
		in := func(of []int, score int) bool { return of == nil || slices.Contains(of, score) }
		return ok && in(r.RFM.R, s.R) && in(r.RFM.F, s.F) && in(r.RFM.M, s.M) && (r.RFM.Segments == nil || slices.Contains(r.RFM.Segments, s.Segment))
	case r.Lifetime != nil:
		return w.lifetime(r.Lifetime, known, at, wanted)
	case r.Consent != "":
		for _, p := range w.purposes {
			if p.Key == r.Consent {
				return consent.At(w.facts.Coverage, at)&p.Set() != 0
			}
		}
	}
	return r.Everyone
}

func counted(known insight.Timeline, s *insight.Selector, within time.Duration, at time.Time) (these insight.Timeline) {
	for _, x := range known {
		if s.Matches(x) && (within == 0 || at.Sub(x.OccurredAt) < within) {
			these = append(these, x)
		}
	}
	return these
}

func (w *world) recency(r *segment.Recency, known insight.Timeline, at time.Time, wanted bool) bool {
	event := insight.AnyInbound()
	if r.Event != nil {
		event = *r.Event
	}
	var wires segment.Wires
	if r.Overdue != nil {
		if w.models == nil {
			return !wanted
		}
		of, ok := w.models.Habits[segment.SelectorKey(&event)]
		if !ok {
			return !wanted
		}
		wires = of
	}
	n := len(counted(known, &event, 0, at))
	var o recency.Options
	if n >= 1 && n <= recency.OwnGaps {
		o.PopulationTripWire = wires[n-1]
	}
	got := recency.Of(known, event, at, o)
	return got.Count > 0 && (r.AtLeast == nil || got.Elapsed >= *r.AtLeast) && (r.AtMost == nil || got.Elapsed <= *r.AtMost) &&
		(r.Overdue == nil || got.Overdue == *r.Overdue)
}

func (w *world) lifetime(l *segment.Lifetime, known insight.Timeline, at time.Time, wanted bool) bool {
	if w.models == nil || w.models.Lifetime == nil {
		return !wanted
	}
	s, ok := lifetime.Of(known, &lifetime.Options{Event: insight.AnyInbound(), Model: lifetime.BGNBD, AsOf: at, Horizon: lifetime.DefaultHorizon, Zone: time.UTC})
	if !ok {
		return false
	}
	f := w.models.Lifetime.Future(s, lifetime.DefaultHorizon)
	return (l.ProbabilityAliveAtLeast == nil || f.ProbabilityAlive >= *l.ProbabilityAliveAtLeast) &&
		(l.ProbabilityAliveAtMost == nil || f.ProbabilityAlive <= *l.ProbabilityAliveAtMost) &&
		(l.ExpectedValueAtLeast == nil || f.ExpectedValue != nil && *f.ExpectedValue >= *l.ExpectedValueAtLeast)
}

// starts are the ends of a timeline, each from one of its interactions on.
func starts(t insight.Timeline) (all []insight.Timeline) {
	for i := range t {
		all = append(all, t[i:])
	}
	return all
}

// walks tries every way through the steps that begins with the first of a timeline.
func walks(t insight.Timeline, first *insight.Interaction, steps []insight.Selector, within time.Duration) bool {
	if !steps[0].Matches(t[0]) {
		return false
	}
	if len(steps) == 1 {
		return within == 0 || t[0].OccurredAt.Sub(first.OccurredAt) < within
	}
	return slices.ContainsFunc(starts(t[1:]), func(rest insight.Timeline) bool { return walks(rest, first, steps[1:], within) })
}
