package smallgroup_test

import (
	"cmp"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/smallgroup"
)

func floors(t *rapid.T) smallgroup.Floor {
	return smallgroup.Floor(rapid.SampledFrom([]int{2, 3, 5, 10, 50}).Draw(t, "floor"))
}

// counts draws numbers of individuals around the multiples of the floor, where
// something happens, and elsewhere.
func counts(t *rapid.T, floor smallgroup.Floor, least int) []int {
	one := rapid.OneOf(
		rapid.IntRange(0, 3*int(floor)),
		rapid.IntRange(0, 100_000),
		rapid.Map(rapid.IntRange(1, 20), func(n int) int { return n * int(floor) }),
		rapid.Map(rapid.IntRange(1, 20), func(n int) int { return n*int(floor) - 1 }),
	)
	return rapid.SliceOfN(one, least, 12).Draw(t, "individuals")
}

func TestShownNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		floor := floors(t)
		list := counts(t, floor, 0)
		total, cells := floor.Partition(list)
		nested := slices.Clone(list)
		slices.SortFunc(nested, func(a, b int) int { return cmp.Compare(b, a) })

		truth := slices.Concat(list, []int{sum(list)}, list, nested)
		all := slices.Concat(cells, []smallgroup.Number{total}, floor.Numbers(list), floor.Nested(nested))
		var shown []int
		for i, n := range all {
			if n.Suppressed() {
				continue
			}
			got := *n.Individuals()
			if got < int(floor) || got > truth[i] || got <= truth[i]-int(floor) {
				t.Fatalf("%d individuals are shown as %d", truth[i], got)
			}
			shown = append(shown, got)
		}
		for _, a := range shown {
			for _, b := range shown {
				if a != b && max(a, b)-min(a, b) < int(floor) {
					t.Fatalf("%d and %d differ by less than the floor of %d", a, b, floor)
				}
			}
		}
	})
}

func TestSuppressedNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		floor := floors(t)
		list := counts(t, floor, 0)
		for i, n := range floor.Numbers(list) {
			if n.Suppressed() != (list[i] < int(floor)) {
				t.Fatalf("%d individuals are %v", list[i], n)
			}
		}
		total, cells := floor.Partition(list)
		if total != floor.Number(sum(list)) {
			t.Fatalf("a total of %d is %v", sum(list), total)
		}
		suppressed, held, smallest, second := 0, 0, math.MaxInt, -1
		for i, n := range cells {
			alone := floor.Number(list[i])
			switch {
			case !n.Suppressed() && n != alone:
				t.Fatalf("%d individuals are %v with a total and %v without", list[i], n, alone)
			case !n.Suppressed():
				smallest = min(smallest, *n.Individuals())
				continue
			case !alone.Suppressed() && second >= 0:
				t.Fatalf("both %d and %d are suppressed, and neither had to be", list[second], list[i])
			case !alone.Suppressed():
				second = i
			}
			suppressed++
			held += list[i]
		}
		if suppressed > 0 && !total.Suppressed() && (suppressed < 2 || held < int(floor)) {
			t.Fatalf("of %v, %d are suppressed, and hold %d", list, suppressed, held)
		}
		if second >= 0 && (suppressed < 2 || *floor.Number(list[second]).Individuals() > smallest) {
			t.Fatalf("of %v, %d is suppressed as well", list, list[second])
		}
	})
}

// TestOnePerson: one more or fewer changes an answer only when the number of a
// cell or the total passes a multiple of the floor, and then by exactly the floor.
func TestOnePerson(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		floor := floors(t)
		before := counts(t, floor, 1)
		who := rapid.IntRange(0, len(before)-1).Draw(t, "cell")
		after := slices.Clone(before)
		after[who]++
		passes := func(n int) bool { return (n+1)%int(floor) == 0 }

		total0, cells0 := floor.Partition(before)
		total1, cells1 := floor.Partition(after)
		if !passes(before[who]) && !slices.Equal(cells0, cells1) {
			t.Fatalf("%v are %v, and with one more in cell %d %v", before, cells0, who, cells1)
		}
		if !passes(sum(before)) && total0 != total1 {
			t.Fatalf("a total of %d is %v, and of one more %v", sum(before), total0, total1)
		}
		if change := smallgroup.Change(total1, total0); change != nil && *change != 0 && *change != int(floor) {
			t.Fatalf("one person changes the total by %d", *change)
		}
		flipped := 0
		for i := range before {
			change := smallgroup.Change(cells1[i], cells0[i])
			switch {
			case change != nil && *change != 0 && (*change != int(floor) || i != who):
				t.Fatalf("one person in cell %d changes cell %d by %d", who, i, *change)
			case cells0[i].Suppressed() != cells1[i].Suppressed():
				flipped++
			}
		}
		// The cell itself and one second cell, or one second cell for another.
		if flipped > 2 {
			t.Fatalf("one person in cell %d of %v flips %d cells: %v, %v", who, before, flipped, cells0, cells1)
		}
	})
}

// TestOverlap: two questions about groups that are the same but for less than a
// floor give the same number, or two that are a floor apart.
func TestOverlap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		floor := floors(t)
		n := rapid.IntRange(0, 1000).Draw(t, "individuals")
		others := rapid.IntRange(0, int(floor)-1).Draw(t, "others")
		change := smallgroup.Change(floor.Number(n+others), floor.Number(n))
		if change != nil && *change != 0 && *change != int(floor) {
			t.Fatalf("%d others change %d individuals by %d", others, n, *change)
		}
	})
}

