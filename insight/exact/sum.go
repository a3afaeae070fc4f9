package exact

import (
	"math"
	"math/big"
)

// Sum adds numbers up exactly, so that it does not matter in which order they came.
// It is a whole number of the smallest float64, 2^-1074, in digits of 32 bits, kept
// only where there is something. The zero value is 0.
type Sum struct {
	low    int     // the place of the first digit
	digits []int64 // least first; signed, and allowed to spill over 32 bits until carried
	adds   int     // since digits were last carried
	none   bool    // whether a number was not finite
}

const (
	digitBits = 32
	digitMask = 1<<digitBits - 1
	spill     = 1 << 28 // how many additions a digit has room for
)

// Add takes in a number. With one that is not finite there is no sum.
func (s *Sum) Add(x float64) {
	switch {
	case math.IsNaN(x) || math.IsInf(x, 0):
		s.none = true
		return
	case x == 0:
		return
	}
	bits := math.Float64bits(x)
	place, mantissa := int(bits>>52&0x7ff), bits&(1<<52-1)
	if place > 0 {
		mantissa |= 1 << 52
		place--
	}
	shift := place % digitBits
	low, high := mantissa<<shift, mantissa>>(64-shift)
	sign := int64(1)
	if x < 0 {
		sign = -1
	}
	d := s.at(place/digitBits, 3)
	d[0] += sign * int64(low&digitMask)
	d[1] += sign * int64(low>>digitBits)
	d[2] += sign * int64(high)
	s.count()
}

// Merge takes in all that o holds, which stays as it is.
func (s *Sum) Merge(o *Sum) {
	s.none = s.none || o.none
	if len(o.digits) == 0 {
		return
	}
	s.carry()
	d := s.at(o.low, len(o.digits))
	for i, digit := range o.digits {
		d[i] += digit
	}
	s.carry()
}

// Float64 is the float64 nearest to the sum: infinite where it is beyond all of them,
// and NaN where there is none.
func (s *Sum) Float64() float64 {
	if s.none {
		return math.NaN()
	}
	var whole, digit big.Int
	for i := len(s.digits) - 1; i >= 0; i-- {
		whole.Add(whole.Lsh(&whole, digitBits), digit.SetInt64(s.digits[i]))
	}
	var exact big.Float
	exact.SetMantExp(exact.SetInt(&whole), digitBits*s.low-1074)
	nearest, _ := exact.Float64()
	return nearest
}

// at makes room for n digits from a place, and returns them.
func (s *Sum) at(place, n int) []int64 {
	if len(s.digits) == 0 {
		s.low = place
	}
	if place < s.low {
		s.digits = append(make([]int64, s.low-place, s.low-place+len(s.digits)), s.digits...)
		s.low = place
	}
	from := place - s.low
	for len(s.digits) < from+n {
		s.digits = append(s.digits, 0)
	}
	return s.digits[from : from+n]
}

func (s *Sum) count() {
	if s.adds++; s.adds >= spill {
		s.carry()
	}
}

func (s *Sum) carry() {
	s.adds = 0
	for i := 0; i < len(s.digits); i++ {
		last := i == len(s.digits)-1
		if last && s.digits[i] > -1<<digitBits && s.digits[i] < 1<<digitBits {
			return // it keeps the sign
		}
		over := s.digits[i] >> digitBits
		s.digits[i] &= digitMask
		if last {
			s.digits = append(s.digits, 0)
		}
		s.digits[i+1] += over
	}
}
