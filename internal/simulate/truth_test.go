package simulate_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/channel"
	"github.com/acquaint/acquaint/internal/simulate"
)

// channelOf is where a reader puts a message: the channel that it names, else
// the one of its visit, else the source's default, web.
func channelOf(m *simulate.Message) string {
	if m.Context.Channel != "" {
		return m.Context.Channel
	}
	v := channel.Visit{}
	if p := m.Context.Page; p != nil {
		v.URL, v.Referrer = p.URL, p.Referrer
	}
	if c := m.Context.Campaign; c != nil {
		v.Campaign = insight.Campaign{Name: c.Name, Source: c.Source, Medium: c.Medium, Content: c.Content}
	}
	if key, ok := channel.Key(v); ok {
		return key
	}
	return channel.Web
}

// seen is what the messages alone show of a person's journeys: whoever an
// anonymous id was linked to by a login said all that was said under it, and
// what is left is nobody's but the anonymous id's.
func seen(x *simulate.Individual, silence time.Duration) []simulate.Journey {
	linked := map[string]bool{}
	for _, m := range x.Messages {
		if m.UserID != "" && m.AnonymousID != "" {
			linked[m.AnonymousID] = true
		}
	}
	timelines := map[string][]*simulate.Message{}
	for k := range x.Messages {
		m := &x.Messages[k]
		switch {
		case m.Context.Direction == "outbound":
		case m.UserID != "" || linked[m.AnonymousID]:
			timelines[""] = append(timelines[""], m)
		default:
			timelines[m.AnonymousID] = append(timelines[m.AnonymousID], m)
		}
	}
	var out []simulate.Journey
	for stream, timeline := range timelines {
		open := false
		for _, m := range timeline {
			if !open || m.Timestamp.Sub(out[len(out)-1].EndedAt) > silence {
				out = append(out, simulate.Journey{StartedAt: m.Timestamp, Stray: stream != ""})
			}
			j := &out[len(out)-1]
			j.EndedAt, j.Converted = m.Timestamp, m.Event == "Order Completed"
			if key := channelOf(m); len(j.Channels) == 0 || j.Channels[len(j.Channels)-1] != key {
				j.Channels = append(j.Channels, key)
			}
			if open = !j.Converted; !open {
				j.Value = m.Properties.Revenue
			}
		}
	}
	slices.SortStableFunc(out, func(a, b simulate.Journey) int { return a.StartedAt.Compare(b.StartedAt) })
	return out
}

func TestMessagesShowTheJourneys(t *testing.T) {
	p := population(t, simulate.Options{Seed: 11, Individuals: 3000})
	for x := range p.All() {
		if diff := cmp.Diff(x.Journeys, seen(&x, p.Truth().Quiet)); diff != "" {
			t.Fatalf("%s: the messages show other journeys than were planted (-planted +seen):\n%s", x.UserID, diff)
		}
	}
}

// counts of transitions: row len(channels) is the start, column len(channels) a
// conversion, the next one quiet.
type counts [][]float64

func count(c *simulate.Chain, into counts, journeys []simulate.Journey) {
	for _, j := range journeys {
		at := len(c.Channels)
		for _, key := range j.Channels {
			next := slices.Index(c.Channels, key)
			into[at][next]++
			at = next
		}
		if j.Converted {
			into[at][len(c.Channels)]++
		} else {
			into[at][len(c.Channels)+1]++
		}
	}
}

// misfits is how many of a chain's probabilities the counts contradict. The
// bound on a cell is 5 sqrt(2 n p (1-p)) + 1: five standard deviations of a
// binomial count of n, its variance doubled because the numbers of journeys
// with and without a purchase go together only on average.
func (k counts) misfits(c *simulate.Chain) (cells int) {
	for i, row := range k {
		planted := slices.Concat(c.Start, []float64{0, 0})
		if i < len(c.Channels) {
			planted = slices.Concat(c.Next[i], []float64{c.Convert[i], c.Quiet[i]})
		}
		n := 0.0
		for _, x := range row {
			n += x
		}
		for j, p := range planted {
			if p == 0 && row[j] > 0 || math.Abs(row[j]-n*p) > 5*math.Sqrt(2*n*p*(1-p))+1 {
				cells++
			}
		}
	}
	return cells
}

