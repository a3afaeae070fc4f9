package consent_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
)

// The moments of these tests are few hours, so that many fall together; between two
// of them nothing happens.
const hours = 12

func hour(n int) time.Time { return seen.Add(time.Duration(n) * time.Hour) }

// moments are all hours of these tests and the halves between them.
func moments() []time.Time {
	var all []time.Time
	for at := hour(-1); !at.After(hour(hours + 2)); at = at.Add(30 * time.Minute) {
		all = append(all, at)
	}
	return all
}

func identifier(n int) uuid.UUID { return uuid.UUID{0: byte(101 * n), 15: byte(n + 1)} }

// policy draws purposes on any basis, some of which changed theirs.
func policy(t *rapid.T) []*insight.Purpose {
	// Consent and legitimate interest are drawn often: on the others nothing is decided.
	basis := rapid.OneOf(rapid.SampledFrom([]insight.LegalBasis{insight.BasisConsent, insight.BasisLegitimateInterest}), rapid.SampledFrom(insight.LegalBases))
	all := make([]*insight.Purpose, rapid.IntRange(1, 3).Draw(t, "purposes"))
	for i := range all {
		p := &insight.Purpose{ID: uuid.UUID{byte(i * 73)}, Key: string(rune('a' + i)), Bit: uint8(i * 5)}
		at := rapid.SliceOfNDistinct(rapid.IntRange(0, hours), 0, 3, rapid.ID).Draw(t, "versions")
		slices.Sort(at)
		for _, n := range at {
			p.Versions = append(p.Versions, insight.PurposeVersion{At: hour(n), LegalBasis: basis.Draw(t, "basis")})
		}
		p.LegalBasis = basis.Draw(t, "basis")
		if n := len(p.Versions); n > 0 {
			p.LegalBasis = p.Versions[n-1].LegalBasis
		}
		all[i] = p
	}
	return all
}

var decided = rapid.SampledFrom([]insight.ConsentDecision{insight.ConsentGranted, insight.ConsentGranted, insight.ConsentDenied, insight.ConsentWithdrawn})

// decisions draws what people with some identifiers decided; who was whom then is in
// no relation to anything.
func decisions(t *rapid.T, purposes []*insight.Purpose, keys []uuid.UUID) []*insight.Consent {
	all := make([]*insight.Consent, rapid.IntRange(0, 10).Draw(t, "decisions"))
	key := rapid.SampledFrom(keys)
	for i := range all {
		d := &insight.Consent{
			ID: uuid.New(), Owner: key.Draw(t, "owner"), Purpose: rapid.SampledFrom(purposes).Draw(t, "purpose"), Decision: decided.Draw(t, "decision"),
			EffectiveAt: hour(rapid.IntRange(0, hours).Draw(t, "effective")), RecordedAt: hour(rapid.IntRange(0, hours).Draw(t, "recorded")),
		}
		binary.BigEndian.PutUint64(d.ID[:], rapid.Uint64().Draw(t, "id"))
		for _, k := range rapid.SliceOfNDistinct(key, 0, min(2, len(keys)), rapid.ID).Draw(t, "covers") {
			if k != d.Owner {
				d.Covers = append(d.Covers, k)
			}
		}
		if d.Decision == insight.ConsentGranted && rapid.Bool().Draw(t, "ends") {
			d.ExpiresAt = d.EffectiveAt.Add(time.Duration(rapid.IntRange(1, 6).Draw(t, "after")) * time.Hour)
		}
		all[i] = d
	}
	return all
}

func people(n int) []uuid.UUID {
	keys := make([]uuid.UUID, n)
	for i := range keys {
		keys[i] = identifier(i)
	}
	return keys
}

