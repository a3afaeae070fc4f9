// Package schema is the graph as it is stored: one file an entity, with its
// fields, edges and indexes, from which ent's code and the migrations are made.
//
// The rule in words: every row about a person carries individual_id, and every
// index and unique key of such a table either starts with it or names the row
// alone, so that the table can be distributed by it. Facts (interactions, links,
// trait observations) are written once; what is derived (individuals, sessions,
// the individual that an identifier belongs to) can be worked out from them.
//
// For example, one page view by a new anonymous visitor is one row each in
// identifiers, individuals, interactions and sessions, all four with the same
// individual_id.
//
// It refuses soft deletes: there is no deleted_at anywhere.
package schema
