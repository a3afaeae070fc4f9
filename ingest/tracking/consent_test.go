package tracking

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/acquaint/acquaint/insight"
)

// euString is a TCF v2 string.
const euString = "CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA"

// single decodes a message as the tracking API does.
func single(t *testing.T, body string, gpc bool) Decoded {
	t.Helper()
	from := fromShop
	from.GPC = gpc
	decoded := newDecoder().Single(t.Context(), "", []byte(body), from)
	if decoded.Err != nil {
		t.Fatalf("%s: %v", body, decoded.Err)
	}
	return decoded
}

// What the browser SDK sends with Segment's consent wrapper: its own event when the
// choice changes, and the categories with every call.
func TestConsentOfTheBrowserSDK(t *testing.T) {
	got := single(t, `{"timestamp":"2026-03-01T11:59:58.123Z","integrations":{"Segment.io":true},"anonymousId":"23adfd82-aa0f-45a7-a756-24f2a7a4c895",
		"event":"Segment Consent Preference Updated","type":"track","properties":{},
		"context":{"page":{"path":"/academy","referrer":"","search":"","title":"Academy","url":"https://shop.example/academy"},
			"userAgent":"Mozilla/5.0 (X11; Linux x86_64)","userAgentData":{"brands":[{"brand":"Chromium","version":"126"}],"mobile":false,"platform":"Linux"},
			"locale":"de-DE","timezone":"Europe/Berlin","library":{"name":"analytics.js","version":"npm:next-1.70.0"},
			"consent":{"categoryPreferences":{"C0001":true,"C0002":true,"C0003":false,"C0004":false}}},
		"messageId":"ajs-next-1767225600123-b2a1c3d4","writeKey":"key","userId":null,"sentAt":"2026-03-01T11:59:58.200Z","_metadata":{"bundled":["Segment.io"],"unbundled":[],"bundledIds":[]}}`, false)
	want := &insight.Signals{Categories: map[string]bool{"C0001": true, "C0002": true, "C0003": false, "C0004": false}}
	if diff := cmp.Diff(want, got.Event.Signals); diff != "" || got.Consent != nil {
		t.Errorf("%v %s", got.Consent, diff)
	}
	if got.Event.Properties != nil || got.MessageID != "ajs-next-1767225600123-b2a1c3d4" {
		t.Errorf("properties %s, message id %q", got.Event.Properties, got.MessageID)
	}
}

func TestConsent(t *testing.T) {
	yes := map[string]bool{"Advertising": true}
	for _, c := range []struct {
		name, context string
		gpc           bool
		want          *insight.Signals
		fault         string
	}{
		{"nothing", `{}`, false, nil, ""},
		{"null", `{"consent":null}`, false, nil, ""},
		{"an empty object", `{"consent":{}}`, false, nil, ""},
		{"members that are not known", `{"consent":{"version":2,"categoryPreferences":null}}`, false, nil, ""},
		{"categories", `{"consent":{"categoryPreferences":{"Advertising":true}}}`, false, &insight.Signals{Categories: yes}, ""},
		{"Consent Mode", `{"consent":{"ad_storage":"denied"}}`, false, &insight.Signals{ConsentMode: map[string]bool{"ad_storage": false}}, ""},
		{"repeated", `{"consent":{"gpc":true},"consent":{"categoryPreferences":{"Advertising":true}}}`, false, &insight.Signals{Categories: yes}, ""},
		{"taken back", `{"consent":{"gpc":true}},"context":{}`, false, nil, ""},
		{"the header alone", `null`, true, &insight.Signals{GPC: true}, ""},
		{"the header too", `{"consent":{"categoryPreferences":{"Advertising":true}}}`, true, &insight.Signals{Categories: yes, GPC: true}, ""},
		{"the header cannot be denied", `{"consent":{"gpc":false}}`, true, &insight.Signals{GPC: true}, ""},
		{"a string", `{"consent":"SECRET"}`, false, nil, "context.consent: an object is expected"},
		{"an array", `{"consent":["SECRET"]}`, true, &insight.Signals{GPC: true}, "context.consent: an object is expected"},
		{"one fault spoils it", `{"consent":{"categoryPreferences":{"Advertising":true},"tcString":"SECRET"}}`, false, nil, "context.consent.tcString: it is not a TCF v2 string that can be read"},
		{"a fault beside the header", `{"consent":{"tcf":7}}`, true, &insight.Signals{GPC: true}, "context.consent.tcf: a string is expected"},
		{"a category", `{"consent":{"categoryPreferences":{"Advertising":"SECRET"}}}`, false, nil, "context.consent.categoryPreferences.Advertising: true or false is expected"},
		{"an address as a category", `{"consent":{"categoryPreferences":{"SECRET@shop.example":1}}}`, false, nil, "context.consent.categoryPreferences.?: true or false is expected"},
		{"a number as a name", `{"consent":{"consentMode":{"+44 20 SECRET":true}}}`, false, nil, "context.consent.consentMode.?: "},
	} {
		got := single(t, `{"type":"page","userId":"u","messageId":"m","context":`+c.context+`}`, c.gpc)
		if diff := cmp.Diff(c.want, got.Event.Signals); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
		fault := ""
		if got.Consent != nil {
			fault = got.Consent.Error()
		}
		if (fault == "") != (c.fault == "") || !strings.HasPrefix(fault, c.fault) || strings.Contains(fault, secret) {
			t.Errorf("%s: %q, want %q", c.name, fault, c.fault)
		}
		if c.fault != "" && insight.KindOf(got.Consent) != insight.Invalid {
			t.Errorf("%s: the fault's kind is %v", c.name, insight.KindOf(got.Consent))
		}
	}
}

