package segment

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/relationship"
)

const (
	maxText    = 64 << 10 // bytes of a rule's JSON
	maxNesting = 64       // brackets of it within each other
)

// Read reads a rule from JSON, which has the shape of the API's input SegmentRule. It
// is strict: what is unknown, there twice, null, or behind the rule is an
// insight.Invalid error whose subject is the path, such as rule.all[0].event.types;
// so is a text over 64 KB, and more than 64 brackets within each other. Whether the
// rule can be meant is for [Rule.Validate] to say.
func Read(text []byte) (*Rule, error) {
	const subject = "rule"
	switch {
	case len(text) > maxText:
		return nil, insight.NewError(insight.Invalid, subject, "its JSON is longer than 64 KB")
	case nesting(text) > maxNesting:
		return nil, insight.NewError(insight.Invalid, subject, fmt.Sprintf("it is nested deeper than %d brackets", maxNesting))
	case !utf8.Valid(text) || !json.Valid(text):
		return nil, insight.NewError(insight.Invalid, subject, "it is not JSON in UTF-8")
	}
	in := &reader{json.NewDecoder(bytes.NewReader(text)), nil}
	in.UseNumber()
	if r := in.rule(subject); in.err == nil {
		return r, nil
	}
	return nil, in.err
}

// nesting is how many brackets are open at most.
func nesting(text []byte) int {
	deepest, open, quoted := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			quoted = !quoted
		case quoted && c == '\\':
			i++
		case quoted:
		case c == '{' || c == '[':
			open++
			deepest = max(deepest, open)
		case c == '}' || c == ']':
			open--
		}
	}
	return deepest
}

// reader reads valid JSON until the first fault, which it keeps; what it answers from
// then on is nothing.
type reader struct {
	*json.Decoder
	err error
}

func (in *reader) refuse(path, message string) {
	if in.err == nil {
		in.err = insight.NewError(insight.Invalid, path, message)
	}
}

// token is the next token if it is one of T.
func token[T any](in *reader, path, otherwise string) (t T, ok bool) {
	if in.err != nil {
		return t, false
	}
	next, err := in.Token()
	if t, ok = next.(T); err == nil && ok {
		return t, true
	}
	if next == nil {
		otherwise = "it is null; leave it out"
	}
	in.refuse(path, otherwise)
	return t, false
}

func (in *reader) open(path string, bracket json.Delim, otherwise string) bool {
	if opened, ok := token[json.Delim](in, path, otherwise); !ok || opened != bracket {
		in.refuse(path, otherwise)
	}
	return in.err == nil
}

func (in *reader) close() {
	if in.err == nil {
		_, _ = in.Token() // the text is valid
	}
}

// object reads an object's members, of which some must be there; field is false for one
// that does not exist.
func (in *reader) object(path string, field func(name, path string) bool, needed ...string) {
	if !in.open(path, '{', "it is not an object") {
		return
	}
	var seen []string
	for in.err == nil && in.More() {
		name, _ := token[string](in, path, "")
		at := path + "." + name
		if slices.Contains(seen, name) {
			in.refuse(path, fmt.Sprintf("it has %q twice", name))
		} else if !field(name, at) {
			in.refuse(path, fmt.Sprintf("there is no %q here", name))
		}
		seen = append(seen, name)
	}
	for _, name := range needed {
		if !slices.Contains(seen, name) {
			in.refuse(path, fmt.Sprintf("it has no %q", name))
		}
	}
	in.close()
}

// list reads an array; it is not nil, and empty where the array is.
func list[T any](in *reader, path string, read func(path string) T) []T {
	all := []T{}
	if !in.open(path, '[', "it is not a list") {
		return nil
	}
	for i := 0; in.err == nil && in.More(); i++ {
		all = append(all, read(fmt.Sprintf("%s[%d]", path, i)))
	}
	in.close()
	return all
}

func (in *reader) text(path string) string {
	text, ok := token[string](in, path, "it is not a text")
	if ok && text == "" {
		in.refuse(path, "it is empty")
	}
	return text
}

func (in *reader) bool(path string) bool {
	is, _ := token[bool](in, path, "it is neither true nor false")
	return is
}

