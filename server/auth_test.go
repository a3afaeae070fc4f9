package server

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
)

var somebody = uuid.MustParse("0190a5e4-4d5b-7c3a-9b1e-2f6d8a7c5e10")

func claimsAt(now time.Time, change ...func(jwt.MapClaims)) jwt.MapClaims {
	c := jwt.MapClaims{"sub": "tester", "scope": "individuals:read", "purposes": []string{"service"}, "exp": now.Add(time.Hour).Unix()}
	for _, f := range change {
		f(c)
	}
	return c
}

func with(name string, value any) func(jwt.MapClaims) {
	return func(c jwt.MapClaims) {
		if value == nil {
			delete(c, name)
		} else {
			c[name] = value
		}
	}
}

func signWith(t *testing.T, method jwt.SigningMethod, key any, header map[string]any, claims jwt.Claims) string {
	t.Helper()
	token := jwt.NewWithClaims(method, claims)
	for k, v := range header {
		token.Header[k] = v
	}
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func secretAuth(t *testing.T, change ...func(*AuthOptions)) *Authenticator {
	t.Helper()
	o := AuthOptions{Secret: testSecret, Now: func() time.Time { return noon }}
	for _, c := range change {
		c(&o)
	}
	a, err := NewAuthenticator(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestTokensThatAreBelieved(t *testing.T) {
	issued := func(o *AuthOptions) { o.Issuer, o.Audience = "https://issuer.example", "acquaint" }
	for _, c := range []struct {
		name   string
		auth   *Authenticator
		claims jwt.MapClaims
		want   insight.Viewer
	}{
		{"plain", secretAuth(t), claimsAt(noon),
			insight.Viewer{Subject: "tester", Scopes: []insight.Scope{"individuals:read"}, Purposes: []string{"service"}}},
		{"purposes in one string", secretAuth(t), claimsAt(noon, with("purposes", "service analytics")),
			insight.Viewer{Subject: "tester", Scopes: []insight.Scope{"individuals:read"}, Purposes: []string{"service", "analytics"}}},
		{"scopes of another system count for nothing", secretAuth(t), claimsAt(noon, with("scope", "openid insights:read profile admin")),
			insight.Viewer{Subject: "tester", Scopes: []insight.Scope{"insights:read", "admin"}, Purposes: []string{"service"}}},
		{"nothing but an expiry", secretAuth(t), jwt.MapClaims{"exp": noon.Add(time.Minute).Unix()}, insight.Viewer{}},
		{"a person's own", secretAuth(t), claimsAt(noon, with("scope", "self"), with("individual", insight.FormatID("ind", somebody))),
			insight.Viewer{Subject: "tester", Scopes: []insight.Scope{"self"}, Purposes: []string{"service"}, Individual: somebody}},
		{"expired within the leeway", secretAuth(t), claimsAt(noon, with("exp", noon.Add(-29*time.Second).Unix())),
			insight.Viewer{Subject: "tester", Scopes: []insight.Scope{"individuals:read"}, Purposes: []string{"service"}}},
		{"not before, within the leeway", secretAuth(t), claimsAt(noon, with("nbf", noon.Add(29*time.Second).Unix())),
			insight.Viewer{Subject: "tester", Scopes: []insight.Scope{"individuals:read"}, Purposes: []string{"service"}}},
		{"issuer, and the audience among others", secretAuth(t, issued), claimsAt(noon, with("iss", "https://issuer.example"), with("aud", []string{"other", "acquaint"})),
			insight.Viewer{Subject: "tester", Scopes: []insight.Scope{"individuals:read"}, Purposes: []string{"service"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, until, err := c.auth.Verify(t.Context(), signWith(t, jwt.SigningMethodHS256, testSecret, nil, c.claims))
			if err != nil {
				t.Fatal(err)
			}
			if got.Subject != c.want.Subject || !slices.Equal(got.Scopes, c.want.Scopes) || !slices.Equal(got.Purposes, c.want.Purposes) || got.Individual != c.want.Individual {
				t.Errorf("viewer %+v, want %+v", *got, c.want)
			}
			if exp := c.claims["exp"].(int64) + 30; until.Unix() != exp {
				t.Errorf("believed until %v, want the expiry and the leeway", until)
			}
		})
	}
}

func TestTokensThatAreRefused(t *testing.T) {
	good := func(change ...func(jwt.MapClaims)) string {
		return signWith(t, jwt.SigningMethodHS256, testSecret, nil, claimsAt(noon, change...))
	}
	segment := func(v any) string {
		text, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(text)
	}
	valid := good()
	parts := strings.Split(valid, ".")
	otherPayload := segment(claimsAt(noon, with("scope", "admin")))
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	strict := secretAuth(t, func(o *AuthOptions) { o.Issuer, o.Audience = "https://issuer.example", "acquaint" })
	plain := secretAuth(t)
	individual := insight.FormatID("ind", somebody)

	for _, c := range []struct {
		name  string
		auth  *Authenticator
		token string
	}{
		{"nothing", plain, ""},
		{"no token", plain, "hello"},
		{"two parts", plain, parts[0] + "." + parts[1]},
		{"four parts", plain, valid + ".x"},
		{"alg none", plain, segment(map[string]string{"alg": "none", "typ": "JWT"}) + "." + parts[1] + "."},
		{"alg None with the old signature", plain, segment(map[string]string{"alg": "None"}) + "." + parts[1] + "." + parts[2]},
		{"no alg", plain, segment(map[string]string{"typ": "JWT"}) + "." + parts[1] + "." + parts[2]},
		{"alg is a number", plain, segment(map[string]any{"alg": 1}) + "." + parts[1] + "." + parts[2]},
		{"signature taken away", plain, parts[0] + "." + parts[1] + "."},
		{"signature of another payload", plain, parts[0] + "." + otherPayload + "." + parts[2]},
		{"signature cut short", plain, valid[:len(valid)-4]},
		{"signature padded", plain, valid + "="},
		{"another secret", plain, signWith(t, jwt.SigningMethodHS256, []byte("another secret that is long enough too"), nil, claimsAt(noon))},
		{"empty secret", plain, signWith(t, jwt.SigningMethodHS256, []byte{}, nil, claimsAt(noon))},
		{"HS512 with the right secret", plain, signWith(t, jwt.SigningMethodHS512, testSecret, nil, claimsAt(noon))},
		{"RS256 where HS256 is pinned", plain, signWith(t, jwt.SigningMethodRS256, key, nil, claimsAt(noon))},
		{"RS256 with a key of its own in the header", plain, signWith(t, jwt.SigningMethodRS256, key, map[string]any{"jwk": rsaJWK("x", &key.PublicKey)}, claimsAt(noon))},
		{"a critical header", plain, signWith(t, jwt.SigningMethodHS256, testSecret, map[string]any{"crit": []string{"b64"}, "b64": false}, claimsAt(noon))},
		{"expired", plain, good(with("exp", noon.Add(-31*time.Second).Unix()))},
		{"expired long ago", plain, good(with("exp", 0))},
		{"no expiry", plain, good(with("exp", nil))},
		{"expiry is words", plain, good(with("exp", "tomorrow"))},
		{"expiry beyond all time", plain, good(with("exp", 1e300))},
		{"not yet", plain, good(with("nbf", noon.Add(31*time.Second).Unix()))},
		{"no issuer", strict, good(with("aud", "acquaint"))},
		{"another issuer", strict, good(with("aud", "acquaint"), with("iss", "https://issuer.example.evil"))},
		{"no audience", strict, good(with("iss", "https://issuer.example"))},
		{"another audience", strict, good(with("iss", "https://issuer.example"), with("aud", "acquaint-other"))},
		{"huge", plain, good(with("padding", strings.Repeat("x", 8<<10)))},
		{"scope is a list", plain, good(with("scope", []string{"admin"}))},
		{"purposes are numbers", plain, good(with("purposes", []int{1}))},
		{"self and more", plain, good(with("scope", "self individuals:read"), with("individual", individual))},
		{"self and admin", plain, good(with("scope", "admin self"), with("individual", individual))},
		{"self twice", plain, good(with("scope", "self self"), with("individual", individual))},
		{"self without an individual", plain, good(with("scope", "self"))},
		{"an individual without self", plain, good(with("individual", individual))},
		{"self of what is no individual", plain, good(with("scope", "self"), with("individual", insight.FormatID("ses", somebody)))},
		{"self of no id", plain, good(with("scope", "self"), with("individual", "' OR 1=1"))},
		{"claims that are a list", plain, parts[0] + "." + segment([]int{1}) + "." + parts[2]},
		{"deeply nested claims", plain, parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("[", 5000))) + "." + parts[2]},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, _, err := c.auth.Verify(t.Context(), c.token)
			if got != nil || insight.KindOf(err) != insight.Unauthenticated {
				t.Fatalf("viewer %v, error %v, want Unauthenticated", got, err)
			}
			if err.Error() != errToken.Error() {
				t.Errorf("the error is %q, and so tells which part was wrong", err)
			}
		})
	}
}

