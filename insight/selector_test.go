package insight_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func where(path string, op insight.Comparison, value string) insight.Selector {
	return insight.Selector{Properties: []insight.PropertyCondition{{Path: path, Op: op, Value: json.RawMessage(value)}}}
}

func TestSelectorMatchesColumns(t *testing.T) {
	x := &insight.Interaction{
		Type: "page", Direction: insight.Inbound, OccurredAt: noon,
		Channel: &insight.Channel{Key: "email", Kind: insight.EmailChannel}, Currency: "EUR",
	}
	cases := map[string]struct {
		sel  insight.Selector
		want bool
	}{
		"the zero value":                 {insight.Selector{}, true},
		"any inbound":                    {insight.AnyInbound(), true},
		"outbound":                       {insight.Selector{Direction: insight.Outbound}, false},
		"one of the types":               {insight.Selector{Types: []string{"purchase", "page"}}, true},
		"none of the types":              {insight.Selector{Types: []string{"Page"}}, false},
		"one of the currencies":          {insight.Selector{Currencies: []string{"USD", "EUR"}}, true},
		"none of the currencies":         {insight.Selector{Currencies: []string{"USD"}}, false},
		"its channel":                    {insight.Selector{Channels: []string{"email"}}, true},
		"another channel":                {insight.Selector{Channels: []string{"web"}}, false},
		"its kind of channel":            {insight.Selector{ChannelKinds: []insight.ChannelKind{insight.EmailChannel}}, true},
		"its channel of another kind":    {insight.Selector{Channels: []string{"email"}, ChannelKinds: []insight.ChannelKind{insight.WebChannel}}, false},
		"from that very moment":          {insight.Selector{OccurredFrom: noon}, true},
		"to that very moment":            {insight.Selector{OccurredTo: noon}, false},
		"to a microsecond later":         {insight.Selector{OccurredTo: noon.Add(time.Microsecond)}, true},
		"a type and a channel too many":  {insight.Selector{Types: []string{"page"}, Channels: []string{"web"}}, false},
		"a property where there is none": {where("sku", insight.Exists, ""), false},
	}
	for name, c := range cases {
		if got := c.sel.Matches(x); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
	without := &insight.Interaction{Type: "page"}
	for _, sel := range []insight.Selector{{Channels: []string{"email"}}, {ChannelKinds: []insight.ChannelKind{insight.EmailChannel}}} {
		if sel.Matches(without) {
			t.Errorf("%+v: matches an interaction without a channel", sel)
		}
	}
}

// Each field that a selector has or will have makes it select less than everything.
func TestSelectorOfEverything(t *testing.T) {
	if !new(insight.Selector).Everything() {
		t.Error("the zero value does not select everything")
	}
	fields := reflect.TypeFor[insight.Selector]()
	for i := range fields.NumField() {
		var s insight.Selector
		f := reflect.ValueOf(&s).Elem().Field(i)
		switch f.Interface().(type) {
		case time.Time:
			f.Set(reflect.ValueOf(noon))
		case insight.Direction:
			f.Set(reflect.ValueOf(insight.Inbound))
		default:
			f.Set(reflect.MakeSlice(f.Type(), 1, 1))
		}
		if s.Everything() {
			t.Errorf("with %s it selects everything", fields.Field(i).Name)
		}
	}
}

func TestSelectorMatchesProperties(t *testing.T) {
	const properties = `{
		"category": "Garden", "total": 1, "price": 19.90, "big": 9007199254740993, "gone": null, "gift": true, "text": "10",
		"shipped": "2026-03-01T12:00:00+02:00", "tags": ["new", 7, "sale"], "products": [{"sku": "A-1"}, {"sku": "B-2"}], "by": {"0": "key"}
	}`
	cases := []struct {
		path, value string
		op          insight.Comparison
		want        bool
	}{
		{"category", `"Garden"`, insight.EQ, true},
		{"category", `"garden"`, insight.EQ, false},
		{"category", `"garden"`, insight.NE, true},
		{"total", `1.0`, insight.EQ, true},
		{"total", `100e-2`, insight.EQ, true},
		{"total", `"1"`, insight.EQ, false},
		{"total", `"1"`, insight.NE, true},
		{"price", `19.9`, insight.EQ, true},
		{"big", `9007199254740992`, insight.EQ, false},
		{"big", `9007199254740992`, insight.GT, true},
		{"total", `2`, insight.LT, true},
		{"total", `1`, insight.LT, false},
		{"total", `1`, insight.LTE, true},
		{"total", `-1`, insight.GTE, true},
		{"total", `"2"`, insight.LT, false},
		{"total", `1e999999999`, insight.LT, true},
		{"text", `"9"`, insight.LT, true}, // strings, not numbers
		{"shipped", `"2026-03-01T10:30:00Z"`, insight.LT, true},
		{"shipped", `"2026-03-01T10:00:00Z"`, insight.GTE, true},
		{"shipped", `"2026-03-01T10:00:00Z"`, insight.EQ, false}, // EQ is byte by byte
		{"shipped", `"2026-03-01"`, insight.GT, true},            // not a time: byte by byte
		{"gift", `true`, insight.EQ, true},
		{"gift", `false`, insight.LT, false},
		{"category", `["Home","Garden"]`, insight.IN, true},
		{"category", `["Home"]`, insight.IN, false},
		{"category", `["Home"]`, insight.NotIn, true},
		{"total", `[3, 1.00]`, insight.IN, true},
		{"total", `1`, insight.IN, false},
		{"category", `"ard"`, insight.Contains, true},
		{"category", `"x"`, insight.Contains, false},
		{"tags", `"sale"`, insight.Contains, true},
		{"tags", `"sal"`, insight.Contains, false},
		{"tags", `7.0`, insight.Contains, true},
		{"category", `"Gar"`, insight.StartsWith, true},
		{"category", `"den"`, insight.StartsWith, false},
		{"products.1.sku", `"B-2"`, insight.EQ, true},
		{"products.2.sku", `"B-2"`, insight.EQ, false},
		{"products.01.sku", `"B-2"`, insight.EQ, false},
		{"products.-1.sku", `"B-2"`, insight.NE, true},
		{"by.0", `"key"`, insight.EQ, true},
		{"category.length", ``, insight.Exists, false},
		{"products", ``, insight.Exists, true},
		{"gone", ``, insight.Exists, false},
		{"gone", ``, insight.NotExists, true},
		{"missing", ``, insight.NotExists, true},
		{"missing", `1`, insight.EQ, false},
		{"missing", `1`, insight.NE, true},
		{"missing", `[1]`, insight.NotIn, true},
		{"missing", `1`, insight.LT, false},
		{"category", `"Garden"`, "LIKE", false},
		{"missing", ``, insight.NE, false}, // a condition that Validate refuses holds for nothing
	}
	x := &insight.Interaction{Properties: json.RawMessage(properties)}
	for _, c := range cases {
		sel := where(c.path, c.op, c.value)
		if got := sel.Matches(x); got != c.want {
			t.Errorf("%s %s %s: got %v, want %v", c.path, c.op, c.value, got, c.want)
		}
	}
	for _, broken := range []string{``, `[1]`, `"text"`, `{"category":`, `{} {}`} {
		x := &insight.Interaction{Properties: json.RawMessage(broken)}
		sel := where("category", insight.NotExists, ``)
		if !sel.Matches(x) {
			t.Errorf("properties %q: have a category", broken)
		}
	}
}

func TestSelectorValidate(t *testing.T) {
	long := strings.Repeat("é", 201)
	cases := map[string]struct {
		sel  insight.Selector
		want []string // the faults' subjects
	}{
		"the zero value":   {insight.Selector{}, nil},
		"any inbound":      {insight.AnyInbound(), nil},
		"a good one":       {where("products.0.sku", insight.IN, `["A", 1, true]`), nil},
		"an empty string":  {where("sku", insight.EQ, `""`), nil},
		"a moment's range": {insight.Selector{OccurredFrom: noon, OccurredTo: noon}, nil},
		"empty lists": {
			insight.Selector{Types: []string{}, Channels: []string{}, ChannelKinds: []insight.ChannelKind{}, Properties: []insight.PropertyCondition{}},
			[]string{"where.types", "where.channels", "where.channelKinds", "where.properties"},
		},
		"bad currencies":     {insight.Selector{Currencies: []string{"EUR", "eur", "EURO"}}, []string{"where.currencies[1]", "where.currencies[2]"}},
		"long lists":         {insight.Selector{Types: slices.Repeat([]string{"page"}, 101)}, []string{"where.types"}},
		"bad texts":          {insight.Selector{Types: []string{"page", "", long, "a\x00", "\xff"}}, []string{"where.types[1]", "where.types[2]", "where.types[3]", "where.types[4]"}},
		"bad channels":       {insight.Selector{Channels: []string{""}, ChannelKinds: []insight.ChannelKind{"FAX"}}, []string{"where.channels[0]", "where.channelKinds[0]"}},
		"a direction":        {insight.Selector{Direction: 3}, []string{"where.direction"}},
		"a range reversed":   {insight.Selector{OccurredFrom: noon, OccurredTo: noon.Add(-1)}, []string{"where.occurredFrom"}},
		"an impossible year": {insight.Selector{OccurredTo: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}, []string{"where.occurredTo"}},
		"no path":            {where("", insight.Exists, ``), []string{"where.properties[0].path"}},
		"a path with a gap":  {where("a..b", insight.Exists, ``), []string{"where.properties[0].path"}},
		"a long path":        {where(long, insight.Exists, ``), []string{"where.properties[0].path"}},
		"a comparison":       {where("a", "LIKE", `1`), []string{"where.properties[0].op"}},
		"no value":           {where("a", insight.EQ, ``), []string{"where.properties[0].value"}},
		"not JSON":           {where("a", insight.EQ, `{`), []string{"where.properties[0].value"}},
		"two values":         {where("a", insight.EQ, `1 2`), []string{"where.properties[0].value"}},
		"null":               {where("a", insight.EQ, `null`), []string{"where.properties[0].value"}},
		"an object":          {where("a", insight.EQ, `{}`), []string{"where.properties[0].value"}},
		"IN without a list":  {where("a", insight.IN, `1`), []string{"where.properties[0].value"}},
		"IN with nothing":    {where("a", insight.NotIn, `[]`), []string{"where.properties[0].value"}},
		"IN with a list":     {where("a", insight.IN, `[1,[2],null]`), []string{"where.properties[0].value[1]", "where.properties[0].value[2]"}},
		"LT with a boolean":  {where("a", insight.LT, `true`), []string{"where.properties[0].value"}},
		"GTE with a list":    {where("a", insight.GTE, `[1]`), []string{"where.properties[0].value"}},
		"STARTS_WITH 1":      {where("a", insight.StartsWith, `1`), []string{"where.properties[0].value"}},
		"CONTAINS nothing":   {where("a", insight.Contains, `""`), []string{"where.properties[0].value"}},
		"a long value":       {where("a", insight.EQ, `"`+strings.Repeat("x", 1001)+`"`), []string{"where.properties[0].value"}},
		"the second of two": {
			insight.Selector{Properties: []insight.PropertyCondition{{Path: "a", Op: insight.Exists}, {Path: "b", Op: insight.GT}}},
			[]string{"where.properties[1].value"},
		},
	}
	for name, c := range cases {
		err := c.sel.Validate("where")
		if got := subjects(err); !slices.Equal(got, c.want) {
			t.Errorf("%s: faults at %q, want %q", name, got, c.want)
		}
		if err != nil && insight.KindOf(err) != insight.Invalid {
			t.Errorf("%s: kind %v", name, insight.KindOf(err))
		}
	}
	sel := insight.Selector{Direction: 3}
	if got := subjects(sel.Validate("")); !slices.Equal(got, []string{"direction"}) {
		t.Errorf("without a subject: faults at %q", got)
	}
}

func subjects(err error) []string {
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		return nil
	}
	var all []string
	for _, fault := range joined.Unwrap() {
		var e *insight.Error
		if !errors.As(fault, &e) {
			return append(all, "not an insight.Error: "+fault.Error())
		}
		all = append(all, e.Subject)
	}
	return all
}

