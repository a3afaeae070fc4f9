// Package lifetime answers whether an individual is still a customer, how often
// they will purchase, and what that will be worth.
//
// The rule in words: of each individual four things count. The days with a purchase
// after the first such day (frequency, x); the weeks from the first to the last of
// those days (recency, t_x); the weeks from the first to the day of asOf (age, T);
// and the mean of what the later days were worth. Purchases of one day are one,
// days are days of a time zone, weeks are days/7 and not rounded, and what occurs
// after asOf does not exist yet.
//
// From these a model is fitted by maximum likelihood. In both models everybody
// buys at random at a rate of their own until, unseen, they cease to be a
// customer. BG/NBD (Fader, Hardie and Lee 2005) lets them cease after each repeat
// purchase, with a chance of their own: whoever has not come back yet is alive for
// certain. Pareto/NBD (Schmittlein, Morrison and Colombo 1987) lets them cease at
// any moment. What a purchase is worth is fitted beside it, by Gamma-Gamma (Fader
// and Hardie 2013): the fewer spends somebody has, the more is borrowed from the
// population.
//
// One worked example, with the parameters of CDNOW's customers, r 0.2426, alpha
// 4.4136, a 0.7929, b 2.4259: somebody has come back twice, the last time 30 weeks
// after the first purchase, which is 39 weeks ago. They are still a customer with
// a probability of 0.720, and 1.54 purchases are expected of them in the next 52
// weeks. Each of the two was worth 20 in the mean; the next ones are expected to be
// worth 22.74, towards the population's 35.22. So the year is worth 35.00.
//
// The first day makes no spend, and neither does a day whose values are missing or
// add up to nothing, less, or over 10^13. Values are added as they are, whatever
// their currency. Who has no spend is expected to spend the population's mean,
// p v/(q-1). An individual's worth is the expected number of days times the
// expected spend; nothing is discounted.
//
// The answer is the same bit for bit, whatever the order of the individuals and
// however they were divided among tallies that were merged.
//
// It refuses, with an error that says why, to fit fewer than ten individuals who
// have purchased, a population of whom nobody came back, and one for which no
// parameters are likeliest: the search must end inside its bounds, where the
// likelihood falls to every side. Spend alone may be unknown for the same reasons;
// the number of purchases is told then, and their worth is not.
package lifetime
