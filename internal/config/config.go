package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"

	"github.com/acquaint/acquaint/engage/webhook"

	"github.com/acquaint/acquaint/insight"
)

// Config is everything that the environment says, with the defaults of what it
// leaves out.
type Config struct {
	DatabaseURL   string          // postgres://…; empty: SQLite in the data folder
	Data          string          // the data folder
	Addr          string          // host:port to listen on
	Secret        []byte          // signs and verifies tokens with HS256; nil: not configured
	JWKSURL       string          // the key set that verifies tokens; empty: not configured
	Issuer        string          // what a token's iss must be; empty: not checked
	Audience      string          // what a token's aud must contain; empty: not checked
	Introspection bool            // whether the schema may be asked for
	Origins       []string        // sites whose pages may ask the API
	Hosts         []string        // names that requests may be addressed to; empty: see [Config.ServedHosts]
	PublicURL     string          // where browsers reach the tracking API; empty: what a request says of itself
	Controller    string          // the name of the business, for receipts
	Region        string          // ISO 3166 country of telephone numbers that do not say theirs
	Sensitive     map[string]bool // further sensitive traits, in snake case
	Destinations  webhook.Policy  // which private addresses may be sent to
	Log           Log
}

// Log says what is logged, and how.
type Log struct {
	JSON  bool // JSON lines, in contrast to text
	Level slog.Level
}

// File is the path of the SQLite database.
func (c *Config) File() string { return filepath.Join(c.Data, "acquaint.db") }

// minSecret is the least length of an HS256 secret in bytes (RFC 7518, section 3.2).
const minSecret = 32

// Variable is one setting.
type Variable struct {
	Name    string
	Meaning string // for people, without a full stop at the end
	Default string // as it would be written in the environment; empty: there is none
	set     func(c *Config, value string) error
}

// refused is what is wrong with a value; the variable is named by [Parse].
func refused(why string) error { return insight.NewError(insight.Invalid, "", why) }

// Variables is the table of all settings, in the order in which help shows them.
func Variables() []Variable { return slices.Clone(variables) }

var variables = []Variable{
	{"DATABASE_URL", "PostgreSQL, as postgres://user:password@host:5432/database; without it, SQLite in the data folder", "", func(c *Config, v string) error {
		u, err := url.Parse(v)
		if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
			return refused("it must be of the form postgres://user:password@host:5432/database")
		}
		c.DatabaseURL = v
		return nil
	}},
	{"ACQUAINT_DATA", "the folder of the SQLite database, and of the secret that an installation makes for itself", "./data", func(c *Config, v string) error {
		c.Data = v
		return nil
	}},
	{"ACQUAINT_ADDR", "host:port to listen on; beyond loopback, ACQUAINT_JWT_SECRET or ACQUAINT_JWKS_URL must be set", "127.0.0.1:8080", func(c *Config, v string) error {
		_, port, err := net.SplitHostPort(v)
		if err != nil {
			return refused("it must be of the form host:port, such as 127.0.0.1:8080 or :8080")
		}
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return refused("its port must be a number from 0 to 65535")
		}
		c.Addr = v
		return nil
	}},
	{"ACQUAINT_JWT_SECRET", "the secret that signs and verifies tokens (HS256), at least 32 bytes; without it and ACQUAINT_JWKS_URL, the data folder's own", "", func(c *Config, v string) error {
		if len(v) < minSecret {
			return refused("it must have at least 32 bytes; openssl rand -base64 32 makes one")
		}
		c.Secret = []byte(v)
		return nil
	}},
	{"ACQUAINT_JWKS_URL", "the address of the key set that verifies tokens (RS256, ES256, EdDSA), in place of a secret", "", func(c *Config, v string) error {
		u, err := url.Parse(v)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return refused("it must be an http or https URL")
		}
		c.JWKSURL = v
		return nil
	}},
	{"ACQUAINT_ISSUER", "what a token's iss must be; without it, iss is not checked", "", func(c *Config, v string) error {
		c.Issuer = v
		return nil
	}},
	{"ACQUAINT_AUDIENCE", "what a token's aud must contain; without it, aud is not checked", "", func(c *Config, v string) error {
		c.Audience = v
		return nil
	}},
	{"ACQUAINT_INTROSPECTION", "whether clients may ask for the schema: true or false", "true", func(c *Config, v string) (err error) {
		if c.Introspection, err = strconv.ParseBool(v); err != nil {
			return refused("it must be true or false")
		}
		return nil
	}},
	{"ACQUAINT_CORS_ORIGINS", "sites whose pages may use the API, such as https://console.example.com, with commas between them", "", func(c *Config, v string) error {
		for _, origin := range list(v) {
			u, err := url.Parse(origin)
			if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.Scheme+"://"+u.Host != origin {
				return refused("an origin is a scheme and a host, such as https://console.example.com")
			}
			c.Origins = append(c.Origins, origin)
		}
		return nil
	}},
	{"ACQUAINT_HOSTS", "names that requests may be addressed to, with commas between them; without it any, but on loopback with the data folder's own secret only this machine's", "", func(c *Config, v string) error {
		for _, host := range list(v) {
			if strings.ContainsAny(host, ":/ ") && net.ParseIP(host) == nil {
				return refused("a host is a name or an address without scheme and port, such as acquaint.example.com")
			}
			c.Hosts = append(c.Hosts, host)
		}
		return nil
	}},
	{"ACQUAINT_PUBLIC_URL", "where browsers reach this server, such as https://events.example.com, for the settings that their SDKs ask for; without it, what a request says of itself", "", func(c *Config, v string) error {
		u, err := url.Parse(v)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery+u.Fragment != "" || u.User != nil {
			return refused("it must be an http or https URL without query")
		}
		c.PublicURL = v
		return nil
	}},
	{"ACQUAINT_CONTROLLER", "the name of the business that decides what personal data is used for, as receipts and archives tell it", "", func(c *Config, v string) error {
		if len(v) > 200 || strings.ContainsFunc(v, unicode.IsControl) {
			return refused("it has at most 200 characters, and no control characters")
		}
		c.Controller = v
		return nil
	}},
	{"ACQUAINT_PHONE_REGION", "the country of telephone numbers that do not say theirs, such as GB; without it such numbers identify nobody", "", func(c *Config, v string) error {
		if !phonenumbers.GetSupportedRegions()[v] {
			return refused("it must be a country by its two capital letters, such as GB")
		}
		c.Region = v
		return nil
	}},
	{"ACQUAINT_SENSITIVE_TRAITS", "keys of traits to be treated as sensitive besides GDPR's special categories, in snake_case, with commas between them", "", func(c *Config, v string) error {
		c.Sensitive = map[string]bool{}
		for _, key := range list(v) {
			if key != strings.ToLower(key) || strings.ContainsAny(key, " -.") {
				return refused("a key is written in snake_case, such as loyalty_tier")
			}
			c.Sensitive[key] = true
		}
		return nil
	}},
	{"ACQUAINT_PRIVATE_DESTINATIONS", "which addresses that are not public may be sent to: true for loopback and private networks, or prefixes such as 10.1.0.0/16 with commas between them; without it none, and only over https", "", func(c *Config, v string) error {
		if v == "true" {
			v = "private"
		}
		p, err := webhook.ParsePolicy(v)
		if err != nil {
			return refused("it is true, or prefixes such as 10.1.0.0/16 with commas between them")
		}
		c.Destinations = p
		return nil
	}},
	{"ACQUAINT_LOG", "how to log to standard error: text or json, and from which level on: debug, info, warn or error", "text,info", func(c *Config, v string) error {
		for _, word := range list(v) {
			switch word {
			case "text", "json":
				c.Log.JSON = word == "json"
			case "debug", "info", "warn", "error":
				_ = c.Log.Level.UnmarshalText([]byte(word)) // it knows these four
			default:
				return refused("it is made of text or json, and debug, info, warn or error, such as json,warn")
			}
		}
		return nil
	}},
	// The exporter reads these two, and the others of the OpenTelemetry specification, by itself.
	{"OTEL_EXPORTER_OTLP_ENDPOINT", "where to send traces over OTLP/HTTP, such as http://localhost:4318; without it, none are made", "", ignored},
	{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "the same for traces alone, with the path; the other OTEL_ variables count too", "", ignored},
}

func ignored(*Config, string) error { return nil }

// list parts a text at commas, without blanks and empty parts.
func list(text string) []string {
	var parts []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

// Parse reads an environment of NAME=value, as os.Environ gives it; where a name
// comes twice, the last one counts. Unknown lists the variables that start with
// ACQUAINT_ and mean nothing, sorted. The error joins one [insight.Invalid] error
// for each variable with a wrong value.
func Parse(environ []string) (c *Config, unknown []string, err error) {
	given := map[string]string{}
	for _, entry := range environ {
		if name, value, ok := strings.Cut(entry, "="); ok {
			given[name] = value
		}
	}
	c = &Config{}
	var faults []error
	for _, v := range variables {
		value := given[v.Name]
		delete(given, v.Name)
		if value == "" {
			value = v.Default
		}
		if value == "" {
			continue
		}
		var wrong *insight.Error
		if err := v.set(c, value); errors.As(err, &wrong) {
			faults = append(faults, insight.NewError(insight.Invalid, v.Name, wrong.Message))
		}
	}
	if c.Secret != nil && c.JWKSURL != "" {
		faults = append(faults, insight.NewError(insight.Invalid, "ACQUAINT_JWT_SECRET", "it and ACQUAINT_JWKS_URL exclude each other; unset one of them"))
	}
	for name := range given {
		// Tests read variables of their own, which mean nothing to the program.
		if strings.HasPrefix(name, "ACQUAINT_") && !strings.HasPrefix(name, "ACQUAINT_TEST_") {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return c, unknown, errors.Join(faults...)
}

// Loopback reports whether the server listens for this machine alone.
func (c *Config) Loopback() bool {
	host, _, err := net.SplitHostPort(c.Addr)
	return err == nil && (strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback())
}

// Configured reports whether the environment says whose tokens to believe.
func (c *Config) Configured() bool { return c.Secret != nil || c.JWKSURL != "" }

// CheckExposure refuses to serve other machines with a secret that nobody chose:
// an [insight.Invalid] error about ACQUAINT_ADDR.
func (c *Config) CheckExposure() error {
	if c.Loopback() || c.Configured() {
		return nil
	}
	return insight.NewError(insight.Invalid, "ACQUAINT_ADDR", fmt.Sprintf(
		"to listen beyond this machine, set ACQUAINT_JWT_SECRET (at least %d bytes) or ACQUAINT_JWKS_URL", minSecret))
}

// ServedHosts are the names that requests may be addressed to; none: any. On
// loopback with a secret that nobody chose they are this machine's own, so that a
// page of another site cannot reach the server by pointing its name here.
func (c *Config) ServedHosts() []string {
	if len(c.Hosts) > 0 || !c.Loopback() || c.Configured() {
		return slices.Clone(c.Hosts)
	}
	return []string{"localhost", "127.0.0.1", "::1"}
}
