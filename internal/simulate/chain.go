package simulate

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/acquaint/acquaint/insight"
)

// Chain is a Markov chain of order 1 over channels: how an inbound journey
// starts, which channel follows which, and how it ends. Consecutive touches of a
// journey are on different channels, so that folding them changes nothing.
//
// Start and every row (Next[i] with Convert[i] and Quiet[i]) sum to 1.
type Chain struct {
	Channels []string    // keys; the order of everything below
	Start    []float64   // Start[i]: a journey begins on channel i
	Next     [][]float64 // Next[i][j]: channel j follows channel i; the diagonal is zero
	Convert  []float64   // Convert[i]: after channel i the journey ends in a purchase, on that channel
	Quiet    []float64   // Quiet[i]: after channel i nothing follows for longer than Truth.Quiet
}

// exits is a chain's row in words: the channels that follow, and the two ends.
type exits map[string]float64

const (
	convert = "conversion"
	quiet   = "quiet"
)

func newChain(channels []string, start exits, rows map[string]exits) Chain {
	n := len(channels)
	c := Chain{Channels: channels, Start: make([]float64, n), Next: make([][]float64, n), Convert: make([]float64, n), Quiet: make([]float64, n)}
	for i, from := range channels {
		c.Start[i] = start[from]
		c.Next[i] = make([]float64, n)
		for j, to := range channels {
			c.Next[i][j] = rows[from][to]
		}
		c.Convert[i], c.Quiet[i] = rows[from][convert], rows[from][quiet]
	}
	return c
}

// Conversion is the probability that a journey ends in a purchase: s (I - N)^-1 c
// with s the start, N the transitions between channels and c the conversions
// (Kemeny and Snell, Finite Markov Chains, theorem 3.3.7). It fails with an
// Invalid error when a journey could go on forever.
func (c *Chain) Conversion() (float64, error) { return c.expect(c.Convert) }

// Visits is how often a journey comes by a channel on average: s (I - N)^-1 e with
// e one for the channel (theorem 3.2.4). It fails as [Chain.Conversion] does.
func (c *Chain) Visits(key string) (float64, error) {
	one := make([]float64, len(c.Channels))
	if i := slices.Index(c.Channels, key); i >= 0 {
		one[i] = 1
	}
	return c.expect(one)
}

// expect is the sum of what a journey gains at each of its touches, on average.
func (c *Chain) expect(gains []float64) (float64, error) {
	n := len(c.Channels)
	stay := mat.NewDense(n, n, nil)
	for i, row := range c.Next {
		for j, p := range row {
			stay.Set(i, j, -p)
		}
		stay.Set(i, i, 1-row[i])
	}
	var reach mat.VecDense
	if err := reach.SolveVec(stay, mat.NewVecDense(n, gains)); err != nil {
		return 0, insight.NewError(insight.Invalid, "chain", "some journey never ends")
	}
	return mat.Dot(mat.NewVecDense(n, c.Start), &reach), nil
}

// Without is the chain of people to whom a channel does not exist: it is never
// started on nor followed, and what remains of the start and of each row is
// scaled to sum to 1 again. The receiver is not changed.
func (c *Chain) Without(key string) Chain {
	gone := slices.Index(c.Channels, key)
	out := Chain{Channels: c.Channels, Start: slices.Clone(c.Start), Convert: slices.Clone(c.Convert), Quiet: slices.Clone(c.Quiet)}
	for _, row := range c.Next {
		out.Next = append(out.Next, slices.Clone(row))
	}
	if gone < 0 {
		return out
	}
	scale := func(row []float64, i int) {
		left := 1 - row[gone]
		row[gone] = 0
		for j := range row {
			row[j] /= left
		}
		if i >= 0 {
			out.Convert[i] /= left
			out.Quiet[i] /= left
		}
	}
	scale(out.Start, -1)
	for i, row := range out.Next {
		scale(row, i)
	}
	return out
}

// check refuses a chain that is none, or that asks for what no message could
// show: the channel web is the site's own pages, so it only follows a landing,
// and only web, app and store sell.
func (c *Chain) check() error {
	invalid := func(subject, message string) error { return insight.NewError(insight.Invalid, subject, message) }
	n := len(c.Channels)
	if n == 0 || len(c.Start) != n || len(c.Next) != n || len(c.Convert) != n || len(c.Quiet) != n {
		return invalid("chain", "the start, the rows and the ends must have one entry for each channel")
	}
	if !sumsToOne(c.Start) {
		return invalid("chain.start", "the probabilities must lie in 0 to 1 and sum to 1")
	}
	for i, from := range c.Channels {
		subject := fmt.Sprintf("chain.next[%d]", i)
		role, known := roles[from]
		switch {
		case !known:
			return invalid(fmt.Sprintf("chain.channels[%d]", i), "no message is known for this channel")
		case slices.Index(c.Channels, from) != i:
			return invalid(fmt.Sprintf("chain.channels[%d]", i), "the channel is named twice")
		case len(c.Next[i]) != n:
			return invalid(subject, "a row must have one entry for each channel")
		case !sumsToOne(c.Next[i], c.Convert[i], c.Quiet[i]):
			return invalid(subject, "the probabilities must lie in 0 to 1 and sum to 1 with both ends")
		case c.Next[i][i] != 0:
			return invalid(subject, "a channel cannot follow itself")
		case c.Convert[i] > 0 && !sells(role):
			return invalid(subject, "only web, app and store can end in a purchase")
		case role == browsing && c.Start[i] > 0:
			return invalid("chain.start", "web cannot start a journey: it follows a landing")
		}
		for j, to := range c.Channels {
			if c.Next[i][j] > 0 && roles[to] == browsing && role != landing {
				return invalid(subject, "web can only follow a landing")
			}
		}
	}
	return nil
}

func sumsToOne(row []float64, ends ...float64) bool {
	sum := 0.0
	for _, p := range slices.Concat(row, ends) {
		if !(p >= 0 && p <= 1) {
			return false
		}
		sum += p
	}
	return math.Abs(sum-1) < 1e-9
}
