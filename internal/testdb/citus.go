package testdb

import (
	"context"
	"database/sql"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/acquaint/acquaint/store"
)

// shards is how many shards a test's tables have: more than nodes, and few enough
// that a statement to all of them is quick.
const shards = "4"

// Citus gives options for an empty distributed database on the cluster that
// ACQUAINT_TEST_CITUS names. The test is left out where it names none.
func Citus(t testing.TB) store.Options {
	t.Helper()
	o := Undistributed(t)
	s, err := store.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Distribute(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return o
}

// Undistributed is [Citus] before its tables are made and distributed.
func Undistributed(t testing.TB) store.Options {
	t.Helper()
	return store.Options{URL: cluster(t)[0].String()}
}

// CitusWorker gives options for a worker of such a cluster, to be refused.
func CitusWorker(t testing.TB) store.Options {
	t.Helper()
	nodes := cluster(t)
	if len(nodes) == 1 {
		t.Skip("the cluster that ACQUAINT_TEST_CITUS names has no worker")
	}
	return store.Options{URL: nodes[1].String()}
}

// cluster makes a database on every node and joins them; the first is the
// coordinator's.
func cluster(t testing.TB) []*url.URL {
	t.Helper()
	nodes := strings.Split(os.Getenv("ACQUAINT_TEST_CITUS"), ",")
	if nodes[0] == "" {
		t.Skip("ACQUAINT_TEST_CITUS names no Citus cluster (its coordinator's URL, then its workers', with commas between them)")
	}
	name := newName()
	urls := make([]*url.URL, 0, len(nodes))
	for i, node := range nodes {
		u := makeDatabase(t, strings.TrimSpace(node), name)
		urls = append(urls, u)
		if i == 0 {
			run(t, u, "ALTER DATABASE "+name+" SET citus.shard_count = "+shards)
			run(t, u, "CREATE EXTENSION citus", "SELECT citus_set_coordinator_host('"+u.Hostname()+"', "+u.Port()+")")
			continue
		}
		run(t, u, "CREATE EXTENSION citus")
		run(t, urls[0], "SELECT citus_add_node('"+u.Hostname()+"', "+u.Port()+")")
	}
	return urls
}

// run runs statements on a connection of their own.
func run(t testing.TB, u *url.URL, statements ...string) {
	t.Helper()
	db, err := sql.Open("postgres", u.String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
}
