package relationship_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/recency"
	"github.com/acquaint/acquaint/insight/relationship"
	"github.com/acquaint/acquaint/internal/script"
)

func TestScripts(t *testing.T) {
	script.Run(t, "testdata/*.txt", func(q script.Question) ([]string, error) {
		h, err := history(q.Load)
		if err != nil {
			return nil, err
		}
		var o relationship.Options
		if o.AsOf, err = script.Time(q.Ask.Option("asOf")); err != nil {
			return nil, err
		}
		if text := q.Ask.Option("population"); text != "" {
			wire, err := insight.ParseDuration(text)
			if err != nil {
				return nil, err
			}
			o.TripWire = func(int) (time.Duration, bool) { return wire, true }
		}
		lines := tell(relationship.Of(h, o), q.Ask.Words[0] == "why")
		if next, ok := relationship.NextChange(h, o); ok {
			return append(lines, "changes "+next.Format(time.RFC3339Nano)), nil
		}
		return append(lines, "changes never"), nil
	})
}

// history reads interactions, and refusals as "refused FROM" or "refused FROM until TO".
func history(load []script.Line) (*insight.History, error) {
	h := &insight.History{}
	var rest []script.Line
	for _, line := range load {
		if line.Words[0] != "refused" {
			rest = append(rest, line)
			continue
		}
		var r insight.Refusal
		var err error
		if r.From, err = script.Time(line.Words[1]); err != nil {
			return nil, err
		}
		if len(line.Words) == 4 {
			if r.To, err = script.Time(line.Words[3]); err != nil {
				return nil, err
			}
		}
		h.Refusals = append(h.Refusals, r)
	}
	var err error
	h.Timeline, err = script.Timeline(rest)
	return h, err
}

func tell(r relationship.Result, why bool) []string {
	since := "ever"
	if !r.Since.IsZero() {
		since = r.Since.Format(time.RFC3339Nano)
	}
	lines := []string{fmt.Sprintf("%s since %s, %s", r.Status, since, map[bool]string{true: "approach", false: "leave"}[r.Outreach.Advised])}
	if why {
		return append(append(lines, r.Evidence...), r.Outreach.Reason)
	}
	return lines
}

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// slot is what moments are drawn in, so that they meet often. Six are a quiet.
const slot = 5 * time.Minute

func at(slots int) time.Time { return start.Add(time.Duration(slots) * slot) }

// evenly draws a number, any as often as the small ones.
func evenly(t *rapid.T, least, most int, what string) int {
	all := make([]int, most-least+1)
	for i := range all {
		all[i] = least + i
	}
	return rapid.SampledFrom(all).Draw(t, what)
}

// life draws a history in order, of visits and silences, with refusals.
func life(t *rapid.T) *insight.History {
	h := &insight.History{}
	moment := start
	for range evenly(t, 0, 30, "moments") {
		moment = moment.Add(time.Duration(rapid.SampledFrom([]int{0, 0, 1, 2, 6, 6, 7, 7, 10, 15, 20, 60}).Draw(t, "gap")) * slot)
		// Some just past a wire or a visit, of which the moment is the next that there is.
		moment = moment.Add(time.Duration(rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(t, "just past")) * insight.Precision)
		direction, times := insight.Inbound, 1
		if rapid.Bool().Draw(t, "outbound") {
			direction, times = insight.Outbound, rapid.SampledFrom([]int{1, 1, 1, 5}).Draw(t, "letters")
		}
		for range times {
			h.Timeline = append(h.Timeline, &insight.Interaction{ID: uuid.UUID{15: byte(len(h.Timeline))}, Type: "page", Direction: direction, OccurredAt: moment})
		}
	}
	from := 0
	for range rapid.IntRange(0, 3).Draw(t, "refusals") {
		from += rapid.IntRange(0, 60).Draw(t, "apart")
		r := insight.Refusal{From: at(from)}
		from += rapid.IntRange(1, 60).Draw(t, "long")
		r.To = at(from)
		h.Refusals = append(h.Refusals, r)
	}
	if n := len(h.Refusals); n > 0 && rapid.Bool().Draw(t, "still") {
		h.Refusals[n-1].To = time.Time{}
	}
	return h
}

