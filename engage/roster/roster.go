package roster

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"io"
	"time"

	"github.com/acquaint/acquaint/engage/archive"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/segment"
)

// Format is how a roster is written.
type Format string

// The formats.
const (
	NDJSON Format = "ndjson"
	CSV    Format = "csv"
)

// ParseFormat reads the name of a format; subject is the argument's.
func ParseFormat(subject, name string) (Format, error) {
	switch f := Format(name); f {
	case NDJSON, CSV:
		return f, nil
	}
	return "", insight.NewError(insight.Invalid, subject, "it is ndjson or csv")
}

// MediaType is the format's, for HTTP.
func (f Format) MediaType() string {
	if f == CSV {
		return "text/csv; charset=utf-8; header=present"
	}
	return "application/x-ndjson; charset=utf-8"
}

// columns are the kinds of identifiers in the order of their columns.
var columns = []struct {
	name string
	kind insight.IdentifierKind
}{
	{"user_id", insight.UserID}, {"anonymous_id", insight.AnonymousID}, {"email", insight.Email},
	{"phone", insight.Phone}, {"device_id", insight.DeviceID}, {"external", insight.External},
}

// Writer writes a roster. Make one with [NewWriter].
type Writer struct {
	out    *bufio.Writer
	csv    *csv.Writer // nil: NDJSON
	json   *json.Encoder
	traits []string
}

// NewWriter begins a roster with the traits of some keys; of a CSV it writes the head.
func NewWriter(w io.Writer, f Format, traits []string) (*Writer, error) {
	out := bufio.NewWriter(w)
	r := &Writer{out: out, traits: traits}
	if f != CSV {
		r.json = json.NewEncoder(out)
		r.json.SetEscapeHTML(false)
		return r, nil
	}
	r.csv = csv.NewWriter(out)
	r.csv.UseCRLF = true
	head := []string{"individual", "membership", "entered_at"}
	for _, c := range columns {
		head = append(head, c.name)
	}
	for _, key := range traits {
		head = append(head, archive.Guard("trait."+key))
	}
	return r, r.csv.Write(head)
}

// Write writes some members, and hands them on.
func (r *Writer) Write(members []*segment.Member) error {
	for _, m := range members {
		var err error
		if r.csv != nil {
			err = r.csv.Write(r.cells(m))
		} else {
			err = r.json.Encode(object(m))
		}
		if err != nil {
			return err
		}
	}
	return r.Flush()
}

// Flush hands on what was written.
func (r *Writer) Flush() error {
	if r.csv != nil {
		r.csv.Flush()
		if err := r.csv.Error(); err != nil {
			return err
		}
	}
	return r.out.Flush()
}

func (r *Writer) cells(m *segment.Member) []string {
	row := []string{
		insight.FormatID(insight.IndividualPrefix, m.IndividualID), insight.FormatID(insight.MembershipPrefix, m.ID), m.EnteredAt.UTC().Format(time.RFC3339Nano),
	}
	for _, c := range columns {
		value := ""
		for _, i := range m.Identifiers {
			if i.Kind == c.kind {
				value = i.Value
				break
			}
		}
		row = append(row, archive.Guard(value))
	}
	for _, key := range r.traits {
		cell := ""
		for _, t := range m.Traits {
			if t.Key != key {
				continue
			}
			if err := json.Unmarshal(t.Value, &cell); err != nil { // it is no text
				cell = string(t.Value)
			}
		}
		row = append(row, archive.Guard(cell))
	}
	return row
}

// line is a member as an object.
type line struct {
	Individual  string                     `json:"individual"`
	Membership  string                     `json:"membership"`
	EnteredAt   time.Time                  `json:"enteredAt"`
	Identifiers []identifier               `json:"identifiers"`
	Traits      map[string]json.RawMessage `json:"traits"`
}

type identifier struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
}

func object(m *segment.Member) line {
	l := line{
		Individual: insight.FormatID(insight.IndividualPrefix, m.IndividualID), Membership: insight.FormatID(insight.MembershipPrefix, m.ID),
		EnteredAt: m.EnteredAt.UTC(), Identifiers: []identifier{}, Traits: map[string]json.RawMessage{},
	}
	for _, i := range m.Identifiers {
		l.Identifiers = append(l.Identifiers, identifier{i.Kind.String(), i.Value})
	}
	for _, t := range m.Traits {
		l.Traits[t.Key] = t.Value
	}
	return l
}
