package simulate_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/simulate"
)

// Five journeys: g converts twice, m once, g then m once, and g once does not.
func smallChain() simulate.Chain {
	return simulate.Chain{
		Channels: []string{"g", "m"},
		Start:    []float64{.8, .2},
		Next:     [][]float64{{0, .25}, {0, 0}},
		Convert:  []float64{.5, 1},
		Quiet:    []float64{.25, 0},
	}
}

func TestChainConversion(t *testing.T) {
	c := smallChain()
	if got, err := c.Conversion(); err != nil || math.Abs(got-.8) > 1e-12 {
		t.Errorf("four of the five journeys convert: got %v, %v", got, err)
	}
	endless := simulate.Chain{
		Channels: []string{"g", "m"}, Start: []float64{1, 0}, Next: [][]float64{{0, 1}, {1, 0}},
		Convert: []float64{0, 0}, Quiet: []float64{0, 0},
	}
	if _, err := endless.Conversion(); insight.KindOf(err) != insight.Invalid || err == nil {
		t.Errorf("a journey without an end has the error %v", err)
	}
}

func TestChainVisits(t *testing.T) {
	c := smallChain()
	for key, want := range map[string]float64{"g": .8, "m": .2 + .8*.25, "x": 0} {
		if got, err := c.Visits(key); err != nil || math.Abs(got-want) > 1e-12 {
			t.Errorf("%s: %v, %v, want %v", key, got, err, want)
		}
	}
}

func TestChainWithout(t *testing.T) {
	c := smallChain()
	want := simulate.Chain{
		Channels: []string{"g", "m"},
		Start:    []float64{1, 0},
		Next:     [][]float64{{0, 0}, {0, 0}},
		Convert:  []float64{2. / 3, 1},
		Quiet:    []float64{1. / 3, 0},
	}
	if diff := cmp.Diff(want, c.Without("m")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(smallChain(), c); diff != "" {
		t.Errorf("the receiver changed:\n%s", diff)
	}
	if diff := cmp.Diff(smallChain(), c.Without("x")); diff != "" {
		t.Error(diff)
	}
}
