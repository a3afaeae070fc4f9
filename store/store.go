package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"
	"github.com/lib/pq"
	"modernc.org/sqlite"

	"github.com/acquaint/acquaint/ent"
	"github.com/acquaint/acquaint/insight"
	"github.com/acquaint/acquaint/insight/receipt"
)

// Options say which database, and how to be told the time.
type Options struct {
	// URL is postgres://… for PostgreSQL, or empty for SQLite.
	URL string
	// File is the SQLite database's path, used when URL is empty. Its folder is made.
	File string
	// Now tells the time for what the store itself records (when a link was
	// revoked). Nil is time.Now.
	Now func() time.Time
	// Wrap, if set, stands between the store and its driver: tests count
	// statements with it.
	Wrap func(driver.Connector) driver.Connector
	// LookEvery is for how long what another process did may go unnoticed (see
	// docs/consent.md); 0 is a quarter of a second.
	LookEvery time.Duration
	// Controller is the name of the business, for receipts; may be empty.
	Controller string
	// Connections bounds the pool of readers; 0 is 16 on PostgreSQL and 4 on SQLite, and
	// 1 counts as 2.
	Connections int
}

// Store is a database that is open and migrated.
type Store struct {
	write, read *engine // one and the same on PostgreSQL
	small       *sql.DB // for the small tables; on SQLite that of write
	ent         *ent.Client
	now         func() time.Time
	directory   *directory
	horizon     horizon
	lookEvery   time.Duration
	accessLog   accessLog
	changes     atomic.Uint64 // how often this process heard that somebody may have been covered by something else
	moves       atomic.Uint64 // how often this process changed anything
	feed        *feed
	opened      int64    // the newest migration that the database had
	secret      [32]byte // from which the keys of identifiers are derived
	receiptKey  receipt.Key
	controller  string
	turn        sync.Mutex // the writing transaction of this process
	// views are those that are open: one fewer than there are connections to read over,
	// because what a view prepares is prepared on another one.
	views chan struct{}
	woken chan struct{} // holds one signal: see Woken
	wrap  func(driver.Connector) driver.Connector
}

// Open connects, applies the migrations that are missing, and loads what every
// request needs. The error is of kind Unavailable when the database does not
// answer, and of kind Conflict when it was made by a newer version or is damaged.
func Open(ctx context.Context, o Options) (*Store, error) {
	s := &Store{woken: make(chan struct{}, 1), now: o.Now, wrap: o.Wrap, controller: o.Controller, lookEvery: cmp.Or(o.LookEvery, lookEvery)}
	if s.now == nil {
		s.now = time.Now
	}
	var err error
	if o.URL == "" {
		err = s.openSQLite(o)
	} else {
		err = s.openPostgres(o)
	}
	if err != nil {
		return nil, err
	}
	if err := s.start(ctx, o); err != nil {
		_ = s.Close() // the first error is the one to tell
		return nil, o.name(translate("store.Open", err))
	}
	return s, nil
}

// name says in an error of opening which setting led to the database.
func (o Options) name(err error) error {
	var e *insight.Error
	switch {
	case !errors.As(err, &e) || e.Subject != "" || e.Kind == insight.Internal:
	case o.URL != "":
		e.Subject = "DATABASE_URL"
	default:
		e.Subject, e.Message = "ACQUAINT_DATA", o.File+": "+e.Message
	}
	return err
}

func (s *Store) start(ctx context.Context, o Options) error {
	if err := s.refuseWorker(ctx); err != nil {
		return err
	}
	if err := s.migrate(ctx, o); err != nil {
		if insight.KindOf(translate("store.Open", err)) == insight.Internal && s.damaged(ctx) {
			return &insight.Error{Op: "store.Open", Kind: insight.Conflict, Message: damagedFile, Cause: err}
		}
		return err
	}
	s.ent = ent.NewClient(ent.Driver(entsql.OpenDB(s.write.name, s.small)))
	if err := s.seed(ctx); err != nil {
		return err
	}
	s.feed = newFeed(o.URL, func() { s.changes.Add(1) })
	return s.directory.load(ctx)
}

const damagedFile = "the database's file is damaged or not a database; restore it from a backup"

// damaged asks SQLite whether the file is, when an error does not say so itself.
func (s *Store) damaged(ctx context.Context) bool {
	if s.write.postgres() {
		return false
	}
	var verdict string
	err := s.read.db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict)
	return insight.KindOf(translate("store.Open", err)) == insight.Conflict || err == nil && verdict != "ok"
}

