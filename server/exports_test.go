package server

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/engage/archive"
	"github.com/acquaint/acquaint/graph"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// TestExports: an archive is given for its ticket alone, and one that is cut short does
// not look whole.
func TestExports(t *testing.T) {
	id := uuid.MustParse("0190a5e4-4d5b-7c3a-9b1e-2f6d8a7c5e10")
	public := insight.FormatID(insight.RequestPrefix, id)
	broken := false
	exports := NewExports(ExportsOptions{
		Redeem: func(_ context.Context, request uuid.UUID, until time.Time, ticket string) (*insight.Request, error) {
			switch {
			case ticket == "of somebody who is gone":
				return nil, insight.NewError(insight.NotFound, "request", "there is no archive")
			case ticket == "fault":
				return nil, insight.WrapError("test", insight.Internal, errors.New("ann@example.com"))
			case request != id || until.Unix() != 1000 || ticket != "right":
				return nil, insight.NewError(insight.Denied, "ticket", "this address has expired")
			}
			return &insight.Request{ID: request}, nil
		},
		Write: func(_ context.Context, w io.Writer, _ *insight.Request) error {
			_, _ = io.WriteString(w, strings.Repeat("archive", 10_000))
			if broken {
				return errors.New("the database is away")
			}
			return nil
		},
	})
	mux := http.NewServeMux()
	mux.Handle("/v1/exports/{request}", exports)
	served := httptest.NewServer(mux)
	defer served.Close()
	ask := func(method, path string) (int, string, error) {
		r, err := http.NewRequestWithContext(t.Context(), method, served.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return 0, "", err
		}
		defer func() { _ = answer.Body.Close() }()
		body, err := io.ReadAll(answer.Body)
		return answer.StatusCode, string(body), err
	}
	for _, c := range []struct {
		method, path string
		status       int
		told         string
	}{
		{"GET", "/v1/exports/" + public + "?until=1000&ticket=right", 200, "archivearchive"},
		{"GET", "/v1/exports/" + public + "?until=1001&ticket=right", 403, "FORBIDDEN"},
		{"GET", "/v1/exports/" + public + "?until=1000&ticket=wrong", 403, "FORBIDDEN"},
		{"GET", "/v1/exports/" + public + "?until=1000", 403, "FORBIDDEN"},
		{"GET", "/v1/exports/" + public + "?ticket=right", 400, "BAD_USER_INPUT"},
		{"GET", "/v1/exports/" + insight.FormatID(insight.RequestPrefix, uuid.New()) + "?until=1000&ticket=right", 403, "FORBIDDEN"},
		{"GET", "/v1/exports/ind_01j2jy8kavfgx9p7hfdp57rqgg?until=1000&ticket=right", 400, "BAD_USER_INPUT"},
		{"GET", "/v1/exports/" + public + "?until=1000&ticket=of+somebody+who+is+gone", 404, "NOT_FOUND"},
		{"GET", "/v1/exports/" + public + "?until=1000&ticket=fault", 500, "internal error"},
		{"POST", "/v1/exports/" + public + "?until=1000&ticket=right", 405, "use GET"},
	} {
		status, body, err := ask(c.method, c.path)
		if err != nil || status != c.status || !strings.Contains(body, c.told) || strings.Contains(body, "ann@") {
			t.Errorf("%s %s: %d %.100q, %v, want %d with %q", c.method, c.path, status, body, err, c.status, c.told)
		}
	}
	broken = true
	if _, body, err := ask("GET", "/v1/exports/"+public+"?until=1000&ticket=right"); err == nil {
		t.Errorf("an archive that was cut short comes as a whole of %d bytes", len(body))
	}
}

// desk hands out archives of people in a database.
type desk struct {
	t     *testing.T
	store *store.Store
	log   *logBook
	http  *httptest.Server
	spoil atomic.Pointer[spoil]
}

// spoil is what goes wrong when an archive is written.
type spoil func(w io.Writer) (io.Writer, error)