func TestOrderOfCells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		floor := floors(t)
		list := counts(t, floor, 0)
		order := rapid.Permutation(indexes(len(list))).Draw(t, "order")
		turned := make([]int, len(list))
		for i, from := range order {
			turned[i] = list[from]
		}
		total, cells := floor.Partition(list)
		total1, cells1 := floor.Partition(turned)
		if total != total1 {
			t.Fatalf("the total is %v and %v", total, total1)
		}
		tied := false
		for i, from := range order {
			if cells1[i] == cells[from] {
				continue
			}
			// The second cell is another one: it looks the same as the first one would.
			tied = true
			if floor.Number(list[from]).Suppressed() {
				t.Fatalf("cell %d of %v depends on the order", from, list)
			}
		}
		if tied {
			slices.SortFunc(cells, compare)
			slices.SortFunc(cells1, compare)
			if !slices.Equal(cells, cells1) {
				t.Fatalf("in another order %v is not another choice among equals: %v, %v", list, cells, cells1)
			}
		}
	})
}

func indexes(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func compare(a, b smallgroup.Number) int { return cmp.Compare(a.String(), b.String()) }

func TestExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		floor := smallgroup.Floor(rapid.IntRange(-3, 1).Draw(t, "floor"))
		list := counts(t, 10, 0)
		slices.SortFunc(list, func(a, b int) int { return cmp.Compare(b, a) })
		total, cells := floor.Partition(list)
		if got := total.Individuals(); got == nil || *got != sum(list) {
			t.Fatalf("a total of %d is %v", sum(list), total)
		}
		for _, all := range [][]smallgroup.Number{cells, floor.Numbers(list), floor.Nested(list)} {
			for i, n := range all {
				if got := n.Individuals(); got == nil || *got != list[i] {
					t.Fatalf("%d is %v", list[i], n)
				}
			}
		}
		worth := smallgroup.Worth{Individuals: 1, Sum: rapid.Float64Range(-1e9, 1e9).Draw(t, "sum"), Largest: 1e9}
		if got := floor.Value(floor.Number(1), worth); got == nil || *got != worth.Sum {
			t.Fatalf("%v is %v", worth.Sum, got)
		}
		if got := floor.Figure(floor.Number(0), worth.Sum); got == nil || *got != worth.Sum {
			t.Fatalf("%v is %v", worth.Sum, got)
		}
	})
}

func TestRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		floor := smallgroup.Floor(rapid.SampledFrom([]int{0, 2, 10}).Draw(t, "floor"))
		whole := rapid.IntRange(0, 200).Draw(t, "whole")
		part := rapid.IntRange(0, whole).Draw(t, "part")
		got := smallgroup.Rate(floor.Number(part), floor.Number(whole))
		if told := part >= int(floor) && whole >= max(1, int(floor)); told != (got != nil) {
			t.Fatalf("%d of %d is %v", part, whole, got)
		}
		if got != nil && (*got < 0 || *got > 1) {
			t.Fatalf("%d of %d is %v", part, whole, *got)
		}
	})
}

// TestWhoMayRead: the scope decides, and nothing else of the viewer.
func TestWhoMayRead(t *testing.T) {
	purpose := &insight.Purpose{Floor: 10}
	for scope, want := range map[insight.Scope]smallgroup.Floor{
		insight.ScopeInsightsRead: 10, insight.ScopeSegmentsWrite: 10, insight.ScopeSelf: 10,
		insight.ScopeIndividualsRead: smallgroup.Exact, insight.ScopeAdmin: smallgroup.Exact,
	} {
		viewer := &insight.Viewer{Scopes: []insight.Scope{insight.ScopeInsightsRead, scope}}
		if got := smallgroup.For(viewer, purpose); got != want {
			t.Errorf("with %s the floor is %d", scope, got)
		}
	}
}

func TestRefuses(t *testing.T) {
	for _, floor := range []smallgroup.Floor{smallgroup.Exact, 1, 10} {
		if n := floor.Number(-1); !n.Suppressed() || n != (smallgroup.Number{}) {
			t.Errorf("floor %d: -1 is %v", floor, n)
		}
		for _, cells := range [][]int{{100, -1, 200}, {math.MaxInt, 100}} {
			total, shown := floor.Partition(cells)
			if !total.Suppressed() || slices.ContainsFunc(shown, func(n smallgroup.Number) bool { return !n.Suppressed() }) {
				t.Errorf("floor %d: %v are %v of %v", floor, cells, shown, total)
			}
		}
		if got := floor.Nested([]int{100, 50, 60, 40}); got[1].Suppressed() || !got[2].Suppressed() || !got[3].Suppressed() {
			t.Errorf("floor %d: steps that grow are %v", floor, got)
		}
		for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			group := floor.Number(100)
			if floor.Figure(group, x) != nil || floor.Value(group, smallgroup.Worth{Individuals: 100, Sum: x}) != nil ||
				floor.Value(group, smallgroup.Worth{Individuals: 100, Sum: 1, Largest: x}) != nil {
				t.Errorf("floor %d: %v is shown", floor, x)
			}
		}
	}
}

func BenchmarkPartition(b *testing.B) {
	cells := make([]int, 36)
	for i := range cells {
		cells[i] = i * i
	}
	b.ReportAllocs()
	for b.Loop() {
		smallgroup.Floor(10).Partition(cells)
	}
}
