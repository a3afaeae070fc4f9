package smallgroup_test

import (
	"fmt"
	"testing"

	"github.com/acquaint/acquaint/insight/smallgroup"
)

// rule is what decides over cells that add up; the attacker knows it.
type rule func(floor smallgroup.Floor, cells []int) (smallgroup.Number, []smallgroup.Number)

func asBuilt(floor smallgroup.Floor, cells []int) (smallgroup.Number, []smallgroup.Number) {
	return floor.Partition(cells)
}

// roundedAlone is the rule without a second cell.
func roundedAlone(floor smallgroup.Floor, cells []int) (smallgroup.Number, []smallgroup.Number) {
	return floor.Number(sum(cells)), floor.Numbers(cells)
}

// untilTheFloor is the usual rule: a further cell only where one alone is
// suppressed, or where those that are suppressed do not hold the floor together.
func untilTheFloor(floor smallgroup.Floor, cells []int) (smallgroup.Number, []smallgroup.Number) {
	alone := floor.Numbers(cells)
	suppressed, held := 0, 0
	for i, n := range alone {
		if n.Suppressed() {
			suppressed++
			held += cells[i]
		}
	}
	if suppressed > 1 && held >= int(floor) {
		return floor.Number(sum(cells)), alone
	}
	return floor.Partition(cells)
}

func sum(cells []int) int {
	n := 0
	for _, c := range cells {
		n += c
	}
	return n
}

const most = 4 // cells in an attack

// answer is all that a viewer sees: the total, then the cells.
type answer [1 + most]smallgroup.Number

func ask(decide rule, floor smallgroup.Floor, cells []int) (a answer) {
	total, shown := decide(floor, cells)
	a[0] = total
	copy(a[1:], shown)
	return a
}

// each visits every list of so many cells below a bound. The list is reused.
func each(cells, below int, visit func([]int)) {
	list := make([]int, cells)
	for {
		visit(list)
		i := 0
		for ; i < cells; i++ {
			if list[i]++; list[i] < below {
				break
			}
			list[i] = 0
		}
		if i == cells {
			return
		}
	}
}

// values is a set of numbers below 64.
type values uint64

func (v values) count() (n int) {
	for ; v > 0; v &= v - 1 {
		n++
	}
	return n
}

// report is what an attack found: of all answers that suppress a cell, how many
// leave some suppressed cell fewer possible values than the floor, and the fewest
// that any leaves, with the cells that it is about.
type report struct {
	answers, few, fewest int
	at                   []int
}

func (r report) share() float64 { return float64(r.few) / float64(r.answers) }

// attack answers everything that can be asked, and then holds each answer against
// all lists of cells that give the same one. That is everything that anybody can
// know who knows the rule and one answer. Lists reach two floors further than what
// is judged, so that the bound of the search is not taken for knowledge.
func attack(decide rule, floor smallgroup.Floor, cells, below int) report {
	possible := map[answer]*[most]values{}
	each(cells, below, func(list []int) {
		a := ask(decide, floor, list)
		v := possible[a]
		if v == nil {
			v = &[most]values{}
			possible[a] = v
		}
		for i, n := range list {
			v[i] |= 1 << n
		}
	})
	r := report{fewest: below}
	each(cells, below-2*int(floor), func(list []int) {
		a := ask(decide, floor, list)
		left, suppressed := below, false
		for i := range list {
			if a[1+i].Suppressed() {
				left, suppressed = min(left, possible[a][i].count()), true
			}
		}
		if !suppressed {
			return
		}
		r.answers++
		if left < int(floor) {
			r.few++
		}
		if left < r.fewest {
			r.fewest, r.at = left, append([]int(nil), list...)
		}
	})
	return r
}

