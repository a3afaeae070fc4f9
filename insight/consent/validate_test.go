package consent_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
)

var (
	marketing = &insight.Purpose{ID: uuid.UUID{1}, Key: "marketing"}
	analytics = &insight.Purpose{ID: uuid.UUID{2}, Key: "analytics"}
)

func TestValidateRefuses(t *testing.T) {
	now := seen.Add(123456 * time.Microsecond)
	yes := func(change func(*insight.Claim)) []insight.Claim {
		c := insight.Claim{Purpose: marketing, Decision: insight.ConsentGranted, EffectiveAt: now.Add(-time.Hour)}
		change(&c)
		return []insight.Claim{{Purpose: analytics, Decision: insight.ConsentDenied}, c}
	}
	evidence := func(text string) []insight.Claim {
		return yes(func(c *insight.Claim) { c.Evidence = json.RawMessage(text) })
	}
	many := make([]insight.Claim, 101)
	for i := range many {
		many[i] = insight.Claim{Purpose: marketing, Decision: insight.ConsentGranted, EffectiveAt: now.Add(-time.Duration(i) * time.Hour)}
	}
	for _, test := range []struct {
		what    string
		claims  []insight.Claim
		subject string
	}{
		{"nothing", nil, "consents"},
		{"too many", many, "consents"},
		{"no decision", yes(func(c *insight.Claim) { c.Decision = 0 }), "consents[1].decision"},
		{"a decision that there is not", yes(func(c *insight.Claim) { c.Decision = 4 }), "consents[1].decision"},
		{"in the future", yes(func(c *insight.Claim) { c.EffectiveAt = now.Add(5*time.Second + 1) }), "consents[1].effectiveAt"},
		{"far in the future", yes(func(c *insight.Claim) { c.EffectiveAt = time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC) }), "consents[1].effectiveAt"},
		{"before the year 1", yes(func(c *insight.Claim) { c.EffectiveAt = time.Date(0, 12, 31, 0, 0, 0, 0, time.UTC) }), "consents[1].effectiveAt"},
		{"it ends before it begins", yes(func(c *insight.Claim) { c.ExpiresAt = c.EffectiveAt.Add(-1) }), "consents[1].expiresAt"},
		{"it ends as it begins", yes(func(c *insight.Claim) { c.ExpiresAt = c.EffectiveAt }), "consents[1].expiresAt"},
		{"it ends less than a microsecond after", yes(func(c *insight.Claim) { c.ExpiresAt = c.EffectiveAt.Add(999) }), "consents[1].expiresAt"},
		{"it ends before now, from which it holds", yes(func(c *insight.Claim) { c.EffectiveAt, c.ExpiresAt = time.Time{}, now.Add(-time.Second) }), "consents[1].expiresAt"},
		{"it ends after all years", yes(func(c *insight.Claim) { c.ExpiresAt = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) }), "consents[1].expiresAt"},
		{"a denial that ends", yes(func(c *insight.Claim) { c.Decision, c.ExpiresAt = insight.ConsentDenied, now.Add(time.Hour) }), "consents[1].expiresAt"},
		{"a withdrawal that ends", yes(func(c *insight.Claim) { c.Decision, c.ExpiresAt = insight.ConsentWithdrawn, now.Add(time.Hour) }), "consents[1].expiresAt"},
		{"a long policy version", yes(func(c *insight.Claim) { c.PolicyVersion = strings.Repeat("ü", 101) }), "consents[1].policyVersion"},
		{"two lines", yes(func(c *insight.Claim) { c.PolicyVersion = "a\nb" }), "consents[1].policyVersion"},
		{"a long jurisdiction", yes(func(c *insight.Claim) { c.Jurisdiction = strings.Repeat("x", 101) }), "consents[1].jurisdiction"},
		{"no text", yes(func(c *insight.Claim) { c.Jurisdiction = "\xff" }), "consents[1].jurisdiction"},
		{"no JSON", evidence(`{`), "consents[1].evidence"},
		{"two values", evidence(`{} {}`), "consents[1].evidence"},
		{"long evidence", evidence(`"` + strings.Repeat("x", 8191) + `"`), "consents[1].evidence"},
		{"a NUL", evidence(`{"a":"\u0000"}`), "consents[1].evidence"},
		{"a NUL after a backslash", evidence(`"\\\u0000"`), "consents[1].evidence"},
		{"a NUL in a name", evidence(`{"\u0000":1}`), "consents[1].evidence"},
		{"twice about a purpose at a moment", yes(func(c *insight.Claim) { c.Purpose, c.EffectiveAt = analytics, now }), "consents[1].purpose"},
		{"twice at once, by another clock", yes(func(c *insight.Claim) { c.Purpose, c.EffectiveAt = analytics, now.Add(3*time.Second) }), "consents[1].purpose"},
		{"twice within a microsecond", yes(func(c *insight.Claim) { c.Purpose, c.EffectiveAt = analytics, insight.Moment(now).Add(1) }), "consents[1].purpose"},
		{"the first of several faults", yes(func(c *insight.Claim) { c.EffectiveAt, c.Jurisdiction = now.Add(time.Hour), "\n" }), "consents[1].effectiveAt"},
	} {
		var fault *insight.Error
		if err := consent.Validate(test.claims, now); !errors.As(err, &fault) || fault.Kind != insight.Invalid || fault.Subject != test.subject || fault.Message == "" {
			t.Errorf("%s: %v, want a fault of %s", test.what, err, test.subject)
		}
	}
}

