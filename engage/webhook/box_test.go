package webhook

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/delivery"
)

// box is an outbox in memory: what an Outbox must do, in plain loops.
type box struct {
	mu           sync.Mutex
	destinations map[uuid.UUID]*place
	rows         []*row             // in the order of the changes
	withdrawn    map[uuid.UUID]bool // individuals
	version      map[uuid.UUID]int  // of what can be read of an individual

	composed func(d *delivery.Delivery)                          // after Compose has read, before it returns; may be nil
	settling func(d *delivery.Delivery, r delivery.Result) error // before Settle; may be nil
	claims   error                                               // what Claim fails with
	confirms error                                               // what Confirm fails with
}

type place struct {
	delivery.Destination
	disabled string
}

type row struct {
	delivery.Delivery
	kind       delivery.Kind
	membership uuid.UUID
	due        time.Time
	done       delivery.Outcome // empty: not yet
	reason     string
	results    []delivery.Result
}

func newBox() *box {
	return &box{destinations: map[uuid.UUID]*place{}, withdrawn: map[uuid.UUID]bool{}, version: map[uuid.UUID]int{}}
}

// destination adds a destination, with a secret made of its number.
func (b *box) destination(url string) uuid.UUID {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := &place{Destination: delivery.Destination{ID: uuid.New(), URL: url, Secrets: []string{Secret(bytes.Repeat([]byte{byte(1 + len(b.destinations))}, 32)).Text()}}}
	b.destinations[p.ID] = p
	return p.ID
}

// change queues a change of an individual for a destination, due at once.
func (b *box) change(destination, individual uuid.UUID, kind delivery.Kind) *row {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := &row{Delivery: delivery.Delivery{ID: uuid.New(), Change: uuid.New(), Individual: individual, Destination: b.destinations[destination].Destination}, kind: kind, membership: individual}
	b.rows = append(b.rows, r)
	return r
}

// onSettle has something happen before each Settle, which fails with its error.
func (b *box) onSettle(do func(*delivery.Delivery, delivery.Result) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.settling = do
}

func (b *box) withdraw(individual uuid.UUID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.withdrawn[individual] = true
	b.version[individual]++
}

// row shows a row as it is now.
func (b *box) row(r *row) row {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := *r
	c.results = slices.Clone(r.results)
	return c
}

func (b *box) place(id uuid.UUID) place {
	b.mu.Lock()
	defer b.mu.Unlock()
	return *b.destinations[id]
}

// undone is how many rows are neither delivered nor dropped.
func (b *box) undone() (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.rows {
		if r.done == "" {
			n++
		}
	}
	return n
}

func (b *box) Claim(_ context.Context, room delivery.Room) (claimed []*delivery.Delivery, next time.Time, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.claims != nil {
		return nil, time.Time{}, b.claims
	}
	type line struct{ destination, individual uuid.UUID }
	taken, behind := map[uuid.UUID]int{}, map[line]bool{}
	rows := slices.Clone(b.rows)
	slices.SortStableFunc(rows, func(x, y *row) int {
		return cmp.Compare(room.Busy[x.Destination.ID], room.Busy[y.Destination.ID])
	})
	for _, r := range rows {
		p, l := b.destinations[r.Destination.ID], line{r.Destination.ID, r.Individual}
		if r.done != "" || behind[l] {
			continue
		}
		behind[l] = true
		if p.disabled != "" || taken[p.ID] >= room.For(p.Destination) {
			continue
		}
		due := slices.MaxFunc([]time.Time{r.due, r.Until}, time.Time.Compare)
		if due.After(room.Now) || len(claimed) == room.Total {
			if next.IsZero() || due.Before(next) {
				next = due
			}
			continue
		}
		taken[p.ID]++
		d := r.Delivery
		d.Destination, d.Attempt, d.Until = p.Destination, r.Attempt+1, room.Until
		d.Destination.Secrets = slices.Clone(p.Secrets)
		r.Attempt, r.Until, r.ToldAt = d.Attempt, d.Until, room.Now
		claimed = append(claimed, &d)
	}
	return claimed, next, nil
}

func (b *box) find(d *delivery.Delivery) *row {
	for _, r := range b.rows {
		if r.ID == d.ID {
			return r
		}
	}
	return nil
}

func (b *box) Compose(ctx context.Context, d *delivery.Delivery) (*delivery.Message, error) {
	m, err := b.compose(d)
	if b.composed != nil {
		b.composed(d)
	}
	return m, errors.Join(err, ctx.Err())
}

func (b *box) compose(d *delivery.Delivery) (*delivery.Message, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.find(d)
	told := false
	for _, other := range b.rows {
		told = told || other.Destination.ID == r.Destination.ID && other.membership == r.membership && other.kind == delivery.Entered && !other.ToldAt.IsZero()
	}
	disclosure := delivery.Disclose(r.kind, !b.withdrawn[r.Individual], told)
	if disclosure == delivery.Nothing {
		return nil, insight.NewError(insight.Withheld, "", "the purpose does not cover them any more")
	}
	return &delivery.Message{
		ID: idOf(r), Kind: r.kind, At: noon, Disclosure: disclosure, Version: b.versionOf(r),
		Individual: insight.FormatID(insight.IndividualPrefix, r.Individual), Membership: insight.FormatID(insight.MembershipPrefix, r.membership), Segment: "loyal",
		EnteredAt: noon, Identifiers: []insight.Identity{{Kind: insight.UserID, Value: "ann"}},
	}, nil
}

func (b *box) versionOf(r *row) string { return string(rune('a' + b.version[r.Individual])) }

func (b *box) Confirm(_ context.Context, d *delivery.Delivery, version string) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.find(d)
	return r.Until.Equal(d.Until) && b.versionOf(r) == version && b.destinations[d.Destination.ID].disabled == "", b.confirms
}

func (b *box) Settle(_ context.Context, d *delivery.Delivery, result delivery.Result) (delivery.Settled, error) {
	b.mu.Lock()
	settling := b.settling
	b.mu.Unlock()
	if settling != nil {
		if err := settling(d, result); err != nil {
			return delivery.Settled{}, err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	r, p := b.find(d), b.destinations[d.Destination.ID]
	if !r.Until.Equal(d.Until) {
		return delivery.Settled{}, nil
	}
	r.Until = time.Time{}
	r.Attempt, r.ToldAt = d.Attempts(result), d.Told(result)
	r.results, r.reason = append(r.results, result), result.Reason
	settled := delivery.Settled{Held: true}
	switch result.Outcome {
	case delivery.Delivered:
		r.done, p.FailingSince = delivery.Delivered, time.Time{}
	case delivery.Dropped:
		r.done = delivery.Dropped
	case delivery.Released:
		r.due = result.Next
	case delivery.Failed:
		r.due = result.Next
		if p.FailingSince.IsZero() {
			p.FailingSince = result.At
		}
		if result.Disable != "" && p.disabled == "" && (result.FailingBy.IsZero() || !p.FailingSince.After(result.FailingBy)) {
			p.disabled, settled.Disabled = result.Disable, true
		}
	}
	return settled, nil
}

func insightID(individual uuid.UUID) string {
	return insight.FormatID(insight.IndividualPrefix, individual)
}

func idOf(r *row) string { return insight.FormatID(insight.ChangePrefix, r.Change) }
