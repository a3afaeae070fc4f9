package commit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/commit"
)

var errBad = errors.New("it is bad")

// desk answers an item with itself times ten, and refuses whatever holds a negative one.
type desk struct {
	mu    sync.Mutex
	calls [][]int
	gate  chan struct{} // not nil: each call waits for it
	err   error         // of the next call
}

func (d *desk) do(ctx context.Context, items []int) ([]int, error) {
	d.mu.Lock()
	d.calls = append(d.calls, slices.Clone(items))
	gate, err := d.gate, d.err
	d.err = nil
	d.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if err != nil {
		return nil, err
	}
	answers := make([]int, len(items))
	for n, item := range items {
		if item < 0 {
			return nil, errBad
		}
		answers[n] = 10 * item
	}
	return answers, nil
}

func open(d *desk) *commit.Group[int, int] {
	return commit.New(commit.Options[int, int]{Do: d.do, Most: 4, Queue: 6})
}

type outcome struct {
	answers []int
	err     error
}

// held has a first call wait at the gate, submits the others one by one, and opens it.
func held(t *testing.T, d *desk, g *commit.Group[int, int], others ...[]int) []outcome {
	t.Helper()
	d.gate = make(chan struct{})
	outcomes := make([]outcome, len(others))
	var all sync.WaitGroup
	submit := func(items []int, to *outcome) {
		all.Go(func() { to.answers, to.err = g.Submit(context.Background(), items) })
		synctest.Wait()
	}
	submit([]int{1}, &outcome{})
	for n, items := range others {
		submit(items, &outcomes[n])
	}
	gate := d.gate
	d.mu.Lock()
	d.gate = nil
	d.mu.Unlock()
	close(gate)
	all.Wait()
	return outcomes
}

func is(t *testing.T, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{}
		g := open(d)
		is(t, "the answers", held(t, d, g, []int{2}, []int{3, 4}, []int{5, 6}), []outcome{{[]int{20}, nil}, {[]int{30, 40}, nil}, {[]int{50, 60}, nil}})
		is(t, "the calls", d.calls, [][]int{{1}, {2, 3, 4}, {5, 6}})
		is(t, "the end", g.Close(t.Context()), nil)
	})
}

// One who submits what cannot be kept does not take the others with them.
func TestFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{}
		g := open(d)
		is(t, "the answers", held(t, d, g, []int{2}, []int{-3}, []int{4}), []outcome{{[]int{20}, nil}, {nil, errBad}, {[]int{40}, nil}})
		is(t, "the calls", d.calls, [][]int{{1}, {2, -3, 4}, {2}, {-3}, {4}})
		is(t, "the end", g.Close(t.Context()), nil)
	})
}

// While nothing can be kept at all, nobody is tried alone.
func TestUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{}
		g := open(d)
		d.gate = make(chan struct{})
		gone := insight.NewError(insight.Unavailable, "", "the database is gone")
		var all sync.WaitGroup
		for n := range 3 {
			all.Go(func() {
				_, err := g.Submit(context.Background(), []int{n})
				if n > 0 && !errors.Is(err, gone) {
					t.Errorf("%d: %v", n, err)
				}
			})
			synctest.Wait()
		}
		gate := d.gate
		d.mu.Lock()
		d.gate, d.err = nil, gone // of the next call: the first one is under way
		d.mu.Unlock()
		close(gate)
		all.Wait()
		is(t, "the calls", d.calls, [][]int{{0}, {1, 2}})
		is(t, "the end", g.Close(t.Context()), nil)
	})
}

func TestQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{}
		g := open(d)
		outcomes := held(t, d, g, []int{1, 2, 3, 4, 5, 6, 7}, []int{8}) // more than fits waits where nothing else does
		is(t, "the large one", outcomes[0], outcome{[]int{10, 20, 30, 40, 50, 60, 70}, nil})
		is(t, "the next", insight.KindOf(outcomes[1].err), insight.Unavailable)
		answers, err := g.Submit(t.Context(), nil)
		is(t, "nothing", []any{answers, err, g.Waiting()}, []any{[]int(nil), nil, 0})
		is(t, "the end", g.Close(t.Context()), nil)
		_, err = g.Submit(t.Context(), []int{1})
		is(t, "after the end", insight.KindOf(err), insight.Unavailable)
	})
}

