// Package journey answers by which channels an individual came along, from the
// first touch to the conversion or to where they are now; and, of a population, which
// channel leads to which, and which ways most of them go.
//
// The rule in words: an individual's interactions of either direction are taken in
// order, and consecutive ones on the same channel fold into one touchpoint. A
// journey ends with a conversion, which belongs to it, or when more than the
// lookback passes without any interaction; the next interaction starts another
// one. A gap of exactly the lookback still belongs. What occurs after asOf does
// not exist yet.
//
// One worked example, with a lookback of 30 days and purchases as conversions: an
// e-mail on 1 March, two pages on the web on 2 March, a purchase in the store on
// 5 March, another page on 6 March. As of 10 March there are two journeys: email,
// web (2 interactions), store, which converted and ended on 5 March; and web, the
// current one, which is open. As of 10 April the second has been quiet for 35 days
// and has ended on 6 March, not converted.
//
// An individual's current journey is the latest that had started by asOf, ended or
// not.
//
// # What follows what
//
// [Transitions] answers for a population which channel follows which. The
// interactions that match the event, of which only silence ends a journey, make
// touchpoints as above, and each touchpoint that follows another in a journey is one
// transition. Its time runs from the last interaction of the one to the first of the
// other.
//
// The probability of b after a is n(a->b)/n(a->.): of all times that anything came
// after a, so often it was b. A journey that ended at a does not count. The lift is
// that probability over the base rate, the probability of b after a if what comes
// next did not depend on what was before.
//
// The base rate is not b's share of all transitions. Touchpoints fold, so that a
// never follows a, and the more usual a channel is, the more often it would have
// followed itself: of what is reached it has less than its part. So those repeats are
// put back first. With r, s and p for the times that each channel was left, was
// reached, and followed itself unseen,
//
//	p = (r+p)(s+p)/T          for each channel, where T = all transitions + all p
//	base rate of b after a = (s+p of b)/T * (r+p of a)/(r of a)
//
// which is a table whose rows and columns do not depend on each other, but for what
// cannot be seen of it: quasi-independence, by maximum likelihood (L. A. Goodman, "The
// analysis of cross-classified data: independence, quasi-independence, and
// interactions in contingency tables with or without missing entries", Journal of the
// American Statistical Association 63, 1968; what is put back into the diagonal is that
// of I. R. Savage and K. W. Deutsch, "A statistical model of the gross analysis of
// transaction flows", Econometrica 28, 1960).
//
// One worked example: 22 transitions, 6 from web to email and 6 back, 3 from web to
// store and 3 back, 2 from email to store and 2 back. Web was left 9 times and
// reached 9 times, email 8 and store 5. With 9, 4 and 1 repeats put back the total is
// 36: (9+9)(9+9)/36 = 9, (8+4)(8+4)/36 = 4, (5+1)(5+1)/36 = 1. The base rate of store
// after web is 6/36 * 18/9 = 1/3, and 3 of the 9 that left web went there: the lift
// is 1. By its share of the 13 that reached anything but web, 5/13, it would be 0.87,
// and that of web after email 1.17, where there is nothing to it: half, a third and a
// sixth of all touchpoints drawn at random look like this.
//
// Low and high hold the lift at 95 %: the logarithm of the lift plus and minus 1.96
// standard errors by the delta method (as D. Katz and others do for the risk ratio,
// "Obtaining confidence intervals for the risk ratio in cohort studies", Biometrics
// 34, 1978), with each count's variance the count, and with the base rate as
// uncertain as its counts are. Where one channel has a part in every transition, as
// always when there are two, nothing else could have followed: the lift is 1 and
// there is no interval. Transitions are taken as independent of each other beyond
// the channel that they start from; of few individuals who go back and forth a lot
// the interval is too narrow. Of one or two transitions it is a rough one.
//
// # Paths
//
// [Paths] answers along which channels the journeys of a population went, open ones
// included, how many converted, and what the conversions were worth. The event says
// which interactions exist; conversions always do. Of a journey with more touchpoints
// than the most that are told, the last ones are, because those led up to the
// conversion or were where it was lost, and the path is marked as cut: the journeys
// that went web, store and those that did so after something else are two paths.
// Whatever path is not among the top ones is in the totals.
//
// One worked example: with purchases as conversions, two journeys went email, web and
// bought for 10 and for 20, one went email, web and did not buy, and one stands at
// email. There are two paths: email, web with 3 journeys, 2 conversions and a value of
// 30; and email with 1 journey.
//
// A conversion without a value is worth 0. Values are added exactly and rounded once,
// whatever their currencies. One that is not finite, and a sum that is none, leave
// it absent.
//
// # What it refuses
//
// It refuses a lookback that is not positive or is over 100 years, an asOf outside
// the years that insight.CheckTime takes, an event or a conversion that
// insight.Selector.Validate refuses, paths of fewer than 1 or more than 20
// touchpoints, and fewer than 1 or more than 100 paths.
package journey
