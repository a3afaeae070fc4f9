package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/store"
)

// overlapping makes events that name the same few people in many ways.
func overlapping(w *world, people, events int) []*insight.Event {
	r := rand.New(rand.NewPCG(3, 4))
	all := make([]*insight.Event, events)
	for i := range all {
		var names []string
		for _, kind := range []string{"u", "e", "d", "a"} {
			if r.IntN(2) == 0 {
				names = append(names, fmt.Sprintf("%s%d", kind, r.IntN(people)))
			}
		}
		if names == nil {
			names = []string{fmt.Sprintf("a%d", r.IntN(people))}
		}
		all[i] = w.event(after(float64(r.IntN(600))), []string{"page", "purchase"}[r.IntN(2)], who(names...))
	}
	return all
}

// Together asks of several stores of one empty database, as of several processes,
// what Run asks of one: that writers and readers at once spoil nothing.
func Together(t *testing.T, stores []*store.Store, writers int) {
	t.Helper()
	together(newWorld(t, stores[0]), stores, writers)
}

// testConcurrency: eight hand in the same events, each in an order of its own,
// while four read.
func testConcurrency(w *world) {
	together(w, []*store.Store{w.Store}, 8)
}

// together lets writers on some stores of one database append the same events at
// once, each in its own order and batches, with readers beside them: every event is
// kept once, nobody who was there is ever missing, and a recompute agrees.
func together(w *world, stores []*store.Store, writers int) {
	w.Helper()
	known := []string{"u0", "u1", "a0", "a1", "e0", "d0"}
	for _, name := range known {
		w.happens(noon, "page", name)
	}
	ids := make([]uuid.UUID, len(known))
	for i, name := range known {
		ids[i] = w.find(name)
	}
	events := overlapping(w, 6, 300)
	var accepted atomic.Int64
	done := make(chan struct{})
	var writing, reading errgroup.Group
	for n := range writers {
		s := stores[n%len(stores)]
		writing.Go(func() error {
			r := rand.New(rand.NewPCG(uint64(n), 1))
			mine := make([]*insight.Event, len(events))
			for to, from := range r.Perm(len(events)) {
				mine[to] = events[from]
			}
			for len(mine) > 0 {
				batch := mine[:1+r.IntN(min(60, len(mine)))]
				mine = mine[len(batch):]
				outcomes, err := s.Append(w.ctx, batch)
				if err != nil {
					return fmt.Errorf("appending: %s", insight.Detail(err))
				}
				for _, o := range outcomes {
					if o.Status == insight.StatusAccepted {
						accepted.Add(1)
					}
				}
			}
			return nil
		})
	}
	for n := range 4 {
		s := stores[n%len(stores)]
		reading.Go(func() error {
			r, err := s.Reader(w.ctx, viewer("analytics"), nil)
			if err != nil {
				return err
			}
			for {
				select {
				case <-done:
					return nil
				default:
				}
				for i, name := range known {
					if err := errors.Join(second(r.Find(w.ctx, by(name))), second(r.Find(w.ctx, store.Lookup{ID: ids[i]}))); err != nil {
						return fmt.Errorf("finding %s while others write: %s", name, insight.Detail(err))
					}
				}
				page, err := r.Individuals(w.ctx, store.Filter{}, store.Order{Descending: true}, everything)
				if err != nil {
					return err
				}
				var found []uuid.UUID
				for _, i := range page.Items {
					found = append(found, i.ID)
				}
				interactions, err := r.Interactions(w.ctx, found, insight.Selector{}, everything, store.WithAll)
				if err != nil {
					return err
				}
				var some []uuid.UUID
				for _, s := range interactions {
					for _, x := range s.Items {
						some = append(some, x.ID)
					}
				}
				if err := errors.Join(second(r.SessionsOf(w.ctx, some)), second(r.Sessions(w.ctx, found, everything)), second(r.Links(w.ctx, found)), second(r.Traits(w.ctx, found))); err != nil {
					return err
				}
			}
		})
	}
	err := writing.Wait()
	close(done)
	if err := errors.Join(err, reading.Wait()); err != nil {
		w.Fatal(err)
	}
	w.same("accepted", int(accepted.Load()), len(events))
	w.same("kept", w.sound().Interactions, len(events)+len(known))
}