func TestValidateBringsIntoForm(t *testing.T) {
	now := time.Date(2026, 5, 1, 10, 0, 0, 123456789, time.UTC)
	at := time.Date(2026, 5, 1, 11, 0, 0, 987654321, time.FixedZone("", 7200))
	claims := []insight.Claim{
		{Purpose: marketing, Decision: insight.ConsentGranted, ExpiresAt: now.Add(time.Hour), Evidence: json.RawMessage(` {"b": 1.0, "a": "\u00e9"} `)},
		{Purpose: analytics, Decision: insight.ConsentWithdrawn, EffectiveAt: now.Add(5 * time.Second), Evidence: json.RawMessage(" null ")},
		{Purpose: marketing, Decision: insight.ConsentDenied, EffectiveAt: at, PolicyVersion: strings.Repeat("ü", 100), Evidence: json.RawMessage(`"\\u0000"`)},
		{Purpose: analytics, Decision: insight.ConsentGranted, EffectiveAt: at, ExpiresAt: at.Add(time.Microsecond), Evidence: json.RawMessage(`"` + strings.Repeat("x", 8190) + `"`)},
	}
	long := claims[3].Evidence
	if err := consent.Validate(claims, now); err != nil {
		t.Fatal(err)
	}
	moment, before := time.Date(2026, 5, 1, 10, 0, 0, 123456000, time.UTC), time.Date(2026, 5, 1, 9, 0, 0, 987654000, time.UTC)
	want := []insight.Claim{
		{Purpose: marketing, Decision: insight.ConsentGranted, EffectiveAt: moment, ExpiresAt: moment.Add(time.Hour), Evidence: json.RawMessage(`{"a":"é","b":1.0}`)},
		{Purpose: analytics, Decision: insight.ConsentWithdrawn, EffectiveAt: moment},
		{Purpose: marketing, Decision: insight.ConsentDenied, EffectiveAt: before, PolicyVersion: strings.Repeat("ü", 100), Evidence: json.RawMessage(`"\\u0000"`)},
		{Purpose: analytics, Decision: insight.ConsentGranted, EffectiveAt: before, ExpiresAt: before.Add(time.Microsecond), Evidence: long},
	}
	if diff := cmp.Diff(want, claims); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := consent.Validate(claims, now); err != nil {
		t.Errorf("again: %v", err)
	}
	if diff := cmp.Diff(want, claims); diff != "" {
		t.Errorf("again (-want +got):\n%s", diff)
	}
}

