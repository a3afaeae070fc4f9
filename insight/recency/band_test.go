package recency_test

import (
	"encoding/csv"
	"math"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/recency"
)

// bandBy finds by plain loop which band an elapsed time is in.
func bandBy(bounds []time.Duration, elapsed time.Duration) int {
	i := 0
	for _, bound := range bounds {
		if elapsed >= bound {
			i++
		}
	}
	return i
}

func TestBands(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all, asOf := population(t), drawAsOf(t)
		o := recency.BandOptions{Event: purchases, AsOf: asOf, Bounds: drawBounds(t), Horizon: time.Duration(rapid.IntRange(1, 40).Draw(t, "horizon")) * 12 * time.Hour}
		fresh := func() *recency.BandTally { return recency.NewBandTally(o) }
		r := lawful(t, all, asOf, fresh, (*recency.BandTally).Report)

		then := asOf.Add(-o.Horizon)
		n := len(o.Bounds) + 1
		count, before, responded, spent, whole := make([]int, n), make([]int, n), make([]int, n), make([][]int, n), 0
		for _, one := range all {
			now, was := did(one, asOf), did(one, then)
			if len(now) == 0 {
				continue
			}
			whole++
			i := bandBy(o.Bounds, asOf.Sub(now[len(now)-1].OccurredAt))
			count[i]++
			spent[i] = append(spent[i], cents(now))
			if len(was) > 0 {
				i := bandBy(o.Bounds, then.Sub(was[len(was)-1].OccurredAt))
				before[i]++
				if len(now) > len(was) {
					responded[i]++
				}
			}
		}
		if r.Population != len(all) || r.Individuals != whole || len(r.Bands) != n {
			t.Fatalf("%+v", r)
		}
		end := time.Duration(0)
		for i, b := range r.Bands {
			if b.Individuals != count[i] || b.Before != before[i] || b.Responded != responded[i] || b.Worth != worthOf(spent[i]) {
				t.Fatalf("band %d: %+v; want %d, %d, %d, %+v", i, b, count[i], before[i], responded[i], worthOf(spent[i]))
			}
			if b.From != end || (b.To == nil) != (i == n-1) {
				t.Fatalf("band %d from %v to %v", i, b.From, b.To)
			}
			if b.To != nil {
				end = *b.To
			}
			isShare(t, b.Share, count[i], whole)
			isShare(t, b.RespondedNext, responded[i], before[i])
		}
		alone(t, all, fresh, r)
		moved(t, all, asOf, fresh, r)
	})
}

func isShare(t *rapid.T, got *float64, part, whole int) {
	if (got == nil) != (whole == 0) || got != nil && *got != float64(part)/float64(whole) {
		t.Fatalf("%v is not %d of %d", got, part, whole)
	}
}

// alone: the population's numbers are the sum of the individuals'.
func alone(t *rapid.T, all []insight.Timeline, fresh func() *recency.BandTally, r recency.BandReport) {
	sum := make([]recency.Band, len(r.Bands))
	individuals := 0
	for _, one := range all {
		of := addAll(fresh(), []insight.Timeline{one}).Report()
		individuals += of.Individuals
		for i, b := range of.Bands {
			sum[i].Individuals += b.Individuals
			sum[i].Before += b.Before
			sum[i].Responded += b.Responded
		}
	}
	inBands := 0
	for i, b := range r.Bands {
		inBands += b.Individuals
		if b.Individuals != sum[i].Individuals || b.Before != sum[i].Before || b.Responded != sum[i].Responded {
			t.Fatalf("band %d: %+v is not the sum %+v", i, b, sum[i])
		}
	}
	if inBands != r.Individuals || individuals != r.Individuals {
		t.Fatalf("%d in bands of %d", inBands, r.Individuals)
	}
}

// moved: one who does it again moves from one band to the first one, or stays there.
func moved(t *rapid.T, all []insight.Timeline, asOf time.Time, fresh func() *recency.BandTally, r recency.BandReport) {
	if len(all) == 0 {
		return
	}
	again := append([]insight.Timeline(nil), all...)
	who := rapid.IntRange(0, len(all)-1).Draw(t, "who")
	again[who] = append(again[who][:len(again[who]):len(again[who])], &insight.Interaction{ID: uuid.UUID{1}, Type: "purchase", OccurredAt: asOf}).Ordered()
	less, more := 0, 0
	for i, b := range addAll(fresh(), again).Report().Bands {
		switch change := b.Individuals - r.Bands[i].Individuals; {
		case change < 0:
			less -= change
		case change > 0:
			more += change
			if i != 0 {
				t.Fatalf("they are now in band %d", i)
			}
		}
	}
	was := len(did(all[who], asOf))
	if more > 1 || less > 1 || was > 0 && more != less || was == 0 && (more != 1 || less != 0) {
		t.Fatalf("%d less, %d more", less, more)
	}
}

