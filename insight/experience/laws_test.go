package experience

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/relationship"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// some is a part of a list, in any order.
func some[T comparable](t *rapid.T, of []T, name string) []T {
	all := rapid.Permutation(of).Draw(t, name)
	return all[:rapid.IntRange(0, len(all)).Draw(t, name+" n")]
}

var (
	keys     = []string{"a", "b", "c", "d", "e"}
	segments = []string{"s", "t"}
	traits   = []string{"x", "y", "z"}
)

func experiences(t *rapid.T) *Experience {
	e := &Experience{
		Key: "k", Name: "n", Purpose: &insight.Purpose{Key: "personalization"}, Salt: rapid.StringMatching("[a-z]{1,80}").Draw(t, "salt"),
		Holdout: rapid.SampledFrom([]float64{0, 0.1, 0.5, 0.9}).Draw(t, "holdout"),
	}
	for _, key := range keys[:rapid.IntRange(1, len(keys)).Draw(t, "variants")] {
		v := Variant{Key: key, Benefit: "it helps", Weight: rapid.SampledFrom([]float64{0, 0.5, 1, 2, 7}).Draw(t, "weight")}
		if rapid.Bool().Draw(t, "for a segment") {
			v.Segment = rapid.SampledFrom(segments).Draw(t, "segment")
		}
		if rapid.IntRange(0, 2).Draw(t, "shows") == 0 {
			v.Traits = some(t, traits, "shown")
		}
		e.Variants = append(e.Variants, v)
	}
	if rapid.Bool().Draw(t, "capped") {
		e.Cap = &Cap{Count: rapid.IntRange(1, 3).Draw(t, "count"), Per: time.Duration(rapid.IntRange(1, 6).Draw(t, "per")) * time.Hour}
	}
	return e
}

func subjects(t *rapid.T) *Subject {
	s := &Subject{
		Covered: rapid.IntRange(0, 9).Draw(t, "uncovered") < 9, Kept: rapid.IntRange(0, 9).Draw(t, "unkept") < 9,
		Individual:   uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id")),
		Relationship: rapid.SampledFrom(append([]relationship.Status{relationship.Active, relationship.New}, relationship.Statuses...)).Draw(t, "relationship"),
		Members:      map[string]bool{}, RuleTraits: map[string][]string{"s": some(t, traits, "of s"), "t": some(t, traits, "of t")},
	}
	for _, segment := range segments {
		s.Members[segment] = rapid.Bool().Draw(t, segment)
	}
	for range rapid.IntRange(0, 6).Draw(t, "traits") {
		trait := insight.Trait{
			Key: rapid.SampledFrom(traits).Draw(t, "trait"), Value: []byte(rapid.SampledFrom([]string{`"v"`, `1`, `true`, `null`}).Draw(t, "value")),
			Provenance: insight.Provenance(rapid.IntRange(1, 3).Draw(t, "provenance")), Confidence: rapid.SampledFrom([]float64{0, 0.5, math.Nextafter(ShownConfidence, 0), ShownConfidence, 1}).Draw(t, "confidence"),
			Sensitivity: insight.Ordinary, Source: rapid.StringMatching("[a-d]").Draw(t, "source"), ObservedAt: now.Add(-time.Duration(rapid.IntRange(0, 3).Draw(t, "observed")) * time.Hour),
		}
		if rapid.IntRange(0, 5).Draw(t, "sensitive") == 0 {
			trait.Sensitivity = insight.Sensitive
		}
		// A source says one thing of a key.
		if !slices.ContainsFunc(s.Traits, func(u insight.Trait) bool { return u.Key == trait.Key && u.Source == trait.Source }) {
			s.Traits = append(s.Traits, trait)
		}
	}
	for range rapid.IntRange(0, 4).Draw(t, "earlier") {
		d := Earlier{At: now.Add(time.Duration(rapid.IntRange(-8, 1).Draw(t, "at")) * time.Hour)}
		switch rapid.IntRange(0, 4).Draw(t, "what") {
		case 0:
			d.Holdout = true
		case 1: // nothing
		default:
			d.Variant = rapid.SampledFrom(keys).Draw(t, "offered")
		}
		s.Earlier = append(s.Earlier, d)
	}
	return s
}

