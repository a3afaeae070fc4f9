package smallgroup

import "github.com/acquaint/acquaint/insight"

// Floor is how many individuals a group must have for a number of them to be
// shown, and what shown numbers are multiples of. At 1 or less everything is exact.
type Floor int

// Exact is the floor of a viewer who may read individuals.
const Exact Floor = 0

// For is the floor that counts for a viewer who reads for a purpose: none when they
// may read individuals, and the purpose's otherwise.
func For(v *insight.Viewer, p *insight.Purpose) Floor {
	if v.May(insight.ScopeIndividualsRead) {
		return Exact
	}
	return Floor(p.Floor)
}

func (f Floor) exact() bool { return f <= 1 }

// Number is a number of individuals by itself: a population, the size of a segment.
func (f Floor) Number(individuals int) Number {
	switch {
	case individuals < 0:
		return Number{}
	case f.exact():
		return Number{individuals: individuals, shown: true}
	case individuals < int(f):
		return Number{}
	}
	return Number{individuals: individuals - individuals%int(f), shown: true}
}

// Numbers are numbers of individuals each by itself, in their order: groups that
// may overlap, or that are shown without a total. Those of a cohort who came back
// are such numbers: beside a cohort that is suppressed they are suppressed too,
// because they are not more.
func (f Floor) Numbers(individuals []int) []Number {
	all := make([]Number, len(individuals))
	for i, n := range individuals {
		all[i] = f.Number(n)
	}
	return all
}

// Nested are the numbers of groups of which each is a part of the one before it,
// such as the steps of a funnel. What lies between two of them, those who left, is
// a group as well. It may be a small one, and needs no cell suppressed: between
// two shown numbers the difference is a multiple of the floor, and the true one
// could be any of as many values as the floor at least.
func (f Floor) Nested(steps []int) []Number {
	all := make([]Number, len(steps))
	for i, n := range steps {
		if i > 0 && n > steps[i-1] {
			break
		}
		all[i] = f.Number(n)
	}
	return all
}
