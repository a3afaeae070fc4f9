package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/segment"
)

// errTied is an internal sign: a digest cannot take in what happened at a moment that
// it has already.
var errTied = errors.New("store: two interactions of one moment")

// outcome is what an assessment found, on its way into the database.
type outcome struct {
	*batch
	memberships []*membershipRow
	changes     []*segment.Change

	ids     []uuid.UUID
	digests [][]byte // nil: to be written later
	looks   []time.Time
}

func (b *batch) newOutcome() *outcome { return &outcome{batch: b} }

// individual notes what is kept of an individual, where that is not what was kept.
func (w *outcome) individual(id uuid.UUID, written []byte, was *standing, look time.Time) {
	if look.Equal(was.lookAt) && bytes.Equal(written, was.digest) && (written == nil) == (was.digest == nil) {
		return
	}
	if row := w.individuals[id]; row != nil && row.kept != nil {
		row.kept = &standing{digest: written, known: written != nil, lookAt: look}
	}
	w.ids, w.digests, w.looks = append(w.ids, id), append(w.digests, written), append(w.looks, look)
	w.look = sooner(w.look, look)
}

// announce notes that somebody entered or left a segment.
func (w *outcome) announce(m *membershipRow, k *keptSegment, entered bool, at time.Time, because string) {
	w.changes = append(w.changes, &segment.Change{
		ID: newID(), IndividualID: m.IndividualID, SegmentID: k.ID, MembershipID: m.ID, Entered: entered, At: at, RecordedAt: w.now, Because: because,
	})
}