// chance is a draw by another way of calculating.
func chance(salt string, individual uuid.UUID, label string) float64 {
	seed := sha256.Sum256(append([]byte(salt), individual[:]...))
	sum := sha256.Sum256(append(seed[:], label...))
	n := new(big.Int).SetBytes(sum[:])
	n.Rsh(n, 256-53)
	x, _ := new(big.Rat).SetFrac(n, new(big.Int).Lsh(big.NewInt(1), 53)).Float64()
	return x + 1.0/(1<<54)
}

// may says over who may be offered a variant.
func may(v *Variant, s *Subject) bool {
	sensitive := func(key string) bool {
		return slices.ContainsFunc(s.Traits, func(t insight.Trait) bool { return t.Key == key && t.Sensitivity == insight.Sensitive })
	}
	if v.Segment != "" && (!s.Members[v.Segment] || slices.ContainsFunc(s.RuleTraits[v.Segment], sensitive)) {
		return false
	}
	for _, key := range v.Traits {
		known := false
		for _, t := range insight.BestTraits(s.Traits) {
			known = known || t.Key == key && t.Provenance != insight.Inferred && t.Confidence >= 0.8 && !sensitive(key)
		}
		if !known {
			return false
		}
	}
	return true
}

// expected decides by the text of doc.go.
func expected(e *Experience, s *Subject, at time.Time) (Reason, string) {
	if e.Archived {
		return Ended, ""
	}
	if !s.Covered || !s.Kept {
		return NotCovered, ""
	}
	if s.Relationship == relationship.OptedOut {
		return OptedOut, ""
	}
	if s.Relationship == relationship.Unresponsive {
		return Unresponsive, ""
	}
	past := slices.DeleteFunc(slices.Clone(s.Earlier), func(d Earlier) bool { return d.At.After(at) || d.Variant == "" && !d.Holdout })
	slices.SortFunc(past, func(a, b Earlier) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		if a.Holdout != b.Holdout {
			if a.Holdout {
				return -1
			}
			return 1
		}
		return strings.Compare(b.Variant, a.Variant) // the lesser key is the later
	})
	var best, keep string
	top, any := -1.0, false
	for i := range e.Variants {
		v := &e.Variants[i]
		if !may(v, s) {
			continue
		}
		any = true
		weight := v.Weight
		if weight == 0 {
			weight = 1
		}
		if score := math.Pow(chance(e.Salt, s.Individual, v.Key), 1/weight); score > top {
			best, top = v.Key, score
		}
	}
	offers := 0
	for _, d := range past {
		if d.Variant == "" {
			continue
		}
		keep = d.Variant
		if e.Cap != nil && at.Sub(d.At) < e.Cap.Per {
			offers++
		}
	}
	switch {
	case !any:
		return NotEligible, ""
	case len(past) > 0 && past[0].Holdout, len(past) == 0 && chance(e.Salt, s.Individual, "holdout") < e.Holdout:
		return Holdout, ""
	case e.Cap != nil && offers >= e.Cap.Count:
		return Capped, ""
	}
	for i := range e.Variants {
		if v := &e.Variants[i]; v.Key == keep && may(v, s) {
			return Offered, keep
		}
	}
	return Offered, best
}

func key(d Decision) string {
	if d.Variant == nil {
		return ""
	}
	return d.Variant.Key
}

