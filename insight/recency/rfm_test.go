package recency_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/recency"
)

// orders are the customers of the rfm tables by name.
func orders(t *testing.T) map[string]insight.Timeline {
	t.Helper()
	all := map[string]insight.Timeline{}
	for i, row := range data(t, "rfm/rfm_orders.csv") {
		at, err := time.Parse(time.DateOnly, row["order_date"])
		if err != nil {
			t.Fatal(err)
		}
		value := number(t, row["revenue"])
		who := row["customer_id"]
		all[who] = append(all[who], &insight.Interaction{ID: uuid.UUID{14: byte(i >> 8), 15: byte(i)}, Type: "order", Direction: insight.Inbound, OccurredAt: at, Value: &value})
	}
	for who, one := range all {
		all[who] = one.Ordered()
	}
	return all
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// TestPublishedRFM: every row of the rfm tables' own results.
func TestPublishedRFM(t *testing.T) {
	all := orders(t)
	o := recency.RFMOptions{Event: insight.AnyInbound(), AsOf: time.Date(2006, 12, 31, 0, 0, 0, 0, time.UTC)}
	tally := recency.NewRFMTally(o)
	for _, one := range all {
		tally.Add(&insight.History{Timeline: one})
	}
	r := tally.Report()
	if want := (recency.Cuts{Recency: [4]float64{115, 181, 297.4, 482}, Frequency: [4]float64{4, 5, 6, 8}, Monetary: [4]float64{255.8, 382, 506.4, 666}}); *r.Cuts != want {
		t.Errorf("cuts %+v", *r.Cuts)
	}
	for i, row := range data(t, "rfm/rfm_orders_thresholds.csv") {
		if i == 0 {
			continue
		}
		for name, of := range map[string][4]float64{"recency": r.Cuts.Recency, "frequency": r.Cuts.Frequency, "monetary": r.Cuts.Monetary} {
			if want := number(t, row[name+"_lower"]); of[i-1] != want {
				t.Errorf("%s cut %d: %v, not %v", name, i, of[i-1], want)
			}
		}
	}

	rows := data(t, "rfm/rfm_orders_expected_scores_2006-12-31.csv")
	if len(rows) != 995 || r.Individuals != 995 || r.Population != 995 {
		t.Errorf("%d rows, %d individuals", len(rows), r.Individuals)
	}
	for _, row := range rows {
		x, ok := recency.RFMOf(all[row["customer_id"]], o.Event, o.AsOf, *r.Cuts)
		got := []float64{float64(x.RecencyDays), float64(x.Frequency), x.Monetary, float64(x.R), float64(x.F), float64(x.M), float64(x.Score)}
		for i, name := range []string{"recency_days", "transaction_count", "amount", "recency_score", "frequency_score", "monetary_score", "rfm_score"} {
			if want := number(t, row[name]); !ok || got[i] != want {
				t.Errorf("%s: %s is %v, not %v", row["customer_id"], name, got[i], want)
			}
		}
	}

	want := map[string]map[string]string{}
	for _, row := range data(t, "rfm/rfm_orders_segments_A_expected.csv") {
		want[row["segment"]] = row
	}
	for _, s := range r.Segments {
		row := want[s.Name]
		if row == nil {
			row = map[string]string{"customers": "0", "orders": "0", "revenue": "0"}
		}
		delete(want, s.Name)
		if float64(s.Individuals) != number(t, row["customers"]) || s.Interactions.Sum != number(t, row["orders"]) || s.Worth.Sum != number(t, row["revenue"]) {
			t.Errorf("%+v; want %v", s, row)
		}
	}
	if len(want) > 0 {
		t.Errorf("no segments: %v", want)
	}
	if c := r.Segments[0]; c.Individuals != 158 || c.Interactions.Sum != 1_234 || c.Worth.Sum != 120_178 {
		t.Errorf("champions: %+v", c)
	}
}

func TestRFM(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all, asOf := population(t), drawAsOf(t)
		o := recency.RFMOptions{Event: purchases, AsOf: asOf}
		r := lawful(t, all, asOf, func() *recency.RFMTally { return recency.NewRFMTally(o) }, (*recency.RFMTally).Report)
		var days, times, money []int
		for _, one := range all {
			if known := did(one, asOf); len(known) > 0 {
				day := func(at time.Time) int { return int(at.Truncate(insight.Day).Sub(start) / insight.Day) }
				days = append(days, day(asOf)-day(known[len(known)-1].OccurredAt))
				times = append(times, len(known))
				money = append(money, cents(known))
			}
		}
		if r.Population != len(all) || r.Individuals != len(days) || (r.Cuts == nil) != (len(days) == 0) {
			t.Fatalf("%+v", r)
		}
		for k := range 4 {
			if r.Cuts != nil && (r.Cuts.Recency[k] != cut(days, k+1, 1) || r.Cuts.Frequency[k] != cut(times, k+1, 1) || r.Cuts.Monetary[k] != cut(money, k+1, 100)) {
				t.Fatalf("cut %d of %v, %v, %v: %+v", k+1, days, times, money, *r.Cuts)
			}
		}
		individuals := map[string]int{}
		interactions := map[string]float64{}
		spent := map[string][]int{}
		for _, one := range all {
			if r.Cuts == nil {
				continue
			}
			x, ok := recency.RFMOf(one, o.Event, asOf, *r.Cuts)
			known := did(one, asOf)
			if ok != (len(known) > 0) {
				t.Fatalf("%d purchases, %v", len(known), ok)
			}
			if !ok {
				continue
			}
			if x.Monetary != float64(cents(known))/100 || x.Frequency != len(known) || x.Score != 100*x.R+10*x.F+x.M {
				t.Fatalf("%+v of %d cents", x, cents(known))
			}
			if x.R != 6-scoreBy(r.Cuts.Recency, float64(x.RecencyDays)) || x.F != scoreBy(r.Cuts.Frequency, float64(x.Frequency)) || x.M != scoreBy(r.Cuts.Monetary, x.Monetary) {
				t.Fatalf("%+v with %+v", x, *r.Cuts)
			}
			individuals[x.Segment]++
			interactions[x.Segment] += float64(x.Frequency)
			spent[x.Segment] = append(spent[x.Segment], cents(known))
		}
		for _, s := range r.Segments {
			if s.Individuals != individuals[s.Name] || s.Interactions.Sum != interactions[s.Name] || s.Worth != worthOf(spent[s.Name]) {
				t.Fatalf("%+v is not the sum of its individuals", s)
			}
		}
	})
}

