package store_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
	"golang.org/x/sync/errgroup"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/internal/testdb"
	"github.com/acquaint/acquaint/store"
)

// refuses opens a database that cannot be opened, and checks what it is told.
func refuses(t *testing.T, o store.Options, kind insight.Kind, told ...string) {
	t.Helper()
	s, err := store.Open(t.Context(), o)
	if err == nil {
		_ = s.Close()
		t.Fatal("it is opened")
	}
	if got := insight.KindOf(err); got != kind {
		t.Errorf("the kind is %v, want %v: %s", got, kind, insight.Detail(err))
	}
	for _, part := range told {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
	for _, secret := range []string{"hunter2", "SELECT", "goroutine"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%q says %q", err, secret)
		}
	}
}

func TestNewerDatabase(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		s := testdb.Open(t, o)
		arrive(t, s, nil, few(t, s))
		if _, err := s.DB().Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99991231235959, $1)", true); err != nil {
			t.Fatal(err)
		}
		refuses(t, o, insight.Conflict, "database: ", "newer version", "99991231235959")
		// Whoever has it open goes on, and when the row is gone it opens again as it was.
		if v, err := s.Version(t.Context()); err != nil || v.Current != 99991231235959 || v.Target >= v.Current {
			t.Fatalf("%+v, %v", v, err)
		}
		if _, err := s.DB().Exec("DELETE FROM goose_db_version WHERE version_id = 99991231235959"); err != nil {
			t.Fatal(err)
		}
		again := testdb.Open(t, o)
		if v, err := again.Verify(t.Context(), nil); err != nil || v.Total > 0 || v.Interactions != 7 {
			t.Fatalf("%+v, %v", v, err)
		}
		if v, err := again.Version(t.Context()); err != nil || v.Opened != v.Target || v.Current != v.Target {
			t.Fatalf("%+v, %v", v, err)
		}
	})
}

// TestOpenedAtOnce: several processes that start on one empty database at the same
// moment all find it migrated and seeded, once.
func TestOpenedAtOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, o store.Options) {
		stores := make([]*store.Store, 5)
		var opening errgroup.Group
		for n := range stores {
			opening.Go(func() error {
				var err error
				stores[n], err = store.Open(t.Context(), o)
				return err
			})
		}
		err := opening.Wait()
		t.Cleanup(func() {
			for _, s := range stores {
				if s != nil {
					_ = s.Close()
				}
			}
		})
		if err != nil {
			t.Fatal(insight.Detail(err))
		}
		api := map[uuid.UUID]bool{}
		for _, s := range stores {
			one, err := s.Source(t.Context(), store.APISource)
			if err != nil {
				t.Fatal(err)
			}
			api[one.ID] = true
			arrive(t, s, nil, few(t, s))
		}
		if len(api) != 1 {
			t.Errorf("there are %d sources of one name", len(api))
		}
		if v, err := stores[0].Verify(t.Context(), nil); err != nil || v.Total > 0 || v.Interactions != 7 {
			t.Errorf("%+v, %v", v, err)
		}
	})
}

