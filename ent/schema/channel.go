package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
)

// Channel is an interface of the business with the customer.
type Channel struct{ ent.Schema }

// Fields of a channel.
func (Channel) Fields() []ent.Field {
	return []ent.Field{
		id(),
		field.String("key").NotEmpty().Unique().Immutable(),
		field.String("name").NotEmpty(),
		field.String("kind").NotEmpty(),
	}
}

// Edges of a channel.
func (Channel) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("sources", Source.Type),
		edge.To("interactions", Interaction.Type),
		edge.To("sessions", Session.Type),
	}
}
