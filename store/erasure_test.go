package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/receipt"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// tables are all that the catalogue knows of, so that one that is new is searched too.
func tables(t testing.TB, s *store.Store) []string {
	t.Helper()
	text := "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
	if s.Engine() != "sqlite" {
		text = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY table_name"
	}
	var names []string
	query(t, s, text, func(c []string) { names = append(names, c[0]) })
	if len(names) < 15 {
		t.Fatalf("there are few tables: %v", names)
	}
	return names
}

// mentions counts, table by table, the rows that hold one of some texts in any column.
func mentions(t testing.TB, s *store.Store, texts []string) map[string]int {
	t.Helper()
	found := map[string]int{}
	for _, table := range tables(t, s) {
		query(t, s, "SELECT * FROM "+table, func(c []string) {
			row := strings.Join(c, "\x00")
			if slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(row, text) }) {
				found[table]++
			}
		})
	}
	return found
}

// keysOf are the keys of some identities, and of no others.
func keysOf(t testing.TB, s *store.Store, who ...insight.Identity) []string {
	t.Helper()
	var keys []string
	query(t, s, "SELECT id, kind, value FROM identifiers", func(c []string) {
		if slices.ContainsFunc(who, func(i insight.Identity) bool { return c[1] == strconv.Itoa(int(i.Kind)) && c[2] == i.Value }) {
			keys = append(keys, c[0])
		}
	})
	return keys
}

// traces are the texts that tell of an individual, as far as the database knows: every
// value, and every id of theirs and of what is theirs alone.
func traces(t testing.TB, s *store.Store, id uuid.UUID) []string {
	t.Helper()
	texts := []string{id.String(), insight.FormatID(insight.IndividualPrefix, id)}
	for _, text := range []string{
		"SELECT id, origin, value FROM identifiers", "SELECT id, message_id FROM interactions", "SELECT id FROM sessions",
		"SELECT id FROM traits", "SELECT id FROM consents", "SELECT id, last, hash FROM ledgers",
	} {
		query(t, s, text+" WHERE individual_id = '"+id.String()+"'", func(c []string) { texts = append(texts, c...) })
	}
	query(t, s, "SELECT id FROM identity_links WHERE a IN (SELECT id FROM identifiers WHERE individual_id = '"+id.String()+"') OR b IN (SELECT id FROM identifiers WHERE individual_id = '"+id.String()+"')",
		func(c []string) { texts = append(texts, c...) })
	return texts
}

// saying makes events of the API's source, a minute apart.
type saying struct {
	t   testing.TB
	s   *store.Store
	api *insight.Source
	n   int
}

func sayer(t testing.TB, s *store.Store) *saying {
	t.Helper()
	return &saying{t: t, s: s, api: must(s.Source(context.Background(), store.APISource))}
}

// event is of some identities, strongest first; its session runs along the browser,
// else the device, else the strongest, as those of every way in do.
func (y *saying) event(message string, who ...insight.Identity) *insight.Event {
	y.n++
	at := epoch.Add(minutes(y.n))
	return &insight.Event{
		MessageID: message, Timestamp: at, OccurredAt: at, ReceivedAt: at, Source: y.api, Channel: y.api.DefaultChannel,
		Type: "page", Direction: insight.Inbound, Identities: who, Stream: streamOf(who),
	}
}

func streamOf(who []insight.Identity) insight.Identity {
	for _, kind := range []insight.IdentifierKind{insight.AnonymousID, insight.DeviceID} {
		if n := slices.IndexFunc(who, func(i insight.Identity) bool { return i.Kind == kind }); n >= 0 {
			return who[n]
		}
	}
	return who[0]
}

func (y *saying) keep(events ...*insight.Event) {
	y.t.Helper()
	for n, o := range must(y.s.Append(context.Background(), events)) {
		if o.Status != insight.StatusAccepted {
			y.t.Fatalf("event %d: %+v", n, o)
		}
	}
}

func (y *saying) sound() {
	y.t.Helper()
	if v := must(y.s.Verify(context.Background(), nil)); v.Total > 0 {
		y.t.Fatalf("a recompute differs: %s", strings.Join(v.Differences, "\n"))
	}
}

