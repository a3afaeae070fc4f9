package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// Segment is a named rule with the purpose that it reads for. It is answered by one
// edition at a time: a rule, and the population's models that it needs, frozen. A new
// edition is drafted beside the one that answers, and takes its place when everyone
// has been looked at.
type Segment struct{ ent.Schema }

// Fields of a segment.
func (Segment) Fields() []ent.Field {
	return []ent.Field{
		id(),
		field.String("key").NotEmpty().Unique().Immutable(),
		field.String("name").NotEmpty(),
		field.String("description").Default(""),
		field.UUID("purpose_id", uuid.UUID{}).Immutable(),
		field.Int("version").Comment("of the rule that was last asked for, from 1"),
		field.String("rule").SchemaType(jsonTexts).Comment("that rule, as JSON"),
		field.Float("min_confidence").Default(0).Comment("that goes with it"),
		field.Bool("archived").Default(false),
		moment("created_at"),
		moment("updated_at", "when the rule was last asked for"),

		field.Int("edition").Default(0).Comment("the one that answers; 0: none has been computed"),
		maybe("live_at", "since when that one answers"),
		field.String("live_rule").SchemaType(jsonTexts).Default(""),
		field.Float("live_min_confidence").Default(0),
		field.String("live_models").SchemaType(jsonTexts).Default("").Comment("of the population, as JSON"),
		field.Bool("announced").Default(true).Comment("whether all that the edition changed when it took its place has been announced"),

		field.Bool("drafting").Default(false).Comment("whether edition + 1 is being computed"),
		field.String("draft_models").SchemaType(jsonTexts).Default("").Comment("of the population, as JSON; empty: to be made first"),
		field.UUID("draft_through", uuid.UUID{}).Optional().Nillable().Comment("the last individual that the draft has looked at"),
		field.Int("draft_seen").Default(0).Comment("how many it has looked at"),
		field.Int("draft_total").Default(0).Comment("how many there were to look at"),
	}
}

// Membership is a span in which an individual is in a segment. Which editions see it
// is kept with it, so that a draft takes its place at once.
type Membership struct{ ent.Schema }

// Fields of a membership.
func (Membership) Fields() []ent.Field {
	return []ent.Field{
		id(),
		field.UUID("individual_id", uuid.UUID{}).Immutable(),
		field.UUID("segment_id", uuid.UUID{}).Immutable(),
		moment("entered_at"),
		maybe("exited_at"),
		field.Int("since_edition").Comment("the first that sees it"),
		field.Int("until_edition").Optional().Nillable().Comment("the first that does not"),
		field.Bool("announced").Comment("whether it was told that they entered"),
	}
}

// Indexes of a membership: the individual's; the segment's members, newest first;
// and what a new edition has to announce.
func (Membership) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("individual_id", "segment_id"),
		index.Fields("segment_id", "entered_at", "id").Annotations(entsql.IndexWhere("exited_at IS NULL")),
		index.Fields("segment_id", "id").StorageKey("membership_unannounced").Annotations(entsql.IndexWhere("(exited_at IS NULL) AND ((NOT announced) OR (until_edition IS NOT NULL))")),
	}
}
