package storetest

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/channel"
	"github.com/acquaint/acquaint/store"
)

func sourceOf(name string, timeout time.Duration) store.NewSource {
	return store.NewSource{Name: name, SessionTimeout: timeout}
}

func testSources(w *world) {
	s, key, err := w.CreateSource(w.ctx, store.NewSource{Name: "shop"})
	if err != nil {
		w.Fatal(err)
	}
	w.same("what it is by default", []any{s.Name, s.DefaultChannel.Key, s.SessionTimeout}, []any{"shop", "web", 30 * time.Minute})
	if len(key) < 24 {
		w.Fatalf("the write key has %d characters", len(key))
	}
	w.same("by its write key", must(w.SourceByWriteKey(w.ctx, key))(w), s)
	w.same("by its name", must(w.Source(w.ctx, "shop"))(w), s)
	w.same("by its id", must(w.Named(w.ctx, s.ID))(w), any(s))
	named, given, err := w.CreateSource(w.ctx, store.NewSource{Name: "Büro – 2", DefaultChannel: "kiosk", SessionTimeout: 90 * time.Second, WriteKey: "chosen"})
	if err != nil || given != "chosen" {
		w.Fatal(given, err)
	}
	w.same("what it was asked to be", []any{named.DefaultChannel.Key, named.DefaultChannel.Kind, named.SessionTimeout}, []any{"kiosk", insight.OtherChannel, 90 * time.Second})
	w.same("by the chosen key", must(w.SourceByWriteKey(w.ctx, "chosen"))(w), named)
	var names []string
	for _, s := range must(w.Sources(w.ctx))(w) {
		names = append(names, s.Name)
	}
	w.same("all by name", names, []string{"Büro – 2", "api", "shop"})

	for _, wrong := range []string{"", "chose", "chosen ", key + "x", strings.ToUpper(key)} {
		_, err := w.SourceByWriteKey(w.ctx, wrong)
		w.kind(err, insight.Unauthenticated, "writeKey")
		if wrong != "" && strings.Contains(insight.Detail(err), wrong) {
			w.Fatal("the error repeats the key")
		}
	}
	_, err = w.Source(w.ctx, "Shop")
	w.kind(err, insight.NotFound, "source")
	for _, c := range []struct {
		n       store.NewSource
		kind    insight.Kind
		subject string
	}{
		{store.NewSource{Name: "shop"}, insight.Conflict, "name"},
		{store.NewSource{Name: "twin", WriteKey: "chosen"}, insight.Conflict, "writeKey"},
		{store.NewSource{Name: ""}, insight.Invalid, "name"},
		{store.NewSource{Name: " x"}, insight.Invalid, "name"},
		{store.NewSource{Name: "a\x00b"}, insight.Invalid, "name"},
		{store.NewSource{Name: "a\nb"}, insight.Invalid, "name"},
		{store.NewSource{Name: strings.Repeat("ü", 101)}, insight.Invalid, "name"},
		{sourceOf("slow", 25*time.Hour), insight.Invalid, "sessionTimeout"},
		{sourceOf("fast", time.Second-1), insight.Invalid, "sessionTimeout"},
		{sourceOf("back", -time.Minute), insight.Invalid, "sessionTimeout"},
		{store.NewSource{Name: "y", DefaultChannel: "\n"}, insight.Invalid, "channel"},
	} {
		_, key, err := w.CreateSource(w.ctx, c.n)
		w.kind(err, c.kind, c.subject)
		if key != "" {
			w.Fatal("there is a write key beside the error")
		}
	}
	w.same("after the refusals", len(must(w.Sources(w.ctx))(w)), 3)
	w.same("the key's own source still", must(w.SourceByWriteKey(w.ctx, "chosen"))(w), named)
	for _, n := range []store.NewSource{sourceOf("shortest", time.Second), sourceOf("longest", insight.Day), {Name: strings.Repeat("ü", 100)}} {
		if _, _, err := w.CreateSource(w.ctx, n); err != nil {
			w.Fatal(err)
		}
	}
}

func testChannels(w *world) {
	before := must(w.Channels(w.ctx))(w)
	w.same("those that there are", len(before), len(channel.Defaults()))
	if !slices.IsSortedFunc(before, func(a, b *insight.Channel) int { return strings.Compare(a.Key, b.Key) }) {
		w.Fatal("they are not in the order of their keys")
	}
	booth := must(w.Channel(w.ctx, "booth", insight.StoreChannel))(w)
	w.same("a new one", []any{booth.Key, booth.Name, booth.Kind}, []any{"booth", "booth", insight.StoreChannel})
	w.same("again, as something else", must(w.Channel(w.ctx, "booth", insight.WebChannel))(w), booth)
	w.same("of no kind", must(w.Channel(w.ctx, `it's "odd" {\}, NULL 🙂`, ""))(w).Kind, insight.OtherChannel)
	w.same("by its id", must(w.Named(w.ctx, booth.ID))(w), any(booth))
	w.same("all", len(must(w.Channels(w.ctx))(w)), len(before)+2)
	for _, c := range []struct {
		key  string
		kind insight.ChannelKind
	}{{"", ""}, {" x", ""}, {"a\tb", ""}, {"a\xffb", ""}, {strings.Repeat("x", 101), ""}, {"moon", "ROCKET"}} {
		_, err := w.Channel(w.ctx, c.key, c.kind)
		w.kind(err, insight.Invalid, "channel")
	}
	w.same("after the refusals", len(must(w.Channels(w.ctx))(w)), len(before)+2)
	_, err := w.Named(w.ctx, uuid.New())
	w.kind(err, insight.NotFound, "id")
}

func testPurposes(w *world) {
	var keys []string
	for i, p := range must(w.Purposes(w.ctx))(w) {
		keys = append(keys, p.Key)
		want := insight.DefaultPurposes()[i]
		want.ID = p.ID
		w.same("the purpose "+p.Key, *p, want)
		w.same("by its key", must(w.Purpose(w.ctx, p.Key))(w), p)
		w.same("by its id", must(w.Named(w.ctx, p.ID))(w), any(p))
	}
	w.same("in their order", keys, []string{"service", "analytics", "personalization", "marketing", "advertising"})
	_, err := w.Purpose(w.ctx, "Service")
	w.kind(err, insight.Invalid, "purpose")
}
