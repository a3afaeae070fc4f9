package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/experience"
	"github.com/acquaint/acquaint/insight/receipt"
	"github.com/acquaint/acquaint/insight/segment"
	"github.com/acquaint/acquaint/insight/uplift"
	"github.com/acquaint/acquaint/store"
)

// Experiences asks an engine what it asks of decisions. Each call of open gives an empty
// store of its own, whose clock is now.
func Experiences(t *testing.T, open func(t testing.TB, now func() time.Time) *store.Store) {
	t.Helper()
	watched(t, open, []chapter{
		{"what is decided is kept", testDecide},
		{"who somebody is", testDecideIdentity},
		{"what somebody permits", testDecideConsent},
		{"time alone", testDecideTime},
		{"who does not answer", testDecideUnanswered},
		{"a cap, whoever asks at once", testDecideCap},
		{"each by themselves", testDecideTogether},
		{"half are held out", testDecideShare},
		{"what was decided elsewhere", testDecidedElsewhere},
		{"what is held of somebody", testDecisionsHeld},
		{"uplift", testUplift},
	})
}

// tries makes an experience that everybody may be offered, with a share held out.
func (w *watch) tries(key, purpose string, holdout float64, variants ...experience.Variant) *experience.Experience {
	w.Helper()
	if variants == nil {
		variants = []experience.Variant{{Key: "a", Benefit: "it helps"}, {Key: "b", Benefit: "it helps as well"}}
	}
	return must(w.CreateExperience(w.ctx, store.NewExperience{Key: key, Name: key, Purpose: purpose, Holdout: holdout, Variants: variants}))(w.world)
}

// nearly is a share that holds out everybody whom these tests will meet.
const nearly = 1 - 1e-12

// decide tells what somebody is offered: the reason, and the variant.
func (w *watch) decide(e *experience.Experience, name string) string {
	w.Helper()
	return toldOf(must(w.Decide(w.ctx, []store.Asking{{Experience: e, Who: by(name)}}))(w.world)[0])
}

func toldOf(d *store.Decided) string {
	if d.Variant == nil {
		return string(d.Reason)
	}
	return string(d.Reason) + " " + d.Variant.Key
}

// kept is what is held of decisions about somebody, earliest first.
func (w *watch) kept(name string) []string {
	w.Helper()
	var all []string
	err := w.Dossier(w.ctx, w.whose(name), func(d *store.Dossier) error {
		return d.Assignments(w.ctx, func(a experience.Assigned) error {
			what := a.Variant
			if a.Holdout {
				what = "held out"
			}
			all = append(all, fmt.Sprintf("%s of %s %s", what, a.Experience.Key, inDays(a.At)))
			return nil
		})
	})
	must(0, err)(w.world)
	return all
}

