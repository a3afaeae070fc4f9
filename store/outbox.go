package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/ent"
	"github.com/acquaint/acquaint/ent/destination"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/delivery"
)

// The outbox is the table of deliveries. While one is leased, it is due at the lease's
// end, so that it is found by the index, and by nobody before.

// alone runs do in a transaction that needs no turn, because each of its statements
// checks what it changes.
func (s *Store) alone(ctx context.Context, op string, do func(tx *sql.Tx) error) error {
	if !s.write.postgres() {
		return s.transact(ctx, op, do)
	}
	tx, err := s.write.db.BeginTx(ctx, nil)
	if err != nil {
		return translate(op, err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if err := do(tx); err != nil {
		return translate(op, err)
	}
	return translate(op, tx.Commit())
}

// Claim leases deliveries that are due to whoever asks. Of the deliveries to one
// destination about one individual that are waiting, only the earliest can be had. Next
// is when there may be more at destinations for which there is room; zero: there is
// nothing.
func (s *Store) Claim(ctx context.Context, room delivery.Room) ([]*delivery.Delivery, time.Time, error) {
	const op = "store.Claim"
	room.Now, room.Until = insight.Moment(room.Now), insight.Moment(room.Until)
	rows, err := s.ent.Destination.Query().Where(destination.DisabledAtIsNil()).All(ctx)
	if err != nil {
		return nil, time.Time{}, translate(op, err)
	}
	slices.SortStableFunc(rows, func(a, b *ent.Destination) int { return cmp.Compare(room.Busy[a.ID], room.Busy[b.ID]) })
	var claimed []*delivery.Delivery
	var next time.Time
	for _, row := range rows {
		d := claimant(row, room.Now)
		n := min(room.For(d), room.Total-len(claimed))
		if n <= 0 {
			continue
		}
		some, due, err := s.claim(ctx, d, n, room)
		claimed = append(claimed, some...)
		switch {
		case err != nil && len(claimed) > 0: // what is claimed is not lost, and the rest is there the next time
			return claimed, room.Now, nil
		case err != nil:
			return nil, time.Time{}, translate(op, err)
		case len(some) < n:
			next = sooner(next, due)
		}
	}
	return claimed, next, nil
}

// claim leases up to n of the deliveries to a destination that are due, and tells when
// the next one is.
func (s *Store) claim(ctx context.Context, to delivery.Destination, n int, room delivery.Room) ([]*delivery.Delivery, time.Time, error) {
	due, err := s.firstDue(ctx, to.ID, time.Time{})
	if err != nil || due.IsZero() || due.After(room.Now) {
		return nil, due, err
	}
	claimed, err := s.lease(ctx, to, n, room)
	if err != nil {
		return nil, time.Time{}, err
	}
	due, err = s.firstDue(ctx, to.ID, room.Now)
	return claimed, due, err
}

func claimant(row *ent.Destination, now time.Time) delivery.Destination {
	d := delivery.Destination{ID: row.ID, URL: row.URL, Secrets: []string{row.Secret}, FailingSince: given(row.FailingSince)}
	if row.RetiredSecret != "" && given(row.RetiredUntil).After(now) {
		d.Secrets = append(d.Secrets, row.RetiredSecret)
	}
	return d
}

func given(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// firstDue is when the first delivery to a destination after a moment is due; zero: none
// is.
func (s *Store) firstDue(ctx context.Context, to uuid.UUID, after time.Time) (time.Time, error) {
	text, args := "SELECT min(next_attempt_at) FROM deliveries WHERE destination_id = $1 AND next_attempt_at IS NOT NULL", []any{to.String()}
	if !after.IsZero() {
		text, args = text+" AND next_attempt_at > "+s.read.moment(2), append(args, s.read.time(after))
	}
	stmt, err := s.read.stmt(ctx, text)
	if err != nil {
		return time.Time{}, err
	}
	var due moment
	err = stmt.QueryRowContext(ctx, args...).Scan(&due)
	return due.Time, err
}

// lease leases up to n deliveries to a destination. Two that find the same are told
// apart by the second statement: it changes a row only as long as that is due.
func (s *Store) lease(ctx context.Context, to delivery.Destination, n int, room delivery.Room) ([]*delivery.Delivery, error) {
	e := s.write
	var claimed []*delivery.Delivery
	err := s.alone(ctx, "store.Claim", func(tx *sql.Tx) error {
		claimed = nil
		find, err := e.stmt(ctx, `SELECT d.id, d.individual_id, d.change_id, d.attempts, d.attempted_at FROM deliveries d
			WHERE d.destination_id = $1 AND d.next_attempt_at <= `+e.moment(2)+` AND NOT EXISTS (SELECT 1 FROM deliveries e
				WHERE e.individual_id = d.individual_id AND e.destination_id = d.destination_id AND e.sequence < d.sequence AND e.state = 1)
			ORDER BY d.next_attempt_at, d.sequence LIMIT $3`)
		if err != nil {
			return err
		}
		answer, err := tx.StmtContext(ctx, find).QueryContext(ctx, to.ID.String(), e.time(room.Now), n)
		if err != nil {
			return err
		}
		found := map[uuid.UUID]*delivery.Delivery{}
		r := e.rows()
		id, whose, tries := r.column("delivery", "uuid"), r.column("whose", "uuid"), r.column("tries", "bigint")
		at, until := r.column("claimed_at", "timestamptz"), r.column("lease_ends", "timestamptz")
		err = each(answer, func(rows *sql.Rows) error {
			d := &delivery.Delivery{Destination: to, Until: room.Until}
			var told moment
			if err := rows.Scan(&d.ID, &d.Individual, &d.Change, &d.Attempt, &told); err != nil {
				return err
			}
			d.Attempt, d.ToldAt = d.Attempt+1, told.Time
			found[d.ID] = d
			id.uuid(d.ID)
			whose.uuid(d.Individual)
			tries.int(int64(d.Attempt))
			at.time(room.Now)
			until.time(room.Until)
			return nil
		})
		if err != nil {
			return err
		}
		return r.query(ctx, tx, `UPDATE deliveries SET attempts = r.tries, attempted_at = r.claimed_at, leased_until = r.lease_ends, next_attempt_at = r.lease_ends
			FROM r WHERE deliveries.individual_id = r.whose AND deliveries.id = r.delivery AND deliveries.state = 1 AND deliveries.next_attempt_at <= r.claimed_at
			RETURNING id`, func(rows *sql.Rows) error {
			var id uuid.UUID
			err := rows.Scan(&id)
			claimed = append(claimed, found[id])
			return err
		})
	})
	return claimed, err
}

// Compose reads what a destination may be told of a delivery now. The error is of kind
// Withheld when it may be told nothing any more, and of kind NotFound when there is
// nothing to tell.
func (s *Store) Compose(ctx context.Context, d *delivery.Delivery) (*delivery.Message, error) {
	return s.compose(ctx, d, nil)
}

// compose notes in access whom the message shows.
func (s *Store) compose(ctx context.Context, d *delivery.Delivery, access *Access) (*delivery.Message, error) {
	const op = "store.Compose"
	to, err := s.ent.Destination.Get(ctx, d.Destination.ID)
	if ent.IsNotFound(err) {
		return nil, insight.NewError(insight.NotFound, "", "there is no such destination any more")
	} else if err != nil {
		return nil, translate(op, err)
	}
	m := &delivery.Message{
		ID: insight.FormatID(insight.ChangePrefix, d.Change), Individual: insight.FormatID(insight.IndividualPrefix, d.Individual),
	}
	membership, purpose, err := s.readChange(ctx, d, m)
	if err != nil {
		return nil, translate(op, err)
	}
	purposes := []uuid.UUID{to.PurposeID}
	if purpose != to.PurposeID {
		purposes = append(purposes, purpose)
	}
	told, err := s.told(ctx, d, m, membership)
	if err != nil {
		return nil, translate(op, err)
	}
	readers := make([]*Reader, len(purposes))
	covered := true
	for n, id := range purposes {
		if readers[n], err = s.readerFor(ctx, to, id, access); err != nil {
			return nil, err
		}
		switch _, err := readers[n].individual(ctx, d.Individual); insight.KindOf(err) {
		case insight.Withheld, insight.NotFound:
			covered = false
		default:
			if err != nil {
				return nil, err
			}
		}
	}
	switch m.Disclosure = delivery.Disclose(m.Kind, covered, told); m.Disclosure {
	case delivery.Nothing:
		return nil, insight.NewError(insight.Withheld, "", "the purpose does not cover the individual any more")
	case delivery.Full:
		if err := readers[0].describe(ctx, d.Individual, to.Traits, m); err != nil {
			return nil, err
		}
	}
	body, err := m.Body()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	m.Version = hex.EncodeToString(sum[:])
	return m, nil
}

// readChange reads the change into a message, and says of which membership it is and
// for which purpose its segment reads.
func (s *Store) readChange(ctx context.Context, d *delivery.Delivery, m *delivery.Message) (membership, purpose uuid.UUID, err error) {
	stmt, err := s.read.stmt(ctx, `SELECT c.entered, c.at, c.because, c.membership_id, g.key, g.purpose_id FROM membership_changes c
		JOIN segments g ON g.id = c.segment_id WHERE c.individual_id = $1 AND c.id = $2`)
	if err != nil {
		return uuid.Nil, uuid.Nil, err
	}
	answer, err := stmt.QueryContext(ctx, d.Individual.String(), d.Change.String())
	if err != nil {
		return uuid.Nil, uuid.Nil, err
	}
	var entered bool
	var at moment
	err = each(answer, func(r *sql.Rows) error {
		return r.Scan(&entered, &at, &m.Because, &membership, &m.Segment, &purpose)
	})
	if err == nil && membership == uuid.Nil {
		err = insight.NewError(insight.NotFound, "", "the change is not kept any more")
	}
	m.At, m.Membership = at.Time, insight.FormatID(insight.MembershipPrefix, membership)
	if entered {
		m.Kind, m.EnteredAt = delivery.Entered, at.Time
	} else {
		m.Kind, m.ExitedAt = delivery.Exited, at.Time
	}
	return membership, purpose, err
}

// told reports whether the destination may know that the individual entered, and finds
// when that was, where that is still kept.
func (s *Store) told(ctx context.Context, d *delivery.Delivery, m *delivery.Message, membership uuid.UUID) (bool, error) {
	if m.Kind == delivery.Entered {
		return false, nil
	}
	stmt, err := s.read.stmt(ctx, `SELECT c.at FROM deliveries d LEFT JOIN membership_changes c ON c.individual_id = d.individual_id AND c.id = d.change_id
		WHERE d.individual_id = $1 AND d.destination_id = $2 AND d.id <> $3 AND d.attempted_at IS NOT NULL AND d.membership_id = $4`)
	if err != nil {
		return false, err
	}
	answer, err := stmt.QueryContext(ctx, d.Individual.String(), d.Destination.ID.String(), d.ID.String(), membership.String())
	if err != nil {
		return false, err
	}
	told := false
	err = each(answer, func(r *sql.Rows) error {
		var at moment
		err := r.Scan(&at)
		told, m.EnteredAt = true, at.Time
		return err
	})
	return told, err
}

// readerFor reads for a destination.
func (s *Store) readerFor(ctx context.Context, to *ent.Destination, purpose uuid.UUID, access *Access) (*Reader, error) {
	p := s.policy().byID(purpose)
	if p == nil {
		return nil, insight.NewError(insight.Internal, "purpose", "the destination's or the segment's is missing")
	}
	return s.Reader(ctx, &insight.Viewer{
		Subject: insight.FormatID(insight.DestinationPrefix, to.ID), Scopes: []insight.Scope{insight.ScopeIndividualsRead}, Purposes: []string{p.Key}, Purpose: p.Key,
	}, access)
}

// describe says who an individual is: by the identifiers that are theirs alone, and the
// traits that are asked for and not sensitive.
func (r *Reader) describe(ctx context.Context, id uuid.UUID, keys []string, m *delivery.Message) error {
	identifiers, err := r.Identifiers(ctx, []uuid.UUID{id})
	if err != nil {
		return err
	}
	for _, i := range identifiers[id] {
		if !i.Shared {
			m.Identifiers = append(m.Identifiers, i.Identity)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	traits, err := r.Traits(ctx, []uuid.UUID{id})
	if err != nil {
		return err
	}
	sensitive := map[string]bool{} // to any source
	for _, t := range traits[id] {
		sensitive[t.Key] = sensitive[t.Key] || t.Sensitivity != insight.Ordinary
	}
	m.Traits = map[string]json.RawMessage{}
	for _, t := range insight.BestTraits(traits[id]) {
		if slices.Contains(keys, t.Key) && !sensitive[t.Key] {
			m.Traits[t.Key] = t.Value
		}
	}
	return nil
}

// Confirm reports whether Compose would now give the message of a version, to who still
// has the lease, and the destination is enabled. If so, it has written down whom the
// destination is shown.
func (s *Store) Confirm(ctx context.Context, d *delivery.Delivery, version string) (bool, error) {
	const op = "store.Confirm"
	stmt, err := s.read.stmt(ctx, "SELECT leased_until FROM deliveries WHERE individual_id = $1 AND id = $2")
	if err != nil {
		return false, translate(op, err)
	}
	var until moment
	answer, err := stmt.QueryContext(ctx, d.Individual.String(), d.ID.String())
	if err == nil {
		err = each(answer, func(r *sql.Rows) error { return r.Scan(&until) })
	}
	if err != nil || !until.Equal(d.Until) {
		return false, translate(op, err)
	}
	enabled, err := s.ent.Destination.Query().Where(destination.ID(d.Destination.ID), destination.DisabledAtIsNil()).Exist(ctx)
	if err != nil || !enabled {
		return false, translate(op, err)
	}
	access := NewAccess("webhook")
	// What is written down is so before it is read for the last time: a withdrawal while
	// it is being written down counts.
	m, err := s.compose(ctx, d, access)
	if err == nil && m.Disclosure == delivery.Full {
		if err := s.Log(ctx, access); err != nil {
			return false, err
		}
		m, err = s.compose(ctx, d, nil)
	}
	switch kind := insight.KindOf(err); {
	case err == nil:
		return m.Version == version, nil
	case kind == insight.Withheld || kind == insight.NotFound:
		return false, nil
	default:
		return false, err
	}
}

// Settle writes what became of a delivery, as long as the lease is still that of who
// claimed it.
func (s *Store) Settle(ctx context.Context, d *delivery.Delivery, result delivery.Result) (delivery.Settled, error) {
	e := s.write
	state, next := deliveryWaiting, any(nil)
	switch result.Outcome {
	case delivery.Delivered:
		state = deliveryDelivered
	case delivery.Dropped:
		state = deliveryDropped
	default:
		next = e.time(result.Next)
	}
	told := any(nil)
	if at := d.Told(result); !at.IsZero() {
		told = e.time(at)
	}
	var settled delivery.Settled
	err := s.alone(ctx, "store.Settle", func(tx *sql.Tx) error {
		settled = delivery.Settled{}
		var err error
		settled.Held, err = e.changes(ctx, tx, `UPDATE deliveries SET state = $1, next_attempt_at = `+e.moment(2)+`, attempts = $3, attempted_at = `+e.moment(4)+`,
			leased_until = NULL, status = $5, error = $6 WHERE individual_id = $7 AND id = $8 AND leased_until = `+e.moment(9),
			state, next, d.Attempts(result), told, result.Status, result.Reason, d.Individual.String(), d.ID.String(), e.time(d.Until))
		if err != nil || !settled.Held {
			return err
		}
		to := d.Destination.ID.String()
		switch result.Outcome {
		case delivery.Delivered:
			// Who succeeds all the time is not written all the time.
			_, err = e.changes(ctx, tx, "UPDATE destinations SET failing_since = NULL, succeeded_at = "+e.moment(1)+
				" WHERE id = $2 AND (failing_since IS NOT NULL OR succeeded_at IS NULL OR succeeded_at < "+e.moment(3)+")",
				e.time(result.At), to, e.time(result.At.Add(-time.Minute)))
		case delivery.Failed:
			if _, err = e.changes(ctx, tx, "UPDATE destinations SET failing_since = "+e.moment(1)+" WHERE id = $2 AND failing_since IS NULL", e.time(result.At), to); err != nil || result.Disable == "" {
				return err
			}
			by := result.FailingBy
			if by.IsZero() {
				by = result.At // it fails since now at the latest
			}
			settled.Disabled, err = e.changes(ctx, tx, "UPDATE destinations SET disabled_at = "+e.moment(1)+", disabled_because = $2 WHERE id = $3 AND disabled_at IS NULL AND failing_since <= "+e.moment(4),
				e.time(result.At), result.Disable, to, e.time(by))
		}
		return err
	})
	return settled, err
}

// changes runs a statement, and reports whether it changed anything.
func (e *engine) changes(ctx context.Context, tx *sql.Tx, text string, args ...any) (bool, error) {
	stmt, err := e.stmt(ctx, text)
	if err != nil {
		return false, err
	}
	result, err := tx.StmtContext(ctx, stmt).ExecContext(ctx, args...)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// Sent is a delivery as it is told of. It does not say whose change it is.
type Sent struct {
	ID          uuid.UUID
	Change      uuid.UUID
	Outcome     delivery.Outcome // empty: it is waiting
	Attempts    int
	NextAt      time.Time // when it is tried again; zero: it is over
	Status      int       // HTTP's, of the last attempt; 0: there was no answer
	Reason      string    // why the last attempt came to nothing
	CreatedAt   time.Time
	AttemptedAt time.Time // when the destination may last have been told; zero: never
}

// Place is where a delivery stands in the list of its destination's.
func (d *Sent) Place() insight.Cursor { return insight.Cursor{At: d.CreatedAt, ID: d.ID} }

// Deliveries lists what goes to a destination, newest first. Of a cursor, its id counts.
func (s *Store) Deliveries(ctx context.Context, to uuid.UUID, p Page) (Slice[*Sent], error) {
	const op = "store.Deliveries"
	c := &clause{engine: s.read}
	c.text = "SELECT id, change_id, state, attempts, next_attempt_at, status, error, created_at, attempted_at FROM deliveries WHERE destination_id = " + c.param(to.String())
	for _, end := range []struct {
		cursor *insight.Cursor
		op     string
	}{{p.After, "<"}, {p.Before, ">"}} {
		if end.cursor != nil {
			c.and("id " + end.op + " " + c.param(end.cursor.ID.String()))
		}
	}
	direction := "DESC"
	if p.Backward {
		direction = "ASC"
	}
	stmt, err := s.read.stmt(ctx, fmt.Sprintf("%s ORDER BY id %s LIMIT %d", c.text, direction, p.Limit+1))
	if err != nil {
		return Slice[*Sent]{}, translate(op, err)
	}
	answer, err := stmt.QueryContext(ctx, c.args...)
	if err != nil {
		return Slice[*Sent]{}, translate(op, err)
	}
	var found []*Sent
	err = each(answer, func(r *sql.Rows) error {
		var d Sent
		var state int
		var next, created, attempted moment
		err := r.Scan(&d.ID, &d.Change, &state, &d.Attempts, &next, &d.Status, &d.Reason, &created, &attempted)
		d.Outcome = map[int]delivery.Outcome{deliveryDelivered: delivery.Delivered, deliveryDropped: delivery.Dropped}[state]
		d.NextAt, d.CreatedAt, d.AttemptedAt = next.Time, created.Time, attempted.Time
		found = append(found, &d)
		return err
	})
	return cut(p, found), translate(op, err)
}

// Redeliver puts a delivery on its way again, and after it those that followed it to the
// same destination about the same individual, so that the last thing that the
// destination hears is what is so. What is told of them is what may be told now. What is
// under way stays so. It returns the destination. The error is of kind NotFound when
// there is no such delivery, and of kind Conflict when the destination is disabled.
func (s *Store) Redeliver(ctx context.Context, id uuid.UUID) (to uuid.UUID, err error) {
	const op = "store.Redeliver"
	err = s.transact(ctx, op, func(tx *sql.Tx) error {
		var whose uuid.UUID
		var sequence int64
		err := tx.QueryRowContext(ctx, "SELECT individual_id, destination_id, sequence FROM deliveries WHERE id = $1", id.String()).Scan(&whose, &to, &sequence)
		if err == sql.ErrNoRows { //nolint:errorlint // Scan returns it as it is
			return insight.NewError(insight.NotFound, "delivery", "there is no such delivery")
		}
		if err != nil {
			return err
		}
		var enabled bool
		if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM destinations WHERE id = $1 AND disabled_at IS NULL)", to.String()).Scan(&enabled); err != nil {
			return err
		}
		if !enabled {
			return insight.NewError(insight.Conflict, "delivery", "the destination is disabled; enable it first")
		}
		now := s.write.time(insight.Moment(s.now()))
		_, err = s.write.changes(ctx, tx, "UPDATE deliveries SET state = 1, attempts = 0, leased_until = NULL, next_attempt_at = "+s.write.moment(1)+
			" WHERE individual_id = $2 AND destination_id = $3 AND sequence >= $4 AND (leased_until IS NULL OR leased_until <= "+s.write.moment(5)+")",
			now, whose.String(), to.String(), sequence, now)
		return err
	})
	if err != nil {
		return uuid.Nil, err
	}
	s.wake()
	return to, nil
}
