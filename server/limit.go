package server

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
)

// Limits bound what one request may ask for. A zero field is the default.
type Limits struct {
	Body       int64         // bytes of a request's body, and of a socket's message; 1 MiB
	Tokens     int           // lexical tokens of a document; 5,000
	Depth      int           // levels of fields, the leaves included; 15
	Aliases    int           // aliases, counted each time a fragment is spread; 30
	RootFields int           // fields at the top; 20
	Cost       int           // see the package's documentation; 25,000
	Time       time.Duration // of running a query or a mutation; 10 s
	Operations int           // running at once on one socket; 100
}

func (l Limits) withDefaults() Limits {
	set := func(n *int, to int) {
		if *n == 0 {
			*n = to
		}
	}
	if l.Body == 0 {
		l.Body = 1 << 20
	}
	if l.Time == 0 {
		l.Time = 10 * time.Second
	}
	set(&l.Tokens, 5000)
	set(&l.Depth, 15)
	set(&l.Aliases, 30)
	set(&l.RootFields, 20)
	set(&l.Cost, 25_000)
	set(&l.Operations, 100)
	return l
}

// price is what extensions.cost says.
type price struct {
	Requested int `json:"requested"`
	Limit     int `json:"limit"`
}

// gate is the gqlgen extension that refuses a valid operation before it runs:
// too deep, too many aliases, too dear, or introspection where that is switched
// off. Every response of an operation that got here says what it costs.
type gate struct {
	limits        Limits
	introspection bool
	schema        *ast.Schema
}

const priceKey = "AcquaintCost"

// ExtensionName names the extension to gqlgen.
func (g *gate) ExtensionName() string { return "AcquaintLimits" }

// Validate is given the schema by gqlgen.
func (g *gate) Validate(es graphql.ExecutableSchema) error {
	g.schema = es.Schema()
	return nil
}

// MutateOperationContext looks at a validated operation.
func (g *gate) MutateOperationContext(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	op.DisableIntrospection = !g.introspection
	for _, v := range op.Operation.VariableDefinitions {
		if where, ok := g.oneOf("$"+v.Variable, v.Type, op.Variables[v.Variable]); !ok {
			return requestError(codeBadUserInput, where+": exactly one of its fields must be given, and not null")
		}
	}
	shape := measure(op.Doc.Fragments, op.Operation)
	switch {
	case shape.introspects && !g.introspection:
		return requestError(codeForbidden, "introspection is switched off")
	case shape.depth > g.limits.Depth:
		return tooMuch("the operation is %d levels deep; %d are allowed", shape.depth, g.limits.Depth)
	case shape.aliases > g.limits.Aliases:
		return tooMuch("the operation has %d aliases; %d are allowed", shape.aliases, g.limits.Aliases)
	case shape.rootFields > g.limits.RootFields:
		return tooMuch("the operation asks for %d fields at the top; %d are allowed", shape.rootFields, g.limits.RootFields)
	}
	p := pricing{schema: g.schema, fragments: op.Doc.Fragments, variables: op.Variables}
	asked := price{Requested: p.operation(op.Operation), Limit: g.limits.Cost}
	op.Stats.SetExtension(priceKey, asked)
	if asked.Requested > asked.Limit {
		e := requestError(codeCostLimit, "the operation may cost "+strconv.Itoa(asked.Requested)+"; "+strconv.Itoa(asked.Limit)+" is the limit: ask for smaller pages or fewer fields")
		e.Extensions["cost"] = asked
		return e
	}
	return nil
}

