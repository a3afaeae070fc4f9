package ingest

import (
	"context"
	"sync"

	"github.com/acquaint/acquaint/insight"
)

// Keeper keeps events in one transaction: see store.Store.Append.
type Keeper interface {
	Append(ctx context.Context, events []*insight.Event) ([]insight.Outcome, error)
}

// The limits of a pipeline.
const (
	// most is how many events share a transaction.
	most = 4_000
	// queue is how many events may wait before Submit turns them away.
	queue = 50_000
)

// Pipeline hands events to a [Keeper], those of concurrent requests together.
type Pipeline struct {
	keeper Keeper
	work   context.Context // ends when the pipeline is told to give up
	giveUp context.CancelFunc
	done   chan struct{}

	mu      sync.Mutex
	wake    *sync.Cond
	waiting []*request
	events  int // in waiting
	closed  bool
}

type request struct {
	events   []*insight.Event
	outcomes []insight.Outcome
	err      error
	done     chan struct{}
}

// New starts a pipeline. Close stops it.
func New(k Keeper) *Pipeline {
	p := &Pipeline{keeper: k, done: make(chan struct{})}
	p.work, p.giveUp = context.WithCancel(context.Background())
	p.wake = sync.NewCond(&p.mu)
	go p.run()
	return p
}

// Submit keeps events and returns what became of each, in their order. It returns
// when they are durable. When ctx ends first, the events may or may not have been
// kept; sent again, those that were are duplicates.
func (p *Pipeline) Submit(ctx context.Context, events []*insight.Event) ([]insight.Outcome, error) {
	if len(events) == 0 {
		return nil, nil
	}
	r := &request{events: events, done: make(chan struct{})}
	p.mu.Lock()
	switch {
	case p.closed:
		p.mu.Unlock()
		return nil, insight.NewError(insight.Unavailable, "", "the server is stopping")
	case p.events > 0 && p.events+len(events) > queue:
		p.mu.Unlock()
		return nil, insight.NewError(insight.Unavailable, "", "too many events are waiting; send them again in a moment")
	}
	p.waiting = append(p.waiting, r)
	p.events += len(events)
	p.wake.Signal()
	p.mu.Unlock()
	select {
	case <-r.done:
		return r.outcomes, r.err
	case <-ctx.Done():
		return nil, &insight.Error{Op: "ingest.Submit", Kind: insight.Unavailable, Message: "the request was given up", Cause: ctx.Err()}
	}
}

// Waiting is how many events wait for a transaction.
func (p *Pipeline) Waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.events
}

// Close takes no more events, keeps those that wait, and returns. When ctx ends
// first, what was not kept by then is answered with an error.
func (p *Pipeline) Close(ctx context.Context) error {
	p.mu.Lock()
	p.closed = true
	p.wake.Signal()
	p.mu.Unlock()
	select {
	case <-p.done:
		p.giveUp()
		return nil
	case <-ctx.Done():
		p.giveUp()
		<-p.done
		return ctx.Err()
	}
}

func (p *Pipeline) run() {
	defer close(p.done)
	for {
		requests := p.gather()
		if requests == nil {
			return
		}
		p.keep(requests)
	}
}

// gather waits for requests and takes as many as share a transaction; nil when the
// pipeline is closed and empty.
func (p *Pipeline) gather() []*request {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.waiting) == 0 {
		if p.closed {
			return nil
		}
		p.wake.Wait()
	}
	n, events := 0, 0
	for n < len(p.waiting) && (n == 0 || events+len(p.waiting[n].events) <= most) {
		events += len(p.waiting[n].events)
		n++
	}
	taken := p.waiting[:n:n]
	p.waiting = p.waiting[n:]
	p.events -= events
	return taken
}

func (p *Pipeline) keep(requests []*request) {
	defer func() {
		for _, r := range requests {
			close(r.done)
		}
	}()
	if len(requests) > 1 {
		var all []*insight.Event
		for _, r := range requests {
			all = append(all, r.events...)
		}
		outcomes, err := p.keeper.Append(p.work, all)
		if err == nil {
			for _, r := range requests {
				r.outcomes, outcomes = outcomes[:len(r.events):len(r.events)], outcomes[len(r.events):]
			}
			return
		}
		if insight.KindOf(err) == insight.Unavailable {
			for _, r := range requests {
				r.err = err
			}
			return
		}
	}
	for _, r := range requests {
		r.outcomes, r.err = p.keeper.Append(p.work, r.events)
	}
}
