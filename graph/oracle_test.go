package graph_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/acquaint/acquaint/insight"
)

// oracle says what the leak test's answers must be. It is written from what is
// documented, as plain loops over facts that the test noted when it handed them in,
// and shares no code with what it judges.
//
// One thing it asks of the API itself, under the purpose service, whose basis covers
// everybody: who is whom. Which identifiers are one person is no question of consent.
type oracle struct {
	clock    func() time.Time
	purposes []*purposeFact
	facts    []*fact            // interactions that were kept
	words    map[string][]*word // by identifier: the decisions that speak for it
	traits   []*traitFact

	individualOf map[string]string   // by identifier
	members      map[string][]string // by individual, strongest first
	shared       map[string]bool     // identifiers that join nobody
	timeouts     map[string]time.Duration
}

// purposeFact is a purpose with the terms that it had, earliest first.
type purposeFact struct {
	key   string
	floor int
	terms []terms
}

type terms struct {
	at          time.Time
	basis       string
	retroactive bool
}

// at are the terms of a moment; the first ones count before they were set, too.
func (p *purposeFact) at(moment time.Time) terms {
	held := p.terms[0]
	for _, t := range p.terms[1:] {
		if !t.at.After(moment) {
			held = t
		}
	}
	return held
}

// word is a decision about a purpose. Identifiers are named by kind and value, with
// a blank between.
type word struct {
	purpose, decision            string
	effective, recorded, expires time.Time
	owner                        string   // in whose ledger it stands: the strongest identifier of the person then
	speaksFor                    []string // every identifier of the person then
	policy                       string   // the marker by which the ledger's record is known
}

func (w *word) no() bool { return w.decision != "GRANTED" }

func (w *word) ended(at time.Time) bool {
	return !w.no() && !w.expires.IsZero() && !w.expires.After(at)
}

// fact is an interaction.
type fact struct {
	owner, stream         string // identifiers: whose it is, and what its session runs along
	id                    string // as the API calls it
	message, kind, source string
	channel, direction    string
	at, received          time.Time
	value                 *float64
	currency              string
	campaign              map[string]string
	properties            map[string]any
}

// traitFact is a trait that was said once, of an identifier.
type traitFact struct {
	owner, key, value string
}

var strength = []string{"USER_ID", "EMAIL", "PHONE", "EXTERNAL", "DEVICE_ID", "ANONYMOUS_ID"}

func kindOf(identifier string) string {
	kind, _, _ := strings.Cut(identifier, " ")
	return kind
}

func valueOf(identifier string) string {
	_, value, _ := strings.Cut(identifier, " ")
	return value
}

// strongestOf puts identifiers in the order of their strength.
func strongestOf(identifiers []string) []string {
	sorted := slices.Clone(identifiers)
	slices.SortFunc(sorted, func(a, b string) int {
		return cmp.Or(slices.Index(strength, kindOf(a))-slices.Index(strength, kindOf(b)), cmp.Compare(valueOf(a), valueOf(b)))
	})
	return sorted
}

// spoken tells what was said about a purpose for some people, for whoever looks into a
// difference.
func (o *oracle) spoken(people []string, purpose string) string {
	var b strings.Builder
	for _, m := range people {
		for _, w := range o.words[m] {
			if w.purpose == purpose {
				_, _ = fmt.Fprintf(&b, "\n\tfor %s: %s from %s, recorded %s, ends %s, of %s for %v", m, w.decision, moment(w.effective), moment(w.recorded), moment(w.expires), w.owner, w.speaksFor)
			}
		}
	}
	return b.String()
}

// person are the identifiers that are one person with this one.
func (o *oracle) person(identifier string) []string {
	if id, known := o.individualOf[identifier]; known {
		return o.members[id]
	}
	return []string{identifier}
}

func (o *oracle) purpose(key string) *purposeFact {
	for _, p := range o.purposes {
		if p.key == key {
			return p
		}
	}
	return nil
}

