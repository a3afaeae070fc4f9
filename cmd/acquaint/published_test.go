package main

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/testdb"
)

// What was published of real customers comes out of their files through this program
// alone: acquaint import takes the file in, acquaint serve answers about it.

// realFile finds a published file. The test is left out where it is absent, and under
// the race detector: make test runs it without.
func realFile(t *testing.T, name string) string {
	t.Helper()
	if raced {
		t.Skip("under the race detector these files take minutes; make test runs this without it too")
	}
	file, err := filepath.Abs(filepath.Join(shared, name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); err != nil {
		t.Skipf("the file is not here, so that nothing real is imported: %v", err)
	}
	return file
}

// realRows reads a published table, each row by its headers.
func realRows(t *testing.T, name string) []map[string]string {
	t.Helper()
	file, err := os.Open(realFile(t, name))
	if err != nil {
		t.Fatal(err)
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

// large is an installation for what takes PostgreSQL seconds and SQLite minutes.
func large(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.url = testdb.Postgres(t).URL
	return w
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func whole(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// load imports a file of so many rows, all of which are good.
func (w *world) load(rows int, file string, args ...string) {
	w.Helper()
	args = append([]string{"import", file, "--reject", filepath.Join(w.TempDir(), "rejects")}, args...)
	n := count(int64(rows))
	if out := w.must(args...); !strings.HasPrefix(out, n+" rows: "+n+" accepted, 0 duplicates, 0 rejected") {
		w.Errorf("of %d rows it says %q", rows, out)
	}
}

// table is a file that is being written for an import.
type table struct {
	w    *world
	name string
	file *os.File
	out  *bufio.Writer
	rows int
}

func (w *world) table(header string) *table {
	w.Helper()
	t := &table{w: w, name: filepath.Join(w.TempDir(), "made.csv")}
	var err error
	if t.file, err = os.Create(t.name); err != nil {
		w.Fatal(err)
	}
	t.out = bufio.NewWriter(t.file)
	_, _ = fmt.Fprintln(t.out, header) // an error stays in the writer until it is flushed
	return t
}

func (t *table) row(cells ...any) {
	for i, c := range cells {
		if i > 0 {
			_ = t.out.WriteByte(',')
		}
		_, _ = fmt.Fprint(t.out, c)
	}
	_ = t.out.WriteByte('\n')
	t.rows++
}

func (t *table) load(args ...string) {
	t.w.Helper()
	if err := cmp.Or(t.out.Flush(), t.file.Close()); err != nil {
		t.w.Fatal(err)
	}
	t.w.load(t.rows, t.name, args...)
}

// analyst is somebody who may read everything, before a server.
type analyst struct {
	*served
	token string
}

func (w *world) analyst() *analyst {
	w.Helper()
	token := strings.TrimSpace(w.must("token"))
	return &analyst{w.serve(), token}
}

// asks asks a query, into which the values are put as GraphQL writes them.
func (a *analyst) asks(into any, query string, values ...any) {
	a.Helper()
	a.graph(a.token, fmt.Sprintf(query, values...), into)
}

// everyone reads one thing of all individuals, page after page, by their account id.
func everyone[T any](a *analyst, fields string) map[string]T {
	a.Helper()
	all := map[string]T{}
	for after := "null"; ; {
		var page struct {
			Individuals struct {
				Nodes    []json.RawMessage
				PageInfo struct {
					HasNextPage bool
					EndCursor   string
				}
			}
		}
		a.asks(&page, `{ individuals(first: 100, after: %s) { nodes { identifiers { value } %s } pageInfo { hasNextPage endCursor } } }`, after, fields)
		for _, text := range page.Individuals.Nodes {
			var who struct{ Identifiers []struct{ Value string } }
			var one T
			if err := cmp.Or(json.Unmarshal(text, &who), json.Unmarshal(text, &one)); err != nil {
				a.Fatal(err)
			}
			all[who.Identifiers[0].Value] = one
		}
		if !page.Individuals.PageInfo.HasNextPage {
			return all
		}
		after = strconv.Quote(page.Individuals.PageInfo.EndCursor)
	}
}

// near holds a number against a published one.
func (w *world) near(what string, got, want, within float64) {
	w.Helper()
	if !(math.Abs(got-want) <= within) {
		w.Errorf("%s is %v, not %v", what, got, want)
	}
}

// same holds an answer against what it has to be.
func same[T comparable](w *world, what string, got, want T) {
	w.Helper()
	if got != want {
		w.Errorf("%s is %v, not %v", what, got, want)
	}
}

// length is a span of time of an answer.
type length time.Duration

func (l *length) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	d, err := insight.ParseDuration(text)
	*l = length(d)
	return err
}

func (l *length) seconds() *float64 {
	if l == nil {
		return nil
	}
	s := time.Duration(*l).Seconds()
	return &s
}

// show writes what may be missing.
func show[T any](p *T) string {
	if p == nil {
		return "nothing"
	}
	return fmt.Sprint(*p)
}

// purchase is one row of CDNOW's file.
type purchase struct {
	day   time.Time
	cents int
}

// cdnow are the customers of the sample, each one's purchases in order.
func cdnow(t *testing.T) map[string][]purchase {
	t.Helper()
	text, err := os.ReadFile(realFile(t, "cdnow/CDNOW_sample.txt"))
	if err != nil {
		t.Fatal(err)
	}
	customers := map[string][]purchase{}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		day, err := time.Parse("20060102", f[2])
		if err != nil {
			t.Fatal(err)
		}
		customers[f[1]] = append(customers[f[1]], purchase{day, int(math.Round(100 * number(t, f[4])))})
	}
	for _, all := range customers {
		slices.SortStableFunc(all, func(a, b purchase) int { return a.day.Compare(b.day) })
	}
	return customers
}

// by are the purchases until a moment.
func by(all []purchase, at time.Time) []purchase {
	n := 0
	for n < len(all) && !all[n].day.After(at) {
		n++
	}
	return all[:n]
}

var (
	calibration = time.Date(1997, 9, 30, 23, 59, 59, 0, time.UTC)
	observed    = time.Date(1998, 6, 30, 0, 0, 0, 0, time.UTC)
)

func TestRealFilesOfCDNOW(t *testing.T) {
	file := realFile(t, "cdnow/CDNOW_sample.txt")
	customers := cdnow(t)
	onEach(t, func(w *world) {
		w.load(6_919, file, "--source", "cdnow", "--no-header", "--delimiter", "whitespace", "--time-layout", "20060102",
			"--map", "userId=2,type=:purchase,occurredAt=3,value=5,currency=:USD,properties.cds=4")
		a := w.analyst()
		defer a.end()
		fit(a, 2_357, 1)
		expectations(a, customers)
		grid(a, customers)
		latency(a, customers)
	})
}

// In a world where everything takes ten times as long, only time is counted otherwise.
// Who bought there on the last day for the first time tells the models nothing, and is
// expected to buy as somebody of whom nothing is known: E[X(52)] times, in 520 weeks.
func TestRealFilesOfCDNOWTenTimesSlower(t *testing.T) {
	customers := cdnow(t)
	w := newWorld(t)
	slow := w.table("who,at,value")
	for who, all := range customers {
		for _, p := range by(all, calibration) {
			slow.row(who, slowed(p.day, 10).Format(time.DateOnly), float64(p.cents)/100)
		}
	}
	slow.row("newcomer", slowed(calibration, 10).Format(time.DateOnly), "")
	slow.load("--time-layout", "2006-01-02", "--map", "userId=who,type=:purchase,occurredAt=at,value=value,currency=:USD")
	a := w.analyst()
	defer a.end()
	fit(a, 2_358, 10)
	of := expected(a, "newcomer", slowed(calibration, 10), "P3640D")
	same(w, "the newcomer's P(alive)", of.ProbabilityAlive, 1)
	w.near("E[X(52)]", of.ExpectedCount, 1.4440, 6e-5)
}

// slowed is the end of a day where time passes so many times slower, from the first day of 1997 on.
func slowed(day time.Time, times int) time.Time {
	first := time.Date(1997, 1, 1, 0, 0, 0, 0, time.UTC)
	return first.AddDate(0, 0, times*int(day.Sub(first)/insight.Day)).Add(insight.Day - time.Second)
}

// fit asks for the models that were published of CDNOW, with time so many times slower.
func fit(a *analyst, population, times int) {
	a.Helper()
	type parameters []struct {
		Name  string
		Value float64
	}
	check := func(model string, got parameters, names string, want, within []float64) {
		a.Helper()
		if len(got) != len(want) {
			a.Errorf("%s has the parameters %v", model, got)
			return
		}
		for i, name := range strings.Fields(names) {
			same(a.world, model+"'s parameter", got[i].Name, name)
			a.near(model+"'s "+name, got[i].Value, want[i], within[i])
		}
	}
	asOf, slower := slowed(calibration, times), float64(times)
	// Each of the 2,457 repeat purchases has a likelihood per week.
	stretched := 2_457 * math.Log(slower)
	for _, c := range []struct {
		model, names  string
		want, within  []float64 // to half of the last digit that was published
		logLikelihood float64
	}{
		{"BG_NBD", "r alpha a b", []float64{.2426, slower * 4.4136, .7929, 2.4259}, []float64{6e-5, slower * 6e-5, 6e-5, 6e-5}, -9582.429},
		{"PARETO_NBD", "r alpha s beta", []float64{.553, slower * 10.58, .606, slower * 11.67}, []float64{6e-4, slower * 6e-3, 6e-4, slower * 6e-3}, -9594.976},
	} {
		var answer struct {
			Insights struct {
				Lifetime struct {
					Population                        int
					AsOf                              time.Time
					Model                             string
					Parameters, Spend                 parameters
					LogLikelihood, SpendLogLikelihood float64
					ProbabilityAlive                  []struct{ Individuals int }
				}
			}
		}
		a.asks(&answer, `{ insights { lifetime(event: {types: ["purchase"]}, asOf: %q, model: %s) { population asOf model parameters { name value }
			logLikelihood spend { name value } spendLogLikelihood probabilityAlive { individuals } } } }`, asOf.Format(time.RFC3339), c.model)
		l := answer.Insights.Lifetime
		same(a.world, c.model+"'s population", l.Population, population)
		same(a.world, "the moment", l.AsOf, asOf)
		same(a.world, "the model", l.Model, c.model)
		check(c.model, l.Parameters, c.names, c.want, c.within)
		a.near(c.model+"'s ln L", l.LogLikelihood, c.logLikelihood-stretched, 6e-4)
		check("Gamma-Gamma", l.Spend, "p q v", []float64{6.25, 3.74, 15.44}, []float64{6e-3, 6e-3, 6e-3})
		a.near("ln L of Gamma-Gamma", l.SpendLogLikelihood, -4055.918, 1e-3)
		inBands := 0
		for _, b := range l.ProbabilityAlive {
			inBands += b.Individuals
		}
		same(a.world, "everyone in bands", inBands, population)
	}
}

// future is what is expected of one customer.
type future struct {
	Model                           string
	Frequency                       int
	ProbabilityAlive, ExpectedCount float64
	ExpectedValue                   *float64
}

const lifetimeOf = `lifetime(event: {types: ["purchase"]}, asOf: %q, horizon: %q) { model frequency probabilityAlive expectedCount expectedValue }`

func expected(a *analyst, who string, at time.Time, horizon string) future {
	a.Helper()
	var answer struct{ Individual struct{ Lifetime future } }
	a.asks(&answer, `{ individual(by: {userId: %q}) { `+lifetimeOf+` } }`, who, at.Format(time.RFC3339), horizon)
	return answer.Individual.Lifetime
}

// expectations asks what is expected of each customer, and of all.
func expectations(a *analyst, customers map[string][]purchase) {
	a.Helper()
	at := calibration.Format(time.RFC3339)
	all := everyone[struct{ Lifetime future }](a, fmt.Sprintf(lifetimeOf, at, "P364D"))
	same(a.world, "how many customers are listed", len(all), 2_357)
	repeats, counts, values := 0, 0.0, 0.0
	var alive [10]int
	for who, of := range all {
		l := of.Lifetime
		days := map[time.Time]bool{}
		for _, p := range by(customers[who], calibration) {
			days[p.day] = true
		}
		same(a.world, "the frequency of "+who, l.Frequency, len(days)-1)
		same(a.world, "the model of "+who, l.Model, "BG_NBD")
		if l.ExpectedValue == nil {
			a.Fatalf("%s is worth nothing that is known", who)
		}
		repeats += l.Frequency
		counts += l.ExpectedCount
		values += *l.ExpectedValue
		alive[min(int(l.ProbabilityAlive*10), 9)]++
	}
	same(a.world, "the sum of x", repeats, 2_457)

	var answer struct {
		Insights struct {
			Lifetime struct {
				ExpectedCount, ExpectedValue float64
				ProbabilityAlive             []struct{ Individuals int }
			}
		}
	}
	a.asks(&answer, `{ insights { lifetime(event: {types: ["purchase"]}, asOf: %q, horizon: "P364D") { expectedCount expectedValue probabilityAlive { individuals } } } }`, at)
	l := answer.Insights.Lifetime
	a.near("what is expected of all", l.ExpectedCount, counts, 1e-6*counts)
	a.near("what all are worth", l.ExpectedValue, values, 1e-6*values)
	for i, n := range alive {
		same(a.world, fmt.Sprintf("band %d of P(alive)", i), l.ProbabilityAlive[i].Individuals, n)
	}

	frequent := all["1516"].Lifetime
	same(a.world, "x of 1516", frequent.Frequency, 26)
	a.near("P(alive) of 1516", frequent.ProbabilityAlive, .96885, 6e-6)
	a.near("E[Y(52)] of 1516", frequent.ExpectedCount, 25.757, 6e-4)
	for i, want := range []float64{24.65, 18.91, 35.17, 35.17, 35.17} {
		who := fmt.Sprintf("%04d", i+1)
		l := all[who].Lifetime
		a.near("E[M] of "+who, *l.ExpectedValue/l.ExpectedCount, want, 6e-3)
	}
	// Customer 0001 bought on three days: x 2, t_x 30.43, T 38.86.
	rare := expected(a, "0001", calibration, "P273D")
	same(a.world, "x of 0001", rare.Frequency, 2)
	a.near("E[Y(39)] of 0001", rare.ExpectedCount, 1.226, 6e-4)
}

// grid holds Novo's lifecycle grid and everybody's recency against a plain loop.
func grid(a *analyst, customers map[string][]purchase) {
	a.Helper()
	recencies := []int{0, 7, 15, 20, 46, 81}
	type cell struct{ individuals, cents int }
	cells := func(at time.Time) (all [6][6]cell) {
		for _, of := range customers {
			known := by(of, at)
			if len(known) == 0 {
				continue
			}
			days := int(at.Sub(known[len(known)-1].day) / insight.Day)
			r := 5
			for days < recencies[r] {
				r--
			}
			c := &all[r][min(len(known), 6)-1]
			c.individuals++
			for _, p := range known {
				c.cents += p.cents
			}
		}
		return all
	}
	// A film, not a picture: the same cells over time.
	for _, at := range []time.Time{calibration, observed} {
		before := at.Add(-90 * insight.Day)
		var answer struct {
			Insights struct {
				LifecycleGrid struct {
					Population int
					Cells      []struct {
						RecencyFrom                        length
						RecencyTo                          *length
						FrequencyFrom, Individuals, Change int
						FrequencyTo                        *int
						Value                              float64
						Suppressed                         bool
					}
				}
			}
		}
		a.asks(&answer, `{ insights { lifecycleGrid(event: {types: ["purchase"]}, asOf: %q, comparedTo: %q) { population
			cells { recencyFrom recencyTo frequencyFrom frequencyTo individuals value change suppressed } } } }`, at.Format(time.RFC3339), before.Format(time.RFC3339))
		g := answer.Insights.LifecycleGrid
		if g.Population != 2_357 || len(g.Cells) != 36 {
			a.Fatalf("the grid is %+v", g)
		}
		now, then := cells(at), cells(before)
		for i, c := range g.Cells {
			r, f := i/6, i%6
			want, was := now[r][f], then[r][f]
			if time.Duration(c.RecencyFrom) != time.Duration(recencies[r])*insight.Day || c.FrequencyFrom != f+1 || (c.RecencyTo == nil) != (r == 5) || (c.FrequencyTo == nil) != (f == 5) {
				a.Errorf("cell %d is from %v, %d", i, time.Duration(c.RecencyFrom), c.FrequencyFrom)
			}
			if c.Individuals != want.individuals || c.Change != want.individuals-was.individuals || c.Value != float64(want.cents)/100 || c.Suppressed {
				a.Errorf("%v: cell %d is %+v, not %+v after %+v", at, i, c, want, was)
			}
		}
	}

	type recency struct {
		Recency struct {
			LastAt     time.Time
			Elapsed    length
			Count      int
			Percentile float64
		}
	}
	lasts := map[string]time.Time{}
	for who, all := range customers {
		lasts[who] = all[len(all)-1].day
	}
	for who, of := range everyone[recency](a, fmt.Sprintf(`recency(event: {types: ["purchase"]}, asOf: %q) { lastAt elapsed count percentile }`, observed.Format(time.RFC3339))) {
		less := 0
		for _, last := range lasts {
			if last.Before(lasts[who]) {
				less++
			}
		}
		r := of.Recency
		if !r.LastAt.Equal(lasts[who]) || time.Duration(r.Elapsed) != observed.Sub(lasts[who]) || r.Count != len(customers[who]) || r.Percentile != float64(less)/2_357 {
			a.Errorf("%s: %+v; %d are less recent", who, r, less)
		}
	}
}

// median of lengths of time.
func median(of []time.Duration) time.Duration {
	slices.Sort(of)
	return (of[(len(of)-1)/2] + of[len(of)/2]) / 2
}

// latency holds Novo's latency against a plain loop.
func latency(a *analyst, customers map[string][]purchase) {
	a.Helper()
	gaps := make([][]time.Duration, 11)
	own := map[string][]time.Duration{}
	for who, all := range customers {
		for i := 1; i < len(all); i++ {
			gap := all[i].day.Sub(all[i-1].day)
			own[who] = append(own[who], gap)
			if i < len(gaps) {
				gaps[i] = append(gaps[i], gap)
			}
		}
	}
	overdue := make([]int, 11)
	for who, all := range customers {
		step := len(all)
		if step >= len(overdue) {
			continue
		}
		wire := time.Duration(0)
		if step > 3 {
			wire = median(own[who])
		} else {
			wire = median(gaps[step])
		}
		if observed.Sub(all[step-1].day) > wire {
			overdue[step]++
		}
	}
	var answer struct {
		Insights struct {
			Latency struct {
				Population int
				Steps      []struct {
					Step, Individuals, Overdue int
					Mean, Median               length
				}
			}
		}
	}
	a.asks(&answer, `{ insights { latency(event: {types: ["purchase"]}, asOf: %q) { population steps { step individuals mean median overdue } } } }`, observed.Format(time.RFC3339))
	l := answer.Insights.Latency
	if l.Population != 2_357 || len(l.Steps) != 10 {
		a.Fatalf("the latency is %+v", l)
	}
	for i, s := range l.Steps {
		of := gaps[i+1]
		days := 0
		for _, gap := range of {
			days += int(gap / insight.Day)
		}
		mean := time.Duration(float64(days) / float64(len(of)) * float64(insight.Day))
		if s.Step != i+1 || s.Individuals != len(of) || s.Overdue != overdue[i+1] || time.Duration(s.Median) != median(of) || (time.Duration(s.Mean)-mean).Abs() > time.Microsecond {
			a.Errorf("step %d is %+v; a loop finds %d, mean %v, median %v, %d overdue", i+1, s, len(of), mean, median(of), overdue[i+1])
		}
	}
}

func TestRealFilesOfRFM(t *testing.T) {
	file := realFile(t, "rfm/rfm_orders.csv")
	onEach(t, func(w *world) {
		w.load(4_906, file, "--source", "shop", "--time-layout", "2006-01-02", "--map", "userId=customer_id,type=:order,occurredAt=order_date,value=revenue")
		a := w.analyst()
		defer a.end()
		var answer struct {
			Insights struct {
				Rfm struct {
					Population                               int
					RecencyCuts, FrequencyCuts, MonetaryCuts []float64
					Segments                                 []struct {
						Name                      string
						Individuals, Interactions int
						Value                     float64
						Suppressed                bool
					}
				}
			}
		}
		const asked = `event: {types: ["order"]}, asOf: "2006-12-31T00:00:00Z"`
		a.asks(&answer, `{ insights { rfm(%s) { population recencyCuts frequencyCuts monetaryCuts segments { name individuals interactions value suppressed } } } }`, asked)
		r := answer.Insights.Rfm
		same(w, "the population", r.Population, 995)
		for name, cuts := range map[string][]float64{"recency": r.RecencyCuts, "frequency": r.FrequencyCuts, "monetary": r.MonetaryCuts} {
			var want []float64
			for _, row := range realRows(t, "rfm/rfm_orders_thresholds.csv")[1:] {
				want = append(want, number(t, row[name+"_lower"]))
			}
			if !slices.Equal(cuts, want) {
				w.Errorf("the cuts of %s are %v, not %v", name, cuts, want)
			}
		}
		want := map[string]map[string]string{}
		for _, row := range realRows(t, "rfm/rfm_orders_segments_A_expected.csv") {
			want[row["segment"]] = row
		}
		for _, s := range r.Segments {
			row := want[s.Name]
			if row == nil {
				row = map[string]string{"customers": "0", "orders": "0", "revenue": "0"}
			}
			delete(want, s.Name)
			if s.Individuals != whole(t, row["customers"]) || s.Interactions != whole(t, row["orders"]) || s.Value != number(t, row["revenue"]) || s.Suppressed {
				w.Errorf("%+v, not %v", s, row)
			}
		}
		if len(want) > 0 || len(r.Segments) != 11 {
			w.Errorf("%d segments, without %v", len(r.Segments), want)
		}
		if c := r.Segments[0]; c.Name != "Champions" || c.Individuals != 158 || c.Interactions != 1_234 || c.Value != 120_178 {
			w.Errorf("the first segment is %+v", c)
		}

		type scored struct {
			Rfm struct {
				RecencyDays, Frequency, R, F, M, Score int
				Monetary                               float64
				Segment                                string
			}
		}
		all := everyone[scored](a, `rfm(`+asked+`) { recencyDays frequency monetary r f m score segment }`)
		rows := realRows(t, "rfm/rfm_orders_expected_scores_2006-12-31.csv")
		if len(rows) != 995 || len(all) != 995 {
			w.Errorf("%d customers, %d rows", len(all), len(rows))
		}
		members := map[string]int{}
		for _, row := range rows {
			got := all[row["customer_id"]].Rfm
			told := []int{got.RecencyDays, got.Frequency, got.R, got.F, got.M, got.Score}
			for i, name := range []string{"recency_days", "transaction_count", "recency_score", "frequency_score", "monetary_score", "rfm_score"} {
				if told[i] != whole(t, row[name]) {
					w.Errorf("%s: %s is %d, not %s", row["customer_id"], name, told[i], row[name])
				}
			}
			if got.Monetary != number(t, row["amount"]) {
				w.Errorf("%s: the amount is %v, not %s", row["customer_id"], got.Monetary, row["amount"])
			}
			members[got.Segment]++
		}
		for _, s := range r.Segments {
			same(w, "the members of "+s.Name, members[s.Name], s.Individuals)
		}
	})
}

// credits are an answer about attribution.
type credits struct {
	Population                                                     int
	Model                                                          string
	Conversions, Value, UnattributedConversions, UnattributedValue float64
	Channels                                                       []struct {
		Channel            struct{ Key string }
		Conversions, Value float64
		Share              float64
		RemovalEffect      *float64
	}
}

func (a *analyst) credits(model, asked string) credits {
	a.Helper()
	var answer struct{ Insights struct{ Attribution credits } }
	a.asks(&answer, `{ insights { attribution(model: %s, %s) { population model conversions value unattributedConversions unattributedValue
		channels { channel { key } conversions value share removalEffect } } } }`, model, asked)
	c := answer.Insights.Attribution
	same(a.world, "the model", c.Model, model)
	conversions, value := 0.0, 0.0
	for _, of := range c.Channels {
		conversions += of.Conversions
		value += of.Value
		if (of.RemovalEffect != nil) != (model == "MARKOV") {
			a.Errorf("%s: the removal effect of %s is %s", model, of.Channel.Key, show(of.RemovalEffect))
		}
		a.near(model+"'s share of "+of.Channel.Key, of.Share, of.Conversions/c.Conversions, 1e-12)
	}
	a.near("the credits of "+model, conversions, c.Conversions, 1e-9*c.Conversions)
	a.near("the values of "+model, value, c.Value, 1e-9*c.Value)
	return c
}

// credit is what is worked out here to be owed to a channel.
type credit struct{ conversions, value, removal float64 }

func (a *analyst) owed(c credits, want map[string]credit, within float64) {
	a.Helper()
	same(a.world, c.Model+"'s number of channels", len(c.Channels), len(want))
	for _, of := range c.Channels {
		what, owed := c.Model+" of "+of.Channel.Key, want[of.Channel.Key]
		a.near("the conversions by "+what, of.Conversions, owed.conversions, within)
		a.near("the value by "+what, of.Value, owed.value, within)
		if of.RemovalEffect != nil {
			a.near("the removal effect by "+what, *of.RemovalEffect, owed.removal, within)
		}
	}
}

// walks are journeys along one path.
type walks struct {
	channels           []string
	conversions, nulls int
	value              float64
}

// markov works the chain of the first order out by elimination.
func markov(all []walks) map[string]credit {
	place := map[string]int{}
	var names []string
	for _, w := range all {
		for _, c := range w.channels {
			if _, ok := place[c]; !ok {
				place[c] = len(names)
				names = append(names, c)
			}
		}
	}
	n := len(names)
	// From each channel, and in the last row from the start: to channels, to the
	// conversion, and to what a conversion from here is worth.
	steps := make([][]float64, n+1)
	for i := range steps {
		steps[i] = make([]float64, n+2)
	}
	left := make([]float64, n+1)
	for _, w := range all {
		times := float64(w.conversions + w.nulls)
		at := n
		for _, c := range w.channels {
			if to := place[c]; to != at {
				steps[at][to] += times
				left[at] += times
				at = to
			}
		}
		left[at] += times
		steps[at][n] += float64(w.conversions)
		steps[at][n+1] += w.value
	}
	// reach is P(conversion), and what a journey is worth, where a channel leads to null.
	reach := func(without int) [2]float64 {
		m := make([][]float64, n+1)
		for i := range m {
			m[i] = make([]float64, n+3)
			for j := range n {
				if i != without {
					m[i][j] = -steps[i][j] / left[i]
				}
			}
			m[i][i]++
			if i != without {
				m[i][n+1], m[i][n+2] = steps[i][n]/left[i], steps[i][n+1]/left[i]
			}
		}
		for k := range n + 1 {
			for i := range n + 1 {
				if f := m[i][k] / m[k][k]; i != k && f != 0 {
					for j := k; j < n+3; j++ {
						m[i][j] -= f * m[k][j]
					}
				}
			}
		}
		return [2]float64{m[n][n+1] / m[n][n], m[n][n+2] / m[n][n]}
	}
	everything := reach(-1)
	lost := make([][2]float64, n)
	var sum [2]float64
	for c := range lost {
		for i, with := range reach(c) {
			lost[c][i] = 1 - with/everything[i]
			sum[i] += lost[c][i]
		}
	}
	owed := map[string]credit{}
	for c, name := range names {
		owed[name] = credit{lost[c][0] / sum[0] * everything[0] * left[n], lost[c][1] / sum[1] * everything[1] * left[n], lost[c][0]}
	}
	return owed
}

// The demonstration data of the R package ChannelAttribution. All journeys of a path
// are one individual's, two hours apart, with a minute between touches. Of those that do
// not convert, a channel twice in a row is written once: MARKOV alone looks at them, and
// it counts that once anyway.
func TestRealFilesOfAttribution(t *testing.T) {
	rows := realRows(t, "attribution/pathdata.csv")
	w := large(t)
	file := w.table("who,what,at,channel,value")
	var all []walks
	worth, shapley := 0.0, map[string]credit{}
	for i, row := range rows {
		way := walks{strings.Split(row["path"], " > "), whole(t, row["total_conversions"]), whole(t, row["total_null"]), number(t, row["total_conversion_value"])}
		all = append(all, way)
		worth += way.value
		at := time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
		for n := range way.conversions + way.nulls {
			for k, c := range way.channels {
				if n < way.conversions || k == 0 || c != way.channels[k-1] {
					file.row(i, "touch", at, c, "")
					at += 60
				}
			}
			if n < way.conversions {
				file.row(i, "purchase", at, "checkout", strconv.FormatFloat(way.value/float64(way.conversions), 'g', -1, 64))
			}
			at += 2 * 60 * 60
		}
		different := slices.Compact(slices.Sorted(slices.Values(way.channels)))
		for _, c := range different {
			of, parts := shapley[c], float64(len(different))
			shapley[c] = credit{conversions: of.conversions + float64(way.conversions)/parts, value: of.value + way.value/parts}
		}
	}
	file.load("--time-layout", "unix", "--map", "userId=who,type=what,occurredAt=at,channel=channel,value=value")
	a := w.analyst()
	defer a.end()
	const asked = `conversion: {types: ["purchase"]}, touch: {types: ["touch"]}, lookback: "PT1H", asOf: "2026-01-01T00:00:00Z"`
	expected := realRows(t, "attribution/pathdata_heuristic_expected.csv")
	for _, model := range []string{"FIRST", "LAST", "LAST_NON_DIRECT", "LINEAR", "POSITION", "TIME_DECAY", "MARKOV", "SHAPLEY"} {
		c := a.credits(model, asked)
		same(w, model+"'s population", c.Population, 10_000)
		same(w, model+"'s conversions", c.Conversions, 19_785)
		a.near(model+"'s value", c.Value, worth, 1e-6)
		a.near(model+"'s value", c.Value, 74_802.9716, 5e-5)
		same(w, model+"'s conversions that are nobody's", c.UnattributedConversions, 0)
		same(w, model+"'s channels", len(c.Channels), 12)
		switch column := map[string]string{"FIRST": "first", "LAST": "last", "LAST_NON_DIRECT": "last", "LINEAR": "linear"}[model]; {
		case column != "":
			want := map[string]credit{}
			for _, row := range expected {
				want[row["channel_name"]] = credit{conversions: number(t, row[column+"_touch_conversions"]), value: number(t, row[column+"_touch_value"])}
			}
			a.owed(c, want, 1e-6)
		case model == "MARKOV":
			a.owed(c, markov(all), 1e-6)
		case model == "SHAPLEY":
			a.owed(c, shapley, 1e-6)
		}
	}
}

// Small journeys whose credits are worked out by hand.
func TestAttributionOfSmallJourneys(t *testing.T) {
	onEach(t, func(w *world) {
		file := w.table("who,what,day,channel,value")
		walk := func(who, touch, conversion string, value any, channels ...string) {
			day := 1
			for _, c := range channels {
				file.row(who, touch, fmt.Sprintf("2026-03-%02dT10:00:00Z", day), c, "")
				day += 7
			}
			if conversion != "" {
				file.row(who, conversion, fmt.Sprintf("2026-03-%02dT11:00:00Z", max(day-7, 1)), "checkout", value)
			}
		}
		// g, g, m and g > m convert, and one g does not; m is direct.
		walk("one", "touch", "purchase", 10, "g")
		walk("two", "touch", "purchase", 10, "g")
		walk("three", "touch", "purchase", 20, "m")
		walk("four", "touch", "purchase", 40, "g", "m")
		walk("five", "touch", "", "", "g")
		// Who converts at once, and who does after a lookback, owe it to nobody.
		walk("six", "touch", "purchase", 7)
		file.row("five", "purchase", "2026-03-31T10:00:01Z", "checkout", 3)
		// a > b > a > c converts; c is direct.
		walk("seven", "tap", "order", 100, "a", "b", "a", "c")
		file.load("--map", "userId=who,type=what,occurredAt=day,channel=channel,value=value", "--channel-kind", "g=SEARCH,m=DIRECT,a=EMAIL,b=SOCIAL,c=DIRECT")
		a := w.analyst()
		defer a.end()

		both := func(g, gValue, m, mValue float64) map[string]credit {
			return map[string]credit{"g": {conversions: g, value: gValue}, "m": {conversions: m, value: mValue}}
		}
		long := func(x, y, z float64) map[string]credit {
			return map[string]credit{"a": {conversions: x, value: 100 * x}, "b": {conversions: y, value: 100 * y}, "c": {conversions: z, value: 100 * z}}
		}
		for _, c := range []struct {
			model       string
			short, long map[string]credit
		}{
			{"FIRST", both(3, 60, 1, 20), long(1, 0, 0)},
			{"LAST", both(2, 20, 2, 60), long(0, 0, 1)},
			{"LAST_NON_DIRECT", both(3, 60, 1, 20), long(1, 0, 0)},
			{"LINEAR", both(2.5, 40, 1.5, 40), long(.5, .25, .25)},
			{"POSITION", both(2.5, 40, 1.5, 40), long(.5, .1, .4)},
			// A week halves: one part in three, and 1, 2, 4 and 8 in 15.
			{"TIME_DECAY", both(2+1./3, 20+40./3, 1+2./3, 20+80./3), long(5./15, 2./15, 8./15)},
			{"SHAPLEY", both(2.5, 40, 1.5, 40), long(1./3, 1./3, 1./3)},
			// A journey is worth 4 by way of g alone and 12 by way of m, of which half comes
			// through g: without g 6 of 16 is left, without m 4.
			{
				"MARKOV", map[string]credit{"g": {2.4, 80 * 5. / 11, .75}, "m": {1.6, 80 * 6. / 11, .5}},
				map[string]credit{"a": {.4, 40, 1}, "b": {.2, 20, .5}, "c": {.4, 40, 1}},
			},
		} {
			short := a.credits(c.model, `conversion: {types: ["purchase"]}, touch: {types: ["touch"]}, asOf: "2026-04-01T00:00:00Z"`)
			if short.Conversions != 4 || short.Value != 80 || short.UnattributedConversions != 2 || short.UnattributedValue != 10 {
				w.Errorf("%+v", short)
			}
			a.owed(short, c.short, 1e-12)
			a.owed(a.credits(c.model, `conversion: {types: ["order"]}, touch: {types: ["tap"]}, asOf: "2026-04-01T00:00:00Z"`), c.long, 1e-12)
		}
	})
}

// posthogCase is one worked case of PostHog's tests.
type posthogCase struct {
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
		Item       string
	}
	Gap      int `json:"session_gap_minutes"`
	Expected struct {
		New, Returning, Resurrecting, Dormant []int
	}
	ExpectedMatrix  [][]int              `json:"expected_matrix"`
	ExpectedActive  map[string]int       `json:"expected_people_by_number_of_active_intervals"`
	ExpectedEdges   [][3]json.RawMessage `json:"expected_edges"`
	ExpectedCounts  []int                `json:"expected_counts"`
	ExpectedAverage []*float64           `json:"expected_avg_seconds_from_previous"`
	ExpectedMedian  []*float64           `json:"expected_median_seconds_from_previous"`
}

// PostHog's cases: everybody is known by the browsers' ids that the events name, and
// messages say which of them are one person's. Each case has its people and its types
// to itself, by its id, so that all are of one installation.
func TestRealFilesOfPostHog(t *testing.T) {
	text, err := os.ReadFile(realFile(t, "posthog/cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var published struct{ Cases []posthogCase }
	if err := json.Unmarshal(text, &published); err != nil || len(published.Cases) == 0 {
		t.Fatalf("%d cases, %v", len(published.Cases), err)
	}
	onEach(t, func(w *world) {
		file, messages, said := w.table("who,what,at,channel"), "", 0
		for _, c := range published.Cases {
			for _, e := range c.Events {
				file.row(c.ID+" "+e.DistinctID, c.ID+" "+e.Event, e.At.Format(time.RFC3339), cmp.Or(e.Item, "web"))
			}
			for person, names := range c.Identities {
				for _, name := range names {
					said++
					messages += fmt.Sprintf(`{"type":"identify","messageId":"m-%d","userId":%q,"anonymousId":%q,"timestamp":"2021-01-01T00:00:00Z"}`+"\n", said, c.ID+" "+person, c.ID+" "+name)
				}
			}
		}
		file.load("--source", "site", "--map", "anonymousId=who,type=what,occurredAt=at,channel=channel")
		identities := filepath.Join(w.TempDir(), "identities.ndjson")
		if err := os.WriteFile(identities, []byte(messages), 0o600); err != nil {
			w.Fatal(err)
		}
		w.load(said, identities, "--source", "site")
		a := w.analyst()
		defer a.end()
		for _, c := range published.Cases {
			if c.MinimumOccurrences > 1 {
				w.Logf("%s: retention here has no least number of occurrences: once is enough", c.ID)
				continue
			}
			ask, ok := map[string]func(*analyst, *posthogCase){
				"lifecycle": lifecycle, "retention": retention, "stickiness": stickiness, "paths": paths, "funnel": funnel, "time_to_convert": funnel,
			}[c.Kind]
			if !ok {
				w.Errorf("%s is a case of the unknown kind %q", c.ID, c.Kind)
				continue
			}
			ask(a, &c)
		}
	})
}

func (c *posthogCase) selector(event string) string {
	return fmt.Sprintf("{types: [%q]}", c.ID+" "+event)
}

// calendar are the arguments of how time is divided.
func (c *posthogCase) calendar() string {
	return fmt.Sprintf("interval: %s, weekStart: %s, timeZone: %q", strings.ToUpper(c.Interval+c.Period), strings.ToUpper(c.WeekStart), cmp.Or(c.Timezone, "UTC"))
}

// moment is a time, or the start of a day of the zone, as GraphQL writes it.
func (c *posthogCase) moment(a *analyst, text string) string {
	a.Helper()
	zone, err := time.LoadLocation(c.Timezone)
	if err != nil {
		a.Fatal(err)
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateTime, time.DateOnly} {
		if at, err := time.ParseInLocation(layout, text, zone); err == nil {
			return strconv.Quote(at.Format(time.RFC3339))
		}
	}
	a.Fatalf("%q is no time", text)
	return ""
}

// equal holds an answer against a published one.
func equal[T any](a *analyst, what string, got, want T) {
	a.Helper()
	g, err := json.Marshal(got)
	h, err2 := json.Marshal(want)
	if err := cmp.Or(err, err2); err != nil || string(g) != string(h) {
		a.Errorf("%s: %s, published are %s; %v", what, g, h, err)
	}
}

func lifecycle(a *analyst, c *posthogCase) {
	var answer struct {
		Insights struct {
			Lifecycle struct {
				Buckets []struct {
					From                                  time.Time
					New, Returning, Resurrecting, Dormant int
				}
			}
		}
	}
	a.asks(&answer, `{ insights { lifecycle(event: %s, %s, from: %s, to: %s) { buckets { from new returning resurrecting dormant } } } }`,
		c.selector(c.Events[0].Event), c.calendar(), c.moment(a, c.From), c.moment(a, c.To))
	got := c.Expected
	got.New, got.Returning, got.Resurrecting, got.Dormant = nil, nil, nil, nil
	for i, b := range answer.Insights.Lifecycle.Buckets {
		if day := b.From.Weekday().String(); c.Interval == "week" && !strings.EqualFold(day, c.WeekStart) {
			a.Errorf("%s: week %d begins on %s", c.ID, i, day)
		}
		got.New, got.Returning = append(got.New, b.New), append(got.Returning, b.Returning)
		got.Resurrecting, got.Dormant = append(got.Resurrecting, b.Resurrecting), append(got.Dormant, b.Dormant)
	}
	equal(a, c.ID, got, c.Expected)
}

func retention(a *analyst, c *posthogCase) {
	var answer struct {
		Insights struct {
			Retention struct {
				Cohorts []struct{ Counts []*int }
			}
		}
	}
	a.asks(&answer, `{ insights { retention(start: %s, returning: %s, %s, from: %s, buckets: %d, mode: %s) { cohorts { counts } } } }`,
		c.selector(c.TargetEvent), c.selector(c.ReturningEvent), c.calendar(), c.moment(a, c.FirstBucket), c.Buckets, strings.ToUpper(strings.ReplaceAll(c.Mode, " ", "_")))
	var got [][]int
	for i, row := range answer.Insights.Retention.Cohorts {
		got = append(got, nil)
		for _, n := range row.Counts {
			if n == nil {
				a.Fatalf("%s: cohort %d has a count that is not told", c.ID, i)
			}
			got[i] = append(got[i], *n)
		}
	}
	equal(a, c.ID, got, c.ExpectedMatrix)
}

func stickiness(a *analyst, c *posthogCase) {
	var answer struct {
		Insights struct {
			Stickiness struct {
				Counts []struct{ ActiveBuckets, Individuals int }
			}
		}
	}
	a.asks(&answer, `{ insights { stickiness(event: %s, %s, from: %s, to: %s) { counts { activeBuckets individuals } } } }`,
		c.selector(c.Events[0].Event), c.calendar(), c.moment(a, c.From), c.moment(a, c.To))
	got := map[string]int{}
	for _, n := range answer.Insights.Stickiness.Counts {
		if n.Individuals > 0 {
			got[strconv.Itoa(n.ActiveBuckets)] = n.Individuals
		}
	}
	equal(a, c.ID, got, c.ExpectedActive)
}

// paths works PostHog's edges, from the k-th item to the next, out from paths across
// channels, which the items are.
func paths(a *analyst, c *posthogCase) {
	var answer struct {
		Insights struct {
			Paths struct {
				Paths []struct {
					Channels []struct{ Key string }
					Journeys int
				}
			}
		}
	}
	from, to := c.moment(a, c.From), c.moment(a, c.To)
	a.asks(&answer, `{ insights { paths(event: {types: [%q], occurredFrom: %s, occurredTo: %s}, lookback: "PT%dM", maxLength: 20, top: 100, asOf: %s) { paths { channels { key } journeys } } } }`,
		c.ID+" "+c.Events[0].Event, from, to, c.Gap, to)
	got, want := map[string]int{}, map[string]int{}
	for _, p := range answer.Insights.Paths.Paths {
		for k := 1; k < len(p.Channels); k++ {
			got[fmt.Sprintf("%d_%s %d_%s", k, p.Channels[k-1].Key, k+1, p.Channels[k].Key)] += p.Journeys
		}
	}
	for _, e := range c.ExpectedEdges {
		var from, to string
		var n int
		if err := cmp.Or(json.Unmarshal(e[0], &from), json.Unmarshal(e[1], &to), json.Unmarshal(e[2], &n)); err != nil {
			a.Fatal(err)
		}
		want[from+" "+to] = n
	}
	equal(a, c.ID, got, want)
}

func funnel(a *analyst, c *posthogCase) {
	days := 0
	if n, err := fmt.Sscanf(c.Window, "%dd", &days); n != 1 {
		a.Fatalf("%s: the window %q: %v", c.ID, c.Window, err)
	}
	steps := make([]string, len(c.Steps))
	for i, step := range c.Steps {
		steps[i] = c.selector(step)
	}
	var answer struct {
		Insights struct {
			Funnel struct {
				Steps []struct {
					Individuals                             int
					AverageFromPrevious, MedianFromPrevious *length
				}
			}
		}
	}
	a.asks(&answer, `{ insights { funnel(steps: [%s], window: "P%dD", order: %s) { steps { individuals averageFromPrevious medianFromPrevious } } } }`,
		strings.Join(steps, ", "), days, strings.ToUpper(c.Order))
	var counts []int
	var averages, medians []*float64
	for _, s := range answer.Insights.Funnel.Steps {
		counts = append(counts, s.Individuals)
		averages, medians = append(averages, s.AverageFromPrevious.seconds()), append(medians, s.MedianFromPrevious.seconds())
	}
	equal(a, c.ID, counts, c.ExpectedCounts)
	if c.ExpectedAverage != nil {
		equal(a, c.ID+", average", averages, c.ExpectedAverage)
	}
	if c.ExpectedMedian != nil {
		equal(a, c.ID+", median", medians, c.ExpectedMedian)
	}
}

// Hillstrom's customers, of whom it is known how many months ago they bought last when
// some were sent mail: the more recent, the more visit within the two weeks that
// followed, without any mail.
func TestRealFilesOfHillstrom(t *testing.T) {
	rows := realRows(t, "hillstrom/hillstrom_data.csv")
	w := large(t)
	mailing := time.Date(2008, 3, 20, 0, 0, 0, 0, time.UTC)
	const fortnight = 14 * insight.Day
	var customers, visits [13]int
	arm := func(name string) {
		t.Helper()
		file := w.table("who,what,at,value")
		for i, row := range rows {
			if row["segment"] != name {
				continue
			}
			months := whole(t, row["recency"])
			file.row(i+1, "purchase "+name, mailing.Add(-time.Duration(months)*insight.Month).Format(time.RFC3339), "")
			if name == "No E-Mail" {
				customers[months]++
			}
			if row["visit"] == "1" {
				file.row(i+1, "visit "+name, mailing.Add(fortnight-time.Duration(i%14)*insight.Day-time.Hour).Format(time.RFC3339), "")
				if name == "No E-Mail" {
					visits[months]++
				}
			}
			if row["conversion"] == "1" {
				file.row(i+1, "conversion "+name, mailing.Add(fortnight).Format(time.RFC3339), row["spend"])
			}
		}
		file.load("--source", "shop", "--map", "userId=who,type=what,occurredAt=at,value=value")
	}

	arm("No E-Mail")
	a := w.analyst()
	var bounds []string
	for month := 2; month <= 12; month++ {
		bounds = append(bounds, fmt.Sprintf(`"P%dD"`, 30*month))
	}
	var recent struct {
		Insights struct {
			Recency struct {
				Population int
				Bands      []struct {
					From          length
					Individuals   int
					RespondedNext float64
					Suppressed    bool
				}
			}
		}
	}
	asOf := mailing.Add(fortnight).Format(time.RFC3339)
	a.asks(&recent, `{ insights { recency(event: {types: ["purchase No E-Mail", "visit No E-Mail"]}, asOf: %q, horizon: "P14D", bands: [%s]) { population bands { from individuals respondedNext suppressed } } } }`,
		asOf, strings.Join(bounds, ", "))
	r := recent.Insights.Recency
	if r.Population != 21_306 || len(r.Bands) != 12 {
		t.Fatalf("the recency is %+v", r)
	}
	published := []float64{.148, .134, .126, .112, .110, .095}
	for i, b := range r.Bands {
		same(w, fmt.Sprintf("who responded after %d months", i+1), b.RespondedNext, float64(visits[i+1])/float64(customers[i+1]))
		if i < len(published) {
			w.near(fmt.Sprintf("who responded after %d months", i+1), b.RespondedNext, published[i], .0005)
		}
	}
	a.end()

	arm("Mens E-Mail")
	arm("Womens E-Mail")
	a = w.analyst()
	defer a.end()
	for _, of := range []struct {
		arm                        string
		customers                  int
		visited, converted, spends float64
	}{{"No E-Mail", 21_306, .10617, .00573, .6528}, {"Mens E-Mail", 21_307, .18276, .01253, 1.4226}, {"Womens E-Mail", 21_387, .15140, .00884, 1.0772}} {
		var answer struct {
			Insights struct {
				Funnel struct {
					Population int
					Steps      []struct {
						Individuals int
						Conversion  float64
					}
				}
				Recency struct{ Bands []struct{ Value float64 } }
			}
		}
		a.asks(&answer, `{ insights {
			funnel(steps: [{types: ["purchase %[1]s"]}, {types: ["visit %[1]s"]}, {types: ["conversion %[1]s"]}], window: "P1Y2M", asOf: %[2]q) { population steps { individuals conversion } }
			recency(event: {types: ["conversion %[1]s"]}, asOf: %[2]q) { bands { value } } } }`, of.arm, asOf)
		f := answer.Insights.Funnel
		same(w, "everyone", f.Population, 64_000)
		same(w, "the arm "+of.arm, f.Steps[0].Individuals, of.customers)
		w.near("who visited of "+of.arm, f.Steps[1].Conversion, of.visited, 5e-6)
		w.near("who bought of "+of.arm, f.Steps[2].Conversion, of.converted, 5e-6)
		spent := 0.0
		for _, b := range answer.Insights.Recency.Bands {
			spent += b.Value
		}
		w.near("what one of "+of.arm+" spent", spent/float64(of.customers), of.spends, 5e-5)
	}

	// The mailing as an experience, of which those without mail were held out.
	arms := map[string]any{"No E-Mail": nil, "Mens E-Mail": "mens", "Womens E-Mail": "womens"}
	officer := strings.TrimSpace(w.must("token", "--scope", "engage:write", "--purposes", "analytics"))
	a.graph(officer, `mutation { createExperience(input: {key: "mailing", name: "Mailing", purpose: "analytics", holdout: 0.333, variants: [
		{key: "mens", benefit: "what is new for men"}, {key: "womens", benefit: "what is new for women"}]}) { experience { id } } }`, new(any))
	for n, some := range slices.Collect(slices.Chunk(rows, 1000)) {
		var decisions []any
		for i, row := range some {
			decisions = append(decisions, map[string]any{
				"messageId": fmt.Sprint("mailing-", 1000*n+i+1), "userId": fmt.Sprint(1000*n + i + 1), "variant": arms[row["segment"]], "decidedAt": mailing.Format(time.RFC3339), "channel": "email",
			})
		}
		var answer struct{ RecordDecisions struct{ Accepted int } }
		a.graphWith(officer, `mutation($d: [DecisionInput!]!) { recordDecisions(input: {experience: "mailing", source: "shop", decisions: $d}) { accepted } }`, map[string]any{"d": decisions}, &answer)
		same(w, "what is kept of decisions", answer.RecordDecisions.Accepted, len(some))
	}
	of := func(variant, outcome string) (everyone, recent effect) {
		t.Helper()
		var answer struct {
			Insights struct{ Uplift struct{ Groups []effect } }
		}
		types := quoted(outcome+" No E-Mail", outcome+" Mens E-Mail", outcome+" Womens E-Mail")
		a.asks(&answer, `{ insights { uplift(experience: "mailing", %s outcome: {types: %s}, window: "P14D", asOf: %q, by: [{name: "recent", rule: {recency: {event: {types: %s}, atMost: "P61D"}}}]) {
			groups { name treated holdout pending treatedRate holdoutRate uplift low high treatedValue holdoutValue valueUplift valueLow valueHigh mismatch verdict } } } }`,
			variant, types, mailing.Add(insight.Month).Format(time.RFC3339), quoted("purchase No E-Mail", "purchase Mens E-Mail", "purchase Womens E-Mail"))
		groups := answer.Insights.Uplift.Groups
		if len(groups) != 2 || groups[0].Name != "everyone" || groups[1].Name != "recent" {
			t.Fatalf("the groups are %+v", groups)
		}
		return groups[0], groups[1]
	}
	for _, c := range []struct {
		variant                      string
		customers                    int
		visit, conversion, spend, up float64
	}{{"mens", 21_307, .18276, .01253, 1.4226, .07659}, {"womens", 21_387, .15140, .00884, 1.0772, .04523}} {
		argument := fmt.Sprintf("variant: %q,", c.variant)
		visit, recently := of(argument, "visit")
		same(w, "those with mail", visit.Treated, c.customers)
		same(w, "those without", visit.Holdout, 21_306)
		same(w, "the verdict", visit.Verdict, "PERSUADABLE")
		w.near("who visited with "+c.variant, visit.TreatedRate, c.visit, 5e-6)
		w.near("who visited without", visit.HoldoutRate, .10617, 5e-6)
		w.near("the uplift of visits with "+c.variant, visit.Uplift, c.up, 5.01e-6)
		same(w, "those without who bought lately", recently.Holdout, customers[1]+customers[2])
		w.near("who of them visited", recently.HoldoutRate, float64(visits[1]+visits[2])/float64(customers[1]+customers[2]), 1e-12)
		bought, _ := of(argument, "conversion")
		w.near("who bought with "+c.variant, bought.TreatedRate, c.conversion, 5e-6)
		w.near("who bought without", bought.HoldoutRate, .00573, 5e-6)
		w.near("what one with "+c.variant+" spent", bought.TreatedValue, c.spend, 5e-5)
		w.near("what one without spent", bought.HoldoutValue, .6528, 5e-5)
		if c.variant == "mens" {
			w.near("se of visits", (visit.High-visit.Low)/2/1.96, .00339, 5e-6)
			w.near("the uplift of spend", bought.ValueUplift, .7698, 5e-5)
			w.near("se of spend", (bought.ValueHigh-bought.ValueLow)/2/1.96, .1452, 5e-5)
			w.near("its interval's begin", bought.ValueLow, .485, 5e-4)
			w.near("its interval's end", bought.ValueHigh, 1.055, 5e-4)
		}
	}
	both, _ := of("", "visit")
	same(w, "those with either mail", both.Treated, 21_307+21_387)
	same(w, "the arms are of the declared share", both.Mismatch, false)
}

// effect is a group of an uplift report, whose numbers are all there.
type effect struct {
	Name                                        string
	Treated, Holdout, Pending                   int
	TreatedRate, HoldoutRate, Uplift, Low, High float64
	TreatedValue, HoldoutValue                  float64
	ValueUplift, ValueLow, ValueHigh            float64
	Mismatch                                    bool
	Verdict                                     string
}

// quoted are texts as GraphQL writes a list of them.
func quoted(texts ...string) string {
	list, _ := json.Marshal(texts) // texts always marshal
	return string(list)
}
