package ingest

import (
	"context"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/commit"
)

// Keeper keeps events in one transaction: see store.Store.Append.
type Keeper interface {
	Append(ctx context.Context, events []*insight.Event) ([]insight.Outcome, error)
}

// The limits of a pipeline.
const (
	// most is how many events share a transaction.
	most = 4_000
	// queue is how many events may wait before Submit turns them away.
	queue = 50_000
)

// Pipeline hands events to a [Keeper], those of concurrent requests together. What was
// submitted and may not have been kept is sent again: what was kept is a duplicate then.
type Pipeline = commit.Group[*insight.Event, insight.Outcome]

// New starts a pipeline. Close stops it.
func New(k Keeper) *Pipeline {
	return commit.New(commit.Options[*insight.Event, insight.Outcome]{Do: k.Append, Most: most, Queue: queue})
}
