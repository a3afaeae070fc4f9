package identity

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
)

func TestNewIdentityNormalises(t *testing.T) {
	for _, c := range []struct {
		kind                insight.IdentifierKind
		value, region, want string
	}{
		{insight.UserID, "  User-1\t", "", "User-1"},
		{insight.UserID, "0", "", "0"},
		{insight.UserID, "Zoë", "", "Zoë"},
		{insight.UserID, "nullable", "", "nullable"},
		{insight.UserID, strings.Repeat("x", 255), "", strings.Repeat("x", 255)},
		{insight.AnonymousID, "23adfd82-aa0f-45a7-a756-24f2a7a4c895", "", "23adfd82-aa0f-45a7-a756-24f2a7a4c895"},
		{insight.DeviceID, "B5372DB0-C21E-11E4-8DFC-AA07A5B093DB", "", "B5372DB0-C21E-11E4-8DFC-AA07A5B093DB"},
		{insight.Email, " Ann.Lee+Shop@Example.COM ", "", "ann.lee+shop@example.com"},
		{insight.Email, "Ann@BÜCHER.example", "", "ann@xn--bcher-kva.example"},
		{insight.Email, "ann@xn--bcher-kva.example", "", "ann@xn--bcher-kva.example"},
		{insight.Email, "JOSE\u0301@example.com", "", "jos\u00e9@example.com"},
		{insight.Phone, "020 7946 0958", "GB", "+442079460958"},
		{insight.Phone, "020 7946 0958", "gb", "+442079460958"},
		{insight.Phone, "+44 (0)20 7946 0958", "", "+442079460958"},
		{insight.Phone, "+1 202-555-0123", "DE", "+12025550123"},
		{insight.External, " loyalty : 12:34 ", "", "loyalty:12:34"},
	} {
		got, err := NewIdentity(c.kind, c.value, c.region)
		if err != nil || got.Value != c.want || got.Kind != c.kind {
			t.Errorf("NewIdentity(%d, %q, %q) = %v, %v; want %q", c.kind, c.value, c.region, got, err, c.want)
		}
	}
}

func TestNewIdentityRefuses(t *testing.T) {
	for _, c := range []struct {
		kind          insight.IdentifierKind
		value, region string
	}{
		{insight.UserID, "", ""},
		{insight.UserID, "  ", ""},
		{insight.UserID, "NULL", ""},
		{insight.UserID, "undefined", ""},
		{insight.UserID, "nil", ""},
		{insight.UserID, "None", ""},
		{insight.UserID, "NaN", ""},
		{insight.UserID, "(null)", ""},
		{insight.UserID, "[object Object]", ""},
		{insight.AnonymousID, "00000000-0000-0000-0000-000000000000", ""},
		{insight.UserID, strings.Repeat("x", 256), ""},
		{insight.UserID, "a\x00b", ""},
		{insight.UserID, "a\nb", ""},
		{insight.UserID, "a\u0085b", ""},
		{insight.UserID, "a\x7fb", ""},
		{insight.UserID, "a\xffb", ""},
		{insight.Email, "secret-value", ""},
		{insight.Email, "@example.com", ""},
		{insight.Email, "secret-value@", ""},
		{insight.Email, "Ann <secret-value@example.com>", ""},
		{insight.Email, "\"secret value\"@example.com", ""},
		{insight.Email, "secret-value@example.com.", ""},
		{insight.Email, "secret..value@example.com", ""},
		{insight.Email, "secret-value@[192.0.2.1]", ""},
		{insight.Email, "secret-value(comment)@example.com", ""},
		{insight.Email, "a@example.com, secret-value@example.com", ""},
		{insight.Email, strings.Repeat("a", 60) + "@" + strings.Repeat("abcdefghi.", 20) + "com", ""},
		{insight.Phone, "020 7946 0958", ""},
		{insight.Phone, "secret-value", "GB"},
		{insight.Phone, "+1 202-555-0123 ext. 5", ""},
		{insight.Phone, "+10000000000", ""},
		{insight.Phone, "12", "GB"},
		{insight.External, "secret-value", ""},
		{insight.External, ":secret-value", ""},
		{insight.External, "loyalty:", ""},
		{insight.External, "loyalty:null", ""},
		{0, "secret-value", ""},
		{77, "secret-value", ""},
	} {
		got, err := NewIdentity(c.kind, c.value, c.region)
		if insight.KindOf(err) != insight.Invalid {
			t.Errorf("NewIdentity(%d, %q, %q) = %v, %v; want an Invalid error", c.kind, c.value, c.region, got, err)
			continue
		}
		if strings.Contains(insight.Detail(err), "secret") {
			t.Errorf("NewIdentity(%d, %q): the error repeats the value: %s", c.kind, c.value, insight.Detail(err))
		}
	}
}

func TestNewExternalRefusesAColonInTheSystem(t *testing.T) {
	if got, err := NewExternal("a:b", "c"); err == nil {
		t.Fatalf("NewExternal(a:b, c) = %v: it could be read back as another system's id", got)
	}
}

func TestNewIdentityIsAFixedPoint(t *testing.T) {
	local := rapid.StringMatching(`[A-Za-z0-9À-ſ]{1,12}`)
	domain := rapid.StringMatching(`[A-Za-z0-9äöüßéÀ]{1,8}\.[a-z]{2,4}`)
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]insight.IdentifierKind{
			insight.UserID, insight.Email, insight.Phone, insight.External, insight.DeviceID, insight.AnonymousID,
		}).Draw(t, "kind")
		value := rapid.OneOf(
			rapid.String(),
			rapid.Custom(func(t *rapid.T) string { return local.Draw(t, "local") + "@" + domain.Draw(t, "domain") }),
			rapid.StringMatching(`\+?[0-9]{7,13}`),
			rapid.StringMatching(` ?[a-z]{1,5} ?: ?[A-Za-z0-9:]{1,9} ?`),
		).Draw(t, "value")
		first, err := NewIdentity(kind, value, "US")
		if err != nil {
			return
		}
		second, err := NewIdentity(kind, first.Value, "GB")
		if err != nil || second != first {
			t.Fatalf("normalising %v again gives %v, %v", first, second, err)
		}
	})
}

func FuzzNewIdentity(f *testing.F) {
	f.Add(uint8(insight.Email), "Ann@BÜCHER.example", "")
	f.Add(uint8(insight.Phone), "020 7946 0958", "GB")
	f.Add(uint8(insight.External), "a:b", "")
	f.Fuzz(func(t *testing.T, kind uint8, value, region string) {
		first, err := NewIdentity(insight.IdentifierKind(kind), value, region)
		if err != nil {
			return
		}
		if second, err := NewIdentity(first.Kind, first.Value, ""); err != nil || second != first {
			t.Fatalf("normalising %q again gives %q, %v", first.Value, second.Value, err)
		}
	})
}
