package experience

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/acquaint/acquaint/insight"
)

// paths are what the errors within an error are about.
func paths(t *testing.T, err error) []string {
	var all []string
	if err == nil {
		return nil
	}
	for _, e := range err.(interface{ Unwrap() []error }).Unwrap() { //nolint:errorlint // the node itself
		if insight.KindOf(e) != insight.Invalid {
			t.Errorf("%v is of kind %v", e, insight.KindOf(e))
		}
		all = append(all, e.(*insight.Error).Subject) //nolint:errorlint // the leaf itself
	}
	return all
}

func TestValidate(t *testing.T) {
	whole := func(change func(*Experience)) *Experience {
		e := &Experience{
			Key: "garden_tips", Name: "Garden tips", Purpose: &insight.Purpose{Key: "personalization"}, Salt: "pepper", Holdout: 0.1,
			Variants: []Variant{
				{Key: "tips", Name: "Tips", Benefit: "tips for the season", Segment: "gardeners", Payload: []byte(` {"a":1} `), Weight: 3},
				{Key: "hello", Benefit: "a greeting", Traits: []string{"first_name"}},
			},
			Cap: &Cap{Count: 2, Per: insight.Week},
		}
		change(e)
		return e
	}
	for name, c := range map[string]struct {
		change func(*Experience)
		want   []string
	}{
		"as it is":   {func(*Experience) {}, nil},
		"no cap":     {func(e *Experience) { e.Cap = nil }, nil},
		"no holdout": {func(e *Experience) { e.Holdout = 0 }, nil},
		"empty":      {func(e *Experience) { *e = Experience{} }, []string{"key", "name", "purpose", "salt", "variants"}},
		"texts": {func(e *Experience) {
			e.Key, e.Name, e.Description, e.Salt = "a\nb", " a", strings.Repeat("a", 1001), strings.Repeat("a", 201)
		}, []string{"key", "name", "description", "salt"}},
		"everyone held out":    {func(e *Experience) { e.Holdout = 1 }, []string{"holdout"}},
		"less than nobody":     {func(e *Experience) { e.Holdout = -0.1 }, []string{"holdout"}},
		"a share of no number": {func(e *Experience) { e.Holdout = math.NaN() }, []string{"holdout"}},
		"eleven": {func(e *Experience) {
			for i := range 9 {
				e.Variants = append(e.Variants, Variant{Key: strings.Repeat("v", i+1), Benefit: "b"})
			}
		}, []string{"variants"}},
		"a key twice": {func(e *Experience) { e.Variants[1].Key = "tips" }, []string{"variants[1].key"}},
		"reserved":    {func(e *Experience) { e.Variants[0].Key = "holdout" }, []string{"variants[0].key"}},
		"a variant of faults": {func(e *Experience) {
			e.Variants[1] = Variant{Name: "\x00", Benefit: " \n", Segment: " ", Payload: []byte(`[1]`), Traits: []string{"a", "", "a"}, Weight: -1}
		}, []string{"variants[1].key", "variants[1].name", "variants[1].benefit", "variants[1].segment", "variants[1].payload", "variants[1].traits[1]", "variants[1].traits[2]", "variants[1].weight"}},
		"the largest payload": {func(e *Experience) {
			e.Variants[0].Payload = []byte(`{"a":"` + strings.Repeat("a", MaxPayload-8) + `"}`)
		}, nil},
		"a larger payload": {func(e *Experience) {
			e.Variants[0].Payload = []byte(`{"a":"` + strings.Repeat("a", MaxPayload-7) + `"}`)
		}, []string{"variants[0].payload"}},
		"two payloads":           {func(e *Experience) { e.Variants[0].Payload = []byte(`{}{}`) }, []string{"variants[0].payload"}},
		"a blank payload":        {func(e *Experience) { e.Variants[0].Payload = []byte(` `) }, []string{"variants[0].payload"}},
		"a null payload":         {func(e *Experience) { e.Variants[0].Payload = []byte(`null`) }, []string{"variants[0].payload"}},
		"too many traits":        {func(e *Experience) { e.Variants[0].Traits = make([]string, 51) }, []string{"variants[0].traits"}},
		"a weight of no number":  {func(e *Experience) { e.Variants[0].Weight = math.NaN() }, []string{"variants[0].weight"}},
		"a weight without end":   {func(e *Experience) { e.Variants[0].Weight = math.Inf(1) }, []string{"variants[0].weight"}},
		"a weight of hardly any": {func(e *Experience) { e.Variants[0].Weight = 1e-300 }, []string{"variants[0].weight"}},
		"a cap of nothing":       {func(e *Experience) { e.Cap = &Cap{} }, []string{"cap.count", "cap.per"}},
		"a cap of an age":        {func(e *Experience) { e.Cap = &Cap{Count: 1, Per: 10*insight.Year + time.Microsecond} }, []string{"cap.per"}},
		"a cap of very many":     {func(e *Experience) { e.Cap = &Cap{Count: 1_000_001, Per: insight.Day} }, []string{"cap.count"}},
	} {
		if got := paths(t, whole(c.change).Validate()); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
