package server

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/acquaint/acquaint/graph"
	"github.com/acquaint/acquaint/insight"
)

// GraphQLOptions says how the graph is served. Schema and Auth are required.
type GraphQLOptions struct {
	Schema        graphql.ExecutableSchema
	Auth          *Authenticator
	Limits        Limits
	Introspection bool
	Origins       []string      // other sites whose pages may ask: "https://console.example.com"
	QueryCache    int           // parsed documents that are kept; 256
	KeepAlive     time.Duration // between signs of life on a stream or socket; 15 s
	InitTimeout   time.Duration // for a socket to say who it is; 10 s

	Logger *slog.Logger // nil: none
	Tracer trace.Tracer // nil: none
}

// GraphQL serves the graph over HTTP, over event streams and over websockets, at
// one path.
type GraphQL struct {
	exec    *executor.Executor
	auth    *Authenticator
	limits  Limits
	origins map[string]bool
	o       GraphQLOptions
	faults  *faults
	parsed  queryCache

	stopped context.Context // done when streams and sockets are to end
	stop    context.CancelFunc
	sockets sync.WaitGroup
	opening sync.Mutex // held while a socket is counted, so that none is opened after the last was waited for
}

// cachedQuery is the longest document that is kept parsed. Longer ones are made
// by machines, and rarely twice.
const cachedQuery = 16 << 10

type queryCache struct {
	graphql.Cache[*ast.QueryDocument]
}

func (c queryCache) Add(ctx context.Context, query string, document *ast.QueryDocument) {
	if len(query) <= cachedQuery {
		c.Cache.Add(ctx, query, document)
	}
}

// NewGraphQL returns a handler for the graph, to be mounted at one path. It
// refuses origins that are not a scheme and a host.
func NewGraphQL(o GraphQLOptions) (*GraphQL, error) {
	if o.Schema == nil || o.Auth == nil {
		return nil, insight.NewError(insight.Invalid, "graphql", "a schema and an authenticator are needed")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Tracer == nil {
		o.Tracer = noop.NewTracerProvider().Tracer("")
	}
	if o.QueryCache <= 0 {
		o.QueryCache = 256
	}
	if o.KeepAlive <= 0 {
		o.KeepAlive = 15 * time.Second
	}
	if o.InitTimeout <= 0 {
		o.InitTimeout = 10 * time.Second
	}
	origins, err := parseOrigins(o.Origins)
	if err != nil {
		return nil, err
	}
	limits := o.Limits.withDefaults()
	g := &GraphQL{
		exec: executor.New(o.Schema), auth: o.Auth, limits: limits, origins: origins, o: o,
		faults: &faults{log: o.Logger, time: limits.Time},
		parsed: queryCache{lru.New[*ast.QueryDocument](o.QueryCache)},
	}
	g.stopped, g.stop = context.WithCancel(context.Background())
	g.exec.SetErrorPresenter(g.faults.present)
	g.exec.SetRecoverFunc(g.faults.recovered)
	g.exec.SetQueryCache(g.parsed)
	g.exec.SetParserTokenLimit(limits.Tokens)
	g.exec.SetDisableSuggestion(!o.Introspection)
	g.exec.Use(&gate{limits: limits, introspection: o.Introspection})
	return g, nil
}

// Stop ends every stream and socket and waits until they are gone, or ctx is
// done. Nothing new is opened afterwards; queries and mutations are still
// answered.
func (g *GraphQL) Stop(ctx context.Context) error {
	g.opening.Lock()
	g.stop()
	g.opening.Unlock()
	gone := make(chan struct{})
	go func() {
		g.sockets.Wait()
		close(gone)
	}()
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
		return insight.WrapError("server.Stop", insight.Unavailable, ctx.Err())
	}
}

func parseOrigins(list []string) (map[string]bool, error) {
	origins := map[string]bool{}
	for _, origin := range list {
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.Scheme+"://"+u.Host != strings.ToLower(origin) {
			return nil, insight.NewError(insight.Invalid, "origins", "an origin is a scheme and a host, such as https://console.example.com")
		}
		origins[strings.ToLower(origin)] = true
	}
	return origins, nil
}

