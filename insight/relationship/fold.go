package relationship

import (
	"math"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/recency"
)

// never is later than every moment.
const never = math.MaxInt64

// fold is an individual's timeline, taken in. Moments are microseconds since 1970.
// Refusals are laid over it at the end, since they change nothing beneath them.
type fold struct {
	asOf   time.Time
	wires  [recency.OwnGaps + 1]time.Duration // the population's by visits; negative: not known
	gaps   halves
	begun  bool
	now    int64  // the last moment at which something happened
	status Status // as of now, or of the moment that it was moved to
	since  int64  // when that began; meaningless for a stranger

	visits  int
	first   int64
	last    time.Time // of the last inbound interaction
	wire    time.Duration
	tripped int64 // the first moment past the wire
	lapsed  int64 // the first moment past three times the wire

	touches   int // outbound ones since the last inbound one, or ever
	touchedAt [2]int64
	tries     int // of them, those since the wire tripped
	triedAt   int64

	returned returned
}

// returned is the last return from a silence.
type returned struct {
	visit   int // which visit it was, from 1; 0: none
	at      int64
	silence time.Duration
	touches int // outbound ones in that silence
}

func newFold(o Options) fold {
	f := fold{asOf: insight.Moment(o.AsOf)}
	for visits := range f.wires {
		f.wires[visits] = -1
		if o.TripWire == nil || visits == 0 {
			continue
		}
		if wire, ok := o.TripWire(visits); ok {
			f.wires[visits] = wire
		}
	}
	f.reset()
	return f
}

// reset makes it nobody's, and keeps the memory.
func (f *fold) reset() {
	*f = fold{
		asOf: f.asOf, wires: f.wires, gaps: halves{low: f.gaps.low[:0], high: f.gaps.high[:0]},
		status: Stranger, wire: -1, tripped: never, lapsed: never,
	}
}

// timeline takes in what had happened by asOf, in order, and moves on to asOf.
// The status is looked at where a moment ends, so that what came and went within
// one moment was never seen.
func (f *fold) timeline(t insight.Timeline) {
	for _, x := range t {
		at := x.OccurredAt.UnixMicro()
		if !f.begun || at != f.now {
			f.settle()
			f.move(at - 1)
			f.begun, f.now = true, at
		}
		switch x.Direction {
		case insight.Inbound:
			f.act(x.OccurredAt, at)
		case insight.Outbound:
			f.touch(at)
		}
	}
	f.settle()
	f.move(f.asOf.UnixMicro())
}

// act takes in an inbound interaction. Whoever goes on with a visit has not come
// back, whatever was sent to them meanwhile: they had not left.
func (f *fold) act(when time.Time, at int64) {
	if f.visits == 0 {
		f.first = at
		f.visit()
	} else if silence := when.Sub(f.last); silence > Quiet {
		if f.touches >= Unanswered || at >= f.lapsed {
			f.returned = returned{visit: f.visits + 1, at: at, silence: silence, touches: f.touches}
		}
		f.gaps.add(silence)
		f.visit()
	}
	f.last = when
	f.touches, f.tries = 0, 0
	f.tripped, f.lapsed = past(at, f.wire, 1), past(at, f.wire, 3)
}

// visit counts one more, by which alone the wire changes.
func (f *fold) visit() {
	f.visits++
	if f.visits > recency.OwnGaps {
		f.wire = f.gaps.median()
	} else {
		f.wire = f.wires[f.visits]
	}
}

func (f *fold) touch(at int64) {
	f.touches++
	switch f.touches {
	case 1:
		f.touchedAt[0] = at
	case Unanswered:
		f.touchedAt[1] = at
	}
	if at >= f.tripped {
		f.tries++
		f.triedAt = at
	}
}

// past is the first moment that is later than so many wires after at.
func past(at int64, wire time.Duration, times int64) int64 {
	if wire < 0 {
		return never
	}
	// In two parts, since three times a long wire does not fit a duration.
	whole, rest := int64(wire/time.Microsecond), int64(wire%time.Microsecond)
	return at + times*whole + times*rest/int64(time.Microsecond) + 1
}

// settle notes the status at the end of the current moment.
func (f *fold) settle() {
	if !f.begun {
		return
	}
	if status := f.onTrack(); status != f.status {
		f.status, f.since = status, f.now
	}
}

// onTrack is the status at the current moment but for the silence before it.
func (f *fold) onTrack() Status {
	switch {
	case f.touches >= Unanswered:
		return Unresponsive
	case f.visits == 0:
		return Stranger
	case f.now >= f.lapsed:
		return Lapsed
	case f.now >= f.tripped:
		return Cooling
	case f.returned.visit > 0 && f.visits-f.returned.visit < recency.OwnGaps:
		return Returning
	case f.visits <= recency.OwnGaps:
		return New
	}
	return Active
}

// move lets time pass with no event, up to and with a moment.
func (f *fold) move(to int64) {
	switch f.status {
	case New, Active, Returning:
		if to < f.tripped {
			return
		}
		f.status, f.since = Cooling, f.tripped
	case Cooling:
	default:
		return
	}
	if to >= f.lapsed {
		f.status, f.since = Lapsed, f.lapsed
	}
}

// standing is the answer without its words.
type standing struct {
	status Status
	since  time.Time
}

// stand lays the refusals over what the timeline says.
func (f *fold) stand(refusals []insight.Refusal) standing {
	s := standing{status: f.status}
	if f.status != Stranger {
		s.since = moment(f.since)
	}
	from, open := time.Time{}, time.Time{}
	refused := false
	for _, r := range refusals {
		if r.From.After(f.asOf) {
			break
		}
		if !r.To.IsZero() && !r.From.Before(r.To) {
			continue // it never held
		}
		if from.IsZero() || !open.Equal(r.From) {
			from = r.From
		}
		open = r.To
		if refused = r.To.IsZero() || r.To.After(f.asOf); refused {
			break
		}
	}
	switch {
	case refused:
		s = standing{status: OptedOut, since: from}
	case open.After(s.since):
		s.since = open
	}
	return s
}

func (f *fold) nextChange(refusals []insight.Refusal) (time.Time, bool) {
	border := int64(never)
	switch f.status {
	case New, Active, Returning:
		border = f.tripped
	case Cooling:
		border = f.lapsed
	}
	ends := time.Time{}
	refused := false
	for _, r := range refusals {
		switch {
		case !r.To.IsZero() && (!r.From.Before(r.To) || !r.To.After(f.asOf)):
			continue // over, or it never held
		case refused && r.From.After(ends):
			return ends, true
		case !refused && r.From.After(f.asOf):
			if border < r.From.UnixMicro() {
				return moment(border), true
			}
			return r.From, true
		case r.To.IsZero():
			return time.Time{}, false
		}
		refused, ends = true, r.To
	}
	if refused {
		return ends, true
	}
	return moment(border), border != never
}

func moment(at int64) time.Time { return time.UnixMicro(at).UTC() }
