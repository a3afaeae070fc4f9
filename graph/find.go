package graph

import (
	"context"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/graph/node"
	"github.com/acquaint/acquaint/graph/viewer"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/segment"
	"github.com/acquaint/acquaint/store"
)

// find finds what an id names. Channels, sources, purposes, segments and experiences are
// nobody's data; everything else goes through a reader.
func (r *Resolver) find(ctx context.Context, text string) (node.Node, error) {
	prefix, id, err := insight.ParseID(text)
	if err != nil {
		return nil, err
	}
	switch prefix {
	case insight.ChannelPrefix, insight.SourcePrefix, insight.PurposePrefix:
		return r.findNamed(ctx, prefix, id)
	case insight.SegmentPrefix:
		if err := r.sources(ctx); err != nil {
			return nil, err
		}
		found, err := r.Store.SegmentByID(ctx, id)
		if err != nil {
			return nil, err
		}
		return node.NewSegment(found), nil
	case insight.ExperiencePrefix:
		if err := r.sources(ctx); err != nil {
			return nil, err
		}
		found, err := r.Store.ExperienceByID(ctx, id)
		if err != nil {
			return nil, err
		}
		return &node.Experience{Experience: found}, nil
	case insight.IndividualPrefix, insight.SessionPrefix, insight.InteractionPrefix, insight.LinkPrefix, insight.ConsentPrefix, insight.RequestPrefix, insight.MembershipPrefix:
	default:
		return nil, insight.NewError(insight.NotFound, "id", "it names nothing that exists")
	}
	reader, err := r.reader(ctx)
	if err != nil {
		return nil, err
	}
	switch prefix {
	case insight.IndividualPrefix:
		i, err := reader.Find(ctx, store.Lookup{ID: id})
		if err != nil {
			return nil, err
		}
		return node.NewIndividual(reader, i), nil
	case insight.SessionPrefix:
		s, err := reader.Session(ctx, id)
		if err != nil {
			return nil, err
		}
		return node.NewSession(reader, s), nil
	case insight.InteractionPrefix:
		x, err := reader.Interaction(ctx, id)
		if err != nil {
			return nil, err
		}
		return node.NewInteractions(reader, []*insight.Interaction{x})[0], nil
	case insight.ConsentPrefix:
		d, err := reader.Consent(ctx, id)
		if err != nil {
			return nil, err
		}
		return &node.Consent{Consent: d}, nil
	case insight.MembershipPrefix:
		m, err := reader.Membership(ctx, id)
		if err != nil {
			return nil, err
		}
		return node.NewMemberships(reader, []*segment.Membership{m})[0], nil
	case insight.RequestPrefix:
		q, err := reader.Request(ctx, id)
		if err != nil {
			return nil, err
		}
		return &node.Request{Request: q}, nil
	}
	l, err := reader.Link(ctx, id)
	if err != nil {
		return nil, err
	}
	return &node.Link{Evidence: l}, nil
}

func (r *Resolver) findNamed(ctx context.Context, prefix string, id uuid.UUID) (node.Node, error) {
	if _, err := viewer.Require(ctx); err != nil {
		return nil, err
	}
	if prefix == insight.SourcePrefix {
		if err := r.sources(ctx); err != nil {
			return nil, err
		}
	}
	named, err := r.Store.Named(ctx, id)
	if err != nil {
		return nil, err
	}
	switch v := named.(type) {
	case *insight.Channel:
		if prefix == insight.ChannelPrefix {
			return &node.Channel{Channel: v}, nil
		}
	case *insight.Source:
		if prefix == insight.SourcePrefix {
			return &node.Source{Source: v}, nil
		}
	case *insight.Purpose:
		if prefix == insight.PurposePrefix {
			return &node.Purpose{Purpose: v}, nil
		}
	}
	return nil, insight.NewError(insight.NotFound, "id", "it names nothing that exists")
}
