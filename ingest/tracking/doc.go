// Package tracking answers: which event does a message of the Segment tracking
// API make? It reads the JSON that Segment's SDKs send, checks it, and says what
// happened to whom, when and on which channel; it keeps nothing.
//
// The rule in words. A message is read once, byte by byte; whatever is wrong with
// it is named by its place and never quoted. In a batch a wrong message is
// refused alone. The identifiers that a message carries (userId, anonymousId,
// previousId, context.device.id, context.externalIds, and the email and phone of
// its traits) are its identities, strongest first; one that cannot identify
// anybody, such as "null", is passed over as long as another one is left.
//
// When it happened: occurredAt = timestamp - (sentAt - receivedAt), which takes
// the client's clock out of it. Without sentAt the timestamp is taken as it is,
// without a timestamp the moment of receipt. Nothing happened later than it was
// received: a time that would be is brought back to receivedAt, because one event
// in the future would make its person seem active until then. The event's own
// Timestamp stays what the client said, so that a retry, with another sentAt and
// another receivedAt, has the same id.
//
// On which channel: context.channel where it is a text (a channel's key; the
// SDKs put what is given among a call's options there); else, where the message
// has a page or a campaign, what package channel makes of them; else the
// source's own channel. The message's own top-level "channel" is the SDK's
// ("browser", "server", "mobile") and says nothing about the business. Who
// reached out: the customer, unless context.direction is "outbound".
//
// What it was worth: properties.revenue, else total, else value, the first that
// is a number or a text that holds one; properties.currency where it has three
// letters.
//
// What the person allows: context.consent, of which package consent reads
// categoryPreferences, Consent Mode and the TCF and GPP strings of the IAB, and the
// request's header Sec-GPC, which counts for each of its messages. The event's
// Signals say it. Consent that cannot be read counts for nothing and does not refuse
// its message; the fault is reported beside the event.
//
// One worked example. A server receives at 12:00:05
//
//	{"type":"track", "event":"Order Completed", "messageId":"m-1",
//	 "userId":"user-1", "anonymousId":"anon-1",
//	 "timestamp":"2026-03-01T11:00:00Z", "sentAt":"2026-03-01T11:00:02Z",
//	 "properties":{"revenue":"19.90", "currency":"eur"}}
//
// The client's clock is 1 h 3 s behind, so the order was completed at 12:00:03;
// it is worth 19.9 EUR; its identities are USER_ID user-1, ANONYMOUS_ID anon-1,
// and its session runs along anon-1.
//
// Where a member is repeated, the last one counts; members that are not known
// are ignored; null is the same as nothing. A message without an id gets one from
// its content when it has a timestamp, so that sending it again changes nothing,
// and a random one when it has not.
//
// It refuses: messages over 32 KB, batches over 500 KB or 2,500 messages,
// message ids of 100 characters and more, the character NUL, halves of surrogate
// pairs, invalid UTF-8, more than 64 levels of objects and arrays, numbers that a
// 64-bit float does not hold, times that are not RFC 3339 with a zone or lie
// outside the years 1 to 9998, fields of the wrong type, and messages about nobody.
package tracking
