package consent

import (
	"slices"
	"time"

	"github.com/acquaint/acquaint/insight"
)

// Keeps reports whether, whatever a person decides, everything of theirs is kept for
// good: for a purpose whose basis does not ask, and that has no retention.
func Keeps(purposes []*insight.Purpose) bool {
	return slices.ContainsFunc(purposes, func(p *insight.Purpose) bool { return !p.LegalBasis.Choice() && p.Retention == 0 })
}

// KeptUntil is the moment from which an interaction may no longer be kept: when the
// retention of the last purpose that it serves has passed. It serves a purpose that
// covers the person now and that covered them when it occurred, or is retroactive.
// Forever is true where one of these has no retention; with none at all, the moment
// is that at which it occurred.
func KeptUntil(purposes []*insight.Purpose, now, then insight.Set, occurredAt time.Time) (until time.Time, forever bool) {
	until = occurredAt
	for _, p := range purposes {
		if now&p.Set() == 0 || then&p.Set() == 0 && !p.Retroactive {
			continue
		}
		if p.Retention == 0 {
			return time.Time{}, true
		}
		if end := occurredAt.Add(p.Retention); end.After(until) {
			until = end
		}
	}
	return until, false
}

// Needed reports whether any purpose is left for which a person may be known: one that
// covers them now and whose retention, counted from when they were last seen, has not
// passed.
func Needed(purposes []*insight.Purpose, now insight.Set, lastSeenAt, at time.Time) bool {
	return slices.ContainsFunc(purposes, func(p *insight.Purpose) bool {
		return now&p.Set() != 0 && (p.Retention == 0 || lastSeenAt.Add(p.Retention).After(at))
	})
}
