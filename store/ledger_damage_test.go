package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// ledgers is a person with a ledger of six records, and one with a single record.
type ledgers struct {
	*saying
	long, only []*insight.Consent
}

func keepLedgers(t *testing.T, s *store.Store) *ledgers {
	t.Helper()
	l := &ledgers{saying: sayer(t, s)}
	l.keep(l.event("m1", id(insight.UserID, "u1"), id(insight.AnonymousID, "a1")), l.event("m2", id(insight.UserID, "u2")))
	for n := range 6 {
		c := l.claim([]string{"marketing", "advertising"}[n%2], []insight.ConsentDecision{insight.ConsentGranted, insight.ConsentDenied, insight.ConsentWithdrawn}[n%3])
		c.EffectiveAt, c.PolicyVersion, c.Jurisdiction, c.Evidence = hours(n), "v1", "DE", fmt.Appendf(nil, `{"n":%d}`, n)
		if c.Decision == insight.ConsentGranted {
			c.ExpiresAt = hours(900_000)
		}
		l.long = append(l.long, l.decides(id(insight.UserID, "u1"), c).Records...)
	}
	l.only = l.decides(id(insight.UserID, "u2"), l.claim("marketing", insight.ConsentDenied)).Records
	return l
}

func public(d *insight.Consent) string { return insight.FormatID(insight.ConsentPrefix, d.ID) }

// restore writes both ledgers back as they were.
func (l *ledgers) restore(rows map[string][][]any) {
	l.t.Helper()
	for _, table := range []string{"consents", "ledgers"} {
		if _, err := l.s.DB().Exec("DELETE FROM " + table); err != nil {
			l.t.Fatal(err)
		}
		for _, row := range rows[table] {
			places := make([]string, len(row))
			for n := range row {
				places[n] = fmt.Sprintf("$%d", n+1)
			}
			if _, err := l.s.DB().Exec("INSERT INTO "+table+" VALUES ("+strings.Join(places, ", ")+")", row...); err != nil {
				l.t.Fatal(err)
			}
		}
	}
}

