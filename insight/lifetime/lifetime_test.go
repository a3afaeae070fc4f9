package lifetime_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/lifetime"
	"github.com/acquaint/acquaint/internal/script"
)

func TestScripts(t *testing.T) {
	script.Run(t, "testdata/*.txt", func(q script.Question) ([]string, error) {
		timeline, err := script.Timeline(q.Load)
		if err != nil {
			return nil, err
		}
		options := lifetime.Options{Event: insight.AnyInbound(), Model: lifetime.BGNBD, Horizon: lifetime.DefaultHorizon}
		if types := q.Ask.Option("types"); types != "" {
			options.Event.Types = strings.Split(types, ",")
		}
		if options.AsOf, err = script.Time(q.Ask.Option("asOf")); err != nil {
			return nil, err
		}
		if options.Zone, err = time.LoadLocation(q.Ask.Option("zone")); err != nil {
			return nil, err
		}
		s, ok := lifetime.Of(timeline, &options)
		if !ok {
			return []string{"never purchased"}, nil
		}
		if q.Ask.Words[0] == "summary" {
			return []string{
				fmt.Sprintf("%d repeats, the last %.10g days after the first, %.10g days ago", s.Frequency, 7*s.Recency, 7*s.Age),
				fmt.Sprintf("%d spends of %.2f", s.Spends, s.MeanSpend),
			}, nil
		}
		horizon, err := insight.ParseDuration(q.Ask.Option("horizon"))
		if err != nil {
			return nil, err
		}
		f := published(lifetime.BGNBD)
		future := f.Future(s, horizon)
		spend, _ := f.MeanSpend(s)
		return []string{fmt.Sprintf("alive %.3f, %.2f purchases of %.2f, worth %.2f", future.ProbabilityAlive, future.ExpectedCount, spend, *future.ExpectedValue)}, nil
	})
}

func TestOptions(t *testing.T) {
	good := calibration(lifetime.ParetoNBD)
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for subject, spoil := range map[string]func(*lifetime.Options){
		"event.types": func(o *lifetime.Options) { o.Event.Types = []string{} },
		"model":       func(o *lifetime.Options) { o.Model = "NBD" },
		"asOf":        func(o *lifetime.Options) { o.AsOf = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) },
		"horizon":     func(o *lifetime.Options) { o.Horizon = 100*insight.Year + 1 },
		"timeZone":    func(o *lifetime.Options) { o.Zone = nil },
	} {
		o := *good
		spoil(&o)
		err := o.Validate()
		if err == nil || insight.KindOf(err) != insight.Invalid || !strings.HasPrefix(err.Error(), subject+": ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", subject, err)
		}
	}
	if err := (&lifetime.Options{}).Validate(); err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("the faults of nothing are %v", err)
	}
}

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func history(t *rapid.T, longest int) *insight.History {
	h := &insight.History{}
	for i := range rapid.IntRange(0, longest).Draw(t, "interactions") {
		x := &insight.Interaction{
			ID: uuid.UUID{15: byte(i)}, Type: rapid.SampledFrom([]string{"purchase", "purchase", "page"}).Draw(t, "type"), Direction: insight.Inbound,
			OccurredAt: start.Add(time.Duration(rapid.IntRange(0, 40*24).Draw(t, "hour")) * time.Hour),
		}
		if rapid.Bool().Draw(t, "valued") {
			value := float64(rapid.IntRange(-500, 5_000).Draw(t, "cents")) / 100
			x.Value = &value
		}
		h.Timeline = append(h.Timeline, x)
	}
	h.Timeline = h.Timeline.Ordered()
	return h
}

