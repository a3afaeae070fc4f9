package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/session"
)

// runColumns are the columns of a session that scanRun reads, of table s.
const runColumns = "s.id, s.started_at, s.ended_at, s.channel_id, s.campaign, s.interactions, s.views, s.conversions"

func scanRun(r *sql.Rows, before ...any) (session.Run, error) {
	var run session.Run
	var start, end moment
	var campaign []byte
	err := r.Scan(append(before, &run.First, &start, &end, &run.Channel, &campaign, &run.Interactions, &run.Views, &run.Conversions)...)
	run.Start, run.End = start.Time, end.Time
	if err == nil && campaign != nil {
		err = json.Unmarshal(campaign, &run.Campaign)
	}
	return run, err
}

// writeSessions joins the runs that came in with the sessions that are near them.
func (b *batch) writeSessions(ctx context.Context) error {
	if err := b.loadRebuilt(ctx); err != nil {
		return err
	}
	timeouts := make(map[uuid.UUID]time.Duration)
	for line := range b.runs {
		if _, ok := timeouts[line.Source]; !ok {
			source, err := b.store.directory.sourceByID(ctx, line.Source)
			if err != nil {
				return err
			}
			timeouts[line.Source] = source.SessionTimeout
		}
	}
	near, err := b.nearSessions(ctx, timeouts)
	if err != nil {
		return err
	}
	var gone []uuid.UUID
	whose := map[uuid.UUID]bool{}
	r := b.engine.rows()
	id, individual, source, stream := r.column("id", "uuid"), r.column("individual_id", "uuid"), r.column("source_id", "uuid"), r.column("stream", "uuid")
	channel, start, end := r.column("channel_id", "uuid"), r.column("started_at", "timestamptz"), r.column("ended_at", "timestamptz")
	interactions, views, conversions, campaign := r.column("interactions", "bigint"), r.column("views", "bigint"), r.column("conversions", "bigint"), r.column("campaign", "jsonb")
	for line, incoming := range b.runs {
		had := make(map[uuid.UUID]session.Run, len(near[line]))
		for _, run := range near[line] {
			had[run.First] = run
		}
		for _, run := range session.Merge(timeouts[line.Source], append(incoming, near[line]...)) {
			old, kept := had[run.First]
			delete(had, run.First)
			if kept && old == run {
				continue
			}
			id.uuid(run.First)
			individual.uuid(line.Individual)
			source.uuid(line.Source)
			stream.uuid(line.Stream)
			channel.uuid(run.Channel)
			start.time(run.Start)
			end.time(run.End)
			interactions.int(int64(run.Interactions))
			views.int(int64(run.Views))
			conversions.int(int64(run.Conversions))
			campaign.json(campaignJSON(run.Campaign))
		}
		for id := range had {
			gone = append(gone, id)
			whose[line.Individual] = true
		}
	}
	if len(gone) > 0 {
		if err := b.exec(ctx, "DELETE FROM sessions WHERE "+b.engine.anyOf("id", 1)+" AND "+b.engine.anyOf("individual_id", 2), b.engine.keys(gone), b.engine.keys(list(whose))); err != nil {
			return err
		}
	}
	return b.insert(ctx, r, "sessions", `ON CONFLICT `+b.engine.personKey()+` DO UPDATE SET started_at = excluded.started_at, ended_at = excluded.ended_at, channel_id = excluded.channel_id,
			interactions = excluded.interactions, views = excluded.views, conversions = excluded.conversions, campaign = excluded.campaign`)
}

