package segment_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/insight/lifetime"
	"github.com/acquaint/acquaint/insight/recency"
	"github.com/acquaint/acquaint/insight/relationship"
	"github.com/acquaint/acquaint/insight/segment"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// slot is what moments are drawn in, so that they meet often; four are a day.
const slot = 6 * time.Hour

func at(slots int) time.Time { return start.Add(time.Duration(slots) * slot) }

func some[T any](x T) *T { return &x }

func one[T any](t *rapid.T, of ...T) T {
	return of[rapid.SampledFrom(positions(len(of))).Draw(t, "one")]
}

func positions(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

var channels = []*insight.Channel{{Key: "web", Kind: insight.WebChannel}, {Key: "store", Kind: insight.StoreChannel}}

var purposes = []*insight.Purpose{
	{Key: "marketing", Bit: 3, LegalBasis: insight.BasisConsent},
	{Key: "analytics", Bit: 1, LegalBasis: insight.BasisLegitimateInterest},
	{Key: "service", Bit: 0, LegalBasis: insight.BasisContract},
}

// moments draws slots, some a microsecond off.
func draw(t *rapid.T) time.Time {
	return at(rapid.IntRange(0, 200).Draw(t, "slot")).Add(one[time.Duration](t, 0, 0, 0, 1, -1) * insight.Precision)
}

func interaction(t *rapid.T, when time.Time, ordinal int) *insight.Interaction {
	x := &insight.Interaction{
		ID: uuid.UUID{14: byte(ordinal >> 8), 15: byte(ordinal)}, Type: one(t, "a", "b", "c"), Channel: one(t, channels...),
		Direction: one(t, insight.Inbound, insight.Inbound, insight.Outbound), OccurredAt: when,
	}
	if rapid.Bool().Draw(t, "a value") {
		x.Value, x.Currency = some(one(t, 0.1, 0.2, 0.3, 10, -5, 1e16)), one(t, "EUR", "USD")
	}
	if rapid.Bool().Draw(t, "a property") {
		x.Properties = json.RawMessage(one(t, `{"tone":"high"}`, `{"tone":"low"}`))
	}
	return x
}

func history(t *rapid.T) segment.Facts {
	var f segment.Facts
	var moments []time.Time
	for range rapid.IntRange(0, 14).Draw(t, "interactions") {
		moments = append(moments, draw(t))
	}
	slices.SortFunc(moments, time.Time.Compare)
	for i, when := range moments {
		f.Timeline = append(f.Timeline, interaction(t, when, i+1))
	}
	for range rapid.IntRange(0, 5).Draw(t, "traits") {
		f.Traits = append(f.Traits, insight.Trait{
			Key: one(t, "tier", "age"), Value: json.RawMessage(one(t, `"gold"`, `"iron"`, `7`, `null`)), Provenance: one(t, insight.Declared, insight.Inferred),
			Confidence: one(t, 0.2, 0.5, 0.9), Source: one(t, "crm", "web"), ObservedAt: draw(t),
		})
	}
	spans := []time.Time{{}}
	for range rapid.IntRange(0, 3).Draw(t, "spans") {
		spans = append(spans, draw(t))
	}
	slices.SortFunc(spans, time.Time.Compare)
	for _, from := range slices.CompactFunc(spans, time.Time.Equal) {
		f.Coverage = append(f.Coverage, consent.Span{From: from, Set: one(t, insight.Set(15), 15, 11, 3, 1, 0)})
	}
	from := rapid.IntRange(0, 100).Draw(t, "refused")
	if rapid.Bool().Draw(t, "a refusal") {
		f.Refusals = []insight.Refusal{{From: at(from), To: at(from + rapid.IntRange(1, 100).Draw(t, "until"))}}
		if rapid.Bool().Draw(t, "still") {
			f.Refusals[0].To = time.Time{}
		}
	}
	return f
}

func selector(t *rapid.T) insight.Selector {
	var s insight.Selector
	switch rapid.IntRange(0, 6).Draw(t, "selector") {
	case 0:
	case 1:
		s = insight.AnyInbound()
	case 2:
		s.Types, s.Properties = []string{"a"}, []insight.PropertyCondition{{Path: "tone", Op: one(t, insight.EQ, insight.NE), Value: json.RawMessage(`"high"`)}}
	case 3:
		s.Channels, s.Currencies = []string{"web"}, []string{"EUR"}
	case 4:
		s.Types, s.OccurredFrom, s.OccurredTo = []string{"a", "b"}, at(20), at(120)
	default:
		s.Types = []string{one(t, "a", "b", "c")}
	}
	return s
}

func length(t *rapid.T) time.Duration {
	return time.Duration(rapid.IntRange(1, 60).Draw(t, "length"))*slot + one[time.Duration](t, 0, 0, 1, -1)*insight.Precision + one[time.Duration](t, 0, 0, 0, 1)*time.Nanosecond
}

// maybe draws a value, or nil.
func maybe[T any](t *rapid.T, value T) *T {
	if rapid.Bool().Draw(t, "given") {
		return &value
	}
	return nil
}

// among draws some of a list, or nil.
func among[T any](t *rapid.T, of ...T) (some []T) {
	for _, x := range of {
		if rapid.IntRange(0, 2).Draw(t, "among") == 0 {
			some = append(some, x)
		}
	}
	return some
}

func leaf(t *rapid.T, keys ...string) *segment.Rule {
	low := rapid.IntRange(0, 3).Draw(t, "low")
	high := low + rapid.IntRange(0, 3).Draw(t, "more")
	within := one(t, 0, length(t))
	switch rapid.IntRange(0, 11).Draw(t, "leaf") {
	case 0:
		return &segment.Rule{Event: &segment.Event{Event: selector(t), AtLeast: maybe(t, low), AtMost: maybe(t, high), Within: within}}
	case 1:
		r := &segment.Recency{AtLeast: maybe(t, time.Duration(low)*slot*10), AtMost: maybe(t, time.Duration(high)*slot*10+one[time.Duration](t, 0, 1)*time.Nanosecond), Overdue: maybe(t, rapid.Bool().Draw(t, "overdue"))}
		if rapid.Bool().Draw(t, "an event") {
			r.Event = some(selector(t))
		}
		if r.AtLeast == nil && r.AtMost == nil && r.Overdue == nil {
			r.Overdue = some(true)
		}
		return &segment.Rule{Recency: r}
	case 2:
		m := &segment.Monetary{Event: selector(t), AtLeast: some(one(t, 0, 0.3, 0.6, 10, 1e16)), Within: within}
		if rapid.Bool().Draw(t, "at most") {
			m.AtMost = some(*m.AtLeast + one(t, 0, 0.3, 10))
		}
		return &segment.Rule{Monetary: m}
	case 3:
		q := &segment.Sequence{Within: within}
		for range rapid.IntRange(2, 4).Draw(t, "steps") {
			q.Steps = append(q.Steps, selector(t))
		}
		return &segment.Rule{Sequence: q}
	case 4:
		r := &segment.RFM{R: among(t, 1, 2, 3, 4, 5), F: among(t, 1, 2, 5), M: among(t, 1, 3, 5)}
		if r.R == nil && r.F == nil && r.M == nil {
			r.Segments = []string{"Champions", "Lost", "At Risk"}
		}
		return &segment.Rule{RFM: r}
	case 5:
		return &segment.Rule{Relationship: append(among(t, relationship.Statuses[1:]...), relationship.Stranger)}
	case 6:
		l := &segment.Lifetime{ProbabilityAliveAtLeast: maybe(t, one(t, 0.1, 0.5)), ProbabilityAliveAtMost: maybe(t, one(t, 0.6, 0.9)), ExpectedValueAtLeast: maybe(t, one(t, 0.0, 10, 100))}
		if l.ProbabilityAliveAtLeast == nil && l.ProbabilityAliveAtMost == nil {
			l.ExpectedValueAtLeast = some(20.0)
		}
		return &segment.Rule{Lifetime: l}
	case 7:
		return &segment.Rule{Consent: one(t, "marketing", "analytics", "service")}
	case 8:
		return &segment.Rule{Everyone: true}
	case 9:
		if len(keys) > 0 {
			return &segment.Rule{Segment: one(t, keys...)}
		}
		fallthrough
	default:
		return &segment.Rule{Trait: &insight.TraitRule{
			Key: one(t, "tier", "age"), Op: one(t, insight.EQ, insight.NE), Value: json.RawMessage(one(t, `"gold"`, `7`)),
			MinConfidence: one(t, 0, 0.5), Provenance: among(t, insight.Declared, insight.Inferred),
		}}
	}
}

func rule(t *rapid.T, depth int, keys ...string) *segment.Rule {
	if depth == 0 {
		return leaf(t, keys...)
	}
	inner := func() (of []*segment.Rule) {
		for range rapid.IntRange(1, 3).Draw(t, "rules") {
			of = append(of, rule(t, depth-1, keys...))
		}
		return of
	}
	switch rapid.IntRange(0, 4).Draw(t, "rule") {
	case 0:
		return &segment.Rule{All: inner()}
	case 1:
		return &segment.Rule{Any: inner()}
	case 2:
		return &segment.Rule{Not: rule(t, depth-1, keys...)}
	}
	return leaf(t, keys...)
}

func models(t *rapid.T) *segment.Models {
	if rapid.IntRange(0, 9).Draw(t, "no models") == 0 {
		return nil
	}
	wires := func() (w segment.Wires) {
		for i := range w {
			w[i] = maybe(t, length(t)/2)
		}
		return w
	}
	m := &segment.Models{Habits: map[string]segment.Wires{}, Visits: some(wires())}
	m.Habits[segment.SelectorKey(nil)] = wires()
	for range 6 {
		s := selector(t)
		m.Habits[segment.SelectorKey(&s)] = wires()
	}
	m.Cuts = &recency.Cuts{Recency: [4]float64{3, 7.5, 12, 30}, Frequency: [4]float64{2, 3, 4, 6}, Monetary: [4]float64{0.25, 1, 11, 20}}
	m.Lifetime = &lifetime.Fit{
		Model: lifetime.BGNBD, Parameters: []lifetime.Parameter{{Name: "r", Value: 0.24}, {Name: "alpha", Value: 4.4}, {Name: "a", Value: 0.79}, {Name: "b", Value: 2.4}},
		Spend: []lifetime.Parameter{{Name: "p", Value: 6.25}, {Name: "q", Value: 3.74}, {Name: "v", Value: 15.4}},
	}
	switch rapid.IntRange(0, 6).Draw(t, "missing") {
	case 0:
		m.Visits = nil
	case 1:
		m.Cuts = nil
	case 2:
		m.Lifetime = nil
	case 3:
		m.Habits = nil
	}
	return m
}

func worlds(t *rapid.T) *world {
	w := &world{facts: history(t), purposes: purposes, models: models(t), segments: map[string]*segment.Definition{}}
	w.segments["x"] = &segment.Definition{Key: "x", Purpose: purposes[0], MinConfidence: 0.6, Rule: rule(t, 1)}
	w.segments["y"] = &segment.Definition{Key: "y", Purpose: purposes[2], Rule: rule(t, 1, "x")}
	return w
}

func definition(t *rapid.T) *segment.Definition {
	return &segment.Definition{Purpose: one(t, purposes...), MinConfidence: one(t, 0, 0.4), Rule: rule(t, 3, "x", "y")}
}

func compile(t *rapid.T, w *world, b *segment.Book, d *segment.Definition) *segment.Program {
	p, err := b.Compile(d, w.models)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return p
}

// boundaries are the moments at which something may turn, and those beside them.
func (w *world) boundaries(c *segment.Course) []time.Time {
	var all []time.Time
	for _, x := range w.facts.Timeline {
		all = append(all, x.OccurredAt)
	}
	for _, x := range w.facts.Traits {
		all = append(all, x.ObservedAt)
	}
	for _, s := range w.facts.Coverage[1:] {
		all = append(all, s.From)
	}
	all = append(all, c.Changes...)
	if !c.Next.IsZero() {
		all = append(all, c.Next)
	}
	for _, moment := range slices.Clone(all) {
		all = append(all, moment.Add(-insight.Precision), moment.Add(insight.Precision))
	}
	for day := range 70 {
		all = append(all, start.Add(time.Duration(day)*insight.Day))
	}
	return all
}

// A course is what the definition says at every moment, and each change is where it turns.
func TestOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := worlds(t)
		b := segment.NewBook(purposes, w.segments)
		subject := b.Subject(&w.facts)
		for range rapid.IntRange(1, 4).Draw(t, "segments") {
			d := definition(t)
			p := compile(t, w, b, d)
			from := draw(t)
			until := from.Add(one(t, 0, length(t), insight.Year))
			c := p.Over(subject, from, until)
			judge(t, w, b, d, p, from, until, &c)
			// Whatever was asked before, and of whom, the answer is the same.
			again := b.Subject(&segment.Facts{})
			p.Over(again, from, until)
			again.Reset(&w.facts)
			p.Why(again, until)
			if diff := cmp.Diff(c, p.Over(again, from, until)); diff != "" {
				t.Fatalf("another subject: %s", diff)
			}
		}
	})
}

