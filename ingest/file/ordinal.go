package file

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"slices"

	"github.com/acquaint/acquaint/insight"
)

// digest is what tells rows apart: the first 128 bits of a SHA-256.
type digest [16]byte

const (
	partitions    = 64
	entrySize     = len(digest{}) + 8
	partitionSize = 64 << 10 / entrySize * entrySize // bytes kept in memory for one partition
	repeatSize    = 16
)

// ordinals finds the ordinal of each row among the rows of the same content. Rows
// are first counted, then asked for in the same order. What was counted is
// spread by digest over partitions, of which one at a time is sorted in memory;
// the rest lies in a temporary file once it is more than a few megabytes.
type ordinals struct {
	dir    string
	file   *os.File
	size   int64
	buffer [partitions][]byte
	chunks [partitions][]int64 // offsets in file of full buffers
	rows   uint64
	repeat [partitions]repeats
}

// repeats are the rows of a partition that repeat an earlier one: row and
// ordinal, in the order of rows.
type repeats struct {
	memory []byte
	stored io.Reader
	row    uint64
	nth    uint64
	done   bool
}

func partitionOf(d digest) int { return int(d[0]) % partitions }

// count notes the next row.
func (o *ordinals) count(d digest) error {
	p := partitionOf(d)
	o.buffer[p] = binary.BigEndian.AppendUint64(append(o.buffer[p], d[:]...), o.rows)
	o.rows++
	if len(o.buffer[p]) < partitionSize {
		return nil
	}
	at, err := o.store(o.buffer[p])
	o.chunks[p] = append(o.chunks[p], at)
	o.buffer[p] = o.buffer[p][:0]
	return err
}

func (o *ordinals) store(data []byte) (at int64, err error) {
	if o.file == nil {
		if o.file, err = os.CreateTemp(o.dir, "acquaint-import-*"); err != nil {
			return 0, temporary(err)
		}
	}
	at = o.size
	n, err := o.file.WriteAt(data, at)
	o.size += int64(n)
	return at, temporary(err)
}

func temporary(err error) error {
	if err == nil {
		return nil
	}
	failed := insight.WrapError("file.Read", insight.Unavailable, err)
	failed.Subject, failed.Message = "temporary file", "it cannot be written or read; an import needs room for 24 bytes a row there"
	return failed
}

// settle ends the counting.
func (o *ordinals) settle() error {
	for p := range partitions {
		entries := make([]byte, 0, len(o.chunks[p])*partitionSize+len(o.buffer[p]))
		for _, at := range o.chunks[p] {
			entries = entries[:len(entries)+partitionSize]
			if _, err := o.file.ReadAt(entries[len(entries)-partitionSize:], at); err != nil {
				return temporary(err)
			}
		}
		entries = append(entries, o.buffer[p]...)
		o.buffer[p] = nil
		found := repeated(entries)
		if o.file == nil {
			o.repeat[p].memory = found
		} else {
			at, err := o.store(found)
			if err != nil {
				return err
			}
			o.repeat[p].stored = io.NewSectionReader(o.file, at, int64(len(found)))
		}
	}
	o.rows = 0
	return nil
}

// repeated sorts the entries of a partition and answers with its repeats.
func repeated(entries []byte) []byte {
	sorted := make([][entrySize]byte, len(entries)/entrySize)
	for i := range sorted {
		sorted[i] = [entrySize]byte(entries[i*entrySize:])
	}
	slices.SortFunc(sorted, func(a, b [entrySize]byte) int { return bytes.Compare(a[:], b[:]) })
	type repeat struct{ row, nth uint64 }
	var found []repeat
	nth := uint64(1)
	for i := 1; i < len(sorted); i++ {
		if digest(sorted[i][:16]) != digest(sorted[i-1][:16]) {
			nth = 1
			continue
		}
		nth++
		found = append(found, repeat{binary.BigEndian.Uint64(sorted[i][16:]), nth})
	}
	slices.SortFunc(found, func(a, b repeat) int { return int(a.row) - int(b.row) })
	out := make([]byte, 0, len(found)*repeatSize)
	for _, r := range found {
		out = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(out, r.row), r.nth)
	}
	return out
}

// next is the ordinal, from 1, of the next row, whose digest is the one that it
// was counted with.
func (o *ordinals) next(d digest) (uint64, error) {
	row := o.rows
	o.rows++
	r := &o.repeat[partitionOf(d)]
	for !r.done && (r.nth == 0 || r.row < row) {
		if err := r.advance(); err != nil {
			return 0, err
		}
	}
	if !r.done && r.row == row {
		return r.nth, nil
	}
	return 1, nil
}

func (r *repeats) advance() error {
	if len(r.memory) == 0 && r.stored != nil {
		block := make([]byte, 256*repeatSize)
		n, err := io.ReadFull(r.stored, block)
		if err != nil && n == 0 && err != io.EOF { //nolint:errorlint // ReadFull answers with io.EOF itself
			return temporary(err)
		}
		r.memory = block[:n-n%repeatSize]
	}
	if len(r.memory) == 0 {
		r.done = true
		return nil
	}
	r.row, r.nth = binary.BigEndian.Uint64(r.memory), binary.BigEndian.Uint64(r.memory[8:])
	r.memory = r.memory[repeatSize:]
	return nil
}

func (o *ordinals) close() {
	if o.file != nil {
		_ = o.file.Close()
		_ = os.Remove(o.file.Name())
	}
}
