package whole

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// misasked is what should come of a bad request to the graph.
type misasked struct {
	name   string
	body   string
	header []string
	method string
	path   string // /graphql where it is empty
	status int
	code   string
	says   string // the first error's message
}

// recording is a mutation whose one interaction has these further members.
func recording(members string) string {
	return `{"query":"mutation($i: InteractionInput!) { recordInteractions(input: {interactions: [$i]}) { accepted rejected { message } } }",` +
		`"variables":{"i":{"messageId":"m","userId":"u-1","type":"page","occurredAt":"2026-03-01T10:00:00Z"` + members + `}}}`
}

func query(text string) string { return operation(text, nil) }

func badQueries() []misasked {
	const bad = "BAD_USER_INPUT"
	const graphql = "Accept: application/graphql-response+json"
	const find = `query($by: IndividualLookup!) { individual(by: $by) { id } }`
	return []misasked{
		{name: "no body", status: 400, code: bad, says: "the request's body is empty"},
		{name: "malformed JSON", body: `{"query":`, status: 400, code: bad, says: "the request's body is not JSON: it ends too early"},
		{name: "no object", body: `["{ viewer }"]`, status: 400, code: bad, says: "the request's body is not a JSON object"},
		{name: "a second value", body: query(`{ channels { key } }`) + `{}`, status: 400, code: bad, says: "the request's body goes on after its JSON value"},
		{name: "no query", body: `{"variables":{}}`, status: 400, code: bad, says: "the request's body has no query"},
		{name: "a query of the wrong type", body: `{"query":7}`, status: 400, code: bad, says: "the request's body has a query that is not a string"},
		{name: "variables of the wrong type", body: `{"query":"{ channels { key } }","variables":[1]}`, status: 400, code: bad, says: "the request's body has variables that are not an object"},
		{name: "invalid UTF-8", body: "{\"query\":\"{ channels { key } }\xff\"}", status: 400, code: bad, says: "the request's body is not UTF-8"},
		{name: "a byte of 0", body: "{\"query\":\"{ channels { key } }\x00\"}", status: 400, code: bad, says: "the request's body is not JSON: it breaks at byte 31"},
		{name: "NUL in the query", body: query("{ channels { key } }\x00"), status: 200, code: bad, says: "Unexpected <Invalid>"},
		{name: "half a surrogate pair", body: recording(`,"properties":{"a":"\ud83d"}`), status: 400, code: bad, says: "the request's body has half of a surrogate pair, which is no character, at byte 247"},
		{name: "half a surrogate pair in a query string", method: "GET", path: `/graphql?query=%7Bchannels%7Bkey%7D%7D&variables=%7B%22a%22%3A%22%5Cude00%22%7D`, status: 400, code: bad, says: "the parameter variables has half of a surrogate pair, which is no character, at byte 6"},
		{name: "a body over 1 MB", body: `{"query":"{ channels { key } }","pad":"` + strings.Repeat("x", 1<<20) + `"}`, status: 413, code: bad, says: "a request's body has at most 1048576 bytes"},
		{name: "10,000 levels of variables", body: `{"query":"{ channels { key } }","variables":{"a":` + deep(10_000) + `}}`, status: 400, code: bad, says: "the request's body is nested more than 10,000 levels deep"},
		{name: "10,000 levels of what is not read", body: `{"query":"{ channels { key } }","x":` + deep(10_000) + `}`, status: 400, code: bad, says: "the request's body is nested more than 10,000 levels deep"},
		{name: "10,000 levels of a query", body: query(strings.Repeat("{ a ", 10_000)), status: 200, code: bad, says: "exceeded token limit of 5000"},
		{name: "1,000 levels of a query", body: query("{ individuals { nodes { sessions { nodes " + strings.Repeat("{ individual { sessions { nodes ", 300) + "{ id }" + strings.Repeat("} } }", 300) + " } } } }"), status: 200, code: bad, says: "the document asks for one name 302 times; 250 are allowed"},
		{name: "2,000 levels of a literal", body: query(`{ individuals(where: {event: {properties: [{path: "a", op: EQ, value: ` + deep(2_000) + `}]}}) { nodes { id } } }`), status: 200, code: bad, says: "where.event.properties[0].value: it is not a string, a number or a boolean"},
		{name: "a form", body: "query={channels{key}}", header: []string{"Content-Type: application/x-www-form-urlencoded"}, status: 415, code: bad, says: "a request's body is application/json in UTF-8"},
		{name: "plain text, as a page of another site can send", body: query(`{ channels { key } }`), header: []string{"Content-Type: text/plain"}, status: 415, code: bad, says: "a request's body is application/json in UTF-8"},
		{name: "an answer that is not made", body: query(`{ channels { key } }`), header: []string{"Accept: text/html"}, status: 406, code: bad, says: "answers are application/graphql-response+json, application/json or text/event-stream"},
		{name: "a mutation by GET", method: "GET", path: "/graphql?query=mutation%7BcreateSource(input%3A%7Bname%3A%22x%22%7D)%7BwriteKey%7D%7D", status: 405, code: bad, says: "a mutation is sent by POST"},
		{name: "DELETE", method: "DELETE", status: 405, code: bad, says: "use POST, or GET for a query"},
		{name: "a query string that is none", method: "GET", path: "/graphql?query=%zz", status: 400, code: bad, says: "the URL's query component is not form-encoded"},

		{name: "no token", body: query(`{ channels { key } }`), header: []string{"Authorization: "}, status: 401, code: "UNAUTHENTICATED", says: "a valid bearer token is needed"},
		{name: "a token that is none", body: query(`{ channels { key } }`), header: []string{"Authorization: Bearer nonsense"}, status: 401, code: "UNAUTHENTICATED", says: "a valid bearer token is needed"},
		{name: "an unknown purpose", body: query(`{ individuals { totalCount } }`), header: []string{"Acquaint-Purpose: nonsense"}, status: 200, code: "FORBIDDEN", says: "Acquaint-Purpose: this token does not allow the purpose that the request declares"},
		{name: "two purposes", body: query(`{ individuals { totalCount } }`), header: []string{"Acquaint-Purpose: analytics", "Acquaint-Purpose: service"}, status: 400, code: bad, says: "Acquaint-Purpose: a request reads for one purpose"},
		{name: "an empty purpose", body: query(`{ individuals { totalCount } }`), header: []string{"Acquaint-Purpose: "}, status: 200, code: bad, says: "Acquaint-Purpose: name the purpose of this read in the header Acquaint-Purpose; this token may declare any of its purposes"},
		{name: "a very long purpose", body: query(`{ individuals { totalCount } }`), header: []string{"Acquaint-Purpose: " + strings.Repeat("x", 1000)}, status: 400, code: bad, says: "Acquaint-Purpose: a purpose is named by its key, which is shorter than this"},

		{name: "a query that does not parse", body: query(`{ channels { key `), status: 200, code: bad, says: "Expected Name, found <EOF>"},
		{name: "the same, to one who wants a status", body: query(`{ channels { key `), header: []string{graphql}, status: 400, code: bad, says: "Expected Name, found <EOF>"},
		{name: "an unknown field", body: query(`{ nonsense }`), header: []string{graphql}, status: 400, code: bad, says: `Cannot query field "nonsense" on type "Query". Did you mean "nodes"?`},
		{name: "an unknown argument", body: query(`{ channels(first: 1) { key } }`), status: 200, code: bad, says: `Unknown argument "first" on field "Query.channels".`},
		{name: "first of 0", body: query(`{ individuals(first: 0) { totalCount } }`), status: 200, code: bad, says: "first: a page has 1 to 100 items"},
		{name: "first of 101", body: query(`{ individuals(first: 101) { totalCount } }`), status: 200, code: bad, says: "first: a page has 1 to 100 items"},
		{name: "first past 32 bits", body: query(`{ individuals(first: 99999999999999999999) { totalCount } }`), status: 200, code: bad, says: "Int cannot represent non 32-bit signed integer value."},
		{name: "first past 32 bits, in a variable", body: `{"query":"query($n: Int) { individuals(first: $n) { totalCount } }","variables":{"n":99999999999}}`, status: 200, code: bad, says: "first: a page has 1 to 100 items"},
		{name: "first that is a fraction, in a variable", body: `{"query":"query($n: Int) { individuals(first: $n) { totalCount } }","variables":{"n":1.5}}`, status: 200, code: bad, says: "$n: the value does not fit its type"},
		{name: "a wrong cursor", body: query(`{ individuals(after: "x") { totalCount } }`), status: 200, code: bad, says: "after: this is no cursor; take one from an edge or pageInfo of the same list"},
		{name: "a wrong kind of id", body: operation(find, map[string]any{"by": map[string]any{"id": "chn_01j2jy8kavfgx9p7hfdp57rqgg"}}), status: 200, code: bad, says: `by.id: this id names a "chn", where one of "ind" is expected`},
		{name: "two of one", body: operation(find, map[string]any{"by": map[string]any{"userId": "a", "email": "a@example.com"}}), status: 200, code: bad, says: "$by: exactly one of its fields must be given, and not null"},
		{name: "none of one", body: operation(find, map[string]any{"by": map[string]any{}}), status: 200, code: bad, says: "$by: exactly one of its fields must be given, and not null"},
		{name: "null of one", body: operation(find, map[string]any{"by": map[string]any{"userId": nil}}), status: 200, code: bad, says: "$by: exactly one of its fields must be given, and not null"},
		{name: "null of one, written", body: query(`{ individual(by: {userId: null}) { id } }`), status: 200, code: bad, says: `OneOf Input Object "IndividualLookup" must specify exactly one key, and not null.`},
		{name: "NUL in a user id", body: operation(find, map[string]any{"by": map[string]any{"userId": "a\x00"}}), status: 200, code: bad, says: "by.userId: it holds a control character"},
		{name: "a variable that is missing", body: query(find), status: 200, code: bad, says: "$by: a value is required"},
		{name: "a variable of the wrong type", body: operation(find, map[string]any{"by": 7}), status: 200, code: bad, says: "$by: the value does not fit its type"},
		{name: "a variable with an unknown field", body: operation(find, map[string]any{"by": map[string]any{"name": "a"}}), status: 200, code: bad, says: "$by: it has a field that its type does not know"},
		{name: "a list where one is taken", body: operation(find, map[string]any{"by": []any{map[string]any{"userId": "a"}, 7}}), status: 200, code: bad, says: "$by: the value does not fit its type"},
		{name: "the year 0", body: recording(`,"occurredAt":"0000-01-01T00:00:00Z"`), status: 200, code: bad, says: "input.interactions[0].occurredAt: the year 0 is outside 1 to 9998"},
		{name: "the year 9999", body: recording(`,"occurredAt":"9999-12-31T23:59:59Z"`), status: 200, code: bad, says: "input.interactions[0].occurredAt: the year 9999 is outside 1 to 9998"},
		{name: "a value past float64", body: recording(`,"value":1e400`), status: 200, code: bad, says: "$i.value: the value does not fit its type"},
		{name: "as of the year 0", body: query(`{ individuals { nodes { recency(asOf: "0000-01-01T00:00:00Z") { count } } } }`), status: 200, code: bad, says: "asOf: the year 0 is outside 1 to 9998"},
		{name: "a selector past float64", body: query(`{ individuals(where: {event: {properties: [{path: "a", op: EQ, value: 1e400}]}}) { totalCount } }`), status: 200, code: bad, says: `Expected value of type "PropertyCondition!".`},
		{name: "16 levels of a query", body: query("{ individual(by: {userId: \"u-1\"}) { sessions { nodes " + strings.Repeat("{ individual { sessions { nodes ", 5) + "{ id }" + strings.Repeat(" } } }", 5) + " } } }"), status: 200, code: bad, says: "the operation is 19 levels deep; 15 are allowed"},
		{name: "too dear", body: query(`{ individuals(first: 100) { nodes { sessions(first: 100) { nodes { interactions(first: 100) { nodes { id } } } } } } }`), status: 200, code: "COST_LIMIT", says: "the operation may cost 1020201; 25000 is the limit: ask for smaller pages or fewer fields"},
		{name: "many names for one", body: query("{ " + manyAliases(40) + " }"), status: 200, code: bad, says: "the operation has 40 aliases; 30 are allowed"},
		{name: "a subscription by POST", body: query(`subscription { interactions { id } }`), status: 406, code: bad, says: "a subscription is answered as text/event-stream or over a websocket"},
	}
}

