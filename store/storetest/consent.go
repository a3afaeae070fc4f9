package storetest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/insight/session"
	"github.com/acquaint/acquaint/store"
)

// The decisions, as these tests say them.
const (
	yes    = insight.ConsentGranted
	no     = insight.ConsentDenied
	enough = insight.ConsentWithdrawn
)

// claim is a decision about a purpose, from a moment on.
func (w *world) claim(purpose string, d insight.ConsentDecision, at time.Time) insight.Claim {
	w.Helper()
	return insight.Claim{Purpose: must(w.Purpose(w.ctx, purpose))(w), Decision: d, EffectiveAt: at, Method: insight.MethodDeclared, Source: "desk"}
}

// decides records decisions of whoever has a name.
func (w *world) decides(name string, claims ...insight.Claim) *store.Recorded {
	w.Helper()
	return must(w.RecordConsents(w.ctx, by(name), claims))(w)
}

// readsFor is a reader for a purpose.
func (w *world) readsFor(purpose string) *store.Reader {
	w.Helper()
	v := viewer(purpose)
	v.Purposes = []string{purpose}
	return must(w.Reader(w.ctx, v, nil))(w)
}

// whose finds whom a name belongs to, whatever they decided.
func (w *world) whose(name string) uuid.UUID {
	w.Helper()
	return must(w.Find(w.ctx, by(name)))(w)
}

// sees tells what a purpose shows of somebody: what happened, earliest first, or that
// they are withheld.
func (w *world) sees(purpose, name string) string {
	w.Helper()
	r, id := w.readsFor(purpose), w.whose(name)
	var types []string
	for _, x := range w.interactions(r, []uuid.UUID{id}, insight.Selector{}, everything)[id].Items {
		types = append(types, x.Type)
	}
	slices.Reverse(types)
	_, err := r.Find(w.ctx, by(name))
	if err != nil {
		w.kind(err, insight.Withheld, "individual")
		w.same("of somebody withheld", types, []string(nil))
		return "withheld"
	}
	return strings.Join(types, " ")
}

