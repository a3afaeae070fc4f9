// Package migrations answers: how does a database become what this version of
// Acquaint needs?
//
// Each engine has its own folder of goose files, made by internal/cmd/schemadiff
// from the ent schema and reviewed by hand. They are embedded and applied in order
// of their version, by "acquaint migrate" or at the start of the server.
//
// The files in citus are of another kind: they spread the tables that PostgreSQL's
// have made over many machines ("acquaint migrate --distribute"). They are written
// by hand, carry the version of the file whose tables they are about, and are kept
// count of in a table of their own. A database that was distributed is given new
// ones together with PostgreSQL's.
//
// The rule in words: a migration that was released is never changed; the next one
// mends it. A test asserts that all of them together give what the ent schema says.
//
// For example, an empty database at version 0 is given 20261123061244_init.sql and
// stands at version 20261123061244.
package migrations
