package graph_test

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/acquaint/acquaint/graph"
	"github.com/acquaint/acquaint/graph/viewer"
	"github.com/acquaint/acquaint/ingest"
	"github.com/acquaint/acquaint/ingest/tracking"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// The leak test makes random worlds of people, what they do and what they decide,
// asks for every field of the schema for every purpose, and compares with an [oracle].
// Every fact holds texts that nothing else holds, so that whatever comes up in an
// answer tells where it is from.
//
//	world      hands facts in, and notes each with the oracle
//	asker      writes the questions, from the schema
//	comparison walks an answer and says what is in it that may not be, and what is missing
//	mirror     holds what the oracle allows and nothing else; of everyone it must tell the same
//
// Nothing is left out silently: for a new argument asker wants to be told what to fill
// in, and for a new field comparison wants to be told what it must be, unless it is a
// text, which cannot hide where it is from.

// raced says that the race detector is on.
var raced bool

// slow skips a test that takes minutes with the race detector, and finds by it only
// what others find that read and write at once. make test runs it without.
func slow(t *testing.T) {
	t.Helper()
	if raced {
		t.Skip("make test runs it without the race detector")
	}
}

// TestLeak: nothing of a person or interaction that the oracle does not allow appears
// in any answer, and nothing that it allows is missing. ACQUAINT_TEST_LEAKS says in how
// many worlds; each has its seed for a name.
func TestLeak(t *testing.T) {
	slow(t)
	worlds := 3
	if n, err := strconv.Atoi(os.Getenv("ACQUAINT_TEST_LEAKS")); err == nil {
		worlds = n
	}
	testdb.Each(t, func(t *testing.T, o store.Options) {
		for seed := 1; seed <= worlds; seed++ {
			t.Run(fmt.Sprintf("seed_%d", seed), func(t *testing.T) {
				own := o
				if seed > 1 {
					own = another(t, o)
				}
				w := newWorld(t, own, uint64(seed))
				for range 60 {
					w.step()
				}
				if w.check(); !t.Failed() {
					w.follow()
				}
			})
			t.Run(fmt.Sprintf("everyone_%d", seed), func(t *testing.T) {
				w := newCrowd(t, another(t, o), uint64(seed))
				w.checkEveryone(seed)
			})
		}
	})
}

// another is an empty database on the same engine.
func another(t *testing.T, o store.Options) store.Options {
	t.Helper()
	if o.URL != "" {
		return testdb.Postgres(t)
	}
	return testdb.SQLite(t)
}

// TestLeakIsNoticed: with an oracle that is wrong in one thing, and with rows that were
// tampered with, the comparison has something to say.
func TestLeakIsNoticed(t *testing.T) {
	slow(t)
	testdb.Each(t, func(t *testing.T, o store.Options) {
		w := newWorld(t, o, 1)
		for range 30 {
			w.step()
		}
		if c := w.compare(); len(c.findings) > 0 {
			t.Fatalf("before anything is wrong: %s", c.findings[0])
		}
		db := w.database(o)
		exec := func(statement string) {
			t.Helper()
			if _, err := db.Exec(statement); err != nil {
				t.Fatal(err)
			}
		}
		noticed := func(what string, some ...string) {
			t.Helper()
			c := w.compare()
			if !slices.ContainsFunc(c.findings, func(f string) bool {
				return slices.ContainsFunc(some, func(part string) bool { return strings.Contains(f, part) })
			}) {
				t.Errorf("%s is not noticed as %v, but as %v", what, some, c.findings)
			}
		}

		seen, withheld := w.example()
		for _, one := range []struct {
			what string
			fact *fact
		}{{"an interaction that is missing from the oracle", seen}, {"an interaction too many in the oracle", withheld}} {
			w.lies = func(x *fact, sees bool) bool { return sees != (x == one.fact) }
			noticed(one.what, one.fact.id, one.fact.message)
			w.lies = nil
		}

		row := func(x *fact) string {
			_, id, err := insight.ParseID(x.id)
			if err != nil {
				t.Fatal(err)
			}
			return "'" + id.String() + "'"
		}
		for _, one := range []struct{ what, table, column, row string }{
			{"an interaction that is permitted for everything", "interactions", "permitted = -1", row(withheld)},
			{"an individual who is covered by service alone", "individuals", "permitted = 1", "(SELECT individual_id FROM interactions WHERE id = " + row(seen) + ")"},
			{"an individual of whom everything may be read", "individuals", "whole = -1", "(SELECT individual_id FROM interactions WHERE id = " + row(withheld) + ")"},
		} {
			column, _, _ := strings.Cut(one.column, " ")
			exec("CREATE TABLE kept AS SELECT id, " + column + " AS v FROM " + one.table)
			exec("UPDATE " + one.table + " SET " + one.column + " WHERE id = " + one.row)
			noticed(one.what, "")
			exec("UPDATE " + one.table + " SET " + column + " = (SELECT v FROM kept WHERE kept.id = " + one.table + ".id)")
			exec("DROP TABLE kept")
		}
		if c := w.compare(); len(c.findings) > 0 {
			t.Errorf("after all was put back: %s", c.findings[0])
		}
	})
}

// TestLeakWhenAGrantEnds: what waits to be sent to a subscriber when a grant ends by
// itself is not sent.
func TestLeakWhenAGrantEnds(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		w := newWorld(t, o, 1)
		p := w.people[1]
		w.consent(p.user, []map[string]any{w.claim(p.user, "marketing", "GRANTED", time.Time{}, w.clock().Add(time.Hour))})
		// What is asked for is in memory already, so that nothing else that looks, and sees to
		// what has ended, comes before the answer.
		q := &question{text: `subscription { interactions { __typename id } }`, roots: []string{"interactions"}}
		s := w.open(w.reader("marketing"), w.view("marketing"), q)
		w.time.Add(int64(time.Minute / time.Microsecond))
		two := []*fact{
			{message: w.mark("fact"), kind: "page"}, {message: w.mark("fact"), kind: "page"},
		}
		for n, x := range two {
			x.owner, x.stream, x.source, x.direction, x.channel = p.user, p.user, "shop", "INBOUND", "web"
			x.received, x.at, x.properties = w.clock(), w.clock().Add(time.Duration(n-10)*time.Millisecond), map[string]any{"number": 1.0}
			w.marks[x.message].fact = x
		}
		w.hand([]string{p.user}, two)
		w.facts = append(w.facts, two...)
		w.register()
		if got := s.receive(); got != two[0].id { // now the other one has been read, and waits
			t.Fatalf("%v is told first", s.named([]string{got}))
		}
		w.time.Add(int64(time.Hour / time.Microsecond))
		user := w.people[0].user
		end := &fact{owner: user, stream: user, message: w.mark("fact"), kind: "page", source: "shop", direction: "INBOUND", channel: "web", received: w.clock(), at: w.clock().Add(-time.Millisecond), properties: map[string]any{"number": 1.0}}
		w.marks[end.message].fact = end
		next := make(chan *graphql.Response)
		go func() { next <- s.next() }()
		w.hand([]string{user}, []*fact{end})
		w.facts = append(w.facts, end)
		r := <-next
		w.register()
		if got := s.told(r); got != end.id {
			t.Errorf("what happened while a grant held is sent after its end: %v", s.named([]string{got}))
		}
	})
}

// TestLeakAsksForEverything: the questions ask for every field of every type that an
// answer can have.
func TestLeakAsksForEverything(t *testing.T) {
	w := newWorld(t, testdb.SQLite(t), 1)
	for range 12 {
		w.step()
	}
	w.register()
	asked := map[string]bool{}
	questions := w.questions()
	for _, f := range w.schema.Subscription.Fields {
		if ofSegments(w.schema.Subscription, f) {
			continue
		}
		questions = append(questions, w.asker().ask(w.schema.Subscription, "subscription", f)...)
	}
	for _, q := range questions {
		op, errs := w.exec.CreateOperationContext(graphql.StartOperationTrace(viewer.With(context.Background(), w.reader("service"))), &graphql.RawParams{Query: q.text})
		if len(errs) > 0 {
			t.Fatalf("%v in %s", errs, q.text)
		}
		var note func(ast.SelectionSet)
		note = func(set ast.SelectionSet) {
			for _, s := range set {
				switch s := s.(type) {
				case *ast.Field:
					asked[s.ObjectDefinition.Name+"."+s.Name] = true
					note(s.SelectionSet)
				case *ast.InlineFragment:
					note(s.SelectionSet)
				}
			}
		}
		note(op.Operation.SelectionSet)
	}
	for _, missing := range unasked(w.schema, asked) {
		t.Errorf("nobody asks for %s", missing)
	}
}

// unasked are the fields that queries and subscriptions can reach and that were not
// asked for.
func unasked(schema *ast.Schema, asked map[string]bool) []string {
	var missing []string
	reached := map[string]bool{}
	var reach func(def *ast.Definition)
	reach = func(def *ast.Definition) {
		if def == nil || reached[def.Name] || def.IsLeafType() {
			return
		}
		reached[def.Name] = true
		for _, possible := range schema.GetPossibleTypes(def) {
			reach(possible)
		}
		for _, f := range def.Fields {
			if strings.HasPrefix(f.Name, "__") || ofSegments(def, f) {
				continue
			}
			if def.Kind == ast.Object && !asked[def.Name+"."+f.Name] {
				missing = append(missing, def.Name+"."+f.Name)
			}
			reach(schema.Types[f.Type.Name()])
		}
	}
	reach(schema.Query)
	reach(schema.Subscription)
	slices.Sort(missing)
	return missing
}

// world is an API with people, and an oracle who was told the same.
type world struct {
	*api
	oracle
	random   *rand.Rand
	time     atomic.Int64 // what the clock says, in microseconds
	pipeline *ingest.Pipeline
	schema   *ast.Schema
	lies     func(x *fact, sees bool) bool
	pretends func(individual string, covers bool) bool
	aside    *rand.Rand // for what is to leave the histories as they are
	silent   bool       // whether it is not asked yet who is whom

	history []string // every mutation, for whoever looks into a finding
	marked  int
	marks   map[string]*mark
	people  []*leakPerson
	ids     []string // of individuals, whoever had one ever
	events  int
	defined int
	erased  int

	// What register is told.
	links    map[string]*linkFact
	consents map[string][]entry // by individual, newest first
	requests map[string]string  // whom they concern; nobody: empty
	survivor map[string]string  // by id of an individual: who they are now
	seen     map[string][2]time.Time
	shown    map[string]bool   // whose data which purpose was shown in which minute
	gone     []string          // ids of what was erased
	suppress map[string]bool   // identifiers of which nothing is kept
	about    map[string]string // which purpose a decision is about, by its id
	noticed  map[string]bool   // decisions that were heard of
}

// leakPerson is who hands facts in: what they are known by.
type leakPerson struct {
	user    string
	devices []string
	email   string
	phone   string
	crm     string
}

// linkFact is a link as service is told of it.
type linkFact struct {
	a, b, message string
	revoked       bool
}

// entry is a place in a list.
type entry struct {
	id string
	at time.Time
}

func (e entry) cursor() string {
	_, id, err := insight.ParseID(e.id)
	if err != nil {
		panic(err)
	}
	return insight.Cursor{At: e.at, ID: id}.String()
}

// mark is a text that one fact alone holds: of whom it is, and what it is part of.
type mark struct {
	part   string   // of what: identifier, trait, consent, fact, statement, link or nothing that is ever shown
	owners []string // identifiers; whoever may read one of them may read it
	fact   *fact
}

func (w *world) mark(part string, owners ...string) string {
	w.marked++
	text := fmt.Sprintf("mk%05dz", w.marked)
	w.marks[text] = &mark{part: part, owners: owners}
	return text
}

func newWorld(t *testing.T, o store.Options, seed uint64) *world { return populate(t, o, seed, 0) }

