package delivery

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/acquaint/acquaint/insight"
)

// Kind is which way a membership changed. The text is the API's.
type Kind string

// The ways.
const (
	Entered Kind = "ENTERED"
	Exited  Kind = "EXITED"
)

// Disclosure is how much of a change may be told.
type Disclosure uint8

// How much: nothing, unless somebody has decided otherwise.
const (
	Nothing Disclosure = iota
	Bare               // that it is over for an opaque id, and when
	Full
)

// Disclose says how much of a change may be told, when the destination's purpose
// covers the individual now or does not, and the destination may have been told before
// that they had entered or not.
func Disclose(kind Kind, covered, told bool) Disclosure {
	switch {
	case covered:
		return Full
	case kind == Exited && told:
		return Bare
	}
	return Nothing
}

// Message is a change as it stands at the moment of sending. The ids are public ones.
type Message struct {
	ID         string // of the change: the same however often it is sent
	Kind       Kind
	At         time.Time // when it happened
	Disclosure Disclosure
	Version    string // of what was read; whoever composed the message knows what it means

	Individual string
	Membership string
	Segment    string    // its key
	EnteredAt  time.Time // zero: not known
	ExitedAt   time.Time // zero: they are in it

	// Told in full alone.
	LapsesAt    time.Time // when it will end if nothing happens; zero: not known
	Because     string
	Identifiers []insight.Identity
	Traits      map[string]json.RawMessage
}

var types = map[Kind]string{Entered: "segment.entered", Exited: "segment.exited"}

// Body is the message as it is sent: compact JSON of the members type, timestamp and
// data, as Standard Webhooks recommends. What its disclosure does not allow is not in
// it. The error is of kind Internal: a message of which nothing may be told, an unknown
// kind, or a trait that is no JSON.
func (m *Message) Body() ([]byte, error) {
	bad := func(message string) ([]byte, error) {
		return nil, insight.NewError(insight.Internal, "message", message)
	}
	kind, known := types[m.Kind]
	switch {
	case !known:
		return bad("its kind is unknown")
	case m.Disclosure == Nothing:
		return bad("nothing of it may be told")
	case m.Disclosure == Bare && m.Kind != Exited:
		return bad("an ENTERED is told in full or not at all")
	}
	type identifier struct {
		Kind  string `json:"kind"`
		Value string `json:"value"`
	}
	type data struct {
		Individual  string                     `json:"individual"`
		Membership  string                     `json:"membership"`
		Segment     string                     `json:"segment"`
		EnteredAt   string                     `json:"enteredAt,omitempty"`
		ExitedAt    string                     `json:"exitedAt,omitempty"`
		LapsesAt    string                     `json:"lapsesAt,omitempty"`
		Because     string                     `json:"because,omitempty"`
		Identifiers []identifier               `json:"identifiers,omitempty"`
		Traits      map[string]json.RawMessage `json:"traits,omitempty"`
	}
	d := data{Individual: m.Individual, Membership: m.Membership, Segment: m.Segment, EnteredAt: moment(m.EnteredAt), ExitedAt: moment(m.ExitedAt)}
	if m.Disclosure == Full {
		d.LapsesAt, d.Because, d.Traits = moment(m.LapsesAt), m.Because, m.Traits
		for _, i := range m.Identifiers {
			d.Identifiers = append(d.Identifiers, identifier{i.Kind.String(), i.Value})
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(struct {
		Type      string `json:"type"`
		Timestamp string `json:"timestamp"`
		Data      data   `json:"data"`
	}{kind, moment(m.At), d})
	if err != nil {
		return nil, insight.WrapError("delivery.Body", insight.Internal, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return insight.Moment(t).Format(time.RFC3339Nano)
}
