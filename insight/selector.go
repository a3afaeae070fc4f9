package insight

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Selector says which interactions. All conditions that are given hold; the zero
// value selects every interaction. What a missing selector means differs by
// question (see [AnyInbound]).
type Selector struct {
	Types        []string // any of these types
	Channels     []string // any of these channel keys
	ChannelKinds []ChannelKind
	Direction    Direction // zero: either
	Currencies   []string  // of their value, any of these ISO 4217 codes
	Properties   []PropertyCondition
	OccurredFrom time.Time // inclusive; zero: open
	OccurredTo   time.Time // exclusive; zero: open
}

// AnyInbound is what a missing selector means for questions about what the
// customer did: recency, sessions, frequency.
func AnyInbound() Selector { return Selector{Direction: Inbound} }

// Everything reports whether a selector selects every interaction.
func (s *Selector) Everything() bool {
	return len(s.Types)+len(s.Channels)+len(s.ChannelKinds)+len(s.Currencies)+len(s.Properties) == 0 &&
		s.Direction == 0 && s.OccurredFrom.IsZero() && s.OccurredTo.IsZero()
}

// Comparison is how a property is compared. The text is the API's.
type Comparison string

// The comparisons.
//
// A property that is absent and one that is null are the same. NE and NOT_IN are
// the exact opposites of EQ and IN, so they hold for an absent property; every
// other comparison with a value does not. Values of different JSON types are
// never equal and never in order: "1" is not 1.
//
// Numbers are compared exactly as decimals (1 is 1.0 is 1e0). Strings are equal
// byte by byte; LT, LTE, GT and GTE compare them as moments when both are RFC
// 3339 times, and byte by byte otherwise. CONTAINS looks for a string within a
// string, or for an element in an array.
const (
	EQ         Comparison = "EQ"
	NE         Comparison = "NE"
	LT         Comparison = "LT"
	LTE        Comparison = "LTE"
	GT         Comparison = "GT"
	GTE        Comparison = "GTE"
	IN         Comparison = "IN"
	NotIn      Comparison = "NOT_IN"
	Contains   Comparison = "CONTAINS"
	StartsWith Comparison = "STARTS_WITH"
	Exists     Comparison = "EXISTS"
	NotExists  Comparison = "NOT_EXISTS"
)

// PropertyCondition compares one property of an interaction with a value.
type PropertyCondition struct {
	Path  string // dotted: "category", "products.0.sku"
	Op    Comparison
	Value json.RawMessage // JSON; an array for IN and NOT_IN; ignored by EXISTS and NOT_EXISTS
}

// Bounds of a selector, so that matching one interaction is quick whoever asks.
const (
	maxSelectorEntries = 100   // in each of its lists
	maxSelectorText    = 200   // characters of a type, a channel's key, a path
	maxSelectorValue   = 1_000 // characters of a string that a property is compared with
)

// Validate refuses a selector that cannot be meant. Subject is the argument's
// name, such as "where"; it may be empty. All faults are reported together: the
// error joins one [Invalid] error for each, whose subject is the fault's path,
// such as "where.properties[1].value".
func (s *Selector) Validate(subject string) error {
	if subject != "" {
		subject += "."
	}
	f := &faults{prefix: subject}
	f.texts("types", s.Types)
	f.texts("channels", s.Channels)
	f.entries("channelKinds", len(s.ChannelKinds), s.ChannelKinds != nil)
	for i, kind := range s.ChannelKinds {
		if !slices.Contains(ChannelKinds, kind) {
			f.add(fmt.Sprintf("channelKinds[%d]", i), "there is no such kind of channel")
		}
	}
	if s.Direction > Outbound {
		f.add("direction", "there is no such direction")
	}
	f.texts("currencies", s.Currencies)
	for i, code := range s.Currencies {
		if len(code) != 3 || strings.ToUpper(code) != code {
			f.add(fmt.Sprintf("currencies[%d]", i), "it is not a code of ISO 4217, such as EUR")
		}
	}
	f.entries("properties", len(s.Properties), s.Properties != nil)
	for i := range s.Properties {
		f.condition(fmt.Sprintf("properties[%d]", i), &s.Properties[i])
	}
	f.moment("occurredFrom", s.OccurredFrom)
	f.moment("occurredTo", s.OccurredTo)
	if !s.OccurredFrom.IsZero() && !s.OccurredTo.IsZero() && s.OccurredFrom.After(s.OccurredTo) {
		f.add("occurredFrom", "it is after occurredTo")
	}
	return errors.Join(f.errs...)
}

