package whole

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

func basic(writeKey string) string { return base64.StdEncoding.EncodeToString([]byte(writeKey + ":")) }

// message is a good track message, but for what is put into it.
func message(members string) string {
	return `{"type":"track","event":"Viewed","userId":"u-1","timestamp":"2026-03-01T10:00:00Z"` + members + `}`
}

func deep(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

func deepObject(n int) string {
	return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n)
}

func zipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// refused is what should come of a bad request to the tracking API.
type refused struct {
	name, path, body string
	header           []string
	method           string
	status           int
	code             string
	says             string // the whole message
}

func badTracking(t *testing.T) []refused {
	const bad, large, unknown = "BAD_USER_INPUT", "TOO_LARGE", "UNAUTHENTICATED"
	const key = "a known write key is needed, as the user name of basic authentication or as writeKey in the body"
	return []refused{
		{name: "no body", path: "track", status: 400, code: bad, says: "body: malformed JSON at byte 0"},
		{name: "malformed JSON", path: "track", body: `{"type":`, status: 400, code: bad, says: "body: malformed JSON at byte 8"},
		{name: "a second value", path: "track", body: message("") + "{}", status: 400, code: bad, says: fmt.Sprintf("body: malformed JSON at byte %d", len(message("")))},
		{name: "no object", path: "track", body: `[]`, status: 400, code: bad, says: "body: expected a message, which is a JSON object"},
		{name: "malformed batch", path: "batch", body: `{"batch":[{"type":"track",]}`, status: 400, code: bad, says: "body: malformed JSON at byte 26"},
		{name: "no batch", path: "batch", body: `{}`, status: 400, code: bad, says: "batch: expected an array of messages"},
		{name: "a batch of the wrong type", path: "batch", body: `{"batch":{}}`, status: 400, code: bad, says: "batch: expected an array of messages"},
		{name: "a batch sent at no time", path: "batch", body: `{"batch":[],"sentAt":"now"}`, status: 400, code: bad, says: "sentAt: expected a time as RFC 3339 has it, such as 2026-03-01T09:30:00.000Z"},

		{name: "userId of the wrong type", path: "track", body: `{"event":"x","userId":{"id":1}}`, status: 400, code: bad, says: "userId: expected a string or an integer"},
		{name: "event of the wrong type", path: "track", body: `{"event":7,"userId":"u-1"}`, status: 400, code: bad, says: "event: expected a string"},
		{name: "properties of the wrong type", path: "track", body: message(`,"properties":[1]`), status: 400, code: bad, says: "properties: expected an object"},
		{name: "traits of the wrong type", path: "identify", body: `{"userId":"u-1","traits":"gold"}`, status: 400, code: bad, says: "traits: expected an object"},
		{name: "context of the wrong type", path: "page", body: `{"userId":"u-1","context":7}`, status: 400, code: bad, says: "context: expected an object"},
		{name: "timestamp of the wrong type", path: "track", body: `{"event":"x","userId":"u-1","timestamp":1772359200}`, status: 400, code: bad, says: "timestamp: expected a time as RFC 3339 has it, such as 2026-03-01T09:30:00.000Z"},
		{name: "messageId of the wrong type", path: "track", body: message(`,"messageId":7`), status: 400, code: bad, says: "messageId: expected a string"},

		{name: "nobody's", path: "track", body: `{"event":"x"}`, status: 400, code: bad, says: "userId: a message needs a userId or an anonymousId"},
		{name: "null is nobody", path: "screen", body: `{"userId":null,"anonymousId":null}`, status: 400, code: bad, says: "userId: a message needs a userId or an anonymousId"},
		{name: "a placeholder is nobody", path: "page", body: `{"anonymousId":"undefined"}`, status: 400, code: bad, says: "anonymousId: it is empty or a placeholder such as null or undefined, which would join strangers"},
		{name: "no event", path: "track", body: `{"userId":"u-1"}`, status: 400, code: bad, says: "event: a track message needs the name of its event"},
		{name: "no group", path: "group", body: `{"userId":"u-1"}`, status: 400, code: bad, says: "groupId: a group message needs the id of its group"},
		{name: "alias of nothing", path: "alias", body: `{"userId":"u-1"}`, status: 400, code: bad, says: "previousId: an alias message needs a previousId and a userId"},
		{name: "no message id", path: "track", body: message(`,"messageId":""`), status: 400, code: bad, says: "messageId: a message id has 1 to 99 characters"},
		{name: "a long message id", path: "track", body: message(`,"messageId":"` + strings.Repeat("é", 100) + `"`), status: 400, code: bad, says: "messageId: a message id has 1 to 99 characters"},

		{name: "unknown write key", path: "track", body: message(""), header: []string{"Authorization: Basic " + basic("nobody")}, status: 401, code: unknown, says: key},
		{name: "no write key", path: "track", body: message(""), header: []string{"Authorization: Bearer x"}, status: 401, code: unknown, says: key},
		{name: "unknown write key in the body", path: "batch", body: `{"writeKey":"nobody","batch":[` + message("") + `]}`, header: []string{"Authorization: Bearer x"}, status: 401, code: unknown, says: key},
		{name: "a write key of the wrong type", path: "batch", body: `{"writeKey":7,"batch":[]}`, header: []string{"Authorization: Bearer x"}, status: 401, code: unknown, says: key},

		{name: "an event over 32 KB", path: "track", body: message(`,"properties":{"a":"` + strings.Repeat("x", 32<<10) + `"}`), status: 413, code: large, says: "the body may be 32 KB at most"},
		{name: "a batch over 500 KB", path: "batch", body: `{"batch":[` + message("") + `],"pad":"` + strings.Repeat("x", 500<<10) + `"}`, status: 413, code: large, says: "the body may be 500 KB at most"},
		{name: "a batch of 2,501", path: "batch", body: `{"batch":[` + strings.Repeat("{},", 2500) + `{}]}`, status: 413, code: large, says: "batch: a batch may hold 2500 messages at most"},
		{name: "a little gzip that is large", path: "batch", body: zipped(t, `{"batch":[],"pad":"`+strings.Repeat("x", 100<<20)+`"}`), header: []string{"Content-Encoding: gzip"}, status: 413, code: large, says: "the body may be 500 KB at most"},
		{name: "gzip that is none", path: "track", body: message(""), header: []string{"Content-Encoding: gzip"}, status: 400, code: bad, says: "body: it is not gzip, as its Content-Encoding says"},
		{name: "gzip that ends early", path: "track", body: zipped(t, message(""))[:40], header: []string{"Content-Encoding: gzip"}, status: 400, code: bad, says: "body: it cannot be read to its end"},
		{name: "an unknown encoding", path: "track", body: message(""), header: []string{"Content-Encoding: br"}, status: 415, code: bad, says: "Content-Encoding: gzip is the only one that is read"},

		{name: "the year 0", path: "track", body: `{"event":"x","userId":"u-1","timestamp":"0000-01-01T00:00:00Z"}`, status: 400, code: bad, says: "timestamp: the year 0 is outside 1 to 9998"},
		{name: "the year 9999", path: "track", body: `{"event":"x","userId":"u-1","timestamp":"9999-12-31T23:59:59Z"}`, status: 400, code: bad, says: "timestamp: the year 9999 is outside 1 to 9998"},
		{name: "the year 10000 by its offset", path: "track", body: `{"event":"x","userId":"u-1","timestamp":"9999-12-31T23:59:59-01:00"}`, status: 400, code: bad, says: "timestamp: the year 10000 is outside 1 to 9998"},
		{name: "sent in the year 0", path: "track", body: message(`,"sentAt":"0000-01-01T00:00:00Z"`), status: 400, code: bad, says: "sentAt: the year 0 is outside 1 to 9998"},
		{name: "the 30th of February", path: "track", body: `{"event":"x","userId":"u-1","timestamp":"2026-02-30T00:00:00Z"}`, status: 400, code: bad, says: "timestamp: expected a time as RFC 3339 has it, such as 2026-03-01T09:30:00.000Z"},

		{name: "NUL", path: "track", body: message(`,"properties":{"a":"x\u0000"}`), status: 400, code: bad, says: "properties.a: it holds the character NUL, which no text may"},
		{name: "NUL in a name", path: "identify", body: `{"userId":"u-1","traits":{"a\u0000":1}}`, status: 400, code: bad, says: "traits: it holds the character NUL, which no text may"},
		{name: "a byte of 0", path: "track", body: message(",\"properties\":{\"a\":\"x\x00\"}"), status: 400, code: bad, says: "properties.a: it holds the character NUL, which no text may"},
		{name: "invalid UTF-8", path: "track", body: message(",\"properties\":{\"a\":\"x\xff\"}"), status: 400, code: bad, says: "properties.a: it is not valid UTF-8"},
		{name: "half a surrogate pair", path: "track", body: message(`,"properties":{"a":["b","\ud83d"]}`), status: 400, code: bad, says: "properties.a[1]: it holds half of a surrogate pair, which is no character"},
		{name: "10,000 levels", path: "track", body: message(`,"properties":{"a":` + deep(10_000) + `}`), status: 400, code: bad, says: "properties.a[0][0][0][0][0][0]…: objects and arrays lie more than 64 deep"},
		{name: "10,000 levels of what is not read", path: "track", body: message(`,"extra":` + deep(10_000)), status: 400, code: bad, says: "extra[0][0][0][0][0][0][0]…: objects and arrays lie more than 64 deep"},
		{name: "5,000 objects in each other", path: "track", body: message(`,"properties":` + deepObject(5_000)), status: 400, code: bad, says: "properties.a.a.a.a.a.a.a…: objects and arrays lie more than 64 deep"},
		{name: "10,000 levels that never close", path: "track", body: strings.Repeat("[", 10_000), status: 400, code: bad, says: "body: malformed JSON at byte 10000"},
		{name: "10,000 levels of a batch", path: "batch", body: `{"batch":` + deep(10_000) + `}`, status: 400, code: bad, says: "batch: none of its messages can be taken"},
		{name: "past float64", path: "track", body: message(`,"properties":{"a":{"b":[0,1e400]}}`), status: 400, code: bad, says: "properties.a.b[1]: the number is outside what a 64-bit float holds"},
		{name: "past float64, below", path: "track", body: message(`,"properties":{"a":-1e400}`), status: 400, code: bad, says: "properties.a: the number is outside what a 64-bit float holds"},
		{name: "a revenue past float64", path: "track", body: message(`,"properties":{"revenue":1e309}`), status: 400, code: bad, says: "properties.revenue: the number is outside what a 64-bit float holds"},
		{name: "NaN", path: "track", body: message(`,"properties":{"revenue":NaN}`), status: 400, code: bad, says: "body: malformed JSON at byte 107"},

		{name: "GET", method: "GET", path: "track", status: 405, code: bad, says: "use POST"},
		{name: "an unknown path", path: "tracks", body: message(""), status: 404, code: "NOT_FOUND", says: "the tracking API has no such path"},
		{name: "settings of an unknown write key", method: "GET", path: "projects/nobody/settings", status: 404, code: "NOT_FOUND", says: "there is no source with this write key"},
	}
}

