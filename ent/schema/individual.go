package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Individual is a person as now understood: a connected component of
// identifiers. Its id is that of its oldest member; every column is derived.
type Individual struct{ ent.Schema }

// Fields of an individual.
func (Individual) Fields() []ent.Field {
	return []ent.Field{
		id(),
		moment("first_seen_at"),
		moment("last_seen_at"),
		field.Bool("acted").Default(false).Comment("whether the moments above are of what they did, and not only of what was said of them"),
		field.Bool("identified").Default(false).Comment("a USER_ID is among the identifiers"),
		field.Bool("contested").Default(false).Comment("a link of a member stays inert because it would join two USER_IDs"),
		field.Int64("permitted").Comment("the purposes that are permitted now, a bit each"),
		field.Int64("whole").Default(0).Comment("the purposes that were permitted whenever something happened; a purpose may be missing, never too many"),
		field.Bool("decided").Default(false).Comment("a decision of theirs is in the ledger"),
		field.Time("lapses_at").SchemaType(momentTypes).Optional().Nillable().Comment("when permitted changes by time alone"),
		field.Bytes("digest").Optional().Nillable().Comment("their history, written small for questions about everyone; NULL where it is to be written anew"),
		maybe("look_at", "when time alone may change a membership of theirs; never later than it does"),
	}
}

// Edges of an individual.
func (Individual) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("identifiers", Identifier.Type),
		edge.To("traits", Trait.Type),
		edge.To("sessions", Session.Type),
		edge.To("interactions", Interaction.Type),
		edge.To("consents", Consent.Type),
		edge.To("ledgers", Ledger.Type),
	}
}

// Indexes of an individual: the two orders of the list, whose permission ends next,
// whose memberships time changes next, and whose digest is to be written.
func (Individual) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("last_seen_at", "id"),
		index.Fields("first_seen_at", "id"),
		index.Fields("lapses_at").Annotations(entsql.IndexWhere("lapses_at IS NOT NULL")),
		index.Fields("look_at").Annotations(entsql.IndexWhere("look_at IS NOT NULL")),
		index.Fields("id").StorageKey("individual_without_digest").Annotations(entsql.IndexWhere("digest IS NULL")),
	}
}
