package insight

import (
	"errors"
	"strings"
)

// Kind says what sort of failure an [Error] is, and so who can do something
// about it. The edges (graph, server) translate a kind to a code and a status.
type Kind uint8

// The kinds of failure. Internal is the zero value, so that an error nobody
// classified is never shown to a client with its detail.
const (
	Internal        Kind = iota // a fault of ours: logged with its detail, never shown
	Invalid                     // the caller's input is wrong; Subject names where
	NotFound                    // what was named does not exist, or not for this viewer
	Conflict                    // the change contradicts what is stored
	Unauthenticated             // who is asking could not be established
	Denied                      // who is asking may not do this
	Withheld                    // the individual's consent does not cover the purpose
	Exhausted                   // a limit was reached; try less, or later
	Unavailable                 // something we depend on is away; the same call may work later
)

var kindNames = [...]string{
	"internal", "invalid", "not found", "conflict", "unauthenticated", "denied", "withheld", "exhausted", "unavailable",
}

// String names the kind in lower case, as it appears in an error's text.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return kindNames[Internal]
}

// Error is the one error type that crosses packages.
//
// Its text reads "subject: message", for example
// "batch[3].timestamp: the year 0 is outside 1 to 9998". Neither Subject nor
// Message may hold personal data or a request's body: both are shown to clients
// for every kind but [Internal].
type Error struct {
	Op      string // what was being done: "store.Append"; for logs, never shown
	Kind    Kind
	Subject string // what it concerns, as the caller named it: an argument, a field's path, a file and line
	Message string // what is wrong and, where it helps, what would be right
	Cause   error  // what lies beneath; for logs, never shown
}

// Error implements the error interface. Op and Cause are left out on purpose;
// [Detail] has them.
func (e *Error) Error() string {
	message := e.Message
	if message == "" {
		message = e.Kind.String()
	}
	if e.Subject == "" {
		return message
	}
	return e.Subject + ": " + message
}

// Unwrap returns the cause, for errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Cause }

// NewError returns an error of a kind about a subject. Message is shown to clients.
func NewError(kind Kind, subject, message string) *Error {
	return &Error{Kind: kind, Subject: subject, Message: message}
}

// WrapError returns an error of a kind that keeps its cause for the log.
func WrapError(op string, kind Kind, cause error) *Error {
	return &Error{Op: op, Kind: kind, Cause: cause}
}

// KindOf reports the kind of the first [Error] in err's chain, and [Internal]
// when there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Detail spells out an error for a log: operation, text and every cause.
func Detail(err error) string {
	var b strings.Builder
	for err != nil {
		if b.Len() > 0 {
			b.WriteString(": ")
		}
		var e *Error
		if !errors.As(err, &e) || e != err { //nolint:errorlint // the link itself, not one further down
			b.WriteString(err.Error())
			return b.String()
		}
		if e.Op != "" {
			b.WriteString(e.Op)
			b.WriteString(": ")
		}
		b.WriteString(e.Error())
		err = e.Cause
	}
	return b.String()
}
