// Package ingest answers: how does an event that arrives become one that is kept?
//
// Events come in many small requests, and a transaction for each would spend its
// time waiting for the disk. A [Pipeline] lets requests that arrive together share
// a transaction: while one is under way, the next gathers.
//
// The rule in words: a request is answered when the transaction that holds all its
// events has committed, and not before. If a shared transaction fails for a reason
// that may lie in one request, each is tried by itself, so that nobody pays for
// another's events.
//
// One worked example: 32 clients send batches of 100. The first is committed alone;
// meanwhile 31 wait, and are then committed together, 3,100 events in one
// transaction.
//
// It refuses more than it may hold: when too many events wait, Submit returns an
// error of kind Unavailable at once, and the client comes back.
//
// The folders below turn what is sent into events: tracking decodes the Segment
// tracking API, file reads NDJSON and CSV.
package ingest
