package segment

import (
	"fmt"
	"strings"
	"time"

	"github.com/acquaint/acquaint/insight"
)

// inWords says a leaf.
func inWords(r *Rule) string {
	switch {
	case r.Trait != nil:
		return traitInWords(r.Trait)
	case r.Event != nil:
		return selected(&r.Event.Event) + times(r.Event) + within(r.Event.Within)
	case r.Recency != nil:
		return recencyInWords(r.Recency)
	case r.Monetary != nil:
		return "values of " + selected(&r.Monetary.Event) + bounds(r.Monetary.AtLeast, r.Monetary.AtMost, decimal) + within(r.Monetary.Within)
	case r.Sequence != nil:
		steps := make([]string, len(r.Sequence.Steps))
		for i := range steps {
			steps[i] = selected(&r.Sequence.Steps[i])
		}
		return strings.Join(steps, ", then ") + within(r.Sequence.Within)
	case r.RFM != nil:
		return rfmInWords(r.RFM)
	case r.Relationship != nil:
		return "the relationship is " + either(r.Relationship)
	case r.Lifetime != nil:
		return lifetimeInWords(r.Lifetime)
	case r.Consent != "":
		return r.Consent + " covers them"
	}
	return "everyone"
}

func traitInWords(r *insight.TraitRule) string {
	text := "trait " + r.Key + " " + string(r.Op)
	if r.Value != nil && r.Op != insight.Exists && r.Op != insight.NotExists {
		text += " " + string(r.Value)
	}
	if r.MinConfidence > 0 {
		text += " with confidence at least " + decimal(r.MinConfidence)
	}
	if r.Provenance != nil {
		known := make([]string, len(r.Provenance))
		for i, p := range r.Provenance {
			known[i] = provenances.of(p)
		}
		text += ", " + either(known)
	}
	return text
}

func times(e *Event) string {
	if e.AtLeast == nil && e.AtMost == nil {
		return ""
	}
	return bounds(e.AtLeast, e.AtMost, func(n int) string { return several(n, "time") })
}

func within(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return " within " + insight.FormatDuration(d)
}

func bounds[T any](least, most *T, say func(T) string) string {
	var parts []string
	if least != nil {
		parts = append(parts, "at least "+say(*least))
	}
	if most != nil {
		parts = append(parts, "at most "+say(*most))
	}
	if parts == nil {
		return ""
	}
	return " " + strings.Join(parts, " and ")
}

func recencyInWords(r *Recency) string {
	event := r.Event
	if event == nil {
		event = some(insight.AnyInbound())
	}
	text := "last " + selected(event)
	if r.AtLeast != nil || r.AtMost != nil {
		text += bounds(r.AtLeast, r.AtMost, insight.FormatDuration) + " ago"
	}
	if r.Overdue != nil {
		text += map[bool]string{true: ", overdue", false: ", not overdue"}[*r.Overdue]
	}
	return text
}

func rfmInWords(r *RFM) string {
	var parts []string
	for _, score := range []struct {
		name string
		of   []int
	}{{"recency", r.R}, {"frequency", r.F}, {"monetary", r.M}} {
		if score.of != nil {
			parts = append(parts, score.name+" score "+either(score.of))
		}
	}
	if r.Segments != nil {
		parts = append(parts, "RFM segment "+either(r.Segments))
	}
	return strings.Join(parts, ", ")
}

func lifetimeInWords(l *Lifetime) string {
	var parts []string
	if l.ProbabilityAliveAtLeast != nil || l.ProbabilityAliveAtMost != nil {
		parts = append(parts, "still a customer with a probability of"+bounds(l.ProbabilityAliveAtLeast, l.ProbabilityAliveAtMost, decimal))
	}
	if l.ExpectedValueAtLeast != nil {
		parts = append(parts, "expected value at least "+decimal(*l.ExpectedValueAtLeast))
	}
	return strings.Join(parts, ", ")
}

// selected says a selector.
func selected(s *insight.Selector) string {
	text := "any interaction"
	if s.Types != nil {
		text = either(s.Types)
	}
	if s.Direction != 0 {
		text += ", " + strings.ToLower(directions.of(s.Direction))
	}
	if s.Channels != nil {
		text += ", on " + either(s.Channels)
	}
	if s.ChannelKinds != nil {
		text += ", on " + either(s.ChannelKinds)
	}
	if s.Currencies != nil {
		text += ", in " + either(s.Currencies)
	}
	for _, c := range s.Properties {
		text += ", " + c.Path + " " + string(c.Op)
		if c.Value != nil && c.Op != insight.Exists && c.Op != insight.NotExists {
			text += " " + string(c.Value)
		}
	}
	if !s.OccurredFrom.IsZero() {
		text += ", from " + when(s.OccurredFrom)
	}
	if !s.OccurredTo.IsZero() {
		text += ", before " + when(s.OccurredTo)
	}
	return text
}

func either[T any](of []T) string {
	parts := make([]string, len(of))
	for i, one := range of {
		parts[i] = fmt.Sprint(one)
	}
	return strings.Join(parts, " or ")
}
