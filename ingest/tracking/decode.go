package tracking

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/channel"
	"github.com/acquaint/acquaint/insight/identity"
)

// The limits of the tracking API.
const (
	MaxMessageSize     = 32 * 1024  // bytes of one message
	MaxBatchSize       = 500 * 1024 // bytes of a batch
	MaxBatchMessages   = 2500
	MaxMessageIDLength = 99 // characters
	MaxTypeLength      = 255
	MaxChannelLength   = 100 // characters of a channel's key
	MaxExternalIDs     = 50
)

// Directory finds channels by their key, and makes those that do not exist.
// It is asked for every message, so it should answer from memory.
type Directory interface {
	// Channel returns the channel of a key. One that must be made gets the kind,
	// and [insight.OtherChannel] where kind is empty.
	Channel(ctx context.Context, key string, kind insight.ChannelKind) (*insight.Channel, error)
}

// Decoder turns messages into events. It has no state of its own and may be
// used by many goroutines at once.
type Decoder struct {
	Directory Directory
	// Region is the country (ISO 3166, such as "GB") of telephone numbers that
	// do not say theirs; empty: such numbers stay traits and identify nobody.
	Region string
	// Sensitive names further traits that are [insight.Sensitive], in snake case;
	// see [SensitivityOf].
	Sensitive map[string]bool
	// NewID makes the id of a message that has neither an id nor a timestamp;
	// nil: a random UUID. It answers 1 to 99 characters.
	NewID func() string
	// Archive says that the messages were sent long ago and are read from a file:
	// sentAt is then compared with the message's own receivedAt instead of ours,
	// and a message without an id gets one from NewID whatever it says, because
	// there its place in the file can tell it from its like.
	Archive bool
}

// Message decodes one message that stands for itself, whatever brought it. kind is
// what the request's path says it is ("identify", "track", "page", "screen",
// "group" or "alias"); empty: what its type says. batchSentAt counts where the
// message has no sentAt of its own and is zero outside a batch. subject is what
// errors call the message and is empty where it stands alone.
//
// The event keeps parts of body, which must not be written to afterwards. Errors
// are [insight.Invalid] where the message is wrong, [insight.Exhausted] where it
// is too large, and those of the Directory; they name the place and never repeat
// a value. Consent that cannot be read is left out, and [Decoder.Single] says why.
func (d *Decoder) Message(ctx context.Context, kind string, body []byte, source *insight.Source, receivedAt, batchSentAt time.Time, subject string) (*insight.Event, error) {
	r := delivery{Request: Request{Source: source, ReceivedAt: receivedAt}, body: body, sentAt: batchSentAt}
	decoded := d.single(ctx, kind, &r, subject)
	return decoded.Event, decoded.Err
}

// Single decodes the message of a request that brings one. kind, the errors and
// what becomes of body are as with [Decoder.Message].
func (d *Decoder) Single(ctx context.Context, kind string, body []byte, from Request) Decoded {
	return d.single(ctx, kind, &delivery{Request: from, body: body}, "")
}

func (d *Decoder) single(ctx context.Context, kind string, from *delivery, subject string) Decoded {
	if len(from.body) > MaxMessageSize {
		return Decoded{Err: tooLarge(subject)}
	}
	s := scanner{data: from.body}
	var m message
	s.space()
	ok := scanMessage(&s, &m)
	if ok {
		s.space()
		ok = s.pos == len(from.body)
	}
	if !ok {
		return Decoded{Err: malformed(subject, s.pos)}
	}
	return d.decode(ctx, kind, from, &m, subject)
}

func tooLarge(subject string) error {
	return insight.NewError(insight.Exhausted, subject, "a message may be 32 KB at most")
}

func malformed(subject string, offset int) error {
	return insight.NewError(insight.Invalid, cmp.Or(subject, "body"), fmt.Sprintf("malformed JSON at byte %d", offset))
}

// reading is one message being decoded. The first error stays; what is read
// after it does not matter.
type reading struct {
	data    []byte
	m       *message
	subject string
	err     error
}

