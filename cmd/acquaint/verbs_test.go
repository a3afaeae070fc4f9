package main

import (
	"context"
	"database/sql"
	"encoding/base64"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/config"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/server"
	"github.com/acquaint/acquaint/store"
)

func basic(user string) string { return base64.StdEncoding.EncodeToString([]byte(user + ":")) }

func contextOf(t *testing.T) (context.Context, context.CancelFunc) {
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	return ctx, stop
}

func TestWrongCommandLines(t *testing.T) {
	cases := map[string]struct {
		args []string
		told string
	}{
		"an unknown verb":         {[]string{"frobnicate"}, "frobnicate"},
		"an unknown flag":         {[]string{"--frobnicate"}, "--frobnicate"},
		"a flag of another verb":  {[]string{"serve", "--ttl", "1h"}, "--ttl"},
		"import of nothing":       {[]string{"import"}, "<file>"},
		"import without mapping":  {[]string{"import", "a.csv"}, "--map"},
		"a wrong mapping":         {[]string{"import", "a.csv", "--map", "userId"}, "--map"},
		"a wrong delimiter":       {[]string{"import", "a.csv", "--map", "userId=a,type=:b,occurredAt=c", "--delimiter", "ab"}, "--delimiter"},
		"a wrong zone":            {[]string{"import", "a.csv", "--map", "userId=a,type=:b,occurredAt=c", "--time-zone", "Mars/Olympus"}, "--time-zone"},
		"a wrong kind":            {[]string{"import", "a.csv", "--map", "userId=a,type=:b,occurredAt=c", "--channel-kind", "a=CARRIER_PIGEON"}, "--channel-kind"},
		"columns of NDJSON":       {[]string{"import", "a.ndjson", "--delimiter", "tab"}, "--format"},
		"an unknown scope":        {[]string{"token", "--scope", "everything"}, "--scope"},
		"a scope too many":        {[]string{"token", "--individual", "ind_00000000000000000000000000", "--scope", "self admin"}, "--scope"},
		"self without individual": {[]string{"token", "--scope", "self"}, "--individual"},
		"an individual's name":    {[]string{"token", "--individual", "Ada"}, "--individual"},
		"a purpose's name":        {[]string{"token", "--purposes", "Marketing"}, "--purposes"},
		"a ttl of nothing":        {[]string{"token", "--ttl", "0s"}, "--ttl"},
		"a ttl of words":          {[]string{"token", "--ttl", "a day"}, "--ttl"},
		"fewer than nobody":       {[]string{"simulate", "--individuals", "-1"}, "--individuals"},
		"a day of nothing":        {[]string{"simulate", "--to", "yesterday"}, "--to"},
		"a topic of nothing":      {[]string{"help", "frobnicate"}, "help"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := newWorld(t).run(c.args...)
			if r.status != statusUsage || r.out != "" || !strings.HasPrefix(r.errors, "acquaint: ") ||
				!strings.Contains(r.errors, c.told) || strings.Count(r.errors, "\n") != 1 {
				t.Errorf("status %d, %q, %q; want status 2 and a line about %s", r.status, r.out, r.errors, c.told)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	w := newWorld(t)
	whole := w.must("--help")
	if again := w.must("help"); again != whole {
		t.Error("help and --help differ")
	}
	for _, verb := range []string{"serve", "demo", "migrate", "import", "simulate", "token", "verify", "help", "version"} {
		if !strings.Contains(whole, "\n  "+verb+" ") {
			t.Errorf("help does not name %s", verb)
		}
		if text := w.must("help", verb); text != w.must(verb, "--help") || !strings.Contains(text, "Usage: acquaint "+verb) {
			t.Errorf("help %s says %q", verb, text)
		}
	}
	settings := w.must("help", "config")
	for _, v := range config.Variables() {
		if !strings.Contains(settings, "\n"+v.Name) || !strings.Contains(settings, v.Default) {
			t.Errorf("help config leaves out %s or its default", v.Name)
		}
	}
	if !strings.HasPrefix(w.must("version"), "acquaint ") {
		t.Error("version does not say whose")
	}
}

func TestToken(t *testing.T) {
	id := "ind_00000000000000000000000001"
	cases := map[string]struct {
		args     []string
		scopes   []insight.Scope
		purposes []string
		ttl      time.Duration
	}{
		"defaults":    {nil, []insight.Scope{insight.ScopeIndividualsRead, insight.ScopeInsightsRead, insight.ScopeInteractionsWrite}, []string{"analytics"}, time.Hour},
		"all":         {[]string{"--scope", "admin, consent:write", "--purposes", "service marketing", "--ttl", "36h"}, []insight.Scope{insight.ScopeAdmin, insight.ScopeConsentWrite}, []string{"service", "marketing"}, 36 * time.Hour},
		"one's own":   {[]string{"--individual", id}, []insight.Scope{insight.ScopeSelf}, []string{"analytics"}, time.Hour},
		"a purpose's": {[]string{"--purposes", "our-own_2"}, []insight.Scope{insight.ScopeIndividualsRead, insight.ScopeInsightsRead, insight.ScopeInteractionsWrite}, []string{"our-own_2"}, time.Hour},
	}
	w := newWorld(t, "ACQUAINT_ISSUER=https://id.example", "ACQUAINT_AUDIENCE=acquaint", "ACQUAINT_JWT_SECRET="+strings.Repeat("s", 32))
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := w.run(append([]string{"token", "--subject", "tester"}, c.args...)...)
			if r.status != statusDone || r.errors != "" || strings.Count(r.out, "\n") != 1 {
				t.Fatalf("status %d, %q, %q; want a line", r.status, r.out, r.errors)
			}
			auth, err := server.NewAuthenticator(t.Context(), server.AuthOptions{
				Secret: []byte(strings.Repeat("s", 32)), Issuer: "https://id.example", Audience: "acquaint",
			})
			if err != nil {
				t.Fatal(err)
			}
			v, until, err := auth.Verify(t.Context(), strings.TrimSpace(r.out))
			if err != nil {
				t.Fatal(err)
			}
			if v.Subject != "tester" || !slices.Equal(v.Scopes, c.scopes) || !slices.Equal(v.Purposes, c.purposes) {
				t.Errorf("the viewer is %+v", v)
			}
			if left := time.Until(until); left < c.ttl-time.Minute || left > c.ttl+time.Minute {
				t.Errorf("it is valid for %v, want about %v", left, c.ttl)
			}
		})
	}
	if files, err := os.ReadDir(w.data); err == nil {
		t.Errorf("with a configured secret it made %v", files)
	}
	if r := newWorld(t, "ACQUAINT_JWKS_URL=https://id.example/keys").run("token"); r.status != statusFailed || !strings.HasPrefix(r.errors, "acquaint: ACQUAINT_JWKS_URL: ") {
		t.Errorf("with a key set: status %d, %q", r.status, r.errors)
	}
}

