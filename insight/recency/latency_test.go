package recency_test

import (
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/median"
	"github.com/acquaint/acquaint/insight/recency"
)

func TestLatency(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all, asOf := population(t), drawAsOf(t)
		o := recency.LatencyOptions{Event: purchases, AsOf: asOf, Steps: rapid.IntRange(1, 9).Draw(t, "steps")}
		r := lawful(t, all, asOf, func() *recency.LatencyTally { return recency.NewLatencyTally(o) }, (*recency.LatencyTally).Report)
		if r.Population != len(all) || len(r.Steps) != o.Steps {
			t.Fatalf("%+v", r)
		}
		whole := 0
		gaps := make([][]time.Duration, 10)
		for _, one := range all {
			known := did(one, asOf)
			if len(known) > 0 {
				whole++
			}
			for i := 1; i < len(known); i++ {
				gaps[i] = append(gaps[i], known[i].OccurredAt.Sub(known[i-1].OccurredAt))
			}
		}
		if r.Individuals != whole {
			t.Fatalf("%d of %d", r.Individuals, whole)
		}
		for i, s := range r.Steps {
			of := gaps[i+1]
			if s.Step != i+1 || s.Individuals != len(of) || (s.Mean == nil) != (len(of) == 0) || (s.Median == nil) != (len(of) == 0) {
				t.Fatalf("step %d of %v: %+v", i+1, of, s)
			}
			if len(of) == 0 {
				continue
			}
			slices.Sort(of)
			sum := time.Duration(0)
			for _, gap := range of {
				sum += gap
			}
			if *s.Mean != sum/time.Duration(len(of)) || 2**s.Median != of[(len(of)-1)/2]+of[len(of)/2] {
				t.Fatalf("step %d of %v: mean %v, median %v", i+1, of, *s.Mean, *s.Median)
			}
		}
		eachStands(t, all, asOf, r)
	})
}

type fails interface {
	Fatalf(format string, args ...any)
}

// eachStands: as many are overdue as there are individuals who are, each asked alone.
func eachStands(t fails, all []insight.Timeline, asOf time.Time, r recency.LatencyReport) {
	h := habit(all, recency.HabitOptions{Event: purchases, AsOf: asOf})
	standing, overdue := make([]int, 60), make([]int, 60)
	for _, one := range all {
		of := recency.Of(one, purchases, asOf, recency.Options{Habit: h})
		standing[of.Count]++
		if of.Overdue {
			overdue[of.Count]++
		}
	}
	for _, s := range r.Steps {
		if s.Standing != standing[s.Step] || s.Overdue != overdue[s.Step] {
			t.Fatalf("step %d: %d of %d overdue; one by one %d of %d", s.Step, s.Overdue, s.Standing, overdue[s.Step], standing[s.Step])
		}
	}
}

// Also where there are too many for an exact median.
func TestLatencyOfMany(t *testing.T) {
	all := crowd(40_000, 6)
	asOf := start.Add(40 * insight.Day)
	o := recency.LatencyOptions{Event: purchases, AsOf: asOf, Steps: recency.DefaultSteps}
	r := addAll(recency.NewLatencyTally(o), all).Report()
	if r.Steps[0].Individuals <= median.Exact {
		t.Fatalf("only %d", r.Steps[0].Individuals)
	}
	eachStands(t, all, asOf, r)
}

// Two at once are a gap of nothing, and who never did it is of the population alone.
func TestLatencyOfAMoment(t *testing.T) {
	all := insight.Timeline{{OccurredAt: start}, {ID: uuid.UUID{1}, OccurredAt: start}}
	o := recency.LatencyOptions{AsOf: start, Steps: 1}
	r := addAll(recency.NewLatencyTally(o), []insight.Timeline{all, nil}).Report()
	s := r.Steps[0]
	if r.Population != 2 || r.Individuals != 1 || s.Individuals != 1 || *s.Mean != 0 || *s.Median != 0 || s.Standing != 0 {
		t.Errorf("%+v", s)
	}
}

// TestCDNOW: the days from one purchase of a CDNOW customer to the next, worked out
// from the file by plain loop; those of one day are one purchase.
func TestCDNOW(t *testing.T) {
	text, err := os.ReadFile("../../../shared/data/cdnow/CDNOW_master.txt")
	if err != nil {
		t.Skip("the published data are not here: ", err)
	}
	asOf := time.Date(1998, 6, 30, 0, 0, 0, 0, time.UTC)
	tally := recency.NewLatencyTally(recency.LatencyOptions{AsOf: asOf, Steps: 3})
	days := map[string][]time.Time{}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) < 2 || words[1] == "date" {
			continue
		}
		at, err := time.Parse("20060102", words[1])
		if err != nil {
			t.Fatal(err)
		}
		if of := days[words[0]]; len(of) == 0 || of[len(of)-1].Before(at) {
			days[words[0]] = append(of, at)
		}
	}
	var sum, made, standing [3]int // the sum in days
	for _, of := range days {
		one := make(insight.Timeline, len(of))
		for i, at := range of {
			one[i] = &insight.Interaction{ID: uuid.UUID{14: byte(i >> 8), 15: byte(i)}, OccurredAt: at}
			if i > 0 && i <= 3 {
				sum[i-1] += int(at.Sub(of[i-1]) / insight.Day)
				made[i-1]++
			}
		}
		if len(of) <= 3 {
			standing[len(of)-1]++
		}
		tally.Add(&insight.History{Timeline: one})
	}
	r := tally.Report()
	if r.Individuals != 23_570 {
		t.Errorf("%d customers", r.Individuals)
	}
	for i, s := range r.Steps {
		mean := float64(sum[i]) / float64(made[i])
		if s.Individuals != made[i] || s.Standing != standing[i] || math.Abs(float64(*s.Mean)/float64(insight.Day)-mean) > 1e-9 {
			t.Errorf("%+v, mean %v: not %d, %d, %v days", s, *s.Mean, made[i], standing[i], mean)
		}
		if i > 0 && (*s.Mean >= *r.Steps[i-1].Mean || *s.Median >= *r.Steps[i-1].Median) {
			t.Errorf("step %d takes no less than the one before: %v, median %v", s.Step, *s.Mean, *s.Median)
		}
	}
	// They all came in the first quarter of 1997: who bought once is long overdue.
	if s := r.Steps[0]; s.Individuals+s.Standing != 23_570 || s.Overdue != s.Standing || *s.Median != 57*insight.Day {
		t.Errorf("%+v, median %v", s, *s.Median)
	}
}

func TestLatencyOptions(t *testing.T) {
	good := recency.LatencyOptions{AsOf: start, Steps: recency.MaxSteps}
	refuses(t, good, map[string]func(*recency.LatencyOptions){
		"asOf":            func(o *recency.LatencyOptions) { o.AsOf = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) },
		"event.direction": func(o *recency.LatencyOptions) { o.Event.Direction = 9 },
		"steps":           func(o *recency.LatencyOptions) { o.Steps = 0 },
	})
	good.Steps = recency.MaxSteps + 1
	if good.Validate() == nil {
		t.Error("51 steps")
	}
}

func BenchmarkLatency(b *testing.B) {
	o := recency.LatencyOptions{Event: purchases, AsOf: start.Add(insight.Year), Steps: recency.MaxSteps}
	benchmark(b, func() *recency.LatencyTally { return recency.NewLatencyTally(o) })
}
