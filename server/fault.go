package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/acquaint/acquaint/insight"
)

// The values of extensions.code.
const (
	codeUnauthenticated = "UNAUTHENTICATED"
	codeForbidden       = "FORBIDDEN"
	codeConsentWithheld = "CONSENT_WITHHELD"
	codeNotFound        = "NOT_FOUND"
	codeBadUserInput    = "BAD_USER_INPUT"
	codeConflict        = "CONFLICT"
	codeRateLimited     = "RATE_LIMITED"
	codeCostLimit       = "COST_LIMIT"
	codeUnavailable     = "UNAVAILABLE"
	codeInternal        = "INTERNAL"
)

// kinds is the one table from a kind of failure to what a client of the graph
// sees: the code, and the status of a response whose operation was not run.
var kinds = map[insight.Kind]struct {
	code   string
	status int
}{
	insight.Internal:        {codeInternal, http.StatusInternalServerError},
	insight.Invalid:         {codeBadUserInput, http.StatusBadRequest},
	insight.NotFound:        {codeNotFound, http.StatusNotFound},
	insight.Conflict:        {codeConflict, http.StatusConflict},
	insight.Unauthenticated: {codeUnauthenticated, http.StatusUnauthorized},
	insight.Denied:          {codeForbidden, http.StatusForbidden},
	insight.Withheld:        {codeConsentWithheld, http.StatusForbidden},
	insight.Exhausted:       {codeRateLimited, http.StatusTooManyRequests},
	insight.Unavailable:     {codeUnavailable, http.StatusServiceUnavailable},
}

// statusOf is the status of a response whose operation was not run, by its first
// error's code.
func statusOf(errs gqlerror.List) int {
	if len(errs) == 0 {
		return http.StatusInternalServerError
	}
	code, _ := errs[0].Extensions["code"].(string)
	for _, k := range kinds {
		if k.code == code {
			return k.status
		}
	}
	return http.StatusBadRequest // COST_LIMIT: the request asks for too much
}

// refusal of a whole request, before or instead of running it.
func requestError(code, message string) *gqlerror.Error {
	return &gqlerror.Error{Message: message, Extensions: map[string]any{"code": code}}
}

// faults turns every error of the graph into what a client may see, and logs
// what it may not.
type faults struct {
	log  *slog.Logger
	time time.Duration // the limit on an operation's time, for the message
}

// panicked is a recovered panic on its way to the log.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// recovered is gqlgen's recover function.
func (f *faults) recovered(_ context.Context, value any) error {
	return insight.WrapError("graphql", insight.Internal, &panicked{value: value, stack: debug.Stack()})
}

// errTimeLimit is the cause of the context of an operation that ran too long.
var errTimeLimit = errors.New("the time limit of an operation")

// present is gqlgen's error presenter. A joined error becomes several errors at
// the same place: all but the last are added to the response here.
func (f *faults) present(ctx context.Context, err error) *gqlerror.Error {
	var placed *gqlerror.Error
	if !errors.As(err, &placed) {
		placed = gqlerror.WrapPath(graphql.GetPath(ctx), err)
	}
	if placed.Err == nil {
		return f.requestFault(ctx, placed)
	}
	if joined, ok := placed.Err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // a join further down is one error's detail
		parts := joined.Unwrap()
		for i, part := range parts {
			each := &gqlerror.Error{Err: part, Path: placed.Path, Locations: placed.Locations}
			if i < len(parts)-1 {
				graphql.AddError(ctx, each)
				continue
			}
			return f.present(ctx, each)
		}
	}
	return f.resolverFault(ctx, placed)
}

// requestFault is an error that gqlgen or its parser made: about the request's
// form, with a message that may quote it.
func (f *faults) requestFault(ctx context.Context, e *gqlerror.Error) *gqlerror.Error {
	switch code, _ := e.Extensions["code"].(string); code {
	case errcode.ValidationFailed, errcode.ParseFailed:
		return &gqlerror.Error{
			Message:    unquoted(code, e),
			Locations:  e.Locations,
			Extensions: map[string]any{"code": codeBadUserInput},
		}
	case "":
		return f.resolverFault(ctx, &gqlerror.Error{Err: errors.New(e.Message), Path: e.Path, Locations: e.Locations})
	}
	return e // made here, by requestError
}