func testDecide(w *watch) {
	w.makes("buyers", "analytics", bought)
	w.keeps()
	w.does("come", "u1")
	w.does("buy", "u2")
	e := w.tries("tips", "analytics", 0, experience.Variant{Key: "tips", Benefit: "tips", Segment: "buyers"})
	w.same("who is no buyer", w.decide(e, "u1"), "NOT_ELIGIBLE")
	w.same("who is", w.decide(e, "u2"), "OFFERED tips")
	w.same("nobody", w.decide(e, "u3"), "UNKNOWN")
	w.does("buy", "u1")
	w.same("at once", w.decide(e, "u1"), "OFFERED tips")
	w.same("by an id", toldOf(must(w.Decide(w.ctx, []store.Asking{{Experience: e, Who: store.Lookup{ID: w.whose("u1")}}}))(w.world)[0]), "OFFERED tips")
	w.same("nobody's id", toldOf(must(w.Decide(w.ctx, []store.Asking{{Experience: e, Who: store.Lookup{ID: uuid.New()}}}))(w.world)[0]), "UNKNOWN")
	w.same("kept", [][]string{w.kept("u1"), w.kept("u2")}, [][]string{{"tips of tips 0", "tips of tips 0"}, {"tips of tips 0"}})
	offers := func(name string) int {
		return len(w.types(w.whose(name), insight.Selector{Types: []string{store.DecisionType}, Direction: insight.Outbound}, everything))
	}
	w.same("an offer happened", []int{offers("u1"), offers("u2")}, []int{2, 1})
	held := w.tries("test", "analytics", nearly)
	w.same("held out", w.decide(held, "u1"), "HOLDOUT")
	w.same("which does not happen to them", offers("u1"), 2)
	w.same("but is kept", slices.Contains(w.kept("u1"), "held out of test 0"), true)
	// What is named otherwise, and read anew, decides the same.
	many := w.tries("many", "analytics", 0.5)
	var before []string
	for n := range 30 {
		w.does("come", fmt.Sprint("u", 10+n))
		before = append(before, w.decide(many, fmt.Sprint("u", 10+n)))
	}
	changed := must(w.UpdateExperience(w.ctx, "many", store.ExperienceChange{Name: pointer("Many"), Description: pointer("of them")}))(w.world)
	w.same("its name", []string{changed.Name, changed.Description, changed.Salt}, []string{"Many", "of them", many.Salt})
	for n, was := range before {
		w.same("again", w.decide(changed, fmt.Sprint("u", 10+n)), was)
	}
	over := must(w.ArchiveExperience(w.ctx, "many"))(w.world)
	w.same("ended", []any{over.Archived, w.decide(over, "u10")}, []any{true, "ENDED"})
	must(w.ArchiveExperience(w.ctx, "many"))(w.world)
	_, err := w.UpdateExperience(w.ctx, "many", store.ExperienceChange{})
	w.kind(err, insight.Conflict, "experience")
	_, err = w.ArchiveExperience(w.ctx, "none")
	w.kind(err, insight.NotFound, "experience")
	_, err = w.ArchiveSegment(w.ctx, "buyers")
	w.kind(err, insight.Conflict, "segment")
	must(w.ArchiveExperience(w.ctx, "tips"))(w.world)
	must(w.ArchiveSegment(w.ctx, "buyers"))(w.world)
}

// Whoever was decided about first says what two who turn out to be one are; parted,
// each is what they were.
func testDecideIdentity(w *watch) {
	w.does("come", "u1")
	w.does("come", "u2")
	e := w.tries("test", "analytics", 0, experience.Variant{Key: "a", Benefit: "it helps"})
	w.until(days(1))
	assign := func(name, variant string) {
		x := w.event(*w.at, store.DecisionType, who(name))
		x.Direction, x.Statement, x.Assignment = insight.Outbound, variant == "", &insight.Assignment{ExperienceID: e.ID, Variant: variant}
		w.keep(x)
	}
	assign("u1", "")
	w.until(days(2))
	w.same("the second", w.decide(e, "u2"), "OFFERED a")
	w.same("the first", w.decide(e, "u1"), "HOLDOUT")
	_, link, err := w.Merge(w.ctx, by("u2"), by("u1"), "one person")
	must(link, err)(w.world)
	w.until(days(3))
	w.same("one", []string{w.decide(e, "u1"), w.decide(e, "u2")}, []string{"HOLDOUT", "HOLDOUT"})
	all := w.kept("u1")
	slices.Sort(all)
	w.same("all that was decided", all, []string{"a of test 2", "held out of test 1"}) // of being held out, the first time is enough
	w.sound()
	must(w.Unmerge(w.ctx, []uuid.UUID{link}, "they are two"))(w.world)
	w.same("two again", []string{w.decide(e, "u1"), w.decide(e, "u2")}, []string{"HOLDOUT", "OFFERED a"})
	w.sound()
	// A visitor who becomes known takes along what was decided.
	w.does("come", "a3")
	w.same("a visitor", w.decide(e, "a3"), "OFFERED a")
	w.does("come", "u3", "a3")
	w.same("known by name", w.kept("u3"), []string{"a of test 3"})
}

