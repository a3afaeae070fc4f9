package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/insight/identity"
)

// collection is the key of the purpose for which events are collected at all: of a
// person whom it does not cover, nothing that happens is kept.
const collection = "analytics"

// record is a decision on its way into a ledger.
type record struct {
	*insight.Consent
	by    uuid.UUID // an identifier of the individual who decided
	fixed bool      // its owner and whom it covers are settled already
}

// decided are the decisions that this transaction records.
func (b *batch) decided() []uuid.UUID {
	ids := make([]uuid.UUID, len(b.records))
	for n, r := range b.records {
		ids[n] = r.ID
	}
	return ids
}

// admit takes an arrival in, if the person's choice lets it be kept, and reports
// whether it does. What it says of their consent counts in any case, from this very
// arrival on.
func (b *batch) admit(a *arrival) bool {
	if slices.ContainsFunc(a.keys, func(key uuid.UUID) bool { return b.suppressed[key] }) {
		return false
	}
	decisions := b.decisionsAbout(a)
	claims := b.claims(a, decisions)
	kept := a.Statement && a.Assignment == nil || b.collects(a, decisions, claims)
	if a.Assignment != nil {
		kept = kept && b.serves(a, decisions)
	}
	if !kept && len(claims) == 0 {
		return false
	}
	b.take(a, kept)
	who := b.individuals[b.identifiers[a.keys[0]].individual].now()
	if kept && !a.Statement && !who.decided {
		if whole := who.whole & b.policy.unasked(a.OccurredAt); whole != who.whole {
			who.whole, who.changed = whole, true
		}
	}
	for _, c := range claims {
		b.claim(who, a.keys, c)
	}
	return kept
}

// decisionsAbout are those of everybody whom an arrival's identifiers belong to. A
// shared identifier joins nobody, unless it is all that there is; and so does one that
// this arrival would make shared, because it is linked with another USER_ID.
func (b *batch) decisionsAbout(a *arrival) []*insight.Consent {
	var all []*insight.Consent
	var seen []*individualRow
	for i, key := range a.keys {
		f, known := b.identifiers[key]
		if !known || i > 0 && (f.shared || a.Identities[0].Kind == insight.UserID && f.user != uuid.Nil && f.user != a.keys[0]) {
			continue
		}
		row := b.individuals[f.individual].now()
		if row.decided && !slices.Contains(seen, row) {
			seen = append(seen, row)
			all = append(all, row.decisions...)
		}
	}
	return all
}

// claims are the decisions that an arrival tells of and that are not known already.
func (b *batch) claims(a *arrival, decisions []*insight.Consent) []insight.Claim {
	if a.Signals.IsZero() {
		return nil
	}
	return slices.DeleteFunc(consent.Claims(a.Signals, b.policy.purposes, a.OccurredAt, a.Source.Name), func(c insight.Claim) bool {
		return consent.Says(decisions, &c, a.keys)
	})
}

// collects reports whether an arrival may be kept, by what was decided before and
// what it says itself.
func (b *batch) collects(a *arrival, decisions []*insight.Consent, claims []insight.Claim) bool {
	p := b.policy.byKey(collection)
	if p == nil {
		return true
	}
	at := later(b.now, a.ReceivedAt)
	if len(decisions)+len(claims) == 0 {
		return p.TermsAt(at).LegalBasis.Unasked()
	}
	for _, c := range claims {
		decisions = append(decisions[:len(decisions):len(decisions)], newRecord(c, at, a.keys, decisions))
	}
	return consent.InForce(p, decisions, at, later(at, b.now)).Permitted
}

// serves reports whether the purpose of the experience that an arrival was decided in
// covers whom it is about, by what was decided before: when it was decided, and now.
func (b *batch) serves(a *arrival, decisions []*insight.Consent) bool {
	e := b.policy.experience(a.Assignment.ExperienceID)
	return e != nil && consent.InForce(e.Purpose, decisions, a.OccurredAt, b.now).Permitted && consent.InForce(e.Purpose, decisions, b.now, b.now).Permitted
}

