package receipt

import (
	"cmp"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
)

// Algorithm is how receipts are signed: RFC 8032.
const Algorithm = "Ed25519"

// Key signs receipts. The zero value cannot; a key is made by [NewKey].
type Key struct {
	private ed25519.PrivateKey
}

// NewKey is the key of a seed of 32 bytes, which whoever calls drew at random and
// keeps secret. One seed gives one key.
func NewKey(seed []byte) (Key, error) {
	if len(seed) != ed25519.SeedSize {
		return Key{}, insight.NewError(insight.Invalid, "seed", fmt.Sprintf("a key's seed is %d bytes", ed25519.SeedSize))
	}
	return Key{ed25519.NewKeyFromSeed(seed)}, nil
}

// Public is the key's public half as receipts carry it: 32 bytes in base64, and of
// the zero value nothing.
func (k Key) Public() string { return base64.StdEncoding.EncodeToString(k.public()) }

// ID is what people compare keys by: the first 16 hexadecimal digits of the SHA-256
// of the public key, and of the zero value nothing.
func (k Key) ID() string {
	if k.private == nil {
		return ""
	}
	return keyID(k.public())
}

// Format keeps the private half out of every text that a key is formatted into.
func (k Key) Format(state fmt.State, _ rune) { _, _ = fmt.Fprint(state, "key "+k.ID()) }

func (k Key) public() []byte {
	if k.private == nil {
		return nil
	}
	return k.private[ed25519.PrivateKeySize-ed25519.PublicKeySize:]
}

func keyID(public []byte) string {
	sum := sha256.Sum256(public)
	return hex.EncodeToString(sum[:8])
}

// document is a receipt with its signature, which is of the canonical form of
// everything else.
type document struct {
	Receipt
	PublicKey string `json:"publicKey"`
	KeyID     string `json:"keyId"`
	Algorithm string `json:"algorithm"`
	Signature string `json:"signature,omitempty"`
}

func (d document) canonical() ([]byte, error) {
	d.Receipt = d.whole()
	text, err := json.Marshal(d)
	if err != nil {
		return nil, insight.NewError(insight.Invalid, "receipt", "it cannot be written as JSON: a time or a record's evidence is none")
	}
	return consent.Canonical(text)
}

// Sign writes a receipt as the document that its holder gets: canonical JSON with
// the members publicKey, keyId, algorithm and signature besides the receipt's own.
// One receipt and one key give one document. It refuses, as [insight.Invalid], a
// receipt whose document [Verify] would refuse.
func (k Key) Sign(r Receipt) (json.RawMessage, error) {
	if k.private == nil {
		return nil, insight.NewError(insight.Invalid, "key", "it has no seed, and so it cannot sign")
	}
	r.Schema = cmp.Or(r.Schema, Schema)
	r.IssuedAt = insight.Moment(r.IssuedAt)
	d := document{Receipt: r, PublicKey: k.Public(), KeyID: k.ID(), Algorithm: Algorithm}
	text, err := d.canonical()
	if err != nil {
		return nil, err
	}
	d.Signature = base64.StdEncoding.EncodeToString(ed25519.Sign(k.private, text))
	signed, err := d.canonical()
	if err != nil {
		return nil, err
	}
	if _, err := Verify(signed, k.Public()); err != nil {
		return nil, err
	}
	return signed, nil
}
