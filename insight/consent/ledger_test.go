package consent_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
)

// full is a record that says everything that one can.
func full() *insight.Consent {
	return &insight.Consent{
		ID: uuid.MustParse("0190a5e4-4d5b-7c3a-9b1e-2f6d8a7c5e10"), Owner: identifier(0), Covers: []uuid.UUID{identifier(2), identifier(1)},
		Purpose: &insight.Purpose{Key: "marketing"}, Decision: insight.ConsentGranted,
		EffectiveAt: time.Date(2026, 5, 1, 10, 0, 0, 123456000, time.UTC), RecordedAt: time.Date(2026, 5, 1, 12, 0, 1, 0, time.FixedZone("", 7200)), ExpiresAt: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC),
		Source: "shop", Method: insight.MethodBanner, PolicyVersion: "2026-01 <é>", Jurisdiction: "DE", Evidence: json.RawMessage(`{"n":1e2,"z":"ü"}`),
	}
}

// The form of the hash is part of every ledger that was ever exported, and of every
// receipt: whoever changes it makes all of them look forged.
func TestHashIsWhatItWas(t *testing.T) {
	const text = `{"covers":["65000000-0000-0000-0000-000000000002","ca000000-0000-0000-0000-000000000003"],"decision":"GRANTED",` +
		`"effectiveAt":"2026-05-01T10:00:00.123456Z","evidence":{"n":1e2,"z":"ü"},"expiresAt":"2026-06-01T00:00:00Z","id":"con_01j2jy8kavfgx9p7hfdp57rqgg",` +
		`"jurisdiction":"DE","ledger":"00000000-0000-0000-0000-000000000001","method":"BANNER","policyVersion":"2026-01 <é>",` +
		`"previousHash":"0000000000000000000000000000000000000000000000000000000000000000","purpose":"marketing","recordedAt":"2026-05-01T10:00:01Z","sequence":1,"source":"shop"}`
	c := full()
	consent.Seal(c, 1, "")
	e := consent.EntryOf(c)
	e.Hash = ""
	exported, err := json.Marshal(e)
	if err == nil {
		exported, err = consent.Canonical(exported)
	}
	if err != nil || string(exported) != text {
		t.Errorf("the canonical form is\n%s, %v, want\n%s", exported, err, text)
	}
	if c.Hash != "dca472914452450697b32474df23c654beed0b0faa177b2e643d34c841f739ec" {
		t.Errorf("the hash is %s", c.Hash)
	}

	least := &insight.Consent{ID: c.ID, Owner: c.Owner, Purpose: c.Purpose, Decision: insight.ConsentWithdrawn, EffectiveAt: seen, RecordedAt: seen, Source: "shop", Method: insight.MethodGPC}
	consent.Seal(least, 2, c.Hash)
	if least.PreviousHash != c.Hash || least.Hash != "4dc41ee6d26158e6976ba8e3a9983c43ebb8456265234fec98c2ee105b727f93" {
		t.Errorf("the hash of the least that can be said is %s, after %s", least.Hash, least.PreviousHash)
	}
}

func TestSealSortsAndCanBeRepeated(t *testing.T) {
	a, b := full(), full()
	slices.Reverse(b.Covers)
	b.IndividualID = uuid.UUID{9} // follows the owner, and is no part of the hash
	b.EffectiveAt = b.EffectiveAt.In(time.FixedZone("", -3600))
	consent.Seal(a, 7, "f00")
	consent.Seal(b, 7, "f00")
	hash := b.Hash
	consent.Seal(b, 7, "f00")
	if a.Hash != b.Hash || b.Hash != hash || a.Sequence != 7 || a.PreviousHash != "f00" || !slices.Equal(a.Covers, b.Covers) {
		t.Errorf("%+v and %+v", a, b)
	}
	if e := consent.EntryOf(a); e.Hash != e.Sum() {
		t.Errorf("%s of %s", e.Hash, e.Sum())
	}
	if consent.EntryOf(&insight.Consent{Purpose: a.Purpose, Evidence: json.RawMessage(`{`)}).Sum() != "" {
		t.Error("evidence that is no JSON has a hash")
	}
}

