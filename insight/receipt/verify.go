package receipt

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/consent"
)

// MaxSize is how many bytes a receipt may have.
const MaxSize = 1 << 20

// Verdict is what a check of a receipt found: it is as it was signed.
type Verdict struct {
	Receipt   Receipt
	KeyID     string // of the key that signed it
	PublicKey string // that key, in base64
	Pinned    bool   // whether it is the key that the reader trusts; otherwise anybody may have signed
}

// Verify checks a receipt, which may be JSON in any formatting and order of members.
// Where trusted is not empty, it is the public key of who must have signed: in
// base64, or its id of 16 hexadecimal digits. An id is shorter to compare, and with
// an effort of 2^64 somebody can make a key that has the same.
//
// It refuses, as [insight.Invalid]: what is no JSON object, or larger than [MaxSize];
// repeated members, numbers that are not whole, and whatever else two readers may
// read differently; another schema or algorithm; a missing signature, or one that
// does not fit; another key than the trusted one; members that a receipt does not
// have; and records in its evidence that were changed before it was signed.
func Verify(document []byte, trusted string) (Verdict, error) {
	if len(document) > MaxSize {
		return Verdict{}, refuse("it is larger than 1 MB")
	}
	if err := unambiguous("receipt", document, true); err != nil {
		return Verdict{}, err
	}
	public, err := verifySignature(document)
	if err != nil {
		return Verdict{}, err
	}
	pinned, err := pin(trusted, public)
	if err != nil {
		return Verdict{}, err
	}
	r, err := decode(document)
	if err != nil {
		return Verdict{}, err
	}
	if err := r.check(); err != nil {
		return Verdict{}, err
	}
	r.IssuedAt = r.IssuedAt.UTC()
	return Verdict{Receipt: r, KeyID: keyID(public), PublicKey: base64.StdEncoding.EncodeToString(public), Pinned: pinned}, nil
}

func refuse(message string) error { return insight.NewError(insight.Invalid, "receipt", message) }

// verifySignature checks the signature over everything else in a document with the
// public key that the document carries, and returns the key.
func verifySignature(document []byte) ([]byte, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(document, &members); err != nil || members == nil {
		return nil, refuse("it is not a JSON object")
	}
	text := func(name string) string {
		var s string
		if json.Unmarshal(members[name], &s) != nil {
			return ""
		}
		return s
	}
	if text("schema") != Schema {
		return nil, refuse("its schema is not known; receipts are " + Schema)
	}
	if _, ok := members["signature"]; !ok {
		return nil, refuse("it has no signature")
	}
	if text("algorithm") != Algorithm {
		return nil, refuse("its algorithm is not " + Algorithm)
	}
	public, ok := exactly(text("publicKey"), ed25519.PublicKeySize)
	if !ok {
		return nil, refuse("its publicKey is not a key in base64")
	}
	// An attacker may name another's key and bring one of their own.
	if text("keyId") != keyID(public) {
		return nil, refuse("its keyId is not that of its publicKey")
	}
	signature, ok := exactly(text("signature"), ed25519.SignatureSize)
	if !ok {
		return nil, refuse("its signature is not one in base64")
	}
	delete(members, "signature")
	rest, err := json.Marshal(members)
	if err == nil {
		rest, err = consent.Canonical(rest)
	}
	if err != nil || !ed25519.Verify(public, rest, signature) {
		return nil, refuse("the signature does not fit what it says")
	}
	return public, nil
}

// exactly reads base64 of a given length. Of the many texts that decoders take for
// the same bytes it takes one.
func exactly(text string, size int) ([]byte, bool) {
	b, err := base64.StdEncoding.DecodeString(text)
	return b, err == nil && len(b) == size && base64.StdEncoding.EncodeToString(b) == text
}

// pin reports whether a key is the trusted one; without a trusted one it is not.
func pin(trusted string, public []byte) (bool, error) {
	if trusted == "" {
		return false, nil
	}
	bad := insight.NewError(insight.Invalid, "trusted", "a public key is 44 characters of base64, and its id 16 hexadecimal digits")
	trusted = strings.TrimSpace(trusted)
	want := base64.StdEncoding.EncodeToString(public)
	switch len(trusted) {
	case len(want):
		if _, ok := exactly(trusted, ed25519.PublicKeySize); !ok {
			return false, bad
		}
	case 16:
		want, trusted = keyID(public), strings.ToLower(trusted)
		if strings.Trim(trusted, "0123456789abcdef") != "" {
			return false, bad
		}
	default:
		return false, bad
	}
	if trusted != want {
		return false, refuse("another key than the trusted one signed it")
	}
	return true, nil
}

// decode reads what a document says. It refuses one that says more than a receipt
// can, such as a member that differs from one of a receipt's in case alone: the
// reader would not be shown it, although it is signed.
func decode(text []byte) (Receipt, error) {
	var d document
	if json.Unmarshal(text, &d) != nil {
		return Receipt{}, refuse("its members are not those of a receipt, or not of their types")
	}
	said, err := consent.Canonical(text)
	if err != nil {
		return Receipt{}, err
	}
	if understood, err := d.canonical(); err != nil || !bytes.Equal(said, understood) {
		return Receipt{}, refuse("its members are not those of a receipt, or not in their form")
	}
	return d.Receipt, nil
}
