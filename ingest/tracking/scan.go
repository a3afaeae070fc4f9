package tracking

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how deep objects and arrays may lie in each other, the message's
// own object being the first.
const maxDepth = 64

// maxNumberLength is the longest number in bytes: enough for every 64-bit float
// written out in full.
const maxNumberLength = 1100

// fault is what can be wrong with text that is well-formed JSON otherwise. It
// spoils the message that it lies in and no other.
type fault uint8

const (
	faultNone fault = iota
	faultNUL
	faultUTF8
	faultSurrogate
	faultNumber
	faultDepth
)

var faultMessages = [...]string{
	faultNUL:       "it holds the character NUL, which no text may",
	faultUTF8:      "it is not valid UTF-8",
	faultSurrogate: "it holds half of a surrogate pair, which is no character",
	faultNumber:    "the number is outside what a 64-bit float holds",
	faultDepth:     "objects and arrays lie more than 64 deep",
}

// span is where a value lies in the body; the zero span is no value.
type span struct{ start, end uint32 }

func (v span) given() bool { return v.end != 0 }

// scanner reads JSON once: it checks the syntax, records faults, and notes where
// the values lie that the shapes name. It stops at a syntax error, with pos there.
type scanner struct {
	data    []byte
	pos     int
	fault   fault
	faultAt int
}

func (s *scanner) note(f fault, at int) {
	if s.fault == faultNone {
		s.fault, s.faultAt = f, at
	}
}

func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

func (s *scanner) at(c byte) bool { return s.pos < len(s.data) && s.data[s.pos] == c }

// value reads one value of a container at the given depth. Where shape is not
// nil and the value is an object, the members that it names are noted in out.
func (s *scanner) value(depth int, shape *shape, out *fields) bool {
	if s.pos >= len(s.data) {
		return false
	}
	switch c := s.data[s.pos]; c {
	case '"':
		return s.text()
	case '{', '[':
		if depth >= maxDepth {
			s.note(faultDepth, s.pos)
			return s.skip()
		}
		if c == '[' {
			return s.elements(func() bool { return s.value(depth+1, nil, nil) })
		}
		if shape == nil {
			return s.members(func([]byte) bool { return s.value(depth+1, nil, nil) })
		}
		return s.members(func(key []byte) bool {
			field, child := shape.member(key)
			if child != nil {
				clear(out[child.first : child.last+1])
			}
			start := s.pos
			if !s.value(depth+1, child, out) {
				return false
			}
			if field != noField {
				out[field] = s.spanFrom(start)
			}
			return true
		})
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	default:
		return s.number()
	}
}

// spanFrom is the value that was just read; null is no value.
func (s *scanner) spanFrom(start int) span {
	if s.data[start] == 'n' {
		return span{}
	}
	return span{uint32(start), uint32(s.pos)}
}

// members reads an object. visit gets each key, unescaped, and reads its value.
func (s *scanner) members(visit func(key []byte) bool) bool {
	s.pos++
	s.space()
	if s.at('}') {
		s.pos++
		return true
	}
	for {
		start := s.pos
		if !s.at('"') || !s.text() {
			return false
		}
		key := s.data[start+1 : s.pos-1]
		if bytes.IndexByte(key, '\\') >= 0 {
			key = []byte(unquote(s.data[start:s.pos]))
		}
		s.space()
		if !s.at(':') {
			return false
		}
		s.pos++
		s.space()
		if !visit(key) {
			return false
		}
		s.space()
		switch {
		case s.at(','):
			s.pos++
			s.space()
		case s.at('}'):
			s.pos++
			return true
		default:
			return false
		}
	}
}

// elements reads an array; visit reads each element.
func (s *scanner) elements(visit func() bool) bool {
	s.pos++
	s.space()
	if s.at(']') {
		s.pos++
		return true
	}
	for {
		if !visit() {
			return false
		}
		s.space()
		switch {
		case s.at(','):
			s.pos++
			s.space()
		case s.at(']'):
			s.pos++
			return true
		default:
			return false
		}
	}
}

// skip passes over a container of any depth without recursion. Its message is
// refused whatever it holds, so only its end must be found rightly.
func (s *scanner) skip() bool {
	var open []byte
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; c {
		case '"':
			if !s.text() {
				return false
			}
			continue
		case '{':
			open = append(open, '}')
		case '[':
			open = append(open, ']')
		case '}', ']':
			if open[len(open)-1] != c {
				return false
			}
			if open = open[:len(open)-1]; len(open) == 0 {
				s.pos++
				return true
			}
		}
		s.pos++
	}
	return false
}

