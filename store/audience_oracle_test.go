package store_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/lifetime"
	"github.com/acquaint/acquaint/insight/recency"
	"github.com/acquaint/acquaint/insight/segment"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// crowd is a few people in a store whose clock is a value, and rules about them.
type crowd struct {
	*saying
	store *store.Store
	now   time.Time
	rules map[string]*segment.Rule // of the segments that there are
	links []uuid.UUID              // that operators made
}

func newCrowd(t *testing.T, o store.Options) *crowd {
	t.Helper()
	c := &crowd{now: epoch, rules: map[string]*segment.Rule{}}
	o.Now = func() time.Time { return c.now }
	c.store = testdb.Open(t, o)
	c.saying = sayer(t, c.store)
	return c
}

// invented are models of a population, as good as any that were found.
func invented(of segment.Needs, asOf time.Time) *segment.Models {
	days := func(n int) *time.Duration {
		d := time.Duration(n) * insight.Day
		return &d
	}
	m := &segment.Models{
		AsOf: asOf, Habits: map[string]segment.Wires{}, Visits: &segment.Wires{days(9), days(7), days(5)},
		Cuts:     &recency.Cuts{Recency: [4]float64{2, 7, 20, 60}, Frequency: [4]float64{1, 2, 3, 5}, Monetary: [4]float64{5, 10, 20, 40}},
		Lifetime: &lifetime.Fit{Model: lifetime.BGNBD, Parameters: []lifetime.Parameter{{Name: "r", Value: 0.25}, {Name: "alpha", Value: 4.4}, {Name: "a", Value: 0.8}, {Name: "b", Value: 2.4}}, SpendUnknown: "none was looked for"},
	}
	for i := range of.Habits {
		m.Habits[segment.SelectorKey(&of.Habits[i])] = segment.Wires{days(8), days(6), days(4)}
	}
	return m
}

// keep does what a keeper does.
func (c *crowd) keep() {
	c.t.Helper()
	c.look()
	for more := true; more; {
		for waiting, needs := range must(c.store.AwaitingModels(c.t.Context())) {
			if err := c.store.SetModels(c.t.Context(), waiting, invented(needs, c.now)); err != nil {
				c.t.Fatal(insight.Detail(err))
			}
		}
		more = must(c.store.Draft(c.t.Context()))
	}
	c.look()
}

func (c *crowd) look() {
	c.t.Helper()
	for n := 1; n > 0; {
		var err error
		if n, _, err = c.store.Look(c.t.Context()); err != nil {
			c.t.Fatal(insight.Detail(err))
		}
	}
}

// kinds are what happens; the last goes out.
var kinds = []string{"buy", "view", "letter"}

// anyLeaf is a leaf of any kind that needs no model, or the name of another segment.
func anyLeaf(r *rand.Rand, named []string) string {
	of := fmt.Sprintf(`"event":{"types":["%s"]}`, kinds[r.IntN(3)])
	within := []string{"", fmt.Sprintf(`,"within":"P%dD"`, 1+r.IntN(30)), fmt.Sprintf(`,"within":"PT%dH"`, 1+r.IntN(90))}[r.IntN(3)]
	n := r.IntN(3)
	switch r.IntN(9) {
	case 0:
		return fmt.Sprintf(`{"event":{%s,"atLeast":%d%s}}`, of, n+1, within)
	case 1:
		return fmt.Sprintf(`{"event":{"event":{"properties":[{"path":"n","op":"GTE","value":%d}]},"atLeast":%d,"atMost":%d%s}}`, n, n, n+r.IntN(3), within)
	case 2:
		return fmt.Sprintf(`{"monetary":{%s,"atLeast":%d%s}}`, of, 10*n, within)
	case 3:
		return fmt.Sprintf(`{"recency":{%s,"atLeast":"P%dD"}}`, of, 1+r.IntN(30))
	case 4:
		return fmt.Sprintf(`{"recency":{%s,"atMost":"PT%dH"}}`, of, 1+r.IntN(300))
	case 5:
		return fmt.Sprintf(`{"sequence":{"steps":[{"types":["%s"]},{"types":["%s"]}]%s}}`, kinds[r.IntN(3)], kinds[r.IntN(3)], within)
	case 6:
		return []string{`{"trait":{"key":"plan","op":"EQ","value":"gold"}}`, `{"trait":{"key":"plan","op":"NE","value":"gold","minConfidence":0.5}}`, `{"trait":{"key":"plan","op":"EXISTS"}}`}[n]
	case 7:
		return []string{`{"consent":"marketing"}`, `{"consent":"analytics"}`, `{"everyone":true}`}[n]
	}
	if len(named) == 0 {
		return `{"everyone":true}`
	}
	return fmt.Sprintf(`{"segment":%q}`, named[r.IntN(len(named))])
}

