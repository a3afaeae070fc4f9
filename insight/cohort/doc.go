// Package cohort answers what a group of individuals does as time goes by: who is
// new, who returns and who falls silent (lifecycle), how many of those who started
// together come back (retention), how often people come at all (stickiness), and how
// far they get on a way of several steps (funnel).
//
// The definitions are PostHog's. Each of the four is a tally: it is made from
// options, takes in one individual's history at a time, merges with others of the
// same options, and reports. What occurs after asOf does not exist yet.
//
// # Buckets
//
// Time is divided into the hours, days, weeks or months of a time zone. A day starts
// at midnight of the zone's clocks, and where they skip midnight with the first
// moment of that day; more exactly, once no moment with an earlier date is to come.
// So a day may have 23 hours or 25, and a date that the zone skipped is no bucket. An
// hour starts where the clocks show a full hour, also where that is 15 minutes past
// the hour in UTC, and where they are changed: an hour that comes twice is two
// buckets. Buckets touch, so each moment is in exactly one.
//
// An interval from..to is made of whole buckets, from the one that holds from to the
// one that holds to; all of the latter counts. A bucket that has not begun by asOf is
// not reported, rather than as a zero.
//
// # Lifecycle
//
// An individual who is active in a bucket is new when it is their first bucket ever,
// returning when they were active in the one before too, and resurrecting
// otherwise. One who was active in the one before and is not now is dormant, a
// negative number. What lies before from is looked at as well.
//
// One worked example: somebody who is active on 11, 12, 13 and 15 January is, from 12
// to 16 January, returning, returning, dormant, resurrecting, dormant.
//
// # Retention
//
// Row i is the cohort of those who started in bucket i, and its column j counts who
// of them returned in bucket i+j. Column 0 is the size of the cohort. RECURRING: one
// is in every cohort in whose bucket they started; FIRST_TIME: only in the one of
// their first start ever; ROLLING: cohorts as in RECURRING, and column j counts who
// returned in bucket i+j or at any later time until asOf. The matrix is square: of n
// buckets, each row has n columns, so the last one reaches n-1 buckets beyond the
// last cohort. Columns whose bucket has not begun by asOf are not there.
//
// One worked example: on 10 June one individual starts, who comes again on 11 and 15
// June. Row 0 is 1 1 0 0 0 1; rolling it is 1 1 1 1 1 1; as of 12 June it is 1 1 0.
//
// # Stickiness
//
// How many individuals were active in exactly n buckets, for each n from 1. One who
// is active twice on one day was active in one bucket.
//
// # Funnel
//
// An attempt is interactions of one individual, one for each of the first k steps,
// the last of them no later than the window after the first. ORDERED: in the order
// of the steps, whatever comes between. STRICT: in that order, with no other inbound
// interaction between; what the business did does not disturb. UNORDERED: in any
// order; its n-th step is the n-th that they did. No interaction is two steps of an
// attempt. An individual counts at every step up to the furthest that any attempt of
// theirs reaches.
//
// An exclusion stops an attempt: once the excluded event has happened after step
// afterStep and before step beforeStep, counted from 1, the attempt goes no further.
// Another one may, such as one that does step afterStep again. What the attempt had
// reached before stays reached, or else a longer window, in which the excluded event
// lies too, would lower a step. UNORDERED takes exclusions from the first step to the
// last only, as there is no other order to be between.
//
// The time from step to step is taken from one attempt of each individual: of those
// that reach furthest, the one that gets there first; of those the one that starts
// last; and in it each step as early as may be. The median is exact up to
// median.Exact individuals and within 0.1 % beyond.
//
// One worked example, with steps sign up, play, buy and a window of 7 days: sign up
// at 12:00, sign up at 12:30, play at 13:00, play at 14:00, buy at 15:00. The attempt
// is 12:30, 13:00, 15:00: half an hour to play and two hours to buy. STRICT it is
// 12:30, 13:00 and ends at step 2.
//
// # What it refuses
//
// From after to; more than [MaxBuckets] buckets, and for retention more than
// [MaxCohorts]; an interval, a week start, a mode or an order that does not exist; a
// missing time zone or asOf; fewer than 2 steps or more than [MaxSteps]; a window
// that is not positive or over 100 years; an exclusion of steps that are not there or
// not in order; and selectors that insight.Selector.Validate refuses. What cannot be
// answered, such as the conversion of nobody, is left out.
package cohort
