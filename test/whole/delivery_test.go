package whole

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/acquaint/acquaint/engage/webhook"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// told is what a receiver was told.
type told struct {
	Type string
	Data struct {
		Individual, Membership, Segment string
		Identifiers                     []struct{ Kind, Value string }
	}
	text string
}

// signing is the example of the Standard Webhooks specification.
const signing = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" //nolint:gosec // it is published

// tells makes a segment of those who have bought something and a destination at a URL,
// and sends to it until the test ends.
func (h *house) tells(url string, o webhook.Options) *webhook.Sender {
	h.t.Helper()
	h.gets(h.token("admin"), "analytics", `mutation { createSegment(input: {key: "buyers", name: "Buyers", purpose: "analytics", rule: {event: {event: {types: ["bought"]}}}}) { segment { id } } }`, nil, new(any))
	for more := true; more; {
		var err error
		if more, err = h.store.Draft(h.t.Context()); err != nil {
			h.t.Fatal(insight.Detail(err))
		}
	}
	if _, err := h.store.CreateDestination(h.t.Context(), store.NewDestination{Name: "tool", URL: url, Purpose: "analytics", Secret: signing}); err != nil {
		h.t.Fatal(insight.Detail(err))
	}
	o.Allow = webhook.Policy{Private: true}
	sender := webhook.NewSender(h.store, o)
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() { defer close(stopped); sender.Run(ctx) }()
	h.t.Cleanup(func() { stop(); <-stopped })
	return sender
}

// TestDeliveries: an event is told to a receiver as Standard Webhooks has it; of somebody
// who withdraws it hears that they are gone, by ids alone, and nothing after that.
func TestDeliveries(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		h := open(t, o)
		officer := h.token("admin")
		verifier, err := standardwebhooks.NewWebhook(signing)
		if err != nil {
			t.Fatal(err)
		}
		heard := make(chan told, 100)
		receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err == nil {
				err = verifier.Verify(body, r.Header)
			}
			m := told{text: string(body)}
			if err == nil {
				err = json.Unmarshal(body, &m)
			}
			if err != nil {
				t.Errorf("%v: %s", err, body)
			}
			heard <- m
			w.WriteHeader(http.StatusNoContent)
		}))
		defer receiver.Close()

		sender := h.tells(receiver.URL, webhook.Options{})
		next := func() told {
			t.Helper()
			sender.Wake()
			select {
			case m := <-heard:
				return m
			case <-t.Context().Done():
				t.Fatal("the receiver hears nothing")
				return told{}
			}
		}
		buys := func(user, message string) {
			h.gets(officer, "analytics", `mutation($u: String!, $m: String!) { recordInteractions(input: {interactions: [{messageId: $m, userId: $u, type: "bought", occurredAt: "2026-03-01T10:00:00Z"}]}) { accepted } }`,
				map[string]any{"u": user, "m": message}, new(any))
		}
		buys("zq-ann", "1")
		entered := next()
		if entered.Type != "segment.entered" || entered.Data.Segment != "buyers" || len(entered.Data.Identifiers) != 1 || entered.Data.Identifiers[0].Value != "zq-ann" {
			t.Fatalf("%+v", entered)
		}
		h.gets(officer, "analytics", `mutation { withdrawConsent(input: {individual: {userId: "zq-ann"}, purposes: ["analytics"]}) { individual { id } } }`, nil, new(any))
		exited := next()
		if exited.Type != "segment.exited" || exited.Data.Membership != entered.Data.Membership || exited.Data.Individual != entered.Data.Individual || strings.Contains(exited.text, "zq-ann") {
			t.Fatalf("%+v", exited)
		}
		buys("zq-bob", "2") // who is told next: of ann there is nothing more
		if m := next(); m.Type != "segment.entered" || m.Data.Identifiers[0].Value != "zq-bob" {
			t.Fatalf("%+v", m)
		}
	})
}

// bare is all that is told of who withdrew: ids, the segment and when.
var bare = regexp.MustCompile(`^\{"type":"segment.exited","timestamp":"[^"]+","data":\{"individual":"ind_\w+","membership":"mem_\w+","segment":"buyers","enteredAt":"[^"]+","exitedAt":"[^"]+"\}\}$`)