func anyRule(r *rand.Rand, named []string, depth int) string {
	if depth == 0 || r.IntN(3) == 0 {
		return anyLeaf(r, named)
	}
	of := make([]string, 1+r.IntN(3))
	for n := range of {
		of[n] = anyRule(r, named, depth-1)
	}
	switch r.IntN(3) {
	case 0:
		return `{"not":` + of[0] + `}`
	case 1:
		return `{"any":[` + strings.Join(of, ",") + `]}`
	}
	return `{"all":[` + strings.Join(of, ",") + `]}`
}

// modelled are rules that compare somebody with everyone.
var modelled = []string{
	`{"relationship":["UNRESPONSIVE","OPTED_OUT","NEW"]}`, `{"relationship":["COOLING","LAPSED","ACTIVE"]}`, `{"rfm":{"r":[3,4,5],"m":[1,2,3]}}`,
	`{"not":{"rfm":{"f":[1,2]}}}`, `{"recency":{"event":{"types":["buy"]},"overdue":true}}`, `{"lifetime":{"probabilityAliveAtLeast":0.6}}`,
}

var reading = []string{"analytics", "service", "marketing"}

// define makes a segment, or gives it another rule. A rule names only those that were
// made before it, and so none leads back to itself.
func (c *crowd) define(r *rand.Rand, n int) {
	c.t.Helper()
	var named []string
	for key := range c.rules {
		if key < segmentName(n) {
			named = append(named, key)
		}
	}
	slices.Sort(named)
	rule := must(segment.Read([]byte(anyRule(r, named, 3))))
	if c.rules[segmentName(n)] == nil {
		must(c.store.CreateSegment(c.t.Context(), store.NewSegment{Key: segmentName(n), Name: "s", Purpose: reading[n%3], Rule: rule}))
	} else {
		must(c.store.UpdateSegment(c.t.Context(), segmentName(n), store.SegmentChange{Rule: rule}))
	}
	c.rules[segmentName(n)] = rule
}

func segmentName(n int) string { return fmt.Sprintf("s%02d", n) }

// known is what a reader for a purpose may know of one whom it covers.
type known struct {
	timeline insight.Timeline
	traits   []insight.Trait
}

// everybody reads back whom each purpose covers and what may be known of them.
func (c *crowd) everybody() map[string]map[uuid.UUID]*known {
	c.t.Helper()
	all := map[string]map[uuid.UUID]*known{}
	for _, purpose := range reading {
		reader := c.reader(purpose)
		people := map[uuid.UUID]*known{}
		var ids []uuid.UUID
		for _, i := range must(reader.Individuals(c.t.Context(), store.Filter{}, store.Order{}, store.Page{Limit: 1000})).Items {
			people[i.ID] = &known{}
			ids = append(ids, i.ID)
		}
		for id, some := range must(reader.Interactions(c.t.Context(), ids, insight.Selector{}, store.Page{Limit: 1000}, store.WithAll)) {
			for _, x := range some.Items {
				if !x.OccurredAt.After(c.now) {
					people[id].timeline = append(people[id].timeline, x)
				}
			}
			slices.SortFunc(people[id].timeline, func(a, b *insight.Interaction) int {
				return cmp.Or(a.OccurredAt.Compare(b.OccurredAt), slices.Compare(a.ID[:], b.ID[:]))
			})
		}
		for id, some := range must(reader.Traits(c.t.Context(), ids)) {
			for _, t := range some {
				if !t.ObservedAt.After(c.now) {
					people[id].traits = append(people[id].traits, t)
				}
			}
		}
		all[purpose] = people
	}
	return all
}

