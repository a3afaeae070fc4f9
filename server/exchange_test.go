package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

const secretValue = "alice@example.com"

func TestGraphQLOverHTTP(t *testing.T) {
	b := serve(t)
	get := func(parameters ...string) string {
		v := url.Values{}
		for _, p := range parameters {
			name, value, _ := strings.Cut(p, "=")
			v.Set(name, value)
		}
		return "/graphql?" + v.Encode()
	}
	const hello = `{"query":"{hello}"}`
	legacy := "Accept: application/json"
	for _, c := range []struct {
		name    string
		method  string
		target  string
		body    string
		headers []string
		status  int
		media   string
		code    string // of the first error; "" for none
		data    bool
	}{
		{"post", "POST", "/graphql", hello, nil, 200, mediaGraphQL, "", true},
		{"post, legacy", "POST", "/graphql", hello, []string{legacy}, 200, mediaJSON, "", true},
		{"post, no accept", "POST", "/graphql", hello, []string{"Accept: -"}, 200, mediaJSON, "", true},
		{"post, anything", "POST", "/graphql", hello, []string{"Accept: */*"}, 200, mediaJSON, "", true},
		{"post, as the specification recommends", "POST", "/graphql", hello, []string{"Accept: application/graphql-response+json, application/json;q=0.9"}, 200, mediaGraphQL, "", true},
		{"post, charset in any case", "POST", "/graphql", hello, []string{"Content-Type: application/json; charset=UTF-8"}, 200, mediaGraphQL, "", true},
		{"post, null for what is optional", "POST", "/graphql", `{"query":"{hello}","operationName":null,"variables":null,"extensions":null}`, nil, 200, mediaGraphQL, "", true},
		{"post, more than is known", "POST", "/graphql", `{"query":"{hello}","id":7}`, nil, 200, mediaGraphQL, "", true},
		{"post, a mutation", "POST", "/graphql", `{"query":"mutation{greet}"}`, nil, 200, mediaGraphQL, "", true},
		{"post, a named operation", "POST", "/graphql", `{"query":"query A{hello} query B{hello}","operationName":"B"}`, nil, 200, mediaGraphQL, "", true},
		{"get", "GET", get("query={hello}"), "", nil, 200, mediaGraphQL, "", true},
		{"get, with variables", "GET", get("query=query($t:String!){echo(text:$t)}", `variables={"t":"x"}`), "", nil, 200, mediaGraphQL, "", true},
		{"get, empty for what is optional", "GET", get("query={hello}", "variables=", "operationName=", "extensions="), "", nil, 200, mediaGraphQL, "", true},

		{"a mutation by get", "GET", get("query=mutation{greet}"), "", nil, 405, mediaGraphQL, codeBadUserInput, false},
		{"a mutation by get, legacy", "GET", get("query=mutation{greet}"), "", []string{legacy}, 405, mediaJSON, codeBadUserInput, false},
		{"a mutation by get, among queries", "GET", get("query=query A{hello} mutation B{greet}", "operationName=B"), "", nil, 405, mediaGraphQL, codeBadUserInput, false},
		{"get without a query", "GET", "/graphql", "", nil, 400, mediaGraphQL, codeBadUserInput, false},
		{"get, variables that are no JSON", "GET", get("query={hello}", "variables={"), "", nil, 400, mediaGraphQL, codeBadUserInput, false},
		{"get, bad escapes", "GET", "/graphql?query=%zz", "", nil, 400, mediaGraphQL, codeBadUserInput, false},
		{"get, not UTF-8", "GET", "/graphql?query=%ff", "", nil, 400, mediaGraphQL, codeBadUserInput, false},
		{"put", "PUT", "/graphql", hello, nil, 405, mediaGraphQL, codeBadUserInput, false},
		{"delete", "DELETE", "/graphql", "", nil, 405, mediaGraphQL, codeBadUserInput, false},

		{"nothing acceptable", "POST", "/graphql", hello, []string{"Accept: text/html"}, 406, mediaJSON, codeBadUserInput, false},
		{"everything refused", "POST", "/graphql", hello, []string{"Accept: application/json;q=0, */*;q=0"}, 406, mediaJSON, codeBadUserInput, false},
		{"no content type", "POST", "/graphql", hello, []string{"Content-Type: -"}, 415, mediaGraphQL, codeBadUserInput, false},
		{"plain text", "POST", "/graphql", hello, []string{"Content-Type: text/plain"}, 415, mediaGraphQL, codeBadUserInput, false},
		{"a form", "POST", "/graphql", "query={hello}", []string{"Content-Type: application/x-www-form-urlencoded"}, 415, mediaGraphQL, codeBadUserInput, false},
		{"a multipart form", "POST", "/graphql", hello, []string{"Content-Type: multipart/form-data; boundary=x"}, 415, mediaGraphQL, codeBadUserInput, false},
		{"application/graphql", "POST", "/graphql", "{hello}", []string{"Content-Type: application/graphql"}, 415, mediaGraphQL, codeBadUserInput, false},
		{"another charset", "POST", "/graphql", hello, []string{"Content-Type: application/json; charset=iso-8859-1"}, 415, mediaGraphQL, codeBadUserInput, false},

		{"no body", "POST", "/graphql", "", nil, 400, mediaGraphQL, codeBadUserInput, false},
		{"no JSON", "POST", "/graphql", `{"query":`, nil, 400, mediaGraphQL, codeBadUserInput, false},
		{"no JSON, legacy", "POST", "/graphql", "NONSENSE", []string{legacy}, 400, mediaJSON, codeBadUserInput, false},
		{"not UTF-8", "POST", "/graphql", "{\"query\":\"{hello #\xff\\n}\"}", nil, 400, mediaGraphQL, codeBadUserInput, false},
		{"two values", "POST", "/graphql", hello + hello, nil, 400, mediaGraphQL, codeBadUserInput, false},
		{"a batch", "POST", "/graphql", "[" + hello + "]", nil, 400, mediaGraphQL, codeBadUserInput, false},
		{"no query", "POST", "/graphql", `{"qeury":"{hello}"}`, nil, 400, mediaGraphQL, codeBadUserInput, false},
		{"no query, legacy", "POST", "/graphql", `{}`, []string{legacy}, 400, mediaJSON, codeBadUserInput, false},
		{"a query that is a number", "POST", "/graphql", `{"query":7}`, nil, 400, mediaGraphQL, codeBadUserInput, false},
		{"variables that are a list", "POST", "/graphql", `{"query":"{hello}","variables":[7]}`, nil, 400, mediaGraphQL, codeBadUserInput, false},
		{"an operation name that is a number", "POST", "/graphql", `{"query":"{hello}","operationName":7}`, nil, 400, mediaGraphQL, codeBadUserInput, false},
		{"extensions that are words", "POST", "/graphql", `{"query":"{hello}","extensions":"x"}`, nil, 400, mediaGraphQL, codeBadUserInput, false},
		{"JSON ten thousand deep", "POST", "/graphql", `{"query":"{hello}","variables":{"a":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}}`, nil, 400, mediaGraphQL, codeBadUserInput, false},

		{"no syntax", "POST", "/graphql", `{"query":"{"}`, nil, 400, mediaGraphQL, codeBadUserInput, false},
		{"no syntax, legacy", "POST", "/graphql", `{"query":"{"}`, []string{legacy}, 200, mediaJSON, codeBadUserInput, false},
		{"an empty document", "POST", "/graphql", `{"query":""}`, nil, 400, mediaGraphQL, codeBadUserInput, false},
		{"not valid", "POST", "/graphql", `{"query":"{goodbye}"}`, nil, 400, mediaGraphQL, codeBadUserInput, false},
		{"not valid, legacy", "POST", "/graphql", `{"query":"{goodbye}"}`, []string{legacy}, 200, mediaJSON, codeBadUserInput, false},
		{"which operation?", "POST", "/graphql", `{"query":"query A{hello} query B{hello}"}`, nil, 400, mediaGraphQL, codeBadUserInput, false},
		{"an operation that is not there", "POST", "/graphql", `{"query":"query A{hello}","operationName":"C"}`, nil, 400, mediaGraphQL, codeBadUserInput, false},
		{"a variable that is missing", "POST", "/graphql", `{"query":"query($t:String!){echo(text:$t)}"}`, nil, 400, mediaGraphQL, codeBadUserInput, false},
		{"a subscription without a stream", "POST", "/graphql", `{"query":"subscription{ticks(n:1)}"}`, nil, 406, mediaGraphQL, codeBadUserInput, false},

		{"no token", "POST", "/graphql", hello, []string{"Authorization: -"}, 401, mediaGraphQL, codeUnauthenticated, false},
		{"no token, legacy", "POST", "/graphql", hello, []string{"Authorization: -", legacy}, 401, mediaJSON, codeUnauthenticated, false},
		{"a bad token", "GET", get("query={hello}"), "", []string{"Authorization: Bearer x.y.z"}, 401, mediaGraphQL, codeUnauthenticated, false},
		{"too long a purpose", "POST", "/graphql", hello, []string{"Acquaint-Purpose: " + strings.Repeat("x", 101)}, 400, mediaGraphQL, codeBadUserInput, false},

		{"a field that fails", "POST", "/graphql", `{"query":"{hello fail(kind:\"denied\")}"}`, nil, 200, mediaGraphQL, codeForbidden, true},
		{"a field that fails, legacy", "POST", "/graphql", `{"query":"{hello fail(kind:\"denied\")}"}`, []string{legacy}, 200, mediaJSON, codeForbidden, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := b.send(c.method, c.target, c.body, c.headers...)
			if r.status != c.status {
				t.Errorf("status %d, want %d; body %s", r.status, c.status, r.body)
			}
			if got, want := r.header.Get("Content-Type"), c.media+"; charset=utf-8"; got != want {
				t.Errorf("content type %q, want %q", got, want)
			}
			if r.code() != c.code {
				t.Errorf("code %q, want %q; body %s", r.code(), c.code, r.body)
			}
			if r.hasData != c.data {
				t.Errorf("data is there: %v, want %v; body %s", r.hasData, c.data, r.body)
			}
			if (r.status == 405) != (r.header.Get("Allow") != "") {
				t.Errorf("status %d with Allow %q", r.status, r.header.Get("Allow"))
			}
			if (r.status == 401) != (r.header.Get("WWW-Authenticate") == "Bearer") {
				t.Errorf("status %d with WWW-Authenticate %q", r.status, r.header.Get("WWW-Authenticate"))
			}
			if r.header.Get("Cache-Control") != "no-store" {
				t.Error("the answer may be cached")
			}
		})
	}
}

