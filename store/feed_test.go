package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// TestSubscribersHearEveryProcess: a subscriber of one process hears of what
// another process of the same database keeps, in the order of commits, and not
// before it can be read.
func TestSubscribersHearEveryProcess(t *testing.T) {
	for name, options := range map[string]func(testing.TB) store.Options{"postgres": testdb.Postgres, "citus": testdb.Citus} {
		t.Run(name, func(t *testing.T) { hearEveryProcess(t, options(t)) })
	}
}

func hearEveryProcess(t *testing.T, o store.Options) {
	one, other := testdb.Open(t, o), testdb.Open(t, o)
	sub, err := one.Subscribe()
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	api, err := other.Source(context.Background(), store.APISource)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	var transactions [][]*insight.Event
	for n := range 40 {
		// Some transactions keep one interaction, some more than one announcement holds.
		events := make([]*insight.Event, 1+n%2*500)
		for i := range events {
			events[i] = &insight.Event{
				MessageID: fmt.Sprintf("m-%d-%d", n, i), Source: api, Channel: api.DefaultChannel, Type: "page", Direction: insight.Inbound,
				Timestamp: epoch, OccurredAt: epoch, ReceivedAt: epoch, Identities: world.visitors[:1], Stream: world.visitors[0],
			}
			want = append(want, events[i].ID().String())
		}
		transactions = append(transactions, events)
	}
	wrote := make(chan error, 1)
	go func() {
		for n, events := range transactions {
			if _, err := []*store.Store{one, other}[n/3%2].Append(context.Background(), events); err != nil {
				wrote <- err
				return
			}
		}
		wrote <- nil
	}()
	defer func() {
		if err := <-wrote; err != nil {
			t.Error(err)
		}
	}()
	reader, err := one.Reader(context.Background(), &insight.Viewer{
		Subject: "test", Scopes: []insight.Scope{insight.ScopeIndividualsRead}, Purposes: []string{"analytics"}, Purpose: "analytics",
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.After(time.Minute)
	var got []string
	for len(got) < len(want) {
		select {
		case <-sub.Ready():
		case <-deadline:
			t.Fatalf("%d of %d were heard of", len(got), len(want))
		}
		ids, missed := sub.Take()
		if missed {
			t.Fatal("something was missed")
		}
		found, err := reader.InteractionsByID(context.Background(), ids)
		if err != nil {
			t.Fatal(err)
		}
		if len(found) != len(ids) {
			t.Fatalf("%d of %d that were heard of can be read", len(found), len(ids))
		}
		for _, id := range ids {
			got = append(got, id.String())
		}
	}
	for n := range want {
		if got[n] != want[n] {
			t.Fatalf("the %dth is %s, want %s", n, got[n], want[n])
		}
	}
}