func (c *crowd) reader(purpose string) *store.Reader {
	c.t.Helper()
	return must(c.store.Reader(c.t.Context(), &insight.Viewer{Subject: "test", Scopes: []insight.Scope{insight.ScopeIndividualsRead}, Purposes: []string{purpose}, Purpose: purpose}, nil))
}

// holds is the rule in plain loops, over what was read back.
func (c *crowd) holds(all map[string]map[uuid.UUID]*known, r *segment.Rule, purpose string, id uuid.UUID) bool {
	of := all[purpose][id]
	inner := func(r *segment.Rule) bool { return c.holds(all, r, purpose, id) }
	counted := func(s *insight.Selector, within time.Duration) (some insight.Timeline) {
		for _, x := range of.timeline {
			if s.Matches(x) && (within == 0 || c.now.Sub(x.OccurredAt) < within) {
				some = append(some, x)
			}
		}
		return some
	}
	switch {
	case r.All != nil:
		return !slices.ContainsFunc(r.All, func(r *segment.Rule) bool { return !inner(r) })
	case r.Any != nil:
		return slices.ContainsFunc(r.Any, inner)
	case r.Not != nil:
		return !inner(r.Not)
	case r.Segment != "":
		return inner(c.rules[r.Segment])
	case r.Trait != nil:
		return r.Trait.Matches(of.traits)
	case r.Consent != "":
		return all[r.Consent][id] != nil
	case r.Event != nil:
		n := len(counted(&r.Event.Event, r.Event.Within))
		return (r.Event.AtLeast == nil || n >= *r.Event.AtLeast) && (r.Event.AtMost == nil || n <= *r.Event.AtMost)
	case r.Monetary != nil:
		sum := 0.0
		for _, x := range counted(&r.Monetary.Event, r.Monetary.Within) {
			if x.Value != nil {
				sum += *x.Value // whole numbers: exact
			}
		}
		return sum >= *r.Monetary.AtLeast
	case r.Recency != nil:
		some := counted(r.Recency.Event, 0)
		if len(some) == 0 {
			return false
		}
		since := c.now.Sub(some[len(some)-1].OccurredAt)
		return (r.Recency.AtLeast == nil || since >= *r.Recency.AtLeast) && (r.Recency.AtMost == nil || since <= *r.Recency.AtMost)
	case r.Sequence != nil:
		for i, first := range of.timeline {
			for _, second := range of.timeline[i+1:] {
				if r.Sequence.Steps[0].Matches(first) && r.Sequence.Steps[1].Matches(second) && (r.Sequence.Within == 0 || second.OccurredAt.Sub(first.OccurredAt) < r.Sequence.Within) {
					return true
				}
			}
		}
		return false
	}
	return r.Everyone
}

// right compares who is in each segment with whom its rule holds, and asks for a
// recompute. It returns how many memberships there are.
func (c *crowd) right(when string) int {
	c.t.Helper()
	all, members := c.everybody(), 0
	for key, rule := range c.rules {
		of := must(c.store.Segment(c.t.Context(), key))
		if of.Status != segment.Live {
			c.t.Fatalf("%s: the segment %s is not computed", when, key)
		}
		in := map[uuid.UUID]bool{}
		for _, m := range must(c.reader(of.Purpose.Key).Members(c.t.Context(), of, store.Page{Limit: 1000})).Items {
			if in[m.IndividualID] {
				c.t.Fatalf("%s: somebody is in %s twice", when, key)
			}
			in[m.IndividualID] = true
			members++
			if m.EnteredAt.After(c.now) {
				c.t.Fatalf("%s: somebody is in %s from tomorrow on", when, key)
			}
		}
		for id := range all[of.Purpose.Key] {
			if want := c.holds(all, rule, of.Purpose.Key, id); want != in[id] {
				text, _ := json.Marshal(rule)
				c.t.Fatalf("%s: that %s is in %s is %t, and the rule says %t: %s", when, insight.FormatID(insight.IndividualPrefix, id), key, in[id], want, text)
			}
			delete(in, id)
		}
		if len(in) > 0 {
			c.t.Fatalf("%s: %d are in %s whom its purpose does not cover", when, len(in), key)
		}
	}
	if v := must(c.store.Verify(c.t.Context(), nil)); v.Total > 0 {
		c.t.Fatalf("%s: %q", when, v.Differences)
	}
	return members
}

