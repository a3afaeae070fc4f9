package identity_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/identity"
)

// graph draws members whose keys and origins are in no relation to each other, and
// links among them, few enough moments and ids apart to make ties.
func graph(t *rapid.T) ([]identity.Member, []insight.Link) {
	all := []insight.IdentifierKind{insight.UserID, insight.Email, insight.Phone, insight.External, insight.DeviceID, insight.AnonymousID}
	// Users are drawn often: without two of them there is nothing to decide.
	kind := rapid.OneOf(rapid.Just(insight.UserID), rapid.SampledFrom(all))
	n := rapid.IntRange(0, 12).Draw(t, "members")
	ages := rapid.Permutation(span(n)).Draw(t, "ages")
	members := make([]identity.Member, n)
	for i := range members {
		members[i] = identity.Member{Key: uuid.UUID{0: byte(i * 37), 15: byte(i + 1)}, Kind: kind.Draw(t, "kind"), Origin: uuid.UUID{6: byte(ages[i] + 1)}}
	}
	if n == 0 {
		return members, nil
	}
	links := make([]insight.Link, rapid.IntRange(0, 24).Draw(t, "links"))
	for i := range links {
		links[i] = insight.Link{
			ID:         uuid.UUID{0: byte(rapid.IntRange(0, 3).Draw(t, "id")), 15: byte(i)},
			AKey:       members[rapid.IntRange(0, n-1).Draw(t, "a")].Key,
			BKey:       members[rapid.IntRange(0, n-1).Draw(t, "b")].Key,
			Operator:   rapid.IntRange(0, 7).Draw(t, "operator") == 0,
			ObservedAt: moment.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "minute")) * time.Minute),
		}
		if rapid.IntRange(0, 5).Draw(t, "revoked") == 0 {
			links[i].RevokedAt = moment.Add(time.Hour)
		}
	}
	return members, links
}

var moment = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)

func span(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// oracle is the text, said again as plain loops over sets: slow, and without a
// forest. Every statement of it stands under the sentence that it says.
func oracle(members []identity.Member, links []insight.Link) map[uuid.UUID]identity.Standing {
	member := map[uuid.UUID]identity.Member{}
	for _, m := range members {
		member[m.Key] = m
	}
	var active []insight.Link
	for _, l := range links {
		_, a := member[l.AKey]
		_, b := member[l.BKey]
		if a && b && l.RevokedAt.IsZero() && l.AKey != l.BKey {
			active = append(active, l)
		}
	}

	// "An identifier linked directly to two USER_IDs is shared and joins nobody."
	result := map[uuid.UUID]identity.Standing{}
	for _, m := range members {
		users := map[uuid.UUID]bool{}
		for _, l := range active {
			for _, end := range [][2]uuid.UUID{{l.AKey, l.BKey}, {l.BKey, l.AKey}} {
				if end[0] == m.Key && !l.Operator && m.Kind != insight.UserID && member[end[1]].Kind == insight.UserID {
					users[end[1]] = true
				}
			}
		}
		s := identity.Standing{Shared: m.Shared || len(users) > 1}
		if len(users) > 0 {
			s.UserKey = slices.MinFunc(slices.Collect(maps.Keys(users)), compareIDs)
		}
		result[m.Key] = s
	}

	// "Individuals are the connected components of active links."
	component := map[uuid.UUID]map[uuid.UUID]bool{}
	for _, m := range members {
		component[m.Key] = map[uuid.UUID]bool{m.Key: true}
	}
	join := func(l insight.Link) {
		both := map[uuid.UUID]bool{}
		maps.Copy(both, component[l.AKey])
		maps.Copy(both, component[l.BKey])
		for key := range both {
			component[key] = both
		}
	}
	hasUser := func(key uuid.UUID) bool {
		for k := range component[key] {
			if member[k].Kind == insight.UserID {
				return true
			}
		}
		return false
	}

	// "Only an operator's merge joins two USER_IDs."
	var evidence []insight.Link
	for _, l := range active {
		if l.Operator {
			join(l)
		} else if !result[l.AKey].Shared && !result[l.BKey].Shared {
			evidence = append(evidence, l)
		}
	}
	// "Links are taken by strength, then evidence time, then id, and one that would join two USER_IDs stays inert."
	var inert []insight.Link
	for len(evidence) > 0 {
		next := 0
		for i := range evidence {
			if goesBefore(member, evidence[i], evidence[next]) {
				next = i
			}
		}
		l := evidence[next]
		evidence = slices.Delete(evidence, next, next+1)
		switch {
		case component[l.AKey][l.BKey]:
		case hasUser(l.AKey) && hasUser(l.BKey):
			inert = append(inert, l)
		default:
			join(l)
		}
	}

	for _, m := range members {
		s := result[m.Key]
		// "The oldest member's id survives."
		s.Individual = m.Origin
		for k := range component[m.Key] {
			if compareIDs(member[k].Origin, s.Individual) < 0 {
				s.Individual = member[k].Origin
			}
		}
		for _, l := range inert {
			s.Contested = s.Contested || component[m.Key][l.AKey] || component[m.Key][l.BKey]
		}
		result[m.Key] = s
	}
	return result
}

func goesBefore(member map[uuid.UUID]identity.Member, x, y insight.Link) bool {
	ends := func(l insight.Link) [2]int {
		a, b := int(member[l.AKey].Kind), int(member[l.BKey].Kind)
		return [2]int{min(a, b), max(a, b)}
	}
	switch a, b := ends(x), ends(y); {
	case a[0] != b[0]:
		return a[0] < b[0]
	case a[1] != b[1]:
		return a[1] < b[1]
	case !x.ObservedAt.Equal(y.ObservedAt):
		return x.ObservedAt.Before(y.ObservedAt)
	}
	return compareIDs(x.ID, y.ID) < 0
}

func same(t *rapid.T, why string, got, want map[uuid.UUID]identity.Standing) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", why, diff)
	}
}

func TestResolveIsWhatTheTextSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members, links := graph(t)
		same(t, "the text says otherwise", identity.Resolve(members, links), oracle(members, links))
	})
}

func TestResolveLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members, links := graph(t)
		members0, links0 := slices.Clone(members), slices.Clone(links)
		got := identity.Resolve(members, links)
		if !slices.Equal(members, members0) || !slices.Equal(links, links0) {
			t.Fatal("what was given was changed")
		}

		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		more := slices.Clone(links)
		for _, l := range links {
			if r.IntN(2) == 0 {
				more = append(more, l)
			}
		}
		r.Shuffle(len(more), func(i, j int) { more[i], more[j] = more[j], more[i] })
		turned := slices.Clone(members)
		r.Shuffle(len(turned), func(i, j int) { turned[i], turned[j] = turned[j], turned[i] })
		for i := range more {
			if r.IntN(2) == 0 {
				more[i].AKey, more[i].BKey = more[i].BKey, more[i].AKey
			}
		}
		same(t, "order, repetition or direction matters", identity.Resolve(turned, more), got)

		if len(members) > 0 {
			_, extra := graph(t)
			for i := range extra {
				extra[i].AKey, extra[i].BKey = members[r.IntN(len(members))].Key, members[r.IntN(len(members))].Key
				extra[i].RevokedAt = moment.Add(time.Hour)
			}
			same(t, "a link that was added and revoked matters", identity.Resolve(members, append(extra, links...)), got)
		}
		stranger := insight.Link{AKey: uuid.UUID{0xFF}, BKey: uuid.UUID{0xFE}}
		if len(members) > 0 {
			stranger.AKey = members[0].Key
		}
		same(t, "a link to nobody matters", identity.Resolve(members, append(slices.Clone(links), stranger)), got)

		individualsHoldTogether(t, members, links, got)
	})
}

