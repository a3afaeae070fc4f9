package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// client is one kept-alive connection. It sends requests that are prepared to the
// last byte and reads no more of an answer than it must, so that the load takes
// little of the machine from what is measured.
type client struct {
	conn net.Conn
	in   *bufio.Reader
	body []byte
}

func dial(ctx context.Context, address string) (*client, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &client{conn: conn, in: bufio.NewReaderSize(conn, 64<<10)}, nil
}

// request renders a POST.
func request(path, authorization, contentType, more string, body []byte) []byte {
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: %s\r\nContent-Type: %s\r\n%sContent-Length: %d\r\n\r\n",
		path, authorization, contentType, more, len(body))
	return append([]byte(head), body...)
}

// ask sends a request and returns the answer's body, which is good until the next.
// An answer other than 200 is an error.
func (c *client) ask(request []byte) ([]byte, error) {
	if _, err := c.conn.Write(request); err != nil {
		return nil, err
	}
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	status := ""
	if fields := bytes.Fields(line); len(fields) > 1 {
		status = string(fields[1])
	}
	length := -1
	for {
		if line, err = c.in.ReadSlice('\n'); err != nil {
			return nil, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		if name, value, ok := strings.Cut(string(line), ":"); ok && strings.EqualFold(name, "Content-Length") {
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return nil, err
			}
		}
	}
	if length < 0 {
		return nil, errors.New("an answer without a length")
	}
	if cap(c.body) < length {
		c.body = make([]byte, length)
	}
	c.body = c.body[:length]
	if _, err = io.ReadFull(c.in, c.body); err != nil {
		return nil, err
	}
	if status != "200" {
		return nil, fmt.Errorf("the server answered %s", status)
	}
	return c.body, nil
}

func (c *client) close() error { return c.conn.Close() }

// tally is what a load did.
type tally struct {
	times []time.Duration // of every request, from when it was due, where that was set
	took  time.Duration   // from the first request to the last answer
}

// load lets some workers work at once. Each is called with its number and returns
// what answers the n-th piece of work, and what closes it; there is no more work
// when next answers false.
func load(ctx context.Context, workers int, next supply, open func(worker int) (do func(n int) error, shut func() error, err error)) (tally, error) {
	var t tally
	var mu sync.Mutex
	var ready, started sync.WaitGroup
	ready.Add(workers)
	started.Add(1)
	group, working := errgroup.WithContext(ctx)
	for w := range workers {
		group.Go(func() (err error) {
			do, shut, err := open(w)
			ready.Done()
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, shut()) }()
			started.Wait()
			var times []time.Duration
			for working.Err() == nil {
				n, began, more := next()
				if !more {
					break
				}
				if began.IsZero() {
					began = time.Now()
				}
				if err := do(n); err != nil {
					return err
				}
				times = append(times, time.Since(began))
			}
			mu.Lock()
			defer mu.Unlock()
			t.times = append(t.times, times...)
			return nil
		})
	}
	ready.Wait()
	began := time.Now()
	started.Done()
	err := group.Wait()
	t.took = time.Since(began)
	if err == nil {
		err = ctx.Err()
	}
	return t, wrap(err)
}

// supply hands out the numbers of pieces of work, to all workers together, and when each
// is due; zero: whenever somebody is there to do it.
type supply func() (n int, due time.Time, more bool)

// upTo counts from first to last.
func upTo(first, last int) supply {
	var n atomic.Int64
	n.Store(int64(first) - 1)
	return func() (int, time.Time, bool) {
		i := int(n.Add(1))
		return i, time.Time{}, i < last
	}
}

// until counts for as long as it is before a moment.
func until(end time.Time) supply {
	var n atomic.Int64
	return func() (int, time.Time, bool) { return int(n.Add(1)) - 1, time.Time{}, time.Now().Before(end) }
}

// paced hands out work at a rate of so many pieces a second, and not before it is due.
// Where the workers cannot keep up, it is later.
func paced(ctx context.Context, next supply, rate float64) supply {
	each := time.Duration(float64(time.Second) / rate)
	var handed atomic.Int64
	began := sync.OnceValue(time.Now)
	return func() (int, time.Time, bool) {
		n, _, more := next()
		if !more {
			return n, time.Time{}, false
		}
		due := began().Add(time.Duration(handed.Add(1)-1) * each)
		select {
		case <-ctx.Done():
		case <-time.After(time.Until(due)):
		}
		return n, due, true
	}
}
