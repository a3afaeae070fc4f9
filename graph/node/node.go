package node

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/journey"
	"github.com/acquaint/acquaint/insight/recency"
	"github.com/acquaint/acquaint/insight/segment"
	"github.com/acquaint/acquaint/store"
)

// Node is what can be found again by its id.
type Node interface{ IsNode() }

// Individual is an individual among its siblings.
type Individual struct {
	*insight.Individual
	people *siblings
}

// IsNode marks a node.
func (*Individual) IsNode() {}

// ID is the public id.
func (i *Individual) ID() string {
	return insight.FormatID(insight.IndividualPrefix, i.Individual.ID)
}

// NewIndividuals makes siblings of individuals.
func NewIndividuals(r *store.Reader, some []*insight.Individual) []*Individual {
	people := &siblings{Reader: r, IDs: make([]uuid.UUID, len(some))}
	nodes := make([]*Individual, len(some))
	for n, i := range some {
		people.IDs[n], nodes[n] = i.ID, &Individual{Individual: i, people: people}
	}
	return nodes
}

// NewIndividual makes an individual without siblings.
func NewIndividual(r *store.Reader, i *insight.Individual) *Individual {
	return NewIndividuals(r, []*insight.Individual{i})[0]
}

// Identifiers are what the individual is known by.
func (i *Individual) Identifiers(ctx context.Context) ([]*insight.Identifier, error) {
	all, err := together(i.people, field(ctx), func() (map[uuid.UUID][]*insight.Identifier, error) {
		return i.people.Reader.Identifiers(ctx, i.people.IDs)
	})
	return all[i.Individual.ID], err
}

// Links are the evidence that touches the individual.
func (i *Individual) Links(ctx context.Context) ([]*Link, error) {
	all, err := together(i.people, field(ctx), func() (map[uuid.UUID][]*insight.Evidence, error) {
		return i.people.Reader.Links(ctx, i.people.IDs)
	})
	links := make([]*Link, len(all[i.Individual.ID]))
	for n, e := range all[i.Individual.ID] {
		links[n] = &Link{e}
	}
	return links, err
}

// AllTraits is what every source says of the individual.
func (i *Individual) AllTraits(ctx context.Context) ([]insight.Trait, error) {
	all, err := together(i.people, field(ctx), func() (map[uuid.UUID][]insight.Trait, error) {
		return i.people.Reader.Traits(ctx, i.people.IDs)
	})
	return all[i.Individual.ID], err
}

// history is the key of what is known of the siblings, by whether properties are.
type history struct{ properties bool }

// History is what may be known of the individual, but for the ids of interactions; and
// the properties where they are asked for. Fields that fold it share it.
func (i *Individual) History(ctx context.Context, properties bool) (*insight.History, error) {
	all, err := together(i.people, history{properties}, func() (map[uuid.UUID]*insight.History, error) {
		return i.people.Reader.Histories(ctx, i.people.IDs, properties)
	})
	if h := all[i.Individual.ID]; h != nil || err != nil {
		return h, err
	}
	return &insight.History{}, nil
}

// Timeline is what a selector selects of the individual's interactions up to a moment.
func (i *Individual) Timeline(ctx context.Context, s insight.Selector, asOf time.Time) (insight.Timeline, error) {
	h, err := i.History(ctx, len(s.Properties) > 0)
	if err != nil {
		return nil, err
	}
	matches := s.Matcher()
	var timeline insight.Timeline
	for _, x := range h.Timeline.AsOf(asOf) {
		if matches(x) {
			timeline = append(timeline, x)
		}
	}
	return timeline, nil
}

