package server

import (
	"context"
	"errors"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/acquaint/acquaint/insight"
)

// Options says what the shell is around. Graph is required; a route whose
// handler is nil is not there.
type Options struct {
	Graph      *GraphQL
	Playground http.Handler // at /, for every path that no other route has
	Tracking   http.Handler // at /v1/
	Exports    http.Handler // at /v1/exports/{request}
	Members    http.Handler // at /v1/segments/{key}/members
	ReceiptKey *ReceiptKey  // at /v1/receipt-key

	Ready    func(context.Context) error // whether what it depends on is up; nil: always
	Registry *prometheus.Registry        // nil: one of its own
	Logger   *slog.Logger                // nil: none
	Tracer   trace.Tracer                // nil: none

	// Hosts are the names that requests may be addressed to, without a port; none:
	// any. A server on loopback names its own, so that a page of another site
	// cannot reach it by pointing its name here.
	Hosts []string

	Deadline time.Duration // for requests in flight to finish after the stop; 20 s
}

// Server is the whole of Acquaint's HTTP side.
type Server struct {
	o        Options
	handler  http.Handler
	metrics  *httpMetrics
	stopping atomic.Bool
}

// New puts the routes together and registers their metrics.
func New(o Options) (*Server, error) {
	if o.Graph == nil {
		return nil, insight.NewError(insight.Invalid, "server", "a graph is needed")
	}
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Tracer == nil {
		o.Tracer = noop.NewTracerProvider().Tracer("")
	}
	if o.Deadline <= 0 {
		o.Deadline = 20 * time.Second
	}
	metrics, err := newHTTPMetrics(o.Registry)
	if err != nil {
		return nil, err
	}
	s := &Server{o: o, metrics: metrics}
	mux := http.NewServeMux()
	route := func(pattern string, next http.Handler) {
		mux.Handle(pattern, s.shell(pattern, next))
	}
	route("/graphql", o.Graph)
	route("/healthz", http.HandlerFunc(s.health))
	route("/readyz", http.HandlerFunc(s.ready))
	route("/metrics", readOnly(timed(metricsHandler(o.Registry))))
	if o.Tracking != nil {
		route("/v1/", timed(o.Tracking))
	} else {
		route("/v1/", http.NotFoundHandler())
	}
	if o.ReceiptKey != nil {
		route("/v1/receipt-key", readOnly(timed(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			writeJSON(w, http.StatusOK, o.ReceiptKey)
		}))))
	}
	if o.Exports != nil {
		route("/v1/exports/{request}", o.Exports)
	}
	if o.Members != nil {
		route("/v1/segments/{key}/members", o.Members)
	}
	if o.Playground != nil {
		route("/", timed(o.Playground))
	} else {
		route("/", http.NotFoundHandler())
	}
	s.handler = mux
	return s, nil
}

// Handler is every route, for a test or another server.
func (s *Server) Handler() http.Handler { return s.handler }

// Registry is where /metrics looks, for other packages' collectors.
func (s *Server) Registry() *prometheus.Registry { return s.o.Registry }

// Serve answers requests until ctx is done, and then stops gracefully: /readyz
// answers 503, the listener is closed, streams end with complete and sockets
// with 1001, and requests in flight finish, for as long as Options.Deadline. It
// returns nil when all of them did.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	base, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	server := &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return base },
		ErrorLog:          log.New(serverLog{s.o.Logger}, "", 0),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		s.stopping.Store(true)
		stop, cancel := context.WithTimeout(base, s.o.Deadline)
		defer cancel()
		return insight.WrapError("server.Serve", insight.Unavailable, errors.Join(err, s.o.Graph.Stop(stop), server.Close()))
	case <-ctx.Done():
	}
	s.stopping.Store(true)
	s.o.Logger.InfoContext(ctx, "stopping", "deadline", s.o.Deadline)
	stop, cancel := context.WithTimeout(base, s.o.Deadline)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- s.o.Graph.Stop(stop) }()
	err := server.Shutdown(stop)
	err = errors.Join(err, <-ended)
	if err != nil {
		abandon()
		err = errors.Join(err, server.Close())
	}
	if served := <-failed; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	if err != nil {
		return insight.WrapError("server.Serve", insight.Unavailable, err)
	}
	return nil
}

