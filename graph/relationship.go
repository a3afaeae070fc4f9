package graph

import (
	"context"
	"time"

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/recency"
	"github.com/acquaint/acquaint/insight/relationship"
	"github.com/acquaint/acquaint/insight/smallgroup"
	"github.com/acquaint/acquaint/store"
)

// visits are the options of the habit that a relationship is measured by.
func visits(at time.Time) recency.HabitOptions {
	return recency.HabitOptions{Event: insight.AnyInbound(), AsOf: at, Quiet: relationship.Quiet}
}

// standing is what a relationship depends on beside the individual; without a habit their
// own gaps alone.
func standing(at time.Time, habit *recency.Habit) relationship.Options {
	o := relationship.Options{AsOf: at}
	if habit != nil {
		o.TripWire = habit.TripWire
	}
	return o
}

// relationshipOf tells how somebody stands with the business.
func relationshipOf(of relationship.Result) *model.Relationship {
	told := &model.Relationship{
		Status: model.RelationshipStatus(of.Status), Evidence: of.Evidence,
		Outreach: &model.Outreach{Advised: of.Outreach.Advised, Reason: of.Outreach.Reason},
	}
	if !of.Since.IsZero() {
		told.Since = &of.Since
	}
	return told
}

// relationships counts everyone by how they stand with the business. It looks at everyone
// twice, first for the trip wires of those who have none of their own.
func relationships(ctx context.Context, survey *store.Survey, at time.Time) (relationship.Report, error) {
	habits, _, err := store.Take(ctx, survey, false, func() *recency.HabitTally { return recency.NewHabitTally(visits(at)) })
	if err != nil {
		return relationship.Report{}, err
	}
	o := standing(at, habits.Habit())
	tally, _, err := store.Take(ctx, survey, false, func() *relationship.Tally { return relationship.NewTally(o) })
	if err != nil {
		return relationship.Report{}, err
	}
	return tally.Report(), nil
}

// relationshipReport tells how everyone stands, with the numbers that the viewer may be
// told.
func relationshipReport(of relationship.Report, floor smallgroup.Floor) *model.RelationshipReport {
	cells := make([]int, len(of.Counts))
	for n, c := range of.Counts {
		cells[n] = c.Individuals
	}
	population, shown := floor.Partition(cells)
	report := &model.RelationshipReport{Population: population.Individuals(), AsOf: of.AsOf, Counts: make([]*model.RelationshipCount, len(of.Counts))}
	for n, c := range of.Counts {
		report.Counts[n] = &model.RelationshipCount{Status: model.RelationshipStatus(c.Status), Individuals: shown[n].Individuals(), Suppressed: shown[n].Suppressed()}
	}
	return report
}
