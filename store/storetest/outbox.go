package storetest

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/delivery"
	"github.com/acquaint/acquaint/insight/segment"
	"github.com/acquaint/acquaint/store"
)

// Outbox asks an engine what it asks of destinations and deliveries. Each call of open
// gives an empty store of its own.
func Outbox(t *testing.T, open func(testing.TB) *store.Store) {
	t.Helper()
	for _, chapter := range []struct {
		name string
		test func(*world)
	}{
		{"destinations", testDestinations},
		{"deliveries in order", testDeliveries},
		{"withdrawal of what is queued", testWithdrawnDeliveries},
	} {
		t.Run(chapter.name, func(t *testing.T) { chapter.test(newWorld(t, open(t))) })
	}
}

// audience makes a segment of everyone, for analytics, that is live.
func (w *world) audience(key string) {
	w.Helper()
	must(w.CreateSegment(w.ctx, store.NewSegment{Key: key, Name: key, Purpose: "analytics", Rule: &segment.Rule{Everyone: true}}))(w)
	for more := true; more; {
		more = must(w.Draft(w.ctx))(w)
	}
}

func (w *world) destination(name string) *store.Destination {
	w.Helper()
	return must(w.CreateDestination(w.ctx, store.NewDestination{Name: name, URL: "https://example.com/" + name, Purpose: "analytics", Secret: "whsec_" + name}))(w)
}

// claims claims what is due, as a sender with much room does.
func (w *world) claims(at time.Time) []*delivery.Delivery {
	w.Helper()
	claimed, _, err := w.Claim(w.ctx, delivery.Room{Now: at, Until: at.Add(time.Minute), Total: 100, Each: 100})
	return must(claimed, err)(w)
}

func (w *world) settles(d *delivery.Delivery, r delivery.Result) delivery.Settled {
	w.Helper()
	return must(w.Settle(w.ctx, d, r))(w)
}

func testDestinations(w *world) {
	w.audience("all")
	one := w.destination("one")
	w.same("the purpose", one.Purpose.Key, "analytics")
	_, err := w.CreateDestination(w.ctx, store.NewDestination{Name: "x", URL: "https://example.com", Secret: "s", Purpose: "none"})
	w.kind(err, insight.Invalid, "purpose")
	_, err = w.CreateDestination(w.ctx, store.NewDestination{Name: "x", URL: "https://example.com", Secret: "s", Purpose: "analytics", Segments: []string{"none"}})
	w.kind(err, insight.Invalid, "segments[0]")
	name, segments := "renamed", []string{"all"}
	changed := must(w.UpdateDestination(w.ctx, one.ID, store.DestinationChange{Name: &name, Segments: &segments}))(w)
	w.same("the name", changed.Name, name)
	w.same("its segments", len(changed.Segments), 1)
	must(w.RotateSecret(w.ctx, one.ID, "whsec_new", time.Now().Add(time.Hour)))(w)
	w.happens(noon, "page", "u1")
	now := time.Now().UTC().Truncate(time.Microsecond)
	d := w.claims(now)
	w.same("both secrets", d[0].Destination.Secrets, []string{"whsec_new", "whsec_one"})
	gone := delivery.Result{Outcome: delivery.Failed, At: now, Written: true, Status: 410, Reason: "it answered 410", Next: now.Add(time.Second), Disable: "gone"}
	w.same("settled", w.settles(d[0], gone), delivery.Settled{Held: true, Disabled: true})
	w.same("the reason", must(w.Destination(w.ctx, one.ID))(w).Disabled, "gone")
	w.same("nothing of a disabled one", len(w.claims(now.Add(time.Hour))), 0)
	_, err = w.Redeliver(w.ctx, d[0].ID)
	w.kind(err, insight.Conflict, "delivery")
	w.same("enabled", must(w.EnableDestination(w.ctx, one.ID))(w).DisabledAt, time.Time{})
	d = w.claims(now.Add(2 * time.Hour))
	w.same("the queue is kept", len(d), 1)
	w.same("the old secret ends", d[0].Destination.Secrets, []string{"whsec_new"})
	_, err = w.EnableDestination(w.ctx, uuid.New())
	w.kind(err, insight.NotFound, "destination")
	_, err = w.Redeliver(w.ctx, uuid.New())
	w.kind(err, insight.NotFound, "delivery")
	// Deleted, with what waits for it; what is under way just then is nobody's.
	other := w.destination("other")
	w.same("deleted", w.DeleteDestination(w.ctx, one.ID), nil)
	w.happens(noon, "page", "u2")
	later := w.claims(now.Add(3 * time.Hour))
	w.same("the other one is told", []any{len(later), later[0].Destination.ID}, []any{1, other.ID})
	w.same("what was under way", w.settles(d[0], delivery.Result{Outcome: delivery.Delivered, At: now, Written: true, Status: 200}), delivery.Settled{})
	if _, err := w.Compose(w.ctx, d[0]); insight.KindOf(err) != insight.NotFound {
		w.Errorf("what was under way is made: %v", err)
	}
	w.kind(w.DeleteDestination(w.ctx, one.ID), insight.NotFound, "destination")
}

