// Package store answers: what is kept, and who may see it?
//
// It is the only package that knows of ent, SQL and the engines. It keeps facts
// ([Store.Append], [Store.Merge], [Store.Unmerge]), works out from them what is
// derived by the pure functions of insight, in the transaction that changes the
// facts, and gives personal data out only through a [Reader], which can only be
// had for a viewer and a purpose.
//
// The rule in words: one transaction writes at a time in a database; within it,
// the identity of what arrived is resolved first, then sessions are joined, then
// everything is written in a handful of statements that each take all rows at
// once. When Append returns, what it accepted is durable.
//
// One worked example: 3,200 events of 32 requests are one transaction of about a
// dozen statements. Sent again, it is three: the ids are found to be there.
//
// It refuses to read for a purpose that the viewer's token does not allow, and
// shows nothing of an individual whom the purpose does not cover: not in lists, not
// in counts; asked for directly, the answer is an error of kind Withheld.
package store