// What is handed in a second time is found again; what differs in anything that is
// recorded is another decision.
func TestRepeats(t *testing.T) {
	said := func() insight.Claim {
		return insight.Claim{
			Purpose: marketing, Decision: insight.ConsentGranted, EffectiveAt: hour(1), ExpiresAt: hour(9), Method: insight.MethodBanner,
			Source: "shop", PolicyVersion: "7", Jurisdiction: "DE", Evidence: json.RawMessage(`{"a":1}`),
		}
	}
	record := func(c insight.Claim) *insight.Consent {
		return &insight.Consent{
			ID: uuid.UUID{9}, Purpose: &insight.Purpose{ID: c.Purpose.ID}, Decision: c.Decision, EffectiveAt: c.EffectiveAt.In(time.FixedZone("", 3600)), RecordedAt: hour(2), ExpiresAt: c.ExpiresAt,
			Method: c.Method, Source: c.Source, PolicyVersion: c.PolicyVersion, Jurisdiction: c.Jurisdiction, Evidence: c.Evidence,
		}
	}
	c := said()
	ledger := []*insight.Consent{record(insight.Claim{Purpose: analytics}), record(c), record(c)}
	if got := consent.Repeats(ledger, &c); got != ledger[1] {
		t.Errorf("%+v", got)
	}
	for what, change := range map[string]func(*insight.Claim){
		"the purpose":          func(c *insight.Claim) { c.Purpose = analytics },
		"the decision":         func(c *insight.Claim) { c.Decision = insight.ConsentDenied },
		"the moment":           func(c *insight.Claim) { c.EffectiveAt = c.EffectiveAt.Add(time.Microsecond) },
		"the end":              func(c *insight.Claim) { c.ExpiresAt = c.ExpiresAt.Add(time.Microsecond) },
		"no end":               func(c *insight.Claim) { c.ExpiresAt = time.Time{} },
		"the method":           func(c *insight.Claim) { c.Method = insight.MethodOperator },
		"the source":           func(c *insight.Claim) { c.Source = "" },
		"the policy's version": func(c *insight.Claim) { c.PolicyVersion = "8" },
		"the jurisdiction":     func(c *insight.Claim) { c.Jurisdiction = "FR" },
		"the evidence":         func(c *insight.Claim) { c.Evidence = json.RawMessage(`{"a":1.0}`) },
		"no evidence":          func(c *insight.Claim) { c.Evidence = nil },
	} {
		c := said()
		if change(&c); consent.Repeats(ledger, &c) != nil {
			t.Errorf("with another %s it is the same", what)
		}
	}
	if consent.Repeats(nil, &c) != nil {
		t.Error("nothing is something")
	}
}

// Whatever Validate takes can be recorded, sealed, and is then in force at its moment.
func TestValidateLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := hour(hours)
		offset := rapid.Int64Range(-int64(20*time.Second), int64(20*time.Second))
		c := insight.Claim{Purpose: &insight.Purpose{LegalBasis: insight.BasisConsent}, Decision: insight.ConsentDecision(rapid.IntRange(0, 4).Draw(t, "decision"))}
		if rapid.Bool().Draw(t, "says when") {
			c.EffectiveAt = now.Add(time.Duration(offset.Draw(t, "effective")))
		}
		if rapid.IntRange(0, 2).Draw(t, "ends") == 0 {
			c.ExpiresAt = now.Add(time.Duration(offset.Draw(t, "expires")))
		}
		before := c
		claims := []insight.Claim{c}
		if err := consent.Validate(claims, now); err != nil {
			return
		}
		c = claims[0]
		if c.EffectiveAt.After(now) || c.EffectiveAt.IsZero() || !c.EffectiveAt.Equal(insight.Moment(c.EffectiveAt)) {
			t.Fatalf("effective at %v, now %v", c.EffectiveAt, now)
		}
		if !before.EffectiveAt.IsZero() && before.EffectiveAt.Before(now) && !c.EffectiveAt.Equal(insight.Moment(before.EffectiveAt)) {
			t.Fatalf("effective at %v became %v", before.EffectiveAt, c.EffectiveAt)
		}
		d := &insight.Consent{Purpose: c.Purpose, Decision: c.Decision, EffectiveAt: c.EffectiveAt, ExpiresAt: c.ExpiresAt, RecordedAt: now}
		consent.Seal(d, 1, "")
		s := consent.InForce(c.Purpose, []*insight.Consent{d}, c.EffectiveAt, now)
		if s.Record != d || s.Permitted == c.Decision.No() || string(s.Status) != consent.DecisionName(c.Decision) {
			t.Fatalf("%+v is %+v", c, s)
		}
		if consent.Repeats([]*insight.Consent{d}, &c) != d {
			t.Fatalf("%+v is not found again", c)
		}
	})
}
