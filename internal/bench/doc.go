// Package bench answers: how fast is Acquaint, beside the best that its database
// could do?
//
// The rule in words: what Acquaint does and what it is compared with are measured
// in turns, in one run, against one PostgreSQL, on data that Acquaint itself has
// kept. So the ratios mean something on any machine, also a busy one; the rates
// mean something on the machine that they were measured on. Each measurement is
// warmed up, repeated, and told as the median of its rounds.
//
//	ingest       events a second over HTTP, acknowledged when durable, against
//	             COPY of the very rows that they became, into empty tables with
//	             the same indexes and constraints
//	nested read  20 individuals with 20 interactions each over GraphQL, against
//	             one SQL statement that makes the same JSON
//	individual   everything about one individual over GraphQL
//	insight      every report about everyone, from digests, against the same fold over
//	             the interactions themselves; the fit of BG/NBD
//	consent      the nested read for a purpose that everybody granted, against one
//	             that asks nobody; decisions; archives and erasures of somebody with
//	             10,000 interactions
//	import       rows a second and peak memory of acquaint import, on each engine
//	memory       of acquaint serve that has nothing to do
//
// One worked example: 120,000 events take 4.0 s from the first request to the last
// answer, 30,000 a second. They became 90,000 rows in six tables, which COPY writes
// in 2.5 s: 48,000 events a second. The ratio is 0.62; the bar is 0.5.
//
// It refuses to work in a database that it did not make: every round has one of its
// own, dropped at the end. It says when the server does not wait for the disk
// (fsync or synchronous_commit is off), because the numbers then mean little.
package bench
