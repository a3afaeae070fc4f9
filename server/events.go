package server

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
)

// serveEvents answers one operation as an event stream, in the "distinct
// connections mode" of graphql-sse: a next event for each response, then
// complete. What was refused is told in the stream, too. The stream ends with
// complete when the server stops, and after an UNAUTHENTICATED error when the
// token expires.
func (g *GraphQL) serveEvents(ctx context.Context, w http.ResponseWriter, op *graphql.OperationContext, refused *graphql.Response, until time.Time) {
	control := http.NewResponseController(w)
	defer func() { _ = control.SetWriteDeadline(time.Time{}) }()
	h := w.Header()
	h.Set("Content-Type", mediaEvents+"; charset=utf-8")
	h.Set("X-Accel-Buffering", "no") // nginx would hold the events back
	w.WriteHeader(http.StatusOK)
	send := func(text ...[]byte) bool {
		_ = control.SetWriteDeadline(time.Now().Add(transferTime))
		for _, t := range text {
			if _, err := w.Write(t); err != nil {
				return false
			}
		}
		return control.Flush() == nil
	}
	encoded := func(response *graphql.Response) []byte {
		data, err := encode(response)
		if err != nil { // a resolver's extension that is not JSON
			data, _ = encode(g.fault(ctx, err))
		}
		return data
	}
	sendNext := func(data []byte) bool {
		return send([]byte("event: next\ndata: "), data, []byte("\n\n"))
	}
	complete := func() { send([]byte("event: complete\ndata:\n\n")) }

	if refused != nil {
		if sendNext(encoded(refused)) {
			complete()
		}
		return
	}
	if !send([]byte(":\n\n")) { // says that the stream is open, before the first event
		return
	}

	ctx, cancel := context.WithCancel(ctx)
	responses := make(chan []byte)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	running.Go(func() {
		defer close(responses)
		next, finish := g.execute(ctx, op)
		defer finish()
		for response := next(); response != nil; response = next() {
			data := encoded(response) // here: the next response is written over this one
			select {
			case responses <- data:
			case <-ctx.Done():
				return
			}
		}
	})
	alive := time.NewTicker(g.o.KeepAlive)
	defer alive.Stop()
	expiry := time.NewTimer(g.lifetime(until))
	defer expiry.Stop()
	for {
		select {
		case response, more := <-responses:
			if !more {
				complete()
				return
			}
			if !sendNext(response) {
				return
			}
			alive.Reset(g.o.KeepAlive)
		case <-alive.C:
			if !send([]byte(":\n\n")) {
				return
			}
		case <-expiry.C:
			if sendNext(encoded(&graphql.Response{Errors: errExpired})) {
				complete()
			}
			return
		case <-g.stopped.Done():
			complete()
			return
		case <-ctx.Done():
			return
		}
	}
}
