// Package config answers: how was this installation told to run? It reads the
// environment, and keeps the secrets that an installation makes for itself.
//
// The rule in words: every setting is an environment variable of one table,
// [Variables], which says its name, its meaning, its default and how it is read;
// the help that a user sees is printed from the same table. An empty variable is
// an unset one. A wrong value is an error that names the variable and never
// repeats the value, and all faults are told at once. A variable that starts with
// ACQUAINT_ and is not in the table is told back, because it is a misspelling.
//
// One worked example: with ACQUAINT_ADDR=0.0.0.0:80 and ACQUAINT_LOG=json,warn in
// the environment, [Parse] answers with Addr "0.0.0.0:80", logs as JSON from
// warnings on and the rest as the table has it, and [Config.CheckExposure] refuses
// to serve: beyond loopback a secret or a key set must be configured. With
// ACQUAINT_ADRR instead, Addr stays "127.0.0.1:8080" and "ACQUAINT_ADRR" is told
// back.
//
// Where no secret is configured, [OwnSecret] makes one in the data folder: 256
// random bits in a file that its owner alone can read. It refuses a file that
// others can read.
package config
