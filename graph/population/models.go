package population

import (
	"context"
	"encoding/json"
	"time"

	"github.com/acquaint/acquaint/insight/journey"
	"github.com/acquaint/acquaint/insight/lifetime"
	"github.com/acquaint/acquaint/insight/recency"
	"github.com/acquaint/acquaint/store"
)

// Models makes and keeps models of populations.
type Models struct{ keeper *keeper }

// New makes models of what a store holds. Fresh says that none is used after anything
// has changed, which tests want.
func New(s *store.Store, fresh bool) *Models {
	return &Models{newKeeper(func() uint64 { return s.Moved() }, fresh)}
}

// Close stops what is being made. Nothing may be asked afterwards.
func (m *Models) Close() { m.keeper.close() }

// Habit is what somebody's recency is compared with; nil for a reader of their own
// data, for whom nobody else exists. Live says that the options' AsOf is now.
func (m *Models) Habit(ctx context.Context, r *store.Reader, o recency.HabitOptions, live bool) (*recency.Habit, error) {
	return ask(ctx, m, r, "habit", live, &o.AsOf, &o, func(ctx context.Context, s *store.Survey) (*recency.Habit, error) {
		t, _, err := store.Take(ctx, s, len(o.Event.Properties) > 0, func() *recency.HabitTally { return recency.NewHabitTally(o) })
		if err != nil {
			return nil, err
		}
		return t.Habit(), nil
	})
}

// Cuts are the cuts between RFM scores; nil where nobody did it, and for a reader of
// their own data.
func (m *Models) Cuts(ctx context.Context, r *store.Reader, o recency.RFMOptions, live bool) (*recency.Cuts, error) {
	return ask(ctx, m, r, "rfm", live, &o.AsOf, &o, func(ctx context.Context, s *store.Survey) (*recency.Cuts, error) {
		t, _, err := store.Take(ctx, s, len(o.Event.Properties) > 0, func() *recency.RFMTally { return recency.NewRFMTally(o) })
		if err != nil {
			return nil, err
		}
		if cuts, ok := t.Cuts(); ok {
			return &cuts, nil
		}
		return nil, nil //nolint:nilnil // of nobody there are no cuts
	})
}

// Transitions are what leads to what; nil for a reader of their own data.
func (m *Models) Transitions(ctx context.Context, r *store.Reader, o journey.TransitionOptions, live bool) (*journey.TransitionReport, error) {
	return ask(ctx, m, r, "transitions", live, &o.AsOf, &o, func(ctx context.Context, s *store.Survey) (*journey.TransitionReport, error) {
		t, _, err := store.Take(ctx, s, len(o.Event.Properties) > 0, func() *journey.Transitions { return journey.NewTransitions(o) })
		if err != nil {
			return nil, err
		}
		report := t.Report()
		return &report, nil
	})
}

// Lifetime is the fit of a model of how everyone buys and leaves; nil for a reader of
// their own data. The error is of kind Conflict when too little is known to fit it.
func (m *Models) Lifetime(ctx context.Context, r *store.Reader, o lifetime.Options, live bool) (*lifetime.Fit, error) {
	o.Horizon = 0 // the fit looks at no horizon
	zone := o.Zone
	o.Zone = nil
	return ask(ctx, m, r, "lifetime "+zone.String(), live, &o.AsOf, &o, func(ctx context.Context, s *store.Survey) (*lifetime.Fit, error) {
		o.Zone = zone
		t, _, err := store.Take(ctx, s, len(o.Event.Properties) > 0, func() *lifetime.Purchases { return lifetime.NewPurchases(&o) })
		if err != nil {
			return nil, err
		}
		return t.Fit()
	})
}

// ask asks for the model of a kind and its options, whose moment is no part of the
// question where it is now.
func ask[T any](ctx context.Context, m *Models, r *store.Reader, kind string, live bool, asOf *time.Time, options any, build func(context.Context, *store.Survey) (*T, error)) (*T, error) {
	survey := r.Survey()
	if survey == nil {
		return nil, nil //nolint:nilnil // nobody else exists
	}
	at := *asOf
	if live {
		*asOf = time.Time{}
	}
	question, err := json.Marshal(struct {
		Kind, Purpose string
		Options       any
	}{kind, r.Purpose().Key, options})
	*asOf = at
	if err != nil {
		return nil, err
	}
	found, err := m.keeper.get(ctx, string(question), live, func(ctx context.Context) (any, error) { return build(ctx, survey) })
	if err != nil {
		return nil, err
	}
	return found.(*T), nil //nolint:forcetypeassert,errcheck // its kind is part of its key
}
