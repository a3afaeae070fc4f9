package journey_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/journey"
)

// table is how often each of some channels is followed by each other, without a
// diagonal.
type table [][]float64

func square(n int) table {
	all := make(table, n)
	for i := range all {
		all[i] = make([]float64, n)
	}
	return all
}

func name(channel int) string { return "channel " + strconv.Itoa(channel) }

// report is what is said of journeys of two touchpoints each that make up a table of
// whole numbers.
func (n table) report() journey.TransitionReport {
	channels := make([]*insight.Channel, len(n))
	for i := range channels {
		channels[i] = &insight.Channel{Key: name(i)}
	}
	tally := journey.NewTransitions(journey.TransitionOptions{Lookback: journey.DefaultLookback, AsOf: start.Add(insight.Year)})
	for a := range n {
		for b := range n {
			h := insight.History{Timeline: insight.Timeline{{Channel: channels[a], OccurredAt: start}, {Channel: channels[b], OccurredAt: start.Add(insight.Day)}}}
			for range int(n[a][b]) {
				tally.Add(&h)
			}
		}
	}
	return tally.Report()
}

func (n table) margins() (out, in []float64) {
	out, in = make([]float64, len(n)), make([]float64, len(n))
	for a := range n {
		for b := range n {
			out[a] += n[a][b]
			in[b] += n[a][b]
		}
	}
	return out, in
}

// lifts are the table over its fit by quasi-independence, by iterative proportional
// fitting (Deming and Stephan 1940), which is slow and knows nothing of repeats.
func (n table) lifts(rounds int) table {
	out, in := n.margins()
	fit := square(len(n))
	for a := range n {
		for b := range n {
			if a != b {
				fit[a][b] = 1
			}
		}
	}
	for range rounds {
		fitted, arrived := fit.margins()
		if far(fitted, out)+far(arrived, in) < 1e-11 {
			break
		}
		for a := range fit {
			for b := range fit {
				if fitted[a] > 0 {
					fit[a][b] *= out[a] / fitted[a]
				}
			}
		}
		_, reached := fit.margins()
		for a := range fit {
			for b := range fit {
				if reached[b] > 0 {
					fit[a][b] *= in[b] / reached[b]
				}
			}
		}
	}
	lift := square(len(n))
	for a := range n {
		for b := range n {
			if n[a][b] > 0 {
				lift[a][b] = n[a][b] / fit[a][b]
			}
		}
	}
	return lift
}

// far is how far sums are from what they are to be, at most, as a share.
func far(got, want []float64) float64 {
	most := 0.0
	for i := range got {
		if want[i] > 0 {
			most = max(most, math.Abs(got[i]/want[i]-1))
		}
	}
	return most
}

// The lift is the table over its maximum likelihood fit, and its interval what the
// delta method makes of derivatives that are found by trying.
func TestLiftIsOverQuasiIndependence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := square(rapid.IntRange(3, 5).Draw(t, "channels"))
		favourite := rapid.IntRange(1, 30).Draw(t, "favourite")
		for a := range n {
			for b := range n {
				if a != b {
					n[a][b] = float64(rapid.IntRange(1, 40).Draw(t, "count"))
					if a == 0 || b == 0 {
						n[a][b] *= float64(favourite)
					}
				}
			}
		}
		const rounds = 3000
		want := n.lifts(rounds)
		checked := 0
		for _, p := range n.report().Transitions {
			a, b := number(p.From), number(p.To)
			if math.Abs(p.Lift-want[a][b]) > 1e-6*want[a][b] {
				t.Fatalf("%v: from %d to %d the lift is %v; want %v", n, a, b, p.Lift, want[a][b])
			}
			if checked++; checked > 3 {
				continue // trying takes its time
			}
			variance := 0.0
			for c := range n {
				for d := range n {
					if c == d {
						continue
					}
					count := n[c][d]
					h := count * 1e-4
					n[c][d] = count + h
					up := n.lifts(rounds)[a][b]
					n[c][d] = count - h
					down := n.lifts(rounds)[a][b]
					n[c][d] = count
					slope := math.Log(up/down) / (2 * h)
					variance += count * slope * slope
				}
			}
			if p.LiftLow == nil {
				t.Fatalf("%v: from %d to %d there is no interval", n, a, b)
			}
			se := math.Log(*p.LiftHigh / *p.LiftLow) / 2 / 1.959963984540054
			if math.Abs(se-math.Sqrt(variance)) > 1e-4*se {
				t.Fatalf("%v: from %d to %d the standard error is %v; want %v", n, a, b, se, math.Sqrt(variance))
			}
			if middle := math.Sqrt(*p.LiftHigh * *p.LiftLow); math.Abs(middle-p.Lift) > 1e-12*middle {
				t.Fatalf("the interval's middle is %v and the lift %v", middle, p.Lift)
			}
		}
	})
}