// oracle is the text of the package, said again as plain loops. Every statement of
// it stands under the sentence that it says.
func oracle(p *insight.Purpose, decisions []*insight.Consent, validAt, knownAt time.Time) (consent.Status, bool, *insight.Consent) {
	// "Two times count: what held, and what we knew."
	var known []*insight.Consent
	for _, d := range decisions {
		if d.Purpose.ID == p.ID && !d.EffectiveAt.After(validAt) && !d.RecordedAt.After(knownAt) {
			known = append(known, d)
		}
	}

	// "Of two decisions that hold from the same moment, the more restrictive is the later."
	later := func(d, than *insight.Consent) bool {
		switch {
		case !d.EffectiveAt.Equal(than.EffectiveAt):
			return d.EffectiveAt.After(than.EffectiveAt)
		case d.Decision != than.Decision:
			return d.Decision > than.Decision
		case !d.RecordedAt.Equal(than.RecordedAt):
			return d.RecordedAt.After(than.RecordedAt)
		}
		return string(d.ID[:]) > string(than.ID[:])
	}
	// "A decision speaks for the identifiers that were the person's when it was recorded."
	saidFor := func(d *insight.Consent) map[uuid.UUID]bool {
		all := map[uuid.UUID]bool{d.Owner: true}
		for _, key := range d.Covers {
			all[key] = true
		}
		return all
	}
	within := func(keys, all map[uuid.UUID]bool) bool {
		for key := range keys {
			if !all[key] {
				return false
			}
		}
		return true
	}
	replaced := func(d *insight.Consent) bool {
		unsaid := saidFor(d)
		for _, other := range known {
			var counts bool
			switch {
			case !later(other, d):
				continue
			case !d.Decision.No():
				// "A yes stays with the identifier in whose ledger it was written."
				if saidFor(other)[d.Owner] {
					return true
				}
				continue
			case other.Decision.No():
				// A no repeats another in the same ledger.
				counts = other.Owner == d.Owner && within(saidFor(other), saidFor(d))
			default:
				// "No sequence of merges and unmerges turns a no into a yes": it holds until
				// a yes is recorded after it, or was by one of those who said the no.
				counts = !other.RecordedAt.Before(d.RecordedAt) || saidFor(d)[other.Owner]
			}
			if !counts {
				continue
			}
			// "A no goes with each part for which it was said": when its owner speaks
			// anew, those who are not spoken for any more have gone, with the no.
			if other.RecordedAt.After(d.RecordedAt) && saidFor(other)[d.Owner] {
				return true
			}
			for key := range saidFor(other) {
				delete(unsaid, key)
			}
		}
		return len(unsaid) == 0
	}

	// "Each one's latest word stands, and the strictest of them holds."
	var no, over, ending, lasting *insight.Consent
	for _, d := range known {
		if replaced(d) {
			continue
		}
		switch {
		case d.Decision != insight.ConsentGranted:
			if no == nil || later(d, no) {
				no = d
			}
		case d.ExpiresAt.IsZero():
			if lasting == nil || later(d, lasting) {
				lasting = d
			}
		case d.ExpiresAt.After(validAt):
			if ending == nil || d.ExpiresAt.Before(ending.ExpiresAt) || d.ExpiresAt.Equal(ending.ExpiresAt) && later(d, ending) {
				ending = d
			}
		default:
			if over == nil || later(d, over) {
				over = d
			}
		}
	}

	// The basis is that of the moment, as far as it was known.
	at := validAt
	if knownAt.Before(at) {
		at = knownAt
	}
	basis := p.LegalBasis
	if len(p.Versions) > 0 {
		basis = p.Versions[0].LegalBasis
	}
	for _, v := range p.Versions {
		if !v.At.After(at) {
			basis = v.LegalBasis
		}
	}
	asks, interest := basis == insight.BasisConsent || basis == insight.BasisLegitimateInterest, basis == insight.BasisLegitimateInterest

	for _, held := range []struct {
		record    *insight.Consent
		status    consent.Status
		permitted bool
	}{{no, consent.StatusDenied, false}, {over, consent.StatusExpired, interest}, {ending, consent.StatusGranted, true}, {lasting, consent.StatusGranted, true}} {
		switch {
		case held.record == nil:
		case !asks:
			return consent.StatusNotRequired, true, held.record
		case held.record.Decision == insight.ConsentWithdrawn:
			return consent.StatusWithdrawn, false, held.record
		default:
			return held.status, held.permitted, held.record
		}
	}
	if !asks {
		return consent.StatusNotRequired, true, nil
	}
	return consent.StatusUnknown, interest, nil
}

func TestInForceIsWhatTheTextSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		purposes := policy(t)
		all := decisions(t, purposes, people(4))
		for range 10 {
			p := rapid.SampledFrom(purposes).Draw(t, "purpose")
			validAt, knownAt := rapid.SampledFrom(moments()).Draw(t, "validAt"), rapid.SampledFrom(moments()).Draw(t, "knownAt")
			got := consent.InForce(p, all, validAt, knownAt)
			status, permitted, record := oracle(p, all, validAt, knownAt)
			if got.Status != status || got.Permitted != permitted || got.Record != record {
				t.Fatalf("%s, permitted %v, by %+v\nthe text says %s, %v, by %+v", got.Status, got.Permitted, got.Record, status, permitted, record)
			}
			switch {
			case record == nil && !got.Since.IsZero(), record != nil && !got.Since.Equal(record.EffectiveAt):
				t.Fatalf("since %v by %+v", got.Since, record)
			case status == consent.StatusGranted && !got.ExpiresAt.Equal(record.ExpiresAt), status != consent.StatusGranted && !got.ExpiresAt.IsZero():
				t.Fatalf("%s until %v by %+v", status, got.ExpiresAt, record)
			case got.Because == "":
				t.Fatal("no reason")
			}
		}
	})
}

// Neither the order of the decisions, nor those about other purposes, nor those that
// were not known or not effective then change an answer; and what is given is left
// as it was.
func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		purposes, keys := policy(t), people(4)
		all := decisions(t, purposes, keys)
		before := slices.Clone(all)
		copies := make([]insight.Consent, len(all))
		for i, d := range all {
			copies[i] = *d
			copies[i].Covers = slices.Clone(d.Covers)
		}
		at, known := rapid.SampledFrom(moments()).Draw(t, "at"), rapid.SampledFrom(moments()).Draw(t, "known")
		parts := [][]uuid.UUID{keys[:1], keys[1:3], keys[3:]}
		claim := claimOf(t, purposes)
		ask := func(all []*insight.Consent) []any {
			answers := []any{consent.Spans(purposes, all, at), consent.Permitted(purposes, all, at), consent.Lapse(purposes, all, at), consent.Parting(all, parts, at), consent.Refused(all, at), consent.Says(all, claim, keys[:2])}
			for _, p := range purposes {
				answers = append(answers, consent.InForce(p, all, at, known))
			}
			return answers
		}
		want := ask(all)
		if !slices.Equal(all, before) {
			t.Fatal("the decisions were put in another order")
		}
		for i, d := range all {
			if diff := cmp.Diff(copies[i], *d); diff != "" {
				t.Fatalf("a decision was changed:\n%s", diff)
			}
		}
		shuffle(t, all)
		if diff := cmp.Diff(want, ask(all)); diff != "" {
			t.Fatalf("the order matters:\n%s", diff)
		}
		for _, p := range purposes {
			counts := slices.DeleteFunc(slices.Clone(all), func(d *insight.Consent) bool {
				return d.Purpose != p || d.RecordedAt.After(known) || d.EffectiveAt.After(at)
			})
			if diff := cmp.Diff(consent.InForce(p, all, at, known), consent.InForce(p, counts, at, known)); diff != "" {
				t.Fatalf("what does not count counts:\n%s", diff)
			}
		}
	})
}

func shuffle[T any](t *rapid.T, all []T) {
	r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
}

// The spans say of every moment what is permitted then, and no more than that; and
// that is what is in force of each purpose.
func TestSpans(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		purposes := policy(t)
		all := decisions(t, purposes, people(4))
		until := rapid.SampledFrom(moments()).Draw(t, "until")
		spans := consent.Spans(purposes, all, until)
		if !spans[0].From.IsZero() {
			t.Fatalf("the first span begins at %v", spans[0].From)
		}
		for i := 1; i < len(spans); i++ {
			if !spans[i].From.After(spans[i-1].From) || spans[i].Set == spans[i-1].Set || spans[i].From.After(until) {
				t.Fatalf("span %d of %v until %v", i, spans, until)
			}
		}
		for _, at := range append(moments(), time.Time{}) {
			set := consent.Permitted(purposes, all, at)
			if got := consent.At(spans, at); !at.After(until) && got != set {
				t.Fatalf("%v at %v is %b, permitted is %b", spans, at, got, set)
			}
			var sum insight.Set
			for _, p := range purposes {
				if consent.InForce(p, all, at, hour(100)).Permitted {
					sum |= p.Set()
				}
			}
			if sum != set {
				t.Fatalf("permitted at %v is %b, one by one %b", at, set, sum)
			}
		}
		if consent.At(nil, until) != 0 {
			t.Fatal("nothing covers somebody")
		}
	})
}

