package insight

import (
	"encoding/json"
	"errors"
	"slices"
)

// TraitRule says something of one trait of an individual. It is asked of the value
// that is shown (see [BestTraits]), when that is known well enough.
type TraitRule struct {
	Key           string
	Op            Comparison
	Value         json.RawMessage
	MinConfidence float64      // 0: whatever it is
	Provenance    []Provenance // any of these; empty: whatever it is
}

// Validate refuses what cannot hold for anyone, each fault with the argument's path.
func (r *TraitRule) Validate(subject string) error {
	f := &faults{prefix: subject}
	f.comparison("", r.Op, r.Value)
	f.text(".key", r.Key, maxSelectorText)
	if !(r.MinConfidence >= 0 && r.MinConfidence <= 1) {
		f.add(".minConfidence", "it must lie between 0 and 1")
	}
	return errors.Join(f.errs...)
}

// Matches asks the rule of all that is known of an individual's traits.
func (r *TraitRule) Matches(traits []Trait) bool {
	c := readCondition(r.Op, r.Value)
	for _, t := range BestTraits(traits) {
		if t.Key != r.Key || t.Confidence < r.MinConfidence || len(r.Provenance) > 0 && !slices.Contains(r.Provenance, t.Provenance) {
			continue
		}
		value, _ := decode(t.Value)
		return c.holds(value)
	}
	return c.holds(nil)
}

// HoldsWithout reports whether the rule holds for individuals who do not have the
// trait at all, so that they must be asked as well.
func (r *TraitRule) HoldsWithout() bool { return r.Matches(nil) }