func TestHeadIsRefused(t *testing.T) {
	if r := serve(t).send("HEAD", "/graphql", ""); r.status != 405 || r.header.Get("Allow") == "" {
		t.Errorf("HEAD answered %d, Allow %q", r.status, r.header.Get("Allow"))
	}
}

func TestViewerReachesTheResolvers(t *testing.T) {
	r := serve(t).post("{whoami purpose}", "Acquaint-Purpose: service")
	if r.Data["whoami"] != "tester" || r.Data["purpose"] != "service" {
		t.Errorf("the resolvers saw %v", r.Data)
	}
}

func TestBodyLimit(t *testing.T) {
	b := serve(t, func(o *GraphQLOptions) { o.Limits.Body = 1000 })
	fits := `{"query":"{hello}","x":"` + strings.Repeat("a", 900) + `"}`
	if r := b.send("POST", "/graphql", fits); r.status != 200 {
		t.Errorf("a body under the limit answered %d", r.status)
	}
	if r := b.send("POST", "/graphql", fits+strings.Repeat(" ", 1000)); r.status != 413 || r.code() != codeBadUserInput {
		t.Errorf("a body over the limit answered %d %s", r.status, r.body)
	}
}

// Nothing that a client sends comes back in an error, in the log, or both.
func TestNothingIsEchoed(t *testing.T) {
	b := serve(t)
	quoted := `\"` + secretValue + `\"`
	for name, c := range map[string]struct{ method, target, body string }{
		"broken JSON":                    {"POST", "/graphql", `{"query":"{hello}","variables":{"e":"` + secretValue + `"`},
		"JSON of the wrong kind":         {"POST", "/graphql", `"` + secretValue + `"`},
		"a query of the wrong kind":      {"POST", "/graphql", `{"query":["` + secretValue + `"]}`},
		"a string where a name is due":   {"POST", "/graphql", `{"query":"{ ` + quoted + ` }"}`},
		"a block string there":           {"POST", "/graphql", `{"query":"{ \"\"\"` + secretValue + `\"\"\" }"}`},
		"an unterminated string":         {"POST", "/graphql", `{"query":"{ echo(text: \"` + secretValue + `) }"}`},
		"a character that cannot be":     {"POST", "/graphql", `{"query":"{ hello ? ` + secretValue + ` }"}`},
		"a bad escape":                   {"POST", "/graphql", `{"query":"{ echo(text: \"\\q` + secretValue + `\") }"}`},
		"a string for an enum":           {"POST", "/graphql", `{"query":"{ find(by: {id: 1}, kind: ` + quoted + `) }"}`},
		"a string for an object":         {"POST", "/graphql", `{"query":"{ find(by: ` + quoted + `) }"}`},
		"a string for an int":            {"POST", "/graphql", `{"query":"{ individuals(first: ` + quoted + `) { totalCount } }"}`},
		"an object for a string":         {"POST", "/graphql", `{"query":"{ echo(text: {a: ` + quoted + `}) }"}`},
		"a list for a string":            {"POST", "/graphql", `{"query":"{ echo(text: [` + quoted + `]) }"}`},
		"a variable for an enum":         {"POST", "/graphql", `{"query":"query($k:Kind){find(by:{id:1},kind:$k)}","variables":{"k":"` + secretValue + `"}}`},
		"a variable for an object":       {"POST", "/graphql", `{"query":"query($l:Lookup!){find(by:$l)}","variables":{"l":"` + secretValue + `"}}`},
		"a field that its type lacks":    {"POST", "/graphql", `{"query":"query($l:Lookup!){find(by:$l)}","variables":{"l":{"` + secretValue + `":1}}}`},
		"a field of the wrong type":      {"POST", "/graphql", `{"query":"query($l:Lookup!){find(by:$l)}","variables":{"l":{"age":"` + secretValue + `"}}}`},
		"a variable for an int":          {"POST", "/graphql", `{"query":"query($f:Int){individuals(first:$f){totalCount}}","variables":{"f":"` + secretValue + `"}}`},
		"an operation's name":            {"POST", "/graphql", `{"query":"{hello}","operationName":"` + secretValue + `"}`},
		"a parameter of the URL":         {"GET", "/graphql?query=%7Bhello%7D&variables=" + url.QueryEscape(secretValue), ""},
		"a query in the URL":             {"GET", "/graphql?query=" + url.QueryEscape(secretValue), ""},
		"what a decoder of gqlgen finds": {"POST", "/graphql", `{"query":"{ decoded(id: ` + quoted + `) }"}`},
		"a panic":                        {"POST", "/graphql", `{"query":"query($e:String!){ panic echo(text:$e) @skip(if:true) }","variables":{"e":"` + secretValue + `"}}`},
		"a resolver's fault":             {"POST", "/graphql", `{"query":"query($e:String!){ fail(kind:\"internal\") echo(text:$e) @skip(if:true) }","variables":{"e":"` + secretValue + `"}}`},
		"a path that is not there":       {"GET", "/graphql/" + secretValue, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := b.send(c.method, c.target, c.body)
			for _, part := range []string{secretValue, "alice", "example.com"} {
				if strings.Contains(r.body, part) {
					t.Errorf("the answer repeats %q: %s", part, r.body)
				}
				if strings.Contains(b.log.String(), part) {
					t.Errorf("the log repeats %q", part)
				}
			}
			if strings.HasPrefix(c.target, "/graphql/") {
				return
			}
			if len(r.Errors) == 0 || r.Errors[0].Message == "" {
				t.Errorf("no error says what is wrong: %s", r.body)
			}
		})
	}
	if strings.Contains(b.log.String(), b.token(time.Hour)) {
		t.Error("the log holds a token")
	}
	if strings.Contains(b.log.String(), "127.0.0.1") {
		t.Error("the log holds an address")
	}
}

