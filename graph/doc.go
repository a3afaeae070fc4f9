// Package graph answers GraphQL operations: one file of resolvers for each file of
// the schema.
//
// The rule in words: a resolver translates its arguments, calls a reader, the
// ingest pipeline or a pure function of insight, and returns what it says. Whatever
// tells something of a person goes through a reader, which can only be had for the
// viewer and the purpose of the request.
//
// For example, Individual.recency reads the timelines of the individual and its
// siblings in one statement and folds each by recency.Of.
//
// It refuses pages of less than 1 or more than 100, and says which argument it was.
package graph