func TestCredentials(t *testing.T) {
	a := secretAuth(t)
	token := signed(t, Claims{Scope: "insights:read", Purposes: Names{"service", "analytics"}}, time.Hour)
	for _, c := range []struct {
		name    string
		header  http.Header
		kind    insight.Kind
		purpose string
	}{
		{"bearer", http.Header{"Authorization": {"Bearer " + token}, PurposeHeader: {"analytics"}}, 0, "analytics"},
		{"any case of the scheme", http.Header{"Authorization": {"bEARER " + token}}, 0, ""},
		{"spaces around the purpose", http.Header{"Authorization": {"Bearer " + token}, PurposeHeader: {" service "}}, 0, "service"},
		{"none", http.Header{}, insight.Unauthenticated, ""},
		{"basic", http.Header{"Authorization": {"Basic " + token}}, insight.Unauthenticated, ""},
		{"no scheme", http.Header{"Authorization": {token}}, insight.Unauthenticated, ""},
		{"two tokens", http.Header{"Authorization": {"Bearer " + token, "Bearer " + token}}, insight.Unauthenticated, ""},
		{"two purposes", http.Header{"Authorization": {"Bearer " + token}, PurposeHeader: {"service", "analytics"}}, insight.Invalid, ""},
		{"a purpose that is a novel", http.Header{"Authorization": {"Bearer " + token}, PurposeHeader: {strings.Repeat("a", 101)}}, insight.Invalid, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, _, err := a.admit(t.Context(), headerCredentials(c.header))
			if c.kind != 0 {
				if insight.KindOf(err) != c.kind || err == nil {
					t.Errorf("error %v, want %v", err, c.kind)
				}
				return
			}
			if err != nil || v.Purpose != c.purpose {
				t.Errorf("viewer %+v, error %v, want the purpose %q", v, err, c.purpose)
			}
		})
	}
}

