package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// Experience is what may be offered to whom.
type Experience struct{ ent.Schema }

// Fields of an experience.
func (Experience) Fields() []ent.Field {
	return []ent.Field{
		id(),
		field.String("key").NotEmpty().Unique().Immutable(),
		field.String("name").NotEmpty(),
		field.String("description").Default(""),
		field.UUID("purpose_id", uuid.UUID{}).Immutable(),
		field.String("salt").Immutable(),
		field.Float("holdout"),
		field.String("variants").SchemaType(jsonTexts).Comment("JSON"),
		field.Int("cap_count").Default(0).Comment("0: no cap"),
		field.Int64("cap_per").Default(0).Comment("microseconds"),
		field.Bool("archived").Default(false),
		moment("created_at"),
		moment("updated_at"),
	}
}

// Decision says what an individual was offered, or that they were held out. It is a
// fact: only the individual that its owner is understood to belong to may change.
type Decision struct{ ent.Schema }

// Fields of a decision.
func (Decision) Fields() []ent.Field {
	return []ent.Field{
		id(),
		field.UUID("individual_id", uuid.UUID{}),
		field.UUID("owner", uuid.UUID{}).Immutable().Comment("key of the identifier that it was decided about"),
		field.UUID("experience_id", uuid.UUID{}).Immutable(),
		field.String("variant").Default("").Immutable().Comment("empty: they were held out"),
		moment("decided_at"),
	}
}

// Indexes of a decision: the individual's, and the experience's.
func (Decision) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("individual_id", "experience_id", "decided_at"),
		index.Fields("experience_id", "individual_id"),
	}
}
