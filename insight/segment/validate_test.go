package segment_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/relationship"
	"github.com/acquaint/acquaint/insight/segment"
)

func TestValidate(t *testing.T) {
	everyone := &segment.Rule{Everyone: true}
	bought := insight.Selector{Types: []string{"purchase"}}
	deep, deepest := everyone, everyone
	for range segment.MaxDepth - 1 {
		deepest = &segment.Rule{Not: deepest}
	}
	for range segment.MaxDepth {
		deep = &segment.Rule{Not: deep}
	}
	many := &segment.Rule{Any: make([]*segment.Rule, 10_000)}
	for i := range many.Any {
		many.Any[i] = everyone
	}
	if err := deepest.Validate("rule"); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		rule *segment.Rule
		want string // the subjects, in order
	}{
		{nil, "rule"},
		{&segment.Rule{}, "rule"},
		{&segment.Rule{Everyone: true, Consent: "service"}, "rule"},
		{&segment.Rule{All: []*segment.Rule{}}, "rule.all"},
		{&segment.Rule{Any: []*segment.Rule{everyone, nil, {}}}, "rule.any[1] rule.any[2]"},
		{deep, "rule" + strings.Repeat(".not", segment.MaxDepth)},
		{many, "rule"},
		{&segment.Rule{Event: &segment.Event{Event: insight.Selector{Types: []string{}}, Within: -1}}, "rule.event.event.types rule.event.within"},
		{&segment.Rule{Event: &segment.Event{AtLeast: some(-1), AtMost: some(1_000_001)}}, "rule.event.atLeast rule.event.atMost"},
		{&segment.Rule{Event: &segment.Event{AtLeast: some(2), AtMost: some(1)}}, "rule.event.atLeast"},
		{&segment.Rule{All: []*segment.Rule{{Event: &segment.Event{Within: 36_501 * insight.Day}}}}, "rule.all[0].event.within"},
		{&segment.Rule{Recency: &segment.Recency{}}, "rule.recency"},
		{&segment.Rule{Recency: &segment.Recency{Event: &insight.Selector{Direction: 9}, AtLeast: some(-time.Second)}}, "rule.recency.event.direction rule.recency.atLeast"},
		{&segment.Rule{Recency: &segment.Recency{AtLeast: some(2 * time.Second), AtMost: some(time.Second)}}, "rule.recency.atLeast"},
		{&segment.Rule{Monetary: &segment.Monetary{Event: bought}}, "rule.monetary"},
		{&segment.Rule{Monetary: &segment.Monetary{AtLeast: some(math.NaN()), AtMost: some(math.Inf(1))}}, "rule.monetary.atLeast rule.monetary.atMost"},
		{&segment.Rule{Sequence: &segment.Sequence{Steps: []insight.Selector{bought}}}, "rule.sequence.steps"},
		{&segment.Rule{Sequence: &segment.Sequence{Steps: make([]insight.Selector, 21)}}, "rule.sequence.steps"},
		{&segment.Rule{Sequence: &segment.Sequence{Steps: []insight.Selector{bought, {Types: []string{""}}}}}, "rule.sequence.steps[1].types[0]"},
		{&segment.Rule{RFM: &segment.RFM{}}, "rule.rfm"},
		{&segment.Rule{RFM: &segment.RFM{R: []int{0, 5, 5}, F: []int{}, Segments: []string{"Champs"}}}, "rule.rfm.r[0] rule.rfm.r[2] rule.rfm.f rule.rfm.segments[0]"},
		{&segment.Rule{Relationship: []relationship.Status{}}, "rule.relationship"},
		{&segment.Rule{Relationship: []relationship.Status{"NEW", "GONE", "NEW"}}, "rule.relationship[1] rule.relationship[2]"},
		{&segment.Rule{Lifetime: &segment.Lifetime{}}, "rule.lifetime"},
		{&segment.Rule{Lifetime: &segment.Lifetime{ProbabilityAliveAtLeast: some(1.1), ExpectedValueAtLeast: some(math.Inf(-1))}}, "rule.lifetime.probabilityAliveAtLeast rule.lifetime.expectedValueAtLeast"},
		{&segment.Rule{Lifetime: &segment.Lifetime{ProbabilityAliveAtLeast: some(0.5), ProbabilityAliveAtMost: some(0.4)}}, "rule.lifetime.probabilityAliveAtLeast"},
		{&segment.Rule{Trait: &insight.TraitRule{Op: "LIKE", MinConfidence: 2, Provenance: []insight.Provenance{7}}}, "rule.trait rule.trait.key rule.trait.minConfidence rule.trait.provenance[0]"},
		{&segment.Rule{Consent: strings.Repeat("x", 201)}, "rule.consent"},
		{&segment.Rule{Segment: "a\x00b"}, "rule.segment"},
	} {
		var subjects []string
		for _, fault := range faults(c.rule.Validate("rule")) {
			if fault.Kind != insight.Invalid || fault.Message == "" {
				t.Errorf("%+v", fault)
			}
			subjects = append(subjects, strings.TrimSuffix(fault.Subject, ".op"))
		}
		if got := strings.Join(subjects, " "); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// faults takes a joined error apart.
func faults(err error) (all []*insight.Error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // the join itself
		for _, one := range joined.Unwrap() {
			all = append(all, faults(one)...)
		}
		return all
	}
	var one *insight.Error
	if errors.As(err, &one) {
		all = append(all, one)
	}
	return all
}

