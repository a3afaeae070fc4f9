package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/acquaint/acquaint/insight/delivery"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is an outbox, a sender and receivers. Time is synctest's: it moves when
// everybody waits, and the receivers are reached through pipes in memory.
type world struct {
	*testing.T
	*box
	o Options

	mu        sync.Mutex
	receivers map[string]*receiver
}

// within runs a test in a world of its own.
func within(t *testing.T, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, box: newBox(), receivers: map[string]*receiver{}}
		transport := &http.Transport{DialContext: w.dial, MaxIdleConnsPerHost: 8}
		w.o = Options{Allow: Policy{Private: true}, Transport: transport, Random: func() float64 { return 0.5 }}
		defer func() {
			transport.CloseIdleConnections()
			for _, r := range w.receivers {
				_ = r.server.Close()
			}
			time.Sleep(2 * time.Minute) // receivers that sleep end
		}()
		test(w)
	})
}

// start runs a sender until the stop that it returns, which waits for its end.
func (w *world) start() (s *Sender, stop func()) {
	s = NewSender(w.box, w.o)
	ctx, cancel := context.WithCancel(w.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Run(ctx)
	}()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			<-ended
		})
	}
	w.Cleanup(stop)
	return s, stop
}

// run runs a sender for a while.
func (w *world) run(d time.Duration) Counts {
	s, stop := w.start()
	time.Sleep(d)
	stop()
	return s.Counts()
}

// receiver is a destination's server.
type receiver struct {
	id     uuid.UUID
	server *http.Server
	accept chan net.Conn
	closed chan struct{}
	shut   sync.Once

	mu  sync.Mutex
	got []arrival
}

// arrival is a request as it was received, whole.
type arrival struct {
	at         time.Time
	header     http.Header
	text       []byte
	individual string
	body       map[string]any
}

func (r *receiver) arrivals() []arrival {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]arrival(nil), r.got...)
}

// Accept, Close and Addr implement net.Listener.
func (r *receiver) Accept() (net.Conn, error) {
	select {
	case c := <-r.accept:
		return c, nil
	case <-r.closed:
		return nil, net.ErrClosed
	}
}

func (r *receiver) Close() error {
	r.shut.Do(func() { close(r.closed) })
	return nil
}

func (r *receiver) Addr() net.Addr { return &net.UnixAddr{} }

// receive makes a destination that answers as answer does.
func (w *world) receive(name string, answer http.HandlerFunc) *receiver {
	r := &receiver{id: w.destination("http://" + name + ".test/hook"), accept: make(chan net.Conn), closed: make(chan struct{})}
	r.server = &http.Server{Handler: r.keep(answer), ReadHeaderTimeout: time.Hour}
	w.mu.Lock()
	w.receivers[name+".test:80"] = r
	w.mu.Unlock()
	go func() { _ = r.server.Serve(r) }()
	return r
}

// keep notes whole requests and answers them.
func (r *receiver) keep(answer http.HandlerFunc) http.HandlerFunc {
	return func(out http.ResponseWriter, q *http.Request) {
		text, err := io.ReadAll(q.Body)
		if err != nil {
			return
		}
		a := arrival{at: time.Now(), header: q.Header.Clone(), text: text}
		_ = json.Unmarshal(text, &a.body)
		data, _ := a.body["data"].(map[string]any)
		a.individual, _ = data["individual"].(string)
		r.mu.Lock()
		r.got = append(r.got, a)
		r.mu.Unlock()
		q.Body = io.NopCloser(bytes.NewReader(text))
		answer(out, q)
	}
}

func (w *world) dial(ctx context.Context, _, address string) (net.Conn, error) {
	w.mu.Lock()
	r := w.receivers[address]
	w.mu.Unlock()
	if r == nil {
		return nil, &net.DNSError{Err: "no such host", IsNotFound: true}
	}
	ours, theirs := net.Pipe()
	select {
	case r.accept <- theirs:
		return ours, nil
	case <-r.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func ok(out http.ResponseWriter, _ *http.Request) { out.WriteHeader(http.StatusNoContent) }

// hang never answers.
func hang(_ http.ResponseWriter, q *http.Request) { <-q.Context().Done() }

func status(code int) http.HandlerFunc {
	return func(out http.ResponseWriter, _ *http.Request) { out.WriteHeader(code) }
}

func (w *world) equal(what string, got, want any) {
	w.Helper()
	if got != want {
		w.Fatalf("%s: %v, want %v", what, got, want)
	}
}

// entered queues that somebody new entered.
func (w *world) entered(r *receiver) *row { return w.change(r.id, uuid.New(), delivery.Entered) }
