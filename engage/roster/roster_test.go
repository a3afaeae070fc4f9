package roster_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/engage/roster"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/segment"
)

func members() []*segment.Member {
	entered := time.Date(2026, 3, 1, 12, 0, 0, 123_000, time.UTC)
	identity := func(kind insight.IdentifierKind, value string) *insight.Identifier {
		return &insight.Identifier{Identity: insight.Identity{Kind: kind, Value: value}}
	}
	return []*segment.Member{
		{
			Membership:  segment.Membership{ID: uuid.UUID{1}, IndividualID: uuid.UUID{2}, EnteredAt: entered},
			Identifiers: []*insight.Identifier{identity(insight.UserID, "u1"), identity(insight.UserID, "u2"), identity(insight.Email, "ann@example.com")},
			Traits:      []insight.Trait{{Key: "plan", Value: json.RawMessage(`"pro, \"gold\""`)}, {Key: "sizes", Value: json.RawMessage(`[1, 2]`)}},
		},
		{
			Membership:  segment.Membership{ID: uuid.UUID{3}, IndividualID: uuid.UUID{4}, EnteredAt: entered},
			Identifiers: []*insight.Identifier{identity(insight.AnonymousID, "=HYPERLINK(1)"), identity(insight.Phone, "+442079460958")},
			Traits:      []insight.Trait{{Key: "plan", Value: json.RawMessage(`"@SUM(A1)"`)}},
		},
	}
}

func Example() {
	w, _ := roster.NewWriter(os.Stdout, roster.NDJSON, nil)
	_ = w.Write(members()[:1])
	// Output:
	// {"individual":"ind_02000000000000000000000000","membership":"mem_01000000000000000000000000","enteredAt":"2026-03-01T12:00:00.000123Z","identifiers":[{"kind":"USER_ID","value":"u1"},{"kind":"USER_ID","value":"u2"},{"kind":"EMAIL","value":"ann@example.com"}],"traits":{"plan":"pro, \"gold\"","sizes":[1,2]}}
}

// TestCSV: the rows come back as they were, but for what a spreadsheet would run.
func TestCSV(t *testing.T) {
	var out bytes.Buffer
	w, err := roster.NewWriter(&out, roster.CSV, []string{"plan", "sizes"})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(members()); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"individual", "membership", "entered_at", "user_id", "anonymous_id", "email", "phone", "device_id", "external", "trait.plan", "trait.sizes"},
		{"ind_02000000000000000000000000", "mem_01000000000000000000000000", "2026-03-01T12:00:00.000123Z", "u1", "", "ann@example.com", "", "", "", `pro, "gold"`, "[1, 2]"},
		{"ind_04000000000000000000000000", "mem_03000000000000000000000000", "2026-03-01T12:00:00.000123Z", "", "'=HYPERLINK(1)", "", "+442079460958", "", "", "'@SUM(A1)", ""},
	}
	for n, row := range want {
		for c, cell := range row {
			if rows[n][c] != cell {
				t.Errorf("row %d, %s: %q, want %q", n, want[0][c], rows[n][c], cell)
			}
		}
	}
}

func TestParseFormat(t *testing.T) {
	for _, name := range []string{"csv", "ndjson"} {
		if f, err := roster.ParseFormat("format", name); err != nil || f.MediaType() == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := roster.ParseFormat("format", "xml"); insight.KindOf(err) != insight.Invalid {
		t.Errorf("xml: %v", err)
	}
}
