package store

import (
	"context"
	"database/sql"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
)

const requestColumns = "SELECT q.id, q.individual_id, q.kind, q.requested_by, q.requested_at, q.completed_at, q.digest FROM requests q"

func scanRequest(r *sql.Rows) (*insight.Request, error) {
	var q insight.Request
	var individual uuid.NullUUID
	var kind string
	var requested, completed moment
	err := r.Scan(&q.ID, &individual, &kind, &q.RequestedBy, &requested, &completed, &q.Digest)
	q.IndividualID, q.Kind, q.RequestedAt, q.CompletedAt = individual.UUID, insight.RequestKind(kind), requested.Time, completed.Time
	return &q, err
}

// mostRequests is how many of an individual's requests are listed.
const mostRequests = 100

// Requests lists, for each of some individuals, what was asked for concerning their
// data, newest first, under every id that has become theirs.
func (r *Reader) Requests(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID][]*insight.Request, error) {
	origins, err := r.origins(ctx, ids)
	if err != nil {
		return nil, err
	}
	keys := make([]uuid.UUID, 0, len(origins))
	for origin := range origins {
		keys = append(keys, origin)
	}
	found := make(map[uuid.UUID][]*insight.Request, len(ids))
	err = r.query(ctx, "store.Requests", requestColumns+" WHERE "+r.engine.anyOf("q.individual_id", 1)+" ORDER BY q.requested_at DESC, q.id DESC", []any{r.engine.keys(keys)}, func(rows *sql.Rows) error {
		q, err := scanRequest(rows)
		if id := origins[q.IndividualID]; len(found[id]) < mostRequests {
			found[id] = append(found[id], q)
		}
		return err
	})
	return found, err
}

// Request finds a request by id. Whoever may read the individual that it concerns may
// read it; one whose individual was erased tells nothing of anybody.
func (r *Reader) Request(ctx context.Context, id uuid.UUID) (*insight.Request, error) {
	var found *insight.Request
	err := r.query(ctx, "store.Request", requestColumns+" WHERE q.id = $1", []any{id.String()}, func(rows *sql.Rows) error {
		var err error
		found, err = scanRequest(rows)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case found == nil:
		return nil, insight.NewError(insight.NotFound, "request", "there is no such request")
	case found.IndividualID == uuid.Nil && r.self == uuid.Nil:
		return found, nil
	}
	if _, err := r.Find(ctx, Lookup{ID: found.IndividualID}); err != nil {
		return nil, insight.NewError(insight.KindOf(err), "request", "the individual that it concerns cannot be read")
	}
	return found, nil
}
