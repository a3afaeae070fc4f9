package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// TestStatementsOfDecisions: what it takes to record a decision, and to read them,
// does not grow with the person.
func TestStatementsOfDecisions(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		var sent testdb.Counter
		o.Wrap, o.LookEvery = sent.Wrap, time.Hour // when it looks at the clock is no matter here
		s := testdb.Open(t, o)
		y := sayer(t, s)
		live := func(user string, devices, events int) {
			t.Helper()
			var all []*insight.Event
			for n := range events {
				all = append(all, y.event(fmt.Sprint(user, n), id(insight.UserID, user), id(insight.AnonymousID, fmt.Sprint(user, n%devices))))
			}
			y.keep(all...)
		}
		live("small", 1, 1)
		live("large", 40, 900)
		live("again", 1, 1) // whatever is prepared once is prepared
		y.decides(id(insight.UserID, "again"), y.claim("marketing", insight.ConsentGranted))
		for round := range 3 {
			counts := map[string][]int{}
			for _, user := range []string{"small", "large"} {
				who := id(insight.UserID, user)
				sent.Take()
				done := y.decides(who, y.claim("marketing", []insight.ConsentDecision{insight.ConsentGranted, insight.ConsentWithdrawn}[round%2]))
				counts[user] = append(counts[user], sent.Take())
				ids := []uuid.UUID{done.Individual}
				r := y.reader("service", nil)
				for _, read := range []func() error{
					func() error { return second(r.Decisions(t.Context(), ids)) }, func() error { return second(r.CountConsents(t.Context(), ids)) },
					func() error { return second(r.Consents(t.Context(), ids, store.Page{Limit: 2})) }, func() error { return second(r.Consent(t.Context(), done.Records[0].ID)) },
					func() error { return second(r.AccessLog(t.Context(), ids, store.Page{Limit: 2})) }, func() error { return second(r.Requests(t.Context(), ids)) },
				} {
					sent.Take()
					if err := read(); err != nil {
						t.Fatal(err)
					}
					counts[user] = append(counts[user], sent.Take())
				}
			}
			if !slices.Equal(counts["small"], counts["large"]) || counts["small"][0] > 40 || slices.Max(counts["small"][1:]) > 2 {
				t.Errorf("round %d: of a small one it takes %v, of a large one %v", round, counts["small"], counts["large"])
			}
		}
		y.sound()
	})
}

// TestAnotherProcessDefines: what one process changes of a purpose, another writes by
// at once, and reads by as soon as it looks.
func TestAnotherProcessDefines(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		one := testdb.Open(t, o)
		o.LookEvery = 50 * time.Millisecond
		other := testdb.Open(t, o)
		y, there := sayer(t, one), sayer(t, other)
		ctx := t.Context()
		define := func(key string, basis insight.LegalBasis) {
			t.Helper()
			must(one.DefinePurpose(ctx, insight.Purpose{Key: key, Name: key, LegalBasis: basis, Floor: 10, Categories: []string{key}}))
		}
		people := func(y *saying, purpose string) int {
			return must(y.reader(purpose, nil).CountIndividuals(ctx, store.Filter{}))
		}
		there.keep(there.event("before", id(insight.UserID, "u0")))
		n, refused := 1, 0
		for round, basis := range []insight.LegalBasis{insight.BasisConsent, insight.BasisLegitimateInterest, insight.BasisContract, insight.BasisConsent} {
			want := 0
			define("one", basis)                    // one that moves
			define(fmt.Sprint("new", round), basis) // and one that is new
			must(other.Purposes(ctx))               // the other has looked just now, or will not for a while
			there.keep(there.event(fmt.Sprint("after", round), id(insight.UserID, fmt.Sprint("u", n))))
			n++
			there.sound()
			if basis.Unasked() {
				want = n
			}
			for _, purpose := range []string{fmt.Sprint("new", round), "one"} {
				if purpose == "one" && basis == insight.BasisLegitimateInterest {
					want -= refused
				}
				if got := people(y, purpose); got != want {
					t.Errorf("on %s, %s covers %d, want %d", basis, purpose, got, want)
				}
				until := time.Now().Add(20 * time.Second)
				for {
					r, err := other.Reader(ctx, &insight.Viewer{Scopes: []insight.Scope{insight.ScopeIndividualsRead}, Purposes: []string{purpose}}, nil)
					got := -1
					if err == nil {
						got = must(r.CountIndividuals(ctx, store.Filter{}))
					}
					if got == want {
						break
					}
					if time.Now().After(until) {
						t.Fatalf("on %s, elsewhere %s covers %d, want %d: %v", basis, purpose, got, want, err)
					}
				}
			}
			// What a signal says of a purpose that is new is understood at once.
			e := there.event(fmt.Sprint("signal", round), id(insight.UserID, fmt.Sprint("u", n)))
			e.Signals = &insight.Signals{Categories: map[string]bool{"one": false}}
			there.keep(e)
			n++
			if basis.Choice() {
				refused++
			}
			y.sound()
		}
		// The purpose for which events are collected: to ask from now on is to keep nothing from now on.
		analytics := *must(one.Purpose(ctx, "analytics"))
		analytics.LegalBasis = insight.BasisConsent
		must(one.DefinePurpose(ctx, analytics))
		if got := must(other.Append(ctx, []*insight.Event{there.event("unasked", id(insight.UserID, "u0"))}))[0].Status; got != insight.StatusWithheld {
			t.Errorf("an event of somebody who was not asked is %d", got)
		}
		y.sound()
	})
}

