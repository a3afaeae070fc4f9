package segment_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/insight/lifetime"
	"github.com/acquaint/acquaint/insight/recency"
	"github.com/acquaint/acquaint/insight/segment"
)

func read(t *testing.T, text string) *segment.Rule {
	t.Helper()
	r, err := segment.Read([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func program(t *testing.T, text string, m *segment.Models) (*segment.Book, *segment.Program) {
	t.Helper()
	b := segment.NewBook(purposes, nil)
	p, err := b.Compile(&segment.Definition{Purpose: purposes[2], Rule: read(t, text)}, m)
	if err != nil {
		t.Fatal(err)
	}
	return b, p
}

func TestTouchedByWhat(t *testing.T) {
	value := 5.0
	web := &insight.Interaction{Type: "a", Channel: channels[0], Direction: insight.Inbound, OccurredAt: start, Value: &value, Currency: "EUR", Properties: []byte(`{"tone":"high"}`)}
	letter := &insight.Interaction{Type: "letter", Direction: insight.Outbound, OccurredAt: start}
	all := &segment.Models{Visits: &segment.Wires{}, Cuts: &recency.Cuts{}, Lifetime: &lifetime.Fit{}, Habits: map[string]segment.Wires{segment.SelectorKey(nil): {}}}
	for text, want := range map[string][2]bool{
		`{"event": {"event": {"types": ["a"]}}}`:                                                                  {true, false},
		`{"event": {"event": {"types": ["b"]}}}`:                                                                  {false, false},
		`{"event": {"event": {"channels": ["store"]}}}`:                                                           {false, false},
		`{"event": {"event": {"channelKinds": ["WEB"]}}}`:                                                         {true, false},
		`{"event": {"event": {"direction": "OUTBOUND"}}}`:                                                         {false, true},
		`{"event": {"event": {"occurredFrom": "2026-01-01T00:00:00.000001Z"}}}`:                                   {false, false},
		`{"event": {"event": {"properties": [{"path": "tone", "op": "EQ", "value": "low"}]}}}`:                    {false, false},
		`{"sequence": {"steps": [{"types": ["b"]}, {"types": ["letter"]}]}}`:                                      {false, true},
		`{"monetary": {"event": {}, "atLeast": 1}}`:                                                               {true, false},
		`{"monetary": {"event": {"currencies": ["USD"]}, "atLeast": 1}}`:                                          {false, false},
		`{"recency": {"overdue": true}}`:                                                                          {true, false},
		`{"rfm": {"r": [1]}}`:                                                                                     {true, false},
		`{"lifetime": {"expectedValueAtLeast": 1}}`:                                                               {true, false},
		`{"relationship": ["NEW"]}`:                                                                               {true, true},
		`{"any": [{"everyone": true}, {"consent": "marketing"}, {"trait": {"key": "tier", "op": "NOT_EXISTS"}}]}`: {false, false},
	} {
		_, p := program(t, text, all)
		if got := [2]bool{p.TouchedBy(web), p.TouchedBy(letter)}; got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestNeeds(t *testing.T) {
	_, p := program(t, `{"all": [
		{"not": {"relationship": ["NEW"]}}, {"rfm": {"r": [1]}}, {"any": [{"lifetime": {"probabilityAliveAtMost": 1}}, {"consent": "marketing"}]},
		{"recency": {"event": {"types": ["a"]}, "overdue": true}}, {"recency": {"event": {"types": ["a"]}, "overdue": false}},
		{"recency": {"event": {"types": ["b"]}, "atMost": "P1D"}}, {"trait": {"key": "tier", "op": "EXISTS"}},
		{"sequence": {"steps": [{"types": ["b"]}, {"properties": [{"path": "tone", "op": "EXISTS"}]}]}}]}`, nil)
	want := segment.Needs{Habits: []insight.Selector{{Types: []string{"a"}}}, Visits: true, Cuts: true, Lifetime: true, Timeline: true, Properties: true, Traits: true, Coverage: true}
	if diff := cmp.Diff(want, p.Needs()); diff != "" {
		t.Error(diff)
	}
	_, p = program(t, `{"not": {"everyone": true}}`, nil)
	if diff := cmp.Diff(segment.Needs{}, p.Needs()); diff != "" || p.Timed() {
		t.Error(diff, p.Timed())
	}
	if _, p = program(t, `{"event": {"event": {}, "within": "P1D"}}`, nil); !p.Timed() {
		t.Error("a window does not end by itself")
	}
	if _, p = program(t, `{"event": {"event": {}}}`, nil); p.Timed() {
		t.Error("what happened ceases to have happened")
	}
}

func TestCompileRefuses(t *testing.T) {
	everyone := &segment.Rule{Everyone: true}
	segments := map[string]*segment.Definition{
		"broken": {Key: "broken", Purpose: purposes[0], Rule: &segment.Rule{Not: &segment.Rule{}}},
		"self":   {Key: "self", Purpose: purposes[0], Rule: &segment.Rule{All: []*segment.Rule{everyone, {Segment: "self"}}}},
		"0":      {Key: "0", Purpose: purposes[0], Rule: everyone},
		"deep 0": {Key: "deep 0", Purpose: purposes[0], Rule: everyone},
	}
	for i := range 60 {
		// Twice as many leaves each time, and one rule deeper.
		below := &segment.Rule{Segment: fmt.Sprint(i)}
		segments[fmt.Sprint(i+1)] = &segment.Definition{Key: fmt.Sprint(i + 1), Purpose: purposes[0], Rule: &segment.Rule{Any: []*segment.Rule{below, below}}}
		segments[fmt.Sprint("deep ", i+1)] = &segment.Definition{Key: fmt.Sprint("deep ", i+1), Purpose: purposes[0], Rule: &segment.Rule{Segment: fmt.Sprint("deep ", i)}}
	}
	for _, c := range []struct {
		d    segment.Definition
		want string
	}{
		{segment.Definition{Rule: everyone}, "purpose: it is missing"},
		{segment.Definition{Purpose: purposes[0], Rule: everyone, MinConfidence: 2}, "minConfidence: it must lie between 0 and 1"},
		{segment.Definition{Purpose: purposes[0]}, "rule: it is missing"},
		{segment.Definition{Purpose: purposes[0], Rule: &segment.Rule{Segment: "self"}}, "rule.segment(self).all[1].segment: it leads back to itself: self, self"},
		{segment.Definition{Purpose: purposes[0], Rule: &segment.Rule{Segment: "broken"}}, "rule.segment(broken).not: it says nothing; one member is set"},
		{segment.Definition{Purpose: purposes[0], Rule: &segment.Rule{Not: &segment.Rule{Consent: "war"}}}, `rule.not.consent: there is no purpose "war"`},
		{segment.Definition{Purpose: purposes[0], Rule: &segment.Rule{Segment: "20"}}, "rule.segment(20).any[0]"},
		{segment.Definition{Purpose: purposes[0], Rule: &segment.Rule{Segment: "deep 60"}}, "rule.segment(deep 60).segment(deep 59)"},
		{segment.Definition{Purpose: purposes[0], Rule: &segment.Rule{Segment: "9"}}, ""},
		{segment.Definition{Purpose: purposes[0], Rule: &segment.Rule{Segment: "deep 40"}}, ""},
	} {
		p, err := segment.NewBook(purposes, segments).Compile(&c.d, nil)
		switch {
		case c.want == "" && err != nil, c.want != "" && (err == nil || p != nil || !strings.HasPrefix(err.Error(), c.want)):
			t.Errorf("%v, want %s", err, c.want)
		case err != nil && insight.KindOf(err) != insight.Invalid:
			t.Errorf("%v is not invalid", err)
		}
	}
	r := read(t, `{"all": [{"segment": "b"}, {"not": {"any": [{"segment": "a"}, {"segment": "b"}]}}]}`)
	if diff := cmp.Diff([]string{"a", "b"}, r.References()); diff != "" {
		t.Error(diff)
	}
}

// What lifetime expects is looked for 64 days ahead, and nothing is told beyond.
func TestLook(t *testing.T) {
	m := &segment.Models{Lifetime: &lifetime.Fit{
		Model: lifetime.BGNBD, Parameters: []lifetime.Parameter{{Name: "r", Value: 0.24}, {Name: "alpha", Value: 4.4}, {Name: "a", Value: 0.79}, {Name: "b", Value: 2.4}},
	}}
	b, p := program(t, `{"all": [{"lifetime": {"probabilityAliveAtLeast": 0.1}}, {"event": {"event": {}, "within": "P2Y"}}]}`, m)
	f := &segment.Facts{Coverage: []consent.Span{{Set: 15}}}
	for i, days := range []int{0, 7, 10} {
		f.Timeline = append(f.Timeline, &insight.Interaction{ID: uuid.UUID{15: byte(i + 1)}, Type: "a", Direction: insight.Inbound, OccurredAt: start.Add(time.Duration(days) * insight.Day)})
	}
	s := b.Subject(f)
	from := f.Timeline[2].OccurredAt
	whole := p.Over(s, from, from.Add(3*insight.Year))
	if !whole.Holds || len(whole.Changes) != 1 || !whole.Next.IsZero() || !whole.Look.IsZero() {
		t.Fatalf("%+v", whole)
	}
	ends := whole.Changes[0]
	if ends.Sub(from) < 80*insight.Day || !ends.Equal(ends.Truncate(insight.Day)) {
		t.Fatalf("it ends at %v", ends)
	}
	before := ends.Add(-70*insight.Day + time.Hour)
	if c := p.Over(s, before, before); !c.Holds || !c.Next.IsZero() || !c.Look.Equal(ends.Add(-6*insight.Day)) {
		t.Errorf("%+v, and it ends at %v", c, ends)
	}
	if c := p.Over(s, ends.Add(-insight.Day), ends.Add(-insight.Precision)); !c.Holds || !c.Next.Equal(ends) || !c.Look.Equal(ends) {
		t.Errorf("%+v, and it ends at %v", c, ends)
	}
}

// Centuries neither overflow nor come out as a time that nobody can write.
func TestEndOfTime(t *testing.T) {
	b, p := program(t, `{"any": [{"event": {"event": {}, "within": "P99Y"}}, {"recency": {"atLeast": "P99Y"}}]}`, nil)
	year := func(n int) time.Time { return time.Date(n, 1, 1, 0, 0, 0, 0, time.UTC) }
	f := &segment.Facts{Coverage: []consent.Span{{Set: 15}}, Timeline: insight.Timeline{
		{ID: uuid.UUID{15: 1}, Direction: insight.Outbound, OccurredAt: year(1)}, {ID: uuid.UUID{15: 2}, Direction: insight.Outbound, OccurredAt: year(9990)},
	}}
	c := p.Over(b.Subject(f), year(1).Add(-time.Hour), year(9998))
	if c.Holds || len(c.Changes) != 3 || !c.Next.IsZero() || !c.Look.IsZero() {
		t.Errorf("%+v", c)
	}
}

// A reason names what is known by an id, and no more than a handful.
func TestReasonsNameInteractions(t *testing.T) {
	b, p := program(t, `{"monetary": {"event": {}, "atLeast": 1}}`, nil)
	f := &segment.Facts{Coverage: []consent.Span{{Set: 15}}}
	for i := range 8 {
		when := start.Add(time.Duration(i) * time.Hour)
		f.Timeline = append(f.Timeline, &insight.Interaction{ID: insight.EventID(uuid.UUID{1}, fmt.Sprint(i), when), Type: "a", Channel: channels[0], OccurredAt: when, Value: some(0.1), Currency: "EUR"})
	}
	reason := p.Why(b.Subject(f), at(100))[1]
	text, _ := json.Marshal(reason.Facts)
	if len(reason.Facts) != 7 || reason.Facts[0] != "together 0.8, of 8 interactions" || reason.Facts[1] != "3 earlier interactions" || reason.Holds ||
		reason.Facts[6] != "a on web at 2026-01-01T07:00:00Z, worth 0.1 EUR, "+insight.FormatID(insight.InteractionPrefix, f.Timeline[7].ID) {
		t.Errorf("%s", text)
	}
}
