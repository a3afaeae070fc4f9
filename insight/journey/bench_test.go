package journey_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/journey"
)

// crowd is individuals with 20 interactions each on 8 channels, half of which begin
// another touchpoint.
func crowd(n int) (all []*insight.History, interactions int) {
	random := rand.New(rand.NewPCG(1, 0))
	channels := make([]*insight.Channel, 8)
	for i := range channels {
		channels[i] = &insight.Channel{Key: "channel_" + string(rune('a'+i))}
	}
	for range n {
		h := new(insight.History)
		at, on := start, channels[random.IntN(8)]
		for k := range 20 {
			if random.IntN(2) == 0 {
				on = channels[random.IntN(8)]
			}
			at = at.Add(time.Duration(random.ExpFloat64() * float64(5*insight.Day)))
			x := &insight.Interaction{Type: "page", Direction: insight.Inbound, Channel: on, OccurredAt: at}
			if k%7 == 6 {
				worth := 10 + float64(random.IntN(10000))/100
				x.Type, x.Value = "purchase", &worth
			}
			h.Timeline = append(h.Timeline, x)
		}
		all = append(all, h)
		interactions += len(h.Timeline)
	}
	return all, interactions
}

func measure(b *testing.B, add func(*insight.History)) {
	all, interactions := crowd(1000)
	for range 10 {
		for _, h := range all {
			add(h)
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		for _, h := range all {
			add(h)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*interactions), "ns/interaction")
}

func BenchmarkTransitionsAdd(b *testing.B) {
	measure(b, journey.NewTransitions(journey.TransitionOptions{Lookback: journey.DefaultLookback, AsOf: start.Add(insight.Year)}).Add)
}

func BenchmarkPathsAdd(b *testing.B) {
	measure(b, journey.NewPaths(journey.PathOptions{
		Conversion: &insight.Selector{Types: []string{"purchase"}}, Lookback: journey.DefaultLookback,
		MaxLength: journey.DefaultMaxLength, Top: journey.DefaultTop, AsOf: start.Add(insight.Year),
	}).Add)
}
