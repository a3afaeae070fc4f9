package uplift

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/acquaint/acquaint/insight/exact"
)

// sample is the mean of an arm, and the variance of that mean: s²/n, with an s² of n-1.
type sample struct {
	n              float64
	mean, variance float64 // not finite: not known
}

func (a *arm) rate() sample {
	n, k := float64(a.individuals), float64(a.responders)
	return sample{n, k / n, k * (n - k) / (n * n * (n - 1))}
}

func (a *arm) value() sample {
	n := float64(a.individuals)
	// n times the sum of squares, minus the square of the sum, without a rounding: a
	// large mean would leave nothing else of a small variance.
	var spread exact.Sum
	product := func(x, y float64) {
		high := x * y
		spread.Add(high)
		spread.Add(math.FMA(x, y, -high))
	}
	for _, square := range terms(&a.squares) {
		product(n, square)
	}
	sums := terms(&a.sum)
	for _, x := range sums {
		for _, y := range sums {
			product(-x, y)
		}
	}
	// Squares that are too small for a float64 may leave less than nothing.
	return sample{n, a.sum.Float64() / n, max(0, spread.Float64()) / n / n / (n - 1)}
}

// beyond reports whether numbers cannot hold what the sample is of.
func (s sample) beyond() bool {
	return s.n > 0 && !finite(s.mean) || s.n > 1 && !finite(s.variance)
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// terms are a few numbers that add up to a sum exactly, the largest first.
func terms(s *exact.Sum) []float64 {
	var all []float64
	var rest exact.Sum
	rest.Merge(s)
	for x := rest.Float64(); x != 0; x = rest.Float64() {
		all = append(all, x)
		if !finite(x) {
			break
		}
		rest.Add(-x)
	}
	return all
}

// comparison is the difference of two means, nil where it cannot be said.
type comparison struct{ treated, holdout, difference, low, high *float64 }

// compare is Welch's comparison of two samples.
func compare(treated, holdout sample) comparison {
	c := comparison{treated: known(treated.mean), holdout: known(holdout.mean), difference: known(treated.mean - holdout.mean)}
	variance := treated.variance + holdout.variance
	if c.difference == nil || treated.n < 2 || holdout.n < 2 || !finite(variance) || variance == 0 {
		return c
	}
	one, other := treated.variance/variance, holdout.variance/variance
	freedom := 1 / (one*one/(treated.n-1) + other*other/(holdout.n-1))
	reach := quantile(freedom) * math.Sqrt(variance)
	c.low, c.high = known(*c.difference-reach), known(*c.difference+reach)
	return c
}

func known(x float64) *float64 {
	if !finite(x) {
		return nil
	}
	return &x
}

// normal is the quantile .975 of the standard normal distribution.
const normal = 1.959963984540054

// quantile is the quantile .975 of Student's t. Beyond 100,000 degrees of freedom the
// library's answer loses digits, and two terms of its expansion are as exact
// (Abramowitz and Stegun, 26.7.5).
func quantile(freedom float64) float64 {
	if freedom > 100_000 {
		return normal + normal*(normal*normal+1)/(4*freedom)
	}
	return distuv.StudentsT{Sigma: 1, Nu: freedom}.Quantile(.975)
}
