// Package schemadiff answers: what does a database lack to be what the ent schema
// says?
//
// Its command writes the difference as a new goose migration; the migrations'
// test asks whether there is any. The rule in words: the ent schema, less the
// foreign keys of interactions (docs/decisions/foreign-keys.md), is the truth, and
// the migrations are how a database gets there.
//
// For example, after a field "nickname" was added to an individual,
//
//	go run ./internal/cmd/schemadiff -name nickname
//
// replays the migrations of each engine into a scratch database and adds
// 2026…_nickname.sql with one ALTER TABLE beside them.
//
// It refuses to write a migration that would change nothing.
package schemadiff
