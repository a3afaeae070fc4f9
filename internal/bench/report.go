package bench

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is what a run found.
type Report struct {
	Setting Setting
	Rows    []Row
}

// Setting is where the numbers were measured.
type Setting struct {
	Postgres          string // its version
	Fsync             bool
	SynchronousCommit string
	SharedBuffers     string
	CPUs              int
	Go                string
}

// Row is one measurement: the median of its rounds, and the rounds.
type Row struct {
	What   string
	Value  float64
	Unit   string    // "events/s", "ms", "MB", …
	Rounds []float64 // in the order in which they were measured; empty where there was one
	// Against is the row that this one is compared with, and Ratio the median of the
	// rounds' ratios of this to that; both zero where there is none.
	Against string
	Ratio   float64
	Bar     float64       // what the ratio should reach; 0: none
	P50     time.Duration // of single requests; zero where that is not measured
	P99     time.Duration
	Within  time.Duration // what P99 should stay below; 0: any
}

// Meets reports whether a row reaches its bars, or has none.
func (r Row) Meets() bool {
	return (r.Bar == 0 || r.Ratio >= r.Bar) && (r.Within == 0 || r.P99 < r.Within)
}

// bars are those of a row, in words.
func (r Row) bars() string {
	var bars []string
	if r.Bar != 0 {
		bars = append(bars, strconv.FormatFloat(r.Bar, 'g', -1, 64))
	}
	if r.Within != 0 {
		bars = append(bars, "p99 "+r.Within.String())
	}
	switch {
	case len(bars) == 0:
		return ""
	case r.Meets():
		return strings.Join(bars, ", ") + " reached"
	}
	return strings.Join(bars, ", ") + " missed"
}

// median is the middle of some numbers, the mean of the two middle ones of an even
// count, and 0 of none.
func median(numbers []float64) float64 {
	n := len(numbers)
	if n == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(numbers))
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// row adds a measurement.
func (r *Report) row(what, unit string, rounds ...float64) *Row {
	row := Row{What: what, Unit: unit, Value: median(rounds)}
	if len(rounds) > 1 {
		row.Rounds = rounds
	}
	r.Rows = append(r.Rows, row)
	return &r.Rows[len(r.Rows)-1]
}

// compared adds a measurement beside another of the same rounds.
func (r *Report) compared(what, unit string, rounds []float64, against string, others []float64, bar float64) *Row {
	row := r.row(what, unit, rounds...)
	ratios := make([]float64, len(rounds))
	for i := range rounds {
		ratios[i] = rounds[i] / others[i]
	}
	row.Against, row.Ratio, row.Bar = against, median(ratios), bar
	return row
}

// latency is the time within which a share of requests was answered (nearest rank).
func latency(times []time.Duration, share float64) time.Duration {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	rank := int(share*float64(len(times))+0.999999) - 1
	return times[min(max(rank, 0), len(times)-1)]
}

// Print writes the report as a table.
func (r Report) Print(w io.Writer) error {
	s := r.Setting
	fsync := "fsync on"
	if !s.Fsync {
		fsync = "fsync OFF: nothing here is durable"
	}
	_, err := fmt.Fprintf(w, "PostgreSQL %s, %s, synchronous_commit %s, shared_buffers %s; %d CPUs for it, the server and the load; %s\n\n",
		s.Postgres, fsync, s.SynchronousCommit, s.SharedBuffers, s.CPUs, s.Go)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "what\tmedian\tunit\trounds\tp50\tp99\tratio\tagainst\tbar\t") // Flush tells what cannot be written
	for _, row := range r.Rows {
		ratio := ""
		if row.Against != "" {
			ratio = strconv.FormatFloat(row.Ratio, 'f', 2, 64)
		}
		rounds := make([]string, len(row.Rounds))
		for i, v := range row.Rounds {
			rounds[i] = number(v)
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n",
			row.What, number(row.Value), row.Unit, strings.Join(rounds, " "), milliseconds(row.P50), milliseconds(row.P99), ratio, row.Against, row.bars())
	}
	return table.Flush()
}

func number(v float64) string {
	switch {
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

func milliseconds(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return number(float64(d)/float64(time.Millisecond)) + " ms"
}

func machine() (cpus int, version string) {
	return runtime.GOMAXPROCS(0), runtime.Version()
}
