package tracking

import (
	"context"
	"fmt"
	"strconv"
	"sync"

	"github.com/acquaint/acquaint/insight"
)

// Batch is what became of the messages of one request, in their order.
type Batch struct {
	Messages []Decoded
}

// Events lists the events of the messages that could be decoded, in their order.
func (b Batch) Events() []*insight.Event {
	events := make([]*insight.Event, 0, len(b.Messages))
	for i := range b.Messages {
		if b.Messages[i].Err == nil {
			events = append(events, b.Messages[i].Event)
		}
	}
	return events
}

// Decoded is what became of one message: its event, or why there is none.
type Decoded struct {
	MessageID string // the id that the client gave it, where it could be read
	Event     *insight.Event
	Err       error
	// Consent is what is wrong with the consent that the message tells of, where its
	// event was made without it: an [insight.Invalid] error whose subject is the
	// place, such as "batch[3].context.consent.tcString".
	Consent error
}

// batched is what a batch says before its messages are decoded.
type batched struct {
	messages []message
	context  fields
	sentAt   span
	array    bool // whether batch is an array
}

// batches keeps the memory of scanned messages between requests; they hold
// offsets, never bytes of a body.
var batches = sync.Pool{New: func() any { return new(batched) }}

// Batch decodes {"batch": [message, …], "sentAt": …, "context": …}. A message
// that is wrong is refused alone, under the subject "batch[3]"; the others are
// decoded. Errors of the batch itself are [insight.Invalid] (malformed JSON, no
// array, a sentAt that is no time), [insight.Exhausted] (over 500 KB or 2,500
// messages) and those of the Directory but Invalid ones.
//
// The events keep parts of body, which must not be written to afterwards, and those
// whose consent is the batch's share their Signals.
func (d *Decoder) Batch(ctx context.Context, body []byte, from Request) (Batch, error) {
	if len(body) > MaxBatchSize {
		return Batch{}, insight.NewError(insight.Exhausted, "body", "a batch may be 500 KB at most")
	}
	b := batches.Get().(*batched)
	defer batches.Put(b)
	*b = batched{messages: b.messages[:0]}
	if err := b.scan(body); err != nil {
		return Batch{}, err
	}
	r := delivery{Request: from, body: body, shared: b.context[fieldConsent]}
	if b.sentAt.given() {
		t, err := parseTime(body[b.sentAt.start:b.sentAt.end])
		if err != nil {
			err.Subject = "sentAt"
			return Batch{}, err
		}
		r.sentAt = t
	}
	decoded := make([]Decoded, len(b.messages))
	for i := range b.messages {
		m := &b.messages[i]
		m.inherit(&b.context)
		decoded[i] = d.decode(ctx, "", &r, m, "batch["+strconv.Itoa(i)+"]")
		err := decoded[i].Err
		if kind := insight.KindOf(err); err != nil && kind != insight.Invalid && kind != insight.Exhausted {
			return Batch{}, err
		}
	}
	return Batch{Messages: decoded}, nil
}

// givenID is the message id that the client gave, where it is fit to be repeated.
func givenID(body []byte, m *message) string {
	v := m.fields[fieldMessageID]
	if m.fault != faultNone || !v.given() || body[v.start] != '"' || v.end-v.start > 2+MaxMessageIDLength {
		return ""
	}
	return unquote(body[v.start:v.end])
}

func (b *batched) scan(body []byte) error {
	s := scanner{data: body}
	var refused error
	ok := s.root(func(key []byte) bool {
		start := s.pos
		switch string(key) {
		case "batch":
			b.messages = b.messages[:0]
			if b.array = s.at('['); !b.array {
				return s.value(1, nil, nil)
			}
			return s.elements(func() bool {
				if len(b.messages) == MaxBatchMessages {
					refused = insight.NewError(insight.Exhausted, "batch", fmt.Sprintf("a batch may hold %d messages at most", MaxBatchMessages))
					return false
				}
				b.messages = append(b.messages, message{})
				return scanMessage(&s, &b.messages[len(b.messages)-1])
			})
		case "context":
			clear(b.context[contextShape.first : contextShape.last+1])
			ok := s.value(1, contextShape, &b.context)
			b.context[fieldContext] = s.spanFrom(start)
			return ok
		case "sentAt":
			ok := s.value(1, nil, nil)
			b.sentAt = s.spanFrom(start)
			return ok
		}
		return s.value(1, nil, nil)
	})
	switch {
	case refused != nil:
		return refused
	case !ok:
		return malformed("", s.pos)
	case s.fault != faultNone:
		whole := span{0, uint32(len(body))}
		return insight.NewError(insight.Invalid, within("body", pathTo(body, whole, s.faultAt)), faultMessages[s.fault])
	case !b.array:
		return insight.NewError(insight.Invalid, "batch", "expected an array of messages")
	case b.context[fieldContext].given() && body[b.context[fieldContext].start] != '{':
		return insight.NewError(insight.Invalid, "context", "expected an object")
	}
	return nil
}

// root reads a document that is one object.
func (s *scanner) root(visit func(key []byte) bool) bool {
	s.space()
	if !s.at('{') || !s.members(visit) {
		return false
	}
	s.space()
	return s.pos == len(s.data)
}

// WriteKey is the write key that a body names, for clients that cannot set a
// header; empty where it names none. Malformed JSON is [insight.Invalid].
func WriteKey(body []byte) (string, error) {
	s := scanner{data: body}
	var key string
	ok := s.root(func(name []byte) bool {
		start := s.pos
		if !s.value(1, nil, nil) {
			return false
		}
		if string(name) == "writeKey" && body[start] == '"' {
			key = unquote(body[start:s.pos])
		}
		return true
	})
	if !ok {
		return "", malformed("", s.pos)
	}
	return key, nil
}
