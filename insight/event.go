package insight

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// Event is one message on its way in: decoded, checked and normalised, but not
// yet anyone's. Every way in (tracking API, file, mutation, simulation) makes
// events, and the store keeps them.
type Event struct {
	MessageID string    // unique in its source, or its experience; under 100 characters
	Timestamp time.Time // what the client said, before correction; zero when it said nothing
	Source    *Source
	Channel   *Channel

	Type       string // "identify", "page", a track event's name, …
	Direction  Direction
	OccurredAt time.Time // the timestamp corrected for clock skew
	ReceivedAt time.Time
	Value      *float64
	Currency   string
	Campaign   Campaign
	Properties json.RawMessage // a JSON object, or nil

	// Identities holds every identifier that the event carries, strongest first,
	// at least one and without repetition. The first is whose event it is, and it
	// is linked to each of the others.
	Identities []Identity
	// Stream is the identity that sessions run along: the anonymous id, else the
	// device, else the strongest.
	Stream Identity
	Traits []Observation
	// Signals are what the event says of the person's consent; nil: nothing.
	Signals *Signals

	// Statement marks what somebody says of a person (the identify mutation) in
	// contrast to what a person does: its evidence is kept, an interaction is not.
	Statement bool
	// Assignment is what was decided about the person in an experience; nil: nothing.
	// It is kept where its experience's purpose covers them, then and now, and events
	// may be kept of them. An offer is an outbound interaction too; who was held out
	// was sent nothing, and the event is a statement.
	Assignment *Assignment
}

// Assignment says that somebody was offered a variant of an experience, or held out.
type Assignment struct {
	ExperienceID uuid.UUID
	Variant      string // its key; empty: they were held out
}

// Observation is a trait on its way in.
type Observation struct {
	Key         string
	Value       json.RawMessage // null takes the trait away
	Provenance  Provenance
	Confidence  float64
	Sensitivity Sensitivity
}

// EventID makes an interaction's id from its source, its message id and the
// timestamp that the client gave it, so that a retry is the same row and ids
// stay in time order. The layout is that of UUIDv7: 48 bits of milliseconds,
// then 74 bits of SHA-256 in place of randomness. A time before 1970 counts as
// 1970, a message without a timestamp sorts first.
func EventID(source uuid.UUID, messageID string, timestamp time.Time) uuid.UUID {
	var milli, micro int64
	if !timestamp.IsZero() {
		micro = timestamp.UnixMicro()
		milli = max(timestamp.UnixMilli(), 0)
	}
	text := make([]byte, 0, 16+8+len(messageID))
	text = append(text, source[:]...)
	text = binary.BigEndian.AppendUint64(text, uint64(micro))
	text = append(text, messageID...)
	sum := sha256.Sum256(text)
	var id uuid.UUID
	copy(id[:], sum[:16])
	id[0], id[1], id[2] = byte(milli>>40), byte(milli>>32), byte(milli>>24)
	id[3], id[4], id[5] = byte(milli>>16), byte(milli>>8), byte(milli)
	id[6] = id[6]&0x0F | 0x70
	id[8] = id[8]&0x3F | 0x80
	return id
}

// ID is the event's id as an interaction, and as an assignment. The message id of one
// with an assignment is unique in its experience, which stands in for the source.
func (e *Event) ID() uuid.UUID {
	from := e.Source.ID
	if e.Assignment != nil {
		from = e.Assignment.ExperienceID
	}
	return EventID(from, e.MessageID, e.Timestamp)
}

// Status says what became of an event that was handed in.
type Status uint8

// What became of an event.
const (
	StatusAccepted  Status = iota + 1 // kept, durably
	StatusDuplicate                   // was kept before; nothing changed
	StatusWithheld                    // the person's choice forbids keeping it
	StatusRejected                    // it cannot be kept; the outcome's error says why
)

// Outcome is what became of one event. Err is set when it was rejected.
type Outcome struct {
	Status Status
	Err    error
}