// TestAttackOnTotal finds what can also be proved, for m cells, m at most the floor
// k. The rule sees cells rounded, so what was cut off them, m numbers of 0 to k-1,
// may be anything that leaves the total in its multiple: their sum is kD to kD+k-1,
// and as it is m(k-1) at most, D is m-1 at most. What was cut off one cell is then
// anything from kD-(m-1)(k-1), which is m-1 at most, to k-1: k-m+1 values or more.
func TestAttackOnTotal(t *testing.T) {
	for _, c := range []struct {
		floor        smallgroup.Floor
		cells, below int
		fewest       int
	}{
		// Two cells are both suppressed as soon as one is: the total tells nothing of either.
		{2, 2, 16, 2}, {3, 2, 24, 3}, {4, 2, 32, 4}, {5, 2, 40, 5}, {10, 2, 60, 10},
		// With more of them it is floor - cells + 1, and that is reached: the text is not too modest.
		{3, 3, 18, 1}, {4, 3, 24, 2}, {5, 3, 25, 3}, {10, 3, 50, 8},
		{4, 4, 20, 1}, {5, 4, 20, 2},
	} {
		r := attack(asBuilt, c.floor, c.cells, c.below)
		if r.fewest != c.fewest {
			t.Errorf("floor %d, %d cells: %v leaves %d possible values, not %d", c.floor, c.cells, r.at, r.fewest, c.fewest)
		}
	}
}

// The second cell is needed although totals are rounded, and the usual rule for
// when to stop is worse than it looks.
func TestAttackOnOtherRules(t *testing.T) {
	built, alone := attack(asBuilt, 10, 3, 50), attack(roundedAlone, 10, 3, 50)
	if got := fmt.Sprintf("%.3f %.3f", built.share(), alone.share()); got != "0.013 0.120" {
		t.Errorf("three cells at floor 10: answers that leave fewer than ten values are %s, as built and rounded alone", got)
	}
	built, alone, usual := attack(asBuilt, 5, 4, 20), attack(roundedAlone, 5, 4, 20), attack(untilTheFloor, 5, 4, 20)
	if got := fmt.Sprintf("%.4f %.4f %.4f", built.share(), alone.share(), usual.share()); got != "0.0053 0.0080 0.0827" {
		t.Errorf("four cells at floor 5: answers that leave fewer than five values are %s, as built, rounded alone, and until the floor", got)
	}
}

// What the text admits: as many cells as the floor can be told, each exactly.
func TestAttackAtTheEdge(t *testing.T) {
	cells := []int{19, 19, 19, 19, 19, 19, 19, 19, 19, 9}
	total, shown := smallgroup.Floor(10).Partition(cells)
	// The attacker's sum: at most 19 for the eight that are shown as 10, and for the
	// first, which is suppressed either as the smallest of the others or as small.
	atMost := 0
	for _, n := range shown[1:9] {
		atMost += *n.Individuals() + 9
	}
	if last := *total.Individuals() - atMost - 19; last != 9 {
		t.Errorf("the last cell is %d or more", last)
	}
}

// Between neighbours of a funnel lies a group that nobody can tell more closely
// than by a floor; nor can a step that is suppressed be told.
func TestAttackOnNested(t *testing.T) {
	for _, floor := range []smallgroup.Floor{2, 3, 4, 5} {
		const steps = 3
		below := 5 * int(floor)
		type seen [steps]smallgroup.Number
		type known struct{ steps, left [steps]values }
		possible := map[seen]*known{}
		nested := func(below int, visit func([]int, seen)) {
			each(steps, below, func(list []int) {
				if list[0] >= list[1] && list[1] >= list[2] {
					visit(list, seen(floor.Nested(list)))
				}
			})
		}
		nested(below, func(list []int, s seen) {
			if possible[s] == nil {
				possible[s] = &known{}
			}
			for i, n := range list {
				possible[s].steps[i] |= 1 << n
				if i > 0 {
					possible[s].left[i] |= 1 << (list[i-1] - n)
				}
			}
		})
		nested(below-2*int(floor), func(list []int, s seen) {
			for i := range list {
				if n := possible[s].steps[i].count(); n < int(floor) {
					t.Fatalf("floor %d: step %d of %v has %d possible values", floor, i, list, n)
				}
				if i == 0 {
					continue
				}
				if n := possible[s].left[i].count(); n < int(floor) {
					t.Fatalf("floor %d: who left before step %d of %v has %d possible values", floor, i, list, n)
				}
			}
		})
	}
}
