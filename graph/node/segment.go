package node

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/segment"
	"github.com/acquaint/acquaint/insight/smallgroup"
	"github.com/acquaint/acquaint/store"
)

// Segment is a segment among its siblings.
type Segment struct {
	*segment.Segment
	others *siblings
}

// NewSegments makes siblings of segments.
func NewSegments(some []*segment.Segment) []*Segment {
	others := &siblings{}
	nodes := make([]*Segment, len(some))
	for n, one := range some {
		others.IDs = append(others.IDs, one.ID)
		nodes[n] = &Segment{Segment: one, others: others}
	}
	return nodes
}

// NewSegment makes a segment without siblings.
func NewSegment(one *segment.Segment) *Segment { return NewSegments([]*segment.Segment{one})[0] }

// IsNode marks a node.
func (*Segment) IsNode() {}

// ID is the public id.
func (s *Segment) ID() string { return insight.FormatID(insight.SegmentPrefix, s.Segment.ID) }

// Description is what it is for, or nil.
func (s *Segment) Description() *string { return some(s.Segment.Description) }

// Purpose is what it reads for.
func (s *Segment) Purpose() *Purpose { return &Purpose{Purpose: s.Segment.Purpose} }

// Rule is the rule as JSON.
func (s *Segment) Rule() (json.RawMessage, error) { return json.Marshal(s.Segment.Rule) }

// Status is how far it is.
func (s *Segment) Status() segment.Status { return s.Segment.Status }

// Progress is how much of the population has been looked at, while it is computed.
func (s *Segment) Progress() *float64 {
	if s.Segment.Status != segment.Computing {
		return nil
	}
	share := 0.0
	if s.Total > 0 {
		share = min(float64(s.Seen)/float64(s.Total), 1)
	}
	return &share
}

// FreshAsOf is up to when its members are right.
func (s *Segment) FreshAsOf() time.Time {
	if s.Segment.FreshAsOf.IsZero() {
		return s.CreatedAt
	}
	return s.Segment.FreshAsOf
}

// Size counts who is in it, with all its siblings.
func (s *Segment) Size(count func(of []uuid.UUID) (map[uuid.UUID]int, error)) (int, error) {
	type key struct{}
	counts, err := together(s.others, key{}, func() (map[uuid.UUID]int, error) { return count(s.others.IDs) })
	return counts[s.Segment.ID], err
}

// SegmentConnection is a page of a list of segments.
type SegmentConnection struct {
	PageInfo   *PageInfo
	Nodes      []*Segment
	TotalCount int
}

// SegmentEdge is a segment's place in a list.
type SegmentEdge struct {
	Cursor insight.Cursor
	Node   *Segment
}

// NewSegmentConnection makes a page of a list of so many.
func NewSegmentConnection(page store.Slice[*segment.Segment], all int) *SegmentConnection {
	return &SegmentConnection{PageInfo: pageInfo(page, SegmentPlace), Nodes: NewSegments(page.Items), TotalCount: all}
}

// SegmentPlace is where a segment stands in the list of all.
func SegmentPlace(s *segment.Segment) insight.Cursor {
	return insight.Cursor{ID: s.ID, At: s.CreatedAt}
}

// Edges are the page's segments with their cursors.
func (c *SegmentConnection) Edges() []*SegmentEdge {
	edges := make([]*SegmentEdge, len(c.Nodes))
	for n, s := range c.Nodes {
		edges[n] = &SegmentEdge{Cursor: SegmentPlace(s.Segment), Node: s}
	}
	return edges
}

// Membership is a membership among its siblings.
type Membership struct {
	*segment.Membership
	all    *siblings // and whose they are
	others []*segment.Membership
}

// NewMemberships makes siblings of memberships.
func NewMemberships(r *store.Reader, some []*segment.Membership) []*Membership {
	all := &siblings{Reader: r}
	seen := map[uuid.UUID]bool{}
	nodes := make([]*Membership, len(some))
	for n, m := range some {
		if !seen[m.IndividualID] {
			seen[m.IndividualID] = true
			all.IDs = append(all.IDs, m.IndividualID)
		}
		nodes[n] = &Membership{Membership: m, all: all, others: some}
	}
	return nodes
}

// IsNode marks a node.
func (*Membership) IsNode() {}

// ID is the public id.
func (m *Membership) ID() string { return insight.FormatID(insight.MembershipPrefix, m.Membership.ID) }

