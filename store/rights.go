package store

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
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
	q.Digest = fingerprint(signed)
	err = s.transact(ctx, "store.fulfil", func(tx *sql.Tx) error { return insertRequest(ctx, s.write, tx, q) })
	return q, signed, err
}

func fingerprint(document []byte) string {
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
	return q, signed, s.emptyLog(ctx)
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
	if err := e.holdAccess(ctx); err != nil {
		return err
	}
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
	e.leavers[e.id] = "they were erased"
	if _, err := e.takeLeave(ctx); err != nil {
		return err
	}
	before := int64(math.MaxInt64) // what is told of them now stays, for those who are told
	if len(e.told) > 0 {
		before = e.told[0].Sequence
	}
	for _, step := range []struct {
		table, condition string
		keys             []uuid.UUID
	}{
		{"interactions", "individual_id", []uuid.UUID{e.id}}, {"sessions", "individual_id", []uuid.UUID{e.id}}, {"traits", "individual_id", []uuid.UUID{e.id}},
		{"consents", "individual_id", []uuid.UUID{e.id}}, {"ledgers", "individual_id", []uuid.UUID{e.id}}, {"access_entries", "individual_id", e.origins},
		{"memberships", "individual_id", []uuid.UUID{e.id}}, {"decisions", "individual_id", []uuid.UUID{e.id}},
		{"identity_links", "a", e.keys}, {"identity_links", "b", e.keys}, {"identifiers", "individual_id", []uuid.UUID{e.id}}, {"individuals", "id", []uuid.UUID{e.id}},
	} {
		if err := e.remove(ctx, step.table, step.condition, step.keys); err != nil {
			return err
		}
	}
	if err := e.removeWhere(ctx, "membership_changes", e.engine.anyOf("individual_id", 1)+" AND sequence < "+e.engine.typed(2, "bigint"), e.origins, before); err != nil {
		return err
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
		if err := e.insert(ctx, r, "suppressions", "ON CONFLICT DO NOTHING"); err != nil {
			return err
		}
		e.suppressed = len(e.keys)
	}
	return e.settleOthers(ctx, others)
}

func (e *erasure) remove(ctx context.Context, table, column string, keys []uuid.UUID) error {
	return e.removeWhere(ctx, table, e.engine.anyOf(column, 1), keys)
}

