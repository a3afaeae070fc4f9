package bench

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/simulate"
)

// spool holds prepared requests in a file and not in memory, where they would make
// the garbage collector, which the server shares with the load, come too seldom.
type spool struct {
	file *os.File
	ends []int64
}

func (s *spool) add(request []byte) error {
	begin := int64(0)
	if n := len(s.ends); n > 0 {
		begin = s.ends[n-1]
	}
	_, err := s.file.WriteAt(request, begin)
	s.ends = append(s.ends, begin+int64(len(request)))
	return err
}

// read reads the n-th request, into buf where it fits.
func (s *spool) read(n int, buf []byte) ([]byte, error) {
	begin := int64(0)
	if n > 0 {
		begin = s.ends[n-1]
	}
	size := int(s.ends[n] - begin)
	if cap(buf) < size {
		buf = make([]byte, size)
	}
	_, err := s.file.ReadAt(buf[:size], begin)
	return buf[:size], err
}

// messagesPerPerson is about how much a simulated person says in a year.
const messagesPerPerson = 24

// end is the end of every simulated year: the same data in every run.
var end = time.Date(2026, 6, 30, 0, 0, 0, 0, time.UTC)

// willing is the simulation's truth, but that nobody denies analytics: every event is
// kept.
func willing() *simulate.Truth {
	truth := simulate.DefaultTruth()
	for n := range truth.Consents {
		if truth.Consents[n].Purpose == purpose {
			truth.Consents[n].Granted = 1
		}
	}
	return &truth
}

// prepare renders the load: batches of events, with everybody's interleaved by time,
// and after them single ones. They tell of no consent, whose rows COPY would not write;
// what decisions cost is a part of its own.
func (r *run) prepare(singles int) (batches, alone *spool, err error) {
	events := r.Events + singles
	people := events/messagesPerPerson + 500 // more than enough
	population, err := simulate.New(simulate.Options{Seed: 1, Individuals: people, To: end, Truth: willing()})
	if err != nil {
		return nil, nil, err
	}
	authorization := "Basic " + base64.StdEncoding.EncodeToString([]byte(writeKey+":"))
	open := func(name string) (*spool, error) {
		f, err := os.Create(r.file(name))
		return &spool{file: f}, err
	}
	if batches, err = open("batches"); err != nil {
		return nil, nil, err
	}
	if alone, err = open("singles"); err != nil {
		return nil, nil, err
	}
	left := r.Events
	for batch := range population.Batches(r.BatchSize, people) {
		for k := range batch {
			batch[k].Context.Consent = nil
		}
		if left > 0 {
			batch = batch[:min(left, len(batch))]
			left -= len(batch)
			body, err := json.Marshal(map[string]any{"batch": batch})
			if err != nil {
				return nil, nil, err
			}
			if err := batches.add(request("/v1/batch", authorization, "application/json", "", body)); err != nil {
				return nil, nil, err
			}
			continue
		}
		for _, m := range batch {
			if len(alone.ends) == singles {
				return batches, alone, nil
			}
			body, err := json.Marshal(m)
			if err != nil {
				return nil, nil, err
			}
			if err := alone.add(request("/v1/"+m.Type, authorization, "application/json", "", body)); err != nil {
				return nil, nil, err
			}
		}
	}
	return nil, nil, insight.NewError(insight.Internal, "bench", "the simulated people had less to say than was expected")
}

// send sends a part of a spool over many connections.
func (r *run) send(ctx context.Context, to *installation, s *spool, first, last int) (tally, error) {
	return r.sendAs(ctx, to, s, upTo(first, last))
}

// sendAs sends the requests that next names.
func (r *run) sendAs(ctx context.Context, to *installation, s *spool, next supply) (tally, error) {
	return load(ctx, r.Connections, next, func(int) (func(int) error, func() error, error) {
		c, err := dial(ctx, to.address)
		if err != nil {
			return nil, nil, err
		}
		var buf []byte
		return func(n int) error {
			var err error
			if buf, err = s.read(n, buf); err != nil {
				return err
			}
			answer, err := c.ask(buf)
			if err == nil && !bytes.Equal(bytes.TrimSpace(answer), []byte(`{"success":true}`)) {
				err = errors.New("the server did not take every event")
			}
			return err
		}, c.close, nil
	})
}

