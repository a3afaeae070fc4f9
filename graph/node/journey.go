package node

import (
	"time"

	"github.com/acquaint/acquaint/insight/journey"
	"github.com/acquaint/acquaint/store"
)

// Question is what an individual's journey was asked with, so that what others did next
// is asked alike.
type Question struct {
	Reader   *store.Reader
	Lookback time.Duration
	AsOf     time.Time
	Live     bool // whether AsOf is now
}

// Transitions are the options of what leads to what in journeys such as this one.
func (q *Question) Transitions() journey.TransitionOptions {
	return journey.TransitionOptions{Lookback: q.Lookback, AsOf: q.AsOf}
}

// Continues reports whether something may follow: whether it has begun and not ended.
func (j *Journey) Continues() bool {
	return len(j.Journey.Touchpoints) > 0 && j.Journey.EndedAt.IsZero()
}

// Reader is what the individual was read by.
func (i *Individual) Reader() *store.Reader { return i.people.Reader }
