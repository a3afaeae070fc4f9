package node

import (
	"context"

	"github.com/acquaint/acquaint/store"
)

// compared is the key of what the siblings are compared with in a field. It is not the
// field itself, which is the key of what is read of each of them.
type compared struct{ field any }

// Compared is what an individual and its siblings are compared with in the field that is
// being resolved, made for all of them at once with the reader who sees them.
func Compared[V any](ctx context.Context, i *Individual, with func(*store.Reader) (V, error)) (V, error) {
	return together(i.people, compared{field(ctx)}, func() (V, error) { return with(i.people.Reader) })
}
