package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/acquaint/acquaint/engage/audience"
	"github.com/acquaint/acquaint/graph/population"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/segment"
	"github.com/acquaint/acquaint/store"
)

// liveSegments is how many segments there are while events come in.
const liveSegments = 200

// rules are as many rules of all sorts, of what the simulated people do.
func rules(n int) []string {
	types := []string{"page", "Product Viewed", "Product Added", "Order Completed", "Email Opened", "Store Visited", "Support Call", "screen"}
	channels := []string{"SEARCH", "EMAIL", "SOCIAL", "APP", "STORE", "DIRECT"}
	all := make([]string, n)
	for i := range all {
		of, days := types[i/8%len(types)], 7*(1+i%12)
		switch i % 8 {
		case 0, 1:
			all[i] = fmt.Sprintf(`{"event":{"event":{"types":[%q]},"atLeast":%d,"within":"P%dD"}}`, of, 1+i%5, days)
		case 2:
			all[i] = fmt.Sprintf(`{"recency":{"event":{"types":[%q]},"atLeast":"P%dD"}}`, of, days)
		case 3:
			all[i] = fmt.Sprintf(`{"monetary":{"event":{"types":["Order Completed"]},"atLeast":%d,"within":"P%dD"}}`, 50*(1+i%9), 4*days)
		case 4:
			all[i] = fmt.Sprintf(`{"all":[{"event":{"event":{"types":["Product Added"]},"within":"P%dD"}},{"not":{"event":{"event":{"types":["Order Completed"]},"within":"P%dD"}}}]}`, days, days)
		case 5:
			all[i] = fmt.Sprintf(`{"sequence":{"steps":[{"types":["Product Viewed"]},{"types":[%q]}],"within":"P%dD"}}`, of, days)
		case 6:
			all[i] = fmt.Sprintf(`{"event":{"event":{"channelKinds":[%q],"direction":"INBOUND"},"atLeast":%d}}`, channels[i/8%len(channels)], 1+i%7)
		default:
			all[i] = fmt.Sprintf(`{"all":[{"trait":{"key":"plan","op":"EXISTS"}},{"event":{"event":{"types":[%q]},"atLeast":%d}}]}`, of, 1+i%3)
		}
	}
	all[n-1] = `{"relationship":["COOLING","LAPSED"]}`
	return all
}

// keeper keeps an installation's audiences, as acquaint serve does.
func (i *installation) keeper() *audience.Keeper {
	return audience.NewKeeper(audience.Options{
		Segments: i.store,
		Models: func(ctx context.Context, p *insight.Purpose, needs segment.Needs, asOf time.Time) (*segment.Models, error) {
			survey, err := i.store.Survey(ctx, &insight.Viewer{Subject: "bench", Scopes: []insight.Scope{insight.ScopeInsightsRead}, Purposes: []string{p.Key}})
			if err != nil {
				return nil, err
			}
			return population.ForSegments(ctx, survey, needs, asOf)
		},
	})
}

// segment makes a segment, and does not wait for it.
func (i *installation) segment(ctx context.Context, key, rule string) error {
	r, err := segment.Read([]byte(rule))
	if err != nil {
		return err
	}
	_, err = i.store.CreateSegment(ctx, store.NewSegment{Key: key, Name: key, Purpose: purpose, Rule: r})
	return err
}

