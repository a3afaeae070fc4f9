package lifetime

import (
	"cmp"
	"slices"

	"github.com/acquaint/acquaint/insight"
)

// Purchases are what a population's models are fitted on: how many individuals
// have which frequency, recency, age and spend.
//
// Those who are alike in all of them are kept once, with their number: whoever
// has no spend on a later day falls together with many others. An individual
// with a spend costs 32 bytes.
type Purchases struct {
	options    Options
	matches    func(*insight.Interaction) bool
	population int
	records    []record
	tidy       int // the first so many records are in order and distinct
}

// NewPurchases returns an empty tally for options that [Options.Validate] accepts.
func NewPurchases(options *Options) *Purchases {
	return &Purchases{options: *options, matches: options.Event.Matcher()}
}

// Add takes in one individual's whole history, whose timeline is in order.
func (p *Purchases) Add(h *insight.History) {
	p.population++
	if r, ok := observe(h.Timeline, &p.options, p.matches); ok {
		p.take(r)
	}
}

// Merge takes in all that o holds, which stays as it is. Both have the same options.
func (p *Purchases) Merge(o *Purchases) {
	p.population += o.population
	for _, r := range o.records {
		p.take(r)
	}
}

// Population is how many individuals were added, whether they purchased or not.
func (p *Purchases) Population() int { return p.population }

func (p *Purchases) take(r record) {
	const slack = 1 << 12
	p.records = append(p.records, r)
	if len(p.records) > 2*p.tidy+slack {
		p.settle()
	}
}

// settle brings the records into the one order in which everything is summed, and
// puts those together that are alike.
func (p *Purchases) settle() {
	if p.tidy == len(p.records) {
		return
	}
	slices.SortFunc(p.records, compare)
	kept := p.records[:0]
	for _, r := range p.records {
		if n := len(kept); n > 0 && compare(kept[n-1], r) == 0 {
			kept[n-1].count += r.count
			continue
		}
		kept = append(kept, r)
	}
	p.records, p.tidy = kept, len(kept)
}

func compare(a, b record) int {
	if c := cmp.Compare(a.repeats, b.repeats); c != 0 {
		return c
	}
	if c := cmp.Compare(a.last, b.last); c != 0 {
		return c
	}
	if c := cmp.Compare(a.age, b.age); c != 0 {
		return c
	}
	if c := cmp.Compare(a.spends, b.spends); c != 0 {
		return c
	}
	return cmp.Compare(a.mean, b.mean)
}
