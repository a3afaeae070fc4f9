package store

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"
)

// feed tells this process's subscribers which interactions were just kept, which
// decisions were just recorded, and which memberships just changed.
//
// SQLite has one process, which tells itself. On PostgreSQL every transaction
// announces what it keeps (NOTIFY), and each process that has subscribers listens,
// so that a subscriber hears of what any process keeps, in the order of commits.
type feed struct {
	url     string // of PostgreSQL; empty on SQLite
	decided func() // is told of every decision that is heard of

	mu          sync.Mutex
	subscribers map[*Subscription]struct{}
	closed      bool
	listening   *pq.Listener
	done        chan struct{} // closed when the listener's goroutine has ended
}

func newFeed(url string, decided func()) *feed {
	return &feed{url: url, decided: decided, subscribers: map[*Subscription]struct{}{}}
}

// The names under which PostgreSQL passes announcements on: of interactions, and of
// decisions.
const (
	keptChannel    = "acquaint_kept"
	decidedChannel = "acquaint_decided"
	toldChannel    = "acquaint_told" // of membership changes
)

// announced is how many ids fit one announcement: PostgreSQL takes 7,999 bytes.
const announced = 350

// announce tells every process of what this transaction keeps, once it commits.
func (b *batch) announce(ctx context.Context) error {
	if !b.engine.postgres() {
		return nil
	}
	r := b.engine.rows()
	channel, payload := r.column("channel", "text"), r.column("payload", "text")
	for _, one := range []struct {
		channel string
		ids     []uuid.UUID
	}{{keptChannel, b.kept}, {decidedChannel, b.decided()}, {toldChannel, b.changed()}} {
		if len(one.ids) == 0 {
			if one.channel == decidedChannel && b.covers {
				channel.text(one.channel)
				payload.text("")
			}
			continue
		}
		for some := range slices.Chunk(one.ids, announced) {
			var text strings.Builder
			for _, id := range some {
				text.WriteString(base64.RawURLEncoding.EncodeToString(id[:]))
			}
			channel.text(one.channel)
			payload.text(text.String())
		}
	}
	if err := b.later(ctx, r, "", "SELECT count(pg_notify(r.channel, r.payload)) FROM %s AS r"); err != nil {
		return err
	}
	return b.flush(ctx)
}

// announcedIDs reads an announcement; what is none of ours is empty.
func announcedIDs(payload string) []uuid.UUID {
	const width = 22
	ids := make([]uuid.UUID, 0, len(payload)/width)
	for ; len(payload) >= width; payload = payload[width:] {
		var id uuid.UUID
		if n, err := base64.RawURLEncoding.Decode(id[:], []byte(payload[:width])); err != nil || n != len(id) {
			return nil
		}
		ids = append(ids, id)
	}
	return ids
}

// listen starts to hear announcements; the caller holds the lock. It returns when
// PostgreSQL has taken note, so that nothing that commits later is missed.
func (f *feed) listen() error {
	if f.url == "" || f.listening != nil {
		return nil
	}
	l := pq.NewListener(f.url, 100*time.Millisecond, 10*time.Second, nil)
	for _, channel := range []string{keptChannel, decidedChannel, toldChannel} {
		if err := l.Listen(channel); err != nil {
			_ = l.Close() // the first error is the one to tell
			return translate("store.Subscribe", err)
		}
	}
	f.listening, f.done = l, make(chan struct{})
	go func() {
		defer close(f.done)
		for n := range l.Notify {
			if n == nil { // the connection was lost and is back: nobody knows what was missed
				f.interrupt()
				continue
			}
			if n.Channel == decidedChannel {
				f.decided()
			}
			f.publish(n.Channel, announcedIDs(n.Extra))
		}
	}()
	return nil
}

// interrupt ends every subscription, as one that missed something.
func (f *feed) interrupt() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for s := range f.subscribers {
		s.miss()
	}
	clear(f.subscribers)
}

// backlog is how many interactions a subscriber may lag behind before it is told
// that it missed some.
const backlog = 100_000

// Subscription collects the ids of interactions as they are kept, or of decisions as
// they are recorded, in the order of their transactions.
type Subscription struct {
	feed    *feed
	channel string

	mu     sync.Mutex
	ids    []uuid.UUID
	missed bool
	ready  chan struct{} // holds one signal when there is something to take
}

// Subscribe starts to collect interactions. Close ends it. The error is of kind
// Unavailable when the database is away.
func (s *Store) Subscribe() (*Subscription, error) { return s.subscribe(keptChannel) }

// SubscribeConsents starts to collect decisions, as Subscribe does interactions.
func (s *Store) SubscribeConsents() (*Subscription, error) { return s.subscribe(decidedChannel) }

// SubscribeChanges starts to collect changes of memberships, as Subscribe does
// interactions.
func (s *Store) SubscribeChanges() (*Subscription, error) { return s.subscribe(toldChannel) }

func (s *Store) subscribe(channel string) (*Subscription, error) {
	sub := &Subscription{feed: s.feed, channel: channel, ready: make(chan struct{}, 1)}
	s.feed.mu.Lock()
	defer s.feed.mu.Unlock()
	if s.feed.closed {
		sub.miss()
		return sub, nil
	}
	if err := s.feed.listen(); err != nil {
		return nil, err
	}
	s.feed.subscribers[sub] = struct{}{}
	return sub, nil
}

// Ready is signalled when there is something to [Subscription.Take].
func (s *Subscription) Ready() <-chan struct{} { return s.ready }

// Take returns what was collected since the last call; missed is true when the
// subscriber lagged so far behind that some of it was let go, when the connection
// to the database was lost in between, or when the store closed.
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

func (s *Subscription) miss() {
	s.mu.Lock()
	s.missed = true
	s.mu.Unlock()
	s.signal()
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

func (f *feed) publish(channel string, ids []uuid.UUID) {
	if len(ids) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for s := range f.subscribers {
		if s.channel == channel {
			s.add(ids)
		}
	}
}

func (f *feed) close() {
	f.mu.Lock()
	f.closed = true
	l, done := f.listening, f.done
	f.mu.Unlock()
	if l != nil {
		_ = l.Close() // an error says that it was closed before
		<-done
	}
	f.interrupt()
}