// faults gathers what is wrong with a selector.
type faults struct {
	prefix string
	errs   []error
}

func (f *faults) add(path, message string) {
	f.errs = append(f.errs, NewError(Invalid, f.prefix+path, message))
}

func (f *faults) entries(path string, n int, given bool) {
	switch {
	case n > maxSelectorEntries:
		f.add(path, fmt.Sprintf("it has %d entries; at most %d are taken", n, maxSelectorEntries))
	case n == 0 && given:
		// An empty list could be meant as "none" or as "any": a wrong number is worse than an error.
		f.add(path, "the list is empty; leave it out to select any")
	}
}

func (f *faults) texts(path string, texts []string) {
	f.entries(path, len(texts), texts != nil)
	for i, text := range texts {
		f.text(fmt.Sprintf("%s[%d]", path, i), text, maxSelectorText)
	}
}

func (f *faults) text(path, text string, limit int) {
	switch {
	case text == "":
		f.add(path, "it is empty")
	case utf8.RuneCountInString(text) > limit:
		f.add(path, fmt.Sprintf("it is longer than %d characters", limit))
	case !utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0:
		f.add(path, "it holds a NUL or is not UTF-8")
	}
}

func (f *faults) moment(path string, t time.Time) {
	if t.IsZero() {
		return
	}
	if err := CheckTime(f.prefix+path, t); err != nil {
		f.errs = append(f.errs, err)
	}
}

func (f *faults) condition(path string, c *PropertyCondition) {
	f.text(path+".path", c.Path, maxSelectorText)
	if c.Path != "" && slices.Contains(strings.Split(c.Path, "."), "") {
		f.add(path+".path", "a part between its dots is empty")
	}
	f.comparison(path, c.Op, c.Value)
}

func (f *faults) comparison(path string, op Comparison, text json.RawMessage) {
	switch op {
	case Exists, NotExists:
		return
	case EQ, NE, LT, LTE, GT, GTE, IN, NotIn, Contains, StartsWith:
	default:
		f.add(path+".op", "there is no such comparison")
		return
	}
	path += ".value"
	value, ok := decode(text)
	if !ok {
		f.add(path, "it is missing or not JSON")
		return
	}
	if value == nil {
		f.add(path, "nothing compares with null; use EXISTS or NOT_EXISTS")
		return
	}
	list, isList := value.([]any)
	if op != IN && op != NotIn {
		f.operand(path, op, value)
		return
	}
	if !isList {
		f.add(path, "IN and NOT_IN take an array")
		return
	}
	f.entries(path, len(list), true)
	for i, element := range list {
		f.operand(fmt.Sprintf("%s[%d]", path, i), EQ, element)
	}
}

func (f *faults) operand(path string, op Comparison, value any) {
	text, isText := value.(string)
	_, isNumber := value.(json.Number)
	_, isBool := value.(bool)
	switch {
	case isText && text == "":
		if op == Contains || op == StartsWith {
			f.add(path, "it is empty")
		}
	case isText:
		f.text(path, text, maxSelectorValue)
	case op == StartsWith:
		f.add(path, "STARTS_WITH takes a string")
	case isBool && (op == EQ || op == NE || op == Contains):
	case isNumber:
	case op == LT || op == LTE || op == GT || op == GTE:
		f.add(path, string(op)+" takes a number, an RFC 3339 time or a string")
	default:
		f.add(path, "it is not a string, a number or a boolean")
	}
}

// Matches reports whether the selector selects an interaction. It is meant for
// one interaction; for many, [Selector.Matcher] reads the selector once. The
// selector is one that [Selector.Validate] accepts: a condition that it would
// refuse holds for nothing.
//
// A property's path goes through objects by key and through arrays by index from
// 0; a key that holds a dot cannot be named. Properties that are not a JSON
// object are as none.
func (s *Selector) Matches(x *Interaction) bool { return s.Matcher()(x) }

// Matcher returns the selector as a function, which is safe for concurrent use
// and does not see later changes to the selector's conditions on properties.
func (s *Selector) Matcher() func(*Interaction) bool {
	conditions := make([]condition, len(s.Properties))
	for i, c := range s.Properties {
		conditions[i] = readCondition(c.Op, c.Value)
		conditions[i].path = strings.Split(c.Path, ".")
	}
	outer := *s
	return func(x *Interaction) bool {
		return outer.matchesColumns(x) && matchesProperties(conditions, x.Properties)
	}
}

