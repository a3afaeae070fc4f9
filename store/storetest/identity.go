package storetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/identity"
	"github.com/acquaint/acquaint/store"
)

func testFind(w *world) {
	normal := func(kind insight.IdentifierKind, value string) insight.Identity {
		return must(identity.NewIdentity(kind, value, "GB"))(w)
	}
	names := []insight.Identity{
		normal(insight.UserID, "User-1"), normal(insight.Email, "Ann@BÜCHER.example"), normal(insight.Phone, "020 7946 0958"),
		normal(insight.External, "loyalty:12:34"), normal(insight.DeviceID, "B5372DB0"), normal(insight.AnonymousID, "23adfd82"),
	}
	w.keep(w.event(noon, "page", names))
	w.happens(noon, "page", "a9")
	want := must(w.reader().Find(w.ctx, store.Lookup{Identity: names[0]}))(w)
	w.same("who it is", *want, insight.Individual{ID: want.ID, FirstSeenAt: noon, LastSeenAt: noon, Identified: true})
	for _, name := range []insight.Identity{
		normal(insight.UserID, " User-1 "), normal(insight.Email, "ann@xn--bcher-kva.EXAMPLE"), normal(insight.Phone, "+44 20 7946 0958"),
		normal(insight.External, "loyalty : 12:34"), names[4], names[5],
	} {
		w.same("found by kind", *must(w.reader().Find(w.ctx, store.Lookup{Identity: name}))(w), *want)
	}
	w.same("found by id", *must(w.reader().Find(w.ctx, store.Lookup{ID: want.ID}))(w), *want)
	if other := must(w.reader().Find(w.ctx, by("a9")))(w); other.Identified || other.ID == want.ID {
		w.Fatalf("a stranger is %+v", other)
	}
	// Values keep their case, and kinds do not mix.
	for _, l := range []store.Lookup{
		{Identity: normal(insight.UserID, "user-1")}, {Identity: normal(insight.DeviceID, "23adfd82")}, {ID: uuid.New()},
		{Identity: insight.Identity{Kind: insight.UserID, Value: "User-1' OR '1'='1"}}, {},
	} {
		_, err := w.reader().Find(w.ctx, l)
		w.kind(err, insight.NotFound, "individual")
	}
	var told []string
	for _, f := range must(w.reader().Identifiers(w.ctx, []uuid.UUID{want.ID}))(w)[want.ID] {
		told = append(told, fmt.Sprintf("%d %s %s %t", f.Kind, f.Value, f.FirstSeenAt.Format(time.TimeOnly), f.Shared))
	}
	w.same("the identifiers, strongest first", told, []string{
		"1 User-1 12:00:00 false", "2 ann@xn--bcher-kva.example 12:00:00 false", "3 +442079460958 12:00:00 false",
		"4 loyalty:12:34 12:00:00 false", "5 B5372DB0 12:00:00 false", "6 23adfd82 12:00:00 false",
	})
	people := must(w.reader().People(w.ctx, []uuid.UUID{want.ID, uuid.New()}))(w)
	w.same("people", people, map[uuid.UUID]*insight.Individual{want.ID: want})
	w.sound()
}

// testFindMerged: an id that was merged away still finds the survivor.
func testFindMerged(w *world) {
	w.happens(noon, "page", "a1")
	w.happens(after(1), "page", "a2")
	w.happens(after(2), "page", "a3")
	one, two, three := w.find("a1"), w.find("a2"), w.find("a3")
	w.happens(after(3), "login", "u1", "a3")
	w.happens(after(4), "login", "u1", "a2")
	w.happens(after(5), "login", "u1", "a1")
	for _, old := range []uuid.UUID{one, two, three} {
		w.same("an old id", must(w.reader().Find(w.ctx, store.Lookup{ID: old}))(w).ID, one)
	}
	w.same("what is kept under the oldest id", w.types(one, insight.Selector{}, everything), []string{"login", "login", "login", "page", "page", "page"})
	w.same("by an id that was merged away there are no rows", len(must(w.reader().People(w.ctx, []uuid.UUID{two, three}))(w)), 0)
	w.sound()
}