// testDecisions: a ledger takes decisions whole or not at all, and each of them once.
func testDecisions(w *world) {
	w.happens(noon, "page", "u1", "a1")
	made := w.decides("a1", w.claim("marketing", yes, noon), w.claim("analytics", no, after(1)))
	w.same("whose", made.Individual, w.whose("u1"))
	w.same("in the order of the claims", []string{made.Records[0].Purpose.Key, made.Records[1].Purpose.Key}, []string{"marketing", "analytics"})
	keys := map[uuid.UUID]bool{}
	for n, d := range made.Records {
		w.same("its place", d.Sequence, n+1)
		w.same("it speaks for the browser too", len(d.Covers), 1)
		w.same("whose it is", d.IndividualID, made.Individual)
		w.same("its hash", consent.EntryOf(d).Sum(), d.Hash)
		keys[d.Owner], keys[d.Covers[0]] = true, true
	}
	w.same("one owner, and one whom it covers", len(keys), 2)
	w.same("the chain", []string{made.Records[0].PreviousHash, made.Records[1].PreviousHash}, []string{consent.First, made.Records[0].Hash})
	end := consent.Head{Ledger: made.Records[0].Owner.String(), Length: 2, Last: insight.FormatID(insight.ConsentPrefix, made.Records[1].ID), Hash: made.Records[1].Hash}
	w.same("where it ends", made.Heads, []consent.Head{end})
	w.same("all that is in it", len(made.Decisions), 2)

	// To the letter again, by another name of theirs, and with something that is new.
	again := w.decides("u1", w.claim("analytics", no, after(1)), w.claim("marketing", enough, after(5)), w.claim("marketing", yes, noon))
	w.same("what was there", []uuid.UUID{again.Records[0].ID, again.Records[2].ID}, []uuid.UUID{made.Records[1].ID, made.Records[0].ID})
	w.same("what is new", []any{again.Records[1].Sequence, again.Records[1].PreviousHash, len(again.Decisions), again.Heads[0].Length}, []any{3, made.Records[1].Hash, 3, 3})
	same := w.decides("a1", w.claim("analytics", no, after(1)))
	w.same("nothing new", []any{same.Records[0].ID, same.Heads, len(same.Decisions)}, []any{made.Records[1].ID, again.Heads, 3})

	// A letter less is a record of its own.
	for name, change := range map[string]func(*insight.Claim){
		"decision": func(c *insight.Claim) { c.Decision = enough }, "moment": func(c *insight.Claim) { c.EffectiveAt = after(2) },
		"method": func(c *insight.Claim) { c.Method = insight.MethodOperator }, "source": func(c *insight.Claim) { c.Source = "phone" },
		"policy": func(c *insight.Claim) { c.PolicyVersion = "2" }, "jurisdiction": func(c *insight.Claim) { c.Jurisdiction = "CH" },
		"evidence": func(c *insight.Claim) { c.Evidence = json.RawMessage(`{"a":1}`) },
	} {
		c := w.claim("analytics", no, after(1))
		change(&c)
		before := len(w.decides("u1", w.claim("analytics", no, after(1))).Decisions)
		w.same("another "+name, len(w.decides("u1", c).Decisions), before+1)
		w.same("again, another "+name, len(w.decides("u1", c).Decisions), before+1)
	}

	// Somebody nobody knew becomes known, and a no is remembered of them.
	_, err := w.Find(w.ctx, by("e9"))
	w.kind(err, insight.NotFound, "individual")
	stranger := w.decides("e9", w.claim("analytics", no, noon))
	w.same("who it is", stranger.Individual, w.whose("e9"))
	w.same("what comes of theirs", w.outcomes(w.event(after(9), "page", who("e9", "a9"))), "withheld")
	_, err = w.Find(w.ctx, by("a9"))
	w.kind(err, insight.NotFound, "individual")

	// One that cannot be spoils all of them, and makes nobody known.
	for subject, claims := range map[string][]insight.Claim{
		"consents[1].effectiveAt: ": {w.claim("marketing", yes, noon), w.claim("advertising", yes, time.Now().Add(time.Hour))},
		"consents[1].expiresAt: ": {w.claim("marketing", yes, noon), func() insight.Claim {
			c := w.claim("advertising", no, noon)
			c.ExpiresAt = after(1)
			return c
		}()},
		"consents[1].purpose: ": {w.claim("marketing", yes, noon), w.claim("marketing", no, noon)},
		"consents: ":            {},
		"consents[0].jurisdiction: ": {func() insight.Claim {
			c := w.claim("marketing", yes, noon)
			c.Jurisdiction = "a\x00b"
			return c
		}()},
		"consents[0].evidence: ": {func() insight.Claim {
			c := w.claim("marketing", yes, noon)
			c.Evidence = json.RawMessage(`{"a":"\u0000"}`)
			return c
		}()},
	} {
		for _, name := range []string{"u1", "u8"} {
			_, err := w.RecordConsents(w.ctx, by(name), claims)
			w.kind(err, insight.Invalid, subject)
		}
	}
	_, err = w.Find(w.ctx, by("u8"))
	w.kind(err, insight.NotFound, "individual")
	_, err = w.RecordConsents(w.ctx, store.Lookup{ID: uuid.New()}, []insight.Claim{w.claim("marketing", yes, noon)})
	w.kind(err, insight.NotFound, "individual")
	w.same("after the refusals", len(w.decides("u1", w.claim("analytics", no, after(1))).Decisions), 10)

	// An id that was merged away records for the survivor.
	w.happens(after(20), "page", "a2")
	old := w.whose("a2")
	w.happens(after(21), "page", "u2", "a2")
	w.happens(after(-9), "page", "u3")
	if _, _, err := w.Merge(w.ctx, by("u3"), by("u2"), "the same"); err != nil {
		w.Fatal(err)
	}
	late := must(w.RecordConsents(w.ctx, store.Lookup{ID: old}, []insight.Claim{w.claim("marketing", yes, noon)}))(w)
	w.same("whose it is", late.Individual, w.whose("u3"))
	w.same("whom it covers", len(late.Records[0].Covers), 2)
	w.sound()
}

// outcomes tells what becomes of events.
func (w *world) outcomes(events ...*insight.Event) string {
	w.Helper()
	var all []string
	for _, o := range must(w.Append(w.ctx, events))(w) {
		all = append(all, map[insight.Status]string{insight.StatusAccepted: "accepted", insight.StatusDuplicate: "duplicate", insight.StatusWithheld: "withheld"}[o.Status])
	}
	return strings.Join(all, " ")
}

