package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
)

// Purpose is what personal data is read for.
type Purpose struct{ ent.Schema }

// Fields of a purpose.
func (Purpose) Fields() []ent.Field {
	return []ent.Field{
		id(),
		field.String("key").NotEmpty().Unique().Immutable(),
		field.String("name").NotEmpty(),
		field.String("description"),
		field.Uint8("bit").Unique().Immutable().Comment("its place in the sets of permitted purposes"),
		field.Bool("inverted").Default(false).Immutable().Comment("in stored sets its bit is set for those whom it does not cover"),
		field.String("legal_basis").NotEmpty(),
		field.Bool("retroactive").Default(false),
		field.Int64("retention").Default(0).Comment("microseconds; 0: no limit of its own"),
		field.Int("floor").Default(10),
		field.JSON("consent_mode", []string{}).SchemaType(jsonTypes).Optional(),
		field.JSON("tcf", []int{}).SchemaType(jsonTypes).Optional(),
		field.JSON("gpp", []string{}).SchemaType(jsonTypes).Optional(),
		field.JSON("categories", []string{}).SchemaType(jsonTypes).Optional(),
	}
}

// Edges of a purpose.
func (Purpose) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("versions", PurposeVersion.Type),
		edge.To("consents", Consent.Type),
	}
}
