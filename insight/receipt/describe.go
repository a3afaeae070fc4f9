package receipt

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// kindPhrases complete the sentence "This is a receipt for …".
var kindPhrases = map[Kind]string{
	KindConsent: "a decision about consent", KindAccess: "access to personal data", KindPortability: "personal data to take along",
	KindRectification: "the rectification of personal data", KindErasure: "the erasure of personal data", KindObjection: "an objection to processing",
}

// Describe tells what a receipt says and what its check proves, a line each. What
// comes out of the document is made harmless to a terminal first.
func (v Verdict) Describe() []string {
	r := v.Receipt
	var lines []string
	line := func(format string, args ...any) {
		for i, a := range args {
			if text, ok := a.(string); ok {
				args[i] = printable(text)
			}
		}
		lines = append(lines, fmt.Sprintf(format, args...))
	}
	line("This is a receipt for %s: %s.", kindPhrases[r.Kind], r.ID)
	if r.Issuer != "" {
		line("Issued by %s at %s.", r.Issuer, moment(r.IssuedAt))
	} else {
		line("Issued at %s.", moment(r.IssuedAt))
	}
	if r.RequestedBy != "" {
		line("About %s, asked for by %s.", r.Individual, r.RequestedBy)
	} else {
		line("About %s.", r.Individual)
	}
	if r.Reason != "" {
		line("Reason: %s", r.Reason)
	}
	for _, c := range r.Consents {
		describeConsent(line, c)
	}
	for _, t := range r.Tables {
		if t.Note != "" {
			line("Table %s: %s %s (%s).", t.Table, count(t.Rows, "row"), string(t.Action), t.Note)
		} else {
			line("Table %s: %s %s.", t.Table, count(t.Rows, "row"), string(t.Action))
		}
	}
	if r.Residue != nil {
		line("Afterwards %s searched (%s): %s still told of the person.", were(len(r.Residue.Scanned), "table"), strings.Join(r.Residue.Scanned, ", "), count(r.Residue.Found, "row"))
		line("How it was searched: %s", r.Residue.How)
	}
	if r.Suppressed > 0 {
		line("%s kept as salted hashes, so that they are not taken in again.", were(r.Suppressed, "identifier"))
	}
	if len(r.Destinations) > 0 {
		line("Also told: %s.", strings.Join(r.Destinations, ", "))
	}
	for _, h := range r.Ledger {
		line("Ledger %s ended with record %d, %s, whose hash is %s.", h.Ledger, h.Length, h.Last, h.Hash)
	}
	if n := len(r.Evidence); n > 0 {
		line("Attached: %s of the ledgers, with the hash that fits.", count(n, "record"))
	}
	line("Signed by the key %s (%s, %s).", v.KeyID, Algorithm, v.PublicKey)
	if v.Pinned {
		line("This is the trusted key: who holds it said this, and nothing was changed since. That it was done as it says, the signature does not prove.")
	} else {
		line("Nothing was changed since it was signed. This does NOT prove who signed: no trusted key was given, and anybody can make a key. Compare the key with the one that the issuer publishes elsewhere.")
	}
	return lines
}

func describeConsent(line func(string, ...any), c ConsentRecord) {
	until := ""
	if c.Event.Validity != "" {
		until = ", for " + c.Event.Validity
	}
	for _, p := range c.Processing.Purposes {
		line("Decision %s: %s %s from %s on%s (%s; basis %s).", c.Header.RecordID, p.PurposeType, c.Event.State, moment(c.Event.Time), until, p.Purpose, p.LawfulBasis)
	}
}

func moment(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

func were(n int, thing string) string {
	if n == 1 {
		return "1 " + thing + " was"
	}
	return fmt.Sprintf("%d %ss were", n, thing)
}

// printable puts a question mark in the place of whatever could move a terminal's
// cursor, start another line or turn the direction of the text.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, text)
}
