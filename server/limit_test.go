package server

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/parser"

	"github.com/vektah/gqlparser/v2/ast"
)

func nested(levels int) string {
	return "{ individual { " + strings.Repeat("friends { ", levels-2) + "id" + strings.Repeat(" }", levels-2) + " } }"
}

func fields(n int, field string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " a%d: %s", i, field)
	}
	return "{" + b.String() + " }"
}

func TestLimits(t *testing.T) {
	b := serve(t, func(o *GraphQLOptions) {
		o.Limits = Limits{Depth: 6, Aliases: 10, RootFields: 5, Tokens: 200, Cost: 1 << 30}
	})
	for _, c := range []struct {
		name, query string
		refused     string // a part of the message; "" when it is let through
	}{
		{"deep enough", nested(6), ""},
		{"too deep", nested(7), "7 levels deep; 6 are allowed"},
		{"too deep by fragments", "{ individual { ...A } } fragment A on Individual { friends { friends { ...B } } } fragment B on Individual { friends { friends { friends { id } } } }", "7 levels deep"},
		{"too deep in an inline fragment", "{ individual { ... on Individual { friends { friends { friends { ... { friends { friends { id } } } } } } } } }", "7 levels deep"},
		{"many aliases", "{ individual { " + strings.Trim(fields(10, "id"), "{}") + " } }", ""},
		{"too many aliases", "{ individual { " + strings.Trim(fields(11, "id"), "{}") + " } }", "11 aliases; 10 are allowed"},
		{"too many aliases by spreading them", "{ individual { x: friends { ...A } y: friends { ...A } z: friends { ...A } } } fragment A on Individual { a: id b: id c: id }", "12 aliases"},
		{"too many aliases in introspection", "{ __schema { " + strings.Trim(fields(11, "types { name }"), "{}") + " } }", "11 aliases"},
		{"many roots", fields(5, "hello"), ""},
		{"too many roots", fields(6, "hello"), "6 fields at the top; 5 are allowed"},
		{"too many roots by fragments", "{ ...A ...A ...A } fragment A on Query { hello whoami }", "6 fields at the top"},
		{"too many words", "{ " + strings.Repeat("hello ", 300) + "}", "token limit"},
		{"many of one name", "{ " + strings.Repeat("hello ", 150) + "}", "150 fields at the top"},
		{"introspection is deep by nature", "{ __schema { types { fields { type { ofType { ofType { ofType { ofType { name } } } } } } } } }", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := b.post(c.query)
			if c.refused == "" {
				if r.status != 200 || r.Errors != nil {
					t.Errorf("answered %d %s", r.status, r.body)
				}
				return
			}
			if r.status != 400 || r.code() != codeBadUserInput || r.hasData || !strings.Contains(r.Errors[0].Message, c.refused) {
				t.Errorf("answered %d %s, want %q", r.status, r.body, c.refused)
			}
		})
	}
}

func TestOneNameTooOften(t *testing.T) {
	b := serve(t)
	for query, want := range map[string]string{
		"{ individual { " + strings.Repeat("id ", 250) + "} }":                                              "",
		"{ individual { " + strings.Repeat("id ", 251) + "} }":                                              "one name 251 times; 250 are allowed",
		"{ individual { " + strings.Repeat("...F ", 251) + "} } fragment F on Individual { id }":            "one name 251 times",
		"{ individual { ...F ... { " + strings.Repeat("id ", 250) + "} } } fragment F on Individual { id }": "one name 251 times",
	} {
		r := b.post(query)
		if want == "" && r.Errors != nil || want != "" && (r.status != 400 || r.code() != codeBadUserInput || !strings.Contains(r.Errors[0].Message, want)) {
			t.Errorf("answered %d %s, want %q", r.status, r.body, want)
		}
	}
}

func TestDefaultLimits(t *testing.T) {
	want := Limits{Body: 1 << 20, Tokens: 5000, Depth: 15, Aliases: 30, RootFields: 20, Cost: 25_000, Time: 10 * time.Second, Operations: 100}
	if got := (Limits{}).withDefaults(); got != want {
		t.Errorf("the defaults are %+v, want %+v", got, want)
	}
	own := Limits{Body: 1, Tokens: 2, Depth: 3, Aliases: 4, RootFields: 5, Cost: 6, Time: 7, Operations: 8}
	if got := own.withDefaults(); got != own {
		t.Errorf("what is set becomes %+v", got)
	}
}

func TestIntrospectionCanBeSwitchedOff(t *testing.T) {
	const query = `{ __schema { queryType { name } } }`
	if r := serve(t).post(query); r.status != 200 || r.Errors != nil {
		t.Errorf("switched on: %d %s", r.status, r.body)
	}
	off := serve(t, func(o *GraphQLOptions) { o.Introspection = false })
	for _, q := range []string{query, `{ __type(name: "Query") { name } }`, `{ ...F } fragment F on Query { __schema { queryType { name } } }`} {
		if r := off.post(q); r.status != 403 || r.code() != codeForbidden || r.hasData {
			t.Errorf("switched off, %s: %d %s", q, r.status, r.body)
		}
	}
	if r := off.post(`{ __typename }`); r.status != 200 || r.Errors != nil {
		t.Errorf("__typename is no introspection: %d %s", r.status, r.body)
	}
	if r := off.post(`{ helo }`); strings.Contains(r.body, "hello") {
		t.Errorf("a suggestion tells the schema: %s", r.body)
	}
}

func TestOneOfHoldsForVariables(t *testing.T) {
	b := serve(t)
	for variables, want := range map[string]string{
		`{"by":{"id":"1"}}`:                               "",
		`{"name":"x","any":[]}`:                           "",
		`{"by":{"id":"1","email":"` + secretValue + `"}}`: "$r.by: exactly one",
		`{"by":{}}`:                         "$r.by: exactly one",
		`{"by":{"id":null}}`:                "$r.by: exactly one",
		`{"any":{"by":{"id":"1","age":2}}}`: "$r.any.by: exactly one",
		`{"by":null}`:                       "",
		`{"any":[{"name":"x"},{"any":[{"by":{"id":"1","age":2}}]}]}`: "$r.any[1].any[0].by: exactly one",
		`{"any":[{"name":"x"},{"any":[{"by":{"id":"1"}}]}]}`:         "",
	} {
		r := b.send("POST", "/graphql", `{"query":"query($r:Rule!){search(by:$r)}","variables":{"r":`+variables+`}}`)
		if want == "" {
			if r.status != 200 || r.Errors != nil {
				t.Errorf("%s answered %d %s", variables, r.status, r.body)
			}
			continue
		}
		if r.status != 400 || r.code() != codeBadUserInput || !strings.HasPrefix(r.Errors[0].Message, want) || strings.Contains(r.body, secretValue) {
			t.Errorf("%s answered %d %s, want %q", variables, r.status, r.body, want)
		}
	}
}

func TestMeasureLooksAtEachFragmentOnce(t *testing.T) {
	document, err := parser.ParseQuery(&ast.Source{Input: bomb(60)})
	if err != nil {
		t.Fatal(err)
	}
	s := measure(document.Fragments, document.Operations[0])
	if s.depth != 62 || s.aliases < 1<<60 {
		t.Errorf("the bomb of sixty levels is %d deep with %d aliases", s.depth, s.aliases)
	}
}