// define answers word by word.
func define(timeline insight.Timeline, o *lifetime.Options) (lifetime.Summary, bool) {
	totals := map[string]float64{}
	var days []string
	for _, x := range timeline {
		if x.Type != "purchase" || x.OccurredAt.After(o.AsOf) {
			continue
		}
		day := x.OccurredAt.In(o.Zone).Format(time.DateOnly)
		if !slices.Contains(days, day) {
			days = append(days, day)
		}
		if x.Value != nil {
			totals[day] += *x.Value
		}
	}
	if len(days) == 0 {
		return lifetime.Summary{}, false
	}
	between := func(from, to string) float64 {
		a, _ := time.Parse(time.DateOnly, from)
		b, _ := time.Parse(time.DateOnly, to)
		return math.Round(b.Sub(a).Hours()/24) / 7
	}
	s := lifetime.Summary{Frequency: len(days) - 1, Recency: between(days[0], days[len(days)-1]), Age: between(days[0], o.AsOf.In(o.Zone).Format(time.DateOnly))}
	var spent float64
	for _, day := range days[1:] {
		if totals[day] > 0 {
			s.Spends++
			spent += totals[day]
		}
	}
	if s.Spends > 0 {
		s.MeanSpend = spent / float64(s.Spends)
	}
	return s, true
}

// One individual's answer is the definition's, whatever the order of arrival, and
// whatever comes later; and the population's is the sum of theirs.
func TestLaws(t *testing.T) {
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		o := &lifetime.Options{
			Event: insight.Selector{Types: []string{"purchase"}}, Model: rapid.SampledFrom([]lifetime.Model{lifetime.BGNBD, lifetime.ParetoNBD}).Draw(t, "model"),
			AsOf:    start.Add(time.Duration(rapid.IntRange(-5, 45*24).Draw(t, "asOf")) * time.Hour),
			Horizon: time.Duration(rapid.IntRange(1, 1_000).Draw(t, "horizon")) * insight.Day,
			Zone:    rapid.SampledFrom([]*time.Location{time.UTC, newYork}).Draw(t, "zone"),
		}
		f := published(o.Model)
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		all := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) *insight.History { return history(t, 12) }), 0, 8).Draw(t, "everybody")
		whole := lifetime.NewPurchases(o)
		parts := []*lifetime.Purchases{lifetime.NewPurchases(o), lifetime.NewPurchases(o)}
		without := lifetime.NewPurchases(o)
		known := lifetime.NewPurchases(o)
		var count, value, buyers float64
		for i, h := range all {
			s, ok := lifetime.Of(h.Timeline, o)
			want, wantOK := define(h.Timeline, o)
			if diff := cmp.Diff(want, s); diff != "" || ok != wantOK {
				t.Fatalf("not as defined:\n%s", diff)
			}
			shuffled := append(slices.Clone(h.Timeline), h.Timeline...)
			random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			if again, _ := lifetime.Of(shuffled, o); again != s {
				t.Fatalf("arrival matters: %+v, %+v", s, again)
			}
			whole.Add(h)
			parts[random.IntN(2)].Add(h)
			if i > 0 {
				without.Add(h)
			}
			known.Add(&insight.History{Timeline: slices.DeleteFunc(slices.Clone(h.Timeline), func(x *insight.Interaction) bool { return x.OccurredAt.After(o.AsOf) })})
			if !ok {
				continue
			}
			mean, told := f.MeanSpend(s)
			expected := f.Expected(s, o.Horizon)
			if alive := f.Alive(s); !told || !(alive >= 0 && alive <= 1) || !(expected >= 0) {
				t.Fatalf("%+v: alive %v, expected %v of %v", s, alive, expected, mean)
			}
			buyers++
			count += expected
			value += expected * mean
		}
		r := f.Report(whole)
		if r.Population != len(all) || float64(r.Buyers) != buyers || math.Abs(r.ExpectedCount-count) > 1e-9*(1+count) || math.Abs(*r.ExpectedValue-value) > 1e-9*(1+value) {
			t.Fatalf("%+v worth %v is not the sum: %v of %v worth %v", r, *r.ExpectedValue, count, buyers, value)
		}
		banded := 0
		for _, b := range r.ProbabilityAlive {
			banded += b.Individuals
		}
		if banded != r.Buyers {
			t.Fatalf("%d of %d are in a band", banded, r.Buyers)
		}
		backwards := lifetime.NewPurchases(o)
		for _, h := range slices.Backward(all) {
			backwards.Add(h)
		}
		parts[1].Merge(parts[0])
		for what, other := range map[string]*lifetime.Purchases{"order": backwards, "merging": parts[1], "the later": known} {
			if diff := cmp.Diff(r, f.Report(other)); diff != "" {
				t.Fatalf("%s matters:\n%s", what, diff)
			}
		}
		if len(all) > 0 {
			without.Add(all[0])
			if diff := cmp.Diff(r, f.Report(without)); diff != "" {
				t.Fatalf("who is left out leaves something:\n%s", diff)
			}
		}
	})
}

