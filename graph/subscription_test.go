package graph_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/acquaint/acquaint/graph"
	"github.com/acquaint/acquaint/graph/viewer"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// begin runs an operation and returns its errors; a subscription is left at once.
func (a *api) begin(query string) gqlerror.List {
	a.t.Helper()
	s, errs := a.subscribe(query, nil)
	if errs != nil {
		return errs
	}
	defer s.close()
	if s.kind == ast.Subscription {
		s.close()
	}
	if r := s.next(); r != nil {
		return r.Errors
	}
	return nil
}

// subscription is a running operation.
type subscription struct {
	kind    ast.Operation
	respond graphql.ResponseHandler
	ctx     context.Context
	ending  *graph.Ending
	close   context.CancelFunc
}

// patience is how long a subscriber waits for what must come.
const patience = 30 * time.Second

func (a *api) subscribe(query string, variables map[string]any) (*subscription, gqlerror.List) {
	a.t.Helper()
	ctx, ending := graph.WithEnding(viewer.With(context.Background(), a.viewer))
	ctx, cancel := context.WithTimeout(graphql.StartOperationTrace(ctx), patience)
	op, errs := a.exec.CreateOperationContext(ctx, &graphql.RawParams{Query: query, Variables: variables})
	if len(errs) > 0 {
		cancel()
		return nil, errs
	}
	s := &subscription{kind: op.Operation.Operation, ending: ending, close: cancel}
	s.respond, s.ctx = a.exec.DispatchOperation(ctx, op)
	return s, nil
}

// next waits for the next answer; nil when the stream has ended.
func (s *subscription) next() *graphql.Response { return s.respond(s.ctx) }

// message is the next interaction's message id.
func (s *subscription) message(t *testing.T) string {
	t.Helper()
	r := s.next()
	if r == nil || len(r.Errors) > 0 {
		t.Fatalf("the stream ended: %+v", r)
	}
	var data map[string]any
	if err := json.Unmarshal(r.Data, &data); err != nil {
		t.Fatal(err)
	}
	return dig(t, data, "interactions.messageId").(string) //nolint:forcetypeassert // the field is String!
}

// TestSubscription: subscribers see what is kept, in the order of its keeping, as far
// as they asked for it and their purpose covers it.
func TestSubscription(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		a := newAPI(t, o)
		a.people()
		follow := func(purpose, query string) *subscription {
			a.viewer = admin()
			a.viewer.Purpose = purpose
			s, errs := a.subscribe(query, nil)
			if errs != nil {
				t.Fatal(errs)
			}
			t.Cleanup(s.close)
			return s
		}
		const fields = `{ messageId type individual { id identifiers { value } } session { startedAt } channel { key } }`
		anything := follow("analytics", `subscription { interactions `+fields+` }`)
		sent := follow("service", `subscription { interactions(where: {direction: OUTBOUND, types: ["Email Sent"]}) `+fields+` }`)
		dear := follow("service", `subscription { interactions(where: {properties: [{path: "total", op: GT, value: 100}]}) `+fields+` }`)
		withheld := follow("marketing", `subscription { interactions `+fields+` }`)
		a.viewer = admin()

		type x = map[string]any
		a.tell("shop",
			x{"messageId": "f-1", "userId": "ada", "type": "page", "occurredAt": "2026-04-02T10:00:00Z", "properties": x{"total": 100}},
			x{"messageId": "f-2", "userId": "ada", "type": "Email Sent", "direction": "OUTBOUND", "occurredAt": "2026-04-02T11:00:00Z"},
		)
		a.tell("shop", // what was told before is not told again
			x{"messageId": "f-1", "userId": "ada", "type": "page", "occurredAt": "2026-04-02T10:00:00Z", "properties": x{"total": 100}},
			x{"messageId": "f-3", "anonymousId": "stranger", "type": "purchase", "occurredAt": "2026-04-01T10:00:00Z", "properties": x{"total": 100.01}},
		)
		a.state(x{"userId": "ada", "traits": x{"mood": "good"}}) // no interaction of hers

		a.tell("shop", x{"messageId": "f-4", "userId": "bob", "type": "page", "occurredAt": "2026-04-03T10:00:00Z"})
		for _, want := range []string{"f-1", "f-3", "f-4"} {
			if got := anything.message(t); got != want {
				t.Errorf("a subscriber to anything gets %s, want %s", got, want)
			}
		}
		if got := sent.message(t); got != "f-2" {
			t.Errorf("a subscriber to what was sent gets %s", got)
		}
		if got := dear.message(t); got != "f-3" {
			t.Errorf("a subscriber to what is dear gets %s", got)
		}
		withheld.close()
		if r := withheld.next(); r != nil && len(r.Data) > 0 {
			t.Errorf("a purpose that covers nobody is told %s", r.Data)
		}
	})
}

// TestSubscriptionEnds: a subscriber whose stream cannot go on is told why, and one who
// leaves is told nothing.
func TestSubscriptionEnds(t *testing.T) {
	a := newAPI(t, testdb.SQLite(t))
	stays, errs := a.subscribe(`subscription { interactions { id } }`, nil)
	if errs != nil {
		t.Fatal(errs)
	}
	defer stays.close()
	leaves, errs := a.subscribe(`subscription { interactions { id } }`, nil)
	if errs != nil {
		t.Fatal(errs)
	}
	leaves.close()
	if r := leaves.next(); r != nil || leaves.ending.Err() != nil {
		t.Errorf("who leaves is told %+v, %v", r, leaves.ending.Err())
	}
	if err := a.store.Close(); err != nil {
		t.Fatal(err)
	}
	if r := stays.next(); r != nil || insight.KindOf(stays.ending.Err()) != insight.Unavailable {
		t.Errorf("who stays is told %+v, %v", r, stays.ending.Err())
	}
}

// TestSubscriptionRefused: what is wrong with a subscription is said before it begins.
func TestSubscriptionRefused(t *testing.T) {
	a := newAPI(t, testdb.SQLite(t))
	for _, c := range []struct {
		as, query string
		want      insight.Kind
	}{
		{"nobody", `subscription { interactions { id } }`, insight.Unauthenticated},
		{"scopes=interactions:write", `subscription { interactions { id } }`, insight.Denied},
		{"purpose=", `subscription { interactions { id } }`, insight.Invalid},
		{"", `subscription { interactions(where: {types: []}) { id } }`, insight.Invalid},
	} {
		a.viewer = parseViewer(c.as)
		errs := a.begin(c.query)
		if len(errs) != 1 || insight.KindOf(errs[0].Err) != c.want {
			t.Errorf("%s as %q is answered with %v, want %v", c.query, c.as, errs, c.want)
		}
	}
}
