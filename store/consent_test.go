package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/receipt"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// ledgerWorld is a store whose clock is set by hand.
type ledgerWorld struct {
	*testing.T
	*store.Store
	ctx    context.Context
	now    time.Time
	events int
}

// eachLedger runs a test on an empty store of each engine.
func eachLedger(t *testing.T, test func(*ledgerWorld, store.Options)) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		w := &ledgerWorld{T: t, ctx: t.Context(), now: epoch.Add(30 * insight.Day)}
		o.Now = func() time.Time { return w.now }
		w.Store = testdb.Open(t, o)
		test(w, o)
	})
}

func (w *ledgerWorld) purpose(key string) *insight.Purpose {
	w.Helper()
	p, err := w.Purpose(w.ctx, key)
	if err != nil {
		w.Fatal(err)
	}
	return p
}

// does hands in one event of a person on one device, and tells what became of it.
func (w *ledgerWorld) does(at time.Time, user, device string, signals *insight.Signals) insight.Status {
	w.Helper()
	api, err := w.Source(w.ctx, store.APISource)
	if err != nil {
		w.Fatal(err)
	}
	w.events++
	who := append(identities(insight.UserID, user), identities(insight.AnonymousID, device)...)
	outcomes, err := w.Append(w.ctx, []*insight.Event{{
		MessageID: fmt.Sprintf("message-of-%s-%d", user, w.events), Timestamp: at, OccurredAt: at, ReceivedAt: at, Source: api, Channel: api.DefaultChannel, Type: "page", Direction: insight.Inbound,
		Identities: who, Stream: who[1], Signals: signals, Properties: json.RawMessage(fmt.Sprintf(`{"secret":"property-of-%s-%d"}`, user, w.events)),
		Traits: []insight.Observation{{Key: "city", Value: json.RawMessage(`"trait-of-` + user + `"`), Provenance: insight.Declared, Confidence: 1, Sensitivity: insight.Ordinary}},
	}})
	if err != nil {
		w.Fatal(insight.Detail(err))
	}
	return outcomes[0].Status
}

func named(user string) store.Lookup {
	return store.Lookup{Identity: insight.Identity{Kind: insight.UserID, Value: user}}
}

func (w *ledgerWorld) decides(user, purpose string, d insight.ConsentDecision, at, until time.Time) *store.Recorded {
	w.Helper()
	done, err := w.RecordConsents(w.ctx, named(user), []insight.Claim{{Purpose: w.purpose(purpose), Decision: d, EffectiveAt: at, ExpiresAt: until, Method: insight.MethodDeclared, Source: store.APISource}})
	if err != nil {
		w.Fatal(insight.Detail(err))
	}
	return done
}

func (w *ledgerWorld) reads(purpose string) *store.Reader {
	w.Helper()
	r, err := w.Reader(w.ctx, &insight.Viewer{Subject: "test", Scopes: []insight.Scope{insight.ScopeIndividualsRead}, Purposes: []string{purpose}, Purpose: purpose}, nil)
	if err != nil {
		w.Fatal(insight.Detail(err))
	}
	return r
}

// sees counts the interactions of a person that are read for a purpose; -1: the person
// is withheld.
func (w *ledgerWorld) sees(user, purpose string) int {
	w.Helper()
	r := w.reads(purpose)
	i, err := r.Find(w.ctx, named(user))
	if insight.KindOf(err) == insight.Withheld && err != nil {
		return -1
	}
	if err != nil {
		w.Fatal(insight.Detail(err))
	}
	n, err := r.CountInteractions(w.ctx, []uuid.UUID{i.ID}, insight.Selector{})
	if err != nil {
		w.Fatal(err)
	}
	return n[i.ID]
}

func (w *ledgerWorld) wants(what string, got, want int) {
	w.Helper()
	if got != want {
		w.Errorf("%s: %d, want %d", what, got, want)
	}
}

// sound asks for a recompute, which must agree.
func (w *ledgerWorld) sound(when string) {
	w.Helper()
	v, err := w.Verify(w.ctx, nil)
	if err != nil {
		w.Fatal(insight.Detail(err))
	}
	if v.Total > 0 {
		w.Errorf("%s a recompute differs: %s", when, strings.Join(v.Differences, "\n"))
	}
}

var never time.Time

