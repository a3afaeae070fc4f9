package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/insight/digest"
	"github.com/acquaint/acquaint/insight/experience"
	"github.com/acquaint/acquaint/insight/relationship"
	"github.com/acquaint/acquaint/insight/segment"
)

// DecisionType is the type of the interaction that an offer is.
const DecisionType = "decision"

// Asking asks what somebody is offered.
type Asking struct {
	Experience *experience.Experience
	Who        Lookup
	Channel    *insight.Channel // where it is shown; nil: the default channel of the API's source
	Context    json.RawMessage  // a JSON object that is kept with an offer, or nil
	// Viewer is who is told, which is written down with what is decided: nil, nobody is.
	Viewer *insight.Viewer
}

// Decided is what somebody is offered.
type Decided struct {
	experience.Decision
	Experience    *experience.Experience
	IndividualID  uuid.UUID // zero: nobody is known by this, or the purpose does not cover them
	InteractionID uuid.UUID // the offer; zero: there is none
	At            time.Time
}

// Decide decides what some individuals are offered, and keeps what it decides: an offer
// as an outbound interaction, and of whom is held out that they are. The answers are in
// the order of the questions, and each is what it would be if it were asked alone after
// those before it, but that what an offer changes of memberships is seen only by later
// calls. All are decided in the transaction that keeps them; of whoever is covered no
// more once that is durable, nothing is told.
func (s *Store) Decide(ctx context.Context, asked []Asking) ([]*Decided, error) {
	told, err := s.KeepDecisions(ctx, asked)
	if err != nil {
		return nil, err
	}
	if err := s.Withhold(ctx, told); err != nil {
		return nil, err
	}
	return told, nil
}

// KeepDecisions is [Store.Decide] for whoever withholds by themselves, before they tell
// anybody: see [Store.Withhold].
func (s *Store) KeepDecisions(ctx context.Context, asked []Asking) ([]*Decided, error) {
	if len(asked) == 0 {
		return nil, nil
	}
	if err := s.look(ctx); err != nil {
		return nil, err
	}
	source, err := s.Source(ctx, APISource)
	if err != nil {
		return nil, err
	}
	var told []*Decided
	err = s.change(ctx, "store.Decide", func(b *batch) error {
		d := &deciding{batch: b, source: source, asked: asked, told: make([]*Decided, len(asked)), subjects: map[uuid.UUID]*subject{}}
		told = d.told
		return d.run(ctx)
	})
	if err != nil {
		return nil, err
	}
	return told, nil
}

