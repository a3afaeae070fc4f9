// Package recency answers how long ago an individual last did something, whether
// that is longer than their habit, and how a population stands: by how recently,
// how regularly, how often and for how much.
//
// # One individual
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
// # What a population adds to it: the Habit
//
// Step n is the way from the n-th time to the next. The population's trip wire for
// somebody who did it n times is the median gap of all who made step n. Where nobody
// made it there is none: the gaps of an earlier step are not those of this one (they
// shrink from step to step), and a wire that is made up would call people overdue
// whom nobody can compare with anyone.
//
// The percentile is the share of those who did it at all whose last time is strictly
// earlier. Everyone is among those they are compared with, so that of four who last
// did it on 1, 2, 2 and 9 January the percentiles are 0, 0.25, 0.25 and 0.75.
//
// Where visits are meant and not each page of them, [HabitOptions] has a Quiet: what
// follows within it of the one before, and exactly at it too, goes on with the visit,
// a time is a visit, and a gap is the silence from the last interaction of a visit to
// the first of the next. With a Quiet of 30 minutes views at 10:00, 10:30 and 11:30
// are two visits, and their gap is one hour. The last time is still the last
// interaction. Such a habit is for whoever counts visits too, as package relationship
// does; [Of] and the reports below count every match.
//
// # Bands
//
// [BandTally] divides those who did it at all by recency. A band holds its beginning
// and not its end: with the bounds 7 and 15 days, six days and 23 hours are in the
// first of three, seven days in the second. By default a band is Jim Novo's. That
// recency tells who will act is shown beside it: of those who were in the band a
// horizon before asOf, by what had happened then, the share that did it again within
// the horizon. Who did it on 1 January and again on the 20th was in the first band on
// 5 January, and as of 4 February, with a horizon of 30 days, has responded from it.
//
// # Latency
//
// [LatencyTally] tells of each step how many made it, the mean and the median of
// their gaps, how many stand before it, and how many of those are overdue. They are
// exactly those who are overdue when they are asked about one by one with the
// population's habit.
//
// # The lifecycle grid
//
// [GridTally] divides by recency and by how often they did it, in bands of both that
// hold their beginning and not their end: the bounds 2 and 4 are once, two or three
// times, and four times or more. The change of a cell is how many are in it now minus
// how many were at an earlier moment, by what had happened then. The changes add up
// to those who have done it for the first time in between.
//
// # RFM
//
// [RFMTally] scores recency, frequency and money from 1 to 5, as the published rfm
// tables do: cut k is the type-7 quantile k/5 of everyone's plus 1, a score holds its
// lower cut and not its upper one, and the most recent days score 5. Ties share their
// score, so that scores may be empty. The code is 100 R + 10 F + M, and the first rule
// of a table that matches gives the segment. New Customers, Promising and Can't Lose
// Them are in that table and never come out, because broader rules come before them.
// For example recency days of 10, 20 and 30 have the quantiles 14, 18, 22 and 26, so
// the cuts 15, 19, 23 and 27, and the scores 5, 3 and 1.
//
// Recency days are counted from day to day in UTC, so that an order late last night
// is one day ago this morning.
//
// # Money
//
// A value counts in millionths, in whole numbers: 0.1 and 0.2 make 0.3, in any order.
// One without a value counts 0, one beyond 10^18 counts that. Currencies are not
// converted: a selector that selects one keeps them apart. What a group has comes with
// how many of them have any and the most that one has, which is what smallgroup.Worth
// needs where small groups are not told.
//
// # What it refuses
//
// About one individual nothing: with no matching interaction there is no last one, no
// gap and no trip wire, and nobody is overdue; they are in no band, no cell and no
// segment. The selector is one that insight.Selector.Validate accepts. About a
// population, what the Validate methods refuse: bounds that are not 1 to 50,
// ascending, and above where the first band begins; a horizon that is not positive or
// over 100 years; a negative quiet; more than 50 steps; a moment to compare with that
// is after asOf. A share of nobody, a mean of no gaps, cuts of no one are nil.
package recency