func choices(t *rapid.T) relationship.Options {
	o := relationship.Options{AsOf: at(evenly(t, -10, 300, "asOf"))}
	if rapid.Bool().Draw(t, "a population") {
		wires := []int{0, evenly(t, 0, 20, "wire"), evenly(t, 0, 20, "wire"), evenly(t, 0, 20, "wire")}
		o.TripWire = func(count int) (time.Duration, bool) {
			return time.Duration(wires[count]) * slot, wires[count] < 18
		}
	}
	return o
}

// define is the table of doc.go in plain loops: the status at one moment.
func define(h *insight.History, o relationship.Options) relationship.Status {
	if _, refused := h.RefusedAt(o.AsOf); refused {
		return relationship.OptedOut
	}
	known := h.Timeline.AsOf(o.AsOf)
	return beneath(known, o.AsOf, o)
}

// beneath is the status that a refusal would hide.
func beneath(known insight.Timeline, moment time.Time, o relationship.Options) relationship.Status {
	if status := silent(known, moment, o); status != "" {
		return status
	}
	firsts, _ := visits(known)
	n := len(firsts)
	// Whether any of the last three visits found them gone, and as of its place in the
	// timeline, since acts and touches of one moment have an order.
	for _, first := range firsts[max(1, n-3):] {
		switch silent(known[:slices.Index(known, first)], first.OccurredAt, o) {
		case relationship.Lapsed, relationship.Unresponsive:
			return relationship.Returning
		}
	}
	if n <= 3 {
		return relationship.New
	}
	return relationship.Active
}

// silent is the status of whoever is not on track, and empty for the others.
func silent(known insight.Timeline, moment time.Time, o relationship.Options) relationship.Status {
	touches := 0
	for _, x := range known {
		if touches++; x.Direction == insight.Inbound {
			touches = 0
		}
	}
	firsts, lasts := visits(known)
	n := len(firsts)
	if touches >= 5 {
		return relationship.Unresponsive
	}
	if n == 0 {
		return relationship.Stranger
	}
	elapsed := moment.Sub(lasts[n-1].OccurredAt)
	if wire, ok := wireOf(firsts, lasts, o); ok && elapsed > 3*wire {
		return relationship.Lapsed
	} else if ok && elapsed > wire {
		return relationship.Cooling
	}
	return ""
}

// visits are the first interaction and the last of each.
func visits(known insight.Timeline) (firsts, lasts insight.Timeline) {
	var inbound insight.Timeline
	for _, x := range known {
		if x.Direction == insight.Inbound {
			inbound = append(inbound, x)
		}
	}
	for i, x := range inbound {
		if i == 0 || x.OccurredAt.Sub(inbound[i-1].OccurredAt) > 30*time.Minute {
			firsts = append(firsts, x)
		}
		if i == len(inbound)-1 || inbound[i+1].OccurredAt.Sub(x.OccurredAt) > 30*time.Minute {
			lasts = append(lasts, x)
		}
	}
	return firsts, lasts
}

func wireOf(firsts, lasts insight.Timeline, o relationship.Options) (time.Duration, bool) {
	var gaps []time.Duration
	for i := 1; i < len(firsts); i++ {
		gaps = append(gaps, firsts[i].OccurredAt.Sub(lasts[i-1].OccurredAt))
	}
	if n := len(gaps); n >= 3 {
		slices.Sort(gaps)
		return (gaps[(n-1)/2] + gaps[n/2]) / 2, true
	}
	if o.TripWire == nil {
		return 0, false
	}
	return o.TripWire(len(firsts))
}

func TestLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, o := life(t), choices(t)
		got := relationship.Of(h, o)
		moments := []time.Time{o.AsOf}
		for _, x := range h.Timeline {
			moments = append(moments, x.OccurredAt)
		}
		for _, moment := range moments {
			o := relationship.Options{AsOf: moment, TripWire: o.TripWire}
			if got, want := relationship.Of(h, o).Status, define(h, o); got != want {
				t.Fatalf("at %v %s by the definition, got %s", moment, want, got)
			}
		}
		if len(got.Evidence) == 0 || got.Outreach.Reason == "" {
			t.Fatalf("no words: %+v", got)
		}
		began(t, h, o, got)
		onlyWhatHappened(t, h, o, got)
		advice(t, h, o, got)
	})
}