// Evidence is kept as it was said: a number keeps its digits, and however it was
// written, what means the same has the same hash.
func TestCanonical(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{`1e2`, `1e2`}, {`1E+2`, `1E+2`}, {`1.0`, `1.0`}, {`-0`, `-0`}, {`100`, `100`},
		{`123456789012345678901234567890`, `123456789012345678901234567890`},
		{`0.1000000000000000055511151231257827`, `0.1000000000000000055511151231257827`},
		{"  {\n\t\"b\" : 1 ,\r\n \"a\" : [ 2 , { } , [ ] ] } ", `{"a":[2,{},[]],"b":1}`},
		{`{"b":{"d":1,"c":2},"B":3,"":4,"ä":5}`, `{"":4,"B":3,"b":{"c":2,"d":1},"ä":5}`},
		{`"\u0041\u00e9\/\u003c\u003e\u0026"`, `"Aé/<>&"`},
		{`"\uD83D\uDE42"`, `"🙂"`},
		{`"\"\\\b\f\n\r\t\u0001"`, `"\"\\\b\f\n\r\t\u0001"`},
		{`"\u2028"`, `"\u2028"`}, {"\"\u2028\"", `"\u2028"`},
		{`"\uD83D"`, `"` + "\uFFFD" + `"`},
		{`null`, `null`}, {`true`, `true`}, {`"text"`, `"text"`}, {`[]`, `[]`}, {`{}`, `{}`},
		{`{"\u0061":1}`, `{"a":1}`},
	} {
		got, err := consent.Canonical([]byte(test.text))
		if err != nil || string(got) != test.want {
			t.Errorf("%s is %s, %v; want %s", test.text, got, err, test.want)
		}
	}
	for _, text := range []string{
		``, ` `, `{`, `{}{}`, `1 2`, `{} x`, `[1,]`, `{"a":1,}`, `{a:1}`, `'a'`, `01`, `.5`, `1.`, `+1`, `0x1`, `NaN`, `Infinity`, `nul`, "\"\n\"", `"\x"`, `"\u12"`, `"`, "\uFEFF{}", `/**/1`, `1,`,
	} {
		if got, err := consent.Canonical([]byte(text)); insight.KindOf(err) != insight.Invalid || got != nil {
			t.Errorf("%q is %s, %v", text, got, err)
		}
	}
}

// value draws a JSON value, as somebody wrote it: what is the same under the name
// "again" may be written in another way.
func value(t *rapid.T, depth int) (text, again string) {
	blank := rapid.SampledFrom([]string{"", "", " ", "\n\t"})
	kinds := 4
	if depth > 0 {
		kinds = 6
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		text = rapid.SampledFrom([]string{"null", "true", "false"}).Draw(t, "word")
		return text, text
	case 1:
		text = rapid.StringMatching(`-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?`).Draw(t, "number")
		return text, text
	case 2, 3:
		return quoted(rapid.String().Draw(t, "text"))
	case 4:
		text, again = "[", "["+blank.Draw(t, "blank")
		for i := range rapid.IntRange(0, 3).Draw(t, "length") {
			a, b := value(t, depth-1)
			if i > 0 {
				text, again = text+",", again+blank.Draw(t, "blank")+","
			}
			text, again = text+a, again+blank.Draw(t, "blank")+b
		}
		return text + "]", again + "]"
	}
	var members, others []string
	for _, name := range rapid.SliceOfDistinct(rapid.String(), rapid.ID).Draw(t, "names") {
		a, b := value(t, depth-1)
		x, y := quoted(name)
		members, others = append(members, x+":"+a), append(others, y+blank.Draw(t, "blank")+":"+blank.Draw(t, "blank")+b)
	}
	shuffle(t, others)
	return "{" + strings.Join(members, ",") + "}", "{" + strings.Join(others, " ,") + "}"
}

// quoted writes a string in two ways, the second all in escapes.
func quoted(s string) (plain, escaped string) {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	var b strings.Builder
	for _, r := range s {
		if r > 0xFFFF {
			fmt.Fprintf(&b, `\u%04x\u%04X`, 0xD800+(r-0x10000)>>10, 0xDC00+(r-0x10000)&0x3FF)
		} else {
			fmt.Fprintf(&b, `\u%04X`, r)
		}
	}
	return string(text), `"` + b.String() + `"`
}

func TestCanonicalLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, again := value(t, 3)
		once, err := consent.Canonical([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if twice, err := consent.Canonical(once); err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%s is %s, and that %s, %v", text, once, twice, err)
		}
		if other, err := consent.Canonical([]byte(again)); err != nil || !bytes.Equal(once, other) {
			t.Fatalf("%s is %s, and %s is %s, %v", text, once, again, other, err)
		}
		number := func(text []byte) (v any) {
			d := json.NewDecoder(bytes.NewReader(text))
			d.UseNumber()
			if err := d.Decode(&v); err != nil {
				t.Fatal(err)
			}
			return v
		}
		if diff := cmp.Diff(number([]byte(text)), number(once)); diff != "" {
			t.Fatalf("%s became something else:\n%s", text, diff)
		}
		c, d := full(), full()
		c.Evidence, d.Evidence = json.RawMessage(text), json.RawMessage(again)
		consent.Seal(c, 1, "")
		consent.Seal(d, 1, "")
		if c.Hash != d.Hash || c.Hash == "" {
			t.Fatalf("the hash with %s is %s, with %s %s", text, c.Hash, again, d.Hash)
		}
		for _, rest := range []string{",", "]", "}", "x", " 1", " " + text} {
			if _, err := consent.Canonical([]byte(text + rest)); err == nil {
				t.Fatalf("%s with %q after it is taken", text, rest)
			}
		}
	})
}

// ledger draws an intact one, in order.
func ledger(t *rapid.T) ([]consent.Entry, consent.Head) {
	entries := make([]consent.Entry, rapid.IntRange(1, 6).Draw(t, "records"))
	previous := ""
	for i := range entries {
		c := full()
		c.ID[15] = byte(i + 1)
		c.Decision = decided.Draw(t, "decision")
		c.EffectiveAt = hour(rapid.IntRange(0, hours).Draw(t, "effective"))
		if rapid.Bool().Draw(t, "short") {
			c.Covers, c.ExpiresAt, c.PolicyVersion, c.Jurisdiction, c.Evidence = nil, time.Time{}, "", "", nil
		}
		consent.Seal(c, i+1, previous)
		entries[i], previous = consent.EntryOf(c), c.Hash
	}
	last := entries[len(entries)-1]
	return entries, consent.Head{Ledger: last.Ledger, Length: len(entries), Last: last.ID, Hash: last.Hash}
}

// accuses reports whether some fault begins with an id.
func accuses(faults []string, id string) bool {
	return slices.ContainsFunc(faults, func(fault string) bool { return strings.HasPrefix(fault, id+": ") })
}

// accusesOnly reports whether all faults begin with one of some ids.
func accusesOnly(faults []string, ids ...string) bool {
	return !slices.ContainsFunc(faults, func(fault string) bool {
		return !slices.ContainsFunc(ids, func(id string) bool { return strings.HasPrefix(fault, id+": ") })
	})
}

func TestCheckFindsNothingInAnIntactLedger(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entries, head := ledger(t)
		shuffle(t, entries)
		before := slices.Clone(entries)
		if faults := consent.Check(entries, head); len(faults) > 0 {
			t.Fatalf("%q", faults)
		}
		if diff := cmp.Diff(before, entries); diff != "" {
			t.Fatalf("it changed what it checked:\n%s", diff)
		}
		// It went through a file.
		text, err := json.Marshal(entries)
		if err != nil {
			t.Fatal(err)
		}
		var read []consent.Entry
		if err := json.Unmarshal(text, &read); err != nil {
			t.Fatal(err)
		}
		if faults := consent.Check(read, head); len(faults) > 0 {
			t.Fatalf("exported and read again: %q", faults)
		}
	})
	if faults := consent.Check(nil, consent.Head{}); len(faults) > 0 {
		t.Errorf("nothing: %q", faults)
	}
}

