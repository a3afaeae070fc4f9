package experience

import (
	"crypto/sha256"
	"encoding/binary"
	"math"

	"github.com/google/uuid"
)

// draws are the numbers that chance has for an individual in an experience: a label
// makes one, after the hash of the experience's salt and the individual's id.
type draws []byte

func drawsOf(salt string, individual uuid.UUID) draws {
	text := make([]byte, 0, maxSalt+len(individual))
	text = append(text, salt...)
	seed := sha256.Sum256(append(text, individual[:]...))
	return append(make([]byte, 0, len(seed)+maxName), seed[:]...)
}

// of is the draw for a label: above 0 and below 1, one of 2^53 values.
func (d draws) of(label string) float64 {
	sum := sha256.Sum256(append(d, label...))
	return (float64(binary.BigEndian.Uint64(sum[:])>>11) + 0.5) / (1 << 53)
}

// choose is the variant of the highest score. The score is the logarithm of the draw
// over the weight: minus a waiting time whose rate is the weight, and of several such
// the first to end is each one in proportion to its rate.
func (d draws) choose(variants []*Variant) *Variant {
	var best *Variant
	var highest float64
	for _, v := range variants {
		weight := v.Weight
		if weight == 0 {
			weight = 1
		}
		score := math.Log(d.of(v.Key)) / weight
		if best == nil || score > highest || score == highest && v.Key < best.Key {
			best, highest = v, score
		}
	}
	return best
}
