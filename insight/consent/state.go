package consent

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
)

// Status is how a person stands with a purpose. The text is the API's.
type Status string

// How a person may stand.
const (
	StatusGranted     Status = "GRANTED"
	StatusDenied      Status = "DENIED"
	StatusWithdrawn   Status = "WITHDRAWN"
	StatusExpired     Status = "EXPIRED"      // granted, and the grant has ended by itself
	StatusUnknown     Status = "UNKNOWN"      // nothing was decided
	StatusNotRequired Status = "NOT_REQUIRED" // the legal basis does not ask
)

// Statuses are all of them.
var Statuses = []Status{StatusGranted, StatusDenied, StatusWithdrawn, StatusExpired, StatusUnknown, StatusNotRequired}

// State is how a person stands with a purpose at a moment, and why.
type State struct {
	Permitted bool
	Status    Status
	Since     time.Time        // from when the record holds; zero without one
	ExpiresAt time.Time        // when the grant that permits it ends by itself; zero: not known to end
	Because   string           // in words
	Record    *insight.Consent // the decision that settles it; nil: none
}

// InForce says how a person stands with a purpose at validAt, by what was known at
// knownAt: of the decisions recorded by then, those about the purpose count that
// were effective at validAt. Decisions are those of one individual as they are
// understood now, about any purposes, in any order.
func InForce(p *insight.Purpose, decisions []*insight.Consent, validAt, knownAt time.Time) State {
	terms := p.TermsAt(earlier(validAt, knownAt))
	var held words
	for _, d := range history(p, decisions) {
		if !d.RecordedAt.After(knownAt) && !d.EffectiveAt.After(validAt) {
			held = held.hear(d)
		}
	}
	return weigh(terms.LegalBasis, held.settles(validAt), validAt)
}

// weigh applies a legal basis to the decision that settles the matter.
func weigh(basis insight.LegalBasis, record *insight.Consent, at time.Time) State {
	s := State{Record: record, Permitted: permits(basis, record, at)}
	if record != nil {
		s.Since = record.EffectiveAt
	}
	switch {
	case !basis.Choice():
		s.Status = StatusNotRequired
		s.Because = "the legal basis is " + string(basis) + ", which does not depend on a decision"
		return s
	case record == nil:
		s.Status = StatusUnknown
		s.Because = "no decision is recorded, and the legal basis is CONSENT: unknown means no"
		if s.Permitted {
			s.Because = "no objection is recorded, and the legal basis is LEGITIMATE_INTEREST"
		}
		return s
	}
	when := fmt.Sprintf("from %s on (%s, told by %s)", record.EffectiveAt.UTC().Format(time.RFC3339), record.Method, record.Source)
	switch {
	case record.Decision == insight.ConsentDenied:
		s.Status, s.Because = StatusDenied, "denied "+when
	case record.Decision == insight.ConsentWithdrawn:
		s.Status, s.Because = StatusWithdrawn, "withdrawn "+when
	case ended(record, at):
		s.Status = StatusExpired
		s.Because = fmt.Sprintf("granted %s, expired at %s", when, record.ExpiresAt.UTC().Format(time.RFC3339))
		if s.Permitted {
			s.Because += "; no objection is recorded, and the legal basis is LEGITIMATE_INTEREST"
		}
	default:
		s.Status, s.Because = StatusGranted, "granted "+when
		s.ExpiresAt = record.ExpiresAt
	}
	return s
}

// permits is whether a legal basis covers a person of whom a decision, or with nil
// none, settles the matter.
func permits(basis insight.LegalBasis, record *insight.Consent, at time.Time) bool {
	switch {
	case !basis.Choice():
		return true
	case record == nil:
		return basis.Unasked()
	case record.Decision.No():
		return false
	}
	return basis.Unasked() || !ended(record, at)
}

// ended reports whether a grant has ended by itself; at the very moment it has.
func ended(d *insight.Consent, at time.Time) bool {
	return d.Decision == insight.ConsentGranted && !d.ExpiresAt.IsZero() && !d.ExpiresAt.After(at)
}

