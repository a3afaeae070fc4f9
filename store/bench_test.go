package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/ingest/tracking"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/experience"
	"github.com/acquaint/acquaint/internal/simulate"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// benchEach is testdb.Each for benchmarks.
func benchEach(b *testing.B, bench func(b *testing.B, s *store.Store)) {
	b.Run("sqlite", func(b *testing.B) { bench(b, testdb.Open(b, testdb.SQLite(b))) })
	b.Run("postgres", func(b *testing.B) { bench(b, testdb.Open(b, testdb.Postgres(b))) })
}

// groups yields what a simulated population says, interleaved by time, in groups of
// so many events, without end.
func groups(b *testing.B, s *store.Store, size int) func() []*insight.Event {
	b.Helper()
	source, _, err := s.CreateSource(context.Background(), store.NewSource{Name: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	decoder := &tracking.Decoder{Directory: s}
	now := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	var waiting [][]*insight.Event
	seed := uint64(0)
	return func() []*insight.Event {
		if len(waiting) == 0 {
			seed++
			p, err := simulate.New(simulate.Options{Seed: seed, Individuals: 2000, To: now})
			if err != nil {
				b.Fatal(err)
			}
			for batch := range p.Batches(size, p.Size()) {
				events := make([]*insight.Event, len(batch))
				for i := range batch {
					batch[i].MessageID = uuid.NewString()
					body, err := json.Marshal(&batch[i])
					if err == nil {
						events[i], err = decoder.Message(context.Background(), "", body, source, now, time.Time{}, "message")
					}
					if err != nil {
						b.Fatal(err)
					}
				}
				waiting = append(waiting, events)
			}
		}
		next := waiting[0]
		waiting = waiting[1:]
		return next
	}
}

// BenchmarkAppend keeps 3,200 events a transaction, the size that 32 clients with
// batches of 100 lead to.
func BenchmarkAppend(b *testing.B) {
	benchEach(b, func(b *testing.B, s *store.Store) {
		next := groups(b, s, 3200)
		events := 0
		for b.Loop() {
			b.StopTimer()
			group := next()
			b.StartTimer()
			if _, err := s.Append(context.Background(), group); err != nil {
				b.Fatal(err)
			}
			events += len(group)
		}
		b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
	})
}

// BenchmarkInteractions reads the last 20 interactions of 20 individuals.
func BenchmarkInteractions(b *testing.B) {
	benchEach(b, func(b *testing.B, s *store.Store) {
		next := groups(b, s, 3200)
		for range 15 {
			if _, err := s.Append(context.Background(), next()); err != nil {
				b.Fatal(err)
			}
		}
		r, err := s.Reader(context.Background(), &insight.Viewer{Scopes: []insight.Scope{insight.ScopeIndividualsRead}, Purposes: []string{"analytics"}}, nil)
		if err != nil {
			b.Fatal(err)
		}
		page := store.Page{Limit: 20}
		people, err := r.Individuals(context.Background(), store.Filter{}, store.Order{Descending: true}, page)
		if err != nil {
			b.Fatal(err)
		}
		ids := make([]uuid.UUID, len(people.Items))
		for n, i := range people.Items {
			ids[n] = i.ID
		}
		for name, detail := range map[string]store.Detail{"needed": 0, "all": store.WithAll} {
			b.Run(name, func(b *testing.B) {
				for b.Loop() {
					if _, err := r.Interactions(context.Background(), ids, insight.Selector{}, page, detail); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	})
}

// BenchmarkDecide is a transaction of so many decisions, each about another individual.
func BenchmarkDecide(b *testing.B) {
	benchEach(b, func(b *testing.B, s *store.Store) {
		const people = 2000
		source := must(s.Source(b.Context(), store.APISource))
		e := must(s.CreateExperience(b.Context(), store.NewExperience{Key: "bench", Name: "Bench", Purpose: "analytics", Holdout: 0.1, Variants: []experience.Variant{{Key: "a", Benefit: "it helps"}}}))
		user := func(n int) insight.Identity { return id(insight.UserID, fmt.Sprint("user-", n%people)) }
		var events []*insight.Event
		for n := range people {
			events = append(events, &insight.Event{
				MessageID: fmt.Sprint(n), Timestamp: epoch, OccurredAt: epoch, ReceivedAt: epoch, Source: source, Channel: source.DefaultChannel,
				Type: "page", Direction: insight.Inbound, Identities: []insight.Identity{user(n)}, Stream: user(n),
			})
		}
		must(s.Append(b.Context(), events))
		for _, size := range []int{1, 8, 64} {
			b.Run(fmt.Sprint(size), func(b *testing.B) {
				n := 0
				for b.Loop() {
					asked := make([]store.Asking, size)
					for i := range asked {
						asked[i] = store.Asking{Experience: e, Who: store.Lookup{Identity: user(n)}}
						n++
					}
					must(s.Decide(b.Context(), asked))
				}
				b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "decisions/s")
			})
		}
	})
}
