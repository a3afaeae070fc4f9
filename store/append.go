package store

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/insight/digest"
	"github.com/acquaint/acquaint/insight/segment"
	"github.com/acquaint/acquaint/insight/session"
)

// Append keeps events, all in one transaction, and says of each what became of
// it, in the same order. When it returns without an error, what it accepted is
// durable; when it returns an error, nothing was kept.
//
// Any batching and any order of the same events leaves the same facts and the same
// derived rows. The events are read, never changed.
func (s *Store) Append(ctx context.Context, events []*insight.Event) ([]insight.Outcome, error) {
	arrivals := s.arrivals(events)
	var outcomes []insight.Outcome
	err := s.change(ctx, "store.Append", func(b *batch) error {
		b.arrivals = arrivals
		var err error
		outcomes, err = b.append(ctx)
		return err
	})
	return outcomes, err
}

// arrival is an event with the keys that are derived from it, which takes no
// database and so happens before the transaction.
type arrival struct {
	*insight.Event
	index  int // among the events that were handed in
	id     uuid.UUID
	keys   []uuid.UUID // of its identities, in their order
	links  []uuid.UUID // of the first identity with each other one
	stream uuid.UUID
}

func (s *Store) arrivals(events []*insight.Event) []arrival {
	all := make([]arrival, len(events))
	for i, e := range events {
		if e.OccurredAt.IsZero() {
			// Everywhere in here the zero time is "never"; a microsecond later is the nearest that can be kept.
			moved := *e
			moved.OccurredAt = e.OccurredAt.Add(insight.Precision)
			e = &moved
		}
		a := arrival{Event: e, index: i, id: e.ID(), keys: make([]uuid.UUID, len(e.Identities))}
		for j, identity := range e.Identities {
			a.keys[j] = s.key(identity)
			if identity == e.Stream {
				a.stream = a.keys[j]
			}
		}
		if a.stream == uuid.Nil {
			a.stream = a.keys[0]
		}
		for _, weaker := range a.keys[1:] {
			a.links = append(a.links, s.linkKey(a.keys[0], weaker))
		}
		all[i] = a
	}
	return all
}

func (s *Store) linkKey(a, b uuid.UUID) uuid.UUID {
	return s.derive(linkTag, string(a[:]), string(b[:]))
}

func (s *Store) traitKey(owner, source uuid.UUID, key string) uuid.UUID {
	return s.derive(traitTag, string(owner[:]), string(source[:]), key)
}

// batch is one transaction's work: what was loaded, what changes.
type batch struct {
	store    *Store
	tx       *sql.Tx
	engine   *engine
	policy   *policy
	now      time.Time // the moment of the transaction
	place    []byte    // the last one among all changes of memberships that was given: see placeOf
	arrivals []arrival
	writes   []write // what waits to be written

	// own says that the arrivals are what the business itself decides about those who are
	// loaded: their ids are new, and they tell nothing of who somebody is, and when their
	// identifiers were seen.
	own bool

	identifiers map[uuid.UUID]*identifierRow
	individuals map[uuid.UUID]*individualRow
	links       map[uuid.UUID]*linkRow
	unsettled   map[uuid.UUID]bool // identifiers whose neighbourhood must be resolved whole
	rebuild     map[uuid.UUID]bool // individuals whose sessions are made anew from their interactions
	runs        map[session.Line][]session.Run
	moves       []move

	suppressed   map[uuid.UUID]bool           // identifiers of which nothing may be kept
	records      []*record                    // decisions that go into ledgers
	reconsidered map[uuid.UUID]bool           // individuals whom other purposes may cover now
	narrowed     map[uuid.UUID]bool           // individuals of whom a purpose knew everything, and does not any more
	spans        map[uuid.UUID][]consent.Span // what covered whom when, of those who have decided
	lapse        time.Time                    // the next moment at which a grant ends that was seen to
	kept         []uuid.UUID                  // interactions, to be announced
	stirs        map[uuid.UUID]*stir          // individuals of whom something is to be made anew
	leavers      map[uuid.UUID]string         // those who are no longer individuals of their own, and why
	told         []*segment.Change            // who entered and left
	look         time.Time                    // the next moment at which time changes a membership that was seen to
	covers       bool                         // whether somebody may be covered by other purposes now
}

