package uplift

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/acquaint/acquaint/insight"
)

// A truth that is planted lies in the interval as often as it says. The arms are small
// and unlike each other, so that a normal quantile in place of Student's, a pooled
// variance or one of n in place of n-1 would miss it by far more than chance.
func TestCoverage(t *testing.T) {
	const trials = 4_000
	random := rand.New(rand.NewPCG(11, 5))
	covered := 0
	for range trials {
		var treated, holdout arm
		for range 40 {
			treated.add(10+random.NormFloat64(), true)
		}
		for range 6 {
			holdout.add(7+5*random.NormFloat64(), true)
		}
		if c := compare(treated.value(), holdout.value()); *c.low <= 3 && 3 <= *c.high {
			covered++
		}
	}
	// Three standard deviations of the binomial distribution are 1 %.
	if share := float64(covered) / trials; math.Abs(share-.95) > .0103 {
		t.Errorf("the interval of the value holds the truth in %v", share)
	}
}

// The same through the whole tally, for rates and with skewed values; and of
// experiences without an effect few are said to have one, either way.
func TestTruth(t *testing.T) {
	const trials = 1_000
	random := rand.New(rand.NewPCG(3, 1))
	o := Options{Outcome: insight.Selector{Types: []string{"purchase"}}, Window: insight.Day, AsOf: start.Add(insight.Week)}
	for _, truth := range []struct{ treated, holdout float64 }{{.2, .2}, {.3, .2}, {.1, .2}} {
		covered, valued, verdicts := 0, 0, map[Verdict]int{}
		for range trials {
			tally := NewTally(o)
			for i := range 1_500 {
				a, p := Assignment{Holdout: i%3 == 0, At: start}, truth.treated
				if a.Holdout {
					p = truth.holdout
				}
				var h insight.History
				if random.Float64() < p {
					value := random.ExpFloat64()
					h.Timeline = insight.Timeline{{Type: "purchase", Direction: insight.Inbound, OccurredAt: start.Add(1), Value: &value}}
				}
				tally.Add(&h, a, nil)
			}
			g := tally.Report().Groups[0]
			effect := truth.treated - truth.holdout
			if *g.Low <= effect && effect <= *g.High {
				covered++
			}
			if *g.ValueLow <= effect && effect <= *g.ValueHigh {
				valued++
			}
			verdicts[g.Verdict]++
		}
		// 95 % of 1,000 to within three standard deviations, of 7 each.
		for what, n := range map[string]int{"rate": covered, "value": valued} {
			if n < 929 || n > 971 {
				t.Errorf("%+v: the interval of the %s holds the truth in %d of %d", truth, what, n, trials)
			}
		}
		switch effect := truth.treated - truth.holdout; {
		case effect > 0 && verdicts[Persuadable] < 950, effect < 0 && verdicts[LeaveAlone] < 950:
			t.Errorf("%+v: %v", truth, verdicts)
		case effect == 0 && verdicts[Persuadable]+verdicts[LeaveAlone] > 71:
			t.Errorf("%+v: %v", truth, verdicts)
		}
	}
}

func BenchmarkAdd(b *testing.B) {
	value := 12.5
	h := &insight.History{}
	for i := range 30 {
		h.Timeline = append(h.Timeline, &insight.Interaction{Type: "purchase", Direction: insight.Inbound, OccurredAt: start.AddDate(0, 0, i), Value: &value})
	}
	tally := NewTally(Options{Outcome: insight.Selector{Types: []string{"purchase"}}, Window: insight.Week, AsOf: start.Add(insight.Year), Groups: make([]string, 5)})
	in := []bool{true, false, true, false, true}
	b.ReportAllocs()
	for b.Loop() {
		tally.Add(h, Assignment{At: start.AddDate(0, 0, 10)}, in)
	}
}