func (y *saying) reader(purpose string, a *store.Access) *store.Reader {
	y.t.Helper()
	return must(y.s.Reader(context.Background(), &insight.Viewer{Subject: "clerk", Scopes: []insight.Scope{insight.ScopeIndividualsRead}, Purposes: []string{purpose}}, a))
}

func (y *saying) decides(who insight.Identity, claims ...insight.Claim) *store.Recorded {
	y.t.Helper()
	return must(y.s.RecordConsents(context.Background(), store.Lookup{Identity: who}, claims))
}

func (y *saying) claim(purpose string, d insight.ConsentDecision) insight.Claim {
	y.t.Helper()
	return insight.Claim{Purpose: must(y.s.Purpose(context.Background(), purpose)), Decision: d, Method: insight.MethodBanner, Source: "desk"}
}

func (y *saying) erase(who insight.Identity, suppress bool) receipt.Receipt {
	y.t.Helper()
	_, signed, err := y.s.Erase(context.Background(), store.Lookup{Identity: who}, store.ErasureTerms{Asked: store.Asked{By: "clerk", Reason: "asked for it"}, Suppress: suppress})
	if err != nil {
		y.t.Fatal(insight.Detail(err))
	}
	return must(receipt.Verify(signed, y.s.ReceiptKey().Public())).Receipt
}

func id(kind insight.IdentifierKind, value string) insight.Identity {
	return insight.Identity{Kind: kind, Value: value}
}

// target is somebody with everything, who had to do with others in every way, and
// what else is told of them.
var target = struct {
	user, old, email, phone, card, device, browser, tablet insight.Identity
	friend, mail, other, kiosk                             insight.Identity
	texts                                                  []string
}{
	user: id(insight.UserID, "target-user"), old: id(insight.UserID, "target-old"), email: id(insight.Email, "target@erase.example"), phone: id(insight.Phone, "+49301234567"),
	card: id(insight.External, "crm:target-77"), device: id(insight.DeviceID, "target-device"), browser: id(insight.AnonymousID, "target-browser"), tablet: id(insight.DeviceID, "target-tablet"),
	friend: id(insight.UserID, "friend"), mail: id(insight.Email, "friend@stay.example"), other: id(insight.UserID, "other"), kiosk: id(insight.DeviceID, "kiosk"),
	texts: []string{"target-trait", "target-property", "target-campaign", "target-evidence", "target-reason", "target-policy"},
}