func (w *outcome) write(ctx context.Context) error {
	for _, step := range []func(context.Context) error{w.writeIndividuals, w.writeMemberships, w.writeChanges} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (w *outcome) writeIndividuals(ctx context.Context) error {
	r := w.engine.rows()
	id, written, look := r.column("id", "uuid"), r.column("digest", "bytea"), r.column("look_at", "timestamptz")
	for n, one := range w.ids {
		id.uuid(one)
		if w.digests[n] == nil {
			written.null()
		} else {
			written.bytes(w.digests[n])
		}
		look.timeOrNull(w.looks[n])
	}
	return w.later(ctx, r, "individuals", "UPDATE individuals AS m SET digest = r.digest, look_at = r.look_at FROM %s AS r WHERE m.id = r.id")
}

func (w *outcome) writeMemberships(ctx context.Context) error {
	columns := func(of func(*membershipRow) bool) *rows {
		r := w.engine.rows()
		id, individual, of1 := r.column("id", "uuid"), r.column("individual_id", "uuid"), r.column("segment_id", "uuid")
		entered, exited := r.column("entered_at", "timestamptz"), r.column("exited_at", "timestamptz")
		since, until, announced := r.column("since_edition", "bigint"), r.column("until_edition", "bigint"), r.column("announced", "bool")
		for _, m := range w.memberships {
			if !of(m) {
				continue
			}
			id.uuid(m.ID)
			individual.uuid(m.IndividualID)
			of1.uuid(m.SegmentID)
			entered.time(m.EnteredAt)
			exited.timeOrNull(m.ExitedAt)
			since.int(int64(m.since))
			if m.until == 0 {
				until.null()
			} else {
				until.int(int64(m.until))
			}
			announced.bool(m.announced)
		}
		return r
	}
	if err := w.insert(ctx, columns(func(m *membershipRow) bool { return m.isNew && !m.gone }), "memberships", ""); err != nil {
		return err
	}
	changed := columns(func(m *membershipRow) bool { return !m.isNew && !m.gone })
	err := w.later(ctx, changed, "memberships", `UPDATE memberships AS m SET entered_at = r.entered_at, exited_at = r.exited_at, since_edition = r.since_edition,
			until_edition = r.until_edition, announced = r.announced FROM %s AS r WHERE m.individual_id = r.individual_id AND m.id = r.id`)
	if err != nil {
		return err
	}
	var gone, whose []uuid.UUID
	for _, m := range w.memberships {
		if m.gone && !m.isNew {
			gone, whose = append(gone, m.ID), append(whose, m.IndividualID)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	return w.exec(ctx, "DELETE FROM memberships WHERE "+w.engine.anyOf("id", 1)+" AND "+w.engine.anyOf("individual_id", 2), w.engine.keys(gone), w.engine.keys(whose))
}

// writeChanges writes the changes, each with its place among all, and puts them on
// their way to whoever is to be told.
func (w *outcome) writeChanges(ctx context.Context) error {
	if len(w.changes) == 0 {
		return nil
	}
	slices.SortStableFunc(w.changes, func(a, b *segment.Change) int { return a.At.Compare(b.At) })
	last, err := placeOf(w.place)
	if err != nil {
		return err
	}
	changes, deliveries := w.engine.rows(), w.engine.rows()
	id, sequence, individual := changes.column("id", "uuid"), changes.column("sequence", "bigint"), changes.column("individual_id", "uuid")
	of, membership, entered := changes.column("segment_id", "uuid"), changes.column("membership_id", "uuid"), changes.column("entered", "bool")
	at, recorded, because := changes.column("at", "timestamptz"), changes.column("recorded_at", "timestamptz"), changes.column("because", "text")
	delivery, to, whose, change := deliveries.column("id", "uuid"), deliveries.column("destination_id", "uuid"), deliveries.column("individual_id", "uuid"), deliveries.column("change_id", "uuid")
	changed := deliveries.column("membership_id", "uuid")
	place, state, next, created := deliveries.column("sequence", "bigint"), deliveries.column("state", "smallint"), deliveries.column("next_attempt_at", "timestamptz"), deliveries.column("created_at", "timestamptz")
	for _, c := range w.changes {
		last++
		c.Sequence = last
		id.uuid(c.ID)
		sequence.int(c.Sequence)
		individual.uuid(c.IndividualID)
		of.uuid(c.SegmentID)
		membership.uuid(c.MembershipID)
		entered.bool(c.Entered)
		at.time(c.At)
		recorded.time(c.RecordedAt)
		because.text(c.Because)
		for _, l := range w.policy.audience.destinations {
			if !l.wants(c.SegmentID) {
				continue
			}
			delivery.uuid(newID())
			to.uuid(l.id)
			whose.uuid(c.IndividualID)
			change.uuid(c.ID)
			changed.uuid(c.MembershipID)
			place.int(c.Sequence)
			state.int(deliveryWaiting)
			next.time(w.now)
			created.time(w.now)
		}
	}
	if err := w.insert(ctx, changes, "membership_changes", ""); err != nil {
		return err
	}
	w.told = append(w.told, w.changes...)
	if err := w.insert(ctx, deliveries, "deliveries", ""); err != nil {
		return err
	}
	kept := w.engine.rows()
	name, value := kept.column("id", "text"), kept.column("value", "bytea")
	name.text(lastPlace)
	w.place = binary.BigEndian.AppendUint64(nil, uint64(last))
	value.bytes(w.place)
	return w.insert(ctx, kept, "settings", "ON CONFLICT (id) DO UPDATE SET value = excluded.value")
}

// lastPlace is the setting that keeps the last place among all changes that was given.
// The changes do not tell it: those of who was erased are removed.
const (
	lastPlace       = "last_membership_change"
	selectLastPlace = "SELECT value FROM settings WHERE id = '" + lastPlace + "'"
)

func placeOf(value []byte) (int64, error) {
	if value == nil {
		return 0, nil
	}
	if len(value) != 8 {
		return 0, insight.NewError(insight.Internal, "settings."+lastPlace, "it is damaged; restore the database from a backup")
	}
	return int64(binary.BigEndian.Uint64(value)), nil
}

// changed are the changes of memberships that this transaction records.
func (b *batch) changed() []uuid.UUID {
	ids := make([]uuid.UUID, len(b.told))
	for n, c := range b.told {
		ids[n] = c.ID
	}
	return ids
}

// The states of a delivery.
const (
	deliveryWaiting   = 1
	deliveryDelivered = 2
	deliveryDropped   = 3
)

// leave ends the memberships of those who are no longer individuals of their own. Who
// became part of another and was parted from them again, in one transaction, is one.
func (b *batch) leave(ctx context.Context) error {
	maps.DeleteFunc(b.leavers, func(id uuid.UUID, _ string) bool { return b.individuals[id] != nil && b.individuals[id].into == nil })
	if len(b.leavers) == 0 {
		return nil
	}
	ids, err := b.takeLeave(ctx)
	if err != nil {
		return err
	}
	return b.exec(ctx, "DELETE FROM memberships WHERE "+b.engine.anyOf("individual_id", 1), b.engine.keys(ids))
}

// takeLeave announces that those who are no longer individuals of their own are in no
// segment any longer, and returns who they are.
func (b *batch) takeLeave(ctx context.Context) ([]uuid.UUID, error) {
	ids := make([]uuid.UUID, 0, len(b.leavers))
	for id := range b.leavers {
		ids = append(ids, id)
		delete(b.stirs, id)
	}
	w := b.newOutcome()
	err := b.memberships(ctx, ids, func(m *membershipRow) {
		if k := b.policy.audience.byID(m.SegmentID); k != nil && m.announced && m.since <= k.edition {
			w.announce(m, k, false, b.now, b.leavers[m.IndividualID])
		}
	})
	if err != nil {
		return nil, err
	}
	clear(b.leavers)
	return ids, w.writeChanges(ctx)
}

// sooner is the earlier of two moments; zero is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
