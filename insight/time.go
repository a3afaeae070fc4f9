package insight

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Precision is how finely time is kept: every engine stores microseconds, so
// nothing finer exists anywhere.
const Precision = time.Microsecond

// Moment brings a time to the form that all of Acquaint uses: UTC, microseconds.
func Moment(t time.Time) time.Time { return t.UTC().Truncate(Precision) }

// CheckTime refuses a time outside the years 1 to 9998 in UTC, which the engines
// and RFC 3339 could not both hold together with an hour's time zone or a
// session's timeout added.
func CheckTime(subject string, t time.Time) error {
	if y := t.UTC().Year(); y < 1 || y > 9998 {
		return NewError(Invalid, subject, fmt.Sprintf("the year %d is outside 1 to 9998", y))
	}
	return nil
}

// The nominal lengths that ISO 8601 leaves to the calendar. A duration here is
// always a fixed span, so that a window means the same for everyone.
const (
	Day   = 24 * time.Hour
	Week  = 7 * Day
	Month = 30 * Day
	Year  = 365 * Day
)

// ParseDuration reads an ISO 8601 duration: "PT30M", "P30D", "P1Y2M3W4DT5H6M7.5S".
// A year is 365 days, a month 30, a week 7, a day 24 hours. A leading minus is
// taken; fractions are taken for seconds only; more than 292 years is refused.
func ParseDuration(text string) (time.Duration, error) {
	bad := func(why string) (time.Duration, error) {
		return 0, NewError(Invalid, "duration", why+"; a duration is ISO 8601, such as PT30M, P30D or P1Y")
	}
	rest, negative := strings.CutPrefix(text, "-")
	rest, ok := strings.CutPrefix(rest, "P")
	if !ok || rest == "" {
		return bad("it does not start with P")
	}
	units, inTime := "YMWD", false
	var total time.Duration
	for rest != "" {
		if rest[0] == 'T' {
			if inTime || len(rest) == 1 {
				return bad("the T is misplaced")
			}
			units, inTime, rest = "HMS", true, rest[1:]
			continue
		}
		end := strings.IndexFunc(rest, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
		if end <= 0 {
			return bad("a number with its unit is missing")
		}
		number, unit := rest[:end], rest[end]
		at := strings.IndexByte(units, unit)
		if at < 0 {
			return bad("its units are unknown, repeated or out of order")
		}
		units, rest = units[at+1:], rest[end+1:]
		part, ok := scale(number, unitLength(unit, inTime), unit == 'S')
		if !ok || total > 1<<63-1-part {
			return bad("its number is not one, or too large")
		}
		total += part
	}
	if negative {
		total = -total
	}
	return total, nil
}

func unitLength(unit byte, inTime bool) time.Duration {
	switch unit {
	case 'Y':
		return Year
	case 'W':
		return Week
	case 'D':
		return Day
	case 'H':
		return time.Hour
	case 'S':
		return time.Second
	}
	if inTime {
		return time.Minute
	}
	return Month
}

func scale(number string, unit time.Duration, fraction bool) (time.Duration, bool) {
	whole, frac, dotted := strings.Cut(number, ".")
	if dotted && (!fraction || frac == "" || len(frac) > 9) {
		return 0, false
	}
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n > int64((1<<63-1)/unit) {
		return 0, false
	}
	d := time.Duration(n) * unit
	if dotted {
		f, err := strconv.ParseInt(frac+strings.Repeat("0", 9-len(frac)), 10, 64)
		if err != nil || d > 1<<63-1-time.Duration(f) {
			return 0, false
		}
		d += time.Duration(f)
	}
	return d, true
}

// FormatDuration writes a span as ISO 8601 in days, hours, minutes and seconds:
// "P1DT2H", "PT0.5S", "PT0S". [ParseDuration] reads it back exactly.
func FormatDuration(d time.Duration) string {
	if d == 0 {
		return "PT0S"
	}
	var b strings.Builder
	u := uint64(d)
	if d < 0 {
		b.WriteByte('-')
		u = -u
	}
	b.WriteByte('P')
	part := func(unit time.Duration, name byte) {
		if n := u / uint64(unit); n > 0 {
			b.WriteString(strconv.FormatUint(n, 10))
			b.WriteByte(name)
			u %= uint64(unit)
		}
	}
	part(Day, 'D')
	if u == 0 {
		return b.String()
	}
	b.WriteByte('T')
	part(time.Hour, 'H')
	part(time.Minute, 'M')
	if u > 0 {
		b.WriteString(strconv.FormatUint(u/uint64(time.Second), 10))
		if f := u % uint64(time.Second); f > 0 {
			b.WriteByte('.')
			b.WriteString(strings.TrimRight(fmt.Sprintf("%09d", f), "0"))
		}
		b.WriteByte('S')
	}
	return b.String()
}
