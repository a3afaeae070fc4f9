package segment

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/recency"
	"github.com/acquaint/acquaint/insight/relationship"
)

// What a rule may have at most.
const (
	MaxDepth  = 20  // rules within each other
	MaxLeaves = 200 // without those of other segments that it names
	MaxSteps  = 20  // of a sequence

	maxKey   = 200 // characters of a purpose's or a segment's key
	maxCount = 1_000_000
	maxSpan  = 100 * insight.Year
)

// Validate refuses a rule that cannot be meant. Subject is the argument's name, such as
// rule. All faults are reported together: the error joins one insight.Invalid error for
// each, whose subject is the fault's path, such as rule.all[0].event.within. Whether the
// purposes and segments that it names exist is for [Book.Compile] to say.
func (r *Rule) Validate(subject string) error {
	c := &checker{}
	c.rule(subject, r, 1)
	if c.leaves > MaxLeaves {
		c.refuse(subject, fmt.Sprintf("it has more than %d leaves", MaxLeaves))
	}
	return errors.Join(c.errs...)
}

type checker struct {
	errs   []error
	leaves int
}

func (c *checker) refuse(path, message string) {
	c.errs = append(c.errs, insight.NewError(insight.Invalid, path, message))
}

func (c *checker) take(err error) {
	if err != nil {
		c.errs = append(c.errs, err)
	}
}

func (c *checker) rule(path string, r *Rule, depth int) {
	if c.leaves > MaxLeaves {
		return // the rest would only make the error longer
	}
	if r == nil {
		c.refuse(path, "it is missing")
		return
	}
	if depth > MaxDepth {
		c.refuse(path, fmt.Sprintf("it lies more than %d rules deep", MaxDepth))
		return
	}
	switch n := r.members(); {
	case n == 0:
		c.refuse(path, "it says nothing; one member is set")
		return
	case n > 1:
		c.refuse(path, "it has more than one member; all and any combine rules")
		return
	}
	switch {
	case r.All != nil:
		c.rules(path+".all", r.All, depth)
	case r.Any != nil:
		c.rules(path+".any", r.Any, depth)
	case r.Not != nil:
		c.rule(path+".not", r.Not, depth+1)
	default:
		c.leaves++
		c.leaf(path, r)
	}
}

func (c *checker) rules(path string, of []*Rule, depth int) {
	if len(of) == 0 {
		c.refuse(path, "the list is empty")
	}
	for i, r := range of {
		c.rule(fmt.Sprintf("%s[%d]", path, i), r, depth+1)
	}
}

// members is how many are set.
func (r *Rule) members() int {
	n := 0
	for _, set := range [...]bool{
		r.All != nil, r.Any != nil, r.Not != nil, r.Trait != nil, r.Event != nil, r.Recency != nil, r.Monetary != nil, r.Sequence != nil,
		r.RFM != nil, r.Relationship != nil, r.Lifetime != nil, r.Consent != "", r.Segment != "", r.Everyone,
	} {
		if set {
			n++
		}
	}
	return n
}

func (c *checker) leaf(path string, r *Rule) {
	switch {
	case r.Trait != nil:
		c.take(r.Trait.Validate(path + ".trait"))
		c.entries(path+".trait.provenance", len(r.Trait.Provenance), r.Trait.Provenance != nil)
		for i, p := range r.Trait.Provenance {
			if provenances.of(p) == "" {
				c.refuse(fmt.Sprintf("%s.trait.provenance[%d]", path, i), "there is no such provenance")
			}
		}
	case r.Event != nil:
		c.event(path+".event", r.Event)
	case r.Recency != nil:
		c.recency(path+".recency", r.Recency)
	case r.Monetary != nil:
		c.monetary(path+".monetary", r.Monetary)
	case r.Sequence != nil:
		c.sequence(path+".sequence", r.Sequence)
	case r.RFM != nil:
		c.rfm(path+".rfm", r.RFM)
	case r.Relationship != nil:
		known(c, path+".relationship", r.Relationship, relationship.Statuses, "there is no such status")
	case r.Lifetime != nil:
		c.lifetime(path+".lifetime", r.Lifetime)
	case r.Consent != "":
		c.key(path+".consent", r.Consent)
	case r.Segment != "":
		c.key(path+".segment", r.Segment)
	}
}

func (c *checker) event(path string, e *Event) {
	c.take(e.Event.Validate(path + ".event"))
	c.count(path+".atLeast", e.AtLeast)
	c.count(path+".atMost", e.AtMost)
	ordered(c, path, e.AtLeast, e.AtMost)
	c.within(path, e.Within)
}

func (c *checker) count(path string, n *int) {
	if n != nil && (*n < 0 || *n > maxCount) {
		c.refuse(path, "it is not between 0 and 1,000,000")
	}
}