// A lapse is the first moment at which less is permitted than now, and nothing but
// the end of a grant makes one when all decisions and all terms are of the past.
func TestLapse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		purposes := policy(t)
		all := decisions(t, purposes, people(4))
		at := rapid.SampledFrom(moments()).Draw(t, "at")
		if rapid.Bool().Draw(t, "all is of the past") {
			all = slices.DeleteFunc(all, func(d *insight.Consent) bool { return d.EffectiveAt.After(at) })
			for _, p := range purposes {
				p.Versions = slices.DeleteFunc(p.Versions, func(v insight.PurposeVersion) bool { return v.At.After(at) })
				if n := len(p.Versions); n > 0 {
					p.LegalBasis = p.Versions[n-1].LegalBasis
				}
			}
			for _, p := range purposes {
				if s := consent.InForce(p, all, at, hour(100)); p.LegalBasis == insight.BasisConsent && !s.ExpiresAt.IsZero() {
					if !consent.InForce(p, all, s.ExpiresAt.Add(-1), hour(100)).Permitted || consent.InForce(p, all, s.ExpiresAt, hour(100)).Permitted {
						t.Fatalf("%+v does not end then", s)
					}
				}
			}
		}
		got := consent.Lapse(purposes, all, at)
		now := consent.Permitted(purposes, all, at)
		var want time.Time
		for m := at; m.Before(hour(2*hours)) && want.IsZero(); m = m.Add(30 * time.Minute) {
			if now&^consent.Permitted(purposes, all, m) != 0 {
				want = m
			}
		}
		if !got.Equal(want) {
			t.Fatalf("it lapses at %v, want %v", got, want)
		}
	})
}

// Merging two people who never were one permits nothing that a decision of one of
// them forbids, and forbids nothing that no decision forbids.
func TestMergeOfStrangers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		purposes, keys := policy(t), people(4)
		one, other := decisions(t, purposes, keys[:2]), decisions(t, purposes, keys[2:])
		both := slices.Concat(one, other)
		for _, p := range purposes {
			for _, at := range moments() {
				a, b, merged := consent.InForce(p, one, at, hour(100)), consent.InForce(p, other, at, hour(100)), consent.InForce(p, both, at, hour(100))
				forbids := func(s consent.State) bool { return s.Record != nil && !s.Permitted }
				want := !forbids(a) && !forbids(b) && (a.Permitted || b.Permitted)
				if merged.Permitted != want {
					t.Fatalf("at %v %+v and %+v are %+v", at, a, b, merged)
				}
			}
		}
	})
}

// town is a few identifiers, who is one person with whom, and all that was recorded.
type town struct {
	purposes []*insight.Purpose
	people   [][]int // the members of each, strongest first
	ledger   []*insight.Consent
	now      time.Time
	// said is for each identifier what was recorded on the individual whose member it
	// was then, and kept the same without the yeses that are in the ledger of somebody
	// from whom it has ever parted since.
	said, kept [][]*insight.Consent
}

func newTown() *town {
	w := &town{now: hour(0), purposes: []*insight.Purpose{
		{ID: uuid.UUID{1}, Key: "marketing", Bit: 0, LegalBasis: insight.BasisConsent},
		{ID: uuid.UUID{2}, Key: "analytics", Bit: 1, LegalBasis: insight.BasisLegitimateInterest},
	}}
	for n := range 5 {
		w.people = append(w.people, []int{n})
		w.said, w.kept = append(w.said, nil), append(w.kept, nil)
	}
	return w
}

