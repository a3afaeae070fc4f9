package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/ent"
	"github.com/acquaint/acquaint/ent/destination"
	"github.com/acquaint/acquaint/insight"
)

// mostDestinations bounds how many may have to be told of a change.
const mostDestinations = 100

// Destination is an address that is told of who enters and leaves segments.
type Destination struct {
	ID           uuid.UUID
	Name         string
	URL          string
	Purpose      *insight.Purpose // what it is told covers no more
	Segments     []uuid.UUID      // none: every segment
	Traits       []string         // keys of the traits that it is told
	CreatedAt    time.Time
	FailingSince time.Time // the first failure since the last success; zero: it does not fail
	SucceededAt  time.Time // the last success, to a minute; zero: there was none
	DisabledAt   time.Time // zero: it is enabled
	Disabled     string    // why it is disabled
}

// NewDestination is what it takes to make a destination. Whether the URL and the secret
// are usable is for package webhook to say, before.
type NewDestination struct {
	Name, URL string
	Purpose   string   // key
	Segments  []string // keys; none: every segment
	Traits    []string // keys
	Secret    string   // whsec_…
}

// DestinationChange says what of a destination is to be another way; nil stays as it is.
type DestinationChange struct {
	Name, URL *string
	Segments  *[]string // keys
	Traits    *[]string
}

// CreateDestination makes a destination, which is told of every change from now on. The
// error is of kind Invalid for what cannot be, with the argument's name, and of kind
// Exhausted when there are too many.
func (s *Store) CreateDestination(ctx context.Context, n NewDestination) (*Destination, error) {
	id := newID()
	err := s.reform(ctx, "store.CreateDestination", func(b *batch) error {
		p := b.policy.byKey(n.Purpose)
		switch {
		case p == nil:
			return insight.NewError(insight.Invalid, "purpose", "there is no such purpose")
		case len(b.policy.audience.destinations) >= mostDestinations:
			return insight.NewError(insight.Exhausted, "destination", fmt.Sprintf("there can be %d destinations", mostDestinations))
		case n.URL == "" || n.Secret == "":
			return insight.NewError(insight.Invalid, "url", "a destination has an address and a secret")
		}
		if err := checkName("name", n.Name); err != nil {
			return err
		}
		segments, err := b.segmentsNamed(n.Segments)
		if err != nil {
			return err
		}
		traits, err := traitKeys(n.Traits)
		if err != nil {
			return err
		}
		return b.exec(ctx, "INSERT INTO destinations (id, name, url, purpose_id, segments, traits, secret, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
			id.String(), n.Name, n.URL, p.ID.String(), segments, traits, n.Secret, b.engine.time(b.now))
	})
	if err != nil {
		return nil, err
	}
	return s.Destination(ctx, id)
}

// segmentsNamed are the ids of segments, as JSON.
func (b *batch) segmentsNamed(keys []string) (string, error) {
	ids := []uuid.UUID{}
	for n, key := range keys {
		k := b.policy.audience.byKey(key)
		if k == nil {
			return "", insight.NewError(insight.Invalid, fmt.Sprintf("segments[%d]", n), "there is no such segment")
		}
		if !slices.Contains(ids, k.ID) {
			ids = append(ids, k.ID)
		}
	}
	text, err := json.Marshal(ids)
	return string(text), err
}

// traitKeys are keys of traits, as JSON.
func traitKeys(keys []string) (string, error) {
	if len(keys) > 50 {
		return "", insight.NewError(insight.Invalid, "traits", "there can be 50 of them")
	}
	for n, key := range keys {
		if err := checkName(fmt.Sprintf("traits[%d]", n), key); err != nil {
			return "", err
		}
	}
	text, err := json.Marshal(append([]string{}, keys...))
	return string(text), err
}

// UpdateDestination changes a destination. What is on its way already goes where the new
// address says. The error is of kind NotFound when there is none, and as that of
// CreateDestination.
func (s *Store) UpdateDestination(ctx context.Context, id uuid.UUID, c DestinationChange) (*Destination, error) {
	err := s.reform(ctx, "store.UpdateDestination", func(b *batch) error {
		text, args := "id = id", []any{id.String()}
		set := func(column, value string) {
			args = append(args, value)
			text += fmt.Sprintf(", %s = $%d", column, len(args))
		}
		if c.Name != nil {
			if err := checkName("name", *c.Name); err != nil {
				return err
			}
			set("name", *c.Name)
		}
		if c.URL != nil {
			if *c.URL == "" {
				return insight.NewError(insight.Invalid, "url", "a destination has an address")
			}
			set("url", *c.URL)
		}
		if c.Segments != nil {
			segments, err := b.segmentsNamed(*c.Segments)
			if err != nil {
				return err
			}
			set("segments", segments)
		}
		if c.Traits != nil {
			traits, err := traitKeys(*c.Traits)
			if err != nil {
				return err
			}
			set("traits", traits)
		}
		return b.changeDestination(ctx, text, args...)
	})
	if err != nil {
		return nil, err
	}
	return s.Destination(ctx, id)
}