func testDeliveries(w *world) {
	w.audience("all")
	one := w.destination("one")
	w.happens(noon, "page", "u1")
	w.happens(noon, "page", "u2")
	// They exit and enter again: two more changes each, behind the first.
	for n, decision := range []insight.ConsentDecision{insight.ConsentDenied, insight.ConsentGranted} {
		w.decides("u1", w.claim("analytics", decision, after(float64(n))))
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	d := w.claims(now)
	w.same("the first of each", len(d), 2)
	w.same("nothing twice", len(w.claims(now)), 0)
	for _, one := range d {
		m := must(w.Compose(w.ctx, one))(w)
		w.same("confirmed", must(w.Confirm(w.ctx, one, m.Version))(w), true)
		w.same("another version", must(w.Confirm(w.ctx, one, "other"))(w), false)
		w.same("in full", m.Disclosure, delivery.Full)
		body := string(must(m.Body())(w))
		if !strings.Contains(body, `"kind":"USER_ID"`) || !strings.Contains(body, `"segment":"all"`) {
			w.Fatal("the body does not say who")
		}
	}
	again := w.claims(now.Add(time.Minute))
	w.same("after the lease", len(again), 2)
	w.same("the second attempt", again[0].Attempt, 2)
	sent := delivery.Result{Outcome: delivery.Delivered, At: now, Written: true, Status: 200}
	w.same("too late", w.settles(d[0], sent), delivery.Settled{})
	for _, a := range again {
		w.same("settled", w.settles(a, sent), delivery.Settled{Held: true})
		w.same("and once", w.settles(a, sent), delivery.Settled{})
	}
	if len(w.claims(now.Add(2*time.Minute))) == 0 {
		w.Fatal("what was behind them does not follow")
	}
	page := must(w.Deliveries(w.ctx, one.ID, everything))(w)
	if len(page.Items) < 3 || page.HasNext {
		w.Fatalf("%d deliveries", len(page.Items))
	}
	last := page.Items[len(page.Items)-1]
	w.same("newest first", last.Outcome, delivery.Delivered)
	c := page.Items[0].Place()
	rest := must(w.Deliveries(w.ctx, one.ID, store.Page{Limit: 100, After: &c}))(w)
	w.same("the next page", len(rest.Items), len(page.Items)-1)
	w.same("whom it goes to", must(w.Redeliver(w.ctx, last.ID))(w), one.ID)
	found := false
	for _, a := range w.claims(time.Now().Add(time.Hour)) {
		found = found || a.ID == last.ID
	}
	w.same("sent again by hand", found, true)
}

func testWithdrawnDeliveries(w *world) {
	for _, c := range []struct {
		name   string
		tried  bool // whether the entry may have arrived
		erased bool
	}{{"u1", false, false}, {"u2", true, false}, {"u3", false, true}, {"u4", true, true}} {
		w.sub(c.name, func(w *world) {
			if c.name == "u1" {
				w.audience("all")
				w.destination("one")
			}
			w.happens(noon, "page", c.name)
			now := time.Now().UTC().Truncate(time.Microsecond)
			d := w.claims(now)
			w.same("claimed", len(d), 1)
			m := must(w.Compose(w.ctx, d[0]))(w)
			if c.erased {
				_, _, err := w.Erase(w.ctx, by(c.name), store.ErasureTerms{Asked: store.Asked{By: "test", Reason: "asked"}})
				must(0, err)(w)
			} else {
				w.decides(c.name, w.claim("analytics", insight.ConsentDenied, noon))
			}
			w.same("not confirmed", must(w.Confirm(w.ctx, d[0], m.Version))(w), false)
			_, err := w.Compose(w.ctx, d[0])
			if kind := insight.KindOf(err); kind != insight.Withheld && kind != insight.NotFound {
				w.Fatalf("the entry: %v", err)
			}
			w.settles(d[0], delivery.Result{Outcome: delivery.Dropped, At: now, Written: c.tried, Reason: "withheld"})
			exits := w.claims(time.Now().Add(time.Second))
			w.same("the exit is queued", len(exits), 1)
			exit, err := w.Compose(w.ctx, exits[0])
			if !c.tried {
				w.kind(err, insight.Withheld, "")
			} else {
				body := string(must(must(exit, err)(w).Body())(w))
				w.same("bare", exit.Disclosure, delivery.Bare)
				if strings.Contains(body, "identifiers") || strings.Contains(body, "because") || strings.Contains(body, c.name) {
					w.Fatal("the exit says more than it may")
				}
				w.same("confirmed", must(w.Confirm(w.ctx, exits[0], exit.Version))(w), true)
			}
			w.settles(exits[0], delivery.Result{Outcome: delivery.Delivered, At: now, Written: true})
		})
	}
}
