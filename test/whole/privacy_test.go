package whole

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	_ "github.com/lib/pq" // the PostgreSQL driver
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	_ "modernc.org/sqlite" // the SQLite driver

	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// planted is part of every value below that somebody might recognise a person by.
const planted = "zq7planted"

// plantedPhone is one that has no letters.
const plantedPhone = "+447700900123"

// secrets are what may not show anywhere: in any spelling of case.
func (h *house) secrets() []string {
	_, signature, _ := strings.Cut(h.token("admin"), ".")
	return append([]string{planted, plantedPhone[1:], h.writeKey, basic(h.writeKey), signature, secret}, h.tickets...)
}

// leaks lists the secrets that a text tells.
func leaks(text string, secrets []string) []string {
	var told []string
	text = strings.ToLower(text)
	for _, s := range secrets {
		if strings.Contains(text, strings.ToLower(s)) {
			told = append(told, s)
		}
	}
	return told
}

// TestNothingPersonalShows: after a noisy session, with a sound database, with one
// that refuses and breaks, and with none, nothing of what was sent is in the log, the
// metrics, the spans or any error.
func TestNothingPersonalShows(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		h := open(t, o)
		h.session("a sound database")
		if len(h.tickets) == 0 {
			t.Error("no archive was handed out, so nothing is known of what is told of one")
		}
		h.tamper(o, "ALTER TABLE sessions RENAME TO gone")
		h.session("a database without sessions")
		if h.store.Engine() == "postgres" {
			h.tamper(o, "ALTER TABLE gone RENAME TO sessions",
				"ALTER TABLE identifiers ADD CONSTRAINT no_more CHECK (kind > 6) NOT VALID", "ALTER TABLE traits DROP COLUMN key")
		} else {
			h.tamper(o, "ALTER TABLE gone RENAME TO sessions",
				"CREATE TRIGGER no_more BEFORE INSERT ON identifiers BEGIN SELECT RAISE(ABORT, 'no more'); END", "DROP TABLE traits")
		}
		h.session("a database that refuses")
		if err := h.store.Close(); err != nil {
			t.Error(err)
		}
		h.session("no database")

		for what, text := range map[string]string{"the log": h.log.String(), "the metrics": h.send(get("/metrics")).body, "the spans": h.traced()} {
			if len(text) < 1000 {
				t.Errorf("%s is too short to have been looked at: %q", what, text)
			}
			if told := leaks(text, h.secrets()); told != nil {
				t.Errorf("%s tells %q: %s", what, told, excerpt(text, told[0]))
			}
		}
		if !strings.Contains(h.log.String(), "a field could not be resolved") || !strings.Contains(h.log.String(), "tracking failed") {
			t.Error("no fault of ours was logged, so nothing is known of what such lines tell")
		}
	})
}

// excerpt is the line in which something stands.
func excerpt(text, part string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(strings.ToLower(line), strings.ToLower(part)) {
			return line
		}
	}
	return ""
}

