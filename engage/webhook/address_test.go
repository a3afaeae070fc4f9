package webhook

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/acquaint/acquaint/insight"
)

func TestCheckURL(t *testing.T) {
	private := Policy{Private: true}
	one, err := ParsePolicy("10.1.0.0/16, fd00:1::/64,192.168.7.7,169.254.1.0/24")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		url   string
		allow Policy
		ok    bool
	}{
		{"https://example.com/hook?a=b", Policy{}, true},
		{"https://example.com:8443/", Policy{}, true},
		{"https://8.8.8.8/", Policy{}, true},
		{"https://[2606:4700::1111]/", Policy{}, true},
		{"http://example.com/", Policy{}, false},
		{"ftp://example.com/", private, false},
		{"https://user:word@example.com/", Policy{}, false},
		{"https://example.com/#", Policy{}, false},
		{"https:///path", Policy{}, false},
		{"https:example.com", Policy{}, false},
		{"https://example.com:0/", Policy{}, false},
		{"https://example.com:70000/", Policy{}, false},
		{"https://" + strings.Repeat("a", 3000), Policy{}, false},
		{"https://127.0.0.1/", Policy{}, false},
		{"https://localhost/", Policy{}, false},
		{"https://x.localhost./", Policy{}, false},
		{"https://2130706433/", Policy{}, false},
		{"https://0x7f000001/", Policy{}, false},
		{"https://0x7f.1/", Policy{}, false},
		{"https://127.1/", Policy{}, false},
		{"https://017700000001/", Policy{}, false},
		{"https://2130706433/", private, false},
		{"https://0.0.0.0/", private, false},
		{"https://10.0.0.1/", Policy{}, false},
		{"https://172.31.0.1/", Policy{}, false},
		{"https://192.168.0.1/", Policy{}, false},
		{"https://100.64.0.1/", Policy{}, false},
		{"https://169.254.169.254/", Policy{}, false},
		{"https://169.254.169.254/", private, false},
		{"https://100.100.100.200/", private, false},
		{"https://224.0.0.1/", private, false},
		{"https://255.255.255.255/", private, false},
		{"https://[::]/", private, false},
		{"https://[::1]/", Policy{}, false},
		{"https://[fe80::1%25eth0]/", private, false},
		{"https://[2606:4700::1111%25eth0]/", private, false},
		{"https://[::ffff:8.8.8.8]/", Policy{}, false},
		{"https://[::ffff:127.0.0.1]/", private, false},
		{"https://[64:ff9b::7f00:1]/", private, false},
		{"https://[2002:7f00:1::]/", private, false},
		{"https://[2001::1]/", private, false},
		{"https://[fd00:ec2::254]/", private, false},
		{"https://[fd12::1]/", Policy{}, false},
		{"https://[ff02::1]/", private, false},
		{"https://10.0.0.1/", private, true},
		{"http://127.0.0.1:8080/", private, true},
		{"http://[::1]/", private, true},
		{"http://8.8.8.8/", private, false},
		{"http://receiver:8080/", private, true},
		{"http://10.1.2.3/", one, true},
		{"https://10.2.2.3/", one, false},
		{"https://[fd00:1::9]/", one, true},
		{"https://192.168.7.7/", one, true},
		{"https://192.168.7.8/", one, false},
		{"https://169.254.1.1/", one, true},
	} {
		err := CheckURL(c.url, c.allow)
		if (err == nil) != c.ok {
			t.Errorf("%.60s: %v", c.url, err)
		}
		if err != nil && (insight.KindOf(err) != insight.Invalid || !strings.HasPrefix(err.Error(), "url: ")) {
			t.Errorf("%.60s: %v", c.url, err)
		}
	}
	for _, text := range []string{"10.0.0.0/33", "all", "::ffff:1.2.3.4", "10.0.0.1 10.0.0.2", "fe80::1%eth0"} {
		if _, err := ParsePolicy(text); err == nil {
			t.Errorf("%q is a policy", text)
		}
	}
}

// A name that leads to this machine is refused when a connection is made, before
// anything arrives.
func TestNameThatLeadsInside(t *testing.T) {
	arrived := false
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived = true }))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	for _, allow := range []Policy{{}, {Private: true}} {
		transport := newTransport(allow, nil, 1, 1)
		transport.secure.TLSClientConfig.RootCAs = server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
		transport.secure.TLSClientConfig.ServerName = "example.com"
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		request, _ := http.NewRequestWithContext(ctx, http.MethodPost, "https://localhost:"+port, strings.NewReader("{}"))
		response, err := transport.RoundTrip(request)
		if err == nil {
			_ = response.Body.Close()
		}
		if (err == nil) != allow.Private || arrived != allow.Private {
			t.Errorf("%+v: %v, arrived: %t", allow, err, arrived)
		}
		if err != nil && !strings.Contains(fault(err), "an address of this machine") {
			t.Errorf("the reason: %s", fault(err))
		}
		cancel()
		transport.CloseIdleConnections()
	}
	transport := newTransport(Policy{Private: true}, nil, 1, 1) // does not know who signed the certificate
	request, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader("{}"))
	response, err := transport.RoundTrip(request)
	if err == nil {
		_ = response.Body.Close()
		t.Fatal("an unknown certificate is accepted")
	}
	if got := fault(err); got != "its certificate could not be verified" {
		t.Error(got)
	}
}

func TestSecret(t *testing.T) {
	s, err := ParseSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	// The test vector of the specification's own libraries.
	if got := s.Sign("msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`)); got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Error(got)
	}
	if s.Text() != "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" {
		t.Error("another text")
	}
	for _, text := range []string{"", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "whsec_" + strings.Repeat("AAAA", 22), "whsec_MfKQ9r8GKYqrTwjU\nPD8ILPZIo2LaLaSw"} {
		if _, err := ParseSecret(text); insight.KindOf(err) != insight.Invalid {
			t.Errorf("%q: %v", text, err)
		}
	}
}
