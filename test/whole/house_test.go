package whole

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/goleak"

	"github.com/acquaint/acquaint/engage/archive"
	"github.com/acquaint/acquaint/graph"
	"github.com/acquaint/acquaint/ingest"
	"github.com/acquaint/acquaint/ingest/tracking"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/receipt"
	"github.com/acquaint/acquaint/server"
	"github.com/acquaint/acquaint/store"
	"github.com/acquaint/acquaint/web"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "a secret of at least thirty-two bytes, for tests"

// house is a whole server with everything that it tells of itself.
type house struct {
	t        *testing.T
	store    *store.Store
	url      string
	address  string
	writeKey string
	client   *http.Client
	log      *book
	spans    *tracetest.InMemoryExporter
	tickets  []string // of archives, which are as secret as what these hold
}

// open starts a server on a database.
func open(t *testing.T, o store.Options) *house {
	t.Helper()
	return openAs(t, o, "shop")
}

// openAs starts a server whose source of events has a name, so that there may be several
// on one database.
func openAs(t *testing.T, o store.Options, source string) *house {
	t.Helper()
	h := &house{t: t, log: &book{}, spans: tracetest.NewInMemoryExporter(), client: &http.Client{Transport: &http.Transport{}}}
	log := slog.New(slog.NewJSONHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	tracing := sdktrace.NewTracerProvider(sdktrace.WithSyncer(h.spans))
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	h.store, err = store.Open(t.Context(), o)
	must(err)
	_, h.writeKey, err = h.store.CreateSource(t.Context(), store.NewSource{Name: source})
	must(err)
	pipeline := ingest.New(h.store)
	auth, err := server.NewAuthenticator(t.Context(), server.AuthOptions{Secret: []byte(secret), Logger: log})
	must(err)
	decoder := &tracking.Decoder{Directory: h.store}
	api, err := server.NewGraphQL(server.GraphQLOptions{
		Schema: graph.New(graph.Options{Store: h.store, Ingest: pipeline, Decoder: decoder}), Auth: auth, Introspection: true,
		Logger: log, Tracer: tracing.Tracer("test"),
	})
	must(err)
	shell, err := server.New(server.Options{
		Graph: api, Playground: web.Playground(web.Options{}), Ready: h.store.Ready, Logger: log, Tracer: tracing.Tracer("test"),
		Tracking:   server.NewTracking(server.TrackingOptions{Sources: h.store, Submit: pipeline.Submit, Decoder: decoder, Logger: log}),
		Exports:    server.NewExports(server.ExportsOptions{Redeem: h.store.Redeem, Write: h.archive, Logger: log}),
		ReceiptKey: &server.ReceiptKey{ID: h.store.ReceiptKey().ID(), Algorithm: receipt.Algorithm, Public: h.store.ReceiptKey().Public()},
	})
	must(err)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(err)
	h.address = listener.Addr().String()
	h.url = "http://" + h.address
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- shell.Serve(ctx, listener) }()
	t.Cleanup(func() {
		h.client.CloseIdleConnections()
		stop()
		if err := <-served; err != nil {
			t.Errorf("the server did not stop gracefully: %v", err)
		}
		if err := pipeline.Close(context.Background()); err != nil {
			t.Error(err)
		}
		_ = h.store.Close() // a test may have closed it
		_ = tracing.Shutdown(context.Background())
	})
	return h
}

// archive writes the archive of a request, as acquaint serve does.
func (h *house) archive(ctx context.Context, w io.Writer, q *insight.Request) error {
	if err := h.store.LogExport(ctx, q); err != nil {
		return err
	}
	return h.store.Dossier(ctx, q.IndividualID, func(d *store.Dossier) error {
		_, err := archive.Write(ctx, w, d, archive.Options{Now: time.Now(), Request: q.ID, Kind: q.Kind, RequestedBy: q.RequestedBy, Sign: h.store.ReceiptKey().Sign})
		return err
	})
}