// populate makes a world with some more people than usual.
func populate(t *testing.T, o store.Options, seed uint64, more int) *world {
	w := &world{
		api: &api{t: t}, random: rand.New(rand.NewPCG(seed, 0x1eaf)), marks: map[string]*mark{},
		shown: map[string]bool{}, requests: map[string]string{}, suppress: map[string]bool{}, aside: rand.New(rand.NewPCG(seed, 0xa51de)),
	}
	w.time.Store(noon.UnixMicro())
	w.oracle = oracle{
		clock: func() time.Time { return time.UnixMicro(w.time.Load()).UTC() },
		words: map[string][]*word{}, individualOf: map[string]string{}, members: map[string][]string{}, shared: map[string]bool{},
		timeouts: map[string]time.Duration{"api": 30 * time.Minute, "shop": 30 * time.Minute, "till": time.Hour},
	}
	o.Now, o.LookEvery = w.clock, time.Hour
	w.store = testdb.Open(t, o)
	w.pipeline = ingest.New(w.store)
	t.Cleanup(func() {
		if err := w.pipeline.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	schema := graph.New(graph.Options{Store: w.store, Ingest: w.pipeline, Decoder: &tracking.Decoder{Directory: w.store}, Now: w.clock})
	w.exec, w.schema = executor.New(schema), schema.Schema()
	w.exec.SetQueryCache(lru.New[*ast.QueryDocument](1000)) // each viewer asks the same
	for _, p := range []purposeFact{
		{"service", 10, []terms{{basis: "CONTRACT"}}}, {"analytics", 10, []terms{{basis: "LEGITIMATE_INTEREST"}}},
		{"personalization", 10, []terms{{basis: "CONSENT"}}}, {"marketing", 10, []terms{{basis: "CONSENT"}}}, {"advertising", 10, []terms{{basis: "CONSENT"}}},
	} {
		w.purposes = append(w.purposes, &p)
	}
	for name, timeout := range map[string]time.Duration{"shop": 0, "till": time.Hour} {
		if _, _, err := w.store.CreateSource(context.Background(), store.NewSource{Name: name, DefaultChannel: map[string]string{"shop": "web", "till": "store"}[name], SessionTimeout: timeout}); err != nil {
			t.Fatal(err)
		}
	}
	w.define("research", "CONSENT", true, 2)
	// The herald permits everything, and does something when others are to be listened for.
	herald := &leakPerson{user: w.identifier("USER_ID")}
	w.people = []*leakPerson{herald}
	tablet := w.identifier("ANONYMOUS_ID")
	for n := range 4 + w.random.IntN(4) + more {
		p := &leakPerson{}
		if n != 3 {
			p.user = w.identifier("USER_ID")
		}
		for range 1 + w.random.IntN(2) {
			p.devices = append(p.devices, w.identifier("ANONYMOUS_ID"))
		}
		if n < 2 {
			p.devices = append(p.devices, tablet)
		}
		p.email = "EMAIL " + w.mark("identifier") + "@example.com"
		w.marks[valueOf(p.email)[:8]].owners = []string{p.email}
		p.phone = fmt.Sprintf("PHONE +4420794609%02d", 10+n)
		w.marks[valueOf(p.phone)] = &mark{part: "identifier", owners: []string{p.phone}}
		p.crm = "EXTERNAL crm:" + w.mark("identifier")
		w.marks[valueOf(p.crm)[4:]].owners = []string{p.crm}
		w.people = append(w.people, p)
	}
	w.register()
	w.tell([]string{herald.user}, 1)
	w.permitAll()
	return w
}

// permitAll lets the herald say yes to every purpose there is.
func (w *world) permitAll() {
	var claims []map[string]any
	for _, p := range w.purposes {
		claims = append(claims, w.claim(w.people[0].user, p.key, "GRANTED", time.Time{}, time.Time{}))
	}
	w.consent(w.people[0].user, claims)
}

func (w *world) identifier(kind string) string {
	text := w.mark("identifier")
	w.marks[text].owners = []string{kind + " " + text}
	return kind + " " + text
}

// chance is true in one of n cases.
func (w *world) chance(n int) bool { return w.random.IntN(n) == 0 }

func one[T any](w *world, all []T) T { return all[w.random.IntN(len(all))] }

// keys are those of every purpose.
func (w *world) keys() []string {
	var all []string
	for _, p := range w.purposes {
		all = append(all, p.key)
	}
	return all
}

// reader may read individuals for a purpose.
func (w *world) reader(purpose string, more ...insight.Scope) *insight.Viewer {
	return &insight.Viewer{Subject: "reader for " + purpose, Scopes: append([]insight.Scope{insight.ScopeIndividualsRead}, more...), Purposes: w.keys(), Purpose: purpose}
}

// themselves is somebody with their own token.
func themselves(individual string) *insight.Viewer {
	id, err := insight.ParseIDOf(insight.IndividualPrefix, "individual", individual)
	if err != nil {
		panic(err)
	}
	return &insight.Viewer{Subject: "themselves", Scopes: []insight.Scope{insight.ScopeSelf}, Individual: id, Purposes: []string{"service"}}
}

// do runs a mutation of the administrator for the purpose service.
func (w *world) do(mutation string, input map[string]any) map[string]any {
	w.t.Helper()
	name, _, _ := strings.Cut(mutation[strings.Index(mutation, "{")+2:], "(")
	w.history = append(w.history, moment(w.clock())+" "+name+" "+quote(input))
	w.viewer = w.reader("service", insight.ScopeAdmin)
	return w.must(mutation, map[string]any{"i": input})
}

// names are the fields under which the API takes kinds of identifiers.
var lookupFields = map[string]string{"USER_ID": "userId", "ANONYMOUS_ID": "anonymousId", "EMAIL": "email", "PHONE": "phone"}

// lookup names an individual by one of their identifiers.
func lookup(identifier string) map[string]any {
	if kind, value, is := strings.Cut(valueOf(identifier), ":"); is && kindOf(identifier) == "EXTERNAL" {
		return map[string]any{"external": map[string]any{"kind": kind, "value": value}}
	}
	return map[string]any{lookupFields[kindOf(identifier)]: valueOf(identifier)}
}

// step lets one thing happen, after some time.
func (w *world) step() {
	w.t.Helper()
	w.time.Add(int64(one(w, []time.Duration{time.Second, 7 * time.Minute, 29 * time.Minute, 31 * time.Minute, 5 * time.Hour, 20 * time.Hour})/time.Microsecond) + w.random.Int64N(1000))
	if w.aside.IntN(4) == 0 {
		digest(w.t, w.store)
	}
	p := w.people[1+w.random.IntN(len(w.people)-1)]
	switch n := w.random.IntN(100); {
	case n < 40:
		w.tell(w.identities(p), 1+w.random.IntN(3))
	case n < 47:
		w.state(p)
	case n < 70:
		w.decides(p)
	case n < 73:
		w.withdraws(p)
	case n < 75:
		w.objects(p)
	case n < 81:
		w.merge()
	case n < 86:
		w.unmerge()
	case n < 90:
		w.redefine()
	case n < 92:
		w.rectify(p)
	case n < 94:
		w.requestExport(p)
	case n < 96:
		w.erase(p)
	default:
		w.glance()
	}
}

// identities are what an event of somebody carries, strongest first.
func (w *world) identities(p *leakPerson) []string {
	var all []string
	if p.user != "" && !w.chance(3) {
		all = append(all, p.user)
	}
	if len(all) == 0 || !w.chance(3) {
		all = append(all, one(w, p.devices))
	}
	if w.chance(8) {
		all = append(all, p.crm)
	}
	return strongestOf(all)
}

// tell hands in interactions of whoever has some identifiers, in any order.
func (w *world) tell(identities []string, n int) []*fact {
	w.t.Helper()
	return w.tellOf(identities, n, []string{"INBOUND", "INBOUND", "INBOUND", "OUTBOUND"}, func() time.Time {
		at := w.clock().Add(-time.Millisecond)
		if w.chance(3) { // late
			at = at.Add(-time.Duration(w.random.IntN(72*60)) * time.Minute)
		}
		return at
	}, func() time.Duration {
		return one(w, []time.Duration{3 * time.Second, 10 * time.Minute, 29 * time.Minute, 31 * time.Minute, 59 * time.Minute, 61 * time.Minute})
	})
}

// tellOf hands in interactions of whoever has some identifiers, of which the last one
// happened at a moment, with gaps between them.
func (w *world) tellOf(identities []string, n int, directions []string, last func() time.Time, gap func() time.Duration) []*fact {
	w.t.Helper()
	now := w.clock()
	source := one(w, []string{"shop", "shop", "till"})
	facts := make([]*fact, 0, n)
	at := last()
	for range n {
		w.events++
		x := &fact{
			owner: identities[0], stream: identities[0], source: source, direction: one(w, directions),
			channel: one(w, []string{"web", "email", "organic_search", "store"}), received: now,
			at: at.Truncate(time.Millisecond).Add(time.Duration(w.events%1000) * time.Microsecond),
		}
		for _, f := range identities {
			if kindOf(f) == "ANONYMOUS_ID" {
				x.stream = f
			}
		}
		about := func() string {
			text := w.mark("fact")
			w.marks[text].fact = x
			return text
		}
		x.message, x.kind = about(), about()
		if w.chance(3) {
			x.kind = one(w, []string{"page", "page", "purchase"})
		}
		x.properties = map[string]any{about(): about(), "number": float64(w.events)}
		if w.chance(2) {
			x.campaign = map[string]string{"name": about(), "source": about(), "medium": about(), "term": about(), "content": about()}
		}
		if w.chance(3) {
			value := 7_000_000 + float64(w.events)
			x.value, x.currency = &value, []string{"EUR", "CHF"}[w.events%2]
		}
		facts = append(facts, x)
		at = at.Add(-gap())
	}
	w.random.Shuffle(n, func(i, j int) { facts[i], facts[j] = facts[j], facts[i] })

	kept := w.collects(identities) && !slices.ContainsFunc(identities, func(f string) bool { return w.suppress[f] })
	if withheld := w.hand(identities, facts); (withheld == 0) != kept || withheld != 0 && withheld != n {
		w.t.Fatalf("of %d interactions of %v %d are withheld; that they are kept is %v", n, identities, withheld, kept)
	}
	if kept {
		w.facts = append(w.facts, facts...)
	}
	w.register()
	return facts
}

// hand hands interactions in and returns how many were withheld. What the mutation does
// not take, such as a device's own id, comes by the pipeline.
func (w *world) hand(identities []string, facts []*fact) int {
	w.t.Helper()
	var inputs []map[string]any
	var events []*insight.Event
	raw := slices.ContainsFunc(identities, func(f string) bool { return kindOf(f) == "EXTERNAL" })
	for _, x := range facts {
		input := map[string]any{"messageId": x.message, "type": x.kind, "channel": x.channel, "direction": x.direction, "occurredAt": moment(x.at), "properties": x.properties}
		if x.campaign != nil {
			campaign := map[string]any{}
			for k, v := range x.campaign {
				campaign[k] = v
			}
			input["campaign"] = campaign
		}
		if x.value != nil {
			input["value"], input["currency"] = *x.value, x.currency
		}
		for _, f := range identities {
			if kindOf(f) != "EXTERNAL" {
				input[lookupFields[kindOf(f)]] = valueOf(f)
			}
		}
		inputs = append(inputs, input)
		if raw {
			events = append(events, w.event(w.store, identities, x))
		}
	}
	if !raw {
		done := w.do(`mutation($i: RecordInteractionsInput!) { recordInteractions(input: $i) { accepted withheld rejected { message } } }`, map[string]any{"source": facts[0].source, "interactions": inputs})
		if rejected := dig(w.t, done, "recordInteractions.rejected").([]any); len(rejected) > 0 {
			w.t.Fatal(rejected)
		}
		return int(dig(w.t, done, "recordInteractions.withheld").(float64))
	}
	w.history = append(w.history, fmt.Sprint(moment(w.clock()), " events of ", identities, " ", quote(inputs)))
	outcomes, err := w.pipeline.Submit(context.Background(), events)
	if err != nil {
		w.t.Fatal(err)
	}
	withheld := 0
	for _, o := range outcomes {
		if o.Status == insight.StatusWithheld {
			withheld++
		}
	}
	return withheld
}

// event is an interaction as an SDK would have told it.
func (w *world) event(s *store.Store, identities []string, x *fact) *insight.Event {
	w.t.Helper()
	source, err := s.Source(context.Background(), x.source)
	if err != nil {
		w.t.Fatal(err)
	}
	channel, err := s.Channel(context.Background(), x.channel, "")
	if err != nil {
		w.t.Fatal(err)
	}
	properties, err := json.Marshal(x.properties)
	if err != nil {
		w.t.Fatal(err)
	}
	e := &insight.Event{
		MessageID: x.message, Timestamp: x.at, Source: source, Channel: channel, Type: x.kind, Direction: insight.Inbound, OccurredAt: x.at, ReceivedAt: x.received,
		Value: x.value, Currency: x.currency, Properties: properties,
		Campaign: insight.Campaign{Name: x.campaign["name"], Source: x.campaign["source"], Medium: x.campaign["medium"], Term: x.campaign["term"], Content: x.campaign["content"]},
	}
	if x.direction == "OUTBOUND" {
		e.Direction = insight.Outbound
	}
	for _, f := range identities {
		i := insight.Identity{Kind: insight.IdentifierKind(slices.Index(strength, kindOf(f)) + 1), Value: valueOf(f)}
		e.Identities = append(e.Identities, i)
		if f == x.stream {
			e.Stream = i
		}
	}
	return e
}

// state says who somebody is, and what is known of them.
func (w *world) state(p *leakPerson) {
	w.t.Helper()
	message := w.mark("statement")
	input := map[string]any{"messageId": message, "source": "shop", "occurredAt": moment(w.clock().Add(-time.Duration(w.random.IntN(3000)) * time.Second))}
	var all []string
	if p.user != "" && !w.chance(4) {
		all = append(all, p.user)
	}
	if len(all) == 0 || w.chance(2) {
		all = append(all, one(w, p.devices))
	}
	for _, f := range all {
		input[lookupFields[kindOf(f)]] = valueOf(f)
	}
	traits := map[string]any{}
	if w.chance(2) {
		all = append(all, p.email)
		traits["email"] = strings.ToUpper(valueOf(p.email)[:1]) + valueOf(p.email)[1:]
	}
	if w.chance(3) {
		all = append(all, p.phone)
		traits["phone"] = valueOf(p.phone)
	}
	all = strongestOf(all)
	key, value := w.mark("trait", all[0]), w.mark("trait", all[0])
	traits[key], input["traits"] = value, traits
	for _, f := range all {
		if kindOf(f) == "EMAIL" || kindOf(f) == "PHONE" { // it is a trait of the strongest, too
			m := w.marks[strings.TrimSuffix(valueOf(f), "@example.com")]
			m.owners = append(m.owners, all[0])
		}
	}
	suppressed := slices.ContainsFunc(all, func(f string) bool { return w.suppress[f] })
	w.do(`mutation($i: IdentifyInput!) { identify(input: $i) { individual { id } } }`, input)
	if !suppressed {
		w.oracle.traits = append(w.oracle.traits, &traitFact{all[0], key, value})
	}
	w.register()
}

// claim is one decision, as the API takes it.
func (w *world) claim(who, purpose, decision string, effective, expires time.Time) map[string]any {
	policy := w.mark("consent", w.person(who)...)
	c := map[string]any{
		"purpose": purpose, "decision": decision, "policyVersion": policy, "jurisdiction": w.mark("consent", w.person(who)...),
		"evidence": map[string]any{w.mark("consent", w.person(who)...): w.mark("consent", w.person(who)...)},
	}
	if !effective.IsZero() {
		c["effectiveAt"] = moment(effective)
	}
	if !expires.IsZero() {
		c["expiresAt"] = moment(expires)
	}
	return c
}

// consent records decisions, notes them, and returns their ids.
func (w *world) consent(who string, claims []map[string]any) []string {
	w.t.Helper()
	done := w.do(`mutation($i: RecordConsentsInput!) { recordConsents(input: $i) { consents { id } } }`, map[string]any{"individual": lookup(who), "source": "shop", "consents": claims})
	w.noted(who, claims)
	var ids []string
	for _, d := range dig(w.t, done, "recordConsents.consents").([]any) {
		ids = append(ids, dig(w.t, d, "id").(string))
	}
	return ids
}

func (w *world) noted(who string, claims []map[string]any) {
	w.t.Helper()
	for _, c := range claims {
		d := word{purpose: c["purpose"].(string), decision: c["decision"].(string), effective: w.clock(), policy: c["policyVersion"].(string)}
		if at, given := c["effectiveAt"].(string); given {
			d.effective = instant(at)
		}
		if at, given := c["expiresAt"].(string); given {
			d.expires = instant(at)
		}
		w.decide(who, d)
	}
	w.register()
}

func instant(text string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return at
}

// someone is one of a person's identifiers of which something may be kept; empty: there
// is none.
func (w *world) someone(p *leakPerson) string {
	var all []string
	for _, f := range append([]string{p.user, p.email, p.phone, p.crm}, p.devices...) {
		if f != "" && !w.suppress[f] && (kindOf(f) == "USER_ID" || kindOf(f) == "ANONYMOUS_ID" || w.individualOf[f] != "") {
			all = append(all, f)
		}
	}
	if len(all) == 0 {
		return ""
	}
	return one(w, all)
}

// known is one of a person's identifiers that is known; empty: there is none.
func (w *world) known(p *leakPerson) string {
	if f := w.someone(p); w.individualOf[f] != "" {
		return f
	}
	return ""
}

// backThen is a moment of before: round, or that of something that happened.
func (w *world) backThen() time.Time {
	if len(w.facts) > 0 && w.chance(2) {
		return one(w, w.facts).at
	}
	return w.clock().Truncate(time.Hour).Add(-time.Duration(w.random.IntN(96)) * time.Hour)
}

// decides lets somebody decide: now or, as we learn now, some time ago.
func (w *world) decides(p *leakPerson) {
	w.t.Helper()
	who := w.someone(p)
	if who == "" {
		return
	}
	var claims []map[string]any
	used := map[string]bool{}
	for range 1 + w.random.IntN(4) {
		purpose, decision := one(w, w.keys()), one(w, []string{"GRANTED", "GRANTED", "GRANTED", "DENIED", "WITHDRAWN"})
		if purpose == "analytics" && w.chance(2) {
			decision = "GRANTED" // else hardly anything would be kept
		}
		var effective, expires time.Time
		if w.chance(2) {
			effective = w.backThen()
		}
		from := effective
		if from.IsZero() {
			from = w.clock()
		}
		if decision == "GRANTED" && w.chance(3) {
			expires = from.Add(time.Duration(1+w.random.IntN(100)) * time.Hour)
		}
		if key := purpose + moment(from); !used[key] {
			used[key] = true
			claims = append(claims, w.claim(who, purpose, decision, effective, expires))
		}
	}
	if id := w.individualOf[who]; id != "" && w.chance(5) { // with their own token, which decides about now
		for _, c := range claims {
			delete(c, "effectiveAt")
		}
		claims = slices.DeleteFunc(claims, func(c map[string]any) bool {
			expires, given := c["expiresAt"].(string)
			again := used[c["purpose"].(string)]
			used[c["purpose"].(string)] = true
			return again || given && !instant(expires).After(w.clock())
		})
		if len(claims) > 0 {
			w.viewer = themselves(id)
			w.must(`mutation($i: RecordConsentsInput!) { recordConsents(input: $i) { individual { id } } }`, map[string]any{"i": map[string]any{"individual": map[string]any{"id": id}, "consents": claims}})
			w.noted(who, claims)
		}
		return
	}
	w.consent(who, claims)
}

// withdraws lets somebody take consent back, for some purposes or all of them.
func (w *world) withdraws(p *leakPerson) {
	w.t.Helper()
	if who := w.someone(p); who != "" {
		purposes := w.keys()
		w.random.Shuffle(len(purposes), func(i, j int) { purposes[i], purposes[j] = purposes[j], purposes[i] })
		w.withdraw(who, purposes[:1+w.random.IntN(len(purposes))])
	}
}

func (w *world) withdraw(who string, purposes []string) {
	w.t.Helper()
	reason := w.mark("consent", w.person(who)...)
	w.do(`mutation($i: WithdrawConsentInput!) { withdrawConsent(input: $i) { states { permitted } } }`, map[string]any{"individual": lookup(who), "purposes": purposes, "reason": reason})
	for _, key := range purposes {
		w.decide(who, word{purpose: key, decision: "WITHDRAWN", effective: w.clock(), policy: reason})
	}
	w.register()
}

func (w *world) objects(p *leakPerson) {
	w.t.Helper()
	who := w.known(p)
	if who == "" {
		return
	}
	reason := w.mark("consent", w.person(who)...)
	done := w.do(`mutation($i: ObjectInput!) { object(input: $i) { request { id } } }`, map[string]any{"individual": lookup(who), "reason": reason})
	w.requests[dig(w.t, done, "object.request.id").(string)] = ""
	for _, purpose := range w.purposes {
		if purpose.at(w.clock()).basis == "LEGITIMATE_INTEREST" {
			w.decide(who, word{purpose: purpose.key, decision: "DENIED", effective: w.clock(), policy: reason})
		}
	}
	w.register()
}

// merge joins two individuals.
func (w *world) merge() {
	w.t.Helper()
	a, b := w.known(one(w, w.people[1:])), w.known(one(w, w.people[1:]))
	if a == "" || b == "" || w.individualOf[a] == w.individualOf[b] {
		return
	}
	w.do(`mutation($i: MergeInput!) { merge(input: $i) { individual { id } link { id } } }`, map[string]any{"into": lookup(a), "from": lookup(b), "reason": w.mark("link")})
	w.register()
}

// unmerge revokes links, of operators or of evidence.
func (w *world) unmerge() {
	w.t.Helper()
	var links []string
	for _, id := range slices.Sorted(maps.Keys(w.links)) {
		if !w.links[id].revoked {
			links = append(links, id)
		}
	}
	if len(links) == 0 {
		return
	}
	// The ids differ from run to run; those that an operator made are the later half.
	w.do(`mutation($i: UnmergeInput!) { unmerge(input: $i) { individuals { id } } }`, map[string]any{"links": []string{links[w.pick(links)]}, "reason": w.mark("link")})
	w.register()
}

// pick chooses a link in an order that is the same in every run.
func (w *world) pick(links []string) int {
	order := make([]int, len(links))
	for n := range order {
		order[n] = n
	}
	name := func(n int) string {
		l := w.links[links[n]]
		return l.message + l.a + l.b
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(name(a), name(b)) })
	return order[w.random.IntN(len(order))]
}

// define makes a purpose, or changes its terms.
func (w *world) define(key, basis string, retroactive bool, floor int) {
	w.t.Helper()
	w.do(`mutation($i: DefinePurposeInput!) { definePurpose(input: $i) { purpose { key } } }`, map[string]any{
		"key": key, "name": key, "description": "A purpose.", "legalBasis": basis, "retroactive": retroactive, "floor": floor,
	})
	p := w.purpose(key)
	if p == nil {
		p = &purposeFact{key: key}
		w.purposes = append(w.purposes, p)
	}
	p.floor = floor
	p.terms = append(p.terms, terms{w.clock(), basis, retroactive})
	if len(w.people) > 0 && w.people[0].user != "" && w.individualOf[w.people[0].user] != "" {
		w.permitAll()
	}
}

// redefine makes a purpose that was not there before, then changes some.
func (w *world) redefine() {
	w.t.Helper()
	w.defined++
	switch w.defined {
	case 1:
		w.define("fraud", "LEGITIMATE_INTEREST", false, 3)
	case 2:
		w.define("personalization", "LEGITIMATE_INTEREST", false, 10)
	default:
		key := one(w, []string{"fraud", "personalization", "research", "marketing"})
		w.define(key, one(w, []string{"CONSENT", "LEGITIMATE_INTEREST", "LEGITIMATE_INTEREST", "PUBLIC_TASK"}), w.chance(3), 1+w.random.IntN(4))
	}
}

func (w *world) rectify(p *leakPerson) {
	w.t.Helper()
	who := w.known(p)
	if who == "" {
		return
	}
	owner := w.person(who)[0]
	key, value := w.mark("trait", owner), w.mark("trait", owner)
	done := w.do(`mutation($i: RectifyInput!) { rectify(input: $i) { request { id } individual { id } } }`, map[string]any{"individual": lookup(who), "traits": map[string]any{key: value}, "reason": w.mark("nothing")})
	w.requests[dig(w.t, done, "rectify.request.id").(string)] = ""
	w.oracle.traits = append(w.oracle.traits, &traitFact{owner, key, value})
	w.register()
}

func (w *world) requestExport(p *leakPerson) {
	w.t.Helper()
	if who := w.known(p); who != "" {
		done := w.do(`mutation($i: RequestExportInput!) { requestExport(input: $i) { request { id } } }`, map[string]any{"individual": lookup(who)})
		w.requests[dig(w.t, done, "requestExport.request.id").(string)] = ""
		w.register()
	}
}

// erase erases somebody; at most one in a world.
func (w *world) erase(p *leakPerson) {
	w.t.Helper()
	who := w.known(p)
	if who == "" || w.erased > 0 || len(w.members) < 5 {
		return
	}
	w.erased++
	id, suppress := w.individualOf[who], w.chance(2)
	done := w.do(`mutation($i: EraseInput!) { erase(input: $i) { request { id } } }`, map[string]any{"individual": lookup(who), "reason": w.mark("nothing"), "suppress": suppress})
	w.requests[dig(w.t, done, "erase.request.id").(string)] = ""
	for _, f := range w.members[id] {
		w.suppress[f] = suppress
	}
	for _, x := range w.facts {
		if w.individualOf[x.owner] == id {
			w.gone = append(w.gone, x.id)
		}
	}
	for _, c := range w.consents[id] {
		w.gone = append(w.gone, c.id)
	}
	w.oracle.erase(id)
	w.register()
}

// glance is that somebody looks, for some purpose.
func (w *world) glance() {
	w.t.Helper()
	w.viewer = w.reader(one(w, w.keys()))
	w.must(`{ individuals(first: 2) { nodes { id } } }`, nil)
	w.noteShown(w.viewer.Purpose)
}

// noteShown notes whom a purpose may be shown in this minute.
func (w *world) noteShown(purpose string) {
	for id := range w.members {
		if (&view{oracle: &w.oracle, key: purpose}).covers(id) {
			w.shown[id+" "+purpose+" "+moment(w.clock().Truncate(time.Minute))] = true
		}
	}
}

// register asks, under service, who is whom and what everything is called.
func (w *world) register() {
	w.t.Helper()
	if w.silent {
		return
	}
	w.viewer = w.reader("service")
	answer := w.must(`{ individuals(first: 100) { nodes { id firstSeenAt lastSeenAt identifiers { kind value shared }
		links { id messageId revokedAt a { kind value } b { kind value } }
		consents(first: 100) { nodes { id recordedAt } } requests { id } interactions(first: 100) { nodes { id messageId } } } } }`, nil)
	individualOf, shared := map[string]string{}, map[string]bool{}
	w.links, w.consents, w.seen = map[string]*linkFact{}, map[string][]entry{}, map[string][2]time.Time{}
	for id := range w.requests {
		w.requests[id] = ""
	}
	called := map[string]string{}
	for _, each := range dig(w.t, answer, "individuals.nodes").([]any) {
		i := each.(map[string]any)
		id := i["id"].(string)
		if !slices.Contains(w.ids, id) {
			w.ids = append(w.ids, id)
		}
		w.seen[id] = [2]time.Time{instant(i["firstSeenAt"].(string)), instant(i["lastSeenAt"].(string))}
		for _, f := range i["identifiers"].([]any) {
			name := identifierOf(f)
			individualOf[name], shared[name] = id, f.(map[string]any)["shared"].(bool)
		}
		for _, l := range i["links"].([]any) {
			l := l.(map[string]any)
			message, _ := l["messageId"].(string)
			w.links[l["id"].(string)] = &linkFact{identifierOf(l["a"]), identifierOf(l["b"]), message, l["revokedAt"] != nil}
		}
		for _, c := range dig(w.t, i, "consents.nodes").([]any) {
			w.consents[id] = append(w.consents[id], entry{dig(w.t, c, "id").(string), instant(dig(w.t, c, "recordedAt").(string))})
		}
		for _, q := range i["requests"].([]any) {
			w.requests[dig(w.t, q, "id").(string)] = id
		}
		for _, x := range dig(w.t, i, "interactions.nodes").([]any) {
			called[dig(w.t, x, "messageId").(string)] = dig(w.t, x, "id").(string)
		}
	}
	for _, x := range w.facts {
		if x.id == "" {
			x.id = called[x.message]
		}
		if called[x.message] == "" || called[x.message] != x.id {
			w.t.Fatalf("service is not told of the interaction %s of %s", x.message, x.owner)
		}
	}
	w.know(individualOf, shared)
}

func identifierOf(f any) string {
	m := f.(map[string]any)
	return m["kind"].(string) + " " + m["value"].(string)
}

// database is the database beneath, for tampering.
func (w *world) database(o store.Options) *sql.DB {
	w.t.Helper()
	driver, name := "postgres", o.URL
	if o.URL == "" {
		driver, name = "sqlite", "file:"+o.File+"?_pragma=busy_timeout(10000)"
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = db.Close() })
	return db
}

