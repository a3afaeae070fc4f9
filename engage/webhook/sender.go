package webhook

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/delivery"
)

// The bounds of a sender's work.
const (
	// LeaseTime is for how long a claim is the claimer's: longer than an attempt and the
	// writing of what became of it. What was claimed by a process that died is sent again
	// after it.
	LeaseTime  = time.Minute
	claimTime  = 10 * time.Second // for a statement of claiming or settling
	settleWait = time.Second      // between two tries to write what became of a delivery
)

// Options say how a [Sender] sends. The zero value is usable.
type Options struct {
	Allow Policy // which addresses may be sent to
	Each  int    // attempts under way to one destination; 0 is 8
	Total int    // attempts under way to all; 0 is 128
	// LookEvery is after how long the outbox is looked into when nobody said that there is
	// something new ([Sender.Wake]); 0 is half a second.
	LookEvery time.Duration
	// Grace is how long attempts that are under way may go on after the stop; 0 is 5
	// seconds. They end on our side after it, and are sent again.
	Grace time.Duration

	Now       func() time.Time  // nil is time.Now
	Random    func() float64    // from 0 to 1, safe for several goroutines; nil is math/rand's
	Transport http.RoundTripper // nil is one that Allow governs; another one must call httptrace's GotConn before it reads a body
	Logger    *slog.Logger      // nil: none
}

// Sender sends what is in an outbox. Make one with [NewSender].
type Sender struct {
	outbox Outbox
	o      Options
	client *http.Client
	wake   chan struct{} // holds one signal

	mu      sync.Mutex
	busy    map[uuid.UUID]int // attempts under way, by destination
	health  map[uuid.UUID]health
	flying  int
	counts  Counts
	failing bool // whether the last claim failed
}

// health is of a destination that fails.
type health struct {
	failures int       // rounds of attempts in a row
	held     time.Time // it is left alone until then
}

// Counts are how often a sender did what since it was made, and how much it does now.
type Counts struct {
	Delivered uint64
	Failed    uint64
	Dropped   uint64 // nothing may be told any more
	Released  uint64 // given up on our side
	Disabled  uint64 // destinations
	Lost      uint64 // settled too late: the lease was over
	Unsettled uint64 // the outbox was away until the lease was over
	Unclaimed uint64 // claims that failed
	Flying    int    // attempts under way
}

// NewSender makes a sender. [Sender.Run] runs it.
func NewSender(outbox Outbox, o Options) *Sender {
	o.Each, o.Total = cmp.Or(o.Each, 8), cmp.Or(o.Total, 128)
	o.LookEvery, o.Grace = cmp.Or(o.LookEvery, 500*time.Millisecond), cmp.Or(o.Grace, 5*time.Second)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	if o.Transport == nil {
		o.Transport = newTransport(o.Allow, nil, o.Each, o.Total)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Sender{
		outbox: outbox, o: o, wake: make(chan struct{}, 1), busy: map[uuid.UUID]int{}, health: map[uuid.UUID]health{},
		client: &http.Client{Transport: o.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
}

func (s *Sender) now() time.Time { return insight.Moment(s.o.Now()) }

// Wake says that there may be something new in the outbox. It never waits.
func (s *Sender) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Retry says that a destination is to be tried at once, however often it has failed: it
// was enabled again, or somebody asked for a delivery by hand.
func (s *Sender) Retry(destination uuid.UUID) {
	s.mu.Lock()
	delete(s.health, destination)
	s.mu.Unlock()
	s.Wake()
}

func (s *Sender) failures(destination uuid.UUID) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.health[destination].failures
}

// Counts are those of this moment.
func (s *Sender) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.counts
	c.Flying = s.flying
	return c
}

// Run sends until ctx is done. Then it claims nothing more, lets attempts that are
// under way end, for as long as [Options.Grace], writes what became of each of them, and
// returns. It runs once at a time.
func (s *Sender) Run(ctx context.Context) {
	work, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	defer s.client.CloseIdleConnections()
	var attempts errgroup.Group
	for ctx.Err() == nil {
		claimed, next := s.claim(ctx)
		for _, d := range claimed {
			attempts.Go(func() error {
				r := s.attempt(work, d)
				s.settle(work, d, r)
				s.land(d, r)
				return nil
			})
		}
		s.wait(ctx, next)
	}
	grace := time.AfterFunc(s.o.Grace, abandon)
	defer grace.Stop()
	_ = attempts.Wait() // what became of an attempt is in the outbox
}

// claim takes what there is room for, and tells when to look again. A claim that has
// begun is not cut short by the stop: nobody would know what it took.
func (s *Sender) claim(ctx context.Context) ([]*delivery.Delivery, time.Time) {
	room := s.room()
	soon := room.Now.Add(s.o.LookEvery)
	if room.Total == 0 {
		return nil, soon
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), claimTime)
	defer cancel()
	claimed, next, err := s.outbox.Claim(bounded, room)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.counts.Unclaimed++
		if !s.failing {
			s.o.Logger.ErrorContext(ctx, "the outbox cannot be read", "error", insight.Detail(err))
		}
		s.failing = true
		return nil, soon
	}
	s.failing = false
	for _, d := range claimed {
		s.busy[d.Destination.ID]++
		s.flying++
	}
	for _, held := range room.Held {
		if held.After(room.Now) && held.Before(soon) {
			soon = held
		}
	}
	if next.IsZero() || next.After(soon) || len(claimed) == 0 && !next.After(room.Now) {
		next = soon
	}
	return claimed, next
}

