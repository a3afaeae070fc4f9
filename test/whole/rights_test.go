package whole

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/insight/receipt"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/server"
	"github.com/acquaint/acquaint/store"
)

// download is the files of an archive by their names.
func (h *house) download(url string) map[string]string {
	h.t.Helper()
	r := h.send(get(url))
	if r.status != http.StatusOK {
		h.t.Fatalf("%d %s", r.status, r.body)
	}
	return h.unpack([]byte(r.body))
}

func (h *house) unpack(body []byte) map[string]string {
	h.t.Helper()
	all, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		h.t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range all.File {
		in, err := f.Open()
		if err != nil {
			h.t.Fatal(err)
		}
		text, err := io.ReadAll(in)
		if err != nil {
			h.t.Fatal(err)
		}
		files[f.Name] = string(text)
	}
	return files
}

// publicKey is the key that receipts are signed with, as the server tells it.
func (h *house) publicKey() string {
	h.t.Helper()
	r := h.send(get("/v1/receipt-key"))
	var key server.ReceiptKey
	if err := json.Unmarshal([]byte(r.body), &key); err != nil || r.status != http.StatusOK || key.Algorithm != receipt.Algorithm || key.ID != h.store.ReceiptKey().ID() {
		h.t.Fatalf("%d %s", r.status, r.body)
	}
	return key.Public
}

// genuine checks a receipt offline, with the key that the server tells.
func (h *house) genuine(document string, kind receipt.Kind) receipt.Receipt {
	h.t.Helper()
	verdict, err := receipt.Verify([]byte(document), h.publicKey())
	if err != nil || !verdict.Pinned || verdict.Receipt.Kind != kind {
		h.t.Fatalf("the receipt %s: %v, %+v", document, err, verdict)
	}
	return verdict.Receipt
}

