// Package archive answers: what is held of this person, in a form that both they and
// a machine can read (GDPR Articles 15 and 20)?
//
// The rule in words. An archive is a zip. Each table of what is held is in it twice,
// with the same rows: as JSON, an array with an object a row, and as CSV (RFC 4180).
// README.md explains every file, every member and every column; it is made from the
// same list of columns as the files, so that they cannot drift apart. Three things
// are in JSON alone: individual.json, who they are and how they stand with each
// purpose; purposes.json, what each purpose is; and receipt.json, the last file, a
// signed receipt of how many rows of each table were exported and of the SHA-256 of
// each file. Ledgers of consent are in the form that [receipt.VerifyLedger] checks.
//
// It is written row by row as the [Source] gives rows out, and takes the same memory
// for ten interactions as for ten million: the source is read once for JSON and once
// for CSV. What it keeps are the decisions about consent, without their evidence.
//
// One worked example. Ann has two identifiers, a link between them and three
// interactions, one of which happened when she was covered by service alone. Her
// interactions.csv has a line of column names and three more, the purposes of that
// one being ["service"]; her receipt says "interactions: 3 rows exported". What it was
// all worth, in one currency, is
//
//	jq '[.[].value // 0] | add' interactions.json
//
// # Cells that spreadsheets would run
//
// Whoever can send events can make a text start with "=", which a spreadsheet takes
// for a formula. So in CSV an apostrophe is put before a text that starts with
// = + - @, their full-width forms, a tab, a line break or an apostrophe. It is undone
// by taking away one apostrophe from the start of a cell, and never needs a guess.
// Numbers keep their minus and phone numbers their plus: a sign with nothing but
// digits and points after it is left as it is. JSON has every text as it is. The
// guard does not help against a spreadsheet that is told another separator than the
// comma.
//
// # What it refuses
//
// A row of somebody else: an archive is aborted when the source gives one out. Of a
// link whose other end is somebody else's now, the archive tells what kind of
// identifier that is, and not which (Article 15 (4)). It refuses JSON that is none,
// numbers that are not finite, a source that gives more rows the first time than the
// second, and to end without a signature. Whatever the error, what was written until
// then is no zip: the directory, which a zip ends with, is missing.
package archive
