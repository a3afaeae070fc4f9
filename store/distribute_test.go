package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// TestDistribute: what a database holds goes along to the nodes and stays what it
// was; whom it joins later is joined there as elsewhere; distributing again does
// nothing.
func TestDistribute(t *testing.T) {
	ctx := context.Background()
	o := testdb.Undistributed(t)
	s := testdb.Open(t, o)
	api, err := s.Source(ctx, store.APISource)
	if err != nil {
		t.Fatal(err)
	}
	var events []*insight.Event
	for n := range 200 {
		at := epoch.Add(time.Duration(n) * 7 * time.Minute)
		e := &insight.Event{
			MessageID: fmt.Sprintf("m%d", n), Timestamp: at, OccurredAt: at, ReceivedAt: at, Source: api, Channel: api.DefaultChannel,
			Type: "page", Direction: insight.Inbound, Identities: identities(insight.AnonymousID, fmt.Sprintf("a%d", n%10)),
		}
		if n == 190 {
			e.Identities = append(identities(insight.UserID, "u1"), e.Identities...)
		}
		e.Stream = e.Identities[len(e.Identities)-1]
		events = append(events, e)
	}
	arrive(t, s, nil, events[:150])
	before := dump(t, s)
	if got := s.Engine(); got != "postgres" {
		t.Fatalf("before, the engine is %s", got)
	}
	for _, want := range []bool{true, false} {
		done, err := s.Distribute(ctx)
		if err != nil {
			t.Fatal(insight.Detail(err))
		}
		if done != want {
			t.Fatalf("Distribute did something: %t, want %t", done, want)
		}
	}
	if diff := cmp.Diff(before, dump(t, s)); diff != "" {
		t.Fatalf("before (-) and after (+) differ:\n%s", diff)
	}
	// A process that starts now finds it distributed, and goes on.
	other := testdb.Open(t, o)
	if got := other.Engine(); got != "citus" {
		t.Fatalf("after, the engine is %s", got)
	}
	arrive(t, other, rand.New(rand.NewPCG(1, 1)), events)
	if _, _, err := other.Merge(ctx, store.Lookup{Identity: events[0].Identities[0]}, store.Lookup{Identity: events[1].Identities[0]}, "the same person"); err != nil {
		t.Fatal(insight.Detail(err))
	}
	v, err := other.Verify(ctx, nil)
	if err != nil {
		t.Fatal(insight.Detail(err))
	}
	if v.Total > 0 || v.Interactions != len(events) || v.Individuals != 9 {
		t.Fatalf("%d interactions of %d individuals, and a recompute differs: %s", v.Interactions, v.Individuals, strings.Join(v.Differences, "\n"))
	}
	// Each table is where it belongs, and what was copied to the nodes is not left behind.
	placed := map[string]string{}
	query(t, s, "SELECT logicalrelid, coalesce(column_to_column_name(logicalrelid, partkey), 'everywhere'), pg_relation_size(logicalrelid) FROM pg_dist_partition", func(c []string) {
		placed[c[0]] = c[1] + " " + c[2]
	})
	want := map[string]string{
		"channels": "everywhere 0", "sources": "everywhere 0", "purposes": "everywhere 0", "settings": "everywhere 0",
		"individuals": "id 0", "traits": "individual_id 0", "sessions": "individual_id 0", "interactions": "individual_id 0",
		"identifiers": "id 0", "identity_links": "id 0",
	}
	if diff := cmp.Diff(want, placed); diff != "" {
		t.Errorf("where the tables are, and what they hold on the coordinator (-want +got):\n%s", diff)
	}
}

// TestDistributeRefuses: what cannot be distributed is said to be so.
func TestDistributeRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		options func(testing.TB) store.Options
		told    string
	}{
		"sqlite":   {testdb.SQLite, "coordinator"},
		"postgres": {testdb.Postgres, "CREATE EXTENSION citus"},
	} {
		t.Run(name, func(t *testing.T) {
			s := testdb.Open(t, c.options(t))
			done, err := s.Distribute(context.Background())
			if done || insight.KindOf(err) != insight.Invalid || !strings.Contains(err.Error(), c.told) {
				t.Errorf("Distribute: %t, %v; want an error of kind Invalid that names %q", done, err, c.told)
			}
		})
	}
}

// TestWorkersAreNotOpened: a cluster is opened through its coordinator.
func TestWorkersAreNotOpened(t *testing.T) {
	s, err := store.Open(context.Background(), testdb.CitusWorker(t))
	if err == nil {
		_ = s.Close()
	}
	if insight.KindOf(err) != insight.Invalid || !strings.Contains(err.Error(), "coordinator") {
		t.Errorf("Open: %v; want an error of kind Invalid that names the coordinator", err)
	}
}
