package segment

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/lifetime"
	"github.com/acquaint/acquaint/insight/recency"
	"github.com/acquaint/acquaint/insight/relationship"
)

// Reason is what a leaf says of an individual.
type Reason struct {
	Rule  string    // the leaf's path and the leaf in words: "rule.any[0]: signup within P7D"
	Holds bool      // the leaf itself, also beneath a not
	Facts []string  // what it rests on, in words
	Until time.Time // when the leaf turns if nothing new happens; zero: not that is known
}

// Why tells of each leaf whether it holds at a moment, and on which facts that rests.
// The first reason is whether the purpose covers the individual; the leaves follow in
// their order, those of other segments in the places where these are named.
func (p *Program) Why(s *Subject, at time.Time) []Reason {
	s.over(at.UnixMicro(), at.UnixMicro())
	reasons := make([]Reason, len(p.literals))
	for i := range p.literals {
		about, r := &p.told[i], &reasons[i]
		r.Rule = about.path + ": " + inWords(about.rule)
		if about.unknown != "" {
			r.Facts = []string{"not known: " + about.unknown}
			continue
		}
		of := p.literals[i].leaf
		said := s.signal(of)
		r.Holds = said.holds
		r.Facts = p.book.leaves[of].facts(s)
		if said.start < said.end && s.flips[said.start] <= said.look {
			r.Until = moment(s.flips[said.start])
		}
	}
	return reasons
}

// shown is how many interactions a reason names.
const shown = 5

// happened names the last of some interactions.
func (s *Subject) happened(at []int32) []string {
	var facts []string
	if more := len(at) - shown; more > 0 {
		facts = append(facts, several(more, "earlier interaction"))
		at = at[more:]
	}
	for _, i := range at {
		facts = append(facts, event(s.timeline[i]))
	}
	return facts
}

// event names an interaction; an id that is made up is not told.
func event(x *insight.Interaction) string {
	var b strings.Builder
	b.WriteString(x.Type)
	if x.Channel != nil {
		b.WriteString(" on " + x.Channel.Key)
	}
	b.WriteString(" at " + when(x.OccurredAt))
	if x.Value != nil {
		b.WriteString(", worth " + strings.TrimSpace(decimal(*x.Value)+" "+x.Currency))
	}
	if x.ID.Version() == 7 && x.ID.Variant() == uuid.RFC4122 {
		b.WriteString(", " + insight.FormatID(insight.InteractionPrefix, x.ID))
	}
	return b.String()
}

func (l *eventLeaf) facts(s *Subject) []string {
	counted := l.counted(s)
	return append([]string{several(len(counted), "interaction")}, s.happened(counted)...)
}

func (l *monetaryLeaf) facts(s *Subject) []string {
	counted := l.counted(s)
	return append([]string{"together " + decimal(l.total(s)) + ", of " + several(len(counted), "interaction")}, s.happened(counted)...)
}

func (l *sequenceLeaf) facts(s *Subject) []string {
	start, end, ok := l.walk(s)
	if !ok || s.moments[end] > s.from {
		return []string{"it has not happened"}
	}
	return []string{"from " + event(s.timeline[start]), "to " + event(s.timeline[end])}
}

func (l *recencyLeaf) facts(s *Subject) []string {
	matches := s.matches(l.pick)
	n := s.after(matches, s.from)
	if n == 0 {
		return []string{"it never happened"}
	}
	facts := []string{"last " + event(s.timeline[matches[n-1]])}
	if l.overdue == nil {
		return facts
	}
	h := habit{s: s, matches: matches, wires: l.wires}
	wire, ok := h.wire(n)
	switch {
	case !ok:
		return append(facts, "no trip wire is known after "+several(n, "time"))
	case n > recency.OwnGaps:
		return append(facts, "their own median gap is "+insight.FormatDuration(wire))
	}
	return append(facts, "they have too few gaps for a trip wire of their own; it is everyone's") // whose number is not about them
}

func (l consentLeaf) facts(s *Subject) []string {
	var since time.Time
	covered := false
	for _, span := range s.facts.Coverage {
		if span.From.UnixMicro() > s.from {
			break
		}
		if now := span.Set&l.purpose.Set() != 0; now != covered {
			covered, since = now, span.From
		}
	}
	fact := l.purpose.Key + map[bool]string{true: " covers them", false: " does not cover them"}[covered]
	if !since.IsZero() {
		fact += " since " + when(since)
	}
	return []string{fact}
}

func (l *traitLeaf) facts(s *Subject) []string {
	best := insight.BestTraits(s.observed(l.rule.Key, s.from))
	if len(best) == 0 {
		return []string{l.rule.Key + " is not known"}
	}
	t := &best[0]
	return []string{fmt.Sprintf("%s is %s, %s by %s with confidence %s at %s", t.Key, t.Value, provenances.of(t.Provenance), t.Source, decimal(t.Confidence), when(t.ObservedAt))}
}

func (l *relationshipLeaf) facts(s *Subject) []string {
	r := relationship.Of(s.history(), relationship.Options{AsOf: moment(s.from), TripWire: l.visits.at})
	return append([]string{string(r.Status)}, r.Evidence...)
}

func (l *rfmLeaf) facts(s *Subject) []string {
	readings := s.scores(l.model, l.cuts)
	if len(readings) == 0 || readings[0].at > s.from {
		return []string{"they never came"}
	}
	r := readings[0].is
	return []string{fmt.Sprintf("%s: score %d, of %s, %s and together %s", r.Segment, r.Score, several(r.RecencyDays, "day"), several(r.Frequency, "interaction"), decimal(r.Monetary))}
}

func (l lifetimeLeaf) facts(s *Subject) []string {
	readings := s.futures(l.model)
	if len(readings) == 0 || readings[0].at > s.from {
		return []string{"they never came"}
	}
	f := l.fit.Future(readings[0].is.summary, lifetime.DefaultHorizon)
	fact := fmt.Sprintf("still a customer with a probability of %.3f, %.2f days of purchase expected within %s", f.ProbabilityAlive, f.ExpectedCount, insight.FormatDuration(lifetime.DefaultHorizon))
	if f.ExpectedValue != nil {
		fact += fmt.Sprintf(", worth %.2f", *f.ExpectedValue)
	}
	return []string{fact}
}

func when(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func decimal(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

func several(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}
