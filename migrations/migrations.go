package migrations

import (
	"embed"
	"io/fs"
)

//go:embed postgres/*.sql
var postgres embed.FS

//go:embed sqlite/*.sql
var sqlite embed.FS

// Postgres are the goose files of PostgreSQL.
func Postgres() fs.FS { return must(fs.Sub(postgres, "postgres")) }

// SQLite are the goose files of SQLite.
func SQLite() fs.FS { return must(fs.Sub(sqlite, "sqlite")) }

func must(f fs.FS, err error) fs.FS {
	if err != nil {
		panic(err) // the folders are embedded above
	}
	return f
}
