// Package segment answers whom a rule holds, since when and until when, and why.
//
// The rule in words: an individual is in a segment at a moment when the segment's
// purpose covers them at that moment and its rule holds over what had happened by then.
// A [Rule] is a tree of all, any and not over leaves: traits, how often something
// happened, how long ago, for how much, in which order, RFM scores, the relationship,
// the lifetime that is expected, consent to another purpose, another segment, everyone.
//
// Every leaf is a function of the moment that turns at certain moments and is constant
// in between. So it is known beforehand when time alone makes a rule true or false, and
// [Program.Over] tells the very microsecond; nothing has to be polled. What is dated
// ahead enters at its own moment.
//
//   - A window is open at its far end: what happened at e counts within P30D until just
//     before e plus 30 days. A recency of at least P30D begins exactly then, and one of
//     at most P30D holds up to that moment and at it.
//   - Who never did something is neither overdue nor on time, and no recency holds.
//   - Values are added up exactly, whatever their currency; nothing adds up to 0.
//   - The steps of a sequence are different interactions, each later in the timeline;
//     other things may happen between. From the first to the last it takes less than
//     within.
//   - RFM is over any inbound interaction, and its days are days of UTC, so that scores
//     change at midnight; so does the lifetime, by BG/NBD with lifetime.DefaultHorizon.
//   - The relationship is that of package relationship, a trait the one that is shown
//     (insight.BestTraits) of what was observed by then, with at least the confidence
//     that both the leaf and its segment ask for.
//
// One worked example: event purchase at least 2 times within P30D, for somebody who
// purchased on 1, 10 and 20 January. From 10 January on it holds, and from 9 February on,
// 30 days after the second, it does not: only the third is left. Read for marketing,
// which they granted on 15 January, the membership lasts from 15 January to 9 February.
//
// A rule may name another segment, whose rule is then written out in its place, with
// that segment's least confidence for its part. It is still read for this segment's
// purpose alone: facts that serve another purpose do not come along, since reusing a
// rule must not widen a purpose.
//
// Some leaves compare somebody with everyone and need [Models]: overdue, relationship,
// rfm and lifetime. Where a model is missing the leaf is not known. It then does not
// hold, and neither does its opposite, so that "not rfm Lost" is nobody rather than
// everybody until the scores are known.
//
// While nothing happens, neither the probability that somebody is still a customer nor
// what they are expected to be worth rises, so each turns a leaf once at most. The day
// is looked for no further than 64 days ahead; a [Course] says when to look again.
//
// It refuses rules that cannot be meant ([Rule.Validate]), JSON that is not exactly a
// rule ([Read]), and, when a rule is compiled, purposes and segments that do not exist
// and segments that lead back to themselves; each error names the path.
package segment