// Sessions are a page of the individual's sessions.
func (i *Individual) Sessions(ctx context.Context, p store.Page) (*SessionConnection, error) {
	type found struct {
		pages map[uuid.UUID]store.Slice[*insight.Session]
		nodes map[uuid.UUID]*Session
	}
	all, err := together(i.people, field(ctx), func() (found, error) {
		pages, err := i.people.Reader.Sessions(ctx, i.people.IDs, p)
		return found{pages, newSessions(i.people.Reader, pages)}, err
	})
	if err != nil {
		return nil, err
	}
	page := all.pages[i.Individual.ID]
	c := &SessionConnection{PageInfo: pageInfo(page, sessionPlace), Nodes: make([]*Session, len(page.Items))}
	for n, s := range page.Items {
		c.Nodes[n] = all.nodes[s.ID]
	}
	key := counted{field(ctx)}
	c.count = total(p, page, func(ctx context.Context) (int, error) {
		counts, err := together(i.people, key, func() (map[uuid.UUID]int, error) {
			return i.people.Reader.CountSessions(ctx, i.people.IDs)
		})
		return counts[i.Individual.ID], err
	})
	return c, nil
}

// memberships is the key of the siblings' memberships at a moment.
type memberships struct{ asOf time.Time }

// Memberships are the segments that the individual was in at a moment; zero: is in.
func (i *Individual) Memberships(ctx context.Context, asOf time.Time) ([]*Membership, error) {
	all, err := together(i.people, memberships{asOf}, func() (map[uuid.UUID][]*Membership, error) {
		found, err := i.people.Reader.Memberships(ctx, i.people.IDs, asOf)
		var some []*segment.Membership
		for _, id := range i.people.IDs {
			some = append(some, found[id]...)
		}
		nodes := map[uuid.UUID][]*Membership{}
		for _, m := range NewMemberships(i.people.Reader, some) {
			nodes[m.IndividualID] = append(nodes[m.IndividualID], m)
		}
		return nodes, err
	})
	if all[i.Individual.ID] == nil {
		return []*Membership{}, err
	}
	return all[i.Individual.ID], err
}

// Interactions are a page of the individual's interactions.
func (i *Individual) Interactions(ctx context.Context, s insight.Selector, p store.Page) (*InteractionConnection, error) {
	all, err := together(i.people, field(ctx), func() (*interactionPages, error) {
		pages, err := i.people.Reader.Interactions(ctx, i.people.IDs, s, p, detail(ctx))
		return newInteractionPages(i.people.Reader, pages), err
	})
	if err != nil {
		return nil, err
	}
	key := counted{field(ctx)}
	return all.connection(i.Individual.ID, p, func(ctx context.Context) (int, error) {
		if len(s.Properties) == 0 {
			return i.happened(ctx, s)
		}
		counts, err := together(i.people, key, func() (map[uuid.UUID]int, error) {
			return i.people.Reader.CountInteractions(ctx, i.people.IDs, s)
		})
		return counts[i.Individual.ID], err
	}), nil
}

// happened counts what a selector without properties selects of all that may be known of
// the individual, which is a fraction of reading each interaction.
func (i *Individual) happened(ctx context.Context, s insight.Selector) (int, error) {
	h, err := i.History(ctx, false)
	if err != nil {
		return 0, err
	}
	matches, n := s.Matcher(), 0
	for _, x := range h.Timeline {
		if matches(x) {
			n++
		}
	}
	return n, nil
}

// detail is what must be read of the interactions of the connection that is being
// resolved.
func detail(ctx context.Context) store.Detail {
	var d store.Detail
	for _, part := range []struct {
		detail store.Detail
		fields []string
	}{
		{store.WithOrigin, []string{"source", "messageId", "receivedAt"}},
		{store.WithCampaign, []string{"campaign"}},
		{store.WithProperties, []string{"properties"}},
	} {
		for _, field := range part.fields {
			if graphql.AnyFieldRequested(ctx, "nodes."+field, "edges.node."+field) {
				d |= part.detail
			}
		}
	}
	return d
}

// interactionPages are the pages of interactions of siblings, and all that is in
// them as siblings in turn.
type interactionPages struct {
	pages map[uuid.UUID]store.Slice[*insight.Interaction]
	nodes map[uuid.UUID]*Interaction
}

