package web

import (
	"bytes"
	"compress/gzip"
	"embed"
	"html/template"
	"io/fs"
	"net"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

//go:embed all:dist
var dist embed.FS

// page is the built index.html. The template's one action stands in a script of
// type application/json, where html/template writes JSON that cannot end the
// script.
var page = template.Must(template.ParseFS(dist, "dist/index.html"))

// policy lets the page reach this origin and nothing else. Styles may be inline
// because the editor makes its own as one types; scripts may not.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"font-src 'self'; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// types are the media types of what Vite builds. They are written here because
// those that Go finds by itself depend on the machine.
var types = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
	".ttf": "font/ttf",
}

// Tab is one example in the playground.
type Tab struct {
	Name      string `json:"name"`      // for people, as the panel of examples shows it
	Query     string `json:"query"`     // a GraphQL document
	Variables string `json:"variables"` // a JSON object, or empty
}

// Options is what the playground opens with.
type Options struct {
	Endpoint string `json:"endpoint"` // path or URL of the API on this origin; "/graphql" when empty
	Token    string `json:"token"`    // filled into the header editor as a bearer token; only ever to a loopback address
	Purpose  string `json:"purpose"`  // filled into the header editor as Acquaint-Purpose; empty: none is filled in beside a token
	Tabs     []Tab  `json:"tabs"`     // the tabs of a first visit, and the panel of examples
}

// Playground returns a handler that serves GraphiQL at / and what it loads under
// /assets/, and answers 404 to every other path. It holds no goroutine and may be
// used at once by many requests.
func Playground(o Options) http.Handler {
	if o.Endpoint == "" {
		o.Endpoint = "/graphql"
	}
	if o.Tabs == nil {
		o.Tabs = []Tab{}
	}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", index(o))
	mux.Handle("GET /assets/{name}", assets())
	return hardened(mux)
}

// hardened adds the headers that hold for every answer.
func hardened(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

func index(o Options) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown := o
		if !loopback(r.Host) {
			shown.Token = ""
		}
		var b bytes.Buffer
		if err := page.Execute(&b, shown); err != nil {
			http.Error(w, "the page could not be made", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
		_, _ = w.Write(b.Bytes()) // the client went away; there is nobody to tell
	})
}

// loopback reports whether a Host header names this machine by a name that no
// stranger's DNS can give.
func loopback(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.Trim(host, "[]")
	}
	return strings.EqualFold(name, "localhost") || net.ParseIP(name).IsLoopback()
}

// asset is one built file. It is compressed when it is first asked for, so that
// starting costs nothing and the binary holds it once.
type asset struct {
	kind   string
	plain  []byte
	packed func() []byte
}

func assets() http.Handler {
	files := map[string]asset{}
	found, err := fs.Glob(dist, "dist/assets/*")
	for _, file := range found {
		plain, readErr := dist.ReadFile(file)
		if readErr != nil {
			err = readErr
			break
		}
		files[path.Base(file)] = asset{types[path.Ext(file)], plain, sync.OnceValue(func() []byte { return pack(plain) })}
	}
	if err != nil {
		panic("web: the embedded files cannot be read: " + err.Error()) // they are part of the binary
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file, ok := files[r.PathValue("name")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Type", file.kind)
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("Vary", "Accept-Encoding")
		body := file.plain
		if takesGzip(r.Header.Get("Accept-Encoding")) {
			h.Set("Content-Encoding", "gzip")
			body = file.packed()
		}
		h.Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body) // the client went away; there is nobody to tell
	})
}

func pack(plain []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(plain) // a bytes.Buffer takes everything
	_ = w.Close()
	return b.Bytes()
}

// takesGzip reads an Accept-Encoding header (RFC 9110, section 12.5.3).
func takesGzip(accept string) bool {
	named, any := -1.0, -1.0
	for offer := range strings.SplitSeq(accept, ",") {
		coding, rest, _ := strings.Cut(offer, ";")
		weight := 1.0
		if q, found := strings.CutPrefix(strings.ToLower(strings.TrimSpace(rest)), "q="); found {
			weight, _ = strconv.ParseFloat(q, 64) // a weight that is no number counts as a refusal
		}
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "gzip":
			named = weight
		case "*":
			any = weight
		}
	}
	if named < 0 {
		named = any
	}
	return named > 0
}
