package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/acquaint/acquaint/docs/examples"
)

func TestServe(t *testing.T) {
	onEach(t, func(w *world) {
		s := w.serve()
		for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ready", "/": "<title>", "/metrics": "acquaint_ingest_events_waiting 0"} {
			if status, text := s.ask(http.MethodGet, path, ""); status != http.StatusOK || !strings.Contains(text, want) {
				w.Errorf("%s: %d, without %q", path, status, want)
			}
		}
		admin := strings.TrimSpace(w.must("token", "--scope", "admin"))
		var made struct{ CreateSource struct{ WriteKey string } }
		s.graph(admin, `mutation { createSource(input: {name: "shop"}) { writeKey } }`, &made)

		key := made.CreateSource.WriteKey
		for _, message := range []string{
			`{"messageId":"m-1","anonymousId":"secret-browser","event":"Product Viewed","timestamp":"2026-03-01T10:00:00Z"}`,
			`{"messageId":"m-2","anonymousId":"secret-browser","userId":"secret-person","event":"Order Completed","timestamp":"2026-03-01T10:05:00Z"}`,
			`{"messageId":"m-2","anonymousId":"secret-browser","userId":"secret-person","event":"Order Completed","timestamp":"2026-03-01T10:05:00Z"}`,
		} {
			status, text := s.ask(http.MethodPost, "/v1/track", message, "Content-Type", "application/json", "Authorization", "Basic "+basic(key))
			if status != http.StatusOK {
				w.Fatalf("/v1/track: %d %s", status, text)
			}
		}
		if status, _ := s.ask(http.MethodPost, "/v1/track", `{"userId":"secret-person","event":"x"}`, "Content-Type", "application/json", "Authorization", "Basic "+basic("wrong")); status != http.StatusUnauthorized {
			w.Errorf("a wrong write key is answered %d, want 401", status)
		}

		reader := strings.TrimSpace(w.must("token"))
		var found struct {
			Individual struct {
				Identifiers  []struct{ Value string }
				Interactions struct{ TotalCount int }
				Sessions     struct{ TotalCount int }
			}
		}
		s.graph(reader, `{ individual(by: {anonymousId: "secret-browser"}) {
			identifiers { value } interactions(first: 1) { totalCount } sessions(first: 1) { totalCount } } }`, &found)
		i := found.Individual
		if len(i.Identifiers) != 2 || i.Interactions.TotalCount != 2 || i.Sessions.TotalCount != 1 {
			w.Errorf("the individual is %+v, want 2 identifiers, 2 interactions and 1 session", i)
		}
		s.end()

		for _, secret := range []string{"secret-", key, admin, reader} {
			if strings.Contains(s.errors.String(), secret) {
				w.Errorf("the log holds %q: %s", secret, s.errors)
			}
		}
		if out := w.must("verify"); !strings.Contains(out, "1 individuals, 2 identifiers, 1 links, 2 interactions, 1 sessions, 0 traits, 0 decisions: 0 differences") {
			w.Errorf("verify says %q", out)
		}
	})
}

// segments waits until the demo's five segments are computed, and tells how many are in
// the one whom to leave alone.
func (s *served) segments(token string) int {
	s.Helper()
	for s.Context().Err() == nil {
		var found struct {
			Segments struct {
				Nodes []struct {
					Key, Status string
					Size        *int
				}
			}
		}
		s.graph(token, `{ segments { nodes { key status size } } }`, &found)
		live, size := 0, 0
		for _, one := range found.Segments.Nodes {
			if one.Status == "LIVE" {
				live++
			}
			if one.Key == "leave-alone" && one.Size != nil {
				size = *one.Size
			}
		}
		if live == len(telling) {
			return size
		}
	}
	s.Fatal("the segments are not computed")
	return 0
}

