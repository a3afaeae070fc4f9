package attribution_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/attribution"
	"github.com/acquaint/acquaint/internal/script"
)

// A line's who= says whose interaction it is. The channel "direct" is of kind
// DIRECT, "direct_visit" is not, and "none" is no channel.
func TestScripts(t *testing.T) {
	script.Run(t, "testdata/*.txt", func(q script.Question) ([]string, error) {
		timeline, err := script.Timeline(q.Load)
		if err != nil {
			return nil, err
		}
		options, err := asked(q.Ask)
		if err != nil {
			return nil, err
		}
		if err := options.Validate(); err != nil {
			return nil, err
		}
		tally := attribution.NewTally(options)
		for _, h := range histories(timeline) {
			tally.Add(h)
		}
		report, err := tally.Report()
		if err != nil {
			return nil, err
		}
		return tell(report), nil
	})
}

func asked(ask script.Line) (options attribution.Options, err error) {
	options = attribution.Options{
		Conversion: insight.Selector{Types: []string{"purchase"}}, Model: attribution.Model(ask.Words[0]), Lookback: attribution.DefaultLookback,
	}
	if options.Model == attribution.Markov {
		options.Order = attribution.DefaultOrder
	}
	if text := ask.Option("order"); text != "" {
		if options.Order, err = strconv.Atoi(text); err != nil {
			return options, err
		}
	}
	if text := ask.Option("lookback"); text != "" {
		if options.Lookback, err = insight.ParseDuration(text); err != nil {
			return options, err
		}
	}
	if types := ask.Option("touch"); types != "" {
		options.Touch.Types = strings.Split(types, ",")
	}
	options.AsOf, err = script.Time(ask.Option("asOf"))
	return options, err
}

func histories(timeline insight.Timeline) []*insight.History {
	byName := map[string]*insight.History{}
	var all []*insight.History
	for _, x := range timeline {
		switch x.Channel.Key {
		case "direct":
			x.Channel.Kind = insight.DirectChannel
		case "none":
			x.Channel = nil
		}
		var properties struct {
			Who string `json:"who"`
		}
		if x.Properties != nil {
			if err := json.Unmarshal(x.Properties, &properties); err != nil {
				panic(err)
			}
		}
		h := byName[properties.Who]
		if h == nil {
			h = &insight.History{}
			byName[properties.Who] = h
			all = append(all, h)
		}
		h.Timeline = append(h.Timeline, x)
	}
	for _, h := range all {
		h.Timeline = h.Timeline.Ordered()
	}
	return all
}

func tell(r attribution.Report) []string {
	lines := []string{fmt.Sprintf("%d conversions worth %g by %d of %d, %d nulls", r.Conversions, r.Value, r.Converters, r.Population, r.Nulls)}
	if r.Unattributed > 0 {
		lines = append(lines, fmt.Sprintf("%d unattributed worth %g by %d", r.Unattributed, r.UnattributedValue, r.UnattributedConverters))
	}
	for _, c := range r.Channels {
		line := fmt.Sprintf("%s %.6g worth %.6g by %d", c.Channel.Key, c.Conversions, c.Value, c.Converters)
		if c.RemovalEffect != nil {
			line += fmt.Sprintf(", removal %.6g", *c.RemovalEffect)
		}
		lines = append(lines, line)
	}
	return lines
}

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func TestValidate(t *testing.T) {
	good := attribution.Options{
		Conversion: insight.Selector{Types: []string{"purchase"}}, Model: attribution.Markov, Lookback: attribution.DefaultLookback, Order: 1, AsOf: start,
	}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	cases := map[string]func(*attribution.Options){
		"conversion.types[0]: ": func(o *attribution.Options) { o.Conversion = insight.Selector{Types: []string{""}} },
		"touch.channels: ":      func(o *attribution.Options) { o.Touch.Channels = []string{} },
		"model: ":               func(o *attribution.Options) { o.Model, o.Order = "BEST", 0 },
		"lookback: ":            func(o *attribution.Options) { o.Lookback = 0 },
		"order: ":               func(o *attribution.Options) { o.Model = attribution.Shapley },
		"asOf: ":                func(o *attribution.Options) { o.AsOf = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) },
	}
	for subject, spoil := range cases {
		bad := good
		spoil(&bad)
		if err := bad.Validate(); insight.KindOf(err) != insight.Invalid || !strings.HasPrefix(err.Error(), subject) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s%v", subject, err)
		}
	}
	if err := (attribution.Options{}).Validate(); err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("model and lookback are missing: %v", err)
	}
	edge := good
	for order, ok := range map[int]bool{-1: false, 0: false, 1: true, attribution.MaxOrder: true, attribution.MaxOrder + 1: false} {
		if edge.Order = order; (edge.Validate() == nil) != ok {
			t.Errorf("an order of %d: %v", order, edge.Validate())
		}
	}
	edge = good
	for lookback, ok := range map[time.Duration]bool{-1: false, 1: true, 100 * insight.Year: true, 100*insight.Year + 1: false} {
		if edge.Lookback = lookback; (edge.Validate() == nil) != ok {
			t.Errorf("a lookback of %v: %v", lookback, edge.Validate())
		}
	}
	for _, model := range attribution.Models {
		o := good
		if o.Model = model; model != attribution.Markov {
			o.Order = 0
		}
		if err := o.Validate(); err != nil {
			t.Errorf("%s: %v", model, err)
		}
	}
	if !slices.Contains(attribution.Models, attribution.Shapley) || len(attribution.Models) != 8 {
		t.Error(attribution.Models)
	}
}
