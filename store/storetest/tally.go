package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/store"
)

// told is a tally that writes down what it is told of each individual.
type told struct{ histories []string }

func (t *told) Add(h *insight.History) {
	lines := tell(h.Timeline)
	for _, r := range h.Refusals {
		lines = append(lines, fmt.Sprintf("no from %s to %s", r.From.Format(time.RFC3339Nano), r.To.Format(time.RFC3339Nano)))
	}
	t.histories = append(t.histories, strings.Join(lines, "\n"))
}

func (t *told) Merge(o *told) { t.histories = append(t.histories, o.histories...) }

func tell(timeline insight.Timeline) []string {
	lines := make([]string, len(timeline))
	for n, x := range timeline {
		value := "nothing"
		if x.Value != nil {
			value = fmt.Sprint(*x.Value)
		}
		lines[n] = fmt.Sprintf("%s %s %s %d %s %s", x.OccurredAt.Format(time.RFC3339Nano), x.Type, x.Channel.Key, x.Direction, value, x.Currency)
	}
	return lines
}

func (w *world) take(purpose string, properties bool) []string {
	w.Helper()
	v := viewer(purpose)
	v.Scopes = []insight.Scope{insight.ScopeInsightsRead}
	survey := must(w.Survey(w.ctx, v))(w)
	all, n, err := store.Take(w.ctx, survey, properties, func() *told { return &told{} })
	must(n, err)(w)
	if n != len(all.histories) {
		w.Fatalf("%d individuals, of whom %d were told", n, len(all.histories))
	}
	slices.Sort(all.histories)
	return all.histories
}

// plainlyTold is what a tally is to be told for a purpose, read individual by
// individual; refusals apart.
func (w *world) plainlyTold(purpose string) []string {
	w.Helper()
	r := w.readsFor(purpose)
	var ids []uuid.UUID
	for _, i := range must(r.Individuals(w.ctx, store.Filter{}, store.Order{}, everything))(w).Items {
		ids = append(ids, i.ID)
	}
	timelines := must(r.Timelines(w.ctx, ids, insight.Selector{}, noon.Add(100*insight.Year)))(w)
	known, scanned := must(r.Histories(w.ctx, ids, false))(w), must(r.Histories(w.ctx, ids, true))(w)
	all := make([]string, len(ids))
	for n, id := range ids {
		all[n] = strings.Join(tell(timelines[id]), "\n")
		w.same("what is known of one", tell(known[id].Timeline), tell(timelines[id]))
		w.same("what is known of one from the facts", tell(scanned[id].Timeline), tell(timelines[id]))
		w.same("their refusals", scanned[id].Refusals, slices.Clone(known[id].Refusals))
	}
	slices.Sort(all)
	return all
}

func withoutRefusals(histories []string) []string {
	all := make([]string, len(histories))
	for n, h := range histories {
		all[n] = strings.Join(slices.DeleteFunc(strings.Split(h, "\n"), func(line string) bool { return strings.HasPrefix(line, "no from") }), "\n")
	}
	slices.Sort(all)
	return all
}

