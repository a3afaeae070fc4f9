package store

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
)

// Access collects whom a request was shown, until it is written down.
type Access struct {
	operation string

	mu      sync.Mutex
	seen    map[glance]struct{}
	writing []*accessBatch // with what was collected
}

// glance is that a subject was shown an individual for a purpose.
type glance struct {
	subject, purpose string
	individual       uuid.UUID
}

// NewAccess begins to collect; operation says what kind of request it is: query,
// mutation, subscription or export.
func NewAccess(operation string) *Access {
	return &Access{operation: operation, seen: map[glance]struct{}{}}
}

func (a *Access) add(subject, purpose string, ids []uuid.UUID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, id := range ids {
		a.seen[glance{subject, purpose, id}] = struct{}{}
	}
}

// take gives out the batches that what was collected is written with.
func (a *Access) take() []*accessBatch {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := a.writing
	a.writing = nil
	return all
}

// accessSpan is how finely the access log tells the time: reads of one individual
// by one subject for one purpose in one minute are one entry.
const accessSpan = time.Minute

// accessKey is the id of an entry, which two that say the same share.
func (s *Store) accessKey(g glance, operation string, minute time.Time) uuid.UUID {
	return s.derive(accessTag, g.subject, g.purpose, operation, string(g.individual[:]), minute.Format(time.RFC3339))
}

// accessLog writes entries of concurrent requests together, and knows which were
// written in this minute already.
type accessLog struct {
	mu      sync.Mutex
	minute  time.Time
	written map[uuid.UUID]struct{}
	waiting *accessBatch // gathers while another is being written
	writing bool
}

type accessBatch struct {
	entries map[uuid.UUID]accessEntry
	done    chan struct{}
	err     error
}

type accessEntry struct {
	individual, purpose uuid.UUID
	subject, operation  string
	at                  time.Time
}

// Log writes down whom a request was shown. When it returns, that is durable; with an
// error, it may not be, and then the request must not be answered.
//
// Requests that come at the same time share a transaction, and what was written in
// the same minute is not written again. What a reader showed is on its way since then,
// so that it is written while the rest of the answer is made.
func (s *Store) Log(ctx context.Context, a *Access) error {
	s.note(a)
	for _, b := range a.take() {
		select {
		case <-b.done:
			if b.err != nil {
				return b.err
			}
		case <-ctx.Done():
			return &insight.Error{Op: "store.Log", Kind: insight.Unavailable, Message: "the request was given up", Cause: ctx.Err()}
		}
	}
	return nil
}

// note begins to write down what was collected.
func (s *Store) note(a *Access) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.seen) == 0 {
		return
	}
	minute := insight.Moment(s.now()).Truncate(accessSpan)
	l := &s.accessLog
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.minute.Equal(minute) {
		l.minute, l.written = minute, map[uuid.UUID]struct{}{}
	}
	mine := false
	for g := range a.seen {
		id := s.accessKey(g, a.operation, minute)
		if _, is := l.written[id]; is {
			continue
		}
		p := s.policy().byKey(g.purpose)
		if p == nil {
			continue // purposes are never taken away
		}
		if l.waiting == nil {
			l.waiting = &accessBatch{entries: map[uuid.UUID]accessEntry{}, done: make(chan struct{})}
		}
		l.waiting.entries[id] = accessEntry{g.individual, p.ID, g.subject, a.operation, minute}
		mine = true
	}
	clear(a.seen)
	if !mine {
		return
	}
	if !slices.Contains(a.writing, l.waiting) {
		a.writing = append(a.writing, l.waiting)
	}
	if !l.writing {
		l.writing = true
		go s.writeAccess()
	}
}

