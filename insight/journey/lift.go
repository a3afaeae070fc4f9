package journey

import (
	"math"
	"slices"
)

// z is how many standard errors hold 95 % of a normal distribution, on either side.
const z = 1.959963984540054

// weigh fills in probabilities and lifts from counts. The order of the transitions
// is a function of their counts and keys, so that rounding is too.
func weigh(all []Transition) {
	m := newMargins(all)
	for i := range all {
		t := &all[i]
		t.Probability = float64(t.Count) / m.out[m.from[i]]
		t.Lift = t.Probability / m.base(m.from[i], m.to[i])
	}
	if m.hub {
		return
	}
	s := newSlopes(m, all)
	for i := range all {
		t := &all[i]
		// An exact zero is known by its rounding error alone.
		if v := s.variance(i); v*float64(t.Count) > 1e-9 && !math.IsInf(v, 0) {
			factor := math.Exp(z * math.Sqrt(v))
			low, high := t.Lift/factor, t.Lift*factor
			if low > 0 && !math.IsInf(high, 0) {
				t.LiftLow, t.LiftHigh = &low, &high
			}
		}
	}
}

// margins are how often each channel is left and reached, and the repeats that
// folding hides, if what comes next does not depend on what was before. With r, s
// and p for those three of a channel, each p is that of a table without a
// dependence, p = (r+p)(s+p)/T, where the total T is all transitions and all p. This
// is the maximum likelihood estimate of quasi-independence (Goodman 1968).
type margins struct {
	from, to []int // of each transition, as numbers of channels
	out, in  []float64
	repeats  []float64
	n, total float64
	main     int  // the channel that most transitions touch
	hub      bool // whether all do; the repeats are then endless
}