// decide notes a decision: it speaks for everybody whom its identifier is one person
// with at this moment.
func (o *oracle) decide(identifier string, w word) {
	w.speaksFor, w.recorded = o.person(identifier), o.clock()
	w.owner = strongestOf(w.speaksFor)[0]
	for _, m := range w.speaksFor {
		o.words[m] = append(o.words[m], &w)
	}
}

// outlasts reports whether of two decisions a is the later one: by the moment from which
// it holds, then by how much it restricts, then by when it was recorded.
func outlasts(a, b *word) bool {
	order := []string{"GRANTED", "DENIED", "WITHDRAWN"}
	switch {
	case !a.effective.Equal(b.effective):
		return a.effective.After(b.effective)
	case a.decision != b.decision:
		return slices.Index(order, a.decision) > slices.Index(order, b.decision)
	}
	return a.recorded.After(b.recorded)
}

// lastWord is the latest of what was said about a purpose for an identifier; nil: nothing
// was.
func (o *oracle) lastWord(identifier, purpose string, at time.Time) *word {
	var last *word
	for _, w := range o.words[identifier] {
		if w.purpose == purpose && !w.effective.After(at) && (last == nil || outlasts(w, last)) {
			last = w
		}
	}
	return last
}

// standing is how people, taken for one, stand with a purpose at a moment: each one's
// latest word stands, and the strictest of them holds.
func (o *oracle) standing(people []string, purpose string, at time.Time) (permitted bool, status string) {
	basis := o.purpose(purpose).at(at).basis
	var said, refused, ended bool
	var no *word
	for _, m := range people {
		w := o.lastWord(m, purpose, at)
		switch {
		case w == nil:
			continue
		case w.no():
			refused = true
			if no == nil || outlasts(w, no) {
				no = w
			}
		case w.ended(at):
			ended = true
		}
		said = true
	}
	switch {
	case basis != "CONSENT" && basis != "LEGITIMATE_INTEREST":
		return true, "NOT_REQUIRED"
	case refused:
		return false, no.decision
	case !said:
		return basis == "LEGITIMATE_INTEREST", "UNKNOWN"
	case ended:
		return basis == "LEGITIMATE_INTEREST", "EXPIRED"
	}
	return true, "GRANTED"
}

func (o *oracle) permitted(people []string, purpose string, at time.Time) bool {
	permitted, _ := o.standing(people, purpose, at)
	return permitted
}

// collects reports whether something may be kept that comes with some identifiers, the
// strongest first: whether analytics covers everybody behind them. A shared identifier
// is nobody's, unless it is all there is.
func (o *oracle) collects(identifiers []string) bool {
	var people []string
	for n, f := range identifiers {
		if n == 0 || !o.shared[f] {
			people = append(people, o.person(f)...)
		}
	}
	slices.Sort(people)
	return o.permitted(slices.Compact(people), "analytics", o.clock())
}

// know takes in who is whom now. Where identifiers have parted, a yes stays with the
// identifier in whose ledger it stands, and speaks for the others no longer, also if they
// become one person again; a no goes with everybody for whom it was said.
func (o *oracle) know(individualOf map[string]string, shared map[string]bool) {
	o.individualOf, o.shared, o.members = individualOf, shared, map[string][]string{}
	for f, id := range individualOf {
		o.members[id] = append(o.members[id], f)
	}
	for id, all := range o.members {
		o.members[id] = strongestOf(all)
	}
	for f, said := range o.words {
		o.words[f] = slices.DeleteFunc(slices.Clone(said), func(w *word) bool {
			return !w.no() && individualOf[w.owner] != individualOf[f]
		})
		if individualOf[f] == "" { // erased
			delete(o.words, f)
		}
	}
}

// erase forgets a person. What others did on one of their devices keeps its session,
// under a name that nobody else has.
func (o *oracle) erase(individual string) {
	gone := o.members[individual]
	o.facts = slices.DeleteFunc(o.facts, func(x *fact) bool { return slices.Contains(gone, x.owner) })
	o.traits = slices.DeleteFunc(o.traits, func(t *traitFact) bool { return slices.Contains(gone, t.owner) })
	for _, x := range o.facts {
		if slices.Contains(gone, x.stream) {
			x.stream = x.stream + " of " + o.individualOf[x.owner]
		}
	}
}

