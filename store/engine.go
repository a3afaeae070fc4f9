package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"
	"github.com/lib/pq/oid"
)

// engine is what differs between the databases: how a set of rows or keys is
// handed to a statement. Everything else is one text for all.
//
// PostgreSQL takes a set as arrays, a parameter a column, and works on all rows in
// one statement. SQLite, which lives in the process, is given the same statement a
// row at a time, prepared once. On Citus, whose rows lie on the node that their
// individual_id says, a primary key contains that column, and a row changes it by
// being written anew.
type engine struct {
	name string // dialect.Postgres or dialect.SQLite

	citus   bool              // the tables are distributed
	columns map[string]string // on Citus, of the tables whose rows move: all columns but individual_id

	mu       sync.RWMutex
	prepared map[string]*sql.Stmt // by text, on db
	sent     map[string]int       // how often texts that are not prepared were
	often    []string             // those that are to be
	db       *sql.DB
}

func (e *engine) postgres() bool { return e.name == dialect.Postgres }

// stmt prepares a statement once and keeps it. The texts are finite: they come
// from this package and its few variants of filters.
func (e *engine) stmt(ctx context.Context, text string) (*sql.Stmt, error) {
	e.mu.RLock()
	s, ok := e.prepared[text]
	e.mu.RUnlock()
	if ok {
		return s, nil
	}
	s, err := e.db.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if kept, ok := e.prepared[text]; ok {
		_ = s.Close()
		return kept, nil
	}
	e.prepared[text] = s
	return s, nil
}

// sentOften is how often a text is sent before it is prepared.
const sentOften = 20

// kept is the statement that was prepared for a text, or nil: then it counts how often
// that is sent. Nothing is prepared here, which asks for another connection.
func (e *engine) kept(text string) *sql.Stmt {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.prepared[text]
	if s == nil {
		if e.sent[text]++; e.sent[text] == sentOften {
			e.often = append(e.often, text)
		}
	}
	return s
}

// prepareOften prepares what was sent often.
func (e *engine) prepareOften(ctx context.Context) {
	e.mu.Lock()
	texts := e.often
	e.often = nil
	e.mu.Unlock()
	for _, text := range texts {
		if _, err := e.stmt(ctx, text); err != nil {
			e.mu.Lock()
			e.sent[text] = 0 // it is sent as it is, and tried again
			e.mu.Unlock()
		}
	}
}

func (e *engine) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range e.prepared {
		_ = s.Close()
	}
	clear(e.prepared)
}

// keys renders a set of ids as one parameter: see anyOf.
func (e *engine) keys(ids []uuid.UUID) any {
	if e.postgres() {
		c := e.column("uuid")
		c.buf = make([]byte, arrayHeader, arrayHeader+20*len(ids))
		for _, id := range ids {
			c.uuid(id)
		}
		return c.array()
	}
	b := make([]byte, 0, 2+39*len(ids))
	b = append(b, '[')
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = appendUUID(b, id)
		b = append(b, '"')
	}
	return string(append(b, ']'))
}

// texts renders a set of strings as one parameter: see anyTextOf.
func (e *engine) texts(values []string) any {
	if !e.postgres() {
		b, _ := json.Marshal(values) // a slice of strings always marshals
		return string(b)
	}
	c := e.column("text")
	for _, v := range values {
		c.text(v)
	}
	return c.array()
}

// anyOf is the condition that a uuid column is among the keys of parameter n.
func (e *engine) anyOf(column string, n int) string {
	if e.postgres() {
		return fmt.Sprintf("%s = ANY($%d::uuid[])", column, n)
	}
	return fmt.Sprintf("%s IN (SELECT value FROM json_each($%d))", column, n)
}

// onNodesOf repeats, inside a LATERAL, the condition that its parents are the keys of
// parameter n: Citus sees there alone which nodes have what is asked for. Elsewhere
// it is nothing.
func (e *engine) onNodesOf(column string, n int) string {
	if e.citus {
		return " AND " + e.anyOf(column, n)
	}
	return ""
}

// moment and key are parameter n as a time and as an id.
func (e *engine) moment(n int) string { return e.typed(n, "timestamptz") }
func (e *engine) key(n int) string    { return e.typed(n, "uuid") }

