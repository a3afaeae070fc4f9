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

import (
	"embed"
	"io/fs"
	"path"
	"strings"
)

//go:embed *.graphql *.variables.json
var files embed.FS

// Example is one query with what it needs to run.
type Example struct {
	Name      string // for people: "One individual"
	Query     string // a GraphQL document of one named operation
	Variables string // a JSON object, or empty
}

// All returns the examples in the order of the tabs. The slice is the caller's.
func All() []Example {
	queries, err := fs.Glob(files, "*.graphql") // sorted by name, and so by number
	if err != nil {
		panic("examples: " + err.Error()) // the pattern is fixed
	}
	all := make([]Example, len(queries))
	for i, file := range queries {
		stem := strings.TrimSuffix(file, path.Ext(file))
		all[i] = Example{Name: title(stem), Query: read(file), Variables: read(stem + ".variables.json")}
	}
	return all
}

// title makes "One individual" of "02-one-individual".
func title(stem string) string {
	_, words, _ := strings.Cut(stem, "-")
	words = strings.ReplaceAll(words, "-", " ")
	return strings.ToUpper(words[:1]) + words[1:]
}

// read returns a file's text, empty when there is no such file.
func read(file string) string {
	text, err := files.ReadFile(file)
	if err != nil {
		return ""
	}
	return string(text)
}
