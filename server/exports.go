package server

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/insight"
)

// ExportsOptions says where archives come from. Redeem and Write are required.
type ExportsOptions struct {
	// Redeem finds the request that a ticket is for, which is valid until a moment. The
	// error is of kind [insight.Denied] for a ticket that is not believed, and of kind
	// [insight.NotFound] when there is no archive any longer.
	Redeem func(ctx context.Context, request uuid.UUID, until time.Time, ticket string) (*insight.Request, error)
	// Write writes the request's archive. It begins to write only when nothing but the
	// writer or the database can fail; an error before that is answered as one of Redeem's.
	Write func(ctx context.Context, w io.Writer, request *insight.Request) error

	Logger *slog.Logger // nil: none
}

// NewExports serves the archives that individuals asked for, to be mounted at
// /v1/exports/:
//
//	GET /v1/exports/{request}?until=…&ticket=…
//
// The address is handed out by the mutation requestExport, and is as secret as the
// data: whoever has it may download the archive until it expires. The answer is a zip,
// made while it is sent; one that is cut short has no end and is no zip. What is wrong
// is answered with JSON: {"code", "message"}.
func NewExports(o ExportsOptions) http.Handler {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refuse := func(err error) {
			kind := insight.KindOf(err)
			if kind == insight.Internal {
				o.Logger.ErrorContext(r.Context(), "an archive could not be made", "requestId", RequestID(r.Context()), "detail", insight.Detail(err))
				err = insight.NewError(insight.Internal, "", "internal error")
			}
			writeJSON(w, kinds[kind].status, map[string]string{"code": kinds[kind].code, "message": err.Error()})
		}
		w.Header().Set("Cache-Control", "no-store")
		if r.Method != http.MethodGet {
			w.Header().Set("Allow", "GET")
			writeJSON(w, http.StatusMethodNotAllowed, map[string]string{"code": codeBadUserInput, "message": "use GET"})
			return
		}
		id, err := insight.ParseIDOf(insight.RequestPrefix, "request", r.PathValue("request"))
		if err != nil {
			refuse(err)
			return
		}
		until, err := strconv.ParseInt(r.URL.Query().Get("until"), 10, 64)
		if err != nil {
			refuse(insight.NewError(insight.Invalid, "until", "it is part of the address, as it was handed out"))
			return
		}
		request, err := o.Redeem(r.Context(), id, time.Unix(until, 0), r.URL.Query().Get("ticket"))
		if err != nil {
			refuse(err)
			return
		}
		out := &patient{ResponseWriter: w, name: insight.FormatID(insight.RequestPrefix, id) + ".zip"}
		control := http.NewResponseController(w)
		_ = control.SetWriteDeadline(time.Time{})                    // each piece has its own, below
		defer func() { _ = control.SetWriteDeadline(time.Time{}) }() // the connection may serve another request
		err = o.Write(r.Context(), out, request)
		if err != nil && !out.begun && r.Context().Err() == nil {
			refuse(err)
			return
		}
		if err != nil {
			if r.Context().Err() == nil {
				o.Logger.ErrorContext(r.Context(), "an archive was cut short", "requestId", RequestID(r.Context()), "detail", insight.Detail(err))
			}
			panic(http.ErrAbortHandler) // half a zip must not look like a whole one
		}
	})
}

// patient gives the client time for each piece, and not for the whole.
type patient struct {
	http.ResponseWriter
	name  string // of the zip; empty: what is written is none, and its head is told already
	begun bool
}

// Write sends a piece.
func (p *patient) Write(b []byte) (int, error) {
	if !p.begun && p.name != "" {
		p.begun = true
		p.Header().Set("Content-Type", "application/zip")
		p.Header().Set("Content-Disposition", `attachment; filename="`+p.name+`"`)
	}
	_ = http.NewResponseController(p.ResponseWriter).SetWriteDeadline(time.Now().Add(transferTime)) // best effort: not every writer has one
	return p.ResponseWriter.Write(b)
}

// ReceiptKey is the public key that receipts are signed with, as the server tells it.
type ReceiptKey struct {
	ID        string `json:"keyId"`
	Algorithm string `json:"algorithm"`
	Public    string `json:"publicKey"` // base64
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that is gone does not wait for it
}