// fromOtherSite reports whether a page of a site that is neither this one nor a
// configured one sent the request. Without the header no page did.
func (g *GraphQL) fromOtherSite(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || g.origins[strings.ToLower(origin)] {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || !strings.EqualFold(u.Host, r.Host)
}

const allowedMethods = "GET, POST, OPTIONS"

// ServeHTTP answers one request, or runs one stream or socket.
func (g *GraphQL) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Add("Vary", "Origin")
	h.Add("Vary", "Accept")
	h.Set("Cache-Control", "no-store")
	if origin := r.Header.Get("Origin"); g.origins[strings.ToLower(origin)] {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Expose-Headers", "X-Request-Id, Retry-After")
		if r.Method == http.MethodOptions {
			h.Set("Access-Control-Allow-Methods", "GET, POST")
			h.Set("Access-Control-Allow-Headers", "Accept, Authorization, Content-Type, "+PurposeHeader)
			h.Set("Access-Control-Max-Age", "600")
		}
	}
	switch {
	case r.Method == http.MethodOptions:
		h.Set("Allow", allowedMethods)
		w.WriteHeader(http.StatusNoContent)
	case strings.EqualFold(r.Header.Get("Upgrade"), "websocket"):
		g.serveSocket(w, r)
	default:
		g.serveExchange(w, r)
	}
}

// prepare parses, validates and weighs an operation. What is refused comes back
// as a response.
func (g *GraphQL) prepare(ctx context.Context, params *graphql.RawParams) (op *graphql.OperationContext, refused *graphql.Response) {
	defer func() {
		if value := recover(); value != nil {
			op, refused = nil, g.fault(ctx, g.faults.recovered(ctx, value))
		}
	}()
	if _, known := g.parsed.Get(ctx, params.Query); !known {
		if fault := g.limits.repeats(params.Query); fault != nil {
			return nil, &graphql.Response{Errors: gqlerror.List{fault}}
		}
	}
	op, errs := g.exec.CreateOperationContext(ctx, params)
	if errs != nil {
		return nil, g.exec.DispatchError(graphql.WithOperationContext(ctx, op), errs)
	}
	return op, nil
}

// fault is a response that holds one error and no data.
func (g *GraphQL) fault(ctx context.Context, err error) *graphql.Response {
	ctx = graphql.WithResponseContext(ctx, g.faults.present, g.faults.recovered)
	graphql.AddError(ctx, err)
	return &graphql.Response{Errors: graphql.GetErrors(ctx)}
}

// execute starts a prepared operation. Each call of next gives a response, nil
// after the last one; finish must be called once.
func (g *GraphQL) execute(ctx context.Context, op *graphql.OperationContext) (next func() *graphql.Response, finish func()) {
	kind := string(op.Operation.Operation)
	name := kind
	attributes := []attribute.KeyValue{attribute.String("graphql.operation.type", kind)}
	if op.Operation.Name != "" {
		name += " " + op.Operation.Name
		attributes = append(attributes, attribute.String("graphql.operation.name", op.Operation.Name))
	}
	ctx, span := g.o.Tracer.Start(ctx, name, trace.WithAttributes(attributes...))
	cancel := context.CancelFunc(func() {})
	ctx, ending := graph.WithEnding(ctx)
	if op.Operation.Operation != ast.Subscription {
		ctx, cancel = context.WithTimeoutCause(ctx, g.limits.Time, errTimeLimit)
	}
	finish = func() {
		cancel()
		span.End()
	}
	var responses graphql.ResponseHandler
	begun, ended := false, false
	next = func() (response *graphql.Response) {
		if ended {
			return nil
		}
		defer func() {
			if value := recover(); value != nil {
				ended = true
				response = g.fault(ctx, g.faults.recovered(ctx, value))
			}
		}()
		if responses == nil {
			responses, ctx = g.exec.DispatchOperation(ctx, op)
		}
		response = responses(ctx)
		if response == nil && !begun && context.Cause(ctx) == errTimeLimit { //nolint:errorlint // the cause itself
			response = g.fault(ctx, errTimeLimit)
		}
		ended = response == nil
		if err := ending.Err(); ended && err != nil {
			response = g.fault(ctx, err)
		}
		begun = true
		return response
	}
	return next, finish
}

// lifetime is how long a stream or socket may last by its token.
func (g *GraphQL) lifetime(until time.Time) time.Duration {
	return max(until.Sub(g.auth.now()), 0)
}

// errExpired is what a stream is told when its token is no longer believed.
var errExpired = gqlerror.List{requestError(codeUnauthenticated, "the bearer token has expired")}
