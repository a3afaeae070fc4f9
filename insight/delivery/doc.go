// Package delivery answers: what may a destination be told of a change of
// membership, and what follows from how it answered?
//
// The rule in words. A change is told in full while the destination's purpose covers
// the individual, at the moment of sending. When it does not any more, an ENTERED is
// not told at all; an EXITED is told bare, without anything of the individual but the
// opaque id, if its ENTERED may have reached the destination, which must be told to
// stop (GDPR Articles 7 (3), 17 (2) and 19), and else not at all ([Disclose]).
//
// A delivery is made when the destination answers with a status of 200 to 299.
// Everything else is a failure: it is tried again after a time that is drawn evenly
// from nothing to a bound, which is 2 seconds after the first attempt and doubles with
// each further one up to an hour ([Backoff]). A destination that says itself when to
// come back, with 429 or 503, is believed for up to an hour.
//
// Failures count for the destination too. Where nobody answers, or 429, 502, 503 or
// 504 is answered, or ten attempts in a row have failed, nothing is sent to it for a
// time drawn in the same way from the failures in a row; then a single delivery tries
// whether it is back ([Room.For]). One delivery that is refused again and again so
// holds up nothing but what is behind it for the same individual. A destination is
// disabled when at least ten attempts in a row, over at least 24 hours, have failed,
// and at once when it answers 410 ([Delivery.Judge]). It keeps its queue, until it is
// enabled again.
//
// One worked example. Ann enters a segment at noon; the destination does not answer.
// With 0.5 for chance, it is tried again 1 second later, then after 2, 4, 8, …, 1,024
// and from then on 1,800 seconds. Had it answered 503 with Retry-After: 120, it would
// be left alone until 12:02. At 12:40 she withdraws: her ENTERED is dropped, and her
// EXITED, which waited behind it, is told bare, because nobody knows whether one of the
// attempts was received. If nothing succeeds by noon of the next day, the destination
// is disabled.
//
// It refuses nothing: what it is given are statuses and moments. What a destination
// says in its answers is not kept, because it may be anything.
package delivery
