package durability

import (
	"math/rand/v2"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// kills is how often the server is killed on each engine.
const kills = 30

// stopSignal asks a server to stop gracefully.
const stopSignal = syscall.SIGTERM

// stopTime is how long a graceful stop under load may take.
const stopTime = 20 * time.Second

// each runs a test on every engine, with an installation that is empty and how its
// tables are looked at.
func each(t *testing.T, test func(t *testing.T, i *installation, driver, name string)) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		data := t.TempDir()
		i := install(t, "ACQUAINT_DATA="+data, "DATABASE_URL="+o.URL)
		if o.URL != "" {
			test(t, i, "postgres", o.URL)
			return
		}
		test(t, i, "sqlite", "file:"+filepath.Join(data, "acquaint.db")+"?_pragma=busy_timeout(10000)")
	})
}

// TestKilled: a server that is killed at random moments under load loses nothing
// that it acknowledged, and keeps nothing twice.
func TestKilled(t *testing.T) {
	each(t, func(t *testing.T, i *installation, driver, name string) {
		random := rand.New(rand.NewPCG(7, 7))
		s := i.start()
		l := begin(i)
		for kill := range kills {
			l.after(random.IntN(40))
			s.killed(t)
			if kill%10 == 9 {
				l.check(driver, name) // of what the kill left, before anybody sends again
				l.verify()
			}
			if kill%5 == 4 { // and its successor, before the clients know of it
				i.launch().killed(t)
			}
			s = i.start()
		}
		l.after(clients)
		l.settled(t, driver, name)
	})
}

// TestStopped: a server that is told to stop under load ends with status 0 and in
// time, and what it acknowledged is there.
func TestStopped(t *testing.T) {
	each(t, func(t *testing.T, i *installation, driver, name string) {
		s := i.start()
		l := begin(i)
		for range 3 {
			l.after(30)
			began := time.Now()
			if err := s.end(t, stopSignal); err != nil {
				t.Fatalf("the server did not end well: %v\n%s", err, s.stderr)
			}
			if took := time.Since(began); took > stopTime {
				t.Errorf("the stop took %v", took)
			}
			l.check(driver, name)
			s = i.start()
		}
		l.after(clients)
		l.settled(t, driver, name)
	})
}
