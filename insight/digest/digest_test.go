package digest_test

import (
	"bytes"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/digest"
)

var (
	web     = &insight.Channel{ID: uuid.UUID{1}, Key: "web"}
	store   = &insight.Channel{ID: uuid.UUID{2}, Key: "store"}
	all     = map[uuid.UUID]*insight.Channel{web.ID: web, store.ID: store, {}: nil}
	someDay = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
)

func reader() *digest.Reader {
	return &digest.Reader{
		Channel: func(id uuid.UUID) (*insight.Channel, error) {
			c, ok := all[id]
			if !ok {
				return nil, fmt.Errorf("no channel %s", id)
			}
			return c, nil
		},
		Counts: func(insight.Set) bool { return true },
	}
}

func Example() {
	price := 9.99
	written := digest.Write([]digest.Entry{
		{Interaction: &insight.Interaction{Type: "page", Channel: web, Direction: insight.Inbound, OccurredAt: someDay}, Permitted: 1},
		{Interaction: &insight.Interaction{Type: "purchase", Channel: store, Direction: insight.Inbound, OccurredAt: someDay.Add(time.Hour), Value: &price, Currency: "EUR"}, Permitted: 3},
	}, nil)
	r := reader()
	r.Counts = func(permitted insight.Set) bool { return permitted&2 != 0 }
	h, err := r.Read(written)
	fmt.Println(len(written), "bytes", err)
	for _, x := range h.Timeline {
		fmt.Println(x.Type, x.Channel.Key, x.OccurredAt.Format(time.TimeOnly), *x.Value, x.Currency)
	}
	// Output:
	// 82 bytes <nil>
	// purchase store 01:00:00 9.99 EUR
}

func draw(t *rapid.T) (entries []digest.Entry, refusals []insight.Refusal) {
	at := rapid.Int64Range(-62_000_000_000_000_000, 250_000_000_000_000_000).Draw(t, "first")
	for range rapid.IntRange(0, 12).Draw(t, "interactions") {
		x := &insight.Interaction{
			Type: rapid.SampledFrom([]string{"page", "purchase", "Ümläut", ""}).Draw(t, "type"), Channel: rapid.SampledFrom([]*insight.Channel{web, store, nil}).Draw(t, "channel"),
			Direction: insight.Direction(rapid.IntRange(1, 2).Draw(t, "direction")), Currency: rapid.SampledFrom([]string{"", "EUR"}).Draw(t, "currency"),
			OccurredAt: time.UnixMicro(at).UTC(),
		}
		if rapid.Bool().Draw(t, "valued") {
			v := rapid.OneOf(rapid.Float64(), rapid.Map(rapid.IntRange(-100_000, 100_000), func(n int) float64 { return float64(n) / 100 }),
				rapid.SampledFrom([]float64{0, math.Copysign(0, -1), math.MaxFloat64, 1 << 53, 0.1, 1e15, math.SmallestNonzeroFloat64})).Draw(t, "value")
			x.Value = &v
		}
		entries = append(entries, digest.Entry{Interaction: x, Permitted: insight.Set(rapid.SampledFrom([]int64{0, 1, 31, math.MaxInt64}).Draw(t, "permitted"))})
		at += rapid.SampledFrom([]int64{0, 1, 999, 1_000, 86_400_000_000, 3_600_000_001}).Draw(t, "gap")
	}
	from := someDay
	for range rapid.IntRange(0, 3).Draw(t, "refusals") {
		r := insight.Refusal{From: from, To: from.Add(time.Duration(rapid.IntRange(1, 1e9).Draw(t, "length")) * time.Microsecond)}
		refusals = append(refusals, r)
		from = r.To.Add(time.Second)
	}
	if len(refusals) > 0 && rapid.Bool().Draw(t, "still") {
		refusals[len(refusals)-1].To = time.Time{}
	}
	return entries, refusals
}

