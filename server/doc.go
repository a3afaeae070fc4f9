// Package server is the HTTP shell around the graph: it answers who may come in,
// what a request may cost, and what a client is told when something fails.
//
// The rule in words: a request is refused before it costs anything, in this
// order: method, media types, token, size, syntax, validity, depth, cost. What
// is refused is told why, and never with anything that the client sent: no
// token, no body, no variable's value. What fails inside is told by its kind
// alone, and a fault of ours by a request id whose detail is in the log.
//
//	/graphql   GraphQL over HTTP (POST, and GET for queries), graphql-sse and graphql-transport-ws
//	/v1/       the tracking API, a handler of its own
//	/          the playground, a handler of its own
//	/healthz   the process is up
//	/readyz    what it depends on is up too, and it is not stopping
//	/metrics   Prometheus
//
// One worked example of a cost: fields that lead to an object cost 1, values
// cost nothing, and a connection costs what one of its items costs times the
// size of the page. In
//
//	{ individuals(first: 20) { nodes { id interactions(first: 20) { nodes { type channel { key } } } } } }
//
// an interaction costs 1 and its channel 1, a page of 20 of them 40, and 41 with
// the field itself. An individual costs 1 + 41, a page of 20 individuals 840, and
// the operation 841, which the answer says in extensions.cost:
// {"requested": 841, "limit": 25000}.
//
// It refuses tokens that are not signed by the configured key with a pinned
// algorithm, tokens without expiry, mutations by GET, bodies that are not JSON,
// and operations past the limits.
package server