func newInteractionPages(r *store.Reader, pages map[uuid.UUID]store.Slice[*insight.Interaction]) *interactionPages {
	var all []*insight.Interaction
	for _, page := range pages {
		all = append(all, page.Items...)
	}
	nodes := make(map[uuid.UUID]*Interaction, len(all))
	for _, x := range NewInteractions(r, all) {
		nodes[x.Interaction.ID] = x
	}
	return &interactionPages{pages: pages, nodes: nodes}
}

func (a *interactionPages) connection(id uuid.UUID, p store.Page, count func(context.Context) (int, error)) *InteractionConnection {
	page := a.pages[id]
	c := &InteractionConnection{PageInfo: pageInfo(page, interactionPlace), Nodes: make([]*Interaction, len(page.Items)), count: total(p, page, count)}
	for n, x := range page.Items {
		c.Nodes[n] = a.nodes[x.ID]
	}
	return c
}

// Session is a session among its siblings.
type Session struct {
	*insight.Session
	sessions *siblings
	people   *siblings // whose they are
}

// IsNode marks a node.
func (*Session) IsNode() {}

// ID is the public id.
func (s *Session) ID() string { return insight.FormatID(insight.SessionPrefix, s.Session.ID) }

// Duration is the span from the first to the last interaction.
func (s *Session) Duration() time.Duration { return s.EndedAt.Sub(s.StartedAt) }

// InteractionCount is how many interactions there are.
func (s *Session) InteractionCount() int { return s.Session.Interactions }

// EntryChannel is the channel of the first interaction.
func (s *Session) EntryChannel() *Channel { return &Channel{s.Session.EntryChannel} }

// Source is what told of the session.
func (s *Session) Source() *Source { return &Source{s.Session.Source} }

// Campaign is the campaign of the first interaction.
func (s *Session) Campaign() *Campaign { return newCampaign(s.Session.Campaign) }

func newSessions(r *store.Reader, pages map[uuid.UUID]store.Slice[*insight.Session]) map[uuid.UUID]*Session {
	sessions, people := &siblings{Reader: r}, &siblings{Reader: r}
	nodes := map[uuid.UUID]*Session{}
	for owner, page := range pages {
		if len(page.Items) > 0 {
			people.IDs = append(people.IDs, owner)
		}
		for _, s := range page.Items {
			sessions.visits = append(sessions.visits, s)
			nodes[s.ID] = &Session{Session: s, sessions: sessions, people: people}
		}
	}
	return nodes
}

// NewSession makes a session without siblings.
func NewSession(r *store.Reader, s *insight.Session) *Session {
	return newSessions(r, map[uuid.UUID]store.Slice[*insight.Session]{s.IndividualID: {Items: []*insight.Session{s}}})[s.ID]
}

// Individual is whose session it is.
func (s *Session) Individual(ctx context.Context) (*Individual, error) {
	return person(ctx, s.people, s.IndividualID)
}

// person finds one of the people whom siblings belong to; they are siblings too.
func person(ctx context.Context, people *siblings, id uuid.UUID) (*Individual, error) {
	type key struct{}
	all, err := together(people, key{}, func() (map[uuid.UUID]*Individual, error) {
		found, err := people.Reader.People(ctx, people.IDs)
		nodes := make(map[uuid.UUID]*Individual, len(found))
		for id, i := range found {
			nodes[id] = &Individual{Individual: i, people: people}
		}
		return nodes, err
	})
	if err == nil && all[id] == nil {
		err = insight.NewError(insight.NotFound, "individual", "it is gone, or known by another id since")
	}
	return all[id], err
}

