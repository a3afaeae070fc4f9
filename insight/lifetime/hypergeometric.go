package lifetime

import "math"

// hypergeometric returns the logarithm of Gauss' function 2F1(a, b; c; z) for
// positive a, b, c and z from 0 to below 1, where it is at least 1. It sums the
// series, of the function itself or of Euler's transformation
//
//	2F1(a, b; c; z) = (1-z)^(c-a-b) 2F1(c-a, c-b; c; z)
//
// whichever grows less towards z = 1.
func hypergeometric(a, b, c, z float64) float64 {
	if a+b > c && c > a && c > b {
		sum, scale := series(c-a, c-b, c, 1, z)
		return (c-a-b)*math.Log1p(-z) + math.Log(sum) + scale
	}
	sum, scale := series(a, b, c, 1, z)
	return math.Log(sum) + scale
}

// series sums (a)_n (b)_n / ((c)_n (d)_n) z^n over n from 0: with d = 1 Gauss'
// series. The sum is that number times e^scale. Negative a or b change the terms'
// sign at their beginning only.
func series(a, b, c, d, z float64) (sum, scale float64) {
	const (
		rounding = 0x1p-54
		large    = 0x1p900
	)
	term := 1.0
	sum = 1
	settled := max(-a, -b, 0) // from here on every term has the same sign
	for n := 0.0; ; n++ {
		term *= (a + n) * (b + n) / ((c + n) * (d + n)) * z
		sum += term
		if term == 0 {
			return sum, scale
		}
		if math.Abs(sum) > large {
			sum, term, scale = sum/large, term/large, scale+math.Log(large)
		}
		if n < settled {
			continue
		}
		// Each of these quotients tends to 1 from one side as n grows, so that no
		// later term is more than q times the one before it.
		q := z * min(
			max(1, (a+n)/(c+n))*max(1, (b+n)/(d+n)),
			max(1, (b+n)/(c+n))*max(1, (a+n)/(d+n)),
		)
		if q < 1 && math.Abs(term)*q <= rounding*(1-q)*math.Abs(sum) {
			return sum, scale
		}
	}
}

// unitHypergeometric returns 2F1(1, b; c; z) for c > b > 0 and z from 0 to below 1,
// by Gauss' continued fraction, which needs a few dozen steps where the series
// needs thousands (DLMF 15.7.5). It is evaluated from its tail, which is taken to
// be what it tends to.
func unitHypergeometric(b, c, z float64) float64 {
	if z == 0 {
		return 1
	}
	root := math.Sqrt(1 - z)
	// Each step multiplies the error by this or less.
	shrink := (1 - root) / (1 + root)
	steps := 3 + int(-38/(2*math.Log(shrink)))
	c--
	t := (1 + root) / 2
	for k := steps; k >= 0; k-- {
		n := float64(k)
		m := c + 2*n
		t = 1 - (c-b+n+1)*(n+1)*z/((m+1)*(m+2)*t)
		t = 1 - (c+n)*(b+n)*z/(m*(m+1)*t)
	}
	return 1 / t
}

// powerSpan returns (1 - e^(-k l)) / k, the integral of e^(-k u) over u from 0 to
// l, which has no gap at k = 0.
func powerSpan(k, l float64) float64 {
	if k == 0 {
		return l
	}
	return -math.Expm1(-k*l) / k
}