// TestDefinedWhileTheyAct: purposes change while events and decisions come in by two
// processes; whatever comes out, a recompute agrees.
func TestDefinedWhileTheyAct(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		stores := []*store.Store{testdb.Open(t, o), testdb.Open(t, o)}
		y := sayer(t, stores[0])
		var batches [][]*insight.Event
		for n := range 40 {
			var some []*insight.Event
			for m := range 5 {
				e := y.event(fmt.Sprint(n, ".", m), id(insight.UserID, fmt.Sprint("u", (n+m)%7)), id(insight.AnonymousID, fmt.Sprint("a", n%9)))
				if m == 4 {
					e.Signals = &insight.Signals{Categories: map[string]bool{"Marketing": n%2 == 0, "moves": n%3 == 0}}
				}
				some = append(some, e)
			}
			batches = append(batches, some)
		}
		var writing errgroup.Group
		for w, s := range stores {
			writing.Go(func() error {
				for n := w; n < len(batches); n += 2 {
					if _, err := s.Append(context.Background(), batches[n]); err != nil {
						return err
					}
					if n%5 == w {
						p, err := s.Purpose(context.Background(), "marketing")
						if err != nil {
							return err
						}
						who := store.Lookup{Identity: id(insight.UserID, fmt.Sprint("u", n%7))}
						if _, err := s.RecordConsents(context.Background(), who, []insight.Claim{{Purpose: p, Decision: insight.ConsentGranted, Method: insight.MethodBanner, Source: "desk"}}); err != nil {
							return err
						}
					}
				}
				return nil
			})
		}
		writing.Go(func() error {
			for n := range 8 {
				basis := []insight.LegalBasis{insight.BasisConsent, insight.BasisLegitimateInterest, insight.BasisContract}[n%3]
				if _, err := stores[n%2].DefinePurpose(context.Background(), insight.Purpose{Key: "moves", Name: "moves", LegalBasis: basis, Floor: 10, Categories: []string{"moves"}}); err != nil {
					return err
				}
			}
			return nil
		})
		if err := writing.Wait(); err != nil {
			t.Fatal(insight.Detail(err))
		}
		y.sound()
	})
}

