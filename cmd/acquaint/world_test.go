package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
	_ "modernc.org/sqlite" // to count what was kept

	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is an installation: a data folder and a database.
type world struct {
	*testing.T
	data    string
	url     string // of PostgreSQL; empty: SQLite in the data folder
	environ []string
}

func newWorld(t *testing.T, environ ...string) *world {
	t.Helper()
	return &world{T: t, data: filepath.Join(t.TempDir(), "data"), environ: environ}
}

// onEach runs a test on every engine that there is.
func onEach(t *testing.T, test func(w *world)) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		w := newWorld(t)
		w.url = o.URL
		test(w)
	})
}

func (w *world) environment() []string {
	return append([]string{"ACQUAINT_DATA=" + w.data, "ACQUAINT_ADDR=127.0.0.1:0", "DATABASE_URL=" + w.url}, w.environ...)
}

// ran is what a verb did.
type ran struct {
	status      int
	out, errors string
}

// run runs a verb to its end.
func (w *world) run(args ...string) ran {
	w.Helper()
	return w.runWith(w.Context(), strings.NewReader(""), args...)
}

func (w *world) runWith(ctx context.Context, stdin io.Reader, args ...string) ran {
	w.Helper()
	var out, errors bytes.Buffer
	status := run(ctx, args, w.environment(), stdin, &out, &errors)
	return ran{status, out.String(), errors.String()}
}

// must runs a verb that is to end well, and returns what it printed.
func (w *world) must(args ...string) string {
	w.Helper()
	r := w.run(args...)
	if r.status != statusDone {
		w.Fatalf("acquaint %s: status %d, %s", strings.Join(args, " "), r.status, r.errors)
	}
	return r.out
}

// heard is a buffer that one goroutine writes and another reads, and that can be
// waited on for a text.
type heard struct {
	mu    sync.Mutex
	text  bytes.Buffer
	await string
	said  chan struct{}
}

func await(text string) *heard { return &heard{await: text, said: make(chan struct{})} }

func (t *heard) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text.Write(b)
	if t.await != "" && strings.Contains(t.text.String(), t.await) {
		t.await = ""
		close(t.said)
	}
	return len(b), nil
}

func (t *heard) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

// served is a server that runs in this process.
type served struct {
	*world
	url    string
	out    *heard
	errors *heard
	stop   context.CancelFunc
	ended  chan int
	client *http.Client
}

// serve starts a verb that serves, and returns once it is ready.
func (w *world) serve(args ...string) *served {
	w.Helper()
	ctx, stop := context.WithCancel(w.Context())
	s := &served{world: w, out: await("Ctrl-C stops it."), errors: await(""), stop: stop, ended: make(chan int, 1),
		client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	go func() { s.ended <- run(ctx, args, w.environment(), strings.NewReader(""), s.out, s.errors) }()
	select {
	case <-s.out.said:
	case status := <-s.ended:
		stop()
		w.Fatalf("acquaint %s: ended with status %d before it served: %s", strings.Join(args, " "), status, s.errors)
	}
	s.url = s.printed(`Acquaint serves (http://\S+/)`)
	return s
}

// end stops the server as Ctrl-C does.
func (s *served) end() {
	s.Helper()
	s.stop()
	if status := <-s.ended; status != statusDone {
		s.Errorf("stopped, it ended with status %d: %s", status, s.errors)
	}
}

// printed finds a value in what the server printed.
func (s *served) printed(pattern string) string {
	s.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(s.out.String())
	if found == nil {
		s.Fatalf("%s is not in %s", pattern, s.out)
	}
	return found[1]
}

// ask sends a request and returns the answer's status and body.
func (s *served) ask(method, path, body string, header ...string) (int, string) {
	s.Helper()
	request, err := http.NewRequestWithContext(s.Context(), method, strings.TrimSuffix(s.url, "/")+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	answer, err := s.client.Do(request)
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		s.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// graph asks a query and reads its data; errors in the answer fail the test.
func (s *served) graph(token, query string, into any) {
	s.Helper()
	s.graphWith(token, query, nil, into)
}

// graphWith is graph with variables.
func (s *served) graphWith(token, query string, variables map[string]any, into any) {
	s.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		s.Fatal(err)
	}
	status, text := s.ask(http.MethodPost, "/graphql", string(body),
		"Content-Type", "application/json", "Authorization", "Bearer "+token, "Acquaint-Purpose", "analytics")
	var answer struct {
		Data   json.RawMessage
		Errors []json.RawMessage
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil || status != http.StatusOK || len(answer.Errors) > 0 {
		s.Fatalf("%d %s, %v", status, text, err)
	}
	if err := json.Unmarshal(answer.Data, into); err != nil {
		s.Fatal(err)
	}
}

// rows counts the rows of a table.
func (w *world) rows(table string) (n int) {
	w.Helper()
	driver, name := "sqlite", filepath.Join(w.data, "acquaint.db")
	if w.url != "" {
		driver, name = "postgres", w.url
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		w.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := db.QueryRowContext(w.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
		w.Fatal(err)
	}
	return n
}
