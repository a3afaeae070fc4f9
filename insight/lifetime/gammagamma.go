package lifetime

import (
	"cmp"
	"math"
	"slices"
)

// gammagamma is the model of spend of Fader, Hardie and Lee (2005), as Fader and
// Hardie, "The Gamma-Gamma Model of Monetary Value" (2013), write it. What one
// purchase is worth is gamma distributed with shape p and a rate of the
// individual's own, which is gamma distributed with shape q and rate v.
type gammagamma struct{ p, q, v float64 }

// spending is who spent how much: what the likelihood of spend is computed over.
type spending struct {
	numbers []float64 // the distinct numbers of spends
	weights []float64 // of the individuals of each
	spends  []spend   // by number, then mean
	weight  float64
	steady  float64 // the sum of -ln mean
	logs    float64 // the sum of n (ln n + ln mean), whose factor is p
}

type spend struct {
	number int32 // its place among numbers
	weight float64
	total  float64 // n times the mean, in the unit of the fit
}

// newSpending gathers those of records who have a spend, money in so many of a unit.
func newSpending(records []record, weight func(i int) float64, unit float64) *spending {
	order := make([]int, 0, len(records))
	for i := range records {
		if records[i].spends > 0 && weight(i) > 0 {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(i, j int) int {
		a, b := &records[i], &records[j]
		if c := cmp.Compare(a.spends, b.spends); c != 0 {
			return c
		}
		if c := cmp.Compare(a.mean, b.mean); c != 0 {
			return c
		}
		return cmp.Compare(i, j)
	})
	g := &spending{spends: make([]spend, 0, len(order))}
	var whole, steady, logs sum
	for _, i := range order {
		r, w := &records[i], weight(i)
		n := float64(r.spends)
		if k := len(g.numbers); k == 0 || g.numbers[k-1] != n {
			g.numbers = append(g.numbers, n)
			g.weights = append(g.weights, 0)
		}
		here := len(g.numbers) - 1
		g.weights[here] += w
		mean := r.mean * unit
		g.spends = append(g.spends, spend{number: int32(here), weight: w, total: n * mean})
		whole.add(w)
		steady.add(-w * math.Log(mean))
		logs.add(w * n * math.Log(n*mean))
	}
	g.weight, g.steady, g.logs = whole.value(), steady.value(), logs.value()
	return g
}

// logLikelihood is the sum over the individuals of lnG(pn+q) - lnG(pn) - lnG(q) +
// q ln v + (pn-1) ln z + pn ln n - (pn+q) ln(n z + v), with n spends of mean z.
func (m gammagamma) logLikelihood(g *spending) float64 {
	var total sum
	for i, n := range g.numbers {
		total.add(g.weights[i] * (lgamma(m.p*n+m.q) - lgamma(m.p*n)))
	}
	total.add(g.weight * (m.q*math.Log(m.v) - lgamma(m.q)))
	total.add(g.steady)
	total.add(m.p * g.logs)
	for i := range g.spends {
		s := &g.spends[i]
		total.add(-s.weight * (m.p*g.numbers[s.number] + m.q) * math.Log(s.total+m.v))
	}
	return total.value()
}

// mean is p(v + n z)/(p n + q - 1), and false where no mean exists.
func (m gammagamma) mean(s Summary) (float64, bool) {
	n := float64(s.Spends)
	below := m.p*n + m.q - 1
	if !(below > 0) {
		return 0, false
	}
	value := m.p * (m.v + n*s.MeanSpend) / below
	return value, !math.IsInf(value, 0) && !math.IsNaN(value)
}
