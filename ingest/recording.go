package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/acquaint/acquaint/ingest/tracking"
	"github.com/acquaint/acquaint/insight"
)

// Recording is an interaction as a caller of the API tells it.
type Recording struct {
	MessageID   string
	UserID      string
	AnonymousID string
	Type        string
	Channel     string // a key; empty: the source's own
	Direction   insight.Direction
	OccurredAt  time.Time
	Value       *float64
	Currency    string
	Properties  json.RawMessage
	Campaign    insight.Campaign
}

// Statement is what a caller of the API says of a person.
type Statement struct {
	MessageID   string // empty makes one up
	UserID      string
	AnonymousID string
	Traits      json.RawMessage
	Provenance  insight.Provenance // 0: declared
	Confidence  *float64           // nil: 1
	OccurredAt  time.Time          // zero: now
}

// message is a message of the tracking API: what callers tell goes through the same
// checks as what SDKs send.
type message struct {
	MessageID   string          `json:"messageId,omitempty"`
	UserID      string          `json:"userId,omitempty"`
	AnonymousID string          `json:"anonymousId,omitempty"`
	Event       string          `json:"event,omitempty"`
	Timestamp   string          `json:"timestamp,omitempty"`
	Properties  json.RawMessage `json:"properties,omitempty"`
	Traits      json.RawMessage `json:"traits,omitempty"`
	Context     struct {
		Channel   string            `json:"channel,omitempty"`
		Direction string            `json:"direction,omitempty"`
		Campaign  *insight.Campaign `json:"campaign,omitempty"`
	} `json:"context"`
}

// Event checks a recording and makes it an event. The error's subject starts with
// subject and names the argument.
func (r *Recording) Event(ctx context.Context, d *tracking.Decoder, source *insight.Source, now time.Time, subject string) (*insight.Event, error) {
	if r.Value != nil && (math.IsNaN(*r.Value) || math.IsInf(*r.Value, 0)) {
		return nil, insight.NewError(insight.Invalid, subject+".value", "it is not a finite number")
	}
	currency := tracking.Currency(r.Currency)
	if currency == "" && r.Currency != "" {
		return nil, insight.NewError(insight.Invalid, subject+".currency", "a currency is three letters, such as EUR")
	}
	if r.MessageID == "" {
		return nil, insight.NewError(insight.Invalid, subject+".messageId", "it is empty")
	}
	m := message{MessageID: r.MessageID, UserID: r.UserID, AnonymousID: r.AnonymousID, Event: r.Type, Timestamp: r.OccurredAt.UTC().Format(time.RFC3339Nano), Properties: r.Properties}
	m.Context.Channel = r.Channel
	if r.Direction == insight.Outbound {
		m.Context.Direction = "outbound"
	}
	if !r.Campaign.IsZero() {
		m.Context.Campaign = &r.Campaign
	}
	e, err := m.decode(ctx, d, "track", source, now, subject)
	if err != nil {
		return nil, err
	}
	if r.Channel == "" {
		e.Channel = source.DefaultChannel
	}
	e.Value, e.Currency = r.Value, currency
	return e, nil
}

// Event checks a statement and makes it an event that is no interaction.
func (s *Statement) Event(ctx context.Context, d *tracking.Decoder, source *insight.Source, now time.Time) (*insight.Event, error) {
	if s.OccurredAt.IsZero() {
		s.OccurredAt = now
	}
	confidence := 1.0
	if s.Confidence != nil {
		confidence = *s.Confidence
	}
	if !(confidence >= 0 && confidence <= 1) {
		return nil, insight.NewError(insight.Invalid, "input.confidence", "it must lie between 0 and 1")
	}
	m := message{MessageID: s.MessageID, UserID: s.UserID, AnonymousID: s.AnonymousID, Timestamp: s.OccurredAt.UTC().Format(time.RFC3339Nano), Traits: s.Traits}
	e, err := m.decode(ctx, d, "identify", source, now, "input")
	if err != nil {
		return nil, err
	}
	e.Statement = true
	for i := range e.Traits {
		if s.Provenance != 0 {
			e.Traits[i].Provenance = s.Provenance
		}
		e.Traits[i].Confidence = confidence
	}
	return e, nil
}

func (m *message) decode(ctx context.Context, d *tracking.Decoder, kind string, source *insight.Source, now time.Time, subject string) (*insight.Event, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return nil, insight.NewError(insight.Invalid, subject, "it is not JSON")
	}
	e, err := d.Message(ctx, kind, body, source, now, time.Time{}, subject)
	var wrong *insight.Error
	if errors.As(err, &wrong) {
		return nil, &insight.Error{Op: wrong.Op, Kind: wrong.Kind, Subject: asArgument(subject, wrong.Subject), Message: wrong.Message, Cause: wrong.Cause}
	}
	return e, err
}

// asArgument calls a field of a message by the name that the API has for it.
func asArgument(subject, path string) string {
	for from, to := range map[string]string{
		".event": ".type", ".timestamp": ".occurredAt", ".context.channel": ".channel", ".context.direction": ".direction", ".context.campaign": ".campaign",
	} {
		if rest, ok := strings.CutPrefix(path, subject+from); ok {
			return fmt.Sprint(subject, to, rest)
		}
	}
	return path
}
