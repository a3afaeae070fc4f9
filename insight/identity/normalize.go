package identity

import (
	"fmt"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"github.com/acquaint/acquaint/insight"
)

// The longest values, in bytes, that an identifier may have after normalisation.
const (
	MaxValueLength = 255
	MaxEmailLength = 254 // RFC 5321, section 4.5.3.1.3, less the angle brackets
)

// NewIdentity normalises an identifier's value and checks that it can name one
// person or device. The result is a fixed point: normalising it again changes
// nothing. Surrounding blanks never count.
//
//   - USER_ID, DEVICE_ID and ANONYMOUS_ID keep their case; at most 255 bytes of
//     UTF-8 without control characters.
//   - EMAIL is a plain address, in lower case and Unicode NFC, its domain in
//     ASCII (IDNA 2008); at most 254 bytes. "Ann@BÜCHER.example" is
//     "ann@xn--bcher-kva.example". Dots and +tags stay: what they mean is the
//     provider's business.
//   - PHONE is E.164: "+442079460958". A number without its country is read as
//     one of region (ISO 3166, such as "GB"); with no region it is refused. An
//     extension is refused, because the people behind a switchboard would become one.
//   - EXTERNAL is "system:id", as [NewExternal] makes it.
//
// Placeholders ("null", "undefined", the zero UUID and their like, in any case)
// are refused, because whoever sends one would be joined with everyone else who
// does; "0" is somebody's id. Errors are [insight.Invalid], name the kind as
// their subject, and do not repeat the value.
func NewIdentity(kind insight.IdentifierKind, value, region string) (insight.Identity, error) {
	value = strings.TrimSpace(value)
	if err := checkText(kind, value); err != nil {
		return insight.Identity{}, err
	}
	switch kind {
	case insight.UserID, insight.DeviceID, insight.AnonymousID:
	case insight.Email:
		address, ok := normalizeEmail(value)
		if !ok {
			return insight.Identity{}, refuse(kind, "it is not a plain e-mail address of at most 254 bytes, such as ann@example.com")
		}
		value = address
	case insight.Phone:
		number, ok := normalizePhone(value, region)
		if !ok {
			return insight.Identity{}, refuse(kind, "it is not a valid telephone number without extension, such as +442079460958")
		}
		value = number
	case insight.External:
		system, id, ok := strings.Cut(value, ":")
		if !ok {
			return insight.Identity{}, refuse(kind, "an external id is a system, a colon and the id in it, such as loyalty:12345")
		}
		return NewExternal(system, id)
	default:
		return insight.Identity{}, insight.NewError(insight.Invalid, "identifier", fmt.Sprintf("there is no identifier kind %d", kind))
	}
	return insight.Identity{Kind: kind, Value: value}, nil
}

// NewExternal makes the identity of another system's id: ("loyalty", "12345") is
// EXTERNAL "loyalty:12345". The id may hold colons, the system may not; both are
// trimmed, neither may be empty, and the id may not be a placeholder. Errors are
// [insight.Invalid] and do not repeat the value.
func NewExternal(system, id string) (insight.Identity, error) {
	system, id = strings.TrimSpace(system), strings.TrimSpace(id)
	if system == "" || strings.Contains(system, ":") {
		return insight.Identity{}, refuse(insight.External, "the system of an external id is a name without a colon")
	}
	if err := checkText(insight.External, id); err != nil {
		return insight.Identity{}, err
	}
	value := system + ":" + id
	if err := checkText(insight.External, value); err != nil {
		return insight.Identity{}, err
	}
	return insight.Identity{Kind: insight.External, Value: value}, nil
}

var subjects = [...]string{
	insight.UserID: "userId", insight.Email: "email", insight.Phone: "phone",
	insight.External: "external", insight.DeviceID: "deviceId", insight.AnonymousID: "anonymousId",
}

func refuse(kind insight.IdentifierKind, why string) *insight.Error {
	subject := "identifier"
	if kind > 0 && int(kind) < len(subjects) {
		subject = subjects[kind]
	}
	return insight.NewError(insight.Invalid, subject, why)
}

func checkText(kind insight.IdentifierKind, value string) error {
	if len(value) > MaxValueLength {
		return refuse(kind, fmt.Sprintf("it is longer than %d bytes", MaxValueLength))
	}
	for i := 0; i < len(value); {
		if c := value[i]; c < utf8.RuneSelf {
			if c < ' ' || c == 0x7F {
				return refuse(kind, "it holds a control character")
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(value[i:])
		if r == utf8.RuneError && size == 1 {
			return refuse(kind, "it is not valid UTF-8")
		}
		if unicode.IsControl(r) {
			return refuse(kind, "it holds a control character")
		}
		i += size
	}
	if placeholder(value) {
		return refuse(kind, "it is empty or a placeholder such as null or undefined, which would join strangers")
	}
	return nil
}

// placeholder decides by length first: nearly every real id is told apart
// without looking at it.
func placeholder(value string) bool {
	switch len(value) {
	case 0:
		return true
	case 3:
		return strings.EqualFold(value, "nil") || strings.EqualFold(value, "nan")
	case 4:
		return strings.EqualFold(value, "null") || strings.EqualFold(value, "none")
	case 6:
		return strings.EqualFold(value, "(null)")
	case 9:
		return strings.EqualFold(value, "undefined")
	case 15:
		return strings.EqualFold(value, "[object object]")
	case 36:
		return value == "00000000-0000-0000-0000-000000000000"
	}
	return false
}

func normalizeEmail(value string) (string, bool) {
	at := strings.LastIndexByte(value, '@')
	if at <= 0 {
		return "", false
	}
	local, ok := foldCase(value[:at])
	if !ok {
		return "", false
	}
	domain, err := idna.Lookup.ToASCII(norm.NFC.String(value[at+1:]))
	if err != nil || domain == "" {
		return "", false
	}
	address := local + "@" + domain
	if len(address) > MaxEmailLength {
		return "", false
	}
	// Parsing what was put together refuses display names, comments, quotes,
	// angle brackets and misplaced dots: they would not come back unchanged.
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Name != "" || parsed.Address != address {
		return "", false
	}
	return address, true
}

// foldCase brings text to lower case and NFC. One can undo the other for a few
// letters, so it goes on until neither changes anything.
func foldCase(text string) (string, bool) {
	for range 4 {
		next := norm.NFC.String(strings.ToLower(text))
		if next == text {
			return text, true
		}
		text = next
	}
	return "", false
}

func normalizePhone(value, region string) (string, bool) {
	number, err := phonenumbers.Parse(value, strings.ToUpper(region))
	if err != nil || number.GetExtension() != "" || !phonenumbers.IsValidNumber(number) {
		return "", false
	}
	return phonenumbers.Format(number, phonenumbers.E164), true
}
