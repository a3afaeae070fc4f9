package simulate_test

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"testing"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/channel"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/insight/journey"
	"github.com/acquaint/acquaint/insight/lifetime"
	"github.com/acquaint/acquaint/insight/recency"
	"github.com/acquaint/acquaint/insight/relationship"
	"github.com/acquaint/acquaint/internal/simulate"
)

var channels = map[string]*insight.Channel{}

// history is what a reader knows of a person from their messages: all that was said
// under an id which a login linked to them, and the spans without marketing.
func history(x *simulate.Individual) *insight.History {
	linked := map[string]bool{}
	for _, m := range x.Messages {
		if m.UserID != "" && m.AnonymousID != "" {
			linked[m.AnonymousID] = true
		}
	}
	h := &insight.History{}
	for k := range x.Messages {
		m := &x.Messages[k]
		if m.UserID == "" && !linked[m.AnonymousID] {
			continue
		}
		key := channelOf(m)
		if channels[key] == nil {
			channels[key] = &insight.Channel{Key: key}
		}
		i := &insight.Interaction{Type: cmp.Or(m.Event, m.Type), Direction: insight.Inbound, Channel: channels[key], OccurredAt: m.Timestamp}
		binary.BigEndian.PutUint64(i.ID[8:], uint64(k))
		if m.Context.Direction == "outbound" {
			i.Direction = insight.Outbound
		}
		if m.Event == "Order Completed" {
			i.Value = &m.Properties.Revenue
		}
		h.Timeline = append(h.Timeline, i)
	}
	for _, c := range x.Consents {
		if c.Purpose == "marketing" && !c.Granted && !c.At.IsZero() {
			h.Refusals = []insight.Refusal{{From: c.At}}
		}
	}
	return h
}

// plain is a population with nothing but the chain and the purchases, over a time
// so long that a journey seldom begins on the day of a purchase.
func plain(t *testing.T, seed uint64) *simulate.Population {
	truth := simulate.DefaultTruth()
	truth.Prospects, truth.Unresponsive, truth.SharedPairs, truth.Strays = 0, 0, 0, 0
	truth.Newsletter, truth.Catalogue, truth.Push, truth.Consents = 0, 0, 0, nil
	truth.Purchases.Alpha *= 10
	return population(t, simulate.Options{Seed: seed, Individuals: 4000, From: end.Add(-10 * insight.Year), Truth: &truth})
}

// within fails unless a sum of squared deviations, each in its own standard error,
// is one that chance gives but once in 10,000 times, too small being as wrong as
// too large.
func within(t *testing.T, what string, sum, freedom float64) {
	t.Helper()
	law := distuv.ChiSquared{K: freedom}
	if low, high := law.Quantile(.5e-4), law.Quantile(1-.5e-4); !(sum >= low && sum <= high) {
		t.Errorf("%s: chi squared %.1f with %.0f degrees of freedom, want %.1f to %.1f", what, sum, freedom, low, high)
	}
}

func TestWhatAnalysesRecover(t *testing.T) {
	var leaving, buying, spending deviation
	var alive, meanSpend sample
	certainty := 0.0
	for seed := range uint64(4) {
		p := plain(t, 100+seed)
		truth := p.Truth()
		transitions := journey.NewTransitions(journey.TransitionOptions{Event: insight.AnyInbound(), Lookback: truth.Quiet, AsOf: end})
		o := &lifetime.Options{Event: insight.Selector{Types: []string{"Order Completed"}}, Model: lifetime.BGNBD, AsOf: end, Horizon: insight.Year, Zone: time.UTC}
		purchases := lifetime.NewPurchases(o)
		var summaries []lifetime.Summary
		var people []simulate.Individual
		for x := range p.All() {
			h := history(&x)
			transitions.Add(h)
			purchases.Add(h)
			s, ok := lifetime.Of(h.Timeline, o)
			if !ok {
				t.Fatalf("%s buys nothing", x.UserID)
			}
			x.Messages = nil
			summaries, people = append(summaries, s), append(people, x)
		}
		report := transitions.Report()
		leaving.transitions(&truth.Chain, &report)

		fit, err := purchases.Fit()
		if err != nil {
			t.Fatal(err)
		}
		buying.fit(t, summaries, fit.LogLikelihood, fit.Parameters, []float64{truth.Purchases.R, truth.Purchases.Alpha, truth.Purchases.A, truth.Purchases.B}, bgnbd)
		if fit.Spend == nil {
			t.Fatal(fit.SpendUnknown)
		}
		spending.fit(t, summaries, *fit.SpendLogLikelihood, fit.Spend, []float64{truth.Spend.P, truth.Spend.Q, truth.Spend.V}, gammaGamma)
		for i, s := range summaries {
			chance := fit.Alive(s)
			alive.add(is(people[i].Alive) - chance)
			certainty += chance * (1 - chance)
			if mean, ok := fit.MeanSpend(s); ok {
				meanSpend.add(people[i].MeanSpend - mean)
			}
		}
	}
	within(t, "transitions", leaving.sum, leaving.freedom)
	within(t, "BG/NBD", buying.sum, buying.freedom)
	within(t, "Gamma-Gamma", spending.sum, spending.freedom)
	// The bounds are worth something: parameters that are off by a quarter are not
	// taken for the planted ones, nor is a chain without e-mail.
	for what, d := range map[string]deviation{"transitions": leaving, "BG/NBD": buying, "Gamma-Gamma": spending} {
		if d.wrong < 2*(distuv.ChiSquared{K: d.freedom}).Quantile(1-.5e-4) {
			t.Errorf("%s: what is wrong deviates by %.1f only", what, d.wrong)
		}
	}
	alive.near(t, "alive over its probability", 0)
	if spread := alive.se() * math.Sqrt(alive.n); math.Abs(spread/math.Sqrt(certainty/alive.n)-1) > .05 {
		t.Errorf("those alive scatter by %.4f about their probability, which says %.4f", spread, math.Sqrt(certainty/alive.n))
	}
	meanSpend.near(t, "mean spend over what is expected", 0)
}

