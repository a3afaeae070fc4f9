package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// Destination is an address that is told of membership changes.
type Destination struct{ ent.Schema }

// Fields of a destination.
func (Destination) Fields() []ent.Field {
	return []ent.Field{
		id(),
		field.String("name").NotEmpty(),
		field.String("url").NotEmpty(),
		field.UUID("purpose_id", uuid.UUID{}).Immutable().Comment("what it is sent covers no more"),
		field.JSON("segments", []uuid.UUID{}).SchemaType(jsonTypes).Optional().Comment("none: every segment"),
		field.JSON("traits", []string{}).SchemaType(jsonTypes).Optional().Comment("keys of the traits that it is sent"),
		field.String("secret").Sensitive(),
		field.String("retired_secret").Sensitive().Default("").Comment("the one before, which signs too until retired_until"),
		maybe("retired_until"),
		moment("created_at"),
		maybe("failing_since", "the first failure since the last success"),
		maybe("succeeded_at", "the last success"),
		maybe("disabled_at"),
		field.String("disabled_because").Default(""),
	}
}

// Delivery is a change on its way to a destination.
type Delivery struct{ ent.Schema }

// Fields of a delivery.
func (Delivery) Fields() []ent.Field {
	return []ent.Field{
		id(),
		field.UUID("individual_id", uuid.UUID{}).Immutable(),
		field.UUID("destination_id", uuid.UUID{}).Immutable(),
		field.UUID("change_id", uuid.UUID{}).Immutable(),
		field.UUID("membership_id", uuid.UUID{}).Immutable().Comment("of the change, which may not be kept as long"),
		field.Int64("sequence").Immutable().Comment("of the change"),
		field.Uint8("state").Comment("1 waiting, 2 delivered, 3 dropped"),
		field.Int("attempts").Default(0),
		maybe("next_attempt_at", "none once it is over"),
		maybe("leased_until", "until then a process is about to send it"),
		field.Int("status").Default(0).Comment("HTTP's, of the last attempt; 0: there was no answer"),
		field.String("error").Default("").Comment("what went wrong at the last attempt"),
		moment("created_at"),
		maybe("attempted_at", "the last time"),
	}
}

// Indexes of a delivery: what is due where, in the order of an individual, and those
// of a destination, newest first.
func (Delivery) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("destination_id", "next_attempt_at"),
		index.Fields("individual_id", "destination_id", "sequence"),
		index.Fields("destination_id", "id"),
	}
}
