package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
)

// Detail says what is read of interactions besides what every list needs: who, when,
// where, what, and what it was worth. What is not read is zero in the answer.
type Detail uint8

// The parts of an interaction that are read when they are asked for.
const (
	WithOrigin     Detail = 1 << iota // the source, the message id, when it was received, and the keys of owner and stream
	WithCampaign                      // the campaign
	WithProperties                    // the properties

	WithAll = WithOrigin | WithCampaign | WithProperties
)

// interactionScan reads rows of table x into interactions. Its parts are the
// destinations of every row in turn.
type interactionScan struct {
	reader               *Reader
	detail               Detail
	bare                 bool // of a channel its id is told, and nothing else
	x                    insight.Interaction
	source, channel      uuid.UUID
	direction            number
	occurred, received   moment
	value                amount
	campaign, properties sql.RawBytes
	into                 []any
}

// interactions makes a scan of rows whose first columns go into before.
func (r *Reader) interactions(d Detail, before ...any) *interactionScan {
	s := &interactionScan{reader: r, detail: d}
	s.into = append(before, &s.x.ID, &s.x.IndividualID, &s.channel, &s.x.Type, &s.direction, &s.occurred, &s.value, &s.x.Currency)
	if d&WithOrigin != 0 {
		s.into = append(s.into, &s.source, &s.x.MessageID, &s.received, &s.x.Owner, &s.x.Stream)
	}
	if d&WithCampaign != 0 {
		s.into = append(s.into, &s.campaign)
	}
	if d&WithProperties != 0 {
		s.into = append(s.into, &s.properties)
	}
	return s
}

// columns are those that the scan reads.
func (s *interactionScan) columns() string {
	e := s.reader.engine
	columns := e.id("x.id") + ", " + e.id("x.individual_id") + ", " + e.id("x.channel_id") + ", x.type, x.direction, " +
		e.at("x.occurred_at") + ", " + e.float("x.value") + ", x.currency"
	if s.detail&WithOrigin != 0 {
		columns += ", " + e.id("x.source_id") + ", x.message_id, " + e.at("x.received_at") + ", " + e.id("x.owner") + ", " + e.id("x.stream")
	}
	if s.detail&WithCampaign != 0 {
		columns += ", x.campaign"
	}
	if s.detail&WithProperties != 0 {
		columns += ", x.properties"
	}
	return columns
}

// row reads the row that rows stands on.
func (s *interactionScan) row(ctx context.Context, rows *sql.Rows) (*insight.Interaction, error) {
	if err := rows.Scan(s.into...); err != nil {
		return nil, err
	}
	x := s.x
	x.Direction, x.OccurredAt, x.ReceivedAt, x.Value = insight.Direction(s.direction), s.occurred.Time, s.received.Time, s.value.pointer()
	if len(s.campaign) > 0 {
		if err := json.Unmarshal(s.campaign, &x.Campaign); err != nil {
			return nil, err
		}
	}
	if len(s.properties) > 0 {
		x.Properties = slices.Clone(json.RawMessage(s.properties))
	}
	if s.bare {
		x.Channel = &insight.Channel{ID: s.channel}
		return &x, nil
	}
	var err error
	if x.Channel, err = s.reader.store.directory.channelByID(ctx, s.channel); err != nil {
		return nil, err
	}
	if s.detail&WithOrigin != 0 {
		x.Source, err = s.reader.store.directory.sourceByID(ctx, s.source)
	}
	return &x, err
}

// children renders the query for a page of each parent's children: parents is a
// table with its condition, each gives the children of one parent (without order),
// alias names the child table.
//
// PostgreSQL joins LATERAL over the plain table, which an index answers row by row,
// and which Citus can push down. SQLite picks the children's keys by a correlated
// subquery.
func (r *Reader) children(columns, parents, condition, table, alias, each, order string) string {
	if r.engine.postgres() {
		return fmt.Sprintf("SELECT %s FROM %s CROSS JOIN LATERAL (SELECT * FROM %s %s WHERE %s%s) %s WHERE %s", columns, parents, table, alias, each, order, alias, condition)
	}
	return fmt.Sprintf("SELECT %s FROM %s JOIN %s %s ON %s.id IN (SELECT %s.id FROM %s %s WHERE %s%s) WHERE %s",
		columns, parents, table, alias, alias, alias, table, alias, each, order, condition)
}

