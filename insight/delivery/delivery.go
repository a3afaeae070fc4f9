package delivery

import (
	"time"

	"github.com/google/uuid"
)

// Delivery is one change of membership on its way to one destination, as it was
// claimed: until the lease ends nobody else has it. A later lease of the same delivery
// ends later, so that its end says whose it is.
type Delivery struct {
	ID          uuid.UUID
	Change      uuid.UUID // the change of membership that it tells
	Individual  uuid.UUID // whose; for the store, and for no log
	Destination Destination
	Attempt     int       // which one this is, from 1
	ToldAt      time.Time // when an earlier attempt may have reached the destination; zero: none may
	Until       time.Time // when the lease ends
}

// Destination is where deliveries go, as it stood when one was claimed.
type Destination struct {
	ID           uuid.UUID
	URL          string
	Secrets      []string  // the secrets that are valid, newest first: what is sent is signed with each
	FailingSince time.Time // the first failure since the last success; zero: it does not fail
}

// Room is how much whoever claims can take.
type Room struct {
	Now   time.Time
	Until time.Time         // when the lease of what is claimed ends
	Total int               // how many at most
	Each  int               // how many at most may be in flight to one destination
	Busy  map[uuid.UUID]int // how many are in flight already, by destination
	// Held has the destinations that are to be left alone for some time, until when.
	Held map[uuid.UUID]time.Time
}

// For is how many more may be claimed for a destination: Each without those that are
// in flight; of one that fails, one at a time; and of one that is held, none.
func (r Room) For(d Destination) int {
	each := r.Each
	if !d.FailingSince.IsZero() {
		each = 1
	}
	if r.Held[d.ID].After(r.Now) {
		return 0
	}
	return max(0, min(each-r.Busy[d.ID], r.Total))
}

// Outcome is what became of an attempt. The text is stored.
type Outcome string

// The outcomes.
const (
	Delivered Outcome = "DELIVERED" // the destination has it
	Failed    Outcome = "FAILED"    // it may have it or not: it is sent again
	Dropped   Outcome = "DROPPED"   // nothing may be told any more: it is not sent at all
	Released  Outcome = "RELEASED"  // the attempt was given up on our side: it says nothing of the destination
)

// Result is an outcome with what follows from it.
type Result struct {
	Outcome Outcome
	At      time.Time
	Written bool   // whether any of it may have reached the destination
	Status  int    // the answer's; 0: none came
	Reason  string // why it is not delivered, for the operator; without personal data

	Next     time.Time // of Failed and Released: when it is due again
	Failures int       // of Failed: how many rounds of attempts at the destination have failed in a row now
	Hold     time.Time // of Failed: until when the destination is to be left alone; zero: no need
	// Disable is why the destination is to be disabled; empty: it is not. With FailingBy
	// it is disabled only if it has been failing since then or longer.
	Disable   string
	FailingBy time.Time
}

// Settled is what writing a result did.
type Settled struct {
	Held     bool // the lease was still the writer's; if not, nothing was written
	Disabled bool // the destination was disabled by it
}

// Attempts is how many attempts a delivery counts after a result: what was given up on
// our side is none.
func (d *Delivery) Attempts(r Result) int {
	if r.Outcome == Dropped || r.Outcome == Released {
		return d.Attempt - 1
	}
	return d.Attempt
}

// Told is when the destination may have been told, after a result; zero: it was not.
func (d *Delivery) Told(r Result) time.Time {
	if r.Written {
		return r.At
	}
	return d.ToldAt
}