func (s *Store) openPostgres(o Options) error {
	u, err := url.Parse(o.URL)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return insight.NewError(insight.Invalid, "DATABASE_URL", "it must be of the form postgres://user:password@host:5432/database")
	}
	config, err := pq.NewConfig(o.URL)
	if err != nil {
		return insight.NewError(insight.Invalid, "DATABASE_URL", "it names settings that the PostgreSQL driver does not know")
	}
	config.BinaryParameters = true // what is handed over as bytes, such as arrays, is in PostgreSQL's binary form
	connector, err := pq.NewConnectorConfig(config)
	if err != nil {
		return insight.NewError(insight.Invalid, "DATABASE_URL", "it names settings that the PostgreSQL driver does not know")
	}
	db := s.openDB(connector)
	limit := o.connections(16)
	s.views = make(chan struct{}, limit-1)
	db.SetMaxOpenConns(limit)
	db.SetMaxIdleConns(limit)
	db.SetConnMaxIdleTime(5 * time.Minute)
	s.write = newEngine(dialect.Postgres, db)
	s.read = s.write
	// Whoever looks a channel up while scanning rows holds a connection already: if all
	// did, none would be left to look it up with.
	s.small = s.openDB(connector)
	s.small.SetMaxOpenConns(2)
	s.small.SetConnMaxIdleTime(5 * time.Minute)
	s.directory = newDirectory(s)
	return nil
}

func (s *Store) openSQLite(o Options) error {
	if o.File == "" {
		return insight.NewError(insight.Invalid, "ACQUAINT_DATA", "no file was named for the database")
	}
	if info, err := os.Stat(o.File); err == nil && info.IsDir() {
		return insight.NewError(insight.Invalid, "ACQUAINT_DATA", "the database's file is a directory")
	}
	if err := os.MkdirAll(filepath.Dir(o.File), 0o700); err != nil {
		return &insight.Error{Op: "store.Open", Kind: insight.Unavailable, Subject: "ACQUAINT_DATA", Message: "the data folder cannot be made", Cause: err}
	}
	open := func(connections int, options string) *sql.DB {
		db := s.openDB(sqliteConnector("file:" + (&url.URL{Path: o.File}).EscapedPath() +
			"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)" +
			"&_pragma=secure_delete(1)" + // what is erased is overwritten
			"&_pragma=cache_size(-32000)&_time_format=sqlite" + options))
		db.SetMaxOpenConns(connections)
		db.SetMaxIdleConns(connections)
		return db
	}
	// The second connection prepares statements while the first is in a transaction.
	limit := o.connections(4)
	s.views = make(chan struct{}, limit-1)
	write, read := open(2, "&_txlock=immediate"), open(limit, "&_pragma=query_only(1)")
	s.write, s.read, s.small = newEngine(dialect.SQLite, write), newEngine(dialect.SQLite, read), write
	s.directory = newDirectory(s)
	return nil
}

// connections is how many a pool has. One would not do: statements are prepared on
// another connection than that of the transaction that needs them.
func (o Options) connections(usual int) int {
	if o.Connections == 0 {
		return usual
	}
	return max(o.Connections, 2)
}

func newEngine(name string, db *sql.DB) *engine {
	return &engine{name: name, db: db, prepared: map[string]*sql.Stmt{}, sent: map[string]int{}}
}

func (s *Store) openDB(c driver.Connector) *sql.DB {
	if s.wrap != nil {
		c = s.wrap(c)
	}
	return sql.OpenDB(c)
}

// sqliteConnector makes a connector of a driver that knows only names.
func sqliteConnector(name string) driver.Connector {
	return nameConnector{name: name, driver: &sqlite.Driver{}}
}

type nameConnector struct {
	name   string
	driver driver.Driver
}

func (c nameConnector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.name) }
func (c nameConnector) Driver() driver.Driver                        { return c.driver }

// Close lets go of the database. Nothing may use the store afterwards.
func (s *Store) Close() error {
	if s.feed != nil {
		s.feed.close()
	}
	s.write.close()
	err := s.write.db.Close()
	if s.read != s.write {
		s.read.close()
		err = errors.Join(err, s.read.db.Close())
	}
	if s.small != s.write.db {
		err = errors.Join(err, s.small.Close())
	}
	return err
}

// Ready reports whether the database answers.
func (s *Store) Ready(ctx context.Context) error {
	var one int
	return translate("store.Ready", s.read.db.QueryRowContext(ctx, "SELECT 1").Scan(&one))
}

