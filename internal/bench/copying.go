package bench

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/lib/pq"
	"golang.org/x/sync/errgroup"
)

// tables are those that events fill, each after those that it refers to.
var tables = []string{"individuals", "identifiers", "identity_links", "traits", "sessions", "interactions"}

// copier writes with COPY what ingest left, into empty tables that are the same in
// a schema of their own.
type copier struct {
	db   *sql.DB
	rows map[string]*copied
}

// copied is a table's rows as the texts that COPY sends, so that encoding them is
// not part of the measurement.
type copied struct {
	columns []string
	values  [][]any
}

// newCopier reads all rows into memory and makes the empty tables.
func newCopier(ctx context.Context, db *sql.DB) (*copier, error) {
	c := &copier{db: db, rows: map[string]*copied{}}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }() // after a commit there is nothing to roll back
	var keys []string
	for _, table := range tables {
		if c.rows[table], err = readTable(ctx, tx, table); err != nil {
			return nil, err
		}
		rows, err := tx.QueryContext(ctx, `SELECT format('ALTER TABLE %I ADD CONSTRAINT %I %s', $1::text, conname, pg_get_constraintdef(oid))
			FROM pg_constraint WHERE contype = 'f' AND conrelid = ('public.' || $1)::regclass`, table)
		if err != nil {
			return nil, err
		}
		if keys, err = texts(rows, keys); err != nil {
			return nil, err
		}
	}
	statements := []string{"CREATE SCHEMA copied"}
	for _, table := range tables {
		statements = append(statements, "CREATE TABLE copied."+table+" (LIKE public."+table+" INCLUDING ALL)")
	}
	// Foreign keys to these tables lead to the copies, others to the originals.
	statements = append(statements, "SET LOCAL search_path = copied, public")
	for _, statement := range append(statements, keys...) {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return nil, err
		}
	}
	return c, tx.Commit()
}

func texts(rows *sql.Rows, all []string) ([]string, error) {
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, rows.Err()
}

func readTable(ctx context.Context, tx *sql.Tx, table string) (*copied, error) {
	named, err := tx.QueryContext(ctx, `SELECT attname FROM pg_attribute
		WHERE attrelid = ('public.' || $1)::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`, table)
	if err != nil {
		return nil, err
	}
	c := &copied{}
	if c.columns, err = texts(named, nil); err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, "SELECT "+strings.Join(c.columns, "::text, ")+"::text FROM public."+table)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	cells := make([]sql.NullString, len(c.columns))
	into := make([]any, len(cells))
	for i := range cells {
		into[i] = &cells[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		row := make([]any, len(cells))
		for i, cell := range cells {
			if cell.Valid {
				row[i] = cell.String
			}
		}
		c.values = append(c.values, row)
	}
	return c, rows.Err()
}

// size is how many rows there are in all tables.
func (c *copier) size() int {
	n := 0
	for _, table := range c.rows {
		n += len(table.values)
	}
	return n
}

// copy fills the empty tables, each in a transaction a connection, over one
// connection or more, and returns how long that took.
func (c *copier) copy(ctx context.Context, connections int) (time.Duration, error) {
	if _, err := c.db.ExecContext(ctx, "TRUNCATE copied."+strings.Join(tables, ", copied.")); err != nil {
		return 0, err
	}
	began := time.Now()
	for _, table := range tables {
		// A table is whole before one that refers to it begins.
		group, working := errgroup.WithContext(ctx)
		rows := c.rows[table]
		for part := range connections {
			from, to := part*len(rows.values)/connections, (part+1)*len(rows.values)/connections
			group.Go(func() error { return c.copyPart(working, table, rows.columns, rows.values[from:to]) })
		}
		if err := group.Wait(); err != nil {
			return 0, err
		}
	}
	return time.Since(began), nil
}

func (c *copier) copyPart(ctx context.Context, table string, columns []string, rows [][]any) (err error) {
	tx, err := c.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	in, err := tx.PrepareContext(ctx, "COPY copied."+pq.QuoteIdentifier(table)+" ("+strings.Join(columns, ", ")+") FROM STDIN")
	if err != nil {
		return err
	}
	for _, row := range rows {
		if _, err := in.ExecContext(ctx, row...); err != nil {
			return err
		}
	}
	if _, err := in.ExecContext(ctx); err != nil {
		return err
	}
	if err := in.Close(); err != nil {
		return err
	}
	return tx.Commit()
}

func (c *copier) drop(ctx context.Context) error {
	_, err := c.db.ExecContext(ctx, "DROP SCHEMA copied CASCADE")
	return err
}
