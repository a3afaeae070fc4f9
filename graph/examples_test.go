package graph_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/acquaint/acquaint/docs/examples"
	"github.com/acquaint/acquaint/ingest/tracking"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/simulate"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// TestExamples: every example query answers, and has something to say, over a
// simulated population.
func TestExamples(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		a := newAPI(t, o)
		a.simulate(60)
		for _, e := range examples.All() {
			t.Run(e.Name, func(t *testing.T) {
				var variables map[string]any
				if e.Variables != "" {
					if err := json.Unmarshal([]byte(e.Variables), &variables); err != nil {
						t.Fatal(err)
					}
				}
				s, errs := a.subscribe(e.Query, variables)
				if errs != nil {
					t.Fatal(errs)
				}
				defer s.close()
				if s.kind == "subscription" {
					a.record(visit(1, map[string]any{"userId": "user-00001"}))
				}
				r := s.next()
				if r == nil || len(r.Errors) > 0 {
					t.Fatalf("it answers %+v", r)
				}
				var data map[string]any
				if err := json.Unmarshal(r.Data, &data); err != nil {
					t.Fatal(err)
				}
				said := 0
				substance(t, "", data, &said)
				if said < 3 {
					t.Errorf("it says %d things: %s", said, r.Data)
				}
			})
		}
	})
}

// simulate keeps what a small population did in the year before now.
func (a *api) simulate(individuals int) {
	a.t.Helper()
	population, err := simulate.New(simulate.Options{Seed: 1, Individuals: individuals, To: now()})
	if err != nil {
		a.t.Fatal(err)
	}
	ctx := context.Background()
	source, _, err := a.store.CreateSource(ctx, store.NewSource{Name: "simulation"})
	if err != nil {
		a.t.Fatal(err)
	}
	decoder := &tracking.Decoder{Directory: a.store}
	for batch := range population.Batches(2000, individuals) {
		events := make([]*insight.Event, len(batch))
		for n := range batch {
			body, err := json.Marshal(&batch[n])
			if err != nil {
				a.t.Fatal(err)
			}
			if events[n], err = decoder.Message(ctx, "", body, source, now(), time.Time{}, ""); err != nil {
				a.t.Fatal(err)
			}
		}
		if _, err := a.store.Append(ctx, events); err != nil {
			a.t.Fatal(err)
		}
	}
}

// mayBeEmpty are lists that are empty where nothing is wrong.
var mayBeEmpty = []string{"rejected"}

// substance counts what an answer says, and refuses what is empty: roots that are
// null, and lists without an item.
func substance(t *testing.T, path string, v any, said *int) {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if value == nil && path == "" {
				t.Errorf("%s is null", key)
			}
			if list, ok := value.([]any); ok && len(list) == 0 && !slices.Contains(mayBeEmpty, key) {
				t.Errorf("%s%s is empty", path, key)
			}
			substance(t, path+key+".", value, said)
		}
	case []any:
		for _, item := range v {
			substance(t, path, item, said)
		}
	case nil:
	default:
		*said++
	}
}