// TestAccessOfTwoProcesses: two processes that write the same entries at the same time
// do not wait for each other in vain.
func TestAccessOfTwoProcesses(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		at := epoch.Add(30 * insight.Day)
		o.Now = func() time.Time { return at }
		stores := []*store.Store{testdb.Open(t, o), testdb.Open(t, o), testdb.Open(t, o)}
		y := sayer(t, stores[0])
		var events []*insight.Event
		for n := range 800 {
			events = append(events, y.event(fmt.Sprint("m", n), id(insight.UserID, fmt.Sprint("u", n))))
		}
		y.keep(events...)
		ids := map[uuid.UUID]bool{}
		query(t, stores[0], "SELECT id FROM individuals", func(c []string) { ids[uuid.MustParse(c[0])] = true })
		const rounds = 6
		for n := range rounds {
			var reading errgroup.Group
			for _, s := range stores {
				shown := store.NewAccess("query")
				v := &insight.Viewer{Subject: fmt.Sprint("clerk", n), Scopes: []insight.Scope{insight.ScopeIndividualsRead}, Purposes: []string{"service"}}
				r := must(s.Reader(t.Context(), v, shown))
				must(r.People(t.Context(), slices.Collect(maps.Keys(ids))))
				reading.Go(func() error { return s.Log(t.Context(), shown) })
			}
			if err := reading.Wait(); err != nil {
				t.Fatalf("round %d: %s", n, insight.Detail(err))
			}
		}
		counts := must(y.reader("service", nil).CountAccess(t.Context(), slices.Collect(maps.Keys(ids))))
		for id := range ids {
			if counts[id] != rounds {
				t.Fatalf("of somebody there are %d entries, want %d", counts[id], rounds)
			}
		}
	})
}

// TestCensus: how a population stands with every purpose is what one individual after
// the other does.
func TestCensus(t *testing.T) {
	eachLedger(t, func(w *ledgerWorld, _ store.Options) {
		y := sayer(w.T, w.Store)
		var events []*insight.Event
		for n := range 1040 { // more than are read at a time
			e := y.event(fmt.Sprint("m", n), id(insight.UserID, fmt.Sprint("u", n)))
			e.Signals = &insight.Signals{Categories: map[string]bool{"Marketing": n%3 == 0, "Functional": n%2 == 0}}
			if n%20 == 7 {
				e.Signals = nil
			}
			events = append(events, e)
		}
		y.keep(events...)
		w.decides("u1", "marketing", insight.ConsentWithdrawn, never, never)
		w.decides("u2", "marketing", insight.ConsentGranted, hours(0), w.now.Add(-time.Hour))
		w.decides("u3", "analytics", insight.ConsentDenied, never, never)
		w.decides("u4", "analytics", insight.ConsentGranted, hours(0), w.now.Add(-time.Hour))
		w.decides("nobody", "advertising", insight.ConsentDenied, never, never)
		w.now = w.now.Add(time.Hour)
		for _, reads := range []string{"service", "analytics", "marketing"} {
			survey := must(w.Survey(w.ctx, &insight.Viewer{Scopes: []insight.Scope{insight.ScopeInsightsRead}, Purposes: []string{reads}}))
			for _, asOf := range []time.Time{w.now, epoch.Add(minutes(500)), hours(0)} {
				got := must(survey.Consents(w.ctx, asOf))
				want := make([]map[consent.Status]int, len(got.Purposes))
				population := 0
				r := w.reads(reads)
				page := store.Page{Limit: 100}
				for {
					some := must(r.Individuals(w.ctx, store.Filter{}, store.Order{FirstSeen: true}, page))
					for _, i := range some.Items {
						population++
						decisions := must(r.Decisions(w.ctx, []uuid.UUID{i.ID}))[i.ID]
						for n, p := range got.Purposes {
							if want[n] == nil {
								want[n] = map[consent.Status]int{}
							}
							want[n][plainStatus(p, decisions, asOf)]++
						}
						page.After = &insight.Cursor{At: i.FirstSeenAt, ID: i.ID}
					}
					if !some.HasNext || asOf != w.now && population >= 100 { // elsewhere a sum will do
						break
					}
				}
				if asOf.Equal(w.now) {
					w.wants(reads+": the population", got.Population, population)
				}
				for n, p := range got.Purposes {
					sum := 0
					for status, count := range got.Counts[n] {
						sum += count
						if asOf.Equal(w.now) && count != want[n][status] {
							t.Errorf("for %s, with %s stand %s %d, want %d", reads, p.Key, status, count, want[n][status])
						}
					}
					w.wants(reads+": all of them", sum, got.Population)
				}
			}
		}
		if _, err := w.Survey(w.ctx, &insight.Viewer{Scopes: []insight.Scope{insight.ScopeIndividualsRead}, Purposes: []string{"service"}}); insight.KindOf(err) != insight.Denied {
			t.Errorf("without the scope: %v", err)
		}
	})
}

