package segment

import (
	"slices"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/lifetime"
	"github.com/acquaint/acquaint/insight/recency"
)

// Wires are a population's trip wires by step: the first is that of whoever did it
// once. A nil one is not known, since nobody made that step.
type Wires [recency.OwnGaps]*time.Duration

// WiresOf are the trip wires of a habit.
func WiresOf(h *recency.Habit) Wires {
	var w Wires
	for i := range w {
		if wire, ok := h.TripWire(i + 1); ok {
			w[i] = &wire
		}
	}
	return w
}

func (w *Wires) at(count int) (time.Duration, bool) {
	if count < 1 || count > len(w) || w[count-1] == nil {
		return 0, false
	}
	return *w[count-1], true
}

// Models are what some leaves need to know of everyone whom a purpose covers: numbers
// without names, which can be kept as JSON. What is nil is missing. Models are not
// changed once a program was compiled with them.
type Models struct {
	AsOf time.Time // the moment that they were made of, for whoever keeps them
	// Habits are for overdue: of each selector, by its [SelectorKey], the trip wires of a
	// recency.Habit without a Quiet.
	Habits map[string]Wires
	// Visits are for relationship: the trip wires of a recency.Habit of any inbound
	// interaction whose Quiet is relationship.Quiet.
	Visits   *Wires
	Cuts     *recency.Cuts // for rfm: of any inbound interaction
	Lifetime *lifetime.Fit // for lifetime: BG/NBD of any inbound interaction, in days of UTC
	// Missing says in words why a model is missing, by what it is: habits, visits, cuts
	// or lifetime.
	Missing map[string]string
}

// missing is why a model is not there.
func (m *Models) missing(what string) string {
	if m != nil && m.Missing[what] != "" {
		return m.Missing[what]
	}
	return "what everyone is like has not been found out yet"
}

// Needs are what has to be known before a program can be asked.
type Needs struct {
	Habits   []insight.Selector // of these, each once, for Models.Habits
	Visits   bool               // Models.Visits, and Facts.Refusals
	Cuts     bool               // Models.Cuts
	Lifetime bool               // Models.Lifetime

	Timeline   bool // Facts.Timeline
	Properties bool // the properties of its interactions
	Traits     bool // Facts.Traits
	Coverage   bool // Facts.Coverage of purposes that the rule names; of the segment's own it always is
}

// And are the needs of two programs together.
func (n Needs) And(o Needs) Needs {
	habits := slices.Clone(n.Habits)
	for _, event := range o.Habits {
		if !slices.ContainsFunc(habits, func(h insight.Selector) bool { return SelectorKey(&h) == SelectorKey(&event) }) {
			habits = append(habits, event)
		}
	}
	return Needs{
		Habits: habits, Visits: n.Visits || o.Visits, Cuts: n.Cuts || o.Cuts, Lifetime: n.Lifetime || o.Lifetime,
		Timeline: n.Timeline || o.Timeline, Properties: n.Properties || o.Properties, Traits: n.Traits || o.Traits, Coverage: n.Coverage || o.Coverage,
	}
}
