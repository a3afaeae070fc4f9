package cohort_test

import (
	"fmt"
	"testing"
	"time"
	_ "time/tzdata"

	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/cohort"
)

func zone(name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return z
}

// Clocks that are changed by an hour, by half of one, at midnight, by a day, and that
// stand at a quarter of an hour.
var zones = []string{
	"UTC", "Europe/Vienna", "America/New_York", "America/Sao_Paulo", "America/Havana", "Asia/Kathmandu", "Asia/Kolkata",
	"Australia/Lord_Howe", "Pacific/Apia", "Africa/Cairo", "Asia/Beirut", "America/Asuncion", "Pacific/Chatham",
}

var intervals = []cohort.Interval{cohort.Hour, cohort.Day, cohort.Week, cohort.Month}

// label is what a bucket is called by somebody who looks at the clock on the wall.
func label(c cohort.Calendar, at time.Time) string {
	at = at.In(c.Zone)
	switch c.Interval {
	case cohort.Hour:
		return at.Format("2006-01-02T15 -0700") // the offset tells an hour from its repetition
	case cohort.Day:
		return at.Format(time.DateOnly)
	case cohort.Month:
		return at.Format("2006-01")
	}
	day := time.Date(at.Year(), at.Month(), at.Day(), 12, 0, 0, 0, time.UTC)
	for first := map[cohort.WeekStart]time.Weekday{cohort.Monday: time.Monday, cohort.Sunday: time.Sunday}[c.WeekStart]; day.Weekday() != first; {
		day = day.AddDate(0, 0, -1)
	}
	return day.Format(time.DateOnly)
}

func calendars(t *rapid.T) cohort.Calendar {
	return cohort.Calendar{
		Interval:  rapid.SampledFrom(intervals).Draw(t, "interval"),
		WeekStart: rapid.SampledFrom([]cohort.WeekStart{cohort.Monday, cohort.Sunday}).Draw(t, "weekStart"),
		Zone:      zone(rapid.SampledFrom(zones).Draw(t, "zone")),
	}
}

// moments are of the years 1995 to 2030, often close to a change of the clocks.
func moments(t *rapid.T, z *time.Location) time.Time {
	at := time.Unix(rapid.Int64Range(788_918_400, 1_893_456_000).Draw(t, "second"), 0)
	if rapid.Bool().Draw(t, "near a change") {
		if since, _ := at.In(z).ZoneBounds(); !since.IsZero() && since.Year() > 1995 {
			at = since.Add(time.Duration(rapid.IntRange(-5_400, 5_400).Draw(t, "off")) * time.Second)
		}
	}
	return at.Add(time.Duration(rapid.IntRange(0, 999_999).Draw(t, "micro")) * time.Microsecond)
}

// Each moment is in exactly one bucket, and two are in the same one when the clock on
// the wall says so.
func TestBucketsAreThoseOfTheWall(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := calendars(t)
		from := moments(t, c.Zone)
		buckets := c.From(from, rapid.IntRange(1, 60).Draw(t, "buckets"), from.AddDate(9, 0, 0))
		end := buckets.Len() - 1
		if _, ok := buckets.Index(buckets.Start(0).Add(-time.Microsecond)); ok {
			t.Fatal("a moment before the first bucket is in one")
		}
		if i, ok := buckets.Index(from); !ok || i != 0 {
			t.Fatalf("from is in %d, %v", i, ok)
		}
		for i := range end {
			start, next := buckets.Start(i), buckets.Start(i+1)
			if !start.Before(next) {
				t.Fatalf("bucket %d starts %v, the next %v", i, start, next)
			}
			last := next.Add(-time.Microsecond)
			inside := start.Add(time.Duration(rapid.Int64Range(0, int64(next.Sub(start))-1).Draw(t, "inside")))
			for _, at := range []time.Time{start, inside, last} {
				if got, ok := buckets.Index(at); !ok || got != i {
					t.Fatalf("%v is in %d, %v; want %d", at, got, ok, i)
				}
				if label(c, at) != label(c, start) {
					t.Fatalf("%v is in the bucket of %v", at.In(c.Zone), start.In(c.Zone))
				}
				if !c.Start(at).Equal(start) || !c.Next(c.Start(at)).Equal(next) {
					t.Fatalf("%v starts at %v, to %v; want %v, %v", at, c.Start(at), c.Next(start), start, next)
				}
			}
			if label(c, last) == label(c, next) {
				t.Fatalf("%v and %v are in two buckets", last.In(c.Zone), next.In(c.Zone))
			}
		}
		between, err := c.Between(buckets.Start(0), buckets.Start(end))
		if err != nil || between.Len() != end+1 {
			t.Fatalf("%d buckets, %v; want %d", between.Len(), err, end+1)
		}
	})
}