func TestBrokenFiles(t *testing.T) {
	folder := t.TempDir()
	path := func(name string, content []byte) store.Options {
		t.Helper()
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return store.Options{File: file}
	}
	t.Run("no name", func(t *testing.T) { refuses(t, store.Options{}, insight.Invalid, "ACQUAINT_DATA: ") })
	t.Run("a directory for the file", func(t *testing.T) {
		refuses(t, store.Options{File: folder}, insight.Invalid, "ACQUAINT_DATA: ", "directory")
	})
	t.Run("a file for the folder", func(t *testing.T) {
		file := path("file", []byte("hello")).File
		refuses(t, store.Options{File: filepath.Join(file, "acquaint.db")}, insight.Unavailable, "ACQUAINT_DATA: ", "folder")
	})
	t.Run("a folder where nothing may be written", func(t *testing.T) {
		refuses(t, store.Options{File: filepath.Join(unwritable(t), "acquaint.db")}, insight.Unavailable, "ACQUAINT_DATA: ", "acquaint.db", "cannot be opened")
	})
	t.Run("a text file", func(t *testing.T) {
		o := path("text.db", []byte(strings.Repeat("this is no database\n", 1000)))
		refuses(t, o, insight.Conflict, "ACQUAINT_DATA: ", "text.db", "damaged or not a database", "backup")
		if b, err := os.ReadFile(o.File); err != nil || !strings.HasPrefix(string(b), "this is no database") {
			t.Errorf("the file was changed: %v", err)
		}
	})
	t.Run("a folder with an odd name", func(t *testing.T) {
		o := store.Options{File: filepath.Join(folder, "a b?c#d%20é&x=1'\"", "acquaint.db")}
		s := testdb.Open(t, o)
		arrive(t, s, nil, few(t, s))
		if err := testdb.Open(t, o).Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		files, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if strings.HasPrefix(f.Name(), "a b") && f.Name() != filepath.Base(filepath.Dir(o.File)) {
				t.Errorf("there is a stray file %q", f.Name())
			}
		}
	})
}

// unwritable is a folder in which nobody may make a file.
func unwritable(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(folder, 0o700) })
	probe, err := os.Create(filepath.Join(folder, "probe"))
	if err == nil { // root may write everywhere but into what the kernel makes up
		_ = probe.Close()
		if runtime.GOOS != "linux" {
			t.Fatal("this test needs a user who is not root")
		}
		return "/proc/self"
	}
	return folder
}

