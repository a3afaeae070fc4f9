package population

import (
	"context"
	"errors"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/lifetime"
	"github.com/acquaint/acquaint/insight/recency"
	"github.com/acquaint/acquaint/insight/relationship"
	"github.com/acquaint/acquaint/insight/segment"
	"github.com/acquaint/acquaint/store"
)

// ForSegments makes the models that the rules of segments need of a population, as of a
// moment. A model that cannot be made, because too little is known, is missing, and why
// is said with the others.
func ForSegments(ctx context.Context, s *store.Survey, needs segment.Needs, asOf time.Time) (*segment.Models, error) {
	m := &segment.Models{AsOf: asOf}
	miss := func(what, why string) {
		if m.Missing == nil {
			m.Missing = map[string]string{}
		}
		m.Missing[what] = why
	}
	habit := func(o recency.HabitOptions) (segment.Wires, error) {
		t, _, err := store.Take(ctx, s, len(o.Event.Properties) > 0, func() *recency.HabitTally { return recency.NewHabitTally(o) })
		if err != nil {
			return segment.Wires{}, err
		}
		return segment.WiresOf(t.Habit()), nil
	}
	for _, event := range needs.Habits {
		wires, err := habit(recency.HabitOptions{Event: event, AsOf: asOf})
		if err != nil {
			return nil, err
		}
		if m.Habits == nil {
			m.Habits = map[string]segment.Wires{}
		}
		m.Habits[segment.SelectorKey(&event)] = wires
	}
	if needs.Visits {
		wires, err := habit(recency.HabitOptions{Event: insight.AnyInbound(), AsOf: asOf, Quiet: relationship.Quiet})
		if err != nil {
			return nil, err
		}
		m.Visits = &wires
	}
	if needs.Cuts {
		o := recency.RFMOptions{Event: insight.AnyInbound(), AsOf: asOf}
		t, _, err := store.Take(ctx, s, false, func() *recency.RFMTally { return recency.NewRFMTally(o) })
		if err != nil {
			return nil, err
		}
		if cuts, ok := t.Cuts(); ok {
			m.Cuts = &cuts
		} else {
			miss("cuts", "nobody whom the purpose covers has done anything yet")
		}
	}
	if needs.Lifetime {
		o := lifetime.Options{Event: insight.AnyInbound(), Model: lifetime.DefaultModel, AsOf: asOf, Horizon: lifetime.DefaultHorizon, Zone: time.UTC}
		t, _, err := store.Take(ctx, s, false, func() *lifetime.Purchases { return lifetime.NewPurchases(&o) })
		if err != nil {
			return nil, err
		}
		fit, err := t.Fit()
		var e *insight.Error
		switch {
		case err == nil:
			m.Lifetime = fit
		case errors.As(err, &e) && e.Kind == insight.Conflict:
			miss("lifetime", e.Message)
		default:
			return nil, err
		}
	}
	return m, nil
}