func TestDemo(t *testing.T) {
	onEach(t, func(w *world) {
		first := w.serve("demo", "--individuals", "20")
		if !strings.Contains(first.errors.String(), "loading a simulated population of 20 individuals") {
			w.Errorf("nothing was loaded: %s", first.errors)
		}
		token, key := first.printed(`token +(\S+)`), first.printed(`write key +(\S+)`)
		_, page := first.ask(http.MethodGet, "/", "")
		if !strings.Contains(page, token) || !strings.Contains(page, examples.All()[0].Name) {
			w.Error("the playground has no token or no examples")
		}
		var found struct {
			Viewer     struct{ Purpose struct{ Key string } }
			Individual struct{ Interactions struct{ TotalCount int } }
			Experience struct{ Holdout float64 }
		}
		ask := `{ viewer { purpose { key } } individual(by: {userId: "user-00001"}) { interactions(first: 1) { totalCount } } experience(key: "care-guide") { holdout } }`
		first.graph(token, ask, &found)
		if found.Viewer.Purpose.Key != "analytics" || found.Individual.Interactions.TotalCount == 0 || found.Experience.Holdout != 0.2 {
			w.Errorf("the demo answers %+v", found)
		}
		if status, text := first.ask(http.MethodPost, "/v1/track", `{"userId":"u","event":"e"}`, "Content-Type", "application/json", "Authorization", "Basic "+basic(key)); status != http.StatusOK {
			w.Errorf("the write key is answered %d %s", status, text)
		}
		size := first.segments(token)
		members := func(key, purpose, token string) (int, string) {
			return first.ask(http.MethodGet, "/v1/segments/"+key+"/members", "", "Authorization", "Bearer "+token, "Acquaint-Purpose", purpose)
		}
		status, roster := members("leave-alone", "analytics", token)
		if status != http.StatusOK || strings.Count(roster, "\n") != size {
			w.Errorf("of %d members it writes, with %d, %s", size, status, roster)
		}
		for _, c := range []struct {
			key, purpose, token string
			want                int
		}{
			{"leave-alone", "marketing", token, http.StatusForbidden}, {"none", "analytics", token, http.StatusNotFound}, {"leave-alone", "analytics", "x", http.StatusUnauthorized},
			{"leave-alone", "analytics", strings.TrimSpace(w.must("token", "--scope", "insights:read", "--purposes", "analytics")), http.StatusForbidden},
		} {
			if status, text := members(c.key, c.purpose, c.token); status != c.want {
				w.Errorf("the members of %s for %s are answered %d %s", c.key, c.purpose, status, text)
			}
		}
		// Whoever withdraws is in no roster from then on.
		var someone struct{ Individual string }
		line, rest, _ := strings.Cut(roster, "\n")
		if err := json.Unmarshal([]byte(line), &someone); err != nil {
			w.Fatalf("%v: %s", err, line)
		}
		first.graph(token, fmt.Sprintf(`mutation { withdrawConsent(input: {individual: {id: %q}, purposes: ["analytics"]}) { states { permitted } } }`, someone.Individual), new(any))
		if status, left := members("leave-alone", "analytics", token); status != http.StatusOK || left != rest {
			w.Errorf("without %s it writes, with %d, %s", someone.Individual, status, left)
		}
		size, roster = size-1, rest
		first.end()
		kept, assigned := w.rows("interactions"), w.rows("decisions")
		if assigned == 0 {
			w.Error("nothing was decided in the experience")
		}
		if exported := w.must("export", "segment", "leave-alone"); exported != roster {
			w.Errorf("exported are %s, and served were %s", exported, roster)
		}
		if exported := w.must("export", "segment", "leave-alone", "--format", "csv", "--traits", "plan"); !strings.HasPrefix(exported, "individual,membership,entered_at,user_id,") || strings.Count(exported, "\n") != size+1 {
			w.Errorf("exported as CSV are %s", exported)
		}

		second := w.serve("demo", "--individuals", "20")
		if strings.Contains(second.errors.String(), "load") {
			w.Errorf("it loads again: %s", second.errors)
		}
		if again := second.printed(`write key +(\S+)`); again != key {
			w.Error("the write key is another one")
		}
		second.graph(second.printed(`token +(\S+)`), ask, &found)
		second.end()

		// Without its marker the load is done again, and adds nothing; with a new data folder too.
		if err := os.Remove(filepath.Join(w.data, loadedFile)); err != nil {
			w.Fatal(err)
		}
		third := w.serve("demo", "--individuals", "20")
		if !strings.Contains(third.errors.String(), "loaded: 0 accepted") {
			w.Errorf("the load that is done again says %s", third.errors)
		}
		third.end()
		if now := w.rows("interactions"); now != kept {
			w.Errorf("%d interactions, want %d", now, kept)
		}
		if now := w.rows("decisions"); now != assigned {
			w.Errorf("%d decisions, want %d", now, assigned)
		}
		w.must("verify")
	})
}

func TestDemoOfAnotherInstallation(t *testing.T) {
	onEach(t, func(w *world) {
		if w.url == "" {
			return // its database is in the data folder
		}
		w.serve("demo", "--individuals", "3").end()
		kept := w.rows("interactions")
		w.data = filepath.Join(w.TempDir(), "another")
		s := w.serve("demo", "--individuals", "3")
		if !strings.Contains(s.out.String(), "made by another installation") {
			w.Errorf("it prints a write key: %s", s.out)
		}
		s.end()
		if now := w.rows("interactions"); now != kept {
			w.Errorf("%d interactions, want %d", now, kept)
		}
	})
}

