// Package script answers whether a package of the heart does what a text file
// says, so that somebody who knows customers and not Go can read the tests and add
// to them.
//
// The rule in words: a file is a list of scenes. A scene has a load block, which
// says what happened, and after it any number of ask and expect blocks. A block is
// its keyword at the start of a line, followed by words, and the indented lines
// beneath it. Empty lines and what follows a # at the start of a word mean
// nothing. The expected answer is compared line by line, and word by word.
//
// One worked example, from recency:
//
//	load four purchases with gaps of 7, 10 and 4 days
//	  2026-01-01 purchase store
//	  2026-01-08 purchase store
//	  2026-01-18 purchase store
//	  2026-01-22 purchase store
//
//	ask recency asOf=2026-01-30
//	expect
//	  last 2026-01-22T00:00:00Z, 8 days ago, of 4
//
// An interaction is a line of when, type and channel, with optional words after
// them: "outbound", "value=12.50", "id=a" (the same id twice is the same
// interaction), and "name=value" for a property. When is a day, or 2026-01-01T10:00
// or T10:00:30, in UTC, or a whole RFC 3339 time.
//
// It refuses a file without a question, a question without an expected answer, an
// indented line outside a block, and a keyword that it does not know, each with
// the file's line.
package script
