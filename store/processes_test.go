package store_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
	"github.com/acquaint/acquaint/store/storetest"
)

// TestTwoProcesses: two stores on one database are as good as one.
func TestTwoProcesses(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		storetest.Together(t, []*store.Store{testdb.Open(t, o), testdb.Open(t, o)}, 6)
	})
}

// TestAnotherProcess: channels and sources that another process made this moment are
// known when a row names them, though this one read the directory just before.
func TestAnotherProcess(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		one, other := testdb.Open(t, o), testdb.Open(t, o)
		ctx := t.Context()
		reader := must(one.Reader(ctx, &insight.Viewer{Scopes: []insight.Scope{insight.ScopeIndividualsRead}, Purposes: []string{"analytics"}}, nil))
		for n := range 5 {
			source, key, err := other.CreateSource(ctx, store.NewSource{Name: fmt.Sprint("shop", n), DefaultChannel: fmt.Sprint("booth", n)})
			if err != nil {
				t.Fatal(err)
			}
			e := &insight.Event{
				MessageID: "m", Timestamp: epoch, OccurredAt: epoch, ReceivedAt: epoch, Source: source, Channel: source.DefaultChannel,
				Type: "page", Direction: insight.Inbound, Identities: world.visitors[:1], Stream: world.visitors[0],
			}
			late, err := other.Channel(ctx, fmt.Sprint("late", n), "")
			if err != nil {
				t.Fatal(err)
			}
			e.Channel = late
			must(one.Channels(ctx))
			another, err := other.Channel(ctx, fmt.Sprint("later", n), "")
			if err != nil {
				t.Fatal(err)
			}
			f := *e
			f.MessageID, f.Channel = "n", another
			if _, err := other.Append(ctx, []*insight.Event{e, &f}); err != nil {
				t.Fatal(err)
			}
			x, err := reader.Interaction(ctx, f.ID())
			if err != nil || x.Channel.Key != another.Key || x.Source.Name != source.Name {
				t.Fatalf("%+v: %s", x, insight.Detail(err))
			}
			if v, err := one.Verify(ctx, nil); err != nil || v.Total > 0 {
				t.Fatalf("%+v, %v", v, err)
			}
			if s, err := one.SourceByWriteKey(ctx, key); err != nil || s.Name != source.Name {
				t.Fatalf("%+v, %v", s, err)
			}
		}
		if _, _, err := one.CreateSource(ctx, store.NewSource{Name: "shop0"}); insight.KindOf(err) != insight.Conflict {
			t.Errorf("a name that another process took: %v", err)
		}
	})
}

// TestWriteKeysAreHashed: no column of any row holds a write key.
func TestWriteKeysAreHashed(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		s := testdb.Open(t, o)
		_, random, err := s.CreateSource(t.Context(), store.NewSource{Name: "shop"})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.CreateSource(t.Context(), store.NewSource{Name: "kiosk", WriteKey: "a chosen key"}); err != nil {
			t.Fatal(err)
		}
		hashes := 0
		query(t, s, "SELECT * FROM sources", func(cells []string) {
			for _, c := range cells {
				if strings.Contains(c, random) || strings.Contains(c, "a chosen key") {
					t.Errorf("a write key is kept: %q", cells)
				}
				if len(c) == 32 {
					hashes++
				}
			}
		})
		if hashes != 2 {
			t.Errorf("%d hashes are kept", hashes)
		}
	})
}

// TestLaggingSubscriber: one who does not listen is told that something was missed,
// and costs no more memory than the backlog; closing the store tells everybody.
func TestLaggingSubscriber(t *testing.T) {
	s, err := store.Open(t.Context(), testdb.SQLite(t))
	if err != nil {
		t.Fatal(err)
	}
	lagging, listening := must(s.Subscribe()), must(s.Subscribe())
	ids := make([]uuid.UUID, store.Backlog/2)
	for range 2 {
		s.Publish(ids)
		if got, missed := listening.Take(); len(got) != len(ids) || missed {
			t.Fatalf("who listens hears of %d, missed %t", len(got), missed)
		}
	}
	s.Publish(ids[:1]) // one too many
	if got, missed := lagging.Take(); len(got) != 0 || !missed {
		t.Errorf("who lags hears of %d, missed %t", len(got), missed)
	}
	if got, missed := listening.Take(); len(got) != 1 || missed {
		t.Errorf("who listens hears of %d, missed %t", len(got), missed)
	}
	<-listening.Ready() // what is left of the signals so far
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	<-listening.Ready()
	if _, missed := listening.Take(); !missed {
		t.Error("the store closed, and nobody says so")
	}
	late := must(s.Subscribe())
	<-late.Ready()
	if _, missed := late.Take(); !missed {
		t.Error("the store is closed, and nobody says so")
	}
	listening.Close()
	lagging.Close()
}