// knowTarget writes the target's life, and returns all the texts that tell of it.
func knowTarget(y *saying) []string {
	t, s := y.t, y.s
	t.Helper()
	ctx := context.Background()
	full := y.event("target-m1", target.user, target.email, target.phone, target.card, target.device, target.browser)
	full.Properties, full.Campaign = json.RawMessage(`{"note":"target-property"}`), insight.Campaign{Name: "target-campaign"}
	full.Traits = []insight.Observation{{Key: "target-trait", Value: json.RawMessage(`{"deep":["target-trait"]}`), Provenance: insight.Declared, Confidence: 1, Sensitivity: insight.Ordinary}}
	full.Signals = &insight.Signals{Categories: map[string]bool{"Marketing": true, "target-evidence": true}}
	y.keep(full, y.event("target-m2", target.old), y.event("target-m3", target.browser), y.event("friend-m1", target.friend, target.mail), y.event("other-m1", target.other))
	// A device that both use, and one that was the friend's by a mistake that was put right.
	y.keep(y.event("target-m4", target.user, target.kiosk), y.event("friend-m2", target.friend, target.kiosk), y.event("friend-m3", target.friend, target.tablet))
	if _, err := s.Unmerge(ctx, linksBetween(t, s, target.friend, target.tablet), "it is not the friend's"); err != nil {
		t.Fatal(err)
	}
	y.keep(y.event("target-m5", target.user, target.tablet), y.event("target-m6", target.tablet))
	// The friend's mail was opened in the target's browser, which joins nobody.
	y.keep(y.event("friend-m4", target.mail, target.browser), y.event("friend-m5", target.friend, target.kiosk))
	for _, who := range []insight.Identity{target.user, target.old} {
		shown := store.NewAccess("query")
		if _, err := y.reader("service", shown).Find(ctx, store.Lookup{Identity: who}); err != nil {
			t.Fatal(err)
		}
		if err := s.Log(ctx, shown); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.RequestExport(ctx, must(s.Find(ctx, store.Lookup{Identity: who})), insight.RequestAccess, store.Asked{By: "clerk"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := s.Merge(ctx, store.Lookup{Identity: target.user}, store.Lookup{Identity: target.old}, "target-reason"); err != nil {
		t.Fatal(err)
	}
	said := y.claim("advertising", insight.ConsentDenied)
	said.Evidence, said.PolicyVersion = json.RawMessage(`{"form":"target-evidence"}`), "target-policy"
	y.decides(target.old, said)
	y.decides(target.friend, y.claim("advertising", insight.ConsentDenied))
	// Two who once were taken for one, with nothing decided meanwhile.
	_, link, err := s.Merge(ctx, store.Lookup{Identity: target.user}, store.Lookup{Identity: target.other}, "a target-reason that was wrong")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Unmerge(ctx, []uuid.UUID{link}, "target-reason was wrong"); err != nil {
		t.Fatal(err)
	}
	y.sound()
	who := must(s.Find(ctx, store.Lookup{Identity: target.user}))
	return append(traces(t, s, who), target.texts...)
}

// TestErasedEverywhere: of somebody with everything nothing is left in any table, the
// receipt counts what there was, and nothing of them is taken in again.
func TestErasedEverywhere(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		s := testdb.Open(t, o)
		y := sayer(t, s)
		texts := knowTarget(y)
		mine := []insight.Identity{target.user, target.old, target.email, target.phone, target.card, target.device, target.browser, target.tablet}
		keys := keysOf(t, s, mine...)
		if len(keys) != len(mine) {
			t.Fatalf("of %d identifiers %d are there", len(mine), len(keys))
		}
		before := mentions(t, s, append(texts, keys...))
		for _, table := range []string{"individuals", "identifiers", "identity_links", "traits", "sessions", "interactions", "consents", "ledgers", "access_entries", "requests"} {
			if before[table] == 0 {
				t.Errorf("before, nothing in %s tells of them: this test finds less than it should", table)
			}
		}
		counts := map[string]int{}
		who := must(s.Find(t.Context(), store.Lookup{Identity: target.user})).String()
		for _, table := range []string{"interactions", "sessions", "traits", "consents", "ledgers", "identifiers", "memberships", "decisions", "membership_changes"} {
			query(t, s, "SELECT count(*) FROM "+table+" WHERE individual_id = '"+who+"'", func(c []string) { counts[table], _ = strconv.Atoi(c[0]) })
		}
		inKeys := "('" + strings.Join(keys, "', '") + "')"
		query(t, s, "SELECT count(*) FROM identity_links WHERE a IN "+inKeys+" OR b IN "+inKeys, func(c []string) { counts["identity_links"], _ = strconv.Atoi(c[0]) })
		counts["individuals"], counts["access_entries"] = 1, 2
		heads := counts["ledgers"]

		done := y.erase(target.email, true)
		after := mentions(t, s, append(slices.Clone(texts), keys...))
		if want := map[string]int{"suppressions": len(mine)}; !cmp.Equal(after, want) {
			t.Errorf("what is left: %v, want %v", after, want)
		}
		texts = slices.DeleteFunc(texts, func(text string) bool { return slices.Contains(keys, text) })
		if left := mentions(t, s, texts); len(left) > 0 {
			t.Errorf("what is left but for keys: %v", left)
		}
		y.sound()
		if v := must(s.VerifyConsents(t.Context())); v.Total > 0 {
			t.Errorf("%+v", v)
		}
		told := map[string]int{}
		for _, one := range done.Tables {
			if _, twice := told[one.Table]; twice || one.Action != receipt.ActionDeleted {
				t.Errorf("the receipt says %+v", one)
			}
			told[one.Table] = one.Rows
		}
		if diff := cmp.Diff(counts, told); diff != "" {
			t.Errorf("what there was (-) and what the receipt says (+):\n%s", diff)
		}
		if done.Kind != receipt.KindErasure || done.Suppressed != len(mine) || len(done.Ledger) != heads || done.Residue == nil || done.Residue.Found != 0 || len(done.Residue.Scanned) < 10 || done.RequestedBy != "clerk" {
			t.Errorf("the receipt is %+v with %+v", done, done.Residue)
		}
		query(t, s, "SELECT individual_id, kind FROM requests WHERE kind = 'ERASURE'", func(c []string) {
			if c[0] != "<nil>" {
				t.Errorf("the request tells whose it was: %v", c)
			}
		})

		// Nothing of them comes back, by any of their names, whatever it is.
		var again []*insight.Event
		for n, one := range mine {
			again = append(again, y.event(fmt.Sprint("again", n), one), y.event(fmt.Sprint("beside", n), id(insight.UserID, "somebody"), id(insight.AnonymousID, "x")))
			last := again[len(again)-1]
			if one.Kind == insight.UserID {
				last.Identities = []insight.Identity{one, id(insight.AnonymousID, "x")}
			} else {
				last.Identities = []insight.Identity{id(insight.UserID, "somebody"), one}
			}
			statement := *y.event(fmt.Sprint("statement", n), one)
			statement.Statement, statement.Signals = true, &insight.Signals{GPC: true}
			again = append(again, &statement)
			if _, err := s.RecordConsents(t.Context(), store.Lookup{Identity: one}, []insight.Claim{y.claim("marketing", insight.ConsentDenied)}); insight.KindOf(err) != insight.Conflict {
				t.Errorf("a decision of theirs: %v", err)
			}
			if _, _, err := s.Erase(t.Context(), store.Lookup{Identity: one}, store.ErasureTerms{Asked: store.Asked{By: "clerk", Reason: "again"}}); insight.KindOf(err) != insight.NotFound {
				t.Errorf("a second time: %v", err)
			}
		}
		for n, o := range must(s.Append(t.Context(), again)) {
			if o.Status != insight.StatusWithheld {
				t.Errorf("event %d of somebody who is not to be known again: %+v", n, o)
			}
		}
		if left := mentions(t, s, append(texts, "somebody")); len(left) > 0 {
			t.Errorf("what came back: %v", left)
		}
		// The device that others use too was never theirs alone.
		y.keep(y.event("kiosk", target.friend, target.kiosk))
		y.sound()
	})
}

// TestErasedInOthersLedgers: a decision that two made while they were taken for one
// stands in the ledger of the one who stays, which is never changed. The receipt tells
// how many such records name a key of who is gone, and nothing else does.
func TestErasedInOthersLedgers(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		s := testdb.Open(t, o)
		y := sayer(t, s)
		y.keep(y.event("m1", target.friend), y.event("m2", target.user, target.browser))
		_, link, err := s.Merge(t.Context(), store.Lookup{Identity: target.friend}, store.Lookup{Identity: target.user}, "the same")
		if err != nil {
			t.Fatal(err)
		}
		y.decides(target.friend, y.claim("marketing", insight.ConsentGranted))
		y.decides(target.friend, y.claim("advertising", insight.ConsentDenied))
		must(s.Unmerge(t.Context(), []uuid.UUID{link}, "two after all"))
		keys, texts := keysOf(t, s, target.user, target.browser), traces(t, s, must(s.Find(t.Context(), store.Lookup{Identity: target.user})))
		done := y.erase(target.user, false)
		if left := mentions(t, s, keys); !cmp.Equal(left, map[string]int{"consents": 2}) || done.Residue.Found != 2 {
			t.Errorf("their keys are in %v; the receipt says %d", left, done.Residue.Found)
		}
		if left := mentions(t, s, slices.DeleteFunc(texts, func(text string) bool { return slices.Contains(keys, text) })); len(left) > 0 {
			t.Errorf("what else is left: %v", left)
		}
		if v := must(s.VerifyConsents(t.Context())); v.Total > 0 || v.Consents != 2 {
			t.Errorf("%+v", v)
		}
		y.sound()
	})
}

