package main

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/experience"
	"github.com/acquaint/acquaint/insight/segment"
	"github.com/acquaint/acquaint/store"
)

// telling are the segments that the demo starts with.
var telling = []struct{ key, name, description, purpose, rule string }{
	{
		"slipping-away", "Slipping away", "Customers of two orders and more who are silent for longer than they used to be.", "analytics",
		`{"all": [{"relationship": ["COOLING", "LAPSED"]}, {"event": {"event": {"types": ["Order Completed"]}, "atLeast": 2}}]}`,
	},
	{"champions", "Champions", "Who came lately, often, and for much.", "analytics", `{"rfm": {"segments": ["Champions"]}}`},
	{
		"abandoned-cart", "Abandoned cart", "Who put something into the cart within a week, and has not ordered since.", "personalization",
		`{"all": [{"event": {"event": {"types": ["Product Added"]}, "within": "P7D"}}, {"event": {"event": {"types": ["Order Completed"]}, "atMost": 0, "within": "P7D"}}]}`,
	},
	{
		"support-then-silent", "Support, then silent", "Who asked for help within a month of an order, and has not ordered for two months.", "analytics",
		`{"all": [{"sequence": {"steps": [{"types": ["Order Completed"]}, {"types": ["Support Call", "Ticket Opened"]}], "within": "P30D"}}, {"recency": {"event": {"types": ["Order Completed"]}, "atLeast": "P60D"}}]}`,
	},
	{"leave-alone", "Leave alone", "Who never answers, or said no: not that into you.", "analytics", `{"relationship": ["UNRESPONSIVE", "OPTED_OUT"]}`},
}

// careGuide is the experience that the demo starts with.
var careGuide = store.NewExperience{
	Key: "care-guide", Name: "Care guide", Description: "What to show at the top of the page to those who come back.", Purpose: "personalization", Holdout: 0.2,
	Cap: &experience.Cap{Count: 3, Per: insight.Week},
	Variants: []experience.Variant{
		{
			Key: "guide", Name: "Care guide", Benefit: "How to care for what they bought, so that it lasts longer.",
			Payload: []byte(`{"title":"Make it last","link":"/care"}`), Weight: 3,
		},
		{
			Key: "sizes", Name: "Sizes that are left", Benefit: "Which sizes are left of what they put into the cart.", Segment: "abandoned-cart",
			Payload: []byte(`{"title":"Still there in your size","link":"/cart"}`),
		},
	},
}

// The truth of the demo's experience: what those do who were shown the guide, and those
// who were not. It helps customers, and puts off who never bought anything.
const (
	guideOpened      = "Care Guide Opened"
	customerShown    = 0.30
	customerHeldOut  = 0.17
	strangerShown    = 0.06
	strangerHeldOut  = 0.16
	guideFrom        = 60 * insight.Day // so long ago the first was decided,
	guideUntil       = 40 * insight.Day // and the last
	guideOpenedAfter = 10 * insight.Day // at most
)

// decided tells what was decided in the demo's experience some weeks ago, about everybody
// whom its purpose covers, and what they did then. Told again it is all duplicates.
func decided(ctx context.Context, s *store.Store, source *insight.Source, to time.Time) error {
	e, err := s.Experience(ctx, careGuide.Key)
	if err != nil {
		return err
	}
	reader, err := s.Reader(ctx, &insight.Viewer{Subject: demoSource, Scopes: []insight.Scope{insight.ScopeIndividualsRead}, Purposes: []string{careGuide.Purpose}}, nil)
	if err != nil {
		return err
	}
	identified := true
	for page := (store.Page{Limit: 100}); ; {
		people, err := reader.Individuals(ctx, store.Filter{Identified: &identified}, store.Order{FirstSeen: true}, page)
		if err != nil {
			return err
		}
		ids := make([]uuid.UUID, len(people.Items))
		for n, i := range people.Items {
			ids[n] = i.ID
			place := store.Order{FirstSeen: true}.Place(i)
			page.After = &place
		}
		identifiers, err := reader.Identifiers(ctx, ids)
		if err != nil {
			return err
		}
		histories, err := reader.Histories(ctx, ids, false)
		if err != nil {
			return err
		}
		var events []*insight.Event
		for _, id := range ids {
			if all := identifiers[id]; len(all) > 0 && all[0].Kind == insight.UserID {
				events = append(events, guided(e, source, all[0].Identity, histories[id], to)...)
			}
		}
		if _, err := s.Append(ctx, events); err != nil {
			return err
		}
		if !people.HasNext {
			return nil
		}
	}
}

// guided is what was decided about somebody, and what they did then.
func guided(e *experience.Experience, source *insight.Source, who insight.Identity, h *insight.History, to time.Time) []*insight.Event {
	seed := fnv.New64()
	_, _ = seed.Write([]byte(who.Value)) // never fails
	chance := rand.New(rand.NewPCG(seed.Sum64(), demoSeed))
	at := insight.Moment(to.Add(-guideFrom + time.Duration(chance.Int64N(int64(guideFrom-guideUntil)))))
	before := h.Timeline.AsOf(at)
	if len(before) == 0 {
		return nil // they had not come yet
	}
	opens := [2]float64{strangerShown, strangerHeldOut}
	for _, x := range before {
		if x.Type == "Order Completed" {
			opens = [2]float64{customerShown, customerHeldOut}
		}
	}
	event := func(kind string, direction insight.Direction, at time.Time) *insight.Event {
		return &insight.Event{
			MessageID: fmt.Sprint(e.Key, " ", kind, " ", who.Value), Timestamp: at, Source: source, Channel: source.DefaultChannel, Type: kind, Direction: direction,
			OccurredAt: at, ReceivedAt: at, Identities: []insight.Identity{who}, Stream: who,
		}
	}
	decision := event(store.DecisionType, insight.Outbound, at)
	decision.Assignment = &insight.Assignment{ExperienceID: e.ID}
	likely := opens[1]
	if decision.Statement = chance.Float64() < e.Holdout; !decision.Statement {
		decision.Assignment.Variant, likely = e.Variants[0].Key, opens[0]
		decision.Properties = store.DecisionProperties(e.Key, e.Variants[0].Key, nil)
	}
	events := []*insight.Event{decision}
	if chance.Float64() < likely {
		events = append(events, event(guideOpened, insight.Inbound, at.Add(time.Duration(chance.Int64N(int64(guideOpenedAfter)))).Truncate(insight.Precision)))
	}
	return events
}

// tell makes the demo's segments and its experience, where they are not there yet; the
// segments are computed while it serves.
func tell(ctx context.Context, s *store.Store) error {
	for _, one := range telling {
		rule, err := segment.Read([]byte(one.rule))
		if err != nil {
			return err
		}
		if _, err := s.Segment(ctx, one.key); err == nil {
			continue // it is, whatever has become of it
		}
		_, err = s.CreateSegment(ctx, store.NewSegment{Key: one.key, Name: one.name, Description: one.description, Purpose: one.purpose, Rule: rule})
		if err != nil {
			return err
		}
	}
	if _, err := s.Experience(ctx, careGuide.Key); insight.KindOf(err) != insight.NotFound {
		return err
	}
	_, err := s.CreateExperience(ctx, careGuide)
	return err
}