func TestClocksThatChange(t *testing.T) {
	for _, c := range []struct {
		about    string
		zone     string
		interval cohort.Interval
		from     string
		starts   []string // of the bucket that holds from, and of the next ones
	}{
		{"midnight is skipped", "America/Sao_Paulo", cohort.Day, "2018-11-03T12:00:00-03:00",
			[]string{"2018-11-03T00:00:00-03:00", "2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00"}},
		{"the hour before midnight comes twice", "America/Sao_Paulo", cohort.Day, "2018-02-17T12:00:00-02:00",
			[]string{"2018-02-17T00:00:00-02:00", "2018-02-18T00:00:00-03:00"}},
		{"midnight comes twice", "America/Havana", cohort.Day, "2025-11-02T12:00:00-05:00",
			[]string{"2025-11-02T00:00:00-04:00", "2025-11-03T00:00:00-05:00"}},
		{"a minute after midnight the day before comes back", "America/St_Johns", cohort.Day, "2010-11-07T00:00:30-02:30",
			[]string{"2010-11-06T00:00:00-02:30", "2010-11-07T00:00:00-03:30", "2010-11-08T00:00:00-03:30"}},
		{"a date is skipped", "Pacific/Apia", cohort.Day, "2011-12-29T12:00:00-10:00",
			[]string{"2011-12-29T00:00:00-10:00", "2011-12-31T00:00:00+14:00", "2012-01-01T00:00:00+14:00"}},
		{"a date comes twice", "Pacific/Kwajalein", cohort.Day, "1969-09-30T12:00:00+11:00",
			[]string{"1969-09-30T00:00:00+11:00", "1969-10-01T00:00:00-12:00"}},
		{"the last half hour of a day and the first of the next are skipped", "America/Toronto", cohort.Day, "1919-03-30T12:00:00-05:00",
			[]string{"1919-03-30T00:00:00-05:00", "1919-03-31T00:30:00-04:00", "1919-04-01T00:00:00-04:00"}},
		{"hours of which halves are skipped", "America/Toronto", cohort.Hour, "1919-03-30T23:29:59-05:00",
			[]string{"1919-03-30T23:00:00-05:00", "1919-03-31T00:30:00-04:00", "1919-03-31T01:00:00-04:00"}},
		{"an hour of a minute", "America/St_Johns", cohort.Hour, "2010-11-06T23:59:00-02:30",
			[]string{"2010-11-06T23:00:00-02:30", "2010-11-07T00:00:00-02:30", "2010-11-06T23:01:00-03:30", "2010-11-07T00:00:00-03:30"}},
		{"an hour comes twice", "Europe/Vienna", cohort.Hour, "2026-10-25T01:59:00+02:00",
			[]string{"2026-10-25T01:00:00+02:00", "2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00", "2026-10-25T03:00:00+01:00"}},
		{"an hour is skipped", "Europe/Vienna", cohort.Hour, "2026-03-29T01:59:00+01:00",
			[]string{"2026-03-29T01:00:00+01:00", "2026-03-29T03:00:00+02:00"}},
		{"half an hour comes twice", "Australia/Lord_Howe", cohort.Hour, "2026-04-05T01:00:00+11:00",
			[]string{"2026-04-05T01:00:00+11:00", "2026-04-05T01:30:00+10:30", "2026-04-05T02:00:00+10:30"}},
		{"half an hour is skipped", "Australia/Lord_Howe", cohort.Hour, "2026-10-04T01:00:00+10:30",
			[]string{"2026-10-04T01:00:00+10:30", "2026-10-04T02:30:00+11:00", "2026-10-04T03:00:00+11:00"}},
		{"hours of a zone at a quarter", "Asia/Kathmandu", cohort.Hour, "2026-01-01T00:20:00+05:45",
			[]string{"2026-01-01T00:00:00+05:45", "2026-01-01T01:00:00+05:45"}},
		{"weeks across a change", "Europe/Vienna", cohort.Week, "2026-03-29T23:59:59+02:00",
			[]string{"2026-03-23T00:00:00+01:00", "2026-03-30T00:00:00+02:00"}},
		{"months across changes and a year", "America/Sao_Paulo", cohort.Month, "2018-11-30T12:00:00-02:00",
			[]string{"2018-11-01T00:00:00-03:00", "2018-12-01T00:00:00-02:00", "2019-01-01T00:00:00-02:00"}},
		{"before there were zones", "Europe/Vienna", cohort.Day, "1800-01-01T12:00:00Z",
			[]string{"1799-12-31T22:54:39Z", "1800-01-01T22:54:39Z"}},
	} {
		t.Run(c.about, func(t *testing.T) {
			calendar := cohort.Calendar{Interval: c.interval, WeekStart: cohort.Monday, Zone: zone(c.zone)}
			at := calendar.Start(at(c.from))
			for _, want := range c.starts {
				if got := at.UTC().Format(time.RFC3339); got != utc(want) {
					t.Errorf("%s, want %s", at.Format(time.RFC3339), want)
				}
				at = calendar.Next(at)
			}
		})
	}
}

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

