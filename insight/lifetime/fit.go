package lifetime

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/acquaint/acquaint/insight"
)

// Fewest is how many individuals a population must have who have purchased, and
// how many who have a spend on a later day, before anything is fitted to it.
const Fewest = 10

// Parameter is one of a model's numbers.
type Parameter struct {
	Name  string
	Value float64
}

// Fit is a model under which what a population did is likeliest. It holds all that
// it answers from.
type Fit struct {
	Model              Model
	Parameters         []Parameter // r alpha a b, or r alpha s beta; alpha and beta in weeks
	LogLikelihood      float64
	Spend              []Parameter // p q v, v in money; nil when spend cannot be told
	SpendLogLikelihood *float64    // nil when Spend is
	SpendUnknown       string      // why Spend is nil; else empty
}

// law is one of the models with its parameters.
type law interface {
	logLikelihood(*grid) float64
	alive(Summary) float64
	expected(s Summary, weeks float64) float64 // of one who is still a customer
	expectedNew(weeks float64) float64
}

func newLaw(model Model, p [4]float64) law {
	if model == ParetoNBD {
		return paretonbd{p[0], p[1], p[2], p[3]}
	}
	return bgnbd{p[0], p[1], p[2], p[3]}
}

var (
	lawNames   = map[Model][4]string{BGNBD: {"r", "alpha", "a", "b"}, ParetoNBD: {"r", "alpha", "s", "beta"}}
	spendNames = [3]string{"p", "q", "v"}
)

// Where the search starts, as the parameters' own values: time in tenths of the
// oldest individual's age, money in the mean spend.
var (
	lawStarts = map[Model][][4]float64{
		BGNBD:     {{0.3, 1, 0.8, 2.5}, {1.5, 4, 0.3, 3}, {1, 0.3, 2, 2}},
		ParetoNBD: {{0.5, 2, 0.5, 3}, {1.5, 4, 1, 10}, {1, 0.5, 0.3, 1}},
	}
	spendStarts = [][3]float64{{6, 4, 0.5}, {2, 3, 1}, {1, 10, 8}}
)

// Fit finds the parameters under which what the population did is likeliest. It
// fails with an insight.Conflict error, which says why, where there are fewer than
// [Fewest] individuals who have purchased, where nobody has purchased on a later
// day, or where no parameters are likeliest. Spend is not told where the same holds
// of it; that is no failure.
func (p *Purchases) Fit() (*Fit, error) {
	p.settle()
	var buyers, repeaters int64
	var oldest int32
	for i := range p.records {
		r := &p.records[i]
		buyers += r.count
		oldest = max(oldest, r.age)
		if r.repeats > 0 {
			repeaters += r.count
		}
	}
	switch {
	case buyers < Fewest:
		return nil, insight.NewError(insight.Conflict, "lifetime", "fewer than 10 individuals have purchased; that is too few to fit a model")
	case repeaters == 0:
		return nil, insight.NewError(insight.Conflict, "lifetime", "nobody has purchased on a second day, so how often people come back cannot be told")
	}
	f := &Fit{Model: p.options.Model}
	unit := 10 / float64(oldest) // of time, a day
	parameters, ok := p.fitLaw(repeaters, unit)
	if !ok {
		return nil, insight.NewError(insight.Conflict, "lifetime", "no parameters of the model "+string(f.Model)+" are likeliest for this population: it has too few repeat purchases, or buys in a way that the model does not describe; try the other model")
	}
	toWeeks := 1 / (7 * unit)
	parameters[1] *= toWeeks
	if f.Model == ParetoNBD {
		parameters[3] *= toWeeks
	}
	for i, name := range lawNames[f.Model] {
		f.Parameters = append(f.Parameters, Parameter{name, parameters[i]})
	}
	f.LogLikelihood = newLaw(f.Model, parameters).logLikelihood(newGrid(p.records, p.weight, 1.0/7))
	if math.IsNaN(f.LogLikelihood) || math.IsInf(f.LogLikelihood, 0) {
		return nil, insight.NewError(insight.Conflict, "lifetime", "the likelihood of this population cannot be computed")
	}
	p.fitSpend(f)
	return f, nil
}

func (p *Purchases) weight(i int) float64 { return float64(p.records[i].count) }

// sampled is how many individuals the search for a start goes over.
const sampled = 3_000

// thin returns weights for a sample of the individuals that wanted selects, every
// so manyth in order, each with the weight of those that it stands for; and for all
// others their own.
func (p *Purchases) thin(of int64, wanted func(*record) bool) func(i int) float64 {
	if of <= 2*sampled {
		return p.weight
	}
	every := float64(of) / sampled
	weights := make([]float64, len(p.records))
	var passed, taken float64
	for i := range p.records {
		r := &p.records[i]
		if !wanted(r) {
			weights[i] = float64(r.count)
			continue
		}
		passed += float64(r.count)
		for ; (taken+0.5)*every <= passed; taken++ {
			weights[i] += every
		}
	}
	return func(i int) float64 { return weights[i] }
}

