package receipt

import (
	"fmt"
	"slices"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
)

// Schema names the form of a receipt, and its version: a member more or fewer is
// another version.
const Schema = "acquaint-receipt/1"

// Kind is what a receipt is a proof of. The text is the API's.
type Kind string

// What was asked for: the rights of GDPR Articles 7, 15, 20, 16, 17 and 21.
const (
	KindConsent       Kind = "CONSENT"
	KindAccess        Kind = "ACCESS"
	KindPortability   Kind = "PORTABILITY"
	KindRectification Kind = "RECTIFICATION"
	KindErasure       Kind = "ERASURE"
	KindObjection     Kind = "OBJECTION"
)

// Kinds are all of them.
var Kinds = []Kind{KindConsent, KindAccess, KindPortability, KindRectification, KindErasure, KindObjection}

// Action is what was done with rows of a table.
type Action string

// What may be done with rows.
const (
	ActionDeleted  Action = "deleted"
	ActionExported Action = "exported"
	ActionWritten  Action = "written" // added or changed
	ActionKept     Action = "kept"    // left as they were, for a reason that the note tells
)

// Actions are all of them.
var Actions = []Action{ActionDeleted, ActionExported, ActionWritten, ActionKept}

// Receipt is what was done with a person's data. All members are written but those
// that may be left out; lists that are empty are written as such.
type Receipt struct {
	Schema       string          `json:"schema"`               // [Schema]; empty for [Key.Sign] to fill in
	ID           string          `json:"id"`                   // of the request (req_…) or of the decision (con_…)
	Kind         Kind            `json:"kind"`                 // what it is a proof of
	IssuedAt     time.Time       `json:"issuedAt"`             // in UTC
	Issuer       string          `json:"issuer"`               // the controller's name; may be empty
	Individual   string          `json:"individual"`           // ind_…
	RequestedBy  string          `json:"requestedBy"`          // the subject of who asked for it
	Reason       string          `json:"reason,omitempty"`     // in the words of who asked
	Tables       []Table         `json:"tables"`               // what was done, table by table
	Residue      *Residue        `json:"residue,omitempty"`    // what was left, where it was looked for
	Suppressed   int             `json:"suppressed,omitempty"` // identifiers kept as salted hashes, so that they are not taken in again
	Destinations []string        `json:"destinations"`         // who else was told
	Ledger       []consent.Head  `json:"ledger"`               // where the person's ledgers ended
	Consents     []ConsentRecord `json:"consents,omitempty"`   // of kind CONSENT: what was decided
	// Evidence is records of the ledgers, each with its hash. One whose own evidence
	// holds a number that is not whole cannot be part of a receipt.
	Evidence []consent.Entry `json:"evidence,omitempty"`
}

// Table is what was done with a person's rows of one table.
type Table struct {
	Table  string `json:"table"`
	Action Action `json:"action"`
	Rows   int    `json:"rows"`
	Note   string `json:"note,omitempty"` // why, where that needs saying
}

// Residue is what a search found of a person after their data was erased.
type Residue struct {
	Scanned []string `json:"scanned"` // the tables that were looked through
	Found   int      `json:"found"`   // how many rows still told of the person
	How     string   `json:"how"`     // how it was searched, in words
}

// whole writes lists that there are none of as empty ones, so that there is one form
// for one receipt.
func (r Receipt) whole() Receipt {
	if r.Tables == nil {
		r.Tables = []Table{}
	}
	if r.Destinations == nil {
		r.Destinations = []string{}
	}
	if r.Ledger == nil {
		r.Ledger = []consent.Head{}
	}
	if r.Residue != nil && r.Residue.Scanned == nil {
		residue := *r.Residue
		residue.Scanned = []string{}
		r.Residue = &residue
	}
	return r
}

// check refuses a receipt that says nothing, or contradicts itself.
func (r Receipt) check() error {
	bad := func(subject, message string) error { return insight.NewError(insight.Invalid, subject, message) }
	prefix, _, err := insight.ParseID(r.ID)
	if err != nil {
		return err
	}
	if prefix != insight.RequestPrefix && prefix != insight.ConsentPrefix {
		return bad("id", "a receipt is about a request (req_…) or a decision (con_…)")
	}
	if !slices.Contains(Kinds, r.Kind) {
		return bad("kind", "this kind of receipt is not known")
	}
	if err := insight.CheckTime("issuedAt", r.IssuedAt); err != nil {
		return err
	}
	if _, offset := r.IssuedAt.Zone(); offset != 0 || !r.IssuedAt.Equal(insight.Moment(r.IssuedAt)) {
		return bad("issuedAt", "times are in UTC, and no finer than microseconds")
	}
	if _, err := insight.ParseIDOf(insight.IndividualPrefix, "individual", r.Individual); err != nil {
		return err
	}
	for i, t := range r.Tables {
		if !slices.Contains(Actions, t.Action) {
			return bad(fmt.Sprintf("tables[%d].action", i), "this action is not known")
		}
		if t.Rows < 0 {
			return bad(fmt.Sprintf("tables[%d].rows", i), "there are no fewer than 0 rows")
		}
	}
	if r.Residue != nil && r.Residue.Found < 0 {
		return bad("residue.found", "there are no fewer than 0 rows")
	}
	if r.Suppressed < 0 {
		return bad("suppressed", "there are no fewer than 0 identifiers")
	}
	for i, head := range r.Ledger {
		if head.Length < 0 {
			return bad(fmt.Sprintf("ledger[%d].length", i), "there are no fewer than 0 records")
		}
	}
	return r.checkEvidence()
}

// checkEvidence takes the hash of every record again, and compares the records with
// where the receipt says that their ledgers ended.
func (r Receipt) checkEvidence() error {
	for i, e := range r.Evidence {
		bad := func(message string) error {
			return insight.NewError(insight.Invalid, fmt.Sprintf("evidence[%d]", i), message)
		}
		if sum := e.Sum(); sum == "" || sum != e.Hash {
			return bad("the record was changed: its hash is not that of what it says")
		}
		for _, head := range r.Ledger {
			switch {
			case head.Ledger != e.Ledger:
			case e.Sequence > head.Length:
				return bad("the record lies after the end of its ledger")
			case e.Sequence == head.Length && (e.ID != head.Last || e.Hash != head.Hash):
				return bad("the record is not the one that its ledger ends with")
			}
		}
	}
	return nil
}
