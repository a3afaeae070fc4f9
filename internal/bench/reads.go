package bench

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/bulk"
	"github.com/acquaint/acquaint/internal/simulate"
)

// nestedQuery is the nested read as a client asks it.
const nestedQuery = `query Nested($after: Cursor) {
  individuals(first: 20, after: $after, orderBy: {field: LAST_SEEN_AT, direction: DESC}) {
    nodes {
      id firstSeenAt lastSeenAt
      interactions(first: 20) { nodes { id type direction occurredAt value currency channel { key name kind } } }
    }
  }
}`

// nestedStatement is the nested read as one would write it by hand: the same lists
// in the same order, the same fields, the same wall (bit %[1]d), one JSON text.
const nestedStatement = `SELECT json_build_object('data', json_build_object('individuals', json_build_object('nodes', coalesce(json_agg(
	json_build_object('id', i.id, 'firstSeenAt', i.first_seen_at, 'lastSeenAt', i.last_seen_at, 'interactions', json_build_object('nodes', x.nodes))), '[]'))))::text
FROM (
	SELECT id, first_seen_at, last_seen_at FROM individuals
	WHERE permitted & %[1]d <> 0 AND (last_seen_at, id) < ($1::timestamptz, $2::uuid)
	ORDER BY last_seen_at DESC, id DESC LIMIT 20
) i CROSS JOIN LATERAL (
	SELECT coalesce(json_agg(json_build_object('id', x.id, 'type', x.type, 'direction', CASE x.direction WHEN 1 THEN 'INBOUND' ELSE 'OUTBOUND' END,
		'occurredAt', x.occurred_at, 'value', x.value, 'currency', nullif(x.currency, ''),
		'channel', json_build_object('key', x.key, 'name', x.name, 'kind', x.kind))), '[]') AS nodes
	FROM (
		SELECT x.id, x.type, x.direction, x.occurred_at, x.value, x.currency, c.key, c.name, c.kind
		FROM interactions x JOIN channels c ON c.id = x.channel_id
		WHERE x.individual_id = i.id AND x.permitted & %[1]d <> 0
		ORDER BY x.occurred_at DESC, x.id DESC LIMIT 20
	) x
) x`

// individualQuery is everything about one individual.
const individualQuery = `query Everything($id: ID!) {
  individual(by: {id: $id}) {
    id firstSeenAt lastSeenAt
    identifiers { kind value firstSeenAt lastSeenAt shared }
    traits { key value provenance confidence source observedAt }
    sessions(first: 20) { totalCount nodes { id startedAt endedAt engaged interactionCount entryChannel { key } } }
    interactions(first: 20) { totalCount nodes { id type direction occurredAt value currency channel { key name kind } properties } }
    recency { lastAt elapsed count medianGap tripWire overdue percentile }
    rfm { r f m score segment }
    lifetime(event: {types: ["Order Completed"]}) { probabilityAlive expectedCount expectedValue }
    relationship { status since evidence outreach { advised reason } }
    journey { converted startedAt endedAt touchpoints { channel { key } firstAt lastAt interactionCount types sincePrevious } nextChannels { channel { key } probability lift } }
    consentStates { purpose { key } permitted status }
  }
}`

// reads measures the reads on one database.
func (r *run) reads(ctx context.Context) (err error) {
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
	r.Told(fmt.Sprintf("reads: loading %d individuals", r.Individuals))
	kept, err := served.populate(ctx, r.Individuals)
	if err != nil {
		return err
	}
	r.report.row("reads: individuals and events in the database", "individuals", float64(r.Individuals))
	r.report.row("reads: events that were loaded", "events", float64(kept.Accepted))
	if err := r.digest(ctx, served); err != nil {
		return err
	}
	return within(address, slices.Max(r.Readers), func(db *sql.DB) error {
		if _, err := db.ExecContext(ctx, "VACUUM (ANALYZE)"); err != nil {
			return wrap(err)
		}
		places, err := places(ctx, db)
		if err != nil {
			return wrap(err)
		}
		if r.wanted(PartNested) {
			if err := r.nested(ctx, served, db, places); err != nil {
				return err
			}
		}
		if r.wanted(PartIndividual) {
			if err := r.individual(ctx, served, places); err != nil {
				return err
			}
		}
		if r.wanted(PartInsight) {
			if err := r.insights(ctx, served, db); err != nil {
				return err
			}
		}
		if r.wanted(PartConsent) {
			if err := r.consents(ctx, served, db, places); err != nil {
				return err
			}
		}
		if r.wanted(PartDecide) {
			return r.decide(ctx, served, db)
		}
		return nil
	})
}

