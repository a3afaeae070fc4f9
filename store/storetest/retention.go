package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/store"
)

// retentions gives every purpose a retention, in days.
func (w *world) retentions(days map[string]int, retroactive ...string) {
	w.Helper()
	for key, n := range days {
		p := *must(w.Purpose(w.ctx, key))(w)
		p.Retention, p.Retroactive = time.Duration(n)*insight.Day, slices.Contains(retroactive, key)
		must(w.DefinePurpose(w.ctx, p))(w)
	}
}

// testRetain: what is left after a run is what some purpose is left for, by a plain
// reading of what was decided.
func testRetain(w *world) {
	if done := must(w.Retain(w.ctx))(w); done != (store.Retained{}) {
		w.Fatalf("where a purpose keeps everything: %+v", done)
	}
	now := time.Now()
	// In the middle of days, so that it does not matter when the test runs.
	ago := func(days int) time.Time {
		return insight.Moment(now.Add(-time.Duration(days)*insight.Day - 12*time.Hour))
	}
	days := map[string]int{"service": 50, "analytics": 20, "personalization": 90, "marketing": 70, "advertising": 10}
	r := rand.New(rand.NewPCG(9, 10))
	covers := func(claims []insight.Claim, purpose string, at time.Time) bool {
		return purpose == "service" || plainly(claims, purpose, at)
	}
	type person struct {
		name   string
		events []*insight.Event
		claims []insight.Claim
	}
	var people []*person
	for n := range 40 {
		p := &person{name: fmt.Sprint("u", n)}
		for range 1 + r.IntN(8) {
			e := w.event(ago(r.IntN(110)), "page", who(p.name, fmt.Sprint("a", n)))
			if r.IntN(5) == 0 {
				e.Direction = insight.Outbound
			}
			p.events = append(p.events, e)
		}
		if n%4 == 0 { // only long ago
			for _, e := range p.events {
				e.OccurredAt = e.OccurredAt.Add(-200 * insight.Day)
			}
		}
		w.keep(p.events...)
		for range r.IntN(5) {
			c := w.claim([]string{"analytics", "personalization", "marketing", "advertising"}[r.IntN(4)], []insight.ConsentDecision{yes, no, enough}[r.IntN(3)], ago(r.IntN(110)))
			p.claims = append(p.claims, c)
			w.decides(p.name, c)
		}
		people = append(people, p)
	}
	w.retentions(days, "marketing")
	past := func(at time.Time, purpose string) bool {
		return !at.Add(time.Duration(days[purpose]) * insight.Day).After(now)
	}
	want := store.Retained{Looked: len(people)}
	kept, gone, refused := map[string][]string{}, map[string]bool{}, map[string]bool{}
	for _, p := range people {
		var acted, seen time.Time
		for _, e := range p.events {
			if e.OccurredAt.After(seen) {
				seen = e.OccurredAt
			}
			if e.Direction == insight.Inbound && e.OccurredAt.After(acted) {
				acted = e.OccurredAt
			}
		}
		if !acted.IsZero() {
			seen = acted
		}
		needed := false
		for purpose := range days {
			needed = needed || covers(p.claims, purpose, now) && !past(seen, purpose)
		}
		if !needed {
			gone[p.name] = true
			want.Individuals++
			for _, purpose := range []string{"analytics", "personalization", "marketing", "advertising"} {
				refused[p.name] = refused[p.name] || refuses(p.claims, purpose)
			}
			if refused[p.name] {
				want.Suppressed++
			}
			continue
		}
		for _, e := range p.events {
			serves := false
			for purpose := range days {
				serves = serves || covers(p.claims, purpose, now) && (covers(p.claims, purpose, e.OccurredAt) || purpose == "marketing") && !past(e.OccurredAt, purpose)
			}
			if serves {
				kept[p.name] = append(kept[p.name], e.MessageID)
			} else {
				want.Interactions++
			}
		}
	}
	if want.Individuals < 5 || want.Suppressed < 2 || want.Interactions < 30 || len(gone) == len(people) {
		w.Fatalf("%+v says little", want)
	}
	w.same("what was removed", must(w.Retain(w.ctx))(w), want)
	w.sound()
	reads := w.readsFor("service")
	for _, p := range people {
		id, err := w.Find(w.ctx, by(p.name))
		if gone[p.name] {
			w.kind(err, insight.NotFound, "individual")
			outcome := "accepted"
			if refused[p.name] {
				outcome = "withheld"
			}
			w.same("what comes of "+p.name, w.outcomes(w.event(ago(1), "page", who(p.name))), outcome)
			continue
		}
		var left []string
		for _, x := range w.interactions(reads, []uuid.UUID{id}, insight.Selector{}, everything)[id].Items {
			left = append(left, x.MessageID)
		}
		slices.Sort(left)
		slices.Sort(kept[p.name])
		w.same("what is left of "+p.name, left, kept[p.name])
	}
	w.same("once more", must(w.Retain(w.ctx))(w).Interactions, 0)
	w.sound()
}

// refuses reads whether what one person said last about a purpose is a no.
func refuses(claims []insight.Claim, purpose string) bool {
	said := false
	for _, c := range claims {
		said = said || c.Purpose.Key == purpose
	}
	// Said of a purpose that asks and never ends, what is not a no is a yes.
	var about []insight.Claim
	for _, c := range claims {
		if c.Purpose.Key == purpose {
			c.ExpiresAt = time.Time{}
			about = append(about, c)
		}
	}
	return said && !plainly(about, purpose, time.Now())
}

// testRetainMany: a population is gone through whole.
func testRetainMany(w *world) {
	now := time.Now()
	var events []*insight.Event
	for n := range 1100 {
		at := now.Add(-insight.Day)
		if n%200 == 0 {
			at = now.Add(-300 * insight.Day)
		}
		events = append(events, w.event(insight.Moment(at), "page", who(fmt.Sprint("a", n))))
	}
	w.keep(events...)
	w.retentions(map[string]int{"service": 100, "analytics": 100, "personalization": 100, "marketing": 100, "advertising": 100})
	w.same("what was removed", must(w.Retain(w.ctx))(w), store.Retained{Looked: 1100, Individuals: 6})
	w.same("what is left", w.sound().Individuals, 1094)
	w.same("again", must(w.Retain(w.ctx))(w), store.Retained{Looked: 1094})
}
