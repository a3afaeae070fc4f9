package file

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/acquaint/acquaint/insight"
)

func TestParseMappingRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "an assignment is TARGET=COLUMN",
		"userId":                             "an assignment is TARGET=COLUMN",
		"userId=u,":                          "an assignment is TARGET=COLUMN",
		"userId=u,type=k":                    "occurredAt is missing",
		"userId=u,occurredAt=t":              "type is missing; map it to a column, or to a constant such as type=:text",
		"type=k,occurredAt=t":                "nothing in it says whose event a row is",
		"userId=u,userId=v":                  "userId is mapped twice",
		"userid=u":                           `there is no target "userid"`,
		"properties.=u":                      `there is no target "properties."`,
		"external.a:b=u":                     `there is no target "external.a:b"`,
		"userId=":                            "userId has no column",
		"userId=:":                           "userId has no column",
		`userId="a`:                          "the quote of userId does not close",
		`userId="a"b`:                        "after the quoted text of userId a comma is expected",
		`userId=a"b`:                         "the quote of userId stands within the text",
		"userId=\xff":                        "it is not valid text",
		"userId=a\x00":                       "it is not valid text",
		"traits." + strings.Repeat("x", 201): "there is no target",
	} {
		if want == "there is no target" {
			text += "=c"
		}
		if m, err := ParseMapping(text); err == nil || !strings.HasPrefix(err.Error(), "map: "+want) || insight.KindOf(err) != insight.Invalid {
			t.Errorf("%q: %v, %v; want %q", text, m, err, want)
		}
	}
}

func FuzzParseMapping(f *testing.F) {
	f.Add(`userId="Customer, ""No.""", type = :purchase,occurredAt=1,properties.a.b=:x`)
	f.Add(`userId=u,type=k,occurredAt=:2026-01-01T00:00:00Z,traits.x="y"`)
	f.Fuzz(func(t *testing.T, text string) {
		m, err := ParseMapping(text)
		if err != nil {
			if insight.KindOf(err) != insight.Invalid {
				t.Fatal(err)
			}
			return
		}
		// Written out with everything quoted, it is the same mapping.
		var parts []string
		for _, a := range m.assignments {
			colon := ""
			if a.constant {
				colon = ":"
			}
			parts = append(parts, a.target+"="+colon+`"`+strings.ReplaceAll(a.text, `"`, `""`)+`"`)
		}
		again, err := ParseMapping(strings.Join(parts, ","))
		if err != nil || fmt.Sprint(again) != fmt.Sprint(m) {
			t.Fatalf("%v is read back as %v, %v", m, again, err)
		}
		if _, err := m.plan([]string{"u", "k"}, 2); err != nil && insight.KindOf(err) != insight.Invalid {
			t.Fatal(err)
		}
	})
}