// room is what can be claimed now.
func (s *Sender) room() delivery.Room {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	room := delivery.Room{Now: now, Until: now.Add(LeaseTime), Total: s.o.Total - s.flying, Each: s.o.Each, Busy: maps.Clone(s.busy), Held: map[uuid.UUID]time.Time{}}
	for destination, h := range s.health {
		room.Held[destination] = h.held
	}
	return room
}

// wait returns at a moment, when somebody wakes the sender, or when ctx is done.
func (s *Sender) wait(ctx context.Context, until time.Time) {
	timer := time.NewTimer(until.Sub(s.now()))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-s.wake:
	case <-timer.C:
	}
}

// land makes room for another attempt, and keeps what the last one says of its
// destination.
func (s *Sender) land(d *delivery.Delivery, r delivery.Result) {
	s.mu.Lock()
	s.flying--
	switch h := s.health[d.Destination.ID]; r.Outcome {
	case delivery.Delivered:
		h.failures = 0
		if s.health[d.Destination.ID] = h; !h.held.After(r.At) { // what it asked for, it gets
			delete(s.health, d.Destination.ID)
		}
	case delivery.Failed:
		h.failures = max(h.failures, r.Failures)
		if r.Hold.After(h.held) {
			h.held = r.Hold
		}
		s.health[d.Destination.ID] = h
	}
	if s.busy[d.Destination.ID]--; s.busy[d.Destination.ID] == 0 {
		delete(s.busy, d.Destination.ID)
	}
	s.mu.Unlock()
	s.Wake()
}

// settle writes what became of a delivery, and tries again for as long as the lease
// lasts. If it cannot, the delivery is sent again after it.
func (s *Sender) settle(ctx context.Context, d *delivery.Delivery, r delivery.Result) {
	for {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), claimTime)
		settled, err := s.outbox.Settle(bounded, d, r)
		cancel()
		if err == nil {
			s.count(ctx, d, r, settled)
			return
		}
		s.report(bounded, "what became of a delivery could not be written", d, err)
		if ctx.Err() != nil || !s.now().Add(settleWait).Before(d.Until) {
			s.mu.Lock()
			s.counts.Unsettled++
			s.mu.Unlock()
			return
		}
		timer := time.NewTimer(settleWait)
		select {
		case <-ctx.Done(): // once more, now
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (s *Sender) count(ctx context.Context, d *delivery.Delivery, r delivery.Result, settled delivery.Settled) {
	log := s.o.Logger.With("delivery", d.ID, "destination", d.Destination.ID, "attempt", d.Attempt)
	if !settled.Held {
		log.WarnContext(ctx, "a delivery took longer than its lease")
	}
	if settled.Disabled {
		log.WarnContext(ctx, "a destination was disabled", "reason", r.Disable)
	}
	log.DebugContext(ctx, "an attempt ended", "outcome", r.Outcome, "status", r.Status, "reason", r.Reason)
	s.mu.Lock()
	defer s.mu.Unlock()
	if settled.Disabled {
		s.counts.Disabled++
	}
	switch {
	case !settled.Held:
		s.counts.Lost++
	case r.Outcome == delivery.Delivered:
		s.counts.Delivered++
	case r.Outcome == delivery.Failed:
		s.counts.Failed++
	case r.Outcome == delivery.Dropped:
		s.counts.Dropped++
	default:
		s.counts.Released++
	}
}

// report logs a fault of ours, unless it is that we stop.
func (s *Sender) report(ctx context.Context, what string, d *delivery.Delivery, err error) {
	if !errors.Is(context.Cause(ctx), context.Canceled) {
		s.o.Logger.ErrorContext(ctx, what, "delivery", d.ID, "destination", d.Destination.ID, "error", insight.Detail(err))
	}
}
