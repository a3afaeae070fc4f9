package graph_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/segment"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

const follows = `subscription($after: Cursor) { membershipChanges(segment: "once", after: $after) {
	id cursor change at because membership { id enteredAt exitedAt segment { key } individual { id identifiers { value } } why { holds } }
} }`

// told is an entry or exit as a subscriber is told it.
type told struct{ user, change string }

// heard is what a subscriber is told next.
type heard struct {
	told
	id, cursor, membership string
	exited                 bool
}

func (s *subscription) change(t *testing.T) heard {
	t.Helper()
	r := s.next()
	if r == nil || len(r.Errors) > 0 {
		t.Fatalf("the stream ended: %+v, %v", r, s.ending.Err())
	}
	var data struct {
		MembershipChanges struct {
			ID, Cursor, Change, Because string
			Membership                  struct {
				ID         string
				ExitedAt   *string
				Segment    struct{ Key string }
				Individual struct{ Identifiers []struct{ Value string } }
				Why        []struct{ Holds bool }
			}
		}
	}
	if err := json.Unmarshal(r.Data, &data); err != nil {
		t.Fatal(err)
	}
	c := data.MembershipChanges
	if c.Membership.Segment.Key != "once" || c.Because == "" || len(c.Membership.Why) != 2 { // at least once, at most once
		t.Errorf("a change is told as %s", r.Data)
	}
	return heard{told{c.Membership.Individual.Identifiers[0].Value, c.Change}, c.ID, c.Cursor, c.Membership.ID, c.Membership.ExitedAt != nil}
}

// once makes the segment of those who bought exactly once, and one that is another's.
func (a *api) once() {
	a.t.Helper()
	const create = `mutation($i: CreateSegmentInput!) { createSegment(input: $i) { segment { id } } }`
	for key, rule := range map[string]any{
		"once":  map[string]any{"event": map[string]any{"event": map[string]any{"types": []string{"purchase"}}, "atLeast": 1, "atMost": 1}},
		"other": map[string]any{"everyone": true},
	} {
		a.must(create, map[string]any{"i": map[string]any{"key": key, "name": key, "purpose": "analytics", "rule": rule}})
	}
	a.compute()
}

func (a *api) buys(user string, n int) {
	a.t.Helper()
	a.tell("api", map[string]any{"messageId": fmt.Sprint(user, "-", n), "userId": user, "type": "purchase", "occurredAt": fmt.Sprintf("2026-04-01T00:00:%02dZ", n%60), "value": 1, "currency": "EUR"})
}

func (a *api) follow(after any) *subscription {
	a.t.Helper()
	s, errs := a.subscribe(follows, map[string]any{"after": after})
	if errs != nil {
		a.t.Fatal(errs)
	}
	return s
}

// TestMembershipChanges: a subscriber is told of everybody who enters and leaves, in
// order and once; who was away and comes back with any cursor is told what came after
// it, of those whom the purpose covers by then, and goes on from there. An exit that a
// refusal caused is told to nobody until the refusal is taken back.
func TestMembershipChanges(t *testing.T) {
	for seed := range uint64(3) {
		testdb.Each(t, func(t *testing.T, o store.Options) { membershipChanges(t, o, rand.New(rand.NewPCG(seed, 2))) })
	}
}

