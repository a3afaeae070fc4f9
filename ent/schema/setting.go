package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
)

// Setting is a fact about this installation, such as the secret from which the
// identifiers' keys are derived.
type Setting struct{ ent.Schema }

// Fields of a setting.
func (Setting) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").Immutable(),
		field.Bytes("value"),
	}
}
