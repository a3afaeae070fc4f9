// Package schema is the public contract: the GraphQL SDL, written by hand for its
// readers, one file a subject, every element described.
//
// The rule in words: what a user can do goes through here, and an element stands
// here only when it works. The types are those of the domain and not of the tables.
//
// For example, individual.graphql holds the type Individual, the ways to look one
// up and to list many, and graph/individual.resolvers.go answers them.
//
// It refuses elements without a description (a test says so).
package schema

import "embed"

// Files are the SDL files.
//
//go:embed *.graphql
var Files embed.FS
