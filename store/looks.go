package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// looking is how many individuals are looked at in one transaction.
const looking = 500

// Look does what time alone has changed of memberships, for some of those whose moment
// has come, earliest first. It reports how many they were, and when the next moment
// comes; zero: none does.
func (s *Store) Look(ctx context.Context) (int, time.Time, error) {
	next, err := s.nextLook(ctx)
	if err != nil || next.IsZero() || next.After(s.now()) {
		return 0, next, translate("store.Look", err)
	}
	n := 0
	err = s.change(ctx, "store.Look", func(b *batch) error {
		n = 0
		return b.query(ctx, "SELECT id FROM individuals WHERE look_at <= "+b.engine.moment(1)+fmt.Sprintf(" ORDER BY look_at LIMIT %d", looking), []any{b.engine.time(b.now)}, func(r *sql.Rows) error {
			var id uuid.UUID
			err := r.Scan(&id)
			b.stirred(id).due = true
			n++
			return err
		})
	})
	if err != nil {
		return 0, time.Time{}, err
	}
	next, err = s.nextLook(ctx)
	return n, next, translate("store.Look", err)
}

// nextLook is the next moment at which time changes a membership; zero: it does not.
func (s *Store) nextLook(ctx context.Context) (time.Time, error) {
	stmt, err := s.read.stmt(ctx, "SELECT min(look_at) FROM individuals WHERE look_at IS NOT NULL")
	if err != nil {
		return time.Time{}, err
	}
	var next moment
	err = stmt.QueryRowContext(ctx).Scan(&next)
	return next.Time, err
}

// Woken is signalled when there may be something to do for whoever looks, computes
// and delivers: a moment to look at has come nearer, a segment has changed, somebody
// has entered or left.
func (s *Store) Woken() <-chan struct{} { return s.woken }

func (s *Store) wake() {
	select {
	case s.woken <- struct{}{}:
	default:
	}
}