// began checks that the status held at Since and ever after, and not before.
func began(t *rapid.T, h *insight.History, o relationship.Options, got relationship.Result) {
	status := func(moment time.Time) relationship.Status {
		o.AsOf = moment
		return relationship.Of(h, o).Status
	}
	asOf := o.AsOf
	if got.Since.After(asOf) {
		t.Fatalf("%s since %v, which is later than %v", got.Status, got.Since, asOf)
	}
	from := at(-20)
	if got.Since.IsZero() {
		if got.Status != relationship.Stranger {
			t.Fatalf("%s since no moment", got.Status)
		}
	} else {
		from = got.Since
		if was := status(from); was != got.Status {
			t.Fatalf("%s at its beginning %v, where it is %s", got.Status, from, was)
		}
		if was := status(from.Add(-insight.Precision)); was == got.Status {
			t.Fatalf("%s before its beginning %v", was, from)
		}
	}
	for moment := from; moment.Before(asOf); moment = moment.Add(slot / 2) {
		if was := status(moment); was != got.Status {
			t.Fatalf("%s since %v, but %s at %v", got.Status, from, was, moment)
		}
	}
}

func onlyWhatHappened(t *rapid.T, h *insight.History, o relationship.Options, got relationship.Result) {
	known := &insight.History{Timeline: h.Timeline.AsOf(o.AsOf)}
	for _, r := range h.Refusals {
		if !r.From.After(o.AsOf) {
			if r.To.After(o.AsOf) {
				r.To = time.Time{}
			}
			known.Refusals = append(known.Refusals, r)
		}
	}
	if diff := cmp.Diff(got, relationship.Of(known, o)); diff != "" {
		t.Fatalf("what had not happened matters:\n%s", diff)
	}
	// Of one moment the order of ids is the timeline's, so any arrival gives it.
	shuffled := append(slices.Clone(h.Timeline), h.Timeline[:len(h.Timeline)/2]...)
	rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	if diff := cmp.Diff(got, relationship.Of(&insight.History{Timeline: shuffled, Refusals: h.Refusals}, o)); diff != "" {
		t.Fatalf("arrival matters:\n%s", diff)
	}
}

// advice is to approach somebody overdue whom nobody has approached since the wire
// tripped, and nobody else.
func advice(t *rapid.T, h *insight.History, o relationship.Options, got relationship.Result) {
	overdue := got.Status == relationship.Cooling || got.Status == relationship.Lapsed
	approached := false
	for i, x := range h.Timeline.AsOf(o.AsOf) {
		switch was := silent(h.Timeline[:i], x.OccurredAt, o); {
		case x.Direction == insight.Inbound:
			approached = false
		case was == relationship.Cooling || was == relationship.Lapsed:
			approached = true
		}
	}
	if got.Outreach.Advised != (overdue && !approached) {
		t.Fatalf("%s, approached %v: %+v", got.Status, approached, got.Outreach)
	}
}

// With time alone nobody moves but along these steps, each at the moment that
// NextChange says.
func TestTimeAlone(t *testing.T) {
	onward := map[relationship.Status][]relationship.Status{
		relationship.New:       {relationship.Cooling, relationship.Lapsed},
		relationship.Active:    {relationship.Cooling, relationship.Lapsed},
		relationship.Returning: {relationship.Cooling, relationship.Lapsed},
		relationship.Cooling:   {relationship.Lapsed},
	}
	rapid.Check(t, func(t *rapid.T) {
		h, o := life(t), choices(t)
		h.Timeline = h.Timeline.AsOf(o.AsOf)
		was := relationship.Of(h, o)
		next, ok := relationship.NextChange(h, o)
		until := next
		if !ok {
			until = o.AsOf.Add(2_000 * slot)
		}
		if !until.After(o.AsOf) {
			t.Fatalf("the next change %v is not after %v", until, o.AsOf)
		}
		later := o
		for k := range 50 {
			later.AsOf = o.AsOf.Add(until.Sub(o.AsOf) / 50 * time.Duration(k))
			if r := relationship.Of(h, later); r.Status != was.Status || !r.Since.Equal(was.Since) {
				t.Fatalf("%s since %v at %v, %s since %v at %v; the next change is %v", was.Status, was.Since, o.AsOf, r.Status, r.Since, later.AsOf, next)
			}
		}
		later.AsOf = until.Add(-insight.Precision)
		if r := relationship.Of(h, later); r.Status != was.Status {
			t.Fatalf("%s just before %v, where it is to change from %s", r.Status, until, was.Status)
		}
		if !ok {
			return
		}
		later.AsOf = until
		r := relationship.Of(h, later)
		if r.Status == was.Status || !r.Since.Equal(until) {
			t.Fatalf("%s since %v at %v, where %s was to change", r.Status, r.Since, until, was.Status)
		}
		if was.Status != relationship.OptedOut && r.Status != relationship.OptedOut && !slices.Contains(onward[was.Status], r.Status) {
			t.Fatalf("time alone made %s of %s", r.Status, was.Status)
		}
	})
}

