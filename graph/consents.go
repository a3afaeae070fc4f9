package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/graph/node"
	"github.com/acquaint/acquaint/graph/viewer"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/store"
)

// manages finds whom a mutation is about, for a viewer who holds the scope, or for
// somebody's own token when it is about themselves.
func (r *Resolver) manages(ctx context.Context, scope insight.Scope, in *model.IndividualLookup) (*insight.Viewer, store.Lookup, error) {
	v, err := viewer.Require(ctx)
	if err != nil {
		return nil, store.Lookup{}, err
	}
	who, err := r.lookup("input.individual", in)
	if err != nil {
		return nil, store.Lookup{}, err
	}
	if !v.May(insight.ScopeSelf) {
		return v, who, v.Require(scope)
	}
	self, err := r.Store.Find(ctx, store.Lookup{ID: v.Individual})
	if err != nil {
		return nil, store.Lookup{}, err
	}
	// Whether the other one exists is not this viewer's to know.
	if id, err := r.Store.Find(ctx, who); err != nil && insight.KindOf(err) != insight.NotFound {
		return nil, store.Lookup{}, err
	} else if err != nil || id != self {
		return nil, store.Lookup{}, insight.NewError(insight.Denied, "input.individual", "this token is for its own individual alone")
	}
	return v, store.Lookup{ID: v.Individual}, nil
}

// ownMethods are the ways in which somebody may decide with their own token.
var ownMethods = []insight.ConsentMethod{insight.MethodPreferenceCentre, insight.MethodBanner, insight.MethodDeclared}

// claim reads a decision that is to be recorded.
func (r *Resolver) claim(ctx context.Context, v *insight.Viewer, in *model.ConsentInput, argument string) (insight.Claim, error) {
	p, err := r.Store.Purpose(ctx, in.Purpose)
	if err != nil {
		return insight.Claim{}, at(argument+".purpose", err)
	}
	c := insight.Claim{
		Purpose: p, Decision: in.Decision, EffectiveAt: deref(in.EffectiveAt), ExpiresAt: deref(in.ExpiresAt), Method: insight.MethodDeclared,
		PolicyVersion: deref(in.PolicyVersion), Jurisdiction: deref(in.Jurisdiction), Evidence: in.Evidence,
	}
	if in.Method != nil {
		c.Method = *in.Method
	}
	if !v.May(insight.ScopeSelf) {
		return c, nil
	}
	if in.EffectiveAt != nil {
		return c, insight.NewError(insight.Invalid, argument+".effectiveAt", "with one's own token a decision holds from now on")
	}
	if in.Method == nil {
		c.Method = insight.MethodPreferenceCentre
	}
	if !slices.Contains(ownMethods, c.Method) {
		return c, insight.NewError(insight.Invalid, argument+".method", "with one's own token it is PREFERENCE_CENTRE, BANNER or DECLARED")
	}
	return c, nil
}

// longestReason is how many characters a reason may have.
const longestReason = 1000

// reasoned makes evidence of a reason.
func reasoned(reason string) (json.RawMessage, error) {
	switch {
	case reason == "":
		return nil, nil
	case utf8.RuneCountInString(reason) > longestReason || !utf8.ValidString(reason):
		return nil, insight.NewError(insight.Invalid, "input.reason", fmt.Sprintf("it has at most %d characters", longestReason))
	}
	return json.Marshal(map[string]string{"reason": reason})
}

// withdrawals are the claims of somebody who takes consent back for purposes.
func (r *Resolver) withdrawals(ctx context.Context, v *insight.Viewer, keys []string, reason string) ([]insight.Claim, error) {
	evidence, err := reasoned(reason)
	if err != nil {
		return nil, err
	}
	claims := make([]insight.Claim, len(keys))
	for n, key := range keys {
		p, err := r.Store.Purpose(ctx, key)
		if err != nil {
			return nil, at(fmt.Sprintf("input.purposes[%d]", n), err)
		}
		if slices.Contains(keys[:n], key) {
			return nil, insight.NewError(insight.Invalid, fmt.Sprintf("input.purposes[%d]", n), "it is named twice")
		}
		claims[n] = insight.Claim{Purpose: p, Decision: insight.ConsentWithdrawn, Method: insight.MethodDeclared, Evidence: evidence, Source: store.APISource}
		if v.May(insight.ScopeSelf) {
			claims[n].Method = insight.MethodPreferenceCentre
		}
	}
	if len(claims) == 0 {
		return nil, insight.NewError(insight.Invalid, "input.purposes", "name 1 to 100 purposes")
	}
	return claims, nil
}

func (r *Resolver) recordConsents(ctx context.Context, v *insight.Viewer, who store.Lookup, claims []insight.Claim) (*model.RecordConsentsPayload, error) {
	done, err := r.Store.RecordConsents(ctx, who, claims)
	if err != nil {
		return nil, under("input", err)
	}
	signed, err := r.Store.ConsentReceipt(done, asks(v))
	if err != nil {
		return nil, err
	}
	return &model.RecordConsentsPayload{
		Individual: r.shown(ctx, store.Lookup{ID: done.Individual}), Consents: node.NewConsents(done.Records), States: r.statesOf(done, claims), Receipt: signed,
	}, nil
}

// shown is an individual, for a viewer who may read them for the purpose; nil for
// others.
func (r *Resolver) shown(ctx context.Context, who store.Lookup) *node.Individual {
	reader, err := r.reader(ctx)
	if err != nil {
		return nil
	}
	found, err := reader.Find(ctx, who)
	if err != nil {
		return nil
	}
	return node.NewIndividual(reader, found)
}

// statesOf tells how somebody stands now with the purposes that claims are about.
func (r *Resolver) statesOf(done *store.Recorded, claims []insight.Claim) []*node.ConsentState {
	var purposes []*insight.Purpose
	for _, c := range claims {
		if !slices.ContainsFunc(purposes, func(p *insight.Purpose) bool { return p.ID == c.Purpose.ID }) {
			purposes = append(purposes, c.Purpose)
		}
	}
	return states(purposes, done.Decisions, r.now(), everythingKnown)
}

func states(purposes []*insight.Purpose, decisions []*insight.Consent, validAt, knownAt time.Time) []*node.ConsentState {
	all := make([]*node.ConsentState, len(purposes))
	for n, p := range purposes {
		all[n] = node.NewConsentState(p, consent.InForce(p, decisions, validAt, knownAt))
	}
	return all
}

// everythingKnown is later than anything is recorded.
var everythingKnown = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// knownBy is the moment by which a decision must have been recorded to count.
func knownBy(knownAt *time.Time) time.Time {
	if knownAt == nil {
		return everythingKnown
	}
	return *knownAt
}

// consentReport tells a census, with the numbers that the viewer may be told.
func consentReport(census *store.ConsentCensus, survey *store.Survey, asOf time.Time) *model.ConsentReport {
	floor := survey.Floor()
	report := &model.ConsentReport{Population: floor.Number(census.Population).Individuals(), AsOf: asOf}
	for n, p := range census.Purposes {
		cells := make([]int, len(consent.Statuses))
		for at, status := range consent.Statuses {
			cells[at] = census.Counts[n][status]
		}
		_, shown := floor.Partition(cells)
		about := &model.PurposeConsents{Purpose: &node.Purpose{Purpose: p}}
		for at, status := range consent.Statuses {
			about.Statuses = append(about.Statuses, &model.ConsentCount{Status: status, Individuals: shown[at].Individuals(), Suppressed: shown[at].Suppressed()})
		}
		report.Purposes = append(report.Purposes, about)
	}
	return report
}
