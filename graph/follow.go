package graph

import (
	"context"
	"slices"

	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/acquaint/acquaint/graph/node"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/store"
)

// followed is how many interactions are read at a time for a subscriber.
const followed = 500

// follow sends interactions as they are kept. Each is read by the subscriber's own
// reader when it is sent, so that what the purpose does not cover then is not sent.
func (r *Resolver) follow(ctx context.Context, reader *store.Reader, s insight.Selector) (<-chan *node.Interaction, error) {
	sub, err := r.Store.Subscribe()
	if err != nil {
		return nil, err
	}
	out := make(chan *node.Interaction)
	matches := s.Matcher()
	go func() {
		defer close(out)
		defer sub.Close()
		for {
			select {
			case <-ctx.Done():
				return
			case <-sub.Ready():
			}
			ids, missed := sub.Take()
			if missed {
				transport.AddSubscriptionError(ctx, &gqlerror.Error{
					Message: "the subscriber lagged too far behind, or the server stops; subscribe again", Extensions: map[string]any{"code": "UNAVAILABLE"},
				})
				return
			}
			for some := range slices.Chunk(ids, followed) {
				found, err := reader.InteractionsByID(ctx, some)
				if err != nil {
					transport.AddSubscriptionError(ctx, &gqlerror.Error{Message: "the database is away; subscribe again", Extensions: map[string]any{"code": "UNAVAILABLE"}})
					return
				}
				for _, x := range found {
					if !matches(x) {
						continue
					}
					select {
					case out <- node.NewInteractions(reader, []*insight.Interaction{x})[0]:
					case <-ctx.Done():
						return
					}
				}
			}
		}
	}()
	return out, nil
}
