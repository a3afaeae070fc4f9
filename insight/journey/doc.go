// Package journey answers by which channels an individual came along, from the
// first touch to the conversion or to where they are now.
//
// The rule in words: an individual's interactions of either direction are taken in
// order, and consecutive ones on the same channel fold into one touchpoint. A
// journey ends with a conversion, which belongs to it, or when more than the
// lookback passes without any interaction; the next interaction starts another
// one. A gap of exactly the lookback still belongs. What occurs after asOf does
// not exist yet.
//
// One worked example, with a lookback of 30 days and purchases as conversions: an
// e-mail on 1 March, two pages on the web on 2 March, a purchase in the store on
// 5 March, another page on 6 March. As of 10 March there are two journeys: email,
// web (2 interactions), store, which converted and ended on 5 March; and web, the
// current one, which is open. As of 10 April the second has been quiet for 35 days
// and has ended on 6 March, not converted.
//
// An individual's current journey is the latest that had started by asOf, ended or
// not.
//
// It refuses a lookback that is not positive or is over 100 years, an asOf outside
// the years that insight.CheckTime takes, and a conversion that
// insight.Selector.Validate refuses.
package journey