// testLedger: the records of a ledger come back as they were written, one by one, by
// the page, and as they were known at any moment.
func testLedger(w *world) {
	w.happens(noon, "page", "u1", "a1")
	w.happens(noon, "page", "u2")
	var made []*insight.Consent
	for n := range 6 {
		var claims []insight.Claim
		for i, purpose := range []string{"marketing", "analytics", "advertising", "personalization"} {
			c := w.claim(purpose, []insight.ConsentDecision{yes, no, enough}[(n+i)%3], after(float64(n)))
			if purpose == "analytics" {
				c.Decision = yes // whoever reads for it
			}
			if c.Decision == yes {
				c.ExpiresAt = time.Date(2090, 1, 1+n, 0, 0, 0, 1000*i, time.UTC)
			}
			c.Method = []insight.ConsentMethod{insight.MethodBanner, insight.MethodTCF, insight.MethodImport}[n%3]
			c.PolicyVersion, c.Jurisdiction, c.Source = "日本 'v2'", `"\{},`, `NULL; --`
			c.Evidence = fmt.Appendf(nil, "{ \"z\": [1.50, 1e400, \"<&>é\u2028\"],\n \"a\": {\"n\":%d} }", n)
			claims = append(claims, c)
		}
		made = append(made, w.decides("u1", claims...).Records...)
	}
	r, id := w.reader(), w.whose("u1")
	place := func(d *insight.Consent) insight.Cursor { return insight.Cursor{At: d.RecordedAt, ID: d.ID} }
	other := w.whose("u2")
	list := func(w *world, p store.Page) store.Slice[*insight.Consent] {
		w.Helper()
		all := must(r.Consents(w.ctx, []uuid.UUID{other, id, uuid.New()}, p))(w)
		w.same("of somebody who has decided nothing", len(all[other].Items), 0)
		return all[id]
	}
	items := pages(w, list, place, func(d *insight.Consent) uuid.UUID { return d.ID })
	inOrder(w, items, place, true)
	w.same("their number", must(r.CountConsents(w.ctx, []uuid.UUID{other, id}))(w), map[uuid.UUID]int{id: 24})
	w.same("all of them", len(items), 24)
	byID := map[uuid.UUID]*insight.Consent{}
	for _, d := range made {
		byID[d.ID] = d
	}
	for _, d := range items {
		want := byID[d.ID]
		w.same("as it was written", consent.EntryOf(d), consent.EntryOf(want))
		w.same("its hash still", consent.EntryOf(d).Sum(), d.Hash)
		w.same("by its id", must(r.Consent(w.ctx, d.ID))(w), d)
		if d.Purpose != must(w.Purpose(w.ctx, d.Purpose.Key))(w) {
			w.Fatal("its purpose is not the one that is known")
		}
	}
	wanted := []uuid.UUID{made[9].ID, uuid.New(), made[2].ID, made[9].ID}
	var got []uuid.UUID
	for _, d := range must(r.ConsentsByID(w.ctx, wanted))(w) {
		got = append(got, d.ID)
	}
	w.same("by their ids", got, []uuid.UUID{made[9].ID, made[2].ID, made[9].ID})
	_, err := r.Consent(w.ctx, uuid.New())
	w.kind(err, insight.NotFound, "consent")

	// For a purpose that does not cover them there is no ledger.
	w.decides("u1", w.claim("marketing", enough, after(99)))
	blind := w.readsFor("marketing")
	_, err = blind.Consent(w.ctx, made[0].ID)
	w.kind(err, insight.Withheld, "consent")
	w.same("what is there", []int{
		len(must(blind.Consents(w.ctx, []uuid.UUID{id}, everything))(w)[id].Items), len(must(blind.CountConsents(w.ctx, []uuid.UUID{id}))(w)),
		len(must(blind.Decisions(w.ctx, []uuid.UUID{id}))(w)), len(must(blind.ConsentsByID(w.ctx, wanted))(w)),
	}, []int{0, 0, 0, 0})
	if v := must(w.VerifyConsents(w.ctx))(w); v.Total != 0 || v.Consents != 25 {
		w.Fatalf("%+v", v)
	}
	w.sound()
}

// testBitemporal: what was in force at a moment depends on what was known at another.
func testBitemporal(w *world) {
	w.happens(noon, "page", "u1")
	marketing := must(w.Purpose(w.ctx, "marketing"))(w)
	ends := w.claim("marketing", yes, after(10))
	ends.ExpiresAt = after(60)
	first := w.decides("u1", ends).Records[0]
	second := w.decides("u1", w.claim("marketing", enough, after(30))).Records[0]
	third := w.decides("u1", w.claim("marketing", no, after(20))).Records[0] // of before, learned later
	if !first.RecordedAt.Before(second.RecordedAt) || !second.RecordedAt.Before(third.RecordedAt) {
		w.Fatal("the clock stands still")
	}
	decisions := must(w.reader().Decisions(w.ctx, []uuid.UUID{w.whose("u1")}))(w)[w.whose("u1")]
	w.same("all of them", len(decisions), 3)
	tick := insight.Precision
	for _, c := range []struct {
		valid, known time.Time
		want         consent.Status
	}{
		{after(10), first.RecordedAt.Add(-tick), consent.StatusUnknown},
		{after(10).Add(-tick), third.RecordedAt, consent.StatusUnknown},
		{after(10), first.RecordedAt, consent.StatusGranted},
		{after(60).Add(-tick), first.RecordedAt, consent.StatusGranted},
		{after(60), second.RecordedAt.Add(-tick), consent.StatusExpired},
		{after(30), second.RecordedAt, consent.StatusWithdrawn},
		{after(30).Add(-tick), second.RecordedAt, consent.StatusGranted},
		{after(60), third.RecordedAt, consent.StatusWithdrawn},
		{after(20), third.RecordedAt.Add(-tick), consent.StatusGranted},
		{after(20), third.RecordedAt, consent.StatusDenied},
		{after(20).Add(-tick), third.RecordedAt, consent.StatusGranted},
	} {
		s := consent.InForce(marketing, decisions, c.valid, c.known)
		if s.Status != c.want || s.Permitted != (c.want == consent.StatusGranted) {
			w.Fatalf("at %v, by what was known at %v, it is %+v, want %s", c.valid, c.known, s, c.want)
		}
	}
}