// TestErasedUnderWay: what is under way while somebody is erased leaves nothing: what
// was read of them before is not noted under an id that is nobody's any longer.
func TestErasedUnderWay(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		s := testdb.Open(t, o)
		y := sayer(t, s)
		y.keep(y.event("m1", target.user, target.browser), y.event("m2", target.friend))
		shown := store.NewAccess("query")
		r := y.reader("service", shown)
		who := must(r.Find(t.Context(), store.Lookup{Identity: target.user})).ID
		friend := must(r.Find(t.Context(), store.Lookup{Identity: target.friend})).ID
		y.erase(target.user, false)
		if err := s.Log(t.Context(), shown); err != nil {
			t.Fatal(err)
		}
		if left := mentions(t, s, []string{who.String()}); len(left) > 0 {
			t.Errorf("what is left: %v", left)
		}
		if n := must(r.CountAccess(t.Context(), []uuid.UUID{friend}))[friend]; n != 1 {
			t.Errorf("of who is still there %d entries were made", n)
		}
	})
}

// TestErasedWhileTheyAct: whoever is erased, with nothing to be taken in again, while
// events of theirs and of others come in, is gone.
func TestErasedWhileTheyAct(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		s := testdb.Open(t, o)
		y := sayer(t, s)
		y.keep(y.event("first", target.user, target.browser), y.event("friend", target.friend, target.kiosk))
		var batches [][]*insight.Event
		for n := range 90 {
			batches = append(batches, []*insight.Event{
				y.event(fmt.Sprint("theirs", n), target.user, target.browser), y.event(fmt.Sprint("browser", n), target.browser),
				y.event(fmt.Sprint("shared", n), target.user, target.kiosk), y.event(fmt.Sprint("friends", n), target.friend, target.kiosk),
			})
		}
		started := make(chan struct{}, len(batches))
		var writing errgroup.Group
		for n := range 3 {
			writing.Go(func() error {
				for m := n; m < len(batches); m += 3 {
					if _, err := s.Append(context.Background(), batches[m]); err != nil {
						return err
					}
					started <- struct{}{}
				}
				return nil
			})
		}
		for range 20 {
			<-started
		}
		y.erase(target.browser, true)
		if err := writing.Wait(); err != nil {
			t.Fatal(insight.Detail(err))
		}
		if left := mentions(t, s, []string{target.user.Value, target.browser.Value, "theirs", "shared1"}); len(left) > 0 {
			t.Errorf("what is left: %v", left)
		}
		y.sound()
		if v := must(s.Verify(t.Context(), nil)); v.Interactions != 91 {
			t.Errorf("of the friend's 91 there are %d", v.Interactions)
		}
	})
}

