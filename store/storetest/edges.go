package storetest

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/store"
)

// awkward texts are what array literals, JSON, SQL and file formats trip over. None
// holds a NUL, which PostgreSQL cannot keep.
var awkward = []string{
	`"`, `\`, `\\`, `\"`, `"\`, `{`, `}`, `{}`, `{"a","b"}`, `{NULL}`, `NULL`, `null`, `Null`, `,`, `a,b`, `;`, `'`, `''`, `'; DROP TABLE interactions; --`,
	`$1`, `?`, `%s`, `%`, `_`, `a b`, `(a,b)`, `[]`, `[1]`, `:`, `\n`, `\x00`, "\\u0000", `E'\\'`, `/*`, "a\tb", "a\r\nb", "\v", "\x01", "\x7f", "\u0085",
	"é", "e\u0301", "ß", "İ", "ǆ", "日本語", "🙂", "👩‍👩‍👧", "\u202Eabc", "\u2028", "\uFEFF", "\uFFFD", "\U0010FFFF", "\u200b", "true", "0", "-1", "1e999", "NaN",
	strings.Repeat(`"\{},'`, 40), strings.Repeat("ü", 127),
}

func testTexts(w *world) {
	quoted := func(s string) json.RawMessage {
		b, err := json.Marshal(s)
		if err != nil {
			w.Fatal(err)
		}
		return b
	}
	events := make([]*insight.Event, len(awkward))
	for i, text := range awkward {
		// All of it in one batch: what spoils one array spoils the batch.
		e := w.event(after(float64(i)), text, []insight.Identity{{Kind: insight.UserID, Value: text}, {Kind: insight.External, Value: "x:" + text}, {Kind: insight.AnonymousID, Value: text}})
		e.MessageID, e.Currency = text, text
		e.Campaign = insight.Campaign{Name: text, Source: text, Medium: text, Term: text, Content: text}
		e.Traits = []insight.Observation{declared(text, string(quoted(text))), declared("all", `{"v":[`+string(quoted(text))+`]}`)}
		if text != `\x00` && text != "\\u0000" { // as JSON they are fine too, but keep one without
			e.Properties = fmt.Appendf(nil, `{"text":%s,%s:{"deep":[%s]}}`, quoted(text), quoted("k"+text), quoted(text))
		}
		events[i] = e
	}
	w.keep(events...)
	v := w.sound()
	w.same("interactions", v.Interactions, len(awkward))
	w.same("individuals", v.Individuals, len(awkward))
	r := w.reader()
	for i, text := range awkward {
		id := must(r.Find(w.ctx, store.Lookup{Identity: insight.Identity{Kind: insight.External, Value: "x:" + text}}))(w).ID
		var values []string
		for _, f := range must(r.Identifiers(w.ctx, []uuid.UUID{id}))(w)[id] {
			values = append(values, f.Value)
		}
		w.same("the identifiers", values, []string{text, "x:" + text, text})
		items := w.interactions(r, []uuid.UUID{id}, insight.Selector{Types: []string{"other", text}}, everything)[id].Items
		if len(items) != 1 {
			w.Fatalf("%q: %d interactions are of the type", text, len(items))
		}
		x, e := items[0], events[i]
		w.same("texts", []any{x.MessageID, x.Type, x.Currency, x.Campaign, x.ID}, []any{text, text, text, e.Campaign, e.ID()})
		w.same("properties", decoded(w, x.Properties), decoded(w, e.Properties))
		if s := must(r.Session(w.ctx, x.ID))(w); s.Campaign != e.Campaign {
			w.Fatalf("the session's campaign is %+v, want %+v", s.Campaign, e.Campaign)
		}
		for _, t := range must(r.Traits(w.ctx, []uuid.UUID{id}))(w)[id] {
			if t.Key == text {
				w.same("the trait", decoded(w, t.Value), decoded(w, quoted(text)))
			}
		}
		if e.Properties != nil {
			s := insight.Selector{Properties: []insight.PropertyCondition{{Path: "text", Op: insight.EQ, Value: quoted(text)}}}
			w.same("by the property", must(r.CountInteractions(w.ctx, []uuid.UUID{id}, s))(w)[id], 1)
		}
		byTrait := store.Filter{Trait: &insight.TraitRule{Key: text, Op: insight.EQ, Value: quoted(text)}, Event: &insight.Selector{Types: []string{text}}}
		w.same("by the trait", must(r.CountIndividuals(w.ctx, byTrait))(w), 1)
		for _, l := range must(r.Links(w.ctx, []uuid.UUID{id}))(w)[id] {
			w.same("the evidence's message", l.MessageID, text)
		}
	}
	for _, o := range must(w.Append(w.ctx, events))(w) {
		if o.Status != insight.StatusDuplicate {
			w.Fatalf("again: %+v", o)
		}
	}
	// Long ones: an event may have 32 KB.
	long := w.event(noon, strings.Repeat("t", 5_000), who("u-long"))
	long.Properties = fmt.Appendf(nil, `{"text":%s,"deep":%s1%s}`, quoted(strings.Repeat(`"ü\`, 6_000)), strings.Repeat("[", 50), strings.Repeat("]", 50))
	w.keep(long)
	x := must(r.Interaction(w.ctx, long.ID()))(w)
	w.same("a long type", x.Type, long.Type)
	w.same("long properties", decoded(w, x.Properties), decoded(w, long.Properties))

	// Numbers are neither rounded nor lost.
	number := w.event(noon, "number", who("u-number"))
	number.Properties = []byte(`{"a":9007199254740993,"b":0.1,"c":-1.7976931348623157e308,"d":5e-324,"e":1e20,"f":0}`)
	for _, value := range []float64{0, -0.01, 0.1, 1e20, 123456789.123456789, math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64} {
		e := *number
		e.MessageID, e.Value = fmt.Sprint("value", value), &value
		w.keep(&e)
		w.same("a value", *must(r.Interaction(w.ctx, e.ID()))(w).Value, value)
	}
	for path, value := range map[string]string{"a": "9007199254740993", "b": "0.1", "c": "-1.7976931348623157e308", "d": "5e-324", "e": "100000000000000000000", "f": "0"} {
		s := insight.Selector{Properties: []insight.PropertyCondition{{Path: path, Op: insight.EQ, Value: json.RawMessage(value)}}}
		w.same("the number "+path, must(r.CountInteractions(w.ctx, []uuid.UUID{w.find("u-number")}, s))(w)[w.find("u-number")], 8)
	}
	w.sound()
}

// decoded brings JSON to one form: engines keep its meaning, not its blanks and the
// order of its keys. Texts are compared, since differences of deep values take forever.
func decoded(w *world, text []byte) string {
	w.Helper()
	if len(text) == 0 {
		return ""
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		w.Fatalf("%q is no JSON: %v", text, err)
	}
	canonical, err := json.Marshal(v)
	if err != nil {
		w.Fatal(err)
	}
	return string(canonical)
}

// testTimes: the years 1 to 9998, to the microsecond.
func testTimes(w *world) {
	first := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	last := time.Date(9998, 12, 31, 23, 59, 59, 999_999_000, time.UTC)
	moments := []time.Time{
		first.Add(time.Microsecond), first.Add(10 * time.Minute), first.Add(24 * time.Hour), time.Date(99, 6, 1, 0, 0, 0, 0, time.UTC),
		time.Date(1582, 10, 10, 0, 0, 0, 0, time.UTC), time.Date(1969, 12, 31, 23, 59, 59, 999_999_000, time.UTC), time.Unix(0, 0).UTC(), time.Unix(0, 1000).UTC(),
		time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), noon.Add(100 * time.Millisecond), noon.Add(120 * time.Millisecond), noon.Add(120*time.Millisecond + time.Microsecond), noon.Add(time.Second),
		time.Date(2026, 3, 29, 1, 30, 0, 0, time.UTC), time.Date(2038, 1, 19, 3, 14, 8, 0, time.UTC), last.Add(-10 * time.Minute), last,
	}
	var events []*insight.Event
	for i, at := range moments {
		e := w.event(at, fmt.Sprint(i), who("u1", "a1"))
		e.ReceivedAt = at
		// Their place in the world, in a zone that is not ours, is not kept; the moment is.
		e.OccurredAt = at.In(time.FixedZone("", 5*3600+45*60))
		e.Traits = []insight.Observation{declared(fmt.Sprint(i), "1")}
		events = append(events, e)
	}
	for i := range events {
		w.keep(events[(i*7+3)%len(events)])
	}
	w.sound()
	u1 := w.find("u1")
	r := w.reader()
	want := make([]string, len(moments))
	for i, at := range moments {
		want[len(moments)-1-i] = fmt.Sprint(i, " ", at.Format(time.RFC3339Nano))
	}
	list := func(w *world, p store.Page) store.Slice[*insight.Interaction] {
		w.Helper()
		return w.interactions(r, []uuid.UUID{u1}, insight.Selector{}, p)[u1]
	}
	var got []string
	for _, x := range pages(w, list, placeOf, func(x *insight.Interaction) uuid.UUID { return x.ID }) {
		got = append(got, x.Type+" "+x.OccurredAt.Format(time.RFC3339Nano))
		if !x.ReceivedAt.Equal(x.OccurredAt) {
			w.Fatalf("received at %v, occurred at %v", x.ReceivedAt, x.OccurredAt)
		}
	}
	w.same("newest first", got, want)
	one := must(r.Find(w.ctx, store.Lookup{ID: u1}))(w)
	w.same("first and last seen", []time.Time{one.FirstSeenAt, one.LastSeenAt}, []time.Time{moments[0], last})
	for i, at := range moments {
		var n int
		if n = len(must(r.Timelines(w.ctx, []uuid.UUID{u1}, insight.Selector{}, at))(w)[u1]); n != i+1 {
			w.Fatalf("as of %v there are %d, want %d", at, n, i+1)
		}
		n = must(r.CountInteractions(w.ctx, []uuid.UUID{u1}, insight.Selector{OccurredFrom: at, OccurredTo: at.Add(time.Microsecond)}))(w)[u1]
		w.same("in that microsecond", n, 1)
		s := must(r.SessionsOf(w.ctx, []uuid.UUID{events[i].ID()}))(w)[events[i].ID()]
		if s == nil || s.StartedAt.After(at) || s.EndedAt.Before(at) {
			w.Fatalf("the session of %v is %+v", at, s)
		}
	}
	w.same("sessions", must(r.CountSessions(w.ctx, []uuid.UUID{u1}))(w)[u1], 10)

	// The very first moment is Go's "no time at all"; it is kept a microsecond later.
	zero := w.event(first, "zero", who("u2", "a2"))
	w.keep(zero)
	w.keep(w.event(noon, "page", who("u2", "a2")))
	two := must(r.Find(w.ctx, by("a2")))(w)
	w.same("of the first moment", []time.Time{two.FirstSeenAt, two.LastSeenAt}, []time.Time{moments[0], noon})
	w.sound()
}