func user(n int) insight.Identity {
	return insight.Identity{Kind: insight.UserID, Value: fmt.Sprint("u", n)}
}

// happening is an event of one of the people, late, now or ahead.
func (c *crowd) happening(r *rand.Rand, message string, who ...insight.Identity) *insight.Event {
	e := c.event(message, who...)
	e.Type = kinds[r.IntN(3)]
	if e.Type == "letter" {
		e.Direction = insight.Outbound
	}
	value := float64(r.IntN(20))
	e.Value, e.Properties = &value, fmt.Appendf(nil, `{"n":%d}`, r.IntN(5))
	switch r.IntN(4) {
	case 0:
		e.OccurredAt = c.now.Add(-time.Duration(r.IntN(20*24)) * time.Hour)
	case 1:
		e.OccurredAt = c.now.Add(time.Duration(r.IntN(48)) * time.Hour)
	default:
		e.OccurredAt = c.now
	}
	e.OccurredAt = e.OccurredAt.Add(time.Duration(c.n) * time.Millisecond) // which of one moment comes first differs from store to store
	e.Timestamp, e.ReceivedAt = e.OccurredAt, c.now
	if r.IntN(3) == 0 {
		e.Traits = []insight.Observation{{
			Key: "plan", Value: []byte([]string{`"gold"`, `"basic"`}[r.IntN(2)]), Provenance: insight.Declared, Confidence: []float64{0.3, 1}[r.IntN(2)], Sensitivity: insight.Ordinary,
		}}
	}
	return e
}

func (c *crowd) decide(r *rand.Rand, who insight.Identity) {
	c.t.Helper()
	claim := c.claim([]string{"analytics", "marketing"}[r.IntN(2)], insight.ConsentDecision(1+r.IntN(3)))
	claim.EffectiveAt = c.now.Add(-time.Duration(r.IntN(2)*r.IntN(200)) * time.Hour)
	if claim.Decision == insight.ConsentGranted && r.IntN(2) == 0 {
		claim.ExpiresAt = c.now.Add(time.Duration(1+r.IntN(200)) * time.Hour)
	}
	c.decides(who, claim)
}

// happen does something random. Alone says that nobody is joined, parted or erased.
func (c *crowd) happen(r *rand.Rand, step int, alone bool) string {
	c.t.Helper()
	ctx, who := c.t.Context(), user(r.IntN(5))
	fine := func(err error) {
		if k := insight.KindOf(err); err != nil && k != insight.NotFound && k != insight.Invalid {
			c.t.Fatal(insight.Detail(err))
		}
	}
	n := r.IntN(12)
	switch {
	case n < 7 || alone && n > 8:
		var events []*insight.Event
		for range 1 + r.IntN(3) {
			names := []insight.Identity{user(r.IntN(5))}
			if !alone && r.IntN(2) == 0 {
				names = append(names, insight.Identity{Kind: insight.AnonymousID, Value: fmt.Sprint("a", r.IntN(6))})
				names = names[r.IntN(2):]
			}
			events = append(events, c.happening(r, fmt.Sprintf("m%d-%d", step, len(events)), names...))
		}
		must(c.store.Append(ctx, events))
		return "events"
	case n < 9:
		c.decide(r, who)
		return "a decision"
	case n < 10:
		_, link, err := c.store.Merge(ctx, store.Lookup{Identity: who}, store.Lookup{Identity: user(r.IntN(5))}, "one person")
		if fine(err); err == nil {
			c.links = append(c.links, link)
		}
		return "a merge"
	case n < 11:
		if len(c.links) > 0 {
			_, err := c.store.Unmerge(ctx, c.links[len(c.links)-1:], "they are two")
			fine(err)
			c.links = c.links[:len(c.links)-1]
		}
		return "an unmerge"
	}
	_, _, err := c.store.Erase(ctx, store.Lookup{Identity: who}, store.ErasureTerms{Asked: store.Asked{By: "clerk", Reason: "they asked"}})
	fine(err)
	return "an erasure"
}

