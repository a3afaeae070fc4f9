package progress

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// Interval is how often a plain line is written.
const Interval = 5 * time.Second

// Work is some work whose progress is shown. It is for one goroutine at a time.
type Work struct {
	out         io.Writer
	title, unit string
	total       int64
	now         func() time.Time
	began, told time.Time
	bar         *progressbar.ProgressBar // nil: plain lines
}

// Start begins to show work on out: as a bar where out is a terminal. Title says
// what is done ("loading"), unit of what ("messages"; "bytes" are shown as MB on a
// terminal), total is how many there are, 0 when that is not known.
func Start(out io.Writer, title, unit string, total int64) *Work {
	w := start(out, title, unit, total, time.Now)
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		w.bar = bar(file, title, unit, total)
	}
	return w
}

func start(out io.Writer, title, unit string, total int64, now func() time.Time) *Work {
	began := now()
	return &Work{out: out, title: title, unit: unit, total: total, now: now, began: began, told: began}
}

func bar(out io.Writer, title, unit string, total int64) *progressbar.ProgressBar {
	if total <= 0 {
		total = -1 // a spinner
	}
	options := []progressbar.Option{
		progressbar.OptionSetWriter(out), progressbar.OptionSetDescription(title), progressbar.OptionSetWidth(30),
		progressbar.OptionThrottle(100 * time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionSetElapsedTime(true),
	}
	if unit == "bytes" {
		options = append(options, progressbar.OptionShowBytes(true))
	} else {
		options = append(options, progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString(unit))
	}
	return progressbar.NewOptions64(total, options...)
}

// At tells how many are done.
func (w *Work) At(done int64) {
	if w.bar != nil {
		_ = w.bar.Set64(done) // a bar that cannot be drawn does not stop the work
		return
	}
	now := w.now()
	if now.Sub(w.told) < Interval {
		return
	}
	w.told = now
	english := message.NewPrinter(language.English)
	line := english.Sprintf("%s: %d %s", w.title, done, w.unit)
	if w.total > 0 {
		line = english.Sprintf("%s: %d of %d %s (%d %%)", w.title, done, w.total, w.unit, 100*done/w.total)
	}
	_, _ = fmt.Fprintln(w.out, line+english.Sprintf(", %d/s", Rate(done, now.Sub(w.began)))) // as above
}

// End takes the bar away, whether the work is done or was given up.
func (w *Work) End() {
	if w.bar != nil {
		_ = w.bar.Finish() // as above
	}
}

// Rate is how many were done in a second, rounded down; 0 when it took no time.
func Rate(done int64, took time.Duration) int64 {
	if took <= 0 {
		return 0
	}
	return int64(float64(done) / took.Seconds())
}