func utc(text string) string { return at(text).UTC().Format(time.RFC3339) }

func TestBucketsAreBounded(t *testing.T) {
	from := at("2026-01-01T00:00:00Z")
	c := cohort.Calendar{Interval: cohort.Hour, WeekStart: cohort.Monday, Zone: time.UTC}
	if b, err := c.Between(from, from.Add((cohort.MaxBuckets-1)*time.Hour)); err != nil || b.Len() != cohort.MaxBuckets {
		t.Errorf("%d buckets, %v", b.Len(), err)
	}
	for subject, to := range map[string]time.Time{"to": from.Add(cohort.MaxBuckets * time.Hour), "from": from.Add(-1)} {
		if _, err := c.Between(from, to); fmt.Sprint(subjects(err)) != "["+subject+"]" {
			t.Errorf("%v; want a fault of %s", err, subject)
		}
	}
}

// The first and the last moments that there are have buckets too.
func TestBucketsAtTheEndsOfTime(t *testing.T) {
	for _, interval := range intervals {
		for _, name := range []string{"Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"} {
			c := cohort.Calendar{Interval: interval, WeekStart: cohort.Sunday, Zone: zone(name)}
			for _, moment := range []time.Time{at("0001-01-01T00:00:00Z"), at("9998-12-31T23:59:59Z")} {
				b, err := c.Between(moment, moment)
				if err != nil || b.Len() != 1 {
					t.Fatalf("%d buckets, %v", b.Len(), err)
				}
				if i, ok := b.Index(moment); !ok || i != 0 {
					t.Errorf("%s in %s: %v is not in the bucket that starts %v", interval, name, moment, b.Start(0))
				}
				l := cohort.NewLifecycle(cohort.ActivityOptions{Calendar: c, From: moment, To: moment, AsOf: moment})
				l.Add(&insight.History{Timeline: insight.Timeline{interaction(1, "a", moment)}})
				if got := l.Report().Buckets; len(got) != 1 || got[0].New != 1 {
					t.Errorf("%s in %s at %v: %+v", interval, name, moment, got)
				}
			}
			if _, err := c.Between(at("0001-01-01T00:00:00Z"), at("9998-12-31T00:00:00Z")); err == nil {
				t.Errorf("all of time is taken in buckets of %s", interval)
			}
		}
	}
	if b := (cohort.Buckets{}); b.Len() != 0 {
		t.Errorf("nothing has %d buckets", b.Len())
	}
}
