package insight

import (
	"bytes"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Ordered returns the timeline earliest first with every interaction once, which
// is where every fold starts: it makes the result independent of the order and
// of the repetitions in which the interactions came. Of two with the same id the
// earlier stays. The timeline itself is not changed; it is returned as it is when
// it is in order already.
func (t Timeline) Ordered() Timeline {
	if t.inOrderOfIDs() {
		return t
	}
	seen := make(map[uuid.UUID]struct{}, len(t))
	tidy := true
	for i, x := range t {
		seen[x.ID] = struct{}{}
		tidy = tidy && (i == 0 || t[i-1].Before(x))
	}
	if tidy && len(seen) == len(t) {
		return t
	}
	ordered := slices.Clone(t)
	slices.SortFunc(ordered, func(x, y *Interaction) int {
		switch {
		case x.Before(y):
			return -1
		case y.Before(x):
			return 1
		}
		return 0
	})
	clear(seen)
	return slices.DeleteFunc(ordered, func(x *Interaction) bool {
		_, repeated := seen[x.ID]
		seen[x.ID] = struct{}{}
		return repeated
	})
}

// inOrderOfIDs reports whether the timeline is in order and its ids are too, as those
// of events that came as they happened: then none is there twice.
func (t Timeline) inOrderOfIDs() bool {
	for i := 1; i < len(t); i++ {
		if !t[i-1].Before(t[i]) || bytes.Compare(t[i-1].ID[:], t[i].ID[:]) >= 0 {
			return false
		}
	}
	return true
}

// AsOf returns the part of an ordered timeline that had happened at a moment:
// what occurs later does not exist yet.
func (t Timeline) AsOf(moment time.Time) Timeline {
	end, _ := slices.BinarySearchFunc(t, moment, func(x *Interaction, moment time.Time) int {
		if x.OccurredAt.After(moment) {
			return 1
		}
		return -1
	})
	return t[:end:end]
}
