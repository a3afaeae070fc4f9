package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/insight/digest"
	"github.com/acquaint/acquaint/insight/segment"
)

// stir is what a transaction does to one individual, as far as what is made of them is
// concerned: their digest, and the segments that they are in.
type stir struct {
	isNew   bool
	rebuild bool           // what happened to them earlier may be understood otherwise: the facts are read
	all     bool           // every rule is asked
	drafts  bool           // the rules that are being computed are asked
	due     bool           // time has changed something, and nothing else did yet
	entries []digest.Entry // what was kept of them now
	traits  []string       // keys of what was said of them now
	because string         // in words, where it is not any of these
}

func (b *batch) stirred(id uuid.UUID) *stir {
	s := b.stirs[id]
	if s == nil {
		s = &stir{}
		b.stirs[id] = s
	}
	return s
}

// unsettleHistory says that the facts of an individual are to be read anew.
func (b *batch) unsettleHistory(id uuid.UUID, because string) {
	s := b.stirred(id)
	s.rebuild, s.all = true, true
	if s.because == "" {
		s.because = because
	}
}

// why says in words what changed the memberships of an individual.
func (s *stir) why() string {
	switch {
	case s.due:
		return "time passed"
	case len(s.entries) == 0 && s.because != "":
		return s.because
	case len(s.entries) > 0:
		var types []string
		for _, e := range s.entries {
			if !slices.Contains(types, e.Type) {
				types = append(types, e.Type)
			}
		}
		const most = 3
		if len(types) > most {
			types = append(types[:most], "others")
		}
		return "what happened: " + strings.Join(types, ", ")
	case len(s.traits) > 0:
		return "what is known of them: " + strings.Join(s.traits, ", ")
	case s.drafts:
		return "the rule was computed"
	default:
		return "they became known"
	}
}

// standing is what is kept of an individual who is stirred.
type standing struct {
	digest []byte
	known  bool // whether there is a digest
	lookAt time.Time
	isNew  bool                           // nothing is kept of them yet
	in     map[uuid.UUID][]*membershipRow // memberships that have not ended, by segment; of who is asked about
}

func (s *standing) add(m *membershipRow) {
	if s.in == nil {
		s.in = map[uuid.UUID][]*membershipRow{}
	}
	s.in[m.SegmentID] = append(s.in[m.SegmentID], m)
}

// membershipRow is a membership that has not ended. What changes of it is written at
// the end of the transaction.
type membershipRow struct {
	segment.Membership
	since, until   int // editions; until 0: none ends it
	announced      bool
	isNew, changed bool
	gone           bool // it was never seen by anybody, and is deleted
}

// sees reports whether an edition sees the membership.
func (m *membershipRow) sees(edition int) bool {
	return !m.gone && m.ExitedAt.IsZero() && m.since <= edition && (m.until == 0 || m.until > edition)
}

// person is all that rules may ask of one individual.
type person struct {
	entries  []digest.Entry
	refusals []insight.Refusal
	traits   []insight.Trait
	coverage []consent.Span
	subjects map[subjectOf]*segment.Subject
}

// subjectOf is whose subject it is: what is known of an individual differs by purpose,
// and what was found out of them is kept by a book.
type subjectOf struct {
	book    *segment.Book
	purpose *insight.Purpose
}

// subject is the individual as a purpose may know them.
func (p *person) subject(policy *policy, book *segment.Book, purpose *insight.Purpose) *segment.Subject {
	key := subjectOf{book, purpose}
	if s := p.subjects[key]; s != nil {
		return s
	}
	if p.subjects == nil {
		p.subjects = map[subjectOf]*segment.Subject{}
	}
	s := book.Subject(&segment.Facts{Timeline: p.timeline(policy, purpose), Refusals: p.refusals, Traits: p.traits, Coverage: p.coverage})
	p.subjects[key] = s
	return s
}

// timeline is what happened to the individual as far as a purpose may know it.
func (p *person) timeline(policy *policy, purpose *insight.Purpose) insight.Timeline {
	t := make(insight.Timeline, 0, len(p.entries))
	for _, e := range p.entries {
		if serves(purpose, policy.stored(e.Permitted)) {
			t = append(t, e.Interaction)
		}
	}
	return t
}

