package store_test

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"
	"golang.org/x/sync/errgroup"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// TestGrantsEndInOrder: of several grants, of one person and of many, each ends at its
// own moment, and nothing needs to be written in between.
func TestGrantsEndInOrder(t *testing.T) {
	eachLedger(t, func(w *ledgerWorld, _ store.Options) {
		const tick = insight.Precision
		start := w.now
		for n, user := range []string{"ann", "bob", "cleo", "dora", "emil"} {
			w.does(hours(n), user, user+"1", nil)
		}
		day := func(n int) time.Time { return start.Add(time.Duration(n) * insight.Day) }
		w.decides("ann", "marketing", insight.ConsentGranted, hours(0), day(3))
		w.decides("ann", "personalization", insight.ConsentGranted, hours(0), day(2))
		w.decides("bob", "marketing", insight.ConsentGranted, hours(0), day(1))
		w.decides("cleo", "marketing", insight.ConsentGranted, hours(0), never)
		w.decides("dora", "analytics", insight.ConsentGranted, hours(0), day(1))
		w.decides("emil", "marketing", insight.ConsentGranted, hours(0), start) // it has ended already
		w.sound("before any end")
		state := func() string {
			text := ""
			for _, c := range []struct{ user, purpose string }{{"ann", "marketing"}, {"ann", "personalization"}, {"bob", "marketing"}, {"cleo", "marketing"}, {"dora", "analytics"}, {"emil", "marketing"}} {
				if w.sees(c.user, c.purpose) >= 0 {
					text += "+"
				} else {
					text += "-"
				}
			}
			return text
		}
		for _, c := range []struct {
			at   time.Time
			want string
		}{
			{start, "+++++-"}, {day(1).Add(-tick), "+++++-"}, {day(1), "++-++-"}, {day(2).Add(-tick), "++-++-"}, {day(2), "+--++-"},
			{day(3).Add(-tick), "+--++-"}, {day(3), "---++-"}, {day(3000), "---++-"},
		} {
			w.now = c.at
			if got := state(); got != c.want {
				t.Errorf("after %v: %s, want %s", c.at.Sub(start), got, c.want)
			}
			w.sound(c.at.Sub(start).String())
		}
		// Dora's has ended, and a legitimate interest needs none.
		r := w.reads("analytics")
		dora, err := r.Find(w.ctx, named("dora"))
		if err != nil {
			t.Fatal(err)
		}
		decisions := must(r.Decisions(w.ctx, []uuid.UUID{dora.ID}))[dora.ID]
		if s := consent.InForce(w.purpose("analytics"), decisions, w.now, w.now); s.Status != consent.StatusExpired || !s.Permitted {
			t.Errorf("it is %+v", s)
		}
		if got := w.does(w.now, "dora", "dora1", nil); got != insight.StatusAccepted {
			t.Errorf("what comes of somebody whose grant has ended is %d", got)
		}
		w.wants("what came of hers", w.sees("dora", "analytics"), 2)
		w.wants("of what happened after the end, nothing is permitted", w.sees("dora", "marketing"), -1)

		// A grant that ends may be given again, shorter or longer, and taken back before.
		w.decides("ann", "marketing", insight.ConsentGranted, never, w.now.Add(time.Hour))
		w.decides("bob", "marketing", insight.ConsentGranted, never, w.now.Add(2*time.Hour))
		w.decides("bob", "marketing", insight.ConsentGranted, w.now.Add(-tick), w.now.Add(time.Minute)) // of just before: the later one counts
		w.now = w.now.Add(time.Hour)
		w.wants("ann", w.sees("ann", "marketing"), -1)
		w.wants("bob", w.sees("bob", "marketing"), 1)
		w.decides("bob", "marketing", insight.ConsentWithdrawn, never, never)
		w.wants("bob, who took it back", w.sees("bob", "marketing"), -1)
		w.now = w.now.Add(insight.Day)
		w.sound("at last")
	})
}

