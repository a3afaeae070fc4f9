package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/store"
)

// request is what somebody does in one request: it reads, and is written down.
func (w *world) request(subject, purpose, operation string, read func(*store.Reader)) {
	w.Helper()
	shown := store.NewAccess(operation)
	read(w.as(subject, purpose, shown))
	if err := w.Log(w.ctx, shown); err != nil {
		w.Fatal(insight.Detail(err))
	}
}

func (w *world) as(subject, purpose string, shown *store.Access) *store.Reader {
	w.Helper()
	v := viewer(purpose)
	v.Subject = subject
	return must(w.Reader(w.ctx, v, shown))(w)
}

// log tells who was shown somebody's data, in the order of the texts. Two entries that
// say the same are a fault.
func (w *world) log(id uuid.UUID) []string {
	w.Helper()
	r := w.readsFor("service")
	told, once := []string{}, map[string]bool{}
	items := must(r.AccessLog(w.ctx, []uuid.UUID{id, uuid.New()}, everything))(w)[id].Items
	for _, e := range items {
		text := fmt.Sprintf("%s %s %s", e.Subject, e.Purpose.Key, e.Operation)
		if e.At.Second() != 0 || e.At.Nanosecond() != 0 || time.Since(e.At) < 0 {
			w.Fatalf("an entry is of %v", e.At)
		}
		if key := text + e.At.String(); once[key] {
			w.Fatalf("twice: %s", key)
		} else {
			once[key] = true
		}
		if !slices.Contains(told, text) { // the minute may have turned in between
			told = append(told, text)
		}
	}
	w.same("their number", must(r.CountAccess(w.ctx, []uuid.UUID{id}))(w)[id], len(items))
	slices.Sort(told)
	return told
}

// accessWorld is two people with a device that both use; it gives an interaction of
// the first, and the link of the second with the device.
func (w *world) accessWorld() (x, link uuid.UUID) {
	w.Helper()
	x = w.happens(noon, "page", "u1", "a1")
	w.happens(noon, "page", "u2", "d1")
	w.happens(after(1), "page", "u1", "d1") // shared by both: a third, of whom evidence tells
	w.happens(after(2), "page", "u3")
	for _, e := range must(w.reader().Links(w.ctx, []uuid.UUID{w.whose("u2")}))(w)[w.whose("u2")] {
		link = e.ID
	}
	return x, link
}

