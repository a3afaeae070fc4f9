package graph

import (
	"crypto/rand"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/engage/webhook"
	"github.com/acquaint/acquaint/insight"
)

// secret reads a signing secret, or makes one.
func secret(argument string, given *string) (string, error) {
	if given != nil {
		s, err := webhook.ParseSecret(*given)
		return s.Text(), at(argument, err)
	}
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails
	s, err := webhook.NewSecret(random[:])
	return s.Text(), err
}

// address refuses what no destination may have as its address.
func (r *Resolver) address(argument string, url *string) error {
	if url == nil {
		return nil
	}
	return at(argument, webhook.CheckURL(*url, r.Destinations))
}

// retry has a destination tried at once.
func (r *Resolver) retry(id uuid.UUID) {
	if r.Retry != nil {
		r.Retry(id)
	}
}

const (
	overlap      = insight.Day // of two secrets, where nothing else is said
	mostOverlap  = 30 * insight.Day
	wrongOverlap = "it must lie between PT0S and P30D"
)

// until is when an old secret ends.
func until(now time.Time, of *time.Duration) (time.Time, error) {
	d := overlap
	if of != nil {
		d = *of
	}
	if d < 0 || d > mostOverlap {
		return time.Time{}, insight.NewError(insight.Invalid, "input.overlap", wrongOverlap)
	}
	return now.Add(d), nil
}