func testDecideConsent(w *watch) {
	e, m := w.tries("test", "analytics", 0), w.tries("letter", "marketing", 0, experience.Variant{Key: "a", Benefit: "it helps"})
	w.does("come", "u1")
	w.same("unasked", []string{w.decide(e, "u1")[:7], w.decide(m, "u1")}, []string{"OFFERED", "NOT_COVERED"})
	c := w.claim("marketing", yes, days(0))
	c.ExpiresAt = days(5)
	w.decides("u1", c)
	w.same("asked", w.decide(m, "u1"), "OFFERED a")
	w.until(days(5))
	w.same("at the very moment at which it ends", w.decide(m, "u1"), "NOT_COVERED")
	w.decides("u1", w.claim("marketing", no, days(5)))
	w.same("a no to being approached is one to all", w.decide(e, "u1"), "OPTED_OUT")
	w.decides("u1", w.claim("analytics", enough, days(5)))
	w.same("withdrawn", w.decide(e, "u1"), "NOT_COVERED")
	// Whoever lets nothing be kept of what happens is offered nothing, because that
	// would happen.
	w.does("come", "u2")
	w.decides("u2", w.claim("analytics", no, days(5)), w.claim("marketing", yes, days(5)))
	w.same("nothing is kept", []any{w.decide(m, "u2"), len(w.kept("u2"))}, []any{"NOT_COVERED", 0})
	w.same("of either", len(w.kept("u1")), 2)
	r := w.readsFor("service")
	w.same("nor does it happen", len(w.interactions(r, []uuid.UUID{w.whose("u2")}, insight.Selector{Types: []string{store.DecisionType}}, everything)[w.whose("u2")].Items), 0)
}

// A membership that time has ended chooses nothing, though nobody has looked.
func testDecideTime(w *watch) {
	w.makes("lately", "analytics", `{"event":{"event":{"types":["buy"]},"within":"P7D"}}`)
	w.keeps()
	e := w.tries("test", "analytics", 0, experience.Variant{Key: "a", Benefit: "it helps", Segment: "lately"})
	w.does("buy", "u1")
	w.until(days(7).Add(-insight.Precision))
	w.same("just before", w.decide(e, "u1"), "OFFERED a")
	w.until(days(7))
	w.same("at the moment", w.decide(e, "u1"), "NOT_ELIGIBLE")
}

func testDecideUnanswered(w *watch) {
	e := w.tries("test", "analytics", 0, experience.Variant{Key: "a", Benefit: "it helps"})
	w.does("come", "u1")
	for n := range 5 {
		w.until(days(float64(n + 1)))
		w.same("not answered yet", w.decide(e, "u1"), "OFFERED a")
	}
	w.same("after five", w.decide(e, "u1"), "UNRESPONSIVE")
	w.until(days(6))
	w.does("come", "u1")
	w.same("they came", w.decide(e, "u1"), "OFFERED a")
}

func testDecideCap(w *watch) {
	e := must(w.CreateExperience(w.ctx, store.NewExperience{
		Key: "test", Name: "test", Purpose: "analytics", Variants: []experience.Variant{{Key: "a", Benefit: "it helps"}}, Cap: &experience.Cap{Count: 2, Per: 7 * insight.Day},
	}))(w.world)
	w.does("come", "u1", "a1")
	w.does("come", "u2")
	var answers []string
	var mu sync.Mutex
	var all sync.WaitGroup
	for n := range 6 {
		all.Go(func() {
			found, err := w.Decide(w.ctx, []store.Asking{{Experience: e, Who: by("u1")}, {Experience: e, Who: by([]string{"a1", "u2"}[n%2])}, {Experience: e, Who: by("u1")}})
			if err != nil {
				w.Error(insight.Detail(err))
				return
			}
			mu.Lock()
			defer mu.Unlock()
			for i, d := range found {
				if i == 1 && n%2 == 1 {
					answers = append(answers, "u2 "+toldOf(d))
				} else {
					answers = append(answers, toldOf(d))
				}
			}
		})
	}
	all.Wait()
	count := map[string]int{}
	for _, a := range answers {
		count[a]++
	}
	w.same("the answers", count, map[string]int{"OFFERED a": 2, "CAPPED": 13, "u2 OFFERED a": 2, "u2 CAPPED": 1})
	w.until(days(7).Add(-insight.Precision))
	w.same("within the span", w.decide(e, "u1"), "CAPPED")
	w.until(days(7))
	w.same("after it", w.decide(e, "u1"), "OFFERED a")
}

