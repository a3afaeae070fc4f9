// Package archtest answers whether the house still stands as it was drawn: which
// package may import which, where the clock may be read, and that every package
// says what it is.
//
// The rule in words: imports run one way. The heart (insight) is pure: it imports
// itself and what computes or parses, and reads no clock, file, network or chance.
// Only store knows ent. The way in (ingest) and the way out (engage) know the heart
// and own the interfaces that they need of the store. Resolvers (graph) and the
// HTTP shell (server) never see ent, and nothing imports a command. A package is
// named after a noun of the domain and has one package comment, in doc.go.
//
// One worked example: an import of ".../store" in ingest fails the test with
// "ingest imports store: the way in owns the interfaces that it needs of the
// store, so that it can be tried without a database".
//
// It refuses what breaks a rule, each with its reason. It looks at the code that
// is built, not at tests, and a part of the house that does not exist yet breaks
// none.
package archtest