// population draws buyers by a simple story.
func population(random *rand.Rand, n int) []*insight.History {
	all := make([]*insight.History, n)
	for i := range all {
		h := &insight.History{}
		rate, leaves, worth := random.ExpFloat64()/20, random.Float64()/2, 10+20*random.ExpFloat64()
		for at := random.Float64() * 200; at < 365; at += random.ExpFloat64() / rate {
			value := math.Round(100*worth*(0.5+random.Float64())) / 100
			h.Timeline = append(h.Timeline, &insight.Interaction{
				ID: uuid.UUID{0: byte(len(h.Timeline)), 15: byte(i)}, Type: "purchase", Direction: insight.Inbound, Value: &value,
				OccurredAt: start.Add(time.Duration(at * float64(insight.Day))),
			})
			if len(h.Timeline) > 1 && random.Float64() < leaves {
				break
			}
		}
		all[i] = h
	}
	return all
}

// A fit is the same bit for bit, however the population came together.
func TestFitOfAnyOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 9))
	everybody := population(random, 800)
	for _, model := range []lifetime.Model{lifetime.BGNBD, lifetime.ParetoNBD} {
		o := &lifetime.Options{Event: insight.AnyInbound(), Model: model, AsOf: start.Add(insight.Year), Horizon: 90 * insight.Day, Zone: time.UTC}
		var first *lifetime.Report
		for range 4 {
			parts := make([]*lifetime.Purchases, 3)
			for i := range parts {
				parts[i] = lifetime.NewPurchases(o)
			}
			for _, i := range random.Perm(len(everybody)) {
				parts[random.IntN(3)].Add(everybody[i])
			}
			if _, err := parts[1].Fit(); err != nil { // having answered before changes nothing
				t.Logf("a third: %v", err)
			}
			parts[2].Merge(parts[1])
			parts[2].Merge(parts[0])
			r, err := parts[2].Report()
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = r
			}
			if diff := cmp.Diff(first, r); diff != "" {
				t.Fatalf("%s: order matters:\n%s", model, diff)
			}
		}
		t.Logf("%+v", *first)
	}
}

