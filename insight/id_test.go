package insight_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
)

// The vectors of the TypeID specification, version 0.3 (spec/valid.yml and
// spec/invalid.yml), for ids with a prefix; those without are refused here.
func TestTypeIDVectors(t *testing.T) {
	valid := map[string]string{
		"prefix_00000000000000000000000000":                      "00000000-0000-0000-0000-000000000000",
		"prefix_00000000000000000000000001":                      "00000000-0000-0000-0000-000000000001",
		"prefix_0000000000000000000000000a":                      "00000000-0000-0000-0000-00000000000a",
		"prefix_0000000000000000000000000g":                      "00000000-0000-0000-0000-000000000010",
		"prefix_00000000000000000000000010":                      "00000000-0000-0000-0000-000000000020",
		"prefix_7zzzzzzzzzzzzzzzzzzzzzzzzz":                      "ffffffff-ffff-ffff-ffff-ffffffffffff",
		"prefix_0123456789abcdefghjkmnpqrs":                      "0110c853-1d09-52d8-d73e-1194e95b5f19",
		"prefix_01h455vb4pex5vsknk084sn02q":                      "01890a5d-ac96-774b-bcce-b302099a8057",
		strings.Repeat("a", 63) + "_01h455vb4pex5vsknk084sn02q":  "01890a5d-ac96-774b-bcce-b302099a8057",
		insight.IndividualPrefix + "_01j2jy8kavfgx9p7hfdp57rqgg": "0190a5e4-4d5b-7c3a-9b1e-2f6d8a7c5e10",
	}
	for text, want := range valid {
		_, id, err := insight.ParseID(text)
		if err != nil || id != uuid.MustParse(want) {
			t.Errorf("ParseID(%q) = %v, %v; want %s", text, id, err, want)
		}
		prefix, _, _ := strings.Cut(text, "_")
		if got := insight.FormatID(prefix, uuid.MustParse(want)); got != text {
			t.Errorf("FormatID(%q, %s) = %q", prefix, want, got)
		}
	}
	invalid := []string{
		"", "_", "prefix", "prefix_",
		"PREFIX_00000000000000000000000000", "12345_00000000000000000000000000", "pre.fix_00000000000000000000000000",
		"préfix_00000000000000000000000000", "  prefix_00000000000000000000000000", "_prefix_00000000000000000000000000",
		strings.Repeat("a", 64) + "_00000000000000000000000000",
		"_00000000000000000000000000", "00000000000000000000000000",
		"prefix_1234567890123456789012345", "prefix_123456789012345678901234567", "prefix_1234567890123456789012345 ",
		"prefix_0123456789ABCDEFGHJKMNPQRS", "prefix_123456789-123456789-123456", "prefix_ooooooiiiiiiuuuuuuulllllll",
		"prefix_i23456789ol23456789oi23456", "prefix_123456789-0123456789-0123456", "prefix_8zzzzzzzzzzzzzzzzzzzzzzzzz",
		"prefix_0000000000000000000000000\x00", "prefix_000000000000000000000000é",
	}
	for _, text := range invalid {
		_, id, err := insight.ParseID(text)
		if insight.KindOf(err) != insight.Invalid || id != uuid.Nil {
			t.Errorf("ParseID(%q) = %v, %v; want it refused", text, id, err)
		}
		if err != nil && len(text) > 20 && strings.Contains(err.Error(), text) {
			t.Errorf("the error repeats the text: %v", err)
		}
	}
}

func TestParseIDOf(t *testing.T) {
	const text = "ses_01h455vb4pex5vsknk084sn02q"
	if _, err := insight.ParseIDOf(insight.SessionPrefix, "id", text); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{text[1:], "ind" + text[3:]} {
		_, err := insight.ParseIDOf(insight.SessionPrefix, "links[2]", bad)
		if insight.KindOf(err) != insight.Invalid || !strings.HasPrefix(err.Error(), "links[2]: ") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// Ids are in the order of their texts, and each text reads back.
func TestIDsRoundTripInOrder(t *testing.T) {
	id := rapid.Custom(func(t *rapid.T) uuid.UUID {
		return uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := id.Draw(t, "a"), id.Draw(t, "b")
		x, y := insight.FormatID("ind", a), insight.FormatID("ind", b)
		if _, back, err := insight.ParseID(x); err != nil || back != a {
			t.Fatalf("%s reads back as %v, %v", x, back, err)
		}
		if strings.Compare(x, y) != bytes.Compare(a[:], b[:]) {
			t.Fatalf("%s and %s are not in the order of %v and %v", x, y, a, b)
		}
	})
}

func FuzzParseID(f *testing.F) {
	f.Add("ind_01j2jy8kavfgx9p7hfdp57rqgg")
	f.Add("_")
	f.Add("a_8zzzzzzzzzzzzzzzzzzzzzzzzz")
	f.Fuzz(func(t *testing.T, text string) {
		prefix, id, err := insight.ParseID(text)
		if err != nil {
			if insight.KindOf(err) != insight.Invalid {
				t.Errorf("kind %v", insight.KindOf(err))
			}
			return
		}
		if back := insight.FormatID(prefix, id); back != text {
			t.Errorf("%q reads as what is written %q", text, back)
		}
	})
}

func TestEventID(t *testing.T) {
	source := uuid.MustParse("01890a5d-ac96-774b-bcce-b302099a8057")
	at := time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)
	id := insight.EventID(source, "m-1", at)
	if id.Version() != 7 || id.Variant() != uuid.RFC4122 {
		t.Errorf("version %d, variant %v", id.Version(), id.Variant())
	}
	if sec, nsec := id.Time().UnixTime(); !time.Unix(sec, nsec).Equal(at.Truncate(time.Millisecond)) {
		t.Errorf("carries the time %v", time.Unix(sec, nsec).UTC())
	}
	if again := insight.EventID(source, "m-1", at.In(time.FixedZone("", 3600))); again != id {
		t.Error("the zone of the timestamp changes the id")
	}
	ids := []uuid.UUID{
		id, insight.EventID(source, "m-2", at), insight.EventID(uuid.Nil, "m-1", at), insight.EventID(source, "m-1", at.Add(time.Microsecond)),
		insight.EventID(source, "m-1", time.Time{}), insight.EventID(source, "m-1", time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC)),
	}
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	if len(slices.Compact(ids)) != 6 {
		t.Error("two different messages have one id")
	}
	event := insight.Event{Source: &insight.Source{ID: source}, MessageID: "m-1", Timestamp: at}
	if event.ID() != id {
		t.Error("Event.ID differs from EventID")
	}
}

// Ids of one source are in the order of their timestamps' milliseconds.
func TestEventIDsAreInTimeOrder(t *testing.T) {
	milli := rapid.Int64Range(0, 1<<47)
	rapid.Check(t, func(t *rapid.T) {
		a, b := milli.Draw(t, "a"), milli.Draw(t, "b")
		message := rapid.String()
		x := insight.EventID(uuid.Nil, message.Draw(t, "x"), time.UnixMilli(a))
		y := insight.EventID(uuid.Nil, message.Draw(t, "y"), time.UnixMilli(b))
		if a < b && bytes.Compare(x[:], y[:]) >= 0 {
			t.Fatalf("%v of %d ms is not before %v of %d ms", x, a, y, b)
		}
	})
}