func judge(t *rapid.T, w *world, b *segment.Book, d *segment.Definition, p *segment.Program, from, until time.Time, c *segment.Course) {
	// known is until when the course is told.
	known := c.Look
	switch {
	case c.Look.IsZero():
		known = until.Add(3 * insight.Year)
	case !c.Look.After(until):
		t.Fatalf("look at %v, which is not after %v", c.Look, until)
	case !c.Next.IsZero() && !c.Next.Equal(c.Look):
		t.Fatalf("next %v, look %v", c.Next, c.Look)
	}
	was := from
	for _, change := range c.Changes {
		if !change.After(was) || change.After(until) {
			t.Fatalf("a change at %v, after %v, until %v", change, was, until)
		}
		was = change
	}
	told := func(moment time.Time) bool {
		holds := c.Holds
		for _, change := range c.Changes {
			if !change.After(moment) {
				holds = !holds
			}
		}
		if !c.Next.IsZero() && !c.Next.After(moment) {
			holds = !holds
		}
		return holds
	}
	check := func(moment time.Time) {
		if moment.Before(from) || moment.After(known) || !c.Next.IsZero() && moment.After(c.Next) {
			return
		}
		if got, want := told(moment), w.member(d, moment); got != want {
			text, _ := json.Marshal(d.Rule)
			t.Fatalf("%v at %v, want %v, of %+v from %v until %v\n%s\n%s", got, moment, want, *c, from, until, text, shown(p.Why(b.Subject(&w.facts), moment)))
		}
	}
	check(from)
	check(until)
	for _, moment := range w.boundaries(c) {
		check(moment)
	}
	for range 20 {
		check(from.Add(time.Duration(rapid.IntRange(0, 2000).Draw(t, "later")) * slot))
	}
	for moment, holds := range turns(c) {
		if w.member(d, moment) != holds || w.member(d, moment.Add(-insight.Precision)) == holds {
			t.Fatalf("it does not turn at %v", moment)
		}
	}
}

