package cohort

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/acquaint/acquaint/insight"
)

// Interval is how long a bucket is. The text is the API's.
type Interval string

// The intervals.
const (
	Hour  Interval = "HOUR"
	Day   Interval = "DAY"
	Week  Interval = "WEEK"
	Month Interval = "MONTH"
)

// WeekStart is the day that a week starts with. The text is the API's.
type WeekStart string

// The days that a week may start with.
const (
	Monday WeekStart = "MONDAY"
	Sunday WeekStart = "SUNDAY"
)

// DefaultWeekStart is the day that a week starts with when nobody says (ISO 8601).
const DefaultWeekStart = Monday

// MaxBuckets is how many buckets a lifecycle or a stickiness may have.
const MaxBuckets = 1_000

// Calendar divides time into buckets.
type Calendar struct {
	Interval  Interval
	WeekStart WeekStart      // of a WEEK; given for the others too
	Zone      *time.Location // whose clocks show when a bucket starts
}

// Validate refuses a calendar that cannot be meant. It joins one insight.Invalid
// error for each fault, about interval, weekStart or timeZone.
func (c Calendar) Validate() error {
	var errs []error
	switch c.Interval {
	case Hour, Day, Week, Month:
	default:
		errs = append(errs, insight.NewError(insight.Invalid, "interval", "it is none of HOUR, DAY, WEEK, MONTH"))
	}
	if c.WeekStart != Monday && c.WeekStart != Sunday {
		errs = append(errs, insight.NewError(insight.Invalid, "weekStart", "it is neither MONDAY nor SUNDAY"))
	}
	if c.Zone == nil {
		errs = append(errs, insight.NewError(insight.Invalid, "timeZone", "it is missing; a time zone is such as UTC or Europe/Vienna"))
	}
	return errors.Join(errs...)
}

// Start is when the bucket starts that holds a moment. The calendar is one that
// Validate accepts.
func (c Calendar) Start(at time.Time) time.Time {
	at = at.In(c.Zone)
	if c.Interval == Hour {
		return c.hour(at)
	}
	d := c.dateOf(at)
	for {
		start := d.midnight(c.Zone)
		if !start.After(at) {
			return start
		}
		// Clocks that go back across midnight show a date before its bucket starts.
		d = c.step(d, -1)
	}
}

// Next is when the bucket ends, and the next one starts, that starts at a moment.
func (c Calendar) Next(start time.Time) time.Time {
	start = start.In(c.Zone)
	if c.Interval == Hour {
		return c.hourAfter(start)
	}
	return c.step(c.dateOf(start), 1).midnight(c.Zone)
}

// Between are the buckets from the one that holds from to the one that holds to. It
// refuses from after to, and more than [MaxBuckets]. The calendar is one that
// Validate accepts.
func (c Calendar) Between(from, to time.Time) (Buckets, error) {
	if from.After(to) {
		return Buckets{}, insight.NewError(insight.Invalid, "from", "it is after to")
	}
	start := c.Start(from)
	bounds := []int64{start.UnixMicro()}
	for !start.After(to) {
		if len(bounds) > MaxBuckets {
			return Buckets{}, insight.NewError(insight.Invalid, "to", fmt.Sprintf("there are over %d buckets of an interval of %s from from to to", MaxBuckets, c.Interval))
		}
		start = c.Next(start)
		bounds = append(bounds, start.UnixMicro())
	}
	return Buckets{bounds}, nil
}

// From are so many buckets from the one on that holds from, but only those that have
// begun by asOf.
func (c Calendar) From(from time.Time, buckets int, asOf time.Time) Buckets {
	start := c.Start(from)
	bounds := []int64{start.UnixMicro()}
	for len(bounds) <= buckets && !start.After(asOf) {
		start = c.Next(start)
		bounds = append(bounds, start.UnixMicro())
	}
	return Buckets{bounds}
}

// before puts the bucket in front that comes before the first one.
func (c Calendar) before(b Buckets) Buckets {
	previous := c.Start(time.UnixMicro(b.bounds[0] - 1))
	return Buckets{slices.Insert(slices.Clone(b.bounds), 0, previous.UnixMicro())}
}

