package sdk

import (
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// TestSDKs lands everything that the SDKs send, on each engine, and finds that
// what was derived on the way is what a recompute gives.
func TestSDKs(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		a := start(t, o)
		t.Run("node calls", func(t *testing.T) { nodeCalls(t, a) })
		t.Run("node batches", func(t *testing.T) { nodeBatches(t, a) })
		t.Run("browser", func(t *testing.T) { browse(t, a) })
		a.print(t, "verify")
	})
}

// outcome is what the SDK for Node.js says became of its calls.
type outcome struct {
	Delivered int
	Failed    []string
}

func node(t *testing.T, g *gateway, writeKey, scenario string) outcome {
	t.Helper()
	events := httptest.NewServer(g)
	t.Cleanup(events.Close)
	var got outcome
	script(t, "node.mjs", map[string]any{"host": events.URL, "writeKey": writeKey, "scenario": scenario}, &got)
	return got
}

// nodeCalls lands each of the six calls, in two batches.
func nodeCalls(t *testing.T, a *acquaint) {
	g := newGateway(a.address, func(string, int) fault { return none })
	got := node(t, g, a.source(t, "backend", "api"), "calls")
	if diff := cmp.Diff(outcome{Delivered: 6}, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("what the SDK says (-want +got):\n%s", diff)
	}
	requests := g.all()
	if len(requests) != 2 {
		t.Errorf("%d requests for two batches", len(requests))
	}
	for _, x := range requests {
		if x.method != "POST" || x.path != "/v1/batch" || x.status != 200 || len(x.messages) != 3 {
			t.Errorf("%s %s with %d messages: %d", x.method, x.path, len(x.messages), x.status)
		}
	}
	p := a.individual(t, "node-user")
	value := 49.5
	want := map[string]interaction{
		"page Pricing":    {Type: "page", Properties: map[string]any{"name": "Pricing", "category": "Docs", "url": "https://shop.example/pricing"}},
		"alias":           {Type: "alias", Properties: map[string]any{"previousId": "node-anonymous"}},
		"identify":        {Type: "identify"},
		"screen Basket":   {Type: "screen", Properties: map[string]any{"name": "Basket", "items": 2.0}},
		"group":           {Type: "group", Properties: map[string]any{"groupId": "group-9", "traits": map[string]any{"name": "Example Ltd", "employees": 40.0}}},
		"Order Completed": {Type: "Order Completed", Value: &value, Currency: "EUR", Campaign: &campaign{Name: "spring", Source: "google", Medium: "cpc"}, Properties: map[string]any{"revenue": 49.5, "currency": "EUR", "products": []any{map[string]any{"sku": "a"}, map[string]any{"sku": "b"}}}},
	}
	channels := map[string]string{"page Pricing": "api", "alias": "api", "identify": "api", "screen Basket": "api", "group": "api", "Order Completed": "paid_search"}
	p.holds(t, expected{
		known:    []string{"USER_ID node-user", "EMAIL node.user@example.com", "EXTERNAL crm:crm-77", "DEVICE_ID node-device", "ANONYMOUS_ID node-anonymous"},
		evidence: []string{"USER_ID node-user - ANONYMOUS_ID node-anonymous, of backend", "USER_ID node-user - DEVICE_ID node-device, of backend", "USER_ID node-user - EMAIL node.user@example.com, of backend", "USER_ID node-user - EXTERNAL crm:crm-77, of backend"},
		said:     map[string]any{"email": "Node.User@Example.com", "plan": "pro", "seats": 3.0, "address": map[string]any{"city": "Zürich"}},
		did:      want,
		channels: channels,
		// Along the anonymous id yesterday and today, along the device, and along the user id.
		sessions: map[int]int{1: 3, 3: 1},
	})
}

// nodeBatches lands 5,000 events of which every batch is first refused or cut off,
// then kept with its answer lost, and then acknowledged.
func nodeBatches(t *testing.T, a *acquaint) {
	const events, batches, people = 5000, 10, 50
	begun := 0
	g := newGateway(a.address, func(_ string, attempt int) fault {
		switch attempt {
		case 0:
			begun++
			return []fault{away, cut}[begun%2]
		case 1:
			return lost
		}
		return none
	})
	got := node(t, g, a.source(t, "importer", "api"), "batches")
	if diff := cmp.Diff(outcome{Delivered: events}, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("what the SDK says (-want +got):\n%s", diff)
	}
	times := map[int]int{} // by attempt
	for _, x := range g.all() {
		times[x.attempt]++
		retries := ""
		if x.attempt > 0 {
			retries = strconv.Itoa(x.attempt)
		}
		if x.header.Get("X-Retry-Count") != retries || len(x.messages) != events/batches || x.attempt > 0 && x.status != 200 {
			t.Errorf("attempt %d with %d messages says %q of its retries, and is answered %d", x.attempt, len(x.messages), x.header.Get("X-Retry-Count"), x.status)
		}
	}
	if diff := cmp.Diff(map[int]int{0: batches, 1: batches, 2: batches}, times); diff != "" {
		t.Errorf("requests by attempt (-want +got):\n%s", diff)
	}
	var data struct {
		Individuals struct {
			TotalCount int
			Nodes      []person
		}
	}
	a.ask(t, `{
	  individuals(where: {event: {types: ["Ticked"]}}, first: 100) {
	    totalCount
	    nodes { interactions(where: {types: ["Ticked"]}, first: 100) { totalCount nodes { type direction channel { key } properties } } }
	  }
	}`, nil, &data)
	if data.Individuals.TotalCount != people {
		t.Errorf("%d individuals, want %d", data.Individuals.TotalCount, people)
	}
	seen := map[float64]int{}
	for _, p := range data.Individuals.Nodes {
		if len(p.did(t)) != events/people {
			t.Errorf("somebody has %d events, want %d", p.Interactions.TotalCount, events/people)
		}
		for _, i := range p.Interactions.Nodes {
			n, _ := i.Properties["n"].(float64)
			seen[n]++
		}
	}
	for n := range events {
		if seen[float64(n)] != 1 {
			t.Errorf("event %d is there %d times", n, seen[float64(n)])
		}
	}
}
