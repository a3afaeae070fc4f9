package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// history is a set of events with an operator's decisions between two parts of it.
type history struct {
	before, after []*insight.Event
	decisions     []decision
}

// decision merges two identities, or revokes the links between them.
type decision struct {
	a, b   insight.Identity
	revoke bool
}

var world = struct {
	users, emails, devices, visitors []insight.Identity
}{
	users:    identities(insight.UserID, "u1", "u2", "u3"),
	emails:   identities(insight.Email, "e1@example.com", "e2@example.com"),
	devices:  identities(insight.DeviceID, "d1", "d2"),
	visitors: identities(insight.AnonymousID, "a1", "a2", "a3", "a4"),
}

func identities(kind insight.IdentifierKind, values ...string) []insight.Identity {
	all := make([]insight.Identity, len(values))
	for i, v := range values {
		all[i] = insight.Identity{Kind: kind, Value: v}
	}
	return all
}

func genEvent(s *store.Store, n int) *rapid.Generator[*insight.Event] {
	ctx := context.Background()
	api, err := s.Source(ctx, store.APISource)
	if err != nil {
		panic(err)
	}
	channels, err := s.Channels(ctx)
	if err != nil {
		panic(err)
	}
	return rapid.Custom(func(t *rapid.T) *insight.Event {
		var who []insight.Identity
		for _, pool := range [][]insight.Identity{world.users, world.emails, world.devices, world.visitors} {
			if rapid.IntRange(0, 2).Draw(t, "has") == 0 {
				who = append(who, rapid.SampledFrom(pool).Draw(t, "identity"))
			}
		}
		if len(who) == 0 {
			who = append(who, rapid.SampledFrom(world.visitors).Draw(t, "visitor"))
		}
		// Late by days, and close enough to form sessions whose gaps meet the timeout exactly.
		at := epoch.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "day"))*insight.Day + time.Duration(rapid.IntRange(0, 8).Draw(t, "tick"))*10*time.Minute)
		skew := time.Duration(rapid.IntRange(-2, 2).Draw(t, "skew")) * time.Hour
		e := &insight.Event{
			MessageID: fmt.Sprintf("m%d", n), Timestamp: at.Add(skew), OccurredAt: at, ReceivedAt: at.Add(time.Hour),
			Source: api, Channel: channels[rapid.IntRange(0, 3).Draw(t, "channel")],
			Type:       rapid.SampledFrom([]string{"page", "purchase", "Product Viewed"}).Draw(t, "type"),
			Direction:  rapid.SampledFrom([]insight.Direction{insight.Inbound, insight.Inbound, insight.Inbound, insight.Outbound}).Draw(t, "direction"),
			Identities: who, Stream: who[len(who)-1],
		}
		if rapid.Bool().Draw(t, "trait") {
			e.Traits = []insight.Observation{{
				Key: rapid.SampledFrom([]string{"plan", "city"}).Draw(t, "key"), Value: json.RawMessage(fmt.Sprintf(`"v%d"`, n)),
				Provenance: insight.Declared, Confidence: 1, Sensitivity: insight.Ordinary,
			}}
		}
		return e
	})
}

func genHistory(t *rapid.T, s *store.Store) history {
	var h history
	n := 0
	draw := func(label string, most int) []*insight.Event {
		events := make([]*insight.Event, rapid.IntRange(1, most).Draw(t, label))
		for i := range events {
			events[i] = genEvent(s, n).Draw(t, "event")
			n++
		}
		return events
	}
	h.before = draw("before", 14)
	h.after = draw("after", 6)
	var known []insight.Identity
	for _, e := range h.before {
		for _, i := range e.Identities {
			if !slices.Contains(known, i) {
				known = append(known, i)
			}
		}
	}
	for range rapid.IntRange(0, 3).Draw(t, "decisions") {
		d := decision{a: rapid.SampledFrom(known).Draw(t, "a"), b: rapid.SampledFrom(known).Draw(t, "b"), revoke: rapid.Bool().Draw(t, "revoke")}
		if d.a != d.b {
			h.decisions = append(h.decisions, d)
		}
	}
	return h
}

