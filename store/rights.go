package store

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/insight/receipt"
)

// Asked is who asked for something concerning an individual's data, and why.
type Asked struct {
	By     string // the subject of the token
	Reason string // told in the receipt
}

// ReceiptKey signs receipts. It is made once in a database.
func (s *Store) ReceiptKey() receipt.Key { return s.receiptKey }

// sign issues a receipt.
func (s *Store) sign(r receipt.Receipt) (json.RawMessage, error) {
	r.IssuedAt, r.Issuer = insight.Moment(s.now()), s.controller
	return s.receiptKey.Sign(r)
}

// ConsentReceipt is the proof of what was recorded: with the fields of ISO/IEC TS
// 27560, the records themselves where they can be part of it, and where the ledger
// ends.
func (s *Store) ConsentReceipt(done *Recorded, by string) (json.RawMessage, error) {
	individual := insight.FormatID(insight.IndividualPrefix, done.Individual)
	r := receipt.Receipt{
		ID: insight.FormatID(insight.ConsentPrefix, done.Records[0].ID), Kind: receipt.KindConsent, Individual: individual, RequestedBy: by, Ledger: done.Heads,
		Tables: []receipt.Table{{Table: "consents", Action: receipt.ActionWritten, Rows: len(done.Records)}},
	}
	for _, d := range done.Records {
		r.Consents = append(r.Consents, receipt.RecordOf(d, individual, s.controller))
		r.Evidence = append(r.Evidence, consent.EntryOf(d))
	}
	signed, err := s.sign(r)
	if insight.KindOf(err) == insight.Invalid { // a record's own evidence may hold what a receipt cannot
		r.Evidence = nil
		signed, err = s.sign(r)
	}
	return signed, err
}

// fulfil notes that something was done for an individual, with the receipt of it.
func (s *Store) fulfil(ctx context.Context, kind insight.RequestKind, individual uuid.UUID, asked Asked, r receipt.Receipt) (*insight.Request, json.RawMessage, error) {
	now := insight.Moment(s.now())
	q := &insight.Request{ID: newID(), IndividualID: individual, Kind: kind, RequestedBy: asked.By, RequestedAt: now, CompletedAt: now}
	r.ID, r.Kind, r.RequestedBy, r.Reason = insight.FormatID(insight.RequestPrefix, q.ID), receipt.Kind(kind), asked.By, asked.Reason
	signed, err := s.sign(r)
	if err != nil {
		return nil, nil, err
	}
	q.Digest = digest(signed)
	err = s.transact(ctx, "store.fulfil", func(tx *sql.Tx) error { return insertRequest(ctx, s.write, tx, q) })
	return q, signed, err
}

func digest(document []byte) string {
	sum := sha256.Sum256(document)
	return hex.EncodeToString(sum[:])
}

func insertRequest(ctx context.Context, e *engine, tx *sql.Tx, q *insight.Request) error {
	r := e.rows()
	id, individual, kind, by := r.column("id", "uuid"), r.column("individual_id", "uuid"), r.column("kind", "text"), r.column("requested_by", "text")
	requested, completed, sum := r.column("requested_at", "timestamptz"), r.column("completed_at", "timestamptz"), r.column("digest", "text")
	id.uuid(q.ID)
	individual.uuidOrNull(q.IndividualID)
	kind.text(string(q.Kind))
	by.text(q.RequestedBy)
	requested.time(q.RequestedAt)
	completed.timeOrNull(q.CompletedAt)
	sum.text(q.Digest)
	return r.insert(ctx, tx, "requests", "")
}

