package node

import (
	"context"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/store"
)

// PageInfo is where a page lies in its list.
type PageInfo struct {
	HasNextPage     bool
	HasPreviousPage bool
	StartCursor     *insight.Cursor
	EndCursor       *insight.Cursor
}

func pageInfo[T any](s store.Slice[T], place func(T) insight.Cursor) *PageInfo {
	p := &PageInfo{HasNextPage: s.HasNext, HasPreviousPage: s.HasPrevious}
	if n := len(s.Items); n > 0 {
		start, end := place(s.Items[0]), place(s.Items[n-1])
		p.StartCursor, p.EndCursor = &start, &end
	}
	return p
}

// total is what counts a list of which a page was read: nobody has to where the page is
// the whole list.
func total[T any](p store.Page, page store.Slice[T], count func(context.Context) (int, error)) func(context.Context) (int, error) {
	if p.After == nil && p.Before == nil && !page.HasNext && !page.HasPrevious {
		return func(context.Context) (int, error) { return len(page.Items), nil }
	}
	return count
}

func sessionPlace(s *insight.Session) insight.Cursor {
	return insight.Cursor{At: s.StartedAt, ID: s.ID}
}

func interactionPlace(x *insight.Interaction) insight.Cursor {
	return insight.Cursor{At: x.OccurredAt, ID: x.ID}
}

// IndividualConnection is a page of a list of individuals.
type IndividualConnection struct {
	PageInfo *PageInfo
	Nodes    []*Individual
	order    store.Order
	count    func(context.Context) (int, error)
}

// NewIndividualConnection makes a page; count counts the whole list.
func NewIndividualConnection(r *store.Reader, page store.Slice[*insight.Individual], order store.Order, count func(context.Context) (int, error)) *IndividualConnection {
	return &IndividualConnection{PageInfo: pageInfo(page, order.Place), Nodes: NewIndividuals(r, page.Items), order: order, count: count}
}

// IndividualEdge is an individual's place in a list.
type IndividualEdge struct {
	Cursor insight.Cursor
	Node   *Individual
}

// Edges are the page's individuals with their cursors.
func (c *IndividualConnection) Edges() []*IndividualEdge {
	edges := make([]*IndividualEdge, len(c.Nodes))
	for n, i := range c.Nodes {
		edges[n] = &IndividualEdge{Cursor: c.order.Place(i.Individual), Node: i}
	}
	return edges
}

// TotalCount counts the whole list.
func (c *IndividualConnection) TotalCount(ctx context.Context) (int, error) { return c.count(ctx) }

// SessionConnection is a page of a list of sessions.
type SessionConnection struct {
	PageInfo *PageInfo
	Nodes    []*Session
	count    func(context.Context) (int, error)
}

// SessionEdge is a session's place in a list.
type SessionEdge struct {
	Cursor insight.Cursor
	Node   *Session
}

// Edges are the page's sessions with their cursors.
func (c *SessionConnection) Edges() []*SessionEdge {
	edges := make([]*SessionEdge, len(c.Nodes))
	for n, s := range c.Nodes {
		edges[n] = &SessionEdge{Cursor: sessionPlace(s.Session), Node: s}
	}
	return edges
}

// TotalCount counts the whole list.
func (c *SessionConnection) TotalCount(ctx context.Context) (int, error) { return c.count(ctx) }

// InteractionConnection is a page of a list of interactions.
type InteractionConnection struct {
	PageInfo *PageInfo
	Nodes    []*Interaction
	count    func(context.Context) (int, error)
}

// InteractionEdge is an interaction's place in a list.
type InteractionEdge struct {
	Cursor insight.Cursor
	Node   *Interaction
}

// Edges are the page's interactions with their cursors.
func (c *InteractionConnection) Edges() []*InteractionEdge {
	edges := make([]*InteractionEdge, len(c.Nodes))
	for n, x := range c.Nodes {
		edges[n] = &InteractionEdge{Cursor: interactionPlace(x.Interaction), Node: x}
	}
	return edges
}

// TotalCount counts the whole list.
func (c *InteractionConnection) TotalCount(ctx context.Context) (int, error) { return c.count(ctx) }