// typed is parameter n with its type, where PostgreSQL could not tell.
func (e *engine) typed(n int, kind string) string {
	p := "$" + strconv.Itoa(n)
	if e.postgres() {
		p += "::" + kind
	}
	return p
}

// anyTextOf is the condition that a text column is among the texts of parameter n.
func (e *engine) anyTextOf(column string, n int) string {
	if e.postgres() {
		return fmt.Sprintf("%s = ANY($%d::text[])", column, n)
	}
	return fmt.Sprintf("%s IN (SELECT value FROM json_each($%d))", column, n)
}

// personKey is the primary key of a table of what individuals have.
func (e *engine) personKey() string {
	if e.citus {
		return "(individual_id, id)"
	}
	return "(id)"
}

// time renders a moment as a parameter. SQLite keeps times as text, in a form
// whose order is the order of time.
func (e *engine) time(t time.Time) any {
	if e.postgres() {
		return string(appendPostgresTime(nil, t))
	}
	return t.UTC().Format(sqliteTime)
}

const sqliteTime = "2006-01-02 15:04:05.999999999-07:00"

func appendUUID(b []byte, id uuid.UUID) []byte {
	const digits = "0123456789abcdef"
	for i, v := range id {
		switch i {
		case 4, 6, 8, 10:
			b = append(b, '-')
		}
		b = append(b, digits[v>>4], digits[v&15])
	}
	return b
}

// appendPostgresTime writes a timestamptz as PostgreSQL reads it fastest.
func appendPostgresTime(b []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(b, "2006-01-02 15:04:05.999999Z")
}

// rows is a table r of values on their way into a statement. Columns are declared
// once; then every row gives each of them, in any order.
type rows struct {
	engine  *engine
	names   []string
	columns []*column
}

// column holds one column's values: for PostgreSQL as an array in the binary form
// that array_recv reads, which costs a third less than its text; as they are for
// SQLite.
type column struct {
	pg     bool
	kind   string // PostgreSQL's type
	n      int
	nulls  bool
	buf    []byte
	values []any
}

// arrayHeader is how long the head of a binary array is: the number of dimensions,
// whether there are NULLs, the type of the elements, their number, and the index of
// the first.
const arrayHeader = 5 * 4

// elements are the types of PostgreSQL that columns have.
var elements = map[string]oid.Oid{
	"bigint": oid.T_int8, "bool": oid.T_bool, "bytea": oid.T_bytea, "float8": oid.T_float8, "jsonb": oid.T_jsonb, "smallint": oid.T_int2,
	"text": oid.T_text, "timestamptz": oid.T_timestamptz, "uuid": oid.T_uuid,
}

func (e *engine) column(kind string) *column { return &column{pg: e.postgres(), kind: kind} }

func (e *engine) rows() *rows { return &rows{engine: e} }

// column declares the next column by its name and PostgreSQL type.
func (r *rows) column(name, kind string) *column {
	c := r.engine.column(kind)
	r.names, r.columns = append(r.names, name), append(r.columns, c)
	return c
}

func (r *rows) len() int {
	if len(r.columns) == 0 {
		return 0
	}
	return r.columns[0].n
}

// array is the whole column; nothing can be added afterwards.
func (c *column) array() []byte {
	dimensions, nulls := uint32(1), uint32(0)
	if c.n == 0 {
		c.buf, dimensions = make([]byte, arrayHeader), 0
	}
	if c.nulls {
		nulls = 1
	}
	for i, v := range [...]uint32{dimensions, nulls, uint32(elements[c.kind]), uint32(c.n), 1} {
		binary.BigEndian.PutUint32(c.buf[4*i:], v)
	}
	if c.n == 0 {
		return c.buf[:3*4]
	}
	return c.buf
}

// next begins an element of so many bytes.
func (c *column) next(size int) {
	if c.buf == nil {
		c.buf = make([]byte, arrayHeader, 4096)
	}
	c.n++
	c.buf = binary.BigEndian.AppendUint32(c.buf, uint32(size))
}

// keep adds a value for SQLite.
func (c *column) keep(v any) {
	c.n++
	c.values = append(c.values, v)
}

func (c *column) null() {
	if !c.pg {
		c.keep(nil)
		return
	}
	c.nulls = true
	c.next(-1)
}

