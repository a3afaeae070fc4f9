package experience_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/experience"
	"github.com/acquaint/acquaint/insight/relationship"
	"github.com/acquaint/acquaint/internal/script"
)

// A scene loads an experience: "variant key", with for=segment, shows=trait,trait
// and weight=; "holdout share"; "cap count per"; "archived". A question is about an
// individual, whose id is a number, perhaps unknown, uncovered or unkept, and beneath it stands
// what is known of them: "trait key value provenance confidence", with sensitive,
// source= and days= (since it was observed); "earlier when variant", or holdout, or
// nothing.
func TestScripts(t *testing.T) {
	script.Run(t, "testdata/*.txt", func(q script.Question) ([]string, error) {
		e, err := loaded(q.Load)
		if err != nil {
			return nil, err
		}
		if err := e.Validate(); err != nil {
			return nil, err
		}
		at, err := script.Time(q.Ask.Option("at"))
		if err != nil {
			return nil, err
		}
		s, err := asked(q, at)
		if err != nil {
			return nil, err
		}
		d := experience.Decide(e, s, at)
		first := string(d.Reason)
		if d.Variant != nil {
			first += " " + d.Variant.Key
		}
		for _, t := range d.Traits {
			first += fmt.Sprintf(" %s=%s", t.Key, t.Value)
		}
		return append([]string{first}, d.Because...), nil
	})
}

func loaded(lines []script.Line) (*experience.Experience, error) {
	e := &experience.Experience{Key: "garden_tips", Name: "Garden tips", Purpose: &insight.Purpose{Key: "personalization"}, Salt: "garden"}
	for _, line := range lines {
		var err error
		switch {
		case len(line.Words) >= 2 && line.Words[0] == "variant":
			v := experience.Variant{Key: line.Words[1], Benefit: "it helps", Segment: line.Option("for")}
			if shown := line.Option("shows"); shown != "" {
				v.Traits = strings.Split(shown, ",")
			}
			if weight := line.Option("weight"); weight != "" {
				v.Weight, err = strconv.ParseFloat(weight, 64)
			}
			e.Variants = append(e.Variants, v)
		case len(line.Words) == 1 && line.Words[0] == "archived":
			e.Archived = true
		case len(line.Words) == 2 && line.Words[0] == "holdout":
			e.Holdout, err = strconv.ParseFloat(line.Words[1], 64)
		case len(line.Words) == 3 && line.Words[0] == "cap":
			e.Cap = &experience.Cap{}
			if e.Cap.Count, err = strconv.Atoi(line.Words[1]); err == nil {
				e.Cap.Per, err = insight.ParseDuration(line.Words[2])
			}
		default:
			err = fmt.Errorf("it is no variant, holdout or cap, nor archived")
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", line.At, err)
		}
	}
	return e, nil
}

func asked(q script.Question, at time.Time) (*experience.Subject, error) {
	id, err := strconv.ParseUint(q.Ask.Option("id"), 10, 64)
	if err != nil {
		return nil, err
	}
	if slices.Contains(q.Ask.Words, "unknown") {
		return nil, nil //nolint:nilnil // nobody is known
	}
	s := &experience.Subject{Covered: !slices.Contains(q.Ask.Words, "uncovered"), Kept: !slices.Contains(q.Ask.Words, "unkept"), Relationship: relationship.Status(q.Ask.Option("status")), Members: map[string]bool{}, RuleTraits: map[string][]string{}}
	binary.BigEndian.PutUint64(s.Individual[8:], id)
	for segment := range strings.SplitSeq(q.Ask.Option("in"), ",") {
		// A segment's rule may be told with it: "gardeners:has_garden".
		key, uses, _ := strings.Cut(segment, ":")
		s.Members[key] = true
		s.RuleTraits[key] = strings.Split(uses, "+")
	}
	for _, line := range q.Detail {
		switch {
		case len(line.Words) >= 5 && line.Words[0] == "trait":
			t, err := trait(line, at)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", line.At, err)
			}
			s.Traits = append(s.Traits, t)
		case len(line.Words) == 3 && line.Words[0] == "earlier":
			when, err := script.Time(line.Words[1])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", line.At, err)
			}
			d := experience.Earlier{At: when}
			switch what := line.Words[2]; what {
			case "holdout":
				d.Holdout = true
			case "nothing":
			default:
				d.Variant = what
			}
			s.Earlier = append(s.Earlier, d)
		default:
			return nil, fmt.Errorf("%s: it is no trait and nothing earlier", line.At)
		}
	}
	return s, nil
}