// Interactions lists, for each of some individuals, their interactions, newest
// first, in one statement.
func (r *Reader) Interactions(ctx context.Context, ids []uuid.UUID, s insight.Selector, p Page, d Detail) (map[uuid.UUID]Slice[*insight.Interaction], error) {
	found := make(map[uuid.UUID][]*insight.Interaction, len(ids))
	if len(s.Properties) > 0 {
		if err := r.siftInteractions(ctx, ids, s, p, d|WithProperties, found); err != nil {
			return nil, err
		}
		return slicesOf(ids, p, found), nil
	}
	err := r.interactionsPage(ctx, ids, s, p, d, func(x *insight.Interaction) {
		found[x.IndividualID] = append(found[x.IndividualID], x)
	})
	return slicesOf(ids, p, found), err
}

// slicesOf cuts each parent's rows to the page.
func slicesOf[T any](ids []uuid.UUID, p Page, found map[uuid.UUID][]T) map[uuid.UUID]Slice[T] {
	all := make(map[uuid.UUID]Slice[T], len(ids))
	for _, id := range ids {
		all[id] = cut(p, found[id])
	}
	return all
}

func (r *Reader) interactionsPage(ctx context.Context, ids []uuid.UUID, s insight.Selector, p Page, d Detail, yield func(*insight.Interaction)) error {
	c := &clause{engine: r.engine, args: []any{r.engine.keys(ids)}, text: "x.individual_id = i.id" + r.engine.onNodesOf("x.individual_id", 1) + " AND " + r.coveredThen("x")}
	r.selected(c, "x", &s)
	c.within(p, "x.occurred_at", "x.id", true)
	scan := r.interactions(d)
	text := r.children(scan.columns(), "individuals i", r.covered("i")+" AND "+r.engine.anyOf("i.id", 1), "interactions", "x", c.text, p.order("x.occurred_at", "x.id", true))
	if !r.engine.postgres() {
		text += sqliteOrder(p, "x.occurred_at", "x.id")
	}
	return r.query(ctx, "store.Interactions", text, c.args, func(rows *sql.Rows) error {
		x, err := scan.row(ctx, rows)
		if err == nil {
			yield(x)
		}
		return err
	})
}

// sqliteOrder puts in order what a correlated subquery only picked.
func sqliteOrder(p Page, at, id string) string {
	if p.Backward {
		return fmt.Sprintf(" ORDER BY %s, %s", at, id)
	}
	return fmt.Sprintf(" ORDER BY %s DESC, %s DESC", at, id)
}

// siftInteractions fills pages whose selector must look into properties: it walks
// each individual's interactions a few hundred at a time until the page is full.
func (r *Reader) siftInteractions(ctx context.Context, ids []uuid.UUID, s insight.Selector, p Page, d Detail, found map[uuid.UUID][]*insight.Interaction) error {
	matches := s.Matcher()
	outer := s
	outer.Properties = nil
	for _, id := range ids {
		step := p
		step.Limit = siftSize
		for {
			n := 0
			var last *insight.Interaction
			err := r.interactionsPage(ctx, []uuid.UUID{id}, outer, step, d, func(x *insight.Interaction) {
				n++
				last = x
				if len(found[id]) <= p.Limit && matches(x) {
					found[id] = append(found[id], x)
				}
			})
			if err != nil {
				return err
			}
			if n <= siftSize || len(found[id]) > p.Limit {
				break
			}
			place := insight.Cursor{At: last.OccurredAt, ID: last.ID}
			if p.Backward {
				step.Before = &place
			} else {
				step.After = &place
			}
		}
	}
	return nil
}

// CountInteractions counts, for each of some individuals, the interactions that a
// selector selects.
func (r *Reader) CountInteractions(ctx context.Context, ids []uuid.UUID, s insight.Selector) (map[uuid.UUID]int, error) {
	counts := make(map[uuid.UUID]int, len(ids))
	if len(s.Properties) > 0 {
		err := r.eachInteraction(ctx, ids, &s, func(x *insight.Interaction) { counts[x.IndividualID]++ })
		return counts, err
	}
	c := &clause{engine: r.engine, args: []any{r.engine.keys(ids)}, text: r.covered("i") + " AND " + r.engine.anyOf("i.id", 1) + " AND " + r.coveredThen("x")}
	r.selected(c, "x", &s)
	return r.counts(ctx, "SELECT i.id, count(*) FROM individuals i JOIN interactions x ON x.individual_id = i.id WHERE "+c.text+" GROUP BY i.id", c.args)
}