// An error says where the fault is, and what would be right.
func TestErrorsHelp(t *testing.T) {
	b := serve(t)
	for query, want := range map[string]string{
		`{"query":"{ helo }"}`:                                                             `Cannot query field "helo" on type "Query". Did you mean "hello"?`,
		`{"query":"{ echo }"}`:                                                             `argument "text" of type "String!" is required`,
		`{"query":"{ echo(text: 7) }"}`:                                                    "String cannot represent a non string value.",
		`{"query":"{ find(by: {id: 1}, kind: WEBB) }"}`:                                    `The value does not exist in "Kind" enum. Did you mean the enum value "WEB"?`,
		`{"query":"{ find(by: {}) }"}`:                                                     `OneOf Input Object "Lookup" must specify exactly one key.`,
		`{"query":"{ find(by: {ids: 1}) }"}`:                                               `Field "ids" is not defined by type "Lookup". Did you mean "id"?`,
		`{"query":"{ hello"}`:                                                              "Expected Name, found <EOF>",
		`{"query":"query($l:Lookup!){find(by:$l)}"}`:                                       "$l: a value is required",
		`{"query":"query($t:String!){echo(text:$t)}","variables":{"t":null}}`:              "$t: must not be null",
		`{"query":"query($l:Lookup!){find(by:$l)}","variables":{"l":{"tags":["a",null]}}}`: "$l.tags[1]: must not be null",
		`{"query":"query($l:Lookup!){find(by:$l)}","variables":{"l":{"nickname":"a"}}}`:    "$l: it has a field that its type does not know",
		`{"query":"query($k:Kind){find(by:{id:1},kind:$k)}","variables":{"k":"PIGEON"}}`:   "$k: the value does not fit its type",
		`{"query":"{ decoded(id: \"x\") }"}`:                                               "id: the value does not fit its type",
		`{"query":"{ decoded(id: \"ours\") }"}`:                                            "id: an id has a prefix",
		`{"query":"{hello}","operationName":"A"}`:                                          "the operation that the request names is not in the document",
		`{"query":"# nothing"}`:                                                            "the document holds no operation",
		`{"query":`:                                                                        "ends too early",
		`{"query":"{hello}",}`:                                                             "breaks at byte 20",
		``:                                                                                 "the request's body is empty",
		`{"query":"{ ` + strings.Repeat("a", 1000) + ` }"}`:                                "…",
	} {
		r := b.send("POST", "/graphql", query)
		if len(r.Errors) == 0 || !strings.Contains(r.Errors[0].Message, want) {
			t.Errorf("%s\n\tanswered %s\n\twant %q", query, r.body, want)
		}
		if r.code() != codeBadUserInput {
			t.Errorf("%s\n\tcode %q", query, r.code())
		}
	}
}

