package webhook

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/delivery"
)

// The bounds of an attempt.
const (
	AttemptTime  = 15 * time.Second // everything, from composing to the answer
	writeTime    = time.Second      // from what was confirmed to its being written
	drainTime    = time.Second      // for the rest of an answer, whose status is known
	maxAnswer    = 64 << 10         // bytes of an answer's head, and of its body, that are read
	compositions = 3                // how often one attempt composes what changes under its hands
)

// Why an attempt came to nothing on our side.
var (
	errStale       = errors.New("what was composed holds no more")
	errUnconfirmed = errors.New("what was composed could not be confirmed")
	errUnwritten   = errors.New("the request was not taken in time")
)

// attempt tries to deliver once. Its time is bounded, and ctx ends it earlier.
func (s *Sender) attempt(ctx context.Context, d *delivery.Delivery) delivery.Result {
	failures := s.failures(d.Destination.ID)
	bounded, cancel := context.WithTimeout(ctx, AttemptTime)
	defer cancel()
	var r delivery.Result
	for range compositions {
		var again bool
		if r, again = s.try(bounded, d, failures); !again {
			break
		}
	}
	if r.Outcome == delivery.Failed && r.Status == 0 && ctx.Err() != nil { // we stop, which is not the destination's fault
		r = s.release(r.Written, "the server stopped")
	}
	return r
}

// release gives an attempt up: it is due again soon.
func (s *Sender) release(written bool, why string) delivery.Result {
	now := s.now()
	return delivery.Result{Outcome: delivery.Released, At: now, Written: written, Reason: why, Next: now.Add(delivery.Backoff(1, s.o.Random()))}
}

// try composes and sends; again says that what was composed did not hold for long
// enough, and nothing was sent.
func (s *Sender) try(ctx context.Context, d *delivery.Delivery, failures int) (r delivery.Result, again bool) {
	m, err := s.outbox.Compose(ctx, d)
	switch kind := insight.KindOf(err); {
	case err == nil:
	case kind == insight.Withheld || kind == insight.NotFound:
		return delivery.Result{Outcome: delivery.Dropped, At: s.now(), Reason: err.Error()}, false
	default:
		s.report(ctx, "a delivery could not be composed", d, err)
		return s.release(false, "it could not be composed"), false
	}
	g := &gate{}
	answer, err := s.send(ctx, d, m, g)
	written := g.written.Load()
	switch {
	case errors.Is(err, errStale) && !written:
		return s.release(false, errStale.Error()), true
	case errors.Is(err, errStale), errors.Is(err, errUnconfirmed):
		return s.release(written, err.Error()), false
	}
	r = d.Judge(answer, failures, s.o.Random(), s.o.Random())
	r.Written = r.Outcome == delivery.Delivered || written
	return r, false
}

// gate lets a body out only after it was confirmed for the connection that it goes
// over.
type gate struct{ open, written atomic.Bool }

// body reads a text through a gate.
type body struct {
	text *bytes.Reader
	gate *gate
}

// Read implements io.Reader.
func (b body) Read(p []byte) (int, error) {
	if !b.gate.open.Load() {
		return 0, errUnconfirmed
	}
	b.gate.written.Store(true)
	return b.text.Read(p)
}

// Close implements io.Closer.
func (b body) Close() error { return nil }

// send puts a message on the wire. The error is errStale or errUnconfirmed, or nil when
// it is the destination that answered, or failed to.
func (s *Sender) send(ctx context.Context, d *delivery.Delivery, m *delivery.Message, g *gate) (delivery.Answer, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	request, err := s.request(d, m, g)
	if err != nil {
		s.report(ctx, "a delivery could not be written", d, err)
		return delivery.Answer{At: s.now(), Fault: "it has no valid address or secret"}, nil
	}
	late := time.AfterFunc(AttemptTime, func() { cancel(errUnwritten) })
	defer late.Stop()
	request = request.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) {
			g.open.Store(false)
			ok, err := s.outbox.Confirm(ctx, d, m.Version)
			switch {
			case err != nil:
				s.report(ctx, "a delivery could not be confirmed", d, err)
				cancel(errUnconfirmed)
			case !ok:
				cancel(errStale)
			default:
				late.Reset(writeTime)
				g.open.Store(true)
			}
		},
		WroteRequest: func(httptrace.WroteRequestInfo) { late.Stop() },
	}))
	response, err := s.client.Do(request) //nolint:bodyclose // drain closes it
	if err != nil {
		return s.unanswered(ctx, err)
	}
	answer := delivery.Answer{At: s.now(), Status: response.StatusCode}
	answer.RetryAfter = retryAfter(response.Header.Get("Retry-After"), answer.At)
	long := time.AfterFunc(drainTime, func() { cancel(nil) })
	defer long.Stop()
	drain(response.Body)
	return answer, nil
}

// unanswered says why there was no answer, and whose fault it was.
func (s *Sender) unanswered(ctx context.Context, err error) (delivery.Answer, error) {
	answer := delivery.Answer{At: s.now()}
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errStale), errors.Is(cause, errUnconfirmed):
		return answer, cause
	case errors.Is(err, errUnconfirmed): // a transport that tells of no connection
		return answer, errUnconfirmed
	case errors.Is(cause, errUnwritten):
		answer.Fault = "it did not take the request in time"
	case errors.Is(cause, context.DeadlineExceeded):
		answer.Fault = "it did not answer within " + strconv.Itoa(int(AttemptTime/time.Second)) + " seconds"
	default:
		answer.Fault = fault(err)
	}
	return answer, nil
}

// drain reads the rest of an answer, so that the connection can be used again, unless
// it is long.
func drain(rest io.ReadCloser) {
	_, _ = io.Copy(io.Discard, io.LimitReader(rest, maxAnswer)) // the status is what counts
	_ = rest.Close()
}

// request writes a message as a signed request to its destination.
func (s *Sender) request(d *delivery.Delivery, m *delivery.Message, g *gate) (*http.Request, error) {
	if err := CheckURL(d.Destination.URL, s.o.Allow); err != nil {
		return nil, err
	}
	text, err := m.Body()
	if err != nil {
		return nil, err
	}
	at := s.now()
	signatures := make([]string, 0, len(d.Destination.Secrets))
	for _, valid := range d.Destination.Secrets {
		secret, err := ParseSecret(valid)
		if err != nil {
			return nil, err
		}
		signatures = append(signatures, secret.Sign(m.ID, at, text))
	}
	if len(signatures) == 0 {
		return nil, insight.NewError(insight.Internal, "secret", "the destination has none")
	}
	open := func() (io.ReadCloser, error) { return body{bytes.NewReader(text), g}, nil }
	request, err := http.NewRequest(http.MethodPost, d.Destination.URL, nil) //nolint:noctx // the caller gives it one
	if err != nil {
		return nil, insight.WrapError("webhook.request", insight.Invalid, err)
	}
	request.Body, _ = open()
	request.GetBody, request.ContentLength = open, int64(len(text))
	h := request.Header
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "Acquaint")
	h.Set("webhook-id", m.ID)
	h.Set("webhook-timestamp", strconv.FormatInt(at.Unix(), 10))
	h.Set("webhook-signature", strings.Join(signatures, " "))
	// Not sent: it lets the transport try once more where the other side has just closed a
	// connection that was kept. The same id may arrive twice at any rate.
	h["Idempotency-Key"] = nil
	return request, nil
}

// retryAfter is how long the other side asks to be left alone: its header is a number
// of seconds or a moment. 0: it does not say, or not in these forms.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
