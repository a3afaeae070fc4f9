package lifetime

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/stat/distuv"
)

func near(t *testing.T, got, want, relative float64, what string, of ...any) {
	t.Helper()
	if !(math.Abs(got-want) <= relative*max(math.Abs(want), 1e-300)) {
		t.Errorf("%s of %v is %v, want %v", what, of, got, want)
	}
}

// euler is ln 2F1 by Euler's integral, which exists for c > b > 0. It integrates
// over the logit of the variable, where the integrand falls off to both sides.
func euler(a, b, c, z float64) float64 {
	f := func(y float64) float64 {
		p, q := 1/(1+math.Exp(-y)), 1/(1+math.Exp(y))
		return b*math.Log(p) + (c-b)*math.Log(q) - a*math.Log1p(-z*p)
	}
	low, high := -45/min(b, 1), 45/min(c-b, 1)
	return logIntegral(f, low, high) - lbeta(b, c-b)
}

// logIntegral is the logarithm of the integral of e^f, by a rule that is exact to
// rounding for what falls off at both ends.
func logIntegral(f func(float64) float64, low, high float64) float64 {
	const n = 8_000
	h := (high - low) / n
	top := math.Inf(-1)
	for i := range n + 1 {
		top = max(top, f(low+float64(i)*h))
	}
	var s sum
	for i := range n + 1 {
		s.add(math.Exp(f(low+float64(i)*h) - top))
	}
	return top + math.Log(s.value()*h)
}

func TestHypergeometricIdentities(t *testing.T) {
	for _, z := range []float64{1e-9, 0.1, 0.5, 0.9, 0.99, 0.9999, 0.99999} {
		near(t, 1+hypergeometric(1, 1, 2, z), 1+math.Log(-math.Log1p(-z)/z), 1e-10, "ln 2F1(1,1;2)", z)
		near(t, unitHypergeometric(1, 2, z), -math.Log1p(-z)/z, 1e-10, "2F1(1,1;2) by fraction", z)
		near(t, 1+hypergeometric(0.5, 1, 1.5, z), 1+math.Log(math.Atanh(math.Sqrt(z))/math.Sqrt(z)), 1e-10, "ln 2F1(1/2,1;3/2)", z)
		near(t, unitHypergeometric(0.5, 1.5, z), math.Atanh(math.Sqrt(z))/math.Sqrt(z), 1e-10, "2F1(1/2,1;3/2) by fraction", z)
		for _, a := range []float64{0.3, 7, 1000} {
			if a*z/(1-z) > 1e7 {
				continue // so many terms
			}
			near(t, 1+hypergeometric(a, 2.5, 2.5, z), 1-a*math.Log1p(-z), 1e-10, "ln 2F1(a,b;b)", a, z)
		}
		// Neighbours: F(b+1) - F = a z/c F(a+1, b+1; c+1).
		a, b, c := 3.7, 12.5, 18.25
		left := math.Exp(hypergeometric(a, b+1, c, z)-hypergeometric(a, b, c, z)) - 1
		right := a * z / c * math.Exp(hypergeometric(a+1, b+1, c+1, z)-hypergeometric(a, b, c, z))
		near(t, left, right, 1e-6, "the relation of neighbours", z)
	}
	near(t, hypergeometric(2, 3, 4, 0), 0, 0, "ln 2F1 at 0")
}

func TestHypergeometricIntegral(t *testing.T) {
	for _, c := range [][3]float64{{0.24, 2.4, 2.5}, {2.2, 4.4, 5.2}, {26.2, 28.4, 28.9}, {0.5, 0.7, 3.1}, {50, 3, 120}, {1000.2, 1002.4, 1003.1}, {300, 200, 900}} {
		for _, z := range []float64{0.01, 0.3, 0.8, 0.99, 0.9999} {
			want := euler(c[0], c[1], c[2], z)
			near(t, hypergeometric(c[0], c[1], c[2], z)+1, want+1, 1e-9, "ln 2F1", c, z)
			if c[2] > c[1] {
				near(t, 1+math.Log(unitHypergeometric(c[1], c[2], z)), 1+euler(1, c[1], c[2], z), 1e-9, "2F1(1,b;c)", c, z)
			}
		}
	}
}

