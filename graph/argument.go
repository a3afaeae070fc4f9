package graph

import (
	"errors"
	_ "time/tzdata" // zones are known where the machine has no files of them

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/identity"
	"github.com/acquaint/acquaint/store"
)

// selector reads an event selector; otherwise is what a missing one means.
func selector(argument string, in *model.EventSelector, otherwise insight.Selector) (insight.Selector, error) {
	if in == nil {
		return otherwise, nil
	}
	s := eventOf(in)
	return s, s.Validate(argument)
}

// eventOf is an event selector as it is given, whether it can be meant or not.
func eventOf(in *model.EventSelector) insight.Selector {
	s := insight.Selector{
		Types: in.Types, Channels: in.Channels, ChannelKinds: in.ChannelKinds, Direction: deref(in.Direction),
		OccurredFrom: deref(in.OccurredFrom), OccurredTo: deref(in.OccurredTo), Currencies: in.Currencies,
	}
	if in.Properties != nil {
		s.Properties = make([]insight.PropertyCondition, len(in.Properties))
		for i, p := range in.Properties {
			s.Properties[i] = insight.PropertyCondition{Path: p.Path, Op: p.Op, Value: p.Value}
		}
	}
	return s
}

// traitRule is a condition on a trait as it is given.
func traitRule(in *model.TraitRule) *insight.TraitRule {
	return &insight.TraitRule{Key: in.Key, Op: in.Op, Value: in.Value, MinConfidence: deref(in.MinConfidence), Provenance: in.Provenance}
}

// filter reads the conditions of a list of individuals.
func filter(in *model.IndividualFilter) (store.Filter, error) {
	if in == nil {
		return store.Filter{}, nil
	}
	f := store.Filter{FirstSeenFrom: deref(in.FirstSeenFrom), LastSeenFrom: deref(in.LastSeenFrom), LastSeenTo: deref(in.LastSeenTo), Identified: in.Identified}
	if in.Event != nil {
		s, err := selector("where.event", in.Event, insight.Selector{})
		if err != nil {
			return f, err
		}
		f.Event = &s
	}
	if in.Trait != nil {
		f.Trait = traitRule(in.Trait)
		if err := f.Trait.Validate("where.trait"); err != nil {
			return f, err
		}
	}
	f.Segment = deref(in.Segment)
	if !f.LastSeenFrom.IsZero() && !f.LastSeenTo.IsZero() && f.LastSeenFrom.After(f.LastSeenTo) {
		return f, insight.NewError(insight.Invalid, "where.lastSeenFrom", "it is after lastSeenTo")
	}
	return f, nil
}

// order reads the order of a list of individuals.
func order(in *model.IndividualOrder) store.Order {
	if in == nil {
		return store.Order{Descending: true}
	}
	return store.Order{FirstSeen: in.Field == model.IndividualOrderFieldFirstSeenAt, Descending: in.Direction == model.OrderDirectionDesc}
}

// lookup reads one way to name an individual.
func (r *Resolver) lookup(argument string, in *model.IndividualLookup) (store.Lookup, error) {
	if in.ID != nil {
		id, err := insight.ParseIDOf(insight.IndividualPrefix, argument+".id", *in.ID)
		return store.Lookup{ID: id}, err
	}
	if in.External != nil {
		i, err := identity.NewExternal(in.External.Kind, in.External.Value)
		return store.Lookup{Identity: i}, at(argument+".external", err)
	}
	for _, way := range []struct {
		name  string
		kind  insight.IdentifierKind
		value *string
	}{
		{"userId", insight.UserID, in.UserID}, {"anonymousId", insight.AnonymousID, in.AnonymousID},
		{"email", insight.Email, in.Email}, {"phone", insight.Phone, in.Phone},
	} {
		if way.value != nil {
			i, err := identity.NewIdentity(way.kind, *way.value, r.Decoder.Region)
			return store.Lookup{Identity: i}, at(argument+"."+way.name, err)
		}
	}
	return store.Lookup{}, insight.NewError(insight.Invalid, argument, "name the individual in exactly one way")
}

// at gives an error about a value the name of the argument that held it.
func at(argument string, err error) error {
	var e *insight.Error
	if !errors.As(err, &e) || !named(e.Kind) {
		return err
	}
	return insight.NewError(e.Kind, argument, e.Message)
}

// renamed calls a value by the argument that it was given as.
func renamed(err error, from, to string) error {
	var e *insight.Error
	if !errors.As(err, &e) || e.Subject != from {
		return err
	}
	return &insight.Error{Op: e.Op, Kind: e.Kind, Subject: to, Message: e.Message, Cause: e.Cause}
}

// under puts an argument's name before the subjects of errors about its parts.
func under(argument string, err error) error {
	if several, is := err.(interface{ Unwrap() []error }); is { //nolint:errorlint // a join further down is one error's detail
		var all []error
		for _, one := range several.Unwrap() {
			all = append(all, under(argument, one))
		}
		return errors.Join(all...)
	}
	var e *insight.Error
	if !errors.As(err, &e) || !named(e.Kind) {
		return err
	}
	if e.Subject != "" {
		argument += "." + e.Subject
	}
	return insight.NewError(e.Kind, argument, e.Message)
}

// named reports whether errors of a kind are about what an argument says.
func named(k insight.Kind) bool {
	return k == insight.Invalid || k == insight.NotFound || k == insight.Conflict
}
