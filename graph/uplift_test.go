package graph

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/smallgroup"
	"github.com/acquaint/acquaint/insight/uplift"
)

var decidedAt = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// upliftOf is a group of so many in each arm, of whom so many have the outcome, each
// worth the same.
func upliftOf(arms [2][2]int, value, share float64) uplift.Group {
	tally := uplift.NewTally(uplift.Options{Holdout: &share, Outcome: insight.Selector{Types: []string{"buy"}}, Window: insight.Day, AsOf: decidedAt.Add(insight.Week)})
	bought := &insight.History{Timeline: insight.Timeline{{Type: "buy", Direction: insight.Inbound, OccurredAt: decidedAt.Add(time.Hour), Value: &value}}}
	for arm, of := range arms {
		for n := range of[0] {
			h := &insight.History{}
			if n < of[1] {
				h = bought
			}
			tally.Add(h, uplift.Assignment{Holdout: arm == 1, At: decidedAt}, nil)
		}
	}
	return tally.Report().Groups[0]
}

// TestUpliftOfFew: who may not see individuals is told what follows from numbers that
// are rounded to the floor, and nothing of fewer; who may is told all.
func TestUpliftOfFew(t *testing.T) {
	const floor = smallgroup.Floor(10)
	share := 0.5
	rapid.Check(t, func(t *rapid.T) {
		arm := func(name string) [2]int {
			n := rapid.IntRange(0, 60).Draw(t, name)
			return [2]int{n, rapid.IntRange(0, n).Draw(t, name+" responders")}
		}
		arms := [2][2]int{arm("treated"), arm("holdout")}
		g := upliftOf(arms, 10, share)
		exact, told := upliftGroup(&g, &share, 1), upliftGroup(&g, &share, floor)
		want := &model.UpliftGroup{
			Name: g.Name, Mismatch: &g.Mismatch, Treated: &g.Treated, Holdout: &g.Holdout, Pending: &g.Pending, TreatedRate: g.TreatedRate, HoldoutRate: g.HoldoutRate, Uplift: g.Uplift, Low: g.Low, High: g.High,
			TreatedValue: g.TreatedValue, HoldoutValue: g.HoldoutValue, ValueUplift: g.ValueUplift, ValueLow: g.ValueLow, ValueHigh: g.ValueHigh,
			SampleRatio: g.SampleRatio, Verdict: &g.Verdict, Because: &g.Why,
		}
		if diff := cmp.Diff(want, exact); diff != "" {
			t.Fatalf("who may see individuals is told otherwise: %s", diff)
		}
		few := false
		var rounded [2][2]int
		for i, of := range arms {
			for j, n := range of {
				few = few || n < int(floor)
				rounded[i][j] = n / int(floor) * int(floor)
			}
		}
		if told.Suppressed != few {
			t.Fatalf("of %v it is suppressed: %t", arms, told.Suppressed)
		}
		if few {
			if told.Uplift != nil || told.Verdict != nil || told.Because != nil || told.SampleRatio != nil || told.ValueUplift != nil {
				t.Fatalf("of %v is told %+v", arms, told)
			}
			return
		}
		// What is told of the rates is what would be told of the rounded numbers, exactly;
		// the verdict with them.
		as := upliftOf(rounded, 10, share)
		other := upliftGroup(&as, &share, 1)
		for _, one := range []struct {
			what      string
			got, want *float64
		}{
			{"treatedRate", told.TreatedRate, other.TreatedRate}, {"holdoutRate", told.HoldoutRate, other.HoldoutRate}, {"uplift", told.Uplift, other.Uplift},
			{"low", told.Low, other.Low}, {"high", told.High, other.High}, {"sampleRatio", told.SampleRatio, other.SampleRatio},
		} {
			if diff := cmp.Diff(one.want, one.got); diff != "" {
				t.Fatalf("of %v, rounded %v, %s: %s", arms, rounded, one.what, diff)
			}
		}
		why, _, _ := strings.Cut(*other.Because, "; ")
		if *told.Verdict != *other.Verdict || *told.Mismatch != *other.Mismatch || *told.Because != why {
			t.Fatalf("of %v, rounded %v, is told %s, %t, %s", arms, rounded, *told.Verdict, *told.Mismatch, *told.Because)
		}
		if *told.Treated != rounded[0][0] || *told.Holdout != rounded[1][0] {
			t.Fatalf("of %v is told %d and %d", arms, *told.Treated, *told.Holdout)
		}
	})
}