// TestWithdrawalOfWhatIsQueued: a receiver that is away does not hear, when it is back,
// what may not be told any more. Who may be known to it is taken back, by ids alone; who
// is not, is not mentioned.
func TestWithdrawalOfWhatIsQueued(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		h := open(t, o)
		officer := h.token("admin")
		heard, withdrawn := make(chan told, 100), make(chan struct{})
		receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var m told
			body, err := io.ReadAll(r.Body)
			if err == nil {
				err = json.Unmarshal(body, &m)
			}
			if err != nil {
				t.Errorf("%v: %s", err, body)
			}
			m.text = string(body)
			status := http.StatusNoContent
			select {
			case <-withdrawn:
			default:
				status = http.StatusServiceUnavailable
			}
			heard <- m
			if status != http.StatusNoContent {
				<-withdrawn // it is under way all the while
			}
			w.WriteHeader(status)
		}))
		defer receiver.Close()

		// One at a time: while the first is under way, the others are queued.
		sender := h.tells(receiver.URL, webhook.Options{Each: 1, Random: func() float64 { return 0 }})
		answer := sync.OnceFunc(func() { close(withdrawn) })
		defer answer()

		next := func() told {
			t.Helper()
			sender.Wake()
			select {
			case m := <-heard:
				return m
			case <-t.Context().Done():
				t.Fatal("the receiver hears nothing")
				return told{}
			}
		}
		buys := func(user string) {
			h.gets(officer, "analytics", `mutation($u: String!) { recordInteractions(input: {interactions: [{messageId: $u, userId: $u, type: "bought", occurredAt: "2026-03-01T10:00:00Z"}]}) { accepted } }`,
				map[string]any{"u": user}, new(any))
		}
		buys("zq-ann")
		ann := next()
		if ann.Type != "segment.entered" || !strings.Contains(ann.text, "zq-ann") {
			t.Fatalf("%+v", ann)
		}
		buys("zq-bob")
		buys("zq-eve")
		for _, user := range []string{"zq-ann", "zq-bob"} {
			h.gets(officer, "analytics", `mutation($u: String!) { withdrawConsent(input: {individual: {userId: $u}, purposes: ["analytics"]}) { individual { id } } }`, map[string]any{"u": user}, new(any))
		}
		h.gets(officer, "analytics", `mutation { erase(input: {individual: {userId: "zq-eve"}, reason: "asked", suppress: false}) { receipt } }`, nil, new(any))
		buys("zq-carol") // and who is still covered, after them
		answer()

		var exits []told
		for carol := false; !carol || len(exits) == 0; {
			m := next()
			switch {
			case strings.Contains(m.text, "zq-carol") && m.Type == "segment.entered" && !carol:
				carol = true
			case m.Type == "segment.exited" && bare.MatchString(m.text):
				exits = append(exits, m)
			default:
				t.Fatalf("after the withdrawal it hears %s", m.text)
			}
		}
		for {
			var found struct {
				Destinations []struct {
					Deliveries struct{ Nodes []struct{ State string } }
				}
			}
			h.gets(officer, "analytics", `{ destinations { deliveries(first: 100) { nodes { state } } } }`, nil, &found)
			states := map[string]int{}
			for _, d := range found.Destinations[0].Deliveries.Nodes {
				states[d.State]++
			}
			if states["WAITING"] > 0 {
				continue
			}
			if states["DELIVERED"] != 2 || states["DROPPED"] < 3 {
				t.Errorf("the deliveries are %v", states)
			}
			break
		}
		for len(heard) > 0 {
			t.Errorf("and then it hears %s", (<-heard).text)
		}
		if len(exits) != 1 || exits[0].Data.Individual != ann.Data.Individual || exits[0].Data.Membership != ann.Data.Membership {
			t.Errorf("it hears of these exits: %+v", exits)
		}
		if log := h.log.String(); strings.Contains(log, "zq-") {
			t.Errorf("the log tells who: %s", log)
		}
	})
}