// serves reports whether what happened while some purposes were permitted may be read
// for one that is permitted now.
func serves(p *insight.Purpose, permitted insight.Set) bool {
	return p.Retroactive || permitted&p.Set() != 0
}

// question is a rule that is asked of an individual.
type question struct {
	kept               *keptSegment
	book               *segment.Book
	program            *segment.Program
	draft              bool
	properties, traits bool // whether it reads them
}

func newQuestion(k *keptSegment, book *segment.Book, p *segment.Program, draft bool) question {
	needs := p.Needs()
	return question{kept: k, book: book, program: p, draft: draft, properties: needs.Properties, traits: needs.Traits}
}

// assess brings what is made of the individuals whom the transaction stirred up to
// date: their digests, the segments that they are in, and when to look at them again.
func (b *batch) assess(ctx context.Context) error {
	if len(b.stirs) == 0 {
		return nil
	}
	if err := b.leave(ctx); err != nil {
		return err
	}
	standings, err := b.standings(ctx, list(b.stirs))
	if err != nil {
		return err
	}
	questions := make(map[uuid.UUID][]question, len(standings))
	var asked, kept, read, detailed []uuid.UUID
	for id, s := range standings {
		q := b.questions(b.stirs[id])
		if len(q) == 0 {
			continue
		}
		questions[id] = q
		asked = append(asked, id)
		if !s.isNew {
			kept = append(kept, id)
		}
		switch st := b.stirs[id]; {
		case slices.ContainsFunc(q, func(q question) bool { return q.properties }):
			detailed = append(detailed, id)
		case !s.known && (!st.isNew || st.rebuild):
			read = append(read, id)
		}
	}
	err = b.memberships(ctx, kept, func(m *membershipRow) { standings[m.IndividualID].add(m) })
	if err != nil {
		return err
	}
	people, err := b.people(ctx, asked, questions)
	if err != nil {
		return err
	}
	if err := b.readFacts(ctx, people, read, 0); err != nil {
		return err
	}
	if err := b.readFacts(ctx, people, detailed, WithProperties); err != nil {
		return err
	}
	w := b.newOutcome()
	reader := &digest.Reader{Channel: func(id uuid.UUID) (*insight.Channel, error) { return b.store.directory.channelByID(ctx, id) }}
	var tied []uuid.UUID
	for id, s := range standings {
		switch err := b.assessOne(id, s, people[id], questions[id], reader, w); {
		case err == errTied: //nolint:errorlint // it is a sign, and never wrapped
			tied = append(tied, id)
		case err != nil:
			return err
		}
	}
	if err := b.readFacts(ctx, people, tied, 0); err != nil {
		return err
	}
	for _, id := range tied {
		if err := b.assessOne(id, standings[id], people[id], questions[id], reader, w); err != nil {
			return err
		}
	}
	clear(b.stirs)
	return w.write(ctx)
}

// questions are the rules to ask of an individual, by what was done to them.
func (b *batch) questions(s *stir) []question {
	all := b.policy.audience.questions
	if s.all || s.isNew || s.due { // what is dated ahead makes its moment one of any rule
		return all
	}
	concerned := make([]bool, len(all))
	touch := func(some []int, x *insight.Interaction) {
		for _, n := range some {
			concerned[n] = concerned[n] || all[n].program.TouchedBy(x)
		}
	}
	for _, e := range s.entries {
		touch(b.policy.audience.byType[e.Type], e.Interaction)
		touch(b.policy.audience.anyType, e.Interaction)
	}
	var asked []question
	for n := range all {
		if q := &all[n]; concerned[n] || s.drafts && q.draft || slices.ContainsFunc(s.traits, q.program.TouchedByTrait) {
			asked = append(asked, *q)
		}
	}
	return asked
}

// catchUp does what time alone has changed for some individuals who are loaded, before
// anything else changes them, and returns who they are.
func (b *batch) catchUp(ctx context.Context) ([]uuid.UUID, error) {
	stirs, leavers := b.stirs, b.leavers
	b.stirs, b.leavers = map[uuid.UUID]*stir{}, map[uuid.UUID]string{}
	for id, row := range b.individuals {
		if row.into == nil && !row.lookAt.IsZero() && !row.lookAt.After(b.now) {
			b.stirred(id).due = true
			row.lookAt = time.Time{}
		}
	}
	due := list(b.stirs)
	err := b.assess(ctx)
	b.stirs, b.leavers = stirs, leavers
	return due, err
}

