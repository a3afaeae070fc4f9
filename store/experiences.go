package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/ent"
	entexperience "github.com/acquaint/acquaint/ent/experience"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/experience"
	"github.com/acquaint/acquaint/insight/segment"
)

// mostExperiences bounds how many every process holds in memory.
const mostExperiences = 1000

// NewExperience is what it takes to make an experience.
type NewExperience struct {
	Key, Name, Description string
	Purpose                string // key
	Holdout                float64
	Variants               []experience.Variant
	Cap                    *experience.Cap // nil: offers are not limited
}

// ExperienceChange says what of an experience is to be another way; nil stays as it is.
// The share that is held out is not to be changed: those who were assigned before and
// after would not be alike.
type ExperienceChange struct {
	Name, Description *string
	Variants          []experience.Variant
	Cap               *experience.Cap
	Uncapped          bool // offers are not limited any more
}

// CreateExperience keeps an experience. Making one again just as it is gives that one.
// The error is of kind Invalid, with the path of each fault, and of kind Conflict when
// the key is taken by another one.
func (s *Store) CreateExperience(ctx context.Context, n NewExperience) (*experience.Experience, error) {
	if !segmentKey.MatchString(n.Key) {
		return nil, insight.NewError(insight.Invalid, "key", "it is 1 to 100 letters, digits, dots, dashes and underscores, the first a letter or a digit")
	}
	err := s.reform(ctx, "store.CreateExperience", func(b *batch) error {
		p := b.policy.byKey(n.Purpose)
		if p == nil {
			return insight.NewError(insight.Invalid, "purpose", "there is no such purpose")
		}
		e := &experience.Experience{
			ID: newID(), Key: n.Key, Name: n.Name, Description: n.Description, Purpose: p, Salt: uuid.NewString(),
			Holdout: n.Holdout, Variants: n.Variants, Cap: n.Cap,
		}
		if err := b.checkExperience(e); err != nil {
			return err
		}
		for _, other := range b.policy.experiences {
			switch {
			case other.Key != n.Key:
			case !other.Archived && alike(e, other):
				return nil
			default:
				return insight.NewError(insight.Conflict, "key", "there is an experience with this key already")
			}
		}
		if len(b.policy.experiences) >= mostExperiences {
			return insight.NewError(insight.Exhausted, "key", fmt.Sprintf("there can be %d experiences", mostExperiences))
		}
		count, per := capColumns(e.Cap)
		return b.exec(ctx, `INSERT INTO experiences (id, key, name, description, purpose_id, salt, holdout, variants, cap_count, cap_per, archived, created_at, updated_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
			e.ID.String(), e.Key, e.Name, e.Description, p.ID.String(), e.Salt, e.Holdout, variantsText(e.Variants), count, per, false, b.engine.time(b.now), b.engine.time(b.now))
	})
	if err != nil {
		return nil, err
	}
	return s.Experience(ctx, n.Key)
}

// checkExperience refuses an experience that cannot be meant, or whose segments cannot
// be read for its purpose.
func (b *batch) checkExperience(e *experience.Experience) error {
	if err := e.Validate(); err != nil {
		return err
	}
	for n, v := range e.Variants {
		if v.Segment == "" {
			continue
		}
		path := fmt.Sprintf("variants[%d].segment", n)
		switch k := b.policy.audience.byKey(v.Segment); {
		case k == nil || k.Status == segment.Archived:
			return insight.NewError(insight.Invalid, path, "there is no such segment")
		case k.Purpose.Key != e.Purpose.Key:
			return insight.NewError(insight.Invalid, path, "it is for the purpose "+k.Purpose.Key+", and may be read for no other one")
		}
	}
	return nil
}

// alike reports whether two experiences were asked for alike.
func alike(a, b *experience.Experience) bool {
	count, per := capColumns(a.Cap)
	otherCount, otherPer := capColumns(b.Cap)
	return a.Name == b.Name && a.Description == b.Description && a.Purpose.Key == b.Purpose.Key && a.Holdout == b.Holdout &&
		count == otherCount && per == otherPer && variantsText(a.Variants) == variantsText(b.Variants)
}

// UpdateExperience changes an experience. What was decided before stays. The error is of
// kind NotFound when there is none, of kind Conflict when it is archived, and as that of
// CreateExperience.
func (s *Store) UpdateExperience(ctx context.Context, key string, c ExperienceChange) (*experience.Experience, error) {
	err := s.reform(ctx, "store.UpdateExperience", func(b *batch) error {
		old, err := b.policy.experienceToChange(key)
		if err != nil {
			return err
		}
		e := *old
		if c.Name != nil {
			e.Name = *c.Name
		}
		if c.Description != nil {
			e.Description = *c.Description
		}
		if c.Variants != nil {
			e.Variants = c.Variants
		}
		switch {
		case c.Cap != nil && c.Uncapped:
			return insight.NewError(insight.Invalid, "uncapped", "it cannot be capped as well")
		case c.Cap != nil:
			e.Cap = c.Cap
		case c.Uncapped:
			e.Cap = nil
		}
		if err := b.checkExperience(&e); err != nil {
			return err
		}
		count, per := capColumns(e.Cap)
		return b.exec(ctx, "UPDATE experiences SET name = $2, description = $3, variants = $4, cap_count = $5, cap_per = $6, updated_at = $7 WHERE id = $1",
			e.ID.String(), e.Name, e.Description, variantsText(e.Variants), count, per, b.engine.time(b.now))
	})
	if err != nil {
		return nil, err
	}
	return s.Experience(ctx, key)
}

// ArchiveExperience ends an experience: nothing is offered any more. What it changed may
// still be asked. The error is of kind NotFound when there is none.
func (s *Store) ArchiveExperience(ctx context.Context, key string) (*experience.Experience, error) {
	err := s.reform(ctx, "store.ArchiveExperience", func(b *batch) error {
		e, err := b.policy.experienceToChange(key)
		if insight.KindOf(err) == insight.Conflict {
			return nil
		}
		if err != nil {
			return err
		}
		return b.exec(ctx, "UPDATE experiences SET archived = $2, updated_at = $3 WHERE id = $1", e.ID.String(), true, b.engine.time(b.now))
	})
	if err != nil {
		return nil, err
	}
	return s.Experience(ctx, key)
}

var errNoExperience = insight.NewError(insight.NotFound, "experience", "there is no such experience")

func (p *policy) experienceToChange(key string) (*experience.Experience, error) {
	for _, e := range p.experiences {
		switch {
		case e.Key != key:
		case e.Archived:
			return nil, insight.NewError(insight.Conflict, "experience", "it is archived")
		default:
			return e, nil
		}
	}
	return nil, errNoExperience
}

// experience finds an experience by its id; nil: there is none.
func (p *policy) experience(id uuid.UUID) *experience.Experience {
	for _, e := range p.experiences {
		if e.ID == id {
			return e
		}
	}
	return nil
}

// Experiences lists every experience by key. They must not be changed.
func (s *Store) Experiences(ctx context.Context) ([]*experience.Experience, error) {
	if err := s.look(ctx); err != nil {
		return nil, err
	}
	return s.policy().experiences, nil
}

// Experience finds an experience by its key. The error is of kind NotFound when there is
// none.
func (s *Store) Experience(ctx context.Context, key string) (*experience.Experience, error) {
	return s.experienceWhere(ctx, func(e *experience.Experience) bool { return e.Key == key })
}

// ExperienceByID finds an experience by its id, as Experience does by its key.
func (s *Store) ExperienceByID(ctx context.Context, id uuid.UUID) (*experience.Experience, error) {
	return s.experienceWhere(ctx, func(e *experience.Experience) bool { return e.ID == id })
}

func (s *Store) experienceWhere(ctx context.Context, is func(*experience.Experience) bool) (*experience.Experience, error) {
	if err := s.look(ctx); err != nil {
		return nil, err
	}
	d := s.directory
	e, ok, err := lookup(ctx, d, func() (*experience.Experience, bool) {
		for _, one := range d.policy.experiences {
			if is(one) {
				return one, true
			}
		}
		return nil, false
	})
	if err == nil && !ok {
		err = errNoExperience
	}
	return e, err
}

// keptVariant is a variant as it is kept.
type keptVariant struct {
	Key     string          `json:"key"`
	Name    string          `json:"name,omitempty"`
	Benefit string          `json:"benefit"`
	Segment string          `json:"segment,omitempty"`
	Payload json.RawMessage `json:"payload,omitempty"`
	Traits  []string        `json:"traits,omitempty"`
	Weight  float64         `json:"weight,omitempty"`
}

func variantsText(all []experience.Variant) string {
	rows := make([]keptVariant, len(all))
	for n, v := range all {
		rows[n] = keptVariant(v)
	}
	text, _ := json.Marshal(rows) // a payload was checked to be JSON
	return string(text)
}

func capColumns(c *experience.Cap) (count int, per int64) {
	if c == nil {
		return 0, 0
	}
	return c.Count, c.Per.Microseconds()
}

// readExperiences reads the experiences; the policy is the one that they are read with.
func (s *Store) readExperiences(ctx context.Context, p *policy) ([]*experience.Experience, error) {
	rows, err := s.ent.Experience.Query().Order(entexperience.ByKey()).All(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]*experience.Experience, len(rows))
	for n, row := range rows {
		if all[n], err = fromEntExperience(row, p); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func fromEntExperience(row *ent.Experience, p *policy) (*experience.Experience, error) {
	e := &experience.Experience{
		ID: row.ID, Key: row.Key, Name: row.Name, Description: row.Description, Purpose: p.byID(row.PurposeID), Salt: row.Salt, Holdout: row.Holdout,
		Archived: row.Archived, CreatedAt: row.CreatedAt.UTC(), UpdatedAt: row.UpdatedAt.UTC(),
	}
	if row.CapCount > 0 {
		e.Cap = &experience.Cap{Count: row.CapCount, Per: time.Duration(row.CapPer) * time.Microsecond}
	}
	var variants []keptVariant
	if err := json.Unmarshal([]byte(row.Variants), &variants); err != nil {
		return nil, &insight.Error{Op: "store.experience", Kind: insight.Internal, Subject: row.Key, Cause: err}
	}
	for _, v := range variants {
		e.Variants = append(e.Variants, experience.Variant(v))
	}
	return e, nil
}