// TestWhatEndedStaysCovered: what happened while a grant held is read again when there
// is a new one, and what happened after its end is not.
func TestWhatEndedStaysCovered(t *testing.T) {
	eachLedger(t, func(w *ledgerWorld, _ store.Options) {
		end := w.now.Add(time.Hour)
		w.does(hours(1), "ann", "a1", nil)
		w.decides("ann", "marketing", insight.ConsentGranted, hours(2), end)
		w.does(hours(3), "ann", "a1", nil)
		w.does(end.Add(-insight.Precision), "ann", "a1", nil) // before its time, which is the source's affair
		w.does(end, "ann", "a1", nil)
		w.wants("while it holds", w.sees("ann", "marketing"), 2)
		w.now = end.Add(time.Hour)
		w.wants("after its end", w.sees("ann", "marketing"), -1)
		w.does(end.Add(time.Minute), "ann", "a1", nil)
		w.decides("ann", "marketing", insight.ConsentGranted, never, never)
		w.does(w.now, "ann", "a1", nil)
		w.wants("with a new one", w.sees("ann", "marketing"), 3)
		w.sound("with a gap")
	})
}

// TestMergedGrantsEnd: of two who are one, each one's grant must hold.
func TestMergedGrantsEnd(t *testing.T) {
	eachLedger(t, func(w *ledgerWorld, _ store.Options) {
		w.does(hours(1), "ann", "a1", nil)
		w.does(hours(1), "bob", "b1", nil)
		w.decides("ann", "marketing", insight.ConsentGranted, hours(0), w.now.Add(2*time.Hour))
		w.decides("bob", "marketing", insight.ConsentGranted, hours(0), w.now.Add(time.Hour))
		_, link, err := w.Merge(w.ctx, named("ann"), named("bob"), "the same")
		if err != nil {
			t.Fatal(err)
		}
		w.wants("as one", w.sees("ann", "marketing"), 2)
		w.now = w.now.Add(time.Hour)
		w.wants("when the first ends", w.sees("ann", "marketing"), -1)
		w.sound("when the first ends")
		if _, err := w.Unmerge(w.ctx, []uuid.UUID{link}, "two"); err != nil {
			t.Fatal(err)
		}
		w.wants("apart, whose has not ended", w.sees("ann", "marketing"), 1)
		w.wants("apart, whose has", w.sees("bob", "marketing"), -1)
		w.now = w.now.Add(time.Hour)
		w.wants("when the second ends", w.sees("ann", "marketing"), -1)
		w.sound("when the second ends")
	})
}

// TestEndsOfManyAtOnce: more grants than are seen to in one transaction end at one
// moment, while many read.
func TestEndsOfManyAtOnce(t *testing.T) {
	eachLedger(t, func(w *ledgerWorld, o store.Options) {
		y := sayer(w.T, w.Store)
		var events []*insight.Event
		for n := range 1200 {
			e := y.event(fmt.Sprint("m", n), id(insight.AnonymousID, fmt.Sprint("a", n)))
			e.Signals = &insight.Signals{Categories: map[string]bool{"Marketing": true}}
			events = append(events, e)
		}
		y.keep(events...)
		w.wants("while they hold", must(w.reads("marketing").CountIndividuals(w.ctx, store.Filter{})), 1200)
		// What comes with events never ends; a hand is lent, to the ledger and to what is derived of it.
		end := w.now.Add(time.Hour)
		at := end.Format("2006-01-02 15:04:05-07:00")
		for _, change := range []string{"UPDATE consents SET expires_at = '" + at + "'", "UPDATE individuals SET lapses_at = '" + at + "'"} {
			if _, err := w.DB().Exec(change); err != nil {
				t.Fatal(err)
			}
		}
		o.Now, o.LookEvery = func() time.Time { return end }, time.Nanosecond
		later := testdb.Open(w.T, o) // a process that knows nothing of it yet
		var reading errgroup.Group
		for range 6 {
			reading.Go(func() error {
				r, err := later.Reader(w.ctx, &insight.Viewer{Scopes: []insight.Scope{insight.ScopeIndividualsRead}, Purposes: []string{"marketing"}}, nil)
				if err != nil {
					return err
				}
				if n, err := r.CountIndividuals(w.ctx, store.Filter{}); err != nil || n != 0 {
					return fmt.Errorf("at the end %d are read: %w", n, err)
				}
				return nil
			})
		}
		if err := reading.Wait(); err != nil {
			t.Fatal(insight.Detail(err))
		}
		v := must(later.Verify(w.ctx, nil))
		for _, d := range v.Differences {
			if !strings.HasPrefix(d, "consent ") { // of which the end was set behind the ledger's back
				t.Fatalf("a recompute differs: %s", d)
			}
		}
	})
}