// ingest measures the way in, and COPY of what it left.
func (r *run) ingest(ctx context.Context) error {
	singles := max(r.Events/10, 1)
	r.Told(fmt.Sprintf("ingest: preparing %d events", r.Events+singles))
	batches, alone, err := r.prepare(singles)
	if err != nil {
		return wrap(err)
	}
	defer func() { _, _ = batches.file.Close(), alone.file.Close() }() // the folder goes with all that is in it
	var found ingested
	for n := range r.Rounds {
		r.Told(fmt.Sprintf("ingest: round %d of %d", n+1, r.Rounds))
		if err := r.ingestRound(ctx, batches, alone, &found, n == r.Rounds-1); err != nil {
			return err
		}
	}
	what := fmt.Sprintf("ingest, batches of %d over %d connections", r.BatchSize, r.Connections)
	one, two := "COPY of the same rows, 1 connection", "COPY of the same rows, 2 connections"
	row := r.report.compared(what, "events/s", found.batches, one, found.copied[0], 0.5)
	row.P50, row.P99 = latency(found.batchTimes, 0.5), latency(found.batchTimes, 0.99)
	r.report.row(one, "events/s", found.copied[0]...)
	r.report.compared(what, "events/s", found.batches, two, found.copied[1], 0)
	r.report.row(two, "events/s", found.copied[1]...)
	row = r.report.row(fmt.Sprintf("ingest, single events over %d connections", r.Connections), "events/s", found.singles...)
	row.P50, row.P99 = latency(found.singleTimes, 0.5), latency(found.singleTimes, 0.99)
	r.report.row("rows that an event becomes, all tables", "rows", found.rows...)
	return nil
}

// ingested is what rounds of ingest found, rates in events a second.
type ingested struct {
	batches, singles, rows  []float64
	copied                  [2][]float64 // by connections less one
	batchTimes, singleTimes []time.Duration
}

func (r *run) ingestRound(ctx context.Context, batches, alone *spool, found *ingested, last bool) (err error) {
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
	r.server.settle(ctx)
	warm := len(batches.ends) / 20 // statements get prepared, connections made
	if _, err := r.send(ctx, served, batches, 0, warm); err != nil {
		return err
	}
	ended := r.profile("ingest", last)
	sent, err := r.send(ctx, served, batches, warm, len(batches.ends))
	if err = errors.Join(err, ended()); err != nil {
		return err
	}
	events := r.Events - warm*r.BatchSize
	found.batches = append(found.batches, float64(events)/sent.took.Seconds())
	found.batchTimes = append(found.batchTimes, sent.times...)

	err = within(address, 2, func(db *sql.DB) error {
		c, err := newCopier(ctx, db)
		if err != nil {
			return err
		}
		found.rows = append(found.rows, float64(c.size())/float64(r.Events))
		for connections := 1; connections <= 2; connections++ {
			r.server.settle(ctx)
			took, err := c.copy(ctx, connections)
			if err != nil {
				return err
			}
			found.copied[connections-1] = append(found.copied[connections-1], float64(r.Events)/took.Seconds())
		}
		return c.drop(ctx)
	})
	if err != nil {
		return wrap(err)
	}

	r.server.settle(ctx)
	warm = len(alone.ends) / 20
	if _, err := r.send(ctx, served, alone, 0, warm); err != nil {
		return err
	}
	ended = r.profile("single", last)
	sent, err = r.send(ctx, served, alone, warm, len(alone.ends))
	if err = errors.Join(err, ended()); err != nil {
		return err
	}
	found.singles = append(found.singles, float64(len(alone.ends)-warm)/sent.took.Seconds())
	found.singleTimes = append(found.singleTimes, sent.times...)
	return nil
}