// Close works on what waits; told to give up, it answers that with an error.
func TestClose(t *testing.T) {
	for _, patient := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			d := &desk{gate: make(chan struct{})}
			g := open(d)
			var all sync.WaitGroup
			var first, second error
			all.Go(func() { _, first = g.Submit(context.Background(), []int{1}) })
			synctest.Wait()
			all.Go(func() { _, second = g.Submit(context.Background(), []int{2}) })
			synctest.Wait()
			is(t, "those that wait", g.Waiting(), 1)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var ended error
			all.Go(func() { ended = g.Close(ctx) })
			synctest.Wait()
			if patient {
				close(d.gate)
			} else {
				cancel()
			}
			all.Wait()
			want := error(nil)
			if !patient {
				want = context.Canceled
			}
			is(t, "the end", []error{ended, first, second}, []error{want, want, want})
		})
	}
}

// Who gives up is told so, and takes nobody with them.
func TestGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{gate: make(chan struct{})}
		g := open(d)
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			_, err := g.Submit(ctx, []int{1})
			if insight.KindOf(err) != insight.Unavailable || !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
		})
		synctest.Wait()
		cancel()
		all.Wait()
		close(d.gate)
		answers, err := g.Submit(t.Context(), []int{2})
		is(t, "the next", []any{answers, err}, []any{[]int{20}, nil})
		is(t, "the end", g.Close(t.Context()), nil)
	})
}

// Whoever has gone by their turn is not worked for, where that is asked for.
func TestAbandoned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{gate: make(chan struct{})}
		g := commit.New(commit.Options[int, int]{Do: d.do, Most: 4, Queue: 6, Abandon: true})
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		submit := func(ctx context.Context, item int) {
			all.Go(func() { _, _ = g.Submit(ctx, []int{item}) })
			synctest.Wait()
		}
		submit(t.Context(), 1)
		submit(ctx, 2)
		submit(t.Context(), 3)
		cancel()
		close(d.gate)
		all.Wait()
		is(t, "the calls", d.calls, [][]int{{1}, {3}})
		is(t, "the end", g.Close(t.Context()), nil)
	})
}

// Answers are checked once more before they are told, all that shared a call together,
// while the next call runs already.
func TestChecked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{}
		var checked [][]int
		gate := make(chan struct{})
		g := commit.New(commit.Options[int, int]{Do: d.do, Most: 4, Queue: 6, Check: func(_ context.Context, answers []int) error {
			d.mu.Lock()
			checked = append(checked, slices.Clone(answers))
			d.mu.Unlock()
			if answers[0] == 90 {
				<-gate
			}
			if slices.Contains(answers, 50) {
				return errBad
			}
			for n, a := range answers {
				if a == 30 {
					answers[n] = 0
				}
			}
			return nil
		}})
		var all sync.WaitGroup
		var first outcome
		all.Go(func() { first.answers, first.err = g.Submit(context.Background(), []int{9}) })
		synctest.Wait()
		is(t, "beside a check", held(t, d, g, []int{2, 3}, []int{-4}, []int{4}), []outcome{{[]int{20, 0}, nil}, {nil, errBad}, {[]int{40}, nil}})
		_, err := g.Submit(t.Context(), []int{6, 5})
		is(t, "a check that fails", err, errBad)
		ended := make(chan error)
		go func() { ended <- g.Close(t.Context()) }()
		synctest.Wait()
		is(t, "what is not told before", first.answers, []int(nil))
		close(gate)
		is(t, "the end", <-ended, nil)
		all.Wait()
		is(t, "the first", first, outcome{[]int{90}, nil})
		slices.SortFunc(checked, slices.Compare) // they run beside each other
		is(t, "the checks", checked, [][]int{{10}, {20, 30, 40}, {60, 50}, {90}})
	})
}
