package exact

import (
	"fmt"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func ExampleSum() {
	var s Sum
	for _, x := range []float64{1e16, 1, -1e16} {
		s.Add(x)
	}
	fmt.Println(s.Float64())
	// Output:
	// 1
}

func TestSum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		numbers := rapid.SliceOf(rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 0.1, -0.1}))).Draw(t, "numbers")
		want := new(big.Float).SetPrec(3000)
		var whole, merged Sum
		parts := [2]Sum{{adds: spill - 2}, {}} // so that digits are carried soon
		for i, x := range numbers {
			want.Add(want, big.NewFloat(x))
			whole.Add(x)
			parts[i%2].Add(x)
		}
		merged.Merge(&parts[1])
		merged.Merge(&parts[0])
		nearest, _ := want.Float64()
		if whole.Float64() != nearest || merged.Float64() != nearest {
			t.Fatalf("together %v, merged %v, want %v", whole.Float64(), merged.Float64(), nearest)
		}
	})
}

func TestNotFinite(t *testing.T) {
	for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		var one, other Sum
		one.Add(x)
		other.Add(1)
		other.Merge(&one)
		other.Add(1)
		if !math.IsNaN(other.Float64()) {
			t.Errorf("with %v the sum is %v", x, other.Float64())
		}
	}
	var most Sum
	most.Add(math.MaxFloat64)
	most.Add(math.MaxFloat64)
	if !math.IsInf(most.Float64(), 1) {
		t.Errorf("beyond all float64 it is %v", most.Float64())
	}
	most.Add(-math.MaxFloat64)
	if most.Float64() != math.MaxFloat64 {
		t.Errorf("back among them it is %v", most.Float64())
	}
}

func BenchmarkAdd(b *testing.B) {
	var s Sum
	b.ReportAllocs()
	for i := range b.N {
		s.Add(float64(i) / 100)
	}
}
