package graph_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/acquaint/acquaint/graph"
)

// TestEverythingIsDescribed: every element of the schema says what it is.
func TestEverythingIsDescribed(t *testing.T) {
	schema := graph.New(graph.Options{}).Schema()
	described := 0
	want := func(name, description string) {
		described++
		if strings.TrimSpace(description) == "" {
			t.Errorf("%s has no description", name)
		}
	}
	for name, d := range schema.Types {
		if d.BuiltIn || strings.HasPrefix(name, "__") {
			continue
		}
		want(name, d.Description)
		for _, f := range d.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			want(name+"."+f.Name, f.Description)
			for _, argument := range f.Arguments {
				want(name+"."+f.Name+"("+argument.Name+":)", argument.Description)
			}
		}
		for _, v := range d.EnumValues {
			want(name+"."+v.Name, v.Description)
		}
	}
	for name, d := range schema.Directives {
		if d.Position == nil || d.Position.Src.BuiltIn {
			continue
		}
		want("@"+name, d.Description)
		for _, argument := range d.Arguments {
			want("@"+name+"("+argument.Name+":)", argument.Description)
		}
	}
	if described < 300 {
		t.Errorf("only %d elements were looked at", described)
	}
}

// TestContract: whatever the contract names is in the schema just so.
func TestContract(t *testing.T) {
	file := filepath.Join("..", "..", "shared", "contract.graphql")
	text, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		t.Skipf("the contract is not here (%s), so the schema is not compared with it", file)
	}
	if err != nil {
		t.Fatal(err)
	}
	contract, err := parser.ParseSchema(&ast.Source{Name: file, Input: string(text)})
	if err != nil {
		t.Fatal(err)
	}
	schema := graph.New(graph.Options{}).Schema()
	missing := map[string]bool{}
	compared := 0
	for _, want := range contract.Definitions {
		got := schema.Types[want.Name]
		if got == nil {
			missing[want.Name] = true
			continue
		}
		if got.Kind != want.Kind {
			t.Errorf("%s is of kind %s, want %s", want.Name, got.Kind, want.Kind)
		}
		for _, i := range want.Interfaces {
			if !slices.Contains(got.Interfaces, i) {
				t.Errorf("%s does not implement %s", want.Name, i)
			}
		}
		if want.Directives.ForName("oneOf") != nil && got.Directives.ForName("oneOf") == nil {
			t.Errorf("%s is not @oneOf", want.Name)
		}
		for _, v := range want.EnumValues {
			if compared++; got.EnumValues.ForName(v.Name) == nil {
				t.Errorf("%s has no value %s", want.Name, v.Name)
			}
		}
		if len(got.EnumValues) != len(want.EnumValues) {
			t.Errorf("%s has %d values, want %d", want.Name, len(got.EnumValues), len(want.EnumValues))
		}
		for _, f := range want.Fields {
			name := want.Name + "." + f.Name
			has := got.Fields.ForName(f.Name)
			if has == nil {
				missing[name] = true
				continue
			}
			compared++
			if has.Type.String() != f.Type.String() {
				t.Errorf("%s is %s, want %s", name, has.Type, f.Type)
			}
			for _, argument := range f.Arguments {
				switch given := has.Arguments.ForName(argument.Name); {
				case given == nil:
					t.Errorf("%s does not take %s", name, argument.Name)
				case given.Type.String() != argument.Type.String():
					t.Errorf("%s takes %s as %s, want %s", name, argument.Name, given.Type, argument.Type)
				}
			}
			for _, more := range has.Arguments {
				if f.Arguments.ForName(more.Name) == nil && more.Type.NonNull && more.DefaultValue == nil {
					t.Errorf("%s asks for %s, of which the contract knows nothing", name, more.Name)
				}
			}
		}
		for _, more := range got.Fields {
			if want.Kind == ast.InputObject && want.Fields.ForName(more.Name) == nil && more.Type.NonNull && more.DefaultValue == nil {
				t.Errorf("%s asks for %s, of which the contract knows nothing", want.Name, more.Name)
			}
		}
	}
	for name := range missing {
		t.Errorf("%s is missing", name)
	}
	if compared < 150 {
		t.Errorf("only %d elements were compared", compared)
	}
}