// Whoever is asked about along with others is decided about by their own history.
func testDecideTogether(w *watch) {
	random := rand.New(rand.NewPCG(3, 5))
	e := w.tries("test", "analytics", 0, experience.Variant{Key: "a", Benefit: "it helps"})
	w.until(days(30))
	var asked []store.Asking
	var want []string
	for n := range 40 {
		name := fmt.Sprint("u", n)
		var events []*insight.Event
		unanswered := 0
		for hour := range 1 + random.IntN(12) {
			x := w.event(noon.Add(time.Duration(hour)*time.Hour), "come", who(name))
			if unanswered++; random.IntN(5) > 0 {
				x.Direction, x.Type = insight.Outbound, "letter"
			} else {
				unanswered = 0
			}
			events = append(events, x)
		}
		w.keep(events...)
		reason := "OFFERED a"
		if unanswered >= 5 {
			reason = "UNRESPONSIVE"
		}
		switch random.IntN(4) {
		case 0: // a refusal that has ended, and one that has not
			w.decides(name, w.claim("marketing", no, days(10)), w.claim("marketing", yes, days(12)))
		case 1:
			w.decides(name, w.claim("marketing", no, days(10)))
			reason = "OPTED_OUT"
		}
		asked, want = append(asked, store.Asking{Experience: e, Who: by(name)}), append(want, reason)
	}
	must(w.Digest(w.ctx))(w.world)
	for range 3 {
		random.Shuffle(len(asked), func(i, j int) { asked[i], asked[j], want[i], want[j] = asked[j], asked[i], want[j], want[i] })
		got := make([]string, len(asked))
		for n, d := range must(w.Decide(w.ctx, asked))(w.world) {
			got[n] = toldOf(d)
		}
		w.same("together", got, want)
		for n := range want { // what they were offered is not answered either
			if want[n] == "OFFERED a" {
				w.does("come", asked[n].Who.Identity.Value)
			}
		}
	}
	// Asked about several times at once, the fifth offer is the last.
	w.does("come", "u50")
	several := slices.Repeat([]store.Asking{{Experience: e, Who: by("u50")}}, 7)
	var got []string
	for _, d := range must(w.Decide(w.ctx, several))(w.world) {
		got = append(got, toldOf(d))
	}
	w.same("several times", got, append(slices.Repeat([]string{"OFFERED a"}, 5), "UNRESPONSIVE", "UNRESPONSIVE"))
}

// The share is that of the draws, and both arms are kept.
func testDecideShare(w *watch) {
	e := w.tries("test", "analytics", 0.5)
	var events []*insight.Event
	var asked []store.Asking
	for n := range 400 {
		name := fmt.Sprint("u", n)
		events = append(events, w.event(*w.at, "come", who(name)))
		asked = append(asked, store.Asking{Experience: e, Who: by(name)})
	}
	w.keep(events...)
	count := map[string]int{}
	for n, d := range must(w.Decide(w.ctx, asked))(w.world) {
		count[toldOf(d)]++
		if at := must(w.Find(w.ctx, asked[n].Who))(w.world); d.IndividualID != at {
			w.Fatalf("the answer about %v is about %s", asked[n].Who, d.IndividualID)
		}
	}
	// Of a binomial of 400 with one half, 150 and 250 are five standard deviations away.
	if h := count["HOLDOUT"]; h < 150 || h > 250 || count["OFFERED a"] < 50 || count["OFFERED b"] < 50 {
		w.Errorf("the answers are %v", count)
	}
	again := map[string]int{}
	for _, d := range must(w.Decide(w.ctx, asked))(w.world) {
		again[toldOf(d)]++
	}
	w.same("asked again", again, count)
}

