package audience

import (
	"context"
	"log/slog"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/segment"
)

// Segments is what a keeper needs of the store.
type Segments interface {
	// Look does what time alone has changed, for some of those whose moment has come. It
	// reports how many they were, and when the next moment comes; zero: none does.
	Look(ctx context.Context) (n int, next time.Time, err error)
	// Draft takes a step in computing segments, and reports whether there is more to do.
	Draft(ctx context.Context) (more bool, err error)
	// AwaitingModels are the segments that cannot be computed without models.
	AwaitingModels(ctx context.Context) (map[*segment.Segment]segment.Needs, error)
	// SetModels gives a segment the models that it waits for.
	SetModels(ctx context.Context, of *segment.Segment, m *segment.Models) error
	// Renew has the segments computed anew whose models were made before a moment.
	Renew(ctx context.Context, before time.Time) (int, error)
	// Woken is signalled when there may be something new to do.
	Woken() <-chan struct{}
}

// Options say how a [Keeper] keeps.
type Options struct {
	Segments Segments
	// Models makes the models that a rule needs of those whom a purpose covers, as of a
	// moment.
	Models func(ctx context.Context, purpose *insight.Purpose, needs segment.Needs, asOf time.Time) (*segment.Models, error)
	// Changed, if set, is called when somebody may have entered or left.
	Changed func()
	Now     func() time.Time // nil is time.Now
	// After is a timer; nil is time.After.
	After  func(time.Duration) <-chan time.Time
	Logger *slog.Logger // nil: none
}

// Keeper keeps live audiences right. Make one with [NewKeeper].
type Keeper struct {
	o       Options
	renewed time.Time
}

// NewKeeper makes a keeper. [Keeper.Run] runs it.
func NewKeeper(o Options) *Keeper {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.After == nil {
		o.After = time.After
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Changed == nil {
		o.Changed = func() {}
	}
	return &Keeper{o: o}
}

const (
	// Heartbeat is how long a keeper sleeps at most: another process may have kept a
	// nearer moment than those that this one knows.
	Heartbeat = 250 * time.Millisecond
	// ModelsLast is how old the models of a segment become before they are made anew.
	ModelsLast = 24 * time.Hour
	// renewEvery is how often it is looked whether some are.
	renewEvery = time.Minute
	// failed is how long nothing is tried after an error.
	failed = 5 * time.Second
)

// Run keeps until ctx is done.
func (k *Keeper) Run(ctx context.Context) {
	for ctx.Err() == nil {
		wait := k.step(ctx)
		if wait <= 0 {
			continue
		}
		select {
		case <-ctx.Done():
		case <-k.o.Segments.Woken():
			k.o.Changed()
		case <-k.o.After(wait):
		}
	}
}

// step does some of what there is to do, and reports how long nothing will be; 0 is
// that there is more now. What time changes goes first: it is to be seen at once.
func (k *Keeper) step(ctx context.Context) time.Duration {
	whole := context.WithoutCancel(ctx) // what takes a moment is not broken off
	n, next, err := k.o.Segments.Look(whole)
	if err != nil {
		return k.report(ctx, "memberships that time changed could not be written", err)
	}
	if n > 0 {
		k.o.Changed()
		if now := k.o.Now(); !next.IsZero() && !next.After(now) {
			return 0
		}
	}
	more, err := k.o.Segments.Draft(whole)
	if err != nil {
		return k.report(ctx, "a segment could not be computed", err)
	}
	if more {
		return 0
	}
	if made, err := k.models(ctx); err != nil || made {
		return k.report(ctx, "the models that a segment needs could not be made", err)
	}
	now := k.o.Now()
	if now.Sub(k.renewed) >= renewEvery {
		k.renewed = now
		if n, err := k.o.Segments.Renew(ctx, now.Add(-ModelsLast)); err != nil || n > 0 {
			return k.report(ctx, "segments could not be renewed", err)
		}
	}
	if next.IsZero() {
		return Heartbeat
	}
	return max(time.Microsecond, min(Heartbeat, next.Sub(now)))
}

// models makes the models of those that wait for some, and reports whether any did.
func (k *Keeper) models(ctx context.Context) (bool, error) {
	waiting, err := k.o.Segments.AwaitingModels(ctx)
	if err != nil {
		return false, err
	}
	asOf := insight.Moment(k.o.Now())
	for of, needs := range waiting {
		m, err := k.o.Models(ctx, of.Purpose, needs, asOf)
		if err != nil {
			return false, err
		}
		if err := k.o.Segments.SetModels(ctx, of, m); err != nil {
			return false, err
		}
	}
	return len(waiting) > 0, nil
}

func (k *Keeper) report(ctx context.Context, what string, err error) time.Duration {
	if err == nil {
		return 0
	}
	if ctx.Err() == nil {
		k.o.Logger.Error(what, "detail", insight.Detail(err))
	}
	return failed
}
