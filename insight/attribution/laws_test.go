package attribution_test

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/attribution"
)

func drawOptions(t *rapid.T) attribution.Options {
	o := attribution.Options{
		Conversion: purchases, Model: rapid.SampledFrom(attribution.Models).Draw(t, "model"),
		Lookback: time.Duration(rapid.IntRange(1, 120).Draw(t, "lookback")) * time.Hour,
		AsOf:     start.Add(time.Duration(rapid.IntRange(-1, 220).Draw(t, "asOf")) * time.Hour),
	}
	if o.Model == attribution.Markov {
		o.Order = rapid.IntRange(1, attribution.MaxOrder).Draw(t, "order")
	}
	if rapid.Bool().Draw(t, "pages alone are touches") {
		o.Touch.Types = []string{"page"}
	}
	return o
}

// draw makes individuals. Each of their interactions has a channel of its own
// making, so that only the key can say that two are the same.
func draw(t *rapid.T, least float64) []*insight.History {
	all := make([]*insight.History, rapid.IntRange(0, 8).Draw(t, "individuals"))
	for k := range all {
		h := &insight.History{}
		for i := range rapid.IntRange(0, 12).Draw(t, "interactions") {
			x := &insight.Interaction{
				ID: uuid.UUID{14: byte(k), 15: byte(i)}, Type: rapid.SampledFrom([]string{"page", "page", "mail", "purchase"}).Draw(t, "type"),
				Direction:  insight.Direction(rapid.IntRange(1, 2).Draw(t, "direction")),
				OccurredAt: start.Add(time.Duration(rapid.IntRange(0, 200).Draw(t, "hour")) * time.Hour),
			}
			if c := rapid.IntRange(0, 8).Draw(t, "channel"); c > 0 {
				x.Channel = &insight.Channel{Key: string(rune('a' + c - 1)), Kind: insight.OtherChannel}
				if c > 6 {
					x.Channel.Kind = insight.DirectChannel
				}
			}
			if rapid.Bool().Draw(t, "valued") {
				value := rapid.Float64Range(least, 1_000).Draw(t, "value")
				x.Value = &value
			}
			h.Timeline = append(h.Timeline, x)
		}
		h.Timeline = h.Timeline.Ordered()
		all[k] = h
	}
	return all
}

func tallied(o attribution.Options, all []*insight.History) *attribution.Tally {
	tally := attribution.NewTally(o)
	for _, h := range all {
		tally.Add(h)
	}
	return tally
}

// TestLaws: the answer is what plain loops say, and depends on neither the order, nor
// the parts in which individuals came, nor on what had not happened.
func TestLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := drawOptions(t)
		all := draw(t, rapid.SampledFrom([]float64{0, -1_000}).Draw(t, "least"))
		got := answer(t, tallied(o, all))
		whole(t, got)
		for _, model := range attribution.Models {
			o := o
			if o.Model, o.Order = model, 0; model == attribution.Markov {
				o.Order = rapid.IntRange(1, attribution.MaxOrder).Draw(t, "order of the chain")
			}
			define(t, answer(t, tallied(o, all)), all, o)
		}

		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		shuffled := slices.Clone(all)
		random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		parts := []*attribution.Tally{attribution.NewTally(o), attribution.NewTally(o), attribution.NewTally(o)}
		for _, h := range shuffled {
			parts[random.IntN(3)].Add(h)
		}
		untouched := answer(t, parts[1])
		parts[0].Merge(parts[1])
		parts[2].Merge(parts[0])
		same(t, "the order of arrival matters", got, answer(t, parts[2]))
		same(t, "merging changed what was merged", untouched, answer(t, parts[1]))
		parts[2].Add(&insight.History{})
		more := answer(t, parts[2])
		more.Population--
		same(t, "one who did nothing matters", got, more)

		if len(all) > 0 {
			one := random.IntN(len(all))
			rest := tallied(o, slices.Delete(slices.Clone(all), one, one+1))
			rest.Merge(tallied(o, all[one:one+1]))
			same(t, "one who came last matters more", got, answer(t, rest))
		}

		known := make([]*insight.History, len(all))
		for i, h := range all {
			known[i] = &insight.History{Timeline: slices.DeleteFunc(slices.Clone(h.Timeline), func(x *insight.Interaction) bool { return x.OccurredAt.After(o.AsOf) })}
		}
		same(t, "what had not happened matters", got, answer(t, tallied(o, known)))
	})
}

func same(t *rapid.T, what string, want, got attribution.Report) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s:\n%s", what, diff)
	}
}