// Numbers are in the order that exact rational arithmetic gives them.
func TestSelectorComparesNumbersExactly(t *testing.T) {
	number := rapid.Custom(func(t *rapid.T) string {
		text := rapid.StringMatching(`-?(0|[1-9][0-9]{0,19})(\.[0-9]{1,12})?`).Draw(t, "mantissa")
		if rapid.Bool().Draw(t, "with exponent") {
			text += fmt.Sprintf("e%+d", rapid.IntRange(-25, 25).Draw(t, "exponent"))
		}
		return text
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := number.Draw(t, "a"), number.Draw(t, "b")
		if rapid.IntRange(0, 3).Draw(t, "respell") == 0 {
			x, _ := new(big.Rat).SetString(a)
			b = x.FloatString(60) // the same number with other digits
		}
		x, _ := new(big.Rat).SetString(a)
		y, _ := new(big.Rat).SetString(b)
		order := x.Cmp(y)
		interaction := &insight.Interaction{Properties: json.RawMessage(`{"n":` + a + `}`)}
		for op, want := range map[insight.Comparison]bool{
			insight.EQ: order == 0, insight.NE: order != 0, insight.LT: order < 0, insight.LTE: order <= 0, insight.GT: order > 0, insight.GTE: order >= 0,
		} {
			sel := where("n", op, b)
			if got := sel.Matches(interaction); got != want {
				t.Fatalf("%s %s %s: got %v", a, op, b, got)
			}
		}
	})
}