func membershipChanges(t *testing.T, o store.Options, random *rand.Rand) {
	a := newAPI(t, o)
	a.once()
	type person struct {
		bought       int
		refuses, was bool // was: erased
	}
	people := map[string]*person{}
	var all []told     // that there ever was
	var events []heard // that were told as they happened
	var places []int   // of the events among all
	live := a.follow(nil)
	defer live.close()
	hear := func(s *subscription, place int) {
		t.Helper()
		h := s.change(t)
		if want := all[place]; h.told != want {
			t.Fatalf("%v is told, want %v, of %v", h.told, want, all)
		}
		events, places = append(events, h), append(places, place)
	}
	for step := range 40 {
		user := fmt.Sprintf("u%d", random.IntN(7))
		p := people[user]
		if p == nil {
			p = &person{}
			people[user] = p
		}
		switch n := random.IntN(10); {
		case p.was:
		case p.refuses || n < 3 && p.bought > 0:
			p.refuses = !p.refuses
			a.must(`mutation($u: String!, $d: ConsentDecision!, $at: Time!) { recordConsents(input: {individual: {userId: $u}, consents: [{purpose: "analytics", decision: $d, effectiveAt: $at}]}) { __typename } }`,
				map[string]any{"u": user, "d": map[bool]string{true: "DENIED", false: "GRANTED"}[p.refuses], "at": fmt.Sprintf("2026-04-02T00:%02d:00Z", step)})
			switch {
			case p.bought == 1 && p.refuses:
				all = append(all, told{user, "EXITED"}) // and the subscriber hears nothing
			case p.bought == 1:
				all = append(all, told{user, "ENTERED"})
				hear(live, len(all)-1)
			}
		case n == 3 && p.bought > 0:
			a.must(`mutation($u: String!) { erase(input: {individual: {userId: $u}, reason: "they asked"}) { __typename } }`, map[string]any{"u": user})
			p.was = true
		default:
			a.buys(user, step)
			if p.bought++; p.bought <= 2 {
				all = append(all, told{user, []string{"ENTERED", "EXITED"}[p.bought-1]})
				hear(live, len(all)-1)
			}
		}
	}
	a.buys("last", 0)
	all = append(all, told{"last", "ENTERED"})
	people["last"] = &person{}
	hear(live, len(all)-1)

	byID := map[string]heard{}
	for n, from := range events {
		s := a.follow(from.cursor)
		for _, want := range all[places[n]+1:] {
			if p := people[want.user]; p.refuses || p.was {
				continue
			}
			got := s.change(t)
			if got.told != want {
				t.Fatalf("after %v, %v is told, want %v, of %v", from, got.told, want, all)
			}
			if known, is := byID[got.id]; is && known != got {
				t.Errorf("a change is told as %v and as %v", known, got)
			}
			byID[got.id] = got
		}
		if n%5 == 0 { // goes on with what happens then
			user := fmt.Sprint("after", n)
			a.buys(user, 0)
			all, people[user] = append(all, told{user, "ENTERED"}), &person{}
			if got := s.change(t); got.told != all[len(all)-1] {
				t.Errorf("somebody who has caught up is told %v next, want %v", got, user)
			}
		}
		s.close()
	}
	if len(events) < 10 || len(byID) < 10 {
		t.Fatalf("only %d and %d changes are told", len(events), len(byID))
	}
	for _, e := range events {
		if again, is := byID[e.id]; is && (again.cursor != e.cursor || again.told != e.told || again.membership != e.membership) {
			t.Errorf("%v is told again as %v", e, again)
		}
	}
}

// TestMembershipChangesOfLongAgo: whoever was away for long is told of everything, some at
// a time, and goes on from there.
func TestMembershipChangesOfLongAgo(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		a := newAPI(t, o)
		a.once()
		first := a.follow(nil)
		a.buys("first", 0)
		from := first.change(t)
		first.close()
		const many = 1100 // more than two times what is read at a time
		batch := make([]map[string]any, many)
		for n := range batch {
			batch[n] = map[string]any{"messageId": fmt.Sprint("m", n), "userId": fmt.Sprint("u", n), "type": "purchase", "occurredAt": "2026-04-01T00:00:00Z", "value": 1, "currency": "EUR"}
		}
		for some := range slices.Chunk(batch, many/2) {
			a.tell("api", some...)
		}
		s := a.follow(from.cursor)
		defer s.close()
		heard, last := map[string]bool{}, from
		for range many {
			h := s.change(t)
			if heard[h.user] || h.cursor == last.cursor {
				t.Fatalf("%v is told again", h)
			}
			heard[h.user], last = true, h
		}
		a.buys("later", 0)
		if h := s.change(t); h.user != "later" || len(heard) != many {
			t.Errorf("after %d of %d, %v is told", len(heard), many, h)
		}
	})
}

// TestMembershipChangesOfTheMerged: whoever comes back after two individuals were joined
// is told of the one that there is now, and of nobody else.
func TestMembershipChangesOfTheMerged(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		a := newAPI(t, o)
		a.once()
		live := a.follow(nil)
		defer live.close()
		a.buys("first", 0)
		start := live.change(t)
		a.buys("ann", 1)
		a.buys("ann-too", 2)
		for _, want := range []string{"ann", "ann-too"} {
			if got := live.change(t); got.told != (told{want, "ENTERED"}) {
				t.Fatalf("%v is told, want %s", got, want)
			}
		}
		a.must(`mutation { merge(input: {into: {userId: "ann"}, from: {userId: "ann-too"}, reason: "one person"}) { individual { id } } }`, nil)
		a.buys("last", 3)
		there := map[string]bool{}
		a.viewer = admin()
		for _, i := range dig(t, a.must(`{ individuals(first: 100) { nodes { id } } }`, nil), "individuals.nodes").([]any) { //nolint:forcetypeassert // a list
			there[dig(t, i, "id").(string)] = true //nolint:forcetypeassert // an ID!
		}
		if len(there) != 3 {
			t.Fatalf("there are %d individuals, want 3", len(there))
		}
		s := a.follow(start.cursor)
		defer s.close()
		in := map[string]string{}
		for {
			h := s.change(t) // the stream has no errors: every individual that it names is there
			in[h.user] = h.change
			if h.user == "last" {
				break
			}
		}
		if in["ann-too"] != "" || in["ann"] != "EXITED" {
			t.Errorf("they are one, who bought twice and is in it no longer, and is told as %v", in)
		}
		if n := dig(t, a.must(`{ segment(key: "once") { members(first: 10) { totalCount } } }`, nil), "segment.members.totalCount"); n != float64(2) {
			t.Errorf("%v are in it, want first and last", n)
		}
	})
}