func (s *scanner) literal(word string) bool {
	if !bytes.HasPrefix(s.data[s.pos:], []byte(word)) {
		return false
	}
	s.pos += len(word)
	return true
}

// plain marks the bytes of a string that need no second look.
var plain = func() (table [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		table[c] = c != '"' && c != '\\'
	}
	return table
}()

func (s *scanner) text() bool {
	data := s.data
	i := s.pos + 1
	for i < len(data) {
		c := data[i]
		if plain[c] {
			i++
			continue
		}
		switch {
		case c == '"':
			s.pos = i + 1
			return true
		case c == '\\':
			size := s.escape(i)
			if size == 0 {
				s.pos = i
				return false
			}
			i += size
		case c == 0:
			// JSON calls this a syntax error; here it spoils one message, not its batch.
			s.note(faultNUL, i)
			i++
		case c < ' ':
			s.pos = i
			return false
		default:
			r, size := utf8.DecodeRune(data[i:])
			if r == utf8.RuneError && size == 1 {
				s.note(faultUTF8, i)
			}
			i += size
		}
	}
	s.pos = len(data)
	return false
}

// escape returns the length of the escape sequence at i, or 0 when it is none.
func (s *scanner) escape(i int) int {
	if i+1 >= len(s.data) {
		return 0
	}
	switch s.data[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
	default:
		return 0
	}
	r, ok := hex4(s.data, i+2)
	if !ok {
		return 0
	}
	if r == 0 {
		s.note(faultNUL, i)
	}
	if !utf16.IsSurrogate(r) {
		return 6
	}
	if i+7 < len(s.data) && s.data[i+6] == '\\' && s.data[i+7] == 'u' {
		if low, ok := hex4(s.data, i+8); ok && utf16.DecodeRune(r, low) != utf8.RuneError {
			return 12
		}
	}
	s.note(faultSurrogate, i)
	return 6
}

func hex4(data []byte, i int) (r rune, ok bool) {
	if i+4 > len(data) {
		return 0, false
	}
	for _, c := range data[i : i+4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

func (s *scanner) number() bool {
	start := s.pos
	if s.at('-') {
		s.pos++
	}
	switch {
	case s.at('0'):
		s.pos++
	case !s.digits():
		return false
	}
	simple := true
	if s.at('.') {
		s.pos++
		if !s.digits() {
			return false
		}
	}
	if s.at('e') || s.at('E') {
		simple = false
		s.pos++
		if s.at('+') || s.at('-') {
			s.pos++
		}
		if !s.digits() {
			return false
		}
	}
	// Three hundred digits without an exponent are within a float's range.
	if length := s.pos - start; (!simple || length > 300) && !finite(s.data[start:s.pos]) {
		s.note(faultNumber, start)
	}
	return true
}

func (s *scanner) digits() bool {
	start := s.pos
	for s.pos < len(s.data) && '0' <= s.data[s.pos] && s.data[s.pos] <= '9' {
		s.pos++
	}
	return s.pos > start
}

// finite reports whether a number can be held by a 64-bit float and by the
// engines: neither too large nor so small that it would silently be 0.
func finite(number []byte) bool {
	if len(number) > maxNumberLength {
		return false
	}
	f, err := strconv.ParseFloat(string(number), 64)
	if err != nil || math.IsInf(f, 0) {
		return false
	}
	mantissa, exponent := number, []byte(nil)
	if e := bytes.IndexAny(number, "eE"); e >= 0 {
		mantissa, exponent = number[:e], bytes.TrimLeft(number[e+1:], "+-0")
	}
	if len(exponent) > 3 {
		return false
	}
	return f != 0 || !bytes.ContainsAny(mantissa, "123456789")
}

// unquote reads a string that was scanned before. Without an escape it is what
// stands between the quotes.
func unquote(quoted []byte) string {
	inner := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner)
	}
	var text string
	if json.Unmarshal(quoted, &text) != nil {
		return "" // it holds a fault, and its message is refused for that
	}
	return text
}

// scanned returns the members of an object or the elements of an array that was
// scanned before, one call of visit each; elements have no key.
func scanned(data []byte, container span, visit func(key []byte, value span)) {
	s := scanner{data: data[:container.end], pos: int(container.start)}
	read := func(key []byte) bool {
		start := s.pos
		if !s.value(0, nil, nil) {
			return false
		}
		visit(key, span{uint32(start), uint32(s.pos)})
		return true
	}
	if data[container.start] == '[' {
		s.elements(func() bool { return read(nil) })
		return
	}
	s.members(read)
}