// rowsOf are a table's rows as they are.
func rowsOf(t *testing.T, s *store.Store, table string) [][]any {
	t.Helper()
	rows, err := s.DB().Query("SELECT * FROM " + table)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	names := must(rows.Columns())
	var all [][]any
	for rows.Next() {
		cells, pointers := make([]any, len(names)), make([]any, len(names))
		for i := range cells {
			pointers[i] = &cells[i]
		}
		if err := rows.Scan(pointers...); err != nil {
			t.Fatal(err)
		}
		for i := range cells { // PostgreSQL's own texts go back as texts
			if b, ok := cells[i].([]byte); ok {
				cells[i] = string(b)
			}
		}
		all = append(all, cells)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestEveryDamageToALedgerIsNamed: whatever is changed, removed, inserted or moved in a
// ledger, whoever checks it is told which record it was, or the place where it stood.
func TestEveryDamageToALedgerIsNamed(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		s := testdb.Open(t, o)
		l := keepLedgers(t, s)
		rows := map[string][][]any{"consents": rowsOf(t, s, "consents"), "ledgers": rowsOf(t, s, "ledgers")}
		of := func(d *insight.Consent) string { return " WHERE id = '" + d.ID.String() + "'" }
		where := " WHERE id = '" + l.long[0].Owner.String() + "'"
		strange := "0190a5e4-4d5b-7c3a-9b1e-2f6d8a7c5e10"
		type damage struct {
			what string
			how  []string
			told []string // each is said
		}
		var damages []damage
		// Every field of the first, of one in the middle, and of the last.
		for _, n := range []int{0, 2, 5} {
			d := l.long[n]
			name := fmt.Sprintf("%s: record %d was changed", public(d), n+1)
			for m, set := range []string{
				"decision = CASE WHEN decision = 1 THEN 2 ELSE 1 END", "effective_at = '2020-01-01 00:00:00+00:00'", "recorded_at = '2020-01-01 00:00:00+00:00'",
				"expires_at = '2091-01-01 00:00:00+00:00'", "source = 'another'", "method = 'GPC'", "policy_version = 'v2'", "jurisdiction = 'FR'", "evidence = '{}'", "evidence = 'no JSON'", "evidence = ''",
				"covers = NULL", "covers = '[\"" + strange + "\"]'", "purpose_id = (SELECT id FROM purposes WHERE key = 'service')",
				"previous_hash = '" + strings.Repeat("a", 64) + "'", "hash = '" + strings.Repeat("a", 64) + "'", "hash = ''",
			} {
				if n != 2 && m%4 > 0 { // not each of each
					continue
				}
				damages = append(damages, damage{fmt.Sprintf("%s of record %d", set, n+1), []string{"UPDATE consents SET " + set + of(d)}, []string{name}})
			}
			damages = append(damages,
				damage{fmt.Sprintf("the id of record %d", n+1), []string{"UPDATE consents SET id = '" + strange + "'" + of(d)}, []string{insight.FormatID(insight.ConsentPrefix, uuid.MustParse(strange))}},
				damage{fmt.Sprintf("the place of record %d", n+1), []string{"UPDATE consents SET sequence = 40" + of(d)}, []string{public(d) + ": record 40 was changed"}},
				damage{fmt.Sprintf("the ledger of record %d", n+1), []string{"UPDATE consents SET owner = '" + strange + "'" + of(d)}, []string{public(d)}},
			)
		}
		none := strings.Repeat("0", 64)
		damages = append(damages,
			damage{"the first is removed", []string{"DELETE FROM consents" + of(l.long[0])}, []string{public(l.long[1]) + ": the record number 1 before it is missing"}},
			damage{"one in the middle is removed", []string{"DELETE FROM consents" + of(l.long[3])}, []string{public(l.long[4]) + ": the record number 4 before it is missing"}},
			damage{"several are removed", []string{"DELETE FROM consents" + of(l.long[1]), "DELETE FROM consents" + of(l.long[2]), "DELETE FROM consents" + of(l.long[4])},
				[]string{public(l.long[3]) + ": the run of records 2 to 3 before it is missing", public(l.long[5]) + ": the record number 5 before it is missing"}},
			damage{"the last is removed", []string{"DELETE FROM consents" + of(l.long[5])}, []string{public(l.long[5]) + ": the record number 6 at the end is missing"}},
			damage{"the last two are removed", []string{"DELETE FROM consents" + of(l.long[5]), "DELETE FROM consents" + of(l.long[4])}, []string{public(l.long[5]) + ": the run of records 5 to 6 at the end is missing"}},
			damage{"all are removed", []string{"DELETE FROM consents"}, []string{public(l.long[5]) + ": the run of records 1 to 6 at the end is missing", public(l.only[0]) + ": the record number 1 at the end is missing"}},
			damage{"the only one is removed", []string{"DELETE FROM consents" + of(l.only[0])}, []string{public(l.only[0]) + ": the record number 1 at the end is missing"}},
			damage{"the only one is changed", []string{"UPDATE consents SET decision = 1" + of(l.only[0])}, []string{public(l.only[0]) + ": record 1 was changed"}},
			damage{"two are exchanged", []string{"UPDATE consents SET sequence = 40" + of(l.long[1]), "UPDATE consents SET sequence = 2" + of(l.long[2]), "UPDATE consents SET sequence = 3" + of(l.long[1])},
				[]string{public(l.long[1]) + ": record 3 was changed", public(l.long[2]) + ": record 2 was changed"}},
			damage{"a copy is inserted", []string{strings.NewReplacer("$id", strange, "$from", l.long[2].ID.String(), "$sequence", "7").Replace(copied)}, []string{insight.FormatID(insight.ConsentPrefix, uuid.MustParse(strange)) + ": record 7 was changed"}},
			damage{"the head is shorter", []string{"UPDATE ledgers SET length = 5" + where}, []string{"ledger " + l.long[0].Owner.String() + ": it has 6 records, and its head knows of 5"}},
			damage{"the head is longer", []string{"UPDATE ledgers SET length = 7" + where}, []string{"the record number 7 at the end is missing"}},
			damage{"the head's hash", []string{"UPDATE ledgers SET hash = '" + none + "'" + where}, []string{"ledger " + l.long[0].Owner.String() + ": its last record is not the one that its head names"}},
			damage{"the head's last one", []string{"UPDATE ledgers SET last = '" + strange + "'" + where}, []string{"ledger " + l.long[0].Owner.String() + ": its last record is not the one that its head names"}},
			damage{"there is no head", []string{"DELETE FROM ledgers" + where}, []string{public(l.long[0]) + ": its ledger has no head"}},
			damage{"there is neither head nor last record", []string{"UPDATE ledgers SET length = 5, last = '" + l.long[4].ID.String() + "'" + where}, []string{"its head knows of 5"}},
			damage{"the whole of another", []string{"UPDATE consents SET owner = '" + l.long[0].Owner.String() + "', individual_id = '" + l.long[0].IndividualID.String() + "', sequence = 7" + of(l.only[0])},
				[]string{public(l.only[0]) + ": record 7 was changed", public(l.only[0]) + ": the record number 1 at the end is missing"}},
		)
		for _, d := range damages {
			for _, how := range d.how {
				done, err := s.DB().Exec(how)
				if err != nil {
					t.Fatalf("%s: %v", d.what, err)
				}
				if n, err := done.RowsAffected(); err != nil || n == 0 {
					t.Fatalf("%s: nothing was damaged: %v", d.what, err)
				}
			}
			found, err := s.VerifyConsents(t.Context())
			if err != nil {
				t.Errorf("%s: %s", d.what, insight.Detail(err))
			} else {
				all := strings.Join(found.Differences, "\n")
				for _, told := range d.told {
					if !strings.Contains(all, told) {
						t.Errorf("%s: nothing says %q, but:\n%s", d.what, told, all)
					}
				}
				for _, value := range []string{"u1", "u2", "a1", "DE", "desk"} {
					if slices.Contains(strings.FieldsFunc(all, func(r rune) bool { return strings.ContainsRune(" :,\n", r) }), value) {
						t.Errorf("%s: a difference repeats %q", d.what, value)
					}
				}
			}
			l.restore(rows)
		}
		if v := must(s.VerifyConsents(t.Context())); v.Total > 0 || v.Consents != 7 {
			t.Fatalf("restored: %+v", v)
		}
		l.sound()
		// It is only looked at: what was restored goes on as it was.
		more := l.decides(id(insight.UserID, "u1"), l.claim("personalization", insight.ConsentGranted)).Records[0]
		if more.Sequence != 7 || more.PreviousHash != l.long[5].Hash {
			t.Errorf("the next record is %d, after %s", more.Sequence, more.PreviousHash)
		}
	})
}