func TestEncodeIsJSON(t *testing.T) {
	b := serve(t)
	r := b.post(`{ hello fail(kind:"conflict") }`)
	var keys map[string]json.RawMessage
	if err := json.Unmarshal([]byte(r.body), &keys); err != nil || len(keys) != 3 {
		t.Errorf("the answer has %d entries, error %v, want data, errors and extensions: %s", len(keys), err, r.body)
	}
}

func TestCORS(t *testing.T) {
	b := serve(t, func(o *GraphQLOptions) { o.Origins = []string{"https://console.example.com"} })
	preflight := func(origin string) *reply {
		return b.send(http.MethodOptions, "/graphql", "", "Origin: "+origin, "Authorization: -",
			"Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization,content-type,acquaint-purpose")
	}
	ours := preflight("https://console.example.com")
	if ours.status != 204 || ours.header.Get("Access-Control-Allow-Origin") != "https://console.example.com" {
		t.Errorf("a configured origin: %d %v", ours.status, ours.header)
	}
	for _, name := range []string{"Authorization", "Content-Type", "Acquaint-Purpose"} {
		if !strings.Contains(ours.header.Get("Access-Control-Allow-Headers"), name) {
			t.Errorf("the header %s is not allowed", name)
		}
	}
	if ours.header.Get("Access-Control-Allow-Credentials") != "" {
		t.Error("credentials are allowed; a token is no cookie")
	}
	for _, origin := range []string{"https://evil.example", "http://console.example.com", "https://console.example.com.evil.example", "null"} {
		if h := preflight(origin).header; h.Get("Access-Control-Allow-Origin") != "" || h.Get("Access-Control-Allow-Headers") != "" {
			t.Errorf("%s is allowed: %v", origin, h)
		}
	}
	if r := b.post("{hello}", "Origin: https://console.example.com"); r.header.Get("Access-Control-Allow-Origin") == "" || !strings.Contains(strings.Join(r.header.Values("Vary"), ","), "Origin") {
		t.Errorf("the answer to a configured origin has the headers %v", r.header)
	}
}

