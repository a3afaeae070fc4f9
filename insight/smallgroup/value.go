package smallgroup

import (
	"math"
	"strconv"
	"strings"
)

// Worth is what a group has of something that adds up: money, interactions,
// conversions.
type Worth struct {
	// Individuals who have any of it. Where only the group's size is known it stands
	// in for them, and what a few have among many who have nothing is shown.
	Individuals int
	Sum         float64
	// Largest is the most that one individual has, without its sign. Where that is
	// not known it is zero, and one person's part of the sum may be told.
	Largest float64
}

// Value is what a group has, nil where the group is suppressed, fewer individuals
// than the floor have any, or less than a step would be shown. Of a number of
// things, cut off what is behind the point.
//
// It is the mean of those who have any times their rounded number. The sum itself
// would be their exact number in other words, wherever everyone pays the same price.
//
// It is rounded toward zero to a multiple of the smallest of 1, 2 and 5 times a
// power of ten that is above Largest, so that one person more or less who does not
// change the rounded number moves it by a step at most, and what one person alone
// has is not shown; and in any case to two digits, since from a number to the cent
// the sum and the number of individuals could be worked out again. Noise in Ads Data
// Hub likewise begins with a bound on what one person adds.
func (f Floor) Value(group Number, of Worth) *float64 {
	holders := f.Number(of.Individuals)
	if group.Suppressed() || holders.Suppressed() || !finite(of.Sum) || !finite(of.Largest) {
		return nil
	}
	if f.exact() {
		return &of.Sum
	}
	scaled := of.Sum * (float64(holders.individuals) / float64(of.Individuals))
	coarsest := twoDigits(scaled)
	if above := stepAbove(of.Largest); above.size() > coarsest.size() {
		coarsest = above
	}
	value := coarsest.cut(scaled)
	if value == 0 {
		return nil // of little and of nothing the same is said
	}
	return &value
}

// Figure is a number that a report says about a group and that neither counts nor
// adds up: a mean, a median, a probability of a model. It is rounded toward zero to
// two digits, because of a few individuals a mean to the cent can be taken apart and
// a median is what one of them has. It is nil where the group is suppressed or the
// figure is not finite.
func (f Floor) Figure(group Number, figure float64) *float64 {
	if group.Suppressed() || !finite(figure) {
		return nil
	}
	if !f.exact() {
		figure = twoDigits(figure).cut(figure)
	}
	return &figure
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// step is units times ten to the power.
type step struct{ units, power int }

// size is the step as a number. One that is too small for a float64 is 0, one that
// is too large is infinite.
func (s step) size() float64 { return decimal(s.units, s.power) }

// decimal goes by way of text, because 3 * 0.1 is not 0.3.
func decimal(units, power int) float64 {
	x, _ := strconv.ParseFloat(strconv.Itoa(units)+"e"+strconv.Itoa(power), 64)
	return x
}

// powerOf is the power of ten of x's first digit: 2 of 150. Logarithms miss it at
// powers of ten.
func powerOf(x float64) int {
	_, power, _ := strings.Cut(strconv.FormatFloat(x, 'e', -1, 64), "e")
	n, _ := strconv.Atoi(power)
	return n
}

// twoDigits is the step that leaves two digits of x.
func twoDigits(x float64) step {
	if x == 0 {
		return step{}
	}
	return step{1, powerOf(x) - 1}
}

// stepAbove is the smallest of 1, 2 and 5 times a power of ten that is above x's
// distance from zero, and none when x is zero.
func stepAbove(x float64) step {
	if x = math.Abs(x); x == 0 {
		return step{}
	}
	power := powerOf(x)
	for _, units := range []int{2, 5} {
		if s := (step{units, power}); s.size() > x {
			return s
		}
	}
	return step{1, power + 1}
}

// cut rounds x toward zero to a multiple of the step, which is at least what leaves
// two digits. A multiple that is missed by what sums of float64 lose is reached.
func (s step) cut(x float64) float64 {
	size := s.size()
	if size == 0 {
		return 0
	}
	steps := int(math.Abs(x)/size + 1e-9)
	if x < 0 {
		steps = -steps
	}
	return decimal(steps*s.units, s.power)
}
