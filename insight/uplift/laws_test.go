package uplift

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

type person struct {
	history    insight.History
	assignment Assignment
	in         []bool // the second group is the rest of the first
}

func people(t *rapid.T) []person {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) person {
		hours := func(most int, name string) time.Time {
			return start.Add(time.Duration(rapid.IntRange(0, most).Draw(t, name)) * time.Hour)
		}
		p := person{assignment: Assignment{Holdout: rapid.Bool().Draw(t, "holdout"), At: hours(6, "assigned")}}
		first := rapid.Bool().Draw(t, "in the first")
		p.in = []bool{first, !first}
		for i := range rapid.IntRange(0, 4).Draw(t, "interactions") {
			x := &insight.Interaction{ID: uuid.UUID{15: byte(i)}, Type: rapid.SampledFrom([]string{"purchase", "page"}).Draw(t, "type"), Direction: insight.Direction(rapid.IntRange(1, 2).Draw(t, "direction")), OccurredAt: hours(14, "at")}
			if rapid.Bool().Draw(t, "valued") {
				value := rapid.SampledFrom([]float64{0.1, 0.3, 1e9 + 0.25, -7, 1e-9}).Draw(t, "value")
				x.Value = &value
			}
			p.history.Timeline = append(p.history.Timeline, x)
		}
		p.history.Timeline = p.history.Timeline.Ordered()
		return p
	}), 0, 30).Draw(t, "people")
}

func options(t *rapid.T) Options {
	half := 0.5
	return Options{
		Outcome: insight.Selector{Types: []string{"purchase"}}, Window: time.Duration(rapid.IntRange(1, 6).Draw(t, "window")) * time.Hour,
		AsOf: start.Add(time.Duration(rapid.IntRange(2, 14).Draw(t, "asOf")) * time.Hour), Holdout: &half, Groups: []string{"some", "the rest"},
	}
}

func fold(o Options, people []person) Report {
	tally := NewTally(o)
	for i := range people {
		tally.Add(&people[i].history, people[i].assignment, people[i].in)
	}
	return tally.Report()
}

// naive is a mean and the variance of it by two loops over exact fractions.
func naive(values []float64) (mean, variance float64) {
	n, sum, squares := big.NewRat(int64(len(values)), 1), new(big.Rat), new(big.Rat)
	if len(values) == 0 {
		return math.NaN(), math.NaN()
	}
	for _, v := range values {
		sum.Add(sum, new(big.Rat).SetFloat64(v))
	}
	m := new(big.Rat).Quo(sum, n)
	for _, v := range values {
		off := new(big.Rat).Sub(new(big.Rat).SetFloat64(v), m)
		squares.Add(squares, off.Mul(off, off))
	}
	mean, _ = m.Float64()
	variance, _ = squares.Float64()
	return mean, variance / float64(len(values)-1) / float64(len(values))
}

func same(t *rapid.T, what string, got *float64, want float64) {
	if got == nil != math.IsNaN(want) || got != nil && math.Abs(*got-want) > 1e-9*(1+math.Abs(want)) {
		t.Fatalf("%s: %s, want %v", what, show(got), want)
	}
}

func show(x *float64) string {
	if x == nil {
		return "none"
	}
	return fmt.Sprint(*x)
}

