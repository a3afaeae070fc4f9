package store

import (
	"cmp"
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/segment"
)

// calling is how many members are read at a time.
const calling = 500

// Roster hands out who is in a segment, newest first, some at a time, with the traits
// of some keys; sensitive ones are not handed out. Whoever withdraws, or leaves, before
// their turn comes is not among them, and nor is who enters meanwhile. That they are
// shown is written down before they are.
func (r *Reader) Roster(ctx context.Context, of *segment.Segment, traits []string, yield func([]*segment.Member) error) error {
	for p := (Page{Limit: calling}); ; {
		if err := r.store.look(ctx); err != nil {
			return err
		}
		changes := r.store.Changes()
		page, err := r.Members(ctx, of, p)
		if err != nil {
			return err
		}
		members, err := r.members(ctx, page.Items, traits)
		if err != nil {
			return err
		}
		if r.store.Changes() != changes {
			continue // somebody may have withdrawn: what was read is read again
		}
		if len(members) > 0 {
			if r.access != nil {
				if err := r.store.Log(ctx, r.access); err != nil {
					return err
				}
			}
			if err := yield(members); err != nil {
				return err
			}
		}
		if !page.HasNext {
			return nil
		}
		last := page.Items[len(page.Items)-1]
		p.After = &insight.Cursor{At: last.EnteredAt, ID: last.ID}
	}
}

func (r *Reader) members(ctx context.Context, page []*segment.Membership, keys []string) ([]*segment.Member, error) {
	ids := make([]uuid.UUID, len(page))
	for n, m := range page {
		ids[n] = m.IndividualID
	}
	identifiers, err := r.Identifiers(ctx, ids)
	if err != nil {
		return nil, err
	}
	var known map[uuid.UUID][]insight.Trait
	if len(keys) > 0 {
		if known, err = r.Traits(ctx, ids); err != nil {
			return nil, err
		}
	}
	members := make([]*segment.Member, 0, len(page))
	for _, m := range page {
		if len(identifiers[m.IndividualID]) == 0 {
			continue // they are gone since the page was read
		}
		one := &segment.Member{Membership: *m, Identifiers: identifiers[m.IndividualID]}
		slices.SortFunc(one.Identifiers, func(a, b *insight.Identifier) int {
			return cmp.Or(cmp.Compare(a.Kind, b.Kind), a.FirstSeenAt.Compare(b.FirstSeenAt), cmp.Compare(a.Value, b.Value))
		})
		for _, t := range insight.BestTraits(known[m.IndividualID]) {
			if slices.Contains(keys, t.Key) && t.Sensitivity == insight.Ordinary {
				one.Traits = append(one.Traits, t)
			}
		}
		members = append(members, one)
	}
	return members, nil
}
