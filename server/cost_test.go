package server

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/validator/rules"
	"pgregory.net/rapid"
)

func priceOf(t interface {
	Helper()
	Fatalf(string, ...any)
}, w *world, query string, variables map[string]any) int {
	t.Helper()
	document, errs := gqlparser.LoadQueryWithRules(w.schema, query, rules.NewDefaultRules())
	if errs != nil {
		t.Fatalf("%s: %v", query, errs)
	}
	p := pricing{schema: w.schema, fragments: document.Fragments, variables: variables}
	return p.operation(document.Operations[0])
}

func TestCost(t *testing.T) {
	w := newWorld()
	for query, want := range map[string]int{
		// The example of the package's documentation.
		`{ individuals(first: 20) { nodes { id interactions(first: 20) { nodes { type channel { key } } } } } }`: 841,

		`{ hello }`:                                      0,
		`{ hello __typename }`:                           0,
		`{ individual { id } }`:                          1,
		`{ report { total } }`:                           507,
		`{ report { channels { key } } }`:                501, // a list of objects that lead nowhere: one, with its parent
		`{ individual { links { id } } }`:                2,
		`{ individual { links { a { id } b { id } } } }`: 1 + 1 + 10*2,

		// Pages: the default, either argument, both shapes of a connection, and what comes with a page.
		`{ individuals { nodes { id } } }`:                                                   21,
		`{ individuals(first: 7) { nodes { id } } }`:                                         8,
		`{ individuals(last: 7) { nodes { id } } }`:                                          8,
		`{ individuals(first: 7) { edges { cursor node { id } } } }`:                         8,
		`{ individuals(first: 7) { pageInfo { hasNextPage } } }`:                             1,
		`{ individuals(first: 7) { totalCount } }`:                                           11,
		`{ individuals(first: 0) { nodes { id } } }`:                                         1,
		`{ individuals(first: -5) { nodes { id } } }`:                                        1,
		`{ individuals(first: 100) { nodes { id } } }`:                                       101,
		`{ individuals(first: 1000000) { nodes { id } } }`:                                   101, // refused by the field itself
		`{ individuals(first: 2) { nodes { id } edges { cursor } } }`:                        5,
		`{ individuals(first: 5) { nodes { interactions { nodes { channel { key } } } } } }`: 1 + 5*(1+1+20*2),

		// One name in the answer is one field, however often it is asked for.
		`{ individual { id } individual { id } }`:                                                                              1,
		`{ individual { interactions { nodes { id } } interactions { nodes { type } } } }`:                                     1 + 1 + 20,
		`{ a: individual { id } b: individual { id } }`:                                                                        2,
		`{ ...F ...F } fragment F on Query { individual { id } }`:                                                              1,
		`{ ...F individual { ...G } } fragment F on Query { individual { ...G } } fragment G on Individual { friends { id } }`: 2,

		// The dearest of the types that an object may have.
		`{ node(id: 1) { id } }`: 1,
		`{ node(id: 1) { ... on Individual { interactions(first: 10) { nodes { id } } } ... on Link { a { id } } } }`: 1 + 1 + 10,
		`{ node(id: 1) { ... on Node { ... on Link { a { id } b { id } } } } }`:                                       3,
		`{ nodes(ids: [1, 2, 3]) { id } }`:                                1,
		`{ nodes(ids: [1, 2, 3]) { ... on Link { a { id } b { id } } } }`: 1 + 3*2,

		// What is left out costs nothing.
		`{ individual @skip(if: true) { id } }`:             0,
		`{ individual @include(if: false) { id } }`:         0,
		`{ ... @include(if: false) { individual { id } } }`: 0,
		`{ individual @skip(if: false) { id } }`:            1,
		`{ __schema { types { fields { name } } } }`:        0,
		`mutation { greet }`:                                0,
		`subscription { ticks(n: 3) }`:                      0,
	} {
		if got := priceOf(t, w, query, nil); got != want {
			t.Errorf("%s costs %d, want %d", query, got, want)
		}
	}
	page := `query($n: Int, $show: Boolean!) { individuals(first: $n) @include(if: $show) { nodes { id } } }`
	for _, c := range []struct {
		variables map[string]any
		want      int
	}{
		{map[string]any{"n": int64(30), "show": true}, 31},
		{map[string]any{"n": nil, "show": true}, 21},
		{map[string]any{"show": true}, 21},
		{map[string]any{"n": int64(math.MaxInt64), "show": true}, 101},
		{map[string]any{"n": int64(30), "show": false}, 0},
	} {
		if got := priceOf(t, w, page, c.variables); got != c.want {
			t.Errorf("with %v it costs %d, want %d", c.variables, got, c.want)
		}
	}
}

