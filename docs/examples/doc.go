// Package examples answers: what can I ask, and how? It holds the example queries
// that the playground opens as tabs.
//
// The rule in words: one file NN-name.graphql is one example, and NN is its place.
// It starts with a comment of a line or two that says what it asks, and holds one
// named operation, whose name titles the tab. Variables, where it takes any, stand
// beside it as a JSON object in NN-name.variables.json. The examples name users as
// acquaint simulate does ("user-00001"), so that they answer in the demo.
//
// One worked example: 02-one-individual.graphql with 02-one-individual.variables.json
// is the second of [All], named "One individual".
//
// It refuses nothing at run time: that every file parses and has what it needs is
// asserted by the package's test, and that each is answered by the API by a test of
// the API.
package examples