func TestAsDefined(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e, s := experiences(t), subjects(t)
		e.Archived = rapid.IntRange(0, 19).Draw(t, "archived") == 19
		if err := e.Validate(); err != nil {
			t.Fatal(err)
		}
		d := Decide(e, s, now)
		reason, variant := expected(e, s, now)
		if d.Reason != reason || key(d) != variant {
			t.Fatalf("%s %q, want %s %q", d.Reason, key(d), reason, variant)
		}
		before := slices.ContainsFunc(s.Earlier, func(d Earlier) bool { return !d.At.After(now) && (d.Holdout || d.Variant != "") })
		if d.Assigns != (reason == Offered || reason == Holdout && !before) {
			t.Fatalf("%s after %v is to be remembered: %t", reason, s.Earlier, d.Assigns)
		}
		if d.Holdout != (reason == Holdout) || (d.Variant != nil) != (reason == Offered) || len(d.Because) == 0 || slices.Contains(d.Because, "") || !slices.Contains(Reasons, reason) {
			t.Fatalf("%+v", d)
		}
		if d.Variant == nil {
			if len(d.Traits) > 0 {
				t.Fatalf("nothing shows %v", d.Traits)
			}
			return
		}
		// It is one of the experience's own, and shows what it says, from the best source.
		if !slices.ContainsFunc(pointers(e), func(v *Variant) bool { return v == d.Variant }) || len(d.Traits) != len(d.Variant.Traits) {
			t.Fatalf("%+v", d)
		}
		for i, shown := range d.Traits {
			if shown.Key != d.Variant.Traits[i] || shown.Provenance == insight.Inferred || shown.Confidence < ShownConfidence || shown.Sensitivity != insight.Ordinary || string(shown.Value) == "null" {
				t.Fatalf("it shows %+v", shown)
			}
		}
	})
}

func pointers(e *Experience) []*Variant {
	var all []*Variant
	for i := range e.Variants {
		all = append(all, &e.Variants[i])
	}
	return all
}

// Neither the order of what is known nor the order of the variants matters, and
// nothing that was passed in is changed.
func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e, s := experiences(t), subjects(t)
		before := fmt.Sprintf("%+v %+v", e, s)
		d := Decide(e, s, now)
		if again := Decide(e, s, now); !cmp.Equal(d, again) {
			t.Fatalf("%+v, then %+v", d, again)
		}
		if after := fmt.Sprintf("%+v %+v", e, s); after != before {
			t.Fatalf("it changes what it was given: %s, before %s", after, before)
		}
		f, r := *e, *s
		f.Variants = rapid.Permutation(e.Variants).Draw(t, "variants")
		r.Traits = rapid.Permutation(s.Traits).Draw(t, "traits")
		r.Earlier = rapid.Permutation(s.Earlier).Draw(t, "earlier")
		if other := Decide(&f, &r, now); other.Reason != d.Reason || key(other) != key(d) || !cmp.Equal(other.Traits, d.Traits) {
			t.Fatalf("%+v, in another order %+v", d, other)
		}
		// Names are in no draw.
		f.Key, f.Name, f.Description, f.ID = "another", "another", "another", uuid.UUID{1}
		for i := range f.Variants {
			f.Variants[i].Name, f.Variants[i].Benefit, f.Variants[i].Payload = "another", "another", []byte("{}")
		}
		if other := Decide(&f, &r, now); other.Reason != d.Reason || key(other) != key(d) {
			t.Fatalf("%+v, by another name %+v", d, other)
		}
	})
}

