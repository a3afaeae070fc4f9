package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"

	_ "github.com/lib/pq" // the PostgreSQL driver

	"github.com/acquaint/acquaint/insight"
)

// server is the PostgreSQL that is measured on.
type server struct {
	url   *url.URL
	admin *sql.DB
	made  int
}

func connect(ctx context.Context, address string) (*server, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return nil, insight.NewError(insight.Invalid, "DATABASE_URL", "it must be of the form postgres://user:password@host:5432/database")
	}
	admin, err := sql.Open("postgres", address)
	if err == nil {
		err = admin.PingContext(ctx)
	}
	if err != nil {
		return nil, &insight.Error{Op: "bench.Run", Kind: insight.Unavailable, Subject: "DATABASE_URL", Message: "the server does not answer", Cause: err}
	}
	return &server{url: u, admin: admin}, nil
}

func (s *server) close() error { return s.admin.Close() }

func (s *server) setting(ctx context.Context) (Setting, error) {
	var set Setting
	set.CPUs, set.Go = machine()
	err := s.admin.QueryRowContext(ctx, `SELECT current_setting('server_version'), current_setting('fsync') = 'on',
		current_setting('synchronous_commit'), current_setting('shared_buffers')`).Scan(&set.Postgres, &set.Fsync, &set.SynchronousCommit, &set.SharedBuffers)
	return set, wrap(err)
}

// scratch makes a database and returns its address, and what drops it.
func (s *server) scratch(ctx context.Context) (address string, drop func() error, err error) {
	s.made++
	name := fmt.Sprintf("acquaint_bench_%d_%d", os.Getpid(), s.made)
	if _, err := s.admin.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		return "", nil, &insight.Error{Op: "bench.Run", Kind: insight.Unavailable, Subject: "DATABASE_URL", Message: "the user cannot create a database", Cause: err}
	}
	of := *s.url
	of.Path = "/" + name
	return of.String(), func() error {
		_, err := s.admin.ExecContext(context.WithoutCancel(ctx), "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
		return err
	}, nil
}

// settle brings the server to the same state before each measurement: nothing left
// to write. A user who may not ask for that measures with a little more noise.
func (s *server) settle(ctx context.Context) { _, _ = s.admin.ExecContext(ctx, "CHECKPOINT") }

// within opens a database for what a measurement does beside the server.
func within(address string, connections int, do func(*sql.DB) error) (err error) {
	db, err := sql.Open("postgres", address)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return do(db)
}