// FuzzRead holds that every row is an event or refused, in one pass as in two,
// and that a file that encoding/csv reads is read alike.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		"user,kind,time\nu,k,2026-01-01T00:00:00Z\n", "u,\"k\n\",t\n\"", "a,b\n\"c\"d,e\n\n\"f\ng\",h", "\uFEFFa,b,c\r\nd,e,f\r\n", "\xff\xfe", "u\x00,k",
		"1 2  3\n", "{\"type\":\"page\",\"userId\":\"u\"}\n[]", "{\"type\":\"page\",\"userId\":\"u\",\"context\":{\"consent\":7}}", "\"a\"\"b\",c,d\n", "a,\"b,c\nd\"\"\n",
	} {
		f.Add([]byte(text), ",", uint8(0))
		f.Add([]byte(text), "whitespace", uint8(1))
		f.Add([]byte(text), "§", uint8(2))
	}
	numbered, err := ParseMapping("userId=1,type=2,occurredAt=3,value=4,properties.all=1")
	if err != nil {
		f.Fatal(err)
	}
	constant, err := ParseMapping("userId=1,type=:k,occurredAt=:2026-01-01T00:00:00Z,properties.p=2,messageId=2")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte, delimiter string, how uint8) {
		o := Options{NoHeader: true, Mapping: numbered}
		if how&1 != 0 {
			o.Mapping = constant
		}
		if how&2 != 0 {
			o.Format = NDJSON
		}
		if o.Delimiter, err = ParseDelimiter(delimiter); err != nil {
			return
		}
		r := read(o, bytes.NewReader(text))
		if int64(len(r.events)) != r.Events || int64(len(r.rejected)) != r.Rejected || int64(len(r.warnings)) != r.Warnings || r.err == nil && r.Rows != r.Events+r.Rejected {
			t.Fatalf("%+v", r)
		}
		if r.err != nil && insight.KindOf(r.err) != insight.Invalid {
			t.Fatal(r.err)
		}
		for _, e := range r.events {
			if len(e.Identities) == 0 || e.MessageID == "" || e.OccurredAt.After(imported) || e.Properties != nil && !json.Valid(e.Properties) {
				t.Fatalf("%+v", e)
			}
		}
		if again := read(o, io.MultiReader(bytes.NewReader(text))); fmt.Sprint(again.ids(), again.rejected, again.warnings) != fmt.Sprint(r.ids(), r.rejected, r.warnings) {
			t.Fatalf("once %v, then %v", r.rejected, again.rejected)
		}
		compare(t, text, o.Delimiter)
	})
}

// compare reads a text as encoding/csv does, where that finds nothing wrong.
func compare(t *testing.T, text []byte, delimiter rune) {
	if delimiter == Whitespace || bytes.HasPrefix(text, []byte("\uFEFF")) {
		return
	}
	reference := csv.NewReader(bytes.NewReader(text))
	reference.Comma, reference.FieldsPerRecord = delimiter, -1
	want, err := reference.ReadAll()
	if err != nil || checkText(1, text) != nil {
		return
	}
	in := newTable(bytes.NewReader(text), delimiter)
	for _, fields := range want {
		if strings.TrimSpace(strings.Join(fields, "")) == "" {
			return // whether that is a row is for each to say
		}
		in.columns = len(fields)
		got, r, err := in.next()
		if err != nil || r.fault != nil || fmt.Sprintf("%q", got) != fmt.Sprintf("%q", fields) {
			t.Fatalf("%q, %v, %v; encoding/csv reads %q", got, r.fault, err, fields)
		}
	}
}

// manyRows is a file of n rows that is made while it is read.
type manyRows struct {
	n, row int
	rest   []byte
}

func (m *manyRows) Read(p []byte) (int, error) {
	for len(m.rest) == 0 {
		if m.row > m.n {
			return 0, io.EOF
		}
		if m.row == 0 {
			m.rest = []byte("user,kind,time,amount,sku\n")
		} else {
			m.rest = fmt.Appendf(nil, "customer-%d,purchase,2025-%02d-%02dT10:%02d:00Z,%d.50,SKU-%d\n",
				m.row%200_000, m.row%12+1, m.row%28+1, m.row%60, m.row%300, m.row%1000)
		}
		m.row++
	}
	n := copy(p, m.rest)
	m.rest = m.rest[n:]
	return n, nil
}

// Seek goes back to the start, or says where that was.
func (m *manyRows) Seek(int64, int) (int64, error) {
	m.row, m.rest = 0, nil
	return 0, nil
}

func BenchmarkRead(b *testing.B) {
	m, err := ParseMapping("userId=user,type=kind,occurredAt=time,value=amount,properties.sku=sku")
	if err != nil {
		b.Fatal(err)
	}
	o := Options{Mapping: m, Source: till, Directory: channels{}, ReceivedAt: imported}
	b.ReportAllocs()
	summary, err := Read(context.Background(), &manyRows{n: b.N}, o,
		func(int, *insight.Event, error) error { return nil }, func(_ int, _ []byte, err error) error { return err })
	if err != nil || summary.Events != int64(b.N) {
		b.Fatal(summary, err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
