package whole

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// TestSubscribersAreTold: who follows interactions, by an event stream or a socket,
// gets them, and is told when there can be no more; the server lives.
func TestSubscribersAreTold(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		h := open(t, o)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		const subscription = `subscription { interactions { messageId } }`

		follow, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url+"/graphql", strings.NewReader(query(subscription)))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{"Authorization": "Bearer " + h.token("individuals:read"), "Acquaint-Purpose": "analytics", "Content-Type": "application/json", "Accept": "text/event-stream"} {
			follow.Header.Set(name, value)
		}
		stream, err := h.client.Do(follow)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = stream.Body.Close() }()
		lines := bufio.NewScanner(stream.Body)
		event := func() string {
			for lines.Scan() {
				if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
					return data
				}
			}
			return "the end"
		}

		socket, response, err := websocket.Dial(ctx, h.url+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}, HTTPClient: h.client})
		if err != nil {
			t.Fatal(err)
		}
		if response.Body != nil {
			_ = response.Body.Close()
		}
		defer func() { _ = socket.CloseNow() }()
		say := func(text string) {
			t.Helper()
			if err := socket.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		hear := func() string {
			t.Helper()
			_, text, err := socket.Read(ctx)
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		say(`{"type":"connection_init","payload":{"authorization":"Bearer ` + h.token("individuals:read") + `","acquaint-purpose":"analytics"}}`)
		if got := hear(); !strings.Contains(got, "connection_ack") {
			t.Fatalf("the socket hears %s", got)
		}
		say(`{"type":"subscribe","id":"1","payload":{"query":"` + subscription + `"}}`)
		say(`{"type":"ping"}`)
		if got := hear(); !strings.Contains(got, "pong") {
			t.Fatalf("the socket hears %s", got)
		}

		// Either may have begun later than the first events: it is told of one that
		// comes after.
		told := make(chan string, 2)
		go func() { told <- event() }()
		go func() { told <- hear() }()
		sent := 0
		for heard := 0; heard < 2; sent++ {
			select {
			case got := <-told:
				if heard++; !strings.Contains(got, `"messageId":"f-`) {
					t.Fatalf("a subscriber hears %s", got)
				}
				continue
			default:
			}
			if r := h.track("track", message(fmt.Sprintf(`,"messageId":"f-%d"`, sent))); r.status != http.StatusOK {
				t.Fatal(r.body)
			}
		}

		if err := h.store.Close(); err != nil {
			t.Fatal(err)
		}
		last := ""
		for got := event(); got != "the end"; got = event() {
			last = got
		}
		if !strings.Contains(last, "UNAVAILABLE") {
			t.Errorf("the stream ends with %s", last)
		}
		got := hear()
		for strings.Contains(got, `"next"`) {
			got = hear()
		}
		if !strings.Contains(got, `"error"`) || !strings.Contains(got, "UNAVAILABLE") {
			t.Errorf("the socket ends with %s", got)
		}
		if r := h.send(get("/healthz")); r.status != http.StatusOK {
			t.Errorf("/healthz answers %d", r.status)
		}
	})
}
