package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// AccessEntry says that somebody read an individual's data, for which purpose, in
// which minute.
//
// It names the individual as they were known when they were read, and never moves:
// an individual's entries are those of every id that has become theirs.
type AccessEntry struct{ ent.Schema }

// Fields of an entry.
func (AccessEntry) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Immutable().Comment("derived from what it says, so that it is unique as that is"),
		field.UUID("individual_id", uuid.UUID{}).Immutable(),
		field.UUID("purpose_id", uuid.UUID{}).Immutable(),
		field.String("subject").Immutable().Comment("of the reader's token"),
		field.String("operation").Immutable().Comment("query, mutation, subscription or export"),
		moment("read_at"),
	}
}

// Indexes of an entry: the individual's, newest first.
func (AccessEntry) Indexes() []ent.Index {
	return []ent.Index{index.Fields("individual_id", "read_at", "id")}
}
