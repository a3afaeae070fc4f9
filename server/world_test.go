package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/golang-jwt/jwt/v5"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"go.uber.org/goleak"

	"github.com/acquaint/acquaint/graph/viewer"
	"github.com/acquaint/acquaint/insight"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const worldSDL = CostDirective + `
directive @oneOf on INPUT_OBJECT
type Query {
  hello: String!
  echo(text: String!): String!
  whoami: String!
  purpose: String!
  fail(kind: String!): String
  joined: String
  panic: String
  slow: String
  find(by: Lookup!, kind: Kind): String
  search(by: Rule!): String
  decoded(id: ID!): String
  individuals(first: Int, last: Int, after: String): IndividualConnection!
  individual: Individual
  node(id: ID!): Node
  nodes(ids: [ID!]!): [Node]!
  report: Report @cost(weight: 500)
}
type Mutation { greet: String! }
type Subscription { ticks(n: Int!): Int!  forever: Int!  refused: Int! }
interface Node { id: ID! }
type Individual implements Node {
  id: ID!
  links: [Link!]!
  interactions(first: Int, last: Int): InteractionConnection!
  friends: [Individual!]!
}
type Link implements Node { id: ID!  a: Individual!  b: Individual! }
type Interaction implements Node { id: ID!  type: String!  channel: Channel!  individual: Individual! }
type Channel implements Node { id: ID!  key: String! }
type IndividualConnection { edges: [IndividualEdge!]!  nodes: [Individual!]!  pageInfo: PageInfo!  totalCount: Int! @cost(weight: 10) }
type IndividualEdge { cursor: String!  node: Individual! }
type InteractionConnection { edges: [InteractionEdge!]!  nodes: [Interaction!]!  pageInfo: PageInfo!  totalCount: Int! }
type InteractionEdge { cursor: String!  node: Interaction! }
type PageInfo { hasNextPage: Boolean! }
type Report { total: Int! @cost(weight: 7)  channels: [Channel!]! }
input Lookup @oneOf { id: ID  email: String  tags: [String!] age: Int }
input Rule { any: [Rule!] by: Lookup name: String }
enum Kind { WEB EMAIL }
`

// world is a small executable schema, written by hand in the manner of gqlgen's
// generated code.
type world struct {
	schema  *ast.Schema
	started chan string // told when slow or forever has begun; nil: nobody listens
}

func newWorld() *world {
	return &world{schema: gqlparser.MustLoadSchema(&ast.Source{Name: "world", Input: worldSDL})}
}

func (w *world) Schema() *ast.Schema { return w.schema }

func (w *world) Complexity(context.Context, string, string, int, map[string]any) (int, bool) {
	return 0, false
}

func (w *world) Exec(ctx context.Context) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	switch op.Operation.Operation {
	case ast.Subscription:
		return w.stream(ctx, op)
	default:
		ran := false
		return func(ctx context.Context) *graphql.Response {
			if ran {
				return nil
			}
			ran = true
			object := map[string]any{}
			for _, field := range graphql.CollectFields(op, op.Operation.SelectionSet, nil) {
				object[field.Alias] = w.field(ctx, op, field)
			}
			data, _ := json.Marshal(object)
			return &graphql.Response{Data: data}
		}
	}
}

func (w *world) field(ctx context.Context, op *graphql.OperationContext, field graphql.CollectedField) (value any) {
	fc := &graphql.FieldContext{Object: "Query", Field: field}
	ctx = graphql.WithFieldContext(ctx, fc)
	defer func() {
		if r := recover(); r != nil {
			op.Error(ctx, op.Recover(ctx, r))
			value = nil
		}
	}()
	arguments := field.ArgumentMap(op.Variables)
	if field.Name == "decoded" {
		at := graphql.WithPathContext(ctx, graphql.NewPathWithField("id"))
		op.Error(ctx, graphql.ErrorOnPath(at, decodeFault(arguments["id"])))
		return nil
	}
	fc.Args = arguments
	value, err := w.resolve(ctx, field.Name, arguments)
	if err != nil {
		op.Error(ctx, graphql.AddFieldLocationToError(ctx, err))
		return nil
	}
	return value
}

// decodeFault is what a decoder of arguments returns: one of gqlgen's own, which
// quotes, or one of ours.
func decodeFault(v any) error {
	if v == "ours" {
		return insight.NewError(insight.Invalid, "", "an id has a prefix")
	}
	return fmt.Errorf("%v is not an id", v)
}

func (w *world) begun(what string) {
	if w.started != nil {
		w.started <- what
	}
}

func (w *world) resolve(ctx context.Context, name string, arguments map[string]any) (any, error) {
	switch name {
	case "hello", "greet":
		return "world", nil
	case "echo":
		return arguments["text"], nil
	case "whoami", "purpose":
		who, err := viewer.Require(ctx)
		if err != nil {
			return nil, err
		}
		if name == "purpose" {
			return who.Purpose, nil
		}
		return who.Subject, nil
	case "fail":
		return nil, failures[fmt.Sprint(arguments["kind"])]
	case "joined":
		return nil, errors.Join(insight.NewError(insight.Invalid, "first", "is 1 to 100"), insight.NewError(insight.Conflict, "key", "is taken"))
	case "panic":
		panic("the ground gave way")
	case "slow":
		w.begun("slow")
		<-ctx.Done()
		return nil, insight.WrapError("store.Read", insight.Unavailable, ctx.Err())
	case "find", "search":
		return "found", nil
	}
	return map[string]any{}, nil
}

