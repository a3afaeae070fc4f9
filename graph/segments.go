package graph

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/graph/node"
	"github.com/acquaint/acquaint/graph/population"
	"github.com/acquaint/acquaint/graph/viewer"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/relationship"
	"github.com/acquaint/acquaint/insight/segment"
	"github.com/acquaint/acquaint/store"
)

// rule reads a rule, and refuses one that cannot be meant with the path of what is wrong.
func rule(argument string, in *model.SegmentRule) (*segment.Rule, error) {
	if in == nil {
		return nil, nil //nolint:nilnil // none was given
	}
	r, err := fromRule(argument, in)
	if err != nil {
		return nil, err
	}
	return r, r.Validate(argument)
}

func fromRule(argument string, in *model.SegmentRule) (*segment.Rule, error) {
	r := &segment.Rule{Consent: deref(in.Consent), Segment: deref(in.Segment), Everyone: deref(in.Everyone)}
	var err error
	many := func(name string, all []*model.SegmentRule) []*segment.Rule {
		if all == nil {
			return nil
		}
		rules := make([]*segment.Rule, len(all))
		for n, one := range all {
			if err == nil {
				rules[n], err = fromRule(fmt.Sprintf("%s.%s[%d]", argument, name, n), one)
			}
		}
		return rules
	}
	within := func(name string, d *time.Duration) time.Duration {
		if d != nil && *d == 0 && err == nil {
			err = insight.NewError(insight.Invalid, argument+"."+name+".within", "it must be longer than nothing; leave it out for ever")
		}
		return deref(d)
	}
	r.All, r.Any = many("all", in.All), many("any", in.Any)
	if in.Not != nil && err == nil {
		r.Not, err = fromRule(argument+".not", in.Not)
	}
	if t := in.Trait; t != nil {
		r.Trait = traitRule(t)
	}
	if e := in.Event; e != nil {
		r.Event = &segment.Event{Event: eventOf(e.Event), AtLeast: e.AtLeast, AtMost: e.AtMost, Within: within("event", e.Within)}
	}
	if e := in.Recency; e != nil {
		r.Recency = &segment.Recency{AtLeast: e.AtLeast, AtMost: e.AtMost, Overdue: e.Overdue}
		if e.Event != nil {
			of := eventOf(e.Event)
			r.Recency.Event = &of
		}
	}
	if m := in.Monetary; m != nil {
		r.Monetary = &segment.Monetary{Event: insight.AnyInbound(), AtLeast: m.AtLeast, AtMost: m.AtMost, Within: within("monetary", m.Within)}
	}
	if m := in.Monetary; m != nil && m.Event != nil {
		r.Monetary.Event = eventOf(m.Event)
	}
	if s := in.Sequence; s != nil {
		r.Sequence = &segment.Sequence{Within: within("sequence", s.Within)}
		for _, step := range s.Steps {
			r.Sequence.Steps = append(r.Sequence.Steps, eventOf(step))
		}
	}
	if f := in.Rfm; f != nil {
		r.RFM = &segment.RFM{R: f.R, F: f.F, M: f.M, Segments: f.Segments}
	}
	if in.Relationship != nil {
		r.Relationship = make([]relationship.Status, len(in.Relationship))
		for n, s := range in.Relationship {
			r.Relationship[n] = relationship.Status(s)
		}
	}
	if l := in.Lifetime; l != nil {
		r.Lifetime = &segment.Lifetime{
			ProbabilityAliveAtLeast: l.ProbabilityAliveAtLeast, ProbabilityAliveAtMost: l.ProbabilityAliveAtMost, ExpectedValueAtLeast: l.ExpectedValueAtLeast,
		}
	}
	return r, err
}

// newSegment reads a segment that is to be.
func newSegment(in *model.CreateSegmentInput) (store.NewSegment, error) {
	r, err := rule("input.rule", in.Rule)
	return store.NewSegment{
		Key: in.Key, Name: in.Name, Description: deref(in.Description), Purpose: in.Purpose, MinConfidence: deref(in.MinConfidence), Rule: r,
	}, err
}

