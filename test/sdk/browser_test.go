package sdk

import (
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// chromium finds the browser.
func chromium(t *testing.T) string {
	t.Helper()
	if file := os.Getenv("ACQUAINT_TEST_CHROMIUM"); file != "" {
		return file
	}
	return tool(t, "chromium", "chromium-browser", "google-chrome")
}

// shop serves the pages of a site that uses the SDK.
func shop(t *testing.T) (site string) {
	t.Helper()
	pages := http.NewServeMux()
	pages.HandleFunc("GET /analytics.js", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, "node_modules/@segment/analytics-next/dist/umd/index.js")
	})
	pages.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprint(w, `<!doctype html><html lang="en"><title>Shop</title><link rel="icon" href="data:,"><script src="/analytics.js"></script><h1>Shop</h1></html>`)
	})
	server := httptest.NewServer(pages)
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return "http://" + net.JoinHostPort("shop.example", port)
}

// control lets a script wait for what the gateway sees, and release what it holds.
func control(t *testing.T, g *gateway) (address string) {
	t.Helper()
	wait := func(fits func(*exchange) bool) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			name := r.FormValue("name")
			count, err := strconv.Atoi(r.FormValue("count"))
			if err != nil {
				http.Error(w, "count: a number is needed", http.StatusBadRequest)
				return
			}
			ctx, cancel := context.WithTimeout(r.Context(), patience/4)
			defer cancel()
			if err := g.until(ctx, func() bool { return g.count(name, fits) >= count }); err != nil {
				http.Error(w, fmt.Sprintf("of %d messages %d are there", count, g.count(name, fits)), http.StatusGatewayTimeout)
			}
		}
	}
	asked := http.NewServeMux()
	asked.HandleFunc("GET /sent", wait(func(*exchange) bool { return true }))
	asked.HandleFunc("GET /landed", wait((*exchange).acknowledged))
	asked.HandleFunc("GET /release", func(_ http.ResponseWriter, r *http.Request) {
		g.change(func() { g.released[r.FormValue("name")] = true })
	})
	server := httptest.NewServer(asked)
	t.Cleanup(server.Close)
	return server.URL
}

// browsed is what the browser's script saw.
type browsed struct {
	Requests, Faults []string
	AnonymousID      string
}