// example is an interaction that some purpose shows, and one that some purpose
// withholds of somebody whom it covers.
func (w *world) example() (seen, withheld *fact) {
	w.t.Helper()
	for _, p := range w.purposes {
		v := &view{oracle: &w.oracle, key: p.key}
		for _, x := range w.facts {
			switch sees := v.sees(x); {
			case sees && p.key != "service" && x.owner != w.people[0].user:
				seen = x
			case !sees && v.covers(w.individualOf[x.owner]):
				withheld = x
			}
		}
	}
	if seen == nil || withheld == nil {
		w.t.Fatal("the world of this seed has no example")
	}
	return seen, withheld
}

// asker writes the questions, from the schema.
type asker struct {
	*world
	things []string // ids of everything that there is or was
	q      *question
	text   strings.Builder
}

// question is an operation, and what its aliases stand for.
type question struct {
	text   string
	report string // the one of everyone that it is about, if any
	roots  []string
	fields map[string]askedFor
}

type askedFor struct {
	field string
	args  arguments
}

func (q *question) asked(alias string) askedFor {
	if a, is := q.fields[alias]; is {
		return a
	}
	return askedFor{field: alias}
}

// argument is what is filled in: as text, and as the comparison understands it.
type argument struct {
	text  string
	value any
}

type arguments map[string]argument

