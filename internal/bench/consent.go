package bench

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/engage/archive"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/identity"
	"github.com/acquaint/acquaint/internal/bulk"
	"github.com/acquaint/acquaint/store"
)

// What the wall is measured with: a purpose that covers everybody without being asked,
// and one that covers everybody because each of them has said yes.
const (
	unasked = "service"
	asked   = "bench"
)

// largest is how many interactions the person has who is erased.
const largest = 10_000

// consents measures what consent costs, on a database with the reads' population.
func (r *run) consents(ctx context.Context, served *installation, db *sql.DB, places []insight.Cursor) error {
	r.Told("consent: everybody says yes")
	took, granted, err := served.everybodyGrants(ctx, db)
	if err != nil {
		return err
	}
	r.report.row("consent: decisions that came with events", "decisions/s", float64(granted)/took.Seconds())
	if _, err := db.ExecContext(ctx, "VACUUM (ANALYZE)"); err != nil {
		return wrap(err)
	}
	if err := r.wall(ctx, served, places); err != nil {
		return err
	}
	if err := r.deciding(ctx, served, places); err != nil {
		return err
	}
	return r.rights(ctx, served, db)
}

// everybodyGrants makes a purpose that asks, and has everybody say yes to it. What
// happened before was permitted then, on another basis.
func (i *installation) everybodyGrants(ctx context.Context, db *sql.DB) (time.Duration, int, error) {
	for _, basis := range []insight.LegalBasis{insight.BasisLegitimateInterest, insight.BasisConsent} {
		_, err := i.store.DefinePurpose(ctx, insight.Purpose{Key: asked, Name: "Bench", LegalBasis: basis, Floor: 10, Categories: []string{"Bench"}})
		if err != nil {
			return 0, 0, err
		}
	}
	rows, err := db.QueryContext(ctx, "SELECT DISTINCT ON (individual_id) kind, value FROM identifiers ORDER BY individual_id, kind, value")
	if err != nil {
		return 0, 0, wrap(err)
	}
	var people []insight.Identity
	for rows.Next() {
		var who insight.Identity
		if err := rows.Scan(&who.Kind, &who.Value); err != nil {
			return 0, 0, errors.Join(wrap(err), rows.Close())
		}
		people = append(people, who)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return 0, 0, wrap(err)
	}
	now := insight.Moment(time.Now())
	began := time.Now()
	_, err = bulk.Keep(ctx, i.store, bulk.BatchSize, func(_ context.Context, yield func(*insight.Event) error) error {
		for n, who := range people {
			err := yield(&insight.Event{
				MessageID: fmt.Sprintf("grant-%d", n), Timestamp: now, OccurredAt: now, ReceivedAt: now, Source: i.source, Channel: i.source.DefaultChannel,
				Type: "consent", Direction: insight.Inbound, Identities: []insight.Identity{who}, Stream: who, Statement: true,
				Signals: &insight.Signals{Categories: map[string]bool{"Bench": true}},
			})
			if err != nil {
				return err
			}
		}
		return nil
	}, nil)
	return time.Since(began), len(people), err
}

// wall measures the nested read for a purpose that asked everybody beside one that
// asks nobody.
func (r *run) wall(ctx context.Context, served *installation, places []insight.Cursor) error {
	clients := r.Readers[0]
	questions := map[string][][]byte{}
	rates := map[string][]float64{}
	for _, purpose := range []string{unasked, asked} {
		var err error
		if questions[purpose], err = served.questionsFor(purpose, nestedQuery, "after", places, insight.Cursor.String); err != nil {
			return err
		}
		if _, err := served.askFor(ctx, clients, r.Round, questions[purpose]); err != nil {
			return err
		}
	}
	r.Told("consent: the wall")
	for range r.Rounds {
		for _, purpose := range []string{unasked, asked} {
			t, err := served.askFor(ctx, clients, r.Round, questions[purpose])
			if err != nil {
				return err
			}
			rates[purpose] = append(rates[purpose], float64(len(t.times))/t.took.Seconds())
		}
	}
	r.report.compared("nested read for a purpose that everybody granted", "reads/s", rates[asked], "the same for a purpose that asks nobody", rates[unasked], 0.9)
	r.report.row("the same for a purpose that asks nobody", "reads/s", rates[unasked]...)
	return nil
}

