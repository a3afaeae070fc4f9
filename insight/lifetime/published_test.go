package lifetime_test

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/lifetime"
)

// The purchases of new customers of CDNOW (Fader and Hardie 2001), and what was
// published of them.

const shared = "../../../shared/data/"

// cdnow reads purchases as a history for each customer, in the file's order. The
// columns of the id, the day and the value are counted from 0.
func cdnow(tb testing.TB, file string, id, day, value int) (customers []string, histories map[string]*insight.History) {
	tb.Helper()
	text, err := os.ReadFile(shared + file)
	if os.IsNotExist(err) {
		tb.Skipf("%s is not here", shared+file)
	} else if err != nil {
		tb.Fatal(err)
	}
	histories = map[string]*insight.History{}
	for i, line := range strings.Split(string(text), "\n") {
		fields := strings.Fields(line)
		if len(fields) <= value || fields[0] == "customer_id" {
			continue
		}
		at, err := time.Parse("20060102", fields[day])
		if err != nil {
			tb.Fatalf("%s:%d: %v", file, i+1, err)
		}
		dollars, err := strconv.ParseFloat(fields[value], 64)
		if err != nil {
			tb.Fatalf("%s:%d: %v", file, i+1, err)
		}
		h := histories[fields[id]]
		if h == nil {
			h = &insight.History{}
			histories[fields[id]] = h
			customers = append(customers, fields[id])
		}
		h.Timeline = append(h.Timeline, &insight.Interaction{
			ID: uuid.UUID{12: byte(i >> 24), 13: byte(i >> 16), 14: byte(i >> 8), 15: byte(i)}, Type: "purchase", Direction: insight.Inbound, OccurredAt: at, Value: &dollars,
		})
	}
	return customers, histories
}

// calibration is what the published estimates are made on.
func calibration(model lifetime.Model) *lifetime.Options {
	return &lifetime.Options{
		Event: insight.AnyInbound(), Model: model, AsOf: time.Date(1997, 9, 30, 23, 59, 59, 0, time.UTC), Horizon: 52 * insight.Week, Zone: time.UTC,
	}
}

func sample(t *testing.T, model lifetime.Model) *lifetime.Purchases {
	t.Helper()
	_, histories := cdnow(t, "cdnow/CDNOW_sample.txt", 1, 2, 4)
	p := lifetime.NewPurchases(calibration(model))
	for _, h := range histories {
		p.Add(h)
	}
	return p
}

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if !(math.Abs(got-want) <= within) {
		t.Errorf("%s is %v; published is %v", what, got, want)
	}
}

func TestPublishedFit(t *testing.T) {
	for _, c := range []struct {
		model      lifetime.Model
		names      string
		parameters []float64
		within     []float64 // half of the last digit that was published
		likelihood float64
	}{
		{lifetime.BGNBD, "r alpha a b", []float64{0.2426, 4.4136, 0.7929, 2.4259}, []float64{6e-5, 6e-5, 6e-5, 6e-5}, -9582.429},
		{lifetime.ParetoNBD, "r alpha s beta", []float64{0.553, 10.58, 0.606, 11.67}, []float64{6e-4, 6e-3, 6e-4, 6e-3}, -9594.976},
	} {
		t.Run(string(c.model), func(t *testing.T) {
			p := sample(t, c.model)
			if p.Population() != 2357 {
				t.Errorf("%d customers", p.Population())
			}
			f, err := p.Fit()
			if err != nil {
				t.Fatal(err)
			}
			for i, name := range strings.Fields(c.names) {
				if f.Parameters[i].Name != name {
					t.Errorf("parameter %d is %s", i, f.Parameters[i].Name)
				}
				near(t, name, f.Parameters[i].Value, c.parameters[i], c.within[i])
			}
			near(t, "ln L", f.LogLikelihood, c.likelihood, 6e-4)
			if f.Spend == nil {
				t.Fatal(f.SpendUnknown)
			}
			for i, want := range []float64{6.25, 3.74, 15.44} {
				near(t, f.Spend[i].Name, f.Spend[i].Value, want, 6e-3)
			}
			near(t, "ln L of spend", *f.SpendLogLikelihood, -4055.918, 1e-3)
			t.Logf("%+v", f)
		})
	}
}