func number(name string) int {
	n, err := strconv.Atoi(name[len("channel "):])
	if err != nil {
		panic(err)
	}
	return n
}

// Where all transitions touch one channel nothing else could have happened: the lift
// is 1 and has no interval. Two channels are such a case.
func TestLiftByNecessity(t *testing.T) {
	for title, n := range map[string]table{
		"two channels": {{0, 7}, {3, 0}},
		"one way":      {{0, 7}, {0, 0}},
		"a hub":        {{0, 7, 1}, {3, 0, 0}, {2, 0, 0}},
		"a source":     {{0, 7, 1, 5}, {0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}},
		"a sink":       {{0, 7, 0}, {0, 0, 0}, {0, 4, 0}},
	} {
		for _, p := range n.report().Transitions {
			if math.Abs(p.Lift-1) > 1e-15 || p.LiftLow != nil || p.LiftHigh != nil {
				t.Errorf("%s: %+v", title, p)
			}
		}
	}
}

// One transition in a million that passes the hub by, and channels that are only
// ever left or reached, have numbers too.
func TestLiftAtTheEdge(t *testing.T) {
	for title, n := range map[string]table{
		"nearly a hub":        {{0, 50000, 10000}, {50000, 0, 1}, {10000, 0, 0}},
		"exactly a half":      {{0, 50, 50}, {50, 0, 25}, {50, 25, 0}},
		"two halves":          {{0, 10000, 1}, {10000, 0, 1}, {1, 1, 0}},
		"a circle":            {{0, 9, 0}, {0, 0, 9}, {9, 0, 0}},
		"apart":               {{0, 9, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 9}, {0, 0, 0, 0}},
		"a source and a sink": {{0, 5, 6, 3}, {0, 0, 4, 2}, {0, 3, 0, 7}, {0, 0, 0, 0}},
	} {
		r := n.report()
		want := n.lifts(200_000)
		for _, p := range r.Transitions {
			if w := want[number(p.From)][number(p.To)]; title != "nearly a hub" && math.Abs(p.Lift-w) > 1e-4*w {
				t.Errorf("%s: %+v; want %v", title, p, w)
			}
			if !(p.Lift > 0) || math.IsInf(p.Lift, 0) || p.LiftLow != nil && (!(*p.LiftLow > 0) || *p.LiftLow > p.Lift || math.IsInf(*p.LiftHigh, 0)) {
				t.Errorf("%s: %+v", title, p)
			}
		}
	}
}

// chain is a planted truth: where individuals begin, and what follows what.
type chain struct {
	first []float64
	next  table // rows add up to 1
	steps int   // touchpoints of each individual
}

// expected is the table that the chain makes of one individual on average.
func (c chain) expected() table {
	n := square(len(c.first))
	at := slices.Clone(c.first)
	for range c.steps - 1 {
		then := make([]float64, len(at))
		for a := range at {
			for b := range at {
				n[a][b] += at[a] * c.next[a][b]
				then[b] += at[a] * c.next[a][b]
			}
		}
		at = then
	}
	return n
}

func draw(random *rand.Rand, weights []float64) int {
	u := random.Float64()
	for i, w := range weights {
		if u -= w; u < 0 {
			return i
		}
	}
	return len(weights) - 1
}

