package graph_test

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/acquaint/acquaint/graph"
	"github.com/acquaint/acquaint/ingest/tracking"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// mirrored is the purpose that a mirror is read for. It covers whatever there is.
const mirrored = "mirrored"

// mirror is another API, over a database that holds what the oracle says one viewer may
// read, and nothing else. Everybody is known by one name there, which is the id that
// they have in the world.
type mirror struct {
	*api
	floor int
}

// mirror makes the mirror of a world for a viewer; close lets go of it.
func (w *world) mirror(v *view, floor int) (m *mirror, done func()) {
	w.t.Helper()
	ctx := context.Background()
	check := func(err error) {
		w.t.Helper()
		if err != nil {
			w.t.Fatal(err)
		}
	}
	o := testdb.SQLite(w.t)
	o.Now, o.LookEvery = w.clock, time.Hour
	s, err := store.Open(ctx, o)
	check(err)
	_, err = s.DefinePurpose(ctx, insight.Purpose{Key: mirrored, Name: mirrored, Description: "All that there is.", LegalBasis: insight.BasisPublicTask, Floor: max(floor, 1)})
	check(err)
	for name, channel := range map[string]string{"shop": "web", "till": "store"} {
		_, _, err := s.CreateSource(ctx, store.NewSource{Name: name, DefaultChannel: channel})
		check(err)
	}
	outreach, err := s.Purpose(ctx, insight.OutreachPurpose)
	check(err)

	var events []*insight.Event
	people := v.population()
	for _, id := range people {
		who := insight.Identity{Kind: insight.UserID, Value: id}
		statement := w.event(s, nil, &fact{message: "who is " + id, source: "shop", channel: "web", kind: "identify", at: w.clock(), received: w.clock()})
		statement.Statement, statement.Identities, statement.Stream = true, []insight.Identity{who}, who
		events = append(events, statement)
		for _, x := range v.timeline(id, nil, w.clock()) {
			e := w.event(s, nil, x)
			e.Identities, e.Stream = []insight.Identity{who}, who
			events = append(events, e)
		}
	}
	outcomes, err := s.Append(ctx, events)
	check(err)
	for _, o := range outcomes {
		if o.Status != insight.StatusAccepted {
			w.t.Fatalf("a mirror does not take something: %v", o.Err)
		}
	}
	for _, id := range people {
		var claims []insight.Claim
		for n, at := range v.refusals(id) {
			c := insight.Claim{Purpose: outreach, Decision: insight.ConsentDenied, EffectiveAt: at, Method: insight.MethodDeclared, Source: "shop"}
			if n%2 == 1 {
				c.Decision = insight.ConsentGranted
			}
			claims = append(claims, c)
		}
		if len(claims) > 0 {
			_, err := s.RecordConsents(ctx, store.Lookup{Identity: insight.Identity{Kind: insight.UserID, Value: id}}, claims)
			check(err)
		}
	}
	if w.aside.IntN(2) == 0 {
		digest(w.t, s)
	}
	m = &mirror{&api{t: w.t, store: s}, floor}
	m.exec = executor.New(graph.New(graph.Options{Store: s, Decoder: &tracking.Decoder{Directory: s}, Now: w.clock}))
	return m, func() { check(s.Close()) }
}

// viewer is who reads a mirror like somebody reads the world.
func (m *mirror) reader(like *insight.Viewer) *insight.Viewer {
	v := *like
	v.Purposes, v.Purpose = []string{mirrored}, mirrored
	return &v
}

// themselves is whoever the mirror is of, with their own token.
func (m *mirror) themselves() *insight.Viewer {
	m.t.Helper()
	m.viewer = m.reader(&insight.Viewer{Subject: "reader", Scopes: []insight.Scope{insight.ScopeIndividualsRead}})
	return themselves(dig(m.t, m.must(`{ individuals(first: 1) { nodes { id } } }`, nil), "individuals.nodes.0.id").(string))
}