func openDesk(t *testing.T, o store.Options) *desk {
	t.Helper()
	d := &desk{t: t, store: testdb.Open(t, o), log: &logBook{}}
	api, err := NewGraphQL(GraphQLOptions{Schema: graph.New(graph.Options{Store: d.store}), Auth: secretAuth(t)})
	if err != nil {
		t.Fatal(err)
	}
	shell, err := New(Options{Graph: api, Logger: d.log.Logger(), Exports: NewExports(ExportsOptions{
		Redeem: d.store.Redeem, Logger: d.log.Logger(),
		Write: func(ctx context.Context, w io.Writer, q *insight.Request) error {
			if spoil := d.spoil.Load(); spoil != nil {
				var err error
				if w, err = (*spoil)(w); err != nil {
					return err
				}
			}
			return d.store.Dossier(ctx, q.IndividualID, func(about *store.Dossier) error {
				_, err := archive.Write(ctx, w, about, archive.Options{Now: time.Now(), Request: q.ID, Kind: q.Kind, RequestedBy: q.RequestedBy, Sign: d.store.ReceiptKey().Sign})
				return err
			})
		},
	})})
	if err != nil {
		t.Fatal(err)
	}
	d.http = httptest.NewServer(shell.Handler())
	t.Cleanup(d.http.Close)
	return d
}

// asked makes somebody known, if they are not, and asks for their archive.
func (d *desk) asked(name string) *insight.Request {
	d.t.Helper()
	purpose, err := d.store.Purpose(d.t.Context(), "marketing")
	if err != nil {
		d.t.Fatal(err)
	}
	done, err := d.store.RecordConsents(d.t.Context(), d.who(name), []insight.Claim{{Purpose: purpose, Decision: insight.ConsentGranted, Method: insight.MethodDeclared, Source: store.APISource}})
	if err != nil {
		d.t.Fatal(err)
	}
	q, _, err := d.store.RequestExport(d.t.Context(), done.Individual, insight.RequestAccess, store.Asked{By: "zq-officer"})
	if err != nil {
		d.t.Fatal(err)
	}
	return q
}

func (d *desk) spoils(by spoil) { d.spoil.Store(&by) }

func (d *desk) who(name string) store.Lookup {
	return store.Lookup{Identity: insight.Identity{Kind: insight.UserID, Value: name}}
}

// address is where a request's archive is until a moment.
func (d *desk) address(q uuid.UUID, until time.Time, ticket string) string {
	return "/v1/exports/" + insight.FormatID(insight.RequestPrefix, q) + "?" + url.Values{"until": {fmt.Sprint(until.Unix())}, "ticket": {ticket}}.Encode()
}

func (d *desk) ask(method, path string) (answer *http.Response, body []byte, cut error) {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), method, d.http.URL+path, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	answer, err = d.http.Client().Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	body, cut = io.ReadAll(answer.Body)
	return answer, body, cut
}