// testDecided: whom a purpose covers, and which of what happened, follows every
// decision, from the moment on from which it holds.
func testDecided(w *world) {
	for n := range 5 {
		w.happens(after(float64(10*n)), fmt.Sprint("t", n), "u1", "a1")
	}
	for _, step := range []struct {
		purpose   string
		decision  insight.ConsentDecision
		at        float64
		marketing string
		analytics string
	}{
		{"", 0, 0, "withheld", "t0 t1 t2 t3 t4"},
		{"marketing", yes, 10, "t1 t2 t3 t4", "t0 t1 t2 t3 t4"},
		{"marketing", enough, 30, "withheld", "t0 t1 t2 t3 t4"},
		{"marketing", yes, 40, "t1 t2 t4", "t0 t1 t2 t3 t4"},
		{"marketing", no, 20, "t1 t4", "t0 t1 t2 t3 t4"},    // of before, learned later
		{"marketing", yes, 0, "t0 t1 t4", "t0 t1 t2 t3 t4"}, // of before everything
		{"analytics", no, 25, "t0 t1 t4", "withheld"},       // an objection
		{"analytics", yes, 35, "t0 t1 t4", "t0 t1 t2 t4"},   // and back
		{"analytics", yes, 25, "t0 t1 t4", "t0 t1 t2 t4"},   // of one moment, the more restrictive holds
		{"analytics", enough, 10, "t0 t1 t4", "t0 t4"},      // between them
		{"service", no, 0, "t0 t1 t4", "t0 t4"},             // it does not ask
		{"marketing", no, 40, "withheld", "t0 t4"},          // of one moment, once more
		{"marketing", yes, 40.001, "t0 t1", "t0 t4"},        // just after the last that happened
	} {
		if step.purpose != "" {
			w.decides("a1", w.claim(step.purpose, step.decision, after(step.at)))
		}
		what := fmt.Sprintf("after %s %d of %v", step.purpose, step.decision, step.at)
		w.same(what+": marketing", w.sees("marketing", "u1"), step.marketing)
		w.same(what+": analytics", w.sees("analytics", "u1"), step.analytics)
		w.same(what+": service", w.sees("service", "u1"), "t0 t1 t2 t3 t4")
		w.sound()
	}
	// What comes late is covered as it was when it happened.
	for n, minute := range []float64{5, 15, 25, 40.5} {
		w.happens(after(minute), fmt.Sprint("late", n), "u1")
	}
	w.same("marketing", w.sees("marketing", "u1"), "t0 late0 t1 late1 late3")
	w.same("analytics", w.sees("analytics", "u1"), "t0 late0 t4 late3")
	w.sound()
}

// testDecidedAnyhow: random decisions in random order cover what a plain reading of
// them covers.
func testDecidedAnyhow(w *world) {
	r := rand.New(rand.NewPCG(5, 6))
	purposes := []string{"analytics", "personalization", "marketing"}
	for person := range 25 {
		name := fmt.Sprint("u", person)
		var events []*insight.Event
		for n := range 12 {
			events = append(events, w.event(after(float64(r.IntN(12))), fmt.Sprint("t", n), who(name)))
		}
		w.keep(events[:8]...)
		var all []insight.Claim
		for range 1 + r.IntN(7) {
			c := w.claim(purposes[r.IntN(3)], []insight.ConsentDecision{yes, no, enough}[r.IntN(3)], after(float64(r.IntN(12))))
			if c.Decision == yes && r.IntN(2) == 0 {
				c.ExpiresAt = []time.Time{c.EffectiveAt.Add(time.Duration(1+r.IntN(5)) * time.Minute), time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC)}[r.IntN(2)]
			}
			all = append(all, c)
			w.decides(name, c)
		}
		kept := slices.Clone(events[:8])
		if plainly(all, "analytics", time.Now()) {
			w.keep(events[8:]...)
			kept = events
		} else {
			w.same("of somebody who objects", w.outcomes(events[8:]...), "withheld withheld withheld withheld")
		}
		slices.SortFunc(kept, func(a, b *insight.Event) int {
			x, y := a.ID(), b.ID()
			return cmp.Or(a.OccurredAt.Compare(b.OccurredAt), bytes.Compare(x[:], y[:]))
		})
		for _, purpose := range purposes {
			want := "withheld"
			if plainly(all, purpose, time.Now()) {
				var types []string
				for _, e := range kept {
					if plainly(all, purpose, e.OccurredAt) {
						types = append(types, e.Type)
					}
				}
				want = strings.Join(types, " ")
			}
			w.same(fmt.Sprintf("%s of %s, after %+v", purpose, name, all), w.sees(purpose, name), want)
		}
	}
	w.sound()
}

// plainly reads what one person, who was never two, decided: of the decisions about a
// purpose that hold at a moment the latest counts, and of those of one moment the
// strictest, of several yeses the one that was recorded last.
func plainly(claims []insight.Claim, purpose string, at time.Time) bool {
	var last *insight.Claim
	for n, c := range claims {
		if c.Purpose.Key != purpose || c.EffectiveAt.After(at) {
			continue
		}
		if last == nil || c.EffectiveAt.After(last.EffectiveAt) || c.EffectiveAt.Equal(last.EffectiveAt) && c.Decision >= last.Decision {
			last = &claims[n]
		}
	}
	asked := purpose != "analytics"
	switch {
	case last == nil:
		return !asked
	case last.Decision != yes:
		return false
	}
	return !asked || last.ExpiresAt.IsZero() || last.ExpiresAt.After(at)
}

