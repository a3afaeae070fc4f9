package store_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/experience"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// offering is two stores on one database, and an experience in which everybody is offered
// something once.
func offering(t *testing.T, o store.Options) (both [2]*store.Store, e *experience.Experience, visit func(user string)) {
	t.Helper()
	both[0], both[1] = testdb.Open(t, o), testdb.Open(t, o)
	source := must(both[0].Source(t.Context(), store.APISource))
	e = must(both[0].CreateExperience(t.Context(), store.NewExperience{
		Key: "test", Name: "Test", Purpose: "analytics", Variants: []experience.Variant{{Key: "a", Benefit: "it helps"}}, Cap: &experience.Cap{Count: 1, Per: insight.Week},
	}))
	return both, e, func(user string) {
		t.Helper()
		who := []insight.Identity{id(insight.UserID, user)}
		must(both[0].Append(t.Context(), []*insight.Event{{
			MessageID: user, Timestamp: epoch, OccurredAt: epoch, ReceivedAt: epoch, Source: source, Channel: source.DefaultChannel,
			Type: "page", Direction: insight.Inbound, Identities: who, Stream: who[0],
		}}))
	}
}

// TestTwoDecide: two servers that are asked about the same individuals at once offer each
// of them something once.
func TestTwoDecide(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		both, e, visit := offering(t, o)
		const people, times = 8, 6
		var asked []store.Asking
		for n := range people {
			user := fmt.Sprint("user-", n)
			visit(user)
			asked = append(asked, store.Asking{Experience: e, Who: store.Lookup{Identity: id(insight.UserID, user)}})
		}
		var offers [people]atomic.Int64
		var all sync.WaitGroup
		for _, s := range both {
			for range times {
				all.Go(func() {
					told, err := s.Decide(context.Background(), asked)
					if err != nil {
						t.Error(insight.Detail(err))
						return
					}
					for n, d := range told {
						switch d.Reason {
						case experience.Offered:
							offers[n].Add(1)
						case experience.Capped:
						default:
							t.Errorf("about %d is decided %s", n, d.Reason)
						}
					}
				})
			}
		}
		all.Wait()
		for n := range offers {
			if got := offers[n].Load(); got != 1 {
				t.Errorf("individual %d was offered something %d times", n, got)
			}
		}
		if v := must(both[1].Verify(t.Context(), nil)); v.Total > 0 {
			t.Error(v.Differences)
		}
	})
}

// TestWithdrawalWinsOverDecisions: once a withdrawal is recorded, by whichever server,
// nobody who asks after that is told of an offer.
func TestWithdrawalWinsOverDecisions(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		both, e, visit := offering(t, o)
		if _, err := both[0].UpdateExperience(t.Context(), e.Key, store.ExperienceChange{Uncapped: true}); err != nil {
			t.Fatal(err)
		}
		purpose := must(both[0].Purpose(t.Context(), "analytics"))
		for n := range 6 {
			user := fmt.Sprint("user-", n)
			visit(user)
			who := store.Lookup{Identity: id(insight.UserID, user)}
			var withdrawn atomic.Bool
			var all sync.WaitGroup
			for _, s := range both {
				all.Go(func() {
					for late := false; !late; {
						late = withdrawn.Load() // asked after it
						told, err := s.Decide(context.Background(), []store.Asking{{Experience: e, Who: who}})
						if err != nil {
							t.Error(insight.Detail(err))
							return
						}
						if late && (told[0].Reason != experience.NotCovered || told[0].IndividualID != uuid.Nil) {
							t.Errorf("after the withdrawal it is %s of %s", told[0].Reason, told[0].IndividualID)
						}
					}
				})
			}
			must(both[n%2].RecordConsents(t.Context(), who, []insight.Claim{{Purpose: purpose, Decision: insight.ConsentWithdrawn, Method: insight.MethodDeclared, Source: "test"}}))
			withdrawn.Store(true)
			all.Wait()
		}
	})
}
