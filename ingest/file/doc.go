// Package file answers: which events does a file hold? It reads comma-separated
// values and their like, whose columns a [Mapping] names, and NDJSON with one
// message of the tracking API a line.
//
// The rule in words. Every row is one event or is refused with its line and the
// reason, and the rows around it are not disturbed. A file is read as a stream:
// memory does not grow with it.
//
// Importing a file twice changes nothing, and nothing in it is lost. A row with a
// message id is known by it. A row without one gets an id from its content (the
// texts of all its fields and, where it is a constant, its type) and its ordinal among the
// rows of the file with the same content, so that two identical purchases are two
// and the order of the rows does not matter. The ordinals need a first pass over
// the file, which keeps 24 bytes a row in a temporary file. It follows that a row
// in two files of one source is one event: where that is wrong, map a messageId
// or import the files as two sources. An event's id holds its time too, so that
// reading the same file in another time zone makes other events.
//
// One worked example. With the mapping
//
//	userId=customer,type=:purchase,occurredAt=day,value=dollars,properties.discs=n
//
// the time layout 20060102 and the time zone UTC, the file
//
//	customer,day,n,dollars
//	00004,19970101,2,29.33
//	00004,19970101,2,29.33
//	00005,1997-01-01,1,14.96
//
// holds two purchases of USER_ID 00004 of 29.33 each, at 1997-01-01T00:00:00Z,
// with the properties {"discs":2}; their message ids end in -1 and -2. Line 4 is
// refused: "line 4, occurredAt: the text does not have the time layout".
//
// A property or trait that is a plain decimal number of at most 15 digits is a
// JSON number; any other text stays text ("00004", "1e3"). An empty field is no
// value. A local time that daylight saving skips or repeats is read as Go's
// time.ParseInLocation reads it: in one of the two zones that meet there, without
// saying which. What lies in the future is taken to have happened now.
//
// A message's context.consent is read as package tracking reads it: where it cannot
// be, the row is an event all the same, and what is wrong is told with its line.
// Columns say nothing of consent.
//
// It refuses: text that is not UTF-8 (UTF-16 for the whole file, stray bytes of
// Latin-1 for their row), NUL, rows with more or fewer fields than the header (or,
// without one, than the first row), rows over 1 MiB, quotes that do not
// close, events over 32 KB, values that are no finite decimal number, times
// outside the years 1 to 9998, and rows about nobody.
package file
