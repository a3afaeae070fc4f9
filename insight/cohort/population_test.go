package cohort_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/cohort"
)

// subjects are what the errors within an error are about.
func subjects(err error) []string {
	var all []string
	if e, ok := err.(*insight.Error); ok { //nolint:errorlint // the leaf itself
		return []string{e.Subject}
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // the node itself
		for _, e := range joined.Unwrap() {
			all = append(all, subjects(e)...)
		}
	}
	return all
}

func only(types ...string) *insight.Selector { return &insight.Selector{Types: types} }

func interaction(i int, kind string, at time.Time) *insight.Interaction {
	return &insight.Interaction{ID: uuid.UUID{13: byte(i >> 16), 14: byte(i >> 8), 15: byte(i)}, Type: kind, Direction: insight.Inbound, OccurredAt: at}
}

// history is one of up to so many interactions within a span after start, which may
// be at the same moment.
func history(t *rapid.T, start time.Time, span time.Duration, most int) *insight.History {
	var all insight.Timeline
	for i := range rapid.IntRange(0, most).Draw(t, "interactions") {
		x := interaction(i, rapid.SampledFrom([]string{"a", "b", "c", "x"}).Draw(t, "type"),
			start.Add(time.Duration(rapid.Int64Range(0, int64(span/time.Minute)).Draw(t, "minute"))*time.Minute))
		if rapid.IntRange(0, 5).Draw(t, "direction") == 0 {
			x.Direction = insight.Outbound
		}
		all = append(all, x)
	}
	return &insight.History{Timeline: all.Ordered()}
}

// laws hold for every tally: neither the order nor the parts in which individuals are
// taken in matter, what comes after asOf does not, and an individual who is left out
// is as one who never was.
func laws[T any, R any](t *rapid.T, people []*insight.History, asOf time.Time, empty func() T, add func(T, *insight.History), merge func(T, T), report func(T) R) R {
	fold := func(people []*insight.History) R {
		tally := empty()
		for _, h := range people {
			add(tally, h)
		}
		return report(tally)
	}
	whole := fold(people)

	shuffled := slices.Clone(people)
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
	random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	parts := []T{empty(), empty(), empty()}
	for _, h := range shuffled {
		known := &insight.History{Timeline: h.Timeline.AsOf(asOf)}
		add(parts[random.IntN(len(parts))], known)
	}
	merge(parts[1], parts[2])
	merge(parts[1], parts[0])
	if diff := cmp.Diff(whole, report(parts[1])); diff != "" {
		t.Fatalf("order, parts or what comes later matter:\n%s", diff)
	}
	if diff := cmp.Diff(whole, report(parts[1])); diff != "" {
		t.Fatalf("asking again matters:\n%s", diff)
	}
	if len(people) > 0 {
		rest, one := empty(), empty()
		for _, h := range people[1:] {
			add(rest, h)
		}
		if diff := cmp.Diff(fold(people[1:]), report(rest)); diff != "" {
			t.Fatalf("one who is left out remains:\n%s", diff)
		}
		add(one, people[0])
		merge(rest, one)
		if diff := cmp.Diff(whole, report(rest)); diff != "" {
			t.Fatalf("the population is not the sum of its individuals:\n%s", diff)
		}
	}
	return whole
}

func population(t *rapid.T, start time.Time, span time.Duration, most int) []*insight.History {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) *insight.History { return history(t, start, span, most) }), 0, 6).Draw(t, "people")
}

// active are the labels of the buckets in which one was active, until asOf.
func active(c cohort.Calendar, h *insight.History, asOf time.Time, kinds ...string) map[string]bool {
	labels := map[string]bool{}
	for _, x := range h.Timeline {
		if !x.OccurredAt.After(asOf) && slices.Contains(kinds, x.Type) {
			labels[label(c, x.OccurredAt)] = true
		}
	}
	return labels
}

