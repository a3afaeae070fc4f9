package store_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// TestPlansAreKept: what is asked of one individual again and again, PostgreSQL plans
// only at first.
func TestPlansAreKept(t *testing.T) {
	o := testdb.Postgres(t)
	o.Connections = 2
	s := testdb.Open(t, o)
	ctx := t.Context()
	api := must(s.Source(ctx, store.APISource))
	e := &insight.Event{
		MessageID: "m", Timestamp: epoch, OccurredAt: epoch, ReceivedAt: epoch, Source: api, Channel: api.DefaultChannel, Type: "page", Direction: insight.Inbound,
		Identities: []insight.Identity{{Kind: insight.UserID, Value: "u"}},
	}
	if _, err := s.Append(ctx, []*insight.Event{e}); err != nil {
		t.Fatal(err)
	}
	ids := []uuid.UUID{must(s.Find(ctx, store.Lookup{Identity: e.Identities[0]}))}
	r := must(s.Reader(ctx, &insight.Viewer{Scopes: []insight.Scope{insight.ScopeIndividualsRead}, Purposes: []string{"service"}}, nil))
	page := store.Page{Limit: 20}
	asked := []func() error{
		func() error { return second(r.Identifiers(ctx, ids)) },
		func() error { return second(r.Traits(ctx, ids)) },
		func() error { return second(r.Links(ctx, ids)) },
		func() error { return second(r.Sessions(ctx, ids, page)) },
		func() error { return second(r.Interactions(ctx, ids, insight.Selector{}, page, store.WithAll)) },
		func() error { return second(r.Histories(ctx, ids, false)) },
		func() error { return second(r.Decisions(ctx, ids)) },
	}
	const rounds = 30 // on each connection PostgreSQL plans five times for what it is given
	for range rounds {
		for _, ask := range asked {
			if err := ask(); err != nil {
				t.Fatal(insight.Detail(err))
			}
		}
	}
	// Both connections are held at once, so that each is looked at.
	kept := map[string]int{}
	for range o.Connections {
		c := must(s.DB().Conn(ctx))
		defer func() { _ = c.Close() }()
		notePlans(ctx, t, c, kept)
	}
	if len(kept) < len(asked) {
		t.Errorf("of %d statements about one individual the server holds %d", len(asked), len(kept))
	}
	for text, times := range kept {
		if times < rounds/2 {
			t.Errorf("a kept plan was used %d times in %d of\n%s", times, rounds, text)
		}
	}
}

// notePlans adds how often a connection used a kept plan of each statement that reads
// of individuals by their ids.
func notePlans(ctx context.Context, t *testing.T, c *sql.Conn, kept map[string]int) {
	t.Helper()
	rows, err := c.QueryContext(ctx, `SELECT statement, generic_plans FROM pg_prepared_statements
		WHERE statement LIKE '%individuals i%' AND generic_plans + custom_plans > 1`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var text string
		var times int
		if err := rows.Scan(&text, &times); err != nil {
			t.Fatal(err)
		}
		kept[text] += times
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}
