package experience

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/relationship"
)

// ShownConfidence is the least confidence of a trait that is shown to the customer.
const ShownConfidence = 0.8

// Subject is what is known of an individual when they come to an experience.
type Subject struct {
	Individual   uuid.UUID
	Covered      bool // whether the experience's purpose covers them
	Kept         bool // whether what happens to them may be kept
	Relationship relationship.Status
	Members      map[string]bool     // keys of the segments that they are in now
	Traits       []insight.Trait     // every source's
	RuleTraits   map[string][]string // keys of the traits that a segment's rule uses, by the segment's key
	Earlier      []Earlier           // decided about them, in any order; of whoever they were understood to be then
}

// Earlier is what was decided about an individual before, in the same experience.
type Earlier struct {
	Variant string // key of the variant that they were offered; empty: none
	Holdout bool   // whether they were held out
	At      time.Time
}

// Assigns reports whether the decision held them out or offered them something.
func (d Earlier) Assigns() bool { return d.Holdout || d.Variant != "" }

// Before reports whether a decision comes before another about the same individual. Of
// one moment, one that held them out does, and then the greater key: the lesser is the
// latest.
func (d Earlier) Before(o Earlier) bool {
	if !d.At.Equal(o.At) {
		return d.At.Before(o.At)
	}
	if d.Holdout != o.Holdout {
		return d.Holdout
	}
	return d.Variant > o.Variant
}

// Assigned is what was decided about an individual in an experience, as it is kept.
type Assigned struct {
	Earlier
	ID           uuid.UUID
	IndividualID uuid.UUID
	Experience   *Experience
}

// Reason is why something, or nothing, is offered. The text is the API's.
type Reason string

// The reasons, in the order in which they are asked; doc.go has the rule.
const (
	Ended        Reason = "ENDED"
	Unknown      Reason = "UNKNOWN"
	NotCovered   Reason = "NOT_COVERED"
	OptedOut     Reason = "OPTED_OUT"
	Unresponsive Reason = "UNRESPONSIVE"
	NotEligible  Reason = "NOT_ELIGIBLE"
	Holdout      Reason = "HOLDOUT"
	Capped       Reason = "CAPPED"
	Offered      Reason = "OFFERED"
)

// Reasons lists every reason.
var Reasons = []Reason{Ended, Unknown, NotCovered, OptedOut, Unresponsive, NotEligible, Holdout, Capped, Offered}

// Decision is what an individual is offered.
type Decision struct {
	Variant *Variant // one of the experience's; nil: nothing
	Holdout bool     // whether the reason is Holdout
	Reason  Reason
	Because []string        // in plain words, with no value of a trait; never empty
	Assigns bool            // whether it is to be remembered: every offer, and the first time of being held out
	Traits  []insight.Trait // those that the variant shows, in its order
}

// Decide says what an individual is offered at a moment. The experience is one that
// [Experience.Validate] accepts; without a subject nobody is known by what they were
// named by. Earlier decisions after the moment do not exist yet. It changes neither the
// experience nor the subject.
func Decide(e *Experience, s *Subject, at time.Time) Decision {
	switch {
	case e.Archived:
		return nothing(Ended, "the experience has ended")
	case s == nil:
		return nothing(Unknown, "nobody is known by this")
	case !s.Covered:
		return nothing(NotCovered, "the purpose "+e.Purpose.Key+" does not cover them")
	case !s.Kept:
		return nothing(NotCovered, "they let nothing be kept of what happens to them, and an offer would be")
	case s.Relationship == relationship.OptedOut:
		return nothing(OptedOut, "they have said no to being approached")
	case s.Relationship == relationship.Unresponsive:
		return nothing(Unresponsive, "they do not answer what is sent to them")
	}
	k := knowledgeOf(e, s)
	var eligible []*Variant
	var faults []string
	for i := range e.Variants {
		v := &e.Variants[i]
		if fault := k.fault(v); fault != "" {
			faults = append(faults, v.Key+": "+fault)
		} else {
			eligible = append(eligible, v)
		}
	}
	if len(eligible) == 0 {
		return nothing(NotEligible, faults...)
	}
	chance := drawsOf(e.Salt, s.Individual)
	past := recall(e.Cap, s.Earlier, at)
	switch {
	case past.holdout:
		return nothing(Holdout, "the first decision about them held them out")
	case !past.assigned && chance.of(HoldoutKey) < e.Holdout:
		d := nothing(Holdout, "their draw lies within the share that is held out")
		d.Assigns = true
		return d
	case e.Cap != nil && past.offers >= e.Cap.Count:
		return nothing(Capped, fmt.Sprintf("they were offered something %s within %s, and the cap is %d", times(past.offers), insight.FormatDuration(e.Cap.Per), e.Cap.Count))
	}
	var v *Variant
	var because []string
	if i := slices.IndexFunc(eligible, func(v *Variant) bool { return v.Key == past.latest }); i >= 0 {
		v, because = eligible[i], append(because, "it is what they were offered before")
	} else {
		v = chance.choose(eligible)
		because = append(because, fmt.Sprintf("it is drawn by weight; variants that may be offered to them: %d", len(eligible)))
	}
	if v.Segment != "" {
		because = append(because, "they are in the segment "+v.Segment)
	}
	d := Decision{Variant: v, Reason: Offered, Assigns: true}
	for _, key := range v.Traits {
		t := k.best(key)
		d.Traits = append(d.Traits, *t)
		because = append(because, fmt.Sprintf("the trait %s is %s with confidence %s", key, provenance(t.Provenance), number(t.Confidence)))
	}
	d.Because = because
	return d
}

