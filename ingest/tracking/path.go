package tracking

import (
	"strconv"
	"strings"
)

// maxPathSteps is how many steps of a path an error shows.
const maxPathSteps = 8

// pathTo names the place of a value in a message whose syntax was found right up
// to there: "properties.products[2].price". Names that do not look like a
// field's could be somebody's address or number, and are shown as "?".
func pathTo(data []byte, message span, offset int) string {
	type level struct {
		key   string
		index int // -1 in an object
	}
	var levels []level
	expectKey := false
	for i := int(message.start); i < len(data) && i <= offset; i++ {
		switch data[i] {
		case '{':
			levels = append(levels, level{index: -1})
			expectKey = true
		case '[':
			if i < offset {
				levels = append(levels, level{})
			}
			expectKey = false
		case '}', ']':
			if len(levels) > 0 {
				levels = levels[:len(levels)-1]
			}
			expectKey = false
		case ',':
			if len(levels) == 0 {
				break
			}
			if top := &levels[len(levels)-1]; top.index >= 0 {
				top.index++
			} else {
				top.key, expectKey = "", true
			}
		case '"':
			start := i
			for i++; i < len(data) && data[i] != '"'; i++ {
				if data[i] == '\\' {
					i++
				}
			}
			if expectKey && i < offset && len(levels) > 0 {
				levels[len(levels)-1].key = pathStep(data[start+1 : i])
				expectKey = false
			}
		}
	}
	var b strings.Builder
	for n, l := range levels {
		if n == maxPathSteps {
			b.WriteString("…")
			break
		}
		switch {
		case l.index >= 0:
			b.WriteString("[" + strconv.Itoa(l.index) + "]")
		case l.key != "":
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(l.key)
		}
	}
	return b.String()
}

func pathStep(key []byte) string {
	if len(key) == 0 || len(key) > 40 {
		return "?"
	}
	for i, c := range key {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == '$'
		if !letter && (i == 0 || (c < '0' || c > '9') && c != '-') {
			return "?"
		}
	}
	return string(key)
}

// shownPath is a path of names, where the first is a field's and the rest may be
// anybody's, as errors show it.
func shownPath(path string) string {
	first, rest, more := strings.Cut(path, ".")
	if !more {
		return first
	}
	return first + "." + pathStep([]byte(rest))
}

// within puts a path behind what the caller calls the message.
func within(subject, path string) string {
	switch {
	case subject == "":
		return path
	case path == "":
		return subject
	case path[0] == '[':
		return subject + path
	}
	return subject + "." + path
}