// view is what one viewer may see: whoever reads for a purpose, or with their own
// token one individual.
type view struct {
	*oracle
	key  string // of the purpose
	self string // the individual whose own token it is
	// lies make the oracle wrong, to see whether anybody notices.
	lies     func(x *fact, sees bool) bool
	pretends func(individual string, covers bool) bool
}

// covers is the wall for a person.
func (v *view) covers(individual string) bool {
	covers := v.coversThem(individual)
	if v.pretends != nil {
		covers = v.pretends(individual, covers)
	}
	return covers
}

func (v *view) coversThem(individual string) bool {
	people, exists := v.members[individual]
	if v.self != "" || !exists {
		return exists && individual == v.self
	}
	return v.permitted(people, v.key, v.clock())
}

// sees is the wall for an interaction.
func (v *view) sees(x *fact) bool {
	sees := v.seesIt(x)
	if v.lies != nil {
		sees = v.lies(x, sees)
	}
	return sees
}

func (v *view) seesIt(x *fact) bool {
	individual := v.individualOf[x.owner]
	if !v.covers(individual) {
		return false
	}
	return v.self != "" || v.purpose(v.key).at(v.clock()).retroactive || v.permitted(v.members[individual], v.key, x.at)
}

// population are the individuals whom the viewer sees.
func (v *view) population() []string {
	var all []string
	for id := range v.members {
		if v.covers(id) {
			all = append(all, id)
		}
	}
	slices.Sort(all)
	return all
}

// timeline is what the viewer sees of an individual's interactions, earliest first.
func (v *view) timeline(individual string, matches func(*fact) bool, until time.Time) []*fact {
	var all []*fact
	for _, x := range v.facts {
		if v.individualOf[x.owner] == individual && v.sees(x) && (matches == nil || matches(x)) && !x.at.After(until) {
			all = append(all, x)
		}
	}
	slices.SortFunc(all, func(a, b *fact) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.id, b.id)) })
	return all
}

func inbound(x *fact) bool { return x.direction == "INBOUND" }

// stay is a session, made of what the viewer sees.
type stay struct {
	id    string
	facts []*fact // earliest first
}

func (s *stay) first() *fact { return s.facts[0] }
func (s *stay) last() *fact  { return s.facts[len(s.facts)-1] }

func (s *stay) engaged() bool {
	views := 0
	for _, x := range s.facts {
		if x.kind == "purchase" || x.kind == "Order Completed" || x.value != nil && *x.value > 0 {
			return true
		}
		if x.kind == "page" || x.kind == "screen" {
			views++
		}
	}
	return views >= 2 || s.last().at.Sub(s.first().at) >= 10*time.Second
}

// visits are an individual's sessions, newest first.
func (v *view) visits(individual string) []*stay {
	open := map[string]*stay{}
	var all []*stay
	for _, x := range v.timeline(individual, inbound, v.clock()) {
		line := x.source + " " + x.stream
		s := open[line]
		if s == nil || x.at.Sub(s.last().at) > v.timeouts[x.source] {
			s = &stay{id: sessionID(x)}
			open[line], all = s, append(all, s)
		}
		s.facts = append(s.facts, x)
	}
	slices.SortFunc(all, func(a, b *stay) int { return cmp.Or(b.first().at.Compare(a.first().at), cmp.Compare(b.id, a.id)) })
	return all
}

// sessionID is what a session is called that starts with an interaction.
func sessionID(x *fact) string { return "ses" + strings.TrimPrefix(x.id, "int") }

