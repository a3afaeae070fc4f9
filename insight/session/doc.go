// Package session answers: which interactions were one visit?
//
// The rule in words: along one stream (a device or anonymous id) of one source, an
// individual's inbound interactions belong to one session as long as no gap
// between neighbours exceeds the source's timeout. A gap of exactly the timeout
// still belongs. Logging in, midnight, and a new campaign do not split a session
// (the rule of dbt-labs/segment and of Google Analytics 4).
//
// A session is kept as an interval with sums, a [Run]. Runs join by [Merge], which
// is associative and commutative, so late and out-of-order interactions give the
// session that in-order arrival gives, from the runs alone.
//
// One worked example, timeout 30 minutes: views at 10:00, 10:30 and 11:00:01 are
// two sessions, 10:00–10:30 with 2 interactions and 11:00:01 with 1. A late view of
// 10:45 joins all four into one, 10:00–11:00:01.
//
// It refuses outbound interactions: being written to is not a visit. [Of] reports
// them as no run.
package session
