package server

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/acquaint/acquaint/insight"
)

// MembersOptions says where the members of segments come from. Auth and Write are
// required.
type MembersOptions struct {
	Auth *Authenticator
	// Write writes the members of a segment in a format, with the traits of some keys, as
	// far as a viewer may read them. It calls begin with the media type before it writes;
	// an error before that is answered as such.
	Write func(ctx context.Context, w io.Writer, v *insight.Viewer, segment, format string, traits []string, begin func(mediaType string)) error

	Logger *slog.Logger // nil: none
}

// NewMembers serves who is in a segment, to be mounted at /v1/segments/{key}/members:
//
//	GET /v1/segments/{key}/members?format=ndjson|csv&traits=plan,city
//	Authorization: Bearer …   (scope individuals:read)
//	Acquaint-Purpose: …       (the segment's)
//
// Without format, the header Accept: text/csv asks for CSV; else it is NDJSON. The
// answer is made while it is sent; one that is cut short ends without the last chunk.
// What is wrong is answered with JSON: {"code", "message"}.
func NewMembers(o MembersOptions) http.Handler {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refuse := func(err error) {
			kind := insight.KindOf(err)
			if kind == insight.Internal {
				o.Logger.ErrorContext(r.Context(), "the members of a segment could not be written", "requestId", RequestID(r.Context()), "detail", insight.Detail(err))
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
		viewer, until, err := o.Auth.admit(r.Context(), headerCredentials(r.Header))
		if err != nil {
			refuse(err)
			return
		}
		ctx, cancel := context.WithDeadline(r.Context(), until) // no longer than the token is believed
		defer cancel()
		format := r.URL.Query().Get("format")
		if format == "" {
			format = "ndjson"
			if strings.Contains(r.Header.Get("Accept"), "text/csv") {
				format = "csv"
			}
		}
		var traits []string
		if text := r.URL.Query().Get("traits"); text != "" {
			traits = strings.Split(text, ",")
		}
		out := &patient{ResponseWriter: w}
		control := http.NewResponseController(w)
		_ = control.SetWriteDeadline(time.Time{})                    // each piece has its own
		defer func() { _ = control.SetWriteDeadline(time.Time{}) }() // the connection may serve another request
		begun := false
		err = o.Write(ctx, out, viewer, r.PathValue("key"), format, traits, func(mediaType string) {
			begun = true
			w.Header().Set("Content-Type", mediaType)
		})
		switch {
		case err == nil:
		case !begun && r.Context().Err() == nil:
			refuse(err)
		default:
			if r.Context().Err() == nil {
				o.Logger.ErrorContext(ctx, "the members of a segment were cut short", "requestId", RequestID(ctx), "detail", insight.Detail(err))
			}
			panic(http.ErrAbortHandler) // some of a list must not look like the whole
		}
	})
}
