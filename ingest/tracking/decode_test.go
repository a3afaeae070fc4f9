package tracking

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/insight"
)

var (
	received = time.Date(2026, 3, 1, 12, 0, 5, 0, time.UTC)
	web      = &insight.Channel{ID: uuid.UUID{1}, Key: "web", Kind: insight.WebChannel}
	shop     = &insight.Source{ID: uuid.UUID{2}, Name: "shop", DefaultChannel: web}
	fromShop = Request{Source: shop, ReceivedAt: received}
)

// channels is a Directory that makes whatever it is asked for.
type channels struct {
	made map[string]insight.ChannelKind
	err  error
}

func (c *channels) Channel(_ context.Context, key string, kind insight.ChannelKind) (*insight.Channel, error) {
	if c.err != nil {
		return nil, c.err
	}
	if c.made == nil {
		c.made = map[string]insight.ChannelKind{}
	}
	c.made[key] = kind
	return &insight.Channel{Key: key, Kind: kind}, nil
}

func newDecoder() *Decoder {
	return &Decoder{Directory: &channels{}, Region: "GB", NewID: func() string { return "made-1" }}
}

func decode(t *testing.T, kind, body string) *insight.Event {
	t.Helper()
	e, err := newDecoder().Message(t.Context(), kind, []byte(body), shop, received, time.Time{}, "")
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return e
}

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return t
}