func fitted(t *testing.T, model lifetime.Model) *lifetime.Fit {
	t.Helper()
	f, err := sample(t, model).Fit()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// week reads a number of weeks.
func week(n float64) time.Duration { return time.Duration(n * float64(insight.Week)) }

func published(model lifetime.Model) *lifetime.Fit {
	f := &lifetime.Fit{Model: model, Spend: []lifetime.Parameter{{Name: "p", Value: 6.25}, {Name: "q", Value: 3.74}, {Name: "v", Value: 15.44}}}
	names, values := []string{"r", "alpha", "a", "b"}, []float64{0.2426, 4.4136, 0.7929, 2.4259}
	if model == lifetime.ParetoNBD {
		names, values = []string{"r", "alpha", "s", "beta"}, []float64{0.553, 10.58, 0.606, 11.67}
	}
	for i, name := range names {
		f.Parameters = append(f.Parameters, lifetime.Parameter{Name: name, Value: values[i]})
	}
	return f
}

func TestPublishedExpectations(t *testing.T) {
	bg, pareto := fitted(t, lifetime.BGNBD), fitted(t, lifetime.ParetoNBD)
	c1516 := lifetime.Summary{Frequency: 26, Recency: 30.857142857142858, Age: 31}
	near(t, "BG/NBD: P(alive) of 1516", bg.Alive(c1516), 0.96885, 6e-6)
	near(t, "BG/NBD: E[Y(52)] of 1516", bg.Expected(c1516, week(52)), 25.757, 6e-4)
	near(t, "BG/NBD: E[Y(39)]", bg.Expected(lifetime.Summary{Frequency: 2, Recency: 30.43, Age: 38.86}, week(39)), 1.226, 6e-4)
	near(t, "BG/NBD: E[X(52)]", bg.ExpectedNew(week(52)), 1.4440, 6e-5)
	near(t, "Pareto/NBD: P(alive) of 1516", pareto.Alive(c1516), 0.99787, 6e-6)
	near(t, "Pareto/NBD: E[Y(52)] of 1516", pareto.Expected(c1516, week(52)), 25.456, 2e-3) // published of rounded estimates:
	near(t, "Pareto/NBD: E[Y(52)] of 1516", published(lifetime.ParetoNBD).Expected(c1516, week(52)), 25.456, 6e-4)
}

// The expected spend of the first five customers.
func TestPublishedSpend(t *testing.T) {
	customers, histories := cdnow(t, "cdnow/CDNOW_sample.txt", 1, 2, 4)
	f := fitted(t, lifetime.BGNBD)
	for i, want := range []float64{24.65, 18.91, 35.17, 35.17, 35.17} {
		s, _ := lifetime.Of(histories[customers[i]].Timeline, calibration(lifetime.BGNBD))
		got, ok := f.MeanSpend(s)
		if !ok {
			t.Errorf("customer %s has no spend", customers[i])
		}
		near(t, "E[M] of "+customers[i], got, want, 6e-3)
	}
}

// 2,357 customers purchased again on 2,457 days, and the book-keeping of one is as published.
func TestPublishedSummaries(t *testing.T) {
	_, histories := cdnow(t, "cdnow/CDNOW_sample.txt", 1, 2, 4)
	repeats := 0
	for _, h := range histories {
		s, ok := lifetime.Of(h.Timeline, calibration(lifetime.BGNBD))
		if !ok {
			t.Fatal("a customer without a purchase")
		}
		repeats += s.Frequency
	}
	if repeats != 2457 {
		t.Errorf("%d repeat purchases", repeats)
	}
	s, _ := lifetime.Of(histories["1516"].Timeline, calibration(lifetime.BGNBD))
	if s.Frequency != 26 || fmt.Sprintf("%.3f %.3f", s.Recency, s.Age) != "30.857 31.000" {
		t.Errorf("1516 is %+v", s)
	}
}

// Long-gone is gone, and nothing overflows on the way.
func TestLongGone(t *testing.T) {
	for _, model := range []lifetime.Model{lifetime.BGNBD, lifetime.ParetoNBD} {
		f, s := published(model), lifetime.Summary{Frequency: 1000, Recency: 10, Age: 100}
		if alive, expected := f.Alive(s), f.Expected(s, week(52)); alive != 0 || expected != 0 {
			t.Errorf("%s: %v alive, %v expected", model, alive, expected)
		}
	}
}

// The whole of which the sample is a tenth is not far from it.
func TestPublishedMaster(t *testing.T) {
	for _, model := range []lifetime.Model{lifetime.BGNBD, lifetime.ParetoNBD} {
		_, histories := cdnow(t, "cdnow/CDNOW_master.txt", 0, 1, 3)
		p := lifetime.NewPurchases(calibration(model))
		for _, h := range histories {
			p.Add(h)
		}
		r, err := p.Report()
		if err != nil {
			t.Fatal(err)
		}
		if r.Population != 23570 || r.Buyers != 23570 || r.ExpectedValue == nil {
			t.Errorf("%+v", r)
		}
		for i, want := range published(model).Parameters {
			if got := r.Fit.Parameters[i].Value; math.Abs(math.Log(got/want.Value)) > 0.5 {
				t.Errorf("%s of everybody is %v, of a tenth %v", want.Name, got, want.Value)
			}
		}
		t.Logf("%+v, worth %.2f", *r, *r.ExpectedValue)
	}
}