// TestExportsOfPeople: whoever has the address gets the archive of exactly one person,
// until it expires or they are erased; what is refused tells nothing of anybody.
func TestExportsOfPeople(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		d := openDesk(t, o)
		ann, bob, gone := d.asked("zq-ann"), d.asked("zq-bob"), d.asked("zq-gone")
		if _, _, err := d.store.Erase(t.Context(), d.who("zq-gone"), store.ErasureTerms{Asked: store.Asked{By: "zq-officer", Reason: "zq-reason"}}); err != nil {
			t.Fatal(err)
		}
		soon, past, nobody := time.Now().Add(time.Hour).Truncate(time.Second), time.Now().Add(-time.Second).Truncate(time.Second), uuid.New()
		ticket := func(q uuid.UUID, until time.Time) string { return d.store.Ticket(q, until) }
		right := d.address(ann.ID, soon, ticket(ann.ID, soon))
		public := insight.FormatID(insight.RequestPrefix, ann.ID)

		const bad, denied, absent, method = http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed
		for _, c := range []struct {
			name, method, path string
			status             int
		}{
			{"a wrong ticket", "GET", d.address(ann.ID, soon, uuid.NewString()), denied},
			{"a ticket that is none", "GET", d.address(ann.ID, soon, "' OR 1=1"), denied},
			{"an empty ticket", "GET", d.address(ann.ID, soon, ""), denied},
			{"no ticket", "GET", "/v1/exports/" + public + fmt.Sprintf("?until=%d", soon.Unix()), denied},
			{"a ticket cut short", "GET", right[:len(right)-1], denied},
			{"a ticket and more", "GET", right + "0", denied},
			{"a ticket in capitals", "GET", d.address(ann.ID, soon, strings.ToUpper(ticket(ann.ID, soon))), denied},
			{"a ticket in its place only second", "GET", "/v1/exports/" + public + fmt.Sprintf("?until=%d&ticket=x&ticket=%s", soon.Unix(), ticket(ann.ID, soon)), denied},
			{"bob's ticket", "GET", d.address(ann.ID, soon, ticket(bob.ID, soon)), denied},
			{"a ticket of the individual's id", "GET", d.address(ann.ID, soon, ticket(ann.IndividualID, soon)), denied},
			{"a ticket of another moment", "GET", d.address(ann.ID, soon.Add(time.Hour), ticket(ann.ID, soon)), denied},
			{"expired", "GET", d.address(ann.ID, past, ticket(ann.ID, past)), denied},
			{"expired long ago", "GET", d.address(ann.ID, time.Unix(0, 0), ticket(ann.ID, time.Unix(0, 0))), denied},
			{"no moment", "GET", "/v1/exports/" + public + "?ticket=" + ticket(ann.ID, soon), bad},
			{"a moment that is none", "GET", "/v1/exports/" + public + "?until=tomorrow&ticket=" + ticket(ann.ID, soon), bad},
			{"a moment past 64 bits", "GET", "/v1/exports/" + public + "?until=99999999999999999999&ticket=" + ticket(ann.ID, soon), bad},
			{"the last moment of all", "GET", "/v1/exports/" + public + "?until=9223372036854775807&ticket=" + ticket(ann.ID, soon), denied},
			{"nothing", "GET", "/v1/exports/" + public, bad},
			{"no request", "GET", "/v1/exports/", absent},
			{"an individual's id", "GET", "/v1/exports/" + insight.FormatID(insight.IndividualPrefix, ann.IndividualID) + right[strings.IndexByte(right, '?'):], bad},
			{"a bare id", "GET", "/v1/exports/" + ann.ID.String() + right[strings.IndexByte(right, '?'):], bad},
			{"a path", "GET", "/v1/exports/..%2f..%2fzq-etc" + right[strings.IndexByte(right, '?'):], bad},
			{"an unknown request", "GET", d.address(nobody, soon, ticket(ann.ID, soon)), denied},
			{"an unknown request with its own ticket", "GET", d.address(nobody, soon, ticket(nobody, soon)), absent},
			{"of one who was erased", "GET", d.address(gone.ID, soon, ticket(gone.ID, soon)), absent},
			{"HEAD", "HEAD", right, method}, {"POST", "POST", right, method}, {"PUT", "PUT", right, method}, {"DELETE", "DELETE", right, method}, {"OPTIONS", "OPTIONS", right, method}, {"any other", "ZQ", right, method},
		} {
			answer, body, err := d.ask(c.method, c.path)
			if err != nil {
				t.Fatal(err)
			}
			h := answer.Header
			switch {
			case answer.StatusCode != c.status || c.name != "no request" && h.Get("Content-Type") != "application/json; charset=utf-8":
				t.Errorf("%s: %d %s %s, want %d", c.name, answer.StatusCode, h.Get("Content-Type"), body, c.status)
			case c.name != "no request" && h.Get("Cache-Control") != "no-store", h.Get("Content-Disposition") != "", h.Get("Access-Control-Allow-Origin") != "":
				t.Errorf("%s: headers %v", c.name, h)
			case c.status == method && h.Get("Allow") != "GET":
				t.Errorf("%s: Allow is %q", c.name, h.Get("Allow"))
			case bytes.Contains(body, []byte("zq-")), bytes.Contains(body, []byte(ann.IndividualID.String())):
				t.Errorf("%s: %s", c.name, body)
			}
		}

		whole := func(path string) string {
			t.Helper()
			answer, body, err := d.ask(http.MethodGet, path)
			if err != nil || answer.StatusCode != http.StatusOK {
				t.Fatalf("%v, %v %s", err, answer, body)
			}
			for name, want := range map[string]string{
				"Content-Type": "application/zip", "Content-Disposition": `attachment; filename="` + public + `.zip"`, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Access-Control-Allow-Origin": "",
			} {
				if got := answer.Header.Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			return unpack(t, body)
		}
		for range 2 { // it is no ticket for one time
			if text := whole(right); !strings.Contains(text, "zq-ann") || strings.Contains(text, "zq-bob") {
				t.Error("the archive is not of ann alone")
			}
		}
		if _, _, err := d.store.Merge(t.Context(), d.who("zq-bob"), d.who("zq-ann"), "one person"); err != nil {
			t.Fatal(err)
		}
		if text := whole(right); !strings.Contains(text, "zq-ann") || !strings.Contains(text, "zq-bob") {
			t.Error("after they turned out to be one, the archive is not of both")
		}

		// Erased while the ticket is looked at.
		d.spoils(func(w io.Writer) (io.Writer, error) {
			_, _, err := d.store.Erase(t.Context(), d.who("zq-ann"), store.ErasureTerms{Asked: store.Asked{By: "zq-officer", Reason: "zq-reason"}})
			return w, err
		})
		answer, body, err := d.ask(http.MethodGet, right)
		if err != nil || answer.StatusCode != http.StatusNotFound || answer.Header.Get("Content-Type") != "application/json; charset=utf-8" || !bytes.Contains(body, []byte(`"NOT_FOUND"`)) {
			t.Errorf("erased meanwhile: %v, %v %s", err, answer, body)
		}
		d.spoil.Store(nil)
		if answer, body, err := d.ask(http.MethodGet, right); err != nil || answer.StatusCode != http.StatusNotFound || bytes.Contains(body, []byte("zq-")) {
			t.Errorf("erased: %v, %v %s", err, answer, body)
		}

		for _, told := range []string{"zq-", ticket(ann.ID, soon), public, ann.IndividualID.String()} {
			if strings.Contains(d.log.String(), told) {
				t.Errorf("the log tells %q", told)
			}
		}
	})
}