func TestTrack(t *testing.T) {
	got := decode(t, "track", `{
		"type":"track", "event":"Order Completed", "messageId":"m-1", "userId":"user-1", "anonymousId":"anon-1",
		"timestamp":"2026-03-01T11:00:00Z", "sentAt":"2026-03-01T11:00:02Z", "channel":"server",
		"properties":{"revenue":"19.90", "currency":"eur"}, "integrations":{"All":true}, "_metadata":{"nodeVersion":"v22"},
		"context":{"library":{"name":"x"}, "device":{"id":"device-1"}, "externalIds":[
			{"id":12,"type":"loyalty","collection":"users"}, {"id":"null","type":"crm"}, {"id":null,"type":"crm"}]}}`)
	value := 19.9
	want := &insight.Event{
		MessageID: "m-1", Timestamp: at("2026-03-01T11:00:00Z"), Source: shop, Channel: web,
		Type: "Order Completed", Direction: insight.Inbound,
		OccurredAt: at("2026-03-01T12:00:03Z"), ReceivedAt: received, Value: &value, Currency: "EUR",
		Properties: json.RawMessage(`{"revenue":"19.90", "currency":"eur"}`),
		Identities: []insight.Identity{
			{Kind: insight.UserID, Value: "user-1"}, {Kind: insight.External, Value: "loyalty:12"},
			{Kind: insight.DeviceID, Value: "device-1"}, {Kind: insight.AnonymousID, Value: "anon-1"},
		},
		Stream: insight.Identity{Kind: insight.AnonymousID, Value: "anon-1"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestIdentify(t *testing.T) {
	got := decode(t, "", `{"type":"identify","messageId":"m","userId":42,"context":{"traits":{"plan":"old","city":"Ulm","userId":"42"}},
		"traits":{"email":" Ann@Example.com","phone":"020 7946 0958","plan":"pro","plan":"max","gone":null,"healthStatus":"fine"}}`)
	if want := []insight.Identity{
		{Kind: insight.UserID, Value: "42"}, {Kind: insight.Email, Value: "ann@example.com"}, {Kind: insight.Phone, Value: "+442079460958"},
	}; !slices.Equal(got.Identities, want) {
		t.Errorf("identities %v, want %v", got.Identities, want)
	}
	var traits []string
	for _, o := range got.Traits {
		traits = append(traits, fmt.Sprintf("%s=%s/%d/%d/%v", o.Key, o.Value, o.Provenance, o.Sensitivity, o.Confidence))
	}
	if want := []string{
		`email=" Ann@Example.com"/1/1/1`, `phone="020 7946 0958"/1/1/1`, `plan="max"/1/1/1`, `gone=null/1/1/1`,
		`healthStatus="fine"/1/2/1`, `city="Ulm"/1/1/1`,
	}; !slices.Equal(traits, want) {
		t.Errorf("traits %q\nwant   %q", traits, want)
	}
	if got.Properties != nil || got.Type != "identify" || got.Stream != got.Identities[0] {
		t.Errorf("got properties %s, type %q, stream %v", got.Properties, got.Type, got.Stream)
	}
	if !got.OccurredAt.Equal(received) || !got.Timestamp.IsZero() {
		t.Errorf("without a timestamp it occurred at %v with timestamp %v", got.OccurredAt, got.Timestamp)
	}
}

func TestProperties(t *testing.T) {
	for _, c := range []struct{ kind, body, want string }{
		{"page", `{"anonymousId":"a","name":"Home","category":"Docs","properties":{"path":"/"}}`, `{"path":"/","name":"Home","category":"Docs"}`},
		{"page", `{"anonymousId":"a","name":"Home","properties":{"name":"Start"}}`, `{"name":"Start"}`},
		{"page", `{"anonymousId":"a","name":"H\u00f6me","properties":{ }}`, `{"name":"H\u00f6me"}`},
		{"screen", `{"anonymousId":"a","name":"Home"}`, `{"name":"Home"}`},
		{"screen", `{"anonymousId":"a","properties":null}`, ``},
		{"group", `{"userId":"u","groupId":7}`, `{"groupId":"7"}`},
		{"group", `{"userId":"u","groupId":"g","traits":{"seats":3}}`, `{"groupId":"g","traits":{"seats":3}}`},
		{"alias", `{"userId":"u","previousId":"p"}`, `{"previousId":"p"}`},
		{"identify", `{"userId":"u","traits":{"a":1},"properties":{"x":1}}`, ``},
		{"track", `{"userId":"u","event":"e","properties":{}}`, ``},
		{"track", `{"userId":"u","event":"e","properties":{"a":[1,{"b":null}]}}`, `{"a":[1,{"b":null}]}`},
		{"track", `{"userId":"u","event":"e","properties":{"old":1},"properties":{"new":1}}`, `{"new":1}`},
	} {
		if got := string(decode(t, c.kind, c.body).Properties); got != c.want {
			t.Errorf("%s %s: properties %s, want %s", c.kind, c.body, got, c.want)
		}
	}
}

func TestARepeatedObjectReplacesTheFirst(t *testing.T) {
	got := decode(t, "track", `{"userId":"u","event":"e","properties":{"revenue":5},"properties":{"total":3},
		"context":{"device":{"id":"d"},"direction":"outbound"},"context":{}}`)
	if *got.Value != 3 || len(got.Identities) != 1 || got.Direction != insight.Inbound {
		t.Errorf("value %v, identities %v, direction %v", *got.Value, got.Identities, got.Direction)
	}
}

func TestIdentitiesOfEachKind(t *testing.T) {
	for _, c := range []struct{ body, want, stream string }{
		{`{"type":"alias","userId":"u","previousId":"p"}`, "1:u 6:p", "u"},
		{`{"type":"alias","userId":"u","previousId":"p","anonymousId":"p"}`, "1:u 6:p", "p"},
		{`{"type":"alias","userId":"u","previousId":"u"}`, "1:u", "u"},
		{`{"type":"page","userId":null,"anonymousId":"a"}`, "6:a", "a"},
		{`{"type":"page","userId":"undefined","anonymousId":"a"}`, "6:a", "a"},
		{`{"type":"page","userId":"u","anonymousId":"null"}`, "1:u", "u"},
		{`{"type":"page","userId":"","anonymousId":"00000000-0000-0000-0000-000000000000","context":{"device":{"id":"d"}}}`, "5:d", "d"},
		{`{"type":"page","userId":"u","context":{"device":{"id":"d"}}}`, "1:u 5:d", "d"},
		{`{"type":"page","userId":12345678901234567890}`, "1:12345678901234567890", "12345678901234567890"},
		{`{"type":"page","us\u0065rId":"\u00fc"}`, "1:ü", "ü"},
		{`{"type":"page","anonymousId":"a","context":{"traits":{"email":"A@b.example","phone":"none"}}}`, "2:a@b.example 6:a", "a"},
		{`{"type":"page","userId":"0"}`, "1:0", "0"},
	} {
		e := decode(t, "", c.body)
		var got []string
		for _, id := range e.Identities {
			got = append(got, fmt.Sprintf("%d:%s", id.Kind, id.Value))
		}
		if strings.Join(got, " ") != c.want || e.Stream.Value != c.stream {
			t.Errorf("%s: %q along %q, want %q along %q", c.body, got, e.Stream.Value, c.want, c.stream)
		}
	}
}

func TestOccurredAt(t *testing.T) {
	for _, c := range []struct{ name, times, batch, want string }{
		{"nothing", ``, "", "2026-03-01T12:00:05Z"},
		{"timestamp alone", `"timestamp":"2026-02-01T00:00:00.123456789+01:00"`, "", "2026-01-31T23:00:00.123456Z"},
		{"zone without colon", `"timestamp":"2026-02-01T00:00:00+0100"`, "", "2026-01-31T23:00:00Z"},
		{"clock behind", `"timestamp":"1970-01-01T00:00:10Z","sentAt":"1970-01-01T00:00:15Z"`, "", "2026-03-01T12:00:00Z"},
		{"clock ahead", `"timestamp":"2030-01-01T00:00:10Z","sentAt":"2030-01-01T00:00:15Z"`, "", "2026-03-01T12:00:00Z"},
		{"batch's sentAt", `"timestamp":"1970-01-01T00:00:10Z"`, "1970-01-01T00:00:15Z", "2026-03-01T12:00:00Z"},
		{"own sentAt first", `"timestamp":"1970-01-01T00:00:10Z","sentAt":"1970-01-01T00:00:11Z"`, "1970-01-01T00:00:15Z", "2026-03-01T12:00:04Z"},
		{"future", `"timestamp":"2030-01-01T00:00:00Z"`, "", "2026-03-01T12:00:05Z"},
		{"future after correction", `"timestamp":"2026-03-01T12:00:09Z","sentAt":"2026-03-01T12:00:05Z"`, "", "2026-03-01T12:00:05Z"},
		{"no clock", `"timestamp":"2026-02-01T00:00:00Z","sentAt":"0002-01-01T00:00:00Z"`, "", "2026-02-01T00:00:00Z"},
		{"corrected on its way", `"timestamp":"2026-02-01T00:00:00Z","originalTimestamp":"2026-02-01T00:00:07Z","sentAt":"2026-02-01T00:00:08Z"`, "", "2026-02-01T00:00:00Z"},
		{"original alone", `"originalTimestamp":"2026-03-01T12:00:01Z","sentAt":"2026-03-01T12:00:03Z"`, "", "2026-03-01T12:00:03Z"},
	} {
		var batchSentAt time.Time
		if c.batch != "" {
			batchSentAt = at(c.batch)
		}
		body := `{"userId":"u","messageId":"m",` + c.times + `}`
		body = strings.Replace(body, ",}", "}", 1)
		e, err := newDecoder().Message(t.Context(), "page", []byte(body), shop, received, batchSentAt, "")
		if err != nil || !e.OccurredAt.Equal(at(c.want)) {
			t.Errorf("%s: %v, %v; want %s", c.name, e, err, c.want)
		}
	}
}

func TestAnArchiveIsNotShiftedToNow(t *testing.T) {
	d := newDecoder()
	d.Archive = true
	for _, c := range []struct{ times, want string }{
		{`"timestamp":"2020-01-01T00:00:00Z","sentAt":"2020-01-01T00:00:05Z"`, "2020-01-01T00:00:00Z"},
		{`"timestamp":"2020-01-01T00:00:00Z","sentAt":"2020-01-01T00:00:05Z","receivedAt":"2020-01-01T00:01:05Z"`, "2020-01-01T00:01:00Z"},
	} {
		e, err := d.Message(t.Context(), "page", []byte(`{"userId":"u",`+c.times+`}`), shop, received, time.Time{}, "")
		if err != nil || !e.OccurredAt.Equal(at(c.want)) || !e.ReceivedAt.Equal(received) {
			t.Errorf("%s: %v, %v; want %s", c.times, e, err, c.want)
		}
	}
}

func TestARetryIsTheSameInteraction(t *testing.T) {
	first := decode(t, "track", `{"event":"e","userId":"u","timestamp":"2026-03-01T11:00:00Z","sentAt":"2026-03-01T11:00:02Z","_metadata":{"retryCount":1}}`)
	for _, body := range []string{
		`{"event":"e","userId":"u","timestamp":"2026-03-01T11:00:00Z","sentAt":"2026-03-01T11:30:02Z","_metadata":{"retryCount":2}}`,
		`{"writeKey":"k","timestamp":"2026-03-01T11:00:00Z", "type":"track","event":"\u0065","userId":"u"}`,
	} {
		if retry := decode(t, "track", body); retry.ID() != first.ID() || !strings.HasPrefix(retry.MessageID, "content-") {
			t.Errorf("%s: %s is not %s", body, retry.MessageID, first.MessageID)
		}
	}
	for _, body := range []string{
		`{"event":"f","userId":"u","timestamp":"2026-03-01T11:00:00Z"}`,
		`{"event":"e","userId":"u","timestamp":"2026-03-01T11:00:01Z"}`,
	} {
		if other := decode(t, "track", body); other.ID() == first.ID() {
			t.Errorf("%s is taken for another event", body)
		}
	}
	if e := decode(t, "track", `{"event":"e","userId":"u"}`); e.MessageID != "made-1" {
		t.Errorf("without id and timestamp the id is %q", e.MessageID)
	}
}

func TestValueAndCurrency(t *testing.T) {
	for _, c := range []struct{ properties, want string }{
		{`{"revenue":1.5,"total":2,"value":3,"currency":"USD"}`, "1.5 USD"},
		{`{"total":2,"value":3,"currency":"dollars"}`, "2 "},
		{`{"revenue":"free","total":null,"value":"3e2","currency":7}`, "300 "},
		{`{"revenue":-4,"currency":"€"}`, "-4 "},
		{`{"revenue":"0x10","value":" 7 "}`, "7 "},
		{`{"revenue":"Inf","total":"NaN","value":"1_000"}`, "none "},
		{`{"revenue":{"amount":1}}`, "none "},
		{`{"nested":{"revenue":1}}`, "none "},
	} {
		e := decode(t, "track", `{"event":"e","userId":"u","properties":`+c.properties+`}`)
		got := "none"
		if e.Value != nil {
			got = fmt.Sprint(*e.Value)
		}
		if got += " " + e.Currency; got != c.want {
			t.Errorf("%s: %q, want %q", c.properties, got, c.want)
		}
	}
}

func TestChannelDirectionAndCampaign(t *testing.T) {
	for _, c := range []struct{ context, want string }{
		{`{}`, "web"},
		{`null`, "web"},
		{`{"channel":" direct_mail Type A "}`, "direct_mail Type A"},
		{`{"channel":{"id":1}}`, "web"},
		{`{"page":{"url":"https://shop.example/","referrer":"https://www.google.com/"}}`, "organic_search"},
		{`{"page":{"url":"https://shop.example/","referrer":""}}`, "direct"},
		{`{"page":{"url":"https://shop.example/b","referrer":"https://shop.example/a"}}`, "web"},
		{`{"campaign":{"source":"newsletter","medium":"email"}}`, "email"},
		{`{"campaign":{"source":"newsletter","medium":"email"},"channel":"store"}`, "store"},
		{`{"campaign":{},"page":null}`, "web"},
	} {
		e := decode(t, "track", `{"event":"e","userId":"u","channel":"server","context":`+c.context+`}`)
		if e.Channel.Key != c.want {
			t.Errorf("%s: channel %q, want %q", c.context, e.Channel.Key, c.want)
		}
	}
	d := newDecoder()
	if _, err := d.Message(t.Context(), "page", []byte(`{"userId":"u","context":{"campaign":{"source":"n","medium":"email"}}}`), shop, received, time.Time{}, ""); err != nil {
		t.Fatal(err)
	}
	if kind := d.Directory.(*channels).made["email"]; kind != insight.EmailChannel {
		t.Errorf("the channel email would be made as %q", kind)
	}
	e := decode(t, "track", `{"event":"e","userId":"u","context":{"direction":"Outbound","campaign":{"name":"n","source":"s","medium":"m","term":"t","content":"c","id":7}}}`)
	if e.Direction != insight.Outbound || e.Campaign != (insight.Campaign{Name: "n", Source: "s", Medium: "m", Term: "t", Content: "c"}) {
		t.Errorf("direction %d, campaign %+v", e.Direction, e.Campaign)
	}
}

// secret stands for personal data in the bad input below: no error may hold it.
const secret = "SECRET"

func deep(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }

var badMessages = []struct{ name, kind, body, want string }{
	{"no body", "track", ``, "body: malformed JSON at byte 0"},
	{"not JSON", "track", `SECRET`, "body: malformed JSON at byte 0"},
	{"cut off", "track", `{"userId":"SECRET`, "body: malformed JSON at byte 17"},
	{"two values", "track", `{} {}`, "body: malformed JSON at byte 3"},
	{"trailing comma", "track", `{"userId":"u",}`, "body: malformed JSON at byte 14"},
	{"leading zero", "track", `{"userId":007}`, "body: malformed JSON at byte 11"},
	{"raw newline in a string", "track", "{\"userId\":\"a\nb\"}", "body: malformed JSON at byte 12"},
	{"bad escape", "track", `{"userId":"\x"}`, "body: malformed JSON at byte 11"},
	{"an array", "track", `["SECRET"]`, "body: expected a message"},
	{"a string", "track", `"SECRET"`, "body: expected a message"},
	{"null", "track", `null`, "body: expected a message"},
	{"no kind", "", `{"userId":"u"}`, "type: expected identify, track"},
	{"unknown kind", "", `{"type":"SECRET","userId":"u"}`, "type: expected identify, track"},
	{"type is a number", "", `{"type":7,"userId":"u"}`, "type: expected a string"},
	{"no ids", "track", `{"event":"e"}`, "userId: a message needs a userId or an anonymousId"},
	{"null ids", "track", `{"event":"e","userId":null,"anonymousId":null}`, "userId: a message needs a userId or an anonymousId"},
	{"only a placeholder", "track", `{"event":"e","userId":"null"}`, "userId: it is empty or a placeholder"},
	{"only placeholders", "track", `{"event":"e","userId":"","anonymousId":"undefined"}`, "userId: it is empty or a placeholder"},
	{"id with a fraction", "track", `{"event":"e","userId":1.5}`, "userId: expected a string or an integer"},
	{"id is an object", "track", `{"event":"e","userId":{"SECRET":1}}`, "userId: expected a string or an integer"},
	{"id is a boolean", "track", `{"event":"e","userId":"u","anonymousId":true}`, "anonymousId: expected a string or an integer"},
	{"id too long", "track", `{"event":"e","userId":"` + strings.Repeat("x", 256) + `"}`, "userId: it is longer than 255 bytes"},
	{"id with a control character", "track", `{"event":"e","userId":"a\u0007"}`, "userId: it holds a control character"},
	{"no event", "track", `{"userId":"u"}`, "event: a track message needs the name of its event"},
	{"blank event", "track", `{"userId":"u","event":" "}`, "event: a track message needs the name of its event"},
	{"event is a number", "track", `{"userId":"u","event":1}`, "event: expected a string"},
	{"event too long", "track", `{"userId":"u","event":"` + strings.Repeat("é", 256) + `"}`, "event: an event's name may have 255"},
	{"group without id", "group", `{"userId":"u"}`, "groupId: a group message needs"},
	{"alias without previousId", "alias", `{"userId":"u"}`, "previousId: an alias message needs"},
	{"alias without userId", "alias", `{"previousId":"u","anonymousId":"a"}`, "previousId: an alias message needs"},
	{"messageId too long", "track", `{"userId":"u","event":"e","messageId":"` + strings.Repeat("x", 100) + `"}`, "messageId: a message id has 1 to 99 characters"},
	{"messageId empty", "track", `{"userId":"u","event":"e","messageId":""}`, "messageId: a message id has 1 to 99 characters"},
	{"messageId is a number", "track", `{"userId":"u","event":"e","messageId":7}`, "messageId: expected a string"},
	{"messageId with a control character", "track", `{"userId":"u","event":"e","messageId":"a\u001fb"}`, "messageId: it holds a control character"},
	{"year 0", "track", `{"userId":"u","event":"e","timestamp":"0000-01-01T00:00:00Z"}`, "timestamp: the year 0 is outside 1 to 9998"},
	{"year 9999", "track", `{"userId":"u","event":"e","timestamp":"9999-12-31T23:59:59Z"}`, "timestamp: the year 9999 is outside 1 to 9998"},
	{"unset clock", "track", `{"userId":"u","event":"e","timestamp":"0001-01-01T00:00:00Z"}`, "timestamp: the first moment of the year 1"},
	{"before the year 1 after correction", "track", `{"userId":"u","event":"e","timestamp":"0001-06-01T00:00:00Z","sentAt":"2096-03-01T12:00:05Z"}`, "timestamp: the year -69 is outside 1 to 9998"},
	{"a date", "track", `{"userId":"u","event":"e","timestamp":"2026-03-01"}`, "timestamp: expected a time as RFC 3339"},
	{"no zone", "track", `{"userId":"u","event":"e","timestamp":"2026-03-01T00:00:00"}`, "timestamp: expected a time as RFC 3339"},
	{"a number as time", "track", `{"userId":"u","event":"e","timestamp":1767225600000}`, "timestamp: expected a time as RFC 3339"},
	{"garbage as time", "track", `{"userId":"u","event":"e","sentAt":"SECRET"}`, "sentAt: expected a time as RFC 3339"},
	{"30 February", "track", `{"userId":"u","event":"e","originalTimestamp":"2026-02-30T00:00:00Z"}`, "originalTimestamp: expected a time as RFC 3339"},
	{"NUL", "track", `{"userId":"u","event":"e","properties":{"a":[{"b":"\u0000"}]}}`, "properties.a[0].b: it holds the character NUL"},
	{"raw NUL", "track", "{\"userId\":\"u\x00\",\"event\":\"e\"}", "userId: it holds the character NUL"},
	{"NUL in a key", "track", `{"userId":"u","event":"e","properties":{"\u0000":1}}`, "properties: it holds the character NUL"},
	{"NUL in an unknown field", "track", `{"userId":"u","event":"e","x":["y","\u0000"]}`, "x[1]: it holds the character NUL"},
	{"invalid UTF-8", "track", "{\"userId\":\"u\",\"event\":\"\xc3\x28\"}", "event: it is not valid UTF-8"},
	{"half a surrogate pair", "track", `{"userId":"u","event":"\ud83d"}`, "event: it holds half of a surrogate pair"},
	{"second half first", "track", `{"userId":"u","event":"\udc00\ud83d"}`, "event: it holds half of a surrogate pair"},
	{"a private key", "track", `{"userId":"u","event":"e","properties":{"SECRET@example.com":"\u0000"}}`, "properties.?: it holds the character NUL"},
	{"65 deep", "track", `{"userId":"u","event":"e","properties":` + deep(64) + `}`, "properties.a.a.a.a.a.a.a…: objects and arrays lie more than 64 deep"},
	{"10,000 deep", "track", `{"userId":"u","event":"e","x":` + strings.Repeat("[", 10000) + strings.Repeat("]", 10000) + `}`, "x[0][0][0][0][0][0][0]…: objects and arrays lie more than 64 deep"},
	{"10,000 deep and open", "track", strings.Repeat(`{"a":`, 6000), "body: malformed JSON at byte 30000"},
	{"number past float64", "track", `{"userId":"u","event":"e","properties":{"total":1e400}}`, "properties.total: the number is outside what a 64-bit float holds"},
	{"number below float64", "track", `{"userId":"u","event":"e","properties":{"total":[-1e-400]}}`, "properties.total[0]: the number is outside what a 64-bit float holds"},
	{"exponent without bound", "track", `{"userId":"u","event":"e","properties":{"total":0e99999}}`, "properties.total: the number is outside what a 64-bit float holds"},
	{"four hundred digits", "track", `{"userId":"u","event":"e","properties":{"total":` + strings.Repeat("9", 400) + `}}`, "properties.total: the number is outside what a 64-bit float holds"},
	{"endless decimals", "track", `{"userId":"u","event":"e","properties":{"total":0.` + strings.Repeat("1", 1100) + `}}`, "properties.total: the number is outside what a 64-bit float holds"},
	{"properties are an array", "track", `{"userId":"u","event":"e","properties":["SECRET"]}`, "properties: expected an object"},
	{"properties are a string", "page", `{"userId":"u","properties":"SECRET"}`, "properties: expected an object"},
	{"traits are a string", "identify", `{"userId":"u","traits":"SECRET"}`, "traits: expected an object"},
	{"group traits are a string", "group", `{"userId":"u","groupId":"g","traits":"SECRET"}`, "traits: expected an object"},
	{"page name is a number", "page", `{"userId":"u","name":1}`, "name: expected a string"},
	{"context is a string", "track", `{"userId":"u","event":"e","context":"SECRET"}`, "context: expected an object"},
	{"context traits are an array", "track", `{"userId":"u","event":"e","context":{"traits":[]}}`, "context.traits: expected an object"},
	{"campaign is a string", "track", `{"userId":"u","event":"e","context":{"campaign":"SECRET"}}`, "context.campaign: expected an object"},
	{"campaign source is a number", "track", `{"userId":"u","event":"e","context":{"campaign":{"source":1}}}`, "context.campaign.source: expected a string"},
	{"page is a string", "track", `{"userId":"u","event":"e","context":{"page":"SECRET"}}`, "context.page: expected an object"},
	{"page url is a number", "track", `{"userId":"u","event":"e","context":{"page":{"url":1}}}`, "context.page.url: expected a string"},
	{"device is a string", "track", `{"userId":"u","event":"e","context":{"device":"SECRET"}}`, "context.device: expected an object"},
	{"external ids are an object", "track", `{"userId":"u","event":"e","context":{"externalIds":{}}}`, "context.externalIds: expected an array"},
	{"external id is a string", "track", `{"userId":"u","event":"e","context":{"externalIds":["SECRET"]}}`, "context.externalIds[0]: expected an object"},
	{"external id's id is a list", "track", `{"userId":"u","event":"e","context":{"externalIds":[{"id":[],"type":"x"}]}}`, "context.externalIds[0].id: expected a string or an integer"},
	{"too many external ids", "track", `{"userId":"u","event":"e","context":{"externalIds":[` + strings.Repeat("{},", 50) + `{}]}}`, "context.externalIds: at most 50"},
	{"unknown direction", "track", `{"userId":"u","event":"e","context":{"direction":"SECRET"}}`, `context.direction: expected "inbound" or "outbound"`},
	{"direction is a number", "track", `{"userId":"u","event":"e","context":{"direction":1}}`, `context.direction: expected a string`},
	{"channel is empty", "track", `{"userId":"u","event":"e","context":{"channel":""}}`, `context.channel: a channel's key has 1 to 100 characters`},
	{"channel too long", "track", `{"userId":"u","event":"e","context":{"channel":"` + strings.Repeat("x", 101) + `"}}`, `context.channel: a channel's key has 1 to 100 characters`},
	{"channel with a control character", "track", `{"userId":"u","event":"e","context":{"channel":"a\nb"}}`, `context.channel: it holds a control character`},
	{"empty trait key", "identify", `{"userId":"u","traits":{"":1}}`, "traits: a trait's key has 1 to 200 bytes"},
	{"long trait key", "identify", `{"userId":"u","traits":{"` + strings.Repeat("x", 201) + `":1}}`, "traits: a trait's key has 1 to 200 bytes"},
	{"too many traits", "identify", `{"userId":"u","traits":` + manyTraits(201) + `}`, "traits: a message may carry 200 traits at most"},
	{"over 32 KB", "track", `{"userId":"u","event":"e","x":"` + strings.Repeat("x", 32*1024) + `"}`, "a message may be 32 KB at most"},
}

func manyTraits(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"k%d":%d`, i, i)
	}
	return "{" + b.String()[1:] + "}"
}

func TestBadMessages(t *testing.T) {
	for _, c := range badMessages {
		e, err := newDecoder().Message(t.Context(), c.kind, []byte(c.body), shop, received, time.Time{}, "")
		if err == nil {
			t.Errorf("%s: taken as %+v", c.name, e)
			continue
		}
		if kind := insight.KindOf(err); kind != insight.Invalid && kind != insight.Exhausted {
			t.Errorf("%s: the error's kind is %v", c.name, kind)
		}
		if !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %q, want %q", c.name, err, c.want)
		}
		if strings.Contains(insight.Detail(err), secret) {
			t.Errorf("%s: the error repeats the input: %s", c.name, insight.Detail(err))
		}
	}
}

func TestABadMessageDisturbsNoOther(t *testing.T) {
	good := `{"type":"page","messageId":"good","userId":"u"}`
	for _, c := range badMessages {
		if c.kind == "" || strings.HasPrefix(c.want, "body: malformed") || c.body[0] != '{' {
			continue
		}
		body := `{"batch":[` + good + `,{"type":"` + c.kind + `",` + c.body[1:] + `,` + good + `],"sentAt":"2026-03-01T12:00:05Z"}`
		if len(body) > MaxBatchSize {
			t.Fatalf("%s: the test's batch is too large", c.name)
		}
		b, err := newDecoder().Batch(t.Context(), []byte(body), fromShop)
		if err != nil || len(b.Messages) != 3 {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if b.Messages[0].Err != nil || b.Messages[2].Err != nil || b.Messages[2].Event.MessageID != "good" {
			t.Errorf("%s: disturbed the others: %v, %v", c.name, b.Messages[0].Err, b.Messages[2].Err)
		}
		if err := b.Messages[1].Err; err == nil || !strings.HasPrefix(err.Error(), "batch[1]") || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: in a batch the error is %v", c.name, err)
		}
		if events := b.Events(); !slices.Equal(events, []*insight.Event{b.Messages[0].Event, b.Messages[2].Event}) {
			t.Errorf("%s: %d events", c.name, len(events))
		}
	}
}

func TestBatch(t *testing.T) {
	b, err := newDecoder().Batch(t.Context(), []byte(` {"writeKey":"k","context":{"direction":"outbound","device":{"id":"d"},"campaign":{"source":"newsletter","medium":"email"}},
		"batch":[{"type":"track","event":"e","userId":"u","messageId":"m1","timestamp":"1970-01-01T00:00:00Z"},
			{"type":"page","userId":"u","messageId":"m2","context":{"direction":"inbound","campaign":{"name":"own"},"device":null}},
			7, {"type":"page","messageId":"m3"}],
		"sentAt":"1970-01-01T00:00:01Z"} `), fromShop)
	if err != nil || len(b.Messages) != 4 {
		t.Fatal(b, err)
	}
	first, second := b.Messages[0].Event, b.Messages[1].Event
	if first.Direction != insight.Outbound || first.Channel.Key != "email" || len(first.Identities) != 2 {
		t.Errorf("the first does not have the batch's context: %+v", first)
	}
	if !first.OccurredAt.Equal(received.Add(-time.Second)) {
		t.Errorf("the first is not corrected by the batch's sentAt: %v", first.OccurredAt)
	}
	if second.Direction != insight.Inbound || second.Campaign != (insight.Campaign{Name: "own"}) || len(second.Identities) != 2 {
		t.Errorf("the second does not have its own context: %+v", second)
	}
	if err := b.Messages[2].Err; err == nil || err.Error() != "batch[2]: expected a message, which is a JSON object" {
		t.Errorf("the third: %v", err)
	}
	if m := b.Messages[3]; m.Err == nil || m.MessageID != "m3" {
		t.Errorf("the fourth: %+v", m)
	}
}

func TestBadBatches(t *testing.T) {
	for _, c := range []struct {
		name, body, want string
		kind             insight.Kind
	}{
		{"empty", ``, "body: malformed JSON at byte 0", insight.Invalid},
		{"array", `[]`, "body: malformed JSON at byte 0", insight.Invalid},
		{"cut off", `{"batch":[{"type":"page"`, "body: malformed JSON at byte 24", insight.Invalid},
		{"no batch", `{}`, "batch: expected an array of messages", insight.Invalid},
		{"batch is an object", `{"batch":{"SECRET":1}}`, "batch: expected an array of messages", insight.Invalid},
		{"sentAt is no time", `{"batch":[],"sentAt":"SECRET"}`, "sentAt: expected a time as RFC 3339", insight.Invalid},
		{"context is no object", `{"batch":[],"context":"SECRET"}`, "context: expected an object", insight.Invalid},
		{"NUL beside the messages", `{"batch":[],"context":{"x":"\u0000"}}`, "body.context.x: it holds the character NUL", insight.Invalid},
		{"too many", `{"batch":[` + strings.Repeat("{},", 2500) + `{}]}`, "batch: a batch may hold 2500 messages at most", insight.Exhausted},
		{"too large", `{"batch":[]` + strings.Repeat(" ", 500*1024) + `}`, "body: a batch may be 500 KB at most", insight.Exhausted},
	} {
		_, err := newDecoder().Batch(t.Context(), []byte(c.body), fromShop)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || insight.KindOf(err) != c.kind || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if b, err := newDecoder().Batch(t.Context(), []byte(`{"batch":[`+strings.Repeat("{},", 2499)+`{}]}`), fromShop); err != nil || len(b.Messages) != 2500 {
		t.Errorf("2,500 messages: %v", err)
	}
}

func TestAnUnavailableDirectoryFailsTheWholeBatch(t *testing.T) {
	away := insight.NewError(insight.Unavailable, "", "the database is away")
	d := newDecoder()
	d.Directory = &channels{err: away}
	_, err := d.Batch(t.Context(), []byte(`{"batch":[{"type":"page","userId":"u","context":{"channel":"x"}}]}`), fromShop)
	if !errors.Is(err, away) {
		t.Errorf("got %v", err)
	}
}

func TestWriteKey(t *testing.T) {
	for body, want := range map[string]string{
		`{"batch":[{"writeKey":"inner"}],"writeKey":"k"}`: "k",
		`{"writeKey":"\u006b"}`:                           "k",
		`{"writeKey":7}`:                                  "",
		`{}`:                                              "",
	} {
		if got, err := WriteKey([]byte(body)); err != nil || got != want {
			t.Errorf("%s: %q, %v", body, got, err)
		}
	}
	if _, err := WriteKey([]byte(`{"writeKey":"SECRET`)); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("malformed: %v", err)
	}
}

func TestSensitivity(t *testing.T) {
	extra := map[string]bool{"favourite_team": true}
	for _, key := range []string{
		"ethnicity", "sexualOrientation", "sexual_orientation", "Sexual Orientation", "tradeUnion", "trade-union-member",
		"HIVStatus", "healthCondition", "primary.religion", "politicalViews", "biometricHash", "bloodType", "favouriteTeam", "favourite_team",
	} {
		if SensitivityOf(key, extra) != insight.Sensitive {
			t.Errorf("%q is not sensitive (words %q)", key, keyWords(key))
		}
	}
	for _, key := range []string{"email", "plan", "city", "healthy_snacks_club", "embrace", "unionTown", "team", "interface", "", "age"} {
		if SensitivityOf(key, extra) != insight.Ordinary {
			t.Errorf("%q is sensitive", key)
		}
	}
}

// What a message says does not depend on how its JSON is laid out.
func TestLayoutDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a-zA-Z0-9 é😀"\\/<&]{1,20}`)
		message := map[string]any{
			"type": "track", "messageId": "m", "event": "e" + text.Draw(t, "event"), "userId": "u" + text.Draw(t, "userId"),
			"timestamp":  rapid.SampledFrom([]string{"2026-02-01T00:00:00Z", "2026-02-01T01:00:00+01:00"}).Draw(t, "timestamp"),
			"properties": map[string]any{"revenue": rapid.Float64Range(-1e9, 1e9).Draw(t, "revenue"), "x": text.Draw(t, "x")},
			"context":    map[string]any{"device": map[string]any{"id": "d" + text.Draw(t, "device")}, "traits": map[string]any{text.Draw(t, "key") + "k": 1}},
		}
		compact, err := json.Marshal(message)
		if err != nil {
			t.Fatal(err)
		}
		spread, err := json.MarshalIndent(message, " ", "\t")
		if err != nil {
			t.Fatal(err)
		}
		one, err := newDecoder().Message(context.Background(), "", compact, shop, received, time.Time{}, "")
		if err != nil {
			t.Fatal(err)
		}
		two, err := newDecoder().Message(context.Background(), "", spread, shop, received, time.Time{}, "")
		if err != nil {
			t.Fatal(err)
		}
		var left, right any
		if json.Unmarshal(one.Properties, &left) != nil || json.Unmarshal(two.Properties, &right) != nil || !cmp.Equal(left, right) {
			t.Fatalf("properties %s and %s", one.Properties, two.Properties)
		}
		one.Properties, two.Properties = nil, nil
		if diff := cmp.Diff(one, two); diff != "" {
			t.Fatal(diff)
		}
		if one.Type != message["event"] || one.Identities[0].Value != strings.TrimSpace(message["userId"].(string)) || *one.Value != message["properties"].(map[string]any)["revenue"] {
			t.Fatalf("%+v is not what was sent", one)
		}
	})
}
