package durability

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/lib/pq"  // the PostgreSQL driver
	_ "modernc.org/sqlite" // the SQLite driver
)

// clients is how many send at the same time.
const clients = 8

// load is clients that send each message until it is acknowledged.
type load struct {
	*installation
	token    string
	writeKey string
	stop     chan struct{} // closed when no client is to begin another request
	sending  sync.WaitGroup

	mu           sync.Mutex
	acknowledged map[string]bool // by message id
	under        map[string]bool // sent, and not acknowledged yet
	requests     int             // acknowledged
	refusals     int             // 503, each with a Retry-After
	changed      chan struct{}   // closed when requests grows
}

// begin makes a source and lets the clients go.
func begin(i *installation) *load {
	i.t.Helper()
	l := &load{
		installation: i, token: i.run("token", "--scope", "admin", "--purposes", "service"), stop: make(chan struct{}),
		acknowledged: map[string]bool{}, under: map[string]bool{}, changed: make(chan struct{}),
	}
	var made struct{ CreateSource struct{ WriteKey string } }
	i.ask(l.token, `mutation { createSource(input: {name: "shop"}) { writeKey } }`, &made)
	l.writeKey = made.CreateSource.WriteKey
	ctx, cancel := context.WithCancel(context.Background())
	for n := range clients {
		l.sending.Go(func() { l.client(ctx, n) })
	}
	i.t.Cleanup(func() {
		cancel()
		l.sending.Wait()
	})
	return l
}

// message is one message of the tracking API.
type message map[string]any

// client sends requests until it is told to stop; the last one is acknowledged too.
func (l *load) client(ctx context.Context, client int) {
	random := rand.New(rand.NewPCG(uint64(client), 1))
	for request := 0; ; request++ {
		select {
		case <-l.stop:
			return
		default:
		}
		way := ways[random.IntN(len(ways))]
		messages := make([]message, 1+random.IntN(way.most))
		for m := range messages {
			// Few people on fewer devices: who is whom changes all the time.
			user, device := random.IntN(40), random.IntN(60)
			messages[m] = message{
				"type": "track", "event": "Product Viewed", "messageId": fmt.Sprintf("m-%d-%d-%d", client, request, m),
				"anonymousId": fmt.Sprintf("device-%d", device), "timestamp": start.Add(time.Duration(random.IntN(400)) * time.Hour).Format(time.RFC3339),
			}
			if random.IntN(3) == 0 {
				messages[m]["userId"] = fmt.Sprintf("user-%d", user)
			}
		}
		if !l.send(ctx, way, messages) {
			return
		}
	}
}

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// way is one way of sending messages.
type way struct {
	most  int // messages at once
	path  string
	body  func([]message) any
	taken func(answer []byte, messages int) bool // whether an answer of 200 takes them all
}

var ways = []way{
	{20, "/v1/batch", func(m []message) any { return map[string]any{"batch": m} }, succeeded},
	{1, "/v1/track", func(m []message) any { return m[0] }, succeeded},
	{10, "/graphql", recording, recorded},
}

func succeeded(answer []byte, _ int) bool {
	return strings.TrimSpace(string(answer)) == `{"success":true}`
}

func recording(messages []message) any {
	interactions := make([]map[string]any, len(messages))
	for n, m := range messages {
		interactions[n] = map[string]any{"messageId": m["messageId"], "anonymousId": m["anonymousId"], "userId": m["userId"], "type": m["event"], "occurredAt": m["timestamp"]}
	}
	return map[string]any{
		"query":     `mutation($i: [InteractionInput!]!) { recordInteractions(input: {source: "shop", interactions: $i}) { accepted duplicates } }`,
		"variables": map[string]any{"i": interactions},
	}
}

func recorded(answer []byte, messages int) bool {
	var response struct {
		Data struct {
			RecordInteractions struct{ Accepted, Duplicates int }
		}
	}
	kept := &response.Data.RecordInteractions
	return json.Unmarshal(answer, &response) == nil && kept.Accepted+kept.Duplicates == messages
}

