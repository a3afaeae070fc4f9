package audience_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/acquaint/acquaint/engage/audience"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/segment"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// kept is a store whose clock the test holds: moments at which somebody is to be looked
// at, and segments that are computed in steps.
type kept struct {
	mu      sync.Mutex
	now     time.Time
	moments []time.Time
	looked  []time.Time
	drafts  int
	models  map[*segment.Segment]segment.Needs
	given   []*segment.Models
	renewed int
	fails   int
	woken   chan struct{}
	sleeps  chan time.Duration
	timer   chan time.Time
}

func (k *kept) Look(context.Context) (int, time.Time, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fails > 0 {
		k.fails--
		return 0, time.Time{}, errors.New("away")
	}
	n := 0
	for len(k.moments) > 0 && !k.moments[0].After(k.now) && n < 2 {
		k.looked = append(k.looked, k.moments[0])
		k.moments = k.moments[1:]
		n++
	}
	if len(k.moments) == 0 {
		return n, time.Time{}, nil
	}
	return n, k.moments[0], nil
}

func (k *kept) Draft(context.Context) (bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.drafts == 0 {
		return false, nil
	}
	k.drafts--
	return true, nil
}

func (k *kept) AwaitingModels(context.Context) (map[*segment.Segment]segment.Needs, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.models, nil
}

func (k *kept) SetModels(_ context.Context, _ *segment.Segment, m *segment.Models) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.given, k.models, k.drafts = append(k.given, m), nil, 3
	return nil
}

func (k *kept) Renew(_ context.Context, before time.Time) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !before.Equal(k.now.Add(-audience.ModelsLast)) {
		return 0, errors.New("another moment")
	}
	k.renewed++
	return 0, nil
}

func (k *kept) Woken() <-chan struct{} { return k.woken }

func (k *kept) time() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.now
}

// run runs a keeper, whose sleeps the test sees and ends.
func run(t *testing.T, k *kept) (changed chan struct{}, stop func()) {
	k.now, k.woken, k.sleeps, k.timer = noon, make(chan struct{}, 1), make(chan time.Duration), make(chan time.Time)
	changed = make(chan struct{}, 100)
	keeper := audience.NewKeeper(audience.Options{
		Segments: k, Now: k.time, Changed: func() { changed <- struct{}{} },
		After: func(d time.Duration) <-chan time.Time { k.sleeps <- d; return k.timer },
		Models: func(_ context.Context, p *insight.Purpose, needs segment.Needs, asOf time.Time) (*segment.Models, error) {
			if p.Key != "marketing" || !needs.Cuts {
				t.Errorf("models for %s with %+v", p.Key, needs)
			}
			return &segment.Models{AsOf: asOf}, nil
		},
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); keeper.Run(ctx) }()
	return changed, func() {
		cancel()
		select { // it may be about to sleep
		case <-k.sleeps:
			<-done
		case <-done:
		}
	}
}

// Time's changes are made when their moment has come, all of them, and until then it
// sleeps no longer than a heartbeat.
func TestMoments(t *testing.T) {
	k := &kept{moments: []time.Time{noon.Add(-3), noon.Add(-2), noon.Add(-1), noon.Add(time.Millisecond), noon.Add(time.Hour)}}
	changed, stop := run(t, k)
	defer stop()
	if d := <-k.sleeps; d != time.Millisecond {
		t.Errorf("it sleeps for %v", d)
	}
	k.mu.Lock()
	if len(k.looked) != 3 || len(changed) != 2 {
		t.Errorf("it has looked at %d, and told %d times", len(k.looked), len(changed))
	}
	k.now = noon.Add(time.Millisecond)
	k.mu.Unlock()
	k.timer <- noon
	if d := <-k.sleeps; d != audience.Heartbeat {
		t.Errorf("it sleeps for %v", d)
	}
	if len(k.looked) != 4 {
		t.Errorf("it has looked at %d", len(k.looked))
	}
	k.mu.Lock()
	k.moments = slices.Insert(k.moments, 0, k.now) // by this process, which says so
	k.mu.Unlock()
	k.woken <- struct{}{}
	<-k.sleeps
	if len(k.looked) != 5 || k.renewed != 1 {
		t.Errorf("it has looked at %d, and renewed %d times", len(k.looked), k.renewed)
	}
}

// A segment that needs models gets them, and is computed to its end.
func TestModels(t *testing.T) {
	of := &segment.Segment{Definition: segment.Definition{Purpose: &insight.Purpose{Key: "marketing"}}}
	k := &kept{drafts: 2, models: map[*segment.Segment]segment.Needs{of: {Cuts: true}}}
	_, stop := run(t, k)
	defer stop()
	<-k.sleeps
	if k.drafts != 0 || len(k.given) != 1 || !k.given[0].AsOf.Equal(noon) {
		t.Errorf("%d steps are left, the models are %+v", k.drafts, k.given)
	}
}

// After an error it rests, and goes on.
func TestFailure(t *testing.T) {
	k := &kept{fails: 1, moments: []time.Time{noon}}
	_, stop := run(t, k)
	defer stop()
	if d := <-k.sleeps; d <= audience.Heartbeat {
		t.Errorf("after an error it sleeps for %v", d)
	}
	k.timer <- noon
	<-k.sleeps
	if len(k.looked) != 1 {
		t.Error("it does not go on")
	}
}
