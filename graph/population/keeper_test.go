package population

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/acquaint/acquaint/insight"
)

// kept is a keeper of counters: each model is how many were made before it.
type kept struct {
	*keeper
	moves uint64
	made  atomic.Int64
	takes time.Duration
	fails error
}

func keep(t *testing.T, takes time.Duration) *kept {
	t.Helper()
	k := &kept{takes: takes}
	k.keeper = newKeeper(func() uint64 { return k.moves }, false)
	t.Cleanup(k.close)
	return k
}

func (k *kept) ask(t *testing.T, key string, live bool) int {
	t.Helper()
	v, err := k.get(t.Context(), key, live, func(ctx context.Context) (any, error) {

		n := int(k.made.Add(1))
		select {
		case <-time.After(k.takes):
			return n, k.fails
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	})
	if err != nil {
		return -1
	}
	return v.(int) //nolint:forcetypeassert // as above
}

func (k *kept) expect(t *testing.T, want int) {
	t.Helper()
	if got := k.ask(t, "key", true); got != want {
		t.Fatalf("model %d, want %d", got, want)
	}
}

// In these tests time is synctest's: whoever sleeps in them waits for nothing.

// What is quick to make is never older than the data.
func TestQuick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keep(t, 10*time.Millisecond)
		k.expect(t, 1)
		k.expect(t, 1)
		k.moves++
		k.expect(t, 2)
		time.Sleep(oldest)
		k.expect(t, 3) // time passed
	})
}

// What is not is used for a while, until another one is made.
func TestSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keep(t, 10*time.Second)
		began := time.Now()
		k.expect(t, 1)
		if waited := time.Since(began); waited != 10*time.Second {
			t.Fatalf("the first who asked waited %v", waited)
		}
		k.moves++
		began = time.Now()
		k.expect(t, 1)
		time.Sleep(patience*10*time.Second - 1)
		k.expect(t, 1)
		time.Sleep(time.Nanosecond)
		k.expect(t, 1) // and another one is begun
		time.Sleep(9 * time.Second)
		k.expect(t, 1)
		time.Sleep(time.Second)
		synctest.Wait()
		k.expect(t, 2)
		if waited := time.Since(began); waited != patience*10*time.Second+10*time.Second {
			t.Fatalf("somebody waited: %v", waited)
		}
		time.Sleep(time.Hour)
		k.expect(t, 2) // nothing changed, but time passed: the next is made meanwhile
		time.Sleep(time.Minute)
		k.expect(t, 3)
	})
}

// Of a moment that was named nothing changes because time passes.
func TestNamedMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keep(t, time.Millisecond)
		first := k.ask(t, "key", false)
		time.Sleep(1000 * time.Hour)
		if again := k.ask(t, "key", false); again != first {
			t.Errorf("model %d, then %d", first, again)
		}
	})
}

// Many who ask at once have one made for them.
func TestTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keep(t, time.Second)
		answers := make(chan int)
		for range 50 {
			go func() { answers <- k.ask(t, "key", true) }()
		}
		for range 50 {
			if n := <-answers; n != 1 {
				t.Errorf("model %d", n)
			}
		}
	})
}

// That no model can be made of the data is kept; that the database was away is not.
func TestFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keep(t, time.Second)
		k.fails = insight.NewError(insight.Unavailable, "", "the database is away")
		k.expect(t, -1)
		k.fails = insight.NewError(insight.Conflict, "lifetime", "there are too few")
		k.expect(t, -1)
		k.fails = nil
		k.expect(t, -1)
		if k.made.Load() != 2 {
			t.Errorf("%d were made, want 2", k.made.Load())
		}
	})
}

// Who asks may go away, and who asks later is answered nevertheless.
func TestGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keep(t, time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := k.get(ctx, "key", true, func(context.Context) (any, error) {
			time.Sleep(time.Second)
			return 7, nil
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the error is %v", err)
		}
		k.expect(t, 7)
	})
}

// The models that were not used for the longest time are forgotten.
func TestCapacity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keep(t, time.Millisecond)
		for n := range capacity + 5 {
			k.ask(t, fmt.Sprint(n), true)
			k.ask(t, "0", true)
		}
		if len(k.models) != capacity || k.models["0"] == nil || k.models["1"] != nil {
			t.Errorf("%d models are kept", len(k.models))
		}
	})
}

// Close stops what is being made.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keep(t, time.Hour)
		began := time.Now()
		for n := range 5 { // more than are made at once
			go func() {
				if got := k.ask(t, fmt.Sprint(n), true); got != -1 {
					t.Errorf("model %d was made", got)
				}
			}()
		}
		synctest.Wait()
		k.close()
		if took := time.Since(began); took != 0 {
			t.Errorf("it took %v", took)
		}
		synctest.Wait()
	})
}
