package journey_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/journey"
	"github.com/acquaint/acquaint/internal/script"
)

// A line of the population scripts says whose it is: who=ada.
func TestPopulationScripts(t *testing.T) {
	for _, pattern := range []string{"testdata/transitions.txt", "testdata/paths.txt"} {
		script.Run(t, pattern, func(q script.Question) ([]string, error) {
			people, err := persons(q.Load)
			if err != nil {
				return nil, err
			}
			o := journey.PathOptions{Lookback: journey.DefaultLookback, MaxLength: journey.DefaultMaxLength, Top: journey.DefaultTop}
			if o.AsOf, err = script.Time(q.Ask.Option("asOf")); err != nil {
				return nil, err
			}
			if text := q.Ask.Option("lookback"); text != "" {
				if o.Lookback, err = insight.ParseDuration(text); err != nil {
					return nil, err
				}
			}
			for name, into := range map[string]*int{"maxLength": &o.MaxLength, "top": &o.Top} {
				if text := q.Ask.Option(name); text != "" {
					if *into, err = strconv.Atoi(text); err != nil {
						return nil, err
					}
				}
			}
			if types := q.Ask.Option("event"); types != "" {
				o.Event.Types = strings.Split(types, ",")
			}
			if types := q.Ask.Option("conversion"); types != "" {
				o.Conversion = &insight.Selector{Types: strings.Split(types, ",")}
			}
			switch q.Ask.Words[0] {
			case "paths":
				return askPaths(people, o)
			default:
				return askTransitions(q, people, journey.TransitionOptions{Event: o.Event, Lookback: o.Lookback, AsOf: o.AsOf})
			}
		})
	}
}

func persons(load []script.Line) ([]*insight.History, error) {
	lines := make(map[string][]script.Line)
	for _, line := range load {
		who := line.Option("who")
		lines[who] = append(lines[who], line)
	}
	var people []*insight.History
	for _, who := range slices.Sorted(maps.Keys(lines)) {
		timeline, err := script.Timeline(lines[who])
		if err != nil {
			return nil, err
		}
		people = append(people, &insight.History{Timeline: timeline.Ordered()})
	}
	return people, nil
}

func askTransitions(q script.Question, people []*insight.History, o journey.TransitionOptions) ([]string, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	r := transitions(people, o)
	if q.Ask.Words[0] == "next" {
		var lines []string
		for _, next := range r.Next(q.Ask.Words[1]) {
			lines = append(lines, fmt.Sprintf("%s %.4f lift %.4f", next.To, next.Probability, next.Lift))
		}
		return lines, nil
	}
	lines := []string{fmt.Sprintf("of %d", r.Population)}
	for _, p := range r.Transitions {
		within := "by necessity"
		if p.LiftLow != nil {
			within = fmt.Sprintf("within %.4f and %.4f", *p.LiftLow, *p.LiftHigh)
		}
		lines = append(lines, fmt.Sprintf("%s to %s %d by %d, probability %.4f, lift %.4f %s, after %s", p.From, p.To, p.Count,
			p.Individuals, p.Probability, p.Lift, within, insight.FormatDuration(p.MedianTime)))
	}
	return lines, nil
}

func askPaths(people []*insight.History, o journey.PathOptions) ([]string, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	r := paths(people, o)
	lines := []string{fmt.Sprintf("of %d, %d made %d journeys on %d paths, %d converted, worth %s", r.Population, r.Individuals, r.Journeys, r.Distinct, r.Conversions, worth(r.Value))}
	for _, p := range r.Paths {
		way := strings.Join(p.Channels, " ")
		if p.Cut {
			way = "... " + way
		}
		lines = append(lines, fmt.Sprintf("%s: %d by %d, %d converted, worth %s", way, p.Journeys, p.Individuals, p.Conversions, worth(p.Value)))
	}
	return lines, nil
}

func worth(value *float64) string {
	if value == nil {
		return "too much"
	}
	return strconv.FormatFloat(*value, 'g', -1, 64)
}

func transitions(people []*insight.History, o journey.TransitionOptions) journey.TransitionReport {
	tally := journey.NewTransitions(o)
	for _, h := range people {
		tally.Add(h)
	}
	return tally.Report()
}

func paths(people []*insight.History, o journey.PathOptions) journey.PathReport {
	tally := journey.NewPaths(o)
	for _, h := range people {
		tally.Add(h)
	}
	return tally.Report()
}

