package server

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/acquaint/acquaint/ingest/tracking"
	"github.com/acquaint/acquaint/insight"
)

// TrackingSources finds sources by their write key.
type TrackingSources interface {
	// SourceByWriteKey returns the source of a write key, and an error of kind
	// [insight.Unauthenticated] or [insight.NotFound] when there is none. It is
	// asked for every request, so it should answer from memory.
	SourceByWriteKey(ctx context.Context, writeKey string) (*insight.Source, error)
}

// TrackingOptions says what the tracking API stands on. Sources, Submit and
// Decoder are required.
type TrackingOptions struct {
	Sources TrackingSources
	// Submit keeps events, and returns what became of each, in their order, once
	// those that it accepted are durable. An error says that nothing is known of
	// any of them: clients send them again.
	Submit  func(ctx context.Context, events []*insight.Event) ([]insight.Outcome, error)
	Decoder *tracking.Decoder

	Now    func() time.Time // nil: time.Now
	Logger *slog.Logger     // of faults of ours; nil: none
	// PublicURL is where browsers reach this server, such as
	// "https://events.example.com": a scheme, a host and perhaps a path that /v1
	// follows. Empty: what the request says of itself.
	PublicURL string
	// RetryAfter is how long a client is asked to wait when events cannot be
	// taken, rounded up to a second; 0: one second.
	RetryAfter time.Duration
}

// The tracking API's own codes.
const (
	// codeTooLarge is for a body, a message or a batch past its limit; sending it
	// again does not help.
	codeTooLarge = "TOO_LARGE"
	// codeBadConsentSignal is a warning: what a message says of consent cannot be
	// read, and it was taken without that.
	codeBadConsentSignal = "BAD_CONSENT_SIGNAL"
)

// NewTracking serves the Segment tracking API, to be mounted at /v1/:
//
//	POST /v1/identify track page screen group alias   one message (short: i t p s g a)
//	POST /v1/batch                                    many (the same: import, b)
//	POST /v1/m                                        the browser SDK's own metrics, which are not kept
//	GET  /v1/projects/{writeKey}/settings             the browser and mobile SDKs' settings
//
// The write key is the user name of basic authentication, else the body's
// writeKey. The answer is {"success": true} once every event is durable. A batch
// of which a part cannot be taken is answered 200 as well, because SDKs give a
// batch up as a whole for 400, with what was refused:
//
//	{"success": true, "rejected": [{"index": 3, "messageId": "m-3", "code": "BAD_USER_INPUT", "message": "batch[3].timestamp: …"}]}
//
// What a message says of its person's consent is in its context.consent, of which
// package consent says what counts; the header Sec-GPC: 1 says it for every message
// of its request. An event that the person's choice forbids keeping is withheld, and
// what it says of consent is kept all the same. Consent that cannot be read is a
// warning: its message is taken without it. Both are told besides, of a batch
//
//	{"success": true, "withheld": [{"index": 0, "messageId": "m-0"}],
//	 "warnings": [{"index": 1, "messageId": "m-1", "code": "BAD_CONSENT_SIGNAL", "message": "batch[1].context.consent.tcString: …"}]}
//
// and of one message likewise, with "withheld": true and the index 0. Neither is to
// be sent again. Members that would be empty are left out.
//
// Where nothing could be taken the answer is {"success": false, "code", "message"}
// with 400 for what is wrong, 401 for an unknown write key, 413 for what is too
// large, and 429, 500 or 503 with Retry-After where trying again may help. No
// answer repeats anything of a body but message ids.
func NewTracking(o TrackingOptions) http.Handler {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	t := &tracker{o: o, retryAfter: strconv.Itoa(max(1, int(math.Ceil(o.RetryAfter.Seconds()))))}
	if u, err := url.Parse(o.PublicURL); err == nil && u.Host != "" {
		t.publicScheme, t.publicHost = u.Scheme, u.Host+strings.TrimRight(u.Path, "/")
	}
	mux := http.NewServeMux()
	for kind, short := range map[string]string{
		"identify": "i", "track": "t", "page": "p", "screen": "s", "group": "g", "alias": "a",
	} {
		one := t.only(http.MethodPost, func(w http.ResponseWriter, r *http.Request) { t.message(w, r, kind) })
		mux.Handle("/v1/"+kind, one)
		mux.Handle("/v1/"+short, one)
	}
	for _, path := range []string{"/v1/batch", "/v1/import", "/v1/b"} {
		mux.Handle(path, t.only(http.MethodPost, t.batch))
	}
	mux.Handle("/v1/m", t.only(http.MethodPost, func(w http.ResponseWriter, _ *http.Request) { t.succeed(w) }))
	mux.Handle("/v1/projects/{writeKey}/settings", t.only(http.MethodGet, t.settings))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		t.refuse(w, http.StatusNotFound, trackingRefusal{Code: codeNotFound, Message: "the tracking API has no such path"})
	})
	return t.shared(mux)
}