var paths = [fieldCount]string{
	fieldType: "type", fieldMessageID: "messageId", fieldUserID: "userId", fieldAnonymousID: "anonymousId",
	fieldPreviousID: "previousId", fieldGroupID: "groupId", fieldEvent: "event", fieldName: "name",
	fieldCategory: "category", fieldTimestamp: "timestamp", fieldOriginalTimestamp: "originalTimestamp",
	fieldSentAt: "sentAt", fieldReceivedAt: "receivedAt", fieldTraits: "traits", fieldProperties: "properties",
	fieldContext: "context", fieldContextTraits: "context.traits", fieldExternalIDs: "context.externalIds",
	fieldChannel: "context.channel", fieldDirection: "context.direction", fieldConsent: "context.consent", fieldCampaign: "context.campaign",
	fieldPage: "context.page", fieldDevice: "context.device", fieldCampaignName: "context.campaign.name",
	fieldCampaignSource: "context.campaign.source", fieldCampaignMedium: "context.campaign.medium",
	fieldCampaignTerm: "context.campaign.term", fieldCampaignContent: "context.campaign.content",
	fieldPageURL: "context.page.url", fieldPageReferrer: "context.page.referrer", fieldDeviceID: "context.device.id",
}

func (r *reading) refuse(path, message string) {
	if r.err == nil {
		r.err = insight.NewError(insight.Invalid, within(r.subject, path), message)
	}
}

func (r *reading) has(f field) bool { return r.m.fields[f].given() }

func (r *reading) raw(f field) []byte {
	v := r.m.fields[f]
	return r.data[v.start:v.end:v.end]
}

// text is a field's string; empty where it is absent.
func (r *reading) text(f field) string {
	if !r.has(f) {
		return ""
	}
	raw := r.raw(f)
	if raw[0] != '"' {
		r.refuse(paths[f], "expected a string")
		return ""
	}
	return unquote(raw)
}

// id is a field's string, or the digits of an integer exactly as they were written.
func (r *reading) id(f field) string {
	if !r.has(f) {
		return ""
	}
	text, ok := idText(r.raw(f))
	if !ok {
		r.refuse(paths[f], "expected a string or an integer")
	}
	return text
}

func idText(raw []byte) (string, bool) {
	switch c := raw[0]; {
	case c == '"':
		return unquote(raw), true
	case (c == '-' || '0' <= c && c <= '9') && !bytes.ContainsAny(raw, ".eE"):
		return string(raw), true
	}
	return "", false
}

// object reports whether a field is there, and refuses what is not an object.
func (r *reading) object(f field) bool {
	if !r.has(f) {
		return false
	}
	if r.raw(f)[0] != '{' {
		r.refuse(paths[f], "expected an object")
		return false
	}
	return true
}

func (r *reading) time(f field) time.Time {
	if !r.has(f) {
		return time.Time{}
	}
	t, err := parseTime(r.raw(f))
	if err != nil && r.err == nil {
		err.Subject = within(r.subject, paths[f])
		r.err = err
	}
	return t
}

// parseTime reads RFC 3339 with any number of decimals; the zone may lack its
// colon, as some SDKs write it.
func parseTime(raw []byte) (time.Time, *insight.Error) {
	const expected = "expected a time as RFC 3339 has it, such as 2026-03-01T09:30:00.000Z"
	if raw[0] != '"' {
		return time.Time{}, insight.NewError(insight.Invalid, "", expected)
	}
	var t time.Time
	text := raw[1 : len(raw)-1]
	if t.UnmarshalText(text) != nil {
		zone := len(text) - 5
		if zone < 0 || text[zone] != '+' && text[zone] != '-' {
			return time.Time{}, insight.NewError(insight.Invalid, "", expected)
		}
		colon := append(append(append([]byte(nil), text[:zone+3]...), ':'), text[zone+3:]...)
		if t.UnmarshalText(colon) != nil {
			return time.Time{}, insight.NewError(insight.Invalid, "", expected)
		}
	}
	if y := t.UTC().Year(); y < 1 || y > 9998 {
		return time.Time{}, insight.NewError(insight.Invalid, "", fmt.Sprintf("the year %d is outside 1 to 9998", y))
	}
	if t.IsZero() {
		return time.Time{}, insight.NewError(insight.Invalid, "", "the first moment of the year 1 is what an unset clock says")
	}
	return insight.Moment(t), nil
}

