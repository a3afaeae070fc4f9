package simulate_test

import (
	"context"
	"io"
	"testing"

	"github.com/acquaint/acquaint/internal/simulate"
)

func BenchmarkIndividual(b *testing.B) {
	p := population(b, simulate.Options{Seed: 1, Individuals: 1 << 30})
	messages, i := 0, 0
	for b.Loop() {
		messages += len(p.Individual(i).Messages)
		i++
	}
	b.ReportMetric(float64(messages)/b.Elapsed().Seconds(), "messages/s")
}

func BenchmarkWriteNDJSON(b *testing.B) {
	p := population(b, simulate.Options{Seed: 1, Individuals: 2000})
	messages := 0
	for x := range p.All() {
		messages += len(x.Messages)
	}
	for b.Loop() {
		if err := p.WriteNDJSON(context.Background(), io.Discard, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(messages)*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

func BenchmarkBatches(b *testing.B) {
	p := population(b, simulate.Options{Seed: 1, Individuals: 4000})
	messages := 0
	for b.Loop() {
		for batch := range p.Batches(100, 2000) {
			messages += len(batch)
		}
	}
	b.ReportMetric(float64(messages)/b.Elapsed().Seconds(), "messages/s")
}
