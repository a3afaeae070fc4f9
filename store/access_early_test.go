package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// TestAccessIsWrittenMeanwhile: what a reader shows is on its way into the log as soon as
// it is shown, and not only once the request waits for it.
func TestAccessIsWrittenMeanwhile(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		s := testdb.Open(t, o)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		api := must(s.Source(ctx, store.APISource))
		e := &insight.Event{
			MessageID: "m", Timestamp: epoch, OccurredAt: epoch, ReceivedAt: epoch, Source: api, Channel: api.DefaultChannel, Type: "page", Direction: insight.Inbound,
			Identities: []insight.Identity{{Kind: insight.UserID, Value: "u"}},
		}
		if _, err := s.Append(ctx, []*insight.Event{e}); err != nil {
			t.Fatal(err)
		}
		shown := store.NewAccess("query")
		r := must(s.Reader(ctx, &insight.Viewer{Subject: "clerk", Scopes: []insight.Scope{insight.ScopeIndividualsRead}, Purposes: []string{"service"}}, shown))
		i, err := r.Find(ctx, store.Lookup{Identity: e.Identities[0]})
		if err != nil {
			t.Fatal(insight.Detail(err))
		}
		for {
			n, err := r.CountAccess(ctx, []uuid.UUID{i.ID})
			if err != nil {
				t.Fatal(insight.Detail(err))
			}
			if n[i.ID] == 1 {
				break
			}
		}
		if err := s.Log(ctx, shown); err != nil {
			t.Fatal(insight.Detail(err))
		}
		if n := must(r.CountAccess(ctx, []uuid.UUID{i.ID}))[i.ID]; n != 1 {
			t.Errorf("there are %d entries of one reading", n)
		}
	})
}