func (p *Purchases) fitLaw(repeaters int64, unit float64) (parameters [4]float64, ok bool) {
	model := p.options.Model
	on := func(g *grid) objective {
		return func(at []float64) float64 {
			return -newLaw(model, [4]float64(exponents(at))).logLikelihood(g)
		}
	}
	few := on(newGrid(p.records, p.thin(repeaters, func(r *record) bool { return r.repeats > 0 }), unit))
	all := on(newGrid(p.records, p.weight, unit))
	starts := make([][]float64, 0, 3)
	for _, s := range lawStarts[model] {
		starts = append(starts, logarithms(s[:]))
	}
	at, ok := climb(all, few, starts)
	return [4]float64(exponents(at)), ok
}

func (p *Purchases) fitSpend(f *Fit) {
	var spenders int64
	var total sum
	for i := range p.records {
		if r := &p.records[i]; r.spends > 0 {
			spenders += r.count
			total.add(float64(r.count) * r.mean)
		}
	}
	switch {
	case spenders == 0:
		f.SpendUnknown = "nobody has spent anything on a second day"
		return
	case spenders < Fewest:
		f.SpendUnknown = "fewer than 10 individuals have spent anything on a second day; that is too few to fit a model"
		return
	}
	unit := float64(spenders) / total.value()
	on := func(g *spending) objective {
		return func(at []float64) float64 {
			m := exponents(at)
			return -gammagamma{m[0], m[1], m[2]}.logLikelihood(g)
		}
	}
	spends := func(r *record) bool { return r.spends > 0 }
	few := on(newSpending(p.records, p.thin(spenders, spends), unit))
	all := on(newSpending(p.records, p.weight, unit))
	starts := make([][]float64, 0, 3)
	for _, s := range spendStarts {
		starts = append(starts, logarithms(s[:]))
	}
	at, ok := climb(all, few, starts)
	m := exponents(at)
	m[2] /= unit
	l := gammagamma{m[0], m[1], m[2]}.logLikelihood(newSpending(p.records, p.weight, 1))
	if !ok || math.IsNaN(l) || math.IsInf(l, 0) {
		f.SpendUnknown = "no parameters of the model of spend are likeliest for this population: too few have spent, or all alike"
		return
	}
	for i, name := range spendNames {
		f.Spend = append(f.Spend, Parameter{name, m[i]})
	}
	f.SpendLogLikelihood = &l
}

// climb wanders from each start over few individuals, and goes the rest of the way
// over all of them, from where it is best or, where that leads nowhere, from the
// others. As a last resort it wanders over all of them too.
func climb(all, few objective, starts [][]float64) ([]float64, bool) {
	type camp struct {
		at    []float64
		value float64
	}
	camps := make([]camp, len(starts))
	for i, start := range starts {
		camps[i].at, camps[i].value = wander(few, start)
	}
	slices.SortStableFunc(camps, func(a, b camp) int { return cmp.Compare(a.value, b.value) })
	for _, c := range camps {
		if at, ok := descend(all, few, c.at); ok {
			return at, true
		}
	}
	at, _ := wander(all, camps[0].at)
	return descend(all, all, at)
}

func logarithms(values []float64) []float64 {
	logs := make([]float64, len(values))
	for i, v := range values {
		logs[i] = math.Log(v)
	}
	return logs
}

func exponents(logs []float64) []float64 {
	values := make([]float64, len(logs))
	for i, l := range logs {
		values[i] = math.Exp(l)
	}
	return values
}

func (f *Fit) law() law {
	var p [4]float64
	for i := range p {
		p[i] = f.Parameters[i].Value
	}
	return newLaw(f.Model, p)
}

func (f *Fit) gammagamma() gammagamma {
	return gammagamma{f.Spend[0].Value, f.Spend[1].Value, f.Spend[2].Value}
}

// Alive is the probability that an individual is still a customer, from 0 to 1.
func (f *Fit) Alive(s Summary) float64 { return f.law().alive(s) }

// Expected is how many days of purchase are expected of an individual within a
// horizon from asOf.
func (f *Fit) Expected(s Summary, horizon time.Duration) float64 {
	l := f.law()
	return l.alive(s) * l.expected(s, inWeeks(horizon))
}

// ExpectedNew is how many days of purchase are expected of somebody new within a
// horizon from the first purchase, which does not count.
func (f *Fit) ExpectedNew(horizon time.Duration) float64 {
	return f.law().expectedNew(inWeeks(horizon))
}

// MeanSpend is what a day of purchase of an individual is expected to be worth,
// and false where that cannot be told. Of one who has no spend it is the
// population's mean, p v/(q-1), which exists for q over 1 only.
func (f *Fit) MeanSpend(s Summary) (float64, bool) {
	if f.Spend == nil {
		return 0, false
	}
	return f.gammagamma().mean(s)
}

// Future is what is expected of one individual within a horizon.
type Future struct {
	ProbabilityAlive float64
	ExpectedCount    float64  // days of purchase
	ExpectedValue    *float64 // what those are worth; nil when spend cannot be told
}

// Future answers for one individual.
func (f *Fit) Future(s Summary, horizon time.Duration) Future {
	future := Future{ProbabilityAlive: f.Alive(s), ExpectedCount: f.Expected(s, horizon)}
	if spend, ok := f.MeanSpend(s); ok {
		value := future.ExpectedCount * spend
		future.ExpectedValue = &value
	}
	return future
}

func inWeeks(d time.Duration) float64 { return float64(d) / float64(insight.Week) }
