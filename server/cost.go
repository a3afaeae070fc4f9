package server

import (
	"math"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// CostDirective is what the schema must declare for a field to name its own
// cost. It is read from the schema; no code runs for it.
const CostDirective = `directive @cost(weight: Int! = 1) on FIELD_DEFINITION`

const (
	defaultPage = 20  // the size that a connection counts with when neither first nor last is given
	largestPage = 100 // more than this is refused by the field itself, and so costs no more
	plainList   = 10  // the length that a list without a page counts with
	maxVisited  = 50_000
	dearest     = math.MaxInt32 // a GraphQL Int holds no more
)

// pricing works out what an operation may cost at most, before it runs.
//
// A field that returns an object costs 1, one that returns a value nothing,
// unless @cost(weight:) says otherwise; what is asked of the object is added. On
// a connection, the lists (edges, nodes) cost 1 and what is asked of an item,
// times first or last. Another list of objects costs what is asked of an item,
// times its length: that of the argument ids, of first or last, else 10. Fields
// that answer under the same name are one field, as in the answer. Where a
// selection depends on the object's type, the dearest type counts.
type pricing struct {
	schema    *ast.Schema
	fragments ast.FragmentDefinitionList
	variables map[string]any
	visited   int // selections, so that fragments within fragments cannot take forever
}

// operation is the cost of an operation, at most 2,147,483,647, which is also
// what it costs to select more than 50,000 fields.
func (p *pricing) operation(op *ast.OperationDefinition) int {
	var root *ast.Definition
	switch op.Operation {
	case ast.Mutation:
		root = p.schema.Mutation
	case ast.Subscription:
		root = p.schema.Subscription
	default:
		root = p.schema.Query
	}
	total := p.selections(root, 1, op.SelectionSet)
	if p.visited > maxVisited {
		return dearest
	}
	return min(total, dearest)
}

// answered is one name in the answer, and everything that is asked under it.
type answered struct {
	field *ast.Field
	asked []ast.SelectionSet
}

// selections is the cost of what is asked of one object of a declared type. When
// the object is a connection, page is the size that its lists are multiplied by.
func (p *pricing) selections(declared *ast.Definition, page int, sets ...ast.SelectionSet) int {
	if declared == nil || p.visited > maxVisited {
		return 0
	}
	if !declared.IsAbstractType() {
		return p.selectionsOf(declared, page, sets)
	}
	most := 0
	for _, object := range p.schema.GetPossibleTypes(declared) {
		most = max(most, p.selectionsOf(object, page, sets))
	}
	return most
}

func (p *pricing) selectionsOf(object *ast.Definition, page int, sets []ast.SelectionSet) int {
	var order []string
	names := map[string]*answered{}
	visited := map[string]bool{}
	var collect func(ast.SelectionSet)
	collect = func(set ast.SelectionSet) {
		p.visited += len(set)
		for _, selection := range set {
			switch s := selection.(type) {
			case *ast.Field:
				if p.skipped(s.Directives) {
					continue
				}
				a := names[s.Alias]
				if a == nil {
					a = &answered{field: s}
					names[s.Alias] = a
					order = append(order, s.Alias)
				}
				a.asked = append(a.asked, s.SelectionSet)
			case *ast.InlineFragment:
				if !p.skipped(s.Directives) && p.applies(s.TypeCondition, object) {
					collect(s.SelectionSet)
				}
			case *ast.FragmentSpread:
				if visited[s.Name] || p.skipped(s.Directives) {
					continue
				}
				visited[s.Name] = true
				if f := p.fragments.ForName(s.Name); f != nil && p.applies(f.TypeCondition, object) {
					collect(f.SelectionSet)
				}
			}
		}
	}
	for _, set := range sets {
		collect(set)
	}
	total := 0
	for _, name := range order {
		total = plus(total, p.field(object, page, names[name]))
	}
	return total
}

func (p *pricing) field(object *ast.Definition, page int, a *answered) int {
	definition := object.Fields.ForName(a.field.Name)
	if definition == nil || strings.HasPrefix(definition.Name, "__") {
		return 0 // introspection, whose depth the validator limits
	}
	of := p.schema.Types[definition.Type.Name()]
	if of == nil || !of.IsCompositeType() {
		return weight(definition, 0)
	}
	list := definition.Type.Elem != nil
	inConnection := strings.HasSuffix(object.Name, "Connection")
	if list && inConnection {
		return times(page, plus(1, plus(weight(definition, 0), p.selections(of, 1, a.asked...))))
	}
	natural := 1
	if inConnection || strings.HasSuffix(object.Name, "Edge") {
		natural = 0 // pageInfo and node come with the page
	}
	arguments := a.field.ArgumentMap(p.variables)
	if strings.HasSuffix(of.Name, "Connection") {
		return plus(weight(definition, natural), p.selections(of, size(arguments, defaultPage), a.asked...))
	}
	item := p.selections(of, 1, a.asked...)
	if list {
		item = times(size(arguments, plainList), item)
	}
	return plus(weight(definition, natural), item)
}

// skipped reports whether @skip or @include leaves a selection out.
func (p *pricing) skipped(directives ast.DirectiveList) bool {
	if d := directives.ForName("skip"); d != nil && p.condition(d) {
		return true
	}
	d := directives.ForName("include")
	return d != nil && !p.condition(d)
}

func (p *pricing) condition(d *ast.Directive) bool {
	argument := d.Arguments.ForName("if")
	if argument == nil || argument.Value == nil {
		return false
	}
	value, err := argument.Value.Value(p.variables)
	holds, _ := value.(bool)
	return err == nil && holds
}

// applies reports whether a fragment on a type is about objects of another.
func (p *pricing) applies(condition string, object *ast.Definition) bool {
	if condition == "" || condition == object.Name {
		return true
	}
	on := p.schema.Types[condition]
	if on == nil || !on.IsAbstractType() {
		return false
	}
	for _, possible := range p.schema.GetPossibleTypes(on) {
		if possible == object {
			return true
		}
	}
	return false
}

// size is how many items a list argument asks for.
func size(arguments map[string]any, otherwise int) int {
	for _, name := range []string{"first", "last"} {
		if n, ok := integer(arguments[name]); ok {
			return min(max(n, 0), largestPage)
		}
	}
	if ids, ok := arguments["ids"].([]any); ok {
		return len(ids)
	}
	return otherwise
}

func integer(v any) (int, bool) {
	switch n := v.(type) {
	case int:
		return n, true
	case int32:
		return int(n), true
	case int64:
		return int(min(max(n, math.MinInt32), math.MaxInt32)), true
	case float64:
		return int(min(max(n, math.MinInt32), math.MaxInt32)), true
	case interface{ Int64() (int64, error) }:
		i, err := n.Int64()
		return int(min(max(i, math.MinInt32), math.MaxInt32)), err == nil
	}
	return 0, false
}

func weight(field *ast.FieldDefinition, natural int) int {
	d := field.Directives.ForName("cost")
	if d == nil {
		return natural
	}
	argument := d.Arguments.ForName("weight")
	if argument == nil {
		return 1
	}
	value, err := argument.Value.Value(nil)
	n, ok := integer(value)
	if err != nil || !ok {
		return 1
	}
	return max(n, 0)
}

// plus and times stop at the largest int, so that no operation is dear enough to
// look cheap.
func plus(a, b int) int {
	if a > math.MaxInt-b {
		return math.MaxInt
	}
	return a + b
}

func times(a, b int) int {
	if a != 0 && b > math.MaxInt/a {
		return math.MaxInt
	}
	return a * b
}