func trait(line script.Line, at time.Time) (t insight.Trait, err error) {
	w := line.Words
	t = insight.Trait{Key: w[1], Value: json.RawMessage(w[2]), Sensitivity: insight.Ordinary, Source: line.Option("source"), ObservedAt: at}
	t.Provenance = map[string]insight.Provenance{"DECLARED": insight.Declared, "OBSERVED": insight.Observed, "INFERRED": insight.Inferred}[w[3]]
	if t.Confidence, err = strconv.ParseFloat(w[4], 64); err != nil {
		return t, err
	}
	if days := line.Option("days"); days != "" {
		n, err := strconv.Atoi(days)
		if err != nil {
			return t, err
		}
		t.ObservedAt = at.AddDate(0, 0, -n)
	}
	for _, word := range w[5:] {
		if word == "sensitive" {
			t.Sensitivity = insight.Sensitive
		}
	}
	return t, nil
}

func ExampleDecide() {
	e := &experience.Experience{
		Key: "garden_tips", Name: "Garden tips", Purpose: &insight.Purpose{Key: "personalization"}, Salt: "garden", Holdout: 0.1,
		Variants: []experience.Variant{
			{Key: "tips", Benefit: "what to do in the garden this week", Segment: "gardeners", Weight: 3},
			{Key: "hello", Benefit: "a greeting, and the way to the order", Traits: []string{"first_name"}},
		},
	}
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, i := range []byte{0, 1, 4} {
		d := experience.Decide(e, &experience.Subject{
			Covered: true, Kept: true,
			Individual: uuid.UUID{15: i}, Relationship: relationship.Active, Members: map[string]bool{"gardeners": true},
			Traits: []insight.Trait{{Key: "first_name", Value: json.RawMessage(`"Ada"`), Provenance: insight.Declared, Confidence: 1, Sensitivity: insight.Ordinary}},
		}, at)
		fmt.Println(d.Reason, strings.Join(d.Because, "; "))
		if d.Variant != nil {
			fmt.Println("  ", d.Variant.Key, "gives", d.Variant.Benefit)
		}
	}
	// Output:
	// OFFERED it is drawn by weight; variants that may be offered to them: 2; the trait first_name is DECLARED with confidence 1
	//    hello gives a greeting, and the way to the order
	// OFFERED it is drawn by weight; variants that may be offered to them: 2; they are in the segment gardeners
	//    tips gives what to do in the garden this week
	// HOLDOUT their draw lies within the share that is held out
}

func BenchmarkDecide(b *testing.B) {
	e := &experience.Experience{Salt: "0190a5e44d5b7c3a9b1e2f6d8a7c5e10", Holdout: 0.1, Cap: &experience.Cap{Count: 30, Per: insight.Week}}
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := &experience.Subject{Covered: true, Kept: true, Relationship: relationship.Active, Members: map[string]bool{}, RuleTraits: map[string][]string{}}
	for i := range experience.MaxVariants {
		key := fmt.Sprint("segment_of_people_", i)
		v := experience.Variant{Key: fmt.Sprint("variant_of_tips_", i), Benefit: "it helps", Segment: key}
		if i < 2 {
			v.Traits = []string{"first_name"}
		}
		e.Variants = append(e.Variants, v)
		s.Members[key] = true
		s.RuleTraits[key] = []string{"garden", "balcony"}
	}
	for i := range 20 {
		s.Traits = append(s.Traits, insight.Trait{Key: fmt.Sprint("trait_", i), Value: json.RawMessage("1"), Provenance: insight.Declared, Confidence: 1, Sensitivity: insight.Ordinary})
	}
	s.Traits[3].Key = "first_name"
	// Nothing is kept, so that each variant is drawn.
	for i := range 20 {
		s.Earlier = append(s.Earlier, experience.Earlier{Variant: "one_that_is_gone", At: at.Add(-time.Duration(i) * time.Hour)})
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		binary.BigEndian.PutUint64(s.Individual[8:], uint64(i))
		if d := experience.Decide(e, s, at); d.Reason != experience.Offered {
			b.Fatal(d)
		}
	}
}