// checks runs rapid's checks less often than it would: each of them is a database.
func checks(t *testing.T, n int, check func(*rapid.T)) {
	t.Helper()
	asked := flag.Lookup("rapid.checks")
	usual := asked.Value.String()
	if usual == "100" { // nobody asked for another number
		if err := asked.Value.Set(strconv.Itoa(n)); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = asked.Value.Set(usual) }()
	}
	rapid.Check(t, check)
}

// TestErasedWasNever: whoever had to do with somebody who was erased is as if those
// had never been: as a store that was told everything but what they did, and nothing
// of their names.
func TestErasedWasNever(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		s := testdb.Open(t, o)
		compared := 0
		checks(t, 25, func(rt *rapid.T) {
			h := genHistory(rt, s)
			for _, e := range slices.Concat(h.before, h.after) {
				e.Stream = streamOf(e.Identities)
			}
			empty(t, s)
			lived(t, s, h)
			all := slices.Concat(h.before, h.after)
			gone := members(t, s, rapid.SampledFrom(rapid.SampledFrom(all).Draw(rt, "event").Identities).Draw(rt, "erased"))
			if operatorTouches(t, s, gone) {
				rt.Skip("an operator's judgement had to do with them")
			}
			_, _, err := s.Erase(t.Context(), store.Lookup{Identity: gone[0]}, store.ErasureTerms{Asked: store.Asked{By: "clerk", Reason: "asked"}})
			if err != nil {
				rt.Fatal(insight.Detail(err))
			}
			if v := must(s.Verify(t.Context(), nil)); v.Total > 0 {
				rt.Fatalf("a recompute differs: %s", strings.Join(v.Differences, "\n"))
			}
			// What they did told of others' identifiers that nobody else mentioned.
			mentioned := map[string]bool{}
			h.before, h.after = without(h.before, gone, mentioned), without(h.after, gone, mentioned)
			for _, d := range h.decisions {
				if !mentioned[spelt(d.a)] || !mentioned[spelt(d.b)] {
					rt.Skip("an operator judged of somebody whom nobody else mentioned")
				}
			}
			got := unseen(dump(t, s), mentioned)
			empty(t, s)
			if !lived(t, s, h) {
				rt.Skip("an operator judged of somebody before anybody else mentioned them")
			}
			want := unseen(dump(t, s), mentioned)
			if !slices.Equal(operatorLinks(got), operatorLinks(want)) {
				rt.Skip("an operator named somebody who stands for others without them")
			}
			compared++
			if diff := cmp.Diff(want, got); diff != "" {
				rt.Fatalf("as if %v had never been (-) and with them erased (+) differ:\n%s", gone, diff)
			}
		})
		if compared < 8 {
			t.Errorf("%d were compared, which says little", compared)
		}
	})
}