// decode makes the event of a message that was scanned.
func (d *Decoder) decode(ctx context.Context, kind string, from *delivery, m *message, subject string) Decoded {
	decoded := Decoded{MessageID: givenID(from.body, m)}
	if decoded.Event, decoded.Err = d.event(ctx, kind, from, m, subject); decoded.Err == nil {
		said := from.consent(m, subject)
		decoded.Event.Signals, decoded.Consent = said.signals, said.err
	}
	return decoded
}

func (d *Decoder) event(ctx context.Context, kind string, from *delivery, m *message, subject string) (*insight.Event, error) {
	data := from.body
	if m.where.end-m.where.start > MaxMessageSize {
		return nil, tooLarge(subject)
	}
	if data[m.where.start] != '{' {
		return nil, insight.NewError(insight.Invalid, cmp.Or(subject, "body"), "expected a message, which is a JSON object")
	}
	if m.fault != faultNone {
		return nil, insight.NewError(insight.Invalid, within(subject, pathTo(data, m.where, m.faultAt)), faultMessages[m.fault])
	}
	r := &reading{data: data, m: m, subject: subject}
	if kind == "" {
		kind = r.text(fieldType)
	}
	e := &insight.Event{Source: from.Source, Type: kind, ReceivedAt: insight.Moment(from.ReceivedAt)}
	d.readKind(r, kind, e)
	d.readTime(r, from.sentAt, e)
	d.readID(r, kind, e)
	d.readIdentities(r, kind, e)
	r.readMeasure(e)
	r.readDirection(e)
	if r.object(fieldContext) {
		r.readCampaign(e)
	}
	if r.err != nil {
		return nil, r.err
	}
	var err error
	e.Channel, err = d.channel(ctx, r, e)
	if err == nil {
		err = r.err
	}
	if err != nil {
		return nil, err
	}
	return e, nil
}

// readKind reads what is particular to each kind of message.
func (d *Decoder) readKind(r *reading, kind string, e *insight.Event) {
	switch kind {
	case "track":
		e.Type = r.text(fieldEvent)
		if strings.TrimSpace(e.Type) == "" {
			r.refuse("event", "a track message needs the name of its event")
		}
		if utf8.RuneCountInString(e.Type) > MaxTypeLength {
			r.refuse("event", fmt.Sprintf("an event's name may have %d characters at most", MaxTypeLength))
		}
		e.Properties = r.properties()
	case "page", "screen":
		e.Properties = r.namedProperties()
	case "identify":
		r.object(fieldTraits)
	case "group":
		if r.id(fieldGroupID) == "" {
			r.refuse("groupId", "a group message needs the id of its group")
			return
		}
		properties := append(append([]byte(nil), `{"groupId":`...), quoteID(r.raw(fieldGroupID))...)
		if r.object(fieldTraits) {
			properties = append(append(properties, `,"traits":`...), r.raw(fieldTraits)...)
		}
		e.Properties = append(properties, '}')
	case "alias":
		if r.id(fieldUserID) == "" || r.id(fieldPreviousID) == "" {
			r.refuse("previousId", "an alias message needs a previousId and a userId")
			return
		}
		properties := append(append([]byte(nil), `{"previousId":`...), quoteID(r.raw(fieldPreviousID))...)
		e.Properties = append(properties, '}')
	default:
		r.refuse("type", "expected identify, track, page, screen, group or alias")
	}
}

func quoteID(raw []byte) []byte {
	if raw[0] == '"' {
		return raw
	}
	return append(append([]byte{'"'}, raw...), '"')
}

func (r *reading) properties() json.RawMessage {
	if !r.object(fieldProperties) || emptyObject(r.raw(fieldProperties)) {
		return nil
	}
	return r.raw(fieldProperties)
}

func emptyObject(raw []byte) bool {
	return len(bytes.TrimSpace(raw[1:len(raw)-1])) == 0
}

