package segment

import (
	"slices"

	"github.com/acquaint/acquaint/insight"
)

// leaf is a question about one individual, whose answer is a piecewise constant function
// of the moment.
type leaf interface {
	// draw draws the answer from the subject's from on, at least until its until.
	draw(s *Subject, p *pen)
	// facts are what the answer at the subject's from rests on, in words.
	facts(s *Subject) []string
	// touched reports whether one more interaction can change the answer.
	touched(b *Book, x *insight.Interaction) bool
	// timed reports whether time alone can, facts that are dated ahead apart.
	timed() bool
}

// everyoneLeaf holds for everyone.
type everyoneLeaf struct{}

func (everyoneLeaf) draw(s *Subject, p *pen)                  { p.set(s.from, true) }
func (everyoneLeaf) facts(*Subject) []string                  { return []string{"everyone"} }
func (everyoneLeaf) touched(*Book, *insight.Interaction) bool { return false }
func (everyoneLeaf) timed() bool                              { return false }

// nobodyLeaf is what a leaf is whose model is missing.
type nobodyLeaf struct{}

func (nobodyLeaf) draw(*Subject, *pen)                      {}
func (nobodyLeaf) facts(*Subject) []string                  { return nil }
func (nobodyLeaf) touched(*Book, *insight.Interaction) bool { return false }
func (nobodyLeaf) timed() bool                              { return false }

// consentLeaf is whether a purpose covers them.
type consentLeaf struct{ purpose *insight.Purpose }

func (l consentLeaf) draw(s *Subject, p *pen) {
	bit := l.purpose.Set()
	for i := range s.facts.Coverage {
		span := &s.facts.Coverage[i]
		p.set(span.From.UnixMicro(), span.Set&bit != 0)
	}
}

func (l consentLeaf) touched(*Book, *insight.Interaction) bool { return false }

func (l consentLeaf) timed() bool {
	return l.purpose.LegalBasis.Choice() ||
		slices.ContainsFunc(l.purpose.Versions, func(v insight.PurposeVersion) bool { return v.LegalBasis.Choice() })
}

// traitLeaf is what is known of a trait: insight.TraitRule.Matches, with the comparison
// read once. A selector has it for properties, and a trait is asked as one of them.
type traitLeaf struct {
	rule    *insight.TraitRule
	compare func(*insight.Interaction) bool
	without bool // whether it holds where the trait is not known
}

func newTraitLeaf(r *insight.TraitRule) *traitLeaf {
	s := insight.Selector{Properties: []insight.PropertyCondition{{Path: "trait", Op: r.Op, Value: r.Value}}}
	return &traitLeaf{r, s.Matcher(), r.HoldsWithout()}
}

func (l *traitLeaf) holds(s *Subject, at int64) bool {
	best := s.observed(l.rule.Key, at)
	if len(best) > 1 || len(best) == 1 && string(best[0].Value) == "null" {
		best = insight.BestTraits(best)
	}
	if len(best) == 0 || best[0].Confidence < l.rule.MinConfidence || len(l.rule.Provenance) > 0 && !slices.Contains(l.rule.Provenance, best[0].Provenance) {
		return l.without
	}
	text := append(s.probe.Properties[:0], `{"trait":`...)
	text = append(text, best[0].Value...)
	s.probe.Properties = append(text, '}')
	return l.compare(&s.probe)
}

func (l *traitLeaf) draw(s *Subject, p *pen) {
	for at := s.from; ; {
		p.set(at, l.holds(s, at))
		next := int64(never)
		for i := range s.facts.Traits {
			if t := &s.facts.Traits[i]; t.Key == l.rule.Key {
				if moment := t.ObservedAt.UnixMicro(); moment > at {
					next = min(next, moment)
				}
			}
		}
		if at = next; at == never {
			return
		}
	}
}

// observed are the traits of a key that were known by a moment.
func (s *Subject) observed(key string, at int64) []insight.Trait {
	s.known = s.known[:0]
	for i := range s.facts.Traits {
		if t := &s.facts.Traits[i]; t.Key == key && t.ObservedAt.UnixMicro() <= at {
			s.known = append(s.known, *t)
		}
	}
	return s.known
}

func (l *traitLeaf) touched(*Book, *insight.Interaction) bool { return false }
func (l *traitLeaf) timed() bool                              { return false }
