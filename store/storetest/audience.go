package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/recency"
	"github.com/acquaint/acquaint/insight/segment"
	"github.com/acquaint/acquaint/store"
)

// Audience asks an engine what it asks of segments and live memberships. Each call of
// open gives an empty store of its own, whose clock is now.
func Audience(t *testing.T, open func(t testing.TB, now func() time.Time) *store.Store) {
	t.Helper()
	watched(t, open, []chapter{
		{"segments that are made", testSegmentsMade},
		{"segments that are changed", testSegmentsChanged},
		{"segments that are archived", testSegmentsArchived},
		{"segments that name each other", testSegmentsTogether},
		{"a draft and the rule that answers", testDraft},
		{"a draft of many", testDraftMany},
		{"a draft that nobody looked after", testDraftUnlooked},
		{"a draft that waits for models", testDraftModels},
		{"events", testMembersByEvents},
		{"traits", testMembersByTraits},
		{"who somebody is", testMembersByIdentity},
		{"what somebody permits", testMembersByConsent},
		{"erasure and retention", testMembersForgotten},
		{"time alone", testTime},
		{"what nobody looked at", testCaughtUp},
		{"nobody is looked at for ever", testLookEnds},
		{"what is dated ahead", testAhead},
		{"terms that change", testTermsChange},
		{"who is told what", testMembersRead},
		{"why", testExplain},
		{"previews", testPreview},
		{"the order of changes", testChangesOrder},
	})
}

// chapter is a part of a suite.
type chapter struct {
	name string
	test func(*watch)
}

// watched runs chapters, each in a world of its own, whose rows are what the facts say
// when it ends.
func watched(t *testing.T, open func(t testing.TB, now func() time.Time) *store.Store, chapters []chapter) {
	t.Helper()
	for _, chapter := range chapters {
		t.Run(chapter.name, func(t *testing.T) {
			at := noon
			w := &watch{at: &at, names: map[uuid.UUID]string{}, told: map[string]int64{}}
			w.world = newWorld(t, open(t, func() time.Time { return at }))
			chapter.test(w)
			w.keeps()
			w.sound()
		})
	}
}

// watch is a world whose clock is a value, and who has been told what until now.
type watch struct {
	*world
	at    *time.Time
	names map[uuid.UUID]string
	told  map[string]int64 // by segment, the last change
}

// days is a moment so many days after noon.
func days(n float64) time.Time { return noon.Add(time.Duration(n * float64(insight.Day))) }

// until lets time pass, and nothing else happen.
func (w *watch) until(at time.Time) {
	w.Helper()
	if at.Before(*w.at) {
		w.Fatal("time does not go backwards")
	}
	*w.at = at
}

// does keeps an event of u1 and the like, of now.
func (w *watch) does(kind string, names ...string) {
	w.Helper()
	w.happens(*w.at, kind, names...)
}

// value keeps an event of now that is worth something.
func (w *watch) value(v float64, kind string, names ...string) {
	w.Helper()
	e := w.event(*w.at, kind, who(names...))
	e.Value = &v
	w.keep(e)
}

// makes a segment, without computing it.
func (w *watch) makes(key, purpose, rule string) *segment.Segment {
	w.Helper()
	return must(w.CreateSegment(w.ctx, store.NewSegment{Key: key, Name: key, Purpose: purpose, Rule: w.rule(rule)}))(w.world)
}

func (w *watch) rule(text string) *segment.Rule {
	w.Helper()
	return must(segment.Read([]byte(text)))(w.world)
}

// changes the rule of a segment, without computing it.
func (w *watch) changes(key, rule string) *segment.Segment {
	w.Helper()
	return must(w.UpdateSegment(w.ctx, key, store.SegmentChange{Rule: w.rule(rule)}))(w.world)
}

// steps is more than any test has for a keeper.
const steps = 1000

// looks does all that time has changed.
func (w *watch) looks() {
	w.Helper()
	for range steps {
		n, next, err := w.Look(w.ctx)
		if must(n, err)(w.world); n == 0 {
			if !next.IsZero() && !next.After(*w.at) {
				w.Fatalf("nobody is left to look at, and the next is due at %s", next)
			}
			return
		}
	}
	w.Fatal("there is no end of looking")
}

// drafts computes all that is to be computed and does not wait for models.
func (w *watch) drafts() {
	w.Helper()
	for range steps {
		if !must(w.Draft(w.ctx))(w.world) {
			return
		}
	}
	w.Fatal("there is no end of drafting")
}

// keeps does all that a keeper does.
func (w *watch) keeps() {
	w.Helper()
	w.looks()
	w.drafts()
	w.looks()
}

// who of u1 to u9 an id is; those who are one are called by the first.
func (w *watch) name(id uuid.UUID) string {
	w.Helper()
	for n := 9; n > 0; n-- {
		name := fmt.Sprint("u", n)
		if found, err := w.Find(w.ctx, by(name)); err == nil {
			w.names[found] = name
		}
	}
	if w.names[id] == "" {
		w.Fatalf("nobody is %s", id)
	}
	return w.names[id]
}

func (w *watch) of(key string) *segment.Segment {
	w.Helper()
	return must(w.Segment(w.ctx, key))(w.world)
}

// in is who is in a segment, for whoever reads for its purpose; what counts them and
// what lists them by individual agree.
func (w *watch) in(key string) string {
	w.Helper()
	of := w.of(key)
	r := w.readsFor(of.Purpose.Key)
	var names []string
	page := must(r.Members(w.ctx, of, everything))(w.world)
	for n, m := range page.Items {
		names = append(names, w.name(m.IndividualID))
		if n > 0 && m.EnteredAt.After(page.Items[n-1].EnteredAt) {
			w.Error("members are not listed newest first")
		}
		listed := must(r.Memberships(w.ctx, []uuid.UUID{m.IndividualID}, time.Time{}))(w.world)[m.IndividualID]
		if !slices.ContainsFunc(listed, func(o *segment.Membership) bool { return *o == *m }) {
			w.Errorf("%s has other memberships than %+v", w.name(m.IndividualID), *m)
		}
		w.same("by id", *must(r.Membership(w.ctx, m.ID))(w.world), *m)
	}
	w.same("how many", must(r.CountMembers(w.ctx, []uuid.UUID{of.ID}))(w.world)[of.ID], len(names))
	slices.Sort(names)
	return strings.Join(names, " ")
}

