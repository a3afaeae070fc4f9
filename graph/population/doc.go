// Package population answers what one individual is compared with: models of everyone
// whom a purpose covers, which take a look at everyone to make.
//
// The rule in words: a model is made for each question (purpose, selector, options) and
// kept. What is quick to make is made anew whenever anything has changed, before it is
// used. What is not is used for a while after something has changed, while another one
// is being made: for twenty times as long as it takes to make, so that a twentieth of
// one processor is spent on it at most. A model of now is also made anew each minute,
// because time passes and other processes write. So nobody who asks about one
// individual waits for a model but the first to ask for it.
//
// One worked example: of half a million individuals the habit takes a second to make.
// Who asks for somebody's recency within the next 20 seconds is answered by it, within
// a millisecond; who asks later too, and then another one is made.
//
// What is kept of people is numbers without names: when each was last there, medians,
// counts, the parameters of a distribution. A withdrawal is in every model that is made
// after it.
//
// It refuses nothing: what a question may not ask is refused before.
package population
