package receipt

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/acquaint/acquaint/insight"
)

// unambiguous refuses what is not one JSON value, and JSON that two readers may
// understand differently: members that are repeated (some take the first, some the
// last), bytes that are not UTF-8, and halves of surrogate pairs (some keep them,
// some put another character in their place). With whole it refuses numbers that are
// not integers, written as such, of at most 2^53-1: others are rounded by some
// readers and written differently by others (RFC 7493).
func unambiguous(subject string, text []byte, whole bool) error {
	bad := func(message string) error { return insight.NewError(insight.Invalid, subject, message) }
	if !utf8.Valid(text) || !json.Valid(text) {
		return bad("it is not JSON")
	}
	if halved(text) {
		return bad("it holds half of a surrogate pair")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if fault := walk(d, whole); fault != "" {
		return bad(fault)
	}
	return nil
}

// walk goes through the next value of valid JSON and says what is wrong with it.
func walk(d *json.Decoder, whole bool) string {
	token, err := d.Token()
	if err != nil {
		return "it is not JSON"
	}
	switch t := token.(type) {
	case json.Number:
		if whole && !integer(string(t)) {
			return fmt.Sprintf("byte %d ends a number that is not an integer of at most 2^53-1", d.InputOffset())
		}
	case json.Delim:
		names := map[any]bool{}
		for d.More() {
			if t == '{' {
				name, err := d.Token()
				if err != nil {
					return "it is not JSON"
				}
				if names[name] {
					return fmt.Sprintf("byte %d ends the name of a member that was there before", d.InputOffset())
				}
				names[name] = true
			}
			if fault := walk(d, whole); fault != "" {
				return fault
			}
		}
		if _, err := d.Token(); err != nil {
			return "it is not JSON"
		}
	}
	return ""
}

// integer reports whether a JSON number is an integer that every reader holds, in
// the one form that every writer gives it.
func integer(text string) bool {
	n, err := strconv.ParseInt(text, 10, 64)
	return err == nil && strconv.FormatInt(n, 10) == text && -1<<53 < n && n < 1<<53
}

// halved reports whether valid JSON escapes half of a surrogate pair.
func halved(text []byte) bool {
	unit := func(at int) rune { // of the escape \uXXXX that starts there; otherwise none
		if at+6 > len(text) || text[at] != '\\' || text[at+1] != 'u' {
			return -1
		}
		n, err := strconv.ParseUint(string(text[at+2:at+6]), 16, 16)
		if err != nil {
			return -1
		}
		return rune(n)
	}
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		if r := unit(i); utf16.IsSurrogate(r) {
			if utf16.DecodeRune(r, unit(i+6)) == utf8.RuneError {
				return true
			}
			i += 6
		}
		i++ // what is escaped, which may be a backslash
	}
	return false
}
