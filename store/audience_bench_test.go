package store_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/acquaint/acquaint/insight/segment"
	"github.com/acquaint/acquaint/store"
)

// benchRules are as many rules, of what simulated people do: most types of interactions
// touch some of them, and none touches all.
func benchRules(n int) []string {
	types := []string{"page", "Product Viewed", "Product Added", "Order Completed", "Email Opened", "Store Visited", "Support Call", "screen"}
	all := make([]string, n)
	for i := range all {
		of, days := types[i/6%len(types)], 7*(1+i%12)
		all[i] = []string{
			fmt.Sprintf(`{"event":{"event":{"types":[%q]},"atLeast":%d,"within":"P%dD"}}`, of, 1+i%5, days),
			fmt.Sprintf(`{"recency":{"event":{"types":[%q]},"atLeast":"P%dD"}}`, of, days),
			fmt.Sprintf(`{"monetary":{"event":{"types":["Order Completed"]},"atLeast":%d,"within":"P%dD"}}`, 50*(1+i%9), 4*days),
			fmt.Sprintf(`{"all":[{"event":{"event":{"types":["Product Added"]},"within":"P%dD"}},{"not":{"event":{"event":{"types":["Order Completed"]},"within":"P%dD"}}}]}`, days, days),
			fmt.Sprintf(`{"sequence":{"steps":[{"types":["Product Viewed"]},{"types":[%q]}],"within":"P%dD"}}`, of, days),
			fmt.Sprintf(`{"all":[{"trait":{"key":"plan","op":"EXISTS"}},{"event":{"event":{"types":[%q]},"atLeast":%d}}]}`, of, 1+i%3),
		}[i%6]
	}
	return all
}

// benchSegments makes so many segments, and computes them.
func benchSegments(b *testing.B, s *store.Store, n int) {
	b.Helper()
	for i, text := range benchRules(n) {
		must(s.CreateSegment(b.Context(), store.NewSegment{Key: fmt.Sprintf("s%d", i), Name: "s", Purpose: "analytics", Rule: must(segment.Read([]byte(text)))}))
	}
	for must(s.Draft(b.Context())) {
	}
}

// BenchmarkAppendWithSegments keeps groups of events as BenchmarkAppend does, with and
// without segments, and tells what is left of the rate.
func BenchmarkAppendWithSegments(b *testing.B) {
	without := map[string]float64{}
	for _, n := range []int{0, 200} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			benchEach(b, func(b *testing.B, s *store.Store) {
				benchSegments(b, s, n)
				next := groups(b, s, 3200)
				for range 3 {
					must(s.Append(b.Context(), next()))
				}
				events := 0
				for b.Loop() {
					b.StopTimer()
					group := next()
					b.StartTimer()
					must(s.Append(b.Context(), group))
					events += len(group)
				}
				rate := float64(events) / b.Elapsed().Seconds()
				b.ReportMetric(rate, "events/s")
				engine := b.Name()[strings.LastIndexByte(b.Name(), '/')+1:]
				if n == 0 {
					without[engine] = rate
				} else if without[engine] > 0 {
					b.ReportMetric(rate/without[engine], "ratio")
				}
			})
		})
	}
}

// BenchmarkDraft computes a new segment over everyone, while 20 others answer.
func BenchmarkDraft(b *testing.B) {
	benchEach(b, func(b *testing.B, s *store.Store) {
		benchSegments(b, s, 20)
		next := groups(b, s, 3200)
		for range 40 {
			must(s.Append(b.Context(), next()))
		}
		for must(s.Digest(b.Context())) > 0 {
		}
		everyone, individuals, made := 0, 0, 0
		if err := s.DB().QueryRowContext(b.Context(), "SELECT count(*) FROM individuals").Scan(&everyone); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			key := fmt.Sprintf("new%d", made)
			made++
			must(s.CreateSegment(b.Context(), store.NewSegment{Key: key, Name: key, Purpose: "analytics", Rule: must(segment.Read([]byte(benchRules(made)[made-1])))}))
			for must(s.Draft(b.Context())) {
			}
			individuals += everyone
		}
		b.ReportMetric(float64(individuals)/b.Elapsed().Seconds(), "individuals/s")
	})
}