func TestReadRefuses(t *testing.T) {
	for text, subject := range map[string]string{
		``:                         "rule",
		`null`:                     "rule",
		`[]`:                       "rule",
		`{}`:                       "rule",
		`{"everyone": true} {}`:    "rule",
		"{\"consent\": \"\xff\"}":  "rule",
		`{"everyone": false}`:      "rule.everyone",
		`{"Everyone": true}`:       "rule",
		`{"every": true}`:          "rule",
		`{"consent": ""}`:          "rule.consent",
		`{"consent": null}`:        "rule.consent",
		`{"not": {"consent": 1}}`:  "rule.not.consent",
		`{"all": {}}`:              "rule.all",
		`{"all": [{}]}`:            "rule.all[0]",
		`{"all": [[]]}`:            "rule.all[0]",
		`{"event": {"within": 1}}`: "rule.event.within",
		`{"event": {}}`:            "rule.event",
		`{"event": {"event": {}, "within": "PT0S"}}`:                                    "rule.event.within",
		`{"event": {"event": {}, "within": "a while"}}`:                                 "rule.event.within",
		`{"event": {"event": {}, "atLeast": 1.5}}`:                                      "rule.event.atLeast",
		`{"event": {"event": {"types": ["a", 1]}}}`:                                     "rule.event.event.types[1]",
		`{"event": {"event": {"direction": "inbound"}}}`:                                "rule.event.event.direction",
		`{"event": {"event": {"occurredTo": "0001-01-01T00:00:00Z"}}}`:                  "rule.event.event.occurredTo",
		`{"event": {"event": {"occurredTo": "tomorrow"}}}`:                              "rule.event.event.occurredTo",
		`{"event": {"event": {"properties": [{"path": "a"}]}}}`:                         "rule.event.event.properties[0]",
		`{"monetary": {"event": {}, "atLeast": 1e999}}`:                                 "rule.monetary.atLeast",
		`{"sequence": {"within": "P1D"}}`:                                               "rule.sequence",
		`{"trait": {"key": "a", "op": "EQ", "provenance": ["GUESSED"]}}`:                "rule.trait.provenance[0]",
		`{"everyone": true, "consent": "service"}`:                                      "rule",
		`{"everyone": true, "everyone": true}`:                                          "rule",
		`{"rfm": {"r": [1], "r": [2]}}`:                                                 "rule.rfm",
		strings.Repeat(`{"not":`, 100) + `{"everyone":true}` + strings.Repeat(`}`, 100): "rule",
		`{"consent": "` + strings.Repeat("x", 64<<10) + `"}`:                            "rule",
	} {
		r, err := segment.Read([]byte(text))
		if r != nil || insight.KindOf(err) != insight.Invalid || !strings.HasPrefix(err.Error(), subject+": ") {
			t.Errorf("%.80s: %v, want a fault of %s", text, err, subject)
		}
	}
}

func TestCanonical(t *testing.T) {
	for text, want := range map[string]string{
		`{"trait": {"value": {"b": 1.0, "a": "<"}, "op": "EQ", "key": "k", "minConfidence": 0}}`:                                `{"trait":{"key":"k","op":"EQ","value":{"a":"\u003c","b":1.0}}}`,
		`{"trait": {"key": "k", "op": "EXISTS", "value": null}}`:                                                                `{"trait":{"key":"k","op":"EXISTS"}}`,
		`{"event": {"within": "P1M", "event": {"occurredFrom": "2026-01-01T01:00:00.0000019+01:00", "direction": "OUTBOUND"}}}`: `{"event":{"event":{"direction":"OUTBOUND","occurredFrom":"2026-01-01T00:00:00.000001Z"},"within":"P30D"}}`,
		`{"recency": {"overdue": false, "atLeast": "PT0S"}}`:                                                                    `{"recency":{"atLeast":"PT0S","overdue":false}}`,
	} {
		r, err := segment.Read([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := json.Marshal(r); err != nil || string(got) != want {
			t.Errorf("got  %s, %v\nwant %s", got, err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"all":[{"event":{"event":{"types":["a"],"properties":[{"path":"x","op":"IN","value":[1,"é"]}]},"atLeast":2,"within":"P30D"}},{"not":{"rfm":{"r":[1],"segments":["Lost"]}}}]}`))
	f.Add([]byte(`{"any":[{"sequence":{"steps":[{},{"occurredFrom":"2026-01-01T00:00:00Z"}]}},{"monetary":{"event":{},"atMost":-0.5}},{"lifetime":{"expectedValueAtLeast":1e300}}]}`))
	f.Add([]byte(`{"any":[{"relationship":["NEW"]},{"recency":{"atLeast":"-P1D","overdue":true}},{"trait":{"key":"k","op":"EQ","value":"\ud800","provenance":["INFERRED"]}},{"segment":"s"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := segment.Read(text)
		if err != nil {
			if insight.KindOf(err) != insight.Invalid {
				t.Fatalf("%v", err)
			}
			return
		}
		r.References()
		valid := r.Validate("rule") == nil
		written, err := json.Marshal(r)
		if err != nil {
			if valid {
				t.Fatal(err)
			}
			return
		}
		again, err := segment.Read(written)
		if err != nil {
			if valid && len(written) <= 64<<10 {
				t.Fatalf("%s, of %s: %v", written, text, err)
			}
			return
		}
		if twice, err := json.Marshal(again); err != nil || string(twice) != string(written) {
			t.Fatalf("%s, then %s", written, twice)
		}
		if valid != (again.Validate("rule") == nil) {
			t.Fatalf("%s is as valid as %s", written, text)
		}
	})
}
