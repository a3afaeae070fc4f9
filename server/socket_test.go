package server

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

type client struct {
	t    *testing.T
	conn *websocket.Conn
}

func (b *bench) dial(headers ...string) *client {
	b.t.Helper()
	c, status := b.tryDial(headers...)
	if c == nil {
		b.t.Fatalf("opening a socket answers %d", status)
	}
	return c
}

func (b *bench) tryDial(headers ...string) (*client, int) {
	b.t.Helper()
	o := &websocket.DialOptions{HTTPClient: b.http.Client(), HTTPHeader: http.Header{}, Subprotocols: []string{subprotocol}}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Sec-WebSocket-Protocol" {
			o.Subprotocols = []string{value}
			continue
		}
		o.HTTPHeader.Set(name, value)
	}
	conn, response, err := websocket.Dial(b.t.Context(), b.http.URL+"/graphql", o)
	if response == nil {
		b.t.Fatal(err)
	}
	if response.Body != nil {
		_ = response.Body.Close()
	}
	if err != nil {
		return nil, response.StatusCode
	}
	b.t.Cleanup(func() { _ = conn.CloseNow() })
	return &client{b.t, conn}, response.StatusCode
}

func (c *client) say(text string) {
	c.t.Helper()
	if err := c.conn.Write(c.t.Context(), websocket.MessageText, []byte(text)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) hear() (envelope, websocket.StatusCode) {
	_, data, err := c.conn.Read(c.t.Context())
	if err != nil {
		return envelope{}, websocket.CloseStatus(err)
	}
	var m envelope
	if err := json.Unmarshal(data, &m); err != nil {
		c.t.Fatal(err)
	}
	return m, 0
}

func (c *client) expect(kind, id, payload string) {
	c.t.Helper()
	m, code := c.hear()
	if m.Type != kind || m.ID != id || !strings.Contains(string(m.Payload), payload) {
		c.t.Fatalf("the socket tells %q %q %s (closed: %d), want %q %q %s", m.Type, m.ID, m.Payload, code, kind, id, payload)
	}
}

func (c *client) expectClose(want websocket.StatusCode) {
	c.t.Helper()
	m, code := c.hear()
	if code != want {
		c.t.Fatalf("the socket tells %q %s and is closed with %d, want %d", m.Type, m.Payload, code, want)
	}
}

func subscribeTo(id, query string) string {
	payload, _ := json.Marshal(map[string]any{"query": query})
	m, _ := json.Marshal(envelope{ID: id, Type: "subscribe", Payload: payload})
	return string(m)
}

func (b *bench) admitted() *client {
	b.t.Helper()
	c := b.dial("Authorization: Bearer " + b.token(time.Hour))
	c.say(`{"type":"connection_init"}`)
	c.expect("connection_ack", "", "")
	return c
}

func TestSocket(t *testing.T) {
	c := serve(t).admitted()
	c.say(subscribeTo("1", `subscription { ticks(n: 2) }`))
	c.expect("next", "1", `{"data":{"ticks":1},"extensions":{"cost":`)
	c.expect("next", "1", `{"ticks":2}`)
	c.expect("complete", "1", "")

	c.say(subscribeTo("1", `{ whoami }`)) // an id is free again once its operation is over
	c.expect("next", "1", `{"whoami":"tester"}`)
	c.expect("complete", "1", "")

	c.say(`{"type":"ping","payload":{"n":1}}`)
	c.expect("pong", "", `{"n":1}`)
	c.say(`{"type":"pong"}`)
	c.say(`{"type":"complete","id":"never"}`)

	for query, code := range map[string]string{
		`{ helo }`:                 codeBadUserInput,
		`{`:                        codeBadUserInput,
		`subscription { refused }`: codeForbidden,
	} {
		c.say(subscribeTo("e", query))
		c.expect("error", "e", code)
	}
	c.say(`{"type":"subscribe","id":"p","payload":{"qeury":"{hello}"}}`)
	c.expect("error", "p", codeBadUserInput)
	c.say(`{"type":"subscribe","id":"p"}`)
	c.expect("error", "p", codeBadUserInput)

	c.say(subscribeTo("f", `{ hello fail(kind: "denied") }`))
	c.expect("next", "f", codeForbidden)
	c.expect("complete", "f", "")

	if err := c.conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Errorf("closing: %v", err)
	}
}

