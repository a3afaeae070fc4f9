package server

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/golang-jwt/jwt/v5"

	"github.com/acquaint/acquaint/graph"
	"github.com/acquaint/acquaint/ingest"
	"github.com/acquaint/acquaint/ingest/tracking"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/testdb"
)

// attack is one way of asking for more than a token gives, and what comes of it.
type attack struct {
	name    string
	door    string // where it is tried: see doors
	token   string
	purpose []string // what is declared; nil: analytics
	query   string   // what is asked; "": for everybody

	// code is what it is refused with. UNAUTHENTICATED is of the whole request, with
	// nothing else told; "" says that it is no attack: the answer is data.
	code string
	data string
}

// The ways in which tokens are believed.
const (
	bySecret = "secret" // HS256
	strictly = "strict" // HS256, with an issuer and an audience
	byKeys   = "keys"   // RS256, ES256 and EdDSA, by a key set
)

const (
	everybody = `{ individuals { nodes { id } } }`
	whoAmI    = `{ viewer { scopes individual { id } } }`
)

// doors is a whole graph over a database with people in it, behind each of the ways
// in which tokens are believed.
type doors struct {
	t      *testing.T
	log    *logBook
	http   map[string]*httptest.Server
	people map[string]string // ids by name: ada, bob (who survived carol), carol, dan (who was erased)

	// What the key set holds: good keys, one for encryption, and one for RS512 alone.
	keys              keyring
	encryption, other *rsa.PrivateKey
}

func openDoors(t *testing.T) *doors {
	t.Helper()
	d := &doors{t: t, log: &logBook{}, http: map[string]*httptest.Server{}, keys: newKeyring(t), people: map[string]string{}}
	for _, key := range []**rsa.PrivateKey{&d.encryption, &d.other} {
		var err error
		if *key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			t.Fatal(err)
		}
	}
	kept := testdb.Open(t, testdb.SQLite(t))
	pipeline := ingest.New(kept)
	t.Cleanup(func() {
		if err := pipeline.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	schema := graph.New(graph.Options{Store: kept, Ingest: pipeline, Decoder: &tracking.Decoder{Directory: kept}})

	encryption := rsaJWK("enc", &d.encryption.PublicKey)
	encryption["use"] = "enc"
	other := rsaJWK("other", &d.other.PublicKey)
	other["alg"] = "RS512"
	secret := map[string]any{"kty": "oct", "kid": "o", "k": base64.RawURLEncoding.EncodeToString(testSecret)}
	published := newIssuer(t, append(d.keys.set(), encryption, other, secret)...)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	now := func() time.Time { return noon }
	for door, o := range map[string]AuthOptions{
		bySecret: {Secret: testSecret},
		strictly: {Secret: testSecret, Issuer: "https://issuer.example", Audience: "acquaint"},
		byKeys:   {JWKSURL: published.http.URL, Client: published.http.Client()},
	} {
		o.Now, o.Logger = now, d.log.Logger()
		auth, err := NewAuthenticator(ctx, o)
		if err != nil {
			t.Fatal(err)
		}
		api, err := NewGraphQL(GraphQLOptions{Schema: schema, Auth: auth, Logger: d.log.Logger()})
		if err != nil {
			t.Fatal(err)
		}
		shell, err := New(Options{Graph: api, Logger: d.log.Logger()})
		if err != nil {
			t.Fatal(err)
		}
		served := httptest.NewServer(shell.Handler())
		d.http[door] = served
		t.Cleanup(func() {
			if err := api.Stop(context.Background()); err != nil {
				t.Error(err)
			}
			served.Close()
		})
	}
	d.settle()
	return d
}

// settle makes the people.
func (d *doors) settle() {
	d.t.Helper()
	admin := signed(d.t, Claims{Scope: "admin individuals:read", Purposes: Names{"analytics"}}, time.Hour)
	do := func(query string, into any) {
		d.t.Helper()
		got := d.post(attack{door: bySecret, token: admin, query: query}, mediaJSON)
		if got.code != "" {
			d.t.Fatalf("%s: %s", query, got.text)
		}
		if err := json.Unmarshal([]byte(got.data), into); err != nil {
			d.t.Fatal(err)
		}
	}
	var nothing any
	do(`mutation { recordInteractions(input: {interactions: [
		{messageId: "1", userId: "ada", type: "page", occurredAt: "2025-05-01T10:00:00Z"}, {messageId: "2", userId: "bob", type: "page", occurredAt: "2025-05-01T10:00:00Z"},
		{messageId: "3", userId: "carol", type: "page", occurredAt: "2025-05-01T10:00:00Z"}, {messageId: "4", userId: "dan", type: "page", occurredAt: "2025-05-01T10:00:00Z"}]}) { accepted } }`, &nothing)
	var found map[string]struct{ ID string }
	do(`{ ada: individual(by: {userId: "ada"}) { id } bob: individual(by: {userId: "bob"}) { id } carol: individual(by: {userId: "carol"}) { id } dan: individual(by: {userId: "dan"}) { id } }`, &found)
	for name, one := range found {
		d.people[name] = one.ID
	}
	var merged struct {
		Merge struct{ Individual struct{ ID string } }
	}
	do(`mutation { merge(input: {into: {userId: "bob"}, from: {userId: "carol"}, reason: "one person"}) { individual { id } } }`, &merged)
	if merged.Merge.Individual.ID == d.people["carol"] { // the older one survives, whoever that is
		d.people["bob"], d.people["carol"] = d.people["carol"], d.people["bob"]
	}
	do(`mutation { erase(input: {individual: {userId: "dan"}, reason: "he asked"}) { request { id } } }`, &nothing)
}

// outcome is what came of a request.
type outcome struct {
	status       int
	header       http.Header
	text         string
	code, data   string
	closedWith   websocket.StatusCode
	closedBeside string // what was heard before it was closed
}

func readOutcome(text string) outcome {
	var answer struct {
		Data   json.RawMessage
		Errors []struct{ Extensions struct{ Code string } }
	}
	o := outcome{text: text}
	if json.Unmarshal([]byte(text), &answer) != nil {
		return o
	}
	o.data = string(answer.Data)
	if len(answer.Errors) > 0 {
		o.code = answer.Errors[0].Extensions.Code
	}
	return o
}

func (a attack) ask() string {
	if a.query == "" {
		return everybody
	}
	return a.query
}

func (a attack) purposes() []string {
	if a.purpose == nil {
		return []string{"analytics"}
	}
	return a.purpose
}

// post asks over HTTP: for an answer, or for an event stream.
func (d *doors) post(a attack, accept string, headers ...string) outcome {
	d.t.Helper()
	body, _ := json.Marshal(map[string]any{"query": a.ask()}) // a text always marshals
	request, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, d.http[a.door].URL+"/graphql", strings.NewReader(string(body)))
	if err != nil {
		d.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", accept)
	if len(headers) == 0 {
		request.Header.Set("Authorization", "Bearer "+a.token)
	}
	request.Header[PurposeHeader] = a.purposes()
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		request.Header[name] = append(request.Header[name], value)
	}
	response, err := d.http[a.door].Client().Do(request)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	told := string(text)
	if strings.HasPrefix(response.Header.Get("Content-Type"), mediaEvents) {
		_, told, _ = strings.Cut(told, "event: next\ndata: ")
		told, _, _ = strings.Cut(told, "\n\n")
	}
	o := readOutcome(told)
	o.status, o.header = response.StatusCode, response.Header
	return o
}