type tracker struct {
	o                        TrackingOptions
	retryAfter               string // seconds
	publicScheme, publicHost string
}

// trackingRefusal is the answer to a request that changed nothing.
type trackingRefusal struct {
	Success   bool            `json:"success"` // false
	Code      string          `json:"code"`
	Message   string          `json:"message"`
	RequestID string          `json:"requestId,omitempty"`
	Rejected  []trackingFault `json:"rejected,omitempty"`
}

// trackingSingle is the answer to one message of which there is more to say than
// that it was kept.
type trackingSingle struct {
	Success  bool            `json:"success"`
	Withheld bool            `json:"withheld,omitempty"`
	Warnings []trackingFault `json:"warnings,omitempty"`
}

// trackingPart is the answer to a batch of whose messages there is more to say than
// that they were kept.
type trackingPart struct {
	Success  bool            `json:"success"`
	Withheld []trackingPlace `json:"withheld,omitempty"`
	Warnings []trackingFault `json:"warnings,omitempty"`
	Rejected []trackingFault `json:"rejected,omitempty"`
}

// trackingPlace says which message of a request is meant.
type trackingPlace struct {
	Index     int    `json:"index"`
	MessageID string `json:"messageId,omitempty"`
}

// trackingFault is what is wrong with a message.
type trackingFault struct {
	trackingPlace
	Code    string `json:"code"`
	Message string `json:"message"`
}

// shared lets pages of any site use the API, with credentials too, because
// browsers give up beacons of JSON where those are not allowed. That is safe
// because nothing that a browser adds by itself counts here: no cookie is read and
// the write key is public.
func (t *tracker) shared(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Add("Vary", "Origin")
		h.Set("Access-Control-Allow-Origin", "*")
		if origin := r.Header.Get("Origin"); origin != "" {
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Allow-Credentials", "true")
		}
		h.Set("Access-Control-Expose-Headers", "Retry-After, X-Request-Id")
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		h.Set("Cache-Control", "no-store")
		if r.Method == http.MethodOptions {
			h.Set("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
			h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Content-Encoding, X-Retry-Count, Sec-GPC")
			if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" && len(asked) <= 1024 {
				h.Set("Access-Control-Allow-Headers", asked) // SDKs let their users add headers
				h.Add("Vary", "Access-Control-Request-Headers")
			}
			h.Set("Access-Control-Max-Age", "86400")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (t *tracker) only(method string, next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != method && (r.Method != http.MethodHead || method != http.MethodGet) {
			w.Header().Set("Allow", method+", OPTIONS")
			t.refuse(w, http.StatusMethodNotAllowed, trackingRefusal{Code: codeBadUserInput, Message: "use " + method})
			return
		}
		next(w, r)
	})
}

var trackingSuccess = []byte(`{"success":true}` + "\n")

