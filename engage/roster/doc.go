// Package roster answers: who is in a segment, in a form that another tool reads?
//
// The rule in words. A roster has a row for each member, newest first. As NDJSON a row
// is an object with individual, membership, enteredAt, identifiers (kind and value,
// strongest first) and traits (by key). As CSV (RFC 4180) it has the columns individual,
// membership, entered_at, user_id, anonymous_id, email, phone, device_id and external,
// each the strongest of its kind or nothing, and a column trait.KEY for each trait that
// was asked for: a text as it is, anything else as JSON. What a spreadsheet would run is
// guarded as in package archive. It is written some rows at a time, and takes the same
// memory for ten members as for ten million.
//
// One worked example. Ann, who has the USER_ID u1 and the plan "pro", entered on 1 March:
//
//	individual,membership,entered_at,user_id,anonymous_id,email,phone,device_id,external,trait.plan
//	ind_01…,mem_01…,2026-03-01T12:00:00Z,u1,,,,,,pro
//
// It refuses a format that it does not know. Whom the segment's purpose does not cover,
// and traits that are sensitive, it is never given.
package roster
