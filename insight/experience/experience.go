package experience

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
)

// Bounds of an experience.
const (
	MaxVariants = 10
	MaxPayload  = 32 << 10 // bytes

	maxTraits    = 50
	maxName      = 100       // characters of a key or a name
	maxText      = 1_000     // characters of a description or a benefit
	maxSalt      = 200       // bytes
	maxWeight    = 1_000_000 // of a variant
	maxCap       = 1_000_000 // offers
	maxCapPeriod = 10 * insight.Year
)

// HoldoutKey is the key that no variant may have: it stands for being held out.
const HoldoutKey = "holdout"

// Experience is what individuals may be offered at one place.
type Experience struct {
	ID          uuid.UUID
	Key         string // unique, such as "garden_tips"
	Name        string // for people
	Description string
	Purpose     *insight.Purpose // what it reads personal data for
	Salt        string           // what its draws depend on; given once and never changed
	Holdout     float64          // the share of individuals who get nothing; at least 0 and below 1
	Variants    []Variant        // 1 to MaxVariants
	Cap         *Cap             // nil: offers are not limited
	Archived    bool             // it has ended: nothing is offered any more
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// Variant is one thing that an individual may be offered.
type Variant struct {
	Key     string          // unique within the experience, and never changed
	Name    string          // for people; may be empty
	Benefit string          // what it gives the customer
	Segment string          // key of the segment that it is for; empty: everyone
	Payload json.RawMessage // a JSON object of at most MaxPayload bytes, or nil
	Traits  []string        // keys of the traits that it shows
	Weight  float64         // how often it is drawn, relative to the others; 0 means 1
}

// Cap limits how often an individual is offered anything of an experience.
type Cap struct {
	Count int           // offers, at least 1
	Per   time.Duration // in any span of this length
}

// Validate refuses an experience that cannot be meant. It joins one insight.Invalid
// error for each fault, whose subject is the field's path, such as
// variants[2].benefit. What other tables hold, such as whether a segment exists, is
// the caller's to check.
func (e *Experience) Validate() error {
	f := faults{}
	f.name("key", e.Key)
	f.name("name", e.Name)
	f.text("description", e.Description)
	if e.Purpose == nil {
		f.add("purpose", "it is missing")
	}
	if e.Salt == "" || len(e.Salt) > maxSalt {
		f.add("salt", fmt.Sprintf("it is not of 1 to %d bytes", maxSalt))
	}
	if !(e.Holdout >= 0 && e.Holdout < 1) {
		f.add("holdout", "a share is at least 0 and below 1")
	}
	if n := len(e.Variants); n < 1 || n > MaxVariants {
		f.add("variants", fmt.Sprintf("there are %d; an experience has 1 to %d", n, MaxVariants))
	}
	seen := map[string]bool{HoldoutKey: true}
	for i := range e.Variants {
		path, v := fmt.Sprintf("variants[%d]", i), &e.Variants[i]
		f.variant(path, v)
		switch {
		case v.Key == HoldoutKey:
			f.add(path+".key", "holdout is the name of those who get nothing")
		case seen[v.Key]:
			f.add(path+".key", "another variant has this key")
		}
		seen[v.Key] = true
	}
	if c := e.Cap; c != nil {
		if c.Count < 1 || c.Count > maxCap {
			f.add("cap.count", fmt.Sprintf("it is not between 1 and %d", maxCap))
		}
		if c.Per <= 0 || c.Per > maxCapPeriod || c.Per%insight.Precision != 0 {
			f.add("cap.per", "it is not of whole microseconds, more than none and at most 10 years, such as P7D")
		}
	}
	return errors.Join(f...)
}

// faults gathers what is wrong with an experience.
type faults []error

func (f *faults) add(subject, message string) {
	*f = append(*f, insight.NewError(insight.Invalid, subject, message))
}

func (f *faults) variant(path string, v *Variant) {
	f.name(path+".key", v.Key)
	if v.Name != "" {
		f.name(path+".name", v.Name)
	}
	if strings.TrimSpace(v.Benefit) == "" {
		f.add(path+".benefit", "say what it gives the customer")
	}
	f.text(path+".benefit", v.Benefit)
	if v.Segment != "" {
		f.name(path+".segment", v.Segment)
	}
	switch {
	case len(v.Payload) > MaxPayload:
		f.add(path+".payload", fmt.Sprintf("it is of %d bytes; at most %d are taken", len(v.Payload), MaxPayload))
	case len(v.Payload) > 0 && (!json.Valid(v.Payload) || bytes.TrimLeft(v.Payload, " \t\r\n")[0] != '{'):
		f.add(path+".payload", "it is not a JSON object")
	}
	if len(v.Traits) > maxTraits {
		f.add(path+".traits", fmt.Sprintf("there are %d; at most %d are taken", len(v.Traits), maxTraits))
	} else {
		seen := map[string]bool{}
		for i, key := range v.Traits {
			at := fmt.Sprintf("%s.traits[%d]", path, i)
			f.name(at, key)
			if seen[key] {
				f.add(at, "the trait is there twice")
			}
			seen[key] = true
		}
	}
	if !(v.Weight >= 0 && v.Weight <= maxWeight) || v.Weight > 0 && v.Weight < 1.0/maxWeight {
		f.add(path+".weight", fmt.Sprintf("it is neither 0, which means 1, nor between 1/%d and %[1]d", maxWeight))
	}
}

func (f *faults) name(subject, name string) {
	control := func(r rune) bool { return r < ' ' || r == 0x7F }
	if name == "" || strings.TrimSpace(name) != name || utf8.RuneCountInString(name) > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, control) {
		f.add(subject, fmt.Sprintf("it is not 1 to %d characters without control characters or blanks at its ends", maxName))
	}
}

func (f *faults) text(subject, text string) {
	if utf8.RuneCountInString(text) > maxText || !utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0 {
		f.add(subject, fmt.Sprintf("it is longer than %d characters, holds a NUL or is not UTF-8", maxText))
	}
}