// changeDestination changes the destination whose id is the first argument.
func (b *batch) changeDestination(ctx context.Context, text string, args ...any) error {
	found, err := b.engine.changes(ctx, b.tx, "UPDATE destinations SET "+text+" WHERE id = $1", args...)
	if err == nil && !found {
		err = noDestination()
	}
	return err
}

func noDestination() error {
	return insight.NewError(insight.NotFound, "destination", "there is no such destination")
}

// RotateSecret gives a destination a new secret. The one before signs too until a moment.
// The error is of kind NotFound when there is no such destination.
func (s *Store) RotateSecret(ctx context.Context, id uuid.UUID, secret string, until time.Time) (*Destination, error) {
	return s.changed(ctx, "store.RotateSecret", id, "retired_secret = secret, secret = $2, retired_until = "+s.write.moment(3), secret, s.write.time(until))
}

// EnableDestination lets a destination be sent to again; what waited for it is due at
// once. The error is of kind NotFound when there is none.
func (s *Store) EnableDestination(ctx context.Context, id uuid.UUID) (*Destination, error) {
	d, err := s.changed(ctx, "store.EnableDestination", id, "disabled_at = NULL, disabled_because = '', failing_since = NULL")
	if err != nil {
		return nil, err
	}
	now := s.write.time(insight.Moment(s.now()))
	err = s.transact(ctx, "store.EnableDestination", func(tx *sql.Tx) error {
		_, err := s.write.changes(ctx, tx, "UPDATE deliveries SET next_attempt_at = "+s.write.moment(1)+" WHERE destination_id = $2 AND next_attempt_at > "+s.write.moment(3)+
			" AND leased_until IS NULL", now, id.String(), now)
		return err
	})
	s.wake()
	return d, err
}

// DeleteDestination deletes a destination, with what was and is to be sent to it. What is
// under way to it just now still arrives. The error is of kind NotFound when there is none.
func (s *Store) DeleteDestination(ctx context.Context, id uuid.UUID) error {
	return s.reform(ctx, "store.DeleteDestination", func(b *batch) error {
		if err := b.exec(ctx, "DELETE FROM deliveries WHERE destination_id = $1", id.String()); err != nil {
			return err
		}
		found, err := b.engine.changes(ctx, b.tx, "DELETE FROM destinations WHERE id = $1", id.String())
		if err == nil && !found {
			err = noDestination()
		}
		return err
	})
}

func (s *Store) changed(ctx context.Context, op string, id uuid.UUID, text string, args ...any) (*Destination, error) {
	err := s.change(ctx, op, func(b *batch) error { return b.changeDestination(ctx, text, append([]any{id.String()}, args...)...) })
	if err != nil {
		return nil, err
	}
	return s.Destination(ctx, id)
}

// Destinations lists the destinations, earliest first.
func (s *Store) Destinations(ctx context.Context) ([]*Destination, error) {
	rows, err := s.ent.Destination.Query().Order(destination.ByCreatedAt(), destination.ByID()).All(ctx)
	if err != nil {
		return nil, translate("store.Destinations", err)
	}
	all := make([]*Destination, len(rows))
	for n, row := range rows {
		all[n] = s.fromEntDestination(row)
	}
	return all, nil
}

// Destination finds a destination. The error is of kind NotFound when there is none.
func (s *Store) Destination(ctx context.Context, id uuid.UUID) (*Destination, error) {
	row, err := s.ent.Destination.Get(ctx, id)
	if ent.IsNotFound(err) {
		return nil, noDestination()
	} else if err != nil {
		return nil, translate("store.Destination", err)
	}
	return s.fromEntDestination(row), nil
}

func (s *Store) fromEntDestination(row *ent.Destination) *Destination {
	return &Destination{
		ID: row.ID, Name: row.Name, URL: row.URL, Purpose: s.policy().byID(row.PurposeID), Segments: row.Segments, Traits: row.Traits, CreatedAt: row.CreatedAt.UTC(),
		FailingSince: given(row.FailingSince), SucceededAt: given(row.SucceededAt), DisabledAt: given(row.DisabledAt), Disabled: row.DisabledBecause,
	}
}
