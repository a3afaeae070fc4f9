package webhook

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/acquaint/acquaint/insight"
)

// Policy says which addresses besides those of the public internet may be sent to. Its
// zero value allows none.
type Policy struct {
	// Private allows loopback, private networks (RFC 1918, RFC 4193) and carriers'
	// shared addresses (RFC 6598); not link-local ones, where clouds have their metadata.
	Private bool
	// Prefixes are allowed whatever they are for, but for multicast and unspecified
	// addresses. Who allows a prefix that is translated to others (NAT64) allows these.
	Prefixes []netip.Prefix
}

// ParsePolicy reads a policy from a list with commas, such as "private" or
// "10.1.0.0/16, fd00:1::/64, 10.2.0.7". An empty text is the zero value. The error is of
// kind Invalid, without a subject.
func ParsePolicy(text string) (Policy, error) {
	var p Policy
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		switch part {
		case "":
			continue
		case "private":
			p.Private = true
			continue
		}
		prefix, err := netip.ParsePrefix(part)
		if address, wrong := netip.ParseAddr(part); wrong == nil && address.Zone() == "" {
			prefix, err = netip.PrefixFrom(address, address.BitLen()), nil
		}
		if err != nil || prefix.Addr().Is4In6() {
			return Policy{}, insight.NewError(insight.Invalid, "", "it is a list of networks such as 10.1.0.0/16, of addresses, and of the word private")
		}
		p.Prefixes = append(p.Prefixes, prefix.Masked())
	}
	return p, nil
}

// any reports whether anything beyond the public internet is allowed.
func (p Policy) any() bool { return p.Private || len(p.Prefixes) > 0 }

// special is a prefix of the IANA's registries of special-purpose addresses.
type special struct {
	prefix  netip.Prefix
	what    string
	private bool // allowed by Policy.Private
	never   bool
}

// specials are in the order in which they are looked through. Of IPv6, only 2000::/3 is
// the public internet's, so the list names what is not within it, and what deserves a
// name.
var specials = []special{
	{what: "an unspecified address", prefix: netip.MustParsePrefix("0.0.0.0/8"), never: true},
	{what: "an address of this machine", prefix: netip.MustParsePrefix("127.0.0.0/8"), private: true},
	{what: "a private address", prefix: netip.MustParsePrefix("10.0.0.0/8"), private: true},
	{what: "a private address", prefix: netip.MustParsePrefix("172.16.0.0/12"), private: true},
	{what: "a private address", prefix: netip.MustParsePrefix("192.168.0.0/16"), private: true},
	{what: "a metadata address", prefix: netip.MustParsePrefix("100.100.100.200/32")}, // Alibaba Cloud's
	{what: "a carrier's shared address", prefix: netip.MustParsePrefix("100.64.0.0/10"), private: true},
	{what: "a link-local address", prefix: netip.MustParsePrefix("169.254.0.0/16")}, // metadata too
	{what: "a metadata address", prefix: netip.MustParsePrefix("168.63.129.16/32")}, // Azure's
	{what: "a reserved address", prefix: netip.MustParsePrefix("192.0.0.0/24")},     // metadata too
	{what: "an address for documents", prefix: netip.MustParsePrefix("192.0.2.0/24")},
	{what: "a 6to4 relay's address", prefix: netip.MustParsePrefix("192.88.99.0/24")},
	{what: "an address for benchmarks", prefix: netip.MustParsePrefix("198.18.0.0/15")},
	{what: "an address for documents", prefix: netip.MustParsePrefix("198.51.100.0/24")},
	{what: "an address for documents", prefix: netip.MustParsePrefix("203.0.113.0/24")},
	{what: "a multicast address", prefix: netip.MustParsePrefix("224.0.0.0/4"), never: true},
	{what: "a broadcast address", prefix: netip.MustParsePrefix("255.255.255.255/32"), never: true},
	{what: "a reserved address", prefix: netip.MustParsePrefix("240.0.0.0/4")},

	{what: "an unspecified address", prefix: netip.MustParsePrefix("::/128"), never: true},
	{what: "an address of this machine", prefix: netip.MustParsePrefix("::1/128"), private: true},
	{what: "a NAT64 address", prefix: netip.MustParsePrefix("64:ff9b::/96")},
	{what: "a NAT64 address", prefix: netip.MustParsePrefix("64:ff9b:1::/48")},
	{what: "a Teredo address", prefix: netip.MustParsePrefix("2001::/32")},
	{what: "a reserved address", prefix: netip.MustParsePrefix("2001::/23")},
	{what: "an address for documents", prefix: netip.MustParsePrefix("2001:db8::/32")},
	{what: "a 6to4 address", prefix: netip.MustParsePrefix("2002::/16")},
	{what: "an address for documents", prefix: netip.MustParsePrefix("3fff::/20")},
	{what: "a metadata address", prefix: netip.MustParsePrefix("fd00:ec2::/32")}, // Amazon's
	{what: "a metadata address", prefix: netip.MustParsePrefix("fd20:ce::/32")},  // Google's
	{what: "a private address", prefix: netip.MustParsePrefix("fc00::/7"), private: true},
	{what: "a link-local address", prefix: netip.MustParsePrefix("fe80::/10")},
	{what: "a multicast address", prefix: netip.MustParsePrefix("ff00::/8"), never: true},
}

