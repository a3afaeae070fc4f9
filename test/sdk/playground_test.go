package sdk

import (
	"encoding/json"
	"net/url"
	"os"
	"testing"

	"github.com/acquaint/acquaint/internal/testdb"
)

// TestPlayground uses the demo's playground with the network closed: the first
// query answers with the token that is filled in, and the live tab shows an event
// as it arrives.
func TestPlayground(t *testing.T) {
	browser := chromium(t)
	a := start(t, testdb.SQLite(t), "demo", "--individuals", "40")
	screenshots := os.Getenv("ACQUAINT_TEST_SCREENSHOTS")
	if screenshots == "" {
		screenshots = t.TempDir()
	}
	var seen struct {
		Requests, Faults []string
		First            struct {
			Data struct {
				Individuals struct {
					TotalCount int
					Nodes      []struct{ ID string }
				}
			}
			Errors json.RawMessage
		}
		Live struct {
			Data   struct{ Interactions struct{ Type string } }
			Errors json.RawMessage
		}
	}
	script(t, "playground.mjs", map[string]any{"chromium": browser, "origin": a.address, "writeKey": a.writeKey, "screenshots": screenshots}, &seen)
	if got := seen.First.Data.Individuals; seen.First.Errors != nil || got.TotalCount < 40 || len(got.Nodes) != 10 {
		t.Errorf("the first query shows %d individuals of %d, and the errors %s", len(got.Nodes), got.TotalCount, seen.First.Errors)
	}
	if seen.Live.Errors != nil || seen.Live.Data.Interactions.Type != "Waved" {
		t.Errorf("the live tab shows %+v", seen.Live)
	}
	onlyTo(t, seen.Requests, a.address)
	for _, fault := range seen.Faults {
		t.Errorf("the browser complains: %s", fault)
	}
}

// onlyTo holds a browser's requests to some origins.
func onlyTo(t *testing.T, requests []string, origins ...string) {
	t.Helper()
	allowed := map[string]bool{}
	for _, origin := range origins {
		u, err := url.Parse(origin)
		if err != nil {
			t.Fatal(err)
		}
		allowed[u.Host] = true
	}
	reached := 0
	for _, request := range requests {
		u, err := url.Parse(request)
		switch {
		case err != nil:
			t.Errorf("a request to %q: %v", request, err)
		case u.Scheme == "data" || u.Scheme == "blob": // these go nowhere
		case !allowed[u.Host]:
			t.Errorf("a request leaves for %s://%s", u.Scheme, u.Host)
		default:
			reached++
		}
	}
	if reached == 0 {
		t.Error("no request was seen at all")
	}
}