// setting is a calendar, with people around its change of the clocks and buckets by
// their labels: those that are asked for are from first to before end, and one lies
// before and one after each of them.
type setting struct {
	calendar cohort.Calendar
	people   []*insight.History
	labels   []string
	starts   []time.Time
	first    int
	end      int
	asOf     time.Time
	begun    int // the first that has not begun by asOf
}

func settings(t *rapid.T) setting {
	s := setting{calendar: calendars(t)}
	length := map[cohort.Interval]time.Duration{cohort.Hour: time.Hour, cohort.Day: insight.Day, cohort.Week: insight.Week, cohort.Month: insight.Month}[s.calendar.Interval]
	at := s.calendar.Start(moments(t, s.calendar.Zone).Add(-4 * length))
	s.people = population(t, at, 14*length, 20)
	const n = 30
	for range n {
		s.starts = append(s.starts, at)
		s.labels = append(s.labels, label(s.calendar, at))
		at = s.calendar.Next(at)
	}
	s.first = rapid.IntRange(1, 8).Draw(t, "first")
	s.end = s.first + rapid.IntRange(1, 8).Draw(t, "buckets")
	s.asOf = s.starts[0].Add(time.Duration(rapid.Int64Range(-10, 200).Draw(t, "asOf")) * length / 10)
	for s.begun = 0; s.begun < n && !s.starts[s.begun].After(s.asOf); s.begun++ {
	}
	return s
}

// within is a moment of a bucket.
func (s *setting) within(t *rapid.T, i int) time.Time {
	return s.starts[i].Add(time.Duration(rapid.Int64Range(0, int64(s.starts[i+1].Sub(s.starts[i]))-1).Draw(t, "within")))
}

func TestLifecycleLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := settings(t)
		o := cohort.ActivityOptions{Calendar: s.calendar, Event: only("a", "b"), From: s.within(t, s.first), To: s.within(t, s.end-1), AsOf: s.asOf}
		if o.To.Before(o.From) {
			o.To = o.From
		}
		if err := o.Validate(); err != nil {
			t.Fatal(err)
		}
		got := laws(t, s.people, s.asOf, func() *cohort.Lifecycle { return cohort.NewLifecycle(o) },
			(*cohort.Lifecycle).Add, (*cohort.Lifecycle).Merge, (*cohort.Lifecycle).Report)
		want := cohort.LifecycleReport{Population: len(s.people), Buckets: []cohort.LifecycleBucket{}}
		for i := s.first; i < min(s.end, s.begun); i++ {
			b := cohort.LifecycleBucket{From: s.starts[i].UTC()}
			for _, h := range s.people {
				on := active(s.calendar, h, s.asOf, "a", "b")
				now, before, ever := on[s.labels[i]], on[s.labels[i-1]], false
				for _, l := range s.labels[:i] {
					ever = ever || on[l]
				}
				switch {
				case now && !ever:
					b.New++
				case now && before:
					b.Returning++
				case now:
					b.Resurrecting++
				case before:
					b.Dormant--
				}
			}
			want.Buckets = append(want.Buckets, b)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("it is not as defined:\n%s", diff)
		}
	})
}

// A time zone shifts the buckets and loses nobody: whoever was active is counted in
// the bucket of each of their interactions.
func TestStickinessLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := settings(t)
		o := cohort.ActivityOptions{Calendar: s.calendar, Event: only("a"), From: s.within(t, s.first), To: s.within(t, s.end-1), AsOf: s.asOf}
		if o.To.Before(o.From) {
			o.To = o.From
		}
		if err := o.Validate(); err != nil {
			t.Fatal(err)
		}
		got := laws(t, s.people, s.asOf, func() *cohort.Stickiness { return cohort.NewStickiness(o) },
			(*cohort.Stickiness).Add, (*cohort.Stickiness).Merge, (*cohort.Stickiness).Report)
		want := make([]int, max(min(s.end, s.begun)-s.first, 0))
		pairs := 0
		for _, h := range s.people {
			on, n := active(s.calendar, h, s.asOf, "a"), 0
			for _, l := range s.labels[s.first:s.end] {
				if on[l] {
					n++
				}
			}
			if n > 0 {
				want[n-1]++
			}
			pairs += n
		}
		for i, c := range got.Counts {
			if c.ActiveBuckets != i+1 || c.Individuals != want[i] {
				t.Fatalf("%+v, want %v", got.Counts, want)
			}
			pairs -= c.ActiveBuckets * c.Individuals
		}
		if len(got.Counts) != len(want) || pairs != 0 || got.Population != len(s.people) {
			t.Fatalf("%+v, want %v", got, want)
		}
	})
}

func TestRetentionLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := settings(t)
		o := cohort.RetentionOptions{
			Calendar: s.calendar, Start: only("a", "b"), From: s.within(t, s.first), Buckets: s.end - s.first, AsOf: s.asOf,
			Mode: rapid.SampledFrom([]cohort.Mode{cohort.Recurring, cohort.FirstTime, cohort.Rolling}).Draw(t, "mode"),
		}
		returning := []string{"a", "b"}
		if rapid.Bool().Draw(t, "another returning") {
			returning = []string{"b", "c"}
			o.Returning = only(returning...)
		}
		if err := o.Validate(); err != nil {
			t.Fatal(err)
		}
		got := laws(t, s.people, s.asOf, func() *cohort.Retention { return cohort.NewRetention(o) },
			(*cohort.Retention).Add, (*cohort.Retention).Merge, (*cohort.Retention).Report)
		want := cohort.RetentionReport{Population: len(s.people), Columns: o.Buckets, Cohorts: []cohort.Cohort{}}
		for i := s.first; i < min(s.end, s.begun); i++ {
			row := cohort.Cohort{From: s.starts[i].UTC(), Counts: make([]int, min(o.Buckets, s.begun-i))}
			for _, h := range s.people {
				starts := active(s.calendar, h, s.asOf, "a", "b")
				returns := active(s.calendar, h, s.asOf, returning...)
				first := true
				for _, l := range s.labels[:i] {
					first = first && !starts[l]
				}
				if !starts[s.labels[i]] || o.Mode == cohort.FirstTime && !first {
					continue
				}
				row.Size++
				for j := range row.Counts {
					back := j == 0 || returns[s.labels[i+j]]
					for _, l := range s.labels[i+j:] {
						back = back || o.Mode == cohort.Rolling && returns[l]
					}
					if back {
						row.Counts[j]++
					}
				}
			}
			want.Cohorts = append(want.Cohorts, row)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("it is not as defined:\n%s", diff)
		}
		for _, row := range got.Cohorts {
			if row.Counts[0] != row.Size {
				t.Fatalf("column 0 of %+v is not the size", row)
			}
			for j := 1; j < len(row.Counts) && o.Mode == cohort.Rolling; j++ {
				if row.Counts[j] > row.Counts[j-1] {
					t.Fatalf("%+v rises", row)
				}
			}
		}
	})
}

// Nobody says: anything inbound, and to return is to start again.
func TestSelectorsThatAreMissing(t *testing.T) {
	day := at("2026-01-01T00:00:00Z")
	out := interaction(1, "mail", day)
	out.Direction = insight.Outbound
	h := &insight.History{Timeline: insight.Timeline{out, interaction(2, "page", day.Add(insight.Day)), interaction(3, "call", day.Add(2*insight.Day))}}
	c := cohort.Calendar{Interval: cohort.Day, WeekStart: cohort.Monday, Zone: time.UTC}
	r := cohort.NewRetention(cohort.RetentionOptions{Calendar: c, From: day, Buckets: 2, Mode: cohort.Recurring, AsOf: day.Add(9 * insight.Day)})
	r.Add(h)
	want := []cohort.Cohort{{From: day, Counts: []int{0, 0}}, {From: day.Add(insight.Day), Size: 1, Counts: []int{1, 1}}}
	if diff := cmp.Diff(want, r.Report().Cohorts); diff != "" {
		t.Error(diff)
	}
	s := cohort.NewStickiness(cohort.ActivityOptions{Calendar: c, From: day, To: day.Add(3 * insight.Day), AsOf: day.Add(9 * insight.Day)})
	s.Add(h)
	if diff := cmp.Diff([]cohort.StickinessCount{{1, 0}, {2, 1}, {3, 0}, {4, 0}}, s.Report().Counts); diff != "" {
		t.Error(diff)
	}
}

