package insight

import (
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// Prefixes of public identifiers. An id in the API is a TypeID
// (https://github.com/jetify-com/typeid/tree/main/spec): a prefix that says what
// it names, an underscore, and the UUID as 26 characters of Crockford's base 32.
const (
	IndividualPrefix  = "ind"
	SessionPrefix     = "ses"
	InteractionPrefix = "int"
	ChannelPrefix     = "chn"
	SourcePrefix      = "src"
	PurposePrefix     = "pur"
	LinkPrefix        = "lnk"
	ConsentPrefix     = "con"
	RequestPrefix     = "req"
	SegmentPrefix     = "seg"
	MembershipPrefix  = "mem"
	ChangePrefix      = "chg" // of a membership
	DestinationPrefix = "dst"
	DeliveryPrefix    = "dlv"
	ExperiencePrefix  = "exp"
	DecisionPrefix    = "dec" // of an experience
)

const crockford = "0123456789abcdefghjkmnpqrstvwxyz"

var crockfordValue = func() (table [256]byte) {
	for i := range table {
		table[i] = 0xFF
	}
	for i := range len(crockford) {
		table[crockford[i]] = byte(i)
	}
	return table
}()

// FormatID spells a UUID as a TypeID:
//
//	FormatID("ind", 0190a5e4-4d5b-7c3a-9b1e-2f6d8a7c5e10) = "ind_01j2jy8kavfgx9p7hfdp57rqgg"
func FormatID(prefix string, id uuid.UUID) string {
	b := make([]byte, 0, len(prefix)+1+26)
	b = append(b, prefix...)
	b = append(b, '_')
	// 128 bits in 26 digits of 5: the first digit holds the top 3 bits.
	hi := uint64(id[0])<<56 | uint64(id[1])<<48 | uint64(id[2])<<40 | uint64(id[3])<<32 |
		uint64(id[4])<<24 | uint64(id[5])<<16 | uint64(id[6])<<8 | uint64(id[7])
	lo := uint64(id[8])<<56 | uint64(id[9])<<48 | uint64(id[10])<<40 | uint64(id[11])<<32 |
		uint64(id[12])<<24 | uint64(id[13])<<16 | uint64(id[14])<<8 | uint64(id[15])
	for digit := 25; digit >= 0; digit-- {
		shift := digit * 5
		var v uint64
		switch {
		case shift >= 64:
			v = hi >> (shift - 64)
		case shift > 59:
			v = lo>>shift | hi<<(64-shift)
		default:
			v = lo >> shift
		}
		b = append(b, crockford[v&31])
	}
	return string(b)
}

// ParseID reads a TypeID back. It is exact: one text for one id, so upper case,
// a missing prefix, a wrong length and a first digit above 7 are refused with an
// [Invalid] error that does not repeat the text.
func ParseID(text string) (prefix string, id uuid.UUID, err error) {
	cut := strings.LastIndexByte(text, '_')
	if cut <= 0 || cut > 63 || len(text)-cut-1 != 26 {
		return "", uuid.Nil, NewError(Invalid, "id", "an id is a prefix, an underscore and 26 characters, such as ind_01j2jy8kavfgx9p7hfdp57rqgg")
	}
	prefix, digits := text[:cut], text[cut+1:]
	for i := range len(prefix) {
		if c := prefix[i]; c < 'a' || c > 'z' {
			return "", uuid.Nil, NewError(Invalid, "id", "an id's prefix is lower-case letters")
		}
	}
	if digits[0] > '7' {
		return "", uuid.Nil, NewError(Invalid, "id", "the id holds more than 128 bits")
	}
	var hi, lo uint64
	for i := range 26 {
		v := crockfordValue[digits[i]]
		if v == 0xFF {
			return "", uuid.Nil, NewError(Invalid, "id", fmt.Sprintf("character %d is not a base 32 digit", cut+2+i))
		}
		hi = hi<<5 | lo>>59
		lo = lo<<5 | uint64(v)
	}
	for i := range 8 {
		id[i] = byte(hi >> (56 - 8*i))
		id[8+i] = byte(lo >> (56 - 8*i))
	}
	return prefix, id, nil
}

// ParseIDOf reads a TypeID that must have the given prefix; subject is the
// argument's name for the error.
func ParseIDOf(prefix, subject, text string) (uuid.UUID, error) {
	got, id, err := ParseID(text)
	if err != nil {
		return uuid.Nil, NewError(Invalid, subject, err.(*Error).Message) //nolint:errorlint // ParseID returns nothing else
	}
	if got != prefix {
		return uuid.Nil, NewError(Invalid, subject, fmt.Sprintf("this id names a %q, where one of %q is expected", got, prefix))
	}
	return id, nil
}