// alterations are of each field of an entry, to what it was not.
var alterations = map[string]func(*consent.Entry){
	"id":            func(e *consent.Entry) { e.ID = e.ID[:len(e.ID)-1] + "z" },
	"ledger":        func(e *consent.Entry) { e.Ledger = identifier(3).String() },
	"sequence up":   func(e *consent.Entry) { e.Sequence++ },
	"sequence down": func(e *consent.Entry) { e.Sequence-- },
	"sequence off":  func(e *consent.Entry) { e.Sequence += 1000 },
	"covers":        func(e *consent.Entry) { e.Covers = append([]string{identifier(4).String()}, e.Covers...) },
	"purpose":       func(e *consent.Entry) { e.Purpose = "advertising" },
	"decision":      func(e *consent.Entry) { e.Decision = map[string]string{"GRANTED": "DENIED"}[e.Decision] },
	"effectiveAt":   func(e *consent.Entry) { e.EffectiveAt = "2026-04-30T00:00:00Z" },
	"recordedAt":    func(e *consent.Entry) { e.RecordedAt = "2026-04-30T00:00:00Z" },
	"expiresAt":     func(e *consent.Entry) { e.ExpiresAt = "2030-01-01T00:00:00Z" },
	"source":        func(e *consent.Entry) { e.Source = "another" },
	"method":        func(e *consent.Entry) { e.Method = "OPERATOR" },
	"policyVersion": func(e *consent.Entry) { e.PolicyVersion += " " },
	"jurisdiction":  func(e *consent.Entry) { e.Jurisdiction = "FR" },
	"evidence":      func(e *consent.Entry) { e.Evidence = json.RawMessage(`{"n":100,"z":"ü"}`) },
	"no JSON":       func(e *consent.Entry) { e.Evidence = json.RawMessage(`{`) },
	"previousHash":  func(e *consent.Entry) { e.PreviousHash = strings.Repeat("f", 64) },
	"hash":          func(e *consent.Entry) { e.Hash = strings.Repeat("e", 64) },
	"no hash":       func(e *consent.Entry) { e.Hash = "" },
}

// A record that was changed is named, and where its place was left as it was, no
// other is.
func TestCheckNamesWhatWasChanged(t *testing.T) {
	for what, change := range alterations {
		t.Run(what, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				entries, head := ledger(t)
				e := &entries[rapid.IntRange(0, len(entries)-1).Draw(t, "record")]
				change(e)
				id, moved := e.ID, strings.HasPrefix(what, "sequence")
				last := e.Sequence == head.Length
				shuffle(t, entries)
				faults := consent.Check(entries, head)
				if !accuses(faults, id) {
					t.Fatalf("%s is not named: %q", id, faults)
				}
				if !moved && (!last || what != "id") && !accusesOnly(faults, id) {
					t.Fatalf("others than %s are named: %q", id, faults)
				}
			})
		})
	}
}

// Who computes the hash of what they changed as well breaks the chain there: the
// record after it is named or, where there is none, the ledger.
func TestCheckFindsWhatWasHashedAnew(t *testing.T) {
	for what, change := range alterations {
		if what == "hash" || what == "no hash" || what == "no JSON" {
			continue // there is no other hash
		}
		t.Run(what, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				entries, head := ledger(t)
				i := rapid.IntRange(0, len(entries)-1).Draw(t, "record")
				e := &entries[i]
				change(e)
				e.Hash = e.Sum()
				named := []string{e.ID, "ledger " + head.Ledger}
				if i+1 < len(entries) {
					named[1] = entries[i+1].ID
				}
				moved := strings.HasPrefix(what, "sequence")
				shuffle(t, entries)
				faults := consent.Check(entries, head)
				if !accuses(faults, named[0]) && !accuses(faults, named[1]) {
					t.Fatalf("neither of %q is named: %q", named, faults)
				}
				if !moved && what != "ledger" && !accusesOnly(faults, named...) {
					t.Fatalf("others than %q are named: %q", named, faults)
				}
			})
		})
	}
}

