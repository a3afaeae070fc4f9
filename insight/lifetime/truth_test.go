package lifetime

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/acquaint/acquaint/insight"
)

// gamma draws from a gamma distribution.
func gamma(random *rand.Rand, shape, rate float64) float64 {
	return distuv.Gamma{Alpha: shape, Beta: rate, Src: random}.Rand()
}

// simulate draws one individual of a known truth: how they buy during so many days,
// by the story that the model tells and not by its likelihood. A spend of 0 draws
// none.
func simulate(random *rand.Rand, model Model, p [4]float64, spend *gammagamma, days int32) record {
	rate := gamma(random, p[0], p[1])
	leaves, end := 0.0, float64(days)
	if model == BGNBD {
		leaves = distuv.Beta{Alpha: p[2], Beta: p[3], Src: random}.Rand()
	} else if death := random.ExpFloat64() / gamma(random, p[2], p[3]); death < end {
		end = death
	}
	r := record{age: days, count: 1}
	for at, stays := 0.0, true; stays; stays = random.Float64() >= leaves {
		if at += random.ExpFloat64() / rate; !(at < end) {
			break
		}
		r.repeats++
		r.last = max(int32(at), r.repeats)
	}
	r.last = min(r.last, r.age)
	if spend != nil && r.repeats > 0 {
		worth := gamma(random, spend.q, spend.v)
		r.spends = r.repeats
		r.mean = gamma(random, spend.p*float64(r.spends), worth) / float64(r.spends)
	}
	return r
}

// Truth is found again. Time is so fine that rounding it to days says nothing.
func TestTruth(t *testing.T) {
	cases := []struct {
		model Model
		truth [4]float64
	}{
		{BGNBD, [4]float64{0.25, 4.5, 0.8, 2.5}},
		{BGNBD, [4]float64{1.5, 8, 2, 6}},
		{ParetoNBD, [4]float64{0.55, 10, 0.6, 12}},
		{ParetoNBD, [4]float64{1.2, 5, 0.8, 20}},
	}
	spend := gammagamma{6, 4, 16}
	const fine = 1000 // a week has 7,000 days here
	for i, c := range cases {
		random := rand.New(rand.NewPCG(uint64(i), 7))
		p := &Purchases{options: Options{Model: c.model}}
		scaled := c.truth
		scaled[1] *= 7 * fine
		if c.model == ParetoNBD {
			scaled[3] *= 7 * fine
		}
		for range 8_000 {
			p.take(simulate(random, c.model, scaled, &spend, int32(7*fine*(20+60*random.Float64()))))
		}
		f, err := p.Fit()
		if err != nil {
			t.Fatal(err)
		}
		found := make([]float64, 4)
		for j := range found {
			found[j] = f.Parameters[j].Value
		}
		found[1] /= fine
		if c.model == ParetoNBD {
			found[3] /= fine
		}
		g := newGrid(p.records, p.weight, 1.0/7/fine)
		agree(t, c.model, found, c.truth[:], func(at []float64) float64 {
			return -newLaw(c.model, [4]float64(exponents(at))).logLikelihood(g)
		})
		money := newSpending(p.records, p.weight, 1)
		spent := []float64{f.Spend[0].Value, f.Spend[1].Value, f.Spend[2].Value}
		agree(t, "spend", spent, []float64{spend.p, spend.q, spend.v}, func(at []float64) float64 {
			m := exponents(at)
			return -gammagamma{m[0], m[1], m[2]}.logLikelihood(money)
		})
	}
}

