// Package whole answers: does the server as a whole keep its promises to those who
// send it what is wrong, and to those whom the data is about? Its tests talk to
// everything that acquaint serve puts together, over HTTP, on every engine.
//
// The rule in words: whatever is wrong is refused with its place and a reason,
// nothing else is disturbed, and the server lives. Nothing that was sent shows in
// logs, metrics, traces or errors.
//
// One worked example: a batch of three messages of which the second says
// "timestamp": "0000-01-01T00:00:00Z" is answered 200 with one rejection,
// "batch[1].timestamp: the year 0 is outside 1 to 9998"; the two others are there,
// and the log has a line with a route, a status and a duration.
//
// It refuses to look inside: it knows the API, the log, /metrics and the spans.
package whole
