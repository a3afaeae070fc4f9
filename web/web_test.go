package web_test

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/acquaint/acquaint/web"
)

func ask(t *testing.T, h http.Handler, method, url string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, url, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var script = regexp.MustCompile(`(?s)<script id="options" type="application/json">(.*?)</script>`)

func optionsOf(t *testing.T, page string) web.Options {
	t.Helper()
	found := script.FindStringSubmatch(page)
	if found == nil {
		t.Fatal("the page has no element with the options")
	}
	var o web.Options
	if err := json.Unmarshal([]byte(found[1]), &o); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestThePageCarriesItsOptions(t *testing.T) {
	given := web.Options{
		Endpoint: "/api/graphql",
		Token:    "a.b.c",
		Purpose:  "analytics",
		Tabs:     []web.Tab{{Name: "A & B", Query: "query A { a(b: \"</script><script>alert(1)</script><!--\u2028\") }", Variables: `{"c": "'\\"}`}},
	}
	r := ask(t, web.Playground(given), http.MethodGet, "http://127.0.0.1:8080/")
	if r.StatusCode != http.StatusOK || r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("status %d, headers %v", r.StatusCode, r.Header)
	}
	page := text(t, r)
	if diff := cmp.Diff(given, optionsOf(t, page)); diff != "" {
		t.Errorf("what the page carries differs (-given +carried):\n%s", diff)
	}
	if strings.Contains(page, "alert(1)</script>") {
		t.Error("a query can end the script that carries it")
	}
}

func TestOptionsHaveDefaults(t *testing.T) {
	page := text(t, ask(t, web.Playground(web.Options{}), http.MethodGet, "http://localhost/"))
	if diff := cmp.Diff(web.Options{Endpoint: "/graphql", Tabs: []web.Tab{}}, optionsOf(t, page)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestATokenIsShownToLoopbackNamesOnly(t *testing.T) {
	h := web.Playground(web.Options{Token: "a.b.c"})
	for host, want := range map[string]string{
		"localhost": "a.b.c", "LOCALHOST:8080": "a.b.c", "127.0.0.1:8080": "a.b.c", "127.9.9.9": "a.b.c", "[::1]:8080": "a.b.c", "[::1]": "a.b.c",
		"rebound.example:8080": "", "10.0.0.7:8080": "", "localhost.rebound.example": "", "127.0.0.1.rebound.example": "", "0.0.0.0:8080": "", "": "",
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := optionsOf(t, w.Body.String()).Token; got != want {
			t.Errorf("host %q is shown the token %q, want %q", host, got, want)
		}
	}
}

func TestEveryBuiltFileIsServed(t *testing.T) {
	h := web.Playground(web.Options{})
	built, err := os.ReadDir("dist/assets")
	if err != nil || len(built) == 0 {
		t.Fatalf("%d files are built: %v", len(built), err)
	}
	for _, entry := range built {
		want, err := os.ReadFile(filepath.Join("dist/assets", entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		plain := ask(t, h, http.MethodGet, "/assets/"+entry.Name())
		if plain.StatusCode != http.StatusOK || plain.Header.Get("Content-Type") == "" || plain.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s: status %d, headers %v", entry.Name(), plain.StatusCode, plain.Header)
		}
		if plain.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" || plain.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: headers %v", entry.Name(), plain.Header)
		}
		if text(t, plain) != string(want) {
			t.Errorf("%s is not served as it was built", entry.Name())
		}
		packed := ask(t, h, http.MethodGet, "/assets/"+entry.Name(), "Accept-Encoding", "gzip, br")
		if packed.Header.Get("Content-Encoding") != "gzip" {
			t.Fatalf("%s is not compressed: %v", entry.Name(), packed.Header)
		}
		unpacked, err := gzip.NewReader(packed.Body)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(unpacked)
		if err != nil || string(got) != string(want) {
			t.Errorf("%s is not what was built once it is unpacked: %v", entry.Name(), err)
		}
	}
}

func TestThePageLoadsOnlyWhatIsServed(t *testing.T) {
	h := web.Playground(web.Options{})
	page := text(t, ask(t, h, http.MethodGet, "/"))
	links := regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(page, -1)
	if len(links) < 3 {
		t.Fatalf("the page names %d files", len(links))
	}
	for _, link := range links {
		if r := ask(t, h, http.MethodGet, link[1]); !strings.HasPrefix(link[1], "/assets/") || r.StatusCode != http.StatusOK {
			t.Errorf("the page names %s, which is answered with %d", link[1], r.StatusCode)
		}
	}
}

func TestCompressionIsNegotiated(t *testing.T) {
	h := web.Playground(web.Options{})
	page := text(t, ask(t, h, http.MethodGet, "/"))
	file := regexp.MustCompile(`/assets/index-[^"]*\.js`).FindString(page)
	for accept, want := range map[string]string{
		"": "", "br": "", "identity": "", "gzip;q=0": "", "gzip;q=0, *": "", "gzip;q=none": "", "*;q=0": "",
		"gzip": "gzip", "GZIP": "gzip", "br, gzip;q=0.5": "gzip", "*": "gzip", "*;q=0, gzip": "gzip", "deflate , gzip ; q=1": "gzip",
	} {
		if got := ask(t, h, http.MethodGet, file, "Accept-Encoding", accept).Header.Get("Content-Encoding"); got != want {
			t.Errorf("Accept-Encoding %q is answered with %q, want %q", accept, got, want)
		}
	}
}

func TestEveryAnswerIsHardened(t *testing.T) {
	h := web.Playground(web.Options{})
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{http.MethodGet, "/", http.StatusOK},
		{http.MethodHead, "/", http.StatusOK},
		{http.MethodPost, "/", http.StatusMethodNotAllowed},
		{http.MethodGet, "/other", http.StatusNotFound},
		{http.MethodGet, "/index.html", http.StatusNotFound},
		{http.MethodGet, "/assets/", http.StatusNotFound},
		{http.MethodGet, "/assets/none.js", http.StatusNotFound},
		{http.MethodGet, "/assets/..%2Findex.html", http.StatusNotFound},
	} {
		r := ask(t, h, c.method, c.path)
		if r.StatusCode != c.status {
			t.Errorf("%s %s is answered with %d, want %d", c.method, c.path, r.StatusCode, c.status)
		}
		policy := r.Header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s %s: the policy %q leaves out %s", c.method, c.path, policy, part)
			}
		}
		if strings.Contains(policy, "http") || r.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s %s: headers %v", c.method, c.path, r.Header)
		}
	}
}