// namedProperties are the properties of a page or screen, with its name and
// category from the message where the properties have none.
func (r *reading) namedProperties() json.RawMessage {
	properties := r.properties()
	for _, extra := range [...]struct {
		key             string
		above, property field
	}{{"name", fieldName, fieldPropertyName}, {"category", fieldCategory, fieldPropertyCategory}} {
		if r.text(extra.above) == "" || r.has(extra.property) {
			continue
		}
		next := []byte{'{'}
		if properties != nil {
			next = append(append(next, properties[1:len(properties)-1]...), ',')
		}
		next = append(next, '"')
		next = append(append(next, extra.key...), `":`...)
		next = append(append(next, r.raw(extra.above)...), '}')
		properties = next
	}
	return properties
}

// furthestSkew is how wrong a client's clock can be and still be corrected: one
// that was never set says 1970 or 1904, and what says less is no clock.
const furthestSkew = 150 * insight.Year

// readTime works out when the event happened, by Segment's rule: the timestamp
// less what the client's clock was ahead of ours when it sent the message. A
// message that has both an original timestamp and a timestamp was corrected on
// its way here. Nothing has happened later than it was received.
func (d *Decoder) readTime(r *reading, batchSentAt time.Time, e *insight.Event) {
	timestamp, original := r.time(fieldTimestamp), r.time(fieldOriginalTimestamp)
	sentAt := r.time(fieldSentAt)
	if sentAt.IsZero() {
		sentAt = batchSentAt
	}
	arrivedAt := e.ReceivedAt
	if d.Archive {
		arrivedAt = r.time(fieldReceivedAt)
	}
	if timestamp.IsZero() && original.IsZero() {
		e.OccurredAt = e.ReceivedAt
		return
	}
	corrected := !timestamp.IsZero() && !original.IsZero()
	if timestamp.IsZero() {
		timestamp = original
	}
	e.Timestamp, e.OccurredAt = timestamp, timestamp
	if !corrected && !sentAt.IsZero() && !arrivedAt.IsZero() {
		if skew := sentAt.Sub(arrivedAt); skew.Abs() <= furthestSkew {
			e.OccurredAt = insight.Moment(timestamp.Add(-skew))
		}
	}
	if e.OccurredAt.After(e.ReceivedAt) {
		e.OccurredAt = e.ReceivedAt
	}
	if err := insight.CheckTime(within(r.subject, "timestamp"), e.OccurredAt); err != nil && r.err == nil {
		r.err = err
	}
}

func (d *Decoder) readID(r *reading, kind string, e *insight.Event) {
	if r.has(fieldMessageID) {
		e.MessageID = r.text(fieldMessageID)
		if n := utf8.RuneCountInString(e.MessageID); n == 0 || n > MaxMessageIDLength {
			r.refuse("messageId", fmt.Sprintf("a message id has 1 to %d characters", MaxMessageIDLength))
		}
		if strings.ContainsFunc(e.MessageID, unicode.IsControl) {
			r.refuse("messageId", "it holds a control character")
		}
		return
	}
	switch {
	case r.err != nil:
	case !e.Timestamp.IsZero() && !d.Archive:
		e.MessageID = contentID(kind, r.data[r.m.where.start:r.m.where.end])
	case d.NewID != nil:
		e.MessageID = d.NewID()
	default:
		e.MessageID = uuid.NewString()
	}
}

// contentID makes the id of a message that has none from what it says, so that
// sending it again is the same message. What differs between two attempts to
// send it (sentAt, _metadata) does not count, nor do the order of members, blanks
// and escapes.
func contentID(kind string, raw []byte) string {
	var content map[string]any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&content); err != nil {
		panic("tracking: a scanned message is not JSON: " + err.Error())
	}
	for _, transport := range [...]string{"messageId", "sentAt", "receivedAt", "writeKey", "_metadata"} {
		delete(content, transport)
	}
	content["type"] = kind
	canonical, err := json.Marshal(content)
	if err != nil {
		panic("tracking: what was decoded cannot be encoded: " + err.Error())
	}
	sum := sha256.Sum256(canonical)
	return "content-" + hex.EncodeToString(sum[:])
}

