// Package experience answers what an individual is offered, and why, or why nothing.
//
// An experience has up to ten variants. Each says what it gives the customer (its
// benefit), for whom it is (a segment, or everyone), which traits it shows, and what
// the caller needs to show it (its payload). Some individuals are held out: they get
// nothing, so that what the others do can be compared with what happens anyway (see
// package uplift).
//
// The rule in words; the first that holds is the reason:
//
//	ENDED         the experience has been archived
//	UNKNOWN       nobody is known by what they were named by
//	NOT_COVERED   the experience's purpose does not cover them, or nothing that happens
//	              to them may be kept
//	OPTED_OUT     they have said no to being approached
//	UNRESPONSIVE  they do not answer what is sent to them
//	NOT_ELIGIBLE  no variant may be offered to them
//	HOLDOUT       they are held out
//	CAPPED        they have been offered as much as the cap allows
//	OFFERED       otherwise
//
// A variant may be offered to those who are in its segment, when every trait that it
// shows is known of them and may be shown, and when its segment's rule uses no trait
// of theirs that is SENSITIVE: such a trait neither shows nor chooses. The trait that
// is shown is the best one (insight.BestTraits); it may be shown when it is DECLARED
// or OBSERVED, with a confidence of [ShownConfidence] or more, and no source has it
// as SENSITIVE. An INFERRED or less certain one may choose, by way of a segment.
//
// # Who is held out
//
// Who is held out would have been offered something: what makes a variant not
// eligible comes first. So those who are held out and those who got an offer differ
// by the draw alone, and may be compared. That is how predicted ghost ads are logged
// (Johnson, Lewis and Nubbemeyer, Ghost Ads, Journal of Marketing Research 54, 2017).
//
// A draw is a number from 0 to 1: the first 53 bits of SHA-256(SHA-256(the experience's
// salt, the individual's id), a label). With the label "holdout" it decides who is held
// out: whoever is below the share. With a variant's key it makes that variant's score, ln(draw) over
// the weight; the highest score of those that may be offered wins. This is weighted
// rendezvous hashing (Thaler and Ravishankar, 1998; with weights Schindelhauer and
// Schomaker, 2005): each variant wins in proportion to its weight, the unit of the
// weights does not matter, a variant that is added takes some from the others and
// moves nobody else, and one that is taken away, or is for a segment that someone
// leaves, moves only those who had it. Names are in no draw and may change.
//
// # What was decided before
//
// It stays. An earlier decision counts when it held them out or offered them a
// variant. The earliest says whether they are held out, whatever the share is now, so
// when two individuals turn out to be one the first word about either stands. The
// latest variant is offered again while it may be. Of decisions at one moment, one
// that held them out counts as the earliest, and of two variants the lesser key as
// the latest. Every offer is to be remembered; of being held out, the first time is
// enough.
//
// The cap counts earlier offers in the span that ends now; one that is exactly as old
// as the span is long counts no more.
//
// # One worked example
//
// "Garden tips" holds out 10 %. Its variant hello, of weight 1, is for everyone and
// shows first_name; tips, of weight 3, is for the segment gardeners. Of a hundred
// gardeners whose first name was declared, about 10 are held out, 67 get tips and 23
// hello. One who leaves the segment gets hello from then on. One whose first name a
// model has guessed gets nothing when they are no gardener: hello would show a guess.
// With a cap of 2 in 7 days, one who was offered something on Monday at 9:00 and on
// Tuesday is offered nothing until the next Monday at 9:00.
//
// # What it refuses
//
// [Experience.Validate] refuses an experience without variants or with more than
// [MaxVariants], two variants of one key, one that is called holdout, one that gives
// the customer nothing, a holdout of everyone, a payload that is no JSON object or
// over [MaxPayload] bytes, and a cap of nothing or without a span.
package experience
