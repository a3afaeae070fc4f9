// Package durability answers: is what the server acknowledged still there after the
// worst? Its tests run the real binary and end it, or the database under it, while
// clients send.
//
// The rule in words: clients send each message until it is acknowledged, as SDKs do.
// Whenever and however often the server was killed meanwhile, in the end every
// message is stored exactly once, and what is derived is what verify works out from
// the facts. And every change of a membership is told to a receiver: none is lost, and
// nobody's arrive in another order.
//
// One worked example: eight clients send; after 17 acknowledgements the server gets
// SIGKILL, with up to eight requests under way. Some of these were committed and
// never answered. The clients send them again to the server's successor, to which
// they are duplicates, and the count of each message id is one.
//
// It refuses to wait for time to pass: kills follow acknowledgements, clients wait for
// the server's own word that it serves, and the leases of a server that was killed are
// ended by hand.
package durability