// nearSessions finds, for each line, the sessions that its incoming runs may touch:
// those that start within reach of them, and the one before, which may last into
// them. Sessions of a line never overlap, so one is enough.
func (b *batch) nearSessions(ctx context.Context, timeouts map[uuid.UUID]time.Duration) (map[session.Line][]session.Run, error) {
	r := b.engine.rows()
	individual, source, stream := r.column("individual_id", "uuid"), r.column("source_id", "uuid"), r.column("stream", "uuid")
	from, to := r.column("reach_from", "timestamptz"), r.column("reach_to", "timestamptz")
	for line, runs := range b.runs {
		reach := span{runs[0].Start, runs[0].End}
		for _, run := range runs[1:] {
			reach.extend(span{run.Start, run.End})
		}
		individual.uuid(line.Individual)
		source.uuid(line.Source)
		stream.uuid(line.Stream)
		from.time(reach.first.Add(-timeouts[line.Source]))
		to.time(reach.last.Add(timeouts[line.Source]))
	}
	if b.engine.citus {
		// Citus has no LATERAL over rows that no table holds; the first condition names the nodes to ask.
		return b.scanNear(ctx, r, `SELECT r.individual_id, r.source_id, r.stream, `+runColumns+` FROM r JOIN sessions s
			ON s.individual_id = r.individual_id AND s.source_id = r.source_id AND s.stream = r.stream
			WHERE `+b.engine.anyOf("s.individual_id", 1)+` AND s.started_at <= r.reach_to AND s.ended_at >= r.reach_from`)
	}
	const ofLine = "individual_id = r.individual_id AND source_id = r.source_id AND stream = r.stream"
	text := `SELECT r.individual_id, r.source_id, r.stream, ` + runColumns + ` FROM r JOIN sessions s ON s.id IN (
			SELECT id FROM (SELECT id FROM sessions WHERE ` + ofLine + ` AND started_at < r.reach_from ORDER BY started_at DESC LIMIT 1) AS prior
			UNION ALL SELECT id FROM sessions WHERE ` + ofLine + ` AND started_at >= r.reach_from AND started_at <= r.reach_to)`
	if b.engine.postgres() {
		text = `SELECT r.individual_id, r.source_id, r.stream, ` + runColumns + ` FROM r CROSS JOIN LATERAL (
			(SELECT * FROM sessions WHERE sessions.` + ofLine + ` AND started_at < r.reach_from ORDER BY started_at DESC LIMIT 1)
			UNION ALL
			(SELECT * FROM sessions WHERE sessions.` + ofLine + ` AND started_at >= r.reach_from AND started_at <= r.reach_to)) s`
	}
	return b.scanNear(ctx, r, text)
}

func (b *batch) scanNear(ctx context.Context, r *rows, text string) (map[session.Line][]session.Run, error) {
	near := make(map[session.Line][]session.Run, len(b.runs))
	if r.len() == 0 {
		return near, nil
	}
	if err := b.flush(ctx); err != nil {
		return nil, err
	}
	err := r.query(ctx, b.tx, text, func(answer *sql.Rows) error {
		var line session.Line
		run, err := scanRun(answer, &line.Individual, &line.Source, &line.Stream)
		near[line] = append(near[line], run)
		return err
	})
	return near, err
}

// loadRebuilt makes anew, from their interactions, the runs of individuals that
// were taken apart.
func (b *batch) loadRebuilt(ctx context.Context) error {
	if len(b.rebuild) == 0 {
		return nil
	}
	for line := range b.runs {
		if b.rebuild[line.Individual] {
			delete(b.runs, line)
		}
	}
	ids := b.engine.keys(list(b.rebuild))
	if err := b.exec(ctx, "DELETE FROM sessions WHERE "+b.engine.anyOf("individual_id", 1), ids); err != nil {
		return err
	}
	return b.query(ctx, momentColumns+" FROM interactions WHERE direction = 1 AND "+b.engine.anyOf("individual_id", 1), []any{ids}, func(r *sql.Rows) error {
		line, m, err := scanMoment(r)
		if err != nil {
			return err
		}
		if run, ok := session.Of(m); ok {
			b.runs[line] = append(b.runs[line], run)
		}
		return nil
	})
}

// momentColumns are the columns of an interaction that scanMoment reads.
const momentColumns = "SELECT individual_id, source_id, stream, id, occurred_at, channel_id, campaign, type, value"

func scanMoment(r *sql.Rows, after ...any) (session.Line, session.Moment, error) {
	var line session.Line
	m := session.Moment{Direction: insight.Inbound}
	var occurred moment
	var campaign []byte
	err := r.Scan(append([]any{&line.Individual, &line.Source, &line.Stream, &m.ID, &occurred, &m.Channel, &campaign, &m.Type, &m.Value}, after...)...)
	m.OccurredAt = occurred.Time
	if err == nil && campaign != nil {
		err = json.Unmarshal(campaign, &m.Campaign)
	}
	return line, m, err
}
