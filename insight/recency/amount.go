package recency

import (
	"cmp"
	"math"
	"math/big"
	"math/bits"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/smallgroup"
)

// amount is a sum of values in whole millionths, in 128 bits of two's complement.
// Integers make it exact to the cent and independent of the order, which sums of
// float64 are not.
type amount struct {
	hi int64
	lo uint64
}

const (
	millionth = 1_000_000
	// mostValue is what a larger value counts as, so that 10^14 of them fit.
	mostValue = 1e18
	// quick is up to where a value's millionths are whole numbers of a float64.
	quick = 1 << 33
)

// valueOf is what an interaction brings: 0 without a value. Beyond 2^33 a value is
// as exact as a float64 is.
func valueOf(x *insight.Interaction) amount {
	if x.Value == nil || math.IsNaN(*x.Value) {
		return amount{}
	}
	v := math.Abs(*x.Value)
	var a amount
	if v < quick {
		a.lo = uint64(math.Round(v * millionth))
	} else {
		whole, fraction := math.Modf(min(v, mostValue))
		hi, lo := bits.Mul64(uint64(whole), millionth)
		a = amount{int64(hi), lo}.plus(amount{lo: uint64(math.Round(fraction * millionth))})
	}
	if *x.Value < 0 {
		return a.negative()
	}
	return a
}

func (a amount) plus(b amount) amount {
	lo, carry := bits.Add64(a.lo, b.lo, 0)
	hi, _ := bits.Add64(uint64(a.hi), uint64(b.hi), carry)
	return amount{int64(hi), lo}
}

func (a amount) negative() amount {
	lo, borrow := bits.Sub64(0, a.lo, 0)
	hi, _ := bits.Sub64(0, uint64(a.hi), borrow)
	return amount{int64(hi), lo}
}

// size is the amount without its sign.
func (a amount) size() amount {
	if a.hi < 0 {
		return a.negative()
	}
	return a
}

func (a amount) compare(b amount) int {
	return cmp.Or(cmp.Compare(a.hi, b.hi), cmp.Compare(a.lo, b.lo))
}

// rational is the amount as a fraction.
func (a amount) rational() *big.Rat {
	n := big.NewInt(a.hi)
	n.Lsh(n, 64).Add(n, new(big.Int).SetUint64(a.lo))
	return new(big.Rat).SetFrac(n, big.NewInt(millionth))
}

// float is the float64 nearest to the amount. Of two amounts the smaller has never
// the larger one.
func (a amount) float() float64 {
	const whole = 1 << 53
	if size := a.size(); size.hi == 0 && size.lo <= whole {
		f := float64(size.lo) / millionth // one rounding
		if a.hi < 0 {
			return -f
		}
		return f
	}
	f, _ := a.rational().Float64()
	return f
}

// worth is what a group has together.
type worth struct {
	holders int // individuals who have any
	sum     amount
	largest amount // the most that one of them has, without its sign
}

// add takes in what one individual has.
func (w *worth) add(a amount) {
	if a == (amount{}) {
		return
	}
	w.holders++
	w.sum = w.sum.plus(a)
	w.seen(a.size())
}

func (w *worth) seen(size amount) {
	if size.compare(w.largest) > 0 {
		w.largest = size
	}
}

func (w *worth) merge(o *worth) {
	w.holders += o.holders
	w.sum = w.sum.plus(o.sum)
	w.seen(o.largest)
}

func (w *worth) report() smallgroup.Worth {
	return smallgroup.Worth{Individuals: w.holders, Sum: w.sum.float(), Largest: w.largest.float()}
}
