package server

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net"
	"net/http"
	"time"
)

type requestKey struct{}

// RequestID is the id of the request that ctx belongs to, which its log lines
// and an INTERNAL error carry; "" outside of a request. It is made here: a
// caller cannot choose it.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

func withRequestID(ctx context.Context) (context.Context, string) {
	var random [12]byte
	_, _ = rand.Read(random[:]) // never fails
	id := hex.EncodeToString(random[:])
	return context.WithValue(ctx, requestKey{}, id), id
}

// observed is a response writer that remembers what was answered.
type observed struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader remembers the status.
func (w *observed) WriteHeader(status int) {
	if w.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write counts the bytes.
func (w *observed) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach what is beneath.
func (w *observed) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Hijack hands the connection to a websocket.
func (w *observed) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// Flush sends what is written so far, for handlers that ask for http.Flusher.
func (w *observed) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

// FlushError is what http.ResponseController asks for before Flush.
func (w *observed) FlushError() error { return http.NewResponseController(w.ResponseWriter).Flush() }

func (w *observed) code() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}

// methodName is a method for a label or a log: one of a few, whatever was sent.
func methodName(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

// accessLog tells of one answered request: what was asked of whom it does not say.
func accessLog(ctx context.Context, log *slog.Logger, route, method string, w *observed, took time.Duration) {
	log.LogAttrs(ctx, slog.LevelInfo, "request",
		slog.String("requestId", RequestID(ctx)), slog.String("route", route), slog.String("method", method),
		slog.Int("status", w.code()), slog.Int64("bytes", w.bytes), slog.Duration("duration", took))
}
