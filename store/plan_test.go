package store_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/experience"
	"github.com/acquaint/acquaint/insight/segment"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// recorder keeps the statements that a store sends, with their parameters.
type recorder struct {
	mu   sync.Mutex
	sent []statement
}

type statement struct {
	text string
	args []any
}

func (r *recorder) take() []statement {
	r.mu.Lock()
	defer r.mu.Unlock()
	sent := r.sent
	r.sent = nil
	return sent
}

func (r *recorder) note(text string, args []driver.NamedValue) {
	s := statement{text: text}
	for _, a := range args {
		if b, ok := a.Value.([]byte); ok {
			a.Value = slices.Clone(b)
		}
		s.args = append(s.args, a.Value)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent = append(r.sent, s)
}

func (r *recorder) wrap(c driver.Connector) driver.Connector { return recordingConnector{c, r} }

type recordingConnector struct {
	driver.Connector
	to *recorder
}

func (c recordingConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return recordingConn{conn.(postgresConn), c.to}, nil
}

// postgresConn is what lib/pq's connection can, less that of writing without preparation.
type postgresConn interface {
	driver.Conn
	driver.QueryerContext
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.SessionResetter
	driver.Validator
}

type recordingConn struct {
	postgresConn
	to *recorder
}

func (c recordingConn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	s, err := c.postgresConn.PrepareContext(ctx, text)
	return recordingStmt{s, text, c.to}, err
}

// QueryContext notes what is asked without preparation, which may be several questions.
func (c recordingConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	if len(args) > 0 {
		return nil, driver.ErrSkip
	}
	for one := range strings.SplitSeq(text, "; ") {
		c.to.note(one, nil)
	}
	return c.postgresConn.QueryContext(ctx, text, nil)
}

type recordingStmt struct {
	driver.Stmt
	text string
	to   *recorder
}

func (s recordingStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	s.to.note(s.text, args)
	return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
}

func (s recordingStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	s.to.note(s.text, args)
	return s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
}

// plan is what EXPLAIN tells of a statement: its nodes and what they read.
type plan struct {
	Node     string `json:"Node Type"`
	Relation string `json:"Relation Name"`
	Index    string `json:"Index Name"`
	Parts    []plan `json:"Plans"`
}

func (p plan) walk(visit func(plan)) {
	visit(p)
	for _, part := range p.Parts {
		part.walk(visit)
	}
}

// TestPlans: on the paths that every event and every page take, PostgreSQL finds its
// rows by an index, and by the right one. With the statistics of some 20,000
// interactions it is free to choose: reading a whole table is not forbidden to it.
func TestPlans(t *testing.T) {
	o := testdb.Postgres(t)
	sent := &recorder{}
	now := epoch.Add(100 * insight.Day)
	o.Wrap, o.Now, o.LookEvery = sent.wrap, func() time.Time { return now }, time.Nanosecond
	s := testdb.Open(t, o)
	ctx := t.Context()
	api := must(s.Source(ctx, store.APISource))
	event := func(n int) *insight.Event {
		person, at := n%4000, epoch.Add(time.Duration(n)*time.Minute)
		e := &insight.Event{
			MessageID: fmt.Sprint("m", n), Timestamp: at, OccurredAt: at, ReceivedAt: at, Source: api, Channel: api.DefaultChannel, Type: "page", Direction: insight.Inbound,
			Identities: []insight.Identity{{Kind: insight.UserID, Value: fmt.Sprint("u", person)}, {Kind: insight.AnonymousID, Value: fmt.Sprint("a", n%8000)}},
		}
		e.Stream = e.Identities[1]
		for _, key := range []string{"plan", "city", "size", "pet"} {
			e.Traits = append(e.Traits, insight.Observation{Key: key, Value: json.RawMessage(`"gold"`), Provenance: insight.Declared, Confidence: 1, Sensitivity: insight.Ordinary})
		}
		if person < 1000 { // a quarter of them changes their mind with every visit
			e.Signals = &insight.Signals{Categories: map[string]bool{"Marketing": n/4000%2 == 0}}
		}
		return e
	}
	var events []*insight.Event
	for n := range 20_000 {
		events = append(events, event(n))
	}
	for some := range slices.Chunk(events, 1000) {
		if _, err := s.Append(ctx, some); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{
		"INSERT INTO access_entries (id, individual_id, purpose_id, subject, operation, read_at) SELECT gen_random_uuid(), origin, (SELECT id FROM purposes WHERE key = 'service'), 'clerk', 'query', first_seen_at FROM identifiers, generate_series(1, 3)",
		"INSERT INTO requests (id, individual_id, kind, requested_by, requested_at) SELECT gen_random_uuid(), origin, 'ACCESS', 'clerk', first_seen_at FROM identifiers",
		"UPDATE individuals SET lapses_at = '2027-01-01' WHERE id IN (SELECT id FROM individuals WHERE decided ORDER BY id LIMIT 3)",
		"ANALYZE",
	} {
		if _, err := s.DB().Exec(text); err != nil {
			t.Fatal(err)
		}
	}
	r := must(s.Reader(ctx, &insight.Viewer{Scopes: []insight.Scope{insight.ScopeIndividualsRead}, Purposes: []string{"analytics"}}, nil))
	page := store.Page{Limit: 20}
	people := must(r.Individuals(ctx, store.Filter{}, store.Order{Descending: true}, page)).Items
	var ids, interactions, sessions []uuid.UUID
	var visits []*insight.Session
	for _, i := range people {
		ids = append(ids, i.ID)
	}
	for _, some := range must(r.Interactions(ctx, ids, insight.Selector{}, page, store.WithAll)) {
		for _, x := range some.Items {
			interactions = append(interactions, x.ID)
		}
	}
	for _, some := range must(r.Sessions(ctx, ids, page)) {
		for _, one := range some.Items {
			sessions, visits = append(sessions, one.ID), append(visits, one)
		}
	}
	place := store.Order{}.Place(people[5])
	inside := page
	inside.After = &place
	u7 := store.Lookup{Identity: insight.Identity{Kind: insight.UserID, Value: "u7"}}
	link := must(r.Links(ctx, ids))[ids[0]][0].ID
	const timeline, ofIndividual = "interaction_individual_id_occurred_at_id", "identifier_individual_id"
	const ofLedger = "consent_individual_id_*" // both indexes begin with whose it is
	decided := []uuid.UUID{must(s.Find(ctx, u7)), must(s.Find(ctx, store.Lookup{Identity: insight.Identity{Kind: insight.UserID, Value: "u17"}}))}
	decision := must(r.Decisions(ctx, decided))[decided[0]][0].ID
	request := must(r.Requests(ctx, decided[:1]))[decided[0]][0].ID
	more := 20_000

	for _, c := range []struct {
		name    string
		indexes []string // that must be among those used
		ask     func() error
	}{
		{"an event that is known", []string{"interactions_pkey"}, func() error { return second(s.Append(ctx, events[:1])) }},
		{"a hundred that are known", []string{"interactions_pkey"}, func() error { return second(s.Append(ctx, events[:100])) }},
		{"an event of somebody known", []string{"interactions_pkey", "identifiers_pkey", "identity_links_pkey", "individuals_pkey", "session_individual_id_started_at_id"}, func() error {
			more++
			return second(s.Append(ctx, []*insight.Event{event(more)}))
		}},
		{"ten of people known", []string{"interactions_pkey", "identifiers_pkey", "identity_links_pkey", "individuals_pkey", "session_individual_id_started_at_id"}, func() error {
			var some []*insight.Event
			for range 10 {
				more++
				some = append(some, event(more))
			}
			return second(s.Append(ctx, some))
		}},
		{"an event that two share", []string{"identitylink_a", "identitylink_b", "identifiers_pkey"}, func() error {
			e := event(more + 1)
			e.MessageID, e.Identities[1].Value = "shared", "a7" // u7's own, and now another's too
			e.Identities[0].Value = "u8"
			e.Stream = e.Identities[1]
			return second(s.Append(ctx, []*insight.Event{e}))
		}},
		{"two become one", []string{timeline, ofIndividual, "session_individual_id_started_at_id", "trait_individual_id_key"}, func() error {
			_, _, err := s.Merge(ctx, u7, store.Lookup{Identity: insight.Identity{Kind: insight.UserID, Value: "u9"}}, "for the plan")
			return err
		}},
		{"find by name", []string{"identifiers_pkey", "individuals_pkey"}, func() error { return second(r.Find(ctx, u7)) }},
		{"find by id", []string{"individuals_pkey"}, func() error { return second(r.Find(ctx, store.Lookup{ID: ids[0]})) }},
		{"find by an old id", []string{"individuals_pkey", "identifiers_origin_key"}, func() error {
			if _, err := r.Find(ctx, store.Lookup{ID: uuid.New()}); insight.KindOf(err) != insight.NotFound {
				return fmt.Errorf("somebody is found: %w", err)
			}
			return nil
		}},
		{"people", []string{"individuals_pkey"}, func() error { return second(r.People(ctx, ids)) }},
		{"individuals, last seen first", []string{"individual_last_seen_at_id"}, func() error {
			return second(r.Individuals(ctx, store.Filter{}, store.Order{Descending: true}, page))
		}},
		{"individuals, a page further", []string{"individual_last_seen_at_id"}, func() error {
			return second(r.Individuals(ctx, store.Filter{}, store.Order{Descending: true}, inside))
		}},
		{"individuals, first seen first", []string{"individual_first_seen_at_id"}, func() error {
			return second(r.Individuals(ctx, store.Filter{}, store.Order{FirstSeen: true}, page))
		}},
		{"individuals, first seen last, backward", []string{"individual_first_seen_at_id"}, func() error {
			return second(r.Individuals(ctx, store.Filter{}, store.Order{FirstSeen: true, Descending: true}, store.Page{Limit: 20, Backward: true}))
		}},
		{"identifiers", []string{ofIndividual}, func() error { return second(r.Identifiers(ctx, ids)) }},
		// Of one person, since for twenty of 4,000 reading whole tables is no more work.
		{"links", []string{"identitylink_a", "identitylink_b", ofIndividual}, func() error { return second(r.Links(ctx, ids[:1])) }},
		{"a link", []string{"identity_links_pkey"}, func() error { return second(r.Link(ctx, link)) }},
		{"traits", []string{"trait_individual_id_key"}, func() error { return second(r.Traits(ctx, ids)) }},
		{"interactions", []string{timeline}, func() error { return second(r.Interactions(ctx, ids, insight.Selector{}, page, store.WithAll)) }},
		{"interactions, of some types, a page further", []string{timeline}, func() error {
			return second(r.Interactions(ctx, ids, insight.Selector{Types: []string{"page", "purchase"}, OccurredFrom: epoch}, inside, 0))
		}},
		{"interactions, backward", []string{timeline}, func() error {
			return second(r.Interactions(ctx, ids, insight.Selector{}, store.Page{Limit: 20, Backward: true}, store.WithAll))
		}},
		{"the number of interactions", []string{timeline}, func() error { return second(r.CountInteractions(ctx, ids, insight.Selector{})) }},
		{"timelines", []string{timeline}, func() error {
			return second(r.Timelines(ctx, ids, insight.Selector{}, epoch.Add(insight.Year)))
		}},
		{"an interaction", []string{"interactions_pkey"}, func() error { return second(r.Interaction(ctx, interactions[0])) }},
		{"interactions by their ids", []string{"interactions_pkey"}, func() error { return second(r.InteractionsByID(ctx, interactions[:20])) }},
		{"sessions", []string{"session_individual_id_started_at_id"}, func() error { return second(r.Sessions(ctx, ids, page)) }},
		{"the number of sessions", []string{"session_individual_id_started_at_id"}, func() error { return second(r.CountSessions(ctx, ids)) }},
		{"a session", []string{"sessions_pkey"}, func() error { return second(r.Session(ctx, sessions[0])) }},
		{"the sessions of interactions", []string{"interactions_pkey", "session_individual_id_started_at_id"}, func() error { return second(r.SessionsOf(ctx, interactions[:20])) }},
		{"the interactions of sessions", []string{"sessions_pkey", timeline}, func() error { return second(r.SessionInteractions(ctx, visits[:20], page, store.WithAll)) }},
		{"their number", []string{"sessions_pkey", timeline}, func() error { return second(r.CountSessionInteractions(ctx, visits[:20])) }},
		{"a page of a ledger", []string{"consent_individual_id_recorded_at_id"}, func() error { return second(r.Consents(ctx, decided, page)) }},
		{"a page of a ledger, further", []string{"consent_individual_id_recorded_at_id"}, func() error { return second(r.Consents(ctx, decided, inside)) }},
		{"a page of a ledger, backward", []string{"consent_individual_id_recorded_at_id"}, func() error {
			return second(r.Consents(ctx, decided, store.Page{Limit: 20, Backward: true}))
		}},
		{"the number of decisions", []string{ofLedger}, func() error { return second(r.CountConsents(ctx, decided)) }},
		{"decisions", []string{ofLedger}, func() error { return second(r.Decisions(ctx, decided)) }},
		{"a decision", []string{"consents_pkey"}, func() error { return second(r.Consent(ctx, decision)) }},
		{"a decision that is recorded", []string{"identifiers_pkey", ofIndividual, ofLedger, "ledger*", timeline}, func() error {
			c := insight.Claim{Purpose: must(s.Purpose(ctx, "marketing")), Decision: insight.ConsentGranted, Method: insight.MethodBanner, Source: "desk"}
			return second(s.RecordConsents(ctx, u7, []insight.Claim{c}))
		}},
		{"the access log", []string{"accessentry_individual_id_read_at_id", ofIndividual}, func() error { return second(r.AccessLog(ctx, decided, page)) }},
		{"the access log, a page further", []string{"accessentry_individual_id_read_at_id", ofIndividual}, func() error { return second(r.AccessLog(ctx, decided, inside)) }},
		{"the number of its entries", []string{"accessentry_individual_id_read_at_id", ofIndividual}, func() error { return second(r.CountAccess(ctx, decided)) }},
		{"entries that are written", []string{"identifiers_origin_key"}, func() error {
			shown := store.NewAccess("query")
			reads := must(s.Reader(ctx, &insight.Viewer{Subject: "clerk", Scopes: []insight.Scope{insight.ScopeIndividualsRead}, Purposes: []string{"service"}}, shown))
			if _, err := reads.People(ctx, ids); err != nil {
				return err
			}
			return s.Log(ctx, shown)
		}},
		{"requests", []string{"request_individual_id", ofIndividual}, func() error { return second(r.Requests(ctx, decided)) }},
		{"a request", []string{"requests_pkey"}, func() error { return second(r.Request(ctx, request)) }},
		{"an archive that is asked for", []string{"identifiers_origin_key", ofIndividual, timeline, "trait_individual_id_key", "session_individual_id_started_at_id", ofLedger, "request_individual_id"}, func() error {
			_, _, err := s.RequestExport(ctx, decided[0], insight.RequestAccess, store.Asked{By: "clerk"})
			return err
		}},
		{"when the next grant ends", []string{"individual_lapses_at"}, func() error { return second(s.Purposes(ctx)) }},
		{"grants that end", []string{"individual_lapses_at", ofLedger, timeline, "individuals_pkey"}, func() error {
			now = epoch.Add(insight.Year)
			return second(s.Purposes(ctx))
		}},
		{"sessions of somebody covered in part", []string{timeline}, func() error {
			c := insight.Claim{Purpose: must(s.Purpose(ctx, "personalization")), Decision: insight.ConsentGranted, Method: insight.MethodBanner, Source: "desk", EffectiveAt: epoch.Add(insight.Day)}
			if _, err := s.RecordConsents(ctx, u7, []insight.Claim{c}); err != nil {
				return err
			}
			sent.take()
			part := must(s.Reader(ctx, &insight.Viewer{Scopes: []insight.Scope{insight.ScopeIndividualsRead}, Purposes: []string{"personalization"}}, nil))
			return second(part.Sessions(ctx, []uuid.UUID{must(s.Find(ctx, u7))}, page))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			sent.take()
			if err := c.ask(); err != nil {
				t.Fatal(insight.Detail(err))
			}
			statements := sent.take()
			plans := []func(statement, map[string]bool){func(one statement, used map[string]bool) { explain(t, s.DB(), one, used) }}
			if slices.ContainsFunc(statements, func(one statement) bool { return strings.Contains(one.text, "pg_advisory_xact_lock") }) {
				plans = append(plans, func(one statement, used map[string]bool) { explainInTurn(t, s.DB(), one, used) })
			}
			for _, plan := range plans {
				used := map[string]bool{}
				for _, one := range statements {
					plan(one, used)
				}
				for _, index := range c.indexes {
					prefix, any := strings.CutSuffix(index, "*")
					if !used[index] && !(any && slices.ContainsFunc(slices.Collect(maps.Keys(used)), func(name string) bool { return strings.HasPrefix(name, prefix) })) {
						t.Errorf("%s is not used, but %v", index, used)
					}
				}
			}
		})
	}
}

// explainInTurn is explain for a statement of a transaction that has its turn at writing:
// planned once, for whatever it is given.
func explainInTurn(t *testing.T, db *sql.DB, one statement, used map[string]bool) {
	t.Helper()
	tx := must(db.Begin())
	defer func() { _ = tx.Rollback() }()
	must(tx.Exec("SELECT set_config('enable_seqscan', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true)"))
	if len(one.args) > 0 {
		must(tx.Exec("PREPARE explained AS " + one.text))
		defer func() { must(tx.Exec("DEALLOCATE explained")) }()
		nulls := strings.TrimSuffix(strings.Repeat("NULL, ", len(one.args)), ", ")
		one = statement{text: "EXECUTE explained(" + nulls + ")"}
	}
	explain(t, tx, one, used)
}

// explain notes the indexes that a statement would use, and finds fault with one
// that would read a whole table of people.
func explain(t *testing.T, db interface {
	QueryRow(string, ...any) *sql.Row
}, one statement, used map[string]bool,
) {
	t.Helper()
	if word, _, _ := strings.Cut(one.text, " "); !slices.Contains([]string{"SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "EXECUTE"}, word) || strings.Contains(one.text, "pg_advisory") {
		return
	}
	var text []byte
	if err := db.QueryRow("EXPLAIN (FORMAT JSON) "+one.text, one.args...).Scan(&text); err != nil {
		t.Fatalf("%v: %s", err, one.text)
	}
	var told []struct{ Plan plan }
	if err := json.Unmarshal(text, &told); err != nil {
		t.Fatal(err)
	}
	told[0].Plan.walk(func(p plan) {
		if p.Index != "" {
			used[p.Index] = true
		}
		large := []string{"interactions", "sessions", "individuals", "identifiers", "identity_links", "traits", "consents", "access_entries", "requests"}
		if strings.HasSuffix(p.Node, "Seq Scan") && slices.Contains(large, p.Relation) {
			t.Errorf("all of %s is read for %s\n%s", p.Relation, one.text, text)
		}
	})
}

func second[T any](_ T, err error) error { return err }

// recorded opens a store on PostgreSQL whose statements are recorded.
func recorded(t *testing.T) (*store.Store, *recorder) {
	t.Helper()
	o := testdb.Postgres(t)
	sent := &recorder{}
	o.Wrap = sent.wrap
	return testdb.Open(t, o), sent
}

// drafted computes and announces all segments.
func drafted(t *testing.T, s *store.Store) {
	t.Helper()
	for must(s.Draft(t.Context())) {
	}
}

// pages are views of a page by so many people.
func pages(t *testing.T, s *store.Store, people int) []*insight.Event {
	t.Helper()
	api := must(s.Source(t.Context(), store.APISource))
	events := make([]*insight.Event, people)
	for n := range events {
		who := []insight.Identity{id(insight.UserID, fmt.Sprint("u", n))}
		events[n] = &insight.Event{
			MessageID: fmt.Sprint(n), Timestamp: epoch, OccurredAt: epoch, ReceivedAt: epoch, Source: api, Channel: api.DefaultChannel, Type: "page", Direction: insight.Inbound, Identities: who, Stream: who[0],
		}
	}
	return events
}

// TestPlansUnstudied: a decision looks somebody up also where PostgreSQL does not know yet
// what its tables hold, as in an installation that is minutes old.
func TestPlansUnstudied(t *testing.T) {
	s, sent := recorded(t)
	ctx := t.Context()
	for _, table := range []string{"individuals", "identifiers", "memberships", "decisions"} {
		must(s.DB().Exec("ALTER TABLE " + table + " SET (autovacuum_enabled = off)"))
	}
	rule := must(segment.Read([]byte(`{"event":{"event":{"types":["page"]}}}`)))
	must(s.CreateSegment(ctx, store.NewSegment{Key: "all", Name: "All", Purpose: "analytics", Rule: rule}))
	drafted(t, s)
	e := must(s.CreateExperience(ctx, store.NewExperience{
		Key: "test", Name: "Test", Purpose: "analytics", Variants: []experience.Variant{{Key: "a", Benefit: "it helps", Segment: "all"}},
	}))
	events := pages(t, s, 2000)
	var asked []store.Asking
	for _, one := range events {
		asked = append(asked, store.Asking{Experience: e, Who: store.Lookup{Identity: one.Identities[0]}})
	}
	must(s.Append(ctx, events))
	for some := range slices.Chunk(asked[10:], 200) {
		must(s.Decide(ctx, some))
	}
	sent.take()
	for _, d := range must(s.Decide(ctx, asked[:10])) {
		if d.Variant == nil {
			t.Fatalf("somebody is offered nothing: %s", d.Because)
		}
	}
	statements := sent.take()
	tx := must(s.DB().Begin())
	defer func() { _ = tx.Rollback() }()
	must(tx.Exec("SET LOCAL enable_seqscan = off")) // as where it is asked
	used := map[string]bool{}
	for _, one := range statements {
		explain(t, tx, one, used)
	}
	for index, want := range map[string]bool{"membership_individual_id_segment_id": true, "membership_segment_id_entered_at_id": false, "identifiers_pkey": true, "individuals_pkey": true} {
		if used[index] != want {
			t.Errorf("whether %s is used: %t; used are %v", index, used[index], used)
		}
	}
}

// TestPlansBite: the fault that the test above looks for is one that it finds.
func TestPlansBite(t *testing.T) {
	s := testdb.Open(t, testdb.Postgres(t))
	var text []byte
	if err := s.DB().QueryRow("EXPLAIN (FORMAT JSON) SELECT x.id FROM interactions x JOIN sources s ON s.id = x.source_id WHERE x.type = $1", "page").Scan(&text); err != nil {
		t.Fatal(err)
	}
	var told []struct{ Plan plan }
	if err := json.Unmarshal(text, &told); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	told[0].Plan.walk(func(p plan) { found[p.Node+" "+p.Relation] = true })
	if !found["Seq Scan interactions"] {
		t.Errorf("what is read is %v", found)
	}
}

// TestPlansOfArchived: of a segment of few that is archived, not everybody's memberships
// are read.
func TestPlansOfArchived(t *testing.T) {
	s, sent := recorded(t)
	ctx := t.Context()
	for key, rule := range map[string]string{"few": `{"event":{"event":{"types":["rare"]}}}`, "all": `{"event":{"event":{"types":["page"]}}}`} {
		must(s.CreateSegment(ctx, store.NewSegment{Key: key, Name: key, Purpose: "analytics", Rule: must(segment.Read([]byte(rule)))}))
	}
	drafted(t, s)
	events := pages(t, s, 4000)
	for n := 0; n < len(events); n += 400 {
		events[n].Type = "rare"
	}
	must(s.Append(ctx, events))
	must(s.DB().Exec("ANALYZE"))
	must(s.ArchiveSegment(ctx, "few"))
	sent.take()
	drafted(t, s)
	used, asked := map[string]bool{}, false
	for _, one := range sent.take() {
		if strings.Contains(one.text, "FROM memberships WHERE segment_id") {
			asked = true
			explainInTurn(t, s.DB(), one, used)
		}
	}
	if !asked || !used["membership_segment_id_entered_at_id"] || len(used) > 1 {
		t.Errorf("asked: %v, by %v", asked, used)
	}
}
