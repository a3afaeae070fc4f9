package server

import (
	"context"
	"crypto"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/time/rate"

	"github.com/acquaint/acquaint/insight"
)

// PurposeHeader is the header in which a request names what it reads for.
const PurposeHeader = "Acquaint-Purpose"

const (
	maxToken   = 8 << 10
	maxPurpose = 100
	leeway     = 30 * time.Second
)

// AuthOptions says whose tokens are believed. Exactly one of Secret and JWKSURL
// is set.
type AuthOptions struct {
	Secret   []byte // HS256, and nothing else; at least MinSecretBytes
	JWKSURL  string // RS256, ES256 or EdDSA by the keys found there, and nothing else
	Issuer   string // what iss must be; empty: not checked
	Audience string // what aud must contain; empty: not checked

	Now    func() time.Time // the clock; nil: time.Now
	Client *http.Client     // fetches the key set; nil: one of its own with a timeout of ten seconds
	Logger *slog.Logger     // nil: none
}

// Authenticator turns a token into a viewer.
type Authenticator struct {
	parser *jwt.Parser
	keys   func(context.Context) jwt.Keyfunc
	loaded func(context.Context) bool // whether there is any key to verify with
	now    func() time.Time
	log    *slog.Logger
}

// NewAuthenticator checks the options and, for a JWKS URL, fetches the key set.
// A key set that cannot be fetched yet is no error: it is fetched again when a
// token asks for a key, at most three times a minute, and once an hour in any
// case. The refreshing ends with ctx.
func NewAuthenticator(ctx context.Context, o AuthOptions) (*Authenticator, error) {
	a := &Authenticator{now: o.Now, log: o.Logger}
	if a.now == nil {
		a.now = time.Now
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	var methods []string
	switch {
	case len(o.Secret) > 0 && o.JWKSURL != "":
		return nil, insight.NewError(insight.Invalid, "auth", "a secret and a JWKS URL exclude each other: with both, which algorithm to believe would be the token's choice")
	case o.JWKSURL != "":
		methods = []string{"RS256", "ES256", "EdDSA"}
		if err := a.useKeySet(ctx, o); err != nil {
			return nil, err
		}
	default:
		if err := checkSecret(o.Secret); err != nil {
			return nil, err
		}
		methods = []string{"HS256"}
		secret := append([]byte(nil), o.Secret...)
		a.keys = func(context.Context) jwt.Keyfunc {
			return func(*jwt.Token) (any, error) { return secret, nil }
		}
		a.loaded = func(context.Context) bool { return true }
	}
	checks := []jwt.ParserOption{
		jwt.WithValidMethods(methods), jwt.WithExpirationRequired(), jwt.WithLeeway(leeway),
		jwt.WithTimeFunc(a.now), jwt.WithStrictDecoding(),
	}
	if o.Issuer != "" {
		checks = append(checks, jwt.WithIssuer(o.Issuer))
	}
	if o.Audience != "" {
		checks = append(checks, jwt.WithAudience(o.Audience))
	}
	a.parser = jwt.NewParser(checks...)
	return a, nil
}

func (a *Authenticator) useKeySet(ctx context.Context, o AuthOptions) error {
	if u, err := url.Parse(o.JWKSURL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return insight.NewError(insight.Invalid, "jwks", "the address of a key set is an http or https URL")
	}
	client := o.Client
	if client == nil {
		client = &http.Client{Timeout: 10 * time.Second}
	}
	remote, err := jwkset.NewStorageFromHTTP(o.JWKSURL, jwkset.HTTPClientStorageOptions{
		Client: client, Ctx: ctx, HTTPTimeout: 10 * time.Second, RefreshInterval: time.Hour, NoErrorReturnFirstHTTPReq: true,
		RefreshErrorHandler: func(ctx context.Context, err error) {
			a.log.WarnContext(ctx, "the key set could not be fetched", "error", err)
		},
	})
	if err != nil {
		return insight.WrapError("server.NewAuthenticator", insight.Unavailable, err)
	}
	storage, err := jwkset.NewHTTPClient(jwkset.HTTPClientOptions{
		HTTPURLs:          map[string]jwkset.Storage{o.JWKSURL: remote},
		RateLimitWaitMax:  time.Second,
		RefreshUnknownKID: rate.NewLimiter(rate.Every(20*time.Second), 3),
	})
	if err != nil {
		return insight.WrapError("server.NewAuthenticator", insight.Internal, err)
	}
	keys, err := keyfunc.New(keyfunc.Options{Ctx: ctx, Storage: storage, UseWhitelist: []jwkset.USE{jwkset.UseSig, ""}})
	if err != nil {
		return insight.WrapError("server.NewAuthenticator", insight.Internal, err)
	}
	a.keys = func(ctx context.Context) jwt.Keyfunc {
		named := keys.KeyfuncCtx(ctx)
		return func(token *jwt.Token) (any, error) {
			if _, names := token.Header["kid"]; names {
				return named(token)
			}
			return unnamed(ctx, storage, token)
		}
	}
	a.loaded = func(ctx context.Context) bool {
		all, err := storage.KeyReadAll(ctx)
		return err == nil && len(all) > 0
	}
	return nil
}

// unnamed are the keys that may have signed a token that names none: those that are
// for signing, and for the token's algorithm where they say for which.
func unnamed(ctx context.Context, storage jwkset.Storage, token *jwt.Token) (jwt.VerificationKeySet, error) {
	all, err := storage.KeyReadAll(ctx)
	if err != nil {
		return jwt.VerificationKeySet{}, err
	}
	var set jwt.VerificationKeySet
	for _, k := range all {
		says := k.Marshal()
		if says.USE != jwkset.UseSig && says.USE != "" || says.ALG != "" && says.ALG.String() != token.Method.Alg() {
			continue
		}
		key := k.Key()
		if pair, ok := key.(interface{ Public() crypto.PublicKey }); ok {
			key = pair.Public()
		}
		set.Keys = append(set.Keys, key)
	}
	return set, nil
}

// errToken is all that a client learns of a token that is not believed.
var errToken = insight.NewError(insight.Unauthenticated, "", "a valid bearer token is needed")

// Verify returns who a token names and the moment from which it is no longer
// believed. Every fault of the token is the same [insight.Unauthenticated]
// error; where no key has been fetched yet the error is [insight.Unavailable].
func (a *Authenticator) Verify(ctx context.Context, token string) (*insight.Viewer, time.Time, error) {
	refuse := func(reason string) (*insight.Viewer, time.Time, error) {
		a.log.DebugContext(ctx, "a token was refused", "reason", reason)
		return nil, time.Time{}, errToken
	}
	if token == "" || len(token) > maxToken {
		return refuse("size")
	}
	if strings.ContainsFunc(token, strange) { // the decoder skips line breaks, so that one token had many texts
		return refuse("malformed")
	}
	var claims Claims
	parsed, err := a.parser.ParseWithClaims(token, &claims, a.keys(ctx))
	if err != nil {
		if !a.loaded(ctx) {
			return nil, time.Time{}, insight.NewError(insight.Unavailable, "", "the keys that verify tokens could not be fetched yet")
		}
		return refuse(refusal(err))
	}
	// RFC 7515, section 4.1.11: what a critical header asks for and is not understood is not ignored.
	if _, critical := parsed.Header["crit"]; critical {
		return refuse("critical header")
	}
	v, err := claims.viewer()
	if err != nil {
		return refuse("claims")
	}
	return v, claims.ExpiresAt.Add(leeway), nil
}

// strange reports whether a token cannot hold a character.
func strange(c rune) bool {
	return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.'
}

// refusal is a reason for the log: one of a few words, nothing of the token.
func refusal(err error) string {
	for _, r := range []struct {
		is   error
		name string
	}{
		{jwt.ErrTokenMalformed, "malformed"},
		{jwt.ErrTokenUnverifiable, "no key"},
		{jwt.ErrTokenSignatureInvalid, "signature or algorithm"},
		{jwt.ErrTokenExpired, "expired"},
		{jwt.ErrTokenNotValidYet, "not valid yet"},
		{jwt.ErrTokenInvalidIssuer, "issuer"},
		{jwt.ErrTokenInvalidAudience, "audience"},
	} {
		if errors.Is(err, r.is) {
			return r.name
		}
	}
	return "claims"
}

// credentials are what a request says of who is asking, not yet believed.
type credentials struct {
	authorization []string
	purpose       []string
}

func headerCredentials(h http.Header) credentials {
	return credentials{authorization: h.Values("Authorization"), purpose: h.Values(PurposeHeader)}
}

// admit believes credentials or refuses them.
func (a *Authenticator) admit(ctx context.Context, c credentials) (*insight.Viewer, time.Time, error) {
	if len(c.authorization) != 1 {
		return nil, time.Time{}, errToken
	}
	scheme, token, ok := strings.Cut(c.authorization[0], " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return nil, time.Time{}, errToken
	}
	v, until, err := a.Verify(ctx, strings.Trim(token, " "))
	if err != nil {
		return nil, time.Time{}, err
	}
	switch {
	case len(c.purpose) > 1:
		return nil, time.Time{}, insight.NewError(insight.Invalid, PurposeHeader, "a request reads for one purpose")
	case len(c.purpose) == 1:
		v.Purpose = strings.TrimSpace(c.purpose[0])
	}
	if len(v.Purpose) > maxPurpose {
		return nil, time.Time{}, insight.NewError(insight.Invalid, PurposeHeader, "a purpose is named by its key, which is shorter than this")
	}
	return v, until, nil
}
