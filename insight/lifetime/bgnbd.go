package lifetime

import "math"

// bgnbd is the model of Fader, Hardie and Lee, "Counting Your Customers" the Easy
// Way, Marketing Science 24 (2005). Rates are gamma distributed with shape r and
// rate alpha, chances of ceasing after a purchase beta distributed with a and b.
type bgnbd struct{ r, alpha, a, b float64 }

// logLikelihood is the sum of ln[A1 A2 (A3 + 1{x>0} A4)] over the individuals.
func (m bgnbd) logLikelihood(g *grid) float64 {
	logs := make([]float64, len(g.times))
	for i, t := range g.times {
		logs[i] = math.Log(m.alpha + t)
	}
	var total sum
	drop := make([]float64, len(g.repeats)) // ln a/(b+x-1)
	base := lgamma(m.r) - m.r*math.Log(m.alpha)
	beta := lbeta(m.a, m.b)
	for i, x := range g.repeats {
		total.add(g.weights[i] * (lgamma(m.r+x) - base + lbeta(m.a, m.b+x) - beta))
		if x > 0 {
			drop[i] = math.Log(m.a / (m.b + x - 1))
		}
	}
	for i := range g.cases {
		c := &g.cases[i]
		x := g.repeats[c.repeats]
		stayed := -(m.r + x) * logs[g.pairs[c.age].time]
		if x > 0 {
			left := drop[c.repeats] - (m.r+x)*logs[g.pairs[c.last].time]
			stayed = addLogs(stayed, left)
		}
		total.add(c.weight * stayed)
	}
	return total.value()
}

// alive is 1 / (1 + 1{x>0} a/(b+x-1) ((alpha+T)/(alpha+t_x))^(r+x)).
func (m bgnbd) alive(s Summary) float64 {
	if s.Frequency == 0 {
		return 1
	}
	x := float64(s.Frequency)
	odds := math.Log(m.a/(m.b+x-1)) + (m.r+x)*(math.Log(m.alpha+s.Age)-math.Log(m.alpha+s.Recency))
	return 1 / (1 + math.Exp(odds))
}

// expected is the purchases to come in t weeks of one who is still a customer.
//
// The published formula is (a+b+x-1)/(a-1) [1 - (1-z)^(r+x) 2F1(r+x, b+x; a+b+x-1; z)]
// with z = t/(alpha+T+t), whose parts have no value at a = 1 or a+b+x = 1, where
// the whole has one. By Euler's transformation, and with c = a+b+x-1, it is
//
//	c (1 - (1-z)^(a-1))/(a-1) - (1-z)^(a-1) u z S,   u = a+b-1-r,
//	S = sum over n from 0 of (u+1)_n (a)_n / ((c+1)_n (2)_n) z^n,
//
// which has them all. Where a is large its terms are too, and the published form
// is the better one.
func (m bgnbd) expected(s Summary, t float64) float64 {
	x := float64(s.Frequency)
	shape, rate := m.r+x, m.alpha+s.Age
	z := t / (rate + t)
	stay := -math.Log1p(t / rate) // ln(1-z)
	c := m.a + m.b + x - 1
	if m.a-1 > shape && m.a > 1.5 && z > 0.1 {
		return c / (m.a - 1) * -math.Expm1(shape*stay+hypergeometric(shape, m.b+x, c, z))
	}
	rest, scale := series(m.a+m.b-m.r, m.a, c+1, 2, z)
	u := m.a + m.b - 1 - m.r
	return max(0, c*powerSpan(m.a-1, -stay)-u*z*rest*math.Exp((m.a-1)*stay+scale))
}

func (m bgnbd) expectedNew(t float64) float64 { return m.expected(Summary{}, t) }

// addLogs is ln(e^p + e^q).
func addLogs(p, q float64) float64 {
	if p < q {
		p, q = q, p
	}
	return p + math.Log(1+math.Exp(q-p))
}

func lgamma(x float64) float64 {
	l, _ := math.Lgamma(x)
	return l
}

func lbeta(a, b float64) float64 { return lgamma(a) + lgamma(b) - lgamma(a+b) }