// of are the decisions in the ledgers of some identifiers.
func (w *town) of(members []int) []*insight.Consent {
	var ours []*insight.Consent
	for _, d := range w.ledger {
		if slices.ContainsFunc(members, func(n int) bool { return identifier(n) == d.Owner }) {
			ours = append(ours, d)
		}
	}
	return ours
}

func keysOf(members []int) []uuid.UUID {
	keys := make([]uuid.UUID, len(members))
	for i, n := range members {
		keys[i] = identifier(n)
	}
	return keys
}

func (w *town) id() uuid.UUID {
	return uuid.UUID{0: byte(37 * len(w.ledger)), 14: 1, 15: byte(len(w.ledger))}
}

func (w *town) state(p *insight.Purpose, members []int) consent.State {
	return consent.InForce(p, w.of(members), w.now, w.now)
}

// forbids reports whether a person is under a no.
func forbids(s consent.State) bool { return s.Record != nil && s.Record.Decision.No() }

// speak draws a decision about a purpose, at any moment until now.
func (w *town) speak(t *rapid.T) *insight.Consent {
	d := &insight.Consent{ID: w.id(), Purpose: rapid.SampledFrom(w.purposes).Draw(t, "purpose"), Decision: decided.Draw(t, "decision"), RecordedAt: w.now, EffectiveAt: w.now}
	if rapid.Bool().Draw(t, "late") {
		d.EffectiveAt = hour(rapid.IntRange(0, int(w.now.Sub(hour(0))/time.Hour)).Draw(t, "effective"))
	}
	if d.Decision == insight.ConsentGranted && rapid.IntRange(0, 3).Draw(t, "ends") == 0 {
		d.ExpiresAt = d.EffectiveAt.Add(time.Duration(rapid.IntRange(1, 20).Draw(t, "after")) * time.Hour)
	}
	return d
}

// write records a decision in a ledger, and has it said for some identifiers.
func (w *town) write(d *insight.Consent, members []int) {
	d.Owner, d.Covers = identifier(members[0]), keysOf(members[1:])
	w.ledger = append(w.ledger, d)
	for _, n := range members {
		w.said[n], w.kept[n] = append(w.said[n], d), append(w.kept[n], d)
	}
}

// latest is the latest of some decisions that is about a purpose.
func latest(said []*insight.Consent, p *insight.Purpose) *insight.Consent {
	var word *insight.Consent
	for _, d := range said {
		if d.Purpose == p && (word == nil || d.EffectiveAt.After(word.EffectiveAt) || d.EffectiveAt.Equal(word.EffectiveAt) && d.Decision >= word.Decision) {
			word = d
		}
	}
	return word
}

func (w *town) someone(t *rapid.T) int {
	return rapid.IntRange(0, len(w.people)-1).Draw(t, "who")
}

func (w *town) record(t *rapid.T) {
	w.now = w.now.Add(time.Hour)
	w.write(w.speak(t), w.people[w.someone(t)])
}

// merge makes two people one. What is forbidden to one of them stays so.
func (w *town) merge(t *rapid.T) {
	if len(w.people) < 2 {
		t.Skip("they are all one")
	}
	w.now = w.now.Add(time.Hour)
	i := rapid.IntRange(1, len(w.people)-1).Draw(t, "who")
	j := rapid.IntRange(0, i-1).Draw(t, "is")
	one, other := w.people[i], w.people[j]
	both := slices.Concat(one, other)
	slices.Sort(both)
	for _, p := range w.purposes {
		for _, before := range [][]int{one, other} {
			if s := w.state(p, before); forbids(s) && !forbids(w.state(p, both)) {
				t.Fatalf("%v was under %s, and as %v is under %s", before, told(s.Record), both, told(w.state(p, both).Record))
			}
		}
	}
	w.people = slices.Delete(w.people, i, i+1)
	w.people[j] = both
}

// unmerge makes one person several, and writes again what must be.
func (w *town) unmerge(t *rapid.T) {
	i := w.someone(t)
	if len(w.people[i]) < 2 {
		t.Skip("they are one")
	}
	w.now = w.now.Add(time.Hour)
	parts := split(t, w.people[i])
	w.ledger = append(w.ledger, w.parting(parts)...)
	w.people = append(slices.Delete(w.people, i, i+1), parts...)
	for _, part := range parts {
		for _, n := range part {
			w.kept[n] = slices.DeleteFunc(w.kept[n], func(d *insight.Consent) bool {
				return !d.Decision.No() && !slices.Contains(keysOf(part), d.Owner)
			})
		}
	}
}

