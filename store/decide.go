package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
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
// the order of the questions. All are as of the transaction that keeps them, so no two
// of an individual are decided without knowing of each other; and whoever is covered no
// more when they are kept is offered nothing.
func (s *Store) Decide(ctx context.Context, asked []Asking) ([]*Decided, error) {
	if err := s.look(ctx); err != nil {
		return nil, err
	}
	source, err := s.Source(ctx, APISource)
	if err != nil {
		return nil, err
	}
	told := make([]*Decided, len(asked))
	rest := make([]int, len(asked))
	for n := range asked {
		rest[n] = n
	}
	for len(rest) > 0 {
		var again []int
		err := s.change(ctx, "store.Decide", func(b *batch) error {
			d := &deciding{batch: b, source: source, asked: asked, told: told}
			var err error
			again, err = d.run(ctx, rest)
			return err
		})
		if err != nil {
			return nil, err
		}
		rest = again
	}
	return told, s.withhold(ctx, told)
}

// withhold takes back what is offered to those whom the purpose does not cover any more:
// they have withdrawn since it was kept.
func (s *Store) withhold(ctx context.Context, told []*Decided) error {
	var ids []uuid.UUID
	for _, d := range told {
		if d.Variant != nil {
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
		if d.Variant != nil && permitted[d.IndividualID]&d.Experience.Purpose.Set() == 0 {
			told[n] = uncovered(d.Experience, d.At)
		}
	}
	return translate("store.Decide", err)
}

// uncovered is the answer about somebody whom the purpose does not cover.
func uncovered(e *experience.Experience, at time.Time) *Decided {
	return &Decided{Decision: experience.Decide(e, &experience.Subject{}, at), Experience: e, At: at}
}

// deciding is the work of one transaction of [Store.Decide].
type deciding struct {
	*batch
	source *insight.Source
	asked  []Asking
	told   []*Decided
	needs  needs
}

// needs are what has to be read for the experiences that are asked about.
type needs struct {
	experiences      []uuid.UUID
	segments, traits bool
}

// asks notes what a question needs.
func (n *needs) asks(e *experience.Experience, a *audience) {
	if slices.Contains(n.experiences, e.ID) {
		return
	}
	n.experiences = append(n.experiences, e.ID)
	for _, v := range e.Variants {
		n.traits = n.traits || len(v.Traits) > 0
		if v.Segment != "" {
			k := a.byKey(v.Segment)
			n.segments, n.traits = true, n.traits || k != nil && k.live != nil && len(k.live.TraitKeys()) > 0
		}
	}
}

// run answers some of the questions, and returns those that have to wait for what it
// decides about the same individuals.
func (d *deciding) run(ctx context.Context, questions []int) (again []int, err error) {
	keys, err := d.find(ctx, questions)
	if err != nil {
		return nil, err
	}
	var ids []uuid.UUID
	var now []int
	for _, n := range questions {
		f := d.identifiers[keys[n]]
		switch {
		case f == nil:
			now = append(now, n)
		case slices.Contains(ids, f.individual):
			again = append(again, n)
		default:
			ids, now = append(ids, f.individual), append(now, n)
		}
	}
	for _, n := range now {
		e := d.policy.experience(d.asked[n].Experience.ID)
		if e == nil {
			return nil, errNoExperience
		}
		d.needs.asks(e, d.policy.audience)
	}
	subjects, err := d.subjects(ctx, ids)
	if err != nil {
		return nil, err
	}
	var events []*insight.Event
	var whose []int
	for _, n := range now {
		e := d.policy.experience(d.asked[n].Experience.ID)
		answer := &Decided{Experience: e, At: d.now}
		d.told[n] = answer
		f := d.identifiers[keys[n]]
		if f == nil {
			answer.Decision = experience.Decide(e, nil, d.now)
			continue
		}
		s := subjects[f.individual].of(d.batch, e)
		answer.Decision = experience.Decide(e, s, d.now)
		if s.Covered {
			answer.IndividualID = f.individual
		}
		if answer.Variant == nil && !answer.Holdout {
			continue
		}
		event := d.event(&d.asked[n], answer, f.Identity)
		if !event.Statement {
			answer.InteractionID = event.ID()
		}
		events, whose = append(events, event), append(whose, n)
	}
	d.arrivals, d.own = d.store.arrivals(events), true
	outcomes, err := d.append(ctx)
	if err != nil {
		return nil, err
	}
	for i, o := range outcomes {
		if o.Status != insight.StatusAccepted { // nothing that happens may be kept of them
			n := whose[i]
			d.told[n] = uncovered(d.told[n].Experience, d.now)
		}
	}
	return again, d.note(ctx, now)
}

// note writes down who is told of whom.
func (d *deciding) note(ctx context.Context, answered []int) error {
	entries := map[uuid.UUID]accessEntry{}
	minute := d.now.Truncate(accessSpan)
	for _, n := range answered {
		v, told := d.asked[n].Viewer, d.told[n]
		if v == nil || told.IndividualID == uuid.Nil {
			continue
		}
		g := glance{v.Subject, told.Experience.Purpose.Key, told.IndividualID}
		entries[d.store.accessKey(g, decideOperation, minute)] = accessEntry{told.IndividualID, told.Experience.Purpose.ID, v.Subject, decideOperation, minute}
	}
	return d.store.insertEntries(ctx, d.tx, entries)
}

// decideOperation is how whoever asks for a decision is shown somebody.
const decideOperation = "mutation"

// find loads the identifiers that the questions name, and whose they are, and returns
// the key of each; it is none's where nobody is known by it.
func (d *deciding) find(ctx context.Context, questions []int) (map[int]uuid.UUID, error) {
	keys := make(map[int]uuid.UUID, len(questions))
	var named, origins []uuid.UUID
	for _, n := range questions {
		if who := d.asked[n].Who; who.ID != uuid.Nil {
			origins = append(origins, who.ID)
		} else {
			keys[n] = d.store.key(who.Identity)
			named = append(named, keys[n])
		}
	}
	if err := d.loadIdentifiers(ctx, named); err != nil {
		return nil, err
	}
	if len(origins) > 0 {
		err := d.query(ctx, identifierColumns+" FROM identifiers WHERE "+d.engine.anyOf("origin", 1), []any{d.engine.keys(origins)}, d.scanIdentifier)
		if err != nil {
			return nil, err
		}
		of := make(map[uuid.UUID]uuid.UUID, len(origins))
		for key, f := range d.identifiers {
			of[f.origin] = key
		}
		for _, n := range questions {
			if who := d.asked[n].Who; who.ID != uuid.Nil {
				keys[n] = of[who.ID]
			}
		}
	}
	if err := d.loadIndividuals(ctx); err != nil { // with what time alone has changed of their memberships
		return nil, err
	}
	return keys, d.loadSpans(ctx)
}

// subject is what decides what an individual is offered.
type subject struct {
	id      uuid.UUID
	person  *person
	in      map[string]bool                    // keys of the segments that they are in
	earlier map[uuid.UUID][]experience.Earlier // by experience
}

// subjects reads what decides about some individuals.
func (d *deciding) subjects(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*subject, error) {
	subjects := make(map[uuid.UUID]*subject, len(ids))
	if len(ids) == 0 {
		return subjects, nil
	}
	rows := make([]keptIndividual, len(ids))
	for n, id := range ids {
		rows[n] = keptIndividual{id: id, digest: d.individuals[id].kept.digest}
	}
	err := d.acquaint(ctx, rows, segment.Needs{Traits: d.needs.traits}, func(id uuid.UUID, p *person, _ insight.Set) {
		subjects[id] = &subject{id: id, person: p, in: map[string]bool{}, earlier: map[uuid.UUID][]experience.Earlier{}}
	})
	if err != nil {
		return nil, err
	}
	if d.needs.segments {
		err := d.memberships(ctx, ids, func(m *membershipRow) {
			if k := d.policy.audience.byID(m.SegmentID); k != nil && k.Status != segment.Archived && m.sees(k.edition) {
				subjects[m.IndividualID].in[k.Key] = true
			}
		})
		if err != nil {
			return nil, err
		}
	}
	err = d.query(ctx, "SELECT individual_id, experience_id, variant, decided_at FROM decisions WHERE "+d.engine.anyOf("individual_id", 1)+" AND "+d.engine.anyOf("experience_id", 2), []any{d.engine.keys(ids), d.engine.keys(d.needs.experiences)}, func(r *sql.Rows) error {
		var id, of uuid.UUID
		earlier, err := scanEarlier(r, &id, &of)
		if err == nil {
			subjects[id].earlier[of] = append(subjects[id].earlier[of], earlier)
		}
		return err
	})
	return subjects, err
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
	known := &insight.History{Timeline: s.person.timeline(b.policy, e.Purpose), Refusals: s.person.refusals}
	of := &experience.Subject{
		Individual: s.id, Covered: consent.At(s.person.coverage, b.now)&e.Purpose.Set() != 0,
		// Neither status that matters here depends on a trip wire.
		Relationship: relationship.Of(known, relationship.Options{AsOf: b.now}).Status,
		Members:      s.in, Traits: s.person.traits, RuleTraits: map[string][]string{}, Earlier: s.earlier[e.ID],
	}
	for _, v := range e.Variants {
		if k := b.policy.audience.byKey(v.Segment); k != nil && k.live != nil {
			of.RuleTraits[v.Segment] = k.live.TraitKeys()
		}
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
		id.uuid(a.assignment)
		individual.uuid(b.individualOf(a.keys[0]))
		owner.uuid(a.keys[0])
		of.uuid(a.Assignment.ExperienceID)
		variant.text(a.Assignment.Variant)
		at.time(a.OccurredAt)
	}
	return r.insert(ctx, b.tx, "decisions", "")
}
