package store

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"slices"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/session"
)

const sessionColumns = "s.individual_id, s.source_id, s.stream, " + runColumns

func (r *Reader) scanSession(ctx context.Context, rows *sql.Rows, before ...any) (*insight.Session, error) {
	var line session.Line
	run, err := scanRun(rows, append(before, &line.Individual, &line.Source, &line.Stream)...)
	if err != nil {
		return nil, err
	}
	return r.session(ctx, line, run)
}

func (r *Reader) session(ctx context.Context, line session.Line, run session.Run) (*insight.Session, error) {
	s := &insight.Session{
		ID: run.First, IndividualID: line.Individual, Stream: line.Stream, StartedAt: run.Start, EndedAt: run.End,
		Campaign: run.Campaign, Interactions: run.Interactions, Engaged: run.Engaged(),
	}
	var err error
	if s.EntryChannel, err = r.store.directory.channelByID(ctx, run.Channel); err != nil {
		return nil, err
	}
	s.Source, err = r.store.directory.sourceByID(ctx, line.Source)
	return s, err
}

// keptSessions is the condition that the sessions that are kept of individual i are
// what this reader may see of them.
func (r *Reader) keptSessions() string {
	if w := r.wholly(); w != "" {
		return r.covered("i") + " AND " + w
	}
	return r.covered("i")
}

// partly finds those of some individuals of whom this reader may see some
// interactions and not others. Their sessions are made anew of those that it may.
func (r *Reader) partly(ctx context.Context, ids []uuid.UUID) ([]uuid.UUID, error) {
	w := r.wholly()
	if w == "" || len(ids) == 0 {
		return nil, nil
	}
	var some []uuid.UUID
	err := r.query(ctx, "store.partly", "SELECT i.id FROM individuals i WHERE "+r.covered("i")+" AND NOT ("+w+") AND "+r.engine.anyOf("i.id", 1), []any{r.engine.keys(ids)}, func(rows *sql.Rows) error {
		var id uuid.UUID
		err := rows.Scan(&id)
		some = append(some, id)
		return err
	})
	return some, err
}

