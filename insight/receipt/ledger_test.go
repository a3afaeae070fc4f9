package receipt_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/insight/receipt"
)

// ledgers draws some ledgers, intact, their records in any order.
func ledgers(t *rapid.T) receipt.Ledgers {
	var all receipt.Ledgers
	id := byte(0)
	for owner := range rapid.IntRange(1, 3).Draw(t, "ledgers") {
		var last *insight.Consent
		for sequence := range rapid.IntRange(1, 6).Draw(t, "records") {
			c := draw(t, byte(owner))
			id++
			c.ID = uuid.UUID{id}
			previous := ""
			if last != nil {
				previous = last.Hash
			}
			consent.Seal(c, sequence+1, previous)
			all.Records = append(all.Records, consent.EntryOf(c))
			last = c
		}
		e := all.Records[len(all.Records)-1]
		all.Heads = append(all.Heads, consent.Head{Ledger: e.Ledger, Length: e.Sequence, Last: e.ID, Hash: e.Hash})
	}
	all.Records = rapid.Permutation(all.Records).Draw(t, "order")
	all.Heads = rapid.Permutation(all.Heads).Draw(t, "order of heads")
	return all
}

// draw is a decision with all that a record may hold.
func draw(t *rapid.T, owner byte) *insight.Consent {
	c := grant()
	c.Owner, c.Covers = uuid.UUID{15: owner + 1}, nil
	for i := range rapid.IntRange(0, 2).Draw(t, "covers") {
		c.Covers = append(c.Covers, uuid.UUID{14: byte(i + 1)})
	}
	c.Decision = rapid.SampledFrom([]insight.ConsentDecision{insight.ConsentGranted, insight.ConsentDenied, insight.ConsentWithdrawn}).Draw(t, "decision")
	c.EffectiveAt = moment.Add(time.Duration(rapid.IntRange(0, 1e6).Draw(t, "at")) * time.Microsecond)
	if rapid.Bool().Draw(t, "for ever") {
		c.ExpiresAt = time.Time{}
	}
	if text := rapid.SampledFrom([]string{"", "{}", "null", `{"a":[1.50,"<é>"],"b":1e3}`, `"text"`}).Draw(t, "evidence"); text != "" {
		c.Evidence = json.RawMessage(text)
	} else {
		c.Evidence = nil
	}
	return c
}

func check(t testing.TB, l receipt.Ledgers) []string {
	t.Helper()
	text, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	faults, err := receipt.VerifyLedger(text)
	if err != nil {
		t.Fatal(err)
	}
	return faults
}

