package attribution

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/exact"
)

// Report is what the conversions of a population are owed to.
type Report struct {
	Population  int     // individuals, also those without a journey
	Journeys    int     // with a touch: Conversions and Nulls
	Conversions int     // attributed: the credits add up to them
	Value       float64 // of the attributed conversions
	Nulls       int     // journeys that have not converted
	Converters  int     // individuals with an attributed conversion

	Unattributed           int // conversions without a touch before them
	UnattributedValue      float64
	UnattributedConverters int // individuals with one

	Channels []Credit // every channel that was touched: the most conversions first, then by key
}

// Credit is what one channel has of the conversions.
type Credit struct {
	Channel       *insight.Channel
	Conversions   float64
	Value         float64  // below zero where conversions cost more than they brought
	Share         *float64 // of the conversions, 0 to 1; nil when there are none
	RemovalEffect *float64 // by MARKOV, 0 to 1; nil by other models and when there are no conversions
	// Converters are the individuals who contributed to the credit: with a conversion
	// of which the channel has a share, or by MARKOV whose path touches the channel.
	Converters int
}

// Report answers for all that were added. It refuses with insight.Conflict values
// that add up to more than a float64 holds, and a chain that cannot be solved.
func (t *Tally) Report() (Report, error) {
	r := Report{
		Population: t.population, Journeys: int(t.conversions + t.nulls), Conversions: int(t.conversions), Nulls: int(t.nulls),
		Converters: t.converters, Unattributed: int(t.unattributed), UnattributedConverters: t.unattributedConverters,
		Value: t.value.Float64(), UnattributedValue: t.unattributedValue.Float64(), Channels: make([]Credit, len(t.accounts)),
	}
	for i := range t.accounts {
		a := &t.accounts[i]
		r.Channels[i] = Credit{Channel: a.channel, Conversions: a.conversions.Float64(), Value: a.value.Float64(), Converters: a.converters}
	}
	if t.options.Model == Markov && t.conversions > 0 {
		if err := t.remove(r.Channels); err != nil {
			return Report{}, err
		}
	}
	whole := !math.IsInf(r.Value, 0) && !math.IsInf(r.UnattributedValue, 0)
	for i := range r.Channels {
		c := &r.Channels[i]
		whole = whole && !math.IsInf(c.Value, 0) && !math.IsNaN(c.Value)
		if t.conversions > 0 {
			share := min(c.Conversions/float64(t.conversions), 1)
			c.Share = &share
		}
	}
	if !whole {
		return Report{}, insight.NewError(insight.Conflict, "conversion", "the values of its interactions add up to more than a number holds")
	}
	slices.SortFunc(r.Channels, func(a, b Credit) int {
		return cmp.Or(cmp.Compare(b.Conversions, a.Conversions), strings.Compare(a.Channel.Key, b.Channel.Key))
	})
	return r, nil
}

// remove credits each account by MARKOV: it takes each channel out in turn and sees
// what is lost. At least one journey converted.
func (t *Tally) remove(credits []Credit) error {
	n := len(t.accounts)
	// The chain as it was counted needs no solving: its probabilities are shares of
	// the very journeys, so that it brings back what they brought.
	lost := newLosses(n, float64(t.conversions)/float64(t.conversions+t.nulls), func(int) float64 { return 1 })
	perJourney := func(of func(*account) *exact.Sum) losses {
		var all exact.Sum
		for i := range t.accounts {
			all.Merge(of(&t.accounts[i]))
		}
		return newLosses(n, all.Float64()/float64(t.conversions+t.nulls), func(i int) float64 {
			return of(&t.accounts[i]).Float64() / float64(max(t.accounts[i].ends, 1))
		})
	}
	gain := perJourney(func(a *account) *exact.Sum { return &a.gained })
	cost := perJourney(func(a *account) *exact.Sum { return &a.lost })

	byKey := make([]int32, n)
	for i := range byKey {
		byKey[i] = int32(i)
	}
	slices.SortFunc(byKey, func(a, b int32) int { return strings.Compare(t.accounts[a].channel.Key, t.accounts[b].channel.Key) })
	rank := make([]int32, n)
	for place, i := range byKey {
		rank[i] = int32(place)
	}
	y := newSystem(&t.chain, rank)
	s := y.solution()
	all := []*losses{&lost, &gain, &cost}
	for _, l := range all {
		l.leads = y.reaches(n, func(i int32) bool { return l.mean[i] > 0 })
	}
	for _, i := range byKey {
		if !lost.leads[i] {
			continue // nothing that enters it converts
		}
		if err := s.without(i, effort); err != nil {
			return err
		}
		for _, l := range all {
			l.without(s)
		}
	}
	shares, gains, costs := lost.shares(byKey), gain.shares(byKey), cost.shares(byKey)
	journeys := float64(t.conversions + t.nulls)
	for i := range credits {
		effect := lost.of[i] / lost.whole
		credits[i].RemovalEffect = &effect
		credits[i].Conversions = shares[i] * float64(t.conversions)
		credits[i].Value = gains[i]*(gain.whole*journeys) - costs[i]*(cost.whole*journeys)
	}
	return nil
}

// losses is what a journey brings less without each account.
type losses struct {
	whole float64   // what it brings with all of them
	mean  []float64 // what a conversion at each account brings
	leads []bool    // whether any of it comes by the account
	of    []float64
}

func newLosses(accounts int, whole float64, mean func(account int) float64) losses {
	l := losses{whole: whole, mean: make([]float64, accounts), of: make([]float64, accounts)}
	for i := range l.mean {
		l.mean[i] = mean(i)
	}
	return l
}

// without takes in what journeys bring without an account.
func (l *losses) without(s *solution) {
	if !l.leads[s.removed] {
		return
	}
	var rest float64
	for _, i := range s.live {
		rest += s.visits[i] * s.convert[i] * l.mean[s.last[i]]
	}
	l.of[s.removed] = min(max(l.whole-rest, 0), l.whole)
}

// shares is what each account has of all losses. They are added in an order that
// does not depend on what came first.
func (l *losses) shares(order []int32) []float64 {
	shares := make([]float64, len(l.of))
	var all float64
	for _, i := range order {
		all += l.of[i]
	}
	if all > 0 {
		for i := range shares {
			shares[i] = l.of[i] / all
		}
	}
	return shares
}
