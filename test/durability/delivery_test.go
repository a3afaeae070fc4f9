package durability

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/acquaint/acquaint/internal/testdb"
)

// Everyone enters a segment and leaves it again.
const (
	people  = 8
	changes = 40 // of each; even
)

// private lets a server tell a receiver on this machine.
const private = "ACQUAINT_PRIVATE_DESTINATIONS=true"

// TestToldThoughKilled: whenever the server is killed, and while the receiver is away,
// no change is lost, and nobody's changes arrive in another order.
func TestToldThoughKilled(t *testing.T) {
	each(t, func(t *testing.T, i *installation, driver, name string) {
		i.environ = append(i.environ, private)
		s := i.start()
		r := receive(t)
		r.tell(i)
		for range 4 {
			r.after(20)
			answer := r.hold()
			r.after(1) // it has this one, and the server does not know
			s.killed(t)
			r.CloseClientConnections()
			answer()
			lapse(t, driver, name)
			s = i.start()
		}
		r.after(10)
		r.leave(3)
		r.after(10)
		if err := s.end(t, stopSignal); err != nil {
			t.Fatalf("the server did not end well: %v\n%s", err, s.stderr)
		}
		i.start()
		if r.settled() == 0 {
			t.Error("nothing arrived again: no kill came between a delivery and the writing of what became of it")
		}
	})
}

// TestToldThoughPostgresRestarted: a database that goes away loses no change either.
func TestToldThoughPostgresRestarted(t *testing.T) {
	c := newCluster(t)
	i := install(t, "ACQUAINT_DATA="+t.TempDir(), "DATABASE_URL="+c.url, private)
	s := i.start()
	r := receive(t)
	r.tell(i)
	for range 3 {
		r.after(20)
		c.restart()
		s.becomes(t, http.StatusOK)
	}
	r.after(20)
	c.crash()
	s.becomes(t, http.StatusServiceUnavailable)
	c.start()
	s.becomes(t, http.StatusOK)
	r.settled()
}

// TestTwoTell: two servers on one PostgreSQL share what is to be told, and while nothing
// fails, each change arrives once.
func TestTwoTell(t *testing.T) {
	o := testdb.Postgres(t)
	var both []*installation
	for range 2 {
		i := install(t, "ACQUAINT_DATA="+t.TempDir(), "DATABASE_URL="+o.URL, private)
		i.start()
		both = append(both, i)
	}
	r := receive(t)
	r.tell(both...)
	if n := r.settled(); n > 0 {
		t.Errorf("%d arrived again", n)
	}
	total := 0
	for _, i := range both {
		n := i.delivered()
		if n == 0 {
			t.Error("one of them told nothing")
		}
		total += n
	}
	if total != people*changes {
		t.Errorf("they have told %d changes of %d", total, people*changes)
	}
}

// TestToldByHand: a receiver that asks to be left alone for an hour is, until somebody
// has a delivery sent again.
func TestToldByHand(t *testing.T) {
	each(t, func(t *testing.T, i *installation, _, _ string) {
		i.environ = append(i.environ, private)
		i.start()
		r := receive(t)
		r.busy = true
		token := r.tell(i)
		refused := ""
		for late := time.Now().Add(patience); refused == ""; {
			var found struct {
				Destinations []struct {
					Deliveries struct {
						Nodes []struct {
							ID     string
							Status *int
						}
					}
				}
			}
			i.ask(token, `{ destinations { deliveries(last: 100) { nodes { id status } } } }`, &found)
			for _, d := range found.Destinations[0].Deliveries.Nodes {
				if d.Status != nil && *d.Status == http.StatusServiceUnavailable {
					refused = d.ID
				}
			}
			if time.Now().After(late) {
				t.Fatal("nothing was refused")
			}
		}
		i.ask(token, fmt.Sprintf(`mutation { redeliver(input: {id: %q}) { id } }`, refused), new(any))
		r.settled()
	})
}

