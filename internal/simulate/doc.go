// Package simulate answers: what would a business with known customers have
// recorded? It makes a population whose truth is planted, and the messages that
// its people and the business would have left behind. It is the demo's data, the
// benchmark's load and the truth that tests hold analyses against.
//
// The rule in words:
//
//   - A person is a function of the seed, the span, the truth and their number.
//     The size of the population, the order of making and the number of
//     goroutines change nothing, and nobody is kept once made.
//   - Inbound journeys are independent runs of a Markov chain over channels. P of
//     them convert, so there are (1-P)/P without a purchase for each one with.
//   - Purchases come by the BG/NBD model and are worth what the Gamma-Gamma model
//     says. A journey that converts ends at its purchase. The others lie where
//     there is room, each followed by a quiet that is longer than Quiet.
//   - The first channel of a visit shows in its referrer and campaign, the site's
//     own pages in a referrer of the site; app, store, call centre and support are
//     named. Whoever folds a person's inbound messages by channel has the planted
//     journey back, exactly.
//   - People browse before they log in, on one or two browsers and a phone. Each
//     browser that is theirs is linked to them sooner or later, but for the stray
//     one. Neighbours may share a tablet, on which everything is said under a name.
//   - The business writes to those who have said who they are and granted
//     marketing; and before each inbound e-mail visit lies the letter it answers.
//     Other letters are answered by nobody, as many as Response asks for.
//   - Each time that they log in, the message carries what they decided about each
//     purpose, as Segment's categories. Whoever reads it leaves out what people who
//     denied analytics do from then on, and sees the others by their purposes.
//
// The default truth, [DefaultTruth]:
//
//	purchases    BG/NBD a week: r 0.6, alpha 10, a 0.8, b 2.4   a mean of 0.06 a week while alive; gone after a repeat: 1 in 4
//	spend        Gamma-Gamma: p 6.25, q 3.74, v 15.44           CDNOW's; a mean of 35.22
//	first        uniform over the span
//	chain        12 channels, see the source                    P 0.3833; of the unresponsive 0.3979
//	quiet        2 days                                         within a journey no two messages are further apart
//	prospects    15 %, 2 journeys each on average               never buy
//	unresponsive 20 %                                           the chain without e-mail
//	response     25 % of the letters that are no newsletter     of people who granted marketing and are not unresponsive
//	shared       6 % of the pairs (1, 2), (3, 4), …             one tablet, one anonymous id
//	strays       12 % of a customer's journeys on the web alone without a purchase
//	currency     EUR, 30 % USD
//	consents     analytics 95 %, personalization 62 %, marketing 55 %, advertising 38 %
//	outreach     newsletter every 5 weeks, catalogue every 13, push every 8
//
// One worked example. 5,000 people of seed 1 over the year 2025 say or are sent
// 128,485 messages, 37,038 of them outbound, in 22,581 journeys of which 8,687
// convert; as NDJSON that is 49 MB. The first of them, user-00001, comes by an
// affiliate's link on 8 May, looks at the site, logs in and buys for 11.34 EUR; on
// the next day they buy for 17.72 in the store. After that they are gone, and are
// written to 10 times in vain.
//
// To find the chain again, ask for journeys of INBOUND interactions that end with
// "Order Completed", with the lookback [Truth].Quiet: with the usual 30 days,
// journeys that did not convert run into the next ones. The messages belong to a
// source whose default channel is web.
//
// It refuses (see [New]) a span without an end, since it reads no clock, a chain
// that asks for what no message could show, and shares outside 0 to 1.
package simulate
