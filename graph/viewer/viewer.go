package viewer

import (
	"context"

	"github.com/acquaint/acquaint/insight"
)

type key struct{}

// With returns a context in which v is who is asking. A nil v is no viewer.
func With(ctx context.Context, v *insight.Viewer) context.Context {
	return context.WithValue(ctx, key{}, v)
}

// From returns who is asking, and whether anybody is.
func From(ctx context.Context) (*insight.Viewer, bool) {
	v, _ := ctx.Value(key{}).(*insight.Viewer)
	return v, v != nil
}

// Require returns who is asking, or an [insight.Unauthenticated] error when the
// context holds no viewer.
func Require(ctx context.Context) (*insight.Viewer, error) {
	if v, ok := From(ctx); ok {
		return v, nil
	}
	return nil, insight.NewError(insight.Unauthenticated, "", "a valid bearer token is needed")
}
