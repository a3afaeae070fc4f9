package server

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/coder/websocket"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/acquaint/acquaint/graph/viewer"
	"github.com/acquaint/acquaint/insight"
)

// subprotocol is the only one spoken
// (https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md).
const subprotocol = "graphql-transport-ws"

// Why a socket is closed. The codes from 4400 are the protocol's.
const (
	closeBadRequest   websocket.StatusCode = 4400
	closeUnauthorized websocket.StatusCode = 4401
	closeForbidden    websocket.StatusCode = 4403
	closeInitTimeout  websocket.StatusCode = 4408
	closeDuplicate    websocket.StatusCode = 4409
	closeTooManyInits websocket.StatusCode = 4429
	closeInternal     websocket.StatusCode = 4500
)

// envelope is one message of the protocol, in either direction.
type envelope struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// socket is one connection. The loop in serve owns it: one goroutine reads, one
// runs each operation, and all are gone when serve returns.
type socket struct {
	g       *GraphQL
	conn    *websocket.Conn
	headers credentials // of the upgrade request
	base    context.Context
	ctx     context.Context // with the viewer, once admitted
	until   time.Time       // when the token is no longer believed
	work    sync.WaitGroup

	mu     sync.Mutex
	active map[string]*subscription
}

// subscription is an operation that is running.
type subscription struct{ cancel context.CancelFunc }

// ending is why the loop ends; zero while it goes on.
type ending struct {
	code   websocket.StatusCode
	reason string
	gone   bool // the other side is, and needs no goodbye
}

func (g *GraphQL) serveSocket(w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, message string) {
		write(w, mediaJSON, status, &graphql.Response{Errors: gqlerror.List{requestError(codeBadUserInput, message)}})
	}
	switch {
	case g.fromOtherSite(r):
		write(w, mediaJSON, http.StatusForbidden, &graphql.Response{Errors: gqlerror.List{requestError(codeForbidden, "pages of this origin may not open a socket")}})
		return
	case !offers(r, subprotocol):
		refuse(http.StatusBadRequest, "the websocket subprotocol is "+subprotocol)
		return
	}
	g.opening.Lock()
	if g.stopped.Err() != nil {
		g.opening.Unlock()
		w.Header().Set("Retry-After", "1")
		write(w, mediaJSON, http.StatusServiceUnavailable, &graphql.Response{Errors: gqlerror.List{requestError(codeUnavailable, "the server is stopping")}})
		return
	}
	g.sockets.Add(1)
	g.opening.Unlock()
	defer g.sockets.Done()

	// The origin was checked above, against whole origins and not hosts alone.
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{subprotocol}, InsecureSkipVerify: true})
	if err != nil {
		return // Accept has answered
	}
	conn.SetReadLimit(g.limits.Body)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	s := &socket{g: g, conn: conn, headers: headerCredentials(r.Header), base: ctx, active: map[string]*subscription{}}
	end := s.serve(ctx)
	cancel()
	if end.gone {
		_ = conn.CloseNow()
	} else {
		_ = conn.Close(end.code, end.reason)
	}
	s.work.Wait()
}

func offers(r *http.Request, protocol string) bool {
	for _, header := range r.Header.Values("Sec-WebSocket-Protocol") {
		for _, offered := range strings.Split(header, ",") {
			if strings.TrimSpace(offered) == protocol {
				return true
			}
		}
	}
	return false
}

// incoming is a frame that was read, or the end of reading.
type incoming struct {
	kind websocket.MessageType
	data []byte
	err  error
}