// newRecord makes a record of a claim, which speaks for some identifiers, the
// strongest of them first, and for whoever decided before.
func newRecord(c insight.Claim, at time.Time, keys []uuid.UUID, before []*insight.Consent) *insight.Consent {
	r := &insight.Consent{
		ID: newID(), Owner: keys[0], Covers: slices.Clone(keys[1:]), Purpose: c.Purpose, Decision: c.Decision,
		EffectiveAt: c.EffectiveAt, RecordedAt: at, ExpiresAt: c.ExpiresAt, Source: c.Source, Method: c.Method,
		PolicyVersion: c.PolicyVersion, Jurisdiction: c.Jurisdiction, Evidence: c.Evidence,
	}
	if r.EffectiveAt.IsZero() {
		r.EffectiveAt = at
	}
	for _, d := range before {
		for _, key := range append([]uuid.UUID{d.Owner}, d.Covers...) {
			if key != r.Owner && !slices.Contains(r.Covers, key) {
				r.Covers = append(r.Covers, key)
			}
		}
	}
	return r
}

// claim puts a claim on its way into the individual's ledger.
func (b *batch) claim(who *individualRow, keys []uuid.UUID, c insight.Claim) *record {
	r := &record{Consent: newRecord(c, b.now, keys, who.decisions), by: keys[0]}
	b.records = append(b.records, r)
	who.decisions = append(who.decisions, r.Consent)
	who.decided, who.changed = true, true
	b.reconsidered[who.id] = true
	return r
}

// part sees to what was refused when individuals come apart: see consent.Parting.
func (b *batch) part(standings map[uuid.UUID]identity.Standing) {
	parts := map[uuid.UUID]map[uuid.UUID][]*identifierRow{}
	for key, s := range standings {
		f := b.identifiers[key]
		if !b.individuals[f.individual].decided {
			continue
		}
		if parts[f.individual] == nil {
			parts[f.individual] = map[uuid.UUID][]*identifierRow{}
		}
		parts[f.individual][s.Individual] = append(parts[f.individual][s.Individual], f)
	}
	for old, byIndividual := range parts {
		if len(byIndividual) < 2 {
			continue
		}
		var lists [][]uuid.UUID
		for _, members := range byIndividual {
			lists = append(lists, strongestFirst(members))
		}
		slices.SortFunc(lists, func(a, b []uuid.UUID) int { return bytes.Compare(a[0][:], b[0][:]) })
		for _, left := range consent.Parting(b.individuals[old].decisions, lists, b.now) {
			again := *left.Record
			again.ID, again.Owner, again.Covers, again.RecordedAt = newID(), left.Owner, left.Covers, b.now
			again.Evidence, _ = json.Marshal(map[string]string{"carriedOver": insight.FormatID(insight.ConsentPrefix, left.Record.ID)}) // texts always marshal
			b.records = append(b.records, &record{Consent: &again, by: left.Owner, fixed: true})
		}
	}
}

func strongestFirst(members []*identifierRow) []uuid.UUID {
	slices.SortFunc(members, func(a, b *identifierRow) int {
		if a.Stronger(b.Identity) {
			return -1
		}
		return 1
	})
	keys := make([]uuid.UUID, len(members))
	for n, f := range members {
		keys[n] = f.key
	}
	return keys
}

// loadSuppressed finds which of some identifiers, which are not known, may not
// become so.
func (b *batch) loadSuppressed(ctx context.Context, keys []uuid.UUID) error {
	if len(keys) == 0 {
		return nil
	}
	return b.query(ctx, "SELECT id FROM suppressions WHERE "+b.engine.anyOf("id", 1), []any{b.engine.keys(keys)}, func(r *sql.Rows) error {
		var id uuid.UUID
		err := r.Scan(&id)
		b.suppressed[id] = true
		return err
	})
}

