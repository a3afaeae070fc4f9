package store

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/insight/identity"
	"github.com/acquaint/acquaint/insight/session"
)

// Verification is what a recompute from the facts found.
type Verification struct {
	Individuals, Identifiers, Links, Interactions, Sessions, Traits, Consents int
	// Differences describes, without personal data, each row that is not what the
	// facts say; at most [maxDifferences] of them.
	Differences []string
	// Total is how many there are.
	Total int
}

const maxDifferences = 100

func (v *Verification) differ(format string, args ...any) {
	v.Total++
	if len(v.Differences) < maxDifferences {
		v.Differences = append(v.Differences, fmt.Sprintf(format, args...))
	}
}

// Verify works everything that is derived out anew from the facts, in one
// consistent view of the database, and compares: who is whom, whose each
// interaction and trait is, every session, every individual's row. Nothing is
// changed. Progress, if not nil, is told how many interactions were read.
//
// On Citus, where each node has a view of its own, the view is consistent because
// writers wait until it is done.
//
// It holds the identifiers and links in memory, some 300 bytes each; interactions
// are read a thousand individuals at a time.
func (s *Store) Verify(ctx context.Context, progress func(interactions int)) (*Verification, error) {
	check := &verifier{Verification: &Verification{}, progress: progress}
	err := s.view(ctx, "store.Verify", func(b *batch) error {
		check.batch = b
		for _, step := range []func(context.Context) error{check.load, check.identity, check.chunks, check.rows, check.ledgers} {
			if err := step(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return check.Verification, nil
}

// snapshot is the isolation level in which every statement sees one state. On
// SQLite a transaction is that by itself, and on Citus nobody writes meanwhile.
func (s *Store) snapshot() sql.IsolationLevel {
	if s.read.postgres() && !s.read.citus {
		return sql.LevelRepeatableRead
	}
	return sql.LevelDefault
}

type verifier struct {
	*batch
	*Verification
	progress  func(int)
	standings map[uuid.UUID]identity.Standing
	acted     map[uuid.UUID]*span       // by identifier
	whole     map[uuid.UUID]insight.Set // what covers every interaction of an individual
	decided   int                       // what was decided in experiences
}

func (v *verifier) load(ctx context.Context) error {
	err := v.query(ctx, identifierColumns+" FROM identifiers", nil, v.scanIdentifier)
	if err != nil {
		return err
	}
	if err := v.query(ctx, linkColumns+" FROM identity_links", nil, v.scanLink); err != nil {
		return err
	}
	v.Identifiers, v.Links = len(v.identifiers), len(v.batch.links)
	return v.query(ctx, individualColumns+" FROM individuals", nil, v.scanIndividual)
}

func (v *verifier) identity(context.Context) error {
	members := make([]identity.Member, 0, len(v.identifiers))
	for key, f := range v.identifiers {
		members = append(members, identity.Member{Key: key, Kind: f.Kind, Origin: f.origin})
		if v.store.key(f.Identity) != key {
			v.differ("identifier %s: its key is not that of its value", key)
		}
	}
	links := make([]insight.Link, 0, len(v.batch.links))
	for _, l := range v.batch.links {
		links = append(links, l.asLink())
		if !l.operator && v.store.linkKey(l.a, l.b) != l.id {
			v.differ("link %s: its id is not that of its ends", insight.FormatID(insight.LinkPrefix, l.id))
		}
		if v.identifiers[l.a] == nil || v.identifiers[l.b] == nil {
			v.differ("link %s: an end does not exist", insight.FormatID(insight.LinkPrefix, l.id))
		}
	}
	v.standings = identity.Resolve(members, links)
	for key, want := range v.standings {
		f := v.identifiers[key]
		if f.individual != want.Individual {
			v.differ("identifier %s: it is kept as %s, the links say %s", key, ind(f.individual), ind(want.Individual))
		}
		if !want.Shared && f.user != want.UserKey { // which of several USER_IDs a shared one names means nothing
			v.differ("identifier %s: the USER_ID that it is linked to is not the one of its links", key)
		}
		if f.shared != want.Shared {
			v.differ("identifier %s: shared is kept as %t, the links say %t", key, f.shared, want.Shared)
		}
	}
	return nil
}

func ind(id uuid.UUID) string { return insight.FormatID(insight.IndividualPrefix, id) }

// chunk is how many individuals are read at a time.
const chunk = 1000

// chunks checks interactions, sessions and traits, some individuals at a time, and
// that no row belongs to an individual who does not exist.
func (v *verifier) chunks(ctx context.Context) error {
	v.acted, v.whole = map[uuid.UUID]*span{}, map[uuid.UUID]insight.Set{}
	ids := make([]uuid.UUID, 0, len(v.batch.individuals))
	for id := range v.batch.individuals {
		ids = append(ids, id)
	}
	for some := range slices.Chunk(ids, chunk) {
		if err := v.decisions(ctx, some); err != nil {
			return err
		}
		if err := v.sessions(ctx, v.engine.keys(some)); err != nil {
			return err
		}
		if err := v.traits(ctx, v.engine.keys(some)); err != nil {
			return err
		}
		if err := v.assignments(ctx, v.engine.keys(some)); err != nil {
			return err
		}
		if err := v.digested(ctx, some); err != nil {
			return err
		}
		if err := v.members(ctx, some); err != nil {
			return err
		}
		if v.progress != nil {
			v.progress(v.Interactions)
		}
	}
	for table, read := range map[string]int{"interactions": v.Interactions, "sessions": v.Sessions, "traits": v.Traits, "decisions": v.decided} {
		var all int
		if err := v.tx.QueryRowContext(ctx, "SELECT count(*) FROM "+table).Scan(&all); err != nil {
			return err
		}
		if all != read {
			v.differ("%s: %d belong to individuals who do not exist", table, all-read)
		}
	}
	return v.query(ctx, "SELECT m.id FROM memberships m WHERE NOT EXISTS (SELECT 1 FROM individuals i WHERE i.id = m.individual_id)", nil, func(r *sql.Rows) error {
		var id uuid.UUID
		err := r.Scan(&id)
		v.differ("membership %s: its individual does not exist", insight.FormatID(insight.MembershipPrefix, id))
		return err
	})
}

// digested compares the digests of some individuals with what the facts give.
func (v *verifier) digested(ctx context.Context, ids []uuid.UUID) error {
	kept := map[uuid.UUID][]byte{}
	err := v.query(ctx, "SELECT id, digest FROM individuals WHERE digest IS NOT NULL AND "+v.engine.anyOf("id", 1), []any{v.engine.keys(ids)}, func(r *sql.Rows) error {
		var id uuid.UUID
		var written []byte
		err := r.Scan(&id, &written)
		kept[id] = written
		return err
	})
	if err != nil {
		return err
	}
	digests, err := v.digests(ctx, slices.Collect(maps.Keys(kept)))
	for id, written := range kept {
		if !bytes.Equal(written, digests[id]) {
			v.differ("individual %s: their digest is not what their interactions and ledger give", ind(id))
		}
	}
	return err
}

// members asks the rules that answer of some individuals, and compares with the segments
// that they are kept in. Of somebody whom time has changed since they were last looked
// at, it is seen to when that is done.
func (v *verifier) members(ctx context.Context, ids []uuid.UUID) error {
	a := v.policy.audience
	if a.none() {
		return nil
	}
	people, err := v.known(ctx, ids)
	if err != nil {
		return err
	}
	kept := map[uuid.UUID][]*membershipRow{}
	if err := v.memberships(ctx, ids, func(m *membershipRow) { kept[m.IndividualID] = append(kept[m.IndividualID], m) }); err != nil {
		return err
	}
	for _, id := range ids {
		look := v.batch.individuals[id].lookAt
		if !look.IsZero() && !look.After(v.now) {
			continue
		}
		for _, k := range a.segments {
			if k.live == nil || k.stale() || k.drafting && k.outdated(v.policy.purposes...) {
				continue // or terms have changed, and it is computed anew
			}
			member := false
			for _, m := range kept[id] {
				if m.SegmentID != k.ID || !m.sees(k.edition) {
					continue
				}
				if member {
					v.differ("individual %s: they are in the segment %s twice", ind(id), k.Key)
				}
				member = true
			}
			course := k.live.Over(people[id].subject(v.policy, a.live, k.Purpose), v.now, v.now)
			if course.Holds != member {
				v.differ("individual %s: that they are in the segment %s is kept as %t, its rule says %t", ind(id), k.Key, member, course.Holds)
			}
			if !course.Look.IsZero() && (look.IsZero() || look.After(course.Look)) {
				v.differ("individual %s: they are not looked at when time may change the segment %s", ind(id), k.Key)
			}
		}
	}
	return nil
}

// sessions folds the sessions of some individuals from their interactions, checks
// whose each interaction is, and compares with the sessions that are kept.
func (v *verifier) sessions(ctx context.Context, ids any) error {
	runs := map[session.Line][]session.Run{}
	err := v.query(ctx, momentColumns+", owner, direction, permitted FROM interactions WHERE "+v.engine.anyOf("individual_id", 1), []any{ids}, func(r *sql.Rows) error {
		var owner uuid.UUID
		var direction insight.Direction
		var permitted insight.Set
		line, m, err := scanMoment(r, &owner, &direction, &permitted)
		if err != nil {
			return err
		}
		m.Direction = direction
		v.Interactions++
		v.interaction(line, m, owner, runs)
		return v.references(ctx, line, m, permitted)
	})
	if err != nil {
		return err
	}
	want := map[uuid.UUID]keptSession{}
	for line, some := range runs {
		source, ok, err := referred[*insight.Source](ctx, v.store.directory, line.Source)
		if err != nil {
			return err
		}
		if !ok {
			continue // its interactions were reported; without a timeout there are no sessions
		}
		for _, run := range session.Merge(source.SessionTimeout, some) {
			want[run.First] = keptSession{line, run}
		}
	}
	err = v.query(ctx, "SELECT individual_id, source_id, stream, "+runColumns+" FROM sessions AS s WHERE "+v.engine.anyOf("individual_id", 1), []any{ids}, func(r *sql.Rows) error {
		var kept keptSession
		var err error
		kept.run, err = scanRun(r, &kept.line.Individual, &kept.line.Source, &kept.line.Stream)
		v.Sessions++
		if want[kept.run.First] != kept {
			v.differ("session %s: it is not what its interactions give", insight.FormatID(insight.SessionPrefix, kept.run.First))
		}
		delete(want, kept.run.First)
		return err
	})
	for id := range want {
		v.differ("session %s: it is missing", insight.FormatID(insight.SessionPrefix, id))
	}
	return err
}

// references checks what no foreign key of interactions does, and the purposes that
// an interaction may be read for.
func (v *verifier) references(ctx context.Context, line session.Line, m session.Moment, permitted insight.Set) error {
	id := insight.FormatID(insight.InteractionPrefix, m.ID)
	_, source, err := referred[*insight.Source](ctx, v.store.directory, line.Source)
	if err != nil {
		return err
	}
	_, channel, err := referred[*insight.Channel](ctx, v.store.directory, m.Channel)
	if err != nil {
		return err
	}
	if !source {
		v.differ("interaction %s: its source does not exist", id)
	}
	if !channel {
		v.differ("interaction %s: its channel does not exist", id)
	}
	if v.identifiers[line.Stream] == nil {
		v.differ("interaction %s: the identifier that its session runs along does not exist", id)
	}
	want := v.policy.unasked(m.OccurredAt)
	if spans, decided := v.spans[line.Individual]; decided {
		want = consent.At(spans, m.OccurredAt)
	}
	if whole, ok := v.whole[line.Individual]; ok {
		v.whole[line.Individual] = whole & want
	} else {
		v.whole[line.Individual] = want
	}
	if v.policy.stored(permitted) != want {
		v.differ("interaction %s: the purposes that it may be read for are not those that were permitted", id)
	}
	return nil
}

type keptSession struct {
	line session.Line
	run  session.Run
}

func (v *verifier) interaction(line session.Line, m session.Moment, owner uuid.UUID, runs map[session.Line][]session.Run) {
	standing, ok := v.standings[owner]
	switch {
	case !ok:
		v.differ("interaction %s: its owner does not exist", insight.FormatID(insight.InteractionPrefix, m.ID))
	case standing.Individual != line.Individual:
		v.differ("interaction %s: it is kept with %s, the links say %s", insight.FormatID(insight.InteractionPrefix, m.ID), ind(line.Individual), ind(standing.Individual))
	}
	if run, ok := session.Of(m); ok {
		runs[line] = append(runs[line], run)
		if v.acted[owner] == nil {
			v.acted[owner] = &span{}
		}
		v.acted[owner].extend(span{m.OccurredAt, m.OccurredAt})
	}
}

func (v *verifier) traits(ctx context.Context, ids any) error {
	return v.query(ctx, "SELECT id, owner, individual_id, source_id, key FROM traits WHERE "+v.engine.anyOf("individual_id", 1), []any{ids}, func(r *sql.Rows) error {
		var id, owner, individual, source uuid.UUID
		var key string
		err := r.Scan(&id, &owner, &individual, &source, &key)
		v.Traits++
		if v.store.traitKey(owner, source, key) != id {
			v.differ("trait %s: its id is not that of its owner, source and key", id)
		}
		if v.standings[owner].Individual != individual {
			v.differ("trait %s: it is kept with %s, the links say %s", id, ind(individual), ind(v.standings[owner].Individual))
		}
		return err
	})
}

// assignments checks whose what was decided in experiences is.
func (v *verifier) assignments(ctx context.Context, ids any) error {
	return v.query(ctx, "SELECT id, owner, individual_id, experience_id FROM decisions WHERE "+v.engine.anyOf("individual_id", 1), []any{ids}, func(r *sql.Rows) error {
		var id, owner, individual, of uuid.UUID
		err := r.Scan(&id, &owner, &individual, &of)
		v.decided++
		if v.standings[owner].Individual != individual {
			v.differ("decision %s: it is kept with %s, the links say %s", insight.FormatID(insight.DecisionPrefix, id), ind(individual), ind(v.standings[owner].Individual))
		}
		if v.policy.experience(of) == nil {
			v.differ("decision %s: its experience does not exist", insight.FormatID(insight.DecisionPrefix, id))
		}
		return err
	})
}

// rows checks the rows of identifiers and individuals against what was read.
func (v *verifier) rows(context.Context) error {
	want := map[uuid.UUID]*individualRow{}
	for key, f := range v.identifiers {
		var acted span
		if a := v.acted[key]; a != nil {
			acted = *a
		}
		if f.acted != acted {
			v.differ("identifier %s: when it acted is not what its interactions say", key)
		}
		if seen := f.seen; seen.extend(acted) {
			v.differ("identifier %s: it acted outside the time in which it was seen", key)
		}
		standing := v.standings[key]
		i := want[standing.Individual]
		if i == nil {
			i = &individualRow{id: standing.Individual}
			want[i.id] = i
		}
		i.identified = i.identified || f.Kind == insight.UserID
		i.contested = i.contested || standing.Contested
		i.seeThrough(f.seen, acted)
	}
	for id, kept := range v.batch.individuals {
		i := want[id]
		if i == nil {
			v.differ("individual %s: no identifier says that it exists", ind(id))
			continue
		}
		if i.seen != kept.seen || i.acted != kept.acted || i.identified != kept.identified || i.contested != kept.contested {
			v.differ("individual %s: its row is not what its identifiers say", ind(id))
		}
		v.permissions(kept)
		delete(want, id)
	}
	for id := range want {
		v.differ("individual %s: it is missing", ind(id))
	}
	v.Individuals = len(v.batch.individuals)
	return nil
}

// decisions loads what some individuals decided, and works out what covered them when.
func (v *verifier) decisions(ctx context.Context, ids []uuid.UUID) error {
	clear(v.spans)
	of := map[uuid.UUID][]*insight.Consent{}
	err := v.eachDecision(ctx, ids, func(d *insight.Consent) {
		of[d.IndividualID] = append(of[d.IndividualID], d)
		v.Consents++
		if standing, ok := v.standings[d.Owner]; !ok || standing.Individual != d.IndividualID {
			v.differ("consent %s: it is kept with %s, its owner is another's", insight.FormatID(insight.ConsentPrefix, d.ID), ind(d.IndividualID))
		}
	})
	for id, all := range of {
		v.individuals[id].decisions = all
		v.spans[id] = consent.Spans(v.policy.purposes, all, farthest)
	}
	return err
}

// permissions checks an individual's row against what they decided. A grant that has
// ended may still stand in it: it is taken away before anybody reads.
func (v *verifier) permissions(kept *individualRow) {
	if kept.decided != (len(kept.decisions) > 0) {
		v.differ("individual %s: whether they decided anything is not what their ledger says", ind(kept.id))
	}
	if due := !kept.lapsesAt.IsZero() && !kept.lapsesAt.After(v.now); !due {
		if kept.permitted != consent.Permitted(v.policy.purposes, kept.decisions, v.now) {
			v.differ("individual %s: the purposes that it may be read for are not those that are permitted", ind(kept.id))
		}
		if !kept.lapsesAt.Equal(consent.Lapse(v.policy.purposes, kept.decisions, v.now)) {
			v.differ("individual %s: when a grant ends is not what their ledger says", ind(kept.id))
		}
	}
	if whole, any := v.whole[kept.id]; any && kept.whole&^whole != 0 {
		v.differ("individual %s: some interactions may not be read for purposes that are said to cover them all", ind(kept.id))
	}
}

// ledgers walks every chain of decisions.
func (v *verifier) ledgers(ctx context.Context) error {
	consents, err := v.chains(ctx, v.differ)
	if err == nil && consents != v.Consents {
		v.differ("consents: %d belong to individuals who do not exist", consents-v.Consents)
	}
	return err
}

// chains walks every chain of decisions, one individual's at a time, and tells what
// is not as it was written. It returns how many decisions there are.
func (b *batch) chains(ctx context.Context, differ func(string, ...any)) (int, error) {
	heads := map[uuid.UUID]consent.Head{}
	err := b.query(ctx, "SELECT id, length, last, hash FROM ledgers", nil, func(r *sql.Rows) error {
		head, err := scanHead(r)
		if err == nil {
			heads[uuid.MustParse(head.Ledger)] = head
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	n := 0
	var ledger uuid.UUID
	var entries []consent.Entry
	walk := func() {
		if entries == nil {
			return
		}
		head, ok := heads[ledger]
		if !ok {
			differ("consent %s: its ledger has no head", entries[0].ID)
		} else {
			for _, fault := range consent.Check(entries, head) {
				differ("consent %s", fault)
			}
		}
		delete(heads, ledger)
		entries = nil
	}
	err = b.query(ctx, "SELECT "+consentColumns+" FROM consents c ORDER BY c.owner, c.sequence", nil, func(r *sql.Rows) error {
		d, err := scanConsent(r, b.purposeOf)
		if err != nil {
			return err
		}
		if d.Owner != ledger {
			walk()
		}
		n++
		ledger = d.Owner
		entries = append(entries, consent.EntryOf(d))
		return nil
	})
	if err != nil {
		return n, err
	}
	walk()
	for _, head := range heads {
		for _, fault := range consent.Check(nil, head) {
			differ("consent %s", fault)
		}
	}
	return n, nil
}

// VerifyConsents walks every ledger in one consistent view of the database, and finds
// and names what was changed, removed or moved. Nothing is changed. It holds the
// heads of all ledgers in memory, some 200 bytes each.
func (s *Store) VerifyConsents(ctx context.Context) (*Verification, error) {
	v := &Verification{}
	err := s.view(ctx, "store.VerifyConsents", func(b *batch) error {
		var err error
		v.Consents, err = b.chains(ctx, v.differ)
		return err
	})
	return v, err
}

// view runs do in one consistent view of the database, in which nothing is changed.
func (s *Store) view(ctx context.Context, op string, do func(b *batch) error) error {
	select {
	case s.views <- struct{}{}:
		defer func() { <-s.views }()
	case <-ctx.Done():
		return translate(op, ctx.Err())
	}
	tx, err := s.read.db.BeginTx(ctx, &sql.TxOptions{Isolation: s.snapshot(), ReadOnly: true})
	if err != nil {
		return translate(op, err)
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	read := readMarks
	if s.read.citus {
		read = s.read.takeTurn
	}
	m, err := read(ctx, tx)
	if err != nil {
		return translate(op, err)
	}
	b, err := s.newBatch(ctx, tx, m)
	if err != nil {
		return translate(op, err)
	}
	b.engine = s.read
	return translate(op, do(b))
}
