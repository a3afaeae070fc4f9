package commit

import (
	"context"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/acquaint/acquaint/insight"
)

// Group hands items to a function, those of concurrent callers together.
type Group[Q, A any] struct {
	options Options[Q, A]
	work    context.Context // ends when the group is told to give up
	giveUp  context.CancelFunc
	done    chan struct{}
	checks  errgroup.Group // that run

	mu      sync.Mutex
	wake    *sync.Cond
	waiting []*request[Q, A]
	items   int // in waiting
	closed  bool
}

// Options say what a group does.
type Options[Q, A any] struct {
	// Do answers items, all or none of them, in their order. It is called by one
	// goroutine.
	Do func(context.Context, []Q) ([]A, error)
	// Most is how many items share a call, unless one caller submits more.
	Most int
	// Queue is how many may wait before Submit turns others away.
	Queue int
	// Check, where it is given, has the last word on answers before they are told: it may
	// replace them. It is called with all that was answered together, and beside the next
	// calls of Do: not more than four of them.
	Check func(context.Context, []A) error
	// Abandon says that items whose caller has gone by their turn are not worked on.
	Abandon bool
}

type request[Q, A any] struct {
	ctx     context.Context //nolint:containedctx // of the caller, who may go
	items   []Q
	answers []A
	err     error
	done    chan struct{}
}

// New starts a group. Close stops it.
func New[Q, A any](o Options[Q, A]) *Group[Q, A] {
	g := &Group[Q, A]{options: o, done: make(chan struct{})}
	g.checks.SetLimit(4)
	g.work, g.giveUp = context.WithCancel(context.Background()) //nolint:gosec // Close ends it
	g.wake = sync.NewCond(&g.mu)
	go g.run()
	return g
}

// Submit hands items over and returns the answer to each, in their order. When ctx ends
// first, they may or may not have been worked on. The error is of kind Unavailable when
// too many wait, and after Close.
func (g *Group[Q, A]) Submit(ctx context.Context, items []Q) ([]A, error) {
	if len(items) == 0 {
		return nil, nil
	}
	r := &request[Q, A]{ctx: ctx, items: items, done: make(chan struct{})}
	g.mu.Lock()
	switch {
	case g.closed:
		g.mu.Unlock()
		return nil, insight.NewError(insight.Unavailable, "", "the server is stopping")
	case g.items > 0 && g.items+len(items) > g.options.Queue:
		g.mu.Unlock()
		return nil, insight.NewError(insight.Unavailable, "", "too many are waiting; send them again in a moment")
	}
	g.waiting = append(g.waiting, r)
	g.items += len(items)
	g.wake.Signal()
	g.mu.Unlock()
	select {
	case <-r.done:
		return r.answers, r.err
	case <-ctx.Done():
		return nil, &insight.Error{Op: "commit.Submit", Kind: insight.Unavailable, Message: "the request was given up", Cause: ctx.Err()}
	}
}

// Waiting is how many items wait for a call.
func (g *Group[Q, A]) Waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.items
}

// Close takes no more items, works on those that wait, and returns. When ctx ends first,
// what was not done by then is answered with an error.
func (g *Group[Q, A]) Close(ctx context.Context) error {
	g.mu.Lock()
	g.closed = true
	g.wake.Signal()
	g.mu.Unlock()
	select {
	case <-g.done:
		g.giveUp()
		return nil
	case <-ctx.Done():
		g.giveUp()
		<-g.done
		return ctx.Err()
	}
}

func (g *Group[Q, A]) run() {
	defer close(g.done)
	defer func() { _ = g.checks.Wait() }() // the callers are told what failed
	for {
		requests := g.gather()
		if requests == nil {
			return
		}
		g.answer(requests)
		if g.options.Check == nil {
			tell(requests)
			continue
		}
		g.checks.Go(func() error {
			g.check(requests)
			tell(requests)
			return nil
		})
	}
}

func tell[Q, A any](requests []*request[Q, A]) {
	for _, r := range requests {
		close(r.done)
	}
}

// gather waits for requests and takes as many as share a call, which may be none; nil
// when the group is closed and empty.
func (g *Group[Q, A]) gather() []*request[Q, A] {
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(g.waiting) == 0 {
		if g.closed {
			return nil
		}
		g.wake.Wait()
	}
	n, items := 0, 0
	for n < len(g.waiting) && (n == 0 || items+len(g.waiting[n].items) <= g.options.Most) {
		items += len(g.waiting[n].items)
		n++
	}
	taken := g.waiting[:n:n]
	g.waiting = g.waiting[n:]
	g.items -= items
	if g.options.Abandon {
		taken = slices.DeleteFunc(taken, func(r *request[Q, A]) bool { return r.ctx.Err() != nil })
	}
	return taken
}

// check has all answers of some requests checked.
func (g *Group[Q, A]) check(requests []*request[Q, A]) {
	var all []A
	for _, r := range requests {
		all = append(all, r.answers...)
	}
	if len(all) == 0 {
		return
	}
	err := g.options.Check(g.work, all)
	for _, r := range requests {
		n := len(r.answers)
		if r.answers, all = all[:n:n], all[n:]; err != nil && r.err == nil {
			r.answers, r.err = nil, err
		}
	}
}

func (g *Group[Q, A]) answer(requests []*request[Q, A]) {
	if len(requests) > 1 {
		var all []Q
		for _, r := range requests {
			all = append(all, r.items...)
		}
		answers, err := g.options.Do(g.work, all)
		if err == nil {
			for _, r := range requests {
				r.answers, answers = answers[:len(r.items):len(r.items)], answers[len(r.items):]
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
		r.answers, r.err = g.options.Do(g.work, r.items)
	}
}
