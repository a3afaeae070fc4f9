package insight_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
)

func TestMoment(t *testing.T) {
	in := time.Date(2026, 3, 1, 1, 0, 0, 123456789, time.FixedZone("", -5*3600))
	if got, want := insight.Moment(in), time.Date(2026, 3, 1, 6, 0, 0, 123456000, time.UTC); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestCheckTime(t *testing.T) {
	west := time.FixedZone("", -14*3600)
	cases := map[time.Time]bool{
		time.Date(0, 12, 31, 23, 59, 59, 0, time.UTC):    false,
		time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC):         true,
		time.Date(0, 12, 31, 23, 0, 0, 0, west):          true, // it is January of the year 1 in UTC
		time.Date(9998, 12, 31, 23, 59, 59, 0, time.UTC): true,
		time.Date(9998, 12, 31, 23, 0, 0, 0, west):       false,
		time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC):        false,
	}
	for at, ok := range cases {
		if err := insight.CheckTime("timestamp", at); (err == nil) != ok {
			t.Errorf("%v: %v", at, err)
		}
	}
}

func TestParseDuration(t *testing.T) {
	valid := map[string]time.Duration{
		"PT30M": 30 * time.Minute, "P30D": 30 * insight.Day, "P1Y": 365 * insight.Day, "P1M": 30 * insight.Day, "P2W": 14 * insight.Day,
		"P1Y2M3W4DT5H6M7.5S": (365+60+21+4)*insight.Day + 5*time.Hour + 6*time.Minute + 7500*time.Millisecond,
		"PT0S":               0, "P0D": 0, "-PT1H": -time.Hour, "PT0.000000001S": 1, "PT36H": 36 * time.Hour, "P292Y": 292 * insight.Year,
		"PT9223372036.854775807S": math.MaxInt64,
	}
	for text, want := range valid {
		if got, err := insight.ParseDuration(text); err != nil || got != want {
			t.Errorf("%q = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "P", "PT", "P1", "30M", "P30", "1D", "PD", "PT1D", "P1H", "P1DT", "PT1HT1M", "PTT1H", "P1D1D", "P1D1W", "PT1S1M", "P1.5D", "PT1.S", "PT.5S",
		"PT1.5.5S", "PT0.0000000001S", "P-1D", "+P1D", "--P1D", "p1d", "P1d", " P1D", "P1D ", "P1é", "P300Y", "PT9223372036.854775808S",
		"P99999999999999999999Y", "P292Y365D", "P1,5D", "P0001-01-01T00:00:00",
	} {
		if got, err := insight.ParseDuration(text); insight.KindOf(err) != insight.Invalid || got != 0 {
			t.Errorf("%q = %v, %v; want it refused", text, got, err)
		}
	}
}

func TestFormatDuration(t *testing.T) {
	cases := map[time.Duration]string{
		0: "PT0S", 500 * time.Millisecond: "PT0.5S", 26 * time.Hour: "P1DT2H", insight.Week: "P7D", -90 * time.Second: "-PT1M30S",
		insight.Day + 1: "P1DT0.000000001S", math.MaxInt64: "P106751DT23H47M16.854775807S",
	}
	for d, want := range cases {
		if got := insight.FormatDuration(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

func TestDurationsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(-math.MaxInt64, math.MaxInt64).Draw(t, "d"))
		text := insight.FormatDuration(d)
		if back, err := insight.ParseDuration(text); err != nil || back != d {
			t.Fatalf("%v is written %s and reads back as %v, %v", d, text, back, err)
		}
	})
}

func FuzzParseDuration(f *testing.F) {
	for _, text := range []string{"PT30M", "-P1Y2M3W4DT5H6M7.5S", "PT9223372036.854775807S", "P1é", "P"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := insight.ParseDuration(text)
		if err != nil {
			if insight.KindOf(err) != insight.Invalid {
				t.Errorf("kind %v", insight.KindOf(err))
			}
			return
		}
		written := insight.FormatDuration(d)
		if back, err := insight.ParseDuration(written); err != nil || back != d {
			t.Errorf("%q is %v, is written %q and reads back as %v, %v", text, d, written, back, err)
		}
	})
}