func hours(n int) time.Time { return epoch.Add(time.Duration(n) * time.Hour) }

// TestWhatIsPermittedWhen: an interaction is read when the purpose is permitted now and
// was when it occurred; sessions are made of those alone.
func TestWhatIsPermittedWhen(t *testing.T) {
	eachLedger(t, func(w *ledgerWorld, _ store.Options) {
		for n := range 6 {
			w.does(hours(n).Add(10*time.Minute), "ann", "a1", nil)
			w.does(hours(n).Add(20*time.Minute), "ann", "a1", nil)
		}
		w.wants("nobody decided", w.sees("ann", "marketing"), -1)
		w.decides("ann", "marketing", insight.ConsentGranted, hours(2).Add(15*time.Minute), never)
		w.wants("granted in the middle of the third visit", w.sees("ann", "marketing"), 7)
		w.sound("after a grant in the past")

		r := w.reads("marketing")
		ann, err := r.Find(w.ctx, named("ann"))
		if err != nil {
			t.Fatal(err)
		}
		ids := []uuid.UUID{ann.ID}
		page, err := r.Sessions(w.ctx, ids, store.Page{Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		sessions := page[ann.ID].Items
		counts, err := r.CountSessions(w.ctx, ids)
		if err != nil {
			t.Fatal(err)
		}
		w.wants("visits", len(sessions), 4)
		w.wants("visits counted", counts[ann.ID], 4)
		first := sessions[len(sessions)-1]
		w.wants("interactions of the first visit", first.Interactions, 1)
		if again, err := r.Session(w.ctx, first.ID); err != nil || again.StartedAt != first.StartedAt || again.Interactions != 1 {
			t.Errorf("by its id it is %+v, %v", again, err)
		}
		of, err := r.SessionInteractions(w.ctx, sessions, store.Page{Limit: 1}, store.WithAll)
		if err != nil {
			t.Fatal(err)
		}
		w.wants("a page of the last visit", len(of[sessions[0].ID].Items), 1)
		if !of[sessions[0].ID].HasNext || of[first.ID].HasNext {
			t.Error("which visit goes on after a page of one is wrong")
		}

		w.decides("ann", "marketing", insight.ConsentDenied, hours(4), never)
		w.wants("denied later", w.sees("ann", "marketing"), -1)
		w.decides("ann", "marketing", insight.ConsentGranted, hours(5), never)
		w.wants("granted again", w.sees("ann", "marketing"), 5)
		w.sound("after a gap")
		w.does(hours(4).Add(30*time.Minute), "ann", "a1", nil) // late, and of the gap
		w.wants("a late event of the gap", w.sees("ann", "marketing"), 5)
		w.sound("after a late event")
	})
}

// TestGrantsEndByTheClock: at its moment, with nothing written.
func TestGrantsEndByTheClock(t *testing.T) {
	eachLedger(t, func(w *ledgerWorld, _ store.Options) {
		w.does(hours(1), "ann", "a1", nil)
		end := w.now.Add(time.Hour)
		w.decides("ann", "marketing", insight.ConsentGranted, hours(0), end)
		w.decides("ann", "personalization", insight.ConsentGranted, hours(0), end.Add(time.Hour))
		w.now = end.Add(-insight.Precision)
		w.wants("just before", w.sees("ann", "marketing"), 1)
		w.now = end
		w.wants("at its end", w.sees("ann", "marketing"), -1)
		w.wants("the other grant", w.sees("ann", "personalization"), 1)
		w.sound("after the end")
		w.now = end.Add(time.Hour)
		w.wants("the other grant at its end", w.sees("ann", "personalization"), -1)
	})
}

// TestCollection: of somebody who denies analytics nothing is kept but that they do.
func TestCollection(t *testing.T) {
	eachLedger(t, func(w *ledgerWorld, _ store.Options) {
		no, yes := &insight.Signals{Categories: map[string]bool{"Analytics": false}}, &insight.Signals{Categories: map[string]bool{"Analytics": true}}
		for n, c := range []struct {
			signals *insight.Signals
			want    insight.Status
		}{{nil, insight.StatusAccepted}, {no, insight.StatusWithheld}, {no, insight.StatusWithheld}, {nil, insight.StatusWithheld}, {yes, insight.StatusAccepted}, {yes, insight.StatusAccepted}, {&insight.Signals{GPC: true}, insight.StatusAccepted}} {
			if got := w.does(hours(n+1), "ann", "a1", c.signals); got != c.want {
				t.Errorf("event %d came out as %d, want %d", n, got, c.want)
			}
			w.sound(fmt.Sprintf("after event %d", n))
		}
		w.wants("kept", w.sees("ann", "service"), 4)
		v, err := w.VerifyConsents(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		w.wants("decisions: a no, a yes, and one about advertising", v.Consents, 3)
	})
}

// TestSomebodyElsesDevice: who refuses on a device decides for nobody else who uses it,
// be it shared or theirs alone.
func TestSomebodyElsesDevice(t *testing.T) {
	eachLedger(t, func(w *ledgerWorld, _ store.Options) {
		at := 0
		comes := func(what, user string, want insight.Status) {
			t.Helper()
			at++
			if got := w.does(hours(at), user, "tablet", nil); got != want {
				t.Errorf("%s: an event of %s came out as %d, want %d", what, user, got, want)
			}
			w.sound(what)
		}
		comes("nobody decided", "bob", insight.StatusAccepted)
		w.decides("bob", "analytics", insight.ConsentDenied, hours(1), never)
		comes("he refused", "bob", insight.StatusWithheld)
		comes("on his tablet", "ann", insight.StatusAccepted)
		comes("on what is shared", "ann", insight.StatusAccepted)
		comes("on what is shared", "bob", insight.StatusWithheld)

		// An operator says that it never was hers: it is his alone again.
		must(w.Unmerge(w.ctx, linksBetween(t, w.Store, id(insight.UserID, "ann"), id(insight.AnonymousID, "tablet")), "it is his"))
		tablet := store.Lookup{Identity: id(insight.AnonymousID, "tablet")}
		if must(w.Find(w.ctx, tablet)) != must(w.Find(w.ctx, named("bob"))) {
			t.Error("the tablet is not his again")
		}
		comes("on his again", "ann", insight.StatusAccepted)
		comes("on his again", "bob", insight.StatusWithheld)
		w.wants("what she did", w.sees("ann", "analytics"), 3)
		w.wants("what he did", w.sees("bob", "analytics"), -1)

		if _, _, err := w.Merge(w.ctx, named("ann"), named("bob"), "the same"); err != nil {
			t.Fatal(err)
		}
		comes("as one", "ann", insight.StatusWithheld)
	})
}

// TestMergingAndParting: the strictest holds, and a no that was said of both goes with
// both.
func TestMergingAndParting(t *testing.T) {
	eachLedger(t, func(w *ledgerWorld, _ store.Options) {
		w.does(hours(1), "ann", "a1", nil)
		w.does(hours(1), "bob", "b1", nil)
		w.decides("ann", "marketing", insight.ConsentGranted, hours(0), never)
		w.decides("bob", "marketing", insight.ConsentDenied, hours(0), never)
		_, link, err := w.Merge(w.ctx, named("ann"), named("bob"), "the same")
		if err != nil {
			t.Fatal(err)
		}
		w.wants("as one", w.sees("ann", "marketing"), -1)
		w.sound("merged")
		w.decides("bob", "analytics", insight.ConsentWithdrawn, never, never)
		if _, err := w.Unmerge(w.ctx, []uuid.UUID{link}, "two"); err != nil {
			t.Fatal(err)
		}
		w.sound("parted")
		for what, want := range map[string]int{"ann marketing": 1, "bob marketing": -1, "ann analytics": -1, "bob analytics": -1} {
			user, purpose, _ := strings.Cut(what, " ")
			w.wants(what, w.sees(user, purpose), want)
		}
	})
}

// TestPurposesAreDefined: with other terms from now on, and what was permitted before
// stays.
func TestPurposesAreDefined(t *testing.T) {
	eachLedger(t, func(w *ledgerWorld, _ store.Options) {
		define := func(key string, basis insight.LegalBasis, retroactive bool) {
			w.Helper()
			w.now = w.now.Add(time.Hour)
			if _, err := w.DefinePurpose(w.ctx, insight.Purpose{Key: key, Name: key, LegalBasis: basis, Retroactive: retroactive, Floor: 10}); err != nil {
				t.Fatal(insight.Detail(err))
			}
			w.sound(fmt.Sprintf("with %s on %s", key, basis))
		}
		w.does(hours(1), "ann", "a1", nil)
		w.does(hours(1), "bob", "b1", nil)
		w.decides("bob", "analytics", insight.ConsentDenied, hours(2), never)
		define("research", insight.BasisLegitimateInterest, false)
		define("letters", insight.BasisConsent, false)
		w.wants("research", w.sees("ann", "research"), 1)
		w.wants("letters", w.sees("ann", "letters"), -1)
		define("research", insight.BasisConsent, false)
		w.wants("research asks now", w.sees("ann", "research"), -1)
		w.decides("ann", "research", insight.ConsentGranted, never, never)
		w.wants("what was permitted before it asked stays so", w.sees("ann", "research"), 1)
		define("letters", insight.BasisContract, false)
		w.wants("letters ask nobody now, and what was before was not permitted", w.sees("bob", "letters"), 0)
		define("letters", insight.BasisContract, true)
		w.wants("but retroactively", w.sees("bob", "letters"), 1)
		define("research", insight.BasisLegitimateInterest, false)
		w.wants("research asks no longer", w.sees("bob", "research"), 1)
	})
}

// TestNothingIsLeft: of somebody who was erased no table holds anything, nor on SQLite a
// file, and what is handed in of them again is withheld.
func TestNothingIsLeft(t *testing.T) {
	eachLedger(t, func(w *ledgerWorld, o store.Options) {
		users := []string{"anna-marker", "bob-other", "cleo-other", "dora-other"}
		for n := range 400 {
			user := users[n%len(users)]
			w.does(hours(n%70).Add(time.Duration(n)*time.Second), user, user+"-device", nil)
		}
		w.does(hours(71), "anna-marker", "shared-tablet", nil)
		w.does(hours(71), "bob-other", "shared-tablet", nil)
		done := w.decides("anna-marker", "marketing", insight.ConsentGranted, never, never)
		access := store.NewAccess("query")
		r, err := w.Reader(w.ctx, &insight.Viewer{Subject: "test", Scopes: []insight.Scope{insight.ScopeIndividualsRead}, Purposes: []string{"service"}}, access)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Find(w.ctx, named("anna-marker")); err != nil {
			t.Fatal(err)
		}
		if err := w.Log(w.ctx, access); err != nil {
			t.Fatal(err)
		}
		w.sound("before")
		_, signed, err := w.Erase(w.ctx, named("anna-marker"), store.ErasureTerms{Asked: store.Asked{By: "test", Reason: "asked"}, Suppress: true})
		if err != nil {
			t.Fatal(insight.Detail(err))
		}
		w.sound("after")
		verdict, err := receipt.Verify(signed, w.ReceiptKey().Public())
		if err != nil || verdict.Receipt.Residue == nil || verdict.Receipt.Residue.Found != 0 || verdict.Receipt.Suppressed != 2 {
			t.Errorf("the receipt says %+v, with %+v, %v", verdict.Receipt, verdict.Receipt.Residue, err)
		}
		gone := []string{"anna-marker", done.Individual.String(), done.Records[0].ID.String()}
		tables := "SELECT name FROM sqlite_master WHERE type = 'table'"
		if o.URL != "" {
			tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
		}
		var names []string
		query(t, w.Store, tables, func(c []string) { names = append(names, c[0]) })
		if !slices.Contains(names, "interactions") {
			t.Fatalf("the tables are %q", names)
		}
		for _, table := range names {
			query(t, w.Store, "SELECT * FROM "+table, func(c []string) {
				for _, marker := range gone {
					if strings.Contains(strings.Join(c, " "), marker) {
						t.Errorf("%s holds %q still: %q", table, marker, c)
					}
				}
			})
		}
		if o.URL == "" {
			for _, file := range []string{o.File, o.File + "-wal"} {
				text, err := os.ReadFile(file)
				if err != nil {
					continue // there is no log when it is empty
				}
				if at := bytes.Index(text, []byte("anna-marker")); at >= 0 {
					t.Errorf("%s holds the name at byte %d still", file, at)
				}
				if file == o.File && !bytes.Contains(text, []byte("bob-other")) {
					t.Error("the file holds nobody, so nothing is known of what it would hold")
				}
			}
		}
		if got := w.does(hours(80), "anna-marker", "new-device", nil); got != insight.StatusWithheld {
			t.Errorf("an event of theirs comes out as %d", got)
		}
		if _, _, err := w.Erase(w.ctx, named("anna-marker"), store.ErasureTerms{Asked: store.Asked{By: "test", Reason: "again"}}); insight.KindOf(err) != insight.NotFound {
			t.Errorf("once more: %v", err)
		}
		w.wants("the others", w.sees("bob-other", "analytics"), 101)
	})
}

// TestRetention: what is past the retention of all its purposes goes, and who has no
// purpose left.
func TestRetention(t *testing.T) {
	eachLedger(t, func(w *ledgerWorld, _ store.Options) {
		for n := range 10 {
			w.does(epoch.Add(time.Duration(n)*insight.Day), "ann", "a1", nil)
		}
		w.does(epoch, "bob", "b1", nil)
		w.decides("bob", "analytics", insight.ConsentDenied, never, never)
		if done, err := w.Retain(w.ctx); err != nil || done != (store.Retained{}) {
			t.Errorf("where service keeps everything: %+v, %v", done, err)
		}
		for key, days := range map[string]int{"service": 25, "analytics": 10} {
			p := *w.purpose(key)
			p.Retention = time.Duration(days) * insight.Day
			if _, err := w.DefinePurpose(w.ctx, p); err != nil {
				t.Fatal(err)
			}
		}
		done, err := w.Retain(w.ctx)
		if err != nil {
			t.Fatal(insight.Detail(err))
		}
		if done.Interactions != 6 || done.Individuals != 1 || done.Suppressed != 1 {
			t.Errorf("removed: %+v", done)
		}
		w.wants("left", w.sees("ann", "service"), 4)
		w.sound("after it")
		if got := w.does(hours(1), "bob", "b1", nil); got != insight.StatusWithheld {
			t.Errorf("somebody who had refused is taken in again as %d", got)
		}
	})
}

// TestTamperedLedgers: what is done to a ledger behind our back is found and named.
func TestTamperedLedgers(t *testing.T) {
	eachLedger(t, func(w *ledgerWorld, _ store.Options) {
		var ids []string
		for n, d := range []insight.ConsentDecision{insight.ConsentGranted, insight.ConsentDenied, insight.ConsentGranted} {
			done := w.decides("ann", "marketing", d, hours(n), never)
			ids = append(ids, done.Records[0].ID.String())
		}
		public := func(n int) string { return insight.FormatID(insight.ConsentPrefix, uuid.MustParse(ids[n])) }
		for _, c := range []struct{ change, back, told string }{
			{"UPDATE consents SET decision = 1 WHERE id = '" + ids[1] + "'", "UPDATE consents SET decision = 2 WHERE id = '" + ids[1] + "'", public(1) + ": record 2 was changed"},
			{"UPDATE consents SET sequence = sequence + 10 WHERE id = '" + ids[0] + "'", "UPDATE consents SET sequence = 1 WHERE id = '" + ids[0] + "'", public(0)},
			{"UPDATE ledgers SET hash = 'x'", "UPDATE ledgers SET hash = (SELECT hash FROM consents WHERE id = '" + ids[2] + "')", "its last record is not the one"},
			{"DELETE FROM consents WHERE id = '" + ids[1] + "'", "", public(2) + ": the record number 2 before it is missing"},
			{"DELETE FROM consents WHERE id = '" + ids[2] + "'", "", public(2)},
			{"DELETE FROM consents", "", public(2)},
		} {
			if v, err := w.VerifyConsents(w.ctx); c.back != "" && (err != nil || v.Total > 0) {
				t.Fatalf("before %q: %v, %v", c.change, v, err)
			}
			if _, err := w.DB().ExecContext(w.ctx, c.change); err != nil {
				t.Fatal(err)
			}
			v, err := w.VerifyConsents(w.ctx)
			if err != nil || !strings.Contains(strings.Join(v.Differences, "\n"), c.told) {
				t.Errorf("after %q: %v, %v, want %q", c.change, v, err, c.told)
			}
			if c.back != "" {
				if _, err := w.DB().ExecContext(w.ctx, c.back); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