func TestAsDefined(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, all := options(t), people(t)
		if err := o.Validate(); err != nil {
			t.Fatal(err)
		}
		for i, g := range fold(o, all).Groups {
			rates, values, pending := [2][]float64{}, [2][]float64{}, 0
			for _, p := range all {
				at := p.assignment.At
				if at.After(o.AsOf) || i > 0 && !p.in[i-1] {
					continue
				}
				if at.Add(o.Window).After(o.AsOf) {
					pending++
					continue
				}
				arm, rate, value := 0, 0.0, new(big.Rat)
				if p.assignment.Holdout {
					arm = 1
				}
				for _, x := range p.history.Timeline {
					since := x.OccurredAt.Sub(at)
					if x.Type != "purchase" || x.Direction != insight.Inbound || since <= 0 || since > o.Window {
						continue
					}
					rate = 1
					if x.Value != nil {
						value.Add(value, new(big.Rat).SetFloat64(*x.Value))
					}
				}
				v, _ := value.Float64()
				rates[arm], values[arm] = append(rates[arm], rate), append(values[arm], v)
			}
			if g.Treated != len(rates[0]) || g.Holdout != len(rates[1]) || g.Pending != pending {
				t.Fatalf("%+v, want %d, %d, %d", g, len(rates[0]), len(rates[1]), pending)
			}
			check := func(what string, of [2][]float64, treated, holdout, difference, low, high *float64) {
				m1, v1 := naive(of[0])
				m0, v0 := naive(of[1])
				same(t, what+" treated", treated, m1)
				same(t, what+" holdout", holdout, m0)
				same(t, what+" difference", difference, m1-m0)
				reach := math.NaN()
				if len(of[0]) > 1 && len(of[1]) > 1 && v1+v0 > 0 {
					reach = quantile((v1+v0)*(v1+v0)/(v1*v1/float64(len(of[0])-1)+v0*v0/float64(len(of[1])-1))) * math.Sqrt(v1+v0)
				}
				same(t, what+" low", low, m1-m0-reach)
				same(t, what+" high", high, m1-m0+reach)
			}
			for arm, got := range []struct {
				responders int
				largest    float64
			}{{g.TreatedResponders, g.TreatedLargest}, {g.HoldoutResponders, g.HoldoutLargest}} {
				responders, largest := 0.0, 0.0
				for n, rate := range rates[arm] {
					responders, largest = responders+rate, max(largest, math.Abs(values[arm][n]))
				}
				if float64(got.responders) != responders || got.largest != largest {
					t.Fatalf("arm %d has %+v, want %v and %v", arm, got, responders, largest)
				}
			}
			counted := Rates(Counts{g.Treated, g.TreatedResponders, g.Holdout, g.HoldoutResponders, g.Pending}, o.Holdout)
			counted.Name, counted.TreatedLargest, counted.HoldoutLargest = g.Name, g.TreatedLargest, g.HoldoutLargest
			counted.TreatedValue, counted.HoldoutValue, counted.ValueUplift, counted.ValueLow, counted.ValueHigh = g.TreatedValue, g.HoldoutValue, g.ValueUplift, g.ValueLow, g.ValueHigh
			if why, is := strings.CutPrefix(g.Why, counted.Why); !is || why != "" && !strings.HasPrefix(why, "; ") {
				t.Fatalf("by counts alone: %s, and with values: %s", counted.Why, g.Why)
			}
			counted.Why = g.Why
			if diff := cmp.Diff(g, counted); diff != "" {
				t.Fatalf("by counts alone: %s", diff)
			}
			check("rate", rates, g.TreatedRate, g.HoldoutRate, g.Uplift, g.Low, g.High)
			check("value", values, g.TreatedValue, g.HoldoutValue, g.ValueUplift, g.ValueLow, g.ValueHigh)
			if g.Why == "" || g.Mismatch && g.Verdict != Undecided || g.Low == nil && g.Verdict != Undecided {
				t.Fatalf("%+v", g)
			}
		}
	})
}

// Neither order nor parts matter, a report changes nothing, what comes after asOf does
// not matter, and groups that part everyone add up to them.
func TestLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, all := options(t), people(t)
		whole := fold(o, all)
		parts := []*Tally{NewTally(o), NewTally(o), NewTally(o)}
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		for _, i := range random.Perm(len(all)) {
			h := insight.History{Timeline: all[i].history.Timeline.AsOf(o.AsOf)}
			parts[random.IntN(len(parts))].Add(&h, all[i].assignment, all[i].in)
		}
		_ = parts[2].Report()
		parts[1].Merge(parts[2])
		parts[1].Merge(parts[0])
		for range 2 {
			if diff := cmp.Diff(whole, parts[1].Report()); diff != "" {
				t.Fatalf("order, parts, asking again or what comes later matter:\n%s", diff)
			}
		}
		g := whole.Groups
		if g[0].Treated != g[1].Treated+g[2].Treated || g[0].Holdout != g[1].Holdout+g[2].Holdout || g[0].Pending != g[1].Pending+g[2].Pending {
			t.Fatalf("the parts do not add up: %+v", g)
		}
		for i := range all {
			all[i].assignment.Holdout = !all[i].assignment.Holdout
		}
		for i, swapped := range fold(o, all).Groups {
			if diff := cmp.Diff(swap(g[i]), swapped); diff != "" {
				t.Fatalf("swapping the arms does not negate:\n%s", diff)
			}
		}
	})
}

func swap(g Group) Group {
	minus := func(x *float64) *float64 {
		if x == nil {
			return nil
		}
		negative := 0 - *x
		return &negative
	}
	g.Treated, g.Holdout = g.Holdout, g.Treated
	g.TreatedResponders, g.HoldoutResponders, g.TreatedLargest, g.HoldoutLargest = g.HoldoutResponders, g.TreatedResponders, g.HoldoutLargest, g.TreatedLargest
	g.TreatedRate, g.HoldoutRate, g.TreatedValue, g.HoldoutValue = g.HoldoutRate, g.TreatedRate, g.HoldoutValue, g.TreatedValue
	g.Uplift, g.Low, g.High = minus(g.Uplift), minus(g.High), minus(g.Low)
	g.ValueUplift, g.ValueLow, g.ValueHigh = minus(g.ValueUplift), minus(g.ValueHigh), minus(g.ValueLow)
	switch g.Verdict {
	case Persuadable:
		g.Verdict, g.Why = LeaveAlone, strings.Replace(g.Why, "more", "less", 1)
	case LeaveAlone:
		g.Verdict, g.Why = Persuadable, strings.Replace(g.Why, "less", "more", 1)
	}
	return g
}
