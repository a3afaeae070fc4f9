package insight

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Individual is a person as now understood: a connected component of
// identifiers (see package identity). Every column is derived.
type Individual struct {
	ID          uuid.UUID
	FirstSeenAt time.Time // the earliest moment that any evidence of them carries
	LastSeenAt  time.Time // the latest
	Identified  bool      // whether a USER_ID is among the identifiers
}

// IdentifierKind is what sort of identifier a value is. The kinds are ordered:
// the individual of an event is the one of its strongest identifier.
type IdentifierKind uint8

// The kinds, strongest first. The numbers are stored.
const (
	UserID      IdentifierKind = iota + 1 // the business's own account id
	Email                                 // an address, normalised
	Phone                                 // a number in E.164
	External                              // another system's id, as "system:id"
	DeviceID                              // a device or installation
	AnonymousID                           // a browser's or app's id before anyone is known
)

// String is the kind's text in the API.
func (k IdentifierKind) String() string {
	names := [...]string{UserID: "USER_ID", Email: "EMAIL", Phone: "PHONE", External: "EXTERNAL", DeviceID: "DEVICE_ID", AnonymousID: "ANONYMOUS_ID"}
	if int(k) >= len(names) {
		return ""
	}
	return names[k]
}

// Identity is one identifier's name: what sort it is and its normalised value.
// It is comparable and serves as a map's key.
type Identity struct {
	Kind  IdentifierKind
	Value string
}

// Stronger reports whether a says more about who someone is than b: by kind,
// and between two of a kind by value, so that the order is total.
func (a Identity) Stronger(b Identity) bool {
	if a.Kind != b.Kind {
		return a.Kind < b.Kind
	}
	return a.Value < b.Value
}

// Identifier is an identity as it is kept.
type Identifier struct {
	Identity
	Key          uuid.UUID // the directory's key, derived from kind, value and the installation's own secret; internal
	Origin       uuid.UUID // the individual that this identifier would be alone: the id it was born with
	IndividualID uuid.UUID // the individual that it belongs to now
	FirstSeenAt  time.Time
	LastSeenAt   time.Time
	Shared       bool // linked directly to two people's USER_IDs, so it joins nobody
}

// Link is evidence that two identifiers are one person. Evidence from events is
// kept once for a pair, with its earliest observation; each operator's merge is a
// link of its own. A link is never deleted, only revoked.
type Link struct {
	ID         uuid.UUID
	A, B       Identity // A is the stronger
	AKey, BKey uuid.UUID
	Operator   bool   // recorded by merge: joins whatever it links
	Source     string // the source's name
	MessageID  string // empty for an operator's merge
	ObservedAt time.Time
	RevokedAt  time.Time // zero while active
	Reason     string    // why it was recorded or revoked, for an operator's
}

// Active reports whether the link still counts.
func (l Link) Active() bool { return l.RevokedAt.IsZero() }

// Provenance says how a trait is known.
type Provenance uint8

// How a trait is known. The numbers are stored.
const (
	Declared Provenance = iota + 1 // the person, or the business's system of record, said so
	Observed                       // seen in behaviour
	Inferred                       // worked out, by a model or a guess
)

// Sensitivity says how careful to be with a trait.
type Sensitivity uint8

// How careful to be. The numbers are stored.
const (
	Ordinary  Sensitivity = iota + 1
	Sensitive             // special categories of GDPR Article 9, and what the operator adds
)

// Trait is one thing known of an individual from one source.
type Trait struct {
	Key         string
	Value       json.RawMessage // any JSON but null: null takes the trait away
	Provenance  Provenance
	Confidence  float64 // 0 to 1
	Sensitivity Sensitivity
	Source      string // the source's name
	ObservedAt  time.Time
}

// Evidence is a link with its two ends as they are known now.
type Evidence struct {
	Link
	A, B Identifier
}

// BestTraits chooses, for each key, the trait that is shown: the one of the highest
// confidence, and among equals the newest, and then by source and by all else that is
// told of it, so that the order in which they are given does not matter. Traits that
// were taken away (null) are left out. The result is ordered by key.
func BestTraits(traits []Trait) []Trait {
	best := map[string]Trait{}
	for _, t := range traits {
		had, ok := best[t.Key]
		if !ok || cmp.Or(cmp.Compare(had.Confidence, t.Confidence), had.ObservedAt.Compare(t.ObservedAt), cmp.Compare(t.Source, had.Source),
			bytes.Compare(t.Value, had.Value), cmp.Compare(t.Provenance, had.Provenance), cmp.Compare(had.Sensitivity, t.Sensitivity)) < 0 {
			best[t.Key] = t
		}
	}
	shown := make([]Trait, 0, len(best))
	for _, t := range best {
		if string(t.Value) != "null" {
			shown = append(shown, t)
		}
	}
	slices.SortFunc(shown, func(a, b Trait) int { return cmp.Compare(a.Key, b.Key) })
	return shown
}