// deviation is how far estimates are from the planted truth, in squared standard
// errors, and how far they would be from something wrong.
type deviation struct{ sum, freedom, wrong float64 }

// transitions adds Pearson's chi squared of each row: given that a channel is left
// for another, which one.
func (d *deviation) transitions(planted *simulate.Chain, found *journey.TransitionReport) {
	wrong := planted.Without(channel.Email)
	counts := make([][]float64, len(planted.Channels))
	for i := range counts {
		counts[i] = make([]float64, len(planted.Channels))
	}
	for _, f := range found.Transitions {
		counts[slices.Index(planted.Channels, f.From)][slices.Index(planted.Channels, f.To)] = float64(f.Count)
	}
	for i, row := range counts {
		n, left, other := 0.0, 0.0, 0.0
		for j := range row {
			if planted.Next[i][j] > 0 {
				n += row[j] // what is not planted is a journey on the day of a purchase
			}
			left += planted.Next[i][j]
			other += wrong.Next[i][j]
		}
		d.freedom--
		for j, p := range planted.Next[i] {
			if p == 0 {
				continue
			}
			expected := n * p / left
			d.sum += (row[j] - expected) * (row[j] - expected) / expected
			d.freedom++
			// Neyman's, since what is wrong may expect nothing.
			expected = n * wrong.Next[i][j] / other
			d.wrong += (row[j] - expected) * (row[j] - expected) / max(row[j], 1)
		}
	}
}

// fit adds twice the logarithm of the likelihood ratio of the fit and the truth,
// which by Wilks's theorem is chi squared.
func (d *deviation) fit(t *testing.T, all []lifetime.Summary, told float64, found []lifetime.Parameter, planted []float64, logLikelihood func([]lifetime.Summary, []float64) float64) {
	t.Helper()
	values := make([]float64, len(found))
	for i, p := range found {
		values[i] = p.Value
	}
	best := logLikelihood(all, values)
	if math.Abs(best-told) > 1e-6*math.Abs(best) {
		t.Errorf("the log-likelihood at %v is %.4f, and not %.4f", found, best, told)
	}
	d.sum += 2 * (best - logLikelihood(all, planted))
	d.freedom += float64(len(planted))
	wrong := slices.Clone(planted)
	wrong[0] *= 1.25
	d.wrong += 2 * (best - logLikelihood(all, wrong))
}

func lgamma(x float64) float64 { y, _ := math.Lgamma(x); return y }

// bgnbd is the log-likelihood of Fader, Hardie and Lee (2005), equation 6.
func bgnbd(all []lifetime.Summary, at []float64) (sum float64) {
	r, alpha, a, b := at[0], at[1], at[2], at[3]
	beta := func(a, b float64) float64 { return lgamma(a) + lgamma(b) - lgamma(a+b) }
	for _, s := range all {
		x := float64(s.Frequency)
		tail := math.Pow((alpha+s.Age)/(alpha+s.Recency), r+x) * a / (b + x - 1)
		if x == 0 {
			tail = 0
		}
		sum += lgamma(r+x) - lgamma(r) + r*math.Log(alpha) + beta(a, b+x) - beta(a, b) - (r+x)*math.Log(alpha+s.Age) + math.Log1p(tail)
	}
	return sum
}

