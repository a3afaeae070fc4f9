package main

import (
	"context"

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

// tell makes the demo's segments, where they are not there yet; they are computed
// while it serves.
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
	return nil
}