func (in *reader) whole(path string) int {
	text, _ := token[json.Number](in, path, "it is not a whole number")
	n, err := strconv.Atoi(string(text))
	if err != nil {
		in.refuse(path, "it is not a whole number")
	}
	return n
}

func (in *reader) number(path string) float64 {
	text, _ := token[json.Number](in, path, "it is not a number")
	x, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		in.refuse(path, "it is not a number, or too large")
	}
	return x
}

func (in *reader) span(path string) time.Duration {
	text, ok := token[string](in, path, "it is not a duration, such as P30D")
	if !ok {
		return 0
	}
	d, err := insight.ParseDuration(text)
	if err != nil {
		in.refuse(path, err.Error())
	}
	return d
}

// within is a span for which nothing stands for ever.
func (in *reader) within(path string) time.Duration {
	d := in.span(path)
	if d == 0 {
		in.refuse(path, "it is no time at all; without it, ever is meant")
	}
	return d
}

func (in *reader) time(path string) time.Time {
	text, ok := token[string](in, path, "it is not a time of RFC 3339")
	if !ok {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || insight.Moment(at).IsZero() {
		in.refuse(path, "it is not a time of RFC 3339 after the beginning of the year 1")
	}
	return insight.Moment(at)
}

// value is any JSON in the one form in which it is written, nil for null.
func (in *reader) value(path string) json.RawMessage {
	var value any
	if in.err != nil {
		return nil
	}
	if err := in.Decode(&value); err != nil {
		in.refuse(path, "it is not JSON")
	}
	if value == nil {
		return nil
	}
	text, err := json.Marshal(value)
	if err != nil {
		in.refuse(path, "it is not JSON")
	}
	return text
}

func some[T any](value T) *T { return &value }

func (in *reader) rule(path string) *Rule {
	r, set := &Rule{}, 0
	in.object(path, func(name, at string) bool {
		if set++; set > 1 {
			in.refuse(path, "it has more than one member; all and any combine rules")
		}
		switch name {
		case "all":
			r.All = list(in, at, in.rule)
		case "any":
			r.Any = list(in, at, in.rule)
		case "not":
			r.Not = in.rule(at)
		case "trait":
			r.Trait = in.trait(at)
		case "event":
			r.Event = in.event(at)
		case "recency":
			r.Recency = in.recency(at)
		case "monetary":
			r.Monetary = in.monetary(at)
		case "sequence":
			r.Sequence = in.sequence(at)
		case "rfm":
			r.RFM = in.rfm(at)
		case "relationship":
			r.Relationship = list(in, at, func(at string) relationship.Status { return relationship.Status(in.text(at)) })
		case "lifetime":
			r.Lifetime = in.lifetime(at)
		case "consent":
			r.Consent = in.text(at)
		case "segment":
			r.Segment = in.text(at)
		case "everyone":
			if r.Everyone = in.bool(at); !r.Everyone {
				in.refuse(at, "it is false; nobody is no segment")
			}
		default:
			return false
		}
		return true
	})
	if set == 0 {
		in.refuse(path, "it says nothing; one member is set")
	}
	return r
}

func (in *reader) selector(path string) insight.Selector {
	var s insight.Selector
	in.object(path, func(name, at string) bool {
		switch name {
		case "types":
			s.Types = list(in, at, in.text)
		case "channels":
			s.Channels = list(in, at, in.text)
		case "channelKinds":
			s.ChannelKinds = list(in, at, func(at string) insight.ChannelKind { return insight.ChannelKind(in.text(at)) })
		case "direction":
			s.Direction = directions.read(in, at)
		case "currencies":
			s.Currencies = list(in, at, in.text)
		case "properties":
			s.Properties = list(in, at, in.condition)
		case "occurredFrom":
			s.OccurredFrom = in.time(at)
		case "occurredTo":
			s.OccurredTo = in.time(at)
		default:
			return false
		}
		return true
	})
	return s
}

func (in *reader) condition(path string) insight.PropertyCondition {
	var c insight.PropertyCondition
	in.object(path, func(name, at string) bool {
		switch name {
		case "path":
			c.Path = in.text(at)
		case "op":
			c.Op = insight.Comparison(in.text(at))
		case "value":
			c.Value = in.value(at)
		default:
			return false
		}
		return true
	}, "path", "op")
	return c
}

func (in *reader) trait(path string) *insight.TraitRule {
	r := &insight.TraitRule{}
	in.object(path, func(name, at string) bool {
		switch name {
		case "key":
			r.Key = in.text(at)
		case "op":
			r.Op = insight.Comparison(in.text(at))
		case "value":
			r.Value = in.value(at)
		case "minConfidence":
			r.MinConfidence = in.number(at)
		case "provenance":
			r.Provenance = list(in, at, func(at string) insight.Provenance { return provenances.read(in, at) })
		default:
			return false
		}
		return true
	}, "key", "op")
	return r
}

func (in *reader) event(path string) *Event {
	e := &Event{}
	in.object(path, func(name, at string) bool {
		switch name {
		case "event":
			e.Event = in.selector(at)
		case "atLeast":
			e.AtLeast = some(in.whole(at))
		case "atMost":
			e.AtMost = some(in.whole(at))
		case "within":
			e.Within = in.within(at)
		default:
			return false
		}
		return true
	}, "event")
	return e
}

func (in *reader) recency(path string) *Recency {
	r := &Recency{}
	in.object(path, func(name, at string) bool {
		switch name {
		case "event":
			r.Event = some(in.selector(at))
		case "atLeast":
			r.AtLeast = some(in.span(at))
		case "atMost":
			r.AtMost = some(in.span(at))
		case "overdue":
			r.Overdue = some(in.bool(at))
		default:
			return false
		}
		return true
	})
	return r
}

func (in *reader) monetary(path string) *Monetary {
	m := &Monetary{}
	in.object(path, func(name, at string) bool {
		switch name {
		case "event":
			m.Event = in.selector(at)
		case "atLeast":
			m.AtLeast = some(in.number(at))
		case "atMost":
			m.AtMost = some(in.number(at))
		case "within":
			m.Within = in.within(at)
		default:
			return false
		}
		return true
	}, "event")
	return m
}

func (in *reader) sequence(path string) *Sequence {
	s := &Sequence{}
	in.object(path, func(name, at string) bool {
		switch name {
		case "steps":
			s.Steps = list(in, at, in.selector)
		case "within":
			s.Within = in.within(at)
		default:
			return false
		}
		return true
	}, "steps")
	return s
}

func (in *reader) rfm(path string) *RFM {
	r := &RFM{}
	in.object(path, func(name, at string) bool {
		switch name {
		case "r":
			r.R = list(in, at, in.whole)
		case "f":
			r.F = list(in, at, in.whole)
		case "m":
			r.M = list(in, at, in.whole)
		case "segments":
			r.Segments = list(in, at, in.text)
		default:
			return false
		}
		return true
	})
	return r
}

func (in *reader) lifetime(path string) *Lifetime {
	l := &Lifetime{}
	in.object(path, func(name, at string) bool {
		switch name {
		case "probabilityAliveAtLeast":
			l.ProbabilityAliveAtLeast = some(in.number(at))
		case "probabilityAliveAtMost":
			l.ProbabilityAliveAtMost = some(in.number(at))
		case "expectedValueAtLeast":
			l.ExpectedValueAtLeast = some(in.number(at))
		default:
			return false
		}
		return true
	})
	return l
}

// names are the API's names of the values from 1 on.
type names[T ~uint8] []string

var (
	directions  = names[insight.Direction]{"INBOUND", "OUTBOUND"}
	provenances = names[insight.Provenance]{"DECLARED", "OBSERVED", "INFERRED"}
)

func (n names[T]) read(in *reader, path string) T {
	i := slices.Index(n, in.text(path))
	if i < 0 {
		in.refuse(path, fmt.Sprintf("it is none of %q", []string(n)))
	}
	return T(i + 1)
}

func (n names[T]) of(value T) string {
	if i := int(value) - 1; i >= 0 && i < len(n) {
		return n[i]
	}
	return ""
}
