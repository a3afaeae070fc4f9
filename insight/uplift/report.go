package uplift

import "math"

// Verdict is what a group's numbers say of offering it the experience. The text is the
// API's.
type Verdict string

// The verdicts; doc.go has the rule.
const (
	Persuadable  Verdict = "PERSUADABLE"
	NoDifference Verdict = "NO_DIFFERENCE"
	LeaveAlone   Verdict = "LEAVE_ALONE"
	Undecided    Verdict = "UNDECIDED"
)

// Verdicts are all of them, in the API's order.
var Verdicts = []Verdict{Persuadable, NoDifference, LeaveAlone, Undecided}

const (
	// Margin is how large a part of the rate, or of its complement where that is less, a
	// difference is that does not matter.
	Margin = 0.1
	// Expected is the fewest individuals of a kind that a test of counts expects in an arm.
	Expected = 5
	// MismatchBelow is the probability below which the arms are not of the declared ratio.
	MismatchBelow = 0.001
)

// Report is what an experience changes.
type Report struct {
	Groups []Group // Everyone first, then those of the options in their order
}

// Group is what an experience changes for one group. Numbers are nil where they cannot
// be said; none is NaN or infinite.
type Group struct {
	Name    string
	Treated int // individuals whose window is over
	Holdout int // the same, of those held out
	Pending int // individuals of either arm whose window is not over; in no other number

	TreatedResponders int // of Treated, who have the outcome
	HoldoutResponders int

	TreatedRate *float64 // the share that has the outcome
	HoldoutRate *float64
	Uplift      *float64 // TreatedRate - HoldoutRate
	Low, High   *float64 // of Uplift, the 95 % interval

	TreatedValue        *float64 // the mean of an individual's value
	HoldoutValue        *float64
	ValueUplift         *float64 // TreatedValue - HoldoutValue
	ValueLow, ValueHigh *float64 // of ValueUplift, the 95 % interval
	TreatedLargest      float64  // the largest value of an individual, without its sign
	HoldoutLargest      float64

	Verdict     Verdict
	SampleRatio *float64 // the probability of arms as unequal, were they drawn by the declared share
	Mismatch    bool     // whether SampleRatio is below MismatchBelow; then the rest is not to be relied on
	Why         string   // the verdict, and what is missing, in plain words without numbers; never empty
}

// Report is the answer about all who were taken in.
func (t *Tally) Report() Report {
	r := Report{Groups: make([]Group, len(t.groups))}
	for i := range t.groups {
		r.Groups[i] = t.groups[i].report(t.share)
	}
	return r
}

// Counts are what the rates of a group follow from.
type Counts struct {
	Treated, TreatedResponders int // of the former, who have the outcome
	Holdout, HoldoutResponders int
	Pending                    int
}

// Rates are what can be said of a group by counts alone, which may be rounded for
// whoever reads them: everything but the values.
func Rates(c Counts, share *float64) Group {
	g := group{
		treated: arm{individuals: c.Treated, responders: c.TreatedResponders},
		holdout: arm{individuals: c.Holdout, responders: c.HoldoutResponders},
		pending: c.Pending,
	}
	return g.rates(share)
}

func (g *group) rates(share *float64) Group {
	treated, holdout := &g.treated, &g.holdout
	r := Group{
		Name: g.name, Treated: treated.individuals, Holdout: holdout.individuals, Pending: g.pending,
		TreatedResponders: treated.responders, HoldoutResponders: holdout.responders, TreatedLargest: treated.largest, HoldoutLargest: holdout.largest,
	}
	rate := compare(treated.rate(), holdout.rate())
	r.TreatedRate, r.HoldoutRate, r.Uplift, r.Low, r.High = rate.treated, rate.holdout, rate.difference, rate.low, rate.high
	if share != nil {
		r.SampleRatio = ratio(treated.individuals, holdout.individuals, *share)
		r.Mismatch = r.SampleRatio != nil && *r.SampleRatio < MismatchBelow
	}
	r.judge(g)
	return r
}

func (g *group) report(share *float64) Group {
	r := g.rates(share)
	treatedValue, holdoutValue := g.treated.value(), g.holdout.value()
	value := compare(treatedValue, holdoutValue)
	r.TreatedValue, r.HoldoutValue, r.ValueUplift, r.ValueLow, r.ValueHigh = value.treated, value.holdout, value.difference, value.low, value.high
	switch {
	case treatedValue.beyond() || holdoutValue.beyond():
		r.Why += "; a value is beyond what numbers hold"
	case r.ValueLow == nil && r.Low != nil:
		r.Why += "; the values are alike in each arm, so their difference has no interval"
	}
	return r
}

// judge gives the verdict on the rate, and why.
func (r *Group) judge(g *group) {
	n := r.Treated + r.Holdout
	fewer := 0.0 // the rate of both arms, or its complement where that is less
	if n > 0 {
		responders := g.treated.responders + g.holdout.responders
		fewer = float64(min(responders, n-responders)) / float64(n)
	}
	margin := Margin * fewer
	say := func(v Verdict, why string) { r.Verdict, r.Why = v, why }
	switch {
	case n == 0 && r.Pending == 0:
		say(Undecided, "nobody was assigned")
	case r.Mismatch:
		say(Undecided, "the arms are not of the share that was declared to be held out, so what differs between them may be who is in them")
	case n == 0:
		say(Undecided, "nobody's window is over")
	case r.Treated < 2 || r.Holdout < 2:
		say(Undecided, "an arm has fewer than two individuals whose window is over")
	case r.Low == nil:
		say(Undecided, "all are alike in each arm, so nothing tells how far the difference may be chance")
	case float64(min(r.Treated, r.Holdout))*fewer < Expected:
		say(Undecided, "too few have the outcome, or too few do not, for the number of individuals in an arm")
	case *r.Low > 0:
		say(Persuadable, "what they are offered makes the outcome more frequent")
	case *r.High < 0:
		say(LeaveAlone, "what they are offered makes the outcome less frequent")
	case *r.Low >= -margin && *r.High <= margin:
		say(NoDifference, "the difference is too small to matter, whichever it is")
	default:
		say(Undecided, "the difference may be chance, and may be large enough to matter")
	}
}

// ratio is the probability of arms that fit a declared share as badly or worse, by
// a chi-square test of one degree of freedom; nil where too few are expected.
func ratio(treated, holdout int, share float64) *float64 {
	n := float64(treated + holdout)
	expected := n * share
	if min(expected, n-expected) < Expected {
		return nil
	}
	off := float64(holdout) - expected
	p := math.Erfc(math.Abs(off) / math.Sqrt(2*expected*(1-share)))
	return &p
}