func (s *Selector) matchesColumns(x *Interaction) bool {
	switch {
	case s.Direction != 0 && x.Direction != s.Direction,
		!s.OccurredFrom.IsZero() && x.OccurredAt.Before(s.OccurredFrom),
		!s.OccurredTo.IsZero() && !x.OccurredAt.Before(s.OccurredTo),
		len(s.Types) > 0 && !slices.Contains(s.Types, x.Type),
		len(s.Currencies) > 0 && !slices.Contains(s.Currencies, x.Currency):
		return false
	case len(s.Channels) == 0 && len(s.ChannelKinds) == 0:
		return true
	case x.Channel == nil:
		return false
	}
	return (len(s.Channels) == 0 || slices.Contains(s.Channels, x.Channel.Key)) &&
		(len(s.ChannelKinds) == 0 || slices.Contains(s.ChannelKinds, x.Channel.Kind))
}

// condition is a PropertyCondition, read.
type condition struct {
	path  []string
	op    Comparison
	value any
	known bool // whether there is a value
}

func readCondition(op Comparison, text json.RawMessage) condition {
	value, ok := decode(text)
	return condition{op: op, value: value, known: ok && value != nil}
}

func matchesProperties(conditions []condition, properties json.RawMessage) bool {
	if len(conditions) == 0 {
		return true
	}
	decoded, _ := decode(properties)
	if _, isObject := decoded.(map[string]any); !isObject {
		decoded = nil
	}
	for i := range conditions {
		if !conditions[i].holds(walk(decoded, conditions[i].path)) {
			return false
		}
	}
	return true
}

func (c *condition) holds(property any) bool {
	switch c.op {
	case Exists:
		return property != nil
	case NotExists:
		return property == nil
	}
	if !c.known {
		return false
	}
	switch c.op {
	case EQ:
		return equal(property, c.value)
	case NE:
		return !equal(property, c.value)
	case IN, NotIn:
		list, isList := c.value.([]any)
		return isList && contains(list, property) == (c.op == IN)
	case Contains:
		if list, isList := property.([]any); isList {
			return contains(list, c.value)
		}
		text, part, ok := bothText(property, c.value)
		return ok && strings.Contains(text, part)
	case StartsWith:
		text, part, ok := bothText(property, c.value)
		return ok && strings.HasPrefix(text, part)
	}
	order, ok := compare(property, c.value)
	if !ok {
		return false
	}
	switch c.op {
	case LT:
		return order < 0
	case LTE:
		return order <= 0
	case GT:
		return order > 0
	case GTE:
		return order >= 0
	}
	return false
}

// walk follows a path; nil where it leads nowhere.
func walk(value any, path []string) any {
	for _, part := range path {
		switch node := value.(type) {
		case map[string]any:
			value = node[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(node) || strconv.Itoa(i) != part {
				return nil
			}
			value = node[i]
		default:
			return nil
		}
	}
	return value
}

// decode reads one JSON value and keeps its numbers as they are written.
func decode(text json.RawMessage) (any, bool) {
	if len(text) == 0 {
		return nil, false
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil || decoder.InputOffset() < int64(len(bytes.TrimRight(text, " \t\r\n"))) {
		return nil, false
	}
	return value, true
}

func contains(list []any, value any) bool {
	return slices.ContainsFunc(list, func(element any) bool { return equal(element, value) })
}

func bothText(a, b any) (x, y string, ok bool) {
	x, isText := a.(string)
	y, areTexts := b.(string)
	return x, y, isText && areTexts
}

func equal(a, b any) bool {
	switch a := a.(type) {
	case string:
		b, ok := b.(string)
		return ok && a == b
	case bool:
		b, ok := b.(bool)
		return ok && a == b
	case json.Number:
		b, ok := b.(json.Number)
		return ok && (a == b || newDecimal(a).compare(newDecimal(b)) == 0)
	}
	return false
}

func compare(a, b any) (order int, ok bool) {
	if x, y, areTexts := bothText(a, b); areTexts {
		t, err := time.Parse(time.RFC3339, x)
		if err != nil {
			return strings.Compare(x, y), true
		}
		u, err := time.Parse(time.RFC3339, y)
		if err != nil {
			return strings.Compare(x, y), true
		}
		return t.Compare(u), true
	}
	x, isNumber := a.(json.Number)
	y, areNumbers := b.(json.Number)
	if !isNumber || !areNumbers {
		return 0, false
	}
	return newDecimal(x).compare(newDecimal(y)), true
}
