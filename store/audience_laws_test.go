package store_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/segment"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// ruleTexts are rules of every kind that need no model.
var ruleTexts = []string{
	`{"event":{"event":{"types":["buy"]},"atLeast":2,"within":"P10D"}}`,
	`{"recency":{"event":{"types":["buy"]},"atLeast":"P7D"}}`,
	`{"all":[{"event":{"event":{"types":["view"]},"within":"P3D"}},{"event":{"event":{"types":["buy"]},"atMost":0,"within":"P3D"}}]}`,
	`{"monetary":{"event":{"types":["buy"]},"atLeast":20,"within":"P30D"}}`,
	`{"sequence":{"steps":[{"types":["view"]},{"types":["buy"]}],"within":"P2D"}}`,
	`{"any":[{"trait":{"key":"plan","op":"EQ","value":"gold"}},{"not":{"event":{"event":{"properties":[{"path":"n","op":"GTE","value":3}]}}}}]}`,
	`{"all":[{"consent":"marketing"},{"everyone":true}]}`,
	`{"relationship":["UNRESPONSIVE","OPTED_OUT","NEW"]}`,
	`{"all":[{"segment":"s-0"},{"not":{"segment":"s-2"}}]}`,
}

// raced says that the race detector is on.
var raced bool

// alone skips a test with the race detector that does one thing at a time, for minutes:
// it finds nothing in it. make test runs it without.
func alone(t *testing.T) {
	t.Helper()
	if raced {
		t.Skip("make test runs it without the race detector")
	}
}

// TestAudienceLaws: whatever happens to people, late or in order, joined, parted,
// permitted, refused or erased, and however the clock jumps, the segments that they are
// in are those that the rules say, and every change is told once: who enters was out, and
// who exits was in.
func TestAudienceLaws(t *testing.T) {
	alone(t)
	for seed := range uint64(3) {
		testdb.Each(t, func(t *testing.T, o store.Options) { audienceLaws(t, o, rand.New(rand.NewPCG(seed, 3))) })
	}
}

func audienceLaws(t *testing.T, o store.Options, random *rand.Rand) {
	ctx := t.Context()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	o.Now = func() time.Time { return now }
	s := testdb.Open(t, o)
	y := sayer(t, s)
	drive := func() {
		for n := 1; n > 0; {
			var err error
			if n, _, err = s.Look(ctx); err != nil {
				t.Fatal(insight.Detail(err))
			}
		}
		for more := true; more; {
			for waiting := range must(s.AwaitingModels(ctx)) {
				if err := s.SetModels(ctx, waiting, &segment.Models{AsOf: now}); err != nil {
					t.Fatal(err)
				}
			}
			more = must(s.Draft(ctx))
		}
	}
	made := 0
	for n, text := range ruleTexts {
		if random.IntN(3) == 0 && n > 2 && n < len(ruleTexts)-1 {
			continue // it comes later, over people whom there are already
		}
		must(s.CreateSegment(ctx, store.NewSegment{Key: fmt.Sprintf("s-%d", n), Name: "s", Purpose: []string{"analytics", "personalization"}[n%2], Rule: must(segment.Read([]byte(text)))}))
		made++
	}
	drive()
	who := func() insight.Identity {
		return insight.Identity{Kind: insight.UserID, Value: fmt.Sprintf("u%d", random.IntN(6))}
	}
	for step := range 60 {
		now = now.Add(time.Duration(random.IntN(36*60)) * time.Minute)
		what := ""
		switch random.IntN(12) {
		case 0, 1, 2, 3, 4, 5:
			var events []*insight.Event
			for range 1 + random.IntN(3) {
				e := y.event(fmt.Sprintf("m%d-%d", step, len(events)), who(), insight.Identity{Kind: insight.AnonymousID, Value: fmt.Sprintf("a%d", random.IntN(9))})
				e.Type = []string{"buy", "view", "letter"}[random.IntN(3)]
				if e.Type == "letter" {
					e.Direction = insight.Outbound
				}
				value := float64(random.IntN(20))
				e.Value, e.Properties = &value, fmt.Appendf(nil, `{"n":%d}`, random.IntN(5))
				e.OccurredAt = now.Add(-time.Duration(random.IntN(3)*random.IntN(20*24)) * time.Hour)
				e.Timestamp, e.ReceivedAt = e.OccurredAt, now
				events = append(events, e)
			}
			if random.IntN(3) == 0 {
				events[0].Traits = []insight.Observation{{Key: "plan", Value: []byte([]string{`"gold"`, `"basic"`}[random.IntN(2)]), Provenance: insight.Declared, Confidence: 1, Sensitivity: insight.Ordinary}}
			}
			what = "events"
			must(s.Append(ctx, events))
		case 6, 7:
			c := y.claim([]string{"analytics", "personalization", "marketing"}[random.IntN(3)], insight.ConsentDecision(1+random.IntN(3)))
			c.EffectiveAt = now
			if c.Decision == insight.ConsentGranted && random.IntN(2) == 0 {
				c.ExpiresAt = now.Add(time.Duration(1+random.IntN(200)) * time.Hour)
			}
			what = "a decision"
			y.decides(who(), c)
		case 8:
			what = "a merge"
			_, _, err := s.Merge(ctx, store.Lookup{Identity: who()}, store.Lookup{Identity: who()}, "one person")
			if k := insight.KindOf(err); err != nil && k != insight.NotFound && k != insight.Invalid {
				t.Fatal(insight.Detail(err))
			}
		case 9:
			what = "an erasure"
			_, _, err := s.Erase(ctx, store.Lookup{Identity: who()}, store.ErasureTerms{Asked: store.Asked{By: "clerk", Reason: "they asked"}})
			if err != nil && insight.KindOf(err) != insight.NotFound {
				t.Fatal(insight.Detail(err))
			}
		case 10:
			what = "a rule"
			n := random.IntN(len(ruleTexts) - 1)
			rule := must(segment.Read([]byte(ruleTexts[(n+step)%(len(ruleTexts)-1)])))
			_, err := s.UpdateSegment(ctx, fmt.Sprintf("s-%d", n), store.SegmentChange{Rule: rule})
			if err != nil && insight.KindOf(err) != insight.NotFound {
				t.Fatal(insight.Detail(err))
			}
		default:
			what = "a jump"
			now = now.Add(time.Duration(random.IntN(40*24)) * time.Hour)
		}
		if random.IntN(2) == 0 {
			drive()
		}
		if v := must(s.Verify(ctx, nil)); v.Total > 0 {
			t.Fatalf("step %d, after %s: %q", step, what, v.Differences)
		}
	}
	drive()
	was := map[string]string{}
	var sequence int64
	query(t, s, "SELECT sequence, individual_id, segment_id, CASE WHEN entered THEN 'in' ELSE 'out' END FROM membership_changes ORDER BY sequence", func(c []string) {
		place, err := strconv.ParseInt(c[0], 10, 64)
		if err != nil || place <= sequence {
			t.Errorf("the place %s comes after %d", c[0], sequence)
		}
		sequence = place
		key := c[1] + " " + c[2]
		if was[key] == c[3] { // of who was erased, the entering is told no more
			t.Errorf("%s: %s is told twice", key, c[3])
		}
		was[key] = c[3]
	})
	if sequence == 0 || made == 0 {
		t.Error("nothing has changed: this test finds less than it should")
	}
	if v := must(s.Verify(ctx, nil)); v.Total > 0 {
		t.Fatal(v.Differences)
	}
}
