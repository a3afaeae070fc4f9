package session_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/session"
	"github.com/acquaint/acquaint/internal/script"
)

func TestScripts(t *testing.T) {
	script.Run(t, "testdata/*.txt", func(q script.Question) ([]string, error) {
		timeline, err := script.Timeline(q.Load)
		if err != nil {
			return nil, err
		}
		timeout := insight.DefaultSessionTimeout
		if text := q.Ask.Option("timeout"); text != "" {
			if timeout, err = insight.ParseDuration(text); err != nil {
				return nil, err
			}
		}
		answer := visits(timeline, timeout, nil)
		r := rand.New(rand.NewPCG(1, 2))
		for range 100 {
			if other := visits(timeline, timeout, r); !slices.Equal(other, answer) {
				return other, fmt.Errorf("in another order, or joined in parts, the answer differs")
			}
		}
		return answer, nil
	})
}

// visits tells the sessions of all streams, by their beginning. With r, the
// interactions come in a random order and are joined in random parts.
func visits(timeline insight.Timeline, timeout time.Duration, r *rand.Rand) []string {
	channels, streams := map[uuid.UUID]string{}, map[string][]session.Run{}
	for _, x := range timeline {
		channels[x.Channel.ID] = x.Channel.Key
		var properties struct{ Stream, Campaign string }
		if x.Properties != nil {
			if err := json.Unmarshal(x.Properties, &properties); err != nil {
				panic(err) // the harness wrote it
			}
		}
		run, ok := session.Of(session.Moment{
			ID: x.ID, Channel: x.Channel.ID, Campaign: insight.Campaign{Name: properties.Campaign},
			Type: x.Type, Direction: x.Direction, OccurredAt: x.OccurredAt, Value: x.Value,
		})
		if ok {
			streams[properties.Stream] = append(streams[properties.Stream], run)
		}
	}
	var all []session.Run
	for _, runs := range streams {
		all = append(all, inParts(timeout, runs, r)...)
	}
	slices.SortFunc(all, func(a, b session.Run) int { return a.Start.Compare(b.Start) })
	lines := make([]string, len(all))
	for i, s := range all {
		by, campaign, engaged := " by "+channels[s.Channel], "", "a glance"
		if s.Interactions > 1 && s.Start.Equal(s.End) {
			by = "" // of two at one moment the id says which is first
		}
		if s.Campaign.Name != "" {
			campaign = "campaign " + s.Campaign.Name + ", "
		}
		if s.Engaged() {
			engaged = "engaged"
		}
		lines[i] = fmt.Sprintf("%s to %s, %d%s, %s%s", s.Start.Format(time.RFC3339Nano), s.End.Format(time.RFC3339Nano), s.Interactions, by, campaign, engaged)
	}
	return lines
}

// inParts joins runs: all at once without r, else shuffled and grouped at random,
// each group first by itself.
func inParts(timeout time.Duration, runs []session.Run, r *rand.Rand) []session.Run {
	runs = slices.Clone(runs)
	if r == nil {
		return session.Merge(timeout, runs)
	}
	r.Shuffle(len(runs), func(i, j int) { runs[i], runs[j] = runs[j], runs[i] })
	var joined []session.Run
	for len(runs) > 0 {
		n := 1 + r.IntN(len(runs))
		part := session.Merge(timeout, slices.Clone(runs[:n]))
		runs = runs[n:]
		if r.IntN(2) == 0 {
			joined = session.Merge(timeout, append(joined, part...))
		} else {
			joined = append(part, joined...)
		}
	}
	return session.Merge(timeout, joined)
}

var start = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)

func moments(t *rapid.T) []session.Moment {
	all := make([]session.Moment, rapid.IntRange(0, 15).Draw(t, "interactions"))
	for i := range all {
		// Whole tens of minutes, so that gaps meet the timeout exactly and moments repeat.
		all[i] = session.Moment{
			ID: uuid.UUID{14: byte(rapid.IntRange(0, 255).Draw(t, "id")), 15: byte(i)}, Channel: uuid.UUID{15: byte(rapid.IntRange(1, 3).Draw(t, "channel"))},
			Type:       rapid.SampledFrom([]string{"page", "screen", "click", "purchase", "Order Completed"}).Draw(t, "type"),
			Direction:  rapid.SampledFrom([]insight.Direction{insight.Inbound, insight.Inbound, insight.Inbound, insight.Outbound}).Draw(t, "direction"),
			OccurredAt: start.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "ticks"))*10*time.Minute + time.Duration(rapid.IntRange(0, 1).Draw(t, "extra"))*time.Microsecond),
		}
		if rapid.Bool().Draw(t, "campaign") {
			all[i].Campaign.Name = rapid.SampledFrom([]string{"spring", "brand"}).Draw(t, "name")
		}
		if rapid.Bool().Draw(t, "worth") {
			value := rapid.SampledFrom([]float64{-1, 0, 0.01, 10}).Draw(t, "value")
			all[i].Value = &value
		}
	}
	return all
}

