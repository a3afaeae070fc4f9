package population

import (
	"context"
	"sync"
	"time"

	"github.com/acquaint/acquaint/insight"
)

const (
	// quick is what a model takes at most that is made anew while somebody waits.
	quick = 25 * time.Millisecond
	// patience is how many times as long as it took to make one that is not quick is
	// used, though something has changed.
	patience = 20
	// oldest is how old a model of now may be when nothing is known to have changed.
	oldest = time.Minute
	// longest bounds how long the making of one model may take.
	longest = 10 * time.Minute
	// capacity is how many models are kept. A habit of half a million individuals has 4 MB.
	capacity = 64
	// atOnce is how many are made at a time.
	atOnce = 2
)

// keeper keeps models by what was asked.
type keeper struct {
	moved func() uint64 // another number after anything changed
	fresh bool          // nothing is used after anything has changed
	now   func() time.Time

	making  context.Context
	stop    context.CancelFunc
	working sync.WaitGroup
	turns   chan struct{}

	mu     sync.Mutex
	models map[string]*model
}

// model is one that is kept, or is being made. What its making sets may be read once
// made is closed.
type model struct {
	made  chan struct{}
	value any
	err   error
	took  time.Duration
	ended time.Time

	moved uint64 // when its making began
	used  time.Time
	next  *model // the one that takes its place once it is made
}

func newKeeper(moved func() uint64, fresh bool) *keeper {
	k := &keeper{moved: moved, fresh: fresh, now: time.Now, turns: make(chan struct{}, atOnce), models: map[string]*model{}}
	k.making, k.stop = context.WithCancel(context.Background())
	return k
}

// close stops what is being made and waits for it.
func (k *keeper) close() {
	k.stop()
	k.working.Wait()
}

// get is the model of a key. Live says that it is of now, and ages.
func (k *keeper) get(ctx context.Context, key string, live bool, build func(context.Context) (any, error)) (any, error) {
	m := k.find(key, live, build)
	select {
	case <-m.made:
		return m.value, m.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// find is the model that is to be used, and sees to it that a better one is made where
// it is not the best.
func (k *keeper) find(key string, live bool, build func(context.Context) (any, error)) *model {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	m := k.models[key]
	if m != nil && m.next != nil && m.next.isMade() {
		m = m.next
		k.models[key] = m
	}
	switch {
	case m == nil || m.isMade() && !m.lasts():
		m = k.begin(build)
		k.models[key] = m
		k.makeRoom()
	case !m.isMade():
		// Whoever wants it waits; that something changed since it was begun is no reason to
		// begin again while it is being made, unless nothing else will do.
		if k.fresh && m.moved != k.moved() {
			m = k.begin(build)
			k.models[key] = m
		}
	case m.moved == k.moved() && (!live || now.Sub(m.ended) < max(oldest, patience*m.took)):
	case k.fresh || m.took <= quick:
		m = k.begin(build)
		k.models[key] = m
	case m.next == nil && now.Sub(m.ended) >= patience*m.took:
		m.next = k.begin(build)
	}
	m.used = now
	return m
}

func (m *model) isMade() bool {
	select {
	case <-m.made:
		return true
	default:
		return false
	}
}

// lasts reports whether what came of making it is to be kept: a model, or that none
// can be made of the data.
func (m *model) lasts() bool { return m.err == nil || insight.KindOf(m.err) == insight.Conflict }

// begin begins to make a model.
func (k *keeper) begin(build func(context.Context) (any, error)) *model {
	m := &model{made: make(chan struct{}), moved: k.moved()}
	k.working.Go(func() {
		defer close(m.made)
		select {
		case k.turns <- struct{}{}:
			defer func() { <-k.turns }()
		case <-k.making.Done():
			m.err = &insight.Error{Op: "population.begin", Kind: insight.Unavailable, Message: "the server is stopping"}
			return
		}
		ctx, cancel := context.WithTimeout(k.making, longest)
		defer cancel()
		began := k.now()
		m.value, m.err = build(ctx)
		m.ended = k.now()
		m.took = m.ended.Sub(began)
	})
	return m
}

// makeRoom forgets the model that was not used for the longest time.
func (k *keeper) makeRoom() {
	if len(k.models) <= capacity {
		return
	}
	last := ""
	for key, m := range k.models {
		if last == "" || m.used.Before(k.models[last].used) && !m.used.IsZero() {
			last = key
		}
	}
	delete(k.models, last)
}
