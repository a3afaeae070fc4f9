package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// PurposeVersion is what a purpose's terms were from a moment on. What was permitted
// under them stays answerable.
type PurposeVersion struct{ ent.Schema }

// Fields of a version.
func (PurposeVersion) Fields() []ent.Field {
	return []ent.Field{
		id(),
		field.UUID("purpose_id", uuid.UUID{}).Immutable(),
		moment("at"),
		field.String("legal_basis").NotEmpty().Immutable(),
		field.Bool("retroactive").Immutable(),
	}
}

// Edges of a version.
func (PurposeVersion) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("purpose", Purpose.Type).Ref("versions").Field("purpose_id").Unique().Required().Immutable(),
	}
}

// Indexes of a version: a purpose's, in order.
func (PurposeVersion) Indexes() []ent.Index {
	return []ent.Index{index.Fields("purpose_id", "at").Unique()}
}