func (c *column) uuid(id uuid.UUID) {
	if !c.pg {
		c.keep(id.String())
		return
	}
	c.next(len(id))
	c.buf = append(c.buf, id[:]...)
}

func (c *column) uuidOrNull(id uuid.UUID) {
	if id == uuid.Nil {
		c.null()
		return
	}
	c.uuid(id)
}

func (c *column) int(v int64) {
	switch {
	case !c.pg:
		c.keep(v)
	case c.kind == "smallint":
		c.next(2)
		c.buf = binary.BigEndian.AppendUint16(c.buf, uint16(v))
	default:
		c.next(8)
		c.buf = binary.BigEndian.AppendUint64(c.buf, uint64(v))
	}
}

func (c *column) bool(v bool) {
	if !c.pg {
		c.keep(v)
		return
	}
	c.next(1)
	if v {
		c.buf = append(c.buf, 1)
	} else {
		c.buf = append(c.buf, 0)
	}
}

func (c *column) float(v float64) {
	if !c.pg {
		c.keep(v)
		return
	}
	c.next(8)
	c.buf = binary.BigEndian.AppendUint64(c.buf, math.Float64bits(v))
}

func (c *column) time(t time.Time) {
	if !c.pg {
		c.keep(t.UTC().Format(sqliteTime))
		return
	}
	c.next(8)
	c.buf = binary.BigEndian.AppendUint64(c.buf, uint64(t.UnixMicro()-postgresEpoch))
}

func (c *column) timeOrNull(t time.Time) {
	if t.IsZero() {
		c.null()
		return
	}
	c.time(t)
}

func (c *column) bytes(v []byte) {
	if !c.pg {
		c.keep(v)
		return
	}
	c.next(len(v))
	c.buf = append(c.buf, v...)
}

func (c *column) text(v string) {
	if !c.pg {
		c.keep(v)
		return
	}
	c.next(len(v))
	c.buf = append(c.buf, v...)
}

// json adds a JSON text; an empty one is NULL.
func (c *column) json(v []byte) {
	switch {
	case len(v) == 0:
		c.null()
	case !c.pg:
		c.keep(string(v))
	default:
		const version = 1 // of jsonb's binary form, which is this and the text
		c.next(1 + len(v))
		c.buf = append(append(c.buf, version), v...)
	}
}

// insert inserts the rows into a table whose columns have their names. PostgreSQL
// does so in one statement; SQLite takes a row at a time as VALUES, because of a
// SELECT it would keep a journal in case only some of the rows can be inserted.
func (r *rows) insert(ctx context.Context, tx *sql.Tx, table, onConflict string) error {
	names := strings.Join(r.names, ", ")
	text := "INSERT INTO " + table + " (" + names + ") "
	if r.engine.postgres() {
		text = r.with() + text + "SELECT " + names + " FROM r " + onConflict
	} else {
		text += "VALUES (" + strings.Join(r.parameters(0), ", ") + ") " + onConflict
	}
	return r.execText(ctx, tx, text)
}

// exec runs a statement that reads its input from the table r.
func (r *rows) exec(ctx context.Context, tx *sql.Tx, body string) error {
	return r.execText(ctx, tx, r.with()+body)
}

func (r *rows) execText(ctx context.Context, tx *sql.Tx, text string) error {
	return r.run(ctx, tx, text, func(s *sql.Stmt, args []any) error {
		_, err := s.ExecContext(ctx, args...)
		return err
	})
}

// query runs a query that reads its input from the table r and hands each row of
// the answer to scan.
func (r *rows) query(ctx context.Context, tx *sql.Tx, body string, scan func(*sql.Rows) error) error {
	return r.run(ctx, tx, r.with()+body, func(s *sql.Stmt, args []any) error {
		answer, err := s.QueryContext(ctx, args...)
		if err != nil {
			return err
		}
		return each(answer, scan)
	})
}

// parameters are the columns as parameters of a statement, after so many others. Arrays
// are walked in step where they stand in a list of columns; in FROM each would be copied
// first.
func (r *rows) parameters(after int) []string {
	parameters := make([]string, len(r.columns))
	for i, c := range r.columns {
		parameters[i] = "$" + strconv.Itoa(after+i+1)
		if c.pg {
			parameters[i] = "unnest(" + parameters[i] + "::" + c.kind + "[])"
		}
	}
	return parameters
}