func TestConsentOfATCFString(t *testing.T) {
	got := single(t, `{"type":"page","userId":"u","context":{"consent":{"tcString":"`+euString+`"}}}`, false)
	if got.Consent != nil || got.Event.Signals == nil || got.Event.Signals.TCF == nil || got.Event.Signals.TCF.Text != euString {
		t.Errorf("signals %+v, %v", got.Event.Signals, got.Consent)
	}
}

// What Message does not tell, it does as the others do.
func TestMessageReadsConsentToo(t *testing.T) {
	if e := decode(t, "page", `{"userId":"u","context":{"consent":{"gpc":true}}}`); e.Signals == nil || !e.Signals.GPC {
		t.Errorf("signals %+v", e.Signals)
	}
	if e := decode(t, "page", `{"userId":"u","context":{"consent":7}}`); e.Signals != nil {
		t.Errorf("signals %+v of what cannot be read", e.Signals)
	}
}

// A fault that no text may have refuses its message wherever it lies.
func TestConsentThatIsNoText(t *testing.T) {
	got := newDecoder().Single(t.Context(), "page", []byte(`{"userId":"u","context":{"consent":{"tcString":"\u0000"}}}`), fromShop)
	if got.Err == nil || !strings.HasPrefix(got.Err.Error(), "context.consent.tcString: it holds the character NUL") || got.Event != nil || got.Consent != nil {
		t.Errorf("%+v", got)
	}
}

func TestConsentOfABatch(t *testing.T) {
	const (
		own       = `{"type":"page","userId":"u","messageId":"own","context":{"consent":{"categoryPreferences":{"Analytics":true}}}}`
		inherits  = `{"type":"page","userId":"u","messageId":"inherits"}`
		inherits2 = `{"type":"page","userId":"u","messageId":"inherits2","context":{"consent":null,"locale":"de-DE"}}`
		malformed = `{"type":"page","userId":"u","messageId":"malformed","context":{"consent":{"gppString":"SECRET"}}}`
		refused   = `{"type":"page","messageId":"refused","context":{"consent":7}}`
	)
	from := fromShop
	from.GPC = true
	body := `{"context":{"consent":{"categoryPreferences":{"Advertising":false}}},"batch":[` + strings.Join([]string{own, inherits, malformed, refused, inherits2}, ",") + `]}`
	b, err := newDecoder().Batch(t.Context(), []byte(body), from)
	if err != nil {
		t.Fatal(err)
	}
	batch := &insight.Signals{Categories: map[string]bool{"Advertising": false}, GPC: true}
	for i, want := range []*insight.Signals{
		{Categories: map[string]bool{"Analytics": true}, GPC: true}, batch, {GPC: true}, nil, batch,
	} {
		m := b.Messages[i]
		if i == 3 {
			if m.Err == nil || m.Consent != nil {
				t.Errorf("%s: %+v", m.MessageID, m)
			}
			continue
		}
		if diff := cmp.Diff(want, m.Event.Signals); diff != "" || m.Err != nil {
			t.Errorf("%s: %v %s", m.MessageID, m.Err, diff)
		}
		if fault := m.Consent; (fault != nil) != (i == 2) || fault != nil && (!strings.HasPrefix(fault.Error(), "batch[2].context.consent.gppString: ") || strings.Contains(fault.Error(), secret)) {
			t.Errorf("%s: %v", m.MessageID, fault)
		}
	}

	// A fault of the batch's own is a fault of each that has it.
	body = `{"batch":[` + inherits + `,` + own + `,` + inherits2 + `],"context":{"consent":{"tcString":"SECRET"}}}`
	if b, err = newDecoder().Batch(t.Context(), []byte(body), fromShop); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"batch[0].context.consent.tcString: ", "", "batch[2].context.consent.tcString: "} {
		fault := ""
		if m := b.Messages[i]; m.Consent != nil {
			fault = m.Consent.Error()
		}
		if (fault == "") != (want == "") || !strings.HasPrefix(fault, want) || (b.Messages[i].Event.Signals != nil) != (want == "") {
			t.Errorf("message %d: %q, want %q, with %+v", i, fault, want, b.Messages[i].Event.Signals)
		}
	}
}

// Thousands of messages may have a batch's consent, which may be as large as the
// batch: it must not be read for each.
func TestAConsentIsReadOnce(t *testing.T) {
	body := `{"context":{"consent":{"gpc":true,"x":"` + strings.Repeat("x", 300<<10) + `"}},"batch":[` +
		strings.Repeat(`{"type":"page","userId":"u","context":{"consent":{"gpc":false}}},{"type":"page","userId":"u"},`, 1000) + `{"type":"page","userId":"u"}]}`
	b, err := newDecoder().Batch(t.Context(), []byte(body), fromShop)
	if err != nil {
		t.Fatal(err)
	}
	last := b.Messages[2000].Event.Signals
	for i, m := range b.Messages {
		if inherits := i%2 == 1 || i == 2000; m.Err != nil || inherits && m.Event.Signals != last || !inherits && m.Event.Signals != nil {
			t.Fatalf("message %d: %v, its signals %p are not %p", i, m.Err, m.Event.Signals, last)
		}
	}
}
