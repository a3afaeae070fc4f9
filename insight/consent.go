package insight

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// ConsentDecision is what a person decided about a purpose. The order is that of
// restriction: of two that are made at the same moment, the greater holds.
type ConsentDecision uint8

// The decisions. The numbers are stored.
const (
	ConsentGranted   ConsentDecision = iota + 1 // they said yes
	ConsentDenied                               // they said no
	ConsentWithdrawn                            // they took back a yes, or objected
)

// No reports whether a decision forbids.
func (d ConsentDecision) No() bool { return d == ConsentDenied || d == ConsentWithdrawn }

// ConsentMethod is how a decision reached us. The text is the API's, and stored.
type ConsentMethod string

// How decisions reach us.
const (
	MethodDeclared         ConsentMethod = "DECLARED"          // the person told somebody of the business
	MethodBanner           ConsentMethod = "BANNER"            // a banner or dialog
	MethodPreferenceCentre ConsentMethod = "PREFERENCE_CENTRE" // the person's own settings
	MethodGPC              ConsentMethod = "GPC"               // the header Sec-GPC
	MethodTCF              ConsentMethod = "TCF"               // an IAB TCF string
	MethodGPP              ConsentMethod = "GPP"               // an IAB GPP string
	MethodConsentMode      ConsentMethod = "CONSENT_MODE"      // fields of Google Consent Mode
	MethodCategory         ConsentMethod = "CATEGORY"          // Segment's categoryPreferences
	MethodImport           ConsentMethod = "IMPORT"            // another system's ledger
	MethodOperator         ConsentMethod = "OPERATOR"          // the business, on the person's behalf
)

// Consent is one decision as the ledger holds it. It is never changed. Which
// individual it belongs to follows its owner.
type Consent struct {
	ID           uuid.UUID
	IndividualID uuid.UUID   // whom its owner belongs to now; no part of the hash
	Owner        uuid.UUID   // key of the identifier in whose ledger it stands: the individual's strongest when it was recorded
	Covers       []uuid.UUID // keys of the individual's other identifiers when it was recorded, for whom it speaks too; sorted
	Sequence     int         // its place in the owner's ledger, from 1
	Purpose      *Purpose
	Decision     ConsentDecision
	EffectiveAt  time.Time // from when it holds
	RecordedAt   time.Time // when we learned of it
	ExpiresAt    time.Time // of a grant: when it ends by itself; zero: never

	Source        string // the name of the source that told of it
	Method        ConsentMethod
	PolicyVersion string
	Jurisdiction  string
	Evidence      json.RawMessage // canonical JSON, or nil

	Hash         string // SHA-256 over all of the above but IndividualID, and PreviousHash: see package consent
	PreviousHash string // of the record before it in the owner's ledger; of the first, 64 zeros
}

// AccessEntry says that somebody was shown an individual's data.
type AccessEntry struct {
	ID        uuid.UUID
	Subject   string    // of the reader's token
	Purpose   *Purpose  // what it was read for
	Operation string    // query, mutation, subscription or export
	At        time.Time // the minute, at its start
}

// Claim is a decision on its way in: what somebody says that a person decided.
type Claim struct {
	Purpose       *Purpose
	Decision      ConsentDecision
	EffectiveAt   time.Time // zero: the moment at which it is recorded
	ExpiresAt     time.Time
	Method        ConsentMethod
	PolicyVersion string
	Jurisdiction  string
	Evidence      json.RawMessage
	Source        string
}

// Signals are what an event's message and its transport say of consent, parsed and
// not yet related to any purpose. The zero value says nothing.
type Signals struct {
	Categories  map[string]bool // Segment's context.consent.categoryPreferences
	ConsentMode map[string]bool // Google Consent Mode: "ad_storage" granted or not
	TCF         *TCFSignal
	GPP         *GPPSignal
	GPC         bool // Sec-GPC: 1
}

// IsZero reports whether nothing is said.
func (s *Signals) IsZero() bool {
	return s == nil || len(s.Categories) == 0 && len(s.ConsentMode) == 0 && s.TCF == nil && s.GPP == nil && !s.GPC
}

// TCFSignal is what an IAB TCF v2 string says.
type TCFSignal struct {
	Text               string
	PolicyVersion      int
	Consent            [25]bool // by purpose number; 0 is unused
	LegitimateInterest [25]bool // established and not objected to
}

// GPPSignal is what the US sections of an IAB GPP string say: for each field, the
// most restrictive of the sections that have it.
type GPPSignal struct {
	Text   string
	Fields map[string]int // such as SaleOptOut: 1 opted out, 2 did not opt out; those that do not apply (0) are left out
	GPC    bool           // a section says that the Global Privacy Control is on
}