// resolverFault is an error that a resolver returned, or an argument's decoder.
func (f *faults) resolverFault(ctx context.Context, placed *gqlerror.Error) *gqlerror.Error {
	field := graphql.GetFieldContext(ctx)
	shown := &gqlerror.Error{Err: placed.Err, Path: placed.Path, Locations: placed.Locations, Extensions: map[string]any{}}
	var known *insight.Error
	isKnown := errors.As(placed.Err, &known)

	// A field that declares arguments has none decoded only when decoding them failed.
	if field != nil && field.Field.Field != nil && field.Args == nil && field.Field.Definition != nil && len(field.Field.Definition.Arguments) > 0 {
		argument := strings.TrimPrefix(strings.TrimPrefix(placed.Path.String(), field.Path().String()), ".")
		shown.Path = field.Path()
		if !isKnown {
			shown.Message = subject(argument, "the value does not fit its type")
			shown.Extensions["code"] = codeBadUserInput
			return shown
		}
		if known.Kind == insight.Invalid {
			shown.Message = subject(argument, known.Error())
			shown.Extensions["code"] = codeBadUserInput
			return shown
		}
	}

	kind := insight.KindOf(placed.Err)
	away := kind == insight.Internal || kind == insight.Unavailable
	switch {
	case away && context.Cause(ctx) == errTimeLimit: //nolint:errorlint // the cause itself
		shown.Message = "the operation took longer than " + f.time.String() + "; ask for less at once"
		shown.Extensions["code"] = codeCostLimit
		return shown
	case away && ctx.Err() != nil:
		shown.Message = "the request was given up"
		shown.Extensions["code"] = codeUnavailable
		return shown
	}
	shown.Extensions["code"] = kinds[kind].code
	if kind != insight.Internal {
		shown.Message = known.Error()
		return shown
	}
	shown.Message = "internal error"
	shown.Extensions["requestId"] = RequestID(ctx)
	attributes := []any{"requestId", RequestID(ctx), "detail", insight.Detail(placed.Err)}
	if field != nil && field.Field.Field != nil {
		attributes = append(attributes, "field", field.Object+"."+field.Field.Name)
	}
	var p *panicked
	if errors.As(placed.Err, &p) {
		attributes = append(attributes, "stack", string(p.stack))
	}
	f.log.ErrorContext(ctx, "a field could not be resolved", attributes...)
	return shown
}

func subject(of, message string) string {
	if of == "" {
		return message
	}
	return of + ": " + message
}

const maxMessage = 300

// unquoted is a parser's or validator's message without what it quotes of the
// request's values. Names of fields, arguments, types and variables stay.
func unquoted(code string, e *gqlerror.Error) string {
	message := e.Message
	switch {
	case code == errcode.ParseFailed:
		// Names and values that were found come in quotes, at the end.
		message, _, _ = strings.Cut(message, `"`)
	case strings.HasPrefix(e.Rule, "ValuesOfCorrectType"):
		message = unquotedValue(message)
	case e.Rule != "":
	case len(e.Path) > 0:
		message = variableFault(e)
	case message == "no operation provided":
		message = "the document holds no operation"
	default:
		message = "the operation that the request names is not in the document"
	}
	message = strings.TrimSpace(message)
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "…"
	}
	return message
}

func unquotedValue(message string) string {
	if object, ok := strings.CutSuffix(message, `" must be non-null.`); ok && strings.HasPrefix(object, `Field "`) {
		// The validator names the type's first field here, whichever is null.
		object, _, _ = strings.Cut(strings.TrimPrefix(object, `Field "`), ".")
		return `OneOf Input Object "` + object + `" must specify exactly one key, and not null.`
	}
	if strings.HasPrefix(message, `Field "`) || strings.HasPrefix(message, "OneOf ") {
		return message // quotes names alone
	}
	if strings.HasPrefix(message, "Value ") {
		if _, rest, ok := strings.Cut(message, " does not exist in "); ok {
			return "The value does not exist in " + rest
		}
	}
	if head, _, ok := strings.Cut(message, ", found "); ok && strings.HasPrefix(message, "Expected value of type ") {
		return head + "."
	}
	if head, _, ok := strings.Cut(message, " value: "); ok {
		return head + " value."
	}
	return "A value does not fit its type."
}

// variableFault says which variable, and where in it, does not fit. The parser's
// message may quote the value, and the last name of the path is the client's
// where the type has no such field.
func variableFault(e *gqlerror.Error) string {
	path := e.Path
	message := "the value does not fit its type"
	switch e.Message {
	case "must be defined":
		message = "a value is required"
	case "cannot be null":
		message = "must not be null"
	case "unknown field":
		message, path = "it has a field that its type does not know", path[:len(path)-1]
	}
	var where strings.Builder
	for i, element := range path {
		switch element := element.(type) {
		case ast.PathIndex:
			where.WriteString("[" + strconv.Itoa(int(element)) + "]")
		case ast.PathName:
			if i == 0 {
				continue // "variable"
			}
			if i > 1 {
				where.WriteByte('.')
			} else {
				where.WriteByte('$')
			}
			where.WriteString(string(element))
		}
	}
	return subject(where.String(), message)
}

// answer is a GraphQL response on the wire. Data is absent, not null, when the
// operation was not run.
type answer struct {
	Errors     gqlerror.List   `json:"errors,omitempty"`
	Data       json.RawMessage `json:"data,omitempty"`
	Extensions map[string]any  `json:"extensions,omitempty"`
}

// encode writes a response as JSON. The data is already JSON, and is not parsed
// again.
func encode(r *graphql.Response) ([]byte, error) {
	rest, err := json.Marshal(answer{Errors: r.Errors, Extensions: r.Extensions})
	if err != nil || len(r.Data) == 0 {
		return rest, err
	}
	b := make([]byte, 0, len(r.Data)+len(rest)+8)
	b = append(b, `{"data":`...)
	b = append(b, r.Data...)
	if len(rest) > len("{}") {
		b = append(b, ',')
	}
	return append(b, rest[1:]...), nil
}
