package durability

import (
	"bufio"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestPostgresRestarted: while PostgreSQL is away the server says so and lives; when
// it is back, so is the server, by itself; and nothing acknowledged is lost.
func TestPostgresRestarted(t *testing.T) {
	c := newCluster(t)
	i := install(t, "ACQUAINT_DATA="+t.TempDir(), "DATABASE_URL="+c.url)
	s := i.start()
	l := begin(i)
	last := l.follow(s)
	random := rand.New(rand.NewPCG(8, 8))
	for range 4 {
		l.after(random.IntN(60))
		c.restart()
		s.becomes(t, http.StatusOK)
	}
	for range 3 {
		l.after(random.IntN(60))
		c.crash()
		s.becomes(t, http.StatusServiceUnavailable)
		l.refusedNow(s)
		c.start()
		s.becomes(t, http.StatusOK)
	}
	l.after(clients)
	if said := <-last; !strings.Contains(said, `"code":"UNAVAILABLE"`) {
		t.Errorf("a subscriber is told last %s", said)
	}
	if l.refused() == 0 {
		t.Error("no client was told that the database is away")
	}
	select {
	case <-s.exited:
		t.Fatalf("the server is gone: %v\n%s", s.err, s.stderr)
	default:
	}
	l.settled(t, "postgres", c.url)
	t.Logf("%d requests were refused", l.refused())
}

// follow subscribes, and gives what the stream tells last.
func (l *load) follow(s *server) <-chan string {
	l.t.Helper()
	request, err := http.NewRequestWithContext(l.t.Context(), http.MethodPost, s.address+"/graphql", strings.NewReader(`{"query":"subscription { interactions { id } }"}`))
	if err != nil {
		l.t.Fatal(err)
	}
	for name, value := range map[string]string{"Authorization": "Bearer " + l.token, "Content-Type": "application/json", "Accept": "text/event-stream"} {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		l.t.Fatal(err)
	}
	last := make(chan string, 1)
	go func() {
		defer func() { _ = response.Body.Close() }()
		said := "nothing"
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				said = data
			}
		}
		last <- said
	}()
	return last
}

// becomes waits until /readyz answers a status, and holds /healthz to 200 meanwhile.
func (s *server) becomes(t *testing.T, want int) {
	t.Helper()
	for late := time.Now().Add(patience); ; {
		if got := s.status(t, "/healthz"); got != http.StatusOK {
			t.Fatalf("/healthz answers %d", got)
		}
		got := s.status(t, "/readyz")
		if got == want {
			return
		}
		if got != http.StatusOK && got != http.StatusServiceUnavailable || time.Now().After(late) {
			t.Fatalf("/readyz answers %d, want %d\n%s", got, want, s.stderr)
		}
	}
}

func (s *server) status(t *testing.T, path string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("%s: %v\n%s", path, err, s.stderr)
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

// refusedNow sends while the database is away, and wants each way of sending to be
// told so.
func (l *load) refusedNow(s *server) {
	l.t.Helper()
	m := []message{{"type": "track", "event": "Never", "messageId": "never", "userId": "nobody", "anonymousId": "nothing", "timestamp": "2026-01-01T00:00:00Z"}}
	query := way{path: "/graphql", body: func([]message) any {
		return map[string]any{"query": `{ individuals(first: 1) { nodes { id } } }`}
	}}
	for _, way := range append([]way{query}, ways...) {
		body, err := json.Marshal(way.body(m))
		if err != nil {
			l.t.Fatal(err)
		}
		status, header, answer, err := post(l.t.Context(), s.address+way.path, body, l.authorization(way))
		if err != nil || !away(way.path, status, header, answer) {
			l.t.Errorf("%s answers %d %v %s %v while the database is away", way.path, status, header, answer, err)
		}
	}
}