// send sends one request until it is acknowledged, and reports false when ctx ended
// before that.
func (l *load) send(ctx context.Context, way way, messages []message) bool {
	body, err := json.Marshal(way.body(messages))
	if err != nil {
		l.t.Error(err)
		return false
	}
	l.mark(messages, false)
	for ctx.Err() == nil {
		server, next := l.serving()
		status, header, answer, err := post(ctx, server.address+way.path, body, l.authorization(way))
		switch {
		case err != nil:
			// No answer: where the server is gone, its successor is asked.
			select {
			case <-server.exited:
			default:
				continue
			}
			select {
			case <-next:
			case <-ctx.Done():
			}
		case status == http.StatusOK && way.taken(answer, len(messages)):
			l.mark(messages, true)
			return true
		case away(way.path, status, header, answer):
			l.mu.Lock()
			l.refusals++
			l.mu.Unlock()
		default:
			l.t.Errorf("%s answered %d %s", way.path, status, answer)
			return false
		}
	}
	return false
}

// authorization is what a way asks for.
func (l *load) authorization(way way) string {
	if way.path == "/graphql" {
		return "Bearer " + l.token
	}
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(l.writeKey+":"))
}

// away reports whether an answer says properly that the database is away.
func away(path string, status int, header http.Header, answer []byte) bool {
	if path == "/graphql" { // one field of an operation failed: the operation was run
		return status == http.StatusOK && strings.Contains(string(answer), `"code":"UNAVAILABLE"`)
	}
	return status == http.StatusServiceUnavailable && header.Get("Retry-After") != ""
}

func (l *load) mark(messages []message, acknowledged bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range messages {
		id := m["messageId"].(string) //nolint:forcetypeassert // as it was made
		if acknowledged {
			l.acknowledged[id] = true
			delete(l.under, id)
		} else {
			l.under[id] = true
		}
	}
	if acknowledged {
		l.requests++
		close(l.changed)
		l.changed = make(chan struct{})
	}
}

// after waits for so many more requests to be acknowledged.
func (l *load) after(more int) {
	l.t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	want := -1
	for {
		l.mu.Lock()
		if want < 0 {
			want = l.requests + more
		}
		reached, changed := l.requests >= want, l.changed
		l.mu.Unlock()
		if reached {
			return
		}
		select {
		case <-changed:
		case <-late.C:
			s, _ := l.serving()
			l.t.Fatalf("the clients were not acknowledged any more\n%s", s.stderr)
		}
	}
}

// finish lets every client come to the end of what it sends.
func (l *load) finish() {
	close(l.stop)
	l.sending.Wait()
}

// refused is how many requests were answered that the database is away.
func (l *load) refused() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.refusals
}

// check compares what is stored with what was acknowledged.
func (l *load) check(driver, name string) {
	l.t.Helper()
	db, err := sql.Open(driver, name)
	if err != nil {
		l.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(l.t.Context(), "SELECT message_id, count(*) FROM interactions GROUP BY message_id")
	if err != nil {
		l.t.Fatal(err)
	}
	stored := map[string]int{}
	for rows.Next() {
		var id string
		var n int
		if err := rows.Scan(&id, &n); err != nil {
			l.t.Fatal(err)
		}
		stored[id] = n
	}
	if err := rows.Err(); err != nil {
		l.t.Fatal(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	lost, twice, unknown := 0, 0, 0
	for id := range l.acknowledged {
		if stored[id] == 0 {
			lost++
		}
	}
	for id, n := range stored {
		if n > 1 {
			twice++
		}
		if !l.acknowledged[id] && !l.under[id] {
			unknown++
		}
	}
	if lost+twice+unknown > 0 || len(l.acknowledged) == 0 {
		l.t.Errorf("of %d acknowledged events %d are lost; of %d stored %d are there more than once and %d were never sent",
			len(l.acknowledged), lost, len(stored), twice, unknown)
	}
}

// settled checks the end: nothing is under way, and everything is there once.
func (l *load) settled(t *testing.T, driver, name string) {
	t.Helper()
	l.finish()
	s, _ := l.serving()
	if len(l.under) > 0 {
		t.Errorf("%d events were never acknowledged", len(l.under))
	}
	if err := s.end(t, stopSignal); err != nil {
		t.Errorf("the server did not stop gracefully: %v\n%s", err, s.stderr)
	}
	l.check(driver, name)
	l.verify()
	t.Logf("%d events in %d requests", len(l.acknowledged), l.requests)
}

// verify recomputes what is derived.
func (l *load) verify() {
	l.t.Helper()
	if said := l.run("verify"); !strings.HasSuffix(said, " 0 differences") {
		l.t.Errorf("verify says %q", said)
	}
}