// TestBadTracking: whatever is wrong with what SDKs send is refused with its place,
// and nothing of it is kept.
func TestBadTracking(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		h := open(t, o)
		for _, c := range badTracking(t) {
			header := c.header
			if !strings.Contains(strings.Join(header, "\n"), "Authorization") {
				header = append(header, "Authorization: Basic "+basic(h.writeKey))
			}
			r := h.send(request{method: c.method, path: "/v1/" + c.path, body: c.body, header: header})
			var answer struct {
				Success       bool
				Code, Message string
			}
			if err := json.Unmarshal([]byte(r.body), &answer); err != nil {
				t.Errorf("%s: the answer is not JSON: %q", c.name, r.body)
			}
			if r.status != c.status || answer.Success || answer.Code != c.code || answer.Message != c.says {
				t.Errorf("%s: %d %s %q, want %d %s %q", c.name, r.status, answer.Code, answer.Message, c.status, c.code, c.says)
			}
			h.healthy(c.name)
		}
		h.holds(0)
	})
}

// healthy wants the server to be well, and to take a good event.
func (h *house) healthy(after string) {
	h.t.Helper()
	for _, path := range []string{"/healthz", "/readyz"} {
		if r := h.send(get(path)); r.status != http.StatusOK {
			h.t.Errorf("after %s, %s answers %d", after, path, r.status)
		}
	}
	if r := h.track("track", message(`,"messageId":"good"`)); r.status != http.StatusOK {
		h.t.Errorf("after %s, a good event is answered %d %s", after, r.status, r.body)
	}
}