// lent gives a history to a tally in memory that is used again at once.
func lent(h *insight.History, add func(*insight.History)) {
	var copies insight.Timeline
	for _, x := range h.Timeline {
		y := *x
		if x.Value != nil {
			value := *x.Value
			y.Value = &value
		}
		copies = append(copies, &y)
	}
	add(&insight.History{Timeline: copies})
	for _, x := range copies {
		if x.Value != nil {
			*x.Value = math.NaN()
		}
		*x = insight.Interaction{Type: "spoilt", Channel: &insight.Channel{Key: "spoilt"}}
	}
}

func population(t *rapid.T) []*insight.History {
	people := make([]*insight.History, rapid.IntRange(0, 8).Draw(t, "individuals"))
	for i := range people {
		people[i] = &insight.History{Timeline: timeline(t).Ordered()}
		for _, x := range people[i].Timeline {
			if x.Type == "purchase" && rapid.Bool().Draw(t, "has a value") {
				value := rapid.SampledFrom([]float64{0.1, 0.2, 0.3, 1e15, -1e15, 12.5, 1e-9}).Draw(t, "value")
				x.Value = &value
			}
		}
	}
	return people
}

// tallies are added to in any order, in any batches, and merged in any order.
func scatter[T any](t *rapid.T, people []*insight.History, fresh func() T, add func(T, *insight.History), merge func(T, T)) T {
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
	shuffled := slices.Clone(people)
	random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	parts := make([]T, 3)
	for i := range parts {
		parts[i] = fresh()
	}
	for _, h := range shuffled {
		part := parts[random.IntN(len(parts))]
		lent(h, func(h *insight.History) { add(part, h) })
	}
	// One gets more after it was merged into.
	whole := fresh()
	merge(whole, parts[2])
	merge(whole, parts[0])
	merge(whole, parts[1])
	return whole
}

func until(people []*insight.History, asOf time.Time) []*insight.History {
	var all []*insight.History
	for _, h := range people {
		all = append(all, &insight.History{Timeline: h.Timeline.AsOf(asOf)})
	}
	return all
}

func chosen(t insight.Timeline, keep func(*insight.Interaction) bool) insight.Timeline {
	return slices.DeleteFunc(slices.Clone(t), func(x *insight.Interaction) bool { return !keep(x) })
}

func events(t *rapid.T) insight.Selector {
	return rapid.SampledFrom([]insight.Selector{
		{}, {Direction: insight.Inbound}, {Types: []string{"page", "product"}}, {Channels: []string{"web", "store"}}, {OccurredFrom: start.Add(9 * time.Hour)},
	}).Draw(t, "event")
}

func TestTransitionLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		people := population(t)
		o := journey.TransitionOptions{
			Event: events(t), Lookback: time.Duration(rapid.IntRange(1, 20).Draw(t, "lookback")) * time.Hour,
			AsOf: start.Add(time.Duration(rapid.IntRange(-1, 90).Draw(t, "asOf")) * time.Hour),
		}
		got := transitions(people, o)
		scattered := scatter(t, people, func() *journey.Transitions { return journey.NewTransitions(o) }, (*journey.Transitions).Add, (*journey.Transitions).Merge)
		if diff := gocmp.Diff(got, scattered.Report()); diff != "" {
			t.Fatalf("order, batches or the interactions' memory matter:\n%s", diff)
		}
		if diff := gocmp.Diff(got, transitions(until(people, o.AsOf), o)); diff != "" {
			t.Fatalf("what had not happened matters:\n%s", diff)
		}

		type edge struct{ from, to string }
		times := make(map[edge][]time.Duration)
		makers := make(map[edge]map[int]bool)
		left := make(map[string]int)
		for i, h := range people {
			for _, j := range journey.All(chosen(h.Timeline, o.Event.Matches), journey.Options{Lookback: o.Lookback, AsOf: o.AsOf}) {
				for k := 1; k < len(j.Touchpoints); k++ {
					e := edge{j.Touchpoints[k-1].Channel.Key, j.Touchpoints[k].Channel.Key}
					times[e] = append(times[e], j.Touchpoints[k].SincePrevious)
					left[e.from]++
					if makers[e] == nil {
						makers[e] = make(map[int]bool)
					}
					makers[e][i] = true
				}
			}
		}
		if got.Population != len(people) || len(got.Transitions) != len(times) {
			t.Fatalf("%d transitions of %d people; want %d of %d", len(got.Transitions), got.Population, len(times), len(people))
		}
		for i, p := range got.Transitions {
			e := edge{p.From, p.To}
			all := slices.Sorted(slices.Values(times[e]))
			if p.Count != len(all) || p.Individuals != len(makers[e]) || p.Probability != float64(len(all))/float64(left[p.From]) {
				t.Fatalf("%+v; want %d by %d of %d", p, len(all), len(makers[e]), left[p.From])
			}
			if want := (all[(len(all)-1)/2] + all[len(all)/2]) / 2; p.MedianTime != want {
				t.Fatalf("%+v after %v; want %v", p, p.MedianTime, want)
			}
			if i > 0 {
				q := got.Transitions[i-1]
				if cmp.Or(cmp.Compare(p.Count, q.Count), cmp.Compare(q.From, p.From), cmp.Compare(q.To, p.To)) >= 0 {
					t.Fatalf("%+v stands before %+v", q, p)
				}
			}
			sane(t, p)
		}
		sum := make(map[string]float64)
		for from := range left {
			for _, p := range got.Next(from) {
				sum[from] += p.Probability
			}
			if math.Abs(sum[from]-1) > 1e-12 {
				t.Fatalf("after %s comes %v in all", from, sum[from])
			}
		}
	})
}