func TestSign(t *testing.T) {
	individual := insight.FormatID("ind", somebody)
	for _, c := range []struct {
		name   string
		secret []byte
		claims Claims
		ttl    time.Duration
	}{
		{"a short secret", []byte("short"), Claims{}, time.Hour},
		{"no time to live", testSecret, Claims{}, 0},
		{"an unknown scope", testSecret, Claims{Scope: "individuals:write"}, time.Hour},
		{"self and more", testSecret, Claims{Scope: "self admin", Individual: individual}, time.Hour},
		{"self without an individual", testSecret, Claims{Scope: "self"}, time.Hour},
		{"more than fits", testSecret, Claims{Purposes: Names{strings.Repeat("p", 9000)}}, time.Hour},
	} {
		if token, err := Sign(c.secret, c.claims, c.ttl); insight.KindOf(err) != insight.Invalid || err == nil {
			t.Errorf("%s: Sign = %q, %v, want an Invalid error", c.name, token, err)
		}
	}
	token, err := Sign(testSecret, Claims{Scope: "self", Individual: individual}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	a, err := NewAuthenticator(t.Context(), AuthOptions{Secret: testSecret})
	if err != nil {
		t.Fatal(err)
	}
	if v, _, err := a.Verify(t.Context(), token); err != nil || v.Individual != somebody {
		t.Errorf("Verify of what Sign made = %+v, %v", v, err)
	}
}

func TestAuthenticatorOptions(t *testing.T) {
	for name, o := range map[string]AuthOptions{
		"nothing":         {},
		"a short secret":  {Secret: []byte("too short")},
		"both":            {Secret: testSecret, JWKSURL: "https://issuer.example/keys"},
		"no URL":          {JWKSURL: "keys.json"},
		"a file":          {JWKSURL: "file:///etc/passwd"},
		"a scheme of its": {JWKSURL: "gopher://issuer.example/keys"},
	} {
		if _, err := NewAuthenticator(t.Context(), o); insight.KindOf(err) != insight.Invalid || err == nil {
			t.Errorf("%s: error %v, want Invalid", name, err)
		}
	}
}

// ------------------------------------------------------------ key sets

func number(n *big.Int) string { return base64.RawURLEncoding.EncodeToString(n.Bytes()) }

func rsaJWK(kid string, key *rsa.PublicKey) map[string]any {
	return map[string]any{"kty": "RSA", "kid": kid, "use": "sig", "n": number(key.N), "e": number(big.NewInt(int64(key.E)))}
}

func ecJWK(kid string, key *ecdsa.PublicKey) map[string]any {
	point, err := key.Bytes()
	if err != nil {
		panic(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	return map[string]any{"kty": "EC", "crv": "P-256", "kid": kid, "alg": "ES256", "x": encode(point[1:33]), "y": encode(point[33:])}
}

func edJWK(kid string, key ed25519.PublicKey) map[string]any {
	return map[string]any{"kty": "OKP", "crv": "Ed25519", "kid": kid, "alg": "EdDSA", "x": base64.RawURLEncoding.EncodeToString(key)}
}

// issuer publishes a key set that a test changes, and counts who asks for it.
type issuer struct {
	mu    sync.Mutex
	keys  []map[string]any
	asked int
	away  bool
	http  *httptest.Server
}

func newIssuer(t *testing.T, keys ...map[string]any) *issuer {
	i := &issuer{keys: keys}
	i.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.asked++
		if i.away {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": i.keys})
	}))
	t.Cleanup(i.http.Close)
	return i
}

func (i *issuer) publish(away bool, keys ...map[string]any) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.away, i.keys = away, keys
}

