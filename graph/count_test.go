package graph_test

import (
	"fmt"
	"testing"

	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// TestTotalCountIsOfTheWholeList: how long a list is does not depend on the page that is
// asked for, nor on whether it is told by the page, by the digests, or by counting.
func TestTotalCountIsOfTheWholeList(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		a := newAPI(t, o)
		var all []map[string]any
		for n := range 24 { // an hour lies between two of them, so that each is a session
			x := visit(n*60, map[string]any{"userId": fmt.Sprint("u", n%2)})
			if n%3 == 0 {
				x["type"], x["properties"] = "bought", map[string]any{"n": n}
			}
			all = append(all, x)
		}
		a.record(all...)
		check := func() {
			t.Helper()
			for _, c := range []struct {
				where string
				want  int
			}{
				{"", 12},
				{`where: {types: ["bought"]}`, 4},
				{`where: {types: ["never"]}`, 0},
				{`where: {properties: [{path: "n", op: LT, value: 12}]}`, 2},
			} {
				for _, page := range []string{"first: 1", "first: 3", "last: 4", "first: 12", "last: 12", "first: 100"} {
					answer := a.must(fmt.Sprintf(`{ individuals(first: 10) { nodes {
						interactions(%s %s) { totalCount pageInfo { endCursor } } sessions(%[2]s) { totalCount pageInfo { endCursor } } } } }`, c.where, page), nil)
					for n := range 2 {
						node := fmt.Sprintf("individuals.nodes.%d.", n)
						if got := dig(t, answer, node+"interactions.totalCount"); got != float64(c.want) {
							t.Errorf("%s, %s: there are %v interactions, want %d", c.where, page, got, c.want)
						}
						if got := dig(t, answer, node+"sessions.totalCount"); got != float64(12) {
							t.Errorf("%s: there are %v sessions, want 12", page, got)
						}
					}
					if c.want < 12 {
						continue
					}
					// After the end of the first's list, and of nothing before it, nothing is left.
					end := dig(t, answer, "individuals.nodes.0.interactions.pageInfo.endCursor")
					rest := a.must(`query($c: Cursor) { individuals(first: 1) { nodes { interactions(first: 50, after: $c) { totalCount }
						before: interactions(first: 50, before: $c) { totalCount } } } }`, map[string]any{"c": end})
					for _, list := range []string{"interactions", "before"} {
						if got := dig(t, rest, "individuals.nodes.0."+list+".totalCount"); got != float64(12) {
							t.Errorf("%s beside %s: there are %v, want 12", list, page, got)
						}
					}
				}
			}
		}
		check()
		for {
			n, err := a.store.Digest(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				break
			}
		}
		check()
	})
}