// visits makes the sessions of some individuals of what this reader may see, newest
// first.
func (r *Reader) visits(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID][]*insight.Session, error) {
	if len(ids) == 0 {
		return nil, nil //nolint:nilnil // of nobody there is none
	}
	runs := map[session.Line][]session.Run{}
	err := r.query(ctx, "store.visits", "SELECT x.individual_id, x.source_id, x.stream, x.id, x.occurred_at, x.channel_id, x.campaign, x.type, x.value FROM individuals i JOIN interactions x ON x.individual_id = i.id WHERE "+
		r.covered("i")+" AND "+r.coveredThen("x")+" AND x.direction = 1 AND "+r.engine.anyOf("i.id", 1), []any{r.engine.keys(ids)}, func(rows *sql.Rows) error {
		line, m, err := scanMoment(rows)
		if run, ok := session.Of(m); ok && err == nil {
			runs[line] = append(runs[line], run)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	found := map[uuid.UUID][]*insight.Session{}
	for line, some := range runs {
		source, err := r.store.directory.sourceByID(ctx, line.Source)
		if err != nil {
			return nil, err
		}
		for _, run := range session.Merge(source.SessionTimeout, some) {
			s, err := r.session(ctx, line, run)
			if err != nil {
				return nil, err
			}
			s.Partial = true
			found[line.Individual] = append(found[line.Individual], s)
		}
	}
	for _, some := range found {
		slices.SortFunc(some, func(a, b *insight.Session) int {
			return cmp.Or(b.StartedAt.Compare(a.StartedAt), bytes.Compare(b.ID[:], a.ID[:]))
		})
	}
	return found, nil
}

// Sessions lists, for each of some individuals, their sessions, newest first.
func (r *Reader) Sessions(ctx context.Context, ids []uuid.UUID, p Page) (map[uuid.UUID]Slice[*insight.Session], error) {
	c := &clause{engine: r.engine, args: []any{r.engine.keys(ids)}, text: "s.individual_id = i.id" + r.engine.onNodesOf("s.individual_id", 1)}
	c.within(p, "s.started_at", "s.id", true)
	text := r.children(sessionColumns, "individuals i", r.keptSessions()+" AND "+r.engine.anyOf("i.id", 1), "sessions", "s", c.text, p.order("s.started_at", "s.id", true))
	if !r.engine.postgres() {
		text += sqliteOrder(p, "s.started_at", "s.id")
	}
	found := make(map[uuid.UUID][]*insight.Session, len(ids))
	err := r.query(ctx, "store.Sessions", text, c.args, func(rows *sql.Rows) error {
		s, err := r.scanSession(ctx, rows)
		if err == nil {
			found[s.IndividualID] = append(found[s.IndividualID], s)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	some, err := r.partly(ctx, ids)
	if err != nil {
		return nil, err
	}
	visits, err := r.visits(ctx, some)
	for id, all := range visits {
		found[id] = pageOf(p, all, func(s *insight.Session) insight.Cursor { return insight.Cursor{At: s.StartedAt, ID: s.ID} })
	}
	return slicesOf(ids, p, found), err
}

// pageOf takes from a whole list, newest first, what a query for the page would have
// found: one more than asked for, from the end that is asked for.
func pageOf[T any](p Page, all []T, place func(T) insight.Cursor) []T {
	newer := func(a, b insight.Cursor) bool {
		return cmp.Or(a.At.Compare(b.At), bytes.Compare(a.ID[:], b.ID[:])) > 0
	}
	var found []T
	for _, item := range all {
		at := place(item)
		if (p.After == nil || newer(*p.After, at)) && (p.Before == nil || newer(at, *p.Before)) {
			found = append(found, item)
		}
	}
	if p.Backward {
		slices.Reverse(found)
	}
	return found[:min(len(found), p.Limit+1)]
}

// CountSessions counts the sessions of each of some individuals.
func (r *Reader) CountSessions(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]int, error) {
	counts, err := r.counts(ctx, "SELECT i.id, count(*) FROM individuals i JOIN sessions s ON s.individual_id = i.id WHERE "+
		r.keptSessions()+" AND "+r.engine.anyOf("i.id", 1)+" GROUP BY i.id", []any{r.engine.keys(ids)})
	if err != nil {
		return nil, err
	}
	some, err := r.partly(ctx, ids)
	if err != nil {
		return nil, err
	}
	visits, err := r.visits(ctx, some)
	for id, all := range visits {
		counts[id] = len(all)
	}
	return counts, err
}

// Session finds a session by id. The id of an interaction that a session once
// started with finds the session that it is part of now.
func (r *Reader) Session(ctx context.Context, id uuid.UUID) (*insight.Session, error) {
	var found *insight.Session
	err := r.query(ctx, "store.Session", "SELECT "+sessionColumns+" FROM sessions s JOIN individuals i ON i.id = s.individual_id WHERE "+r.keptSessions()+" AND s.id = $1",
		[]any{id.String()}, func(rows *sql.Rows) error {
			var err error
			found, err = r.scanSession(ctx, rows)
			return err
		})
	if err != nil {
		return nil, err
	}
	if found == nil {
		of, err := r.SessionsOf(ctx, []uuid.UUID{id})
		if err != nil {
			return nil, err
		}
		if found = of[id]; found == nil {
			return nil, r.absent(ctx, "session", id, "sessions", "(SELECT id FROM interactions WHERE direction = 1) AS x")
		}
	}
	r.Show(found.IndividualID)
	return found, nil
}

// inSession is the condition that interaction x is one of session s.
const inSession = "x.individual_id = s.individual_id AND x.source_id = s.source_id AND x.stream = s.stream AND x.direction = 1"

// SessionsOf finds the session of each of some interactions; an outbound one has
// none.
func (r *Reader) SessionsOf(ctx context.Context, interactions []uuid.UUID) (map[uuid.UUID]*insight.Session, error) {
	text := r.children("x.id, "+sessionColumns, "interactions x JOIN individuals i ON i.id = x.individual_id",
		r.keptSessions()+" AND "+r.coveredThen("x")+" AND "+r.engine.anyOf("x.id", 1),
		"sessions", "s", inSession+" AND s.started_at <= x.occurred_at", " ORDER BY s.started_at DESC LIMIT 1")
	sessions := make(map[uuid.UUID]*insight.Session, len(interactions))
	err := r.query(ctx, "store.SessionsOf", text, []any{r.engine.keys(interactions)}, func(rows *sql.Rows) error {
		var id uuid.UUID
		s, err := r.scanSession(ctx, rows, &id)
		sessions[id] = s
		return err
	})
	if err != nil || r.wholly() == "" {
		return sessions, err
	}
	return sessions, r.visitsOf(ctx, interactions, sessions)
}

// visitsOf adds the sessions of those of some interactions that are of individuals
// whom the reader sees in part.
func (r *Reader) visitsOf(ctx context.Context, interactions []uuid.UUID, sessions map[uuid.UUID]*insight.Session) error {
	of := map[uuid.UUID][]*insight.Interaction{}
	scan := r.interactions(WithOrigin)
	err := r.query(ctx, "store.SessionsOf", "SELECT "+scan.columns()+" FROM interactions x JOIN individuals i ON i.id = x.individual_id WHERE "+r.covered("i")+" AND NOT ("+r.wholly()+") AND "+
		r.coveredThen("x")+" AND x.direction = 1 AND "+r.engine.anyOf("x.id", 1), []any{r.engine.keys(interactions)}, func(rows *sql.Rows) error {
		x, err := scan.row(ctx, rows)
		if err == nil {
			of[x.IndividualID] = append(of[x.IndividualID], x)
		}
		return err
	})
	if err != nil {
		return err
	}
	ids := make([]uuid.UUID, 0, len(of))
	for id := range of {
		ids = append(ids, id)
	}
	visits, err := r.visits(ctx, ids)
	for id, some := range of {
		for _, x := range some {
			for _, s := range visits[id] {
				if holdsInteraction(s, x) {
					sessions[x.ID] = s
				}
			}
		}
	}
	return err
}

func holdsInteraction(s *insight.Session, x *insight.Interaction) bool {
	return s.IndividualID == x.IndividualID && s.Source.ID == x.Source.ID && s.Stream == x.Stream && x.Direction == insight.Inbound &&
		!x.OccurredAt.Before(s.StartedAt) && !x.OccurredAt.After(s.EndedAt)
}

// parted parts sessions into the keys of those that are kept, and those that were
// made for this reader, with whose they are.
func parted(sessions []*insight.Session) (kept []uuid.UUID, made []*insight.Session, whose []uuid.UUID) {
	for _, s := range sessions {
		if !s.Partial {
			kept = append(kept, s.ID)
			continue
		}
		made = append(made, s)
		if !slices.Contains(whose, s.IndividualID) {
			whose = append(whose, s.IndividualID)
		}
	}
	return kept, made, whose
}

// SessionInteractions lists, for each of some sessions, its interactions, newest
// first.
func (r *Reader) SessionInteractions(ctx context.Context, sessions []*insight.Session, p Page, d Detail) (map[uuid.UUID]Slice[*insight.Interaction], error) {
	kept, made, whose := parted(sessions)
	found := make(map[uuid.UUID][]*insight.Interaction, len(sessions))
	if len(kept) > 0 {
		if err := r.keptSessionInteractions(ctx, kept, p, d, found); err != nil {
			return nil, err
		}
	}
	if len(made) > 0 {
		inbound := insight.AnyInbound()
		all, err := r.Timelines(ctx, whose, inbound, farthest)
		if err != nil {
			return nil, err
		}
		for _, s := range made {
			var of []*insight.Interaction
			for _, x := range all[s.IndividualID] {
				if holdsInteraction(s, x) {
					of = append(of, x)
				}
			}
			slices.Reverse(of)
			found[s.ID] = pageOf(p, of, func(x *insight.Interaction) insight.Cursor { return insight.Cursor{At: x.OccurredAt, ID: x.ID} })
		}
	}
	ids := make([]uuid.UUID, len(sessions))
	for n, s := range sessions {
		ids[n] = s.ID
	}
	return slicesOf(ids, p, found), nil
}

func (r *Reader) keptSessionInteractions(ctx context.Context, sessions []uuid.UUID, p Page, d Detail, found map[uuid.UUID][]*insight.Interaction) error {
	c := &clause{engine: r.engine, args: []any{r.engine.keys(sessions)}, text: inSession + " AND x.occurred_at >= s.started_at AND x.occurred_at <= s.ended_at AND " + r.coveredThen("x")}
	c.within(p, "x.occurred_at", "x.id", true)
	var of uuid.UUID
	scan := r.interactions(d, &of)
	text := r.children(r.engine.id("s.id")+", "+scan.columns(), "sessions s JOIN individuals i ON i.id = s.individual_id",
		r.covered("i")+" AND "+r.engine.anyOf("s.id", 1), "interactions", "x", c.text, p.order("x.occurred_at", "x.id", true))
	if !r.engine.postgres() {
		text += sqliteOrder(p, "x.occurred_at", "x.id")
	}
	return r.query(ctx, "store.SessionInteractions", text, c.args, func(rows *sql.Rows) error {
		x, err := scan.row(ctx, rows)
		found[of] = append(found[of], x)
		return err
	})
}

// CountSessionInteractions counts the interactions of each of some sessions that
// the reader sees.
func (r *Reader) CountSessionInteractions(ctx context.Context, sessions []*insight.Session) (map[uuid.UUID]int, error) {
	kept, made, _ := parted(sessions)
	counts := map[uuid.UUID]int{}
	if len(kept) > 0 {
		var err error
		counts, err = r.counts(ctx, "SELECT s.id, count(*) FROM sessions s JOIN individuals i ON i.id = s.individual_id JOIN interactions x ON "+inSession+
			" AND x.occurred_at >= s.started_at AND x.occurred_at <= s.ended_at WHERE "+r.covered("i")+" AND "+r.coveredThen("x")+" AND "+r.engine.anyOf("s.id", 1)+" GROUP BY s.id",
			[]any{r.engine.keys(kept)})
		if err != nil {
			return nil, err
		}
	}
	for _, s := range made {
		counts[s.ID] = s.Interactions // they are counted from what the reader sees
	}
	return counts, nil
}
