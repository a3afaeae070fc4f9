package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"
)

// Suppression is an identifier, under its salted hash alone, of somebody who was
// erased and of whom nothing may be kept again.
type Suppression struct{ ent.Schema }

// Fields of a suppression.
func (Suppression) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Immutable().Comment("the key that the identifier would have"),
		moment("since"),
	}
}