// oneOf checks a variable's value against the @oneOf input objects in its type,
// as the validator does with values that are written in the document. It answers
// where the rule is broken.
func (g *gate) oneOf(where string, of *ast.Type, value any) (string, bool) {
	if of.Elem != nil {
		items, ok := value.([]any)
		if alone, is := value.([]map[string]any); is && len(alone) == 1 {
			value = alone[0] // one object given for a list, as the validator has wrapped it
		}
		if !ok {
			return g.oneOf(where, of.Elem, value)
		}
		for i, item := range items {
			if at, ok := g.oneOf(where+"["+strconv.Itoa(i)+"]", of.Elem, item); !ok {
				return at, false
			}
		}
		return "", true
	}
	object, ok := value.(map[string]any)
	definition := g.schema.Types[of.NamedType]
	if !ok || definition == nil || definition.Kind != ast.InputObject {
		return "", true
	}
	one := definition.Directives.ForName("oneOf") != nil
	if one && len(object) != 1 {
		return where, false
	}
	for _, field := range definition.Fields {
		v, given := object[field.Name]
		if one && given && v == nil {
			return where, false
		}
		if at, ok := g.oneOf(where+"."+field.Name, field.Type, v); !ok {
			return at, false
		}
	}
	return "", true
}

// InterceptResponse says in every response what its operation costs.
func (g *gate) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	if graphql.HasOperationContext(ctx) {
		if asked, ok := graphql.GetOperationContext(ctx).Stats.GetExtension(priceKey).(price); ok {
			graphql.RegisterExtension(ctx, "cost", asked)
		}
	}
	return next(ctx)
}

func tooMuch(format string, has, allowed int) *gqlerror.Error {
	return requestError(codeBadUserInput, fmt.Sprintf(format, has, allowed))
}

// maxRepeats is how often a document may ask for one name. Checking that fields
// of one name can be merged takes time with the square of that.
const maxRepeats = 250

// repeats finds a name that a document asks for too often. It looks at what is
// written, before anything is validated; what does not parse is left to the
// executor to refuse.
func (l Limits) repeats(query string) *gqlerror.Error {
	document, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: query}, l.Tokens)
	if err != nil {
		return nil
	}
	asked := map[string]int{}
	most := 0
	var look func(ast.SelectionSet)
	look = func(set ast.SelectionSet) {
		for _, selection := range set {
			switch s := selection.(type) {
			case *ast.Field:
				asked[s.Alias]++
				most = max(most, asked[s.Alias])
				look(s.SelectionSet)
			case *ast.InlineFragment:
				look(s.SelectionSet)
			case *ast.FragmentSpread:
				asked["..."+s.Name]++
				most = max(most, asked["..."+s.Name])
			}
		}
	}
	for _, operation := range document.Operations {
		look(operation.SelectionSet)
	}
	for _, fragment := range document.Fragments {
		look(fragment.SelectionSet)
	}
	if most > maxRepeats {
		return tooMuch("the document asks for one name %d times; %d are allowed", most, maxRepeats)
	}
	return nil
}

// shape is the form of a selection, with every fragment in its place.
type shape struct {
	depth       int
	aliases     int
	rootFields  int
	introspects bool
}

// measure looks at each fragment once, however often it is spread.
func measure(fragments ast.FragmentDefinitionList, op *ast.OperationDefinition) shape {
	done := map[string]shape{}
	var of func(ast.SelectionSet) shape
	of = func(set ast.SelectionSet) shape {
		var sum shape
		add := func(s shape) {
			sum.depth = max(sum.depth, s.depth)
			sum.aliases = plus(sum.aliases, s.aliases)
			sum.rootFields = plus(sum.rootFields, s.rootFields)
			sum.introspects = sum.introspects || s.introspects
		}
		for _, selection := range set {
			switch s := selection.(type) {
			case *ast.Field:
				one := shape{depth: 1, rootFields: 1, introspects: s.Name == "__schema" || s.Name == "__type"}
				below := of(s.SelectionSet)
				one.aliases = below.aliases
				if !one.introspects { // the validator has a limit of its own for it
					one.depth += below.depth
				}
				if s.Alias != s.Name {
					one.aliases = plus(one.aliases, 1)
				}
				add(one)
			case *ast.InlineFragment:
				add(of(s.SelectionSet))
			case *ast.FragmentSpread:
				f, ok := done[s.Name]
				if !ok {
					if definition := fragments.ForName(s.Name); definition != nil {
						f = of(definition.SelectionSet)
					}
					done[s.Name] = f
				}
				add(f)
			}
		}
		return sum
	}
	return of(op.SelectionSet)
}