func nothing(reason Reason, because ...string) Decision {
	return Decision{Holdout: reason == Holdout, Reason: reason, Because: because}
}

// past is what earlier decisions say.
type past struct {
	assigned bool
	holdout  bool   // the earliest held them out
	latest   string // key of the latest variant that was offered; empty: none was
	offers   int    // within the cap's span
}

func recall(limit *Cap, earlier []Earlier, at time.Time) past {
	var p past
	var first, last Earlier
	for _, d := range earlier {
		if d.At.After(at) || !d.Assigns() {
			continue
		}
		if !p.assigned || d.Before(first) {
			p.assigned, p.holdout, first = true, d.Holdout, d
		}
		if d.Holdout {
			continue
		}
		if p.latest == "" || last.Before(d) {
			p.latest, last = d.Variant, d
		}
		if limit != nil && d.At.After(at.Add(-limit.Per)) {
			p.offers++
		}
	}
	return p
}

// knowledge is what of a subject decides which variants may be offered.
type knowledge struct {
	subject   *Subject
	shown     []insight.Trait // the best of each key that a variant shows
	sensitive []string        // keys of the traits that some source has as sensitive
}

func knowledgeOf(e *Experience, s *Subject) knowledge {
	k := knowledge{subject: s}
	wanted := func(key string) bool {
		for i := range e.Variants {
			if slices.Contains(e.Variants[i].Traits, key) {
				return true
			}
		}
		return false
	}
	var asked []insight.Trait
	for i := range s.Traits {
		t := &s.Traits[i]
		if t.Sensitivity != insight.Ordinary {
			k.sensitive = append(k.sensitive, t.Key)
		}
		if wanted(t.Key) {
			asked = append(asked, *t)
		}
	}
	if len(asked) > 0 {
		k.shown = insight.BestTraits(asked)
	}
	return k
}

func (k *knowledge) best(key string) *insight.Trait {
	i := slices.IndexFunc(k.shown, func(t insight.Trait) bool { return t.Key == key })
	if i < 0 {
		return nil
	}
	return &k.shown[i]
}

// fault is why a variant may not be offered; empty: it may. It does not name a
// sensitive trait that only a rule uses, as that would tell that it is known.
func (k *knowledge) fault(v *Variant) string {
	if v.Segment != "" {
		if !k.subject.Members[v.Segment] {
			return "they are not in the segment " + v.Segment
		}
		for _, key := range k.subject.RuleTraits[v.Segment] {
			if slices.Contains(k.sensitive, key) {
				return "the rule of the segment " + v.Segment + " uses a trait of theirs that is SENSITIVE"
			}
		}
	}
	for _, key := range v.Traits {
		t := k.best(key)
		switch {
		case t == nil:
			return "the trait " + key + " is not known"
		case slices.Contains(k.sensitive, key):
			return "the trait " + key + " is SENSITIVE"
		case t.Provenance != insight.Declared && t.Provenance != insight.Observed:
			return "the trait " + key + " is INFERRED"
		case !(t.Confidence >= ShownConfidence):
			return "the trait " + key + " is known with confidence " + number(t.Confidence) + " only"
		}
	}
	return ""
}

func provenance(p insight.Provenance) string {
	if p == insight.Declared {
		return "DECLARED"
	}
	return "OBSERVED"
}

func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return strconv.Itoa(n) + " times"
}