func testDecidedElsewhere(w *watch) {
	e, m := w.tries("test", "analytics", 0.5), w.tries("letter", "marketing", 0.5)
	w.does("come", "u1")
	assigned := func(id string, of *experience.Experience, name, variant string, at time.Time) *insight.Event {
		x := w.event(at, store.DecisionType, who(name))
		x.MessageID, x.Direction, x.Statement, x.Assignment = id, insight.Outbound, variant == "", &insight.Assignment{ExperienceID: of.ID, Variant: variant}
		return x
	}
	held, offered := assigned("m-1", e, "u1", "", days(-3)), assigned("m-2", e, "u1", "b", days(-2))
	w.same("taken", w.outcomes(held, offered, held, offered), "accepted accepted duplicate duplicate")
	w.same("told again", w.outcomes(offered, held), "duplicate duplicate")
	w.same("in its order", w.kept("u1"), []string{"held out of test -3", "b of test -2"})
	w.same("the first word", w.decide(e, "u1"), "HOLDOUT")
	other, letter := w.tries("other", "analytics", 0.5), w.event(days(-2), "letter", who("u1"))
	letter.MessageID = "m-2"
	w.same("of one message id elsewhere", w.outcomes(assigned("m-2", other, "u1", "b", days(-2)), letter), "accepted accepted")
	w.same("one who was not known", w.outcomes(assigned("m-3", e, "u9", "a", days(-1))), "accepted")
	w.same("is now", w.decide(e, "u9"), "OFFERED a")
	w.same("and one of whom nothing happened", w.outcomes(assigned("m-4", e, "u8", "", days(-1))), "accepted")
	w.same("is held out", w.decide(e, "u8"), "HOLDOUT")
	// Not for a purpose that did not cover them then, or does not now.
	w.same("unasked", w.outcomes(assigned("m-5", m, "u1", "a", days(-1))), "withheld")
	w.decides("u1", w.claim("marketing", yes, days(0)))
	w.same("before they agreed", w.outcomes(assigned("m-6", m, "u1", "", days(-1))), "withheld")
	w.until(days(1))
	w.same("since", w.outcomes(assigned("m-7", m, "u1", "", days(0.5))), "accepted")
	w.decides("u1", w.claim("marketing", enough, days(1)))
	w.same("and not any more", w.outcomes(assigned("m-8", m, "u1", "a", days(0.5))), "withheld")
	w.same("of an experience that there is not", w.outcomes(assigned("m-9", &experience.Experience{ID: uuid.New()}, "u1", "a", days(0))), "withheld")
}

// What is held is told, counted, forgotten in its time and erased.
func testDecisionsHeld(w *watch) {
	e := w.tries("test", "personalization", 0, experience.Variant{Key: "a", Benefit: "it helps"})
	w.does("come", "u1")
	w.decides("u1", w.claim("personalization", yes, days(0)))
	w.does("come", "u2")
	w.decides("u2", w.claim("personalization", yes, days(0)))
	for n := range 3 {
		w.until(days(float64(n)))
		w.decide(e, "u1")
		w.decide(e, "u2")
	}
	q, signed, err := w.RequestExport(w.ctx, w.whose("u1"), insight.RequestAccess, store.Asked{By: "test"})
	must(q, err)(w.world)
	w.same("rows", rowsOf(w.checked(q, signed), receipt.ActionExported)["decisions"], 3)
	w.retentions(map[string]int{"personalization": 10})
	w.until(days(11.5))
	must(w.Prune(w.ctx))(w.world)
	w.same("forgotten", w.kept("u1"), []string{"a of test 2"})
	_, erased, err := w.Erase(w.ctx, by("u1"), store.ErasureTerms{Asked: store.Asked{By: "test", Reason: "asked"}})
	must(0, err)(w.world)
	if !strings.Contains(string(erased), `"decisions"`) {
		w.Errorf("the receipt does not tell of decisions: %s", erased)
	}
	w.same("the other one's stay", w.kept("u2"), []string{"a of test 2"})
	w.same("nobody", w.decide(e, "u1"), "UNKNOWN")
}

