package uplift_test

import (
	"encoding/csv"
	"errors"
	"io/fs"
	"math"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/uplift"
)

// hillstrom is where the customers of Hillstrom's e-mail test are.
const hillstrom = "../../../shared/data/hillstrom/hillstrom_data.csv"

var sent = time.Date(2008, 3, 1, 0, 0, 0, 0, time.UTC)

// customers reads an arm of the test, as histories of two weeks.
func customers(t testing.TB) map[string][]*insight.History {
	t.Helper()
	file, err := os.Open(hillstrom)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("the published data is not here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	arms := map[string][]*insight.History{}
	for _, row := range rows[1:] {
		h := &insight.History{}
		happens := func(kind string, value *float64) {
			h.Timeline = append(h.Timeline, &insight.Interaction{Type: kind, Direction: insight.Inbound, OccurredAt: sent.Add(insight.Day), Value: value})
		}
		if row[9] == "1" {
			happens("visit", nil)
		}
		if row[10] == "1" {
			spend, err := strconv.ParseFloat(row[11], 64)
			if err != nil {
				t.Fatal(err)
			}
			happens("purchase", &spend)
		}
		arms[row[8]] = append(arms[row[8]], h)
	}
	return arms
}

func TestHillstrom(t *testing.T) {
	arms := customers(t)
	ask := func(outcome, treated string) uplift.Group {
		half := 0.5
		tally := uplift.NewTally(uplift.Options{
			Outcome: insight.Selector{Types: []string{outcome}}, Window: 2 * insight.Week, AsOf: sent.Add(insight.Month), Holdout: &half,
		})
		for _, h := range arms[treated] {
			tally.Add(h, uplift.Assignment{At: sent}, nil)
		}
		for _, h := range arms["No E-Mail"] {
			tally.Add(h, uplift.Assignment{Holdout: true, At: sent}, nil)
		}
		return tally.Report().Groups[0]
	}
	is := func(what string, got *float64, want float64, digits int) {
		t.Helper()
		if got == nil || math.Abs(*got-want) > 0.5001*math.Pow10(-digits) {
			t.Errorf("%s: %v, published %v", what, *got, want)
		}
	}
	for _, c := range []struct {
		arm                                  string
		customers                            int
		visit, conversion, spend, difference float64
	}{
		{"Mens E-Mail", 21307, .18276, .01253, 1.4226, .07659},
		{"Womens E-Mail", 21387, .15140, .00884, 1.0772, .04523},
	} {
		visit, purchase := ask("visit", c.arm), ask("purchase", c.arm)
		if visit.Treated != c.customers || visit.Holdout != 21306 || visit.Pending != 0 || visit.Mismatch || visit.Verdict != uplift.Persuadable || purchase.Verdict != uplift.Persuadable {
			t.Errorf("%s: %+v %+v", c.arm, visit, purchase)
		}
		is("visits", visit.TreatedRate, c.visit, 5)
		is("visits without", visit.HoldoutRate, .10617, 5)
		is("uplift of visits", visit.Uplift, c.difference, 5)
		is("conversions", purchase.TreatedRate, c.conversion, 5)
		is("conversions without", purchase.HoldoutRate, .00573, 5)
		is("spend", purchase.TreatedValue, c.spend, 4)
		is("spend without", purchase.HoldoutValue, .6528, 4)
	}
	visit, purchase := ask("visit", "Mens E-Mail"), ask("purchase", "Mens E-Mail")
	se := (*visit.High - *visit.Low) / 2 / 1.96
	is("se of visits", &se, .00339, 5)
	is("spend", purchase.ValueUplift, .7698, 4)
	se = (*purchase.ValueHigh - *purchase.ValueLow) / 2 / 1.96
	is("se of spend", &se, .1452, 4)
	is("spend from", purchase.ValueLow, .485, 3)
	is("spend to", purchase.ValueHigh, 1.055, 3)
}
