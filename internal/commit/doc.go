// Package commit lets concurrent callers share a transaction.
//
// The rule in words: what is submitted while a transaction runs waits, and shares the
// next one, up to a number of items. Each caller gets the answers to what they
// submitted, in their order, once they are durable. When a shared transaction fails for
// a reason of its content, each caller's items are tried by themselves, so that one
// caller's fault is not another's.
//
// One worked example: four items of one caller are being written when three callers
// submit one item each. The three share the next transaction. If the second of them
// cannot be kept, the first and third are kept in transactions of their own.
//
// Where answers are to be checked before they are told, that happens while the next
// transaction runs already.
//
// It refuses more items than may wait, and everything after Close. Where that is asked
// for, what nobody waits for any more by its turn is not worked on.
package commit
