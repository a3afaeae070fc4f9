// Package viewer answers one question: who is asking, in this request?
//
// The rule in words: the edge that checked the token puts the viewer into the
// request's context once, and everything beneath takes it from there. Nobody
// makes one up: a context without a viewer has none.
//
// One worked example: a token with scope "individuals:read" and the purposes
// "service analytics" arrives with "Acquaint-Purpose: analytics". The server puts
// Viewer{Scopes: [individuals:read], Purposes: [service analytics], Purpose:
// analytics} into the context, and a resolver that calls [From] gets that same
// value, and true.
//
// It refuses to guess: [From] of a context that holds no viewer answers false,
// and [Require] answers an Unauthenticated error.
package viewer
