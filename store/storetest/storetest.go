package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/store"
)

// Run asks everything of an engine. Each call of open gives an empty store of its
// own, which open closes when the test ends.
func Run(t *testing.T, open func(testing.TB) *store.Store) {
	t.Helper()
	for _, chapter := range []struct {
		name string
		test func(*world)
	}{
		{"append", testAppend},
		{"append refuses nothing half", testAppendWhole},
		{"a thousand events at once", testAppendMany},
		{"traits", testTraits},
		{"find", testFind},
		{"find after a merge", testFindMerged},
		{"merge", testMerge},
		{"merge people by any of their names", testMergePeople},
		{"unmerge", testUnmerge},
		{"reasons", testReasons},
		{"evidence", testEvidence},
		{"who may read", testWhoMayRead},
		{"the wall", testWall},
		{"pages of individuals", testIndividualPages},
		{"pages of interactions", testInteractionPages},
		{"pages of sessions", testSessionPages},
		{"filters", testFilters},
		{"timelines", testTimelines},
		{"sessions", testSessions},
		{"session ids that moved on", testMovedSessions},
		{"subscriptions", testSubscriptions},
		{"sources", testSources},
		{"channels", testChannels},
		{"purposes", testPurposes},
		{"awkward texts", testTexts},
		{"edges of time", testTimes},
		{"everyone at once", testConcurrency},
		{"decisions", testDecisions},
		{"a ledger", testLedger},
		{"what was known", testBitemporal},
		{"what a decision covers", testDecided},
		{"what any decisions cover", testDecidedAnyhow},
		{"ledgers that meet", testLedgersMeet},
		{"purposes that change", testDefine},
		{"signals", testSignals},
		{"sessions in part", testPartialSessions},
		{"requests", testRequests},
		{"erasure", testErase},
		{"retention", testRetain},
		{"retention of many", testRetainMany},
		{"access log", testAccess},
		{"access log of those who were merged", testAccessMerged},
		{"access log by the page", testAccessPages},
		{"access log of many at once", testAccessTogether},
		{"tallies", testTally},
		{"tallies of refusals", testRefusals},
		{"tallies while others write", testTallyTogether},
	} {
		t.Run(chapter.name, func(t *testing.T) { chapter.test(newWorld(t, open(t))) })
	}
}

// world is an empty store and what it takes to make events.
type world struct {
	*testing.T
	*store.Store
	ctx    context.Context
	api    *insight.Source
	events int
}

func newWorld(t *testing.T, s *store.Store) *world {
	t.Helper()
	w := &world{T: t, Store: s, ctx: t.Context()}
	w.api = must(s.Source(w.ctx, store.APISource))(w)
	return w
}

// sub asks a part of a chapter as a test of its own, in the same store.
func (w *world) sub(name string, ask func(*world)) {
	w.Helper()
	w.Run(name, func(t *testing.T) {
		inner := *w
		inner.T = t
		ask(&inner)
		w.events = inner.events
	})
}