// TestAnotherProcessEnds: a grant that one process records ends in another that did
// not hear of it, at its moment.
func TestAnotherProcessEnds(t *testing.T) {
	eachLedger(t, func(w *ledgerWorld, o store.Options) {
		o.LookEvery, o.Now = time.Nanosecond, func() time.Time { return w.now }
		other := testdb.Open(w.T, o)
		reads := func() int {
			t.Helper()
			r := must(other.Reader(w.ctx, &insight.Viewer{Scopes: []insight.Scope{insight.ScopeIndividualsRead}, Purposes: []string{"marketing"}}, nil))
			return must(r.CountIndividuals(w.ctx, store.Filter{}))
		}
		w.does(hours(1), "ann", "a1", nil)
		w.wants("before", reads(), 0)
		for range 3 {
			end := w.now.Add(time.Hour)
			w.decides("ann", "marketing", insight.ConsentGranted, never, end)
			w.wants("while it holds", reads(), 1)
			w.now = end.Add(-insight.Precision)
			w.wants("just before its end", reads(), 1)
			w.now = end
			w.wants("at its end", reads(), 0)
		}
		w.sound("at last")
	})
}

// TestLongReadersSeeEnds: a reader that a subscriber holds for long learns of an end
// with the next thing that it is told of.
func TestLongReadersSeeEnds(t *testing.T) {
	eachLedger(t, func(w *ledgerWorld, _ store.Options) {
		w.decides("ann", "marketing", insight.ConsentGranted, hours(0), w.now.Add(time.Hour))
		kept := must(w.Subscribe())
		defer kept.Close()
		decided := must(w.SubscribeConsents())
		defer decided.Close()
		r := w.reads("marketing")
		ids := func(sub *store.Subscription) []uuid.UUID {
			select {
			case <-sub.Ready():
			case <-time.After(20 * time.Second):
				t.Fatal("nothing was heard of")
			}
			all, missed := sub.Take()
			if missed {
				t.Fatal("something was missed")
			}
			return all
		}
		w.does(hours(1), "ann", "a1", nil)
		w.wants("while it holds", len(must(r.InteractionsByID(w.ctx, ids(kept)))), 1)
		w.decides("ann", "advertising", insight.ConsentDenied, never, never)
		w.wants("a decision while it holds", len(must(r.ConsentsByID(w.ctx, ids(decided)))), 1)
		w.does(hours(2), "ann", "a1", nil)
		w.decides("ann", "advertising", insight.ConsentWithdrawn, never, never)
		w.now = w.now.Add(time.Hour)
		changes := w.Changes()
		w.wants("at its end", len(must(r.InteractionsByID(w.ctx, ids(kept)))), 0)
		w.wants("a decision at its end", len(must(r.ConsentsByID(w.ctx, ids(decided)))), 0)
		if w.Changes() == changes {
			t.Error("who shows what was read before is not told that it may not be shown any longer")
		}
	})
}