func TestMigrate(t *testing.T) {
	for name, options := range map[string]func(testing.TB) store.Options{"sqlite": testdb.SQLite, "postgres": testdb.Postgres, "citus": testdb.Undistributed} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.url = options(t).URL
			if out := w.must("migrate"); !regexp.MustCompile(`: from version 0 to 2\d{13}\n$`).MatchString(out) {
				w.Errorf("the first time it says %q", out)
			}
			if out := w.must("migrate"); !strings.HasSuffix(out, "nothing to do\n") {
				w.Errorf("the second time it says %q", out)
			}
			if name != "citus" {
				if r := w.run("migrate", "--distribute"); r.status != statusFailed || !strings.HasPrefix(r.errors, "acquaint: DATABASE_URL: ") {
					w.Errorf("where there is no Citus: status %d, %q", r.status, r.errors)
				}
				return
			}
			if out := w.must("migrate", "--distribute"); !strings.HasSuffix(out, "distributed over the nodes of its cluster\n") {
				w.Errorf("distributing, it says %q", out)
			}
			if out := w.must("migrate", "--distribute"); !strings.HasSuffix(out, "already distributed, nothing to do\n") {
				w.Errorf("distributing again, it says %q", out)
			}
		})
	}
}

func TestVerifyFindsDifferences(t *testing.T) {
	w := newWorld(t)
	if r := w.run("verify"); r.status != statusFailed || !strings.Contains(r.errors, "there is no database in this folder yet") {
		t.Errorf("without a database: status %d, %q", r.status, r.errors)
	}
	if _, err := os.Stat(w.data); err == nil {
		t.Error("it made the data folder")
	}
	w.must("simulate", "--individuals", "3", "--to", "2026-01-01")
	w.must("verify")
	db, err := sql.Open("sqlite", filepath.Join(w.data, "acquaint.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), "UPDATE individuals SET identified = NOT identified"); err != nil {
		t.Fatal(err)
	}
	r := w.run("verify")
	if r.status != statusFailed || !strings.Contains(r.out, "its row is not what its identifiers say") || strings.Contains(r.out, ": 0 differences") || r.errors != "" {
		t.Errorf("status %d, %q, %q", r.status, r.out, r.errors)
	}
}

func TestSimulate(t *testing.T) {
	onEach(t, func(w *world) {
		args := []string{"simulate", "--individuals", "20", "--seed", "7", "--to", "2026-01-01"}
		first, again := filepath.Join(w.TempDir(), "a.ndjson"), filepath.Join(w.TempDir(), "b.ndjson")
		w.must(append(args, "--out", first)...)
		w.must(append(args, "--out", again)...)
		one, err := os.ReadFile(first)
		if err != nil {
			w.Fatal(err)
		}
		if other, err := os.ReadFile(again); err != nil || string(one) != string(other) || len(one) == 0 {
			w.Errorf("the same seed and dates make another file, %v", err)
		}
		if printed := w.must(append(args, "--out", "-")...); printed != string(one) {
			w.Error("standard output gets something else than a file")
		}
		out := w.must(args...)
		messages := strings.Count(string(one), "\n")
		if want := count(int64(messages)) + " accepted, 0 duplicates, 0 rejected"; !strings.HasPrefix(out, want) {
			w.Errorf("it says %q, want %q", out, want)
		}
		if out := w.must(args...); !strings.HasPrefix(out, "0 accepted, "+count(int64(messages))+" duplicates") {
			w.Errorf("the second time it says %q", out)
		}
		if out := w.must("import", first, "--source", "simulation"); !strings.Contains(out, "0 accepted, "+count(int64(messages))+" duplicates") {
			w.Errorf("importing the file says %q", out)
		}
		w.must("verify")
	})
	w := newWorld(t)
	if r := w.run("simulate", "--out", filepath.Join(t.TempDir(), "no", "such", "folder")); r.status != statusFailed || !strings.Contains(r.errors, "no such file or directory") {
		t.Errorf("status %d, %q", r.status, r.errors)
	}
	ctx, stop := contextOf(t)
	stop()
	if r := w.runWith(ctx, strings.NewReader(""), "simulate", "--out", "-"); r.status != statusFailed || !strings.Contains(r.errors, "stopped") {
		t.Errorf("stopped: status %d, %q", r.status, r.errors)
	}
}