// define makes or changes a purpose.
func (w *world) define(key string, basis insight.LegalBasis, retroactive bool) *insight.Purpose {
	w.Helper()
	return must(w.DefinePurpose(w.ctx, insight.Purpose{Key: key, Name: key, LegalBasis: basis, Retroactive: retroactive, Floor: 10}))(w)
}

// testDefine: a purpose that is new covers at once whom its basis covers, and whatever
// happened before; one whose basis changes covers others from then on, and what was
// permitted stays as it was.
func testDefine(w *world) {
	w.happens(noon, "old", "u1")
	w.happens(noon, "old", "u2")
	w.decides("u2", w.claim("marketing", yes, noon), w.claim("advertising", no, noon))
	w.decides("u3", w.claim("marketing", no, noon))
	for n, basis := range insight.LegalBases {
		w.sub(string(basis), func(w *world) {
			key, known := fmt.Sprint("new", n), fmt.Sprint("u", 30+n)
			w.happens(noon, "old", known)
			p := w.define(key, basis, false)
			w.same("where it stands", []any{p.Bit, p.Inverted, len(p.Versions)}, []any{uint8(5 + n), basis.Unasked(), 1})
			everyone, old := "withheld", "withheld"
			if basis.Unasked() {
				everyone, old = "", "old"
			}
			w.same("of before", []string{w.sees(key, known), w.sees(key, "u2"), w.sees(key, "u3")}, []string{old, old, everyone})
			fresh := fmt.Sprint("u", 10+n)
			w.happens(noon, "old", fresh)
			w.same("of somebody new", w.sees(key, fresh), old)
			w.sound()
			w.decides(fresh, w.claim(key, no, after(-1)))
			w.decides(known, w.claim(key, yes, after(1)))
			w.happens(after(2), "new", known)
			refused, agreed := "withheld", "new"
			if !basis.Choice() {
				refused = "old"
			}
			if basis.Unasked() {
				agreed = "old new"
			}
			w.same("of somebody who refuses", w.sees(key, fresh), refused)
			w.same("of somebody who agrees", w.sees(key, known), agreed)
			w.sound()
		})
	}
	_, err := w.DefinePurpose(w.ctx, insight.Purpose{Key: "x", Name: "x", LegalBasis: "WHIM", Floor: 10})
	w.kind(err, insight.Invalid, "legalBasis")

	// Back and forth: the very moment of a change belongs to the new terms.
	moves := w.define("moves", insight.BasisLegitimateInterest, false)
	w.happens(moves.Versions[0].At, "one", "u21")
	w.happens(noon, "before", "u22")
	moves = w.define("moves", insight.BasisConsent, false)
	w.same("versions", len(moves.Versions), 2)
	turn := moves.Versions[1].At
	w.same("asked now", []string{w.sees("moves", "u21"), w.sees("moves", "u22")}, []string{"withheld", "withheld"})
	w.keep(w.event(turn.Add(-insight.Precision), "just before", who("u21")), w.event(turn, "two", who("u21")))
	w.sound()
	granted := w.decides("u21", insight.Claim{Purpose: moves, Decision: yes, Method: insight.MethodDeclared, Source: "desk"}).Records[0].EffectiveAt
	w.keep(w.event(granted.Add(-insight.Precision), "just before the yes", who("u21")), w.event(granted, "three", who("u21")))
	w.same("after a yes", w.sees("moves", "u21"), "one just before three")
	w.sound()
	moves = w.define("moves", insight.BasisLegitimateInterest, false)
	w.keep(w.event(moves.Versions[2].At, "four", who("u21")), w.event(moves.Versions[2].At, "four", who("u22")))
	w.same("back again", []string{w.sees("moves", "u21"), w.sees("moves", "u22")}, []string{"one just before three four", "before four"})
	w.keep(w.event(turn, "in between, late", who("u22")))
	w.same("what comes late", w.sees("moves", "u22"), "before four")
	w.sound()
	moves = w.define("moves", insight.BasisContract, false)
	w.decides("u22", insight.Claim{Purpose: moves, Decision: no, Method: insight.MethodDeclared, Source: "desk"})
	w.same("where nobody is asked", w.sees("moves", "u22"), "before four")
	moves = w.define("moves", insight.BasisConsent, false)
	w.same("asked again", []string{w.sees("moves", "u21"), w.sees("moves", "u22")}, []string{"one just before three four", "withheld"})
	w.sound()

	// What is said of everybody in words alone changes nobody.
	renamed := *moves
	renamed.Name, renamed.Categories = "Moves", []string{"Moving"}
	moves = must(w.DefinePurpose(w.ctx, renamed))(w)
	w.same("by another name", []any{moves.Name, moves.Categories, len(moves.Versions), w.sees("moves", "u21")}, []any{"Moves", []string{"Moving"}, 5, "one just before three four"})

	// Retroactive: once there is a yes, all that ever happened is read.
	w.define("memory", insight.BasisConsent, true)
	w.same("without a yes", w.sees("memory", "u2"), "withheld")
	w.decides("u2", w.claim("memory", yes, after(30)))
	w.happens(after(40), "after", "u2")
	w.same("with a yes", w.sees("memory", "u2"), "old after")
	w.define("memory", insight.BasisConsent, false)
	w.same("not any longer", w.sees("memory", "u2"), "after")
	w.define("memory", insight.BasisConsent, true)
	w.decides("u2", w.claim("memory", enough, after(50)))
	w.same("taken back", w.sees("memory", "u2"), "withheld")
	w.sound()
}

