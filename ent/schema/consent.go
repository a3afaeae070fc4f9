package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// Consent is a decision in the ledger. It is written once; only the individual
// that its owner is understood to belong to may change.
type Consent struct{ ent.Schema }

// Fields of a decision.
func (Consent) Fields() []ent.Field {
	return []ent.Field{
		id(),
		field.UUID("individual_id", uuid.UUID{}),
		field.UUID("owner", uuid.UUID{}).Immutable().Comment("key of the identifier in whose ledger it stands"),
		field.Int("sequence").Immutable().Comment("its place in that ledger, from 1"),
		field.JSON("covers", []uuid.UUID{}).SchemaType(jsonTypes).Optional().Immutable().Comment("keys of the other identifiers that it speaks for"),
		field.UUID("purpose_id", uuid.UUID{}).Immutable(),
		field.Uint8("decision").Immutable(),
		moment("effective_at"),
		moment("recorded_at"),
		maybe("expires_at"),
		field.String("source").Immutable(),
		field.String("method").Immutable(),
		field.String("policy_version").Default("").Immutable(),
		field.String("jurisdiction").Default("").Immutable(),
		field.String("evidence").SchemaType(map[string]string{dialect.Postgres: "text", dialect.SQLite: "text"}).Default("").Immutable().
			Comment("canonical JSON, as a text: its hash is of these bytes"),
		field.String("hash").Immutable(),
		field.String("previous_hash").Immutable(),
	}
}

// Edges of a decision.
func (Consent) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("individual", Individual.Type).Ref("consents").Field("individual_id").Unique().Required(),
		edge.From("purpose", Purpose.Type).Ref("consents").Field("purpose_id").Unique().Required().Immutable(),
	}
}

// Indexes of a decision: the individual's ledger in the order in which it was
// recorded, and the place in the owner's.
func (Consent) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("individual_id", "recorded_at", "id"),
		index.Fields("individual_id", "owner", "sequence").Unique(),
	}
}