// Engine names the engine: "sqlite", "postgres", or "citus" where the tables are
// distributed.
func (s *Store) Engine() string {
	switch {
	case s.write.citus:
		return "citus"
	case s.write.postgres():
		return "postgres"
	default:
		return "sqlite"
	}
}

// seed writes what every installation starts with, once.
func (s *Store) seed(ctx context.Context) error {
	return s.transact(ctx, "store.seed", func(tx *sql.Tx) error {
		secret, err := seedSecret(ctx, tx, "identifier_secret")
		if err != nil {
			return err
		}
		copy(s.secret[:], secret)
		seed, err := seedSecret(ctx, tx, "receipt_seed")
		if err != nil {
			return err
		}
		if s.receiptKey, err = receipt.NewKey(seed); err != nil {
			return err
		}
		return s.directory.seed(ctx, tx)
	})
}

// seedSecret makes a secret of the database, once.
func seedSecret(ctx context.Context, tx *sql.Tx, name string) ([]byte, error) {
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return nil, err
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO settings (id, value) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING", name, secret); err != nil {
		return nil, err
	}
	var kept []byte
	if err := tx.QueryRowContext(ctx, "SELECT value FROM settings WHERE id = $1", name).Scan(&kept); err != nil {
		return nil, err
	}
	if len(kept) != len(secret) {
		return nil, insight.NewError(insight.Conflict, "settings."+name, "it is damaged; restore the database from a backup")
	}
	return kept, nil
}

// key derives an identifier's key: 16 bytes of SHA-256 over the installation's
// secret, the kind and the value, marked as a UUID of version 8.
func (s *Store) key(i insight.Identity) uuid.UUID {
	return s.derive(byte(i.Kind), i.Value)
}

// The tags of what is derived besides identifiers, whose tags are their kinds.
const (
	linkTag   = 100
	traitTag  = 101
	accessTag = 102
)

func (s *Store) derive(tag byte, parts ...string) uuid.UUID {
	var scratch [256]byte
	b := append(scratch[:0], s.secret[:]...)
	b = append(b, tag)
	for i, p := range parts {
		if i > 0 {
			b = append(b, 0)
		}
		b = append(b, p...)
	}
	sum := sha256.Sum256(b)
	id := uuid.UUID(sum[:16])
	id[6] = id[6]&0x0F | 0x80
	id[8] = id[8]&0x3F | 0x80
	return id
}

// writerLock is the advisory lock of the one transaction that writes at a time.
const writerLock = 0x61637175 // "acqu"

// transact runs do in the one writing transaction, again when the engine asks for
// it, and translates its error.
func (s *Store) transact(ctx context.Context, op string, do func(tx *sql.Tx) error) error {
	return s.inTurn(ctx, op, func(tx *sql.Tx, _ marks) error { return do(tx) })
}

// inTurn is transact for whoever needs what is marked.
func (s *Store) inTurn(ctx context.Context, op string, do func(*sql.Tx, marks) error) error {
	const attempts = 5
	var err error
	s.turn.Lock()
	defer s.turn.Unlock()
	for range attempts {
		if err = s.attempt(ctx, do); err == nil || !again(err) {
			break
		}
	}
	return translate(op, err)
}

func (s *Store) attempt(ctx context.Context, do func(*sql.Tx, marks) error) (err error) {
	tx, err := s.write.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = tx.Rollback() // the first error is the one to tell
		}
	}()
	begin := readMarks
	if s.write.postgres() {
		begin = s.write.takeTurn
	}
	m, err := begin(ctx, tx)
	if err != nil {
		return err
	}
	if err := do(tx, m); err != nil {
		return err
	}
	return tx.Commit()
}

// takeTurn waits until no other process writes to a PostgreSQL, and keeps others
// waiting until the transaction ends.
func (e *engine) takeTurn(ctx context.Context, tx *sql.Tx) (marks, error) {
	// What is written is found by its keys. Without statistics, in a database that is
	// being filled, PostgreSQL would read whole tables for that. A table that has no
	// index for a question it reads whole all the same, and expects that to cost so much
	// that it would compile the statement first, which takes longer than all else.
	lock := fmt.Sprintf("SELECT pg_advisory_xact_lock(%d), set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)", writerLock)
	if e.together() {
		// Which keys they are is no matter then, and what is prepared is planned once. Citus
		// must know them: they say which nodes a statement is for.
		lock += ", set_config('plan_cache_mode', 'force_generic_plan', true)"
	}
	var m marks
	err := queryAll(ctx, tx, []string{lock, selectMarks}, func(n int, r *sql.Rows) error {
		if n == 0 {
			return nil
		}
		return m.scan(r)
	})
	return m, err
}