// unpack is everything that a zip holds.
func unpack(t *testing.T, body []byte) string {
	t.Helper()
	all, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range all.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(&b, r); err != nil { //nolint:gosec // our own archive
			t.Fatal(err)
		}
		_ = r.Close()
	}
	return b.String()
}

// short is a writer to whom something happens after so many bytes.
type short struct {
	io.Writer
	left int
	err  error
}

func (s *short) Write(b []byte) (int, error) {
	if len(b) <= s.left {
		s.left -= len(b)
		return s.Writer.Write(b)
	}
	n, _ := s.Writer.Write(b[:s.left])
	s.left = 0
	return n, s.err
}

// TestExportsCutShort: wherever an archive breaks off, what arrives is no zip, the
// connection is cut, and the fault is in the log without what the archive holds.
func TestExportsCutShort(t *testing.T) {
	d := openDesk(t, testdb.SQLite(t))
	ann := d.asked("zq-ann")
	soon := time.Now().Add(time.Hour).Truncate(time.Second)
	path := d.address(ann.ID, soon, d.store.Ticket(ann.ID, soon))
	_, body, err := d.ask(http.MethodGet, path)
	if err != nil {
		t.Fatal(err)
	}
	for _, after := range []int{1, 30, 1000, len(body) / 2, len(body) - 200, len(body) - 80} {
		d.spoils(func(w io.Writer) (io.Writer, error) {
			return &short{w, after, insight.WrapError("test", insight.Internal, errors.New("the disk is gone"))}, nil
		})
		answer, part, err := d.ask(http.MethodGet, path)
		if err == nil {
			t.Errorf("after %d bytes it ends as if it were whole: %v", after, answer)
		}
		if _, err := zip.NewReader(bytes.NewReader(part), int64(len(part))); err == nil {
			t.Errorf("after %d bytes it is a zip", after)
		}

		// HTTP/1.0 has no way to say that more should have come.
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", d.http.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, "GET "+path+" HTTP/1.0\r\n\r\n")
		old, _ := io.ReadAll(c) // it may be reset
		_ = c.Close()
		_, part, _ = bytes.Cut(old, []byte("\r\n\r\n"))
		if _, err := zip.NewReader(bytes.NewReader(part), int64(len(part))); err == nil {
			t.Errorf("after %d bytes it is a zip by HTTP/1.0", after)
		}
	}
	if log := d.log.String(); !strings.Contains(log, "an archive was cut short") || !strings.Contains(log, "the disk is gone") || strings.Contains(log, "zq-") {
		t.Errorf("the log says %s", log)
	}

	// Before the first byte there is an answer.
	for kind, want := range map[insight.Kind]int{insight.Unavailable: http.StatusServiceUnavailable, insight.Internal: http.StatusInternalServerError, insight.NotFound: http.StatusNotFound} {
		d.spoils(func(io.Writer) (io.Writer, error) {
			return nil, &insight.Error{Op: "test", Kind: kind, Cause: errors.New("zq-ann")}
		})
		answer, body, err := d.ask(http.MethodGet, path)
		if err != nil || answer.StatusCode != want || answer.Header.Get("Content-Disposition") != "" || bytes.Contains(body, []byte("zq-")) {
			t.Errorf("%v: %v, %v %s", kind, err, answer, body)
		}
	}
}

