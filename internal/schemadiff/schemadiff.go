package schemadiff

import (
	"context"
	"errors"
	"fmt"
	"slices"

	atlas "ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/sqltool"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql/schema"

	"github.com/acquaint/acquaint/ent/migrate"
)

// unbound are the tables without foreign keys: where all the volume is, and those
// that came when databases may have been distributed already, in which a new table
// cannot refer to a distributed one.
var unbound = []*schema.Table{migrate.InteractionsTable, migrate.ConsentsTable, migrate.LedgersTable, migrate.PurposeVersionsTable}

// Tables are the tables as the ent schema has them, less the foreign keys of those
// that have none.
func Tables() []*schema.Table {
	tables := slices.Clone(migrate.Tables)
	for i, t := range tables {
		if slices.Contains(unbound, t) {
			tables[i] = &schema.Table{Name: t.Name, Columns: t.Columns, PrimaryKey: t.PrimaryKey, Indexes: t.Indexes, Annotation: t.Annotation}
		}
	}
	return tables
}

// Write replays the goose migrations in dir on drv, an empty scratch database, and
// adds a migration called name with what is missing. It reports whether there was
// anything to add.
func Write(ctx context.Context, drv dialect.Driver, dir, name string) (bool, error) {
	goose, err := sqltool.NewGooseDir(dir)
	if err != nil {
		return false, fmt.Errorf("opening the migrations: %w", err)
	}
	return diff(ctx, drv, goose, schema.ModeReplay, name)
}

// Drifted reports whether the database behind drv differs from the ent schema.
func Drifted(ctx context.Context, drv dialect.Driver) (bool, error) {
	dir := &atlas.MemDir{}
	if err := writeSum(dir); err != nil {
		return false, err
	}
	return diff(ctx, drv, dir, schema.ModeInspect, "drift")
}

func writeSum(dir atlas.Dir) error {
	sum, err := dir.Checksum()
	if err != nil {
		return err
	}
	return atlas.WriteSumFile(dir, sum)
}

func diff(ctx context.Context, drv dialect.Driver, dir atlas.Dir, mode schema.Mode, name string) (bool, error) {
	m, err := schema.NewMigrate(drv,
		schema.WithDir(dir),
		schema.WithFormatter(sqltool.GooseFormatter),
		schema.WithMigrationMode(mode),
		schema.WithDropColumn(true),
		schema.WithDropIndex(true),
		schema.WithErrNoPlan(true),
	)
	if err != nil {
		return false, err
	}
	err = m.NamedDiff(ctx, name, Tables()...)
	if errors.Is(err, atlas.ErrNoPlan) {
		return false, nil
	}
	return err == nil, err
}
