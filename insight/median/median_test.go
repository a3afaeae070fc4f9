package median_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight/median"
)

func ExampleSpans() {
	var s median.Spans
	for _, days := range []int{4, 10, 7} {
		s.Add(time.Duration(days) * 24 * time.Hour)
	}
	fmt.Println(s.Median())
	fmt.Println(s.Mean())
	// Output:
	// 168h0m0s true
	// 168h0m0s true
}

func exactly(all []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	low, high := sorted[(len(sorted)-1)/2], sorted[len(sorted)/2]
	return low + (high-low)/2
}

func TestFew(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOf(rapid.Custom(func(t *rapid.T) time.Duration { return time.Duration(rapid.Int64Min(0).Draw(t, "span")) })).Draw(t, "spans")
		var whole, one, other median.Spans
		for i, d := range all {
			whole.Add(d)
			if i%3 == 0 {
				one.Add(d)
			} else {
				other.Add(d)
			}
		}
		other.Merge(&one)
		got, ok := whole.Median()
		if ok != (len(all) > 0) || whole.Len() != len(all) {
			t.Fatalf("%d spans, %v", whole.Len(), ok)
		}
		if merged, _ := other.Median(); merged != got {
			t.Fatalf("merged %v, together %v", merged, got)
		}
		mean, _ := whole.Mean()
		if merged, _ := other.Mean(); merged != mean {
			t.Fatalf("merged %v, together %v", merged, mean)
		}
		if ok && got != exactly(all) {
			t.Fatalf("%v of %v", got, all)
		}
	})
}

// Beyond Exact the median is within a thousandth, and still the same however the
// spans were divided.
func TestMany(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 0))
		widest := random.Int64N(1<<random.IntN(62)+1) + 1
		all := make([]time.Duration, 3*median.Exact)
		var whole median.Spans
		parts := make([]median.Spans, 4)
		for i := range all {
			all[i] = time.Duration(random.Int64N(widest))
			whole.Add(all[i])
			parts[random.IntN(3)].Add(all[i]) // the last stays empty
		}
		var merged median.Spans
		for i := range parts {
			merged.Merge(&parts[i])
		}
		got, _ := whole.Median()
		if again, _ := merged.Median(); again != got {
			t.Errorf("seed %d: merged %v, together %v", seed, again, got)
		}
		if want := exactly(all); (got - want).Abs() > want/1000+1 {
			t.Errorf("seed %d: %v, exactly %v", seed, got, want)
		}
	}
}

func TestMeanOfCenturies(t *testing.T) {
	var s median.Spans
	for range 1000 {
		s.Add(1<<63 - 1)
		s.Add(1<<63 - 3)
	}
	if mean, _ := s.Mean(); mean != 1<<63-2 {
		t.Errorf("%d", mean)
	}
}

func TestNegative(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a negative span was taken")
		}
	}()
	new(median.Spans).Add(-1)
}

func BenchmarkAdd(b *testing.B) {
	var s median.Spans
	b.ReportAllocs()
	for i := range b.N {
		s.Add(time.Duration(i) * time.Second)
	}
}