// TestRetainedToTheMoment: what is kept is kept until the moment at which its time has
// passed, and not for one longer.
func TestRetainedToTheMoment(t *testing.T) {
	eachLedger(t, func(w *ledgerWorld, _ store.Options) {
		const tick = insight.Precision
		for key, length := range map[string]time.Duration{"service": 10 * insight.Day, "analytics": 5 * insight.Day, "personalization": 1, "marketing": 20 * insight.Day, "advertising": 1} {
			p := *w.purpose(key)
			p.Retention = max(length, time.Microsecond)
			if _, err := w.DefinePurpose(w.ctx, p); err != nil {
				t.Fatal(err)
			}
		}
		start := w.now
		w.does(start, "ann", "a1", nil)
		w.does(start.Add(time.Hour), "ann", "a1", nil)
		w.does(start, "bob", "b1", nil)
		w.decides("bob", "marketing", insight.ConsentGranted, start, start.Add(15*insight.Day))
		retain := func(after time.Duration, want store.Retained) {
			t.Helper()
			w.now = start.Add(after)
			if got := must(w.Retain(w.ctx)); got != want {
				t.Errorf("after %v: %+v, want %+v", after, got, want)
			}
			w.sound(after.String())
		}
		retain(10*insight.Day-tick, store.Retained{Looked: 2})
		retain(10*insight.Day, store.Retained{Looked: 2, Interactions: 1})          // ann's first; bob's serves marketing
		retain(10*insight.Day+time.Hour-tick, store.Retained{Looked: 2})            //
		retain(10*insight.Day+time.Hour, store.Retained{Looked: 2, Individuals: 1}) // ann, of whom nothing else is known
		retain(15*insight.Day-tick, store.Retained{Looked: 1})                      //
		retain(15*insight.Day, store.Retained{Looked: 1, Individuals: 1})           // bob, whose grant has ended, which is no refusal
		retain(15*insight.Day, store.Retained{})                                    // there is nobody
		if got := w.does(w.now, "bob", "b1", nil); got != insight.StatusAccepted {
			t.Errorf("somebody who never refused comes again as %d", got)
		}
	})
}

// TestRetainedWithOthers: an individual for whom no purpose is left goes as one who was
// erased does, and what is kept of the others is theirs.
func TestRetainedWithOthers(t *testing.T) {
	eachLedger(t, func(w *ledgerWorld, _ store.Options) {
		w.does(hours(0), "old", "tablet", nil)
		w.does(w.now, "new", "tablet", nil)
		for _, p := range must(w.Purposes(w.ctx)) {
			q := *p
			q.Retention = 10 * insight.Day
			if _, err := w.DefinePurpose(w.ctx, q); err != nil {
				t.Fatal(err)
			}
		}
		done := must(w.Retain(w.ctx))
		if done.Individuals != 1 {
			t.Errorf("removed: %+v", done)
		}
		w.sound("after it")
		one, other := must(w.Find(w.ctx, named("new"))), must(w.Find(w.ctx, store.Lookup{Identity: id(insight.AnonymousID, "tablet")}))
		if one != other {
			t.Error("the tablet is still taken for one that two share")
		}
	})
}

// TestAccessByTheMinute: who is shown somebody ten times in a minute is written down
// once, and in the next minute again.
func TestAccessByTheMinute(t *testing.T) {
	eachLedger(t, func(w *ledgerWorld, o store.Options) {
		w.does(hours(1), "ann", "a1", nil)
		o.Now = func() time.Time { return w.now }
		other := testdb.Open(w.T, o)
		ann := must(w.Find(w.ctx, named("ann")))
		w.now = w.now.Truncate(time.Minute)
		for n, c := range []struct {
			after time.Duration
			want  int
		}{{0, 1}, {0, 1}, {59 * time.Second, 1}, {time.Minute - insight.Precision, 1}, {time.Minute, 2}, {time.Minute + time.Second, 2}, {0, 2}, {3 * time.Minute, 3}, {time.Minute, 3}} {
			start := w.now
			w.now = start.Add(c.after)
			for _, s := range []*store.Store{w.Store, other} { // two processes are one log
				shown := store.NewAccess("query")
				r := must(s.Reader(w.ctx, &insight.Viewer{Subject: "clerk", Scopes: []insight.Scope{insight.ScopeIndividualsRead}, Purposes: []string{"service"}}, shown))
				must(r.Find(w.ctx, named("ann")))
				if err := s.Log(w.ctx, shown); err != nil {
					t.Fatal(insight.Detail(err))
				}
				w.wants(fmt.Sprint("entries after reading ", n), must(r.CountAccess(w.ctx, []uuid.UUID{ann}))[ann], c.want)
			}
			w.now = start
		}
		items := must(w.reads("service").AccessLog(w.ctx, []uuid.UUID{ann}, store.Page{Limit: 100}))[ann].Items
		var told []time.Duration
		for _, e := range items {
			told = append(told, e.At.Sub(w.now))
		}
		if !slices.Equal(told, []time.Duration{3 * time.Minute, time.Minute, 0}) {
			t.Errorf("the entries are of %v", told)
		}
	})
}

