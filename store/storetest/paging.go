package storetest

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/store"
)

// crowd fills a store with 30 individuals, many of the same moments, and one of
// them, u0, with 60 more interactions of types, channels and properties.
func (w *world) crowd() uuid.UUID {
	w.Helper()
	web, shop := must(w.Channel(w.ctx, "web", ""))(w), must(w.Channel(w.ctx, "store", ""))(w)
	var events []*insight.Event
	for i := range 30 {
		names := []string{fmt.Sprintf("u%d", i)}
		if i%3 == 2 {
			names[0] = fmt.Sprintf("a%d", i)
		}
		for n := range 1 + i%3 {
			// Every tenth individual is of the same moments.
			e := w.event(after(float64(i%10+n*(i%4)*60)), []string{"page", "purchase"}[n%2], who(names...))
			e.Properties = fmt.Appendf(nil, `{"n":%d}`, i%5)
			if n == 0 && i%2 == 0 {
				e.Traits = []insight.Observation{declared("plan", []string{`"gold"`, `"silver"`, `null`}[i/2%3])}
			}
			events = append(events, e)
		}
	}
	for n := range 60 {
		// Three interactions of each moment; every hour a session of its own.
		e := w.event(after(float64(n/3*20)), []string{"page", "purchase", "mailing"}[n%3], who("u0", fmt.Sprintf("d%d", n%2)))
		e.Channel = []*insight.Channel{web, shop}[n/6%2]
		if n%3 == 2 {
			e.Direction = insight.Outbound
		}
		if n%5 == 0 {
			value := float64(n)
			e.Value, e.Currency = &value, []string{"EUR", "USD"}[n%2]
		}
		if n%4 != 0 {
			e.Properties = fmt.Appendf(nil, `{"n":%d,"deep":{"list":["x","y%d"]}}`, n, n%2)
		}
		events = append(events, e)
	}
	w.keep(events...)
	return w.find("u0")
}

// pages asks for a list in pages of every kind and compares them with the whole.
func pages[T any](w *world, list func(*world, store.Page) store.Slice[T], place func(T) insight.Cursor, id func(T) uuid.UUID) []T {
	w.Helper()
	wholePage := list(w, everything)
	if wholePage.HasNext || wholePage.HasPrevious || len(wholePage.Items) > 100 {
		w.Fatalf("the whole list of %d has more before or after it", len(wholePage.Items))
	}
	whole := make([]uuid.UUID, len(wholePage.Items))
	cursors := make([]insight.Cursor, len(wholePage.Items))
	for i, item := range wholePage.Items {
		whole[i] = id(item)
		// A cursor goes out as text and comes back.
		cursors[i] = must(insight.ParseCursor("after", place(item).String()))(w)
	}
	ids := func(s store.Slice[T]) []uuid.UUID {
		found := []uuid.UUID{}
		for _, item := range s.Items {
			found = append(found, id(item))
		}
		return found
	}
	check := func(p store.Page, from, to int) {
		w.Helper()
		want := whole[from:to]
		more := len(want) > p.Limit
		if more && p.Backward {
			want = want[len(want)-p.Limit:]
		} else if more {
			want = want[:p.Limit]
		}
		got := list(w, p)
		what := fmt.Sprintf("of %d, those from %d to %d, %d of them, backward %t", len(whole), from, to, p.Limit, p.Backward)
		w.same(what, ids(got), append([]uuid.UUID{}, want...))
		next, previous := more, p.After != nil
		if p.Backward {
			next, previous = p.Before != nil, more
		}
		w.same(what+": next and previous", []bool{got.HasNext, got.HasPrevious}, []bool{next, previous})
	}
	for _, limit := range []int{1, 3, 7, 100} {
		var forward, backward []uuid.UUID
		p := store.Page{Limit: limit}
		for {
			s := list(w, p)
			if s.HasPrevious != (len(forward) > 0) || s.HasNext != (len(forward)+len(s.Items) < len(whole)) {
				w.Fatalf("at %d of %d: next %t, previous %t", len(forward), len(whole), s.HasNext, s.HasPrevious)
			}
			forward = append(forward, ids(s)...)
			if !s.HasNext {
				break
			}
			after := place(s.Items[len(s.Items)-1])
			p.After = &after
		}
		w.same(fmt.Sprintf("forward by %d", limit), append([]uuid.UUID{}, forward...), whole)
		p = store.Page{Limit: limit, Backward: true}
		for {
			s := list(w, p)
			if s.HasNext != (len(backward) > 0) || s.HasPrevious != (len(backward)+len(s.Items) < len(whole)) {
				w.Fatalf("backward at %d of %d: next %t, previous %t", len(backward), len(whole), s.HasNext, s.HasPrevious)
			}
			backward = append(ids(s), backward...)
			if !s.HasPrevious {
				break
			}
			before := place(s.Items[0])
			p.Before = &before
		}
		w.same(fmt.Sprintf("backward by %d", limit), append([]uuid.UUID{}, backward...), whole)
	}
	step := max(1, len(whole)/7)
	for from := 0; from < len(whole); from += step {
		for to := from + 1; to <= len(whole); to += step {
			for _, backward := range []bool{false, true} {
				for _, limit := range []int{2, 100} {
					p := store.Page{Limit: limit, Backward: backward}
					if from > 0 {
						p.After = &cursors[from-1]
					}
					if to < len(whole) {
						p.Before = &cursors[to]
					}
					check(p, from, to)
				}
			}
		}
	}
	// Between two neighbours there is nothing.
	if len(whole) > 1 {
		check(store.Page{Limit: 5, After: &cursors[0], Before: &cursors[1]}, 1, 1)
	}
	return wholePage.Items
}

