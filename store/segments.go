package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/experience"
	"github.com/acquaint/acquaint/insight/segment"
)

// mostSegments bounds how many rules an interaction may have to be asked of.
const mostSegments = 1000

var segmentKey = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$`)

// NewSegment is what it takes to make a segment.
type NewSegment struct {
	Key, Name, Description string
	Purpose                string // key
	MinConfidence          float64
	Rule                   *segment.Rule
}

// SegmentChange says what of a segment is to be another way; nil stays as it is.
type SegmentChange struct {
	Name, Description *string
	MinConfidence     *float64
	Rule              *segment.Rule
}

// CreateSegment keeps a rule under a name; it is computed from then on. Making one
// again just as it is gives that one. The error is of kind Invalid, with the path of
// what is wrong, and of kind Conflict when the key is taken by another one.
func (s *Store) CreateSegment(ctx context.Context, n NewSegment) (*segment.Segment, error) {
	if !segmentKey.MatchString(n.Key) {
		return nil, insight.NewError(insight.Invalid, "key", "it is 1 to 100 letters, digits, dots, dashes and underscores, the first a letter or a digit")
	}
	if err := checkSegment(n.Name, n.Description, n.MinConfidence, n.Rule); err != nil {
		return nil, err
	}
	err := s.reform(ctx, "store.CreateSegment", func(b *batch) error {
		p := b.policy.byKey(n.Purpose)
		if p == nil {
			return insight.NewError(insight.Invalid, "purpose", "there is no such purpose")
		}
		d := segment.Definition{Key: n.Key, Purpose: p, MinConfidence: n.MinConfidence, Rule: n.Rule}
		if k := b.policy.audience.byKey(n.Key); k != nil {
			if k.Status != segment.Archived && k.Name == n.Name && k.Description == n.Description && k.MinConfidence == n.MinConfidence && k.Purpose == p && sameRule(k.Rule, n.Rule) {
				return nil
			}
			return insight.NewError(insight.Conflict, "key", "there is a segment with this key already")
		}
		if len(b.policy.audience.segments) >= mostSegments {
			return insight.NewError(insight.Exhausted, "key", fmt.Sprintf("there can be %d segments", mostSegments))
		}
		program, err := b.compileDraft(&d)
		if err != nil {
			return err
		}
		return b.exec(ctx, `INSERT INTO segments (id, key, name, description, purpose_id, version, rule, min_confidence, created_at, updated_at, drafting, draft_models)
			VALUES ($1, $2, $3, $4, $5, 1, $6, $7, $8, $9, $10, $11)`,
			newID().String(), n.Key, n.Name, n.Description, p.ID.String(), ruleText(n.Rule), n.MinConfidence, b.engine.time(b.now), b.engine.time(b.now), true, modelsToMake(program))
	})
	if err != nil {
		return nil, err
	}
	return s.Segment(ctx, n.Key)
}

func checkSegment(name, description string, confidence float64, r *segment.Rule) error {
	if err := checkName("name", name); err != nil {
		return err
	}
	switch {
	case utf8.RuneCountInString(description) > 1000 || !utf8.ValidString(description) || slices.Contains([]rune(description), 0):
		return insight.NewError(insight.Invalid, "description", "it has at most 1000 characters")
	case !(confidence >= 0 && confidence <= 1):
		return insight.NewError(insight.Invalid, "minConfidence", "it must lie between 0 and 1")
	case r == nil:
		return insight.NewError(insight.Invalid, "rule", "it is missing")
	}
	return r.Validate("rule")
}

func ruleText(r *segment.Rule) string {
	text, _ := json.Marshal(r) // a rule that is valid always marshals
	return string(text)
}

func sameRule(a, b *segment.Rule) bool { return ruleText(a) == ruleText(b) }

// modelsToMake are the models of a draft that needs none; of another they are to be
// made first.
func modelsToMake(p *segment.Program) string {
	if n := p.Needs(); n.Visits || n.Cuts || n.Lifetime || len(n.Habits) > 0 {
		return ""
	}
	return "{}"
}

// compileDraft compiles a definition among those that were last asked for, itself in
// the place of the one that has its key.
func (b *batch) compileDraft(d *segment.Definition) (*segment.Program, error) {
	p, err := segment.NewBook(b.policy.purposes, b.definitions(d)).Compile(d, nil)
	if e := new(insight.Error); errors.As(err, &e) && e.Kind != insight.Invalid {
		return nil, &insight.Error{Kind: insight.Invalid, Subject: "rule", Message: e.Message}
	}
	return p, err
}

// definitions are those that were last asked for.
func (b *batch) definitions(besides *segment.Definition) map[string]*segment.Definition {
	all := map[string]*segment.Definition{}
	for _, k := range b.policy.audience.segments {
		if k.Status != segment.Archived {
			all[k.Key] = &k.Definition
		}
	}
	if besides != nil {
		all[besides.Key] = besides
	}
	return all
}

// reform runs do, which changes what is asked of everyone, and learns it.
func (s *Store) reform(ctx context.Context, op string, do func(b *batch) error) error {
	err := s.change(ctx, op, func(b *batch) error {
		if err := do(b); err != nil {
			return err
		}
		return b.revise(ctx)
	})
	if err != nil {
		return err
	}
	defer s.wake()
	return translate(op, s.directory.load(ctx))
}

// revise has every process read the purposes and the segments again.
func (b *batch) revise(ctx context.Context) error {
	var revision [8]byte
	binary.BigEndian.PutUint64(revision[:], uint64(b.now.UnixMicro()))
	random := newID()
	return b.exec(ctx, "INSERT INTO settings (id, value) VALUES ('"+purposesRevision+"', $1) ON CONFLICT (id) DO UPDATE SET value = excluded.value", append(revision[:], random[:]...))
}

// UpdateSegment changes a segment. A new rule, or another least confidence, is a new
// version, which is computed while the old one answers. The error is of kind NotFound
// when there is none, and of kind Conflict when it is archived.
func (s *Store) UpdateSegment(ctx context.Context, key string, c SegmentChange) (*segment.Segment, error) {
	err := s.reform(ctx, "store.UpdateSegment", func(b *batch) error {
		k, err := b.segmentToChange(key)
		if err != nil {
			return err
		}
		name, description, d := k.Name, k.Description, k.Definition
		if c.Name != nil {
			name = *c.Name
		}
		if c.Description != nil {
			description = *c.Description
		}
		if c.MinConfidence != nil {
			d.MinConfidence = *c.MinConfidence
		}
		if c.Rule != nil {
			d.Rule = c.Rule
		}
		if err := checkSegment(name, description, d.MinConfidence, d.Rule); err != nil {
			return err
		}
		err = b.exec(ctx, "UPDATE segments SET name = $2, description = $3 WHERE id = $1", k.ID.String(), name, description)
		if err != nil || d.MinConfidence == k.MinConfidence && sameRule(d.Rule, k.Rule) {
			return err
		}
		if _, err := b.compileDraft(&d); err != nil {
			return err
		}
		err = b.exec(ctx, "UPDATE segments SET version = version + 1, rule = $2, min_confidence = $3, updated_at = $4 WHERE id = $1", k.ID.String(), ruleText(d.Rule), d.MinConfidence, b.engine.time(b.now))
		if err != nil {
			return err
		}
		return b.redraft(ctx, b.definitions(&d), append(b.dependents(key), k))
	})
	if err != nil {
		return nil, err
	}
	return s.Segment(ctx, key)
}

func (b *batch) segmentToChange(key string) (*keptSegment, error) {
	k := b.policy.audience.byKey(key)
	switch {
	case k == nil:
		return nil, errNoSegment
	case k.Status == segment.Archived:
		return nil, insight.NewError(insight.Conflict, "segment", "it is archived")
	}
	return k, nil
}

var errNoSegment = insight.NewError(insight.NotFound, "segment", "there is no such segment")

// dependents are the segments whose rules go back to one of a key, itself not among
// them.
func (b *batch) dependents(key string) []*keptSegment {
	var found []*keptSegment
	keys := []string{key}
	for len(keys) > 0 {
		of := keys[0]
		keys = keys[1:]
		for _, k := range b.policy.audience.segments {
			if k.Status != segment.Archived && !slices.Contains(found, k) && slices.Contains(k.Rule.References(), of) {
				found, keys = append(found, k), append(keys, k.Key)
			}
		}
	}
	return found
}

// redraft begins to compute some segments, by definitions that may be new; what was
// computed of them and does not answer yet is given up.
func (b *batch) redraft(ctx context.Context, definitions map[string]*segment.Definition, segments []*keptSegment) error {
	book := segment.NewBook(b.policy.purposes, definitions)
	for _, k := range segments {
		d := definitions[k.Key]
		p, err := book.Compile(d, nil)
		if err != nil {
			return err // of a dependent: the change would break it
		}
		if err := b.giveUp(ctx, k); err != nil {
			return err
		}
		err = b.exec(ctx, "UPDATE segments SET drafting = $2, draft_models = $3, draft_through = NULL, draft_seen = 0, draft_total = 0 WHERE id = $1", k.ID.String(), true, modelsToMake(p))
		if err != nil {
			return err
		}
	}
	return nil
}

// answering are the segments that are not archived.
func (b *batch) answering() []*keptSegment {
	return slices.DeleteFunc(slices.Clone(b.policy.audience.segments), func(k *keptSegment) bool { return k.Status == segment.Archived })
}

// giveUp undoes what a draft has noted.
func (b *batch) giveUp(ctx context.Context, k *keptSegment) error {
	if !k.drafting {
		return nil
	}
	err := b.exec(ctx, "DELETE FROM memberships WHERE segment_id = $1 AND exited_at IS NULL AND since_edition > $2 AND NOT announced", k.ID.String(), k.edition)
	if err != nil {
		return err
	}
	return b.exec(ctx, "UPDATE memberships SET until_edition = NULL WHERE segment_id = $1 AND exited_at IS NULL AND until_edition > $2", k.ID.String(), k.edition)
}

// ArchiveSegment ends a segment: nobody is in it any longer. Its members' exits are
// told like any others. Archiving it again changes nothing. The error is of kind
// NotFound when there is none, and of kind Conflict when another one refers to it, by
// the rule that was last asked for or by the one that answers.
func (s *Store) ArchiveSegment(ctx context.Context, key string) (*segment.Segment, error) {
	err := s.reform(ctx, "store.ArchiveSegment", func(b *batch) error {
		k := b.policy.audience.byKey(key)
		if k == nil {
			return errNoSegment
		}
		if k.Status == segment.Archived {
			return nil
		}
		for _, other := range b.policy.audience.segments {
			if other.Status != segment.Archived && other.names(key) {
				return insight.NewError(insight.Conflict, "segment", "the rule of "+other.Key+" refers to it")
			}
		}
		for _, e := range b.policy.experiences {
			if !e.Archived && slices.ContainsFunc(e.Variants, func(v experience.Variant) bool { return v.Segment == key }) {
				return insight.NewError(insight.Conflict, "segment", "a variant of the experience "+e.Key+" is for it")
			}
		}
		if err := b.giveUp(ctx, k); err != nil {
			return err
		}
		return b.exec(ctx, "UPDATE segments SET archived = $2, drafting = $3, announced = $4, live_at = $5, updated_at = $6 WHERE id = $1", k.ID.String(), true, false, false, b.engine.time(b.now), b.engine.time(b.now))
	})
	if err != nil {
		return nil, err
	}
	return s.Segment(ctx, key)
}

// Segments lists every segment by key.
func (s *Store) Segments(ctx context.Context) ([]*segment.Segment, error) {
	kept, err := s.keptSegments(ctx)
	all := make([]*segment.Segment, len(kept))
	for n, k := range kept {
		all[n] = &k.Segment
	}
	return all, err
}

// Segment finds a segment by its key. The error is of kind NotFound when there is none.
func (s *Store) Segment(ctx context.Context, key string) (*segment.Segment, error) {
	return s.segmentWhere(ctx, func(one *segment.Segment) bool { return one.Key == key })
}

// SegmentByID finds a segment by its id, as Segment does by its key.
func (s *Store) SegmentByID(ctx context.Context, id uuid.UUID) (*segment.Segment, error) {
	return s.segmentWhere(ctx, func(one *segment.Segment) bool { return one.ID == id })
}

func (s *Store) segmentWhere(ctx context.Context, is func(*segment.Segment) bool) (*segment.Segment, error) {
	all, err := s.Segments(ctx)
	if err != nil {
		return nil, err
	}
	if n := slices.IndexFunc(all, is); n >= 0 {
		return all[n], nil
	}
	return nil, errNoSegment
}

// keptSegments are the segments as they are now: their progress is read anew, and the
// moment up to which what is kept of them is right.
func (s *Store) keptSegments(ctx context.Context) ([]*keptSegment, error) {
	if err := s.look(ctx); err != nil {
		return nil, err
	}
	fresh := insight.Moment(s.now())
	due, err := s.nextLook(ctx)
	if err != nil {
		return nil, translate("store.Segments", err)
	}
	if !due.IsZero() && due.Before(fresh) {
		fresh = due
	}
	a := s.policy().audience
	all := make([]*keptSegment, len(a.segments))
	byID := map[uuid.UUID]*keptSegment{}
	drafting := false
	for n, k := range a.segments {
		now := *k
		all[n], byID[k.ID] = &now, &now
		if k.edition > 0 {
			now.FreshAsOf = fresh
		}
		drafting = drafting || k.drafting
	}
	if !drafting {
		return all, nil
	}
	stmt, err := s.read.stmt(ctx, "SELECT id, draft_seen, draft_total FROM segments WHERE drafting")
	if err != nil {
		return nil, translate("store.Segments", err)
	}
	rows, err := stmt.QueryContext(ctx)
	if err != nil {
		return nil, translate("store.Segments", err)
	}
	err = each(rows, func(r *sql.Rows) error {
		var id uuid.UUID
		var seen, total int
		err := r.Scan(&id, &seen, &total)
		if k := byID[id]; k != nil {
			k.Seen, k.Total = seen, total
		}
		return err
	})
	return all, translate("store.Segments", err)
}

// AwaitingModels are the segments whose computation waits for models of the
// population, and what each needs.
func (s *Store) AwaitingModels(ctx context.Context) (map[*segment.Segment]segment.Needs, error) {
	if err := s.look(ctx); err != nil {
		return nil, err
	}
	p := s.policy()
	waiting := map[*segment.Segment]segment.Needs{}
	book := segment.NewBook(p.purposes, (&batch{policy: p}).definitions(nil)) // that of the audience is in use
	for _, k := range p.audience.segments {
		if !k.drafting || k.models || k.Status == segment.Archived {
			continue
		}
		program, err := book.Compile(&k.Definition, nil)
		if err != nil {
			return nil, err
		}
		waiting[&k.Segment] = program.Needs()
	}
	return waiting, nil
}

// SetModels gives a segment's computation the models that it waits for, unless its rule
// has changed since.
func (s *Store) SetModels(ctx context.Context, of *segment.Segment, m *segment.Models) error {
	text, err := json.Marshal(m)
	if err != nil {
		return &insight.Error{Op: "store.SetModels", Kind: insight.Internal, Cause: err}
	}
	return s.reform(ctx, "store.SetModels", func(b *batch) error {
		return b.exec(ctx, "UPDATE segments SET draft_models = $3 WHERE id = $1 AND version = $2 AND drafting AND draft_models = ''", of.ID.String(), of.Version, string(text))
	})
}

// Renew computes the segments anew whose models of the population were made before a
// moment, and reports how many they are.
func (s *Store) Renew(ctx context.Context, before time.Time) (int, error) {
	old := func(a *audience) []*keptSegment {
		return slices.DeleteFunc(slices.Clone(a.segments), func(k *keptSegment) bool {
			return k.live == nil || k.drafting || k.modelsAsOf.IsZero() || !k.modelsAsOf.Before(before)
		})
	}
	if len(old(s.policy().audience)) == 0 {
		return 0, nil
	}
	n := 0
	err := s.reform(ctx, "store.Renew", func(b *batch) error {
		all := old(b.policy.audience)
		n = len(all)
		return b.redraft(ctx, b.definitions(nil), all)
	})
	return n, err
}

// drafting is how many individuals a draft looks at in one transaction.
const drafting = 500

// Draft takes a step in computing the segments that are to be computed, those whose
// purpose has other terms since among them, and announces what became of those that
// were. It reports whether there is more to do.
func (s *Store) Draft(ctx context.Context) (bool, error) {
	if err := s.look(ctx); err != nil {
		return false, err
	}
	a := s.policy().audience
	if slices.ContainsFunc(a.segments, func(k *keptSegment) bool { return !k.announced }) {
		return true, s.announceSome(ctx)
	}
	if slices.ContainsFunc(a.segments, (*keptSegment).stale) {
		return true, s.reform(ctx, "store.Draft", func(b *batch) error {
			return b.redraft(ctx, b.definitions(nil), slices.DeleteFunc(slices.Clone(b.policy.audience.segments), func(k *keptSegment) bool { return !k.stale() }))
		})
	}
	if !slices.ContainsFunc(a.segments, func(k *keptSegment) bool { return k.draft != nil }) {
		return false, nil
	}
	done := false
	err := s.change(ctx, "store.Draft", func(b *batch) error {
		var err error
		done, err = b.draftSome(ctx)
		return err
	})
	if err != nil || !done {
		return true, err
	}
	answered := 0
	err = s.reform(ctx, "store.Draft", func(b *batch) error {
		var err error
		answered, err = b.answer(ctx)
		return err
	})
	return answered > 0, err
}

// everyone is the place of a draft that has looked at everyone.
var everyone = uuid.Max

// draftSome looks at the next individuals for the draft that has come least far, and
// for those that have come as far. It reports whether they have looked at everyone.
func (b *batch) draftSome(ctx context.Context) (bool, error) {
	places, total, err := b.drafts(ctx)
	if err != nil {
		return false, err
	}
	last := everyone
	for _, place := range places {
		if bytes.Compare(place[:], last[:]) < 0 {
			last = place
		}
	}
	if last == everyone {
		return len(places) > 0, nil
	}
	from, n := last, 0
	err = b.query(ctx, "SELECT id FROM individuals WHERE id > "+b.engine.key(1)+fmt.Sprintf(" ORDER BY id LIMIT %d", drafting), []any{from.String()}, func(r *sql.Rows) error {
		err := r.Scan(&last)
		b.stirred(last).drafts = true
		n++
		return err
	})
	if err != nil {
		return false, err
	}
	if n < drafting {
		last = everyone
	}
	if total == 0 {
		err := b.query(ctx, "SELECT count(*) FROM individuals", nil, func(r *sql.Rows) error { return r.Scan(&total) })
		if err != nil {
			return false, err
		}
	}
	r := b.engine.rows()
	id, through, seen, of := r.column("id", "uuid"), r.column("through", "uuid"), r.column("seen", "bigint"), r.column("total", "bigint")
	for segment, place := range places {
		if place == from {
			id.uuid(segment)
			through.uuid(last)
			seen.int(int64(n))
			of.int(int64(total))
		}
	}
	return last == everyone, b.later(ctx, r, "segments", "UPDATE segments AS m SET draft_through = r.through, draft_seen = draft_seen + r.seen, draft_total = CASE draft_total WHEN 0 THEN r.total ELSE draft_total END FROM %s AS r WHERE m.id = r.id")
}

// drafts are how far the drafts that have their models have come, and how many
// individuals the first of them counted.
func (b *batch) drafts(ctx context.Context) (places map[uuid.UUID]uuid.UUID, total int, err error) {
	places = map[uuid.UUID]uuid.UUID{}
	err = b.query(ctx, "SELECT id, draft_through, draft_total FROM segments WHERE drafting AND draft_models <> ''", nil, func(r *sql.Rows) error {
		var id uuid.UUID
		var through uuid.NullUUID
		var counted int
		err := r.Scan(&id, &through, &counted)
		places[id], total = through.UUID, max(total, counted)
		return err
	})
	return places, total, err
}

// answer puts the drafts that have looked at everyone in the place of what answered
// before, and reports how many they are. Those that refer to each other take their
// places together.
func (b *batch) answer(ctx context.Context) (int, error) {
	places, _, err := b.drafts(ctx)
	if err != nil {
		return 0, err
	}
	n := 0
	complete := map[string]bool{}
	for _, k := range b.policy.audience.segments {
		complete[k.Key] = places[k.ID] == everyone
	}
	for _, k := range b.policy.audience.segments {
		if !complete[k.Key] || !b.together(k, complete) {
			continue
		}
		err := b.exec(ctx, `UPDATE segments SET edition = edition + 1, live_at = $2, live_rule = rule, live_min_confidence = min_confidence, live_models = draft_models,
			announced = $3, drafting = $4, draft_models = '', draft_through = NULL, draft_seen = 0, draft_total = 0 WHERE id = $1`, k.ID.String(), b.engine.time(b.now), false, false)
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// together reports whether all drafts that a segment's rule goes back to, and all whose
// rules go back to it, are complete. Of the latter, the rule that answers may be the only
// one that does.
func (b *batch) together(k *keptSegment, complete map[string]bool) bool {
	seen := map[string]bool{k.Key: true}
	keys := []string{k.Key}
	for len(keys) > 0 {
		key := keys[0]
		keys = keys[1:]
		of := b.policy.audience.byKey(key)
		if of.drafting && !complete[key] {
			return false
		}
		next := of.Rule.References()
		for _, other := range b.policy.audience.segments {
			if other.Status != segment.Archived && other.names(key) {
				next = append(next, other.Key)
			}
		}
		for _, key := range next {
			if !seen[key] {
				seen[key] = true
				keys = append(keys, key)
			}
		}
	}
	return true
}

// announceSome announces some of what changed when a segment's edition took its place,
// or when the segment was archived.
func (s *Store) announceSome(ctx context.Context) error {
	done := false
	err := s.change(ctx, "store.Draft", func(b *batch) error {
		done = false
		n := slices.IndexFunc(b.policy.audience.segments, func(k *keptSegment) bool { return !k.announced })
		if n < 0 {
			return nil
		}
		k := b.policy.audience.segments[n]
		condition, order := "(since_edition <= $2 AND NOT announced OR until_edition <= $2)", "id" // each as an index has them
		if k.Status == segment.Archived {
			condition, order = "since_edition <= $2", "entered_at, id"
		}
		w := b.newOutcome()
		left := 0
		err := b.query(ctx, "SELECT "+membershipColumns(b.engine)+" FROM memberships WHERE segment_id = $1 AND exited_at IS NULL AND "+condition+fmt.Sprintf(" ORDER BY %s LIMIT %d", order, drafting), []any{k.ID.String(), k.edition}, func(r *sql.Rows) error {
			m, err := scanMembership(r)
			if err != nil {
				return err
			}
			left++
			a := &assessment{batch: b, standing: &standing{in: map[uuid.UUID][]*membershipRow{k.ID: {m}}}, outcome: w, id: m.IndividualID}
			if a.settle(k); k.Status == segment.Archived && m.ExitedAt.IsZero() {
				a.exit(k, m, k.liveAt, "the segment was archived")
			}
			return nil
		})
		if err != nil {
			return err
		}
		if done = left < drafting; done {
			if err := b.exec(ctx, "UPDATE segments SET announced = $2 WHERE id = $1", k.ID.String(), true); err != nil {
				return err
			}
			if err := b.revise(ctx); err != nil {
				return err
			}
		}
		return w.write(ctx)
	})
	if err != nil || !done {
		return err
	}
	return translate("store.Draft", s.directory.load(ctx))
}