func TestPopulation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := choices(t)
		people := rapid.SliceOfN(rapid.Custom(life), 0, 12).Draw(t, "people")
		want := map[relationship.Status]int{}
		tallies := []*relationship.Tally{relationship.NewTally(o), relationship.NewTally(o), relationship.NewTally(o)}
		for _, h := range people {
			want[relationship.Of(h, o).Status]++
			tallies[rapid.IntRange(0, 2).Draw(t, "part")].Add(h)
		}
		order := rapid.Permutation([]int{0, 1, 2}).Draw(t, "order")
		whole := tallies[order[0]]
		whole.Merge(tallies[order[1]])
		whole.Merge(tallies[order[2]])
		r := whole.Report()
		if r.Population != len(people) || !r.AsOf.Equal(o.AsOf) || len(r.Counts) != len(relationship.Statuses) {
			t.Fatalf("%+v of %d", r, len(people))
		}
		for i, c := range r.Counts {
			if c.Status != relationship.Statuses[i] || c.Individuals != want[c.Status] {
				t.Fatalf("%+v, want %d", c, want[c.Status])
			}
		}
	})
}

// A tally keeps nothing of an individual whose memory is used again.
func TestMemoryIsReused(t *testing.T) {
	o := relationship.Options{AsOf: at(1000)}
	t1 := relationship.NewTally(o)
	h := &insight.History{Timeline: insight.Timeline{{ID: uuid.UUID{1}, Direction: insight.Inbound, OccurredAt: start}}}
	t1.Add(h)
	h.Timeline[0].Direction = insight.Outbound
	t1.Add(h)
	t1.Add(&insight.History{})
	r := t1.Report()
	if r.Population != 3 || r.Counts[0].Individuals != 2 || r.Counts[1].Individuals != 1 {
		t.Errorf("%+v", r)
	}
}

// The trip wire of one's own is recency's, whatever the gaps, of visits that take no
// time; the definition in TestLaws compares few of them.
func TestWireIsRecencys(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var whole, brief insight.Timeline
		moment, spent := start, time.Duration(0)
		act := func(t insight.Timeline, moment time.Time) insight.Timeline {
			return append(t, &insight.Interaction{ID: uuid.UUID{14: byte(len(t) >> 8), 15: byte(len(t))}, Direction: insight.Inbound, OccurredAt: moment})
		}
		for visit := range 4 + random.IntN(200) {
			if visit > 0 {
				moment = moment.Add(relationship.Quiet + insight.Precision + time.Duration(random.ExpFloat64()*float64(time.Hour)).Truncate(insight.Precision))
			}
			whole, brief = act(whole, moment), act(brief, moment.Add(-spent))
			for range random.IntN(4) {
				length := min(time.Duration(random.ExpFloat64()*float64(relationship.Quiet)).Truncate(insight.Precision), relationship.Quiet)
				moment, spent = moment.Add(length), spent+length
				whole = act(whole, moment)
			}
		}
		wire := *recency.Of(brief, insight.AnyInbound(), moment, recency.Options{}).TripWire
		next, ok := relationship.NextChange(&insight.History{Timeline: whole}, relationship.Options{AsOf: moment})
		if want := insight.Moment(moment.Add(wire)).Add(insight.Precision); !ok || !next.Equal(want) {
			t.Fatalf("%d: tripped at %v, want %v", len(whole), next, want)
		}
	}
}

