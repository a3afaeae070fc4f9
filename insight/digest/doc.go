// Package digest answers how one individual's history is kept small enough that a
// question about everyone reads all of them: a digest is a history in a few bytes an
// interaction.
//
// The rule in words: a digest tells what every fold over a population may ask of an
// interaction, in order: when it happened, its type, channel, direction and currency,
// its value, and the purposes that were permitted when it happened. What is seldom
// asked (properties, campaign, source, message id) is left to the facts. It also tells
// when the individual had refused to be approached. It names no identifier, and stands
// for itself: no dictionary outside it outlives the individual.
//
// One worked example: twenty interactions of four types on three channels, a day
// apart, take some 200 bytes, where the facts take 8,000 with their index. Reading
// one back costs some 20 ns an interaction.
//
// The form, all numbers being varints: a version; the refusals, each its start and
// its length in microseconds, 0 for one that lasts; the types and the currencies, each
// with its length; the channels, 16 bytes each; the kinds, each its type, channel,
// direction, currency and set of purposes; then the interactions, each its kind, with
// a bit that says whether a value follows, the time since the one before in the
// largest of seconds, milliseconds and microseconds that tells it exactly, and the
// value, in hundredths where those tell it exactly.
//
// It refuses, when it reads, what it did not write: another version, numbers that
// point nowhere, bytes that are missing or left over.
package digest
