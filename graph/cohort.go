package graph

import (
	"fmt"
	"time"

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/cohort"
	"github.com/acquaint/acquaint/insight/smallgroup"
	"github.com/acquaint/acquaint/store"
)

// zone reads the name of a time zone; none is UTC.
func zone(name *string) (*time.Location, error) {
	if name == nil {
		return time.UTC, nil
	}
	// Go takes two names more than there are: the one of the machine's own zone, and none.
	if *name != "" && *name != "Local" {
		if z, err := time.LoadLocation(*name); err == nil {
			return z, nil
		}
	}
	return nil, insight.NewError(insight.Invalid, "timeZone", "there is no such time zone; they are such as UTC or Europe/Zurich")
}

// calendar reads how time is divided.
func calendar(interval model.Interval, timeZone *string, weekStart *model.WeekStart) (cohort.Calendar, error) {
	z, err := zone(timeZone)
	return cohort.Calendar{
		Interval: cohort.Interval(interval), WeekStart: cohort.WeekStart(otherwise(weekStart, model.WeekStart(cohort.DefaultWeekStart))), Zone: z,
	}, err
}

// activityOptions read a question about who was active when.
func activityOptions(event *model.EventSelector, interval model.Interval, from, to time.Time, timeZone *string, weekStart *model.WeekStart, asOf time.Time) (cohort.ActivityOptions, error) {
	o := cohort.ActivityOptions{From: from, To: to, AsOf: asOf}
	var err error
	if o.Event, err = optional("event", event); err != nil {
		return o, err
	}
	if o.Calendar, err = calendar(interval, timeZone, weekStart); err != nil {
		return o, err
	}
	return o, o.Validate()
}

// funnelOptions read a question about who goes how far.
func funnelOptions(steps []*model.EventSelector, window time.Duration, order *model.FunnelOrder, exclusions []*model.FunnelExclusion, asOf time.Time) (cohort.FunnelOptions, error) {
	o := cohort.FunnelOptions{
		Steps: make([]insight.Selector, len(steps)), Window: window, Order: cohort.Order(otherwise(order, model.FunnelOrder(cohort.DefaultOrder))),
		Exclusions: make([]cohort.Exclusion, len(exclusions)), AsOf: asOf,
	}
	var err error
	for n, s := range steps {
		if o.Steps[n], err = selector(fmt.Sprintf("steps[%d]", n), s, insight.Selector{}); err != nil {
			return o, err
		}
	}
	for n, e := range exclusions {
		o.Exclusions[n].AfterStep, o.Exclusions[n].BeforeStep = e.AfterStep, e.BeforeStep
		if o.Exclusions[n].Event, err = selector(fmt.Sprintf("exclusions[%d].event", n), e.Event, insight.Selector{}); err != nil {
			return o, err
		}
	}
	return o, o.Validate()
}

// conditionalFunnel reports whether a funnel has conditions on properties.
func conditionalFunnel(o *cohort.FunnelOptions) bool {
	for n := range o.Steps {
		if conditional(&o.Steps[n]) {
			return true
		}
	}
	for n := range o.Exclusions {
		if conditional(&o.Exclusions[n].Event) {
			return true
		}
	}
	return false
}

// lifecycleReport tells who came and who stayed away, with the numbers that the viewer
// may be told.
func lifecycleReport(report *cohort.LifecycleReport, survey *store.Survey) *model.LifecycleReport {
	floor := survey.Floor()
	told := &model.LifecycleReport{Buckets: make([]*model.LifecycleBucket, len(report.Buckets))}
	for n, b := range report.Buckets {
		// Together they are all who came, which other reports tell.
		_, came := floor.Partition([]int{b.New, b.Returning, b.Resurrecting})
		dormant := floor.Number(-b.Dormant)
		bucket := &model.LifecycleBucket{
			From: b.From, New: came[0].Individuals(), Returning: came[1].Individuals(), Resurrecting: came[2].Individuals(),
			Suppressed: came[0].Suppressed() || came[1].Suppressed() || came[2].Suppressed() || dormant.Suppressed(),
		}
		if away := dormant.Individuals(); away != nil {
			fewer := -*away
			bucket.Dormant = &fewer
		}
		told.Buckets[n] = bucket
	}
	return told
}

// retentionReport tells who came back, with the numbers that the viewer may be told.
func retentionReport(report *cohort.RetentionReport, survey *store.Survey) *model.RetentionReport {
	floor := survey.Floor()
	told := &model.RetentionReport{Cohorts: make([]*model.RetentionCohort, len(report.Cohorts))}
	for n, c := range report.Cohorts {
		row := &model.RetentionCohort{From: c.From, Size: floor.Number(c.Size).Individuals(), Counts: make([]*int, report.Columns)}
		for column, back := range floor.Numbers(c.Counts) {
			row.Counts[column] = back.Individuals()
		}
		told.Cohorts[n] = row
	}
	return told
}

// stickinessReport tells how many came how often, with the numbers that the viewer may
// be told.
func stickinessReport(report *cohort.StickinessReport, survey *store.Survey) *model.StickinessReport {
	floor := survey.Floor()
	told := &model.StickinessReport{Counts: make([]*model.StickinessCount, len(report.Counts))}
	for n, c := range report.Counts {
		group := floor.Number(c.Individuals)
		told.Counts[n] = &model.StickinessCount{ActiveBuckets: c.ActiveBuckets, Individuals: group.Individuals(), Suppressed: group.Suppressed()}
	}
	return told
}

// funnelReport tells who went how far, with the numbers that the viewer may be told.
func funnelReport(report *cohort.FunnelReport, survey *store.Survey) *model.FunnelReport {
	floor := survey.Floor()
	reached := make([]int, len(report.Steps))
	for n := range report.Steps {
		reached[n] = report.Steps[n].Individuals
	}
	groups := floor.Nested(reached)
	told := &model.FunnelReport{Population: floor.Number(report.Population).Individuals(), Steps: make([]*model.FunnelStep, len(report.Steps))}
	for n, s := range report.Steps {
		told.Steps[n] = &model.FunnelStep{
			Step: s.Step, Individuals: groups[n].Individuals(), Suppressed: groups[n].Suppressed(),
			Conversion:          smallgroup.Rate(groups[n], groups[0]),
			AverageFromPrevious: span(floor, groups[n], s.AverageFromPrevious), MedianFromPrevious: span(floor, groups[n], s.MedianFromPrevious),
		}
	}
	return told
}
