package store

import "database/sql"

// DB is the writing connection pool, for tests that look at the tables.
func (s *Store) DB() *sql.DB { return s.write.db }