// Interactions are a page of the session's interactions.
func (s *Session) Interactions(ctx context.Context, p store.Page) (*InteractionConnection, error) {
	all, err := together(s.sessions, field(ctx), func() (*interactionPages, error) {
		pages, err := s.sessions.Reader.SessionInteractions(ctx, s.sessions.visits, p, detail(ctx))
		return newInteractionPages(s.sessions.Reader, pages), err
	})
	if err != nil {
		return nil, err
	}
	key := counted{field(ctx)}
	return all.connection(s.Session.ID, p, func(ctx context.Context) (int, error) {
		counts, err := together(s.sessions, key, func() (map[uuid.UUID]int, error) {
			return s.sessions.Reader.CountSessionInteractions(ctx, s.sessions.visits)
		})
		return counts[s.Session.ID], err
	}), nil
}

// Interaction is an interaction among its siblings.
type Interaction struct {
	*insight.Interaction
	interactions *siblings
	people       *siblings // whose they are
}

// IsNode marks a node.
func (*Interaction) IsNode() {}

// ID is the public id.
func (x *Interaction) ID() string {
	return insight.FormatID(insight.InteractionPrefix, x.Interaction.ID)
}

// Channel is where it happened.
func (x *Interaction) Channel() *Channel { return &Channel{x.Interaction.Channel} }

// Source is what told of it.
func (x *Interaction) Source() *Source { return &Source{x.Interaction.Source} }

// Currency is the value's currency, or nil.
func (x *Interaction) Currency() *string { return some(x.Interaction.Currency) }

// Campaign is the campaign that led to it, or nil.
func (x *Interaction) Campaign() *Campaign { return newCampaign(x.Interaction.Campaign) }

// NewInteractions makes siblings of interactions.
func NewInteractions(r *store.Reader, all []*insight.Interaction) []*Interaction {
	interactions, people := &siblings{Reader: r, IDs: make([]uuid.UUID, len(all))}, &siblings{Reader: r}
	seen := map[uuid.UUID]bool{}
	nodes := make([]*Interaction, len(all))
	for n, x := range all {
		interactions.IDs[n] = x.ID
		if !seen[x.IndividualID] {
			seen[x.IndividualID] = true
			people.IDs = append(people.IDs, x.IndividualID)
		}
		nodes[n] = &Interaction{Interaction: x, interactions: interactions, people: people}
	}
	return nodes
}

// Individual is whose interaction it is.
func (x *Interaction) Individual(ctx context.Context) (*Individual, error) {
	return person(ctx, x.people, x.IndividualID)
}

// Session is the session that the interaction is part of, or nil.
func (x *Interaction) Session(ctx context.Context) (*Session, error) {
	type key struct{}
	all, err := together(x.interactions, key{}, func() (map[uuid.UUID]*Session, error) {
		of, err := x.interactions.Reader.SessionsOf(ctx, x.interactions.IDs)
		sessions := &siblings{Reader: x.interactions.Reader}
		made := map[uuid.UUID]*Session{}
		nodes := make(map[uuid.UUID]*Session, len(of))
		for id, s := range of {
			if made[s.ID] == nil {
				sessions.visits = append(sessions.visits, s)
				made[s.ID] = &Session{Session: s, sessions: sessions, people: x.people}
			}
			nodes[id] = made[s.ID]
		}
		return nodes, err
	})
	return all[x.Interaction.ID], err
}

// Link is evidence that two identifiers are one person.
type Link struct{ *insight.Evidence }

// IsNode marks a node.
func (*Link) IsNode() {}

// ID is the public id.
func (l *Link) ID() string { return insight.FormatID(insight.LinkPrefix, l.Evidence.ID) }

// A is the stronger identifier.
func (l *Link) A() *insight.Identifier { return &l.Evidence.A }

// B is the weaker identifier.
func (l *Link) B() *insight.Identifier { return &l.Evidence.B }

// MessageID is the message that said so first, or nil.
func (l *Link) MessageID() *string { return some(l.Evidence.MessageID) }

// RevokedAt is when it was revoked, or nil.
func (l *Link) RevokedAt() *time.Time { return moment(l.Evidence.RevokedAt) }

