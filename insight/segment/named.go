package segment

import (
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
)

// Status is how far a segment is. The text is the API's.
type Status string

// The statuses. COMPUTING: the rule that was last asked for is being computed, and what
// was computed before, if anything was, still answers.
const (
	Computing Status = "COMPUTING"
	Live      Status = "LIVE"
	Archived  Status = "ARCHIVED"
)

// Segment is a named rule that is kept, with the purpose that it reads for.
type Segment struct {
	ID          uuid.UUID
	Name        string
	Description string
	Definition      // as it was last asked for; its key is the segment's
	Version     int // of the rule, from 1
	Status      Status
	FreshAsOf   time.Time // up to when its members are right; zero: none has been computed
	Seen, Total int       // of the individuals, while it is being computed
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// Membership is a span in which an individual is in a segment.
type Membership struct {
	ID           uuid.UUID
	IndividualID uuid.UUID
	SegmentID    uuid.UUID
	EnteredAt    time.Time
	ExitedAt     time.Time // zero: they still are
}

// Belonging is a membership with its segment.
type Belonging struct {
	*Membership
	Segment *Segment
}

// Change says that an individual entered or left a segment.
type Change struct {
	ID           uuid.UUID // for whoever is told twice
	Sequence     int64     // its place among all changes
	IndividualID uuid.UUID
	SegmentID    uuid.UUID
	MembershipID uuid.UUID
	Entered      bool      // else they exited
	At           time.Time // when it became so
	RecordedAt   time.Time // when it was seen to be so
	Because      string    // what made it so, in words
}

// Place is the change's place among all, as a cursor.
func (c *Change) Place() insight.Cursor {
	return insight.Cursor{At: time.UnixMicro(c.Sequence).UTC(), ID: c.ID}
}

// After is the place that a cursor of [Change.Place] names.
func After(c insight.Cursor) int64 { return c.At.UnixMicro() }

// Member is somebody who is in a segment, as they are handed out.
type Member struct {
	Membership
	Identifiers []*insight.Identifier // strongest first, of a kind the oldest first
	Traits      []insight.Trait       // the best of each key that was asked for, none of them sensitive
}