// members are those who are one individual with an identity.
func members(t testing.TB, s *store.Store, who insight.Identity) []insight.Identity {
	t.Helper()
	var all []insight.Identity
	id := must(s.Find(context.Background(), store.Lookup{Identity: who}))
	query(t, s, "SELECT kind, value FROM identifiers WHERE individual_id = '"+id.String()+"' ORDER BY kind, value", func(c []string) {
		kind, _ := strconv.Atoi(c[0])
		all = append(all, insight.Identity{Kind: insight.IdentifierKind(kind), Value: c[1]})
	})
	return all
}

func operatorTouches(t testing.TB, s *store.Store, who []insight.Identity) bool {
	t.Helper()
	keys := "('" + strings.Join(keysOf(t, s, who...), "', '") + "')"
	touches := false
	query(t, s, "SELECT id FROM identity_links WHERE operator AND (a IN "+keys+" OR b IN "+keys+")", func([]string) { touches = true })
	return touches
}

func spelt(i insight.Identity) string { return fmt.Sprintf("%d:%s", i.Kind, i.Value) }

// without are the events of others, without some names; mentioned notes the names that
// they have.
func without(events []*insight.Event, gone []insight.Identity, mentioned map[string]bool) []*insight.Event {
	var left []*insight.Event
	for _, e := range events {
		if slices.Contains(gone, e.Identities[0]) {
			continue
		}
		of := *e
		of.Identities = slices.DeleteFunc(slices.Clone(e.Identities), func(i insight.Identity) bool { return slices.Contains(gone, i) })
		of.Stream = streamOf(of.Identities)
		for _, i := range of.Identities {
			mentioned[spelt(i)] = true
		}
		left = append(left, &of)
	}
	return left
}

// operatorLinks are the lines of a dump that tell of operators' judgements.
func operatorLinks(lines []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(line string) bool {
		f := strings.Fields(line)
		return f[0] != "link" || f[3] != "1" && f[3] != "true"
	})
}

// lived has a history happen, in two batches, whose judgements may come before those
// whom they are about; it reports whether they did not.
func lived(t testing.TB, s *store.Store, h history) bool {
	t.Helper()
	must(s.Append(context.Background(), h.before))
	for _, d := range h.decisions {
		if len(keysOf(t, s, d.a, d.b)) < 2 {
			return false
		}
		decide(t, s, d)
	}
	must(s.Append(context.Background(), h.after))
	return true
}

