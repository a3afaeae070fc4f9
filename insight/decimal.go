package insight

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"
)

// decimal is a JSON number taken exactly: sign × 0.digits × 10^point. Zero has no
// digits. It exists because float64 calls 9007199254740993 and 9007199254740992
// equal, and big.Rat would spell out the billion digits of 1e999999999.
type decimal struct {
	sign   int    // -1, 0, 1
	digits string // neither starts nor ends with 0
	point  int64
}

func newDecimal(number json.Number) decimal {
	const furthest = 1 << 60 // beyond it exponents count as equal; no number that anybody stores comes near
	text, negative := strings.CutPrefix(string(number), "-")
	var exponent int64
	if at := strings.IndexAny(text, "eE"); at >= 0 {
		// Past 64 bits ParseInt answers with the nearest bound, which is what is wanted.
		exponent, _ = strconv.ParseInt(text[at+1:], 10, 64)
		exponent = min(max(exponent, -furthest), furthest)
		text = text[:at]
	}
	whole, fraction, _ := strings.Cut(text, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		return decimal{}
	}
	d := decimal{sign: 1, point: int64(len(digits)-len(fraction)) + exponent}
	if negative {
		d.sign = -1
	}
	d.digits = strings.TrimRight(digits, "0")
	return d
}

func (d decimal) compare(e decimal) int {
	if d.sign != e.sign || d.sign == 0 {
		return cmp.Compare(d.sign, e.sign)
	}
	// Without zeros at either end, the longer of two that agree is the larger, as text has it.
	if order := cmp.Compare(d.point, e.point); order != 0 {
		return d.sign * order
	}
	return d.sign * strings.Compare(d.digits, e.digits)
}
