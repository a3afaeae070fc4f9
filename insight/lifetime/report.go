package lifetime

import "time"

// Bands is how many bands of probability a report has, all of the same width.
const Bands = 10

// ProbabilityBand is how many individuals are still a customer with a probability from From
// to below To, or in the last band to 1 with 1.
type ProbabilityBand struct {
	From, To    float64
	Individuals int
}

// Report is what is expected of everybody within a horizon.
type Report struct {
	Fit              Fit
	Population       int // individuals, whether they have purchased or not
	Buyers           int // those who have: the bands add up to them
	AsOf             time.Time
	ExpectedCount    float64  // days of purchase in the horizon, of all buyers together
	ExpectedValue    *float64 // what those are worth; nil when spend cannot be told
	ProbabilityAlive [Bands]ProbabilityBand
}

// Report fits the model and answers for the whole population. It fails as
// [Purchases.Fit] does.
//
// The expected value is the sum over the individuals of the expected number of
// days times the expected spend of one. Who has no spend of their own is expected
// to spend what the population does. It is nil when there is a buyer whose spend
// cannot be told.
func (p *Purchases) Report() (*Report, error) {
	f, err := p.Fit()
	if err != nil {
		return nil, err
	}
	return f.Report(p), nil
}

// Report answers for a population, which need not be the one that was fitted:
// one may fit last year and look at today.
func (f *Fit) Report(p *Purchases) *Report {
	p.settle()
	r := &Report{Fit: *f, Population: p.population, AsOf: p.options.AsOf}
	for i := range r.ProbabilityAlive {
		r.ProbabilityAlive[i].From, r.ProbabilityAlive[i].To = float64(i)/Bands, float64(i+1)/Bands
	}
	horizon := inWeeks(p.options.Horizon)
	buying := f.law()
	known := f.Spend != nil
	var count, value sum
	ahead := make(map[int32]float64) // by age, of those of the same frequency
	var alive, expected float64
	for i := range p.records {
		c := &p.records[i]
		s, n := c.summary(), float64(c.count)
		sameFrequency := i > 0 && p.records[i-1].repeats == c.repeats
		if !sameFrequency {
			clear(ahead)
		}
		if !sameFrequency || p.records[i-1].last != c.last || p.records[i-1].age != c.age {
			alive = buying.alive(s)
			if _, ok := ahead[c.age]; !ok {
				ahead[c.age] = buying.expected(s, horizon)
			}
			expected = alive * ahead[c.age]
		}
		r.Buyers += int(c.count)
		r.ProbabilityAlive[min(int(alive*Bands), Bands-1)].Individuals += int(c.count)
		count.add(n * expected)
		if known {
			var mean float64
			mean, known = f.gammagamma().mean(s)
			value.add(n * expected * mean)
		}
	}
	r.ExpectedCount = count.value()
	if known {
		v := value.value()
		r.ExpectedValue = &v
	}
	return r
}
