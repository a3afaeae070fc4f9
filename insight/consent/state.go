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
	known := make([]*insight.Consent, 0, len(decisions))
	for _, d := range decisions {
		if d.Purpose.ID == p.ID && !d.RecordedAt.After(knownAt) && !d.EffectiveAt.After(validAt) {
			known = append(known, d)
		}
	}
	return weigh(terms.LegalBasis, settles(known, validAt), validAt)
}

// weigh applies a legal basis to the decision that settles the matter.
func weigh(basis insight.LegalBasis, record *insight.Consent, at time.Time) State {
	s := State{Record: record}
	if record != nil {
		s.Since = record.EffectiveAt
	}
	switch {
	case !basis.Choice():
		s.Permitted, s.Status = true, StatusNotRequired
		s.Because = "the legal basis is " + string(basis) + ", which does not depend on a decision"
		return s
	case record == nil:
		s.Permitted, s.Status = basis.Unasked(), StatusUnknown
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
		s.Permitted, s.Status = basis.Unasked(), StatusExpired
		s.Because = fmt.Sprintf("granted %s, expired at %s", when, record.ExpiresAt.UTC().Format(time.RFC3339))
		if s.Permitted {
			s.Because += "; no objection is recorded, and the legal basis is LEGITIMATE_INTEREST"
		}
	default:
		s.Permitted, s.Status, s.Because = true, StatusGranted, "granted "+when
		s.ExpiresAt = record.ExpiresAt
	}
	return s
}

// ended reports whether a grant has ended by itself; at the very moment it has.
func ended(d *insight.Consent, at time.Time) bool {
	return d.Decision == insight.ConsentGranted && !d.ExpiresAt.IsZero() && !d.ExpiresAt.After(at)
}

// settles finds the decision that holds at a moment among those about one purpose
// that are effective by then: of those that no later one replaces, the most
// restrictive.
//
// A later decision replaces an earlier one when it speaks for the earlier one's
// owner. So a person's latest word counts; and where two people turned out to be
// one, the stricter word of the two, until one is recorded that speaks for both.
func settles(decisions []*insight.Consent, at time.Time) *insight.Consent {
	var held *insight.Consent
	for _, d := range standing(decisions) {
		if held == nil || stricter(d, held, at) {
			held = d
		}
	}
	return held
}

// standing are those of some decisions about one purpose that no other one of them
// replaces, the latest first.
func standing(decisions []*insight.Consent) []*insight.Consent {
	ordered := slices.Clone(decisions)
	slices.SortFunc(ordered, func(a, b *insight.Consent) int { return compare(b, a) })
	spokenFor := map[uuid.UUID]bool{}
	var left []*insight.Consent
	for _, d := range ordered {
		if !spokenFor[d.Owner] {
			left = append(left, d)
		}
		spokenFor[d.Owner] = true
		for _, key := range d.Covers {
			spokenFor[key] = true
		}
	}
	return left
}

// speaksFor reports whether a decision was made by the person whom an identifier
// belonged to then.
func speaksFor(d *insight.Consent, owner uuid.UUID) bool {
	return d.Owner == owner || slices.Contains(d.Covers, owner)
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
// grant that has ended, and that more than one that holds. Between equals, the
// later one is told of.
func stricter(a, b *insight.Consent, at time.Time) bool {
	rank := func(d *insight.Consent) int {
		switch {
		case d.Decision.No():
			return 2
		case ended(d, at):
			return 1
		}
		return 0
	}
	if x, y := rank(a), rank(b); x != y {
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
		state := InForce(p, decisions, at, always)
		if state.Permitted {
			set |= p.Set()
		} else {
			set &^= p.Set()
		}
	}
	return set
}

// always is later than anything is recorded.
var always = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// about lists the purposes that decisions are about.
func about(decisions []*insight.Consent) []*insight.Purpose {
	var purposes []*insight.Purpose
	for _, d := range decisions {
		if !slices.ContainsFunc(purposes, func(p *insight.Purpose) bool { return p.ID == d.Purpose.ID }) {
			purposes = append(purposes, d.Purpose)
		}
	}
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
	for _, p := range purposes {
		for i, v := range p.Versions {
			if i > 0 {
				turn(v.At)
			}
		}
	}
	slices.SortFunc(turns, time.Time.Compare)
	var spans []Span
	for _, at := range slices.CompactFunc(turns, time.Time.Equal) {
		set := Permitted(purposes, decisions, at)
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
	var ends []time.Time
	for _, d := range decisions {
		if d.ExpiresAt.After(at) {
			ends = append(ends, d.ExpiresAt)
		}
	}
	slices.SortFunc(ends, time.Time.Compare)
	for _, end := range ends {
		if Permitted(purposes, decisions, end) != now {
			return end
		}
	}
	return time.Time{}
}

// Refused reports whether any purpose is refused: a no is in force.
func Refused(decisions []*insight.Consent, at time.Time) bool {
	return slices.ContainsFunc(about(decisions), func(p *insight.Purpose) bool {
		s := InForce(p, decisions, at, always)
		return s.Record != nil && s.Record.Decision.No()
	})
}

// Says reports whether a claim would only repeat what is recorded for the people
// with these identifiers: at its moment a decision of the same meaning is in force
// that speaks for all of them, so that nothing would change by recording it.
func Says(decisions []*insight.Consent, c *insight.Claim, members []uuid.UUID) bool {
	s := InForce(c.Purpose, decisions, c.EffectiveAt, always)
	if s.Record == nil || s.Record.Decision.No() != c.Decision.No() {
		return false
	}
	if !c.Decision.No() && !s.Record.ExpiresAt.Equal(c.ExpiresAt) {
		return false
	}
	for _, m := range members {
		if !speaksFor(s.Record, m) && (c.Decision.No() || slices.ContainsFunc(decisions, func(d *insight.Consent) bool {
			return d.Purpose.ID == c.Purpose.ID && d.Owner == m
		})) {
			return false
		}
	}
	return true
}

// Left is a no that must go along when identifiers part from the person for whom
// it was said.
type Left struct {
	Record *insight.Consent
	Owner  uuid.UUID   // the identifier, of those that part, in whose ledger it is written again
	Covers []uuid.UUID // the others of them for whom it was said
}

// Parting lists what must be written again when an individual comes apart: for each
// part, every no in force on the whole that speaks for one of the part's members
// and stands in a ledger that another part keeps. Parts hold the keys of their
// members, strongest first.
//
// So a no that was said by what was thought to be one person holds for each of the
// persons that they turn out to be; a yes stays with the one whose ledger it is in.
func Parting(decisions []*insight.Consent, parts [][]uuid.UUID, at time.Time) []Left {
	var all []Left
	for _, p := range about(decisions) {
		var ours []*insight.Consent
		for _, d := range decisions {
			if d.Purpose.ID == p.ID && !d.EffectiveAt.After(at) {
				ours = append(ours, d)
			}
		}
		for _, d := range standing(ours) {
			if !d.Decision.No() {
				continue
			}
			for _, part := range parts {
				if slices.Contains(part, d.Owner) {
					continue
				}
				var told []uuid.UUID
				for _, m := range part {
					if slices.Contains(d.Covers, m) {
						told = append(told, m)
					}
				}
				if len(told) > 0 {
					all = append(all, Left{Record: d, Owner: told[0], Covers: told[1:]})
				}
			}
		}
	}
	return all
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
			if err != nil || len(text) > maxEvidence || bytes.Contains(text, []byte(`\u0000`)) {
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
