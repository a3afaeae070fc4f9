package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/migrations"
)

// Version says where a database stands.
type Version struct {
	Opened  int64 // the newest migration that it had when it was opened; 0: it was empty
	Current int64 // the newest migration that it has
	Target  int64 // the newest that this program knows
}

// Version reports where the database stands; after [Open] both are the same.
func (s *Store) Version(ctx context.Context) (Version, error) {
	p, err := s.provider()
	if err != nil {
		return Version{}, err
	}
	current, target, err := p.GetVersions(ctx)
	return Version{Opened: s.opened, Current: current, Target: target}, translate("store.Version", err)
}

func (s *Store) provider(options ...goose.ProviderOption) (*goose.Provider, error) {
	files, name := migrations.SQLite(), goose.DialectSQLite3
	if s.write.postgres() {
		files, name = migrations.Postgres(), goose.DialectPostgres
	}
	return s.providerOf(files, name, options...)
}

func (s *Store) providerOf(files fs.FS, name goose.Dialect, options ...goose.ProviderOption) (*goose.Provider, error) {
	return goose.NewProvider(name, s.write.db, sqlFiles{files}, append(options, goose.WithDisableGlobalRegistry(true))...)
}

// sqlFiles hides what is not a migration (atlas.sum) from goose.
type sqlFiles struct{ fs.FS }

// migrate applies what is missing. Two processes that start at once take turns.
func (s *Store) migrate(ctx context.Context, o Options) error {
	unlock, options, err := s.migrationLock(ctx, o)
	if err != nil {
		return err
	}
	defer unlock()
	p, err := s.provider(options...)
	if err != nil {
		return err
	}
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return err
	}
	if current > target {
		return insight.NewError(insight.Conflict, "database", fmt.Sprintf(
			"it was made by a newer version of Acquaint (it stands at %d, this program knows %d); run that version, or restore a backup", current, target))
	}
	s.opened = current
	if err := up(ctx, p); err != nil {
		return err
	}
	return s.migrateDistributed(ctx)
}

// up applies what is missing.
func up(ctx context.Context, p *goose.Provider) error {
	_, err := p.Up(ctx)
	var partial *goose.PartialError
	if errors.As(err, &partial) {
		return partial.Err
	}
	return err
}

// migrationLock keeps others from migrating at the same time: an advisory lock on
// PostgreSQL; on SQLite an exclusive transaction in a small database of its own,
// which the operating system ends with the process.
func (s *Store) migrationLock(ctx context.Context, o Options) (func(), []goose.ProviderOption, error) {
	if s.write.postgres() {
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return nil, nil, err
		}
		return func() {}, []goose.ProviderOption{goose.WithSessionLocker(locker)}, nil
	}
	db := sql.OpenDB(sqliteConnector("file:" + (&url.URL{Path: o.File + ".lock"}).EscapedPath() + "?_pragma=busy_timeout(60000)&_txlock=exclusive"))
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return func() { _, _ = tx.Rollback(), db.Close() }, nil, nil
}