// arrive hands events in, shuffled, in batches, some of them twice.
func arrive(t testing.TB, s *store.Store, r *rand.Rand, events []*insight.Event) {
	t.Helper()
	events = slices.Clone(events)
	if r != nil {
		for _, e := range slices.Clone(events) {
			if r.IntN(3) == 0 {
				events = append(events, e)
			}
		}
		r.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	}
	for len(events) > 0 {
		n := 1
		if r != nil {
			n = 1 + r.IntN(len(events))
		}
		outcomes, err := s.Append(context.Background(), events[:n])
		if err != nil {
			t.Fatal(err)
		}
		for i, o := range outcomes {
			if o.Status != insight.StatusAccepted && o.Status != insight.StatusDuplicate {
				t.Fatalf("event %d: %v", i, o)
			}
		}
		events = events[n:]
	}
}

func decide(t testing.TB, s *store.Store, d decision) {
	t.Helper()
	ctx := context.Background()
	if !d.revoke {
		if _, _, err := s.Merge(ctx, store.Lookup{Identity: d.a}, store.Lookup{Identity: d.b}, "the same person"); err != nil {
			t.Fatal(err)
		}
		return
	}
	links := linksBetween(t, s, d.a, d.b)
	if len(links) == 0 {
		return
	}
	if _, err := s.Unmerge(ctx, links, "not the same person"); err != nil {
		t.Fatal(err)
	}
}

func live(t testing.TB, s *store.Store, h history, r *rand.Rand) {
	t.Helper()
	arrive(t, s, r, h.before)
	for _, d := range h.decisions {
		decide(t, s, d)
	}
	arrive(t, s, r, h.after)
}

// TestOrderDoesNotMatter: any permutation, duplication and batching of a history
// gives what in-order arrival gives, and what a recompute gives.
func TestOrderDoesNotMatter(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		if o.URL == "" {
			alone(t) // SQLite is slow with it
		}
		s := testdb.Open(t, o)
		rapid.Check(t, func(rt *rapid.T) {
			h := genHistory(rt, s)
			told := func(how string, r *rand.Rand) []string {
				empty(t, s)
				live(t, s, h, r)
				v, err := s.Verify(context.Background(), nil)
				if err != nil {
					rt.Fatal(err)
				}
				if v.Total > 0 {
					rt.Fatalf("%s: a recompute differs: %s", how, strings.Join(v.Differences, "\n"))
				}
				return dump(t, s)
			}
			seed := rapid.Uint64().Draw(rt, "seed")
			if diff := cmp.Diff(told("in order", nil), told("shuffled", rand.New(rand.NewPCG(seed, 1)))); diff != "" {
				rt.Fatalf("in order (-) and shuffled (+) differ:\n%s", diff)
			}
		})
	})
}

func empty(t testing.TB, s *store.Store) {
	t.Helper()
	for _, table := range []string{"interactions", "sessions", "traits", "consents", "ledgers", "access_entries", "requests", "suppressions", "identity_links", "identifiers", "individuals"} {
		if _, err := s.DB().Exec("DELETE FROM " + table); err != nil {
			t.Fatal(err)
		}
	}
}