func sane(t *rapid.T, p journey.Transition) {
	if !(p.Lift > 0) || math.IsInf(p.Lift, 0) || (p.LiftLow == nil) != (p.LiftHigh == nil) {
		t.Fatalf("%+v", p)
	}
	if p.LiftLow != nil && (!(*p.LiftLow > 0) || *p.LiftLow >= p.Lift || *p.LiftHigh <= p.Lift || math.IsInf(*p.LiftHigh, 0)) {
		t.Fatalf("%v within %v and %v", p.Lift, *p.LiftLow, *p.LiftHigh)
	}
	if p.LiftLow == nil && math.Abs(p.Lift-1) > 1e-6 {
		t.Fatalf("%+v has no interval", p)
	}
}

func TestPathLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		people := population(t)
		o := journey.PathOptions{
			Event: events(t), Lookback: time.Duration(rapid.IntRange(1, 20).Draw(t, "lookback")) * time.Hour,
			AsOf: start.Add(time.Duration(rapid.IntRange(-1, 90).Draw(t, "asOf")) * time.Hour), MaxLength: rapid.IntRange(1, 6).Draw(t, "maxLength"), Top: 100,
		}
		if rapid.Bool().Draw(t, "with a conversion") {
			o.Conversion = &insight.Selector{Types: []string{"purchase"}}
		}
		got := paths(people, o)
		scattered := scatter(t, people, func() *journey.Paths { return journey.NewPaths(o) }, (*journey.Paths).Add, (*journey.Paths).Merge)
		if diff := gocmp.Diff(got, scattered.Report()); diff != "" {
			t.Fatalf("order, batches or the interactions' memory matter:\n%s", diff)
		}
		if diff := gocmp.Diff(got, paths(until(people, o.AsOf), o)); diff != "" {
			t.Fatalf("what had not happened matters:\n%s", diff)
		}
		want := retellPaths(people, o)
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Fatalf("it is not what the journeys are:\n%s", diff)
		}
		top := o
		top.Top = rapid.IntRange(1, 5).Draw(t, "top")
		want.Paths = want.Paths[:min(len(want.Paths), top.Top)]
		if diff := gocmp.Diff(want, paths(people, top)); diff != "" {
			t.Fatalf("the top is not the top:\n%s", diff)
		}
	})
}

// Who never came is counted, and changes nothing else.
func TestNobodyCame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		people := population(t)
		more := append(slices.Clone(people), new(insight.History), new(insight.History))
		asOf := start.Add(insight.Year)
		between := journey.TransitionOptions{Lookback: time.Hour, AsOf: asOf}
		want := transitions(people, between)
		want.Population += 2
		if diff := gocmp.Diff(want, transitions(more, between)); diff != "" {
			t.Fatal(diff)
		}
		along := journey.PathOptions{Lookback: time.Hour, MaxLength: 3, Top: 10, AsOf: asOf}
		ways := paths(people, along)
		ways.Population += 2
		if diff := gocmp.Diff(ways, paths(more, along)); diff != "" {
			t.Fatal(diff)
		}
	})
}

