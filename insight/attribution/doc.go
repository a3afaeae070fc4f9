// Package attribution answers which channels the conversions are owed to, by eight
// models.
//
// The rule in words: of an individual's timeline up to asOf, conversions are the
// interactions that match conversion; touches are those that match touch, have a
// channel, and are not conversions; everything else does not exist. A journey is a
// run of touches, which ends at a conversion or after a quiet lookback: a gap of
// more than the lookback starts another journey, exactly the lookback still
// belongs. The touches of a journey are its path. A journey that has not converted
// by asOf is a null path. A conversion without a touch before it in its journey is
// owed to no channel: it is counted apart as unattributed, so that the credits add
// up to conversions and to value. A conversion's value is its interaction's, and 0
// where there is none; a value below zero takes from the credit.
//
// How a conversion is shared by the touches of its path, repeats counted each:
//
//   - FIRST and LAST: all to that touch.
//   - LAST_NON_DIRECT: all to the last touch on a channel that is not of kind
//     DIRECT; to the last when all are.
//   - LINEAR: the same to each.
//   - POSITION: 40 % to the first, 40 % to the last, 20 % shared by those between;
//     one touch has all, two have half each.
//   - TIME_DECAY: 2^(-age/7 days), where age is the time from the touch to the
//     conversion. Only the differences of ages matter, so they are measured from
//     the last touch, whose weight is then 1: nothing divides by zero however old
//     the touches are.
//   - SHAPLEY: with v(S) the conversions of journeys whose channels all lie in S, a
//     channel has the sum over S of |S|!(n-|S|-1)!/n! (v(S+i) - v(S)). This is the
//     same as sharing each conversion equally among the distinct channels of its
//     path, which is how it is computed: v is the sum, over conversions, of the
//     unanimity game of the conversion's channels T (1 where S holds all of T, 0
//     elsewhere); the formula is linear in v; and in one unanimity game the
//     channels outside T change nothing and get 0, those of T are
//     interchangeable and get the same, and together they get 1, so 1/|T| each.
//   - MARKOV: a chain whose states are the start, the last channels (as many as the
//     order, 1 to 4; a channel twice in a row counts once), the conversion and the
//     null, and whose probabilities are the shares of journeys, null paths
//     included, that went on so. The removal effect of a channel is 1 - P(conversion
//     when whatever enters the channel leads to null) / P(conversion), and the
//     credit is its share of all removal effects, times the conversions.
//
// Value is credited by the same shares, and by MARKOV with the expected value in
// the place of P(conversion), where a conversion from last channel j brings the mean
// value of the conversions that end on j. What is above and below zero is credited
// each by itself.
//
// One worked example of MARKOV: journeys g, g, m, and g > m converted, and one
// journey g did not. The start leads to g 4 times in 5 and to m once; g to the
// conversion 2 times in 4, to m and to null once each; m always to the conversion.
// P is 4/5. Without g only m is left, 1/5: the removal effect is 3/4. Without m it is
// 4/5 x 1/2 = 2/5: the removal effect is 1/2. Of 4 conversions g has 4 x 3/5 = 2.4
// and m 1.6.
//
// Every conversion of the chain passes a channel, so that the removal effects add up
// to at least 1 as soon as anything converted: they cannot all be zero. When nothing
// converted, P is 0, there is nothing to credit, and there are neither shares nor
// removal effects. A channel that only unconverted journeys touched has no credit,
// but by MARKOV has some where others went on from it to channels that converted.
//
// The chain is solved as the linear system that it is, never simulated. With all its
// channels it needs no solving, as its probabilities are shares of the journeys
// themselves. Without a channel it is solved by elimination where it is small;
// otherwise by sweeps over its states, with corrections by elimination between
// families of them, until what is left over is at the precision of float64 in every
// state. Solving adds and never subtracts. Nothing depends on the order in which
// individuals came, to the last bit: counts are integers and sums are exact.
//
// It refuses with a conflict a total value beyond what a float64 holds, and a chain of
// thousands of states in which journeys go round tens of thousands of times, which
// cannot be solved to that precision in reasonable time. No journey at all is an empty
// report. A value that is not a finite number counts as none.
package attribution
