package schema

import (
	"strings"

	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"
)

// id is the primary key of every entity, a UUIDv7 unless the writer derives one.
func id() ent.Field {
	return field.UUID("id", uuid.UUID{}).Default(func() uuid.UUID { return uuid.Must(uuid.NewV7()) }).Immutable()
}

// moment is a column for a time that is always known, in UTC with microseconds.
func moment(name string, comment ...string) ent.Field {
	return field.Time(name).SchemaType(momentTypes).Comment(strings.Join(comment, "; "))
}

// maybe is a column for a time that may be unknown.
func maybe(name string, comment ...string) ent.Field {
	return field.Time(name).SchemaType(momentTypes).Optional().Nillable().Comment(strings.Join(comment, "; "))
}

var momentTypes = map[string]string{dialect.Postgres: "timestamptz", dialect.SQLite: "datetime"}

// jsonTexts keeps JSON as the text that it was.
var jsonTexts = map[string]string{dialect.Postgres: "text", dialect.SQLite: "text"}

// jsonTypes keeps SQLite from reading a JSON number as a number of its own.
var jsonTypes = map[string]string{dialect.Postgres: "jsonb", dialect.SQLite: "text"}
