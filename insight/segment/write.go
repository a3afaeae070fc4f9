package segment

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/relationship"
)

// MarshalJSON writes the rule in the shape that [Read] reads. Of equal rules it is the
// same: what is not given is left out, and fields have one order. A value that is not
// JSON and a number that is not finite are errors.
func (r *Rule) MarshalJSON() ([]byte, error) {
	return json.Marshal(ruleJSON{
		r.All, r.Any, r.Not, traitOf(r.Trait), eventOf(r.Event), recencyOf(r.Recency), monetaryOf(r.Monetary), sequenceOf(r.Sequence),
		(*rfmJSON)(r.RFM), r.Relationship, (*lifetimeJSON)(r.Lifetime), r.Consent, r.Segment, r.Everyone,
	})
}

// SelectorKey is what a selector is called in Models.Habits: its canonical JSON, so that
// equal ones are called the same. Nil is called as insight.AnyInbound is.
func SelectorKey(s *insight.Selector) string {
	if s == nil {
		s = some(insight.AnyInbound())
	}
	text, err := json.Marshal(selectorOf(s))
	if err != nil {
		return "" // no selector that Validate accepts
	}
	return string(text)
}

// What is left out is what is not given, also of what could be empty.
type (
	ruleJSON struct {
		All          []*Rule               `json:"all,omitzero"`
		Any          []*Rule               `json:"any,omitzero"`
		Not          *Rule                 `json:"not,omitzero"`
		Trait        *traitJSON            `json:"trait,omitzero"`
		Event        *eventJSON            `json:"event,omitzero"`
		Recency      *recencyJSON          `json:"recency,omitzero"`
		Monetary     *monetaryJSON         `json:"monetary,omitzero"`
		Sequence     *sequenceJSON         `json:"sequence,omitzero"`
		RFM          *rfmJSON              `json:"rfm,omitzero"`
		Relationship []relationship.Status `json:"relationship,omitzero"`
		Lifetime     *lifetimeJSON         `json:"lifetime,omitzero"`
		Consent      string                `json:"consent,omitzero"`
		Segment      string                `json:"segment,omitzero"`
		Everyone     bool                  `json:"everyone,omitzero"`
	}
	selectorJSON struct {
		Types        []string              `json:"types,omitzero"`
		Channels     []string              `json:"channels,omitzero"`
		ChannelKinds []insight.ChannelKind `json:"channelKinds,omitzero"`
		Direction    string                `json:"direction,omitzero"`
		Currencies   []string              `json:"currencies,omitzero"`
		Properties   []conditionJSON       `json:"properties,omitzero"`
		OccurredFrom time.Time             `json:"occurredFrom,omitzero"`
		OccurredTo   time.Time             `json:"occurredTo,omitzero"`
	}
	conditionJSON struct {
		Path  string             `json:"path"`
		Op    insight.Comparison `json:"op"`
		Value value              `json:"value,omitzero"`
	}
	traitJSON struct {
		Key           string             `json:"key"`
		Op            insight.Comparison `json:"op"`
		Value         value              `json:"value,omitzero"`
		MinConfidence float64            `json:"minConfidence,omitzero"`
		Provenance    []string           `json:"provenance,omitzero"`
	}
	eventJSON struct {
		Event   *selectorJSON `json:"event"`
		AtLeast *int          `json:"atLeast,omitzero"`
		AtMost  *int          `json:"atMost,omitzero"`
		Within  span          `json:"within,omitzero"`
	}
	recencyJSON struct {
		Event   *selectorJSON `json:"event,omitzero"`
		AtLeast *span         `json:"atLeast,omitzero"`
		AtMost  *span         `json:"atMost,omitzero"`
		Overdue *bool         `json:"overdue,omitzero"`
	}
	monetaryJSON struct {
		Event   *selectorJSON `json:"event"`
		AtLeast *float64      `json:"atLeast,omitzero"`
		AtMost  *float64      `json:"atMost,omitzero"`
		Within  span          `json:"within,omitzero"`
	}
	sequenceJSON struct {
		Steps  []*selectorJSON `json:"steps"`
		Within span            `json:"within,omitzero"`
	}
	rfmJSON struct {
		R        []int    `json:"r,omitzero"`
		F        []int    `json:"f,omitzero"`
		M        []int    `json:"m,omitzero"`
		Segments []string `json:"segments,omitzero"`
	}
	lifetimeJSON struct {
		ProbabilityAliveAtLeast *float64 `json:"probabilityAliveAtLeast,omitzero"`
		ProbabilityAliveAtMost  *float64 `json:"probabilityAliveAtMost,omitzero"`
		ExpectedValueAtLeast    *float64 `json:"expectedValueAtLeast,omitzero"`
	}
)

// span is a duration in ISO 8601.
type span time.Duration

func (s span) MarshalJSON() ([]byte, error) {
	return json.Marshal(insight.FormatDuration(time.Duration(s)))
}

// value is any JSON, written in one way whatever way it came.
type value json.RawMessage

func (v value) MarshalJSON() ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(v))
	decoder.UseNumber()
	var decoded any
	if err := decoder.Decode(&decoded); err != nil {
		return nil, insight.NewError(insight.Invalid, "value", "it is not JSON")
	}
	return json.Marshal(decoded)
}

func given(text json.RawMessage) value {
	if string(text) == "null" {
		return nil
	}
	return value(text)
}

func selectorOf(s *insight.Selector) *selectorJSON {
	out := &selectorJSON{
		s.Types, s.Channels, s.ChannelKinds, directions.of(s.Direction), s.Currencies, nil,
		insight.Moment(s.OccurredFrom), insight.Moment(s.OccurredTo),
	}
	if s.Properties != nil {
		out.Properties = make([]conditionJSON, len(s.Properties))
	}
	for i, c := range s.Properties {
		out.Properties[i] = conditionJSON{c.Path, c.Op, given(c.Value)}
	}
	return out
}

func traitOf(r *insight.TraitRule) *traitJSON {
	if r == nil {
		return nil
	}
	out := &traitJSON{r.Key, r.Op, given(r.Value), r.MinConfidence, nil}
	if r.Provenance != nil {
		out.Provenance = make([]string, len(r.Provenance))
	}
	for i, p := range r.Provenance {
		out.Provenance[i] = provenances.of(p)
	}
	return out
}

func eventOf(e *Event) *eventJSON {
	if e == nil {
		return nil
	}
	return &eventJSON{selectorOf(&e.Event), e.AtLeast, e.AtMost, span(e.Within)}
}

func recencyOf(r *Recency) *recencyJSON {
	if r == nil {
		return nil
	}
	out := &recencyJSON{nil, (*span)(r.AtLeast), (*span)(r.AtMost), r.Overdue}
	if r.Event != nil {
		out.Event = selectorOf(r.Event)
	}
	return out
}

func monetaryOf(m *Monetary) *monetaryJSON {
	if m == nil {
		return nil
	}
	return &monetaryJSON{selectorOf(&m.Event), m.AtLeast, m.AtMost, span(m.Within)}
}

func sequenceOf(s *Sequence) *sequenceJSON {
	if s == nil {
		return nil
	}
	out := &sequenceJSON{make([]*selectorJSON, len(s.Steps)), span(s.Within)}
	for i := range s.Steps {
		out.Steps[i] = selectorOf(&s.Steps[i])
	}
	return out
}
