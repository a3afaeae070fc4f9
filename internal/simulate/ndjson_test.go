package simulate_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/acquaint/acquaint/internal/simulate"
)

func TestWriteNDJSON(t *testing.T) {
	p := population(t, simulate.Options{Seed: 4, Individuals: 300})
	var first, second bytes.Buffer
	var told []int
	if err := p.WriteNDJSON(t.Context(), &first, func(done int) { told = append(told, done) }); err != nil {
		t.Fatal(err)
	}
	if err := population(t, simulate.Options{Seed: 4, Individuals: 300}).WriteNDJSON(t.Context(), &second, nil); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same seed gives other bytes")
	}
	if len(told) != 300 || told[0] != 1 || told[299] != 300 || !slices.IsSorted(told) {
		t.Errorf("progress was told %v", told)
	}
	lines := bytes.Split(bytes.TrimSuffix(first.Bytes(), []byte("\n")), []byte("\n"))
	k := 0
	for x := range p.All() {
		for _, m := range x.Messages {
			if k >= len(lines) {
				t.Fatalf("only %d lines", len(lines))
			}
			var back simulate.Message
			if err := json.Unmarshal(lines[k], &back); err != nil {
				t.Fatalf("line %d: %v", k+1, err)
			}
			if diff := cmp.Diff(m, back); diff != "" {
				t.Fatalf("line %d:\n%s", k+1, diff)
			}
			k++
		}
	}
	if k != len(lines) {
		t.Errorf("%d lines for %d messages", len(lines), k)
	}
}

// full is a writer that has no room.
type full struct{ err error }

func (f full) Write([]byte) (int, error) { return 0, f.err }

func TestWriteNDJSONStops(t *testing.T) {
	p := population(t, simulate.Options{Individuals: 1_000_000})
	noRoom := errors.New("no room")
	if err := p.WriteNDJSON(t.Context(), full{noRoom}, nil); !errors.Is(err, noRoom) {
		t.Errorf("a full disk gives %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	last := 0
	err := p.WriteNDJSON(ctx, new(bytes.Buffer), func(done int) {
		if last = done; done == 5 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || last != 5 {
		t.Errorf("stopped after 5, it ends after %d with %v", last, err)
	}
	if err := population(t, simulate.Options{}).WriteNDJSON(t.Context(), full{noRoom}, nil); err != nil {
		t.Errorf("nobody needs no room, but: %v", err)
	}
}

// counter counts what is written and keeps nothing.
type counter struct{ bytes int }

func (c *counter) Write(b []byte) (int, error) { c.bytes += len(b); return len(b), nil }

func TestWriteNDJSONMemory(t *testing.T) {
	p := population(t, simulate.Options{Seed: 1, Individuals: 10_000})
	var heap []uint64
	var written counter
	err := p.WriteNDJSON(t.Context(), &written, func(done int) {
		if done == 500 || done == 9_500 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			heap = append(heap, m.HeapAlloc)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if written.bytes < 50<<20 {
		t.Fatalf("only %d bytes were written", written.bytes)
	}
	if heap[1] > heap[0]+4<<20 {
		t.Errorf("the heap grew from %d to %d while %d bytes were written", heap[0], heap[1], written.bytes)
	}
}
