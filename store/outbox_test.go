package store_test

import (
	"testing"

	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
	"github.com/acquaint/acquaint/store/storetest"
)

// TestOutbox: the same of every engine.
func TestOutbox(t *testing.T) {
	for name, options := range map[string]func(testing.TB) store.Options{"sqlite": testdb.SQLite, "postgres": testdb.Postgres, "citus": testdb.Citus} {
		t.Run(name, func(t *testing.T) {
			storetest.Outbox(t, func(t testing.TB) *store.Store { return testdb.Open(t, options(t)) })
		})
	}
}