// span is the first and last moment of something; both zero for never.
type span struct{ first, last time.Time }

func (s *span) extend(o span) bool {
	if o.first.IsZero() {
		return false
	}
	changed := false
	if s.first.IsZero() || o.first.Before(s.first) {
		s.first, changed = o.first, true
	}
	if s.last.IsZero() || o.last.After(s.last) {
		s.last, changed = o.last, true
	}
	return changed
}

type identifierRow struct {
	insight.Identity
	key, origin, individual, user uuid.UUID
	shared                        bool
	seen                          span // whatever mentions it
	acted                         span // what it did itself, being the strongest
	isNew, changed                bool
}

type individualRow struct {
	id         uuid.UUID
	seen       span
	acted      bool // seen is of what they did, not only of what was said of them
	identified bool
	contested  bool
	permitted  insight.Set
	whole      insight.Set
	decided    bool
	lapsesAt   time.Time
	lookAt     time.Time          // when time alone may change a membership of theirs
	kept       *standing          // as it is in the database; nil: it was not read
	decisions  []*insight.Consent // in their ledgers, where decided
	isNew      bool
	changed    bool
	into       *individualRow // the survivor that it was absorbed by
}

// now is the row that this one has become part of.
func (i *individualRow) now() *individualRow {
	for i.into != nil {
		i = i.into
	}
	return i
}

// see takes in a moment of theirs: what they did counts before what was said.
func (i *individualRow) see(s span, acted bool) {
	switch {
	case acted && !i.acted:
		i.seen, i.acted, i.changed = s, true, true
	case acted == i.acted:
		i.changed = i.seen.extend(s) || i.changed
	}
}

// seeThrough takes in what one of their identifiers knows.
func (i *individualRow) seeThrough(seen, acted span) {
	if acted.first.IsZero() {
		i.see(seen, false)
	} else {
		i.see(acted, true)
	}
}

type linkRow struct {
	id, a, b uuid.UUID
	operator bool
	source   uuid.UUID
	message  string
	observed time.Time
	revoked  time.Time
	reason   string
	isNew    bool
	changed  bool
}

// earlier reports whether an observation comes before the one that is kept. The
// order is total, so that which one is kept does not depend on arrival.
func (l *linkRow) earlier(observed time.Time, source uuid.UUID, message string) bool {
	return cmp.Or(observed.Compare(l.observed), bytes.Compare(source[:], l.source[:]), cmp.Compare(message, l.message)) < 0
}

func (b *batch) append(ctx context.Context) ([]insight.Outcome, error) {
	outcomes := make([]insight.Outcome, len(b.arrivals))
	fresh, err := b.fresh(ctx, outcomes)
	if err != nil || len(fresh) == 0 {
		return outcomes, err
	}
	if err := b.loadNeighbours(ctx, fresh); err != nil {
		return nil, err
	}
	collected := fresh[:0]
	for _, a := range fresh {
		if b.admit(a) {
			collected = append(collected, a)
		} else {
			outcomes[a.index].Status = insight.StatusWithheld
		}
	}
	if err := b.settle(ctx); err != nil {
		return nil, err
	}
	if err := b.record(ctx); err != nil {
		return nil, err
	}
	if err := b.writeTraits(ctx, collected); err != nil {
		return nil, err
	}
	if err := b.writeInteractions(ctx, collected); err != nil {
		return nil, err
	}
	if err := b.writeAssignments(ctx, collected); err != nil {
		return nil, err
	}
	if err := b.writeSessions(ctx); err != nil {
		return nil, err
	}
	return outcomes, b.consider(ctx)
}

