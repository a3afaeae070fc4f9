package insight

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// LegalBasis is why a purpose may be pursued at all (GDPR Article 6). The text
// is the API's.
type LegalBasis string

// The legal bases.
const (
	BasisConsent            LegalBasis = "CONSENT"
	BasisLegitimateInterest LegalBasis = "LEGITIMATE_INTEREST"
	BasisContract           LegalBasis = "CONTRACT"
	BasisLegalObligation    LegalBasis = "LEGAL_OBLIGATION"
	BasisVitalInterest      LegalBasis = "VITAL_INTEREST"
	BasisPublicTask         LegalBasis = "PUBLIC_TASK"
)

// Purpose is what personal data is read for.
type Purpose struct {
	ID          uuid.UUID
	Key         string
	Name        string
	Description string
	Bit         uint8 // its place in the sets of permitted purposes; 0 to 62
	// Inverted says that in stored sets its bit is set for those whom it does not
	// cover, so that rows that were there before it was defined need no change.
	Inverted    bool
	LegalBasis  LegalBasis
	Retroactive bool             // whether what happened before permission may be used once it is given
	Retention   time.Duration    // zero: no limit of its own
	Floor       int              // smallest group that may be counted for viewers who may not read individuals
	ConsentMode []string         // names in Google Consent Mode v2
	TCF         []int            // purpose numbers in IAB TCF v2
	GPP         []string         // fields of IAB GPP sections
	Categories  []string         // Segment consent categories
	Versions    []PurposeVersion // what its terms were, earliest first; the last is what the fields above say
}

// PurposeVersion is a purpose's terms from a moment on, until the next version's.
type PurposeVersion struct {
	At          time.Time // when it was defined so; the first one's terms count before it too
	LegalBasis  LegalBasis
	Retroactive bool
}

// TermsAt are the purpose's terms at a moment.
func (p *Purpose) TermsAt(at time.Time) PurposeVersion {
	terms := PurposeVersion{LegalBasis: p.LegalBasis, Retroactive: p.Retroactive}
	for i, v := range p.Versions {
		if i > 0 && v.At.After(at) {
			break
		}
		terms = v
	}
	return terms
}

// Set is a set of purposes, a bit each.
type Set int64

// Set is the set that holds this purpose alone.
func (p *Purpose) Set() Set { return 1 << p.Bit }

// LegalBases are the legal bases, in the order of GDPR Article 6.
var LegalBases = []LegalBasis{BasisConsent, BasisContract, BasisLegalObligation, BasisVitalInterest, BasisPublicTask, BasisLegitimateInterest}

// Unasked reports whether a purpose on this basis covers a person who has recorded
// no decision: unknown means no where consent is the basis.
func (b LegalBasis) Unasked() bool { return b != BasisConsent }

// Choice reports whether a person's decision counts on this basis: they may
// consent or object. The other bases do not ask.
func (b LegalBasis) Choice() bool { return b == BasisConsent || b == BasisLegitimateInterest }

// OutreachPurpose is the key of the purpose for which the business approaches people:
// a no to it is what OPTED_OUT means.
const OutreachPurpose = "marketing"

// DefaultPurposes are the five that every installation starts with; ids are the
// store's to give.
func DefaultPurposes() []Purpose {
	return []Purpose{
		{Key: "service", Name: "Service", Description: "Deliver what the person asked for: orders, support, account.", Bit: 0, LegalBasis: BasisContract, Floor: 10, ConsentMode: []string{"functionality_storage", "security_storage"}},
		{Key: "analytics", Name: "Analytics", Description: "Understand how the business is used, and improve it.", Bit: 1, LegalBasis: BasisLegitimateInterest, Floor: 10, ConsentMode: []string{"analytics_storage"}, TCF: []int{8, 9, 10}, Categories: []string{"Analytics"}},
		{Key: "personalization", Name: "Personalization", Description: "Adapt what the person sees to what is known of them, for their benefit.", Bit: 2, LegalBasis: BasisConsent, Floor: 10, ConsentMode: []string{"personalization_storage"}, TCF: []int{5, 6}, Categories: []string{"Functional"}},
		{Key: "marketing", Name: "Marketing", Description: "Write to the person about offers of the business.", Bit: 3, LegalBasis: BasisConsent, Floor: 10, ConsentMode: []string{"ad_user_data"}, Categories: []string{"Marketing"}},
		{Key: "advertising", Name: "Advertising", Description: "Show the person advertisements elsewhere, and measure them.", Bit: 4, LegalBasis: BasisConsent, Floor: 10, ConsentMode: []string{"ad_storage", "ad_personalization"}, TCF: []int{1, 2, 3, 4, 7}, GPP: []string{"SaleOptOut", "SharingOptOut", "TargetedAdvertisingOptOut"}, Categories: []string{"Advertising"}},
	}
}

// Scope is a permission that a token carries.
type Scope string

// The scopes.
const (
	ScopeIndividualsRead   Scope = "individuals:read"
	ScopeInsightsRead      Scope = "insights:read"
	ScopeInteractionsWrite Scope = "interactions:write"
	ScopeConsentWrite      Scope = "consent:write"
	ScopeSegmentsWrite     Scope = "segments:write"
	ScopeEngageWrite       Scope = "engage:write"
	ScopeRequestsWrite     Scope = "requests:write"
	ScopeAdmin             Scope = "admin"
	ScopeSelf              Scope = "self"
)

// Scopes lists every scope that a token may carry.
var Scopes = []Scope{
	ScopeIndividualsRead, ScopeInsightsRead, ScopeInteractionsWrite, ScopeConsentWrite, ScopeSegmentsWrite,
	ScopeEngageWrite, ScopeRequestsWrite, ScopeAdmin, ScopeSelf,
}

// Viewer is who is asking, as their token says, and what they ask for.
type Viewer struct {
	Subject    string
	Scopes     []Scope
	Purposes   []string  // keys of the purposes that they may declare
	Purpose    string    // key of the one that this request declares; empty when it declares none
	Individual uuid.UUID // whose own token it is, with the scope self; zero for everyone else
}

// May reports whether the viewer holds a scope; admin holds all but self.
func (v *Viewer) May(s Scope) bool {
	return slices.Contains(v.Scopes, s) || s != ScopeSelf && slices.Contains(v.Scopes, ScopeAdmin)
}

// Require returns nil when the viewer holds the scope, and a [Denied] error that
// names it otherwise.
func (v *Viewer) Require(s Scope) error {
	if v.May(s) {
		return nil
	}
	return NewError(Denied, "", "this needs the scope "+string(s))
}

// Declared returns the purpose that the request reads for, or an error: [Invalid]
// when none is declared, [Denied] when the token does not allow it.
func (v *Viewer) Declared() (string, error) {
	if v.Purpose == "" {
		if len(v.Purposes) == 1 {
			return v.Purposes[0], nil
		}
		return "", NewError(Invalid, "Acquaint-Purpose", "name the purpose of this read in the header Acquaint-Purpose; this token may declare any of its purposes")
	}
	if !slices.Contains(v.Purposes, v.Purpose) {
		return "", NewError(Denied, "Acquaint-Purpose", "this token does not allow the purpose that the request declares")
	}
	return v.Purpose, nil
}
