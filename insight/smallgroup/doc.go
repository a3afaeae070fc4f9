// Package smallgroup answers: which numbers of a report may be shown to somebody
// who may not see the people behind them?
//
// The rule in words, with the purpose's floor (10 by default):
//
//   - A number of fewer individuals than the floor is suppressed, zero included:
//     "nobody" is said of everyone who is not there.
//   - Every other one is shown rounded down to a multiple of the floor: 10 to 19
//     are 10. What depends on several, a share or a change, is worked out from what
//     is shown. So any two numbers that such a viewer ever sees are equal or differ
//     by the floor at least.
//   - Where numbers add up to a total that is shown too, and one of them is
//     suppressed, the smallest of the others is suppressed with it. Smallest is
//     meant as shown; of equals it is the first.
//   - What a group has of something that adds up, such as money, is shown for the
//     rounded number of individuals at their mean, in steps larger than what any
//     one of them has, and with two digits at most. Any other figure about a group
//     has two digits.
//
// With a floor of 1 or less everything is exact. That is what a viewer gets who may
// read individuals ([For]).
//
// One worked example, at floor 10: 3 individuals are new, 812 active, 47 cooling
// and 141 lapsed, 1003 in all. New is suppressed, and cooling with it, the smallest
// of the others; active is shown as 810, lapsed as 140, the total as 1000, the share
// of active as 0.81. When a 48th cools, nothing that is shown changes.
//
// # Why it rounds
//
// Two answers can tell what neither does: the same question a minute later, when
// one person has come, or two questions whose groups are the same but for one.
// Google's Ads Data Hub (50 users to a row, 10 where only clicks and conversions
// are read) compares each result with the earlier ones and drops what is too
// similar. That needs a memory of every viewer's answers that all servers share,
// colleagues can compare what they were told, and a refusal is itself an answer: it
// says that a small difference is there. Rounding needs no memory and holds between
// any two viewers on any two days. It is what statistical offices do to tables of
// counts, next to the primary and secondary suppression of cells. It rounds down and
// not to the nearest, because then a total can never show that nothing at all was
// cut off the numbers beneath it.
//
// The alternative is noise that is drawn once for each group and stays. It would
// blur the boundaries too, but numbers that everyone can check against each other
// would contradict each other, and it needs a key that must never change.
//
// # What it does not hide
//
// Boundaries. At the 20th individual 10 becomes 20, and at the 10th "suppressed"
// becomes 10. Somebody who knows from elsewhere that only one person came in between
// then knows the number, and who knows the other 19 knows of the 20th. Of ten who
// come to a group one is seen like that, at floor 10, and the other nine are not.
//
// Who brings people of their own, accounts that they made, can move a group up to a
// boundary and wait there for the next arrival; who may ask any number of questions
// can find a group that stands at one. No answer that is roughly right withstands
// any number of questions (Dinur and Nissim, 2003). Against them helps who may ask,
// how often, and a record of it, none of which is decided here.
//
// The total. Rounded as it is, it says how much was cut off the numbers beneath it
// together, to within a floor, and where nearly all of them are just short of the
// next multiple it says that. Of m numbers, m at most the floor, each suppressed
// one still has floor-m+1 possible values or more, to somebody who knows these
// rules and the answer. At floor 10 that is all ten with two numbers. With three it
// is never fewer than eight, and fewer than ten in one answer of 80, where numbers
// below 30 are equally frequent; without the second cell it would be one answer of
// eight, so the cell is still needed. From as many numbers as the floor on nothing
// is promised: ten of them, nine being 19 and the last one 9, are told in full,
// should ten such numbers ever meet.
//
// The usual rule for further cells, to go on until those that are hidden hold the
// floor together and not to begin when they do already, was tried and left: when it
// stops is seen, and says how many they hold. The attacker of the tests learns more
// from it with four numbers than from no second cell at all. One more, always, holds
// the floor as well and says nothing; it also helps against somebody who knows that
// some of the suppressed are zero, because they can be nothing else.
//
// A second cell that is hidden today may be shown tomorrow; and what is the same
// for a whole group, such as that all of them bought, is told of everyone in it.
//
// # What it refuses
//
// A negative number of individuals cannot be. It is suppressed, for everyone, with
// all that it is added to; and so is a step of a funnel that holds more than the
// one before it, with all steps after it. A sum that is not finite is not shown.
package smallgroup
