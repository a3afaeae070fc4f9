package relationship

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/recency"
)

// evidence is what the status rests on, the weightiest first. The population's
// wire is not told: it is not about this individual.
func (f *fold) evidence(s *standing) []string {
	var all []string
	say := func(format string, parts ...any) { all = append(all, fmt.Sprintf(format, parts...)) }
	switch s.status {
	case OptedOut:
		say("they said no on %s", date(s.since))
	case Unresponsive:
		say("%s, none answered; the fifth on %s", f.sent(), date(moment(f.touchedAt[1])))
	case Stranger:
		say("they never came")
	case Lapsed:
		say("silent for %s, more than three times the trip wire, which tripped on %s", f.silence(), date(moment(f.tripped)))
	case Cooling:
		say("silent for %s, longer than the trip wire, which tripped on %s", f.silence(), date(moment(f.tripped)))
	case Returning:
		why := "a silence that had lapsed"
		if f.returned.touches >= Unanswered {
			why = fmt.Sprintf("%d unanswered outbound touches", f.returned.touches)
		}
		say("they came back on %s after %s and %s", date(moment(f.returned.at)), span(f.returned.silence), why)
	}
	if f.visits > 0 {
		say("they came %s", f.came())
	}
	switch own := f.visits > recency.OwnGaps; {
	case own:
		say("their median gap between visits is %s", span(f.wire))
	case f.visits > 0:
		say("%s between visits, too few to know their habit", several(f.visits-1, "gap"))
	}
	if f.touches > 0 && s.status != Unresponsive {
		say("%s", f.sent())
	}
	return all
}

func (f *fold) silence() string { return span(f.asOf.Sub(f.last)) }

// came is how often they did, from the first day to the one that the silence counts
// from.
func (f *fold) came() string {
	first, last := date(moment(f.first)), date(f.last)
	switch {
	case f.visits > 1:
		return fmt.Sprintf("%d times, first on %s, last on %s", f.visits, first, last)
	case first != last:
		return fmt.Sprintf("once, from %s to %s", first, last)
	}
	return "once, on " + first
}

func (f *fold) sent() string {
	since := moment(f.touchedAt[0])
	if f.visits == 0 {
		return several(f.touches, "outbound touch") + ", the first on " + date(since)
	}
	return several(f.touches, "outbound touch") + " since the last inbound interaction"
}

func (f *fold) outreach(status Status) Outreach {
	switch status {
	case OptedOut:
		return Outreach{Reason: "they have said no: nothing is sent until they say otherwise"}
	case Unresponsive:
		return Outreach{Reason: fmt.Sprintf("%s unanswered: leave them alone until they act", several(f.touches, "touch"))}
	case Stranger:
		return Outreach{Reason: "they have never come by themselves: wait until they do"}
	case New:
		return Outreach{Reason: "they have just come and are on track: spend nothing"}
	case Returning:
		return Outreach{Reason: "they have come back by themselves and are on track: spend nothing"}
	case Active:
		return Outreach{Reason: "they are on track: spend nothing"}
	}
	if f.tries > 0 {
		return Outreach{Reason: fmt.Sprintf("they were approached on %s, since the trip wire tripped: not again", date(moment(f.triedAt)))}
	}
	if status == Lapsed {
		return Outreach{Advised: true, Reason: "they have gone: one honest try with something of use to them, then leave them alone"}
	}
	return Outreach{Advised: true, Reason: "they are overdue: act once, with something of use to them"}
}

func date(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func several(n int, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "ch"):
		what += "es"
	default:
		what += "s"
	}
	return strconv.Itoa(n) + " " + what
}

var units = []struct {
	length time.Duration
	name   string
}{{insight.Day, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}}

// span is a duration in its largest unit, cut to a tenth.
func span(d time.Duration) string {
	for _, unit := range units {
		if d < unit.length {
			continue
		}
		whole, tenth := d/unit.length, d%unit.length/(unit.length/10)
		if tenth == 0 {
			return several(int(whole), unit.name)
		}
		return fmt.Sprintf("%d.%d %ss", whole, tenth, unit.name)
	}
	return "less than a second"
}