func shown(reasons []segment.Reason) (text string) {
	for _, r := range reasons {
		text += fmt.Sprintf("%+v\n", r)
	}
	return text
}

// turns are the changes of a course and what holds from each on.
func turns(c *segment.Course) map[time.Time]bool {
	all, holds := map[time.Time]bool{}, c.Holds
	for _, change := range c.Changes {
		holds = !holds
		all[change] = holds
	}
	if !c.Next.IsZero() {
		all[c.Next] = !holds
	}
	return all
}

// Waiting for each look tells the same changes as asking for the whole time at once.
func TestOneByOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := worlds(t)
		b := segment.NewBook(purposes, w.segments)
		p := compile(t, w, b, definition(t))
		subject := b.Subject(&w.facts)
		from := draw(t)
		until := from.Add(insight.Year)
		whole := p.Over(subject, from, until)
		var changes []time.Time
		for now, looks := from, 0; ; looks++ {
			c := p.Over(subject, now, now)
			if c.Look.IsZero() || c.Look.After(until) {
				break
			}
			after := p.Over(subject, c.Look, c.Look)
			if after.Holds != c.Holds {
				changes = append(changes, c.Look)
			}
			if !c.Next.IsZero() != (after.Holds != c.Holds) {
				t.Fatalf("next %v, and %v becomes %v", c.Next, c.Holds, after.Holds)
			}
			if now = c.Look; looks > 500 {
				t.Fatalf("nothing but looking since %v", from)
			}
		}
		if diff := cmp.Diff(whole.Changes, changes); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestOrderOfArrival(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := worlds(t)
		b := segment.NewBook(purposes, w.segments)
		p := compile(t, w, b, definition(t))
		want := p.Over(b.Subject(&w.facts), start, at(100))
		other := w.facts
		other.Timeline, other.Traits = slices.Clone(other.Timeline), slices.Clone(other.Traits)
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		random.Shuffle(len(other.Timeline), func(i, j int) {
			other.Timeline[i], other.Timeline[j] = other.Timeline[j], other.Timeline[i]
		})
		random.Shuffle(len(other.Traits), func(i, j int) { other.Traits[i], other.Traits[j] = other.Traits[j], other.Traits[i] })
		if diff := cmp.Diff(want, p.Over(b.Subject(&other), start, at(100))); diff != "" {
			t.Fatal(diff)
		}
		// Ids that nobody knows change nothing where the timeline is in order.
		nameless := w.facts
		nameless.Timeline = nil
		for _, x := range w.facts.Timeline {
			copied := *x
			copied.ID = uuid.UUID{}
			nameless.Timeline = append(nameless.Timeline, &copied)
		}
		if diff := cmp.Diff(want, p.Over(b.Subject(&nameless), start, at(100))); diff != "" {
			t.Fatalf("without ids: %s", diff)
		}
	})
}