// What is drawn first is drawn again, whatever the share and the weights are by then
// and whatever is added; and when two become one, under whichever id, the first word
// about either stands.
func TestItStays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := experiences(t)
		e.Cap = nil
		type person struct {
			subject Subject
			first   Decision // that assigned
		}
		var people []person
		for range 2 {
			s := subjects(t)
			s.Covered, s.Kept, s.Relationship, s.Earlier = true, true, relationship.Active, nil
			people = append(people, person{subject: *s})
		}
		at := now
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			at = at.Add(time.Hour)
			p := &people[rapid.IntRange(0, len(people)-1).Draw(t, "who")]
			was := p.subject.Earlier
			d := Decide(e, &p.subject, at)
			if d.Reason == Offered || d.Reason == Holdout {
				if p.first.Reason == "" {
					p.first = d
				}
				p.subject.Earlier = append(was[:len(was):len(was)], Earlier{Variant: key(d), Holdout: d.Holdout, At: at})
			}
			if d.Reason != p.first.Reason && d.Reason != NotEligible {
				t.Fatalf("%s after %s", d.Reason, p.first.Reason)
			}
			if d.Reason == Offered && len(was) > 0 {
				last := was[len(was)-1].Variant
				for _, v := range pointers(e) {
					if v.Key == last && may(v, &p.subject) && d.Variant != v {
						t.Fatalf("%s after %s, which they may still be offered", d.Variant.Key, last)
					}
				}
			}
			switch rapid.IntRange(0, 4).Draw(t, "then") {
			case 0:
				e.Holdout = rapid.SampledFrom([]float64{0, 0.5, 0.99}).Draw(t, "share")
			case 1:
				for i := range e.Variants {
					e.Variants[i].Weight = rapid.SampledFrom([]float64{0.5, 1, 9}).Draw(t, "weight")
				}
			case 2:
				if n := len(e.Variants); n > 1 {
					e.Variants = slices.Delete(slices.Clone(e.Variants), 0, 1)
				}
			case 3:
				p.subject.Members = map[string]bool{"s": rapid.Bool().Draw(t, "s"), "t": rapid.Bool().Draw(t, "t")}
			case 4:
				if len(people) == 2 {
					other := people[1]
					people = people[:1]
					one := &people[0]
					if rapid.Bool().Draw(t, "the other id") {
						one.subject.Individual = other.subject.Individual
					}
					theirs := other.subject.Earlier
					if len(theirs) > 0 && (len(one.subject.Earlier) == 0 || theirs[0].At.Before(one.subject.Earlier[0].At)) {
						one.first = other.first
					}
					one.subject.Earlier = append(slices.Clone(one.subject.Earlier), theirs...)
					slices.SortFunc(one.subject.Earlier, func(a, b Earlier) int { return a.At.Compare(b.At) })
				}
			}
		}
	})
}

// many are individuals that any seed gives.
func many(seed uint64, n int) []uuid.UUID {
	random := rand.New(rand.NewPCG(seed, 0))
	ids := make([]uuid.UUID, n)
	for i := range ids {
		binary.BigEndian.PutUint64(ids[i][:8], random.Uint64())
		binary.BigEndian.PutUint64(ids[i][8:], random.Uint64())
	}
	return ids
}

func weighted(holdout float64, weights ...float64) *Experience {
	e := &Experience{Key: "k", Name: "n", Purpose: &insight.Purpose{}, Salt: "salt", Holdout: holdout}
	for i, w := range weights {
		e.Variants = append(e.Variants, Variant{Key: keys[i], Benefit: "it helps", Weight: w})
	}
	return e
}

// assigned is what everyone gets; "" is the holdout.
func assigned(e *Experience, ids []uuid.UUID) []string {
	all := make([]string, len(ids))
	for i, id := range ids {
		all[i] = key(Decide(e, &Subject{Individual: id, Covered: true, Kept: true, Relationship: relationship.Active}, now))
	}
	return all
}

// near fails unless so many of n are as many as a share of them gives, to within five
// standard deviations of the binomial distribution: by chance once in two million.
func near(t *testing.T, what string, count, n int, share float64) {
	t.Helper()
	if off := math.Abs(float64(count) - float64(n)*share); off > 5*math.Sqrt(float64(n)*share*(1-share)) {
		t.Errorf("%s: %d of %d, which is no share of %v", what, count, n, share)
	}
}

