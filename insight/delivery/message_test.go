package delivery_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/delivery"
)

// personal marks in a drawn message what is of the individual.
const personal = "zq-"

func messages() *rapid.Generator[*delivery.Message] {
	return rapid.Custom(func(t *rapid.T) *delivery.Message {
		moment := func(name string) time.Time {
			seconds := rapid.Int64Range(0, 250_000_000_000).Draw(t, name)
			return time.Unix(seconds, rapid.Int64Range(0, 999_999_999).Draw(t, name+" after it")).In(time.FixedZone("", 3600))
		}
		text := rapid.Map(rapid.String(), func(s string) string { return personal + s })
		m := &delivery.Message{
			ID: "chg_1", Individual: "ind_1", Membership: "mem_1", Segment: "buyers", Version: "1", At: moment("at"), EnteredAt: moment("entered"),
			Kind: rapid.SampledFrom([]delivery.Kind{delivery.Entered, delivery.Exited}).Draw(t, "kind"), Disclosure: delivery.Full,
			LapsesAt: moment("lapses"), Because: text.Draw(t, "because"), Traits: map[string]json.RawMessage{},
		}
		if m.Kind == delivery.Exited {
			m.ExitedAt = moment("exited")
		}
		kinds := rapid.SampledFrom([]insight.IdentifierKind{insight.UserID, insight.Email, insight.Phone, insight.External, insight.DeviceID, insight.AnonymousID})
		for range rapid.IntRange(0, 3).Draw(t, "identifiers") {
			m.Identifiers = append(m.Identifiers, insight.Identity{Kind: kinds.Draw(t, "kind"), Value: text.Draw(t, "identifier")})
		}
		for range rapid.IntRange(0, 3).Draw(t, "traits") {
			value, err := json.Marshal(text.Draw(t, "value"))
			if err != nil {
				t.Fatal(err)
			}
			m.Traits[text.Draw(t, "key")] = value
		}
		return m
	})
}

// sent is a body as a receiver reads it.
type sent struct {
	Type      string
	Timestamp time.Time
	Data      struct {
		Individual, Membership, Segment, Because string
		EnteredAt, ExitedAt, LapsesAt            time.Time
		Identifiers                              []struct{ Kind, Value string }
		Traits                                   map[string]json.RawMessage
	}
}

// TestBody: a receiver reads what was written, and of what it may not be told nothing.
func TestBody(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := messages().Draw(t, "message")
		body, err := m.Body()
		if err != nil {
			t.Fatal(insight.Detail(err))
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, body); err != nil || !bytes.Equal(compact.Bytes(), body) {
			t.Fatalf("it is not compact: %v: %s", err, body)
		}
		if again, err := m.Body(); err != nil || !bytes.Equal(again, body) {
			t.Fatalf("it is once %s and once %s (%v)", body, again, err)
		}
		var got sent
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		d := got.Data
		if got.Type != "segment."+strings.ToLower(string(m.Kind)) || d.Individual != m.Individual || d.Membership != m.Membership || d.Segment != m.Segment || d.Because != m.Because {
			t.Fatalf("of %+v it says %s", m, body)
		}
		for name, moments := range map[string][2]time.Time{
			"timestamp": {got.Timestamp, m.At}, "enteredAt": {d.EnteredAt, m.EnteredAt}, "exitedAt": {d.ExitedAt, m.ExitedAt}, "lapsesAt": {d.LapsesAt, m.LapsesAt},
		} {
			if said, was := moments[0], moments[1]; said.IsZero() != was.IsZero() || !said.Equal(was.Truncate(time.Microsecond)) || said.Location() != time.UTC {
				t.Fatalf("%s is %v, not %v", name, said, was)
			}
		}
		if len(d.Identifiers) != len(m.Identifiers) || !maps.EqualFunc(d.Traits, m.Traits, func(a, b json.RawMessage) bool { return string(a) == string(b) }) {
			t.Fatalf("of %+v it says %s", m, body)
		}
		for n, i := range m.Identifiers {
			if d.Identifiers[n].Value != i.Value || d.Identifiers[n].Kind == "" {
				t.Fatalf("%+v is %+v", i, d.Identifiers[n])
			}
		}

		m.Disclosure = delivery.Bare
		bare, err := m.Body()
		if m.Kind == delivery.Entered {
			if insight.KindOf(err) != insight.Internal || bare != nil {
				t.Fatalf("an ENTERED is told bare: %s, %v", bare, err)
			}
		} else {
			if err != nil {
				t.Fatal(insight.Detail(err))
			}
			var members struct{ Data map[string]any }
			if err := json.Unmarshal(bare, &members); err != nil {
				t.Fatal(err)
			}
			if names := slices.Sorted(maps.Keys(members.Data)); !slices.Equal(names, []string{"enteredAt", "exitedAt", "individual", "membership", "segment"}) {
				t.Fatalf("it tells %v", names)
			}
			if bytes.Contains(bare, []byte(personal)) {
				t.Fatalf("it tells something personal: %s", bare)
			}
		}

		m.Disclosure = delivery.Nothing
		if body, err := m.Body(); insight.KindOf(err) != insight.Internal || body != nil {
			t.Fatalf("nothing may be told, and it is %s, %v", body, err)
		}
	})
}