// unseen is a dump without the moments at which somebody was merely mentioned, and
// without those whom nobody else mentioned.
func unseen(lines []string, mentioned map[string]bool) []string {
	var left []string
	for _, line := range lines {
		fields := strings.Fields(line)
		switch n := len(fields); {
		case fields[0] == "identifier" && mentioned[fields[1]]:
			fields = append(fields[:3:3], fields[5:]...)
		case fields[0] == "identifier":
			continue
		case fields[0] == "individual" && !strings.ContainsFunc(line, func(r rune) bool { return r == ' ' }):
			continue
		case fields[0] == "individual":
			name := strings.Fields(strings.Trim(line[strings.IndexByte(line, '{'):strings.IndexByte(line, '}')+1], "{}"))
			if len(name) == 1 && !mentioned[name[0]] {
				continue
			}
			if acted := fields[n-6]; acted != "true" && acted != "1" {
				fields = append(fields[:n-8:n-8], fields[n-6:]...)
			}
		}
		left = append(left, strings.Join(fields, " "))
	}
	return left
}

// TestErasedBytes: of somebody who is erased from an SQLite database there is not one
// byte left in its files, whatever its pages went through before.
func TestErasedBytes(t *testing.T) {
	o := testdb.SQLite(t)
	s := testdb.Open(t, o)
	y := sayer(t, s)
	r := rand.New(rand.NewPCG(7, 2))
	const people = 12
	var lives [people]int // how often each was erased
	// Every text of somebody's consists of their mark, so that any part of it shows.
	mark := func(p int) string { return fmt.Sprintf("=mark%02d.%02d=", p, lives[p]) }
	text := func(p, most int) string { return strings.Repeat(mark(p), r.IntN(most)/10) }
	erased := 0
	for step := range 27 {
		var events []*insight.Event
		for range 1 + r.IntN(40) {
			p := r.IntN(people)
			e := y.event(fmt.Sprint(mark(p), y.n), id(insight.UserID, mark(p)), id(insight.AnonymousID, fmt.Sprint(mark(p), r.IntN(5))))
			e.OccurredAt = epoch.Add(minutes(r.IntN(10_000)))
			e.Timestamp, e.ReceivedAt = e.OccurredAt, e.OccurredAt
			e.Campaign, e.Properties = insight.Campaign{Name: text(p, 900)}, fmt.Appendf(nil, `{"text":%q}`, text(p, []int{300, 900, 9000}[r.IntN(3)]))
			for range r.IntN(4) {
				e.Traits = append(e.Traits, insight.Observation{Key: fmt.Sprint("key", r.IntN(6)), Value: fmt.Appendf(nil, "%q", text(p, 900)), Provenance: insight.Declared, Confidence: 1, Sensitivity: insight.Ordinary})
			}
			if r.IntN(5) == 0 {
				e.Signals = &insight.Signals{Categories: map[string]bool{"Marketing": r.IntN(2) == 0}}
			}
			events = append(events, e)
		}
		y.keep(events...)
		p := r.IntN(people)
		who := id(insight.UserID, mark(p))
		if step%3 != 2 || len(keysOf(t, s, who)) == 0 {
			continue
		}
		texts := append(traces(t, s, must(s.Find(t.Context(), store.Lookup{Identity: who}))), mark(p))
		y.erase(who, false)
		if left := mentions(t, s, texts); len(left) > 0 {
			t.Fatalf("what is left in tables: %v", left)
		}
		erased++
		lives[p]++
		for _, file := range []string{o.File, o.File + "-wal", o.File + "-shm"} {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range texts {
				// Of an id the last part is enough: the others begin alike.
				if parsed, err := uuid.Parse(text); err == nil {
					text = text[19:]
					if bytes.Contains(content, parsed[:]) {
						t.Errorf("step %d: the bytes of %s are in %s", step, parsed, file)
					}
				}
				if at := bytes.Index(content, []byte(text)); at >= 0 {
					t.Errorf("step %d: %s is in %s, %d times, first in page %d at %d", step, text, file, bytes.Count(content, []byte(text)), at/4096+1, at%4096)
				}
			}
		}
		if t.Failed() {
			return
		}
	}
	if erased < 5 {
		t.Fatalf("%d were erased, which says little", erased)
	}
	query(t, s, "PRAGMA integrity_check", func(c []string) {
		if c[0] != "ok" {
			t.Errorf("the file is damaged: %s", c[0])
		}
	})
	query(t, s, "PRAGMA foreign_key_check", func(c []string) { t.Errorf("a reference is broken: %v", c) })
	y.sound()
}

func minutes(n int) time.Duration { return time.Duration(n) * time.Minute }
