package insight

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// Direction says who reached out.
type Direction uint8

// Who reached out. The numbers are stored.
const (
	Inbound  Direction = iota + 1 // the customer to the business
	Outbound                      // the business to the customer
)

// Campaign is what the utm parameters of a link said. Empty fields were absent.
type Campaign struct {
	Name    string `json:"name,omitempty"`
	Source  string `json:"source,omitempty"`
	Medium  string `json:"medium,omitempty"`
	Term    string `json:"term,omitempty"`
	Content string `json:"content,omitempty"`
}

// IsZero reports whether no parameter was given.
func (c Campaign) IsZero() bool { return c == Campaign{} }

// Interaction is one thing that happened between an individual and the
// business, as it is kept. It never changes, but for the individual that it is
// understood to belong to.
type Interaction struct {
	ID           uuid.UUID // from source, message id and the client's timestamp: see EventID
	IndividualID uuid.UUID
	Owner        uuid.UUID // key of its strongest identifier, whose individual it belongs to
	Stream       uuid.UUID // key of the device or anonymous id (else the owner) that sessions run along
	Channel      *Channel
	Source       *Source
	MessageID    string
	Type         string // "page", "purchase", "Order Completed", …
	Direction    Direction
	OccurredAt   time.Time
	ReceivedAt   time.Time
	Value        *float64
	Currency     string // ISO 4217, or empty
	Campaign     Campaign
	Properties   json.RawMessage // a JSON object, or nil
}

// Before is the order of a timeline: by time, then by id.
func (x *Interaction) Before(y *Interaction) bool {
	if !x.OccurredAt.Equal(y.OccurredAt) {
		return x.OccurredAt.Before(y.OccurredAt)
	}
	return bytes.Compare(x.ID[:], y.ID[:]) < 0
}

// Timeline is one individual's interactions in order, earliest first. Every
// computation about an individual is a fold over it.
type Timeline []*Interaction

// Session is a run of one individual's inbound interactions on one stream of one
// source, with no gap over the source's timeout.
type Session struct {
	ID           uuid.UUID // the id of the interaction that it starts with
	IndividualID uuid.UUID
	Stream       uuid.UUID
	Source       *Source
	EntryChannel *Channel // of the first interaction
	StartedAt    time.Time
	EndedAt      time.Time // of the last interaction
	Interactions int
	Engaged      bool
	Campaign     Campaign // of the first interaction
	Partial      bool     // made of those interactions alone that the reader's purpose covers, and not of all
}
