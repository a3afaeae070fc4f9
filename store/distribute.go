package store

import (
	"context"
	"fmt"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/migrations"
)

// Distribute spreads the tables over the nodes of a Citus cluster, in one
// transaction: what is known of a person by individual_id, the directory of who is
// whom by its own key, the small tables whole on every node. Rows that are there
// go along. It reports whether there was anything to do; a database that is
// distributed already is left as it is.
//
// No other method of this store, and no other process, may use the database
// meanwhile: what they prepared is for tables that are whole.
//
// The error is of kind Invalid when the database is not one that can be
// distributed: SQLite, or a PostgreSQL without the Citus extension. [Open] refuses a
// worker of a cluster.
func (s *Store) Distribute(ctx context.Context) (bool, error) {
	const op = "store.Distribute"
	if !s.write.postgres() {
		return false, insight.NewError(insight.Invalid, "DATABASE_URL",
			"SQLite is one file on one machine; to grow to many, DATABASE_URL must name the coordinator of a Citus cluster")
	}
	has, err := s.hasExtension(ctx)
	if err != nil {
		return false, translate(op, err)
	}
	if !has {
		return false, insight.NewError(insight.Invalid, "DATABASE_URL",
			"this PostgreSQL database has no Citus extension; it must be the database of a Citus coordinator, in which CREATE EXTENSION citus was run")
	}
	p, err := s.distributor()
	if err != nil {
		return false, translate(op, err)
	}
	pending, err := p.HasPending(ctx)
	if err != nil || !pending {
		return false, translate(op, err)
	}
	if err := up(ctx, p); err != nil {
		return false, translate(op, err)
	}
	s.write.close()
	return true, translate(op, s.recognizeCitus(ctx))
}

// distributionTable is where goose keeps count of the files of migrations/citus.
const distributionTable = "goose_citus_version"

func (s *Store) distributor() (*goose.Provider, error) {
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return nil, err
	}
	return s.providerOf(migrations.Citus(), goose.DialectPostgres, goose.WithSessionLocker(locker), goose.WithTableName(distributionTable))
}

// migrateDistributed gives a database that is distributed what is missing to stay
// so.
func (s *Store) migrateDistributed(ctx context.Context) error {
	if err := s.recognizeCitus(ctx); err != nil || !s.write.citus {
		return err
	}
	p, err := s.distributor()
	if err != nil {
		return err
	}
	return up(ctx, p)
}

func (s *Store) hasExtension(ctx context.Context) (has bool, err error) {
	err = s.write.db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus')").Scan(&has)
	return has, err
}

// refuseWorker keeps a database from being opened through a worker of a cluster:
// writers take turns, and announce what they keep, on the coordinator.
func (s *Store) refuseWorker(ctx context.Context) error {
	if !s.write.postgres() {
		return nil
	}
	has, err := s.hasExtension(ctx)
	if err != nil || !has {
		return err
	}
	var group int
	if err := s.write.db.QueryRowContext(ctx, "SELECT groupid FROM pg_dist_local_group").Scan(&group); err != nil {
		return err
	}
	if group != 0 {
		return insight.NewError(insight.Invalid, "DATABASE_URL", "this is a worker of a Citus cluster; name its coordinator")
	}
	return nil
}

// recognizeCitus finds out whether the tables are distributed.
func (s *Store) recognizeCitus(ctx context.Context) error {
	if !s.write.postgres() {
		return nil
	}
	has, err := s.hasExtension(ctx)
	if err != nil || !has {
		return err
	}
	var distributed bool
	err = s.write.db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM pg_dist_partition WHERE logicalrelid = 'individuals'::regclass)").Scan(&distributed)
	if err != nil || !distributed {
		return err
	}
	columns := make(map[string]string, len(movedTables))
	for _, table := range movedTables {
		var list string
		err := s.write.db.QueryRowContext(ctx, `SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
			WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'individual_id'`, table).Scan(&list)
		if err != nil {
			return fmt.Errorf("the columns of %s: %w", table, err)
		}
		columns[table] = list
	}
	s.write.citus, s.write.columns = true, columns
	return nil
}
