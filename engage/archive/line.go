package archive

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
)

// line is where rows are written: values one after the other, as JSON or as cells of
// CSV. What is not known is null in JSON, and an empty cell in CSV.
type line struct {
	bytes.Buffer // what is not yet handed on
	to           io.Writer
	file         string // its name
	csv          bool
	json         bytes.Buffer // of one value
	fault        error        // the first value that cannot be written
}

// full is how many bytes are gathered before they are handed on.
const full = 32 << 10

func (l *line) flush() error {
	if l.fault != nil {
		return l.fault
	}
	_, err := l.WriteTo(l.to)
	return err
}

// end is the end of a row.
func (l *line) end() error {
	if l.fault == nil && l.Len() < full {
		return nil
	}
	return l.flush()
}

func (l *line) fail(message string) {
	if l.fault == nil {
		l.fault = strange(l.file, message)
	}
}

func (l *line) none() {
	if !l.csv {
		l.WriteString("null")
	}
}

// text writes a text as it is, but for bytes that are no UTF-8; empty ones are not
// known.
func (l *line) text(s string) {
	switch {
	case s == "":
		l.none()
	case !l.csv:
		quote(&l.Buffer, s)
	default:
		l.cell(Guard(strings.ToValidUTF8(s, "\uFFFD")))
	}
}

func (l *line) id(prefix string, id uuid.UUID) {
	if id == uuid.Nil {
		l.none()
		return
	}
	l.text(insight.FormatID(prefix, id))
}

func (l *line) key(id uuid.UUID) {
	if id == uuid.Nil {
		l.none()
		return
	}
	l.text(id.String())
}

func (l *line) at(t time.Time) {
	if t.IsZero() {
		l.none()
		return
	}
	b := l.AvailableBuffer()
	if !l.csv {
		b = append(b, '"')
	}
	b = t.UTC().AppendFormat(b, time.RFC3339Nano)
	if !l.csv {
		b = append(b, '"')
	}
	l.Write(b)
}

func (l *line) yes(b bool) { l.Write(strconv.AppendBool(l.AvailableBuffer(), b)) }

func (l *line) count(n int) { l.Write(strconv.AppendInt(l.AvailableBuffer(), int64(n), 10)) }

// number writes a number in the shortest form that reads back as the same, which is
// that of JSON everywhere.
func (l *line) number(f float64) {
	form, size := byte('f'), math.Abs(f)
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		l.fail("a number is not finite")
		return
	case size != 0 && (size < 1e-6 || size >= 1e21):
		form = 'e'
	}
	l.Write(strconv.AppendFloat(l.AvailableBuffer(), f, form, -1, 64))
}

// name writes one of the names of a kind that is stored as a number from 1.
func (l *line) name(names []string, n uint8) {
	if n == 0 || int(n) > len(names) {
		l.fail("a kind has no name")
		return
	}
	l.text(names[n-1])
}

// raw writes JSON without its blanks.
func (l *line) raw(text json.RawMessage) {
	if len(text) == 0 {
		l.none()
		return
	}
	l.json.Reset()
	if json.Compact(&l.json, text) != nil {
		l.fail("what should be JSON is none")
	}
	l.written()
}

// value writes what encoding/json makes of v.
func (l *line) value(v any) {
	l.json.Reset()
	if encode(&l.json, v) != nil {
		l.fail("a value cannot be written as JSON")
	}
	l.written()
}

func (l *line) list(texts []string) {
	l.json.Reset()
	l.json.WriteByte('[')
	for i, s := range texts {
		if i > 0 {
			l.json.WriteByte(',')
		}
		quote(&l.json, s)
	}
	l.json.WriteByte(']')
	l.written()
}

// written hands on the JSON of a value.
func (l *line) written() {
	text := l.json.Bytes()
	if !utf8.Valid(text) {
		text = bytes.ToValidUTF8(text, []byte("\uFFFD"))
	}
	if l.csv {
		l.cell(string(text))
		return
	}
	l.Write(text)
}

// cell writes a cell by RFC 4180.
func (l *line) cell(s string) {
	if !strings.ContainsAny(s, "\",\r\n") {
		l.WriteString(s)
		return
	}
	l.WriteByte('"')
	for {
		before, after, found := strings.Cut(s, `"`)
		l.WriteString(before)
		if !found {
			break
		}
		l.WriteString(`""`)
		s = after
	}
	l.WriteByte('"')
}

// Guard puts an apostrophe before a text that a spreadsheet might run, and before one
// that starts with an apostrophe, so that it can be undone.
func Guard(s string) string {
	first, _ := utf8.DecodeRuneInString(s)
	if !strings.ContainsRune("=+-@\t\r\n'＝＋－＠", first) {
		return s
	}
	if (first == '+' || first == '-') && len(s) > 1 && strings.Trim(s[1:], "0123456789.") == "" {
		return s // a number
	}
	return "'" + s
}

// quote writes a text as JSON.
func quote(out *bytes.Buffer, s string) {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' }) {
		_ = encode(out, s) // every text can be
		return
	}
	out.WriteByte('"')
	out.WriteString(s)
	out.WriteByte('"')
}

func encode(out *bytes.Buffer, v any) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	out.Truncate(out.Len() - 1) // the line break that it puts after every value
	return nil
}
