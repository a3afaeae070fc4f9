package node

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/experience"
	"github.com/acquaint/acquaint/store"
)

// Experience is what individuals may be offered at one place.
type Experience struct{ *experience.Experience }

// IsNode marks a node.
func (*Experience) IsNode() {}

// ID is the public id.
func (e *Experience) ID() string {
	return insight.FormatID(insight.ExperiencePrefix, e.Experience.ID)
}

// Description is what it is for, or nil.
func (e *Experience) Description() *string { return some(e.Experience.Description) }

// Purpose is the purpose that it reads for.
func (e *Experience) Purpose() *Purpose { return &Purpose{e.Experience.Purpose} }

// Variants are what may be offered.
func (e *Experience) Variants() []*ExperienceVariant {
	all := make([]*ExperienceVariant, len(e.Experience.Variants))
	for n := range all {
		all[n] = &ExperienceVariant{&e.Experience.Variants[n]}
	}
	return all
}

// NewExperiences makes nodes of experiences.
func NewExperiences(some []*experience.Experience) []*Experience {
	nodes := make([]*Experience, len(some))
	for n, e := range some {
		nodes[n] = &Experience{e}
	}
	return nodes
}

// ExperienceVariant is one thing that an individual may be offered.
type ExperienceVariant struct{ *experience.Variant }

// Name is its name for people, or nil.
func (v *ExperienceVariant) Name() *string { return some(v.Variant.Name) }

// Segment is the key of the segment that it is for, or nil.
func (v *ExperienceVariant) Segment() *string { return some(v.Variant.Segment) }

// Payload is what the caller needs to show it, or nil.
func (v *ExperienceVariant) Payload() json.RawMessage { return v.Variant.Payload }

// Traits are the keys of the traits that it shows.
func (v *ExperienceVariant) Traits() []string {
	if v.Variant.Traits == nil {
		return []string{}
	}
	return v.Variant.Traits
}

// Weight is how often it is drawn.
func (v *ExperienceVariant) Weight() float64 {
	if v.Variant.Weight == 0 {
		return 1
	}
	return v.Variant.Weight
}

// Decided is what an individual is offered.
type Decided struct{ *store.Decided }

// Experience is the experience.
func (d *Decided) Experience() *Experience { return &Experience{d.Decided.Experience} }

// Variant is what is offered, or nil.
func (d *Decided) Variant() *ExperienceVariant {
	if d.Decided.Variant == nil {
		return nil
	}
	return &ExperienceVariant{d.Decided.Variant}
}

// Traits are what the variant shows.
func (d *Decided) Traits() []insight.Trait {
	if d.Decided.Traits == nil {
		return []insight.Trait{}
	}
	return d.Decided.Traits
}

// IndividualID is who it is, or nil.
func (d *Decided) IndividualID() *string {
	return identified(insight.IndividualPrefix, d.Decided.IndividualID)
}

// InteractionID is the offer, or nil.
func (d *Decided) InteractionID() *string {
	return identified(insight.InteractionPrefix, d.Decided.InteractionID)
}

// DecidedAt is when.
func (d *Decided) DecidedAt() time.Time { return d.At }

// identified is an id with its prefix, or nil for none.
func identified(prefix string, id uuid.UUID) *string {
	if id == uuid.Nil {
		return nil
	}
	text := insight.FormatID(prefix, id)
	return &text
}
