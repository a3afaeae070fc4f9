package storetest

import (
	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/store"
)

func testWhoMayRead(w *world) {
	for name, c := range map[string]struct {
		change  func(*insight.Viewer)
		kind    insight.Kind
		subject string
	}{
		"without the scope":       {func(v *insight.Viewer) { v.Scopes = []insight.Scope{insight.ScopeInsightsRead} }, insight.Denied, ""},
		"without any scope":       {func(v *insight.Viewer) { v.Scopes = nil }, insight.Denied, ""},
		"with one's own alone":    {func(v *insight.Viewer) { v.Scopes = []insight.Scope{insight.ScopeSelf} }, insight.NotFound, "individual"},
		"for a foreign purpose":   {func(v *insight.Viewer) { v.Purposes = []string{"service", "marketing"} }, insight.Denied, "Acquaint-Purpose"},
		"for an unknown purpose":  {func(v *insight.Viewer) { v.Purpose, v.Purposes = "curiosity", []string{"curiosity"} }, insight.Invalid, "purpose"},
		"for no purpose of many":  {func(v *insight.Viewer) { v.Purpose = "" }, insight.Invalid, "Acquaint-Purpose"},
		"with no purpose allowed": {func(v *insight.Viewer) { v.Purpose, v.Purposes = "", nil }, insight.Invalid, "Acquaint-Purpose"},
	} {
		w.sub(name, func(w *world) {
			v := viewer("analytics")
			c.change(v)
			r, err := w.Reader(w.ctx, v, nil)
			w.kind(err, c.kind, c.subject)
			if r != nil {
				w.Fatal("there is a reader beside the error")
			}
		})
	}
	only := viewer("")
	only.Purposes = []string{"service"}
	w.same("the only purpose is the one", must(w.Reader(w.ctx, only, nil))(w).Purpose().Key, "service")
	admin := viewer("marketing")
	admin.Scopes = []insight.Scope{insight.ScopeAdmin}
	w.same("an administrator declares a purpose too", must(w.Reader(w.ctx, admin, nil))(w).Purpose().Key, "marketing")
}