func (i *issuer) count() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.asked
}

func keySetAuth(t *testing.T, i *issuer) *Authenticator {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	a, err := NewAuthenticator(ctx, AuthOptions{JWKSURL: i.http.URL, Client: i.http.Client(), Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

type keyring struct {
	rsa *rsa.PrivateKey
	ec  *ecdsa.PrivateKey
	ed  ed25519.PrivateKey
}

func newKeyring(t *testing.T) keyring {
	t.Helper()
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, d, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return keyring{r, e, d}
}

func (k keyring) set() []map[string]any {
	return []map[string]any{
		rsaJWK("r", &k.rsa.PublicKey), ecJWK("e", &k.ec.PublicKey), edJWK("d", k.ed.Public().(ed25519.PublicKey)),
	}
}

func kid(name string) map[string]any { return map[string]any{"kid": name} }

func TestKeySetVerifiesEachAlgorithm(t *testing.T) {
	k := newKeyring(t)
	a := keySetAuth(t, newIssuer(t, k.set()...))
	for _, c := range []struct {
		name   string
		method jwt.SigningMethod
		key    crypto.PrivateKey
		header map[string]any
	}{
		{"RS256", jwt.SigningMethodRS256, k.rsa, kid("r")},
		{"ES256", jwt.SigningMethodES256, k.ec, kid("e")},
		{"EdDSA", jwt.SigningMethodEdDSA, k.ed, kid("d")},
		{"RS256 that names no key", jwt.SigningMethodRS256, k.rsa, nil},
	} {
		v, _, err := a.Verify(t.Context(), signWith(t, c.method, c.key, c.header, claimsAt(noon)))
		if err != nil || v.Subject != "tester" {
			t.Errorf("%s: viewer %v, error %v", c.name, v, err)
		}
	}
}

func TestKeySetRefuses(t *testing.T) {
	k, foreign := newKeyring(t), newKeyring(t)
	secretKey := map[string]any{"kty": "oct", "kid": "o", "k": base64.RawURLEncoding.EncodeToString(testSecret)}
	encryption := rsaJWK("enc", &foreign.rsa.PublicKey)
	encryption["use"] = "enc"
	a := keySetAuth(t, newIssuer(t, append(k.set(), secretKey, encryption)...))
	der, err := x509.MarshalPKIXPublicKey(&k.rsa.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	pkcs1 := pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&k.rsa.PublicKey)})

	for _, c := range []struct {
		name   string
		method jwt.SigningMethod
		key    any
		header map[string]any
	}{
		{"none", jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, kid("r")},
		{"the public key as an HMAC secret", jwt.SigningMethodHS256, public, kid("r")},
		{"the public key as an HMAC secret, PKCS #1", jwt.SigningMethodHS256, pkcs1, kid("r")},
		{"the public key as an HMAC secret, DER", jwt.SigningMethodHS256, der, kid("r")},
		{"HS256 with a published secret", jwt.SigningMethodHS256, testSecret, kid("o")},
		{"a foreign RSA key", jwt.SigningMethodRS256, foreign.rsa, kid("r")},
		{"a foreign EC key", jwt.SigningMethodES256, foreign.ec, kid("e")},
		{"a foreign Ed25519 key", jwt.SigningMethodEdDSA, foreign.ed, kid("d")},
		{"a foreign key in the header", jwt.SigningMethodRS256, foreign.rsa, map[string]any{"kid": "r", "jwk": rsaJWK("r", &foreign.rsa.PublicKey)}},
		{"a foreign key set in the header", jwt.SigningMethodRS256, foreign.rsa, map[string]any{"kid": "f", "jku": "https://evil.example/keys"}},
		{"another key's id", jwt.SigningMethodRS256, k.rsa, kid("e")},
		{"a key for encryption", jwt.SigningMethodRS256, foreign.rsa, kid("enc")},
		{"an id that is a path", jwt.SigningMethodRS256, foreign.rsa, kid("../../../../dev/null")},
		{"an id that is SQL", jwt.SigningMethodRS256, foreign.rsa, kid("r' UNION SELECT 'x")},
		{"an id that is a number", jwt.SigningMethodRS256, k.rsa, map[string]any{"kid": 7}},
		{"RS512 with the right key", jwt.SigningMethodRS512, k.rsa, kid("r")},
		{"PS256 with the right key", jwt.SigningMethodPS256, k.rsa, kid("r")},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, _, err := a.Verify(t.Context(), signWith(t, c.method, c.key, c.header, claimsAt(noon)))
			if v != nil || insight.KindOf(err) != insight.Unauthenticated || err == nil {
				t.Errorf("viewer %v, error %v, want Unauthenticated", v, err)
			}
		})
	}
}