// deciding measures the mutation that records a decision.
func (r *run) deciding(ctx context.Context, served *installation, places []insight.Cursor) error {
	const mutation = `mutation($who: ID!) { recordConsents(input: {individual: {id: $who}, consents: [{purpose: "marketing", decision: GRANTED}]}) { states { permitted } } }`
	questions, err := served.questionsFor(unasked, mutation, "who", places, func(c insight.Cursor) string { return insight.FormatID(insight.IndividualPrefix, c.ID) })
	if err != nil {
		return err
	}
	r.Told("consent: decisions one by one")
	t, err := served.askFor(ctx, 1, r.Round, questions)
	if err != nil {
		return err
	}
	row := r.report.row("a decision is recorded, 1 at once", "decisions/s", float64(len(t.times))/t.took.Seconds())
	row.P50, row.P99 = latency(t.times, 0.5), latency(t.times, 0.99)
	return nil
}

// rights measures the archive and the erasure of people with many interactions.
func (r *run) rights(ctx context.Context, served *installation, db *sql.DB) error {
	var stored int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM interactions").Scan(&stored); err != nil {
		return wrap(err)
	}
	var exporting, erasing []float64
	for n := range r.Rounds {
		r.Told(fmt.Sprintf("consent: somebody with %d interactions is exported and erased", largest))
		who, err := identity.NewIdentity(insight.UserID, fmt.Sprintf("bench-largest-%d", n), "")
		if err != nil {
			return err
		}
		if err := served.live(ctx, who, largest); err != nil {
			return err
		}
		id, err := served.store.Find(ctx, store.Lookup{Identity: who})
		if err != nil {
			return err
		}
		began := time.Now()
		if err := served.archive(ctx, id); err != nil {
			return err
		}
		exporting = append(exporting, float64(time.Since(began))/float64(time.Millisecond))
		began = time.Now()
		if _, _, err := served.store.Erase(ctx, store.Lookup{ID: id}, store.ErasureTerms{Asked: store.Asked{By: "bench", Reason: "measured"}}); err != nil {
			return err
		}
		erasing = append(erasing, float64(time.Since(began))/float64(time.Millisecond))
	}
	r.report.row(fmt.Sprintf("archive of %d interactions", largest), "ms", exporting...)
	r.report.row(fmt.Sprintf("erasure of %d interactions, of %d", largest, stored+largest), "ms", erasing...)
	return nil
}

// live has a person do many things.
func (i *installation) live(ctx context.Context, who insight.Identity, interactions int) error {
	began := end.AddDate(-1, 0, 0)
	_, err := bulk.Keep(ctx, i.store, bulk.BatchSize, func(_ context.Context, yield func(*insight.Event) error) error {
		for n := range interactions {
			at := began.Add(time.Duration(n) * 13 * time.Minute)
			err := yield(&insight.Event{
				MessageID: fmt.Sprintf("%s-%d", who.Value, n), Timestamp: at, OccurredAt: at, ReceivedAt: at, Source: i.source, Channel: i.source.DefaultChannel,
				Type: "page", Direction: insight.Inbound, Identities: []insight.Identity{who}, Stream: who,
				Properties: json.RawMessage(`{"path":"/` + strings.Repeat("a", n%50) + `"}`),
			})
			if err != nil {
				return err
			}
		}
		return nil
	}, nil)
	return err
}

// archive writes an individual's archive to nowhere.
func (i *installation) archive(ctx context.Context, id uuid.UUID) error {
	request, _, err := i.store.RequestExport(ctx, id, insight.RequestAccess, store.Asked{By: "bench"})
	if err != nil {
		return err
	}
	return i.store.Dossier(ctx, id, func(d *store.Dossier) error {
		_, err := archive.Write(ctx, io.Discard, d, archive.Options{
			Now: insight.Moment(time.Now()), Request: request.ID, Kind: request.Kind, RequestedBy: request.RequestedBy, Sign: i.store.ReceiptKey().Sign,
		})
		return err
	})
}
