package migrations_test

import (
	"context"
	"database/sql"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	_ "modernc.org/sqlite" // the driver by its name, for a look from outside

	"github.com/acquaint/acquaint/internal/schemadiff"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/migrations"
	"github.com/acquaint/acquaint/store"
)

// TestNoDrift: all migrations together give what the ent schema says, and a change
// by hand, however small, is a difference, so that this test can fail.
func TestNoDrift(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		testdb.Open(t, o)
		engine, driver, source := dialect.Postgres, "postgres", o.URL
		if o.URL == "" {
			engine, driver, source = dialect.SQLite, "sqlite", "file:"+o.File+"?_pragma=foreign_keys(1)"
		}
		db, err := sql.Open(driver, source)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		drifted := func() bool {
			t.Helper()
			is, err := schemadiff.Drifted(context.Background(), entsql.OpenDB(engine, db))
			if err != nil {
				t.Fatal(err)
			}
			return is
		}
		do := func(text string) {
			t.Helper()
			if _, err := db.Exec(text); err != nil {
				t.Fatal(err)
			}
		}
		if drifted() {
			t.Fatal("the migrations do not give what the ent schema says; run go run ./internal/cmd/schemadiff -name CHANGE")
		}
		for _, c := range []struct{ change, back string }{
			{"ALTER TABLE individuals ADD COLUMN nickname text", "ALTER TABLE individuals DROP COLUMN nickname"},
			{"ALTER TABLE individuals RENAME COLUMN acted TO performed", "ALTER TABLE individuals RENAME COLUMN performed TO acted"},
			{"DROP INDEX interaction_individual_id_occurred_at_id", "CREATE INDEX interaction_individual_id_occurred_at_id ON interactions (individual_id, occurred_at, id)"},
			{"CREATE INDEX extra ON sessions (stream)", "DROP INDEX extra"},
			{"ALTER TABLE settings RENAME TO options", "ALTER TABLE options RENAME TO settings"},
			{"ALTER TABLE traits DROP COLUMN confidence", ""},
		} {
			do(c.change)
			if !drifted() {
				t.Errorf("after %q nothing differs", c.change)
			}
			if c.back == "" {
				continue
			}
			do(c.back)
			if drifted() {
				t.Fatalf("after %q something differs still", c.back)
			}
		}
	})
}

// TestFiles: the files are goose's, in order, the same versions for each engine, and
// each can be undone.
func TestFiles(t *testing.T) {
	name := regexp.MustCompile(`^(\d{14})_[a-z0-9_]+\.sql$`)
	versions := map[string][]string{}
	for engine, files := range map[string]fs.FS{"postgres": migrations.Postgres(), "sqlite": migrations.SQLite()} {
		all, err := fs.Glob(files, "*")
		if err != nil || len(all) == 0 {
			t.Fatalf("%s: %v, %v", engine, all, err)
		}
		for _, file := range all {
			parts := name.FindStringSubmatch(path.Base(file))
			if parts == nil {
				t.Errorf("%s/%s is not named VERSION_what.sql", engine, file)
				continue
			}
			versions[engine] = append(versions[engine], parts[1])
			text, err := fs.ReadFile(files, file)
			if err != nil {
				t.Fatal(err)
			}
			up, down, both := strings.Cut(string(text), "-- +goose Down")
			if !both || !strings.Contains(up, "-- +goose Up") || strings.TrimSpace(down) == "" {
				t.Errorf("%s/%s does not say how it is done and undone", engine, file)
			}
		}
	}
	if !slices.Equal(versions["postgres"], versions["sqlite"]) {
		t.Errorf("the engines have different versions: %v", versions)
	}
}