// TestExportAndErasure: an archive is complete, and proves by itself that it is as it was
// signed; after the erasure there is none, and nothing is left.
func TestExportAndErasure(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		h := open(t, o)
		ann, bob := h.knows("zq-ann"), h.knows("zq-bob")
		h.gets(h.token("consent:write"), "", `mutation { withdrawConsent(input: {individual: {userId: "zq-ann"}, purposes: ["personalization", "marketing"], reason: "zq-ann said so"}) { consents { id } } }`, nil, new(any))

		// Whoever answers requests reads nobody.
		officer := h.operator("officer", "requests:write")
		if data, faults := h.asks(officer, "service", `{ individual(by: {userId: "zq-ann"}) { id } }`, nil); len(faults) != 1 || faults[0].Extensions.Code != "FORBIDDEN" {
			t.Errorf("an officer reads %s %v", data, faults)
		}
		var asked struct {
			RequestExport struct {
				Request   struct{ ID, Kind, RequestedBy, Digest string }
				URL       string
				ExpiresAt time.Time
				Receipt   json.RawMessage
			}
		}
		h.gets(officer, "", `mutation { requestExport(input: {individual: {email: "ZQ-Ann@example.com"}}) { request { id kind requestedBy digest } url expiresAt receipt } }`, nil, &asked)
		q := asked.RequestExport
		promised := h.genuine(string(q.Receipt), receipt.KindAccess)
		if promised.ID != q.Request.ID || promised.Individual != ann || promised.RequestedBy != "officer" || q.Request.Kind != "ACCESS" || !strings.HasPrefix(q.URL, "/v1/exports/"+q.Request.ID+"?") ||
			time.Until(q.ExpiresAt) > time.Hour || time.Until(q.ExpiresAt) < 50*time.Minute {
			t.Errorf("%+v, %+v", q, promised)
		}
		if sum := sha256.Sum256(canonical(t, q.Receipt)); hex.EncodeToString(sum[:]) != q.Request.Digest {
			t.Error("the digest is not that of the receipt")
		}

		files := h.download(q.URL)
		signed := h.genuine(files["receipt.json"], receipt.KindAccess)
		if signed.ID != q.Request.ID || signed.Individual != ann || signed.RequestedBy != "officer" {
			t.Errorf("the archive's receipt is %+v", signed)
		}
		rows := map[string]int{}
		for _, table := range signed.Tables {
			rows[table.Table] = table.Rows
			for _, note := range strings.Split(table.Note, "; ") {
				name, sum, _ := strings.Cut(strings.TrimPrefix(note, "SHA-256 of "), ": ")
				if is := sha256.Sum256([]byte(files[name])); table.Note != "" && hex.EncodeToString(is[:]) != sum {
					t.Errorf("%s is not as it was signed", name)
				}
			}
		}
		for _, table := range promised.Tables {
			want := table.Rows
			if table.Table == "requests" || table.Table == "access_entries" { // this request itself, and that the archive was given
				want++
			}
			if rows[table.Table] != want {
				t.Errorf("of %s there are %d rows, want %d", table.Table, rows[table.Table], want)
			}
		}
		for name, want := range map[string]string{
			"identifiers.json": "crm:zq-ann-crm", "traits.json": "zq-ann the person", "interactions.json": "zq-ann bought", "sessions.json": "ses_", "links.json": "zq-ann-1", "consents.json": "zq-ann said so",
			"access.json": `"export"`, "requests.json": q.Request.ID, "README.md": "receipt.json", "individual.json": ann, "interactions.csv": "zq-ann bought",
		} {
			if !strings.Contains(files[name], want) {
				t.Errorf("%s lacks %q: %s", name, want, files[name])
			}
		}
		for name, text := range files {
			if strings.Contains(text, "zq-bob") || strings.Contains(text, bob) {
				t.Errorf("%s tells of bob", name)
			}
		}

		// The ledger holds together, and is where the receipt says that it ended.
		if faults, err := receipt.VerifyLedger([]byte(files["consents.json"])); err != nil || len(faults) > 0 {
			t.Errorf("the ledger: %v %v", err, faults)
		}
		var ledgers receipt.Ledgers
		if err := json.Unmarshal([]byte(files["consents.json"]), &ledgers); err != nil {
			t.Fatal(err)
		}
		if len(ledgers.Records) != 3 || !slices.Equal(ledgers.Heads, signed.Ledger) || !slices.Equal(ledgers.Heads, promised.Ledger) {
			t.Errorf("the ledger %+v, the receipts %+v and %+v", ledgers.Heads, signed.Ledger, promised.Ledger)
		}
		for what, forged := range map[string]string{
			"another decision": strings.Replace(files["consents.json"], "GRANTED", "DENIED", 1), "another reason": strings.Replace(files["consents.json"], "zq-ann said so", "zq-ann said no", 1),
		} {
			if faults, err := receipt.VerifyLedger([]byte(forged)); forged == files["consents.json"] || err == nil && len(faults) == 0 {
				t.Errorf("the ledger with %s holds together", what)
			}
		}
		if _, err := receipt.Verify([]byte(strings.Replace(files["receipt.json"], `"officer"`, `"nobody"`, 1)), h.publicKey()); err == nil {
			t.Error("a receipt with another name is genuine")
		}

		// Erased.
		var gone struct {
			Erase struct {
				Request struct{ ID, Kind string }
				Receipt json.RawMessage
			}
		}
		h.gets(officer, "", `mutation { erase(input: {individual: {userId: "zq-ann"}, reason: "Article 17", suppress: true}) { request { id kind } receipt } }`, nil, &gone)
		erased := h.genuine(string(gone.Erase.Receipt), receipt.KindErasure)
		if erased.Individual != ann || erased.Residue == nil || erased.Residue.Found != 0 || len(erased.Residue.Scanned) < 8 || erased.Suppressed != 5 || erased.Reason != "Article 17" || !slices.Equal(erased.Ledger, signed.Ledger) {
			t.Errorf("the receipt of the erasure is %+v", erased)
		}
		for _, table := range erased.Tables {
			if want, known := rows[table.Table]; known && table.Table != "access_entries" && table.Rows != want {
				t.Errorf("of %s %d rows were deleted, and there were %d", table.Table, table.Rows, want)
			}
		}
		r := h.send(get(q.URL))
		if r.status != http.StatusNotFound || !strings.Contains(r.body, `"NOT_FOUND"`) || strings.Contains(r.body, "zq-") {
			t.Errorf("her archive is answered %d %s", r.status, r.body)
		}
		data, faults := h.asks(h.token("admin"), "service", `query($id: ID!, $q: ID!) { individual(by: {userId: "zq-ann"}) { id } node(id: $id) { id } request: node(id: $q) { id ... on Request { kind } } }`, map[string]any{"id": ann, "q": q.Request.ID})
		if string(data) != `{"individual":null,"node":null,"request":{"id":"`+q.Request.ID+`","kind":"ACCESS"}}` || len(faults) > 0 {
			t.Errorf("of her there is %s %v", data, faults)
		}
		// She asked that nothing of her be taken in again.
		for _, body := range []string{`{"userId":"zq-ann","event":"x","messageId":"s-1"}`, `{"anonymousId":"zq-ann-browser","event":"x","messageId":"s-2"}`} {
			if r := h.track("track", body); r.status != http.StatusOK || r.body != `{"success":true,"withheld":true}`+"\n" {
				t.Errorf("%s is answered %d %s", body, r.status, r.body)
			}
		}
		r = h.track("batch", `{"batch":[{"type":"track","userId":"zq-ann","event":"x","messageId":"s-3"},{"type":"track","userId":"zq-bob","event":"x","messageId":"s-4"}]}`)
		if r.body != `{"success":true,"withheld":[{"index":0,"messageId":"s-3"}]}`+"\n" {
			t.Errorf("a batch is answered %s", r.body)
		}
		if v, err := h.store.Verify(t.Context(), nil); err != nil || v.Total > 0 {
			t.Errorf("verify: %v %+v", err, v)
		}
	})
}