// tamper changes the database behind the server's back.
func (h *house) tamper(o store.Options, statements ...string) {
	h.t.Helper()
	driver, name := "postgres", o.URL
	if name == "" {
		driver, name = "sqlite", "file:"+o.File+"?_pragma=busy_timeout(10000)"
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, s := range statements {
		if _, err := db.ExecContext(h.t.Context(), s); err != nil {
			h.t.Fatalf("%s: %v", s, err)
		}
	}
}

// traced is everything that the spans tell.
func (h *house) traced() string {
	var b strings.Builder
	for _, s := range h.spans.GetSpans() {
		_, _ = fmt.Fprintln(&b, s.Name, s.Status.Description, attributes(s.Snapshot()))
	}
	return b.String()
}

func attributes(s sdktrace.ReadOnlySpan) string {
	var b strings.Builder
	for _, a := range s.Attributes() {
		_, _ = fmt.Fprintf(&b, "%s=%s ", a.Key, a.Value.String())
	}
	for _, e := range s.Events() {
		b.WriteString(e.Name)
		for _, a := range e.Attributes {
			_, _ = fmt.Fprintf(&b, " %s=%s", a.Key, a.Value.String())
		}
	}
	return b.String()
}

// session sends good and bad requests of every kind, and looks at every error.
func (h *house) session(with string) {
	h.t.Helper()
	for _, noise := range []func() []request{h.trackingNoise, h.signalNoise, h.graphNoise, h.rightsNoise} { // each when the others have been heard
		for _, r := range noise() {
			answer := h.send(r)
			if told := leaks(errorsOf(r, answer), h.secrets()); told != nil {
				h.t.Errorf("with %s, %s %.300s is answered %d with %q: %s", with, r.path, r.body, answer.status, told, answer.body)
			}
		}
	}
	for _, raw := range []string{
		"GET /" + planted + " HTTP/9.9\r\n\r\n",
		planted + "\r\n\r\n",
		"POST /v1/track HTTP/1.1\r\nHost: " + planted + "\r\nContent-Length: " + planted + "\r\n\r\n",
		"POST /v1/track HTTP/1.1\r\nHost: x\r\nX-" + planted + ": \x00" + planted + "\r\n\r\n",
		"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: " + planted + "\r\n\r\n",
	} {
		if told := leaks(h.raw(raw), h.secrets()); told != nil {
			h.t.Errorf("with %s, %q is answered with %q", with, raw, told)
		}
	}
	h.sockets(with)
}

// errorsOf is the part of an answer that tells of errors: all of it but the data, and
// but the message ids that say which message is meant.
func errorsOf(r request, a reply) string {
	if strings.HasPrefix(r.path, "/graphql") && a.status == http.StatusOK {
		var parts map[string]json.RawMessage
		if err := json.Unmarshal([]byte(a.body), &parts); err != nil {
			return a.body
		}
		return string(parts["errors"]) + string(parts["extensions"])
	}
	if a.status == http.StatusOK && !strings.Contains(a.body, `"rejected"`) && !strings.Contains(a.body, `"warnings"`) {
		return ""
	}
	var answer map[string]any
	if err := json.Unmarshal([]byte(a.body), &answer); err != nil {
		return a.body
	}
	for _, list := range []string{"rejected", "warnings", "withheld"} {
		all, _ := answer[list].([]any)
		for _, one := range all {
			if fields, ok := one.(map[string]any); ok {
				delete(fields, "messageId")
			}
		}
	}
	text, _ := json.Marshal(answer) // it was JSON
	return string(text)
}

// v is a value that is planted, of which there are several.
func v(what string) string { return planted + "-" + what }

func (h *house) trackingNoise() []request {
	const context = `,"context":{"ip":"` + planted + `","userAgent":"` + planted + `","campaign":{"name":"` + planted + `","source":"` + planted + `"},` +
		`"page":{"url":"https://shop.example/` + planted + `?email=` + planted + `@example.com","referrer":"https://` + planted + `.example/","path":"/` + planted + `"},` +
		`"device":{"id":"` + planted + `"},"externalIds":[{"id":"` + planted + `","type":"crm"}]}`
	good := `"userId":"` + v("user") + `","anonymousId":"` + v("browser") + `","messageId":"` + v("message") + `","timestamp":"2026-03-01T10:00:00Z"` + context
	bodies := map[string][]string{
		"identify": {
			`{` + good + `,"traits":{"email":"` + planted + `@example.com","phone":"` + plantedPhone + `","name":"` + planted + `","religion":"` + planted + `"}}`,
			`{` + good + `,"traits":"` + planted + `"}`,
			`{` + good + `,"traits":{"a":"` + planted + `\u0000"}}`,
			`{"userId":{"` + planted + `":1}}`,
			`{"userId":"` + planted + "\xff" + `"}`,
		},
		"track": {
			`{` + good + `,"event":"` + v("purchase") + `","properties":{"revenue":"` + planted + `","note":"` + planted + `"}}`,
			`{` + good + `,"event":"` + v("purchase") + `","properties":["` + planted + `"]}`,
			`{` + good + `,"event":{"` + planted + `":1}}`,
			`{` + good + `,"event":"` + v("purchase") + `","timestamp":"` + planted + `"}`,
			`{` + good + `,"event":"` + v("purchase") + `","messageId":"` + strings.Repeat(planted, 20) + `"}`,
			`{` + good + `,"event":"` + v("purchase") + `","context":{"direction":"` + planted + `"}}`,
			`{` + good + `,"event":"` + v("purchase") + `","context":{"channel":"` + strings.Repeat(planted, 20) + `"}}`,
			`{` + good + `,"event":"` + v("purchase") + `","properties":{"a":[1e400,"` + planted + `"]}}`,
			`{` + good + `,"event":"` + planted + ``,
			planted,
			`"` + planted + `"`,
			`{"email":"` + planted + `@example.com","phone":"` + plantedPhone + `"`,
		},
		"page":   {`{` + good + `,"name":"` + planted + `"}`, `{"name":"` + planted + `"}`, `{` + good + `,"context":"` + planted + `"}`},
		"screen": {`{` + good + `,"name":"` + planted + `"}`},
		"group":  {`{` + good + `,"groupId":"` + v("family") + `"}`, `{` + good + `,"groupId":["` + planted + `"]}`},
		"alias":  {`{` + good + `,"previousId":"` + v("before") + `"}`, `{` + good + `,"previousId":{"a":"` + planted + `"}}`},
		planted:  {`{}`},
	}
	var all []request
	var batch []string
	for path, list := range bodies {
		for _, body := range list {
			all = append(all, request{path: "/v1/" + path + "?writeKey=" + planted, body: body, header: []string{"Authorization: Basic " + basic(h.writeKey), "User-Agent: " + planted, "Cookie: " + planted, "X-Forwarded-For: " + planted, "Traceparent: " + planted}})
			if json.Valid([]byte(body)) {
				batch = append(batch, `{"type":"`+path+`",`+strings.TrimPrefix(body, "{"))
			}
		}
	}
	batch = slices.DeleteFunc(batch, func(m string) bool { return !json.Valid([]byte(m)) })
	return append(all,
		request{path: "/v1/batch", body: `{"writeKey":"` + h.writeKey + `","batch":[` + strings.Join(batch, ",") + `]}`},
		request{path: "/v1/batch", body: `{"writeKey":"` + h.writeKey + `","batch":"` + planted + `"}`},
		request{path: "/v1/batch", body: `{"writeKey":"` + h.writeKey + `","sentAt":"` + planted + `","batch":[]}`},
		request{path: "/v1/batch", body: `{"writeKey":"` + planted + `","batch":[]}`},
		request{path: "/v1/track", body: batch[0], header: []string{"Authorization: Basic " + basic(planted)}},
		request{path: "/v1/track", body: batch[0], header: []string{"Authorization: " + planted}},
		request{path: "/v1/track", body: planted, header: []string{"Authorization: Basic " + basic(h.writeKey), "Content-Encoding: " + planted}},
		request{path: "/v1/track", body: planted, header: []string{"Authorization: Basic " + basic(h.writeKey), "Content-Encoding: gzip"}},
		request{method: http.MethodGet, path: "/v1/projects/" + planted + "/settings"},
		request{method: planted, path: "/v1/track"},
		request{method: http.MethodGet, path: "/" + planted},
		request{path: "/healthz/" + planted, body: planted},
		request{method: planted, path: "/metrics?" + planted},
	)
}

// signalNoise is what may be said of consent, and cannot be read.
func (h *house) signalNoise() []request {
	var all []request
	var batch []string
	for n, consent := range []string{
		`"` + planted + `"`, `["` + planted + `"]`, `{"tcString":"` + planted + `"}`, `{"tcString":{"` + planted + `":1}}`, `{"tcf":"` + tcString + planted + `"}`, `{"tcString":"` + tcString + `","tcf":"` + planted + `"}`,
		`{"gppString":"` + planted + `"}`, `{"gpp":"DBABM~` + planted + `"}`, `{"gpp":["` + planted + `"]}`, `{"gpc":"` + planted + `"}`, `{"ad_storage":"` + planted + `"}`, `{"consentMode":{"` + planted + `@example.com":"` + planted + `"}}`,
		`{"consentMode":"` + planted + `"}`, `{"categoryPreferences":{"` + planted + `@example.com":1}}`, `{"categoryPreferences":{"` + plantedPhone + `":"` + planted + `"}}`, `{"categoryPreferences":{"` + strings.Repeat(planted, 20) + `":true}}`,
		`{"categoryPreferences":["` + planted + `"]}`, `{"categoryPreferences":{"` + planted + `":true,"Analytics":false,"Advertising":true}}`, `{"` + planted + ` ":{"` + plantedPhone + `":[1e400]}}`, `{"` + planted + `@example.com":"` + planted + `\u0000"}`,
	} {
		message := `{"type":"track","event":"` + planted + `","userId":"` + v(fmt.Sprint("signal", n)) + `","messageId":"` + v(fmt.Sprint("signal", n)) + `","context":{"consent":` + consent + `}}`
		for _, header := range []string{"X-None: ", "Sec-GPC: 1", "Sec-GPC: " + planted} {
			all = append(all, request{path: "/v1/track", body: message, header: []string{"Authorization: Basic " + basic(h.writeKey), header}})
		}
		all = append(all, request{path: "/v1/batch", body: `{"batch":[{"type":"page","userId":"` + v("heir") + `"}],"context":{"consent":` + consent + `}}`, header: []string{"Authorization: Basic " + basic(h.writeKey)}})
		batch = append(batch, message)
	}
	return append(all, request{path: "/v1/batch", body: `{"batch":[` + strings.Join(batch, ",") + `]}`, header: []string{"Authorization: Basic " + basic(h.writeKey), "Sec-GPC: 1"}})
}

// rightsNoise decides, asks, objects and erases, rightly and wrongly.
func (h *house) rightsNoise() []request {
	const (
		record   = `mutation($i: RecordConsentsInput!) { recordConsents(input: $i) { individual { id } consents { id evidence } receipt } }`
		withdraw = `mutation($i: WithdrawConsentInput!) { withdrawConsent(input: $i) { consents { id } receipt } }`
		object   = `mutation($i: ObjectInput!) { object(input: $i) { receipt } }`
		rectify  = `mutation($i: RectifyInput!) { rectify(input: $i) { receipt } }`
		export   = `mutation($i: RequestExportInput!) { requestExport(input: $i) { url receipt } }`
		erase    = `mutation($i: EraseInput!) { erase(input: $i) { receipt } }`
		define   = `mutation($i: DefinePurposeInput!) { definePurpose(input: $i) { purpose { id } } }`
		states   = `query($p: String!) { individual(by: {userId: "` + planted + `-user"}) { consent(purpose: $p) { permitted } consents { nodes { evidence } } requests { id } accessLog { totalCount } } }`
	)
	who, nobody := map[string]any{"userId": v("user")}, map[string]any{"email": planted + "-nobody@example.com"}
	in := func(fields map[string]any) map[string]any { return map[string]any{"i": fields} }
	long := strings.Repeat(planted, 200)
	decision := func(purpose string, fields map[string]any) map[string]any {
		all := map[string]any{"purpose": purpose, "decision": "GRANTED"}
		for k, v := range fields {
			all[k] = v
		}
		return all
	}
	consents := func(individual map[string]any, decisions ...any) string {
		return operation(record, in(map[string]any{"individual": individual, "consents": decisions}))
	}
	bodies := []string{
		consents(who, decision("marketing", map[string]any{"evidence": map[string]any{"form": planted}, "policyVersion": planted, "jurisdiction": planted, "effectiveAt": "2026-03-01T10:00:00Z"})),
		consents(map[string]any{"phone": plantedPhone}, decision("personalization", map[string]any{"evidence": planted})),
		consents(who, decision(planted, nil)), consents(who, decision("marketing", map[string]any{"policyVersion": long})), consents(who, decision("marketing", map[string]any{"jurisdiction": long})),
		consents(who, decision("marketing", map[string]any{"evidence": long + long + long + long + long + long})), consents(who, decision("marketing", map[string]any{"evidence": planted + "\x00"})),
		consents(who, decision("marketing", map[string]any{"method": planted})), consents(who, decision("marketing", map[string]any{"effectiveAt": planted})), consents(who, decision("marketing", map[string]any{"expiresAt": "2001-01-01T00:00:00Z", "evidence": planted})),
		consents(who, decision("marketing", map[string]any{"decision": planted})), consents(who, decision("marketing", map[string]any{planted: planted})), consents(who, planted), consents(who),
		consents(who, decision("marketing", nil), decision("marketing", map[string]any{"evidence": planted})), consents(map[string]any{"email": planted}, decision("marketing", nil)), consents(map[string]any{"id": "ind_" + planted}, decision("marketing", nil)),
		consents(map[string]any{"userId": planted + "\x00"}, decision("marketing", nil)), consents(map[string]any{"userId": planted, "email": planted}, decision("marketing", nil)),
		operation(record, in(map[string]any{"individual": who, "source": planted, "consents": []any{decision("marketing", nil)}})), operation(record, in(map[string]any{"individual": planted, "consents": planted})),
		operation(withdraw, in(map[string]any{"individual": who, "purposes": []string{"marketing"}, "reason": planted})), operation(withdraw, in(map[string]any{"individual": who, "purposes": []string{planted}, "reason": planted})),
		operation(withdraw, in(map[string]any{"individual": who, "purposes": []string{"marketing"}, "reason": long})), operation(withdraw, in(map[string]any{"individual": who, "purposes": []string{"marketing", "marketing"}, "reason": planted})),
		operation(withdraw, in(map[string]any{"individual": map[string]any{"id": planted}, "purposes": []string{"marketing"}})), operation(withdraw, in(map[string]any{"individual": nobody, "purposes": []string{}, "reason": planted})),
		operation(object, in(map[string]any{"individual": who, "purposes": []string{"service"}, "reason": planted})), operation(object, in(map[string]any{"individual": who, "purposes": []string{planted}})), operation(object, in(map[string]any{"individual": nobody, "reason": planted})),
		operation(rectify, in(map[string]any{"individual": who, "traits": map[string]any{"note": planted}, "reason": planted})), operation(rectify, in(map[string]any{"individual": who, "traits": planted})), operation(rectify, in(map[string]any{"individual": who, "traits": map[string]any{planted + "\x00": planted}})),
		operation(rectify, in(map[string]any{"individual": nobody, "traits": map[string]any{"note": planted}})), operation(rectify, in(map[string]any{"individual": who, "traits": map[string]any{"note": planted}, "reason": long})),
		operation(export, in(map[string]any{"individual": nobody})), operation(export, in(map[string]any{"individual": map[string]any{"id": planted}})), operation(export, in(map[string]any{"individual": who, "kind": planted})), operation(export, in(map[string]any{"individual": who, "kind": "ERASURE"})),
		operation(erase, in(map[string]any{"individual": nobody, "reason": planted})), operation(erase, in(map[string]any{"individual": who, "reason": long})), operation(erase, in(map[string]any{"individual": who, "reason": planted + "\x00"})), operation(erase, in(map[string]any{"individual": who, "reason": ""})),
		operation(define, in(map[string]any{"key": long, "name": planted, "description": planted, "legalBasis": "CONSENT"})), operation(define, in(map[string]any{"key": planted, "name": planted, "description": planted, "legalBasis": planted})), operation(define, in(map[string]any{"key": planted, "name": planted, "description": planted, "legalBasis": "CONSENT", "floor": 0})),
		operation(states, map[string]any{"p": planted}), operation(states, map[string]any{"p": "marketing"}),
	}
	var all []request
	for _, body := range bodies {
		for _, token := range []string{h.token("admin"), h.token("insights:read"), h.own("ind_01j2jy8kavfgx9p7hfdp57rqgg")} {
			all = append(all, request{path: "/graphql", body: body, header: []string{"Authorization: Bearer " + token, "Acquaint-Purpose: analytics"}})
		}
	}
	// The archive, by its address and by others.
	data, _ := h.asks(h.token("requests:write"), "", export, in(map[string]any{"individual": who})) // not without a database
	var asked struct{ RequestExport struct{ URL string } }
	_ = json.Unmarshal(data, &asked) // as above
	if address, err := url.Parse(asked.RequestExport.URL); err == nil && address.Query().Has("ticket") {
		h.tickets = append(h.tickets, address.Query().Get("ticket"))
		all = append(all, get(asked.RequestExport.URL), request{method: planted, path: asked.RequestExport.URL}, get(asked.RequestExport.URL+planted), get(asked.RequestExport.URL+"&"+planted), get(address.Path+"?until="+planted+"&ticket="+h.tickets[len(h.tickets)-1]))
	}
	const request0 = "/v1/exports/req_01j2jy8kavfgx9p7hfdp57rqgg"
	all = append(all,
		get("/v1/exports/"+planted), get("/v1/exports/"+planted+"?until=1&ticket="+planted), get(request0), get(request0+"?until="+planted+"&ticket="+planted), get(request0+"?until=99999999999&ticket="+planted), get(request0+"?until=1&ticket="+url.QueryEscape(planted+"\x00")),
		get("/v1/exports/"+planted+"/"+planted), request{path: request0, body: planted}, get("/v1/receipt-key?"+planted), request{path: "/v1/receipt-key", body: planted},
		request{path: "/graphql", body: query(`subscription { consentChanges(purpose: "` + planted + `") { id } }`), header: []string{"Authorization: Bearer " + h.token("admin"), "Acquaint-Purpose: analytics", "Accept: text/event-stream"}},
		request{path: "/graphql", body: operation(erase, in(map[string]any{"individual": who, "reason": planted})), header: []string{"Authorization: Bearer " + h.token("requests:write")}},
	)
	return all
}

func (h *house) graphNoise() []request {
	const (
		find   = `query($by: IndividualLookup!) { individual(by: $by) { id identifiers { value } traits { value } links { messageId } sessions { nodes { id } } interactions { nodes { properties } } } }`
		record = `mutation($i: [InteractionInput!]!) { recordInteractions(input: {interactions: $i}) { accepted rejected { index code message } } }`
		say    = `mutation($i: IdentifyInput!) { identify(input: $i) { individual { id } } }`
	)
	who := map[string]any{"messageId": v("m"), "userId": v("user"), "type": v("type"), "occurredAt": "2026-03-02T10:00:00Z", "properties": map[string]any{"a": planted}}
	but := func(name string, value any) map[string]any {
		changed := map[string]any{name: value}
		for k, v := range who {
			if k != name {
				changed[k] = v
			}
		}
		return changed
	}
	lookup := func(way string, value any) string {
		return operation(find, map[string]any{"by": map[string]any{way: value}})
	}
	bodies := []string{
		operation(record, map[string]any{"i": []any{who, but("currency", planted), but("channel", strings.Repeat(planted, 20)), but("messageId", strings.Repeat(planted, 20)), but("properties", planted)}}),
		operation(record, map[string]any{"i": []any{but("occurredAt", planted)}}),
		operation(record, map[string]any{"i": []any{but("value", planted)}}),
		operation(record, map[string]any{"i": []any{but("direction", planted)}}),
		operation(record, map[string]any{"i": planted}),
		operation(say, map[string]any{"i": map[string]any{"userId": v("user"), "anonymousId": v("fresh"), "traits": map[string]any{"email": planted + "@example.com", "phone": plantedPhone}, "source": planted}}),
		operation(say, map[string]any{"i": map[string]any{"userId": v("user"), "anonymousId": v("fresh"), "traits": map[string]any{"email": planted + "@example.com", "phone": plantedPhone}}}),
		operation(say, map[string]any{"i": map[string]any{"userId": v("user"), "traits": planted}}),
		operation(say, map[string]any{"i": map[string]any{"userId": v("user"), "provenance": planted}}),
		lookup("userId", v("user")), lookup("email", planted+"@example.com"), lookup("email", planted), lookup("phone", plantedPhone), lookup("phone", planted),
		lookup("id", planted), lookup("id", "ind_"+planted), lookup("external", map[string]any{"kind": planted + ":", "value": planted}), lookup("userId", map[string]any{"a": planted}),
		query(`{ individual(by: {email: "` + planted + `"}) { id } }`),
		query(`{ individual(by: {userId: "` + planted + `", email: "` + planted + `"}) { id } }`),
		query(`{ individual(by: "` + planted + `") { id } }`),
		query(`{ individuals(first: "` + planted + `") { totalCount } }`),
		query(`{ individuals(after: "` + planted + `") { totalCount } }`),
		query(`{ individuals(where: {lastSeenFrom: "` + planted + `"}) { totalCount } }`),
		query(`{ individuals(where: {trait: {key: "` + planted + `", op: EQ, value: "` + planted + `"}}) { totalCount nodes { id } } }`),
		query(`{ individuals(where: {event: {types: ["` + planted + `"], properties: [{path: "` + planted + `..", op: EQ, value: "` + planted + `"}]}}) { totalCount } }`),
		query(`{ individuals(where: {event: {types: ["` + v("type") + `"], properties: [{path: "a", op: EQ, value: "` + planted + `"}]}}) { totalCount nodes { traits { value } sessions { totalCount } } } }`),
		query(`{ individuals(where: {event: {direction: ` + planted + `}}) { totalCount } }`),
		query(`{ individual(by: {userId: "` + v("user") + `"}) { recency(event: {types: ["` + planted + `"]}, asOf: "` + planted + `") { count } } }`),
		query(`{ individual(by: {userId: "` + v("user") + `"}) { journey(lookback: "` + planted + `") { converted } } }`),
		query(`{ node(id: "` + planted + `") { id } nodes(ids: ["` + planted + `"]) { id } }`),
		query(`mutation { merge(input: {into: {userId: "` + v("user") + `"}, from: {userId: "` + v("other") + `"}, reason: "` + planted + `"}) { link { id } } }`),
		query(`mutation { unmerge(input: {links: ["` + planted + `"], reason: "` + planted + `"}) { individuals { id } } }`),
		query(`mutation { createSource(input: {name: "` + planted + "\x01" + `"}) { source { id } } }`),
		query(`{ channels { key } } # ` + planted),
		query(`{ channels { key } "` + planted + `" }`),
		query(`{ channels { key "` + planted),
		query(`"` + planted + `"`),
		query(planted),
		`{"query":"{ channels { key } }","variables":"` + planted + `"}`,
		`{"query":{"` + planted + `":1}}`,
		`{"query":"` + planted,
		planted, `"` + planted + `"`, planted + "\xff",
	}
	token := "Authorization: Bearer " + h.token("admin")
	var all []request
	for _, body := range bodies {
		all = append(all, request{path: "/graphql?" + planted, body: body, header: []string{token, "Acquaint-Purpose: analytics", "User-Agent: " + planted}})
		all = append(all, request{method: http.MethodGet, path: "/graphql?query=" + url.QueryEscape(body) + "&variables=" + planted, header: []string{token, "Acquaint-Purpose: analytics"}})
	}
	about := lookup("userId", v("user"))
	return append(all,
		request{path: "/graphql", body: about, header: []string{token, "Acquaint-Purpose: " + planted}},
		request{path: "/graphql", body: about, header: []string{token, "Acquaint-Purpose: marketing"}},
		request{path: "/graphql", body: about, header: []string{"Authorization: Bearer " + planted}},
		request{path: "/graphql", body: about, header: []string{"Authorization: Bearer " + h.token("insights:read"), "Acquaint-Purpose: analytics"}},
		request{path: "/graphql", body: about, header: []string{"Authorization: Bearer " + h.token("admin") + planted}},
		request{path: "/graphql", body: about, header: []string{"Authorization: " + planted}},
		request{path: "/graphql", body: about, header: []string{token, "Content-Type: text/" + planted}},
		request{path: "/graphql", body: about, header: []string{token, "Accept: " + planted + "/x"}},
		request{path: "/graphql", body: about, header: []string{token, "Origin: https://" + planted + ".example"}},
		request{path: "/graphql", body: query(`subscription { interactions(where: {types: [""], channels: ["` + planted + `"]}) { id } }`), header: []string{token, "Acquaint-Purpose: analytics", "Accept: text/event-stream"}},
		request{path: "/graphql", body: operation(`subscription { interactions(where: "`+planted+`") { id } }`, nil), header: []string{token, "Acquaint-Purpose: analytics", "Accept: text/event-stream"}},
		request{method: planted, path: "/graphql"},
	)
}

// raw sends what is no HTTP and returns what comes back.
func (h *house) raw(text string) string {
	h.t.Helper()
	c, err := (&net.Dialer{}).DialContext(h.t.Context(), "tcp", h.address)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := io.WriteString(c, text); err != nil {
		h.t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second)) // a broken test ends
	answer, _ := io.ReadAll(c)                              // the server may reset it
	return string(answer)
}