// serverLog passes net/http's own complaints on, without what may follow the
// colon: addresses of clients, and what they sent.
type serverLog struct{ log *slog.Logger }

func (l serverLog) Write(line []byte) (int, error) {
	what, _, _ := strings.Cut(string(line), ":")
	if from := strings.Index(what, " from "); from >= 0 {
		what = what[:from]
	}
	l.log.Debug("net/http complains", "what", what)
	return len(line), nil
}

func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	plain(w, http.StatusOK, "ok")
}

func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	if s.stopping.Load() {
		plain(w, http.StatusServiceUnavailable, "stopping")
		return
	}
	if s.o.Ready != nil {
		ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
		defer cancel()
		if err := s.o.Ready(ctx); err != nil {
			s.o.Logger.WarnContext(ctx, "not ready", "requestId", RequestID(ctx), "detail", insight.Detail(err))
			plain(w, http.StatusServiceUnavailable, "not ready")
			return
		}
	}
	plain(w, http.StatusOK, "ready")
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n")
}

func readOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			plain(w, http.StatusMethodNotAllowed, "use GET")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// timed bounds how long a client may take to send a request and to take its
// answer. The graph, which has streams, does so by itself.
func timed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		_ = control.SetReadDeadline(time.Now().Add(2 * transferTime)) // best effort: not every writer has one
		_ = control.SetWriteDeadline(time.Now().Add(2 * transferTime))
		defer func() { _ = control.SetWriteDeadline(time.Time{}) }()
		next.ServeHTTP(w, r)
	})
}

// shell is what every route has around it: an id, a span, metrics, a line in the
// log, headers that keep browsers careful, and a net for panics.
func (s *Server) shell(pattern string, next http.Handler) http.Handler {
	traced := spanned(s.o.Tracer, pattern, s.caught(next))
	inFlight := s.metrics.inFlight.WithLabelValues(pattern)
	policy := "default-src 'none'; frame-ancestors 'none'"
	if pattern == "/" {
		// The playground: its own files and nothing of anybody else's.
		policy = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; " +
			"worker-src 'self' blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		ctx, id := withRequestID(r.Context())
		seen := &observed{ResponseWriter: w}
		h := w.Header()
		h.Set("X-Request-Id", id)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", policy)
		method := methodName(r.Method)
		inFlight.Inc()
		defer func() {
			inFlight.Dec()
			took := time.Since(began)
			s.metrics.observe(pattern, method, seen.code(), took)
			accessLog(ctx, s.o.Logger, pattern, method, seen, took)
		}()
		if !s.addressed(r) {
			plain(seen, http.StatusMisdirectedRequest, "this host is not served here")
			return
		}
		traced.ServeHTTP(seen, r.WithContext(ctx))
	})
}

// addressed reports whether a request names a host that is served here.
func (s *Server) addressed(r *http.Request) bool {
	if len(s.o.Hosts) == 0 {
		return true
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	return slices.ContainsFunc(s.o.Hosts, func(served string) bool { return strings.EqualFold(served, host) })
}

// caught answers for a handler that panicked. What it panicked with and where is
// for the log alone.
func (s *Server) caught(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			value := recover()
			if value == nil {
				return
			}
			if value == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
				panic(value)
			}
			id := RequestID(r.Context())
			fault := &panicked{value: value, stack: debug.Stack()}
			s.o.Logger.ErrorContext(r.Context(), "a handler panicked", "requestId", id, "detail", fault.Error(), "stack", string(fault.stack))
			seen, ok := w.(*observed)
			if ok && seen.status != 0 {
				panic(http.ErrAbortHandler) // half an answer must not look like a whole one
			}
			h := w.Header()
			h.Del("Content-Length")
			h.Set("Content-Type", "application/json; charset=utf-8")
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, `{"errors":[{"message":"internal error","extensions":{"code":"INTERNAL","requestId":"`+id+`"}}]}`)
		}()
		next.ServeHTTP(w, r)
	})
}
