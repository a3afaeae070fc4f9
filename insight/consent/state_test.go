package consent_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/internal/script"
)

func TestState(t *testing.T)  { script.Run(t, "testdata/state.txt", answer) }
func TestMerges(t *testing.T) { script.Run(t, "testdata/merges.txt", answer) }

// answer asks one question of a scene, of its decisions in many orders.
func answer(q script.Question) ([]string, error) {
	var s scene
	for _, line := range q.Load {
		if err := s.read(line); err != nil {
			return nil, fmt.Errorf("%s: %w", line.At, err)
		}
	}
	lines, err := s.tell(q.Ask)
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		r.Shuffle(len(s.decisions), func(i, j int) { s.decisions[i], s.decisions[j] = s.decisions[j], s.decisions[i] })
		if again, _ := s.tell(q.Ask); !slices.Equal(again, lines) {
			return again, fmt.Errorf("in another order of the decisions the answer differs")
		}
	}
	return lines, err
}

// scene is what a load block tells of.
type scene struct {
	purposes  []*insight.Purpose
	decisions []*insight.Consent
	names     map[uuid.UUID]string // of identifiers
}

var decisionsByName = map[string]insight.ConsentDecision{
	"GRANTED": insight.ConsentGranted, "DENIED": insight.ConsentDenied, "WITHDRAWN": insight.ConsentWithdrawn,
}

func (s *scene) read(line script.Line) error {
	switch line.Words[0] {
	case "purpose":
		return s.define(line)
	case "parted":
		return s.part(line)
	}
	if len(line.Words) < 3 || decisionsByName[line.Words[2]] == 0 {
		return fmt.Errorf("a decision is when, purpose, and GRANTED, DENIED or WITHDRAWN")
	}
	d := &insight.Consent{
		ID: uuid.UUID{15: byte(len(s.decisions) + 1)}, Purpose: s.purpose(line.Words[1]), Decision: decisionsByName[line.Words[2]],
		Owner: s.key("ann"), Method: insight.MethodDeclared, Source: "shop",
	}
	var err error
	if d.EffectiveAt, err = script.Time(line.Words[0]); err != nil {
		return err
	}
	d.RecordedAt = d.EffectiveAt
	for _, word := range line.Words[3:] {
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "owner":
			d.Owner = s.key(value)
		case "covers":
			d.Covers = s.keys(value)
		case "recorded":
			d.RecordedAt, err = script.Time(value)
		case "expires":
			d.ExpiresAt, err = script.Time(value)
		default:
			err = fmt.Errorf("%q says nothing about a decision", word)
		}
		if err != nil {
			return err
		}
	}
	if d.Purpose == nil {
		return fmt.Errorf("there is no purpose %s", line.Words[1])
	}
	s.decisions = append(s.decisions, d)
	return nil
}

// define reads a purpose, or what its basis became later.
func (s *scene) define(line script.Line) error {
	if len(line.Words) < 3 || !slices.Contains(insight.LegalBases, insight.LegalBasis(line.Words[2])) {
		return fmt.Errorf("a purpose is its key and its legal basis")
	}
	terms := insight.PurposeVersion{LegalBasis: insight.LegalBasis(line.Words[2])}
	if from := line.Option("from"); from != "" {
		var err error
		if terms.At, err = script.Time(from); err != nil {
			return err
		}
	}
	p := s.purpose(line.Words[1])
	if p == nil {
		p = &insight.Purpose{ID: uuid.UUID{14: byte(len(s.purposes) + 1)}, Key: line.Words[1], Bit: uint8(len(s.purposes))}
		s.purposes = append(s.purposes, p)
	}
	p.LegalBasis, p.Versions = terms.LegalBasis, append(p.Versions, terms)
	return nil
}

func (s *scene) purpose(key string) *insight.Purpose {
	for _, p := range s.purposes {
		if p.Key == key {
			return p
		}
	}
	return nil
}

// part writes again what must be when one person turns out to be several.
func (s *scene) part(line script.Line) error {
	if len(line.Words) < 3 {
		return fmt.Errorf("a parting is when, and the identifiers of each part")
	}
	at, err := script.Time(line.Words[1])
	if err != nil {
		return err
	}
	for _, left := range s.parting(line.Words[2:], at) {
		again := *left.Record
		again.ID, again.Owner, again.Covers, again.RecordedAt = uuid.UUID{15: byte(len(s.decisions) + 1)}, left.Owner, left.Covers, at
		s.decisions = append(s.decisions, &again)
	}
	return nil
}

