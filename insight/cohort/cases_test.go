package cohort_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/cohort"
)

const cases = "../../../shared/data/posthog/cases.json"

// published is one worked case of PostHog's tests.
type published struct {
	ID, Kind, Order, Interval, Period, Mode, Window, From, To, Timezone string

	WeekStart          string `json:"week_start"`
	FirstBucket        string `json:"first_bucket"`
	Buckets            int
	MinimumOccurrences int                 `json:"minimum_occurrences"`
	TargetEvent        string              `json:"target_event"`
	ReturningEvent     string              `json:"returning_event"`
	Identities         map[string][]string // an individual's names
	Steps              []string
	Events             []struct {
		DistinctID string    `json:"distinct_id"`
		At         time.Time `json:"ts"`
		Event      string
	}
	Expected struct {
		New, Returning, Resurrecting, Dormant []int
	}
	ExpectedMatrix  [][]int         `json:"expected_matrix"`
	ExpectedActive  map[string]int  `json:"expected_people_by_number_of_active_intervals"`
	ExpectedCounts  []int           `json:"expected_counts"`
	ExpectedAverage []*float64      `json:"expected_avg_seconds_from_previous"`
	ExpectedMedian  []*float64      `json:"expected_median_seconds_from_previous"`
	Breakdown       json.RawMessage // answers by a property; there are no such questions here
}

// Each case is answered or says why it is not a question here; one of a form that is
// not known fails.
func TestPublishedCases(t *testing.T) {
	text, err := os.ReadFile(cases)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the published cases are not beside this checkout:", cases)
	}
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []json.RawMessage }
	if err := json.Unmarshal(text, &file); err != nil || len(file.Cases) == 0 {
		t.Fatalf("%d cases, %v", len(file.Cases), err)
	}
	for _, raw := range file.Cases {
		var c published
		if err := json.Unmarshal(raw, &c); err != nil {
			t.Fatal(err)
		}
		t.Run(c.ID, func(t *testing.T) {
			switch {
			case c.Kind == "paths":
				t.Skip("edges between pages are another question than what groups do over time; journey has paths")
			case c.MinimumOccurrences > 1:
				t.Skip("retention here has no least number of occurrences: once is enough")
			case len(c.Breakdown) > 0:
				t.Skip("no question here breaks its answer down by a property; a selector asks for one value")
			}
			switch c.Kind {
			case "lifecycle":
				c.lifecycle(t)
			case "retention":
				c.retention(t)
			case "stickiness":
				c.stickiness(t)
			case "funnel", "time-to-convert", "time_to_convert":
				c.funnel(t)
			default:
				t.Errorf("a case of the unknown kind %q", c.Kind)
			}
		})
	}
}

// people are the histories of the individuals, whichever of their names they used.
func (c *published) people() []*insight.History {
	names := map[string]string{}
	for individual, all := range c.Identities {
		for _, name := range all {
			names[name] = individual
		}
	}
	histories := map[string]*insight.History{}
	for i, e := range c.Events {
		individual := names[e.DistinctID]
		if individual == "" {
			individual = e.DistinctID
		}
		if histories[individual] == nil {
			histories[individual] = &insight.History{}
		}
		h := histories[individual]
		h.Timeline = append(h.Timeline, interaction(i, e.Event, e.At))
	}
	var all []*insight.History
	for _, h := range histories {
		h.Timeline = h.Timeline.Ordered()
		all = append(all, h)
	}
	return all
}

func (c *published) calendar() cohort.Calendar {
	zoneName := c.Timezone
	if zoneName == "" {
		zoneName = "UTC"
	}
	return cohort.Calendar{Interval: cohort.Interval(strings.ToUpper(c.Interval + c.Period)), WeekStart: cohort.WeekStart(strings.ToUpper(c.WeekStart)), Zone: zone(zoneName)}
}

// moment is a time, or the start of a day of the zone.
func (c *published) moment(t *testing.T, text string) time.Time {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly} {
		if at, err := time.ParseInLocation(layout, text, c.calendar().Zone); err == nil {
			return at
		}
	}
	t.Fatalf("%q is no time", text)
	return time.Time{}
}

