package smallgroup

// Partition is the total of groups that have nobody in common, and the number of
// each, in their order. A grid is the list of its cells, as long as no sums of its
// rows or columns are shown.
//
// The total is the sum of the cells. Where it also counts individuals who are in no
// cell, they are one more cell, whose answer the caller drops: it is hidden, and
// could be worked out like any other.
//
// At most one cell is suppressed that is not below the floor. Whenever the total is
// shown and a cell is suppressed, two or more are, and hold the floor together.
func (f Floor) Partition(cells []int) (total Number, shown []Number) {
	sum := 0
	for _, n := range cells {
		if sum += n; n < 0 || sum < 0 {
			return Number{}, make([]Number, len(cells))
		}
	}
	shown = f.Numbers(cells)
	second, suppressed := -1, false
	for i, n := range shown {
		switch {
		case n.Suppressed():
			suppressed = true
		// By what is shown, and not by what is true: else one person more in a cell
		// would change which of two is suppressed, and tell that they are equal.
		case second < 0 || n.individuals < shown[second].individuals:
			second = i
		}
	}
	if suppressed && second >= 0 {
		shown[second] = Number{}
	}
	return f.Number(sum), shown
}
