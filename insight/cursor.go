package insight

import (
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/google/uuid"
)

// Cursor is a place in a list that is ordered by a moment and an id: the key of
// keyset paging.
type Cursor struct {
	At time.Time
	ID uuid.UUID
}

// cursorVersion lets the form change without mistaking old cursors for new ones.
const cursorVersion = 1

// String writes the cursor as 34 opaque characters: a version, the moment in
// microseconds since 1970, and the id, in base 64 for URLs.
func (c Cursor) String() string {
	var b [25]byte
	b[0] = cursorVersion
	binary.BigEndian.PutUint64(b[1:], uint64(c.At.UnixMicro()))
	copy(b[9:], c.ID[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// ParseCursor reads back what String wrote; anything else is an [Invalid] error
// that names subject.
func ParseCursor(subject, text string) (Cursor, error) {
	var b [25]byte
	if len(text) == base64.RawURLEncoding.EncodedLen(len(b)) {
		if n, err := base64.RawURLEncoding.Strict().Decode(b[:], []byte(text)); err == nil && n == len(b) && b[0] == cursorVersion {
			at := time.UnixMicro(int64(binary.BigEndian.Uint64(b[1:]))).UTC()
			if CheckTime(subject, at) == nil {
				return Cursor{At: at, ID: uuid.UUID(b[9:])}, nil
			}
		}
	}
	return Cursor{}, NewError(Invalid, subject, "this is no cursor; take one from an edge or pageInfo of the same list")
}