// whole checks what every report keeps.
func whole(t failer, r attribution.Report) {
	t.Helper()
	var conversions, value, size, shares float64
	for i, c := range r.Channels {
		conversions += c.Conversions
		value += c.Value
		size += math.Abs(c.Value)
		if math.IsNaN(c.Conversions) || c.Conversions < 0 || c.Converters > r.Converters || (c.Share == nil) != (r.Conversions == 0) {
			t.Errorf("%s has %+v", c.Channel.Key, c)
		}
		if c.Share != nil {
			shares += *c.Share
		}
		if e := c.RemovalEffect; e != nil && (math.IsNaN(*e) || *e < 0 || *e > 1) {
			t.Errorf("the removal effect of %s is %v", c.Channel.Key, *e)
		}
		if i > 0 && r.Channels[i-1].Conversions < c.Conversions {
			t.Errorf("%s is not in its place", c.Channel.Key)
		}
	}
	if math.Abs(conversions-float64(r.Conversions)) > 1e-12*float64(r.Conversions) || math.Abs(value-r.Value) > 1e-12*size {
		t.Errorf("the credits are %v worth %v of %d worth %v", conversions, value, r.Conversions, r.Value)
	}
	if r.Conversions > 0 && !near(shares, 1, 1e-12) || r.Journeys != r.Conversions+r.Nulls {
		t.Errorf("shares of %v; %d journeys", shares, r.Journeys)
	}
}

func define(t *rapid.T, got attribution.Report, all []*insight.History, o attribution.Options) {
	var paths []path
	var unattributed, converters, alone int
	var unattributedValue float64
	by := map[string]int{}
	for _, h := range all {
		mine, n, value := journeys(h.Timeline, o)
		paths = append(paths, mine...)
		unattributed += n
		unattributedValue += value
		if n > 0 {
			alone++
		}
		var converted []path
		for _, p := range mine {
			if p.conversions > 0 {
				converted = append(converted, p)
			}
		}
		if len(converted) > 0 {
			converters++
		}
		if o.Model == attribution.Markov {
			for _, key := range channelsOf(converted) {
				by[key]++
			}
		} else {
			for key, c := range oracle(converted, o) {
				if c.conversions > 0 {
					by[key]++
				}
			}
		}
	}
	var conversions, nulls int
	var value float64
	for _, p := range paths {
		conversions += int(p.conversions)
		nulls += int(p.nulls)
		value += p.value
	}
	if got.Population != len(all) || got.Conversions != conversions || got.Nulls != nulls || got.Unattributed != unattributed ||
		got.Converters != converters || got.UnattributedConverters != alone || !near(got.Value, value, 1e-11) || !near(got.UnattributedValue, unattributedValue, 1e-11) {
		t.Fatalf("%+v, want %d conversions worth %v by %d, %d nulls, %d unattributed worth %v by %d",
			got, conversions, value, converters, nulls, unattributed, unattributedValue, alone)
	}
	want := oracle(paths, o)
	keys := channelsOf(paths)
	if len(keys) != len(got.Channels) {
		t.Fatalf("channels %v of %v", got.Channels, keys)
	}
	for _, c := range got.Channels {
		w := want[c.Channel.Key]
		if !near(c.Conversions, w.conversions, 1e-10) || math.Abs(c.Value-w.value) > 1e-6 || c.Converters != by[c.Channel.Key] {
			t.Fatalf("%s of %s order %d: %+v, want %+v by %d", c.Channel.Key, o.Model, o.Order, c, w, by[c.Channel.Key])
		}
		if (c.RemovalEffect != nil) != (o.Model == attribution.Markov && conversions > 0) {
			t.Fatalf("%s has the removal effect %v", o.Model, c.RemovalEffect)
		}
		if c.RemovalEffect != nil && !near(*c.RemovalEffect, w.removal, 1e-10) {
			t.Fatalf("the removal effect of %s is %v, want %v", c.Channel.Key, *c.RemovalEffect, w.removal)
		}
		if o.Model != attribution.Markov && c.Converters == 0 && (c.Conversions != 0 || c.Value != 0) {
			t.Fatalf("%s is in no path that converted and has %+v", c.Channel.Key, c)
		}
	}
}

