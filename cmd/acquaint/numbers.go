package main

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/acquaint/acquaint/internal/bulk"
	"github.com/acquaint/acquaint/internal/progress"
)

// count writes a number with its thousands parted.
func count(n int64) string { return message.NewPrinter(language.English).Sprint(n) }

// summed tells up what became of events, and how fast.
func summed(t bulk.Tally, took time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s accepted, %s duplicates", count(t.Accepted), count(t.Duplicates))
	if t.Withheld > 0 {
		fmt.Fprintf(&b, ", %s withheld", count(t.Withheld))
	}
	fmt.Fprintf(&b, ", %s rejected, in %.1f s (%s/s)", count(t.Rejected), took.Seconds(), count(progress.Rate(t.All(), took)))
	return b.String()
}