func TestVerifyLedgerFindsEverything(t *testing.T) {
	// Each does something to ledgers, and names what it did; an empty name: nothing,
	// since these ledgers have no place for it.
	tampers := map[string]func(*rapid.T, *receipt.Ledgers) string{
		"change": func(t *rapid.T, l *receipt.Ledgers) string {
			e := &l.Records[rapid.IntRange(0, len(l.Records)-1).Draw(t, "record")]
			fields := map[string]func(){
				"id":            func() { e.ID += "0" },
				"ledger":        func() { e.Ledger = uuid.UUID{0xFF}.String() },
				"sequence":      func() { e.Sequence += rapid.SampledFrom([]int{-100, -1, 1, 100, 1<<63 - 1 - e.Sequence}).Draw(t, "by") },
				"covers":        func() { e.Covers = append(slices.Clone(e.Covers), uuid.UUID{0xFF}.String()) },
				"purpose":       func() { e.Purpose = "advertising" },
				"decision":      func() { e.Decision += "!" },
				"effectiveAt":   func() { e.EffectiveAt = "2026-04-30T00:00:00Z" },
				"recordedAt":    func() { e.RecordedAt = "2026-04-30T00:00:00Z" },
				"expiresAt":     func() { e.ExpiresAt = "2027-04-30T00:00:00Z" },
				"source":        func() { e.Source = "another" },
				"method":        func() { e.Method = "OPERATOR" },
				"policyVersion": func() { e.PolicyVersion = "" },
				"jurisdiction":  func() { e.Jurisdiction = "FR" },
				"evidence":      func() { e.Evidence = json.RawMessage(`{"a":[1.5,"<é>"],"b":1e3}`) },
				"previousHash":  func() { e.PreviousHash = strings.Repeat("f", 64) },
				"hash":          func() { e.Hash = "" },
			}
			field := rapid.SampledFrom([]string{
				"id", "ledger", "sequence", "covers", "purpose", "decision", "effectiveAt", "recordedAt", "expiresAt",
				"source", "method", "policyVersion", "jurisdiction", "evidence", "previousHash", "hash",
			}).Draw(t, "field")
			fields[field]()
			if rapid.Bool().Draw(t, "and its hash") && field != "hash" {
				e.Hash = e.Sum()
			}
			return field
		},
		"change of a head": func(t *rapid.T, l *receipt.Ledgers) string {
			h := &l.Heads[rapid.IntRange(0, len(l.Heads)-1).Draw(t, "head")]
			switch field := rapid.SampledFrom([]string{"ledger", "length", "last", "hash"}).Draw(t, "field"); field {
			case "ledger":
				h.Ledger = uuid.UUID{0xFF}.String()
			case "length":
				h.Length += rapid.SampledFrom([]int{-100, -1, 1, 100}).Draw(t, "by")
			case "last":
				h.Last += "0"
			case "hash":
				h.Hash = consent.First
			}
			return "a head"
		},
		"removal": func(t *rapid.T, l *receipt.Ledgers) string {
			of := rapid.SampledFrom(l.Heads).Draw(t, "ledger")
			sequence := 1
			switch rapid.SampledFrom([]string{"first", "middle", "last"}).Draw(t, "which") {
			case "middle":
				sequence = 1 + of.Length/2
			case "last":
				sequence = of.Length
			}
			l.Records = slices.DeleteFunc(l.Records, func(e consent.Entry) bool { return e.Ledger == of.Ledger && e.Sequence == sequence })
			return fmt.Sprintf("record %d of %d", sequence, of.Length)
		},
		"removal of a ledger's records": func(t *rapid.T, l *receipt.Ledgers) string {
			of := rapid.SampledFrom(l.Heads).Draw(t, "ledger")
			l.Records = slices.DeleteFunc(l.Records, func(e consent.Entry) bool { return e.Ledger == of.Ledger })
			return of.Ledger
		},
		"removal of a head": func(_ *rapid.T, l *receipt.Ledgers) string {
			l.Heads = l.Heads[1:]
			return "a head"
		},
		"another head": func(_ *rapid.T, l *receipt.Ledgers) string {
			l.Heads = append(l.Heads, l.Heads[0])
			return "a head"
		},
		"swap": func(t *rapid.T, l *receipt.Ledgers) string {
			i := rapid.IntRange(0, len(l.Records)-1).Draw(t, "one")
			j := rapid.IntRange(0, len(l.Records)-1).Draw(t, "other")
			a, b := &l.Records[i], &l.Records[j]
			if i == j {
				return ""
			}
			a.Sequence, b.Sequence = b.Sequence, a.Sequence
			a.Ledger, b.Ledger = b.Ledger, a.Ledger
			if rapid.Bool().Draw(t, "and their links") {
				a.PreviousHash, b.PreviousHash = b.PreviousHash, a.PreviousHash
			}
			if rapid.Bool().Draw(t, "and their hashes") {
				a.Hash, b.Hash = a.Sum(), b.Sum()
			}
			return "two records"
		},
		"insertion": func(t *rapid.T, l *receipt.Ledgers) string {
			e := rapid.SampledFrom(l.Records).Draw(t, "after")
			c := draw(t, 0)
			c.ID, c.Owner = uuid.UUID{0xFF}, uuid.MustParse(e.Ledger)
			consent.Seal(c, e.Sequence+1, e.Hash)
			if rapid.Bool().Draw(t, "and make room") {
				for i := range l.Records {
					if l.Records[i].Ledger == e.Ledger && l.Records[i].Sequence > e.Sequence {
						l.Records[i].Sequence++
					}
				}
				for i := range l.Heads {
					if l.Heads[i].Ledger == e.Ledger {
						l.Heads[i].Length++
					}
				}
			}
			l.Records = append(l.Records, consent.EntryOf(c))
			return "a record"
		},
		"repetition": func(t *rapid.T, l *receipt.Ledgers) string {
			l.Records = append(l.Records, rapid.SampledFrom(l.Records).Draw(t, "record"))
			return "a record"
		},
	}
	for name, tamper := range tampers {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				l := ledgers(t)
				text, err := json.Marshal(l)
				if err != nil {
					t.Fatal(err)
				}
				if faults, err := receipt.VerifyLedger(text); err != nil || len(faults) > 0 {
					t.Fatalf("intact ledgers have faults: %v, %q", err, faults)
				}
				before := slices.Clone(l.Records)
				heads := slices.Clone(l.Heads)
				what := tamper(t, &l)
				if what == "" || fmt.Sprint(before, heads) == fmt.Sprint(l.Records, l.Heads) {
					return
				}
				if text, err = json.Marshal(l); err != nil {
					t.Fatal(err)
				}
				if faults, err := receipt.VerifyLedger(text); err != nil || len(faults) == 0 {
					t.Fatalf("%s of %s was not found (%v) in %s", name, what, err, text)
				}
			})
		})
	}
}

