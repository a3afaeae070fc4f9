package tracking

import (
	"errors"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
)

// Request is what is known of the request that brings messages.
type Request struct {
	Source     *insight.Source
	ReceivedAt time.Time
	// GPC says that the request carries the header Sec-GPC: 1, which then counts for
	// each of its messages.
	GPC bool
}

// delivery is a request whose messages are being decoded.
type delivery struct {
	Request
	body   []byte
	sentAt time.Time // of a batch; zero: none

	shared span   // the consent that messages have from their batch's context
	heard  *heard // and what it says, once it was read
}

// heard is what was read of consent.
type heard struct {
	signals *insight.Signals // nil: nothing is said
	err     error            // why the message's own words do not count; nil: they do
}

// consent reads what a message and its request say of consent.
//
// The batch's own object is read once: it may be as large as the batch, and there
// may be thousands of messages that have it.
func (r *delivery) consent(m *message, subject string) heard {
	place := m.fields[fieldConsent]
	if !place.given() && !r.GPC {
		return heard{}
	}
	said := r.heard
	if said == nil || place != r.shared {
		said = &heard{}
		if said.signals, said.err = consent.Read(r.body[place.start:place.end], r.GPC); said.signals.IsZero() {
			said.signals = nil
		}
		if place == r.shared {
			r.heard = said
		}
	}
	if said.err == nil {
		return *said
	}
	var wrong *insight.Error
	if errors.As(said.err, &wrong) {
		subject = within(subject, within(paths[fieldConsent], shownPath(wrong.Subject)))
	}
	return heard{signals: said.signals, err: relocate(said.err, subject)}
}