func (s *socket) serve(ctx context.Context) ending {
	frames := make(chan incoming)
	s.work.Go(func() {
		for {
			// Without the context: cancelling a read breaks the connection before a close can be said.
			kind, data, err := s.conn.Read(context.Background())
			select {
			case frames <- incoming{kind, data, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	})

	alive := time.NewTicker(s.g.o.KeepAlive)
	defer alive.Stop()
	lost := make(chan struct{}, 1)
	limit := time.NewTimer(s.g.o.InitTimeout) // until admitted; then, of the token
	defer limit.Stop()
	for {
		select {
		case in := <-frames:
			if in.err != nil {
				return ending{gone: true}
			}
			admitted := s.ctx != nil
			if end := s.handle(in); end != (ending{}) {
				return end
			}
			if !admitted && s.ctx != nil {
				limit.Reset(s.g.lifetime(s.until))
			}
		case <-limit.C:
			if s.ctx == nil {
				return ending{code: closeInitTimeout, reason: "Connection initialisation timeout"}
			}
			return ending{code: closeUnauthorized, reason: "Unauthorized"}
		case <-alive.C:
			s.work.Go(func() {
				ping, cancel := context.WithTimeout(ctx, s.g.o.KeepAlive)
				defer cancel()
				if s.conn.Ping(ping) != nil {
					select {
					case lost <- struct{}{}:
					default:
					}
				}
			})
		case <-lost:
			return ending{gone: true}
		case <-s.g.stopped.Done():
			return ending{code: websocket.StatusGoingAway, reason: "the server is stopping"}
		case <-ctx.Done():
			return ending{code: websocket.StatusGoingAway, reason: "the server is stopping"}
		}
	}
}

var badMessage = ending{code: closeBadRequest, reason: "Invalid message"}

// handle acts on one frame.
func (s *socket) handle(in incoming) ending {
	if in.kind != websocket.MessageText {
		return badMessage
	}
	m, ok := decodeMessage(in.data)
	if !ok {
		return badMessage
	}
	switch m.Type {
	case "connection_init":
		return s.admit(m)
	case "ping":
		return s.send(envelope{Type: "pong", Payload: m.Payload})
	case "pong":
		return ending{}
	case "subscribe":
		return s.subscribe(m)
	case "complete":
		s.mu.Lock()
		if running := s.active[m.ID]; running != nil {
			delete(s.active, m.ID)
			running.cancel()
		}
		s.mu.Unlock()
		return ending{}
	}
	return badMessage
}

// decodeMessage reads one message that a client may send.
func decodeMessage(data []byte) (envelope, bool) {
	var m envelope
	if decodeJSON(data, &m) != "" {
		return m, false
	}
	switch m.Type {
	case "connection_init", "ping", "pong":
		payload := bytes.TrimSpace(m.Payload)
		return m, len(payload) == 0 || payload[0] == '{' || string(payload) == "null"
	case "subscribe", "complete":
		return m, m.ID != ""
	}
	return m, false
}

// admit believes who the socket says it is: by the connection_init payload's
// entries Authorization and Acquaint-Purpose in any case, or by the headers of
// the upgrade request for the one that is not there.
func (s *socket) admit(m envelope) ending {
	if s.ctx != nil {
		return ending{code: closeTooManyInits, reason: "Too many initialisation requests"}
	}
	c, ok := initCredentials(m.Payload, s.headers)
	if !ok {
		return badMessage
	}
	who, until, err := s.g.auth.admit(s.base, c)
	switch {
	case insight.KindOf(err) == insight.Unavailable:
		return ending{code: websocket.StatusTryAgainLater, reason: "Try again later"}
	case err != nil:
		return ending{code: closeForbidden, reason: "Forbidden"}
	}
	s.ctx, s.until = viewer.With(s.base, who), until
	return s.send(envelope{Type: "connection_ack"})
}

// initCredentials takes what a connection_init payload says of who is asking.
func initCredentials(payload json.RawMessage, fallback credentials) (credentials, bool) {
	if len(payload) == 0 {
		return fallback, true
	}
	var entries map[string]any
	if decodeJSON(payload, &entries) != "" {
		return credentials{}, false
	}
	var c credentials
	for name, value := range entries {
		var into *[]string
		switch {
		case strings.EqualFold(name, "Authorization"):
			into = &c.authorization
		case strings.EqualFold(name, PurposeHeader):
			into = &c.purpose
		default:
			continue
		}
		text, ok := value.(string)
		if !ok {
			return credentials{}, false
		}
		*into = append(*into, text)
	}
	if c.authorization == nil {
		c.authorization = fallback.authorization
	}
	if c.purpose == nil {
		c.purpose = fallback.purpose
	}
	return c, true
}

// subscribe starts an operation.
func (s *socket) subscribe(m envelope) ending {
	if s.ctx == nil {
		return ending{code: closeUnauthorized, reason: "Unauthorized"}
	}
	ctx, cancel := context.WithCancel(graphql.StartOperationTrace(s.ctx))
	mine := &subscription{cancel: cancel}
	s.mu.Lock()
	_, duplicate := s.active[m.ID]
	full := len(s.active) >= s.g.limits.Operations
	if !duplicate && !full {
		s.active[m.ID] = mine
	}
	s.mu.Unlock()
	switch {
	case duplicate:
		cancel()
		return ending{code: closeDuplicate, reason: "Subscriber already exists"}
	case full:
		cancel()
		return s.sendErrors(m.ID, gqlerror.List{requestError(codeRateLimited, "at most "+strconv.Itoa(s.g.limits.Operations)+" operations run at once on a socket")})
	}
	s.work.Go(func() {
		defer cancel()
		s.run(ctx, m, mine)
	})
	return ending{}
}

// run runs an operation and tells its responses, unless the client has completed
// it meanwhile.
func (s *socket) run(ctx context.Context, m envelope, mine *subscription) {
	current := func(last bool) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		is := s.active[m.ID] == mine
		if is && last {
			delete(s.active, m.ID)
		}
		return is
	}
	params, fault := decodeBody(m.Payload)
	if fault != nil {
		if current(true) {
			s.sendErrors(m.ID, gqlerror.List{fault})
		}
		return
	}
	op, refused := s.g.prepare(ctx, params)
	if refused != nil {
		if current(true) {
			s.sendErrors(m.ID, refused.Errors)
		}
		return
	}
	next, finish := s.g.execute(ctx, op)
	defer finish()
	for response := next(); response != nil; response = next() {
		if !current(false) {
			return
		}
		if len(response.Data) == 0 {
			if current(true) {
				s.sendErrors(m.ID, response.Errors)
			}
			return
		}
		payload, err := encode(response)
		if err != nil {
			if current(true) {
				s.sendErrors(m.ID, s.g.fault(ctx, err).Errors)
			}
			return
		}
		if s.send(envelope{ID: m.ID, Type: "next", Payload: payload}) != (ending{}) {
			return
		}
	}
	if current(true) {
		s.send(envelope{ID: m.ID, Type: "complete"})
	}
}

func (s *socket) sendErrors(id string, errs gqlerror.List) ending {
	payload, err := json.Marshal(errs)
	if err != nil {
		return ending{code: closeInternal, reason: "Internal server error"}
	}
	return s.send(envelope{ID: id, Type: "error", Payload: payload})
}

// send writes one message. A write that fails has broken the connection, which
// the reader notices.
func (s *socket) send(m envelope) ending {
	data, err := json.Marshal(m)
	if err != nil {
		return ending{code: closeInternal, reason: "Internal server error"}
	}
	ctx, cancel := context.WithTimeout(context.Background(), transferTime)
	defer cancel()
	if s.conn.Write(ctx, websocket.MessageText, data) != nil {
		return ending{gone: true}
	}
	return ending{}
}
