package examples_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/acquaint/acquaint/docs/examples"
)

func TestAllStandsInOrder(t *testing.T) {
	want := []string{
		"First look", "One individual", "Journey", "Recency", "Slipping away", "What leads to what", "Who gets the credit",
		"Whom to leave alone", "Channels and purposes", "Record", "Identify and merge", "Live",
		"Make a segment", "Whom would it find", "Who is in it and why", "Who enters and leaves", "Make an experience",
	}
	var got []string
	for _, e := range examples.All() {
		got = append(got, e.Name)
	}
	if strings.Join(got, "; ") != strings.Join(want, "; ") {
		t.Errorf("the examples are %q, want %q", got, want)
	}
}

func TestEveryExampleParsesAndExplainsItself(t *testing.T) {
	for _, e := range examples.All() {
		t.Run(e.Name, func(t *testing.T) {
			document, err := parser.ParseQuery(&ast.Source{Name: e.Name, Input: e.Query})
			if err != nil {
				t.Fatal(err)
			}
			if len(document.Operations) != 1 || document.Operations[0].Name == "" {
				t.Fatal("it does not hold exactly one named operation")
			}
			comment := 0
			for line := range strings.Lines(e.Query) {
				if !strings.HasPrefix(line, "# ") {
					break
				}
				comment++
			}
			if comment < 1 || comment > 2 {
				t.Errorf("it starts with %d lines of comment, want one or two", comment)
			}
		})
	}
}

func TestVariablesAreThoseThatTheOperationTakes(t *testing.T) {
	for _, e := range examples.All() {
		t.Run(e.Name, func(t *testing.T) {
			document, err := parser.ParseQuery(&ast.Source{Name: e.Name, Input: e.Query})
			if err != nil {
				t.Fatal(err)
			}
			given := map[string]any{}
			if e.Variables != "" {
				if err := json.Unmarshal([]byte(e.Variables), &given); err != nil {
					t.Fatal(err)
				}
			}
			taken := document.Operations[0].VariableDefinitions
			for _, v := range taken {
				if _, ok := given[v.Variable]; !ok {
					t.Errorf("it takes $%s, which its variables leave out", v.Variable)
				}
			}
			for name := range given {
				if taken.ForName(name) == nil {
					t.Errorf("its variables hold %q, which it does not take", name)
				}
			}
		})
	}
}

func TestEveryFileIsPartOfAnExample(t *testing.T) {
	stem := regexp.MustCompile(`^\d\d(-[a-z]+)+$`)
	files, err := filepath.Glob("*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		base, ok := strings.CutSuffix(file, ".variables.json")
		if !ok {
			t.Errorf("%s does not end in .variables.json", file)
		}
		if _, err := os.Stat(base + ".graphql"); err != nil {
			t.Errorf("%s has no query beside it", file)
		}
	}
	queries, err := filepath.Glob("*.graphql")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range queries {
		if !stem.MatchString(strings.TrimSuffix(file, ".graphql")) {
			t.Errorf("%s is not named NN-name.graphql", file)
		}
	}
}
