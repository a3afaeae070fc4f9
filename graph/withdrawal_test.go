package graph_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"golang.org/x/sync/errgroup"

	"github.com/acquaint/acquaint/graph"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// everything selects every field of a type that needs no argument, and lists with their
// first page, so that a new field is looked at by itself.
func everything(schema *ast.Schema, name string, depth int) string {
	var b strings.Builder
	b.WriteString("{ __typename ")
	for _, f := range schema.Types[name].Fields {
		if strings.HasPrefix(f.Name, "__") {
			continue
		}
		arguments, asked := "", true
		for _, a := range f.Arguments {
			switch {
			case a.Name == "first":
				arguments = "(first: 100)"
			case a.Name == "purpose" && a.Type.NonNull:
				arguments = `(purpose: "marketing")`
			case a.Type.NonNull:
				asked = false
			}
		}
		inner := schema.Types[f.Type.Name()]
		composite := inner.Kind == ast.Object || inner.Kind == ast.Interface
		if !asked || composite && depth == 0 {
			continue
		}
		b.WriteString(f.Name + arguments + " ")
		if composite {
			b.WriteString(everything(schema, f.Type.Name(), depth-1))
		}
	}
	b.WriteString("} ")
	return b.String()
}

// TestNothingLeaks: of people who decided differently, every field of the API that can be
// reached from a list of them tells for each purpose what plain loops over what happened
// allow, and nothing else: every fact has a text of its own.
func TestNothingLeaks(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		a := newAPI(t, o)
		const people, days = 6, 8
		fact := func(person, day int) string { return fmt.Sprintf("fact%d.%d", person, day) }
		for person := range people {
			var all []map[string]any
			for day := range days {
				all = append(all, map[string]any{
					"messageId": "id-" + fact(person, day) + ".", "userId": fmt.Sprintf("user%d.", person), "anonymousId": fmt.Sprintf("device%d.", person), "type": "type-" + fact(person, day) + ".",
					"occurredAt": noon.AddDate(0, 0, day).Format(time.RFC3339), "properties": map[string]any{"p": "property-" + fact(person, day) + "."}, "campaign": map[string]any{"name": "campaign-" + fact(person, day) + "."},
				})
			}
			a.record(all...)
		}
		// Person n grants marketing on day n, in the evening before; person 0 never does, and
		// person 5 takes it back in the end.
		purposes := map[string]func(person, day int) bool{
			"service": func(int, int) bool { return true }, "analytics": func(person, _ int) bool { return person != 4 }, "advertising": func(int, int) bool { return false },
			"marketing": func(person, day int) bool { return person > 0 && person < 5 && day >= person },
		}
		decide := func(person int, purpose, decision string, at any) {
			a.must(`mutation($u: String!, $p: String!, $d: ConsentDecision!, $at: Time) { recordConsents(input: {individual: {userId: $u}, consents: [{purpose: $p, decision: $d, effectiveAt: $at}]}) { states { permitted } } }`,
				map[string]any{"u": fmt.Sprintf("user%d.", person), "p": purpose, "d": decision, "at": at})
		}
		for person := 1; person < people; person++ {
			decide(person, "marketing", "GRANTED", noon.AddDate(0, 0, person).Add(-time.Second).Format(time.RFC3339))
		}
		decide(5, "marketing", "WITHDRAWN", nil)
		decide(4, "analytics", "DENIED", nil)

		schema := graph.New(graph.Options{}).Schema()
		query := `{ individuals(first: 100) ` + everything(schema, "IndividualConnection", 5) + `}`
		for purpose, allowed := range purposes {
			a.viewer = admin()
			a.viewer.Purpose = purpose
			answer, errs := a.response(query, nil)
			if len(errs) > 0 {
				t.Fatalf("%s: %v", purpose, errs)
			}
			if told := wrongly(string(answer), people, days, fact, allowed); told != "" {
				t.Errorf("for %s %s", purpose, told)
			}
			if flipped := wrongly(string(answer), people, days, fact, func(person, day int) bool { return allowed(person, day) != (person == 3 && day == 5) }); flipped == "" {
				t.Errorf("for %s one fact more or less is not noticed", purpose)
			}
			for person := range people {
				covered := allowed(person, days-1)
				if seen := strings.Contains(string(answer), fmt.Sprintf(`"user%d."`, person)); seen != covered {
					t.Errorf("for %s person %d is seen: %v, want %v", purpose, person, seen, covered)
				}
			}
			var list struct {
				Individuals struct {
					TotalCount int
					Nodes      []struct {
						Identifiers  []struct{ Value string }
						Interactions struct{ TotalCount int }
						Sessions     struct {
							TotalCount int
							Nodes      []struct{ InteractionCount int }
						}
						Recency struct{ Count int }
					}
				}
			}
			if err := json.Unmarshal(answer, &list); err != nil {
				t.Fatal(err)
			}
			if list.Individuals.TotalCount != len(list.Individuals.Nodes) {
				t.Errorf("for %s %d are counted, and %d there", purpose, list.Individuals.TotalCount, len(list.Individuals.Nodes))
			}
			for _, i := range list.Individuals.Nodes {
				var person, want int
				if _, err := fmt.Sscanf(i.Identifiers[0].Value, "user%d.", &person); err != nil {
					t.Fatal(err)
				}
				for day := range days {
					if allowed(person, day) {
						want++
					}
				}
				if i.Interactions.TotalCount != want || i.Sessions.TotalCount != want || len(i.Sessions.Nodes) != want || i.Recency.Count != want {
					t.Errorf("for %s person %d has %+v, want %d of each", purpose, person, i, want)
				}
			}
		}
	})
}

