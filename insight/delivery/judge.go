package delivery

import (
	"fmt"
	"math"
	"time"
)

// The bounds of waiting.
const (
	FirstWait = 2 * time.Second // the most that is waited after the first attempt
	LongWait  = time.Hour       // the most that is waited at all, also when the destination asks for more
	GiveUp    = 24 * time.Hour  // for how long a destination fails before it is disabled
	Patience  = 10              // how many failures in a row say that it is not about one delivery
)

// Backoff is how long to wait after so many attempts have failed: a share of a bound
// that doubles, from [FirstWait] after the first to [LongWait] ("full jitter" of
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). Share is
// from 0 to 1 and drawn evenly, so that those who failed together do not come back
// together.
func Backoff(attempts int, share float64) time.Duration {
	bound := LongWait
	if shift := max(attempts, 1) - 1; shift < 16 && FirstWait<<shift < LongWait {
		bound = FirstWait << shift
	}
	if !(share >= 0) { // NaN too
		share = 0
	}
	return time.Duration(math.Min(share, 1) * float64(bound))
}

// Answer is what came of an attempt.
type Answer struct {
	At         time.Time
	Status     int           // of HTTP; 0: no answer came
	RetryAfter time.Duration // how long the destination asks to be left alone; 0: it does not
	Fault      string        // why no answer came
}

// Judge says what follows from an answer, when so many rounds of attempts at the
// destination had failed in a row before: attempts that were under way together are one
// round. The shares are random numbers for [Backoff], from 0 to 1: one for the delivery
// and one for the destination.
func (d *Delivery) Judge(a Answer, failures int, share, hold float64) Result {
	r := Result{Outcome: Delivered, At: a.At, Written: true, Status: a.Status}
	if a.Status >= 200 && a.Status <= 299 {
		return r
	}
	r.Outcome, r.Failures = Failed, failures+1
	r.Reason = a.Fault
	if a.Status != 0 {
		r.Reason = fmt.Sprintf("it answered %d", a.Status)
	}
	r.Next = a.At.Add(Backoff(d.Attempt, share))
	away, asked := false, time.Duration(0)
	switch a.Status {
	case 410:
		r.Disable = "it answered 410, Gone: it wants no more"
	case 429, 503:
		away, asked = true, min(max(a.RetryAfter, 0), LongWait)
	case 0, 502, 504:
		away = true
	}
	if away || r.Failures >= Patience {
		r.Hold = a.At.Add(max(Backoff(r.Failures, hold), asked))
	}
	if asked > 0 {
		r.Next = later(r.Next, a.At.Add(asked))
	}
	if r.Disable == "" && r.Failures >= Patience {
		r.Disable = "nothing could be delivered for 24 hours; the last time, " + r.Reason
		r.FailingBy = a.At.Add(-GiveUp)
	}
	return r
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