func (c *checker) within(path string, d time.Duration) {
	if d < 0 || d > maxSpan {
		c.refuse(path+".within", "it is not between a moment and 100 years, such as P30D")
	}
}

func (c *checker) recency(path string, r *Recency) {
	if r.Event != nil {
		c.take(r.Event.Validate(path + ".event"))
	}
	if r.AtLeast == nil && r.AtMost == nil && r.Overdue == nil {
		c.refuse(path, "it says nothing: atLeast, atMost or overdue is given")
	}
	c.span(path+".atLeast", r.AtLeast)
	c.span(path+".atMost", r.AtMost)
	ordered(c, path, r.AtLeast, r.AtMost)
}

func (c *checker) span(path string, d *time.Duration) {
	if d != nil && (*d < 0 || *d > maxSpan) {
		c.refuse(path, "it is not between nothing and 100 years, such as P30D")
	}
}

func (c *checker) monetary(path string, m *Monetary) {
	c.take(m.Event.Validate(path + ".event"))
	if m.AtLeast == nil && m.AtMost == nil {
		c.refuse(path, "it says nothing: atLeast or atMost is given")
	}
	c.number(path+".atLeast", m.AtLeast, -math.MaxFloat64, math.MaxFloat64, "it is not a finite number")
	c.number(path+".atMost", m.AtMost, -math.MaxFloat64, math.MaxFloat64, "it is not a finite number")
	ordered(c, path, m.AtLeast, m.AtMost)
	c.within(path, m.Within)
}

func (c *checker) number(path string, x *float64, least, most float64, otherwise string) {
	if x != nil && !(*x >= least && *x <= most) {
		c.refuse(path, otherwise)
	}
}

func (c *checker) sequence(path string, s *Sequence) {
	if n := len(s.Steps); n < 2 || n > MaxSteps {
		c.refuse(path+".steps", fmt.Sprintf("it has %d steps; 2 to %d are taken", n, MaxSteps))
	}
	for i := range s.Steps[:min(len(s.Steps), MaxSteps)] {
		c.take(s.Steps[i].Validate(fmt.Sprintf("%s.steps[%d]", path, i)))
	}
	c.within(path, s.Within)
}

func (c *checker) rfm(path string, r *RFM) {
	if r.R == nil && r.F == nil && r.M == nil && r.Segments == nil {
		c.refuse(path, "it says nothing: r, f, m or segments is given")
	}
	scores := []int{1, 2, 3, 4, 5}
	known(c, path+".r", r.R, scores, "it is not between 1 and 5")
	known(c, path+".f", r.F, scores, "it is not between 1 and 5")
	known(c, path+".m", r.M, scores, "it is not between 1 and 5")
	known(c, path+".segments", r.Segments, recency.RFMSegments(), "there is no such segment of RFM")
}

func (c *checker) lifetime(path string, l *Lifetime) {
	if l.ProbabilityAliveAtLeast == nil && l.ProbabilityAliveAtMost == nil && l.ExpectedValueAtLeast == nil {
		c.refuse(path, "it says nothing: probabilityAliveAtLeast, probabilityAliveAtMost or expectedValueAtLeast is given")
	}
	c.number(path+".probabilityAliveAtLeast", l.ProbabilityAliveAtLeast, 0, 1, "it is not between 0 and 1")
	c.number(path+".probabilityAliveAtMost", l.ProbabilityAliveAtMost, 0, 1, "it is not between 0 and 1")
	c.number(path+".expectedValueAtLeast", l.ExpectedValueAtLeast, -math.MaxFloat64, math.MaxFloat64, "it is not a finite number")
	if low, high := l.ProbabilityAliveAtLeast, l.ProbabilityAliveAtMost; low != nil && high != nil && *low > *high {
		c.refuse(path+".probabilityAliveAtLeast", "it is more than probabilityAliveAtMost")
	}
}

func (c *checker) key(path, key string) {
	if utf8.RuneCountInString(key) > maxKey || !utf8.ValidString(key) || strings.IndexByte(key, 0) >= 0 {
		c.refuse(path, fmt.Sprintf("it is longer than %d characters, or not UTF-8", maxKey))
	}
}

func (c *checker) entries(path string, n int, given bool) {
	if n == 0 && given {
		c.refuse(path, "the list is empty")
	}
}

// known refuses a list that is empty, repeats itself or holds what does not exist.
func known[T comparable](c *checker, path string, of, all []T, otherwise string) {
	c.entries(path, len(of), of != nil)
	for i, x := range of {
		at := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case i > len(all):
			return // more than there are: one of them repeats and was told
		case !slices.Contains(all, x):
			c.refuse(at, otherwise)
		case slices.Contains(of[:i], x):
			c.refuse(at, "it is there twice")
		}
	}
}

func ordered[T int | float64 | time.Duration](c *checker, path string, low, high *T) {
	if low != nil && high != nil && *low > *high {
		c.refuse(path+".atLeast", "it is more than atMost")
	}
}
