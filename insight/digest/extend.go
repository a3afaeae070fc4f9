package digest

import (
	"slices"
	"time"

	"github.com/acquaint/acquaint/insight"
)

// Entries reads a digest as it was written: every interaction with the purposes that
// were permitted when it happened, for a reader whose Counts is nil. What it returns
// is good until the next digest is read.
func (r *Reader) Entries(data []byte) ([]Entry, []insight.Refusal, error) {
	h, err := r.Read(data)
	if err != nil {
		return nil, nil, err
	}
	r.entries = r.entries[:0]
	for i, x := range h.Timeline {
		r.entries = append(r.entries, Entry{Interaction: x, Permitted: r.permitted[i]})
	}
	return r.entries, h.Refusals, nil
}

// Insert takes interactions, in order, into a history that was read from a digest, and
// reports whether it could: which of two came first that happened at one moment, a
// digest does not tell. The entries that it is given may be changed.
func Insert(entries, more []Entry) ([]Entry, bool) {
	for _, e := range more {
		at, tied := slices.BinarySearchFunc(entries, e.OccurredAt, func(e Entry, moment time.Time) int { return e.OccurredAt.Compare(moment) })
		if tied && !slices.ContainsFunc(more, func(m Entry) bool { return m.Interaction == entries[at].Interaction }) {
			return nil, false
		}
		for tied && at < len(entries) && entries[at].OccurredAt.Equal(e.OccurredAt) { // two of those that are inserted
			at++
		}
		entries = slices.Insert(entries, at, e)
	}
	return entries, true
}
