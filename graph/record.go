package graph

import (
	"context"
	"errors"
	"fmt"

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/ingest"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/store"
)

// largestRecording is how many interactions one mutation takes.
const largestRecording = 1000

// source finds the source that a mutation names.
func (r *Resolver) source(ctx context.Context, name *string) (*insight.Source, error) {
	if name == nil {
		return r.Store.Source(ctx, store.APISource)
	}
	s, err := r.Store.Source(ctx, *name)
	if err != nil {
		return nil, at("input.source", err)
	}
	return s, nil
}

// record keeps interactions, each by itself.
func (r *Resolver) record(ctx context.Context, source *insight.Source, inputs []*model.InteractionInput) (*model.RecordInteractionsPayload, error) {
	ids := make([]string, len(inputs))
	for n, in := range inputs {
		ids[n] = in.MessageID
	}
	now := r.now()
	return r.tell(ctx, ids, func(n int) (*insight.Event, error) {
		in, subject := inputs[n], fmt.Sprintf("input.interactions[%d]", n)
		recording := ingest.Recording{
			MessageID: in.MessageID, UserID: deref(in.UserID), AnonymousID: deref(in.AnonymousID), Type: in.Type, Channel: deref(in.Channel),
			Direction: deref(in.Direction), OccurredAt: in.OccurredAt, Value: in.Value, Currency: deref(in.Currency), Properties: in.Properties,
		}
		if c := in.Campaign; c != nil {
			recording.Campaign = insight.Campaign{Name: deref(c.Name), Source: deref(c.Source), Medium: deref(c.Medium), Term: deref(c.Term), Content: deref(c.Content)}
		}
		if err := namedChannel(subject+".channel", in.Channel); err != nil {
			return nil, err
		}
		return recording.Event(ctx, r.Decoder, source, now, subject)
	})
}

// tell keeps what events tell, each by itself; they have these message ids.
func (r *Resolver) tell(ctx context.Context, messageIDs []string, event func(n int) (*insight.Event, error)) (*model.RecordInteractionsPayload, error) {
	payload := &model.RecordInteractionsPayload{Rejected: []*model.Rejection{}}
	reject := func(index int, err error) error {
		var wrong *insight.Error
		if !errors.As(err, &wrong) || wrong.Kind != insight.Invalid && wrong.Kind != insight.Exhausted {
			return err
		}
		payload.Rejected = append(payload.Rejected, &model.Rejection{Index: index, MessageID: &messageIDs[index], Code: "BAD_USER_INPUT", Message: wrong.Error()})
		return nil
	}
	events, indexes := make([]*insight.Event, 0, len(messageIDs)), make([]int, 0, len(messageIDs))
	for n := range messageIDs {
		e, err := event(n)
		if err != nil {
			if err := reject(n, err); err != nil {
				return nil, err
			}
			continue
		}
		events, indexes = append(events, e), append(indexes, n)
	}
	outcomes, err := r.Ingest.Submit(ctx, events)
	if err != nil {
		return nil, err
	}
	for n, o := range outcomes {
		switch o.Status {
		case insight.StatusAccepted:
			payload.Accepted++
		case insight.StatusDuplicate:
			payload.Duplicates++
		case insight.StatusWithheld:
			payload.Withheld++
		case insight.StatusRejected:
			if err := reject(indexes[n], o.Err); err != nil {
				return nil, err
			}
		}
	}
	return payload, nil
}