// inOrder compares the order of a list with that of its cursors.
func inOrder[T any](w *world, items []T, place func(T) insight.Cursor, descending bool) {
	w.Helper()
	for i := 1; i < len(items); i++ {
		a, b := place(items[i-1]), place(items[i])
		order := a.At.Compare(b.At)
		if order == 0 {
			order = compareIDs(a.ID, b.ID)
		}
		if descending {
			order = -order
		}
		if order >= 0 {
			w.Fatalf("number %d, %v, comes after %v", i, b, a)
		}
	}
}

func testIndividualPages(w *world) {
	w.crowd()
	for _, o := range []store.Order{{}, {Descending: true}, {FirstSeen: true}, {FirstSeen: true, Descending: true}} {
		for name, f := range filters() {
			w.sub(fmt.Sprintf("%+v %s", o, name), func(w *world) {
				r := w.reader()
				list := func(w *world, p store.Page) store.Slice[*insight.Individual] {
					w.Helper()
					return must(r.Individuals(w.ctx, f, o, p))(w)
				}
				items := pages(w, list, o.Place, func(i *insight.Individual) uuid.UUID { return i.ID })
				inOrder(w, items, o.Place, o.Descending)
				w.same("their number", must(r.CountIndividuals(w.ctx, f))(w), len(items))
			})
		}
	}
}