// testSignals: what events say of consent counts from the event on that says it, in
// its batch and in every later one; what may not be kept leaves the decision alone.
func testSignals(w *world) {
	says := func(e *insight.Event, s insight.Signals) *insight.Event { e.Signals = &s; return e }
	refuses, agrees := insight.Signals{Categories: map[string]bool{"Analytics": false}}, insight.Signals{Categories: map[string]bool{"Analytics": true, "Marketing": true}}
	one, two, three := w.event(noon, "one", who("a1")), says(w.event(after(1), "two", who("a1")), refuses), w.event(after(2), "three", who("a1"))
	two.Traits, three.Traits = []insight.Observation{declared("plan", `"gold"`)}, []insight.Observation{declared("plan", `"gold"`)}
	w.same("a batch", w.outcomes(one, two, three), "accepted withheld withheld")
	w.same("again", w.outcomes(one, two, three), "duplicate withheld withheld")
	w.same("in service", w.sees("service", "a1"), "one")
	w.same("traits", len(must(w.readsFor("service").Traits(w.ctx, []uuid.UUID{w.whose("a1")}))(w)), 0)
	records := must(w.readsFor("service").Consents(w.ctx, []uuid.UUID{w.whose("a1")}, everything))(w)[w.whose("a1")].Items
	w.same("the decision, once", len(records), 1)
	w.same("what it says", []any{records[0].Decision, records[0].EffectiveAt, records[0].Method, records[0].Source, string(records[0].Evidence)},
		[]any{no, after(1), insight.MethodCategory, store.APISource, `{"categoryPreferences":{"Analytics":false}}`})

	// What happened before, and comes late, may not be kept either: they have said no by now.
	w.same("late", w.outcomes(w.event(after(0.5), "late", who("a1"))), "withheld")
	// A statement of the business about them is no event of theirs.
	said := w.event(after(3), "identify", who("u1", "a1"))
	said.Statement = true
	w.same("a statement", w.outcomes(said), "accepted")
	w.together2("u1", "a1")
	w.same("an event of any of their names", w.outcomes(w.event(after(4), "four", who("u1")), w.event(after(4), "four", who("u1", "d1"))), "withheld withheld")
	_, err := w.Find(w.ctx, by("d1"))
	w.kind(err, insight.NotFound, "individual")

	// A yes, and everything that comes after it.
	back := says(w.event(after(5), "five", who("a1")), agrees)
	w.same("a batch with a yes", w.outcomes(w.event(after(4), "four", who("a1")), back, w.event(after(6), "six", who("u1"))), "withheld accepted accepted")
	w.same("in analytics", w.sees("analytics", "u1"), "one five six")
	w.same("in marketing", w.sees("marketing", "u1"), "five six")
	w.same("two is not kept before, and so is accepted now", w.outcomes(w.event(after(7), "seven", who("a1"))), "accepted")
	w.sound()

	// A browser that says no to being sold, of somebody who is never heard of else.
	w.same("the signal", w.outcomes(says(w.event(noon, "page", who("a5")), insight.Signals{GPC: true})), "accepted")
	w.decides("a5", w.claim("advertising", yes, after(-5)))
	w.same("a yes of before", w.sees("advertising", "a5"), "withheld")
	w.decides("a5", w.claim("advertising", yes, after(5)))
	w.same("a yes of after", w.sees("advertising", "a5"), "")
	// To say it with every event is to say it once.
	var many []*insight.Event
	for n := range 30 {
		many = append(many, says(w.event(after(float64(10+n)), "page", who("a6")), insight.Signals{GPC: true}))
	}
	w.keep(many[:3]...)
	w.keep(many[3:]...)
	w.same("records", must(w.readsFor("service").CountConsents(w.ctx, []uuid.UUID{w.whose("a6")}))(w)[w.whose("a6")], 1)

	// Whoever says no first is known by it, and nothing else is.
	first := says(w.event(noon, "page", who("u7", "a7")), refuses)
	first.Traits = []insight.Observation{declared("plan", `"gold"`)}
	w.same("the first", w.outcomes(first), "withheld")
	w.together2("u7", "a7")
	w.same("nothing happened", w.sees("service", "u7"), "")
	w.same("nothing is known", len(must(w.readsFor("service").Traits(w.ctx, []uuid.UUID{w.whose("u7")}))(w)), 0)

	// Two meet, one of whom refuses.
	w.happens(noon, "page", "u8")
	w.decides("a8", w.claim("analytics", no, noon))
	w.same("they meet", w.outcomes(w.event(after(1), "page", who("u8", "a8"))), "withheld")
	if w.whose("u8") == w.whose("a8") {
		w.Fatal("what may not be kept has made them one")
	}
	w.sound()
}

