package uplift

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// Tables of Student's t have these, and the two ways of calculating meet.
func TestQuantile(t *testing.T) {
	for freedom, want := range map[float64]float64{
		1: 12.706204736, 2: 4.302652730, 3: 3.182446305, 10: 2.228138852, 30: 2.042272456, 120: 1.979930405, 1e9: 1.959963987, 1e15: normal,
	} {
		if got := quantile(freedom); math.Abs(got-want) > 1e-9 {
			t.Errorf("%v degrees: %v, want %v", freedom, got, want)
		}
	}
	if below, above := quantile(100_000), quantile(math.Nextafter(100_000, 1e6)); math.Abs(below-above) > 1e-9 {
		t.Errorf("%v, and a little above %v", below, above)
	}
}

func arms(values ...float64) *arm {
	a := &arm{}
	for _, v := range values {
		a.add(v, v != 0)
	}
	return a
}

// By hand: 2 4 6 have a mean of 4 and a variance of 4, so against four times 1 se² is
// 4/3, with 2 degrees. 1 2 3 4 5 and 2 4 6 8 10 have variances of 2.5 and 10, so se²
// is 0.5 + 2 and there are 2.5²/(0.5²/4 + 2²/4) = 100/17 degrees.
func TestByHand(t *testing.T) {
	t100over17 := distuv.StudentsT{Sigma: 1, Nu: 100.0 / 17}.Quantile(.975)
	for _, c := range []struct {
		treated, holdout  *arm
		difference, reach float64
	}{
		{arms(2, 4, 6), arms(1, 1, 1, 1), 3, 4.302652729911275 * math.Sqrt(4.0/3)},
		{arms(1, 2, 3, 4, 5), arms(2, 4, 6, 8, 10), -3, t100over17 * math.Sqrt(2.5)},
		// The same beside a mean that squares to 10^18 times as much.
		{arms(1e9+2, 1e9+4, 1e9+6), arms(1e9+1, 1e9+1, 1e9+1, 1e9+1), 3, 4.302652729911275 * math.Sqrt(4.0/3)},
		{arms(1e15+1, 1e15+2, 1e15+3, 1e15+4, 1e15+5), arms(1e15+2, 1e15+4, 1e15+6, 1e15+8, 1e15+10), -3, t100over17 * math.Sqrt(2.5)},
	} {
		got := compare(c.treated.value(), c.holdout.value())
		if *got.difference != c.difference || math.Abs(*got.low-c.difference+c.reach) > 1e-8 || math.Abs(*got.high-c.difference-c.reach) > 1e-8 {
			t.Errorf("%v, from %v to %v; want %v and %v around it", *got.difference, *got.low, *got.high, c.difference, c.reach)
		}
	}
	// Not even a sum that is rounded makes spread of what has none.
	if got := compare(arms(.1, .1, .1).value(), arms(.7, .7, .7, .7, .7, .7, .7).value()); got.low != nil {
		t.Errorf("all alike, yet from %v to %v", *got.low, *got.high)
	}
}

func TestRatio(t *testing.T) {
	for _, c := range []struct {
		treated, holdout int
		share            float64
	}{{900, 100, .1}, {880, 120, .1}, {45, 5, .1}, {10, 30, .5}, {21307, 21306, .5}, {5000, 5200, .5}} {
		n := float64(c.treated + c.holdout)
		h, r := float64(c.holdout)-n*c.share, float64(c.treated)-n*(1-c.share)
		want := distuv.ChiSquared{K: 1}.Survival(h*h/(n*c.share) + r*r/(n*(1-c.share)))
		if got := ratio(c.treated, c.holdout, c.share); got == nil || math.Abs(*got-want) > 1e-12 {
			t.Errorf("%+v: %v, want %v", c, got, want)
		}
	}
	for _, n := range []int{0, 1, 49} {
		if ratio(n, 0, .1) != nil || ratio(0, n, .9) != nil {
			t.Errorf("of %d a test is made that expects fewer than %d", n, Expected)
		}
	}
}
