package graph

import (
	"context"
	"slices"
	"sync"

	"github.com/google/uuid"

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

// followInteractions sends interactions as they are kept. Each is read by the
// subscriber's own reader when it is sent, so that what the purpose does not cover
// then is not sent.
func (r *Resolver) followInteractions(ctx context.Context, reader *store.Reader, s insight.Selector) (<-chan *node.Interaction, error) {
	sub, err := r.Store.Subscribe()
	if err != nil {
		return nil, err
	}
	matches := s.Matcher()
	return follow(ctx, r, sub, func(ctx context.Context, ids []uuid.UUID) ([]followedBy[*node.Interaction], error) {
		found, err := reader.InteractionsByID(ctx, ids)
		var all []followedBy[*node.Interaction]
		for _, x := range found {
			if matches(x) {
				all = append(all, followedBy[*node.Interaction]{
					value: node.NewInteractions(reader, []*insight.Interaction{x})[0],
					show:  func() { reader.Show(x.IndividualID) },
					still: func(ctx context.Context) (bool, error) {
						again, err := reader.InteractionsByID(ctx, []uuid.UUID{x.ID})
						return len(again) == 1, err
					},
				})
			}
		}
		return all, err
	}), nil
}

// followConsents sends decisions as they are recorded, of individuals whom the reader
// sees when they are sent.
func (r *Resolver) followConsents(ctx context.Context, reader *store.Reader, purpose *insight.Purpose) (<-chan *node.Consent, error) {
	sub, err := r.Store.SubscribeConsents()
	if err != nil {
		return nil, err
	}
	return follow(ctx, r, sub, func(ctx context.Context, ids []uuid.UUID) ([]followedBy[*node.Consent], error) {
		found, err := reader.ConsentsByID(ctx, ids)
		var all []followedBy[*node.Consent]
		for _, d := range found {
			if purpose == nil || d.Purpose.ID == purpose.ID {
				all = append(all, followedBy[*node.Consent]{
					value: &node.Consent{Consent: d},
					show:  func() { reader.Show(d.IndividualID) },
					still: func(ctx context.Context) (bool, error) {
						again, err := reader.ConsentsByID(ctx, []uuid.UUID{d.ID})
						return len(again) == 1, err
					},
				})
			}
		}
		return all, err
	}), nil
}

// followedBy is something that a subscriber follows: how it is noted that they were
// shown it, and whether they still may be.
type followedBy[T any] struct {
	value T
	show  func()
	still func(context.Context) (bool, error)
}

// follow sends what read makes of the ids that a subscription collects.
func follow[T any](ctx context.Context, r *Resolver, sub *store.Subscription, read func(context.Context, []uuid.UUID) ([]followedBy[T], error)) <-chan T {
	out := make(chan T)
	mine := witnessOf(ctx)
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
				changes := r.Store.Changes()
				found, err := read(ctx, some)
				if err != nil {
					ends(ctx, err)
					return
				}
				for _, f := range found {
					mine.sends(event{show: f.show, still: func(ctx context.Context) (bool, error) {
						if r.Store.Changes() == changes { // nobody has decided anything since it was read
							return true, nil
						}
						return f.still(ctx)
					}})
					select {
					case out <- f.value:
					case <-ctx.Done():
						return
					}
				}
			}
		}
	}()
	return out
}
