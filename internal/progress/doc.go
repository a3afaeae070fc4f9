// Package progress answers: how far is it? It shows long work to whoever waits
// for it.
//
// The rule in words: on a terminal a bar is redrawn in place; elsewhere (a file, a
// pipe, a log) a plain line is written every five seconds, so that short work
// says nothing and long work fills no disk.
//
// One worked example: loading 120,000 messages into a file's standard error, at
// 20,000 a second, writes
//
//	loading: 100,000 of 120,000 messages (83 %), 20,000/s
//
// after five seconds and nothing else. Where the total is not known, it is left
// out: "verifying: 100,000 interactions, 20,000/s".
//
// It refuses to fail: what cannot be shown is not shown, and the work goes on.
package progress
