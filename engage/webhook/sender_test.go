package webhook

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/acquaint/acquaint/insight/delivery"
)

// In these tests time is synctest's (see within): whoever sleeps in them waits for
// nothing, and it passes only while everybody waits.

// What arrives is what the Standard Webhooks library accepts, with each of the secrets
// that are valid.
func TestConformity(t *testing.T) {
	within(t, func(w *world) {
		one := w.receive("one", ok)
		old := w.destinations[one.id].Secrets[0]
		renewed := Secret(slices.Repeat([]byte{9}, 64)).Text()
		w.destinations[one.id].Secrets = []string{renewed, old}
		r := w.entered(one)
		w.equal("counts", w.run(time.Second), Counts{Delivered: 1})
		got := one.arrivals()
		w.equal("arrivals", len(got), 1)
		for _, secret := range []string{renewed, old} {
			hook, err := standardwebhooks.NewWebhook(secret)
			if err != nil {
				t.Fatal(err)
			}
			if err := hook.Verify(got[0].text, got[0].header); err != nil {
				t.Errorf("with a valid secret: %v", err)
			}
			if hook.Verify(append(got[0].text, ' '), got[0].header) == nil {
				t.Error("another body is accepted")
			}
		}
		stranger, _ := standardwebhooks.NewWebhook(Secret(slices.Repeat([]byte{7}, 32)).Text())
		if stranger.Verify(got[0].text, got[0].header) == nil {
			t.Error("another secret is accepted")
		}
		w.equal("id", got[0].header.Get("webhook-id"), idOf(r))
		w.equal("type", got[0].header.Get("Content-Type"), "application/json")
		want := fmt.Sprintf(`{"type":"segment.entered","timestamp":"2026-03-01T12:00:00Z","data":{"individual":%q,"membership":%q,"segment":"loyal","enteredAt":"2026-03-01T12:00:00Z","identifiers":[{"kind":"USER_ID","value":"ann"}]}}`,
			got[0].individual, "mem"+got[0].individual[3:])
		w.equal("body", string(got[0].text), want)
		w.equal("outcome", w.row(r).done, delivery.Delivered)
	})
}

// Ten destinations have a hundred deliveries each, and one of them hangs: the others
// have all of theirs before any time has passed.
func TestHangingHoldsUpNobody(t *testing.T) {
	within(t, func(w *world) {
		var all []*receiver
		for n := range 10 {
			answer := http.HandlerFunc(ok)
			if n == 3 {
				answer = hang
			}
			all = append(all, w.receive(fmt.Sprintf("to%d", n), answer))
		}
		for range 100 {
			for _, r := range all {
				w.entered(r)
			}
		}
		s, stop := w.start()
		began := time.Now()
		synctest.Wait()
		for n, r := range all {
			want := 100
			if n == 3 {
				want = 8 // at once, and no more
			}
			w.equal(fmt.Sprintf("to %d", n), len(r.arrivals()), want)
		}
		w.equal("time", time.Since(began), time.Duration(0))
		w.equal("under way", s.Counts().Flying, 8)
		time.Sleep(AttemptTime - time.Millisecond)
		synctest.Wait()
		w.equal("still under way", s.Counts().Flying, 8)
		time.Sleep(time.Millisecond)
		synctest.Wait()
		w.equal("failed", s.Counts().Failed, uint64(8))
		// From now on it is tried one at a time, and left alone in between.
		w.onSettle(func(*delivery.Delivery, delivery.Result) error {
			if n := s.Counts().Flying; n > 1 {
				t.Errorf("%d are under way to a destination that fails", n)
			}
			return nil
		})
		time.Sleep(time.Hour)
		if n := len(all[3].arrivals()); n < 12 || n > 30 {
			t.Errorf("%d attempts in an hour", n)
		}
		stop()
	})
}