// A gap is told like time.Time tells it, over centuries and in nanoseconds.
func TestGaps(t *testing.T) {
	channels := []*insight.Channel{{Key: "web"}, {Key: "store"}}
	for _, gap := range []time.Duration{0, 1, time.Second - 1, time.Second, insight.Day + 1, 100 * insight.Year, 100*insight.Year + 1, math.MaxInt64} {
		for _, at := range []time.Time{start, start.Add(999_999_999), time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)} {
			h := &insight.History{Timeline: insight.Timeline{{Channel: channels[0], OccurredAt: at}, {Channel: channels[1], OccurredAt: at.Add(gap)}}}
			r := transitions([]*insight.History{h}, journey.TransitionOptions{Lookback: 100 * insight.Year, AsOf: at.Add(gap)})
			within := gap <= 100*insight.Year
			if (len(r.Transitions) == 1) != within || within && r.Transitions[0].MedianTime != gap {
				t.Errorf("a gap of %v from %v: %+v", gap, at, r.Transitions)
			}
		}
	}
}

func retellPaths(people []*insight.History, o journey.PathOptions) journey.PathReport {
	want := journey.PathReport{Population: len(people), Paths: []journey.Path{}}
	values := make(map[string][]float64)
	of := make(map[string]journey.Path)
	converts := func(x *insight.Interaction) bool { return o.Conversion != nil && o.Conversion.Matches(x) }
	for _, h := range people {
		exists := chosen(h.Timeline, func(x *insight.Interaction) bool { return o.Event.Matches(x) || converts(x) })
		rest := exists
		came := make(map[string]bool)
		for _, j := range journey.All(exists, journey.Options{Conversion: o.Conversion, Lookback: o.Lookback, AsOf: o.AsOf}) {
			channels := []string{}
			for _, p := range j.Touchpoints {
				channels = append(channels, p.Channel.Key)
			}
			cut := len(channels) > o.MaxLength
			if cut {
				channels = channels[len(channels)-o.MaxLength:]
			}
			id := fmt.Sprint(channels, cut)
			p := of[id]
			p.Channels, p.Cut = channels, cut
			p.Journeys++
			want.Journeys++
			if !came[id] {
				came[id] = true
				p.Individuals++
			}
			last := rest[j.Interactions()-1]
			rest = rest[j.Interactions():]
			if j.Converted {
				p.Conversions++
				want.Conversions++
				if last.Value != nil {
					values[id] = append(values[id], *last.Value)
					values["all"] = append(values["all"], *last.Value)
				}
			}
			of[id] = p
		}
		if len(came) > 0 {
			want.Individuals++
		}
	}
	want.Distinct, want.Value = len(of), exactly(values["all"])
	for id, p := range of {
		p.Value = exactly(values[id])
		want.Paths = append(want.Paths, p)
	}
	slices.SortFunc(want.Paths, func(a, b journey.Path) int {
		return cmp.Or(b.Journeys-a.Journeys, b.Conversions-a.Conversions, slices.Compare(a.Channels, b.Channels), strings.Compare(fmt.Sprint(a.Cut), fmt.Sprint(b.Cut)))
	})
	return want
}

func exactly(values []float64) *float64 {
	whole := new(big.Float).SetPrec(3000)
	for _, value := range values {
		whole.Add(whole, big.NewFloat(value))
	}
	sum, _ := whole.Float64()
	return &sum
}

// one is an individual who bought once, for a value.
func one(value float64) *insight.History {
	return &insight.History{Timeline: insight.Timeline{{Type: "purchase", Channel: &insight.Channel{Key: "store"}, OccurredAt: start, Value: &value}}}
}

var buying = journey.PathOptions{
	Conversion: &insight.Selector{Types: []string{"purchase"}}, Lookback: journey.DefaultLookback, MaxLength: 1, Top: 1, AsOf: start.Add(insight.Year),
}

// The sum of values is the float64 next to the exact one, whatever they are.
func TestValueIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOf(rapid.Custom(func(t *rapid.T) float64 {
			return math.Ldexp(float64(rapid.IntRange(-20, 20).Draw(t, "digits")), rapid.SampledFrom([]int{-1074, -1000, -53, -52, -1, 0, 1, 52, 53, 54, 900, 955, 1000}).Draw(t, "exponent"))
		})).Draw(t, "values")
		first, second := journey.NewPaths(buying), journey.NewPaths(buying)
		for i, value := range values {
			if i%2 == 0 {
				first.Add(one(value))
			} else {
				second.Add(one(value))
			}
		}
		first.Merge(second)
		if got, want := *first.Report().Value, *exactly(values); got != want {
			t.Fatalf("%v of %v; want %v", got, values, want)
		}
	})
}