// testWall: with nothing decided, service and analytics read, and for every other
// purpose nobody exists, whatever is asked.
func testWall(w *world) {
	first := w.event(noon, "page", who("u1", "a1"))
	first.Traits = []insight.Observation{declared("plan", `"gold"`)}
	first.Properties = []byte(`{"n":1}`)
	w.keep(first)
	mailing := w.event(after(1), "mailing", who("u1"))
	mailing.Direction = insight.Outbound
	w.keep(mailing)
	w.happens(after(5), "page", "u2", "a2")
	_, link, err := w.Merge(w.ctx, by("u1"), by("u2"), "the same")
	if err != nil {
		w.Fatal(err)
	}
	id := w.find("u1")
	ids := []uuid.UUID{id}
	x, session := first.ID(), first.ID()
	yes := true
	withTrait := store.Filter{Trait: &insight.TraitRule{Key: "plan", Op: insight.Exists}}
	withoutTrait := store.Filter{Trait: &insight.TraitRule{Key: "shoe", Op: insight.NotExists}}
	withProperty := insight.Selector{Properties: []insight.PropertyCondition{{Path: "n", Op: insight.EQ, Value: []byte("1")}}}

	for _, c := range []struct {
		purpose string
		reads   bool
	}{{"service", true}, {"analytics", true}, {"personalization", false}, {"marketing", false}, {"advertising", false}} {
		w.sub(c.purpose, func(w *world) {
			r := must(w.Reader(w.ctx, viewer(c.purpose), nil))(w)
			w.same("the purpose", r.Purpose().Key, c.purpose)

			// One by one: an error that says why.
			for name, err := range map[string]error{
				"find by name": second(r.Find(w.ctx, by("u1"))), "find by a weaker name": second(r.Find(w.ctx, by("a1"))),
				"find by id": second(r.Find(w.ctx, store.Lookup{ID: id})),
			} {
				if c.reads != (err == nil) || !c.reads && insight.KindOf(err) != insight.Withheld {
					w.Errorf("%s: %v", name, err)
				}
			}
			for name, err := range map[string]error{
				"interaction": second(r.Interaction(w.ctx, x)), "an outbound one": second(r.Interaction(w.ctx, mailing.ID())),
				"session": second(r.Session(w.ctx, session)), "link": second(r.Link(w.ctx, link)),
			} {
				if c.reads != (err == nil) || !c.reads && insight.KindOf(err) != insight.Withheld {
					w.Errorf("%s: %v", name, err)
				}
			}

			// In lists and counts: nothing, without a word.
			got := map[string]int{
				"individuals":                 len(must(r.Individuals(w.ctx, store.Filter{}, store.Order{}, everything))(w).Items),
				"individuals, identified":     len(must(r.Individuals(w.ctx, store.Filter{Identified: &yes}, store.Order{FirstSeen: true, Descending: true}, everything))(w).Items),
				"individuals by trait":        len(must(r.Individuals(w.ctx, withTrait, store.Order{}, everything))(w).Items),
				"individuals without a trait": len(must(r.Individuals(w.ctx, withoutTrait, store.Order{}, everything))(w).Items),
				"individuals by event":        len(must(r.Individuals(w.ctx, store.Filter{Event: &insight.Selector{Types: []string{"page"}}}, store.Order{}, everything))(w).Items),
				"individuals by property":     len(must(r.Individuals(w.ctx, store.Filter{Event: &withProperty}, store.Order{}, everything))(w).Items),
				"count":                       must(r.CountIndividuals(w.ctx, store.Filter{}))(w),
				"count by trait":              must(r.CountIndividuals(w.ctx, withoutTrait))(w),
				"count by event":              must(r.CountIndividuals(w.ctx, store.Filter{Event: &insight.Selector{Types: []string{"page"}}}))(w),
				"count by property":           must(r.CountIndividuals(w.ctx, store.Filter{Event: &withProperty}))(w),
				"people":                      len(must(r.People(w.ctx, ids))(w)),
				"identifiers":                 min(1, len(must(r.Identifiers(w.ctx, ids))(w)[id])),
				"links":                       min(1, len(must(r.Links(w.ctx, ids))(w)[id])),
				"traits":                      len(must(r.Traits(w.ctx, ids))(w)[id]),
				"interactions":                min(1, len(w.interactions(r, ids, insight.Selector{}, everything)[id].Items)),
				"interactions by property":    len(w.interactions(r, ids, withProperty, everything)[id].Items),
				"interactions by id":          len(must(r.InteractionsByID(w.ctx, []uuid.UUID{x}))(w)),
				"count of interactions":       min(1, must(r.CountInteractions(w.ctx, ids, insight.Selector{}))(w)[id]),
				"count by a property":         must(r.CountInteractions(w.ctx, ids, withProperty))(w)[id],
				"timelines":                   min(1, len(must(r.Timelines(w.ctx, ids, insight.Selector{}, after(60)))(w)[id])),
				"sessions":                    min(1, len(must(r.Sessions(w.ctx, ids, everything))(w)[id].Items)),
				"count of sessions":           min(1, must(r.CountSessions(w.ctx, ids))(w)[id]),
				"sessions of interactions":    len(must(r.SessionsOf(w.ctx, []uuid.UUID{x}))(w)),
				"interactions of a session":   len(w.inSessions(r, []uuid.UUID{session}, everything)[session].Items),
				"count of those":              must(r.CountSessionInteractions(w.ctx, visits(session)))(w)[session],
			}
			want := map[string]int{}
			for name := range got {
				if want[name] = 0; c.reads {
					want[name] = 1
				}
			}
			w.same("what is there", got, want)
		})
	}
	// What does not exist does not for any purpose.
	r := must(w.Reader(w.ctx, viewer("marketing"), nil))(w)
	for subject, err := range map[string]error{
		"individual": second(r.Find(w.ctx, by("u9"))), "interaction": second(r.Interaction(w.ctx, uuid.New())),
		"session": second(r.Session(w.ctx, uuid.New())), "link": second(r.Link(w.ctx, uuid.New())),
	} {
		w.kind(err, insight.NotFound, subject)
	}
}

func second[T any](_ T, err error) error { return err }
