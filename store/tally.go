package store

import (
	"context"
	"database/sql"
	"runtime"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/acquaint/acquaint/insight"
)

// Tally is what a question about everyone adds up, one individual at a time. Several
// are made, so that the work is shared, and merged at the end.
type Tally[T any] interface {
	// Add takes in one individual, of whom it keeps nothing that the history owns.
	Add(h *insight.History)
	// Merge takes in what another tally has added up.
	Merge(other T)
}

// Take hands every individual whom the survey's purpose covers to tallies that begin
// makes, and merges them into one, in one consistent view of the database. It reports
// how many they are. Histories hold what the purpose permits, whenever it happened:
// that the later does not exist yet is for the tally to know.
//
// It reads digests, which do not tell properties. Where a selector has conditions on
// them, properties says so, and it reads the facts: every interaction of everyone. It
// holds as many individuals in memory as it reads at a time.
func Take[T Tally[T]](ctx context.Context, s *Survey, properties bool, begin func() T) (T, int, error) {
	c := &count{survey: s, work: make(chan work, 2*runtime.GOMAXPROCS(0))}
	if properties {
		c.detail = WithProperties
	}
	tallies := make([]T, runtime.GOMAXPROCS(0))
	workers, ctx := errgroup.WithContext(ctx)
	for i := range tallies {
		tallies[i] = begin()
		workers.Go(func() error { return c.fold(ctx, tallies[i].Add) })
	}
	workers.Go(func() error {
		defer close(c.work)
		return s.reader.store.view(ctx, "store.Take", func(b *batch) error { return c.read(ctx, b) })
	})
	err := workers.Wait()
	for _, other := range tallies[1:] {
		tallies[0].Merge(other)
	}
	return tallies[0], c.population, err
}

// count is one question about everyone while it is being answered.
type count struct {
	survey     *Survey
	detail     Detail
	work       chan work
	population int
}

// work is some individuals for one of the tallies: as digests, or as histories.
type work struct {
	digests   []byte
	ends      []int // of each digest
	histories []*insight.History
}

// portion is about how many bytes of digests are handed over at a time.
const portion = 64 << 10

// read reads everyone, first those who have digests.
func (c *count) read(ctx context.Context, b *batch) error {
	r := c.survey.reader
	column := "i.digest"
	if c.detail != 0 {
		column = "NULL"
	}
	var others []uuid.UUID
	var w work
	err := b.query(ctx, "SELECT "+r.engine.id("i.id")+", "+column+" FROM individuals i WHERE "+r.covered("i"), nil, func(rows *sql.Rows) error {
		var id uuid.UUID
		var written sql.RawBytes
		if err := rows.Scan(&id, &written); err != nil {
			return err
		}
		c.population++
		if written == nil {
			others = append(others, id)
			return nil
		}
		w.digests = append(w.digests, written...)
		w.ends = append(w.ends, len(w.digests))
		if len(w.digests) < portion {
			return nil
		}
		full := w
		w = work{digests: make([]byte, 0, portion+portion/4)}
		return c.hand(ctx, full)
	})
	if err != nil {
		return err
	}
	if err := c.hand(ctx, w); err != nil {
		return err
	}
	for len(others) > 0 {
		some := others[:min(chunk, len(others))]
		others = others[len(some):]
		histories, err := c.histories(ctx, b, some)
		if err != nil {
			return err
		}
		if err := c.hand(ctx, work{histories: histories}); err != nil {
			return err
		}
	}
	return nil
}

func (c *count) hand(ctx context.Context, w work) error {
	select {
	case c.work <- w:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// histories makes the histories of individuals from the facts.
func (c *count) histories(ctx context.Context, b *batch, ids []uuid.UUID) ([]*insight.History, error) {
	entries, err := b.entries(ctx, ids, c.survey.reader.interactions(c.detail))
	if err != nil {
		return nil, err
	}
	refusals, err := b.refusals(ctx, ids)
	if err != nil {
		return nil, err
	}
	histories := make([]*insight.History, len(ids))
	for n, id := range ids {
		histories[n] = c.survey.reader.history(entries[id], refusals[id])
	}
	return histories, nil
}

// fold adds up what is handed over.
func (c *count) fold(ctx context.Context, add func(*insight.History)) error {
	d := c.survey.reader.digests(ctx)
	for w := range c.work {
		start := 0
		for _, end := range w.ends {
			h, err := d.Read(w.digests[start:end])
			if err != nil {
				return err
			}
			add(h)
			start = end
		}
		for _, h := range w.histories {
			add(h)
		}
	}
	return nil
}