func testMerge(w *world) {
	w.happens(noon, "page", "u1", "a1")
	w.happens(after(1), "page", "u2", "a2")
	one := w.find("u1")
	id, link, err := w.Merge(w.ctx, by("u2"), by("u1"), "called us")
	if err != nil {
		w.Fatal(err)
	}
	w.same("the oldest survives", id, one)
	w.together("a1", "a2")
	w.same("all of theirs", w.types(one, insight.Selector{}, everything), []string{"page", "page"})
	w.sound()

	// Again, the other way round, by other names of the same people: the same link.
	for _, again := range [][2]store.Lookup{{by("u2"), by("u1")}, {by("u1"), by("u2")}, {by("a1"), by("u2")}, {by("a2"), by("a1")}, {{ID: one}, by("a2")}} {
		sameID, sameLink, err := w.Merge(w.ctx, again[0], again[1], "a retry")
		if err != nil || sameID != one || sameLink != link {
			w.Fatalf("merged again: %v, %v, %v", sameID, sameLink, err)
		}
	}
	e := must(w.reader().Link(w.ctx, link))(w)
	w.same("the evidence", []any{e.Operator, e.Reason, e.Source, e.MessageID, e.A.Value, e.B.Value, e.Active()}, []any{true, "called us", store.APISource, "", "u1", "u2", true})

	for _, c := range []struct {
		into, from store.Lookup
		kind       insight.Kind
		subject    string
	}{
		{by("u9"), by("u1"), insight.NotFound, "into"},
		{by("u1"), by("u9"), insight.NotFound, "from"},
		{store.Lookup{ID: uuid.New()}, by("u1"), insight.NotFound, "into"},
		{by("u1"), store.Lookup{ID: uuid.New()}, insight.NotFound, "from"},
		{by("u1"), by("u1"), insight.Invalid, "from"},
	} {
		_, _, err := w.Merge(w.ctx, c.into, c.from, "a mistake")
		w.kind(err, c.kind, c.subject)
	}
	w.sound()
}

// testMergePeople: whoever is named, by whichever of their names, is merged whole.
func testMergePeople(w *world) {
	// u1's individual was born as a1, and that is what its id names.
	w.happens(noon, "page", "a1")
	born := w.find("a1")
	w.happens(after(1), "login", "u1", "a1")
	w.happens(after(2), "page", "u2", "a2")
	id, link, err := w.Merge(w.ctx, store.Lookup{ID: born}, by("a2"), "one and the same")
	if err != nil {
		w.Fatal(err)
	}
	w.same("the survivor", id, born)
	for _, name := range []string{"u1", "u2", "a2"} {
		w.together("a1", name)
	}
	w.sound()
	must(w.Unmerge(w.ctx, []uuid.UUID{link}, "two after all"))(w)
	w.together("u1", "a1")
	w.together("u2", "a2")
	w.apart("u1", "u2")
	w.sound()

	// Somebody nobody knows by name, and what follows later goes with them.
	w.happens(after(3), "page", "e3", "a3")
	if _, _, err := w.Merge(w.ctx, by("u1"), by("a3"), "told us"); err != nil {
		w.Fatal(err)
	}
	w.together("u1", "e3")
	w.happens(after(4), "page", "e3", "a4")
	w.together("u1", "a4")

	// A shared tablet is of nobody; it can be given to somebody, alone.
	w.happens(after(5), "page", "u1", "d5")
	w.happens(after(6), "page", "u2", "d5")
	w.apart("d5", "u1")
	w.apart("d5", "u2")
	if _, link, err = w.Merge(w.ctx, by("u2"), by("d5"), "it is hers"); err != nil {
		w.Fatal(err)
	}
	w.together("u2", "d5")
	w.apart("u1", "u2")
	w.sound()
	must(w.Unmerge(w.ctx, []uuid.UUID{link}, "it is not"))(w)
	w.apart("u2", "d5")
	w.sound()
}

func testUnmerge(w *world) {
	w.happens(noon, "page", "a1")
	w.happens(after(1), "page", "u1", "a2")
	w.happens(after(2), "page", "u2", "a2")
	told := func() []string {
		var lines []string
		for _, name := range []string{"a1", "a2", "u1", "u2"} {
			id := w.find(name)
			var of []string
			for _, f := range must(w.reader().Identifiers(w.ctx, []uuid.UUID{id}))(w)[id] {
				of = append(of, fmt.Sprint(f.Value, f.Shared))
			}
			lines = append(lines, fmt.Sprint(name, id, of, w.types(id, insight.Selector{}, everything)))
		}
		return lines
	}
	before := told()
	_, link, err := w.Merge(w.ctx, by("u1"), by("u2"), "married")
	if err != nil {
		w.Fatal(err)
	}
	_, other, err := w.Merge(w.ctx, by("u2"), by("a1"), "the same phone")
	if err != nil {
		w.Fatal(err)
	}
	w.together("u1", "a1")
	ids := must(w.Unmerge(w.ctx, []uuid.UUID{link, other}, "divorced"))(w)
	w.same("what it was before", told(), before)
	want := []uuid.UUID{w.find("u1"), w.find("u2"), w.find("a1")}
	slices.SortFunc(ids, compareIDs)
	slices.SortFunc(want, compareIDs)
	w.same("whom it concerned", ids, want)
	w.sound()

	// Again, it changes nothing, not even the reason.
	again := must(w.Unmerge(w.ctx, []uuid.UUID{link, link}, "another reason"))(w)
	w.same("whom it concerned again", len(again), 2)
	e := must(w.reader().Link(w.ctx, link))(w)
	w.same("the evidence", []any{e.Reason, e.Active()}, []any{"divorced", false})
	w.same("again", told(), before)

	// Evidence can be revoked too, and stays so when it comes again: the tablet is u2's now.
	var evidence uuid.UUID
	for _, l := range must(w.reader().Links(w.ctx, []uuid.UUID{w.find("u1")}))(w)[w.find("u1")] {
		if l.B.Value == "a2" {
			evidence = l.ID
		}
	}
	must(w.Unmerge(w.ctx, []uuid.UUID{evidence}, "she only borrowed it"))(w)
	w.together("u2", "a2")
	w.happens(after(3), "page", "u1", "a2")
	w.together("u2", "a2")
	w.apart("u1", "a2")
	w.sound()

	for _, c := range []struct {
		links   []uuid.UUID
		kind    insight.Kind
		subject string
	}{
		{nil, insight.Invalid, "links"},
		{make([]uuid.UUID, 1001), insight.Invalid, "links"},
		{[]uuid.UUID{uuid.New()}, insight.NotFound, "links"},
		{[]uuid.UUID{evidence, uuid.New()}, insight.NotFound, "links"},
	} {
		_, err := w.Unmerge(w.ctx, c.links, "a mistake")
		w.kind(err, c.kind, c.subject)
	}
	// A merge after an unmerge is a judgement of its own.
	_, anew, err := w.Merge(w.ctx, by("u1"), by("u2"), "reconciled")
	if err != nil || anew == link {
		w.Fatalf("merged anew: %v, %v", anew, err)
	}
	w.together("u1", "u2")
	w.sound()
}

