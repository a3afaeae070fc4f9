package store_test

import (
	"fmt"
	"testing"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/testdb"
)

// TestOftenIsPrepared: the statements that write together are prepared where they are
// sent again and again, and not before.
func TestOftenIsPrepared(t *testing.T) {
	s := testdb.Open(t, testdb.Postgres(t))
	y := sayer(t, s)
	prepared := func() int {
		t.Helper()
		all := 0
		for range s.DB().Stats().MaxOpenConnections { // each is held, so that the next is another
			c := must(s.DB().Conn(t.Context()))
			defer func() { _ = c.Close() }()
			var n int
			if err := c.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'WITH r0(%'").Scan(&n); err != nil {
				t.Fatal(err)
			}
			all += n
		}
		return all
	}
	for n := range 30 {
		if n == 10 && prepared() > 0 {
			t.Error("what was sent ten times is prepared")
		}
		y.keep(y.event(fmt.Sprint(n), id(insight.UserID, "often")))
	}
	if prepared() == 0 {
		t.Error("what was sent thirty times is not prepared")
	}
	y.sound()
}
