package recency

import (
	"errors"
	"math/big"
	"slices"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/smallgroup"
)

// RFMOptions are what the scores of a population depend on beside the individuals.
type RFMOptions struct {
	Event insight.Selector // what they did; who is told nothing sets insight.AnyInbound
	AsOf  time.Time        // later interactions do not exist
}

// Validate refuses options that cannot be meant. It joins one insight.Invalid
// error for each fault, whose subject is the argument's name: asOf, or a path that
// starts with event.
func (o RFMOptions) Validate() error {
	return errors.Join(checkEvent(&o.Event, o.AsOf)...)
}

// scores is how many there are of each kind.
const scores = 5

// Cuts are where one score ends and the next begins, four each, ascending: what
// equals a cut has the score beyond it. They are the model that one individual's
// scores need of the population.
type Cuts struct {
	Recency   [scores - 1]float64 // days
	Frequency [scores - 1]float64
	Monetary  [scores - 1]float64
}

// RFM is how recently, how frequently and for how much an individual did something,
// and their scores from 1 to 5, the best.
type RFM struct {
	RecencyDays int     // from the UTC day of the last time to that of asOf
	Frequency   int     // how many times
	Monetary    float64 // the sum of their values; what has none counts 0
	R, F, M     int
	Score       int // 100 R + 10 F + M
	Segment     string
}

// RFMOf answers for one individual as of a moment, with the population's cuts, and
// false when they never did it. The timeline may be in any order and repeat itself;
// it is not changed.
func RFMOf(t insight.Timeline, sel insight.Selector, asOf time.Time, cuts Cuts) (RFM, bool) {
	c, ok := customerOf(t.Ordered(), sel.Matcher(), asOf)
	if !ok {
		return RFM{}, false
	}
	return c.score(&cuts), true
}

// customer is what the scores are made of. A population has many, so it is small.
type customer struct {
	money     amount
	days      int32
	frequency int32
}

func customerOf(t insight.Timeline, matches func(*insight.Interaction) bool, asOf time.Time) (customer, bool) {
	var c customer
	var last time.Time
	for _, x := range t.AsOf(asOf) {
		if matches(x) {
			c.frequency++
			c.money = c.money.plus(valueOf(x))
			last = x.OccurredAt
		}
	}
	if c.frequency == 0 {
		return customer{}, false
	}
	c.days = int32(unixDay(asOf) - unixDay(last))
	return c, true
}

// unixDay counts days from 1970 in UTC.
func unixDay(t time.Time) int64 {
	const seconds = int64(insight.Day / time.Second)
	day := t.Unix() / seconds
	if t.Unix()%seconds < 0 {
		day--
	}
	return day
}

func (c *customer) score(cuts *Cuts) RFM {
	r := RFM{RecencyDays: int(c.days), Frequency: int(c.frequency), Monetary: c.money.float()}
	r.R = scores - bandOf(cuts.Recency[:], float64(c.days))
	r.F = 1 + bandOf(cuts.Frequency[:], float64(c.frequency))
	r.M = 1 + bandOf(cuts.Monetary[:], r.Monetary)
	r.Score = 100*r.R + 10*r.F + r.M
	r.Segment = segments[segmentOf(r.R, r.F, r.M)].name
	return r
}

// segments are the rules of the rfm tables; the first that matches wins, and the
// last matches everyone.
var segments = [...]struct {
	name    string
	r, f, m [2]int // from and to, both inclusive
}{
	{"Champions", [2]int{4, 5}, [2]int{4, 5}, [2]int{4, 5}},
	{"Loyal Customers", [2]int{2, 5}, [2]int{3, 5}, [2]int{3, 5}},
	{"Potential Loyalist", [2]int{3, 5}, [2]int{1, 3}, [2]int{1, 3}},
	{"New Customers", [2]int{4, 5}, [2]int{1, 1}, [2]int{1, 1}},
	{"Promising", [2]int{3, 4}, [2]int{1, 1}, [2]int{1, 1}},
	{"Need Attention", [2]int{2, 3}, [2]int{2, 3}, [2]int{2, 3}},
	{"About To Sleep", [2]int{2, 3}, [2]int{1, 2}, [2]int{1, 2}},
	{"At Risk", [2]int{1, 2}, [2]int{2, 5}, [2]int{2, 5}},
	{"Can't Lose Them", [2]int{1, 1}, [2]int{4, 5}, [2]int{4, 5}},
	{"Lost", [2]int{1, 2}, [2]int{1, 2}, [2]int{1, 2}},
	{"Others", [2]int{1, 5}, [2]int{1, 5}, [2]int{1, 5}},
}