// testUplift: what the store compares is what plain loops over everything that was told
// compare.
func testUplift(w *watch) {
	random := rand.New(rand.NewPCG(7, 11))
	e := w.tries("test", "analytics", 0.3)
	type one struct {
		name     string
		first    experience.Earlier
		buys     []time.Time
		assigned bool
	}
	people := make([]*one, 300)
	hours := func(most int) time.Time { return noon.Add(time.Duration(random.IntN(24*most)) * time.Hour) }
	var events []*insight.Event
	for n := range people {
		p := &one{name: fmt.Sprint("u", n)}
		people[n] = p
		for range random.IntN(4) {
			at := hours(40)
			buy := w.event(at, "buy", who(p.name))
			buy.Value = pointer(float64(random.IntN(50)) / 4)
			events, p.buys = append(events, buy), append(p.buys, at)
		}
		for range random.IntN(3) {
			d := experience.Earlier{At: hours(20), Variant: []string{"", "a", "b"}[random.IntN(3)]}
			d.Holdout = d.Variant == ""
			x := w.event(d.At, store.DecisionType, who(p.name))
			x.Direction, x.Statement, x.Assignment = insight.Outbound, d.Holdout, &insight.Assignment{ExperienceID: e.ID, Variant: d.Variant}
			events = append(events, x)
			if !p.assigned || d.Before(p.first) {
				p.first, p.assigned = d, true
			}
		}
	}
	w.until(days(40))
	values := map[string]map[time.Time]float64{}
	for _, x := range events {
		if x.Value != nil {
			name := x.Identities[0].Value
			if values[name] == nil {
				values[name] = map[time.Time]float64{}
			}
			values[name][x.OccurredAt] += *x.Value
		}
	}
	random.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	for some := range slices.Chunk(events, 100) {
		w.keep(some...)
	}
	w.decides("u0", w.claim("analytics", enough, days(40)))
	w.decides("u1", w.claim("analytics", no, days(40)))
	rule := w.rule(bought)
	survey := w.readsFor("analytics").Survey()
	for _, variant := range []string{"", "b"} {
		o := uplift.Options{Outcome: insight.Selector{Types: []string{"buy"}}, Window: 10 * insight.Day, AsOf: days(25), Groups: []string{"buyers"}}
		tally, population, err := survey.Uplift(w.ctx, e, variant, o, []store.UpliftGroup{{Definition: segment.Definition{Purpose: survey.Purpose(), Rule: rule}}})
		must(tally, err)(w.world)
		want := uplift.NewTally(o)
		n := 0
		for i, p := range people {
			if i < 2 || len(p.buys) == 0 && !p.assigned {
				continue
			}
			n++
			if !p.assigned || p.first.At.After(o.AsOf) || variant != "" && !p.first.Holdout && p.first.Variant != variant {
				continue
			}
			h := &insight.History{}
			before := false
			for at, v := range values[p.name] {
				h.Timeline = append(h.Timeline, &insight.Interaction{ID: uuid.New(), Type: "buy", Direction: insight.Inbound, OccurredAt: at, Value: pointer(v)})
				before = before || at.Before(p.first.At)
			}
			h.Timeline = h.Timeline.Ordered()
			want.Add(h, uplift.Assignment{Holdout: p.first.Holdout, At: p.first.At}, []bool{before})
		}
		if diff := cmp.Diff(want.Report(), tally.Report()); diff != "" {
			w.Errorf("%q: %s", variant, diff)
		}
		w.same("the population", population, n)
		if g := want.Report().Groups; g[0].Treated < 20 || g[0].Holdout < 20 || g[1].Treated < 5 || g[0].Pending == 0 {
			w.Fatalf("the comparison is of nobody: %+v", g)
		}
	}
	_, _, err := survey.Uplift(w.ctx, e, "c", uplift.Options{Outcome: insight.Selector{Types: []string{"buy"}}, Window: insight.Day, AsOf: days(1)}, nil)
	w.kind(err, insight.Invalid, "variant")
}
