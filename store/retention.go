package store

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
)

// Retained is what a run of [Store.Retain] removed.
type Retained struct {
	Interactions int // past the retention of every purpose that they served
	Individuals  int // for whom no purpose was left
	Suppressed   int // of these, whose identifiers are kept as salted hashes because they had said no
	Looked       int // at how many individuals
}

// Retain removes what no purpose is left for: interactions past the retention of every
// purpose that they serve, and individuals whom no purpose covers whose retention has
// not passed. Of somebody who had refused anything, the identifiers are kept as salted
// hashes, so that being forgotten does not undo their no.
//
// It goes through the individuals a thousand at a time, each in a transaction of its
// own, and may be ended and begun again at any time. Where a purpose keeps everything
// for good it looks at nobody.
func (s *Store) Retain(ctx context.Context) (Retained, error) {
	var all Retained
	if err := s.look(ctx); err != nil {
		return all, err
	}
	if consent.Keeps(s.policy().purposes) {
		return all, nil
	}
	for after := uuid.Nil; ; {
		var step Retained
		var gone []uuid.UUID
		next := after
		err := s.change(ctx, "store.Retain", func(b *batch) error {
			step, next = Retained{}, after // it may be done again
			var err error
			gone, err = b.retain(ctx, &next, &step)
			return err
		})
		if err != nil {
			return all, err
		}
		after = next
		for _, id := range gone {
			erased, suppressed, err := s.forget(ctx, id)
			if err != nil {
				return all, err
			}
			if erased {
				step.Individuals++
			}
			if suppressed {
				step.Suppressed++
			}
		}
		all.Interactions += step.Interactions
		all.Individuals += step.Individuals
		all.Suppressed += step.Suppressed
		all.Looked += step.Looked
		if step.Looked < lapsing {
			break
		}
	}
	if all.Interactions+all.Individuals > 0 {
		return all, s.scrub(ctx)
	}
	return all, nil
}

// forget erases somebody for whom no purpose is left, unless that has changed. It
// reports whether it did, and whether their identifiers are kept because they refused,
// by what they have decided until this moment.
func (s *Store) forget(ctx context.Context, id uuid.UUID) (erased, suppressed bool, err error) {
	err = s.change(ctx, "store.forget", func(b *batch) error {
		erased, suppressed = false, false
		err := b.query(ctx, individualColumns+" FROM individuals WHERE id = $1", []any{id.String()}, b.scanIndividual)
		if err != nil {
			return err
		}
		row := b.individuals[id]
		if row == nil || consent.Needed(b.policy.purposes, row.permitted, row.seen.last, b.now) {
			return nil
		}
		if err := b.loadDecisions(ctx); err != nil {
			return err
		}
		erased, suppressed = true, consent.Refused(row.decisions, b.now)
		b.individuals = map[uuid.UUID]*individualRow{}
		e := &erasure{batch: b, id: id, suppress: suppressed}
		return e.run(ctx)
	})
	return erased, suppressed, err
}

// retain looks at the individuals after one, in the order of their ids, removes their
// interactions that are past their time, and finds those who are not needed at all.
func (b *batch) retain(ctx context.Context, after *uuid.UUID, step *Retained) (gone []uuid.UUID, err error) {
	err = b.query(ctx, individualColumns+" FROM individuals WHERE id > "+b.engine.key(1)+fmt.Sprintf(" ORDER BY id LIMIT %d", lapsing), []any{after.String()}, b.scanIndividual)
	if err != nil {
		return nil, err
	}
	if _, err := b.catchUp(ctx); err != nil {
		return nil, err
	}
	var staying []uuid.UUID
	for id, row := range b.individuals {
		step.Looked++
		if bytes.Compare(id[:], after[:]) > 0 {
			*after = id
		}
		if consent.Needed(b.policy.purposes, row.permitted, row.seen.last, b.now) {
			staying = append(staying, id)
			continue
		}
		gone = append(gone, id)
	}
	var past []uuid.UUID
	touched := map[uuid.UUID]bool{}
	err = b.query(ctx, "SELECT id, individual_id, occurred_at, permitted FROM interactions WHERE "+b.engine.anyOf("individual_id", 1), []any{b.engine.keys(staying)}, func(r *sql.Rows) error {
		var id, whose uuid.UUID
		var occurred moment
		var then insight.Set
		if err := r.Scan(&id, &whose, &occurred, &then); err != nil {
			return err
		}
		until, forever := consent.KeptUntil(b.policy.purposes, b.individuals[whose].permitted, b.policy.stored(then), occurred.Time)
		if !forever && !until.After(b.now) {
			past = append(past, id)
			touched[whose] = true
		}
		return nil
	})
	if err != nil || len(past) == 0 {
		return gone, err
	}
	step.Interactions = len(past)
	err = b.exec(ctx, "DELETE FROM interactions WHERE "+b.engine.anyOf("id", 1)+" AND "+b.engine.anyOf("individual_id", 2), b.engine.keys(past), b.engine.keys(list(touched)))
	if err != nil {
		return nil, err
	}
	return gone, b.refold(ctx, touched)
}

// refold makes anew what is made of the interactions of some individuals: their
// sessions, when their identifiers acted, and their own rows.
func (b *batch) refold(ctx context.Context, individuals map[uuid.UUID]bool) error {
	ids := b.engine.keys(list(individuals))
	if err := b.query(ctx, identifierColumns+" FROM identifiers WHERE "+b.engine.anyOf("individual_id", 1), []any{ids}, b.scanIdentifier); err != nil {
		return err
	}
	acted := map[uuid.UUID]span{}
	err := b.query(ctx, "SELECT owner, min(occurred_at), max(occurred_at) FROM interactions WHERE direction = 1 AND "+b.engine.anyOf("individual_id", 1)+" GROUP BY owner", []any{ids}, func(r *sql.Rows) error {
		var owner uuid.UUID
		var first, last moment
		err := r.Scan(&owner, &first, &last)
		acted[owner] = span{first.Time, last.Time}
		return err
	})
	if err != nil {
		return err
	}
	for id := range individuals {
		row := b.individuals[id]
		row.seen, row.acted, row.changed = span{}, false, true
		b.rebuild[id], b.reconsidered[id] = true, true
	}
	for key, f := range b.identifiers {
		if f.acted != acted[key] {
			f.acted, f.changed = acted[key], true
		}
		b.individuals[f.individual].seeThrough(f.seen, f.acted)
	}
	if err := b.writeIdentity(ctx); err != nil {
		return err
	}
	if err := b.writeSessions(ctx); err != nil {
		return err
	}
	return b.consider(ctx)
}
