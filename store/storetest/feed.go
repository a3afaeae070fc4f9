package storetest

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/store"
)

// patience bounds the wait for a signal that must come.
const patience = 20 * time.Second

// hears waits until a subscription has told of as many interactions.
func (w *world) hears(sub *store.Subscription, n int) []uuid.UUID {
	w.Helper()
	var heard []uuid.UUID
	for len(heard) < n {
		select {
		case <-sub.Ready():
		case <-time.After(patience):
			w.Fatalf("of %d interactions %d were heard of", n, len(heard))
		}
		ids, missed := sub.Take()
		if missed {
			w.Fatal("something was missed")
		}
		heard = append(heard, ids...)
	}
	return heard
}

func testSubscriptions(w *world) {
	w.happens(noon, "page", "a0")
	one, other := must(w.Subscribe())(w), must(w.Subscribe())(w)
	var want []uuid.UUID
	for n := range 20 {
		// Alone, and in batches whose order is kept.
		var events []*insight.Event
		for i := range 1 + n%3 {
			e := w.event(after(float64(100-i)), "page", who("a1"))
			events, want = append(events, e), append(want, e.ID())
		}
		w.keep(events...)
		w.statuses(events[0]) // what is known is not told again
		said := w.event(noon, "identify", who("a1"))
		said.Statement = true
		w.keep(said)
	}
	w.same("in the order of their transactions", w.hears(one, len(want)), want)
	w.same("and so by everybody", w.hears(other, len(want)), want)

	one.Close()
	last := w.happens(noon, "page", "a1")
	w.same("the other goes on", w.hears(other, 1), []uuid.UUID{last})
	if ids, missed := one.Take(); len(ids) > 0 || missed {
		w.Fatalf("after it was closed: %v, %t", ids, missed)
	}
	// A statement alone tells of nothing: the next thing heard is the interaction after it.
	said := w.event(noon, "identify", who("a1"))
	said.Statement = true
	w.keep(said)
	next := w.happens(noon, "page", "a1")
	if heard := w.hears(other, 1); !slices.Equal(heard, []uuid.UUID{next}) {
		w.Fatalf("heard of %v, want %v", heard, next)
	}
	other.Close()
	other.Close()
}