// A fragment that spreads another twice, and so on, doubles with each level.
func bomb(levels int) string {
	var b strings.Builder
	b.WriteString("{ individual { ...F0 } }")
	for i := range levels {
		fmt.Fprintf(&b, " fragment F%d on Individual { a: friends { ...F%d } b: friends { ...F%d } }", i, i+1, i+1)
	}
	fmt.Fprintf(&b, " fragment F%d on Individual { id }", levels)
	return b.String()
}

func TestCostOfABombIsFoundInTime(t *testing.T) {
	w := newWorld()
	if got := priceOf(t, w, bomb(40), nil); got != dearest {
		t.Errorf("a bomb of forty levels costs %d, want the most there is", got)
	}
	if got := priceOf(t, w, bomb(2), nil); got != 1+2*(1+10*2) {
		t.Errorf("a bomb of two levels costs %d, want 43", got)
	}
}

// selection draws what is asked of an individual.
func selection(depth int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		var parts []string
		for i := range rapid.IntRange(1, 3).Draw(t, "fields") {
			below := "id"
			if depth > 0 {
				below = selection(depth-1).Draw(t, "below")
			}
			first := rapid.IntRange(0, 120).Draw(t, "first")
			parts = append(parts, rapid.SampledFrom([]string{
				"id",
				fmt.Sprintf("f%d: friends { %s }", i, below),
				fmt.Sprintf("l%d: links { a { %s } }", i, below),
				fmt.Sprintf("i%d: interactions(first: %d) { nodes { individual { %s } } }", i, first, below),
				fmt.Sprintf("e%d: interactions(last: %d) { edges { node { individual { %s } } } }", i, first, below),
			}).Draw(t, "field"))
		}
		return strings.Join(parts, " ")
	})
}

func TestCostLaws(t *testing.T) {
	w := newWorld()
	rapid.Check(t, func(t *rapid.T) {
		a, b := selection(3).Draw(t, "a"), selection(3).Draw(t, "b")
		cost := func(format string, parts ...any) int { return priceOf(t, w, fmt.Sprintf(format, parts...), nil) }
		one := cost("{ individual { %s } }", a)
		if one < 1 || one > dearest {
			t.Fatalf("the cost %d is out of range", one)
		}
		if twice := cost("{ individual { %s } individual { %s } }", a, a); twice != one {
			t.Fatalf("asking twice costs %d, once %d", twice, one)
		}
		if spread := cost("{ individual { ...F } } fragment F on Individual { %s }", a); spread != one {
			t.Fatalf("by a fragment it costs %d, in place %d", spread, one)
		}
		other := cost("{ individual { %s } }", b)
		if sum := cost("{ x: individual { %s } y: individual { %s } }", a, b); sum != min(one+other, dearest) {
			t.Fatalf("two answers cost %d, apart %d and %d", sum, one, other)
		}
	})
}

func TestCostLimit(t *testing.T) {
	b := serve(t, func(o *GraphQLOptions) { o.Limits.Cost = 100 })
	cost := func(r *reply) map[string]any { c, _ := r.Extensions["cost"].(map[string]any); return c }

	within := b.post(`{ individuals(first: 99) { nodes { id } } }`)
	if within.status != 200 || within.Errors != nil || cost(within)["requested"] != 100.0 || cost(within)["limit"] != 100.0 {
		t.Errorf("an operation at the limit answered %d %s", within.status, within.body)
	}
	over := b.post(`{ individuals(first: 100) { nodes { id } } }`)
	if over.status != 400 || over.code() != codeCostLimit || over.hasData || cost(over)["requested"] != 101.0 || cost(over)["limit"] != 100.0 {
		t.Errorf("an operation over the limit answered %d %s", over.status, over.body)
	}
	if inError, _ := over.Errors[0].Extensions["cost"].(map[string]any); inError["requested"] != 101.0 {
		t.Errorf("the error says %v", over.Errors[0].Extensions)
	}
	if r := b.post(`{ individuals(first: 100) { nodes { id } } }`, "Accept: application/json"); r.status != 200 || r.code() != codeCostLimit {
		t.Errorf("over the limit, legacy: %d %s", r.status, r.body)
	}
	if r := b.post(`{ fail(kind: "internal") }`); cost(r)["requested"] != 0.0 {
		t.Errorf("a failure does not say its cost: %s", r.body)
	}
}
