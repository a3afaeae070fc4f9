package store

import (
	"bytes"
	"context"
	"database/sql"
	"slices"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/insight/digest"
)

// Moved is a number that is another one after anything was changed: what this process
// wrote, and the decisions that it heard of others.
func (s *Store) Moved() uint64 { return s.moves.Load() + s.changes.Load() }

// digesting is how many individuals' digests are written in one transaction.
const digesting = 200

// Digest writes the digests of some individuals who have none, and reports how many
// they are; 0 is all there are to write. Until a digest is written, questions about
// everyone read the facts of that individual, with the same answer.
func (s *Store) Digest(ctx context.Context) (int, error) {
	var some bool
	err := s.read.db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM individuals WHERE digest IS NULL)").Scan(&some)
	if err != nil || !some {
		return 0, translate("store.Digest", err) // without a turn at writing
	}
	var ids []uuid.UUID
	err = s.inTurn(ctx, "store.Digest", func(tx *sql.Tx, m marks) error {
		ids = nil
		b, err := s.newBatch(ctx, tx, m)
		if err != nil {
			return err
		}
		err = b.query(ctx, "SELECT id FROM individuals WHERE digest IS NULL ORDER BY id LIMIT $1", []any{digesting}, func(r *sql.Rows) error {
			var id uuid.UUID
			err := r.Scan(&id)
			ids = append(ids, id)
			return err
		})
		if err != nil || len(ids) == 0 {
			return err
		}
		digests, err := b.digests(ctx, ids)
		if err != nil {
			return err
		}
		r := b.engine.rows()
		id, written := r.column("id", "uuid"), r.column("digest", "bytea")
		for _, one := range ids {
			id.uuid(one)
			written.bytes(digests[one])
		}
		return r.exec(ctx, b.tx, "UPDATE individuals AS m SET digest = r.digest FROM r WHERE m.id = r.id")
	})
	return len(ids), err
}

// digests makes the digests of some individuals from the facts.
func (b *batch) digests(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID][]byte, error) {
	scan := (&Reader{store: b.store, engine: b.engine}).interactions(0)
	scan.bare = true
	entries, err := b.entries(ctx, ids, scan)
	if err != nil {
		return nil, err
	}
	refusals, err := b.refusals(ctx, ids)
	if err != nil {
		return nil, err
	}
	digests := make(map[uuid.UUID][]byte, len(ids))
	for _, id := range ids {
		digests[id] = digest.Write(entries[id], refusals[id])
	}
	return digests, nil
}

// entries reads the interactions of some individuals, in order, as far as scan tells
// them.
func (b *batch) entries(ctx context.Context, ids []uuid.UUID, scan *interactionScan) (map[uuid.UUID][]digest.Entry, error) {
	return readEntries(ctx, scan, func(columns string, row func(*sql.Rows) error) error {
		return b.query(ctx, "SELECT "+columns+" FROM interactions x WHERE "+b.engine.anyOf("x.individual_id", 1), []any{b.engine.keys(ids)}, row)
	})
}

// readEntries reads entries by a query for columns of table x.
func readEntries(ctx context.Context, scan *interactionScan, query func(columns string, row func(*sql.Rows) error) error) (map[uuid.UUID][]digest.Entry, error) {
	entries := map[uuid.UUID][]digest.Entry{}
	var permitted insight.Set
	scan.into = append(scan.into, &permitted)
	err := query(scan.columns()+", x.permitted", func(r *sql.Rows) error {
		x, err := scan.row(ctx, r)
		if err == nil {
			entries[x.IndividualID] = append(entries[x.IndividualID], digest.Entry{Interaction: x, Permitted: permitted})
		}
		return err
	})
	for _, all := range entries {
		slices.SortFunc(all, func(a, b digest.Entry) int {
			if c := a.OccurredAt.Compare(b.OccurredAt); c != 0 {
				return c
			}
			return bytes.Compare(a.ID[:], b.ID[:])
		})
	}
	return entries, err
}

// refusals reads when some individuals had refused to be approached.
func (b *batch) refusals(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID][]insight.Refusal, error) {
	decisions := map[uuid.UUID][]*insight.Consent{}
	err := b.eachDecision(ctx, ids, func(d *insight.Consent) { decisions[d.IndividualID] = append(decisions[d.IndividualID], d) })
	if err != nil {
		return nil, err
	}
	return b.policy.refusals(decisions), nil
}

// refusals are when individuals had refused to be approached, by what they decided.
// Nobody refused what nobody asks for.
func (p *policy) refusals(decisions map[uuid.UUID][]*insight.Consent) map[uuid.UUID][]insight.Refusal {
	refusals := make(map[uuid.UUID][]insight.Refusal, len(decisions))
	outreach := p.byKey(insight.OutreachPurpose)
	if outreach == nil {
		return refusals
	}
	for id, all := range decisions {
		if said := consent.Refusals(outreach, all); len(said) > 0 {
			refusals[id] = said
		}
	}
	return refusals
}

// Histories reads what may be known of some individuals, from their digests where they
// have one: ids of interactions are not told. Properties says that those are wanted,
// for which the interactions are read.
func (r *Reader) Histories(ctx context.Context, ids []uuid.UUID, properties bool) (map[uuid.UUID]*insight.History, error) {
	histories := make(map[uuid.UUID]*insight.History, len(ids))
	var others []uuid.UUID
	column, detail := "i.digest", Detail(0)
	if properties {
		column, detail = "NULL", WithProperties
	}
	err := r.query(ctx, "store.Histories", "SELECT "+r.engine.id("i.id")+", "+column+" FROM individuals i WHERE "+r.covered("i")+" AND "+r.engine.anyOf("i.id", 1), []any{r.engine.keys(ids)}, func(rows *sql.Rows) error {
		var id uuid.UUID
		var written sql.RawBytes
		if err := rows.Scan(&id, &written); err != nil {
			return err
		}
		if written == nil {
			others = append(others, id)
			return nil
		}
		h, err := r.digests(ctx).Read(written) // with a reader each, for they are kept
		histories[id] = h
		return err
	})
	if err != nil || len(others) == 0 {
		return histories, err
	}
	entries, err := readEntries(ctx, r.interactions(detail), func(columns string, row func(*sql.Rows) error) error {
		return r.query(ctx, "store.Histories", "SELECT "+columns+" FROM individuals i JOIN interactions x ON x.individual_id = i.id WHERE "+r.covered("i")+" AND "+r.engine.anyOf("i.id", 1),
			[]any{r.engine.keys(others)}, row)
	})
	if err != nil {
		return nil, err
	}
	decisions, err := r.Decisions(ctx, others)
	if err != nil {
		return nil, err
	}
	refusals := r.store.policy().refusals(decisions)
	for _, id := range others {
		histories[id] = r.history(entries[id], refusals[id])
	}
	return histories, nil
}

// history is what this reader may know of what is known of somebody.
func (r *Reader) history(entries []digest.Entry, refusals []insight.Refusal) *insight.History {
	h := &insight.History{Refusals: refusals}
	exists := r.exists()
	for _, e := range entries {
		if exists(e.Permitted) {
			h.Timeline = append(h.Timeline, e.Interaction)
		}
	}
	return h
}

// digests reads digests for this reader.
func (r *Reader) digests(ctx context.Context) *digest.Reader {
	return &digest.Reader{Counts: r.exists(), Channel: func(id uuid.UUID) (*insight.Channel, error) { return r.store.directory.channelByID(ctx, id) }}
}