// fresh sorts out what was kept before, and what comes twice in this batch.
func (b *batch) fresh(ctx context.Context, outcomes []insight.Outcome) ([]*arrival, error) {
	var ids, assignments []uuid.UUID
	for i := range b.arrivals {
		a := &b.arrivals[i]
		if !a.Statement {
			ids = append(ids, a.id)
		}
		if a.Assignment != nil {
			assignments = append(assignments, a.id)
		}
	}
	known := make(map[uuid.UUID]bool)
	find := func(table string, ids []uuid.UUID) error {
		if len(ids) == 0 || b.own { // their ids were made for them
			return nil
		}
		return b.query(ctx, "SELECT id FROM "+table+" WHERE "+b.engine.anyOf("id", 1), []any{b.engine.keys(ids)}, func(r *sql.Rows) error {
			var id uuid.UUID
			err := r.Scan(&id)
			known[id] = true
			return err
		})
	}
	if err := find("interactions", ids); err != nil {
		return nil, err
	}
	if err := find("decisions", assignments); err != nil {
		return nil, err
	}
	fresh := make([]*arrival, 0, len(b.arrivals))
	for i := range b.arrivals {
		a := &b.arrivals[i]
		lasting := !a.Statement || a.Assignment != nil // another statement may bear an interaction's message id
		if lasting && known[a.id] {
			outcomes[i].Status = insight.StatusDuplicate
			continue
		}
		known[a.id] = known[a.id] || lasting
		outcomes[i].Status = insight.StatusAccepted
		fresh = append(fresh, a)
	}
	return fresh, nil
}

// query asks a question, after all that was written is.
func (b *batch) query(ctx context.Context, text string, args []any, scan func(*sql.Rows) error) error {
	if err := b.flush(ctx); err != nil {
		return err
	}
	stmt, err := b.engine.stmt(ctx, text)
	if err != nil {
		return err
	}
	answer, err := b.tx.StmtContext(ctx, stmt).QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	return each(answer, scan)
}

// exec writes at once, after all else that was written is.
func (b *batch) exec(ctx context.Context, text string, args ...any) error {
	if err := b.flush(ctx); err != nil {
		return err
	}
	stmt, err := b.engine.stmt(ctx, text)
	if err != nil {
		return err
	}
	_, err = b.tx.StmtContext(ctx, stmt).ExecContext(ctx, args...)
	return err
}

// loadNeighbours loads the identifiers, links and individuals that the arrivals
// touch.
func (b *batch) loadNeighbours(ctx context.Context, fresh []*arrival) error {
	keys, links := make(map[uuid.UUID]bool, len(fresh)*2), make(map[uuid.UUID]bool, len(fresh))
	for _, a := range fresh {
		for _, k := range a.keys {
			if b.identifiers[k] == nil {
				keys[k] = true
			}
		}
		for _, l := range a.links {
			links[l] = true
		}
	}
	if err := b.loadIdentifiers(ctx, list(keys)); err != nil {
		return err
	}
	if err := b.loadLinks(ctx, b.engine.anyOf("id", 1), list(links)); err != nil {
		return err
	}
	if err := b.loadIndividuals(ctx); err != nil {
		return err
	}
	if err := b.loadSuppressed(ctx, b.unloaded(keys)); err != nil {
		return err
	}
	return b.loadDecisions(ctx)
}

func list[V any](set map[uuid.UUID]V) []uuid.UUID {
	ids := make([]uuid.UUID, 0, len(set))
	for id := range set {
		ids = append(ids, id)
	}
	return ids
}

// The columns that the scanners below read.
const (
	identifierColumns = "SELECT id, kind, value, origin, individual_id, user_key, shared, first_seen_at, last_seen_at, first_acted_at, last_acted_at"
	linkColumns       = "SELECT id, a, b, operator, source_id, message_id, observed_at, revoked_at, reason"
	individualColumns = "SELECT id, first_seen_at, last_seen_at, acted, identified, contested, permitted, whole, decided, lapses_at, look_at"
)

func (b *batch) loadIdentifiers(ctx context.Context, keys []uuid.UUID) error {
	if len(keys) == 0 {
		return nil
	}
	return b.query(ctx, identifierColumns+" FROM identifiers WHERE "+b.engine.anyOf("id", 1), []any{b.engine.keys(keys)}, b.scanIdentifier)
}

