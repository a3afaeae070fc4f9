// Package webhook answers: how does a destination learn that somebody entered or left
// a segment, and nothing that it must not learn?
//
// The rule in words. Each change of membership is in an [Outbox] once for each
// destination, written in the transaction that made the change. A [Sender] claims what
// is due, composes what may be told of it now, and sends it as Standard Webhooks 1.0
// asks (https://github.com/standard-webhooks/standard-webhooks): a POST of compact JSON
// with the headers
//
//	webhook-id         the change's id, the same however often it is sent
//	webhook-timestamp  the second of the attempt, since 1970
//	webhook-signature  v1, and the HMAC-SHA256 of id.timestamp.body in base 64, once
//	                   for each secret that is valid
//
// It is sent at least once, and again until the destination answers 200 to 299. Of one
// individual's changes a later one is not sent before an earlier one has been settled;
// those of others do not wait for it. What follows from a failure is told in package
// delivery.
//
// One worked example. With the secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, the body
// {"test": 2432232314} is sent at 1614265330 under the id msg_p5jXN8AQM9LWM0D4loKWxJek
// with the signature v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=.
//
// # Withdrawal wins
//
// What is sent is composed when it is sent. To connect may take seconds; so once there
// is a connection, and before a byte is written, the outbox is asked whether what was
// composed still holds ([Outbox.Confirm]). If not, nothing is written, and it is
// composed anew or dropped. What was confirmed and is not on its way a second later is
// given up.
//
// # Others' servers
//
// An attempt takes at most 15 seconds, from the search for the address to the end of
// the answer, of which 64 KB are read at most. Redirects are not followed. TLS is 1.2
// or newer and verified; what proxies the environment names does not matter. To one
// destination at most [Options.Each] attempts are under way, to one that fails a single
// one, and to all [Options.Total]: who hangs holds up nobody else.
//
// # What it refuses
//
// Addresses that are not on the public internet, also those that a name leads to, found
// out each time a connection is made ([Policy]): a server that sends requests to
// wherever its users say must not be made to talk to its own network. And, unless such
// addresses are allowed, everything but https ([CheckURL]).
package webhook
