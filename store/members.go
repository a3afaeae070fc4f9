package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/insight/digest"
	"github.com/acquaint/acquaint/insight/segment"
)

// The columns that scanMember reads, of table m.
func memberColumns(e *engine) string {
	return e.id("m.id") + ", " + e.id("m.individual_id") + ", " + e.id("m.segment_id") + ", " + e.at("m.entered_at") + ", " + e.at("m.exited_at")
}

func scanMember(r *sql.Rows) (*segment.Membership, error) {
	var m segment.Membership
	var entered, exited moment
	err := r.Scan(&m.ID, &m.IndividualID, &m.SegmentID, &entered, &exited)
	m.EnteredAt, m.ExitedAt = entered.Time, exited.Time
	return &m, err
}

// mine is the condition that a membership m is of a segment g that this reader may
// read: one for their purpose. What an analyst has found out is not for whoever sells.
func (r *Reader) mine() string {
	if r.self != uuid.Nil {
		return "TRUE"
	}
	return "g.purpose_id = '" + r.Purpose().ID.String() + "'"
}

// seen is the condition that the edition that answers sees a membership m of segment g
// that has not ended.
const seen = "NOT g.archived AND m.since_edition <= g.edition AND (m.until_edition IS NULL OR m.until_edition > g.edition) AND m.exited_at IS NULL"

// Segment finds a segment by its key for a reader of its members. The error is of kind
// Denied when it is for another purpose than they read for.
func (r *Reader) Segment(ctx context.Context, key string) (*segment.Segment, error) {
	k, err := r.store.Segment(ctx, key)
	if err == nil && r.self == uuid.Nil && k.Purpose.Key != r.key {
		err = insight.NewError(insight.Denied, "segment", "it is for the purpose "+k.Purpose.Key+", and may be read for no other one")
	}
	return k, err
}

// Memberships lists, for each of some individuals, the segments that they were in at a
// moment, by key of the segment; the zero time is now. Segments for other purposes
// than the reader's do not exist.
func (r *Reader) Memberships(ctx context.Context, ids []uuid.UUID, asOf time.Time) (map[uuid.UUID][]*segment.Membership, error) {
	condition, args := seen, []any{r.engine.keys(ids)}
	if !asOf.IsZero() {
		condition = fmt.Sprintf("m.announced AND m.entered_at <= %[1]s AND (m.exited_at IS NULL OR m.exited_at > %[1]s)", r.engine.moment(2))
		args = append(args, r.engine.time(asOf))
	}
	found := make(map[uuid.UUID][]*segment.Membership, len(ids))
	err := r.query(ctx, "store.Memberships", "SELECT "+memberColumns(r.engine)+" FROM individuals i JOIN memberships m ON m.individual_id = i.id JOIN segments g ON g.id = m.segment_id WHERE "+
		r.covered("i")+" AND "+r.mine()+" AND "+condition+" AND "+r.engine.anyOf("i.id", 1)+" ORDER BY g.key, m.id", args, func(rows *sql.Rows) error {
		m, err := scanMember(rows)
		found[m.IndividualID] = append(found[m.IndividualID], m)
		return err
	})
	return found, err
}

// Membership finds a membership by id.
func (r *Reader) Membership(ctx context.Context, id uuid.UUID) (*segment.Membership, error) {
	found, err := r.MembershipsByID(ctx, []uuid.UUID{id})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, r.absent(ctx, "membership", id, "memberships")
	}
	r.Show(found[0].IndividualID)
	return found[0], nil
}

// MembershipsByID reads memberships, in no order; those that this reader does not see
// are left out. Whoever shows them tells [Reader.Show].
func (r *Reader) MembershipsByID(ctx context.Context, ids []uuid.UUID) ([]*segment.Membership, error) {
	if err := r.store.look(ctx); err != nil { // a subscriber's reader lives long
		return nil, err
	}
	var found []*segment.Membership
	err := r.query(ctx, "store.MembershipsByID", "SELECT "+memberColumns(r.engine)+" FROM individuals i JOIN memberships m ON m.individual_id = i.id JOIN segments g ON g.id = m.segment_id WHERE "+
		r.covered("i")+" AND "+r.mine()+" AND (m.announced OR "+seen+") AND "+r.engine.anyOf("m.id", 1), []any{r.engine.keys(ids)}, func(rows *sql.Rows) error {
		m, err := scanMember(rows)
		found = append(found, m)
		return err
	})
	return found, err
}

