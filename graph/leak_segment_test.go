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

// ofSegments says that a field is about segments or experiences, whose oracle is
// TestSegmentsLeak's.
func ofSegments(def *ast.Definition, f *ast.FieldDefinition) bool {
	if slices.Contains([]string{"Segment", "SegmentConnection", "SegmentEdge", "SegmentPreview", "Membership", "MembershipConnection", "MembershipEdge", "MembershipChange", "Reason", "Destination", "Experience", "ExperienceVariant", "UpliftReport", "UpliftGroup"}, def.Name) {
		return true
	}
	return slices.Contains([]string{"Query.segment", "Query.segments", "Query.segmentPreview", "Query.destinations", "Individual.memberships", "Subscription.membershipChanges", "Query.experience", "Query.experiences", "Insights.uplift"}, def.Name+"."+f.Name)
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
// said, in every field that tells of members; and so is what is decided about them, and
// counted of that.
func TestSegmentsLeak(t *testing.T) {
	for seed := range uint64(3) {
		testdb.Each(t, func(t *testing.T, o store.Options) { segmentsLeak(t, o, rand.New(rand.NewPCG(seed, 1))) })
	}
}

// offers tells why something, or nothing, is offered to somebody.
func (a *api) offers(experience, purpose, user string) string {
	a.t.Helper()
	v := a.viewer
	defer func() { a.viewer = v }()
	a.viewer = admin()
	a.viewer.Purpose = purpose
	data := a.must(`mutation($e: String!, $u: String!) { decide(input: {experience: $e, individual: {userId: $u}}) { reason traits { key } individualId } }`, map[string]any{"e": experience, "u": user})
	reason := dig(a.t, data, "decide.reason").(string) //nolint:forcetypeassert // an enum
	if id := dig(a.t, data, "decide.individualId"); id != nil && (reason == "NOT_COVERED" || reason == "UNKNOWN") {
		a.t.Fatalf("of one who is %s the id is told: %v", reason, id)
	}
	return reason
}

func segmentsLeak(t *testing.T, o store.Options, random *rand.Rand) {
	a := newAPI(t, o)
	const purposes = "analytics personalization"
	for _, p := range strings.Fields(purposes) {
		a.must(`mutation($k: String!, $p: String!) { createSegment(input: {key: $k, name: $k, purpose: $p, rule: {event: {event: {types: ["purchase"]}}}}) { segment { id } } }`,
			map[string]any{"k": "bought-" + p, "p": p})
	}
	a.compute()
	for _, p := range strings.Fields(purposes) {
		a.must(`mutation($k: String!, $p: String!) { createExperience(input: {key: $k, name: $k, purpose: $p, holdout: 0.5, variants: [{key: "thanks", benefit: "a word of thanks", segment: $k}]}) { experience { id } } }`,
			map[string]any{"k": "bought-" + p, "p": p})
	}
	type person struct {
		decided map[string]bool // whether something was decided about them
		bought  bool
		may     map[string]bool // as they said
		started map[string]bool // whether they had said yes when they bought
	}
	people := map[string]*person{}
	for step := range 60 {
		user := fmt.Sprintf("u%d", random.IntN(8))
		p := people[user]
		if p == nil {
			p = &person{may: map[string]bool{"analytics": true}, started: map[string]bool{}, decided: map[string]bool{}}
			people[user] = p
			if random.IntN(2) == 0 { // nothing is known of them yet
				for _, purpose := range strings.Fields(purposes) {
					if reason := a.offers("bought-"+purpose, purpose, user); reason != "UNKNOWN" {
						t.Fatalf("step %d, of nobody is decided: %s", step, reason)
					}
				}
			}
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
			// Of the same one no more than once: what nobody answers would end it.
			if p := people[user]; p != nil && !p.decided[purpose] {
				expected := []string{"NOT_COVERED"}
				switch {
				case !p.may["analytics"] || !p.may[purpose]: // nothing is kept, or the purpose does not cover them
				case slices.Contains(want, user):
					expected = []string{"OFFERED", "HOLDOUT"}
				default:
					expected = []string{"NOT_ELIGIBLE"}
				}
				reason := a.offers("bought-"+purpose, purpose, user)
				// Who is not eligible is told so before anything would be kept.
				if early := !p.may["analytics"] && p.may[purpose] && !slices.Contains(want, user); early {
					expected = append(expected, "NOT_ELIGIBLE")
				}
				if !slices.Contains(expected, reason) {
					t.Fatalf("step %d, for %s about %s is decided %s, want %s", step, purpose, user, reason, expected)
				}
				p.decided[purpose] = reason == "OFFERED" || reason == "HOLDOUT"
			}
			assigned := 0
			for _, one := range people {
				if one.decided[purpose] && one.may[purpose] {
					assigned++
				}
			}
			data := a.must(fmt.Sprintf(`{ insights { uplift(experience: "bought-%s", outcome: {types: ["purchase"]}) { groups { treated holdout pending } } } }`, purpose), nil)
			if pending := dig(a.t, data, "insights.uplift.groups.0.pending"); pending != float64(assigned) {
				t.Fatalf("step %d, for %s %v were assigned, want %d", step, purpose, pending, assigned)
			}
			data = a.must(fmt.Sprintf(`{ segment(key: "bought-%s") { size } }`, purpose), nil)
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