func TestSocketComplete(t *testing.T) {
	b := serve(t)
	b.world.started = make(chan string)
	c := b.admitted()
	c.say(subscribeTo("1", `subscription { forever }`))
	c.expect("next", "1", `{"forever":1}`)
	<-b.world.started
	c.say(`{"type":"complete","id":"1"}`)
	c.say(subscribeTo("1", `{ hello }`)) // nothing more of the first 1 comes before this
	c.expect("next", "1", `{"hello":"world"}`)
	c.expect("complete", "1", "")
}

func TestSocketAdmission(t *testing.T) {
	b := serve(t)
	token := "Bearer " + b.token(time.Hour)
	for _, c := range []struct {
		name     string
		headers  []string
		init     string
		refused  websocket.StatusCode
		purposes string
	}{
		{"by the payload", nil, `{"type":"connection_init","payload":{"Authorization":"` + token + `","Acquaint-Purpose":"service"}}`, 0, "service"},
		{"by the payload, in lower case", nil, `{"type":"connection_init","payload":{"authorization":"` + token + `","acquaint-purpose":"service","more":7}}`, 0, "service"},
		{"by the headers", []string{"Authorization: " + token, "Acquaint-Purpose: service"}, `{"type":"connection_init","payload":null}`, 0, "service"},
		{"by both", []string{"Authorization: " + token, "Acquaint-Purpose: service"}, `{"type":"connection_init","payload":{"acquaint-purpose":"analytics"}}`, 0, "analytics"},
		{"by nothing", nil, `{"type":"connection_init"}`, closeForbidden, ""},
		{"by a bad token", nil, `{"type":"connection_init","payload":{"Authorization":"Bearer x.y.z"}}`, closeForbidden, ""},
		{"by a bad token over a good header", []string{"Authorization: " + token}, `{"type":"connection_init","payload":{"Authorization":"Bearer x.y.z"}}`, closeForbidden, ""},
		{"by two tokens", nil, `{"type":"connection_init","payload":{"Authorization":"` + token + `","authorization":"` + token + `"}}`, closeForbidden, ""},
		{"by a token that is a number", nil, `{"type":"connection_init","payload":{"Authorization":7}}`, closeBadRequest, ""},
		{"by a list", nil, `{"type":"connection_init","payload":["` + token + `"]}`, closeBadRequest, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := b.dial(c.headers...)
			s.t = t
			s.say(c.init)
			if c.refused != 0 {
				s.expectClose(c.refused)
				return
			}
			s.expect("connection_ack", "", "")
			s.say(subscribeTo("1", "{ purpose }"))
			s.expect("next", "1", `{"purpose":"`+c.purposes+`"}`)
		})
	}
}

func TestSocketProtocol(t *testing.T) {
	b := serve(t)
	for name, c := range map[string]struct {
		say  []string // after the acknowledgement, or before it where the first is a !
		want websocket.StatusCode
	}{
		"subscribing too early":  {[]string{"!", subscribeTo("1", "{ hello }")}, closeUnauthorized},
		"two initialisations":    {[]string{`{"type":"connection_init"}`}, closeTooManyInits},
		"one id twice":           {[]string{subscribeTo("1", `subscription { forever }`), subscribeTo("1", `{ hello }`)}, closeDuplicate},
		"no JSON":                {[]string{"hello"}, closeBadRequest},
		"two messages in one":    {[]string{`{"type":"ping"}{"type":"ping"}`}, closeBadRequest},
		"an unknown type":        {[]string{`{"type":"start","id":"1"}`}, closeBadRequest},
		"a server's message":     {[]string{`{"type":"next","id":"1"}`}, closeBadRequest},
		"no type":                {[]string{`{"id":"1"}`}, closeBadRequest},
		"no id":                  {[]string{`{"type":"subscribe","payload":{"query":"{hello}"}}`}, closeBadRequest},
		"an id that is a number": {[]string{`{"type":"complete","id":1}`}, closeBadRequest},
		"a ping with a list":     {[]string{`{"type":"ping","payload":[]}`}, closeBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			var s *client
			if c.say[0] == "!" {
				s, c.say = b.dial("Authorization: Bearer "+b.token(time.Hour)), c.say[1:]
			} else {
				s = b.admitted()
			}
			s.t = t
			for _, text := range c.say {
				s.say(text)
			}
			for {
				m, code := s.hear()
				if code == 0 && (m.Type == "next" || m.Type == "complete") {
					continue // of the operation that was under way
				}
				if code != c.want {
					t.Errorf("the socket tells %q and is closed with %d, want %d", m.Type, code, c.want)
				}
				return
			}
		})
	}
	binary := b.admitted()
	if err := binary.conn.Write(t.Context(), websocket.MessageBinary, []byte(`{"type":"ping"}`)); err != nil {
		t.Fatal(err)
	}
	binary.expectClose(closeBadRequest)
}

