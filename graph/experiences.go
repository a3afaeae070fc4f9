package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/graph/viewer"
	"github.com/acquaint/acquaint/ingest"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/experience"
	"github.com/acquaint/acquaint/store"
)

// defaultHoldout is the share that is held out, unless it is said.
const defaultHoldout = 0.1

// newExperience reads an experience that is to be.
func newExperience(in *model.CreateExperienceInput) store.NewExperience {
	n := store.NewExperience{
		Key: in.Key, Name: in.Name, Description: deref(in.Description), Purpose: in.Purpose, Holdout: defaultHoldout,
		Variants: variants(in.Variants), Cap: capOf(in.Cap),
	}
	if in.Holdout != nil {
		n.Holdout = *in.Holdout
	}
	return n
}

func variants(in []*model.ExperienceVariantInput) []experience.Variant {
	if in == nil {
		return nil
	}
	all := make([]experience.Variant, len(in))
	for n, v := range in {
		all[n] = experience.Variant{
			Key: v.Key, Name: deref(v.Name), Benefit: v.Benefit, Segment: deref(v.Segment), Payload: object(v.Payload), Traits: v.Traits, Weight: deref(v.Weight),
		}
	}
	return all
}

func capOf(in *model.ExperienceCapInput) *experience.Cap {
	if in == nil {
		return nil
	}
	return &experience.Cap{Count: in.Count, Per: in.Per}
}

// object is JSON that is to be an object; null is none.
func object(in json.RawMessage) json.RawMessage {
	if string(bytes.TrimSpace(in)) == "null" {
		return nil
	}
	return in
}

// engaged is the experience of a key, for a viewer who may decide in it: they hold
// engage:write, and declare its purpose.
func (r *Resolver) engaged(ctx context.Context, key string) (*insight.Viewer, *experience.Experience, error) {
	if err := r.require(ctx, insight.ScopeEngageWrite); err != nil {
		return nil, nil, err
	}
	v, err := viewer.Require(ctx)
	if err != nil {
		return nil, nil, err
	}
	e, err := r.Store.Experience(ctx, key)
	if err != nil {
		return nil, nil, at("input.experience", err)
	}
	declared, err := v.Declared()
	if err == nil {
		err = declares(declared, "input.experience", e)
	}
	return v, e, err
}

// declares refuses a request that declares another purpose than an experience is for.
func declares(purpose, argument string, e *experience.Experience) error {
	if purpose == e.Purpose.Key {
		return nil
	}
	return insight.NewError(insight.Denied, argument, "it is for the purpose "+e.Purpose.Key+", and the request declares another one")
}

// decide decides what an individual is offered.
func (r *Resolver) decide(ctx context.Context, in *model.DecideInput) (*store.Decided, error) {
	v, e, err := r.engaged(ctx, in.Experience)
	if err != nil {
		return nil, err
	}
	asking := store.Asking{Experience: e, Context: object(in.Context), Viewer: v}
	if asking.Who, err = r.lookup("input.individual", in.Individual); err != nil {
		return nil, err
	}
	if err := r.checkContext(ctx, asking.Context); err != nil {
		return nil, err
	}
	if in.Channel != nil {
		if err := namedChannel("input.channel", in.Channel); err != nil {
			return nil, err
		}
		if asking.Channel, err = r.Store.Channel(ctx, *in.Channel, ""); err != nil {
			return nil, at("input.channel", err)
		}
	}
	told, err := r.Options.Decide(ctx, []store.Asking{asking})
	if err != nil {
		return nil, err
	}
	return told[0], nil
}

// checkContext refuses what cannot be kept with an offer, by what is asked of the
// properties of whatever happens.
func (r *Resolver) checkContext(ctx context.Context, given json.RawMessage) error {
	c := bytes.TrimSpace(given)
	switch {
	case len(c) == 0:
		return nil
	case len(c) > experience.MaxPayload:
		return insight.NewError(insight.Invalid, "input.context", fmt.Sprintf("it is of %d bytes; at most %d are taken", len(c), experience.MaxPayload))
	case c[0] != '{':
		return insight.NewError(insight.Invalid, "input.context", "it is not a JSON object")
	}
	source, err := r.Store.Source(ctx, store.APISource)
	if err != nil {
		return err
	}
	as := ingest.Recording{MessageID: store.DecisionType, AnonymousID: store.DecisionType, Type: store.DecisionType, OccurredAt: r.now(), Properties: c}
	_, err = as.Event(ctx, r.Decoder, source, r.now(), "input")
	var wrong *insight.Error
	if errors.As(err, &wrong) && wrong.Kind == insight.Invalid {
		return insight.NewError(insight.Invalid, strings.Replace(wrong.Subject, "input.properties", "input.context", 1), wrong.Message)
	}
	return err
}

// namedChannel refuses a channel without a name.
func namedChannel(argument string, key *string) error {
	if key != nil && *key == "" {
		return insight.NewError(insight.Invalid, argument, "it is empty; leave it out for the source's own")
	}
	return nil
}

// recordDecisions keeps what was decided elsewhere.
func (r *Resolver) recordDecisions(ctx context.Context, in *model.RecordDecisionsInput) (*model.RecordDecisionsPayload, error) {
	_, e, err := r.engaged(ctx, in.Experience)
	if err != nil {
		return nil, err
	}
	if n := len(in.Decisions); n > largestRecording {
		return nil, insight.NewError(insight.Exhausted, "input.decisions", fmt.Sprintf("there are %d; at most %d are taken at a time", n, largestRecording))
	}
	source, err := r.source(ctx, in.Source)
	if err != nil {
		return nil, err
	}
	now := r.now()
	ids := make([]string, len(in.Decisions))
	for n, d := range in.Decisions {
		ids[n] = d.MessageID
	}
	told, err := r.tell(ctx, ids, func(n int) (*insight.Event, error) {
		d, subject := in.Decisions[n], fmt.Sprintf("input.decisions[%d]", n)
		recording := ingest.Recording{
			MessageID: d.MessageID, UserID: deref(d.UserID), AnonymousID: deref(d.AnonymousID), Type: store.DecisionType, Channel: deref(d.Channel),
			Direction: insight.Outbound, OccurredAt: d.DecidedAt,
		}
		of := &insight.Assignment{ExperienceID: e.ID}
		if d.Variant != nil {
			if has, err := r.Store.HasVariant(ctx, e, *d.Variant); err != nil {
				return nil, err
			} else if !has {
				return nil, insight.NewError(insight.Invalid, subject+".variant", "the experience has no such variant")
			}
			of.Variant = *d.Variant
			recording.Properties = store.DecisionProperties(e.Key, of.Variant, nil)
		}
		if err := namedChannel(subject+".channel", d.Channel); err != nil {
			return nil, err
		}
		event, err := recording.Event(ctx, r.Decoder, source, now, subject)
		if err != nil {
			return nil, renamed(err, subject+".occurredAt", subject+".decidedAt")
		}
		event.Assignment, event.Statement = of, d.Variant == nil
		return event, nil
	})
	return (*model.RecordDecisionsPayload)(told), err
}
