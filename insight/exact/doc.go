// Package exact answers what numbers add up to, to the last bit and in any order.
//
// The rule in words: a sum is kept as a whole number of the smallest float64, and
// rounded once, when it is asked for. So neither the order of the numbers, nor how
// they were divided among several sums that are merged, changes it.
//
// One worked example: 1e16, 1 and -1e16 are 1; a float64 that adds them up in this
// order has 0.
//
// It refuses a number that is not finite: with one there is no sum.
package exact
