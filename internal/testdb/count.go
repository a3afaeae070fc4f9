package testdb

import (
	"context"
	"database/sql/driver"
	"sync/atomic"
)

// Counter counts the statements that a store sends to its database.
type Counter struct{ n atomic.Int64 }

// Take returns how many statements there were since the last call.
func (c *Counter) Take() int { return int(c.n.Swap(0)) }

// Wrap stands between a store and its driver: see store.Options.Wrap.
func (c *Counter) Wrap(inner driver.Connector) driver.Connector {
	return countingConnector{inner, c}
}

type countingConnector struct {
	driver.Connector
	counter *Counter
}

func (c countingConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &countingConn{conn, c.counter}, nil
}

type countingConn struct {
	driver.Conn
	counter *Counter
}

func (c *countingConn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	var s driver.Stmt
	var err error
	if p, ok := c.Conn.(driver.ConnPrepareContext); ok {
		s, err = p.PrepareContext(ctx, text)
	} else {
		s, err = c.Prepare(text)
	}
	if err != nil {
		return nil, err
	}
	return &countingStmt{s, c.counter}, nil
}

// QueryContext counts what is asked without preparation, several questions as one.
func (c *countingConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	if len(args) > 0 {
		return nil, driver.ErrSkip
	}
	c.counter.n.Add(1)
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, text, nil) //nolint:forcetypeassert // both drivers have it
}

func (c *countingConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o) //nolint:forcetypeassert // both drivers have it
}

func (c *countingConn) ResetSession(ctx context.Context) error {
	if r, ok := c.Conn.(driver.SessionResetter); ok {
		return r.ResetSession(ctx)
	}
	return nil
}

func (c *countingConn) IsValid() bool {
	v, ok := c.Conn.(driver.Validator)
	return !ok || v.IsValid()
}

type countingStmt struct {
	driver.Stmt
	counter *Counter
}

func (s *countingStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	s.counter.n.Add(1)
	return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args) //nolint:forcetypeassert // both drivers have it
}

func (s *countingStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	s.counter.n.Add(1)
	return s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args) //nolint:forcetypeassert // both drivers have it
}