// plainStatus reads how somebody who was never two stands with a purpose.
func plainStatus(p *insight.Purpose, decisions []*insight.Consent, at time.Time) consent.Status {
	var last *insight.Consent
	for _, d := range decisions {
		if d.Purpose.ID != p.ID || d.EffectiveAt.After(at) {
			continue
		}
		if last == nil || d.EffectiveAt.After(last.EffectiveAt) || d.EffectiveAt.Equal(last.EffectiveAt) && d.Decision > last.Decision {
			last = d
		}
	}
	switch {
	case p.LegalBasis == insight.BasisContract:
		return consent.StatusNotRequired
	case last == nil:
		return consent.StatusUnknown
	case last.Decision == insight.ConsentDenied:
		return consent.StatusDenied
	case last.Decision == insight.ConsentWithdrawn:
		return consent.StatusWithdrawn
	case !last.ExpiresAt.IsZero() && !last.ExpiresAt.After(at):
		return consent.StatusExpired
	}
	return consent.StatusGranted
}

// parish is a few identifiers whose people decide, meet and part, with what each of
// them was last told to have said.
type parish struct {
	*rapid.T
	t    *testing.T
	s    *store.Store
	api  *insight.Source
	now  time.Time
	n    int
	kept map[string]*insight.Event // by message id
	seen map[string]bool           // the records that were read
	// said is for each identifier and purpose the latest decision that was recorded on an
	// individual whose it was.
	said map[[2]string]said
}

type said struct {
	effective time.Time
	decision  int
}

func (a said) before(b said) bool {
	return a.effective.Before(b.effective) || a.effective.Equal(b.effective) && a.decision < b.decision
}

var parishioners = slices.Concat(
	identities(insight.UserID, "u1", "u2"), identities(insight.Email, "e1@example.com"), identities(insight.DeviceID, "d1"), identities(insight.AnonymousID, "a1", "a2", "a3"),
)

// event draws an event of one to three of them.
func (p *parish) event() *insight.Event {
	var who []insight.Identity
	for _, i := range parishioners {
		if rapid.IntRange(0, 4).Draw(p.T, "has") == 0 && len(who) < 3 {
			who = append(who, i)
		}
	}
	if len(who) == 0 {
		who = []insight.Identity{rapid.SampledFrom(parishioners).Draw(p.T, "who")}
	}
	at := p.now
	if rapid.IntRange(0, 2).Draw(p.T, "late") == 0 {
		at = at.Add(-time.Duration(rapid.IntRange(1, 9).Draw(p.T, "by")) * 37 * time.Minute)
	}
	p.n++
	e := &insight.Event{
		MessageID: fmt.Sprint("m", p.n), Timestamp: at, OccurredAt: at, ReceivedAt: p.now, Source: p.api, Channel: p.api.DefaultChannel, Type: "page",
		Direction: rapid.SampledFrom([]insight.Direction{insight.Inbound, insight.Inbound, insight.Outbound}).Draw(p.T, "direction"), Identities: who, Stream: streamOf(who),
		Traits: []insight.Observation{{Key: "plan", Value: json.RawMessage(strconv.Itoa(p.n)), Provenance: insight.Declared, Confidence: 1, Sensitivity: insight.Ordinary}},
	}
	if rapid.IntRange(0, 3).Draw(p.T, "speaks") == 0 {
		e.Signals = &insight.Signals{GPC: rapid.Bool().Draw(p.T, "gpc"), Categories: map[string]bool{}}
		for _, category := range []string{"Analytics", "Marketing"} {
			if rapid.Bool().Draw(p.T, "mentions") {
				e.Signals.Categories[category] = rapid.IntRange(0, 2).Draw(p.T, "yes") > 0
			}
		}
	}
	return e
}

