package graph

import (
	"time"

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/lifetime"
	"github.com/acquaint/acquaint/insight/smallgroup"
	"github.com/acquaint/acquaint/store"
)

// lifetimeOptions read a question about buying and leaving.
func lifetimeOptions(event *model.EventSelector, by *model.LifetimeModel, horizon *time.Duration, timeZone *string, asOf time.Time) (lifetime.Options, error) {
	o := lifetime.Options{
		Model: lifetime.Model(otherwise(by, model.LifetimeModel(lifetime.DefaultModel))), AsOf: asOf, Horizon: otherwise(horizon, lifetime.DefaultHorizon),
	}
	var err error
	if o.Event, err = selector("event", event, insight.AnyInbound()); err != nil {
		return o, err
	}
	if o.Zone, err = zone(timeZone); err != nil {
		return o, err
	}
	return o, o.Validate()
}

// lifetimeOf tells what is to be expected of somebody.
func lifetimeOf(s lifetime.Summary, fit *lifetime.Fit, horizon time.Duration) *model.Lifetime {
	future := fit.Future(s, horizon)
	return &model.Lifetime{
		Model: model.LifetimeModel(fit.Model), Frequency: s.Frequency, ProbabilityAlive: future.ProbabilityAlive,
		ExpectedCount: future.ExpectedCount, ExpectedValue: future.ExpectedValue,
	}
}

// lifetimeReport tells how everyone buys and leaves, with the numbers that the viewer
// may be told.
func lifetimeReport(purchases *lifetime.Purchases, survey *store.Survey) (*model.LifetimeReport, error) {
	floor := survey.Floor()
	few := insight.NewError(insight.Denied, "lifetime", "too few individuals have purchased for this viewer to be told about them")
	population := floor.Number(purchases.Population())
	if population.Suppressed() {
		return nil, few
	}
	report, err := purchases.Report()
	if err != nil {
		if floor.Number(0).Suppressed() && insight.KindOf(err) == insight.Conflict {
			// Why may be that hardly anybody purchased, or nobody again.
			return nil, insight.NewError(insight.Conflict, "lifetime", "too little is known to fit the model")
		}
		return nil, err
	}
	buyers := floor.Number(report.Buyers)
	if buyers.Suppressed() {
		return nil, few
	}
	// What is expected of each adds up, so it is told as anything that does.
	total := func(sum float64) *float64 {
		return floor.Value(buyers, smallgroup.Worth{Individuals: report.Buyers, Sum: sum})
	}
	told := &model.LifetimeReport{
		Population: population.Individuals(), AsOf: report.AsOf, Model: model.LifetimeModel(report.Fit.Model),
		Parameters: parameters(floor, buyers, report.Fit.Parameters), LogLikelihood: deref(floor.Figure(buyers, report.Fit.LogLikelihood)),
		Spend: parameters(floor, buyers, report.Fit.Spend), SpendLogLikelihood: figure(floor, buyers, report.Fit.SpendLogLikelihood),
		ExpectedCount: deref(total(report.ExpectedCount)), // cut off, so that little is told as nothing
	}
	if report.ExpectedValue != nil {
		told.ExpectedValue = total(*report.ExpectedValue)
	}
	cells := make([]int, len(report.ProbabilityAlive))
	for n := range report.ProbabilityAlive {
		cells[n] = report.ProbabilityAlive[n].Individuals
	}
	_, shown := floor.Partition(cells)
	for n, b := range report.ProbabilityAlive {
		told.ProbabilityAlive = append(told.ProbabilityAlive, &model.ProbabilityBand{
			From: b.From, To: b.To, Individuals: shown[n].Individuals(), Suppressed: shown[n].Suppressed(),
		})
	}
	return told, nil
}

func parameters(floor smallgroup.Floor, group smallgroup.Number, all []lifetime.Parameter) []*model.Parameter {
	told := make([]*model.Parameter, len(all))
	for n, p := range all {
		told[n] = &model.Parameter{Name: p.Name, Value: deref(floor.Figure(group, p.Value))}
	}
	return told
}