func TestChainIsRecovered(t *testing.T) {
	p := population(t, simulate.Options{Seed: 5, Individuals: 20_000})
	truth := p.Truth()
	chains := [2]simulate.Chain{truth.Chain, truth.Chain.Without(channel.Email)}
	var found [2]counts
	for g := range found {
		for range len(truth.Chain.Channels) + 1 {
			found[g] = append(found[g], make([]float64, len(truth.Chain.Channels)+2))
		}
	}
	journeys, unplaced := 0, 0
	for x := range p.All() {
		group := 0
		if x.Unresponsive {
			group = 1
		}
		count(&chains[group], found[group], seen(&x, truth.Quiet))
		journeys += len(x.Journeys)
		unplaced += x.Unplaced
	}
	if unplaced*1000 > journeys {
		t.Errorf("%d journeys of %d found no place", unplaced, journeys)
	}
	for group := range chains {
		if n := found[group].misfits(&chains[group]); n != 0 {
			t.Errorf("group %d: %d probabilities are not recovered", group, n)
		}
		if n := found[group].misfits(&chains[1-group]); n < 5 {
			t.Errorf("group %d: the other group's chain is contradicted by %d cells only", group, n)
		}
	}
	// The bound is worth something: a chain that is off by 0.02 in one row does
	// not pass.
	near := simulate.DefaultTruth().Chain
	web := slices.Index(near.Channels, channel.Web)
	near.Convert[web], near.Quiet[web] = near.Convert[web]-.02, near.Quiet[web]+.02
	if found[0].misfits(&near) != 2 {
		t.Error("a chain that is off by 0.02 is taken for the planted one")
	}
}

// sample gathers a mean with its standard error.
type sample struct{ n, sum, squares float64 }

func (s *sample) add(x float64) { s.n++; s.sum += x; s.squares += x * x }
func (s *sample) mean() float64 { return s.sum / s.n }
func (s *sample) se() float64 {
	return math.Sqrt((s.squares/s.n - s.mean()*s.mean()) / s.n)
}

// near fails unless the mean is within five standard errors of what is expected.
func (s *sample) near(t *testing.T, what string, want float64) {
	t.Helper()
	if math.Abs(s.mean()-want) > 5*s.se() || math.IsNaN(s.mean()) {
		t.Errorf("%s: mean %.4f ± %.4f of %.0f, want %.4f", what, s.mean(), s.se(), s.n, want)
	}
}

func TestPurchasesAreRecovered(t *testing.T) {
	const people = 40_000
	p := population(t, simulate.Options{Seed: 6, Individuals: people})
	truth := p.Truth()
	b, s := truth.Purchases, truth.Spend
	var lambda, lambda2, dropout, dropout2, excess, wrong, alive, entry, value, relative, relative2 sample
	from, to := p.Span()
	for x := range p.All() {
		if x.Prospect {
			if slices.ContainsFunc(x.Journeys, func(j simulate.Journey) bool { return j.Converted }) {
				t.Fatalf("%s is a prospect and buys", x.UserID)
			}
			continue
		}
		lambda.add(x.Lambda)
		lambda2.add(x.Lambda * x.Lambda)
		dropout.add(x.Dropout)
		dropout2.add(x.Dropout * x.Dropout)
		var bought []simulate.Journey
		for _, j := range x.Journeys {
			if j.Converted {
				bought = append(bought, j)
			}
		}
		slices.SortFunc(bought, func(a, b simulate.Journey) int { return a.EndedAt.Compare(b.EndedAt) })
		first := bought[0].EndedAt
		entry.add(first.Sub(from).Hours() / to.Sub(from).Hours())
		weeks := to.Sub(first).Hours() / (7 * 24)
		// Fader, Hardie and Lee (2005): E[X(t) | lambda, p] = (1 - e^(-lambda p t)) / p,
		// and alive at t with probability e^(-lambda p t).
		expected := -math.Expm1(-x.Lambda*x.Dropout*weeks) / x.Dropout
		repeats := float64(len(bought) - 1)
		excess.add(repeats - expected)
		// The same with a chance to leave after the first purchase already.
		wrong.add(repeats - (1-x.Dropout)*expected)
		is := 0.0
		if x.Alive {
			is = 1
		}
		alive.add(is - math.Exp(-x.Lambda*x.Dropout*weeks))
		for _, j := range bought {
			value.add(j.Value)
			z := j.Value / x.MeanSpend
			relative.add(z)
			relative2.add((z - 1) * (z - 1))
		}
	}
	lambda.near(t, "lambda", b.R/b.Alpha)
	lambda2.near(t, "lambda squared", b.R*(b.R+1)/b.Alpha/b.Alpha)
	dropout.near(t, "p", b.A/(b.A+b.B))
	dropout2.near(t, "p squared", b.A*(b.A+1)/(b.A+b.B)/(b.A+b.B+1))
	entry.near(t, "the first purchase's place in the span", .5)
	excess.near(t, "repeat purchases over what is expected", 0)
	alive.near(t, "alive over what is expected", 0)
	if math.Abs(wrong.mean()) < 10*wrong.se() {
		t.Errorf("the sample cannot tell a wrong formula: %.4f ± %.4f", wrong.mean(), wrong.se())
	}
	value.near(t, "value", s.P*s.V/(s.Q-1))
	relative.near(t, "value over the person's mean", 1)
	relative2.near(t, "its variance", 1/s.P)
}