// gammaGamma is the log-likelihood of Fader and Hardie (2013), equation 1a.
func gammaGamma(all []lifetime.Summary, at []float64) (sum float64) {
	p, q, v := at[0], at[1], at[2]
	for _, s := range all {
		if s.Spends == 0 {
			continue
		}
		x, z := float64(s.Spends), s.MeanSpend
		sum += lgamma(p*x+q) - lgamma(p*x) - lgamma(q) + q*math.Log(v) + (p*x-1)*math.Log(z) + p*x*math.Log(x) - (p*x+q)*math.Log(x*z+v)
	}
	return sum
}

// Whom a tally calls UNRESPONSIVE, OPTED_OUT or STRANGER is known from what was
// planted alone, one by one: how many touches came after the last of somebody's
// journeys, and what they decided about marketing. The others are spread over what
// habits tell apart.
func TestRelationshipsAreRecovered(t *testing.T) {
	for seed := range uint64(3) {
		p := population(t, simulate.Options{Seed: 200 + seed, Individuals: 3000})
		var all []*insight.History
		planted := map[relationship.Status]int{}
		four, six, ever := 0, 0, 0 // what is like UNRESPONSIVE, and is not
		for x := range p.All() {
			touches, acted := unanswered(&x)
			status := relationship.Status("") // the habit's to say
			switch {
			case slices.ContainsFunc(x.Consents, func(c simulate.Consent) bool { return c.Purpose == "marketing" && !c.Granted && !c.At.IsZero() }):
				status = relationship.OptedOut
			case touches >= relationship.Unanswered:
				status = relationship.Unresponsive
			case !acted:
				status = relationship.Stranger
			}
			planted[status]++
			if status != relationship.OptedOut {
				four += int(is(touches >= 4))
				six += int(is(touches >= 6))
				ever += int(is(len(x.Touches) >= 5))
			}
			h := history(&x)
			all = append(all, h)
			got := relationship.Of(h, relationship.Options{AsOf: end})
			if status != "" && got.Status != status || status == "" && (got.Status == relationship.Unresponsive || got.Status == relationship.OptedOut || got.Status == relationship.Stranger) {
				t.Fatalf("%s is %s, planted %q: %v", x.UserID, got.Status, status, got.Evidence)
			}
		}
		habits := recency.NewHabitTally(recency.HabitOptions{Event: insight.AnyInbound(), AsOf: end, Quiet: relationship.Quiet})
		for _, h := range all {
			habits.Add(h)
		}
		// People are apart for days: what is seconds is a page, and no habit of coming.
		for step := 1; step <= recency.OwnGaps; step++ {
			if wire, ok := habits.Habit().TripWire(step); !ok || wire < insight.Day {
				t.Errorf("seed %d: they come again after %v, %v", seed, wire, ok)
			}
		}
		tally := relationship.NewTally(relationship.Options{AsOf: end, TripWire: habits.Habit().TripWire})
		for _, h := range all {
			tally.Add(h)
		}
		r := tally.Report()
		for _, c := range r.Counts {
			switch c.Status {
			case relationship.Unresponsive, relationship.OptedOut, relationship.Stranger:
				if c.Individuals != planted[c.Status] {
					t.Errorf("seed %d: %d are %s, planted %d", seed, c.Individuals, c.Status, planted[c.Status])
				}
			default:
				if c.Individuals < 15 {
					t.Errorf("seed %d: %d only are %s", seed, c.Individuals, c.Status)
				}
			}
		}
		n := planted[relationship.Unresponsive]
		if r.Population != 3000 || n < 300 || planted[relationship.OptedOut] < 300 || four < n+30 || six > n-30 || ever < n+30 {
			t.Errorf("seed %d: planted %v, four %d, six %d, ever %d: too few to tell anything", seed, planted, four, six, ever)
		}
	}
}

// unanswered is how many touches came after the last journey that shows who went on
// it, and whether there was one.
func unanswered(x *simulate.Individual) (touches int, acted bool) {
	last := time.Time{}
	for _, j := range x.Journeys {
		if !j.Stray && j.EndedAt.After(last) {
			last, acted = j.EndedAt, true
		}
	}
	for _, sent := range x.Touches {
		if sent.At.After(last) {
			touches++
		}
	}
	return touches, acted
}

