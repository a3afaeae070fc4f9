package receipt_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/insight/receipt"
)

var update = flag.Bool("update", false, "write the receipts in testdata anew")

// newKey is the key whose seed is one byte 32 times.
func newKey(seed byte) receipt.Key {
	k, err := receipt.NewKey(bytes.Repeat([]byte{seed}, 32))
	if err != nil {
		panic(err)
	}
	return k
}

// ledger is the one that the grant is the last record of.
func ledger() ([]consent.Entry, consent.Head) {
	first, second := grant(), grant()
	first.ID, first.Decision, first.ExpiresAt = uuid.UUID{2, 15: 0xFF}, insight.ConsentDenied, time.Time{}
	consent.Seal(first, 1, "")
	consent.Seal(second, 2, first.Hash)
	entries := []consent.Entry{consent.EntryOf(first), consent.EntryOf(second)}
	return entries, consent.Head{Ledger: entries[1].Ledger, Length: 2, Last: entries[1].ID, Hash: entries[1].Hash}
}

func erasure() receipt.Receipt {
	_, head := ledger()
	return receipt.Receipt{
		Schema: receipt.Schema, ID: insight.FormatID(insight.RequestPrefix, uuid.UUID{7}), Kind: receipt.KindErasure,
		IssuedAt: moment.Add(1500 * time.Millisecond), Issuer: "Bücher & Söhne <GmbH>", Individual: individual,
		RequestedBy: "support/ann", Reason: "asked for by \"mail\"\nof 1 May",
		Tables: []receipt.Table{
			{Table: "identifiers", Action: receipt.ActionDeleted, Rows: 3},
			{Table: "interactions", Action: receipt.ActionDeleted, Rows: 14},
			{Table: "orders", Action: receipt.ActionKept, Rows: 1, Note: "10 years, § 147 AO"},
		},
		Residue:    &receipt.Residue{Scanned: []string{"identifiers", "interactions", "outbox"}, Found: 0, How: "every text column, for each identifier"},
		Suppressed: 2, Destinations: []string{"mailer", "ads"}, Ledger: []consent.Head{head},
	}
}

func decision() receipt.Receipt {
	entries, head := ledger()
	return receipt.Receipt{
		Schema: receipt.Schema, ID: insight.FormatID(insight.ConsentPrefix, grant().ID), Kind: receipt.KindConsent,
		IssuedAt: moment.Add(time.Minute), Individual: individual, RequestedBy: individual,
		Tables: []receipt.Table{{Table: "consents", Action: receipt.ActionWritten, Rows: 1}}, Destinations: []string{},
		Ledger: []consent.Head{head}, Consents: []receipt.ConsentRecord{receipt.RecordOf(grant(), individual, "Bücher & Söhne <GmbH>")},
		Evidence: entries[1:],
	}
}

func receipts() map[string]receipt.Receipt {
	return map[string]receipt.Receipt{"erasure": erasure(), "consent": decision()}
}