// together2 is together, whatever they decided.
func (w *world) together2(a, b string) {
	w.Helper()
	if w.whose(a) != w.whose(b) {
		w.Fatalf("%s and %s are two individuals", a, b)
	}
}

// testPartialSessions: of somebody of whom some of what happened may be read, the
// visits are those that are made of it, and nothing tells of the rest.
func testPartialSessions(w *world) {
	r := rand.New(rand.NewPCG(7, 8))
	shop, _, err := w.CreateSource(w.ctx, sourceOf("shop", time.Hour))
	if err != nil {
		w.Fatal(err)
	}
	web, mail := must(w.Channel(w.ctx, "web", ""))(w), must(w.Channel(w.ctx, "email", ""))(w)
	partial := 0
	for person := range 16 {
		name := fmt.Sprint("u", person)
		var events []*insight.Event
		for range 3 + r.IntN(40) {
			names := []string{name, fmt.Sprint("a", person), fmt.Sprint("d", person)}[:1+r.IntN(3)]
			e := w.event(after(float64(r.IntN(30)*10)), []string{"page", "click", "purchase"}[r.IntN(3)], who(names...))
			e.Channel, e.Campaign = []*insight.Channel{web, mail}[r.IntN(2)], insight.Campaign{Name: fmt.Sprint("c", r.IntN(3))}
			if r.IntN(3) == 0 {
				e.Source = shop
			}
			if r.IntN(6) == 0 {
				e.Direction = insight.Outbound
			}
			events = append(events, e)
		}
		w.keep(events...)
		var claims []insight.Claim
		for n := range 1 + r.IntN(4) {
			c := w.claim("marketing", []insight.ConsentDecision{yes, no, enough}[r.IntN(3)], after(float64(r.IntN(30)*10)))
			if n == 0 {
				c.Decision, c.EffectiveAt = yes, after(float64(200+r.IntN(10)*10))
			}
			claims = append(claims, c)
			w.decides(name, c)
		}
		if w.visitsOf(name, claims) {
			partial++
		}
	}
	if partial < 6 {
		w.Fatalf("%d of 16 are covered in part, which says little", partial)
	}
	w.sound()
}

// visitsOf compares what marketing shows of somebody's visits with what session.Merge
// makes of what it may read. It reports whether it was in part.
func (w *world) visitsOf(name string, claims []insight.Claim) bool {
	w.Helper()
	id := w.whose(name)
	reads := w.readsFor("marketing")
	covered := plainly(claims, "marketing", time.Now())
	part := false
	visible := map[uuid.UUID]*insight.Interaction{}
	var hidden, shown []uuid.UUID
	runs := map[session.Line][]session.Run{}
	for _, x := range w.interactions(w.readsFor("service"), []uuid.UUID{id}, insight.Selector{}, everything)[id].Items {
		may := covered && plainly(claims, "marketing", x.OccurredAt)
		part = part || covered && !may
		if !may {
			hidden = append(hidden, x.ID)
			continue
		}
		visible[x.ID], shown = x, append(shown, x.ID)
		run, inbound := session.Of(session.Moment{ID: x.ID, Channel: x.Channel.ID, Campaign: x.Campaign, Type: x.Type, Direction: x.Direction, OccurredAt: x.OccurredAt, Value: x.Value})
		if inbound {
			line := session.Line{Individual: id, Source: x.Source.ID, Stream: x.Stream}
			runs[line] = append(runs[line], run)
		}
	}
	want := []*insight.Session{}
	members := map[uuid.UUID][]uuid.UUID{} // newest first
	of := map[uuid.UUID]uuid.UUID{}
	for line, some := range runs {
		source, ok := must(w.Named(w.ctx, line.Source))(w).(*insight.Source)
		if !ok {
			w.Fatal("a line's source is none")
		}
		for _, run := range session.Merge(source.SessionTimeout, some) {
			entry := visible[run.First]
			s := &insight.Session{
				ID: run.First, IndividualID: id, Stream: line.Stream, Source: source, EntryChannel: entry.Channel, StartedAt: run.Start, EndedAt: run.End,
				Interactions: run.Interactions, Engaged: run.Engaged(), Campaign: entry.Campaign, Partial: part,
			}
			want = append(want, s)
			for _, x := range shown { // newest first, as they were read
				if v := visible[x]; v.Direction == insight.Inbound && v.Source == source && v.Stream == line.Stream && !v.OccurredAt.Before(run.Start) && !v.OccurredAt.After(run.End) {
					members[s.ID], of[x] = append(members[s.ID], x), s.ID
				}
			}
		}
	}
	slices.SortFunc(want, func(a, b *insight.Session) int {
		return cmp.Or(b.StartedAt.Compare(a.StartedAt), compareIDs(b.ID, a.ID))
	})
	place := func(s *insight.Session) insight.Cursor { return insight.Cursor{At: s.StartedAt, ID: s.ID} }
	list := func(w *world, p store.Page) store.Slice[*insight.Session] {
		w.Helper()
		return must(reads.Sessions(w.ctx, []uuid.UUID{id, uuid.New()}, p))(w)[id]
	}
	got := append([]*insight.Session{}, list(w, everything).Items...)
	w.same("the visits of "+name, got, want)
	w.same("their number", must(reads.CountSessions(w.ctx, []uuid.UUID{id}))(w)[id], len(want))
	if len(want) > 3 {
		pages(w, list, place, func(s *insight.Session) uuid.UUID { return s.ID })
	}
	counts := must(reads.CountSessionInteractions(w.ctx, want))(w)
	inside := must(reads.SessionInteractions(w.ctx, want, everything, store.WithAll))(w)
	for _, s := range want {
		w.same("how many are in a visit", counts[s.ID], s.Interactions)
		var ids []uuid.UUID
		for _, x := range inside[s.ID].Items {
			ids = append(ids, x.ID)
			w.same("what is in a visit", x, visible[x.ID])
		}
		w.same("which are in a visit", ids, members[s.ID])
		for _, x := range members[s.ID] {
			w.same("by what is in it", must(reads.Session(w.ctx, x))(w), s)
		}
		if s.Interactions > 4 {
			page := func(w *world, p store.Page) store.Slice[*insight.Interaction] {
				w.Helper()
				return must(reads.SessionInteractions(w.ctx, want, p, store.WithAll))(w)[s.ID]
			}
			pages(w, page, placeOf, func(x *insight.Interaction) uuid.UUID { return x.ID })
		}
	}
	found := map[uuid.UUID]uuid.UUID{}
	for x, s := range must(reads.SessionsOf(w.ctx, slices.Concat(hidden, shown)))(w) {
		found[x] = s.ID
	}
	w.same("the visits of what happened", found, of)
	for _, x := range hidden {
		_, err := reads.Session(w.ctx, x)
		if k := insight.KindOf(err); k != insight.Withheld && k != insight.NotFound {
			w.Fatalf("a visit by what may not be read: %v", err)
		}
		_, err = reads.Interaction(w.ctx, x)
		w.kind(err, insight.Withheld, "interaction")
	}
	return part
}

