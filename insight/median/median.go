package median

import (
	"math/bits"
	"slices"
	"time"
)

// Exact is up to how many spans the median is exact.
const Exact = 1 << 14

// precision is how many bits of a span, behind its first, tell its bucket.
const precision = 10

// Spans are spans of time. The zero value holds none.
type Spans struct {
	n       int
	few     []time.Duration // all of them, up to Exact
	many    map[int]int     // beyond it, how many are in each bucket
	hi, low uint64          // their sum, in nanoseconds
}

// Add takes in a span.
func (s *Spans) Add(d time.Duration) {
	if d < 0 {
		panic("median: a negative span")
	}
	s.n++
	s.sum(0, uint64(d))
	if s.many != nil {
		s.many[bucket(d)]++
		return
	}
	s.few = append(s.few, d)
	s.spill()
}

// Merge takes in all that o holds, which stays as it is.
func (s *Spans) Merge(o *Spans) {
	s.n += o.n
	s.sum(o.hi, o.low)
	if s.many == nil {
		s.few = append(s.few, o.few...)
		if o.many == nil {
			s.spill()
			return
		}
		s.count()
	} else {
		for _, d := range o.few {
			s.many[bucket(d)]++
		}
	}
	for b, n := range o.many {
		s.many[b] += n
	}
}

// Len is how many spans there are.
func (s *Spans) Len() int { return s.n }

// Median is the span in the middle, and false when there are none.
func (s *Spans) Median() (time.Duration, bool) {
	switch {
	case s.n == 0:
		return 0, false
	case s.many == nil:
		return Of(s.few), true
	}
	buckets := make([]int, 0, len(s.many))
	for b := range s.many {
		buckets = append(buckets, b)
	}
	slices.Sort(buckets)
	at := func(rank int) time.Duration {
		for _, b := range buckets {
			if rank -= s.many[b]; rank < 0 {
				return middle(b)
			}
		}
		panic("median: a rank beyond the last")
	}
	return between(at((s.n-1)/2), at(s.n/2)), true
}

// Mean is the mean span, cut off below the nanosecond, and false when there are none.
func (s *Spans) Mean() (time.Duration, bool) {
	if s.n == 0 {
		return 0, false
	}
	mean, _ := bits.Div64(s.hi, s.low, uint64(s.n))
	return time.Duration(mean), true
}

// Of is the exact median of spans, of which there is one at least. It sorts them.
func Of(spans []time.Duration) time.Duration {
	slices.Sort(spans)
	return between(spans[(len(spans)-1)/2], spans[len(spans)/2])
}

// between is the mean of two spans, whose sum could overflow.
func between(low, high time.Duration) time.Duration { return low + (high-low)/2 }

func (s *Spans) sum(hi, low uint64) {
	var carry uint64
	s.low, carry = bits.Add64(s.low, low, 0)
	s.hi, _ = bits.Add64(s.hi, hi, carry)
}

// spill begins to count once there are too many to keep.
func (s *Spans) spill() {
	if len(s.few) > Exact {
		s.count()
	}
}

func (s *Spans) count() {
	s.many = make(map[int]int)
	for _, d := range s.few {
		s.many[bucket(d)]++
	}
	s.few = nil
}

// bucket is a span's place: itself below 2^precision nanoseconds, and above it the
// power of two below it with the bits that follow.
func bucket(d time.Duration) int {
	shift := max(bits.Len64(uint64(d))-1-precision, 0)
	return shift<<precision + int(uint64(d)>>shift)
}

// middle is the span in the middle of a bucket.
func middle(b int) time.Duration {
	shift := max(b>>precision-1, 0)
	low := uint64(b-shift<<precision) << shift
	return time.Duration(low + (1<<shift-1)/2)
}
