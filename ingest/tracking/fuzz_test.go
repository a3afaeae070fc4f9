package tracking

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/acquaint/acquaint/insight"
)

// FuzzScanner holds the scanner against encoding/json: what one calls JSON the
// other does, and the spans that it notes are the values that encoding/json
// finds there.
func FuzzScanner(f *testing.F) {
	for _, c := range badMessages {
		f.Add([]byte(c.body))
	}
	f.Add([]byte(`{"type":"track","context":{"page":{"url":"u"},"device":{"id":1}},"properties":{"revenue":1.5e3}}`))
	f.Add([]byte(`{"context":{"consent":{"gpc":true},"consent":null},"userId":"u"}`))
	f.Add([]byte(`{"context":{"campaign":{"name":"\ud83d\ude00"}},"context":{"campaign":null}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := scanner{data: data}
		var m message
		s.space()
		ok := scanMessage(&s, &m)
		s.space()
		ok = ok && s.pos == len(data)
		valid := json.Valid(data)
		if ok && !valid && m.fault == faultNone {
			t.Fatal("taken, though it is not JSON")
		}
		if !ok && valid {
			t.Fatalf("refused at byte %d, though it is JSON", s.pos)
		}
		if ok && m.fault != faultNone {
			_ = pathTo(data, m.where, m.faultAt)
		}
		if !ok || m.fault != faultNone {
			return
		}
		if !utf8.Valid(data) || bytes.Contains(data, []byte(`\u0000`)) && !bytes.Contains(data, []byte(`\\u0000`)) {
			t.Fatal("invalid text is taken")
		}
		var tree any
		if err := json.Unmarshal(data, &tree); err != nil {
			t.Fatalf("taken, though encoding/json says %v", err)
		}
		if _, object := tree.(map[string]any); !object {
			return
		}
		for i, path := range paths {
			if path == "" || !m.fields[i].given() {
				continue
			}
			if !json.Valid(data[m.fields[i].start:m.fields[i].end]) {
				t.Fatalf("%s is noted where no value is", path)
			}
		}
		for _, name := range []field{fieldUserID, fieldEvent, fieldTraits, fieldProperties} {
			// encoding/json with a map keeps the last of repeated members too, but a
			// null after a value stays null in both.
			want, given := tree.(map[string]any)[paths[name]]
			if given && want != nil != m.fields[name].given() {
				t.Fatalf("%s: given is %v", paths[name], m.fields[name].given())
			}
			if want == nil {
				continue
			}
			var got any
			raw := data[m.fields[name].start:m.fields[name].end]
			if json.Unmarshal(raw, &got) != nil || !sameJSON(got, want) {
				t.Fatalf("%s is %s", paths[name], raw)
			}
			if text, isText := want.(string); isText && unquote(raw) != text {
				t.Fatalf("%s reads %q", paths[name], unquote(raw))
			}
		}
	})
}

func sameJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// FuzzDecoder holds what every event must be, whatever is sent.
func FuzzDecoder(f *testing.F) {
	for _, c := range badMessages {
		f.Add([]byte(c.body))
		f.Add([]byte(`{"batch":[` + c.body + `]}`))
	}
	f.Add([]byte(`{"batch":[{"type":"identify","userId":"u","traits":{"email":"a@b.example","religion":"x"}}],"sentAt":"2026-01-01T00:00:00Z"}`))
	f.Add([]byte(`{"userId":"u","context":{"page":{"url":"http://[::1","referrer":"%"},"campaign":{"source":"s"}}}`))
	for _, consent := range []string{
		`7`, `{}`, `{"categoryPreferences":{"C0001":true,"C0002":false}}`, `{"categoryPreferences":{"a.b@c":1}}`, `{"ad_storage":"granted","consentMode":{"x":"denied"}}`,
		`{"tcString":"` + euString + `"}`, `{"tcString":"C"}`, `{"gppString":"DBABh4A~BlgWEYCY.QA~BSFgmiU"}`, `{"gpp":"DBAA","gpc":true}`,
	} {
		message := `{"type":"page","userId":"u","context":{"consent":` + consent + `}}`
		f.Add([]byte(message))
		f.Add([]byte(`{"batch":[` + message + `,{"type":"page","userId":"u"}],"context":{"consent":` + consent + `}}`))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		d := newDecoder()
		for _, kind := range []string{"", "identify", "track", "page", "group", "alias"} {
			checkDecoded(t, d.Single(context.Background(), kind, body, fromShop), false)
		}
		gpc := fromShop
		gpc.GPC = true
		b, err := d.Batch(context.Background(), body, gpc)
		if err != nil {
			checkDecoded(t, Decoded{Err: err}, true)
			return
		}
		for _, m := range b.Messages {
			checkDecoded(t, m, true)
		}
	})
}

func checkDecoded(t *testing.T, m Decoded, gpc bool) {
	t.Helper()
	if m.Err != nil {
		if kind := insight.KindOf(m.Err); kind != insight.Invalid && kind != insight.Exhausted {
			t.Fatalf("the error %v is of kind %v", m.Err, kind)
		}
		if m.Event != nil || m.Consent != nil {
			t.Fatalf("a message that is refused has %+v and %v", m.Event, m.Consent)
		}
		return
	}
	checkEvent(t, m.Event)
	said := m.Event.Signals
	if said != nil && said.IsZero() || gpc && (said == nil || !said.GPC) {
		t.Fatalf("signals %+v", said)
	}
	if m.Consent == nil {
		return
	}
	var wrong *insight.Error
	if !errors.As(m.Consent, &wrong) || wrong.Kind != insight.Invalid || !strings.Contains(wrong.Subject, "context.consent") || !utf8.ValidString(wrong.Error()) {
		t.Fatalf("the warning is %v", m.Consent)
	}
	if only := (&insight.Signals{GPC: true}); said != nil && !cmp.Equal(said, only) {
		t.Fatalf("of consent that cannot be read %+v is taken", said)
	}
}

func checkEvent(t *testing.T, e *insight.Event) {
	t.Helper()
	if n := utf8.RuneCountInString(e.MessageID); n == 0 || n > MaxMessageIDLength {
		t.Fatalf("message id of %d characters", n)
	}
	if len(e.Identities) == 0 || e.Stream.Kind == 0 {
		t.Fatal("an event of nobody")
	}
	for i := 1; i < len(e.Identities); i++ {
		if !e.Identities[i-1].Stronger(e.Identities[i]) {
			t.Fatalf("identities out of order: %v", e.Identities)
		}
	}
	if e.OccurredAt.After(e.ReceivedAt) || insight.CheckTime("", e.OccurredAt) != nil || !e.OccurredAt.Equal(insight.Moment(e.OccurredAt)) {
		t.Fatalf("occurred at %v", e.OccurredAt)
	}
	texts := []string{e.Type, e.MessageID, e.Campaign.Name, e.Campaign.Source, string(e.Properties)}
	for _, o := range e.Traits {
		texts = append(texts, o.Key)
		if !json.Valid(o.Value) {
			t.Fatalf("trait %q", o.Value)
		}
	}
	for _, text := range texts {
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			t.Fatalf("text %q", text)
		}
	}
	if e.Properties != nil {
		var object map[string]any
		if err := json.Unmarshal(e.Properties, &object); err != nil || object == nil {
			t.Fatalf("properties %s: %v", e.Properties, err)
		}
	}
	if e.Channel == nil || e.Source != shop || e.Direction == 0 || e.Type == "" {
		t.Fatalf("incomplete: %+v", e)
	}
}

func FuzzAmount(f *testing.F) {
	for _, text := range []string{"1", "-1.5e3", "+2", "0x1p-2", "Inf", " 7 ", "1_0", "", "00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := Amount(text)
		want, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(text), "+"), 64)
		if ok && (err != nil || got != want) {
			t.Fatalf("%q is %v, ParseFloat says %v, %v", text, got, want, err)
		}
	})
}

// browserTrack is what the browser SDK sends for one track call.
const browserTrack = `{"timestamp":"2026-03-01T11:59:58.123Z","integrations":{},"userId":"user-0012345","anonymousId":"23adfd82-aa0f-45a7-a756-24f2a7a4c895","event":"Product Added","type":"track","properties":{"product_id":"507f1f77bcf86cd799439011","price":18.99,"quantity":1,"value":18.99,"currency":"usd"},"context":{"page":{"path":"/academy","referrer":"https://www.google.com/","search":"","title":"Academy","url":"https://shop.example/academy"},"userAgent":"Mozilla/5.0 (X11; Linux x86_64)","locale":"de-DE","library":{"name":"analytics.js","version":"npm:next-1.70.0"}},"messageId":"ajs-next-1767225600123-b2a1c3d4","sentAt":"2026-03-01T11:59:58.200Z"}`

// serverTrack is what the Node SDK sends for one.
const serverTrack = `{"timestamp":"2026-03-01T11:59:58.123Z","userId":"user-0012345","anonymousId":"23adfd82-aa0f-45a7-a756-24f2a7a4c895","event":"Order Completed","type":"track","properties":{"order_id":"50314b8e9bcf000000000000","total":27.5,"revenue":25,"shipping":3,"tax":2,"discount":2.5,"coupon":"hasbros","currency":"USD","products":[{"product_id":"507f1f77bcf86cd799439011","sku":"45790-32","name":"Monopoly","price":19,"quantity":1,"category":"Games"}]},"integrations":{},"context":{"library":{"name":"@segment/analytics-node","version":"2.3.0"}},"_metadata":{"nodeVersion":"v22.1.0","jsRuntime":"node"},"messageId":"node-next-1767225600123-743be593-7789-4b74-8078"}`

const identifyMessage = `{"timestamp":"2026-03-01T11:59:58.123Z","userId":"user-0012345","anonymousId":"23adfd82-aa0f-45a7-a756-24f2a7a4c895","type":"identify","traits":{"email":"ann.lee@example.com","name":"Ann Lee","plan":"pro","logins":7,"address":{"city":"Ulm"}},"context":{"library":{"name":"@segment/analytics-node","version":"2.3.0"}},"messageId":"node-next-1767225600123-743be593-7789-4b74-8078"}`

func BenchmarkMessage(b *testing.B) {
	for _, c := range []struct{ name, body string }{
		{"server track", serverTrack}, {"browser track", browserTrack}, {"identify", identifyMessage},
	} {
		b.Run(c.name, func(b *testing.B) {
			d, body := newDecoder(), []byte(c.body)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Message(context.Background(), "", body, shop, received, time.Time{}, ""); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkBatch(b *testing.B) {
	body := []byte(`{"batch":[` + strings.Repeat(serverTrack+",", 99) + serverTrack + `],"sentAt":"2026-03-01T11:59:59Z"}`)
	d := newDecoder()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if batch, err := d.Batch(context.Background(), body, fromShop); err != nil || batch.Messages[99].Err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/event")
}
