package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"
)

// Source is an integration that sends events.
type Source struct{ ent.Schema }

// Fields of a source.
func (Source) Fields() []ent.Field {
	return []ent.Field{
		id(),
		field.String("name").NotEmpty().Unique().Immutable(),
		field.Bytes("write_key_hash").Optional().Nillable().Unique().Immutable().Comment("SHA-256 of the write key; none for a source that only the API and imports name"),
		field.UUID("default_channel_id", uuid.UUID{}),
		field.Int64("session_timeout").Comment("microseconds"),
	}
}

// Edges of a source.
func (Source) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("default_channel", Channel.Type).Ref("sources").Field("default_channel_id").Unique().Required(),
		edge.To("interactions", Interaction.Type),
		edge.To("sessions", Session.Type),
		edge.To("traits", Trait.Type),
		edge.To("links", IdentityLink.Type),
	}
}
