package migrations

import (
	"embed"
	"io/fs"
)

//go:embed postgres/*.sql
var postgres embed.FS

//go:embed sqlite/*.sql
var sqlite embed.FS

//go:embed citus/*.sql
var citus embed.FS

// Postgres are the goose files of PostgreSQL.
func Postgres() fs.FS { return must(fs.Sub(postgres, "postgres")) }

// SQLite are the goose files of SQLite.
func SQLite() fs.FS { return must(fs.Sub(sqlite, "sqlite")) }

// Citus are the goose files that distribute what those of PostgreSQL made.
func Citus() fs.FS { return must(fs.Sub(citus, "citus")) }

func must(f fs.FS, err error) fs.FS {
	if err != nil {
		panic(err) // the folders are embedded above
	}
	return f
}