func filters() map[string]store.Filter {
	yes, no := true, false
	property := insight.PropertyCondition{Path: "n", Op: insight.IN, Value: json.RawMessage(`[1,3]`)}
	return map[string]store.Filter{
		"everyone":   {},
		"identified": {Identified: &yes}, "anonymous": {Identified: &no},
		"by first seen": {FirstSeenFrom: after(4)}, "by last seen": {LastSeenFrom: after(3), LastSeenTo: after(125)},
		"by trait":       {Trait: &insight.TraitRule{Key: "plan", Op: insight.EQ, Value: json.RawMessage(`"gold"`)}},
		"by no trait":    {Trait: &insight.TraitRule{Key: "plan", Op: insight.NotExists}},
		"by type":        {Event: &insight.Selector{Types: []string{"purchase", "call"}}},
		"by kind":        {Event: &insight.Selector{ChannelKinds: []insight.ChannelKind{insight.StoreChannel}}},
		"by no channel":  {Event: &insight.Selector{Channels: []string{"teleport"}}},
		"by when":        {Event: &insight.Selector{OccurredFrom: after(60), OccurredTo: after(120), Direction: insight.Inbound}},
		"by property":    {Event: &insight.Selector{Properties: []insight.PropertyCondition{property}}},
		"by all of that": {Identified: &yes, LastSeenFrom: after(2), Trait: &insight.TraitRule{Key: "plan", Op: insight.NE, Value: json.RawMessage(`"gold"`)}, Event: &insight.Selector{Types: []string{"page"}, Properties: []insight.PropertyCondition{property}}},
	}
}

// testFilters: each filter lets through those whom its words, asked of each
// individual's whole timeline and traits, let through.
func testFilters(w *world) {
	w.crowd()
	r := w.reader()
	all := must(r.Individuals(w.ctx, store.Filter{}, store.Order{}, everything))(w).Items
	ids := make([]uuid.UUID, len(all))
	for i, one := range all {
		ids[i] = one.ID
	}
	timelines := must(r.Timelines(w.ctx, ids, insight.Selector{}, after(1e6)))(w)
	traits := must(r.Traits(w.ctx, ids))(w)
	for name, f := range filters() {
		w.sub(name, func(w *world) {
			want := []uuid.UUID{}
			for _, i := range all {
				event := f.Event == nil || slices.ContainsFunc(timelines[i.ID], f.Event.Matches)
				if event && (f.Identified == nil || i.Identified == *f.Identified) && !i.FirstSeenAt.Before(f.FirstSeenFrom) && !i.LastSeenAt.Before(f.LastSeenFrom) &&
					(f.LastSeenTo.IsZero() || i.LastSeenAt.Before(f.LastSeenTo)) && (f.Trait == nil || f.Trait.Matches(traits[i.ID])) {
					want = append(want, i.ID)
				}
			}
			got := []uuid.UUID{}
			for _, i := range must(r.Individuals(w.ctx, f, store.Order{}, everything))(w).Items {
				got = append(got, i.ID)
			}
			w.same("who they are", got, want)
			if nobody := name == "by no channel"; (len(want) == 0) != nobody || len(want) == len(all) != (name == "everyone") {
				w.Fatalf("the filter lets %d of %d through, which says little", len(want), len(all))
			}
		})
	}
}

func selectors() map[string]insight.Selector {
	return map[string]insight.Selector{
		"all": {}, "inbound": insight.AnyInbound(), "outbound": {Direction: insight.Outbound},
		"types": {Types: []string{"page", "mailing"}}, "channel": {Channels: []string{"store"}},
		"kinds":      {ChannelKinds: []insight.ChannelKind{insight.WebChannel, insight.OtherChannel}},
		"no channel": {Channels: []string{"teleport"}},
		"currency":   {Currencies: []string{"EUR"}},
		"when":       {OccurredFrom: after(60), OccurredTo: after(300)},
		"property":   {Properties: []insight.PropertyCondition{{Path: "deep.list.1", Op: insight.EQ, Value: json.RawMessage(`"y1"`)}}},
		"several": {Types: []string{"page"}, OccurredFrom: after(20), Properties: []insight.PropertyCondition{
			{Path: "n", Op: insight.GT, Value: json.RawMessage(`10`)}, {Path: "deep", Op: insight.Exists},
		}},
		"no property": {Properties: []insight.PropertyCondition{{Path: "n", Op: insight.NotExists}}},
	}
}

func placeOf(x *insight.Interaction) insight.Cursor {
	return insight.Cursor{At: x.OccurredAt, ID: x.ID}
}

