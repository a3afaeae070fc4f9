package node

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/store"
)

// Consent is a decision in a ledger.
type Consent struct{ *insight.Consent }

// IsNode marks a node.
func (*Consent) IsNode() {}

// NewConsents makes nodes of decisions.
func NewConsents(some []*insight.Consent) []*Consent {
	all := make([]*Consent, len(some))
	for n, d := range some {
		all[n] = &Consent{d}
	}
	return all
}

// ID is the public id.
func (c *Consent) ID() string { return insight.FormatID(insight.ConsentPrefix, c.Consent.ID) }

// Purpose is what it is about.
func (c *Consent) Purpose() *Purpose { return &Purpose{c.Consent.Purpose} }

// ExpiresAt is when it ends by itself, or nil.
func (c *Consent) ExpiresAt() *time.Time { return moment(c.Consent.ExpiresAt) }

// PolicyVersion is the version of the policy that it was given under, or nil.
func (c *Consent) PolicyVersion() *string { return some(c.Consent.PolicyVersion) }

// Jurisdiction is where it was given, or nil.
func (c *Consent) Jurisdiction() *string { return some(c.Consent.Jurisdiction) }

// Evidence is what proves it, or nil.
func (c *Consent) Evidence() json.RawMessage { return c.Consent.Evidence }

// Ledger names the chain that it stands in.
func (c *Consent) Ledger() string { return c.Owner.String() }

// ConsentState is how an individual stands with a purpose.
type ConsentState struct {
	Purpose *Purpose
	consent.State
}

// NewConsentState makes a node of a state.
func NewConsentState(p *insight.Purpose, s consent.State) *ConsentState {
	return &ConsentState{Purpose: &Purpose{p}, State: s}
}

// Since is from when the decision holds, or nil.
func (s *ConsentState) Since() *time.Time { return moment(s.State.Since) }

// ExpiresAt is when the grant ends by itself, or nil.
func (s *ConsentState) ExpiresAt() *time.Time { return moment(s.State.ExpiresAt) }

// Record is the decision that settles it, or nil.
func (s *ConsentState) Record() *Consent {
	if s.State.Record == nil {
		return nil
	}
	return &Consent{s.State.Record}
}

// AccessEntry says that somebody was shown an individual's data.
type AccessEntry struct{ *insight.AccessEntry }

// Purpose is what it was read for.
func (e *AccessEntry) Purpose() *Purpose { return &Purpose{e.AccessEntry.Purpose} }

// Request is something that was asked for.
type Request struct{ *insight.Request }

// IsNode marks a node.
func (*Request) IsNode() {}

// ID is the public id.
func (r *Request) ID() string { return insight.FormatID(insight.RequestPrefix, r.Request.ID) }

// CompletedAt is when it was done, or nil.
func (r *Request) CompletedAt() *time.Time { return moment(r.Request.CompletedAt) }

// Decisions are everything that the individual decided.
func (i *Individual) Decisions(ctx context.Context) ([]*insight.Consent, error) {
	type key struct{}
	all, err := together(i.people, key{}, func() (map[uuid.UUID][]*insight.Consent, error) {
		return i.people.Reader.Decisions(ctx, i.people.IDs)
	})
	return all[i.Individual.ID], err
}

// Consents are a page of the individual's ledger.
func (i *Individual) Consents(ctx context.Context, p store.Page) (*ConsentConnection, error) {
	pages, err := together(i.people, field(ctx), func() (map[uuid.UUID]store.Slice[*insight.Consent], error) {
		return i.people.Reader.Consents(ctx, i.people.IDs, p)
	})
	if err != nil {
		return nil, err
	}
	page, key := pages[i.Individual.ID], counted{field(ctx)}
	return &ConsentConnection{PageInfo: pageInfo(page, consentPlace), Nodes: NewConsents(page.Items), count: total(p, page, func(ctx context.Context) (int, error) {
		counts, err := together(i.people, key, func() (map[uuid.UUID]int, error) {
			return i.people.Reader.CountConsents(ctx, i.people.IDs)
		})
		return counts[i.Individual.ID], err
	})}, nil
}

// AccessLog is a page of who was shown the individual's data.
func (i *Individual) AccessLog(ctx context.Context, p store.Page) (*AccessEntryConnection, error) {
	pages, err := together(i.people, field(ctx), func() (map[uuid.UUID]store.Slice[*insight.AccessEntry], error) {
		return i.people.Reader.AccessLog(ctx, i.people.IDs, p)
	})
	if err != nil {
		return nil, err
	}
	page, key := pages[i.Individual.ID], counted{field(ctx)}
	c := &AccessEntryConnection{PageInfo: pageInfo(page, accessPlace), Nodes: make([]*AccessEntry, len(page.Items))}
	for n, e := range page.Items {
		c.Nodes[n] = &AccessEntry{e}
	}
	c.count = total(p, page, func(ctx context.Context) (int, error) {
		counts, err := together(i.people, key, func() (map[uuid.UUID]int, error) {
			return i.people.Reader.CountAccess(ctx, i.people.IDs)
		})
		return counts[i.Individual.ID], err
	})
	return c, nil
}

// Requests are what was asked for concerning the individual's data.
func (i *Individual) Requests(ctx context.Context) ([]*Request, error) {
	all, err := together(i.people, field(ctx), func() (map[uuid.UUID][]*insight.Request, error) {
		return i.people.Reader.Requests(ctx, i.people.IDs)
	})
	requests := make([]*Request, len(all[i.Individual.ID]))
	for n, r := range all[i.Individual.ID] {
		requests[n] = &Request{r}
	}
	return requests, err
}

func consentPlace(d *insight.Consent) insight.Cursor {
	return insight.Cursor{At: d.RecordedAt, ID: d.ID}
}

func accessPlace(e *insight.AccessEntry) insight.Cursor { return insight.Cursor{At: e.At, ID: e.ID} }

// ConsentConnection is a page of a ledger.
type ConsentConnection struct {
	PageInfo *PageInfo
	Nodes    []*Consent
	count    func(context.Context) (int, error)
}

// ConsentEdge is a decision's place in a list.
type ConsentEdge struct {
	Cursor insight.Cursor
	Node   *Consent
}

// Edges are the page's decisions with their cursors.
func (c *ConsentConnection) Edges() []*ConsentEdge {
	edges := make([]*ConsentEdge, len(c.Nodes))
	for n, d := range c.Nodes {
		edges[n] = &ConsentEdge{Cursor: consentPlace(d.Consent), Node: d}
	}
	return edges
}

// TotalCount counts the whole ledger.
func (c *ConsentConnection) TotalCount(ctx context.Context) (int, error) { return c.count(ctx) }

// AccessEntryConnection is a page of an access log.
type AccessEntryConnection struct {
	PageInfo *PageInfo
	Nodes    []*AccessEntry
	count    func(context.Context) (int, error)
}

// AccessEntryEdge is an entry's place in a list.
type AccessEntryEdge struct {
	Cursor insight.Cursor
	Node   *AccessEntry
}

// Edges are the page's entries with their cursors.
func (c *AccessEntryConnection) Edges() []*AccessEntryEdge {
	edges := make([]*AccessEntryEdge, len(c.Nodes))
	for n, e := range c.Nodes {
		edges[n] = &AccessEntryEdge{Cursor: accessPlace(e.AccessEntry), Node: e}
	}
	return edges
}

// TotalCount counts the whole log.
func (c *AccessEntryConnection) TotalCount(ctx context.Context) (int, error) { return c.count(ctx) }

// Insights are what is understood of everyone whom a purpose covers.
type Insights struct{ Survey *store.Survey }
