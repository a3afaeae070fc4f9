package node

import (
	"context"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/store"
)

// siblings are the ids of objects that came together, and what was loaded for them.
type siblings struct {
	Reader *store.Reader
	IDs    []uuid.UUID
	visits []*insight.Session // where the objects are sessions

	mu    sync.Mutex
	loads map[any]*load
}

type load struct {
	once  sync.Once
	value any
	err   error
}

// together loads something for all siblings once. The key says what: the same field
// of the same query has the same arguments for each of them.
func together[V any](s *siblings, key any, fetch func() (V, error)) (V, error) {
	s.mu.Lock()
	l := s.loads[key]
	if l == nil {
		if s.loads == nil {
			s.loads = map[any]*load{}
		}
		l = &load{}
		s.loads[key] = l
	}
	s.mu.Unlock()
	l.once.Do(func() { l.value, l.err = fetch() })
	if l.err != nil {
		var none V
		return none, l.err
	}
	return l.value.(V), nil //nolint:forcetypeassert // one key, one type
}

// field is the key of the field that is being resolved.
func field(ctx context.Context) any { return graphql.GetFieldContext(ctx).Field.Field }

// counted is the key of the count of the list that a field asks for. It is the
// list's own field and not totalCount's: two lists may share that in a fragment.
type counted struct{ list any }
