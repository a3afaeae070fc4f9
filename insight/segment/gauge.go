package segment

import (
	"math"
	"slices"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/lifetime"
	"github.com/acquaint/acquaint/insight/recency"
	"github.com/acquaint/acquaint/insight/relationship"
)

// gauge is what was found out of an individual by certain models, for all leaves that
// ask for it: from the beginning of the subject's time on.
type gauge struct {
	standings gauged[relationship.Status]
	scores    gauged[recency.RFM]
	futures   gauged[future]
}

type gauged[T any] struct {
	span uint32
	from []reading[T]
}

// reading is what holds from a moment until the next reading's.
type reading[T any] struct {
	at int64
	is T
}

// begin reports whether the readings are still to be taken.
func (g *gauged[T]) begin(s *Subject) bool {
	if g.span == s.span {
		return false
	}
	g.span, g.from = s.span, g.from[:0]
	return true
}

// following is the first moment after another at which an interaction happens.
func (s *Subject) following(at int64) int64 {
	i, _ := slices.BinarySearch(s.moments, at+1)
	if i == len(s.moments) {
		return never
	}
	return s.moments[i]
}

// standings are the individual's by package relationship.
func (s *Subject) standings(model int32, visits *Wires) []reading[relationship.Status] {
	g := &s.gauges[model].standings
	if !g.begin(s) {
		return g.from
	}
	h := s.history()
	for at := s.from; at < last; {
		o := relationship.Options{AsOf: moment(at), TripWire: visits.at}
		// A tally finds no words for its answer.
		tally := relationship.NewTally(o)
		tally.Add(h)
		for _, c := range tally.Report().Counts {
			if c.Individuals > 0 {
				g.from = append(g.from, reading[relationship.Status]{at, c.Status})
			}
		}
		next := s.following(at)
		if turns, ok := relationship.NextChange(h, o); ok {
			next = min(next, turns.UnixMicro())
		}
		at = next
	}
	return g.from
}

// relationshipLeaf is where they stand.
type relationshipLeaf struct {
	model    int32
	visits   *Wires
	statuses []relationship.Status
}

func newRelationshipLeaf(model int32, visits *Wires, statuses []relationship.Status) *relationshipLeaf {
	return &relationshipLeaf{model, visits, statuses}
}

func (l *relationshipLeaf) draw(s *Subject, p *pen) {
	for _, r := range s.standings(l.model, l.visits) {
		p.set(r.at, slices.Contains(l.statuses, r.is))
	}
}

func (l *relationshipLeaf) touched(_ *Book, x *insight.Interaction) bool { return x.Direction != 0 }
func (l *relationshipLeaf) timed() bool                                  { return true }

// day is how many moments it has; days are numbered from 1970 in UTC.
const day = int64(insight.Day / insight.Precision)

func dayOf(at int64) int64 {
	n := at / day
	if at%day < 0 {
		n--
	}
	return n
}

// scores are the individual's by package recency, none while they never came. They
// change with what happens, and on the days on which the cuts of recency are reached.
func (s *Subject) scores(model int32, cuts *recency.Cuts) []reading[recency.RFM] {
	g := &s.gauges[model].scores
	if !g.begin(s) {
		return g.from
	}
	h := s.history()
	for at := s.from; at < last; {
		next := s.following(at)
		if r, ok := recency.RFMOf(h.Timeline, insight.AnyInbound(), moment(at), *cuts); ok {
			g.from = append(g.from, reading[recency.RFM]{at, r})
			for _, cut := range cuts.Recency {
				if days := math.Ceil(cut); days > float64(r.RecencyDays) && days < float64(last/day) {
					next = min(next, (dayOf(at)-int64(r.RecencyDays)+int64(days))*day)
				}
			}
		}
		at = next
	}
	return g.from
}

// rfmLeaf is what their scores are.
type rfmLeaf struct {
	model int32
	cuts  *recency.Cuts
	rule  *RFM
}

func newRFMLeaf(model int32, cuts *recency.Cuts, rule *RFM) *rfmLeaf {
	return &rfmLeaf{model, cuts, rule}
}

func (l *rfmLeaf) draw(s *Subject, p *pen) {
	for _, r := range s.scores(l.model, l.cuts) {
		p.set(r.at, l.holds(&r.is))
	}
}

func (l *rfmLeaf) holds(r *recency.RFM) bool {
	return among(l.rule.R, r.R) && among(l.rule.F, r.F) && among(l.rule.M, r.M) && among(l.rule.Segments, r.Segment)
}

// among reports whether a list has an entry, or is none.
func among[T comparable](of []T, one T) bool { return of == nil || slices.Contains(of, one) }