// testTally: whatever happened, and whoever has a digest by then, everyone is told as
// they are read one by one, for every purpose.
func testTally(w *world) {
	random := rand.New(rand.NewPCG(7, 0))
	names := []string{"u1", "u2", "u3", "e1", "e2", "a1", "a2", "a3", "a4", "d1"}
	purposes := []string{"service", "analytics", "marketing"}
	channels := []*insight.Channel{must(w.Channel(w.ctx, "web", ""))(w), must(w.Channel(w.ctx, "store", ""))(w)}
	one := func() string { return names[random.IntN(len(names))] }
	for step := range 120 {
		switch random.IntN(10) {
		case 0: // two turn out to be one
			a, b := one(), one()
			pair := []string{a, b}
			slices.SortFunc(pair, func(a, b string) int { return strings.IndexByte("uepxda", a[0]) - strings.IndexByte("uepxda", b[0]) })
			if a != b && a[0] != b[0] {
				must(w.Append(w.ctx, []*insight.Event{w.event(after(float64(random.IntN(1e5))), "login", who(pair...))}))(w)
			}
		case 1:
			decision := insight.ConsentDecision(random.IntN(3) + 1)
			must(w.RecordConsents(w.ctx, by(one()), []insight.Claim{w.claim(purposes[1+random.IntN(2)], decision, after(float64(random.IntN(1e5))))}))(w)
		case 2:
			for must(w.Digest(w.ctx))(w) > 0 {
			}
			if n := must(w.Digest(w.ctx))(w); n != 0 {
				w.Fatalf("when all were written, %d were to be written", n)
			}
		case 3:
			if name := one(); random.IntN(4) == 0 {
				if _, _, err := w.Erase(w.ctx, by(name), store.ErasureTerms{Asked: store.Asked{By: "clerk", Reason: "asked"}}); err != nil && insight.KindOf(err) != insight.NotFound {
					w.Fatal(err)
				}
			}
		default:
			e := w.event(insight.Moment(after(float64(random.IntN(1e5))/7)), []string{"page", "purchase", "mailing"}[random.IntN(3)], who(one()))
			e.Channel = channels[random.IntN(2)]
			e.Direction = insight.Direction(1 + random.IntN(2))
			if random.IntN(3) == 0 {
				value := float64(random.IntN(10_000))/100 + float64(random.IntN(2))/3
				e.Value, e.Currency = &value, []string{"EUR", "USD"}[random.IntN(2)]
			}
			must(w.Append(w.ctx, []*insight.Event{e}))(w) // or withheld
		}
		if step%6 != 5 {
			continue
		}
		for _, purpose := range purposes {
			read, scanned := w.take(purpose, false), w.take(purpose, true)
			w.same("from the facts, for "+purpose, scanned, read)
			w.same("one by one, for "+purpose, withoutRefusals(read), w.plainlyTold(purpose))
		}
	}
	w.sound()
}

// testRefusals: a tally is told when somebody had refused to be approached.
func testRefusals(w *world) {
	w.happens(noon, "page", "u1")
	w.happens(noon, "page", "u2")
	w.decides("u1", w.claim("marketing", insight.ConsentGranted, after(1)), w.claim("marketing", insight.ConsentWithdrawn, after(2)))
	w.decides("u2", w.claim("marketing", insight.ConsentDenied, after(3)), w.claim("marketing", insight.ConsentGranted, after(4)))
	want := []string{
		"2026-03-01T12:00:00Z page api 1 nothing \nno from 2026-03-01T12:02:00Z to 0001-01-01T00:00:00Z",
		"2026-03-01T12:00:00Z page api 1 nothing \nno from 2026-03-01T12:03:00Z to 2026-03-01T12:04:00Z",
	}
	w.same("from the facts", w.take("service", false), want)
	must(w.Digest(w.ctx))(w)
	w.same("from digests", w.take("service", false), want)
}

// testTallyTogether: while others write, every answer is of one moment.
func testTallyTogether(w *world) {
	var writing sync.WaitGroup
	for n := range 4 {
		writing.Go(func() {
			for i := range 30 {
				// Always two at once: an answer that holds one without the other is of no moment.
				name := fmt.Sprintf("u%d", 10*n+i%3)
				pair := []*insight.Event{w.pairEvent(n, i, 0, name), w.pairEvent(n, i, 1, name)}
				if _, err := w.Append(w.ctx, pair); err != nil {
					w.Error(err)
				}
				if i%5 == 0 {
					if _, err := w.Digest(w.ctx); err != nil {
						w.Error(err)
					}
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { writing.Wait(); close(done) }()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		for _, h := range w.take("analytics", false) {
			if n := strings.Count(h, "page"); n%2 != 0 {
				w.Fatalf("an answer between two moments: %d interactions of somebody", n)
			}
		}
	}
	for must(w.Digest(w.ctx))(w) > 0 {
	}
	w.sound()
}

func (w *world) pairEvent(n, i, part int, name string) *insight.Event {
	at := after(float64(i) + float64(part)/2)
	return &insight.Event{
		MessageID: fmt.Sprintf("pair%d-%d-%d", n, i, part), Timestamp: at, OccurredAt: at, ReceivedAt: noon.Add(insight.Day),
		Source: w.api, Channel: w.api.DefaultChannel, Type: "page", Direction: insight.Inbound, Identities: who(name), Stream: who(name)[0],
	}
}