func TestFaultsAreReportedTogether(t *testing.T) {
	bad := insight.Selector{Types: []string{""}}
	good := cohort.Calendar{Interval: cohort.Day, WeekStart: cohort.Sunday, Zone: time.UTC}
	day := at("2026-01-01T00:00:00Z")
	far := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	a := *only("a")
	for _, c := range []struct {
		options interface{ Validate() error }
		want    []string
	}{
		{cohort.ActivityOptions{Calendar: good, From: day, To: day, AsOf: day}, nil},
		{cohort.ActivityOptions{Event: &bad, From: far, To: far}, []string{"interval", "weekStart", "timeZone", "from", "to", "asOf", "event.types[0]"}},
		{cohort.ActivityOptions{Calendar: good, From: day, To: day.Add(-1), AsOf: day}, []string{"from"}},
		{cohort.ActivityOptions{Calendar: good, From: day, To: day.AddDate(0, 0, cohort.MaxBuckets), AsOf: day}, []string{"to"}},
		{cohort.RetentionOptions{Calendar: good, From: day, Buckets: cohort.MaxCohorts, Mode: cohort.Rolling, AsOf: day}, nil},
		{cohort.RetentionOptions{Calendar: good, Start: &bad, Returning: &bad, From: far, AsOf: far},
			[]string{"start.types[0]", "returning.types[0]", "from", "asOf", "buckets", "mode"}},
		{cohort.RetentionOptions{Calendar: good, From: day, Buckets: cohort.MaxCohorts + 1, Mode: "ROLLED", AsOf: day}, []string{"buckets", "mode"}},
		{cohort.FunnelOptions{}, []string{"asOf", "steps", "window", "order"}},
		{cohort.FunnelOptions{Steps: make([]insight.Selector, cohort.MaxSteps), Window: 1, Order: cohort.Strict, AsOf: day}, nil},
		{cohort.FunnelOptions{Steps: []insight.Selector{a}, Window: insight.Day, Order: cohort.Ordered, AsOf: day}, []string{"steps"}},
		{cohort.FunnelOptions{Steps: make([]insight.Selector, cohort.MaxSteps+1), Window: -1, Order: cohort.Ordered, AsOf: day}, []string{"steps", "window"}},
		{cohort.FunnelOptions{Steps: []insight.Selector{a, bad, a}, Window: 101 * insight.Year, Order: cohort.Ordered, AsOf: day, Exclusions: []cohort.Exclusion{
			{bad, 0, 1}, {a, 3, 4}, {a, 1, 1}, {a, 2, 4}, {a, 2, 3},
		}}, []string{"steps[1].types[0]", "window", "exclusions[0].event.types[0]", "exclusions[0].afterStep", "exclusions[1].afterStep", "exclusions[2].beforeStep", "exclusions[3].beforeStep"}},
		{cohort.FunnelOptions{Steps: []insight.Selector{a, a, a}, Window: 1, Order: cohort.Unordered, AsOf: day, Exclusions: []cohort.Exclusion{{a, 1, 3}, {a, 1, 2}}}, []string{"exclusions[1]"}},
		{cohort.FunnelOptions{Steps: []insight.Selector{a, a}, Window: 1, Order: cohort.Strict, AsOf: day, Exclusions: make([]cohort.Exclusion, 21)}, []string{"exclusions"}},
	} {
		err := c.options.Validate()
		if diff := cmp.Diff(c.want, subjects(err)); diff != "" {
			t.Errorf("%+v: %v\n%s", c.options, err, diff)
		}
		if err != nil && insight.KindOf(err) != insight.Invalid {
			t.Errorf("%v is %v", err, insight.KindOf(err))
		}
	}
}