// digest writes every digest that is missing.
func digest(t testing.TB, s *store.Store) {
	t.Helper()
	for {
		n, err := s.Digest(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

// reflect asks everything about everyone, and of each individual what stands beside
// everyone, for some purposes, and compares with mirrors and with plain loops. Of the
// reports it asks for those that are named, or for all. It also tells how often which
// report was told.
func (w *world) reflect(purposes []*purposeFact, names ...string) (found *comparison, told map[string]int) {
	w.t.Helper()
	w.register()
	w.resolve()
	all, a := &comparison{w: w}, w.asker()
	told = map[string]int{}
	reports, each, self := a.reports(), a.beside(false), a.beside(true)
	if len(names) > 0 {
		reports = slices.DeleteFunc(reports, func(q *question) bool { return !slices.Contains(names, q.report) })
	}
	as := func(m *mirror, v *insight.Viewer, who string, c *comparison) {
		c.w, c.who, c.answered, c.habits = w, who, map[string]any{}, map[string]*habit{}
		for _, q := range reports {
			if c.report(m, v, q) {
				told[fmt.Sprintf("%s %v", q.report, c.floor == 0)]++
			}
		}
		if !c.nobody {
			c.each(m, v, each)
		}
		all.findings, all.number = append(all.findings, c.findings...), all.number+c.number
	}
	sees := func(v *view) *view {
		v.lies, v.pretends = w.lies, w.pretends
		return v
	}
	for _, p := range purposes {
		m, done := w.mirror(sees(w.view(p.key)), p.floor)
		as(m, w.reader(p.key, insight.ScopeInsightsRead), "a reader of individuals and insights for "+p.key, &comparison{view: sees(w.view(p.key))})
		as(m, w.analyst(p.key), "an analyst for "+p.key, &comparison{view: sees(w.view(p.key)), floor: p.floor, nobody: true})
		done()
	}
	someone := one(w, slices.Sorted(maps.Keys(w.members)))
	c := &comparison{w: w, who: someone + " themselves", view: &view{oracle: &w.oracle, self: someone}}
	m, done := w.mirror(c.view, 0)
	defer done()
	c.ask(themselves(someone), self)
	c.same("", w.stripped(themselves(someone), self), m.stripped(m.themselves(), self))
	all.findings, all.number = append(all.findings, c.findings...), all.number+c.number
	return all, told
}

// report asks for a report in the world and in its mirror, and tells whether there is
// one.
func (c *comparison) report(m *mirror, v *insight.Viewer, q *question) bool {
	c.w.t.Helper()
	c.number++
	c.w.viewer, m.viewer = v, m.reader(v)
	data, errs := c.w.ask(q.text, nil)
	want, wantErrs := m.ask(q.text, nil)
	path := q.report + q.fields[q.report].args.String()
	if got, want := failures(errs), failures(wantErrs); got != want {
		c.find(place{path: path}, "it fails with %q, and in a mirror with %q", got, want)
		return false
	}
	c.same(path, data, want)
	for _, text := range []string{quote(data), failures(errs)} {
		if found := markText.FindString(text) + idText.FindString(text); found != "" {
			c.find(place{path: path}, "a report speaks of %s: %s", found, text)
		}
	}
	insights, _ := data["insights"].(map[string]any)
	of, is := insights[q.report].(map[string]any)
	if is {
		c.plain(q, of)
	}
	return is
}

// each asks what stands beside everyone of each individual in the world and in its mirror.
func (c *comparison) each(m *mirror, v *insight.Viewer, q *question) {
	c.w.t.Helper()
	c.ask(v, q)
	c.same("individuals", c.w.stripped(v, q), m.stripped(m.reader(v), q))
}

// stripped are the individuals of an answer without their identifiers, by what they are
// called in the world.
func (a *api) stripped(v *insight.Viewer, q *question) map[string]any {
	a.t.Helper()
	a.viewer = v
	data := a.must(q.text, nil)
	if own, is := data["viewer"].(map[string]any); is {
		return own
	}
	all := map[string]any{}
	for _, each := range dig(a.t, data, "individuals.nodes").([]any) {
		i := each.(map[string]any)
		name := i["id"].(string)
		for _, f := range i["identifiers"].([]any) {
			if value := f.(map[string]any)["value"].(string); strings.HasPrefix(value, "ind_") {
				name = value
			}
		}
		delete(i, "identifiers")
		all[name] = i
	}
	return all
}

// failures are errors in words.
func failures(errs gqlerror.List) string {
	var all []string
	for _, e := range errs {
		all = append(all, fmt.Sprintf("%s: %v %s", e.Path, insight.KindOf(e.Err), e.Message))
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}

// same compares an answer with that of a mirror, in which everything has another id.
func (c *comparison) same(path string, got, want any) {
	if text := unlike(path, got, want); text != "" {
		c.find(place{path: text}, "the world and its mirror tell different things")
	}
}

// unlike tells the first thing in which two answers differ; ids may, and numbers in
// their last digits.
func unlike(path string, a, b any) string {
	switch x := a.(type) {
	case map[string]any:
		y, is := b.(map[string]any)
		if !is {
			break
		}
		names := maps.Clone(x)
		maps.Copy(names, y)
		delete(names, "id")
		for _, name := range slices.Sorted(maps.Keys(names)) {
			in, has := x[name]
			inMirror, mirrorHas := y[name]
			if has != mirrorHas {
				return fmt.Sprintf("%s.%s is there: %v, in the mirror: %v", path, name, has, mirrorHas)
			}
			if text := unlike(path+"."+name, in, inMirror); text != "" {
				return text
			}
		}
		return ""
	case []any:
		y, is := b.([]any)
		if !is || len(x) != len(y) {
			break
		}
		for n := range x {
			if text := unlike(fmt.Sprintf("%s.%d", path, n), x[n], y[n]); text != "" {
				return text
			}
		}
		return ""
	case float64:
		y, is := b.(float64)
		if is && math.Abs(x-y) <= 1e-9*max(math.Abs(x), math.Abs(y)) {
			return ""
		}
	default:
		if a == b {
			return ""
		}
	}
	return fmt.Sprintf("%s is %s, in the mirror %s", path, quote(a), quote(b))
}

// beside wants what stands beside everyone to be the same, whichever way it is come by.
func (c *comparison) beside(v any, p place) {
	key := p.individual + " " + p.from + p.args.String()
	switch {
	case p.from == "Journey.nextChannels":
		key += p.way
		if all, _ := v.([]any); c.self != "" && len(all) > 0 {
			c.find(p, "somebody's own token is told of others")
		}
	case p.from == "Individual.rfm", p.from == "Individual.lifetime":
		if c.self != "" && v != nil {
			c.find(p, "somebody's own token is told of others")
		}
	case p.from != "Individual.relationship":
		return
	}
	had, is := c.answered[key]
	if c.answered != nil && !is {
		c.answered[key] = v
	}
	if text := unlike("", v, had); is && text != "" && !strings.Contains(text, "is there:") {
		c.find(p, "it was told before otherwise: %s", text)
	}
}

// recent is how recent somebody is, beside everyone.
func (c *comparison) recent(p place, until time.Time) map[string]any {
	did := matcher(p.args["event"], inbound)
	timeline := c.timeline(p.individual, did, until)
	r := recent(timeline, until)
	if c.self != "" {
		return r
	}
	key := p.args.String()
	h := c.habits[key]
	if h == nil {
		h = c.habit(did, until)
		if c.habits != nil {
			c.habits[key] = h
		}
	}
	h.beside(r, timeline, until)
	return r
}

// newCrowd makes a world with so many people that something can be told of everyone.
// They came and went before, as differently as models of buying till you leave want it.
func newCrowd(t *testing.T, o store.Options, seed uint64) *world {
	w := populate(t, o, seed, 16)
	w.define("service", "CONTRACT", false, 5)  // so that enough is told to who is told of no few
	before := rand.New(rand.NewPCG(9, 0xb01d)) // both models can be fitted to what comes of this, also without some of them
	w.atOnce(func(_ int, p *leakPerson) {
		who := w.someone(p)
		var claims []map[string]any
		for _, key := range w.keys() {
			if !w.chance(4) {
				claims = append(claims, w.claim(who, key, "GRANTED", w.clock().Add(-time.Duration(15+w.random.IntN(60))*insight.Day), time.Time{}))
			}
		}
		w.consent(who, claims)
	})
	w.atOnce(func(n int, p *leakPerson) {
		usual, leaves := []float64{0.8, 6, 20}[n%3], []float64{0, 0.7, 0.1, 0.4}[n%4]
		at := w.clock().Add(-time.Duration((18 + 12*before.Float64()) * float64(insight.Day)))
		var gaps []time.Duration
		for before.Float64() >= leaves && len(gaps) < 30 {
			gap := time.Duration(before.ExpFloat64() * usual * float64(insight.Day))
			if at.Add(gap).After(w.clock()) {
				break
			}
			at, gaps = at.Add(gap), append(gaps, gap)
		}
		w.tellOf(w.identities(p), 1+len(gaps), []string{"INBOUND"}, func() time.Time { return at }, func() time.Duration {
			if len(gaps) == 0 {
				return 0
			}
			gap := gaps[len(gaps)-1]
			gaps = gaps[:len(gaps)-1]
			return gap
		})
	})
	for range 30 {
		w.step()
	}
	return w
}

// atOnce does something for everybody, of which nothing depends on what the others did,
// and then asks who is whom.
func (w *world) atOnce(do func(n int, p *leakPerson)) {
	w.t.Helper()
	w.silent = true
	for n, p := range w.people[1:] {
		do(n, p)
	}
	w.silent = false
	w.register()
}

// checkEveryone is check for what is said of everyone, for a few purposes: in three worlds
// for each.
func (w *world) checkEveryone(seed int) {
	w.t.Helper()
	purposes := []*purposeFact{w.purposes[0]} // covers the most, so that the most is told
	for n := range 2 {
		purposes = append(purposes, w.purposes[1+(2*seed+n)%(len(w.purposes)-1)])
	}
	c, told := w.reflect(purposes)
	w.report(c.findings)
	for _, f := range w.schema.Types["Insights"].Fields {
		if isReport(w.schema.Types["Insights"], f) && (told[f.Name+" true"] == 0 || told[f.Name+" false"] == 0) {
			w.t.Errorf("%s is never told: %v", f.Name, told)
		}
	}
	w.t.Logf("%d answers about %d individuals and %d interactions in mirrors", c.number, len(w.members), len(w.facts))
}

// TestLeakOfEveryoneIsNoticed: with an oracle that is wrong in one thing, and with a
// database that was tampered with, the comparison with mirrors has something to say.
func TestLeakOfEveryoneIsNoticed(t *testing.T) {
	slow(t)
	o := testdb.SQLite(t)
	w := newWorld(t, o, 1)
	for range 30 {
		w.step()
	}
	digest(t, w.store)
	p, covered, uncovered, seen, withheld := w.split()
	if c, _ := w.reflect([]*purposeFact{p}); len(c.findings) > 0 {
		t.Fatalf("before anything is wrong: %s", c.findings[0])
	}
	const differently = "the world and its mirror tell different things"
	noticed := func(what string, as ...string) {
		t.Helper()
		c, _ := w.reflect([]*purposeFact{p}, "recency", "transitions", "relationships")
		for _, part := range as {
			if !slices.ContainsFunc(c.findings, func(f string) bool { return strings.Contains(f, part) }) {
				t.Errorf("%s is not noticed as %q, but as %q", what, part, c.findings)
			}
		}
	}

	for what, individual := range map[string]string{"somebody who is left out": covered, "somebody who is left in": uncovered} {
		w.pretends = func(id string, covers bool) bool { return covers != (id == individual) }
		noticed(what, differently, "the population is", "those who are")
		w.pretends = nil
	}
	for what, x := range map[string]*fact{"an interaction that is left out": seen, "an interaction that is left in": withheld} {
		w.lies = func(y *fact, sees bool) bool { return sees != (y == x) }
		noticed(what, differently)
		w.lies = nil
	}
	words := maps.Clone(w.words)
	for _, m := range w.members[covered] {
		w.words[m] = append(slices.Clone(w.words[m]), &word{purpose: "marketing", decision: "DENIED", effective: w.clock(), recorded: w.clock(), owner: m, speaksFor: []string{m}})
	}
	noticed("a refusal", differently, "those who are OPTED_OUT are")
	w.words = words

	db := w.database(o)
	exec := func(statement string) {
		t.Helper()
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	row := func(id string) string {
		_, key, err := insight.ParseID(id)
		if err != nil {
			t.Fatal(err)
		}
		return "'" + key.String() + "'"
	}
	exec("CREATE TABLE kept AS SELECT id, permitted, digest FROM individuals")
	exec("UPDATE individuals SET permitted = -1 WHERE id = " + row(uncovered))
	noticed("somebody of whom everything is permitted", differently, "the population is")
	exec("UPDATE individuals SET permitted = (SELECT permitted FROM kept WHERE kept.id = individuals.id)")
	exec("UPDATE individuals SET digest = (SELECT digest FROM kept WHERE kept.id = " + row(w.individualOf[w.people[0].user]) + ") WHERE id = " + row(covered))
	noticed("a digest of somebody else", differently)
	exec("UPDATE individuals SET digest = (SELECT digest FROM kept WHERE kept.id = individuals.id)")
	exec("DROP TABLE kept")
	if c, _ := w.reflect([]*purposeFact{p}); len(c.findings) > 0 {
		t.Errorf("after all was put back: %s", c.findings[0])
	}
}

// split finds a purpose that covers some and not others, somebody of each who did
// something, and something that they did which may be read, and which may not.
func (w *world) split() (p *purposeFact, covered, uncovered string, seen, withheld *fact) {
	w.t.Helper()
	for _, p := range w.purposes {
		v := w.view(p.key)
		covered, uncovered, seen, withheld = "", "", nil, nil
		for _, x := range w.facts {
			id := w.individualOf[x.owner]
			switch {
			case !inbound(x) || x.owner == w.people[0].user:
			case !v.covers(id):
				uncovered = id
			case v.sees(x):
				covered, seen = id, x
			default:
				withheld = x
			}
		}
		if uncovered != "" && seen != nil && withheld != nil {
			return p, covered, uncovered, seen, withheld
		}
	}
	w.t.Fatal("the world of this seed has no such purpose")
	return nil, "", "", nil, nil
}
