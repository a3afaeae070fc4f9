package segment

import (
	"slices"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/recency"
)

// recencyLeaf is how long ago something happened last.
type recencyLeaf struct {
	pick            int32
	atLeast, atMost int64 // at most: never where it is not asked
	overdue         *bool
	wires           *Wires // the population's; only where overdue is asked
}

func newRecencyLeaf(pick int32, r *Recency) *recencyLeaf {
	l := &recencyLeaf{pick: pick, atMost: ever, overdue: r.Overdue}
	if r.AtLeast != nil {
		l.atLeast = upwards(*r.AtLeast)
	}
	if r.AtMost != nil {
		l.atMost = downwards(*r.AtMost)
	}
	return l
}

func (l *recencyLeaf) draw(s *Subject, p *pen) {
	matches := s.matches(l.pick)
	habit := habit{s: s, matches: matches, wires: l.wires}
	for i := max(s.after(matches, s.from)-1, 0); i < len(matches); i++ {
		event, end := s.moments[matches[i]], int64(never)
		if i+1 < len(matches) {
			end = s.moments[matches[i+1]]
		}
		if event == end {
			continue
		}
		from, to := event+l.atLeast, min(end, event+l.atMost+1)
		if l.overdue != nil {
			tripped := int64(never)
			if wire, ok := habit.wire(i + 1); ok {
				tripped = event + downwards(wire) + 1
			}
			if *l.overdue {
				from = max(from, tripped)
			} else {
				to = min(to, tripped)
			}
		}
		p.set(event, false)
		if from < to {
			p.set(from, true)
		}
		if from < to && to < end {
			p.set(to, false)
		}
	}
}

// habit finds an individual's trip wires, which are those of package recency.
type habit struct {
	s       *Subject
	matches []int32
	wires   *Wires
	gaps    []time.Duration // of the first so many matches, in order of length
}

// wire is the trip wire of the first count matches. It is asked for more of them each
// time.
func (h *habit) wire(count int) (time.Duration, bool) {
	if count-1 < recency.OwnGaps {
		return h.wires.at(count)
	}
	first := len(h.gaps) == 0
	for i := len(h.gaps) + 1; i < count; i++ {
		gap := h.s.timeline[h.matches[i]].OccurredAt.Sub(h.s.timeline[h.matches[i-1]].OccurredAt)
		if first {
			h.gaps = append(h.gaps, gap)
			continue
		}
		place, _ := slices.BinarySearch(h.gaps, gap)
		h.gaps = slices.Insert(h.gaps, place, gap)
	}
	if first {
		slices.Sort(h.gaps)
	}
	n := len(h.gaps)
	low, high := h.gaps[(n-1)/2], h.gaps[n/2]
	return low + (high-low)/2, true // their sum could overflow
}

func (l *recencyLeaf) touched(b *Book, x *insight.Interaction) bool {
	return b.picks[l.pick].matches(x)
}

func (l *recencyLeaf) timed() bool { return true }