// loadDecisions loads the ledgers of the individuals who are loaded and have one.
func (b *batch) loadDecisions(ctx context.Context) error {
	var ids []uuid.UUID
	for id, row := range b.individuals {
		if row.decided && row.decisions == nil && !row.isNew {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return b.eachDecision(ctx, ids, func(d *insight.Consent) {
		row := b.individuals[d.IndividualID]
		row.decisions = append(row.decisions, d)
	})
}

func (b *batch) eachDecision(ctx context.Context, individuals []uuid.UUID, yield func(*insight.Consent)) error {
	return b.query(ctx, "SELECT "+consentColumns+" FROM consents c WHERE "+b.engine.anyOf("c.individual_id", 1), []any{b.engine.keys(individuals)}, func(r *sql.Rows) error {
		d, err := scanConsent(r, b.purposeOf)
		if err == nil {
			yield(d)
		}
		return err
	})
}

// consentColumns are those that scanConsent reads.
const consentColumns = "c.id, c.individual_id, c.owner, c.covers, c.sequence, c.purpose_id, c.decision, c.effective_at, c.recorded_at, c.expires_at, " +
	"c.source, c.method, c.policy_version, c.jurisdiction, c.evidence, c.hash, c.previous_hash"

func scanConsent(r *sql.Rows, purposeOf func(uuid.UUID) (*insight.Purpose, error)) (*insight.Consent, error) {
	var d insight.Consent
	var purpose uuid.UUID
	var covers []byte
	var evidence, method string
	var effective, recorded, expires moment
	err := r.Scan(&d.ID, &d.IndividualID, &d.Owner, &covers, &d.Sequence, &purpose, &d.Decision, &effective, &recorded, &expires,
		&d.Source, &method, &d.PolicyVersion, &d.Jurisdiction, &evidence, &d.Hash, &d.PreviousHash)
	if err != nil {
		return nil, err
	}
	if len(covers) > 0 {
		if err := json.Unmarshal(covers, &d.Covers); err != nil {
			return nil, err
		}
	}
	d.EffectiveAt, d.RecordedAt, d.ExpiresAt, d.Method = effective.Time, recorded.Time, expires.Time, insight.ConsentMethod(method)
	if evidence != "" {
		d.Evidence = json.RawMessage(evidence)
	}
	d.Purpose, err = purposeOf(purpose)
	return &d, err
}

// purposeOf finds a purpose in the policy of the transaction.
func (b *batch) purposeOf(id uuid.UUID) (*insight.Purpose, error) {
	if p := b.policy.byID(id); p != nil {
		return p, nil
	}
	return nil, errNoPurpose
}

var errNoPurpose = &insight.Error{Op: "store.scanConsent", Kind: insight.Internal, Message: "a row names a purpose that does not exist"}

// purposeByID is used while scanning rows, as directory.channelByID is.
func (r *Reader) purposeByID(ctx context.Context) func(uuid.UUID) (*insight.Purpose, error) {
	return func(id uuid.UUID) (*insight.Purpose, error) {
		p, ok, err := referred[*insight.Purpose](ctx, r.store.directory, id)
		if err == nil && !ok {
			err = errNoPurpose
		}
		return p, err
	}
}

// record writes the decisions of this transaction into their ledgers, now that it is
// settled who is whom, and works out what covered whom when.
func (b *batch) record(ctx context.Context) error {
	if err := b.seal(ctx); err != nil {
		return err
	}
	r := b.engine.rows()
	id, individual, owner, covers := r.column("id", "uuid"), r.column("individual_id", "uuid"), r.column("owner", "uuid"), r.column("covers", "jsonb")
	sequence, purpose, decision := r.column("sequence", "bigint"), r.column("purpose_id", "uuid"), r.column("decision", "smallint")
	effective, recorded, expires := r.column("effective_at", "timestamptz"), r.column("recorded_at", "timestamptz"), r.column("expires_at", "timestamptz")
	source, method, policyVersion, jurisdiction := r.column("source", "text"), r.column("method", "text"), r.column("policy_version", "text"), r.column("jurisdiction", "text")
	evidence, hash, previous := r.column("evidence", "text"), r.column("hash", "text"), r.column("previous_hash", "text")
	for _, d := range b.records {
		id.uuid(d.ID)
		individual.uuid(d.IndividualID)
		owner.uuid(d.Owner)
		covers.json(keysJSON(d.Covers))
		sequence.int(int64(d.Sequence))
		purpose.uuid(d.Purpose.ID)
		decision.int(int64(d.Decision))
		effective.time(d.EffectiveAt)
		recorded.time(d.RecordedAt)
		expires.timeOrNull(d.ExpiresAt)
		source.text(d.Source)
		method.text(string(d.Method))
		policyVersion.text(d.PolicyVersion)
		jurisdiction.text(d.Jurisdiction)
		evidence.text(string(d.Evidence))
		hash.text(d.Hash)
		previous.text(d.PreviousHash)
	}
	if err := b.insert(ctx, r, "consents", ""); err != nil {
		return err
	}
	return b.loadSpans(ctx)
}

func keysJSON(keys []uuid.UUID) []byte {
	if len(keys) == 0 {
		return nil
	}
	text, _ := json.Marshal(keys) // keys always marshal
	return text
}

// seal gives every new record its owner, and its place at the end of the owner's
// ledger.
func (b *batch) seal(ctx context.Context) error {
	if len(b.records) == 0 {
		return nil
	}
	whose := map[uuid.UUID]bool{}
	for _, r := range b.records {
		r.IndividualID = b.individualOf(r.by)
		whose[r.IndividualID] = true
	}
	members, err := b.membersOf(ctx, list(whose))
	if err != nil {
		return err
	}
	owners := map[uuid.UUID]bool{}
	for _, r := range b.records {
		if !r.fixed {
			keys := strongestFirst(members[r.IndividualID])
			r.Owner, r.Covers = keys[0], keys[1:]
		}
		owners[r.Owner] = true
	}
	heads := map[uuid.UUID]*insight.Consent{}
	err = b.query(ctx, "SELECT id, length, hash FROM ledgers WHERE "+b.engine.anyOf("id", 1)+" AND "+b.engine.anyOf("individual_id", 2), []any{b.engine.keys(list(owners)), b.engine.keys(list(whose))}, func(r *sql.Rows) error {
		var owner uuid.UUID
		var head insight.Consent
		err := r.Scan(&owner, &head.Sequence, &head.Hash)
		heads[owner] = &head
		return err
	})
	if err != nil {
		return err
	}
	for _, r := range b.records {
		head := heads[r.Owner]
		if head == nil {
			head = &insight.Consent{}
		}
		consent.Seal(r.Consent, head.Sequence+1, head.Hash)
		heads[r.Owner] = r.Consent
	}
	return b.writeHeads(ctx, heads)
}

// membersOf loads the identifiers of some individuals, as far as their names go.
func (b *batch) membersOf(ctx context.Context, individuals []uuid.UUID) (map[uuid.UUID][]*identifierRow, error) {
	members := map[uuid.UUID][]*identifierRow{}
	err := b.query(ctx, "SELECT id, kind, value, individual_id FROM identifiers WHERE "+b.engine.anyOf("individual_id", 1), []any{b.engine.keys(individuals)}, func(r *sql.Rows) error {
		var f identifierRow
		err := r.Scan(&f.key, &f.Kind, &f.Value, &f.individual)
		members[f.individual] = append(members[f.individual], &f)
		return err
	})
	return members, err
}

func (b *batch) writeHeads(ctx context.Context, heads map[uuid.UUID]*insight.Consent) error {
	r := b.engine.rows()
	id, individual, length, last, hash := r.column("id", "uuid"), r.column("individual_id", "uuid"), r.column("length", "bigint"), r.column("last", "uuid"), r.column("hash", "text")
	for owner, d := range heads {
		id.uuid(owner)
		individual.uuid(d.IndividualID)
		length.int(int64(d.Sequence))
		last.uuid(d.ID)
		hash.text(d.Hash)
	}
	return b.insert(ctx, r, "ledgers", "ON CONFLICT "+b.engine.personKey()+" DO UPDATE SET length = excluded.length, last = excluded.last, hash = excluded.hash")
}

// loadSpans works out what covered whom when, for those who have decided and whom
// this transaction is about. Whose ledger was loaded has what was added to it since,
// also by others whom they absorbed; rows that were made anew where individuals came
// apart have none yet.
func (b *batch) loadSpans(ctx context.Context) error {
	var ids, unread []uuid.UUID
	for id, row := range b.individuals {
		if row.into != nil || !row.decided && !b.reconsidered[id] {
			continue
		}
		ids = append(ids, id)
		if row.decisions == nil {
			unread = append(unread, id)
		}
	}
	if len(unread) > 0 {
		err := b.eachDecision(ctx, unread, func(d *insight.Consent) {
			row := b.individuals[d.IndividualID]
			row.decisions = append(row.decisions, d)
		})
		if err != nil {
			return err
		}
	}
	for _, id := range ids {
		row := b.individuals[id]
		for _, d := range row.decisions {
			d.IndividualID = id
		}
		b.spans[id] = consent.Spans(b.policy.purposes, row.decisions, farthest)
	}
	return nil
}

// farthest is later than anything happens.
var farthest = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// coveredAt is the set of purposes that an interaction of an individual serves. Those that
// it does not serve know not everything of them any more.
func (b *batch) coveredAt(individual uuid.UUID, at time.Time) insight.Set {
	spans, decided := b.spans[individual]
	if !decided {
		return b.policy.unasked(at)
	}
	set := consent.At(spans, at)
	if row := b.individuals[individual]; row.whole&^set != 0 {
		row.whole &= set
		b.narrowed[individual] = true
	}
	return set
}

// narrow writes which purposes may read everything of those of whom something was kept
// now that not every purpose may read that could read all.
func (b *batch) narrow(ctx context.Context) error {
	r := b.engine.rows()
	id, whole := r.column("id", "uuid"), r.column("whole", "bigint")
	for one := range b.narrowed {
		if b.reconsidered[one] {
			continue // it is worked out anew
		}
		id.uuid(one)
		whole.int(int64(b.policy.stored(b.individuals[one].whole)))
	}
	clear(b.narrowed)
	return b.later(ctx, r, "individuals", "UPDATE individuals AS m SET whole = r.whole FROM %s AS r WHERE m.id = r.id")
}

// consider works out anew which purposes cover the individuals for whom that may
// have changed, and which of their interactions may be read for them.
func (b *batch) consider(ctx context.Context) error {
	if err := b.narrow(ctx); err != nil {
		return err
	}
	var ids []uuid.UUID
	for id := range b.reconsidered {
		if row := b.individuals[id]; row != nil && row.into == nil {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	b.covers = true
	if slices.ContainsFunc(ids, func(id uuid.UUID) bool { return b.spans[id] == nil }) {
		if err := b.loadSpans(ctx); err != nil {
			return err
		}
	}
	keys := b.engine.keys(ids)
	spans := b.engine.rows()
	of, from, to, set := spans.column("individual_id", "uuid"), spans.column("reach_from", "timestamptz"), spans.column("reach_to", "timestamptz"), spans.column("permitted", "bigint")
	for _, id := range ids {
		all := b.spans[id]
		for n, s := range all {
			end := farthest
			if n+1 < len(all) {
				end = all[n+1].From
			}
			of.uuid(id)
			from.time(s.From)
			to.time(end)
			set.int(int64(b.policy.stored(s.Set)))
		}
	}
	err := b.later(ctx, spans, "interactions", `UPDATE interactions AS m SET permitted = r.permitted FROM %s AS r
		WHERE m.individual_id = r.individual_id AND m.occurred_at >= r.reach_from AND m.occurred_at < r.reach_to AND m.permitted <> r.permitted`)
	if err != nil {
		return err
	}
	whole := make(map[uuid.UUID]insight.Set, len(ids))
	for _, id := range ids {
		whole[id] = b.policy.known
	}
	err = b.query(ctx, "SELECT DISTINCT individual_id, permitted FROM interactions WHERE "+b.engine.anyOf("individual_id", 1), []any{keys}, func(r *sql.Rows) error {
		var id uuid.UUID
		var permitted insight.Set
		err := r.Scan(&id, &permitted)
		whole[id] &= b.policy.stored(permitted)
		return err
	})
	if err != nil {
		return err
	}
	for _, one := range ids {
		b.unsettleHistory(one, "what they permit")
	}
	rows := b.engine.rows()
	id, permitted, wholly, decided, lapses := rows.column("id", "uuid"), rows.column("permitted", "bigint"), rows.column("whole", "bigint"), rows.column("decided", "bool"), rows.column("lapses_at", "timestamptz")
	for _, one := range ids {
		row := b.individuals[one]
		row.permitted, row.whole = consent.Permitted(b.policy.purposes, row.decisions, b.now), whole[one]
		row.decided, row.lapsesAt = len(row.decisions) > 0, consent.Lapse(b.policy.purposes, row.decisions, b.now)
		id.uuid(one)
		permitted.int(int64(b.policy.stored(row.permitted)))
		wholly.int(int64(b.policy.stored(row.whole)))
		decided.bool(row.decided)
		lapses.timeOrNull(row.lapsesAt)
		if !row.lapsesAt.IsZero() && (b.lapse.IsZero() || row.lapsesAt.Before(b.lapse)) {
			b.lapse = row.lapsesAt
		}
	}
	return b.later(ctx, rows, "individuals", "UPDATE individuals AS m SET permitted = r.permitted, whole = r.whole, decided = r.decided, lapses_at = r.lapses_at FROM %s AS r WHERE m.id = r.id")
}

// Recorded is what became of decisions that were handed in.
type Recorded struct {
	Individual uuid.UUID
	Records    []*insight.Consent // in the order of the claims
	Decisions  []*insight.Consent // everything that is in the individual's ledger now
	Heads      []consent.Head     // where it ends
}

// RecordConsents writes decisions of one individual into their ledger, all of them
// or, with an error, none. Whom an identifier names that is not known becomes known:
// a no is remembered of whoever says it. A claim that repeats a record to the letter,
// its moment included, gives that record.
//
// When it returns, the decisions are in effect: no read that begins later sees what
// they forbid. The error is of kind Invalid when a claim cannot be, NotFound when the
// id names nobody, and Conflict when nothing may be kept of the identifier.
func (s *Store) RecordConsents(ctx context.Context, who Lookup, claims []insight.Claim) (*Recorded, error) {
	var done *Recorded
	err := s.change(ctx, "store.RecordConsents", func(b *batch) error {
		claims := slices.Clone(claims)
		if err := consent.Validate(claims, b.now); err != nil {
			return err
		}
		f, err := b.namedOrNew(ctx, who)
		if err != nil {
			return err
		}
		if err := b.loadDecisions(ctx); err != nil {
			return err
		}
		row := b.individuals[f.individual]
		done = &Recorded{Individual: row.id, Records: make([]*insight.Consent, len(claims))}
		had := slices.Clone(row.decisions)
		for n, c := range claims {
			if again := consent.Repeats(had, &c); again != nil {
				done.Records[n] = again
				continue
			}
			done.Records[n] = b.claim(row, []uuid.UUID{f.key}, c).Consent
		}
		if err := b.settle(ctx); err != nil {
			return err
		}
		if err := b.record(ctx); err != nil {
			return err
		}
		if err := b.consider(ctx); err != nil {
			return err
		}
		done.Decisions = row.decisions
		done.Heads, err = b.heads(ctx, row.id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return done, nil
}

// heads are where the ledgers of an individual end, by their identifiers' keys.
func (b *batch) heads(ctx context.Context, individual uuid.UUID) ([]consent.Head, error) {
	heads := []consent.Head{}
	err := b.query(ctx, headColumns+" WHERE individual_id = $1 ORDER BY id", []any{individual.String()}, func(r *sql.Rows) error {
		head, err := scanHead(r)
		heads = append(heads, head)
		return err
	})
	return heads, err
}

const headColumns = "SELECT id, length, last, hash FROM ledgers"

func scanHead(r *sql.Rows, after ...any) (consent.Head, error) {
	var head consent.Head
	var ledger, last uuid.UUID
	err := r.Scan(append([]any{&ledger, &head.Length, &last, &head.Hash}, after...)...)
	head.Ledger, head.Last = ledger.String(), insight.FormatID(insight.ConsentPrefix, last)
	return head, err
}

// namedOrNew finds the identifier that a lookup names, or makes it.
func (b *batch) namedOrNew(ctx context.Context, who Lookup) (*identifierRow, error) {
	f, err := b.named(ctx, "individual", who)
	if err == nil || who.ID != uuid.Nil || insight.KindOf(err) != insight.NotFound {
		return f, err
	}
	key := b.store.key(who.Identity)
	if err := b.loadSuppressed(ctx, []uuid.UUID{key}); err != nil {
		return nil, err
	}
	if b.suppressed[key] {
		return nil, insight.NewError(insight.Conflict, "individual", "they were erased, and asked that nothing be kept of them again")
	}
	f = b.identifier(key, who.Identity)
	at := span{b.now, b.now}
	f.seen.extend(at)
	b.individuals[f.individual].see(at, false)
	return f, nil
}

// Find finds whom a lookup names, for those who manage consent: nothing of them but
// that they exist. The error is of kind NotFound when there is nobody.
func (s *Store) Find(ctx context.Context, who Lookup) (uuid.UUID, error) {
	return s.lookUp(ctx, "individual_id", who)
}

// Origin is the id that an individual was, or would be, known by alone under the name
// that a lookup gives them: it stays theirs whoever they are merged with. The error is
// of kind NotFound when there is nobody.
func (s *Store) Origin(ctx context.Context, who Lookup) (uuid.UUID, error) {
	return s.lookUp(ctx, "origin", who)
}

func (s *Store) lookUp(ctx context.Context, what string, who Lookup) (uuid.UUID, error) {
	column, key := "origin", who.ID
	if who.ID == uuid.Nil {
		column, key = "id", s.key(who.Identity)
	}
	stmt, err := s.read.stmt(ctx, "SELECT "+what+" FROM identifiers WHERE "+column+" = $1")
	if err != nil {
		return uuid.Nil, translate("store.Find", err)
	}
	var id uuid.UUID
	err = translate("store.Find", stmt.QueryRowContext(ctx, key.String()).Scan(&id))
	if insight.KindOf(err) == insight.NotFound {
		err = insight.NewError(insight.NotFound, "individual", "there is no such individual")
	}
	return id, err
}

// Consents lists, for each of some individuals, the records of their ledger, newest
// first.
func (r *Reader) Consents(ctx context.Context, ids []uuid.UUID, p Page) (map[uuid.UUID]Slice[*insight.Consent], error) {
	c := &clause{engine: r.engine, args: []any{r.engine.keys(ids)}, text: "c.individual_id = i.id" + r.engine.onNodesOf("c.individual_id", 1)}
	c.within(p, "c.recorded_at", "c.id", true)
	text := r.children(consentColumns, "individuals i", r.covered("i")+" AND "+r.engine.anyOf("i.id", 1), "consents", "c", c.text, p.order("c.recorded_at", "c.id", true))
	if !r.engine.postgres() {
		text += sqliteOrder(p, "c.recorded_at", "c.id")
	}
	found := make(map[uuid.UUID][]*insight.Consent, len(ids))
	err := r.query(ctx, "store.Consents", text, c.args, func(rows *sql.Rows) error {
		d, err := scanConsent(rows, r.purposeByID(ctx))
		if err == nil {
			found[d.IndividualID] = append(found[d.IndividualID], d)
		}
		return err
	})
	return slicesOf(ids, p, found), err
}

// CountConsents counts the records of each of some individuals.
func (r *Reader) CountConsents(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]int, error) {
	return r.counts(ctx, "SELECT i.id, count(*) FROM individuals i JOIN consents c ON c.individual_id = i.id WHERE "+
		r.covered("i")+" AND "+r.engine.anyOf("i.id", 1)+" GROUP BY i.id", []any{r.engine.keys(ids)})
}

// Decisions reads everything that some individuals decided, in no order.
func (r *Reader) Decisions(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID][]*insight.Consent, error) {
	found := make(map[uuid.UUID][]*insight.Consent, len(ids))
	err := r.query(ctx, "store.Decisions", "SELECT "+consentColumns+" FROM individuals i JOIN consents c ON c.individual_id = i.id WHERE "+
		r.covered("i")+" AND "+r.engine.anyOf("i.id", 1), []any{r.engine.keys(ids)}, func(rows *sql.Rows) error {
		d, err := scanConsent(rows, r.purposeByID(ctx))
		if err == nil {
			found[d.IndividualID] = append(found[d.IndividualID], d)
		}
		return err
	})
	return found, err
}

// Consent finds a record by id.
func (r *Reader) Consent(ctx context.Context, id uuid.UUID) (*insight.Consent, error) {
	found, err := r.ConsentsByID(ctx, []uuid.UUID{id})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, r.absent(ctx, "consent", id, "consents")
	}
	r.Show(found[0].IndividualID)
	return found[0], nil
}

// ConsentsByID reads records in the order of their ids; those of individuals whom the
// reader does not see are left out. Whoever shows them tells [Reader.Show].
func (r *Reader) ConsentsByID(ctx context.Context, ids []uuid.UUID) ([]*insight.Consent, error) {
	if err := r.store.look(ctx); err != nil { // a subscriber's reader lives long
		return nil, err
	}
	byID := make(map[uuid.UUID]*insight.Consent, len(ids))
	err := r.query(ctx, "store.ConsentsByID", "SELECT "+consentColumns+" FROM consents c JOIN individuals i ON i.id = c.individual_id WHERE "+
		r.covered("i")+" AND "+r.engine.anyOf("c.id", 1), []any{r.engine.keys(ids)}, func(rows *sql.Rows) error {
		d, err := scanConsent(rows, r.purposeByID(ctx))
		if err == nil {
			byID[d.ID] = d
		}
		return err
	})
	found := make([]*insight.Consent, 0, len(byID))
	for _, id := range ids {
		if d := byID[id]; d != nil {
			found = append(found, d)
		}
	}
	return found, err
}