// browse lands what the SDK sends from a browser, in each of its ways, and beacons.
func browse(t *testing.T, a *acquaint) {
	writeKey := a.source(t, "shop", "web")
	g := newGateway(a.address, func(label string, attempt int) fault {
		switch {
		case label == "Retried" && attempt < 2:
			return []fault{away, lost}[attempt]
		case label == "Interrupted" && attempt == 0:
			return stuck
		case label == "Leaving" && attempt == 0:
			return late
		}
		return none
	})
	events := httptest.NewServer(g)
	t.Cleanup(events.Close)
	site := shop(t)
	var seen browsed
	script(t, "browser.mjs", map[string]any{"chromium": chromium(t), "shop": site, "acquaint": events.URL, "test": control(t, g), "writeKey": writeKey}, &seen)
	onlyTo(t, seen.Requests, site, events.URL)
	for _, fault := range seen.Faults {
		if !strings.HasPrefix(fault, "Failed to load resource") || !strings.Contains(fault, events.URL+"/v1/t") { // those that the gateway makes
			t.Errorf("the browser complains: %s", fault)
		}
	}
	sentAsDocumented(t, g.all(), site, writeKey)

	p := a.individual(t, "browser-user")
	known := "ANONYMOUS_ID " + seen.AnonymousID
	spring := &campaign{Name: "spring", Source: "newsletter", Medium: "email", Term: "shoes", Content: "top"}
	value := 19.9
	page := func(name, path, search, referrer string) map[string]any {
		return map[string]any{"name": name, "path": path, "search": search, "referrer": referrer, "title": "Shop", "url": site + path + search}
	}
	const utm = "?utm_source=newsletter&utm_medium=email&utm_campaign=spring&utm_term=shoes&utm_content=top"
	landing := page("Landing", "/landing", utm, "")
	landing["category"] = "Shop"
	did := map[string]interaction{
		"page Landing":    {Type: "page", Campaign: spring, Properties: landing},
		"Product Viewed":  {Type: "Product Viewed", Campaign: spring, Properties: map[string]any{"sku": "a-1", "price": 20.0}},
		"alias":           {Type: "alias", Campaign: spring, Properties: map[string]any{"previousId": seen.AnonymousID}},
		"identify":        {Type: "identify", Campaign: spring},
		"group":           {Type: "group", Campaign: spring, Properties: map[string]any{"groupId": "group-7", "traits": map[string]any{"name": "Example Inc"}}},
		"screen Wishlist": {Type: "screen", Campaign: spring, Properties: map[string]any{"name": "Wishlist", "items": 2.0}},
		"Order Completed": {Type: "Order Completed", Campaign: spring, Value: &value, Currency: "USD", Properties: map[string]any{"revenue": 19.9, "currency": "USD", "products": []any{map[string]any{"sku": "a-1"}}}},
		"page Searched":   {Type: "page", Properties: page("Searched", "/search", "", "https://www.google.com/")},
		"page Socialised": {Type: "page", Properties: page("Socialised", "/social", "", "https://www.facebook.com/")},
		"page Advertised": {Type: "page", Properties: page("Advertised", "/advert", "?gclid=abc", "https://www.google.com/")},
		"page Direct":     {Type: "page", Properties: page("Direct", "/direct", "", "")},
		"page Inside":     {Type: "page", Properties: page("Inside", "/inside", "", site+"/direct")},
	}
	channels := map[string]string{
		"page Searched": "organic_search", "page Socialised": "organic_social", "page Advertised": "paid_search", "page Direct": "direct", "page Inside": "web",
		"Beacon Text": "web", "Beacon JSON": "web",
	}
	for label, i := range did {
		if i.Campaign != nil {
			channels[label] = "email"
		}
	}
	for _, event := range []string{"Named", "Retried", "Interrupted", "Batched 1", "Batched 2", "Batched 3", "Leaving", "Credentialed"} {
		i := interaction{Type: event}
		if name, n, numbered := strings.Cut(event, " "); numbered {
			number, err := strconv.ParseFloat(n, 64)
			if err != nil {
				t.Fatal(err)
			}
			i = interaction{Type: name, Properties: map[string]any{"n": number}}
		}
		did[event], channels[event] = i, "direct"
	}
	for _, event := range []string{"Beacon Text", "Beacon JSON"} {
		did[event] = interaction{Type: event}
	}
	p.holds(t, expected{
		known:    []string{"USER_ID browser-user", "EMAIL browser.user@example.com", known},
		evidence: []string{"USER_ID browser-user - " + known + ", of shop", "USER_ID browser-user - EMAIL browser.user@example.com, of shop"},
		said:     map[string]any{"email": "Browser.User@Example.com", "plan": "free"},
		did:      did,
		channels: channels,
		sessions: map[int]int{len(did): 1},
	})
	if s := p.Sessions.Nodes[0]; s.EntryChannel.Key != "email" || s.Campaign == nil || *s.Campaign != *spring {
		t.Errorf("the session began on %s with the campaign %+v", s.EntryChannel.Key, s.Campaign)
	}
}

// sentAsDocumented holds what passed between browser and Acquaint to what the SDK
// and the browser are known to do.
func sentAsDocumented(t *testing.T, requests []exchange, site, writeKey string) {
	t.Helper()
	preflighted, settings := map[string]bool{}, 0
	sent := map[string][]string{} // types by path
	credentials := "Basic " + base64.StdEncoding.EncodeToString([]byte(writeKey+":"))
	for _, x := range requests {
		if x.header.Get("Origin") != site {
			t.Errorf("%s %s comes from %q", x.method, x.path, x.header.Get("Origin"))
		}
		beacon := len(x.messages) == 1 && strings.HasPrefix(x.messages[0].Event, "Beacon")
		switch {
		case x.method == http.MethodOptions:
			preflighted[x.path] = true
		case x.path == "/v1/projects/"+writeKey+"/settings":
			settings++
		case beacon:
			if x.header.Get("Authorization") != "" {
				t.Errorf("%s carries credentials, as no beacon can", x.messages[0].Event)
			}
		default:
			if !preflighted[x.path] || x.header.Get("Authorization") != credentials || x.header.Get("Content-Type") != "text/plain" {
				t.Errorf("%s: preflighted %t, %q", x.path, preflighted[x.path], x.header.Get("Content-Type"))
			}
			for _, m := range x.messages {
				if !slices.Contains(sent[x.path], m.Type) {
					sent[x.path] = append(sent[x.path], m.Type)
				}
			}
		}
	}
	want := map[string][]string{
		"/v1/i": {"identify"}, "/v1/t": {"track"}, "/v1/p": {"page"}, "/v1/s": {"screen"}, "/v1/g": {"group"}, "/v1/a": {"alias"}, "/v1/b": {"track"},
	}
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Errorf("types by path (-want +got):\n%s", diff)
	}
	if settings == 0 {
		t.Error("the project's settings were never asked for")
	}
}