// TestCheckFindsWhatIsGone: of what was removed its place is told, by the record after
// it or, at the end, by the head; what is there twice, or is another's, is named.
func TestCheckFindsWhatIsGone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entries, head := ledger(t)
		whole := slices.Clone(entries)
		from := rapid.IntRange(0, len(entries)-1).Draw(t, "from")
		to := rapid.IntRange(from+1, len(entries)).Draw(t, "to")
		want := fmt.Sprintf("record number %d", from+1)
		if to-from > 1 {
			want = fmt.Sprintf("run of records %d to %d", from+1, to)
		}
		named := head.Last
		if to < len(entries) {
			named = entries[to].ID
			want += " before it is missing"
		} else {
			want += " at the end is missing"
		}
		entries = slices.Delete(entries, from, to)
		shuffle(t, entries)
		if faults := consent.Check(entries, head); len(faults) != 1 || faults[0] != named+": the "+want {
			t.Fatalf("%q, want %s: the %s", faults, named, want)
		}

		twice := rapid.SampledFrom(whole).Draw(t, "twice")
		entries = append(slices.Clone(whole), twice)
		shuffle(t, entries)
		if faults := consent.Check(entries, head); len(faults) != 1 || !accuses(faults, twice.ID) {
			t.Fatalf("%s is there twice: %q", twice.ID, faults)
		}

		c := full()
		c.ID[0], c.Owner = 0xFF, identifier(3)
		consent.Seal(c, rapid.IntRange(1, len(whole)+1).Draw(t, "place"), rapid.SampledFrom([]string{"", whole[0].Hash}).Draw(t, "after"))
		stranger := consent.EntryOf(c)
		entries = append(slices.Clone(whole), stranger)
		shuffle(t, entries)
		if faults := consent.Check(entries, head); len(faults) != 1 || !accuses(faults, stranger.ID) {
			t.Fatalf("%s is another's: %q", stranger.ID, faults)
		}
	})
}

// TestCheckFindsWhatWasMoved: two records that took each other's place are both named,
// whatever of their place was moved, as long as their hashes are what they were.
func TestCheckFindsWhatWasMoved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entries, head := ledger(t)
		if len(entries) < 2 {
			t.Skip("there are no two")
		}
		i := rapid.IntRange(1, len(entries)-1).Draw(t, "one")
		j := rapid.IntRange(0, i-1).Draw(t, "other")
		a, b := &entries[i], &entries[j]
		a.Sequence, b.Sequence = b.Sequence, a.Sequence
		if rapid.Bool().Draw(t, "and their links") {
			a.PreviousHash, b.PreviousHash = b.PreviousHash, a.PreviousHash
		}
		one, other := a.ID, b.ID
		anew := rapid.Bool().Draw(t, "and their hashes")
		if anew {
			a.Hash, b.Hash = a.Sum(), b.Sum()
		}
		shuffle(t, entries)
		faults := consent.Check(entries, head)
		if len(faults) == 0 || !anew && (!accuses(faults, one) || !accuses(faults, other)) {
			t.Fatalf("%s and %s: %q", one, other, faults)
		}
	})
}

// A head that is not that of the ledger is told of, and so is a ledger that somebody
// wrote anew from some record on.
func TestCheckFindsAnotherHead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entries, head := ledger(t)
		wrong := head
		switch rapid.IntRange(0, 3).Draw(t, "what") {
		case 0:
			wrong.Length--
		case 1:
			wrong.Length++
		case 2:
			wrong.Hash = consent.First
		case 3:
			wrong.Last = "con_00000000000000000000000000"
		}
		if faults := consent.Check(entries, wrong); len(faults) != 1 {
			t.Fatalf("%+v for %+v: %q", wrong, head, faults)
		}
		i := rapid.IntRange(0, len(entries)-1).Draw(t, "from")
		entries[i].Source = "another"
		for n := i; n < len(entries); n++ {
			if n > i {
				entries[n].PreviousHash = entries[n-1].Hash
			}
			entries[n].Hash = entries[n].Sum()
		}
		if faults := consent.Check(entries, head); len(faults) != 1 || !accuses(faults, "ledger "+head.Ledger) {
			t.Fatalf("written anew: %q", faults)
		}
	})
}

func TestDecisionName(t *testing.T) {
	for d, name := range map[insight.ConsentDecision]string{insight.ConsentGranted: "GRANTED", insight.ConsentDenied: "DENIED", insight.ConsentWithdrawn: "WITHDRAWN", 0: ""} {
		if got := consent.DecisionName(d); got != name {
			t.Errorf("%d is %q", d, got)
		}
	}
}
