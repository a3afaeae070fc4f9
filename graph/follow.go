package graph

import (
	"context"
	"slices"
	"sync"

	"github.com/acquaint/acquaint/graph/node"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/store"
)

// Ending is why a subscription ended by itself. A stream of GraphQL has no place for
// an error after its last item, so whoever runs it looks here when there is no more.
type Ending struct {
	mu  sync.Mutex
	err error
}

// WithEnding returns a context in which a subscription tells why it ended.
func WithEnding(ctx context.Context) (context.Context, *Ending) {
	e := &Ending{}
	return context.WithValue(ctx, endingKey{}, e), e
}

type endingKey struct{}

// Err is the reason: nil when the subscriber left, and while the stream goes on.
func (e *Ending) Err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

// ends tells why a subscription ends, where somebody listens.
func ends(ctx context.Context, err error) {
	if e, ok := ctx.Value(endingKey{}).(*Ending); ok && ctx.Err() == nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.err = err
	}
}

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
				ends(ctx, insight.NewError(insight.Unavailable, "", "the subscriber lagged too far behind, the database was away, or the server stops; subscribe again"))
				return
			}
			for some := range slices.Chunk(ids, followed) {
				found, err := reader.InteractionsByID(ctx, some)
				if err != nil {
					ends(ctx, err)
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
