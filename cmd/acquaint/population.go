package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"os"
	"time"

	"github.com/acquaint/acquaint/ingest/tracking"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/bulk"
	"github.com/acquaint/acquaint/internal/progress"
	"github.com/acquaint/acquaint/internal/simulate"
	"github.com/acquaint/acquaint/store"
)

type simulated struct {
	Individuals int    `default:"5000" help:"How many individuals."`
	Seed        uint64 `default:"1" help:"Another seed makes other people; the same seed and dates make the same."`
	To          string `placeholder:"DATE" help:"The day after the simulated year, as 2026-01-31, in UTC. Default: today."`
	Out         string `placeholder:"FILE" help:"Write NDJSON to this file (- for standard output) in place of the database."`
	Source      string `default:"simulation" help:"The source that the events belong to; it is made when it does not exist."`
}

// Help says what is made.
func (simulated) Help() string {
	return "A year of browsing, buying and being written to, with a known truth: the channels' transitions, the purchase process, the response to outreach. " +
		"Each individual has a user id such as user-00001."
}

// Run makes a population.
func (m *simulated) Run(p *process) error {
	if err := p.configure(); err != nil {
		return err
	}
	now := time.Now()
	to := now.UTC().Truncate(insight.Day)
	if m.To != "" {
		var err error
		if to, err = time.Parse(time.DateOnly, m.To); err != nil {
			return &usage{"--to", "a day is written as 2026-01-31"}
		}
	}
	population, err := simulate.New(simulate.Options{Seed: m.Seed, Individuals: m.Individuals, To: to})
	if err != nil {
		return flagged(err)
	}
	if m.Out != "" {
		err = m.write(p, population)
	} else {
		err = m.keep(p, population, now)
	}
	if err != nil {
		return err
	}
	p.note("the same again: acquaint simulate --individuals %d --seed %d --to %s", m.Individuals, m.Seed, to.Format(time.DateOnly))
	return nil
}

func (m *simulated) write(p *process, population *simulate.Population) (err error) {
	out := p.stdout
	if m.Out != "-" {
		file, err := os.Create(m.Out)
		if err != nil {
			return fileError("--out", err)
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		out = file
	}
	work := progress.Start(p.stderr, "simulating", "individuals", int64(m.Individuals))
	err = population.WriteNDJSON(p.ctx, out, func(done int) { work.At(int64(done)) })
	work.End()
	switch {
	case p.stopped():
		p.note("stopped; what was written is not whole")
		return errTold
	case err != nil:
		return fileError("--out", err)
	}
	return nil
}

func (m *simulated) keep(p *process, population *simulate.Population, now time.Time) (err error) {
	s, err := p.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	source, _, err := p.source(s, m.Source, "", nil)
	if err != nil {
		return err
	}
	tally, err := p.populate(s, source, population, now)
	if err != nil {
		return p.halted(tally, err)
	}
	p.say("%s", summed(tally, time.Since(now)))
	return nil
}

// populate keeps what a population says, as messages of a source.
func (p *process) populate(s *store.Store, source *insight.Source, population *simulate.Population, now time.Time) (bulk.Tally, error) {
	decoder := p.decoder(s)
	work := progress.Start(p.stderr, "loading", "individuals", int64(population.Size()))
	defer work.End()
	done := int64(0)
	return bulk.Keep(p.ctx, s, bulk.BatchSize, func(ctx context.Context, yield func(*insight.Event) error) error {
		for person := range population.All() {
			for i := range person.Messages {
				event, err := decode(ctx, decoder, &person.Messages[i], source, now)
				if err == nil {
					err = yield(event)
				}
				if err != nil {
					return err
				}
			}
			done++
			work.At(done)
		}
		return nil
	}, nil)
}

// decode takes a message the way that a client's comes.
func decode(ctx context.Context, decoder *tracking.Decoder, m *simulate.Message, source *insight.Source, now time.Time) (*insight.Event, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return nil, insight.WrapError("simulate", insight.Internal, err)
	}
	return decoder.Message(ctx, "", body, source, now, time.Time{}, "message")
}

// halted tells what is kept of work that did not come to its end, and why.
func (p *process) halted(tally bulk.Tally, err error) error {
	if p.stopped() {
		p.note("stopped; %s events are kept, and the same command again goes on from there", count(tally.Kept()))
		return errTold
	}
	if tally.Kept() > 0 {
		p.note("%s events are kept; the same command again goes on from there", count(tally.Kept()))
	}
	return err
}

// fileError says why a file cannot be used, without the operation's name.
func fileError(subject string, err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return insight.NewError(insight.Invalid, cmp.Or(path.Path, subject), path.Err.Error())
	}
	return insight.NewError(insight.Invalid, subject, err.Error())
}