func testInteractionPages(w *world) {
	u0 := w.crowd()
	r := w.reader()
	others := []uuid.UUID{w.find("u1"), u0, w.find("a2"), uuid.New()}
	timeline := must(r.Timelines(w.ctx, []uuid.UUID{u0}, insight.Selector{}, after(1e6)))(w)[u0]
	for name, s := range selectors() {
		w.sub(name, func(w *world) {
			list := func(w *world, p store.Page) store.Slice[*insight.Interaction] {
				w.Helper()
				all := w.interactions(r, others, s, p)
				if len(all) != len(others) || len(all[others[3]].Items) != 0 {
					w.Fatalf("%d were asked for, %d came", len(others), len(all))
				}
				for id, of := range all {
					for _, x := range of.Items {
						if x.IndividualID != id || !s.Matches(x) {
							w.Fatalf("among those of %v is %+v", id, x)
						}
					}
				}
				return all[u0]
			}
			items := pages(w, list, placeOf, func(x *insight.Interaction) uuid.UUID { return x.ID })
			inOrder(w, items, placeOf, true)
			want := 0
			for _, x := range timeline {
				if s.Matches(x) {
					want++
				}
			}
			w.same("how many", len(items), want)
			w.same("their number", must(r.CountInteractions(w.ctx, others, s))(w)[u0], want)
		})
	}
	w.same("all", len(timeline), 61)
	w.sound()
}

func testSessionPages(w *world) {
	u0 := w.crowd()
	r := w.reader()
	place := func(s *insight.Session) insight.Cursor { return insight.Cursor{At: s.StartedAt, ID: s.ID} }
	list := func(w *world, p store.Page) store.Slice[*insight.Session] {
		w.Helper()
		return must(r.Sessions(w.ctx, []uuid.UUID{u0, w.find("u1")}, p))(w)[u0]
	}
	sessions := pages(w, list, place, func(s *insight.Session) uuid.UUID { return s.ID })
	inOrder(w, sessions, place, true)
	w.same("their number", must(r.CountSessions(w.ctx, []uuid.UUID{u0}))(w)[u0], len(sessions))
	if len(sessions) < 3 {
		w.Fatalf("%d sessions are too few to page", len(sessions))
	}
	ids := make([]uuid.UUID, len(sessions))
	for i, s := range sessions {
		ids[i] = s.ID
	}
	counts := must(r.CountSessionInteractions(w.ctx, visits(ids...)))(w)
	most := sessions[0]
	for _, s := range sessions {
		w.same("a session's number", counts[s.ID], s.Interactions)
		if s.Interactions > most.Interactions {
			most = s
		}
	}
	inside := func(w *world, p store.Page) store.Slice[*insight.Interaction] {
		w.Helper()
		return w.inSessions(r, ids, p)[most.ID]
	}
	items := pages(w, inside, placeOf, func(x *insight.Interaction) uuid.UUID { return x.ID })
	inOrder(w, items, placeOf, true)
	w.same("how many of the longest", len(items), most.Interactions)
	w.same("how long", []time.Time{items[len(items)-1].OccurredAt, items[0].OccurredAt}, []time.Time{most.StartedAt, most.EndedAt})
}

func testTimelines(w *world) {
	u0 := w.crowd()
	r := w.reader()
	for name, s := range selectors() {
		w.sub(name, func(w *world) {
			whole := w.interactions(r, []uuid.UUID{u0}, s, everything)[u0].Items
			for _, asOf := range []time.Time{after(-1), after(0), after(19.999), after(20), after(20).Add(time.Microsecond), after(1e6)} {
				var want []uuid.UUID
				for _, x := range whole {
					if !x.OccurredAt.After(asOf) {
						want = append(want, x.ID)
					}
				}
				slices.Reverse(want)
				var got []uuid.UUID
				for _, x := range must(r.Timelines(w.ctx, []uuid.UUID{u0}, s, asOf))(w)[u0] {
					got = append(got, x.ID)
				}
				w.same("as of "+asOf.String(), got, want)
			}
		})
	}
}