// testAccess: whoever is shown an individual is written down, once, and nobody else.
func testAccess(w *world) {
	x, link := w.accessWorld()
	said := w.decides("u1", w.claim("marketing", no, noon)).Records[0].ID
	ids := map[string]uuid.UUID{}
	for _, name := range []string{"u1", "u2", "u3", "d1"} {
		ids[name] = w.whose(name)
	}
	one := store.Page{Limit: 1}
	for n, c := range []struct {
		read  func(r *store.Reader) error
		shown string
	}{
		{func(r *store.Reader) error { return second(r.Find(w.ctx, by("a1"))) }, "u1"},
		{func(r *store.Reader) error { return second(r.Find(w.ctx, store.Lookup{ID: ids["u2"]})) }, "u2"},
		{func(r *store.Reader) error {
			return second(r.Individuals(w.ctx, store.Filter{}, store.Order{Descending: true}, one))
		}, "u3"},
		{func(r *store.Reader) error {
			return second(r.Individuals(w.ctx, store.Filter{}, store.Order{}, everything))
		}, "d1 u1 u2 u3"},
		{func(r *store.Reader) error {
			return second(r.Individuals(w.ctx, store.Filter{Trait: &insight.TraitRule{Key: "shoe", Op: insight.NotExists}}, store.Order{Descending: true}, one))
		}, "u3"},
		{func(r *store.Reader) error { return second(r.People(w.ctx, []uuid.UUID{ids["u1"], ids["u2"]})) }, "u1 u2"},
		{func(r *store.Reader) error { return second(r.Interaction(w.ctx, x)) }, "u1"},
		{func(r *store.Reader) error { return second(r.Session(w.ctx, x)) }, "u1"},
		{func(r *store.Reader) error { return second(r.Link(w.ctx, link)) }, "d1 u2"},
		{func(r *store.Reader) error { return second(r.Consent(w.ctx, said)) }, "u1"},
		{func(r *store.Reader) error { r.Show(ids["u3"]); return nil }, "u3"},
		// Numbers show nobody, and neither does what is not there.
		{func(r *store.Reader) error { return second(r.CountIndividuals(w.ctx, store.Filter{})) }, ""},
		{func(r *store.Reader) error {
			if _, err := r.Find(w.ctx, by("u9")); insight.KindOf(err) != insight.NotFound {
				return fmt.Errorf("somebody is there: %w", err)
			}
			return nil
		}, ""},
	} {
		subject := fmt.Sprint("clerk", n)
		w.request(subject, "analytics", "query", func(r *store.Reader) {
			for range 2 { // twice in one request is once
				if err := c.read(r); err != nil {
					w.Fatal(insight.Detail(err))
				}
			}
		})
		w.request(subject, "analytics", "query", func(r *store.Reader) {
			if err := c.read(r); err != nil {
				w.Fatal(insight.Detail(err))
			}
		})
		var shown []string
		for name, id := range ids {
			if slices.Contains(w.log(id), subject+" analytics query") {
				shown = append(shown, name)
			}
		}
		slices.Sort(shown)
		w.same("whom "+subject+" was shown", strings.Join(shown, " "), c.shown)
	}
	before := w.log(ids["u3"])
	// By another purpose, and in another way, it is another entry.
	for _, operation := range []string{"query", "subscription"} {
		for _, purpose := range []string{"service", "analytics"} {
			w.request("boss", purpose, operation, func(r *store.Reader) { must(r.Find(w.ctx, by("u3")))(w) })
		}
	}
	want := append(before, "boss analytics query", "boss analytics subscription", "boss service query", "boss service subscription")
	slices.Sort(want)
	w.same("by purpose and operation", w.log(ids["u3"]), want)

	// Whoever is withheld is not shown, nor is somebody's own reading of themselves a matter.
	had := w.log(ids["u1"])
	w.request("spy", "marketing", "query", func(r *store.Reader) {
		_, err := r.Find(w.ctx, by("u1"))
		w.kind(err, insight.Withheld, "individual")
		_, err = r.Interaction(w.ctx, x)
		w.kind(err, insight.Withheld, "interaction")
	})
	own := store.NewAccess("query")
	self := must(w.Reader(w.ctx, &insight.Viewer{Subject: "u1", Scopes: []insight.Scope{insight.ScopeSelf}, Individual: ids["u1"]}, own))(w)
	must(self.Find(w.ctx, store.Lookup{ID: ids["u1"]}))(w)
	must(self.Interaction(w.ctx, x))(w)
	w.same("what they read in it", len(must(self.AccessLog(w.ctx, []uuid.UUID{ids["u1"]}, everything))(w)[ids["u1"]].Items) > 0, true)
	w.same("of another they read nothing", len(must(self.AccessLog(w.ctx, []uuid.UUID{ids["u2"]}, everything))(w)[ids["u2"]].Items), 0)
	if err := w.Log(w.ctx, own); err != nil {
		w.Fatal(err)
	}
	w.same("nothing was added", w.log(ids["u1"]), had)

	// For a purpose that does not cover them there is no log.
	blind := w.readsFor("marketing")
	w.same("withheld", []int{len(must(blind.AccessLog(w.ctx, []uuid.UUID{ids["u1"]}, everything))(w)[ids["u1"]].Items), len(must(blind.CountAccess(w.ctx, []uuid.UUID{ids["u1"]}))(w))}, []int{0, 0})

	// An archive is a reading too, but for one's own.
	for _, asked := range []string{"lawyer", store.Themselves} {
		q, _, err := w.RequestExport(w.ctx, ids["u3"], insight.RequestAccess, store.Asked{By: asked})
		if err != nil {
			w.Fatal(insight.Detail(err))
		}
		if err := w.LogExport(w.ctx, q); err != nil {
			w.Fatal(insight.Detail(err))
		}
	}
	want = append(want, "lawyer service export")
	slices.Sort(want)
	w.same("with archives", w.log(ids["u3"]), want)
}

// testAccessMerged: the log follows those whom it is about, by every id that they had.
func testAccessMerged(w *world) {
	w.happens(noon, "page", "u1")
	w.happens(noon, "page", "u2")
	one, two := w.whose("u1"), w.whose("u2")
	see := func(subject, name string) {
		w.Helper()
		w.request(subject, "service", "query", func(r *store.Reader) { must(r.Find(w.ctx, by(name)))(w) })
	}
	see("first", "u1")
	see("second", "u2")
	survivor, link, err := w.Merge(w.ctx, by("u1"), by("u2"), "the same")
	if err != nil {
		w.Fatal(err)
	}
	see("third", "u2")
	w.same("as one", w.log(survivor), []string{"first service query", "second service query", "third service query"})
	gone := one
	if gone == survivor {
		gone = two
	}
	w.same("by an id that is nobody's now", w.log(gone), []string{})
	must(w.Unmerge(w.ctx, []uuid.UUID{link}, "two after all"))(w)
	logs := map[uuid.UUID][]string{one: {"first service query"}, two: {"second service query"}}
	logs[survivor] = append(logs[survivor], "third service query") // it was the survivor's when it was read
	for id, want := range logs {
		w.same("apart again", w.log(id), want)
	}
	r := w.readsFor("service")
	w.same("their numbers at once", must(r.CountAccess(w.ctx, []uuid.UUID{one, two}))(w), map[uuid.UUID]int{one: len(logs[one]), two: len(logs[two])})
}