// must gives a result, or ends the test when there is an error instead.
func must[T any](v T, err error) func(*world) T {
	return func(w *world) T {
		w.Helper()
		if err != nil {
			w.Fatal(insight.Detail(err))
		}
		return v
	}
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func after(minutes float64) time.Time {
	return noon.Add(time.Duration(minutes * float64(time.Minute)))
}

// who reads names such as "u1" or "a7": a USER_ID, EMAIL, PHONE, EXTERNAL,
// DEVICE_ID or ANONYMOUS_ID by its first letter. They are to be given strongest
// first.
func who(names ...string) []insight.Identity {
	all := make([]insight.Identity, len(names))
	for i, name := range names {
		all[i].Kind, all[i].Value = map[byte]insight.IdentifierKind{
			'u': insight.UserID, 'e': insight.Email, 'p': insight.Phone, 'x': insight.External, 'd': insight.DeviceID, 'a': insight.AnonymousID,
		}[name[0]], name
	}
	return all
}

func by(name string) store.Lookup { return store.Lookup{Identity: who(name)[0]} }

// event makes an inbound event of the API's source; its session runs along the
// weakest of its identities.
func (w *world) event(at time.Time, kind string, identities []insight.Identity) *insight.Event {
	w.events++
	return &insight.Event{
		MessageID: fmt.Sprintf("m%d", w.events), Timestamp: at, OccurredAt: at, ReceivedAt: noon.Add(insight.Day),
		Source: w.api, Channel: w.api.DefaultChannel, Type: kind, Direction: insight.Inbound,
		Identities: identities, Stream: identities[len(identities)-1],
	}
}

// keep appends events, each of which must be accepted.
func (w *world) keep(events ...*insight.Event) {
	w.Helper()
	for i, o := range must(w.Append(w.ctx, events))(w) {
		if o.Status != insight.StatusAccepted {
			w.Fatalf("event %d: %+v", i, o)
		}
	}
	if w.events%8 == 0 { // so that some have a digest when more happens, and some do not
		must(w.Digest(w.ctx))(w)
	}
}

// happens keeps one event and returns its id.
func (w *world) happens(at time.Time, kind string, names ...string) uuid.UUID {
	w.Helper()
	e := w.event(at, kind, who(names...))
	w.keep(e)
	return e.ID()
}

func (w *world) statuses(events ...*insight.Event) string {
	w.Helper()
	var all []string
	for _, o := range must(w.Append(w.ctx, events))(w) {
		all = append(all, map[insight.Status]string{insight.StatusAccepted: "accepted", insight.StatusDuplicate: "duplicate"}[o.Status])
	}
	return strings.Join(all, " ")
}

func viewer(purpose string) *insight.Viewer {
	return &insight.Viewer{
		Subject: "test", Scopes: []insight.Scope{insight.ScopeIndividualsRead}, Purpose: purpose,
		Purposes: []string{"service", "analytics", "personalization", "marketing", "advertising"},
	}
}

// reader reads for analytics, which covers everyone who has decided nothing.
func (w *world) reader() *store.Reader {
	w.Helper()
	return must(w.Reader(w.ctx, viewer("analytics"), nil))(w)
}

func (w *world) find(name string) uuid.UUID {
	w.Helper()
	return must(w.reader().Find(w.ctx, by(name)))(w).ID
}

// together and apart say whether two names are one individual.
func (w *world) together(a, b string) {
	w.Helper()
	if w.find(a) != w.find(b) {
		w.Fatalf("%s and %s are two individuals", a, b)
	}
}

func (w *world) apart(a, b string) {
	w.Helper()
	if w.find(a) == w.find(b) {
		w.Fatalf("%s and %s are one individual", a, b)
	}
}

// sound asks for a recompute, which must agree.
func (w *world) sound() *store.Verification {
	w.Helper()
	v := must(w.Verify(w.ctx, nil))(w)
	if v.Total > 0 {
		w.Fatalf("a recompute differs: %s", strings.Join(v.Differences, "\n"))
	}
	return v
}

func (w *world) kind(err error, want insight.Kind, subject string) {
	w.Helper()
	if got := insight.KindOf(err); err == nil || got != want {
		w.Fatalf("the error is %v (%s), want one of kind %v", err, insight.Detail(err), want)
	}
	if text := err.Error(); !strings.HasPrefix(text, subject) {
		w.Fatalf("the error %q does not name %q", text, subject)
	}
}

func (w *world) same(what string, got, want any) {
	w.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		w.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

// everything is a page that holds all that these tests make.
var everything = store.Page{Limit: 100}

func (w *world) interactions(r *store.Reader, ids []uuid.UUID, s insight.Selector, p store.Page) map[uuid.UUID]store.Slice[*insight.Interaction] {
	w.Helper()
	return must(r.Interactions(w.ctx, ids, s, p, store.WithAll))(w)
}

func (w *world) inSessions(r *store.Reader, sessions []uuid.UUID, p store.Page) map[uuid.UUID]store.Slice[*insight.Interaction] {
	w.Helper()
	return must(r.SessionInteractions(w.ctx, visits(sessions...), p, store.WithAll))(w)
}

func (w *world) types(individual uuid.UUID, s insight.Selector, p store.Page) []string {
	w.Helper()
	var types []string
	for _, x := range w.interactions(w.reader(), []uuid.UUID{individual}, s, p)[individual].Items {
		types = append(types, x.Type)
	}
	return types
}

func declared(key, value string) insight.Observation {
	return insight.Observation{Key: key, Value: json.RawMessage(value), Provenance: insight.Declared, Confidence: 1, Sensitivity: insight.Ordinary}
}

// visits are sessions that are kept, by their ids.
func visits(ids ...uuid.UUID) []*insight.Session {
	all := make([]*insight.Session, len(ids))
	for n, id := range ids {
		all[n] = &insight.Session{ID: id}
	}
	return all
}
