package store_test

import (
	"testing"

	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
	"github.com/acquaint/acquaint/store/storetest"
)

// TestEngines: one suite, every engine.
func TestEngines(t *testing.T) {
	for name, options := range map[string]func(testing.TB) store.Options{"sqlite": testdb.SQLite, "postgres": testdb.Postgres, "citus": testdb.Citus} {
		t.Run(name, func(t *testing.T) {
			if name == "sqlite" {
				alone(t) // which is slow with it
			}
			storetest.Run(t, func(t testing.TB) *store.Store { return testdb.Open(t, options(t)) })
		})
	}
}
