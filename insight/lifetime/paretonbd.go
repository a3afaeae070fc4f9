package lifetime

import "math"

// paretonbd is the model of Schmittlein, Morrison and Colombo (1987), as Fader and
// Hardie, "A Note on Deriving the Pareto/NBD Model and Related Expressions" (2005),
// write it. Rates of buying are gamma distributed with shape r and rate alpha,
// rates of ceasing to be a customer with shape s and rate beta.
type paretonbd struct{ r, alpha, s, beta float64 }

// The likelihood of one individual is G(r+x) alpha^r beta^s / G(r) times
//
//	f(T) + s [I(t_x) - I(T)],   f(t) = (alpha+t)^-(r+x) (beta+t)^-s
//
// where I(t) is the integral of (alpha+u)^-(r+x) (beta+u)^-(s+1) over u from t to
// infinity. Published as 2F1(r+s+x, s+1; r+s+x+1; (alpha-beta)/(alpha+t)) where
// alpha >= beta, and with the two exchanged where not, it is by Euler's
// transformation s I(t) = f(t) k(t), with k between 0 and 1:
//
//	s/(r+s+x) 2F1(1, r+x; r+s+x+1; (alpha-beta)/(alpha+t))                    alpha >= beta
//	s/(r+s+x) 2F1(1, s+1; r+s+x+1; (beta-alpha)/(beta+t)) (alpha+t)/(beta+t)  alpha < beta
//
// As f(T) (1 - k(T)) is what is alive less what dies later, nothing cancels.

// tail is k(t).
func (m paretonbd) tail(x, t float64) float64 {
	all := m.r + m.s + x
	if m.alpha >= m.beta {
		return m.s / all * unitHypergeometric(m.r+x, all+1, (m.alpha-m.beta)/(m.alpha+t))
	}
	return m.s / all * (m.alpha + t) / (m.beta + t) * unitHypergeometric(m.s+1, all+1, (m.beta-m.alpha)/(m.beta+t))
}

// logDensity is ln f(t).
func (m paretonbd) logDensity(x, t float64) float64 {
	return -(m.r+x)*math.Log(m.alpha+t) - m.s*math.Log(m.beta+t)
}

func (m paretonbd) logLikelihood(g *grid) float64 {
	rates, deaths := make([]float64, len(g.times)), make([]float64, len(g.times))
	for i, t := range g.times {
		rates[i], deaths[i] = math.Log(m.alpha+t), m.s*math.Log(m.beta+t)
	}
	type point struct{ density, tail float64 }
	points := make([]point, len(g.pairs))
	for i, p := range g.pairs {
		x := g.repeats[p.repeats]
		points[i] = point{-(m.r+x)*rates[p.time] - deaths[p.time], m.tail(x, g.times[p.time])}
	}
	var total sum
	base := m.r*math.Log(m.alpha) + m.s*math.Log(m.beta) - lgamma(m.r)
	for i, x := range g.repeats {
		total.add(g.weights[i] * (base + lgamma(m.r+x)))
	}
	for i := range g.cases {
		c := &g.cases[i]
		last, age := points[c.last], points[c.age]
		total.add(c.weight * (last.density + math.Log(last.tail+(1-age.tail)*math.Exp(age.density-last.density))))
	}
	return total.value()
}

// alive is f(T) over the likelihood's second factor.
func (m paretonbd) alive(s Summary) float64 {
	x := float64(s.Frequency)
	left := m.tail(x, s.Recency)*math.Exp(m.logDensity(x, s.Recency)-m.logDensity(x, s.Age)) - m.tail(x, s.Age)
	return 1 / (1 + max(0, left))
}

// expected is (r+x)(beta+T)/((alpha+T)(s-1)) [1 - ((beta+T)/(beta+T+t))^(s-1)].
func (m paretonbd) expected(s Summary, t float64) float64 {
	return (m.r + float64(s.Frequency)) * (m.beta + s.Age) / (m.alpha + s.Age) * powerSpan(m.s-1, math.Log1p(t/(m.beta+s.Age)))
}

func (m paretonbd) expectedNew(t float64) float64 { return m.expected(Summary{}, t) }
