package segment

import (
	"math"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/exact"
)

// ever is a span longer than all time, which no moment leaves the int64s with.
const ever = math.MaxInt64 / 2

// upwards is a span in whole moments, at least as long.
func upwards(d time.Duration) int64 {
	return int64((d + insight.Precision - 1) / insight.Precision)
}

// downwards is a span in whole moments, at most as long.
func downwards(d time.Duration) int64 { return int64(d / insight.Precision) }

// window is the interactions of a selector that count: an event at e does while
// t - e is less than its length.
type window struct {
	pick   int32
	length int64
}

func newWindow(pick int32, within time.Duration) window {
	if within == 0 {
		return window{pick, ever}
	}
	return window{pick, upwards(within)}
}

// draw slides along the time: those that count are matches[first:end].
func (w *window) draw(s *Subject, p *pen, holds func(matches []int32, first, end int) bool) {
	matches := s.matches(w.pick)
	first, end := s.after(matches, s.from-w.length), s.after(matches, s.from)
	p.set(s.from, holds(matches, first, end))
	for {
		next := int64(never)
		if end < len(matches) {
			next = s.moments[matches[end]]
		}
		if first < end {
			next = min(next, s.moments[matches[first]]+w.length)
		}
		if next >= last {
			return
		}
		for end < len(matches) && s.moments[matches[end]] == next {
			end++
		}
		for first < end && s.moments[matches[first]]+w.length == next {
			first++
		}
		p.set(next, holds(matches, first, end))
	}
}

// counted are the interactions that count at the subject's from.
func (w *window) counted(s *Subject) []int32 {
	matches := s.matches(w.pick)
	return matches[s.after(matches, s.from-w.length):s.after(matches, s.from)]
}

func (w *window) timed() bool { return w.length < ever }

// eventLeaf is how often something happened.
type eventLeaf struct {
	window
	least, most int
}

func newEventLeaf(pick int32, e *Event) *eventLeaf {
	l := &eventLeaf{newWindow(pick, e.Within), 0, math.MaxInt}
	if e.AtLeast == nil && e.AtMost == nil {
		l.least = 1
	}
	if e.AtLeast != nil {
		l.least = *e.AtLeast
	}
	if e.AtMost != nil {
		l.most = *e.AtMost
	}
	return l
}

func (l *eventLeaf) draw(s *Subject, p *pen) {
	l.window.draw(s, p, func(_ []int32, first, end int) bool { return end-first >= l.least && end-first <= l.most })
}

func (l *eventLeaf) touched(b *Book, x *insight.Interaction) bool { return b.picks[l.pick].matches(x) }

// monetaryLeaf is what values add up to.
type monetaryLeaf struct {
	window
	least, most float64
}

func newMonetaryLeaf(pick int32, m *Monetary) *monetaryLeaf {
	l := &monetaryLeaf{newWindow(pick, m.Within), math.Inf(-1), math.Inf(1)}
	if m.AtLeast != nil {
		l.least = *m.AtLeast
	}
	if m.AtMost != nil {
		l.most = *m.AtMost
	}
	return l
}

func (l *monetaryLeaf) draw(s *Subject, p *pen) {
	var sum exact.Sum
	low, high := 0, 0 // which of the matches are in the sum
	l.window.draw(s, p, func(matches []int32, first, end int) bool {
		if high < first {
			low, high = first, first
		}
		for ; high < end; high++ {
			sum.Add(valueOf(s.timeline[matches[high]]))
		}
		for ; low < first; low++ {
			sum.Add(-valueOf(s.timeline[matches[low]]))
		}
		total := 0.0
		if low < high {
			total = sum.Float64()
		}
		return total >= l.least && total <= l.most
	})
}

// total is what those add up to that count at the subject's from.
func (l *monetaryLeaf) total(s *Subject) float64 {
	var sum exact.Sum
	for _, i := range l.counted(s) {
		sum.Add(valueOf(s.timeline[i]))
	}
	return sum.Float64()
}

func (l *monetaryLeaf) touched(b *Book, x *insight.Interaction) bool {
	return valueOf(x) != 0 && b.picks[l.pick].matches(x)
}

func valueOf(x *insight.Interaction) float64 {
	if x.Value == nil {
		return 0
	}
	return *x.Value
}

// sequenceLeaf is whether things happened in an order.
type sequenceLeaf struct {
	picks  []int32
	within int64
}

func newSequenceLeaf(c *compiler, q *Sequence) *sequenceLeaf {
	l := &sequenceLeaf{within: newWindow(0, q.Within).length}
	for i := range q.Steps {
		l.picks = append(l.picks, c.pick(&q.Steps[i]))
	}
	return l
}

func (l *sequenceLeaf) draw(s *Subject, p *pen) {
	if _, end, ok := l.walk(s); ok {
		p.set(s.moments[end], true)
	}
}

// walk finds the first end of a walk through all steps in time, and the latest beginning
// of one that ends there.
//
// Of the walks that have come to a step, the one that began last is in time whenever
// another is; so one beginning for each step is all that needs to be known.
func (l *sequenceLeaf) walk(s *Subject) (start, end int32, ok bool) {
	var begun [MaxSteps]int32 // from which interaction the walk to each step began
	var at [MaxSteps]int      // the next match of each step
	for k := range l.picks {
		begun[k] = -1
	}
	goal := len(l.picks) - 1
	for x := range int32(len(s.timeline)) {
		for k := goal; k >= 0; k-- { // backwards, so that no interaction is two steps
			matches := s.matches(l.picks[k])
			if at[k] == len(matches) || matches[at[k]] != x {
				continue
			}
			at[k]++
			switch {
			case k == 0:
				begun[0] = x
			case begun[k-1] >= 0:
				begun[k] = begun[k-1]
			}
		}
		if began := begun[goal]; began >= 0 && s.moments[x]-s.moments[began] < l.within {
			return began, x, true
		}
	}
	return 0, 0, false
}

func (l *sequenceLeaf) touched(b *Book, x *insight.Interaction) bool {
	for _, pick := range l.picks {
		if b.picks[pick].matches(x) {
			return true
		}
	}
	return false
}

func (l *sequenceLeaf) timed() bool { return false }
