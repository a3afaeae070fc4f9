package consent

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
)

// First is what stands for the hash before a ledger's first record.
var First = strings.Repeat("0", 2*sha256.Size)

// decisionNames are the decisions as the hash, exports and the API spell them.
var decisionNames = map[insight.ConsentDecision]string{insight.ConsentGranted: "GRANTED", insight.ConsentDenied: "DENIED", insight.ConsentWithdrawn: "WITHDRAWN"}

// DecisionName spells a decision.
func DecisionName(d insight.ConsentDecision) string { return decisionNames[d] }

// Entry is a record of a ledger in the form that its hash is taken of, which is
// also how ledgers are exported. Ids are TypeIDs, keys are UUIDs, times RFC 3339 in
// UTC with up to microseconds.
type Entry struct {
	ID            string          `json:"id"`
	Ledger        string          `json:"ledger"` // the key of the identifier in whose ledger it stands
	Sequence      int             `json:"sequence"`
	Covers        []string        `json:"covers,omitempty"` // keys of the other identifiers for whom it speaks, sorted
	Purpose       string          `json:"purpose"`
	Decision      string          `json:"decision"`
	EffectiveAt   string          `json:"effectiveAt"`
	RecordedAt    string          `json:"recordedAt"`
	ExpiresAt     string          `json:"expiresAt,omitempty"`
	Source        string          `json:"source"`
	Method        string          `json:"method"`
	PolicyVersion string          `json:"policyVersion,omitempty"`
	Jurisdiction  string          `json:"jurisdiction,omitempty"`
	Evidence      json.RawMessage `json:"evidence,omitempty"`
	PreviousHash  string          `json:"previousHash"`
	Hash          string          `json:"hash,omitempty"` // of all the above
}

// EntryOf gives a record the form of its hash.
func EntryOf(c *insight.Consent) Entry {
	e := Entry{
		ID: insight.FormatID(insight.ConsentPrefix, c.ID), Ledger: c.Owner.String(), Sequence: c.Sequence,
		Purpose: c.Purpose.Key, Decision: decisionNames[c.Decision],
		EffectiveAt: stamp(c.EffectiveAt), RecordedAt: stamp(c.RecordedAt), ExpiresAt: stamp(c.ExpiresAt),
		Source: c.Source, Method: string(c.Method), PolicyVersion: c.PolicyVersion, Jurisdiction: c.Jurisdiction,
		Evidence: c.Evidence, PreviousHash: c.PreviousHash, Hash: c.Hash,
	}
	for _, key := range c.Covers {
		e.Covers = append(e.Covers, key.String())
	}
	slices.Sort(e.Covers)
	return e
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// Sum is the entry's hash: SHA-256, in hexadecimal, of its canonical JSON without
// the hash itself.
func (e Entry) Sum() string {
	e.Hash = ""
	text, err := json.Marshal(e)
	if err == nil {
		text, err = Canonical(text)
	}
	if err != nil {
		return "" // the evidence is no JSON, and so no hash is its hash
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Seal puts a record at the end of a ledger: after the record whose hash is
// previous, empty for none, as number sequence.
func Seal(c *insight.Consent, sequence int, previous string) {
	if previous == "" {
		previous = First
	}
	slices.SortFunc(c.Covers, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	c.Sequence, c.PreviousHash, c.Hash = sequence, previous, ""
	c.Hash = EntryOf(c).Sum()
}

// Canonical writes JSON in one way: members sorted by name, no blanks, numbers as
// they were written, no escapes but those that JSON asks for and of U+2028 and
// U+2029. It refuses what is not one JSON value.
func Canonical(text []byte) ([]byte, error) {
	if !json.Valid(text) {
		return nil, insight.NewError(insight.Invalid, "", "it is not one JSON value")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, insight.NewError(insight.Invalid, "", "it is not JSON")
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, insight.NewError(insight.Invalid, "", "it is not JSON")
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Head is where a ledger ends, kept apart from it.
type Head struct {
	Ledger string `json:"ledger"` // the key of the identifier whose ledger it is
	Length int    `json:"length"` // how many records it has
	Last   string `json:"last"`   // the id of the last one
	Hash   string `json:"hash"`   // and its hash
}

// Check walks a ledger, whose entries may come in any order, against its head, and
// describes everything that is not as it was written: a record that was changed,
// removed, inserted or moved is named by its id or, where it is gone, by its place.
// An intact ledger gives nothing.
func Check(entries []Entry, head Head) []string {
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	entries = slices.Clone(entries)
	slices.SortStableFunc(entries, func(a, b Entry) int { return cmp.Compare(a.Sequence, b.Sequence) })
	next, previous, end := 1, []string{First}, ""
	for _, e := range entries {
		sum := e.Sum()
		whole := sum != "" && sum == e.Hash
		switch {
		case whole && e.Ledger != head.Ledger:
			fault("%s: record %d is from another ledger than %s", e.ID, e.Sequence, head.Ledger)
			continue
		case e.Sequence < next:
			fault("%s: there is more than one record number %d in this ledger", e.ID, e.Sequence)
			continue
		case e.Sequence > next:
			fault("%s: the %s before it is missing", e.ID, span(next, e.Sequence-1))
			previous = []string{e.PreviousHash} // what lies between is not known
		}
		if !whole {
			fault("%s: record %d was changed: its hash is not that of what it says", e.ID, e.Sequence)
		}
		if !slices.Contains(previous, e.PreviousHash) {
			fault("%s: record %d does not follow the one before it: the hash that it names is another's", e.ID, e.Sequence)
		}
		// Of a record that was changed, either its hash is what it was, or the rest is.
		next, previous, end = e.Sequence+1, []string{e.Hash, sum}, e.ID
	}
	switch last := next - 1; {
	case head.Length > last:
		fault("%s: the %s at the end is missing", head.Last, span(next, head.Length))
	case head.Length < last:
		fault("ledger %s: it has %d records, and its head knows of %d", head.Ledger, last, head.Length)
	case last > 0 && (!slices.Contains(previous, head.Hash) || end != head.Last):
		fault("ledger %s: its last record is not the one that its head names", head.Ledger)
	}
	return faults
}

func span(from, to int) string {
	if from == to {
		return fmt.Sprintf("record number %d", from)
	}
	return fmt.Sprintf("run of records %d to %d", from, to)
}
