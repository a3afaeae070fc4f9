package receipt

import (
	"cmp"
	"time"

	"github.com/acquaint/acquaint/insight"
)

// RecordSchema is what a consent record names as the form that it has.
const RecordSchema = "ISO/IEC TS 27560:2023"

// ConsentRecord is a decision in the fields of ISO/IEC TS 27560:2023, clauses 6.3.3
// to 6.3.7, which has them in these four sections. What is not known is left out.
// [RecordOf] fills in what a ledger knows; the other fields are for a controller who
// knows them.
type ConsentRecord struct {
	Header     RecordHeader     `json:"header"`
	Processing RecordProcessing `json:"pii_processing"`
	Parties    []RecordParty    `json:"party_identification,omitempty"`
	Event      RecordEvent      `json:"event"`
}

// RecordHeader says which record this is, and whose.
type RecordHeader struct {
	SchemaVersion  string `json:"schema_version"`
	RecordID       string `json:"record_id"`        // con_…
	PIIPrincipalID string `json:"pii_principal_id"` // ind_…
}

// RecordProcessing is what was decided about.
type RecordProcessing struct {
	PrivacyNotice string          `json:"privacy_notice,omitempty"` // the version of the policy that the person saw
	Language      string          `json:"language,omitempty"`
	Purposes      []RecordPurpose `json:"purposes"`
}

// RecordPurpose is a purpose, on what basis it is pursued, and how.
type RecordPurpose struct {
	Purpose             string      `json:"purpose"`      // in words
	PurposeType         string      `json:"purpose_type"` // the purpose's key, which the ledger names it by
	LawfulBasis         string      `json:"lawful_basis"`
	PIIInformation      []RecordPII `json:"pii_information,omitempty"`
	PIIControllers      []string    `json:"pii_controllers,omitempty"` // party_id of each
	CollectionMethod    string      `json:"collection_method,omitempty"`
	ProcessingMethod    string      `json:"processing_method,omitempty"`
	StorageLocations    []string    `json:"storage_locations,omitempty"`
	RetentionPeriod     string      `json:"retention_period,omitempty"` // ISO 8601
	ProcessingLocations []string    `json:"processing_locations,omitempty"`
	Jurisdiction        string      `json:"jurisdiction,omitempty"`
	Recipients          []string    `json:"recipient_third_parties,omitempty"` // party_id of each
	WithdrawalMethod    string      `json:"withdrawal_method,omitempty"`
}

// RecordPII is a sort of personal data that is processed for a purpose.
type RecordPII struct {
	Type        string `json:"pii_type"`
	AttributeID string `json:"pii_attribute_id,omitempty"`
}

// RecordParty is somebody whom a record names.
type RecordParty struct {
	ID   string `json:"party_id"`
	Name string `json:"party_name,omitempty"`
	Role string `json:"party_role,omitempty"`
}

// RecordEvent is the decision itself.
type RecordEvent struct {
	Time     time.Time `json:"event_time"`                  // from when it holds, in UTC
	Validity string    `json:"validity_duration,omitempty"` // ISO 8601, of a grant that ends by itself
	EntityID string    `json:"entity_id,omitempty"`         // who decided
	Type     string    `json:"event_type,omitempty"`        // "explicit" where the person said it themselves
	State    string    `json:"event_state"`                 // "granted", "refused" or "withdrawn"
}

// eventStates are the decisions as the record spells them.
var eventStates = map[insight.ConsentDecision]string{
	insight.ConsentGranted: "granted", insight.ConsentDenied: "refused", insight.ConsentWithdrawn: "withdrawn",
}

// RecordOf is a decision as a consent record. Individual is whose it is, ind_…;
// controller is the name of who pursues the purpose, and empty where it is not
// known. The purpose's description and retention are those of today, since no others
// are kept; its lawful basis is that of the moment of the decision, as it was known
// when the decision was recorded.
//
// The person is named as who decided unless another system told of it (IMPORT) or
// the business decided on their behalf (OPERATOR). The decision is called explicit
// where the person expressed it to the business, by word or in a dialog of its own;
// of a signal that a browser or a tool sends along, nobody knows whether a person or
// a default set it, and nothing is said.
func RecordOf(c *insight.Consent, individual string, controller string) ConsentRecord {
	terms := c.Purpose.TermsAt(c.EffectiveAt)
	if c.RecordedAt.Before(c.EffectiveAt) {
		terms = c.Purpose.TermsAt(c.RecordedAt)
	}
	purpose := RecordPurpose{
		Purpose:      cmp.Or(c.Purpose.Description, c.Purpose.Name, c.Purpose.Key),
		PurposeType:  c.Purpose.Key,
		LawfulBasis:  string(terms.LegalBasis),
		Jurisdiction: c.Jurisdiction,
	}
	if c.Purpose.Retention > 0 {
		purpose.RetentionPeriod = insight.FormatDuration(c.Purpose.Retention)
	}
	record := ConsentRecord{
		Header: RecordHeader{
			SchemaVersion: RecordSchema, RecordID: insight.FormatID(insight.ConsentPrefix, c.ID), PIIPrincipalID: individual,
		},
		Event: RecordEvent{Time: insight.Moment(c.EffectiveAt), Validity: validity(c), State: eventStates[c.Decision]},
	}
	if controller != "" {
		purpose.PIIControllers = []string{controller}
		record.Parties = []RecordParty{{ID: controller, Name: controller, Role: "controller"}}
	}
	switch c.Method {
	case insight.MethodImport:
	case insight.MethodOperator:
		record.Event.EntityID = controller
	case insight.MethodDeclared, insight.MethodBanner, insight.MethodPreferenceCentre:
		record.Event.EntityID, record.Event.Type = individual, "explicit"
	default:
		record.Event.EntityID = individual
	}
	record.Processing = RecordProcessing{PrivacyNotice: c.PolicyVersion, Purposes: []RecordPurpose{purpose}}
	return record
}

// validity is how long a grant lasts that ends by itself. One that lasts longer than
// a duration holds, 292 years, is taken not to end.
func validity(c *insight.Consent) string {
	if c.Decision != insight.ConsentGranted || c.ExpiresAt.IsZero() {
		return ""
	}
	length := max(0, c.ExpiresAt.Sub(c.EffectiveAt))
	if length > 0 && !c.EffectiveAt.Add(length).Equal(c.ExpiresAt) {
		return ""
	}
	return insight.FormatDuration(length)
}
