package relationship

import "time"

// halves are an individual's gaps, the shorter half in a heap with the longest on
// top and the longer half in one with the shortest on top, so that the median is
// at hand after each gap. The lower one has as many, or one more.
type halves struct{ low, high []time.Duration }

// median is the gap in the middle, or the mean of the two in the middle. There is
// one gap at least.
func (h *halves) median() time.Duration {
	lower := -h.low[0]
	if len(h.low) > len(h.high) {
		return lower
	}
	return lower + (h.high[0]-lower)/2 // their sum could overflow
}

// add takes in a gap. Lower gaps are kept negated, so that both heaps have their
// least on top.
func (h *halves) add(gap time.Duration) {
	switch {
	case len(h.low) == 0 || gap <= -h.low[0]:
		h.low = push(h.low, -gap)
	default:
		h.high = push(h.high, gap)
	}
	switch n := len(h.low) - len(h.high); {
	case n > 1:
		var top time.Duration
		h.low, top = pop(h.low)
		h.high = push(h.high, -top)
	case n < 0:
		var top time.Duration
		h.high, top = pop(h.high)
		h.low = push(h.low, -top)
	}
}

func push(heap []time.Duration, gap time.Duration) []time.Duration {
	heap = append(heap, gap)
	i := len(heap) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if heap[parent] <= gap {
			break
		}
		heap[i] = heap[parent]
		i = parent
	}
	heap[i] = gap
	return heap
}

func pop(heap []time.Duration) (rest []time.Duration, top time.Duration) {
	top = heap[0]
	n := len(heap) - 1
	gap := heap[n]
	heap = heap[:n]
	i := 0
	for {
		child := 2*i + 1
		if child >= n {
			break
		}
		if child+1 < n && heap[child+1] < heap[child] {
			child++
		}
		if gap <= heap[child] {
			break
		}
		heap[i] = heap[child]
		i = child
	}
	if n > 0 {
		heap[i] = gap
	}
	return heap, top
}
