package attribution_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/attribution"
)

// wander makes paths along random channels that stop, at each touch, once in so many
// times.
func wander(random *rand.Rand, paths, channels int, stop float64) []path {
	all := make([]path, paths)
	for i := range all {
		p := &all[i]
		for last := -1; len(p.keys) == 0 || random.Float64() >= stop; {
			next := random.IntN(channels)
			if next == last {
				continue
			}
			last = next
			p.keys = append(p.keys, fmt.Sprintf("c%02d", next))
		}
		p.nulls = 1
		if random.IntN(5) == 0 {
			p.nulls, p.conversions, p.value = 0, 1, float64(random.IntN(1_000))/10
		}
	}
	return all
}

func tallyOf(order int, all []path) *attribution.Tally {
	model := attribution.Markov
	if order == 0 {
		model = attribution.Shapley
	}
	tally, channels := of(model, order), named{}
	for _, p := range all {
		tally.AddPath(channels.path(p.keys...), int64(p.conversions), p.value, int64(p.nulls))
	}
	return tally
}

// around repeats a way.
func around(times int, keys ...string) []string { return slices.Repeat(keys, times) }

// Chains that are too large for one elimination are as plain elimination has them,
// also where journeys go round and round.
func TestLargeChains(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	round := wander(random, 3_000, 6, .3)
	for _, keys := range [][]string{
		around(500, "c00", "c01", "c02"), around(700, "c02", "c01", "c00"), around(300, "c03", "c04"), around(400, "c03", "c05", "c04", "c00"),
	} {
		round = append(round, path{keys: keys, conversions: 1, value: 7}, path{keys: keys, nulls: 1})
	}
	for name, chain := range map[string]struct {
		order int
		paths []path
	}{
		"order 3":            {3, wander(random, 5_000, 6, .2)},
		"order 4":            {4, wander(random, 5_000, 4, .1)},
		"order 4, few paths": {4, wander(random, 60, 6, .1)},
		"round and round":    {3, round},
		"round, order 4":     {4, append(wander(random, 300, 4, .1), round[len(round)-8:]...)},
	} {
		r := answer(t, tallyOf(chain.order, chain.paths))
		whole(t, r)
		want := markov(chain.paths, chain.order)
		for _, c := range r.Channels {
			w := want[c.Channel.Key]
			if !near(*c.RemovalEffect, w.removal, 1e-11) || !near(c.Conversions, w.conversions, 1e-10) || !near(c.Value, w.value, 1e-10) {
				t.Errorf("%s, %s: %v (%v) worth %v, want %+v", name, c.Channel.Key, c.Conversions, *c.RemovalEffect, c.Value, w)
			}
		}
	}
}

// With hundreds of channels, in groups of three that have nothing to do with each
// other, each group is as it is alone.
func TestManyChannels(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var all []path
	var parts [][]path
	var conversions float64
	for part := range 100 {
		paths := wander(random, 20, 3, .1)
		for i := range paths {
			for k, key := range paths[i].keys {
				paths[i].keys[k] = fmt.Sprintf("%03d%s", part, key)
			}
			conversions += paths[i].conversions
		}
		parts = append(parts, paths)
		all = append(all, paths...)
	}
	want := map[string]float64{}
	for _, paths := range parts {
		var converted float64
		for _, p := range paths {
			converted += p.conversions
		}
		for key, c := range markov(paths, 1) {
			want[key] = c.removal * converted / conversions
		}
	}
	r := answer(t, tallyOf(1, all))
	if len(r.Channels) != 300 {
		t.Errorf("%d channels", len(r.Channels))
	}
	for _, c := range r.Channels {
		if !near(*c.RemovalEffect, want[c.Channel.Key], 1e-13) {
			t.Errorf("%s: %v, want %v", c.Channel.Key, *c.RemovalEffect, want[c.Channel.Key])
		}
	}
}

func TestGivesUp(t *testing.T) {
	tally := tallyOf(3, wander(rand.New(rand.NewPCG(5, 6)), 3_000, 10, .01))
	if err := tally.SolveWithin(10); insight.KindOf(err) != insight.Conflict || !strings.HasPrefix(err.Error(), "order: ") {
		t.Errorf("it took no effort: %v", err)
	}
	if err := tally.SolveWithin(1e9); err != nil {
		t.Error(err)
	}
	// A small chain takes one round, however often journeys go round.
	tally = tallyOf(1, []path{{keys: around(100_000, "a", "b"), conversions: 1}, {keys: []string{"a", "c"}, nulls: 1}})
	if err := tally.SolveWithin(100); err != nil {
		t.Error(err)
	}
}

func BenchmarkMarkov(b *testing.B) {
	for _, size := range []struct {
		order, channels, paths int
		stop                   float64
	}{{1, 20, 20_000, .1}, {2, 20, 100_000, .1}, {3, 20, 500_000, .1}, {3, 20, 50_000, .01}, {4, 8, 100_000, .1}, {1, 200, 20_000, .1}} {
		b.Run(fmt.Sprintf("order %d, %d channels, %d touches", size.order, size.channels, int(1/size.stop)), func(b *testing.B) {
			tally := tallyOf(size.order, wander(rand.New(rand.NewPCG(1, 2)), size.paths, size.channels, size.stop))
			for b.Loop() {
				if _, err := tally.Report(); err != nil {
					b.Fatal(err)
				}
			}
			states, steps := tally.Size()
			b.ReportMetric(float64(states), "states")
			b.ReportMetric(float64(steps), "steps")
		})
	}
}

// From paths of 16 channels to the report.
func BenchmarkShapley(b *testing.B) {
	all := wander(rand.New(rand.NewPCG(1, 2)), 100_000, 16, .05)
	channels := named{}
	ways := make([][]*insight.Channel, len(all))
	for i, p := range all {
		ways[i] = channels.path(p.keys...)
	}
	for b.Loop() {
		tally := of(attribution.Shapley, 0)
		for i, p := range all {
			tally.AddPath(ways[i], int64(p.conversions), p.value, int64(p.nulls))
		}
		answer(b, tally)
	}
}

func BenchmarkAdd(b *testing.B) {
	channels := make([]*insight.Channel, 12)
	for i := range channels {
		channels[i] = &insight.Channel{ID: uuid.UUID{byte(i)}, Key: fmt.Sprintf("c%02d", i)}
	}
	random := rand.New(rand.NewPCG(1, 2))
	value := 12.5
	const individuals, interactions = 100, 50
	all := make([]*insight.History, individuals)
	for k := range all {
		all[k] = &insight.History{}
		for i := range interactions {
			x := &insight.Interaction{
				ID: uuid.UUID{15: byte(i)}, Type: "page", Channel: channels[random.IntN(len(channels))], OccurredAt: start.Add(time.Duration(i*i) * time.Hour),
			}
			if random.IntN(8) == 0 {
				x.Type, x.Value = "purchase", &value
			}
			all[k].Timeline = append(all[k].Timeline, x)
		}
	}
	for _, model := range attribution.Models {
		order := 0
		if model == attribution.Markov {
			order = 2
		}
		b.Run(string(model), func(b *testing.B) {
			tally := of(model, order)
			b.ReportAllocs()
			for b.Loop() {
				for _, h := range all {
					tally.Add(h)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*individuals*interactions), "ns/interaction")
		})
	}
}
