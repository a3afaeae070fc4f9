package store

import (
	"fmt"
	"slices"

	"github.com/acquaint/acquaint/insight"
)

// Page is which part of a list is asked for, Relay's way: the first Limit after a
// place, or, Backward, the last Limit before one.
type Page struct {
	Limit    int // 1 to 100
	Backward bool
	After    *insight.Cursor
	Before   *insight.Cursor
}

// Slice is the part of a list that was asked for, in the list's order.
type Slice[T any] struct {
	Items       []T
	HasNext     bool
	HasPrevious bool
}

// cut makes a slice of the rows that were found: one more than asked for decides
// whether there are others.
func cut[T any](p Page, found []T) Slice[T] {
	more := len(found) > p.Limit
	if more {
		found = found[:p.Limit]
	}
	s := Slice[T]{Items: found, HasNext: more, HasPrevious: p.After != nil}
	if p.Backward {
		slices.Reverse(s.Items)
		s.HasNext, s.HasPrevious = p.Before != nil, more
	}
	return s
}

// clause is a part of a statement with the parameters that it uses.
type clause struct {
	engine *engine
	text   string
	args   []any
}

func (c *clause) param(v any) string {
	c.args = append(c.args, v)
	return fmt.Sprintf("$%d", len(c.args))
}

func (c *clause) and(condition string) { c.text += " AND " + condition }

// moment writes a parameter for a time, with its type where the engine asks for it.
func (c *clause) moment(v any) string {
	p := c.param(v)
	if c.engine.postgres() {
		p += "::timestamptz"
	}
	return p
}

// within narrows to what lies between the page's cursors, for a list in the given
// direction of (at, id).
func (c *clause) within(p Page, at, id string, descending bool) {
	after, before := ">", "<"
	if descending {
		after, before = before, after
	}
	for _, end := range []struct {
		cursor *insight.Cursor
		op     string
	}{{p.After, after}, {p.Before, before}} {
		if end.cursor == nil {
			continue
		}
		key := c.param(end.cursor.ID.String())
		if c.engine.postgres() {
			key += "::uuid"
		}
		c.and(fmt.Sprintf("(%s, %s) %s (%s, %s)", at, id, end.op, c.moment(c.engine.time(end.cursor.At)), key))
	}
}

// order is the ORDER BY and LIMIT of a page: one row more than asked for.
func (p Page) order(at, id string, descending bool) string {
	direction := "ASC"
	if descending != p.Backward {
		direction = "DESC"
	}
	return fmt.Sprintf(" ORDER BY %s %s, %s %s LIMIT %d", at, direction, id, direction, p.Limit+1)
}