// oracle is the likelihood of BG/NBD word by word.
func (m bgnbd) oracle(x, tx, t float64) float64 {
	a1 := lgamma(m.r+x) + m.r*math.Log(m.alpha) - lgamma(m.r)
	a2 := lbeta(m.a, m.b+x) - lbeta(m.a, m.b)
	a3 := math.Pow(m.alpha+t, -(m.r + x))
	a4 := 0.0
	if x > 0 {
		a4 = m.a / (m.b + x - 1) * math.Pow(m.alpha+tx, -(m.r+x))
	}
	return a1 + a2 + math.Log(a3+a4)
}

// oracle is the likelihood of Pareto/NBD as an integral over the moment of death.
func (m paretonbd) oracle(x, tx, t float64) float64 {
	alive := math.Exp(m.logDensity(x, t))
	died := m.s * quad.Fixed(func(u float64) float64 { return math.Exp(m.logDensity(x, u)) / (m.beta + u) }, tx, t, 400, quad.Legendre{}, 0)
	return m.r*math.Log(m.alpha) + m.s*math.Log(m.beta) + lgamma(m.r+x) - lgamma(m.r) + math.Log(alive+died)
}

func TestLikelihood(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		p := [4]float64{math.Exp(random.NormFloat64()), math.Exp(2 + random.NormFloat64()), math.Exp(random.NormFloat64()), math.Exp(1 + 2*random.NormFloat64())}
		bg, pareto := bgnbd{p[0], p[1], p[2], p[3]}, paretonbd{p[0], p[1], p[2], p[3]}
		tally := &Purchases{}
		var wantBG, wantPareto float64
		for range 20 {
			r := record{age: int32(random.IntN(300)), count: 1 + int64(random.IntN(3))}
			if r.age > 0 && random.IntN(2) == 0 {
				r.last = 1 + int32(random.IntN(int(r.age)))
				r.repeats = 1 + int32(random.IntN(min(int(r.last), 20)))
			}
			for range 1 + random.IntN(2) {
				tally.take(r)
				s := r.summary()
				wantBG += float64(r.count) * bg.oracle(float64(s.Frequency), s.Recency, s.Age)
				wantPareto += float64(r.count) * pareto.oracle(float64(s.Frequency), s.Recency, s.Age)
			}
			s := r.summary()
			stays := pareto.oracle(float64(s.Frequency), s.Recency, s.Age)
			near(t, pareto.alive(s), math.Exp(pareto.r*math.Log(pareto.alpha)+pareto.s*math.Log(pareto.beta)+lgamma(pareto.r+float64(s.Frequency))-lgamma(pareto.r)+pareto.logDensity(float64(s.Frequency), s.Age)-stays), 1e-9, "P(alive)", pareto, s)
		}
		tally.settle()
		g := newGrid(tally.records, tally.weight, 1.0/7)
		near(t, bg.logLikelihood(g), wantBG, 1e-10, "ln L", bg)
		near(t, pareto.logLikelihood(g), wantPareto, 1e-9, "ln L", pareto)
	}
}

// expectedIntegral is E[Y | alive] of BG/NBD as an integral over the chance p of
// ceasing: the mean of (1 - (1 + p t/(alpha+T))^-(r+x)) / p.
func (m bgnbd) expectedIntegral(s Summary, t float64) float64 {
	x := float64(s.Frequency)
	f := func(y float64) float64 {
		p, q := 1/(1+math.Exp(-y)), 1/(1+math.Exp(y))
		mean := -math.Expm1(-(m.r+x)*math.Log1p(p*t/(m.alpha+s.Age))) / p
		return m.a*math.Log(p) + (m.b+x)*math.Log(q) + math.Log(mean)
	}
	return math.Exp(logIntegral(f, -45/min(m.a, 1), 45/min(m.b+x, 1)) - lbeta(m.a, m.b+x))
}

