package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/acquaint/acquaint/graph/viewer"
	"github.com/acquaint/acquaint/insight"
)

// transferTime is how long a client may take to send a request's body, or to
// take a piece of the answer.
const transferTime = 30 * time.Second

// serveExchange answers a GraphQL request over HTTP
// (https://graphql.github.io/graphql-over-http), or starts an event stream.
func (g *GraphQL) serveExchange(w http.ResponseWriter, r *http.Request) {
	// Also for a request that is refused unread: net/http takes the rest of its body in.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(transferTime)) // best effort: not every writer has one
	media := negotiate(r.Header.Values("Accept"))
	wire := media
	if media == "" || media == mediaEvents {
		wire = mediaJSON // for what is refused before a stream begins
	}
	refuse := func(status int, errs ...*gqlerror.Error) {
		write(w, wire, status, &graphql.Response{Errors: errs})
	}
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodPost:
		w.Header().Set("Allow", allowedMethods)
		refuse(http.StatusMethodNotAllowed, requestError(codeBadUserInput, "use POST, or GET for a query"))
		return
	case media == "":
		refuse(http.StatusNotAcceptable, requestError(codeBadUserInput, "answers are "+mediaGraphQL+", "+mediaJSON+" or "+mediaEvents))
		return
	case r.Method == http.MethodPost && !acceptableBody(r.Header.Get("Content-Type")):
		refuse(http.StatusUnsupportedMediaType, requestError(codeBadUserInput, "a request's body is application/json in UTF-8"))
		return
	}

	who, until, err := g.auth.admit(r.Context(), headerCredentials(r.Header))
	if err != nil {
		errs := g.fault(r.Context(), err).Errors
		if insight.KindOf(err) == insight.Unauthenticated {
			w.Header().Set("WWW-Authenticate", "Bearer")
		}
		refuse(statusOf(errs), errs...)
		return
	}

	params, status, fault := g.read(w, r)
	if fault != nil {
		refuse(status, fault)
		return
	}
	ctx := graphql.StartOperationTrace(viewer.With(r.Context(), who))
	op, refused := g.prepare(ctx, params)
	if refused == nil && r.Method == http.MethodGet && op.Operation.Operation == ast.Mutation {
		w.Header().Set("Allow", http.MethodPost)
		refuse(http.StatusMethodNotAllowed, requestError(codeBadUserInput, "a mutation is sent by POST"))
		return
	}
	if media == mediaEvents {
		g.serveEvents(ctx, w, op, refused, until)
		return
	}
	if refused != nil {
		status := http.StatusOK
		if media == mediaGraphQL {
			status = statusOf(refused.Errors)
		}
		write(w, media, status, refused)
		return
	}
	if op.Operation.Operation == ast.Subscription {
		refuse(http.StatusNotAcceptable, requestError(codeBadUserInput, "a subscription is answered as "+mediaEvents+" or over a websocket"))
		return
	}
	next, finish := g.execute(ctx, op)
	defer finish()
	response := next()
	if response == nil {
		return // the client is gone
	}
	status = http.StatusOK
	if len(response.Data) == 0 {
		status = statusOf(response.Errors)
	}
	write(w, media, status, response)
}

// write sends a response whole.
func write(w http.ResponseWriter, media string, status int, response *graphql.Response) {
	body, err := encode(response)
	if err != nil {
		panic(err) // a resolver's extension that is not JSON; the shell answers
	}
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Now().Add(transferTime)) // best effort: not every writer has one
	defer func() { _ = control.SetWriteDeadline(time.Time{}) }()
	w.Header().Set("Content-Type", media+"; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that is gone is nobody's fault
}

// read takes the parameters out of a request, or says what is wrong with it.
func (g *GraphQL) read(w http.ResponseWriter, r *http.Request) (*graphql.RawParams, int, *gqlerror.Error) {
	// A stream lasts longer than the time that sending a request may take.
	defer func() { _ = http.NewResponseController(w).SetReadDeadline(time.Time{}) }()
	if r.Method == http.MethodGet {
		params, fault := decodeQuery(r.URL.RawQuery)
		return params, http.StatusBadRequest, fault
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, g.limits.Body))
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		return nil, http.StatusRequestEntityTooLarge, requestError(codeBadUserInput, "a request's body has at most "+strconv.FormatInt(g.limits.Body, 10)+" bytes")
	case err != nil:
		return nil, http.StatusRequestTimeout, requestError(codeBadUserInput, "the request's body did not arrive whole")
	}
	params, fault := decodeBody(body)
	return params, http.StatusBadRequest, fault
}