func TestKeySetRotation(t *testing.T) {
	old, fresh := newKeyring(t), newKeyring(t)
	i := newIssuer(t, rsaJWK("old", &old.rsa.PublicKey))
	a := keySetAuth(t, i)
	before := signWith(t, jwt.SigningMethodRS256, old.rsa, kid("old"), claimsAt(noon))
	after := signWith(t, jwt.SigningMethodRS256, fresh.rsa, kid("new"), claimsAt(noon))
	if _, _, err := a.Verify(t.Context(), before); err != nil {
		t.Fatalf("before the rotation: %v", err)
	}
	i.publish(false, rsaJWK("new", &fresh.rsa.PublicKey))
	if _, _, err := a.Verify(t.Context(), after); err != nil {
		t.Errorf("a token of the new key: %v", err)
	}
	if _, _, err := a.Verify(t.Context(), before); insight.KindOf(err) != insight.Unauthenticated || err == nil {
		t.Errorf("a token of the key that was taken away: error %v, want Unauthenticated", err)
	}
}

func TestUnknownKeysDoNotFloodTheIssuer(t *testing.T) {
	k := newKeyring(t)
	i := newIssuer(t, k.set()...)
	a := keySetAuth(t, i)
	for n := range 50 {
		token := signWith(t, jwt.SigningMethodEdDSA, k.ed, kid(strings.Repeat("x", n+1)), claimsAt(noon))
		if v, _, err := a.Verify(t.Context(), token); v != nil || err == nil {
			t.Fatal("a token of an unknown key was believed")
		}
	}
	if n := i.count(); n > 5 {
		t.Errorf("50 unknown keys asked the issuer %d times, want at most the first fetch and three", n)
	}
	if _, _, err := a.Verify(t.Context(), signWith(t, jwt.SigningMethodEdDSA, k.ed, kid("d"), claimsAt(noon))); err != nil {
		t.Errorf("a known key during the flood: %v", err)
	}
}

func TestIssuerAway(t *testing.T) {
	k := newKeyring(t)
	i := newIssuer(t)
	i.publish(true)
	a := keySetAuth(t, i)
	token := signWith(t, jwt.SigningMethodEdDSA, k.ed, kid("d"), claimsAt(noon))
	if _, _, err := a.Verify(t.Context(), token); insight.KindOf(err) != insight.Unavailable {
		t.Errorf("while no key was ever fetched: error %v, want Unavailable", err)
	}
	i.publish(false, k.set()...)
	if _, _, err := a.Verify(t.Context(), token); err != nil {
		t.Errorf("once the issuer is back: %v", err)
	}
	i.publish(true)
	if _, _, err := a.Verify(t.Context(), token); err != nil {
		t.Errorf("away again, with the keys known: %v", err)
	}
}

func FuzzVerify(f *testing.F) {
	a, err := NewAuthenticator(context.Background(), AuthOptions{Secret: testSecret, Now: func() time.Time { return noon }})
	if err != nil {
		f.Fatal(err)
	}
	token, err := SignAt(noon, testSecret, Claims{Scope: "admin", Purposes: Names{"service"}}, time.Hour)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token)
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("..")
	f.Fuzz(func(t *testing.T, text string) {
		v, _, err := a.Verify(context.Background(), text)
		if text == token {
			if err != nil {
				t.Fatalf("the valid token: %v", err)
			}
			return
		}
		if v != nil || insight.KindOf(err) != insight.Unauthenticated || err == nil {
			t.Fatalf("viewer %v, error %v, want Unauthenticated", v, err)
		}
	})
}
