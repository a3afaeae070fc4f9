package tracking

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/identity"
)

// The limits of what one message may say of a person.
const (
	MaxTraits         = 200
	MaxTraitKeyLength = 200 // bytes
)

// sensitiveWords name what GDPR Article 9(1) protects, as words of a trait's
// key; a pair of words is joined by an underscore.
var sensitiveWords = map[string]bool{
	// racial or ethnic origin
	"race": true, "racial": true, "ethnic": true, "ethnicity": true, "ethnicities": true,
	// political opinions
	"politics": true, "political": true, "party_affiliation": true, "voting_intention": true,
	// religious or philosophical beliefs
	"religion": true, "religions": true, "religious": true, "belief": true, "beliefs": true, "faith": true, "philosophical": true,
	// trade union membership
	"trade_union": true, "union_member": true, "union_membership": true, "labor_union": true, "labour_union": true,
	// genetic data
	"genetic": true, "genetics": true, "genome": true, "dna": true,
	// biometric data
	"biometric": true, "biometrics": true, "faceprint": true, "voiceprint": true, "iris_scan": true,
	// health
	"health": true, "medical": true, "medication": true, "medications": true, "diagnosis": true, "diagnoses": true,
	"disease": true, "diseases": true, "illness": true, "disability": true, "disabilities": true, "disabled": true,
	"pregnant": true, "pregnancy": true, "allergy": true, "allergies": true, "hiv": true, "blood_type": true,
	// sex life or sexual orientation
	"sexual": true, "sexuality": true, "sex_life": true,
}

// SensitivityOf says how careful to be with a trait, from its key:
// [insight.Sensitive] where a word of it, or two that follow each other, name a
// special category of GDPR Article 9, or where extra holds the whole key in snake
// case. "sexualOrientation", "sexual_orientation" and "Sexual Orientation" are
// one key.
func SensitivityOf(key string, extra map[string]bool) insight.Sensitivity {
	words := keyWords(key)
	if len(extra) > 0 && extra[strings.Join(words, "_")] {
		return insight.Sensitive
	}
	for i, word := range words {
		if sensitiveWords[word] || i > 0 && sensitiveWords[words[i-1]+"_"+word] {
			return insight.Sensitive
		}
	}
	return insight.Ordinary
}

// keyWords parts a key into its words in lower case, at anything that is no
// letter or digit and where a capital follows a small letter ("bloodType") or
// starts the last word of a run of them ("HIVStatus").
func keyWords(key string) []string {
	var words []string
	runes := []rune(key)
	start := 0
	end := func(i int) {
		if i > start {
			words = append(words, strings.ToLower(string(runes[start:i])))
		}
	}
	for i, r := range runes {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			end(i)
			start = i + 1
		case i > start && unicode.IsUpper(r) &&
			(!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])):
			end(i)
			start = i
		}
	}
	end(len(runes))
	return words
}

// readTraits reads what the message says of its person: an identify message's
// traits, and any message's context.traits, of which the former win.
func (d *Decoder) readTraits(r *reading, kind string, e *insight.Event) {
	if kind == "identify" && r.object(fieldTraits) {
		d.observe(r, fieldTraits, e)
	}
	if r.object(fieldContext) && r.object(fieldContextTraits) {
		d.observe(r, fieldContextTraits, e)
	}
}

func (d *Decoder) observe(r *reading, f field, e *insight.Event) {
	before := len(e.Traits)
	scanned(r.data, r.m.fields[f], func(name []byte, value span) {
		key := string(name)
		if f == fieldContextTraits && (key == "userId" || key == "anonymousId") {
			return // mobile SDKs repeat them here
		}
		if key == "" || len(key) > MaxTraitKeyLength {
			r.refuse(paths[f], fmt.Sprintf("a trait's key has 1 to %d bytes", MaxTraitKeyLength))
			return
		}
		observation := insight.Observation{
			Key: key, Value: r.data[value.start:value.end:value.end],
			Provenance: insight.Declared, Confidence: 1, Sensitivity: SensitivityOf(key, d.Sensitive),
		}
		for i := range e.Traits {
			if e.Traits[i].Key != key {
				continue
			}
			if i >= before { // repeated in one object: the last wins
				e.Traits[i] = observation
			}
			return
		}
		if len(e.Traits) >= MaxTraits {
			r.refuse(paths[f], fmt.Sprintf("a message may carry %d traits at most", MaxTraits))
			return
		}
		e.Traits = append(e.Traits, observation)
	})
	for _, trait := range e.Traits[before:] {
		d.identifyBy(trait, e)
	}
}

// identifyBy makes an address or a number an identifier, where it is one.
func (d *Decoder) identifyBy(trait insight.Observation, e *insight.Event) {
	var kind insight.IdentifierKind
	switch trait.Key {
	case "email":
		kind = insight.Email
	case "phone":
		kind = insight.Phone
	default:
		return
	}
	if text, ok := idText(trait.Value); ok {
		if id, err := identity.NewIdentity(kind, text, d.Region); err == nil {
			e.Identities = InsertIdentity(e.Identities, id)
		}
	}
}

// Observations reads an object of traits as somebody states them outside a message:
// declared, and sure. Errors are [insight.Invalid] about "traits".
func Observations(object []byte, sensitive map[string]bool) ([]insight.Observation, error) {
	s := scanner{data: object}
	s.space()
	start := s.pos
	if !s.value(1, nil, nil) {
		return nil, insight.NewError(insight.Invalid, "traits", "malformed JSON")
	}
	whole := s.spanFrom(start)
	s.space()
	switch {
	case s.pos != len(object):
		return nil, insight.NewError(insight.Invalid, "traits", "malformed JSON")
	case s.fault != faultNone:
		return nil, insight.NewError(insight.Invalid, "traits", faultMessages[s.fault])
	case object[start] != '{':
		return nil, insight.NewError(insight.Invalid, "traits", "expected an object")
	}
	r := &reading{data: object, m: &message{}}
	r.m.fields[fieldTraits] = whole
	var e insight.Event
	(&Decoder{Sensitive: sensitive}).observe(r, fieldTraits, &e)
	return e.Traits, r.err
}
