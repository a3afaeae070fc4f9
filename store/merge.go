package store

import (
	"context"
	"database/sql"
	"slices"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/insight/identity"
	"github.com/acquaint/acquaint/insight/session"
)

// Lookup names an individual by exactly one of its fields. Identity's value must be
// normalised (identity.NewIdentity does).
type Lookup struct {
	ID       uuid.UUID
	Identity insight.Identity
}

// maxReason bounds an operator's explanation.
const maxReason = 1000

func checkReason(reason string) error {
	if reason == "" || utf8.RuneCountInString(reason) > maxReason || !utf8.ValidString(reason) || slices.Contains([]rune(reason), 0) {
		return insight.NewError(insight.Invalid, "reason", "it must say why, in 1 to 1000 characters")
	}
	return nil
}

// Merge records an operator's judgement that two individuals are one, by whichever
// of their names or ids. It returns the surviving individual's id and the link, which
// is between the strongest identifiers that evidence joins with those that are named
// (an id names the identifier that it was born with). Merging what such a link joins
// already returns that link.
func (s *Store) Merge(ctx context.Context, into, from Lookup, reason string) (uuid.UUID, uuid.UUID, error) {
	if err := checkReason(reason); err != nil {
		return uuid.Nil, uuid.Nil, err
	}
	var survivor, linked uuid.UUID
	err := s.change(ctx, "store.Merge", func(b *batch) error {
		one, err := b.named(ctx, "into", into)
		if err != nil {
			return err
		}
		other, err := b.named(ctx, "from", from)
		if err != nil {
			return err
		}
		if one.key == other.key {
			return insight.NewError(insight.Invalid, "from", "it names the same individual as into")
		}
		if one, other, err = b.strongest(ctx, one, other); err != nil {
			return err
		}
		if other.Stronger(one.Identity) {
			one, other = other, one
		}
		link, err := b.operatorLink(ctx, one.key, other.key)
		if err != nil {
			return err
		}
		if link == nil {
			api, err := s.Source(ctx, APISource)
			if err != nil {
				return err
			}
			link = &linkRow{id: newID(), a: one.key, b: other.key, operator: true, source: api.ID, observed: b.now, reason: reason, isNew: true}
			b.links[link.id] = link
		}
		linked = link.id
		if err := b.unsettle(ctx, one.key, other.key); err != nil {
			return err
		}
		survivor = b.individualOf(one.key)
		return nil
	})
	return survivor, linked, err
}

// Unmerge revokes links and resolves anew whom they joined. It returns the
// individuals that the ends of the links now belong to. Revoking a link that is
// revoked changes nothing.
func (s *Store) Unmerge(ctx context.Context, links []uuid.UUID, reason string) ([]uuid.UUID, error) {
	if err := checkReason(reason); err != nil {
		return nil, err
	}
	if len(links) == 0 || len(links) > 1000 {
		return nil, insight.NewError(insight.Invalid, "links", "name 1 to 1000 links")
	}
	var individuals []uuid.UUID
	err := s.change(ctx, "store.Unmerge", func(b *batch) error {
		individuals = nil
		if err := b.loadLinks(ctx, b.engine.anyOf("id", 1), links); err != nil {
			return err
		}
		var ends []uuid.UUID
		for _, id := range links {
			l, ok := b.links[id]
			if !ok {
				return insight.NewError(insight.NotFound, "links", "one of the links does not exist")
			}
			if l.revoked.IsZero() {
				l.revoked, l.reason, l.changed = b.now, reason, true
			}
			ends = append(ends, l.a, l.b)
		}
		if err := b.unsettle(ctx, ends...); err != nil {
			return err
		}
		seen := map[uuid.UUID]bool{}
		for _, key := range ends {
			if id := b.individualOf(key); !seen[id] {
				seen[id] = true
				individuals = append(individuals, id)
			}
		}
		return nil
	})
	return individuals, err
}

// change runs do in the writing transaction, and afterwards tells whoever listens
// what changed.
func (s *Store) change(ctx context.Context, op string, do func(b *batch) error) error {
	var done *batch
	err := s.inTurn(ctx, op, func(tx *sql.Tx, m marks) error {
		b, err := s.newBatch(ctx, tx, m)
		if err != nil {
			return err
		}
		done = b
		if err := do(b); err != nil {
			return err
		}
		if err := b.assess(ctx); err != nil {
			return err
		}
		return b.announce(ctx)
	})
	if err != nil {
		return err
	}
	s.moves.Add(1)
	if done.covers {
		s.changes.Add(1)
	}
	s.horizon.lapses(done.lapse)
	if !done.look.IsZero() || len(done.told) > 0 {
		s.wake()
	}
	if !s.write.postgres() {
		s.feed.publish(keptChannel, done.kept)
		s.feed.publish(decidedChannel, done.decided())
		s.feed.publish(toldChannel, done.changed())
	}
	s.write.prepareOften(ctx)
	return nil
}