// TestHillstrom: the more recent the last purchase, the more visit within the two
// weeks of the experiment without any mail.
func TestHillstrom(t *testing.T) {
	rows := data(t, "hillstrom/hillstrom_data.csv")
	o := recency.BandOptions{AsOf: start, Horizon: 14 * insight.Day}
	for month := 2; month <= 12; month++ {
		o.Bounds = append(o.Bounds, time.Duration(month)*insight.Month)
	}
	if err := o.Validate(); err != nil {
		t.Fatal(err)
	}
	tally := recency.NewBandTally(o)
	var customers, visits [13]int
	for i, row := range rows {
		if row["segment"] != "No E-Mail" {
			continue
		}
		months, _ := strconv.Atoi(row["recency"])
		one := insight.Timeline{{ID: uuid.UUID{14: 1}, Type: "purchase", OccurredAt: start.Add(-o.Horizon - time.Duration(months)*insight.Month - time.Duration(i%30)*insight.Day)}}
		customers[months]++
		if row["visit"] == "1" {
			visits[months]++
			one = append(one, &insight.Interaction{ID: uuid.UUID{14: 2}, Type: "visit", OccurredAt: start.Add(-time.Duration(i) % o.Horizon)})
		}
		tally.Add(&insight.History{Timeline: one})
	}
	r := tally.Report()
	if r.Individuals != 21_306 {
		t.Errorf("%d customers", r.Individuals)
	}
	published := []float64{.148, .134, .126, .112, .110, .095}
	for i, b := range r.Bands {
		if b.Before != customers[i+1] || b.Responded != visits[i+1] {
			t.Errorf("%d months: %d of %d, not %d of %d", i+1, b.Responded, b.Before, visits[i+1], customers[i+1])
		}
		if i < len(published) && math.Abs(*b.RespondedNext-published[i]) > .0005 {
			t.Errorf("%d months: %v, published %v", i+1, *b.RespondedNext, published[i])
		}
	}
}

// data reads a published table, which is not ours to pass on.
func data(t *testing.T, name string) []map[string]string {
	t.Helper()
	file, err := os.Open("../../../shared/data/" + name)
	if err != nil {
		t.Skip("the published data are not here: ", err)
	}
	defer func() { _ = file.Close() }()
	lines, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	rows := make([]map[string]string, len(lines)-1)
	for i, line := range lines[1:] {
		rows[i] = make(map[string]string, len(line))
		for j, cell := range line {
			rows[i][lines[0][j]] = cell
		}
	}
	return rows
}

func TestBandOptions(t *testing.T) {
	day := insight.Day
	fifty := make([]time.Duration, recency.MaxBounds)
	for i := range fifty {
		fifty[i] = time.Duration(i + 1)
	}
	good := recency.BandOptions{AsOf: start, Bounds: fifty, Horizon: recency.DefaultHorizon}
	refuses(t, good, map[string]func(*recency.BandOptions){
		"asOf":              func(o *recency.BandOptions) { o.AsOf = time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC) },
		"event.channels[0]": func(o *recency.BandOptions) { o.Event.Channels = []string{""} },
		"horizon":           func(o *recency.BandOptions) { o.Horizon = 0 },
		"bands":             func(o *recency.BandOptions) { o.Bounds = nil },
		"bands[0]":          func(o *recency.BandOptions) { o.Bounds = []time.Duration{0} },
		"bands[1]":          func(o *recency.BandOptions) { o.Bounds = []time.Duration{day, day} },
		"bands[2]":          func(o *recency.BandOptions) { o.Bounds = []time.Duration{day, 3 * day, 2 * day} },
	})
	good.Bounds, good.Horizon = append(fifty, day), -1
	if err := good.Validate(); err == nil || err.Error() != "bands: there are 51 bounds; 1 to 50 are taken\nhorizon: it is not between a moment and 100 years, such as P30D" {
		t.Error(err)
	}
}

func BenchmarkBands(b *testing.B) {
	o := recency.BandOptions{Event: purchases, AsOf: start.Add(insight.Year), Bounds: recency.DefaultBands(), Horizon: recency.DefaultHorizon}
	benchmark(b, func() *recency.BandTally { return recency.NewBandTally(o) })
}
