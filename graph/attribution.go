package graph

import (
	"cmp"
	"slices"
	"time"

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/graph/node"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/attribution"
	"github.com/acquaint/acquaint/insight/smallgroup"
	"github.com/acquaint/acquaint/store"
)

// attributionOptions read a question about what conversions are owed to.
func attributionOptions(conversion, touch *model.EventSelector, by model.AttributionModel, lookback *time.Duration, order *int, asOf time.Time) (attribution.Options, error) {
	o := attribution.Options{Model: attribution.Model(by), Lookback: otherwise(lookback, attribution.DefaultLookback), AsOf: asOf}
	var err error
	if o.Conversion, err = selector("conversion", conversion, insight.Selector{}); err != nil {
		return o, err
	}
	if o.Touch, err = selector("touch", touch, insight.Selector{}); err != nil {
		return o, err
	}
	switch {
	case order == nil && o.Model == attribution.Markov:
		o.Order = attribution.DefaultOrder
	case order != nil && *order == 0:
		o.Order = -1 // which is none, of any model; the zero order would be one that was not given
	case order != nil:
		o.Order = *order
	}
	return o, o.Validate()
}

// attributionReport tells what conversions are owed to, with the numbers that the
// viewer may be told.
func attributionReport(report *attribution.Report, survey *store.Survey, by attribution.Model, asOf time.Time) (*model.AttributionReport, error) {
	floor := survey.Floor()
	converters := floor.Number(report.Converters)
	if converters.Suppressed() {
		return nil, insight.NewError(insight.Denied, "attribution", "too few individuals converted for this viewer to be told about them")
	}
	strays := floor.Number(report.UnattributedConverters)
	all := func(sum float64) *float64 {
		return floor.Value(converters, smallgroup.Worth{Individuals: report.Converters, Sum: sum})
	}
	stray := func(sum float64) *float64 {
		return floor.Value(strays, smallgroup.Worth{Individuals: report.UnattributedConverters, Sum: sum})
	}
	told := &model.AttributionReport{
		Population: floor.Number(report.Population).Individuals(), AsOf: asOf, Model: model.AttributionModel(by),
		// Of so many individuals no value is told only where there is none.
		Conversions: deref(all(float64(report.Conversions))), Value: deref(all(report.Value)),
		UnattributedConversions: stray(float64(report.Unattributed)), UnattributedValue: stray(report.UnattributedValue),
		Channels: make([]*model.ChannelCredit, len(report.Channels)),
	}
	for n := range report.Channels {
		c := &report.Channels[n]
		group := floor.Number(c.Converters)
		told.Channels[n] = &model.ChannelCredit{
			Channel: &node.Channel{Channel: c.Channel}, Suppressed: group.Suppressed(),
			Conversions: floor.Value(group, smallgroup.Worth{Individuals: c.Converters, Sum: c.Conversions}),
			Value:       floor.Value(group, smallgroup.Worth{Individuals: c.Converters, Sum: c.Value}),
			Share:       figure(floor, group, c.Share), RemovalEffect: figure(floor, group, c.RemovalEffect),
		}
	}
	slices.SortFunc(told.Channels, func(a, b *model.ChannelCredit) int {
		return cmp.Or(mostFirst(a.Conversions, b.Conversions), compareChannels(a.Channel, b.Channel))
	})
	// Credits add up to what is told of all. So where one is not told, the smallest of the
	// others is not either: see Partition of smallgroup.
	if hidden := slices.IndexFunc(told.Channels, func(c *model.ChannelCredit) bool { return c.Suppressed }); hidden > 0 {
		told.Channels[hidden-1] = &model.ChannelCredit{Channel: told.Channels[hidden-1].Channel, Suppressed: true}
		slices.SortFunc(told.Channels[hidden-1:], func(a, b *model.ChannelCredit) int { return compareChannels(a.Channel, b.Channel) })
	}
	return told, nil
}
