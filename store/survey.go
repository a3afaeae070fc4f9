package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/insight/smallgroup"
)

// Survey counts a population for one viewer and one purpose: those whom the purpose
// does not cover do not exist in its numbers. It shows nobody.
type Survey struct {
	reader *Reader
	viewer *insight.Viewer
}

// Survey binds counting to a viewer and the purpose that they declare. The error is
// of kind Denied when the viewer may not read insights or not for this purpose, and
// of kind Invalid when they declare none.
func (s *Store) Survey(ctx context.Context, v *insight.Viewer) (*Survey, error) {
	if err := v.Require(insight.ScopeInsightsRead); err != nil {
		return nil, err
	}
	reading := *v
	reading.Scopes = []insight.Scope{insight.ScopeIndividualsRead}
	r, err := s.Reader(ctx, &reading, nil)
	if err != nil {
		return nil, err
	}
	return &Survey{reader: r, viewer: v}, nil
}

// Survey counts the population for this reader, who may read individuals; nil for
// somebody who reads what is held of themselves, for whom nobody else exists.
func (r *Reader) Survey() *Survey {
	if r.self != uuid.Nil {
		return nil
	}
	return &Survey{reader: r, viewer: r.viewer}
}

// Floor says which numbers this viewer is told.
func (s *Survey) Floor() smallgroup.Floor { return smallgroup.For(s.viewer, s.reader.Purpose()) }

// ConsentCensus is how a population stands with every purpose.
type ConsentCensus struct {
	Population int
	Purposes   []*insight.Purpose
	Counts     []map[consent.Status]int // by purpose
}

// Consents counts how those whom the purpose covers stand with every purpose at a
// moment, by what is known now. It reads every decision of theirs, a thousand
// individuals at a time.
func (s *Survey) Consents(ctx context.Context, asOf time.Time) (*ConsentCensus, error) {
	r := s.reader
	census := &ConsentCensus{Purposes: r.store.policy().purposes}
	for range census.Purposes {
		census.Counts = append(census.Counts, map[consent.Status]int{})
	}
	err := r.query(ctx, "store.Consents", "SELECT count(*) FROM individuals i WHERE "+r.covered("i"), nil, func(rows *sql.Rows) error { return rows.Scan(&census.Population) })
	if err != nil {
		return nil, err
	}
	silent := census.Population
	for after := uuid.Nil; ; {
		var ids []uuid.UUID
		err := r.query(ctx, "store.Consents", "SELECT i.id FROM individuals i WHERE i.decided AND i.id > "+r.engine.key(1)+" AND "+r.covered("i")+fmt.Sprintf(" ORDER BY i.id LIMIT %d", chunk), []any{after.String()}, func(rows *sql.Rows) error {
			err := rows.Scan(&after)
			ids = append(ids, after)
			return err
		})
		if err != nil {
			return nil, err
		}
		if len(ids) == 0 {
			break
		}
		decisions, err := r.Decisions(ctx, ids)
		if err != nil {
			return nil, err
		}
		silent -= len(ids)
		for _, id := range ids {
			census.add(decisions[id], asOf, 1)
		}
	}
	census.add(nil, asOf, silent)
	return census, nil
}

func (c *ConsentCensus) add(decisions []*insight.Consent, asOf time.Time, n int) {
	for at, p := range c.Purposes {
		c.Counts[at][consent.InForce(p, decisions, asOf, farthest).Status] += n
	}
}
