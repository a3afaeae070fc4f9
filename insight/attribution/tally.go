package attribution

import (
	"bytes"
	"cmp"
	"math"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/exact"
)

// Tally gathers what individuals contribute to a report. It keeps no paths: shares
// are added up at once, and for [Markov] the steps of the chain are counted. It is
// not safe for concurrent use; tallies of parts of a population are merged.
type Tally struct {
	options  Options
	converts func(*insight.Interaction) bool
	touches  func(*insight.Interaction) bool

	population             int // individuals, also those without a journey
	converters             int // individuals with an attributed conversion
	unattributedConverters int
	conversions            int64
	nulls                  int64
	unattributed           int64
	value                  exact.Sum
	unattributedValue      exact.Sum

	accounts []account
	byKey    map[string]int32
	known    map[*insight.Channel]int32 // to find an account without reading its key
	chain    chain                      // of Markov alone

	path   path // of the journey at hand
	shares []float64
	paths  int // converted so far, to tell them apart
}

// account is one channel's.
type account struct {
	channel    *insight.Channel
	converters int
	individual int // the last of converters, by their number in the population
	path       int // the last path that was seen to touch it
	// Credit in all models but Markov.
	conversions, value exact.Sum
	// Of conversions that end on it, for Markov: how many, and their values above
	// and below zero.
	ends         int64
	gained, lost exact.Sum
}

// path is the touches of one journey.
type path struct {
	accounts  []int32
	at        []time.Time
	nonDirect int // the last touch that is not direct; -1 when all are
}

func (p *path) clear() { p.accounts, p.at, p.nonDirect = p.accounts[:0], p.at[:0], -1 }

// maxKnown bounds the channels known by their address, for a caller who makes a new
// one for each interaction.
const maxKnown = 1 << 12

// NewTally returns an empty tally. The options are ones that [Options.Validate]
// accepts.
func NewTally(options Options) *Tally {
	t := &Tally{
		options:  options,
		converts: options.Conversion.Matcher(),
		touches:  options.Touch.Matcher(),
		byKey:    map[string]int32{},
		known:    map[*insight.Channel]int32{},
		chain:    newChain(options.Order),
	}
	t.path.clear()
	return t
}

// Add takes in one individual, whole. It keeps nothing of h but channels.
func (t *Tally) Add(h *insight.History) {
	t.population++
	t.path.clear()
	converters, unattributed := t.conversions, t.unattributed
	var last time.Time
	for _, x := range h.Timeline.AsOf(t.options.AsOf) {
		converts := t.converts(x)
		if !converts && (x.Channel == nil || !t.touches(x)) {
			continue
		}
		if x.OccurredAt.Sub(last) > t.options.Lookback {
			t.lapse(1)
		}
		last = x.OccurredAt
		if converts {
			t.convert(1, worth(x))
		} else {
			t.touch(x.Channel, last)
		}
	}
	t.lapse(1)
	if t.conversions > converters {
		t.converters++
	}
	if t.unattributed > unattributed {
		t.unattributedConverters++
	}
}

// worth is a conversion's value.
func worth(x *insight.Interaction) float64 {
	if x.Value == nil || math.IsNaN(*x.Value) || math.IsInf(*x.Value, 0) {
		return 0
	}
	return *x.Value
}

func (t *Tally) touch(c *insight.Channel, at time.Time) {
	if c.Kind != insight.DirectChannel {
		t.path.nonDirect = len(t.path.accounts)
	}
	t.path.accounts = append(t.path.accounts, t.account(c))
	t.path.at = append(t.path.at, at)
}

// account finds or opens a channel's account.
func (t *Tally) account(c *insight.Channel) int32 {
	if i, ok := t.known[c]; ok {
		return i
	}
	i, ok := t.byKey[c.Key]
	if !ok {
		i = int32(len(t.accounts))
		t.byKey[c.Key] = i
		t.accounts = append(t.accounts, account{channel: c})
	}
	if len(t.known) < maxKnown {
		t.known[c] = i
	}
	t.accounts[i].channel = elder(t.accounts[i].channel, c)
	return i
}

// elder is the one of two channels of the same key that is shown, whichever came
// first.
func elder(a, b *insight.Channel) *insight.Channel {
	if cmp.Or(bytes.Compare(a.ID[:], b.ID[:]), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind)) <= 0 {
		return a
	}
	return b
}

