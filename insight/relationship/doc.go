// Package relationship answers what an honest friend would say about an individual
// and the business, and whether it should reach out.
//
// The rule in words: a relationship is about visits. Inbound interactions that follow
// within [Quiet], 30 minutes, of the one before belong to the visit of that one, and
// so they do exactly at it; it is the rule of package session, but along everything
// that the individual does, whatever the source. What is sent to them does not part a
// visit. A gap is the silence from the last interaction of a visit to the first of the
// next, and a silence that still lasts counts from the last interaction. The first row
// that holds is the status. What occurs after asOf does not exist yet. Any inbound
// interaction is the answer to every outbound one before it, amid a visit too; within
// one moment the order of the timeline decides.
//
//	status        holds while                                              since
//	OPTED_OUT     they have said no                                        the refusal's start
//	UNRESPONSIVE  five or more outbound touches since the last inbound     the fifth of them
//	              interaction, or ever when there is none
//	STRANGER      they never came                                          no moment
//	LAPSED        the silence is longer than three times the trip wire     last + 3 wires
//	COOLING       the silence is longer than the trip wire                 last + 1 wire
//	RETURNING     they came again while LAPSED or UNRESPONSIVE, and have   the return
//	              fewer than three gaps since that return
//	NEW           they have fewer than three gaps                          the first act
//	ACTIVE        otherwise                                                the third gap's end
//
// NEW, RETURNING and ACTIVE are since the act that ended another status where there
// was one in between. Last is the last inbound interaction.
//
// The trip wire is that of package recency over visits: the median of the individual's
// own gaps once they have recency.OwnGaps of them, before that the population's median
// gap at their step, which is a recency.Habit whose options have the same Quiet. It
// changes only with a visit, so that a silence is measured by one wire. Where no wire
// is known nobody cools: they stay NEW or RETURNING until they come again.
//
// Since is the first moment at which the status held without a break. Exactly at
// the wire a silence is not yet past it, so COOLING and LAPSED begin a microsecond
// later, which is the next moment that there is. When a refusal ends the status
// beneath it begins then, at the earliest.
//
// A return is the beginning of a visit. Whoever is sent five messages amid a visit and
// goes on with it was UNRESPONSIVE between the two, and has not come back: they had
// not left.
//
// With time alone NEW, ACTIVE and RETURNING become COOLING, and COOLING becomes
// LAPSED; [NextChange] says when. Nothing else moves without an event, but for a
// refusal whose start or end was recorded ahead.
//
// Outreach is advised where it serves the customer: once while COOLING or LAPSED,
// and not again when something was sent since the wire tripped. Those on track need
// nothing, and who does not answer or has said no is left alone.
//
// One worked example: views at 10:00, 10:30 and 11:00:01 are two visits, with a gap of
// 30 minutes and a second. Visits on 1, 8, 18 and 22 January, each over at once, leave
// gaps of 7, 10 and 4 days, so the trip wire is 7 days. On 29 January they are ACTIVE,
// since 22 January. A microsecond later they are COOLING: act once. A letter on 2
// February was that once. From 12 February on (22 January and 3 times 7 days) they are
// LAPSED. Four more letters until 1 April, five in all, and they are UNRESPONSIVE
// since the fifth. A visit on 3 April makes them RETURNING, and the third visit
// after that ACTIVE.
//
// It refuses an asOf outside the years that insight.CheckTime takes.
package relationship
