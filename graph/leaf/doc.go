// Package leaf answers: what can be written without asking anybody?
//
// Most of what lists of interactions and sessions are asked for is in the objects
// already. The executor resolves each such field as it does one that needs the
// database: a goroutine an object, a context and half a dozen allocations a field.
//
// The rule in words: when a list is resolved, and everything that is asked of its
// objects is in the table of leaves here, the list is written at once. Where one
// field is not (whose interaction it is, a page of a session's interactions, a
// deferred fragment), the executor goes on as if this package did not exist. The
// answer is the same to the byte.
//
// One worked example: 20 individuals with 20 interactions each, nine fields of each
// interaction, three of them of its channel, are 4,800 fields. The executor takes
// about 3 ms of one core to answer them; written at once they take about 0.2 ms.
//
// It refuses fields that can fail or that are checked for a scope: a table holds
// only what every reader of the object may see, and what is always there.
package leaf