// recent is how recent somebody is, in the API's form.
func recent(timeline []*fact, at time.Time) map[string]any {
	r := map[string]any{"lastAt": nil, "elapsed": nil, "count": float64(len(timeline)), "medianGap": nil, "tripWire": nil, "overdue": false, "percentile": nil}
	if len(timeline) == 0 {
		return r
	}
	last := timeline[len(timeline)-1].at
	elapsed := at.Sub(last)
	r["lastAt"], r["elapsed"] = moment(last), insight.FormatDuration(elapsed)
	var gaps []time.Duration
	for n := 1; n < len(timeline); n++ {
		gaps = append(gaps, timeline[n].at.Sub(timeline[n-1].at))
	}
	if len(gaps) == 0 {
		return r
	}
	slices.Sort(gaps)
	median := (gaps[(len(gaps)-1)/2] + gaps[len(gaps)/2]) / 2
	r["medianGap"] = insight.FormatDuration(median)
	if len(gaps) >= 3 {
		r["tripWire"], r["overdue"] = insight.FormatDuration(median), elapsed > median
	}
	return r
}

// habit is what everyone whom a viewer sees does.
type habit struct {
	lasts []time.Time
	gaps  [3][]time.Duration // from the first time to the second, and so on
}

func (v *view) habit(did func(*fact) bool, at time.Time) *habit {
	h := &habit{}
	for _, id := range v.population() {
		t := v.timeline(id, did, at)
		if len(t) == 0 {
			continue
		}
		h.lasts = append(h.lasts, t[len(t)-1].at)
		for n := 1; n < len(t) && n <= len(h.gaps); n++ {
			h.gaps[n-1] = append(h.gaps[n-1], t[n].at.Sub(t[n-1].at))
		}
	}
	return h
}

// beside adds to how recent somebody is what it is beside everyone.
func (h *habit) beside(r map[string]any, timeline []*fact, at time.Time) {
	if len(timeline) == 0 {
		return
	}
	last, less := timeline[len(timeline)-1].at, 0
	for _, other := range h.lasts {
		if other.Before(last) {
			less++
		}
	}
	r["percentile"] = float64(less) / float64(len(h.lasts))
	if len(timeline) > len(h.gaps) {
		return
	}
	if gaps := h.gaps[len(timeline)-1]; len(gaps) > 0 {
		slices.Sort(gaps)
		wire := (gaps[(len(gaps)-1)/2] + gaps[len(gaps)/2]) / 2
		r["tripWire"], r["overdue"] = insight.FormatDuration(wire), at.Sub(last) > wire
	}
}

// refusals are the moments at which somebody began to say no to being approached, or no
// longer did, in turns.
func (v *view) refusals(individual string) []time.Time {
	var turns, all []time.Time
	for _, m := range v.members[individual] {
		for _, w := range v.words[m] {
			turns = append(turns, w.effective)
		}
	}
	for _, t := range v.purpose("marketing").terms {
		turns = append(turns, t.at)
	}
	slices.SortFunc(turns, time.Time.Compare)
	refused := false
	for _, at := range turns {
		_, status := v.standing(v.members[individual], "marketing", at)
		if no := status == "DENIED" || status == "WITHDRAWN"; no != refused && !at.After(v.clock()) {
			all, refused = append(all, at), no
		}
	}
	return all
}

// way is somebody's latest journey.
type way struct {
	steps              [][]*fact // by channel
	converted          bool
	startedAt, endedAt any
}

func journeyOf(timeline []*fact, converts func(*fact) bool, lookback time.Duration, at time.Time) way {
	var current *way
	var last time.Time
	over := true
	for _, x := range timeline {
		if over || x.at.Sub(last) > lookback {
			current, over = &way{startedAt: moment(x.at)}, false
		}
		if n := len(current.steps); n > 0 && current.steps[n-1][0].channel == x.channel {
			current.steps[n-1] = append(current.steps[n-1], x)
		} else {
			current.steps = append(current.steps, []*fact{x})
		}
		last = x.at
		if converts != nil && converts(x) {
			current.converted, current.endedAt, over = true, moment(last), true
		}
	}
	switch {
	case current == nil:
		return way{}
	case !over && at.Sub(last) > lookback:
		current.endedAt = moment(last)
	}
	return *current
}

// moment is how the API writes a time.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.999999Z") }