// standings reads what is kept of some individuals; those who do not exist any longer
// are not among them.
func (b *batch) standings(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*standing, error) {
	standings := make(map[uuid.UUID]*standing, len(ids))
	ids = slices.DeleteFunc(ids, func(id uuid.UUID) bool {
		row := b.individuals[id]
		switch {
		case row == nil:
			return false
		case b.stirs[id].isNew:
			standings[id] = &standing{isNew: true}
		case row.kept != nil:
			standings[id] = b.standing(id, *row.kept)
		default:
			return false
		}
		return true
	})
	if len(ids) == 0 {
		return standings, nil
	}
	keys := b.engine.keys(ids)
	err := b.query(ctx, "SELECT "+b.engine.id("id")+", digest, "+b.engine.at("look_at")+" FROM individuals WHERE "+b.engine.anyOf("id", 1), []any{keys}, func(r *sql.Rows) error {
		var id uuid.UUID
		var s standing
		var look moment
		err := r.Scan(&id, &s.digest, &look)
		s.known, s.lookAt = s.digest != nil, look.Time
		standings[id] = b.standing(id, s)
		return err
	})
	return standings, err
}

// standing is what is kept of an individual, as far as it may be relied on.
func (b *batch) standing(id uuid.UUID, s standing) *standing {
	s.known = s.known && !b.stirs[id].rebuild
	return &s
}

// lasting is the condition that a membership has not ended, for whoever asks about some
// individuals. Said plainly, it would have PostgreSQL read an index of everybody's, in a
// table of which it does not know yet that most have not.
const lasting = "CASE WHEN exited_at IS NULL THEN TRUE ELSE FALSE END"

// memberships reads the memberships of some individuals that have not ended.
func (b *batch) memberships(ctx context.Context, ids []uuid.UUID, yield func(*membershipRow)) error {
	if len(ids) == 0 {
		return nil
	}
	return b.query(ctx, "SELECT "+membershipColumns(b.engine)+" FROM memberships WHERE "+lasting+" AND "+b.engine.anyOf("individual_id", 1), []any{b.engine.keys(ids)}, func(r *sql.Rows) error {
		m, err := scanMembership(r)
		if err == nil {
			yield(m)
		}
		return err
	})
}

func membershipColumns(e *engine) string {
	return e.id("id") + ", " + e.id("individual_id") + ", " + e.id("segment_id") + ", " + e.at("entered_at") + ", since_edition, until_edition, announced"
}

func scanMembership(r *sql.Rows) (*membershipRow, error) {
	var m membershipRow
	var entered moment
	var until sql.NullInt64
	err := r.Scan(&m.ID, &m.IndividualID, &m.SegmentID, &entered, &m.since, &until, &m.announced)
	m.EnteredAt, m.until = entered.Time, int(until.Int64)
	return &m, err
}

// people reads what rules ask of some individuals beside what happened to them.
func (b *batch) people(ctx context.Context, ids []uuid.UUID, questions map[uuid.UUID][]question) (map[uuid.UUID]*person, error) {
	people := make(map[uuid.UUID]*person, len(ids))
	var traits []uuid.UUID
	for _, id := range ids {
		people[id] = &person{coverage: b.policy.audience.silent}
		if slices.ContainsFunc(questions[id], func(q question) bool { return q.traits }) {
			traits = append(traits, id)
		}
	}
	if len(ids) == 0 {
		return people, nil
	}
	if err := b.eachTrait(ctx, traits, func(id uuid.UUID, t insight.Trait) { people[id].traits = append(people[id].traits, t) }); err != nil {
		return nil, err
	}
	return people, b.coverage(ctx, ids, people)
}

// coverage works out what covers those of some individuals who have decided anything.
func (b *batch) coverage(ctx context.Context, ids []uuid.UUID, people map[uuid.UUID]*person) error {
	var unread []uuid.UUID
	for _, id := range ids {
		row, loaded := b.individuals[id]
		switch {
		case b.spans[id] != nil:
			people[id].coverage = b.spans[id]
		case loaded && !row.decided:
		default:
			unread = append(unread, id)
		}
	}
	if len(unread) == 0 {
		return nil
	}
	decisions := map[uuid.UUID][]*insight.Consent{}
	err := b.eachDecision(ctx, unread, func(d *insight.Consent) { decisions[d.IndividualID] = append(decisions[d.IndividualID], d) })
	refusals := b.policy.refusals(decisions)
	for id, all := range decisions {
		people[id].coverage, people[id].refusals = consent.Spans(b.policy.purposes, all, farthest), refusals[id]
	}
	return err
}