// agree asks that the truth lies within what chance allows: each parameter within
// 3.5 standard errors, and all of them together within the 99.9 % of a chi-square.
func agree(t *testing.T, what Model, found, truth []float64, f objective) {
	t.Helper()
	at, known := logarithms(found), logarithms(truth)
	curve := curvature(f, at)
	var factor mat.Cholesky
	if !factor.Factorize(curve) {
		t.Fatalf("%s: %v is no summit", what, found)
	}
	var spread mat.SymDense
	if err := factor.InverseTo(&spread); err != nil {
		t.Fatal(err)
	}
	off := mat.NewVecDense(len(at), nil)
	for i := range at {
		off.SetVec(i, at[i]-known[i])
		se := math.Sqrt(spread.At(i, i))
		if se > 0.3 || math.Abs(off.AtVec(i)) > 3.5*se {
			t.Errorf("%s: parameter %d is %v, in truth %v: off by %.2f of %.4f", what, i, found[i], truth[i], off.AtVec(i)/se, se)
		}
	}
	distance := mat.Inner(off, curve, off)
	if limit := (distuv.ChiSquared{K: float64(len(at))}).Quantile(0.999); distance > limit {
		t.Errorf("%s: %v lies %v from the truth %v; chance allows %v", what, found, distance, truth, limit)
	}
	t.Logf("%s: %.4f, in truth %v, distance %.2f", what, found, truth, distance)
}

// What was expected is what comes: of many, as many are still customers, and they
// buy as often, as was said.
func TestExpectationsComeTrue(t *testing.T) {
	const days, ahead, n = 200, 150, 40_000
	for _, c := range []struct {
		model Model
		truth [4]float64
	}{{BGNBD, [4]float64{0.5, 30, 0.8, 2.5}}, {ParetoNBD, [4]float64{0.8, 60, 0.6, 90}}} {
		random := rand.New(rand.NewPCG(11, 12))
		m := newLaw(c.model, c.truth)
		var came, foreseen, squares, atFirst float64
		for range n {
			rate := gamma(random, c.truth[0], c.truth[1])
			leaves, death := 0.0, math.Inf(1)
			if c.model == BGNBD {
				leaves = distuv.Beta{Alpha: c.truth[2], Beta: c.truth[3], Src: random}.Rand()
			} else {
				death = random.ExpFloat64() / gamma(random, c.truth[2], c.truth[3])
			}
			var s Summary
			var later float64
			s.Age = days
			for at, stays := 0.0, true; stays; stays = random.Float64() >= leaves {
				if at += random.ExpFloat64() / rate; at >= min(death, days+ahead) {
					break
				}
				if at < days {
					s.Frequency, s.Recency = s.Frequency+1, at
				} else {
					later++
				}
			}
			expected := m.alive(s) * m.expected(s, ahead)
			came += later
			foreseen += expected
			squares += (later - expected) * (later - expected)
			atFirst += float64(s.Frequency)
		}
		if z := (came - foreseen) / math.Sqrt(squares); math.Abs(z) > 3.5 {
			t.Errorf("%s: %v came and %v were foreseen, off by %.2f", c.model, came, foreseen, z)
		}
		if want := m.expectedNew(days) * n; math.Abs(atFirst/want-1) > 0.04 {
			t.Errorf("%s: %v at first, %v were foreseen", c.model, atFirst, want)
		}
	}
}

// A unit of time ten times as long divides alpha and beta by ten, and nothing else.
func TestScale(t *testing.T) {
	for _, model := range []Model{BGNBD, ParetoNBD} {
		random := rand.New(rand.NewPCG(5, 6))
		one, ten := &Purchases{options: Options{Model: model}}, &Purchases{options: Options{Model: model}}
		var repeats float64
		for range 3_000 {
			r := simulate(random, model, [4]float64{0.5, 30, 0.8, 25}, nil, 100+random.Int32N(400))
			repeats += float64(r.repeats)
			one.take(r)
			r.last, r.age = 10*r.last, 10*r.age
			ten.take(r)
		}
		f, err := one.Fit()
		if err != nil {
			t.Fatal(err)
		}
		g, err := ten.Fit()
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range f.Parameters {
			want := p.Value
			if p.Name == "alpha" || p.Name == "beta" {
				want *= 10
			}
			near(t, g.Parameters[i].Value, want, 1e-6, "ten times "+p.Name)
		}
		near(t, g.LogLikelihood, f.LogLikelihood-repeats*math.Log(10), 1e-12, "ln L")
	}
}

