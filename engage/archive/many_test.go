package archive_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/engage/archive"
	"github.com/acquaint/acquaint/insight"
)

var nan = math.NaN()

// busy is Ann with many interactions, which are made as they are asked for.
type busy struct {
	*fake
	interactions int
	watch        func(n int)
}

func (s *busy) Interactions(_ context.Context, yield func(*insight.Interaction, insight.Set) error) error {
	for n := range s.interactions {
		if s.watch != nil {
			s.watch(n)
		}
		x := *s.fake.interactions[n%3]
		x.ID = uuid.UUID{30, 12: byte(n >> 24), 13: byte(n >> 16), 14: byte(n >> 8), 15: byte(n)}
		x.OccurredAt = x.OccurredAt.Add(time.Duration(n) * time.Second)
		x.MessageID = fmt.Sprintf("m-%d", n)
		x.Properties = json.RawMessage(fmt.Sprintf(`{"path":"/products/%d","title":"Product %d","referrer":"https://example.com/?q=%x","quantity":%d,"tags":["a","b"]}`, n%977, n%977, n*2654435761, n%7))
		if err := yield(&x, s.permitted[n/1000%3]); err != nil {
			return err
		}
	}
	return nil
}

// raced: the race detector makes compression fifteen times as slow.
var raced bool

func TestConstantMemory(t *testing.T) {
	interactions := 200_000
	if raced {
		interactions /= 20
	}
	var heaps []uint64
	s := &busy{fake: ann(), interactions: interactions, watch: func(n int) {
		if n%(interactions/4) == interactions/8 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			heaps = append(heaps, m.HeapAlloc)
		}
	}}
	m, err := archive.Write(t.Context(), io.Discard, s, options())
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, table := range m.Receipt.Tables {
		if table.Table == "interactions" {
			rows = table.Rows
		}
	}
	if rows != interactions {
		t.Errorf("%d rows were written", rows)
	}
	if len(heaps) != 8 { // four times a pass, one pass a form
		t.Fatalf("the source was read otherwise than twice: %d", len(heaps))
	}
	const bound = 1 << 20
	for i, heap := range heaps {
		if heap > heaps[0]+bound {
			t.Errorf("at the %dth look more was in use than at the first: %v bytes", i+1, heaps)
		}
	}
}

// counter counts what is written.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

func BenchmarkWrite(b *testing.B) {
	const interactions = 10_000
	s := &busy{fake: ann(), interactions: interactions}
	var size, packed int64
	for b.Loop() {
		var out counter
		m, err := archive.Write(b.Context(), &out, s, options())
		if err != nil {
			b.Fatal(err)
		}
		size, packed = 0, int64(out)
		for _, f := range m.Files {
			size += f.Size
		}
	}
	b.SetBytes(size)
	b.ReportMetric(float64(packed), "zip-bytes")
	b.ReportMetric(float64(interactions)*float64(b.N)/b.Elapsed().Seconds(), "interactions/s")
}