func (e *erasure) removeWhere(ctx context.Context, table, condition string, keys []uuid.UUID, more ...any) error {
	if err := e.flush(ctx); err != nil {
		return err
	}
	stmt, err := e.engine.stmt(ctx, "DELETE FROM "+table+" WHERE "+condition)
	if err != nil {
		return err
	}
	result, err := e.tx.StmtContext(ctx, stmt).ExecContext(ctx, append([]any{e.engine.keys(keys)}, more...)...)
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

// disown takes the keys of the gone out of interactions of some individuals, which are
// then as if they had come without: where a session ran along such a key, it runs
// along what would have been its stream.
func (e *erasure) disown(ctx context.Context, individuals []uuid.UUID) error {
	type mention struct {
		id, individual, owner, stream uuid.UUID
		others                        []uuid.UUID
	}
	gone := func(key uuid.UUID) bool { return slices.Contains(e.keys, key) }
	var mentions []mention
	kinds := map[uuid.UUID]insight.IdentifierKind{} // of those that may take a stream's place
	err := e.query(ctx, "SELECT id, individual_id, owner, stream, identities FROM interactions WHERE "+e.engine.anyOf("individual_id", 1)+
		" AND (identities IS NOT NULL OR "+e.engine.anyOf("stream", 2)+")", []any{e.engine.keys(individuals), e.engine.keys(e.keys)}, func(r *sql.Rows) error {
		var m mention
		var text []byte
		if err := r.Scan(&m.id, &m.individual, &m.owner, &m.stream, &text); err != nil {
			return err
		}
		if len(text) > 0 {
			if err := json.Unmarshal(text, &m.others); err != nil {
				return err
			}
		}
		had := len(m.others)
		if m.others = slices.DeleteFunc(m.others, gone); len(m.others) < had || gone(m.stream) {
			mentions = append(mentions, m)
		}
		if gone(m.stream) {
			for _, key := range m.others {
				kinds[key] = 0
			}
		}
		return nil
	})
	if err != nil || len(mentions) == 0 {
		return err
	}
	err = e.query(ctx, "SELECT id, kind FROM identifiers WHERE "+e.engine.anyOf("id", 1), []any{e.engine.keys(slices.Collect(maps.Keys(kinds)))}, func(r *sql.Rows) error {
		var key uuid.UUID
		var kind insight.IdentifierKind
		err := r.Scan(&key, &kind)
		kinds[key] = kind
		return err
	})
	if err != nil {
		return err
	}
	r := e.engine.rows()
	id, individual := r.column("id", "uuid"), r.column("individual_id", "uuid")
	stream, identities := r.column("stream", "uuid"), r.column("identities", "jsonb")
	for _, m := range mentions {
		if gone(m.stream) {
			m.stream = m.owner
			for _, kind := range []insight.IdentifierKind{insight.DeviceID, insight.AnonymousID} { // the latter before the former
				if n := slices.IndexFunc(m.others, func(key uuid.UUID) bool { return kinds[key] == kind }); n >= 0 {
					m.stream = m.others[n]
				}
			}
			m.others = slices.DeleteFunc(m.others, func(key uuid.UUID) bool { return key == m.stream })
		}
		id.uuid(m.id)
		individual.uuid(m.individual)
		stream.uuid(m.stream)
		identities.json(keysJSON(m.others))
	}
	return e.later(ctx, r, "interactions", "UPDATE interactions AS m SET stream = r.stream, identities = r.identities FROM %s AS r WHERE m.individual_id = r.individual_id AND m.id = r.id")
}

// scrub makes sure that what was deleted is not in a file any longer. SQLite
// overwrites what it deletes (PRAGMA secure_delete), but not the copies that it left
// behind when it moved rows between pages, and keeps its write-ahead log until it is
// emptied; of PostgreSQL's files autovacuum takes care.
func (s *Store) scrub(ctx context.Context) error {
	if s.write.postgres() {
		return nil
	}
	if err := s.sweep(ctx); err != nil {
		return translate("store.scrub", err)
	}
	return s.emptyLog(ctx)
}

const (
	// unmistakable is how many pages a database may have for the first byte of a page to
	// tell those of trees from those that begin with another page's number: 128 GB.
	unmistakable = 1 << 25
	// sweeping is how many pages are swept in one transaction.
	sweeping = 500
)

// sweep overwrites what the pages of SQLite's trees do not use. Where rows were moved
// from page to page, copies of them stay there. What is deleted already is copied no
// more, so that pages that are clean when they are looked at stay clean of it, and
// writers need not wait until all are.
func (s *Store) sweep(ctx context.Context) error {
	var pages, moving int
	if err := s.read.db.QueryRowContext(ctx, "PRAGMA page_count").Scan(&pages); err != nil {
		return err
	}
	if err := s.read.db.QueryRowContext(ctx, "PRAGMA auto_vacuum").Scan(&moving); err != nil {
		return err
	}
	if pages >= unmistakable || moving != 0 { // a database that moves its pages by itself has some of a third kind
		s.turn.Lock()
		defer s.turn.Unlock()
		_, err := s.write.db.ExecContext(ctx, "VACUUM")
		return err
	}
	var stained []int
	rows, err := s.read.db.QueryContext(ctx, "SELECT pgno, data FROM sqlite_dbpage")
	if err != nil {
		return err
	}
	var copied []byte
	err = each(rows, func(r *sql.Rows) error {
		var number int
		var page sql.RawBytes
		if err := r.Scan(&number, &page); err != nil {
			return err
		}
		copied = append(copied[:0], page...)
		if wipe(number, copied) {
			stained = append(stained, number)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for some := range slices.Chunk(stained, sweeping) {
		err := s.transact(ctx, "store.sweep", func(tx *sql.Tx) error {
			for _, number := range some {
				var page []byte
				if err := tx.QueryRowContext(ctx, "SELECT data FROM sqlite_dbpage WHERE pgno = $1", number).Scan(&page); err != nil {
					return err
				}
				if !wipe(number, page) {
					continue
				}
				if _, err := tx.ExecContext(ctx, "UPDATE sqlite_dbpage SET data = $2 WHERE pgno = $1", number, page); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// wipe overwrites what a page of a tree does not use, and reports whether that held
// anything: between the pointers to its cells and the cells, and in the blocks between
// cells that are free, but for the first four bytes of each, which say how long it is
// and where the next one is. (What is left are gaps of up to three bytes.) See
// https://www.sqlite.org/fileformat2.html#b_tree_pages.
func wipe(number int, page []byte) bool {
	head := 0
	if number == 1 {
		head = 100 // it begins with the file's own
	}
	if len(page) < head+12 {
		return false
	}
	two := func(at int) int { return int(binary.BigEndian.Uint16(page[at:])) }
	var pointers int
	switch page[head] {
	case 2, 5:
		pointers = head + 12
	case 10, 13:
		pointers = head + 8
	default:
		return false
	}
	from, to := pointers+2*two(head+3), two(head+5)
	if to == 0 {
		to = 1 << 16
	}
	if from > to || to > len(page) {
		return false // damaged: others tell
	}
	stained := blank(page[from:to])
	for at, last := two(head+1), 0; at > last && at+4 <= len(page); at, last = two(at), at {
		end := at + two(at+2)
		if end < at+4 || end > len(page) {
			break
		}
		stained = blank(page[at+4:end]) || stained
	}
	return stained
}

// blank fills bytes with zeros, and reports whether there were others.
func blank(bytes []byte) bool {
	held := slices.ContainsFunc(bytes, func(b byte) bool { return b != 0 })
	clear(bytes)
	return held
}

// emptyLog has SQLite write its log into the file, and cut it off.
func (s *Store) emptyLog(ctx context.Context) error {
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
		n := 0
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
		{"memberships", "individual_id", e.origins}, {"decisions", "individual_id", e.origins},
		{"identity_links", "a", e.keys}, {"identity_links", "b", e.keys}, {"identifiers", "id", e.keys}, {"individuals", "id", e.origins}, {"requests", "individual_id", e.origins},
	} {
		if err := count("SELECT count(*) FROM "+look.table+" WHERE "+s.read.anyOf(look.column, 1), s.read.keys(look.keys)); err != nil {
			return nil, err
		}
		if !slices.Contains(found.Scanned, look.table) {
			found.Scanned = append(found.Scanned, look.table)
		}
	}
	keys := make([]string, len(e.keys))
	for n, key := range e.keys {
		keys[n] = key.String()
	}
	before := found.Found
	mentions := func(table string, columns, texts []string) error {
		for some := range slices.Chunk(texts, sought) {
			condition, args := s.mentions(table, columns, some)
			if err := count("SELECT count(*) FROM "+table+" WHERE "+condition, args...); err != nil {
				return err
			}
		}
		return nil
	}
	if err := mentions("consents", []string{"covers"}, keys); err != nil {
		return nil, err
	}
	if n := found.Found - before; n > 0 {
		found.How += fmt.Sprintf("; %d of what was found are decisions in ledgers of others, made while they were taken for one with the individual: these name keys, and cannot be changed without breaking the ledger", n)
	}
	values := slices.DeleteFunc(slices.Clone(e.values), func(v string) bool { return len(v) < shortest })
	if len(values) == 0 {
		return found, nil
	}
	found.How += fmt.Sprintf("; and by %d identifiers in every text of the tables (those of fewer than %d characters stand in texts by chance, and were not searched for)", len(values), shortest)
	for _, look := range textColumns {
		if err := mentions(look.table, look.columns, values); err != nil {
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

// sought is how many texts one statement looks for: naming each costs a tenth of what
// a list of them does that is taken apart for every row.
const sought = 8

// mentions is the condition that one of some columns of a table holds one of some
// texts, of which there are as many as are sought at a time or fewer.
func (s *Store) mentions(table string, columns, values []string) (string, []any) {
	holds := "instr(%s, $%d) > 0"
	if s.read.postgres() {
		holds = "position($%[2]d::text IN %[1]s::text) > 0"
	}
	var each []string
	args := make([]any, len(values))
	for n, v := range values {
		args[n] = v
		for _, c := range columns {
			each = append(each, fmt.Sprintf(holds, table+"."+c, n+1))
		}
	}
	return strings.Join(each, " OR "), args
}
