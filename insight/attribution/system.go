package attribution

import (
	"cmp"
	"math"
	"slices"

	"github.com/acquaint/acquaint/insight"
)

// How the system is solved.
const (
	few      = 128       // up to so many states are solved by elimination at once
	many     = 1_000     // up to so many are when sweeps do not settle
	families = 64        // at most, of more states
	settled  = 0x1p-47   // the most that is left over of a state, relative to it: 32 units in its last place
	patience = 60        // rounds in which families are corrected
	effort   = 1e9       // steps looked at for one solution before it is given up
	tiniest  = 0x1p-1000 // visits below it are as none: they have fewer digits
)

// system is a chain with its probabilities, ready to be solved. States are without
// the start and sorted by their tails' channels, so that it is the same system
// whatever came first, and so that the states that lead to one lie together.
type system struct {
	last    []int32   // of each state, the account that it is at
	visited []float64 // of each state, how often a journey came to it
	start   []float64 // of each state, the probability to begin with it
	convert []float64 // of each state, the probability to convert next
	leave   []float64 // of each state, the probability to convert or end next
	family  []int32   // of each state, with which others it is corrected
	in, out adjacency
}

// adjacency lists the steps of each state with their probabilities.
type adjacency struct {
	first       []int32 // of each state, the first of its entries; one more at the end
	other       []int32
	probability []float64
}

