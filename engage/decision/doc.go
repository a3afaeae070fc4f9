// Package decision lets concurrent requests for decisions share a transaction.
//
// The rule in words: what is asked while a transaction runs waits, and shares the next
// one; each answer is given once it is kept. What is decided, and why, is package
// insight/experience's to say, and package store's to keep.
//
// One worked example: a hundred page views ask at once. The first one's decision is
// kept, and meanwhile the others gather; the second transaction keeps all of theirs. Two
// about one individual are decided one after the other, so that a cap of one offer holds.
//
// It refuses more questions than may wait, and everything after Close. Of whoever has
// gone by their turn nothing is decided: what nobody sees is not offered.
package decision