// eachTrait reads what every source says of some individuals.
func (b *batch) eachTrait(ctx context.Context, ids []uuid.UUID, yield func(uuid.UUID, insight.Trait)) error {
	if len(ids) == 0 {
		return nil
	}
	return b.query(ctx, "SELECT "+b.engine.id("individual_id")+", key, value, provenance, confidence, sensitivity, "+b.engine.id("source_id")+", "+b.engine.at("observed_at")+" FROM traits WHERE "+b.engine.anyOf("individual_id", 1), []any{b.engine.keys(ids)}, func(r *sql.Rows) error {
		var id, source uuid.UUID
		var t insight.Trait
		var value []byte
		var observed moment
		if err := r.Scan(&id, &t.Key, &value, &t.Provenance, &t.Confidence, &t.Sensitivity, &source, &observed); err != nil {
			return err
		}
		t.Value, t.ObservedAt = value, observed.Time
		from, err := b.store.directory.sourceByID(ctx, source)
		if err == nil {
			t.Source = from.Name
			yield(id, t)
		}
		return err
	})
}

// readFacts reads what happened to some people from the facts.
func (b *batch) readFacts(ctx context.Context, people map[uuid.UUID]*person, ids []uuid.UUID, detail Detail) error {
	if len(ids) == 0 {
		return nil
	}
	entries, err := b.entries(ctx, ids, (&Reader{store: b.store, engine: b.engine}).interactions(detail))
	if err != nil {
		return err
	}
	refusals, err := b.refusals(ctx, ids)
	for _, id := range ids {
		people[id].entries, people[id].refusals = entries[id], refusals[id]
		if people[id].entries == nil {
			people[id].entries = []digest.Entry{} // read, and none
		}
	}
	return err
}

// assessOne brings one individual up to date.
func (b *batch) assessOne(id uuid.UUID, s *standing, p *person, questions []question, reader *digest.Reader, w *outcome) error {
	st := b.stirs[id]
	written, err := b.history(s, st, p, reader)
	if err != nil {
		return err
	}
	if len(questions) == 0 {
		look := s.lookAt
		if st.due {
			look = time.Time{} // nothing is left that time changes
		}
		w.individual(id, written, s, look)
		return nil
	}
	a := &assessment{batch: b, id: id, standing: s, outcome: w, because: st.why()}
	look := time.Time{}
	if !st.all && !st.due && !st.isNew {
		look = s.lookAt // it holds for the rules that are not asked
	}
	for n := range questions {
		course := a.ask(&questions[n], p, st.due)
		if !course.Look.IsZero() && (look.IsZero() || course.Look.Before(look)) {
			look = course.Look
		}
	}
	w.individual(id, written, s, look)
	return nil
}

// history works out what is known to have happened to an individual, for whoever asks,
// and the digest of it; nil where that is to be written later.
func (b *batch) history(s *standing, st *stir, p *person, reader *digest.Reader) ([]byte, error) {
	slices.SortFunc(st.entries, byTime)
	switch {
	case p != nil && p.entries != nil: // read from the facts
		return digest.Write(p.entries, p.refusals), nil
	case st.isNew && !st.rebuild:
		if p != nil {
			p.entries = st.entries
		}
		return digest.Write(st.entries, nil), nil
	case !s.known:
		return nil, nil
	case len(st.entries) == 0 && p == nil:
		return s.digest, nil
	}
	entries, refusals, err := reader.Entries(s.digest)
	if err != nil {
		return nil, err
	}
	entries, ok := digest.Insert(entries, st.entries)
	if !ok {
		if p == nil {
			return nil, nil //nolint:nilnil // it is written later
		}
		return nil, errTied
	}
	if p != nil {
		p.entries, p.refusals = entries, refusals
	}
	if len(st.entries) == 0 {
		return s.digest, nil
	}
	return digest.Write(entries, refusals), nil
}

// assessment is one individual who is being brought up to date.
type assessment struct {
	*batch
	*standing
	outcome *outcome
	id      uuid.UUID
	because string
}

