package server

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/acquaint/acquaint/insight"
)

// shellOver is a server around a world, without a listener.
func shellOver(t *testing.T, change ...func(*Options)) (*Server, *bench) {
	t.Helper()
	b := serve(t)
	o := Options{Graph: b.graph, Logger: b.log.Logger()}
	for _, c := range change {
		c(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s, b
}

func ask(s *Server, method, target string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	request := httptest.NewRequestWithContext(context.Background(), method, target, nil)
	for _, c := range change {
		c(request)
	}
	recorder := httptest.NewRecorder()
	s.Handler().ServeHTTP(recorder, request)
	return recorder
}

func says(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })
}

func TestRoutes(t *testing.T) {
	s, _ := shellOver(t, func(o *Options) { o.Playground, o.Tracking = says("playground"), says("tracking") })
	for target, want := range map[string]string{
		"/":                           "playground",
		"/assets/app.js":              "playground",
		"/v1/t":                       "tracking",
		"/v1/projects/wk/settings":    "tracking",
		"/healthz":                    "ok\n",
		"/readyz":                     "ready\n",
		"/graphql?query=%7Bhello%7D":  codeUnauthenticated,
		"/metrics":                    "acquaint_http_requests_in_flight",
		"/graphqlx?query=%7Bhello%7D": "playground",
	} {
		r := ask(s, "GET", target)
		if !strings.Contains(r.Body.String(), want) {
			t.Errorf("%s answered %d %.200s, want %q", target, r.Code, r.Body, want)
		}
		for _, name := range []string{"X-Request-Id", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Content-Security-Policy"} {
			if r.Header().Get(name) == "" {
				t.Errorf("%s has no %s", target, name)
			}
		}
	}
	if r := ask(s, "POST", "/metrics"); r.Code != 405 || r.Header().Get("Allow") == "" {
		t.Errorf("POST /metrics answered %d", r.Code)
	}
	bare, _ := shellOver(t)
	for _, target := range []string{"/", "/v1/t"} {
		if r := ask(bare, "GET", target); r.Code != 404 {
			t.Errorf("%s without a handler answered %d", target, r.Code)
		}
	}
}

func TestRequestIDsAreOurs(t *testing.T) {
	s, _ := shellOver(t)
	seen := map[string]bool{}
	for range 100 {
		id := ask(s, "GET", "/healthz", func(r *http.Request) { r.Header.Set("X-Request-Id", "mine") }).Header().Get("X-Request-Id")
		if len(id) != 24 || seen[id] {
			t.Fatalf("the request's id is %q", id)
		}
		seen[id] = true
	}
}

func TestReady(t *testing.T) {
	var fault error
	s, b := shellOver(t, func(o *Options) { o.Ready = func(context.Context) error { return fault } })
	if r := ask(s, "GET", "/readyz"); r.Code != 200 {
		t.Errorf("ready: %d", r.Code)
	}
	fault = insight.WrapError("store.Ping", insight.Unavailable, errors.New("dial tcp: refused"))
	r := ask(s, "GET", "/readyz")
	if r.Code != 503 || r.Body.String() != "not ready\n" {
		t.Errorf("not ready: %d %q", r.Code, r.Body)
	}
	if !strings.Contains(b.log.String(), "store.Ping") {
		t.Error("the log does not say why")
	}
	if r := ask(s, "GET", "/healthz"); r.Code != 200 {
		t.Errorf("the process is up all the same: %d", r.Code)
	}
}

func TestMetricsAndAccessLog(t *testing.T) {
	registry := prometheus.NewRegistry()
	s, b := shellOver(t, func(o *Options) { o.Registry, o.Tracking = registry, says("tracked") })
	if s.Registry() != registry {
		t.Error("the registry is another one")
	}
	ask(s, "POST", "/v1/t?writeKey="+secretValue, func(r *http.Request) { r.RemoteAddr = "203.0.113.9:4242" })
	ask(s, secretTokenMethod, "/v1/"+secretValue)
	ask(s, "GET", "/graphql")

	for _, c := range []struct {
		labels []string
		want   float64
	}{
		{[]string{"/v1/", "POST", "2xx"}, 1},
		{[]string{"/v1/", "other", "2xx"}, 1},
		{[]string{"/graphql", "GET", "4xx"}, 1},
	} {
		if got := reading(t, s.metrics.requests.WithLabelValues(c.labels...)); got != c.want {
			t.Errorf("requests%v = %v, want %v", c.labels, got, c.want)
		}
	}
	if got := reading(t, s.metrics.inFlight.WithLabelValues("/v1/")); got != 0 {
		t.Errorf("%v requests are in flight after the last", got)
	}
	told := ask(s, "GET", "/metrics").Body.String() + b.log.String()
	for _, name := range []string{"acquaint_http_request_duration_seconds_bucket", "go_goroutines", "process_start_time_seconds", `"route":"/v1/"`, `"status":401`, `"bytes":7`} {
		if !strings.Contains(told, name) {
			t.Errorf("neither metrics nor log have %s", name)
		}
	}
	for _, never := range []string{secretValue, "alice", "203.0.113.9", secretTokenMethod} {
		if strings.Contains(told, never) {
			t.Errorf("metrics or log have %s", never)
		}
	}
	if _, err := New(Options{Graph: b.graph, Registry: registry}); err == nil {
		t.Error("two servers share one registry's names")
	}
}

// reading is what a counter or a gauge stands at.
func reading(t *testing.T, metric prometheus.Metric) float64 {
	t.Helper()
	var m dto.Metric
	if err := metric.Write(&m); err != nil {
		t.Fatal(err)
	}
	return m.GetCounter().GetValue() + m.GetGauge().GetValue()
}

