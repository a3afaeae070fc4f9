package recency_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/recency"
)

func TestHabit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all, asOf := population(t), drawAsOf(t)
		o := recency.HabitOptions{Event: purchases, AsOf: asOf, Quiet: time.Duration(rapid.IntRange(0, 4).Draw(t, "quiet")) * 12 * time.Hour}
		h := lawful(t, all, asOf, func() *recency.HabitTally { return recency.NewHabitTally(o) }, (*recency.HabitTally).Habit)

		var lasts []time.Time
		var gaps [recency.OwnGaps + 2][]time.Duration
		brief := make([]insight.Timeline, len(all))
		for who, one := range all {
			known := visits(did(one, asOf), o.Quiet)
			brief[who] = known
			for i := range known {
				if i > 0 && i < len(gaps) {
					gaps[i] = append(gaps[i], known[i].OccurredAt.Sub(known[i-1].OccurredAt))
				}
			}
			if len(known) > 0 {
				lasts = append(lasts, known[len(known)-1].OccurredAt)
			}
		}
		if diff := same(h, habit(brief, recency.HabitOptions{Event: purchases, AsOf: asOf})); diff != "" {
			t.Fatalf("visits are not what their length leaves of them:\n%s", diff)
		}
		if h.Individuals() != len(lasts) {
			t.Fatalf("%d of %d", h.Individuals(), len(lasts))
		}
		for step := range gaps {
			wire, ok := h.TripWire(step)
			of := gaps[step]
			if known := len(of) > 0 && step <= recency.OwnGaps; ok != known {
				t.Fatalf("a trip wire at step %d: %v", step, ok)
			}
			if slices.Sort(of); ok && 2*wire != of[(len(of)-1)/2]+of[len(of)/2] {
				t.Fatalf("step %d: %v of %v", step, wire, of)
			}
		}
		before := 0.0
		for half := -3; half < 90; half++ {
			moment := start.Add(time.Duration(half) * 12 * time.Hour)
			less := 0
			for _, last := range lasts {
				if last.Before(moment) {
					less++
				}
			}
			p, ok := h.Percentile(moment)
			if ok != (len(lasts) > 0) || ok && p != float64(less)/float64(len(lasts)) || p < before || p > 1 {
				t.Fatalf("%v is more recent than %v of %d, %v", moment, p, len(lasts), ok)
			}
			before = p
		}
	})
}

// visits leaves one moment of each visit, so that the silences between them and the
// last moment stay as they are.
func visits(known insight.Timeline, quiet time.Duration) insight.Timeline {
	if quiet == 0 {
		return known
	}
	var brief insight.Timeline
	var spent time.Duration // in visits, from here to the end
	for i := len(known) - 1; i >= 0; i-- {
		if i+1 < len(known) {
			if gap := known[i+1].OccurredAt.Sub(known[i].OccurredAt); gap <= quiet {
				spent += gap
				continue
			}
		}
		x := *known[i]
		x.OccurredAt = x.OccurredAt.Add(spent)
		brief = append(brief, &x)
	}
	slices.Reverse(brief)
	return brief
}

// The example of doc.go, and what Quiet is when nobody gives it.
func TestHabitOfVisits(t *testing.T) {
	var one insight.Timeline
	for _, minute := range []int{0, 0, 30, 90} {
		one = append(one, &insight.Interaction{Type: "purchase", OccurredAt: start.Add(time.Duration(minute) * time.Minute)})
	}
	asOf := start.Add(insight.Day)
	for quiet, want := range map[time.Duration][recency.OwnGaps]string{
		0:                                {"PT0S", "PT30M", "PT1H"},
		30*time.Minute - time.Nanosecond: {"PT30M", "PT1H", "none"},
		30 * time.Minute:                 {"PT1H", "none", "none"},
		time.Hour:                        {"none", "none", "none"},
	} {
		h := habit([]insight.Timeline{one}, recency.HabitOptions{Event: purchases, AsOf: asOf, Quiet: quiet})
		for i := range want {
			got := "none"
			if wire, ok := h.TripWire(i + 1); ok {
				got = insight.FormatDuration(wire)
			}
			if got != want[i] {
				t.Errorf("quiet %v, step %d: %s, want %s", quiet, i+1, got, want[i])
			}
		}
		last := start.Add(90 * time.Minute)
		if at, _ := h.Percentile(last); at != 0 {
			t.Errorf("quiet %v: they were last there before %v", quiet, last)
		}
		if after, _ := h.Percentile(last.Add(insight.Precision)); after != 1 {
			t.Errorf("quiet %v: they were last there after %v", quiet, last)
		}
	}
}