var publicIPv6 = netip.MustParsePrefix("2000::/3")

// specialOf finds what an address is for; ok is false when it is the public internet's.
func specialOf(a netip.Addr) (s special, ok bool) {
	for _, s := range specials {
		if s.prefix.Contains(a) {
			return s, true
		}
	}
	if a.Is6() && !publicIPv6.Contains(a) {
		return special{what: "an address that is not of the public internet"}, true
	}
	return special{}, false
}

// refusal is why an address may not be sent to; empty: it may be.
func (p Policy) refusal(a netip.Addr) string {
	switch {
	case !a.IsValid():
		return "no address"
	case a.Zone() != "":
		return "an address with a zone"
	case a.Is4In6():
		return "an IPv4 address in IPv6's form"
	}
	s, ok := specialOf(a)
	if !ok || s.private && p.Private {
		return ""
	}
	if !s.never {
		for _, allowed := range p.Prefixes {
			if allowed.Contains(a) {
				return ""
			}
		}
	}
	return s.what
}

// allowsPlain reports whether a destination at an address may be sent to without TLS:
// only where no stranger listens.
func (p Policy) allowsPlain(a netip.Addr) bool {
	_, ok := specialOf(a)
	return ok && p.refusal(a) == ""
}

// maxURL is how long a destination's address may be, in bytes.
const maxURL = 2048

// CheckURL refuses what no destination may have as its address, with an error of kind
// Invalid about "url" that does not repeat it. An address is https://host/… with any
// port, path and query; http where the policy allows more than the public internet, and
// then for such addresses alone. The addresses that a name leads to are checked when a
// connection is made, each time: they may be others tomorrow.
func CheckURL(text string, allow Policy) error {
	refuse := func(message string) error { return insight.NewError(insight.Invalid, "url", message) }
	if len(text) > maxURL {
		return refuse(fmt.Sprintf("it is longer than %d bytes", maxURL))
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Opaque != "" || u.Scheme == "" || u.Hostname() == "":
		return refuse("it must be of the form https://host/path")
	case u.Scheme != "https" && (u.Scheme != "http" || !allow.any()):
		return refuse("it must start with https://")
	case u.User != nil:
		return refuse("it must not hold a user or a password")
	case strings.Contains(text, "#"):
		return refuse("it must not have a fragment")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return refuse("its port must be a number from 1 to 65535")
		}
	} else if strings.HasSuffix(u.Host, ":") {
		return refuse("its port is missing after the colon")
	}
	host := u.Hostname()
	if strings.HasPrefix(u.Host, "[") || numeric(host) {
		a, err := netip.ParseAddr(host)
		if err != nil {
			return refuse("its host is neither a name nor an address in the usual form, such as 192.0.2.7 or [2001:db8::7]")
		}
		if what := allow.refusal(a); what != "" {
			return refuse("its host is " + what + ", which this installation does not send to")
		}
		if u.Scheme == "http" && !allow.allowsPlain(a) {
			return refuse("it must start with https://")
		}
		return nil
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	if !validName(name) {
		return refuse("its host is not a name; names of other alphabets are written in their ASCII form (xn--…)")
	}
	if (name == "localhost" || strings.HasSuffix(name, ".localhost")) && !allow.any() {
		return refuse("its host is this machine, which this installation does not send to")
	}
	return nil
}

// numeric reports whether a host is meant as an IPv4 address: its last part is a
// number. So 2130706433 and 0x7f.1 are, which some resolvers take for 127.0.0.1
// (https://url.spec.whatwg.org/#ends-in-a-number-checker).
func numeric(host string) bool {
	host = strings.TrimSuffix(host, ".")
	last := strings.ToLower(host[strings.LastIndexByte(host, '.')+1:])
	if last != "" && strings.Trim(last, "0123456789") == "" {
		return true
	}
	digits, hexadecimal := strings.CutPrefix(last, "0x")
	return hexadecimal && strings.Trim(digits, "0123456789abcdef") == ""
}

// validName reports whether a text is a name of DNS (RFC 1123, with the underscore that
// some have).
func validName(name string) bool {
	if name == "" || len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
	}
	return true
}