// Whatever the property is, each negative comparison is the opposite of its
// positive one.
func TestSelectorOppositeComparisons(t *testing.T) {
	values := []string{`1`, `1.0`, `2`, `"1"`, `""`, `"2026-01-01T00:00:00Z"`, `true`, `false`, `[1,"1"]`, `{"a":1}`, `null`}
	for _, property := range values {
		x := &insight.Interaction{Properties: json.RawMessage(`{"p":` + property + `}`)}
		for _, value := range values[:8] {
			opposite(t, x, insight.EQ, insight.NE, value)
			opposite(t, x, insight.IN, insight.NotIn, `[`+value+`]`)
		}
		opposite(t, x, insight.Exists, insight.NotExists, ``)
	}
}

func opposite(t *testing.T, x *insight.Interaction, yes, no insight.Comparison, value string) {
	t.Helper()
	a, b := where("p", yes, value), where("p", no, value)
	if a.Matches(x) == b.Matches(x) {
		t.Errorf("%s of %s: %s and %s agree", value, x.Properties, yes, no)
	}
}

func FuzzSelectorMatches(f *testing.F) {
	f.Add("products.0.sku", "EQ", []byte(`"A"`), []byte(`{"products":[{"sku":"A"}]}`))
	f.Add("n", "LT", []byte(`1e999999999999999999999`), []byte(`{"n":-1e-99999999999999999999}`))
	f.Add("a", "IN", []byte(`[1,"x",null]`), []byte(`[[[`))
	f.Fuzz(func(t *testing.T, path, op string, value, properties []byte) {
		sel := where(path, insight.Comparison(op), string(value))
		x := &insight.Interaction{Properties: properties}
		matched := sel.Matches(x)
		if err := sel.Validate("where"); err == nil && sel.Matches(x) != matched {
			t.Error("matching twice differs")
		}
		both := insight.Selector{Properties: append(sel.Properties, sel.Properties...)}
		if both.Matches(x) != matched {
			t.Error("a condition given twice differs from given once")
		}
	})
}

func BenchmarkMatcher(b *testing.B) {
	x := &insight.Interaction{Properties: json.RawMessage(`{"category":"Garden","total":129.9,"products":[{"sku":"A-1","quantity":2}]}`)}
	sel := insight.Selector{Properties: []insight.PropertyCondition{
		{Path: "category", Op: insight.IN, Value: json.RawMessage(`["Home","Garden"]`)},
		{Path: "total", Op: insight.GTE, Value: json.RawMessage(`100`)},
	}}
	matches := sel.Matcher()
	b.ReportAllocs()
	for b.Loop() {
		if !matches(x) {
			b.Fatal("does not match")
		}
	}
}