func (a arguments) String() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(a)) {
		parts = append(parts, name+": "+a[name].text)
	}
	if len(parts) == 0 {
		return ""
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// inputs are the types of arguments that have parts, and which parts are filled in.
var inputs = map[string][]string{
	"EventSelector":     {"types", "channels", "channelKinds", "direction", "properties", "currencies", "occurredFrom", "occurredTo"},
	"PropertyCondition": {"path", "op", "value"},
	"IndividualFilter":  {"event", "firstSeenFrom", "lastSeenFrom", "lastSeenTo", "trait", "identified"},
	"TraitRule":         {"key", "op", "value", "minConfidence", "provenance"},
	"IndividualOrder":   {"field", "direction"},
	"IndividualLookup":  {"id", "userId", "anonymousId", "email", "phone", "external"},
	"ExternalIdInput":   {"kind", "value"},
	"FunnelExclusion":   {"event", "afterStep", "beforeStep"},
}

// candidates are the values that an argument is tried with. For an argument that it is
// not told of here the test fails.
func (a *asker) candidates(coordinate string, arg *ast.ArgumentDefinition) []argument {
	a.t.Helper()
	a.checkInput(arg.Type.Name())
	name := coordinate + "(" + arg.Name + ")"
	switch name {
	case "Query.node(id)":
		return texts(a.things)
	case "Query.nodes(ids)":
		// Of sources somebody with their own token is told nothing, and so nothing else
		// either that they ask for along with one.
		source := func(id string) bool { return strings.HasPrefix(id, "src_") }
		sources := slices.DeleteFunc(slices.Clone(a.things), func(id string) bool { return !source(id) })
		all := []argument{{quote(sources), sources}}
		for some := range slices.Chunk(slices.DeleteFunc(slices.Clone(a.things), source), 100) {
			all = append(all, argument{quote(some), some})
		}
		return all
	case "Query.individual(by)":
		return a.lookups()
	case "Query.individuals(where)":
		return a.filters()
	case "Query.individuals(orderBy)":
		var all []argument
		for _, field := range []string{"LAST_SEEN_AT", "FIRST_SEEN_AT"} {
			for _, direction := range []string{"ASC", "DESC"} {
				all = append(all, argument{"{field: " + field + ", direction: " + direction + "}", field + " " + direction})
			}
		}
		return all
	case "Individual.consent(purpose)":
		return texts(a.keys())
	case "Subscription.consentChanges(purpose)":
		return texts([]string{one(a.world, a.keys())})
	case "Subscription.interactions(where)":
		return []argument{{`{direction: OUTBOUND}`, func(x *fact) bool { return !inbound(x) }}, {`{channels: ["web"]}`, func(x *fact) bool { return x.channel == "web" }}}
	case "Individual.traits(keys)":
		var keys []string
		for range 3 {
			if len(a.oracle.traits) > 0 {
				keys = append(keys, one(a.world, a.oracle.traits).key)
			}
		}
		return []argument{{quote(keys), nil}}
	case "Individual.traits(minConfidence)":
		return []argument{{"0.5", nil}}
	case "Individual.journey(lookback)":
		return []argument{{`"P1D"`, insight.Day}, {`"PT30M"`, 30 * time.Minute}}
	}
	switch arg.Type.Name() + " " + arg.Name {
	case "Int first", "Int last":
		return []argument{{"100", 100}}
	case "Cursor after", "Cursor before":
		return a.cursors(coordinate)
	case "Time asOf", "Time validAt", "Time knownAt":
		return []argument{timeArgument(a.backThen()), timeArgument(a.clock().Add(-time.Duration(a.random.IntN(50)) * time.Hour))}
	case "EventSelector event", "EventSelector where", "EventSelector conversion":
		return a.selectors(2)
	}
	if all := a.reportCandidates(coordinate, arg); all != nil {
		return all
	}
	a.t.Fatalf("there is a new argument, %s of type %s: say in asker.candidates what it is to be asked with", name, arg.Type)
	return nil
}

// checkInput wants every part of an input type to be one that is filled in.
func (a *asker) checkInput(name string) {
	a.t.Helper()
	def := a.schema.Types[name]
	if def == nil || def.Kind != ast.InputObject {
		return
	}
	for _, f := range def.Fields {
		if ofSegmentsInput(name, f) {
			continue
		}
		if !slices.Contains(inputs[name], f.Name) {
			a.t.Fatalf("there is a new argument, %s of %s: say in inputs that it is filled in, and do", f.Name, name)
		}
		a.checkInput(f.Type.Name())
	}
}

func quote(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func texts(some []string) []argument {
	all := make([]argument, len(some))
	for n, s := range some {
		all[n] = argument{quote(s), s}
	}
	return all
}

func timeArgument(at time.Time) argument { return argument{quote(moment(at)), at} }

// lookups are every way to name everybody whom there is or was.
func (a *asker) lookups() []argument {
	var all []argument
	for _, id := range a.ids {
		all = append(all, argument{"{id: " + quote(id) + "}", id})
	}
	known := slices.Collect(maps.Keys(a.individualOf))
	for _, p := range a.people {
		known = append(known, append([]string{p.user, p.email, p.phone, p.crm}, p.devices...)...)
	}
	slices.Sort(known)
	for _, f := range slices.Compact(known) {
		for field, value := range lookup(f) {
			if f == "" || field == "" {
				continue
			}
			text := quote(value)
			if external, is := value.(map[string]any); is {
				text = "{kind: " + quote(external["kind"]) + ", value: " + quote(external["value"]) + "}"
			}
			all = append(all, argument{"{" + field + ": " + text + "}", f})
		}
	}
	return all
}

var kindsOfChannels = map[string]string{"web": "WEB", "email": "EMAIL", "organic_search": "SEARCH", "store": "STORE"}

// selectors are some selectors of interactions, each of a sort that nothing else tries.
func (a *asker) selectors(n int) []argument {
	if len(a.facts) == 0 {
		return nil
	}
	x := one(a.world, a.facts)
	var key string
	for k := range x.properties {
		if k != "number" {
			key = k
		}
	}
	value := quote(x.properties[key])
	all := []argument{
		{`{types: [` + quote(x.kind) + `]}`, func(y *fact) bool { return y.kind == x.kind }},
		{`{properties: [{path: ` + quote(key) + `, op: EQ, value: ` + value + `}]}`, func(y *fact) bool { return y == x }},
		{`{properties: [{path: ` + quote(key) + `, op: EXISTS}]}`, func(y *fact) bool { return y == x }},
		{`{properties: [{path: ` + quote(key) + `, op: NE, value: ` + value + `}]}`, func(y *fact) bool { return y != x }},
		{`{direction: OUTBOUND}`, func(y *fact) bool { return !inbound(y) }},
		{`{channels: [` + quote(x.channel) + `], direction: INBOUND}`, func(y *fact) bool { return y.channel == x.channel && inbound(y) }},
		{`{channelKinds: [` + kindsOfChannels[x.channel] + `]}`, func(y *fact) bool { return y.channel == x.channel }},
		{`{occurredFrom: ` + quote(moment(x.at)) + `}`, func(y *fact) bool { return !y.at.Before(x.at) }},
		{`{occurredTo: ` + quote(moment(x.at)) + `}`, func(y *fact) bool { return y.at.Before(x.at) }},
	}
	if x.currency != "" {
		all = append(all, argument{`{currencies: [` + quote(x.currency) + `]}`, func(y *fact) bool { return y.currency == x.currency }})
	}
	a.random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:min(n, len(all))]
}

// filters are filters of individuals, and whom of those whom a viewer sees they let
// through.
func (a *asker) filters() []argument {
	var all []argument
	for _, s := range a.selectors(10) {
		all = append(all, argument{"{event: " + s.text + "}", func(v *view, individual string) bool {
			return len(v.timeline(individual, s.value.(func(*fact) bool), v.clock())) > 0
		}})
	}
	seen := a.seen
	at := seen[one(a.world, slices.Sorted(maps.Keys(a.members)))]
	all = append(all,
		argument{"{firstSeenFrom: " + quote(moment(at[0])) + "}", func(_ *view, i string) bool { return !seen[i][0].Before(at[0]) }},
		argument{"{lastSeenFrom: " + quote(moment(at[1])) + "}", func(_ *view, i string) bool { return !seen[i][1].Before(at[1]) }},
		argument{"{lastSeenTo: " + quote(moment(at[1])) + "}", func(_ *view, i string) bool { return seen[i][1].Before(at[1]) }},
	)
	for _, identified := range []bool{true, false} {
		all = append(all, argument{fmt.Sprintf("{identified: %v}", identified), func(v *view, i string) bool { return (kindOf(v.members[i][0]) == "USER_ID") == identified }})
	}
	if len(a.oracle.traits) > 0 {
		trait := one(a.world, a.oracle.traits)
		has := func(v *view, i string) bool { return v.individualOf[trait.owner] == i }
		key, value := quote(trait.key), quote(trait.value)
		all = append(all,
			argument{"{trait: {key: " + key + ", op: EQ, value: " + value + "}}", has},
			argument{"{trait: {key: " + key + ", op: EXISTS, minConfidence: 0.5, provenance: [DECLARED]}}", has},
			argument{"{trait: {key: " + key + ", op: NOT_EXISTS}}", func(v *view, i string) bool { return !has(v, i) }},
		)
	}
	return all
}

// cursors are places in a list: of things that some see and others do not.
func (a *asker) cursors(coordinate string) []argument {
	a.t.Helper()
	place := func(e entry) argument { return argument{quote(e.cursor()), e} }
	someone := one(a.world, slices.Sorted(maps.Keys(a.members)))
	switch coordinate {
	case "Query.individuals":
		return []argument{place(entry{someone, a.seen[someone][1]})}
	case "Individual.interactions", "Session.interactions":
		if len(a.facts) > 0 {
			x := one(a.world, a.facts)
			return []argument{place(entry{x.id, x.at})}
		}
		return nil
	case "Individual.sessions":
		if len(a.facts) > 0 {
			x := one(a.world, a.facts)
			return []argument{place(entry{sessionID(x), x.at})}
		}
		return nil
	case "Individual.consents":
		if all := a.consents[someone]; len(all) > 0 {
			return []argument{place(one(a.world, all))}
		}
		return nil
	case "Individual.accessLog":
		return []argument{place(entry{someone, a.clock().Add(-time.Hour)})}
	}
	a.t.Fatalf("there is a new list, %s: say in asker.cursors what places it has", coordinate)
	return nil
}

// variants are the ways in which a field is asked for: the plain ones, with what it
// must be given, and more, with one thing each that it may be given.
func (a *asker) variants(coordinate string, f *ast.FieldDefinition) (plain, more []arguments) {
	a.t.Helper()
	must := map[string][]argument{}
	n := 1
	for _, arg := range f.Arguments {
		if arg.Type.NonNull && arg.DefaultValue == nil {
			must[arg.Name] = a.candidates(coordinate, arg)
			n = max(n, len(must[arg.Name]))
		}
	}
	for i := range n {
		args := arguments{}
		for name, all := range must {
			args[name] = all[i%len(all)]
		}
		if first := f.Arguments.ForName("first"); first != nil {
			args["first"] = a.candidates(coordinate, first)[0]
		}
		plain = append(plain, args)
	}
	for _, arg := range f.Arguments {
		if must[arg.Name] != nil || arg.Name == "first" {
			continue
		}
		for _, value := range a.candidates(coordinate, arg) {
			args := maps.Clone(one(a.world, plain))
			if arg.Name == "last" {
				delete(args, "first")
			}
			args[arg.Name] = value
			more = append(more, args)
		}
	}
	return plain, more
}

// deep is further than any way through the types that does not come by one twice.
const deep = 20

// select writes the selection of everything that a type has, down to a depth. A type
// that is on the path already is asked for its own values alone, and so is the node of
// an edge, which the list has among its nodes.
func (a *asker) selectAll(def *ast.Definition, path []string, depth int) {
	a.t.Helper()
	a.text.WriteString("{ __typename ")
	possible := []*ast.Definition{def}
	if def.IsAbstractType() {
		possible = a.schema.GetPossibleTypes(def)
	}
	for _, each := range possible {
		if ofSegments(each, each.Fields[0]) {
			continue
		}
		if def.IsAbstractType() {
			a.text.WriteString("... on " + each.Name + " { ")
		}
		for _, f := range each.Fields {
			if !strings.HasPrefix(f.Name, "__") {
				a.selectField(each, f, append(path[:len(path):len(path)], each.Name), depth, def.IsAbstractType() && f.Name != "id")
			}
		}
		if def.IsAbstractType() {
			a.text.WriteString("} ")
		}
	}
	a.text.WriteString("} ")
}

func (a *asker) selectField(def *ast.Definition, f *ast.FieldDefinition, path []string, depth int, aliased bool) {
	a.t.Helper()
	coordinate, of := def.Name+"."+f.Name, a.schema.Types[f.Type.Name()]
	if !of.IsLeafType() && depth == 0 || isReport(def, f) || ofSegments(def, f) {
		return // reports of everyone are asked for one by one
	}
	below := depth - 1
	if slices.Contains(path, of.Name) || strings.HasSuffix(def.Name, "Edge") {
		below = 0
	}
	plain, more := a.variants(coordinate, f)
	if depth < deep-1 || def.Name == "Individual" && path[0] != "IndividualConnection" {
		plain, more = plain[:1], nil // further down, and of the same individuals once more, everything is asked for once
	}
	for n, args := range plain {
		alias := f.Name
		if aliased || n > 0 {
			alias = a.alias(f.Name)
		}
		a.field(alias, f.Name, args, of, path, below)
	}
	for _, args := range more {
		a.field(a.alias(f.Name), f.Name, args, of, path, min(below, 1))
	}
}

func (a *asker) alias(field string) string { return fmt.Sprintf("%s_%d", field, len(a.q.fields)) }

func (a *asker) field(alias, name string, args arguments, of *ast.Definition, path []string, depth int) {
	a.t.Helper()
	if alias != name {
		a.text.WriteString(alias + ": ")
	}
	if alias != name || len(args) > 0 {
		if had, is := a.q.fields[alias]; is && had.args.String() != args.String() {
			alias = a.alias(name)
			a.text.WriteString(alias + ": ")
		}
		a.q.fields[alias] = askedFor{name, args}
	}
	a.text.WriteString(name + args.String() + " ")
	if !of.IsLeafType() {
		a.selectAll(of, path, depth)
	}
}

// aliases is how many times a root field is asked for in one question.
const aliases = 40

// ask writes the questions that a root field is asked: once, or for a few of many
// arguments, in depth, and with all other arguments for what lies near.
func (a *asker) ask(root *ast.Definition, operation string, f *ast.FieldDefinition) []*question {
	a.t.Helper()
	coordinate, of := root.Name+"."+f.Name, a.schema.Types[f.Type.Name()]
	plain, more := a.variants(coordinate, f)
	type way struct {
		args  arguments
		depth int
	}
	many := f.Type.Elem != nil && of.IsAbstractType() // so many that they are asked for their own values alone
	ways := make([]way, 0, len(plain)+len(more))
	for _, args := range plain {
		w := way{args, 1}
		switch {
		case operation == "subscription":
			w.depth = 2
		case !many && len(plain) == 1:
			w.depth = deep
		case many || !a.chance(8):
			w.depth = 0
		}
		ways = append(ways, w)
	}
	if n := a.random.IntN(len(ways)); operation == "query" && !many {
		ways[n].depth = deep
	}
	for _, args := range more {
		ways = append(ways, way{args, 1})
	}
	size := aliases
	if operation == "subscription" || f.Type.NonNull { // has one field, or would take the others with it
		size = 1
	}
	var all []*question
	for some := range slices.Chunk(ways, size) {
		a.q = &question{fields: map[string]askedFor{}}
		a.text.Reset()
		a.text.WriteString(operation + " { ")
		for _, one := range some {
			a.q.roots = append(a.q.roots, a.alias(f.Name))
			a.field(a.alias(f.Name), f.Name, one.args, of, nil, one.depth)
		}
		a.text.WriteString("}")
		a.q.text = a.text.String()
		all = append(all, a.q)
	}
	return all
}

func (w *world) asker() *asker {
	a := &asker{world: w}
	w.viewer = w.reader("service", insight.ScopeAdmin)
	named := w.must(`{ channels { id } sources { id } purposes { id } }`, nil)
	for _, list := range []string{"channels", "sources", "purposes"} {
		for _, each := range named[list].([]any)[:3] {
			a.things = append(a.things, dig(w.t, each, "id").(string))
		}
	}
	a.things = append(append(a.things, w.ids...), w.gone...)
	for _, x := range w.facts {
		a.things = append(a.things, x.id)
		if inbound(x) {
			a.things = append(a.things, sessionID(x))
		}
	}
	a.things = append(a.things, slices.Sorted(maps.Keys(w.links))...)
	a.things = append(a.things, slices.Sorted(maps.Keys(w.requests))...)
	for _, id := range slices.Sorted(maps.Keys(w.members)) {
		for _, c := range w.consents[id] {
			a.things = append(a.things, c.id)
		}
	}
	for _, prefix := range []string{"ind", "ses", "int", "lnk", "con", "req", "xyz"} { // of nobody
		a.things = append(a.things, insight.FormatID(prefix, uuid.UUID{15: 1}))
	}
	return a
}

// questions are what every viewer is to ask, all of the same words.
func (w *world) questions() []*question {
	w.t.Helper()
	a := w.asker()
	var all []*question
	for _, f := range w.schema.Query.Fields {
		if !strings.HasPrefix(f.Name, "__") && !ofSegments(w.schema.Query, f) {
			all = append(all, a.ask(w.schema.Query, "query", f)...)
		}
	}
	return append(all, a.reports()...)
}

// comparison holds answers against what a viewer may see.
type comparison struct {
	*view
	w        *world
	q        *question
	who      string
	floor    int            // of a viewer who may not read individuals; 0: exact
	nobody   bool           // whether the viewer may read no individual
	learns   bool           // whether what is said of people is taken in, and not compared
	learned  map[string]any // what service was told is said of people, by whom or what it is of
	findings []string
	number   int // of answers

	answered map[string]any    // what stands beside everyone, by what it is of and how it was asked for
	habits   map[string]*habit // what everyone does, by how it was asked for
}

// place is where in an answer something stands.
type place struct {
	path       string
	from       string // the coordinate of the field
	args       arguments
	index      int
	individual string
	fact       *fact
	stay       *stay
	said       string // what it is said of
	recency    map[string]any
	journey    *way
	step       int
	way        string // how the journey was asked for
	page       *page
	at         time.Time // that a report is about
	about      string    // the purpose that it is about
	status     string
}

// page is a part of a list: what it holds, and what lies around it.
type page struct {
	all, held         []entry
	before, following bool
	unknown           bool // it is a list of which nobody knows what it must hold
}

func (c *comparison) find(p place, format string, args ...any) {
	c.findings = append(c.findings, fmt.Sprintf("%s, at %s: ", c.who, p.path)+fmt.Sprintf(format, args...))
}

// What is one person's is of one of these sorts. What is said of them is the same for
// everybody who may read them, and service may read everybody. What stands beside what
// everyone does is compared with a mirror.
var sorts = map[string]string{
	"Individual": "said", "Identifier": "said", "IdentityLink": "said", "Trait": "said", "Consent": "said", "ConsentState": "said", "Request": "said",
	"Interaction": "happened", "Session": "happened", "Campaign": "happened", "Recency": "happened", "Journey": "happened", "Touchpoint": "happened",
	"Channel": "nobody's", "Source": "nobody's", "Purpose": "nobody's", "PurposeVersion": "nobody's", "Viewer": "nobody's", "Insights": "nobody's",
	"RFM": "beside", "Lifetime": "beside", "Relationship": "beside", "Outreach": "beside", "NextChannel": "beside",
	"AccessEntry": "log", "ConsentReport": "counts", "PurposeConsents": "counts", "ConsentCount": "counts",
	"PageInfo": "list",
}

func sortOf(name string) string {
	if strings.HasSuffix(name, "Connection") || strings.HasSuffix(name, "Edge") {
		return "list"
	}
	return sorts[name]
}

// object compares an object, and all that is in it.
func (c *comparison) object(m map[string]any, p place) {
	name, _ := m["__typename"].(string)
	if sortOf(name) == "" {
		c.find(p, "there is a new type, %s: say in sorts whose it is", name)
		return
	}
	if sort := sortOf(name); c.nobody && (sort == "said" || sort == "happened" || sort == "beside" || sort == "log") {
		c.find(p, "who may read nobody is shown the %s %v", name, m["id"])
		return
	}
	if !c.enter(m, name, &p) {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if key == "__typename" {
			continue
		}
		asked := c.q.asked(key)
		def := c.w.schema.Types[name].Fields.ForName(asked.field)
		at := p
		at.path, at.from, at.args, at.index = p.path+"."+key, name+"."+asked.field, asked.args, 0
		if c.w.schema.Types[def.Type.Name()].IsLeafType() {
			c.leaf(m[key], name, def, at, p)
		} else {
			c.inner(m[key], at)
		}
	}
}

// enter notes what an object is, and reports whether it may be there at all.
func (c *comparison) enter(m map[string]any, name string, p *place) bool {
	id, _ := m["id"].(string)
	allowed := true
	switch name {
	case "Individual":
		if p.fact != nil && id != c.individualOf[p.fact.owner] || p.stay != nil && id != c.individualOf[p.stay.first().owner] {
			c.find(*p, "it is told to be of somebody else, %s", id)
		}
		p.individual, p.said, p.fact, p.stay = id, id, nil, nil
		allowed = c.covers(id)
	case "Interaction":
		p.fact = c.factOf(id)
		allowed = p.fact != nil && c.sees(p.fact)
		if allowed && p.stay != nil && !slices.Contains(p.stay.facts, p.fact) || allowed && p.individual != "" && p.stay == nil && c.individualOf[p.fact.owner] != p.individual {
			c.find(*p, "%s does not belong here", id)
		}
		p.stay = nil
	case "Session":
		p.stay = c.stayOf(id)
		if allowed = p.stay != nil; allowed && p.fact != nil && !slices.Contains(p.stay.facts, p.fact) {
			c.find(*p, "%s is not the session of %s", id, p.fact.id)
		}
		p.fact = nil
	case "IdentityLink":
		p.said, allowed = id, c.showsLink(id)
	case "Consent":
		if p.from == "ConsentState.record" && c.learned != nil {
			if c.learns {
				c.learned[p.said+" record"] = id
			} else if c.learned[p.said+" record"] != id {
				c.find(*p, "it is settled by %s; service is told %v", id, c.learned[p.said+" record"])
			}
		}
		p.said, allowed = id, c.showsConsent(id)
	case "Request":
		p.said, allowed = id, c.showsRequest(id)
	case "Identifier":
		p.said = name + " " + identifierOf(m)
	case "Trait":
		p.said = name + " " + p.individual + fmt.Sprint(m["key"])
	case "ConsentState":
		p.said = fmt.Sprint(name, " ", p.individual, p.from, p.args, p.index)
		c.state(m, *p)
	case "Recency", "Journey":
		until := c.clock()
		if asOf, given := p.args["asOf"]; given {
			until = asOf.value.(time.Time)
		}
		if name == "Recency" {
			p.recency = c.recent(*p, until)
			break
		}
		lookback := 30 * insight.Day
		if given, is := p.args["lookback"]; is {
			lookback = given.value.(time.Duration)
		}
		j := journeyOf(c.timeline(p.individual, nil, until), matcher(p.args["conversion"], nil), lookback, until)
		p.journey, p.way = &j, p.args.String()
	case "Touchpoint":
		if allowed = p.journey != nil && p.index < len(p.journey.steps); !allowed {
			c.find(*p, "there is a touchpoint too many")
			return false
		}
		p.step = p.index
	case "ConsentReport":
		p.at = c.clock()
		if asOf, given := p.args["asOf"]; given {
			p.at = asOf.value.(time.Time)
		}
	case "PurposeConsents":
		p.about = c.purposes[p.index].key
	case "ConsentCount":
		p.status, _ = m["status"].(string)
	case "AccessEntry":
		c.access(m, *p)
	case "Channel", "Source":
		c.refer(m, *p)
	default:
		if strings.HasSuffix(name, "Connection") {
			c.connection(m, p)
		}
	}
	if !allowed {
		c.find(*p, "the %s %s may not be seen", name, id)
	}
	return allowed
}

func matcher(a argument, otherwise func(*fact) bool) func(*fact) bool {
	if matches, given := a.value.(func(*fact) bool); given {
		return matches
	}
	return otherwise
}

func (c *comparison) factOf(id string) *fact {
	for _, x := range c.facts {
		if x.id == id {
			return x
		}
	}
	return nil
}

// stayOf is the session of an id; of what is withheld there is none.
func (c *comparison) stayOf(id string) *stay {
	x := c.factOf("int" + strings.TrimPrefix(id, "ses"))
	if x == nil {
		return nil
	}
	for _, s := range c.visits(c.individualOf[x.owner]) {
		if s.id == id {
			return s
		}
	}
	return nil
}

func (c *comparison) showsLink(id string) bool {
	l := c.w.links[id]
	return l != nil && c.covers(c.individualOf[l.a]) && c.covers(c.individualOf[l.b])
}

func (c *comparison) showsConsent(id string) bool {
	for individual, all := range c.w.consents {
		if slices.ContainsFunc(all, func(e entry) bool { return e.id == id }) {
			return c.covers(individual)
		}
	}
	return false
}

func (c *comparison) showsRequest(id string) bool {
	individual, exists := c.w.requests[id]
	return exists && (individual == "" && c.self == "" || c.covers(individual))
}

// state compares how somebody stands with what the oracle says; by what was known at
// another time, service alone knows.
func (c *comparison) state(m map[string]any, p place) {
	if _, given := p.args["knownAt"]; given {
		return
	}
	at, key := c.clock(), ""
	if valid, given := p.args["validAt"]; given {
		at = valid.value.(time.Time)
	}
	if of, given := p.args["purpose"]; given {
		key = of.value.(string)
	} else {
		key = c.purposes[p.index].key
	}
	permitted, status := c.standing(c.members[p.individual], key, at)
	if m["permitted"] != permitted || m["status"] != status {
		c.find(p, "%s stands with %s at %s as %v, %v; by the oracle %v, %v, of %s", p.individual, key, moment(at), m["permitted"], m["status"], permitted, status, c.spoken(c.members[p.individual], key))
	}
}

// access compares an entry of an access log: the purpose covered the individual then.
func (c *comparison) access(m map[string]any, p place) {
	purpose, told := m["purpose"].(map[string]any)
	if !told || purpose["key"] == "service" {
		return
	}
	for id, survivor := range c.w.survivor {
		if survivor == p.individual && c.w.shown[fmt.Sprint(id, " ", purpose["key"], " ", m["at"])] {
			return
		}
	}
	c.find(p, "%s was never shown for %v at %v", p.individual, purpose["key"], m["at"])
}

// refer compares a channel or source that something refers to.
func (c *comparison) refer(m map[string]any, p place) {
	var want string
	switch p.from {
	case "Interaction.channel":
		want = p.fact.channel
	case "Interaction.source":
		want = p.fact.source
	case "Session.entryChannel":
		want = p.stay.first().channel
	case "Session.source":
		want = p.stay.first().source
	case "Touchpoint.channel":
		want = p.journey.steps[p.step][0].channel
	case "Query.channels", "Query.sources", "Query.node", "Query.nodes", "Source.defaultChannel", "NextChannel.channel":
		return
	default:
		c.find(p, "there is a new reference, %s: say in comparison.refer what it must be", p.from)
	}
	got := m["key"]
	if m["__typename"] == "Source" {
		got = m["name"]
	}
	if got != want {
		c.find(p, "it is %v, not %s", got, want)
	}
}

// connection compares a page with what it must hold.
func (c *comparison) connection(m map[string]any, p *place) {
	p.page = c.pageOf(*p)
	if p.page.unknown {
		return
	}
	for key, list := range m {
		field := c.q.asked(key).field
		if field != "nodes" && field != "edges" {
			continue
		}
		var got []string
		for n, each := range list.([]any) {
			item := each.(map[string]any)
			if field == "edges" {
				at := entry{id: "nothing"}
				if n < len(p.page.held) {
					at = p.page.held[n]
					if item["cursor"] != at.cursor() {
						c.find(*p, "the cursor of edge %d is that of something else", n)
					}
				}
				node, asked := item["node"].(map[string]any)
				if !asked { // for its cursor alone
					got = append(got, at.id)
					continue
				}
				item = node
			}
			got = append(got, item["id"].(string))
		}
		want := make([]string, len(p.page.held))
		for n, e := range p.page.held {
			want[n] = e.id
		}
		if !slices.Equal(got, want) {
			c.find(*p, "%s are %v, and must be %v", field, c.named(got), c.named(want))
		}
	}
}

// named are ids with the messages of the interactions that they name.
func (c *comparison) named(ids []string) []string {
	all := slices.Clone(ids)
	for n, id := range all {
		if x := c.factOf("int" + strings.TrimPrefix(strings.TrimPrefix(id, "int"), "ses")); x != nil {
			all[n] += " " + x.message
		}
	}
	return all
}

// pageOf is the page of a list that must be the answer.
func (c *comparison) pageOf(p place) *page {
	var all []entry
	descending := true
	switch p.from {
	case "Query.individuals":
		column := 1
		if order, given := p.args["orderBy"]; given {
			if strings.HasPrefix(order.value.(string), "FIRST") {
				column = 0
			}
			descending = strings.HasSuffix(order.value.(string), "DESC")
		}
		for _, id := range c.population() {
			passes, given := p.args["where"].value.(func(*view, string) bool)
			if !given || passes(c.view, id) {
				all = append(all, entry{id, c.w.seen[id][column]})
			}
		}
	case "Individual.interactions":
		for _, x := range c.timeline(p.individual, matcher(p.args["where"], nil), c.clock()) {
			all = append(all, entry{x.id, x.at})
		}
	case "Individual.sessions":
		for _, s := range c.visits(p.individual) {
			all = append(all, entry{s.id, s.first().at})
		}
	case "Session.interactions":
		for _, x := range p.stay.facts {
			all = append(all, entry{x.id, x.at})
		}
	case "Individual.consents":
		all = slices.Clone(c.w.consents[p.individual])
	case "Individual.accessLog":
		return &page{unknown: true}
	default:
		c.find(p, "there is a new list, %s: say in comparison.pageOf what it must hold", p.from)
		return &page{unknown: true}
	}
	slices.SortFunc(all, func(a, b entry) int {
		order := cmp.Or(a.at.Compare(b.at), cmp.Compare(a.id, b.id))
		if descending {
			return -order
		}
		return order
	})
	found := &page{all: all}
	further := func(e, place entry) bool {
		order := cmp.Or(e.at.Compare(place.at), cmp.Compare(e.id, place.id))
		return order < 0 == descending && order != 0
	}
	after, isAfter := p.args["after"].value.(entry)
	before, isBefore := p.args["before"].value.(entry)
	for _, e := range all {
		if (!isAfter || further(e, after)) && (!isBefore || further(before, e)) {
			found.held = append(found.held, e)
		}
	}
	found.before, found.following = isAfter, len(found.held) > 100
	if _, last := p.args["last"]; last {
		found.before, found.following = len(found.held) > 100, isBefore
	}
	return found
}

// info is what a page tells of where it lies.
func (p *page) info(field string) (want any, known bool) {
	switch {
	case p.unknown && slices.Contains([]string{"hasNextPage", "hasPreviousPage", "startCursor", "endCursor"}, field):
		return anything, true
	case field == "hasNextPage":
		return p.following, true
	case field == "hasPreviousPage":
		return p.before, true
	case len(p.held) == 0:
		return nil, field == "startCursor" || field == "endCursor"
	case field == "startCursor":
		return p.held[0].cursor(), true
	case field == "endCursor":
		return p.held[len(p.held)-1].cursor(), true
	}
	return nil, false
}

// lists of what is nobody's, or compared element by element.
var plainLists = []string{"Query.channels", "Query.sources", "Query.purposes", "Query.nodes", "Purpose.versions"}

// inner compares what a field that is no value leads to.
func (c *comparison) inner(v any, p place) {
	c.beside(v, p)
	switch v := v.(type) {
	case nil:
		c.nothing(p)
	case map[string]any:
		c.object(v, p)
	case []any:
		if c.list(v, p); strings.HasSuffix(p.from, "Connection.edges") || strings.HasSuffix(p.from, "Connection.nodes") {
			p.page = nil
		}
		for n, each := range v {
			at := p
			at.index, at.path = n, fmt.Sprintf("%s.%d", p.path, n)
			if m, is := each.(map[string]any); is {
				c.object(m, at)
			}
		}
	}
}

// list compares a list that is no page.
func (c *comparison) list(all []any, p place) {
	switch {
	case strings.Contains(p.from, "Connection.") || slices.Contains(plainLists, p.from):
	case slices.Contains([]string{"Individual.identifiers", "Individual.links", "Individual.traits", "Individual.consentStates", "Individual.requests"}, p.from):
		key := p.from + " " + p.individual + p.args.String()
		var got []string
		for n, each := range all {
			m := each.(map[string]any)
			switch {
			case m["id"] != nil:
				got = append(got, m["id"].(string))
			case m["kind"] != nil:
				got = append(got, identifierOf(m))
			case m["key"] != nil:
				got = append(got, m["key"].(string))
			default:
				got = append(got, strconv.Itoa(n))
			}
		}
		if c.learns {
			c.learned[key] = got
		}
		if c.learned == nil {
			return
		}
		want, _ := c.learned[key].([]string)
		if p.from == "Individual.links" {
			want = slices.DeleteFunc(slices.Clone(want), func(id string) bool { return !c.showsLink(id) })
		}
		if !slices.Equal(got, want) {
			c.find(p, "%v is told, and must be %v", got, want)
		}
	case p.from == "Journey.touchpoints":
		if len(all) != len(p.journey.steps) {
			c.find(p, "there are %d touchpoints, and must be %d", len(all), len(p.journey.steps))
		}
	case p.from == "ConsentReport.purposes":
		if len(all) != len(c.purposes) {
			c.find(p, "there are %d purposes, and must be %d", len(all), len(c.purposes))
		}
	case p.from == "PurposeConsents.statuses", p.from == "Journey.nextChannels":
	default:
		c.find(p, "there is a new list, %s: say in comparison.list what it must hold", p.from)
	}
}

// nothing compares that a field leads nowhere.
func (c *comparison) nothing(p place) {
	right := false
	switch p.from {
	case "Interaction.session":
		right = !inbound(p.fact)
	case "Interaction.campaign":
		right = p.fact.campaign == nil
	case "Session.campaign":
		right = p.stay.first().campaign == nil
	case "ConsentState.record":
		if c.learns {
			c.learned[p.said+" record"] = nil
		}
		had, is := c.learned[p.said+" record"]
		right = c.learned == nil || is && had == nil
	case "Viewer.individual":
		right = c.self == "" || c.members[c.self] == nil
	case "Individual.rfm", "Individual.lifetime":
		right = true // beside compares it
	default:
		c.find(p, "there is nothing at %s: say in comparison.nothing when that is right", p.from)
		return
	}
	if !right {
		c.find(p, "it is missing")
	}
}

var (
	markText = regexp.MustCompile(`mk\d{5}z|\+44\d{10}`)
	idText   = regexp.MustCompile(`\b(?:ind|ses|int|lnk|con|req)_[0-9a-z]{26}\b`)
)

// leaf compares a value: with what it must be, and whose the texts in it are.
func (c *comparison) leaf(v any, name string, def *ast.FieldDefinition, p, object place) {
	c.texts(v, name, p)
	switch sortOf(name) {
	case "said":
		if c.learned == nil {
			return
		}
		if p.from == "IdentityLink.messageId" {
			c.message(v, p)
			return
		}
		key := p.said + " " + def.Name
		if c.learns {
			c.learned[key] = v
			return
		}
		want, is := c.learned[key]
		if !is || !reflect.DeepEqual(v, want) {
			c.find(p, "it is %v; service is told %v", v, want)
		}
	case "happened", "counts", "list":
		want, known := c.must(p, object)
		kind := c.w.schema.Types[def.Type.Name()]
		if !known {
			if kind.Name != "String" && kind.Name != "ID" && kind.Name != "JSON" || def.Type.Elem != nil {
				c.find(p, "there is a new value, %s: say in comparison.must what it is", p.from)
			}
			return
		}
		if p.from == "ConsentCount.individuals" && c.floor > 1 && v == nil {
			return // a further number is hidden so that this one cannot be worked out
		}
		if want != anything && !reflect.DeepEqual(v, want) {
			c.find(p, "it is %v (%T), and must be %v (%T)", v, v, want, want)
		}
	}
}

// message compares the message that a link came with: it is told where everything that
// happened to both ends may be read.
func (c *comparison) message(v any, p place) {
	l := c.w.links[p.said]
	if l == nil {
		return
	}
	var want any
	if l.message != "" {
		want = l.message
	}
	for _, x := range c.facts {
		if id := c.individualOf[x.owner]; (id == c.individualOf[l.a] || id == c.individualOf[l.b]) && !c.sees(x) {
			want = nil
		}
	}
	if v != want {
		c.find(p, "it is %v, and must be %v", v, want)
	}
}

// texts looks for texts and ids in a value, and wants each to be of somebody or
// something that may be seen there.
func (c *comparison) texts(v any, name string, p place) {
	text, is := v.(string)
	if !is {
		if v == nil {
			return
		}
		text = quote(v)
	}
	for _, found := range markText.FindAllString(text, -1) {
		m := c.w.marks[found]
		if m == nil {
			c.find(p, "nobody made %s", found)
			continue
		}
		allowed := slices.ContainsFunc(m.owners, func(f string) bool { return c.covers(c.individualOf[f]) })
		switch m.part {
		case "fact":
			allowed = slices.Contains(c.facts, m.fact) && c.sees(m.fact) || p.from == "IdentityLink.messageId"
		case "statement":
			allowed = p.from == "IdentityLink.messageId"
		case "link":
			allowed = p.from == "IdentityLink.reason"
		}
		if !allowed || sortOf(name) == "happened" != (m.part == "fact") && p.from != "IdentityLink.messageId" {
			c.find(p, "%s, which is part of %s, is in %s", found, m.part, text)
		}
	}
	for _, id := range idText.FindAllString(text, -1) {
		allowed := false
		switch id[:3] {
		case "ind":
			allowed = c.covers(id)
		case "ses":
			allowed = c.stayOf(id) != nil
		case "int":
			x := c.factOf(id)
			allowed = x != nil && c.sees(x)
		case "lnk":
			allowed = c.showsLink(id)
		case "con":
			allowed = c.showsConsent(id) || p.from == "Consent.evidence" // a no that went along names the one that it was
		case "req":
			allowed = c.showsRequest(id)
		}
		if !allowed {
			c.find(p, "%s is in %s", id, text)
		}
	}
}

// anything says that a value may be what it is.
const anything = "anything"

// must is what a value must be.
func (c *comparison) must(p, object place) (want any, known bool) {
	some := func(text string) any {
		if text == "" {
			return nil
		}
		return text
	}
	if strings.HasSuffix(p.from, "Connection.totalCount") {
		if object.page.unknown {
			return anything, true
		}
		return float64(len(object.page.all)), true
	}
	if strings.HasSuffix(p.from, "Edge.cursor") {
		return anything, true // the list compared it
	}
	if field, is := strings.CutPrefix(p.from, "PageInfo."); is {
		return p.page.info(field)
	}
	if x := p.fact; x != nil {
		campaign := x.campaign
		switch p.from {
		case "Interaction.id":
			return x.id, true
		case "Interaction.messageId":
			return x.message, true
		case "Interaction.type":
			return x.kind, true
		case "Interaction.direction":
			return x.direction, true
		case "Interaction.occurredAt":
			return moment(x.at), true
		case "Interaction.receivedAt":
			return moment(x.received), true
		case "Interaction.value":
			if x.value == nil {
				return nil, true
			}
			return *x.value, true
		case "Interaction.currency":
			return some(x.currency), true
		case "Interaction.properties":
			return x.properties, true
		case "Campaign.name", "Campaign.source", "Campaign.medium", "Campaign.term", "Campaign.content":
			return some(campaign[strings.TrimPrefix(p.from, "Campaign.")]), true
		}
	}
	if s := p.stay; s != nil {
		switch p.from {
		case "Session.id":
			return s.id, true
		case "Session.startedAt":
			return moment(s.first().at), true
		case "Session.endedAt":
			return moment(s.last().at), true
		case "Session.duration":
			return insight.FormatDuration(s.last().at.Sub(s.first().at)), true
		case "Session.engaged":
			return s.engaged(), true
		case "Session.interactionCount":
			return float64(len(s.facts)), true
		case "Campaign.name", "Campaign.source", "Campaign.medium", "Campaign.term", "Campaign.content":
			return some(s.first().campaign[strings.TrimPrefix(p.from, "Campaign.")]), true
		}
	}
	if field, is := strings.CutPrefix(p.from, "Recency."); is {
		want, known = p.recency[field]
		return want, known
	}
	switch p.from {
	case "Journey.converted":
		return p.journey.converted, true
	case "Journey.startedAt":
		return p.journey.startedAt, true
	case "Journey.endedAt":
		return p.journey.endedAt, true
	case "ConsentReport.population":
		return c.rounded(len(c.population())), true
	case "ConsentReport.asOf":
		return moment(p.at), true
	case "ConsentCount.status":
		return p.status, true
	case "ConsentCount.individuals":
		return c.count(p), true
	case "ConsentCount.suppressed":
		if c.floor > 1 {
			return anything, true // the number beside it is compared
		}
		return false, true
	}
	if strings.HasPrefix(p.from, "Touchpoint.") {
		return touchpoint(p.journey.steps, p.step, strings.TrimPrefix(p.from, "Touchpoint."))
	}
	return nil, false
}

func touchpoint(steps [][]*fact, n int, field string) (want any, known bool) {
	step := steps[n]
	first, last := step[0], step[len(step)-1]
	switch field {
	case "firstAt":
		return moment(first.at), true
	case "lastAt":
		return moment(last.at), true
	case "interactionCount":
		return float64(len(step)), true
	case "types":
		var types []any
		for _, x := range step {
			if !slices.Contains(types, any(x.kind)) {
				types = append(types, x.kind)
			}
		}
		return types, true
	case "sincePrevious":
		if n == 0 {
			return nil, true
		}
		before := steps[n-1]
		return insight.FormatDuration(first.at.Sub(before[len(before)-1].at)), true
	}
	return nil, false
}

// rounded is a number as a viewer is told it.
func (c *comparison) rounded(n int) any {
	switch {
	case c.floor <= 1:
		return float64(n)
	case n < c.floor:
		return nil
	}
	return float64(n - n%c.floor)
}

// count is how many stand so.
func (c *comparison) count(p place) any {
	n := 0
	for _, id := range c.population() {
		if _, status := c.standing(c.members[id], p.about, p.at); status == p.status {
			n++
		}
	}
	return c.rounded(n)
}

// outcome is what becomes of something that is asked for directly: it is told
// ("data"), withheld, denied, or there is nothing.
func (c *comparison) outcome(id string) string {
	hidden := func(exists, allowed bool) string {
		switch {
		case exists && allowed:
			return "data"
		case exists && c.self == "":
			return "withheld"
		}
		return "nothing"
	}
	prefix, _, _ := strings.Cut(id, "_")
	switch prefix {
	case "chn", "pur":
		return "data"
	case "src":
		if c.self != "" || c.nobody && c.floor == 0 {
			return "denied"
		}
		return "data"
	case "xyz":
		return "nothing"
	}
	if c.nobody {
		return "denied"
	}
	switch prefix {
	case "ind":
		return hidden(c.w.survivor[id] != "", c.covers(c.w.survivor[id]))
	case "int", "ses":
		x := c.factOf("int" + strings.TrimPrefix(id, prefix))
		return hidden(x != nil, x != nil && c.sees(x))
	case "lnk":
		return hidden(c.w.links[id] != nil, c.showsLink(id))
	case "con":
		exists := false
		for _, all := range c.w.consents {
			exists = exists || slices.ContainsFunc(all, func(e entry) bool { return e.id == id })
		}
		return hidden(exists, c.showsConsent(id))
	case "req":
		_, exists := c.w.requests[id]
		return hidden(exists, c.showsRequest(id))
	}
	return hidden(c.individualOf[id] != "", c.covers(c.individualOf[id])) // an identifier
}

// expects is what becomes of a root field.
func (c *comparison) expects(a askedFor) string {
	switch a.field {
	case "node":
		return c.outcome(a.args["id"].value.(string))
	case "individual":
		return c.outcome(a.args["by"].value.(string))
	case "nodes":
		for _, id := range a.args["ids"].value.([]string) {
			if c.outcome(id) == "denied" {
				return "denied"
			}
		}
	case "individuals":
		if c.nobody {
			return "denied"
		}
	case "insights":
		if !c.w.viewer.May(insight.ScopeInsightsRead) {
			return "denied"
		}
	case "sources":
		return c.outcome("src")
	}
	return "data"
}

var outcomes = map[string]insight.Kind{"withheld": insight.Withheld, "denied": insight.Denied}

// ask asks a question and compares the answer.
func (c *comparison) ask(v *insight.Viewer, q *question) {
	c.w.viewer, c.q = v, q
	c.answer(c.w.ask(q.text, nil))
}

func (c *comparison) answer(data map[string]any, errs gqlerror.List) {
	c.number++
	failed := map[string][]*gqlerror.Error{}
	for _, e := range errs {
		for _, text := range []string{e.Message, fmt.Sprint(e.Err)} {
			if found := markText.FindString(text) + idText.FindString(text); found != "" {
				c.find(place{path: e.Path.String()}, "an error speaks of %s: %s", found, text)
			}
		}
		var root ast.PathName
		if len(e.Path) > 0 {
			root, _ = e.Path[0].(ast.PathName)
		}
		failed[string(root)] = append(failed[string(root)], e)
	}
	for root, some := range failed {
		if !slices.Contains(c.q.roots, root) {
			c.find(place{path: root}, "it fails: %v (%s)", some[0], insight.Detail(some[0].Err))
		}
	}
	for _, alias := range c.q.roots {
		asked := c.q.asked(alias)
		p := place{path: alias + " of " + asked.field + asked.args.String(), from: "Query." + asked.field, args: asked.args}
		if len(p.path) > 300 {
			p.path = p.path[:300] + "…"
		}
		outcome := c.expects(asked)
		for _, e := range failed[alias] {
			if kind, is := outcomes[outcome]; !is || insight.KindOf(e.Err) != kind {
				c.find(p, "it fails, where %s is expected: %v (%s)", outcome, e, insight.Detail(e.Err))
			}
		}
		v := data[alias]
		switch {
		case outcome != "data" && v != nil:
			c.find(p, "it is %s, and %v is told", outcome, v)
		case outcomes[outcome] != 0 && len(failed[alias]) == 0:
			c.find(p, "it is %s, and no error says so", outcome)
		case outcome == "data" && v == nil && len(failed[alias]) == 0:
			c.find(p, "it is missing")
		case v != nil:
			c.direct(v, p)
			c.inner(v, p)
		}
	}
}

// direct compares that what was asked for by name is what is told.
func (c *comparison) direct(v any, p place) {
	right := func(id string, v any) {
		m, told := v.(map[string]any)
		if told != (c.outcome(id) == "data") {
			c.find(p, "%s is %s, and %v is told", id, c.outcome(id), v)
		}
		if !told {
			return
		}
		got, want := m["id"], id
		switch id[:3] {
		case "ind":
			want = c.w.survivor[id]
		case "ses": // the session that an interaction is part of
			x := c.factOf("int" + strings.TrimPrefix(id, "ses"))
			if s := c.stayOf(fmt.Sprint(got)); s != nil && slices.Contains(s.facts, x) {
				return
			}
		}
		if got != want {
			c.find(p, "%s is asked for, and %v is told", want, got)
		}
	}
	switch p.from {
	case "Query.node":
		right(p.args["id"].value.(string), v)
	case "Query.nodes":
		for n, id := range p.args["ids"].value.([]string) {
			right(id, v.([]any)[n])
		}
	case "Query.individual":
		by := p.args["by"].value.(string)
		want := c.w.survivor[by]
		if f := c.individualOf[by]; f != "" {
			want = f
		}
		if got := v.(map[string]any)["id"]; got != want {
			c.find(p, "%s is asked for, and %v is told", want, got)
		}
	}
}

// check compares every answer, and fails the test with what it finds.
func (w *world) check() {
	w.t.Helper()
	c := w.compare()
	w.report(c.findings)
	w.t.Logf("%d answers about %d individuals and %d interactions", c.number, len(w.members), len(w.facts))
}

// most is how many findings are told.
const most = 12

func (w *world) report(findings []string) {
	w.t.Helper()
	for n, f := range findings {
		if n == most {
			w.t.Errorf("and %d more", len(findings)-most)
			break
		}
		w.t.Error(f)
	}
	if len(findings) > 0 {
		w.t.Logf("what was done:\n\t%s", strings.Join(w.history, "\n\t"))
	}
}

// compare asks everything of everybody's, for every purpose, as every sort of viewer.
func (w *world) compare() *comparison {
	w.t.Helper()
	w.register()
	w.resolve()
	all := &comparison{w: w, learned: map[string]any{}}
	questions := slices.DeleteFunc(w.questions(), func(q *question) bool { return q.report != "" }) // which reflect asks
	as := func(v *insight.Viewer, who string, sees *view, set func(*comparison), questions []*question) {
		sees.lies, sees.pretends = w.lies, w.pretends
		c := &comparison{view: sees, w: w, who: who, learned: all.learned, answered: map[string]any{}, habits: map[string]*habit{}}
		if set != nil {
			set(c)
		}
		if v.Purpose != "" {
			w.noteShown(v.Purpose)
		}
		for _, q := range questions {
			c.ask(v, q)
		}
		all.findings, all.number = append(all.findings, c.findings...), all.number+c.number
	}
	only := func(fields ...string) []*question {
		return slices.DeleteFunc(slices.Clone(questions), func(q *question) bool { return !slices.Contains(fields, q.asked(q.roots[0]).field) })
	}
	as(w.reader("service"), "a reader for service", w.view("service"), func(c *comparison) { c.learns = true }, questions)
	all.findings = append(all.findings, w.unlike(all.learned)...)
	for _, p := range w.purposes {
		if p.key != "service" {
			as(w.reader(p.key), "a reader for "+p.key, w.view(p.key), nil, questions)
		}
		as(w.reader(p.key, insight.ScopeInsightsRead), "a reader of individuals and insights for "+p.key, w.view(p.key), nil, only("insights"))
		as(w.analyst(p.key), "an analyst for "+p.key, w.view(p.key), func(c *comparison) { c.floor, c.nobody = p.floor, true }, only("insights", "individuals", "viewer"))
	}
	someone := one(w, slices.Sorted(maps.Keys(w.members)))
	as(themselves(someone), someone+" themselves", &view{oracle: &w.oracle, self: someone}, nil, questions)
	as(w.analyst("analytics"), "an analyst", w.view("analytics"), func(c *comparison) { c.floor, c.nobody = 10, true }, questions)
	none := w.reader("analytics")
	none.Scopes = nil
	as(none, "a token without scopes", w.view("analytics"), func(c *comparison) { c.nobody = true }, questions)
	return all
}

func (w *world) view(purpose string) *view { return &view{oracle: &w.oracle, key: purpose} }

// analyst may read insights, and no individual.
func (w *world) analyst(purpose string) *insight.Viewer {
	v := w.reader(purpose)
	v.Subject, v.Scopes = "analyst for "+purpose, []insight.Scope{insight.ScopeInsightsRead}
	return v
}

// resolve asks, under service, who everybody is now who had an id ever.
func (w *world) resolve() {
	w.t.Helper()
	w.viewer = w.reader("service")
	var text strings.Builder
	for n, id := range w.ids {
		_, _ = fmt.Fprintf(&text, "i%d: individual(by: {id: %q}) { id } ", n, id)
	}
	answer := w.must("{ "+text.String()+"}", nil)
	w.survivor = map[string]string{}
	for n, id := range w.ids {
		if i, is := answer[fmt.Sprintf("i%d", n)].(map[string]any); is {
			w.survivor[id] = i["id"].(string)
		}
	}
}

// unlike tells in what service, to whom everybody is told, was told something else of
// people than was handed in.
func (w *world) unlike(learned map[string]any) []string {
	var wrong []string
	for _, t := range w.oracle.traits {
		if got := learned["Trait "+w.individualOf[t.owner]+t.key+" value"]; got != t.value {
			wrong = append(wrong, fmt.Sprintf("a trait of %s: service is told %v, and it was %s", t.owner, got, t.value))
		}
	}
	for f, said := range w.words {
		for _, d := range said {
			if d.owner != f {
				continue
			}
			if !slices.ContainsFunc(w.consents[w.individualOf[f]], func(e entry) bool {
				is := func(field string, want any) bool { return learned[e.id+" "+field] == want }
				expires := any(nil)
				if !d.expires.IsZero() {
					expires = moment(d.expires)
				}
				policy := is("policyVersion", d.policy) || strings.Contains(quote(learned[e.id+" evidence"]), d.policy)
				return policy && is("decision", d.decision) && is("effectiveAt", moment(d.effective)) && is("recordedAt", moment(d.recorded)) && is("expiresAt", expires)
			}) {
				wrong = append(wrong, fmt.Sprintf("the decision %+v is not in the ledger of %s", d, f))
			}
		}
	}
	for id, members := range w.members {
		got, _ := learned["Individual.identifiers "+id].([]string)
		if !slices.Equal(strongestOf(got), members) {
			wrong = append(wrong, fmt.Sprintf("%s is known by %v, and service is told %v", id, members, got))
		}
	}
	return wrong
}

// stream is a subscription under way.
type stream struct {
	*comparison
	respond graphql.ResponseHandler
	ctx     context.Context
	close   context.CancelFunc
	ending  *graph.Ending
	field   string
	args    arguments
}

// item is something that arrived while streams are open: an interaction, or a decision
// by its id. It must reach those who could see it ever since.
type item struct {
	fact    *fact
	consent string
	always  map[*stream]bool
}

// open begins a subscription. It ends with the test.
func (w *world) open(v *insight.Viewer, sees *view, q *question) *stream {
	w.t.Helper()
	s := &stream{comparison: &comparison{view: sees, w: w, q: q, who: v.Subject}}
	ctx, ending := graph.WithEnding(viewer.With(context.Background(), v))
	ctx, s.close = context.WithCancel(graphql.StartOperationTrace(ctx))
	w.t.Cleanup(s.close)
	op, errs := w.exec.CreateOperationContext(ctx, &graphql.RawParams{Query: q.text})
	if len(errs) > 0 {
		w.t.Fatalf("%v in %s", errs, q.text)
	}
	s.respond, s.ctx = w.exec.DispatchOperation(ctx, op)
	asked := q.asked(q.roots[0])
	s.field, s.args, s.ending = asked.field, asked.args, ending
	return s
}

// follows reports whether a stream is about an item, and its viewer may see it now.
func (s *stream) follows(i *item) bool {
	switch s.field {
	case "interactions":
		return i.fact != nil && matcher(s.args["where"], inbound)(i.fact) && s.sees(i.fact)
	case "consentChanges":
		purpose, given := s.args["purpose"].value.(string)
		return i.consent != "" && s.showsConsent(i.consent) && (!given || s.w.about[i.consent] == purpose)
	}
	s.w.t.Fatalf("there is a new subscription, %s: say in stream.follows whom it tells what", s.field)
	return false
}

// receive takes the next answer of a stream and returns the id of what is told.
func (s *stream) receive() string {
	s.w.t.Helper()
	return s.told(s.next())
}

// next waits for the next answer.
func (s *stream) next() *graphql.Response {
	late := time.AfterFunc(patience, s.close)
	defer late.Stop()
	return s.respond(s.ctx)
}

func (s *stream) told(r *graphql.Response) string {
	s.w.t.Helper()
	if r == nil || len(r.Errors) > 0 {
		s.w.t.Fatalf("%s%v of %s ended, or what must come does not: %+v, %v", s.field, s.args, s.who, r, s.ending.Err())
	}
	var data map[string]any
	if err := json.Unmarshal(r.Data, &data); err != nil {
		s.w.t.Fatal(err)
	}
	told := data[s.q.roots[0]].(map[string]any)
	s.object(told, place{path: s.field, from: "Subscription." + s.field, args: s.args})
	return told["id"].(string)
}

// rounds is how often something happens while streams are open.
const rounds = 8

// follow opens every subscription for every purpose and lets things happen. Each stream
// is told what its viewer may see when it is sent, and nothing else: after every round
// the herald does something, and what comes before that is all that comes.
func (w *world) follow() {
	w.t.Helper()
	w.permitAll()
	a := w.asker()
	var streams []*stream
	for _, f := range w.schema.Subscription.Fields {
		if ofSegments(w.schema.Subscription, f) {
			continue
		}
		for _, q := range a.ask(w.schema.Subscription, "subscription", f) {
			for _, p := range w.purposes {
				streams = append(streams, w.open(w.reader(p.key), w.view(p.key), q))
			}
		}
	}
	w.heard()
	for range rounds {
		var items []*item
		arrived := func(facts []*fact) {
			for _, x := range facts {
				if slices.Contains(w.facts, x) {
					items = append(items, &item{fact: x})
				}
			}
			for _, id := range w.heard() {
				items = append(items, &item{consent: id})
			}
			for _, i := range items {
				first := i.always == nil
				if first {
					i.always = map[*stream]bool{}
				}
				for _, s := range streams {
					i.always[s] = (first || i.always[s]) && s.follows(i)
				}
			}
		}
		w.round(arrived)
		w.drain(streams, items)
	}
	for _, s := range streams {
		w.report(s.findings)
	}
	w.t.Logf("%d streams", len(streams))
}

// round lets something happen; what arrives is told at once.
func (w *world) round(arrived func([]*fact)) {
	w.t.Helper()
	p := w.people[1+w.random.IntN(len(w.people)-1)]
	who := w.someone(p)
	w.time.Add(int64(time.Minute/time.Microsecond) * (1 + w.random.Int64N(300)))
	switch n := w.random.IntN(5); {
	case n == 0: // somebody decides, and goes on
		w.decides(p)
		arrived(nil)
		arrived(w.tell(w.identities(p), 2))
	case n == 1 && who != "": // what somebody did has not been sent yet when they take consent back
		arrived(w.tell(w.identities(p), 2))
		w.withdraw(who, w.keys())
		arrived(nil)
		arrived(w.tell(w.identities(p), 1))
	case n == 2 && who != "": // nor when what they had said yes to ends
		var claims []map[string]any
		for _, key := range w.keys() {
			claims = append(claims, w.claim(who, key, "GRANTED", time.Time{}, w.clock().Add(time.Hour)))
		}
		w.consent(who, claims)
		arrived(nil)
		w.time.Add(int64(time.Minute / time.Microsecond))
		arrived(w.tell(w.identities(p), 2))
		w.time.Add(int64(time.Hour / time.Microsecond))
		arrived(nil)
	case n == 3:
		arrived(w.tell(w.identities(p), 2))
		w.merge()
		arrived(nil)
	default:
		arrived(w.tell(w.identities(p), 3))
	}
}

// heard are the ids of decisions that were recorded since it was last asked.
func (w *world) heard() []string {
	w.t.Helper()
	w.viewer = w.reader("service")
	answer := w.must(`{ individuals(first: 100) { nodes { consents(first: 100) { nodes { id purpose { key } } } } } }`, nil)
	if w.about == nil {
		w.about, w.noticed = map[string]string{}, map[string]bool{}
	}
	var fresh []string
	for _, i := range dig(w.t, answer, "individuals.nodes").([]any) {
		for _, d := range dig(w.t, i, "consents.nodes").([]any) {
			id := dig(w.t, d, "id").(string)
			w.about[id] = dig(w.t, d, "purpose.key").(string)
			if !w.noticed[id] {
				w.noticed[id] = true
				fresh = append(fresh, id)
			}
		}
	}
	return fresh
}

// drain lets the herald speak, and reads every stream up to that.
func (w *world) drain(streams []*stream, items []*item) {
	w.t.Helper()
	acts := w.herald()
	purposes := []string{"service"}
	for _, s := range streams {
		if purpose, given := s.args["purpose"].value.(string); given && !slices.Contains(purposes, purpose) {
			purposes = append(purposes, purpose)
		}
	}
	var claims []map[string]any
	for _, key := range purposes {
		claims = append(claims, w.claim(w.people[0].user, key, "GRANTED", time.Time{}, time.Time{}))
	}
	said := w.consent(w.people[0].user, claims)
	w.heard()
	for _, s := range streams {
		var last string
		switch purpose, given := s.args["purpose"].value.(string); {
		case given:
			last = said[slices.Index(purposes, purpose)]
		case s.field == "consentChanges":
			last = said[len(said)-1]
		default:
			for _, x := range acts {
				if s.follows(&item{fact: x}) {
					last = x.id
				}
			}
		}
		received := map[string]int{}
		for id := s.receive(); id != last; id = s.receive() {
			received[id]++
		}
		s.compare(received, items)
		for id := range received {
			if !slices.Contains(said, id) {
				s.find(place{path: s.field}, "%v is told, and did not arrive", s.named([]string{id}))
			}
		}
	}
}

// compare compares what a stream told with what arrived, and takes it out.
func (s *stream) compare(received map[string]int, items []*item) {
	p := place{path: s.field + s.args.String()}
	for _, i := range items {
		id := i.consent
		if i.fact != nil {
			id = i.fact.id
		}
		n := received[id]
		delete(received, id)
		switch may := s.follows(i); {
		case n > 1:
			s.find(p, "%v is told %d times", s.named([]string{id}), n)
		case n == 1 && !may:
			s.find(p, "%v is told, and may not be seen", s.named([]string{id}))
		case n == 0 && may && i.always[s]:
			s.find(p, "%v is not told", s.named([]string{id}))
		}
	}
}

// herald is what the herald does: something outbound, then something inbound.
func (w *world) herald() []*fact {
	w.t.Helper()
	user := w.people[0].user
	acts := []*fact{{direction: "OUTBOUND", channel: "email"}, {direction: "INBOUND", channel: "web"}}
	for _, x := range acts {
		w.events++
		x.owner, x.stream, x.source, x.kind, x.received = user, user, "shop", "page", w.clock()
		x.at = w.clock().Add(-time.Millisecond).Truncate(time.Millisecond).Add(time.Duration(w.events%1000) * time.Microsecond)
		x.message, x.properties = w.mark("fact"), map[string]any{"number": float64(w.events)}
		w.marks[x.message].fact = x
	}
	if withheld := w.hand([]string{user}, acts); withheld > 0 {
		w.t.Fatal("the herald is not heard")
	}
	w.facts = append(w.facts, acts...)
	w.register()
	return acts
}
