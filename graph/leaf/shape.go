package leaf

import (
	"bytes"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// write appends the JSON of an object, or of one field of it.
type write[T any] func(out *bytes.Buffer, of T)

// plan makes what writes a field, for what is asked of it; nil where that is not in
// the tables.
type plan[T any] func(op *graphql.OperationContext, asked ast.SelectionSet) write[T]

// shape is a type of the schema: its leaves by name.
type shape[T any] struct {
	name   string
	is     []string // the type and its interfaces, which fragments may name
	fields map[string]plan[T]
}

// plan makes what writes an object of this type.
func (s *shape[T]) plan(op *graphql.OperationContext, asked ast.SelectionSet) write[T] {
	type member struct {
		key   []byte // with its colon, and the comma before it
		write write[T]
	}
	fields := graphql.CollectFields(op, asked, s.is)
	members := make([]member, 0, len(fields))
	for n := range fields {
		f := &fields[n]
		make, known := s.fields[f.Name]
		if f.Name == "__typename" {
			make, known = typeName[T](s.name), true
		}
		if !known || f.IsDeferred() {
			return nil
		}
		w := make(op, f.Selections)
		if w == nil {
			return nil
		}
		key := strconv.AppendQuote(nil, f.Alias) // an alias is a name: letters, digits and underscores
		if n > 0 {
			key = append([]byte{','}, key...)
		}
		members = append(members, member{append(key, ':'), w})
	}
	return func(out *bytes.Buffer, of T) {
		out.WriteByte('{')
		for i := range members {
			out.Write(members[i].key)
			members[i].write(out, of)
		}
		out.WriteByte('}')
	}
}

func typeName[T any](name string) plan[T] {
	return value(func(out *bytes.Buffer, _ T) { text(out, name) })
}

// value is a field that is written as it is.
func value[T any](w write[T]) plan[T] {
	return func(*graphql.OperationContext, ast.SelectionSet) write[T] { return w }
}

// object is a field that holds another object, or null.
func object[T, U any](s *shape[*U], get func(T) *U) plan[T] {
	return func(op *graphql.OperationContext, asked ast.SelectionSet) write[T] {
		w := s.plan(op, asked)
		if w == nil {
			return nil
		}
		return func(out *bytes.Buffer, of T) {
			if inner := get(of); inner != nil {
				w(out, inner)
			} else {
				null(out)
			}
		}
	}
}

func null(out *bytes.Buffer) { out.WriteString("null") }

// text writes a string with the escapes that the executor writes.
func text(out *bytes.Buffer, s string) {
	const digits = "0123456789ABCDEF"
	out.WriteByte('"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		out.WriteString(s[start:i])
		start = i + 1
		switch c {
		case '\t':
			out.WriteString(`\t`)
		case '\r':
			out.WriteString(`\r`)
		case '\n':
			out.WriteString(`\n`)
		case '"', '\\':
			out.WriteByte('\\')
			out.WriteByte(c)
		default:
			out.WriteString(`\u00`)
			out.WriteByte(digits[c>>4])
			out.WriteByte(digits[c&15])
		}
	}
	out.WriteString(s[start:])
	out.WriteByte('"')
}

// optional writes a string that may be missing.
func optional(out *bytes.Buffer, s string) {
	if s == "" {
		null(out)
		return
	}
	text(out, s)
}