// TestExportsGiveUpAbsentees: who goes away in the middle is nobody's fault.
func TestExportsGiveUpAbsentees(t *testing.T) {
	d := openDesk(t, testdb.SQLite(t))
	ann := d.asked("zq-ann")
	soon := time.Now().Add(time.Hour).Truncate(time.Second)
	over := make(chan struct{})
	ctx, leave := context.WithCancel(t.Context())
	exports := NewExports(ExportsOptions{Redeem: d.store.Redeem, Logger: d.log.Logger(), Write: func(ctx context.Context, w io.Writer, _ *insight.Request) error {
		defer close(over)
		leave()
		<-ctx.Done()
		return ctx.Err()
	}})
	mux := http.NewServeMux()
	mux.Handle("/v1/exports/{request}", exports)
	served := httptest.NewServer(mux)
	defer served.Close()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, served.URL+d.address(ann.ID, soon, d.store.Ticket(ann.ID, soon)), nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := served.Client().Do(r); err == nil {
		_ = answer.Body.Close()
		t.Error("there was an answer")
	}
	<-over
	if strings.Contains(d.log.String(), "archive") {
		t.Errorf("the log says %s", d.log)
	}
}

// timedWriter notes by when it must have been written to.
type timedWriter struct {
	http.ResponseWriter
	deadlines []time.Time
}

func (w *timedWriter) SetWriteDeadline(at time.Time) error {
	w.deadlines = append(w.deadlines, at)
	return nil
}

// TestExportsLeaveNoDeadline: each piece has its time, and what comes on the same
// connection afterwards is not measured by it.
func TestExportsLeaveNoDeadline(t *testing.T) {
	id := uuid.New()
	exports := NewExports(ExportsOptions{
		Redeem: func(context.Context, uuid.UUID, time.Time, string) (*insight.Request, error) {
			return &insight.Request{ID: id}, nil
		},
		Write: func(_ context.Context, w io.Writer, _ *insight.Request) error {
			_, _ = io.WriteString(w, "a")
			_, err := io.WriteString(w, "b")
			return err
		},
	})
	w := &timedWriter{ResponseWriter: httptest.NewRecorder()}
	r := httptest.NewRequest(http.MethodGet, "/v1/exports/x?until=1", nil)
	r.SetPathValue("request", insight.FormatID(insight.RequestPrefix, id))
	exports.ServeHTTP(w, r)
	n := len(w.deadlines)
	if n != 4 || w.deadlines[1].IsZero() || w.deadlines[2].Before(w.deadlines[1]) || !w.deadlines[n-1].IsZero() {
		t.Errorf("the deadlines are %v, want one for each piece, and none in the end", w.deadlines)
	}
}
