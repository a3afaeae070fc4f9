package testdb

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/lib/pq" // the PostgreSQL driver

	"github.com/acquaint/acquaint/store"
)

// server is the PostgreSQL on which databases are made.
func server() string {
	if u := os.Getenv("ACQUAINT_TEST_POSTGRES"); u != "" {
		return u
	}
	return "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable"
}

var answers = sync.OnceValue(func() error {
	db, err := sql.Open("postgres", server())
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	return db.PingContext(ctx)
})

// demanded reports whether an engine must be there, by ACQUAINT_TEST_ENGINES
// ("sqlite,postgres").
func demanded(engine string) bool {
	for e := range strings.SplitSeq(os.Getenv("ACQUAINT_TEST_ENGINES"), ",") {
		if strings.TrimSpace(e) == engine {
			return true
		}
	}
	return false
}

// Each runs a test on every engine that there is, with options for an empty
// database of its own.
func Each(t *testing.T, test func(t *testing.T, o store.Options)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, Postgres(t)) })
	t.Run("citus", func(t *testing.T) { test(t, Citus(t)) })
}

// SQLite gives options for an empty SQLite database.
func SQLite(t testing.TB) store.Options {
	t.Helper()
	return store.Options{File: filepath.Join(t.TempDir(), "acquaint.db")}
}

var made atomic.Int64

// Postgres gives options for an empty PostgreSQL database, which is dropped when
// the test ends. The test is left out where no server answers and none is demanded.
func Postgres(t testing.TB) store.Options {
	t.Helper()
	if err := answers(); err != nil {
		if demanded("postgres") {
			t.Fatalf("ACQUAINT_TEST_ENGINES demands PostgreSQL, and none answers: %v", err)
		}
		t.Skipf("no PostgreSQL answers at ACQUAINT_TEST_POSTGRES or 127.0.0.1:5432, so this runs on SQLite only: %v", err)
	}
	return store.Options{URL: makeDatabase(t, server(), newName()).String()}
}

func newName() string { return fmt.Sprintf("acquaint_test_%d_%d", os.Getpid(), made.Add(1)) }

// makeDatabase makes a database on a server until the test ends, and returns its
// URL.
func makeDatabase(t testing.TB, server, name string) *url.URL {
	t.Helper()
	admin, err := sql.Open("postgres", server)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)"); err != nil {
			t.Error(err)
		}
		_ = admin.Close()
	})
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u
}

// Open opens a store and closes it when the test ends.
func Open(t testing.TB, o store.Options) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