// byTheRule works sessions out as the text says: in order of time, a new one
// whenever more than the timeout has passed.
func byTheRule(timeout time.Duration, all []session.Moment) []session.Run {
	var visits []session.Moment
	for _, m := range all {
		if m.Direction == insight.Inbound {
			visits = append(visits, m)
		}
	}
	slices.SortFunc(visits, func(a, b session.Moment) int {
		return cmp.Or(a.OccurredAt.Compare(b.OccurredAt), cmp.Compare(a.ID.String(), b.ID.String()))
	})
	var sessions []session.Run
	for i, m := range visits {
		if i == 0 || m.OccurredAt.After(visits[i-1].OccurredAt.Add(timeout)) {
			sessions = append(sessions, session.Run{First: m.ID, Start: m.OccurredAt, Channel: m.Channel, Campaign: m.Campaign})
		}
		s := &sessions[len(sessions)-1]
		s.End = m.OccurredAt
		s.Interactions++
		switch m.Type {
		case "page", "screen":
			s.Views++
		}
		if m.Type == "purchase" || m.Type == "Order Completed" || m.Value != nil && *m.Value > 0 {
			s.Conversions++
		}
	}
	return sessions
}

func runsOf(all []session.Moment) []session.Run {
	var runs []session.Run
	for _, m := range all {
		if r, ok := session.Of(m); ok {
			runs = append(runs, r)
		}
	}
	return runs
}

func TestLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := moments(t)
		timeout := time.Duration(rapid.IntRange(0, 6).Draw(t, "timeout")) * 10 * time.Minute
		runs := runsOf(all)
		sessions := session.Merge(timeout, slices.Clone(runs))

		if want := byTheRule(timeout, all); !slices.Equal(sessions, want) {
			t.Fatalf("got  %v\nwant %v", sessions, want)
		}
		if again := session.Merge(timeout, slices.Clone(sessions)); !slices.Equal(again, sessions) {
			t.Fatalf("joined again: %v, before %v", again, sessions)
		}
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		for range 5 {
			if other := inParts(timeout, runs, r); !slices.Equal(other, sessions) {
				t.Fatalf("in parts %v, at once %v", other, sessions)
			}
		}
		var before, after session.Run
		for _, s := range runs {
			before.Interactions, before.Views, before.Conversions = before.Interactions+s.Interactions, before.Views+s.Views, before.Conversions+s.Conversions
		}
		for i, s := range sessions {
			after.Interactions, after.Views, after.Conversions = after.Interactions+s.Interactions, after.Views+s.Views, after.Conversions+s.Conversions
			if i > 0 && s.Start.Sub(sessions[i-1].End) <= timeout {
				t.Fatalf("%v and %v are one visit", sessions[i-1], s)
			}
		}
		if before != after {
			t.Fatalf("sums were %+v and are %+v", before, after)
		}
		// A longer timeout only joins: no session of the shorter one is cut.
		longer := session.Merge(2*timeout, slices.Clone(runs))
		for _, s := range sessions {
			if !slices.ContainsFunc(longer, func(l session.Run) bool { return !s.Start.Before(l.Start) && !s.End.After(l.End) }) {
				t.Fatalf("%v is cut by a longer timeout: %v", s, longer)
			}
		}
	})
}

func TestMergeOfNothing(t *testing.T) {
	if got := session.Merge(time.Minute, nil); len(got) != 0 {
		t.Errorf("nothing is %v", got)
	}
}

// TestMergeReusesTheSlice: the store counts on it for its memory.
func TestMergeReusesTheSlice(t *testing.T) {
	runs := runsOf([]session.Moment{{ID: uuid.UUID{2}, Direction: insight.Inbound, OccurredAt: start.Add(time.Hour)}, {ID: uuid.UUID{1}, Direction: insight.Inbound, OccurredAt: start}})
	if got := session.Merge(time.Minute, runs); len(got) != 2 || &got[0] != &runs[0] || got[0].First != (uuid.UUID{1}) {
		t.Errorf("got %v of %v", got, runs)
	}
}

func ExampleMerge() {
	at := func(clock string) session.Run {
		occurred, _ := time.Parse(time.DateTime, "2026-03-01 "+clock)
		run, _ := session.Of(session.Moment{Type: "page", Direction: insight.Inbound, OccurredAt: occurred})
		return run
	}
	show := func(sessions []session.Run) {
		for _, s := range sessions {
			fmt.Println(s.Start.Format(time.TimeOnly), s.End.Format(time.TimeOnly), s.Interactions, s.Engaged())
		}
	}
	sessions := session.Merge(30*time.Minute, []session.Run{at("10:00:00"), at("10:30:00"), at("11:00:01")})
	show(sessions)
	fmt.Println("a late view")
	show(session.Merge(30*time.Minute, append(sessions, at("10:45:00"))))
	// Output:
	// 10:00:00 10:30:00 2 true
	// 11:00:01 11:00:01 1 false
	// a late view
	// 10:00:00 11:00:01 4 true
}

func ExampleOf() {
	_, visit := session.Of(session.Moment{Type: "mailing", Direction: insight.Outbound, OccurredAt: start})
	fmt.Println(visit)
	// Output: false
}

func ExampleIsConversion() {
	price := 12.5
	fmt.Println(session.IsConversion("purchase", nil), session.IsConversion("donation", &price), session.IsConversion("page", nil))
	// Output: true true false
}

func BenchmarkMerge(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	runs := make([]session.Run, 1000)
	for i := range runs {
		runs[i], _ = session.Of(session.Moment{ID: uuid.UUID{14: byte(i >> 8), 15: byte(i)}, Type: "page", Direction: insight.Inbound, OccurredAt: start.Add(time.Duration(r.IntN(100_000)) * time.Minute)})
	}
	some := make([]session.Run, len(runs))
	b.ReportAllocs()
	for b.Loop() {
		copy(some, runs)
		session.Merge(insight.DefaultSessionTimeout, some)
	}
}
