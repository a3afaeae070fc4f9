package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// Request is something that was done with an individual's data because they, or
// somebody on their behalf, asked for it. What it holds outlives the individual, and
// so tells nothing of them.
type Request struct{ ent.Schema }

// Fields of a request.
func (Request) Fields() []ent.Field {
	return []ent.Field{
		id(),
		field.UUID("individual_id", uuid.UUID{}).Optional().Nillable().Comment("none once they are erased"),
		field.String("kind").NotEmpty().Immutable(),
		field.String("requested_by").Immutable().Comment("the subject of the token"),
		moment("requested_at"),
		maybe("completed_at"),
		field.String("digest").Default("").Comment("SHA-256 of the receipt that was handed out"),
	}
}

// Indexes of a request.
func (Request) Indexes() []ent.Index {
	return []ent.Index{index.Fields("individual_id"), index.Fields("requested_at", "id")}
}
