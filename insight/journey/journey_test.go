package journey_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/journey"
	"github.com/acquaint/acquaint/internal/script"
)

func TestScripts(t *testing.T) {
	script.Run(t, "testdata/touchpoints.txt", func(q script.Question) ([]string, error) {
		timeline, err := script.Timeline(q.Load)
		if err != nil {
			return nil, err
		}
		options := journey.Options{Lookback: journey.DefaultLookback}
		if options.AsOf, err = script.Time(q.Ask.Option("asOf")); err != nil {
			return nil, err
		}
		if text := q.Ask.Option("lookback"); text != "" {
			if options.Lookback, err = insight.ParseDuration(text); err != nil {
				return nil, err
			}
		}
		if types := q.Ask.Option("conversion"); types != "" {
			options.Conversion = &insight.Selector{Types: strings.Split(types, ",")}
		}
		if err := options.Validate(); err != nil {
			return nil, err
		}
		if q.Ask.Words[0] == "all" {
			return tell(journey.All(timeline, options)), nil
		}
		if current := journey.Of(timeline, options); len(current.Touchpoints) > 0 {
			return tell([]journey.Journey{current}), nil
		}
		return nil, nil
	})
}

func tell(all []journey.Journey) []string {
	var lines []string
	for _, j := range all {
		end := "open"
		if !j.EndedAt.IsZero() {
			end = map[bool]string{true: "converted ", false: "ended "}[j.Converted] + j.EndedAt.Format(time.RFC3339)
		}
		lines = append(lines, fmt.Sprintf("journey from %s, %s", j.StartedAt.Format(time.RFC3339), end))
		for i, p := range j.Touchpoints {
			line := fmt.Sprintf("%s %d %s", p.Channel.Key, p.Interactions, strings.Join(p.Types, ","))
			if i > 0 {
				line += " after " + insight.FormatDuration(p.SincePrevious)
			}
			lines = append(lines, line)
		}
	}
	return lines
}

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func timeline(t *rapid.T) insight.Timeline {
	var all insight.Timeline
	for i := range rapid.IntRange(0, 15).Draw(t, "interactions") {
		key := rapid.SampledFrom([]string{"web", "store", "email"}).Draw(t, "channel")
		all = append(all, &insight.Interaction{
			ID: uuid.UUID{15: byte(i)}, Type: rapid.SampledFrom([]string{"page", "product", "purchase"}).Draw(t, "type"),
			Direction: insight.Direction(rapid.IntRange(1, 2).Draw(t, "direction")), Channel: &insight.Channel{Key: key},
			OccurredAt: start.Add(time.Duration(rapid.IntRange(0, 60).Draw(t, "hour")) * time.Hour),
		})
	}
	return all
}

func TestLaws(t *testing.T) {
	conversion := &insight.Selector{Types: []string{"purchase"}}
	rapid.Check(t, func(t *rapid.T) {
		came := timeline(t)
		options := journey.Options{
			Lookback: time.Duration(rapid.IntRange(1, 20).Draw(t, "lookback")) * time.Hour,
			AsOf:     start.Add(time.Duration(rapid.IntRange(-1, 90).Draw(t, "asOf")) * time.Hour),
		}
		if rapid.Bool().Draw(t, "with a conversion") {
			options.Conversion = conversion
		}
		all := journey.All(came, options)

		shuffled := append(slices.Clone(came), came[:rapid.IntRange(0, len(came)).Draw(t, "repeated")]...)
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if diff := cmp.Diff(all, journey.All(shuffled, options)); diff != "" {
			t.Fatalf("arrival matters:\n%s", diff)
		}
		known := slices.DeleteFunc(slices.Clone(came), func(x *insight.Interaction) bool { return x.OccurredAt.After(options.AsOf) })
		if diff := cmp.Diff(all, journey.All(known, options)); diff != "" {
			t.Fatalf("what had not happened matters:\n%s", diff)
		}
		current := journey.Journey{}
		if len(all) > 0 {
			current = all[len(all)-1]
		}
		if diff := cmp.Diff(current, journey.Of(came, options)); diff != "" {
			t.Fatalf("the current journey is not the last:\n%s", diff)
		}
		partition(t, all, known.Ordered(), options)
	})
}