func manyAliases(n int) string {
	var b strings.Builder
	for i := range n {
		_, _ = fmt.Fprintf(&b, "a%d: channels { key } ", i)
	}
	return b.String()
}

// TestBadQueries: whatever is wrong with a request to the graph is refused with its
// place, and nothing of it is kept.
func TestBadQueries(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		h := open(t, o)
		for _, c := range badQueries() {
			r := h.misask(c)
			var answer struct {
				Errors []struct {
					Message    string
					Extensions struct{ Code string }
				}
			}
			if err := json.Unmarshal([]byte(r.body), &answer); err != nil || len(answer.Errors) == 0 {
				t.Errorf("%s: %d, the answer has no errors: %q", c.name, r.status, r.body)
				continue
			}
			e := answer.Errors[0]
			if r.status != c.status || e.Extensions.Code != c.code || e.Message != c.says {
				t.Errorf("%s: %d %s %q, want %d %s %q", c.name, r.status, e.Extensions.Code, e.Message, c.status, c.code, c.says)
			}
			h.healthy(c.name)
		}
		h.holds(0)
	})
}

func (h *house) misask(c misasked) reply {
	h.t.Helper()
	r := request{method: c.method, path: c.path, body: c.body, header: c.header}
	if r.path == "" {
		r.path = "/graphql"
	}
	given := strings.Join(c.header, "\n")
	for name, value := range map[string]string{"Authorization": "Bearer " + h.token("admin"), "Acquaint-Purpose": "analytics"} {
		if !strings.Contains(given, name+": ") {
			r.header = append(r.header, name+": "+value)
		}
	}
	return h.send(r)
}