// segmentPage is a part of the list of all segments, which is short.
func segmentPage(all []*segment.Segment, p store.Page) store.Slice[*segment.Segment] {
	from, to := 0, len(all)
	place := func(c *insight.Cursor, otherwise int) int {
		if c == nil {
			return otherwise
		}
		if n := slices.IndexFunc(all, func(s *segment.Segment) bool { return bytes.Equal(s.ID[:], c.ID[:]) }); n >= 0 {
			return n
		}
		return otherwise
	}
	if p.After != nil {
		from = place(p.After, -1) + 1
	}
	to = max(from, place(p.Before, to))
	if p.Backward {
		from = max(from, to-p.Limit)
	} else {
		to = min(to, from+p.Limit)
	}
	return store.Slice[*segment.Segment]{Items: all[from:to], HasNext: to < len(all), HasPrevious: from > 0}
}

// counter is who counts for a viewer, and from which number on they are told it; the
// reader is nil for one who may not read individuals.
func (r *Resolver) counter(ctx context.Context) (*store.Survey, *store.Reader, error) {
	v, err := viewer.Require(ctx)
	if err != nil {
		return nil, nil, err
	}
	if !v.May(insight.ScopeIndividualsRead) {
		survey, err := r.Store.Survey(ctx, v)
		return survey, nil, err
	}
	reader, err := r.reader(ctx)
	if err != nil {
		return nil, nil, err
	}
	return reader.Survey(), reader, nil
}

// size is how many are in a segment, where the viewer may be told.
func (r *Resolver) size(ctx context.Context, of *node.Segment) (*int, error) {
	v, err := viewer.Require(ctx)
	if err != nil {
		return nil, err
	}
	if !v.May(insight.ScopeIndividualsRead) && !v.May(insight.ScopeInsightsRead) {
		return nil, nil //nolint:nilnil // they may count nobody
	}
	if declared, err := v.Declared(); err != nil || declared != of.Segment.Purpose.Key {
		return nil, nil //nolint:nilnil,nilerr // nor whom this segment is about
	}
	survey, _, err := r.counter(ctx)
	if err != nil {
		return nil, err
	}
	n, err := of.Size(func(ids []uuid.UUID) (map[uuid.UUID]int, error) { return survey.CountMembers(ctx, ids) })
	return survey.Floor().Number(n).Individuals(), err
}

// preview asks a rule of everyone.
func (r *Resolver) preview(ctx context.Context, in *model.SegmentRule, purpose string, confidence *float64, asOf time.Time) (*node.SegmentPreview, error) {
	survey, reader, err := r.counter(ctx)
	if err != nil {
		return nil, err
	}
	if survey.Purpose().Key != purpose {
		return nil, insight.NewError(insight.Denied, "purpose", "it is another one than the request declares")
	}
	if c := deref(confidence); !(c >= 0 && c <= 1) {
		return nil, insight.NewError(insight.Invalid, "minConfidence", "it must lie between 0 and 1")
	}
	if err := insight.CheckTime("asOf", asOf); err != nil {
		return nil, err
	}
	d := segment.Definition{Purpose: survey.Purpose(), MinConfidence: deref(confidence)}
	if d.Rule, err = rule("rule", in); err != nil {
		return nil, err
	}
	needs, err := survey.PreviewNeeds(ctx, d)
	if err != nil {
		return nil, err
	}
	models, err := population.ForSegments(ctx, survey, needs, asOf)
	if err != nil {
		return nil, err
	}
	found, err := survey.Preview(ctx, d, models, asOf, largestPage)
	if err != nil {
		return nil, err
	}
	return &node.SegmentPreview{Found: found, Floor: survey.Floor(), Reader: reader}, nil
}

// sample are some whom a preview found.
func sample(ctx context.Context, of *node.SegmentPreview, first *int) ([]*node.Individual, error) {
	p, err := page(first, nil, nil, nil)
	if err != nil {
		return nil, err
	}
	if of.Reader == nil {
		return nil, insight.NewError(insight.Denied, "", "this needs the scope "+string(insight.ScopeIndividualsRead))
	}
	ids := of.Found.Sample[:min(p.Limit, len(of.Found.Sample))]
	people, err := of.Reader.People(ctx, ids)
	if err != nil {
		return nil, err
	}
	var some []*insight.Individual
	for _, id := range ids {
		if i := people[id]; i != nil { // covered still
			some = append(some, i)
		}
	}
	return node.NewIndividuals(of.Reader, some), nil
}