// partition retells the interactions from the journeys: each is in one of them,
// in order, and each border is where the rule puts it.
func partition(t *rapid.T, all []journey.Journey, known insight.Timeline, options journey.Options) {
	rest := known
	for i, j := range all {
		var inside insight.Timeline
		for k, p := range j.Touchpoints {
			if p.Interactions < 1 || p.Interactions > len(rest) {
				t.Fatalf("a touchpoint of %d interactions where %d are left", p.Interactions, len(rest))
			}
			at := rest[:p.Interactions]
			rest = rest[p.Interactions:]
			retell(t, p, at)
			if k > 0 && (j.Touchpoints[k-1].Channel.Key == p.Channel.Key || p.SincePrevious != p.FirstAt.Sub(j.Touchpoints[k-1].LastAt)) {
				t.Fatalf("touchpoint %d does not follow from the one before: %+v", k, p)
			}
			inside = append(inside, at...)
		}
		if j.Interactions() != len(inside) || !j.StartedAt.Equal(inside[0].OccurredAt) {
			t.Fatalf("%d interactions from %v: %+v", len(inside), inside[0].OccurredAt, j)
		}
		for k, x := range inside {
			last := k == len(inside)-1
			if options.Conversion != nil && options.Conversion.Matches(x) && (!last || !j.Converted || !j.EndedAt.Equal(x.OccurredAt)) {
				t.Fatalf("journey %d does not end at its conversion", i)
			}
			if k > 0 && x.OccurredAt.Sub(inside[k-1].OccurredAt) > options.Lookback {
				t.Fatalf("journey %d outlasts the silence before %v", i, x.OccurredAt)
			}
		}
		last := inside[len(inside)-1]
		if j.Converted && (options.Conversion == nil || !options.Conversion.Matches(last)) {
			t.Fatalf("journey %d converted without a conversion", i)
		}
		next := options.AsOf
		if len(rest) > 0 {
			next = rest[0].OccurredAt
		}
		quiet := next.Sub(last.OccurredAt) > options.Lookback
		if ended := !j.EndedAt.IsZero(); ended != (j.Converted || quiet) || !ended && i < len(all)-1 || ended && !j.EndedAt.Equal(last.OccurredAt) {
			t.Fatalf("journey %d ended at %v; quiet: %v, converted: %v", i, j.EndedAt, quiet, j.Converted)
		}
	}
	if len(rest) > 0 {
		t.Fatalf("%d interactions belong to no journey", len(rest))
	}
}

func retell(t *rapid.T, p journey.Touchpoint, at insight.Timeline) {
	var types []string
	for _, x := range at {
		if x.Channel.Key != p.Channel.Key {
			t.Fatalf("an interaction on %s at the touchpoint %s", x.Channel.Key, p.Channel.Key)
		}
		if !slices.Contains(types, x.Type) {
			types = append(types, x.Type)
		}
	}
	if !slices.Equal(types, p.Types) || !p.FirstAt.Equal(at[0].OccurredAt) || !p.LastAt.Equal(at[len(at)-1].OccurredAt) {
		t.Fatalf("touchpoint %+v of %d interactions of %v", p, len(at), types)
	}
}

func TestValidate(t *testing.T) {
	good := journey.Options{Lookback: journey.DefaultLookback, AsOf: start, Conversion: &insight.Selector{Types: []string{"purchase"}}}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	cases := map[string]func(*journey.Options){
		"lookback: ":            func(o *journey.Options) { o.Lookback = 0 },
		"asOf: ":                func(o *journey.Options) { o.AsOf = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) },
		"conversion.types[0]: ": func(o *journey.Options) { o.Conversion = &insight.Selector{Types: []string{""}} },
	}
	for subject, spoil := range cases {
		bad := good
		spoil(&bad)
		if err := bad.Validate(); insight.KindOf(err) != insight.Invalid || !strings.HasPrefix(err.Error(), subject) {
			t.Errorf("%s%v", subject, err)
		}
	}
	edge := good
	for lookback, ok := range map[time.Duration]bool{-1: false, 1: true, 100 * insight.Year: true, 100*insight.Year + 1: false} {
		if edge.Lookback = lookback; (edge.Validate() == nil) != ok {
			t.Errorf("a lookback of %v: %v", lookback, edge.Validate())
		}
	}
}

func TestZeroOptions(t *testing.T) {
	all := insight.Timeline{{OccurredAt: start}, {ID: uuid.UUID{1}, OccurredAt: start.Add(journey.DefaultLookback)}}
	if got := journey.Of(all, journey.Options{}); len(got.Touchpoints) != 0 {
		t.Errorf("as of no time at all there is %+v", got)
	}
	got := journey.All(all, journey.Options{AsOf: start.Add(insight.Year)})
	if len(got) != 1 || got[0].Interactions() != 2 || got[0].Touchpoints[0].Channel != nil {
		t.Errorf("without a lookback and without channels: %+v", got)
	}
}

func BenchmarkAll(b *testing.B) {
	channels := []*insight.Channel{{Key: "web"}, {Key: "email"}, {Key: "store"}}
	var all insight.Timeline
	for i := range 200 {
		all = append(all, &insight.Interaction{ID: uuid.UUID{15: byte(i)}, Type: "page", Channel: channels[i/2%3], OccurredAt: start.Add(time.Duration(i*i) * time.Minute)})
	}
	options := journey.Options{AsOf: start.Add(insight.Year)}
	b.ReportAllocs()
	for b.Loop() {
		journey.All(all, options)
	}
}