// past is who was in a segment at a moment, by what is known now.
func (w *watch) past(key string, at time.Time) string {
	w.Helper()
	of := w.of(key)
	var ids []uuid.UUID
	for n := range 9 {
		if id, err := w.Find(w.ctx, by(fmt.Sprint("u", n+1))); err == nil && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	var names []string
	for id, all := range must(w.readsFor(of.Purpose.Key).Memberships(w.ctx, ids, at))(w.world) {
		for _, m := range all {
			if m.SegmentID == of.ID {
				names = append(names, w.name(id))
			}
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// hears tells what has changed in a segment since it was asked last: who entered or
// exited, and when, in days after noon.
func (w *watch) hears(key string) []string {
	w.Helper()
	of := w.of(key)
	var told []string
	for _, c := range must(w.readsFor(of.Purpose.Key).Changes(w.ctx, of, w.told[key], 1000))(w.world) {
		if c.Sequence <= w.told[key] {
			w.Fatal("changes are not in order")
		}
		w.told[key] = c.Sequence
		if c.ID == uuid.Nil || c.MembershipID == uuid.Nil || c.Because == "" || c.RecordedAt.After(*w.at) {
			w.Fatalf("a change is told by halves: %+v", c)
		}
		told = append(told, fmt.Sprintf("%s %s %s: %s", w.name(c.IndividualID), map[bool]string{true: "enters", false: "exits"}[c.Entered], inDays(c.At), c.Because))
	}
	return told
}

// inDays writes a moment in days after noon, to the microsecond.
func inDays(at time.Time) string {
	since := at.Sub(noon)
	text := fmt.Sprintf("%g", since.Truncate(time.Second).Hours()/24)
	if rest := since % time.Second; rest != 0 {
		text += "+" + rest.String()
	}
	return text
}

const bought = `{"event":{"event":{"types":["buy"]}}}`

func testSegmentsMade(w *watch) {
	w.does("buy", "u1")
	made := w.makes("buyers", "analytics", bought)
	w.same("made", []any{made.Key, made.Version, made.Status, made.Purpose.Key, made.CreatedAt, made.FreshAsOf.IsZero()}, []any{"buyers", 1, segment.Computing, "analytics", noon, true})
	w.same("nobody yet", w.in("buyers"), "")
	w.same("made again", w.makes("buyers", "analytics", bought), made)
	w.keeps()
	live := w.of("buyers")
	w.same("computed", []any{live.Status, live.FreshAsOf, w.in("buyers")}, []any{segment.Live, noon, "u1"})
	w.same("by id", must(w.SegmentByID(w.ctx, made.ID))(w.world), live)
	w.same("made again when it is live", w.makes("buyers", "analytics", bought), live)
	w.same("who entered", w.hears("buyers"), []string{"u1 enters 0: the rule was computed anew"})
	makes := func(n store.NewSegment) error {
		_, err := w.CreateSegment(w.ctx, n)
		return err
	}
	good := store.NewSegment{Key: "x", Name: "x", Purpose: "analytics", Rule: w.rule(bought)}
	for subject, spoil := range map[string]func(*store.NewSegment){
		"key: ":           func(n *store.NewSegment) { n.Key = "a b" },
		"name: ":          func(n *store.NewSegment) { n.Name = "" },
		"description: ":   func(n *store.NewSegment) { n.Description = "a\x00" },
		"purpose: ":       func(n *store.NewSegment) { n.Purpose = "none" },
		"minConfidence: ": func(n *store.NewSegment) { n.MinConfidence = 2 },
		"rule: ":          func(n *store.NewSegment) { n.Rule = nil },
		"rule.all[1].event.atLeast: ": func(n *store.NewSegment) {
			n.Rule = &segment.Rule{All: []*segment.Rule{{Everyone: true}, {Event: &segment.Event{AtLeast: pointer(-1)}}}}
		},
		"rule.any[0].segment: ": func(n *store.NewSegment) { n.Rule = w.rule(`{"any":[{"segment":"none"}]}`) },
		"rule.not.segment: ":    func(n *store.NewSegment) { n.Rule = w.rule(`{"not":{"segment":"x"}}`) },
		"rule.consent: ":        func(n *store.NewSegment) { n.Rule = w.rule(`{"consent":"none"}`) },
	} {
		bad := good
		spoil(&bad)
		w.kind(makes(bad), insight.Invalid, subject)
	}
	taken := good
	taken.Key = "buyers"
	w.kind(makes(taken), insight.Conflict, "key: ")
	w.same("how many there are", len(must(w.Segments(w.ctx))(w.world)), 1)
	_, err := w.Segment(w.ctx, "x")
	w.kind(err, insight.NotFound, "segment")
}

func pointer[T any](v T) *T { return &v }

func testSegmentsChanged(w *watch) {
	w.does("buy", "u1")
	w.does("view", "u2")
	w.makes("one", "analytics", bought)
	w.makes("two", "analytics", `{"segment":"one"}`)
	w.keeps()
	_, err := w.UpdateSegment(w.ctx, "none", store.SegmentChange{})
	w.kind(err, insight.NotFound, "segment")
	for subject, c := range map[string]store.SegmentChange{
		"name: ":          {Name: pointer("")},
		"minConfidence: ": {MinConfidence: pointer(-0.5)},
		"rule.segment: ":  {Rule: w.rule(`{"segment":"one"}`)},
		"rule.any: ":      {Rule: &segment.Rule{Any: []*segment.Rule{}}},
	} {
		_, err := w.UpdateSegment(w.ctx, "one", c)
		w.kind(err, insight.Invalid, subject)
	}
	_, err = w.UpdateSegment(w.ctx, "one", store.SegmentChange{Rule: w.rule(`{"not":{"segment":"two"}}`)}) // by way of the other
	w.kind(err, insight.Invalid, "rule.not.segment(two).segment: ")
	w.until(days(1))
	named := must(w.UpdateSegment(w.ctx, "one", store.SegmentChange{Name: pointer("first"), Description: pointer("who bought"), Rule: w.rule(bought)}))(w.world)
	w.same("the same rule", []any{named.Name, named.Description, named.Version, named.Status}, []any{"first", "who bought", 1, segment.Live})
	changed := w.changes("one", `{"event":{"event":{"types":["view"]}}}`)
	w.same("another rule", []any{changed.Version, changed.Status, changed.UpdatedAt}, []any{2, segment.Computing, days(1)})
	w.same("what names it is computed too", w.of("two").Status, segment.Computing)
	w.same("the old answer", w.in("one")+w.in("two"), "u1u1")
	w.keeps()
	w.same("the new answer", w.in("one")+w.in("two"), "u2u2")
	w.same("another least confidence", must(w.UpdateSegment(w.ctx, "one", store.SegmentChange{MinConfidence: pointer(0.5)}))(w.world).Version, 3)
}

func testSegmentsArchived(w *watch) {
	w.does("buy", "u1")
	w.does("buy", "u2")
	w.makes("one", "analytics", bought)
	w.makes("two", "analytics", `{"segment":"one"}`)
	w.keeps()
	w.hears("one")
	archives := func(key string) error {
		_, err := w.ArchiveSegment(w.ctx, key)
		return err
	}
	w.kind(archives("none"), insight.NotFound, "segment")
	w.kind(archives("one"), insight.Conflict, "segment")
	// The rule that was last asked for does not name it, but the one that answers does.
	w.changes("two", `{"everyone":true}`)
	w.kind(archives("one"), insight.Conflict, "segment")
	w.same("and all goes on", w.in("two"), "u1 u2")
	w.keeps()
	w.until(days(2))
	gone := must(w.ArchiveSegment(w.ctx, "one"))(w.world)
	w.same("archived", []any{gone.Status, w.in("one")}, []any{segment.Archived, ""})
	w.same("again", must(w.ArchiveSegment(w.ctx, "one"))(w.world).UpdatedAt, gone.UpdatedAt)
	w.does("buy", "u3")
	w.until(days(3))
	w.drafts()
	told := w.hears("one")
	slices.Sort(told)
	w.same("the exits", told, []string{"u1 exits 2: the segment was archived", "u2 exits 2: the segment was archived"})
	w.same("what was", []string{w.past("one", days(1)), w.past("one", days(2))}, []string{"u1 u2", ""})
	_, err := w.UpdateSegment(w.ctx, "one", store.SegmentChange{Name: pointer("x")})
	w.kind(err, insight.Conflict, "segment")
	_, err = w.CreateSegment(w.ctx, store.NewSegment{Key: "one", Name: "one", Purpose: "analytics", Rule: w.rule(bought)})
	w.kind(err, insight.Conflict, "key")
	_, err = w.CreateSegment(w.ctx, store.NewSegment{Key: "three", Name: "three", Purpose: "analytics", Rule: w.rule(`{"segment":"one"}`)})
	w.kind(err, insight.Invalid, "rule.segment: ")
	// One that never answered has nobody to let go.
	w.makes("four", "analytics", bought)
	must(w.ArchiveSegment(w.ctx, "four"))(w.world)
	w.keeps()
	w.same("nothing to tell", w.hears("four"), []string(nil))
}

// testSegmentsTogether: what names each other takes its place together, also where only
// the rules that answer still do.
func testSegmentsTogether(w *watch) {
	w.does("buy", "u1")
	w.does("view", "u2")
	w.makes("inner", "analytics", bought)
	w.makes("outer", "analytics", `{"not":{"segment":"inner"}}`)
	for range steps {
		more := must(w.Draft(w.ctx))(w.world)
		w.same("both or neither", w.of("inner").Status, w.of("outer").Status)
		if !more {
			break
		}
	}
	w.same("at first", w.in("inner")+" "+w.in("outer"), "u1 u2")
	w.hears("outer")
	w.until(days(1))
	w.changes("inner", `{"event":{"event":{"types":["view"]}}}`)
	for range steps {
		more := must(w.Draft(w.ctx))(w.world)
		if now := w.in("inner") + " " + w.in("outer"); now != "u1 u2" && now != "u2 u1" {
			w.Fatalf("one without the other: %s", now)
		}
		if !more {
			break
		}
	}
	w.same("turned", w.in("inner")+" "+w.in("outer"), "u2 u1")
	told := w.hears("outer")
	slices.Sort(told)
	w.same("told", told, []string{"u1 enters 1: the rule was computed anew", "u2 exits 1: the rule was computed anew"})

	// Now outer is to name it no longer, but waits for models, and answers by the rule
	// that does.
	w.changes("outer", `{"any":[{"event":{"event":{"types":["view"]}}},{"rfm":{"segments":["Champions"]}}]}`)
	w.changes("inner", bought)
	w.drafts()
	w.keeps()
	w.same("neither yet", w.in("inner")+" "+w.in("outer"), "u2 u1")
	w.sound()
	w.models(&segment.Models{AsOf: *w.at, Cuts: &recency.Cuts{}})
	w.drafts()
	w.same("together", w.in("inner")+" "+w.in("outer"), "u1 u2")
}

// models gives the segments that wait for them these.
func (w *watch) models(m *segment.Models) {
	w.Helper()
	for of := range must(w.AwaitingModels(w.ctx))(w.world) {
		if err := w.SetModels(w.ctx, of, m); err != nil {
			w.Fatal(insight.Detail(err))
		}
	}
}

// held makes a segment and computes it, so that a rule that it is given next is looked at
// with everyone, and does not take its place: another one that names it waits for models,
// until [watch.free].
func (w *watch) held(key, purpose, rule string) {
	w.Helper()
	w.makes(key, purpose, rule)
	w.keeps()
	w.makes("waits", purpose, `{"all":[{"segment":"`+key+`"},{"rfm":{"segments":["Lost"]}}]}`)
}

func (w *watch) free() {
	w.Helper()
	w.models(&segment.Models{AsOf: *w.at})
	w.drafts()
	w.same("it answers", w.of("waits").Status, segment.Live)
}

// testDraft: while a new rule is computed the old one answers, whatever happens, and
// when it takes its place the difference is told once.
func testDraft(w *watch) {
	for n, kinds := range []string{"", "buy", "view", "buy view", "buy", "view"} {
		for _, kind := range append(strings.Fields(kinds), "come") {
			w.does(kind, fmt.Sprint("u", n+1))
		}
	}
	w.held("s", "analytics", bought)
	w.same("at first", w.in("s"), "u2 u4 u5")
	w.hears("s")
	w.until(days(1))
	w.changes("s", `{"event":{"event":{"types":["view"]}}}`)
	w.drafts()
	w.same("the old answer", []any{w.in("s"), w.of("s").Status, w.of("s").Seen, w.of("s").Total}, []any{"u2 u4 u5", segment.Computing, 6, 6})
	w.same("nothing to tell", w.hears("s"), []string(nil))
	// What happens meanwhile is told by the rule that answers, and known to the new one.
	w.does("buy", "u1")
	w.does("view", "u2")
	w.does("buy", "u7")
	w.does("view", "u8")
	w.decides("u5", w.claim("analytics", no, *w.at))
	w.decides("u6", w.claim("analytics", no, *w.at))
	_, link, err := w.Merge(w.ctx, by("u3"), by("u4"), "one person")
	must(link, err)(w.world)
	w.same("the old answer lives on", w.in("s"), "u1 u2 u3 u7")
	w.same("as then", w.past("s", days(1)), "u1 u2 u3 u7")
	told := w.hears("s")
	for n := range told {
		told[n] = strings.Join(strings.Fields(told[n])[:3], " ")
	}
	slices.Sort(told)
	w.same("told", told, []string{"u1 enters 1:", "u3 enters 1:", "u4 exits 1:", "u5 exits 1:", "u7 enters 1:"})
	w.until(days(2))
	w.free()
	w.same("all at once", w.in("s"), "u2 u3 u8")
	told = w.hears("s")
	slices.Sort(told)
	anew := ": the rule was computed anew"
	w.same("the difference", told, []string{"u1 exits 2" + anew, "u7 exits 2" + anew, "u8 enters 1" + anew}) // since it was found
	w.keeps()
	w.same("once", w.hears("s"), []string(nil))
	w.same("as of now", w.past("s", days(2)), "u2 u3 u8")

	// A rule that is given up before it answered leaves nothing.
	w.changes("waits", `{"all":[{"segment":"s"},{"rfm":{"segments":["Champions"]}}]}`)
	w.changes("s", `{"everyone":true}`)
	w.drafts()
	w.until(days(2.5))
	w.changes("s", `{"event":{"event":{"types":["come"]}}}`)
	w.drafts()
	w.until(days(3))
	w.free()
	w.same("the last one", w.in("s"), "u1 u2 u3")
	told = w.hears("s")
	slices.Sort(told)
	w.same("and no other is told", told, []string{"u1 enters 2.5" + anew, "u8 exits 3" + anew})
}

// testDraftMany: with more people than one step takes, and events that come between the
// steps, of people before and behind the place of the draft.
func testDraftMany(w *watch) {
	const many = 1200
	var events []*insight.Event
	person := func(n int) string { return fmt.Sprint("x", n) }
	bought, viewed := map[int]bool{}, map[int]bool{}
	act := func(n int, kind string) {
		events = append(events, w.event(*w.at, kind, who(person(n))))
		map[string]map[int]bool{"buy": bought, "view": viewed}[kind][n] = true
	}
	for n := range many {
		act(n, []string{"buy", "view"}[n%2])
		if n%5 == 0 {
			act(n, "buy")
		}
	}
	w.keep(events...)
	w.makes("s", "analytics", `{"event":{"event":{"types":["buy"]}}}`)
	w.keeps()
	of := w.of("s")
	count := func() int {
		return must(w.readsFor("analytics").CountMembers(w.ctx, []uuid.UUID{of.ID}))(w.world)[of.ID]
	}
	changes := func() (entered, exited int) {
		for _, c := range must(w.readsFor("analytics").Changes(w.ctx, of, w.told["s"], 10000))(w.world) {
			w.told["s"] = c.Sequence
			if c.Entered {
				entered++
			} else {
				exited++
			}
		}
		return entered, exited
	}
	w.same("at first", count(), len(bought))
	entered, exited := changes()
	w.same("told", []int{entered, exited}, []int{len(bought), 0})
	w.until(days(1))
	w.changes("s", `{"event":{"event":{"types":["view"]}}}`)
	step, fresh := 0, many
	before := map[int]bool{}
	for n := range bought {
		before[n] = true
	}
	for must(w.Draft(w.ctx))(w.world) {
		if now := w.of("s"); now.Status == segment.Live {
			break // what follows is told
		} else if now.Total != many || now.Seen > 0 && now.Seen < many/3 {
			w.Fatalf("it has looked at %d of %d", now.Seen, now.Total)
		}
		w.same("the old answer", count(), len(bought))
		events = nil
		for n := step; n < many; n += 40 {
			act(n, []string{"view", "buy"}[n/40%2])
		}
		act(fresh, "view") // somebody new
		act(fresh+1, "buy")
		w.keep(events...)
		step, fresh = step+3, fresh+2
	}
	w.drafts()
	w.same("the new answer", count(), len(viewed))
	enter, exit := changes()
	// By events of the old rule those who bought entered; then all who had bought and
	// never viewed exit, and all who viewed and never bought enter.
	want := [2]int{}
	for n := range fresh {
		if bought[n] && !before[n] {
			want[0]++
		}
		if viewed[n] && !bought[n] {
			want[0]++
		}
		if bought[n] && !viewed[n] {
			want[1]++
		}
	}
	w.same("told once", [2]int{enter, exit}, want)
}

// testDraftUnlooked: the new rule takes its place after moments at which time has
// changed its answer, and nobody has looked.
func testDraftUnlooked(w *watch) {
	w.does("buy", "u1")
	w.held("s", "service", `{"everyone":true}`)
	w.hears("s")
	// In for its first day, out on the second, in on the third, out on the fourth, in then.
	w.changes("s", `{"any":[{"event":{"event":{"types":["buy"]},"within":"P1D"}},
		{"all":[{"recency":{"event":{"types":["buy"]},"atLeast":"P2D"}},{"not":{"recency":{"event":{"types":["buy"]},"atLeast":"P3D"}}}]},
		{"recency":{"event":{"types":["buy"]},"atLeast":"P4D"}}]}`)
	w.drafts()
	w.until(days(3.5))
	w.free()
	w.until(days(5))
	w.looks()
	w.same("in the end", w.in("s"), "u1")
	turns := func() (all []string) {
		w.Helper()
		for _, one := range w.hears("s") {
			f := strings.Fields(one)
			all = append(all, f[1]+" "+f[2])
		}
		return all
	}
	w.same("each after the other", turns(), []string{"exits 3.5:", "enters 4:"})
	w.does("buy", "u1")
	w.until(days(20))
	w.looks()
	w.same("from then on", turns(), []string{"exits 6:", "enters 7:", "exits 8:", "enters 9:"})
}

func testDraftModels(w *watch) {
	w.does("buy", "u1")
	w.makes("s", "analytics", bought)
	w.keeps()
	w.changes("s", `{"rfm":{"segments":["Lost"]}}`)
	waiting := must(w.AwaitingModels(w.ctx))(w.world)
	w.same("how many wait", len(waiting), 1)
	for of, needs := range waiting {
		w.same("for what", []any{of.Key, needs.Cuts, needs.Visits}, []any{"s", true, false})
	}
	w.keeps()
	w.does("buy", "u2")
	w.same("the old answer", w.in("s"), "u1 u2")
	for of := range waiting { // its rule is another one now
		w.changes("s", `{"rfm":{"segments":["Champions"]}}`)
		if err := w.SetModels(w.ctx, of, &segment.Models{}); err != nil {
			w.Fatal(insight.Detail(err))
		}
	}
	w.same("those were not for it", len(must(w.AwaitingModels(w.ctx))(w.world)), 1)
	w.models(&segment.Models{AsOf: noon})
	w.same("none waits", len(must(w.AwaitingModels(w.ctx))(w.world)), 0)
	w.keeps()
	w.same("nobody, for the model is missing", w.in("s"), "")
	w.same("they are not older than that", must(w.Renew(w.ctx, noon))(w.world), 0)
	w.same("they are older than that", must(w.Renew(w.ctx, days(1)))(w.world), 1)
	w.same("once", must(w.Renew(w.ctx, days(1)))(w.world), 0)
	w.models(&segment.Models{AsOf: days(1)})
}

func testMembersByEvents(w *watch) {
	w.makes("twice", "analytics", `{"event":{"event":{"types":["buy"]},"atLeast":2,"within":"P10D"}}`)
	w.makes("never", "analytics", `{"event":{"event":{"types":["buy"]},"atMost":0}}`)
	w.makes("five", "analytics", `{"event":{"event":{"direction":"INBOUND"},"atLeast":5}}`) // of any type
	w.makes("order", "analytics", `{"sequence":{"steps":[{"types":["view"]},{"types":["buy"]}]}}`)
	w.keeps()
	w.until(days(20))
	w.does("come", "u1")
	w.does("buy", "u1")
	w.same("once", []string{w.in("twice"), w.in("never"), w.in("order")}, []string{"", "", ""})
	w.same("entered, and exited", w.hears("never"), []string{"u1 enters 20: what happened: come", "u1 exits 20: what happened: buy"})
	w.happens(days(12), "buy", "u1") // late
	w.same("a late one", w.in("twice"), "u1")
	w.same("from now on", w.hears("twice"), []string{"u1 enters 20: what happened: buy"})
	w.happens(days(9), "buy", "u1") // too late to count
	w.happens(days(15), "view", "u1")
	w.same("before", []string{w.in("order"), w.in("five")}, []string{"u1", "u1"})
	w.same("it changes nothing", w.hears("twice"), []string(nil))
	// The same event again, and many in one batch.
	e := w.event(days(20), "view", who("u2", "a2"))
	again := *e
	w.same("twice", w.statuses(e, &again), "accepted duplicate")
	w.keep(w.event(days(19), "buy", who("u2")), w.event(days(18), "buy", who("u2")), w.event(days(19.5), "view", who("a3")), w.event(days(20), "buy", who("u3", "a3")))
	w.same("in one batch", []string{w.in("twice"), w.in("order")}, []string{"u1 u2", "u1 u3"})
	// An outbound one of another type than any rule names.
	x := w.event(days(20), "letter", who("u1"))
	x.Direction = insight.Outbound
	w.hears("twice")
	w.keep(x)
	w.same("nothing", w.hears("twice"), []string(nil))
}

func testMembersByTraits(w *watch) {
	w.makes("gold", "analytics", `{"trait":{"key":"plan","op":"EQ","value":"gold"}}`)
	w.makes("without", "analytics", `{"not":{"trait":{"key":"plan","op":"EXISTS"}}}`)
	w.keeps()
	say := func(at time.Time, value string) {
		w.Helper()
		e := w.event(at, "profile", who("u1"))
		e.Statement = true
		e.Traits = []insight.Observation{declared("plan", value)}
		w.keep(e)
	}
	w.does("come", "u1")
	w.same("unknown", []string{w.in("gold"), w.in("without")}, []string{"", "u1"})
	w.until(days(2))
	say(days(1), `"gold"`)
	w.same("known", []string{w.in("gold"), w.in("without")}, []string{"u1", ""})
	w.same("why", w.hears("gold"), []string{"u1 enters 2: what is known of them: plan"})
	say(days(0.5), `"basic"`) // older
	w.same("as it was", w.in("gold"), "u1")
	say(days(1.5), `"basic"`)
	w.same("another", w.in("gold"), "")
	w.hears("gold")
	say(days(1.5), `"basic"`)
	w.same("the same again", w.hears("gold"), []string(nil))
}

func testMembersByIdentity(w *watch) {
	w.makes("twice", "analytics", `{"event":{"event":{"types":["buy"]},"atLeast":2}}`)
	w.makes("once", "analytics", `{"event":{"event":{"types":["buy"]},"atLeast":1,"atMost":1}}`)
	w.makes("all", "analytics", `{"everyone":true}`)
	w.keeps()
	w.does("buy", "u1")
	w.does("buy", "u2")
	w.does("come", "u3")
	w.name(w.whose("u1"))
	w.hears("all")
	w.hears("once")
	w.until(days(1))
	_, link, err := w.Merge(w.ctx, by("u1"), by("u2"), "one person")
	must(link, err)(w.world)
	w.same("one who did both", []string{w.in("twice"), w.in("once"), w.in("all")}, []string{"u1", "", "u1 u3"})
	w.same("entered", w.hears("twice"), []string{"u1 enters 1: who they are"})
	for key, want := range map[string]int{"all": 1, "once": 2} {
		told := w.hears(key)
		if len(told) != want || !slices.ContainsFunc(told, func(s string) bool {
			return strings.HasPrefix(s, "u2 exits 1: they are known as ind_")
		}) {
			w.Fatalf("of %s is told %q", key, told)
		}
	}
	w.until(days(2))
	must(w.Unmerge(w.ctx, []uuid.UUID{link}, "they are two"))(w.world)
	w.same("two again", []string{w.in("twice"), w.in("once"), w.in("all")}, []string{"", "u1 u2", "u1 u2 u3"})
	w.same("exits", w.hears("twice"), []string{"u1 exits 2: who they are"})
	// A visitor who becomes known takes along what they did.
	w.does("buy", "a9")
	w.until(days(3))
	w.does("come", "u3", "a9")
	w.same("known by name", []string{w.in("once"), w.in("all")}, []string{"u1 u2 u3", "u1 u2 u3"})
	// Joined by an address that was there first, and parted in the same batch, since it is
	// somebody else's too.
	w.does("come", "e7")
	w.does("buy", "u7")
	w.keep(w.event(*w.at, "come", who("u7", "e7")), w.event(*w.at, "come", who("u8", "e7")))
	w.apart("u7", "u8")
	w.same("parted again", w.in("once"), "u1 u2 u3 u7")
}

func testMembersByConsent(w *watch) {
	w.makes("m", "marketing", bought)                                            // asked for
	w.makes("a", "analytics", bought)                                            // not asked for
	w.makes("both", "analytics", `{"all":[{"consent":"marketing"},`+bought+`]}`) // what one may know of the other
	w.keeps()
	w.does("buy", "u1")
	w.same("unasked", []string{w.in("m"), w.in("a"), w.in("both")}, []string{"", "u1", ""})
	w.until(days(1))
	c := w.claim("marketing", yes, days(1))
	c.ExpiresAt = days(5)
	w.decides("u1", c)
	w.same("not what was before", []string{w.in("m"), w.in("both")}, []string{"", "u1"})
	w.until(days(2))
	w.does("buy", "u1")
	w.same("what is since", w.in("m"), "u1")
	w.same("granted", w.hears("both"), []string{"u1 enters 1: what they permit"})
	w.until(days(7))
	w.same("it has ended, though nobody looked", []string{w.in("m"), w.in("both")}, []string{"", ""})
	w.looks()
	w.decides("u1", w.claim("marketing", yes, days(7)))
	w.same("at its very moment", w.hears("m"), []string{"u1 enters 2: what happened: buy", "u1 exits 5: time passed", "u1 enters 7: what they permit"})
	w.until(days(8))
	w.decides("u1", w.claim("marketing", enough, days(8)), w.claim("analytics", no, days(8)))
	w.same("withdrawn", []string{w.in("m"), w.in("a"), w.in("both")}, []string{"", "", ""})
	w.same("exits", w.hears("m"), []string{"u1 exits 8: what they permit"})
	w.decides("u1", w.claim("analytics", yes, days(7.5))) // said before the no
	w.same("the no stands", w.in("a"), "")
	w.until(days(9))
	w.decides("u1", w.claim("analytics", yes, days(8.5)))
	w.same("and now", w.in("a"), "u1")
}

func testMembersForgotten(w *watch) {
	w.makes("s", "analytics", `{"event":{"event":{"types":["buy"]},"atLeast":2}}`)
	w.makes("all", "service", `{"everyone":true}`)
	w.keeps()
	for n := range 4 {
		w.does("buy", fmt.Sprint("u", n+1))
	}
	w.until(days(30))
	for n := range 4 {
		w.does("buy", fmt.Sprint("u", n+1))
	}
	w.same("at first", w.in("s"), "u1 u2 u3 u4")
	w.hears("s")
	w.until(days(31))
	_, _, err := w.Erase(w.ctx, by("u1"), store.ErasureTerms{Asked: store.Asked{By: "test", Reason: "asked"}})
	must(0, err)(w.world)
	w.same("erased", []string{w.in("s"), w.in("all")}, []string{"u2 u3 u4", "u2 u3 u4"})
	w.same("their exit", w.hears("s"), []string{"u1 exits 31: they were erased"})
	if w.told["s"] == 0 {
		w.Fatal("nothing was told")
	}
	left := 0
	for _, c := range must(w.readsFor("analytics").Changes(w.ctx, w.of("s"), 0, 1000))(w.world) {
		if w.names[c.IndividualID] == "u1" && c.Entered {
			left++
		}
	}
	w.same("what was told of them before", left, 0)
	w.retentions(map[string]int{"service": 1000, "analytics": 20, "personalization": 20, "marketing": 20, "advertising": 20})
	w.until(days(1021)) // the first of each is past the time of all purposes
	w.same("what is removed", must(w.Retain(w.ctx))(w.world).Interactions, 3)
	w.same("no longer twice", w.in("s"), "")
	w.same("at that moment", len(w.hears("s")), 3)
	w.until(days(3000))
	w.same("nobody is needed", must(w.Retain(w.ctx))(w.world).Individuals, 3)
	w.same("nobody is in", w.in("all"), "")
}

// testTime: a year passes at once, and everything fires once, in order, at its moment.
func testTime(w *watch) {
	rules := map[string]string{
		"quiet": `{"recency":{"event":{"types":["buy"]},"atLeast":"P30D"}}`, "recent": `{"recency":{"event":{"types":["buy"]},"atMost":"P7D"}}`,
		"often": `{"event":{"event":{"types":["buy"]},"atLeast":2,"within":"P10D"}}`, "rich": `{"monetary":{"event":{"types":["buy"]},"atLeast":20,"within":"P60D"}}`,
		"again":  `{"all":[{"recency":{"event":{"types":["buy"]},"atLeast":"P90D"}},{"not":{"recency":{"event":{"types":["buy"]},"atLeast":"P120D"}}}]}`,
		"nested": `{"all":[{"segment":"quiet"},{"not":{"segment":"again"}}]}`,
	}
	for key, rule := range rules {
		if key != "nested" {
			w.makes(key, "service", rule)
		}
	}
	w.makes("nested", "service", rules["nested"])
	w.keeps()
	w.value(10, "buy", "u1")
	w.until(days(1))
	w.value(15, "buy", "u1")
	w.value(30, "buy", "u2")
	w.sound()
	w.until(days(366))
	w.looks()
	for key, want := range map[string][]string{
		"quiet":  {"u1 enters 31: time passed", "u2 enters 31: time passed"},
		"recent": {"u1 enters 0: what happened: buy", "u2 enters 1: what happened: buy", "u1 exits 8+1µs: time passed", "u2 exits 8+1µs: time passed"},
		"often":  {"u1 enters 1: what happened: buy", "u1 exits 10: time passed"},
		"rich":   {"u1 enters 1: what happened: buy", "u2 enters 1: what happened: buy", "u1 exits 60: time passed", "u2 exits 61: time passed"},
		"again":  {"u1 enters 91: time passed", "u2 enters 91: time passed", "u1 exits 121: time passed", "u2 exits 121: time passed"},
		"nested": {
			"u1 enters 31: time passed", "u2 enters 31: time passed", "u1 exits 91: time passed", "u2 exits 91: time passed",
			"u1 enters 121: time passed", "u2 enters 121: time passed",
		},
	} {
		told := w.hears(key)
		at := func(s string) (moment float64) {
			_, _ = fmt.Sscanf(strings.Fields(s)[2], "%g", &moment)
			return moment
		}
		if !slices.IsSortedFunc(told, func(a, b string) int { return int(at(a)*1e6) - int(at(b)*1e6) }) {
			w.Errorf("%s is not told in order: %q", key, told)
		}
		slices.SortStableFunc(told, func(a, b string) int { // of one moment in any order
			if at(a) != at(b) {
				return int(at(a)*1e6) - int(at(b)*1e6)
			}
			return strings.Compare(a, b)
		})
		w.same(key, told, want)
	}
	w.same("as of then", []string{w.past("again", days(90.99)), w.past("again", days(91)), w.past("again", days(120.99)), w.past("again", days(121))}, []string{"", "u1 u2", "u1 u2", ""})
	w.same("now", []string{w.in("quiet"), w.in("recent"), w.in("often"), w.in("rich"), w.in("again"), w.in("nested")}, []string{"u1 u2", "", "", "", "", "u1 u2"})
	w.until(days(800))
	w.looks()
	for key := range rules {
		w.same("nothing more of "+key, w.hears(key), []string(nil))
	}
}

// testCaughtUp: what comes after moments that nobody looked at does not lose them.
func testCaughtUp(w *watch) {
	w.makes("quiet", "service", `{"recency":{"event":{"types":["buy"]},"atLeast":"P30D"}}`)
	w.makes("ads", "advertising", `{"everyone":true}`)
	w.keeps()
	for n := range 6 {
		w.does("buy", fmt.Sprint("u", n+1))
	}
	w.name(w.whose("u4"))
	w.hears("quiet")
	w.until(days(40))
	w.does("buy", "u1")
	w.decides("u2", w.claim("advertising", yes, days(40)))
	_, _, err := w.Merge(w.ctx, by("u3"), by("u4"), "one person")
	must(0, err)(w.world)
	_, _, err = w.Erase(w.ctx, by("u5"), store.ErasureTerms{Asked: store.Asked{By: "test", Reason: "asked"}})
	must(0, err)(w.world)
	told := map[string][]string{}
	for _, one := range w.hears("quiet") {
		f := strings.Fields(one)
		told[f[0]] = append(told[f[0]], f[1]+" "+f[2])
	}
	w.same("nothing is lost", told, map[string][]string{
		"u1": {"enters 30:", "exits 40:"}, "u2": {"enters 30:"}, "u3": {"enters 30:"}, "u4": {"enters 30:", "exits 40:"},
		"u5": {"enters 30:", "exits 40:"},
	})
	w.looks()
	w.same("one was not touched", w.hears("quiet"), []string{"u6 enters 30: time passed"})
	w.same("who is quiet", w.in("quiet"), "u2 u3 u6")
}

// testLookEnds: a moment that came is looked at once, whoever asks for it then.
func testLookEnds(w *watch) {
	w.does("buy", "u1")
	w.makes("quiet", "service", `{"recency":{"event":{"types":["buy"]},"atLeast":"P30D"}}`)
	w.keeps()
	must(w.ArchiveSegment(w.ctx, "quiet"))(w.world)
	w.until(days(31))
	w.looks()
	w.keeps()
	w.same("they are out", w.in("quiet"), "")
	w.makes("other", "service", `{"event":{"event":{"types":["buy"]}}}`) // time does not change it
	w.keeps()
	w.same("they are in", w.in("other"), "u1")
	w.until(days(400))
	w.looks()
}

// testAhead: what is dated ahead counts from its moment on, also for rules that time
// does not change otherwise.
func testAhead(w *watch) {
	w.makes("buyers", "service", bought)
	w.makes("gold", "service", `{"trait":{"key":"plan","op":"EQ","value":"gold"}}`)
	w.keeps()
	e := w.event(days(2), "buy", who("u1"))
	e.Traits = []insight.Observation{declared("plan", `"gold"`)}
	w.keep(e)
	w.same("not yet", []string{w.in("buyers"), w.in("gold")}, []string{"", ""})
	w.does("come", "u1")
	w.until(days(3))
	w.looks()
	w.same("since its moment", []string{w.in("buyers"), w.in("gold")}, []string{"u1", "u1"})
	w.same("told", w.hears("buyers"), []string{"u1 enters 2: time passed"})
}

// testTermsChange: when a purpose asks, or no longer does, or what was before may be
// read too, everything is right again.
func testTermsChange(w *watch) {
	w.makes("s", "analytics", bought)
	w.makes("covered", "service", `{"consent":"analytics"}`)
	w.keeps()
	w.does("buy", "u1")
	w.does("buy", "u2")
	w.decides("u2", w.claim("analytics", no, noon))
	w.decides("u3", w.claim("analytics", yes, noon))
	w.does("buy", "u3")
	w.same("not asked for", []string{w.in("s"), w.in("covered")}, []string{"u1 u3", "u1 u3"})
	define := func(change func(*insight.Purpose)) {
		w.Helper()
		p := *must(w.Purpose(w.ctx, "analytics"))(w.world)
		change(&p)
		must(w.DefinePurpose(w.ctx, p))(w.world)
		w.sound() // also before it is computed
		w.keeps()
		w.sound()
	}
	w.until(days(1))
	define(func(p *insight.Purpose) { p.LegalBasis = insight.BasisConsent })
	w.same("asked for", []string{w.in("s"), w.in("covered")}, []string{"u3", "u3"})
	w.until(days(2))
	w.decides("u2", w.claim("analytics", yes, days(2)))
	w.same("granted", []string{w.in("s"), w.in("covered")}, []string{"u3", "u2 u3"})
	w.until(days(2.5))
	define(func(p *insight.Purpose) { p.Retroactive = true })
	w.same("what was before too", w.in("s"), "u2 u3")
	w.until(days(3))
	define(func(p *insight.Purpose) { p.Retroactive = false })
	w.same("not any longer", w.in("s"), "u3")
	w.until(days(4))
	define(func(p *insight.Purpose) { p.LegalBasis = insight.BasisContract })
	w.same("not asked any longer", w.in("covered"), "u1 u2 u3")
}

func testMembersRead(w *watch) {
	w.makes("s", "analytics", bought)
	w.keeps()
	for n := range 5 {
		w.until(days(float64(n)))
		w.does("buy", fmt.Sprint("u", n+1))
	}
	of, r := w.of("s"), w.readsFor("analytics")
	id := w.whose("u1")
	member := must(r.Memberships(w.ctx, []uuid.UUID{id}, time.Time{}))(w.world)[id][0]
	// By the page, from the newest on, and back.
	var page store.Page
	var names []string
	for page.Limit = 2; ; {
		s := must(r.Members(w.ctx, of, page))(w.world)
		for _, m := range s.Items {
			names = append(names, w.name(m.IndividualID))
		}
		if !s.HasNext {
			break
		}
		last := s.Items[len(s.Items)-1]
		page.After = &insight.Cursor{At: last.EnteredAt, ID: last.ID}
	}
	w.same("pages", names, []string{"u5", "u4", "u3", "u2", "u1"})
	// Readers for another purpose know nothing of it, whatever they ask.
	other := w.readsFor("marketing")
	_, err := other.Segment(w.ctx, "s")
	w.kind(err, insight.Denied, "segment")
	w.same("members", len(must(other.Members(w.ctx, of, everything))(w.world).Items), 0)
	w.same("memberships", len(must(other.Memberships(w.ctx, []uuid.UUID{id}, time.Time{}))(w.world)), 0)
	w.same("memberships then", len(must(other.Memberships(w.ctx, []uuid.UUID{id}, days(4)))(w.world)), 0)
	w.same("count", len(must(other.CountMembers(w.ctx, []uuid.UUID{of.ID}))(w.world)), 0)
	w.same("by ids", len(must(other.MembershipsByID(w.ctx, []uuid.UUID{member.ID}))(w.world)), 0)
	if _, err := other.Membership(w.ctx, member.ID); err == nil {
		w.Fatal("a membership is shown for another purpose")
	}
	// Who is withheld is not counted either.
	w.decides("u1", w.claim("analytics", no, *w.at))
	w.same("without them", w.in("s"), "u2 u3 u4 u5")
	w.same("nor then", w.past("s", days(3)), "u2 u3 u4")
}

func testExplain(w *watch) {
	w.makes("s", "analytics", `{"all":[{"event":{"event":{"types":["buy"]},"atLeast":2,"within":"P10D"}},{"not":{"trait":{"key":"plan","op":"EXISTS"}}}]}`)
	w.keeps()
	w.does("buy", "u1")
	w.until(days(3))
	w.does("buy", "u1")
	id, r := w.whose("u1"), w.readsFor("analytics")
	get := func() *segment.Membership {
		w.Helper()
		return must(r.MembershipsByID(w.ctx, []uuid.UUID{must(r.Memberships(w.ctx, []uuid.UUID{id}, days(3)))(w.world)[id][0].ID}))(w.world)[0]
	}
	m := get()
	e := must(r.Explain(w.ctx, []*segment.Membership{m}))(w.world)[m.ID]
	w.same("it lapses", e.LapsesAt, days(10))
	holds := map[string]bool{}
	for _, reason := range e.Reasons {
		path, _, _ := strings.Cut(reason.Rule, ": ")
		holds[path] = reason.Holds
	}
	w.same("each leaf", holds, map[string]bool{"purpose": true, "rule.all[0]": true, "rule.all[1].not": false})
	w.until(days(12))
	w.looks()
	m = get()
	w.same("it has", m.ExitedAt, days(10))
	e = must(r.Explain(w.ctx, []*segment.Membership{m}))(w.world)[m.ID]
	w.same("no lapse", e.LapsesAt, time.Time{})
	for _, reason := range e.Reasons {
		if strings.HasPrefix(reason.Rule, "rule.all[0]: ") && reason.Holds {
			w.Error("it is said to hold when it had lapsed")
		}
	}
}

// testPreview: a preview finds whom the segment finds once it is computed, and counts
// those whom the purpose does not cover.
func testPreview(w *watch) {
	for n := range 9 {
		name := fmt.Sprint("u", n+1)
		e := w.event(noon, []string{"buy", "view"}[n%2], who(name))
		e.Properties = fmt.Appendf(nil, `{"n":%d}`, n)
		if n%3 == 0 {
			e.Traits = []insight.Observation{declared("plan", `"gold"`)}
		}
		w.keep(e)
		if n%4 == 0 {
			w.decides(name, w.claim("analytics", no, noon))
		}
		if n%5 == 0 {
			w.decides(name, w.claim("marketing", yes, noon))
		}
	}
	w.until(days(1))
	// What a rule finds whatever they permit, by a plain reading.
	for n, c := range []struct {
		rule string
		want func(n int) bool
	}{
		{bought, func(n int) bool { return n%2 == 0 }},
		{`{"everyone":true}`, func(int) bool { return true }},
		{`{"event":{"event":{"properties":[{"path":"n","op":"GTE","value":5}]}}}`, func(n int) bool { return n >= 5 }},
		{`{"trait":{"key":"plan","op":"EQ","value":"gold"}}`, func(n int) bool { return n%3 == 0 }},
		{`{"all":[{"consent":"marketing"},` + bought + `]}`, func(n int) bool { return n%5 == 0 && n%2 == 0 }},
		{`{"not":{"consent":"marketing"}}`, func(n int) bool { return n%5 != 0 }},
		{`{"any":[{"recency":{"event":{"types":["buy"]},"atLeast":"P1D"}},{"recency":{"event":{"types":["view"]},"atLeast":"P2D"}}]}`, func(n int) bool { return n%2 == 0 }},
	} {
		survey := must(w.Survey(w.ctx, &insight.Viewer{Subject: "test", Scopes: []insight.Scope{insight.ScopeInsightsRead}, Purposes: []string{"analytics"}, Purpose: "analytics"}))(w.world)
		d := segment.Definition{Purpose: survey.Purpose(), Rule: w.rule(c.rule)}
		found := must(survey.Preview(w.ctx, d, nil, *w.at, 100))(w.world)
		key := fmt.Sprint("p", n)
		w.makes(key, "analytics", c.rule)
		w.keeps()
		size, withheld := 0, 0
		for n := range 9 {
			switch {
			case !c.want(n):
			case n%4 == 0:
				withheld++
			default:
				size++
			}
		}
		w.same("size and withheld of "+c.rule, []int{found.Size, found.Withheld}, []int{size, withheld})
		var names []string
		for _, id := range found.Sample {
			names = append(names, w.name(id))
		}
		slices.Sort(names)
		w.same("whom of "+c.rule, strings.Join(names, " "), w.in(key))
		few := must(survey.Preview(w.ctx, d, nil, *w.at, 1))(w.world)
		w.same("a small sample", []int{len(few.Sample), few.Size}, []int{min(1, size), size})
	}
}

// testChangesOrder: a place among all changes is given once, also when the last of them
// are removed: whoever goes on from a place misses none.
func testChangesOrder(w *watch) {
	w.makes("s", "analytics", `{"event":{"event":{"types":["buy"]},"within":"P1D"}}`)
	w.keeps()
	w.does("buy", "u1")
	w.until(days(2))
	w.looks()
	w.hears("s") // entered and exited
	place := must(w.LastChange(w.ctx))(w.world)
	w.same("the last place", place, w.told["s"])
	_, _, err := w.Erase(w.ctx, by("u1"), store.ErasureTerms{Asked: store.Asked{By: "test", Reason: "asked"}})
	must(0, err)(w.world)
	w.does("buy", "u2")
	w.same("whoever goes on hears it", w.hears("s"), []string{"u2 enters 2: what happened: buy"})
	w.until(days(100))
	w.looks()
	w.hears("s")
	must(w.Prune(w.ctx))(w.world)
	w.does("buy", "u3")
	w.same("also when the old ones are forgotten", w.hears("s"), []string{"u3 enters 100: what happened: buy"})
}