// readIdentities reads the identifiers and the traits, among which an address or
// a number identifies too.
func (d *Decoder) readIdentities(r *reading, kind string, e *insight.Event) {
	if kind != "alias" && !r.has(fieldUserID) && !r.has(fieldAnonymousID) {
		r.refuse("userId", "a message needs a userId or an anonymousId")
	}
	e.Identities = make([]insight.Identity, 0, 4)
	var refused error
	take := func(identifier insight.IdentifierKind, f field) insight.Identity {
		if !r.has(f) {
			return insight.Identity{}
		}
		id, err := identity.NewIdentity(identifier, r.id(f), d.Region)
		if err != nil {
			if refused == nil {
				refused = relocate(err, within(r.subject, paths[f]))
			}
			return insight.Identity{}
		}
		e.Identities = InsertIdentity(e.Identities, id)
		return id
	}
	take(insight.UserID, fieldUserID)
	anonymous := take(insight.AnonymousID, fieldAnonymousID)
	// The browser SDK names a person that is known already as their own previous one.
	if kind == "alias" && r.id(fieldPreviousID) != r.id(fieldUserID) {
		take(insight.AnonymousID, fieldPreviousID)
	}
	var device insight.Identity
	if r.object(fieldContext) {
		if r.object(fieldDevice) {
			device = take(insight.DeviceID, fieldDeviceID)
		}
		e.Identities = r.externalIDs(e.Identities)
	}
	d.readTraits(r, kind, e)
	if len(e.Identities) == 0 {
		if r.err == nil {
			r.err = refused
		}
		return
	}
	switch {
	case anonymous.Kind != 0:
		e.Stream = anonymous
	case device.Kind != 0:
		e.Stream = device
	default:
		e.Stream = e.Identities[0]
	}
}

// relocate gives an error about an identifier the place that it came from.
func relocate(err error, subject string) error {
	if e, ok := err.(*insight.Error); ok { //nolint:errorlint // made by identity just now, never wrapped
		return insight.NewError(e.Kind, subject, e.Message)
	}
	return err
}

// InsertIdentity puts an identity among others, which are strongest first and
// each once, and keeps them so.
func InsertIdentity(identities []insight.Identity, id insight.Identity) []insight.Identity {
	at := len(identities)
	for at > 0 && id.Stronger(identities[at-1]) {
		at--
	}
	if at > 0 && identities[at-1] == id {
		return identities
	}
	identities = append(identities, insight.Identity{})
	copy(identities[at+1:], identities[at:])
	identities[at] = id
	return identities
}

// externalIDs reads context.externalIds: [{"id": …, "type": …}]. One that cannot
// identify anybody is passed over.
func (r *reading) externalIDs(identities []insight.Identity) []insight.Identity {
	if !r.has(fieldExternalIDs) {
		return identities
	}
	list := r.m.fields[fieldExternalIDs]
	if r.data[list.start] != '[' {
		r.refuse(paths[fieldExternalIDs], "expected an array")
		return identities
	}
	n := 0
	scanned(r.data, list, func(_ []byte, element span) {
		path := fmt.Sprintf("%s[%d]", paths[fieldExternalIDs], n)
		if n++; n > MaxExternalIDs {
			r.refuse(paths[fieldExternalIDs], fmt.Sprintf("at most %d external ids are taken", MaxExternalIDs))
			return
		}
		if r.data[element.start] != '{' {
			r.refuse(path, "expected an object")
			return
		}
		var system, id string
		scanned(r.data, element, func(key []byte, value span) {
			target := &id
			switch string(key) {
			case "id":
			case "type":
				target = &system
			default:
				return
			}
			raw := r.data[value.start:value.end]
			if raw[0] == 'n' {
				return
			}
			text, ok := idText(raw)
			if !ok {
				r.refuse(path+"."+string(key), "expected a string or an integer")
			}
			*target = text
		})
		if external, err := identity.NewExternal(system, id); err == nil {
			identities = InsertIdentity(identities, external)
		}
	})
	return identities
}

