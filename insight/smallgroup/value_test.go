package smallgroup_test

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight/smallgroup"
)

// purchases draws what each of a group's individuals has spent, in cents.
func purchases(t *rapid.T, least int) []float64 {
	one := rapid.Map(rapid.OneOf(rapid.IntRange(1, 10_000), rapid.IntRange(1, 100), rapid.Just(999)), func(cents int) float64 { return float64(cents) / 100 })
	return rapid.SliceOfN(one, least, 60).Draw(t, "spent")
}

func worthOf(spent []float64) smallgroup.Worth {
	w := smallgroup.Worth{Individuals: len(spent)}
	for _, x := range spent {
		w.Sum += x
		w.Largest = max(w.Largest, x)
	}
	return w
}

func TestValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const floor = smallgroup.Floor(10)
		worth := worthOf(purchases(t, 0))
		group := floor.Number(worth.Individuals)
		got := floor.Value(group, worth)
		if group.Suppressed() && got != nil || floor.Value(smallgroup.Number{}, worth) != nil {
			t.Fatal("a suppressed group has a value")
		}
		if group.Suppressed() {
			return
		}
		if got == nil {
			got = new(float64)
		}
		scaled := worth.Sum * float64(*group.Individuals()) / float64(worth.Individuals)
		if *got > scaled*(1+1e-9) || *got < 0 {
			t.Fatalf("%v is shown as %v", scaled, *got)
		}
		if digits(*got) > 2 {
			t.Fatalf("%v has more than two digits", *got)
		}
		if *got > 0 && *got <= worth.Largest {
			t.Fatalf("%v is shown, and one person may have had it all: %v", *got, worth.Largest)
		}
		// A step is at most two and a half times the largest, or a tenth of the whole.
		if loss := scaled - *got; loss > max(2.5*worth.Largest, scaled/10)*(1+1e-9) {
			t.Fatalf("%v is shown as %v, and the largest is %v", scaled, *got, worth.Largest)
		}
		refunded := worth
		refunded.Sum = -worth.Sum
		if back := floor.Value(group, refunded); *got != 0 && (back == nil || *back != -*got) {
			t.Fatalf("%v is %v, and its contrary %v", worth.Sum, *got, back)
		}
		if again := floor.Figure(group, *got); *again != *got {
			t.Fatalf("%v becomes %v", *got, *again)
		}
	})
}

func digits(x float64) int {
	text := fmt.Sprintf("%.15e", x)
	n := 0
	for i, c := range text[:17] {
		if c >= '1' && c <= '9' {
			n = i + 1
			if i > 0 {
				n = i // without the point
			}
		}
	}
	return n
}

// TestOnePrice: where everyone pays the same, the value tells no more than the
// number that is shown.
func TestOnePrice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		floor := floors(t)
		price := float64(rapid.IntRange(1, 1_000_000).Draw(t, "cents")) / 100
		of := func(n int) float64 {
			return orZero(floor.Value(floor.Number(n), smallgroup.Worth{Individuals: n, Sum: float64(n) * price, Largest: price}))
		}
		full := int(floor) * rapid.IntRange(1, 50).Draw(t, "floors")
		n := full + rapid.IntRange(0, int(floor)-1).Draw(t, "others")
		if of(n) != of(full) {
			t.Fatalf("%d pay %v, and %d pay %v, at %v each", full, of(full), n, of(n), price)
		}
	})
}

// TestOneHasAll: what one person has among many is not shown.
func TestOneHasAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		floor := floors(t)
		n := rapid.IntRange(int(floor), 1000).Draw(t, "individuals")
		x := rapid.Float64Range(-1e12, 1e12).Draw(t, "value")
		if got := floor.Value(floor.Number(n), smallgroup.Worth{Individuals: n, Sum: x, Largest: math.Abs(x)}); got != nil {
			t.Fatalf("one of %d has %v, and %v is shown", n, x, *got)
		}
		for _, holders := range []int{int(floor) - 1, 0, -1} {
			if got := floor.Value(floor.Number(n), smallgroup.Worth{Individuals: holders, Sum: x}); got != nil {
				t.Fatalf("%d have %v, and %v is shown", holders, x, *got)
			}
		}
		if smallgroup.Exact.Value(smallgroup.Exact.Number(n), smallgroup.Worth{Individuals: -1, Sum: x}) != nil {
			t.Fatal("fewer than nobody have something")
		}
	})
}

// TestOnePersonsValue: when one person leaves and the shown number stays, the value
// behind what is shown moves by no more than a step.
func TestOnePersonsValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const floor = smallgroup.Floor(10)
		with := purchases(t, 11)
		if len(with)%10 == 0 {
			with = with[:len(with)-1]
		}
		without := worthOf(with[1:])
		whole := worthOf(with)
		without.Largest = whole.Largest // the steps are those of the group with them
		a, b := orZero(floor.Value(floor.Number(len(with)), whole)), orZero(floor.Value(floor.Number(len(with)-1), without))
		if math.Abs(a-b) > max(2.5*whole.Largest, a/10, b/10)*(1+1e-9) {
			t.Fatalf("without one who had %v, %v becomes %v", with[0], a, b)
		}
	})
}

func orZero(x *float64) float64 {
	if x == nil {
		return 0
	}
	return *x
}

func TestFigure(t *testing.T) {
	group := smallgroup.Floor(10).Number(10)
	for x, want := range map[float64]float64{
		0: 0, 1: 1, 0.3: 0.3, 0.29: 0.29, 1.239: 1.2, -1.299: -1.2, 999.9: 990, 1000: 1000, 100: 100, 99.6: 99,
		5e-324: 0, 123456: 120000, math.MaxFloat64: 1.7e308,
	} {
		if got := smallgroup.Floor(10).Figure(group, x); got == nil || *got != want {
			t.Errorf("%v is %v, not %v", x, *got, want)
		}
		if got := smallgroup.Exact.Figure(group, x); got == nil || *got != x {
			t.Errorf("%v is not exact", x)
		}
	}
	if smallgroup.Floor(10).Figure(smallgroup.Number{}, 1) != nil {
		t.Error("a suppressed group has a figure")
	}
}

// Steps are larger than the largest, also where it is one itself; 0 is none shown.
func TestStep(t *testing.T) {
	for largest, want := range map[float64]float64{0: 870, 0.5: 870, 9.99: 870, 10: 860, 19: 860, 20: 850, 49: 850, 50: 800, 99: 800, 100: 800, 200: 500, 400: 500, 500: 0, 870: 0, 1e300: 0} {
		got := smallgroup.Floor(10).Value(smallgroup.Floor(10).Number(10), smallgroup.Worth{Individuals: 10, Sum: 879.99, Largest: largest})
		if (got == nil) != (want == 0) || orZero(got) != want {
			t.Errorf("beside %v it is %v, not %v", largest, orZero(got), want)
		}
	}
}
