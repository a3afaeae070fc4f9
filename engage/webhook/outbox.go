package webhook

import (
	"context"
	"time"

	"github.com/acquaint/acquaint/insight/delivery"
)

// Outbox is what is to be sent. Several senders, in several processes, may share one.
type Outbox interface {
	// Claim leases to the caller, until room.Until, deliveries that are due at room.Now
	// and whose destination is enabled and not held: at most room.Total, of a destination
	// at most room.For it, and where there is room for less, those of destinations with
	// fewer in flight before others. Of the deliveries to a destination about an individual
	// that are neither delivered nor dropped, it claims only the earliest, and not while
	// somebody else's lease of it lasts. Until it is settled, a
	// claim counts as an attempt of which something may have reached the destination.
	//
	// Next is the earliest moment from which a claim could find more, at destinations for
	// which there is room; it may be earlier than that, and not later, and is zero when
	// there is none.
	Claim(ctx context.Context, room delivery.Room) (claimed []*delivery.Delivery, next time.Time, err error)

	// Compose reads what may be told of a delivery now. An error of kind Withheld or
	// NotFound says why nothing may be, any more: its message is kept.
	Compose(ctx context.Context, d *delivery.Delivery) (*delivery.Message, error)

	// Confirm reports whether Compose would now give the message that had this version,
	// the lease is still the caller's, and the destination still enabled.
	Confirm(ctx context.Context, d *delivery.Delivery, version string) (bool, error)

	// Settle writes what became of a delivery, and of its destination with it, and ends
	// the lease. It changes nothing when the lease is not the caller's any more.
	Settle(ctx context.Context, d *delivery.Delivery, r delivery.Result) (delivery.Settled, error)
}