func split(t *rapid.T, members []int) [][]int {
	var parts [][]int
	for _, n := range members {
		if at := rapid.IntRange(0, min(len(parts), 2)).Draw(t, "part"); at == len(parts) {
			parts = append(parts, []int{n})
		} else {
			parts[at] = append(parts[at], n)
		}
	}
	return parts
}

// parting is what must be written again.
func (w *town) parting(parts [][]int) []*insight.Consent {
	lists := make([][]uuid.UUID, len(parts))
	for i, part := range parts {
		lists[i] = keysOf(part)
	}
	var all []*insight.Consent
	for n, left := range consent.Parting(w.of(slices.Concat(parts...)), lists, w.now) {
		again := *left.Record
		again.ID, again.Owner, again.Covers, again.RecordedAt = w.id(), left.Owner, left.Covers, w.now
		again.ID[13] = byte(n + 1)
		all = append(all, &again)
	}
	return all
}

// check: whoever is one of a person's identifiers and has a no as the latest word that
// was said for it keeps that person from being covered; and who is under a no has an
// identifier with a no as the latest word, but for yeses that it has parted from.
func (w *town) check(t *rapid.T) {
	for _, members := range w.people {
		for _, p := range w.purposes {
			s := w.state(p, members)
			reason := false
			for _, n := range members {
				if d := latest(w.said[n], p); d != nil && d.Decision.No() && s.Permitted {
					t.Fatalf("%v are permitted %s, and under %s", members, p.Key, told(d))
				}
				d := latest(w.kept[n], p)
				reason = reason || d != nil && d.Decision.No()
			}
			if forbids(s) && !reason {
				t.Fatalf("%v are refused %s by %s, which is nobody's latest word", members, p.Key, told(s.Record))
			}
		}
	}
}

func told(d *insight.Consent) string {
	if d == nil {
		return "nothing"
	}
	return fmt.Sprintf("%s of %v (recorded %v) for %v and %v", consent.DecisionName(d.Decision), d.EffectiveAt.Sub(hour(0)), d.RecordedAt.Sub(hour(0)), d.Owner[15], d.Covers)
}

// No sequence of decisions, merges, unmerges and late arrivals revives a no.
func TestNoRevival(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newTown()
		t.Repeat(map[string]func(*rapid.T){"record": w.record, "merge": w.merge, "unmerge": w.unmerge, "": w.check})
	})
}

// claimOf draws a claim, at any hour of these tests.
func claimOf(t *rapid.T, purposes []*insight.Purpose) *insight.Claim {
	c := &insight.Claim{
		Purpose: rapid.SampledFrom(purposes).Draw(t, "purpose of the claim"), Decision: decided.Draw(t, "claim"),
		EffectiveAt: hour(rapid.IntRange(0, hours).Draw(t, "claimed at")),
	}
	if c.Decision == insight.ConsentGranted && rapid.IntRange(0, 2).Draw(t, "the claim ends") == 0 {
		c.ExpiresAt = c.EffectiveAt.Add(time.Duration(rapid.IntRange(1, 6).Draw(t, "after")) * time.Hour)
	}
	return c
}