func (b *batch) scanIdentifier(r *sql.Rows) error {
	var row identifierRow
	var user uuid.NullUUID
	var first, last, firstActed, lastActed moment
	err := r.Scan(&row.key, &row.Kind, &row.Value, &row.origin, &row.individual, &user, &row.shared, &first, &last, &firstActed, &lastActed)
	row.user = user.UUID
	row.seen, row.acted = span{first.Time, last.Time}, span{firstActed.Time, lastActed.Time}
	b.identifiers[row.key] = &row
	return err
}

func (b *batch) loadLinks(ctx context.Context, condition string, keys []uuid.UUID) error {
	if len(keys) == 0 {
		return nil
	}
	return b.query(ctx, linkColumns+" FROM identity_links WHERE "+condition, []any{b.engine.keys(keys)}, b.scanLink)
}

func (b *batch) scanLink(r *sql.Rows) error {
	var row linkRow
	var observed, revoked moment
	err := r.Scan(&row.id, &row.a, &row.b, &row.operator, &row.source, &row.message, &observed, &revoked, &row.reason)
	row.observed, row.revoked = observed.Time, revoked.Time
	if _, loaded := b.links[row.id]; !loaded {
		b.links[row.id] = &row
	}
	return err
}

func (l *linkRow) asLink() insight.Link {
	return insight.Link{ID: l.id, AKey: l.a, BKey: l.b, Operator: l.operator, ObservedAt: l.observed, RevokedAt: l.revoked}
}

// loadIndividuals loads those of the identifiers that are loaded.
func (b *batch) loadIndividuals(ctx context.Context) error {
	want := map[uuid.UUID]bool{}
	for _, f := range b.identifiers {
		if _, loaded := b.individuals[f.individual]; !loaded {
			want[f.individual] = true
		}
	}
	if len(want) == 0 {
		return nil
	}
	if err := b.query(ctx, individualColumns+", digest FROM individuals WHERE "+b.engine.anyOf("id", 1), []any{b.engine.keys(list(want))}, b.scanKept); err != nil {
		return err
	}
	_, err := b.catchUp(ctx)
	return err
}

// scanKept reads an individual with their digest.
func (b *batch) scanKept(r *sql.Rows) error {
	kept := &standing{}
	row, err := b.scanRow(r, &kept.digest)
	kept.known, kept.lookAt, row.kept = kept.digest != nil, row.lookAt, kept
	return err
}

func (b *batch) scanIndividual(r *sql.Rows) error {
	_, err := b.scanRow(r)
	return err
}

func (b *batch) scanRow(r *sql.Rows, more ...any) (*individualRow, error) {
	var row individualRow
	var first, last, lapses, look moment
	err := r.Scan(append([]any{&row.id, &first, &last, &row.acted, &row.identified, &row.contested, &row.permitted, &row.whole, &row.decided, &lapses, &look}, more...)...)
	row.seen, row.lapsesAt, row.lookAt = span{first.Time, last.Time}, lapses.Time, look.Time
	row.permitted, row.whole = b.policy.stored(row.permitted), b.policy.stored(row.whole)
	b.individuals[row.id] = &row
	return &row, err
}

// take works one arrival's identifiers and links into what is loaded. Kept says that
// what happened is kept too.
func (b *batch) take(a *arrival, kept bool) {
	if b.own {
		return
	}
	at := span{a.OccurredAt, a.OccurredAt}
	for i, key := range a.keys {
		f := b.identifier(key, a.Identities[i])
		f.changed = f.seen.extend(at) || f.changed
		acted := i == 0 && kept && !a.Statement && a.Direction == insight.Inbound
		if acted {
			f.changed = f.acted.extend(at) || f.changed
		}
		b.individuals[f.individual].now().see(at, acted)
	}
	for i, id := range a.links {
		b.link(id, a.keys[0], a.keys[i+1], a)
	}
}

// identifier finds an identifier, or makes it with an individual of its own.
func (b *batch) identifier(key uuid.UUID, identity insight.Identity) *identifierRow {
	if f, ok := b.identifiers[key]; ok {
		return f
	}
	f := &identifierRow{Identity: identity, key: key, origin: newID(), isNew: true}
	f.individual = f.origin
	b.identifiers[key] = f
	b.individuals[f.origin] = &individualRow{
		id: f.origin, identified: identity.Kind == insight.UserID, permitted: b.policy.unasked(b.now), whole: b.policy.known, isNew: true,
	}
	return f
}

