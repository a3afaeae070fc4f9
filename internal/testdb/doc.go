// Package testdb answers: on which databases does a test run?
//
// Each call gives a test a database of its own: a file in its temporary folder for
// SQLite, a freshly made database on the server that ACQUAINT_TEST_POSTGRES names
// (by default the one at 127.0.0.1:5432) for PostgreSQL, dropped when the test ends; a database on every node of the Citus
// cluster that ACQUAINT_TEST_CITUS names (its coordinator's URL, then its workers',
// with commas between them), distributed.
//
// The rule in words: where no PostgreSQL answers, its tests are left out and say so,
// unless ACQUAINT_TEST_ENGINES demands them. Those of Citus are left out, and say so,
// where no cluster is named.
//
// For example, testdb.Each(t, …) on a machine with both runs its function twice, as
// the subtests "sqlite" and "postgres", and leaves out "citus".
//
// It refuses to touch a database that it did not make.
package testdb
