package webhook

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// around is what is put around the verification of docs/integrations.md in a language
// so that it reads trials and answers true or false for each.
var around = map[string]struct {
	command            []string // and the program's file
	file, head, behind string
}{
	"go": {[]string{"go", "run"}, "main.go", "package main\nimport \"encoding/json\"\nimport \"net/http\"\nimport \"os\"\n", `
func main() {
	var trials []struct{ Secret, Body string; Headers map[string]string }
	if err := json.NewDecoder(os.Stdin).Decode(&trials); err != nil { panic(err) }
	answers := []bool{}
	for _, t := range trials {
		h := http.Header{}
		for name, value := range t.Headers { h.Set(name, value) }
		answers = append(answers, verify(t.Secret, h, []byte(t.Body)))
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil { panic(err) }
}`},
	"js": {[]string{"node"}, "main.cjs", "", `
const trials = JSON.parse(require('node:fs').readFileSync(0))
console.log(JSON.stringify(trials.map((t) => verify(t.Secret, t.Headers, Buffer.from(t.Body)))))`},
	"python": {[]string{"python3"}, "main.py", "", `
import json, sys
print(json.dumps([verify(t["Secret"], t["Headers"], t["Body"].encode()) for t in json.load(sys.stdin)]))`},
}

// trial is a delivery as it arrives, and whether it is to be believed.
type trial struct {
	Secret, Body string
	Headers      map[string]string
	genuine      bool
}

// trials are deliveries that a sender makes, and what others make of them.
func trials() []trial {
	ours, others := Secret(strings.Repeat("o", SecretBytes)), Secret(strings.Repeat("x", SecretBytes))
	const id, body = "chg_01m8g3z4m7f06srgh3nzwcsv9g", `{"type":"segment.entered","data":{"because":"ä"}}`
	made := func(genuine bool, signature string, at time.Time, id, body string) trial {
		h := map[string]string{"webhook-id": id, "webhook-timestamp": strconv.FormatInt(at.Unix(), 10), "webhook-signature": signature}
		return trial{ours.Text(), body, h, genuine}
	}
	now := time.Now()
	old, ahead := now.Add(-time.Hour), now.Add(time.Hour)
	good := ours.Sign(id, now, []byte(body))
	wrong := others.Sign(id, now, []byte(body))
	all := []trial{
		made(true, good, now, id, body),
		made(true, wrong+" "+good, now, id, body), // while a secret is being changed
		made(true, good+" "+wrong, now, id, body),
		made(true, "v2,unknown "+good, now, id, body),
		made(false, wrong, now, id, body),
		made(false, good, now, id, body+" "),
		made(false, good, now, "chg_other", body),
		made(false, good, now.Add(time.Second), id, body),
		made(false, ours.Sign(id, old, []byte(body)), old, id, body),
		made(false, ours.Sign(id, ahead, []byte(body)), ahead, id, body),
		made(false, strings.Replace(good, "v1,", "v2,", 1), now, id, body),
		made(false, strings.TrimPrefix(good, "v1,"), now, id, body),
		made(false, good[:20], now, id, body),
		made(false, "v1,", now, id, body),
		made(false, "v1,é", now, id, body),
		made(false, "", now, id, body),
	}
	for _, missing := range []string{"webhook-id", "webhook-timestamp", "webhook-signature"} {
		t := made(false, good, now, id, body)
		delete(t.Headers, missing)
		all = append(all, t)
	}
	wordy := made(false, good, now, id, body)
	wordy.Headers["webhook-timestamp"] = "now"
	return append(all, wordy)
}

// TestDocumentedVerification: what docs/integrations.md tells receivers to do believes
// what is sent, and nothing else.
func TestDocumentedVerification(t *testing.T) {
	text, err := os.ReadFile("../../docs/integrations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, verifying, _ := strings.Cut(string(text), "### Verifying\n")
	verifying, _, _ = strings.Cut(verifying, "\n## ")
	blocks := regexp.MustCompile("(?s)```(\\w+)\n(.*?)```").FindAllStringSubmatch(verifying, -1)
	if len(blocks) != len(around) {
		t.Fatalf("it is told in %d languages, not in %d", len(blocks), len(around))
	}
	all := trials()
	input, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range blocks {
		t.Run(block[1], func(t *testing.T) {
			a := around[block[1]]
			if _, err := exec.LookPath(a.command[0]); err != nil {
				t.Skipf("%s is not on this machine, so the code in its language is not run; the others are", a.command[0])
			}
			file := filepath.Join(t.TempDir(), a.file)
			if err := os.WriteFile(file, []byte(a.head+block[2]+a.behind), 0o600); err != nil {
				t.Fatal(err)
			}
			run := exec.CommandContext(t.Context(), a.command[0], append(a.command[1:], file)...) //nolint:gosec // the commands are those above
			run.Stdin, run.Stderr = strings.NewReader(string(input)), os.Stderr
			output, err := run.Output()
			if err != nil {
				t.Fatal(err)
			}
			var believed []bool
			if err := json.Unmarshal(output, &believed); err != nil || len(believed) != len(all) {
				t.Fatalf("%v: %s", err, output)
			}
			for n, want := range all {
				if believed[n] != want.genuine {
					t.Errorf("%+v is believed: %t", want, believed[n])
				}
			}
		})
	}
}