func TestVerifyLedgerNamesWhatIsWrong(t *testing.T) {
	entries, head := ledger()
	whole := receipt.Ledgers{Heads: []consent.Head{head}, Records: entries}
	if faults := check(t, whole); len(faults) > 0 {
		t.Errorf("an intact ledger has faults: %q", faults)
	}
	if faults := check(t, receipt.Ledgers{}); len(faults) > 0 {
		t.Errorf("no ledger has faults: %q", faults)
	}
	for _, test := range []struct {
		l    receipt.Ledgers
		want string
	}{
		{receipt.Ledgers{Records: entries}, "ledger " + head.Ledger + ": its head is missing"},
		{receipt.Ledgers{Heads: []consent.Head{head}}, "ledger " + head.Ledger + ": its head knows of 2 records, and none are there"},
		{receipt.Ledgers{Heads: []consent.Head{{Ledger: head.Ledger}}}, "ledger " + head.Ledger + ": its head knows of 0 records, and none are there"},
		{receipt.Ledgers{Heads: []consent.Head{head, head}, Records: entries}, "ledger " + head.Ledger + ": it has 2 heads"},
		{receipt.Ledgers{Heads: []consent.Head{head}, Records: entries[1:]}, entries[1].ID + ": the record number 1 before it is missing"},
		{receipt.Ledgers{Heads: []consent.Head{head}, Records: entries[:1]}, entries[1].ID + ": the record number 2 at the end is missing"},
		{
			receipt.Ledgers{Heads: []consent.Head{{Ledger: head.Ledger, Length: 2, Last: entries[0].ID, Hash: head.Hash}}, Records: entries},
			"ledger " + head.Ledger + ": its last record is not the one that its head names",
		},
	} {
		faults := check(t, test.l)
		if len(faults) != 1 || !strings.HasPrefix(faults[0], test.want) {
			t.Errorf("the faults are %q, want %q", faults, test.want)
		}
	}
	entries[0].ID = "x\n\x1b[2J"
	for _, fault := range check(t, whole) {
		if strings.ContainsAny(fault, "\n\x1b") {
			t.Errorf("%q", fault)
		}
	}
}

func TestVerifyLedgerRefuses(t *testing.T) {
	entries, head := ledger()
	text, err := json.Marshal(receipt.Ledgers{Heads: []consent.Head{head}, Records: entries})
	if err != nil {
		t.Fatal(err)
	}
	document := string(text)
	replace := func(old, with string) string { return strings.Replace(document, old, with, 1) }
	for _, refused := range []string{
		"", "null", "[]", "{}", `{"heads":[]}`, `{"records":[]}`, `{"heads":[],"records":[],"more":1}`, `{"heads":[],"Records":[]}`,
		`{"heads":{},"records":[]}`, document + "]", document[1:],
		replace(`"sequence":1`, `"sequence":1,"sequence":1`),
		replace(`"sequence":1`, `"sequence":1.0`),
		replace(`"sequence":1`, `"sequence":-0`),
		replace(`"sequence":1`, `"sequence":1,"note":"not in the hash"`),
		replace(`"sequence":1`, `"sequence":1,"Decision":"GRANTED"`),
		replace(`"sequence":1`, `"sequence":1,"covers":null`),
		replace(`"length":2`, `"length":2,"hidden":true`),
		replace(`"shop"`, `"\ud800"`),
		replace(`"shop"`, "\"\xff\""),
	} {
		faults, err := receipt.VerifyLedger([]byte(refused))
		if insight.KindOf(err) != insight.Invalid || faults != nil || err == nil {
			t.Errorf("%v, %q of %s", err, faults, refused)
		}
	}
}

func FuzzVerifyLedger(f *testing.F) {
	entries, head := ledger()
	for _, l := range []receipt.Ledgers{
		{Heads: []consent.Head{head}, Records: entries},
		{Heads: []consent.Head{head, {}}, Records: append(slices.Clone(entries), consent.Entry{Sequence: -1 << 63}, consent.Entry{Sequence: 1<<63 - 1})},
		{},
	} {
		text, err := json.Marshal(l)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		faults, err := receipt.VerifyLedger(document)
		if err != nil && insight.KindOf(err) != insight.Invalid {
			t.Fatalf("it was refused as %s: %v", insight.KindOf(err), err)
		}
		if err != nil && faults != nil {
			t.Fatal("it was refused with faults")
		}
	})
}