// readMeasure reads the value and the currency of what happened, by the names of
// Segment's e-commerce specification.
func (r *reading) readMeasure(e *insight.Event) {
	if e.Properties == nil || !r.has(fieldProperties) {
		return
	}
	for _, f := range [...]field{fieldRevenue, fieldTotal, fieldValue} {
		if !r.has(f) {
			continue
		}
		if value, ok := amount(r.raw(f)); ok {
			e.Value = &value
			break
		}
	}
	if r.has(fieldCurrency) && r.raw(fieldCurrency)[0] == '"' {
		e.Currency = Currency(unquote(r.raw(fieldCurrency)))
	}
}

// amount reads a number, or a string that holds one.
func amount(raw []byte) (float64, bool) {
	switch c := raw[0]; {
	case c == '"':
		return Amount(unquote(raw))
	case c == '-' || '0' <= c && c <= '9':
		value, err := strconv.ParseFloat(string(raw), 64)
		return value, err == nil
	}
	return 0, false
}

// Amount reads a number in text: decimal, as JSON writes it, with blanks around
// it and a plus sign allowed. Anything else, and what no finite float holds, is
// not one.
func Amount(text string) (float64, bool) {
	text = strings.TrimPrefix(strings.TrimSpace(text), "+")
	s := scanner{data: []byte(text)}
	if text == "" || !s.number() || s.pos != len(text) || s.fault != faultNone {
		return 0, false
	}
	value, err := strconv.ParseFloat(text, 64)
	return value, err == nil && !math.IsInf(value, 0)
}

// Currency reads an ISO 4217 code: three letters, answered in upper case. It is
// empty for anything else.
func Currency(text string) string {
	text = strings.TrimSpace(text)
	if len(text) != 3 {
		return ""
	}
	for i := range 3 {
		if c := text[i] | 0x20; c < 'a' || c > 'z' {
			return ""
		}
	}
	return strings.ToUpper(text)
}

func (r *reading) readDirection(e *insight.Event) {
	e.Direction = insight.Inbound
	switch strings.ToLower(r.text(fieldDirection)) {
	case "", "inbound":
	case "outbound":
		e.Direction = insight.Outbound
	default:
		r.refuse(paths[fieldDirection], `expected "inbound" or "outbound"`)
	}
}

func (r *reading) readCampaign(e *insight.Event) {
	if !r.object(fieldCampaign) {
		return
	}
	e.Campaign = insight.Campaign{
		Name: r.text(fieldCampaignName), Source: r.text(fieldCampaignSource), Medium: r.text(fieldCampaignMedium),
		Term: r.text(fieldCampaignTerm), Content: r.text(fieldCampaignContent),
	}
}

// channel finds the channel of a message: the one that its context names, else
// the one that its page's campaign and referrer make, else its source's.
func (d *Decoder) channel(ctx context.Context, r *reading, e *insight.Event) (*insight.Channel, error) {
	if r.has(fieldChannel) && r.raw(fieldChannel)[0] == '"' {
		key, err := ChannelKey(unquote(r.raw(fieldChannel)))
		if err != nil {
			return nil, relocate(err, within(r.subject, paths[fieldChannel]))
		}
		return d.Directory.Channel(ctx, key, "")
	}
	if page := r.object(fieldPage); page || !e.Campaign.IsZero() {
		url, referrer := "", ""
		if page {
			url, referrer = r.text(fieldPageURL), r.text(fieldPageReferrer)
		}
		if key, ok := channel.Key(channel.Visit{Campaign: e.Campaign, Referrer: referrer, URL: url}); ok {
			grouped, _ := channel.Default(key)
			return d.Directory.Channel(ctx, key, grouped.Kind)
		}
	}
	return e.Source.DefaultChannel, nil
}

// ChannelKey checks a channel's key as a message or a file gives it: 1 to 100
// characters without control characters, blanks around it cut off. Errors are
// [insight.Invalid] about "channel".
func ChannelKey(text string) (string, error) {
	key := strings.TrimSpace(text)
	switch n := utf8.RuneCountInString(key); {
	case n == 0 || n > MaxChannelLength:
		return "", insight.NewError(insight.Invalid, "channel", fmt.Sprintf("a channel's key has 1 to %d characters", MaxChannelLength))
	case strings.ContainsFunc(key, unicode.IsControl):
		return "", insight.NewError(insight.Invalid, "channel", "it holds a control character")
	}
	return key, nil
}