// lapse ends the journey at hand, if there is one, without a conversion, so many
// times.
func (t *Tally) lapse(times int64) {
	if len(t.path.accounts) == 0 {
		return
	}
	t.nulls += times
	if t.options.Model == Markov {
		t.chain.walk(t.path.accounts, 0, times)
	}
	t.path.clear()
}

// convert ends the journey at hand with so many conversions of a value together.
func (t *Tally) convert(conversions int64, value float64) {
	n := len(t.path.accounts)
	if n == 0 {
		t.unattributed += conversions
		t.unattributedValue.Add(value)
		return
	}
	t.paths++
	t.conversions += conversions
	t.value.Add(value)
	if t.options.Model == Markov {
		t.chain.walk(t.path.accounts, conversions, 0)
		end := &t.accounts[t.path.accounts[n-1]]
		end.ends += conversions
		end.gained.Add(max(value, 0))
		end.lost.Add(max(-value, 0))
		for _, i := range t.path.accounts {
			t.credited(&t.accounts[i])
		}
	} else {
		t.share()
		for k, i := range t.path.accounts {
			if share := t.shares[k]; share > 0 {
				a := &t.accounts[i]
				t.credited(a)
				a.conversions.Add(share * float64(conversions))
				a.value.Add(share * value)
			}
		}
	}
	t.path.clear()
}

// credited counts the individual at hand, once, among an account's converters.
func (t *Tally) credited(a *account) {
	if a.individual != t.population {
		a.individual = t.population
		a.converters++
	}
}

// share sets what each touch of the path at hand has of its conversion.
func (t *Tally) share() {
	n := len(t.path.accounts)
	t.shares = t.shares[:0]
	for range n {
		t.shares = append(t.shares, 0)
	}
	s := t.shares
	switch t.options.Model {
	case First:
		s[0] = 1
	case Last:
		s[n-1] = 1
	case LastNonDirect:
		if t.path.nonDirect >= 0 {
			s[t.path.nonDirect] = 1
		} else {
			s[n-1] = 1
		}
	case Linear:
		for k := range s {
			s[k] = 1 / float64(n)
		}
	case Position:
		t.byPosition()
	case TimeDecay:
		t.byAge()
	case Shapley:
		t.byDistinct()
	}
}

func (t *Tally) byPosition() {
	n := len(t.shares)
	switch n {
	case 1:
		t.shares[0] = 1
	case 2:
		t.shares[0], t.shares[1] = .5, .5
	default:
		for k := range t.shares {
			t.shares[k] = .2 / float64(n-2)
		}
		t.shares[0], t.shares[n-1] = .4, .4
	}
}

func (t *Tally) byAge() {
	youngest := t.path.at[len(t.path.at)-1]
	var all float64
	for k, at := range t.path.at {
		t.shares[k] = math.Exp2(-float64(youngest.Sub(at)) / float64(HalfLife))
		all += t.shares[k]
	}
	for k := range t.shares {
		t.shares[k] /= all
	}
}

func (t *Tally) byDistinct() {
	distinct := 0
	for k, i := range t.path.accounts {
		if a := &t.accounts[i]; a.path != t.paths {
			a.path = t.paths
			t.shares[k] = 1
			distinct++
		}
	}
	for k := range t.shares {
		t.shares[k] /= float64(distinct)
	}
}

// Merge takes in all that o holds, which stays as it is: of individuals that are not
// in t, by the same options.
func (t *Tally) Merge(o *Tally) {
	t.population += o.population
	t.converters += o.converters
	t.unattributedConverters += o.unattributedConverters
	t.conversions += o.conversions
	t.nulls += o.nulls
	t.unattributed += o.unattributed
	t.value.Merge(&o.value)
	t.unattributedValue.Merge(&o.unattributedValue)
	mine := make([]int32, len(o.accounts))
	for i := range o.accounts {
		theirs := &o.accounts[i]
		mine[i] = t.account(theirs.channel)
		a := &t.accounts[mine[i]]
		a.converters += theirs.converters
		a.conversions.Merge(&theirs.conversions)
		a.value.Merge(&theirs.value)
		a.ends += theirs.ends
		a.gained.Merge(&theirs.gained)
		a.lost.Merge(&theirs.lost)
	}
	t.chain.merge(&o.chain, mine)
}
