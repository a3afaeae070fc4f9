package delivery_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight/delivery"
)

// Ann enters a segment at noon, and the destination does not answer.
func Example() {
	d := &delivery.Delivery{}
	for _, d.Attempt = range []int{1, 2, 3, 4, 11, 12, 100} {
		r := d.Judge(delivery.Answer{At: noon, Fault: "nobody answers"}, 0, 0.5, 0.5)
		fmt.Println("again after", r.Next.Sub(noon))
	}
	d.Attempt = 1
	r := d.Judge(delivery.Answer{At: noon, Status: 503, RetryAfter: 120 * time.Second}, 0, 0.5, 0.5)
	fmt.Println("left alone until", r.Hold.Format("15:04"))
	// At 12:40 she withdraws.
	fmt.Println(delivery.Disclose(delivery.Entered, false, true) == delivery.Nothing, delivery.Disclose(delivery.Exited, false, true) == delivery.Bare)
	// Output:
	// again after 1s
	// again after 2s
	// again after 4s
	// again after 8s
	// again after 17m4s
	// again after 30m0s
	// again after 30m0s
	// left alone until 12:02
	// true true
}

// bound is the most that is waited, as the rule says it in words.
func bound(attempts int) time.Duration {
	most := 2 * time.Second
	for n := 1; n < attempts && most < time.Hour; n++ {
		most *= 2
	}
	return min(most, time.Hour)
}

func shares() *rapid.Generator[float64] { return rapid.Float64Range(0, 1) }

func TestBackoff(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		attempts := rapid.OneOf(rapid.IntRange(1, 20), rapid.IntRange(1, math.MaxInt)).Draw(t, "attempts")
		share := shares().Draw(t, "share")
		most := bound(min(attempts, 100))
		got := delivery.Backoff(attempts, share)
		if got != time.Duration(share*float64(most)) {
			t.Fatalf("after %d it waits %v of %v", attempts, got, most)
		}
		if delivery.Backoff(attempts, 0) != 0 || delivery.Backoff(attempts, 1) != most {
			t.Fatalf("after %d it does not draw from nothing to %v", attempts, most)
		}
		if larger := rapid.Float64Range(share, 1).Draw(t, "larger"); delivery.Backoff(attempts, larger) < got {
			t.Fatalf("%v waits longer than %v", share, larger)
		}
		if attempts < math.MaxInt && delivery.Backoff(attempts+1, share) < got {
			t.Fatalf("after %d it waits longer than after one more", attempts)
		}
	})
}

// TestBackoffOfNonsense: whatever is given, nobody waits less than nothing or for more
// than the bound.
func TestBackoffOfNonsense(t *testing.T) {
	for _, attempts := range []int{math.MinInt, -1, 0, 1} {
		for share, want := range map[float64]time.Duration{math.Inf(-1): 0, -1: 0, 2: delivery.FirstWait, math.Inf(1): delivery.FirstWait} {
			if got := delivery.Backoff(attempts, share); got != want {
				t.Errorf("after %d, by %v, it waits %v, not %v", attempts, share, got, want)
			}
		}
		if got := delivery.Backoff(attempts, math.NaN()); got != 0 {
			t.Errorf("by NaN it waits %v", got)
		}
	}
}

func TestJudge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := &delivery.Delivery{Attempt: rapid.IntRange(1, 40).Draw(t, "attempt")}
		a := delivery.Answer{
			At:         noon.Add(time.Duration(rapid.IntRange(0, 1e6).Draw(t, "at")) * time.Second),
			Status:     rapid.OneOf(rapid.SampledFrom([]int{0, 200, 299, 300, 410, 429, 502, 503, 504}), rapid.IntRange(100, 599)).Draw(t, "status"),
			RetryAfter: time.Duration(rapid.Int64().Draw(t, "retry after")),
		}
		if a.Status == 0 {
			a.Fault = "nobody answers"
		}
		failures := rapid.IntRange(0, 30).Draw(t, "failures")
		share, hold := shares().Draw(t, "share"), shares().Draw(t, "hold")
		r := d.Judge(a, failures, share, hold)
		if r.At != a.At || r.Status != a.Status || !r.Written {
			t.Fatalf("it does not say what happened: %+v", r)
		}
		if a.Status/100 == 2 {
			if want := (delivery.Result{Outcome: delivery.Delivered, At: a.At, Written: true, Status: a.Status}); r != want {
				t.Fatalf("%+v", r)
			}
			return
		}
		if r.Outcome != delivery.Failed || r.Failures != failures+1 || r.Reason == "" {
			t.Fatalf("%+v", r)
		}
		away, asked := false, time.Duration(0)
		switch a.Status {
		case 0, 502, 504:
			away = true
		case 429, 503:
			away, asked = true, min(max(a.RetryAfter, 0), time.Hour)
		}
		next := max(time.Duration(share*float64(bound(d.Attempt))), asked)
		if got := r.Next.Sub(a.At); got != next {
			t.Fatalf("it is due after %v, not %v", got, next)
		}
		held := max(time.Duration(hold*float64(bound(failures+1))), asked)
		switch {
		case !away && failures < 9:
			if !r.Hold.IsZero() {
				t.Fatalf("one refusal holds up the others until %v", r.Hold)
			}
		case r.Hold.Sub(a.At) != held:
			t.Fatalf("it is held for %v, not %v", r.Hold.Sub(a.At), held)
		}
		switch {
		case a.Status == 410:
			if r.Disable == "" || !r.FailingBy.IsZero() {
				t.Fatalf("it is gone: %+v", r)
			}
		case failures < 9:
			if r.Disable != "" {
				t.Fatalf("after %d failures it is disabled", failures+1)
			}
		case r.Disable == "" || a.At.Sub(r.FailingBy) != 24*time.Hour:
			t.Fatalf("after %d failures: %+v", failures+1, r)
		}
	})
}