// wrongly compares what an answer tells of interactions with what it may; empty: they
// agree.
func wrongly(answer string, people, days int, fact func(person, day int) string, allowed func(person, day int) bool) string {
	for person := range people {
		for day := range days {
			for _, part := range []string{"id-", "type-", "property-", "campaign-"} {
				marker := part + fact(person, day) + "."
				if told := strings.Contains(answer, marker); told != allowed(person, day) {
					return fmt.Sprintf("%s is told: %v", marker, told)
				}
			}
		}
	}
	return ""
}

// TestSubscribersHearNothingMore: of somebody who takes consent back, nothing that is
// recorded afterwards is sent, to those who follow under that purpose.
func TestSubscribersHearNothingMore(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		a := newAPI(t, o)
		a.record(visit(1, map[string]any{"userId": "ann"}), visit(2, map[string]any{"userId": "bob"}))
		for _, user := range []string{"ann", "bob"} {
			a.must(`mutation($u: String!) { recordConsents(input: {individual: {userId: $u}, consents: [{purpose: "marketing", decision: GRANTED, effectiveAt: "2026-01-01T00:00:00Z"}]}) { states { permitted } } }`, map[string]any{"u": user})
		}
		a.viewer = admin()
		a.viewer.Purpose = "marketing"
		s, errs := a.subscribe(`subscription { interactions { messageId } }`, nil)
		if errs != nil {
			t.Fatal(errs)
		}
		defer s.close()
		a.record(visit(3, map[string]any{"userId": "ann"}))
		if got := s.message(t); got != "m-3" {
			t.Fatalf("the first is %q", got)
		}
		a.must(`mutation { withdrawConsent(input: {individual: {userId: "ann"}, purposes: ["marketing"]}) { states { permitted } } }`, nil)
		a.record(visit(4, map[string]any{"userId": "ann"}))
		a.record(visit(5, map[string]any{"userId": "bob"}))
		if got := s.message(t); got != "m-5" {
			t.Errorf("after ann has withdrawn, %q is sent", got)
		}
	})
}

// TestWithdrawalUnderLoad: while many read flat out, people take consent back one after
// the other; no read that begins after the answer to the mutation shows them.
func TestWithdrawalUnderLoad(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		a := newAPI(t, o)
		const people = 25
		var all []map[string]any
		for n := range people {
			all = append(all, visit(n, map[string]any{"userId": fmt.Sprintf("user%d.", n)}))
		}
		a.record(all...)
		for n := range people {
			a.must(`mutation($u: String!) { recordConsents(input: {individual: {userId: $u}, consents: [{purpose: "marketing", decision: GRANTED, effectiveAt: "2026-01-01T00:00:00Z"}]}) { states { permitted } } }`, map[string]any{"u": fmt.Sprintf("user%d.", n)})
		}
		marketing := *a
		marketing.viewer = admin()
		marketing.viewer.Purpose = "marketing"
		var withdrawn [people]atomic.Bool
		var reads atomic.Int64
		done := make(chan struct{})
		readers, failed := errgroup.WithContext(t.Context())
		for k := range 4 {
			readers.Go(func() error {
				for n := k; ; n++ {
					select {
					case <-done:
						return nil
					default:
					}
					var gone []int
					for i := range people {
						if withdrawn[i].Load() {
							gone = append(gone, i)
						}
					}
					answer, _ := marketing.response(fmt.Sprintf(`{ individual(by: {userId: "user%d."}) { identifiers { value } } individuals(first: 100) { totalCount nodes { identifiers { value } interactions { nodes { messageId } } } } }`, n%people), nil)
					reads.Add(1)
					for _, i := range gone {
						if strings.Contains(string(answer), fmt.Sprintf(`"user%d."`, i)) {
							return fmt.Errorf("person %d is shown to a read that began after they had withdrawn", i)
						}
					}
				}
			})
		}
		for n := range people {
			for before := reads.Load(); reads.Load() < before+2; { // others read between two withdrawals
				runtime.Gosched()
				select {
				case <-failed.Done():
					t.Fatal(readers.Wait())
				default:
				}
			}
			a.must(`mutation($u: String!) { withdrawConsent(input: {individual: {userId: $u}, purposes: ["marketing"]}) { states { permitted } } }`, map[string]any{"u": fmt.Sprintf("user%d.", n)})
			withdrawn[n].Store(true)
		}
		close(done)
		if err := readers.Wait(); err != nil {
			t.Error(err)
		}
		t.Logf("%d reads", reads.Load())
	})
}