// failing makes a transaction fail at its end, as a server does where two are in each
// other's way, when its turn comes.
type failing struct{ after atomic.Int64 }

func (f *failing) wrap(c driver.Connector) driver.Connector { return failingConnector{c, f} }

type failingConnector struct {
	driver.Connector
	f *failing
}

func (c failingConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return failingConn{conn.(postgresConn), c.f}, nil
}

type failingConn struct {
	postgresConn
	f *failing
}

func (c failingConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	tx, err := c.postgresConn.BeginTx(ctx, o)
	return failingTx{tx, c.f}, err
}

type failingTx struct {
	driver.Tx
	f *failing
}

func (x failingTx) Commit() error {
	if x.f.after.Add(-1) == 0 {
		_ = x.Tx.Rollback()
		return &pq.Error{Code: "40001"}
	}
	return x.Tx.Commit()
}

// TestDoneAgain: what the server asks to be done again is done whole, and once.
func TestDoneAgain(t *testing.T) {
	o := testdb.Postgres(t)
	var f failing
	now := epoch.Add(30 * insight.Day)
	o.Wrap, o.Now = f.wrap, func() time.Time { return now }
	s := testdb.Open(t, o)
	y := sayer(t, s)
	again := func(what string, do func()) {
		t.Helper()
		now = now.Add(time.Minute)
		f.after.Store(1)
		do()
		if f.after.Load() >= 0 {
			t.Fatalf("%s: nothing failed", what)
		}
		y.sound()
	}
	again("events", func() {
		y.keep(y.event("m1", id(insight.UserID, "u1"), id(insight.AnonymousID, "a1")), y.event("m2", id(insight.UserID, "u2")), y.event("m3", id(insight.UserID, "u3")))
	})
	again("a decision", func() {
		c := y.claim("marketing", insight.ConsentDenied)
		done := y.decides(id(insight.UserID, "u1"), c)
		if len(done.Decisions) != 1 || done.Heads[0].Length != 1 || len(done.Records) != 1 {
			t.Errorf("it is recorded as %+v", done)
		}
	})
	again("a purpose", func() {
		if p := must(s.DefinePurpose(t.Context(), insight.Purpose{Key: "new", Name: "new", LegalBasis: insight.BasisConsent, Floor: 10})); len(p.Versions) != 1 {
			t.Errorf("it is defined as %+v", p)
		}
	})
	again("a purpose that changes", func() {
		if p := must(s.DefinePurpose(t.Context(), insight.Purpose{Key: "new", Name: "new", LegalBasis: insight.BasisContract, Floor: 10})); len(p.Versions) != 2 {
			t.Errorf("it is defined as %+v", p)
		}
	})
	again("a grant's end", func() {
		c := y.claim("personalization", insight.ConsentGranted)
		c.ExpiresAt = now.Add(time.Hour)
		f.after.Store(0)
		y.decides(id(insight.UserID, "u2"), c)
		now = now.Add(time.Hour)
		f.after.Store(1)
		if _, err := y.reader("personalization", nil).Find(t.Context(), named("u2")); insight.KindOf(err) != insight.Withheld {
			t.Errorf("at its end it is %v", err)
		}
	})
	again("an erasure", func() {
		if told := y.erase(id(insight.UserID, "u3"), true); told.Suppressed != 1 || told.Tables[0].Rows != 1 {
			t.Errorf("the receipt is %+v", told)
		}
	})
	for _, p := range must(s.Purposes(t.Context())) {
		q := *p
		q.Retention = insight.Day
		must(s.DefinePurpose(t.Context(), q))
	}
	again("retention", func() {
		if done := must(s.Retain(t.Context())); done != (store.Retained{Looked: 2, Individuals: 2, Suppressed: 1}) {
			t.Errorf("removed: %+v", done)
		}
	})
}
