package store_test

import (
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
	"github.com/acquaint/acquaint/store/storetest"
)

// TestAudience: the same of every engine.
func TestAudience(t *testing.T) {
	for name, options := range map[string]func(testing.TB) store.Options{"sqlite": testdb.SQLite, "postgres": testdb.Postgres, "citus": testdb.Citus} {
		t.Run(name, func(t *testing.T) {
			if name == "sqlite" {
				alone(t) // which is slow with it
			}
			storetest.Audience(t, func(t testing.TB, now func() time.Time) *store.Store {
				o := options(t)
				o.Now = now
				return testdb.Open(t, o)
			})
		})
	}
}
