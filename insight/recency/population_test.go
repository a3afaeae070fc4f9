package recency_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/recency"
	"github.com/acquaint/acquaint/insight/smallgroup"
	"github.com/acquaint/acquaint/internal/script"
)

// people puts the interactions of each who together, in the order of their lines.
func people(lines []script.Line, all insight.Timeline) []insight.Timeline {
	var names []string
	var each []insight.Timeline
	for i, line := range lines {
		who := line.Option("who")
		at := slices.Index(names, who)
		if at < 0 {
			at = len(names)
			names, each = append(names, who), append(each, nil)
		}
		each[at] = append(each[at], all[i])
	}
	for i := range each {
		each[i] = each[i].Ordered()
	}
	return each
}

type adds interface{ Add(h *insight.History) }

func addAll[T adds](t T, all []insight.Timeline) T {
	for _, one := range all {
		t.Add(&insight.History{Timeline: one})
	}
	return t
}

func habit(all []insight.Timeline, o recency.HabitOptions) *recency.Habit {
	return addAll(recency.NewHabitTally(o), all).Habit()
}

func askAll(ask script.Line, all []insight.Timeline, sel insight.Selector, asOf time.Time) ([]string, error) {
	bounds := recency.DefaultBands()
	var err error
	if text := ask.Option("bands"); text != "" {
		if bounds, err = each(text, insight.ParseDuration); err != nil {
			return nil, err
		}
	}
	switch ask.Words[0] {
	case "bands":
		o := recency.BandOptions{Event: sel, AsOf: asOf, Bounds: bounds, Horizon: recency.DefaultHorizon}
		if text := ask.Option("horizon"); text != "" {
			if o.Horizon, err = insight.ParseDuration(text); err != nil {
				return nil, err
			}
		}
		if err := o.Validate(); err != nil {
			return nil, err
		}
		return tellBands(addAll(recency.NewBandTally(o), all).Report()), nil
	case "latency":
		o := recency.LatencyOptions{Event: sel, AsOf: asOf, Steps: recency.DefaultSteps}
		if text := ask.Option("steps"); text != "" {
			if o.Steps, err = strconv.Atoi(text); err != nil {
				return nil, err
			}
		}
		if err := o.Validate(); err != nil {
			return nil, err
		}
		return tellSteps(addAll(recency.NewLatencyTally(o), all).Report()), nil
	case "grid":
		o := recency.GridOptions{Event: sel, AsOf: asOf, RecencyBounds: bounds, FrequencyBounds: recency.DefaultFrequencyBands(), ComparedTo: asOf.Add(-recency.DefaultPeriod)}
		if text := ask.Option("frequency"); text != "" {
			if o.FrequencyBounds, err = each(text, strconv.Atoi); err != nil {
				return nil, err
			}
		}
		if text := ask.Option("comparedTo"); text == "never" {
			o.ComparedTo = time.Time{}
		} else if text != "" {
			if o.ComparedTo, err = script.Time(text); err != nil {
				return nil, err
			}
		}
		if err := o.Validate(); err != nil {
			return nil, err
		}
		return tellGrid(addAll(recency.NewGridTally(o), all).Report()), nil
	case "rfm":
		o := recency.RFMOptions{Event: sel, AsOf: asOf}
		if err := o.Validate(); err != nil {
			return nil, err
		}
		return tellRFM(addAll(recency.NewRFMTally(o), all), all, o), nil
	}
	return nil, fmt.Errorf("one asks for recency, bands, latency, grid or rfm")
}

