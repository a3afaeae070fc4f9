package simulate

import (
	"math"
	"math/rand/v2"

	"github.com/acquaint/acquaint/insight"
)

// law is a chain made ready to be drawn from.
//
// Journeys are independent, and P of them convert; so there are (1-P)/P journeys
// without a purchase for each one with. How they are dealt out to people and to
// time changes nothing about that, so the purchase process decides when the
// purchases are, and the others go where there is room. Prospects take some off
// the customers' first purchases.
type law struct {
	start      []float64   // cumulative
	next       [][]float64 // cumulative: the channels, then conversion, then quiet
	roles      []role
	keys       []string
	nulls      float64 // mean number of journeys without a purchase for a repeat purchase
	firstNulls float64 // and for a first one
}

func newLaw(c Chain, t *Truth) (law, error) {
	if err := c.check(); err != nil {
		return law{}, err
	}
	conversion, err := c.Conversion()
	if err != nil {
		return law{}, err
	}
	// Paths are drawn by rejection, which a rarer end would make slow.
	if conversion < .02 || conversion > .98 {
		return law{}, insight.NewError(insight.Invalid, "chain", "between 2 % and 98 % of the journeys must convert")
	}
	l := law{keys: c.Channels, start: cumulative(c.Start), nulls: (1 - conversion) / conversion}
	for i, row := range c.Next {
		l.next = append(l.next, cumulative(append(append([]float64(nil), row...), c.Convert[i], c.Quiet[i])))
		l.roles = append(l.roles, roles[c.Channels[i]])
	}
	l.firstNulls = l.nulls
	if t.Prospects > 0 {
		l.firstNulls -= t.ProspectJourneys * t.Prospects / (1 - t.Prospects)
	}
	if l.firstNulls < 0 || t.Prospects == 1 {
		return law{}, insight.NewError(insight.Invalid, "prospects", "their journeys are more than the chain's conversion leaves over")
	}
	return l, nil
}

func cumulative(row []float64) []float64 {
	out, sum := make([]float64, len(row)), 0.0
	for i, p := range row {
		sum += p
		out[i] = sum
	}
	return out
}

// draw is the first entry of a cumulative row that a uniform number lies under.
func draw(row []float64, rng *rand.Rand) int {
	u := rng.Float64() * row[len(row)-1]
	for i, upTo := range row {
		if u < upTo {
			return i
		}
	}
	return len(row) - 1
}

// path draws a journey that ends as asked, by rejection.
func (l *law) path(into []int, converted bool, rng *rand.Rand) []int {
	for {
		into = into[:0]
		at := draw(l.start, rng)
		for at < len(l.keys) {
			into = append(into, at)
			at = draw(l.next[at], rng)
		}
		if (at == len(l.keys)) == converted {
			return into
		}
	}
}

// geometric draws the number of failures before a success, with the given mean.
func geometric(mean float64, rng *rand.Rand) int {
	if mean <= 0 {
		return 0
	}
	return int(math.Floor(-rng.ExpFloat64() / math.Log(mean/(1+mean))))
}
