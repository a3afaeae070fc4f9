package durability

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// cluster is a PostgreSQL of the test's own, which it may restart.
type cluster struct {
	t      *testing.T
	folder string
	bin    string
	owner  *syscall.Credential // nil: who runs the test
	url    string
}

// newCluster makes a cluster and starts it, as it comes: with fsync. The test is left
// out where PostgreSQL's programs are not installed, unless it is demanded.
func newCluster(t *testing.T) *cluster {
	t.Helper()
	if testing.Short() {
		t.Skip("it makes and restarts a PostgreSQL of its own; left out with -short")
	}
	bin, err := postgresPrograms()
	if err != nil {
		if strings.Contains(os.Getenv("ACQUAINT_TEST_ENGINES"), "postgres") {
			t.Fatal(err)
		}
		t.Skipf("no PostgreSQL can be made here: %v", err)
	}
	folder, err := os.MkdirTemp("", "acquaint-cluster-") // one that another user can be given
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	c := &cluster{t: t, folder: folder, bin: bin}
	if os.Geteuid() == 0 {
		c.owner = ownerOf(t, folder)
	}
	port := freePort(t)
	c.url = fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", port)
	c.must("initdb", "-D", c.data(), "-U", "postgres", "-A", "trust", "--no-sync", "--no-locale", "-E", "UTF8")
	settings := fmt.Sprintf("\nport = %d\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\nfsync = on\n", port)
	file, err := os.OpenFile(filepath.Join(c.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteString(settings); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	c.start()
	t.Cleanup(func() {
		if out, err := c.program(context.Background(), "pg_ctl", "-D", c.data(), "-w", "-m", "immediate", "stop"); err != nil {
			t.Errorf("the cluster was gone: %v\n%s", err, out)
		}
	})
	return c
}

// postgresPrograms finds the folder of initdb and pg_ctl.
func postgresPrograms() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errors.New("initdb is neither in PATH nor in /usr/lib/postgresql")
	}
	return filepath.Dir(slices.Max(found)), nil
}

// ownerOf gives a folder to the user postgres: a server refuses to run as root.
func ownerOf(t *testing.T, folder string) *syscall.Credential {
	t.Helper()
	who, err := user.Lookup("postgres")
	if err != nil {
		t.Skipf("PostgreSQL does not run as root, and there is no user postgres: %v", err)
	}
	uid, errU := strconv.ParseUint(who.Uid, 10, 32)
	gid, errG := strconv.ParseUint(who.Gid, 10, 32)
	if err := errors.Join(errU, errG, os.Chown(folder, int(uid), int(gid))); err != nil {
		t.Fatal(err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // the network is tcp
}

func (c *cluster) data() string { return filepath.Join(c.folder, "data") }

func (c *cluster) program(ctx context.Context, name string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(c.bin, name), args...)
	cmd.Dir = c.folder
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.owner}
	return cmd.CombinedOutput()
}

func (c *cluster) must(name string, args ...string) {
	c.t.Helper()
	if out, err := c.program(c.t.Context(), name, args...); err != nil {
		log, _ := os.ReadFile(filepath.Join(c.folder, "log"))
		c.t.Fatalf("%s %s: %v\n%s\n%s", name, strings.Join(args, " "), err, out, log)
	}
}

// start returns when the cluster takes connections.
func (c *cluster) start() {
	c.t.Helper()
	c.must("pg_ctl", "-D", c.data(), "-l", filepath.Join(c.folder, "log"), "-w", "start")
}

// crash ends the cluster as a crash would.
func (c *cluster) crash() {
	c.t.Helper()
	c.must("pg_ctl", "-D", c.data(), "-w", "-m", "immediate", "stop")
}

// restart is a crash with recovery at once.
func (c *cluster) restart() {
	c.t.Helper()
	c.must("pg_ctl", "-D", c.data(), "-l", filepath.Join(c.folder, "log"), "-w", "-m", "immediate", "restart")
}