// arrive hands in a batch, now and then with an event that is kept already.
func (p *parish) arrive() {
	var events []*insight.Event
	for range rapid.IntRange(1, 4).Draw(p.T, "batch") {
		events = append(events, p.event())
	}
	if len(p.kept) > 0 && rapid.IntRange(0, 2).Draw(p.T, "repeats") == 0 {
		ids := slices.Sorted(maps.Keys(p.kept))
		events = append(events, p.kept[rapid.SampledFrom(ids).Draw(p.T, "again")])
	}
	// Of one who is withheld, and says nothing, there is no trace at all.
	var before []string
	silent := len(events) == 1 && events[0].Signals.IsZero() && p.withheld(events[0])
	if silent {
		before = p.all()
	}
	outcomes, err := p.s.Append(context.Background(), events)
	if err != nil {
		p.Fatal(insight.Detail(err))
	}
	in := map[string]bool{}
	query(p.t, p.s, "SELECT message_id FROM interactions", func(c []string) { in[c[0]] = true })
	for n, o := range outcomes {
		e := events[n]
		want := insight.StatusDuplicate
		switch {
		case p.kept[e.MessageID] != nil:
		case in[e.MessageID]:
			want, p.kept[e.MessageID] = insight.StatusAccepted, e
		default:
			want = insight.StatusWithheld
		}
		if o.Status != want || silent && want != insight.StatusWithheld {
			p.Fatalf("%s came out as %d, want %d (by what was known before: withheld %t)", e.MessageID, o.Status, want, silent)
		}
	}
	if silent {
		if after := p.all(); !slices.Equal(before, after) {
			p.Fatalf("what may not be kept left a trace: before\n%s\nafter\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
		}
	}
}

// withheld reports whether analytics is withheld of somebody whom an event names, by
// what is known now. A name that joins nobody decides nothing, unless it is the first.
func (p *parish) withheld(e *insight.Event) bool {
	r := must(p.s.Reader(context.Background(), &insight.Viewer{Scopes: []insight.Scope{insight.ScopeIndividualsRead}, Purposes: []string{"analytics"}}, nil))
	for n, i := range e.Identities {
		_, err := r.Find(context.Background(), store.Lookup{Identity: i})
		if n > 0 && insight.KindOf(err) == insight.Withheld && p.joinsNobody(i, e.Identities[0]) {
			continue
		}
		if insight.KindOf(err) == insight.Withheld && err != nil {
			return true
		}
	}
	return false
}

// joinsNobody reports whether a name that comes after another joins nobody: it is
// shared, or the other is a USER_ID and evidence links the name with somebody else's.
// The latter need not be shared yet: this event makes it so, unless its link with the
// USER_ID was revoked. Either way it is another person's, and so is what they refused.
func (p *parish) joinsNobody(i, first insight.Identity) bool {
	if i.Kind == insight.UserID {
		return false
	}
	var users []string
	query(p.t, p.s, fmt.Sprintf(`SELECT u.value FROM identity_links l JOIN identifiers u ON u.id = l.a JOIN identifiers i ON i.id = l.b
		WHERE NOT l.operator AND l.revoked_at IS NULL AND u.kind = %d AND i.kind = %d AND i.value = '%s'`, insight.UserID, i.Kind, i.Value), func(c []string) { users = append(users, c[0]) })
	return len(users) > 1 || first.Kind == insight.UserID && len(users) == 1 && users[0] != first.Value
}

// all is every row of every table that tells of people.
func (p *parish) all() []string {
	var rows []string
	for _, table := range []string{"individuals", "identifiers", "identity_links", "interactions", "sessions", "traits", "consents", "ledgers"} {
		query(p.t, p.s, "SELECT * FROM "+table, func(c []string) { rows = append(rows, table+" "+strings.Join(c, " ")) })
	}
	slices.Sort(rows)
	return rows
}

// known are the identities that there are, in a certain order.
func (p *parish) known() []insight.Identity {
	var all []insight.Identity
	query(p.t, p.s, "SELECT kind, value FROM identifiers ORDER BY kind, value", func(c []string) {
		kind, _ := strconv.Atoi(c[0])
		all = append(all, insight.Identity{Kind: insight.IdentifierKind(kind), Value: c[1]})
	})
	return all
}

func (p *parish) decide() {
	purpose := must(p.s.Purpose(context.Background(), rapid.SampledFrom([]string{"analytics", "marketing", "advertising"}).Draw(p.T, "purpose")))
	c := insight.Claim{Purpose: purpose, Decision: insight.ConsentDecision(rapid.IntRange(1, 3).Draw(p.T, "decision")), Method: insight.MethodBanner, Source: "desk", EffectiveAt: p.now}
	if rapid.IntRange(0, 2).Draw(p.T, "late") == 0 {
		c.EffectiveAt = p.now.Add(-time.Duration(rapid.IntRange(1, 9).Draw(p.T, "by")) * 37 * time.Minute)
	}
	if c.Decision == insight.ConsentGranted && rapid.IntRange(0, 2).Draw(p.T, "ends") == 0 {
		c.ExpiresAt = p.now.Add(time.Duration(rapid.IntRange(1, 5).Draw(p.T, "after")) * time.Hour)
	}
	who := rapid.SampledFrom(parishioners).Draw(p.T, "who")
	if _, err := p.s.RecordConsents(context.Background(), store.Lookup{Identity: who}, []insight.Claim{c}); err != nil {
		p.Fatal(insight.Detail(err))
	}
}

func (p *parish) meet() {
	known := p.known()
	if len(known) < 2 {
		return
	}
	a, b := rapid.SampledFrom(known).Draw(p.T, "a"), rapid.SampledFrom(known).Draw(p.T, "b")
	if a == b {
		return
	}
	if _, _, err := p.s.Merge(context.Background(), store.Lookup{Identity: a}, store.Lookup{Identity: b}, "the same"); err != nil {
		p.Fatal(insight.Detail(err))
	}
}

func (p *parish) part() {
	// In an order that does not hang on their ids, which are random.
	var links []string
	query(p.t, p.s, `SELECT a.kind, a.value, b.kind, b.value, l.operator, l.observed_at, l.id FROM identity_links l JOIN identifiers a ON a.id = l.a JOIN identifiers b ON b.id = l.b
		WHERE l.revoked_at IS NULL`, func(c []string) { links = append(links, strings.Join(c, " ")) })
	if len(links) == 0 {
		return
	}
	slices.Sort(links)
	chosen := rapid.SampledFrom(links).Draw(p.T, "link")
	if _, err := p.s.Unmerge(context.Background(), []uuid.UUID{uuid.MustParse(chosen[strings.LastIndexByte(chosen, ' ')+1:])}, "two after all"); err != nil {
		p.Fatal(insight.Detail(err))
	}
}

// read takes in what was recorded since, and checks that a new record speaks for
// everybody who is one with whom it is of, and one that is carried over for some.
func (p *parish) read() {
	members := map[string][]string{} // keys of an individual's identifiers
	query(p.t, p.s, "SELECT id, individual_id FROM identifiers", func(c []string) { members[c[1]] = append(members[c[1]], c[0]) })
	query(p.t, p.s, "SELECT c.id, c.owner, c.covers, p.key, c.decision, c.effective_at, c.individual_id, c.evidence FROM consents c JOIN purposes p ON p.id = c.purpose_id ORDER BY c.recorded_at, c.id", func(c []string) {
		if p.seen[c[0]] {
			return
		}
		p.seen[c[0]] = true
		for_ := []string{c[1]}
		if c[2] != "<nil>" {
			var covers []string
			if err := json.Unmarshal([]byte(c[2]), &covers); err != nil {
				p.Fatal(err)
			}
			for_ = append(for_, covers...)
		}
		all := slices.Sorted(slices.Values(members[c[6]]))
		slices.Sort(for_)
		carried := strings.Contains(c[7], "carriedOver")
		if !carried && !slices.Equal(for_, all) || slices.ContainsFunc(for_, func(key string) bool { return !slices.Contains(all, key) }) {
			p.Fatalf("a record (carried over: %t) speaks for %v, and the individual is %v", carried, for_, all)
		}
		decision, _ := strconv.Atoi(c[4])
		effective, err := time.Parse(time.RFC3339Nano, c[5])
		if err != nil {
			p.Fatal(err)
		}
		word := said{effective, decision}
		for _, key := range for_ {
			at := [2]string{key, c[3]}
			if had, ok := p.said[at]; !ok || had.before(word) {
				p.said[at] = word
			}
		}
	})
}

// check: a recompute agrees; nobody is covered of whom the last word of any of their
// identifiers is a no; and whoever is covered is so by what the ledger says.
func (p *parish) check() {
	p.read()
	v := must(p.s.Verify(context.Background(), nil))
	if v.Total > 0 {
		p.Fatalf("a recompute differs: %s", strings.Join(v.Differences, "\n"))
	}
	owner := map[string]uuid.UUID{}
	ids := map[uuid.UUID]bool{}
	query(p.t, p.s, "SELECT id, individual_id FROM identifiers", func(c []string) {
		owner[c[0]] = uuid.MustParse(c[1])
		ids[owner[c[0]]] = true
	})
	all := slices.Collect(maps.Keys(ids))
	reader := func(purpose string) *store.Reader {
		return must(p.s.Reader(context.Background(), &insight.Viewer{Scopes: []insight.Scope{insight.ScopeIndividualsRead}, Purposes: []string{purpose}}, nil))
	}
	decisions := must(reader("service").Decisions(context.Background(), all))
	for _, purpose := range must(p.s.Purposes(context.Background())) {
		covered := must(reader(purpose.Key).People(context.Background(), all))
		for id := range ids {
			s := consent.InForce(purpose, decisions[id], p.now, p.now)
			if got := covered[id] != nil; got != s.Permitted {
				p.Fatalf("%s covers somebody: %t, and their ledger says %+v", purpose.Key, got, s)
			}
		}
		if !purpose.LegalBasis.Choice() {
			continue
		}
		for at, word := range p.said {
			if at[1] == purpose.Key && word.decision > 1 && !word.effective.After(p.now) && covered[owner[at[0]]] != nil {
				p.Fatalf("%s covers somebody, of one of whose identifiers the last word, of %v, is a no", purpose.Key, word.effective)
			}
		}
	}
}

// TestNoRevivalInTheStore: no sequence of events, signals, decisions, merges and
// unmerges, in any batches and however late, turns a no into a yes.
func TestNoRevivalInTheStore(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		now := epoch
		o.Now = func() time.Time { return now }
		s := testdb.Open(t, o)
		api := must(s.Source(t.Context(), store.APISource))
		checks(t, 25, func(rt *rapid.T) {
			empty(t, s)
			now = epoch.Add(30 * insight.Day)
			p := &parish{T: rt, t: t, s: s, api: api, kept: map[string]*insight.Event{}, seen: map[string]bool{}, said: map[[2]string]said{}}
			for range rapid.IntRange(4, 14).Draw(rt, "steps") {
				now = now.Add(time.Hour)
				p.now = now
				rapid.SampledFrom([]func(){p.arrive, p.arrive, p.arrive, p.decide, p.decide, p.meet, p.meet, p.part, p.part}).Draw(rt, "step")()
				p.check()
			}
		})
	})
}