// canonical is a document as it was signed. An answer of the API is formatted as it is.
func canonical(t *testing.T, document []byte) []byte {
	t.Helper()
	text, err := consent.Canonical(document)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// What strings of the IAB's own tests say: see insight/consent.
const (
	tcString  = "COwGVJOOwGVJOADACHENAOCAAO6as_-AAAhoAFNLAAoAAAA" // consent to 1 2 3 5 6 7 9 and more, legitimate interest in 1 to 9
	gppString = "DBABh4A~BlgWEYCY.QA~BSFgmiU"                     // sale not opted out of, targeted advertising opted out of
)

// TestConsentSignals: what an event says of consent stands in the ledger afterwards, with
// how it reached us and what proves it; what cannot be read is told, and changes nothing.
func TestConsentSignals(t *testing.T) {
	const noTCF, noGPP = "it is not a TCF v2 string that can be read", "it is not a GPP string that can be read"
	tcf := func(purpose, decision string) string {
		return purpose + " " + decision + ` TCF EU {"tcString":"` + tcString + `"}`
	}
	gpc := `advertising DENIED GPC  {"secGPC":"1"}`
	cases := []struct {
		name, consent string // what context.consent is; empty: there is none
		header        bool   // Sec-GPC: 1
		want          []string
		warning       string // relative to context.consent
		withheld      bool
	}{
		{name: "nothing"},
		{name: "Sec-GPC", header: true, want: []string{gpc}},
		{name: "gpc in the body", consent: `{"gpc":true}`, want: []string{gpc}},
		{name: "categories", consent: `{"categoryPreferences":{"Advertising":true,"marketing":false,"Other":true}}`, want: []string{
			`advertising GRANTED CATEGORY  {"categoryPreferences":{"Advertising":true}}`, `marketing DENIED CATEGORY  {"categoryPreferences":{"marketing":false}}`,
		}},
		{name: "a category that forbids keeping it", consent: `{"categoryPreferences":{"Analytics":false}}`, withheld: true, want: []string{`analytics DENIED CATEGORY  {"categoryPreferences":{"Analytics":false}}`}},
		{name: "Sec-GPC counts more than a yes", consent: `{"categoryPreferences":{"Advertising":true}}`, header: true, want: []string{gpc}},
		{name: "consent mode", consent: `{"ad_storage":"granted","ad_personalization":"denied","consentMode":{"ad_user_data":"granted","personalization_storage":"granted"}}`, want: []string{
			`advertising DENIED CONSENT_MODE  {"consentMode":{"ad_personalization":false,"ad_storage":true}}`, `marketing GRANTED CONSENT_MODE  {"consentMode":{"ad_user_data":true}}`, `personalization GRANTED CONSENT_MODE  {"consentMode":{"personalization_storage":true}}`,
		}},
		// Of advertising it says no to 4, and of analytics yes to 8 and 9 alone.
		{name: "TCF", consent: `{"tcString":"` + tcString + `"}`, withheld: true, want: []string{tcf("advertising", "DENIED"), tcf("analytics", "DENIED"), tcf("personalization", "GRANTED")}},
		{name: "GPP", consent: `{"gppString":"` + gppString + `"}`, want: []string{`advertising DENIED GPP US {"fields":{"SaleOptOut":2,"TargetedAdvertisingOptOut":1},"gppString":"` + gppString + `"}`}},

		{name: "no TCF string", consent: `{"tcString":"zq7planted","categoryPreferences":{"Advertising":true}}`, warning: ".tcString: " + noTCF},
		{name: "a TCF string cut short", consent: `{"tcf":"` + tcString[:20] + `"}`, warning: ".tcf: " + noTCF},
		{name: "no GPP string", consent: `{"gpp":"zq7planted"}`, warning: ".gpp: " + noGPP},
		{name: "a category of neither", consent: `{"categoryPreferences":{"Advertising":"zq7planted","Marketing":true}}`, warning: ".categoryPreferences.Advertising: true or false is expected"},
		{name: "a mode of neither", consent: `{"ad_storage":"zq7planted"}`, warning: `.ad_storage: "granted" or "denied" is expected`},
		{name: "a text", consent: `"zq7planted"`, warning: ": an object is expected"},
		{name: "no TCF string, and Sec-GPC", consent: `{"tcString":"zq7planted"}`, header: true, want: []string{gpc}, warning: ".tcString: " + noTCF},
	}
	testdb.Each(t, func(t *testing.T, o store.Options) {
		h := open(t, o)
		for n, c := range cases {
			who, context := fmt.Sprintf("signal-%d", n), ""
			if c.consent != "" {
				context = `,"context":{"consent":` + c.consent + `}`
			}
			var header []string
			if c.header {
				header = []string{"Sec-GPC: 1"}
			}
			want := `{"success":true`
			if c.withheld {
				want += `,"withheld":[{"index":1,"messageId":"` + who + `"}]`
			}
			if c.warning != "" {
				text, _ := json.Marshal("batch[1].context.consent" + c.warning) // texts always marshal
				want += `,"warnings":[{"index":1,"messageId":"` + who + `","code":"BAD_CONSENT_SIGNAL","message":` + string(text) + `}]`
			}
			want += "}\n"
			send := func() {
				t.Helper()
				before := `{"type":"track","event":"x","userId":"somebody","messageId":"before-` + who + `"}`
				r := h.track("batch", `{"batch":[`+before+`,{"type":"track","event":"x","userId":"`+who+`","messageId":"`+who+`"`+context+`}]}`, header...)
				if r.status != http.StatusOK || r.body != want {
					t.Errorf("%s: %d %s, want %s", c.name, r.status, r.body, want)
				}
			}
			ledger := func() []string {
				t.Helper()
				var found struct {
					Individual *struct {
						Consents struct {
							Nodes []struct {
								Purpose                                struct{ Key string }
								Decision, Method, Jurisdiction, Source string
								Evidence                               json.RawMessage
							}
						}
						Interactions struct{ TotalCount int }
					}
				}
				h.gets(h.token("individuals:read"), "service", `query($who: IndividualLookup!) { individual(by: $who) { consents(first: 100) { nodes { purpose { key } decision method jurisdiction source evidence } } interactions { totalCount } } }`, map[string]any{"who": map[string]any{"userId": who}}, &found)
				if found.Individual == nil {
					t.Fatalf("%s: nobody is known", c.name)
				}
				var all []string
				for _, d := range found.Individual.Consents.Nodes {
					if d.Source != "shop" {
						t.Errorf("%s: the source is %q", c.name, d.Source)
					}
					all = append(all, d.Purpose.Key+" "+d.Decision+" "+d.Method+" "+d.Jurisdiction+" "+string(canonical(t, d.Evidence)))
				}
				slices.Sort(all)
				if kept := found.Individual.Interactions.TotalCount > 0; kept == c.withheld {
					t.Errorf("%s: it is kept: %v", c.name, kept)
				}
				return all
			}
			send()
			if got := ledger(); !slices.Equal(got, c.want) {
				t.Errorf("%s: the ledger is %q, want %q", c.name, got, c.want)
			}
			if !c.withheld { // once more, which says nothing new
				send()
				if got := ledger(); !slices.Equal(got, c.want) {
					t.Errorf("%s, again: the ledger is %q, want %q", c.name, got, c.want)
				}
			}
		}

		// By the API too, a single message, and what the person did decide holds.
		r := h.track("track", `{"event":"x","userId":"signal-1","messageId":"single","context":{"consent":{"categoryPreferences":{"Advertising":7}}}}`)
		if r.body != `{"success":true,"warnings":[{"index":0,"messageId":"single","code":"BAD_CONSENT_SIGNAL","message":"context.consent.categoryPreferences.Advertising: true or false is expected"}]}`+"\n" {
			t.Errorf("a message is answered %s", r.body)
		}
		h.gets(h.token("consent:write"), "", `mutation { withdrawConsent(input: {individual: {userId: "signal-0"}, purposes: ["analytics"]}) { consents { id } } }`, nil, new(any))
		if r := h.track("track", `{"event":"x","userId":"signal-0","messageId":"later"}`); r.body != `{"success":true,"withheld":true}`+"\n" {
			t.Errorf("an event of somebody who objected is answered %s", r.body)
		}
		var recorded struct {
			RecordInteractions struct{ Accepted, Withheld int }
		}
		h.gets(h.token("interactions:write"), "", `mutation { recordInteractions(input: {interactions: [{messageId: "l-1", userId: "signal-0", type: "x", occurredAt: "2026-03-01T10:00:00Z"}, {messageId: "l-2", userId: "signal-1", type: "x", occurredAt: "2026-03-01T10:00:00Z"}]}) { accepted withheld } }`, nil, &recorded)
		if recorded.RecordInteractions.Accepted != 1 || recorded.RecordInteractions.Withheld != 1 {
			t.Errorf("%+v", recorded)
		}
		if told := leaks(h.log.String(), []string{planted, tcString}); told != nil {
			t.Errorf("the log tells %q", told)
		}
		if v, err := h.store.Verify(t.Context(), nil); err != nil || v.Total > 0 {
			t.Errorf("verify: %v %+v", err, v)
		}
	})
}
