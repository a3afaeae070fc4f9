// Package audience answers: what keeps live audiences right when nothing happens?
//
// The rule in words. What happens to an individual changes the segments that they are
// in, in the transaction that keeps it: nobody needs to run for that. Three things are
// left for a [Keeper], which runs beside the server. It waits for the next moment at
// which time alone changes a membership, which is kept with the individual, and has
// that change made when the moment comes, so that "no purchase for 30 days" begins at
// that instant and nobody is scanned for it. It computes segments that are new or whose
// rule has changed, some individuals at a time, while what was computed before answers.
// And it makes the models of the population that some rules need (trip wires, RFM cuts,
// the fit of lifetime), first when a segment is computed, and again when they are a day
// old; between, a rule is asked with the models that it was computed with, so that the
// same individual always gets the same answer.
//
// One worked example. Ann bought on 1 March at 12:00:00, and the segment "quiet" asks for
// recency atLeast P30D. Her row says that she is to be looked at on 31 March at
// 12:00:00. The keeper sleeps until then, at most a quarter of a second at a time, since
// another server may have kept a nearer moment; then she enters, with the moment as
// enteredAt. Had the server been down until 2 April, she would enter with the same
// enteredAt. Had she bought again on 20 March, her row would have been moved to 19 April.
//
// Several servers run a keeper each. Every step is a transaction that takes its turn and
// finds what is still to be done, so that they share the work and none of it is done
// twice.
//
// It refuses nothing: an error is logged, and what it kept from being done is tried
// again after a while.
package audience