// computed waits until no segment is being computed, and all is announced.
func (i *installation) computed(ctx context.Context) error {
	for {
		all, err := i.store.Segments(ctx)
		if err != nil {
			return err
		}
		computing := false
		for _, one := range all {
			computing = computing || one.Status == segment.Computing
		}
		if !computing {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// segments measures what live segments cost those who send events, how soon time is
// seen to have passed, and how long a new segment takes.
func (r *run) segments(ctx context.Context) error {
	r.Told(fmt.Sprintf("segments: preparing %d events", r.Events))
	batches, alone, err := r.prepare(1)
	if err != nil {
		return wrap(err)
	}
	defer func() { _, _ = batches.file.Close(), alone.file.Close() }() // the folder goes with all that is in it
	var without, with, half, kept []float64
	var computed, lags []float64
	var seen []time.Duration
	for n := range r.Rounds {
		r.Told(fmt.Sprintf("segments: round %d of %d", n+1, r.Rounds))
		for _, many := range []int{0, liveSegments} {
			err := r.segmentsRound(ctx, many, 0, n == r.Rounds-1, batches, func(served *installation, rate float64, _ tally, db *sql.DB) error {
				if many == 0 {
					without = append(without, rate)
					return nil
				}
				with = append(with, rate)
				took, err := served.compute(ctx, fmt.Sprintf("new-%d", n), `{"all":[{"event":{"event":{"types":["Order Completed"]},"atLeast":2}},{"recency":{"atLeast":"P30D"}}]}`)
				if err != nil {
					return err
				}
				var individuals float64
				if err := db.QueryRowContext(ctx, "SELECT count(*) FROM individuals").Scan(&individuals); err != nil {
					return err
				}
				computed = append(computed, individuals/took.Seconds())
				lag, err := served.passing(ctx, db)
				lags = append(lags, lag)
				return err
			})
			if err != nil {
				return err
			}
		}
		half = append(half, without[n]/2)
		err := r.segmentsRound(ctx, liveSegments, half[n], false, batches, func(_ *installation, rate float64, sent tally, _ *sql.DB) error {
			kept, seen = append(kept, rate), append(seen, sent.times...)
			return nil
		})
		if err != nil {
			return err
		}
	}
	row := r.report.compared(fmt.Sprintf("segments: ingest with %d live segments, of half of what is possible without", liveSegments), "events/s", kept, "that half", half, 0.7)
	row.P50, row.P99 = latency(seen, 0.5), latency(seen, 0.99) // from when an event is due: a membership is seen when its event is acknowledged
	row.Within = time.Second
	r.report.compared(fmt.Sprintf("segments: ingest with %d live segments, as fast as it goes", liveSegments), "events/s", with, "without", without, 0.7)
	r.report.row("segments: ingest without", "events/s", without...)
	r.report.row("segments: a new one is computed", "individuals/s", computed...)
	r.report.row("segments: seen after the moment at which time decides, at most", "ms", lags...)
	return nil
}

// segmentsRound sends the events into an installation of its own that has so many
// segments, so many a second; 0: as fast as it goes.
func (r *run) segmentsRound(ctx context.Context, many int, pace float64, last bool, batches *spool, measured func(*installation, float64, tally, *sql.DB) error) (err error) {
	address, drop, err := r.server.scratch(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, drop()) }()
	served, err := install(ctx, address)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, served.stop()) }()
	keeping, end := context.WithCancel(ctx)
	kept := make(chan struct{})
	go func() { defer close(kept); served.keeper().Run(keeping) }()
	defer func() { end(); <-kept }()
	for n, rule := range rules(liveSegments)[:many] {
		if err := served.segment(ctx, fmt.Sprintf("segment-%d", n), rule); err != nil {
			return err
		}
	}
	if err := served.computed(ctx); err != nil {
		return err
	}
	r.server.settle(ctx)
	warm := len(batches.ends) / 20
	if _, err := r.send(ctx, served, batches, 0, warm); err != nil {
		return err
	}
	next := upTo(warm, len(batches.ends))
	if pace > 0 {
		next = paced(ctx, next, pace/float64(r.BatchSize))
	}
	ended := r.profile(fmt.Sprintf("segments-%d", many), last)
	sent, err := r.sendAs(ctx, served, batches, next)
	if err = errors.Join(err, ended()); err != nil {
		return err
	}
	return within(address, 1, func(db *sql.DB) error {
		return measured(served, float64(r.Events-warm*r.BatchSize)/sent.took.Seconds(), sent, db)
	})
}

// compute tells how long a new segment takes.
func (i *installation) compute(ctx context.Context, key, rule string) (time.Duration, error) {
	began := time.Now()
	if err := i.segment(ctx, key, rule); err != nil {
		return 0, err
	}
	err := i.computed(ctx)
	return time.Since(began), err
}

// passing has time end the memberships of everybody who acts within some seconds, and
// tells by how many milliseconds at most it was seen later than it happened.
func (i *installation) passing(ctx context.Context, db *sql.DB) (float64, error) {
	const people = 200
	if err := i.segment(ctx, "passing", `{"event":{"event":{"types":["Passing"]},"within":"PT1S"}}`); err != nil {
		return 0, err
	}
	if err := i.computed(ctx); err != nil {
		return 0, err
	}
	now := insight.Moment(time.Now())
	events := make([]*insight.Event, people)
	for n := range events {
		at := now.Add(time.Duration(n) * 5 * time.Millisecond)
		events[n] = &insight.Event{
			MessageID: fmt.Sprintf("passing-%d", n), Timestamp: at, Source: i.source, Channel: i.source.DefaultChannel, Type: "Passing", Direction: insight.Inbound,
			OccurredAt: at, ReceivedAt: at, Identities: []insight.Identity{{Kind: insight.UserID, Value: fmt.Sprintf("passing-%d", n)}},
		}
	}
	if _, err := i.store.Append(ctx, events); err != nil {
		return 0, err
	}
	for {
		var exits int
		var lag float64
		err := db.QueryRowContext(ctx, "SELECT count(*), coalesce(max(extract(epoch FROM recorded_at - at)), 0)*1000 FROM membership_changes c JOIN segments g ON g.id = c.segment_id WHERE g.key = 'passing' AND NOT c.entered").Scan(&exits, &lag)
		if err != nil || exits == people {
			return lag, err
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}