// RFMSegments are the names of the segments, in the order of their rules.
func RFMSegments() []string {
	names := make([]string, len(segments))
	for i := range segments {
		names[i] = segments[i].name
	}
	return names
}

func segmentOf(r, f, m int) int {
	within := func(x int, of [2]int) bool { return x >= of[0] && x <= of[1] }
	for i := range segments {
		if s := &segments[i]; within(r, s.r) && within(f, s.f) && within(m, s.m) {
			return i
		}
	}
	return len(segments) - 1
}

// RFMTally gathers the scores of a population, one individual at a time. The cuts
// depend on everyone, so it holds 24 bytes for each individual who did it at all.
type RFMTally struct {
	matches    func(*insight.Interaction) bool
	asOf       time.Time
	population int
	customers  []customer
}

// NewRFMTally returns a tally that has seen nobody. The options are ones that
// [RFMOptions.Validate] accepts.
func NewRFMTally(o RFMOptions) *RFMTally {
	return &RFMTally{matches: o.Event.Matcher(), asOf: o.AsOf}
}

// Add takes in one individual.
func (t *RFMTally) Add(h *insight.History) {
	t.population++
	if c, ok := customerOf(h.Timeline, t.matches, t.asOf); ok {
		t.customers = append(t.customers, c)
	}
}

// Merge takes in everyone whom o has seen, a tally of the same options, which stays
// as it is.
func (t *RFMTally) Merge(o *RFMTally) {
	t.population += o.population
	t.customers = append(t.customers, o.customers...)
}

// Cuts are those of everyone seen so far, and false when nobody did it: cut k is the
// type-7 quantile k/5 (Hyndman and Fan, 1996) plus 1.
func (t *RFMTally) Cuts() (Cuts, bool) {
	n := len(t.customers)
	if n == 0 {
		return Cuts{}, false
	}
	days, times, money := make([]int32, n), make([]int32, n), make([]amount, n)
	for i := range t.customers {
		c := &t.customers[i]
		days[i], times[i], money[i] = c.days, c.frequency, c.money
	}
	slices.Sort(days)
	slices.Sort(times)
	slices.SortFunc(money, amount.compare)
	whole := func(of []int32) func(int) *big.Rat {
		return func(i int) *big.Rat { return big.NewRat(int64(of[i]), 1) }
	}
	return Cuts{
		Recency:   cuts(n, whole(days)),
		Frequency: cuts(n, whole(times)),
		Monetary:  cuts(n, func(i int) *big.Rat { return money[i].rational() }),
	}, true
}

// cuts works in fractions: a cut is rounded once, and so is never on the wrong side
// of a value that it falls between.
func cuts(n int, at func(int) *big.Rat) (of [scores - 1]float64) {
	for k := 1; k < scores; k++ {
		rank := (n - 1) * k
		low, part := at(rank/scores), rank%scores
		if part > 0 {
			gap := new(big.Rat).Sub(at(rank/scores+1), low)
			low.Add(low, gap.Mul(gap, big.NewRat(int64(part), scores)))
		}
		of[k-1], _ = low.Add(low, big.NewRat(1, 1)).Float64()
	}
	return of
}

// RFMReport is a population by its scores.
type RFMReport struct {
	Population  int          // everyone, also who never did it
	Individuals int          // who did it at all: each is in one segment
	AsOf        time.Time    // the moment that is looked back from
	Cuts        *Cuts        // nil when nobody did it
	Segments    []RFMSegment // all of them, in the order of their rules
}

// RFMSegment is those whom one rule is the first to match.
type RFMSegment struct {
	Name         string
	Individuals  int
	Interactions smallgroup.Worth // how many times they did it
	Worth        smallgroup.Worth // the sum of their values
}

// Report is everyone seen so far by their scores.
func (t *RFMTally) Report() RFMReport {
	r := RFMReport{Population: t.population, Individuals: len(t.customers), AsOf: t.asOf, Segments: make([]RFMSegment, len(segments))}
	for i := range segments {
		r.Segments[i].Name = segments[i].name
	}
	all, ok := t.Cuts()
	if !ok {
		return r
	}
	r.Cuts = &all
	var times [len(segments)]struct{ sum, largest int }
	var money [len(segments)]worth
	for i := range t.customers {
		c := &t.customers[i]
		score := c.score(&all)
		at := segmentOf(score.R, score.F, score.M)
		r.Segments[at].Individuals++
		times[at].sum += score.Frequency
		times[at].largest = max(times[at].largest, score.Frequency)
		money[at].add(c.money)
	}
	for i := range r.Segments {
		s := &r.Segments[i]
		s.Interactions = smallgroup.Worth{Individuals: s.Individuals, Sum: float64(times[i].sum), Largest: float64(times[i].largest)}
		s.Worth = money[i].report()
	}
	return r
}
