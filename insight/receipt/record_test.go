package receipt_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/receipt"
)

func TestRecordOf(t *testing.T) {
	got := receipt.RecordOf(grant(), individual, "Example Ltd")
	want := receipt.ConsentRecord{
		Header: receipt.RecordHeader{SchemaVersion: "ISO/IEC TS 27560:2023", RecordID: insight.FormatID("con", grant().ID), PIIPrincipalID: individual},
		Processing: receipt.RecordProcessing{PrivacyNotice: "2026-01", Purposes: []receipt.RecordPurpose{{
			Purpose: "Write to the person about offers of the business.", PurposeType: "marketing", LawfulBasis: "CONSENT",
			PIIControllers: []string{"Example Ltd"}, RetentionPeriod: "P365D", Jurisdiction: "DE",
		}}},
		Parties: []receipt.RecordParty{{ID: "Example Ltd", Name: "Example Ltd", Role: "controller"}},
		Event:   receipt.RecordEvent{Time: moment, Validity: "P31D", EntityID: individual, Type: "explicit", State: "granted"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRecordOfLeavesOutWhatIsNotKnown(t *testing.T) {
	c := grant()
	c.PolicyVersion, c.Jurisdiction, c.Purpose.Retention, c.Purpose.Description = "", "", 0, ""
	c.ExpiresAt, c.Method = time.Time{}, insight.MethodImport
	got := receipt.RecordOf(c, individual, "")
	want := receipt.ConsentRecord{
		Header:     got.Header,
		Processing: receipt.RecordProcessing{Purposes: []receipt.RecordPurpose{{Purpose: "Marketing", PurposeType: "marketing", LawfulBasis: "CONSENT"}}},
		Event:      receipt.RecordEvent{Time: moment, State: "granted"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRecordOfWhoDecided(t *testing.T) {
	for method, want := range map[insight.ConsentMethod][2]string{
		insight.MethodDeclared:         {individual, "explicit"},
		insight.MethodBanner:           {individual, "explicit"},
		insight.MethodPreferenceCentre: {individual, "explicit"},
		insight.MethodGPC:              {individual, ""},
		insight.MethodTCF:              {individual, ""},
		insight.MethodGPP:              {individual, ""},
		insight.MethodConsentMode:      {individual, ""},
		insight.MethodCategory:         {individual, ""},
		insight.MethodImport:           {"", ""},
		insight.MethodOperator:         {"Example Ltd", ""},
	} {
		c := grant()
		c.Method = method
		event := receipt.RecordOf(c, individual, "Example Ltd").Event
		if got := [2]string{event.EntityID, event.Type}; got != want {
			t.Errorf("%s was decided by %q, want %q", method, got, want)
		}
	}
}

func TestRecordOfDecisions(t *testing.T) {
	for decision, want := range map[insight.ConsentDecision]string{
		insight.ConsentGranted: "granted", insight.ConsentDenied: "refused", insight.ConsentWithdrawn: "withdrawn",
	} {
		c := grant()
		c.Decision = decision
		event := receipt.RecordOf(c, individual, "").Event
		if event.State != want {
			t.Errorf("the decision %d is %q, want %q", decision, event.State, want)
		}
		if ends := event.Validity != ""; ends != (decision == insight.ConsentGranted) {
			t.Errorf("the decision %d has the validity %q", decision, event.Validity)
		}
	}
}

func TestRecordOfValidity(t *testing.T) {
	for _, test := range []struct {
		ends time.Time
		want string
	}{
		{moment.Add(90 * time.Minute), "PT1H30M"},
		{moment, "PT0S"},
		{moment.Add(-time.Hour), "PT0S"},
		{time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC), ""}, // no duration holds it
	} {
		c := grant()
		c.ExpiresAt = test.ends
		if got := receipt.RecordOf(c, individual, "").Event.Validity; got != test.want {
			t.Errorf("a grant until %v is valid for %q, want %q", test.ends, got, test.want)
		}
	}
}

func TestRecordOfBasis(t *testing.T) {
	versions := []insight.PurposeVersion{
		{At: moment.Add(-time.Hour), LegalBasis: insight.BasisConsent},
		{At: moment.Add(time.Hour), LegalBasis: insight.BasisLegitimateInterest},
	}
	for _, test := range []struct {
		effective, recorded time.Duration
		want                string
	}{
		{0, 0, "CONSENT"},
		{0, 2 * time.Hour, "CONSENT"},
		{2 * time.Hour, 0, "CONSENT"}, // nobody knew yet that the basis would change
		{2 * time.Hour, 2 * time.Hour, "LEGITIMATE_INTEREST"},
	} {
		c := grant()
		c.Purpose.Versions = versions
		c.EffectiveAt, c.RecordedAt = moment.Add(test.effective), moment.Add(test.recorded)
		if got := receipt.RecordOf(c, individual, "").Processing.Purposes[0].LawfulBasis; got != test.want {
			t.Errorf("effective after %v and recorded after %v, the basis is %s, want %s", test.effective, test.recorded, got, test.want)
		}
	}
}

var moment = time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)

var individual = insight.FormatID(insight.IndividualPrefix, uuid.UUID{1, 5: 7, 15: 9})

// grant is a decision that is not yet in a ledger.
func grant() *insight.Consent {
	return &insight.Consent{
		ID: uuid.UUID{2, 15: 1}, Owner: uuid.UUID{3}, Covers: []uuid.UUID{{5}, {4}},
		Purpose: &insight.Purpose{
			ID: uuid.UUID{6}, Key: "marketing", Name: "Marketing", Description: "Write to the person about offers of the business.",
			LegalBasis: insight.BasisConsent, Retention: insight.Year,
		},
		Decision: insight.ConsentGranted, EffectiveAt: moment, RecordedAt: moment.Add(time.Second), ExpiresAt: moment.Add(31 * insight.Day),
		Source: "shop", Method: insight.MethodBanner, PolicyVersion: "2026-01", Jurisdiction: "DE",
		Evidence: []byte(`{"banner":"v3","button":"accept <all>","shown":1}`),
	}
}