// Where credit is shared path by path, the population's is the sum of the
// individuals'.
func TestSumOfIndividuals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := drawOptions(t)
		if o.Model == attribution.Markov {
			o.Model, o.Order = attribution.Shapley, 0
		}
		all := draw(t, 0)
		want, worth := map[string]float64{}, map[string]float64{}
		by := map[string]int{}
		for _, h := range all {
			for _, c := range answer(t, tallied(o, []*insight.History{h})).Channels {
				want[c.Channel.Key] += c.Conversions
				worth[c.Channel.Key] += c.Value
				by[c.Channel.Key] += c.Converters
			}
		}
		got := answer(t, tallied(o, all))
		if len(got.Channels) != len(want) {
			t.Fatalf("%d channels of %d", len(got.Channels), len(want))
		}
		for _, c := range got.Channels {
			if !near(c.Conversions, want[c.Channel.Key], 1e-12) || !near(c.Value, worth[c.Channel.Key], 1e-12) || c.Converters != by[c.Channel.Key] {
				t.Fatalf("%s has %+v, its individuals %v worth %v", c.Channel.Key, c, want[c.Channel.Key], worth[c.Channel.Key])
			}
		}
	})
}

// Other names, and another order of the channels by them, get the same credits.
func TestRenaming(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := drawOptions(t)
		all := draw(t, 0)
		renamed := make([]*insight.History, len(all))
		name := func(key string) string { return fmt.Sprintf("%c%s", 'z'-(key[0]-'a'), key) }
		for k, h := range all {
			renamed[k] = &insight.History{}
			for _, x := range h.Timeline {
				y := *x
				if x.Channel != nil {
					y.Channel = &insight.Channel{Key: name(x.Channel.Key), Kind: x.Channel.Kind}
				}
				renamed[k].Timeline = append(renamed[k].Timeline, &y)
			}
		}
		want := map[string]attribution.Credit{}
		for _, c := range answer(t, tallied(o, all)).Channels {
			want[name(c.Channel.Key)] = c
		}
		got := answer(t, tallied(o, renamed)).Channels
		if len(got) != len(want) {
			t.Fatalf("%d channels of %d", len(got), len(want))
		}
		for _, c := range got {
			w := want[c.Channel.Key]
			if !near(c.Conversions, w.Conversions, 1e-12) || !near(c.Value, w.Value, 1e-9) || c.Converters != w.Converters {
				t.Fatalf("%s has %+v, and had %+v", c.Channel.Key, c, w)
			}
		}
	})
}

// Two channels that are exchanged for each other in every path have equal credit.
func TestSymmetry(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tally, channels := of(attribution.Shapley, 0), named{}
		exchange := map[string]string{"a": "b", "b": "a", "c": "c", "d": "d"}
		for range rapid.IntRange(1, 10).Draw(t, "paths") {
			keys := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d"}), 1, 6).Draw(t, "path")
			value := rapid.Float64Range(0, 100).Draw(t, "value")
			other := make([]string, len(keys))
			for i, key := range keys {
				other[i] = exchange[key]
			}
			tally.AddPath(channels.path(keys...), 1, value, 0)
			tally.AddPath(channels.path(other...), 1, value, 0)
		}
		got := map[string]attribution.Credit{}
		for _, c := range answer(t, tally).Channels {
			got[c.Channel.Key] = c
		}
		if a, b := got["a"], got["b"]; a.Conversions != b.Conversions || a.Value != b.Value {
			t.Fatalf("%+v is not %+v", a, b)
		}
	})
}

// On paths of one touch there is nothing to share: every model says the same.
func TestSingleTouches(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type single struct {
			key                string
			conversions, nulls int64
			value              float64
		}
		var all []single
		for range rapid.IntRange(1, 10).Draw(t, "paths") {
			s := single{key: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "channel"), conversions: rapid.Int64Range(0, 9).Draw(t, "conversions"), nulls: rapid.Int64Range(0, 9).Draw(t, "nulls")}
			if s.conversions > 0 {
				s.value = rapid.Float64Range(-100, 100).Draw(t, "value")
			}
			all = append(all, s)
		}
		report := func(model attribution.Model, order int) attribution.Report {
			tally, channels := of(model, order), named{}
			for _, s := range all {
				tally.AddPath(channels.path(s.key), s.conversions, s.value, s.nulls)
			}
			return answer(t, tally)
		}
		want := map[string]attribution.Credit{}
		for _, c := range report(attribution.First, 0).Channels {
			want[c.Channel.Key] = c
		}
		for _, model := range attribution.Models {
			order := 0
			if model == attribution.Markov {
				order = 1
			}
			for _, c := range report(model, order).Channels {
				if w := want[c.Channel.Key]; !near(c.Conversions, w.Conversions, 1e-12) || math.Abs(c.Value-w.Value) > 1e-10 || c.Converters != w.Converters {
					t.Fatalf("%s has %+v by %s, %+v by FIRST", c.Channel.Key, c, model, w)
				}
			}
		}
	})
}