// Members lists who is in a segment now, newest first.
func (r *Reader) Members(ctx context.Context, of *segment.Segment, p Page) (Slice[*segment.Membership], error) {
	c := &clause{engine: r.engine, args: []any{of.ID.String()}}
	c.within(p, "m.entered_at", "m.id", true)
	var found []*segment.Membership
	err := r.query(ctx, "store.Members", "SELECT "+memberColumns(r.engine)+" FROM memberships m JOIN segments g ON g.id = m.segment_id JOIN individuals i ON i.id = m.individual_id WHERE m.segment_id = $1 AND "+
		seen+" AND "+r.mine()+" AND "+r.covered("i")+c.text+p.order("m.entered_at", "m.id", true), c.args, func(rows *sql.Rows) error {
		m, err := scanMember(rows)
		found = append(found, m)
		return err
	})
	page := cut(p, found)
	shown := make([]uuid.UUID, len(page.Items))
	for n, m := range page.Items {
		shown[n] = m.IndividualID
	}
	r.Show(shown...)
	return page, err
}

// CountMembers counts who is in each of some segments now, of those whom the segment's
// own purpose covers.
func (s *Survey) CountMembers(ctx context.Context, of []uuid.UUID) (map[uuid.UUID]int, error) {
	return s.reader.countMembers(ctx, of)
}

// CountMembers is [Survey.CountMembers] for somebody who may read individuals.
func (r *Reader) CountMembers(ctx context.Context, of []uuid.UUID) (map[uuid.UUID]int, error) {
	return r.countMembers(ctx, of)
}

func (r *Reader) countMembers(ctx context.Context, of []uuid.UUID) (map[uuid.UUID]int, error) {
	counts := make(map[uuid.UUID]int, len(of))
	err := r.query(ctx, "store.CountMembers", "SELECT m.segment_id, count(*) FROM memberships m JOIN segments g ON g.id = m.segment_id JOIN individuals i ON i.id = m.individual_id WHERE "+
		r.engine.anyOf("m.segment_id", 1)+" AND "+seen+" AND "+r.mine()+" AND "+r.covered("i")+" GROUP BY m.segment_id", []any{r.engine.keys(of)}, func(rows *sql.Rows) error {
		var id uuid.UUID
		var n int
		err := rows.Scan(&id, &n)
		counts[id] = n
		return err
	})
	return counts, err
}

// Explanation is why somebody is in a segment, and when that ends by itself.
type Explanation struct {
	Reasons  []segment.Reason
	LapsesAt time.Time // if nothing new happens; zero: it does not
}

// Explain tells, of each of some memberships that this reader was given, why it holds;
// of one that has ended, how the rule stood when it did.
func (r *Reader) Explain(ctx context.Context, of []*segment.Membership) (map[uuid.UUID]Explanation, error) {
	a := r.store.policy().audience
	now := insight.Moment(r.store.now())
	var ids []uuid.UUID
	for _, m := range of {
		if !slices.Contains(ids, m.IndividualID) {
			ids = append(ids, m.IndividualID)
		}
	}
	explained := make(map[uuid.UUID]Explanation, len(of))
	err := r.store.view(ctx, "store.Explain", func(b *batch) error {
		people, err := b.known(ctx, ids)
		if err != nil {
			return err
		}
		for _, m := range of {
			k := a.byID(m.SegmentID)
			if k == nil || k.live == nil {
				continue
			}
			at := now
			if !m.ExitedAt.IsZero() {
				at = m.ExitedAt
			}
			subject := people[m.IndividualID].subject(b.policy, a.live, k.Purpose)
			e := Explanation{Reasons: k.live.Why(subject, at)}
			if course := k.live.Over(subject, at, at); course.Holds && m.ExitedAt.IsZero() {
				e.LapsesAt = course.Next
			}
			explained[m.ID] = e
		}
		return nil
	})
	return explained, err
}

