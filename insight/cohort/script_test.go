package cohort_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/cohort"
	"github.com/acquaint/acquaint/internal/script"
)

func TestScripts(t *testing.T) {
	script.Run(t, "testdata/*.txt", func(q script.Question) ([]string, error) {
		people, err := people(q.Load)
		if err != nil {
			return nil, err
		}
		a := asking{line: q.Ask, detail: q.Detail}
		lines, err := a.answer(people)
		if a.err != nil {
			return nil, a.err
		}
		return lines, err
	})
}

// people are the histories of those that who=name tells apart.
func people(load []script.Line) ([]*insight.History, error) {
	all, err := script.Timeline(load)
	if err != nil {
		return nil, err
	}
	timelines := map[string]insight.Timeline{}
	for _, x := range all {
		var properties struct{ Who string }
		if x.Properties != nil {
			if err := json.Unmarshal(x.Properties, &properties); err != nil {
				return nil, err
			}
		}
		timelines[properties.Who] = append(timelines[properties.Who], x)
	}
	var histories []*insight.History
	for _, t := range timelines {
		histories = append(histories, &insight.History{Timeline: t.Ordered()})
	}
	return histories, nil
}

// asking reads the words of a question; err is the first one that it could not.
type asking struct {
	line   script.Line
	detail []script.Line
	err    error
}

func (a *asking) option(name, otherwise string) string { return cmp.Or(a.line.Option(name), otherwise) }

func (a *asking) time(name, otherwise string) time.Time {
	at, err := script.Time(a.option(name, otherwise))
	if err != nil && a.err == nil {
		a.err = fmt.Errorf("%s: %w", name, err)
	}
	return at
}

func (a *asking) types(name string) *insight.Selector {
	if text := a.option(name, ""); text != "" {
		return only(strings.Split(text, ",")...)
	}
	return nil
}

func (a *asking) number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil && a.err == nil {
		a.err = err
	}
	return n
}

func (a *asking) calendar() cohort.Calendar {
	z, err := time.LoadLocation(a.option("zone", "UTC"))
	if err != nil && a.err == nil {
		a.err = err
	}
	return cohort.Calendar{
		Interval: cohort.Interval(a.option("interval", "DAY")), WeekStart: cohort.WeekStart(a.option("weekStart", string(cohort.DefaultWeekStart))), Zone: z,
	}
}

func (a *asking) answer(people []*insight.History) ([]string, error) {
	asOf := a.time("asOf", "2100-01-01")
	switch a.line.Words[0] {
	case "lifecycle":
		o := cohort.ActivityOptions{Calendar: a.calendar(), Event: a.types("event"), From: a.time("from", ""), To: a.time("to", ""), AsOf: asOf}
		return tell(o, people, cohort.NewLifecycle, (*cohort.Lifecycle).Add, func(l *cohort.Lifecycle) (lines []string) {
			for _, b := range l.Report().Buckets {
				lines = append(lines, fmt.Sprintf("%s new %d returning %d resurrecting %d dormant %d", b.From.In(o.Zone).Format(time.RFC3339), b.New, b.Returning, b.Resurrecting, b.Dormant))
			}
			return lines
		})
	case "stickiness":
		o := cohort.ActivityOptions{Calendar: a.calendar(), Event: a.types("event"), From: a.time("from", ""), To: a.time("to", ""), AsOf: asOf}
		return tell(o, people, cohort.NewStickiness, (*cohort.Stickiness).Add, func(s *cohort.Stickiness) (lines []string) {
			for _, n := range s.Report().Counts {
				lines = append(lines, fmt.Sprintf("in %d: %d", n.ActiveBuckets, n.Individuals))
			}
			return lines
		})
	case "retention":
		o := cohort.RetentionOptions{
			Calendar: a.calendar(), Start: a.types("start"), Returning: a.types("returning"), From: a.time("from", ""), AsOf: asOf,
			Buckets: a.number(a.option("buckets", "1")), Mode: cohort.Mode(a.option("mode", string(cohort.DefaultMode))),
		}
		return tell(o, people, cohort.NewRetention, (*cohort.Retention).Add, func(r *cohort.Retention) (lines []string) {
			for _, c := range r.Report().Cohorts {
				lines = append(lines, fmt.Sprintf("%s: %s", c.From.In(o.Zone).Format(time.RFC3339), strings.Trim(fmt.Sprint(c.Counts), "[]")))
			}
			return lines
		})
	case "funnel":
		o := a.funnel(asOf)
		return tell(o, people, cohort.NewFunnel, (*cohort.Funnel).Add, func(f *cohort.Funnel) (lines []string) {
			for _, s := range f.Report().Steps {
				conversion := "none"
				if s.Conversion != nil {
					conversion = strconv.FormatFloat(*s.Conversion, 'g', 3, 64)
				}
				lines = append(lines, fmt.Sprintf("step %d: %d, conversion %s, average %s, median %s", s.Step, s.Individuals, conversion, span(s.AverageFromPrevious), span(s.MedianFromPrevious)))
			}
			return lines
		})
	}
	return nil, fmt.Errorf("there is no question %q", a.line.Words[0])
}

// funnel reads a funnel, whose exclusions are beneath it: "exclude refund 1 2".
func (a *asking) funnel(asOf time.Time) cohort.FunnelOptions {
	o := cohort.FunnelOptions{Order: cohort.Order(a.option("order", string(cohort.DefaultOrder))), AsOf: asOf}
	for step := range strings.SplitSeq(a.option("steps", ""), ">") {
		o.Steps = append(o.Steps, *only(strings.Split(step, ",")...))
	}
	o.Window, a.err = insight.ParseDuration(a.option("window", "P7D"))
	for _, line := range a.detail {
		if len(line.Words) != 4 || line.Words[0] != "exclude" {
			a.err = fmt.Errorf("%s: it is not exclude, type, after, before", line.At)
			break
		}
		o.Exclusions = append(o.Exclusions, cohort.Exclusion{Event: *only(line.Words[1]), AfterStep: a.number(line.Words[2]), BeforeStep: a.number(line.Words[3])})
	}
	return o
}

func span(d *time.Duration) string {
	if d == nil {
		return "none"
	}
	return insight.FormatDuration(*d)
}

func tell[O interface{ Validate() error }, T any](o O, people []*insight.History, empty func(O) T, add func(T, *insight.History), lines func(T) []string) ([]string, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	tally := empty(o)
	for _, h := range slices.Backward(people) {
		add(tally, h)
	}
	return lines(tally), nil
}