// check are the faults of what lifecycle and stickiness have in common.
func (c Calendar) check(from, to, asOf time.Time, event *insight.Selector) error {
	errs := []error{c.Validate(), insight.CheckTime("from", from), insight.CheckTime("to", to), checkAsOf(asOf), checkSelector("event", event)}
	if errors.Join(errs[:3]...) == nil {
		_, err := c.Between(from, to)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func checkAsOf(asOf time.Time) error {
	if asOf.IsZero() {
		return insight.NewError(insight.Invalid, "asOf", "it is missing")
	}
	return insight.CheckTime("asOf", asOf)
}

func checkSelector(subject string, s *insight.Selector) error {
	if s == nil {
		return nil
	}
	return s.Validate(subject)
}

func matcher(s *insight.Selector) func(*insight.Interaction) bool {
	if s == nil {
		inbound := insight.AnyInbound()
		return inbound.Matcher()
	}
	return s.Matcher()
}

// Buckets are spans of time that touch. The zero value has none.
type Buckets struct {
	bounds []int64 // when each of them starts and the last one ends, in microseconds since 1970
}

// Len is how many there are.
func (b Buckets) Len() int { return max(len(b.bounds)-1, 0) }

// Start is when bucket i starts, in UTC.
func (b Buckets) Start(i int) time.Time { return time.UnixMicro(b.bounds[i]).UTC() }

// Index is the bucket that holds a moment, and false when none does.
func (b Buckets) Index(at time.Time) (int, bool) {
	m := at.UnixMicro()
	if b.Len() == 0 || m < b.bounds[0] || m >= b.bounds[b.Len()] {
		return 0, false
	}
	return b.seek(0, m), true
}

// begun is how many have begun at a moment.
func (b Buckets) begun(at time.Time) int {
	m := at.UnixMicro()
	return sort.Search(b.Len(), func(i int) bool { return b.bounds[i] > m })
}

// seek is the bucket that holds m, which is not before bucket i; Len when it is
// after all of them. Timelines are in order, so mostly it is i or the next one.
func (b Buckets) seek(i int, m int64) int {
	n := b.Len()
	for near := min(i+2, n); i < near; i++ {
		if m < b.bounds[i+1] {
			return i
		}
	}
	return i + sort.Search(n-i, func(k int) bool { return m < b.bounds[i+k+1] })
}

// position is how many interactions of a timeline in order are before a moment.
func position(t insight.Timeline, m int64) int {
	return sort.Search(len(t), func(i int) bool { return t[i].OccurredAt.UnixMicro() >= m })
}

// date is a day of the calendar on the wall; its month and day may be out of range.
type date struct {
	year  int
	month time.Month
	day   int
}

// dateOf is the date that a bucket starts with: the one that holds what the clocks
// show at a moment.
func (c Calendar) dateOf(at time.Time) date {
	var d date
	d.year, d.month, d.day = at.Date()
	switch c.Interval {
	case Week:
		first := time.Monday
		if c.WeekStart == Sunday {
			first = time.Sunday
		}
		d.day -= (int(at.Weekday()) - int(first) + 7) % 7
	case Month:
		d.day = 1
	}
	return d
}

// step goes n buckets on.
func (c Calendar) step(d date, n int) date {
	switch c.Interval {
	case Week:
		d.day += 7 * n
	case Month:
		d.month += time.Month(n)
	default:
		d.day += n
	}
	return d
}

// midnight is the first moment from which on a zone's clocks show no earlier date.
// time.Date does not say which moment it takes where midnight is skipped or comes
// twice.
func (d date) midnight(zone *time.Location) time.Time {
	wall := time.Date(d.year, d.month, d.day, 0, 0, 0, 0, time.UTC)
	// No zone is a day away from UTC, so by then it is that date everywhere.
	at := wall.Add(insight.Day).In(zone)
	later := at
	for {
		_, offset := at.Zone()
		since, _ := at.ZoneBounds()
		midnight := wall.Add(-time.Duration(offset) * time.Second)
		if since.IsZero() || midnight.After(since) {
			if midnight.After(later) {
				return later
			}
			return midnight.In(zone)
		}
		later, at = since, since.Add(-1)
	}
}

const secondsOfHour = 3_600

// hour is when the hour starts that holds a moment of the zone.
func (c Calendar) hour(at time.Time) time.Time {
	start := at.Unix() - intoHour(at)
	_, offset := at.Zone()
	for p := at; ; {
		since, _ := p.ZoneBounds()
		if since.IsZero() || since.Unix() <= start {
			return time.Unix(start, 0).In(c.Zone)
		}
		// A change of the zone's name alone changes no clock.
		p = since.Add(-1)
		if _, earlier := p.Zone(); earlier != offset {
			return since
		}
	}
}

// hourAfter is when the hour ends that starts at a moment of the zone.
func (c Calendar) hourAfter(start time.Time) time.Time {
	end := start.Unix() - intoHour(start) + secondsOfHour
	_, offset := start.Zone()
	for p := start; ; {
		_, until := p.ZoneBounds()
		if until.IsZero() || until.Unix() >= end {
			return time.Unix(end, 0).In(c.Zone)
		}
		p = until
		if _, later := p.Zone(); later != offset {
			return until
		}
	}
}

// intoHour is how many seconds of the hour have passed on the clocks of at's zone.
func intoHour(at time.Time) int64 {
	_, offset := at.Zone()
	return ((at.Unix()+int64(offset))%secondsOfHour + secondsOfHour) % secondsOfHour
}
