package scalar

import (
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
	"github.com/acquaint/acquaint/insight/delivery"
	"github.com/acquaint/acquaint/insight/experience"
	"github.com/acquaint/acquaint/insight/segment"
	"github.com/acquaint/acquaint/insight/uplift"
)

// MarshalTime writes a moment: RFC 3339 in UTC, with up to microseconds.
func MarshalTime(t time.Time) graphql.Marshaler {
	if t.IsZero() {
		return graphql.Null
	}
	return graphql.WriterFunc(func(w io.Writer) { _, _ = w.Write(AppendTime(make([]byte, 0, 34), t)) })
}

// AppendTime appends what [MarshalTime] writes for a moment that is not zero.
func AppendTime(b []byte, t time.Time) []byte {
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, "2006-01-02T15:04:05.999999Z")
	return append(b, '"')
}

// UnmarshalTime reads RFC 3339 with any offset.
func UnmarshalTime(v any) (time.Time, error) {
	text, ok := v.(string)
	if !ok {
		return time.Time{}, invalid("a time is RFC 3339, such as 2026-11-23T09:30:00Z")
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, invalid("a time is RFC 3339, such as 2026-11-23T09:30:00Z")
	}
	t = insight.Moment(t)
	return t, insight.CheckTime("", t)
}

// MarshalDuration writes a span: ISO 8601.
func MarshalDuration(d time.Duration) graphql.Marshaler {
	return quoted(insight.FormatDuration(d))
}

// UnmarshalDuration reads ISO 8601.
func UnmarshalDuration(v any) (time.Duration, error) {
	text, ok := v.(string)
	if !ok {
		return 0, invalid("a duration is ISO 8601, such as PT30M, P30D or P1Y")
	}
	d, err := insight.ParseDuration(text)
	var wrong *insight.Error
	if errors.As(err, &wrong) {
		return 0, invalid(wrong.Message) // who calls this names the argument
	}
	return d, err
}

// MarshalJSON writes a JSON value as it is; none is null.
func MarshalJSON(v json.RawMessage) graphql.Marshaler {
	if len(v) == 0 {
		return graphql.Null
	}
	return graphql.WriterFunc(func(w io.Writer) { _, _ = w.Write(v) })
}

// UnmarshalJSON takes any value.
func UnmarshalJSON(v any) (json.RawMessage, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, invalid("it is not JSON")
	}
	return b, nil
}

// MarshalCursor writes a place in a list.
func MarshalCursor(c insight.Cursor) graphql.Marshaler { return quoted(c.String()) }

// UnmarshalCursor reads a place in a list.
func UnmarshalCursor(v any) (insight.Cursor, error) {
	text, _ := v.(string)
	return insight.ParseCursor("", text)
}

// quoted writes text that needs no escapes.
func quoted(text string) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, `"`+text+`"`) })
}

func invalid(message string) error { return insight.NewError(insight.Invalid, "", message) }

// names are an enum's names, by its numbers from 1.
type names []string

func (n names) marshal(v uint8) graphql.Marshaler {
	if v == 0 || int(v) > len(n) {
		return graphql.Null
	}
	return quoted(n[v-1])
}

func (n names) unmarshal(v any) (uint8, error) {
	for i, name := range n {
		if name == v {
			return uint8(i + 1), nil
		}
	}
	return 0, invalid("there is no such name in the enum")
}

var (
	identifierKinds = names{"USER_ID", "EMAIL", "PHONE", "EXTERNAL", "DEVICE_ID", "ANONYMOUS_ID"}
	provenances     = names{"DECLARED", "OBSERVED", "INFERRED"}
	sensitivities   = names{"ORDINARY", "SENSITIVE"}
	directions      = names{"INBOUND", "OUTBOUND"}
)

// MarshalIdentifierKind writes a kind of identifier.
func MarshalIdentifierKind(k insight.IdentifierKind) graphql.Marshaler {
	return identifierKinds.marshal(uint8(k))
}

// UnmarshalIdentifierKind reads a kind of identifier.
func UnmarshalIdentifierKind(v any) (insight.IdentifierKind, error) {
	k, err := identifierKinds.unmarshal(v)
	return insight.IdentifierKind(k), err
}

// MarshalProvenance writes how a trait is known.
func MarshalProvenance(p insight.Provenance) graphql.Marshaler { return provenances.marshal(uint8(p)) }

// UnmarshalProvenance reads how a trait is known.
func UnmarshalProvenance(v any) (insight.Provenance, error) {
	p, err := provenances.unmarshal(v)
	return insight.Provenance(p), err
}

// MarshalSensitivity writes how careful to be with a trait.
func MarshalSensitivity(s insight.Sensitivity) graphql.Marshaler {
	return sensitivities.marshal(uint8(s))
}

