package graph_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/acquaint/acquaint/graph"
	"github.com/acquaint/acquaint/ingest"
	"github.com/acquaint/acquaint/ingest/tracking"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// now is when everything is asked: 2026-04-10T12:00:00Z.
func now() time.Time { return noon.Add(40 * insight.Day) }

// api is the whole API over a database of its own, without HTTP.
type api struct {
	t       testing.TB
	store   *store.Store
	counter *testdb.Counter
	exec    *executor.Executor
	viewer  *insight.Viewer
}

func newAPI(t testing.TB, o store.Options) *api {
	t.Helper()
	a := &api{t: t, counter: &testdb.Counter{}, viewer: admin()}
	o.Wrap, o.Now, o.LookEvery = a.counter.Wrap, now, time.Hour
	a.store = testdb.Open(t, o)
	p := ingest.New(a.store)
	t.Cleanup(func() {
		if err := p.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	a.exec = executor.New(graph.New(graph.Options{
		Store: a.store, Ingest: p, Decoder: &tracking.Decoder{Directory: a.store}, Now: now,
	}))
	return a
}

// ask runs an operation and returns its data, and its errors.
func (a *api) ask(query string, variables map[string]any) (map[string]any, gqlerror.List) {
	a.t.Helper()
	answer, errs := a.response(query, variables)
	var data map[string]any
	if len(answer) > 0 {
		if err := json.Unmarshal(answer, &data); err != nil {
			a.t.Fatal(err)
		}
	}
	return data, errs
}

// must runs an operation that has no errors.
func (a *api) must(query string, variables map[string]any) map[string]any {
	a.t.Helper()
	data, errs := a.ask(query, variables)
	if len(errs) > 0 {
		a.t.Fatalf("%v: %v", errs, insight.Detail(errs[0].Err))
	}
	return data
}

// dig follows a path of keys and positions into an answer.
func dig(t testing.TB, v any, path string) any {
	t.Helper()
	for part := range strings.SplitSeq(path, ".") {
		switch node := v.(type) {
		case map[string]any:
			v = node[part]
		case []any:
			var n int
			if _, err := fmt.Sscan(part, &n); err != nil || n >= len(node) {
				t.Fatalf("there is no %q in %s", part, path)
			}
			v = node[n]
		default:
			t.Fatalf("there is nothing at %q of %s: %v", part, path, v)
		}
	}
	return v
}

func (a *api) record(interactions ...map[string]any) map[string]any {
	a.t.Helper()
	return a.must(`mutation($i: [InteractionInput!]!) { recordInteractions(input: {interactions: $i}) { accepted duplicates withheld rejected { index code message } } }`,
		map[string]any{"i": interactions})
}

func visit(n int, who map[string]any) map[string]any {
	x := map[string]any{"messageId": fmt.Sprintf("m-%d", n), "type": "page", "occurredAt": noon.Add(time.Duration(n) * time.Minute).Format(time.RFC3339)}
	for k, v := range who {
		x[k] = v
	}
	return x
}

const nested = `query($n: Int!) { individuals(first: $n) { totalCount pageInfo { hasNextPage } nodes {
	id identifiers { kind value } links { id a { value } } traits { key value }
	sessions(first: 20) { totalCount nodes { id entryChannel { key } individual { id } interactions(first: 5) { totalCount nodes { id channel { key } } } } }
	interactions(first: 20) { totalCount edges { cursor node { id type channel { key name } source { name } individual { id lastSeenAt } session { id startedAt } } } }
	recency { elapsed } journey { touchpoints { channel { key } } }
} } }`

// TestStatementsDoNotGrow: the nested query takes as many statements for a hundred
// individuals as for one.
func TestStatementsDoNotGrow(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		a := newAPI(t, o)
		var all []map[string]any
		for n := range 800 {
			all = append(all, visit(n*17, map[string]any{"anonymousId": fmt.Sprintf("a-%d", n%100), "userId": fmt.Sprintf("u-%d", n%100)}))
		}
		a.record(all...)
		a.must(nested, map[string]any{"n": 100}) // prepares the statements, fills the directory
		a.counter.Take()
		one := a.must(nested, map[string]any{"n": 1})
		statements := a.counter.Take()
		hundred := a.must(nested, map[string]any{"n": 100})
		if got := a.counter.Take(); got != statements {
			t.Errorf("a hundred individuals take %d statements, one takes %d", got, statements)
		}
		t.Logf("%d statements", statements)
		if n := len(dig(t, one, "individuals.nodes").([]any)); n != 1 {
			t.Errorf("one page of one has %d", n)
		}
		if n := len(dig(t, hundred, "individuals.nodes").([]any)); n != 100 {
			t.Errorf("one page of a hundred has %d", n)
		}
		if n := dig(t, hundred, "individuals.nodes.7.interactions.totalCount"); n != float64(8) {
			t.Errorf("an individual has %v interactions, want 8", n)
		}
	})
}
