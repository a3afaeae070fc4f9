package store

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/ent"
	"github.com/acquaint/acquaint/ent/destination"
	entsegment "github.com/acquaint/acquaint/ent/segment"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/insight/segment"
)

// audience is the segments that exist and who is told of them, as they stood when they
// were read. It is never changed, only replaced.
type audience struct {
	segments     []*keptSegment   // by key
	live, draft  *segment.Book    // of the rules that answer, and of those that were last asked for
	questions    []question       // that can be asked of somebody, by key of the segment
	byType       map[string][]int // those that an interaction of a type may touch
	anyType      []int            // those that one of any type may
	destinations []*listener
	// silent is what covers those who have decided nothing.
	silent []consent.Span
}

// keptSegment is a segment as it is kept.
type keptSegment struct {
	segment.Segment
	edition  int
	liveAt   time.Time
	answers  *segment.Definition // that of the edition that answers; nil: none does
	live     *segment.Program    // compiled of it
	draft    *segment.Program    // nil: none is being computed, or its models are missing
	drafting bool
	models   bool // whether the draft has its models
	// modelsAsOf is when the models of the edition that answers were made; zero where
	// it needs none.
	modelsAsOf time.Time
	announced  bool
}

// listener is a destination as far as changes need it.
type listener struct {
	id       uuid.UUID
	segments []uuid.UUID // none: every segment
}

func (l *listener) wants(id uuid.UUID) bool {
	return len(l.segments) == 0 || slices.Contains(l.segments, id)
}

// readAudience reads the segments; the policy is the one that they are read with.
func (s *Store) readAudience(ctx context.Context, p *policy) (*audience, error) {
	rows, err := s.ent.Segment.Query().Order(entsegment.ByKey()).All(ctx)
	if err != nil {
		return nil, err
	}
	destinations, err := s.ent.Destination.Query().Select(destination.FieldID, destination.FieldSegments).All(ctx)
	if err != nil {
		return nil, err
	}
	a := &audience{silent: consent.Spans(p.purposes, nil, farthest), byType: map[string][]int{}}
	for _, row := range destinations {
		a.destinations = append(a.destinations, &listener{id: row.ID, segments: row.Segments})
	}
	live, draft := map[string]*segment.Definition{}, map[string]*segment.Definition{}
	for _, row := range rows {
		k, err := fromEntSegment(row, p)
		if err != nil {
			return nil, err
		}
		a.segments = append(a.segments, k)
		if k.answers != nil {
			live[k.Key] = k.answers
		}
		if !row.Archived {
			draft[k.Key] = &k.Definition
		}
	}
	a.live, a.draft = segment.NewBook(p.purposes, live), segment.NewBook(p.purposes, draft)
	for n, row := range rows {
		k := a.segments[n]
		if k.answers != nil {
			if k.live, k.modelsAsOf, err = compile(a.live, k.answers, row.LiveModels); err != nil {
				return nil, err
			}
		}
		if k.drafting && k.models && !row.Archived {
			if k.draft, _, err = compile(a.draft, &k.Definition, row.DraftModels); err != nil {
				return nil, err
			}
		}
		if k.live != nil {
			a.ask(newQuestion(k, a.live, k.live, false))
		}
		if k.draft != nil {
			a.ask(newQuestion(k, a.draft, k.draft, true))
		}
	}
	return a, nil
}

// ask adds a question to those that can be asked, by the types of interactions that can
// touch its rule.
func (a *audience) ask(q question) {
	n := len(a.questions)
	a.questions = append(a.questions, q)
	types, every := q.program.Types()
	if every {
		a.anyType = append(a.anyType, n)
		return
	}
	for _, kind := range types {
		a.byType[kind] = append(a.byType[kind], n)
	}
}

// compile compiles a definition with its models, and tells when they were made.
func compile(b *segment.Book, d *segment.Definition, models string) (*segment.Program, time.Time, error) {
	var m segment.Models
	if models != "" {
		if err := json.Unmarshal([]byte(models), &m); err != nil {
			return nil, m.AsOf, &insight.Error{Op: "store.compile", Kind: insight.Internal, Subject: d.Key, Cause: err}
		}
	}
	p, err := b.Compile(d, &m)
	if err != nil {
		return nil, m.AsOf, &insight.Error{Op: "store.compile", Kind: insight.Internal, Subject: d.Key, Cause: err}
	}
	return p, m.AsOf, nil
}

func fromEntSegment(row *ent.Segment, p *policy) (*keptSegment, error) {
	rule, err := segment.Read([]byte(row.Rule))
	if err != nil {
		return nil, &insight.Error{Op: "store.segment", Kind: insight.Internal, Subject: row.Key, Cause: err}
	}
	k := &keptSegment{
		Segment: segment.Segment{
			ID: row.ID, Name: row.Name, Description: row.Description, Version: row.Version, Seen: row.DraftSeen, Total: row.DraftTotal,
			CreatedAt: row.CreatedAt.UTC(), UpdatedAt: row.UpdatedAt.UTC(),
			Definition: segment.Definition{Key: row.Key, Purpose: p.byID(row.PurposeID), MinConfidence: row.MinConfidence, Rule: rule},
		},
		edition: row.Edition, drafting: row.Drafting, models: row.DraftModels != "", announced: row.Announced,
	}
	if row.LiveAt != nil {
		k.liveAt = row.LiveAt.UTC()
	}
	switch {
	case row.Archived:
		k.Status = segment.Archived
	case row.Drafting:
		k.Status = segment.Computing
	default:
		k.Status = segment.Live
	}
	if row.LiveRule == "" || row.Archived {
		return k, nil
	}
	k.answers = &segment.Definition{Key: row.Key, Purpose: k.Purpose, MinConfidence: row.LiveMinConfidence}
	if k.answers.Rule, err = segment.Read([]byte(row.LiveRule)); err != nil {
		return nil, &insight.Error{Op: "store.segment", Kind: insight.Internal, Subject: row.Key, Cause: err}
	}
	return k, nil
}

// names reports whether the rule that was last asked for, or the one that answers, goes
// back to another segment at once.
func (k *keptSegment) names(key string) bool {
	return slices.Contains(k.Rule.References(), key) || k.answers != nil && slices.Contains(k.answers.Rule.References(), key)
}

// stale reports whether what answers is to be computed anew, since its purpose has other
// terms now, and is not.
func (k *keptSegment) stale() bool { return !k.drafting && k.outdated(k.Purpose) }

// outdated reports whether the terms of one of some purposes are newer than the edition
// that answers.
func (k *keptSegment) outdated(purposes ...*insight.Purpose) bool {
	return k.answers != nil && slices.ContainsFunc(purposes, func(p *insight.Purpose) bool {
		return slices.ContainsFunc(p.Versions, func(v insight.PurposeVersion) bool { return v.At.After(k.liveAt) })
	})
}

// none reports whether nothing has to be looked at when an individual changes.
func (a *audience) none() bool { return len(a.questions) == 0 }

func (a *audience) byID(id uuid.UUID) *keptSegment {
	for _, k := range a.segments {
		if k.ID == id {
			return k
		}
	}
	return nil
}

func (a *audience) byKey(key string) *keptSegment {
	for _, k := range a.segments {
		if k.Key == key {
			return k
		}
	}
	return nil
}