// TestFlippedBytes spoils each page of a database in turn. Nothing panics, nothing
// is called internal, and what is read of a spoiled table is an error or a
// difference, not a number.
func TestFlippedBytes(t *testing.T) {
	o := testdb.SQLite(t)
	s, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	arrive(t, s, nil, few(t, s))
	if _, err := s.DB().Exec("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		t.Fatal(err)
	}
	var size, tables int
	if err := s.DB().QueryRow("PRAGMA page_size").Scan(&size); err != nil {
		t.Fatal(err)
	}
	// The first pages of the tables that Verify reads.
	spoils := map[int]string{}
	query(t, s, "SELECT rootpage, name FROM sqlite_master WHERE type = 'table' AND name IN ('individuals', 'identifiers', 'identity_links', 'interactions', 'sessions', 'traits', 'sources', 'channels')", func(c []string) {
		var page int
		if _, err := fmt.Sscan(c[0], &page); err != nil {
			t.Fatal(err)
		}
		spoils[page] = c[1]
		tables++
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(o.File)
	if err != nil {
		t.Fatal(err)
	}
	if tables != 8 || len(whole) < 20*size {
		t.Fatalf("%d tables in %d bytes", tables, len(whole))
	}
	for page := 1; page <= len(whole)/size; page++ {
		spoiled := append([]byte(nil), whole...)
		for i := (page - 1) * size; i < page*size; i++ {
			spoiled[i] ^= 0xA5
		}
		file := filepath.Join(t.TempDir(), "acquaint.db")
		if err := os.WriteFile(file, spoiled, 0o600); err != nil {
			t.Fatal(err)
		}
		found, err := inspect(t.Context(), file)
		if err != nil && insight.KindOf(err) != insight.Conflict {
			t.Errorf("page %d: the kind is %v: %s", page, insight.KindOf(err), insight.Detail(err))
		}
		if err != nil && !strings.Contains(err.Error(), "backup") {
			t.Errorf("page %d: %q does not say what to do: %s", page, err, insight.Detail(err))
		}
		if name, is := spoils[page]; is && err == nil && found == 0 {
			t.Errorf("page %d of %s is spoiled, and nobody says so", page, name)
		}
	}
}

func inspect(ctx context.Context, file string) (differences int, err error) {
	s, err := store.Open(ctx, store.Options{File: file})
	if err != nil {
		return 0, err
	}
	defer func() { _ = s.Close() }()
	v, err := s.Verify(ctx, nil)
	if err != nil {
		return 0, err
	}
	return v.Total, nil
}

// TestFullDisk: what does not fit is refused whole, what is there stays and can be
// read, and when there is room again it goes on.
func TestFullDisk(t *testing.T) {
	s := testdb.Open(t, testdb.SQLite(t))
	events := few(t, s)
	arrive(t, s, nil, events[:5])
	before := dump(t, s)
	s.LimitPages(t, 2)
	var big []*insight.Event
	for n := range 400 {
		e := *events[n%7]
		e.MessageID, e.Properties = fmt.Sprint("big", n), fmt.Appendf(nil, `{"text":%q}`, strings.Repeat("x", 500))
		big = append(big, &e)
	}
	for range 3 {
		outcomes, err := s.Append(t.Context(), big)
		if insight.KindOf(err) != insight.Unavailable || !strings.Contains(err.Error(), "the disk is full") || outcomes != nil {
			t.Fatalf("%v: %s", outcomes, insight.Detail(err))
		}
	}
	if v, err := s.Verify(t.Context(), nil); err != nil || v.Total > 0 || v.Interactions != 5 {
		t.Fatalf("%+v, %v", v, err)
	}
	if after := dump(t, s); strings.Join(after, "\n") != strings.Join(before, "\n") {
		t.Fatalf("something was half written:\n%s\nbefore:\n%s", strings.Join(after, "\n"), strings.Join(before, "\n"))
	}
	s.LimitPages(t, -1)
	arrive(t, s, nil, big)
	arrive(t, s, nil, events)
	if v, err := s.Verify(t.Context(), nil); err != nil || v.Total > 0 || v.Interactions != 407 {
		t.Fatalf("%+v, %v", v, err)
	}
}

func TestPostgresRefuses(t *testing.T) {
	o := testdb.Postgres(t)
	change := func(do func(*url.URL)) store.Options {
		u, err := url.Parse(o.URL)
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.UserPassword(u.User.Username(), "hunter2")
		do(u)
		return store.Options{URL: u.String()}
	}
	t.Run("nobody listens", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		nobody := l.Addr().String()
		_ = l.Close()
		refuses(t, change(func(u *url.URL) { u.Host = nobody }), insight.Unavailable, "DATABASE_URL: ", "away")
	})
	t.Run("somebody else listens", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_ = c.Close()
			}
		}()
		refuses(t, change(func(u *url.URL) { u.Host = l.Addr().String() }), insight.Unavailable, "DATABASE_URL: ", "away")
	})
	t.Run("no such host", func(t *testing.T) {
		refuses(t, change(func(u *url.URL) { u.Host = "nowhere.invalid:5432" }), insight.Unavailable, "DATABASE_URL: ", "away")
	})
	t.Run("no such database", func(t *testing.T) {
		refuses(t, change(func(u *url.URL) { u.Path = "/no_such_database" }), insight.Unavailable, "DATABASE_URL: ", "no_such_database")
	})
	t.Run("no such user", func(t *testing.T) {
		refuses(t, change(func(u *url.URL) { u.User = url.UserPassword("nobody_at_all", "hunter2") }), insight.Unavailable, "DATABASE_URL: ", "refused")
	})
	t.Run("a setting that does not exist", func(t *testing.T) {
		refuses(t, change(func(u *url.URL) { u.RawQuery += "&no_such_setting=1" }), insight.Unavailable, "DATABASE_URL: ", "no_such_setting")
	})
	for name, text := range map[string]string{
		"another engine": "mysql://root:hunter2@localhost/db", "no URL": "host=localhost password=hunter2", "an odd port": "postgres://x:hunter2@localhost:port/db", "an escape": "postgres://%zz:hunter2@localhost/db",
	} {
		t.Run(name, func(t *testing.T) { refuses(t, store.Options{URL: text}, insight.Invalid, "DATABASE_URL: ") })
	}
	// In good order it opens, in a zone of its own and by one connection.
	admin := testdb.Open(t, o)
	if _, err := admin.DB().Exec(fmt.Sprintf("ALTER DATABASE %s SET timezone = 'America/St_Johns'", strings.TrimPrefix(must(url.Parse(o.URL)).Path, "/"))); err != nil {
		t.Fatal(err)
	}
	o.Connections = 1
	s := testdb.Open(t, o)
	arrive(t, s, nil, few(t, s))
	if v, err := s.Verify(t.Context(), nil); err != nil || v.Total > 0 || v.Interactions != 7 {
		t.Errorf("%+v, %v", v, err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestTranslate: what the engines say, as what it means. A full disk of PostgreSQL
// is here, because none can be filled for a test.
func TestTranslate(t *testing.T) {
	pgError := func(code string) error { return &pq.Error{Code: pqerror.Code(code), Message: "secret detail"} }
	for _, c := range []struct {
		err  error
		kind insight.Kind
		text string
	}{
		{pgError("53100"), insight.Unavailable, "the database's disk is full"},
		{pgError("53300"), insight.Unavailable, "the database is away"}, // too many connections
		{pgError("53200"), insight.Unavailable, "the database is away"}, // out of memory
		{pgError("57P01"), insight.Unavailable, "the database is away"}, // told to stop
		{pgError("57P03"), insight.Unavailable, "the database is away"}, // starting up
		{pgError("08006"), insight.Unavailable, "the database is away"},
		{pgError("57014"), insight.Exhausted, "it took longer than allowed"},
		{pgError("28P01"), insight.Unavailable, "DATABASE_URL: the server refused the connection: secret detail"},
		{&pq.Error{Code: "42704", Severity: "FATAL", Message: "unknown setting"}, insight.Unavailable, "DATABASE_URL: the server refused the connection: unknown setting"},
		{pgError("42601"), insight.Internal, "internal"},
		{pgError(""), insight.Internal, "internal"},
		{context.DeadlineExceeded, insight.Exhausted, "it took longer than allowed"},
		{context.Canceled, insight.Unavailable, "the request was given up"},
		{sql.ErrNoRows, insight.NotFound, "not found"},
		{driver.ErrBadConn, insight.Unavailable, "the database is away"},
		{sql.ErrConnDone, insight.Unavailable, "the database is away"},
		{io.ErrUnexpectedEOF, insight.Unavailable, "the database is away"},
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, insight.Unavailable, "the database is away"},
		{errors.New("anything"), insight.Internal, "internal"},
		{insight.NewError(insight.Invalid, "a", "b"), insight.Invalid, "a: b"},
	} {
		for _, err := range []error{c.err, fmt.Errorf("beneath: %w", c.err)} {
			got := store.Translate("store.Test", err)
			if insight.KindOf(got) != c.kind || !strings.HasSuffix(got.Error(), c.text) || !errors.Is(got, c.err) {
				t.Errorf("%v becomes %v (%v), want %q of kind %v", err, got, insight.KindOf(got), c.text, c.kind)
			}
		}
	}
	// What the engine says of a value quotes it, and must not reach a log.
	for _, code := range []string{"22P02", "22003", "23505", "23502"} {
		got := store.Translate("store.Test", fmt.Errorf("beneath: %w", pgError(code)))
		if detail := insight.Detail(got); insight.KindOf(got) != insight.Internal || strings.Contains(detail, "secret") || !strings.Contains(detail, code) {
			t.Errorf("%s becomes %v: %s", code, insight.KindOf(got), detail)
		}
	}
	if err := store.Translate("store.Test", nil); err != nil {
		t.Errorf("nothing becomes %v", err)
	}
}
