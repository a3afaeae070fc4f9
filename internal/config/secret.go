package config

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/acquaint/acquaint/insight"
)

// The files of the secrets that an installation makes for itself.
const (
	TokenSecretFile  = "jwt.secret"    // signs tokens
	DemoWriteKeyFile = "demo.writekey" // the write key of the demo's source
)

// TokenSecret is the secret that signs and verifies tokens: the configured one, or
// else the data folder's own, which is made when it is not there. It is nil where
// a key set is configured. Errors are those of [OwnSecret].
func (c *Config) TokenSecret() ([]byte, error) {
	if c.Configured() {
		return c.Secret, nil
	}
	return c.OwnSecret(TokenSecretFile)
}

// OwnSecret reads a secret of the data folder, and makes it when it is not there:
// 43 characters that hold 256 random bits, in a file with the mode 0600. When two
// processes make it at once, both get the same. Errors are [insight.Denied] where
// others than the owner may read the file, [insight.Conflict] where it holds no
// secret, and [insight.Unavailable] where it cannot be read or made.
func (c *Config) OwnSecret(name string) ([]byte, error) {
	file := filepath.Join(c.Data, name)
	secret, err := readSecret(file)
	if !errors.Is(err, fs.ErrNotExist) {
		return secret, err
	}
	if err := makeSecret(file); err != nil {
		return nil, unavailable(file, "it cannot be made", err)
	}
	return readSecret(file)
}

func unavailable(file, message string, cause error) error {
	return &insight.Error{Op: "config.OwnSecret", Kind: insight.Unavailable, Subject: file, Message: message, Cause: cause}
}

func readSecret(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, unavailable(file, "it cannot be read", err)
	}
	// Windows has no modes; there the folder's access list counts.
	if info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, insight.NewError(insight.Denied, file, "others can read or change this secret; remove it, or run chmod 600 on it if nobody did")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, unavailable(file, "it cannot be read", err)
	}
	secret := strings.TrimSpace(string(text))
	if len(secret) < minSecret {
		return nil, insight.NewError(insight.Conflict, file, "it holds no secret of at least 32 bytes; remove it, and a new one is made")
	}
	return []byte(secret), nil
}

// makeSecret writes the whole file under another name first, so that nobody ever
// reads half a secret, and gives it its name only if nobody else was faster.
func makeSecret(file string) (err error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	draft, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*") // with the mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(draft.Name()) }()
	random := make([]byte, 32)
	_, err = rand.Read(random)
	if err == nil {
		_, err = draft.WriteString(base64.RawURLEncoding.EncodeToString(random) + "\n")
	}
	if err == nil {
		err = draft.Sync()
	}
	if err = errors.Join(err, draft.Close()); err != nil {
		return err
	}
	if err := os.Link(draft.Name(), file); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
