// Package insight is the vocabulary of Acquaint and the floor that every other
// package stands on: individuals and their identifiers, interactions, sessions,
// channels, purposes, and the one error type.
//
// The packages below it (identity, session, channel, recency, journey, …) each
// hold one idea as pure functions of values: facts and options in, a result with
// its evidence out. Nothing in this tree reads a clock, a file, a network or a
// database, and nothing logs. A computation that depends on "now" takes asOf.
//
// The rule in words: facts are appended and never change; everything else is
// worked out from the facts and is the same whatever the order they arrived in.
//
// One worked example: an anonymous visitor looks at a page at 10:00 and logs in
// as user-1 at 10:05. Two facts carry three identifiers' worth of evidence: an
// interaction of anonymous-1, and an interaction of user-1 with a link from
// user-1 to anonymous-1. Whichever arrives first, the answer is one individual
// with two identifiers, two interactions and one session of five minutes.
//
// It refuses values that cannot be: times outside the years 1 to 9998 (see
// [CheckTime]), identifiers that are placeholders, numbers that are not finite.
package insight
