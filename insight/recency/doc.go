// Package recency answers how long ago an individual last did something, and
// whether that is longer than their own habit.
//
// The rule in words: recency is asOf minus the last matching interaction; what
// occurs after asOf does not exist yet. A gap is the time from one matching
// interaction to the next. The trip wire is the latency at which a silence says
// something (Jim Novo, Drilling Down): the median of the individual's own gaps
// once they have three of them, the population's before that. An individual is
// overdue when recency passes the trip wire; exactly at it they are not.
//
// One worked example: purchases on 1, 8, 18 and 22 January leave gaps of 7, 10
// and 4 days. The median gap is 7 days, and as three gaps are enough it is also
// the trip wire. On 29 January recency is 7 days: on time. A moment later they are
// overdue.
//
// The median of an even number of gaps is the mean of the two in the middle, so
// gaps of 4 and 10 days have the median 7.
//
// Gaps of nothing count: four purchases at the same moment have the median gap 0
// and are overdue a moment later. Spans over 292 years, the most that
// time.Duration holds, count as that.
//
// It refuses nothing: with no matching interaction there is no last one, no gap
// and no trip wire, and nobody is overdue. The selector is one that
// insight.Selector.Validate accepts.
package recency