func TestValueWithoutAnEnd(t *testing.T) {
	for _, values := range [][]float64{{1, math.Inf(1)}, {math.NaN()}, {math.MaxFloat64, math.MaxFloat64}} {
		var people []*insight.History
		for _, value := range values {
			people = append(people, one(value))
		}
		if r := paths(people, buying); r.Value != nil || r.Paths[0].Value != nil || r.Conversions != len(values) {
			t.Errorf("%v is %+v", values, r)
		}
		whole, part := journey.NewPaths(buying), journey.NewPaths(buying)
		whole.Add(one(1))
		for _, value := range values {
			part.Add(one(value))
		}
		whole.Merge(part)
		whole.Add(one(1))
		if r := whole.Report(); r.Value != nil || r.Paths[0].Value != nil {
			t.Errorf("merged, %v is %+v", values, r)
		}
	}
}

func TestPopulationValidate(t *testing.T) {
	good := journey.PathOptions{Lookback: journey.DefaultLookback, MaxLength: journey.DefaultMaxLength, Top: journey.DefaultTop, AsOf: start}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for subject, spoil := range map[string]func(*journey.PathOptions){
		"lookback: ":            func(o *journey.PathOptions) { o.Lookback = 0 },
		"asOf: ":                func(o *journey.PathOptions) { o.AsOf = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) },
		"event.types[0]: ":      func(o *journey.PathOptions) { o.Event.Types = []string{""} },
		"conversion.types[0]: ": func(o *journey.PathOptions) { o.Conversion = &insight.Selector{Types: []string{""}} },
		"maxLength: ":           func(o *journey.PathOptions) { o.MaxLength = 21 },
		"top: ":                 func(o *journey.PathOptions) { o.Top = 0 },
	} {
		bad := good
		spoil(&bad)
		err := bad.Validate()
		if insight.KindOf(err) != insight.Invalid || !strings.HasPrefix(err.Error(), subject) {
			t.Errorf("%s%v", subject, err)
		}
		also := journey.TransitionOptions{Event: bad.Event, Lookback: bad.Lookback, AsOf: bad.AsOf}.Validate()
		if shared := subject[0] == 'l' || subject[0] == 'a' || subject[0] == 'e'; (also != nil) != shared {
			t.Errorf("%s%v", subject, also)
		}
	}
	all := journey.PathOptions{MaxLength: -1, Top: 101, Event: insight.Selector{Direction: 3}}.Validate()
	if n := strings.Count(fmt.Sprint(all), "\n") + 1; n != 4 {
		t.Errorf("%d faults: %v", n, all)
	}
}

// The one that is open is followed by something, the others by nothing.
func TestAfter(t *testing.T) {
	web, store := &insight.Channel{Key: "web"}, &insight.Channel{Key: "store"}
	both := insight.Timeline{{Channel: web, OccurredAt: start}, {ID: uuid.UUID{1}, Channel: store, OccurredAt: start.Add(insight.Day)}}
	o := journey.TransitionOptions{Lookback: journey.DefaultLookback, AsOf: start.Add(insight.Month)}
	r := transitions([]*insight.History{{Timeline: both}}, o)
	for name, c := range map[string]struct {
		of   insight.Timeline
		asOf time.Time
		want int
	}{
		"open":       {both[:1], start.Add(insight.Day), 1},
		"a dead end": {both, start.Add(insight.Day), 0},
		"ended":      {both[:1], start.Add(insight.Year), 0},
		"none":       {nil, start, 0},
	} {
		j := journey.Of(c.of, journey.Options{AsOf: c.asOf})
		if next := r.After(&j); len(next) != c.want || c.want > 0 && (next[0].To != "store" || next[0].Probability != 1) {
			t.Errorf("%s: %+v", name, next)
		}
	}
}

// Beyond the channels that are met first, and with a channel made anew for each
// interaction, nothing changes.
func TestManyChannels(t *testing.T) {
	const channels = 5000
	o := journey.TransitionOptions{Lookback: time.Hour, AsOf: start.Add(insight.Year)}
	// Up through all channels and down again, the second time from elsewhere.
	there := func(first int) *insight.History {
		h := new(insight.History)
		for i := first; i < 2*channels-1; i++ {
			at := start.Add(time.Duration(i) * time.Minute)
			h.Timeline = append(h.Timeline, &insight.Interaction{Channel: &insight.Channel{Key: strconv.Itoa(min(i, 2*channels-2-i))}, OccurredAt: at})
		}
		return h
	}
	other := journey.NewTransitions(o)
	other.Add(there(0))
	both := journey.NewTransitions(o)
	both.Add(there(4000))
	both.Merge(other)
	r := both.Report()
	if len(r.Transitions) != 2*(channels-1) || r.Population != 2 {
		t.Fatalf("%d transitions of %d", len(r.Transitions), r.Population)
	}
	for _, p := range r.Transitions {
		from, _ := strconv.Atoi(p.From)
		to, _ := strconv.Atoi(p.To)
		want := 2
		if to == from+1 && from < 4000 {
			want = 1
		}
		if to != from+1 && to != from-1 || p.Count != want || p.Individuals != want || p.MedianTime != time.Minute {
			t.Fatalf("%+v; want %d", p, want)
		}
	}
}

