package whole

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
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

// TestDeliveries: an event is told to a receiver as Standard Webhooks has it; of somebody
// who withdraws it hears that they are gone, by ids alone, and nothing after that.
func TestDeliveries(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		h := open(t, o)
		officer := h.token("admin")
		const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" //nolint:gosec // the specification's example
		verifier, err := standardwebhooks.NewWebhook(secret)
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

		h.gets(officer, "analytics", `mutation { createSegment(input: {key: "buyers", name: "Buyers", purpose: "analytics", rule: {event: {event: {types: ["bought"]}}}}) { segment { id } } }`, nil, new(any))
		for more := true; more; {
			if more, err = h.store.Draft(t.Context()); err != nil {
				t.Fatal(insight.Detail(err))
			}
		}
		if _, err := h.store.CreateDestination(t.Context(), store.NewDestination{Name: "tool", URL: receiver.URL, Purpose: "analytics", Secret: secret}); err != nil {
			t.Fatal(insight.Detail(err))
		}
		sender := webhook.NewSender(h.store, webhook.Options{Allow: webhook.Policy{Private: true}})
		ctx, stop := context.WithCancel(t.Context())
		stopped := make(chan struct{})
		go func() { defer close(stopped); sender.Run(ctx) }()
		defer func() { stop(); <-stopped }()

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
