package graph

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/graph/node"
	"github.com/acquaint/acquaint/ingest/tracking"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/store"
)

// archiveTime is for how long an archive may be downloaded.
const archiveTime = time.Hour

func (r *Resolver) requestExport(ctx context.Context, v *insight.Viewer, who store.Lookup, kind insight.RequestKind) (*model.RequestExportPayload, error) {
	switch kind {
	case "":
		kind = insight.RequestAccess
	case insight.RequestAccess, insight.RequestPortability:
	default:
		return nil, insight.NewError(insight.Invalid, "input.kind", "an archive is asked for by ACCESS or PORTABILITY")
	}
	// Not whom they are known as now: when they part again, it is theirs still.
	id, err := r.Store.Origin(ctx, who)
	if err != nil {
		return nil, under("input", err)
	}
	asked, signed, err := r.Store.RequestExport(ctx, id, kind, store.Asked{By: asks(v)})
	if err != nil {
		return nil, under("input", err)
	}
	until := r.now().Add(archiveTime).Truncate(time.Second)
	query := url.Values{"until": {strconv.FormatInt(until.Unix(), 10)}, "ticket": {r.Store.Ticket(asked.ID, until)}}
	return &model.RequestExportPayload{
		Request: &node.Request{Request: asked}, URL: "/v1/exports/" + insight.FormatID(insight.RequestPrefix, asked.ID) + "?" + query.Encode(), ExpiresAt: until, Receipt: signed,
	}, nil
}

func (r *Resolver) rectify(ctx context.Context, v *insight.Viewer, who store.Lookup, traits []byte, reason string) (*model.RectifyPayload, error) {
	if _, err := reasoned(reason); err != nil {
		return nil, err
	}
	observations, err := tracking.Observations(traits, r.Decoder.Sensitive)
	if err != nil {
		return nil, under("input", err)
	}
	if len(observations) == 0 {
		return nil, insight.NewError(insight.Invalid, "input.traits", "name at least one trait")
	}
	id, err := r.Store.Find(ctx, who)
	if err != nil {
		return nil, under("input", err)
	}
	done, signed, err := r.Store.Rectify(ctx, id, observations, store.Asked{By: asks(v), Reason: reason})
	if err != nil {
		return nil, under("input", err)
	}
	return &model.RectifyPayload{Request: &node.Request{Request: done}, Individual: r.shown(ctx, store.Lookup{ID: id}), Receipt: signed}, nil
}

func (r *Resolver) object(ctx context.Context, v *insight.Viewer, who store.Lookup, keys []string, reason string) (*model.ObjectPayload, error) {
	if keys == nil {
		purposes, err := r.Store.Purposes(ctx)
		if err != nil {
			return nil, err
		}
		for _, p := range purposes {
			if p.LegalBasis == insight.BasisLegitimateInterest {
				keys = append(keys, p.Key)
			}
		}
	}
	claims, err := r.withdrawals(ctx, v, keys, reason)
	if err != nil {
		return nil, err
	}
	for n, c := range claims {
		if !c.Purpose.LegalBasis.Choice() {
			return nil, insight.NewError(insight.Invalid, fmt.Sprintf("input.purposes[%d]", slices.Index(keys, c.Purpose.Key)), "its legal basis knows no objection")
		}
		claims[n].Decision = insight.ConsentDenied
	}
	id, err := r.Store.Find(ctx, who)
	if err != nil {
		return nil, under("input", err)
	}
	asked, signed, done, err := r.Store.Object(ctx, id, claims, store.Asked{By: asks(v), Reason: reason})
	if err != nil {
		return nil, under("input", err)
	}
	return &model.ObjectPayload{Request: &node.Request{Request: asked}, Consents: node.NewConsents(done.Records), States: r.statesOf(done, claims), Receipt: signed}, nil
}

// asks is who asks for something, as receipts tell it.
func asks(v *insight.Viewer) string {
	switch {
	case v.May(insight.ScopeSelf):
		return store.Themselves
	case v.Subject == store.Themselves: // somebody else who calls themselves so
		return "operator: " + v.Subject
	}
	return v.Subject
}
