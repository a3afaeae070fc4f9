package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// Ledger is where one identifier's chain of decisions ends: what its last record
// must be, kept apart from the records.
type Ledger struct{ ent.Schema }

// Fields of a ledger.
func (Ledger) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Immutable().Comment("key of the identifier whose ledger it is"),
		field.UUID("individual_id", uuid.UUID{}),
		field.Int("length"),
		field.UUID("last", uuid.UUID{}).Comment("the last record"),
		field.String("hash").Comment("the last record's"),
	}
}

// Edges of a ledger.
func (Ledger) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("individual", Individual.Type).Ref("ledgers").Field("individual_id").Unique().Required(),
	}
}

// Indexes of a ledger.
func (Ledger) Indexes() []ent.Index { return []ent.Index{index.Fields("individual_id")} }