// An individual's changes arrive in order, each at least once, whatever the receivers
// answer, however often the senders die, and with two of them at a time.
func TestOrderAndAtLeastOnce(t *testing.T) {
	for seed := range uint64(25) {
		within(t, func(w *world) {
			random := rand.New(rand.NewPCG(seed, 1))
			dice := make(chan float64, 1)
			done := make(chan struct{})
			defer close(done)
			w.o.Random = func() float64 { return <-dice }
			var calm atomic.Bool
			var all []*receiver
			for n := range 3 {
				all = append(all, w.receive(fmt.Sprintf("to%d", n), func(out http.ResponseWriter, q *http.Request) {
					chance := <-dice
					switch {
					case calm.Load() || chance < 0.5:
						ok(out, q)
					case chance < 0.6:
						out.WriteHeader(http.StatusInternalServerError)
					case chance < 0.7:
						hang(out, q)
					case chance < 0.8:
						time.Sleep(time.Duration(chance * float64(20*time.Second)))
						ok(out, q)
					default:
						panic(http.ErrAbortHandler) // the connection breaks
					}
				}))
			}
			people := []uuid.UUID{uuid.New(), uuid.New(), uuid.New(), uuid.New()}
			kinds := map[uuid.UUID]delivery.Kind{}
			for range 12 {
				who := people[random.IntN(len(people))]
				kind := delivery.Entered
				if kinds[who] == delivery.Entered {
					kind = delivery.Exited
				}
				kinds[who] = kind
				for _, r := range all {
					w.change(r.id, who, kind)
				}
			}
			go func() {
				for {
					select {
					case dice <- random.Float64():
					case <-done:
						return
					}
				}
			}()
			for life := 0; w.undone() > 0; life++ {
				if life == 300 {
					t.Fatalf("seed %d: %d are not delivered", seed, w.undone())
				}
				calm.Store(life > 20)
				w.onSettle(nil)
				if <-dice < 0.4 { // what these senders find out is lost
					w.onSettle(func(*delivery.Delivery, delivery.Result) error { return errors.New("away") })
				}
				_, stop := w.start()
				_, other := w.start()
				time.Sleep(time.Duration(<-dice * float64(2*time.Minute)))
				stop()
				other()
			}
			for _, r := range all {
				if p := w.place(r.id); p.disabled != "" {
					t.Fatalf("seed %d: disabled: %s", seed, p.disabled)
				}
				w.inOrder(r)
			}
		})
	}
}

// inOrder fails unless every row of a receiver arrived, and nothing of an individual
// arrived for the first time before what came before it, or again after what comes
// after it.
func (w *world) inOrder(r *receiver) {
	w.Helper()
	first, last := map[string]int{}, map[string]int{}
	for n, a := range r.arrivals() {
		id := a.header.Get("webhook-id")
		if _, seen := first[id]; !seen {
			first[id] = n
		}
		last[id] = n
	}
	before := map[uuid.UUID]string{}
	for _, row := range w.rows {
		if row.Destination.ID != r.id {
			continue
		}
		id := idOf(row)
		if _, arrived := first[id]; !arrived {
			w.Fatal("a change never arrived")
		}
		if earlier := before[row.Individual]; earlier != "" && last[earlier] > first[id] {
			w.Fatal("a change arrived before, or again after, one that it follows")
		}
		before[row.Individual] = id
	}
}

// What became of it was not written, because the process died: after the lease, and not
// before, it is sent again under the same id.
func TestKilledBeforeSettling(t *testing.T) {
	within(t, func(w *world) {
		one := w.receive("one", ok)
		r := w.entered(one)
		w.onSettle(func(*delivery.Delivery, delivery.Result) error { return errors.New("the process died") })
		began := time.Now()
		_, stop := w.start()
		synctest.Wait()
		stop()
		w.equal("attempts", w.row(r).Attempt, 1)
		w.onSettle(nil)
		s, stop := w.start()
		time.Sleep(time.Until(began.Add(LeaseTime - time.Millisecond)))
		w.equal("within the lease", len(one.arrivals()), 1)
		time.Sleep(2 * time.Second)
		stop()
		got := one.arrivals()
		w.equal("after the lease", len(got), 2)
		w.equal("the id", got[1].header.Get("webhook-id"), got[0].header.Get("webhook-id"))
		w.equal("the attempt's own timestamp", got[1].header.Get("webhook-timestamp"), fmt.Sprint(began.Add(LeaseTime).Unix()))
		w.equal("counts", s.Counts(), Counts{Delivered: 1})
	})
}

// A database that is away for a while costs a second attempt at settling, not at
// delivering.
func TestSettlesAgain(t *testing.T) {
	within(t, func(w *world) {
		one := w.receive("one", ok)
		r := w.entered(one)
		tries := 0
		w.onSettle(func(*delivery.Delivery, delivery.Result) error {
			if tries++; tries < 4 {
				return errors.New("away")
			}
			return nil
		})
		w.equal("counts", w.run(10*time.Second), Counts{Delivered: 1})
		w.equal("arrivals", len(one.arrivals()), 1)
		w.equal("results", len(w.row(r).results), 1)
	})
}

