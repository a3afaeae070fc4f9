// Package bulk answers: how do many events at once, from a file or a simulation,
// get kept?
//
// The rule in words: events are gathered into large batches, each of which is one
// transaction, while the next is being made. A batch is kept whole or not at all.
// When the work is stopped, the batch that is being kept is finished, and what
// comes after it is not begun; because events are known by their ids, the same
// work done again keeps what is missing and nothing twice.
//
// One worked example: 10,000 events in batches of 4,000 are three transactions.
// Stopped after the first, [Keep] returns the tally {Accepted: 4000} and the
// context's error. Done again from the start, it returns {Accepted: 6000,
// Duplicates: 4000}.
//
// It refuses nothing itself: what cannot be kept is the keeper's to say.
package bulk