// with begins a statement with the table r.
func (r *rows) with() string {
	table := strings.Join(r.parameters(0), ", ")
	if r.engine.postgres() {
		table = "SELECT " + table
	} else {
		table = "VALUES (" + table + ")"
	}
	return "WITH r(" + strings.Join(r.names, ", ") + ") AS (" + table + ") "
}

// run runs a statement with all rows: at once on PostgreSQL, in turn on SQLite, not
// at all when there are none.
func (r *rows) run(ctx context.Context, tx *sql.Tx, text string, do func(*sql.Stmt, []any) error) error {
	if r.len() == 0 {
		return nil
	}
	prepared, err := r.engine.stmt(ctx, text)
	if err != nil {
		return err
	}
	stmt := tx.StmtContext(ctx, prepared)
	if r.engine.postgres() {
		return do(stmt, r.arrays())
	}
	args := make([]any, len(r.columns))
	for row := range r.len() {
		for i, c := range r.columns {
			args[i] = c.values[row]
		}
		if err := do(stmt, args); err != nil {
			return err
		}
	}
	return nil
}

// arrays are the columns as values of the parameters; nothing can be added afterwards.
func (r *rows) arrays() []any {
	args := make([]any, len(r.columns))
	for i, c := range r.columns {
		args[i] = c.array()
	}
	return args
}

// each scans every row of an answer and closes it.
func each(answer *sql.Rows, scan func(*sql.Rows) error) error {
	defer func() { _ = answer.Close() }()
	for answer.Next() {
		if err := scan(answer); err != nil {
			return err
		}
	}
	return answer.Err()
}

// id, at and float render a column so that the driver decodes it fastest: from
// PostgreSQL's own bytes, which it otherwise gets as texts.

func (e *engine) id(column string) string {
	if e.postgres() {
		return "uuid_send(" + column + ")"
	}
	return column
}

func (e *engine) at(column string) string {
	if e.postgres() {
		return "timestamptz_send(" + column + ")"
	}
	return column
}

func (e *engine) float(column string) string {
	if e.postgres() {
		return "float8send(" + column + ")"
	}
	return column
}

// postgresEpoch is 2000-01-01 in microseconds since 1970.
const postgresEpoch = 946_684_800_000_000

// number scans a small integer.
type number int64

// Scan implements sql.Scanner.
func (n *number) Scan(v any) error {
	i, ok := v.(int64)
	if !ok {
		return fmt.Errorf("an integer came as %T", v)
	}
	*n = number(i)
	return nil
}

// amount scans a float that may be NULL.
type amount struct {
	value float64
	given bool
}

// Scan implements sql.Scanner.
func (a *amount) Scan(v any) error {
	*a = amount{given: v != nil}
	switch v := v.(type) {
	case nil:
	case float64:
		a.value = v
	case int64: // SQLite's, for a whole number
		a.value = float64(v)
	case []byte: // of float8send
		if len(v) != 8 {
			return fmt.Errorf("a float came as %d bytes", len(v))
		}
		a.value = math.Float64frombits(binary.BigEndian.Uint64(v))
	default:
		return fmt.Errorf("a float came as %T", v)
	}
	return nil
}

func (a amount) pointer() *float64 {
	if !a.given {
		return nil
	}
	return &a.value
}

// moment scans a time from either engine, which may be NULL.
type moment struct{ time.Time }

// Scan implements sql.Scanner.
func (m *moment) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		m.Time = time.Time{}
	case time.Time:
		m.Time = v.UTC()
	case []byte: // of timestamptz_send: microseconds since 2000
		if len(v) != 8 {
			return fmt.Errorf("a time came as %d bytes", len(v))
		}
		m.Time = time.UnixMicro(int64(binary.BigEndian.Uint64(v)) + postgresEpoch).UTC()
	case string:
		t, err := time.Parse(sqliteTime, v)
		if err != nil {
			return err
		}
		m.Time = t.UTC()
	default:
		return fmt.Errorf("a time came as %T", v)
	}
	return nil
}