// What the population is measured by is what one is measured by: whoever's gaps are
// those of everyone cools when they would by their own.
func TestWiresOfAHabit(t *testing.T) {
	habits := recency.NewHabitTally(recency.HabitOptions{Event: insight.AnyInbound(), AsOf: at(10_000), Quiet: relationship.Quiet})
	h := &insight.History{}
	for i, slots := range []int{0, 6, 12, 100, 106, 194, 200, 288} { // visits with gaps of 88 slots
		h.Timeline = append(h.Timeline, &insight.Interaction{ID: uuid.UUID{15: byte(i)}, Direction: insight.Inbound, OccurredAt: at(slots)})
	}
	habits.Add(h)
	for n, last := range map[int]int{3: 12, 5: 106, 7: 200, 8: 288} {
		one := &insight.History{Timeline: h.Timeline[:n]}
		o := relationship.Options{AsOf: at(last), TripWire: habits.Habit().TripWire}
		if next, ok := relationship.NextChange(one, o); !ok || !next.Equal(at(last+88).Add(insight.Precision)) {
			t.Errorf("of %d: they cool at %v, %v", n, next, ok)
		}
	}
}

// Centuries neither overflow nor come out as a time that nobody can write.
func TestLongSilence(t *testing.T) {
	h := &insight.History{}
	for i, year := range []int{1, 2500, 5000, 7500} {
		h.Timeline = append(h.Timeline, &insight.Interaction{ID: uuid.UUID{15: byte(i)}, Direction: insight.Inbound, OccurredAt: time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)})
	}
	o := relationship.Options{AsOf: time.Date(7501, 1, 1, 0, 0, 0, 0, time.UTC)}
	r := relationship.Of(h, o)
	next, ok := relationship.NextChange(h, o)
	if r.Status != relationship.Active || !ok || next.Year() != 7792 {
		t.Errorf("%+v until %v, %v", r, next, ok)
	}
	h.Timeline = append(h.Timeline, &insight.Interaction{ID: uuid.UUID{15: 9}, Direction: insight.Inbound, OccurredAt: time.Date(9990, 1, 1, 0, 0, 0, 0, time.UTC)})
	o.AsOf = time.Date(9998, 1, 1, 0, 0, 0, 0, time.UTC)
	if next, ok := relationship.NextChange(h, o); ok {
		t.Errorf("a change in the year %d", next.Year())
	}
}

func TestValidate(t *testing.T) {
	for _, bad := range []time.Time{time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)} {
		err := relationship.Options{AsOf: bad}.Validate()
		if insight.KindOf(err) != insight.Invalid || !strings.HasPrefix(err.Error(), "asOf: ") {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if err := (relationship.Options{AsOf: start}).Validate(); err != nil {
		t.Error(err)
	}
}

func population(n int, usual time.Duration) *insight.History {
	h := &insight.History{}
	random := rand.New(rand.NewPCG(3, 4))
	moment := start
	for i := range n {
		direction := insight.Inbound
		if i%4 == 3 {
			direction = insight.Outbound
		}
		moment = moment.Add(time.Duration(random.ExpFloat64() * float64(usual)).Truncate(insight.Precision))
		h.Timeline = append(h.Timeline, &insight.Interaction{ID: uuid.UUID{12: byte(i >> 16), 13: byte(i >> 8), 14: byte(i)}, Direction: direction, OccurredAt: moment})
	}
	return h
}

func TestAddAllocatesNothing(t *testing.T) {
	h := population(500, time.Hour)
	tally := relationship.NewTally(relationship.Options{AsOf: start.Add(insight.Year)})
	tally.Add(h)
	if n := testing.AllocsPerRun(20, func() { tally.Add(h) }); n > 0 {
		t.Errorf("%v allocations an individual", n)
	}
}

func BenchmarkAdd(b *testing.B) {
	for what, usual := range map[string]time.Duration{"apart": 6 * time.Hour, "in visits": 10 * time.Minute} {
		for _, n := range []int{20, 1_000, 100_000} {
			b.Run(fmt.Sprint(what, " ", n), func(b *testing.B) {
				h := population(n, usual)
				tally := relationship.NewTally(relationship.Options{AsOf: start.Add(100 * insight.Year)})
				b.ReportAllocs()
				for b.Loop() {
					tally.Add(h)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/interaction")
			})
		}
	}
}
