package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// few is a small world with everything in it: two people with a login each, a shared
// tablet, traits, sessions, a mailing.
func few(t testing.TB, s *store.Store) []*insight.Event {
	t.Helper()
	api, err := s.Source(context.Background(), store.APISource)
	if err != nil {
		t.Fatal(err)
	}
	var events []*insight.Event
	for n, who := range [][]insight.Identity{
		{world.users[0], world.visitors[0]}, {world.users[0], world.emails[0]}, {world.users[1], world.visitors[1]},
		{world.users[0], world.devices[0]}, {world.users[1], world.devices[0]}, {world.visitors[2]}, {world.users[1]},
	} {
		at := epoch.Add(time.Duration(n) * 20 * time.Minute)
		e := &insight.Event{
			MessageID: fmt.Sprintf("m%d", n), Timestamp: at, OccurredAt: at, ReceivedAt: at, Source: api, Channel: api.DefaultChannel,
			Type: "page", Direction: insight.Inbound, Identities: who, Stream: who[len(who)-1],
		}
		if n == 6 {
			e.Direction = insight.Outbound
		}
		if n < 3 {
			e.Traits = []insight.Observation{{Key: "plan", Value: json.RawMessage(`"gold"`), Provenance: insight.Declared, Confidence: 1, Sensitivity: insight.Ordinary}}
		}
		events = append(events, e)
	}
	return events
}

