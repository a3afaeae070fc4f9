// Package receipt answers: what was done with this person's data, and how can
// somebody who does not trust us check that we said so?
//
// The rule in words. A receipt is a JSON document that says who, what and when,
// table by table, and where the person's consent ledgers ended. It carries the
// public key of whoever issued it and an Ed25519 signature over everything else in
// it, written canonically: members sorted by name, no blanks. So it may be
// reformatted, printed and typed again, and still be checked, by anybody, with
// nothing but the document:
//
//	jq -jcS 'del(.signature)' receipt.json
//
// gives the bytes that are signed (of a receipt whose texts hold neither U+007F nor
// the separators U+2028 and U+2029, which some programs escape and others do not).
// What was consented to, a receipt says in the fields of ISO/IEC TS 27560:2023
// ([ConsentRecord]).
//
// A signature alone proves that nothing was changed since, and not who signed: for
// that the key is pinned, to one that the reader has from elsewhere. A receipt is
// also where a ledger's head is kept apart from the ledger: who holds one can tell a
// ledger that was written anew from the one that there was. An exported ledger is
// checked by [VerifyLedger].
//
// One worked example. Ann asks for her data to be erased. On 2 May we delete 3
// identifiers and 14 interactions, keep 1 order that the law asks us to keep, look
// through all tables again and find nothing. The receipt lists the three tables with
// 3 deleted, 14 deleted and 1 kept, the residue 0, and the head of her ledger. Ann
// checks it with the key that our website shows. Were the 14 made a 13, or a letter
// of a note another one, the signature would not fit.
//
// It refuses what could be read in two ways: members that are repeated, members that
// a receipt does not have, numbers that are not whole or larger than every reader
// holds, halves of surrogate pairs; and documents over 1 MB. [Key.Sign] gives
// nothing that [Verify] would refuse.
package receipt
