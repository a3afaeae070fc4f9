package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// MembershipChange says that an individual entered or left a segment. It is written
// in the transaction that made it so, and is kept for a while so that whoever follows
// can go on where they stopped. It names the individual by an id alone, because what
// is left to be told of somebody who was erased is that they are gone.
type MembershipChange struct{ ent.Schema }

// Fields of a change.
func (MembershipChange) Fields() []ent.Field {
	return []ent.Field{
		id(),
		field.Int64("sequence").Immutable().Comment("its place among all changes; one writer at a time makes it the order of commits"),
		field.UUID("individual_id", uuid.UUID{}).Immutable(),
		field.UUID("segment_id", uuid.UUID{}).Immutable(),
		field.UUID("membership_id", uuid.UUID{}).Immutable(),
		field.Bool("entered").Immutable().Comment("else they exited"),
		moment("at"),
		moment("recorded_at", "later than at where time alone decided and nobody was there to see it"),
		field.String("because").Immutable(),
	}
}

// Indexes of a change: the order of a segment's, the individual's, and what
// is old.
func (MembershipChange) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("segment_id", "sequence"),
		index.Fields("individual_id", "sequence"),
		index.Fields("recorded_at"),
	}
}
