// Package storetest answers: does an engine keep what the store promises?
//
// It is one suite, [Run], that every engine passes. The rule in words: what is
// tested here is said in the terms of insight alone, never in SQL, so that an
// engine can only pass by answering right.
//
// One worked example: ten interactions of one moment are read three at a time,
// forward and backward; both ways give the same ten, in the order of their ids, and
// hasNextPage is false on the last page only.
//
// It refuses to know which engine it is given: what differs between engines, such
// as query plans and broken files, is tested beside the store.
package storetest
