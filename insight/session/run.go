package session

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
)

// EngagedAfter is how long a session must last to count as engaged without a
// conversion or a second view (Google Analytics 4).
const EngagedAfter = 10 * time.Second

// Line is what a session runs along: one stream of one source of one individual.
type Line struct {
	Individual uuid.UUID
	Source     uuid.UUID
	Stream     uuid.UUID
}

// Run is a session, or a part of one, on some line.
type Run struct {
	First        uuid.UUID // id of the first interaction, which is also the session's id
	Start, End   time.Time
	Channel      uuid.UUID // of the first interaction
	Campaign     insight.Campaign
	Interactions int
	Views        int // pages and screens
	Conversions  int
}

// Engaged reports whether the visit was more than a glance: ten seconds, a
// conversion, or two views.
func (r *Run) Engaged() bool {
	return r.End.Sub(r.Start) >= EngagedAfter || r.Conversions > 0 || r.Views >= 2
}

// Moment is what a session needs to know of one interaction.
type Moment struct {
	ID         uuid.UUID
	Channel    uuid.UUID
	Campaign   insight.Campaign
	Type       string
	Direction  insight.Direction
	OccurredAt time.Time
	Value      *float64
}

// Of is the run of a single interaction; ok is false for an outbound one.
func Of(m Moment) (r Run, ok bool) {
	if m.Direction != insight.Inbound {
		return Run{}, false
	}
	r = Run{First: m.ID, Start: m.OccurredAt, End: m.OccurredAt, Channel: m.Channel, Campaign: m.Campaign, Interactions: 1}
	if m.Type == "page" || m.Type == "screen" {
		r.Views = 1
	}
	if IsConversion(m.Type, m.Value) {
		r.Conversions = 1
	}
	return r, true
}

// IsConversion reports whether an interaction of this type and value earned
// something: a purchase by name, or any positive value.
func IsConversion(kind string, value *float64) bool {
	switch kind {
	case "purchase", "Order Completed":
		return true
	}
	return value != nil && *value > 0
}

// Merge joins the runs of one line into sessions, in order of their start. Runs
// whose gap is at most timeout become one. The slice is reordered and reused.
func Merge(timeout time.Duration, runs []Run) []Run {
	slices.SortFunc(runs, compare)
	sessions := runs[:0]
	for _, r := range runs {
		if n := len(sessions); n > 0 && r.Start.Sub(sessions[n-1].End) <= timeout {
			s := &sessions[n-1]
			if r.End.After(s.End) {
				s.End = r.End
			}
			s.Interactions += r.Interactions
			s.Views += r.Views
			s.Conversions += r.Conversions
			continue
		}
		sessions = append(sessions, r)
	}
	return sessions
}

func compare(a, b Run) int {
	return cmp.Or(a.Start.Compare(b.Start), bytes.Compare(a.First[:], b.First[:]))
}