// rounds is how often a law is tried; a server's database takes longer to make.
func rounds(o store.Options, file, server int) uint64 {
	if o.URL == "" {
		return uint64(file)
	}
	return uint64(server)
}

// TestMembersAsAnOracleSays: after whatever happened, and however the clock jumped, who
// is in a segment is what plain loops say of what may be read.
func TestMembersAsAnOracleSays(t *testing.T) {
	alone(t)
	for engine, options := range map[string]func(testing.TB) store.Options{"sqlite": testdb.SQLite, "postgres": testdb.Postgres, "citus": testdb.Citus} {
		t.Run(engine, func(t *testing.T) {
			members := 0
			for seed := range rounds(options(t), 6, 2) {
				r := rand.New(rand.NewPCG(seed, 11))
				c := newCrowd(t, options(t))
				made := 0
				for ; made < 8; made++ {
					c.define(r, made)
				}
				for n, rule := range modelled { // those a recompute asks
					must(c.store.CreateSegment(t.Context(), store.NewSegment{Key: fmt.Sprint("m", n), Name: "m", Purpose: reading[n%3], Rule: must(segment.Read([]byte(rule)))}))
				}
				c.keep()
				for step := range 40 {
					c.now = c.now.Add(time.Duration(r.IntN(30*60)) * time.Minute)
					what := c.happen(r, step, false)
					switch r.IntN(8) {
					case 0:
						c.define(r, r.IntN(made))
					case 1:
						c.define(r, made)
						made++
					case 2:
						c.now = c.now.Add(time.Duration(r.IntN(60*24)) * time.Hour)
					case 3:
						continue // nobody looks
					}
					c.keep()
					members += c.right(fmt.Sprintf("seed %d, step %d, after %s", seed, step, what))
				}
				c.alternate()
			}
			if members < 1000 {
				t.Errorf("there were %d memberships: this test finds less than it should", members)
			}
		})
	}
}

// alternate checks what was told: in ascending places, of each individual and segment an
// entry and an exit by turns, each by its membership, and that it ends as it is.
func (c *crowd) alternate() {
	c.t.Helper()
	in := map[string]string{} // the membership
	var sequence int64
	query(c.t, c.store, "SELECT sequence, individual_id, segment_id, membership_id, CASE WHEN entered THEN 'in' ELSE '' END FROM membership_changes ORDER BY sequence", func(cells []string) {
		var place int64
		if _, err := fmt.Sscan(cells[0], &place); err != nil || place <= sequence {
			c.t.Errorf("the place %s comes after %d", cells[0], sequence)
		}
		sequence = place
		key := cells[1] + " " + cells[2]
		was, told := in[key]
		switch {
		case cells[4] != "" && was != "":
			c.t.Errorf("%s enters, and has not exited", key)
		case cells[4] == "" && told && was != cells[3]: // of who was erased, the entry is told no more
			c.t.Errorf("%s exits from what it did not enter", key)
		}
		if in[key] = cells[3]; cells[4] == "" {
			in[key] = ""
		}
	})
	query(c.t, c.store, "SELECT individual_id, segment_id, id FROM memberships WHERE exited_at IS NULL", func(cells []string) {
		key := cells[0] + " " + cells[1]
		if in[key] != cells[2] {
			c.t.Errorf("%s is in, and was told %q", key, in[key])
		}
		delete(in, key)
	})
	for key, membership := range in {
		if membership != "" {
			c.t.Errorf("%s was told to be in, and is not", key)
		}
	}
}