func (l *rfmLeaf) touched(_ *Book, x *insight.Interaction) bool {
	return x.Direction == insight.Inbound
}

func (l *rfmLeaf) timed() bool { return true }

// future is what package lifetime needs to know of them on a day. With each day that
// nothing happens they only become older.
type future struct {
	summary lifetime.Summary
	day     int64
	age     int64 // in days, on that day
}

func (s *Subject) futures(model int32) []reading[future] {
	g := &s.gauges[model].futures
	if !g.begin(s) {
		return g.from
	}
	h := s.history()
	for at := s.from; at < last; at = s.following(at) {
		o := lifetime.Options{Event: insight.AnyInbound(), Model: lifetime.DefaultModel, AsOf: moment(at), Horizon: lifetime.DefaultHorizon, Zone: time.UTC}
		if summary, ok := lifetime.Of(h.Timeline, &o); ok {
			g.from = append(g.from, reading[future]{at, future{summary, dayOf(at), int64(math.Round(summary.Age * 7))}})
		}
	}
	return g.from
}

// on is what is known of them on a later day.
func (f *future) on(day int64) lifetime.Summary {
	s := f.summary
	s.Age = float64(f.age+day-f.day) / 7
	return s
}

// ahead is how many days after the end of the subject's time are looked at for what
// lifetime expects: searching all of them costs more than looking again.
const ahead = 64

// lifetimeLeaf is what is expected of them.
type lifetimeLeaf struct {
	model int32
	fit   *lifetime.Fit
	rule  *Lifetime
}

// draw relies on this: while nothing happens, neither the probability that they are
// still a customer nor the value that is expected of them rises.
func (l lifetimeLeaf) draw(s *Subject, p *pen) {
	readings := s.futures(l.model)
	for i := range readings {
		r := &readings[i]
		end, horizon := last, dayOf(s.until)+ahead
		if i+1 < len(readings) {
			end = readings[i+1].at
		}
		until := min(dayOf(end-1), horizon)
		if end > horizon*day && l.turns(&r.is, horizon) {
			p.look = min(p.look, horizon*day)
		}
		p.set(r.at, l.holds(&r.is, r.is.day))
		var turns [3]int64
		found := turns[:0]
		for _, condition := range [...]func(*future, int64) bool{l.aliveAtLeast, l.aliveAtMost, l.valueAtLeast} {
			if turn, ok := firstOther(&r.is, r.is.day, until, condition); ok {
				found = append(found, turn)
			}
		}
		slices.Sort(found)
		for _, turn := range found {
			p.set(turn*day, l.holds(&r.is, turn))
		}
	}
}

// firstOther is the first day after from until another on which a condition, which turns
// at most once, is not as on from.
func firstOther(f *future, from, until int64, condition func(*future, int64) bool) (int64, bool) {
	was := condition(f, from)
	if until <= from || condition(f, until) == was {
		return 0, false
	}
	for low := from; ; {
		middle := low + (until-low)/2
		switch {
		case middle == low:
			return until, true
		case condition(f, middle) == was:
			low = middle
		default:
			until = middle
		}
	}
}

// turns reports whether the answer may be another one after a day, if nothing happens.
func (l lifetimeLeaf) turns(f *future, day int64) bool {
	switch {
	case !l.aliveAtLeast(f, day) || !l.valueAtLeast(f, day):
		return false
	case l.rule.ProbabilityAliveAtLeast == nil && l.rule.ExpectedValueAtLeast == nil:
		return !l.aliveAtMost(f, day)
	}
	return true
}

func (l lifetimeLeaf) holds(f *future, day int64) bool {
	return l.aliveAtLeast(f, day) && l.aliveAtMost(f, day) && l.valueAtLeast(f, day)
}

func (l lifetimeLeaf) aliveAtLeast(f *future, day int64) bool {
	least := l.rule.ProbabilityAliveAtLeast
	return least == nil || l.fit.Alive(f.on(day)) >= *least
}

func (l lifetimeLeaf) aliveAtMost(f *future, day int64) bool {
	most := l.rule.ProbabilityAliveAtMost
	return most == nil || l.fit.Alive(f.on(day)) <= *most
}

func (l lifetimeLeaf) valueAtLeast(f *future, day int64) bool {
	least := l.rule.ExpectedValueAtLeast
	if least == nil {
		return true
	}
	value := l.fit.Future(f.on(day), lifetime.DefaultHorizon).ExpectedValue
	return value != nil && *value >= *least
}

func (l lifetimeLeaf) touched(_ *Book, x *insight.Interaction) bool {
	return x.Direction == insight.Inbound
}

func (l lifetimeLeaf) timed() bool { return true }