// dial asks over a websocket, whose token is in its first message or in the header of
// the request that opens it.
func (d *doors) dial(a attack, inHeader bool) outcome {
	d.t.Helper()
	o := &websocket.DialOptions{HTTPClient: d.http[a.door].Client(), HTTPHeader: http.Header{}, Subprotocols: []string{subprotocol}}
	initial := map[string]any{"type": "connection_init"}
	if inHeader {
		o.HTTPHeader.Set("Authorization", "Bearer "+a.token)
		o.HTTPHeader[PurposeHeader] = a.purposes()
	} else {
		payload := map[string]string{"authorization": "Bearer " + a.token}
		for n, p := range a.purposes() { // the second in another case
			payload[PurposeHeader[:n]+strings.ToLower(PurposeHeader[n:])] = p
		}
		initial["payload"] = payload
	}
	conn, response, err := websocket.Dial(d.t.Context(), d.http[a.door].URL+"/graphql", o)
	if err != nil {
		d.t.Fatal(err)
	}
	if response.Body != nil {
		_ = response.Body.Close()
	}
	defer func() { _ = conn.CloseNow() }()
	c := &client{d.t, conn}
	text, _ := json.Marshal(initial) // texts always marshal
	c.say(string(text))
	m, code := c.hear()
	if m.Type != "connection_ack" {
		return outcome{closedWith: code, closedBeside: string(m.Payload)}
	}
	c.say(subscribeTo("1", a.ask()))
	m, code = c.hear()
	if m.Type == "error" {
		return readOutcome(`{"errors":` + string(m.Payload) + `}`)
	}
	told := readOutcome(string(m.Payload))
	told.closedWith = code
	return told
}

const refusedBody = `{"errors":[{"message":"a valid bearer token is needed","extensions":{"code":"UNAUTHENTICATED"}}]}`

// try tries an attack in every way that a token may come.
func (d *doors) try(a attack) {
	d.t.Helper()
	check := func(way string, got outcome) {
		d.t.Helper()
		if got.code != a.code || a.data != "" && got.data != a.data || a.code == "" && got.data == "" {
			d.t.Errorf("%s: code %q, data %s, want code %q, data %s (%s)", way, got.code, got.data, a.code, a.data, got.text)
		}
	}
	whole := a.code == codeUnauthenticated || a.code == codeBadUserInput // refused before anything is run
	for _, accept := range []string{mediaGraphQL, mediaJSON, mediaEvents} {
		if strings.ContainsAny(a.token, "\r\n\x00") {
			break // no header can carry it
		}
		got := d.post(a, accept)
		check(accept, got)
		if a.code == codeUnauthenticated && (got.status != http.StatusUnauthorized || got.text != refusedBody || got.header.Get("WWW-Authenticate") != "Bearer") {
			d.t.Errorf("%s: %d %s %q, want 401, Bearer and no word more", accept, got.status, got.text, got.header.Get("WWW-Authenticate"))
		}
		if !whole && got.status != http.StatusOK {
			d.t.Errorf("%s: %d %s, want an answer of the graph", accept, got.status, got.text)
		}
	}
	for _, inHeader := range []bool{false, true} {
		if inHeader && strings.ContainsAny(a.token, "\r\n\x00") {
			continue
		}
		got := d.dial(a, inHeader)
		if !whole {
			check("a socket", got)
		} else if got.closedWith != closeForbidden || got.closedBeside != "" {
			d.t.Errorf("a socket hears %q and is closed with %d, want %d alone", got.closedBeside+got.text, got.closedWith, closeForbidden)
		}
	}
}