func (t *tracker) succeed(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(trackingSuccess) // a client that is gone does not wait for it
}

func (t *tracker) answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that is gone does not wait for it
}

func (t *tracker) refuse(w http.ResponseWriter, status int, refusal trackingRefusal) {
	switch status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusInternalServerError:
		w.Header().Set("Retry-After", t.retryAfter)
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Basic realm="write key"`)
	}
	t.answer(w, status, refusal)
}

// fail answers an error of a whole request.
func (t *tracker) fail(w http.ResponseWriter, r *http.Request, err error) {
	kind := insight.KindOf(err)
	if kind == insight.Internal && r.Context().Err() != nil {
		kind = insight.Unavailable // given up, and not our fault
	}
	shown := kinds[kind]
	refusal := trackingRefusal{Code: shown.code, Message: "the events cannot be taken now; send them again"}
	var known *insight.Error
	switch {
	case kind == insight.Internal:
		refusal.Message, refusal.RequestID = "internal error", RequestID(r.Context())
		t.o.Logger.ErrorContext(r.Context(), "tracking failed", "requestId", refusal.RequestID, "detail", insight.Detail(err))
	case kind != insight.Unavailable && errors.As(err, &known):
		refusal.Message = known.Error()
	}
	t.refuse(w, shown.status, refusal)
}

// misfit answers an error of the decoder: of its limits nobody is past only for now.
func (t *tracker) misfit(w http.ResponseWriter, r *http.Request, err error) {
	if insight.KindOf(err) == insight.Exhausted {
		t.refuse(w, http.StatusRequestEntityTooLarge, trackingRefusal{Code: codeTooLarge, Message: err.Error()})
		return
	}
	t.fail(w, r, err)
}

// admitted reads a request's body and what is known of it besides; where it
// cannot, it has answered and reports false.
func (t *tracker) admitted(w http.ResponseWriter, r *http.Request, limit int64) (body []byte, from tracking.Request, ok bool) {
	from = tracking.Request{ReceivedAt: t.o.Now(), GPC: r.Header.Get("Sec-GPC") == "1"}
	writeKey, _, _ := r.BasicAuth()
	if writeKey != "" {
		if from.Source, ok = t.source(w, r, writeKey); !ok {
			return nil, from, false
		}
	}
	body, status, refusal := readTracked(r, limit)
	if status != http.StatusOK {
		t.refuse(w, status, refusal)
		return nil, from, false
	}
	if from.Source != nil {
		return body, from, true
	}
	writeKey, err := tracking.WriteKey(body)
	if err != nil {
		t.fail(w, r, err)
		return nil, from, false
	}
	from.Source, ok = t.source(w, r, writeKey)
	return body, from, ok
}

func (t *tracker) source(w http.ResponseWriter, r *http.Request, writeKey string) (*insight.Source, bool) {
	var err error
	if writeKey != "" {
		var source *insight.Source
		if source, err = t.o.Sources.SourceByWriteKey(r.Context(), writeKey); err == nil {
			return source, true
		}
	}
	if err == nil || unknownKey(err) {
		t.refuse(w, http.StatusUnauthorized, trackingRefusal{
			Code: codeUnauthenticated, Message: "a known write key is needed, as the user name of basic authentication or as writeKey in the body",
		})
		return nil, false
	}
	t.fail(w, r, err)
	return nil, false
}

// unknownKey reports whether an error says that a write key belongs to no source.
func unknownKey(err error) bool {
	kind := insight.KindOf(err)
	return kind == insight.Unauthenticated || kind == insight.NotFound
}

// readTracked reads a body of at most limit bytes, unpacked. Its media type does
// not matter: beacons come as text/plain, and all are JSON.
func readTracked(r *http.Request, limit int64) (body []byte, status int, refusal trackingRefusal) {
	tooLarge := trackingRefusal{Code: codeTooLarge, Message: fmt.Sprintf("the body may be %d KB at most", limit>>10)}
	var in io.Reader = r.Body
	var b bytes.Buffer
	switch encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))); encoding {
	case "", "identity":
		if r.ContentLength > limit {
			return nil, http.StatusRequestEntityTooLarge, tooLarge
		}
		b.Grow(int(max(r.ContentLength, 0)) + bytes.MinRead)
	case "gzip":
		unpacked, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil, http.StatusBadRequest, trackingRefusal{Code: codeBadUserInput, Message: "body: it is not gzip, as its Content-Encoding says"}
		}
		in = unpacked
	default:
		return nil, http.StatusUnsupportedMediaType, trackingRefusal{Code: codeBadUserInput, Message: "Content-Encoding: gzip is the only one that is read"}
	}
	n, err := b.ReadFrom(io.LimitReader(in, limit+1))
	switch {
	case n > limit:
		return nil, http.StatusRequestEntityTooLarge, tooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, http.StatusRequestTimeout, trackingRefusal{Code: codeUnavailable, Message: "body: it took too long to arrive"}
	case err != nil:
		return nil, http.StatusBadRequest, trackingRefusal{Code: codeBadUserInput, Message: "body: it cannot be read to its end"}
	}
	return b.Bytes(), http.StatusOK, trackingRefusal{}
}

func (t *tracker) message(w http.ResponseWriter, r *http.Request, kind string) {
	body, from, ok := t.admitted(w, r, tracking.MaxMessageSize)
	if !ok {
		return
	}
	decoded := t.o.Decoder.Single(r.Context(), kind, body, from)
	if decoded.Err != nil {
		t.misfit(w, r, decoded.Err)
		return
	}
	outcomes, err := t.submit(r.Context(), []*insight.Event{decoded.Event})
	if err == nil && outcomes[0].Status == insight.StatusRejected {
		err = outcomes[0].Err
	}
	if err != nil {
		t.fail(w, r, err)
		return
	}
	answer := trackingSingle{Success: true, Withheld: outcomes[0].Status == insight.StatusWithheld}
	if decoded.Consent != nil {
		answer.Warnings = []trackingFault{consentWarning(trackingPlace{MessageID: decoded.MessageID}, decoded.Consent)}
	}
	if !answer.Withheld && answer.Warnings == nil {
		t.succeed(w)
		return
	}
	t.answer(w, http.StatusOK, answer)
}

func (t *tracker) batch(w http.ResponseWriter, r *http.Request) {
	body, from, ok := t.admitted(w, r, tracking.MaxBatchSize)
	if !ok {
		return
	}
	decoded, err := t.o.Decoder.Batch(r.Context(), body, from)
	if err != nil {
		t.misfit(w, r, err)
		return
	}
	var outcomes []insight.Outcome
	if events := decoded.Events(); len(events) > 0 {
		if outcomes, err = t.submit(r.Context(), events); err != nil {
			t.fail(w, r, err)
			return
		}
	}
	answer := trackingPart{Success: true}
	for i := range decoded.Messages {
		m := &decoded.Messages[i]
		place := trackingPlace{Index: i, MessageID: m.MessageID}
		if m.Err != nil {
			code := kinds[insight.KindOf(m.Err)].code
			if insight.KindOf(m.Err) == insight.Exhausted {
				code = codeTooLarge
			}
			answer.Rejected = append(answer.Rejected, trackingFault{place, code, m.Err.Error()})
			continue
		}
		outcome := outcomes[0]
		outcomes = outcomes[1:]
		switch outcome.Status {
		case insight.StatusRejected:
			answer.Rejected = append(answer.Rejected, trackingFault{place, kinds[insight.KindOf(outcome.Err)].code, outcome.Err.Error()})
			continue
		case insight.StatusWithheld:
			answer.Withheld = append(answer.Withheld, place)
		}
		if m.Consent != nil {
			answer.Warnings = append(answer.Warnings, consentWarning(place, m.Consent))
		}
	}
	switch {
	case len(answer.Rejected)+len(answer.Withheld)+len(answer.Warnings) == 0:
		t.succeed(w)
	case len(answer.Rejected) == len(decoded.Messages):
		t.refuse(w, http.StatusBadRequest, trackingRefusal{
			Code: codeBadUserInput, Message: "batch: none of its messages can be taken", Rejected: answer.Rejected,
		})
	default:
		t.answer(w, http.StatusOK, answer)
	}
}

// consentWarning is about a message that was taken without what it says of consent.
func consentWarning(place trackingPlace, fault error) trackingFault {
	return trackingFault{place, codeBadConsentSignal, fault.Error()}
}

// submit hands events in. An event that was rejected for a reason that may pass
// fails the request, so that the client sends it again; the others are then
// duplicates, which change nothing.
func (t *tracker) submit(ctx context.Context, events []*insight.Event) ([]insight.Outcome, error) {
	outcomes, err := t.o.Submit(ctx, events)
	if err != nil {
		return nil, err
	}
	if len(outcomes) != len(events) {
		return nil, insight.NewError(insight.Internal, "", fmt.Sprintf("%d outcomes for %d events", len(outcomes), len(events)))
	}
	for i := range outcomes {
		switch outcome := outcomes[i]; outcome.Status {
		case insight.StatusAccepted, insight.StatusDuplicate, insight.StatusWithheld:
		case insight.StatusRejected:
			switch insight.KindOf(outcome.Err) {
			case insight.Internal, insight.Unavailable, insight.Exhausted:
				if outcome.Err == nil {
					return nil, insight.NewError(insight.Internal, "", "an event was rejected without a reason")
				}
				return nil, outcome.Err
			}
		default:
			return nil, insight.NewError(insight.Internal, "", fmt.Sprintf("an event's outcome has the status %d", outcome.Status))
		}
	}
	return outcomes, nil
}

// settings answers what the browser SDK asks its CDN for before it sends
// anything: where to send it, and that there is nothing else to load.
func (t *tracker) settings(w http.ResponseWriter, r *http.Request) {
	writeKey := r.PathValue("writeKey")
	if _, err := t.o.Sources.SourceByWriteKey(r.Context(), writeKey); err != nil {
		if unknownKey(err) {
			t.refuse(w, http.StatusNotFound, trackingRefusal{Code: codeNotFound, Message: "there is no source with this write key"})
			return
		}
		t.fail(w, r, err)
		return
	}
	scheme, host := t.publicScheme, t.publicHost
	if host == "" {
		scheme, host = requestScheme(r), r.Host
	}
	t.answer(w, http.StatusOK, map[string]any{
		"integrations": map[string]any{
			"Segment.io": map[string]any{
				"apiKey":                writeKey,
				"apiHost":               host + "/v1",
				"protocol":              scheme,
				"addBundledMetadata":    true,
				"unbundledIntegrations": []string{},
				"bundledConfigIds":      []string{},
				"unbundledConfigIds":    []string{},
				"maybeBundledConfigIds": map[string]any{},
			},
		},
		"plan":                      map[string]any{},
		"edgeFunction":              map[string]any{},
		"analyticsNextEnabled":      true,
		"middlewareSettings":        map[string]any{"routingRules": []any{}},
		"enabledMiddleware":         map[string]any{},
		"metrics":                   map[string]any{"sampleRate": 0},
		"legacyVideoPluginsEnabled": false,
		"remotePlugins":             []any{},
	})
}

// requestScheme is how the client reached us, as far as that can be known. A
// proxy's word is taken, because it changes only what its own client is told.
func requestScheme(r *http.Request) string {
	switch forwarded := strings.ToLower(r.Header.Get("X-Forwarded-Proto")); {
	case forwarded == "https" || forwarded == "http":
		return forwarded
	case r.TLS != nil:
		return "https"
	}
	return "http"
}