// Withhold takes back what is said of those whom the purpose does not cover any more:
// they have withdrawn since it was kept.
func (s *Store) Withhold(ctx context.Context, told []*Decided) error {
	var ids []uuid.UUID
	for _, d := range told {
		if d.IndividualID != uuid.Nil {
			ids = append(ids, d.IndividualID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	stmt, err := s.read.stmt(ctx, "SELECT id, permitted FROM individuals WHERE "+s.read.anyOf("id", 1))
	if err != nil {
		return translate("store.Decide", err)
	}
	answer, err := stmt.QueryContext(ctx, s.read.keys(ids))
	if err != nil {
		return translate("store.Decide", err)
	}
	permitted := make(map[uuid.UUID]insight.Set, len(ids))
	err = each(answer, func(r *sql.Rows) error {
		var id uuid.UUID
		var set insight.Set
		err := r.Scan(&id, &set)
		permitted[id] = s.policy().stored(set)
		return err
	})
	for n, d := range told {
		if d.IndividualID != uuid.Nil && permitted[d.IndividualID]&d.Experience.Purpose.Set() == 0 {
			told[n] = uncovered(d.Experience, d.At)
		}
	}
	return translate("store.Decide", err)
}

// uncovered is the answer about somebody whom the purpose does not cover.
func uncovered(e *experience.Experience, at time.Time) *Decided {
	return &Decided{Decision: experience.Decide(e, &experience.Subject{}, at), Experience: e, At: at}
}

// deciding is the transaction of [Store.Decide].
type deciding struct {
	*batch
	source      *insight.Source
	asked       []Asking
	told        []*Decided
	experiences []*experience.Experience // of each question
	subjects    map[uuid.UUID]*subject

	events []*insight.Event // what is to be kept
	whose  []int            // by which question
}

// run answers the questions.
func (d *deciding) run(ctx context.Context) error {
	for n := range d.asked {
		e := d.policy.experience(d.asked[n].Experience.ID)
		if e == nil {
			return errNoExperience
		}
		d.experiences = append(d.experiences, e)
	}
	keys, err := d.find(ctx)
	if err != nil {
		return err
	}
	var ids []uuid.UUID
	about := map[uuid.UUID][]int{} // questions
	for n, e := range d.experiences {
		f := d.identifiers[keys[n]]
		if f == nil {
			d.told[n] = &Decided{Decision: experience.Decide(e, nil, d.now), Experience: e, At: d.now}
			continue
		}
		if about[f.individual] == nil {
			ids = append(ids, f.individual)
		}
		about[f.individual] = append(about[f.individual], n)
	}
	err = d.everybody(ctx, ids, func(s *subject) {
		for _, n := range about[s.id] {
			d.answer(n, s, d.identifiers[keys[n]].Identity)
		}
	})
	if err != nil {
		return err
	}
	d.arrivals, d.own = d.store.arrivals(d.events), true
	outcomes, err := d.append(ctx)
	if err != nil {
		return err
	}
	for i, o := range outcomes {
		if o.Status != insight.StatusAccepted { // what may be kept is decided there
			n := d.whose[i]
			d.told[n] = uncovered(d.experiences[n], d.now)
		}
	}
	return d.note(ctx)
}

// answer answers a question about somebody who was named so.
func (d *deciding) answer(n int, s *subject, who insight.Identity) {
	e := d.experiences[n]
	known := s.of(d.batch, e)
	answer := &Decided{Decision: experience.Decide(e, known, d.now), Experience: e, At: d.now}
	d.told[n] = answer
	if known.Covered && known.Kept {
		answer.IndividualID = s.id
	}
	if !answer.Assigns {
		return
	}
	event := d.event(&d.asked[n], answer, who)
	if !event.Statement {
		answer.InteractionID = event.ID()
	}
	d.events, d.whose = append(d.events, event), append(d.whose, n)
	s.remember(d.batch, e, event)
}

// note writes down who is told of whom.
func (d *deciding) note(ctx context.Context) error {
	entries := map[uuid.UUID]accessEntry{}
	minute := d.now.Truncate(accessSpan)
	for n, told := range d.told {
		v := d.asked[n].Viewer
		if v == nil || told.IndividualID == uuid.Nil {
			continue
		}
		g := glance{v.Subject, told.Experience.Purpose.Key, told.IndividualID}
		entries[d.store.accessKey(g, decideOperation, minute)] = accessEntry{told.IndividualID, told.Experience.Purpose.ID, v.Subject, decideOperation, minute}
	}
	return d.insert(ctx, d.engine.entryRows(entries), "access_entries", "ON CONFLICT DO NOTHING")
}

// decideOperation is how whoever asks for a decision is shown somebody.
const decideOperation = "mutation"

// find loads the identifiers that the questions name, and all that is asked of whose they
// are, and returns the key of each; it is none's where nobody is known by it.
func (d *deciding) find(ctx context.Context) ([]uuid.UUID, error) {
	keys := make([]uuid.UUID, len(d.asked))
	var named, origins []uuid.UUID
	for n, a := range d.asked {
		if a.Who.ID != uuid.Nil {
			origins = append(origins, a.Who.ID)
		} else {
			keys[n] = d.store.key(a.Who.Identity)
			named = append(named, keys[n])
		}
	}
	if err := d.load(ctx, named, origins); err != nil {
		return nil, err
	}
	of := make(map[uuid.UUID]uuid.UUID, len(origins))
	for key, f := range d.identifiers {
		of[f.origin] = key
	}
	for n, a := range d.asked {
		if a.Who.ID != uuid.Nil {
			keys[n] = of[a.Who.ID]
		}
	}
	// What time alone has changed of their memberships is done first.
	due, err := d.catchUp(ctx)
	if err != nil {
		return nil, err
	}
	for _, id := range due {
		clear(d.subject(id).in)
	}
	if err := d.memberships(ctx, due, d.belongs); err != nil {
		return nil, err
	}
	return keys, d.loadSpans(ctx)
}

// load loads identifiers by their keys and by their origins, and all that is asked of
// whose they are.
func (d *deciding) load(ctx context.Context, named, origins []uuid.UUID) error {
	var sets [][]uuid.UUID
	var conditions []string
	for _, by := range []struct {
		column string
		keys   []uuid.UUID
	}{{"id", named}, {"origin", origins}} {
		if len(by.keys) > 0 {
			sets = append(sets, by.keys)
			conditions = append(conditions, d.engine.anyOf(by.column, len(sets)))
		}
	}
	among := " FROM identifiers WHERE " + strings.Join(conditions, " OR ")
	reads := []read{{identifierColumns + among, sets, d.scanIdentifier}}
	// Where questions go out together, each asks anew whose the identifiers are: that way
	// none has to wait for another's answer.
	theirs := func(column string) string { return column + " = ANY(ARRAY(SELECT individual_id" + among + "))" }
	if !d.engine.together() {
		if err := d.readAll(ctx, reads...); err != nil {
			return err
		}
		whose := map[uuid.UUID]bool{}
		for _, f := range d.identifiers {
			whose[f.individual] = true
		}
		reads, sets = nil, [][]uuid.UUID{list(whose)}
		theirs = func(column string) string { return d.engine.anyOf(column, 1) }
	}
	experiences, segments, _ := d.needs()
	reads = append(reads, []read{
		{individualColumns + ", digest FROM individuals WHERE " + theirs("id"), sets, d.scanKept},
		{"SELECT " + consentColumns + " FROM consents c WHERE " + theirs("c.individual_id"), sets, func(r *sql.Rows) error {
			c, err := scanConsent(r, d.purposeOf)
			if err != nil {
				return err
			}
			if row := d.individuals[c.IndividualID]; row != nil {
				row.decisions = append(row.decisions, c)
			}
			return nil
		}},
		{"SELECT individual_id, experience_id, variant, decided_at FROM decisions WHERE " + theirs("individual_id") + " AND " + d.engine.anyOf("experience_id", len(sets)+1), append(sets[:len(sets):len(sets)], experiences), func(r *sql.Rows) error {
			var id, of uuid.UUID
			earlier, err := scanEarlier(r, &id, &of)
			if err == nil {
				s := d.subject(id)
				s.earlier[of] = append(s.earlier[of], earlier)
			}
			return err
		}},
	}...)
	if segments {
		reads = append(reads, read{"SELECT " + membershipColumns(d.engine) + " FROM memberships WHERE " + lasting + " AND " + theirs("individual_id"), sets, func(r *sql.Rows) error {
			m, err := scanMembership(r)
			if err == nil {
				d.belongs(m)
			}
			return err
		}})
	}
	return d.readAll(ctx, reads...)
}

// subject is what is known of an individual.
func (d *deciding) subject(id uuid.UUID) *subject {
	s := d.subjects[id]
	if s == nil {
		s = &subject{id: id, in: map[string]bool{}, earlier: map[uuid.UUID][]experience.Earlier{}}
		d.subjects[id] = s
	}
	return s
}

// belongs takes in a membership that has not ended.
func (d *deciding) belongs(m *membershipRow) {
	if k := d.policy.audience.byID(m.SegmentID); k != nil && k.Status != segment.Archived && m.sees(k.edition) {
		d.subject(m.IndividualID).in[k.Key] = true
	}
}

// subject is what decides what an individual is offered.
type subject struct {
	id      uuid.UUID
	person  *person
	in      map[string]bool                    // keys of the segments that they are in
	earlier map[uuid.UUID][]experience.Earlier // by experience
}

// everybody hands out some individuals, whose history is not kept.
func (d *deciding) everybody(ctx context.Context, ids []uuid.UUID, yield func(*subject)) error {
	if len(ids) == 0 {
		return nil
	}
	rows := make([]keptIndividual, len(ids))
	for n, id := range ids {
		rows[n] = keptIndividual{id: id, digest: d.individuals[id].kept.digest}
	}
	_, _, traits := d.needs()
	return d.acquaint(ctx, rows, segment.Needs{Traits: traits}, func(id uuid.UUID, p *person, _ insight.Set) {
		s := d.subject(id)
		s.person = p
		yield(s)
		s.person = nil
	})
}

// needs tell what has to be read for the experiences that are asked about.
func (d *deciding) needs() (experiences []uuid.UUID, segments, traits bool) {
	for _, e := range d.experiences {
		if slices.Contains(experiences, e.ID) {
			continue
		}
		experiences = append(experiences, e.ID)
		for _, v := range e.Variants {
			traits = traits || len(v.Traits) > 0
			if v.Segment != "" {
				segments, traits = true, traits || len(d.ruleTraits(v.Segment)) > 0
			}
		}
	}
	return experiences, segments, traits
}

// ruleTraits are the keys of the traits that the rule of a segment reads.
func (b *batch) ruleTraits(segment string) []string {
	if k := b.policy.audience.byKey(segment); k != nil && k.live != nil {
		return k.live.TraitKeys()
	}
	return nil
}

// remember has later questions know what was decided.
func (s *subject) remember(b *batch, e *experience.Experience, event *insight.Event) {
	s.earlier[e.ID] = append(s.earlier[e.ID], experience.Earlier{Variant: event.Assignment.Variant, Holdout: event.Statement, At: b.now})
	if event.Statement {
		return
	}
	a := arrival{Event: event, id: event.ID()}
	s.person.entries = append(s.person.entries, digest.Entry{Interaction: a.interaction(s.id), Permitted: b.policy.stored(consent.At(s.person.coverage, b.now))})
}

// scanEarlier reads a decision, whose last columns are its variant and when it was made.
func scanEarlier(r *sql.Rows, before ...any) (experience.Earlier, error) {
	var e experience.Earlier
	var at moment
	err := r.Scan(append(before, &e.Variant, &at)...)
	e.At, e.Holdout = at.Time, e.Variant == ""
	return e, err
}

// of is what an experience may know of the individual.
func (s *subject) of(b *batch, e *experience.Experience) *experience.Subject {
	now := consent.At(s.person.coverage, b.now)
	kept := true
	if p := b.policy.byKey(collection); p != nil {
		kept = now&p.Set() != 0
	}
	known := &insight.History{Timeline: s.person.timeline(b.policy, e.Purpose), Refusals: s.person.refusals}
	of := &experience.Subject{
		Individual: s.id, Covered: now&e.Purpose.Set() != 0, Kept: kept,
		// Neither status that matters here depends on a trip wire.
		Relationship: relationship.Of(known, relationship.Options{AsOf: b.now}).Status,
		Members:      s.in, Traits: s.person.traits, RuleTraits: map[string][]string{}, Earlier: s.earlier[e.ID],
	}
	for _, v := range e.Variants {
		of.RuleTraits[v.Segment] = b.ruleTraits(v.Segment)
	}
	return of
}

// event is what is kept of a decision.
func (d *deciding) event(asked *Asking, of *Decided, who insight.Identity) *insight.Event {
	e := &insight.Event{
		MessageID: newID().String(), Timestamp: d.now, Source: d.source, Channel: asked.Channel, Type: DecisionType, Direction: insight.Outbound,
		OccurredAt: d.now, ReceivedAt: d.now, Identities: []insight.Identity{who}, Stream: who,
		Assignment: &insight.Assignment{ExperienceID: of.Experience.ID}, Statement: of.Holdout,
	}
	if e.Channel == nil {
		e.Channel = d.source.DefaultChannel
	}
	if v := of.Variant; v != nil {
		e.Assignment.Variant = v.Key
		e.Properties = DecisionProperties(of.Experience.Key, v.Key, asked.Context)
	}
	return e
}

// DecisionProperties are the properties of the interaction that an offer is.
func DecisionProperties(experience, variant string, given json.RawMessage) json.RawMessage {
	text, _ := json.Marshal(struct { // two strings, and JSON that was checked, always marshal
		Experience string          `json:"experience"`
		Variant    string          `json:"variant"`
		Context    json.RawMessage `json:"context,omitempty"`
	}{experience, variant, given})
	return text
}

// writeAssignments keeps what was decided in experiences.
func (b *batch) writeAssignments(ctx context.Context, fresh []*arrival) error {
	r := b.engine.rows()
	id, individual, owner := r.column("id", "uuid"), r.column("individual_id", "uuid"), r.column("owner", "uuid")
	of, variant, at := r.column("experience_id", "uuid"), r.column("variant", "text"), r.column("decided_at", "timestamptz")
	for _, a := range fresh {
		if a.Assignment == nil {
			continue
		}
		id.uuid(a.id)
		individual.uuid(b.individualOf(a.keys[0]))
		owner.uuid(a.keys[0])
		of.uuid(a.Assignment.ExperienceID)
		variant.text(a.Assignment.Variant)
		at.time(a.OccurredAt)
	}
	return b.insert(ctx, r, "decisions", "")
}