// link takes in evidence that two identifiers are one person. Whatever is plain is
// settled at once; where USER_IDs meet, both ends are left for [batch.settle].
func (b *batch) link(id, aKey, bKey uuid.UUID, a *arrival) {
	strong, weak := b.identifiers[aKey], b.identifiers[bKey]
	one, other := b.individuals[strong.individual].now(), b.individuals[weak.individual].now()
	if l, ok := b.links[id]; ok {
		if l.earlier(a.OccurredAt, a.Source.ID, a.MessageID) {
			l.observed, l.source, l.message, l.changed = a.OccurredAt, a.Source.ID, a.MessageID, true
			if l.revoked.IsZero() && (one.contested || other.contested) {
				b.unsettled[aKey], b.unsettled[bKey] = true, true
			}
		}
		return
	}
	b.links[id] = &linkRow{id: id, a: aKey, b: bKey, source: a.Source.ID, message: a.MessageID, observed: a.OccurredAt, isNew: true}
	if strong.shared || weak.shared {
		return
	}
	if strong.Kind == insight.UserID && weak.Kind != insight.UserID {
		switch weak.user {
		case uuid.Nil:
			weak.user, weak.changed = strong.key, true
		case strong.key:
		default: // a second USER_ID: from now on it is shared
			b.unsettled[aKey], b.unsettled[bKey] = true, true
			return
		}
	}
	switch {
	case one.contested || other.contested, one != other && one.identified && other.identified:
		b.unsettled[aKey], b.unsettled[bKey] = true, true
	case one != other:
		b.absorb(one, other)
	}
}

// absorb makes one individual of two: the older one's id survives.
func (b *batch) absorb(one, other *individualRow) {
	if bytes.Compare(other.id[:], one.id[:]) < 0 {
		one, other = other, one
	}
	one.see(other.seen, other.acted)
	one.identified = one.identified || other.identified
	one.permitted &= other.permitted
	one.whole &= other.whole
	one.decisions = append(one.decisions, other.decisions...)
	one.decided = one.decided || other.decided
	if one.decided {
		b.reconsidered[one.id] = true
	}
	one.changed, other.into = true, one
}

func (b *batch) writeTraits(ctx context.Context, fresh []*arrival) error {
	type observation struct {
		*arrival
		insight.Observation
	}
	newest := map[uuid.UUID]observation{}
	for _, a := range fresh {
		for _, t := range a.Traits {
			id := b.store.traitKey(a.keys[0], a.Source.ID, t.Key)
			if had, ok := newest[id]; !ok || cmp.Or(had.OccurredAt.Compare(a.OccurredAt), bytes.Compare(had.id[:], a.id[:])) < 0 {
				newest[id] = observation{a, t}
			}
		}
	}
	r := b.engine.rows()
	ids, individual, owner, source := r.column("id", "uuid"), r.column("individual_id", "uuid"), r.column("owner", "uuid"), r.column("source_id", "uuid")
	key, value, provenance, confidence := r.column("key", "text"), r.column("value", "jsonb"), r.column("provenance", "smallint"), r.column("confidence", "float8")
	sensitivity, observedAt, observed := r.column("sensitivity", "smallint"), r.column("observed_at", "timestamptz"), r.column("observation", "uuid")
	for id, o := range newest {
		ids.uuid(id)
		whose := b.individualOf(o.keys[0])
		s := b.stirred(whose)
		s.traits = append(s.traits, o.Observation.Key)
		individual.uuid(whose)
		owner.uuid(o.keys[0])
		source.uuid(o.Source.ID)
		key.text(o.Observation.Key)
		value.json(o.Observation.Value)
		provenance.int(int64(o.Provenance))
		confidence.float(o.Confidence)
		sensitivity.int(int64(o.Sensitivity))
		observedAt.time(o.OccurredAt)
		observed.uuid(o.id)
	}
	return b.insert(ctx, r, "traits", `ON CONFLICT `+b.engine.personKey()+` DO UPDATE SET value = excluded.value, provenance = excluded.provenance, confidence = excluded.confidence,
			sensitivity = excluded.sensitivity, observed_at = excluded.observed_at, observation = excluded.observation
		WHERE (traits.observed_at, traits.observation) < (excluded.observed_at, excluded.observation)`)
}