func TestShares(t *testing.T) {
	const n = 40_000
	sequential := make([]uuid.UUID, n) // ids that differ by one bit or two do not matter
	for i := range sequential {
		binary.BigEndian.PutUint64(sequential[i][8:], uint64(i))
	}
	for name, ids := range map[string][]uuid.UUID{"random": many(1, n), "in sequence": sequential} {
		for _, holdout := range []float64{0, 0.001, 0.1, 0.5, 0.95} {
			weights := []float64{1, 3, 0.5, 0, 7}
			e := weighted(holdout, weights...)
			counts := map[string]int{}
			for _, key := range assigned(e, ids) {
				counts[key]++
			}
			near(t, fmt.Sprintf("%s, holdout %v", name, holdout), counts[""], n, holdout)
			for i, w := range []float64{1, 3, 0.5, 1, 7} {
				near(t, fmt.Sprintf("%s, holdout %v, variant %d", name, holdout, i), counts[keys[i]], n-counts[""], w/12.5)
			}
		}
	}
}

// Two experiences hold out different people, and the draws of one are independent.
func TestDrawsAreIndependent(t *testing.T) {
	const n = 40_000
	both, fresh, crossed := 0, weighted(0.5, 1, 1), 0
	fresh.Salt = "another"
	ids := many(2, n)
	here, there := assigned(weighted(0.5, 1, 1), ids), assigned(fresh, ids)
	for i, id := range ids {
		if here[i] == "" && there[i] == "" {
			both++
		}
		d := drawsOf("salt", id)
		if (d.of("a") < 0.5) != (d.of(HoldoutKey) < 0.5) {
			crossed++
		}
	}
	near(t, "held out of both", both, n, 0.25)
	near(t, "on different sides in two draws", crossed, n, 0.5)
}

// Adding a variant moves only to it, as many as its weight says; the unit of the
// weights moves nobody; more weight moves only to what has more; a larger share only
// adds to who is held out.
func TestNobodyMovesWhoNeedNot(t *testing.T) {
	const n = 20_000
	ids := many(3, n)
	before := assigned(weighted(0.1, 1, 2, 3), ids)
	added := 0
	for i, key := range assigned(weighted(0.1, 1, 2, 3, 4), ids) {
		switch {
		case key == "d":
			added++
			if before[i] == "" {
				t.Fatal("a variant takes from the holdout")
			}
		case key != before[i]:
			t.Fatalf("from %q to %q", before[i], key)
		}
	}
	near(t, "moved", added, n, 0.9*0.4)
	if !slices.Equal(before, assigned(weighted(0.1, 0.3, 0.6, 0.9), ids)) || !slices.Equal(before, assigned(weighted(0.1, 1000, 2000, 3000), ids)) {
		t.Error("the unit of the weights matters")
	}
	for i, key := range assigned(weighted(0.1, 1, 5, 3), ids) {
		if key != before[i] && key != "b" {
			t.Fatalf("from %q to %q, where b has more weight", before[i], key)
		}
	}
	for i, key := range assigned(weighted(0.3, 1, 2, 3), ids) {
		if key != before[i] && key != "" {
			t.Fatalf("from %q to %q, where more are held out", before[i], key)
		}
	}
	// Who leaves the segment of one variant was on it, or stays.
	e := weighted(0.1, 1, 2, 3)
	e.Variants[2].Segment = "s"
	for i, key := range assigned(e, ids) {
		if key != before[i] && before[i] != "c" {
			t.Fatalf("from %q to %q, where only c is left", before[i], key)
		}
	}
}

// Draws are the same in every version of the program: these were calculated apart
// from it.
func TestDrawsNeverChange(t *testing.T) {
	d := drawsOf("pepper", uuid.MustParse("0190a5e4-4d5b-7c3a-9b1e-2f6d8a7c5e10"))
	for label, want := range map[string]float64{"holdout": 0.3480842382393106, "tips": 0.3907429755056135, "hello": 0.4849973077912549} {
		if got := d.of(label); got != want {
			t.Errorf("%s: %v, want %v", label, got, want)
		}
	}
}