// members are who is in a segment.
func (r *Resolver) members(ctx context.Context, of *node.Segment, p store.Page) (*node.MembershipConnection, error) {
	reader, err := r.reader(ctx)
	if err != nil {
		return nil, err
	}
	seg, err := reader.Segment(ctx, of.Key)
	if err != nil {
		return nil, err
	}
	found, err := reader.Members(ctx, seg, p)
	if err != nil {
		return nil, err
	}
	return node.NewMembershipConnection(reader, p, found, func(ctx context.Context) (int, error) {
		counts, err := reader.CountMembers(ctx, []uuid.UUID{seg.ID})
		return counts[seg.ID], err
	}), nil
}

// followMemberships sends who enters and leaves a segment, first what was told since a
// place among all changes, in the order of the changes.
func (r *Resolver) followMemberships(ctx context.Context, reader *store.Reader, of *segment.Segment, after *insight.Cursor) (<-chan *node.MembershipChange, error) {
	sub, err := r.Store.SubscribeChanges()
	if err != nil {
		return nil, err
	}
	told, err := r.Store.LastChange(ctx) // what is told of later comes by the subscription
	if err != nil {
		sub.Close()
		return nil, err
	}
	from := told
	if after != nil {
		if err = r.checkPlace(*after, told); err != nil {
			sub.Close()
			return nil, err
		}
		from = segment.After(*after)
	}
	resuming := true
	earlier := func(yield func([]uuid.UUID, error) bool) {
		changesBetween(ctx, reader, of, from, told)(yield)
		resuming = false
	}
	return follow(ctx, r, sub, reader, earlier, func(ctx context.Context, reader *store.Reader, ids []uuid.UUID) ([]followedBy[*node.MembershipChange], error) {
		changes, err := reader.ChangesByID(ctx, of, ids)
		if err != nil {
			return nil, err
		}
		memberships := make([]uuid.UUID, len(changes))
		for n, c := range changes {
			memberships[n] = c.MembershipID
		}
		found, err := reader.MembershipsByID(ctx, memberships)
		if err != nil {
			return nil, err
		}
		byID := map[uuid.UUID]*segment.Membership{}
		for _, m := range found {
			byID[m.ID] = m
		}
		var all []followedBy[*node.MembershipChange]
		for _, c := range changes {
			m := byID[c.MembershipID]
			if m == nil || c.Sequence <= told && !resuming {
				continue
			}
			all = append(all, followedBy[*node.MembershipChange]{
				id:    c.ID,
				value: &node.MembershipChange{Change: c, Membership: node.NewMemberships(reader, []*segment.Membership{m})[0]},
				show:  func() { reader.Show(m.IndividualID) },
				still: func(ctx context.Context, reader *store.Reader) (bool, error) {
					again, err := reader.MembershipsByID(ctx, []uuid.UUID{m.ID})
					return len(again) == 1, err
				},
			})
		}
		return all, nil
	}), nil
}

// checkPlace refuses a cursor that is of no change, or of one so long ago that some of
// what came after it may have been forgotten. A change's id holds when it was made.
func (r *Resolver) checkPlace(after insight.Cursor, last int64) error {
	place := segment.After(after)
	if after.ID.Version() != 7 || place < 1 || place > last {
		return insight.NewError(insight.Invalid, "after", "this is no cursor of a change; take one from an event")
	}
	if made := time.Unix(after.ID.Time().UnixTime()); r.now().Sub(made) > store.Remembered {
		return insight.NewError(insight.Invalid, "after", "changes are remembered for thirty days, and this one is older; read the segment's members, and follow it from now on")
	}
	return nil
}

// changesBetween are the ids of the changes of a segment between two places, some at a
// time.
func changesBetween(ctx context.Context, reader *store.Reader, of *segment.Segment, after, until int64) iter.Seq2[[]uuid.UUID, error] {
	return func(yield func([]uuid.UUID, error) bool) {
		for after < until {
			some, err := reader.Changes(ctx, of, after, followed)
			if err != nil {
				yield(nil, err)
				return
			}
			var ids []uuid.UUID
			for _, c := range some {
				if after = c.Sequence; after <= until {
					ids = append(ids, c.ID)
				}
			}
			if len(ids) == 0 || !yield(ids, nil) {
				return
			}
		}
	}
}