// writeAccess writes what waits, until nothing does.
func (s *Store) writeAccess() {
	l := &s.accessLog
	for {
		l.mu.Lock()
		b := l.waiting
		l.waiting = nil
		if b == nil {
			l.writing = false
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
		b.err = s.insertAccess(context.Background(), b.entries)
		l.mu.Lock()
		if b.err == nil {
			for id, e := range b.entries {
				if e.at.Equal(l.minute) {
					l.written[id] = struct{}{}
				}
			}
		}
		l.mu.Unlock()
		close(b.done)
	}
}

// accessTime bounds how long a request waits for its entries.
const accessTime = 10 * time.Second

func (s *Store) insertAccess(ctx context.Context, entries map[uuid.UUID]accessEntry) error {
	ctx, cancel := context.WithTimeout(ctx, accessTime)
	defer cancel()
	write := func(tx *sql.Tx) error { return s.writeEntries(ctx, tx, entries) }
	if !s.write.postgres() {
		return s.transact(ctx, "store.Log", write)
	}
	// Entries touch nothing that others write: they need not wait for a turn.
	tx, err := s.write.db.BeginTx(ctx, nil)
	if err != nil {
		return translate("store.Log", err)
	}
	if _, err = tx.ExecContext(ctx, fmt.Sprintf("SELECT pg_advisory_xact_lock_shared(%d)", accessLock)); err == nil {
		err = write(tx)
	}
	if err != nil {
		_ = tx.Rollback() // the first error is the one to tell
		return translate("store.Log", err)
	}
	return translate("store.Log", tx.Commit())
}

// accessLock is PostgreSQL's advisory lock that keeps entries from being written while
// somebody is erased.
const accessLock = writerLock + 1

// holdAccess keeps entries from being written until the transaction ends.
func (e *erasure) holdAccess(ctx context.Context) error {
	if !e.engine.postgres() {
		return nil
	}
	_, err := e.tx.ExecContext(ctx, fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", accessLock))
	return err
}

// writeEntries writes entries, but for those of whoever was erased since they were
// read. They go in the order of their keys, because of two who write the same ones in
// different orders, one would wait for the other.
func (s *Store) writeEntries(ctx context.Context, tx *sql.Tx, entries map[uuid.UUID]accessEntry) error {
	whose := map[uuid.UUID]bool{}
	for _, e := range entries {
		whose[e.individual] = true
	}
	known := map[uuid.UUID]bool{}
	stmt, err := s.write.stmt(ctx, "SELECT origin FROM identifiers WHERE "+s.write.anyOf("origin", 1))
	if err != nil {
		return err
	}
	answer, err := tx.StmtContext(ctx, stmt).QueryContext(ctx, s.write.keys(list(whose)))
	if err != nil {
		return err
	}
	err = each(answer, func(r *sql.Rows) error {
		var origin uuid.UUID
		err := r.Scan(&origin)
		known[origin] = true
		return err
	})
	if err != nil {
		return err
	}
	maps.DeleteFunc(entries, func(_ uuid.UUID, e accessEntry) bool { return !known[e.individual] })
	return s.write.entryRows(entries).insert(ctx, tx, "access_entries", "ON CONFLICT DO NOTHING")
}

// entryRows are entries of individuals who exist, in the order of their keys.
func (e *engine) entryRows(entries map[uuid.UUID]accessEntry) *rows {
	r := e.rows()
	id, individual, purpose := r.column("id", "uuid"), r.column("individual_id", "uuid"), r.column("purpose_id", "uuid")
	subject, operation, at := r.column("subject", "text"), r.column("operation", "text"), r.column("read_at", "timestamptz")
	for _, key := range slices.SortedFunc(maps.Keys(entries), func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }) {
		e := entries[key]
		id.uuid(key)
		individual.uuid(e.individual)
		purpose.uuid(e.purpose)
		subject.text(e.subject)
		operation.text(e.operation)
		at.time(e.at)
	}
	return r
}

// AccessLog lists, for each of some individuals, who was shown their data, newest
// first: under every id that has become theirs.
func (r *Reader) AccessLog(ctx context.Context, ids []uuid.UUID, p Page) (map[uuid.UUID]Slice[*insight.AccessEntry], error) {
	origins, err := r.origins(ctx, ids)
	if err != nil {
		return nil, err
	}
	under := make(map[uuid.UUID][]uuid.UUID, len(ids))
	for origin, id := range origins {
		under[id] = append(under[id], origin)
	}
	found := make(map[uuid.UUID][]*insight.AccessEntry, len(ids))
	for id, keys := range under {
		c := &clause{engine: r.engine, text: r.engine.anyOf("a.individual_id", 1), args: []any{r.engine.keys(keys)}}
		c.within(p, "a.read_at", "a.id", true)
		err := r.query(ctx, "store.AccessLog", "SELECT "+accessColumns+" FROM access_entries a WHERE "+c.text+p.order("a.read_at", "a.id", true), c.args, func(rows *sql.Rows) error {
			e, err := scanAccess(rows, r.purposeByID(ctx))
			found[id] = append(found[id], e)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return slicesOf(ids, p, found), nil
}

const accessColumns = "a.id, a.purpose_id, a.subject, a.operation, a.read_at"

func scanAccess(r *sql.Rows, purposeOf func(uuid.UUID) (*insight.Purpose, error)) (*insight.AccessEntry, error) {
	var e insight.AccessEntry
	var purpose uuid.UUID
	var at moment
	if err := r.Scan(&e.ID, &purpose, &e.Subject, &e.Operation, &at); err != nil {
		return nil, err
	}
	e.At = at.Time
	var err error
	e.Purpose, err = purposeOf(purpose)
	return &e, err
}

// CountAccess counts the entries of each of some individuals.
func (r *Reader) CountAccess(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]int, error) {
	origins, err := r.origins(ctx, ids)
	if err != nil {
		return nil, err
	}
	var keys []uuid.UUID
	for origin := range origins {
		keys = append(keys, origin)
	}
	by, err := r.counts(ctx, "SELECT a.individual_id, count(*) FROM access_entries a WHERE "+r.engine.anyOf("a.individual_id", 1)+" GROUP BY a.individual_id", []any{r.engine.keys(keys)})
	counts := map[uuid.UUID]int{}
	for origin, n := range by {
		counts[origins[origin]] += n
	}
	return counts, err
}

// origins are every id under which some individuals were known, with the one of now.
func (r *Reader) origins(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]uuid.UUID, error) {
	of := make(map[uuid.UUID]uuid.UUID, len(ids))
	err := r.query(ctx, "store.origins", "WITH i AS MATERIALIZED (SELECT i.id FROM individuals i WHERE "+r.covered("i")+" AND "+r.engine.anyOf("i.id", 1)+
		") SELECT f.origin, f.individual_id FROM identifiers f WHERE f.individual_id IN (SELECT id FROM i)", []any{r.engine.keys(ids)}, func(rows *sql.Rows) error {
		var origin, individual uuid.UUID
		err := rows.Scan(&origin, &individual)
		of[origin] = individual
		return err
	})
	return of, err
}

// Themselves is who asked, where an individual did with their own token.
const Themselves = "the individual, with their own token"

// LogExport notes that an individual's archive is about to be written for somebody;
// operation is export. What individuals take of themselves is not noted.
func (s *Store) LogExport(ctx context.Context, q *insight.Request) error {
	if q.RequestedBy == Themselves {
		return nil
	}
	p := s.policy().purposes[0] // the first is what the business delivers to the person
	a := NewAccess("export")
	a.add(q.RequestedBy, p.Key, []uuid.UUID{q.IndividualID})
	return s.Log(ctx, a)
}
