package graph_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/acquaint/acquaint/graph"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// What a root field is for.
var (
	everybody = insight.Scopes
	readers   = []insight.Scope{insight.ScopeIndividualsRead, insight.ScopeAdmin}
	writers   = []insight.Scope{insight.ScopeInteractionsWrite, insight.ScopeAdmin}
	admins    = []insight.Scope{insight.ScopeAdmin}
	operators = slices.DeleteFunc(slices.Clone(insight.Scopes), func(s insight.Scope) bool { return s == insight.ScopeSelf })
)

// permissions says of every root field which scopes alone are enough for it.
var permissions = []struct {
	field, query string
	scopes       []insight.Scope
	unscoped     bool // a token without any scope is enough
}{
	{"Query.viewer", `{ viewer { subject } }`, everybody, true},
	{"Query.channels", `{ channels { key } }`, everybody, true},
	{"Query.purposes", `{ purposes { key } }`, everybody, true},
	{"Query.sources", `{ sources { name } }`, operators, false},
	{"Query.individual", `{ individual(by: {userId: "ada"}) { id } }`, readers, false},
	{"Query.individuals", `{ individuals(first: 1) { totalCount } }`, readers, false},
	{"Query.node", `{ node(id: "ind_01j2jy8kavfgx9p7hfdp57rqgg") { id } }`, readers, false},
	{"Query.nodes", `{ nodes(ids: ["ses_01j2jy8kavfgx9p7hfdp57rqgg", "int_01j2jy8kavfgx9p7hfdp57rqgg", "lnk_01j2jy8kavfgx9p7hfdp57rqgg"]) { id } }`, readers, false},
	{"Mutation.identify", `mutation { identify(input: {userId: "ada", messageId: "p", occurredAt: "2026-04-01T00:00:00Z"}) { __typename } }`, writers, false},
	{"Mutation.recordInteractions", `mutation { recordInteractions(input: {interactions: [{messageId: "p", userId: "ada", type: "page", occurredAt: "2026-04-01T00:00:00Z"}]}) { accepted } }`, writers, false},
	{"Mutation.merge", `mutation { merge(input: {into: {userId: "dan"}, from: {userId: "dan-shop"}, reason: "p"}) { __typename } }`, admins, false},
	{"Mutation.unmerge", `mutation { unmerge(input: {links: ["lnk_01j2jy8kavfgx9p7hfdp57rqgg"], reason: "p"}) { __typename } }`, admins, false},
	{"Mutation.createSource", `mutation { createSource(input: {name: "p"}) { __typename } }`, admins, false},
	{"Subscription.interactions", `subscription { interactions { id } }`, readers, false},
}

// TestPermissions: each root field asks for exactly its scopes, and all for a token.
func TestPermissions(t *testing.T) {
	a := newAPI(t, testdb.SQLite(t))
	a.people()
	told := map[string]bool{}
	for _, p := range permissions {
		told[p.field] = true
		ask := func(v *insight.Viewer) []insight.Kind {
			a.viewer = v
			var kinds []insight.Kind
			for _, err := range a.begin(p.query) {
				kinds = append(kinds, insight.KindOf(err.Err))
			}
			return kinds
		}
		with := func(scopes ...insight.Scope) *insight.Viewer {
			v := admin()
			v.Scopes = scopes
			return v
		}
		if got := ask(nil); !slices.Equal(got, []insight.Kind{insight.Unauthenticated}) {
			t.Errorf("%s answers nobody with %v", p.field, got)
		}
		if got := ask(with()); slices.Contains(got, insight.Denied) == p.unscoped {
			t.Errorf("%s answers a token without scopes with %v", p.field, got)
		}
		for _, s := range insight.Scopes {
			if got := ask(with(s)); slices.Contains(got, insight.Denied) == slices.Contains(p.scopes, s) {
				t.Errorf("%s answers the scope %s with %v", p.field, s, got)
			}
		}
	}
	schema := graph.New(graph.Options{}).Schema()
	for _, root := range []*ast.Definition{schema.Query, schema.Mutation, schema.Subscription} {
		for _, f := range root.Fields {
			if name := root.Name + "." + f.Name; !strings.HasPrefix(f.Name, "__") && !told[name] {
				t.Errorf("nothing is said of who may ask for %s", name)
			}
		}
	}
}

// TestPurposesWall: what tells of a person needs a purpose that covers them, whatever
// the scopes.
func TestPurposesWall(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		a := newAPI(t, o)
		a.people()
		for _, p := range insight.DefaultPurposes() {
			a.viewer = admin()
			a.viewer.Purpose = p.Key
			data, errs := a.ask(`{ individuals { totalCount } individual(by: {userId: "ada"}) { id } }`, nil)
			found := dig(t, data, "individuals.totalCount") != float64(0)
			if covered := p.PermittedUnasked(); found != covered || (len(errs) == 0) != covered {
				t.Errorf("with no decision recorded, %s reads %v and %v", p.Key, data, errs)
			}
			if !p.PermittedUnasked() && (len(errs) != 1 || insight.KindOf(errs[0].Err) != insight.Withheld) {
				t.Errorf("%s is answered with %v, want that they are withheld", p.Key, errs)
			}
		}
	})
}
