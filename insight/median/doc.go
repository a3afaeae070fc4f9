// Package median answers what is usual among many spans of time, in bounded memory.
//
// The rule in words: up to [Exact] spans are kept as they are, and their median is
// the one in the middle, or the mean of the two in the middle. More are counted in
// buckets, a thousandth of their length wide, and the median is the middle of its
// bucket: within 0.1 % of the exact one. The mean is exact always.
//
// One worked example: of 4, 7 and 10 days the median is 7 days; of 4 and 10 days
// also. Of a million spans between 6 and 8 days it is off by ten minutes at most.
//
// The answer is a function of the multiset: neither order, nor how the spans were
// divided among several [Spans] that are merged, changes it.
//
// It refuses a negative span, which it panics on: between two moments in order
// there is none.
package median