// individualsHoldTogether: an individual's id is the smallest origin of its
// members, its members are connected by active links, and two USER_IDs in it are
// connected by operator links alone, but for what evidence hangs between them.
func individualsHoldTogether(t *rapid.T, members []identity.Member, links []insight.Link, got map[uuid.UUID]identity.Standing) {
	if len(got) != len(members) {
		t.Fatalf("%d members have %d standings", len(members), len(got))
	}
	oldest := map[uuid.UUID]uuid.UUID{}
	for _, m := range members {
		of := got[m.Key].Individual
		if had, ok := oldest[of]; !ok || compareIDs(m.Origin, had) < 0 {
			oldest[of] = m.Origin
		}
	}
	for of, origin := range oldest {
		if of != origin {
			t.Fatalf("the individual %v has a member born as %v", of, origin)
		}
	}
	reach := func(from uuid.UUID, counts func(insight.Link) bool) map[uuid.UUID]bool {
		reached := map[uuid.UUID]bool{from: true}
		for grown := true; grown; {
			grown = false
			for _, l := range links {
				if l.Active() && counts(l) && reached[l.AKey] != reached[l.BKey] {
					reached[l.AKey], reached[l.BKey], grown = true, true, true
				}
			}
		}
		return reached
	}
	for _, m := range members {
		linked := reach(m.Key, func(insight.Link) bool { return true })
		decided := reach(m.Key, func(l insight.Link) bool { return l.Operator })
		for _, other := range members {
			together := got[m.Key].Individual == got[other.Key].Individual
			if together && !linked[other.Key] {
				t.Fatalf("%v and %v are one person without a link", m.Key, other.Key)
			}
			if together && m.Kind == insight.UserID && other.Kind == insight.UserID && !decided[other.Key] {
				t.Fatalf("the USER_IDs %v and %v are one person, and no operator said so", m.Key, other.Key)
			}
			if !together && decided[other.Key] {
				t.Fatalf("an operator said that %v and %v are one person", m.Key, other.Key)
			}
		}
	}
}

// TestNeighbourhood: what can be reached from a member without going through
// shared ones, but along operator links, is all that its standing depends on.
func TestNeighbourhood(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members, links := graph(t)
		if len(members) == 0 {
			return
		}
		whole := identity.Resolve(members, links)
		start := rapid.SampledFrom(members).Draw(t, "start").Key
		inside := map[uuid.UUID]bool{start: true}
		through := func(from, to uuid.UUID, l insight.Link) bool {
			return inside[from] && !inside[to] && (l.Operator || !whole[from].Shared || from == start)
		}
		for grown := true; grown; {
			grown = false
			for _, l := range links {
				if l.Active() && (through(l.AKey, l.BKey, l) || through(l.BKey, l.AKey, l)) {
					inside[l.AKey], inside[l.BKey], grown = true, true, true
				}
			}
		}
		var near []identity.Member
		for _, m := range members {
			if inside[m.Key] {
				m.Shared = whole[m.Key].Shared && m.Key != start
				near = append(near, m)
			}
		}
		for key, got := range identity.Resolve(near, links) {
			want := whole[key]
			if want.Shared && key != start {
				got.UserKey, want.UserKey = uuid.Nil, uuid.Nil // the links to its USER_IDs may be outside
			}
			if got != want {
				t.Fatalf("%v is %+v in the neighbourhood of %v, and %+v in the whole", key, got, start, want)
			}
		}
	})
}

func BenchmarkResolve(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	const n = 10_000
	members := make([]identity.Member, n)
	for i := range members {
		members[i] = identity.Member{Key: uuid.UUID{0: byte(i >> 8), 1: byte(i), 15: 1}, Kind: insight.IdentifierKind(1 + r.IntN(6)), Origin: uuid.UUID{6: byte(i >> 8), 7: byte(i)}}
	}
	links := make([]insight.Link, n)
	for i := range links {
		links[i] = insight.Link{ID: uuid.UUID{14: byte(i >> 8), 15: byte(i)}, AKey: members[r.IntN(n)].Key, BKey: members[r.IntN(n)].Key, ObservedAt: moment.Add(time.Duration(r.IntN(1000)) * time.Second)}
	}
	b.ReportAllocs()
	for b.Loop() {
		identity.Resolve(members, links)
	}
}