// TestBadProperties: what the API is told of an interaction goes through the same
// checks as what SDKs send, one by one.
func TestBadProperties(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		h := open(t, o)
		for members, want := range map[string]string{
			`,"properties":{"a":"x\u0000"}`:                             "input.interactions[0].properties.a: it holds the character NUL, which no text may",
			`,"properties":{"a":` + deep(5_000) + `}`:                   "input.interactions[0].properties.a[0][0][0][0][0][0]…: objects and arrays lie more than 64 deep",
			`,"properties":{"a":1e400}`:                                 "input.interactions[0].properties.a: the number is outside what a 64-bit float holds",
			`,"properties":{"a":"` + strings.Repeat("x", 33<<10) + `"}`: "input.interactions[0]: a message may be 32 KB at most",
			`,"messageId":"` + strings.Repeat("x", 100) + `"`:           "input.interactions[0].messageId: a message id has 1 to 99 characters",
			`,"userId":"u\u0000"`:                                       "input.interactions[0].userId: it holds the character NUL, which no text may",
			`,"type":"t\u0000"`:                                         "input.interactions[0].type: it holds the character NUL, which no text may",
			`,"channel":"c\u0000"`:                                      "input.interactions[0].channel: it holds the character NUL, which no text may",
			`,"currency":"e\u0000r"`:                                    "input.interactions[0].currency: a currency is three letters, such as EUR",
			`,"campaign":{"name":"c\u0000"}`:                            "input.interactions[0].campaign.name: it holds the character NUL, which no text may",
		} {
			r := h.misask(misasked{body: recording(members)})
			var answer struct {
				Data struct {
					RecordInteractions struct {
						Accepted int
						Rejected []struct{ Message string }
					}
				}
			}
			if err := json.Unmarshal([]byte(r.body), &answer); err != nil {
				t.Fatal(err)
			}
			got := answer.Data.RecordInteractions
			if r.status != http.StatusOK || got.Accepted != 0 || len(got.Rejected) != 1 || got.Rejected[0].Message != want {
				t.Errorf("%.60s: %d %.300s, want %q", members, r.status, r.body, want)
			}
		}
		h.healthy("all of it")
		h.holds(0)
	})
}
