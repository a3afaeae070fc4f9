package webhook

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// refused is the error of a connection to an address that the policy refuses.
type refused struct{ what string }

func (r refused) Error() string { return "refused to connect to " + r.what }

// transport connects to what a policy allows: two of them, because without TLS less is
// allowed.
type transport struct{ secure, plain *http.Transport }

// newTransport makes a transport for so many connections. Nil for the resolver is the
// system's.
func newTransport(allow Policy, resolver *net.Resolver, each, total int) *transport {
	one := func(refusal func(netip.Addr) string) *http.Transport {
		dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second, Resolver: resolver, Control: control(refusal)}
		return &http.Transport{
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    10 * time.Second,
			ForceAttemptHTTP2:      true,
			HTTP2:                  &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 5 * time.Second},
			MaxIdleConns:           total,
			MaxIdleConnsPerHost:    each,
			IdleConnTimeout:        90 * time.Second,
			MaxResponseHeaderBytes: maxAnswer,
			DisableCompression:     true, // what is sent back is thrown away
		}
	}
	return &transport{secure: one(allow.refusal), plain: one(func(a netip.Addr) string {
		if what := allow.refusal(a); what != "" || allow.allowsPlain(a) {
			return what
		}
		return "a public address without TLS"
	})}
}

// control looks at the address that a connection is about to be made to: after names
// were resolved, so that what was looked at is what is connected to.
func control(refusal func(netip.Addr) string) func(string, string, syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		a, err := netip.ParseAddrPort(address)
		if err != nil {
			return refused{"no address"}
		}
		if what := refusal(a.Addr()); what != "" {
			return refused{what}
		}
		return nil
	}
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme == "https" {
		return t.secure.RoundTrip(r)
	}
	return t.plain.RoundTrip(r)
}

// CloseIdleConnections is what http.Client calls.
func (t *transport) CloseIdleConnections() {
	t.secure.CloseIdleConnections()
	t.plain.CloseIdleConnections()
}

// fault says in the operator's words why there was no answer. It repeats nothing that
// the other side said.
func fault(err error) string {
	var (
		no          refused
		dns         *net.DNSError
		certificate *tls.CertificateVerificationError
		alert       tls.AlertError
		record      tls.RecordHeaderError
		timeout     net.Error
	)
	switch {
	case errors.As(err, &no):
		return "its address is " + no.what + ", which this installation does not send to"
	case errors.As(err, &dns) && dns.IsNotFound:
		return "its name does not exist"
	case errors.As(err, &dns):
		return "its name could not be looked up"
	case errors.As(err, &certificate):
		return "its certificate could not be verified"
	case errors.As(err, &alert), errors.As(err, &record):
		return "TLS 1.2 or newer could not be agreed on"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "it refused the connection"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "it could not be reached in time"
	default:
		return "the connection failed"
	}
}
