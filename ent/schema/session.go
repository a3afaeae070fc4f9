package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/acquaint/acquaint/insight"
	"github.com/google/uuid"
)

// Session is a run of an individual's inbound interactions on one stream of one
// source. It is an interval: its interactions are those of the stream between its
// ends, so a session that grows or joins another touches no interaction.
type Session struct{ ent.Schema }

// Fields of a session.
func (Session) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Immutable().Comment("the id of the interaction that it starts with"),
		field.UUID("individual_id", uuid.UUID{}),
		field.UUID("source_id", uuid.UUID{}).Immutable(),
		field.UUID("stream", uuid.UUID{}).Immutable().Comment("key of the identifier that it runs along"),
		field.UUID("channel_id", uuid.UUID{}).Comment("of the first interaction"),
		moment("started_at"),
		moment("ended_at"),
		field.Int("interactions"),
		field.Int("views"),
		field.Int("conversions"),
		field.JSON("campaign", insight.Campaign{}).SchemaType(jsonTypes).Optional(),
	}
}

// Edges of a session.
func (Session) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("individual", Individual.Type).Ref("sessions").Field("individual_id").Unique().Required(),
		edge.From("source", Source.Type).Ref("sessions").Field("source_id").Unique().Required().Immutable(),
		edge.From("channel", Channel.Type).Ref("sessions").Field("channel_id").Unique().Required(),
	}
}

// Indexes of a session.
func (Session) Indexes() []ent.Index {
	return []ent.Index{index.Fields("individual_id", "started_at", "id")}
}
