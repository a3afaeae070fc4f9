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
	everybody  = insight.Scopes
	readers    = []insight.Scope{insight.ScopeIndividualsRead, insight.ScopeAdmin, insight.ScopeSelf}
	analysts   = []insight.Scope{insight.ScopeInsightsRead, insight.ScopeAdmin}
	officers   = []insight.Scope{insight.ScopeConsentWrite, insight.ScopeAdmin}
	deciders   = []insight.Scope{insight.ScopeConsentWrite, insight.ScopeAdmin, insight.ScopeSelf}
	clerks     = []insight.Scope{insight.ScopeRequestsWrite, insight.ScopeAdmin, insight.ScopeSelf}
	writers    = []insight.Scope{insight.ScopeInteractionsWrite, insight.ScopeAdmin}
	counters   = []insight.Scope{insight.ScopeIndividualsRead, insight.ScopeInsightsRead, insight.ScopeAdmin}
	engagers   = []insight.Scope{insight.ScopeEngageWrite, insight.ScopeAdmin}
	segmenters = []insight.Scope{insight.ScopeSegmentsWrite, insight.ScopeAdmin}
	admins     = []insight.Scope{insight.ScopeAdmin}
	operators  = slices.DeleteFunc(slices.Clone(insight.Scopes), func(s insight.Scope) bool { return s == insight.ScopeSelf })
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
	{"Mutation.definePurpose", `mutation { definePurpose(input: {key: "p", name: "P", description: "", legalBasis: CONSENT}) { __typename } }`, officers, false},
	{"Mutation.recordConsents", `mutation { recordConsents(input: {individual: {userId: "ada"}, consents: [{purpose: "marketing", decision: GRANTED}]}) { __typename } }`, deciders, false},
	{"Mutation.withdrawConsent", `mutation { withdrawConsent(input: {individual: {userId: "ada"}, purposes: ["marketing"]}) { __typename } }`, deciders, false},
	{"Mutation.requestExport", `mutation { requestExport(input: {individual: {userId: "ada"}}) { __typename } }`, clerks, false},
	{"Mutation.erase", `mutation { erase(input: {individual: {userId: "nobody"}, reason: "p"}) { __typename } }`, clerks, false},
	{"Mutation.rectify", `mutation { rectify(input: {individual: {userId: "ada"}, traits: {plan: "gold"}}) { __typename } }`, clerks, false},
	{"Mutation.object", `mutation { object(input: {individual: {userId: "ada"}}) { __typename } }`, clerks, false},
	{"Query.insights", `{ insights { consents { population } } }`, analysts, false},
	{"Query.destinations", `{ destinations { id } }`, engagers, false},
	{"Mutation.createDestination", `mutation { createDestination(input: {name: "p", url: "https://example.com/", purpose: "analytics"}) { __typename } }`, engagers, false},
	{"Mutation.updateDestination", `mutation { updateDestination(input: {id: "dst_01j2jy8kavfgx9p7hfdp57rqgg"}) { __typename } }`, engagers, false},
	{"Mutation.rotateDestinationSecret", `mutation { rotateDestinationSecret(input: {id: "dst_01j2jy8kavfgx9p7hfdp57rqgg"}) { __typename } }`, engagers, false},
	{"Mutation.enableDestination", `mutation { enableDestination(input: {id: "dst_01j2jy8kavfgx9p7hfdp57rqgg"}) { __typename } }`, engagers, false},
	{"Mutation.deleteDestination", `mutation { deleteDestination(input: {id: "dst_01j2jy8kavfgx9p7hfdp57rqgg"}) { __typename } }`, engagers, false},
	{"Mutation.redeliver", `mutation { redeliver(input: {id: "dlv_01j2jy8kavfgx9p7hfdp57rqgg"}) { __typename } }`, engagers, false},
	{"Query.segment", `{ segment(key: "all") { key size } }`, operators, false},
	{"Query.segments", `{ segments(first: 1) { totalCount } }`, operators, false},
	{"Query.segmentPreview", `{ segmentPreview(rule: {everyone: true}, purpose: "analytics") { size } }`, counters, false},
	{"Mutation.createSegment", `mutation { createSegment(input: {key: "p", name: "P", purpose: "analytics", rule: {everyone: true}}) { __typename } }`, segmenters, false},
	{"Mutation.updateSegment", `mutation { updateSegment(input: {segment: "p", name: "Q"}) { __typename } }`, segmenters, false},
	{"Mutation.archiveSegment", `mutation { archiveSegment(input: {segment: "p"}) { __typename } }`, segmenters, false},
	{"Query.experience", `{ experience(key: "p") { key } }`, operators, false},
	{"Query.experiences", `{ experiences { key } }`, operators, false},
	{"Mutation.createExperience", `mutation { createExperience(input: {key: "p", name: "P", purpose: "analytics", variants: [{key: "a", benefit: "b"}]}) { __typename } }`, engagers, false},
	{"Mutation.updateExperience", `mutation { updateExperience(input: {experience: "p", name: "Q"}) { __typename } }`, engagers, false},
	{"Mutation.decide", `mutation { decide(input: {experience: "p", individual: {userId: "ada"}}) { reason } }`, engagers, false},
	{"Mutation.recordDecisions", `mutation { recordDecisions(input: {experience: "p", decisions: [{messageId: "p", userId: "ada", decidedAt: "2026-04-01T00:00:00Z"}]}) { accepted } }`, engagers, false},
	{"Mutation.archiveExperience", `mutation { archiveExperience(input: {experience: "p"}) { __typename } }`, engagers, false},
	{"Subscription.membershipChanges", `subscription { membershipChanges(segment: "p") { id } }`, readers, false},
	{"Subscription.interactions", `subscription { interactions { id } }`, readers, false},
	{"Subscription.consentChanges", `subscription { consentChanges { id } }`, readers, false},
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
			if covered := p.LegalBasis.Unasked(); found != covered || (len(errs) == 0) != covered {
				t.Errorf("with no decision recorded, %s reads %v and %v", p.Key, data, errs)
			}
			if !p.LegalBasis.Unasked() && (len(errs) != 1 || insight.KindOf(errs[0].Err) != insight.Withheld) {
				t.Errorf("%s is answered with %v, want that they are withheld", p.Key, errs)
			}
		}
	})
}