// A sender that was stopped for longer than its lease neither sends nor settles: the
// delivery is another one's.
func TestOutlivedLease(t *testing.T) {
	within(t, func(w *world) {
		one := w.receive("one", ok)
		r := w.entered(one)
		frozen := make(chan struct{})
		var first atomic.Bool
		w.onSettle(func(*delivery.Delivery, delivery.Result) error {
			if first.CompareAndSwap(false, true) {
				<-frozen
			}
			return nil
		})
		s, stop := w.start()
		synctest.Wait()
		time.Sleep(LeaseTime)
		time.Sleep(time.Second) // the other attempt, of the same sender
		w.equal("sent again", len(one.arrivals()), 2)
		close(frozen)
		synctest.Wait()
		w.equal("counts", s.Counts(), Counts{Delivered: 1, Lost: 1})
		w.equal("results", len(w.row(r).results), 1)
		stop()
	})
	within(t, func(w *world) {
		one := w.receive("one", ok)
		r := w.entered(one)
		w.composed = func(d *delivery.Delivery) { // somebody else has it since
			w.box.mu.Lock()
			w.find(d).Until = d.Until.Add(time.Second)
			w.box.mu.Unlock()
		}
		w.equal("counts", w.run(time.Second), Counts{Lost: 1})
		w.equal("arrivals", len(one.arrivals()), 0)
		w.equal("results", len(w.row(r).results), 0)
	})
}

// What others' servers do is bounded and told.
func TestBadDestinations(t *testing.T) {
	cases := []struct {
		name   string
		answer http.HandlerFunc
		takes  time.Duration
		status int
		reason string // empty: it is delivered
	}{
		{"slow", func(out http.ResponseWriter, q *http.Request) { time.Sleep(14 * time.Second); ok(out, q) }, 14 * time.Second, 204, ""},
		{"200 after a minute", func(out http.ResponseWriter, q *http.Request) { time.Sleep(time.Minute); ok(out, q) }, 15 * time.Second, 0, "it did not answer within 15 seconds"},
		{"hanging", hang, 15 * time.Second, 0, "it did not answer within 15 seconds"},
		{"endless body", func(out http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := out.Write(make([]byte, 1000)); err != nil {
					return
				}
			}
		}, 0, 200, ""},
		{"trickling body", func(out http.ResponseWriter, q *http.Request) {
			for q.Context().Err() == nil {
				_, _ = out.Write([]byte("."))
				_ = http.NewResponseController(out).Flush()
				time.Sleep(300 * time.Millisecond)
			}
		}, time.Second, 200, ""},
		{"endless head", func(out http.ResponseWriter, _ *http.Request) {
			for n := range 2000 {
				out.Header().Set(fmt.Sprintf("X-%d", n), strings.Repeat("x", 1000))
			}
			out.WriteHeader(200)
		}, 0, 0, "the connection failed"},
		{"redirect", func(out http.ResponseWriter, q *http.Request) {
			http.Redirect(out, q, "http://two.test/", http.StatusTemporaryRedirect)
		}, 0, 307, "it answered 307"},
		{"refusing", status(400), 0, 400, "it answered 400"},
		{"broken", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 0, 0, "the connection failed"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			within(t, func(w *world) {
				if transport, ok := w.o.Transport.(*http.Transport); ok {
					transport.MaxResponseHeaderBytes = maxAnswer
				}
				one, two := w.receive("one", c.answer), w.receive("two", ok)
				r := w.entered(one)
				began := time.Now()
				ended := time.Duration(-1)
				w.onSettle(func(*delivery.Delivery, delivery.Result) error {
					if ended < 0 {
						ended = time.Since(began)
					}
					return nil
				})
				_, stop := w.start()
				time.Sleep(15*time.Second + time.Millisecond)
				synctest.Wait()
				result := w.row(r).results[0]
				w.equal("time", ended, c.takes)
				w.equal("status", result.Status, c.status)
				w.equal("reason", result.Reason, c.reason)
				w.equal("delivered", result.Outcome == delivery.Delivered, c.reason == "")
				w.equal("redirects followed", len(two.arrivals()), 0)
				_ = one.server.Close() // handlers that wait end
				stop()
			})
		})
	}
}

