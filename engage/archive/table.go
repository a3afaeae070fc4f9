package archive

import (
	"context"

	"github.com/google/uuid"
)

// table is what the files of a table hold, and what README.md says of it.
type table[T any] struct {
	name    string // of its rows in the receipt
	file    string // the name of its files, without their ending
	says    string // what it is, in sentences
	columns []column[T]
	whose   func(T) uuid.UUID // the individual of a row; nil: it is not told
}

// column is one thing that is told of each row: in JSON a member, in CSV a column.
type column[T any] struct {
	name  string
	form  string // what its values are, and their unit
	says  string // what they mean
	from  string // where they come from
	write func(out *line, of T)
}

// rows gives out the rows of a table, and stops at the first error of yield.
type rows[T any] func(ctx context.Context, yield func(T) error) error

// both writes a table as JSON and as CSV.
func both[T any](ctx context.Context, a *archive, t table[T], of rows[T]) {
	asJSON(ctx, a, t, of)
	asCSV(ctx, a, t, of)
	a.same(t.file+".json", t.file+".csv")
}

func asJSON[T any](ctx context.Context, a *archive, t table[T], of rows[T]) {
	a.file(ctx, t.file+".json", t.name, func(out *line) (int, error) {
		n, err := array(ctx, out, t.checked(a.individual, of), func(row T) { object(out, t.columns, row) })
		out.WriteByte('\n')
		return n, err
	})
}

func asCSV[T any](ctx context.Context, a *archive, t table[T], of rows[T]) {
	a.file(ctx, t.file+".csv", t.name, func(out *line) (int, error) {
		out.csv = true
		for i, c := range t.columns {
			if i > 0 {
				out.WriteByte(',')
			}
			out.WriteString(c.name)
		}
		out.WriteString("\r\n")
		return walk(ctx, t.checked(a.individual, of), func(row T) error {
			for i, c := range t.columns {
				if i > 0 {
					out.WriteByte(',')
				}
				c.write(out, row)
			}
			out.WriteString("\r\n")
			return out.end()
		})
	})
}

// checked stops at a row that is not the individual's.
func (t table[T]) checked(individual uuid.UUID, of rows[T]) rows[T] {
	if t.whose == nil {
		return of
	}
	return func(ctx context.Context, yield func(T) error) error {
		return of(ctx, func(row T) error {
			if t.whose(row) != individual {
				return strange(t.name, "one is another individual's")
			}
			return yield(row)
		})
	}
}

// array writes rows as a JSON array, a line each.
func array[T any](ctx context.Context, out *line, of rows[T], write func(T)) (int, error) {
	separator := "[\n"
	n, err := walk(ctx, of, func(row T) error {
		out.WriteString(separator)
		separator = ",\n"
		write(row)
		return out.end()
	})
	if n == 0 {
		out.WriteByte('[')
	} else {
		out.WriteByte('\n')
	}
	out.WriteByte(']')
	return n, err
}

// object writes a row as a JSON object.
func object[T any](out *line, columns []column[T], row T) {
	for i, c := range columns {
		if i == 0 {
			out.WriteByte('{')
		} else {
			out.WriteByte(',')
		}
		out.WriteByte('"')
		out.WriteString(c.name)
		out.WriteString(`":`)
		c.write(out, row)
	}
	out.WriteByte('}')
}

// objects writes a list of things within a row, in JSON alone.
func objects[T any](out *line, columns []column[T], all []T) {
	out.WriteByte('[')
	for i, one := range all {
		if i > 0 {
			out.WriteByte(',')
		}
		object(out, columns, one)
	}
	out.WriteByte(']')
}

// walk counts rows as they are written, and stops at the first error, even where
// whoever gives them out forgets about it.
func walk[T any](ctx context.Context, of rows[T], write func(T) error) (int, error) {
	n := 0
	var failed error
	err := of(ctx, func(row T) error {
		if failed == nil {
			failed = ctx.Err()
		}
		if failed == nil {
			failed = write(row)
			n++
		}
		return failed
	})
	if failed != nil {
		return n, failed
	}
	return n, err
}
