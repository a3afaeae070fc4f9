package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// IdentityLink is evidence that two identifiers are one person. Evidence from
// events is one row a pair with its earliest observation; an operator's merge is a
// row of its own. A link is revoked, never deleted.
type IdentityLink struct{ ent.Schema }

// Fields of a link.
func (IdentityLink) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Immutable(),
		field.UUID("a", uuid.UUID{}).Immutable().Comment("key of the stronger identifier"),
		field.UUID("b", uuid.UUID{}).Immutable().Comment("key of the weaker identifier"),
		field.Bool("operator").Default(false).Immutable(),
		field.UUID("source_id", uuid.UUID{}),
		field.String("message_id").Default(""),
		moment("observed_at"),
		maybe("revoked_at"),
		field.String("reason").Default(""),
	}
}

// Edges of a link.
func (IdentityLink) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("source", Source.Type).Ref("links").Field("source_id").Unique().Required(),
	}
}

// Indexes of a link: from either of its ends.
func (IdentityLink) Indexes() []ent.Index {
	return []ent.Index{index.Fields("a"), index.Fields("b")}
}
