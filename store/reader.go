package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq/oid"

	"github.com/acquaint/acquaint/insight"
)

// Reader gives out personal data to one viewer for one purpose. Individuals whom
// the purpose does not cover, and interactions for which it was not permitted, do
// not exist in what it answers.
type Reader struct {
	store  *Store
	engine *engine
	viewer *insight.Viewer
	key    string    // of the purpose; empty for somebody's own
	self   uuid.UUID // who reads what is held of themselves; zero: somebody reads for a purpose
	access *Access   // who was read is noted here; nil: nowhere
	tx     *sql.Tx   // the view that it reads in; nil: each query has its own
}

// Reader binds reads to a viewer and the purpose that they declare. It is the only
// way to personal data. The error is of kind Denied when the viewer may not read
// individuals or not for this purpose, and of kind Invalid when they declare none.
//
// An individual's own token needs no purpose: it sees everything that is held of
// them, and nobody else exists. Its error is of kind NotFound when nothing is.
//
// Whom the reader shows is noted in access, which may be nil where nobody is shown
// anything.
func (s *Store) Reader(ctx context.Context, v *insight.Viewer, access *Access) (*Reader, error) {
	if err := s.look(ctx); err != nil {
		return nil, err
	}
	if v.May(insight.ScopeSelf) {
		self, err := s.Find(ctx, Lookup{ID: v.Individual})
		if err != nil {
			return nil, err
		}
		return &Reader{store: s, engine: s.read, viewer: v, self: self}, nil
	}
	if err := v.Require(insight.ScopeIndividualsRead); err != nil {
		return nil, err
	}
	key, err := v.Declared()
	if err != nil {
		return nil, err
	}
	if _, err := s.Purpose(ctx, key); err != nil {
		return nil, err
	}
	return &Reader{store: s, engine: s.read, viewer: v, key: key, access: access}, nil
}

// Purpose is the purpose that this reader reads for, by its terms of now; nil for
// somebody who reads what is held of themselves.
func (r *Reader) Purpose() *insight.Purpose { return r.store.policy().byKey(r.key) }

// covered is the wall: the condition that an individual's row i lets this reader
// through.
func (r *Reader) covered(table string) string {
	if r.self != uuid.Nil {
		return table + ".id = '" + r.self.String() + "'"
	}
	return holds(table+".permitted", r.Purpose())
}

// coveredThen is the wall for an interaction, of an individual who is covered: what
// happened before the purpose was permitted is read only where it is retroactive.
func (r *Reader) coveredThen(table string) string {
	if r.self != uuid.Nil {
		return table + ".individual_id = '" + r.self.String() + "'"
	}
	if p := r.Purpose(); !p.Retroactive {
		return holds(table+".permitted", p)
	}
	return "TRUE"
}

// exists is the same wall, for what was read of an individual who is covered.
func (r *Reader) exists() func(insight.Set) bool {
	if r.self != uuid.Nil {
		return func(insight.Set) bool { return true }
	}
	p := r.Purpose()
	return func(permitted insight.Set) bool {
		if p.Inverted {
			permitted = ^permitted
		}
		return p.Retroactive || permitted&p.Set() != 0
	}
}

// holds is the condition that a stored set of purposes holds one.
//
// An inverted one is asked for by the complement: of an equation, PostgreSQL would
// expect that hardly any row meets it, and read tables in place of indexes.
func holds(column string, p *insight.Purpose) string {
	if p.Inverted {
		column = "(~" + column + ")"
	}
	return fmt.Sprintf("%s & %d <> 0", column, p.Set())
}

// wholly is the condition that everything that happened to individual i may be read;
// where it is empty, that is so of everybody. Of others some things may not, and what
// is made of several interactions must be made again of those that may.
func (r *Reader) wholly() string {
	if p := r.Purpose(); r.self == uuid.Nil && !p.Retroactive {
		return holds("i.whole", p)
	}
	return ""
}

func (r *Reader) query(ctx context.Context, op, text string, args []any, scan func(*sql.Rows) error) error {
	answer, err := r.rows(ctx, text, args)
	if err != nil {
		return translate(op, err)
	}
	return translate(op, each(answer, scan))
}