// sockets talks nonsense over websockets, each of which the server ends.
func (h *house) sockets(with string) {
	h.t.Helper()
	initial := `{"type":"connection_init","payload":{"authorization":"Bearer ` + h.token("admin") + `","acquaint-purpose":"analytics"}}`
	for _, messages := range [][]string{
		{planted},
		{`{"type":"` + planted + `"}`},
		{`{"type":"connection_init","payload":{"authorization":"Bearer ` + planted + `"}}`},
		{`{"type":"connection_init","payload":"` + planted + `"}`},
		{`{"type":"subscribe","id":"1","payload":{"query":"` + planted + `"}}`},
		{
			initial,
			`{"type":"subscribe","id":"1","payload":{"query":"{ individual(by: {email: \"` + planted + `\"}) { id } }"}}`,
			`{"type":"subscribe","id":"2","payload":{"query":"subscription { interactions(where: {types: [\"\"], channels: [\"` + planted + `\"]}) { id } }"}}`,
			`{"type":"subscribe","id":"3","payload":{"query":"{ \"` + planted + `\" }"}}`,
			`{"type":"` + planted + `"}`,
		},
	} {
		ctx, cancel := context.WithTimeout(h.t.Context(), 20*time.Second)
		c, response, err := websocket.Dial(ctx, h.url+"/graphql?"+planted, &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}, HTTPClient: h.client})
		if err != nil {
			h.t.Fatal(err)
		}
		if response.Body != nil {
			_ = response.Body.Close()
		}
		for _, m := range messages {
			if err := c.Write(ctx, websocket.MessageText, []byte(m)); err != nil {
				break // the server has ended it
			}
		}
		var heard strings.Builder
		for {
			_, message, err := c.Read(ctx)
			if err != nil {
				heard.WriteString(err.Error())
				break
			}
			heard.Write(message)
		}
		if ctx.Err() != nil {
			h.t.Errorf("with %s, the server does not end a socket on which it hears %q", with, messages)
		}
		if told := leaks(heard.String(), h.secrets()); told != nil {
			h.t.Errorf("with %s, a socket hears %q: %s", with, told, heard.String())
		}
		_ = c.CloseNow()
		cancel()
	}
}
