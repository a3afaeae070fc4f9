package archive

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestGuard(t *testing.T) {
	for text, want := range map[string]string{
		"plain":             "plain",
		"a=1":               "a=1",
		" =1":               " =1",
		"=1+1":              "'=1+1",
		"@SUM(A1)":          "'@SUM(A1)",
		"+49 176":           "'+49 176",
		"+4917612345678":    "+4917612345678",
		"-12.5":             "-12.5",
		"-1+1":              "'-1+1",
		"-":                 "'-",
		"+":                 "'+",
		"-a":                "'-a",
		"+1|cmd":            "'+1|cmd",
		"\t=1":              "'\t=1",
		"\r=1":              "'\r=1",
		"\n=1":              "'\n=1",
		"＝1":                "'＝1",
		"－1":                "'－1",
		"'quoted'":          "''quoted'",
		"'=1":               "''=1",
		"…":                 "…",
		"1-2":               "1-2",
		"https://a.example": "https://a.example",
	} {
		if got := Guard(text); got != want {
			t.Errorf("%q is guarded as %q, want %q", text, got, want)
		}
	}
}

// Whatever a text holds, it can be read back from CSV and from JSON, and no
// spreadsheet takes it for a formula.
func TestTexts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(rapid.OneOf(
			rapid.String(),
			rapid.StringOfN(rapid.SampledFrom([]rune("=+-@'\t\r\n,\";1. a＝\x00")), 0, 8, -1),
		), 1, 5).Draw(t, "texts")
		asCSV, asJSON := &line{csv: true}, &line{}
		for i, s := range texts {
			if i > 0 {
				asCSV.WriteByte(',')
				asJSON.WriteByte(',')
			}
			asCSV.text(s)
			asJSON.text(s)
		}
		cells := parse(asCSV.String())
		var values []*string
		if err := json.Unmarshal([]byte("["+asJSON.String()+"]"), &values); err != nil {
			t.Fatal(err)
		}
		if len(cells) != len(texts) || len(values) != len(texts) {
			t.Fatalf("%q became the cells %q", texts, cells)
		}
		for i, s := range texts {
			if got := strings.TrimPrefix(cells[i], "'"); got != s {
				t.Fatalf("%q became the cell %q", s, cells[i])
			}
			if s == "" && values[i] != nil || s != "" && *values[i] != s {
				t.Fatalf("%q became the JSON %s", s, asJSON.String())
			}
			first, _ := utf8.DecodeRuneInString(cells[i])
			if cells[i] != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) && strings.Trim(cells[i], "+-.0123456789") != "" {
				t.Fatalf("%q became the cell %q, which a spreadsheet may run", s, cells[i])
			}
		}
	})
}

// parse reads a record as RFC 4180 says, and no more kindly.
func parse(record string) []string {
	cells := []string{""}
	quoted, closed := false, false
	for _, b := range []byte(record) {
		cell := &cells[len(cells)-1]
		switch {
		case b == '"' && !quoted && !closed:
			quoted = true
		case b == '"' && quoted:
			quoted, closed = false, true
		case b == '"' && closed: // two within quotation marks are one
			*cell += `"`
			quoted, closed = true, false
		case b == ',' && !quoted:
			cells, closed = append(cells, ""), false
		case (b == '\r' || b == '\n') && !quoted:
			return nil
		default:
			*cell += string([]byte{b})
		}
	}
	return cells
}

func TestNumbers(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0", 1: "1", -12.5: "-12.5", 1e20: "100000000000000000000", 1e21: "1e+21", 1e-6: "0.000001", 1e-7: "1e-07",
		math.MaxFloat64: "1.7976931348623157e+308", 0.1: "0.1", 123456789.25: "123456789.25",
	} {
		l := &line{}
		l.number(f)
		if l.String() != want || !json.Valid(l.Bytes()) {
			t.Errorf("%v is written as %s, want %s", f, l.String(), want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.Float64().Draw(t, "number")
		l := &line{}
		l.number(f)
		if back, err := strconv.ParseFloat(l.String(), 64); err != nil || back != f {
			t.Fatalf("%v is written as %s", f, l.String())
		}
	})
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		l := &line{}
		if l.number(f); l.flush() == nil {
			t.Errorf("%v is written", f)
		}
	}
}

// Bytes that are no UTF-8 do not make a file that is none.
func TestNoUTF8(t *testing.T) {
	for _, csv := range []bool{false, true} {
		l := &line{csv: csv}
		l.text("a\xffb\"\xfe")
		l.WriteByte(',')
		l.raw(json.RawMessage("{\"a\":\"\xff\"}"))
		l.WriteByte(',')
		l.list([]string{"\xff"})
		replaced := strings.Count(l.String(), "\uFFFD") + strings.Count(l.String(), `\ufffd`)
		if replaced != 4 || !utf8.Valid(l.Bytes()) {
			t.Errorf("it is written as %q", l.String())
		}
	}
}