// segment is a part of a token.
func segment(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // of the test itself
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// forge signs whatever texts as header and claims.
func forge(t *testing.T, method jwt.SigningMethod, key any, header, claims string) string {
	t.Helper()
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	signature, err := method.Sign(text, key)
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// TestTokenAttacks is the one table of what is known to be tried with tokens.
func TestTokenAttacks(t *testing.T) {
	d := openDoors(t)
	evil := newKeyring(t)
	var asked atomic.Int64
	trap := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": evil.set()})
	}))
	defer trap.Close()

	// What the attacker would like to be, and what a good token says.
	admin := claimsAt(noon, with("scope", "admin individuals:read"), with("purposes", "service analytics marketing"))
	reader := func(change ...func(jwt.MapClaims)) jwt.MapClaims {
		return claimsAt(noon, append([]func(jwt.MapClaims){with("purposes", []string{"analytics", "service"})}, change...)...)
	}
	good := func(change ...func(jwt.MapClaims)) string {
		return signWith(t, jwt.SigningMethodHS256, testSecret, nil, reader(change...))
	}
	headed := func(header map[string]any) string {
		return signWith(t, jwt.SigningMethodHS256, testSecret, header, reader())
	}
	parts := strings.Split(good(), ".")
	wish := segment(admin)
	unsigned := func(header any) string { return segment(header) + "." + wish + "." }
	plainHeader, plainClaims := `{"alg":"HS256","typ":"JWT"}`, `{"scope":"individuals:read","purposes":["analytics"],"exp":`+text(t, noon.Add(time.Hour).Unix())
	said := func(claims string) string {
		return forge(t, jwt.SigningMethodHS256, testSecret, plainHeader, claims)
	}

	var all []attack
	add := func(door, code string, rows map[string]string) {
		for _, name := range slices.Sorted(maps.Keys(rows)) {
			all = append(all, attack{name: door + ": " + name, door: door, token: rows[name], code: code})
		}
	}

	// ---------------------------------------------------------------- no signature
	for _, door := range []string{bySecret, byKeys} {
		rows := map[string]string{}
		for _, alg := range []any{"none", "None", "nOnE", "NONE", "none ", "", nil, 0, true, []string{"none"}, map[string]any{"none": 1}} {
			name := "alg " + text(t, alg)
			rows[name+", nothing signed"] = unsigned(map[string]any{"alg": alg, "typ": "JWT"})
			rows[name+", signed for something else"] = unsigned(map[string]any{"alg": alg, "kid": "r"}) + parts[2]
		}
		rows["no alg"] = unsigned(map[string]any{"typ": "JWT"})
		rows["none by the library's own hand"] = signWith(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, kid("r"), admin)
		rows["none, without the last dot"] = strings.TrimSuffix(unsigned(map[string]any{"alg": "none"}), ".")
		rows["alg said twice, none first"] = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","alg":"HS256"}`)) + "." + wish + "."
		rows["alg said twice, none last"] = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","alg":"none"}`)) + "." + wish + "."
		rows["alg in capitals"] = base64.RawURLEncoding.EncodeToString([]byte(`{"ALG":"none"}`)) + "." + wish + "."
		rows["HS256, nothing signed"] = unsigned(map[string]any{"alg": "HS256"})
		rows["RS256, nothing signed"] = unsigned(map[string]any{"alg": "RS256", "kid": "r"})
		rows["a header that is a list"] = segment([]string{"HS256"}) + "." + wish + "."
		rows["a header that is null"] = segment(nil) + "." + wish + "."
		rows["five parts, as encryption has"] = unsigned(map[string]any{"alg": "dir", "enc": "A256GCM"}) + ".." + parts[2]
		rows["dots alone"] = ".."
		rows["nothing"] = ""
		add(door, codeUnauthenticated, rows)
	}

	// ---------------------------------------------------------------- confusion of algorithms
	public, err := x509.MarshalPKIXPublicKey(&d.keys.rsa.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	pkcs1 := x509.MarshalPKCS1PublicKey(&d.keys.rsa.PublicKey)
	jwk, _ := json.Marshal(rsaJWK("r", &d.keys.rsa.PublicKey)) // texts always marshal
	spki, err := x509.MarshalPKIXPublicKey(&d.keys.ec.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	pemOf := func(kind string, der []byte) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	}
	confused := map[string]string{}
	for name, key := range map[string][]byte{
		"PEM": pemOf("PUBLIC KEY", public), "PEM without its last line break": []byte(strings.TrimSpace(string(pemOf("PUBLIC KEY", public)))), "DER": public,
		"PEM, PKCS #1": pemOf("RSA PUBLIC KEY", pkcs1), "DER, PKCS #1": pkcs1, "JWK": jwk, "its modulus": d.keys.rsa.N.Bytes(),
		"the modulus in base64": []byte(number(d.keys.rsa.N)), "the EC key's PEM": pemOf("PUBLIC KEY", spki), "the Ed25519 key": d.keys.ed.Public().(ed25519.PublicKey),
		"nothing": {}, "the secret of the other way": testSecret,
	} {
		for _, id := range []string{"r", "e", "d", "o"} {
			confused["HS256 with the public key as its secret: "+name+", kid "+id] = signWith(t, jwt.SigningMethodHS256, key, kid(id), admin)
		}
	}
	header := func(alg, id string) string { return `{"alg":"` + alg + `","kid":"` + id + `"}` }
	claims, _ := json.Marshal(admin) // texts and numbers always marshal
	macs := func(alg string, key []byte) string {
		return forge(t, jwt.SigningMethodHS256, key, header(alg, "r"), string(claims))
	}
	bare := sha256.Sum256([]byte(base64.RawURLEncoding.EncodeToString([]byte(plainHeader)) + "." + segment(admin)))
	hashed := base64.RawURLEncoding.EncodeToString([]byte(plainHeader)) + "." + segment(admin) + "." + base64.RawURLEncoding.EncodeToString(bare[:])
	confused["RS256, signed with HMAC and the PEM"] = macs("RS256", pemOf("PUBLIC KEY", public))
	confused["RS256, signed with HMAC and the secret"] = macs("RS256", testSecret)
	confused["ES256, signed with RSA"] = forge(t, jwt.SigningMethodRS256, d.keys.rsa, header("ES256", "r"), string(claims))
	confused["ES256 by the EC key's id, signed with RSA"] = forge(t, jwt.SigningMethodRS256, d.keys.rsa, header("ES256", "e"), string(claims))
	confused["RS256, signed with the EC key"] = forge(t, jwt.SigningMethodES256, d.keys.ec, header("RS256", "e"), string(claims))
	confused["RS256 by the RSA key's id, signed with the EC key"] = forge(t, jwt.SigningMethodES256, d.keys.ec, header("RS256", "r"), string(claims))
	confused["EdDSA, signed with the EC key"] = forge(t, jwt.SigningMethodES256, d.keys.ec, header("EdDSA", "e"), string(claims))
	confused["ES256, signed with the Ed25519 key"] = forge(t, jwt.SigningMethodEdDSA, d.keys.ed, header("ES256", "d"), string(claims))
	confused["RS256, with the id of the EC key"] = signWith(t, jwt.SigningMethodRS256, d.keys.rsa, kid("e"), admin)
	confused["RS512 with the right key"] = signWith(t, jwt.SigningMethodRS512, d.keys.rsa, kid("r"), admin)
	confused["RS384 with the right key"] = signWith(t, jwt.SigningMethodRS384, d.keys.rsa, kid("r"), admin)
	confused["PS256 with the right key"] = signWith(t, jwt.SigningMethodPS256, d.keys.rsa, kid("r"), admin)
	confused["RS256 with a key that is for RS512"] = signWith(t, jwt.SigningMethodRS256, d.other, kid("other"), admin)
	confused["RS256 with a key that is for RS512, of which nothing is said"] = signWith(t, jwt.SigningMethodRS256, d.other, nil, admin)
	confused["RS256 with a key for encryption"] = signWith(t, jwt.SigningMethodRS256, d.encryption, kid("enc"), admin)
	confused["RS256 with a key for encryption, of which nothing is said"] = signWith(t, jwt.SigningMethodRS256, d.encryption, nil, admin)
	zeros := base64.RawURLEncoding.EncodeToString(make([]byte, 64))
	confused["ES256, r and s are zero"] = segment(map[string]string{"alg": "ES256", "kid": "e"}) + "." + wish + "." + zeros
	confused["EdDSA, all is zero"] = segment(map[string]string{"alg": "EdDSA", "kid": "d"}) + "." + wish + "." + zeros
	confused["RS256, the signature is 1"] = segment(map[string]string{"alg": "RS256", "kid": "r"}) + "." + wish + "." + base64.RawURLEncoding.EncodeToString(big.NewInt(1).FillBytes(make([]byte, 256)))
	add(byKeys, codeUnauthenticated, confused)
	add(bySecret, codeUnauthenticated, map[string]string{
		"RS256":                               signWith(t, jwt.SigningMethodRS256, evil.rsa, nil, admin),
		"ES256":                               signWith(t, jwt.SigningMethodES256, evil.ec, nil, admin),
		"EdDSA":                               signWith(t, jwt.SigningMethodEdDSA, evil.ed, nil, admin),
		"RS256, signed with HMAC":             macs("RS256", testSecret),
		"HS384 with the right secret":         signWith(t, jwt.SigningMethodHS384, testSecret, nil, admin),
		"HS512 with the right secret":         signWith(t, jwt.SigningMethodHS512, testSecret, nil, admin),
		"HS256, signed with SHA-512":          forge(t, jwt.SigningMethodHS512, testSecret, plainHeader, string(claims)),
		"HS256, a hash without a key":         hashed,
		"hs256":                               forge(t, jwt.SigningMethodHS256, testSecret, `{"alg":"hs256"}`, string(claims)),
		"HS256 with a blank":                  forge(t, jwt.SigningMethodHS256, testSecret, `{"alg":"HS256 "}`, string(claims)),
		"another secret":                      signWith(t, jwt.SigningMethodHS256, []byte(strings.Repeat("x", 32)), nil, admin),
		"an empty secret":                     signWith(t, jwt.SigningMethodHS256, []byte{}, nil, admin),
		"the secret cut short":                signWith(t, jwt.SigningMethodHS256, testSecret[:32], nil, admin),
		"the secret with a line break":        signWith(t, jwt.SigningMethodHS256, append(slices.Clone(testSecret), '\n'), nil, admin),
		"the secret in base64":                signWith(t, jwt.SigningMethodHS256, []byte(base64.StdEncoding.EncodeToString(testSecret)), nil, admin),
		"a usual secret":                      signWith(t, jwt.SigningMethodHS256, []byte("your-256-bit-secret"), nil, admin),
		"signed with what the header names":   signWith(t, jwt.SigningMethodHS256, []byte("../../../../dev/null"), kid("../../../../dev/null"), admin),
		"signed with the content of the file": signWith(t, jwt.SigningMethodHS256, []byte{}, kid("/dev/null"), admin),
	})

	// ---------------------------------------------------------------- what the header asks for
	ids := map[string]any{
		"a path": "../../../../dev/null", "a file": "file:///dev/null", "SQL": "r' UNION SELECT 'x", "SQL in double quotes": `r" OR "1"="1`, "a URL": trap.URL, "a command": "r|id", "unknown": "nobody",
		"huge": strings.Repeat("k", 6000), "empty": "", "blank": " r", "in capitals": "R", "with NUL": "r\x00", "a number": 7, "an object": map[string]any{"kid": "r"}, "a list": []string{"r"}, "null": nil, "true": true, "a template": "{{.}}%s%n",
	}
	for name, id := range ids {
		rows := map[string]string{}
		rows["kid is "+name+", a foreign key"] = signWith(t, jwt.SigningMethodRS256, evil.rsa, map[string]any{"kid": id}, admin)
		rows["kid is "+name+", the right key"] = signWith(t, jwt.SigningMethodRS256, d.keys.rsa, map[string]any{"kid": id}, admin)
		rows["kid is "+name+", HMAC"] = signWith(t, jwt.SigningMethodHS256, []byte{}, map[string]any{"kid": id}, admin)
		add(byKeys, codeUnauthenticated, rows)
		add(bySecret, codeUnauthenticated, map[string]string{"kid is " + name: signWith(t, jwt.SigningMethodHS256, []byte{}, map[string]any{"kid": id}, admin)})
	}
	certificate := []string{base64.StdEncoding.EncodeToString(public)}
	for name, extra := range map[string]map[string]any{
		"jku": {"jku": trap.URL}, "jku beside the right host": {"jku": d.http[byKeys].URL + "@" + strings.TrimPrefix(trap.URL, "http://")}, "x5u": {"x5u": trap.URL}, "jwk": {"jwk": rsaJWK("r", &evil.rsa.PublicKey)},
		"x5c": {"x5c": certificate}, "x5t": {"x5t": "AAAA"}, "all of them": {"jku": trap.URL, "x5u": trap.URL, "jwk": rsaJWK("r", &evil.rsa.PublicKey), "x5c": certificate}, "iss": {"iss": trap.URL},
	} {
		for _, id := range []string{"r", "stranger"} {
			h := maps.Clone(extra)
			h["kid"] = id
			add(byKeys, codeUnauthenticated, map[string]string{name + " leads to a foreign key, kid " + id: signWith(t, jwt.SigningMethodRS256, evil.rsa, h, admin)})
		}
		add(bySecret, codeUnauthenticated, map[string]string{name + " leads to a foreign key": signWith(t, jwt.SigningMethodRS256, evil.rsa, extra, admin)})
	}
	add(bySecret, codeUnauthenticated, map[string]string{
		"jwk of the attacker's own secret": signWith(t, jwt.SigningMethodHS256, []byte(strings.Repeat("e", 32)), map[string]any{"jwk": map[string]any{"kty": "oct", "k": segment("e")}}, admin),
		"crit":                             headed(map[string]any{"crit": []string{"exp"}}),
		"crit, unencoded payload":          headed(map[string]any{"crit": []string{"b64"}, "b64": false}),
		"crit of nothing":                  headed(map[string]any{"crit": []string{}}),
		"crit of a text":                   headed(map[string]any{"crit": "exp"}),
		"crit of null":                     headed(map[string]any{"crit": nil}),
	})
	add(byKeys, codeUnauthenticated, map[string]string{
		"a foreign RSA key":                       signWith(t, jwt.SigningMethodRS256, evil.rsa, kid("r"), admin),
		"a foreign RSA key of which nothing said": signWith(t, jwt.SigningMethodRS256, evil.rsa, nil, admin),
		"a foreign EC key":                        signWith(t, jwt.SigningMethodES256, evil.ec, kid("e"), admin),
		"a foreign Ed25519 key":                   signWith(t, jwt.SigningMethodEdDSA, evil.ed, kid("d"), admin),
		"HS256 with a published secret":           signWith(t, jwt.SigningMethodHS256, testSecret, kid("o"), admin),
		"crit":                                    signWith(t, jwt.SigningMethodRS256, d.keys.rsa, map[string]any{"kid": "r", "crit": []string{"exp"}}, admin),
	})

	// ---------------------------------------------------------------- when, by whom, for whom
	add(bySecret, codeUnauthenticated, map[string]string{
		"expired":                       good(with("exp", noon.Add(-31*time.Second).Unix())),
		"expired at the leeway's end":   good(with("exp", noon.Add(-30*time.Second).Unix())),
		"expired in 1970":               good(with("exp", 0)),
		"expired before 1970":           good(with("exp", -1)),
		"exp missing":                   said(`{"scope":"individuals:read","purposes":["analytics"]}`),
		"exp is null":                   said(`{"scope":"individuals:read","purposes":["analytics"],"exp":null}`),
		"exp is words":                  good(with("exp", "tomorrow")),
		"exp is a date":                 good(with("exp", noon.Add(time.Hour).Format(time.RFC3339))),
		"exp is true":                   good(with("exp", true)),
		"exp is a list":                 good(with("exp", []int64{noon.Add(time.Hour).Unix()})),
		"exp beyond all time":           good(with("exp", 1e300)),
		"exp in capitals":               said(`{"scope":"individuals:read","purposes":["analytics"],"EXP":` + text(t, noon.Add(time.Hour).Unix()) + `}`),
		"exp said twice":                said(plainClaims + `,"exp":` + text(t, noon.Add(-time.Hour).Unix()) + `}`),
		"exp said twice, the good last": said(`{"scope":"individuals:read","purposes":["analytics"],"exp":1,"exp":` + text(t, noon.Add(time.Hour).Unix()) + `}`),
		"not yet":                       good(with("nbf", noon.Add(31*time.Second).Unix())),
		"not yet, in words":             good(with("nbf", "tomorrow")),
	})
	issued := with("iss", "https://issuer.example")
	mine := with("aud", "acquaint")
	rows := map[string]string{
		"no issuer and no audience": good(), "no audience": good(issued), "no issuer": good(mine),
		"exp missing": signWith(t, jwt.SigningMethodHS256, testSecret, nil, reader(issued, mine, with("exp", nil))),
	}
	for name, aud := range map[string]any{
		"another": "other", "empty": "", "longer": "acquaint-other", "shorter": "acquain", "with a blank": "acquaint ", "with NUL": "acquaint\x00", "in capitals": "Acquaint", "a wildcard": "*", "comma-joined": "other,acquaint", "blank-joined": "other acquaint",
		"an empty list": []string{}, "a list of others": []string{"other", "acquaint-other"}, "a list in a list": [][]string{{"acquaint"}}, "a list with a number": []any{"acquaint", 7}, "an object": map[string]any{"acquaint": true}, "a number": 7, "true": true,
	} {
		rows["the audience is "+name] = good(issued, with("aud", aud))
	}
	rows["the audience is null"] = said(plainClaims + `,"iss":"https://issuer.example","aud":null}`)
	rows["the audience in capitals"] = said(plainClaims + `,"iss":"https://issuer.example","AUD":"acquaint"}`)
	rows["the audience said twice"] = said(plainClaims + `,"iss":"https://issuer.example","aud":"other","aud":"acquaint"}`)
	for name, iss := range map[string]any{
		"another": "https://evil.example", "empty": "", "longer": "https://issuer.example.evil.example", "with a path": "https://issuer.example/", "with a user": "https://issuer.example@evil.example", "without its scheme": "issuer.example",
		"in capitals": "HTTPS://ISSUER.EXAMPLE", "with a blank": " https://issuer.example", "a list": []string{"https://issuer.example"}, "a list of two": []string{"https://evil.example", "https://issuer.example"}, "an object": map[string]any{"url": "https://issuer.example"}, "a number": 7,
	} {
		rows["the issuer is "+name] = good(mine, with("iss", iss))
	}
	rows["the issuer is null"] = said(plainClaims + `,"aud":"acquaint","iss":null}`)
	rows["the issuer said twice"] = said(plainClaims + `,"aud":"acquaint","iss":"https://evil.example","iss":"https://issuer.example"}`)
	add(strictly, codeUnauthenticated, rows)

	// ---------------------------------------------------------------- the text of a token
	signature := parts[2]
	last := strings.IndexByte(base64url, signature[len(signature)-1])
	loose := signature[:len(signature)-1] + base64url[last|1:last|1+1] // two bits of the last character stand for nothing
	if last&1 != 0 {
		t.Fatal("the encoder leaves bits that stand for nothing")
	}
	dashed := good()
	for n := 0; !strings.ContainsAny(dashed[strings.LastIndexByte(dashed, '.'):], "-_"); n++ {
		dashed = good(with("jti", n))
	}
	unpadded := base64.RawURLEncoding.EncodeToString([]byte(plainHeader)) + "." + base64.URLEncoding.EncodeToString([]byte(plainClaims+strings.Repeat(" ", 1+(3-len(plainClaims)%3)%3)+`}`))
	mac, err := jwt.SigningMethodHS256.Sign(unpadded, testSecret)
	if err != nil {
		t.Fatal(err)
	}
	padded := unpadded + "." + base64.RawURLEncoding.EncodeToString(mac)
	if !strings.Contains(padded, "=") {
		t.Fatal("there is nothing to pad")
	}
	valid := parts[0] + "." + parts[1] + "."
	rows = map[string]string{
		"no signature": valid, "one character less": valid + signature[:len(signature)-1], "four characters less": valid + signature[:len(signature)-4], "one character": valid + signature[:1],
		"one character more": valid + signature + "A", "four characters more": valid + signature + "AAAA", "twice": valid + signature + signature, "a part more": valid + signature + ".", "the same part more": valid + signature + "." + signature,
		"padded": valid + signature + "=", "padded twice": valid + signature + "==", "padding in other words": valid + signature + "%3D",
		"a line break at the end": valid + signature + "\n", "a line break of two at the end": valid + signature + "\r\n", "a line break inside": valid + signature[:20] + "\n" + signature[20:], "carriage returns inside": valid + signature[:20] + "\r\r" + signature[20:],
		"a line break before": "\n" + valid + signature, "a line break in the claims": parts[0] + "." + parts[1][:8] + "\n" + parts[1][8:] + "." + signature,
		"a tab at the end": valid + signature + "\t.", "NUL at the end": valid + signature + "\x00", "NUL and more": valid + signature + "\x00AAAA", "a comma and another": valid + signature + "," + valid + signature, "a blank and another": valid + signature + " " + valid + signature,
		"bits that stand for nothing": valid + loose, "the wrong alphabet": strings.NewReplacer("-", "+", "_", "/").Replace(dashed), "in capitals": strings.ToUpper(valid + signature), "quoted": `"` + valid + signature + `"`,
		"in base64 once more": base64.RawURLEncoding.EncodeToString([]byte(valid + signature)), "other letters that look so": strings.Replace(valid+signature, "e", "е", 1),
		"of other claims": parts[0] + "." + wish + "." + signature, "of another header": segment(map[string]any{"alg": "HS256", "kid": "x"}) + "." + parts[1] + "." + signature, "claims and header changed over": parts[1] + "." + parts[0] + "." + signature,
		"claims that are padded": padded,
	}
	add(bySecret, codeUnauthenticated, rows)
	open := `{"exp":` + text(t, noon.Add(time.Hour).Unix()) + `,"purposes":["analytics"]`
	add(bySecret, codeUnauthenticated, map[string]string{
		"over 8 KB":                       good(with("padding", strings.Repeat("x", 8<<10))),
		"far over 8 KB":                   good(with("padding", strings.Repeat("x", 40<<10))),
		"a scope of over 8 KB":            good(with("scope", strings.Repeat("admin ", 2000))),
		"a list":                          said(`[` + plainClaims + `}]`),
		"null":                            said(`null`),
		"a text":                          said(`"admin"`),
		"a number":                        said(`7`),
		"nothing at all":                  said(``),
		"cut short":                       said(plainClaims),
		"and more":                        said(plainClaims + `}{}`),
		"a byte order mark":               said("\ufeff" + plainClaims + `}`),
		"deeply nested, unread":           said(plainClaims + `,"x":` + strings.Repeat("[", 5000) + `}`),
		"deeply nested and closed":        said(plainClaims + `,"x":` + strings.Repeat("[", 3000) + strings.Repeat("]", 3001) + `}`),
		"deeply nested scope":             said(open + `,"scope":` + strings.Repeat(`["admin"`, 300) + strings.Repeat("]", 300) + `}`),
		"scope said twice":                said(plainClaims + `,"scope":"admin"}`),
		"scope said twice, once escaped":  said(plainClaims + `,"sc\u006fpe":"admin"}`),
		"purposes said twice":             said(plainClaims + `,"purposes":["marketing"]}`),
		"individual said twice":           said(open + `,"scope":"self","individual":"` + d.people["bob"] + `","individual":"` + d.people["ada"] + `"}`),
		"sub said twice":                  said(plainClaims + `,"sub":"a","sub":"b"}`),
		"a subject that no text can be":   said(plainClaims + `,"sub":"a\u0000b"}`),
		"a subject that is a list":        said(plainClaims + `,"sub":["operator"]}`),
		"a subject that is a number":      said(plainClaims + `,"sub":7}`),
		"purposes are an object":          good(with("purposes", map[string]any{"analytics": true})),
		"purposes are numbers":            good(with("purposes", []int{1})),
		"purposes are lists":              good(with("purposes", [][]string{{"analytics"}})),
		"scope is a list":                 good(with("scope", []string{"admin"})),
		"scope is an object":              good(with("scope", map[string]any{"admin": true})),
		"scope is a number":               good(with("scope", 1)),
		"scope is true":                   good(with("scope", true)),
		"self and more":                   good(with("scope", "self individuals:read"), with("individual", d.people["ada"])),
		"self and admin":                  good(with("scope", "admin self"), with("individual", d.people["ada"])),
		"self twice":                      good(with("scope", "self self"), with("individual", d.people["ada"])),
		"self without an individual":      good(with("scope", "self")),
		"self of an empty individual":     good(with("scope", "self"), with("individual", "")),
		"an individual without self":      good(with("individual", d.people["ada"])),
		"an individual without any scope": good(with("scope", ""), with("individual", d.people["ada"])),
		"an individual and admin":         good(with("scope", "admin"), with("individual", d.people["ada"])),
		"an individual and SELF":          good(with("scope", "SELF"), with("individual", d.people["ada"])),
		"self of what is no individual":   good(with("scope", "self"), with("individual", insight.FormatID(insight.SessionPrefix, somebody))),
		"self of a request":               good(with("scope", "self"), with("individual", insight.FormatID(insight.RequestPrefix, somebody))),
		"self of a bare id":               good(with("scope", "self"), with("individual", somebody.String())),
		"self of no id":                   good(with("scope", "self"), with("individual", "' OR 1=1")),
		"self of everybody":               good(with("scope", "self"), with("individual", "*")),
		"self of two":                     good(with("scope", "self"), with("individual", []string{d.people["ada"], d.people["bob"]})),
		"self of two in one text":         good(with("scope", "self"), with("individual", d.people["ada"]+" "+d.people["bob"])),
		"self of an id in capitals":       good(with("scope", "self"), with("individual", strings.ToUpper(d.people["ada"]))),
	})

	// ---------------------------------------------------------------- asking for more than is given
	ask := func(name, code, token, query string, purpose ...string) {
		all = append(all, attack{name: name, door: bySecret, token: token, query: query, purpose: purpose, code: code})
	}
	for name, scope := range map[string]any{
		"no scope": nil, "an empty scope": "", "a scope in capitals": "INDIVIDUALS:READ", "admin in capitals": "ADMIN", "unknown scopes": "individuals:write openid superuser root", "a wildcard": "*", "a wildcard of a kind": "individuals:*", "comma-joined": "individuals:read,admin",
		"joined by a tab": "openid\tadmin", "joined by a line break": "openid\nadmin", "joined by a blank that is none": "openid\u00a0admin", "joined by NUL": "openid\x00admin", "longer": "admin2", "shorter": "individuals:rea", "with a letter that looks so": "аdmin", "another's": "insights:read", "all others": "insights:read interactions:write consent:write segments:write engage:write requests:write",
	} {
		ask("scope: "+name, codeForbidden, good(with("scope", scope)), "")
	}
	ask("scope in another case beside it", codeForbidden, said(open+`,"scope":"","Scope":"admin"}`), "")
	ask("scope in capitals alone", codeForbidden, said(open+`,"SCOPE":"admin individuals:read"}`), "")
	ask("purposes in capitals alone", codeForbidden, said(`{"scope":"individuals:read","exp":`+text(t, noon.Add(time.Hour).Unix())+`,"PURPOSES":["analytics"]}`), "")
	ask("individual in capitals alone", codeForbidden, said(open+`,"scope":"openid","INDIVIDUAL":"`+d.people["ada"]+`"}`), "")
	for name, mutation := range map[string]string{
		"a source":     `createSource(input: {name: "x"}) { writeKey }`,
		"a merger":     `merge(input: {into: {userId: "ada"}, from: {userId: "bob"}, reason: "x"}) { link { id } }`,
		"interactions": `recordInteractions(input: {interactions: [{messageId: "x", userId: "ada", type: "x", occurredAt: "2025-05-01T10:00:00Z"}]}) { accepted }`,
		"a statement":  `identify(input: {userId: "ada"}) { individual { id } }`,
		"consent":      `recordConsents(input: {individual: {userId: "ada"}, consents: [{purpose: "marketing", decision: GRANTED}]}) { consents { id } }`,
		"a purpose":    `definePurpose(input: {key: "analytics", name: "x", description: "", legalBasis: CONSENT}) { purpose { key } }`,
		"an archive":   `requestExport(input: {individual: {userId: "ada"}}) { url }`,
		"an erasure":   `erase(input: {individual: {userId: "ada"}, reason: "x"}) { request { id } }`,
		"a correction": `rectify(input: {individual: {userId: "ada"}, traits: {a: 1}}) { request { id } }`,
		"an objection": `object(input: {individual: {userId: "ada"}}) { request { id } }`,
	} {
		ask("a reader asks for "+name, codeForbidden, good(), "mutation { "+mutation+" }")
		ask("ada asks for "+name+" of others", codeForbidden, good(with("scope", "self"), with("individual", d.people["ada"])), "mutation { "+strings.ReplaceAll(mutation, `"ada"`, `"bob"`)+" }")
	}
	for name, purpose := range map[string]string{
		"not in the token": "marketing", "unknown": "nonsense", "in capitals": "ANALYTICS", "two with a blank": "analytics service", "two with a comma": "analytics,service", "two with a semicolon": "analytics;service", "a wildcard": "*", "SQL": "analytics' OR '1'='1", "a pattern": "%",
		"longer": "analytics2", "shorter": "analytic", "a path": "analytics/../marketing", "escaped": "%61nalytics", "at its longest": strings.Repeat("a", maxPurpose),
	} {
		ask("purpose: "+name, codeForbidden, good(), "", purpose)
	}
	ask("purpose: one of a token that has none", codeForbidden, good(with("purposes", nil)), "")
	ask("purpose: one of a token that has a wildcard", codeForbidden, good(with("purposes", []string{"*"})), "")
	ask("purpose: one of a token that has two in one", codeForbidden, good(with("purposes", []string{"analytics service"})), "")
	ask("purpose: one of a token that has another in capitals", codeForbidden, good(with("purposes", "ANALYTICS")), "")
	for name, purposes := range map[string][]string{"twice": {"analytics", "analytics"}, "two": {"analytics", "service"}, "over-long": {strings.Repeat("a", maxPurpose+1)}} {
		all = append(all, attack{name: "purpose: " + name, door: bySecret, token: good(), purpose: purposes, code: codeBadUserInput})
	}

	// ---------------------------------------------------------------- one's own token
	own := func(name string) string {
		return good(with("scope", "self"), with("individual", d.people[name]), with("purposes", nil))
	}
	ask("ada's own asks for insights", codeForbidden, own("ada"), `{ insights { consents { population } } }`)
	ask("ada's own asks for sources", codeForbidden, own("ada"), `{ sources { name } }`)
	see := func(name, token, query, data string) {
		all = append(all, attack{name: name, door: bySecret, token: token, query: query, purpose: []string{"marketing"}, data: data}) // the purpose counts for nothing
	}
	nobody := insight.FormatID(insight.IndividualPrefix, somebody)
	see("ada's own sees herself", own("ada"), whoAmI, `{"viewer":{"scopes":["self"],"individual":{"id":"`+d.people["ada"]+`"}}}`)
	see("ada's own sees herself alone", own("ada"), `{ individuals { nodes { id } totalCount } }`, `{"individuals":{"nodes":[{"id":"`+d.people["ada"]+`"}],"totalCount":1}}`)
	see("ada's own does not see bob", own("ada"), `{ individual(by: {userId: "bob"}) { id } node(id: "`+d.people["bob"]+`") { id } nodes(ids: ["`+d.people["bob"]+`", "`+d.people["carol"]+`"]) { id } }`, `{"individual":null,"node":null,"nodes":[null,null]}`)
	see("and not whether there is somebody", own("ada"), `{ individual(by: {userId: "nobody"}) { id } node(id: "`+nobody+`") { id } }`, `{"individual":null,"node":null}`)
	see("one who was merged away is who survived", own("carol"), whoAmI, `{"viewer":{"scopes":["self"],"individual":{"id":"`+d.people["bob"]+`"}}}`)
	see("and sees nobody else", own("carol"), `{ individuals { nodes { id } totalCount } individual(by: {userId: "ada"}) { id } }`, `{"individuals":{"nodes":[{"id":"`+d.people["bob"]+`"}],"totalCount":1},"individual":null}`)
	for name, token := range map[string]string{
		"one who was erased": own("dan"), "one who never was": good(with("scope", "self"), with("individual", nobody)),
	} {
		see(name+" sees nothing", token, whoAmI, `{"viewer":{"scopes":["self"],"individual":null}}`)
		for what, query := range map[string]string{
			"nobody": everybody, "not even themselves": `{ individual(by: {id: "` + d.people["dan"] + `"}) { id } }`, "not ada": `{ individual(by: {userId: "ada"}) { id } }`, "no node": `{ nodes(ids: ["` + d.people["ada"] + `"]) { id } }`,
		} {
			token := token
			if what == "no node" { // which is null without a fault
				see(name+" sees "+what, token, query, `{"nodes":[null]}`)
				continue
			}
			ask(name+" sees "+what, codeNotFound, token, query)
		}
		ask(name+" does nothing", codeNotFound, token, `mutation { erase(input: {individual: {userId: "ada"}, reason: "x"}) { request { id } } }`)
	}

	// ---------------------------------------------------------------- what is no attack
	believed := func(door, name, token string) {
		all = append(all, attack{name: door + ": " + name, door: door, token: token})
	}
	believed(bySecret, "good", good())
	believed(bySecret, "expired within the leeway", good(with("exp", noon.Add(-29*time.Second).Unix())))
	believed(bySecret, "not before, within the leeway", good(with("nbf", noon.Add(29*time.Second).Unix())))
	believed(bySecret, "issued in the future, which RFC 7519 forbids nobody", good(with("iat", noon.Add(time.Hour).Unix())))
	believed(bySecret, "an id of a key that is asked for by nobody", headed(kid("../../../../dev/null")))
	believed(bySecret, "a foreign key set that is asked for by nobody", headed(map[string]any{"jku": trap.URL, "x5u": trap.URL, "jwk": rsaJWK("r", &evil.rsa.PublicKey)}))
	believed(bySecret, "claims of others", good(with("roles", []string{"admin"}), with("Scope", "admin"), with("groups", deepList(50))))
	believed(bySecret, "scopes of others beside it", good(with("scope", "openid individuals:read profile")))
	believed(strictly, "the audience among others", good(issued, with("aud", []string{"other", "acquaint"})))
	believed(byKeys, "RS256", signWith(t, jwt.SigningMethodRS256, d.keys.rsa, kid("r"), reader()))
	believed(byKeys, "ES256", signWith(t, jwt.SigningMethodES256, d.keys.ec, kid("e"), reader()))
	believed(byKeys, "EdDSA", signWith(t, jwt.SigningMethodEdDSA, d.keys.ed, kid("d"), reader()))
	believed(byKeys, "RS256 of which nothing is said", signWith(t, jwt.SigningMethodRS256, d.keys.rsa, nil, reader()))
	believed(byKeys, "EdDSA of which nothing is said", signWith(t, jwt.SigningMethodEdDSA, d.keys.ed, nil, reader()))

	for _, a := range all {
		t.Run(a.name, func(t *testing.T) {
			each := *d
			each.t = t
			each.try(a)
		})
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("an attacker's server was asked %d times", n)
	}
	log := d.log.String()
	for _, a := range all {
		if p := strings.Split(a.token, "."); len(p) > 2 && len(p[2]) > 20 && strings.Contains(log, p[2]) || len(p) > 1 && len(p[1]) > 20 && strings.Contains(log, p[1]) {
			t.Errorf("%s: the log holds a part of the token", a.name)
		}
	}
	t.Logf("%d attacks", len(all))
}