// ask asks one rule, and does what follows. Due says that time may have changed the
// answer since the individual was to be looked at again.
func (a *assessment) ask(q *question, p *person, due bool) segment.Course {
	from := a.now
	if due && a.lookAt.Before(a.now) {
		from = a.lookAt
		if !q.draft {
			from = later(from, q.kept.liveAt) // before, another edition answered
		}
	}
	course := q.program.Over(p.subject(a.policy, q.book, q.kept.Purpose), from, a.now)
	if q.draft {
		a.drafted(q.kept, course.Holds == (len(course.Changes)%2 == 0))
		return course
	}
	a.settle(q.kept)
	holds := course.Holds
	a.turn(q.kept, holds, from)
	for _, at := range course.Changes {
		holds = !holds
		a.turn(q.kept, holds, at)
	}
	return course
}

// member is the membership that an edition sees, or nil.
func (a *assessment) member(k *keptSegment, edition int) *membershipRow {
	for _, m := range a.in[k.ID] {
		if m.sees(edition) {
			return m
		}
	}
	return nil
}

func (a *assessment) add(m *membershipRow) {
	a.standing.add(m)
	a.outcome.memberships = append(a.outcome.memberships, m)
}

func (a *assessment) change(m *membershipRow) {
	if !m.isNew && !m.changed {
		a.outcome.memberships = append(a.outcome.memberships, m)
	}
	m.changed = true
}

// settle announces what the edition that answers changed when it took its place, where
// that has not been done yet.
func (a *assessment) settle(k *keptSegment) {
	for _, m := range a.in[k.ID] {
		switch {
		case m.gone || !m.ExitedAt.IsZero():
		case m.until != 0 && m.until <= k.edition:
			a.exit(k, m, k.liveAt, "the rule was computed anew")
		case m.since <= k.edition && !m.announced:
			m.announced = true
			a.change(m)
			a.outcome.announce(m, k, true, m.EnteredAt, "the rule was computed anew")
		}
	}
}

// turn makes an individual a member, or not, from a moment on.
func (a *assessment) turn(k *keptSegment, holds bool, at time.Time) {
	m := a.member(k, k.edition)
	if holds == (m != nil) {
		return
	}
	if !holds {
		drafted := k.drafting && m.until == 0
		a.exit(k, m, at, a.because)
		if drafted {
			a.add(&membershipRow{
				Membership: segment.Membership{ID: newID(), IndividualID: a.id, SegmentID: k.ID, EnteredAt: at}, since: k.edition + 1, isNew: true,
			})
		}
		return
	}
	if m = a.member(k, k.edition+1); m != nil && k.drafting { // the draft sees them already
		m.since, m.EnteredAt, m.announced = k.edition, at, true
		a.change(m)
	} else {
		m = &membershipRow{
			Membership: segment.Membership{ID: newID(), IndividualID: a.id, SegmentID: k.ID, EnteredAt: at}, since: k.edition, announced: true, isNew: true,
		}
		if k.drafting {
			m.until = k.edition + 1
		}
		a.add(m)
	}
	a.outcome.announce(m, k, true, at, a.because)
}

func (a *assessment) exit(k *keptSegment, m *membershipRow, at time.Time, because string) {
	if m.EnteredAt.After(at) {
		at = m.EnteredAt
	}
	m.ExitedAt = at
	a.change(m)
	if m.announced {
		a.outcome.announce(m, k, false, at, because)
	}
}

// drafted notes what the draft says of an individual.
func (a *assessment) drafted(k *keptSegment, holds bool) {
	next := k.edition + 1
	live, m := a.member(k, k.edition), a.member(k, next)
	switch {
	case holds == (m != nil):
	case !holds && m == live:
		m.until = next
		a.change(m)
	case !holds:
		m.gone = true
		a.change(m)
	case live != nil:
		live.until = 0
		a.change(live)
	default:
		a.add(&membershipRow{
			Membership: segment.Membership{ID: newID(), IndividualID: a.id, SegmentID: k.ID, EnteredAt: a.now}, since: next, isNew: true,
		})
	}
}

func byTime(a, b digest.Entry) int {
	switch {
	case a.Before(b.Interaction):
		return -1
	case b.Before(a.Interaction):
		return 1
	}
	return 0
}
