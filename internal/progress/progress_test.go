package progress

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
)

// clock moves by hand.
type clock struct{ time.Time }

func (c *clock) now() time.Time { return c.Time }

func TestPlainLines(t *testing.T) {
	var out bytes.Buffer
	c := &clock{time.Unix(0, 0)}
	w := start(&out, "loading", "messages", 120_000, c.now)
	for range 6 { // 6 s
		w.At(c.Unix() * 20_000)
		c.Time = c.Add(time.Second)
	}
	w.End()
	if want := "loading: 100,000 of 120,000 messages (83 %), 20,000/s\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestPlainLinesWithoutTotal(t *testing.T) {
	var out bytes.Buffer
	c := &clock{time.Unix(0, 0)}
	w := start(&out, "verifying", "interactions", 0, c.now)
	w.At(1)
	c.Time = c.Add(4 * time.Second)
	w.At(2)
	if out.Len() > 0 {
		t.Errorf("within %v it already said %q", Interval, out.String())
	}
	for range 3 {
		c.Time = c.Add(Interval)
		w.At(900)
	}
	w.End()
	want := "verifying: 900 interactions, 100/s\nverifying: 900 interactions, 64/s\nverifying: 900 interactions, 47/s\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestBarIsDrawnInPlaceAndTakenAway(t *testing.T) {
	for name, total := range map[string]int64{"total": 10, "no total": 0} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			w := start(&out, "loading", "messages", total, time.Now)
			w.bar = bar(&out, "loading", "messages", total)
			w.At(5)
			w.End()
			if !strings.Contains(out.String(), "loading") || strings.Contains(out.String(), "\n") {
				t.Errorf("the bar is %q, want the title and no new line", out.String())
			}
		})
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("nobody is there") }

func TestWorkGoesOnUnseen(t *testing.T) {
	c := &clock{time.Unix(0, 0)}
	for _, drawn := range []bool{false, true} {
		w := start(broken{}, "loading", "messages", 10, c.now)
		if drawn {
			w.bar = bar(broken{}, "loading", "messages", 10)
		}
		c.Time = c.Add(2 * Interval)
		w.At(5)
		w.End()
	}
}

func TestRate(t *testing.T) {
	if got := Rate(10, 0); got != 0 {
		t.Errorf("in no time: %d, want 0", got)
	}
	if got := Rate(10, 4*time.Second); got != 2 {
		t.Errorf("10 in 4 s: %d a second, want 2", got)
	}
}