// dump tells everything that is kept, with each individual called by its
// identifiers in place of its id.
func dump(t testing.TB, s *store.Store) []string {
	t.Helper()
	name, key := map[string]string{}, map[string]string{}
	members := map[string][]string{}
	query(t, s, "SELECT id, kind, value, individual_id FROM identifiers", func(c []string) {
		key[c[0]] = c[1] + ":" + c[2]
		members[c[3]] = append(members[c[3]], key[c[0]])
	})
	for id, m := range members {
		slices.Sort(m)
		name[id] = "{" + strings.Join(m, " ") + "}"
	}
	source, channel := map[string]string{}, map[string]string{}
	query(t, s, "SELECT id, name FROM sources", func(c []string) { source[c[0]] = c[1] })
	query(t, s, "SELECT id, key FROM channels", func(c []string) { channel[c[0]] = c[1] })
	interaction := map[string]string{}
	query(t, s, "SELECT id, message_id FROM interactions", func(c []string) { interaction[c[0]] = c[1] })

	var lines []string
	add := func(parts ...string) { lines = append(lines, strings.Join(parts, " ")) }
	query(t, s, "SELECT id, first_seen_at, last_seen_at, acted, identified, contested, permitted, decided, lapses_at FROM individuals", func(c []string) {
		add("individual", name[c[0]], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8])
	})
	query(t, s, "SELECT id, user_key, shared, first_seen_at, last_seen_at, first_acted_at, last_acted_at FROM identifiers", func(c []string) {
		add("identifier", key[c[0]], c[2], c[3], c[4], c[5], c[6])
	})
	query(t, s, "SELECT a, b, operator, source_id, message_id, observed_at, CASE WHEN revoked_at IS NULL THEN 'active' ELSE 'revoked' END FROM identity_links", func(c []string) {
		if c[2] == "true" || c[2] == "1" {
			c[5] = ""
		}
		add("link", key[c[0]], key[c[1]], c[2], source[c[3]], c[4], c[5], c[6])
	})
	query(t, s, "SELECT individual_id, owner, key, value, observed_at FROM traits", func(c []string) {
		add("trait", name[c[0]], key[c[1]], c[2], c[3], c[4])
	})
	query(t, s, "SELECT message_id, individual_id, owner, stream, source_id, channel_id, type, direction, occurred_at, permitted FROM interactions", func(c []string) {
		add("interaction", c[0], name[c[1]], key[c[2]], key[c[3]], source[c[4]], channel[c[5]], c[6], c[7], c[8], c[9])
	})
	query(t, s, "SELECT id, individual_id, source_id, stream, channel_id, started_at, ended_at, interactions, views, conversions FROM sessions", func(c []string) {
		add("session", interaction[c[0]], name[c[1]], source[c[2]], key[c[3]], channel[c[4]], c[5], c[6], c[7], c[8], c[9])
	})
	query(t, s, "SELECT c.individual_id, c.owner, c.sequence, p.key, c.decision, c.effective_at, c.expires_at, c.source, c.method FROM consents c JOIN purposes p ON p.id = c.purpose_id", func(c []string) {
		add("consent", name[c[0]], key[c[1]], c[2], c[3], c[4], c[5], c[6], c[7], c[8])
	})
	query(t, s, "SELECT id, individual_id, length FROM ledgers", func(c []string) { add("ledger", key[c[0]], name[c[1]], c[2]) })
	query(t, s, "SELECT count(*) FROM suppressions", func(c []string) { add("suppressed", c[0]) })
	slices.Sort(lines)
	return lines
}

func linksBetween(t testing.TB, s *store.Store, a, b insight.Identity) []uuid.UUID {
	t.Helper()
	key := map[insight.Identity]string{}
	for _, i := range []insight.Identity{a, b} {
		query(t, s, fmt.Sprintf("SELECT id FROM identifiers WHERE kind = %d AND value = '%s'", i.Kind, i.Value), func(c []string) { key[i] = c[0] })
	}
	var ids []uuid.UUID
	query(t, s, fmt.Sprintf("SELECT id FROM identity_links WHERE (a = '%[1]s' AND b = '%[2]s') OR (a = '%[2]s' AND b = '%[1]s')", key[a], key[b]), func(c []string) {
		ids = append(ids, uuid.MustParse(c[0]))
	})
	return ids
}

func query(t testing.TB, s *store.Store, text string, row func([]string)) {
	t.Helper()
	rows, err := s.DB().Query(text)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		cells, pointers := make([]any, len(names)), make([]any, len(names))
		for i := range cells {
			pointers[i] = &cells[i]
		}
		if err := rows.Scan(pointers...); err != nil {
			t.Fatal(err)
		}
		texts := make([]string, len(cells))
		for i, c := range cells {
			texts[i] = cellText(c)
		}
		row(texts)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

func cellText(c any) string {
	switch c := c.(type) {
	case []byte:
		return string(c)
	case time.Time:
		return c.UTC().Format(time.RFC3339Nano)
	default:
		return fmt.Sprint(c)
	}
}