// RequestExport notes that an individual's archive was asked for, and signs what it
// will hold. The request is a [Dossier]'s way in.
func (s *Store) RequestExport(ctx context.Context, who uuid.UUID, kind insight.RequestKind, asked Asked) (*insight.Request, json.RawMessage, error) {
	var r receipt.Receipt
	err := s.Dossier(ctx, who, func(d *Dossier) error {
		r.Individual = insight.FormatID(insight.IndividualPrefix, d.id)
		tables, err := d.tables(ctx)
		if err != nil {
			return err
		}
		for _, t := range tables {
			t.Action = receipt.ActionExported
			r.Tables = append(r.Tables, t)
		}
		r.Ledger, err = d.Heads(ctx)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return s.fulfil(ctx, kind, who, asked, r)
}

// ticketTag is that of tickets.
const ticketTag = 103

// Ticket is what proves, until a moment, that its holder may download the archive of
// a request.
func (s *Store) Ticket(request uuid.UUID, until time.Time) string {
	return s.derive(ticketTag, string(request[:]), until.UTC().Format(time.RFC3339)).String()
}

// Redeem finds whose archive a ticket is for. The error is of kind Denied when the
// ticket is another's or its time has passed, and of kind NotFound when the individual
// was erased since.
func (s *Store) Redeem(ctx context.Context, request uuid.UUID, until time.Time, ticket string) (*insight.Request, error) {
	if subtle.ConstantTimeCompare([]byte(s.Ticket(request, until)), []byte(ticket)) != 1 || !s.now().Before(until) {
		return nil, insight.NewError(insight.Denied, "ticket", "this address has expired, or was never given out; ask for the archive again")
	}
	stmt, err := s.read.stmt(ctx, requestColumns+" WHERE q.id = $1")
	if err != nil {
		return nil, translate("store.Redeem", err)
	}
	rows, err := stmt.QueryContext(ctx, request.String())
	if err != nil {
		return nil, translate("store.Redeem", err)
	}
	var found *insight.Request
	err = each(rows, func(r *sql.Rows) error {
		var err error
		found, err = scanRequest(r)
		return err
	})
	if err != nil {
		return nil, translate("store.Redeem", err)
	}
	if found == nil || found.IndividualID == uuid.Nil {
		return nil, insight.NewError(insight.NotFound, "request", "there is no archive: the individual was erased")
	}
	return found, nil
}

// Rectify keeps traits as what is right of an individual from now on, said of their
// strongest identifier by the API's own source, and returns the receipt.
func (s *Store) Rectify(ctx context.Context, who uuid.UUID, traits []insight.Observation, asked Asked) (*insight.Request, json.RawMessage, error) {
	api, err := s.Source(ctx, APISource)
	if err != nil {
		return nil, nil, err
	}
	var heads []consent.Head
	err = s.change(ctx, "store.Rectify", func(b *batch) error {
		members, err := b.membersOf(ctx, []uuid.UUID{who})
		if err != nil {
			return err
		}
		if len(members[who]) == 0 {
			return insight.NewError(insight.NotFound, "individual", "there is no such individual")
		}
		keys := strongestFirst(members[who])
		e := &insight.Event{
			MessageID: newID().String(), Timestamp: b.now, Source: api, Channel: api.DefaultChannel, Type: "rectify", Direction: insight.Inbound,
			OccurredAt: b.now, ReceivedAt: b.now, Identities: []insight.Identity{members[who][0].Identity}, Traits: traits, Statement: true,
		}
		b.arrivals = s.arrivals([]*insight.Event{e})
		if b.arrivals[0].keys[0] != keys[0] {
			return insight.NewError(insight.Internal, "", "the strongest identifier has another key")
		}
		if _, err := b.append(ctx); err != nil {
			return err
		}
		heads, err = b.heads(ctx, who)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return s.fulfil(ctx, insight.RequestRectification, who, asked, receipt.Receipt{
		Individual: insight.FormatID(insight.IndividualPrefix, who), Ledger: heads,
		Tables: []receipt.Table{{Table: "traits", Action: receipt.ActionWritten, Rows: len(traits)}},
	})
}

// Object records that an individual objects to purposes, and returns the receipt.
func (s *Store) Object(ctx context.Context, who uuid.UUID, claims []insight.Claim, asked Asked) (*insight.Request, json.RawMessage, *Recorded, error) {
	done, err := s.RecordConsents(ctx, Lookup{ID: who}, claims)
	if err != nil {
		return nil, nil, nil, err
	}
	q, signed, err := s.fulfil(ctx, insight.RequestObjection, done.Individual, asked, receipt.Receipt{
		Individual: insight.FormatID(insight.IndividualPrefix, done.Individual), Ledger: done.Heads,
		Tables: []receipt.Table{{Table: "consents", Action: receipt.ActionWritten, Rows: len(done.Records)}},
	})
	return q, signed, done, err
}

// ErasureTerms say how somebody is to be erased.
type ErasureTerms struct {
	Asked
	Suppress bool // whether nothing of them may be taken in again
}

// Erase deletes everything of an individual from every table, in one transaction, and
// afterwards looks for what may be left. It returns the request, which no longer tells
// whose it was, and the receipt, which is kept nowhere.
//
// What others have to do with the individual is put right as if they had never been:
// whoever was linked with one of their identifiers is worked out anew. On SQLite the
// deleted bytes are overwritten, and the write-ahead log is emptied, before it
// returns.
func (s *Store) Erase(ctx context.Context, who Lookup, terms ErasureTerms) (*insight.Request, json.RawMessage, error) {
	if err := checkReason(terms.Reason); err != nil {
		return nil, nil, err
	}
	var e *erasure
	err := s.change(ctx, "store.Erase", func(b *batch) error {
		f, err := b.named(ctx, "individual", who)
		if err != nil {
			return err
		}
		e = &erasure{batch: b, id: f.individual, suppress: terms.Suppress}
		return e.run(ctx)
	})
	if err != nil {
		return nil, nil, err
	}
	if err := s.scrub(ctx); err != nil {
		return nil, nil, err
	}
	residue, err := s.residue(ctx, e)
	if err != nil {
		return nil, nil, err
	}
	q, signed, err := s.fulfil(ctx, insight.RequestErasure, uuid.Nil, terms.Asked, receipt.Receipt{
		Individual: insight.FormatID(insight.IndividualPrefix, e.id), Tables: e.tables, Residue: residue, Suppressed: e.suppressed, Ledger: e.heads,
	})
	if err != nil {
		return nil, nil, err
	}
	return q, signed, s.scrub(ctx)
}

// erasure is the deletion of one individual.
type erasure struct {
	*batch
	id         uuid.UUID
	suppress   bool
	keys       []uuid.UUID // of their identifiers
	origins    []uuid.UUID // every id that has become theirs
	values     []string    // of their identifiers
	heads      []consent.Head
	tables     []receipt.Table
	suppressed int
}

func (e *erasure) run(ctx context.Context) error {
	e.covers = true
	err := e.query(ctx, "SELECT id, origin, value FROM identifiers WHERE individual_id = $1", []any{e.id.String()}, func(r *sql.Rows) error {
		var key, origin uuid.UUID
		var value string
		err := r.Scan(&key, &origin, &value)
		e.keys, e.origins, e.values = append(e.keys, key), append(e.origins, origin), append(e.values, value)
		return err
	})
	if err != nil {
		return err
	}
	if e.heads, err = e.batch.heads(ctx, e.id); err != nil {
		return err
	}
	others, err := e.neighbours(ctx)
	if err != nil {
		return err
	}
	for _, step := range []struct {
		table, condition string
		keys             []uuid.UUID
	}{
		{"interactions", "individual_id", []uuid.UUID{e.id}}, {"sessions", "individual_id", []uuid.UUID{e.id}}, {"traits", "individual_id", []uuid.UUID{e.id}},
		{"consents", "individual_id", []uuid.UUID{e.id}}, {"ledgers", "individual_id", []uuid.UUID{e.id}}, {"access_entries", "individual_id", e.origins},
		{"identity_links", "a", e.keys}, {"identity_links", "b", e.keys}, {"identifiers", "individual_id", []uuid.UUID{e.id}}, {"individuals", "id", []uuid.UUID{e.id}},
	} {
		if err := e.remove(ctx, step.table, step.condition, step.keys); err != nil {
			return err
		}
	}
	if err := e.exec(ctx, "UPDATE requests SET individual_id = NULL WHERE "+e.engine.anyOf("individual_id", 1), e.engine.keys(e.origins)); err != nil {
		return err
	}
	if e.suppress {
		r := e.engine.rows()
		id, since := r.column("id", "uuid"), r.column("since", "timestamptz")
		for _, key := range e.keys {
			id.uuid(key)
			since.time(e.now)
		}
		if err := r.insert(ctx, e.tx, "suppressions", "ON CONFLICT DO NOTHING"); err != nil {
			return err
		}
		e.suppressed = len(e.keys)
	}
	return e.settleOthers(ctx, others)
}

func (e *erasure) remove(ctx context.Context, table, column string, keys []uuid.UUID) error {
	stmt, err := e.engine.stmt(ctx, "DELETE FROM "+table+" WHERE "+e.engine.anyOf(column, 1))
	if err != nil {
		return err
	}
	result, err := e.tx.StmtContext(ctx, stmt).ExecContext(ctx, e.engine.keys(keys))
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if last := len(e.tables) - 1; last >= 0 && e.tables[last].Table == table {
		e.tables[last].Rows += int(n)
	} else {
		e.tables = append(e.tables, receipt.Table{Table: table, Action: receipt.ActionDeleted, Rows: int(n)})
	}
	return err
}

// neighbours are the identifiers of others that a link joins, or once joined, with
// one of this individual's.
func (e *erasure) neighbours(ctx context.Context) ([]uuid.UUID, error) {
	var others []uuid.UUID
	for _, ends := range [][2]string{{"a", "b"}, {"b", "a"}} {
		err := e.query(ctx, "SELECT "+ends[1]+" FROM identity_links WHERE "+e.engine.anyOf(ends[0], 1), []any{e.engine.keys(e.keys)}, func(r *sql.Rows) error {
			var other uuid.UUID
			err := r.Scan(&other)
			if !slices.Contains(e.keys, other) && !slices.Contains(others, other) {
				others = append(others, other)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return others, nil
}

// settleOthers works out anew who those are who had to do with somebody who is gone,
// and takes the identifiers of the gone out of what happened to the others.
func (e *erasure) settleOthers(ctx context.Context, others []uuid.UUID) error {
	if len(others) == 0 {
		return nil
	}
	b := e.batch
	b.identifiers, b.individuals, b.links = map[uuid.UUID]*identifierRow{}, map[uuid.UUID]*individualRow{}, map[uuid.UUID]*linkRow{}
	if err := b.loadIdentifiers(ctx, others); err != nil {
		return err
	}
	if err := b.loadIndividuals(ctx); err != nil {
		return err
	}
	for _, f := range b.identifiers { // what the links said is asked again
		f.user, f.changed = uuid.Nil, true
	}
	whose := map[uuid.UUID]bool{}
	for _, f := range b.identifiers {
		whose[f.individual] = true
	}
	if err := e.disown(ctx, list(whose)); err != nil {
		return err
	}
	for id := range whose {
		b.rebuild[id] = true
	}
	return b.unsettle(ctx, others...)
}

// disown takes the keys of the gone out of interactions of some individuals: out of
// the identifiers that those came with, and, where a session ran along one, by a
// random name that takes its place.
func (e *erasure) disown(ctx context.Context, individuals []uuid.UUID) error {
	streams := e.engine.rows()
	gone, name, owner := streams.column("gone", "uuid"), streams.column("name", "uuid"), streams.column("individual_id", "uuid")
	for _, key := range e.keys {
		for _, id := range individuals {
			gone.uuid(key)
			name.uuid(uuid.New())
			owner.uuid(id)
		}
	}
	if err := streams.exec(ctx, e.tx, "UPDATE interactions AS m SET stream = r.name FROM r WHERE m.individual_id = r.individual_id AND m.stream = r.gone"); err != nil {
		return err
	}
	changed := e.engine.rows()
	id, individual, identities := changed.column("id", "uuid"), changed.column("individual_id", "uuid"), changed.column("identities", "jsonb")
	err := e.query(ctx, "SELECT id, individual_id, identities FROM interactions WHERE identities IS NOT NULL AND "+e.engine.anyOf("individual_id", 1), []any{e.engine.keys(individuals)}, func(r *sql.Rows) error {
		var x, whose uuid.UUID
		var text []byte
		if err := r.Scan(&x, &whose, &text); err != nil {
			return err
		}
		var keys []uuid.UUID
		if err := json.Unmarshal(text, &keys); err != nil {
			return err
		}
		left := slices.DeleteFunc(slices.Clone(keys), func(key uuid.UUID) bool { return slices.Contains(e.keys, key) })
		if len(left) < len(keys) {
			id.uuid(x)
			individual.uuid(whose)
			identities.json(keysJSON(left))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return changed.exec(ctx, e.tx, "UPDATE interactions AS m SET identities = r.identities FROM r WHERE m.individual_id = r.individual_id AND m.id = r.id")
}

// scrub makes sure that what was deleted is not in a file any longer. SQLite
// overwrites it (PRAGMA secure_delete) and keeps its write-ahead log until it is
// emptied; of PostgreSQL's files autovacuum takes care.
func (s *Store) scrub(ctx context.Context) error {
	if s.write.postgres() {
		return nil
	}
	s.turn.Lock()
	defer s.turn.Unlock()
	for attempt := 1; ; attempt++ {
		var busy, pages, done int
		if err := s.write.db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &done); err != nil {
			return translate("store.scrub", err)
		}
		if busy == 0 {
			return nil
		}
		if attempt == scrubAttempts {
			return &insight.Error{Op: "store.scrub", Kind: insight.Unavailable, Message: "it is erased, but a long read keeps the old bytes in the write-ahead log; ask again"}
		}
	}
}

// scrubAttempts bounds how often the write-ahead log is tried to be emptied; each waits
// up to ten seconds for readers.
const scrubAttempts = 3

// shortest is how long an identifier is at least that is searched for in texts: a
// shorter one stands in texts by chance.
const shortest = 5

// residue looks for what may be left of somebody who was erased: by keys in every
// table, and by their identifiers in every text.
func (s *Store) residue(ctx context.Context, e *erasure) (*receipt.Residue, error) {
	found := &receipt.Residue{How: "every table by the individual's ids and the keys of their identifiers"}
	count := func(text string, args ...any) error {
		var n int
		stmt, err := s.read.stmt(ctx, text)
		if err != nil {
			return translate("store.residue", err)
		}
		err = stmt.QueryRowContext(ctx, args...).Scan(&n)
		found.Found += n
		return translate("store.residue", err)
	}
	for _, look := range []struct {
		table, column string
		keys          []uuid.UUID
	}{
		{"interactions", "individual_id", e.origins}, {"sessions", "individual_id", e.origins}, {"traits", "individual_id", e.origins},
		{"consents", "individual_id", e.origins}, {"ledgers", "individual_id", e.origins}, {"access_entries", "individual_id", e.origins},
		{"identity_links", "a", e.keys}, {"identity_links", "b", e.keys}, {"identifiers", "id", e.keys}, {"individuals", "id", e.origins}, {"requests", "individual_id", e.origins},
	} {
		if err := count("SELECT count(*) FROM "+look.table+" WHERE "+s.read.anyOf(look.column, 1), s.read.keys(look.keys)); err != nil {
			return nil, err
		}
		if !slices.Contains(found.Scanned, look.table) {
			found.Scanned = append(found.Scanned, look.table)
		}
	}
	values := slices.DeleteFunc(slices.Clone(e.values), func(v string) bool { return len(v) < shortest })
	if len(values) == 0 {
		return found, nil
	}
	found.How += fmt.Sprintf("; and by %d identifiers in every text of the tables (those of fewer than %d characters stand in texts by chance, and were not searched for)", len(values), shortest)
	for _, look := range textColumns {
		condition, args := s.mentions(look.table, look.columns, values)
		if err := count("SELECT count(*) FROM "+look.table+" WHERE "+condition, args); err != nil {
			return nil, err
		}
		if !slices.Contains(found.Scanned, look.table) {
			found.Scanned = append(found.Scanned, look.table)
		}
	}
	return found, nil
}

// textColumns are the columns in which somebody may be mentioned.
var textColumns = []struct {
	table   string
	columns []string
}{
	{"identifiers", []string{"value"}}, {"traits", []string{"value"}}, {"identity_links", []string{"message_id", "reason"}}, {"consents", []string{"evidence"}},
	{"interactions", []string{"properties", "campaign", "message_id"}}, {"sessions", []string{"campaign"}}, {"channels", []string{"key", "name"}}, {"sources", []string{"name"}},
	{"access_entries", []string{"subject"}}, {"requests", []string{"requested_by"}},
}

// mentions is the condition that one of some columns of a table holds one of some
// texts.
func (s *Store) mentions(table string, columns, values []string) (string, any) {
	var each []string
	for _, c := range columns {
		c = table + "." + c // a list of texts has a column called value, too
		if s.read.postgres() {
			each = append(each, "EXISTS (SELECT 1 FROM unnest($1::text[]) AS v WHERE position(v IN "+c+"::text) > 0)")
		} else {
			each = append(each, "EXISTS (SELECT 1 FROM json_each($1) AS v WHERE instr("+c+", v.value) > 0)")
		}
	}
	return strings.Join(each, " OR "), s.read.texts(values)
}
