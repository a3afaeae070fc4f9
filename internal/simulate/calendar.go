package simulate

import (
	"cmp"
	"slices"
	"time"
)

// margin keeps what belongs to a moment (a login, a purchase) from touching
// what comes before it, and everything from the ends of the span.
const margin = time.Minute

// gap is a stretch of one timeline between two purchases (or the span's ends).
// The journey of the purchase that ends it, if any, takes its end.
type gap struct {
	from, to time.Duration
	last     *draft
	nulls    []*draft
	room     time.Duration // what is left
}

func newGap(from, to time.Duration, last *draft) gap {
	g := gap{from: from, to: to, last: last, room: to - from}
	if last != nil {
		if last.length > g.room {
			last.scale, last.length = float64(g.room)/float64(last.length), g.room
		}
		last.begin = to - last.length
		g.room -= last.length
	}
	return g
}

// arrange gives every journey its place: the ones that convert end at their
// purchases, the others go between, uniformly over where there is room for
// them and for the quiet that must follow. It returns the placed ones in order
// of time and how many found no place.
func (b *person) arrange(purchases []time.Duration, converting, nulls []*draft) (placed []*draft, unplaced int) {
	end := b.p.span - margin
	gaps := make([]gap, 0, len(purchases)+2)
	from := margin
	for k, at := range purchases {
		gaps = append(gaps, newGap(from, at, converting[k]))
		from = at + margin
	}
	gaps = append(gaps, newGap(from, max(end, from), nil))
	known := len(gaps)
	gaps = append(gaps, newGap(margin, end, nil)) // where nobody is known

	// What can only happen where the person is known goes first.
	slices.SortStableFunc(nulls, func(x, y *draft) int {
		switch {
		case x.anonymous == y.anonymous:
			return 0
		case y.anonymous:
			return -1
		}
		return 1
	})
	for _, d := range nulls {
		need := d.length + b.p.truth.Quiet + margin
		at := -1
		if !d.anonymous || b.self.Prospect || !b.chance(b.p.truth.Strays) {
			at = b.choose(gaps[:known], need)
		}
		if at < 0 && d.anonymous && gaps[known].room >= need {
			at, d.stray = known, true
		}
		if at < 0 {
			unplaced++
			continue
		}
		gaps[at].room -= need
		gaps[at].nulls = append(gaps[at].nulls, d)
	}
	for k := range gaps {
		placed = append(placed, b.spread(&gaps[k])...)
	}
	slices.SortStableFunc(placed, func(x, y *draft) int { return cmp.Compare(x.begin, y.begin) })
	return placed, unplaced
}

// choose picks a gap in proportion to its room among those with enough of it, or -1.
func (b *person) choose(gaps []gap, need time.Duration) int {
	total := time.Duration(0)
	for k := range gaps {
		if gaps[k].room >= need {
			total += gaps[k].room - need + 1
		}
	}
	if total == 0 {
		return -1
	}
	pick := time.Duration(b.rng.Int64N(int64(total)))
	for k := range gaps {
		if gaps[k].room >= need {
			if pick -= gaps[k].room - need + 1; pick < 0 {
				return k
			}
		}
	}
	return -1
}

// spread places a gap's journeys: the room that is left is cut at random.
func (b *person) spread(g *gap) []*draft {
	b.rng.Shuffle(len(g.nulls), func(i, j int) { g.nulls[i], g.nulls[j] = g.nulls[j], g.nulls[i] })
	cuts := make([]time.Duration, len(g.nulls))
	for k := range cuts {
		cuts[k] = time.Duration(b.rng.Int64N(int64(g.room) + 1))
	}
	slices.Sort(cuts)
	taken := g.from
	for k, d := range g.nulls {
		d.begin = taken + cuts[k]
		taken += d.length + b.p.truth.Quiet + margin
	}
	if g.last != nil {
		return append(g.nulls, g.last)
	}
	return g.nulls
}
