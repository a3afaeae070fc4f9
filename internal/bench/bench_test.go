package bench

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/testdb"
)

// TestRun measures very little of everything that needs no other process.
func TestRun(t *testing.T) {
	url := testdb.Postgres(t).URL
	report, err := Run(context.Background(), Options{
		DatabaseURL: url, Parts: []string{PartIngest, PartNested, PartIndividual, PartInsight},
		Rounds: 2, Round: 60 * time.Millisecond, Events: 1500, Connections: 4, Individuals: 600, Readers: []int{2}, Profile: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	bars := 0
	for _, row := range report.Rows {
		if !(row.Value > 0) || math.IsInf(row.Value, 0) {
			t.Errorf("%s: %v %s", row.What, row.Value, row.Unit)
		}
		if row.Against != "" && !(row.Ratio > 0) {
			t.Errorf("%s: a ratio of %v", row.What, row.Ratio)
		}
		if row.Bar > 0 {
			bars++
		}
	}
	if len(report.Rows) != 14+len(reports) || bars != 2+len(reports) {
		t.Errorf("%d rows, %d of them with a bar: %+v", len(report.Rows), bars, report.Rows)
	}
	var printed strings.Builder
	if err := report.Print(&printed); err != nil {
		t.Fatal(err)
	}
	for _, wanted := range []string{"fsync", "COPY of the same rows, 2 connections", "nested read 20 x 20, 2 at once", "events/s", "p99"} {
		if !strings.Contains(printed.String(), wanted) {
			t.Errorf("%q is not in\n%s", wanted, printed.String())
		}
	}
	db, err := sql.Open("postgres", url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	left := 0
	if err := db.QueryRow(fmt.Sprintf("SELECT count(*) FROM pg_database WHERE datname LIKE 'acquaint_bench_%d_%%'", os.Getpid())).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d databases were left behind (%v)", left, err)
	}
}

func TestRunRefuses(t *testing.T) {
	url := testdb.Postgres(t).URL
	for name, c := range map[string]struct {
		options Options
		kind    insight.Kind
		says    string
	}{
		"no database":      {Options{}, insight.Invalid, "DATABASE_URL"},
		"another database": {Options{DatabaseURL: "mysql://somewhere"}, insight.Invalid, "DATABASE_URL"},
		"nobody there":     {Options{DatabaseURL: "postgres://127.0.0.1:1/nothing?sslmode=disable"}, insight.Unavailable, "does not answer"},
		"no such part":     {Options{DatabaseURL: url, Parts: []string{"lunch"}}, insight.Invalid, "parts"},
		"less than none":   {Options{DatabaseURL: url, Rounds: -1}, insight.Invalid, "positive"},
		"a huge batch":     {Options{DatabaseURL: url, BatchSize: 5000}, insight.Invalid, "batch"},
		"no binary":        {Options{DatabaseURL: url, Parts: []string{PartMemory}, Executable: "/nowhere/acquaint"}, insight.Unavailable, "/nowhere/acquaint"},
		"a failing binary": {Options{DatabaseURL: url, Parts: []string{PartImport}, Rows: 10, Executable: "/bin/false"}, insight.Unavailable, "acquaint import"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Run(context.Background(), c.options)
			if insight.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v (%v)", err, insight.KindOf(err))
			}
		})
	}
}

func TestRunStops(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	_, err := Run(ctx, Options{
		DatabaseURL: testdb.Postgres(t).URL, Parts: []string{PartIngest}, Events: 1500, Rounds: 1,
		Told: func(text string) {
			if strings.HasPrefix(text, "ingest: round") {
				stop()
			}
		},
	})
	if err == nil {
		t.Error("it went on")
	}
}

func TestStatistics(t *testing.T) {
	for _, c := range []struct {
		numbers []float64
		want    float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 2, 3}, 2.5}} {
		if got := median(c.numbers); got != c.want {
			t.Errorf("median of %v: %v", c.numbers, got)
		}
	}
	var times []time.Duration
	for n := range 200 {
		times = append(times, time.Duration(200-n))
	}
	for share, want := range map[float64]time.Duration{0.5: 100, 0.99: 198, 1: 200} {
		if got := latency(times, share); got != want {
			t.Errorf("%v of 1 to 200: %v, want %v", share, got, want)
		}
	}
	if latency(nil, 0.5) != 0 {
		t.Error("the median of nothing is something")
	}
	var r Report
	row := r.compared("ours", "x/s", []float64{10, 20, 60}, "theirs", []float64{20, 20, 50}, 0.5)
	if row.Value != 20 || row.Ratio != 1 || !row.Meets() {
		t.Errorf("compared: %+v", row)
	}
	if row.Bar = 1.1; row.Meets() {
		t.Error("a bar that is missed is met")
	}
	row.Bar, row.P99, row.Within = 0.5, 9*time.Millisecond, 10*time.Millisecond
	if got := row.bars(); got != "0.5, p99 10ms reached" {
		t.Errorf("what is reached: %q", got)
	}
	if row.P99 = row.Within; row.Meets() || row.bars() != "0.5, p99 10ms missed" {
		t.Errorf("a latency that is too long: %q", row.bars())
	}
}

func TestFilesEndWithTheirRows(t *testing.T) {
	for _, piece := range []string{"one\n", "one\ntwo\n", "o", "\n\n\n"} {
		var out bytes.Buffer
		l := &limited{out: &out, left: 5}
		var err error
		for range 100 {
			if _, err = l.Write([]byte(piece)); err != nil {
				break
			}
		}
		if lines := bytes.Count(out.Bytes(), []byte("\n")); piece != "o" && (!errors.Is(err, errEnough) || lines != 5 || !bytes.HasSuffix(out.Bytes(), []byte("\n"))) {
			t.Errorf("of %q: %d lines, %v", piece, lines, err)
		}
	}
}
