package config

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/acquaint/acquaint/insight"
)

func TestOwnSecretIsMadeOnceAndKept(t *testing.T) {
	c := &Config{Data: filepath.Join(t.TempDir(), "made", "too")}
	first, err := c.TokenSecret()
	if err != nil {
		t.Fatal(err)
	}
	if len(first) != 43 {
		t.Errorf("the secret has %d characters, want the 43 of 256 bits", len(first))
	}
	again, err := c.TokenSecret()
	if err != nil || string(again) != string(first) {
		t.Errorf("the second time it is another one, %v", err)
	}
	info, err := os.Stat(filepath.Join(c.Data, TokenSecretFile))
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %o, want 600", info.Mode().Perm())
	}
	left, err := os.ReadDir(c.Data)
	if err != nil || len(left) != 1 {
		t.Errorf("the folder holds %v, %v, want the secret alone", left, err)
	}
	other, err := c.OwnSecret(DemoWriteKeyFile)
	if err != nil || string(other) == string(first) {
		t.Errorf("the write key is the secret, %v", err)
	}
}

func TestConfiguredSecretComesFirst(t *testing.T) {
	for name, c := range map[string]*Config{
		"secret":  {Data: t.TempDir(), Secret: []byte(strings.Repeat("s", 32))},
		"key set": {Data: t.TempDir(), JWKSURL: "https://a/b"},
	} {
		secret, err := c.TokenSecret()
		if err != nil || string(secret) != string(c.Secret) {
			t.Errorf("%s: %q, %v", name, secret, err)
		}
		if left, err := os.ReadDir(c.Data); err != nil || len(left) > 0 {
			t.Errorf("%s: a file was made: %v, %v", name, left, err)
		}
	}
}

func TestSecretMadeByManyAtOnceIsOne(t *testing.T) {
	c := &Config{Data: t.TempDir()}
	secrets := make([]string, 16)
	var wait sync.WaitGroup
	for i := range secrets {
		wait.Go(func() {
			secret, err := c.TokenSecret()
			if err != nil {
				t.Error(err)
			}
			secrets[i] = string(secret)
		})
	}
	wait.Wait()
	for _, secret := range secrets {
		if secret == "" || secret != secrets[0] {
			t.Fatalf("the secrets differ: %q", secrets)
		}
	}
}

func TestSecretsThatAreRefused(t *testing.T) {
	whole := strings.Repeat("s", 43)
	cases := map[string]struct {
		text string
		mode os.FileMode
		want insight.Kind
	}{
		"the group may read it":   {whole, 0o640, insight.Denied},
		"everyone may read it":    {whole, 0o604, insight.Denied},
		"everyone may write it":   {whole, 0o602, insight.Denied},
		"it is empty":             {"", 0o600, insight.Conflict},
		"it is half there":        {whole[:20], 0o600, insight.Conflict},
		"it is blanks but a word": {"word" + strings.Repeat(" ", 40), 0o600, insight.Conflict},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if c.want == insight.Denied && runtime.GOOS == "windows" {
				return // it has no modes
			}
			o := &Config{Data: t.TempDir()}
			file := filepath.Join(o.Data, TokenSecretFile)
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(file, c.mode); err != nil {
				t.Fatal(err)
			}
			secret, err := o.TokenSecret()
			if insight.KindOf(err) != c.want || secret != nil {
				t.Fatalf("TokenSecret = %q, %v, want kind %v", secret, err, c.want)
			}
			if text, err := os.ReadFile(file); err != nil || string(text) != c.text {
				t.Errorf("the file was changed: %v", err)
			}
		})
	}
}

func TestSecretThatCannotBeMade(t *testing.T) {
	blocked := filepath.Join(t.TempDir(), "a file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := &Config{Data: filepath.Join(blocked, "data")}
	if _, err := c.TokenSecret(); insight.KindOf(err) != insight.Unavailable {
		t.Errorf("TokenSecret's error is %v, want Unavailable", err)
	}
}
