package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
)

// TestExports: an archive is given for its ticket alone, and one that is cut short does
// not look whole.
func TestExports(t *testing.T) {
	id := uuid.MustParse("0190a5e4-4d5b-7c3a-9b1e-2f6d8a7c5e10")
	public := insight.FormatID(insight.RequestPrefix, id)
	broken := false
	exports := NewExports(ExportsOptions{
		Redeem: func(_ context.Context, request uuid.UUID, until time.Time, ticket string) (*insight.Request, error) {
			switch {
			case ticket == "of somebody who is gone":
				return nil, insight.NewError(insight.NotFound, "request", "there is no archive")
			case ticket == "fault":
				return nil, insight.WrapError("test", insight.Internal, errors.New("ann@example.com"))
			case request != id || until.Unix() != 1000 || ticket != "right":
				return nil, insight.NewError(insight.Denied, "ticket", "this address has expired")
			}
			return &insight.Request{ID: request}, nil
		},
		Write: func(_ context.Context, w io.Writer, _ *insight.Request) error {
			_, _ = io.WriteString(w, strings.Repeat("archive", 10_000))
			if broken {
				return errors.New("the database is away")
			}
			return nil
		},
	})
	mux := http.NewServeMux()
	mux.Handle("/v1/exports/{request}", exports)
	served := httptest.NewServer(mux)
	defer served.Close()
	ask := func(method, path string) (int, string, error) {
		r, err := http.NewRequestWithContext(t.Context(), method, served.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return 0, "", err
		}
		defer func() { _ = answer.Body.Close() }()
		body, err := io.ReadAll(answer.Body)
		return answer.StatusCode, string(body), err
	}
	for _, c := range []struct {
		method, path string
		status       int
		told         string
	}{
		{"GET", "/v1/exports/" + public + "?until=1000&ticket=right", 200, "archivearchive"},
		{"GET", "/v1/exports/" + public + "?until=1001&ticket=right", 403, "FORBIDDEN"},
		{"GET", "/v1/exports/" + public + "?until=1000&ticket=wrong", 403, "FORBIDDEN"},
		{"GET", "/v1/exports/" + public + "?until=1000", 403, "FORBIDDEN"},
		{"GET", "/v1/exports/" + public + "?ticket=right", 400, "BAD_USER_INPUT"},
		{"GET", "/v1/exports/" + insight.FormatID(insight.RequestPrefix, uuid.New()) + "?until=1000&ticket=right", 403, "FORBIDDEN"},
		{"GET", "/v1/exports/ind_01j2jy8kavfgx9p7hfdp57rqgg?until=1000&ticket=right", 400, "BAD_USER_INPUT"},
		{"GET", "/v1/exports/" + public + "?until=1000&ticket=of+somebody+who+is+gone", 404, "NOT_FOUND"},
		{"GET", "/v1/exports/" + public + "?until=1000&ticket=fault", 500, "internal error"},
		{"POST", "/v1/exports/" + public + "?until=1000&ticket=right", 405, "use GET"},
	} {
		status, body, err := ask(c.method, c.path)
		if err != nil || status != c.status || !strings.Contains(body, c.told) || strings.Contains(body, "ann@") {
			t.Errorf("%s %s: %d %.100q, %v, want %d with %q", c.method, c.path, status, body, err, c.status, c.told)
		}
	}
	broken = true
	if _, body, err := ask("GET", "/v1/exports/"+public+"?until=1000&ticket=right"); err == nil {
		t.Errorf("an archive that was cut short comes as a whole of %d bytes", len(body))
	}
}