// What was written is read again, by a reader that has read others before, and what
// does not count is as if it had not been written.
func TestLaws(t *testing.T) {
	r := reader()
	rapid.Check(t, func(t *rapid.T) {
		entries, refusals := draw(t)
		counted := insight.Set(rapid.SampledFrom([]int64{1, 16, math.MaxInt64}).Draw(t, "counted"))
		r.Counts = func(permitted insight.Set) bool { return permitted&counted != 0 }
		written := digest.Write(entries, refusals)
		if !bytes.Equal(written, digest.Write(entries, refusals)) {
			t.Fatal("written twice it differs")
		}
		h, err := r.Read(written)
		if err != nil {
			t.Fatal(err)
		}
		var want insight.Timeline
		for _, e := range entries {
			if e.Permitted&counted != 0 {
				want = append(want, e.Interaction)
			}
		}
		same := cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "ID" }, cmp.Ignore())
		bits := cmp.Comparer(func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) })
		if diff := cmp.Diff([]*insight.Interaction(want), append([]*insight.Interaction(nil), h.Timeline...), same, bits); diff != "" {
			t.Fatal(diff)
		}
		if diff := cmp.Diff(append([]insight.Refusal(nil), refusals...), append([]insight.Refusal(nil), h.Refusals...)); diff != "" {
			t.Fatal(diff)
		}
		for i := 1; i < len(h.Timeline); i++ {
			if !h.Timeline[i-1].Before(h.Timeline[i]) {
				t.Fatal("what was read is not in order")
			}
		}
	})
}

// Inserting what comes later or late gives what writing everything at once gives, and
// is refused where a digest does not tell the order.
func TestInsert(t *testing.T) {
	r := reader()
	r.Counts = nil
	rapid.Check(t, func(t *rapid.T) {
		all, refusals := draw(t)
		var kept, more []digest.Entry
		times := map[time.Time]bool{}
		tied := false
		for _, e := range all {
			if rapid.Bool().Draw(t, "later") {
				more = append(more, e)
			} else {
				kept = append(kept, e)
				times[e.OccurredAt] = true
			}
		}
		for _, e := range more {
			tied = tied || times[e.OccurredAt]
		}
		entries, again, err := r.Entries(digest.Write(kept, refusals))
		if err != nil {
			t.Fatal(err)
		}
		entries, ok := digest.Insert(entries, more)
		if ok == tied {
			t.Fatalf("inserted: %t, tied: %t", ok, tied)
		}
		if ok && !bytes.Equal(digest.Write(entries, again), digest.Write(all, refusals)) {
			t.Fatal("it differs from what is written at once")
		}
	})
}

// Whatever is read gives an answer or an error, and is never read beyond its end.
func FuzzRead(f *testing.F) {
	price := 0.1
	f.Add(digest.Write(nil, nil))
	f.Add(digest.Write([]digest.Entry{
		{Interaction: &insight.Interaction{Type: "page", Channel: web, OccurredAt: someDay}},
		{Interaction: &insight.Interaction{Type: "purchase", Channel: store, OccurredAt: someDay.Add(time.Nanosecond), Value: &price, Currency: "EUR"}},
	}, []insight.Refusal{{From: someDay}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := reader().Read(data)
		if err == nil && len(h.Timeline) > len(data) {
			t.Errorf("%d interactions in %d bytes", len(h.Timeline), len(data))
		}
	})
}

func TestDamaged(t *testing.T) {
	price := 9.99
	whole := digest.Write([]digest.Entry{{Interaction: &insight.Interaction{Type: "page", Channel: web, OccurredAt: someDay, Value: &price}}}, []insight.Refusal{{From: someDay, To: someDay.Add(time.Hour)}})
	r := reader()
	for n := range whole {
		if _, err := r.Read(whole[:n]); err == nil {
			t.Errorf("the first %d bytes of %d are read", n, len(whole))
		}
	}
	if _, err := r.Read(append(bytes.Clone(whole), 0)); err == nil {
		t.Error("a byte too many is read")
	}
	if _, err := r.Read(append([]byte{9}, whole[1:]...)); err == nil {
		t.Error("another version is read")
	}
	if _, err := r.Read(whole); err != nil {
		t.Error(err)
	}
}

func benchmark(n int) []byte {
	var entries []digest.Entry
	types := []string{"page", "product", "cart", "purchase"}
	price := 19.99
	for i := range n {
		x := &insight.Interaction{Type: types[i*i%4], Channel: []*insight.Channel{web, store}[i/3%2], Direction: insight.Inbound, OccurredAt: someDay.Add(time.Duration(i*i) * time.Minute)}
		if x.Type == "purchase" {
			x.Value = &price
		}
		entries = append(entries, digest.Entry{Interaction: x, Permitted: 31})
	}
	return digest.Write(entries, nil)
}

func BenchmarkRead(b *testing.B) {
	written, r := benchmark(20), reader()
	b.SetBytes(int64(len(written)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Read(written); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/20, "ns/interaction")
	b.ReportMetric(float64(len(written)), "bytes")
}