// claim hands in what some identifiers of a person say. If that is said already,
// recording it all the same would change nothing, now or later, nor, of a no, when
// they part afterwards; and of the past, it would forbid nothing more.
func (w *town) claim(t *rapid.T) {
	w.now = w.now.Add(time.Hour)
	members := w.people[w.someone(t)]
	d := w.speak(t)
	var some []int
	for _, n := range members {
		if rapid.Bool().Draw(t, "says it") {
			some = append(some, n)
		}
	}
	c := &insight.Claim{Purpose: d.Purpose, Decision: d.Decision, EffectiveAt: d.EffectiveAt, ExpiresAt: d.ExpiresAt}
	before := w.of(members)
	if !consent.Says(before, c, keysOf(some)) {
		w.write(d, members)
		return
	}
	// It would speak for all of them. Of something that was said before what is known
	// already, that is more than was handed in: only those count who say it, or decided.
	speaks := func(n int) bool {
		return slices.Contains(some, n) || slices.ContainsFunc(before, func(d *insight.Consent) bool { return d.Purpose == c.Purpose && d.Owner == identifier(n) })
	}
	late := slices.ContainsFunc(before, func(d *insight.Consent) bool { return d.EffectiveAt.After(c.EffectiveAt) })
	if late && slices.ContainsFunc(members, func(n int) bool { return !speaks(n) }) {
		return
	}
	d.Owner, d.Covers = identifier(members[0]), keysOf(members[1:])
	after := append(slices.Clone(before), d)
	for m := d.EffectiveAt; m.Before(w.now.Add(24 * time.Hour)); m = m.Add(30 * time.Minute) {
		a, b := consent.Permitted(w.purposes, before, m), consent.Permitted(w.purposes, after, m)
		if a&^b != 0 || a != b && !m.Before(w.now) {
			t.Fatalf("%s is said, and recording it turns %b into %b at %v", told(d), a, b, m.Sub(hour(0)))
		}
	}
	if !d.Decision.No() {
		return
	}
	w.now = w.now.Add(time.Hour)
	parts := split(t, members)
	apart := func(with ...*insight.Consent) (sets []insight.Set) {
		ledger := w.ledger
		defer func() { w.ledger = ledger }()
		w.ledger = append(slices.Clone(ledger), with...)
		w.ledger = append(w.ledger, w.parting(parts)...)
		for _, part := range parts {
			if slices.ContainsFunc(part, speaks) {
				sets = append(sets, consent.Permitted(w.purposes, w.of(part), w.now))
			}
		}
		return sets
	}
	if a, b := apart(), apart(d); !slices.Equal(a, b) {
		t.Fatalf("%s is said, and as %v they are %b without and %b with its record", told(d), parts, a, b)
	}
}

func TestSaysLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newTown()
		t.Repeat(map[string]func(*rapid.T){"claim": w.claim, "merge": w.merge, "unmerge": w.unmerge, "": w.check})
	})
}