func TestOriginsAreOrigins(t *testing.T) {
	for _, origin := range []string{"*", "console.example.com", "https://console.example.com/", "https://", "ftp://x.example", "https://*.example.com/x", "null"} {
		if _, err := parseOrigins([]string{origin}); err == nil {
			t.Errorf("%q was taken for an origin", origin)
		}
	}
}

func TestHalfPair(t *testing.T) {
	for text, want := range map[string]int{
		`"plain"`: -1, `"\ud83d\ude00"`: -1, `"\uD83D\uDE00\n\\"`: -1, `"\\ud83d"`: -1, `"\\\\ud83d"`: -1, `"\ufffd"`: -1, `{"a":"\\"}`: -1,
		`"\ud83d"`: 1, `"a\ude00\ud83d"`: 2, `"\ud83d\ud83d\ude00"`: 1, `"\ud83dude00"`: 1, `{"\ud83d\n":1}`: 2, `"\\\ud83d"`: 3,
	} {
		if got := halfPair([]byte(text)); got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
}

// FuzzHalfPair: where no half of a pair is found, the decoder puts no other character
// for one.
func FuzzHalfPair(f *testing.F) {
	f.Add(`"\ud83d\ude00"`)
	f.Add(`["\\\ud83d"]`)
	f.Fuzz(func(t *testing.T, text string) {
		var v any
		if !utf8.ValidString(text) || strings.Contains(text, "\ufffd") || strings.Contains(strings.ToLower(text), "fffd") || json.Unmarshal([]byte(text), &v) != nil {
			return
		}
		if strings.Contains(fmt.Sprint(v), "\ufffd") && halfPair([]byte(text)) < 0 {
			t.Errorf("%q: a character was replaced", text)
		}
	})
}

func FuzzDecodeBody(f *testing.F) {
	f.Add([]byte(`{"query":"{hello}","operationName":"A","variables":{"a":1.5e400},"extensions":{}}`))
	f.Add([]byte(`[]`))
	f.Add([]byte(`{"query":null}`))
	f.Add([]byte(`{"query":"\ud83d"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		params, fault := decodeBody(body)
		if (params == nil) == (fault == nil) {
			t.Fatal("neither or both of parameters and a fault")
		}
		if fault == nil {
			return
		}
		if code := fault.Extensions["code"]; code != codeBadUserInput {
			t.Fatalf("code %v", code)
		}
	})
}

func FuzzDecodeQuery(f *testing.F) {
	f.Add("query=%7Bhello%7D&variables=%7B%22a%22%3A1%7D")
	f.Add("query=%zz")
	f.Fuzz(func(t *testing.T, raw string) {
		if params, fault := decodeQuery(raw); (params == nil) == (fault == nil) {
			t.Fatal("neither or both of parameters and a fault")
		}
	})
}