// populate keeps a simulated year of some people, as acquaint simulate does.
func (i *installation) populate(ctx context.Context, people int) (bulk.Tally, error) {
	population, err := simulate.New(simulate.Options{Seed: 2, Individuals: people, To: end, Truth: willing()})
	if err != nil {
		return bulk.Tally{}, err
	}
	now := time.Now()
	return bulk.Keep(ctx, i.store, bulk.BatchSize, func(ctx context.Context, yield func(*insight.Event) error) error {
		for batch := range population.Batches(1000, people) {
			for k := range batch {
				body, err := json.Marshal(&batch[k])
				if err != nil {
					return err
				}
				event, err := i.decoder.Message(ctx, "", body, i.source, now, time.Time{}, "message")
				if err == nil {
					err = yield(event)
				}
				if err != nil {
					return err
				}
			}
		}
		return nil
	}, nil)
}

// places are individuals all over the list, in no order: where pages begin, and who
// is looked at.
func places(ctx context.Context, db *sql.DB) (places []insight.Cursor, err error) {
	// Twenty pages from the end, so that every page is full.
	rows, err := db.QueryContext(ctx, `SELECT last_seen_at, id FROM
		(SELECT last_seen_at, id FROM individuals ORDER BY last_seen_at DESC, id DESC LIMIT (SELECT greatest(count(*) - 400, 1) FROM individuals)) AS i
		ORDER BY md5(id::text) LIMIT 2000`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var c insight.Cursor
		if err := rows.Scan(&c.At, &c.ID); err != nil {
			return nil, err
		}
		places = append(places, c)
	}
	return places, rows.Err()
}

// question renders a GraphQL request.
func (i *installation) question(purpose, query string, variables map[string]any) ([]byte, error) {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return nil, err
	}
	return request("/graphql", "Bearer "+i.token, "application/json", "Accept: application/json\r\nAcquaint-Purpose: "+purpose+"\r\n", body), nil
}

// questions renders a request for each of some places.
func (i *installation) questions(query, variable string, places []insight.Cursor, value func(insight.Cursor) string) ([][]byte, error) {
	return i.questionsFor(purpose, query, variable, places, value)
}