// testAccessPages: the log comes by the page, newest first, those of one minute in the
// order of their ids.
func testAccessPages(w *world) {
	w.happens(noon, "page", "u1")
	w.happens(noon, "page", "u2")
	id, other := w.whose("u1"), w.whose("u2")
	var reading errgroup.Group
	for n := range 30 {
		reading.Go(func() error {
			shown := store.NewAccess("query")
			v := viewer("service")
			v.Subject = fmt.Sprint("clerk", n)
			r, err := w.Reader(w.ctx, v, shown)
			if err != nil {
				return err
			}
			if _, err := r.People(w.ctx, []uuid.UUID{id, other}); err != nil {
				return err
			}
			return w.Log(w.ctx, shown)
		})
	}
	if err := reading.Wait(); err != nil {
		w.Fatal(insight.Detail(err))
	}
	r := w.readsFor("service")
	list := func(w *world, p store.Page) store.Slice[*insight.AccessEntry] {
		w.Helper()
		all := must(r.AccessLog(w.ctx, []uuid.UUID{other, id}, p))(w)
		w.same("of both as many", len(all[other].Items), min(p.Limit, len(all[other].Items)))
		return all[id]
	}
	place := func(e *insight.AccessEntry) insight.Cursor { return insight.Cursor{At: e.At, ID: e.ID} }
	items := pages(w, list, place, func(e *insight.AccessEntry) uuid.UUID { return e.ID })
	inOrder(w, items, place, true)
	if len(items) != 30 {
		w.Fatalf("there are %d entries", len(items))
	}
}

// testAccessTogether: requests that end at the same time are all written down, each
// before it is answered.
func testAccessTogether(w *world) {
	const people, clerks, requests = 12, 8, 15
	ids := make([]uuid.UUID, people)
	for n := range ids {
		w.happens(noon, "page", fmt.Sprint("u", n))
		ids[n] = w.whose(fmt.Sprint("u", n))
	}
	var reading errgroup.Group
	for clerk := range clerks {
		reading.Go(func() error {
			for n := range requests {
				shown := store.NewAccess("query")
				v := viewer("service")
				v.Subject = fmt.Sprintf("clerk%d.%d", clerk, n/2) // every second one says the same again
				r, err := w.Reader(w.ctx, v, shown)
				if err != nil {
					return err
				}
				some := []uuid.UUID{ids[(clerk+n/2)%people], ids[(clerk+n/2+1)%people], ids[(clerk*n)%people]}
				if _, err := r.People(w.ctx, some); err != nil {
					return err
				}
				if err := w.Log(w.ctx, shown); err != nil {
					return fmt.Errorf("writing down: %s", insight.Detail(err))
				}
				for id, s := range must2(r.AccessLog(w.ctx, some, store.Page{Limit: 100})) {
					if !slices.ContainsFunc(s.Items, func(e *insight.AccessEntry) bool { return e.Subject == v.Subject }) {
						return fmt.Errorf("%s was shown %v, and that is written nowhere", v.Subject, id)
					}
				}
			}
			return nil
		})
	}
	if err := reading.Wait(); err != nil {
		w.Fatal(err)
	}
	// A request that was given up: what it collected may be written, and is lost to nobody else.
	ctx, cancel := context.WithCancel(w.ctx)
	cancel()
	shown := store.NewAccess("query")
	must(w.as("hasty", "service", shown).Find(w.ctx, by("u1")))(w)
	if err := w.Log(ctx, shown); err != nil {
		w.kind(err, insight.Unavailable, "")
	}
	w.request("patient", "service", "query", func(r *store.Reader) { must(r.Find(w.ctx, by("u1")))(w) })
	if !slices.Contains(w.log(ids[1]), "patient service query") {
		w.Fatal("after one that was given up, nothing is written down")
	}
}

// must2 gives a result, and nothing when there is an error.
func must2[T any](v T, err error) T {
	if err != nil {
		var none T
		return none
	}
	return v
}
