package lifetime

import (
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"
)

// The search for the parameters under which what happened is likeliest. It goes
// over the logarithms of the parameters, in units in which those are not far from
// 1, and minimises the negative log-likelihood.
const (
	edge      = 9.5  // a parameter beyond e^9.5 or e^-9.5 has no maximum
	vague     = 10   // nor has one whose logarithm has a standard error beyond this
	enough    = 1e-9 // the search ends when a step would gain less log-likelihood,
	remainder = 1e-6 // and has arrived where no more is left to gain
	nudge     = 1e-4 // for slopes
	wideNudge = 1e-3 // for curvatures
)

type objective func(at []float64) float64

// wander looks for the valley from a start, roughly, and returns where it ended.
func wander(f objective, start []float64) ([]float64, float64) {
	fenced := func(at []float64) float64 {
		inside := make([]float64, len(at))
		var over float64
		for i, v := range at {
			inside[i] = min(max(v, -edge), edge)
			over += (v - inside[i]) * (v - inside[i])
		}
		value := f(inside)
		return value + over*(1+math.Abs(value))
	}
	settings := &optimize.Settings{
		MajorIterations: 400,
		Converger:       &optimize.FunctionConverge{Relative: 1e-7, Iterations: 20},
	}
	result, err := optimize.Minimize(optimize.Problem{Func: fenced}, start, settings, &optimize.NelderMead{})
	if result == nil || (err != nil && len(result.X) != len(start)) {
		return start, f(start)
	}
	at := make([]float64, len(start))
	for i, v := range result.X {
		at[i] = min(max(v, -edge), edge)
	}
	return at, f(at)
}

// descend goes to the bottom of the valley by quasi-Newton steps: curvature is
// that of a function which is like f and cheaper. It reports whether it arrived:
// whether the slope is so small that nothing is left to gain, the valley rises to
// every side, and its bottom is within bounds.
func descend(f, like objective, at []float64) ([]float64, bool) {
	n := len(at)
	at = append([]float64(nil), at...)
	curve := curvature(like, at)
	value := f(at)
	step, next, slope := make([]float64, n), make([]float64, n), gradient(f, at)
	for range 60 {
		gain := newton(curve, slope, step)
		if !(gain > -1) || math.IsNaN(gain) {
			return at, false
		}
		if gain < enough {
			return at, bottom(f, at, slope)
		}
		length := 1.0
		for _, s := range step {
			length = min(length, 2/math.Abs(s)) // a parameter changes at most by a factor of 7 at once
		}
		lower := math.NaN()
		for ; length > 1e-6; length /= 3 {
			for i := range next {
				next[i] = at[i] + length*step[i]
			}
			if lower = f(next); lower < value {
				break
			}
		}
		if !(lower < value) {
			return at, bottom(f, at, slope)
		}
		for _, v := range next {
			if math.Abs(v) > edge {
				return at, false
			}
		}
		after := gradient(f, next)
		learn(curve, at, next, slope, after)
		copy(at, next)
		slope, value = after, lower
	}
	return at, false
}

// bottom looks at the valley itself.
func bottom(f objective, at, slope []float64) bool {
	n := len(at)
	for _, v := range at {
		if math.Abs(v) > edge {
			return false
		}
	}
	var factor mat.Cholesky
	if !factor.Factorize(curvature(f, at)) {
		return false
	}
	var step mat.VecDense
	g := mat.NewVecDense(n, slope)
	if err := factor.SolveVecTo(&step, g); err != nil {
		return false
	}
	var spread mat.SymDense
	if err := factor.InverseTo(&spread); err != nil {
		return false
	}
	for i := range n {
		if !(spread.At(i, i) < vague*vague) {
			return false
		}
	}
	return mat.Dot(g, &step)/2 < remainder
}

// newton puts the step to the bottom of the parabola into step, and returns what
// would be gained by it. Where the curve does not rise to every side, it is made
// steeper until it does.
func newton(curve *mat.SymDense, slope, step []float64) float64 {
	n := len(slope)
	var factor mat.Cholesky
	var steepest float64
	for i := range n {
		steepest = max(steepest, math.Abs(curve.At(i, i)))
	}
	for ridge := steepest * 1e-6; !factor.Factorize(curve); ridge *= 10 {
		if !(ridge < math.MaxFloat64/1e9) || ridge == 0 {
			return math.NaN()
		}
		for i := range n {
			curve.SetSym(i, i, curve.At(i, i)+ridge)
		}
	}
	solved := mat.NewVecDense(n, step)
	g := mat.NewVecDense(n, slope)
	_ = factor.SolveVecTo(solved, g) // its error is about precision, which the search looks after itself
	gain := mat.Dot(g, solved) / 2
	for i := range step {
		step[i] = -step[i]
	}
	return gain
}

// learn corrects the curve by what a step has shown (Broyden, Fletcher, Goldfarb, Shanno).
func learn(curve *mat.SymDense, from, to, before, after []float64) {
	n := len(from)
	s, y := mat.NewVecDense(n, nil), mat.NewVecDense(n, nil)
	for i := range n {
		s.SetVec(i, to[i]-from[i])
		y.SetVec(i, after[i]-before[i])
	}
	var cs mat.VecDense
	cs.MulVec(curve, s)
	risen, bent := mat.Dot(y, s), mat.Dot(s, &cs)
	if !(risen > 1e-12*bent) || !(bent > 0) {
		return
	}
	curve.SymRankOne(curve, 1/risen, y)
	curve.SymRankOne(curve, -1/bent, &cs)
}

func gradient(f objective, at []float64) []float64 {
	x := append([]float64(nil), at...)
	slope := make([]float64, len(at))
	for i := range at {
		x[i] = at[i] + nudge
		up := f(x)
		x[i] = at[i] - nudge
		slope[i] = (up - f(x)) / (2 * nudge)
		x[i] = at[i]
	}
	return slope
}

// curvature is the matrix of second derivatives.
func curvature(f objective, at []float64) *mat.SymDense {
	n := len(at)
	x := append([]float64(nil), at...)
	moved := func(i int, di float64, j int, dj float64) float64 {
		copy(x, at)
		x[i] += di
		x[j] += dj
		return f(x)
	}
	const h = wideNudge
	curve := mat.NewSymDense(n, nil)
	here := f(at)
	for i := range n {
		curve.SetSym(i, i, (moved(i, h, i, 0)-2*here+moved(i, -h, i, 0))/(h*h))
		for j := range i {
			curve.SetSym(i, j, (moved(i, h, j, h)-moved(i, h, j, -h)-moved(i, -h, j, h)+moved(i, -h, j, -h))/(4*h*h))
		}
	}
	return curve
}