func (s *scene) parting(words []string, at time.Time) []consent.Left {
	var parts [][]uuid.UUID
	for _, word := range words {
		parts = append(parts, s.keys(word))
	}
	known := slices.DeleteFunc(s.of(slices.Concat(parts...)), func(d *insight.Consent) bool { return d.RecordedAt.After(at) })
	return consent.Parting(known, parts, at)
}

func (s *scene) key(name string) uuid.UUID {
	key := uuid.NewSHA1(uuid.Nil, []byte(name))
	if s.names == nil {
		s.names = map[uuid.UUID]string{}
	}
	s.names[key] = name
	return key
}

func (s *scene) keys(list string) []uuid.UUID {
	var keys []uuid.UUID
	for name := range strings.SplitSeq(list, ",") {
		keys = append(keys, s.key(name))
	}
	return keys
}

// of are the decisions in the ledgers of an individual with these identifiers.
func (s *scene) of(members []uuid.UUID) []*insight.Consent {
	var ours []*insight.Consent
	for _, d := range s.decisions {
		if slices.Contains(members, d.Owner) {
			ours = append(ours, d)
		}
	}
	return ours
}

func (s *scene) tell(ask script.Line) ([]string, error) {
	ours := s.decisions
	if who := ask.Option("who"); who != "" {
		ours = s.of(s.keys(who))
	}
	at, err := script.Time(ask.Option("at"))
	if err != nil {
		return nil, err
	}
	known := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	if text := ask.Option("known"); text != "" {
		if known, err = script.Time(text); err != nil {
			return nil, err
		}
	}
	var lines []string
	switch ask.Words[0] {
	case "standing":
		for _, p := range s.purposes {
			lines = append(lines, p.Key+" "+standing(consent.InForce(p, ours, at, known)))
		}
	case "why":
		for _, p := range s.purposes {
			lines = append(lines, p.Key+" "+consent.InForce(p, ours, at, known).Because)
		}
	case "spans":
		for _, span := range consent.Spans(s.purposes, ours, at) {
			lines = append(lines, day(span.From)+" "+s.set(span.Set))
		}
	case "lapse":
		lines = append(lines, day(consent.Lapse(s.purposes, ours, at)))
	case "refused":
		lines = append(lines, fmt.Sprint(consent.Refused(ours, at)))
	case "parting":
		words := slices.DeleteFunc(slices.Clone(ask.Words[1:]), func(word string) bool { return strings.Contains(word, "=") })
		for _, left := range s.parting(words, at) {
			d := left.Record
			line := fmt.Sprintf("%s %s %s of %s is written again for %s", d.Purpose.Key, consent.DecisionName(d.Decision), day(d.EffectiveAt), s.names[d.Owner], s.names[left.Owner])
			for _, key := range left.Covers {
				line += " and " + s.names[key]
			}
			lines = append(lines, line)
		}
		if lines == nil {
			lines = []string{"nothing"}
		}
	default:
		return nil, fmt.Errorf("ask standing, why, spans, lapse, refused or parting")
	}
	return lines, nil
}

func standing(s consent.State) string {
	line := map[bool]string{true: "yes ", false: "no "}[s.Permitted] + string(s.Status)
	if !s.Since.IsZero() {
		line += " since " + day(s.Since)
	}
	if !s.ExpiresAt.IsZero() {
		line += " until " + day(s.ExpiresAt)
	}
	return line
}

func (s *scene) set(set insight.Set) string {
	var keys []string
	for _, p := range s.purposes {
		if set&p.Set() != 0 {
			keys = append(keys, p.Key)
		}
	}
	if keys == nil {
		return "nothing"
	}
	return strings.Join(keys, " ")
}

// day writes a moment as scripts do: of midnight the day alone.
func day(t time.Time) string {
	switch {
	case t.IsZero():
		return "never"
	case t.Equal(t.Truncate(24 * time.Hour)):
		return t.Format(time.DateOnly)
	}
	return t.Format("2006-01-02T15:04:05")
}