// UnmarshalSensitivity reads how careful to be with a trait.
func UnmarshalSensitivity(v any) (insight.Sensitivity, error) {
	s, err := sensitivities.unmarshal(v)
	return insight.Sensitivity(s), err
}

// MarshalDirection writes who reached out.
func MarshalDirection(d insight.Direction) graphql.Marshaler { return directions.marshal(uint8(d)) }

// UnmarshalDirection reads who reached out.
func UnmarshalDirection(v any) (insight.Direction, error) {
	d, err := directions.unmarshal(v)
	return insight.Direction(d), err
}

// MarshalChannelKind writes a kind of channel.
func MarshalChannelKind(k insight.ChannelKind) graphql.Marshaler { return quoted(string(k)) }

// UnmarshalChannelKind reads a kind of channel.
func UnmarshalChannelKind(v any) (insight.ChannelKind, error) { return name[insight.ChannelKind](v) }

// MarshalComparison writes a comparison.
func MarshalComparison(c insight.Comparison) graphql.Marshaler {
	return graphql.MarshalString(string(c))
}

// UnmarshalComparison reads a comparison.
func UnmarshalComparison(v any) (insight.Comparison, error) { return name[insight.Comparison](v) }

// MarshalLegalBasis writes a legal basis.
func MarshalLegalBasis(b insight.LegalBasis) graphql.Marshaler {
	return graphql.MarshalString(string(b))
}

// UnmarshalLegalBasis reads a legal basis.
func UnmarshalLegalBasis(v any) (insight.LegalBasis, error) { return name[insight.LegalBasis](v) }

// name reads the name of an enum whose values are their names; the schema's
// validation has refused those that it does not have.
func name[T ~string](v any) (T, error) {
	text, ok := v.(string)
	if !ok {
		return "", invalid("an enum's value is a name, such as " + strconv.Quote("EQ"))
	}
	return T(text), nil
}

var consentDecisions = names{"GRANTED", "DENIED", "WITHDRAWN"}

// MarshalConsentDecision writes a decision.
func MarshalConsentDecision(d insight.ConsentDecision) graphql.Marshaler {
	return consentDecisions.marshal(uint8(d))
}

// UnmarshalConsentDecision reads a decision.
func UnmarshalConsentDecision(v any) (insight.ConsentDecision, error) {
	d, err := consentDecisions.unmarshal(v)
	return insight.ConsentDecision(d), err
}

// MarshalConsentMethod writes how a decision reached us.
func MarshalConsentMethod(m insight.ConsentMethod) graphql.Marshaler { return quoted(string(m)) }

// UnmarshalConsentMethod reads how a decision reached us.
func UnmarshalConsentMethod(v any) (insight.ConsentMethod, error) {
	return name[insight.ConsentMethod](v)
}

// MarshalConsentStatus writes how somebody stands with a purpose.
func MarshalConsentStatus(s consent.Status) graphql.Marshaler { return quoted(string(s)) }

// UnmarshalConsentStatus reads how somebody stands with a purpose.
func UnmarshalConsentStatus(v any) (consent.Status, error) { return name[consent.Status](v) }

// MarshalRequestKind writes what was asked for.
func MarshalRequestKind(k insight.RequestKind) graphql.Marshaler { return quoted(string(k)) }

// UnmarshalRequestKind reads what is asked for.
func UnmarshalRequestKind(v any) (insight.RequestKind, error) { return name[insight.RequestKind](v) }

// MarshalSegmentStatus writes how far a segment is.
func MarshalSegmentStatus(s segment.Status) graphql.Marshaler { return quoted(string(s)) }

// UnmarshalSegmentStatus reads how far a segment is.
func UnmarshalSegmentStatus(v any) (segment.Status, error) { return name[segment.Status](v) }

// MarshalDeliveryState writes how far a delivery is.
func MarshalDeliveryState(s delivery.Outcome) graphql.Marshaler { return quoted(string(s)) }

// UnmarshalDeliveryState reads how far a delivery is.
func UnmarshalDeliveryState(v any) (delivery.Outcome, error) { return name[delivery.Outcome](v) }

// MarshalDecisionReason writes why something, or nothing, is offered.
func MarshalDecisionReason(r experience.Reason) graphql.Marshaler { return quoted(string(r)) }

// UnmarshalDecisionReason reads why something, or nothing, is offered.
func UnmarshalDecisionReason(v any) (experience.Reason, error) { return name[experience.Reason](v) }

// MarshalUpliftVerdict writes whom to approach.
func MarshalUpliftVerdict(u uplift.Verdict) graphql.Marshaler { return quoted(string(u)) }

// UnmarshalUpliftVerdict reads whom to approach.
func UnmarshalUpliftVerdict(v any) (uplift.Verdict, error) { return name[uplift.Verdict](v) }
