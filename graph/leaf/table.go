package leaf

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/acquaint/acquaint/graph/node"
	"github.com/acquaint/acquaint/graph/scalar"
	"github.com/acquaint/acquaint/insight"
)

type (
	interaction = *node.Interaction
	session     = *node.Session
)

var channels = &shape[*insight.Channel]{name: "Channel", is: []string{"Channel", "Node"}, fields: map[string]plan[*insight.Channel]{
	"id":   value(func(out *bytes.Buffer, c *insight.Channel) { text(out, (&node.Channel{Channel: c}).ID()) }),
	"key":  value(func(out *bytes.Buffer, c *insight.Channel) { text(out, c.Key) }),
	"name": value(func(out *bytes.Buffer, c *insight.Channel) { text(out, c.Name) }),
	"kind": value(func(out *bytes.Buffer, c *insight.Channel) { text(out, string(c.Kind)) }),
}}

var sources = &shape[*insight.Source]{name: "Source", is: []string{"Source", "Node"}, fields: map[string]plan[*insight.Source]{
	"id":             value(func(out *bytes.Buffer, s *insight.Source) { text(out, (&node.Source{Source: s}).ID()) }),
	"name":           value(func(out *bytes.Buffer, s *insight.Source) { text(out, s.Name) }),
	"defaultChannel": object(channels, func(s *insight.Source) *insight.Channel { return s.DefaultChannel }),
	"sessionTimeout": value(func(out *bytes.Buffer, s *insight.Source) { scalar.MarshalDuration(s.SessionTimeout).MarshalGQL(out) }),
}}

var campaigns = &shape[*insight.Campaign]{name: "Campaign", is: []string{"Campaign"}, fields: map[string]plan[*insight.Campaign]{
	"name":    value(func(out *bytes.Buffer, c *insight.Campaign) { optional(out, c.Name) }),
	"source":  value(func(out *bytes.Buffer, c *insight.Campaign) { optional(out, c.Source) }),
	"medium":  value(func(out *bytes.Buffer, c *insight.Campaign) { optional(out, c.Medium) }),
	"term":    value(func(out *bytes.Buffer, c *insight.Campaign) { optional(out, c.Term) }),
	"content": value(func(out *bytes.Buffer, c *insight.Campaign) { optional(out, c.Content) }),
}}

func campaign(c *insight.Campaign) *insight.Campaign {
	if c.IsZero() {
		return nil
	}
	return c
}

var interactions = &shape[interaction]{name: "Interaction", is: []string{"Interaction", "Node"}, fields: map[string]plan[interaction]{
	"id":        value(func(out *bytes.Buffer, x interaction) { text(out, x.ID()) }),
	"channel":   object(channels, func(x interaction) *insight.Channel { return x.Interaction.Channel }),
	"source":    object(sources, func(x interaction) *insight.Source { return x.Interaction.Source }),
	"messageId": value(func(out *bytes.Buffer, x interaction) { text(out, x.MessageID) }),
	"type":      value(func(out *bytes.Buffer, x interaction) { text(out, x.Type) }),
	"direction": value(func(out *bytes.Buffer, x interaction) { scalar.MarshalDirection(x.Direction).MarshalGQL(out) }),
	"occurredAt": value(func(out *bytes.Buffer, x interaction) {
		out.Write(scalar.AppendTime(out.AvailableBuffer(), x.OccurredAt))
	}),
	"receivedAt": value(func(out *bytes.Buffer, x interaction) {
		out.Write(scalar.AppendTime(out.AvailableBuffer(), x.ReceivedAt))
	}),
	"value":      value(func(out *bytes.Buffer, x interaction) { number(out, x.Value) }),
	"currency":   value(func(out *bytes.Buffer, x interaction) { optional(out, x.Interaction.Currency) }),
	"campaign":   object(campaigns, func(x interaction) *insight.Campaign { return campaign(&x.Interaction.Campaign) }),
	"properties": value(func(out *bytes.Buffer, x interaction) { raw(out, x.Properties) }),
}}

var sessions = &shape[session]{name: "Session", is: []string{"Session", "Node"}, fields: map[string]plan[session]{
	"id":           value(func(out *bytes.Buffer, s session) { text(out, s.ID()) }),
	"source":       object(sources, func(s session) *insight.Source { return s.Session.Source }),
	"entryChannel": object(channels, func(s session) *insight.Channel { return s.Session.EntryChannel }),
	"startedAt":    value(func(out *bytes.Buffer, s session) { out.Write(scalar.AppendTime(out.AvailableBuffer(), s.StartedAt)) }),
	"endedAt":      value(func(out *bytes.Buffer, s session) { out.Write(scalar.AppendTime(out.AvailableBuffer(), s.EndedAt)) }),
	"duration":     value(func(out *bytes.Buffer, s session) { scalar.MarshalDuration(s.Duration()).MarshalGQL(out) }),
	"engaged":      value(func(out *bytes.Buffer, s session) { out.Write(strconv.AppendBool(out.AvailableBuffer(), s.Engaged)) }),
	"interactionCount": value(func(out *bytes.Buffer, s session) {
		out.Write(strconv.AppendInt(out.AvailableBuffer(), int64(s.InteractionCount()), 10))
	}),
	"campaign": object(campaigns, func(s session) *insight.Campaign { return campaign(&s.Session.Campaign) }),
}}

var interactionEdges = &shape[*node.InteractionEdge]{name: "InteractionEdge", is: []string{"InteractionEdge"}, fields: map[string]plan[*node.InteractionEdge]{
	"cursor": value(func(out *bytes.Buffer, e *node.InteractionEdge) { text(out, e.Cursor.String()) }),
	"node":   object(interactions, func(e *node.InteractionEdge) interaction { return e.Node }),
}}

var sessionEdges = &shape[*node.SessionEdge]{name: "SessionEdge", is: []string{"SessionEdge"}, fields: map[string]plan[*node.SessionEdge]{
	"cursor": value(func(out *bytes.Buffer, e *node.SessionEdge) { text(out, e.Cursor.String()) }),
	"node":   object(sessions, func(e *node.SessionEdge) session { return e.Node }),
}}

// number writes a finite number; no other is ever taken in.
func number(out *bytes.Buffer, v *float64) {
	if v == nil {
		null(out)
		return
	}
	out.Write(strconv.AppendFloat(out.AvailableBuffer(), *v, 'g', -1, 64))
}

func raw(out *bytes.Buffer, v json.RawMessage) {
	if len(v) == 0 {
		null(out)
		return
	}
	out.Write(v)
}
