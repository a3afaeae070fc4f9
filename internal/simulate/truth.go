package simulate

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/channel"
)

// Truth is what a simulation plants, and what an analysis of its messages should
// find again. doc.go has the table of the default.
type Truth struct {
	// Chain is how inbound journeys go. Unresponsive people follow
	// Chain.Without(channel.Email). Journeys are independent of each other.
	Chain Chain
	// Quiet parts journeys that did not convert: the next touch comes later than
	// this, and within a journey it comes sooner. At least six hours.
	Quiet time.Duration

	Purchases PurchaseProcess
	Spend     SpendProcess

	// Prospects is the share of people who never buy; each of them has
	// ProspectJourneys journeys on average (one or more).
	Prospects        float64
	ProspectJourneys float64
	// Unresponsive is the share of people who never answer an outbound e-mail.
	Unresponsive float64
	// Response is the share of letters that the others answer with a visit, among
	// those that lead to visits now and then (not the newsletter) and go to people
	// who have granted marketing. Whoever has not gets only letters that they answer.
	// Zero: so does everyone.
	Response float64
	// SharedPairs is the share of neighbours (user-00001 and user-00002, user-00003
	// and user-00004, …) who log in on one tablet with one anonymous id.
	SharedPairs float64
	// Strays is the share of a customer's journeys without a purchase that happen
	// where they never log in, so that nothing links them to the person.
	Strays float64
	// Dollars is the share of people who pay in USD; the others pay in EUR.
	Dollars float64
	// Consents are the shares of people who grant each purpose, decided when they
	// first say who they are. Each time that they do, the message says so in the
	// categories of insight.DefaultPurposes; a purpose without any is not told of.
	Consents []ConsentShare

	// Outbound touches reach those who have said who they are and have granted
	// marketing: everyone (Newsletter), customers (Catalogue, by direct mail) and
	// users of the app (Push). Zero: none.
	Newsletter, Catalogue, Push time.Duration
}

// PurchaseProcess is the BG/NBD model (Fader, Hardie and Lee 2005): purchases
// after the first come at a rate of lambda a week while the customer is alive,
// and after each of them the customer is gone with probability p. Lambda is
// Gamma(R, rate Alpha) over people, p is Beta(A, B). First purchases come
// uniformly over the span.
type PurchaseProcess struct{ R, Alpha, A, B float64 }

// SpendProcess is the Gamma-Gamma model (Fader and Hardie 2013): a purchase is
// worth Gamma(P, rate nu), and nu is Gamma(Q, rate V) over people. The mean is
// P V / (Q - 1). A purchase is rounded to the cent and worth 0.50 at least.
type SpendProcess struct{ P, Q, V float64 }

// ConsentShare is how many grant a purpose.
type ConsentShare struct {
	Purpose string
	Granted float64
}

// DefaultTruth is the truth of the demo.
func DefaultTruth() Truth {
	return Truth{
		Chain: newChain(
			[]string{channel.OrganicSearch, channel.PaidSearch, channel.OrganicSocial, channel.Email, channel.Display, channel.Affiliates, channel.Direct, channel.Web, channel.App, channel.Store, channel.CallCenter, channel.Support},
			exits{channel.OrganicSearch: .24, channel.PaidSearch: .12, channel.OrganicSocial: .10, channel.Email: .10, channel.Display: .06, channel.Affiliates: .05, channel.Direct: .14, channel.App: .07, channel.Store: .10, channel.CallCenter: .01, channel.Support: .01},
			map[string]exits{
				channel.OrganicSearch: {channel.Web: .62, channel.Store: .05, channel.PaidSearch: .05, channel.Direct: .03, quiet: .25},
				channel.PaidSearch:    {channel.Web: .60, channel.OrganicSearch: .08, channel.Display: .04, quiet: .28},
				channel.OrganicSocial: {channel.Web: .40, channel.OrganicSearch: .10, channel.App: .06, quiet: .44},
				channel.Email:         {channel.Web: .58, channel.Store: .07, channel.App: .05, quiet: .30},
				channel.Display:       {channel.Web: .22, channel.OrganicSearch: .14, channel.PaidSearch: .06, quiet: .58},
				channel.Affiliates:    {channel.Web: .60, channel.OrganicSearch: .06, channel.PaidSearch: .06, quiet: .28},
				channel.Direct:        {channel.Web: .70, channel.Store: .06, channel.App: .04, quiet: .20},
				channel.Web:           {convert: .36, channel.Email: .10, channel.Direct: .07, channel.OrganicSearch: .05, channel.Display: .05, channel.Store: .05, channel.App: .03, channel.CallCenter: .02, channel.Support: .02, quiet: .25},
				channel.App:           {convert: .38, channel.Direct: .06, channel.Store: .06, channel.Email: .05, channel.Support: .02, quiet: .43},
				channel.Store:         {convert: .62, channel.Direct: .06, channel.Email: .05, channel.Support: .03, quiet: .24},
				channel.CallCenter:    {channel.Direct: .15, channel.Store: .12, channel.Support: .08, channel.Email: .05, quiet: .60},
				channel.Support:       {channel.Direct: .12, channel.Store: .10, channel.CallCenter: .08, quiet: .70},
			}),
		Quiet:            2 * insight.Day,
		Purchases:        PurchaseProcess{R: .6, Alpha: 10, A: .8, B: 2.4},
		Spend:            SpendProcess{P: 6.25, Q: 3.74, V: 15.44},
		Prospects:        .15,
		ProspectJourneys: 2,
		Unresponsive:     .2,
		Response:         .25,
		SharedPairs:      .06,
		Strays:           .12,
		Dollars:          .3,
		Consents:         []ConsentShare{{"analytics", .95}, {"personalization", .62}, {"marketing", .55}, {"advertising", .38}},
		Newsletter:       5 * insight.Week,
		Catalogue:        13 * insight.Week,
		Push:             8 * insight.Week,
	}
}

func (t *Truth) check() error {
	if err := t.Chain.check(); err != nil {
		return err
	}
	for _, share := range []struct {
		name  string
		value float64
	}{{"prospects", t.Prospects}, {"unresponsive", t.Unresponsive}, {"response", t.Response}, {"sharedPairs", t.SharedPairs}, {"strays", t.Strays}, {"dollars", t.Dollars}} {
		if !(share.value >= 0 && share.value <= 1) {
			return insight.NewError(insight.Invalid, share.name, "a share lies in 0 to 1")
		}
	}
	for i, c := range t.Consents {
		if !(c.Granted >= 0 && c.Granted <= 1) {
			return insight.NewError(insight.Invalid, fmt.Sprintf("consents[%d]", i), "a share lies in 0 to 1")
		}
	}
	for _, shape := range []float64{t.Purchases.R, t.Purchases.Alpha, t.Purchases.A, t.Purchases.B, t.Spend.P, t.Spend.Q, t.Spend.V} {
		if !(shape > 0) || math.IsInf(shape, 0) {
			return insight.NewError(insight.Invalid, "purchases, spend", "every parameter is a positive number")
		}
	}
	if t.Quiet < 6*time.Hour {
		return insight.NewError(insight.Invalid, "quiet", "journeys must be parted by at least six hours")
	}
	if slices.Min([]time.Duration{t.Newsletter, t.Catalogue, t.Push}) < 0 || t.Prospects > 0 && !(t.ProspectJourneys >= 1) {
		return insight.NewError(insight.Invalid, "outreach, prospectJourneys", "periods are not negative, and a prospect has one journey or more")
	}
	return nil
}