var failures = map[string]error{
	"invalid":         insight.NewError(insight.Invalid, "first", "is 1 to 100"),
	"notfound":        insight.NewError(insight.NotFound, "segment", "there is none by this key"),
	"conflict":        insight.NewError(insight.Conflict, "key", "is taken"),
	"unauthenticated": insight.NewError(insight.Unauthenticated, "", "who is asking?"),
	"denied":          insight.NewError(insight.Denied, "", "this needs the scope admin"),
	"withheld":        insight.NewError(insight.Withheld, "", "the purpose does not cover them"),
	"exhausted":       insight.NewError(insight.Exhausted, "", "later"),
	"unavailable":     insight.NewError(insight.Unavailable, "", "the store is away"),
	"internal":        insight.WrapError("store.Read", insight.Internal, errors.New("pq: relation 14 is gone")),
	"unknown":         errors.New("pq: relation 15 is gone"),
	"wrapped":         fmt.Errorf("while reading relation 16: %w", insight.NewError(insight.NotFound, "segment", "there is none by this key")),
}

func (w *world) stream(ctx context.Context, op *graphql.OperationContext) graphql.ResponseHandler {
	field := graphql.CollectFields(op, op.Operation.SelectionSet, nil)[0]
	fc := &graphql.FieldContext{Object: "Subscription", Field: field, Args: field.ArgumentMap(op.Variables)}
	ctx = graphql.WithFieldContext(ctx, fc)
	var buffer []byte // of every response, as in gqlgen's code
	tick := func(i int) *graphql.Response {
		buffer = fmt.Appendf(buffer[:0], `{%q:%d}`, field.Alias, i)
		return &graphql.Response{Data: buffer}
	}
	i := 0
	switch field.Name {
	case "refused":
		op.Error(ctx, insight.NewError(insight.Denied, "", "this needs the scope individuals:read"))
		return nil
	case "ticks":
		n, _ := integer(fc.Args["n"])
		return func(context.Context) *graphql.Response {
			if i++; i > n {
				return nil
			}
			return tick(i)
		}
	}
	return func(ctx context.Context) *graphql.Response {
		if i++; i == 1 {
			return tick(1)
		}
		w.begun("forever")
		<-ctx.Done()
		return nil
	}
}

var testSecret = []byte("a secret of at least thirty-two bytes, for tests")

// clock is a moment that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

var noon = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)

// logBook keeps what was logged.
type logBook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logBook) Logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// bench is a served world.
type bench struct {
	t     *testing.T
	world *world
	clock *clock
	log   *logBook
	graph *GraphQL
	http  *httptest.Server
}

func serve(t *testing.T, change ...func(*GraphQLOptions)) *bench {
	t.Helper()
	b := &bench{t: t, world: newWorld(), clock: &clock{now: noon}, log: &logBook{}}
	auth, err := NewAuthenticator(t.Context(), AuthOptions{Secret: testSecret, Now: b.clock.Now, Logger: b.log.Logger()})
	if err != nil {
		t.Fatal(err)
	}
	o := GraphQLOptions{Schema: b.world, Auth: auth, Introspection: true, Logger: b.log.Logger()}
	for _, c := range change {
		c(&o)
	}
	if b.graph, err = NewGraphQL(o); err != nil {
		t.Fatal(err)
	}
	shell, err := New(Options{Graph: b.graph, Logger: b.log.Logger()})
	if err != nil {
		t.Fatal(err)
	}
	b.http = httptest.NewServer(shell.Handler())
	t.Cleanup(func() {
		if err := b.graph.Stop(context.Background()); err != nil {
			t.Errorf("Stop: %v", err)
		}
		b.http.Close()
	})
	return b
}

func (b *bench) token(ttl time.Duration) string {
	return signed(b.t, Claims{Scope: "individuals:read", Purposes: Names{"service"}, RegisteredClaims: jwt.RegisteredClaims{Subject: "tester"}}, ttl)
}

func signed(t *testing.T, claims Claims, ttl time.Duration) string {
	t.Helper()
	token, err := SignAt(noon, testSecret, claims, ttl)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

type reply struct {
	status int
	header http.Header
	body   string
	Data   map[string]any
	Errors []struct {
		Message    string
		Path       []any
		Locations  []map[string]int
		Extensions map[string]any
	}
	Extensions map[string]any
	hasData    bool
}

// send sends a request with a valid token; header entries are "Name: value", and
// a value of "-" takes the header away.
func (b *bench) send(method, target, body string, headers ...string) *reply {
	b.t.Helper()
	request, err := http.NewRequestWithContext(b.t.Context(), method, b.http.URL+target, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+b.token(time.Hour))
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/json")
	}
	request.Header.Set("Accept", mediaGraphQL)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if value == "-" {
			request.Header.Del(name)
		} else {
			request.Header.Set(name, value)
		}
	}
	response, err := b.http.Client().Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	r := &reply{status: response.StatusCode, header: response.Header, body: string(text)}
	if len(text) > 0 && strings.Contains(response.Header.Get("Content-Type"), "json") {
		if err := json.Unmarshal(text, r); err != nil {
			b.t.Fatalf("%s answered what is not JSON: %v\n%s", target, err, text)
		}
		var keys map[string]json.RawMessage
		_ = json.Unmarshal(text, &keys)
		_, r.hasData = keys["data"]
	}
	return r
}

func (b *bench) post(query string, headers ...string) *reply {
	b.t.Helper()
	body, _ := json.Marshal(map[string]any{"query": query})
	return b.send(http.MethodPost, "/graphql", string(body), headers...)
}

func (r *reply) code() string {
	if len(r.Errors) == 0 {
		return ""
	}
	code, _ := r.Errors[0].Extensions["code"].(string)
	return code
}
