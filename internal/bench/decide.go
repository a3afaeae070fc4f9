package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/experience"
	"github.com/acquaint/acquaint/store"
)

// decideMutation asks what one individual is offered, as a website does with each view.
const decideMutation = `mutation Decide($id: ID!) { decide(input: {experience: "bench", individual: {id: $id}, context: {place: "front page"}}) {
  variant { key payload } reason because traits { key value } interactionId
} }`

// asking is how decisions are asked for: by so many at once, as fast as they are answered,
// or so many a second, whether those before are answered or not, as long as not more than
// so many wait.
var asking = []struct {
	clients int
	rate    float64
}{{1, 0}, {16, 0}, {64, 1000}}

// decide measures decisions, each kept before it is told, about different individuals.
func (r *run) decide(ctx context.Context, served *installation, db *sql.DB) (err error) {
	keeping, end := context.WithCancel(ctx)
	kept := make(chan struct{})
	go func() { defer close(kept); served.keeper().Run(keeping) }()
	defer func() { end(); <-kept }()
	variants := []experience.Variant{{Key: "hello", Benefit: "a greeting", Payload: []byte(`{"title":"Hello"}`)}}
	for n, rule := range []string{
		`{"event":{"event":{"types":["Order Completed"]},"atLeast":2}}`, `{"event":{"event":{"types":["Product Viewed"]},"within":"P60D"}}`,
		`{"all":[{"event":{"event":{"types":["Product Added"]}}},{"not":{"event":{"event":{"types":["Order Completed"]}}}}]}`,
	} {
		key := fmt.Sprintf("decide-%d", n)
		if err := served.segment(ctx, key, rule); err != nil {
			return err
		}
		variants = append(variants, experience.Variant{Key: key, Benefit: "what they look for", Segment: key, Payload: []byte(`{"title":"For you"}`), Weight: 2})
	}
	if err := served.computed(ctx); err != nil {
		return err
	}
	if _, err := served.store.CreateExperience(ctx, store.NewExperience{
		Key: "bench", Name: "Bench", Purpose: purpose, Holdout: 0.1, Variants: variants, Cap: &experience.Cap{Count: 3, Per: insight.Week},
	}); err != nil {
		return err
	}
	// Everybody in turn, in no order, so that nobody is asked about so often that nothing
	// is offered any more.
	var questions [][]byte
	rows, err := db.QueryContext(ctx, "SELECT id FROM individuals ORDER BY md5(id::text)")
	if err != nil {
		return wrap(err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var id uuid.UUID
		if err := rows.Scan(&id); err != nil {
			return wrap(err)
		}
		question, err := served.question(purpose, decideMutation, map[string]any{"id": insight.FormatID(insight.IndividualPrefix, id)})
		if err != nil {
			return err
		}
		questions = append(questions, question)
	}
	if err := rows.Err(); err != nil {
		return wrap(err)
	}
	asked := 0
	ask := func(clients int, rate float64, d time.Duration) (tally, error) {
		from, next := asked%len(questions), until(time.Now().Add(d))
		if rate > 0 {
			next = paced(ctx, upTo(0, int(rate*d.Seconds())), rate)
		}
		t, err := served.askAs(ctx, clients, next, append(questions[from:len(questions):len(questions)], questions[:from]...))
		asked += len(t.times)
		return t, err
	}
	for _, how := range asking {
		what := fmt.Sprintf("decide, %d at once", how.clients)
		if how.rate > 0 {
			what = fmt.Sprintf("decide, %.0f a second", how.rate)
		}
		r.Told(what)
		r.server.settle(ctx)
		if _, err := ask(how.clients, how.rate, r.Round/3); err != nil {
			return err
		}
		var rates []float64
		var times []time.Duration
		for n := range r.Rounds {
			ended := r.profile("decide", how.rate > 0 && n == r.Rounds-1)
			t, err := ask(how.clients, how.rate, r.Round)
			if err = errors.Join(err, ended()); err != nil {
				return err
			}
			rates, times = append(rates, float64(len(t.times))/t.took.Seconds()), append(times, t.times...)
		}
		row := r.report.row(what, "decisions/s", rates...)
		row.P50, row.P99 = latency(times, 0.5), latency(times, 0.99)
		if how.rate > 0 {
			row.Within = 10 * time.Millisecond
		}
	}
	var offers, held int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FILTER (WHERE variant <> ''), count(*) FILTER (WHERE variant = '') FROM decisions").Scan(&offers, &held); err != nil {
		return wrap(err)
	}
	if offers == 0 || held == 0 {
		return insight.NewError(insight.Internal, "bench", "nothing was decided")
	}
	r.report.row("decide: offers of all that was asked", "%", 100*float64(offers)/float64(asked))
	return nil
}