// What cannot be fitted is refused, with the reason.
func TestNoFit(t *testing.T) {
	alike := func(n int, r record) *Purchases {
		p := &Purchases{}
		for i := range n {
			r.count = 1
			r.age += int32(i % 3)
			p.take(r)
		}
		return p
	}
	for what, c := range map[string]struct {
		p   *Purchases
		why string
	}{
		"nobody":              {alike(0, record{}), "fewer than 10"},
		"few":                 {alike(9, record{repeats: 2, last: 20, age: 50}), "fewer than 10"},
		"nobody again":        {alike(5_000, record{age: 50}), "nobody has purchased on a second day"},
		"all today":           {alike(50, record{}), "nobody has purchased on a second day"},
		"all the same":        {alike(500, record{repeats: 3, last: 40, age: 50}), "are likeliest"},
		"like clockwork":      {alike(500, record{repeats: 1000, last: 2999, age: 3000}), "are likeliest"},
		"once and never more": {alike(20, record{repeats: 1, last: 1, age: 50}), "are likeliest"},
	} {
		for _, model := range []Model{BGNBD, ParetoNBD} {
			c.p.options.Model = model
			f, err := c.p.Fit()
			if f != nil || insight.KindOf(err) != insight.Conflict || !strings.Contains(err.Error(), c.why) {
				t.Errorf("%s: %s: %+v, %v", what, model, f, err)
			}
			var e *insight.Error
			if !errors.As(err, &e) {
				t.Errorf("%s: %v has no type", what, err)
			}
		}
	}
}

// The search finds the bottom of a valley that it is told nothing of, and knows
// one that has none.
func TestSummit(t *testing.T) {
	valley := func(at []float64) float64 {
		x, y := at[0]-1, at[1]+2
		return 1e5 * (x*x + 0.9*x*y + y*y + x*x*x*x)
	}
	at, ok := climb(valley, valley, [][]float64{{3, 3}, {-4, 0}})
	if !ok || math.Abs(at[0]-1) > 1e-6 || math.Abs(at[1]+2) > 1e-6 {
		t.Errorf("%v, %v", at, ok)
	}
	for what, f := range map[string]objective{
		"a slope":  func(at []float64) float64 { return at[0] + at[1]*at[1] },
		"a gutter": func(at []float64) float64 { return at[1] * at[1] },
		"a tail":   func(at []float64) float64 { return math.Exp(-at[0]) + at[1]*at[1] },
	} {
		if at, ok := climb(f, f, [][]float64{{1, 1}}); ok {
			t.Errorf("%s has its bottom at %v", what, at)
		}
	}
}

func many(b *testing.B, model Model) *Purchases {
	random := rand.New(rand.NewPCG(1, 1))
	p := &Purchases{options: Options{Model: model, Horizon: insight.Year}}
	truth := [4]float64{0.5, 40, 0.8, 4}
	if model == ParetoNBD {
		truth = [4]float64{0.5, 40, 0.6, 90}
	}
	for range 500_000 {
		p.take(simulate(random, model, truth, &gammagamma{6, 4, 16}, random.Int32N(3*365)))
		p.population++
	}
	p.settle()
	b.Logf("%d records", len(p.records))
	return p
}

func BenchmarkFit500k(b *testing.B) {
	for _, model := range []Model{BGNBD, ParetoNBD} {
		b.Run(string(model), func(b *testing.B) {
			p := many(b, model)
			for b.Loop() {
				f, err := p.Fit()
				if err != nil {
					b.Fatal(err)
				}
				if f.Spend == nil {
					b.Fatal(f.SpendUnknown)
				}
			}
		})
	}
}

func BenchmarkReport500k(b *testing.B) {
	for _, model := range []Model{BGNBD, ParetoNBD} {
		b.Run(string(model), func(b *testing.B) {
			p := many(b, model)
			f, err := p.Fit()
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				f.Report(p)
			}
		})
	}
}

// A large population that no parameters describe is refused in good time too: all
// of these cease with the same chance, so that a and b run away.
func BenchmarkRefuse500k(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 1))
	p := &Purchases{options: Options{Model: BGNBD}}
	for range 500_000 {
		p.take(simulate(random, BGNBD, [4]float64{0.5, 40, 2e6, 8e6}, nil, random.Int32N(3*365)))
	}
	for b.Loop() {
		if f, err := p.Fit(); err == nil {
			b.Fatalf("%+v", f)
		}
	}
}