// individualOf is the individual that an identifier of this batch belongs to now.
func (b *batch) individualOf(key uuid.UUID) uuid.UUID {
	return b.individuals[b.identifiers[key].individual].now().id
}

func (b *batch) writeInteractions(ctx context.Context, fresh []*arrival) error {
	r := b.engine.rows()
	id, individual, owner, stream := r.column("id", "uuid"), r.column("individual_id", "uuid"), r.column("owner", "uuid"), r.column("stream", "uuid")
	source, channel, message, kind := r.column("source_id", "uuid"), r.column("channel_id", "uuid"), r.column("message_id", "text"), r.column("type", "text")
	direction, occurred, received := r.column("direction", "smallint"), r.column("occurred_at", "timestamptz"), r.column("received_at", "timestamptz")
	value, currency, campaign, properties := r.column("value", "float8"), r.column("currency", "text"), r.column("campaign", "jsonb"), r.column("properties", "jsonb")
	identities, permitted := r.column("identities", "jsonb"), r.column("permitted", "bigint")
	for _, a := range fresh {
		if a.Statement {
			continue
		}
		b.kept = append(b.kept, a.id)
		whose := b.individualOf(a.keys[0])
		id.uuid(a.id)
		individual.uuid(whose)
		owner.uuid(a.keys[0])
		stream.uuid(a.stream)
		source.uuid(a.Source.ID)
		channel.uuid(a.Channel.ID)
		message.text(a.MessageID)
		kind.text(a.Type)
		direction.int(int64(a.Direction))
		occurred.time(a.OccurredAt)
		received.time(a.ReceivedAt)
		if a.Value != nil {
			value.float(*a.Value)
		} else {
			value.null()
		}
		currency.text(a.Currency)
		campaign.json(campaignJSON(a.Campaign))
		properties.json(a.Properties)
		identities.json(a.otherKeys())
		covered := b.policy.stored(b.coveredAt(whose, a.OccurredAt))
		permitted.int(int64(covered))
		b.addRun(whose, a)
		s := b.stirred(whose)
		s.entries = append(s.entries, digest.Entry{Interaction: a.interaction(whose), Permitted: covered})
	}
	return b.insert(ctx, r, "interactions", "")
}

// interaction is what happened, as far as rules ask of it.
func (a *arrival) interaction(individual uuid.UUID) *insight.Interaction {
	return &insight.Interaction{
		ID: a.id, IndividualID: individual, Channel: a.Channel, Type: a.Type, Direction: a.Direction, OccurredAt: a.OccurredAt,
		Value: a.Value, Currency: a.Currency, Properties: a.Properties,
	}
}

func campaignJSON(c insight.Campaign) []byte {
	if c.IsZero() {
		return nil
	}
	b, _ := json.Marshal(c) // five strings always marshal
	return b
}

// otherKeys are the identifiers that the interaction came with besides its owner
// and its stream, which have columns of their own.
func (a *arrival) otherKeys() []byte {
	var others []byte
	for _, k := range a.keys[1:] {
		if k == a.stream {
			continue
		}
		if others == nil {
			others = append(others, '[')
		} else {
			others = append(others, ',')
		}
		others = append(others, '"')
		others = appendUUID(others, k)
		others = append(others, '"')
	}
	if others == nil {
		return nil
	}
	return append(others, ']')
}

func (b *batch) addRun(individual uuid.UUID, a *arrival) {
	run, ok := session.Of(session.Moment{
		ID: a.id, Channel: a.Channel.ID, Campaign: a.Campaign, Type: a.Type, Direction: a.Direction, OccurredAt: a.OccurredAt, Value: a.Value,
	})
	if ok {
		line := session.Line{Individual: individual, Source: a.Source.ID, Stream: a.stream}
		b.runs[line] = append(b.runs[line], run)
	}
}
