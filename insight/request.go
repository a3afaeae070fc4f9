package insight

import (
	"time"

	"github.com/google/uuid"
)

// RequestKind is what an individual may ask for concerning their data. The text is
// the API's, and stored.
type RequestKind string

// What an individual may ask for: GDPR Articles 15 to 21.
const (
	RequestAccess        RequestKind = "ACCESS"
	RequestPortability   RequestKind = "PORTABILITY"
	RequestRectification RequestKind = "RECTIFICATION"
	RequestErasure       RequestKind = "ERASURE"
	RequestObjection     RequestKind = "OBJECTION"
)

// Request is something that was done because an individual, or somebody on their
// behalf, asked for it.
type Request struct {
	ID           uuid.UUID
	IndividualID uuid.UUID // zero once they are erased
	Kind         RequestKind
	RequestedBy  string // the subject of the token
	RequestedAt  time.Time
	CompletedAt  time.Time // zero: not yet
	Digest       string    // SHA-256 of the receipt that was handed out, in hexadecimal
}