// TestVerifyFindsDamage: whatever derived row or reference is not what it was, Verify
// says so, and what it says names no value of anybody's.
func TestVerifyFindsDamage(t *testing.T) {
	const (
		strange = "'0190a5e4-4d5b-7c3a-9b1e-2f6d8a7c5e10'"
		early   = "'2020-01-01 00:00:00+00:00'"
		late    = "'2030-01-01 00:00:00+00:00'"
		u1      = "(SELECT id FROM identifiers WHERE value = 'u1')"
		other   = "(SELECT individual_id FROM identifiers WHERE value = 'u2')"
		shop    = "(SELECT id FROM channels WHERE key = 'store')"
		mine    = "(SELECT individual_id FROM identifiers WHERE value = 'u1')"
	)
	damages := []struct{ what, how, told string }{
		{"an identifier's individual", "UPDATE identifiers SET individual_id = " + other + " WHERE value = 'a1'", "identifier "},
		{"an identifier's value", "UPDATE identifiers SET value = 'u9' WHERE value = 'u1'", "its key is not that of its value"},
		{"an identifier that is shared no longer", "UPDATE identifiers SET shared = NOT shared WHERE value = 'd1'", "shared is kept as"},
		{"an identifier that is shared now", "UPDATE identifiers SET shared = NOT shared WHERE value = 'a1'", "shared is kept as"},
		{"an identifier's USER_ID", "UPDATE identifiers SET user_key = NULL WHERE value = 'a1'", "the USER_ID that it is linked to"},
		{"when an identifier acted first", "UPDATE identifiers SET first_acted_at = " + early + ", first_seen_at = " + early + " WHERE value = 'u1'", "when it acted"},
		{"when an identifier acted last", "UPDATE identifiers SET last_acted_at = NULL WHERE value = 'u1'", "when it acted"},
		{"when an identifier was seen first", "UPDATE identifiers SET first_seen_at = " + late + " WHERE value = 'u1'", "outside the time in which it was seen"},
		{"when an identifier was seen last", "UPDATE identifiers SET last_seen_at = " + early + " WHERE value = 'u1'", "outside the time in which it was seen"},
		{"an identifier that is missing", "DELETE FROM identifiers WHERE value = 'a3'", "its owner does not exist"},
		{"a link that was revoked by hand", "UPDATE identity_links SET revoked_at = " + late + " WHERE b = (SELECT id FROM identifiers WHERE value = 'a1')", "the links say"},
		{"a link's end", "UPDATE identity_links SET b = " + strange + " WHERE b = (SELECT id FROM identifiers WHERE value = 'a1')", "an end does not exist"},
		{"a link's other end", "UPDATE identity_links SET b = " + u1 + " WHERE b = (SELECT id FROM identifiers WHERE value = 'a2')", "its id is not that of its ends"},
		{"a link that is missing", "DELETE FROM identity_links WHERE b = (SELECT id FROM identifiers WHERE value = 'a1')", "the links say"},
		{"an operator's link from nowhere", "INSERT INTO identity_links (id, a, b, operator, source_id, message_id, observed_at, reason) SELECT " + strange + ", " + u1 + ", (SELECT id FROM identifiers WHERE value = 'u2'), shared, (SELECT id FROM sources WHERE name = 'api'), '', " + early + ", '' FROM identifiers WHERE value = 'd1'", "the links say"},
		{"when somebody was seen first", "UPDATE individuals SET first_seen_at = " + early + " WHERE id = " + other, "its row is not what its identifiers say"},
		{"when somebody was seen last", "UPDATE individuals SET last_seen_at = " + late + " WHERE id = " + other, "its row is not what its identifiers say"},
		{"whether somebody acted", "UPDATE individuals SET acted = NOT acted WHERE id = " + other, "its row is not what its identifiers say"},
		{"whether somebody is known", "UPDATE individuals SET identified = NOT identified WHERE id = " + other, "its row is not what its identifiers say"},
		{"whether somebody is contested", "UPDATE individuals SET contested = NOT contested WHERE id = " + other, "its row is not what its identifiers say"},
		{"what somebody may be read for", "UPDATE individuals SET permitted = 31 WHERE id = " + other, "the purposes that it may be read for"},
		{"somebody who is nobody", "INSERT INTO individuals SELECT " + strange + ", first_seen_at, last_seen_at, acted, identified, contested, permitted, whole, decided, lapses_at, digest, look_at FROM individuals WHERE id = " + other, "no identifier says that it exists"},
		{"what a digest says", "UPDATE individuals SET digest = (SELECT value FROM settings WHERE id = 'identifier_secret') WHERE id = " + other, "their digest is not what"},
		{"whose a digest is", "UPDATE individuals SET digest = (SELECT digest FROM individuals WHERE id = " + mine + ") WHERE id = " + other, "their digest is not what"},
		{"whose an interaction is", "UPDATE interactions SET individual_id = " + other + " WHERE message_id = 'm0'", "it is kept with"},
		{"an interaction of nobody", "UPDATE interactions SET individual_id = " + strange + " WHERE message_id = 'm6'", "belong to individuals who do not exist"},
		{"an interaction's owner", "UPDATE interactions SET owner = " + strange + " WHERE message_id = 'm6'", "its owner does not exist"},
		{"an interaction's stream", "UPDATE interactions SET stream = " + strange + " WHERE message_id = 'm6'", "the identifier that its session runs along does not exist"},
		{"an interaction's source", "UPDATE interactions SET source_id = " + strange + " WHERE message_id = 'm0'", "its source does not exist"},
		{"an interaction's channel", "UPDATE interactions SET channel_id = " + strange + " WHERE message_id = 'm6'", "its channel does not exist"},
		{"what an interaction may be read for", "UPDATE interactions SET permitted = 31 WHERE message_id = 'm6'", "the purposes that it may be read for"},
		{"when an interaction occurred", "UPDATE interactions SET occurred_at = " + early + " WHERE message_id = 'm0'", "session "},
		{"an interaction's direction", "UPDATE interactions SET direction = 2 WHERE message_id = 'm0'", "session "},
		{"an interaction's type", "UPDATE interactions SET type = 'purchase' WHERE message_id = 'm0'", "it is not what its interactions give"},
		{"an interaction that is missing", "DELETE FROM interactions WHERE message_id = 'm0'", "session "},
		{"an interaction's id", "UPDATE interactions SET id = " + strange + " WHERE message_id = 'm0'", "session "},
		{"a session's sum", "UPDATE sessions SET interactions = interactions + 1", "it is not what its interactions give"},
		{"a session's views", "UPDATE sessions SET views = 0", "it is not what its interactions give"},
		{"a session's conversions", "UPDATE sessions SET conversions = 1", "it is not what its interactions give"},
		{"a session's beginning", "UPDATE sessions SET started_at = " + early, "it is not what its interactions give"},
		{"a session's end", "UPDATE sessions SET ended_at = " + late, "it is not what its interactions give"},
		{"a session's channel", "UPDATE sessions SET channel_id = " + shop, "it is not what its interactions give"},
		{"a session's stream", "UPDATE sessions SET stream = " + strange, "it is not what its interactions give"},
		{"a session's campaign", `UPDATE sessions SET campaign = '{"name":"spring"}'`, "it is not what its interactions give"},
		{"whose a session is", "UPDATE sessions SET individual_id = " + other, "it is not what its interactions give"},
		{"sessions that are missing", "DELETE FROM sessions", "it is missing"},
		{"a session's id", "UPDATE sessions SET id = " + strange + " WHERE id = (SELECT id FROM interactions WHERE message_id = 'm0')", "it is missing"},
		{"whose a trait is", "UPDATE traits SET individual_id = " + other, "trait "},
		{"a trait's owner", "UPDATE traits SET owner = (SELECT id FROM identifiers WHERE value = 'a3')", "trait "},
		{"whether somebody decided", "UPDATE individuals SET decided = NOT decided WHERE id = " + mine, "whether they decided anything"},
		{"whether somebody decided who has not", "UPDATE individuals SET decided = NOT decided WHERE id = " + other, "whether they decided anything"},
		{"when a grant ends", "UPDATE individuals SET lapses_at = " + late + " WHERE id = " + mine, "when a grant ends"},
		{"that a grant ends", "UPDATE individuals SET lapses_at = NULL WHERE id = " + mine, "when a grant ends"},
		{"what somebody is covered by who has decided", "UPDATE individuals SET permitted = 3 WHERE id = " + mine, "the purposes that it may be read for"},
		{"what covers all that happened", "UPDATE individuals SET whole = 31 WHERE id = " + mine, "some interactions may not be read"},
		{"what an interaction of somebody who decided may be read for", "UPDATE interactions SET permitted = 11 WHERE message_id = 'm0'", "the purposes that it may be read for"},
		{"whose a decision is", "UPDATE consents SET individual_id = " + other, "its owner is another's"},
		{"a decision of nobody", "UPDATE consents SET individual_id = " + strange, "belong to individuals who do not exist"},
		{"a decision", "UPDATE consents SET decision = 2", "record 1 was changed"},
		{"when a decision was made", "UPDATE consents SET effective_at = " + early, "record 1 was changed"},
		{"a decision that is missing", "DELETE FROM consents", "the record number 1 at the end is missing"},
		{"where a ledger ends", "UPDATE ledgers SET length = 2", "the record number 2 at the end is missing"},
		{"a ledger that ends nowhere", "DELETE FROM ledgers", "its ledger has no head"},
		{"a trait's key", "UPDATE traits SET key = 'plane'", "its id is not that of its owner, source and key"},
	}
	testdb.Each(t, func(t *testing.T, o store.Options) {
		s := testdb.Open(t, o)
		events := few(t, s)
		for _, d := range damages {
			empty(t, s)
			arrive(t, s, nil, events)
			decided := insight.Claim{Purpose: must(s.Purpose(t.Context(), "marketing")), Decision: insight.ConsentGranted, ExpiresAt: time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC), Method: insight.MethodBanner, Source: "desk"}
			if _, err := s.RecordConsents(t.Context(), named("u1"), []insight.Claim{decided}); err != nil {
				t.Fatal(insight.Detail(err))
			}
			if _, err := s.Digest(t.Context()); err != nil {
				t.Fatal(insight.Detail(err))
			}
			if v, err := s.Verify(t.Context(), nil); err != nil || v.Total > 0 {
				t.Fatalf("before any damage: %v, %+v", err, v)
			}
			done, err := s.DB().Exec(d.how)
			if err != nil {
				t.Fatalf("%s: %v", d.what, err)
			}
			if n, err := done.RowsAffected(); err != nil || n == 0 {
				t.Fatalf("%s: nothing was damaged: %v", d.what, err)
			}
			v, err := s.Verify(t.Context(), nil)
			if err != nil {
				t.Errorf("%s: %v", d.what, err)
				continue
			}
			all := strings.Join(v.Differences, "\n")
			if !strings.Contains(all, d.told) || v.Total < len(v.Differences) {
				t.Errorf("%s: %d differences, none of which says %q:\n%s", d.what, v.Total, d.told, all)
			}
			for _, value := range []string{"u1", "e1@", "m0", "gold", "spring"} {
				for word := range strings.FieldsFuncSeq(all, func(r rune) bool { return strings.ContainsRune(" :,\n", r) }) {
					if strings.HasPrefix(word, value) && len(word) < 20 {
						t.Errorf("%s: a difference repeats %q", d.what, value)
					}
				}
			}
		}
	})
}

// TestVerifyTellsSome: a database that is wrong throughout is told in a
// bounded answer.
func TestVerifyTellsSome(t *testing.T) {
	s := testdb.Open(t, testdb.SQLite(t))
	events := few(t, s)
	var many []*insight.Event
	for n := range 300 {
		e := *events[5]
		e.MessageID, e.Identities = fmt.Sprint("x", n), []insight.Identity{{Kind: insight.AnonymousID, Value: fmt.Sprint("x", n)}}
		e.Stream = e.Identities[0]
		many = append(many, &e)
	}
	arrive(t, s, nil, many)
	if _, err := s.DB().Exec("DELETE FROM sessions"); err != nil {
		t.Fatal(err)
	}
	var told []int
	v, err := s.Verify(t.Context(), func(n int) { told = append(told, n) })
	if err != nil || v.Total != 300 || len(v.Differences) != 100 {
		t.Fatalf("%v: %d differences, %d of them told", err, v.Total, len(v.Differences))
	}
	if len(told) == 0 || told[len(told)-1] != 300 {
		t.Errorf("the progress was %v", told)
	}
}