// What does not touch a program changes no answer.
func TestTouched(t *testing.T) {
	untouched := 0
	rapid.Check(t, func(t *rapid.T) {
		w := worlds(t)
		b := segment.NewBook(purposes, w.segments)
		p := compile(t, w, b, definition(t))
		want := p.Over(b.Subject(&w.facts), start, at(100))
		if x := interaction(t, draw(t), 0); !p.TouchedBy(x) {
			untouched++
			more := w.facts
			more.Timeline = append(slices.Clone(more.Timeline), x)
			slices.SortFunc(more.Timeline, func(x, y *insight.Interaction) int {
				if x.Before(y) {
					return -1
				}
				return 1
			})
			if diff := cmp.Diff(want, p.Over(b.Subject(&more), start, at(100))); diff != "" {
				t.Fatalf("%+v changes it: %s", x, diff)
			}
		}
		if types, every := p.Types(); !every {
			if x := interaction(t, draw(t), 0); p.TouchedBy(x) && !slices.Contains(types, x.Type) {
				t.Fatalf("%+v touches it, and its types are %q", x, types)
			}
		}
		key := one(t, "tier", "age", "size")
		if p.TouchedByTrait(key) != slices.Contains(p.TraitKeys(), key) || p.Needs().Traits != (len(p.TraitKeys()) > 0) {
			t.Fatalf("%v, touched by %s: %v", p.TraitKeys(), key, p.TouchedByTrait(key))
		}
		if !p.TouchedByTrait(key) {
			more := w.facts
			more.Traits = append(slices.Clone(more.Traits), insight.Trait{Key: key, Value: json.RawMessage(`"gold"`), Provenance: insight.Declared, Confidence: 1, ObservedAt: draw(t)})
			if diff := cmp.Diff(want, p.Over(b.Subject(&more), start, at(100))); diff != "" {
				t.Fatalf("%s changes it: %s", key, diff)
			}
		}
		if !p.Timed() {
			// Without anything dated ahead nothing is left to change.
			if c := p.Over(b.Subject(&w.facts), at(300), at(300)); !c.Next.IsZero() || !c.Look.IsZero() {
				t.Fatalf("time alone changes it at %v", c.Next)
			}
		}
	})
	if untouched == 0 {
		t.Error("every interaction touched every segment")
	}
}

