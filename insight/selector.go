package insight

import (
	"encoding/json"
	"time"
)

// Selector says which interactions. All conditions that are given hold; the zero
// value selects every interaction. What a missing selector means differs by
// question (see [AnyInbound]).
type Selector struct {
	Types        []string // any of these types
	Channels     []string // any of these channel keys
	ChannelKinds []ChannelKind
	Direction    Direction // zero: either
	Properties   []PropertyCondition
	OccurredFrom time.Time // inclusive; zero: open
	OccurredTo   time.Time // exclusive; zero: open
}

// AnyInbound is what a missing selector means for questions about what the
// customer did: recency, sessions, frequency.
func AnyInbound() Selector { return Selector{Direction: Inbound} }

// Comparison is how a property is compared. The text is the API's.
type Comparison string

// The comparisons.
const (
	EQ         Comparison = "EQ"
	NE         Comparison = "NE"
	LT         Comparison = "LT"
	LTE        Comparison = "LTE"
	GT         Comparison = "GT"
	GTE        Comparison = "GTE"
	IN         Comparison = "IN"
	NotIn      Comparison = "NOT_IN"
	Contains   Comparison = "CONTAINS"
	StartsWith Comparison = "STARTS_WITH"
	Exists     Comparison = "EXISTS"
	NotExists  Comparison = "NOT_EXISTS"
)

// PropertyCondition compares one property of an interaction with a value.
type PropertyCondition struct {
	Path  string // dotted: "category", "products.0.sku"
	Op    Comparison
	Value json.RawMessage // JSON; an array for IN and NOT_IN; ignored by EXISTS and NOT_EXISTS
}