func newMargins(all []Transition) *margins {
	m := &margins{from: make([]int, len(all)), to: make([]int, len(all))}
	var keys []string
	for _, t := range all {
		keys = append(keys, t.From, t.To)
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	m.out, m.in, m.repeats = make([]float64, len(keys)), make([]float64, len(keys)), make([]float64, len(keys))
	for i, t := range all {
		m.from[i], _ = slices.BinarySearch(keys, t.From)
		m.to[i], _ = slices.BinarySearch(keys, t.To)
		m.out[m.from[i]] += float64(t.Count)
		m.in[m.to[i]] += float64(t.Count)
		m.n += float64(t.Count)
	}
	for c := range keys {
		if w := m.weight(c); w > m.weight(m.main) {
			m.main = c
		}
	}
	if len(keys) == 0 || m.out[m.main]+m.in[m.main] == m.n {
		m.hub = true
		return m
	}
	m.solve(max(m.n, m.weight(m.main)))
	return m
}

// weight is the least total at which a channel's repeats are real.
func (m *margins) weight(c int) float64 {
	w := math.Sqrt(m.out[c]) + math.Sqrt(m.in[c])
	return w * w
}

// solve finds the total. Of p, the quadratic's smaller root is right for every
// channel but perhaps the main one, whose p is what is left of the total: the total
// is right when p is to those who leave the main channel as those who reach it are
// to those who do neither.
func (m *margins) solve(low float64) {
	excess := func(total float64) float64 {
		p, neither := m.fill(total)
		return p*neither - m.out[m.main]*m.in[m.main]
	}
	high := 2 * low
	for excess(high) < 0 {
		low, high = high, 2*high
	}
	for {
		middle := low + (high-low)/2
		if middle <= low || middle >= high {
			break
		}
		if excess(middle) < 0 {
			low = middle
		} else {
			high = middle
		}
	}
	m.fill(high)
}

// fill sets the repeats that go with a total. It returns the main channel's, and
// how many of the total neither leave nor reach it.
func (m *margins) fill(total float64) (p, neither float64) {
	others := 0.0
	for c := range m.out {
		if c != m.main {
			rest := total - m.out[c] - m.in[c]
			both := m.out[c] * m.in[c]
			// The smaller root of p² - rest p + both, without cancellation.
			m.repeats[c] = 2 * both / (rest + math.Sqrt(max(rest*rest-4*both, 0)))
			others += m.repeats[c]
		}
	}
	m.total = total
	m.repeats[m.main] = total - m.n - others
	return m.repeats[m.main], m.n - m.out[m.main] - m.in[m.main] + others
}

// base is the probability that a channel follows another if that does not depend on
// the other.
func (m *margins) base(from, to int) float64 {
	switch {
	case m.hub && from == m.main:
		return m.in[to] / m.out[from]
	case m.hub:
		return 1 // nothing but the hub can follow
	}
	return (m.in[to] + m.repeats[to]) / m.total * (m.out[from] + m.repeats[from]) / m.out[from]
}

// slopes are the derivatives of the margins' solution by each count, for the delta
// method.
type slopes struct {
	*margins
	count []float64
	// The repeats of a channel that is not the main one change by the number that
	// leave it, that reach it, and by the total.
	byOut, byIn, byTotal []float64
	// By each count, the total and the main channel's repeats.
	dTotal, dMain []float64
	totalTotal    float64 // sums of products of these two, weighted by counts
	totalMain     float64
	mainMain      float64
	leaving       [][]int // transitions from each channel
	reaching      [][]int // and to it
}

func newSlopes(m *margins, all []Transition) *slopes {
	n := len(m.out)
	s := &slopes{
		margins: m, count: make([]float64, len(all)),
		byOut: make([]float64, n), byIn: make([]float64, n), byTotal: make([]float64, n),
		dTotal: make([]float64, len(all)), dMain: make([]float64, len(all)),
		leaving: make([][]int, n), reaching: make([][]int, n),
	}
	free := 1.0
	for c, p := range m.repeats {
		if c != m.main {
			root := m.total - m.out[c] - m.in[c] - 2*p
			s.byOut[c], s.byIn[c], s.byTotal[c] = (p+m.in[c])/root, (p+m.out[c])/root, -p/root
			free -= s.byTotal[c]
		}
	}
	// Two equations for the changes of the main channel's repeats and of the total: its
	// quadratic, and that all repeats and transitions are the total.
	p, out, in := m.repeats[m.main], m.out[m.main], m.in[m.main]
	bend := 2*p + out + in - m.total
	scale := p - bend*free
	for i := range all {
		s.count[i] = float64(all[i].Count)
		own := 0.0
		if m.from[i] == m.main {
			own = -(p + in)
		}
		if m.to[i] == m.main {
			own = -(p + out)
		}
		others := -1 - s.byOut[m.from[i]] - s.byIn[m.to[i]] // both 0 for the main one
		s.dMain[i] = (p*others - own*free) / scale
		s.dTotal[i] = (bend*others - own) / scale
		s.totalTotal += s.count[i] * s.dTotal[i] * s.dTotal[i]
		s.totalMain += s.count[i] * s.dTotal[i] * s.dMain[i]
		s.mainMain += s.count[i] * s.dMain[i] * s.dMain[i]
		s.leaving[m.from[i]] = append(s.leaving[m.from[i]], i)
		s.reaching[m.to[i]] = append(s.reaching[m.to[i]], i)
	}
	return s
}

// variance is that of the logarithm of a transition's lift, which is the logarithm of
// n(a->b) T / (r+p of a) / (s+p of b). Counts are taken as independent, each with itself
// for its variance; the lift does not change when all grow alike, so that this is also
// the variance at a fixed sum. Every count moves the total and the main channel's
// repeats; only those that leave or reach a or b move anything else.
func (s *slopes) variance(i int) float64 {
	a, b := s.from[i], s.to[i]
	left, reached := 1/(s.out[a]+s.repeats[a]), 1/(s.in[b]+s.repeats[b])
	byTotal, byMain := 1/s.total, 0.0
	for _, end := range []struct {
		channel int
		weight  float64
	}{{a, left}, {b, reached}} {
		if end.channel == s.main {
			byMain -= end.weight
		} else {
			byTotal -= end.weight * s.byTotal[end.channel]
		}
	}
	v := byTotal*byTotal*s.totalTotal + 2*byTotal*byMain*s.totalMain + byMain*byMain*s.mainMain
	touch := func(k int) {
		everyone := byTotal*s.dTotal[k] + byMain*s.dMain[k]
		slope := everyone
		switch a {
		case s.from[k]:
			slope -= left * (1 + s.byOut[a])
		case s.to[k]:
			slope -= left * s.byIn[a]
		}
		switch b {
		case s.to[k]:
			slope -= reached * (1 + s.byIn[b])
		case s.from[k]:
			slope -= reached * s.byOut[b]
		}
		if k == i {
			slope += 1 / s.count[i]
		}
		v += s.count[k] * (slope*slope - everyone*everyone)
	}
	for _, k := range s.leaving[a] {
		touch(k)
	}
	for _, k := range s.leaving[b] {
		touch(k)
	}
	for _, k := range s.reaching[a] {
		if s.from[k] != b {
			touch(k)
		}
	}
	for _, k := range s.reaching[b] {
		if s.from[k] != a {
			touch(k)
		}
	}
	return v
}