// TestBodyOfAnn: the form that receivers are written for.
func TestBodyOfAnn(t *testing.T) {
	m := delivery.Message{
		ID: "chg_1", Kind: delivery.Exited, At: noon, Disclosure: delivery.Full, Version: "1", Individual: "ind_1", Membership: "mem_1", Segment: "buyers",
		EnteredAt: noon.Add(-time.Hour), ExitedAt: noon, Because: "event", Traits: map[string]json.RawMessage{"plan": json.RawMessage(` {"a": "<b> & c"}`)},
	}
	kinds := []insight.IdentifierKind{insight.UserID, insight.Email, insight.Phone, insight.External, insight.DeviceID, insight.AnonymousID}
	for _, kind := range kinds {
		m.Identifiers = append(m.Identifiers, insight.Identity{Kind: kind, Value: "x"})
	}
	const head = `{"type":"segment.exited","timestamp":"2026-03-01T12:00:00Z","data":{"individual":"ind_1","membership":"mem_1","segment":"buyers","enteredAt":"2026-03-01T11:00:00Z","exitedAt":"2026-03-01T12:00:00Z"`
	const full = `,"because":"event","identifiers":[{"kind":"USER_ID","value":"x"},{"kind":"EMAIL","value":"x"},{"kind":"PHONE","value":"x"},` +
		`{"kind":"EXTERNAL","value":"x"},{"kind":"DEVICE_ID","value":"x"},{"kind":"ANONYMOUS_ID","value":"x"}],"traits":{"plan":{"a":"<b> & c"}}`
	for how, want := range map[delivery.Disclosure]string{delivery.Full: head + full + "}}", delivery.Bare: head + "}}"} {
		m.Disclosure = how
		if body, err := m.Body(); err != nil || string(body) != want {
			t.Errorf("%v\n got %s\nwant %s", err, body, want)
		}
	}
}

func TestBodyOfNonsense(t *testing.T) {
	for name, m := range map[string]*delivery.Message{
		"no kind":            {Disclosure: delivery.Full},
		"an unknown kind":    {Kind: "MOVED", Disclosure: delivery.Full},
		"a trait of no JSON": {Kind: delivery.Entered, Disclosure: delivery.Full, Traits: map[string]json.RawMessage{"plan": json.RawMessage("{")}},
		"nobody decided":     {Kind: delivery.Entered},
	} {
		if body, err := m.Body(); insight.KindOf(err) != insight.Internal || body != nil {
			t.Errorf("%s: %s, %v", name, body, err)
		}
	}
}