func TestShares(t *testing.T) {
	const people = 20_000
	p := population(t, simulate.Options{Seed: 9, Individuals: people})
	truth := p.Truth()
	var prospects, unresponsive, dollars, strays, pairs, visits, messages sample
	granted := make([]sample, len(truth.Consents))
	add := func(s *sample, is bool) {
		if is {
			s.add(1)
		} else {
			s.add(0)
		}
	}
	tablets := map[string][]int{}
	for i := range people {
		x := p.Individual(i)
		messages.add(float64(len(x.Messages)))
		add(&prospects, x.Prospect)
		add(&unresponsive, x.Unresponsive)
		add(&dollars, x.Currency == "USD")
		for k, c := range x.Consents {
			add(&granted[k], c.Granted)
			if c.Purpose != truth.Consents[k].Purpose {
				t.Fatalf("consent %d is for %s", k, c.Purpose)
			}
		}
		if x.SharedDevice != "" {
			tablets[x.SharedDevice] = append(tablets[x.SharedDevice], i)
		}
		for _, j := range x.Journeys {
			if !x.Prospect && !j.Converted && !slices.ContainsFunc(j.Channels, func(key string) bool {
				return slices.Contains([]string{channel.App, channel.Store, channel.CallCenter, channel.Support}, key)
			}) {
				add(&strays, j.Stray)
			}
		}
		for _, m := range x.Messages {
			if x.Unresponsive && m.Context.Direction == "" && channelOf(&m) == channel.Email {
				t.Fatalf("%s is unresponsive and answers an e-mail", x.UserID)
			}
			if m.AnonymousID != "" && m.AnonymousID == x.SharedDevice && m.UserID == "" {
				t.Fatalf("%s is nobody on the shared tablet", x.UserID)
			}
			if m.AnonymousID != "" && m.AnonymousID == x.StrayDevice && m.UserID != "" {
				t.Fatalf("%s logs in on the stray device", x.UserID)
			}
		}
	}
	for _, who := range tablets {
		if len(who) > 2 || len(who) == 2 && who[0]/2 != who[1]/2 {
			t.Fatalf("a tablet is shared by %v", who)
		}
		add(&visits, len(who) == 2)
	}
	for i := range people / 2 {
		shared := false
		for _, who := range tablets {
			shared = shared || who[0]/2 == i
		}
		add(&pairs, shared)
	}
	prospects.near(t, "prospects", truth.Prospects)
	unresponsive.near(t, "unresponsive", truth.Unresponsive)
	dollars.near(t, "dollars", truth.Dollars)
	strays.near(t, "strays", truth.Strays)
	for k := range granted {
		granted[k].near(t, truth.Consents[k].Purpose, truth.Consents[k].Granted)
	}
	pairs.near(t, "pairs who share", truth.SharedPairs)
	if visits.mean() < .7 {
		t.Errorf("of the tablets in use %.2f are used by two", visits.mean())
	}
	if messages.mean() < 20 || messages.mean() > 30 {
		t.Errorf("%.1f messages a person", messages.mean())
	}
}

// With nothing but customers on one chain, everything else off, the planted
// process is all there is.
func TestPlainTruth(t *testing.T) {
	truth := simulate.DefaultTruth()
	truth.Prospects, truth.Unresponsive, truth.SharedPairs, truth.Strays = 0, 0, 0, 0
	truth.Newsletter, truth.Catalogue, truth.Push, truth.Consents = 0, 0, 0, nil
	p := population(t, simulate.Options{Seed: 2, Individuals: 2000, Truth: &truth})
	for x := range p.All() {
		if x.Prospect || x.Unresponsive || x.SharedDevice != "" || x.StrayDevice != "" || x.Consents != nil || x.Lambda <= 0 {
			t.Fatalf("%s has what was turned off", x.UserID)
		}
		for _, m := range x.Messages {
			if m.Context.Direction == "outbound" && (m.Context.Campaign == nil || m.Context.Campaign.Source != "lifecycle") {
				t.Fatalf("%s is written to unasked", x.UserID)
			}
		}
	}
}