func TestSays(t *testing.T) {
	p, other := &insight.Purpose{ID: uuid.UUID{1}}, &insight.Purpose{ID: uuid.UUID{2}}
	a, b, c := identifier(0), identifier(1), identifier(2)
	yes, no, back := insight.ConsentGranted, insight.ConsentDenied, insight.ConsentWithdrawn
	said := func(at int, d insight.ConsentDecision, owner uuid.UUID, covers ...uuid.UUID) *insight.Consent {
		return &insight.Consent{ID: uuid.UUID{byte(at)}, Purpose: p, Decision: d, EffectiveAt: hour(at), RecordedAt: hour(at), Owner: owner, Covers: covers}
	}
	until := func(at int, d *insight.Consent) *insight.Consent {
		d.ExpiresAt = hour(at)
		return d
	}
	for _, test := range []struct {
		name    string
		ledger  []*insight.Consent
		claim   insight.Claim
		members []uuid.UUID
		want    bool
	}{
		{"nothing is said yet", nil, insight.Claim{Decision: no}, []uuid.UUID{a}, false},
		{"the same no", []*insight.Consent{said(1, no, a)}, insight.Claim{Decision: no}, []uuid.UUID{a}, true},
		{"a no of another name", []*insight.Consent{said(1, back, a)}, insight.Claim{Decision: no}, []uuid.UUID{a}, true},
		{"the same yes", []*insight.Consent{said(1, yes, a)}, insight.Claim{Decision: yes}, []uuid.UUID{a}, true},
		{"a yes after a no", []*insight.Consent{said(1, no, a)}, insight.Claim{Decision: yes}, []uuid.UUID{a}, false},
		{"a no after a yes", []*insight.Consent{said(1, yes, a)}, insight.Claim{Decision: no}, []uuid.UUID{a}, false},
		{"a yes after a yes that has ended", []*insight.Consent{until(3, said(1, yes, a))}, insight.Claim{Decision: yes}, []uuid.UUID{a}, false},
		{"a yes without an end, and one with", []*insight.Consent{until(9, said(1, yes, a))}, insight.Claim{Decision: yes}, []uuid.UUID{a}, false},
		{"two yeses with the same end", []*insight.Consent{until(9, said(1, yes, a))}, insight.Claim{Decision: yes, ExpiresAt: hour(9)}, []uuid.UUID{a}, true},
		{"another one's yes ends", []*insight.Consent{until(9, said(1, yes, a)), said(2, yes, b)}, insight.Claim{Decision: yes}, []uuid.UUID{b}, false},
		{"a no that is not said for one of them", []*insight.Consent{said(1, no, a)}, insight.Claim{Decision: no}, []uuid.UUID{a, b}, false},
		{"a no that is said for both of them", []*insight.Consent{said(1, no, a, b)}, insight.Claim{Decision: no}, []uuid.UUID{a, b}, true},
		{"a no for each", []*insight.Consent{said(1, no, a), said(2, no, b)}, insight.Claim{Decision: no}, []uuid.UUID{a, b}, true},
		{"a no that one of them has lifted for themselves", []*insight.Consent{said(1, no, a, b), said(2, yes, b)}, insight.Claim{Decision: no}, []uuid.UUID{a, b}, false},
		{"a no beside somebody's yes", []*insight.Consent{said(1, no, a), said(2, yes, c)}, insight.Claim{Decision: no}, []uuid.UUID{a}, false},
		{"a yes, and one of them never decided", []*insight.Consent{said(1, yes, a)}, insight.Claim{Decision: yes}, []uuid.UUID{a, b}, true},
		{"a yes for each", []*insight.Consent{said(1, yes, a), said(2, yes, b)}, insight.Claim{Decision: yes}, []uuid.UUID{a, b}, true},
		{"nobody in particular says the same", []*insight.Consent{said(1, no, a)}, insight.Claim{Decision: no}, nil, true},
		{"what is said later does not count", []*insight.Consent{said(1, yes, a), said(8, no, a)}, insight.Claim{Decision: no}, []uuid.UUID{a}, false},
		{"another purpose", []*insight.Consent{said(1, no, a)}, insight.Claim{Decision: no, Purpose: other}, []uuid.UUID{a}, false},
	} {
		if test.claim.EffectiveAt = hour(5); test.claim.Purpose == nil {
			test.claim.Purpose = p
		}
		if got := consent.Says(test.ledger, &test.claim, test.members); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

// A thousand decisions of one person, who has had a few identifiers.
func thousand() ([]*insight.Purpose, []*insight.Consent) {
	purposes, err := purposesOf(nil)
	if err != nil {
		panic(err)
	}
	for i, p := range purposes {
		p.ID = uuid.UUID{byte(i + 1)}
	}
	r := rand.New(rand.NewPCG(1, 2))
	all := make([]*insight.Consent, 1000)
	for i := range all {
		d := &insight.Consent{
			ID: uuid.UUID{14: byte(i >> 8), 15: byte(i)}, Purpose: purposes[r.IntN(len(purposes))], Decision: insight.ConsentDecision(1 + r.IntN(3)),
			EffectiveAt: seen.Add(time.Duration(r.IntN(100_000)) * time.Minute), Owner: identifier(r.IntN(5)),
		}
		d.RecordedAt = d.EffectiveAt.Add(time.Duration(r.IntN(5)) * time.Hour)
		for n := range 5 {
			if key := identifier(n); key != d.Owner && r.IntN(2) == 0 {
				d.Covers = append(d.Covers, key)
			}
		}
		if d.Decision == insight.ConsentGranted {
			d.ExpiresAt = d.EffectiveAt.Add(time.Duration(r.IntN(20_000)) * time.Minute)
		}
		all[i] = d
	}
	return purposes, all
}

func BenchmarkInForce(b *testing.B) {
	purposes, all := thousand()
	at := seen.Add(insight.Year)
	b.ReportAllocs()
	for b.Loop() {
		consent.InForce(purposes[3], all, at, at)
	}
}

func BenchmarkSpans(b *testing.B) {
	purposes, all := thousand()
	at := seen.Add(insight.Year)
	b.ReportAllocs()
	for b.Loop() {
		consent.Spans(purposes, all, at)
	}
}