// Of the letters that are no newsletter the planted share is answered, by those who
// have granted marketing and do answer, as far as messages show: a visit by the
// letter's campaign within 20 hours.
func TestResponseIsRecovered(t *testing.T) {
	var planted, shown, none sample
	for seed := range uint64(3) {
		p := population(t, simulate.Options{Seed: 300 + seed, Individuals: 4000})
		for x := range p.All() {
			k := 0
			for i := range x.Messages {
				m := &x.Messages[i]
				if m.Context.Direction != "outbound" {
					continue
				}
				touch := x.Touches[k]
				k++
				if !touch.At.Equal(m.Timestamp) || touch.Channel != m.Context.Channel || touch.Campaign != m.Context.Campaign.Name {
					t.Fatalf("%s: touch %d is %+v, sent %+v", x.UserID, k, touch, m)
				}
				if m.Context.Campaign.Source != "lifecycle" || !granted(&x, "marketing") {
					if touch.Answered != (m.Context.Campaign.Source == "lifecycle") {
						t.Fatalf("%s: %+v", x.UserID, touch)
					}
					continue
				}
				answered := slices.ContainsFunc(x.Messages[i+1:], func(a simulate.Message) bool {
					return a.Context.Direction == "" && a.Context.Campaign != nil && *a.Context.Campaign == *m.Context.Campaign &&
						channelOf(&a) == channel.Email && a.Timestamp.Sub(m.Timestamp) <= 20*time.Hour
				})
				if touch.Answered && !answered {
					t.Fatalf("%s: nothing answers %+v", x.UserID, touch)
				}
				if x.Unresponsive {
					none.add(is(answered))
					continue
				}
				planted.add(is(touch.Answered))
				shown.add(is(answered))
			}
			if k != len(x.Touches) {
				t.Fatalf("%s: %d touches of %d", x.UserID, k, len(x.Touches))
			}
		}
	}
	want := simulate.DefaultTruth().Response
	planted.near(t, "answered letters", want)
	shown.near(t, "letters that a visit follows", want)
	if none.sum > 0 || none.n < 1000 {
		t.Errorf("%.0f of %.0f letters to the unresponsive are answered", none.sum, none.n)
	}
}

func is(so bool) float64 {
	if so {
		return 1
	}
	return 0
}

func granted(x *simulate.Individual, purpose string) bool {
	return slices.Contains(x.Consents, simulate.Consent{Purpose: purpose, Granted: true, At: x.Consents[0].At})
}

// Read as the tracking API reads it, what people say on logging in is what they
// decided, about every purpose that asks, at the moment that is known.
func TestConsentsAreSaid(t *testing.T) {
	p := population(t, simulate.Options{Seed: 12, Individuals: 2000})
	var purposes []*insight.Purpose
	for _, purpose := range insight.DefaultPurposes() {
		purposes = append(purposes, &purpose)
	}
	denied := 0
	for x := range p.All() {
		first := time.Time{}
		for _, m := range x.Messages {
			if said := m.Context.Consent; (said != nil) != (m.Type == "identify") {
				t.Fatalf("%s says %v of consent on a message of type %s", x.UserID, said, m.Type)
			} else if said == nil {
				continue
			}
			if first.IsZero() {
				first = m.Timestamp
			}
			claims := consent.Claims(&insight.Signals{Categories: m.Context.Consent.Categories}, purposes, m.Timestamp, "demo")
			if len(claims) != len(x.Consents) {
				t.Fatalf("%s decides about %d purposes of %d", x.UserID, len(claims), len(x.Consents))
			}
			for i, c := range claims {
				if want := x.Consents[i]; c.Purpose.Key != want.Purpose || c.Decision.No() == want.Granted || !want.At.Equal(first) {
					t.Fatalf("%s: %s %v at %v, decided %+v", x.UserID, c.Purpose.Key, c.Decision, first, want)
				}
			}
		}
		if first.IsZero() != x.Consents[0].At.IsZero() {
			t.Fatalf("%s decides at %v and says so at %v", x.UserID, x.Consents[0].At, first)
		}
		if !granted(&x, "analytics") {
			denied++
		}
	}
	if denied < 50 {
		t.Errorf("%d deny analytics", denied)
	}
	truth := simulate.DefaultTruth()
	truth.Consents = []simulate.ConsentShare{{Purpose: "research", Granted: 1}}
	for x := range population(t, simulate.Options{Individuals: 20, Truth: &truth}).All() {
		for _, m := range x.Messages {
			if m.Context.Consent != nil {
				t.Fatalf("a purpose without categories is told of: %+v", m)
			}
		}
	}
}