func TestDemoStoppedWhileItLoads(t *testing.T) {
	w := newWorld(t)
	ctx, stop := contextOf(t)
	loading := await("loading a simulated population")
	ended := make(chan int, 1)
	out := await("")
	go func() {
		ended <- run(ctx, []string{"demo", "--individuals", "60"}, w.environment(), strings.NewReader(""), out, loading)
	}()
	<-loading.said
	stop()
	if status := <-ended; status != statusDone || !strings.Contains(loading.String(), "stopped; what was loaded is kept") {
		t.Errorf("status %d, %s", status, loading)
	}
	if out.String() != "" {
		t.Errorf("it printed %q before all was loaded", out)
	}
	s := w.serve("demo", "--individuals", "60")
	s.end()
	kept := w.rows("interactions")
	whole := newWorld(t)
	whole.serve("demo", "--individuals", "60").end()
	if want := whole.rows("interactions"); kept < want*9/10 || kept > want*11/10 {
		t.Errorf("after the second run there are %d interactions, and %d in one go", kept, want)
	}
	w.must("verify")
}

func TestDemoBeyondLoopbackKeepsItsTokenToTheTerminal(t *testing.T) {
	w := newWorld(t, "ACQUAINT_ADDR=0.0.0.0:0", "ACQUAINT_JWT_SECRET="+strings.Repeat("s", 32))
	s := w.serve("demo", "--individuals", "1")
	token := s.printed(`token +(\S+)`)
	if _, page := s.ask(http.MethodGet, "/", ""); strings.Contains(page, token) {
		t.Error("whoever says that they are on loopback gets the token")
	}
	s.end()
}

func TestStartsThatAreRefused(t *testing.T) {
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	cases := map[string]struct {
		environ []string
		told    string
	}{
		"the port is taken":       {[]string{"ACQUAINT_ADDR=" + taken.Addr().String()}, "acquaint: ACQUAINT_ADDR: another program listens on " + taken.Addr().String()},
		"beyond loopback":         {[]string{"ACQUAINT_ADDR=:0"}, "acquaint: ACQUAINT_ADDR: to listen beyond this machine, set ACQUAINT_JWT_SECRET"},
		"an address of nobody":    {[]string{"ACQUAINT_ADDR=192.0.2.1:0", "ACQUAINT_JWT_SECRET=" + strings.Repeat("s", 32)}, "acquaint: ACQUAINT_ADDR: this address cannot be listened on: "},
		"a wrong value":           {[]string{"ACQUAINT_LOG=loud"}, "acquaint: ACQUAINT_LOG: "},
		"no database answers":     {[]string{"DATABASE_URL=postgres://u@127.0.0.1:1/d?sslmode=disable"}, "acquaint: DATABASE_URL: the database is away: "},
		"a database of elsewhere": {[]string{"DATABASE_URL=mysql://h/d"}, "acquaint: DATABASE_URL: "},
	}
	for name, c := range cases {
		for _, verb := range []string{"serve", "demo"} {
			t.Run(name+", "+verb, func(t *testing.T) {
				r := newWorld(t, c.environ...).run(verb)
				if r.status != statusFailed || !strings.HasPrefix(r.errors, c.told) || strings.Count(r.errors, "\n") != 1 {
					t.Errorf("status %d, %q", r.status, r.errors)
				}
			})
		}
	}
	t.Run("others can read the secret", func(t *testing.T) {
		w := newWorld(t)
		w.must("token")
		if err := os.Chmod(filepath.Join(w.data, "jwt.secret"), 0o644); err != nil {
			t.Fatal(err)
		}
		if r := w.run("serve"); r.status != statusFailed || !strings.Contains(r.errors, "jwt.secret: others can read") {
			t.Errorf("status %d, %q", r.status, r.errors)
		}
	})
	t.Run("the database is a picture", func(t *testing.T) {
		w := newWorld(t)
		w.must("migrate")
		if err := os.WriteFile(filepath.Join(w.data, "acquaint.db"), []byte("\x89PNG and what else a picture has in its first few hundred bytes"+strings.Repeat(".", 500)), 0o600); err != nil {
			t.Fatal(err)
		}
		if r := w.run("serve"); r.status != statusFailed || !strings.HasPrefix(r.errors, "acquaint: ACQUAINT_DATA: ") || !strings.Contains(r.errors, "the database's file is damaged") {
			t.Errorf("status %d, %q", r.status, r.errors)
		}
	})
}

func TestUnknownVariableIsWarnedOf(t *testing.T) {
	w := newWorld(t, "ACQUAINT_ADRR=:1", "ACQUAINT_LOG=json")
	r := w.run("token")
	if r.status != statusDone || !strings.Contains(r.errors, `"level":"WARN"`) || !strings.Contains(r.errors, `"name":"ACQUAINT_ADRR"`) {
		t.Errorf("status %d, %q", r.status, r.errors)
	}
}