func (c chain) simulate(random *rand.Rand, individuals int) journey.TransitionReport {
	tally := journey.NewTransitions(journey.TransitionOptions{Lookback: journey.DefaultLookback, AsOf: start.Add(insight.Year)})
	channels := make([]*insight.Channel, len(c.first))
	for i := range channels {
		channels[i] = &insight.Channel{Key: name(i)}
	}
	for range individuals {
		var h insight.History
		on := draw(random, c.first)
		for k := range c.steps {
			if k > 0 {
				on = draw(random, c.next[on])
			}
			at := start.Add(time.Duration(2*k) * time.Hour)
			h.Timeline = append(h.Timeline, &insight.Interaction{Channel: channels[on], OccurredAt: at})
			if random.IntN(2) == 0 { // the touchpoint goes on
				h.Timeline = append(h.Timeline, &insight.Interaction{Channel: channels[on], OccurredAt: at.Add(time.Hour)})
			}
		}
		tally.Add(&h)
	}
	return tally.Report()
}

// coverage simulates a chain many times. It returns which share of the lifts'
// intervals holds the true lift, and the mean square of the probabilities' errors in
// standard errors, with the largest error.
func coverage(t *testing.T, c chain) (held, square, worst float64) {
	t.Helper()
	truth := c.expected().lifts(5000)
	n := 0.0
	for seed := range uint64(300) {
		r := c.simulate(rand.New(rand.NewPCG(seed, 1)), 200)
		left := make(map[string]int)
		for _, p := range r.Transitions {
			left[p.From] += p.Count
		}
		for _, p := range r.Transitions {
			a, b := number(p.From), number(p.To)
			if want := truth[a][b]; *p.LiftLow <= want && want <= *p.LiftHigh {
				held++
			}
			p0 := c.next[a][b]
			off := math.Abs(p.Probability-p0) / math.Sqrt(p0*(1-p0)/float64(left[p.From]))
			square += off * off
			worst = max(worst, off)
			n++
		}
	}
	return held / n, square / n, worst
}

// Channels that are drawn without regard to the one before, repeats folded away,
// have a true lift of 1, also where one of them is most of all.
func TestIndependenceHasNoLift(t *testing.T) {
	for _, shares := range [][]float64{{0.4, 0.3, 0.2, 0.1}, {0.7, 0.15, 0.1, 0.05}} {
		c := chain{first: shares, next: square(len(shares)), steps: 12}
		for a := range shares {
			for b := range shares {
				if a != b {
					c.next[a][b] = shares[b] / (1 - shares[a])
				}
			}
		}
		for a, row := range c.expected().lifts(5000) {
			for b, lift := range row {
				if a != b && math.Abs(lift-1) > 1e-6 {
					t.Errorf("by the oracle the true lift of %v is %v", shares, lift)
				}
			}
		}
		held, square, worst := coverage(t, c)
		t.Logf("%v: %.4f of the intervals hold 1; errors of probabilities: %.3f mean square, %.2f at most", shares, held, square, worst)
		if held < 0.93 || held > 0.97 || square < 0.9 || square > 1.1 || worst > 5 {
			t.Errorf("%v: held %v, mean square %v, worst %v", shares, held, square, worst)
		}
	}
}

func TestPlantedChain(t *testing.T) {
	c := chain{
		first: []float64{0.5, 0.3, 0.1, 0.1}, steps: 12,
		next: table{{0, 0.6, 0.3, 0.1}, {0.3, 0, 0.1, 0.6}, {0.5, 0.25, 0, 0.25}, {0.8, 0.1, 0.1, 0}},
	}
	held, square, worst := coverage(t, c)
	t.Logf("%.4f of the intervals hold the true lift; errors of probabilities: %.3f mean square, %.2f at most", held, square, worst)
	if held < 0.93 || held > 0.97 || square < 0.9 || square > 1.1 || worst > 5 {
		t.Errorf("held %v, mean square %v, worst %v", held, square, worst)
	}
}