// A channel from which nobody ever came to convert has no credit, to the last bit.
func TestDeadEnd(t *testing.T) {
	for order := 1; order <= attribution.MaxOrder; order++ {
		tally, channels := of(attribution.Markov, order), named{}
		tally.AddPath(channels.path("a", "b", "c", "b"), 3, 1, 4)
		tally.AddPath(channels.path("c", "x", "y"), 0, 0, 7)
		tally.AddPath(channels.path("d"), 3, 0, 3) // converts and brings nothing
		for _, c := range answer(t, tally).Channels {
			if dead := c.Channel.Key >= "x"; dead != (c.Conversions == 0) || dead != (*c.RemovalEffect == 0) || (dead || c.Channel.Key == "d") != (c.Value == 0) {
				t.Errorf("%s has %+v", c.Channel.Key, c)
			}
		}
	}
}

func TestShownChannel(t *testing.T) {
	older := &insight.Channel{ID: uuid.UUID{1}, Key: "a", Name: "B"}
	newer := &insight.Channel{ID: uuid.UUID{2}, Key: "a", Name: "A"}
	named := &insight.Channel{ID: uuid.UUID{1}, Key: "a", Name: "C"}
	for _, way := range [][]*insight.Channel{{older, newer}, {newer, older}, {older, named}, {named, older}} {
		tally := of(attribution.Linear, 0)
		tally.AddPath(way, 1, 0, 0)
		if r := answer(t, tally); len(r.Channels) != 1 || r.Channels[0].Channel != older || r.Channels[0].Conversions != 1 {
			t.Errorf("%+v", r.Channels)
		}
	}
}

func TestRefuses(t *testing.T) {
	for _, model := range attribution.Models {
		order := 0
		if model == attribution.Markov {
			order = 1
		}
		tally, channels := of(model, order), named{}
		for range 3 {
			tally.AddPath(channels.path("a", "b"), 1, math.MaxFloat64, 0)
		}
		if r, err := tally.Report(); insight.KindOf(err) != insight.Conflict {
			t.Errorf("%s: %+v, %v", model, r, err)
		}
		// Too much on the way is nothing in the end.
		for range 3 {
			tally.AddPath(channels.path("a", "b"), 1, -math.MaxFloat64, 0)
		}
		if r, err := tally.Report(); model != attribution.Markov && (err != nil || r.Value != 0 || r.Channels[0].Value != 0) {
			t.Errorf("%s: %+v, %v", model, r, err)
		}
	}
	nothing, infinite := math.NaN(), math.Inf(1)
	tally := attribution.NewTally(attribution.Options{Conversion: purchases, Model: attribution.Linear, Lookback: insight.Week, AsOf: start.Add(insight.Day)})
	for _, value := range []*float64{&nothing, &infinite} {
		tally.Add(&insight.History{Timeline: insight.Timeline{
			{Type: "page", Channel: &insight.Channel{Key: "a"}, OccurredAt: start}, {Type: "purchase", Value: value, OccurredAt: start},
		}})
	}
	if r := answer(t, tally); r.Value != 0 || r.Conversions != 2 {
		t.Errorf("%+v", r)
	}
}

// Sums are those of fractions, rounded once.
func TestTotal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.SliceOf(rapid.OneOf(rapid.Float64(), rapid.Float64Range(-1, 1), rapid.SampledFrom([]float64{
			math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat64, 0x1p-1022, 1, -1,
		}))), 0, 4).Draw(t, "parts")
		var exact big.Rat
		for _, part := range parts {
			for _, x := range part {
				exact.Add(&exact, new(big.Rat).SetFloat64(x))
			}
		}
		want, _ := exact.Float64()
		if got := attribution.Total(parts...); got != want {
			t.Fatalf("%v, want %v", got, want)
		}
	})
}

// Many of the same are as often as much.
func TestTotalOfMany(t *testing.T) {
	for shift := range 64 {
		for _, sign := range []float64{1, -1} {
			x := sign * math.Ldexp(1<<53-1, shift-40)
			const times = 1 << 13
			if got, want := attribution.Total(slices.Repeat([]float64{x}, times), []float64{-x, x}), x*times; got != want {
				t.Errorf("%d times %v is %v, want %v", times, x, got, want)
			}
		}
	}
}
