// Package identity answers: which identifiers are one person?
//
// Identity is evidence, not surgery. Identifiers are nodes, links between them are
// edges, and individuals are the connected components of the links that take
// effect. The answer is a function of the set of links, so it is the same whatever
// the order in which they arrived, and revoking a link restores exactly what a
// recompute without it gives.
//
// The rule in words:
//
//   - An operator's link always takes effect.
//   - An identifier that is no USER_ID and is linked by evidence to two USER_IDs is
//     shared (a family's tablet, a shop's e-mail). Its evidence joins nobody.
//   - The other evidence is taken by strength (the stronger identifier's kind, then
//     the weaker one's), then by time of observation, then by id. A link that would
//     bring two USER_IDs together stays inert.
//   - An individual's id is the origin of its oldest member: the smallest origin,
//     since origins are made in time order.
//
// One worked example. Links: u1–a1, u1–e1, e1–a2, and u2–a2 (u: USER_ID, e: EMAIL,
// a: ANONYMOUS_ID). The links with a USER_ID are stronger, so they go first:
// {u1, a1, e1} and {u2, a2}. Then e1–a2 would join u1 with u2: it stays inert, and
// both individuals are contested. Revoke u2–a2, and the answer is {u1, a1, e1, a2}
// and {u2}.
//
// It refuses nothing: every set of links has an answer. Values that cannot be
// identifiers at all are refused by [NewIdentity].
package identity