func sign(t testing.TB, r receipt.Receipt) []byte {
	t.Helper()
	text, err := newKey(1).Sign(r)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// refused wants a document to be refused as invalid, for a reason.
func refused(t testing.TB, document []byte, trusted, why string) {
	t.Helper()
	v, err := receipt.Verify(document, trusted)
	if err == nil {
		t.Fatalf("it was not refused: %s", document)
	}
	if insight.KindOf(err) != insight.Invalid {
		t.Errorf("it was refused as %s: %v", insight.KindOf(err), err)
	}
	if !strings.Contains(err.Error(), why) {
		t.Errorf("it was refused because %q, want %q", err, why)
	}
	if v.KeyID != "" || v.Pinned {
		t.Error("it was refused with a verdict")
	}
}

func TestRoundTrip(t *testing.T) {
	for name, r := range receipts() {
		v, err := receipt.Verify(sign(t, r), "")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := receipt.Verdict{Receipt: r, KeyID: newKey(1).ID(), PublicKey: newKey(1).Public()}
		if diff := cmp.Diff(want, v); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestGolden: receipts that were given to people must verify for as long as there
// are people who hold them.
func TestGolden(t *testing.T) {
	for name, r := range receipts() {
		path := filepath.Join("testdata", name+".json")
		got := sign(t, r)
		if *update {
			if err := os.WriteFile(path, append(slices.Clone(got), '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(append(got, '\n'), want) {
			t.Errorf("%s is not signed as it was once (-want +got):\n%s", name, cmp.Diff(string(want), string(got)+"\n"))
		}
		if v, err := receipt.Verify(want, newKey(1).Public()); err != nil || !v.Pinned {
			t.Errorf("%s does not verify: %v", name, err)
		}
	}
}

// TestEveryBitCounts: whichever bit of a receipt is turned, it is refused.
func TestEveryBitCounts(t *testing.T) {
	for name, r := range receipts() {
		document := sign(t, r)
		for i := range document {
			for bit := range 8 {
				document[i] ^= 1 << bit
				if _, err := receipt.Verify(document, ""); err == nil {
					t.Errorf("%s: bit %d of byte %d does not matter, after %s", name, bit, i, document[max(0, i-20):i])
				}
				document[i] ^= 1 << bit
			}
		}
	}
}

// TestEveryByteCounts: the same of whole bytes, removed, repeated and replaced.
func TestEveryByteCounts(t *testing.T) {
	whole := sign(t, erasure())
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.IntRange(0, len(whole)-1).Draw(t, "place")
		length := rapid.IntRange(0, min(8, len(whole)-i)).Draw(t, "length")
		put := rapid.SliceOfN(rapid.Byte(), 0, 8).Draw(t, "bytes")
		document := slices.Concat(whole[:i], put, whole[i+length:])
		if same(document, whole) {
			return
		}
		if _, err := receipt.Verify(document, ""); err == nil {
			t.Fatalf("%q in the place of %q at byte %d does not matter", put, whole[i:i+length], i)
		}
	})
}

// same reports whether two texts are JSON of the same meaning: blanks may have been
// put between their tokens, and escapes may be written in another case.
func same(a, b []byte) bool {
	x, err := consent.Canonical(a)
	y, _ := consent.Canonical(b)
	return err == nil && json.Valid(a) && bytes.Equal(x, y)
}

// TestFormattingDoesNotCount: a receipt may be written in any way that means the same.
func TestFormattingDoesNotCount(t *testing.T) {
	for _, r := range receipts() {
		document := sign(t, r)
		var indented bytes.Buffer
		if err := json.Indent(&indented, document, "\t ", "\r\n  "); err != nil {
			t.Fatal(err)
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal(document, &members); err != nil {
			t.Fatal(err)
		}
		names := make([]string, 0, len(members))
		for name := range members {
			names = append(names, name)
		}
		slices.Sort(names)
		slices.Reverse(names)
		turned := []byte("{")
		for i, name := range names {
			if i > 0 {
				turned = append(turned, ',')
			}
			turned = fmt.Appendf(turned, "%q:%s", name, members[name])
		}
		turned = append(turned, '}')
		escaped := bytes.ReplaceAll(document, []byte("ü"), []byte(`\u00Fc`))
		escaped = bytes.ReplaceAll(escaped, []byte("<"), []byte(`\u003c`))
		escaped = bytes.ReplaceAll(escaped, []byte("issuedAt"), []byte(`\u0069ssuedAt`))
		for _, other := range [][]byte{indented.Bytes(), turned, escaped, slices.Concat([]byte("\n "), document, []byte("\n\n"))} {
			if _, err := receipt.Verify(other, newKey(1).ID()); err != nil {
				t.Errorf("%v:\n%s", err, other)
			}
		}
	}
}

func TestPin(t *testing.T) {
	document := sign(t, erasure())
	key, other := newKey(1), newKey(2)
	for _, trusted := range []string{key.Public(), key.ID(), strings.ToUpper(key.ID()), " " + key.ID() + "\n"} {
		if v, err := receipt.Verify(document, trusted); err != nil || !v.Pinned {
			t.Errorf("pinned to %q: %v, %v", trusted, v.Pinned, err)
		}
	}
	if v, err := receipt.Verify(document, ""); err != nil || v.Pinned {
		t.Errorf("without a trusted key: %v, %v", v.Pinned, err)
	}
	refused(t, document, other.Public(), "another key")
	refused(t, document, other.ID(), "another key")
	for _, trusted := range []string{" ", "abc", key.ID()[1:], "x" + key.ID()[1:], key.Public()[1:], "!" + key.Public()[1:], strings.Repeat("a", 44)} {
		refused(t, document, trusted, "a public key is")
	}
}

// forge signs any members with a key's seed, as somebody would who makes receipts
// that [receipt.Key.Sign] does not give.
func forge(t testing.TB, seed byte, members map[string]any) []byte {
	t.Helper()
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, 32))
	delete(members, "signature")
	encode := func() []byte {
		text, err := json.Marshal(members)
		if err == nil {
			text, err = consent.Canonical(text)
		}
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	members["signature"] = base64.StdEncoding.EncodeToString(ed25519.Sign(private, encode()))
	return encode()
}

// members are those of a receipt with a valid signature, ready to be forged.
func members(t testing.TB, r receipt.Receipt) map[string]any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(sign(t, r)))
	d.UseNumber()
	var all map[string]any
	if err := d.Decode(&all); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestForgeIsSign(t *testing.T) {
	if document := sign(t, erasure()); !bytes.Equal(forge(t, 1, members(t, erasure())), document) {
		t.Error("a forged receipt that says the same is not the same")
	}
}

// TestAnotherKey: who signs with another key can neither keep the key's name nor its
// public half.
func TestAnotherKey(t *testing.T) {
	refused(t, forge(t, 2, members(t, erasure())), "", "signature does not fit")

	half := members(t, erasure())
	half["publicKey"] = newKey(2).Public()
	refused(t, forge(t, 2, half), newKey(1).ID(), "its keyId is not that of its publicKey")

	full := members(t, erasure())
	full["publicKey"], full["keyId"] = newKey(2).Public(), newKey(2).ID()
	document := forge(t, 2, full)
	if v, err := receipt.Verify(document, ""); err != nil || v.KeyID != newKey(2).ID() || v.Pinned {
		t.Errorf("another issuer's receipt: %v", err)
	}
	refused(t, document, newKey(1).ID(), "another key")
}

// TestRefusedAlthoughSigned: what a receipt may not say, it may not say with a valid
// signature either.
func TestRefusedAlthoughSigned(t *testing.T) {
	table := func(m map[string]any) map[string]any { return m["tables"].([]any)[0].(map[string]any) }
	evidence := func(m map[string]any) map[string]any { return m["evidence"].([]any)[0].(map[string]any) }
	for _, test := range []struct {
		why    string
		change func(map[string]any)
	}{
		{"its schema is not known", func(m map[string]any) { m["schema"] = "acquaint-receipt/2" }},
		{"its schema is not known", func(m map[string]any) { delete(m, "schema") }},
		{"its algorithm is not Ed25519", func(m map[string]any) { m["algorithm"] = "none" }},
		{"its algorithm is not Ed25519", func(m map[string]any) { m["algorithm"] = 1 }},
		{"its publicKey is not a key", func(m map[string]any) { m["publicKey"] = "" }},
		{"its publicKey is not a key", func(m map[string]any) { m["publicKey"] = newKey(1).Public()[4:] }},
		{"not those of a receipt", func(m map[string]any) { m["extra"] = "what nobody is shown" }},
		{"not those of a receipt", func(m map[string]any) { m["Reason"] = "in another case" }},
		{"not those of a receipt", func(m map[string]any) { table(m)["Rows"] = 1 }},
		{"not those of a receipt", func(m map[string]any) { table(m)["rows"] = "3" }},
		{"not those of a receipt", func(m map[string]any) { delete(m, "issuer") }},
		{"not those of a receipt", func(m map[string]any) { m["reason"] = nil }},
		{"not those of a receipt", func(m map[string]any) { m["ledger"] = nil }},
		{"not an integer", func(m map[string]any) { table(m)["rows"] = json.Number("3.0") }},
		{"not an integer", func(m map[string]any) { table(m)["rows"] = json.Number("3e0") }},
		{"not an integer", func(m map[string]any) { table(m)["rows"] = json.Number("-0") }},
		{"not an integer", func(m map[string]any) { table(m)["rows"] = json.Number("9007199254740992") }},
		{"not an integer", func(m map[string]any) { table(m)["rows"] = json.Number("-9007199254740992") }},
		{"kind: ", func(m map[string]any) { m["kind"] = "FORGETTING" }},
		{"id: ", func(m map[string]any) { m["id"] = "7" }},
		{"id: ", func(m map[string]any) { m["id"] = individual }},
		{"individual: ", func(m map[string]any) { m["individual"] = m["id"] }},
		{"issuedAt: times are in UTC", func(m map[string]any) { m["issuedAt"] = "2026-05-01T11:00:00+01:00" }},
		{"issuedAt: times are in UTC", func(m map[string]any) { m["issuedAt"] = "2026-05-01T11:00:00.0000001Z" }},
		{"not in their form", func(m map[string]any) { m["issuedAt"] = "2026-05-01T11:00:00.0Z" }},
		{"issuedAt: ", func(m map[string]any) { m["issuedAt"] = "0000-05-01T11:00:00Z" }},
		{"not those of a receipt", func(m map[string]any) { m["issuedAt"] = "yesterday" }},
		{"tables[0].action: ", func(m map[string]any) { table(m)["action"] = "hidden" }},
		{"tables[0].rows: ", func(m map[string]any) { table(m)["rows"] = -1 }},
		{"residue.found: ", func(m map[string]any) {
			m["residue"] = map[string]any{"scanned": []any{}, "found": -1, "how": ""}
		}},
		{"suppressed: ", func(m map[string]any) { m["suppressed"] = -1 }},
		{"ledger[0].length: ", func(m map[string]any) { m["ledger"].([]any)[0].(map[string]any)["length"] = -1 }},
		{"evidence[0]: the record was changed", func(m map[string]any) { evidence(m)["decision"] = "DENIED" }},
		{"evidence[0]: the record was changed", func(m map[string]any) { delete(evidence(m), "hash") }},
		{"evidence[0]: the record was changed", func(m map[string]any) { evidence(m)["evidence"].(map[string]any)["shown"] = 2 }},
		{"evidence[0]: the record is not the one", func(m map[string]any) { m["ledger"].([]any)[0].(map[string]any)["hash"] = consent.First }},
		{"evidence[0]: the record lies after the end", func(m map[string]any) { m["ledger"].([]any)[0].(map[string]any)["length"] = 1 }},
	} {
		m := members(t, decision())
		test.change(m)
		refused(t, forge(t, 1, m), "", test.why)
	}
}

func TestRefusedAsText(t *testing.T) {
	document := string(sign(t, erasure()))
	replace := func(old, with string) string {
		if !strings.Contains(document, old) {
			t.Fatalf("there is no %s in the receipt", old)
		}
		return strings.Replace(document, old, with, 1)
	}
	reason := `"reason":"asked`
	for _, test := range []struct{ why, document string }{
		{"not JSON", ""},
		{"not JSON", "null null"},
		{"not JSON", document + "}"},
		{"not JSON", document + "]"},
		{"not JSON", document[1:]},
		{"not JSON", replace("ü", "\xfc")},
		{"not JSON", strings.Repeat("[", 20_000)},
		{"not a JSON object", "null"},
		{"not a JSON object", "[]"},
		{"not a JSON object", `"receipt"`},
		{"schema", "{}"},
		{"larger than 1 MB", document + strings.Repeat(" ", receipt.MaxSize)},
		{"half of a surrogate pair", replace(reason, `"reason":"\ud83dasked`)},
		{"half of a surrogate pair", replace(reason, `"reason":"\\\ude00asked`)},
		{"half of a surrogate pair", replace(reason, `"reason":"\ud83d\ud83dasked`)},
		{"signature does not fit", replace(reason, `"reason":"\\ud83dasked`)},
		{"signature does not fit", replace(reason, `"reason":"\ud83d\ude00asked`)},
		{"the name of a member that was there before", replace(reason, `"reason":"asked","reason":"asked`)},
		{"the name of a member that was there before", replace(reason, `"re\u0061son":"","reason":"asked`)},
		{"the name of a member that was there before", replace(`"rows":3`, `"rows":3,"rows":3`)},
		{"the name of a member that was there before", replace(`"found":0`, `"found":0,"found":1`)},
		{"the name of a member that was there before", replace(`"signature":`, `"signature":"","signature":`)},
		{"no signature", replace(`"signature":`, `"Signature":`)},
		{"its signature is not one", replace(`=="`, `=\n="`)},
		{"its signature is not one", replace(`"signature":"`, `"signature":"\n`)},
		{"its signature is not one", replace(`"signature":`, `"signature":null,"x":`)},
		{"signature does not fit", replace(`"rows":3`, `"rows":4`)},
		{"signature does not fit", replace(`"rows":3`, `"rows":3,"more":[]`)},
	} {
		refused(t, []byte(test.document), "", test.why)
	}
}

// TestErrorsQuoteNothing: what is wrong with a receipt is said without what is in it.
func TestErrorsQuoteNothing(t *testing.T) {
	for _, field := range []string{"id", "kind", "individual", "issuedAt", "schema", "algorithm", "publicKey", "keyId"} {
		m := members(t, erasure())
		m[field] = "Ann-1968"
		_, err := receipt.Verify(forge(t, 1, m), "")
		if err == nil || strings.Contains(err.Error(), "Ann-1968") {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestSignRefuses(t *testing.T) {
	for why, change := range map[string]func(*receipt.Receipt){
		"receipt: its schema": func(r *receipt.Receipt) { r.Schema = "acquaint-receipt/0" },
		"id: ":                func(r *receipt.Receipt) { r.ID = "" },
		"kind: ":              func(r *receipt.Receipt) { r.Kind = "" },
		"individual: ":        func(r *receipt.Receipt) { r.Individual = "" },
		"cannot be written":   func(r *receipt.Receipt) { r.IssuedAt = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"issuedAt: ":          func(r *receipt.Receipt) { r.IssuedAt = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) },
		"tables[1].action: ":  func(r *receipt.Receipt) { r.Tables = append(r.Tables, receipt.Table{}) },
		"evidence[0]: ":       func(r *receipt.Receipt) { r.Evidence = slices.Clone(r.Evidence); r.Evidence[0].Source = "another" },
		"larger than 1 MB":    func(r *receipt.Receipt) { r.Reason = strings.Repeat("because ", 1<<17) },
		"not an integer": func(r *receipt.Receipt) {
			c := grant()
			c.Evidence = []byte(`{"shown":0.5}`)
			consent.Seal(c, 1, "")
			r.Evidence = []consent.Entry{consent.EntryOf(c)}
		},
	} {
		r := decision()
		change(&r)
		document, err := newKey(1).Sign(r)
		if document != nil || insight.KindOf(err) != insight.Invalid || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", why, err)
		}
	}
}

// TestSignFillsIn: the zone, the schema and lists that are nil are of no matter.
func TestSignFillsIn(t *testing.T) {
	r := decision()
	r.Schema, r.IssuedAt, r.Destinations = "", r.IssuedAt.In(time.FixedZone("", 3600)).Add(7), nil
	if !bytes.Equal(sign(t, r), sign(t, decision())) {
		t.Error("it is another receipt")
	}
	bare := receipt.Receipt{ID: r.ID, Kind: receipt.KindAccess, IssuedAt: moment, Individual: individual, Residue: &receipt.Residue{}}
	if v, err := receipt.Verify(sign(t, bare), ""); err != nil || v.Receipt.Tables == nil || v.Receipt.Residue.Scanned == nil {
		t.Errorf("a receipt without anything in it: %v", err)
	}
	if bare.Tables != nil || bare.Residue.Scanned != nil {
		t.Error("what was given was changed")
	}
}

func TestKey(t *testing.T) {
	// RFC 8032, section 7.1, test 1.
	seed := []byte{
		0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
		0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
	}
	k, err := receipt.NewKey(seed)
	if err != nil || k.Public() != "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=" || k.ID() != "21fe31dfa154a261" {
		t.Errorf("the key of RFC 8032 is %s, %s: %v", k.Public(), k.ID(), err)
	}
	for _, n := range []int{0, 31, 33, 64} {
		if _, err := receipt.NewKey(make([]byte, n)); insight.KindOf(err) != insight.Invalid {
			t.Errorf("a seed of %d bytes: %v", n, err)
		}
	}
	var none receipt.Key
	if _, err := none.Sign(erasure()); insight.KindOf(err) != insight.Invalid || none.Public() != "" || none.ID() != "" {
		t.Errorf("a key without a seed signs: %v", err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%d", "%s", "%q"} {
		if got := fmt.Sprintf(verb, k); got != "key "+k.ID() {
			t.Errorf("%s shows %s", verb, got)
		}
	}
	if text, err := json.Marshal(k); //nolint:staticcheck // that nothing of it is written is what is asked
	err != nil || string(text) != "{}" {
		t.Errorf("as JSON it shows %s: %v", text, err)
	}
}

func TestDescribe(t *testing.T) {
	describe := func(r receipt.Receipt, trusted string) string {
		v, err := receipt.Verify(sign(t, r), trusted)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(v.Describe(), "\n") + "\n"
	}
	_, head := ledger()
	ends := "Ledger " + head.Ledger + " ended with record 2, " + head.Last + ", whose hash is " + head.Hash + ".\n"
	signed := "Signed by the key " + newKey(1).ID() + " (Ed25519, " + newKey(1).Public() + ").\n"
	if diff := cmp.Diff(`This is a receipt for the erasure of personal data: `+erasure().ID+`.
Issued by Bücher & Söhne <GmbH> at 2026-05-01T10:00:01.5Z.
About `+individual+`, asked for by support/ann.
Reason: asked for by "mail"?of 1 May
Table identifiers: 3 rows deleted.
Table interactions: 14 rows deleted.
Table orders: 1 row kept (10 years, § 147 AO).
Afterwards 3 tables were searched (identifiers, interactions, outbox): 0 rows still told of the person.
How it was searched: every text column, for each identifier
2 identifiers were kept as salted hashes, so that they are not taken in again.
Also told: mailer, ads.
`+ends+signed+`Nothing was changed since it was signed. This does NOT prove who signed: no trusted key was given, and anybody can make a key. Compare the key with the one that the issuer publishes elsewhere.
`, describe(erasure(), "")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(`This is a receipt for a decision about consent: `+decision().ID+`.
Issued at 2026-05-01T10:01:00Z.
About `+individual+`, asked for by `+individual+`.
Decision `+decision().ID+`: marketing granted from 2026-05-01T10:00:00Z on, for P31D (Write to the person about offers of the business.; basis CONSENT).
Table consents: 1 row written.
`+ends+`Attached: 1 record of the ledgers, with the hash that fits.
`+signed+`This is the trusted key: who holds it said this, and nothing was changed since. That it was done as it says, the signature does not prove.
`, describe(decision(), newKey(1).ID())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestDescribeIsHarmless: a receipt cannot write lines of its own, nor move the cursor.
func TestDescribeIsHarmless(t *testing.T) {
	r := erasure()
	evil := "x\n\x1b[2J\r\u202e\u2028\u0000"
	r.Issuer, r.RequestedBy, r.Reason, r.Destinations = evil, evil, evil, []string{evil}
	r.Tables[0].Table, r.Tables[0].Note, r.Residue.How, r.Residue.Scanned[0], r.Ledger[0].Last = evil, evil, evil, evil, evil
	v, err := receipt.Verify(sign(t, r), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range v.Describe() {
		if strings.ContainsAny(line, "\n\x1b\r\u202e\u2028\u0000") {
			t.Errorf("%q", line)
		}
	}
}

func FuzzVerify(f *testing.F) {
	for _, r := range receipts() {
		document := sign(f, r)
		f.Add(document, "")
		f.Add(document, newKey(1).ID())
		f.Add(bytes.ReplaceAll(document, []byte(":"), []byte(": ")), newKey(1).Public())
	}
	f.Add([]byte(`{"schema":"acquaint-receipt/1","signature":"","a":{"b":[1,2.5,"\ud800"]}}`), "")
	f.Fuzz(func(t *testing.T, document []byte, trusted string) {
		verify(t, document, trusted)
		// Hardly any of what is made up is signed. So it is signed, and read again.
		d := json.NewDecoder(bytes.NewReader(document))
		d.UseNumber()
		var members map[string]any
		if d.Decode(&members) != nil || members == nil {
			return
		}
		members["schema"], members["algorithm"] = receipt.Schema, receipt.Algorithm
		members["publicKey"], members["keyId"] = newKey(1).Public(), newKey(1).ID()
		verify(t, forge(t, 1, members), "")
	})
}

// verify checks what holds of every document, those of the first key above all: what
// is verified is what the key would sign.
func verify(t *testing.T, document []byte, trusted string) {
	v, err := receipt.Verify(document, trusted)
	if err != nil {
		if insight.KindOf(err) != insight.Invalid {
			t.Fatalf("it was refused as %s: %v", insight.KindOf(err), err)
		}
		return
	}
	if v.Pinned != (trusted != "") || len(v.Describe()) == 0 {
		t.Fatal("the verdict says too little or too much")
	}
	if v.KeyID != newKey(1).ID() {
		return
	}
	again, err := newKey(1).Sign(v.Receipt)
	if err != nil || !same(document, again) {
		t.Fatalf("what was verified is not what is signed: %v", err)
	}
}
