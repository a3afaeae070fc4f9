package consent

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/acquaint/acquaint/insight"
)

// How much is read of one object.
const (
	maxNames = 100     // categories; and as many names of Consent Mode
	maxName  = 100     // characters of such a name
	maxText  = 8 << 10 // bytes of a TCF or GPP string
)

// consentModeFields are the names of Google Consent Mode v2, which are understood
// outside of the object consentMode too.
var consentModeFields = []string{
	"ad_storage", "ad_user_data", "ad_personalization", "analytics_storage",
	"functionality_storage", "personalization_storage", "security_storage",
}

// Read reads what an event says of consent: object is the value of Segment's
// context.consent, empty where there is none, and gpc says whether the request that
// brought it carried the header Sec-GPC: 1. These members count:
//
//   - categoryPreferences: an object of names and booleans;
//   - ad_storage and the other names of Google Consent Mode v2: "granted" or
//     "denied"; in an object consentMode also names of the installation's own;
//   - tcString, or tcf: an IAB TCF v2 string;
//   - gppString, or gpp: an IAB GPP string. Its section tcfeu2 counts as a tcString
//     where there is none;
//   - gpc: true is the same as the header.
//
// Others are ignored, and null is the same as absent. At most 100 categories and 100
// names of Consent Mode are read, of up to 100 characters each, and strings of up to
// 8 KB. A name that is said both yes and no to is said no to.
//
// With one fault nothing of the object counts. The error is [insight.Invalid], and
// its subject the place of the first fault relative to the object, empty for the
// object itself; no value is quoted. The signals are nil then, unless the header was
// there: it is no part of the object, and comes along with the error as the only
// signal. When nothing is said and nothing wrong, the signals are zero but not nil.
func Read(object json.RawMessage, gpc bool) (*insight.Signals, error) {
	var r reading
	switch err := r.object(object); {
	case err != nil && gpc:
		return &insight.Signals{GPC: true}, err
	case err != nil:
		return nil, err
	}
	s := r.signals
	s.GPC = s.GPC || gpc
	if s.TCF == nil {
		s.TCF = r.sectionTCF
	}
	return &s, nil
}

// reading is what was read so far.
type reading struct {
	signals    insight.Signals
	tcf, gpp   string             // the strings, in the place that was read first
	sectionTCF *insight.TCFSignal // what the GPP string's section tcfeu2 says
}

func (r *reading) object(text json.RawMessage) error {
	if len(text) == 0 || string(bytes.TrimSpace(text)) == "null" {
		return nil
	}
	if !json.Valid(text) {
		return insight.NewError(insight.Invalid, "", "it is not JSON")
	}
	return members("", text, r.member)
}

func (r *reading) member(name string, value json.RawMessage) error {
	switch name {
	case "categoryPreferences":
		return members(name, value, r.category)
	case "consentMode":
		return members(name, value, func(field string, value json.RawMessage) error {
			return r.consentMode("consentMode."+field, field, value)
		})
	case "tcString", "tcf":
		return r.readTCF(name, value)
	case "gppString", "gpp":
		return r.readGPP(name, value)
	case "gpc":
		on, err := boolean(name, value)
		r.signals.GPC = r.signals.GPC || on
		return err
	}
	if slices.Contains(consentModeFields, name) {
		return r.consentMode(name, name, value)
	}
	return nil
}

func (r *reading) category(name string, value json.RawMessage) error {
	const place = "categoryPreferences"
	if err := checkName(place, name); err != nil {
		return err
	}
	yes, err := boolean(place+"."+name, value)
	if err != nil {
		return err
	}
	return note(&r.signals.Categories, place, name, yes)
}

func (r *reading) consentMode(place, name string, value json.RawMessage) error {
	if err := checkName("consentMode", name); err != nil {
		return err
	}
	switch string(value) {
	case `"granted"`:
		return note(&r.signals.ConsentMode, "consentMode", name, true)
	case `"denied"`:
		return note(&r.signals.ConsentMode, "consentMode", name, false)
	}
	return insight.NewError(insight.Invalid, place, `"granted" or "denied" is expected`)
}

func (r *reading) readTCF(place string, value json.RawMessage) error {
	text, err := consentString(place, value, &r.tcf)
	if err != nil {
		return err
	}
	if r.signals.TCF, err = parseTCF(text); err != nil {
		return insight.NewError(insight.Invalid, place, err.Error())
	}
	return nil
}

func (r *reading) readGPP(place string, value json.RawMessage) error {
	text, err := consentString(place, value, &r.gpp)
	if err != nil {
		return err
	}
	if r.signals.GPP, r.sectionTCF, err = parseGPP(text); err != nil {
		return insight.NewError(insight.Invalid, place, err.Error())
	}
	return nil
}

// members calls each for every member of a JSON object that is not null, in the
// order in which they are written, until it finds fault.
func members(place string, text json.RawMessage, each func(name string, value json.RawMessage) error) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return insight.NewError(insight.Invalid, place, "an object is expected")
	}
	for d.More() {
		token, err := d.Token()
		var value json.RawMessage
		if err == nil {
			err = d.Decode(&value)
		}
		if err != nil {
			return insight.NewError(insight.Invalid, place, "it is not JSON")
		}
		if name, _ := token.(string); string(value) != "null" {
			if err := each(name, value); err != nil {
				return err
			}
		}
	}
	return nil
}

func boolean(place string, value json.RawMessage) (bool, error) {
	switch string(value) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, insight.NewError(insight.Invalid, place, "true or false is expected")
}

// checkName refuses a name that is too long to be one, without repeating it.
func checkName(place, name string) error {
	if utf8.RuneCountInString(name) > maxName {
		return insight.NewError(insight.Invalid, place, fmt.Sprintf("a name has more than %d characters", maxName))
	}
	return nil
}

// note keeps what is said to a name: once no, always no.
func note(said *map[string]bool, place, name string, yes bool) error {
	before, known := (*said)[name]
	if !known && len(*said) == maxNames {
		return insight.NewError(insight.Invalid, place, fmt.Sprintf("it has more than %d names", maxNames))
	}
	if *said == nil {
		*said = map[string]bool{}
	}
	(*said)[name] = yes && (before || !known)
	return nil
}

// consentString reads a member that holds a TCF or GPP string. Each of them has two
// names: read is what the other one held, if it was there before, and of two
// different strings nobody can tell which one counts.
func consentString(place string, value json.RawMessage, read *string) (string, error) {
	var text string
	if err := json.Unmarshal(value, &text); err != nil {
		return "", insight.NewError(insight.Invalid, place, "a string is expected")
	}
	switch {
	case len(text) > maxText:
		return "", insight.NewError(insight.Invalid, place, fmt.Sprintf("it has more than %d bytes", maxText))
	case text == "" || strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c > '~' }):
		// Go's base64 would skip line breaks, of which the standards know nothing.
		return "", insight.NewError(insight.Invalid, place, "it is empty, or has characters that no consent string has")
	case *read != "" && *read != text:
		return "", insight.NewError(insight.Invalid, place, "there is another such string, which differs")
	}
	*read = text
	return text, nil
}

var errUnreadable = errors.New("it cannot be read")

// guarded runs one of others' parsers. They index into what they are given before
// they have checked all of it, and so panic on some strings that were cut short or
// made up; such a string cannot be read, and no more than that.
func guarded[T any](parse func(string) (T, error), text string) (result T, err error) {
	defer func() {
		if recover() != nil {
			err = errUnreadable
		}
	}()
	return parse(text)
}
