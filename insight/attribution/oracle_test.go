package attribution_test

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/attribution"
)

// What follows answers by plain loops, from all paths at once.

type path struct {
	keys                      []string
	direct                    []bool
	ages                      []time.Duration
	conversions, value, nulls float64
}

type credit struct{ conversions, value, removal float64 }

// journeys splits one individual's ordered timeline.
func journeys(timeline insight.Timeline, o attribution.Options) (paths []path, unattributed int, worth float64) {
	type event struct {
		*insight.Interaction
		converts bool
	}
	var events []event
	for _, x := range timeline {
		converts := o.Conversion.Matches(x)
		if !x.OccurredAt.After(o.AsOf) && (converts || x.Channel != nil && o.Touch.Matches(x)) {
			events = append(events, event{x, converts})
		}
	}
	for from := 0; from < len(events); {
		to := from
		for !events[to].converts && to+1 < len(events) && events[to+1].OccurredAt.Sub(events[to].OccurredAt) <= o.Lookback {
			to++
		}
		end := events[to]
		var p path
		for _, e := range events[from : to+1] {
			if !e.converts {
				p.keys = append(p.keys, e.Channel.Key)
				p.direct = append(p.direct, e.Channel.Kind == insight.DirectChannel)
				p.ages = append(p.ages, end.OccurredAt.Sub(e.OccurredAt))
			}
		}
		p.conversions, p.nulls = 0, 1
		if end.converts {
			p.conversions, p.nulls = 1, 0
			if end.Value != nil {
				p.value = *end.Value
			}
		}
		if len(p.keys) == 0 {
			unattributed++
			worth += p.value
		} else {
			paths = append(paths, p)
		}
		from = to + 1
	}
	return paths, unattributed, worth
}