// history are those of some decisions that are about a purpose, the earliest first.
func history(p *insight.Purpose, decisions []*insight.Consent) []*insight.Consent {
	ours := make([]*insight.Consent, 0, len(decisions))
	for _, d := range decisions {
		if d.Purpose.ID == p.ID {
			ours = append(ours, d)
		}
	}
	slices.SortFunc(ours, compare)
	return ours
}

// words are those of a person's decisions about one purpose that no later one
// replaces. So a person's latest word counts; and where two people turned out to be
// one, the word of each, until one is recorded that speaks for both.
type words []word

type word struct {
	*insight.Consent
	// open are the identifiers for whom this is the latest word: of a yes its owner
	// or nobody, of a no any of those for whom it was said. Without one it is no word.
	open []uuid.UUID
}

// heardBy are the words of a history that are effective by a moment.
func heardBy(history []*insight.Consent, at time.Time) words {
	var w words
	for _, d := range history {
		if d.EffectiveAt.After(at) {
			break
		}
		w = w.hear(d)
	}
	return w
}

// hear takes in a decision that is later than all that were heard before.
func (w words) hear(d *insight.Consent) words {
	left := w[:0]
	for _, before := range w {
		if before.open = before.after(d); len(before.open) > 0 {
			left = append(left, before)
		}
	}
	said := word{d, []uuid.UUID{d.Owner}}
	if d.Decision.No() {
		said.open = append(said.open, d.Covers...)
	}
	return append(left, said)
}

// after is for whom a word stays the latest when a later decision is heard. Where that
// one was recorded after a no, and speaks for the no's owner, those for whom it does not
// speak had left by then, and took the no along ([Parting]).
func (w word) after(d *insight.Consent) []uuid.UUID {
	switch {
	case w.Decision.No() && !undoes(d, w.Consent):
		return w.open
	case w.Decision.No() && d.RecordedAt.After(w.RecordedAt) && speaksFor(d, w.Owner):
		return nil
	}
	return slices.DeleteFunc(w.open, func(key uuid.UUID) bool { return speaksFor(d, key) })
}

// undoes reports whether a later decision may take the place of a no for those for whom
// both were said.
//
// A yes that was known before the no was does so only if its owner was one of those who
// said the no: with others they may have been one person once, and a no that was said
// apart from them is not undone by becoming one with them again. Another no does so only
// in the same ledger, for some of the same: elsewhere, it may be undone by other yeses.
func undoes(d, no *insight.Consent) bool {
	if d.Decision.No() {
		return d.Owner == no.Owner && !slices.ContainsFunc(d.Covers, func(key uuid.UUID) bool { return !speaksFor(no, key) })
	}
	return !d.RecordedAt.Before(no.RecordedAt) || speaksFor(no, d.Owner)
}

// settles finds the most restrictive word; nil: none.
func (w words) settles(at time.Time) *insight.Consent {
	var held *insight.Consent
	for _, said := range w {
		if held == nil || stricter(said.Consent, held, at) {
			held = said.Consent
		}
	}
	return held
}

// among are those of a part's members, in their order, for whom a word is the latest.
func (w word) among(part []uuid.UUID) []uuid.UUID {
	var told []uuid.UUID
	for _, m := range part {
		if slices.Contains(w.open, m) {
			told = append(told, m)
		}
	}
	return told
}

// speaksFor reports whether a decision was made by the person whom an identifier
// belonged to then.
func speaksFor(d *insight.Consent, key uuid.UUID) bool {
	return d.Owner == key || slices.Contains(d.Covers, key)
}

// compare is the order of decisions: by the moment from which they hold; of the
// same moment the more restrictive is the later, then the one that was recorded
// later. The order is total.
func compare(a, b *insight.Consent) int {
	return cmp.Or(
		a.EffectiveAt.Compare(b.EffectiveAt),
		cmp.Compare(a.Decision, b.Decision),
		a.RecordedAt.Compare(b.RecordedAt),
		bytes.Compare(a.ID[:], b.ID[:]),
	)
}