const copied = `INSERT INTO consents (id, owner, sequence, covers, decision, effective_at, recorded_at, expires_at, source, method, policy_version, jurisdiction, evidence, hash, previous_hash, individual_id, purpose_id)
	SELECT '$id', owner, $sequence, covers, decision, effective_at, recorded_at, expires_at, source, method, policy_version, jurisdiction, evidence, hash, previous_hash, individual_id, purpose_id FROM consents WHERE id = '$from'`

// TestLedgersWrittenAnew: whoever knows how hashes are made can write a ledger anew,
// from a record on; the head, kept apart, does not fit then. One who writes the head
// anew too is found by whoever holds a receipt from before.
func TestLedgersWrittenAnew(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		s := testdb.Open(t, o)
		l := keepLedgers(t, s)
		before := l.decides(id(insight.UserID, "u1"), l.claim("analytics", insight.ConsentDenied))
		chain := append(slices.Clone(l.long), before.Records...)
		write := func(d *insight.Consent) {
			t.Helper()
			if _, err := s.DB().Exec("UPDATE consents SET decision = $1, sequence = $2, hash = $3, previous_hash = $4 WHERE id = $5", int(d.Decision), d.Sequence, d.Hash, d.PreviousHash, d.ID.String()); err != nil {
				t.Fatal(err)
			}
		}
		forged := make([]*insight.Consent, len(chain))
		for n, d := range chain {
			of := *d
			of.Covers = slices.Clone(d.Covers)
			forged[n] = &of
			if n == 2 {
				of.Decision = insight.ConsentGranted
			}
			if n >= 2 {
				consent.Seal(&of, n+1, forged[n-1].Hash)
				write(&of)
			}
		}
		owner := l.long[0].Owner.String()
		v := must(s.VerifyConsents(t.Context()))
		if want := "consent ledger " + owner + ": its last record is not the one that its head names"; !slices.Equal(v.Differences, []string{want}) {
			t.Errorf("written anew, it is told: %q", v.Differences)
		}
		last := forged[len(forged)-1]
		if _, err := s.DB().Exec("UPDATE ledgers SET hash = $1 WHERE id = $2", last.Hash, owner); err != nil {
			t.Fatal(err)
		}
		if v := must(s.VerifyConsents(t.Context())); v.Total > 0 {
			t.Errorf("with its head, it is told: %q", v.Differences)
		}
		// The receipt of before names another hash for the same length.
		now := l.decides(id(insight.UserID, "u1"), l.claim("personalization", insight.ConsentGranted))
		if before.Heads[0].Hash == now.Records[0].PreviousHash || before.Heads[0].Length != now.Records[0].Sequence-1 {
			t.Error("who holds a receipt could not tell")
		}
	})
}

// TestLedgersOfThoseWhoAreGone: what is left of a ledger whose individual does not exist
// is told.
func TestLedgersOfThoseWhoAreGone(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		s := testdb.Open(t, o)
		l := keepLedgers(t, s)
		for _, how := range []string{"DELETE FROM sessions", "DELETE FROM interactions", "DELETE FROM identity_links", "DELETE FROM identifiers", "DELETE FROM individuals"} {
			if _, err := s.DB().Exec(how); err != nil {
				t.Fatal(err)
			}
		}
		v := must(s.Verify(t.Context(), nil))
		if !slices.Contains(v.Differences, "consents: 7 belong to individuals who do not exist") {
			t.Errorf("it is told: %q", v.Differences)
		}
		if v := must(s.VerifyConsents(t.Context())); v.Total > 0 || v.Consents != len(l.long)+len(l.only) {
			t.Errorf("the chains themselves: %+v", v)
		}
	})
}
