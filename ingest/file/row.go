package file

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/acquaint/acquaint/insight"
)

// MaxRowSize is how many bytes a row may have, with the line breaks that its
// quotes hold.
const MaxRowSize = 1 << 20

// keptOfLongRow is how much of a row that is too long is shown to the reject file.
const keptOfLongRow = 64 << 10

// frame cuts a stream into rows within a buffer of fixed size. A row is a line,
// or several where quotes hold the breaks between them.
type frame struct {
	in         io.Reader
	buffer     []byte
	start, end int
	eof        bool
	line       int    // of buffer[start]
	offset     int64  // of buffer[start]
	delimiter  []byte // nil: quotes mean nothing
}

func newFrame(in io.Reader, delimiter []byte) *frame {
	return &frame{in: in, buffer: make([]byte, MaxRowSize+64<<10), line: 1, delimiter: delimiter}
}

// row is one row as it stands in the file. Its bytes are good until the next one.
type row struct {
	line  int
	raw   []byte // without the line break at its end
	fault error  // why it cannot be read; nil when it can
}

func (f *frame) take(n int) []byte {
	taken := f.buffer[f.start : f.start+n]
	f.start += n
	f.offset += int64(n)
	f.line += bytes.Count(taken, []byte{'\n'})
	return taken
}

// giveBack returns all but the first line of the row that was taken last, so
// that a stray quote costs no more than its own line.
func (f *frame) giveBack(taken int) {
	row := f.buffer[f.start-taken : f.start]
	first := bytes.IndexByte(row, '\n') + 1
	if first == 0 {
		return
	}
	back := taken - first
	f.start -= back
	f.offset -= int64(back)
	f.line -= bytes.Count(row[first:], []byte{'\n'})
}

// next returns the next row with its line break, or io.EOF. Blank lines are
// passed over.
func (f *frame) next() (taken []byte, r row, err error) {
	for {
		window := f.buffer[f.start:f.end]
		size, open := rowSize(window, f.delimiter)
		switch {
		case size > 0 && size <= MaxRowSize:
		case len(window) > MaxRowSize || f.eof && open:
			return nil, f.refuse(window), f.discard()
		case !f.eof:
			if err := f.fill(); err != nil {
				return nil, row{}, err
			}
			continue
		case len(window) == 0:
			return nil, row{}, io.EOF
		default:
			size = len(window)
		}
		line := f.line
		taken = f.take(size)
		raw := bytes.TrimRight(taken, "\r\n")
		if len(bytes.TrimSpace(raw)) == 0 {
			continue
		}
		return taken, row{line: line, raw: raw, fault: checkText(line, raw)}, nil
	}
}

// refuse makes a row of a window that holds no whole row.
func (f *frame) refuse(window []byte) row {
	first := bytes.IndexByte(window, '\n')
	if first < 0 {
		first = len(window)
	}
	why := "a quote does not close within 1 MiB"
	if first > MaxRowSize {
		why = "the row is longer than 1 MiB"
	}
	raw := bytes.Clone(window[:min(first, keptOfLongRow)])
	return row{line: f.line, raw: bytes.TrimRight(raw, "\r"), fault: refuseLine(f.line, why)}
}

// discard passes over the rest of the line, of any length.
func (f *frame) discard() error {
	for {
		if end := bytes.IndexByte(f.buffer[f.start:f.end], '\n'); end >= 0 {
			f.take(end + 1)
			return nil
		}
		f.take(f.end - f.start)
		if f.eof {
			return nil
		}
		if err := f.fill(); err != nil {
			return err
		}
	}
}

func (f *frame) fill() error {
	copy(f.buffer, f.buffer[f.start:f.end])
	f.start, f.end = 0, f.end-f.start
	n, err := f.in.Read(f.buffer[f.end:])
	f.end += n
	if errors.Is(err, io.EOF) {
		f.eof = true
		return nil
	}
	if err != nil {
		failed := insight.WrapError("file.Read", insight.Unavailable, err)
		failed.Subject, failed.Message = "file", "it cannot be read on"
		return failed
	}
	return nil
}

