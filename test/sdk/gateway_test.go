package sdk

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"
)

// fault is what becomes of a request on its way.
type fault int

const (
	none  fault = iota
	away        // Acquaint does not get it, and the client gets 503
	cut         // Acquaint does not get it, and the connection ends
	lost        // Acquaint keeps it, and the connection ends without its answer
	stuck       // Acquaint keeps it, and its answer is under way until the client goes
	late        // Acquaint gets it when the test releases it, if the client still wants it then
)

// message is what the tests know of a tracking message.
type message struct {
	Type      string `json:"type"`
	Event     string `json:"event"`
	Name      string `json:"name"`
	MessageID string `json:"messageId"`
}

// label names a message as the scenarios do: by its event, page or screen, else
// its type.
func (m message) label() string { return cmp.Or(m.Event, m.Name, m.Type) }

// exchange is a request that came to the gateway.
type exchange struct {
	method, path string
	header       http.Header
	messages     []message
	attempt      int // how often the first message had come before
	fault        fault
	status       int // that Acquaint answered with; 0: not yet
}

// gateway passes requests to Acquaint, remembers them, and does to them what its
// faults say.
type gateway struct {
	acquaint string // its address, without a path
	faults   func(label string, attempt int) fault

	mu        sync.Mutex
	changed   chan struct{} // closed and replaced when anything below changes
	exchanges []*exchange
	attempts  map[string]int // by message id
	released  map[string]bool
}

func newGateway(acquaint string, faults func(label string, attempt int) fault) *gateway {
	return &gateway{acquaint: acquaint, faults: faults, changed: make(chan struct{}), attempts: map[string]int{}, released: map[string]bool{}}
}

// change changes what is remembered and tells those who wait.
func (g *gateway) change(what func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	what()
	close(g.changed)
	g.changed = make(chan struct{})
}

// until waits until a condition on what is remembered holds.
func (g *gateway) until(ctx context.Context, holds func() bool) error {
	for {
		g.mu.Lock()
		done, changed := holds(), g.changed
		g.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// count counts the messages of a name among the exchanges that fit.
func (g *gateway) count(name string, fits func(*exchange) bool) int {
	n := 0
	for _, x := range g.exchanges {
		for _, m := range x.messages {
			if m.label() == name && fits(x) {
				n++
			}
		}
	}
	return n
}

func (x *exchange) acknowledged() bool { return x.status >= 200 && x.status < 300 }

// all is what has come so far.
func (g *gateway) all() []exchange {
	g.mu.Lock()
	defer g.mu.Unlock()
	var all []exchange
	for _, x := range g.exchanges {
		all = append(all, *x)
	}
	return all
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the client has gone
	}
	x := &exchange{method: r.Method, path: r.URL.Path, header: r.Header.Clone(), messages: messages(body)}
	g.change(func() {
		if len(x.messages) > 0 {
			first := x.messages[0]
			x.attempt = g.attempts[first.MessageID]
			g.attempts[first.MessageID]++
			x.fault = g.faults(first.label(), x.attempt)
		}
		g.exchanges = append(g.exchanges, x)
	})
	switch x.fault {
	case away:
		w.Header().Set("Access-Control-Allow-Origin", "*")
		http.Error(w, "away", http.StatusServiceUnavailable)
		return
	case cut:
		panic(http.ErrAbortHandler)
	case late:
		if g.until(r.Context(), func() bool { return g.released[x.messages[0].label()] }) != nil {
			panic(http.ErrAbortHandler)
		}
	}
	answer, err := g.pass(r.Context(), r, body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	g.change(func() { x.status = answer.status })
	switch x.fault {
	case stuck:
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case lost:
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), answer.header)
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.body) // a client that is gone does not wait for it
}

// answered is an answer of Acquaint.
type answered struct {
	status int
	header http.Header
	body   []byte
}

// pass passes a request on as it came, under the name that the client used.
func (g *gateway) pass(ctx context.Context, r *http.Request, body []byte) (*answered, error) {
	on, err := http.NewRequestWithContext(ctx, r.Method, g.acquaint+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	on.Header, on.Host = r.Header.Clone(), r.Host
	resp, err := http.DefaultTransport.RoundTrip(on)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return &answered{resp.StatusCode, resp.Header, text}, err
}

// messages reads what a tracking request carries: one message or a batch.
func messages(body []byte) []message {
	var read struct {
		message
		Batch []message `json:"batch"`
	}
	if json.Unmarshal(body, &read) != nil {
		return nil
	}
	if read.Batch != nil {
		return read.Batch
	}
	if read.MessageID == "" {
		return nil
	}
	return []message{read.message}
}

// TestGateway holds the gateway to what the other tests build upon.
func TestGateway(t *testing.T) {
	got := messages([]byte(`{"batch":[{"type":"track","event":"A","messageId":"1"},{"type":"page","name":"B"},{"type":"alias"}]}`))
	labels := []string{}
	for _, m := range got {
		labels = append(labels, m.label())
	}
	if want := []string{"A", "B", "alias"}; !slices.Equal(labels, want) {
		t.Errorf("labels %q, want %q", labels, want)
	}
}
