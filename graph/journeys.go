package graph

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/graph/node"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/journey"
	"github.com/acquaint/acquaint/insight/smallgroup"
	"github.com/acquaint/acquaint/store"
)

// optional reads an event selector; nil where there is none.
func optional(argument string, in *model.EventSelector) (*insight.Selector, error) {
	if in == nil {
		return nil, nil //nolint:nilnil // none was given
	}
	s, err := selector(argument, in, insight.Selector{})
	return &s, err
}

// conditional reports whether any of the selectors has conditions on properties.
func conditional(selectors ...*insight.Selector) bool {
	return slices.ContainsFunc(selectors, func(s *insight.Selector) bool { return s != nil && len(s.Properties) > 0 })
}

// otherwise is a value, or what is meant where it is missing.
func otherwise[T any](p *T, missing T) T {
	if p == nil {
		return missing
	}
	return *p
}

// channel finds a channel by the key that a report names it by.
func (r *Resolver) channel(ctx context.Context, key string) (*node.Channel, error) {
	// Interactions refer to their channels, so there is nothing to be made here.
	c, err := r.Store.Channel(ctx, key, "")
	if insight.KindOf(err) == insight.Invalid {
		c, err = &insight.Channel{Key: key, Name: key, Kind: insight.OtherChannel}, nil
	}
	return &node.Channel{Channel: c}, err
}

func (r *Resolver) channels(ctx context.Context, keys []string) ([]*node.Channel, error) {
	all := make([]*node.Channel, len(keys))
	for n, key := range keys {
		c, err := r.channel(ctx, key)
		if err != nil {
			return nil, err
		}
		all[n] = c
	}
	return all, nil
}

// span tells how long something took a group: to a viewer with a floor as a figure of
// the largest unit that fits in it, so that two digits of it are a round span.
func span(floor smallgroup.Floor, group smallgroup.Number, d *time.Duration) *time.Duration {
	switch {
	case d == nil || group.Suppressed():
		return nil
	case floor <= 1:
		return d // a float64 has not the nanoseconds of many days
	}
	unit := time.Second
	for _, larger := range []time.Duration{time.Minute, time.Hour, insight.Day} {
		if *d >= larger {
			unit = larger
		}
	}
	told := time.Duration(math.Round(*floor.Figure(group, float64(*d)/float64(unit)) * float64(unit)))
	return &told
}

// figure tells a figure that a report may lack.
func figure(floor smallgroup.Floor, group smallgroup.Number, of *float64) *float64 {
	if of == nil {
		return nil
	}
	return floor.Figure(group, *of)
}

// times tells how often a group did something.
func times(floor smallgroup.Floor, group smallgroup.Number, individuals, count int) *int {
	value := floor.Value(group, smallgroup.Worth{Individuals: individuals, Sum: float64(count)})
	if value == nil {
		return nil
	}
	whole := int(*value)
	return &whole
}

// mostFirst orders what is told of two groups: the most first, and last what is not told.
// Lists are put in order by it, because their order tells too.
func mostFirst[N cmp.Ordered](a, b *N) int {
	switch {
	case a != nil && b != nil:
		return cmp.Compare(*b, *a)
	case a != nil:
		return -1
	case b != nil:
		return 1
	}
	return 0
}

func compareChannels(a, b *node.Channel) int { return cmp.Compare(a.Key, b.Key) }

// transitionReport tells what leads to what, with the numbers that the viewer may be told.
func (r *Resolver) transitionReport(ctx context.Context, report *journey.TransitionReport, survey *store.Survey, asOf time.Time) (*model.TransitionReport, error) {
	floor := survey.Floor()
	told := &model.TransitionReport{
		Population: floor.Number(report.Population).Individuals(), AsOf: asOf, Transitions: make([]*model.Transition, len(report.Transitions)),
	}
	followed := map[string]int{}
	for n := range report.Transitions {
		t := &report.Transitions[n]
		ends, err := r.channels(ctx, []string{t.From, t.To})
		if err != nil {
			return nil, err
		}
		group := floor.Number(t.Individuals)
		told.Transitions[n] = &model.Transition{
			From: ends[0], To: ends[1], Suppressed: group.Suppressed(),
			Count: times(floor, group, t.Individuals, t.Count),
			Lift:  floor.Figure(group, t.Lift), LiftLow: figure(floor, group, t.LiftLow), LiftHigh: figure(floor, group, t.LiftHigh),
			MedianTime: span(floor, group, &t.MedianTime),
		}
		followed[t.From] += deref(told.Transitions[n].Count)
	}
	// A share is worked out from what is told: the true ones add up to 1, and would tell
	// what is left for a pair that is not told.
	for _, t := range told.Transitions {
		if t.Count != nil {
			share := float64(*t.Count) / float64(followed[t.From.Key])
			t.Probability = &share
		}
	}
	slices.SortStableFunc(told.Transitions, func(a, b *model.Transition) int {
		return cmp.Or(mostFirst(a.Count, b.Count), compareChannels(a.From, b.From), compareChannels(a.To, b.To))
	})
	return told, nil
}

// pathReport tells the ways that journeys took, with the numbers that the viewer may be
// told.
func (r *Resolver) pathReport(ctx context.Context, report *journey.PathReport, survey *store.Survey, asOf time.Time) (*model.PathReport, error) {
	floor := survey.Floor()
	told := &model.PathReport{Population: floor.Number(report.Population).Individuals(), AsOf: asOf, Paths: []*model.Path{}}
	for n := range report.Paths {
		p := &report.Paths[n]
		group := floor.Number(p.Individuals)
		if group.Suppressed() {
			continue // the path itself would be told of a few
		}
		channels, err := r.channels(ctx, p.Channels)
		if err != nil {
			return nil, err
		}
		// Who converted is not counted, but they are not more than their conversions.
		converters := min(p.Individuals, p.Conversions)
		path := &model.Path{
			Channels: channels, Cut: p.Cut,
			Journeys:    times(floor, group, p.Individuals, p.Journeys),
			Conversions: times(floor, group, converters, p.Conversions),
		}
		if p.Value != nil {
			path.Value = floor.Value(group, smallgroup.Worth{Individuals: converters, Sum: *p.Value})
		}
		told.Paths = append(told.Paths, path)
	}
	slices.SortStableFunc(told.Paths, func(a, b *model.Path) int {
		return cmp.Or(mostFirst(a.Journeys, b.Journeys), mostFirst(a.Conversions, b.Conversions), slices.CompareFunc(a.Channels, b.Channels, compareChannels))
	})
	return told, nil
}

// nextChannels tells where others went on to.
func (r *Resolver) nextChannels(ctx context.Context, next []journey.Transition) ([]*model.NextChannel, error) {
	told := make([]*model.NextChannel, len(next))
	for n := range next {
		c, err := r.channel(ctx, next[n].To)
		if err != nil {
			return nil, err
		}
		told[n] = &model.NextChannel{Channel: c, Probability: next[n].Probability, Lift: next[n].Lift}
	}
	return told, nil
}