func TestSocketHandshake(t *testing.T) {
	b := serve(t, func(o *GraphQLOptions) { o.Origins = []string{"https://console.example.com"} })
	for _, c := range []struct {
		header string
		status int
	}{
		{"Origin: https://evil.example", 403},
		{"Origin: null", 403},
		{"Origin: http://console.example.com", 403},
		{"Origin: https://console.example.com", 101},
		{"Origin: " + b.http.URL, 101},
		{"Sec-WebSocket-Protocol: graphql-ws", 400},
		{"Sec-WebSocket-Protocol: -", 400},
	} {
		s, status := b.tryDial(c.header)
		if status != c.status {
			t.Errorf("%s: %d, want %d", c.header, status, c.status)
		}
		if s != nil {
			_ = s.conn.CloseNow()
		}
	}
}

func TestSocketLimits(t *testing.T) {
	b := serve(t, func(o *GraphQLOptions) { o.Limits = Limits{Operations: 2, Body: 2000, Depth: 2} })
	c := b.admitted()
	for i := range 2 {
		c.say(subscribeTo(strconv.Itoa(i), `subscription { forever }`))
		c.expect("next", strconv.Itoa(i), `{"forever":1}`)
	}
	c.say(subscribeTo("2", `{ hello }`))
	c.expect("error", "2", codeRateLimited)
	c.say(`{"type":"complete","id":"0"}`)
	c.say(subscribeTo("2", `{ individual { friends { id } } }`))
	c.expect("error", "2", "3 levels deep")
	c.say(subscribeTo("3", strings.Repeat(" ", 3000)))
	c.expectClose(websocket.StatusMessageTooBig)
}

func TestSocketThatSaysNothing(t *testing.T) {
	b := serve(t, func(o *GraphQLOptions) { o.InitTimeout = 10 * time.Millisecond })
	b.dial().expectClose(closeInitTimeout)
}

func TestSocketEndsWithTheToken(t *testing.T) {
	b := serve(t)
	header := "Authorization: Bearer " + b.token(time.Minute)
	b.clock.Set(noon.Add(time.Minute + leeway - 20*time.Millisecond))
	c := b.dial(header)
	c.say(`{"type":"connection_init"}`)
	c.expect("connection_ack", "", "")
	c.expectClose(closeUnauthorized)
}

func TestSocketEndsWithTheServer(t *testing.T) {
	b := serve(t)
	b.world.started = make(chan string)
	c := b.admitted()
	c.say(subscribeTo("1", `subscription { forever }`))
	c.expect("next", "1", `{"forever":1}`)
	<-b.world.started
	stopped := make(chan error, 1)
	go func() { stopped <- b.graph.Stop(t.Context()) }()
	for {
		m, code := c.hear()
		if m.Type == "complete" {
			continue
		}
		if code != websocket.StatusGoingAway {
			t.Errorf("the socket tells %q and is closed with %d, want 1001", m.Type, code)
		}
		break
	}
	if err := <-stopped; err != nil {
		t.Errorf("Stop: %v", err)
	}
	if _, status := b.tryDial(); status != 503 {
		t.Errorf("after the stop, opening a socket answers %d", status)
	}
}

func TestSocketThatIsGone(t *testing.T) {
	b := serve(t, func(o *GraphQLOptions) { o.KeepAlive = 5 * time.Millisecond })
	b.world.started = make(chan string)
	c := b.admitted() // does not read, and so answers no ping
	c.say(subscribeTo("1", `subscription { forever }`))
	<-b.world.started
	b.graph.sockets.Wait() // the server gives up on it, and does not wait for a goodbye
}

func FuzzDecodeMessage(f *testing.F) {
	f.Add([]byte(`{"type":"subscribe","id":"1","payload":{"query":"{hello}"}}`))
	f.Add([]byte(`{"type":"connection_init","payload":{"Authorization":"Bearer x"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, ok := decodeMessage(data)
		if !ok {
			return
		}
		if (m.Type == "subscribe" || m.Type == "complete") && m.ID == "" {
			t.Fatal("an operation without an id")
		}
		if m.Type == "connection_init" {
			if c, ok := initCredentials(m.Payload, credentials{}); ok && len(m.Payload) == 0 && len(c.authorization) > 0 {
				t.Fatal("credentials out of nothing")
			}
		}
	})
}