func TestGone(t *testing.T) {
	within(t, func(w *world) {
		gone := w.receive("gone", status(http.StatusGone))
		rows := []*row{w.entered(gone)}
		w.equal("counts", w.run(time.Hour), Counts{Failed: 1, Disabled: 1})
		w.equal("reason", w.place(gone.id).disabled, "it answered 410, Gone: it wants no more")
		rows = append(rows, w.entered(gone))
		w.run(time.Hour)
		w.equal("arrivals", len(gone.arrivals()), 1)
		w.equal("the queue is kept", w.undone(), len(rows))
	})
}

func TestRetryAfter(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"120":  2 * time.Minute,
		"date": 3 * time.Minute,
		"9000": time.Hour, // no longer
		"soon": time.Second,
		"-5":   time.Second,
		"":     time.Second,
	} {
		within(t, func(w *world) {
			var busy atomic.Bool
			busy.Store(true)
			one := w.receive("one", func(out http.ResponseWriter, q *http.Request) {
				if busy.CompareAndSwap(true, false) {
					after := header
					if header == "date" {
						after = time.Now().Add(3 * time.Minute).UTC().Format(http.TimeFormat)
					}
					out.Header().Set("Retry-After", after)
					out.WriteHeader(http.StatusTooManyRequests)
					return
				}
				ok(out, q)
			})
			w.entered(one)
			_, stop := w.start()
			synctest.Wait()
			w.entered(one) // who comes meanwhile waits too
			time.Sleep(2 * time.Hour)
			stop()
			got := one.arrivals()
			w.equal("arrivals", len(got), 3)
			for _, a := range got[1:] {
				if waited := a.at.Sub(got[0].at); waited < want || waited > want+time.Second {
					t.Errorf("Retry-After %q: waited %v, want %v", header, waited, want)
				}
			}
		})
	}
}

// A destination that fails for a day is disabled; one success within it, and the day
// begins anew.
func TestDisabledAfterADay(t *testing.T) {
	for _, succeeds := range []bool{false, true} {
		within(t, func(w *world) {
			began := time.Now()
			one := w.receive("one", func(out http.ResponseWriter, _ *http.Request) {
				if since := time.Since(began); succeeds && since > 12*time.Hour && since < 14*time.Hour {
					out.WriteHeader(http.StatusOK)
					return
				}
				out.WriteHeader(http.StatusBadGateway)
			})
			w.entered(one)
			s, stop := w.start()
			defer stop()
			time.Sleep(13 * time.Hour)
			w.entered(one)
			time.Sleep(2 * time.Hour)
			w.entered(one)
			time.Sleep(9*time.Hour - time.Minute)
			w.equal("before the day has passed", w.place(one.id).disabled, "")
			time.Sleep(90 * time.Minute)
			disabled := w.place(one.id).disabled
			if succeeds {
				w.equal("with a success", disabled, "")
				time.Sleep(16 * time.Hour)
				disabled = w.place(one.id).disabled
			}
			w.equal("reason", disabled, "nothing could be delivered for 24 hours; the last time, it answered 502")
			w.equal("counted", s.Counts().Disabled, uint64(1))
			n := len(one.arrivals())
			time.Sleep(48 * time.Hour)
			w.equal("nothing more is sent", len(one.arrivals()), n)
		})
	}
}

// One that is refused again and again holds up what is behind it for the same
// individual, and nobody else.
func TestRefusedAgainAndAgain(t *testing.T) {
	within(t, func(w *world) {
		bad := uuid.New()
		one := w.receive("one", func(out http.ResponseWriter, q *http.Request) {
			var text strings.Builder
			_ = q.Write(&text)
			if strings.Contains(text.String(), insightID(bad)) {
				out.WriteHeader(http.StatusBadRequest)
				return
			}
			ok(out, q)
		})
		first := w.change(one.id, bad, delivery.Entered)
		w.change(one.id, bad, delivery.Exited)
		for range 50 {
			w.entered(one)
		}
		w.run(time.Minute)
		w.equal("undone", w.undone(), 2)
		if n := w.row(first).Attempt; n < 4 || n > 8 {
			t.Errorf("%d attempts in a minute", n)
		}
	})
}