// ExitedAt is until when, or nil.
func (m *Membership) ExitedAt() *time.Time { return moment(m.Membership.ExitedAt) }

// Individual is who.
func (m *Membership) Individual(ctx context.Context) (*Individual, error) {
	return person(ctx, m.all, m.IndividualID)
}

// Segments finds the segments of all siblings.
func (m *Membership) Segments(find func() (map[uuid.UUID]*Segment, error)) (*Segment, error) {
	type key struct{}
	all, err := together(m.all, key{}, find)
	if err == nil && all[m.SegmentID] == nil {
		err = insight.NewError(insight.NotFound, "segment", "there is no such segment")
	}
	return all[m.SegmentID], err
}

func (m *Membership) explained(ctx context.Context) (store.Explanation, error) {
	type key struct{}
	all, err := together(m.all, key{}, func() (map[uuid.UUID]store.Explanation, error) { return m.all.Reader.Explain(ctx, m.others) })
	return all[m.Membership.ID], err
}

// LapsesAt is when it ends if nothing new happens, or nil.
func (m *Membership) LapsesAt(ctx context.Context) (*time.Time, error) {
	e, err := m.explained(ctx)
	return moment(e.LapsesAt), err
}

// Why is each condition of the rule, how it stands and the facts.
func (m *Membership) Why(ctx context.Context) ([]*Reason, error) {
	e, err := m.explained(ctx)
	reasons := make([]*Reason, len(e.Reasons))
	for n, r := range e.Reasons {
		reasons[n] = &Reason{Rule: r.Rule, Holds: r.Holds, Facts: r.Facts, Until: moment(r.Until)}
		if r.Facts == nil {
			reasons[n].Facts = []string{}
		}
	}
	return reasons, err
}

// Reason is a condition of a rule, and how it stands.
type Reason struct {
	Rule  string
	Holds bool
	Facts []string
	Until *time.Time
}

// MembershipConnection is a page of a list of memberships.
type MembershipConnection struct {
	PageInfo *PageInfo
	Nodes    []*Membership
	count    func(context.Context) (int, error)
}

// MembershipEdge is a membership's place in a list.
type MembershipEdge struct {
	Cursor insight.Cursor
	Node   *Membership
}

func membershipPlace(m *segment.Membership) insight.Cursor {
	return insight.Cursor{At: m.EnteredAt, ID: m.ID}
}

// NewMembershipConnection makes a page; count counts the whole list.
func NewMembershipConnection(r *store.Reader, p store.Page, page store.Slice[*segment.Membership], count func(context.Context) (int, error)) *MembershipConnection {
	return &MembershipConnection{PageInfo: pageInfo(page, membershipPlace), Nodes: NewMemberships(r, page.Items), count: total(p, page, count)}
}

// Edges are the page's memberships with their cursors.
func (c *MembershipConnection) Edges() []*MembershipEdge {
	edges := make([]*MembershipEdge, len(c.Nodes))
	for n, m := range c.Nodes {
		edges[n] = &MembershipEdge{Cursor: membershipPlace(m.Membership), Node: m}
	}
	return edges
}

// TotalCount counts the whole list.
func (c *MembershipConnection) TotalCount(ctx context.Context) (int, error) { return c.count(ctx) }

// MembershipChange is a change with the membership that began or ended.
type MembershipChange struct {
	*segment.Change
	Membership *Membership
}

// ID is the public id.
func (c *MembershipChange) ID() string { return insight.FormatID(insight.ChangePrefix, c.Change.ID) }

// Cursor is its place among all changes.
func (c *MembershipChange) Cursor() insight.Cursor { return c.Place() }

// SegmentPreview is whom a rule would find.
type SegmentPreview struct {
	Found  *store.Found
	Floor  smallgroup.Floor
	Reader *store.Reader // nil: for a viewer who may not read individuals
}

func (p *SegmentPreview) numbers() (found, withheld smallgroup.Number) {
	_, shown := p.Floor.Partition([]int{p.Found.Size, p.Found.Withheld})
	return shown[0], shown[1]
}

// Size is how many it finds, or nil.
func (p *SegmentPreview) Size() *int {
	n, _ := p.numbers()
	return n.Individuals()
}

// Suppressed reports whether a number is left out.
func (p *SegmentPreview) Suppressed() bool {
	one, other := p.numbers()
	return one.Suppressed() || other.Suppressed()
}

// Withheld is how many others it finds, or nil.
func (p *SegmentPreview) Withheld() *int {
	_, n := p.numbers()
	return n.Individuals()
}
