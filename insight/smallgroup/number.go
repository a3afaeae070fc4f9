package smallgroup

import "strconv"

// Number is a number of individuals as a viewer sees it. The zero value is a
// suppressed one, so that a report that forgot to ask tells nothing. Two are equal
// when the viewer sees the same.
type Number struct {
	individuals int
	shown       bool
}

// Suppressed reports whether the viewer sees no number.
func (n Number) Suppressed() bool { return !n.shown }

// Individuals is the number that is shown, and nil where it is suppressed.
func (n Number) Individuals() *int {
	if !n.shown {
		return nil
	}
	return &n.individuals
}

// String is the number in digits, or "suppressed".
func (n Number) String() string {
	if !n.shown {
		return "suppressed"
	}
	return strconv.Itoa(n.individuals)
}

// Rate is which share of whole part is: 0.5 for one half. It is worked out from
// what is shown and says no more than that; for a part of the whole it is between 0
// and 1. It is nil where either is suppressed or whole is 0.
func Rate(part, whole Number) *float64 {
	if !part.shown || !whole.shown || whole.individuals == 0 {
		return nil
	}
	rate := float64(part.individuals) / float64(whole.individuals)
	return &rate
}

// Change is how many more now are than before, negative for fewer, worked out from
// what is shown; nil where either is suppressed.
func Change(now, before Number) *int {
	if !now.shown || !before.shown {
		return nil
	}
	change := now.individuals - before.individuals
	return &change
}