// TestADayOfFailures: whatever chance says, a destination at which everything fails is
// disabled after a day of it, and within an hour after that; one that works once a day,
// never.
func TestADayOfFailures(t *testing.T) {
	fails := func(t *rapid.T, worksAfter time.Duration) (disabled time.Duration, attempts int) {
		status := rapid.SampledFrom([]int{0, 301, 404, 429, 500, 503})
		d := &delivery.Delivery{}
		since, failures := time.Time{}, 0
		for now := noon; now.Sub(noon) < 72*time.Hour; {
			d.Attempt++
			attempts++
			a := delivery.Answer{At: now, Status: status.Draw(t, "status"), Fault: "nobody answers"}
			if !since.IsZero() && now.Sub(since) >= worksAfter {
				a.Status = 200
			}
			r := d.Judge(a, failures, shares().Draw(t, "share"), shares().Draw(t, "hold"))
			if r.Outcome == delivery.Delivered { // and the next follows an hour later
				d.Attempt, failures, since = 0, 0, time.Time{}
				now = now.Add(time.Hour)
				continue
			}
			if since.IsZero() {
				since = now
			}
			if r.Disable != "" && !since.After(r.FailingBy) {
				return now.Sub(noon), attempts
			}
			failures = r.Failures
			// Chance may say not to wait at all; a claim takes a moment all the same.
			now = now.Add(time.Second)
			for _, at := range []time.Time{r.Next, r.Hold} {
				if at.After(now) {
					now = at
				}
			}
		}
		return 0, attempts
	}
	rapid.Check(t, func(t *rapid.T) {
		after, attempts := fails(t, math.MaxInt64)
		if after < 24*time.Hour || after > 25*time.Hour+time.Second || attempts < 10 {
			t.Fatalf("it is disabled after %v and %d attempts", after, attempts)
		}
		if after, _ := fails(t, 22*time.Hour); after != 0 {
			t.Fatalf("it works every day, and is disabled after %v", after)
		}
	})
}

func TestRoom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		to := delivery.Destination{ID: uuid.UUID{1}}
		r := delivery.Room{
			Now: noon, Total: rapid.IntRange(0, 8).Draw(t, "total"), Each: rapid.IntRange(1, 8).Draw(t, "each"),
			Busy: map[uuid.UUID]int{to.ID: rapid.IntRange(0, 10).Draw(t, "busy"), {2}: 5},
			Held: map[uuid.UUID]time.Time{{2}: noon.Add(time.Hour)},
		}
		want := 0
		for range r.Total {
			if r.Busy[to.ID]+want < r.Each {
				want++
			}
		}
		if got := r.For(to); got != want {
			t.Fatalf("there is room for %d, not %d", got, want)
		}
		r.Held[to.ID] = noon // until now, and no longer
		if got := r.For(to); got != want {
			t.Fatalf("when it is held no more, there is room for %d, not %d", got, want)
		}
		r.Held[to.ID] = noon.Add(1)
		if got := r.For(to); got != 0 {
			t.Fatalf("it is held, and there is room for %d", got)
		}
		delete(r.Held, to.ID)
		to.FailingSince = noon.Add(-time.Hour)
		if want = min(want, 1); r.Busy[to.ID] > 0 {
			want = 0
		}
		if got := r.For(to); got != want {
			t.Fatalf("it fails, and there is room for %d, not %d", got, want)
		}
	})
}

// TestWhatAttemptsLeave: what was given up on our side is no attempt, and what may have
// reached the destination is not forgotten.
func TestWhatAttemptsLeave(t *testing.T) {
	earlier := noon.Add(-time.Hour)
	for _, c := range []struct {
		outcome  delivery.Outcome
		attempts int
	}{{delivery.Delivered, 3}, {delivery.Failed, 3}, {delivery.Dropped, 2}, {delivery.Released, 2}} {
		for _, told := range []time.Time{{}, earlier} {
			d := &delivery.Delivery{Attempt: 3, ToldAt: told}
			r := delivery.Result{Outcome: c.outcome, At: noon}
			if got := d.Attempts(r); got != c.attempts {
				t.Errorf("%s counts as %d attempts, not %d", c.outcome, got, c.attempts)
			}
			if got := d.Told(r); got != told {
				t.Errorf("%s, of which nothing was written, told at %v, not %v", c.outcome, got, told)
			}
			r.Written = true
			if got := d.Told(r); got != noon {
				t.Errorf("%s told at %v", c.outcome, got)
			}
		}
	}
}
