package segment

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
)

// Facts are what is known of one individual. What is dated ahead enters at its moment.
type Facts struct {
	// Timeline is what serves the purpose of the segments that are asked, of either
	// direction, in order and without repetition. Ids may be zero, or made up; where the
	// timeline is not in order, they must not be.
	Timeline insight.Timeline
	Refusals []insight.Refusal // as in insight.History
	Traits   []insight.Trait   // every source's
	Coverage []consent.Span    // which purposes cover them when, by consent.Spans; with none, no purpose does
}

// Subject is one individual who is asked about. It remembers what was found out for one
// program, for the others. It is not safe for concurrent use.
type Subject struct {
	book     *Book
	facts    *Facts
	timeline insight.Timeline
	moments  []int64 // of the interactions
	types    []int32 // of the interactions, by the book's numbers; 0 is one that it does not name
	named    int     // how many types the book named then

	// What was found out counts when it was in this life, and of a time in this span.
	life, span  uint32
	from, until int64
	signals     []signal // by leaf
	flips       []int64  // of all signals
	found       []found  // by pick
	indexes     []int32  // of all finds
	numbered    numbered
	gauges      []gauge // by models

	known []insight.Trait     // of one key
	probe insight.Interaction // with one trait for its properties
	trues []int32             // of a program's nodes, how many children hold
	turns []turn
}

// signal is what a leaf says from the beginning of the subject's time on.
type signal struct {
	start, end int32 // its flips, later than the beginning, ascending
	look       int64 // until when, at least the subject's; never: for all time
	span       uint32
	holds      bool // at the beginning
}

// found is which interactions a selector selects.
type found struct {
	start, end int32
	life       uint32
}

// numbered is the timeline with ids in its order, as the packages want it that put a
// timeline in order themselves.
type numbered struct {
	life     uint32
	timeline insight.Timeline
	copies   []insight.Interaction
}

// Subject returns the individual of whom these facts are known. They must not change
// while the subject is asked about.
func (b *Book) Subject(f *Facts) *Subject {
	s := &Subject{book: b}
	s.Reset(f)
	return s
}

// Reset makes the subject another individual, and keeps its memory.
func (s *Subject) Reset(f *Facts) {
	s.life++
	s.span++
	s.from, s.until = 0, math.MinInt64
	s.facts, s.timeline = f, arranged(f.Timeline)
	s.moments, s.named = s.moments[:0], -1
	s.flips, s.indexes = s.flips[:0], s.indexes[:0]
	s.moments = slices.Grow(s.moments, len(s.timeline))
	for _, x := range s.timeline {
		s.moments = append(s.moments, x.OccurredAt.UnixMicro())
	}
}

// arranged is the timeline in order.
func arranged(t insight.Timeline) insight.Timeline {
	for i := 1; i < len(t); i++ {
		if t[i].Before(t[i-1]) {
			return t.Ordered()
		}
	}
	return t
}

// over begins to ask about a time.
func (s *Subject) over(from, until int64) {
	if n := len(s.book.leaves) - len(s.signals); n > 0 {
		s.signals = append(s.signals, make([]signal, n)...)
	}
	if n := len(s.book.picks) - len(s.found); n > 0 {
		s.found = append(s.found, make([]found, n)...)
	}
	if n := len(s.book.models) - len(s.gauges); n > 0 {
		s.gauges = append(s.gauges, make([]gauge, n)...)
	}
	if s.named != len(s.book.types) {
		s.named, s.types = len(s.book.types), slices.Grow(s.types[:0], len(s.timeline))
		for _, x := range s.timeline {
			s.types = append(s.types, s.book.types[x.Type])
		}
	}
	if from != s.from || until != s.until {
		s.from, s.until = from, until
		s.span++
		s.flips = s.flips[:0]
	}
}

func (s *Subject) signal(of int32) signal {
	known := &s.signals[of]
	if known.span != s.span {
		p := pen{s: s, start: int32(len(s.flips)), look: never}
		s.book.leaves[of].draw(s, &p)
		*known = signal{start: p.start, end: int32(len(s.flips)), look: p.look, span: s.span, holds: p.holds}
	}
	return *known
}

// matches are the indexes of the interactions that a selector selects.
func (s *Subject) matches(of int32) []int32 {
	known := &s.found[of]
	if known.life != s.life {
		p := &s.book.picks[of]
		start := int32(len(s.indexes))
		for i, kind := range s.types {
			if (len(p.types) == 0 || slices.Contains(p.types, kind)) && (p.rest == nil || p.rest(s.timeline[i])) {
				s.indexes = append(s.indexes, int32(i))
			}
		}
		*known = found{start, int32(len(s.indexes)), s.life}
	}
	return s.indexes[known.start:known.end]
}

// after is how many of some interactions are not later than a moment.
func (s *Subject) after(at []int32, moment int64) int {
	n, _ := slices.BinarySearchFunc(at, moment, func(i int32, moment int64) int {
		if s.moments[i] > moment {
			return 1
		}
		return -1
	})
	return n
}

// history is the individual's for packages that put a timeline in order by its ids.
func (s *Subject) history() *insight.History {
	if s.numbered.life != s.life {
		s.numbered.life = s.life
		s.numbered.timeline = s.timeline
		if !ascending(s.timeline) {
			s.number()
		}
	}
	return &insight.History{Timeline: s.numbered.timeline, Refusals: s.facts.Refusals}
}

func ascending(t insight.Timeline) bool {
	for i := 1; i < len(t); i++ {
		if bytes.Compare(t[i-1].ID[:], t[i].ID[:]) >= 0 {
			return false
		}
	}
	return true
}

func (s *Subject) number() {
	n := &s.numbered
	n.copies = slices.Grow(n.copies[:0], len(s.timeline))
	n.timeline = make(insight.Timeline, len(s.timeline))
	for i, x := range s.timeline {
		n.copies = append(n.copies, insight.Interaction{Direction: x.Direction, OccurredAt: x.OccurredAt, Value: x.Value})
		n.timeline[i] = &n.copies[i]
		binary.BigEndian.PutUint64(n.copies[i].ID[len(uuid.UUID{})-8:], uint64(i))
	}
}

// never is later than every moment; moments are microseconds since 1970.
const never = math.MaxInt64

// last is the first moment that no engine can hold.
var last = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()

func moment(at int64) time.Time { return time.UnixMicro(at).UTC() }

// pen draws a signal, in the order of time.
type pen struct {
	s     *Subject
	start int32
	look  int64
	holds bool // at the beginning
	now   bool
}

// set is what holds from a moment on.
func (p *pen) set(at int64, holds bool) {
	s := p.s
	switch n := len(s.flips); {
	case at <= s.from:
		p.holds, p.now = holds, holds
	case holds == p.now || at >= last:
	case n > int(p.start) && s.flips[n-1] == at:
		s.flips, p.now = s.flips[:n-1], holds
	default:
		s.flips, p.now = append(s.flips, at), holds
	}
}
