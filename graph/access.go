package graph

import (
	"context"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/store"
)

// witnessed is a schema whose every answer is given only once it is written down
// whom it shows.
type witnessed struct {
	graphql.ExecutableSchema
	store *store.Store
}

// witness notes whom an operation shows.
type witness struct {
	seen *store.Access

	mu     sync.Mutex
	events []event // of a subscription, in the order in which they are sent
}

// event is what a subscriber is about to be sent.
type event struct {
	show  func()                              // notes whom it shows
	still func(context.Context) (bool, error) // whether it may be shown at this moment
	anew  bool                                // whether it can be made anew, when something that it names is gone
	made  chan<- bool                         // is told once it was made: whether to make it anew
}

type witnessKey struct{}

// witnessOf is the witness of the running operation.
func witnessOf(ctx context.Context) *witness {
	w, ok := ctx.Value(witnessKey{}).(*witness)
	if !ok {
		w = &witness{seen: store.NewAccess("unknown")} // an operation runs in the schema that New makes, and has one
	}
	return w
}

// sends tells of an event before it is sent.
func (w *witness) sends(e event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

// sent is the event that the response at hand was made of.
func (w *witness) sent() (event, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.events) == 0 {
		return event{}, false
	}
	e := w.events[0]
	w.events = w.events[1:]
	return e, true
}

// Exec runs an operation. What a subscriber is sent is looked at once more after it
// is made, and again once it is written down whom it shows: if somebody in it may not
// be shown any longer, it is let go, and the faults that it met with it.
func (w *witnessed) Exec(ctx context.Context) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	mine := &witness{seen: store.NewAccess(string(op.Operation.Operation))}
	inner := w.ExecutableSchema.Exec(context.WithValue(ctx, witnessKey{}, mine))
	return func(ctx context.Context) *graphql.Response {
		ctx = context.WithValue(ctx, witnessKey{}, mine)
		if op.Operation.Operation != ast.Subscription {
			response := inner(ctx)
			if response == nil {
				return nil
			}
			if err := w.store.Log(ctx, mine.seen); err != nil {
				return refused(ctx, err)
			}
			return response
		}
		for {
			own := graphql.WithFreshResponseContext(ctx)
			response := inner(own)
			if response == nil {
				return nil
			}
			faults := graphql.GetErrors(own)
			still, err := w.passes(ctx, mine, len(faults) > 0)
			if err != nil {
				return refused(ctx, err)
			}
			if still {
				response.Errors = append(response.Errors, faults...)
				return response
			}
		}
	}
}

// passes reports whether the event that was made may be sent at this moment. It is
// written down then. One with faults is made anew: what it names may have been merged
// away, or withdrawn by another process, since it was read.
func (w *witnessed) passes(ctx context.Context, mine *witness, faulty bool) (bool, error) {
	e, is := mine.sent()
	if is {
		anew := faulty && e.anew
		e.made <- anew
		if anew {
			return false, nil
		}
		if still, err := e.still(ctx); err != nil || !still {
			return false, err
		}
		e.show()
	}
	if err := w.store.Log(ctx, mine.seen); err != nil || !is {
		return true, err
	}
	return e.still(ctx) // what was written down took its time
}

// refused is an answer that says why there is none.
func refused(ctx context.Context, err error) *graphql.Response {
	if ctx.Err() != nil {
		return nil
	}
	own := graphql.WithFreshResponseContext(ctx) // as every other error is presented
	graphql.AddError(own, &insight.Error{
		Op: "graph.access", Kind: insight.Unavailable, Message: "the access log cannot be written, and nothing is shown that is not in it", Cause: err,
	})
	return &graphql.Response{Errors: graphql.GetErrors(own)}
}
