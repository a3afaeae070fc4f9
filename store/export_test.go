package store

import (
	"context"
	"database/sql"
	"fmt"
	"testing"

	"github.com/google/uuid"
)

// DB is the writing connection pool, for tests that look at the tables.
func (s *Store) DB() *sql.DB { return s.write.db }

// Translate is how an engine's errors become the vocabulary's.
var Translate = translate

// Backlog is how many interactions a subscriber may lag behind.
const Backlog = backlog

// Publish tells this process's subscribers of interactions, as if they were kept.
func (s *Store) Publish(ids []uuid.UUID) { s.feed.publish(keptChannel, ids) }

// LimitPages lets a SQLite database grow by this many pages and no more, as a disk
// that is nearly full does; a negative number frees the disk again.
func (s *Store) LimitPages(t testing.TB, more int) {
	t.Helper()
	// The limit is each connection's own: all of the pool's are held at once.
	ctx := context.Background()
	for range s.write.db.Stats().MaxOpenConnections {
		c, err := s.write.db.Conn(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		var pages int
		if err := c.QueryRowContext(ctx, "PRAGMA page_count").Scan(&pages); err != nil {
			t.Fatal(err)
		}
		if more < 0 {
			pages = 1 << 30
		}
		if _, err := c.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", pages+max(more, 0))); err != nil {
			t.Fatal(err)
		}
	}
}