// stricter reports whether a restricts more than b at a moment: a no more than a
// grant that has ended, that more than one that holds, and of those the one that
// ends first. Between equals, the later one is told of.
func stricter(a, b *insight.Consent, at time.Time) bool {
	rank := func(d *insight.Consent) int {
		switch {
		case d.Decision.No():
			return 3
		case ended(d, at):
			return 2
		case !d.ExpiresAt.IsZero():
			return 1
		}
		return 0
	}
	x, y := rank(a), rank(b)
	if x == 1 && y == 1 && !a.ExpiresAt.Equal(b.ExpiresAt) {
		return a.ExpiresAt.Before(b.ExpiresAt)
	}
	if x != y {
		return x > y
	}
	return compare(a, b) > 0
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// Unasked is the set of purposes that cover, at a moment, somebody who has decided
// nothing.
func Unasked(purposes []*insight.Purpose, at time.Time) insight.Set {
	var s insight.Set
	for _, p := range purposes {
		if p.TermsAt(at).LegalBasis.Unasked() {
			s |= p.Set()
		}
	}
	return s
}

// Permitted is the set of purposes that cover a person at a moment, by all that is
// known.
func Permitted(purposes []*insight.Purpose, decisions []*insight.Consent, at time.Time) insight.Set {
	set := Unasked(purposes, at)
	for _, p := range about(decisions) {
		set = cover(set, p, heardBy(history(p, decisions), at), at)
	}
	return set
}

// cover puts a purpose into a set, or takes it out, as a person's words are.
func cover(set insight.Set, p *insight.Purpose, w words, at time.Time) insight.Set {
	if permits(p.TermsAt(at).LegalBasis, w.settles(at), at) {
		return set | p.Set()
	}
	return set &^ p.Set()
}

// always is later than anything is recorded.
var always = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// about lists the purposes that decisions are about, in the order of their ids.
func about(decisions []*insight.Consent) []*insight.Purpose {
	var purposes []*insight.Purpose
	for _, d := range decisions {
		if !slices.ContainsFunc(purposes, func(p *insight.Purpose) bool { return p.ID == d.Purpose.ID }) {
			purposes = append(purposes, d.Purpose)
		}
	}
	slices.SortFunc(purposes, func(a, b *insight.Purpose) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return purposes
}

// Span is a time in which the set of purposes that cover a person stays the same:
// from From (inclusive; zero: ever since) until the next span's.
type Span struct {
	From time.Time
	Set  insight.Set
}

// Spans tell, for all time up to until, which purposes covered a person when, by
// all that is known. What happened to the person is read for the purposes of the
// span that it happened in. The first span has no start; neighbours differ.
func Spans(purposes []*insight.Purpose, decisions []*insight.Consent, until time.Time) []Span {
	turns := []time.Time{{}}
	turn := func(at time.Time) {
		if !at.IsZero() && !at.After(until) {
			turns = append(turns, at)
		}
	}
	for _, d := range decisions {
		turn(d.EffectiveAt)
		turn(d.ExpiresAt)
	}
	subjects := about(decisions)
	for _, p := range slices.Concat(purposes, subjects) {
		for i, v := range p.Versions {
			if i > 0 {
				turn(v.At)
			}
		}
	}
	slices.SortFunc(turns, time.Time.Compare)
	ahead, said := make([][]*insight.Consent, len(subjects)), make([]words, len(subjects))
	for i, p := range subjects {
		ahead[i] = history(p, decisions)
	}
	var spans []Span
	for _, at := range slices.CompactFunc(turns, time.Time.Equal) {
		set := Unasked(purposes, at)
		for i, p := range subjects {
			for len(ahead[i]) > 0 && !ahead[i][0].EffectiveAt.After(at) {
				said[i], ahead[i] = said[i].hear(ahead[i][0]), ahead[i][1:]
			}
			set = cover(set, p, said[i], at)
		}
		if n := len(spans); n == 0 || spans[n-1].Set != set {
			spans = append(spans, Span{From: at, Set: set})
		}
	}
	return spans
}

// At is the set of the span that a moment lies in.
func At(spans []Span, at time.Time) insight.Set {
	var set insight.Set
	for _, s := range spans {
		if s.From.After(at) {
			break
		}
		set = s.Set
	}
	return set
}

// Lapse is the first moment after at when a purpose ceases to cover a person by
// time alone, because a grant ends; zero: never.
func Lapse(purposes []*insight.Purpose, decisions []*insight.Consent, at time.Time) time.Time {
	now := Permitted(purposes, decisions, at)
	for _, s := range Spans(purposes, decisions, always) {
		if s.From.After(at) && now&^s.Set != 0 {
			return s.From
		}
	}
	return time.Time{}
}

// Refusals are the spans in which a person had said no to a purpose, by all that is
// known, the earliest first.
func Refusals(p *insight.Purpose, decisions []*insight.Consent) []insight.Refusal {
	ahead := history(p, decisions)
	if len(ahead) == 0 {
		return nil
	}
	var turns []time.Time
	for _, d := range ahead {
		turns = append(turns, d.EffectiveAt)
		if !d.ExpiresAt.IsZero() {
			turns = append(turns, d.ExpiresAt)
		}
	}
	for _, v := range p.Versions {
		turns = append(turns, v.At)
	}
	slices.SortFunc(turns, time.Time.Compare)
	var refusals []insight.Refusal
	var said words
	refused := false
	for _, at := range slices.CompactFunc(turns, time.Time.Equal) {
		for len(ahead) > 0 && !ahead[0].EffectiveAt.After(at) {
			said, ahead = said.hear(ahead[0]), ahead[1:]
		}
		status := weigh(p.TermsAt(at).LegalBasis, said.settles(at), at).Status
		no := status == StatusDenied || status == StatusWithdrawn
		switch {
		case no && !refused:
			refusals = append(refusals, insight.Refusal{From: at})
		case !no && refused:
			refusals[len(refusals)-1].To = at
		}
		refused = no
	}
	return refusals
}

// Refused reports whether any purpose is refused: a no is in force.
func Refused(decisions []*insight.Consent, at time.Time) bool {
	return slices.ContainsFunc(about(decisions), func(p *insight.Purpose) bool {
		s := InForce(p, decisions, at, always)
		return s.Record != nil && s.Record.Decision.No()
	})
}

// Says reports whether a claim would only repeat what is recorded for the people
// with these identifiers: at its moment every word about the purpose has the same
// meaning, and they speak for all of them, so that nothing would change by
// recording it. A yes need not speak for an identifier with no ledger of its own.
func Says(decisions []*insight.Consent, c *insight.Claim, members []uuid.UUID) bool {
	told := history(c.Purpose, decisions)
	said := heardBy(told, c.EffectiveAt)
	if len(said) == 0 || slices.ContainsFunc(said, func(w word) bool {
		return w.Decision.No() != c.Decision.No() || !c.Decision.No() && !w.ExpiresAt.Equal(c.ExpiresAt)
	}) {
		return false
	}
	owns := func(key uuid.UUID) bool {
		return slices.ContainsFunc(told, func(d *insight.Consent) bool { return d.Owner == key })
	}
	if !c.Decision.No() {
		if !c.ExpiresAt.IsZero() && told[len(told)-1].EffectiveAt.After(c.EffectiveAt) {
			return false // another yes may be later, and this one's end would count beside it
		}
		return !slices.ContainsFunc(members, func(m uuid.UUID) bool {
			return owns(m) && !slices.ContainsFunc(said, func(w word) bool { return speaksFor(w.Consent, m) })
		})
	}
	last := func(key uuid.UUID) bool {
		return slices.ContainsFunc(said, func(w word) bool { return slices.Contains(w.open, key) })
	}
	for _, d := range told {
		if !last(d.Owner) {
			return false
		}
	}
	return !slices.ContainsFunc(members, func(m uuid.UUID) bool { return !last(m) })
}

// Left is a no that must go along when identifiers part from the person for whom
// it was said.
type Left struct {
	Record *insight.Consent
	Owner  uuid.UUID   // the identifier, of those of the part, in whose ledger it is written again
	Covers []uuid.UUID // the others of them for whom it is the latest word
}

// Parting lists what must be written again when an individual comes apart. Parts
// hold the keys of their members, strongest first. To each part goes every no that is
// the latest word for one of its members, when the yeses are left out that stand in
// ledgers which another part keeps. So a no that was said by what was thought to be one
// person holds for each of the persons that they turn out to be, and a yes stays with
// the one whose ledger it is in.
//
// A no in a ledger of the part's own is written again where such a yes had replaced it,
// so that it does not do so once more if the parts become one again, and where it would
// go on holding for the sake of those alone who left.
func Parting(decisions []*insight.Consent, parts [][]uuid.UUID, at time.Time) []Left {
	var all []Left
	for _, p := range about(decisions) {
		told := history(p, decisions)
		whole := heardBy(told, at)
		for _, part := range parts {
			all = append(all, taken(told, whole, part, at)...)
		}
	}
	return all
}

// taken is what one part takes along of the decisions about one purpose.
func taken(told []*insight.Consent, whole words, part []uuid.UUID, at time.Time) []Left {
	var own, heard []*insight.Consent // what stands in the part's ledgers, and with it every no
	for _, d := range told {
		ours := slices.Contains(part, d.Owner)
		if ours {
			own = append(own, d)
		}
		if ours || d.Decision.No() {
			heard = append(heard, d)
		}
	}
	alone := heardBy(own, at)
	var noes []Left
	stand := true // whether each is a word of the whole, and stays one of the part
	for _, m := range part {
		// The last is the hardest to undo, and the first tells since when.
		standing := standingNoes(m, heard, at)
		for i, no := range standing {
			if i > 0 && i < len(standing)-1 {
				continue
			}
			if i < len(standing)-1 {
				stand = stand && slices.Contains(part, no.Owner)
			} else {
				stand = stand && whole.holds(no, m) && alone.holds(no, m)
			}
			if n := slices.IndexFunc(noes, func(l Left) bool { return l.Record == no }); n >= 0 {
				noes[n].Covers = append(noes[n].Covers, m)
			} else {
				noes = append(noes, Left{Record: no, Owner: m, Covers: []uuid.UUID{}})
			}
		}
	}
	// All are written again when one is: what is recorded later for an owner replaces
	// the noes before it for those too for whom it does not speak.
	var written []Left
	if !stand {
		written = noes
	}
	idle := idleNoes(own, written, part, at)
	if len(idle) > 0 && written == nil {
		written = noes
		idle = idleNoes(own, written, part, at)
	}
	return append(written[:len(written):len(written)], idle...)
}

// holds reports whether a decision is the latest word for an identifier.
func (w words) holds(d *insight.Consent, key uuid.UUID) bool {
	return slices.ContainsFunc(w, func(said word) bool { return said.Consent == d && slices.Contains(said.open, key) })
}

// standingNoes are those of a history that were said for an identifier and that no yes
// said for it later undoes, the earliest first; of one that was written again, the last.
func standingNoes(key uuid.UUID, history []*insight.Consent, at time.Time) []*insight.Consent {
	var noes []*insight.Consent
	for _, d := range history {
		if d.EffectiveAt.After(at) || !speaksFor(d, key) {
			continue
		}
		noes = slices.DeleteFunc(noes, func(no *insight.Consent) bool {
			again := no.EffectiveAt.Equal(d.EffectiveAt) && no.Decision == d.Decision
			return again || !d.Decision.No() && undoes(d, no)
		})
		if d.Decision.No() {
			noes = append(noes, d)
		}
	}
	return noes
}

// idleNoes are those in a part's ledgers, when something is written there too, that are
// the latest word for nobody but for those who left. Written again, for their owner
// alone, they are replaced by what their owner has said since.
func idleNoes(own []*insight.Consent, written []Left, part []uuid.UUID, at time.Time) []Left {
	after := slices.Clone(own)
	for _, left := range written {
		again := *left.Record
		again.Owner, again.Covers, again.RecordedAt = left.Owner, left.Covers, at
		after = append(after, &again)
	}
	slices.SortFunc(after, compare)
	var idle []Left
	for _, w := range heardBy(after, at) {
		if w.Decision.No() && len(w.among(part)) == 0 {
			idle = append(idle, Left{Record: w.Consent, Owner: w.Owner, Covers: []uuid.UUID{}})
		}
	}
	return idle
}

// forward is how far ahead of ours the clock of somebody may be who says "now".
const forward = 5 * time.Second

// The limits of a claim's texts and evidence.
const (
	maxClaimText = 100  // characters
	maxEvidence  = 8192 // bytes
	maxClaims    = 100
)

// Validate checks decisions that are to be recorded together at a moment, and brings
// them to the form in which they are: with their moments, and evidence in canonical
// JSON. The error is of kind Invalid and names the first claim that cannot be, as
// "consents[2].expiresAt".
func Validate(claims []insight.Claim, now time.Time) error {
	if len(claims) == 0 || len(claims) > maxClaims {
		return insight.NewError(insight.Invalid, "consents", fmt.Sprintf("1 to %d decisions are taken", maxClaims))
	}
	for n := range claims {
		c := &claims[n]
		invalid := func(field, message string) error {
			return insight.NewError(insight.Invalid, fmt.Sprintf("consents[%d].%s", n, field), message)
		}
		if c.Decision != insight.ConsentGranted && !c.Decision.No() {
			return invalid("decision", "it is granted, denied or withdrawn")
		}
		if c.EffectiveAt.IsZero() || c.EffectiveAt.After(now) && !c.EffectiveAt.After(now.Add(forward)) {
			c.EffectiveAt = now
		}
		c.EffectiveAt = insight.Moment(c.EffectiveAt)
		if c.EffectiveAt.After(now) {
			return invalid("effectiveAt", "it lies in the future: a decision holds from when it was made")
		}
		if err := insight.CheckTime("", c.EffectiveAt); err != nil {
			return invalid("effectiveAt", err.Error())
		}
		if !c.ExpiresAt.IsZero() {
			c.ExpiresAt = insight.Moment(c.ExpiresAt)
			switch {
			case c.Decision.No():
				return invalid("expiresAt", "only a grant ends by itself: a no holds until the person says otherwise")
			case !c.ExpiresAt.After(c.EffectiveAt):
				return invalid("expiresAt", "it must come after effectiveAt")
			}
			if err := insight.CheckTime("", c.ExpiresAt); err != nil {
				return invalid("expiresAt", err.Error())
			}
		}
		for field, text := range map[string]string{"policyVersion": c.PolicyVersion, "jurisdiction": c.Jurisdiction} {
			if utf8.RuneCountInString(text) > maxClaimText || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
				return invalid(field, fmt.Sprintf("it has at most %d characters, and no control characters", maxClaimText))
			}
		}
		if len(c.Evidence) > 0 {
			text, err := Canonical(c.Evidence)
			escapes := bytes.ReplaceAll(text, []byte(`\\`), nil) // but for those of a backslash
			if err != nil || len(text) > maxEvidence || bytes.Contains(escapes, []byte(`\u0000`)) {
				return invalid("evidence", fmt.Sprintf("it must be JSON of at most %d bytes, without NUL characters", maxEvidence))
			}
			if c.Evidence = text; string(text) == "null" {
				c.Evidence = nil
			}
		}
		for m, other := range claims[:n] {
			if other.Purpose.ID == c.Purpose.ID && other.EffectiveAt.Equal(c.EffectiveAt) {
				return invalid("purpose", fmt.Sprintf("consents[%d] decides about the same purpose at the same moment", m))
			}
		}
	}
	return nil
}

// Repeats finds the record that a claim repeats to the letter, moment and evidence
// included; nil when there is none.
func Repeats(decisions []*insight.Consent, c *insight.Claim) *insight.Consent {
	for _, d := range decisions {
		if d.Purpose.ID == c.Purpose.ID && d.Decision == c.Decision && d.EffectiveAt.Equal(c.EffectiveAt) && d.ExpiresAt.Equal(c.ExpiresAt) &&
			d.Method == c.Method && d.Source == c.Source && d.PolicyVersion == c.PolicyVersion && d.Jurisdiction == c.Jurisdiction && bytes.Equal(d.Evidence, c.Evidence) {
			return d
		}
	}
	return nil
}