// The reasons say, with and, or and not, what the course says.
func TestWhy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := worlds(t)
		b := segment.NewBook(purposes, w.segments)
		subject := b.Subject(&w.facts)
		d := &segment.Definition{Purpose: one(t, purposes...), Rule: leaf(t, "y")}
		p := compile(t, w, b, d)
		moment := draw(t)
		c, reasons := p.Over(subject, moment, moment), p.Why(subject, moment)
		for _, r := range reasons {
			if r.Rule == "" || len(r.Facts) == 0 || !r.Until.IsZero() && !r.Until.After(moment) {
				t.Fatalf("%+v", r)
			}
		}
		if d.Rule.Segment == "" {
			if len(reasons) != 2 || (reasons[0].Holds && reasons[1].Holds) != c.Holds {
				t.Fatalf("%+v, and %+v", c, reasons)
			}
			alone := &segment.Definition{Purpose: d.Purpose, Rule: &segment.Rule{Any: []*segment.Rule{d.Rule, {Everyone: true}}}}
			if again := compile(t, w, b, alone).Why(subject, moment); len(again) != 3 || again[1].Holds != reasons[1].Holds || !again[1].Until.Equal(reasons[1].Until) {
				t.Fatalf("%+v", again)
			}
		}
	})
}

// Of equal rules the text is the same, and reading it gives the rule.
func TestText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rule(t, 3, "x", "y")
		if err := r.Validate("rule"); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := segment.Read(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if diff := cmp.Diff(r, got); diff != "" {
			t.Fatalf("%s: %s", text, diff)
		}
		again, err := json.Marshal(got)
		if err != nil || string(again) != string(text) {
			t.Fatalf("%s, then %s", text, again)
		}
	})
}
