package cohort

import (
	"time"

	"github.com/acquaint/acquaint/insight"
)

// Stickiness counts individuals by the number of buckets in which they were active.
type Stickiness struct {
	matches    func(*insight.Interaction) bool
	asOf       time.Time
	buckets    Buckets
	tally      []int // by number of active buckets
	population int
}

// StickinessReport is the stickiness of a population.
type StickinessReport struct {
	Population int               // individuals, also those who were never active
	Counts     []StickinessCount // one for each number from 1 to that of the buckets that have begun
}

// StickinessCount is how many individuals were active in so many buckets.
type StickinessCount struct {
	ActiveBuckets int
	Individuals   int
}

// NewStickiness makes a tally of nobody. The options are such that Validate accepts.
func NewStickiness(o ActivityOptions) *Stickiness {
	buckets, _ := o.Between(o.From, o.To)
	return &Stickiness{matches: matcher(o.Event), asOf: o.AsOf, buckets: buckets, tally: make([]int, buckets.Len()+1)}
}

// Add takes in one individual.
func (s *Stickiness) Add(h *insight.History) {
	s.population++
	t := h.Timeline.AsOf(s.asOf)
	bounds := s.buckets.bounds
	active, last, i := 0, -1, 0
	for _, x := range t[position(t, bounds[0]):position(t, bounds[len(bounds)-1])] {
		i = s.buckets.seek(i, x.OccurredAt.UnixMicro())
		if i != last && s.matches(x) {
			active, last = active+1, i
		}
	}
	s.tally[active]++
}

// Merge takes in all that another tally of the same options holds.
func (s *Stickiness) Merge(other *Stickiness) {
	s.population += other.population
	for i, n := range other.tally {
		s.tally[i] += n
	}
}

// Report is the answer about all who were taken in.
func (s *Stickiness) Report() StickinessReport {
	r := StickinessReport{Population: s.population, Counts: []StickinessCount{}}
	for n := 1; n <= s.buckets.begun(s.asOf); n++ {
		r.Counts = append(r.Counts, StickinessCount{ActiveBuckets: n, Individuals: s.tally[n]})
	}
	return r
}
