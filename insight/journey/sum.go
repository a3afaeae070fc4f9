package journey

import "math"

// sum adds up exactly, so that it does not depend on the order: it keeps parts that
// do not overlap and together are the sum (J. R. Shewchuk, "Adaptive Precision
// Floating-Point Arithmetic and Fast Robust Geometric Predicates", 1997), and
// rounds only what it tells. The zero value is the sum of nothing.
type sum struct {
	parts   []float64 // the smallest first
	endless bool      // whether a summand was not finite, or immense
}

// immense is from where on a sum could overflow on the way: of fewer than 2^63
// smaller summands none does.
const immense = 0x1p960

func (s *sum) add(x float64) {
	if math.IsNaN(x) || math.Abs(x) >= immense {
		s.endless = true
		return
	}
	s.put(x)
}

func (s *sum) merge(o *sum) {
	s.endless = s.endless || o.endless
	for _, x := range o.parts {
		s.put(x)
	}
}

func (s *sum) put(x float64) {
	kept := s.parts[:0]
	for _, y := range s.parts {
		if math.Abs(x) < math.Abs(y) {
			x, y = y, x
		}
		high := x + y
		if low := y - (high - x); low != 0 {
			kept = append(kept, low)
		}
		x = high
	}
	if x != 0 {
		kept = append(kept, x)
	}
	s.parts = kept
}

// total is the float64 next to the sum, or nil when it is endless.
func (s *sum) total() *float64 {
	if s.endless {
		return nil
	}
	var high, low float64
	n := len(s.parts)
	for n > 0 && low == 0 {
		n--
		y := s.parts[n]
		x := high
		high = x + y
		low = y - (high - x)
	}
	// When high lies in the middle between two, the parts below say to which side the sum is.
	if n > 0 && low != 0 && (low < 0) == (s.parts[n-1] < 0) {
		if up := high + 2*low; up-high == 2*low {
			high = up
		}
	}
	return &high
}
