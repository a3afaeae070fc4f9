package main

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/server"
)

// The scopes and the purpose that are enough to look around and to send events.
const (
	tryScope   = "individuals:read insights:read interactions:write"
	tryPurpose = "analytics"
)

type token struct {
	Scope      string        `placeholder:"SCOPES" help:"What the holder may do, with blanks between: individuals:read, insights:read, interactions:write, consent:write, segments:write, engage:write, requests:write, admin. Default: ${try_scope}; with --individual, self."`
	Purposes   string        `placeholder:"KEYS" help:"Purposes that the holder may declare, with blanks between. With one, requests need not name it. Default: ${try_purpose}."`
	Individual string        `placeholder:"ID" help:"Make it this individual's own token, which sees them alone."`
	TTL        time.Duration `default:"1h" help:"How long it is valid."`
	Subject    string        `default:"operator" help:"Who holds it, for the access log."`
}

// Help says how the token is signed.
func (token) Help() string {
	return "It is signed with ACQUAINT_JWT_SECRET or the data folder's own secret, and carries ACQUAINT_ISSUER and ACQUAINT_AUDIENCE where they are set."
}

var purposeKey = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,99}$`)

// Run prints a token.
func (t *token) Run(p *process) error {
	if err := p.configure(); err != nil {
		return err
	}
	if p.config.JWKSURL != "" {
		return insight.NewError(insight.Invalid, "ACQUAINT_JWKS_URL", "tokens are signed by whoever holds this key set's keys; they cannot be made here")
	}
	claims := server.Claims{
		Scope:      strings.Join(strings.FieldsFunc(t.Scope, parting), " "),
		Purposes:   strings.FieldsFunc(t.Purposes, parting),
		Individual: t.Individual,
	}
	claims.Subject = t.Subject
	if claims.Scope == "" {
		claims.Scope = tryScope
		if t.Individual != "" {
			claims.Scope = string(insight.ScopeSelf)
		}
	}
	if len(claims.Purposes) == 0 {
		claims.Purposes = []string{tryPurpose}
	}
	for _, key := range claims.Purposes {
		if !purposeKey.MatchString(key) {
			return &usage{"--purposes", "a purpose is named by its key, such as analytics: small letters, digits, - and _"}
		}
	}
	secret, err := p.config.TokenSecret()
	if err != nil {
		return err
	}
	text, err := p.sign(secret, claims, t.TTL)
	if err != nil {
		return flagged(err)
	}
	p.say("%s", text)
	return nil
}

// parting reports what stands between names: blanks, and commas.
func parting(r rune) bool { return r == ' ' || r == ',' || r == '\t' || r == '\n' }

// sign makes a token that this installation believes.
func (p *process) sign(secret []byte, claims server.Claims, ttl time.Duration) (string, error) {
	claims.Issuer = p.config.Issuer
	if p.config.Audience != "" {
		claims.Audience = jwt.ClaimStrings{p.config.Audience}
	}
	return server.Sign(secret, claims, ttl)
}

// flagged makes an error about a flag of what was refused for its value.
func flagged(err error) error {
	if e, ok := err.(*insight.Error); ok && e.Kind == insight.Invalid && //nolint:errorlint // as it was made
		slices.Contains([]string{"scope", "ttl", "individual", "map", "delimiter", "time-layout", "format", "individuals", "to"}, e.Subject) {
		return &usage{"--" + e.Subject, e.Message}
	}
	return err
}
