package store

import (
	"context"
	"fmt"
	"time"

	"github.com/acquaint/acquaint/insight"
)

// Remembered is how long changes of memberships, and what became of their deliveries,
// are kept: whoever follows them may stop for as long and go on.
const Remembered = 30 * insight.Day

// pruning is how many rows are removed in one transaction.
const pruning = 5000

// Prune removes what is remembered of changes and deliveries and is older than
// [Remembered], memberships that ended longer ago than their segment's purpose keeps
// anything, and what was decided in experiences longer ago than theirs does. Of a
// membership that has not ended, what its destinations were told is kept, because they
// are to be told its end. It reports how many rows it removed.
func (s *Store) Prune(ctx context.Context) (int, error) {
	if err := s.look(ctx); err != nil {
		return 0, err
	}
	now := insight.Moment(s.now())
	type rule struct {
		table, condition string
		before           time.Time
	}
	// A delivery that still waits after all this time has nobody to go to.
	rules := []rule{
		{"deliveries", `created_at < %s AND NOT EXISTS (SELECT 1 FROM memberships m WHERE m.individual_id = d.individual_id AND m.id = d.membership_id AND m.exited_at IS NULL)`, now.Add(-Remembered)},
		{"membership_changes", `recorded_at < %s
			AND NOT EXISTS (SELECT 1 FROM deliveries o WHERE o.individual_id = d.individual_id AND o.change_id = d.id)`, now.Add(-Remembered)},
	}
	for _, p := range s.policy().purposes {
		if p.Retention > 0 {
			rules = append(rules, rule{"decisions", "decided_at < %s AND experience_id IN (SELECT id FROM experiences WHERE purpose_id = '" + p.ID.String() + "')", now.Add(-p.Retention)})
			rules = append(rules, rule{"memberships", "exited_at < %s AND segment_id IN (SELECT id FROM segments WHERE purpose_id = '" + p.ID.String() + "')", now.Add(-p.Retention)})
		}
	}
	all := 0
	for _, r := range rules {
		text := "DELETE FROM " + r.table + " WHERE (individual_id, id) IN (SELECT d.individual_id, d.id FROM " + r.table + " d WHERE " +
			fmt.Sprintf(r.condition, s.write.moment(1)) + fmt.Sprintf(" LIMIT %d)", pruning)
		for {
			removed := 0
			err := s.change(ctx, "store.Prune", func(b *batch) error {
				stmt, err := b.engine.stmt(ctx, text)
				if err != nil {
					return err
				}
				result, err := b.tx.StmtContext(ctx, stmt).ExecContext(ctx, b.engine.time(r.before))
				if err != nil {
					return err
				}
				n, err := result.RowsAffected()
				removed = int(n)
				return err
			})
			if err != nil {
				return all, err
			}
			if all += removed; removed < pruning {
				break
			}
		}
	}
	return all, nil
}