// decodeBody reads a request from JSON. Its errors quote nothing of it.
func decodeBody(body []byte) (*graphql.RawParams, *gqlerror.Error) {
	if !utf8.Valid(body) {
		return nil, requestError(codeBadUserInput, "the request's body is not UTF-8")
	}
	var fields struct {
		Query         *string        `json:"query"`
		OperationName *string        `json:"operationName"`
		Variables     map[string]any `json:"variables"`
		Extensions    map[string]any `json:"extensions"`
	}
	if fault := decodeJSON(body, &fields); fault != "" {
		return nil, requestError(codeBadUserInput, "the request's body "+fault)
	}
	if fields.Query == nil {
		return nil, requestError(codeBadUserInput, "the request's body has no query")
	}
	params := &graphql.RawParams{Query: *fields.Query, Variables: fields.Variables, Extensions: fields.Extensions}
	if fields.OperationName != nil {
		params.OperationName = *fields.OperationName
	}
	return params, nil
}

// decodeQuery reads a request from the query component of a URL.
func decodeQuery(raw string) (*graphql.RawParams, *gqlerror.Error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, requestError(codeBadUserInput, "the URL's query component is not form-encoded")
	}
	for _, value := range values {
		for _, v := range value {
			if !utf8.ValidString(v) {
				return nil, requestError(codeBadUserInput, "the URL's query component is not UTF-8")
			}
		}
	}
	if !values.Has("query") {
		return nil, requestError(codeBadUserInput, "the URL has no query parameter")
	}
	params := &graphql.RawParams{Query: values.Get("query"), OperationName: values.Get("operationName")}
	for name, into := range map[string]*map[string]any{"variables": &params.Variables, "extensions": &params.Extensions} {
		if text := values.Get(name); text != "" {
			if fault := decodeJSON([]byte(text), into); fault != "" {
				return nil, requestError(codeBadUserInput, "the parameter "+name+" "+fault)
			}
		}
	}
	return params, nil
}

// decodeJSON reads exactly one JSON value, numbers kept as they are written. It
// answers what is wrong, "" when nothing is.
func decodeJSON(text []byte, into any) string {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	err := decoder.Decode(into)
	if at := halfPair(text); err == nil && at >= 0 {
		return "has half of a surrogate pair, which is no character, at byte " + strconv.Itoa(at)
	}
	if err == nil {
		if _, err = decoder.Token(); err == io.EOF { //nolint:errorlint // the decoder returns it bare
			return ""
		}
		return "goes on after its JSON value"
	}
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF):
		return "is empty"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "is not JSON: it ends too early"
	case errors.As(err, &syntax) && strings.Contains(syntax.Error(), "max depth"):
		return "is nested more than 10,000 levels deep"
	case errors.As(err, &syntax):
		return "is not JSON: it breaks at byte " + strconv.FormatInt(syntax.Offset, 10)
	case errors.As(err, &kind):
		switch kind.Field {
		case "query", "operationName":
			return "has a " + kind.Field + " that is not a string"
		case "variables", "extensions":
			return "has " + kind.Field + " that are not an object"
		}
		return "is not a JSON object"
	}
	return "is not JSON"
}

// halfPair finds an escape in JSON that stands for half of a surrogate pair, which
// the decoder would silently put another character for; -1 where there is none.
func halfPair(text []byte) int {
	unit := func(at int) (rune, bool) {
		if at+6 > len(text) || text[at] != '\\' || text[at+1] != 'u' {
			return 0, false
		}
		n, err := strconv.ParseUint(string(text[at+2:at+6]), 16, 16)
		return rune(n), err == nil
	}
	for at := 0; at < len(text); at++ {
		if text[at] != '\\' {
			continue
		}
		first, is := unit(at)
		switch {
		case !is:
			at++ // an escape of one character
		case !utf16.IsSurrogate(first):
			at += 5
		default:
			second, _ := unit(at + 6)
			if utf16.DecodeRune(first, second) == utf8.RuneError {
				return at
			}
			at += 11
		}
	}
	return -1
}
