package digest

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
)

// version is the form's, its first byte.
const version = 1

// Entry is an interaction with the purposes that were permitted when it happened, as
// they are stored.
type Entry struct {
	*insight.Interaction
	Permitted insight.Set
}

// Write writes the digest of one individual: their interactions, in order, and their
// refusals. The same history always gives the same bytes. The moments are whole
// microseconds, as everywhere.
func Write(entries []Entry, refusals []insight.Refusal) []byte {
	w := &writer{}
	kinds := make([]uint64, len(entries))
	for i := range entries {
		kinds[i] = w.kind(&entries[i])
	}
	b := []byte{version}
	b = binary.AppendUvarint(b, uint64(len(refusals)))
	for _, r := range refusals {
		b = binary.AppendVarint(b, r.From.UnixMicro())
		length := uint64(0)
		if !r.To.IsZero() {
			length = uint64(r.To.UnixMicro() - r.From.UnixMicro())
		}
		b = binary.AppendUvarint(b, length)
	}
	b = appendTexts(b, w.types)
	b = appendTexts(b, w.currencies)
	b = binary.AppendUvarint(b, uint64(len(w.channels)))
	for _, c := range w.channels {
		b = append(b, c[:]...)
	}
	b = binary.AppendUvarint(b, uint64(len(w.kinds)))
	for _, k := range w.kinds {
		b = binary.AppendUvarint(b, k.kind)
		b = binary.AppendUvarint(b, k.channel)
		b = append(b, byte(k.direction))
		b = binary.AppendUvarint(b, k.currency)
		b = binary.AppendUvarint(b, uint64(k.permitted))
	}
	b = binary.AppendUvarint(b, uint64(len(entries)))
	before := int64(0)
	for i, e := range entries {
		kind := kinds[i] << 1
		if e.Value != nil {
			kind |= 1
		}
		b = binary.AppendUvarint(b, kind)
		at := e.OccurredAt.UnixMicro()
		if i == 0 {
			b = binary.AppendVarint(b, at)
		} else {
			b = appendSpan(b, uint64(at-before))
		}
		before = at
		if e.Value != nil {
			b = appendValue(b, *e.Value)
		}
	}
	return b
}

// kind is what interactions have in common; texts and channels by their numbers.
type kind struct {
	kind, channel, currency uint64
	direction               insight.Direction
	permitted               insight.Set
}

// writer collects what interactions have in common, in the order of first appearance.
type writer struct {
	types, currencies []string
	channels          []uuid.UUID
	kinds             []kind
}

func (w *writer) kind(e *Entry) uint64 {
	channel := uuid.Nil
	if e.Channel != nil {
		channel = e.Channel.ID
	}
	return number(&w.kinds, kind{
		kind: number(&w.types, e.Type), channel: number(&w.channels, channel), currency: number(&w.currencies, e.Currency),
		direction: e.Direction, permitted: e.Permitted,
	})
}

// number is the place of a value among those that are known; a new one is added.
func number[T comparable](known *[]T, value T) uint64 {
	at := slices.Index(*known, value)
	if at < 0 {
		at = len(*known)
		*known = append(*known, value)
	}
	return uint64(at)
}

func appendTexts(b []byte, texts []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(texts)))
	for _, text := range texts {
		b = binary.AppendUvarint(b, uint64(len(text)))
		b = append(b, text...)
	}
	return b
}

// The units of a time since the interaction before, in microseconds. The lowest two
// bits of what is written tell which one it is.
var units = [...]uint64{1, 1_000, 1_000_000}

func appendSpan(b []byte, micros uint64) []byte {
	unit := len(units) - 1
	for micros%units[unit] != 0 {
		unit--
	}
	return binary.AppendUvarint(b, micros/units[unit]<<2|uint64(unit))
}

// largest is up to how many hundredths a value is written as such: each of them is
// a float64 of its own.
const largest = 1 << 52

// appendValue writes a value as twice its hundredths, or as an odd byte and the
// float64's own bits.
func appendValue(b []byte, value float64) []byte {
	hundredths := math.Round(value * 100)
	if math.Abs(hundredths) <= largest && math.Float64bits(float64(int64(hundredths))/100) == math.Float64bits(value) { // zero has no sign there
		return binary.AppendUvarint(b, zigzag(int64(hundredths))<<1)
	}
	return binary.LittleEndian.AppendUint64(append(b, 1), math.Float64bits(value))
}

func zigzag(v int64) uint64   { return uint64(v<<1) ^ uint64(v>>63) }
func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }
