package config

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/acquaint/acquaint/insight"
)

func defaults() Config {
	return Config{Data: "./data", Addr: "127.0.0.1:8080", Introspection: true}
}

func TestParse(t *testing.T) {
	secret := strings.Repeat("s", 32)
	cases := map[string]struct {
		environ []string
		want    func(c *Config)
	}{
		"nothing":       {nil, func(*Config) {}},
		"empty":         {[]string{"ACQUAINT_ADDR=", "DATABASE_URL=", "ACQUAINT_LOG=", "no equals sign"}, func(*Config) {}},
		"database":      {[]string{"DATABASE_URL=postgres://u@h/d?a=b=c"}, func(c *Config) { c.DatabaseURL = "postgres://u@h/d?a=b=c" }},
		"data":          {[]string{"ACQUAINT_DATA=/var/lib/acquaint"}, func(c *Config) { c.Data = "/var/lib/acquaint" }},
		"address":       {[]string{"ACQUAINT_ADDR=:80"}, func(c *Config) { c.Addr = ":80" }},
		"the last one":  {[]string{"ACQUAINT_ADDR=:80", "ACQUAINT_ADDR=[::1]:0"}, func(c *Config) { c.Addr = "[::1]:0" }},
		"secret":        {[]string{"ACQUAINT_JWT_SECRET=" + secret}, func(c *Config) { c.Secret = []byte(secret) }},
		"key set":       {[]string{"ACQUAINT_JWKS_URL=https://id.example.com/keys"}, func(c *Config) { c.JWKSURL = "https://id.example.com/keys" }},
		"issuer":        {[]string{"ACQUAINT_ISSUER=a", "ACQUAINT_AUDIENCE=b"}, func(c *Config) { c.Issuer, c.Audience = "a", "b" }},
		"introspection": {[]string{"ACQUAINT_INTROSPECTION=false"}, func(c *Config) { c.Introspection = false }},
		"origins": {[]string{"ACQUAINT_CORS_ORIGINS=https://a.example, http://b.example:81,"}, func(c *Config) {
			c.Origins = []string{"https://a.example", "http://b.example:81"}
		}},
		"hosts":   {[]string{"ACQUAINT_HOSTS=a.example,::1"}, func(c *Config) { c.Hosts = []string{"a.example", "::1"} }},
		"public":  {[]string{"ACQUAINT_PUBLIC_URL=https://a.example/events"}, func(c *Config) { c.PublicURL = "https://a.example/events" }},
		"private": {[]string{"ACQUAINT_PRIVATE_DESTINATIONS=true"}, func(c *Config) { c.Destinations.Private = true }},
		"prefixes": {[]string{"ACQUAINT_PRIVATE_DESTINATIONS=10.1.0.0/16"}, func(c *Config) {
			c.Destinations.Prefixes = []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}
		}},
		"region":    {[]string{"ACQUAINT_PHONE_REGION=GB"}, func(c *Config) { c.Region = "GB" }},
		"sensitive": {[]string{"ACQUAINT_SENSITIVE_TRAITS=income,loyalty_tier"}, func(c *Config) { c.Sensitive = map[string]bool{"income": true, "loyalty_tier": true} }},
		"json":      {[]string{"ACQUAINT_LOG=json"}, func(c *Config) { c.Log.JSON = true }},
		"level":     {[]string{"ACQUAINT_LOG=warn"}, func(c *Config) { c.Log.Level = slog.LevelWarn }},
		"both":      {[]string{"ACQUAINT_LOG=debug, json"}, func(c *Config) { c.Log = Log{JSON: true, Level: slog.LevelDebug} }},
		"traces":    {[]string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318"}, func(*Config) {}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			want := defaults()
			c.want(&want)
			got, unknown, err := Parse(c.environ)
			if err != nil || len(unknown) > 0 {
				t.Fatalf("Parse = %q, %v", unknown, err)
			}
			if diff := cmp.Diff(want, *got, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWrongValues(t *testing.T) {
	cases := map[string][]string{
		"DATABASE_URL":                  {"mysql://h/d", "h:5432", "postgres://h:port/"},
		"ACQUAINT_ADDR":                 {"8080", "localhost", "localhost:http", ":65536", ":-1", "a:b:c"},
		"ACQUAINT_JWT_SECRET":           {"too short", strings.Repeat("s", 31)},
		"ACQUAINT_JWKS_URL":             {"id.example.com", "ftp://id.example.com", "https:///keys"},
		"ACQUAINT_INTROSPECTION":        {"on", "perhaps"},
		"ACQUAINT_CORS_ORIGINS":         {"*", "shop.example", "https://a.example/", "https://a.example/path", "https://a.example,b"},
		"ACQUAINT_HOSTS":                {"https://a.example", "a.example:80"},
		"ACQUAINT_PUBLIC_URL":           {"events.example", "ftp://events.example", "https://events.example/?a=b"},
		"ACQUAINT_CONTROLLER":           {strings.Repeat("x", 201), "a\tb"},
		"ACQUAINT_PHONE_REGION":         {"gb", "XX", "Britain"},
		"ACQUAINT_SENSITIVE_TRAITS":     {"loyaltyTier", "loyalty tier", "loyalty-tier"},
		"ACQUAINT_PRIVATE_DESTINATIONS": {"yes", "10.1.0.0/33", "example.com"},
		"ACQUAINT_LOG":                  {"xml", "json;warn", "trace"},
	}
	for _, v := range Variables() {
		if _, tried := cases[v.Name]; tried {
			continue
		}
		if _, _, err := Parse([]string{v.Name + "=any text"}); err != nil {
			t.Errorf("%s is not tried with wrong values, though it refuses some: %v", v.Name, err)
		}
	}
	for name, values := range cases {
		for _, value := range values {
			_, _, err := Parse([]string{name + "=" + value})
			if insight.KindOf(err) != insight.Invalid || !strings.HasPrefix(err.Error(), name+": ") {
				t.Errorf("%s=%s: %v, want an Invalid error that names it", name, value, err)
				continue
			}
			if strings.Contains(err.Error(), value) && len(value) > 5 {
				t.Errorf("%s: the error repeats the value: %v", name, err)
			}
		}
	}
}

func TestAllFaultsAreToldAtOnce(t *testing.T) {
	_, _, err := Parse([]string{"ACQUAINT_ADDR=x", "ACQUAINT_LOG=x", "ACQUAINT_JWKS_URL=https://a/b", "ACQUAINT_JWT_SECRET=" + strings.Repeat("s", 32)})
	if err == nil {
		t.Fatal("there is no error")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d faults are told, want 3: %v", len(lines), err)
	}
	for i, name := range []string{"ACQUAINT_ADDR", "ACQUAINT_LOG", "ACQUAINT_JWT_SECRET"} {
		if !strings.HasPrefix(lines[i], name+": ") {
			t.Errorf("fault %d is %q, want one about %s", i, lines[i], name)
		}
	}
}

func TestUnknownVariablesAreToldBack(t *testing.T) {
	_, unknown, err := Parse([]string{"ACQUAINT_ZONE=1", "ACQUAINT_ADRR=:1", "ACQUAINT_TEST_ENGINES=sqlite", "ACQUAINTANCE=1", "HOME=/", "ACQUAINT_DATA=x"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"ACQUAINT_ADRR", "ACQUAINT_ZONE"}, unknown); diff != "" {
		t.Error(diff)
	}
}

func TestExposure(t *testing.T) {
	secret := []byte(strings.Repeat("s", 32))
	cases := map[string]struct {
		c       Config
		refused bool
		hosts   []string
	}{
		"loopback":                   {Config{Addr: "127.0.0.1:0"}, false, []string{"localhost", "127.0.0.1", "::1"}},
		"loopback, another address":  {Config{Addr: "127.8.0.1:0"}, false, []string{"localhost", "127.0.0.1", "::1"}},
		"loopback of IPv6":           {Config{Addr: "[::1]:0"}, false, []string{"localhost", "127.0.0.1", "::1"}},
		"loopback by name":           {Config{Addr: "LocalHost:0"}, false, []string{"localhost", "127.0.0.1", "::1"}},
		"loopback with a secret":     {Config{Addr: "127.0.0.1:0", Secret: secret}, false, nil},
		"loopback with hosts":        {Config{Addr: "127.0.0.1:0", Hosts: []string{"a.example"}}, false, []string{"a.example"}},
		"every address":              {Config{Addr: ":8080"}, true, nil},
		"every address of IPv4":      {Config{Addr: "0.0.0.0:8080"}, true, nil},
		"another machine's":          {Config{Addr: "192.0.2.1:8080"}, true, nil},
		"a name":                     {Config{Addr: "example.com:8080"}, true, nil},
		"every address and a secret": {Config{Addr: ":8080", Secret: secret}, false, nil},
		"every address and keys":     {Config{Addr: ":8080", JWKSURL: "https://a/b"}, false, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			err := c.c.CheckExposure()
			if (err != nil) != c.refused {
				t.Errorf("CheckExposure = %v", err)
			}
			if err != nil && !strings.HasPrefix(err.Error(), "ACQUAINT_ADDR: ") {
				t.Errorf("the error does not name the variable: %v", err)
			}
			if diff := cmp.Diff(c.hosts, c.c.ServedHosts()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEveryVariableIsExplained(t *testing.T) {
	names := map[string]bool{}
	for _, v := range Variables() {
		if names[v.Name] || v.Name == "" || v.Meaning == "" || strings.HasSuffix(v.Meaning, ".") {
			t.Errorf("%q: %q", v.Name, v.Meaning)
		}
		names[v.Name] = true
	}
}