// The longer the silence, the likelier they are gone; the further one looks, the
// more is expected; and who buys more has more expected of them.
func TestMonotonous(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := published(rapid.SampledFrom([]lifetime.Model{lifetime.BGNBD, lifetime.ParetoNBD}).Draw(t, "model"))
		for i := range f.Parameters {
			f.Parameters[i].Value = math.Exp(rapid.Float64Range(-3, 4).Draw(t, "parameter"))
		}
		s := lifetime.Summary{Age: rapid.Float64Range(0, 300).Draw(t, "age")}
		if s.Age > 0 && rapid.Bool().Draw(t, "repeats") {
			s.Frequency = rapid.IntRange(1, 2_000).Draw(t, "frequency")
			s.Recency = s.Age * rapid.Float64Range(0, 1).Draw(t, "recency")
		}
		horizon := time.Duration(rapid.Int64Range(1, int64(99*insight.Year)).Draw(t, "horizon"))
		alive, expected := f.Alive(s), f.Expected(s, horizon)
		if !(alive >= 0 && alive <= 1) || !(expected >= 0) || math.IsInf(expected, 0) {
			t.Fatalf("%v of %+v: alive %v, expected %v", f.Parameters, s, alive, expected)
		}
		if further := f.Expected(s, horizon+insight.Year); further < expected*(1-1e-6) {
			t.Fatalf("%v of %+v: %v in %v, and %v in a year more", f.Parameters, s, expected, horizon, further)
		}
		if most := float64(s.Frequency) + f.Parameters[0].Value; expected > most/(s.Age+f.Parameters[1].Value)*float64(horizon)/float64(insight.Week)*(1+1e-6) {
			t.Fatalf("%v of %+v: %v in %v is more than they buy", f.Parameters, s, expected, horizon)
		}
		later := s
		later.Age += 10
		if f.Alive(later) > alive*(1+1e-9) {
			t.Fatalf("%v of %+v: alive %v, and %v later", f.Parameters, s, alive, f.Alive(later))
		}
	})
}

// Where spend has no mean, none is told; and where nobody spends, no model of it.
func TestNoSpend(t *testing.T) {
	f := published(lifetime.BGNBD)
	f.Spend[1].Value = 0.9
	if future := f.Future(lifetime.Summary{}, insight.Year); future.ExpectedValue != nil {
		t.Errorf("with q under 1 somebody new is worth %v", *future.ExpectedValue)
	}
	if mean, ok := f.MeanSpend(lifetime.Summary{}); ok {
		t.Errorf("with q under 1 the population spends %v", mean)
	}
	if mean, ok := f.MeanSpend(lifetime.Summary{Frequency: 3, Spends: 2, MeanSpend: 20}); !ok || !(mean > 0) {
		t.Errorf("one's own spend is %v, %v", mean, ok)
	}
	o := &lifetime.Options{Event: insight.AnyInbound(), Model: lifetime.BGNBD, AsOf: start.Add(insight.Year), Horizon: insight.Year, Zone: time.UTC}
	for what, value := range map[string]func(i int) *float64{
		"nobody has spent": func(int) *float64 { return nil },
		"fewer than 10":    func(i int) *float64 { return map[bool]*float64{true: new(float64(12))}[i < 9] },
		"or all alike":     func(int) *float64 { return new(float64(12)) },
		"nobody has":       func(int) *float64 { return new(math.Inf(1)) },
		"nobody":           func(int) *float64 { return new(math.NaN()) },
	} {
		p := lifetime.NewPurchases(o)
		spenders := 0
		for _, h := range population(rand.New(rand.NewPCG(8, 9)), 800) {
			for _, x := range h.Timeline {
				x.Value = value(spenders)
			}
			if len(h.Timeline) > 1 {
				spenders++
			}
			p.Add(h)
		}
		r, err := p.Report()
		if err != nil {
			t.Fatal(err)
		}
		if r.Fit.Spend != nil || r.Fit.SpendLogLikelihood != nil || r.ExpectedValue != nil || !strings.Contains(r.Fit.SpendUnknown, what) {
			t.Errorf("%s: %+v", what, r)
		}
	}
}

func BenchmarkAdd(b *testing.B) {
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		b.Fatal(err)
	}
	everybody := population(rand.New(rand.NewPCG(8, 9)), 1_000)
	n := 0
	for _, h := range everybody {
		n += len(h.Timeline)
	}
	p := lifetime.NewPurchases(&lifetime.Options{Event: insight.AnyInbound(), Model: lifetime.BGNBD, AsOf: start.Add(insight.Year), Horizon: insight.Year, Zone: newYork})
	b.ReportAllocs()
	for b.Loop() {
		for _, h := range everybody {
			p.Add(h)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/interaction")
}
