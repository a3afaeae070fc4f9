package bulk

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"github.com/acquaint/acquaint/ingest"
	"github.com/acquaint/acquaint/insight"
)

// BatchSize is how many events share a transaction, unless it is said otherwise:
// enough that what a transaction costs by itself does not count, and some tens of megabytes.
const BatchSize = 20_000

// Tally counts what became of events.
type Tally struct {
	Accepted, Duplicates, Withheld, Rejected int64
}

// Kept is how many of the events are in the database now.
func (t Tally) Kept() int64 { return t.Accepted + t.Duplicates }

// All is how many events were handed over.
func (t Tally) All() int64 { return t.Accepted + t.Duplicates + t.Withheld + t.Rejected }

func (t *Tally) add(outcomes []insight.Outcome) {
	for _, o := range outcomes {
		switch o.Status {
		case insight.StatusAccepted:
			t.Accepted++
		case insight.StatusDuplicate:
			t.Duplicates++
		case insight.StatusWithheld:
			t.Withheld++
		case insight.StatusRejected:
			t.Rejected++
		}
	}
}

// Source makes events and hands each to yield, whose error it returns at once. The
// context ends when nobody wants more.
type Source func(ctx context.Context, yield func(*insight.Event) error) error

// Keep hands the events of a source to a keeper, size of them in a transaction. Told,
// if not nil, is called after each with what is kept so far. The tally counts what
// is durable, whatever the error: the keeper's, the source's, or the context's
// cause when it ended first.
func Keep(ctx context.Context, k ingest.Keeper, size int, source Source, told func(Tally)) (Tally, error) {
	var tally Tally
	group, working := errgroup.WithContext(ctx)
	batches := make(chan []*insight.Event)
	group.Go(func() error {
		defer close(batches)
		return gather(working, size, source, batches)
	})
	group.Go(func() error {
		for events := range batches {
			if working.Err() != nil {
				return context.Cause(working)
			}
			// A stop must not undo a batch that is under way.
			outcomes, err := k.Append(context.WithoutCancel(ctx), events)
			if err != nil {
				return err
			}
			tally.add(outcomes)
			if told != nil {
				told(tally)
			}
		}
		return nil
	})
	err := group.Wait()
	if ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled)) {
		err = context.Cause(ctx)
	}
	return tally, err
}

func gather(ctx context.Context, size int, source Source, batches chan<- []*insight.Event) error {
	batch := make([]*insight.Event, 0, size)
	send := func() error {
		select {
		case batches <- batch:
			batch = make([]*insight.Event, 0, size)
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	err := source(ctx, func(e *insight.Event) error {
		if batch = append(batch, e); len(batch) < size {
			return nil
		}
		return send()
	})
	if err == nil && len(batch) > 0 {
		err = send()
	}
	return err
}