// marks are what a transaction knows from its beginning of those before it.
type marks struct {
	revision []byte // of the purposes and segments
	place    []byte // the last one among all changes of memberships that was given: see placeOf
}

const selectMarks = "SELECT id, value FROM settings WHERE id IN ('" + purposesRevision + "', '" + lastPlace + "')"

func readMarks(ctx context.Context, tx *sql.Tx) (marks, error) {
	var m marks
	answer, err := tx.QueryContext(ctx, selectMarks)
	if err != nil {
		return m, err
	}
	return m, each(answer, m.scan)
}

func (m *marks) scan(r *sql.Rows) error {
	var name string
	var value []byte
	err := r.Scan(&name, &value)
	switch {
	case err != nil:
	case name == lastPlace:
		m.place = append([]byte{}, value...) // an empty one is damaged, and not none
	default:
		m.revision = value
	}
	return err
}

// again reports whether a transaction failed only because of others.
func again(err error) bool {
	var p *pq.Error
	return errors.As(err, &p) && (p.Code == "40001" || p.Code == "40P01")
}

// translate turns an engine's error into one of the vocabulary's.
func translate(op string, err error) error {
	if err == nil {
		return nil
	}
	var known *insight.Error
	if errors.As(err, &known) {
		return err
	}
	e := &insight.Error{Op: op, Kind: insight.Internal, Cause: err}
	var p *pq.Error
	var l *sqlite.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		e.Kind, e.Message = insight.Exhausted, "it took longer than allowed"
	case errors.Is(err, context.Canceled):
		e.Kind, e.Message = insight.Unavailable, "the request was given up"
	case errors.Is(err, sql.ErrNoRows):
		e.Kind = insight.NotFound
	case errors.As(err, &p):
		translatePostgres(e, p)
	case errors.As(err, &l):
		translateSQLite(e, l)
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone), isNetwork(err):
		e.Kind, e.Message = insight.Unavailable, "the database is away"
	}
	return e
}

func translatePostgres(e *insight.Error, p *pq.Error) {
	class := ""
	if len(p.Code) >= 2 {
		class = string(p.Code[:2])
	}
	if class == "22" || class == "23" {
		// The message of a wrong or conflicting value quotes it, and causes are logged.
		e.Cause = fmt.Errorf("PostgreSQL refused a value (%s) of table %q, column %q, constraint %q", p.Code, p.Table, p.Column, p.Constraint)
	}
	switch {
	case p.Code == "57014":
		e.Kind, e.Message = insight.Exhausted, "it took longer than allowed"
	case p.Code == "53100":
		e.Kind, e.Message = insight.Unavailable, "the database's disk is full"
	case class == "08" || class == "57" || class == "53":
		e.Kind, e.Message = insight.Unavailable, "the database is away"
	case class == "28" || p.Code == "3D000" || p.Severity == "FATAL": // it ends the connection, which is said of connecting alone
		e.Kind, e.Subject, e.Message = insight.Unavailable, "DATABASE_URL", "the server refused the connection: "+p.Message
	}
}

func translateSQLite(e *insight.Error, l *sqlite.Error) {
	switch l.Code() & 0xFF {
	case 5, 6: // SQLITE_BUSY, SQLITE_LOCKED
		e.Kind, e.Message = insight.Unavailable, "the database is busy"
	case 9: // SQLITE_INTERRUPT
		e.Kind, e.Message = insight.Exhausted, "it took longer than allowed"
	case 10: // SQLITE_IOERR
		e.Kind, e.Message = insight.Unavailable, "the database's file cannot be read or written"
	case 11, 26: // SQLITE_CORRUPT, SQLITE_NOTADB
		e.Kind, e.Message = insight.Conflict, damagedFile
	case 13: // SQLITE_FULL
		e.Kind, e.Message = insight.Unavailable, "the disk is full"
	case 8, 14: // SQLITE_READONLY, SQLITE_CANTOPEN
		e.Kind, e.Message = insight.Unavailable, "the database's file cannot be opened for writing"
	}
}

func isNetwork(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) || strings.Contains(err.Error(), "connection") || strings.Contains(err.Error(), "EOF")
}
