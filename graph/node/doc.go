// Package node holds the objects that the API answers with: values of the
// vocabulary with their ids, and with what their fields need to be answered
// together.
//
// The rule in words: objects that came from one list are siblings. When a field is
// asked of one of them, it is loaded for all of them, in one statement, and the
// others find it there. So the number of statements depends on the shape of a
// query, and not on how many rows it finds.
//
// One worked example: twenty individuals, each with its last twenty interactions
// and their count, are three statements: the individuals, the interactions of all
// twenty, and what is known of all twenty, of which the counts are taken, and which
// recency, RFM and journeys share. Where all have fewer than twenty, they are two: a page
// that is the whole list tells its length.
//
// It refuses nothing of its own: what a reader does not see does not get here.
package node
