package graph

import (
	"context"
	"fmt"
	"time"

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/graph/population"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/experience"
	"github.com/acquaint/acquaint/insight/segment"
	"github.com/acquaint/acquaint/insight/smallgroup"
	"github.com/acquaint/acquaint/insight/uplift"
	"github.com/acquaint/acquaint/store"
)

// upliftWindow is how long after an assignment an outcome counts, unless it is said.
const upliftWindow = 30 * insight.Day

// uplift tells what an experience changes.
func (r *Resolver) uplift(ctx context.Context, survey *store.Survey, e *experience.Experience, variant *string, o uplift.Options, by []*model.SegmentRuleByName) (*model.UpliftReport, error) {
	switch {
	case variant == nil:
		o.Holdout = &e.Holdout
	case *variant == "":
		return nil, insight.NewError(insight.Invalid, "variant", "it is empty; leave it out for all of them")
	}
	for _, g := range by {
		o.Groups = append(o.Groups, g.Name)
	}
	if err := o.Validate(); err != nil {
		return nil, err
	}
	groups, err := upliftGroups(ctx, survey, e, by)
	if err != nil {
		return nil, err
	}
	tally, covered, err := survey.Uplift(ctx, e, deref(variant), o, groups)
	if err != nil {
		return nil, err
	}
	floor := survey.Floor()
	report := &model.UpliftReport{Experience: e.Key, Population: floor.Number(covered).Individuals(), AsOf: o.AsOf, Window: o.Window}
	for _, g := range tally.Report().Groups {
		report.Groups = append(report.Groups, upliftGroup(&g, o.Holdout, floor))
	}
	return report, nil
}

// upliftGroups reads the groups that are asked of, with models of the population as it
// was before anybody was assigned.
func upliftGroups(ctx context.Context, survey *store.Survey, e *experience.Experience, by []*model.SegmentRuleByName) ([]store.UpliftGroup, error) {
	if len(by) == 0 {
		return nil, nil
	}
	first, err := survey.FirstAssigned(ctx, e)
	if err != nil {
		return nil, err
	}
	groups := make([]store.UpliftGroup, len(by))
	var needs segment.Needs
	for n, g := range by {
		path := fmt.Sprintf("by[%d]", n)
		of := segment.Definition{Purpose: survey.Purpose()}
		if of.Rule, err = rule(path+".rule", g.Rule); err != nil {
			return nil, err
		}
		own, err := survey.PreviewNeeds(ctx, of)
		if err != nil {
			return nil, under(path, err)
		}
		groups[n].Definition = of
		needs = needs.And(own)
	}
	if first.IsZero() {
		return groups, nil // nobody is in any
	}
	models, err := population.ForSegments(ctx, survey, needs, first.Add(-insight.Precision))
	for n := range groups {
		groups[n].Models = models
	}
	return groups, err
}

// upliftGroup tells of one group, with the numbers that the viewer may be told: all that
// follows from counts follows from those that are told.
func upliftGroup(g *uplift.Group, share *float64, floor smallgroup.Floor) *model.UpliftGroup {
	treated, holdout := floor.Number(g.Treated), floor.Number(g.Holdout)
	with, without := floor.Number(g.TreatedResponders), floor.Number(g.HoldoutResponders)
	told := &model.UpliftGroup{
		Name: g.Name, Treated: treated.Individuals(), Holdout: holdout.Individuals(), Pending: floor.Number(g.Pending).Individuals(),
		TreatedRate: smallgroup.Rate(with, treated), HoldoutRate: smallgroup.Rate(without, holdout),
		TreatedValue: meanValue(floor, treated, g.TreatedResponders, g.Treated, g.TreatedValue, g.TreatedLargest),
		HoldoutValue: meanValue(floor, holdout, g.HoldoutResponders, g.Holdout, g.HoldoutValue, g.HoldoutLargest),
	}
	if treated.Suppressed() || holdout.Suppressed() || with.Suppressed() || without.Suppressed() {
		told.Suppressed = true
		return told
	}
	rates := *g
	if floor > 1 {
		rates = uplift.Rates(uplift.Counts{
			Treated: *treated.Individuals(), TreatedResponders: *with.Individuals(), Holdout: *holdout.Individuals(), HoldoutResponders: *without.Individuals(), Pending: g.Pending,
		}, share)
	}
	told.Uplift, told.Low, told.High = rates.Uplift, rates.Low, rates.High
	told.SampleRatio, told.Verdict, told.Because = rates.SampleRatio, &rates.Verdict, &rates.Why
	if share != nil {
		told.Mismatch = &rates.Mismatch
	}
	if told.TreatedValue != nil && told.HoldoutValue != nil {
		difference := *told.TreatedValue - *told.HoldoutValue
		told.ValueUplift = &difference
		told.ValueLow, told.ValueHigh = around(floor, treated, difference, g)
	}
	return told
}

// meanValue is what an arm's outcomes were worth, on average, as the viewer may be told.
func meanValue(floor smallgroup.Floor, arm smallgroup.Number, responders, individuals int, mean *float64, largest float64) *float64 {
	if mean == nil || arm.Suppressed() || *arm.Individuals() == 0 {
		return nil
	}
	if floor <= 1 {
		return mean
	}
	sum := floor.Value(arm, smallgroup.Worth{Individuals: responders, Sum: *mean * float64(individuals), Largest: largest})
	if sum == nil {
		return nil
	}
	shown := *sum / float64(*arm.Individuals())
	return &shown
}

// around is the interval of the values' difference around the one that is told.
func around(floor smallgroup.Floor, arm smallgroup.Number, difference float64, g *uplift.Group) (low, high *float64) {
	if g.ValueLow == nil || g.ValueHigh == nil {
		return nil, nil
	}
	if floor <= 1 {
		return g.ValueLow, g.ValueHigh
	}
	reach := floor.Figure(arm, (*g.ValueHigh-*g.ValueLow)/2)
	if reach == nil {
		return nil, nil
	}
	from, to := difference-*reach, difference+*reach
	return &from, &to
}

// upliftOptions are what an answer depends on beside the groups.
func (r *Resolver) upliftOptions(ctx context.Context, outcome *model.EventSelector, window *time.Duration, asOf *time.Time) uplift.Options {
	o := uplift.Options{Outcome: eventOf(outcome), Window: upliftWindow, AsOf: r.asOf(ctx, asOf)}
	if window != nil {
		o.Window = *window
	}
	return o
}
