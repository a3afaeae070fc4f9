// Package consent answers: may this person's data be used for this purpose, at that
// moment, by what we knew then, and how can somebody who does not trust us check it?
//
// The rule in words. A decision is a fact: it holds from a moment on, was recorded
// at another, and is never changed. For a purpose whose basis is CONSENT a person is
// covered when their latest decision is GRANTED and has not ended; for
// LEGITIMATE_INTEREST, unless it is DENIED or WITHDRAWN; on the other bases always.
// Of two decisions that hold from the same moment, the more restrictive is the
// later: WITHDRAWN, then DENIED, then GRANTED.
//
// A decision speaks for the identifiers that were the person's when it was
// recorded. Where two people turn out to be one, each one's latest word stands, and
// the strictest of them holds, until a decision is recorded that speaks for both.
// Where one turns out to be two, a no goes with each part for which it was said
// ([Parting]); a yes stays with the identifier in whose ledger it was written. So no
// sequence of merges and unmerges turns a no into a yes.
//
// A ledger is a chain: every record holds the hash of the one before it ([Seal]),
// and a head, kept apart, holds the last one's. [Check] finds and names what was
// changed, removed or moved.
//
// One worked example. Ann grants marketing on 1 May, until 1 June, and withdraws on
// 3 May, which we record on 4 May. On 3 May, by what we knew on 3 May, she was
// covered; by what we knew on 4 May she was not. Had she not withdrawn, the grant
// would have ended by itself at the first moment of 1 June.
//
// What tools send along with events is read by [Read] and becomes decisions by
// [Claims].
//
// It refuses malformed signals as a whole, with an error that names the place: a
// string that cannot be read says neither yes nor no.
package consent
