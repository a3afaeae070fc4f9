package simulate_test

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/channel"
	"github.com/acquaint/acquaint/internal/simulate"
)

func TestMessagesAreValid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		truth := simulate.DefaultTruth()
		truth.SharedPairs = rapid.SampledFrom([]float64{0, .06, 1}).Draw(t, "shared")
		truth.Strays = rapid.SampledFrom([]float64{0, .12, 1}).Draw(t, "strays")
		truth.Purchases.Alpha = rapid.SampledFrom([]float64{.05, 1, 10}).Draw(t, "alpha")
		truth.Quiet = time.Duration(rapid.Int64Range(int64(6*time.Hour), int64(30*insight.Day)).Draw(t, "quiet"))
		from := time.UnixMicro(rapid.Int64Range(-1e15, 4e15).Draw(t, "from")).UTC()
		o := simulate.Options{
			Seed: rapid.Uint64().Draw(t, "seed"), Individuals: 1 << 40, From: from, Truth: &truth,
			To: from.Add(time.Duration(rapid.Int64Range(int64(insight.Week), int64(2*insight.Year)).Draw(t, "span"))),
		}
		p, err := simulate.New(o)
		if err != nil {
			t.Fatal(err)
		}
		x := p.Individual(rapid.IntRange(0, 1<<40-1).Draw(t, "index"))
		_, to := p.Span()
		ids := map[string]bool{}
		spoke := time.Time{}
		for k := range x.Messages {
			m := &x.Messages[k]
			if ids[m.MessageID] || m.MessageID == "" || len(m.MessageID) >= 100 {
				t.Fatalf("message id %q", m.MessageID)
			}
			ids[m.MessageID] = true
			if m.Timestamp.Before(from) || !m.Timestamp.Before(to) || m.Timestamp != insight.Moment(m.Timestamp) {
				t.Fatalf("%v is outside %v to %v, or no moment", m.Timestamp, from, to)
			}
			if !m.Timestamp.After(spoke) {
				t.Fatalf("%v after %v", m.Timestamp, spoke)
			}
			spoke = m.Timestamp
			valid(t, &x, m)
		}
		for _, j := range x.Journeys {
			if j.StartedAt.Before(from) || !j.EndedAt.Before(to) || j.EndedAt.Before(j.StartedAt) {
				t.Fatalf("a journey from %v to %v", j.StartedAt, j.EndedAt)
			}
		}
	})
}

func valid(t *rapid.T, x *simulate.Individual, m *simulate.Message) {
	if m.UserID != "" && m.UserID != x.UserID || m.UserID == "" && m.AnonymousID == "" {
		t.Fatalf("%s is said by %q and %q", m.MessageID, m.UserID, m.AnonymousID)
	}
	ok := false
	switch m.Type {
	case "identify":
		ok = m.UserID != "" && m.Traits != nil && m.Traits.Email == x.Email && m.Event == "" && m.Properties == nil
	case "track":
		ok = m.Event != "" && m.Name == "" && m.Traits == nil
	case "page":
		ok = m.Name != "" && m.Context.Page != nil && m.Event == ""
	case "screen":
		ok = m.Name != "" && m.Context.Device != nil && m.Context.Channel == channel.App
	}
	if !ok {
		t.Fatalf("%s of type %q has the wrong fields", m.MessageID, m.Type)
	}
	if _, known := channel.Default(channelOf(m)); !known {
		t.Fatalf("%s is on the channel %q", m.MessageID, channelOf(m))
	}
	if outbound := strings.HasSuffix(m.Event, " Sent"); outbound != (m.Context.Direction == "outbound") || outbound && m.UserID == "" {
		t.Fatalf("%s (%s) has the direction %q", m.MessageID, m.Event, m.Context.Direction)
	}
	if m.Event == "Order Completed" {
		cents := 0.0
		for _, line := range m.Properties.Products {
			if line.Price <= 0 || line.Quantity <= 0 {
				t.Fatalf("%s sells %d at %v", m.MessageID, line.Quantity, line.Price)
			}
			cents += math.Round(100*line.Price) * float64(line.Quantity)
		}
		if cents != math.Round(100*m.Properties.Revenue) || cents < 50 || m.Properties.Currency != x.Currency {
			t.Fatalf("%s: the lines are worth %v cents, the revenue is %v %s", m.MessageID, cents, m.Properties.Revenue, m.Properties.Currency)
		}
	}
	text, err := json.Marshal(m)
	if err != nil || len(text) >= 32*1000 {
		t.Fatalf("%s is %d bytes: %v", m.MessageID, len(text), err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var back simulate.Message
	if err := decoder.Decode(&back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*m, back); diff != "" {
		t.Fatal(diff)
	}
}

func TestLifeHasEverything(t *testing.T) {
	p := population(t, simulate.Options{Seed: 1, Individuals: 3000})
	seen := map[string]int{}
	anonymous, silent := 0, 0
	for x := range p.All() {
		registered, outbound := time.Time{}, 0
		consented := false
		for _, c := range x.Consents {
			consented = consented || c.Purpose == "marketing" && c.Granted
			registered = c.At
		}
		orders := map[string]float64{}
		for _, m := range x.Messages {
			seen[m.Type+" "+m.Event]++
			if m.Context.Direction == "outbound" {
				outbound++
				if m.Context.Campaign.Source != "lifecycle" && (!consented || m.Timestamp.Before(registered)) {
					t.Fatalf("%s is written to without having agreed", x.UserID)
				}
			} else {
				outbound = 0
			}
			switch {
			case m.UserID == "" && m.AnonymousID != x.StrayDevice:
				anonymous++
			case m.Event == "Order Completed":
				orders[m.Properties.OrderID] = m.Properties.Revenue
			case m.Event == "Order Refunded":
				if paid := orders[m.Properties.OrderID]; paid == 0 || paid != m.Properties.Total {
					t.Fatalf("%s is paid back %v for an order of %v", x.UserID, m.Properties.Total, paid)
				}
			}
		}
		if outbound >= 5 {
			silent++
		}
	}
	for _, kind := range []string{
		"page ", "screen ", "identify ", "track Product Viewed", "track Product Added", "track Order Completed", "track Order Refunded",
		"track Store Visited", "track Support Call", "track Ticket Opened", "track Email Sent", "track Email Opened", "track Direct Mail Sent", "track Push Sent",
	} {
		if seen[kind] < 30 {
			t.Errorf("%q happens %d times among 3,000 people", kind, seen[kind])
		}
	}
	if anonymous < 3000 {
		t.Errorf("%d messages come before the login", anonymous)
	}
	if silent < 300 {
		t.Errorf("%d people have left five outbound touches unanswered", silent)
	}
}