func channelsOf(paths []path) []string {
	var keys []string
	for _, p := range paths {
		keys = append(keys, p.keys...)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func oracle(paths []path, o attribution.Options) map[string]credit {
	switch o.Model {
	case attribution.Markov:
		return markov(paths, o.Order)
	case attribution.Shapley:
		return shapley(paths)
	}
	credits := map[string]credit{}
	for _, p := range paths {
		n := len(p.keys)
		weights := make([]float64, n)
		var all float64
		for i := range weights {
			switch o.Model {
			case attribution.First:
				weights[i] = flag(i == 0)
			case attribution.Last:
				weights[i] = flag(i == n-1)
			case attribution.LastNonDirect:
				later := !slices.Contains(p.direct[i+1:], false)
				weights[i] = flag(later && !p.direct[i] || i == n-1 && !slices.Contains(p.direct, false))
			case attribution.Linear:
				weights[i] = 1
			case attribution.Position:
				switch {
				case n <= 2:
					weights[i] = 1
				case i == 0 || i == n-1:
					weights[i] = 40
				default:
					weights[i] = 20 / float64(n-2)
				}
			case attribution.TimeDecay:
				weights[i] = math.Pow(2, -p.ages[i].Hours()/24/7)
			}
			all += weights[i]
		}
		for i, key := range p.keys {
			c := credits[key]
			c.conversions += weights[i] / all * p.conversions
			c.value += weights[i] / all * p.value
			credits[key] = c
		}
	}
	return credits
}

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// shapley is the formula, over all coalitions.
func shapley(paths []path) map[string]credit {
	keys := channelsOf(paths)
	n := len(keys)
	v := make([]credit, 1<<n)
	for s := range v {
		for _, p := range paths {
			inside := true
			for _, key := range p.keys {
				inside = inside && s>>slices.Index(keys, key)&1 == 1
			}
			if inside {
				v[s].conversions += p.conversions
				v[s].value += p.value
			}
		}
	}
	factorial := func(n int) float64 {
		f := 1.
		for i := 2; i <= n; i++ {
			f *= float64(i)
		}
		return f
	}
	credits := map[string]credit{}
	for i, key := range keys {
		var c credit
		for s := range v {
			if s>>i&1 == 1 {
				continue
			}
			size := 0
			for j := range n {
				size += s >> j & 1
			}
			weight := factorial(size) * factorial(n-size-1) / factorial(n)
			c.conversions += weight * (v[s|1<<i].conversions - v[s].conversions)
			c.value += weight * (v[s|1<<i].value - v[s].value)
		}
		credits[key] = c
	}
	return credits
}

// markov solves (1-Q) p = r for the whole chain and without each channel, with texts
// for states.
func markov(paths []path, order int) map[string]credit {
	const begin, converted, null = "", "(conversion)", "(null)"
	counts := map[string]map[string]float64{}
	count := func(from, to string, n float64) {
		if counts[from] == nil {
			counts[from] = map[string]float64{}
		}
		counts[from][to] += n
	}
	ends, gained, lost := map[string]float64{}, map[string]float64{}, map[string]float64{}
	var conversions, gain, cost float64
	for _, p := range paths {
		keys := slices.Compact(slices.Clone(p.keys))
		at := begin
		for i := range keys {
			to := strings.Join(keys[max(0, i+1-order):i+1], ">")
			count(at, to, p.conversions+p.nulls)
			at = to
		}
		count(at, converted, p.conversions)
		count(at, null, p.nulls)
		last := keys[len(keys)-1]
		ends[last] += p.conversions
		gained[last] += max(p.value, 0)
		lost[last] += max(-p.value, 0)
		conversions += p.conversions
		gain += max(p.value, 0)
		cost += max(-p.value, 0)
	}
	lastOf := func(state string) string { return state[strings.LastIndex(state, ">")+1:] }
	var states []string
	for s := range counts {
		states = append(states, s)
	}
	slices.Sort(states)
	expected := func(removed string, mean func(last string) float64) float64 {
		n := len(states)
		a := make([][]float64, n)
		for i, s := range states {
			a[i] = make([]float64, n+1)
			a[i][i] = 1
			var all float64
			for _, c := range counts[s] {
				all += c
			}
			for to, c := range counts[s] {
				switch {
				case all == 0 || to == null || lastOf(to) == removed:
				case to == converted:
					a[i][n] += c / all * mean(lastOf(s))
				default:
					a[i][slices.Index(states, to)] -= c / all
				}
			}
		}
		return gauss(a)[slices.Index(states, begin)]
	}
	one := func(string) float64 { return 1 }
	means := func(of map[string]float64) func(string) float64 {
		return func(last string) float64 {
			if ends[last] == 0 {
				return 0
			}
			return of[last] / ends[last]
		}
	}
	credits := map[string]credit{}
	if conversions == 0 {
		return credits
	}
	keys := channelsOf(paths)
	for part, mean := range []func(string) float64{one, means(gained), means(lost)} {
		whole := expected("(nothing)", mean)
		effects := make([]float64, len(keys))
		var all float64
		for i, key := range keys {
			if whole > 0 {
				effects[i] = 1 - expected(key, mean)/whole
			}
			all += effects[i]
		}
		for i, key := range keys {
			if all == 0 {
				continue
			}
			c := credits[key]
			switch part {
			case 0:
				c.removal = effects[i]
				c.conversions = effects[i] / all * conversions
			case 1:
				c.value += effects[i] / all * gain
			case 2:
				c.value -= effects[i] / all * cost
			}
			credits[key] = c
		}
	}
	return credits
}

// gauss solves by elimination with pivots; the last column is the right-hand side.
func gauss(a [][]float64) []float64 {
	n := len(a)
	for c := range n {
		pivot := c
		for r := c; r < n; r++ {
			if math.Abs(a[r][c]) > math.Abs(a[pivot][c]) {
				pivot = r
			}
		}
		a[c], a[pivot] = a[pivot], a[c]
		for r := range n {
			if f := a[r][c] / a[c][c]; r != c && f != 0 {
				for k := c; k <= n; k++ {
					a[r][k] -= f * a[c][k]
				}
			}
		}
	}
	x := make([]float64, n)
	for i := range x {
		x[i] = a[i][n] / a[i][i]
	}
	return x
}