var later = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)

// event is what the case is about: the one type that it has.
func (c *published) event() *insight.Selector { return only(c.Events[0].Event) }

func validated(t *testing.T, o interface{ Validate() error }) {
	t.Helper()
	if err := o.Validate(); err != nil {
		t.Fatal(err)
	}
}

func (c *published) lifecycle(t *testing.T) {
	o := cohort.ActivityOptions{Calendar: c.calendar(), Event: c.event(), From: c.moment(t, c.From), To: c.moment(t, c.To), AsOf: later}
	validated(t, o)
	tally := cohort.NewLifecycle(o)
	for _, h := range c.people() {
		tally.Add(h)
	}
	got := c.Expected
	got.New, got.Returning, got.Resurrecting, got.Dormant = nil, nil, nil, nil
	for _, b := range tally.Report().Buckets {
		got.New, got.Returning = append(got.New, b.New), append(got.Returning, b.Returning)
		got.Resurrecting, got.Dormant = append(got.Resurrecting, b.Resurrecting), append(got.Dormant, b.Dormant)
	}
	if diff := cmp.Diff(c.Expected, got); diff != "" {
		t.Error(diff)
	}
}

func (c *published) retention(t *testing.T) {
	o := cohort.RetentionOptions{
		Calendar: c.calendar(), Start: only(c.TargetEvent), Returning: only(c.ReturningEvent), From: c.moment(t, c.FirstBucket), Buckets: c.Buckets,
		Mode: cohort.Mode(strings.ToUpper(strings.ReplaceAll(c.Mode, " ", "_"))), AsOf: later,
	}
	validated(t, o)
	tally := cohort.NewRetention(o)
	for _, h := range c.people() {
		tally.Add(h)
	}
	var got [][]int
	for _, row := range tally.Report().Cohorts {
		got = append(got, row.Counts)
	}
	if diff := cmp.Diff(c.ExpectedMatrix, got); diff != "" {
		t.Error(diff)
	}
}

func (c *published) stickiness(t *testing.T) {
	o := cohort.ActivityOptions{Calendar: c.calendar(), Event: c.event(), From: c.moment(t, c.From), To: c.moment(t, c.To), AsOf: later}
	validated(t, o)
	tally := cohort.NewStickiness(o)
	for _, h := range c.people() {
		tally.Add(h)
	}
	got := map[string]int{}
	for _, n := range tally.Report().Counts {
		if n.Individuals > 0 {
			got[strconv.Itoa(n.ActiveBuckets)] = n.Individuals
		}
	}
	if diff := cmp.Diff(c.ExpectedActive, got); diff != "" {
		t.Error(diff)
	}
}

func (c *published) funnel(t *testing.T) {
	var days int
	if n, err := fmt.Sscanf(c.Window, "%dd", &days); n != 1 {
		t.Fatalf("the window %q: %v", c.Window, err)
	}
	o := cohort.FunnelOptions{Window: time.Duration(days) * insight.Day, Order: cohort.Order(strings.ToUpper(c.Order)), AsOf: later}
	for _, step := range c.Steps {
		o.Steps = append(o.Steps, *only(step))
	}
	validated(t, o)
	r := report(&o, c.people())
	var counts []int
	var averages, medians []*float64
	for _, s := range r.Steps {
		counts = append(counts, s.Individuals)
		averages, medians = append(averages, seconds(s.AverageFromPrevious)), append(medians, seconds(s.MedianFromPrevious))
	}
	if diff := cmp.Diff(c.ExpectedCounts, counts); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(c.ExpectedAverage, averages); c.ExpectedAverage != nil && diff != "" {
		t.Error("average:", diff)
	}
	if diff := cmp.Diff(c.ExpectedMedian, medians); c.ExpectedMedian != nil && diff != "" {
		t.Error("median:", diff)
	}
}

func seconds(d *time.Duration) *float64 {
	if d == nil {
		return nil
	}
	s := d.Seconds()
	return &s
}
