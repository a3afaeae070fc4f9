package store

import (
	"sync"

	"github.com/google/uuid"
)

// feed tells this process's subscribers which interactions were just kept.
type feed struct {
	mu          sync.Mutex
	subscribers map[*Subscription]struct{}
	closed      bool
}

func newFeed() *feed { return &feed{subscribers: map[*Subscription]struct{}{}} }

// backlog is how many interactions a subscriber may lag behind before it is told
// that it missed some.
const backlog = 100_000

// Subscription collects the ids of interactions as they are kept, in the order of
// their transactions.
type Subscription struct {
	feed *feed

	mu     sync.Mutex
	ids    []uuid.UUID
	missed bool
	ready  chan struct{} // holds one signal when there is something to take
}

// Subscribe starts to collect. Close ends it.
func (s *Store) Subscribe() *Subscription {
	sub := &Subscription{feed: s.feed, ready: make(chan struct{}, 1)}
	s.feed.mu.Lock()
	defer s.feed.mu.Unlock()
	if s.feed.closed {
		sub.missed = true
		sub.signal()
		return sub
	}
	s.feed.subscribers[sub] = struct{}{}
	return sub
}

// Ready is signalled when there is something to [Subscription.Take].
func (s *Subscription) Ready() <-chan struct{} { return s.ready }

// Take returns what was collected since the last call; missed is true when the
// subscriber lagged so far behind that some of it was let go, or the store closed.
func (s *Subscription) Take() (ids []uuid.UUID, missed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids, missed = s.ids, s.missed
	s.ids = nil
	return ids, missed
}

// Close stops collecting.
func (s *Subscription) Close() {
	s.feed.mu.Lock()
	defer s.feed.mu.Unlock()
	delete(s.feed.subscribers, s)
}

func (s *Subscription) signal() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

func (s *Subscription) add(ids []uuid.UUID) {
	s.mu.Lock()
	if len(s.ids)+len(ids) > backlog {
		s.ids, s.missed = nil, true
	} else {
		s.ids = append(s.ids, ids...)
	}
	s.mu.Unlock()
	s.signal()
}

func (f *feed) publish(ids []uuid.UUID) {
	if len(ids) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for s := range f.subscribers {
		s.add(ids)
	}
}

func (f *feed) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	for s := range f.subscribers {
		s.mu.Lock()
		s.missed = true
		s.mu.Unlock()
		s.signal()
	}
	clear(f.subscribers)
}
