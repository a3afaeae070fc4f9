package relationship

import (
	"time"

	"github.com/acquaint/acquaint/insight"
)

// Tally counts a population by status, one individual at a time. The trip wires in
// its options come from a pass over the population before: the recency.Habit of its
// visits.
type Tally struct {
	fold   fold
	counts map[Status]int
}

// NewTally makes a tally of nobody. The options are ones that [Options.Validate]
// accepts.
func NewTally(o Options) *Tally {
	return &Tally{fold: newFold(o), counts: make(map[Status]int, len(Statuses))}
}

// Add counts one individual, whose timeline is in order and without repetition.
func (t *Tally) Add(h *insight.History) {
	t.fold.reset()
	t.fold.timeline(h.Timeline.AsOf(t.fold.asOf))
	s := t.fold.stand(h.Refusals)
	t.counts[s.status]++
}

// Merge counts whoever o has counted too. Both have the same options; o is not
// changed.
func (t *Tally) Merge(o *Tally) {
	for status, n := range o.counts {
		t.counts[status] += n
	}
}

// Report is how many individuals stand where.
type Report struct {
	Population int
	AsOf       time.Time
	Counts     []Count // one for each of Statuses, in that order; they add up to Population
}

// Count is the number of individuals of a status.
type Count struct {
	Status      Status
	Individuals int
}

// Report answers for everyone who was added so far.
func (t *Tally) Report() Report {
	r := Report{AsOf: t.fold.asOf, Counts: make([]Count, len(Statuses))}
	for i, status := range Statuses {
		r.Counts[i] = Count{Status: status, Individuals: t.counts[status]}
		r.Population += t.counts[status]
	}
	return r
}
