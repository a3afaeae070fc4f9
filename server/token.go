package server

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
	"unicode"

	"github.com/golang-jwt/jwt/v5"

	"github.com/acquaint/acquaint/insight"
)

// MinSecretBytes is the least length of an HS256 secret: that of the hash
// (RFC 7518, section 3.2).
const MinSecretBytes = 32

// Names is a list of names in a token: a JSON array of strings, or one string
// with the names separated by spaces.
type Names []string

// UnmarshalJSON reads either form.
func (n *Names) UnmarshalJSON(text []byte) error {
	var list []string
	if err := json.Unmarshal(text, &list); err == nil {
		*n = list
		return nil
	}
	var line string
	if err := json.Unmarshal(text, &line); err != nil {
		return insight.NewError(insight.Invalid, "", "a list of names is an array of strings or one string")
	}
	*n = strings.Fields(line)
	return nil
}

// Claims is what a token says.
type Claims struct {
	Scope      string `json:"scope,omitempty"`      // scopes, separated by spaces
	Purposes   Names  `json:"purposes,omitempty"`   // keys of the purposes that the holder may declare
	Individual string `json:"individual,omitempty"` // whose own token it is (ind_…), with the scope self alone
	jwt.RegisteredClaims
}

// UnmarshalJSON reads claims. Their names are told apart by case, as RFC 7519 has it,
// and none may stand there twice: of two, another reader of the same token may take
// the other one.
func (c *Claims) UnmarshalJSON(text []byte) error {
	into := map[string]any{
		"scope": &c.Scope, "purposes": &c.Purposes, "individual": &c.Individual, "sub": &c.Subject, "iss": &c.Issuer, "aud": &c.Audience,
		"exp": &c.ExpiresAt, "nbf": &c.NotBefore, "iat": &c.IssuedAt, "jti": &c.ID,
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return insight.NewError(insight.Invalid, "", "claims are an object")
	}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string) // as every name of an object is
		if seen[name] {
			return insight.NewError(insight.Invalid, "", "a claim stands there twice")
		}
		seen[name] = true
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		if field := into[name]; field != nil {
			if err := json.Unmarshal(value, field); err != nil {
				return err
			}
		}
	}
	return nil
}

// Sign makes an HS256 token that is valid from now for ttl. The issued-at,
// not-before and expiry claims are set; the rest is taken as given. It refuses a
// secret shorter than [MinSecretBytes], a ttl that is not positive, unknown
// scopes, and claims that no [Authenticator] would accept.
func Sign(secret []byte, claims Claims, ttl time.Duration) (string, error) {
	return SignAt(time.Now(), secret, claims, ttl)
}

// SignAt is [Sign] at a given moment.
func SignAt(now time.Time, secret []byte, claims Claims, ttl time.Duration) (string, error) {
	if err := checkSecret(secret); err != nil {
		return "", err
	}
	if ttl <= 0 {
		return "", insight.NewError(insight.Invalid, "ttl", "a token's time to live is positive")
	}
	for _, name := range scopes(claims.Scope) {
		if !known(insight.Scope(name)) {
			return "", insight.NewError(insight.Invalid, "scope", "this scope does not exist; the scopes are "+scopeList())
		}
	}
	if _, err := claims.viewer(); err != nil {
		return "", err
	}
	claims.IssuedAt = jwt.NewNumericDate(now)
	claims.NotBefore = jwt.NewNumericDate(now)
	claims.ExpiresAt = jwt.NewNumericDate(now.Add(ttl))
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(secret)
	if err != nil {
		return "", insight.WrapError("server.Sign", insight.Internal, err)
	}
	if len(text) > maxToken {
		return "", insight.NewError(insight.Invalid, "token", "the claims make a token of more than 8 KB")
	}
	return text, nil
}

func checkSecret(secret []byte) error {
	if len(secret) < MinSecretBytes {
		return insight.NewError(insight.Invalid, "secret", "the secret that signs tokens has at least 32 bytes")
	}
	return nil
}

// viewer reads the claims that are ours. Scopes that we do not know are another
// system's, and count for nothing.
func (c *Claims) viewer() (*insight.Viewer, error) {
	if strings.ContainsFunc(c.Subject, unicode.IsControl) { // it stands in the access log, which PostgreSQL keeps
		return nil, insight.NewError(insight.Invalid, "sub", "a subject holds no control characters")
	}
	v := &insight.Viewer{Subject: c.Subject, Purposes: c.Purposes}
	self := false
	for _, name := range scopes(c.Scope) {
		s := insight.Scope(name)
		if known(s) {
			v.Scopes = append(v.Scopes, s)
			self = self || s == insight.ScopeSelf
		}
	}
	if self != (c.Individual != "") {
		return nil, insight.NewError(insight.Invalid, "individual", "the scope self and the claim individual come together or not at all")
	}
	if !self {
		return v, nil
	}
	if len(v.Scopes) != 1 {
		return nil, insight.NewError(insight.Invalid, "scope", "the scope self stands alone")
	}
	id, err := insight.ParseIDOf(insight.IndividualPrefix, "individual", c.Individual)
	if err != nil {
		return nil, err
	}
	v.Individual = id
	return v, nil
}

// scopes are the names in a list of them, which blanks separate and nothing else does
// (RFC 6749, section 3.3).
func scopes(list string) []string {
	return strings.FieldsFunc(list, func(c rune) bool { return c == ' ' })
}

func known(s insight.Scope) bool {
	for _, k := range insight.Scopes {
		if k == s {
			return true
		}
	}
	return false
}

func scopeList() string {
	names := make([]string, len(insight.Scopes))
	for i, s := range insight.Scopes {
		names[i] = string(s)
	}
	return strings.Join(names, ", ")
}
