package cohort

import (
	"math/bits"

	"github.com/acquaint/acquaint/insight"
)

// way is what attempts are made on.
type way struct {
	steps      []func(*insight.Interaction) bool
	exclusions []exclusion
	window     int64 // microseconds
	order      Order
}

// exclusion is an Exclusion, read.
type exclusion struct {
	matches func(*insight.Interaction) bool
	after   stepSet // the reached steps from which an attempt goes no further when the event comes after them
	within  stepSet // the same, when the event is itself what reached them
}

// stepSet is a set of steps: bit k is step k, which is counted from 1.
type stepSet uint32

// steps are the steps from one on to before another.
func steps(from, before int) stepSet { return 1<<before - 1<<from }

func (s stepSet) has(k int) bool { return s&(1<<k) != 0 }

// attempt is how far one individual got, and when.
type attempt struct {
	reached int             // step, from 1; 0: none
	first   int             // which interaction of the timeline is its first one
	at      [MaxSteps]int64 // when step k+1 was reached, in microseconds since 1970
}

// copy takes over another one without what is beyond its last step.
func (a *attempt) copy(b *attempt) {
	a.reached, a.first = b.reached, b.first
	copy(a.at[:b.reached], b.at[:b.reached])
}

// furthest is the attempt that tells about an individual.
func (w *way) furthest(t insight.Timeline) attempt {
	if w.order == Unordered {
		return w.anyOrder(t)
	}
	return w.inOrder(t)
}

// inOrder keeps, for each step, the one attempt among those that end with it that
// started last: it has the most of its window left, and what may follow depends on
// nothing else. Of the same start it is the one that got there first.
func (w *way) inOrder(t insight.Timeline) attempt {
	var best attempt
	var open [MaxSteps + 1]attempt // by step; where reached is 0 there is none
	highest := 0                   // no attempt is open at a later step
	for i, x := range t {
		at := x.OccurredAt.UnixMicro()
		alone := w.order == Strict && x.Direction == insight.Inbound
		ended, stuck := w.excluded(x, highest)
		for k := min(highest+1, len(w.steps)); k > 0; k-- {
			here, before := &open[k], &open[k-1]
			if alone || ended.has(k) {
				here.reached = 0
			}
			switch {
			case k == 1:
				if !w.steps[0](x) {
					continue
				}
				here.reached, here.first = 1, i
			case before.reached == 0 || here.reached > 0 && here.first >= before.first || at-before.at[0] > w.window || !w.steps[k-1](x):
				continue
			default:
				here.copy(before)
				here.reached = k
			}
			here.at[k-1] = at
			highest = max(highest, k)
			if k > best.reached {
				best.copy(here)
				if k == len(w.steps) {
					return best
				}
			}
			if stuck.has(k) {
				here.reached = 0
			}
		}
	}
	return best
}

// excluded are the steps that an interaction ends attempts at, and those at which
// one ends that it takes there. No attempt is beyond the highest step.
func (w *way) excluded(x *insight.Interaction, highest int) (ended, stuck stepSet) {
	for i := range w.exclusions {
		e := &w.exclusions[i]
		if e.after&steps(1, highest+1) != 0 && e.matches(x) {
			ended |= e.after
			stuck |= e.within
		}
	}
	return ended, stuck
}

// anyOrder finds the most steps that interactions within the window can be given to,
// one each. Sets of interactions to which that is possible are the independent ones
// of a matroid, so the base of latest interactions holds, of each span up to now, as
// many as the best attempt in that span has.
func (w *way) anyOrder(t insight.Timeline) attempt {
	var latest base
	most, first, last := 0, 0, -1
	for i, x := range t {
		at, can := x.OccurredAt.UnixMicro(), w.canBe(x)
		excluded, _ := w.excluded(x, len(w.steps))
		if can != 0 {
			latest.add(entry{i, at, can}, true)
			n, start := latest.since(at - w.window)
			if n > most {
				most, first, last = n, start, i
			}
		}
		if most == len(w.steps) {
			break
		}
		if excluded != 0 {
			// What comes before it and what comes after it are no longer one attempt.
			latest = base{}
			if can != 0 {
				latest.add(entry{i, at, can}, true)
			}
		}
	}
	// The greedy base of a matroid has each of its elements as early as any base has.
	var earliest base
	a := attempt{reached: most, first: first}
	for i := first; i <= last; i++ {
		at := t[i].OccurredAt.UnixMicro()
		if can := w.canBe(t[i]); can != 0 && earliest.add(entry{i, at, can}, false) {
			a.at[earliest.size-1] = at
		}
	}
	return a
}

// canBe are the steps that an interaction can be.
func (w *way) canBe(x *insight.Interaction) stepSet {
	var can stepSet
	for k, matches := range w.steps {
		if matches(x) {
			can |= 1 << (k + 1)
		}
	}
	return can
}

// entry is an interaction of a base.
type entry struct {
	i   int // in the timeline
	at  int64
	can stepSet
}

// base is interactions that are given to steps, one each.
type base struct {
	given [MaxSteps + 1]entry // by step
	taken stepSet
	size  int
}

// add takes in a later interaction where the others can make room for it, which may
// mean that they change their steps. Where they cannot, and exchange says so, it
// replaces the oldest one whose place it can get. It reports whether there is one
// more now.
func (b *base) add(e entry, exchange bool) bool {
	// Breadth first from what e can be: whoever has such a step can move to what they
	// can be, and so on until a step is free.
	var from [MaxSteps + 1]int // the step whose holder would move here; 0: e itself
	var queue [MaxSteps]int
	seen, head, tail := stepSet(0), 0, 0
	reach := func(can stepSet, holder int) {
		for next := can &^ seen; next != 0; next &= next - 1 {
			k := bits.TrailingZeros32(uint32(next))
			from[k], queue[tail] = holder, k
			tail++
		}
		seen |= can
	}
	end, oldest := 0, 0
	for reach(e.can, 0); head < tail; head++ {
		k := queue[head]
		if !b.taken.has(k) {
			end = k
			break
		}
		if oldest == 0 || b.given[k].i < b.given[oldest].i {
			oldest = k
		}
		reach(b.given[k].can, k)
	}
	grows := end != 0
	if !grows {
		if !exchange {
			return false
		}
		end = oldest
	}
	for k := end; ; k = from[k] {
		if from[k] == 0 {
			b.given[k] = e
			break
		}
		b.given[k] = b.given[from[k]]
	}
	if grows {
		b.taken |= 1 << end
		b.size++
	}
	return grows
}

// since is how many were at a moment or later, and which of them is the first.
func (b *base) since(at int64) (n, first int) {
	for taken := b.taken; taken != 0; taken &= taken - 1 {
		e := &b.given[bits.TrailingZeros32(uint32(taken))]
		if e.at < at {
			continue
		}
		if n == 0 || e.i < first {
			first = e.i
		}
		n++
	}
	return n, first
}
