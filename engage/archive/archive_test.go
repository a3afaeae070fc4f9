package archive_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/acquaint/acquaint/engage/archive"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/insight/experience"
	"github.com/acquaint/acquaint/insight/receipt"
	"github.com/acquaint/acquaint/insight/segment"
)

var update = flag.Bool("update", false, "write the files of testdata anew")

// order is that of the files.
var order = []string{
	"README.md", "individual.json", "identifiers.json", "identifiers.csv", "links.json", "links.csv", "traits.json", "traits.csv",
	"sessions.json", "sessions.csv", "interactions.json", "interactions.csv", "consents.json", "consents.csv",
	"memberships.json", "memberships.csv", "offers.json", "offers.csv", "access.json", "access.csv", "requests.json", "requests.csv", "purposes.json", "receipt.json",
}

func TestWholeArchive(t *testing.T) {
	files, m := written(t, ann())
	if diff := cmp.Diff(order, names(m)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	for name, text := range files {
		if name == "README.md" || name == "receipt.json" { // they have tests of their own
			continue
		}
		got := strings.ReplaceAll(string(text), "\r", "␍") // which git leaves alone, and readers see
		if *update {
			if err := os.WriteFile("testdata/"+name, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// What CSV says is what JSON says, cell by cell, once the apostrophes are taken away.
func TestCSVSaysWhatJSONSays(t *testing.T) {
	files, m := written(t, ann())
	pairs := 0
	for name, text := range files {
		base, is := strings.CutSuffix(name, ".csv")
		if !is {
			continue
		}
		pairs++
		table, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		document := files[base+".json"]
		if base == "consents" {
			var ledgers struct{ Records json.RawMessage }
			decode(t, document, &ledgers)
			document = ledgers.Records
		}
		var objects []map[string]json.RawMessage
		decode(t, document, &objects)
		if len(objects) == 0 || len(objects) != len(table)-1 {
			t.Fatalf("%s has %d rows, and its JSON %d", name, len(table)-1, len(objects))
		}
		for _, f := range m.Files {
			if (f.Name == name || f.Name == base+".json") && f.Rows != len(objects) {
				t.Errorf("the manifest counts %d rows of %s, which has %d", f.Rows, f.Name, len(objects))
			}
		}
		for i, o := range objects {
			for j, column := range table[0] {
				said := string(o[column])
				if _, is := o[column]; !is && base != "consents" {
					t.Errorf("row %d of %s.json has no %s", i, base, column)
				}
				var s string
				if json.Unmarshal(o[column], &s) == nil && (base != "traits" || column != "value") && (base != "consents" || column != "evidence") {
					said = s
				}
				if said == "null" && (base != "traits" || column != "value") {
					said = ""
				}
				cell := strings.TrimPrefix(table[i+1][j], "'")
				if cell != strings.ReplaceAll(said, "\r\n", "\n") { // as encoding/csv reads
					t.Errorf("row %d of %s: %s is %q in CSV and %q in JSON", i, base, column, cell, said)
				}
				delete(o, column)
			}
			if len(o) > 0 {
				t.Errorf("row %d of %s.json says more than CSV: %v", i, base, o)
			}
		}
	}
	if pairs != 10 {
		t.Errorf("%d files are CSV", pairs)
	}
}

func TestReceipt(t *testing.T) {
	files, m := written(t, ann())
	verdict, err := receipt.Verify(files["receipt.json"], key.ID())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(files["receipt.json"], m.Signed) {
		t.Error("the manifest has another receipt")
	}
	rows := map[string]int{}
	for _, table := range verdict.Receipt.Tables {
		if table.Action != receipt.ActionExported {
			t.Errorf("%s: %s", table.Table, table.Action)
		}
		rows[table.Table] = table.Rows
		for note := range strings.SplitSeq(table.Note, "; ") {
			name, said, _ := strings.Cut(strings.TrimPrefix(note, "SHA-256 of "), ": ")
			sum := sha256.Sum256(files[name])
			if said != hex.EncodeToString(sum[:]) {
				t.Errorf("the receipt says of %s: %s", name, said)
			}
		}
	}
	want := map[string]int{
		"individuals": 1, "identifiers": 3, "links": 3, "traits": 3, "sessions": 1, "interactions": 3, "consents": 3,
		"memberships": 2, "decisions": 2, "access_entries": 1, "requests": 2, "purposes": 3,
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	r := verdict.Receipt
	got := []string{r.ID, string(r.Kind), r.Issuer, r.Individual, r.RequestedBy, r.IssuedAt.Format(time.RFC3339Nano)}
	if diff := cmp.Diff([]string{insight.FormatID("req", uuid.UUID{9}), "ACCESS", "Example Ltd", insight.FormatID("ind", annID), "support", "2026-05-02T09:30:00.123456Z"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(r.Ledger) != 2 {
		t.Errorf("it tells of %d ledgers", len(r.Ledger))
	}
	if size := slices.IndexFunc(m.Files, func(f archive.File) bool { return f.Name == "traits.csv" && f.Size == int64(len(files["traits.csv"])) }); size < 0 {
		t.Error("the manifest has another size of traits.csv")
	}
}

func TestLedgersAreIntact(t *testing.T) {
	files, _ := written(t, ann())
	faults, err := receipt.VerifyLedger(files["consents.json"])
	if err != nil || len(faults) > 0 {
		t.Fatal(err, faults)
	}
	changed := bytes.Replace(files["consents.json"], []byte(`"WITHDRAWN"`), []byte(`"GRANTED"`), 1)
	if faults, err = receipt.VerifyLedger(changed); err != nil || len(faults) == 0 {
		t.Error("a record that was changed passes", err)
	}
}

// One of whom nothing is held but that they exist has an archive too.
func TestEmptyArchive(t *testing.T) {
	files, m := written(t, &fake{individual: &insight.Individual{ID: annID}})
	if diff := cmp.Diff(order, names(m)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	for name, text := range files {
		switch {
		case name == "README.md" || name == "individual.json" || name == "receipt.json":
		case name == "consents.json":
			if faults, err := receipt.VerifyLedger(text); err != nil || len(faults) > 0 {
				t.Error(err, faults)
			}
		case strings.HasSuffix(name, ".json"):
			if string(text) != "[]\n" {
				t.Errorf("%s is %q", name, text)
			}
		default:
			if bytes.Count(text, []byte("\r\n")) != 1 {
				t.Errorf("%s is %q", name, text)
			}
		}
	}
}

// The same view gives the same archive to the byte.
func TestSameTwice(t *testing.T) {
	var a, b bytes.Buffer
	for _, w := range []*bytes.Buffer{&a, &b} {
		if _, err := archive.Write(t.Context(), w, ann(), options()); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("the archives differ")
	}
}

func TestStatesAreOfNow(t *testing.T) {
	status := func(at time.Time) string {
		o := options()
		o.Now = at
		var individual struct {
			Purposes []struct{ Key, Status string }
		}
		files, _ := writtenWith(t, ann(), o)
		decode(t, files["individual.json"], &individual)
		return individual.Purposes[2].Status
	}
	for _, test := range []struct {
		after time.Duration // after she consented
		want  string
	}{{-time.Second, "UNKNOWN"}, {0, "GRANTED"}, {time.Hour, "WITHDRAWN"}} {
		if got := status(day.Add(test.after)); got != test.want {
			t.Errorf("%v after consent she stands as %s, want %s", test.after, got, test.want)
		}
	}
}

// Whatever the source's method that fails, its error is what comes back, and what was
// written is no zip.
func TestErrorsOfTheSource(t *testing.T) {
	broken := errors.New("the source is broken")
	for _, method := range []string{
		"individual", "purposes", "identifiers", "links", "traits", "sessions", "interactions", "decisions", "heads", "access", "requests",
	} {
		for _, call := range []int{1, 2} {
			if call == 2 && slices.Contains([]string{"individual", "purposes", "heads"}, method) {
				continue // they are asked once
			}
			s := ann()
			s.fail = func(asked string, n int) error {
				if asked == method && n == call {
					return broken
				}
				return nil
			}
			_ = aborted(t, fmt.Sprintf("call %d of %s", call, method), s, options(), broken)
		}
	}
}

func TestErrorOfTheSignature(t *testing.T) {
	broken := errors.New("no key")
	o := options()
	o.Sign = func(receipt.Receipt) (json.RawMessage, error) { return nil, broken }
	_ = aborted(t, "signing", ann(), o, broken)
}

// A writer that fails at any place fails the archive with its error.
func TestErrorsOfTheWriter(t *testing.T) {
	var whole bytes.Buffer
	if _, err := archive.Write(t.Context(), &whole, ann(), options()); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("the disk is full")
	for n := 0; n < whole.Len(); n += 97 {
		w := &limited{left: n, err: broken}
		if _, err := archive.Write(t.Context(), w, ann(), options()); !errors.Is(err, broken) {
			t.Fatalf("after %d bytes: %v", n, err)
		}
	}
}

func TestContextEnds(t *testing.T) {
	s := ann()
	ctx, cancel := context.WithCancel(t.Context())
	s.fail = func(asked string, n int) error {
		if asked == "interactions" && n == 2 {
			cancel()
		}
		return nil
	}
	var b bytes.Buffer
	m, err := archive.Write(ctx, &b, s, options())
	if !errors.Is(err, context.Canceled) || len(m.Files) > 0 {
		t.Error(err)
	}
	if s.calls["access"] > 0 {
		t.Error("it went on")
	}
	noZip(t, "cancelled", b.Bytes())
}

// A source that forgets what yield returned does not make an archive seem whole.
func TestForgetfulSource(t *testing.T) {
	s := ann()
	s.forgets = true
	s.traits[0].Confidence = nan
	_ = aborted(t, "a source that forgets", s, options(), nil)
}

func TestRefusesRows(t *testing.T) {
	other := uuid.UUID{77}
	for name, spoil := range map[string]func(*fake){
		"another's identifier":  func(s *fake) { s.identifiers[1].IndividualID = other },
		"another's session":     func(s *fake) { s.sessions[0].IndividualID = other },
		"another's interaction": func(s *fake) { s.interactions[2].IndividualID = other },
		"another's decision":    func(s *fake) { s.decisions[0].IndividualID = other },
		"another's link":        func(s *fake) { s.links[0].A.IndividualID, s.links[0].B.IndividualID = other, other },
		"no JSON":               func(s *fake) { s.interactions[0].Properties = json.RawMessage(`{"a":`) },
		"no number":             func(s *fake) { s.interactions[0].Value = &nan },
		"no kind":               func(s *fake) { s.identifiers[0].Kind = 99 },
		"one row fewer":         func(s *fake) { s.loses = "traits" },
		"one decision fewer":    func(s *fake) { s.loses = "decisions" },
	} {
		s := ann()
		spoil(s)
		err := aborted(t, name, s, options(), nil)
		if insight.KindOf(err) != insight.Internal {
			t.Errorf("%s: it is of kind %s", name, insight.KindOf(err))
		}
	}
}

// Whom an end of a link belongs to now is not told when it is somebody else.
func TestOthersAreLeftOut(t *testing.T) {
	s := ann()
	files, _ := written(t, s)
	for name, text := range files {
		if bytes.Contains(text, []byte("bob@example.com")) {
			t.Errorf("%s tells of Bob", name)
		}
	}
	if s.links[2].B.Value != "bob@example.com" {
		t.Error("the source's own was changed")
	}
}

func TestOptions(t *testing.T) {
	for name, spoil := range map[string]func(*archive.Options){
		"now":     func(o *archive.Options) { o.Now = time.Time{} },
		"request": func(o *archive.Options) { o.Request = uuid.Nil },
		"kind":    func(o *archive.Options) { o.Kind = insight.RequestErasure },
		"sign":    func(o *archive.Options) { o.Sign = nil },
		"year":    func(o *archive.Options) { o.Now = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		o := options()
		spoil(&o)
		var b bytes.Buffer
		if _, err := archive.Write(t.Context(), &b, ann(), o); insight.KindOf(err) != insight.Invalid || b.Len() > 0 {
			t.Errorf("%s: %v, and %d bytes", name, err, b.Len())
		}
	}
}

func written(t *testing.T, s archive.Source) (map[string][]byte, archive.Manifest) {
	t.Helper()
	return writtenWith(t, s, options())
}

func writtenWith(t *testing.T, s archive.Source, o archive.Options) (map[string][]byte, archive.Manifest) {
	t.Helper()
	var b bytes.Buffer
	m, err := archive.Write(t.Context(), &b, s, o)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for i, f := range z.File {
		if f.Name != m.Files[i].Name {
			t.Errorf("file %d is %s, and in the manifest %s", i, f.Name, m.Files[i].Name)
		}
		if !f.Modified.Equal(o.Now.Truncate(time.Second)) || f.Mode() != 0o600 {
			t.Errorf("%s is of %v with mode %v", f.Name, f.Modified, f.Mode())
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return files, m
}

func names(m archive.Manifest) []string {
	var all []string
	for _, f := range m.Files {
		all = append(all, f.Name)
	}
	return all
}

// aborted checks that an archive ends with an error, want where there is one.
func aborted(t *testing.T, name string, s archive.Source, o archive.Options, want error) error {
	t.Helper()
	var b bytes.Buffer
	m, err := archive.Write(t.Context(), &b, s, o)
	if err == nil || want != nil && !errors.Is(err, want) || len(m.Files) > 0 {
		t.Errorf("%s: %v, with %d files", name, err, len(m.Files))
	}
	noZip(t, name, b.Bytes())
	return err
}

func noZip(t *testing.T, name string, text []byte) {
	t.Helper()
	if _, err := zip.NewReader(bytes.NewReader(text), int64(len(text))); err == nil {
		t.Errorf("%s: what was written is a zip", name)
	}
}

func decode(t *testing.T, text []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

// limited fails once so many bytes are written.
type limited struct {
	left int
	err  error
}

func (w *limited) Write(p []byte) (int, error) {
	if len(p) > w.left {
		return 0, w.err
	}
	w.left -= len(p)
	return len(p), nil
}

var (
	day   = time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)
	annID = uuid.MustParse("0190a5e4-4d5b-7c3a-9b1e-2f6d8a7c5e10")
	key   = func() receipt.Key {
		k, err := receipt.NewKey(bytes.Repeat([]byte{1}, 32))
		if err != nil {
			panic(err)
		}
		return k
	}()
)

func options() archive.Options {
	return archive.Options{
		Now: time.Date(2026, 5, 2, 9, 30, 0, 123456789, time.UTC), Request: uuid.UUID{9}, Kind: insight.RequestAccess,
		RequestedBy: "support", Controller: "Example Ltd", Sign: key.Sign,
	}
}

// ann is somebody of whom everything is held that can be.
func ann() *fake {
	purposes := insight.DefaultPurposes()[:1]
	purposes = append(purposes, insight.DefaultPurposes()[1], insight.DefaultPurposes()[3])
	s := &fake{individual: &insight.Individual{ID: annID, FirstSeenAt: day, LastSeenAt: day.Add(90 * time.Minute), Identified: true}}
	for i := range purposes {
		p := purposes[i]
		p.ID = uuid.UUID{100, 15: byte(i)}
		s.purposes = append(s.purposes, &p)
	}
	marketing := s.purposes[2]
	marketing.Retention = insight.Year
	marketing.Versions = []insight.PurposeVersion{{At: day.Add(-insight.Day), LegalBasis: insight.BasisConsent, Retroactive: true}, {At: day.Add(-time.Hour), LegalBasis: insight.BasisConsent}}

	web := &insight.Channel{ID: uuid.UUID{1}, Key: "web", Name: "Web, und \"mehr\"", Kind: insight.WebChannel}
	mail := &insight.Channel{ID: uuid.UUID{2}, Key: "email", Name: "E-Mail", Kind: insight.EmailChannel}
	shop := &insight.Source{ID: uuid.UUID{3}, Name: "shop"}
	user, phone, browser := uuid.UUID{11}, uuid.UUID{12}, uuid.UUID{13}
	identifier := func(key uuid.UUID, kind insight.IdentifierKind, value string) *insight.Identifier {
		return &insight.Identifier{
			Identity: insight.Identity{Kind: kind, Value: value}, Key: key, Origin: annID, IndividualID: annID, FirstSeenAt: day, LastSeenAt: day.Add(time.Hour),
		}
	}
	s.identifiers = []*insight.Identifier{
		identifier(user, insight.UserID, "=HYPERLINK(\"http://example.com\")"), identifier(phone, insight.Phone, "+4917612345678"), identifier(browser, insight.AnonymousID, "'t Gooi"),
	}
	bob := identifier(uuid.UUID{14}, insight.Email, "bob@example.com")
	bob.IndividualID, bob.Shared = uuid.UUID{99}, true
	link := func(id byte, a, b *insight.Identifier) *insight.Evidence {
		return &insight.Evidence{
			Link: insight.Link{ID: uuid.UUID{20, 15: id}, A: a.Identity, B: b.Identity, AKey: a.Key, BKey: b.Key, Source: "shop", MessageID: "m-1", ObservedAt: day}, A: *a, B: *b,
		}
	}
	s.links = []*insight.Evidence{link(1, s.identifiers[0], s.identifiers[1]), link(2, s.identifiers[0], s.identifiers[2]), link(3, s.identifiers[0], bob)}
	s.links[1].Operator, s.links[1].MessageID, s.links[1].Source, s.links[1].Reason = true, "", "api", "she rang,\r\nand said so"
	s.links[2].RevokedAt, s.links[2].Reason = day.Add(time.Hour), "-1+1"

	s.traits = []insight.Trait{
		{Key: "name", Value: json.RawMessage(`"=Ann <é>"`), Provenance: insight.Declared, Confidence: 1, Sensitivity: insight.Ordinary, Source: "shop", ObservedAt: day},
		{Key: "name", Value: json.RawMessage(`null`), Provenance: insight.Observed, Confidence: 0.5, Sensitivity: insight.Ordinary, Source: "crm", ObservedAt: day},
		{Key: "score", Value: json.RawMessage("{ \"a\": -1,\n\t\"b\": [1.50, \"x\\\"y\"] }"), Provenance: insight.Inferred, Confidence: 1e-9, Sensitivity: insight.Sensitive, Source: "model", ObservedAt: day.Add(time.Microsecond)},
	}
	minus, large := -12.5, 1e21
	s.interactions = []*insight.Interaction{
		{
			ID: uuid.UUID{30, 15: 1}, IndividualID: annID, Owner: user, Stream: browser, Channel: web, Source: shop, MessageID: "m-2", Type: "page", Direction: insight.Inbound,
			OccurredAt: day, ReceivedAt: day.Add(time.Second), Campaign: insight.Campaign{Name: "spring & \"more\"", Source: "news"},
			Properties: json.RawMessage(`{"path":"/a,b","title":"\u003cb\u003e"}`),
		},
		{
			ID: uuid.UUID{30, 15: 2}, IndividualID: annID, Owner: user, Stream: browser, Channel: web, Source: shop, MessageID: "m-3", Type: "Order\nRefunded", Direction: insight.Inbound,
			OccurredAt: day.Add(time.Minute + 250*time.Millisecond), ReceivedAt: day.Add(time.Minute + time.Second), Value: &minus, Currency: "EUR",
		},
		{
			ID: uuid.UUID{30, 15: 3}, IndividualID: annID, Owner: user, Stream: user, Channel: mail, Source: shop, MessageID: "@m", Type: "email sent", Direction: insight.Outbound,
			OccurredAt: day.Add(90 * time.Minute).In(time.FixedZone("", 7200)), ReceivedAt: day.Add(90 * time.Minute), Value: &large,
		},
	}
	s.permitted = []insight.Set{s.purposes[0].Set() | s.purposes[1].Set(), s.purposes[0].Set() | s.purposes[1].Set() | marketing.Set() | 1<<60, 0}
	s.sessions = []*insight.Session{{
		ID: s.interactions[0].ID, IndividualID: annID, Stream: browser, Source: shop, EntryChannel: web, StartedAt: day, EndedAt: s.interactions[1].OccurredAt,
		Interactions: 2, Engaged: true, Campaign: s.interactions[0].Campaign,
	}}

	decide := func(id byte, owner uuid.UUID, decision insight.ConsentDecision, after time.Duration) *insight.Consent {
		return &insight.Consent{
			ID: uuid.UUID{40, 15: id}, IndividualID: annID, Owner: owner, Purpose: marketing, Decision: decision, EffectiveAt: day.Add(after), RecordedAt: day.Add(after + time.Second),
			Source: "shop", Method: insight.MethodBanner,
		}
	}
	yes, no, refused := decide(1, user, insight.ConsentGranted, 0), decide(2, user, insight.ConsentWithdrawn, time.Hour), decide(3, browser, insight.ConsentDenied, -insight.Day)
	yes.ExpiresAt, yes.PolicyVersion, yes.Jurisdiction, yes.Covers = day.Add(insight.Month), "2026-01", "DE", []uuid.UUID{phone, browser}
	yes.Evidence = json.RawMessage(`{"button":"accept <all>","shown":1.50}`)
	no.Evidence = json.RawMessage(`"by mail"`)
	refused.Purpose = s.purposes[1]
	consent.Seal(yes, 1, "")
	consent.Seal(no, 2, yes.Hash)
	consent.Seal(refused, 1, "")
	s.decisions = []*insight.Consent{yes, no, refused}
	for _, last := range s.decisions[1:] {
		e := consent.EntryOf(last)
		s.heads = append(s.heads, consent.Head{Ledger: e.Ledger, Length: e.Sequence, Last: e.ID, Hash: e.Hash})
	}
	atLeast := 1
	loyal := &segment.Segment{Name: "Loyal, \"very\"", Description: "-those who return", Definition: segment.Definition{
		Key: "loyal", Purpose: marketing, Rule: &segment.Rule{Event: &segment.Event{Event: insight.Selector{Types: []string{"page"}}, AtLeast: &atLeast}},
	}}
	s.memberships = []segment.Belonging{
		{Membership: &segment.Membership{ID: uuid.UUID{60}, IndividualID: annID, EnteredAt: day, ExitedAt: day.Add(time.Hour)}, Segment: loyal},
		{Membership: &segment.Membership{ID: uuid.UUID{61}, IndividualID: annID, EnteredAt: day.Add(2 * time.Hour)}, Segment: loyal},
	}
	tips := &experience.Experience{Key: "tips", Name: "=Tips", Purpose: marketing}
	s.assignments = []experience.Assigned{
		{Earlier: experience.Earlier{Holdout: true, At: day}, ID: uuid.UUID{70}, IndividualID: annID, Experience: tips},
		{Earlier: experience.Earlier{Variant: "hello", At: day.Add(time.Hour)}, ID: uuid.UUID{71}, IndividualID: annID, Experience: tips},
	}
	s.access = []*insight.AccessEntry{{ID: uuid.UUID{50}, Subject: "bi", Purpose: s.purposes[1], Operation: "query", At: day.Add(3 * time.Minute)}}
	s.requests = []*insight.Request{
		{ID: uuid.UUID{9}, IndividualID: annID, Kind: insight.RequestAccess, RequestedBy: "support", RequestedAt: day.Add(insight.Day)},
		{ID: uuid.UUID{8}, IndividualID: uuid.UUID{98}, Kind: insight.RequestRectification, RequestedBy: "support", RequestedAt: day, CompletedAt: day.Add(time.Second), Digest: strings.Repeat("ab", 32)},
	}
	return s
}

// fake is a source in memory.
type fake struct {
	individual   *insight.Individual
	purposes     []*insight.Purpose
	identifiers  []*insight.Identifier
	links        []*insight.Evidence
	traits       []insight.Trait
	sessions     []*insight.Session
	interactions []*insight.Interaction
	permitted    []insight.Set
	decisions    []*insight.Consent
	heads        []consent.Head
	memberships  []segment.Belonging
	assignments  []experience.Assigned
	access       []*insight.AccessEntry
	requests     []*insight.Request

	calls   map[string]int
	fail    func(asked string, call int) error
	forgets bool   // what yield returned
	loses   string // whose last row is missing when it is asked for the last time
}

func (s *fake) asked(what string) error {
	if s.calls == nil {
		s.calls = map[string]int{}
	}
	s.calls[what]++
	if s.fail == nil {
		return nil
	}
	return s.fail(what, s.calls[what])
}

func each[T any](s *fake, what string, all []T, yield func(T) error) error {
	err := s.asked(what)
	last := map[string]int{"traits": 2, "decisions": 3}[what]
	if s.loses == what && s.calls[what] == last {
		all = all[:len(all)-1]
	}
	for i, one := range all {
		if i == len(all)-1 && err != nil {
			return err // not at once, but in the midst of its rows
		}
		if err := yield(one); err != nil && !s.forgets {
			return err
		}
	}
	return err
}

func (s *fake) Individual(context.Context) (*insight.Individual, error) {
	return s.individual, s.asked("individual")
}
func (s *fake) Purposes(context.Context) ([]*insight.Purpose, error) {
	return s.purposes, s.asked("purposes")
}
func (s *fake) Heads(context.Context) ([]consent.Head, error) { return s.heads, s.asked("heads") }
func (s *fake) Identifiers(_ context.Context, yield func(*insight.Identifier) error) error {
	return each(s, "identifiers", s.identifiers, yield)
}
func (s *fake) Links(_ context.Context, yield func(*insight.Evidence) error) error {
	return each(s, "links", s.links, yield)
}
func (s *fake) Traits(_ context.Context, yield func(insight.Trait) error) error {
	return each(s, "traits", s.traits, yield)
}
func (s *fake) Sessions(_ context.Context, yield func(*insight.Session) error) error {
	return each(s, "sessions", s.sessions, yield)
}
func (s *fake) Interactions(_ context.Context, yield func(*insight.Interaction, insight.Set) error) error {
	n := -1
	return each(s, "interactions", s.interactions, func(x *insight.Interaction) error {
		n++
		return yield(x, s.permitted[n])
	})
}
func (s *fake) Decisions(_ context.Context, yield func(*insight.Consent) error) error {
	return each(s, "decisions", s.decisions, yield)
}
func (s *fake) Memberships(_ context.Context, yield func(segment.Belonging) error) error {
	return each(s, "memberships", s.memberships, yield)
}
func (s *fake) Assignments(_ context.Context, yield func(experience.Assigned) error) error {
	return each(s, "assignments", s.assignments, yield)
}
func (s *fake) Access(_ context.Context, yield func(*insight.AccessEntry) error) error {
	return each(s, "access", s.access, yield)
}
func (s *fake) Requests(_ context.Context, yield func(*insight.Request) error) error {
	return each(s, "requests", s.requests, yield)
}
