package digest

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
)

// Reader reads digests, one after another into the same memory. It is for one
// goroutine.
type Reader struct {
	// Channel finds a channel by its id, which may be uuid.Nil. It is asked once for
	// each.
	Channel func(uuid.UUID) (*insight.Channel, error)
	// Counts reports whether an interaction exists for whoever asks, by the purposes
	// that were permitted when it happened. Nil: every one does.
	Counts func(insight.Set) bool

	history      insight.History
	permitted    []insight.Set // of the timeline's interactions
	entries      []Entry
	interactions []insight.Interaction
	values       []float64
	kinds        []known
	texts        []string // the types, then the currencies
	numbered     []*insight.Channel
	channels     map[uuid.UUID]*insight.Channel
	seen         map[string]string
}

// known is a kind as it was read.
type known struct {
	insight.Interaction
	permitted insight.Set
	counts    bool
}

var errDamaged = errors.New("digest: it is damaged")

// Read reads a digest. What it returns is good until it reads the next one. Of the
// interactions it tells type, channel, direction, currency, when and value; their ids
// are not theirs, and only keep the order of what happened at one moment.
func (r *Reader) Read(data []byte) (*insight.History, error) {
	in := &input{rest: data}
	if in.byte() != version {
		return nil, errDamaged
	}
	r.refusals(in)
	if err := r.readKinds(in); err != nil {
		return nil, err
	}
	n := in.count(2)
	r.room(n)
	at := int64(0)
	for i := range n {
		code := in.uvarint()
		if i == 0 {
			at = in.varint()
		} else {
			at += in.span()
		}
		value := 0.0
		if code&1 != 0 {
			value = in.value()
		}
		if code>>1 >= uint64(len(r.kinds)) {
			return nil, errDamaged
		}
		k := &r.kinds[code>>1]
		if !k.counts {
			continue
		}
		place := len(r.history.Timeline)
		x := &r.interactions[place]
		x.Type, x.Channel, x.Direction, x.Currency = k.Type, k.Channel, k.Direction, k.Currency
		x.OccurredAt = time.UnixMicro(at).UTC()
		x.Value = nil
		if code&1 != 0 {
			r.values[place] = value
			x.Value = &r.values[place]
		}
		r.history.Timeline = append(r.history.Timeline, x)
		r.permitted = append(r.permitted, k.permitted)
	}
	if in.bad || len(in.rest) > 0 {
		return nil, errDamaged
	}
	return &r.history, nil
}

// room makes room for the interactions of one more individual.
func (r *Reader) room(n int) {
	r.history.Timeline, r.permitted = r.history.Timeline[:0], r.permitted[:0]
	if n <= len(r.interactions) {
		return
	}
	if len(r.interactions) > 0 {
		n += n / 2 // others came before, and more will
	}
	r.interactions, r.values = make([]insight.Interaction, n), make([]float64, n)
	for i := range r.interactions {
		binary.BigEndian.PutUint64(r.interactions[i].ID[8:], uint64(i))
	}
}

func (r *Reader) refusals(in *input) {
	r.history.Refusals = r.history.Refusals[:0]
	for range in.count(2) {
		from, length := in.varint(), in.uvarint()
		refusal := insight.Refusal{From: time.UnixMicro(from).UTC()}
		if length > 0 {
			refusal.To = time.UnixMicro(from + int64(length)).UTC()
		}
		r.history.Refusals = append(r.history.Refusals, refusal)
	}
}

func (r *Reader) readKinds(in *input) error {
	r.texts = r.texts[:0]
	types := r.readTexts(in)
	currencies := r.readTexts(in)
	r.numbered = r.numbered[:0]
	for range in.count(len(uuid.UUID{})) {
		c, err := r.channel(uuid.UUID(in.take(uint64(len(uuid.UUID{})))))
		if err != nil {
			return err
		}
		r.numbered = append(r.numbered, c)
	}
	r.kinds = r.kinds[:0]
	for range in.count(5) {
		kind, channel, direction, currency, permitted := in.uvarint(), in.uvarint(), in.byte(), in.uvarint(), in.uvarint()
		if in.bad || kind >= uint64(types) || channel >= uint64(len(r.numbered)) || currency >= uint64(currencies) {
			return errDamaged
		}
		k := known{permitted: insight.Set(permitted), counts: r.Counts == nil || r.Counts(insight.Set(permitted))}
		k.Type, k.Channel, k.Direction, k.Currency = r.texts[kind], r.numbered[channel], insight.Direction(direction), r.texts[uint64(types)+currency]
		r.kinds = append(r.kinds, k)
	}
	return nil
}

// readTexts reads texts, each of which is kept once for all digests.
func (r *Reader) readTexts(in *input) int {
	n := in.count(1)
	for range n {
		text := in.take(in.uvarint())
		kept, ok := r.seen[string(text)]
		if !ok {
			if r.seen == nil {
				r.seen = map[string]string{}
			}
			kept = string(text)
			r.seen[kept] = kept
		}
		r.texts = append(r.texts, kept)
	}
	return n
}

func (r *Reader) channel(id uuid.UUID) (*insight.Channel, error) {
	if c, ok := r.channels[id]; ok {
		return c, nil
	}
	c, err := r.Channel(id)
	if err == nil {
		if r.channels == nil {
			r.channels = map[uuid.UUID]*insight.Channel{}
		}
		r.channels[id] = c
	}
	return c, err
}

// input is a digest as far as it is not read yet. What is not there is read as
// zeros, and bad.
type input struct {
	rest []byte
	bad  bool
}

func (in *input) take(n uint64) []byte {
	if n > uint64(len(in.rest)) {
		in.bad, in.rest = true, nil
		return make([]byte, min(n, 16))
	}
	taken := in.rest[:n]
	in.rest = in.rest[n:]
	return taken
}

func (in *input) byte() byte { return in.take(1)[0] }

func (in *input) uvarint() uint64 {
	if len(in.rest) > 0 && in.rest[0] < 0x80 {
		v := in.rest[0]
		in.rest = in.rest[1:]
		return uint64(v)
	}
	v, n := binary.Uvarint(in.rest)
	if n <= 0 {
		in.bad, in.rest = true, nil
		return 0
	}
	in.rest = in.rest[n:]
	return v
}

func (in *input) varint() int64 { return unzigzag(in.uvarint()) }

// count is a number of things of so many bytes at least, which are there.
func (in *input) count(size int) int {
	n := in.uvarint()
	if n > uint64(len(in.rest)/size) {
		in.bad, in.rest = true, nil
		return 0
	}
	return int(n)
}

func (in *input) span() int64 {
	v := in.uvarint()
	if v&3 >= uint64(len(units)) {
		in.bad = true
		return 0
	}
	return int64(v >> 2 * units[v&3])
}

func (in *input) value() float64 {
	v := in.uvarint()
	if v == 1 {
		return math.Float64frombits(binary.LittleEndian.Uint64(in.take(8)))
	}
	if v&1 != 0 {
		in.bad = true
	}
	return float64(unzigzag(v>>1)) / 100
}