// rowSize is the size of the row that a window starts with, line break included,
// or 0 where it does not end there; open says that a quote is.
func rowSize(window, delimiter []byte) (size int, open bool) {
	end := bytes.IndexByte(window, '\n')
	line := window
	if end >= 0 {
		line = window[:end]
	}
	if delimiter == nil || bytes.IndexByte(line, '"') < 0 {
		return end + 1, false
	}
	for i := 0; i < len(window); {
		if window[i] == '"' { // at the start of a field
			for i++; ; i += 2 {
				quote := bytes.IndexByte(window[i:], '"')
				if quote < 0 {
					return 0, true
				}
				if i += quote; i+1 >= len(window) || window[i+1] != '"' {
					break
				}
			}
			i++
		}
		line := window[i:]
		end := bytes.IndexByte(line, '\n')
		if end >= 0 {
			line = line[:end]
		}
		next := bytes.Index(line, delimiter)
		if next < 0 {
			if end < 0 {
				return 0, false
			}
			return i + end + 1, false
		}
		i += next + len(delimiter)
	}
	return 0, false
}

func checkText(line int, raw []byte) error {
	if bytes.IndexByte(raw, 0) >= 0 {
		return refuseLine(line, "it holds the character NUL")
	}
	if !utf8.Valid(raw) {
		return refuseLine(line, "it is not UTF-8; was the file saved as Latin-1?")
	}
	return nil
}

func refuseLine(line int, why string) error {
	return insight.NewError(insight.Invalid, at(line, ""), why)
}

// at is what errors call a place in the file.
func at(line int, field string) string {
	if field == "" {
		return fmt.Sprintf("line %d", line)
	}
	return fmt.Sprintf("line %d, %s", line, field)
}

// checkEncoding looks at the start of a file: it passes over a byte order mark
// and refuses UTF-16.
func (f *frame) checkEncoding() error {
	for f.end-f.start < 4 && !f.eof {
		if err := f.fill(); err != nil {
			return err
		}
	}
	start := f.buffer[f.start:f.end]
	utf16 := bytes.HasPrefix(start, []byte{0xFF, 0xFE}) || bytes.HasPrefix(start, []byte{0xFE, 0xFF})
	if len(start) >= 4 {
		utf16 = utf16 || start[0] == 0 && start[2] == 0 || start[1] == 0 && start[3] == 0
	}
	if utf16 {
		return refuseLine(1, "it is not UTF-8 but UTF-16; save the file as UTF-8")
	}
	if bytes.HasPrefix(start, []byte("\uFEFF")) {
		f.take(3)
	}
	return nil
}

// table reads the fields of rows.
type table struct {
	*frame
	delimiter rune // or Whitespace
	columns   int
	feed      bytes.Reader
	csv       *csv.Reader
	words     []string
}

func newTable(in io.Reader, delimiter rune) *table {
	t := &table{delimiter: delimiter}
	var quoting []byte
	if delimiter != Whitespace {
		quoting = []byte(string(delimiter))
	}
	t.frame = newFrame(in, quoting)
	t.renew()
	return t
}

// renew forgets what a row with a fault has left in the parser.
func (t *table) renew() {
	t.csv = csv.NewReader(&t.feed)
	t.csv.Comma = t.delimiter
	t.csv.FieldsPerRecord = -1
	t.csv.ReuseRecord = true
}

// next returns the fields of the next row, or io.EOF. Where the row has a fault,
// the fields mean nothing. The fields are good until the next row; their texts
// for ever.
func (t *table) next() ([]string, row, error) {
	taken, r, err := t.frame.next()
	if err != nil || r.fault != nil {
		return nil, r, err
	}
	var fields []string
	if t.delimiter == Whitespace {
		t.words = append(t.words[:0], strings.Fields(string(r.raw))...)
		fields = t.words
	} else {
		size := len(taken)
		if taken[len(taken)-1] != '\n' {
			taken = append(bytes.Clone(taken), '\n')
		}
		t.feed.Reset(taken)
		if fields, err = t.csv.Read(); err != nil {
			t.renew()
			t.giveBack(size)
			if first := bytes.IndexByte(r.raw, '\n'); first >= 0 {
				r.raw = bytes.TrimRight(r.raw[:first], "\r")
			}
			r.fault = refuseLine(r.line, "a quote stands where none may; a field with quotes is quoted as a whole, its quotes doubled")
			return nil, r, nil
		}
	}
	if t.columns == 0 {
		t.columns = len(fields)
	}
	if len(fields) != t.columns {
		r.fault = refuseLine(r.line, fmt.Sprintf("the row has %d fields, where %d are expected", len(fields), t.columns))
	}
	return fields, r, nil
}

// header reads the first row as the names of the columns.
func (t *table) header() ([]string, error) {
	fields, r, err := t.next()
	if errors.Is(err, io.EOF) {
		return nil, insight.NewError(insight.Invalid, "file", "it is empty; the first line should name the columns")
	}
	if err == nil {
		err = r.fault
	}
	return slices.Clone(fields), err
}
