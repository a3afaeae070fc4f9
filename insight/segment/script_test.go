package segment_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/insight/recency"
	"github.com/acquaint/acquaint/insight/segment"
	"github.com/acquaint/acquaint/internal/script"
)

// A rule is beneath its question; "segment KEY" and a rule on one line define another.
// Beside interactions a load has lines "covered FROM PURPOSE…" (from then on by these
// and no others), "trait WHEN KEY JSON CONFIDENCE SOURCE" and "refused FROM".
func TestScripts(t *testing.T) {
	script.Run(t, "testdata/*.txt", func(q script.Question) ([]string, error) {
		facts, err := facts(q.Load)
		if err != nil {
			return nil, err
		}
		d := &segment.Definition{Key: "this", Purpose: purposes[0]}
		others := map[string]*segment.Definition{"this": d}
		for _, line := range q.Detail {
			of, text := d, strings.Join(line.Words, " ")
			if line.Words[0] == "segment" {
				of, text = &segment.Definition{Key: line.Words[1], Purpose: purposes[0], MinConfidence: 0.8}, strings.Join(line.Words[2:], " ")
				others[of.Key] = of
			}
			if of.Rule, err = segment.Read([]byte(text)); err != nil {
				return nil, err
			}
		}
		b := segment.NewBook(purposes, others)
		p, err := b.Compile(d, everyone(q.Ask))
		if err != nil {
			return nil, err
		}
		from, err := script.Time(q.Ask.Words[1])
		if err != nil {
			return nil, err
		}
		if q.Ask.Words[0] == "why" {
			return because(p.Why(b.Subject(facts), from)), nil
		}
		until := from
		if text := q.Ask.Option("until"); text != "" {
			if until, err = script.Time(text); err != nil {
				return nil, err
			}
		}
		c := p.Over(b.Subject(facts), from, until)
		lines := []string{map[bool]string{true: "in", false: "out"}[c.Holds]}
		for i, change := range c.Changes {
			lines = append(lines, map[bool]string{true: "leaves ", false: "enters "}[c.Holds == (i%2 == 0)]+change.Format(time.RFC3339Nano))
		}
		if !c.Next.IsZero() {
			lines = append(lines, "next "+c.Next.Format(time.RFC3339Nano))
		}
		if !c.Look.Equal(c.Next) {
			lines = append(lines, "look "+c.Look.Format(time.RFC3339Nano))
		}
		return lines, nil
	})
}

func because(reasons []segment.Reason) (lines []string) {
	for _, r := range reasons {
		line := map[bool]string{true: "holds ", false: "fails "}[r.Holds] + r.Rule
		if !r.Until.IsZero() {
			line += " until " + r.Until.Format(time.RFC3339Nano)
		}
		lines = append(lines, line)
		for _, fact := range r.Facts {
			lines = append(lines, "- "+fact)
		}
	}
	return lines
}

// everyone are models with wires of 10 days and cuts of recency at 10, 20, 30 and 40
// days, unless the question has the word alone.
func everyone(ask script.Line) *segment.Models {
	if slices.Contains(ask.Words, "alone") {
		return nil
	}
	wires := segment.Wires{some(10 * insight.Day), some(10 * insight.Day), some(10 * insight.Day)}
	s := insight.Selector{Types: []string{"purchase"}}
	return &segment.Models{
		Visits: &wires, Habits: map[string]segment.Wires{segment.SelectorKey(&s): wires, segment.SelectorKey(nil): wires},
		Cuts:    &recency.Cuts{Recency: [4]float64{10, 20, 30, 40}, Frequency: [4]float64{2, 3, 4, 5}, Monetary: [4]float64{10, 20, 30, 40}},
		Missing: map[string]string{"lifetime": "fewer than 10 individuals have purchased"},
	}
}

func facts(load []script.Line) (*segment.Facts, error) {
	f := &segment.Facts{Coverage: []consent.Span{{Set: 15}}}
	var rest []script.Line
	for _, line := range load {
		when := time.Time{}
		switch line.Words[0] {
		case "covered", "trait", "refused":
			var err error
			if when, err = script.Time(line.Words[1]); err != nil {
				return nil, err
			}
		}
		switch line.Words[0] {
		case "covered":
			span := consent.Span{From: when}
			for _, p := range purposes {
				if slices.Contains(line.Words[2:], p.Key) {
					span.Set |= p.Set()
				}
			}
			f.Coverage = append(f.Coverage, span)
		case "trait":
			confidence, err := strconv.ParseFloat(line.Words[4], 64)
			if err != nil {
				return nil, err
			}
			f.Traits = append(f.Traits, insight.Trait{
				Key: line.Words[2], Value: json.RawMessage(line.Words[3]), Confidence: confidence, Source: line.Words[5], Provenance: insight.Observed, ObservedAt: when,
			})
		case "refused":
			f.Refusals = append(f.Refusals, insight.Refusal{From: when})
		default:
			rest = append(rest, line)
		}
	}
	t, err := script.Timeline(rest)
	f.Timeline = t.Ordered()
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	return f, nil
}
