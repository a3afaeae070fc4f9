package server

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/acquaint/acquaint/ingest/tracking"
	"github.com/acquaint/acquaint/insight"
)

// trackedWorld is a tracking API over sources and a store of the test's.
type trackedWorld struct {
	mutex    sync.Mutex
	events   []*insight.Event
	submit   func([]*insight.Event) ([]insight.Outcome, error)
	lookup   error
	log      bytes.Buffer
	options  TrackingOptions
	handler  http.Handler
	received time.Time
}

func (w *trackedWorld) SourceByWriteKey(_ context.Context, writeKey string) (*insight.Source, error) {
	if w.lookup != nil {
		return nil, w.lookup
	}
	if writeKey != "key" {
		return nil, insight.NewError(insight.NotFound, "", "there is no such source")
	}
	return &insight.Source{Name: "shop", DefaultChannel: &insight.Channel{Key: "web"}}, nil
}

func (w *trackedWorld) Channel(_ context.Context, key string, kind insight.ChannelKind) (*insight.Channel, error) {
	return &insight.Channel{Key: key, Kind: kind}, nil
}

func newTrackedWorld(change func(*TrackingOptions)) *trackedWorld {
	w := &trackedWorld{received: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	w.submit = kept(insight.StatusAccepted)
	w.options = TrackingOptions{
		Sources: w,
		Submit: func(_ context.Context, events []*insight.Event) ([]insight.Outcome, error) {
			w.mutex.Lock()
			defer w.mutex.Unlock()
			w.events = append(w.events, events...)
			return w.submit(events)
		},
		Decoder: &tracking.Decoder{Directory: w},
		Now:     func() time.Time { return w.received },
		Logger:  slog.New(slog.NewTextHandler(&w.log, nil)),
	}
	if change != nil {
		change(&w.options)
	}
	w.handler = NewTracking(w.options)
	return w
}

const basicKey = "Basic a2V5Og==" // key:

func (w *trackedWorld) do(method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer := httptest.NewRecorder()
	w.handler.ServeHTTP(answer, r)
	return answer
}

func (w *trackedWorld) post(path, body string) *httptest.ResponseRecorder {
	return w.do(http.MethodPost, path, body, "Authorization", basicKey)
}

func TestTrackingTakesEveryKindOfMessage(t *testing.T) {
	w := newTrackedWorld(nil)
	body := `{"userId":"u","event":"e","groupId":"g","previousId":"p","messageId":"m","timestamp":"2026-03-01T11:00:00Z"}`
	for path, want := range map[string]string{
		"identify": "identify", "i": "identify", "track": "e", "t": "e", "page": "page", "p": "page", "screen": "screen", "s": "screen",
		"group": "group", "g": "group", "alias": "alias", "a": "alias",
	} {
		w.events = nil
		answer := w.post("/v1/"+path, body)
		if answer.Code != http.StatusOK || answer.Body.String() != "{\"success\":true}\n" {
			t.Errorf("%s: %d %s", path, answer.Code, answer.Body)
		}
		if len(w.events) != 1 || w.events[0].Type != want || w.events[0].Source.Name != "shop" || w.events[0].ReceivedAt != w.received {
			t.Errorf("%s: submitted %+v", path, w.events)
		}
	}
	for _, path := range []string{"batch", "import", "b"} {
		w.events = nil
		answer := w.post("/v1/"+path, `{"batch":[{"type":"track",`+body[1:]+`,{"type":"page",`+body[1:]+`]}`)
		if answer.Code != http.StatusOK || answer.Body.String() != "{\"success\":true}\n" || len(w.events) != 2 {
			t.Errorf("%s: %d %s, %d events", path, answer.Code, answer.Body, len(w.events))
		}
	}
	w.events = nil
	for path, body := range map[string]string{"/v1/m": `{"series":[]}`, "/v1/batch": `{"batch":[]}`} {
		if answer := w.post(path, body); answer.Code != http.StatusOK || len(w.events) != 0 {
			t.Errorf("%s: %d %s, %d events", path, answer.Code, answer.Body, len(w.events))
		}
	}
}

func TestTrackingWriteKeys(t *testing.T) {
	const message = `"userId":"u","event":"e"}`
	for _, c := range []struct {
		name, path, body, authorization string
		status                          int
	}{
		{"basic", "/v1/track", "{" + message, basicKey, 200},
		{"body", "/v1/track", `{"writeKey":"key",` + message, "", 200},
		{"body of a beacon", "/v1/b", `{"batch":[{"type":"track",` + message + `],"writeKey":"key"}`, "", 200},
		{"basic before body", "/v1/track", `{"writeKey":"other",` + message, basicKey, 200},
		{"body where basic is empty", "/v1/track", `{"writeKey":"key",` + message, "Basic Og==", 200},
		{"body where the header is a token", "/v1/track", `{"writeKey":"key",` + message, "Bearer x", 200},
		{"none", "/v1/track", "{" + message, "", 401},
		{"unknown", "/v1/track", "{" + message, "Basic " + base64.StdEncoding.EncodeToString([]byte("SECRET:")), 401},
		{"unknown in the body", "/v1/batch", `{"writeKey":"SECRET","batch":[]}`, "", 401},
		{"a number", "/v1/track", `{"writeKey":7,` + message, "", 401},
		{"malformed without a key", "/v1/track", `{"SECRET`, "", 400},
	} {
		w := newTrackedWorld(nil)
		answer := w.do(http.MethodPost, c.path, c.body, "Authorization", c.authorization, "Content-Type", "text/plain")
		if answer.Code != c.status || strings.Contains(answer.Body.String()+w.log.String(), "SECRET") {
			t.Errorf("%s: %d %s", c.name, answer.Code, answer.Body)
		}
		if (len(w.events) == 1) != (c.status == 200) {
			t.Errorf("%s: %d events", c.name, len(w.events))
		}
	}
}

func TestTrackingRefusals(t *testing.T) {
	for _, c := range []struct {
		name, path, body string
		header           []string
		status           int
		want             string
	}{
		{"malformed", "/v1/track", `{"SECRET`, nil, 400, `{"success":false,"code":"BAD_USER_INPUT","message":"body: malformed JSON at byte 8"}`},
		{"no id", "/v1/track", `{"event":"SECRET"}`, nil, 400, `{"success":false,"code":"BAD_USER_INPUT","message":"userId: a message needs a userId or an anonymousId"}`},
		{"year 0", "/v1/track", `{"event":"SECRET","userId":"u","timestamp":"0000-01-01T00:00:00Z"}`, nil, 400, `{"success":false,"code":"BAD_USER_INPUT","message":"timestamp: the year 0 is outside 1 to 9998"}`},
		{"10,000 deep", "/v1/track", strings.Repeat("[", 10000) + strings.Repeat("]", 10000), nil, 400, `{"success":false,"code":"BAD_USER_INPUT","message":"body: expected a message, which is a JSON object"}`},
		{"over 32 KB", "/v1/track", `{"event":"` + strings.Repeat("SECRET", 6000) + `"}`, nil, 413, `{"success":false,"code":"TOO_LARGE","message":"the body may be 32 KB at most"}`},
		{"over 500 KB", "/v1/batch", `{"batch":["` + strings.Repeat("SECRET", 90000) + `"]}`, nil, 413, `{"success":false,"code":"TOO_LARGE","message":"the body may be 500 KB at most"}`},
		{"too many", "/v1/batch", `{"batch":[` + strings.Repeat("{},", 2500) + `{}]}`, nil, 413, `{"success":false,"code":"TOO_LARGE","message":"batch: a batch may hold 2500 messages at most"}`},
		{"no batch", "/v1/batch", `{"SECRET":1}`, nil, 400, `{"success":false,"code":"BAD_USER_INPUT","message":"batch: expected an array of messages"}`},
		{"not gzip", "/v1/track", `SECRET`, []string{"Content-Encoding", "gzip"}, 400, `{"success":false,"code":"BAD_USER_INPUT","message":"body: it is not gzip, as its Content-Encoding says"}`},
		{"another packing", "/v1/track", `SECRET`, []string{"Content-Encoding", "br"}, 415, `{"success":false,"code":"BAD_USER_INPUT","message":"Content-Encoding: gzip is the only one that is read"}`},
		{"no such path", "/v1/SECRET", `{}`, nil, 404, `{"success":false,"code":"NOT_FOUND","message":"the tracking API has no such path"}`},
		{"all are bad", "/v1/batch", `{"batch":[{"type":"track","messageId":"m-1","userId":"SECRET"}]}`, nil, 400,
			`{"success":false,"code":"BAD_USER_INPUT","message":"batch: none of its messages can be taken","rejected":[{"index":0,"messageId":"m-1","code":"BAD_USER_INPUT","message":"batch[0].event: a track message needs the name of its event"}]}`},
	} {
		w := newTrackedWorld(nil)
		answer := w.do(http.MethodPost, c.path, c.body, append(c.header, "Authorization", basicKey)...)
		if answer.Code != c.status || strings.TrimSpace(answer.Body.String()) != c.want {
			t.Errorf("%s: %d %s\nwant %d %s", c.name, answer.Code, answer.Body, c.status, c.want)
		}
		if len(w.events) != 0 || strings.Contains(w.log.String(), "SECRET") {
			t.Errorf("%s: %d events, log %s", c.name, len(w.events), &w.log)
		}
	}
}

func TestTrackingMethods(t *testing.T) {
	w := newTrackedWorld(nil)
	for path, allow := range map[string]string{"/v1/track": "POST, OPTIONS", "/v1/b": "POST, OPTIONS", "/v1/m": "POST, OPTIONS", "/v1/projects/key/settings": "GET, OPTIONS"} {
		answer := w.do(http.MethodDelete, path, "")
		if answer.Code != http.StatusMethodNotAllowed || answer.Header().Get("Allow") != allow {
			t.Errorf("%s: %d, Allow %q", path, answer.Code, answer.Header().Get("Allow"))
		}
	}
}

func TestTrackingABadMessageDisturbsNoOther(t *testing.T) {
	w := newTrackedWorld(nil)
	w.submit = func(events []*insight.Event) ([]insight.Outcome, error) {
		return []insight.Outcome{
			{Status: insight.StatusAccepted}, {Status: insight.StatusDuplicate}, {Status: insight.StatusWithheld},
			{Status: insight.StatusRejected, Err: insight.NewError(insight.Conflict, "messageId", "another event has it")},
		}, nil
	}
	good := func(id string) string { return `{"type":"page","userId":"u","messageId":"` + id + `"}` }
	answer := w.post("/v1/batch", `{"batch":[`+good("m-0")+`,{"type":"track","messageId":"m-1","event":"SECRET"},`+good("m-2")+`,"SECRET",`+good("m-4")+`,`+good("m-5")+
		`,{"type":"page","userId":"u","x":"`+strings.Repeat("x", 33000)+`"}]}`)
	want := `{"success":true,"withheld":[{"index":4,"messageId":"m-4"}],"rejected":[` +
		`{"index":1,"messageId":"m-1","code":"BAD_USER_INPUT","message":"batch[1].userId: a message needs a userId or an anonymousId"},` +
		`{"index":3,"code":"BAD_USER_INPUT","message":"batch[3]: expected a message, which is a JSON object"},` +
		`{"index":5,"messageId":"m-5","code":"CONFLICT","message":"messageId: another event has it"},` +
		`{"index":6,"code":"TOO_LARGE","message":"batch[6]: a message may be 32 KB at most"}]}`
	if answer.Code != http.StatusOK {
		t.Errorf("status %d", answer.Code)
	}
	if diff := cmp.Diff(want, strings.TrimSpace(answer.Body.String())); diff != "" {
		t.Error(diff)
	}
	if len(w.events) != 4 {
		t.Errorf("%d events were submitted", len(w.events))
	}
}

// kept answers every event with a status.
func kept(status insight.Status) func([]*insight.Event) ([]insight.Outcome, error) {
	return func(events []*insight.Event) ([]insight.Outcome, error) {
		outcomes := make([]insight.Outcome, len(events))
		for i := range outcomes {
			outcomes[i].Status = status
		}
		return outcomes, nil
	}
}

func TestTrackingConsent(t *testing.T) {
	categories := func(yes bool) *insight.Signals {
		return &insight.Signals{Categories: map[string]bool{"Advertising": yes}}
	}
	withGPC := func(s insight.Signals) *insight.Signals {
		s.GPC = true
		return &s
	}
	const (
		saysYes   = `{"type":"page","userId":"u","messageId":"yes","context":{"consent":{"categoryPreferences":{"Advertising":true}}}}`
		saysNone  = `{"type":"page","userId":"u","messageId":"none"}`
		malformed = `{"type":"page","userId":"u","messageId":"bad","context":{"consent":{"tcString":"SECRET"}}}`
		anonymous = `{"type":"page","userId":"u","context":{"consent":"SECRET"}}`
		refused   = `{"type":"page","messageId":"refused","context":{"consent":"SECRET"}}`
		noTCF     = `it is not a TCF v2 string that can be read`
	)
	const success = `{"success":true}`
	for _, c := range []struct {
		name, path, body, gpc string
		status                insight.Status
		want                  string
		signals               []*insight.Signals
	}{
		{"a choice", "/v1/page", saysYes, "", insight.StatusAccepted, success, []*insight.Signals{categories(true)}},
		{"the header", "/v1/page", saysNone, "1", insight.StatusAccepted, success, []*insight.Signals{{GPC: true}}},
		{"the header and a choice", "/v1/page", saysYes, "1", insight.StatusAccepted, success, []*insight.Signals{withGPC(*categories(true))}},
		{"the header off", "/v1/page", saysNone, "0", insight.StatusAccepted, success, []*insight.Signals{nil}},
		{"the header with another value", "/v1/page", saysNone, "true", insight.StatusAccepted, success, []*insight.Signals{nil}},
		{"withheld", "/v1/page", saysYes, "", insight.StatusWithheld, `{"success":true,"withheld":true}`, []*insight.Signals{categories(true)}},
		{"malformed", "/v1/page", malformed, "", insight.StatusDuplicate,
			`{"success":true,"warnings":[{"index":0,"messageId":"bad","code":"BAD_CONSENT_SIGNAL","message":"context.consent.tcString: ` + noTCF + `"}]}`, []*insight.Signals{nil}},
		{"malformed, without an id", "/v1/page", anonymous, "", insight.StatusAccepted,
			`{"success":true,"warnings":[{"index":0,"code":"BAD_CONSENT_SIGNAL","message":"context.consent: an object is expected"}]}`, []*insight.Signals{nil}},
		{"malformed and withheld", "/v1/page", malformed, "1", insight.StatusWithheld,
			`{"success":true,"withheld":true,"warnings":[{"index":0,"messageId":"bad","code":"BAD_CONSENT_SIGNAL","message":"context.consent.tcString: ` + noTCF + `"}]}`, []*insight.Signals{{GPC: true}}},
		{"a batch", "/v1/batch", `{"batch":[` + saysYes + `,` + saysNone + `],"context":{"consent":{"categoryPreferences":{"Advertising":false}}}}`, "", insight.StatusAccepted, success,
			[]*insight.Signals{categories(true), categories(false)}},
		{"a batch with the header", "/v1/batch", `{"batch":[` + saysYes + `,` + saysNone + `]}`, "1", insight.StatusAccepted, success,
			[]*insight.Signals{withGPC(*categories(true)), {GPC: true}}},
		{"a batch with one malformed", "/v1/batch", `{"batch":[` + saysNone + `,` + malformed + `,` + refused + `]}`, "", insight.StatusAccepted,
			`{"success":true,"warnings":[{"index":1,"messageId":"bad","code":"BAD_CONSENT_SIGNAL","message":"batch[1].context.consent.tcString: ` + noTCF + `"}],` +
				`"rejected":[{"index":2,"messageId":"refused","code":"BAD_USER_INPUT","message":"batch[2].userId: a message needs a userId or an anonymousId"}]}`, []*insight.Signals{nil, nil}},
		{"a batch that is withheld", "/v1/batch", `{"batch":[` + refused + `,` + saysNone + `,` + anonymous + `]}`, "1", insight.StatusWithheld,
			`{"success":true,"withheld":[{"index":1,"messageId":"none"},{"index":2}],"warnings":[{"index":2,"code":"BAD_CONSENT_SIGNAL","message":"batch[2].context.consent: an object is expected"}],` +
				`"rejected":[{"index":0,"messageId":"refused","code":"BAD_USER_INPUT","message":"batch[0].userId: a message needs a userId or an anonymousId"}]}`, []*insight.Signals{{GPC: true}, {GPC: true}}},
	} {
		w := newTrackedWorld(nil)
		w.submit = kept(c.status)
		header := []string{"Authorization", basicKey}
		if c.gpc != "" {
			header = append(header, "Sec-GPC", c.gpc)
		}
		answer := w.do(http.MethodPost, c.path, c.body, header...)
		if answer.Code != http.StatusOK || strings.TrimSpace(answer.Body.String()) != c.want {
			t.Errorf("%s: %d %s\nwant %s", c.name, answer.Code, answer.Body, c.want)
		}
		if strings.Contains(answer.Body.String()+w.log.String(), "SECRET") {
			t.Errorf("%s: the value is repeated: %s %s", c.name, answer.Body, &w.log)
		}
		var signals []*insight.Signals
		for _, e := range w.events {
			signals = append(signals, e.Signals)
		}
		if diff := cmp.Diff(c.signals, signals); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

// A message that the store rejects is told of as that, and nothing is said of its
// consent, which was not taken either.
func TestTrackingWarnsOnlyOfWhatIsTaken(t *testing.T) {
	w := newTrackedWorld(nil)
	w.submit = func([]*insight.Event) ([]insight.Outcome, error) {
		return []insight.Outcome{{Status: insight.StatusAccepted}, {Status: insight.StatusRejected, Err: insight.NewError(insight.Conflict, "messageId", "another event has it")}}, nil
	}
	answer := w.post("/v1/batch", `{"batch":[{"type":"page","userId":"u"},{"type":"page","userId":"u","context":{"consent":7}}]}`)
	want := `{"success":true,"rejected":[{"index":1,"code":"CONFLICT","message":"messageId: another event has it"}]}`
	if answer.Code != http.StatusOK || strings.TrimSpace(answer.Body.String()) != want {
		t.Errorf("%d %s, want %s", answer.Code, answer.Body, want)
	}
}

func TestTrackingIsNotAcknowledgedUnlessKept(t *testing.T) {
	const message = `{"type":"page","userId":"u"}`
	rejected := func(err error) func([]*insight.Event) ([]insight.Outcome, error) {
		return func(events []*insight.Event) ([]insight.Outcome, error) {
			outcomes := make([]insight.Outcome, len(events))
			for i := range outcomes {
				outcomes[i].Status = insight.StatusAccepted
			}
			outcomes[len(events)-1] = insight.Outcome{Status: insight.StatusRejected, Err: err}
			return outcomes, nil
		}
	}
	failed := func(err error) func([]*insight.Event) ([]insight.Outcome, error) {
		return func([]*insight.Event) ([]insight.Outcome, error) { return nil, err }
	}
	for _, c := range []struct {
		name   string
		submit func([]*insight.Event) ([]insight.Outcome, error)
		status int
		code   string
	}{
		{"away", failed(insight.WrapError("store", insight.Unavailable, errors.New("DETAIL"))), 503, "UNAVAILABLE"},
		{"queue full", failed(insight.NewError(insight.Exhausted, "", "too many events wait")), 429, "RATE_LIMITED"},
		{"our fault", failed(errors.New("DETAIL")), 500, "INTERNAL"},
		{"one may pass later", rejected(insight.NewError(insight.Unavailable, "", "away")), 503, "UNAVAILABLE"},
		{"one failed", rejected(errors.New("DETAIL")), 500, "INTERNAL"},
		{"no reason", rejected(nil), 500, "INTERNAL"},
		{"no outcome", func([]*insight.Event) ([]insight.Outcome, error) { return nil, nil }, 500, "INTERNAL"},
		{"unknown outcome", func(events []*insight.Event) ([]insight.Outcome, error) {
			return make([]insight.Outcome, len(events)), nil
		}, 500, "INTERNAL"},
	} {
		for path, body := range map[string]string{"/v1/page": message, "/v1/batch": `{"batch":[` + message + `,` + message + `]}`} {
			w := newTrackedWorld(func(o *TrackingOptions) { o.RetryAfter = 2500 * time.Millisecond })
			w.submit = c.submit
			answer := w.post(path, body)
			var refusal trackingRefusal
			if err := json.Unmarshal(answer.Body.Bytes(), &refusal); err != nil {
				t.Fatal(err)
			}
			if answer.Code != c.status || refusal.Code != c.code || refusal.Success || answer.Header().Get("Retry-After") != "3" {
				t.Errorf("%s at %s: %d %s, Retry-After %q", c.name, path, answer.Code, answer.Body, answer.Header().Get("Retry-After"))
			}
			if strings.Contains(answer.Body.String(), "DETAIL") {
				t.Errorf("%s at %s shows its detail: %s", c.name, path, answer.Body)
			}
			if logged := w.log.Len() > 0; logged != (c.status == 500) {
				t.Errorf("%s at %s: log %q", c.name, path, &w.log)
			}
		}
	}
}

func TestTrackingWhileSourcesAreAway(t *testing.T) {
	w := newTrackedWorld(nil)
	w.lookup = insight.NewError(insight.Unavailable, "", "the database is away")
	for _, answer := range []*httptest.ResponseRecorder{
		w.post("/v1/page", `{"userId":"u"}`), w.do(http.MethodGet, "/v1/projects/key/settings", ""),
	} {
		if answer.Code != http.StatusServiceUnavailable || answer.Header().Get("Retry-After") != "1" {
			t.Errorf("%d %s", answer.Code, answer.Body)
		}
	}
}

func TestTrackingAnsweredOnlyAfterSubmit(t *testing.T) {
	w := newTrackedWorld(nil)
	answer := httptest.NewRecorder()
	wrote := false
	w.submit = func([]*insight.Event) ([]insight.Outcome, error) {
		wrote = answer.Body.Len() > 0 || answer.Flushed
		return []insight.Outcome{{Status: insight.StatusAccepted}}, nil
	}
	r := httptest.NewRequest(http.MethodPost, "/v1/page", strings.NewReader(`{"userId":"u"}`))
	r.Header.Set("Authorization", basicKey)
	w.handler.ServeHTTP(answer, r)
	if wrote || answer.Code != http.StatusOK {
		t.Errorf("answered %v before the event was kept; status %d", wrote, answer.Code)
	}
}

func packed(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTrackingUnpacksGzip(t *testing.T) {
	for _, c := range []struct {
		name, body string
		status     int
	}{
		{"a message", packed(t, `{"userId":"u"}`), 200},
		{"a bomb", packed(t, `{"userId":"`+strings.Repeat("x", 100<<20)+`"}`), 413},
		{"cut off", packed(t, `{"userId":"u"}`)[:30], 400},
	} {
		w := newTrackedWorld(nil)
		if answer := w.do(http.MethodPost, "/v1/page", c.body, "Authorization", basicKey, "Content-Encoding", "gzip"); answer.Code != c.status {
			t.Errorf("%s: %d %s", c.name, answer.Code, answer.Body)
		}
	}
}

func TestTrackingBodiesThatDoNotArrive(t *testing.T) {
	for err, status := range map[error]int{os.ErrDeadlineExceeded: 408, errors.New("reset"): 400} {
		w := newTrackedWorld(nil)
		r := httptest.NewRequest(http.MethodPost, "/v1/page", iotest.ErrReader(err))
		r.Header.Set("Authorization", basicKey)
		answer := httptest.NewRecorder()
		w.handler.ServeHTTP(answer, r)
		if answer.Code != status || len(w.events) != 0 {
			t.Errorf("%v: %d %s", err, answer.Code, answer.Body)
		}
	}
	// A length that the client does not tell is bounded all the same.
	w := newTrackedWorld(nil)
	r := httptest.NewRequest(http.MethodPost, "/v1/page", strings.NewReader(strings.Repeat("x", 40<<10)))
	r.ContentLength = -1
	r.Header.Set("Authorization", basicKey)
	answer := httptest.NewRecorder()
	w.handler.ServeHTTP(answer, r)
	if answer.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

func TestTrackingFromAnySite(t *testing.T) {
	w := newTrackedWorld(nil)
	answer := w.do(http.MethodOptions, "/v1/t", "", "Origin", "https://shop.example",
		"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,x-own")
	h := answer.Header()
	if answer.Code != http.StatusNoContent || h.Get("Access-Control-Allow-Origin") != "https://shop.example" || h.Get("Access-Control-Allow-Headers") != "authorization,x-own" ||
		!strings.Contains(h.Get("Access-Control-Allow-Methods"), "POST") || h.Get("Access-Control-Allow-Credentials") != "true" ||
		!slices.Equal(h.Values("Vary"), []string{"Origin", "Access-Control-Request-Headers"}) {
		t.Errorf("preflight: %d %v", answer.Code, h)
	}
	if answer = w.do(http.MethodOptions, "/v1/t", ""); !strings.Contains(answer.Header().Get("Access-Control-Allow-Headers"), "Authorization") ||
		!strings.Contains(answer.Header().Get("Access-Control-Allow-Headers"), "Sec-GPC") {
		t.Errorf("preflight without headers: %v", answer.Header())
	}
	for _, answer := range []*httptest.ResponseRecorder{
		w.post("/v1/t", `{"userId":"u","event":"e"}`), w.post("/v1/t", ``), w.do(http.MethodGet, "/v1/projects/none/settings", ""), w.do(http.MethodGet, "/v1/x", ""),
	} {
		if answer.Header().Get("Access-Control-Allow-Origin") != "*" || answer.Header().Get("Access-Control-Allow-Credentials") != "" || answer.Header().Get("Content-Type") != "application/json; charset=utf-8" {
			t.Errorf("%d: %v", answer.Code, answer.Header())
		}
	}
}

// TestTrackingBeacons holds the answers to what a browser asks of them when it sends
// a beacon, which always has credentials: the page's own origin, not any.
func TestTrackingBeacons(t *testing.T) {
	w := newTrackedWorld(nil)
	for _, origin := range []string{"https://shop.example", "http://127.0.0.1:3000", "null"} {
		for _, answer := range []*httptest.ResponseRecorder{
			w.do(http.MethodOptions, "/v1/t", "", "Origin", origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type"),
			w.do(http.MethodPost, "/v1/t", `{"writeKey":"key","userId":"u","event":"e"}`, "Origin", origin, "Content-Type", "application/json"),
			w.do(http.MethodPost, "/v1/t", `{`, "Origin", origin, "Content-Type", "text/plain;charset=UTF-8"),
		} {
			h := answer.Header()
			if h.Get("Access-Control-Allow-Origin") != origin || h.Get("Access-Control-Allow-Credentials") != "true" || h.Get("Vary") != "Origin" {
				t.Errorf("%s: %d %v", origin, answer.Code, h)
			}
		}
	}
}

func TestTrackingSettings(t *testing.T) {
	for _, c := range []struct {
		public            string
		header            []string
		protocol, apiHost string
	}{
		{"", nil, "http", "events.test:8080/v1"},
		{"", []string{"X-Forwarded-Proto", "https"}, "https", "events.test:8080/v1"},
		{"", []string{"X-Forwarded-Proto", "gopher"}, "http", "events.test:8080/v1"},
		{"https://in.example.com/acquaint/", nil, "https", "in.example.com/acquaint/v1"},
	} {
		w := newTrackedWorld(func(o *TrackingOptions) { o.PublicURL = c.public })
		answer := w.do(http.MethodGet, "http://events.test:8080/v1/projects/key/settings", "", c.header...)
		var settings struct {
			Integrations map[string]struct{ APIKey, APIHost, Protocol string }
			Metrics      struct{ SampleRate *float64 }
		}
		if err := json.Unmarshal(answer.Body.Bytes(), &settings); err != nil || answer.Code != http.StatusOK {
			t.Fatalf("%d %s: %v", answer.Code, answer.Body, err)
		}
		own := settings.Integrations["Segment.io"]
		if got := fmt.Sprint(own.APIKey, " ", own.Protocol, " ", own.APIHost); got != "key "+c.protocol+" "+c.apiHost || len(settings.Integrations) != 1 {
			t.Errorf("%s %v: %s", c.public, c.header, got)
		}
		if settings.Metrics.SampleRate == nil || *settings.Metrics.SampleRate != 0 {
			t.Error("the SDK would send its own metrics, to Segment")
		}
	}
	w := newTrackedWorld(nil)
	if answer := w.do(http.MethodGet, "/v1/projects/SECRET/settings", ""); answer.Code != http.StatusNotFound || strings.Contains(answer.Body.String(), "SECRET") {
		t.Errorf("unknown write key: %d %s", answer.Code, answer.Body)
	}
	if answer := w.do(http.MethodHead, "/v1/projects/key/settings", ""); answer.Code != http.StatusOK {
		t.Errorf("HEAD: %d", answer.Code)
	}
}
