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