// rows runs a query. What somebody asks of themselves names them in its text, and so
// is not kept prepared.
func (r *Reader) rows(ctx context.Context, text string, args []any) (*sql.Rows, error) {
	text, args = r.single(text, args)
	if r.tx != nil {
		return r.tx.QueryContext(ctx, text, args...)
	}
	if r.self != uuid.Nil {
		return r.engine.db.QueryContext(ctx, text, args...)
	}
	stmt, err := r.engine.stmt(ctx, text)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

// single makes of a statement about a set of ids that holds one a statement about that
// id. A plan for any one is as good as a plan for this one, so PostgreSQL makes it once
// and keeps it; of any set it expects ten, and so would plan for each set of one anew.
func (r *Reader) single(text string, args []any) (string, []any) {
	if !r.engine.postgres() {
		return text, args
	}
	for n, arg := range args {
		key, is := soleKey(arg)
		if set := r.engine.anyOf("", n+1); is && strings.Contains(text, set) {
			text = strings.ReplaceAll(text, set, fmt.Sprintf(" = $%d::uuid", n+1))
			args = slices.Clone(args)
			args[n] = key
		}
	}
	return text, args
}

// soleKey is the key of a set of ids that PostgreSQL is handed, where it holds one.
func soleKey(set any) ([]byte, bool) {
	b, is := set.([]byte)
	const head, size = arrayHeader + 4, len(uuid.UUID{}) // the element's size comes before it
	if !is || len(b) != head+size || oid.Oid(binary.BigEndian.Uint32(b[8:])) != oid.T_uuid {
		return nil, false
	}
	return b[head:], true
}

// Show notes that individuals are shown, and begins to write that down.
func (r *Reader) Show(ids ...uuid.UUID) {
	if r.access != nil && r.self == uuid.Nil {
		r.access.add(r.viewer.Subject, r.key, ids)
		r.store.note(r.access)
	}
}

func (r *Reader) personColumns() string {
	return r.engine.id("i.id") + ", " + r.engine.at("i.first_seen_at") + ", " + r.engine.at("i.last_seen_at") + ", i.identified"
}

func scanPerson(r *sql.Rows, after ...any) (*insight.Individual, error) {
	var i insight.Individual
	var first, last moment
	err := r.Scan(append([]any{&i.ID, &first, &last, &i.Identified}, after...)...)
	i.FirstSeenAt, i.LastSeenAt = first.Time, last.Time
	return &i, err
}

// Find finds an individual. The error is of kind NotFound when there is none, and
// Withheld when the purpose does not cover them. An id that was merged away finds
// the survivor.
func (r *Reader) Find(ctx context.Context, l Lookup) (*insight.Individual, error) {
	column, key := "origin", l.ID
	if l.ID == uuid.Nil {
		column, key = "id", r.store.key(l.Identity)
	} else if i, err := r.individual(ctx, l.ID); insight.KindOf(err) != insight.NotFound {
		return i, err
	}
	// Between the two statements the individual may be merged away; asked again, the
	// directory names whom they have become.
	for attempt := 1; ; attempt++ {
		id, err := r.individualOf(ctx, column, key)
		if err != nil {
			return nil, err
		}
		i, err := r.individual(ctx, id)
		if insight.KindOf(err) != insight.NotFound || attempt == findAttempts {
			return i, err
		}
	}
}

// findAttempts bounds how often somebody is looked for who is merged away again and
// again.
const findAttempts = 5

func (r *Reader) individualOf(ctx context.Context, column string, key uuid.UUID) (uuid.UUID, error) {
	var id uuid.UUID
	err := r.query(ctx, "store.Find", "SELECT individual_id FROM identifiers WHERE "+column+" = $1", []any{key.String()}, func(rows *sql.Rows) error {
		return rows.Scan(&id)
	})
	if err == nil && id == uuid.Nil {
		err = insight.NewError(insight.NotFound, "individual", "there is no such individual")
	}
	return id, err
}

func (r *Reader) individual(ctx context.Context, id uuid.UUID) (*insight.Individual, error) {
	var found *insight.Individual
	var covered bool
	err := r.query(ctx, "store.Find", "SELECT "+r.personColumns()+", "+r.covered("i")+" FROM individuals i WHERE i.id = $1", []any{id.String()}, func(rows *sql.Rows) error {
		var err error
		found, err = scanPerson(rows, &covered)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case found == nil:
		return nil, insight.NewError(insight.NotFound, "individual", "there is no such individual")
	case !covered && r.self != uuid.Nil:
		return nil, insight.NewError(insight.NotFound, "individual", "there is no such individual")
	case !covered:
		return nil, insight.NewError(insight.Withheld, "individual", "the purpose "+r.key+" does not cover this individual")
	}
	r.Show(found.ID)
	return found, nil
}

// Filter narrows the list of individuals. All conditions that are given hold.
type Filter struct {
	Event         *insight.Selector // has at least one such interaction
	FirstSeenFrom time.Time         // inclusive
	LastSeenFrom  time.Time         // inclusive
	LastSeenTo    time.Time         // exclusive
	Trait         *insight.TraitRule
	Identified    *bool
	Segment       string // key of one, for the reader's purpose, that they are in; empty: whichever
}

// inMemory reports whether a condition must be decided by insight, on each
// individual that the others let through.
func (f *Filter) inMemory() bool {
	return f.Trait != nil || f.Event != nil && len(f.Event.Properties) > 0
}

// Order is the order of the list of individuals.
type Order struct {
	FirstSeen  bool // by when they were first seen, else by when they were last seen
	Descending bool
}

func (o Order) column() string {
	if o.FirstSeen {
		return "i.first_seen_at"
	}
	return "i.last_seen_at"
}

// Place is where an individual stands in a list of this order.
func (o Order) Place(i *insight.Individual) insight.Cursor {
	if o.FirstSeen {
		return insight.Cursor{At: i.FirstSeenAt, ID: i.ID}
	}
	return insight.Cursor{At: i.LastSeenAt, ID: i.ID}
}

// Individuals lists individuals.
func (r *Reader) Individuals(ctx context.Context, f Filter, o Order, p Page) (Slice[*insight.Individual], error) {
	var found []*insight.Individual
	var err error
	if f.inMemory() {
		err = r.sift(ctx, f, o, p, func(i *insight.Individual) bool {
			found = append(found, i)
			return len(found) <= p.Limit
		})
	} else {
		found, err = r.individuals(ctx, f, o, p)
	}
	page := cut(p, found)
	shown := make([]uuid.UUID, len(page.Items))
	for n, i := range page.Items {
		shown[n] = i.ID
	}
	r.Show(shown...)
	return page, err
}

// CountIndividuals counts individuals.
func (r *Reader) CountIndividuals(ctx context.Context, f Filter) (int, error) {
	if f.inMemory() {
		n := 0
		err := r.sift(ctx, f, Order{}, Page{}, func(*insight.Individual) bool { n++; return true })
		return n, err
	}
	c := r.filter(f)
	var n int
	err := r.query(ctx, "store.CountIndividuals", "SELECT count(*) FROM individuals i WHERE "+c.text, c.args, func(rows *sql.Rows) error { return rows.Scan(&n) })
	return n, err
}

func (r *Reader) individuals(ctx context.Context, f Filter, o Order, p Page) ([]*insight.Individual, error) {
	c := r.filter(f)
	c.within(p, o.column(), "i.id", o.Descending)
	var found []*insight.Individual
	err := r.query(ctx, "store.Individuals", "SELECT "+r.personColumns()+" FROM individuals i WHERE "+c.text+p.order(o.column(), "i.id", o.Descending), c.args, func(rows *sql.Rows) error {
		i, err := scanPerson(rows)
		found = append(found, i)
		return err
	})
	return found, err
}

// filter is the part of a filter that the database decides.
func (r *Reader) filter(f Filter) *clause {
	c := &clause{engine: r.engine, text: r.covered("i")}
	for _, bound := range []struct {
		at        time.Time
		condition string
	}{{f.FirstSeenFrom, "i.first_seen_at >= "}, {f.LastSeenFrom, "i.last_seen_at >= "}, {f.LastSeenTo, "i.last_seen_at < "}} {
		if !bound.at.IsZero() {
			c.and(bound.condition + c.moment(r.engine.time(bound.at)))
		}
	}
	if f.Identified != nil {
		not := ""
		if !*f.Identified {
			not = "NOT "
		}
		c.and(not + "i.identified")
	}
	if f.Segment != "" {
		c.and("EXISTS (SELECT 1 FROM memberships m JOIN segments g ON g.id = m.segment_id WHERE m.individual_id = i.id AND g.key = " + c.param(f.Segment) + " AND " + r.mine() + " AND " + seen + ")")
	}
	if f.Trait != nil && !f.Trait.HoldsWithout() {
		c.and("EXISTS (SELECT 1 FROM traits t WHERE t.individual_id = i.id AND t.key = " + c.param(f.Trait.Key) + ")")
	}
	if f.Event != nil {
		inner := &clause{engine: r.engine, args: c.args}
		r.selected(inner, "x", f.Event)
		c.args = inner.args
		c.and("EXISTS (SELECT 1 FROM interactions x WHERE x.individual_id = i.id AND " + r.coveredThen("x") + inner.text + ")")
	}
	return c
}

// selected adds the part of a selector that the database decides: all but the
// properties.
func (r *Reader) selected(c *clause, table string, s *insight.Selector) {
	if len(s.Types) > 0 {
		c.and(r.engine.anyTextOf(table+".type", len(c.args)+1))
		c.param(r.engine.texts(s.Types))
	}
	if len(s.Channels) > 0 || len(s.ChannelKinds) > 0 {
		c.and(r.engine.anyOf(table+".channel_id", len(c.args)+1))
		c.param(r.engine.keys(r.store.directory.channelsOf(s)))
	}
	if len(s.Currencies) > 0 {
		c.and(r.engine.anyTextOf(table+".currency", len(c.args)+1))
		c.param(r.engine.texts(s.Currencies))
	}
	if s.Direction != 0 {
		c.and(fmt.Sprintf("%s.direction = %d", table, s.Direction))
	}
	if !s.OccurredFrom.IsZero() {
		c.and(table + ".occurred_at >= " + c.moment(r.engine.time(s.OccurredFrom)))
	}
	if !s.OccurredTo.IsZero() {
		c.and(table + ".occurred_at < " + c.moment(r.engine.time(s.OccurredTo)))
	}
}

// channelsOf are the ids of the channels that a selector lets through.
func (d *directory) channelsOf(s *insight.Selector) []uuid.UUID {
	only := insight.Selector{Channels: s.Channels, ChannelKinds: s.ChannelKinds}
	d.mu.RLock()
	defer d.mu.RUnlock()
	var ids []uuid.UUID
	for _, c := range d.channels {
		if only.Matches(&insight.Interaction{Channel: c}) {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// siftSize is how many individuals are looked at, at a time, when a condition is
// decided in memory.
const siftSize = 500

// sift walks the individuals whom the database lets through, decides the rest of
// the filter on each, and yields those who pass until it is told to stop.
func (r *Reader) sift(ctx context.Context, f Filter, o Order, p Page, yield func(*insight.Individual) bool) error {
	step := p
	step.Limit = siftSize
	for {
		some, err := r.individuals(ctx, f, o, step)
		if err != nil || len(some) == 0 {
			return err
		}
		passed, err := r.pass(ctx, f, some)
		if err != nil {
			return err
		}
		for _, i := range some {
			if passed[i.ID] && !yield(i) {
				return nil
			}
		}
		if len(some) <= siftSize {
			return nil
		}
		place := o.Place(some[len(some)-1])
		if p.Backward {
			step.Before = &place
		} else {
			step.After = &place
		}
	}
}

// pass decides a filter's in-memory conditions on some individuals.
func (r *Reader) pass(ctx context.Context, f Filter, some []*insight.Individual) (map[uuid.UUID]bool, error) {
	ids := make([]uuid.UUID, len(some))
	passed := make(map[uuid.UUID]bool, len(some))
	for n, i := range some {
		ids[n], passed[i.ID] = i.ID, true
	}
	if f.Trait != nil {
		traits, err := r.Traits(ctx, ids)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			passed[id] = f.Trait.Matches(traits[id])
		}
	}
	if f.Event != nil && len(f.Event.Properties) > 0 {
		has := map[uuid.UUID]bool{}
		if err := r.eachInteraction(ctx, ids, f.Event, func(x *insight.Interaction) { has[x.IndividualID] = true }); err != nil {
			return nil, err
		}
		for _, id := range ids {
			passed[id] = passed[id] && has[id]
		}
	}
	return passed, nil
}

// Identifiers lists the identifiers of individuals, strongest first.
func (r *Reader) Identifiers(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID][]*insight.Identifier, error) {
	all := make(map[uuid.UUID][]*insight.Identifier, len(ids))
	err := r.query(ctx, "store.Identifiers", "WITH i AS MATERIALIZED (SELECT i.id FROM individuals i WHERE "+r.covered("i")+" AND "+r.engine.anyOf("i.id", 1)+`)
		SELECT f.individual_id, f.kind, f.value, f.first_seen_at, f.last_seen_at, f.shared
		FROM identifiers f WHERE f.individual_id IN (SELECT id FROM i) ORDER BY f.kind, f.value`, []any{r.engine.keys(ids)}, func(rows *sql.Rows) error {
		var f insight.Identifier
		var first, last moment
		err := rows.Scan(&f.IndividualID, &f.Kind, &f.Value, &first, &last, &f.Shared)
		f.FirstSeenAt, f.LastSeenAt = first.Time, last.Time
		all[f.IndividualID] = append(all[f.IndividualID], &f)
		return err
	})
	return all, err
}

// evidence renders the query for links l, which the named tables of with give, whose
// ends both belong to individuals whom the purpose covers. The message that a link came
// with may be one that may not be read: it is told where everything may.
//
// Links, identifiers and individuals each lie where their own key says, so that
// Citus cannot join them: each step is a table of its own, which it hands on.
func (r *Reader) evidence(with string) string {
	return "WITH " + with + `,
	e AS MATERIALIZED (` + identifierColumns + ` FROM identifiers WHERE id IN (SELECT a FROM l UNION SELECT b FROM l)),
	i AS MATERIALIZED (SELECT i.id, ` + cmp.Or(r.wholly(), "TRUE") + ` AS whole FROM individuals i WHERE ` + r.covered("i") + ` AND i.id IN (SELECT individual_id FROM e))
	SELECT l.id, l.operator, l.source_id,
		CASE WHEN EXISTS (SELECT 1 FROM i WHERE NOT i.whole AND i.id IN (a.individual_id, b.individual_id)) THEN '' ELSE l.message_id END, l.observed_at, l.revoked_at, l.reason,
		a.individual_id, a.kind, a.value, a.first_seen_at, a.last_seen_at, a.shared,
		b.individual_id, b.kind, b.value, b.first_seen_at, b.last_seen_at, b.shared
	FROM l JOIN e a ON a.id = l.a JOIN e b ON b.id = l.b
	WHERE a.individual_id IN (SELECT id FROM i) AND b.individual_id IN (SELECT id FROM i) ORDER BY l.observed_at, l.id`
}

func (r *Reader) scanLink(ctx context.Context, rows *sql.Rows) (*insight.Evidence, error) {
	var e insight.Evidence
	var source uuid.UUID
	var observed, revoked, aFirst, aLast, bFirst, bLast moment
	err := rows.Scan(&e.ID, &e.Operator, &source, &e.MessageID, &observed, &revoked, &e.Reason,
		&e.A.IndividualID, &e.A.Kind, &e.A.Value, &aFirst, &aLast, &e.A.Shared,
		&e.B.IndividualID, &e.B.Kind, &e.B.Value, &bFirst, &bLast, &e.B.Shared)
	if err != nil {
		return nil, err
	}
	e.ObservedAt, e.RevokedAt = observed.Time, revoked.Time
	e.A.FirstSeenAt, e.A.LastSeenAt, e.B.FirstSeenAt, e.B.LastSeenAt = aFirst.Time, aLast.Time, bFirst.Time, bLast.Time
	s, err := r.store.directory.sourceByID(ctx, source)
	if err == nil {
		e.Source = s.Name
	}
	return &e, err
}

// Links lists the evidence that touches individuals, earliest first. A link whose
// other end is an individual whom the purpose does not cover is left out.
func (r *Reader) Links(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID][]*insight.Evidence, error) {
	wanted := make(map[uuid.UUID]bool, len(ids))
	for _, id := range ids {
		wanted[id] = true
	}
	all := make(map[uuid.UUID][]*insight.Evidence, len(ids))
	text := r.evidence("f AS MATERIALIZED (SELECT id FROM identifiers WHERE " + r.engine.anyOf("individual_id", 1) + `),
	l AS MATERIALIZED (` + linkColumns + " FROM identity_links WHERE a IN (SELECT id FROM f) UNION " + linkColumns + " FROM identity_links WHERE b IN (SELECT id FROM f))")
	err := r.query(ctx, "store.Links", text, []any{r.engine.keys(ids)}, func(rows *sql.Rows) error {
		e, err := r.scanLink(ctx, rows)
		if err != nil {
			return err
		}
		for _, end := range []uuid.UUID{e.A.IndividualID, e.B.IndividualID} {
			if wanted[end] {
				all[end] = append(all[end], e)
			}
			if e.A.IndividualID == e.B.IndividualID {
				break
			}
		}
		return nil
	})
	return all, err
}

// Link finds a link by id.
func (r *Reader) Link(ctx context.Context, id uuid.UUID) (*insight.Evidence, error) {
	var found *insight.Evidence
	err := r.query(ctx, "store.Link", r.evidence("l AS MATERIALIZED ("+linkColumns+" FROM identity_links WHERE id = $1)"), []any{id.String()}, func(rows *sql.Rows) error {
		var err error
		found, err = r.scanLink(ctx, rows)
		return err
	})
	if err == nil && found == nil {
		err = r.absent(ctx, "link", id, "identity_links")
	}
	if found != nil {
		r.Show(found.A.IndividualID, found.B.IndividualID)
	}
	return found, err
}

// Traits lists what every source says of individuals, in no order; what is shown of
// it is for insight.BestTraits to choose.
func (r *Reader) Traits(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID][]insight.Trait, error) {
	all := make(map[uuid.UUID][]insight.Trait, len(ids))
	err := r.query(ctx, "store.Traits", "SELECT "+traitColumns+" FROM individuals i JOIN traits t ON t.individual_id = i.id WHERE "+
		r.covered("i")+" AND "+r.engine.anyOf("i.id", 1), []any{r.engine.keys(ids)}, func(rows *sql.Rows) error {
		individual, t, err := r.scanTrait(ctx, rows)
		all[individual] = append(all[individual], t)
		return err
	})
	return all, err
}

const traitColumns = "t.individual_id, t.key, t.value, t.provenance, t.confidence, t.sensitivity, t.source_id, t.observed_at"

func (r *Reader) scanTrait(ctx context.Context, rows *sql.Rows) (uuid.UUID, insight.Trait, error) {
	var t insight.Trait
	var individual, source uuid.UUID
	var value []byte
	var observed moment
	if err := rows.Scan(&individual, &t.Key, &value, &t.Provenance, &t.Confidence, &t.Sensitivity, &source, &observed); err != nil {
		return individual, t, err
	}
	t.Value, t.ObservedAt = append([]byte(nil), value...), observed.Time
	s, err := r.store.directory.sourceByID(ctx, source)
	if err == nil {
		t.Source = s.Name
	}
	return individual, t, err
}

// absent tells why a row was not found by its id in one of the tables: Withheld when
// it is there and of an individual whom the purpose does not cover, else NotFound.
func (r *Reader) absent(ctx context.Context, what string, id uuid.UUID, tables ...string) error {
	for _, table := range tables {
		there := false
		err := r.query(ctx, "store.absent", "SELECT true FROM "+table+" WHERE id = $1", []any{id.String()}, func(rows *sql.Rows) error { return rows.Scan(&there) })
		if err != nil {
			return err
		}
		if there && r.self == uuid.Nil {
			return insight.NewError(insight.Withheld, what, "the purpose "+r.key+" does not cover this "+what)
		}
	}
	return insight.NewError(insight.NotFound, what, "there is no such "+what)
}
