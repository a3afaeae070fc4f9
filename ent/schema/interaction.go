package schema

import (
	"encoding/json"

	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/acquaint/acquaint/insight"
	"github.com/google/uuid"
)

// Interaction is one thing that happened between an individual and the business.
// It is written once; only the individual that it is understood to belong to may
// change.
//
// It has no foreign keys (see docs/decisions/foreign-keys.md): the store's single
// way of writing keeps its references, and acquaint verify checks them.
type Interaction struct{ ent.Schema }

// Fields of an interaction.
func (Interaction) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Immutable().Comment("derived from source, message id and the client's timestamp: the primary key is the deduplication"),
		field.UUID("individual_id", uuid.UUID{}),
		field.UUID("owner", uuid.UUID{}).Immutable().Comment("key of its strongest identifier"),
		field.UUID("stream", uuid.UUID{}).Immutable().Comment("key of the identifier that sessions run along"),
		field.UUID("source_id", uuid.UUID{}).Immutable(),
		field.UUID("channel_id", uuid.UUID{}).Immutable(),
		field.String("message_id").Immutable(),
		field.String("type").Immutable(),
		field.Uint8("direction").Immutable(),
		moment("occurred_at"),
		moment("received_at"),
		field.Float("value").Optional().Nillable().Immutable(),
		field.String("currency").Default("").Immutable(),
		field.JSON("campaign", insight.Campaign{}).SchemaType(jsonTypes).Optional().Immutable(),
		field.JSON("properties", json.RawMessage{}).SchemaType(jsonTypes).Optional().Immutable(),
		field.JSON("identities", []uuid.UUID{}).SchemaType(jsonTypes).Optional().Immutable().Comment("keys of the other identifiers that it came with"),
		field.Int64("permitted").Comment("the purposes that were permitted when it occurred, a bit each"),
	}
}

// Edges of an interaction.
func (Interaction) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("individual", Individual.Type).Ref("interactions").Field("individual_id").Unique().Required(),
		edge.From("source", Source.Type).Ref("interactions").Field("source_id").Unique().Required().Immutable(),
		edge.From("channel", Channel.Type).Ref("interactions").Field("channel_id").Unique().Required().Immutable(),
	}
}

// Indexes of an interaction: the individual's timeline.
func (Interaction) Indexes() []ent.Index {
	return []ent.Index{index.Fields("individual_id", "occurred_at", "id")}
}