func scoreBy(cuts [4]float64, x float64) int {
	score := 1
	for _, cut := range cuts {
		if x >= cut {
			score++
		}
	}
	return score
}

// cut k of n: between ranks, in fifths of one unit, of which parts make a whole.
func cut(of []int, k, parts int) float64 {
	slices.Sort(of)
	rank := (len(of) - 1) * k
	fifths := 5 * of[rank/5]
	if rank%5 > 0 {
		fifths += rank % 5 * (of[rank/5+1] - of[rank/5])
	}
	return float64(fifths+5*parts) / float64(5*parts)
}

// TestSegments counts the 125 codes by name. Three names have none, because broader
// rules come first.
func TestSegments(t *testing.T) {
	cuts := recency.Cuts{Recency: [4]float64{1, 2, 3, 4}, Frequency: [4]float64{2, 3, 4, 5}, Monetary: [4]float64{1, 2, 3, 4}}
	asOf := start.Add(23 * time.Hour)
	counts := map[string]int{}
	for code := range 125 {
		days, times, money := code/25, 1+code/5%5, float64(code%5)
		one := make(insight.Timeline, times)
		for i := range one {
			one[i] = &insight.Interaction{ID: uuid.UUID{15: byte(i)}, OccurredAt: start.Add(-time.Duration(days) * insight.Day)}
		}
		one[0].Value = &money
		x, _ := recency.RFMOf(one, insight.Selector{}, asOf, cuts)
		if x.RecencyDays != days || x.Score != 100*(5-days)+10*times+code%5+1 {
			t.Errorf("%+v", x)
		}
		counts[x.Segment]++
	}
	want := map[string]int{"Champions": 8, "Loyal Customers": 28, "Potential Loyalist": 24, "Need Attention": 3, "About To Sleep": 3, "At Risk": 20, "Lost": 3, "Others": 36}
	if diff := same(want, counts); diff != "" {
		t.Error(diff)
	}
	if names := recency.RFMSegments(); len(names) != 11 || names[0] != "Champions" || names[10] != "Others" {
		t.Errorf("%q", names)
	}
}

// Days begin at midnight in UTC, before 1970 too.
func TestRecencyDays(t *testing.T) {
	for _, c := range []struct {
		last, asOf string
		want       int
	}{
		{"2026-03-01T23:59:59Z", "2026-03-02T00:00:00Z", 1},
		{"2026-03-01T00:00:00Z", "2026-03-01T23:59:59Z", 0},
		{"2026-03-01T23:00:00Z", "2026-03-02T00:30:00+02:00", 0},
		{"1969-12-31T00:00:00Z", "1969-12-31T23:59:59Z", 0},
		{"1969-12-31T23:00:00Z", "1970-01-01T01:00:00Z", 1},
		{"1969-12-30T23:59:59.5Z", "1969-12-31T00:00:00Z", 1},
		{"0001-01-01T00:00:00Z", "9998-12-31T00:00:00Z", 3_651_693},
	} {
		last, err := time.Parse(time.RFC3339, c.last)
		if err != nil {
			t.Fatal(err)
		}
		asOf, err := time.Parse(time.RFC3339, c.asOf)
		if err != nil {
			t.Fatal(err)
		}
		if x, ok := recency.RFMOf(insight.Timeline{{OccurredAt: last}}, insight.Selector{}, asOf, recency.Cuts{}); ok != !last.After(asOf) || x.RecencyDays != c.want {
			t.Errorf("from %s to %s are %d days, not %d", c.last, c.asOf, x.RecencyDays, c.want)
		}
	}
}

func TestRFMOptions(t *testing.T) {
	refuses(t, recency.RFMOptions{AsOf: start}, map[string]func(*recency.RFMOptions){
		"asOf":           func(o *recency.RFMOptions) { o.AsOf = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) },
		"event.types[0]": func(o *recency.RFMOptions) { o.Event.Types = []string{""} },
	})
}

func BenchmarkRFM(b *testing.B) {
	o := recency.RFMOptions{Event: purchases, AsOf: start.Add(insight.Year)}
	benchmark(b, func() *recency.RFMTally { return recency.NewRFMTally(o) })
}

func BenchmarkRFMReport(b *testing.B) {
	tally := addAll(recency.NewRFMTally(recency.RFMOptions{Event: purchases, AsOf: start.Add(insight.Year)}), crowd(100_000, 4))
	b.ReportAllocs()
	for b.Loop() {
		tally.Report()
	}
}