// Reason is why it was made or revoked, or nil.
func (l *Link) Reason() *string { return some(l.Evidence.Reason) }

// Channel is a channel.
type Channel struct{ *insight.Channel }

// IsNode marks a node.
func (*Channel) IsNode() {}

// ID is the public id.
func (c *Channel) ID() string { return insight.FormatID(insight.ChannelPrefix, c.Channel.ID) }

// Source is a source.
type Source struct{ *insight.Source }

// IsNode marks a node.
func (*Source) IsNode() {}

// ID is the public id.
func (s *Source) ID() string { return insight.FormatID(insight.SourcePrefix, s.Source.ID) }

// DefaultChannel is the channel of events that name no other.
func (s *Source) DefaultChannel() *Channel { return &Channel{s.Source.DefaultChannel} }

// Purpose is a purpose.
type Purpose struct{ *insight.Purpose }

// IsNode marks a node.
func (*Purpose) IsNode() {}

// ID is the public id.
func (p *Purpose) ID() string { return insight.FormatID(insight.PurposePrefix, p.Purpose.ID) }

// Retention is how long data may be kept, or nil.
func (p *Purpose) Retention() *time.Duration {
	if p.Purpose.Retention == 0 {
		return nil
	}
	return &p.Purpose.Retention
}

// Tcf are the purpose numbers in IAB TCF v2.
func (p *Purpose) Tcf() []int { return p.TCF }

// Campaign is what the utm parameters of a link said.
type Campaign struct{ insight.Campaign }

func newCampaign(c insight.Campaign) *Campaign {
	if c.IsZero() {
		return nil
	}
	return &Campaign{c}
}

// Name is utm_campaign, or nil.
func (c *Campaign) Name() *string { return some(c.Campaign.Name) }

// Source is utm_source, or nil.
func (c *Campaign) Source() *string { return some(c.Campaign.Source) }

// Medium is utm_medium, or nil.
func (c *Campaign) Medium() *string { return some(c.Campaign.Medium) }

// Term is utm_term, or nil.
func (c *Campaign) Term() *string { return some(c.Campaign.Term) }

// Content is utm_content, or nil.
func (c *Campaign) Content() *string { return some(c.Campaign.Content) }

// Recency is how recent somebody is.
type Recency struct{ recency.Result }

// LastAt is when they last did it, or nil.
func (r *Recency) LastAt() *time.Time { return moment(r.Result.LastAt) }

// Elapsed is the time since, or nil.
func (r *Recency) Elapsed() *time.Duration {
	if r.Count == 0 {
		return nil
	}
	return &r.Result.Elapsed
}

// Journey is a way across channels.
type Journey struct {
	journey.Journey
	Asked Question
}

// Touchpoints are the journey's, in order.
func (j *Journey) Touchpoints() []*Touchpoint {
	all := make([]*Touchpoint, len(j.Journey.Touchpoints))
	for n := range j.Journey.Touchpoints {
		all[n] = &Touchpoint{Touchpoint: &j.Journey.Touchpoints[n], first: n == 0}
	}
	return all
}

// StartedAt is when its first interaction happened, or nil.
func (j *Journey) StartedAt() *time.Time { return moment(j.Journey.StartedAt) }

// EndedAt is when it ended, or nil.
func (j *Journey) EndedAt() *time.Time { return moment(j.Journey.EndedAt) }

// Touchpoint is consecutive interactions on one channel.
type Touchpoint struct {
	*journey.Touchpoint
	first bool
}

// Channel is where they happened.
func (t *Touchpoint) Channel() *Channel { return &Channel{t.Touchpoint.Channel} }

// InteractionCount is how many they are.
func (t *Touchpoint) InteractionCount() int { return t.Interactions }

// SincePrevious is the time since the touchpoint before, or nil.
func (t *Touchpoint) SincePrevious() *time.Duration {
	if t.first {
		return nil
	}
	return &t.Touchpoint.SincePrevious
}

func some(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
