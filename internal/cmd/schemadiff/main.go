// Command schemadiff writes the next migration of each engine from the ent schema.
//
// Usage, from the root of the repository, with a PostgreSQL that may make and drop
// databases:
//
//	go run ./internal/cmd/schemadiff -name what_it_adds [-postgres URL]
package main

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	_ "github.com/lib/pq"
	_ "modernc.org/sqlite"

	"github.com/acquaint/acquaint/internal/schemadiff"
)

func main() {
	name := flag.String("name", "", "what the migration adds, in lower_snake_case")
	postgres := flag.String("postgres", "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable", "a PostgreSQL server; a scratch database is made on it and dropped")
	flag.Parse()
	if err := run(context.Background(), *name, *postgres); err != nil {
		fmt.Fprintln(os.Stderr, "schemadiff:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, name, postgres string) error {
	if name == "" {
		return fmt.Errorf("-name is required")
	}
	if err := onSQLite(ctx, name); err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	if err := onPostgres(ctx, name, postgres); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	return nil
}

func onSQLite(ctx context.Context, name string) error {
	dir, err := os.MkdirTemp("", "schemadiff")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "scratch.db")+"?_pragma=foreign_keys(1)")
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	return write(ctx, db, dialect.SQLite, name)
}

const scratch = "acquaint_schemadiff"

func onPostgres(ctx context.Context, name, url string) error {
	admin, err := sql.Open("postgres", url)
	if err != nil {
		return err
	}
	defer func() { _ = admin.Close() }()
	if _, err := admin.ExecContext(ctx, "DROP DATABASE IF EXISTS "+scratch); err != nil {
		return err
	}
	if _, err := admin.ExecContext(ctx, "CREATE DATABASE "+scratch); err != nil {
		return err
	}
	defer func() { _, _ = admin.ExecContext(ctx, "DROP DATABASE IF EXISTS "+scratch+" WITH (FORCE)") }()
	db, err := sql.Open("postgres", url+"&dbname="+scratch)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	return write(ctx, db, dialect.Postgres, name)
}

func write(ctx context.Context, db *sql.DB, engine, name string) error {
	wrote, err := schemadiff.Write(ctx, entsql.OpenDB(engine, db), filepath.Join("migrations", engineDir(engine)), name)
	if err == nil && !wrote {
		fmt.Println(engine + ": nothing to add")
	}
	return err
}

func engineDir(engine string) string {
	if engine == dialect.SQLite {
		return "sqlite"
	}
	return "postgres"
}