// The answer about one individual is made of theirs and the population's.
func TestOfWithHabit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all, asOf := population(t), drawAsOf(t)
		h := habit(all, recency.HabitOptions{Event: purchases, AsOf: asOf})
		explicit := 7 * time.Minute
		for _, one := range all {
			alone := recency.Of(one, purchases, asOf, recency.Options{})
			r := recency.Of(one, purchases, asOf, recency.Options{Habit: h})
			if alone.Count == 0 {
				if diff := same(alone, r); diff != "" {
					t.Fatal(diff)
				}
				continue
			}
			if r.Percentile == nil || *r.Percentile < 0 || *r.Percentile >= 1 {
				t.Fatalf("percentile %v", r.Percentile)
			}
			wire, ok := h.TripWire(r.Count)
			if alone.TripWire != nil {
				wire, ok = *alone.TripWire, true
			}
			if (r.TripWire != nil) != ok || ok && *r.TripWire != wire || r.Overdue != (ok && r.Elapsed > wire) {
				t.Fatalf("trip wire %v, overdue %v: not %v, %v", r.TripWire, r.Overdue, wire, ok)
			}
			told := recency.Of(one, purchases, asOf, recency.Options{Habit: h, PopulationTripWire: &explicit})
			if alone.TripWire == nil && *told.TripWire != explicit {
				t.Fatalf("told %v, and it is %v", explicit, *told.TripWire)
			}
		}
	})
}

func TestHabitIsKept(t *testing.T) {
	o := recency.HabitOptions{Event: purchases, AsOf: start.Add(insight.Year)}
	tally := recency.NewHabitTally(o)
	if _, ok := tally.Habit().Percentile(start); ok || tally.Habit().Individuals() != 0 {
		t.Error("nobody is somebody")
	}
	one := crowd(5, 5)
	addAll(tally, one)
	h := tally.Habit()
	if p, _ := h.Percentile(start.Add(100 * insight.Year)); p != 1 {
		t.Errorf("a stranger after all of them is at %v", p)
	}
	// Who is earlier than all of them goes before them, and there may be room in place.
	for range 20 {
		addAll(tally, []insight.Timeline{{{Type: "purchase", OccurredAt: start.Add(-insight.Day)}}})
		tally.Habit()
	}
	if diff := same(h, habit(one, o)); diff != "" {
		t.Errorf("it changed:\n%s", diff)
	}
}

func TestHabitOptions(t *testing.T) {
	refuses(t, recency.HabitOptions{AsOf: start}, map[string]func(*recency.HabitOptions){
		"asOf":           func(o *recency.HabitOptions) { o.AsOf = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) },
		"event.types[0]": func(o *recency.HabitOptions) { o.Event.Types = []string{""} },
		"quiet":          func(o *recency.HabitOptions) { o.Quiet = -1 },
	})
}

func BenchmarkHabit(b *testing.B) {
	for _, quiet := range []time.Duration{0, 30 * time.Minute, 10 * insight.Day} {
		b.Run(quiet.String(), func(b *testing.B) {
			o := recency.HabitOptions{Event: purchases, AsOf: start.Add(insight.Year), Quiet: quiet}
			benchmark(b, func() *recency.HabitTally { return recency.NewHabitTally(o) })
		})
	}
}
