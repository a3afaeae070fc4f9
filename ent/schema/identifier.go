package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// Identifier is the directory of who is whom: one row for each (kind, value),
// under a key derived from them.
type Identifier struct{ ent.Schema }

// Fields of an identifier.
func (Identifier) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Immutable().Comment("derived from kind and value with the installation's secret, so it is unique as they are"),
		field.Uint8("kind").Immutable(),
		field.String("value").Immutable(),
		field.UUID("origin", uuid.UUID{}).Immutable().Unique().Comment("the individual that it would be alone; resolves an id that was merged away"),
		field.UUID("individual_id", uuid.UUID{}),
		field.UUID("user_key", uuid.UUID{}).Optional().Nillable().Comment("a USER_ID that it is linked to directly"),
		field.Bool("shared").Default(false).Comment("linked directly to two USER_IDs"),
		moment("first_seen_at"),
		moment("last_seen_at"),
		maybe("first_acted_at"),
		maybe("last_acted_at"),
	}
}

// Edges of an identifier.
func (Identifier) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("individual", Individual.Type).Ref("identifiers").Field("individual_id").Unique().Required(),
	}
}

// Indexes of an identifier.
func (Identifier) Indexes() []ent.Index {
	return []ent.Index{index.Fields("individual_id")}
}
