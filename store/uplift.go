package store

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/experience"
	"github.com/acquaint/acquaint/insight/segment"
	"github.com/acquaint/acquaint/insight/uplift"
)

// UpliftGroup is a group that is asked of beside everyone.
type UpliftGroup struct {
	segment.Definition
	Models *segment.Models // those that the rule needs, as of before anybody was assigned; may be nil
}

// FirstAssigned is when the first decision of an experience was made; zero: none was.
func (s *Survey) FirstAssigned(ctx context.Context, e *experience.Experience) (time.Time, error) {
	var first moment
	err := s.reader.query(ctx, "store.FirstAssigned", "SELECT min(decided_at) FROM decisions WHERE experience_id = $1", []any{e.ID.String()}, func(r *sql.Rows) error { return r.Scan(&first) })
	return first.Time, err
}

// Uplift compares those who were offered something with those who were held out, of
// everyone whom the survey's purpose covers; it is the experience's. With a variant it
// compares those whom the first decision offered that one. It reports how many
// individuals the purpose covers. Groups are in the order of the options' names. The
// error is of kind Invalid, with the path of what is wrong, and when neither the
// experience has the variant nor anybody was ever offered it.
//
// It reads what happened to those who were assigned, some at a time.
func (s *Survey) Uplift(ctx context.Context, e *experience.Experience, variant string, o uplift.Options, groups []UpliftGroup) (*uplift.Tally, int, error) {
	tally := uplift.NewTally(o)
	population := 0
	err := s.reader.store.view(ctx, "store.Uplift", func(b *batch) error {
		programs, books := make([]*segment.Program, len(groups)), make([]*segment.Book, len(groups))
		needs := segment.Needs{Properties: len(o.Outcome.Properties) > 0}
		for n := range groups {
			var err error
			if programs[n], books[n], err = b.compilePreview(&groups[n].Definition, groups[n].Models); err != nil {
				return err
			}
			needs = needs.And(programs[n].Needs())
		}
		err := b.query(ctx, "SELECT count(*) FROM individuals i WHERE "+s.reader.covered("i"), nil, func(r *sql.Rows) error { return r.Scan(&population) })
		if err != nil {
			return err
		}
		assigned, err := b.firsts(ctx, e, variant, o.AsOf)
		if err != nil {
			return err
		}
		ids := make([]uuid.UUID, 0, len(assigned))
		for id := range assigned {
			ids = append(ids, id)
		}
		in := make([]bool, len(groups))
		for some := range slices.Chunk(ids, chunk) {
			rows, err := b.keptOf(ctx, b.engine.anyOf("id", 1), b.engine.keys(some))
			if err != nil {
				return err
			}
			rows = slices.DeleteFunc(rows, func(one keptIndividual) bool { return one.permitted&s.Purpose().Set() == 0 })
			err = b.acquaint(ctx, rows, needs, func(id uuid.UUID, p *person, _ insight.Set) {
				a := assigned[id]
				before := a.At.Add(-insight.Precision)
				for n := range groups {
					in[n] = programs[n].Over(p.subject(b.policy, books[n], s.Purpose()), before, before).Holds
				}
				tally.Add(&insight.History{Timeline: p.timeline(b.policy, s.Purpose()), Refusals: p.refusals}, uplift.Assignment{Holdout: a.Holdout, At: a.At}, in)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return tally, population, err
}

// HasVariant reports whether an experience has a variant, or had it and it was offered.
func (s *Store) HasVariant(ctx context.Context, e *experience.Experience, variant string) (bool, error) {
	if slices.ContainsFunc(e.Variants, func(v experience.Variant) bool { return v.Key == variant }) || variant == "" {
		return variant != "", nil
	}
	stmt, err := s.read.stmt(ctx, "SELECT EXISTS (SELECT 1 FROM decisions WHERE experience_id = $1 AND variant = $2)")
	if err != nil {
		return false, translate("store.HasVariant", err)
	}
	var has bool
	err = stmt.QueryRowContext(ctx, e.ID.String(), variant).Scan(&has)
	return has, translate("store.HasVariant", err)
}

// firsts are, for each individual, the first decision that was made about them in an
// experience until a moment; with a variant, where it offered that one or held them out.
func (b *batch) firsts(ctx context.Context, e *experience.Experience, variant string, until time.Time) (map[uuid.UUID]experience.Earlier, error) {
	known := variant == "" || slices.ContainsFunc(e.Variants, func(v experience.Variant) bool { return v.Key == variant })
	firsts := map[uuid.UUID]experience.Earlier{}
	err := b.query(ctx, "SELECT individual_id, variant, decided_at FROM decisions WHERE experience_id = $1", []any{e.ID.String()}, func(r *sql.Rows) error {
		var id uuid.UUID
		d, err := scanEarlier(r, &id)
		if err != nil {
			return err
		}
		known = known || d.Variant == variant
		if had, is := firsts[id]; !d.At.After(until) && (!is || d.Before(had)) {
			firsts[id] = d
		}
		return nil
	})
	if err == nil && !known {
		err = insight.NewError(insight.Invalid, "variant", "the experience has no such variant")
	}
	if variant != "" {
		for id, d := range firsts {
			if !d.Holdout && d.Variant != variant {
				delete(firsts, id)
			}
		}
	}
	return firsts, err
}