// TestWhenSomebodyLooksDoesNotMatter: whether time's changes are made at their moments
// or whenever something else happens, each is made once and says the same moment.
func TestWhenSomebodyLooksDoesNotMatter(t *testing.T) {
	alone(t)
	for engine, options := range map[string]func(testing.TB) store.Options{"sqlite": testdb.SQLite, "postgres": testdb.Postgres, "citus": testdb.Citus} {
		t.Run(engine, func(t *testing.T) {
			told := 0
			for seed := range rounds(options(t), 5, 1) {
				history := func(look func(c *crowd, until time.Time)) map[string][]string {
					r := rand.New(rand.NewPCG(seed, 12))
					c := newCrowd(t, options(t))
					for n := range 10 {
						c.define(r, n)
					}
					for n, rule := range modelled {
						must(c.store.CreateSegment(t.Context(), store.NewSegment{Key: fmt.Sprint("m", n), Name: "m", Purpose: reading[n%3], Rule: must(segment.Read([]byte(rule)))}))
					}
					c.keep()
					for step := range 30 {
						until := c.now.Add(time.Duration(r.IntN(5*24*60)) * time.Minute)
						look(c, until)
						c.now = until
						c.happen(r, step, true)
					}
					until := c.now.Add(400 * insight.Day)
					look(c, until)
					c.now = until
					c.look()
					c.right(fmt.Sprintf("seed %d, in the end", seed))
					c.alternate()
					return c.told()
				}
				whenever := history(func(*crowd, time.Time) {})
				at := history(func(c *crowd, until time.Time) {
					for {
						_, next, err := c.store.Look(t.Context())
						if err != nil {
							t.Fatal(insight.Detail(err))
						}
						if next.IsZero() || next.After(until) {
							return
						}
						if next.After(c.now) {
							c.now = next
						}
					}
				})
				for key, want := range at {
					told += len(want)
					if !slices.Equal(whenever[key], want) {
						t.Fatalf("seed %d: of %s is told\n%q when somebody looks at each moment, and\n%q otherwise", seed, key, want, whenever[key])
					}
				}
				if len(at) != len(whenever) {
					t.Fatalf("seed %d: %d are told of when somebody looks, and %d otherwise", seed, len(at), len(whenever))
				}
			}
			if told < 100 {
				t.Errorf("%d changes were told: this test finds less than it should", told)
			}
		})
	}
}

// told is what was told, of each individual and segment, by their names.
func (c *crowd) told() map[string][]string {
	c.t.Helper()
	name := map[string]string{}
	query(c.t, c.store, "SELECT individual_id, value FROM identifiers", func(cells []string) { name[cells[0]] = cells[1] })
	query(c.t, c.store, "SELECT id, key FROM segments", func(cells []string) { name[cells[0]] = cells[1] })
	told := map[string][]string{}
	query(c.t, c.store, "SELECT individual_id, segment_id, CASE WHEN entered THEN 'enters' ELSE 'exits' END, at FROM membership_changes ORDER BY sequence", func(cells []string) {
		key := name[cells[0]] + " " + name[cells[1]]
		told[key] = append(told[key], cells[2]+" "+cells[3])
	})
	return told
}

// TestOrderDoesNotMatterToMembers: any permutation, duplication and batching of a history
// leaves everyone in the same segments.
func TestOrderDoesNotMatterToMembers(t *testing.T) {
	alone(t)
	for engine, options := range map[string]func(testing.TB) store.Options{"sqlite": testdb.SQLite, "postgres": testdb.Postgres, "citus": testdb.Citus} {
		t.Run(engine, func(t *testing.T) {
			members := 0
			for seed := range rounds(options(t), 20, 2) {
				r := rand.New(rand.NewPCG(seed, 13))
				c := newCrowd(t, options(t))
				c.now = epoch.Add(5 * insight.Day)
				for n, rule := range []string{
					`{"event":{"event":{"types":["purchase"]},"atLeast":2}}`, `{"sequence":{"steps":[{"types":["page"]},{"types":["purchase"]}],"within":"P2D"}}`,
					`{"recency":{"event":{"types":["page"]},"atLeast":"P3D"}}`, `{"trait":{"key":"plan","op":"EQ","value":"v3"}}`, `{"not":{"trait":{"key":"city","op":"EXISTS"}}}`, `{"everyone":true}`,
				} {
					c.rules[segmentName(n)] = must(segment.Read([]byte(rule)))
					must(c.store.CreateSegment(t.Context(), store.NewSegment{Key: segmentName(n), Name: "s", Purpose: reading[n%2], Rule: c.rules[segmentName(n)]}))
				}
				c.keep()
				h := rapid.Custom(func(rt *rapid.T) history { return genHistory(rt, c.store) }).Example(int(seed))
				for n, e := range slices.Concat(h.before, h.after) { // of two that are said at one moment, which is best is not certain
					e.OccurredAt = e.OccurredAt.Add(time.Duration(n) * time.Millisecond)
				}
				after := func(r *rand.Rand) string {
					empty(t, c.store)
					for _, table := range []string{"memberships", "membership_changes"} {
						must(c.store.DB().ExecContext(t.Context(), "DELETE FROM "+table))
					}
					live(t, c.store, h, r)
					members += c.right(fmt.Sprintf("seed %d", seed))
					c.alternate()
					return c.names()
				}
				in := after(nil)
				if shuffled := after(r); shuffled != in {
					t.Fatalf("seed %d: in order\n%s\nand shuffled\n%s", seed, in, shuffled)
				}
			}
			if members < 20 {
				t.Errorf("there were %d memberships: this test finds less than it should", members)
			}
		})
	}
}