// A withdrawal that commits while the connection is being made: nothing is written.
func TestWithdrawnWhileConnecting(t *testing.T) {
	within(t, func(w *world) {
		one := w.receive("one", ok)
		who := uuid.New()
		r := w.change(one.id, who, delivery.Entered)
		w.composed = func(*delivery.Delivery) { w.withdraw(who) }
		w.equal("counts", w.run(time.Second), Counts{Dropped: 1})
		w.composed = nil
		exited := w.change(one.id, who, delivery.Exited)
		w.equal("counts of the exit", w.run(time.Second), Counts{Dropped: 1})
		w.equal("arrivals", len(one.arrivals()), 0)
		w.equal("attempts", w.row(r).Attempt+w.row(exited).Attempt, 0)
		w.equal("reason", w.row(r).reason, "the purpose does not cover them any more")
	})
	within(t, func(w *world) { // something else changed: it is composed anew, at once
		one := w.receive("one", ok)
		who := uuid.New()
		w.change(one.id, who, delivery.Entered)
		times := 0
		w.composed = func(*delivery.Delivery) {
			if times++; times < compositions {
				w.box.mu.Lock()
				w.version[who]++
				w.box.mu.Unlock()
			}
		}
		began := time.Now()
		_, stop := w.start()
		synctest.Wait()
		w.equal("time", time.Since(began), time.Duration(0))
		w.equal("arrivals", len(one.arrivals()), 1)
		w.equal("compositions", times, compositions)
		stop()
	})
	within(t, func(w *world) { // whatever is composed is stale: given up for a while
		one := w.receive("one", ok)
		who := uuid.New()
		w.change(one.id, who, delivery.Entered)
		w.composed = func(*delivery.Delivery) {
			w.box.mu.Lock()
			w.version[who]++
			w.box.mu.Unlock()
		}
		if c := w.run(10 * time.Second); c.Released < 5 || c.Released > 15 || c.Failed > 0 {
			t.Errorf("%+v", c)
		}
		w.equal("arrivals", len(one.arrivals()), 0)
	})
}

// Who may have been told that somebody entered is told that they left, and no more.
func TestWithdrawnAfterAnAttempt(t *testing.T) {
	within(t, func(w *world) {
		var away atomic.Bool
		away.Store(true)
		one := w.receive("one", func(out http.ResponseWriter, q *http.Request) {
			if away.Load() {
				panic(http.ErrAbortHandler) // received, and nobody knows
			}
			ok(out, q)
		})
		who := uuid.New()
		r := w.change(one.id, who, delivery.Entered)
		_, stop := w.start()
		synctest.Wait()
		w.withdraw(who)
		exited := w.change(one.id, who, delivery.Exited)
		away.Store(false)
		time.Sleep(time.Minute)
		stop()
		got := one.arrivals()
		w.equal("arrivals", len(got), 2)
		w.equal("the entry", w.row(r).done, delivery.Dropped)
		w.equal("the exit", w.row(exited).done, delivery.Delivered)
		want := fmt.Sprintf(`{"type":"segment.exited","timestamp":"2026-03-01T12:00:00Z","data":{"individual":%q,"membership":%q,"segment":"loyal","enteredAt":"2026-03-01T12:00:00Z"}}`,
			insightID(who), "mem"+insightID(who)[3:])
		w.equal("body", string(got[1].text), want)
	})
}

// A destination that could not even be connected to has been told nothing.
func TestWithdrawnBeforeAnythingWasWritten(t *testing.T) {
	within(t, func(w *world) {
		nowhere, who := w.destination("http://nowhere.test/"), uuid.New()
		r := w.change(nowhere, who, delivery.Entered)
		_, stop := w.start()
		synctest.Wait()
		w.equal("reason", w.row(r).reason, "its name does not exist")
		w.withdraw(who)
		exited := w.change(nowhere, who, delivery.Exited)
		time.Sleep(time.Minute)
		stop()
		w.equal("the exit", w.row(exited).done, delivery.Dropped)
	})
}

// A receiver that takes the connection and not the request.
func TestUnwritten(t *testing.T) {
	within(t, func(w *world) {
		one := w.receive("one", ok)
		r := w.entered(one)
		w.o.Transport.(*http.Transport).DialContext = func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() {
				time.Sleep(time.Minute)
				_ = theirs.Close()
			}()
			return ours, nil
		}
		began := time.Now()
		var ended time.Duration
		w.onSettle(func(*delivery.Delivery, delivery.Result) error {
			ended = time.Since(began)
			return nil
		})
		_, stop := w.start()
		time.Sleep(writeTime)
		synctest.Wait()
		stop()
		w.equal("time", ended, writeTime)
		w.equal("reason", w.row(r).reason, "it did not take the request in time")
	})
}

