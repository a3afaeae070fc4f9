package graph

import (
	"context"
	"iter"
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
	return follow(ctx, r, sub, reader, nil, func(ctx context.Context, reader *store.Reader, ids []uuid.UUID) ([]followedBy[*node.Interaction], error) {
		found, err := reader.InteractionsByID(ctx, ids)
		var all []followedBy[*node.Interaction]
		for _, x := range found {
			if matches(x) {
				all = append(all, followedBy[*node.Interaction]{
					id:    x.ID,
					value: node.NewInteractions(reader, []*insight.Interaction{x})[0],
					show:  func() { reader.Show(x.IndividualID) },
					still: func(ctx context.Context, reader *store.Reader) (bool, error) {
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
	return follow(ctx, r, sub, reader, nil, func(ctx context.Context, reader *store.Reader, ids []uuid.UUID) ([]followedBy[*node.Consent], error) {
		found, err := reader.ConsentsByID(ctx, ids)
		var all []followedBy[*node.Consent]
		for _, d := range found {
			if purpose == nil || d.Purpose.ID == purpose.ID {
				all = append(all, followedBy[*node.Consent]{
					id:    d.ID,
					value: &node.Consent{Consent: d},
					show:  func() { reader.Show(d.IndividualID) },
					still: func(ctx context.Context, reader *store.Reader) (bool, error) {
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
// shown it, and whether a reader still sees it.
type followedBy[T any] struct {
	id    uuid.UUID
	value T
	show  func()
	still func(context.Context, *store.Reader) (bool, error)
}

// follower sends a subscriber what read makes of ids.
type follower[T any] struct {
	store *store.Store
	bound func(context.Context) (*store.Reader, error) // the subscriber's reader of this moment
	own   bool                                         // whether they follow themselves
	read  func(context.Context, *store.Reader, []uuid.UUID) ([]followedBy[T], error)
	mine  *witness
	out   chan T
}

// follow sends what read makes of some ids, where there are any, and then of those that a
// subscription collects.
func follow[T any](ctx context.Context, r *Resolver, sub *store.Subscription, reader *store.Reader, earlier iter.Seq2[[]uuid.UUID, error], read func(context.Context, *store.Reader, []uuid.UUID) ([]followedBy[T], error)) <-chan T {
	f := &follower[T]{store: r.Store, own: reader.Purpose() == nil, read: read, mine: witnessOf(ctx), out: make(chan T)}
	f.bound = func(ctx context.Context) (*store.Reader, error) {
		// Whom somebody's own token names may change while they follow: an operator may join
		// them with somebody, or part them again, and that is no decision of anybody's.
		if f.own {
			return r.reader(ctx)
		}
		return reader, nil
	}
	go func() {
		defer close(f.out)
		defer sub.Close()
		if earlier != nil {
			for some, err := range earlier {
				if err == nil {
					err = f.send(ctx, some, mostAttempts)
				}
				if err != nil {
					ends(ctx, err)
					return
				}
			}
		}
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
				if err := f.send(ctx, some, mostAttempts); err != nil {
					ends(ctx, err)
					return
				}
			}
		}
	}()
	return f.out
}

// mostAttempts bounds how often something is made that names what is gone by then.
const mostAttempts = 5

// send reads some ids and sends what comes of them, each for so many attempts. It
// returns early when the subscriber leaves.
func (f *follower[T]) send(ctx context.Context, ids []uuid.UUID, attempts int) error {
	changes := f.store.Changes()
	reader, err := f.bound(ctx)
	if err != nil {
		return err
	}
	found, err := f.read(ctx, reader, ids)
	if err != nil {
		return err
	}
	for _, one := range found {
		known, made := changes, make(chan bool, 1)
		f.mine.sends(event{show: one.show, anew: attempts > 1, made: made, still: func(ctx context.Context) (bool, error) {
			if _, err := f.store.Purposes(ctx); err != nil { // sees to grants that have ended by themselves
				return false, err
			}
			now := f.store.Changes()
			if now == known && !f.own { // nobody has decided anything since it was read
				return true, nil
			}
			reader, err := f.bound(ctx)
			if err != nil {
				return false, nothing(err) // they were erased
			}
			known = now
			return one.still(ctx, reader)
		}})
		select {
		case f.out <- one.value:
		case <-ctx.Done():
			return nil
		}
		select {
		case anew := <-made:
			if !anew {
				continue
			}
			if err := f.send(ctx, []uuid.UUID{one.id}, attempts-1); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}
