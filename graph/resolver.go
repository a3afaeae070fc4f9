package graph

import (
	"context"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/acquaint/acquaint/engage/webhook"
	"github.com/acquaint/acquaint/graph/exec"
	"github.com/acquaint/acquaint/graph/leaf"
	"github.com/acquaint/acquaint/graph/population"
	"github.com/acquaint/acquaint/graph/viewer"
	"github.com/acquaint/acquaint/ingest"
	"github.com/acquaint/acquaint/ingest/tracking"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/store"
)

// Options are what the resolvers call.
type Options struct {
	Store   *store.Store
	Ingest  *ingest.Pipeline
	Decoder *tracking.Decoder // checks what mutations tell
	Now     func() time.Time  // nil: the clock; tests set it
	// Models are what individuals are compared with; nil: ones that are never older than
	// the data. Whoever makes them closes them.
	Models *population.Models
	// Destinations says which addresses may be sent to beside those of the public internet.
	Destinations webhook.Policy
	// Decide decides what individuals are offered, in the order of the questions; nil: by
	// the store, each request by itself.
	Decide func(context.Context, []store.Asking) ([]*store.Decided, error)
	// Retry has a destination tried at once, however often it has failed; may be nil.
	Retry func(destination uuid.UUID)
}

// New makes the executable schema.
func New(o Options) graphql.ExecutableSchema {
	if o.Models == nil {
		o.Models = population.New(o.Store, true)
	}
	if o.Decide == nil {
		o.Decide = o.Store.Decide
	}
	return &witnessed{leaf.Schema(exec.NewExecutableSchema(exec.Config{Resolvers: &Resolver{o}})), o.Store}
}

// Resolver is the root of all resolvers.
type Resolver struct{ Options }

// reader is the only way to personal data: for the viewer and purpose of the request.
func (r *Resolver) reader(ctx context.Context) (*store.Reader, error) {
	v, err := viewer.Require(ctx)
	if err != nil {
		return nil, err
	}
	return r.Store.Reader(ctx, v, witnessOf(ctx).seen)
}

// require refuses a request whose viewer does not hold the scope.
func (r *Resolver) require(ctx context.Context, scope insight.Scope) error {
	v, err := viewer.Require(ctx)
	if err != nil {
		return err
	}
	return v.Require(scope)
}

// sources refuses a request whose viewer has no business with sources: nobody who
// reads or writes for others.
func (r *Resolver) sources(ctx context.Context) error {
	v, err := viewer.Require(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(v.Scopes, func(s insight.Scope) bool { return s != insight.ScopeSelf }) {
		return insight.NewError(insight.Denied, "", "this needs a scope to read individuals or insights, or to write")
	}
	return nil
}

// asOf is the moment that a question is asked for: the one that is given, else one
// and the same for the whole query. A mutation is asked about when it is done, and a
// subscription has no end, so there each event has its own.
func (r *Resolver) asOf(ctx context.Context, asOf *time.Time) time.Time {
	if asOf != nil {
		return *asOf
	}
	if op := graphql.GetOperationContext(ctx); r.Options.Now == nil && op.Operation.Operation == ast.Query {
		return insight.Moment(op.Stats.OperationStart)
	}
	return r.now()
}

// now is the moment of what the API itself does.
func (r *Resolver) now() time.Time {
	if r.Options.Now == nil {
		return insight.Moment(time.Now())
	}
	return insight.Moment(r.Options.Now())
}

// The sizes of a page.
const (
	defaultPage = 20
	largestPage = 100
)

// page reads the arguments of a list.
func page(first *int, after *insight.Cursor, last *int, before *insight.Cursor) (store.Page, error) {
	p := store.Page{Limit: defaultPage, After: after, Before: before}
	if first != nil && last != nil {
		return p, insight.NewError(insight.Invalid, "last", "first and last cannot be asked for together")
	}
	name, n := "first", first
	if last != nil {
		name, n, p.Backward = "last", last, true
	}
	if n != nil {
		p.Limit = *n
	}
	if p.Limit < 1 || p.Limit > largestPage {
		return p, insight.NewError(insight.Invalid, name, "a page has 1 to 100 items")
	}
	return p, nil
}

// nothing turns "there is none" into null without an error.
func nothing(err error) error {
	if insight.KindOf(err) == insight.NotFound {
		return nil
	}
	return err
}

func deref[T any](p *T) T {
	var zero T
	if p == nil {
		return zero
	}
	return *p
}
