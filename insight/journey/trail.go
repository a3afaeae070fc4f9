package journey

import (
	"math"
	"time"

	"github.com/acquaint/acquaint/insight"
)

// trail is the rule of journeys and touchpoints, for everything that follows one
// individual's interactions in order. The zero value with a lookback is nobody's.
type trail struct {
	lookback time.Duration
	open     bool
	channel  *insight.Channel // of the last interaction
	last     time.Time
	gap      time.Duration // before the last interaction, if it did not come first
}

// mark is what an interaction begins.
type mark uint8

const (
	nothing    mark = iota // it belongs to the touchpoint of the one before
	touchpoint             // of the journey of the one before
	newJourney             // with a touchpoint
)

// step takes the next interaction.
func (t *trail) step(x *insight.Interaction) mark {
	begins := newJourney
	if t.open {
		if t.gap = since(t.last, x.OccurredAt); t.gap <= t.lookback {
			begins = nothing
			if !sameChannel(t.channel, x.Channel) {
				begins = touchpoint
			}
		}
	}
	t.open, t.channel, t.last = true, x.Channel, x.OccurredAt
	return begins
}

// quiet reports whether a moment is too late for the open journey.
func (t *trail) quiet(now time.Time) bool { return t.open && since(t.last, now) > t.lookback }

// since is later.Sub(earlier) of moments in order, at a third of its cost: a fold
// over a population asks it for each interaction.
func since(earlier, later time.Time) time.Duration {
	const most = math.MaxInt64
	seconds := later.Unix() - earlier.Unix()
	if seconds >= most/int64(time.Second) {
		return most
	}
	return time.Duration(seconds)*time.Second + time.Duration(later.Nanosecond()-earlier.Nanosecond())
}

// convert ends the journey with the interaction that was taken last.
func (t *trail) convert() { t.open = false }

func sameChannel(a, b *insight.Channel) bool { return a == b || key(a) == key(b) }

// key is a channel's key, and empty for none.
func key(c *insight.Channel) string {
	if c == nil {
		return ""
	}
	return c.Key
}

// matcher is the selector as a function, or nil when it selects everything.
func matcher(s *insight.Selector) func(*insight.Interaction) bool {
	if s.Everything() {
		return nil
	}
	return s.Matcher()
}

// known is the part of a timeline that had happened at a moment, which mostly is all of it.
func known(t insight.Timeline, moment time.Time) insight.Timeline {
	if n := len(t); n == 0 || !t[n-1].OccurredAt.After(moment) {
		return t
	}
	return t.AsOf(moment)
}

// numbers gives channels small numbers, in the order in which they are met.
type numbers struct {
	keys  []string
	byKey map[string]uint32
	met   map[*insight.Channel]uint32 // what byKey says, without reading the key
}

func newNumbers() numbers {
	return numbers{byKey: make(map[string]uint32), met: make(map[*insight.Channel]uint32)}
}

func (n *numbers) of(c *insight.Channel) uint32 {
	if number, ok := n.met[c]; ok {
		return number
	}
	const remembered = 1 << 12 // somebody may make a new one for each interaction
	if len(n.met) == remembered {
		clear(n.met)
	}
	number := n.ofKey(key(c))
	n.met[c] = number
	return number
}

func (n *numbers) ofKey(key string) uint32 {
	number, ok := n.byKey[key]
	if !ok {
		number = uint32(len(n.keys))
		n.keys = append(n.keys, key)
		n.byKey[key] = number
	}
	return number
}
