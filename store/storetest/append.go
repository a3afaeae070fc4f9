package storetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/store"
)

func testAppend(w *world) {
	w.same("nothing", w.statuses(), "")

	one, two := w.event(noon, "page", who("a1")), w.event(after(1), "page", who("a1"))
	w.same("the first time", w.statuses(one, two), "accepted accepted")
	w.same("again", w.statuses(one, two), "duplicate duplicate")
	w.same("twice in one batch, beside an old one", func() string {
		three := w.event(after(2), "page", who("a1"))
		again := *three
		return w.statuses(three, one, &again, three)
	}(), "accepted duplicate duplicate duplicate")

	// A message id is unique in its source, and with the client's timestamp.
	shop, _, err := w.CreateSource(w.ctx, store.NewSource{Name: "shop"})
	if err != nil {
		w.Fatal(err)
	}
	elsewhere, later := *one, *one
	elsewhere.Source = shop
	later.Timestamp = one.Timestamp.Add(time.Millisecond)
	w.same("the same message id elsewhere and later", w.statuses(&elsewhere, &later), "accepted accepted")

	// A retry is the same event though the server's clock has moved on and corrects it otherwise.
	retried := *one
	retried.ReceivedAt, retried.OccurredAt = one.ReceivedAt.Add(time.Hour), one.OccurredAt.Add(-time.Second)
	w.same("a retry", w.statuses(&retried), "duplicate")

	// What is said of somebody is no interaction, and saying it again is fine.
	said := w.event(after(3), "identify", who("u1", "a1"))
	said.Statement, said.Traits = true, []insight.Observation{declared("plan", `"gold"`)}
	w.same("a statement", w.statuses(said, said), "accepted accepted")
	w.same("a statement again", w.statuses(said), "accepted")
	w.together("u1", "a1")

	// A statement with an event's own message id takes nothing from the event.
	four := w.event(after(4), "page", who("a1"))
	namesake := *four
	namesake.Statement = true
	w.same("a statement between an event and its copy", w.statuses(four, &namesake, four), "accepted accepted duplicate")

	w.same("what there is", must(w.reader().CountInteractions(w.ctx, []uuid.UUID{w.find("u1")}, insight.Selector{}))(w)[w.find("u1")], 6)
	w.sound()
}

// testAppendWhole: what Append is given up on, or cannot do, leaves nothing.
func testAppendWhole(w *world) {
	ctx, cancel := context.WithCancel(w.ctx)
	cancel()
	_, err := w.Append(ctx, []*insight.Event{w.event(noon, "page", who("u1", "a1"))})
	w.kind(err, insight.Unavailable, "")

	// A property that no engine takes, last in a batch of good ones.
	bad := w.event(noon, "page", who("u2", "a2"))
	bad.Source = &insight.Source{ID: uuid.New(), Name: "made up", DefaultChannel: w.api.DefaultChannel, SessionTimeout: time.Minute}
	if _, err := w.Append(w.ctx, []*insight.Event{w.event(noon, "page", who("u1", "a1")), bad}); err == nil {
		w.Fatal("an event of a source that does not exist is kept")
	}
	_, err = w.reader().Find(w.ctx, by("u1"))
	w.kind(err, insight.NotFound, "individual")
	if v := w.sound(); v.Individuals+v.Identifiers+v.Interactions+v.Links+v.Sessions+v.Traits != 0 {
		w.Fatalf("something was kept: %+v", v)
	}
	w.happens(noon, "page", "u1", "a1")
	w.sound()
}

// testAppendMany: the largest batch of a request, of few and of many people.
func testAppendMany(w *world) {
	events := make([]*insight.Event, 1000)
	for i := range events {
		names := []string{fmt.Sprintf("u%d", i%300), fmt.Sprintf("a%d", i)}
		if i%3 == 0 {
			names = names[1:]
		}
		events[i] = w.event(after(float64(i%97)), "page", who(names...))
		events[i].Traits = []insight.Observation{declared("n", fmt.Sprint(i))}
	}
	before := make([]insight.Event, len(events))
	for i, e := range events {
		before[i] = *e
	}
	w.keep(events...)
	for i, e := range events {
		if diff := cmp.Diff(before[i], *e); diff != "" {
			w.Fatalf("event %d was changed:\n%s", i, diff)
		}
	}
	v := w.sound()
	w.same("interactions", v.Interactions, 1000)
	w.same("identifiers", v.Identifiers, 1200)
	w.same("links", v.Links, 666)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	for i, o := range must(w.Append(w.ctx, events))(w) {
		if o.Status != insight.StatusDuplicate {
			w.Fatalf("event %d again: %+v", i, o)
		}
	}
	w.same("after they came again", w.sound(), v)
}