// TestTokensInOtherPlaces: a token counts in one place, and once.
func TestTokensInOtherPlaces(t *testing.T) {
	d := openDoors(t)
	token := signWith(t, jwt.SigningMethodHS256, testSecret, nil, claimsAt(noon, with("purposes", "analytics")))
	for name, headers := range map[string][]string{
		"none":                     {"X-Nothing: "},
		"empty":                    {"Authorization: "},
		"the scheme alone":         {"Authorization: Bearer"},
		"without a scheme":         {"Authorization: " + token},
		"basic":                    {"Authorization: Basic " + token},
		"another scheme":           {"Authorization: Token " + token},
		"a colon":                  {"Authorization: Bearer: " + token},
		"twice":                    {"Authorization: Bearer " + token, "Authorization: Bearer " + token},
		"twice in one":             {"Authorization: Bearer " + token + ", Bearer " + token},
		"a bad one and a good one": {"Authorization: Bearer x", "Authorization: Bearer " + token},
		"in a cookie":              {"Cookie: Authorization=Bearer " + token + "; access_token=" + token + "; token=" + token},
		"in another header":        {"X-Authorization: Bearer " + token, "Proxy-Authorization: Bearer " + token, "X-Forwarded-Authorization: Bearer " + token},
	} {
		got := d.post(attack{door: bySecret}, mediaGraphQL, headers...)
		if got.status != http.StatusUnauthorized || got.text != refusedBody {
			t.Errorf("%s: %d %s", name, got.status, got.text)
		}
	}
	response, err := d.http[bySecret].Client().Get(d.http[bySecret].URL + "/graphql?query=%7Bviewer%7Bsubject%7D%7D&access_token=" + token + "&authorization=Bearer%20" + token)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if body, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusUnauthorized || string(body) != refusedBody {
		t.Errorf("in the address: %d %s, %v", response.StatusCode, body, err)
	}

	for name, payload := range map[string]string{
		"a bad one, and a good one in the header": `{"authorization":"Bearer x"}`,
		"an empty one, and a good one there":      `{"authorization":""}`,
		"two in two cases":                        `{"authorization":"Bearer ` + token + `","Authorization":"Bearer ` + token + `"}`,
		"a purpose in two cases":                  `{"acquaint-purpose":"analytics","Acquaint-Purpose":"analytics"}`,
	} {
		c := d.open(token)
		c.say(`{"type":"connection_init","payload":` + payload + `}`)
		if m, code := c.hear(); code != closeForbidden {
			t.Errorf("%s: the socket hears %s %s and is closed with %d", name, m.Type, m.Payload, code)
		}
	}
	for name, payload := range map[string]string{
		"a list of tokens": `{"authorization":["Bearer ` + token + `"]}`, "an object": `{"authorization":{"bearer":"` + token + `"}}`, "null": `{"authorization":null}`, "a purpose that is a list": `{"acquaint-purpose":["analytics"]}`,
	} {
		c := d.open(token)
		c.say(`{"type":"connection_init","payload":` + payload + `}`)
		if m, code := c.hear(); code != closeBadRequest {
			t.Errorf("%s: the socket hears %s %s and is closed with %d", name, m.Type, m.Payload, code)
		}
	}
	// A second word is no better than the first.
	c := d.open(token)
	c.say(`{"type":"connection_init"}`)
	c.expect("connection_ack", "", "")
	c.say(`{"type":"connection_init","payload":{"authorization":"Bearer ` + token + `"}}`)
	c.expectClose(closeTooManyInits)
}

// open opens a socket with a good token in its header.
func (d *doors) open(token string) *client {
	d.t.Helper()
	conn, response, err := websocket.Dial(d.t.Context(), d.http[bySecret].URL+"/graphql", &websocket.DialOptions{
		HTTPClient: d.http[bySecret].Client(), HTTPHeader: http.Header{"Authorization": {"Bearer " + token}}, Subprotocols: []string{subprotocol},
	})
	if err != nil {
		d.t.Fatal(err)
	}
	if response.Body != nil {
		_ = response.Body.Close()
	}
	d.t.Cleanup(func() { _ = conn.CloseNow() })
	return &client{d.t, conn}
}

const base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// text is a value as JSON.
func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func deepList(n int) any {
	var v any = "admin"
	for range n {
		v = []any{v}
	}
	return v
}
