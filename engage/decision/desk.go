package decision

import (
	"context"

	"github.com/acquaint/acquaint/internal/commit"
)

// The limits of a desk.
const (
	// most is how many decisions share a transaction.
	most = 250
	// queue is how many may wait before others are turned away.
	queue = 5_000
)

// Desk answers questions, those of concurrent requests together.
type Desk[Question, Answer any] = commit.Group[Question, Answer]

// New opens a desk, whose questions are answered by decide: all of them or none, in
// their order. What may not be told any more when that is durable, withhold takes back.
// Close closes the desk.
func New[Question, Answer any](decide func(context.Context, []Question) ([]Answer, error), withhold func(context.Context, []Answer) error) *Desk[Question, Answer] {
	return commit.New(commit.Options[Question, Answer]{Do: decide, Check: withhold, Most: most, Queue: queue, Abandon: true})
}
