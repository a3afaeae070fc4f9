package lifetime

import "slices"

// grid is what the likelihood of buying is computed over: the distinct cases of x,
// t_x and T, and the distinct numbers that occur in them, so that what depends on
// fewer of them is computed once.
type grid struct {
	repeats []float64 // the distinct x
	times   []float64 // the distinct t_x and T, in the unit of the fit
	pairs   []pair    // the distinct (x, t_x) and (x, T)
	cases   []cell
	weights []float64 // of the individuals of each x
}

// pair is an x and a time, each by its place in the grid.
type pair struct{ repeats, time int32 }

// cell is a case: its x, and the places of (x, t_x) and (x, T) among the pairs.
type cell struct {
	repeats, last, age int32
	weight             float64 // individuals
}

// newGrid gathers records that are in order. A time is so many units a day.
func newGrid(records []record, weight func(i int) float64, unit float64) *grid {
	days := make([]int32, 0, 2*len(records))
	for i := range records {
		days = append(days, records[i].last, records[i].age)
	}
	slices.Sort(days)
	days = slices.Clip(slices.Compact(days))
	g := &grid{times: make([]float64, len(days))}
	for i, d := range days {
		g.times[i] = float64(d) * unit
	}
	at := make(map[pair]int32)
	place := func(day int32) int32 {
		i, _ := slices.BinarySearch(days, day)
		p := pair{int32(len(g.repeats) - 1), int32(i)}
		k, ok := at[p]
		if !ok {
			k = int32(len(g.pairs))
			at[p] = k
			g.pairs = append(g.pairs, p)
		}
		return k
	}
	var before *record
	for i := range records {
		r, w := &records[i], weight(i)
		if w == 0 {
			continue
		}
		if before == nil || before.repeats != r.repeats {
			g.repeats = append(g.repeats, float64(r.repeats))
			g.weights = append(g.weights, 0)
			clear(at)
		}
		here := int32(len(g.repeats) - 1)
		g.weights[here] += w
		if before != nil && before.repeats == r.repeats && before.last == r.last && before.age == r.age {
			g.cases[len(g.cases)-1].weight += w
		} else {
			g.cases = append(g.cases, cell{repeats: here, last: place(r.last), age: place(r.age), weight: w})
		}
		before = r
	}
	return g
}