// known reads all that rules ask of some individuals from the facts.
func (b *batch) known(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*person, error) {
	people := make(map[uuid.UUID]*person, len(ids))
	for _, id := range ids {
		people[id] = &person{coverage: b.policy.audience.silent}
	}
	if err := b.eachTrait(ctx, ids, func(id uuid.UUID, t insight.Trait) { people[id].traits = append(people[id].traits, t) }); err != nil {
		return nil, err
	}
	if err := b.coverage(ctx, ids, people); err != nil {
		return nil, err
	}
	return people, b.readFacts(ctx, people, ids, WithProperties)
}

// Changes lists what changed in a segment after a place among all changes, in order,
// at most so many.
func (r *Reader) Changes(ctx context.Context, of *segment.Segment, after int64, most int) ([]*segment.Change, error) {
	return r.changes(ctx, "segment_id = $1 AND sequence > "+r.engine.typed(2, "bigint")+fmt.Sprintf(" ORDER BY sequence LIMIT %d", most), of.ID.String(), after)
}

// ChangesByID reads changes of a segment, in order.
func (r *Reader) ChangesByID(ctx context.Context, of *segment.Segment, ids []uuid.UUID) ([]*segment.Change, error) {
	return r.changes(ctx, "segment_id = $1 AND "+r.engine.anyOf("id", 2)+" ORDER BY sequence", of.ID.String(), r.engine.keys(ids))
}

func (r *Reader) changes(ctx context.Context, condition string, args ...any) ([]*segment.Change, error) {
	var found []*segment.Change
	err := r.query(ctx, "store.Changes", "SELECT id, sequence, individual_id, segment_id, membership_id, entered, at, recorded_at, because FROM membership_changes WHERE "+condition, args, func(rows *sql.Rows) error {
		var c segment.Change
		var at, recorded moment
		err := rows.Scan(&c.ID, &c.Sequence, &c.IndividualID, &c.SegmentID, &c.MembershipID, &c.Entered, &at, &recorded, &c.Because)
		c.At, c.RecordedAt = at.Time, recorded.Time
		found = append(found, &c)
		return err
	})
	return found, err
}

// LastChange is the place of the last change among all; 0 before the first.
func (s *Store) LastChange(ctx context.Context) (int64, error) {
	stmt, err := s.read.stmt(ctx, selectLastPlace)
	if err != nil {
		return 0, translate("store.LastChange", err)
	}
	rows, err := stmt.QueryContext(ctx)
	if err != nil {
		return 0, translate("store.LastChange", err)
	}
	var place []byte
	err = each(rows, func(r *sql.Rows) error {
		err := r.Scan(&place)
		place = append([]byte{}, place...) // an empty one is damaged, and not none
		return err
	})
	if err != nil {
		return 0, translate("store.LastChange", err)
	}
	last, err := placeOf(place)
	return last, translate("store.LastChange", err)
}

// Found is what a rule finds in a population.
type Found struct {
	Size     int         // whom the purpose covers
	Withheld int         // whom the rule finds and the purpose does not cover
	Sample   []uuid.UUID // of the former
}

// Preview asks a rule of everyone as of a moment. It reads what happened to everyone,
// some at a time; models are those of the population that it needs.
func (s *Survey) Preview(ctx context.Context, d segment.Definition, m *segment.Models, asOf time.Time, sample int) (*Found, error) {
	found := &Found{}
	err := s.reader.store.view(ctx, "store.Preview", func(b *batch) error {
		program, book, err := b.compilePreview(&d, m)
		if err != nil {
			return err
		}
		needs := program.Needs()
		anyone := *s.Purpose()
		anyone.Retroactive = true // what is withheld is counted by all that happened
		return b.everyone(ctx, needs, func(id uuid.UUID, p *person, permitted insight.Set) {
			covers := permitted&s.Purpose().Set() != 0
			purpose := s.Purpose()
			if !covers {
				purpose = &anyone
				p.coverage = besides(p.coverage, s.Purpose().Set())
			}
			if !program.Over(p.subject(b.policy, book, purpose), asOf, asOf).Holds {
				return
			}
			if !covers {
				found.Withheld++
				return
			}
			if found.Size++; len(found.Sample) < sample {
				found.Sample = append(found.Sample, id)
			}
		})
	})
	return found, err
}