func each[T any](text string, read func(string) (T, error)) ([]T, error) {
	var list []T
	for part := range strings.SplitSeq(text, ",") {
		one, err := read(part)
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, nil
}

func tellBands(r recency.BandReport) []string {
	lines := []string{fmt.Sprintf("%d of %d", r.Individuals, r.Population)}
	for _, b := range r.Bands {
		line := fmt.Sprintf("%s to %s: %d", insight.FormatDuration(b.From), span(b.To), b.Individuals)
		if b.Share != nil {
			line += fmt.Sprintf(", share %.3g", *b.Share)
		}
		line += tellWorth(b.Worth)
		if b.RespondedNext != nil {
			line += fmt.Sprintf("; %d of %d responded, %.3g", b.Responded, b.Before, *b.RespondedNext)
		}
		lines = append(lines, line)
	}
	return lines
}

func tellWorth(w smallgroup.Worth) string {
	if w.Individuals == 0 {
		return ""
	}
	return fmt.Sprintf(", value %v of %d, largest %v", w.Sum, w.Individuals, w.Largest)
}

func tellSteps(r recency.LatencyReport) []string {
	lines := []string{fmt.Sprintf("%d of %d", r.Individuals, r.Population)}
	for _, s := range r.Steps {
		lines = append(lines, fmt.Sprintf("step %d: %d made it, mean %s, median %s; %d stand here, %d overdue", s.Step, s.Individuals, span(s.Mean), span(s.Median), s.Standing, s.Overdue))
	}
	return lines
}

// tellGrid leaves cells out in which nobody is or was.
func tellGrid(r recency.GridReport) []string {
	lines := []string{fmt.Sprintf("%d of %d in %d cells", r.Individuals, r.Population, len(r.Cells))}
	for _, c := range r.Cells {
		if c.Individuals == 0 && c.Before == 0 {
			continue
		}
		times := fmt.Sprintf("%d to ", c.FrequencyFrom)
		if c.FrequencyTo == nil {
			times += "none"
		} else {
			times += strconv.Itoa(*c.FrequencyTo)
		}
		line := fmt.Sprintf("%s to %s, %s times: %d%s", insight.FormatDuration(c.RecencyFrom), span(c.RecencyTo), times, c.Individuals, tellWorth(c.Worth))
		if c.Change != nil {
			line += fmt.Sprintf("; change %+d", *c.Change)
		}
		lines = append(lines, line)
	}
	return lines
}

// tellRFM leaves segments out in which nobody is.
func tellRFM(tally *recency.RFMTally, all []insight.Timeline, o recency.RFMOptions) []string {
	r := tally.Report()
	lines := []string{fmt.Sprintf("%d of %d", r.Individuals, r.Population)}
	if r.Cuts == nil {
		return lines
	}
	lines = append(lines, fmt.Sprint("recency cuts ", r.Cuts.Recency), fmt.Sprint("frequency cuts ", r.Cuts.Frequency), fmt.Sprint("monetary cuts ", r.Cuts.Monetary))
	for _, one := range all {
		if x, ok := recency.RFMOf(one, o.Event, o.AsOf, *r.Cuts); ok {
			lines = append(lines, fmt.Sprintf("%d days, %d times, %v: %d %s", x.RecencyDays, x.Frequency, x.Monetary, x.Score, x.Segment))
		} else {
			lines = append(lines, "none")
		}
	}
	for _, s := range r.Segments {
		if s.Individuals > 0 {
			lines = append(lines, fmt.Sprintf("%s: %d, %v times, largest %v%s", s.Name, s.Individuals, s.Interactions.Sum, s.Interactions.Largest, tellWorth(s.Worth)))
		}
	}
	return lines
}

// population draws individuals, ordered, some of whom did nothing; moments meet often.
func population(t *rapid.T) []insight.Timeline {
	all := make([]insight.Timeline, rapid.IntRange(0, 12).Draw(t, "individuals"))
	for who := range all {
		all[who] = person(t, who)
	}
	return all
}

func person(t *rapid.T, who int) insight.Timeline {
	var one insight.Timeline
	for i := range rapid.IntRange(0, 8).Draw(t, "interactions") {
		x := &insight.Interaction{
			ID: uuid.UUID{14: byte(who), 15: byte(i)}, Type: rapid.SampledFrom([]string{"purchase", "purchase", "page"}).Draw(t, "type"), Direction: insight.Inbound,
			OccurredAt: start.Add(time.Duration(rapid.IntRange(0, 60).Draw(t, "half day")) * 12 * time.Hour),
		}
		if rapid.Bool().Draw(t, "with a value") {
			value := float64(rapid.IntRange(-200, 2_000).Draw(t, "cents")) / 100
			x.Value = &value
		}
		one = append(one, x)
	}
	return one.Ordered()
}

func drawAsOf(t *rapid.T) time.Time {
	return start.Add(time.Duration(rapid.IntRange(-2, 80).Draw(t, "asOf")) * 12 * time.Hour)
}

func drawBounds(t *rapid.T) []time.Duration {
	days := rapid.SliceOfNDistinct(rapid.IntRange(1, 60), 1, 5, rapid.ID[int]).Draw(t, "bounds")
	slices.Sort(days)
	bounds := make([]time.Duration, len(days))
	for i, day := range days {
		bounds[i] = time.Duration(day) * 12 * time.Hour
	}
	return bounds
}

// did are the purchases of one until a moment, by plain loop.
func did(one insight.Timeline, asOf time.Time) insight.Timeline {
	var known insight.Timeline
	for _, x := range one {
		if x.Type == "purchase" && !x.OccurredAt.After(asOf) {
			known = append(known, x)
		}
	}
	return known
}

// cents is what they brought.
func cents(known insight.Timeline) int {
	sum := 0
	for _, x := range known {
		if x.Value != nil {
			sum += int(*x.Value*100+1_000.5) - 1_000 // they are above -10
		}
	}
	return sum
}

// worthOf is what individuals bring together, each so many cents.
func worthOf(each []int) smallgroup.Worth {
	sum, w := 0, smallgroup.Worth{}
	for _, c := range each {
		if c == 0 {
			continue
		}
		w.Individuals++
		sum += c
		w.Largest = max(w.Largest, float64(max(c, -c))/100)
	}
	w.Sum = float64(sum) / 100
	return w
}

type tally[T any] interface {
	adds
	Merge(o T)
}

func same(a, b any) string {
	if reflect.DeepEqual(a, b) {
		return ""
	}
	return cmp.Diff(a, b, cmp.Exporter(func(reflect.Type) bool { return true }))
}

// lawful holds a tally to what every fold over a population promises, and returns
// the report.
func lawful[T tally[T], R any](t *rapid.T, all []insight.Timeline, asOf time.Time, fresh func() T, report func(T) R) R {
	whole := addAll(fresh(), all)
	want := report(whole)
	if diff := same(want, report(whole)); diff != "" {
		t.Fatalf("asking changes the answer:\n%s", diff)
	}

	shuffled := slices.Clone(all)
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
	random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	parts := []T{fresh(), fresh(), fresh()}
	for _, one := range shuffled {
		// Memory is used again: what a fold keeps of it would change under it.
		lent := make(insight.Timeline, len(one))
		for i, x := range one {
			c := *x
			lent[i] = &c
		}
		parts[random.IntN(len(parts))].Add(&insight.History{Timeline: lent})
		for _, x := range lent {
			*x = insight.Interaction{OccurredAt: start.Add(insight.Year), Type: "purchase"}
		}
	}
	kept := report(parts[1])
	merged := fresh()
	for _, i := range random.Perm(len(parts)) {
		merged.Merge(parts[i])
	}
	if diff := same(want, report(merged)); diff != "" {
		t.Fatalf("order or division matters:\n%s", diff)
	}
	if diff := same(kept, report(parts[1])); diff != "" {
		t.Fatalf("merging changes what is merged:\n%s", diff)
	}

	known := make([]insight.Timeline, len(all))
	for i, one := range all {
		known[i] = one.AsOf(asOf)
	}
	if diff := same(want, report(addAll(fresh(), known))); diff != "" {
		t.Fatalf("what had not happened matters:\n%s", diff)
	}
	return want
}

// refuses wants each spoilt option to be refused, as about its subject.
func refuses[O interface{ Validate() error }](t *testing.T, good O, cases map[string]func(*O)) {
	t.Helper()
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for subject, spoil := range cases {
		bad := good
		spoil(&bad)
		if err := bad.Validate(); insight.KindOf(err) != insight.Invalid || !strings.HasPrefix(err.Error(), subject+": ") {
			t.Errorf("%s: %v", subject, err)
		}
	}
}

// crowd is many individuals for benchmarks and for what large numbers change.
func crowd(individuals, most int) []insight.Timeline {
	random := rand.New(rand.NewPCG(7, 7))
	value := 19.99
	all := make([]insight.Timeline, individuals)
	for who := range all {
		at := start
		for i := range 1 + random.IntN(most) {
			at = at.Add(time.Duration(random.ExpFloat64() * float64(10*insight.Day))).Truncate(insight.Precision)
			all[who] = append(all[who], &insight.Interaction{ID: uuid.UUID{12: byte(who >> 16), 13: byte(who >> 8), 14: byte(who), 15: byte(i)}, Type: "purchase", Direction: insight.Inbound, OccurredAt: at, Value: &value})
		}
	}
	return all
}

func benchmark[T adds](b *testing.B, fresh func() T) {
	all := crowd(1_000, 40)
	n := 0
	for _, one := range all {
		n += len(one)
	}
	histories := make([]insight.History, len(all))
	for i := range all {
		histories[i].Timeline = all[i]
	}
	b.ReportAllocs()
	for b.Loop() {
		t := fresh()
		for i := range histories {
			t.Add(&histories[i])
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/interaction")
}