// At the stop, what is under way may end; what does not is sent again, and is not held
// against the destination.
func TestStop(t *testing.T) {
	within(t, func(w *world) {
		quick := w.receive("quick", func(out http.ResponseWriter, q *http.Request) { time.Sleep(4 * time.Second); ok(out, q) })
		slow := w.receive("slow", func(out http.ResponseWriter, q *http.Request) { time.Sleep(8 * time.Second); ok(out, q) })
		first, second := w.entered(quick), w.entered(slow)
		s, stop := w.start()
		synctest.Wait()
		late := w.entered(quick)
		began := time.Now()
		stop()
		w.equal("the stop took", time.Since(began), 5*time.Second)
		w.equal("counts", s.Counts(), Counts{Delivered: 1, Released: 1})
		w.equal("the quick one", w.row(first).done, delivery.Delivered)
		w.equal("what came later", w.row(late).Attempt, 0)
		w.equal("failing", w.place(slow.id).FailingSince, time.Time{})
		w.equal("it may have been received", w.row(second).ToldAt.IsZero(), false)
		w.equal("the next one", w.run(20*time.Second), Counts{Delivered: 2})
		w.equal("arrivals", len(slow.arrivals()), 2)
	})
}

// Without an outbox nothing is sent, and when it is back everything is.
func TestOutboxAway(t *testing.T) {
	within(t, func(w *world) {
		one := w.receive("one", ok)
		w.entered(one)
		w.claims = errors.New("away")
		s, stop := w.start()
		time.Sleep(time.Minute)
		w.box.mu.Lock()
		w.claims, w.confirms = nil, errors.New("away")
		w.box.mu.Unlock()
		time.Sleep(time.Minute)
		synctest.Wait()
		w.equal("arrivals", len(one.arrivals()), 0)
		w.equal("failed", s.Counts().Failed, uint64(0))
		w.box.mu.Lock()
		w.confirms = nil
		w.box.mu.Unlock()
		time.Sleep(10 * time.Second)
		stop()
		c := s.Counts()
		w.equal("delivered", c.Delivered, uint64(1))
		if c.Unclaimed < 100 || c.Unclaimed > 130 || c.Released < 50 {
			t.Errorf("%+v", c)
		}
	})
}

// Who is woken looks at once; who is not, every half second.
func TestWake(t *testing.T) {
	within(t, func(w *world) {
		one := w.receive("one", ok)
		s, stop := w.start()
		synctest.Wait()
		w.entered(one)
		began := time.Now()
		s.Wake()
		synctest.Wait()
		w.equal("arrivals", len(one.arrivals()), 1)
		w.equal("time", time.Since(began), time.Duration(0))
		w.entered(one)
		time.Sleep(500 * time.Millisecond)
		synctest.Wait()
		w.equal("arrivals", len(one.arrivals()), 2)
		stop()
	})
}

// A transport that does not tell when it has a connection sends nothing.
func TestSilentTransport(t *testing.T) {
	within(t, func(w *world) {
		one := w.receive("one", ok)
		w.entered(one)
		w.o.Transport = roundTripper(func(q *http.Request) (*http.Response, error) {
			if _, err := q.Body.Read(make([]byte, 1)); err != nil {
				return nil, err
			}
			return httptest.NewRecorder().Result(), nil
		})
		c := w.run(10 * time.Second)
		w.equal("delivered", c.Delivered+c.Failed, uint64(0))
		if c.Released == 0 {
			t.Error("nothing was tried")
		}
	})
}

// A destination without a secret, or with an address that is not allowed any more, fails
// as others do.
func TestUnusableDestination(t *testing.T) {
	within(t, func(w *world) {
		one, two := w.receive("one", ok), w.destination("http://10.0.0.1.5/")
		w.destinations[one.id].Secrets = nil
		rows := []*row{w.entered(one), w.change(two, uuid.New(), delivery.Entered)}
		w.run(time.Second)
		for _, r := range rows {
			w.equal("reason", w.row(r).reason, "it has no valid address or secret")
			w.equal("told", w.row(r).ToldAt, time.Time{})
		}
		w.equal("arrivals", len(one.arrivals()), 0)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(q *http.Request) (*http.Response, error) { return f(q) }
