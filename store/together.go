package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// What a transaction costs, where it is about few individuals, is the round trips to the
// database and the statements that it plans. So what can be asked at once is, and what
// is written waits until something is read: on PostgreSQL each is one round trip then.
// SQLite, which lives in the process, and Citus, which must know of each statement which
// nodes it is for, are given one statement after the other.

// together reports whether statements go out together.
func (e *engine) together() bool { return e.postgres() && !e.citus }

// read is a question whose parameters are sets of keys: see [engine.anyOf].
type read struct {
	text string
	keys [][]uuid.UUID
	scan func(*sql.Rows) error
}

// readAll asks several questions, of which none depends on what another answers.
func (b *batch) readAll(ctx context.Context, reads ...read) error {
	if !b.engine.together() {
		for _, r := range reads {
			args := make([]any, len(r.keys))
			for n, keys := range r.keys {
				args[n] = b.engine.keys(keys)
			}
			if err := b.query(ctx, r.text, args, r.scan); err != nil {
				return err
			}
		}
		return nil
	}
	if err := b.flush(ctx); err != nil {
		return err
	}
	texts := make([]string, len(reads))
	for n, r := range reads {
		texts[n] = r.spelled()
	}
	return queryAll(ctx, b.tx, texts, func(n int, answer *sql.Rows) error { return reads[n].scan(answer) })
}

// spelled is the question with its keys in the text, as PostgreSQL wants it of several at
// once.
func (r *read) spelled() string {
	text := r.text
	for n := len(r.keys); n > 0; n-- {
		set := make([]byte, 0, 3+37*len(r.keys[n-1]))
		set = append(set, "'{"...)
		for i, key := range r.keys[n-1] {
			if i > 0 {
				set = append(set, ',')
			}
			set = appendUUID(set, key)
		}
		text = strings.ReplaceAll(text, fmt.Sprintf("$%d::", n), string(append(set, "}'::"...)))
	}
	return text
}

// queryAll asks PostgreSQL several questions without parameters in one round trip, and
// hands out each row with the number of its question.
func queryAll(ctx context.Context, tx *sql.Tx, texts []string, scan func(int, *sql.Rows) error) (err error) {
	answer, err := tx.QueryContext(ctx, strings.Join(texts, "; "))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, answer.Close()) }()
	for n := range texts {
		if n > 0 && !answer.NextResultSet() {
			return errors.Join(answer.Err(), fmt.Errorf("%d of %d answers", n, len(texts)))
		}
		for answer.Next() {
			if err := scan(n, answer); err != nil {
				return err
			}
		}
	}
	return answer.Err()
}

// write is rows on their way into a table, and the statement that puts them there, which
// reads them from the table that %s stands for.
type write struct {
	table string
	rows  *rows
	text  string
}

// insert inserts rows into a table, as [rows.insert] does, when the transaction reads
// again or ends.
func (b *batch) insert(ctx context.Context, r *rows, table, onConflict string) error {
	if !b.engine.together() {
		return r.insert(ctx, b.tx, table, onConflict)
	}
	names := strings.Join(r.names, ", ")
	return b.later(ctx, r, table, "INSERT INTO "+table+" ("+names+") SELECT "+names+" FROM %s AS r "+onConflict)
}

// later writes to a table, as insert does. One statement writes once to a table: of a
// row that is written twice PostgreSQL would keep either.
func (b *batch) later(ctx context.Context, r *rows, table, text string) error {
	if !b.engine.together() {
		return r.exec(ctx, b.tx, fmt.Sprintf(text, "r"))
	}
	if r.len() == 0 {
		return nil
	}
	if slices.ContainsFunc(b.writes, func(w write) bool { return w.table == table }) {
		if err := b.flush(ctx); err != nil {
			return err
		}
	}
	b.writes = append(b.writes, write{table, r, text})
	return nil
}

// flush writes what waits to be written, in one statement.
func (b *batch) flush(ctx context.Context) error {
	if len(b.writes) == 0 {
		return nil
	}
	text, args := together(b.writes)
	b.writes = b.writes[:0]
	if stmt := b.engine.kept(text); stmt != nil {
		_, err := b.tx.StmtContext(ctx, stmt).ExecContext(ctx, args...)
		return err
	}
	_, err := b.tx.ExecContext(ctx, text, args...)
	return err
}

// together makes one statement of several, of which the last may be a question, and
// gives its parameters.
func together(writes []write) (string, []any) {
	var text strings.Builder
	var args []any
	for n, w := range writes {
		if n == 0 {
			text.WriteString("WITH ")
		} else {
			text.WriteString(", ")
		}
		fmt.Fprintf(&text, "r%d(%s) AS (SELECT %s)", n, strings.Join(w.rows.names, ", "), strings.Join(w.rows.parameters(len(args)), ", "))
		does := fmt.Sprintf(w.text, fmt.Sprintf("r%d", n))
		if n == len(writes)-1 {
			text.WriteString(" " + does)
		} else {
			fmt.Fprintf(&text, ", w%d AS (%s)", n, does)
		}
		args = append(args, w.rows.arrays()...)
	}
	return text.String(), args
}
