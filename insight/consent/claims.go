package consent

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/acquaint/acquaint/insight"
)

// Claims works out the decisions that signals amount to: for each purpose whose
// basis, at that moment, is CONSENT or LEGITIMATE_INTEREST, at most one, in the order
// of the purposes. They are effective at the given moment, and name the source; a
// zero moment is that at which they will be recorded.
//
// What each signal says about a purpose:
//
//   - CATEGORY: denied if any of the purpose's categories is false; granted if all of
//     them are true; nothing if some are not mentioned. Names are compared exactly,
//     and where that finds none, without regard to case.
//   - CONSENT_MODE: likewise, with the purpose's names in Google Consent Mode.
//   - TCF: granted if there is consent to all of the purpose's numbers, or, where its
//     basis is LEGITIMATE_INTEREST, consent or an established legitimate interest for
//     each; denied otherwise. A TCF string that does not mention a number says no to
//     it.
//   - GPP: denied if any of the purpose's fields says that the person opted out, or if
//     the string itself carries the Global Privacy Control and the purpose lists an
//     opt-out of sale, sharing or targeted advertising. If none of its fields says
//     so and one says that they did not, granted where the basis is
//     LEGITIMATE_INTEREST; where it is CONSENT nothing, since not to have opted out is
//     not consent.
//   - GPC: denied where the purpose lists one of these opt-outs, or is called
//     advertising or sale.
//
// Of several signals about one purpose, a no counts more than a yes, and of several
// noes, or of yeses alone, the first in the order above is told of. So one more
// signal never takes away a no.
//
// A claim's evidence is canonical JSON of those parts of the signal that it rests on.
func Claims(s *insight.Signals, purposes []*insight.Purpose, at time.Time, source string) []insight.Claim {
	if s.IsZero() {
		return nil
	}
	var claims []insight.Claim
	for _, p := range purposes {
		basis := p.LegalBasis
		if !at.IsZero() {
			basis = p.TermsAt(at).LegalBasis
		}
		if !basis.Choice() {
			continue
		}
		if c := strictest(byCategory(s, p), byConsentMode(s, p), byTCF(s, p, basis), byGPP(s, p, basis), byGPC(s, p)); c != nil {
			c.Purpose, c.EffectiveAt, c.Source = p, at, source
			claims = append(claims, *c)
		}
	}
	return claims
}

// strictest is the first of some claims that is a no, or else the first at all.
func strictest(claims ...*insight.Claim) *insight.Claim {
	var held *insight.Claim
	for _, c := range claims {
		if c != nil && (held == nil || c.Decision.No() && !held.Decision.No()) {
			held = c
		}
	}
	return held
}

func byCategory(s *insight.Signals, p *insight.Purpose) *insight.Claim {
	return byName(insight.MethodCategory, "categoryPreferences", p.Categories, s.Categories)
}

func byConsentMode(s *insight.Signals, p *insight.Purpose) *insight.Claim {
	return byName(insight.MethodConsentMode, "consentMode", p.ConsentMode, s.ConsentMode)
}

// byName is what yeses and noes to names say about a purpose that has some of them.
func byName(method insight.ConsentMethod, place string, names []string, said map[string]bool) *insight.Claim {
	mentioned := map[string]bool{}
	decision := insight.ConsentGranted
	complete := true
	for _, name := range names {
		found := mentions(said, name)
		complete = complete && len(found) > 0
		for spelling, yes := range found {
			mentioned[spelling] = yes
			if !yes {
				decision = insight.ConsentDenied
			}
		}
	}
	if len(mentioned) == 0 || decision == insight.ConsentGranted && !complete {
		return nil
	}
	return &insight.Claim{Decision: decision, Method: method, Evidence: evidence(map[string]any{place: mentioned})}
}

// mentions finds what is said to a name: to exactly that one, or else to those that
// differ from it by case alone.
func mentions(said map[string]bool, name string) map[string]bool {
	if yes, ok := said[name]; ok {
		return map[string]bool{name: yes}
	}
	found := map[string]bool{}
	for spelling, yes := range said {
		if strings.EqualFold(spelling, name) {
			found[spelling] = yes
		}
	}
	return found
}

func byTCF(s *insight.Signals, p *insight.Purpose, basis insight.LegalBasis) *insight.Claim {
	if s.TCF == nil || len(p.TCF) == 0 {
		return nil
	}
	decision := insight.ConsentGranted
	for _, n := range p.TCF {
		within := n > 0 && n < len(s.TCF.Consent)
		if !within || !s.TCF.Consent[n] && (basis != insight.BasisLegitimateInterest || !s.TCF.LegitimateInterest[n]) {
			decision = insight.ConsentDenied
		}
	}
	return &insight.Claim{
		Decision: decision, Method: insight.MethodTCF, Jurisdiction: "EU", PolicyVersion: "TCF " + strconv.Itoa(s.TCF.PolicyVersion),
		Evidence: evidence(map[string]any{"tcString": s.TCF.Text}),
	}
}

func byGPP(s *insight.Signals, p *insight.Purpose, basis insight.LegalBasis) *insight.Claim {
	if s.GPP == nil {
		return nil
	}
	fields := map[string]int{}
	var out, in bool
	for _, name := range p.GPP {
		if value := s.GPP.Fields[name]; value != 0 {
			fields[name] = value
			out, in = out || value == optedOut, in || value == didNotOptOut
		}
	}
	if s.GPP.GPC && listsOptOut(p) {
		fields["Gpc"] = 1 // as the sections call it
		out = true
	}
	decision := insight.ConsentDenied
	if !out {
		if !in || basis != insight.BasisLegitimateInterest {
			return nil
		}
		decision = insight.ConsentGranted
	}
	return &insight.Claim{
		Decision: decision, Method: insight.MethodGPP, Jurisdiction: "US",
		Evidence: evidence(map[string]any{"gppString": s.GPP.Text, "fields": fields}),
	}
}

func byGPC(s *insight.Signals, p *insight.Purpose) *insight.Claim {
	if !s.GPC || !listsOptOut(p) && p.Key != "advertising" && p.Key != "sale" {
		return nil
	}
	return &insight.Claim{Decision: insight.ConsentDenied, Method: insight.MethodGPC, Evidence: evidence(map[string]any{"secGPC": "1"})}
}

// listsOptOut reports whether a purpose is one that the Global Privacy Control is
// about: it lists an opt-out of sale, sharing or targeted advertising.
func listsOptOut(p *insight.Purpose) bool {
	return slices.ContainsFunc(p.GPP, func(name string) bool {
		return name == saleOptOut || name == sharingOptOut || name == advertisingOptOut
	})
}

// evidence writes strings, booleans and numbers, which are always JSON, canonically.
func evidence(parts map[string]any) json.RawMessage {
	text, err := json.Marshal(parts)
	if err == nil {
		text, err = Canonical(text)
	}
	if err != nil {
		return nil
	}
	return text
}