// questionsFor is questions for another purpose.
func (i *installation) questionsFor(purpose, query, variable string, places []insight.Cursor, value func(insight.Cursor) string) ([][]byte, error) {
	all := make([][]byte, len(places))
	for n, place := range places {
		var err error
		if all[n], err = i.question(purpose, query, map[string]any{variable: value(place)}); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// askFor asks questions in turn, with some clients at once, for a while.
func (i *installation) askFor(ctx context.Context, clients int, d time.Duration, questions [][]byte) (tally, error) {
	return i.askAs(ctx, clients, until(time.Now().Add(d)), questions)
}

// askAs asks the questions that next numbers, in turn.
func (i *installation) askAs(ctx context.Context, clients int, next supply, questions [][]byte) (tally, error) {
	return load(ctx, clients, next, func(int) (func(int) error, func() error, error) {
		c, err := dial(ctx, i.address)
		if err != nil {
			return nil, nil, err
		}
		return func(n int) error {
			answer, err := c.ask(questions[n%len(questions)])
			if err == nil && failed(answer) {
				err = errors.New("the answer holds errors")
			}
			return err
		}, c.close, nil
	})
}

// failed reports whether an answer has errors, which come first in it.
func failed(answer []byte) bool { return len(answer) < 10 || string(answer[:9]) == `{"errors"` }

func (r *run) nested(ctx context.Context, served *installation, db *sql.DB, places []insight.Cursor) error {
	questions, err := served.questions(nestedQuery, "after", places, insight.Cursor.String)
	if err != nil {
		return err
	}
	p, err := served.store.Purpose(ctx, purpose)
	if err != nil {
		return err
	}
	statement, err := db.PrepareContext(ctx, fmt.Sprintf(nestedStatement, p.Set()))
	if err != nil {
		return wrap(err)
	}
	defer func() { _ = statement.Close() }()
	if err := agree(ctx, served, questions[0], statement, places[0]); err != nil {
		return err
	}
	byHand := func(clients int, d time.Duration) (tally, error) {
		return load(ctx, clients, until(time.Now().Add(d)), func(int) (func(int) error, func() error, error) {
			return func(n int) error {
				place := places[n%len(places)]
				var answer []byte
				return statement.QueryRowContext(ctx, place.At, place.ID.String()).Scan(&answer)
			}, func() error { return nil }, nil
		})
	}
	for k, clients := range r.Readers {
		r.Told(fmt.Sprintf("nested read: %d at once", clients))
		if _, err := served.askFor(ctx, clients, r.Round/3, questions); err != nil {
			return err
		}
		if _, err := byHand(clients, r.Round/3); err != nil {
			return err
		}
		var graphql, hand []float64
		var graphqlTimes, handTimes []time.Duration
		for n := range r.Rounds {
			ended := r.profile("nested", k == 0 && n == r.Rounds-1)
			t, err := served.askFor(ctx, clients, r.Round, questions)
			if err = errors.Join(err, ended()); err != nil {
				return err
			}
			graphql, graphqlTimes = append(graphql, float64(len(t.times))/t.took.Seconds()), append(graphqlTimes, t.times...)
			if t, err = byHand(clients, r.Round); err != nil {
				return err
			}
			hand, handTimes = append(hand, float64(len(t.times))/t.took.Seconds()), append(handTimes, t.times...)
		}
		name := fmt.Sprintf("one statement by hand, %d at once", clients)
		row := r.report.compared(fmt.Sprintf("nested read 20 x 20, %d at once", clients), "reads/s", graphql, name, hand, 0.5)
		row.P50, row.P99 = latency(graphqlTimes, 0.5), latency(graphqlTimes, 0.99)
		row = r.report.row(name, "reads/s", hand...)
		row.P50, row.P99 = latency(handTimes, 0.5), latency(handTimes, 0.99)
	}
	return nil
}

// page is what both ways to read answer, in what they write alike.
type page struct {
	Data struct {
		Individuals struct {
			Nodes []struct {
				ID           string
				LastSeenAt   time.Time
				Interactions struct {
					Nodes []struct {
						ID         string
						Type       string
						Direction  string
						OccurredAt time.Time
						Value      *float64
						Currency   *string
						Channel    struct{ Key, Name, Kind string }
					}
				}
			}
		}
	}
}

// plain writes an answer with ids as they are in the database, for comparison.
func plain(answer []byte) (text string, interactions int, err error) {
	var p page
	if err := json.Unmarshal(answer, &p); err != nil {
		return "", 0, err
	}
	id := func(text string) string {
		if _, id, err := insight.ParseID(text); err == nil {
			return id.String()
		}
		return text
	}
	nodes := p.Data.Individuals.Nodes
	for i := range nodes {
		nodes[i].ID, nodes[i].LastSeenAt = id(nodes[i].ID), nodes[i].LastSeenAt.UTC()
		all := nodes[i].Interactions.Nodes
		for k := range all {
			all[k].ID, all[k].OccurredAt = id(all[k].ID), all[k].OccurredAt.UTC()
		}
		interactions += len(all)
	}
	compared, err := json.Marshal(p)
	return string(compared), interactions, err
}

// agree makes sure that both ways to read answer the same, and something.
func agree(ctx context.Context, served *installation, question []byte, statement *sql.Stmt, place insight.Cursor) (err error) {
	c, err := dial(ctx, served.address)
	if err != nil {
		return wrap(err)
	}
	defer func() { err = errors.Join(err, c.close()) }()
	answer, err := c.ask(question)
	if err != nil {
		return wrap(err)
	}
	graphql, found, err := plain(answer)
	if err != nil {
		return wrap(err)
	}
	var text []byte
	if err := statement.QueryRowContext(ctx, place.At, place.ID.String()).Scan(&text); err != nil {
		return wrap(err)
	}
	hand, _, err := plain(text)
	if err != nil {
		return wrap(err)
	}
	if graphql != hand || found == 0 {
		return insight.NewError(insight.Internal, "bench", "the nested read and the statement by hand do not answer the same")
	}
	return nil
}

// individual measures everything about one, each asked about in turn.
func (r *run) individual(ctx context.Context, served *installation, places []insight.Cursor) error {
	questions, err := served.questions(individualQuery, "id", places, func(c insight.Cursor) string {
		return insight.FormatID(insight.IndividualPrefix, c.ID)
	})
	if err != nil {
		return err
	}
	for _, clients := range []int{1, slices.Max(r.Readers)} {
		r.Told(fmt.Sprintf("individual: %d at once", clients))
		if _, err := served.askFor(ctx, clients, r.Round/3, questions); err != nil {
			return err
		}
		var rates []float64
		var times []time.Duration
		for n := range r.Rounds {
			ended := r.profile("individual", clients > 1 && n == r.Rounds-1)
			t, err := served.askFor(ctx, clients, r.Round, questions)
			if err = errors.Join(err, ended()); err != nil {
				return err
			}
			rates, times = append(rates, float64(len(t.times))/t.took.Seconds()), append(times, t.times...)
		}
		row := r.report.row(fmt.Sprintf("everything about one individual, %d at once", clients), "reads/s", rates...)
		row.P50, row.P99 = latency(times, 0.5), latency(times, 0.99)
	}
	return nil
}
