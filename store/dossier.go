package store

import (
	"context"
	"database/sql"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/insight/experience"
	"github.com/acquaint/acquaint/insight/receipt"
	"github.com/acquaint/acquaint/insight/segment"
)

// Dossier is everything that is held of one individual, in one consistent view of the
// database, read row by row. Whoever it is handed to was let through by the right of
// the individual to have it, and not by a purpose.
type Dossier struct {
	*batch
	id      uuid.UUID
	origins []uuid.UUID
	reader  *Reader
}

// Dossier opens an individual's dossier for as long as do runs. The error is of kind
// NotFound when there is no such individual.
func (s *Store) Dossier(ctx context.Context, who uuid.UUID, do func(*Dossier) error) error {
	return s.view(ctx, "store.Dossier", func(b *batch) error {
		d := &Dossier{batch: b, reader: &Reader{store: s, engine: s.read}}
		err := b.query(ctx, "SELECT individual_id FROM identifiers WHERE origin = $1", []any{who.String()}, func(r *sql.Rows) error { return r.Scan(&d.id) })
		if err != nil {
			return err
		}
		if d.id == uuid.Nil {
			return insight.NewError(insight.NotFound, "individual", "there is no such individual")
		}
		err = b.query(ctx, "SELECT origin FROM identifiers WHERE individual_id = $1", []any{d.id.String()}, func(r *sql.Rows) error {
			var origin uuid.UUID
			err := r.Scan(&origin)
			d.origins = append(d.origins, origin)
			return err
		})
		if err != nil {
			return err
		}
		d.reader.self, d.reader.tx = d.id, b.tx
		return do(d)
	})
}

// Individual is who it is about.
func (d *Dossier) Individual(ctx context.Context) (*insight.Individual, error) {
	var found *insight.Individual
	err := d.query(ctx, "SELECT "+d.reader.personColumns()+" FROM individuals i WHERE i.id = $1", []any{d.id.String()}, func(r *sql.Rows) error {
		var err error
		found, err = scanPerson(r)
		return err
	})
	if err == nil && found == nil {
		err = insight.NewError(insight.NotFound, "individual", "there is no such individual")
	}
	return found, err
}

// Purposes are all that exist.
func (d *Dossier) Purposes(context.Context) ([]*insight.Purpose, error) {
	return d.policy.purposes, nil
}