// holds wants exactly the good event and so many others to be kept, and what is
// derived to be right.
func (h *house) holds(others int) {
	h.t.Helper()
	v, err := h.store.Verify(h.t.Context(), nil)
	if err != nil {
		h.t.Fatal(err)
	}
	if v.Total > 0 || v.Interactions != 1+others {
		h.t.Errorf("there are %d interactions, want %d; differences: %v", v.Interactions, 1+others, v.Differences)
	}
}

// TestBadAmongGood: of a batch the good ones are taken, and each bad one is named.
func TestBadAmongGood(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		h := open(t, o)
		h.healthy("the start")
		big := message(`,"messageId":"big","properties":{"a":"` + strings.Repeat("x", 32<<10) + `"}`)
		r := h.track("batch", `{"batch":[`+strings.Join([]string{
			message(`,"messageId":"b-0"`),
			`{"type":"track","event":"x","userId":"u-1","messageId":"b-1","timestamp":"0000-01-01T00:00:00Z"}`,
			big,
			`7`,
			message(`,"messageId":"b-4","properties":{"a":1e400}`),
			`{"type":"purchase","userId":"u-1","messageId":"b-5"}`,
			`{"type":"page","messageId":"b-6"}`,
			message(`,"messageId":"b-7","properties":` + deepObject(100)),
			message(`,"messageId":"b-8"`),
		}, ",")+`]}`)
		want := `{"success":true,"rejected":[` +
			`{"index":1,"messageId":"b-1","code":"BAD_USER_INPUT","message":"batch[1].timestamp: the year 0 is outside 1 to 9998"},` +
			`{"index":2,"messageId":"big","code":"TOO_LARGE","message":"batch[2]: a message may be 32 KB at most"},` +
			`{"index":3,"code":"BAD_USER_INPUT","message":"batch[3]: expected a message, which is a JSON object"},` +
			`{"index":4,"code":"BAD_USER_INPUT","message":"batch[4].properties.a: the number is outside what a 64-bit float holds"},` +
			`{"index":5,"messageId":"b-5","code":"BAD_USER_INPUT","message":"batch[5].type: expected identify, track, page, screen, group or alias"},` +
			`{"index":6,"messageId":"b-6","code":"BAD_USER_INPUT","message":"batch[6].userId: a message needs a userId or an anonymousId"},` +
			`{"index":7,"code":"BAD_USER_INPUT","message":"batch[7].properties.a.a.a.a.a.a.a…: objects and arrays lie more than 64 deep"}]}` + "\n"
		if r.status != http.StatusOK || r.body != want {
			t.Errorf("%d %s, want %s", r.status, r.body, want)
		}
		h.holds(2)
	})
}