func testTraits(w *world) {
	shop, _, err := w.CreateSource(w.ctx, store.NewSource{Name: "shop"})
	if err != nil {
		w.Fatal(err)
	}
	say := func(minute float64, source *insight.Source, name string, o insight.Observation) *insight.Event {
		e := w.event(after(minute), "identify", who(name))
		e.Source, e.Traits = source, []insight.Observation{o}
		return e
	}
	shown := func(name string) string {
		text := ""
		for _, t := range insight.BestTraits(must(w.reader().Traits(w.ctx, []uuid.UUID{w.find(name)}))(w)[w.find(name)]) {
			text += fmt.Sprintf("%s=%s by %s at %s;", t.Key, t.Value, t.Source, t.ObservedAt.Format("15:04"))
		}
		return text
	}
	// The newest that a source says counts, in whatever order it comes.
	w.keep(say(2, w.api, "u1", declared("plan", `"gold"`)))
	w.keep(say(1, w.api, "u1", declared("plan", `"silver"`)))
	w.same("an older one came later", shown("u1"), `plan="gold" by api at 12:02;`)
	w.keep(say(4, w.api, "u1", declared("plan", `"iron"`)), say(3, w.api, "u1", declared("plan", `"lead"`)))
	w.same("both in one batch", shown("u1"), `plan="iron" by api at 12:04;`)

	// Of two sources the surer one is shown, though it is older.
	w.keep(say(0, shop, "u1", insight.Observation{Key: "plan", Value: []byte(`{"a":[1,2.5,null,true]}`), Provenance: insight.Inferred, Confidence: 0.9, Sensitivity: insight.Sensitive}))
	w.same("a less sure source", shown("u1"), `plan="iron" by api at 12:04;`)
	all := must(w.reader().Traits(w.ctx, []uuid.UUID{w.find("u1")}))(w)[w.find("u1")]
	w.same("what is known", len(all), 2)
	for _, t := range all {
		if t.Source == "shop" && (t.Provenance != insight.Inferred || t.Confidence != 0.9 || t.Sensitivity != insight.Sensitive || t.Key != "plan") {
			w.Fatalf("it came back as %+v", t)
		}
	}
	// Null takes away what its own source said, and shows nothing less sure.
	w.keep(say(9, w.api, "u1", declared("plan", "null")))
	w.same("taken away", shown("u1"), "")
	w.keep(say(8, w.api, "u1", declared("plan", `"zinc"`)))
	w.same("said before it was taken away", shown("u1"), "")
	w.keep(say(10, w.api, "u1", declared("plan", `"tin"`)))
	w.same("said again", shown("u1"), `plan="tin" by api at 12:10;`)

	// Two at one moment: the event's id decides, not the arrival.
	tie := func(name, message, value string) *insight.Event {
		e := say(20, w.api, name, declared("city", value))
		e.MessageID, e.Statement = message, true
		return e
	}
	w.keep(tie("u2", "m-1", `"Bonn"`), tie("u2", "m-2", `"Graz"`))
	w.keep(tie("u3", "m-2", `"Graz"`))
	w.keep(tie("u3", "m-1", `"Bonn"`))
	if there, back := shown("u2"), shown("u3"); there != back || there == "" {
		w.Fatalf("of two at one moment the arrival decides: %q and %q", there, back)
	}

	// They go with their identifier.
	w.keep(say(30, w.api, "a5", declared("size", "42")))
	w.happens(after(31), "page", "u5", "a5")
	w.same("after a login", shown("u5"), `size=42 by api at 12:30;`)
	w.sound()
}