// testLedgersMeet: where two turn out to be one, the strictest word holds until one is
// said that speaks for both; where they come apart, a no goes with each.
func testLedgersMeet(w *world) {
	w.happens(noon, "page", "u1", "a1")
	w.happens(noon, "page", "u2", "a2")
	w.decides("u1", w.claim("marketing", yes, after(10)))
	w.decides("u2", w.claim("marketing", no, after(5)))
	_, link, err := w.Merge(w.ctx, by("u1"), by("u2"), "the same")
	if err != nil {
		w.Fatal(err)
	}
	w.same("one of them says no", w.sees("marketing", "u1"), "withheld")
	r := w.reader()
	w.same("both ledgers", must(r.CountConsents(w.ctx, []uuid.UUID{w.whose("u1")}))(w)[w.whose("u1")], 2)
	w.sound()
	must(w.Unmerge(w.ctx, []uuid.UUID{link}, "two after all"))(w)
	w.same("apart again", []string{w.sees("marketing", "u1"), w.sees("marketing", "u2")}, []string{"", "withheld"})
	w.sound()

	// Together they say yes, and as two each has it for themselves.
	_, link, err = w.Merge(w.ctx, by("u1"), by("u2"), "the same")
	if err != nil {
		w.Fatal(err)
	}
	both := w.decides("a2", w.claim("marketing", yes, after(20)))
	w.same("for all four", len(both.Records[0].Covers), 3)
	w.same("a word for both", w.sees("marketing", "u2"), "")
	w.decides("u1", w.claim("advertising", no, after(30)))
	must(w.Unmerge(w.ctx, []uuid.UUID{link}, "two after all"))(w)
	w.sound()
	w.same("a yes stays where it is written, and the no of before counts again", []string{w.sees("marketing", "u1"), w.sees("marketing", "u2")}, []string{"", "withheld"})
	w.decides("u1", w.claim("advertising", yes, after(40)))
	w.decides("u2", w.claim("marketing", yes, after(40)))
	w.same("each for themselves", []string{w.sees("advertising", "u1"), w.sees("advertising", "u2"), w.sees("marketing", "u2")}, []string{"", "withheld", ""})
	if _, _, err = w.Merge(w.ctx, by("u1"), by("u2"), "the same, really"); err != nil {
		w.Fatal(err)
	}
	w.same("the no of one of them", w.sees("advertising", "u1"), "withheld")
	w.same("the yes of both", w.sees("marketing", "u1"), "")
	if v := must(w.VerifyConsents(w.ctx))(w); v.Total != 0 || v.Consents < 7 {
		w.Fatalf("%+v", v)
	}
	w.sound()
}