// newSystem reads a chain. Rank says where accounts stand among each other.
func newSystem(c *chain, rank []int32) *system {
	ranked := make([]tail, len(c.states))
	visits := make([]int64, len(c.states))
	order := make([]int32, 0, len(c.states))
	for i, s := range c.states {
		for k, account := range s.tail {
			if account > 0 {
				ranked[i][k] = rank[account-1] + 1
			}
		}
		visits[i] = s.conversions + s.nulls
		if i > 0 {
			order = append(order, int32(i))
		}
	}
	slices.SortFunc(order, func(a, b int32) int { return slices.Compare(ranked[a][:], ranked[b][:]) })
	place := make([]int32, len(c.states))
	for to, from := range order {
		place[from] = int32(to)
	}
	for _, s := range c.steps {
		visits[s.from] += s.count
	}
	n := len(order)
	y := &system{
		last: make([]int32, n), visited: make([]float64, n), start: make([]float64, n), convert: make([]float64, n), leave: make([]float64, n), family: make([]int32, n),
	}
	for i, from := range order {
		s, all := &c.states[from], float64(visits[from])
		y.last[i] = s.tail[0] - 1
		y.visited[i] = all / float64(visits[0])
		y.convert[i] = float64(s.conversions) / all
		y.leave[i] = float64(s.conversions+s.nulls) / all
	}
	moves := make([]move, 0, len(c.steps))
	for _, s := range c.steps {
		p := float64(s.count) / float64(visits[s.from])
		if s.from == 0 {
			y.start[place[s.to]] = p
		} else {
			moves = append(moves, move{place[s.from], place[s.to], p})
		}
	}
	slices.SortFunc(moves, func(a, b move) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	y.out = adjacent(n, moves, func(m move) (int32, int32) { return m.from, m.to })
	slices.SortFunc(moves, func(a, b move) int { return cmp.Or(cmp.Compare(a.to, b.to), cmp.Compare(a.from, b.from)) })
	y.in = adjacent(n, moves, func(m move) (int32, int32) { return m.to, m.from })
	y.gather(c.order, ranked, order)
	return y
}

// move is a step between states of the system.
type move struct {
	from, to    int32
	probability float64
}

// adjacent lists moves, which are sorted by the side that ends says first.
func adjacent(n int, moves []move, ends func(move) (of, other int32)) adjacency {
	a := adjacency{first: make([]int32, n+1), other: make([]int32, len(moves)), probability: make([]float64, len(moves))}
	for i, m := range moves {
		of, other := ends(m)
		a.first[of+1]++
		a.other[i], a.probability[i] = other, m.probability
	}
	for i := range n {
		a.first[i+1] += a.first[i]
	}
	return a
}

// gather makes families of the states that have as much of their tails' ends in
// common as leaves few families: what is slow to settle is mostly how many journeys
// come to a family at all.
func (y *system) gather(order int, ranked []tail, sorted []int32) {
	for length := order; length > 0; length-- {
		of := int32(0)
		for i, from := range sorted {
			if i > 0 && !slices.Equal(ranked[from][:length], ranked[sorted[i-1]][:length]) {
				of++
			}
			y.family[i] = of
		}
		if of < families {
			return
		}
	}
	for i := range y.family {
		y.family[i] %= families
	}
}

// reaches tells for each account, of so many, whether a journey can still come from
// it to a conversion at an account where one counts.
func (y *system) reaches(accounts int, counts func(account int32) bool) []bool {
	reached := make([]bool, len(y.last))
	var ahead []int32
	for s := range y.last {
		if y.convert[s] > 0 && counts(y.last[s]) {
			reached[s] = true
			ahead = append(ahead, int32(s))
		}
	}
	for len(ahead) > 0 {
		s := ahead[len(ahead)-1]
		ahead = ahead[:len(ahead)-1]
		for _, from := range y.in.other[y.in.first[s]:y.in.first[s+1]] {
			if !reached[from] {
				reached[from] = true
				ahead = append(ahead, from)
			}
		}
	}
	by := make([]bool, accounts)
	for s, ok := range reached {
		by[y.last[s]] = by[y.last[s]] || ok
	}
	return by
}

// solution is how often a journey is expected in each state when whatever enters
// one account leads to null.
type solution struct {
	*system
	removed int32
	visits  []float64
	live    []int32 // the states that are still reached

	// Of the groups that are corrected, which are families or single states.
	group                          []int32 // of each state
	groups                         int
	flow, absorbed, source, factor []float64 // flow is from group to group, row by row
}

// solution makes room for solutions.
func (y *system) solution() *solution {
	return &solution{system: y, visits: make([]float64, len(y.last)), group: make([]int32, len(y.last))}
}

// without solves for one removed account, within a budget of steps.
func (s *solution) without(removed int32, budget float64) error {
	s.removed = removed
	s.reach()
	if len(s.live) <= few {
		s.single()
	} else {
		s.regroup(families)
		copy(s.group, s.family)
	}
	sweep := float64(len(s.in.other) + len(s.last))
	for round := 0; budget > 0; round++ {
		if round == patience && len(s.live) <= many {
			s.single()
		}
		if round <= patience {
			s.correct()
			budget -= sweep + float64(s.groups*s.groups*s.groups)/3
		}
		budget -= sweep
		if s.sweep(true) <= settled && s.sweep(false) <= settled {
			return nil
		}
	}
	return insight.NewError(insight.Conflict, "order",
		"journeys go round for so long that the chain of this order cannot be solved exactly; a lower order, a shorter lookback or a narrower touch may do")
}

// single makes each live state a group of its own, so that one correction solves.
func (s *solution) single() {
	s.regroup(len(s.live))
	for place, i := range s.live {
		s.group[i] = int32(place)
	}
}

func (s *solution) regroup(groups int) {
	s.groups = groups
	s.flow = slices.Grow(s.flow[:0], groups*groups)[:groups*groups]
	for _, of := range []*[]float64{&s.absorbed, &s.source, &s.factor} {
		*of = slices.Grow((*of)[:0], groups)[:groups]
	}
}

// reach finds the live states and lets each be visited as often as with the account.
func (s *solution) reach() {
	clear(s.visits)
	s.live = s.live[:0]
	visit := func(i int32) {
		if s.visits[i] == 0 && s.last[i] != s.removed {
			s.visits[i] = s.visited[i]
			s.live = append(s.live, i)
		}
	}
	for i, p := range s.start {
		if p > 0 {
			visit(int32(i))
		}
	}
	for k := 0; k < len(s.live); k++ {
		i := s.live[k]
		for _, to := range s.out.other[s.out.first[i]:s.out.first[i+1]] {
			visit(to)
		}
	}
	slices.Sort(s.live)
}

// sweep brings each state's visits, or only compares them, to what its neighbours'
// say, and returns the largest difference, relative to the state.
func (s *solution) sweep(change bool) float64 {
	var worst float64
	for _, i := range s.live {
		visits := s.start[i]
		from, to := s.in.first[i], s.in.first[i+1]
		other, probability := s.in.other[from:to], s.in.probability[from:to]
		for k, o := range other {
			visits += s.visits[o] * probability[k]
		}
		if off := math.Abs(visits - s.visits[i]); off > worst*visits && visits > tiniest {
			worst = off / visits
		}
		if change {
			s.visits[i] = visits
		}
	}
	return worst
}

// correct scales each group's visits, so that what flows into it is what flows out:
// the system of the groups is solved by elimination. It is the elimination of
// Grassmann, Taksar and Heyman (1985), which takes what leaves a group as a sum and
// so never subtracts; the rounds of sweeps and corrections are those of Koury,
// McAllister and Stewart (1984). With one state a group it is the solution.
func (s *solution) correct() {
	g := s.groups
	clear(s.flow)
	clear(s.absorbed)
	clear(s.source)
	for _, i := range s.live {
		visits, of := s.visits[i], int(s.group[i])
		s.source[of] += s.start[i]
		leave := s.leave[i]
		row := s.flow[of*g : of*g+g]
		from, to := s.out.first[i], s.out.first[i+1]
		for k := from; k < to; k++ {
			if o := s.out.other[k]; s.last[o] == s.removed {
				leave += s.out.probability[k]
			} else {
				row[s.group[o]] += visits * s.out.probability[k]
			}
		}
		s.absorbed[of] += visits * leave
	}
	s.eliminate()
	for _, i := range s.live {
		s.visits[i] *= s.factor[s.group[i]]
	}
}

func (s *solution) eliminate() {
	g := s.groups
	out := s.factor // of the group that is eliminated, until it becomes the factor
	for m := g - 1; m >= 0; m-- {
		row := s.flow[m*g : m*g+m]
		out[m] = s.absorbed[m]
		for _, f := range row {
			out[m] += f
		}
		if out[m] == 0 {
			continue // nobody is in this group
		}
		for i := range m {
			f := s.flow[i*g+m] / out[m]
			if f == 0 {
				continue
			}
			into := s.flow[i*g : i*g+m]
			for j, h := range row {
				into[j] += f * h
			}
			s.absorbed[i] += f * s.absorbed[m]
		}
		f := s.source[m] / out[m]
		for j, h := range row {
			s.source[j] += f * h
		}
	}
	for m := range g {
		if out[m] == 0 {
			s.factor[m] = 1
			continue
		}
		arrive := s.source[m]
		for i := range m {
			arrive += s.factor[i] * s.flow[i*g+m]
		}
		s.factor[m] = arrive / out[m]
	}
}
