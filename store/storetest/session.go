package storetest

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
)

// told tells an individual's sessions, newest first, and checks that each of their
// interactions finds its session, and each session its interactions.
func (w *world) told(name string) []string {
	w.Helper()
	r, id := w.reader(), w.find(name)
	var lines []string
	expected := map[uuid.UUID]uuid.UUID{}
	for _, s := range must(r.Sessions(w.ctx, []uuid.UUID{id}, everything))(w)[id].Items {
		engaged := ""
		if s.Engaged {
			engaged = " engaged"
		}
		lines = append(lines, fmt.Sprintf("%s-%s %d by %s %s%s", s.StartedAt.Format("15:04:05"), s.EndedAt.Format("15:04:05"), s.Interactions, s.EntryChannel.Key, s.Campaign.Name, engaged))
		w.same("by its id", must(r.Session(w.ctx, s.ID))(w), s)
		for _, x := range w.inSessions(r, []uuid.UUID{s.ID}, everything)[s.ID].Items {
			expected[x.ID] = s.ID
		}
		w.same("their number", must(r.CountSessionInteractions(w.ctx, visits(s.ID)))(w)[s.ID], s.Interactions)
	}
	var all []uuid.UUID
	inbound := 0
	for _, x := range w.interactions(r, []uuid.UUID{id}, insight.Selector{}, everything)[id].Items {
		all = append(all, x.ID)
		if x.Direction == insight.Inbound {
			inbound++
		}
	}
	w.same("interactions with a session", len(expected), inbound)
	got := map[uuid.UUID]uuid.UUID{}
	for x, s := range must(r.SessionsOf(w.ctx, all))(w) {
		got[x] = s.ID
	}
	w.same("the sessions of interactions", got, expected)
	return lines
}

func testSessions(w *world) {
	at := func(minutes float64, kind string, names ...string) *insight.Event {
		return w.event(after(minutes), kind, who(names...))
	}
	w.keep(at(0, "page", "a1"), at(30, "page", "a1"))
	w.same("exactly the timeout", w.told("a1"), []string{"12:00:00-12:30:00 2 by api  engaged"})
	w.keep(at(0, "page", "a2"), at(30, "page", "a2"))
	w.keep(w.event(after(60).Add(time.Microsecond), "page", who("a2")))
	w.same("a microsecond more", w.told("a2"), []string{"13:00:00-13:00:00 1 by api ", "12:00:00-12:30:00 2 by api  engaged"})

	// A late event joins two, from either side and in between.
	w.keep(at(0, "click", "a3"))
	w.keep(at(50, "click", "a3"))
	w.same("two", w.told("a3"), []string{"12:50:00-12:50:00 1 by api ", "12:00:00-12:00:00 1 by api "})
	w.keep(at(25, "click", "a3"))
	w.same("one", w.told("a3"), []string{"12:00:00-12:50:00 3 by api  engaged"})

	// A campaign and a channel do not split; the first one names the session, also when it comes late.
	mail := at(10, "page", "a4")
	mail.Channel, mail.Campaign = must(w.Channel(w.ctx, "email", ""))(w), insight.Campaign{Name: "spring"}
	w.keep(mail)
	w.same("by e-mail", w.told("a4"), []string{"12:10:00-12:10:00 1 by email spring"})
	search := at(5, "page", "a4")
	search.Channel, search.Campaign = must(w.Channel(w.ctx, "paid_search", ""))(w), insight.Campaign{Name: "brand"}
	w.keep(search)
	w.same("by search before that", w.told("a4"), []string{"12:05:00-12:10:00 2 by paid_search brand engaged"})

	// Logging in, and midnight.
	w.keep(at(11*60+50, "page", "a5"), at(11*60+55, "identify", "u5", "a5"), at(12*60+10, "page", "u5", "a5"))
	w.same("across a login and midnight", w.told("u5"), []string{"23:50:00-00:10:00 3 by api  engaged"})

	// Being written to is no visit.
	mailing := at(0, "mailing", "u6")
	mailing.Direction = insight.Outbound
	w.keep(mailing)
	w.same("written to", len(w.told("u6")), 0)

	// Streams of one person are visits of their own, and so are sources.
	shop, _, err := w.CreateSource(w.ctx, sourceOf("shop", time.Hour))
	if err != nil {
		w.Fatal(err)
	}
	there := at(45, "page", "u7", "a7")
	there.Source, there.Channel = shop, shop.DefaultChannel
	back := at(100, "page", "u7", "a7")
	back.Source, back.Channel = shop, shop.DefaultChannel
	w.keep(at(0, "page", "u7", "a7"), at(1, "page", "u7", "d7"), at(31, "page", "u7", "d7"), there, back)
	w.same("two devices and two sources", w.told("u7"), []string{"12:45:00-13:40:00 2 by web  engaged", "12:01:00-12:31:00 2 by api  engaged", "12:00:00-12:00:00 1 by api "})

	// Two people on one tablet are two visits, though they take turns.
	w.keep(at(0, "page", "u8", "d8"), at(1, "page", "u9", "d8"), at(2, "page", "u8", "d8"), at(3, "page", "d8"))
	w.same("one of them", w.told("u8"), []string{"12:00:00-12:02:00 2 by api  engaged"})
	w.same("the other", w.told("u9"), []string{"12:01:00-12:01:00 1 by api "})
	w.same("whoever it was", w.told("d8"), []string{"12:03:00-12:03:00 1 by api "})
	w.sound()
}

// testMovedSessions: a session's id is that of its first interaction; when an
// earlier one comes, the old id still finds the session.
func testMovedSessions(w *world) {
	late := w.happens(after(20), "page", "a1")
	w.same("its own", must(w.reader().Session(w.ctx, late))(w).ID, late)
	first := w.happens(after(0), "page", "a1")
	s := must(w.reader().Session(w.ctx, late))(w)
	w.same("the session that it is part of now", []any{s.ID, s.Interactions}, []any{first, 2})
	w.same("by its own id", must(w.reader().Session(w.ctx, first))(w), s)

	// With a login it goes over to somebody older.
	w.happens(after(-60), "page", "u1")
	login := w.happens(after(30), "login", "u1", "a1")
	s = must(w.reader().Session(w.ctx, login))(w)
	w.same("after the login", []any{s.ID, s.IndividualID, s.Interactions}, []any{first, w.find("u1"), 3})

	mailing := w.event(noon, "mailing", who("u1"))
	mailing.Direction = insight.Outbound
	w.keep(mailing)
	for _, id := range []uuid.UUID{uuid.New(), mailing.ID()} {
		_, err := w.reader().Session(w.ctx, id)
		w.kind(err, insight.NotFound, "session")
	}
	w.same("sessions of nothing", len(must(w.reader().SessionsOf(w.ctx, []uuid.UUID{uuid.New(), mailing.ID()}))(w)), 0)
	w.same("and of no ids", len(must(w.reader().SessionsOf(w.ctx, nil))(w)), 0)
	w.sound()
}
