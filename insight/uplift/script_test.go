package uplift_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/uplift"
	"github.com/acquaint/acquaint/internal/script"
)

// who is an individual with the names of the groups that they are in.
type who struct {
	history    insight.History
	assignment uplift.Assignment
	groups     []string
}

// A line's who= says whose it is; one of the type treated or holdout is their
// assignment, with in= for their groups, and times= stands for so many who are alike.
func TestScripts(t *testing.T) {
	script.Run(t, "testdata/*.txt", func(q script.Question) ([]string, error) {
		people, counts, err := loaded(q.Load)
		if err != nil {
			return nil, err
		}
		o, err := asked(q.Ask)
		if err != nil {
			return nil, err
		}
		if err := o.Validate(); err != nil {
			return nil, err
		}
		tally := uplift.NewTally(o)
		for i, p := range people {
			in := make([]bool, len(o.Groups))
			for j, name := range o.Groups {
				in[j] = slices.Contains(p.groups, name)
			}
			for range counts[i] {
				tally.Add(&p.history, p.assignment, in)
			}
		}
		var lines []string
		for _, g := range tally.Report().Groups {
			lines = append(lines, tell(g)...)
		}
		return lines, nil
	})
}

func loaded(load []script.Line) (people []*who, counts []int, err error) {
	timeline, err := script.Timeline(load)
	if err != nil {
		return nil, nil, err
	}
	places := map[string]int{}
	for _, x := range timeline {
		var p struct{ Who, In, Times string }
		if err := json.Unmarshal(x.Properties, &p); err != nil {
			return nil, nil, err
		}
		i, ok := places[p.Who]
		if !ok {
			i = len(people)
			places[p.Who] = i
			people, counts = append(people, &who{}), append(counts, 1)
		}
		if x.Type != "treated" && x.Type != "holdout" {
			people[i].history.Timeline = append(people[i].history.Timeline, x)
			continue
		}
		people[i].assignment = uplift.Assignment{Holdout: x.Type == "holdout", At: x.OccurredAt}
		people[i].groups = strings.Split(p.In, ",")
		if counts[i], err = strconv.Atoi(cmp.Or(p.Times, "1")); err != nil {
			return nil, nil, err
		}
	}
	for _, p := range people {
		p.history.Timeline = p.history.Timeline.Ordered()
	}
	return people, counts, nil
}

func asked(ask script.Line) (o uplift.Options, err error) {
	if text := cmp.Or(ask.Option("outcome"), "purchase"); text != "anything" {
		o.Outcome.Types = strings.Split(text, ",")
	}
	if ask.Option("direction") == "OUTBOUND" {
		o.Outcome.Direction = insight.Outbound
	}
	if o.Window, err = insight.ParseDuration(cmp.Or(ask.Option("window"), "P7D")); err != nil {
		return o, err
	}
	if o.AsOf, err = script.Time(cmp.Or(ask.Option("asOf"), "2026-06-01")); err != nil {
		return o, err
	}
	if text := ask.Option("holdout"); text != "" {
		share, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return o, err
		}
		o.Holdout = &share
	}
	if text := ask.Option("by"); text != "" {
		o.Groups = strings.Split(text, ",")
	}
	return o, nil
}

func tell(g uplift.Group) []string {
	number := func(x *float64) string {
		if x == nil {
			return "none"
		}
		return strconv.FormatFloat(*x, 'g', 5, 64)
	}
	three := func(what string, treated, holdout, difference, low, high *float64) string {
		return fmt.Sprintf("%s %s - %s = %s, from %s to %s", what, number(treated), number(holdout), number(difference), number(low), number(high))
	}
	lines := []string{
		fmt.Sprintf("%s: treated %d, holdout %d, pending %d: %s", g.Name, g.Treated, g.Holdout, g.Pending, g.Verdict),
		three("rate", g.TreatedRate, g.HoldoutRate, g.Uplift, g.Low, g.High),
		three("value", g.TreatedValue, g.HoldoutValue, g.ValueUplift, g.ValueLow, g.ValueHigh),
	}
	if g.SampleRatio != nil {
		lines = append(lines, fmt.Sprintf("ratio %s, mismatch %v", number(g.SampleRatio), g.Mismatch))
	}
	return append(lines, g.Why)
}