// TestMembershipChangesRefused: what is wrong with a subscription is said before it
// begins.
func TestMembershipChangesRefused(t *testing.T) {
	a := newAPI(t, testdb.SQLite(t))
	a.once()
	a.buys("ann", 0)
	for _, c := range []struct {
		as, arguments string
		want          insight.Kind
	}{
		{"nobody", `segment: "once"`, insight.Unauthenticated},
		{"scopes=insights:read", `segment: "once"`, insight.Denied},
		{"scopes=segments:write", `segment: "once"`, insight.Denied},
		{"purpose=marketing", `segment: "once"`, insight.Denied},
		{"purpose=", `segment: "once"`, insight.Invalid},
		{"", `segment: "none"`, insight.NotFound},
		{"", `segment: "once", after: "AQ"`, insight.Invalid},
		{"", `segment: "once", after: "` + insight.Cursor{At: now(), ID: uuid.UUID{15: 1}}.String() + `"`, insight.Invalid},
		{"", `segment: "once", after: "` + changeCursor(0, now()) + `"`, insight.Invalid},
		{"", `segment: "once", after: "` + changeCursor(99, now()) + `"`, insight.Invalid},
		{"", `segment: "once", after: "` + changeCursor(1, now().Add(-store.Remembered-time.Millisecond)) + `"`, insight.Invalid},
	} {
		a.viewer = parseViewer(c.as)
		errs := a.begin(`subscription { membershipChanges(` + c.arguments + `) { id } }`)
		if len(errs) != 1 || insight.KindOf(errs[0].Err) != c.want {
			t.Errorf("%s as %q is answered with %v, want %v", c.arguments, c.as, errs, c.want)
		}
	}
	a.viewer = admin()
	for _, at := range []time.Time{now(), now().Add(-store.Remembered)} {
		if errs := a.begin(`subscription { membershipChanges(segment: "once", after: "` + changeCursor(1, at) + `") { id } }`); len(errs) > 0 {
			t.Errorf("a cursor of %s is answered with %v", at, errs)
		}
	}
}

// changeCursor is the cursor of a change that was made at a moment.
func changeCursor(sequence int64, at time.Time) string {
	id := uuid.UUID{6: 0x70, 8: 0x80}
	for n := range 6 {
		id[n] = byte(at.UnixMilli() >> (8 * (5 - n)))
	}
	return (&segment.Change{Sequence: sequence, ID: id}).Place().String()
}

// TestMembershipStatementsDoNotGrow: who is in a segment, why, and until when takes as
// many statements for thirty individuals as for one, and so do the sizes of segments.
func TestMembershipStatementsDoNotGrow(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		a := newAPI(t, o)
		a.once()
		for n := range 30 {
			a.buys(fmt.Sprint("u", n), n)
		}
		for n := range 10 {
			a.must(`mutation($k: String!) { createSegment(input: {key: $k, name: $k, purpose: "analytics", rule: {everyone: true}}) { segment { id } } }`, map[string]any{"k": fmt.Sprint("more", n)})
		}
		a.compute()
		const membership = `{ lapsesAt why { rule holds facts until } segment { key size } individual { id identifiers { value } } }`
		for _, q := range []struct {
			query, list string
			many        int
		}{
			{`query($n: Int!) { individuals(first: $n) { nodes { memberships ` + membership + ` } } }`, "individuals.nodes", 30},
			{`query($n: Int!) { individuals(first: $n, where: {segment: "once"}) { nodes { id } } }`, "individuals.nodes", 30},
			{`query($n: Int!) { segment(key: "once") { members(first: $n) { nodes ` + membership + ` } } }`, "segment.members.nodes", 30},
			{`query($n: Int!) { segments(first: $n) { nodes { key size } } }`, "segments.nodes", 12},
		} {
			a.must(q.query, map[string]any{"n": 100}) // prepares the statements
			var counts []int
			for _, n := range []int{1, 100} {
				a.counter.Take()
				answer := a.must(q.query, map[string]any{"n": n})
				counts = append(counts, a.counter.Take())
				if why, is := answer["segment"]; is {
					for _, m := range dig(t, why, "members.nodes").([]any) { //nolint:forcetypeassert // a list
						if len(dig(t, m, "why").([]any)) != 2 { //nolint:forcetypeassert // a list
							t.Errorf("of %v it is not told why", m)
						}
					}
				}
				if got, want := len(dig(t, answer, q.list).([]any)), min(n, q.many); got != want { //nolint:forcetypeassert // a list
					t.Errorf("%s lists %d, want %d", q.query, got, want)
				}
			}
			if !slices.Equal(counts[:1], counts[1:]) {
				t.Errorf("%s takes %d statements for one and %d for many", q.query, counts[0], counts[1])
			}
		}
	})
}