func compareIDs(a, b uuid.UUID) int { return strings.Compare(a.String(), b.String()) }

func testReasons(w *world) {
	w.happens(noon, "page", "u1")
	w.happens(noon, "page", "u2")
	for _, reason := range []string{"", strings.Repeat("ü", 1001), "a\x00b", "a\xffb"} {
		_, _, err := w.Merge(w.ctx, by("u1"), by("u2"), reason)
		w.kind(err, insight.Invalid, "reason")
		_, err = w.Unmerge(w.ctx, []uuid.UUID{uuid.New()}, reason)
		w.kind(err, insight.Invalid, "reason")
	}
	w.apart("u1", "u2")
	for _, reason := range []string{"x", strings.Repeat("ü", 1000)} {
		_, link, err := w.Merge(w.ctx, by("u1"), by("u2"), reason)
		if err != nil {
			w.Fatal(err)
		}
		w.same("the reason", must(w.reader().Link(w.ctx, link))(w).Reason, reason)
		must(w.Unmerge(w.ctx, []uuid.UUID{link}, reason+"!"[:min(1, 1000-len([]rune(reason)))]))(w)
	}
}

// testEvidence: links are kept once for a pair, with their earliest observation.
func testEvidence(w *world) {
	w.happens(after(5), "page", "u1", "e1", "a1")
	early := w.event(after(1), "page", who("u1", "a1"))
	w.keep(early)
	w.happens(after(9), "page", "u1", "a1")
	w.happens(after(6), "page", "u2", "a1")
	told := func(name string) []string {
		var lines []string
		for _, l := range must(w.reader().Links(w.ctx, []uuid.UUID{w.find(name)}))(w)[w.find(name)] {
			if got := must(w.reader().Link(w.ctx, l.ID))(w); got.ID != l.ID || got.A != l.A || got.B != l.B {
				w.Fatalf("by its id the link is %+v, in the list %+v", got, l)
			}
			lines = append(lines, fmt.Sprintf("%s %s-%s by %s %s", l.ObservedAt.Format("15:04"), l.A.Value, l.B.Value, l.Source, map[bool]string{true: "early", false: "other"}[l.MessageID == early.MessageID]))
		}
		return lines
	}
	// Earliest first; what touches two individuals is among the evidence of both.
	w.same("of u1", told("u1"), []string{"12:01 u1-a1 by api early", "12:05 u1-e1 by api other"})
	w.same("of u2", told("u2"), []string{"12:06 u2-a1 by api other"})
	w.same("of the shared one", told("a1"), []string{"12:01 u1-a1 by api early", "12:06 u2-a1 by api other"})
	both := must(w.reader().Links(w.ctx, []uuid.UUID{w.find("u1"), w.find("u2"), w.find("a1")}))(w)
	w.same("of all three at once", []int{len(both[w.find("u1")]), len(both[w.find("u2")]), len(both[w.find("a1")])}, []int{2, 1, 2})
	_, err := w.reader().Link(w.ctx, uuid.New())
	w.kind(err, insight.NotFound, "link")
	for _, f := range must(w.reader().Identifiers(w.ctx, []uuid.UUID{w.find("a1")}))(w)[w.find("a1")] {
		w.same("the shared one", []any{f.Value, f.Shared, f.FirstSeenAt, f.LastSeenAt}, []any{"a1", true, after(1), after(9)})
	}
	w.sound()
}
