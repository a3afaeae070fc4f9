package graph_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// ofSegments says that a field is about segments, whose oracle is TestSegmentsLeak's.
func ofSegments(def *ast.Definition, f *ast.FieldDefinition) bool {
	if slices.Contains([]string{"Segment", "SegmentConnection", "SegmentEdge", "SegmentPreview", "Membership", "MembershipConnection", "MembershipEdge", "MembershipChange", "Reason", "Destination"}, def.Name) {
		return true
	}
	return slices.Contains([]string{"Query.segment", "Query.segments", "Query.segmentPreview", "Query.destinations", "Individual.memberships", "Subscription.membershipChanges"}, def.Name+"."+f.Name)
}

func ofSegmentsInput(name string, f *ast.FieldDefinition) bool {
	return name+"."+f.Name == "IndividualFilter.segment"
}

// compute computes the segments that are to be computed.
func (a *api) compute() {
	a.t.Helper()
	for more := true; more; {
		var err error
		if more, err = a.store.Draft(context.Background()); err != nil {
			a.t.Fatal(insight.Detail(err))
		}
	}
}

// TestSegmentsLeak: whoever denies, withdraws, grants, is merged or erased, what is told
// of segments is of those whom the purpose covers then, by plain loops over what was
// said, in every field that tells of members.
func TestSegmentsLeak(t *testing.T) {
	for seed := range uint64(3) {
		testdb.Each(t, func(t *testing.T, o store.Options) { segmentsLeak(t, o, rand.New(rand.NewPCG(seed, 1))) })
	}
}

func segmentsLeak(t *testing.T, o store.Options, random *rand.Rand) {
	a := newAPI(t, o)
	const purposes = "analytics personalization"
	for _, p := range strings.Fields(purposes) {
		a.must(`mutation($k: String!, $p: String!) { createSegment(input: {key: $k, name: $k, purpose: $p, rule: {event: {event: {types: ["purchase"]}}}}) { segment { id } } }`,
			map[string]any{"k": "bought-" + p, "p": p})
	}
	a.compute()
	type person struct {
		bought  bool
		may     map[string]bool // as they said
		started map[string]bool // whether they had said yes when they bought
	}
	people := map[string]*person{}
	for step := range 60 {
		user := fmt.Sprintf("u%d", random.IntN(8))
		p := people[user]
		if p == nil {
			p = &person{may: map[string]bool{"analytics": true}, started: map[string]bool{}}
			people[user] = p
		}
		switch random.IntN(4) {
		case 0, 1:
			a.tell("api", map[string]any{"messageId": fmt.Sprint("m", step), "userId": user, "type": "purchase", "occurredAt": fmt.Sprintf("2026-04-01T00:%02d:00Z", step), "value": 1, "currency": "EUR"})
			if p.may["analytics"] { // else nothing is kept
				p.bought = true
				for purpose, may := range p.may {
					p.started[purpose] = p.started[purpose] || may
				}
			}
		default:
			purpose := strings.Fields(purposes)[random.IntN(2)]
			decision := []string{"GRANTED", "DENIED"}[random.IntN(2)]
			a.must(`mutation($u: String!, $p: String!, $d: ConsentDecision!, $e: Time!) { recordConsents(input: {individual: {userId: $u}, consents: [{purpose: $p, decision: $d, effectiveAt: $e}]}) { __typename } }`,
				map[string]any{"u": user, "p": purpose, "d": decision, "e": fmt.Sprintf("2026-04-01T00:%02d:30Z", step)})
			p.may[purpose] = decision == "GRANTED"
		}
		if step%10 == 9 {
			a.must(`mutation($u: String!) { erase(input: {individual: {userId: $u}, reason: "they asked"}) { __typename } }`, map[string]any{"u": user})
			delete(people, user)
		}
		for _, purpose := range strings.Fields(purposes) {
			want := []string{}
			for name, one := range people {
				if one.bought && one.may[purpose] && one.started[purpose] {
					want = append(want, name)
				}
			}
			slices.Sort(want)
			a.viewer = admin()
			a.viewer.Purpose = purpose
			for _, q := range []struct{ what, query, path string }{
				{"members", `{ segment(key: "bought-%s") { members(first: 100) { nodes { individual { identifiers { value } } why { holds } } totalCount } size } }`, "segment.members.nodes"},
				{"filter", `{ individuals(where: {segment: "bought-%s"}, first: 100) { nodes { identifiers { value } memberships { segment { key } } } } }`, "individuals.nodes"},
				{"sample", `{ segmentPreview(rule: {segment: "bought-%[1]s"}, purpose: "%[1]s") { size sample(first: 100) { identifiers { value } } } }`, "segmentPreview.sample"},
			} {
				data := a.must(fmt.Sprintf(q.query, purpose), nil)
				got := []string{}
				for _, one := range dig(a.t, data, q.path).([]any) { //nolint:forcetypeassert // a list
					if m, is := one.(map[string]any); is && m["individual"] != nil { //nolint:forcetypeassert // objects
						one = m["individual"]
					}
					got = append(got, dig(a.t, one.(map[string]any), "identifiers.0.value").(string)) //nolint:forcetypeassert // objects
				}
				slices.Sort(got)
				if !slices.Equal(got, want) {
					t.Fatalf("step %d, %s for %s: %v, want %v", step, q.what, purpose, got, want)
				}
			}
			data := a.must(fmt.Sprintf(`{ segment(key: "bought-%s") { size } }`, purpose), nil)
			if size := dig(a.t, data, "segment.size"); size != float64(len(want)) {
				t.Fatalf("step %d, for %s the size is %v, want %d", step, purpose, size, len(want))
			}
			a.viewer = &insight.Viewer{Subject: "analyst", Scopes: []insight.Scope{insight.ScopeInsightsRead}, Purposes: []string{purpose}}
			if size := dig(a.t, a.must(fmt.Sprintf(`{ segment(key: "bought-%s") { size } }`, purpose), nil), "segment.size"); size != nil && len(want) > 0 {
				t.Fatalf("an analyst is told of %v", size)
			}
			a.viewer = admin()
		}
	}
	if v, err := a.store.Verify(context.Background(), nil); err != nil || v.Total > 0 {
		t.Fatal(err, v.Differences)
	}
}