const secretTokenMethod = "ALICE"

func TestHandlersThatPanic(t *testing.T) {
	s, b := shellOver(t, func(o *Options) {
		o.Tracking = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v1/late" {
				_, _ = io.WriteString(w, "half")
			}
			panic("the ground gave way")
		})
	})
	r := ask(s, "POST", "/v1/t")
	id := r.Header().Get("X-Request-Id")
	if r.Code != 500 || !strings.Contains(r.Body.String(), codeInternal) || !strings.Contains(r.Body.String(), id) || strings.Contains(r.Body.String(), "ground") {
		t.Errorf("a panic answered %d %s", r.Code, r.Body)
	}
	if log := b.log.String(); !strings.Contains(log, "the ground gave way") || !strings.Contains(log, "server_test.go") || !strings.Contains(log, id) {
		t.Error("the log does not say what happened, where and to which request")
	}
	func() {
		defer func() {
			if value := recover(); value != http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
				t.Errorf("a panic in the middle of an answer ends with %v, want the connection cut", value)
			}
		}()
		ask(s, "POST", "/v1/late")
	}()
	if got := reading(t, s.metrics.inFlight.WithLabelValues("/v1/")); got != 0 {
		t.Errorf("%v requests are in flight after the panics", got)
	}
}

func TestHosts(t *testing.T) {
	s, _ := shellOver(t, func(o *Options) { o.Hosts = []string{"localhost", "127.0.0.1", "::1"} })
	for host, want := range map[string]int{
		"localhost": 200, "LOCALHOST:8080": 200, "127.0.0.1:8080": 200, "[::1]:8080": 200, "[::1]": 200,
		"evil.example": 421, "evil.example:8080": 421, "localhost.evil.example": 421, "": 421,
	} {
		if r := ask(s, "GET", "/healthz", func(r *http.Request) { r.Host = host }); r.Code != want {
			t.Errorf("a request to %q answered %d, want %d", host, r.Code, want)
		}
	}
}

func TestNewNeedsAGraph(t *testing.T) {
	if _, err := New(Options{}); insight.KindOf(err) != insight.Invalid || err == nil {
		t.Errorf("error %v, want Invalid", err)
	}
	if _, err := NewGraphQL(GraphQLOptions{}); insight.KindOf(err) != insight.Invalid || err == nil {
		t.Errorf("error %v, want Invalid", err)
	}
}

// running is a server with a real listener.
type running struct {
	*bench
	shell *Server
	url   string
	stop  context.CancelFunc
	ended chan error
}

func run(t *testing.T, change ...func(*Options)) *running {
	t.Helper()
	shell, b := shellOver(t, change...)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{bench: b, shell: shell, url: "http://" + listener.Addr().String(), stop: cancel, ended: make(chan error, 1)}
	go func() { r.ended <- shell.Serve(ctx, listener) }()
	t.Cleanup(cancel)
	b.http.URL = r.url // the bench's clients ask the running server
	return r
}

func TestGracefulStop(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	r := run(t, func(o *Options) {
		o.Tracking = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(entered)
			<-release
			_, _ = io.WriteString(w, "kept")
		})
	})
	r.world.started = make(chan string, 2)
	socket := r.admitted()
	socket.say(subscribeTo("1", `subscription { forever }`))
	socket.expect("next", "1", `{"forever":1}`)
	events := r.listen(t.Context(), r.token(time.Hour), `subscription { forever }`)
	events.expect("next", `{"forever":1}`)
	inFlight := make(chan *reply, 1)
	go func() { inFlight <- r.send("POST", "/v1/t", "{}") }()
	<-entered

	r.stop()
	for {
		m, code := socket.hear()
		if m.Type == "complete" {
			continue
		}
		if code != websocket.StatusGoingAway {
			t.Errorf("the socket is closed with %d, want 1001", code)
		}
		break
	}
	events.expect("complete", "")
	if got := ask(r.shell, "GET", "/readyz"); got.Code != 503 || got.Body.String() != "stopping\n" {
		t.Errorf("while stopping, /readyz answers %d %q", got.Code, got.Body)
	}
	select {
	case err := <-r.ended:
		t.Fatalf("Serve returned %v with a request in flight", err)
	default:
	}
	close(release)
	if got := <-inFlight; got.status != 200 || got.body != "kept" {
		t.Errorf("the request in flight was answered %d %q", got.status, got.body)
	}
	if err := <-r.ended; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(r.url, "http://")); err == nil {
		_ = conn.Close()
		t.Error("the listener is still open")
	}
}

func TestStopHasADeadline(t *testing.T) {
	entered := make(chan struct{})
	r := run(t, func(o *Options) {
		o.Deadline = 10 * time.Millisecond
		o.Tracking = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			close(entered)
			<-r.Context().Done() // and only then
		})
	})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/v1/t", nil)
	if err != nil {
		t.Fatal(err)
	}
	lost := make(chan struct{})
	go func() {
		defer close(lost)
		if response, err := r.http.Client().Do(request); err == nil {
			_ = response.Body.Close()
		}
	}()
	<-entered
	r.stop()
	if err := <-r.ended; insight.KindOf(err) != insight.Unavailable || err == nil {
		t.Errorf("Serve = %v, want an error that says so", err)
	}
	<-lost
}

func TestServeOnAClosedListener(t *testing.T) {
	shell, _ := shellOver(t)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	if err := shell.Serve(t.Context(), listener); err == nil {
		t.Error("Serve on a closed listener returned nil")
	}
}