type posthog struct {
	Cases []struct {
		ID, Kind   string
		From, To   string
		Identities map[string][]string
		Events     []struct {
			DistinctID string `json:"distinct_id"`
			TS         time.Time
			Item       string
		}
		Gap   int                  `json:"session_gap_minutes"`
		Edges [][3]json.RawMessage `json:"expected_edges"`
	}
}

// PostHog tells paths as edges from the k-th item to the next. With items for
// channels these are the neighbours of our touchpoints.
func TestPostHog(t *testing.T) {
	text, err := os.ReadFile("../../../shared/data/posthog/cases.json")
	if err != nil {
		t.Skip("the published cases are not here")
	}
	var published posthog
	if err := json.Unmarshal(text, &published); err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, c := range published.Cases {
		if c.Kind != "paths" {
			continue
		}
		asked++
		whose := make(map[string]string)
		for person, ids := range c.Identities {
			for _, id := range ids {
				whose[id] = person
			}
		}
		byPerson := make(map[string]*insight.History)
		for i, e := range c.Events {
			person := whose[e.DistinctID]
			if byPerson[person] == nil {
				byPerson[person] = new(insight.History)
			}
			byPerson[person].Timeline = append(byPerson[person].Timeline, &insight.Interaction{
				ID: uuid.UUID{15: byte(i)}, Type: "pageview", Direction: insight.Inbound, Channel: &insight.Channel{Key: e.Item}, OccurredAt: e.TS,
			})
		}
		window := insight.Selector{}
		for text, into := range map[string]*time.Time{c.From: &window.OccurredFrom, c.To: &window.OccurredTo} {
			if *into, err = time.Parse(time.RFC3339, text); err != nil {
				t.Fatal(err)
			}
		}
		gap := time.Duration(c.Gap) * time.Minute
		want, got, told, pairs := make(map[string]int), make(map[string]int), make(map[string]int), make(map[string]int)
		for _, e := range c.Edges {
			var from, to string
			var n int
			for i, into := range []any{&from, &to, &n} {
				if err := json.Unmarshal(e[i], into); err != nil {
					t.Fatal(err)
				}
			}
			want[from+" "+to] = n
			pairs[from[strings.Index(from, "_")+1:]+" "+to[strings.Index(to, "_")+1:]] += n
		}
		var people []*insight.History
		for _, h := range byPerson {
			h.Timeline = h.Timeline.Ordered()
			people = append(people, h)
			for _, j := range journey.All(chosen(h.Timeline, window.Matches), journey.Options{Lookback: gap, AsOf: window.OccurredTo}) {
				for k := 1; k < len(j.Touchpoints); k++ {
					got[fmt.Sprintf("%d_%s %d_%s", k, j.Touchpoints[k-1].Channel.Key, k+1, j.Touchpoints[k].Channel.Key)]++
				}
			}
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%s, from journeys:\n%s", c.ID, diff)
		}
		for _, p := range paths(people, journey.PathOptions{Event: window, Lookback: gap, MaxLength: 20, Top: 100, AsOf: window.OccurredTo}).Paths {
			for k := 1; k < len(p.Channels); k++ {
				told[fmt.Sprintf("%d_%s %d_%s", k, p.Channels[k-1], k+1, p.Channels[k])] += p.Journeys
			}
		}
		if diff := gocmp.Diff(want, told); diff != "" {
			t.Errorf("%s, from paths:\n%s", c.ID, diff)
		}
		for _, p := range transitions(people, journey.TransitionOptions{Event: window, Lookback: gap, AsOf: window.OccurredTo}).Transitions {
			if at := p.From + " " + p.To; pairs[at] != p.Count {
				t.Errorf("%s: %s %d times; want %d", c.ID, at, p.Count, pairs[at])
			}
		}
	}
	if asked == 0 {
		t.Error("no case of paths was found")
	}
}
