package receipt

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
)

// Ledgers is the form in which consent ledgers are exported: their records, and
// where each ends, in any order.
type Ledgers struct {
	Heads   []consent.Head  `json:"heads"`
	Records []consent.Entry `json:"records"`
}

// VerifyLedger checks exported ledgers, a document of the form [Ledgers] in any
// formatting, and describes everything that is not as it was written, ledger by
// ledger; of intact ones it returns nothing. It refuses, as [insight.Invalid], what
// is not of that form or could be read in two ways.
//
// Heads that come in the same document prove that it holds together. Who rewrote all
// of it would have written the heads anew too: to find that, compare them with those
// in a receipt from before.
func VerifyLedger(document []byte) ([]string, error) {
	bad := func(message string) ([]string, error) {
		return nil, insight.NewError(insight.Invalid, "ledger", message)
	}
	// What a person's decision was taken from may hold any number, and its hash is
	// taken of the number as it was written.
	if err := unambiguous("ledger", document, false); err != nil {
		return nil, err
	}
	var export Ledgers
	if json.Unmarshal(document, &export) != nil {
		return bad(`it is not an object with "heads" and "records", or their members are not of their types`)
	}
	// A member that a record does not have is not part of its hash, so that anybody
	// could have put it there.
	said, err := consent.Canonical(document)
	if err != nil {
		return nil, err
	}
	understood, err := json.Marshal(export)
	if err == nil {
		understood, err = consent.Canonical(understood)
	}
	if err != nil || !bytes.Equal(said, understood) {
		return bad(`it is not an object with "heads" and "records" alone, or those have members that they should not`)
	}
	faults := export.check()
	for i := range faults {
		faults[i] = printable(faults[i]) // ids are as the document has them
	}
	return faults, nil
}

// check describes what is wrong, ledger by ledger in the order of their keys.
func (l Ledgers) check() []string {
	heads, records := map[string][]consent.Head{}, map[string][]consent.Entry{}
	for _, h := range l.Heads {
		heads[h.Ledger] = append(heads[h.Ledger], h)
	}
	for _, e := range l.Records {
		records[e.Ledger] = append(records[e.Ledger], e)
	}
	var faults []string
	keys := slices.AppendSeq(slices.Collect(maps.Keys(heads)), maps.Keys(records))
	slices.Sort(keys)
	for _, key := range slices.Compact(keys) {
		switch {
		case len(heads[key]) == 0:
			faults = append(faults, fmt.Sprintf("ledger %s: its head is missing, and so nobody knows how many records it should have", key))
		case len(heads[key]) > 1:
			faults = append(faults, fmt.Sprintf("ledger %s: it has %d heads", key, len(heads[key])))
		case len(records[key]) == 0:
			faults = append(faults, fmt.Sprintf("ledger %s: its head knows of %d records, and none are there", key, heads[key][0].Length))
		default:
			faults = append(faults, consent.Check(records[key], heads[key][0])...)
		}
	}
	return faults
}