// besides covers some purposes more, ever since and for good.
func besides(coverage []consent.Span, purposes insight.Set) []consent.Span {
	more := []consent.Span{{Set: purposes}}
	for _, s := range coverage {
		more = append(more, consent.Span{From: s.From, Set: s.Set | purposes})
	}
	return more
}

// Purpose is the purpose that is counted for.
func (s *Survey) Purpose() *insight.Purpose { return s.reader.Purpose() }

// PreviewNeeds are the models of the population that a rule needs. The error is of kind
// Invalid, with the path of what is wrong.
func (s *Survey) PreviewNeeds(ctx context.Context, d segment.Definition) (segment.Needs, error) {
	if err := s.reader.store.look(ctx); err != nil {
		return segment.Needs{}, err
	}
	b := &batch{policy: s.reader.store.policy()}
	program, _, err := b.compilePreview(&d, nil)
	if err != nil {
		return segment.Needs{}, err
	}
	return program.Needs(), nil
}

func (b *batch) compilePreview(d *segment.Definition, m *segment.Models) (*segment.Program, *segment.Book, error) {
	if d.Rule == nil {
		return nil, nil, insight.NewError(insight.Invalid, "rule", "it is missing")
	}
	if err := d.Rule.Validate("rule"); err != nil {
		return nil, nil, err
	}
	book := segment.NewBook(b.policy.purposes, b.definitions(nil))
	program, err := book.Compile(d, m)
	return program, book, err
}

// keptIndividual is what is kept of an individual.
type keptIndividual struct {
	id        uuid.UUID
	permitted insight.Set
	digest    []byte // nil: it is to be made
}

// keptOf reads what is kept of individuals.
func (b *batch) keptOf(ctx context.Context, condition string, args ...any) ([]keptIndividual, error) {
	var all []keptIndividual
	err := b.query(ctx, "SELECT "+b.engine.id("id")+", permitted, digest FROM individuals WHERE "+condition, args, func(r *sql.Rows) error {
		var one keptIndividual
		err := r.Scan(&one.id, &one.permitted, &one.digest)
		one.permitted = b.policy.stored(one.permitted)
		all = append(all, one)
		return err
	})
	return all, err
}

// everyone hands out all that rules ask of each individual, who may be kept no longer
// than the call.
func (b *batch) everyone(ctx context.Context, needs segment.Needs, yield func(id uuid.UUID, p *person, permitted insight.Set)) error {
	for after := uuid.Nil; ; {
		rows, err := b.keptOf(ctx, "id > "+b.engine.key(1)+fmt.Sprintf(" ORDER BY id LIMIT %d", chunk), after.String())
		if err != nil || len(rows) == 0 {
			return err
		}
		after = rows[len(rows)-1].id
		if err := b.acquaint(ctx, rows, needs, yield); err != nil {
			return err
		}
	}
}

// acquaint hands out all that rules ask of some individuals, as everyone does.
func (b *batch) acquaint(ctx context.Context, rows []keptIndividual, needs segment.Needs, yield func(id uuid.UUID, p *person, permitted insight.Set)) error {
	reader := &digest.Reader{Channel: func(id uuid.UUID) (*insight.Channel, error) { return b.store.directory.channelByID(ctx, id) }}
	people := make(map[uuid.UUID]*person, len(rows))
	var ids, unread []uuid.UUID
	for _, one := range rows {
		ids = append(ids, one.id)
		people[one.id] = &person{coverage: b.policy.audience.silent}
		if one.digest == nil || needs.Properties {
			unread = append(unread, one.id)
		}
	}
	if needs.Traits {
		if err := b.eachTrait(ctx, ids, func(id uuid.UUID, t insight.Trait) { people[id].traits = append(people[id].traits, t) }); err != nil {
			return err
		}
	}
	if err := b.coverage(ctx, ids, people); err != nil {
		return err
	}
	detail := Detail(0)
	if needs.Properties {
		detail = WithProperties
	}
	if err := b.readFacts(ctx, people, unread, detail); err != nil {
		return err
	}
	for _, one := range rows {
		p := people[one.id]
		if p.entries == nil {
			var err error
			if p.entries, p.refusals, err = reader.Entries(one.digest); err != nil {
				return err
			}
		}
		yield(one.id, p, one.permitted)
		delete(people, one.id)
	}
	return nil
}
