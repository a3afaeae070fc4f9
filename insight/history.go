package insight

import "time"

// History is what may be known of one individual for a purpose: what every fold over
// a population is given, one individual at a time.
type History struct {
	// Timeline is ordered and of either direction. Whoever folds over a population
	// owns its interactions and uses their memory again for the next individual: a
	// fold keeps no interaction, and may keep channels and texts.
	Timeline Timeline
	// Refusals are the spans in which they had said no to being approached, earliest
	// first and apart from each other.
	Refusals []Refusal
}

// Refusal is a span in which an individual had said no.
type Refusal struct {
	From time.Time
	To   time.Time // exclusive; zero: they still do
}

// RefusedAt returns the refusal that held at a moment, and whether one did.
func (h *History) RefusedAt(moment time.Time) (Refusal, bool) {
	for _, r := range h.Refusals {
		if !moment.Before(r.From) && (r.To.IsZero() || moment.Before(r.To)) {
			return r, true
		}
	}
	return Refusal{}, false
}
