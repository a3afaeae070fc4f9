package graph_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/acquaint/acquaint/docs/examples"
	"github.com/acquaint/acquaint/graph/population"
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
		a.must(`mutation { createSegment(input: {key: "slipping-away", name: "Slipping away", purpose: "analytics", rule: {all: [
			{relationship: [COOLING, LAPSED]}, {event: {event: {types: ["Order Completed"]}, atLeast: 2}}]}}) { segment { key } } }`, nil)
		a.compute()
		a.model("analytics")
		for _, e := range examples.All() {
			t.Run(e.Name, func(t *testing.T) {
				var variables map[string]any
				if e.Variables != "" {
					numbers := json.NewDecoder(strings.NewReader(e.Variables))
					numbers.UseNumber() // as the server reads them
					if err := numbers.Decode(&variables); err != nil {
						t.Fatal(err)
					}
				}
				s, errs := a.subscribe(e.Query, variables)
				if errs != nil {
					t.Fatal(errs)
				}
				defer s.close()
				if s.kind == "subscription" {
					a.returns(e.Name)
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

// model makes the models that segments for a purpose wait for, and computes those.
func (a *api) model(purpose string) {
	a.t.Helper()
	ctx := context.Background()
	waiting, err := a.store.AwaitingModels(ctx)
	if err != nil || len(waiting) == 0 {
		a.t.Fatalf("%d segments wait for models: %v", len(waiting), insight.Detail(err))
	}
	for of, needs := range waiting {
		survey, err := a.store.Survey(ctx, &insight.Viewer{Subject: "segments", Scopes: []insight.Scope{insight.ScopeInsightsRead}, Purposes: []string{purpose}})
		if err != nil {
			a.t.Fatal(insight.Detail(err))
		}
		m, err := population.ForSegments(ctx, survey, needs, now())
		if err == nil {
			err = a.store.SetModels(ctx, of, m)
		}
		if err != nil {
			a.t.Fatal(insight.Detail(err))
		}
	}
	a.compute()
}

// returns has somebody who was slipping away order something now.
func (a *api) returns(order string) {
	a.t.Helper()
	members := a.must(`{ segment(key: "slipping-away") { members(first: 1) { nodes { individual { id identifiers { kind value } } } } } }`, nil)
	for _, i := range dig(a.t, members, "segment.members.nodes.0.individual.identifiers").([]any) {
		if dig(a.t, i, "kind") == "USER_ID" {
			a.record(map[string]any{
				"messageId": order, "userId": dig(a.t, i, "value"), "type": "Order Completed", "occurredAt": now().Format(time.RFC3339), "value": 20, "currency": "EUR",
			})
			return
		}
	}
	a.t.Fatal("nobody who is slipping away has a USER_ID")
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