// Identifiers gives out what they are known by, strongest first.
func (d *Dossier) Identifiers(ctx context.Context, yield func(*insight.Identifier) error) error {
	return d.query(ctx, identifierColumns+" FROM identifiers WHERE individual_id = $1 ORDER BY kind, value", []any{d.id.String()}, func(r *sql.Rows) error {
		if err := d.scanIdentifier(r); err != nil {
			return err
		}
		for key, f := range d.identifiers {
			delete(d.identifiers, key)
			err := yield(&insight.Identifier{
				Identity: f.Identity, Key: f.key, Origin: f.origin, IndividualID: f.individual, FirstSeenAt: f.seen.first, LastSeenAt: f.seen.last, Shared: f.shared,
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Links gives out the evidence that these identifiers are one person, of which both
// ends are theirs.
func (d *Dossier) Links(ctx context.Context, yield func(*insight.Evidence) error) error {
	all, err := d.reader.Links(ctx, []uuid.UUID{d.id})
	if err != nil {
		return err
	}
	for _, e := range all[d.id] {
		if err := yield(e); err != nil {
			return err
		}
	}
	return nil
}

// Traits gives out what every source says of them.
func (d *Dossier) Traits(ctx context.Context, yield func(insight.Trait) error) error {
	return d.query(ctx, "SELECT "+traitColumns+" FROM traits t WHERE t.individual_id = $1 ORDER BY t.key, t.observed_at, t.id", []any{d.id.String()}, func(r *sql.Rows) error {
		_, t, err := d.reader.scanTrait(ctx, r)
		if err != nil {
			return err
		}
		return yield(t)
	})
}

// Sessions gives out their visits, earliest first.
func (d *Dossier) Sessions(ctx context.Context, yield func(*insight.Session) error) error {
	return d.query(ctx, "SELECT "+sessionColumns+" FROM sessions s WHERE s.individual_id = $1 ORDER BY s.started_at, s.id", []any{d.id.String()}, func(r *sql.Rows) error {
		s, err := d.reader.scanSession(ctx, r)
		if err != nil {
			return err
		}
		return yield(s)
	})
}

// Interactions gives out what happened, earliest first, with the purposes that were
// permitted when it did.
func (d *Dossier) Interactions(ctx context.Context, yield func(*insight.Interaction, insight.Set) error) error {
	var permitted insight.Set
	scan := d.reader.interactions(WithAll, &permitted)
	return d.query(ctx, "SELECT x.permitted, "+scan.columns()+" FROM interactions x WHERE x.individual_id = $1 ORDER BY x.occurred_at, x.id", []any{d.id.String()}, func(r *sql.Rows) error {
		x, err := scan.row(ctx, r)
		if err != nil {
			return err
		}
		return yield(x, d.policy.stored(permitted))
	})
}

// Decisions gives out the ledger, chain by chain.
func (d *Dossier) Decisions(ctx context.Context, yield func(*insight.Consent) error) error {
	return d.query(ctx, "SELECT "+consentColumns+" FROM consents c WHERE c.individual_id = $1 ORDER BY c.owner, c.sequence", []any{d.id.String()}, func(r *sql.Rows) error {
		c, err := scanConsent(r, d.purposeOf)
		if err != nil {
			return err
		}
		return yield(c)
	})
}

// Memberships gives out the segments that they are and were in, earliest first, also
// those that are being computed.
func (d *Dossier) Memberships(ctx context.Context, yield func(segment.Belonging) error) error {
	return d.query(ctx, "SELECT "+memberColumns(d.engine)+" FROM memberships m WHERE m.individual_id = $1 ORDER BY m.entered_at, m.id", []any{d.id.String()}, func(r *sql.Rows) error {
		m, err := scanMember(r)
		if err != nil {
			return err
		}
		return yield(segment.Belonging{Membership: m, Segment: &d.policy.audience.byID(m.SegmentID).Segment})
	})
}

// Assignments gives out what was decided about them in experiences, earliest first.
func (d *Dossier) Assignments(ctx context.Context, yield func(experience.Assigned) error) error {
	return d.query(ctx, "SELECT id, individual_id, experience_id, variant, decided_at FROM decisions WHERE individual_id = $1 ORDER BY decided_at, id", []any{d.id.String()}, func(r *sql.Rows) error {
		var a experience.Assigned
		var of uuid.UUID
		var err error
		if a.Earlier, err = scanEarlier(r, &a.ID, &a.IndividualID, &of); err != nil {
			return err
		}
		a.Experience = d.policy.experience(of)
		return yield(a)
	})
}

// Heads are where the chains of the ledger end.
func (d *Dossier) Heads(ctx context.Context) ([]consent.Head, error) { return d.heads(ctx, d.id) }

// Access gives out who was shown their data, newest first.
func (d *Dossier) Access(ctx context.Context, yield func(*insight.AccessEntry) error) error {
	return d.query(ctx, "SELECT "+accessColumns+" FROM access_entries a WHERE "+d.engine.anyOf("a.individual_id", 1)+" ORDER BY a.read_at DESC, a.id DESC", []any{d.engine.keys(d.origins)}, func(r *sql.Rows) error {
		e, err := scanAccess(r, d.purposeOf)
		if err != nil {
			return err
		}
		return yield(e)
	})
}

// Requests gives out what was asked for concerning their data, newest first.
func (d *Dossier) Requests(ctx context.Context, yield func(*insight.Request) error) error {
	return d.query(ctx, requestColumns+" WHERE "+d.engine.anyOf("q.individual_id", 1)+" ORDER BY q.requested_at DESC, q.id DESC", []any{d.engine.keys(d.origins)}, func(r *sql.Rows) error {
		q, err := scanRequest(r)
		if err != nil {
			return err
		}
		return yield(q)
	})
}

// tables counts what is held, table by table.
func (d *Dossier) tables(ctx context.Context) ([]receipt.Table, error) {
	var all []receipt.Table
	count := func(table, condition string, arg any) error {
		return d.query(ctx, "SELECT count(*) FROM "+table+" WHERE "+condition, []any{arg}, func(r *sql.Rows) error {
			t := receipt.Table{Table: table}
			err := r.Scan(&t.Rows)
			all = append(all, t)
			return err
		})
	}
	for _, table := range []string{"identifiers", "traits", "sessions", "interactions", "consents", "memberships", "decisions"} {
		if err := count(table, "individual_id = $1", d.id.String()); err != nil {
			return nil, err
		}
	}
	for _, table := range []string{"access_entries", "requests"} {
		if err := count(table, d.engine.anyOf("individual_id", 1), d.engine.keys(d.origins)); err != nil {
			return nil, err
		}
	}
	return all, nil
}
