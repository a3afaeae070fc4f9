package leaf

import (
	"bytes"
	"context"
	"io"

	"github.com/99designs/gqlgen/graphql"

	"github.com/acquaint/acquaint/graph/node"
)

// Schema makes an executable schema write at once what consists of leaves.
func Schema(s graphql.ExecutableSchema) graphql.ExecutableSchema { return schema{s} }

type schema struct{ graphql.ExecutableSchema }

// Exec implements graphql.ExecutableSchema.
func (s schema) Exec(ctx context.Context) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	inner := op.ResolverMiddleware
	op.ResolverMiddleware = func(ctx context.Context, next graphql.Resolver) (any, error) {
		resolved, err := inner(ctx, next)
		if err != nil {
			return resolved, err
		}
		if whole := list(ctx, op, resolved); whole != nil {
			return whole, nil // the executor takes what is written already as it is
		}
		return resolved, nil
	}
	return s.ExecutableSchema.Exec(ctx)
}

// list writes a list that was resolved; nil where it is none, or not of leaves.
func list(ctx context.Context, op *graphql.OperationContext, resolved any) graphql.Marshaler {
	switch objects := resolved.(type) {
	case []*node.Interaction:
		return whole(ctx, op, interactions, objects)
	case []*node.InteractionEdge:
		return whole(ctx, op, interactionEdges, objects)
	case []*node.Session:
		return whole(ctx, op, sessions, objects)
	case []*node.SessionEdge:
		return whole(ctx, op, sessionEdges, objects)
	}
	return nil
}

// written is JSON.
type written []byte

// MarshalGQL implements graphql.Marshaler.
func (j written) MarshalGQL(w io.Writer) { _, _ = w.Write(j) } // it goes to a buffer

// sizeOf is about how much an object takes.
const sizeOf = 400

func whole[T any](ctx context.Context, op *graphql.OperationContext, s *shape[T], objects []T) graphql.Marshaler {
	w := s.plan(op, graphql.GetFieldContext(ctx).Field.Selections)
	if w == nil {
		return nil
	}
	var out bytes.Buffer
	out.Grow(sizeOf * len(objects))
	out.WriteByte('[')
	for n, o := range objects {
		if n > 0 {
			out.WriteByte(',')
		}
		w(&out, o)
	}
	out.WriteByte(']')
	return written(out.Bytes())
}
