package journey

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/median"
)

// TransitionOptions are what the transitions of a population depend on beside it.
type TransitionOptions struct {
	Event    insight.Selector // which interactions exist; the zero value: all, of either direction
	Lookback time.Duration    // the longest gap within a journey, such as [DefaultLookback]
	AsOf     time.Time        // later interactions do not exist
}

// Validate refuses options that cannot be meant. It joins one insight.Invalid
// error for each fault, whose subject is the argument's name: lookback, asOf, or a
// path that starts with event.
func (o TransitionOptions) Validate() error {
	return errors.Join(o.Event.Validate("event"), Options{Lookback: o.Lookback, AsOf: o.AsOf}.Validate())
}

// Transitions counts which channel follows which in the journeys of a population.
// It is made by [NewTransitions] and not for concurrent use: tallies that were made
// apart are merged.
type Transitions struct {
	options    TransitionOptions
	matches    func(*insight.Interaction) bool // nil: everything
	population int
	channels   numbers
	pairs      []*pair
	near       [few]*[few]*pair // of the channels that were met first, by from and to
	far        map[[2]uint32]*pair
}

// few is how many channels there are but in the largest houses.
const few = 64

// pair is what is known of one channel's following another.
type pair struct {
	from, to    uint32
	count       int
	individuals int
	latest      int // the individual who made it last, as their place in the population
	times       median.Spans
}

// NewTransitions returns an empty tally. The options are ones that
// [TransitionOptions.Validate] accepts.
func NewTransitions(options TransitionOptions) *Transitions {
	return &Transitions{options: options, matches: matcher(&options.Event), channels: newNumbers(), far: make(map[[2]uint32]*pair)}
}

// Add takes in one individual's whole history, who is not in the tally yet.
func (t *Transitions) Add(h *insight.History) {
	t.population++
	way := trail{lookback: t.options.Lookback}
	var from uint32
	for _, x := range known(h.Timeline, t.options.AsOf) {
		if t.matches != nil && !t.matches(x) {
			continue
		}
		begins := way.step(x)
		if begins == nothing {
			continue
		}
		to := t.channels.of(x.Channel)
		if begins == touchpoint {
			p := t.pair(from, to)
			p.count++
			if p.latest != t.population {
				p.latest = t.population
				p.individuals++
			}
			p.times.Add(way.gap)
		}
		from = to
	}
}

// Merge takes in all of another tally, which was made with the same options of
// other individuals and stays as it is.
func (t *Transitions) Merge(o *Transitions) {
	t.population += o.population
	number := make([]uint32, len(o.channels.keys)) // in t, of the channels of o
	for i, key := range o.channels.keys {
		number[i] = t.channels.ofKey(key)
	}
	for _, p := range o.pairs {
		into := t.pair(number[p.from], number[p.to])
		into.count += p.count
		into.individuals += p.individuals
		into.times.Merge(&p.times)
	}
}

func (t *Transitions) pair(from, to uint32) *pair {
	if from < few && to < few {
		row := t.near[from]
		if row == nil {
			row = new([few]*pair)
			t.near[from] = row
		}
		if row[to] == nil {
			row[to] = t.newPair(from, to)
		}
		return row[to]
	}
	p := t.far[[2]uint32{from, to}]
	if p == nil {
		p = t.newPair(from, to)
		t.far[[2]uint32{from, to}] = p
	}
	return p
}

func (t *Transitions) newPair(from, to uint32) *pair {
	p := &pair{from: from, to: to}
	t.pairs = append(t.pairs, p)
	return p
}

// TransitionReport is which channel follows which in a population's journeys.
type TransitionReport struct {
	Population  int          // individuals, with those who made no transition
	Transitions []Transition // each pair that occurs, the most frequent first, then by keys
}

// Transition is how one channel's touchpoints are followed by another's.
type Transition struct {
	From, To    string  // the channels' keys, which differ
	Count       int     // of times; at least 1
	Individuals int     // who did so at least once
	Probability float64 // that To is next, given that From is left for anything; above 0
	Lift        float64 // Probability over the base rate of To after From; above 0

	// LiftLow and LiftHigh hold the lift at 95 %. They are nil when the pair's lift is
	// 1 whatever the counts are, because no journey could have gone otherwise.
	LiftLow, LiftHigh *float64

	MedianTime time.Duration // from the last interaction on From to the first on To
}

// Report answers for all who were added.
func (t *Transitions) Report() TransitionReport {
	r := TransitionReport{Population: t.population, Transitions: make([]Transition, 0, len(t.pairs))}
	for _, p := range t.pairs {
		between, _ := p.times.Median()
		r.Transitions = append(r.Transitions, Transition{
			From: t.channels.keys[p.from], To: t.channels.keys[p.to],
			Count: p.count, Individuals: p.individuals, MedianTime: between,
		})
	}
	slices.SortFunc(r.Transitions, func(a, b Transition) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	weigh(r.Transitions)
	return r
}

// Next returns the transitions from a channel, the most probable first; none when
// nothing was ever seen to follow it.
func (r *TransitionReport) Next(from string) []Transition {
	var next []Transition
	for _, t := range r.Transitions { // the most frequent first, and of one channel that is the most probable
		if t.From == from {
			next = append(next, t)
		}
	}
	return next
}

// After returns what follows a journey's last touchpoint, the most probable first;
// nothing follows a journey that has ended or not begun.
func (r *TransitionReport) After(j *Journey) []Transition {
	if len(j.Touchpoints) == 0 || !j.EndedAt.IsZero() {
		return nil
	}
	return r.Next(key(j.Touchpoints[len(j.Touchpoints)-1].Channel))
}