func TestExpectedOfBGNBD(t *testing.T) {
	summaries := []Summary{{}, {Age: 39}, {1, 3, 39, 0, 0}, {26, 30.86, 31, 0, 0}, {1000, 90, 100, 0, 0}}
	for _, m := range []bgnbd{
		{0.2426, 4.4136, 0.7929, 2.4259},
		{0.2426, 4.4136, 1, 2.4259},      // a = 1
		{0.2426, 4.4136, 1.0000001, 2.4}, // nearly
		{0.5, 10, 0.3, 0.7},              // a + b = 1
		{0.5, 10, 0.3, 0.2},              // less
		{2, 3, 5, 40}, {0.3, 1, 60, 200}, // all cease alike
		{3, 0.05, 0.08, 0.3}, {0.1, 20, 2.5, 0.4},
	} {
		for _, s := range summaries {
			for _, weeks := range []float64{1.0 / 7, 4, 52, 5214} {
				near(t, m.expected(s, weeks), m.expectedIntegral(s, weeks), 1e-8, "E[Y]", m, s, weeks)
			}
		}
	}
}

// The published form, where it has a value.
func TestExpectedIsPublished(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		m := bgnbd{math.Exp(random.NormFloat64()), math.Exp(1 + random.NormFloat64()), math.Exp(random.NormFloat64()), 1 + math.Exp(random.NormFloat64())}
		s := Summary{Frequency: random.IntN(10), Age: 40 * random.Float64()}
		s.Recency = s.Age * random.Float64()
		x, weeks := float64(s.Frequency), 60*random.Float64()
		z := weeks / (m.alpha + s.Age + weeks)
		f := euler(m.b+x, m.r+x, m.a+m.b+x-1, z)
		if m.r+x >= m.a+m.b+x-1 || math.Abs(m.a-1) < 0.01 {
			continue
		}
		want := (m.a + m.b + x - 1) / (m.a - 1) * (1 - math.Exp((m.r+x)*math.Log1p(-z)+f))
		near(t, m.expected(s, weeks), want, 1e-6, "E[Y]", m, s, weeks)
	}
}

func TestExpectedOfParetoNBD(t *testing.T) {
	for _, m := range []paretonbd{{0.553, 10.58, 0.606, 11.67}, {0.5, 3, 1, 8}, {2, 8, 1.0000001, 3}, {1, 5, 4, 2}} {
		for _, s := range []Summary{{}, {3, 20, 39, 0, 0}} {
			for _, weeks := range []float64{1.0 / 7, 52, 500} {
				lasts := quad.Fixed(func(u float64) float64 { return math.Pow((m.beta+s.Age)/(m.beta+s.Age+u), m.s) }, 0, weeks, 400, quad.Legendre{}, 0)
				near(t, m.expected(s, weeks), (m.r+float64(s.Frequency))/(m.alpha+s.Age)*lasts, 1e-9, "E[Y]", m, s, weeks)
			}
		}
	}
}

// A gamma distributed rate makes the mean of n gamma distributed spends what the
// likelihood of spend says.
func TestLikelihoodOfSpend(t *testing.T) {
	m := gammagamma{6.25, 3.74, 15.44}
	tally := &Purchases{}
	var want float64
	for i, z := range []float64{3, 12.5, 40, 170, 12.5} {
		r := record{repeats: 9, last: 60, age: 90, spends: int32(1 + i%3), mean: z, count: 2}
		tally.take(r)
		n := float64(r.spends)
		density := quad.Fixed(func(u float64) float64 {
			rate := math.Exp(u)
			return distuv.Gamma{Alpha: m.q, Beta: m.v}.Prob(rate) * distuv.Gamma{Alpha: m.p * n, Beta: n * rate}.Prob(z) * rate
		}, -12, 8, 2000, quad.Legendre{}, 0)
		want += 2 * math.Log(density)
	}
	tally.settle()
	near(t, m.logLikelihood(newSpending(tally.records, tally.weight, 1)), want, 1e-10, "ln L", m)
}
