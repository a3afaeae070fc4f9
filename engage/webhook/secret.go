package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/acquaint/acquaint/insight"
)

const secretPrefix = "whsec_"

// SecretBytes is how many random bytes a new secret is made of; Standard Webhooks takes
// 24 to 64.
const SecretBytes = 32

// Secret is what a destination's deliveries are signed with.
type Secret []byte

// NewSecret makes a secret of 24 to 64 random bytes. The error is of kind Invalid about
// "secret" for another length.
func NewSecret(random []byte) (Secret, error) {
	if len(random) < 24 || len(random) > 64 {
		return nil, insight.NewError(insight.Invalid, "secret", "a secret is whsec_ and the base 64 of 24 to 64 random bytes")
	}
	return Secret(strings.Clone(string(random))), nil
}

// ParseSecret reads back what [Secret.Text] wrote. The error is of kind Invalid about
// "secret" and does not repeat it.
func ParseSecret(text string) (Secret, error) {
	digits, ok := strings.CutPrefix(text, secretPrefix)
	random, err := base64.StdEncoding.Strict().DecodeString(digits)
	if !ok || err != nil || strings.ContainsAny(digits, "\r\n") {
		random = nil
	}
	return NewSecret(random)
}

// Text is the secret as the owner of a destination gets it: whsec_ and base 64.
func (s Secret) Text() string { return secretPrefix + base64.StdEncoding.EncodeToString(s) }

// String hides the secret from logs.
func (s Secret) String() string { return secretPrefix + "…" }

// Sign is the signature of a body that is sent under an id at a moment:
// "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=".
func (s Secret) Sign(id string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, s)
	mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