// names is who is in which segment, each by all of their identifiers.
func (c *crowd) names() string {
	c.t.Helper()
	who, key := map[string][]string{}, map[string]string{}
	query(c.t, c.store, "SELECT individual_id, value FROM identifiers ORDER BY value", func(cells []string) { who[cells[0]] = append(who[cells[0]], cells[1]) })
	query(c.t, c.store, "SELECT id, key FROM segments", func(cells []string) { key[cells[0]] = cells[1] })
	var lines []string
	query(c.t, c.store, "SELECT individual_id, segment_id FROM memberships WHERE exited_at IS NULL", func(cells []string) {
		lines = append(lines, fmt.Sprint(key[cells[1]], " ", who[cells[0]]))
	})
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// TestDamagedMemberships: a recompute finds and names what is not as the rules say.
func TestDamagedMemberships(t *testing.T) {
	const of = "(SELECT individual_id FROM identifiers WHERE value = 'u0')"
	const strange = "'00000000-0000-7000-8000-000000000001'"
	testdb.Each(t, func(t *testing.T, o store.Options) {
		c := newCrowd(t, o)
		must(c.store.CreateSegment(t.Context(), store.NewSegment{Key: "s", Name: "s", Purpose: "service", Rule: must(segment.Read([]byte(`{"event":{"event":{"types":["buy"]},"within":"P10D"}}`)))}))
		c.keep()
		for _, d := range []struct{ what, how, told string }{
			{"one that is missing", "DELETE FROM memberships WHERE individual_id = " + of, "is kept as false, its rule says true"},
			{"one that ended by hand", "UPDATE memberships SET exited_at = entered_at WHERE individual_id = " + of, "is kept as false, its rule says true"},
			{"one too many", "INSERT INTO memberships (id, individual_id, segment_id, entered_at, since_edition, announced) SELECT " + strange +
				", (SELECT individual_id FROM identifiers WHERE value = 'u1'), segment_id, entered_at, since_edition, announced FROM memberships WHERE individual_id = " + of, "is kept as true, its rule says false"},
			{"one twice", "INSERT INTO memberships (id, individual_id, segment_id, entered_at, since_edition, announced) SELECT " + strange +
				", individual_id, segment_id, entered_at, since_edition, announced FROM memberships WHERE individual_id = " + of, "twice"},
			{"one of nobody", "UPDATE memberships SET individual_id = " + strange, "its individual does not exist"},
			{"when to look again", "UPDATE individuals SET look_at = NULL WHERE id = " + of, "they are not looked at when time may change"},
			{"what happened", "UPDATE interactions SET type = 'view'", "is kept as true, its rule says false"},
		} {
			empty(t, c.store)
			must(c.store.DB().ExecContext(t.Context(), "DELETE FROM memberships"))
			for n, kind := range []string{"buy", "view"} {
				e := c.event(fmt.Sprint("m", n), user(n))
				e.Type, e.OccurredAt = kind, c.now
				c.saying.keep(e)
			}
			if v := must(c.store.Verify(t.Context(), nil)); v.Total > 0 {
				t.Fatalf("before: %q", v.Differences)
			}
			must(c.store.DB().ExecContext(t.Context(), d.how))
			v := must(c.store.Verify(t.Context(), nil))
			if !slices.ContainsFunc(v.Differences, func(s string) bool { return strings.Contains(s, d.told) }) {
				t.Errorf("%s is told as %q", d.what, v.Differences)
			}
		}
	})
}
