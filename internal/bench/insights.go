package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/store"
)

// reports are the questions about everyone, as a client asks them.
var reports = []struct{ name, query string }{
	{"recency", `recency { population bands { individuals respondedNext value } }`},
	{"latency", `latency { steps { individuals mean median overdue } }`},
	{"lifecycleGrid", `lifecycleGrid { cells { individuals value change } }`},
	{"rfm", `rfm { recencyCuts segments { name individuals value } }`},
	{"relationships", `relationships { counts { status individuals } }`},
	{"transitions", `transitions { transitions { from { key } to { key } count probability lift medianTime } }`},
	{"paths", `paths(conversion: {types: ["Order Completed"]}) { paths { channels { key } journeys conversions value } }`},
	{"attribution LINEAR", `attribution(conversion: {types: ["Order Completed"]}, model: LINEAR) { conversions channels { channel { key } conversions value } }`},
	{"attribution MARKOV, order 3", `attribution(conversion: {types: ["Order Completed"]}, model: MARKOV, order: 3) { conversions channels { channel { key } conversions value } }`},
	{"attribution SHAPLEY", `attribution(conversion: {types: ["Order Completed"]}, model: SHAPLEY) { conversions channels { channel { key } conversions value } }`},
	{"lifecycle by week", `lifecycle(interval: WEEK, from: "2025-07-01T00:00:00Z", to: "2026-06-29T00:00:00Z", timeZone: "Europe/Zurich") { buckets { from new returning resurrecting dormant } }`},
	{"retention by week", `retention(interval: WEEK, from: "2026-01-01T00:00:00Z", buckets: 12) { cohorts { from size counts } }`},
	{"stickiness by day", `stickiness(interval: DAY, from: "2026-06-01T00:00:00Z", to: "2026-06-29T00:00:00Z") { counts { activeBuckets individuals } }`},
	{"funnel of 3", `funnel(steps: [{types: ["Product Viewed"]}, {types: ["Product Added"]}, {types: ["Order Completed"]}], window: P7D) { steps { individuals conversion medianFromPrevious } }`},
	{"lifetime BG_NBD", `lifetime(event: {types: ["Order Completed"]}) { parameters { name value } expectedCount expectedValue }`},
}

// nothing is a tally that adds nothing up: what remains is what it costs to read
// everyone.
type nothing struct{ interactions int }

func (n *nothing) Add(h *insight.History) { n.interactions += len(h.Timeline) }
func (n *nothing) Merge(o *nothing)       { n.interactions += o.interactions }

// digest writes the digests that are missing, as acquaint serve does when nobody else
// writes.
func (r *run) digest(ctx context.Context, served *installation) error {
	r.Told("reads: writing digests")
	began, written := time.Now(), 0
	for {
		n, err := served.store.Digest(ctx)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		written += n
	}
	if written > 0 {
		r.report.row("reads: digests that were written", "individuals/s", float64(written)/time.Since(began).Seconds())
	}
	return nil
}

// insights measures the questions about everyone, on a database with the reads'
// population.
func (r *run) insights(ctx context.Context, served *installation, db *sql.DB) error {
	if _, err := db.ExecContext(ctx, "VACUUM (ANALYZE) individuals"); err != nil {
		return wrap(err)
	}
	survey, err := served.store.Survey(ctx, &insight.Viewer{Subject: "bench", Scopes: []insight.Scope{insight.ScopeInsightsRead}, Purposes: []string{purpose}})
	if err != nil {
		return err
	}
	r.Told("insight: everyone from the interactions")
	scan, err := everyone(ctx, survey, true)
	if err != nil {
		return err
	}
	r.report.row("insight: everyone is read from the interactions", "ms", scan)
	for _, report := range reports {
		r.Told("insight: " + report.name)
		question, err := served.question(purpose, "{ insights { "+report.query+" } }", nil)
		if err != nil {
			return err
		}
		var took, scans []float64
		for range r.Rounds {
			ms, err := served.once(ctx, question)
			if err != nil {
				return fmt.Errorf("%s: %w", report.name, err)
			}
			// Of rates the greater is the better, and of the ratios.
			took, scans = append(took, 1000/ms), append(scans, 1000/scan)
		}
		row := r.report.compared("insight: "+report.name, "answers/s", took, "everyone is read from the interactions", scans, 20)
		row.P50 = time.Duration(float64(time.Second) / row.Value)
	}
	return nil
}

// everyone reads everyone, and tells how many milliseconds it took.
func everyone(ctx context.Context, survey *store.Survey, facts bool) (float64, error) {
	began := time.Now()
	all, _, err := store.Take(ctx, survey, facts, func() *nothing { return &nothing{} })
	if err == nil && all.interactions == 0 {
		err = errors.New("nobody was read")
	}
	return float64(time.Since(began).Microseconds()) / 1000, wrap(err)
}

// once asks one question over a connection of its own, and tells how many milliseconds
// the answer took.
func (i *installation) once(ctx context.Context, question []byte) (float64, error) {
	c, err := dial(ctx, i.address)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	answer, err := c.ask(question)
	took := time.Since(began)
	if err == nil && failed(answer) {
		err = fmt.Errorf("the answer holds errors: %.300s", answer)
	}
	return float64(took.Microseconds()) / 1000, wrap(errors.Join(err, c.close()))
}