// own is an individual's own token.
func (h *house) own(individual string) string {
	h.t.Helper()
	text, err := server.Sign([]byte(secret), server.Claims{Scope: "self", Individual: individual, RegisteredClaims: jwt.RegisteredClaims{Subject: "themselves"}}, time.Hour)
	if err != nil {
		h.t.Fatal(err)
	}
	return text
}

// fault is an error of the graph.
type fault struct {
	Message    string
	Path       []any
	Extensions struct{ Code string }
}

// asks asks the graph for data; purpose may be empty.
func (h *house) asks(token, purpose, query string, variables map[string]any) (json.RawMessage, []fault) {
	h.t.Helper()
	header := []string{"Authorization: Bearer " + token}
	if purpose != "" {
		header = append(header, "Acquaint-Purpose: "+purpose)
	}
	r := h.send(request{path: "/graphql", body: operation(query, variables), header: header})
	var answer struct {
		Data   json.RawMessage
		Errors []fault
	}
	if err := json.Unmarshal([]byte(r.body), &answer); err != nil {
		h.t.Fatalf("%s: %d %s", query, r.status, r.body)
	}
	return answer.Data, answer.Errors
}

// gets is asks without errors, into a value.
func (h *house) gets(token, purpose, query string, variables map[string]any, into any) {
	h.t.Helper()
	data, faults := h.asks(token, purpose, query, variables)
	if len(faults) > 0 {
		h.t.Fatalf("%s: %+v", query, faults)
	}
	if err := json.Unmarshal(data, into); err != nil {
		h.t.Fatalf("%s: %s: %v", query, data, err)
	}
}

// token is an operator's.
func (h *house) token(scope string) string {
	h.t.Helper()
	claims := server.Claims{Scope: scope, Purposes: server.Names{"service", "analytics", "marketing"}, RegisteredClaims: jwt.RegisteredClaims{Subject: "operator"}}
	text, err := server.Sign([]byte(secret), claims, time.Hour)
	if err != nil {
		h.t.Fatal(err)
	}
	return text
}

// request is one request; header entries are "Name: value".
type request struct {
	method string // POST where it is empty
	path   string
	body   string
	header []string
}

func get(path string) request { return request{method: http.MethodGet, path: path} }

// reply is what was answered.
type reply struct {
	status int
	header http.Header
	body   string
}

func (h *house) send(r request) reply {
	h.t.Helper()
	if r.method == "" {
		r.method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(h.t.Context(), r.method, h.url+r.path, strings.NewReader(r.body))
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for _, line := range r.header {
		name, value, _ := strings.Cut(line, ": ")
		if name == "Host" {
			req.Host = value
			continue
		}
		req.Header[http.CanonicalHeaderKey(name)] = append(req.Header[http.CanonicalHeaderKey(name)], value)
		if name == "Content-Type" {
			req.Header.Set(name, value)
		}
	}
	response, err := h.client.Do(req)
	if err != nil {
		h.t.Fatalf("%s %s: %v", r.method, r.path, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil && response.Header.Get("Content-Type") != "application/zip" { // of an archive that breaks off, a part comes
		h.t.Fatalf("%s %s: %v", r.method, r.path, err)
	}
	return reply{status: response.StatusCode, header: response.Header, body: string(body)}
}

// track sends a message or a batch with the source's write key.
func (h *house) track(path, body string, header ...string) reply {
	h.t.Helper()
	req := request{path: "/v1/" + path, body: body, header: header}
	if !strings.Contains(strings.Join(header, "\n"), "Authorization: ") {
		req.header = append(req.header, "Authorization: Basic "+basic(h.writeKey))
	}
	return h.send(req)
}

// operation is a request's body.
func operation(query string, variables map[string]any) string {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		panic(err) // of the test itself
	}
	return string(body)
}

// book keeps what is logged.
type book struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *book) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(line)
}

func (b *book) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
