package schema

import (
	"encoding/json"

	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// Trait is the newest observation of one key by one source about one identifier.
type Trait struct{ ent.Schema }

// Fields of a trait.
func (Trait) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Immutable().Comment("derived from identifier, key and source, so it is unique as they are"),
		field.UUID("individual_id", uuid.UUID{}),
		field.UUID("owner", uuid.UUID{}).Immutable().Comment("key of the identifier that it was said of"),
		field.UUID("source_id", uuid.UUID{}).Immutable(),
		field.String("key").Immutable(),
		field.JSON("value", json.RawMessage{}).SchemaType(jsonTypes).Comment("null: taken away"),
		field.Uint8("provenance"),
		field.Float("confidence"),
		field.Uint8("sensitivity"),
		moment("observed_at"),
		field.UUID("observation", uuid.UUID{}).Comment("the event's id, which settles what was observed at the same moment"),
	}
}

// Edges of a trait.
func (Trait) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("individual", Individual.Type).Ref("traits").Field("individual_id").Unique().Required(),
		edge.From("source", Source.Type).Ref("traits").Field("source_id").Unique().Required().Immutable(),
	}
}

// Indexes of a trait.
func (Trait) Indexes() []ent.Index {
	return []ent.Index{index.Fields("individual_id", "key")}
}
