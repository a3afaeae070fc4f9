package segment_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/insight/lifetime"
	"github.com/acquaint/acquaint/insight/recency"
	"github.com/acquaint/acquaint/insight/relationship"
	"github.com/acquaint/acquaint/insight/segment"
)

// twenty is somebody with twenty interactions, of whom four traits are known.
func twenty() *segment.Facts {
	f := &segment.Facts{Coverage: []consent.Span{{Set: 15}}}
	for i := range 20 {
		x := &insight.Interaction{
			ID: uuid.UUID{15: byte(i)}, Type: fmt.Sprint("type ", i%6), Channel: channels[i%2], Direction: insight.Inbound, OccurredAt: at(10 * i),
		}
		if i%3 == 0 {
			x.Value, x.Currency = some(19.99), "EUR"
		}
		if i%7 == 0 {
			x.Direction = insight.Outbound
		}
		f.Timeline = append(f.Timeline, x)
	}
	for i := range 4 {
		f.Traits = append(f.Traits, insight.Trait{Key: fmt.Sprint("trait ", i), Value: json.RawMessage(`"gold"`), Provenance: insight.Declared, Confidence: 1, Source: "crm", ObservedAt: start})
	}
	return f
}

// mixed are n segments as somebody may have them: most of events and recency, and a few
// of each other kind, two leaves each.
func mixed(b *testing.B, n int) (*segment.Book, []*segment.Program) {
	wires := segment.Wires{some(insight.Week), some(insight.Week), some(insight.Week)}
	m := &segment.Models{Habits: map[string]segment.Wires{}, Visits: &wires, Cuts: &recency.Cuts{Recency: [4]float64{5, 10, 20, 40}, Frequency: [4]float64{2, 4, 8, 16}, Monetary: [4]float64{10, 50, 100, 200}}}
	m.Lifetime = &lifetime.Fit{
		Model: lifetime.BGNBD, Parameters: []lifetime.Parameter{{Name: "r", Value: 0.24}, {Name: "alpha", Value: 4.4}, {Name: "a", Value: 0.79}, {Name: "b", Value: 2.4}},
		Spend: []lifetime.Parameter{{Name: "p", Value: 6.25}, {Name: "q", Value: 3.74}, {Name: "v", Value: 15.4}},
	}
	book := segment.NewBook(purposes, nil)
	var programs []*segment.Program
	for i := range n {
		event := insight.Selector{Types: []string{fmt.Sprint("type ", i%25)}}
		days := time.Duration(1+i%40) * insight.Day
		first := &segment.Rule{Event: &segment.Event{Event: event, AtLeast: some(1 + i%3), Within: days}}
		var second *segment.Rule
		switch i % 10 {
		case 0:
			second = &segment.Rule{Trait: &insight.TraitRule{Key: fmt.Sprint("trait ", i%8), Op: insight.EQ, Value: json.RawMessage(`"gold"`)}}
		case 1:
			second = &segment.Rule{Monetary: &segment.Monetary{Event: event, AtLeast: some(float64(i % 50)), Within: days}}
		case 2:
			second = &segment.Rule{Relationship: []relationship.Status{relationship.Cooling, relationship.Lapsed}}
		case 3:
			second = &segment.Rule{RFM: &segment.RFM{R: []int{1 + i/10%5}}}
		case 4:
			second = &segment.Rule{Sequence: &segment.Sequence{Steps: []insight.Selector{{Types: []string{"type 0"}}, event}}}
		case 5:
			second = &segment.Rule{Lifetime: &segment.Lifetime{ProbabilityAliveAtLeast: some(float64(1+i/10%4) / 10)}}
		default:
			second = &segment.Rule{Recency: &segment.Recency{Event: &event, AtLeast: &days}}
		}
		p, err := book.Compile(&segment.Definition{Purpose: purposes[0], Rule: &segment.Rule{Any: []*segment.Rule{first, second}}}, m)
		if err != nil {
			b.Fatal(err)
		}
		programs = append(programs, p)
	}
	return book, programs
}

func BenchmarkOver(b *testing.B) {
	for _, n := range []int{1, 200} {
		for _, reuse := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d segments, memory reused %v", n, reuse), func(b *testing.B) {
				book, programs := mixed(b, n)
				f, now := twenty(), at(200)
				subject := book.Subject(f)
				b.ReportAllocs()
				for b.Loop() {
					if reuse {
						subject.Reset(f)
					} else {
						subject = book.Subject(f)
					}
					for _, p := range programs {
						p.Over(subject, now, now)
					}
				}
			})
		}
	}
}

func BenchmarkTouchedBy(b *testing.B) {
	_, programs := mixed(b, 200)
	x := twenty().Timeline[3]
	for b.Loop() {
		for _, p := range programs {
			p.TouchedBy(x)
		}
	}
}
