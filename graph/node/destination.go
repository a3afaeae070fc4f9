package node

import (
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/delivery"
	"github.com/acquaint/acquaint/store"
)

// Destination is an address that is told of changes.
type Destination struct{ *store.Destination }

// ID is the public id.
func (d *Destination) ID() string {
	return insight.FormatID(insight.DestinationPrefix, d.Destination.ID)
}

// Purpose is what it is told things for.
func (d *Destination) Purpose() *Purpose { return &Purpose{d.Destination.Purpose} }

// Traits are the keys of the traits that it is told.
func (d *Destination) Traits() []string {
	if d.Destination.Traits == nil {
		return []string{}
	}
	return d.Destination.Traits
}

// FailingSince is the first failure since the last success, or nil.
func (d *Destination) FailingSince() *time.Time { return moment(d.Destination.FailingSince) }

// SucceededAt is the last success, or nil.
func (d *Destination) SucceededAt() *time.Time { return moment(d.Destination.SucceededAt) }

// DisabledAt is since when nothing is sent to it, or nil.
func (d *Destination) DisabledAt() *time.Time { return moment(d.Destination.DisabledAt) }

// DisabledBecause is why nothing is sent to it, or nil.
func (d *Destination) DisabledBecause() *string { return some(d.Disabled) }

// Delivery is a change on its way.
type Delivery struct{ *store.Sent }

// ID is the public id.
func (d *Delivery) ID() string { return insight.FormatID(insight.DeliveryPrefix, d.Sent.ID) }

// WebhookID is what the receiver knows it by.
func (d *Delivery) WebhookID() string { return insight.FormatID(insight.ChangePrefix, d.Change) }

// State is how far it is.
func (d *Delivery) State() delivery.Outcome {
	if d.Outcome == "" {
		return "WAITING"
	}
	return d.Outcome
}

// NextAttemptAt is when it is tried again, or nil.
func (d *Delivery) NextAttemptAt() *time.Time { return moment(d.NextAt) }

// Status is what the last attempt was answered with, or nil.
func (d *Delivery) Status() *int {
	if d.Sent.Status == 0 {
		return nil
	}
	return &d.Sent.Status
}

// Error is why the last attempt came to nothing, or nil.
func (d *Delivery) Error() *string { return some(d.Reason) }

// AttemptedAt is when the receiver may last have been told, or nil.
func (d *Delivery) AttemptedAt() *time.Time { return moment(d.Sent.AttemptedAt) }

// DeliveryConnection is a page of a list of deliveries.
type DeliveryConnection struct {
	PageInfo *PageInfo
	Nodes    []*Delivery
}

// DeliveryEdge is a delivery's place in a list.
type DeliveryEdge struct {
	Cursor insight.Cursor
	Node   *Delivery
}

// NewDeliveryConnection makes a page.
func NewDeliveryConnection(page store.Slice[*store.Sent]) *DeliveryConnection {
	c := &DeliveryConnection{PageInfo: pageInfo(page, (*store.Sent).Place), Nodes: make([]*Delivery, len(page.Items))}
	for n, d := range page.Items {
		c.Nodes[n] = &Delivery{d}
	}
	return c
}

// Edges are the page's deliveries with their cursors.
func (c *DeliveryConnection) Edges() []*DeliveryEdge {
	edges := make([]*DeliveryEdge, len(c.Nodes))
	for n, d := range c.Nodes {
		edges[n] = &DeliveryEdge{Cursor: d.Place(), Node: d}
	}
	return edges
}