// newBatch begins a transaction's work: with the policy that holds in it.
func (s *Store) newBatch(ctx context.Context, tx *sql.Tx, m marks) (*batch, error) {
	p, err := s.currentPolicy(ctx, m.revision)
	if err != nil {
		return nil, err
	}
	return &batch{
		store: s, tx: tx, engine: s.write, policy: p, now: insight.Moment(s.now()), place: m.place,
		identifiers: map[uuid.UUID]*identifierRow{}, individuals: map[uuid.UUID]*individualRow{}, links: map[uuid.UUID]*linkRow{},
		unsettled: map[uuid.UUID]bool{}, rebuild: map[uuid.UUID]bool{}, runs: map[session.Line][]session.Run{},
		suppressed: map[uuid.UUID]bool{}, reconsidered: map[uuid.UUID]bool{}, narrowed: map[uuid.UUID]bool{}, spans: map[uuid.UUID][]consent.Span{}, stirs: map[uuid.UUID]*stir{}, leavers: map[uuid.UUID]string{},
	}, nil
}

// unsettle writes what changed and resolves the neighbourhood of the identifiers.
func (b *batch) unsettle(ctx context.Context, keys ...uuid.UUID) error {
	for _, key := range keys {
		b.unsettled[key] = true
	}
	if err := b.loadDecisions(ctx); err != nil {
		return err
	}
	if err := b.settle(ctx); err != nil {
		return err
	}
	if err := b.record(ctx); err != nil {
		return err
	}
	if err := b.writeSessions(ctx); err != nil {
		return err
	}
	return b.consider(ctx)
}

// named loads the identifier that a lookup names.
func (b *batch) named(ctx context.Context, subject string, l Lookup) (*identifierRow, error) {
	key := b.store.key(l.Identity)
	if l.ID != uuid.Nil {
		key = uuid.Nil // which is nobody's
		err := b.query(ctx, "SELECT id FROM identifiers WHERE origin = "+b.engine.key(1), []any{l.ID.String()}, func(r *sql.Rows) error { return r.Scan(&key) })
		if err != nil {
			return nil, err
		}
	}
	if err := b.loadIdentifiers(ctx, []uuid.UUID{key}); err != nil {
		return nil, err
	}
	f, ok := b.identifiers[key]
	if !ok {
		return nil, insight.NewError(insight.NotFound, subject, "there is no such individual")
	}
	return f, b.loadIndividuals(ctx)
}

// strongest finds whom two identifiers stand for: the strongest identifiers that
// evidence alone joins them with. Between weaker ones the link could take an
// identifier away from its USER_ID in place of joining the two individuals. Two that
// evidence joins already stand for themselves.
func (b *batch) strongest(ctx context.Context, one, other *identifierRow) (*identifierRow, *identifierRow, error) {
	b.unsettled[one.key], b.unsettled[other.key] = true, true
	zone, err := b.loadZone(ctx)
	if err != nil {
		return nil, nil, err
	}
	var evidence []insight.Link
	for _, l := range b.links {
		if !l.operator {
			evidence = append(evidence, l.asLink())
		}
	}
	standings := identity.Resolve(b.members(zone), evidence)
	if standings[one.key].Individual == standings[other.key].Individual {
		return one, other, nil
	}
	strongest := func(of *identifierRow) *identifierRow {
		best := of
		for key, s := range standings {
			if f := b.identifiers[key]; s.Individual == standings[of.key].Individual && f.Stronger(best.Identity) {
				best = f
			}
		}
		return best
	}
	return strongest(one), strongest(other), nil
}

// operatorLink finds the active operator's link between two identifiers, or nil.
func (b *batch) operatorLink(ctx context.Context, strong, weak uuid.UUID) (*linkRow, error) {
	if err := b.loadLinks(ctx, "operator AND revoked_at IS NULL AND "+b.engine.anyOf("a", 1), []uuid.UUID{strong}); err != nil {
		return nil, err
	}
	for _, l := range b.links {
		if l.operator && l.a == strong && l.b == weak {
			return l, nil
		}
	}
	return nil, nil //nolint:nilnil // none is an answer
}