// delivered is how many deliveries a server says that it has made, once it has written
// down the last one.
func (i *installation) delivered() int {
	i.t.Helper()
	s, _ := i.serving()
	for late := time.Now().Add(patience); ; {
		flying, delivered := s.metric(i.t, `acquaint_deliveries_in_flight`), s.metric(i.t, `acquaint_deliveries_total\{result="delivered"\}`)
		if flying == 0 {
			return delivered
		}
		if time.Now().After(late) {
			i.t.Fatalf("%d attempts are under way for ever", flying)
		}
	}
}

// metric reads a number from /metrics; pattern is its name with its labels.
func (s *server) metric(t *testing.T, pattern string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.address+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^` + pattern + ` (\d+)$`).FindSubmatch(text)
	if found == nil {
		t.Fatalf("there is no metric %s", pattern)
	}
	n, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// lapse ends the leases of a server that is gone, as a minute would.
func lapse(t *testing.T, driver, name string) {
	t.Helper()
	db, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	result, err := db.ExecContext(t.Context(), "UPDATE deliveries SET leased_until = created_at, next_attempt_at = created_at WHERE leased_until IS NOT NULL")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		t.Fatalf("%d deliveries were under way: %v", n, err)
	}
}

// receiver is who is told.
type receiver struct {
	*httptest.Server
	t *testing.T

	mu      sync.Mutex
	heard   []told // in the order in which they arrived
	ids     map[string]bool
	held    chan struct{} // not nil: nothing is answered before it is closed
	gone    int           // so many requests more are not answered at all
	busy    bool          // the next one is asked to come back in an hour
	changed chan struct{} // closed when something arrives
}

// told is one message as it arrived.
type told struct {
	Type string
	Data struct{ Individual, Membership, Segment string }
	id   string
	text string
}

// signing is the example of the Standard Webhooks specification.
const signing = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" //nolint:gosec // it is published

func receive(t *testing.T) *receiver {
	t.Helper()
	verifier, err := standardwebhooks.NewWebhook(signing)
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{t: t, ids: map[string]bool{}, changed: make(chan struct{})}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil {
			return // the server is gone
		}
		m := told{id: q.Header.Get("webhook-id"), text: string(body)}
		if err = verifier.Verify(body, q.Header); err == nil {
			err = json.Unmarshal(body, &m)
		}
		if err != nil {
			t.Errorf("%v: %s", err, body)
		}
		if r.refuses() {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if held := r.hear(m); held != nil {
			select {
			case <-held:
			case <-q.Context().Done():
			}
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(r.Close)
	return r
}

// refuses reports whether the next message is refused.
func (r *receiver) refuses() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	busy := r.busy
	r.busy = false
	return busy
}

// hear keeps a message, and says what to wait for before it is answered.
func (r *receiver) hear(m told) (held <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.changed)
	r.changed = make(chan struct{})
	if r.gone > 0 {
		r.gone--
		panic(http.ErrAbortHandler)
	}
	r.heard = append(r.heard, m)
	r.ids[m.id] = true
	return r.held
}

// hold lets what arrives from now on wait for its answer.
func (r *receiver) hold() (answer func()) {
	held := make(chan struct{})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = held
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.held = nil
		close(held)
	}
}

// leave is away until so many more have tried to tell it something.
func (r *receiver) leave(tries int) {
	r.t.Helper()
	r.mu.Lock()
	r.gone = tries
	r.mu.Unlock()
	r.until("it is not tried again", func() bool { return r.gone == 0 })
}

// after waits for so many more messages to arrive.
func (r *receiver) after(more int) {
	r.t.Helper()
	r.mu.Lock()
	want := len(r.heard) + more
	r.mu.Unlock()
	r.until("nothing arrives any more", func() bool { return len(r.heard) >= want })
}

// until waits until something holds that what arrives makes true. A lease, and a wait
// after failures, may have to end meanwhile.
func (r *receiver) until(complaint string, holds func() bool) {
	r.t.Helper()
	late := time.NewTimer(3 * patience)
	defer late.Stop()
	for {
		r.mu.Lock()
		reached, changed, n := holds(), r.changed, len(r.ids)
		r.mu.Unlock()
		if reached {
			return
		}
		select {
		case <-changed:
		case <-late.C:
			r.t.Fatalf("%s, after %d of %d changes", complaint, n, people*changes)
		}
	}
}

// settled waits until everything has arrived, and holds it to what must be so: each
// change is there, and of what is about one individual nothing but the last message may
// come again, as it was. It tells how many came again.
func (r *receiver) settled() (again int) {
	r.t.Helper()
	r.until("changes are lost", func() bool { return len(r.ids) == people*changes })
	r.mu.Lock()
	defer r.mu.Unlock()
	whose := map[string][]told{}
	for _, m := range r.heard {
		before := whose[m.Data.Individual]
		if n := len(before); n > 0 && before[n-1].id == m.id {
			if before[n-1].text != m.text {
				r.t.Errorf("%s was once %s and once %s", m.id, before[n-1].text, m.text)
			}
			again++
			continue
		}
		whose[m.Data.Individual] = append(before, m)
	}
	if len(whose) != people {
		r.t.Errorf("it heard of %d individuals", len(whose))
	}
	for individual, all := range whose {
		if len(all) != changes {
			r.t.Errorf("of %s it heard %d changes in %d messages: one came after another that follows it", individual, changes, len(all))
		}
		for n, m := range all {
			switch {
			case m.Data.Segment != "pro":
				r.t.Errorf("it heard of a segment %q", m.Data.Segment)
			case n%2 == 0 && m.Type != "segment.entered", n%2 == 1 && (m.Type != "segment.exited" || m.Data.Membership != all[n-1].Data.Membership):
				r.t.Fatalf("message %d about %s is %s, after %s", n, individual, m.text, all[max(n-1, 0)].text)
			}
		}
	}
	r.t.Logf("%d messages, %d of them again", len(r.heard), again)
	return again
}

// tell makes a segment and the receiver a destination, and lets people enter and leave,
// each of them through one of the servers. The token is an administrator's.
func (r *receiver) tell(all ...*installation) (token string) {
	r.t.Helper()
	i := all[0]
	token = i.run("token", "--scope", "admin", "--purposes", "analytics")
	i.ask(token, `mutation { createSegment(input: {key: "pro", name: "Pro", purpose: "analytics", rule: {trait: {key: "plan", op: EQ, value: "pro"}}}) { segment { id } } }`, new(any))
	for late := time.Now().Add(patience); ; {
		var found struct {
			Segments struct{ Nodes []struct{ Status string } }
		}
		i.ask(token, `{ segments { nodes { status } } }`, &found)
		if nodes := found.Segments.Nodes; len(nodes) == 1 && nodes[0].Status == "LIVE" {
			break
		}
		if time.Now().After(late) {
			r.t.Fatalf("the segment is not computed: %+v", found)
		}
	}
	i.ask(token, fmt.Sprintf(`mutation { createDestination(input: {name: "tool", url: %q, purpose: "analytics", secret: %q}) { secret } }`, r.URL, signing), new(any))
	var made struct{ CreateSource struct{ WriteKey string } }
	i.ask(token, `mutation { createSource(input: {name: "shop"}) { writeKey } }`, &made)

	identify := way{most: 1, path: "/v1/identify", body: func(m []message) any { return m[0] }, taken: succeeded}
	ctx, cancel := context.WithCancel(context.Background())
	var telling sync.WaitGroup
	for person := range people {
		l := &load{
			installation: all[person%len(all)], writeKey: made.CreateSource.WriteKey,
			acknowledged: map[string]bool{}, under: map[string]bool{}, changed: make(chan struct{}),
		}
		telling.Go(func() {
			for n := range changes {
				plan := []string{"pro", "free"}[n%2]
				if !l.send(ctx, identify, []message{{
					"type": "identify", "messageId": fmt.Sprintf("m-%d-%d", person, n), "userId": fmt.Sprintf("user-%d", person),
					"traits": map[string]any{"plan": plan}, "timestamp": start.Add(time.Duration(n) * time.Hour).Format(time.RFC3339),
				}}) {
					return
				}
			}
		})
	}
	r.t.Cleanup(func() {
		cancel()
		telling.Wait()
	})
	return token
}
