package graph

import (
	"context"
	"time"

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/graph/node"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/recency"
	"github.com/acquaint/acquaint/insight/smallgroup"
	"github.com/acquaint/acquaint/store"
)

// habit is the population's, with which the individual and its siblings are compared.
func (r *Resolver) habit(ctx context.Context, obj *node.Individual, o recency.HabitOptions, live bool) (*recency.Habit, error) {
	return node.Compared(ctx, obj, func(reader *store.Reader) (*recency.Habit, error) { return r.Models.Habit(ctx, reader, o, live) })
}

// scores are somebody's beside everyone's; nil without cuts to compare them with, and
// when they never did it.
func scores(t insight.Timeline, s insight.Selector, at time.Time, cuts *recency.Cuts) *model.Rfm {
	if cuts == nil {
		return nil
	}
	of, ok := recency.RFMOf(t, s, at, *cuts)
	if !ok {
		return nil
	}
	return &model.Rfm{
		RecencyDays: of.RecencyDays, Frequency: of.Frequency, Monetary: of.Monetary,
		R: of.R, F: of.F, M: of.M, Score: of.Score, Segment: of.Segment,
	}
}

// Of the reports below the parts are those who did it at all, and it is their number
// that the parts are hidden under: the shares tell it. That they are a part of the
// population in turn asks for nothing more (smallgroup.Floor.Nested).

// recencyReport tells how recent everyone is, with the numbers that the viewer may be
// told.
func recencyReport(of recency.BandReport, floor smallgroup.Floor) *model.RecencyReport {
	now, before := make([]int, len(of.Bands)), make([]int, len(of.Bands))
	for n, b := range of.Bands {
		now[n], before[n] = b.Individuals, b.Before
	}
	all, shown := floor.Partition(now)
	_, were := floor.Partition(before)
	report := &model.RecencyReport{Population: floor.Number(of.Population).Individuals(), AsOf: of.AsOf, Bands: make([]*model.RecencyBand, len(of.Bands))}
	for n, b := range of.Bands {
		report.Bands[n] = &model.RecencyBand{
			From: b.From, To: b.To, Individuals: shown[n].Individuals(), Share: smallgroup.Rate(shown[n], all),
			RespondedNext: smallgroup.Rate(floor.Number(b.Responded), were[n]), Value: floor.Value(shown[n], b.Worth), Suppressed: shown[n].Suppressed(),
		}
	}
	return report
}

// latencyReport tells how long each step takes, with the numbers that the viewer may be
// told.
func latencyReport(of recency.LatencyReport, floor smallgroup.Floor) *model.LatencyReport {
	made := make([]int, len(of.Steps))
	for n, s := range of.Steps {
		made[n] = s.Individuals
	}
	report := &model.LatencyReport{Population: floor.Number(of.Population).Individuals(), AsOf: of.AsOf, Steps: make([]*model.LatencyStep, len(of.Steps))}
	for n, shown := range floor.Nested(made) {
		s := &of.Steps[n]
		report.Steps[n] = &model.LatencyStep{
			Step: s.Step, Individuals: shown.Individuals(), Mean: span(floor, shown, s.Mean), Median: span(floor, shown, s.Median),
			Overdue: floor.Number(s.Overdue).Individuals(), Suppressed: shown.Suppressed(),
		}
	}
	return report
}

// lifecycleGrid tells everyone by recency and frequency, with the numbers that the viewer
// may be told.
func lifecycleGrid(of recency.GridReport, floor smallgroup.Floor) *model.LifecycleGrid {
	now, before := make([]int, len(of.Cells)), make([]int, len(of.Cells))
	for n, c := range of.Cells {
		now[n], before[n] = c.Individuals, c.Before
	}
	_, shown := floor.Partition(now)
	_, were := floor.Partition(before)
	grid := &model.LifecycleGrid{Population: floor.Number(of.Population).Individuals(), AsOf: of.AsOf, Cells: make([]*model.GridCell, len(of.Cells))}
	for n, c := range of.Cells {
		grid.Cells[n] = &model.GridCell{
			RecencyFrom: c.RecencyFrom, RecencyTo: c.RecencyTo, FrequencyFrom: c.FrequencyFrom, FrequencyTo: c.FrequencyTo,
			Individuals: shown[n].Individuals(), Value: floor.Value(shown[n], c.Worth), Change: smallgroup.Change(shown[n], were[n]), Suppressed: shown[n].Suppressed(),
		}
	}
	return grid
}

// rfmReport tells everyone by their scores, with the numbers that the viewer may be told.
func rfmReport(of recency.RFMReport, floor smallgroup.Floor) *model.RFMReport {
	segments := make([]int, len(of.Segments))
	for n, s := range of.Segments {
		segments[n] = s.Individuals
	}
	all, shown := floor.Partition(segments)
	report := &model.RFMReport{
		Population: floor.Number(of.Population).Individuals(), AsOf: of.AsOf,
		RecencyCuts: []float64{}, FrequencyCuts: []float64{}, MonetaryCuts: []float64{}, Segments: make([]*model.RFMSegment, len(of.Segments)),
	}
	if c := of.Cuts; c != nil {
		report.RecencyCuts, report.FrequencyCuts, report.MonetaryCuts = figures(c.Recency[:], all, floor), figures(c.Frequency[:], all, floor), figures(c.Monetary[:], all, floor)
	}
	for n, s := range of.Segments {
		report.Segments[n] = &model.RFMSegment{
			Name: s.Name, Individuals: shown[n].Individuals(), Interactions: things(floor.Value(shown[n], s.Interactions)),
			Value: floor.Value(shown[n], s.Worth), Suppressed: shown[n].Suppressed(),
		}
	}
	return report
}

// figures tells figures of a group; none of them where one is not told.
func figures(of []float64, group smallgroup.Number, floor smallgroup.Floor) []float64 {
	told := make([]float64, len(of))
	for n, figure := range of {
		shown := floor.Figure(group, figure)
		if shown == nil {
			return []float64{}
		}
		told[n] = *shown
	}
	return told
}

// things is a number of things.
func things(value *float64) *int {
	if value == nil {
		return nil
	}
	n := int(*value)
	return &n
}

// given is a list that an argument gives, and otherwise what a missing one means.
func given[T any](list []T, otherwise func() []T) []T {
	if list == nil {
		return otherwise()
	}
	return list
}