func (r *Reader) counts(ctx context.Context, text string, args []any) (map[uuid.UUID]int, error) {
	counts := map[uuid.UUID]int{}
	err := r.query(ctx, "store.Count", text, args, func(rows *sql.Rows) error {
		var id uuid.UUID
		var n int
		err := rows.Scan(&id, &n)
		counts[id] = n
		return err
	})
	return counts, err
}

// eachInteraction yields every interaction of some individuals that a selector
// selects, in no order.
func (r *Reader) eachInteraction(ctx context.Context, ids []uuid.UUID, s *insight.Selector, yield func(*insight.Interaction)) error {
	matches := s.Matcher()
	c := &clause{engine: r.engine, args: []any{r.engine.keys(ids)}, text: r.covered("i") + " AND " + r.engine.anyOf("i.id", 1) + " AND " + r.coveredThen("x")}
	r.selected(c, "x", s)
	scan := r.interactions(WithAll)
	return r.query(ctx, "store.Timelines", "SELECT "+scan.columns()+" FROM individuals i JOIN interactions x ON x.individual_id = i.id WHERE "+c.text, c.args, func(rows *sql.Rows) error {
		x, err := scan.row(ctx, rows)
		if err == nil && matches(x) {
			yield(x)
		}
		return err
	})
}

// Timelines reads, for each of some individuals, all that a selector selects up to
// and including a moment, earliest first.
func (r *Reader) Timelines(ctx context.Context, ids []uuid.UUID, s insight.Selector, asOf time.Time) (map[uuid.UUID]insight.Timeline, error) {
	if end := asOf.Add(insight.Precision); s.OccurredTo.IsZero() || s.OccurredTo.After(end) {
		s.OccurredTo = end
	}
	timelines := make(map[uuid.UUID]insight.Timeline, len(ids))
	err := r.eachInteraction(ctx, ids, &s, func(x *insight.Interaction) {
		timelines[x.IndividualID] = append(timelines[x.IndividualID], x)
	})
	for id, t := range timelines {
		timelines[id] = t.Ordered()
	}
	return timelines, err
}

// Interaction finds an interaction by id.
func (r *Reader) Interaction(ctx context.Context, id uuid.UUID) (*insight.Interaction, error) {
	found, err := r.InteractionsByID(ctx, []uuid.UUID{id})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, r.absent(ctx, "interaction", id, "interactions")
	}
	r.Show(found[0].IndividualID)
	return found[0], nil
}

// InteractionsByID reads interactions in the order of their ids; those that the
// reader does not see are left out. Whoever shows them tells [Reader.Show].
func (r *Reader) InteractionsByID(ctx context.Context, ids []uuid.UUID) ([]*insight.Interaction, error) {
	if err := r.store.look(ctx); err != nil { // a subscriber's reader lives long
		return nil, err
	}
	byID := make(map[uuid.UUID]*insight.Interaction, len(ids))
	scan := r.interactions(WithAll)
	err := r.query(ctx, "store.InteractionsByID", "SELECT "+scan.columns()+" FROM interactions x JOIN individuals i ON i.id = x.individual_id WHERE "+
		r.covered("i")+" AND "+r.coveredThen("x")+" AND "+r.engine.anyOf("x.id", 1), []any{r.engine.keys(ids)}, func(rows *sql.Rows) error {
		x, err := scan.row(ctx, rows)
		if err == nil {
			byID[x.ID] = x
		}
		return err
	})
	found := make([]*insight.Interaction, 0, len(byID))
	for _, id := range ids {
		if x := byID[id]; x != nil {
			found = append(found, x)
		}
	}
	return found, err
}

// People reads some individuals by id; those whom the purpose does not cover are
// left out.
func (r *Reader) People(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*insight.Individual, error) {
	found := make(map[uuid.UUID]*insight.Individual, len(ids))
	err := r.query(ctx, "store.People", "SELECT "+r.personColumns()+" FROM individuals i WHERE "+r.covered("i")+" AND "+r.engine.anyOf("i.id", 1), []any{r.engine.keys(ids)}, func(rows *sql.Rows) error {
		i, err := scanPerson(rows)
		found[i.ID] = i
		return err
	})
	r.Show(slices.Collect(maps.Keys(found))...)
	return found, err
}
